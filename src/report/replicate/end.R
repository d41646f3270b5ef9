
# The comparison, number by number: alike, DIFFERS, or taken over.
counts <- c("n_treated", "n_control", "units_treated", "units_control", "randomized", "received", "analysed", "missing", "by_rule", "not_yet", "children", "events",
  "events_treated", "events_control", "competing", "families", "of", "characteristics", "draws", "failed", "imputations", "imputed", "moved", "resamples", "pairs", "turning", "turns_at", "unknown", "known_treated",
  "known_control", "terminal", "at_risk", "strata", "coefficients", "mann_whitney")
last <- function(path) { own <- strsplit(path, "/"); vapply(own, function(p) if (grepl("^[12]$", tail(p, 1)) && length(p) > 1) p[length(p) - 1] else tail(p, 1), "") }
number <- union(names(reported), names(found)[!is.na(found)])
old <- reported[number]
new <- found[number]
over <- !number %in% names(found)
difference <- unname(new - old)
tolerance <- ifelse(last(number) %in% counts, 0, 1e-6 * abs(old) + ifelse(last(number) %in% c("p_value", "p_adjusted", "q_value"), 1e-12, 1e-9))
differs <- !over & (is.na(old) | is.na(new) | !is.na(difference) & abs(difference) > tolerance)
why <- function(path) {
  own <- reasons[startsWith(path, paste0(names(reasons), "/")) | path == names(reasons)]
  if (length(own)) own[[which.max(nchar(names(own)))]] else "no function of this script computes it"
}
verdict <- ifelse(over, "taken over", ifelse(differs, "DIFFERS", "alike"))
text <- function(x, digits) vapply(unname(x), function(v) if (is.na(v)) "-" else format(v, digits = digits), "")
options(width = 200, max.print = 1e6)
print(data.frame(number, reported = text(old, 10), recomputed = text(new, 10), difference = text(difference, 2), verdict), right = FALSE, row.names = FALSE)
cat("\nTaken over, not computed again:", if (any(over)) paste0("\n  ", number[over], ": ", vapply(number[over], why, "")) else " none", "\n", sep = "")
if (!is.null(compared)) {
  cat("\nColumns that are given, made again here and used in their place:\n")
  # Indicators of sites stand as `sites`, one by one where they differ.
  shown <- compared[!grepl("/x[.]", compared$column) | compared$verdict == "DIFFERS", ]
  print(transform(shown, largest = text(largest, 2)), right = FALSE, row.names = FALSE)
}
# Columns that nothing was made for, with the files that have them.
plain <- do.call(rbind, lapply(setdiff(names(given_columns), "families"), function(name) {
  own <- setdiff(given_columns[[name]], c("family", sub(".*/", "", compared$column[startsWith(compared$column, paste0(name, "/"))])))
  own <- unique(sub("^set[.].*", "set.*", own))
  if (grepl("[.]redraws$|[.]resamples$|^westfall-young[.]", name)) own <- "*"
  if (length(own)) data.frame(own, name)
}))
if (!is.null(plain)) cat("\nColumns that are given and not made again, beside those of families.csv (codebook.csv says what they are):",
  paste0("\n  ", unique(plain$own), ": ", vapply(unique(plain$own), function(own) paste(plain$name[plain$own == own], collapse = ", "), "")), "\n", sep = "")
resting <- number[!over & vapply(number, function(path) any(startsWith(path, paste0(names(drawn_for), "/")) | path == names(drawn_for)), TRUE)]
if (length(drawn_for)) cat("\nComputed from random draws that are given and not drawn again:", paste0("\n  ", names(drawn_for), ": ", drawn_for), "\n", sep = "")
for (b in broken) cat("\nBROKEN: ", b, "\n", sep = "")
cat("\n", sum(verdict == "alike"), " numbers alike, ", sum(differs), " differ, ", sum(over), " taken over.\n", sep = "")
if (length(resting)) cat(length(resting), " of them are computed from random draws that are given.\n", sep = "")
apart <- sum(compared$verdict == "DIFFERS")
if (!is.null(compared)) cat(nrow(compared) - apart, " columns alike, ", apart, " differ.\n", sep = "")
if (any(differs) || apart || length(broken)) quit(status = 1)
