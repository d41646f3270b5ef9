# Residuals that are rounding, beside outcomes of this size: the fit is exact, and has no standard error.
rounding <- function(square, y) square <= length(y) * (1e-13 * max(abs(y)))^2
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
  list(estimate = sum(v * (y * r)), std_error = if (rounding(sum(e^2), y * r)) 0 else sqrt(sum(spread)), residual = n - q$rank,
    bm = sum(g^2 * (1 - h))^2 / (sum(g^4 * (1 - 2 * h)) + sum(crossprod(Q * g)^2)))
}
# The same with CR2 by cluster, and Satterthwaite's degrees of freedom under equal and independent errors.
clustered <- function(y, M, k, cluster) {
  q <- qr(M)
  keep <- q$pivot[seq_len(q$rank)]
  Q <- qr.Q(q)[, seq_len(q$rank), drop = FALSE]
  R <- qr.R(q)[seq_len(q$rank), seq_len(q$rank), drop = FALSE]
  e <- drop(y - Q %*% crossprod(Q, y))
  v <- drop(Q %*% backsolve(R, k[keep], transpose = TRUE))
  score <- 0
  G <- sapply(split(seq_along(y), cluster), function(p) {
    own <- eigen(diag(length(p)) - tcrossprod(Q[p, , drop = FALSE]), symmetric = TRUE)
    root <- ifelse(own$values > 1e-10, 1 / sqrt(pmax(own$values, 1e-10)), 0)
    a <- drop(own$vectors %*% (root * crossprod(own$vectors, v[p])))
    score <<- score + sum(a * e[p])^2
    replace(numeric(length(y)), p, a) - drop(Q %*% crossprod(Q[p, , drop = FALSE], a))
  })
  P <- crossprod(G)
  list(estimate = sum(v * y), std_error = if (rounding(sum(e^2), y)) 0 else sqrt(score), satterthwaite = sum(diag(P))^2 / sum(P^2))
}
units_of <- function(d) {
  own <- function(arm) length(unique(d$cluster[d$treated == arm]))
  c(units_treated = own(1), units_control = own(0))
}
# Intercept, arm, indicators of the strata and covariates, these centred; `z` is another arm for all rows.
design <- function(d, interacted, w = NULL, strata = TRUE, z = d$treated) {
  s <- if (strata) strata_of(d) else NULL
  X <- covariates(d)
  if (nlevels(s) > 1) X <- cbind(model.matrix(~ s)[, -1, drop = FALSE], X)
  X <- sweep(X, 2, if (is.null(w)) colMeans(X) else colSums(X * w) / sum(w))
  cbind(1, z, X, if (interacted) X * z)
}
df_of <- function(fit, o) switch(o$df, "bell-mccaffrey" = fit$bm, residual = fit$residual,
  satterthwaite = fit$satterthwaite, normal = NA)
linear_model <- function(interacted) function(d, o) {
  d <- d[!is.na(d$y), ]
  M <- design(d, interacted, d$weight)
  k <- replace(numeric(ncol(M)), 2, 1)
  by <- !is.null(d$cluster)
  fit <- if (by) clustered(d$y, M, k, d$cluster) else least_squares(d$y, M, k, d$weight, o$variance)
  list(c(row_of(fit$estimate, fit$std_error, df_of(fit, o), o), both(d), if (by) units_of(d)))
}
lin <- linear_model(TRUE)
linear <- linear_model(FALSE)
difference_in_means <- function(d, o) {
  d <- d[!is.na(d$y), ]
  a <- d$y[d$treated == 1]
  b <- d$y[d$treated == 0]
  fit <- least_squares(d$y, cbind(1, d$treated), c(0, 1), NULL, o$variance)
  df <- if (o$df == "welch") (if (fit$std_error > 0) unname(t.test(a, b)$parameter) else NA) else df_of(fit, o)
  list(c(row_of(mean(a) - mean(b), fit$std_error, df, o), both(d)))
}
# Differences of means within strata, weighted by their sizes; where every stratum is a pair, the variance is that of the
# differences.
stratified_difference_in_means <- function(d, o) {
  d <- d[!is.na(d$y), ]
  s <- strata_of(d)
  cell <- function(f) sapply(1:0, function(arm) tapply(d$y[d$treated == arm], s[d$treated == arm], f))
  n <- matrix(cell(length), ncol = 2)
  m <- matrix(cell(mean), ncol = 2)
  v <- matrix(cell(var), ncol = 2)
  share <- rowSums(n) / sum(n)
  apart <- m[, 1] - m[, 2]
  e <- sum(share * apart)
  if (all(n == 1)) {
    square <- if (rounding(sum((apart - e)^2), d$y)) 0 else sum((apart - e)^2) / (nrow(n) * (nrow(n) - 1))
    df <- nrow(n) - 1
  } else {
    square <- if (rounding(sum((n - 1) * v), d$y)) 0 else sum(share^2 * v / n)
    part <- share^2 / n
    df <- if (o$df == "bell-mccaffrey") sum(part)^2 / sum(part^2 / (n - 1)) else sum(n) - 2 * nrow(n)
  }
  list(c(row_of(e, sqrt(square), if (o$df == "normal") NA else df, o), both(d), strata = nrow(n)))
}
