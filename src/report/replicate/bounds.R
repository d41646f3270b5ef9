# Worst-case bounds (Manski) and trimmed bounds (Lee), with the limits of Imbens and Manski.
bound_rows <- function(l, u, sl, su, d, o, extra) {
  limits <- c(NA, NA)
  if (isTRUE(max(sl, su) > 0)) {
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
lee_bounds <- function(d, o) {
  known <- !is.na(d$y)
  share <- function(arm) mean(known[d$treated == arm])
  y <- function(arm) sort(d$y[known & d$treated == arm])
  large <- if (share(1) >= share(0)) 1 else 0
  own <- y(large)
  other <- y(1 - large)
  extra <- c(trimmed_share = 0, known_share_treated = share(1), known_share_control = share(0), complete_case = mean(y(1)) - mean(y(0)))
  own_counts <- function(row) replace(row, c("n_treated", "n_control"), c(length(y(1)), length(y(0))))
  if (share(1) == share(0)) {
    # Nothing is trimmed; a hair more would trim the farthest outcome of either arm.
    far <- max(abs(c(range(y(1)) - mean(y(1)), range(y(0)) - mean(y(0)))))
    s <- sqrt(var(y(1)) / length(y(1)) + var(y(0)) / length(y(0)) + far^2 * ((1 - share(1)) / length(y(1)) + (1 - share(0)) / length(y(0))))
    e <- mean(y(1)) - mean(y(0))
    return(lapply(bound_rows(e, e, s, s, d, o, extra), own_counts))
  }
  kept <- length(own) * share(1 - large) / share(large)
  q <- 1 - kept / length(own)
  both_shares <- (1 - share(large)) / length(own) + (1 - share(1 - large)) / length(other)
  # Without the largest: weights 1 up to the trimming point, where the rest is a fraction.
  side <- function(own, other) {
    w <- pmax(0, pmin(1, kept - seq_along(own) + 1))
    m <- sum(w * own) / kept
    edge <- own[max(which(w > 1e-12))] - m
    # Up to one outcome has no variance.
    square <- if (kept > 1 + 1e-9) sum(w * (own - m)^2) / (kept - 1) else NA
    c(m - mean(other), sqrt(square / kept + edge^2 * (q / kept + both_shares) + var(other) / length(other)))
  }
  a <- side(own, other)
  b <- side(-rev(own), -other)
  rows <- list(a, c(-b[1], b[2]))
  if (large == 0) rows <- list(b, c(-a[1], a[2]))
  extra["trimmed_share"] <- q
  lapply(bound_rows(rows[[1]][1], rows[[2]][1], rows[[1]][2], rows[[2]][2], d, o, extra), own_counts)
}
