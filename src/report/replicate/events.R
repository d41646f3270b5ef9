# The mean number of events until the horizon (Ghosh and Lin; without terminal events Nelson and Aalen). Its variance is the sum
# over families of the squared derivative to the weight of the family, here by a complex step.
mean_count <- function(own, ids, horizon, w) {
  v <- w[match(own$family, ids)]
  s <- 1
  m <- 0
  for (u in sort(unique(own$time[own$event > 0 & own$time <= horizon]))) {
    y <- sum(v[own$entry < u & own$time >= u])
    m <- m + s * sum(v[own$time == u & own$event == 1]) / y
    s <- s * (1 - sum(v[own$time == u & own$event == 2]) / y)
  }
  list(mean = m, survival = s)
}
mean_cumulative_count <- function(d, o) {
  z <- qnorm(1 - (1 - o$level) / 2)
  counts <- c(both(d), horizon = o$horizon, units_treated = length(unique(d$family[d$treated == 1])), units_control = length(unique(d$family[d$treated == 0])))
  one <- function(arm) {
    own <- d[d$treated == arm, ]
    ids <- unique(own$family)
    n <- length(ids)
    at <- mean_count(own, ids, o$horizon, rep(1, n))
    g <- sapply(seq_len(n), function(i) Im(mean_count(own, ids, o$horizon, replace(rep(1 + 0i, n), i, 1 + 1e-30i))$mean) * 1e30)
    s <- sqrt(sum(g^2))
    within <- own$time <= o$horizon
    inside <- at$mean > 0 && s > 1e-12
    c(estimate = at$mean, std_error = s, conf_low = if (inside) at$mean * exp(-z * s / at$mean) else NA, conf_high = if (inside) at$mean * exp(z * s / at$mean) else NA,
      survival = at$survival, events = sum(own$event == 1 & within), terminal = sum(own$event == 2 & within), at_risk = sum(own$entry < o$horizon & own$time >= o$horizon), counts)
  }
  a <- one(1)
  b <- one(0)
  list(c(row_of(unname(a["estimate"] - b["estimate"]), unname(sqrt(a["std_error"]^2 + b["std_error"]^2)), NA, o), counts), a, b)
}
