# A difference of proportions with score limits (Miettinen and Nurminen): the likelihood under a fixed difference is maximized
# and the limits are found by root finding.
risk_difference <- function(d, o) {
  d <- d[!is.na(d$y), ]
  x <- c(sum(d$y[d$treated == 1]), sum(d$y[d$treated == 0]))
  n <- both(d)
  z <- qnorm(1 - (1 - o$level) / 2)
  e <- x[1] / n[[1]] - x[2] / n[[2]]
  s <- sqrt(sum(x / n * (1 - x / n) / n))
  counted <- c(n, events_treated = x[1], events_control = x[2], risk_treated = x[1] / n[[1]], risk_control = x[2] / n[[2]])
  if (o$interval == "wald") return(list(c(row_of(e, s, NA, o), counted)))
  inflation <- if (o$interval == "mee") 1 else sum(n) / (sum(n) - 1)
  statistic <- function(delta) {
    low <- max(0, -delta)
    high <- min(1, 1 - delta)
    slope <- function(p) (x[1] - n[[1]] * (p + delta)) * p * (1 - p) + (x[2] - n[[2]] * p) * (p + delta) * (1 - p - delta)
    tiny <- 1e-13 * (high - low)
    p <- if (slope(low + tiny) <= 0) low else if (slope(high - tiny) >= 0) high else uniroot(slope, c(low + tiny, high - tiny), tol = 1e-16)$root
    q <- p + delta
    v <- inflation * (q * (1 - q) / n[[1]] + p * (1 - p) / n[[2]])
    if (abs(e - delta) < 1e-15) 0 else (e - delta) / sqrt(v)
  }
  limit <- function(from, to, at) uniroot(function(delta) statistic(delta) - at, c(from, to), tol = 1e-14)$root
  t <- statistic(0)
  list(c(estimate = e, std_error = s, statistic = t, p_value = 2 * pnorm(-abs(t)), conf_low = if (e <= -1) -1 else limit(-1 + 1e-12, e, z),
    conf_high = if (e >= 1) 1 else limit(e, 1 - 1e-12, -z), counted))
}
