# Effects by subgroup and their differences: a level and an effect of the arm for each level with enough families, covariates
# once.
subgroups <- function(path, name, column, enough, o) step(path, {
  d <- table_of(name)
  d <- d[!is.na(d$y), ]
  levels <- o$levels
  families_of <- function(l, arm) length(unique(d$family[d[[column]] == l & d$treated == arm]))
  cells <- unname(sapply(levels, function(l) c(families_of(l, 1), families_of(l, 0))))
  for (i in seq_along(levels)) say(paste(path, "levels", levels[i], sep = "/"), c(n_treated = cells[1, i], n_control = cells[2, i]))
  kept <- levels[apply(cells >= enough, 2, all)]
  if (!length(kept)) return(invisible(NULL))
  d <- d[d[[column]] %in% kept, ]
  G <- sapply(kept, function(l) as.numeric(d[[column]] == l))
  M <- cbind(G, G * d$treated, covariates(d))
  own <- function(k) {
    k <- c(numeric(length(kept)), k, numeric(ncol(M) - 2 * length(kept)))
    fit <- fitting(d, M, k, "hc2")(d$y)
    if (isTRUE(fit$decided)) return(NULL)
    row_of(fit$estimate, fit$std_error, if (is.null(d$cluster)) fit$bm else fit$satterthwaite, o)
  }
  parts <- c("estimate", "std_error", "df", "conf_low", "conf_high")
  for (i in seq_along(kept)) {
    k <- replace(numeric(length(kept)), i, 1)
    say(paste(path, "levels", kept[i], "effect", sep = "/"), own(k)[parts])
    if (i == 1) next
    row <- own(k - replace(numeric(length(kept)), 1, 1))
    say(paste(path, "contrasts", kept[i], "difference", sep = "/"), row[parts])
    say(paste(path, "contrasts", kept[i], sep = "/"), row["p_value"])
  }
})
