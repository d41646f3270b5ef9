# Golden values of effects on winsorized costs: run `Rscript generate.R` in this folder. Base R alone: quantile (type 7), t.test, and lm
# with HC2 and Bell-McCaffrey written out from the hat matrix.
set.seed(20261127)
n <- 74
d <- data.frame(
  arm = sample(rep(c("iuh", "standard"), c(31, 43))),
  age = round(runif(n, 0, 17), 1)
)
d$cost <- round(ifelse(runif(n) < 0.15, 0, exp(8 + 0.05 * d$age + 1.3 * rnorm(n) - 0.2 * (d$arm == "iuh"))), 2)
write.csv(d, "data.csv", row.names = FALSE, quote = FALSE)
# The combination k of the coefficients on the columns M.
hc2 <- function(y, M, k) {
  XX <- solve(crossprod(M))
  H <- M %*% XX %*% t(M)
  h <- diag(H)
  a <- drop(M %*% XX %*% k)
  e <- drop(y - H %*% y)
  G <- (diag(nrow(M)) - H) %*% diag(a / sqrt(1 - h))
  P <- crossprod(G)
  c(estimate = sum(a * y), std_error = sqrt(sum(a^2 * e^2 / (1 - h))), df = sum(diag(P))^2 / sum(P^2))
}
rows <- NULL
for (share in c(0.01, 0.05, 0.1, 0.25)) {
  ends <- unname(quantile(d$cost, c(share, 1 - share), type = 7))
  y <- pmin(pmax(d$cost, ends[1]), ends[2])
  z <- as.numeric(d$arm == "iuh")
  x <- d$age - mean(d$age)
  welch <- t.test(y[z == 1], y[z == 0])
  m <- y != d$cost
  own <- rbind(
    c(estimate = unname(diff(rev(welch$estimate))), std_error = welch$stderr, df = unname(welch$parameter)),
    hc2(y, cbind(1, z, x), c(0, 1, 0)),
    hc2(y, cbind(1, z, x, x * z), c(0, 1, 0, 0))
  )
  rows <- rbind(rows, data.frame(share, low = ends[1], high = ends[2], moved_treated = sum(m & z == 1), moved_control = sum(m & z == 0),
    estimator = c("difference-in-means", "linear", "lin"), own))
}
write.csv(format(rows, digits = 17, trim = TRUE), "results.csv", row.names = FALSE, quote = FALSE)
others <- if (file.exists("session.txt")) grep("^generate.R: ", readLines("session.txt"), value = TRUE, invert = TRUE)
writeLines(c(paste0("generate.R: ", R.version.string, ", base packages alone"), others), "session.txt")
