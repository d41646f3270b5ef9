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
# The same with CR2 by cluster, and Satterthwaite's degrees of freedom under equal and independent errors, whatever the weights: on
# the rows' own scale residuals are (I - H) y with H = X (X'WX)^-1 X'W. What does not depend on the outcome is made once.
clustered <- function(M, k, cluster, w = NULL) {
  r <- if (is.null(w)) rep(1, nrow(M)) else sqrt(w)
  q <- qr(M * r)
  keep <- q$pivot[seq_len(q$rank)]
  Q <- qr.Q(q)[, seq_len(q$rank), drop = FALSE]
  R <- qr.R(q)[seq_len(q$rank), seq_len(q$rank), drop = FALSE]
  v <- drop(Q %*% backsolve(R, k[keep], transpose = TRUE))
  least <- if (is.null(w)) 1e-10 else 1e-12
  # Of each row the number by which its residual enters the score of its cluster. A coefficient that rests on one cluster has no
  # variance.
  by <- numeric(nrow(M))
  decided <- FALSE
  G <- sapply(split(seq_len(nrow(M)), cluster), function(p) {
    free <- diag(length(p)) - tcrossprod(Q[p, , drop = FALSE])
    none <- eigen(free, symmetric = TRUE)
    none <- none$vectors[, none$values < 1e-8, drop = FALSE]
    decided <<- decided || any(abs(crossprod(none, v[p])) > 1e-8 * sqrt(sum(v^2)))
    own <- if (is.null(w)) free else {
      L <- -tcrossprod(Q[p, , drop = FALSE] / r[p], Q * r)
      L[cbind(seq_along(p), p)] <- L[cbind(seq_along(p), p)] + 1
      tcrossprod(L)
    }
    own <- eigen(own, symmetric = TRUE)
    root <- ifelse(own$values > least, 1 / sqrt(pmax(own$values, least)), 0)
    a <- drop(own$vectors %*% (root * crossprod(own$vectors, v[p] * r[p])))
    by[p] <<- a
    replace(numeric(nrow(M)), p, a) - r * drop(Q %*% crossprod(Q[p, , drop = FALSE], a / r[p]))
  })
  P <- crossprod(G)
  df <- sum(diag(P))^2 / sum(P^2)
  function(y) {
    e <- drop(y * r - Q %*% crossprod(Q, y * r))
    score <- tapply(by * e / r, cluster, sum)
    list(estimate = sum(v * r * y), std_error = if (rounding(sum(e^2), y * r)) 0 else sqrt(sum(score^2)), satterthwaite = df, decided = decided)
  }
}
# How an outcome is fitted on columns: by cluster where there are some.
fitting <- function(d, M, k, variance, w = d$weight) {
  if (!is.null(d$cluster)) return(clustered(M, k, d$cluster, w))
  function(y) least_squares(y, M, k, w, variance)
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
  fit <- fitting(d, M, replace(numeric(ncol(M)), 2, 1), o$variance)(d$y)
  list(c(row_of(fit$estimate, fit$std_error, df_of(fit, o), o), both(d), if (!is.null(d$cluster)) units_of(d)))
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
# Of how many children each family has rows, against families.csv.
rosters <- function(name, id) step(name, {
  rows <- table(table_of(name)$family)
  own <- families[match(as.integer(names(rows)), families$family), ]
  alike(name, "children", own$family, as.numeric(rows), own[[paste0(id, ".children")]])
})
# By how much the averages over families and over children differ: one regression on the rows of both, families as clusters; the
# arm among the rows of families is the difference.
averages <- function(path, children, families, interacted) step(path, {
  own <- lapply(list(table_of(children), table_of(families)), function(d) d[!is.na(d$y), ])
  X <- lapply(own, function(d) {
    X <- sweep(covariates(d), 2, colMeans(covariates(d)))
    unname(cbind(X, if (interacted) X * d$treated))
  })
  beside <- function(i, j) matrix(0, nrow(X[[i]]), ncol(X[[j]]))
  all <- do.call(rbind, lapply(own, function(d) d[c("family", "treated", "y")]))
  set <- rep(0:1, sapply(own, nrow))
  M <- cbind(1, set * all$treated, all$treated, set, rbind(cbind(X[[1]], beside(1, 2)), cbind(beside(2, 1), X[[2]])))
  fit <- clustered(M, replace(numeric(ncol(M)), 2, 1), all$family)(all$y)
  say(path, c("1" = fit$estimate, "2" = fit$std_error, "3" = 2 * pt(-abs(fit$estimate / fit$std_error), fit$satterthwaite)))
})
