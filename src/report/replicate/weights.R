# Weights of known outcomes for unknown ones: 1 over the probability of being known, within each arm by logistic regression on as many
# of the columns, in their order, as there are five rows of the rarer kind for. Where an indicator, or the absence of neighbouring
# indicators that exclude each other, tells rows apart that are all known (or all not), their probability is 1 (or 0), and the
# regression is that of the others without the (first) column, and on as many of the columns that are left as there are five of the
# others' rarer kind for. Rows that columns separate in another way (log odds beyond 12) go by their arm's share of known ones.
told_apart <- function(known, X, left, kept) {
  indicates <- vapply(kept, function(j) all(X[left, j] %in% 0:1), TRUE)
  same <- function(rows) any(rows) && any(left & !rows) && length(unique(known[rows])) == 1
  for (j in kept[indicates]) if (same(left & X[, j] == 1)) return(list(rows = left & X[, j] == 1, column = j))
  for (from in seq_along(kept)) for (to in from:length(kept)) {
    own <- kept[from:to]
    if (!all(indicates[from:to]) || any(rowSums(X[left, own, drop = FALSE]) > 1)) break
    rows <- left & rowSums(X[, own, drop = FALSE]) == 0
    if (same(rows)) return(list(rows = rows, column = own[1]))
  }
}
being_known <- function(known, X) {
  share <- rep(mean(known), length(known))
  columns <- min(ncol(X), min(sum(known), sum(1 - known)) %/% 5)
  if (columns == 0) return(share)
  p <- share
  left <- rep(TRUE, length(known))
  kept <- seq_len(columns)
  while (!is.null(apart <- told_apart(known, X, left, kept))) {
    p[apart$rows] <- known[apart$rows]
    left <- left & !apart$rows
    kept <- setdiff(kept, apart$column)
  }
  if (!all(left)) kept <- head(kept, min(sum(known[left]), sum(1 - known[left])) %/% 5)
  if (length(unique(known[left])) == 1) return(replace(p, left, known[left]))
  # `glm` with so small an epsilon would not see columns that are combinations of others.
  own <- qr(cbind(1, X[left, kept, drop = FALSE]))
  kept <- kept[own$pivot[seq_len(own$rank)][-1] - 1]
  d <- data.frame(known = known[left])
  d$X <- X[left, kept, drop = FALSE]
  fit <- suppressWarnings(glm(if (length(kept)) known ~ X else known ~ 1, binomial, d, control = glm.control(epsilon = 1e-14, maxit = 100)))
  if (any(abs(fit$linear.predictors) > 12)) share else replace(p, left, unname(fitted(fit)))
}
weights_of <- function(name, arms, o) step(name, {
  d <- table_of(name)
  lost <- table_of(paste0(name, ".unknown"))
  # Families of an earlier look have numbers of their own, and their sites beside them.
  if (is.null(lost[["site"]])) {
    arm <- families$arm[match(lost$family, families$family)]
    alike(paste0(name, ".unknown"), "treated", lost$family, as.numeric(lost$treated), ifelse(arm == arms[1], 1, ifelse(arm == arms[2], 0, NA)))
  }
  if (!is.null(o$id)) {
    status <- status_of(o)
    alike(paste0(name, ".unknown"), "family", NA, as.numeric(sort(lost$family)), families$family[status %in% o$lost & families$arm %in% arms])
  }
  X <- rbind(covariates(d), covariates(lost))
  known <- rep(1:0, c(nrow(d), nrow(lost)))
  treated <- c(d$treated, lost$treated)
  p <- rep(NA_real_, length(known))
  for (arm in unique(treated)) p[treated == arm] <- being_known(known[treated == arm], X[treated == arm, , drop = FALSE])
  weight <- 1 / p[known == 1]
  alike(name, "weight", d$family, d$weight, weight)
  d$weight <- weight
  tables[[name]] <<- d
})
