# Golden values of weights for unknown outcomes: run `Rscript generate.R` in this folder. Within each arm glm(binomial) gives
# the probability that the outcome is known; weighted least squares with HC2 by estimatr (lm_robust, lm_lin).
suppressMessages(library(estimatr))
set.seed(20250621)
n <- 160
d <- data.frame(
  arm = sample(rep(c("iuh", "standard"), c(80, 80))),
  age = round(runif(n, 0, 17), 1),
  reports = rpois(n, 2) + 2
)
chance <- plogis(1.6 - 0.12 * d$age + 0.25 * d$reports - 0.3 * (d$arm == "iuh"))
d$outcome <- rbinom(n, 1, plogis(-0.5 + 0.1 * d$age - 0.3 * (d$arm == "iuh")))
d$outcome[runif(n) > chance] <- NA
known <- !is.na(d$outcome)
rarer <- tapply(!known, d$arm, sum)
stopifnot(all(rarer >= 10))               # two columns in each arm
p <- rep(NA, n)
for (a in unique(d$arm)) {
  own <- d$arm == a
  fit <- glm(known[own] ~ age + reports, binomial, d[own, ], control = glm.control(epsilon = 1e-15, maxit = 100))
  p[own] <- fitted(fit)
}
d$weight <- ifelse(known, 1 / p, NA)
write.csv(format(d, digits = 17, trim = TRUE), "data.csv", row.names = FALSE, quote = FALSE)
k <- d[known, ]; k$z <- as.numeric(k$arm == "iuh")
additive <- lm_robust(outcome ~ z + age + reports, k, weights = weight, se_type = "HC2")
interacted <- lm_lin(outcome ~ z, ~ age + reports, k, weights = weight, se_type = "HC2")
row <- function(id, fit) data.frame(estimator = id, estimate = coef(fit)[["z"]], std_error = fit$std.error[["z"]])
results <- rbind(row("linear", additive), row("lin", interacted))
write.csv(format(results, digits = 17, trim = TRUE), "results.csv", row.names = FALSE, quote = FALSE)
# Each script has its line in session.txt.
others <- grep("^separated.R: ", readLines("session.txt"), value = TRUE)
own <- paste0("generate.R: ", R.version.string, ", estimatr ", packageVersion("estimatr"))
writeLines(c(own, others), "session.txt")
