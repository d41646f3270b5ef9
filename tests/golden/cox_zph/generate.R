# Golden values of the check of proportional hazards beside `cox`: run `Rscript generate.R` in this folder; it writes results.csv from
# ../cox/data.csv. Needs survival. cox.zph(transform = "km") of the arm's coefficient alone, of fits with tightened tolerance.
library(survival)
rows <- read.csv("../cox/data.csv")
tight <- coxph.control(eps = 1e-13, iter.max = 200, toler.chol = 1e-14, timefix = FALSE)
models <- list(none = character(0), age = "age", both = c("age", "score"))
out <- NULL
for (case in c("late", "untied", "trend", "strong", "ties")) for (model in names(models)) for (strata in c(FALSE, TRUE)) for (ties in c("efron", "breslow")) {
  d <- rows[rows$case == case & !is.na(rows$time) & !is.na(rows$event), ]
  d <- d[!is.na(d$age) & !is.na(d$score), ]
  X <- cbind(z = as.integer(d$arm == "iuh"), as.matrix(d[models[[model]]]))
  y <- if (case == "late") Surv(d$entry, d$time, d$event) else Surv(d$time, d$event)
  s <- d$site
  fit <- if (strata) coxph(y ~ X + strata(s), ties = ties, control = tight) else coxph(y ~ X, ties = ties, control = tight)
  # cox.zph starts from the fit's coefficients; its own likelihood is survival's.
  own <- cox.zph(fit, transform = "km", terms = FALSE, global = FALSE)$table
  out <- rbind(out, data.frame(case, model, strata, ties, n = nrow(d), statistic = own[1, "chisq"], p_value = own[1, "p"]))
}
for (k in c("statistic", "p_value")) out[[k]] <- sprintf("%.15g", out[[k]])
write.csv(out, "results.csv", row.names = FALSE, quote = FALSE)
writeLines(c(R.version.string, paste("survival", packageVersion("survival"))), "session.txt")
