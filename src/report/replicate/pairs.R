# Tipping points of an outcome that is 0 or 1: every pair of numbers of events among unknown outcomes, by the score test.
pairs_of <- function(path, name, o) step(name, {
  d <- table_of(name)
  count <- function(arm) {
    own <- d[d$treated == arm, ]
    k <- own$known == 1
    c(events = sum(own$y[k]), known = sum(k), unknown = sum(!k), settled = sum(own$y[!k], na.rm = TRUE))
  }
  a <- count(1)
  b <- count(0)
  verdict <- function(x1, n1, x0, n0) {
    p <- (x1 + x0) / (n1 + n0)
    s <- p * (1 - p) * (1 / n1 + 1 / n0) * (n1 + n0) / (n1 + n0 - 1)
    e <- x1 / n1 - x0 / n0
    ifelse(s > 0 & 2 * pnorm(-abs(e / sqrt(s))) <= o$alpha, sign(e), 0)
  }
  all <- expand.grid(control = b["settled"]:b["unknown"], treated = a["settled"]:a["unknown"])
  own <- verdict(a["events"], a["known"], b["events"], b["known"])
  turned <- verdict(a["events"] + all$treated, a["known"] + a["unknown"], b["events"] + all$control, b["known"] + b["unknown"]) != own
  away <- function(extra, x) if (x["unknown"] == 0) 0 * extra else (extra / x["unknown"] - x["events"] / x["known"])^2
  distance <- ifelse(turned, away(all$treated, a) + away(all$control, b), Inf)
  say(path, c(n_treated = unname(a["known"] + a["unknown"]), n_control = unname(b["known"] + b["unknown"]), level = o$level, pairs = nrow(all), turning = sum(turned)))
  say(paste0(path, "/unknown"), c("1" = unname(a["unknown"]), "2" = unname(b["unknown"])))
  say(path, c(estimate = NA))
  if (any(turned)) {
    at <- all[which.min(distance), ]
    say(paste0(path, "/turns_at"), c("1" = at$treated, "2" = at$control))
    say(path, c(estimate = unname((a["events"] + at$treated) / (a["known"] + a["unknown"]) - (b["events"] + at$control) / (b["known"] + b["unknown"]))))
  }
})
