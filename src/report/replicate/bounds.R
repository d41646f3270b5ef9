# Worst-case bounds (Manski), with the limits of Imbens and Manski.
bound_rows <- function(l, u, sl, su, d, o, extra) {
  limits <- c(NA, NA)
  if (max(sl, su) > 0) {
    k <- uniroot(function(k) pnorm(k + (u - l) / max(sl, su)) - pnorm(-k) - o$level, c(0, 10), tol = 1e-14)$root
    limits <- c(l - k * sl, u + k * su)
  }
  row <- function(e, s) c(estimate = e, std_error = s, conf_low = limits[1], conf_high = limits[2], both(d), extra)
  list(row(l, sl), row(u, su))
}
manski_bounds <- function(d, o) {
  range <- if (is.null(o$range)) c(0, 1) else o$range
  filled <- function(arm, value) {
    y <- d$y[d$treated == arm]
    y[is.na(y)] <- value
    c(mean(y), var(y) / length(y))
  }
  bound <- function(one, other) {
    a <- filled(1, one)
    b <- filled(0, other)
    c(a[1] - b[1], sqrt(a[2] + b[2]))
  }
  l <- bound(range[1], range[2])
  u <- bound(range[2], range[1])
  known <- !is.na(d$y)
  bound_rows(l[1], u[1], l[2], u[2], d, o, c(range_low = range[1], range_high = range[2],
    known_treated = sum(known & d$treated == 1), known_control = sum(known & d$treated == 0)))
}
