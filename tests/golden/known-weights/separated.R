# Golden values of weights where a site is separated: run `Rscript separated.R` in this folder. glm(binomial) within each arm, whose
# fitted probabilities go to their limit as the iterations go on; weights of the known rows are their inverse.
set.seed(20251126)
n <- 240
d <- data.frame(
  arm = rep(c("iuh", "standard"), each = n / 2),
  site = rep(c("a", "b", "c", "d"), n / 4),
  age = round(runif(n, 0, 17), 1)
)
d$known <- as.integer(runif(n) < plogis(1.5 - 0.08 * d$age))
d$known[d$arm == "iuh" & d$site == "c"] <- 1       # a site with an indicator
d$known[d$arm == "standard" & d$site == "a"] <- 1  # the site without one
d$weight <- NA
for (a in unique(d$arm)) {
  own <- d$arm == a
  stopifnot(sum(!d$known[own]) >= 20)              # four columns in each arm
  fit <- suppressWarnings(glm(known ~ site + age, binomial, d[own, ], control = glm.control(epsilon = 1e-15, maxit = 34)))
  d$weight[own] <- ifelse(d$known[own] == 1, 1 / fitted(fit), NA)
}
write.csv(format(d, digits = 17, trim = TRUE), "separated.csv", row.names = FALSE, quote = FALSE)
# Each script has its line in session.txt.
others <- grep("^generate.R: ", readLines("session.txt"), value = TRUE)
writeLines(c(others, paste0("separated.R: ", R.version.string, ", base packages alone")), "session.txt")
