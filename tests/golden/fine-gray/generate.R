# Golden values of `fine-gray`: run `Rscript generate.R` in this folder; it writes data.csv and results.csv. Needs cmprsk. The data
# are made up, case by case. Missing covariates by the rule of the project, as in ../cox/generate.R.
library(cmprsk)
set.seed(20250313)
rows <- NULL
add <- function(case, arm, time, event, age, score) rows <<- rbind(rows, data.frame(case, arm = ifelse(arm == 1, "iuh", "standard"), time, event, age, score,
  category = sample(c("a", "b", "c"), length(arm), TRUE, c(.5, .3, .2))))
draw <- function(n) as.integer(seq_len(n) %in% sample(n, n %/% 2))
base <- function(n) list(arm = draw(n), age = sample(0:17, n, TRUE), score = round(rnorm(n, 50, 10), 1))
# Whole days with ties of all kinds, two competing kinds, missing values everywhere.
n <- 200; b <- base(n); t <- ceiling(rexp(n, exp(-.4 * b$arm + .04 * b$age) / 40)); c <- sample(15:60, n, TRUE)
e <- ifelse(t <= c, sample(1:3, n, TRUE, c(.6, .3, .1)), 0); t <- pmin(t, c); t[5] <- NA; e[17] <- NA; b$age[c(8, 30)] <- NA; b$score[sample(n, 40)] <- NA
add("ties", b$arm, t, e, b$age, b$score); rows$category[c(3, 44, 90)] <- NA
# No ties.
n <- 120; b <- base(n); add("untied", b$arm, sample(1:4000, n) / 8, sample(0:2, n, TRUE, c(.3, .4, .3)), b$age, b$score)
# No competing event: Cox with Breslow's ties and the robust variance.
n <- 80; b <- base(n); add("single", b$arm, sample(1:30, n, TRUE), sample(0:1, n, TRUE, c(.4, .6)), b$age, b$score)
# Nobody censored but the last.
n <- 90; b <- base(n); add("complete", b$arm, c(sample(1:40, n - 1, TRUE), 41), c(sample(1:2, n - 1, TRUE), 0), b$age, b$score)
# Few times, heavy ends of follow-up, few events.
n <- 100; b <- base(n); add("coarse", b$arm, sample(1:5, n, TRUE) * 1e6, sample(0:2, n, TRUE, c(.6, .2, .2)), b$age, b$score)
# A covariate on a large scale, a strong effect.
n <- 110; b <- base(n); t <- ceiling(rexp(n, exp(-1.5 * b$arm) / 20)); c <- sample(20:90, n, TRUE); add("strong", b$arm, pmin(t, c), ifelse(t <= c, sample(1:2, n, TRUE, c(.7, .3)), 0), 1e6 + 1e3 * b$age, b$score)
write.csv(rows, "data.csv", row.names = FALSE, quote = FALSE)

models <- list(none = character(0), age = "age", all = c("age", "score", "category"))
out <- NULL
for (case in unique(rows$case)) {
  d <- rows[rows$case == case & !is.na(rows$time) & !is.na(rows$event), ]
  d$z <- as.integer(d$arm == "iuh"); d$category[is.na(d$category)] <- "~missing"
  for (x in c("age", "score")) {
    miss <- is.na(d[[x]]); d[[paste0(x, "_missing")]] <- as.integer(miss & mean(miss) > .1)
    d[[x]][miss] <- mean(d[[x]], na.rm = TRUE)
  }
  for (model in names(models)) {
    x <- models[[model]]
    if ("score" %in% x && any(d$score_missing == 1)) x <- c(x, "score_missing")
    m <- model.matrix(as.formula(paste("~", paste(c("z", x), collapse = " + "))), d)[, -1, drop = FALSE]
    for (k in colnames(m)[colnames(m) != "z"]) m[, k] <- (m[, k] - mean(m[, k])) / sd(m[, k])  # the arm's coefficient stays
    fit <- crr(d$time, d$event, m, gtol = 1e-13, maxiter = 100)
    for (k in 1:5) fit <- crr(d$time, d$event, m, gtol = 1e-13, maxiter = 100, init = fit$coef)
    b <- unname(fit$coef["z"]); s <- sqrt(fit$var[1, 1]); q <- qnorm(.975)
    out <- rbind(out, data.frame(case, model, n_treated = sum(d$z), n_control = sum(1 - d$z), estimate = exp(b), log_estimate = b, std_error = s, p_value = 2 * pnorm(-abs(b / s)),
      conf_low = exp(b - q * s), conf_high = exp(b + q * s), log_likelihood_null = fit$loglik.null, log_likelihood = fit$loglik, coefficients = ncol(m),
      events_treated = sum(d$event == 1 & d$z == 1), events_control = sum(d$event == 1 & d$z == 0)))
  }
}
for (k in which(sapply(out, is.numeric))) out[[k]] <- sprintf("%.15g", out[[k]])
write.csv(out, "results.csv", row.names = FALSE, quote = FALSE)
writeLines(c(R.version.string, paste("cmprsk", packageVersion("cmprsk"))), "session.txt")
