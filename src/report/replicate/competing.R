# Cumulative incidence by survfit, with the infinitesimal jackknife; Gray's test by cmprsk, and its score by the formula of the
# paper, whose square over the statistic is the variance.
cumulative_incidence <- function(d, o) {
  z <- qnorm(1 - (1 - o$level) / 2)
  kind <- factor(d$event, 0:max(2, d$event))
  one <- function(arm) {
    own <- d$treated == arm
    at <- summary(survfit(Surv(d$time[own], kind[own]) ~ 1, timefix = FALSE), times = o$horizon, extend = TRUE)
    f <- at$pstate[1, match("1", at$states)]
    s <- at$std.err[1, match("1", at$states)]
    if (!isTRUE(s > 1e-12)) s <- 0
    edge <- function(sign) if (s > 0) 1 - (1 - f)^exp(sign * z * s / ((1 - f) * -log1p(-f))) else NA
    c(estimate = f, std_error = s, statistic = NA, df = NA, p_value = NA, conf_low = edge(-1), conf_high = edge(1), until(d, arm, o),
      competing = sum(own & d$event > 1 & d$time <= o$horizon), both(d))
  }
  a <- one(1)
  b <- one(0)
  s <- strata_of(d)
  group <- if (is.null(s)) rep(1, nrow(d)) else as.integer(s)
  score <- 0
  for (g in unique(group)) {
    own <- d[group == g, ]
    survival <- c(1, 1)
    incidence <- c(0, 0)
    for (u in sort(unique(own$time[own$event > 0]))) {
      at <- own$time >= u
      Y <- c(sum(at & own$treated == 1), sum(at & own$treated == 0))
      count <- function(which) c(sum(which & own$time == u & own$treated == 1), sum(which & own$time == u & own$treated == 0))
      e <- count(own$event == 1)
      any <- count(own$event > 0)
      R <- ifelse(Y > 0, Y * (1 - incidence) / survival, 0)
      score <- score + e[1] - sum(e) * R[1] / sum(R)
      some <- Y > 0
      incidence[some] <- incidence[some] + survival[some] * e[some] / Y[some]
      survival[some] <- survival[some] * (1 - any[some] / Y[some])
    }
  }
  # A statistic of -1 says that there is no variance, as where there is no event.
  gray <- if (any(d$event == 1)) cmprsk::cuminc(d$time, d$event, d$treated, strata = group)$Tests["1", ] else c(stat = -1)
  gray <- if (gray["stat"] < 0) c(NA, NA) else unname(gray[c("stat", "pv")])
  none <- is.na(gray[1])
  list(apart(a, b, d, o), a, b, c(estimate = NA, std_error = NA, statistic = gray[1], df = if (none) NA else 1, p_value = gray[2], conf_low = NA, conf_high = NA, both(d),
    excess = score, excess_variance = if (none) 0 else score^2 / gray[1], strata = length(unique(group))))
}
# The subdistribution hazard ratio by cmprsk, restarted from its own answer; without a step from 0 it has the score test.
fine_gray <- function(d, o) {
  X <- cbind(z = d$treated, scale(covariates(d)))
  X <- X[, colSums(is.na(X)) == 0, drop = FALSE]
  own <- qr(cbind(1, X))
  X <- X[, setdiff(sort(own$pivot[seq_len(own$rank)]), 1) - 1, drop = FALSE]
  fit <- cmprsk::crr(d$time, d$event, X, gtol = 1e-9, maxiter = 50)
  fit <- cmprsk::crr(d$time, d$event, X, gtol = 1e-12, maxiter = 50, init = fit$coef)
  none <- cmprsk::crr(d$time, d$event, X, maxiter = 0)
  b <- fit$coef
  event <- d$event == 1
  list(c(row_of(unname(b[1]), sqrt(fit$var[1, 1]), NA, o, TRUE), both(d), log_estimate = unname(b[1]),
    events_treated = sum(event & d$treated == 1), events_control = sum(event & d$treated == 0), log_likelihood_null = fit$loglik.null, log_likelihood = fit$loglik,
    likelihood_ratio = 2 * (fit$loglik - fit$loglik.null), score = sum(none$score * drop(none$invinf %*% none$score)), wald = sum(b * solve(fit$invinf, b)), coefficients = length(b)))
}
