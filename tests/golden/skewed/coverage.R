# How often 95 % intervals of a difference of mean lognormal costs hold it: Welch's (t.test), and the studentized bootstrap with 399
# resamples within arms, limits by the 10th and the 390th t. Run `Rscript coverage.R` in this folder; base R alone, about five minutes.
set.seed(20261128)
studies <- 20000
resamples <- 399
drawn_again <- function(y) {
  m <- matrix(y[sample.int(length(y), length(y) * resamples, replace = TRUE)], nrow = length(y))
  mean <- colMeans(m)
  list(mean = mean, variance = colSums((m - rep(mean, each = length(y)))^2) / (length(y) - 1) / length(y))
}
# Families and standard deviation of the logarithm of the treated and of the control arm.
covered <- function(n, s) {
  truth <- exp(s[1]^2 / 2) - exp(s[2]^2 / 2)
  holds <- replicate(studies, {
    a <- exp(s[1] * rnorm(n[1]))
    b <- exp(s[2] * rnorm(n[2]))
    welch <- t.test(a, b)
    e <- mean(a) - mean(b)
    x <- drawn_again(a)
    y <- drawn_again(b)
    t <- sort((x$mean - y$mean - e) / sqrt(x$variance + y$variance))
    c(welch$conf.int[1] <= truth && truth <= welch$conf.int[2], e - t[390] * welch$stderr <= truth && truth <= e - t[10] * welch$stderr)
  })
  data.frame(n_treated = n[1], sd_treated = s[1], n_control = n[2], sd_control = s[2], studies, welch = mean(holds[1, ]), bootstrap = mean(holds[2, ]))
}
rows <- rbind(covered(c(50, 50), c(1, 1)), covered(c(30, 90), c(1.2, 0.4)))
write.csv(rows, "coverage.csv", row.names = FALSE, quote = FALSE)
# Each script has its line in session.txt.
others <- grep("^coverage.R: ", readLines("session.txt"), value = TRUE, invert = TRUE)
writeLines(c(others, paste0("coverage.R: ", R.version.string, ", base packages alone")), "session.txt")
