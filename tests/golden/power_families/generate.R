# Rscript generate.R: means.csv, survival.csv and session.txt beside this script. Base R and rpact 3.3.4.
#
# means.csv: two-sample t tests by pt with ncp, both tails; unequal arms, clusters in one or both arms, covariates. With
# covariates the noncentral t is averaged by integrate over the beta distribution of the imbalance that chance leaves.
# survival.csv: getSampleSizeSurvival and getPowerSurvival.
here <- dirname(normalizePath(sub("--file=", "", grep("--file=", commandArgs(), value = TRUE))))
t_power <- function(ncp, df, alpha, sides) {
  critical <- qt(alpha / sides, df, lower.tail = FALSE)
  upper <- suppressWarnings(pt(critical, df, ncp, lower.tail = FALSE))
  if (sides == 1) upper else upper + suppressWarnings(pt(-critical, df, ncp))
}
rows <- character()
add <- function(delta, sd, n1, n0, alpha, sides, r2, q, m, icc, cv, arms) {
  e <- if (arms == "none") 1 else 1 + ((cv^2 + 1) * m - 1) * icc
  e0 <- if (arms == "treated") 1 else e
  v1 <- sd^2 * (1 - r2) * e / n1
  v0 <- sd^2 * (1 - r2) * e0 / n0
  df <- switch(arms, none = n1 + n0 - 2 - q, both = n1 / m + n0 / m - 2,
    treated = (v1 + v0)^2 / (v1^2 / (n1 / m - 1) + v0^2 / (n0 - 1)))
  ncp <- delta / sqrt(v1 + v0)
  power <- if (q == 0) t_power(ncp, df, alpha, sides) else
    integrate(function(b) sapply(b, function(b) t_power(ncp * sqrt(b), df, alpha, sides)) * dbeta(b, (n1 + n0 - 1 - q) / 2, q / 2),
      max(0, qbeta(1e-14, (n1 + n0 - 1 - q) / 2, q / 2)), 1, rel.tol = 1e-10, subdivisions = 2000)$value
  rows <<- c(rows, paste(sprintf("%.17g", c(delta, sd, n1, n0, alpha)), collapse = ",") |>
    paste(sides, sprintf("%.17g", r2), q, sprintf("%.17g", m), sprintf("%.17g", icc), sprintf("%.17g", cv), arms, sprintf("%.17g", power), sep = ","))
}
for (alpha in c(.05, .01)) for (sides in 1:2) {
  for (case in list(c(.5, 1, 64, 64), c(.3, 1, 40, 90), c(7, 15, 25, 60), c(1.2, 2, 4, 5), c(.1, 1, 900, 1500)))
    add(case[1], case[2], case[3], case[4], alpha, sides, 0, 0, 1, 0, 0, "none")
  for (q in c(1, 2, 5, 12)) for (r2 in c(0, .3, .7)) {
    add(.5, 1, 30, 30, alpha, sides, r2, q, 1, 0, 0, "none")
    add(.4, 1, 15, 45, alpha, sides, r2, q, 1, 0, 0, "none")
  }
  for (arms in c("both", "treated")) for (icc in c(0, .05, .2)) for (cv in c(0, .6)) {
    add(.4, 1, 200, 200, alpha, sides, 0, 0, 20, icc, cv, arms)
    add(.5, 1, 60, 150, alpha, sides, 0, 0, 3, icc, cv, arms)
  }
}
writeLines(c("delta,sd,n1,n0,alpha,sides,r_squared,covariates,cluster_size,icc,cv,arms,power", rows), file.path(here, "means.csv"))

suppressMessages(library(rpact))
rows <- "formula,hazard_ratio,ratio,alpha,power,control_median,accrual,follow_up,loss,events,individuals"
for (formula in c("Schoenfeld", "Freedman")) for (hr in c(.5, .7, 1.4)) for (ratio in c(1, 2, .5)) for (power in c(.8, .9)) for (drop in c(0, .15)) {
  x <- getSampleSizeSurvival(hazardRatio = hr, median2 = 20, accrualTime = c(0, 18), followUpTime = 10, alpha = .025, beta = 1 - power,
    typeOfComputation = formula, allocationRatioPlanned = ratio, dropoutRate1 = drop, dropoutRate2 = drop, dropoutTime = 12)
  rows <- c(rows, paste(tolower(formula), hr, ratio, .05, power, 20, 18, 10, sprintf("%.17g", -log(1 - drop) / 12),
    sprintf("%.14g", x$eventsFixed), sprintf("%.14g", x$nFixed), sep = ","))
}
writeLines(rows, file.path(here, "survival.csv"))
writeLines(c(R.version.string, paste("rpact", packageVersion("rpact"))), file.path(here, "session.txt"))
