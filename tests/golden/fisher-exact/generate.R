# Golden values of `fisher-exact`: run `Rscript generate.R` in this folder. Base R only.
# p_minlike is fisher.test's; its estimate and limits come from uniroot() with a tolerance of 1e-4, so they are found again
# here from the same distribution with a tolerance of 1e-14, and must agree with fisher.test (or their inverses with its inverses) to that.
tables <- rbind(c(3, 4, 1, 4), c(2, 12, 15, 18), c(9, 10, 3, 10), c(0, 10, 3, 10), c(10, 10, 3, 10), c(0, 10, 0, 20),
  c(10, 10, 20, 20), c(5, 56, 0, 29), c(1, 3, 2, 500), c(133, 356, 171, 356), c(0, 20, 20, 20), c(7, 15, 7, 15),
  c(40, 154, 41, 152), c(1200, 5000, 1000, 5000), c(60, 100000, 30, 100000), c(700, 1000, 200, 1000), c(4, 9, 5, 13), c(1, 1, 0, 1))
out <- NULL
for (i in seq_len(nrow(tables))) for (level in c(.9, .95)) {
  x1 <- tables[i, 1]; n1 <- tables[i, 2]; x0 <- tables[i, 3]; n0 <- tables[i, 4]; m <- x1 + x0; a <- (1 - level) / 2
  R <- fisher.test(matrix(c(x1, n1 - x1, x0, n0 - x0), 2), conf.level = level)
  lo <- max(0, m - n0); hi <- min(n1, m); s <- lo:hi; ld <- dhyper(s, n1, n0, m, log = TRUE)
  d <- function(t) { l <- ld + t * s; l <- exp(l - max(l)); l / sum(l) }
  start <- log((x1 + .5) * (n0 - x0 + .5) / (n1 - x1 + .5) / (x0 + .5))
  root <- function(f) uniroot(f, start + c(-40, 40), tol = 1e-14, maxiter = 10000)$root
  est <- if (x1 == lo && lo < hi) 0 else if (x1 == hi) NA else exp(root(function(t) sum(s * d(t)) - x1))
  se <- if (x1 == lo || x1 == hi) NA else { p <- d(log(est)); 1 / sqrt(sum(p * (s - sum(s * p))^2)) }
  low <- if (x1 == lo) 0 else exp(root(function(t) log(max(sum(d(t)[s >= x1]), 1e-300)) - log(a)))
  high <- if (x1 == hi) NA else exp(root(function(t) log(a) - log(max(sum(d(t)[s <= x1]), 1e-300))))
  small <- function(x) if (is.na(x)) 0 else if (x > 1) 1 / x else x
  near <- function(x, y) if (!is.na(x)) stopifnot(abs(small(x) - small(y)) < 2e-4)
  if (lo < hi) { near(est, unname(R$estimate)); near(low, R$conf.int[1]); near(high, R$conf.int[2]) }
  central <- min(1, 2 * min(phyper(x1, n1, n0, m), phyper(x1 - 1, n1, n0, m, lower.tail = FALSE)))
  out <- rbind(out, data.frame(x1, n1, x0, n0, level, estimate = est, std_error = se, conf_low = low, conf_high = high,
    p_central = central, p_minlike = R$p.value))
}
for (k in seq_along(out)) out[[k]] <- ifelse(is.na(out[[k]]), "NA", sprintf("%.15g", out[[k]]))
write.csv(out, "results.csv", row.names = FALSE, quote = FALSE)
writeLines(R.version.string, "session.txt")
