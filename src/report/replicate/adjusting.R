# Adjusting for several tests; a p that does not exist counts as 1.
adjust <- function(rule, from, to) step(rule, {
  own <- deciding(from)
  p <- ifelse(is.na(own), 1, own)
  adjusted <- if (length(p) == 1) p else if (rule == "fixed-sequence") cummax(p) else p.adjust(p, c(holm = "holm", "benjamini-hochberg" = "BH")[[rule]])
  if (any(sub("/p_value$", "", from) %in% names(drawn_for))) rests(to, "p-values that are")
  for (i in which(!is.na(own))) found[to[i]] <<- adjusted[i]
})
