# Golden values of `poisson` and `negative-binomial`: run `Rscript generate.R` in this folder; it writes here and in
# ../negative-binomial. Made-up counts; theta of glm.nb is iterated on to 1e-13, because theta.ml stops at 1e-4.
suppressMessages({library(MASS); library(sandwich)})
set.seed(20250318)
n <- 170
d <- data.frame(
  arm = sample(rep(c("iuh", "standard"), c(70, 100))),
  site = sample(c("east", "north", "west"), n, TRUE),
  age = round(runif(n, 0, 17), 1),
  score = round(rnorm(n, 50, 10), 2),
  category = sample(c("child", "parent", "violence"), n, TRUE, c(.5, .3, .2)),
  exposure = round(runif(n, 0.2, 2), 3),
  stringsAsFactors = FALSE
)
mu <- d$exposure * exp(0.3 - 0.4 * (d$arm == "iuh") + 0.04 * d$age + 0.5 * (d$site == "west"))
d$outcome <- rnbinom(n, size = 1.3, mu = mu)
d$age[sample(n, 8)] <- NA
d$score[sample(n, 30)] <- NA
d$category[sample(n, 11)] <- NA
d$outcome[sample(n, 6)] <- NA
d$exposure[which(!is.na(d$outcome))[c(5, 60, 61)]] <- NA
d$even <- 1 + (seq_len(n) %% 2)    # counts that vary less than Poisson counts
write.csv(d, "data.csv", row.names = FALSE, quote = FALSE)
write.csv(d, "../negative-binomial/data.csv", row.names = FALSE, quote = FALSE)
fill <- function(x) ifelse(is.na(x), mean(x, na.rm = TRUE), x)
dummies <- function(x, name) {
  m <- model.matrix(~factor(ifelse(is.na(x), "~missing", x)))[, -1, drop = FALSE]
  colnames(m) <- paste0(name, seq_len(ncol(m))); m
}
tight <- glm.control(epsilon = 1e-15, maxit = 200)
z975 <- qnorm(.975)
poisson_rows <- negative_rows <- NULL
for (case in c("none", "age", "numbers", "all")) for (exposed in 0:1) {
  a <- d[!is.na(d$outcome) & (exposed == 0 | !is.na(d$exposure)), ]; y <- a$outcome; z <- as.numeric(a$arm == "iuh")
  o <- if (exposed) log(a$exposure) else rep(0, nrow(a))
  X <- cbind(age = fill(a$age), score = fill(a$score), score_missing = as.numeric(is.na(a$score)), dummies(a$category, "category"), dummies(a$site, "site"))
  stopifnot(mean(is.na(a$score)) > .1, mean(is.na(a$age)) <= .1)
  C <- switch(case, none = X[, 0], age = X[, "age", drop = FALSE], numbers = X[, 1:3], all = X)
  M <- cbind(1, scale(C, scale = FALSE), z); k <- ncol(M)
  rows <- function(fit, theta) {
    est <- unname(coef(fit)[k]); V <- list(model = summary(fit, dispersion = 1)$cov.scaled)
    for (h in c("HC0", "HC1", "HC2", "HC3")) V[[tolower(h)]] <- vcovHC(fit, type = h)
    do.call(rbind, lapply(names(V), function(v) do.call(rbind, lapply(c("normal", "residual"), function(df) {
      se <- sqrt(V[[v]][k, k]); q <- if (df == "normal") z975 else qt(.975, length(y) - k); t <- est / se
      data.frame(case, exposed, variance = v, df, estimate = exp(est), std_error = se, p_value = if (df == "normal") 2 * pnorm(-abs(t)) else 2 * pt(-abs(t), length(y) - k),
        conf_low = exp(est - q * se), conf_high = exp(est + q * se), theta, dispersion = sum(residuals(fit, "pearson")^2) / (length(y) - k),
        n_treated = sum(z), n_control = sum(1 - z))
    }))))
  }
  # glm() keeps the weights of its last step but one: a step more from the maximum makes them those of the maximum.
  fit <- glm(y ~ M - 1 + offset(o), family = poisson, control = tight)
  poisson_rows <- rbind(poisson_rows, rows(glm(y ~ M - 1 + offset(o), family = poisson, control = tight, start = coef(fit)), NA))
  nb <- suppressWarnings(glm.nb(y ~ M - 1 + offset(o), control = glm.control(epsilon = 1e-12, maxit = 200)))
  theta <- nb$theta
  for (i in 1:200) {
    fit <- glm(y ~ M - 1 + offset(o), family = negative.binomial(theta), control = tight); m <- fitted(fit)
    g <- function(l) { t <- exp(l); sum(digamma(t + y) - digamma(t) + l + 1 - log(t + m) - (y + t) / (m + t)) }
    new <- exp(uniroot(g, log(theta) + c(-1, 1), tol = 1e-15)$root); done <- abs(new / theta - 1) < 1e-13; theta <- new; if (done) break
  }
  fit <- glm(y ~ M - 1 + offset(o), family = negative.binomial(theta), control = tight, start = coef(fit))
  stopifnot(abs(theta / nb$theta - 1) < 1e-5, abs(coef(fit)[k] / coef(nb)[k] - 1) < 1e-5,
    abs(sqrt(summary(fit, dispersion = 1)$cov.scaled[k, k]) / summary(nb)$coefficients[k, 2] - 1) < 1e-5)
  negative_rows <- rbind(negative_rows, rows(fit, theta))
}
save_csv <- function(out, id) {
  for (k in which(sapply(out, is.numeric))) out[[k]] <- ifelse(is.na(out[[k]]), "NA", sprintf("%.15g", out[[k]]))
  write.csv(out, file.path("..", id, "results.csv"), row.names = FALSE, quote = FALSE)
  writeLines(c(R.version.string, sapply(c("MASS", "sandwich"), function(p) paste(p, packageVersion(p)))), file.path("..", id, "session.txt"))
}
save_csv(poisson_rows, "poisson"); save_csv(negative_rows, "negative-binomial")
# Counts near 1e9, which spread as Poisson counts do (`spread` 1) and 1,000 times less: small steps of the coefficients are large ones of
# residuals. The sandwich of the closed form, where no covariate is, checks glm()'s last step.
n <- 24
large <- data.frame(arm = rep(c("iuh", "standard"), n / 2), age = round(runif(n, 0, 17), 1))
for (spread in c(1, 1000)) large[[paste0("outcome", spread)]] <-
  round(exp(log(1e9) + 0.02 * (large$arm == "iuh") + 1e-3 * large$age) + rnorm(n, 0, sqrt(1e9) / spread))
large_rows <- NULL
for (spread in c(1, 1000)) for (case in c("none", "age")) {
  y <- large[[paste0("outcome", spread)]]; z <- as.numeric(large$arm == "iuh")
  M <- cbind(1, if (case == "age") large$age - mean(large$age), z); k <- ncol(M)
  fit <- glm(y ~ M - 1, family = poisson, control = tight)
  fit <- glm(y ~ M - 1, family = poisson, control = tight, start = coef(fit))
  V <- list(model = summary(fit, dispersion = 1)$cov.scaled)
  for (h in c("HC0", "HC1", "HC2", "HC3")) V[[tolower(h)]] <- vcovHC(fit, type = h)
  if (case == "none") {
    own <- sapply(0:1, function(a) sum((y[z == a] - mean(y[z == a]))^2) / sum(y[z == a])^2)
    stopifnot(abs(sqrt(V$hc0[k, k] / sum(own)) - 1) < 1e-6)
  }
  for (v in names(V)) large_rows <- rbind(large_rows, data.frame(spread, case, variance = v, log_ratio = unname(coef(fit)[k]), std_error = sqrt(V[[v]][k, k])))
}
write.csv(large, "large.csv", row.names = FALSE, quote = FALSE)
for (k in c("log_ratio", "std_error")) large_rows[[k]] <- sprintf("%.15g", large_rows[[k]])
write.csv(large_rows, "large_results.csv", row.names = FALSE, quote = FALSE)
