# Events and rows of both arms, and the fields that every estimator of two proportions reports.
two_by_two <- function(d) {
  d <- d[!is.na(d$y), ]
  x <- c(sum(d$y[d$treated == 1]), sum(d$y[d$treated == 0]))
  n <- unname(both(d))
  list(x = x, n = n, counted = c(both(d), events_treated = x[1], events_control = x[2], risk_treated = x[1] / n[1], risk_control = x[2] / n[2]))
}
# The root of a falling function between two ends, or the end beyond which it lies.
root_of <- function(f, low, high) if (f(low) <= 0) low else if (f(high) >= 0) high else uniroot(f, c(low, high), tol = 1e-17, maxiter = 10000)$root
# A difference of proportions. Score limits (Miettinen and Nurminen; Mee): the likelihood under a fixed difference is maximized and
# the limits are found by root finding. Newcombe: squares of Wilson's limits are added, and the statistic is the deviate at
# which a limit is 0. Agresti and Caffo: Wald after one success and one failure more in each arm.
risk_difference <- function(d, o) {
  t <- two_by_two(d)
  x <- t$x
  n <- t$n
  z <- qnorm(1 - (1 - o$level) / 2)
  e <- x[1] / n[1] - x[2] / n[2]
  unpooled <- function(x, n) sqrt(sum(x / n * (1 - x / n) / n))
  if (o$interval %in% c("wald", "agresti-caffo")) {
    more <- if (o$interval == "wald") 0 else 1
    s <- unpooled(x + more, n + 2 * more)
    row <- row_of(sum(c(1, -1) * (x + more) / (n + 2 * more)), s, NA, o)
    row[["estimate"]] <- e
    row[["conf_low"]] <- max(row[["conf_low"]], -1)
    row[["conf_high"]] <- min(row[["conf_high"]], 1)
    return(list(c(row, t$counted)))
  }
  if (o$interval == "newcombe") {
    wilson <- function(z, sign) (x + z^2 / 2 + sign * z * sqrt(x * (n - x) / n + z^2 / 4)) / (n + z^2)
    added <- function(z, sign) {
      a <- x / n - wilson(z, c(sign, -sign))
      max(-1, min(1, e + sign * sqrt(sum(a^2))))
    }
    u <- if (e == 0) 0 else sign(e) * uniroot(function(z) added(z, -sign(e)) * sign(e), c(0, 1e4), tol = 1e-13)$root
    return(list(c(estimate = e, std_error = unpooled(x, n), statistic = u, p_value = 2 * pnorm(-abs(u)), conf_low = added(z, -1), conf_high = added(z, 1), t$counted)))
  }
  inflation <- if (o$interval == "mee") 1 else sum(n) / (sum(n) - 1)
  statistic <- function(delta) {
    low <- max(0, -delta)
    high <- min(1, 1 - delta)
    slope <- function(p) (x[1] - n[1] * (p + delta)) * p * (1 - p) + (x[2] - n[2] * p) * (p + delta) * (1 - p - delta)
    tiny <- 1e-13 * (high - low)
    p <- if (slope(low + tiny) <= 0) low else if (slope(high - tiny) >= 0) high else uniroot(slope, c(low + tiny, high - tiny), tol = 1e-16)$root
    q <- p + delta
    v <- inflation * (q * (1 - q) / n[1] + p * (1 - p) / n[2])
    if (abs(e - delta) < 1e-15) 0 else (e - delta) / sqrt(v)
  }
  limit <- function(from, to, at) uniroot(function(delta) statistic(delta) - at, c(from, to), tol = 1e-14)$root
  u <- statistic(0)
  list(c(estimate = e, std_error = unpooled(x, n), statistic = u, p_value = 2 * pnorm(-abs(u)), conf_low = if (e <= -1) -1 else limit(-1 + 1e-12, e, z),
    conf_high = if (e >= 1) 1 else limit(e, 1 - 1e-12, -z), t$counted))
}
# A ratio of proportions or of odds: the score test of Miettinen and Nurminen with the likelihood maximized under the ratio, and
# Wald on the logarithm.
proportion_ratio <- function(odds) function(d, o) {
  t <- two_by_two(d)
  x <- t$x
  n <- t$n
  y <- n - x
  z <- qnorm(1 - (1 - o$level) / 2)
  top <- if (odds) x[1] * y[2] else x[1] * n[2]
  bottom <- if (odds) x[2] * y[1] else x[2] * n[1]
  e <- if (bottom > 0) top / bottom else NA
  cells <- if (odds) c(x, y) else x
  s <- if (all(cells > 0)) sqrt(if (odds) sum(1 / cells) else sum(1 / x - 1 / n)) else NA
  if (o$interval == "log-wald") {
    row <- row_of(log(e), s, NA, o, TRUE)
    row[["estimate"]] <- e
    return(list(c(row, t$counted)))
  }
  k <- sum(n) / (sum(n) - 1)
  statistic <- function(u) {
    theta <- exp(u)
    if (odds) {
      own <- function(p) c(theta * p / (1 - p + theta * p), p)
      l <- root_of(function(l) sum(x) - sum(n * own(plogis(l))), -700, 700)
      p <- own(plogis(l))
      q <- c(plogis(-l) / (plogis(-l) + theta * plogis(l)), plogis(-l))
      # All cells deviate by the same amount; the one with the least expected has it with the most digits.
      expected <- c(n * p, n * q)
      least <- which.min(expected)
      top <- (c(1, -1, -1, 1) * (c(x, y) - expected))[least]
      v <- 1 / sum(1 / (n * p * q))
    } else {
      # The larger of both proportions on the logit, so that neither it nor what it lacks to 1 is lost.
      parts <- function(l) {
        f <- plogis(l)
        g <- plogis(-l)
        if (theta >= 1) list(p = c(f, f / theta), q = c(g, 1 - f / theta)) else list(p = c(theta * f, f), q = c(1 - theta * f, g))
      }
      l <- root_of(function(l) { a <- parts(l); sum(x) * prod(a$q) - y[1] * a$p[1] * a$q[2] - y[2] * a$p[2] * a$q[1] }, -700, 700)
      a <- parts(l)
      top <- x[1] / n[1] - theta * x[2] / n[2]
      v <- a$p[1] * a$q[1] / n[1] + theta^2 * a$p[2] * a$q[2] / n[2]
    }
    if (top == 0) 0 else top / sqrt(v * k)
  }
  pooled <- sum(x) / sum(n)
  u <- if (x[1] * n[2] == x[2] * n[1]) 0 else (x[1] / n[1] - x[2] / n[2]) / sqrt(pooled * (1 - pooled) * sum(1 / n) * k)
  centre <- if (top > 0 && bottom > 0) log(e) else 0
  limit <- function(at, sign) {
    far <- sign
    while ((statistic(centre + far) - at) * sign > 0) far <- 2 * far
    exp(uniroot(function(u) statistic(u) - at, sort(c(centre, centre + far)), tol = 1e-13)$root)
  }
  # Without an event on one side of the ratio an end is 0 or open; the other is searched from wherever it lies.
  wide <- function(at) exp(uniroot(function(u) statistic(u) - at, c(-40, 40), tol = 1e-13)$root)
  list(c(estimate = e, std_error = s, statistic = u, p_value = 2 * pnorm(-abs(u)), conf_low = if (top == 0) 0 else if (bottom > 0) limit(z, -1) else wide(z),
    conf_high = if (bottom == 0) NA else if (top > 0) limit(-z, 1) else wide(-z), t$counted))
}
risk_ratio <- proportion_ratio(FALSE)
odds_ratio <- proportion_ratio(TRUE)
# The table given both margins: conditional maximum likelihood, tails of alpha/2, twice the smaller tail, and R's own p.
fisher_exact <- function(d, o) {
  t <- two_by_two(d)
  x <- t$x[1]
  m <- sum(t$x)
  all <- max(0, m - t$n[2]):min(m, t$n[1])
  base <- dhyper(all, t$n[1], t$n[2], m, log = TRUE)
  chance <- function(u) {
    w <- base + all * u
    w <- exp(w - max(w))
    w / sum(w)
  }
  mean_of <- function(u) sum(all * chance(u))
  solve_for <- function(f) {
    far <- 1
    while (f(-far) * f(far) > 0) far <- 2 * far
    uniroot(f, c(-far, far), tol = 1e-13)$root
  }
  inside <- x > min(all) && x < max(all)
  u <- if (inside) solve_for(function(u) mean_of(u) - x) else NA
  half <- (1 - o$level) / 2
  low <- if (x == min(all)) 0 else exp(solve_for(function(u) log(sum(chance(u)[all >= x])) - log(half)))
  high <- if (x == max(all)) NA else exp(solve_for(function(u) log(half) - log(sum(chance(u)[all <= x]))))
  central <- min(1, 2 * min(phyper(x, t$n[1], t$n[2], m), phyper(x - 1, t$n[1], t$n[2], m, lower.tail = FALSE)))
  minlike <- fisher.test(rbind(t$x, t$n - t$x))$p.value
  list(c(estimate = if (inside) exp(u) else if (x == min(all) && length(all) > 1) 0 else NA, std_error = if (inside) 1 / sqrt(sum((all - mean_of(u))^2 * chance(u))) else NA,
    p_value = if (o$p_value == "central") central else minlike, conf_low = low, conf_high = high, t$counted, p_central = central, p_minlike = minlike))
}
# A common effect over strata with the weights of Mantel and Haenszel (variances: Sato; Greenland and Robins; Robins, Breslow and
# Greenland), and the test of Cochran, Mantel and Haenszel.
mantel_haenszel <- function(d, o) {
  d <- d[!is.na(d$y), ]
  t <- table(d$treated, d$y, strata_of(d))
  cell <- function(arm, y) if (y %in% dimnames(t)[[2]]) as.numeric(t[arm, y, ]) else numeric(dim(t)[3])
  a <- cell("1", "1")
  b <- cell("1", "0")
  c <- cell("0", "1")
  e <- cell("0", "0")
  n1 <- a + b
  n0 <- c + e
  n <- n1 + n0
  m <- a + c
  if (o$measure == "risk-difference") {
    w <- n1 * n0 / n
    effect <- sum(w * (a / n1 - c / n0)) / sum(w)
    P <- (n1^2 * c - n0^2 * a + n1 * n0 * (n0 - n1) / 2) / n^2
    Q <- (a * (n0 - c) + c * (n1 - a)) / (2 * n)
    s <- sqrt(max(0, effect * sum(P) + sum(Q)) / sum(w)^2)
    row <- row_of(effect, s, NA, o)
  } else {
    R <- if (o$measure == "risk-ratio") a * n0 / n else a * e / n
    S <- if (o$measure == "risk-ratio") c * n1 / n else b * c / n
    v <- if (o$measure == "risk-ratio") sum((n1 * n0 * m - a * c * n) / n^2) / (sum(R) * sum(S)) else {
      P <- (a + e) / n
      sum(P * R) / (2 * sum(R)^2) + sum(P * S + (1 - P) * R) / (2 * sum(R) * sum(S)) + sum((1 - P) * S) / (2 * sum(S)^2)
    }
    row <- row_of(log(sum(R) / sum(S)), if (sum(R) > 0 && sum(S) > 0) sqrt(max(0, v)) else NA, NA, o, TRUE)
    row[["estimate"]] <- if (sum(S) > 0) sum(R) / sum(S) else NA
  }
  v <- sum(n1 * n0 * m * (n - m) / (n^2 * (n - 1)))
  u <- sum(a - n1 * m / n) / sqrt(v)
  test <- if (v > 0) c(statistic = u^2, df = 1, p_value = 2 * pnorm(-abs(u))) else c(statistic = NA, df = NA, p_value = NA)
  list(c(row, both(d), strata = length(n)), c(estimate = NA, std_error = NA, test, conf_low = NA, conf_high = NA, both(d)))
}
