# Gray's score of the treated arm and its variance in one stratum, by the formulas of section 2 of the paper.
gray_score <- function(own) {
  times <- sort(unique(own$time[own$event > 0]))
  count <- function(which) c(sum(which & own$treated == 1), sum(which & own$treated == 0))
  S <- c(1, 1)
  I <- c(0, 0)
  pooled <- 0
  score <- 0
  rows <- list()
  for (u in times) {
    Y <- count(own$time >= u)
    e <- count(own$event == 1 & own$time == u)
    other <- count(own$event > 1 & own$time == u)
    some <- Y > 0
    h <- ifelse(some, Y / S, 0)
    R <- h * (1 - I)
    if (sum(e) > 0) score <- score + e[1] - sum(e) * R[1] / sum(R)
    before <- S
    I[some] <- (I + before * e / Y)[some]
    S[some] <- (S * (Y - e - other) / Y)[some]
    rows[[length(rows) + 1]] <- list(Y = Y, other = other, d = sum(e), h = h, before = before, after = S, low = pooled, high = pooled + sum(e) / sum(h))
    pooled <- pooled + sum(e) / sum(h)
  }
  variance <- 0
  ties <- function(k, n) if (k > 1) 1 - (k - 1) / (n - 1) else 1
  for (r in 1:2) {
    later <- 0
    for (at in rev(rows)) if (at$h[r] > 0) {
      D <- at$h[r] * ((r == 1) - at$h[1] / sum(at$h))
      q <- if (at$after[r] > 1e-12) (1 - at$high) / at$after[r] else 0
      rise <- at$d / sum(at$h)
      variance <- variance + (D + (1 - q) * later)^2 * rise * ties(at$d, sum(at$h) * at$before[r]) / at$h[r] +
        (q * later)^2 * at$other[r] * ties(at$other[r], at$Y[r]) / at$h[r]^2
      if (at$low < 1 - 1e-12) later <- later + D * rise / (1 - at$low)
    }
  }
  c(score, variance)
}
# Cumulative incidence by survfit, with the infinitesimal jackknife; Gray's test by cmprsk, or by the formula where that stops at a
# stratum.
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
  own <- rowSums(sapply(unique(group), function(g) gray_score(d[group == g, ])))
  exists <- own[2] > 1e-12
  tested <- tryCatch(unname(cmprsk::cuminc(d$time, d$event, d$treated, strata = group)$Tests["1", c("stat", "pv")]), error = function(e) NA)
  if (!exists) tested <- c(NA, NA) else if (anyNA(tested)) tested <- c(own[1]^2 / own[2], 2 * pnorm(-abs(own[1]) / sqrt(own[2])))
  list(apart(a, b, d, o), a, b, c(estimate = NA, std_error = NA, statistic = tested[1], df = if (exists) 1 else NA, p_value = tested[2], conf_low = NA, conf_high = NA, both(d),
    excess = own[1], excess_variance = if (exists) own[2] else 0, strata = length(unique(group))))
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
