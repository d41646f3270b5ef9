# Golden values of `kaplan-meier`, `log-rank` and `rmst`: run `Rscript generate.R` in this folder; it writes data.csv here
# and results.csv here, in ../log-rank and in ../rmst. Needs survival. The data are made up, case by case.
library(survival)
set.seed(20250301)
rows <- NULL
add <- function(case, arm, entry, time, event, site) rows <<- rbind(rows, data.frame(case, arm, entry, time, event, site))
draw <- function(n) ifelse(seq_len(n) %in% sample(n, n %/% 2), "iuh", "standard")
# Whole days with many ties, three sites, missing times and codes.
n <- 150; arm <- draw(n); t <- ceiling(rexp(n, ifelse(arm == "iuh", 1, 1.6) / 30)); c <- sample(20:60, n, TRUE)
event <- as.integer(t <= c); t <- pmin(t, c); t[c(3, 40, 77)] <- NA; event[c(9, 77)] <- NA
add("ties", arm, 0, t, event, sample(c("north", "south", "east"), n, TRUE))
# Late entry, with enough at risk from the beginning.
n <- 120; arm <- draw(n); e <- ifelse(seq_len(n) <= 60, 0, sample(0:25, n, TRUE)); t <- e + ceiling(rexp(n, 1 / 40)); c <- e + sample(15:90, n, TRUE)
add("late", arm, e, pmin(t, c), as.integer(t <= c), sample(c("north", "south"), n, TRUE))
# Quarters of a day, without censoring in one arm: its curve ends at zero.
n <- 40; arm <- draw(n); t <- ceiling(4 * rexp(n, 1 / 20)) / 4; event <- ifelse(arm == "iuh", as.integer(seq_len(n) %% 3 > 0), 1L)
t[which(arm == "iuh")[1]] <- 90; event[which(arm == "iuh")[1]] <- 0
add("ended", arm, 0, t, event, "north")
# Hardly any event: one arm has none until the horizon.
n <- 30; arm <- draw(n); t <- sample(30:60, n, TRUE); event <- ifelse(arm == "iuh", 0L, as.integer(seq_len(n) %% 5 == 0))
add("sparse", arm, 0, t, event, "north")
# Curves that are level at exactly one half, with and without a later drop.
add("half", rep(c("iuh", "standard"), each = 6), 0, c(2, 4, 5, 7, 9, 12, 1, 3, 3, 8, 8, 8), c(1, 1, 1, 0, 1, 0, 1, 1, 1, 0, 0, 0), "north")
# Two rows an arm.
add("least", c("iuh", "iuh", "standard", "standard"), 0, c(3, 5, 2, 4), c(1, 0, 1, 1), "north")
# Large times, all tied but for the ends.
n <- 60; add("tied", draw(n), 0, c(rep(1e7, n - 10), 1e7 + 1:10), rep(c(1, 1, 0), n / 3), sample(c("north", "south"), n, TRUE))
write.csv(rows, "data.csv", row.names = FALSE, quote = FALSE)

horizons <- list(ties = c(5, 20, 33.5, 54), late = c(12, 40, 60), ended = c(10, 60, 88), sparse = c(29, 45), half = c(4, 6, 8), least = c(2, 4, 5), tied = c(1e7, 1e7 + 4))
km <- rmst <- lr <- NULL
for (case in names(horizons)) {
  d <- rows[rows$case == case & !is.na(rows$time) & !is.na(rows$event), ]
  for (h in horizons[[case]]) for (level in c(.95, .8)) {
    z <- qnorm(1 - (1 - level) / 2)
    one <- function(a) {
      own <- d[d$arm == a, ]
      fit <- survfit(Surv(entry, time, event) ~ 1, own, conf.type = "log-log", conf.int = level)
      s <- summary(fit, times = h, extend = TRUE); q <- quantile(fit, .5)
      # Beyond S = 0 and at S = 0 R has NaN; the variance counts as 0 there.
      se <- if (s$surv == 0) 0 else s$std.err
      inside <- s$surv > 0 && s$surv < 1
      # The area and its variance anew, from n.risk and n.event alone.
      k <- fit$n.event > 0 & fit$time <= h; ti <- fit$time[k]; n <- fit$n.risk[k]; e <- fit$n.event[k]; surv <- cumprod(1 - e / n)
      widths <- diff(c(0, ti, h)); area <- sum(widths * c(1, surv))
      after <- vapply(seq_along(ti), function(i) sum((diff(c(ti, h)) * surv)[i:length(ti)]), 0)
      v <- sum(ifelse(n == e, 0, after^2 * e / (n * (n - e))))
      if (h > min(own$time) && h <= max(own$time)) {  # as survival itself, where it answers
        m <- summary(fit, rmean = h)$table
        stopifnot(all.equal(unname(m["rmean"]), area, tolerance = 1e-12), all.equal(unname(m["se(rmean)"])^2, v, tolerance = 1e-10))
      }
      list(s = s$surv, se = se, low = if (inside) s$lower else NA, high = if (inside) s$upper else NA, median = q$quantile, mlow = q$lower, mhigh = q$upper,
        risk = sum(own$time >= h & own$entry < h), events = sum(e), mean = area, v = v, n = nrow(own))
    }
    a <- one("iuh"); b <- one("standard")
    base <- data.frame(case, horizon = h, level, n_treated = a$n, n_control = b$n)
    effect <- function(e, s) data.frame(estimate = e, std_error = s, p_value = if (s > 0) 2 * pnorm(-abs(e / s)) else NA, conf_low = if (s > 0) e - z * s else NA, conf_high = if (s > 0) e + z * s else NA)
    none <- data.frame(median = NA, median_low = NA, median_high = NA, at_risk = NA, events = NA)
    e <- effect(a$s - b$s, sqrt(a$se^2 + b$se^2))
    km <- rbind(km, cbind(base, term = "effect", e, none))
    for (arm in c("iuh", "standard")) {
      x <- if (arm == "iuh") a else b
      km <- rbind(km, cbind(base, term = arm, data.frame(estimate = x$s, std_error = x$se, p_value = NA, conf_low = x$low, conf_high = x$high,
        median = x$median, median_low = x$mlow, median_high = x$mhigh, at_risk = x$risk, events = x$events)))
    }
    e <- effect(a$mean - b$mean, sqrt(a$v + b$v))
    rmst <- rbind(rmst, cbind(base, term = "difference", e))
    r <- effect(log1p((a$mean - b$mean) / b$mean), sqrt(a$v / a$mean^2 + b$v / b$mean^2))
    r$estimate <- exp(r$estimate); r$conf_low <- exp(r$conf_low); r$conf_high <- exp(r$conf_high)
    rmst <- rbind(rmst, cbind(base, term = "ratio", r))
    for (arm in c("iuh", "standard")) {
      x <- if (arm == "iuh") a else b; s <- sqrt(x$v)
      rmst <- rbind(rmst, cbind(base, term = arm, data.frame(estimate = x$mean, std_error = s, p_value = NA,
        conf_low = if (s > 0) x$mean - z * s else NA, conf_high = if (s > 0) x$mean + z * s else NA)))
    }
  }
  if (case == "late") next  # survdiff knows no entry
  for (strata in c(FALSE, TRUE)) {
    if (strata && length(unique(d$site)) < 2) next
    f <- if (strata) Surv(time, event) ~ arm + strata(site) else Surv(time, event) ~ arm
    s <- survdiff(f, d)
    sum2 <- function(x) if (is.matrix(x)) rowSums(x) else x
    o <- sum2(s$obs); x <- sum2(s$exp)
    lr <- rbind(lr, data.frame(case, strata, n_treated = sum(d$arm == "iuh"), n_control = sum(d$arm != "iuh"), statistic = s$chisq, p_value = pchisq(s$chisq, 1, lower.tail = FALSE),
      observed_treated = o[1], observed_control = o[2], expected_treated = x[1], expected_control = x[2], variance = s$var[1, 1]))
  }
}
write <- function(x, folder) {
  for (k in which(sapply(x, is.numeric))) x[[k]] <- ifelse(is.na(x[[k]]), "NA", sprintf("%.15g", x[[k]]))
  write.csv(x, file.path(folder, "results.csv"), row.names = FALSE, quote = FALSE)
  writeLines(c(R.version.string, paste("survival", packageVersion("survival"))), file.path(folder, "session.txt"))
}
write(km, "."); write(rmst, "../rmst"); write(lr, "../log-rank")
