# Two tests that every lock has. Their observed statistics are computed from the data; those of the redrawn arms are taken over.
share_above <- function(t0, t, probability) {
  above <- is.na(t) | t >= t0 - 1e-9 * max(1, if (is.finite(t0)) abs(t0) else 1)
  if (is.null(probability)) (1 + sum(above)) / (1 + length(t)) else sum(probability[above]) / sum(probability)
}
# Who is unknown, by arm: the difference of the shares over the standard error of Welch. An arm without a file of redraws has no test.
missingness <- function(id, treated, control, redraws) step(paste0(id, "/missingness"), {
  path <- paste0(id, "/missingness")
  unknown <- families[[paste0(id, ".unknown")]]
  of <- function(arm) { own <- unknown[families$arm == arm]; own[!is.na(own)] }
  for (arm in arms) say(paste0(path, "/arms/", arm), c(unknown = sum(of(arm)), of = length(of(arm))))
  over_error <- function(a, c) ifelse(c > 1e-20, a / sqrt(c), ifelse(abs(a) <= 1e-12, 0, sign(a) * Inf))
  for (i in seq_along(treated)) {
    own <- of(treated[i])
    other <- of(control)
    a <- mean(own) - mean(other)
    say(paste0(path, "/tests/", treated[i]), c(difference = a))
    if (redraws[i] == "") next
    t0 <- over_error(a, var(own) / length(own) + var(other) / length(other))
    drawn <- table_of(redraws[i])
    exact <- !is.null(drawn$probability)
    if (!exact) rests(paste0(path, "/tests/", treated[i]), paste0("the statistics on ", nrow(drawn), " redrawn allocations (data/", redraws[i], ".csv)"))
    t <- over_error(drawn$a, drawn$c)
    q <- min(share_above(t0, t, drawn$probability), share_above(-t0, -t, drawn$probability))
    say(paste0(path, "/tests/", treated[i]), c(p_value = min(1, 2 * q), draws = nrow(drawn), failed = sum(is.na(drawn$a)),
      mcse = if (exact) 0 else 2 * sqrt(q * (1 - q) / nrow(drawn))))
  }
})
# Balance over all characteristics: Pillai's trace of the arms on them, of two arms R^2.
balance <- function() step("balance", {
  d <- table_of("balance")
  x <- as.matrix(d[startsWith(names(d), "x.")])
  arm <- families$arm[match(d$family, families$family)]
  parts <- qr(cbind(1, sweep(x, 2, colMeans(x))), tol = 1e-7)
  k <- parts$rank - 1
  q <- qr.Q(parts)[, 1 + seq_len(k), drop = FALSE]
  trace <- sum(vapply(unique(arm), function(own) sum(colSums(q[arm == own, , drop = FALSE])^2) / sum(arm == own), 0))
  drawn <- table_of("balance.redraws")
  t <- drawn$statistic
  w <- drawn$probability
  if (is.null(w)) rests("balance", paste0("the statistics on ", nrow(drawn), " redrawn allocations (data/balance.redraws.csv)"))
  p <- share_above(trace, t, w)
  say("balance", c(characteristics = k, statistic = trace, p_value = p, draws = length(t), mcse = if (is.null(w)) sqrt(p * (1 - p) / length(t)) else 0,
    p_smallest = if (is.null(w)) 1 / (1 + length(t)) else share_above(max(t, na.rm = TRUE), t, w)))
})
