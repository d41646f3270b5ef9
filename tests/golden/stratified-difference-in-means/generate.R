# Golden values of `stratified-difference-in-means`: run `Rscript generate.R` in this folder. Made-up families, two crossed
# columns of strata of very different size, ties and missing outcomes; and made-up pairs.
suppressMessages({library(estimatr); library(clubSandwich)})
set.seed(20250206)
sizes <- c(4, 5, 9, 14, 31, 52)
d <- data.frame(block = rep(seq_along(sizes), sizes))
d$site <- c("east", "east", "north", "north", "west", "west")[d$block]
d$half <- c("first", "second")[1 + (d$block %% 2 == 0)]
d$arm <- unlist(lapply(sizes, function(n) sample(rep(c("iuh", "standard"), c(max(2, round(n / 3)), n - max(2, round(n / 3)))))))
z <- as.numeric(d$arm == "iuh")
d$outcome <- round(50 + 3 * d$block + z * (d$block - 2) + rnorm(nrow(d)) * (2 + z))   # whole numbers: ties
d$outcome[c(20, 41, 70, 99)] <- NA
d$half[d$block == 5] <- "second"                      # a combination that does not occur
d$half[d$block == 6] <- "third"
pairs <- data.frame(pair = sprintf("p%02d", rep(1:11, each = 2)), arm = rep(c("standard", "iuh"), 11))
pairs$outcome <- round(20 + rep(rnorm(11, 0, 3), each = 2) + 1.5 * (pairs$arm == "iuh") + rnorm(22), 1)
write.csv(d[c("site", "half", "arm", "outcome")], "data.csv", row.names = FALSE, quote = FALSE)
write.csv(pairs, "pairs.csv", row.names = FALSE, quote = FALSE)
out <- NULL
row <- function(case, df, e, s, nu, level, a) {
  q <- if (is.na(nu)) qnorm(1 - (1 - level) / 2) else qt(1 - (1 - level) / 2, nu)
  p <- if (is.na(nu)) 2 * pnorm(-abs(e / s)) else 2 * pt(-abs(e / s), nu)
  out <<- rbind(out, data.frame(case = case, df = df, level = level, estimate = e, std_error = s, nu = nu, p_value = p,
    conf_low = e - q * s, conf_high = e + q * s, n_treated = sum(a$arm == "iuh"), n_control = sum(a$arm != "iuh")))
}
a <- d[!is.na(d$outcome), c("site", "half", "arm", "outcome")]
a$z <- as.numeric(a$arm == "iuh")
cases <- list(site = a$site, crossed = paste(a$site, a$half))
for (level in c(.9, .95)) {
  for (case in names(cases)) {
    a$stratum <- cases[[case]]
    r <- difference_in_means(outcome ~ z, a, blocks = stratum, alpha = 1 - level)
    e <- r$coefficients[[1]]; s <- r$std.error[[1]]
    stopifnot(r$design == "Blocked")
    row(case, "residual", e, s, r$df[[1]], level, a)
    stopifnot(abs(r$conf.low[[1]] - out$conf_low[nrow(out)]) < 1e-10)
    row(case, "normal", e, s, NA, level, a)
    # The saturated regression: lm_lin on the strata has the same estimate and HC2 standard error.
    W <- model.matrix(~stratum, a)[, -1, drop = FALSE]; W <- scale(W, scale = FALSE); colnames(W) <- paste0("w", seq_len(ncol(W)))
    m <- lm(as.formula(paste("outcome ~ z * (", paste(colnames(W), collapse = "+"), ")")), cbind(a, W))
    t <- coef_test(m, vcovCR(m, cluster = seq_len(nrow(a)), type = "CR2"), test = "Satterthwaite")
    i <- which(names(coef(m)) == "z")
    stopifnot(abs(coef(m)[["z"]] - e) < 1e-10, abs(t$SE[i] / s - 1) < 1e-10)
    row(case, "bell-mccaffrey", e, s, t$df[i], level, a)
  }
  r <- difference_in_means(outcome ~ z, cbind(pairs, z = as.numeric(pairs$arm == "iuh")), blocks = pair, alpha = 1 - level)
  stopifnot(r$design == "Matched-pair")
  row("pairs", "residual", r$coefficients[[1]], r$std.error[[1]], r$df[[1]], level, pairs)
}
for (k in which(sapply(out, is.numeric))) out[[k]] <- sprintf("%.15g", out[[k]])
write.csv(out, "results.csv", row.names = FALSE, quote = FALSE)
versions <- sapply(c("estimatr", "clubSandwich"), function(p) paste(p, packageVersion(p)))
writeLines(c(R.version.string, versions), "session.txt")
