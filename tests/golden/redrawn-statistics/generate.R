# Statistics on redrawn arms, by R: O − E and its variance of a log-rank test (survival::survdiff), without and within strata; the
# probability index less 1/2 and its variance by Brunner and Munzel (placements, base R); Pillai's trace of the arms on three
# characteristics (manova). Run in this folder: Rscript generate.R
library(survival)
set.seed(20261126)
n <- 42
data <- data.frame(time = sample(1:15, n, TRUE), event = rbinom(n, 1, 0.6), stratum = rep(0:1, length.out = n),
  score = sample(0:8, n, TRUE), x1 = sample(0:9, n, TRUE), x2 = round(rnorm(n, 5, 2), 2), x3 = rbinom(n, 1, 0.3))
for (k in 1:6) data[[paste0("arm", k)]] <- if (k < 5) sample(rep(0:1, n / 2)) else sample(rep(0:2, n / 3))
write.csv(data, "data.csv", row.names = FALSE)
total <- function(x) if (is.matrix(x)) rowSums(x) else x
rows <- lapply(1:6, function(k) {
  arm <- data[[paste0("arm", k)]]
  # Arm 1 against arm 0; the third arm takes no part, but in the trace.
  d <- data[arm < 2, ]
  z <- arm[arm < 2]
  plain <- survdiff(Surv(time, event) ~ z, d)
  within <- survdiff(Surv(time, event) ~ z + strata(stratum), d)
  above <- outer(d$score[z == 1], d$score[z == 0], ">") + outer(d$score[z == 1], d$score[z == 0], "==") / 2
  trace <- summary(manova(cbind(x1, x2, x3) ~ factor(arm), data), test = "Pillai")$stats[1, "Pillai"]
  data.frame(redraw = k, excess = plain$obs[2] - plain$exp[2], variance = plain$var[2, 2],
    excess_within = total(within$obs)[2] - total(within$exp)[2], variance_within = within$var[2, 2],
    index = mean(above) - 0.5, index_variance = var(rowMeans(above)) / nrow(above) + var(colMeans(above)) / ncol(above), trace = trace)
})
write.csv(format(do.call(rbind, rows), digits = 15, trim = TRUE), "results.csv", row.names = FALSE, quote = FALSE)
writeLines(c(R.version.string, paste("survival", packageVersion("survival"))), "session.txt")
