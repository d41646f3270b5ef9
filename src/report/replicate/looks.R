# Looks on the way: critical values spend the registered amounts at the information that there is (1/variance), by integrating
# the density of those who went on from look to look. `reach` of a path is the density of its last look, NULL before the first.
legendre <- local({
  k <- seq_len(15)
  e <- eigen(rbind(cbind(0, diag(k / sqrt(4 * k^2 - 1))), 0) + t(rbind(cbind(0, diag(k / sqrt(4 * k^2 - 1))), 0)), symmetric = TRUE)
  list(x = e$values, w = 2 * e$vectors[1, ]^2)
})
above <- function(path, t, z, drift) {
  if (is.null(path)) return(pnorm(z - drift * sqrt(t), lower.tail = FALSE))
  by <- t - path$t
  sum(path$mass * pnorm((z * sqrt(t) - path$z * sqrt(path$t) - drift * by) / sqrt(by), lower.tail = FALSE))
}
go_on <- function(path, t, critical, following, drift) {
  mean <- drift * sqrt(t)
  from <- max(-critical, mean - 9)
  to <- min(critical, mean + 9)
  if (from >= to) return(list(t = t, z = mean, mass = 0))
  wide <- min(1, sqrt((following - t) / t), if (!is.null(path)) sqrt((t - path$t) / t))
  edges <- seq(from, to, length.out = 1 + ceiling((to - from) / wide))
  half <- diff(edges) / 2
  z <- c(outer(legendre$x, half) + rep(edges[-1] - half, each = length(legendre$x)))
  w <- c(outer(legendre$w, half))
  density <- if (is.null(path)) dnorm(z - mean) else {
    by <- t - path$t
    colSums(path$mass * dnorm(outer(-path$z * sqrt(path$t), z * sqrt(t) - drift * by, "+") / sqrt(by))) * sqrt(t / by)
  }
  list(t = t, z = z, mass = w * density)
}
critical_values <- function(information, cumulative) {
  path <- NULL
  critical <- numeric(0)
  for (k in seq_along(information)) {
    now <- (cumulative[k] - c(0, cumulative)[k]) / 2
    critical[k] <- if (now > 1e-300) uniroot(function(z) log(max(above(path, information[k], z, 0), 1e-305)) - log(now), c(-8, 37), tol = 1e-13)$root else Inf
    if (k < length(information)) path <- go_on(path, information[k], critical[k], information[k + 1], 0)
  }
  critical
}
# The probability of an outcome more extreme upwards than the last one, stage by stage.
more_extreme <- function(information, critical, z, drift) {
  path <- NULL
  total <- 0
  last <- length(information)
  for (k in seq_len(last - 1)) {
    total <- total + above(path, information[k], critical[k], drift)
    path <- go_on(path, information[k], critical[k], information[k + 1], drift)
  }
  total + above(path, information[last], z, drift)
}
# The looks at an analysis, this one last: limit of its p, looks, repeated interval, and at a stop the row of the stage-wise
# ordering. `stems` are the columns that the estimator got at each look, `spent` the alpha spent until then, and `decided` what a
# registered randomization test decided at each; `ratios` says where a ratio was "zero" or "infinite", with a test and no standard error, or
# an effect "below" or "above" without one, of which redraws decide.
monitored <- function(id, locks, stems, estimator, o, spent, alpha, final, stops, decided = abs(z) >= critical, ratios = rep(NA, length(stems)), here = TRUE) step(id, {
  exact <- ratios %in% c("below", "above")
  seen <- unname(Map(function(stem, ratio) estimator(table_of(stem), if (is.na(ratio)) o else c(o, ratio = ratio))[[1]], stems, ifelse(exact, NA, ratios)))
  # What a row does not report is NA.
  field <- function(name) unname(sapply(seen, function(row) row[name]))
  # A hazard ratio is weighed by its logarithm, a log-rank test by (O - E)/V, whose information is V; it has neither an estimate
  # nor limits.
  now <- length(seen)
  alone <- !is.na(ratios)
  ratio <- (alone & !exact)[now] || "log_estimate" %in% names(seen[[now]])
  score <- !ratio && "excess_variance" %in% names(seen[[now]])
  reported_as <- if (ratio) exp else identity
  e <- field(if (ratio) "log_estimate" else "estimate")
  s <- field("std_error")
  df <- field("df")
  if (score) {
    e <- (field("observed_treated") - field("expected_treated")) / field("excess_variance")
    s <- 1 / sqrt(field("excess_variance"))
    df <- rep(NA, length(seen))
  }
  # A difference of two proportions is weighed by the standard error of its own test, and bounded by that of the estimate.
  told <- reported_as
  if (exists("risk_difference") && identical(estimator, risk_difference)) {
    own <- s[length(seen)]
    tested <- abs(e / field("statistic"))
    s <- ifelse(is.finite(tested) & tested > 0, tested, s)
    wider <- own / s[length(seen)]
    centre <- e[length(seen)]
    if (isTRUE(abs(wider - 1) > 1e-9)) told <- function(value) pmin(1, pmax(-1, centre + (value - centre) * (if (is.finite(wider) && wider > 0) wider else 1)))
  }
  s[alone] <- Inf
  information <- 1 / s^2
  t <- abs(e / s)
  z <- sign(e) * qnorm(ifelse(is.na(df), pnorm(t, lower.tail = FALSE), pt(t, ifelse(is.na(df), 1, df), lower.tail = FALSE)), lower.tail = FALSE)
  z[alone] <- field("statistic")[alone]
  z[exact] <- ifelse(ratios[exact] == "above", 37, -37)
  # A look with no more information than one before it, or with none, spends its own amount alone; the others go on from one another.
  rising <- integer(0)
  amount <- diff(c(0, spent))
  critical <- qnorm(amount / 2, lower.tail = FALSE)
  for (k in seq_len(now)) {
    along <- c(rising, k)
    if (information[k] == 0 || any(diff(information[along]) <= 1e-9 * information[k])) next
    rising <- along
    critical[k] <- critical_values(information[along], cumsum(amount[along]))[length(along)]
  }
  fell <- length(rising) < now
  for (k in seq_len(now)) say(paste(id, "looks", locks[k], sep = "/"), c(information = if (all(alone)) 0 else information[k] / max(information), z = z[k],
    critical_value = if (is.finite(critical[k])) critical[k] else NA, cumulative_alpha = spent[k]))
  # Nothing could be weighed at this lock: these are the looks before it, and its limit is `limit_of`'s.
  if (!here) return(invisible(NULL))
  back <- function(d, df) if (is.na(df)) d else sign(d) * qt(pnorm(-abs(d)), df, lower.tail = FALSE)
  nominal <- 2 * pnorm(-critical[now])
  margin <- back(min(critical[now], 37), df[now]) * s[now]
  say(id, c(alpha = nominal))
  # A ratio without a standard error has the limit of its own test at that level.
  if (exact[now]) say(paste0(id, "/results/1"), c(conf_low = NA, conf_high = NA, level = 1 - nominal)) else if (alone[now]) {
    o$level <- 1 - nominal
    own <- estimator(table_of(stems[now]), c(o, ratio = ratios[now]))[[1]]
    say(paste0(id, "/results/1"), c(own[c("conf_low", "conf_high")], level = 1 - nominal))
  } else if (!score) say(paste0(id, "/results/1"), c(conf_low = told(e[now] - margin), conf_high = told(e[now] + margin), level = 1 - nominal))
  if (!missing(decided) && stops) rests(paste0(id, "/results/2"), "what the randomization test decided at each look")
  crossed <- which(decided)
  # Past an earlier boundary without a rejection: the order by stages would suppose a stop there.
  passed <- any(head(abs(z) >= critical, -1))
  # Nor does it have a place for a stop short of the boundary.
  short <- !final && abs(z[now]) < critical[now]
  stop_here <- !fell && !passed && !short && ((length(crossed) && crossed[1] == now) || (!length(crossed) && final))
  if (stop_here != stops) stop("the study stops here in one program only")
  if (!stop_here) return(invisible(NULL))
  up <- if (z[now] < 0) -1 else 1
  solve_for <- function(target) {
    # `d` is the drift in standard errors of this look.
    f <- function(d) qnorm(min(max(more_extreme(information, critical, up * z[now], d * s[now]), 1e-300), 1 - 1e-16)) - qnorm(target)
    own <- up * z[now]
    d <- uniroot(f, c(own - 12, own + 12), tol = 1e-12)$root
    up * e[now] - back(own - d, df[now]) * s[now]
  }
  half <- alpha / 2
  p <- more_extreme(information, critical, up * z[now], 0)
  # What the estimator reports beside stands in this row too.
  row <- seen[[now]]
  row[c("estimate", "std_error", "statistic", "df", "p_value", "conf_low", "conf_high")] <- c(NA, NA, NA, NA, 2 * min(p, 1 - p), NA, NA)
  if (!score) {
    ends <- up * c(solve_for(half), solve_for(1 - half))
    row[c("estimate", "conf_low", "conf_high")] <- told(c(up * solve_for(0.5), min(ends), max(ends)))
  }
  say(paste0(id, "/results/2"), c(row, level = 1 - alpha))
})
