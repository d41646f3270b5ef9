reported <- read.csv("results.csv", stringsAsFactors = FALSE)
reported <- setNames(reported$value, reported$number)
found <- numeric(0)
broken <- character(0)
reasons <- character(0)

# Every number that is computed here goes through `say`, under the path that it has in results.csv. One that does not exist is NA,
# and agrees with a number that is not reported.
say <- function(path, values) {
  values <- unlist(values)
  if (length(values)) found[paste(path, names(values), sep = "/")] <<- values
}
# Numbers as computed here, or as reported where a step takes them over.
deciding <- function(paths) unname(ifelse(paths %in% names(found), found[paths], reported[paths]))
# Numbers under a path that are not computed here, and why.
over <- function(path, why) reasons[path] <<- why
# A step that fails is a difference, not a silence.
step <- function(what, code) invisible(tryCatch(code, error = function(e) broken <<- c(broken, paste0(what, ": ", conditionMessage(e)))))
# What a step needs beside base R; without it its numbers are taken over.
with_packages <- function(paths, needs, code) {
  absent <- needs[!vapply(needs, requireNamespace, TRUE, quietly = TRUE)]
  if (length(absent)) for (path in paths) over(path, paste("the package", paste(absent, collapse = ", "), "is not installed")) else code
  invisible(NULL)
}
# Files as they are given, and with the columns that are made again in place of the given ones.
given_columns <- list()
tables <- list()
table_of <- function(name) {
  if (is.null(tables[[name]])) {
    tables[[name]] <<- read.csv(file.path("data", paste0(name, ".csv")), check.names = FALSE, stringsAsFactors = FALSE)
    given_columns[[name]] <<- names(tables[[name]])
  }
  tables[[name]]
}
# Numbers that are computed here from random draws that are given, and which draws.
drawn_for <- character(0)
rests <- function(paths, draws) drawn_for[paths] <<- draws
covariates <- function(d) as.matrix(d[startsWith(names(d), "x.")])
strata_of <- function(d) {
  own <- d[startsWith(names(d), "stratum.")]
  if (length(own)) interaction(own, drop = TRUE, lex.order = TRUE) else NULL
}

# The rows of an estimator, each under its own path; the limits of a row that `monitored` gives are left to it.
effect <- function(paths, name, estimator, o, needs = character(0)) with_packages(paths, needs, step(name, {
  rows <- estimator(table_of(name), o)
  if (length(rows) < length(paths)) stop(length(rows), " rows where ", length(paths), " are reported")
  for (i in seq_along(paths)) {
    row <- c(rows[[i]], level = o$level)
    if (isTRUE(o$monitored) && i == 1) row <- row[setdiff(names(row), c("conf_low", "conf_high", "level"))]
    say(paths[i], row)
  }
}))
# An estimate with its standard error: t with `df`, normal without; ratios are on the logarithm until the end. Without a standard
# error above 0 there is neither test nor interval.
row_of <- function(e, s, df, o, ratio = FALSE) {
  t <- if (isTRUE(s > 0)) e / s else NA
  q <- if (is.na(df)) qnorm(1 - (1 - o$level) / 2) else qt(1 - (1 - o$level) / 2, df)
  own <- if (ratio) exp else identity
  c(estimate = own(e), std_error = s, statistic = t, df = df,
    p_value = if (is.na(df)) 2 * pnorm(-abs(t)) else 2 * pt(-abs(t), df), conf_low = own(e - q * s + 0 * t), conf_high = own(e + q * s + 0 * t))
}
# A ratio whose likelihood rises without end: the deviate of the score test without its sign, and the log ratio at which it meets the
# quantile.
one_limit <- function(deviate, o) {
  rises <- o$ratio == "infinite"
  away <- if (rises) -1 else 1
  past <- function(x) deviate(away * x) - qnorm(1 - (1 - o$level) / 2)
  side <- sign(past(0))
  far <- 0
  while (sign(past(far)) == side) far <- far - 0.5 * side
  limit <- exp(away * uniroot(past, sort(c(far, far + 0.5 * side)), tol = 1e-12)$root)
  z <- -away * deviate(0)
  c(estimate = NA, std_error = NA, statistic = z, df = NA, p_value = 2 * pnorm(-abs(z)), conf_low = if (rises) limit else NA, conf_high = if (rises) NA else limit)
}
both <- function(d) c(n_treated = sum(d$treated == 1), n_control = sum(d$treated == 0))

# What was seen in each arm, unadjusted; where each child counts alike the means of families weigh by their children.
families <- table_of("families")
seen <- function(id, binary, average = "") step(id, for (arm in unique(families$arm)) {
  own <- families[families$arm == arm, ]
  status <- own[[paste0(id, ".status")]]
  y <- own[[paste0(id, ".value")]][status %in% c("known", "by-rule")]
  children <- own[[paste0(id, ".children")]][status == "known"]
  say(paste(id, "arms", arm, sep = "/"), c(randomized = length(status), analysed = length(y), missing = sum(status == "missing"),
    by_rule = sum(status == "by-rule"), not_yet = sum(status == "not-yet"), mean = if (average == "child-average") sum(children * y) / sum(children) else mean(y),
    if (average != "") c(children = sum(children)), if (binary) c(events = sum(y))))
})
# The limit of the p that decides: the registered alpha without what interim looks may spend.
limit_of <- function(id, alpha, looks) say(id, c(alpha = alpha - sum(looks)))
# The row of an effect that does not exist counts families: those that its analysis counts, or of a row under another rule those
# whose outcome is known, or those of its own columns.
absent <- function(path, id, arms, which, level, name = NULL) step(path, {
  count <- if (is.null(name)) function(arm) sum(families$arm == arm & families[[paste0(id, ".status")]] %in% which) else {
    d <- table_of(name)
    if (!is.null(d$y)) d <- d[!is.na(d$y), ]
    function(arm) length(unique(d$family[d$treated == (arm == arms[1])]))
  }
  say(path, c(n_treated = count(arms[1]), n_control = count(arms[2]), level = level))
})
for (arm in unique(families$arm)) say(paste0("families/", arm), c(families = sum(families$arm == arm)))
# Who received the treated arm's service, by month of randomization.
by_month <- function(id, treated, control) step(id, for (month in unique(families$month)) {
  count <- function(arm, by) sum((families$arm == arm & families$month == month) * by)
  got <- families[[paste0(id, ".received.", treated)]]
  if (count(treated, 1) + count(control, 1) > 0) for (what in c("randomized", "received")) {
    by <- if (what == "received") replace(got, is.na(got), 0) else 1
    say(paste(id, "received_by_month", month, what, sep = "/"), c("1" = count(treated, by), "2" = count(control, by)))
  }
})
