# Golden values of `cumulative-incidence`: run `Rscript generate.R` in this folder; it writes data.csv and results.csv. Needs
# survival (curves and their variance) and cmprsk (Gray's test). The data are made up, case by case.
library(survival)
library(cmprsk)
set.seed(20250311)
rows <- NULL
add <- function(case, arm, time, event, site) rows <<- rbind(rows, data.frame(case, arm, time, event, site))
draw <- function(n) ifelse(seq_len(n) %in% sample(n, n %/% 2), "iuh", "standard")
# Whole days with many ties, two competing kinds, three sites, missing times and codes.
n <- 180; arm <- draw(n); t <- ceiling(rexp(n, ifelse(arm == "iuh", 1, 1.5) / 30)); c <- sample(20:60, n, TRUE)
event <- ifelse(t <= c, sample(1:3, n, TRUE, c(.6, .3, .1)), 0); t <- pmin(t, c); t[c(3, 40, 77)] <- NA; event[c(9, 77)] <- NA
add("ties", arm, t, event, sample(c("north", "south", "east"), n, TRUE))
# No ties.
n <- 90; arm <- draw(n); add("untied", arm, sample(1:4000, n) / 8, sample(0:2, n, TRUE, c(.3, .4, .3)), sample(c("north", "south"), n, TRUE))
# No competing event: one minus Kaplan-Meier.
n <- 50; arm <- draw(n); add("single", arm, sample(1:30, n, TRUE), sample(0:1, n, TRUE, c(.4, .6)), sample(c("north", "south"), n, TRUE))
# Nobody censored, everyone tied at few times.
n <- 60; arm <- draw(n); add("complete", arm, sample(c(5, 10, 15), n, TRUE), c(sample(1:2, n - 1, TRUE), 0), sample(c("north", "south"), n, TRUE))
# Hardly any event; one arm has none until the first horizon.
n <- 40; arm <- draw(n); t <- sample(30:60, n, TRUE); event <- ifelse(arm == "iuh", ifelse(t > 50, 1, 0), sample(c(0, 1, 2), n, TRUE, c(.8, .1, .1)))
add("sparse", arm, t, event, "north")
# Three rows an arm; one arm ends with everyone's last event.
add("least", rep(c("iuh", "standard"), each = 3), c(3, 5, 7, 2, 4, 6), c(1, 0, 2, 2, 1, 1), "north")
# Unequal follow-up: control is followed a third as long.
n <- 100; arm <- draw(n); t <- ceiling(rexp(n, 1 / 60)); c <- ifelse(arm == "iuh", 90, sample(10:30, n, TRUE)); event <- ifelse(t <= c, sample(1:2, n, TRUE), 0)
add("unequal", arm, pmin(t, c), event, sample(c("north", "south"), n, TRUE))
write.csv(rows, "data.csv", row.names = FALSE, quote = FALSE)

horizons <- list(ties = c(5, 20, 33.5, 50), untied = c(100, 300), single = c(10, 25), complete = c(5, 12, 15), sparse = c(45, 55), least = c(2, 4, 5), unequal = c(8, 25))
out <- NULL
for (case in names(horizons)) {
  d <- rows[rows$case == case & !is.na(rows$time) & !is.na(rows$event), ]
  d$kind <- factor(d$event, 0:3)
  for (h in horizons[[case]]) for (level in c(.95, .8)) {
    z <- qnorm(1 - (1 - level) / 2)
    one <- function(a) {
      own <- d[d$arm == a, ]
      s <- summary(survfit(Surv(time, kind) ~ 1, own), times = h, extend = TRUE)
      f <- s$pstate[1, match("1", s$states)]; se <- s$std.err[1, match("1", s$states)]
      if (is.na(se) || se < 1e-12) se <- 0
      inside <- f > 0 && f < 1 && se > 0; m <- z * se / ((1 - f) * -log1p(-f)); edge <- function(k) 1 - (1 - f)^exp(k * m)
      data.frame(estimate = f, std_error = se, p_value = NA, conf_low = if (inside) edge(-1) else NA, conf_high = if (inside) edge(1) else NA, statistic = NA,
        events = sum(own$event == 1 & own$time <= h), competing = sum(own$event > 1 & own$time <= h), at_risk = sum(own$time >= h))
    }
    a <- one("iuh"); b <- one("standard"); e <- a$estimate - b$estimate; s <- sqrt(a$std_error^2 + b$std_error^2)
    base <- data.frame(case, horizon = h, level, n_treated = sum(d$arm == "iuh"), n_control = sum(d$arm != "iuh"))
    none <- data.frame(events = NA, competing = NA, at_risk = NA)
    out <- rbind(out, cbind(base, term = "effect", data.frame(estimate = e, std_error = s, p_value = if (s > 0) 2 * pnorm(-abs(e / s)) else NA,
      conf_low = if (s > 0) e - z * s else NA, conf_high = if (s > 0) e + z * s else NA, statistic = NA), none), cbind(base, term = "iuh", a), cbind(base, term = "standard", b))
    for (strata in c(FALSE, TRUE)) {
      if (strata && length(unique(d$site)) < 2) next
      g <- if (strata) cuminc(d$time, d$event, d$arm, strata = d$site) else cuminc(d$time, d$event, d$arm)
      g <- g$Tests["1", ]
      out <- rbind(out, cbind(base, term = if (strata) "stratified" else "gray", data.frame(estimate = NA, std_error = NA, p_value = unname(g["pv"]), conf_low = NA, conf_high = NA, statistic = unname(g["stat"])), none))
    }
  }
}
for (k in which(sapply(out, is.numeric))) out[[k]] <- ifelse(is.na(out[[k]]), "NA", sprintf("%.15g", out[[k]]))
write.csv(out, "results.csv", row.names = FALSE, quote = FALSE)
writeLines(c(R.version.string, paste("survival", packageVersion("survival")), paste("cmprsk", packageVersion("cmprsk"))), "session.txt")
