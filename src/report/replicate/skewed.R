# The same analysis of outcomes that are drawn in to the quantiles of `share` and 1 - share of the outcomes that are counted, of all
# arms together (type 7). A place that is whole but for rounding is a whole one: a value, and not a little beyond it.
winsorized <- function(path, name, id, share, estimator, o) step(name, {
  counted <- families[families[[paste0(id, ".status")]] %in% c("known", "by-rule"), ]
  rising <- sort(counted[[paste0(id, ".value")]])
  place <- share * (length(rising) - 1)
  if (abs(place - round(place)) < 1e-9) place <- round(place)
  at <- function(place) rising[floor(place) + 1] + (place - floor(place)) * (rising[ceiling(place) + 1] - rising[floor(place) + 1])
  ends <- c(at(place), at(length(rising) - 1 - place))
  d <- table_of(name)
  within <- pmin(pmax(d$y, ends[1]), ends[2])
  moved <- abs(within - d$y) > 1e-12 * pmax(1, abs(d$y))
  d$y <- within
  say(path, c(estimator(d, o)[[1]], level = o$level, winsorized_share = share, "winsorized_to/1" = ends[1], "winsorized_to/2" = ends[2],
    "moved/1" = sum(moved & d$treated == 1), "moved/2" = sum(moved & d$treated == 0)))
})
# The studentized bootstrap: effect and standard error are computed here, those of the resamples are taken over. The limits are the
# effect less its standard error times the values at the places tail (B + 1) of (theta* - theta) / se* in rising order, from either
# end; a resample without an effect is beyond every other at both ends.
bootstrap <- function(path, name, drawn, estimator, o) step(name, {
  row <- estimator(table_of(name), o)[[1]]
  own <- table_of(drawn)
  rests(path, paste0("the effects on ", nrow(own), " resamples (data/", drawn, ".csv)"))
  e <- row[["estimate"]]
  s <- row[["std_error"]]
  row[c("df", "p_value", "conf_low", "conf_high")] <- NA
  row <- c(row, level = o$level, resamples = nrow(own))
  if (isTRUE(s > 0)) {
    t <- (own$estimate - e) / own$std_error
    failed <- sum(is.na(t))
    t <- sort(t)
    near <- 1e-9 * max(1, abs(e / s))
    q <- (1 + failed + min(sum(t >= e / s - near), sum(t <= e / s + near))) / (1 + nrow(own))
    end <- function(t) {
      place <- (1 - o$level) / 2 * (nrow(own) + 1) - failed
      if (abs(place - round(place)) < 1e-9) place <- round(place)
      if (place < 1 || place > length(t)) NA else approx(seq_along(t), t, place)$y
    }
    row[c("p_value", "conf_low", "conf_high")] <- c(min(1, 2 * q), e - end(rev(t)) * s, e - end(t) * s)
    row <- c(row, failed = failed, mcse = 2 * sqrt(q * (1 - q) / nrow(own)))
  }
  say(path, row)
})
