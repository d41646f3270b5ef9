# Golden values of `risk-ratio` and `odds-ratio`: run `Rscript generate.R` in this folder. Base R only.
# Score limits: the likelihood under a fixed ratio is maximized by solving its own equation with uniroot() (checked by
# optimize()), and the limits are found by uniroot() on the logarithm; no closed form. Log-Wald by its definition, which for
# the odds ratio is the Wald interval of glm().
tables <- rbind(c(56, 70, 48, 80), c(9, 10, 3, 10), c(6, 7, 2, 7), c(5, 56, 0, 29), c(0, 10, 0, 20), c(0, 10, 3, 10),
  c(10, 10, 0, 20), c(10, 10, 10, 10), c(20, 101, 10, 105), c(40, 154, 41, 152), c(0, 39, 165, 165), c(1, 3, 2, 500),
  c(3, 3, 400, 900), c(133, 356, 171, 356), c(8, 15, 4, 15), c(36, 40, 16, 80), c(12, 12, 5, 9), c(3, 200000, 19, 700000))
constrained <- function(which, x1, n1, x0, n0, r) {
  m <- x1 + x0
  if (which == "risk-ratio") {
    top <- min(1, 1 / r)
    # p = top u, so that small p keep their digits; the score times its denominators changes its sign once.
    a <- top; b <- r * top
    g <- function(u) m * (1 - b * u) * (1 - a * u) - (n1 - x1) * b * u * (1 - a * u) - (n0 - x0) * a * u * (1 - b * u)
    # An arm without non-events has a factor that the likelihood does not.
    if (n1 == x1 && n0 == x0) g <- function(u) m
    else if (n1 == x1) g <- function(u) m * (1 - a * u) - (n0 - x0) * a * u
    else if (n0 == x0) g <- function(u) m * (1 - b * u) - (n1 - x1) * b * u
    p <- if (m == 0) 0 else if (g(1) >= 0) top else top * uniroot(g, c(0, 1), tol = 1e-16, maxiter = 5000)$root
    l <- function(p) sum(ifelse(c(x1, n1 - x1, x0, n0 - x0) == 0, 0, c(x1, n1 - x1, x0, n0 - x0) * log(pmax(c(r * p, 1 - r * p, p, 1 - p), 1e-300))))
    if (abs(log(r)) < 5) best <- optimize(function(u) l(top * u), c(0, 1), maximum = TRUE, tol = 1e-12)
    if (abs(log(r)) < 5) stopifnot(l(p) >= best$objective - 1e-6 * (1 + abs(best$objective)))
    return(c(r * p, p))
  }
  other <- function(p) r * p / (1 + p * (r - 1))
  p <- if (m == 0) 0 else if (m == n1 + n0) 1 else uniroot(function(p) n1 * other(p) + n0 * p - m, c(0, 1), tol = 1e-17, maxiter = 5000)$root
  c(other(p), p)
}
score <- function(which, x1, n1, x0, n0, r) {
  p <- constrained(which, x1, n1, x0, n0, r); v <- p * (1 - p) / c(n1, n0); k <- (n1 + n0) / (n1 + n0 - 1)
  if (which == "risk-ratio") {
    num <- x1 / n1 - r * x0 / n0; if (num == 0) return(0)
    return(num / sqrt(k * (v[1] + r^2 * v[2])))
  }
  num <- x1 - n1 * p[1]; if (abs(num) < 1e-14) return(0)
  i <- c(n1, n0) * p * (1 - p)
  num * sqrt(1 / i[1] + 1 / i[2]) / sqrt(k)
}
out <- NULL
for (which in c("risk-ratio", "odds-ratio")) for (i in seq_len(nrow(tables))) for (level in c(.9, .95)) {
  x1 <- tables[i, 1]; n1 <- tables[i, 2]; x0 <- tables[i, 3]; n0 <- tables[i, 4]; z <- qnorm(1 - (1 - level) / 2)
  top <- if (which == "risk-ratio") x1 * n0 else x1 * (n0 - x0)
  bottom <- if (which == "risk-ratio") x0 * n1 else x0 * (n1 - x1)
  est <- if (bottom > 0) top / bottom else NA
  cells <- if (which == "risk-ratio") c(x1, x0) else c(x1, n1 - x1, x0, n0 - x0)
  se <- if (all(cells > 0)) sqrt(if (which == "risk-ratio") 1 / x1 - 1 / n1 + 1 / x0 - 1 / n0 else sum(1 / cells)) else NA
  if (which == "odds-ratio" && !is.na(se)) {
    fit <- glm(cbind(c(x1, x0), c(n1 - x1, n0 - x0)) ~ c(1, 0), family = binomial, epsilon = 1e-14)
    stopifnot(all.equal(summary(fit)$coefficients[2, 1:2], c(log(est), se), tolerance = 1e-7, check.attributes = FALSE))
  }
  add <- function(interval, statistic, low, high) out <<- rbind(out, data.frame(which, x1, n1, x0, n0, level, interval, estimate = est,
    std_error = se, p_value = 2 * pnorm(-abs(statistic)), conf_low = low, conf_high = high))
  f <- function(t, q) score(which, x1, n1, x0, n0, exp(t)) - q
  span <- if (is.na(est) || est == 0) c(-25, 25) else log(est) + c(-25, 25)
  mid <- if (is.na(est)) span[2] else if (est == 0) span[1] else log(est)
  low <- if (top == 0) 0 else exp(uniroot(f, c(span[1], mid), q = z, tol = 1e-13, maxiter = 5000)$root)
  high <- if (bottom == 0) NA else exp(uniroot(f, c(mid, span[2]), q = -z, tol = 1e-13, maxiter = 5000)$root)
  chi <- suppressWarnings(prop.test(c(x1, x0), c(n1, n0), correct = FALSE)$statistic)
  statistic <- if (is.nan(chi)) 0 else sqrt(chi * (n1 + n0 - 1) / (n1 + n0))
  add("miettinen-nurminen", statistic, low, high)
  if (is.na(se) || se == 0) add("log-wald", NA, NA, NA) else
    add("log-wald", log(est) / se, est * exp(-z * se), est * exp(z * se))
}
for (k in which(sapply(out, is.numeric))) out[[k]] <- ifelse(is.na(out[[k]]), "NA", sprintf("%.15g", out[[k]]))
for (w in unique(out$which)) {
  write.csv(out[out$which == w, -1], file.path("..", w, "results.csv"), row.names = FALSE, quote = FALSE)
  writeLines(R.version.string, file.path("..", w, "session.txt"))
}
