# Least squares of y on the columns of M, weighted by w: the combination k of the coefficients, with the variance `type`.
# `bm` are Bell and McCaffrey's degrees of freedom, for which HC2 is CR2 with each row a cluster of its own.
least_squares <- function(y, M, k, w = NULL, type = "hc2") {
  r <- if (is.null(w)) rep(1, length(y)) else sqrt(w)
  q <- qr(M * r)
  keep <- q$pivot[seq_len(q$rank)]
  Q <- qr.Q(q)[, seq_len(q$rank), drop = FALSE]
  R <- qr.R(q)[seq_len(q$rank), seq_len(q$rank), drop = FALSE]
  n <- length(y)
  e <- drop(y * r - Q %*% crossprod(Q, y * r))
  h <- pmin(rowSums(Q^2), 1)
  v <- drop(Q %*% backsolve(R, k[keep], transpose = TRUE))
  g <- ifelse(1 - h > 1e-10, v / sqrt(pmax(1 - h, 1e-10)), 0)
  spread <- switch(type, classical = sum(e^2) / (n - q$rank) * v^2, hc0 = v^2 * e^2, hc1 = v^2 * e^2 * n / (n - q$rank),
    hc2 = g^2 * e^2, hc3 = ifelse(g == 0, 0, g^2 * e^2 / pmax(1 - h, 1e-10)))
  list(estimate = sum(v * (y * r)), std_error = sqrt(sum(spread)), residual = n - q$rank,
    bm = sum(g^2 * (1 - h))^2 / (sum(g^4 * (1 - 2 * h)) + sum(crossprod(Q * g)^2)))
}
design <- function(d, interacted, w = NULL) {
  X <- covariates(d)
  X <- sweep(X, 2, if (is.null(w)) colMeans(X) else colSums(X * w) / sum(w))
  cbind(1, d$treated, X, if (interacted) X * d$treated)
}
linear_model <- function(interacted) function(d, o) {
  d <- d[!is.na(d$y), ]
  M <- design(d, interacted, d$weight)
  fit <- least_squares(d$y, M, replace(numeric(ncol(M)), 2, 1), d$weight, o$variance)
  df <- switch(o$df, "bell-mccaffrey" = fit$bm, residual = fit$residual, normal = NA)
  list(c(row_of(fit$estimate, fit$std_error, df, o), both(d)))
}
lin <- linear_model(TRUE)
linear <- linear_model(FALSE)
difference_in_means <- function(d, o) {
  d <- d[!is.na(d$y), ]
  t <- t.test(d$y[d$treated == 1], d$y[d$treated == 0])
  df <- switch(if (is.null(o$df)) "welch" else o$df, welch = unname(t$parameter), residual = nrow(d) - 2, normal = NA)
  list(c(row_of(mean(d$y[d$treated == 1]) - mean(d$y[d$treated == 0]), t$stderr, df, o), both(d)))
}
