# Golden values of `rank-sum`: run `Rscript generate.R` in this folder.
# p: coin::wilcox_test, exact by its shift algorithm, and wilcox.test(correct = FALSE) for the normal p. Shift: wilcox.test
# where nothing ties; else the inversion written out here: p at every difference and between every two, hull of what is
# not rejected. Standard error of the index: pROC's DeLong variance; degrees of freedom and logit limits from their formula.
suppressMessages({library(coin); library(pROC)})
set.seed(20250611)
half <- function(v) round(2 * v) / 2
cases <- list(
  untied = list(x = round(rnorm(7, .8), 3), y = round(rnorm(9), 3)),
  survey = list(x = sample(1:5, 12, TRUE, c(1, 2, 3, 4, 5)), y = sample(1:5, 15, TRUE)),
  halves = list(x = half(rnorm(30, 1.2, 2)), y = half(rnorm(45, 0, 2))),
  large = list(x = half(rnorm(150, 0, 4)), y = half(rnorm(120, .7, 3))),
  skewed = list(x = half(rexp(6, .2)), y = half(rexp(20, .3))),
  separated = list(x = c(11, 12, 14, 14, 17), y = c(1, 3, 3, 9)),
  alone = list(x = 4, y = c(1, 2, 2, 5, 7, 9, 10, 11)))
data <- do.call(rbind, lapply(names(cases), function(k) {
  d <- data.frame(case = k, arm = rep(c("iuh", "standard"), lengths(cases[[k]])), outcome = unlist(cases[[k]]))
  d[sample(nrow(d)), ]
}))
data <- rbind(data, data.frame(case = "survey", arm = c("iuh", "standard", "standard"), outcome = NA))
write.csv(data, "data.csv", row.names = FALSE, quote = FALSE)

exact_tails <- function(x, y) {
  d <- data.frame(v = c(x, y), g = factor(rep(c("t", "c"), c(length(x), length(y))), levels = c("t", "c")))
  if (length(unique(d$v)) == 1) return(c(1, 1))
  tail <- function(side) as.numeric(pvalue(wilcox_test(v ~ g, d, distribution = exact(algorithm = "shift"), alternative = side)))
  c(tail("less"), tail("greater"))
}
normal_tails <- function(x, y) {
  tail <- function(side) suppressWarnings(wilcox.test(x, y, side, exact = FALSE, correct = FALSE))$p.value
  if (length(unique(c(x, y))) == 1) c(1, 1) else c(tail("less"), tail("greater"))
}
two <- function(tails) min(1, 2 * min(tails))
invert <- function(x, y, tails, alpha) {
  d <- sort(unique(c(round(outer(x, y, `-`), 6))))
  cells <- c(d[1] - 1, rbind(d, c((d[-1] + d[-length(d)]) / 2, d[length(d)] + 1)))
  ok <- which(vapply(cells, function(s) two(tails(round(x - s, 6), round(y, 6))) > alpha, NA))
  lo <- min(ok); hi <- max(ok); n <- length(cells)
  c(if (lo == 1) NA else d[ceiling((lo - 1) / 2)], if (hi == n) NA else d[floor(hi / 2) + (hi %% 2)],
    if (lo == 1) NA else as.numeric(lo %% 2 == 0), if (hi == n) NA else as.numeric(hi %% 2 == 0), as.numeric(length(ok) < hi - lo + 1))
}
out <- NULL
for (k in names(cases)) for (level in c(.9, .95)) {
  x <- cases[[k]]$x; y <- cases[[k]]$y; m <- length(x); n <- length(y); alpha <- 1 - level
  exact <- k != "large"
  tails <- if (exact) exact_tails else normal_tails
  t <- tails(x, y)
  v <- vapply(x, function(a) mean((y < a) + (y == a) / 2), 0); w <- vapply(y, function(b) mean((x > b) + (x == b) / 2), 0)
  theta <- mean(v); sv <- var(v) / m; sw <- var(w) / n; s <- sqrt(sv + sw)
  df <- (sv + sw)^2 / (sv^2 / (m - 1) + sw^2 / (n - 1))
  if (m > 1 && s > 0) {
    r <- roc(rep(1:0, c(m, n)), c(x, y), direction = "<", levels = 0:1, quiet = TRUE)
    stopifnot(all.equal(as.numeric(auc(r)), theta), all.equal(sqrt(var(r, method = "delong")), s, tolerance = 1e-12))
    half_width <- qt(1 - alpha / 2, df) * s / (theta * (1 - theta)); logit <- plogis(qlogis(theta) + c(-1, 1) * half_width)
    bm <- 2 * pt(-abs((theta - .5) / s), df)
  } else { s <- NA; df <- NA; logit <- c(NA, NA); bm <- NA }
  z <- qnorm(1 - alpha / 2); star <- (m + n) / 2 - 1
  g <- function(th) (theta - th)^2 - z^2 * th * (1 - th) * (1 + star * (1 - th) / (2 - th) + star * th / (1 + th)) / (m * n)
  low <- if (theta > 0) uniroot(g, c(1e-12, theta - 1e-12), tol = 1e-14)$root else 0
  high <- if (theta < 1) uniroot(g, c(theta + 1e-12, 1 - 1e-12), tol = 1e-14)$root else 1
  limits <- invert(x, y, tails, alpha)
  if (k == "untied") {
    r <- wilcox.test(x, y, exact = TRUE, conf.int = TRUE, conf.level = level)
    stopifnot(all.equal(as.numeric(r$conf.int), limits[1:2]), all.equal(r$p.value, two(t)), all.equal(unname(r$estimate), median(outer(x, y, `-`))))
  }
  d <- data.frame(v = c(x, y), g = factor(rep(c("t", "c"), c(m, n)), levels = c("t", "c")))
  out <- rbind(out, data.frame(case = k, level = level, exact = exact, index = theta, std_error = s, df = df, logit_low = logit[1], logit_high = logit[2],
    newcombe_low = low, newcombe_high = high, p_brunner_munzel = bm, z = as.numeric(statistic(wilcox_test(v ~ g, d), "standardized")),
    p_lower = t[1], p_upper = t[2], p_value = two(t), shift = median(outer(x, y, `-`)), conf_low = limits[1], conf_high = limits[2],
    low_included = limits[3], high_included = limits[4], gap = limits[5]))
}
for (k in which(sapply(out, is.numeric))) out[[k]] <- ifelse(is.na(out[[k]]), NA, sprintf("%.15g", out[[k]]))
write.csv(out, "results.csv", row.names = FALSE, quote = FALSE)
writeLines(c(R.version.string, paste(c("coin", "pROC"), sapply(c("coin", "pROC"), function(p) as.character(packageVersion(p))))), "session.txt")
