# Golden values of `cox`: run `Rscript generate.R` in this folder; it writes data.csv and results.csv. Needs survival.
# The data are made up, case by case. Missing covariates by the rule of the project: the mean of the analysed rows stands
# in, with an indicator above a tenth; a missing level is a level of its own, the last.
library(survival)
set.seed(20250302)
rows <- NULL
add <- function(case, n, entry, time, event, arm, age, score) {
  rows <<- rbind(rows, data.frame(case, arm = ifelse(arm == 1, "iuh", "standard"), entry, time, event, site = sample(c("north", "south", "east"), n, TRUE),
    family = sample(sprintf("f%02d", 1:(n %/% 3)), n, TRUE), age, score, category = sample(c("a", "b", "c"), n, TRUE, c(.5, .3, .2))))
}
draw <- function(n) as.integer(seq_len(n) %in% sample(n, n %/% 2))
base <- function(n) list(arm = draw(n), age = sample(0:17, n, TRUE), score = round(rnorm(n, 50, 10), 1))
# Whole days, many ties, missing values everywhere.
n <- 160; b <- base(n); t <- ceiling(rexp(n, exp(-.5 * b$arm + .05 * b$age) / 60)); c <- sample(25:70, n, TRUE)
e <- as.integer(t <= c); t <- pmin(t, c); t[5] <- NA; e[17] <- NA; b$age[c(8, 30)] <- NA; b$score[sample(n, 30)] <- NA
add("ties", n, 0, t, e, b$arm, b$age, b$score); rows$category[c(3, 44, 90)] <- NA
# Late entry.
n <- 140; b <- base(n); s <- ifelse(seq_len(n) %% 3 == 0, 0, sample(0:40, n, TRUE)); t <- s + ceiling(rexp(n, exp(.4 * b$arm - .03 * (b$score - 50)) / 40)); c <- s + sample(10:80, n, TRUE)
add("late", n, s, pmin(t, c), as.integer(t <= c), b$arm, b$age, b$score)
# No ties at all, no end of follow-up.
n <- 60; b <- base(n); t <- sample(1:1000, n) / 4; add("untied", n, 0, t, 1, b$arm, b$age, b$score)
# Few rows, all times tied but two.
n <- 14; b <- base(n); b$arm <- rep(0:1, 7); add("few", n, 0, c(rep(3, 12), 2, 5), c(rep(c(1, 1, 0, 0), 3), 1, 1), b$arm, b$age, b$score)
# A covariate that runs with time on a large scale, and one stratum without events.
n <- 120; b <- base(n); t <- ceiling(rexp(n, exp(-.7 * b$arm) / 30)); add("trend", n, 0, t, as.integer(t < 60), b$arm, 1e6 + 1e3 * t + round(rnorm(n, 0, 8e3)), b$score)
k <- rows$case == "trend" & rows$site == "east"; rows$event[k] <- 0
# A strong effect.
n <- 80; b <- base(n); t <- ceiling(rexp(n, exp(-3 * b$arm) / 10)); c <- 60; add("strong", n, 0, pmin(t, c), as.integer(t <= c), b$arm, b$age, b$score)
write.csv(rows, "data.csv", row.names = FALSE, quote = FALSE)

models <- list(none = character(0), age = "age", all = c("age", "score", "category"))
tight <- coxph.control(eps = 1e-13, iter.max = 200, toler.chol = 1e-14, timefix = FALSE)
out <- NULL
for (case in unique(rows$case)) {
  d <- rows[rows$case == case & !is.na(rows$time) & !is.na(rows$event), ]
  d$z <- as.integer(d$arm == "iuh"); d$category[is.na(d$category)] <- "~missing"
  for (x in c("age", "score")) {
    miss <- is.na(d[[x]]); d[[paste0(x, "_missing")]] <- as.integer(miss & mean(miss) > .1)
    d[[x]][miss] <- mean(d[[x]], na.rm = TRUE)
  }
  for (model in names(models)) for (strata in c(FALSE, TRUE)) for (ties in c("efron", "breslow")) for (variance in c("model", "robust", "cluster")) {
    if (case == "few" && (strata || model != "none")) next
    x <- models[[model]]; x <- c(x, if (any(paste0(x, "_missing") %in% names(d) & sapply(paste0(x, "_missing"), function(m) any(d[[m]] == 1)))) "score_missing")
    f <- paste("Surv(entry, time, event) ~", paste(c("z", x, if (strata) "strata(site)"), collapse = " + "))
    if (case != "late") f <- sub("entry, ", "", f)
    d$row <- seq_len(nrow(d))
    fit <- switch(variance, model = coxph(as.formula(f), d, ties = ties, control = tight),
      robust = coxph(as.formula(f), d, ties = ties, control = tight, cluster = row), cluster = coxph(as.formula(f), d, ties = ties, control = tight, cluster = family))
    beta <- coef(fit); naive <- if (variance == "model") fit$var else fit$naive.var
    s <- sqrt(vcov(fit)["z", "z"]); q <- qnorm(.975)
    out <- rbind(out, data.frame(case, model, strata, ties, variance, n_treated = sum(d$z), n_control = sum(1 - d$z), estimate = exp(beta["z"]), log_estimate = beta["z"], std_error = s,
      p_value = 2 * pnorm(-abs(beta["z"] / s)), conf_low = exp(beta["z"] - q * s), conf_high = exp(beta["z"] + q * s), log_likelihood_null = fit$loglik[1], log_likelihood = fit$loglik[length(fit$loglik)],
      score = fit$score, wald = drop(beta %*% solve(naive, beta)), coefficients = length(beta), events_treated = sum(d$event * d$z), events_control = sum(d$event * (1 - d$z)),
      units_treated = length(unique(d$family[d$z == 1])), units_control = length(unique(d$family[d$z == 0]))))
  }
}
for (k in which(sapply(out, is.numeric))) out[[k]] <- sprintf("%.15g", out[[k]])
write.csv(out, "results.csv", row.names = FALSE, quote = FALSE)
writeLines(c(R.version.string, paste("survival", packageVersion("survival"))), "session.txt")
