
# The comparison.
counts <- c("n_treated", "n_control", "units_treated", "units_control", "randomized", "analysed", "missing", "by_rule", "not_yet", "events",
  "families", "draws", "failed", "imputations", "imputed", "pairs", "turning", "known_treated", "known_control", "terminal", "at_risk")
last <- sub(".*/", "", names(found))
old <- reported[names(found)]
difference <- unname(found - old)
tolerance <- ifelse(last %in% counts, 0, 1e-6 * abs(old) + ifelse(last %in% c("p_value", "p_adjusted", "q_value"), 1e-12, 1e-9))
core <- last %in% c("estimate", "std_error", "df", "p_value", "conf_low", "conf_high")
differs <- ifelse(is.na(old), core, abs(difference) > tolerance)
wrong <- differs | (is.na(difference) & !is.na(old))
known <- !is.na(old) | wrong
options(width = 160)
print(data.frame(number = names(found), reported = format(old, digits = 10), recomputed = format(unname(found), digits = 10),
  difference = format(difference, digits = 2), verdict = ifelse(wrong, "DIFFERS", "agrees"), row.names = NULL)[known, ], right = FALSE, row.names = FALSE)
over <- setdiff(names(reported), names(found))
cat("\nTaken over, not computed again:", if (length(over)) paste0("\n  ", over) else " none", "\n", sep = "")
if (any(!known)) cat("\nComputed here, not reported:", paste0("\n  ", names(found)[!known]), "\n", sep = "")
for (b in broken) cat("\nBROKEN: ", b, "\n", sep = "")
cat("\n", sum(known & !wrong), " numbers agree, ", sum(wrong), " differ, ", length(over), " are taken over.\n", sep = "")
if (any(wrong) || length(broken)) quit(status = 1)
