# The arm as instrument for what was received: the ratio of its effects on outcome and receipt. The second row is the set of
# Anderson and Rubin, all b for which the outcome less b times what was received shows no effect of the arm. It is found by
# maximizing the statistic over the circle b + tan(u), on which it rises from 0 at the estimate and falls back to it.
instrumental_variables <- function(d, o) {
  d <- d[!is.na(d$y) & !is.na(d$received), ]
  M <- design(d, FALSE)
  fit <- fitting(d, M, replace(numeric(ncol(M)), 2, 1), o$variance, NULL)
  itt <- fit(d$y)
  first <- fit(d$received)
  b <- itt$estimate / first$estimate
  s <- fit(d$y - b * d$received)$std_error / abs(first$estimate)
  df <- df_of(itt, o)
  row <- row_of(b, s, df, o)
  q <- if (is.na(df)) qnorm(1 - (1 - o$level) / 2) else qt(1 - (1 - o$level) / 2, df)
  unit <- if (s > 0) s else itt$std_error / abs(first$estimate)
  at <- function(u) b + unit * tan(u)
  excess <- function(u) {
    x <- if (abs(u - pi / 2) < 1e-9) first else fit(d$y - at(u) * d$received)
    (x$estimate / x$std_error)^2 / q^2 - 1
  }
  ends <- c(conf_low = NA, conf_high = NA, ray_to = NA, ray_from = NA)
  # Outcomes that are fitted exactly have no test to invert.
  top <- if (itt$std_error > 0) optimize(excess, c(1e-9, pi - 1e-9), maximum = TRUE, tol = 1e-9)
  if (isTRUE(top$objective > 0)) {
    up <- uniroot(excess, c(1e-9, top$maximum), tol = 1e-15)$root
    down <- uniroot(excess, c(top$maximum, pi - 1e-9), tol = 1e-15)$root
    ends[if (up < pi / 2 && down > pi / 2) c("conf_high", "conf_low") else c("ray_to", "ray_from")] <- c(at(up), at(down))
  }
  reduced <- row_of(itt$estimate, itt$std_error, df, o)
  binary <- all(d$received %in% 0:1)
  counted <- c(both(d), if (!is.null(d$cluster)) units_of(d))
  list(c(row, counted, first_stage = first$estimate, first_stage_std_error = first$std_error, first_stage_f = if (first$std_error > 0) (first$estimate / first$std_error)^2 else NA,
    complier_share = if (binary) abs(first$estimate) else NA, itt = itt$estimate, itt_std_error = itt$std_error),
    c(estimate = b, std_error = NA, reduced[c("statistic", "df", "p_value")], ends, counted))
}
