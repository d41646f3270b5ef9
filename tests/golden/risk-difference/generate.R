# Golden values of `risk-difference`: run `Rscript generate.R` in this folder. Base R only.
# The score intervals are re-done without the cubic's closed form: the likelihood is maximized by optimize() and the
# limits found by uniroot(), so that an error in the algebra would show.
tables <- rbind(c(56, 70, 48, 80), c(9, 10, 3, 10), c(6, 7, 2, 7), c(5, 56, 0, 29), c(0, 10, 0, 20), c(0, 10, 0, 10),
  c(10, 10, 0, 20), c(10, 10, 0, 10), c(20, 101, 10, 105), c(40, 154, 41, 152), c(81, 269, 39, 165), c(1, 3, 2, 500),
  c(3, 3, 400, 900), c(133, 356, 171, 356))
constrained <- function(x1, n1, x0, n0, d) {
  lo <- max(0, -d); hi <- min(1, 1 - d)
  score <- function(p) {  # derivative of the log-likelihood times its denominators: one change of sign
    (x1 - n1 * (p + d)) * p * (1 - p) + (x0 - n0 * p) * (p + d) * (1 - p - d)
  }
  # x log p with 0 log 0 = 0
  l <- function(p) sum(ifelse(c(x1, n1 - x1, x0, n0 - x0) == 0, 0, c(x1, n1 - x1, x0, n0 - x0) * log(pmax(c(p + d, 1 - p - d, p, 1 - p), 1e-300))))
  best <- optimize(l, c(lo, hi), maximum = TRUE, tol = 1e-12)$maximum
  a <- max(lo, best - 1e-5); b <- min(hi, best + 1e-5)
  if (score(a) > 0 && score(b) < 0) best <- uniroot(score, c(a, b), tol = 1e-15)$root
  else if (l(lo) >= l(best)) best <- lo
  else if (l(hi) >= l(best)) best <- hi
  best
}
T <- function(x1, n1, x0, n0, d, inflation) {
  num <- x1 / n1 - x0 / n0 - d
  if (abs(num) < 1e-15) return(0)
  p <- constrained(x1, n1, x0, n0, d); q <- p + d
  num / sqrt(inflation * (q * (1 - q) / n1 + p * (1 - p) / n0))
}
score_limits <- function(x1, n1, x0, n0, z, inflation) {
  e <- x1 / n1 - x0 / n0
  f <- function(d, t) T(x1, n1, x0, n0, d, inflation) - t
  low <- if (e <= -1) -1 else uniroot(f, c(-1 + 1e-13, e), t = z, tol = 1e-13, maxiter = 5000)$root
  high <- if (e >= 1) 1 else uniroot(f, c(e, 1 - 1e-13), t = -z, tol = 1e-13, maxiter = 5000)$root
  c(low, high)
}
out <- NULL
suppressWarnings(for (i in seq_len(nrow(tables))) for (level in c(.9, .95)) {
  x1 <- tables[i, 1]; n1 <- tables[i, 2]; x0 <- tables[i, 3]; n0 <- tables[i, 4]
  z <- qnorm(1 - (1 - level) / 2); e <- x1 / n1 - x0 / n0; N <- n1 + n0
  se <- sqrt(x1 / n1 * (1 - x1 / n1) / n1 + x0 / n0 * (1 - x0 / n0) / n0)
  add <- function(interval, s, statistic, low, high) out <<- rbind(out, data.frame(x1, n1, x0, n0, level, interval, estimate = e,
    std_error = s, p_value = 2 * pnorm(-abs(statistic)), conf_low = low, conf_high = high))
  for (kind in c("miettinen-nurminen", "mee")) {
    k <- if (kind == "mee") 1 else N / (N - 1)
    l <- score_limits(x1, n1, x0, n0, z, k)
    add(kind, se, T(x1, n1, x0, n0, 0, k), l[1], l[2])
    chi <- prop.test(c(x1, x0), c(n1, n0), correct = FALSE)$p.value
    if (kind == "mee" && !is.nan(chi)) stopifnot(all.equal(chi, tail(out$p_value, 1), tolerance = 1e-9))
  }
  w1 <- prop.test(x1, n1, conf.level = level, correct = FALSE)$conf.int
  w0 <- prop.test(x0, n0, conf.level = level, correct = FALSE)$conf.int
  add("newcombe", se, NA, max(-1, e - sqrt((x1 / n1 - w1[1])^2 + (w0[2] - x0 / n0)^2)), min(1, e + sqrt((w1[2] - x1 / n1)^2 + (x0 / n0 - w0[1])^2)))
  if (se > 0) {
    ci <- prop.test(c(x1, x0), c(n1, n0), conf.level = level, correct = FALSE)$conf.int
    add("wald", se, e / se, ci[1], ci[2])
  } else add("wald", 0, NA, NA, NA)
  a1 <- (x1 + 1) / (n1 + 2); a0 <- (x0 + 1) / (n0 + 2); sa <- sqrt(a1 * (1 - a1) / (n1 + 2) + a0 * (1 - a0) / (n0 + 2))
  add("agresti-caffo", sa, (a1 - a0) / sa, max(-1, a1 - a0 - z * sa), min(1, a1 - a0 + z * sa))
})
for (k in which(sapply(out, is.numeric))) out[[k]] <- ifelse(is.na(out[[k]]), "NA", sprintf("%.15g", out[[k]]))
write.csv(out, "results.csv", row.names = FALSE, quote = FALSE)
writeLines(R.version.string, "session.txt")
