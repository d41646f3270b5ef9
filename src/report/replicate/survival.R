tight <- coxph.control(eps = 1e-13, iter.max = 200, toler.chol = 1e-14, timefix = FALSE)
strata_of <- function(d) {
  own <- d[startsWith(names(d), "stratum.")]
  if (length(own)) interaction(own, drop = TRUE) else NULL
}
hazards <- function(d, o, grouped) {
  X <- cbind(z = d$treated, covariates(d))
  event <- as.numeric(d$event == 1)
  s <- strata_of(d)
  y <- if (is.null(d$entry)) Surv(d$time, event) else Surv(d$entry, d$time, event)
  ties <- if (is.null(o$ties)) "efron" else o$ties
  robust <- grouped || identical(o$variance, "robust")
  group <- if (grouped) d$family else seq_len(nrow(d))
  f <- if (is.null(s)) y ~ X else y ~ X + strata(s)
  fit <- if (robust) coxph(f, ties = ties, control = tight, cluster = group) else coxph(f, ties = ties, control = tight)
  list(c(row_of(unname(coef(fit)[1]), sqrt(vcov(fit)[1, 1]), NA, o, TRUE), both(d), log_estimate = unname(coef(fit)[1]),
    events_treated = sum(event * d$treated), events_control = sum(event * (1 - d$treated)),
    log_likelihood_null = fit$loglik[1], log_likelihood = tail(fit$loglik, 1), likelihood_ratio = 2 * (tail(fit$loglik, 1) - fit$loglik[1]), score = fit$score))
}
cox <- function(d, o) hazards(d, o, FALSE)
recurrent_rate_ratio <- function(d, o) hazards(d, o, TRUE)
log_rank <- function(d, o) {
  s <- strata_of(d)
  fit <- if (is.null(s)) survdiff(Surv(time, event) ~ treated, d) else survdiff(Surv(d$time, d$event) ~ d$treated + strata(s))
  total <- function(x) if (is.matrix(x)) rowSums(x) else x
  list(c(statistic = fit$chisq, df = 1, p_value = 2 * pnorm(-sqrt(fit$chisq)), both(d), observed_treated = total(fit$obs)[2], observed_control = total(fit$obs)[1],
    expected_treated = total(fit$exp)[2], expected_control = total(fit$exp)[1], excess_variance = fit$var[1, 1], strata = if (is.null(s)) 1 else nlevels(s)))
}
kaplan_meier <- function(d, o) {
  z <- qnorm(1 - (1 - o$level) / 2)
  one <- function(arm) {
    own <- d[d$treated == arm, ]
    fit <- survfit(Surv(time, event) ~ 1, own, conf.type = "log-log", conf.int = o$level, timefix = FALSE)
    at <- summary(fit, times = o$horizon, extend = TRUE)
    within <- own$time <= o$horizon
    c(estimate = at$surv, std_error = at$std.err, conf_low = at$lower, conf_high = at$upper, events = sum(own$event == 1 & within), at_risk = sum(own$time >= o$horizon), both(d))
  }
  a <- one(1)
  b <- one(0)
  list(c(row_of(unname(a["estimate"] - b["estimate"]), unname(sqrt(a["std_error"]^2 + b["std_error"]^2)), NA, o), both(d)), a, b)
}
