# Multiple imputation: the completed data sets are taken over; each is analysed and all are pooled (Rubin; Barnard and Rubin).
# `moved` is added to the completed outcomes of the treated arm.
pooled_of <- function(path, name, estimator, o) {
  d <- table_of(name)
  sets <- as.matrix(table_of(paste0(name, ".drawn"))[-1])
  unknown <- which(is.na(d$y))
  rests(path, paste0("the outcomes of ", length(unknown), " families in ", ncol(sets), " completed data sets (data/", name, ".drawn.csv)"))
  m <- ncol(sets)
  function(moved) {
    fits <- unname(sapply(seq_len(m), function(i) {
      d$y[unknown] <- sets[, i] + moved * d$treated[unknown]
      row <- estimator(d, o)[[1]]
      c(row["estimate"], row["std_error"], row["df"])
    }))
    within <- mean(fits[2, ]^2)
    added <- (1 + 1 / m) * var(fits[1, ])
    share <- if (within + added > 0) added / (within + added) else 0
    complete <- fits[3, m]
    seen <- (complete + 1) / (complete + 3) * complete * (1 - share)
    df <- if (share > 0) 1 / (share^2 / (m - 1) + if (is.na(complete)) 0 else 1 / seen) else seen
    increase <- if (within > 0) added / within else 0
    c(row_of(mean(fits[1, ]), sqrt(within + added), df, o), both(d), level = o$level, imputations = m, imputed = length(unknown),
      missing_information = if (share > 0) (increase + if (is.na(df)) 0 else 2 / (df + 3)) / (1 + increase) else 0)
  }
}
imputed <- function(path, name, estimator, o) step(name, say(path, pooled_of(path, name, estimator, o)(0)))
# How far the completed outcomes of the treated arm must move for the verdict to turn: steps of a tenth of the standard deviation
# of the known ones, up to five of them, up before down.
shifted <- function(path, name, estimator, o) step(name, {
  at <- pooled_of(path, name, estimator, o)
  d <- table_of(name)
  verdict <- function(row) if (isTRUE(row[["p_value"]] <= 1 - o$level)) sign(row[["estimate"]]) else 0
  own <- at(0)
  deviation <- sd(d$y, na.rm = TRUE)
  row <- c(own, shift = NA)
  if (any(is.na(d$y) & d$treated == 1) && deviation > 0) for (shift in c(rbind(1:50, -(1:50))) * 0.1 * deviation) {
    moved <- at(shift)
    if (verdict(moved) != verdict(own)) { row <- c(moved, shift = shift); break }
  }
  say(path, row)
})
