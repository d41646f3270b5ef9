hazards <- function(d, o, grouped) {
  tight <- coxph.control(eps = 1e-13, iter.max = 200, toler.chol = 1e-14, timefix = FALSE)
  X <- cbind(z = d$treated, covariates(d))
  event <- as.numeric(d$event == 1)
  s <- strata_of(d)
  y <- if (is.null(d$entry)) Surv(d$time, event) else Surv(d$entry, d$time, event)
  ties <- if (is.null(o$ties)) "efron" else o$ties
  robust <- grouped || identical(o$variance, "robust")
  group <- if (grouped) d$family else seq_len(nrow(d))
  f <- if (is.null(s)) y ~ X else y ~ X + strata(s)
  events <- c(events_treated = sum(event * d$treated), events_control = sum(event * (1 - d$treated)))
  if (!is.null(o$ratio)) return(list(c(endless(y, X, s, ties, o), both(d), events)))
  if (!grouped && (identical(o$variance, "firth") || identical(o$interval, "profile"))) return(list(c(profiled(y, X, s, ties, o), both(d), events)))
  fit <- if (robust) coxph(f, ties = ties, control = tight, cluster = group) else coxph(f, ties = ties, control = tight)
  b <- coef(fit)
  k <- !is.na(b)
  naive <- if (robust) fit$naive.var else fit$var
  units <- function(arm) length(unique(d$family[d$treated == arm]))
  list(c(row_of(unname(b[1]), sqrt(fit$var[1, 1]), NA, o, TRUE), both(d), log_estimate = unname(b[1]), events,
    if (grouped) c(units_treated = units(1), units_control = units(0)),
    log_likelihood_null = fit$loglik[1], log_likelihood = tail(fit$loglik, 1), likelihood_ratio = 2 * (tail(fit$loglik, 1) - fit$loglik[1]), score = fit$score,
    wald = sum(b[k] * solve(naive[k, k], b[k])), coefficients = sum(k), if (!grouped) changing(y, X[, k, drop = FALSE], s, ties, b[k])))
}
# Whether the ratio changes over time: the test of cox.zph along 1 - Kaplan-Meier, of the fit without its sandwich.
changing <- function(y, X, s, ties, b) {
  one <- coxph.control(iter.max = 0, timefix = FALSE)
  fit <- if (is.null(s)) coxph(y ~ X, ties = ties, init = b, control = one) else coxph(y ~ X + strata(s), ties = ties, init = b, control = one)
  found <- cox.zph(fit, transform = "km", terms = FALSE, global = FALSE)$table[1, c("chisq", "p")]
  c(proportional_hazards = unname(found[1]), proportional_hazards_p_value = unname(found[2]))
}
# A ratio whose likelihood rises without end: the score test of the arm's coefficient, the others where they are likeliest with it as
# an offset, and the value at which it meets the quantile.
endless <- function(y, X, s, ties, o) {
  one <- coxph.control(iter.max = 0, timefix = FALSE, toler.chol = 1e-14)
  tight <- coxph.control(eps = 1e-14, iter.max = 200, toler.chol = 1e-14, timefix = FALSE)
  W <- X[, -1, drop = FALSE]
  deviate <- function(b) {
    held <- b * X[, 1]
    g <- if (!ncol(W)) NULL else coef(if (is.null(s)) coxph(y ~ W + offset(held), ties = ties, control = tight) else coxph(y ~ W + offset(held) + strata(s), ties = ties, control = tight))
    at <- c(b, replace(g, is.na(g), 0))
    fit <- if (is.null(s)) coxph(y ~ X, ties = ties, init = at, control = one) else coxph(y ~ X + strata(s), ties = ties, init = at, control = one)
    sqrt(fit$score)
  }
  one_limit(deviate, o)
}
# The likelihood, with `firth` and half the logarithm of the determinant of its information, at coefficients that are searched for with
# differences; limits by its profile where they are asked for.
profiled <- function(y, X, strata_of_rows, ties, o) {
  penalized <- identical(o$variance, "firth")
  one <- coxph.control(iter.max = 0, timefix = FALSE, toler.chol = 1e-14)
  f <- if (is.null(strata_of_rows)) y ~ X else y ~ X + strata(strata_of_rows)
  first <- suppressWarnings(coxph(f, ties = ties, control = one))
  X <- X[, diag(as.matrix(first$var)) > 0, drop = FALSE]
  scale <- unname(apply(X, 2, sd))
  X <- sweep(X, 2, scale, "/")
  at <- function(b) coxph(f, ties = ties, init = b, control = one)
  value <- function(b) {
    fit <- at(b)
    tail(fit$loglik, 1) - if (penalized) determinant(as.matrix(fit$var))$modulus[1] / 2 else 0
  }
  top <- function(free, b) {
    on <- function(p) value(replace(b, free, p))
    if (!length(free)) return(list(b = b, value = value(b)))
    b[free] <- optim(b[free], function(p) -on(p), method = "BFGS", control = list(reltol = 1e-14, maxit = 1000))$par
    slope <- function(p) vapply(seq_along(p), function(j) {
      e <- replace(numeric(length(p)), j, 1e-3)
      (8 * (on(p + e) - on(p - e)) - (on(p + 2 * e) - on(p - 2 * e))) / 12e-3
    }, 0)
    for (i in 1:4) {
      p <- b[free]
      H <- vapply(seq_along(p), function(j) { e <- replace(numeric(length(p)), j, 1e-3); (slope(p + e) - slope(p - e)) / 2e-3 }, p)
      b[free] <- p - solve(as.matrix(H), slope(p))
    }
    list(b = b, value = value(b))
  }
  k <- ncol(X)
  best <- top(seq_len(k), numeric(k))
  I <- solve(as.matrix(at(best$b)$var))
  s <- sqrt(solve(I)[1, 1])
  row <- row_of(best$b[1] / scale[1], s / scale[1], NA, o, TRUE)
  if (identical(o$interval, "profile")) {
    q <- qnorm(1 - (1 - o$level) / 2)
    near <- best$b
    fall <- function(b) {
      held <- top(seq_len(k)[-1], replace(near, 1, b))
      near <<- held$b
      2 * (best$value - held$value)
    }
    root <- sign(best$b[1]) * sqrt(max(0, fall(0)))
    limit <- function(sign) {
      near <<- best$b
      far <- best$b[1] + sign * q * s
      while (fall(far) < q^2) { far <- far + sign * q * s / 2; if (abs(far / scale[1]) > 30) return(NA) }
      uniroot(function(b) fall(b) - q^2, sort(c(best$b[1], far)), tol = 1e-10)$root
    }
    row[c("statistic", "p_value", "conf_low", "conf_high")] <- c(root, 2 * pnorm(-abs(root)), exp(limit(-1) / scale[1]), exp(limit(1) / scale[1]))
  }
  # In the columns' own units.
  own <- if (penalized) sum(log(scale)) else 0
  c(row, log_estimate = unname(best$b[1] / scale[1]), log_likelihood_null = value(numeric(k)) + own, log_likelihood = best$value + own,
    likelihood_ratio = 2 * (best$value - value(numeric(k))), if (!penalized) c(score = at(numeric(k))$score), wald = sum(best$b * (I %*% best$b)), coefficients = k)
}
cox <- function(d, o) hazards(d, o, FALSE)
recurrent_rate_ratio <- function(d, o) hazards(d, o, TRUE)
log_rank <- function(d, o) {
  s <- strata_of(d)
  event <- as.numeric(d$event == 1)
  fit <- if (is.null(s)) survdiff(Surv(d$time, event) ~ d$treated) else survdiff(Surv(d$time, event) ~ d$treated + strata(s))
  total <- function(x) if (is.matrix(x)) rowSums(x) else x
  u <- if (fit$var[1, 1] > 0) fit$chisq else NA
  list(c(estimate = NA, std_error = NA, statistic = u, df = 1 + 0 * u, p_value = 2 * pnorm(-sqrt(u)), conf_low = NA, conf_high = NA, both(d),
    observed_treated = total(fit$obs)[2], observed_control = total(fit$obs)[1], expected_treated = total(fit$exp)[2], expected_control = total(fit$exp)[1],
    excess_variance = fit$var[1, 1], strata = if (is.null(s)) 1 else nlevels(s)))
}
curve_of <- function(d, arm, o) survfit(Surv(time, event == 1) ~ 1, d[d$treated == arm, ], conf.type = "log-log", conf.int = o$level, timefix = FALSE)
until <- function(d, arm, o) {
  own <- d[d$treated == arm, ]
  c(horizon = o$horizon, events = sum(own$event == 1 & own$time <= o$horizon), at_risk = sum(own$time >= o$horizon))
}
apart <- function(a, b, d, o) c(row_of(unname(a["estimate"] - b["estimate"]), unname(sqrt(a["std_error"]^2 + b["std_error"]^2)), NA, o), both(d), horizon = o$horizon)
kaplan_meier <- function(d, o) {
  one <- function(arm) {
    fit <- curve_of(d, arm, o)
    at <- summary(fit, times = o$horizon, extend = TRUE)
    # The first time at which a curve is at one half or below, the middle of a stretch on which it is level there. quantile(fit)
    # sorts a lower limit that rises for a while, and may miss where it was first below.
    median_of <- function(curve) {
      k <- fit$n.event > 0
      first <- which(curve[k] <= 0.5 + 1e-9)[1]
      time <- c(fit$time[k], max(fit$time))
      if (is.na(first)) NA else if (curve[k][first] >= 0.5 - 1e-9) mean(time[first + 0:1]) else time[first]
    }
    # At 0 and 1 R has no standard error or limits; its limit is 0, and there are no limits.
    edge <- at$surv %in% 0:1
    c(estimate = at$surv, std_error = if (edge) 0 else at$std.err, statistic = NA, df = NA, p_value = NA, conf_low = if (edge) NA else at$lower, conf_high = if (edge) NA else at$upper,
      until(d, arm, o), both(d), median = median_of(fit$surv), median_low = median_of(fit$lower), median_high = median_of(fit$upper))
  }
  a <- one(1)
  b <- one(0)
  list(apart(a, b, d, o), a, b)
}
rmst <- function(d, o) {
  z <- qnorm(1 - (1 - o$level) / 2)
  one <- function(arm) {
    # Before its first time the curve is 1.
    at <- if (o$horizon < min(d$time[d$treated == arm])) c(o$horizon, 0) else summary(curve_of(d, arm, o), rmean = o$horizon)$table[c("rmean", "se(rmean)")]
    s <- unname(at[2])
    limits <- if (s > 0) unname(at[1]) + c(-z, z) * s else c(NA, NA)
    c(estimate = unname(at[1]), std_error = s, statistic = NA, df = NA, p_value = NA, conf_low = limits[1], conf_high = limits[2], until(d, arm, o), both(d))
  }
  a <- one(1)
  b <- one(0)
  first <- if (o$measure == "difference") apart(a, b, d, o) else {
    relative <- function(x) unname(x["std_error"] / x["estimate"])
    c(row_of(unname(log(a["estimate"] / b["estimate"])), sqrt(relative(a)^2 + relative(b)^2), NA, o, TRUE), both(d), horizon = o$horizon)
  }
  list(first, a, b)
}
