# Multiple imputation: the completed data sets are taken over; each is analysed and all are pooled (Rubin; Barnard and Rubin).
# `moved` is added to the completed outcomes of the treated arm, for tipping points.
imputed <- function(path, name, estimator, o, moved = 0) step(name, {
  d <- table_of(name)
  sets <- as.matrix(table_of(paste0(name, ".drawn"))[-1])
  unknown <- which(is.na(d$y))
  fits <- sapply(seq_len(ncol(sets)), function(i) {
    d$y[unknown] <- sets[, i] + moved * d$treated[unknown]
    row <- estimator(d, o)[[1]]
    c(row["estimate"], row["std_error"], row["df"])
  })
  fits <- unname(fits)
  m <- ncol(sets)
  within <- mean(fits[2, ]^2)
  added <- (1 + 1 / m) * var(fits[1, ])
  share <- added / (within + added)
  complete <- fits[3, m]
  seen <- (complete + 1) / (complete + 3) * complete * (1 - share)
  df <- if (share > 0) 1 / (share^2 / (m - 1) + if (is.na(complete)) 0 else 1 / seen) else seen
  increase <- added / within
  say(path, c(row_of(mean(fits[1, ]), sqrt(within + added), df, o), both(d), level = o$level, imputations = m, imputed = length(unknown),
    missing_information = if (share > 0) (increase + if (is.na(df)) 0 else 2 / (df + 3)) / (1 + increase) else 0))
})
