# A generalized linear model with the logarithm of a ratio as the coefficient of the arm; a step more from the maximum makes the
# weights those of the maximum.
ratio_model <- function(family, variance) function(d, o) {
  d <- d[!is.na(d$y), ]
  M <- design(d, FALSE)
  M <- M[, qr(M)$pivot[seq_len(qr(M)$rank)], drop = FALSE]
  offset <- if (is.null(d$exposure)) rep(0, nrow(d)) else log(d$exposure)
  tight <- glm.control(epsilon = 1e-15, maxit = 200)
  fit <- suppressWarnings(glm(d$y ~ M - 1 + offset(offset), family = family, control = tight))
  fit <- suppressWarnings(glm(d$y ~ M - 1 + offset(offset), family = family, control = tight, start = coef(fit)))
  bread <- summary(fit, dispersion = 1)$cov.unscaled
  k <- if (is.null(o$variance)) variance else o$variance
  v <- bread
  if (k != "model") {
    h <- hatvalues(fit)
    n <- nrow(M)
    score <- M * (fit$weights * residuals(fit, "working"))
    score <- score * sqrt(switch(k, hc0 = rep(1, n), hc1 = rep(n / (n - ncol(M)), n), hc2 = 1 / (1 - h), hc3 = 1 / (1 - h)^2))
    v <- bread %*% crossprod(score) %*% bread
  }
  df <- if (identical(o$df, "residual")) nrow(M) - ncol(M) else NA
  list(c(row_of(unname(coef(fit)[2]), sqrt(v[2, 2]), df, o, TRUE), both(d)))
}
poisson_model <- ratio_model(poisson(), "hc0")
logistic <- ratio_model(binomial(), "model")
