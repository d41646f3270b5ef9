reported <- read.csv("results.csv", stringsAsFactors = FALSE)
reported <- setNames(reported$value, reported$number)
found <- numeric(0)
broken <- character(0)

# Every number that is computed here goes through `say`, under the path that it has in results.csv.
say <- function(path, values) {
  values <- unlist(values)
  values <- values[!is.na(values)]
  if (length(values)) found[paste(path, names(values), sep = "/")] <<- values
}
# A step that fails is a difference, not a silence.
step <- function(what, code) tryCatch(code, error = function(e) broken <<- c(broken, paste0(what, ": ", conditionMessage(e))))
table_of <- function(name) read.csv(file.path("data", paste0(name, ".csv")), check.names = FALSE, stringsAsFactors = FALSE)
covariates <- function(d) as.matrix(d[startsWith(names(d), "x.")])

# The rows of an estimator, each under its own path; `repeated` limits belong to several looks and are left out.
effect <- function(paths, name, estimator, o) step(name, {
  rows <- estimator(table_of(name), o)
  for (i in seq_along(paths)) if (i <= length(rows)) {
    row <- c(rows[[i]], level = o$level)
    if (isTRUE(o$repeated) && i == 1) row <- row[setdiff(names(row), c("conf_low", "conf_high", "level"))]
    say(paths[i], row)
  }
})
# An estimate with its standard error: t with `df`, normal without; ratios are on the logarithm until the end.
row_of <- function(e, s, df, o, ratio = FALSE) {
  t <- e / s
  q <- if (is.na(df)) qnorm(1 - (1 - o$level) / 2) else qt(1 - (1 - o$level) / 2, df)
  own <- if (ratio) exp else identity
  c(estimate = own(e), std_error = s, statistic = t, df = df,
    p_value = if (is.na(df)) 2 * pnorm(-abs(t)) else 2 * pt(-abs(t), df), conf_low = own(e - q * s), conf_high = own(e + q * s))
}
both <- function(d) c(n_treated = sum(d$treated == 1), n_control = sum(d$treated == 0))

# What was seen in each arm, unadjusted.
families <- table_of("families")
seen <- function(id, binary) step(id, for (arm in unique(families$arm)) {
  own <- families[families$arm == arm, ]
  status <- own[[paste0(id, ".status")]]
  y <- own[[paste0(id, ".value")]][status %in% c("known", "by-rule")]
  say(paste(id, "arms", arm, sep = "/"), c(randomized = length(status), analysed = length(y), missing = sum(status == "missing"),
    by_rule = sum(status == "by-rule"), not_yet = sum(status == "not-yet"), mean = mean(y), if (binary) c(events = sum(y))))
})
for (arm in unique(families$arm)) say(paste0("families/", arm), c(families = sum(families$arm == arm)))
