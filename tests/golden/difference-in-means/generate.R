# Golden values of `difference-in-means`: run `Rscript generate.R` in this folder.
suppressMessages({library(estimatr); library(clubSandwich)})
set.seed(20250204)
d <- data.frame(arm = sample(rep(c("iuh", "standard"), c(17, 26))))
z <- as.numeric(d$arm == "iuh")
d$outcome <- round(100 + 3 * z + rnorm(43) * (2 + 4 * z), 2)
d$outcome[c(3, 20, 21)] <- NA
write.csv(d, "data.csv", row.names = FALSE, quote = FALSE)
a <- d[!is.na(d$outcome), ]; a$z <- as.numeric(a$arm == "iuh")
out <- NULL
row <- function(program, variance, df, e, s, nu, level) {
  q <- if (is.na(nu)) qnorm(1 - (1 - level) / 2) else qt(1 - (1 - level) / 2, nu)
  p <- if (is.na(nu)) 2 * pnorm(-abs(e / s)) else 2 * pt(-abs(e / s), nu)
  data.frame(case = program, variance = variance, df = df, estimate = e, std_error = s, nu = nu, p_value = p,
             conf_low = e - q * s, conf_high = e + q * s, level = level, n_treated = sum(a$z), n_control = sum(1 - a$z))
}
for (level in c(.9, .95)) {
  t <- t.test(a$outcome[a$z == 1], a$outcome[a$z == 0], conf.level = level)
  stopifnot(all.equal(unname(c(t$conf.int)), {r <- row("", "", "", unname(t$estimate[1] - t$estimate[2]), t$stderr, unname(t$parameter), level); c(r$conf_low, r$conf_high)}, tolerance = 1e-12))
  out <- rbind(out, row("t.test", "hc2", "welch", unname(t$estimate[1] - t$estimate[2]), t$stderr, unname(t$parameter), level))
  s <- t.test(a$outcome[a$z == 1], a$outcome[a$z == 0], var.equal = TRUE)
  out <- rbind(out, row("t.test", "classical", "residual", unname(s$estimate[1] - s$estimate[2]), s$stderr, unname(s$parameter), level))
  m <- difference_in_means(outcome ~ z, a)
  out <- rbind(out, row("difference_in_means", "hc2", "welch", m$coefficients[[1]], m$std.error[[1]], m$df[[1]], level))
  for (se in c("classical", "HC0", "HC1", "HC2", "HC3")) {
    r <- lm_robust(outcome ~ z, a, se_type = se)
    out <- rbind(out, row("lm_robust", tolower(se), "residual", r$coefficients[["z"]], r$std.error[["z"]], r$df[["z"]], level),
      row("lm_robust", tolower(se), "normal", r$coefficients[["z"]], r$std.error[["z"]], NA, level))
  }
  f <- lm(outcome ~ z, a)
  t2 <- coef_test(f, vcovCR(f, cluster = seq_len(nrow(a)), type = "CR2"), test = "Satterthwaite")
  out <- rbind(out, row("clubSandwich", "hc2", "bell-mccaffrey", coef(f)[["z"]], t2$SE[2], t2$df[2], level))
}
for (k in which(sapply(out, is.numeric))) out[[k]] <- sprintf("%.15g", out[[k]])
write.csv(out, "results.csv", row.names = FALSE, quote = FALSE)
writeLines(c(R.version.string, paste(c("estimatr", "clubSandwich"), sapply(c("estimatr", "clubSandwich"), function(p) as.character(packageVersion(p))))), "session.txt")
