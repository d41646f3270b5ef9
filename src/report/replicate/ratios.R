# A generalized linear model with the logarithm of a ratio as the coefficient of the arm; a step more from the maximum makes the
# weights those of the maximum.
independent <- function(M) M[, sort(qr(M)$pivot[seq_len(qr(M)$rank)]), drop = FALSE]
maximized <- function(y, M, family, offset = rep(0, length(y)), start = NULL) {
  tight <- glm.control(epsilon = 1e-15, maxit = 200)
  fit <- suppressWarnings(glm(y ~ M - 1 + offset(offset), family = family, control = tight, start = start))
  suppressWarnings(glm(y ~ M - 1 + offset(offset), family = family, control = tight, start = coef(fit)))
}
ratio_row <- function(fit, M, d, o, extra) {
  bread <- summary(fit, dispersion = 1)$cov.unscaled
  n <- nrow(M)
  v <- bread
  if (o$variance != "model") {
    h <- hatvalues(fit)
    score <- M * (fit$weights * residuals(fit, "working"))
    score <- score * sqrt(switch(o$variance, hc0 = rep(1, n), hc1 = rep(n / (n - ncol(M)), n), hc2 = 1 / (1 - h), hc3 = 1 / (1 - h)^2))
    v <- bread %*% crossprod(score) %*% bread
  }
  list(c(row_of(unname(coef(fit)[2]), sqrt(v[2, 2]), if (o$df == "residual") n - ncol(M) else NA, o, TRUE), both(d), extra))
}
# Without a maximum: Rao's score test of the arm's coefficient, the others where they are likeliest with it as an offset.
rao <- function(y, M, family, offset, o) {
  W <- M[, -2, drop = FALSE]
  one_limit(function(b) {
    fit <- maximized(y, W, family, offset + b * M[, 2])
    w <- sqrt(fit$weights)
    u <- w * residuals(fit, "working")
    r <- qr.resid(qr(W * w), M[, 2] * w)
    abs(sum(r * u)) / sqrt(sum(r^2))
  }, o)
}
counted <- function(d) {
  exposure <- if (is.null(d$exposure)) rep(1, nrow(d)) else d$exposure
  total <- function(x, arm) sum(x[d$treated == arm])
  c(events_treated = total(d$y, 1), events_control = total(d$y, 0), exposure_treated = total(exposure, 1), exposure_control = total(exposure, 0))
}
offset_of <- function(d) if (is.null(d$exposure)) rep(0, nrow(d)) else log(d$exposure)
with_exposure <- function(d) d[!is.na(d$y) & (if (is.null(d$exposure)) TRUE else !is.na(d$exposure)), ]
poisson_model <- function(d, o) {
  d <- with_exposure(d)
  M <- independent(design(d, FALSE))
  if (!is.null(o$ratio)) return(list(c(rao(d$y, M, poisson(), offset_of(d), o), both(d), counted(d))))
  fit <- maximized(d$y, M, poisson(), offset_of(d))
  ratio_row(fit, M, d, o, c(counted(d), pearson_dispersion = sum(residuals(fit, "pearson")^2) / (nrow(M) - ncol(M))))
}
# Coefficients given theta by glm and theta given the means by the root of its score, in turn until both stand still. Counts that
# vary no more than Poisson counts have no finite theta.
negative_binomial <- function(d, o) {
  d <- with_exposure(d)
  M <- independent(design(d, FALSE))
  fit <- maximized(d$y, M, poisson(), offset_of(d))
  theta <- NA
  if (sum((d$y - fitted(fit))^2 - d$y) > 0) for (round in 1:500) {
    before <- theta
    mu <- fitted(fit)
    score <- function(u) sum(digamma(d$y + exp(u)) - digamma(exp(u)) + u + 1 - log(exp(u) + mu) - (d$y + exp(u)) / (mu + exp(u)))
    far <- 1
    while (score(-far) < 0 || score(far) > 0) { far <- far + 1; if (far > 15) stop("theta has no maximum") }
    theta <- exp(uniroot(score, c(-far, far), tol = 1e-13)$root)
    fit <- maximized(d$y, M, MASS::negative.binomial(theta), offset_of(d), coef(fit))
    if (isTRUE(abs(theta / before - 1) < 1e-12)) break
  }
  ratio_row(fit, M, d, o, c(counted(d), theta = theta))
}
# A logistic model by Newton's method: likelihood, or the penalized one of Firth, whose score has h(1/2 - p) for the leverages h of
# the weighted columns. A value for the second coefficient may be held, the penalty staying that of all columns.
logit_fit <- function(y, M, penalized, held = NA, start = numeric(ncol(M))) {
  free <- setdiff(seq_len(ncol(M)), if (is.na(held)) NULL else 2)
  beta <- start
  if (!is.na(held)) beta[2] <- held
  value <- function(beta) {
    eta <- drop(M %*% beta)
    p <- plogis(eta)
    w <- p * plogis(-eta)
    d <- if (penalized) as.numeric(determinant(crossprod(M * sqrt(w)))$modulus) / 2 else 0
    sum(ifelse(y == 1, plogis(eta, log.p = TRUE), plogis(-eta, log.p = TRUE))) + d
  }
  now <- value(beta)
  for (round in 1:500) {
    p <- plogis(drop(M %*% beta))
    w <- p * (1 - p)
    information <- crossprod(M * sqrt(w))
    # Leverages by a factorization: far out the information itself is hard to invert.
    h <- if (penalized) rowSums(qr.Q(qr(M * sqrt(w), LAPACK = TRUE))^2) else 0
    score <- crossprod(M, y - p + h * (0.5 - p))
    by <- numeric(ncol(M))
    by[free] <- solve(information[free, free], score[free], tol = 0)
    size <- min(1, 5 / max(abs(M %*% by)))
    while (!isTRUE(value(beta + size * by) >= now - 1e-12) && size > 1e-8) size <- size / 2
    beta <- beta + size * by
    now <- value(beta)
    if (max(abs(by)) < 1e-13) break
  }
  list(beta = beta, value = now, information = information)
}
logistic <- function(d, o) {
  d <- d[!is.na(d$y), ]
  M <- independent(design(d, FALSE))
  extra <- two_by_two(d)$counted[c("events_treated", "events_control", "risk_treated", "risk_control")]
  if (!is.null(o$ratio)) return(list(c(rao(d$y, M, binomial(), rep(0, nrow(d)), o), both(d), extra)))
  penalized <- o$variance == "firth"
  if (!penalized && o$interval != "profile") return(ratio_row(maximized(d$y, M, binomial()), M, d, o, extra))
  fit <- logit_fit(d$y, M, penalized)
  df <- if (o$df == "residual") nrow(M) - ncol(M) else NA
  s <- sqrt(solve(fit$information)[2, 2])
  row <- row_of(fit$beta[2], s, df, o, TRUE)
  if (o$interval == "profile") {
    q <- if (is.na(df)) qnorm(1 - (1 - o$level) / 2) else qt(1 - (1 - o$level) / 2, df)
    near <- fit$beta
    drop_at <- function(b) {
      held <- logit_fit(d$y, M, penalized, b, near)
      near <<- held$beta
      2 * (fit$value - held$value)
    }
    # Near no effect the square of the deviate is rounding; there it is Wald's.
    fall <- drop_at(0)
    root <- if (fall < 1e-10) fit$beta[2] / s else sign(fit$beta[2]) * sqrt(fall)
    limit <- function(sign) {
      far <- fit$beta[2] + sign * min(1, q * s)
      while (drop_at(far) < q^2) { far <- far + sign * min(1, q * s); if (abs(far) > 30) return(NA) }
      uniroot(function(b) drop_at(b) - q^2, sort(c(fit$beta[2], far)), tol = 1e-12)$root
    }
    row[c("statistic", "df", "p_value", "conf_low", "conf_high")] <- c(root, NA, 2 * pnorm(-abs(root)), exp(limit(-1)), exp(limit(1)))
  }
  list(c(row, both(d), extra))
}
# Risks of all rows as if in one arm and as if in the other, from a logistic model, with the arm's mean residual; the variance is
# that of the influences of the augmented weighted estimator.
g_computation <- function(d, o) {
  d <- d[!is.na(d$y), ]
  interacted <- isTRUE(o$interacted)
  M <- design(d, interacted)
  keep <- sort(qr(M)$pivot[seq_len(qr(M)$rank)])
  beta <- if (isTRUE(o$firth)) logit_fit(d$y, M[, keep], TRUE)$beta else coef(maximized(d$y, M[, keep], binomial()))
  n <- nrow(d)
  standardized <- function(arm) {
    p <- plogis(drop(design(d, interacted, z = rep(arm, n))[, keep] %*% beta))
    i <- (d$treated == arm) * n / sum(d$treated == arm) * (d$y - p) + p
    list(risk = mean(i), influence = i - mean(i))
  }
  a <- standardized(1)
  b <- standardized(0)
  inside <- all(c(a$risk, b$risk) > 0 & c(a$risk, b$risk) < 1)
  ratio <- o$measure != "risk-difference"
  by <- switch(o$measure, "risk-difference" = function(p) 1, "risk-ratio" = function(p) 1 / p, "odds-ratio" = function(p) 1 / (p * (1 - p)))
  e <- switch(o$measure, "risk-difference" = a$risk - b$risk, "risk-ratio" = log(a$risk / b$risk), "odds-ratio" = qlogis(a$risk) - qlogis(b$risk))
  s <- sqrt(sum((by(a$risk) * a$influence - by(b$risk) * b$influence)^2) / (n * (n - 1)))
  row <- if (inside || !ratio) row_of(e, s, NA, o, ratio) else row_of(NA, NA, NA, o)
  list(c(row, both(d), risk_treated = a$risk, risk_control = b$risk))
}
