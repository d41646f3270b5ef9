# Every coefficient of regressions on R's own `mtcars` (Motor Trend 1974; Henderson and Velleman 1981, Biometrics 37:391),
# with every variance and with Satterthwaite and Bell-McCaffrey degrees of freedom: run `Rscript generate.R` here.
suppressMessages({library(estimatr); library(clubSandwich); library(sandwich)})
d <- mtcars[c("mpg", "hp", "wt", "am", "carb", "vs")]
write.csv(d, "data.csv", row.names = FALSE, quote = FALSE)
out <- NULL
add <- function(model, weighted, cluster, variance, m, s, nu) {
  out <<- rbind(out, data.frame(model = model, weighted = weighted, cluster = cluster, variance = variance,
    coefficient = names(coef(m)), estimate = unname(coef(m)), std_error = unname(s), nu = unname(nu)))
}
for (model in c("mpg ~ hp", "mpg ~ am + hp")) for (weighted in c("no", "yes")) {
  f <- as.formula(model)
  m <- if (weighted == "yes") lm(f, d, weights = wt) else lm(f, d)
  robust <- function(...) if (weighted == "yes") lm_robust(f, d, weights = wt, ...) else lm_robust(f, d, ...)
  for (se in c("classical", "HC0", "HC1", "HC2", "HC3")) {
    r <- robust(se_type = se)
    s <- if (se == "classical") sqrt(diag(vcov(m))) else sqrt(diag(vcovHC(m, type = se)))
    stopifnot(abs(r$std.error / s - 1) < 1e-11)
    add(model, weighted, "none", tolower(se), m, s, r$df)
  }
  if (weighted == "no") {
    t <- coef_test(m, vcovCR(m, cluster = seq_len(nrow(d)), type = "CR2"), test = "Satterthwaite")
    add(model, weighted, "none", "hc2 bell-mccaffrey", m, t$SE, t$df)
  }
  for (se in c("CR0", "CR1", "CR2", "CR3")) {
    t <- coef_test(m, vcovCR(m, cluster = d$carb, type = se), test = "Satterthwaite")
    if (se == "CR2") {
      r <- robust(clusters = carb)
      stopifnot(abs(r$std.error / t$SE - 1) < 1e-9, abs(r$df / t$df - 1) < 1e-9)
    }
    add(model, weighted, "carb", tolower(se), m, t$SE, t$df)
  }
}
for (cluster in c("none", "carb")) {
  r <- if (cluster == "none") lm_lin(mpg ~ am, ~hp + wt, d) else lm_lin(mpg ~ am, ~hp + wt, d, clusters = carb)
  out <- rbind(out, data.frame(model = "lin", weighted = "no", cluster = cluster, variance = ifelse(cluster == "none", "hc2", "cr2"),
    coefficient = "am", estimate = r$coefficients[["am"]], std_error = r$std.error[["am"]], nu = r$df[["am"]]))
}
for (k in which(sapply(out, is.numeric))) out[[k]] <- sprintf("%.15g", out[[k]])
write.csv(out, "results.csv", row.names = FALSE, quote = FALSE)
versions <- sapply(c("estimatr", "clubSandwich", "sandwich"), function(p) paste(p, packageVersion(p)))
writeLines(c(R.version.string, versions), "session.txt")
