# Golden values of `lee-bounds` and `manski-bounds`: run `Rscript generate.R` in this folder.
# Lee: every outcome of the trimmed arm is written so many times that a whole number of copies is trimmed; standard errors
# in the terms of his proposition 3 (alpha0, p0, E[D], V^p). Manski: t.test's standard error of the filled-in outcomes.
# Limits: Imbens and Manski's equation solved by uniroot.
set.seed(20250613)
case <- function(name, n1, n0, k1, k0, draw) {
  y <- c(draw(n1, 1), draw(n0, 0)); y[c(sample(n1, n1 - k1), n1 + sample(n0, n0 - k0))] <- NA
  data.frame(case = name, arm = rep(c("iuh", "standard"), c(n1, n0)), outcome = y)[sample(n1 + n0), ]
}
score <- function(n, z) pmin(40, pmax(0, round(18 + 3 * z + 7 * rnorm(n))))
data <- rbind(case("treated", 31, 29, 28, 21, score), case("control", 24, 37, 15, 31, score), case("binary", 40, 45, 33, 30, function(n, z) as.numeric(runif(n) < .3 + .2 * z)),
  case("equal", 20, 30, 14, 21, score), case("complete", 12, 15, 12, 15, score), case("whole", 20, 20, 16, 12, score))
write.csv(data, "data.csv", row.names = FALSE, quote = FALSE)
write.csv(data, "../manski-bounds/data.csv", row.names = FALSE, quote = FALSE)
limits <- function(l, u, sl, su, level) {
  c <- uniroot(function(c) pnorm(c + (u - l) / max(sl, su)) - pnorm(-c) - level, c(0, 8), tol = 1e-14)$root
  c(l - c * sl, u + c * su)
}
lee <- manski <- NULL
for (name in unique(data$case)) for (level in c(.9, .95)) {
  d <- data[data$case == name, ]; n <- nrow(d)
  swap <- with(d, mean(!is.na(outcome[arm == "standard"])) > mean(!is.na(outcome[arm == "iuh"])))
  D <- as.numeric(d$arm == if (swap) "standard" else "iuh"); S <- as.numeric(!is.na(d$outcome)); Y <- d$outcome
  alpha0 <- mean(S[D == 0]); r1 <- mean(S[D == 1]); p0 <- 1 - alpha0 / r1; ED <- mean(D); ESD <- mean(S * D)
  y1 <- sort(Y[D == 1 & S == 1]); y0 <- Y[D == 0 & S == 1]
  den <- sum(D == 0); copies <- rep(y1, each = den); keep <- round(length(y1) * (1 - p0) * den)
  vc <- var(y0) / length(y0)
  vp <- (1 - p0)^2 * ((1 - alpha0 / (1 - p0)) / (ED * alpha0 / (1 - p0)) + (1 - alpha0) / ((1 - ED) * alpha0))
  side <- function(kept, edge) {
    mu <- mean(kept); K <- length(kept) / den; v <- sum((kept - mu)^2) / den / (K - 1)
    V <- v / (ESD * (1 - p0)) + (edge - mu)^2 * p0 / (ESD * (1 - p0)) + ((edge - mu) / (1 - p0))^2 * vp
    c(mu - mean(y0), sqrt(V / n + vc), v / K + vc, (edge - mu)^2 * vp / n)
  }
  low <- side(head(copies, keep), copies[keep]); high <- side(tail(copies, keep), rev(copies)[keep])
  if (abs(p0) < 1e-12) {
    far <- max(abs(range(y1) - mean(y1)), abs(range(y0) - mean(y0))); s <- sqrt(low[3] + far^2 * vp / n)
    low[2] <- high[2] <- s; p0 <- 0
  }
  b <- if (swap) c(-high[1], -low[1], high[2], low[2]) else c(low[1], high[1], low[2], high[2])
  ci <- limits(b[1], b[2], b[3], b[4], level)
  lee <- rbind(lee, data.frame(case = name, level = level, arm = if (p0 == 0) NA else if (swap) "standard" else "iuh", share = p0,
    lower = b[1], upper = b[2], lower_se = b[3], upper_se = b[4], conf_low = ci[1], conf_high = ci[2]))
  range <- if (name == "binary") c(0, 1) else c(0, 40)
  fill <- function(v) { y <- d$outcome; y[is.na(y)] <- v; y }
  t1 <- d$arm == "iuh"
  test <- function(a, b) { t <- t.test(fill(a)[t1], fill(b)[!t1]); c(unname(t$estimate[1] - t$estimate[2]), t$stderr) }
  l <- test(range[1], range[2]); u <- test(range[2], range[1]); ci <- limits(l[1], u[1], l[2], u[2], level)
  manski <- rbind(manski, data.frame(case = name, level = level, range_low = range[1], range_high = range[2], lower = l[1], upper = u[1],
    lower_se = l[2], upper_se = u[2], conf_low = ci[1], conf_high = ci[2]))
}
save <- function(out, file) {
  for (k in which(sapply(out, is.numeric))) out[[k]] <- ifelse(is.na(out[[k]]), NA, sprintf("%.15g", out[[k]]))
  write.csv(out, file, row.names = FALSE, quote = FALSE)
}
save(lee, "results.csv"); save(manski, "../manski-bounds/results.csv")
writeLines(R.version.string, "session.txt"); writeLines(R.version.string, "../manski-bounds/session.txt")
