# Golden values of `randomization-test`: run `Rscript generate.R` in this folder.
# Every sequence is listed by combn; p of a shift by counting; limits by a scan of 2,001 shifts and bisection at the
# outermost accepted one. Where strata have two units in each arm, estimate and standard error are estimatr's.
suppressMessages(library(estimatr))
set.seed(20250612)
z_of <- function(n, m) sample(rep(1:0, c(m, n - m)))
make <- function(case, n, m, value, cluster = NULL) {
  d <- do.call(rbind, lapply(seq_along(n), function(b) data.frame(case = case, stratum = letters[b], z = z_of(n[b], m[b]))))
  d$cluster <- paste0("u", seq_len(nrow(d)))
  d$outcome <- value(d$z, nrow(d)); d
}
two <- function(v) round(v, 2)
data <- rbind(
  make("plain", 14, 5, function(z, n) two(3 * z + rnorm(n) * (1 + z))),
  make("ties", 15, 7, function(z, n) as.numeric(runif(n) < .3 + .4 * z)),
  make("blocks", c(8, 7), c(3, 4), function(z, n) two(1.2 * z + rexp(n))),
  make("pairs", rep(2, 9), rep(1, 9), function(z, n) two(.8 * z + rnorm(n))),
  make("mixed", c(6, 3, 4, 3, 4), c(3, 1, 1, 2, 3), function(z, n) two(z + rnorm(n, 2))),
  make("offset", 12, 6, function(z, n) two(1e6 + 2 * z + rnorm(n))))
families <- do.call(rbind, lapply(1:10, function(f) data.frame(case = "families", stratum = if (f <= 5) "a" else "b",
  z = as.numeric(f %in% c(1, 4, 6, 7, 9)), cluster = paste0("f", f), outcome = two(rnorm(sample(1:4, 1), 5) + (f %in% c(1, 4, 6, 7, 9))))))
data <- rbind(data, families)
data$arm <- ifelse(data$z == 1, "iuh", "standard")
data <- rbind(data, data.frame(case = "plain", stratum = "a", z = 0, cluster = "u99", outcome = NA, arm = "standard"))
write.csv(data[, c("case", "stratum", "cluster", "arm", "outcome")], "data.csv", row.names = FALSE, quote = FALSE)

statistic <- function(Y, W, N) {   # lists by stratum of n x draws matrices: outcome and arm
  parts <- Map(function(Y, W) {
    n1 <- colSums(W); n0 <- nrow(W) - n1; m1 <- colSums(Y * W) / n1; m0 <- colSums(Y * (1 - W)) / n0
    s1 <- colSums(W * sweep(Y, 2, m1)^2) / (n1 - 1); s0 <- colSums((1 - W) * sweep(Y, 2, m0)^2) / (n0 - 1)
    list(tau = m1 - m0, v = s1 / n1 + s0 / n0, small = min(n1[1], n0[1]) == 1)
  }, Y, W)
  small <- sapply(parts, `[[`, "small"); w <- N / sum(N)
  tau <- Reduce(`+`, Map(function(p, w) w * p$tau, parts, w))
  v <- Reduce(`+`, Map(function(p, w) w^2 * p$v, parts[!small], w[!small]), 0)
  if (any(small)) {
    k <- N[small]; n <- sum(k); t <- do.call(rbind, lapply(parts[small], `[[`, "tau"))
    bar <- colSums(t * k) / n
    coefficient <- if (length(unique(k)) == 1) rep(1 / (length(k) * (length(k) - 1)), length(k)) else k^2 / ((n - 2 * k) * (n + sum(k^2 / (n - 2 * k))))
    v <- v + (n / sum(N))^2 * colSums(coefficient * sweep(t, 2, bar)^2)
  }
  list(tau = tau, se = sqrt(v), t = tau / sqrt(v))
}
out <- NULL
for (case in unique(data$case)) {
  d <- data[data$case == case & !is.na(data$outcome), ]
  u <- aggregate(outcome ~ cluster + stratum + z, d, mean)
  strata <- split(u, u$stratum); N <- sapply(strata, nrow)
  combos <- lapply(strata, function(s) combn(nrow(s), sum(s$z)))
  grid <- expand.grid(lapply(combos, function(c) seq_len(ncol(c))))
  W <- Map(function(s, c, i) { m <- matrix(0, nrow(s), nrow(grid)); m[cbind(c(c[, i, drop = FALSE]), rep(seq_len(nrow(grid)), each = nrow(c)))] <- 1; m }, strata, combos, grid)
  at <- function(shift) {
    Y <- Map(function(s, w) matrix(s$outcome - shift * s$z, nrow(s), nrow(grid)), strata, W)
    draws <- statistic(Y, W, N)$t
    o <- statistic(lapply(strata, function(s) matrix(s$outcome - shift * s$z)), lapply(strata, function(s) matrix(s$z)), N)
    draws[is.nan(draws)] <- 0; tol <- 1e-9 * max(1, abs(o$t))
    c(mean(draws <= o$t + tol), mean(draws >= o$t - tol), o$tau, o$se, sum(draws >= max(draws) - tol), sum(draws <= min(draws) + tol))
  }
  p <- function(shift) { a <- at(shift); min(1, 2 * min(a[1:2])) }
  a <- at(0)
  if (case %in% c("plain", "offset")) { e <- difference_in_means(outcome ~ z, u); stopifnot(all.equal(c(e$coefficients[[1]], e$std.error[[1]]), a[3:4])) }
  if (case == "blocks") { e <- difference_in_means(outcome ~ z, u, blocks = stratum); stopifnot(all.equal(c(e$coefficients[[1]], e$std.error[[1]]), a[3:4])) }
  for (level in c(.8, .95)) {
    # A p at alpha rejects: 2 * 196 / 1960 is not above 1 - .8, whatever that is in binary.
    alpha <- round(1 - level, 12) * (1 + 1e-12)
    scan <- a[3] + a[4] * seq(-10, 10, length.out = 2001); ok <- vapply(scan, p, 0) > alpha
    end <- function(inside, outside) { for (i in 1:60) { m <- (inside + outside) / 2; if (p(m) > alpha) inside <- m else outside <- m }; inside }
    low <- if (ok[1]) NA else end(scan[min(which(ok))], scan[min(which(ok)) - 1])
    high <- if (ok[2001]) NA else end(scan[max(which(ok))], scan[max(which(ok)) + 1])
    out <- rbind(out, data.frame(case = case, level = level, sequences = nrow(grid), estimate = a[3], std_error = a[4], p_lower = a[1], p_upper = a[2],
      p_value = p(0), p_smallest = min(1, 2 * min(a[5:6]) / nrow(grid)), conf_low = low, conf_high = high, gap = as.numeric(any(!ok[min(which(ok)):max(which(ok))]))))
  }
}
for (k in which(sapply(out, is.numeric))) out[[k]] <- ifelse(is.na(out[[k]]), NA, sprintf("%.15g", out[[k]]))
write.csv(out, "results.csv", row.names = FALSE, quote = FALSE)
writeLines(c(R.version.string, paste("estimatr", packageVersion("estimatr"))), "session.txt")
