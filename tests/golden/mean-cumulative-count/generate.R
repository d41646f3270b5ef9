# Golden values of `mean-cumulative-count` and `recurrent-rate-ratio`: run `Rscript generate.R` in this folder; it writes data.csv
# and results.csv here, and results.csv in ../recurrent-rate-ratio. Needs survival and mets. The data are made up, case by case.
# survfit(id =) has the mean and its variance where there are no terminal events. With them, mets has the mean, and the variance
# is the sum of squared derivatives to the weights of ids, taken here from the weighted estimator by a complex step.
library(survival)
suppressMessages(library(mets))
set.seed(20250312)
rows <- NULL
history <- function(case, arm, site, age, id, start, events, end, code) {
  at <- sort(unique(c(start, events[events > start & events < end], end)))
  k <- length(at) - 1
  rows <<- rbind(rows, data.frame(case, id, arm, entry = at[-length(at)], time = at[-1], event = c(rep(1, k - 1), code), site, age))
}
make <- function(case, n, rate, effect, until, terminal, sites, late = 0, unit = 1) {
  arm <- ifelse(seq_len(n) %in% sample(n, n %/% 2), "iuh", "standard")
  for (i in seq_len(n)) {
    frailty <- rgamma(1, 2, 2); age <- sample(0:17, 1); start <- if (runif(1) < late) sample(0:(until %/% 3), 1) * unit else 0
    end <- start + sample((until %/% 2):until, 1) * unit; code <- 0
    if (terminal > 0) { d <- start + ceiling(rexp(1, terminal)) * unit; if (d < end) { end <- d; code <- 2 } }
    m <- rate * frailty * if (arm[i] == "iuh") effect else 1
    events <- start + ceiling(cumsum(rexp(40, m))) * unit
    history(case, arm[i], sample(sites, 1), age, paste0(case, i), start, events, end, code)
  }
}
make("plain", 120, 1 / 60, .6, 100, 0, c("north", "south", "east"))
make("terminal", 130, 1 / 50, .7, 100, 1 / 120, c("north", "south"))
make("late", 110, 1 / 40, .8, 80, 1 / 200, c("north", "south"), late = .4)
make("ties", 60, 1 / 2, .6, 8, 1 / 12, c("north", "south"), unit = 30)
make("untied", 80, 1 / 50, .7, 100, 1 / 120, c("north", "south"))
for (i in unique(rows$id[rows$case == "untied"])) { k <- which(rows$id == i); n <- length(k); rows$time[k] <- rows$time[k] + round(runif(n), 5); rows$entry[k] <- c(rows$entry[k[1]], rows$time[k[-n]]) }
make("rare", 40, 1 / 900, .5, 100, 0, "north")
# A gap in the middle of histories, missing values and an id that is left out altogether.
make("gaps", 50, 1 / 30, .7, 90, 1 / 300, c("north", "south"))
k <- which(rows$case == "gaps" & duplicated(rows$id)); rows$entry[k[seq(1, length(k), 5)]] <- NA; rows$event[k[3]] <- NA; rows$time[rows$id == "gaps7"] <- NA
rows <- rows[sample(nrow(rows)), ]
write.csv(rows, "data.csv", row.names = FALSE, quote = FALSE)

# mu(tau) as a function of the weights of ids.
mean_count <- function(own, ids, tau, w) {
  v <- w[match(own$id, ids)]; s <- 1; m <- 0
  for (u in sort(unique(own$time[own$event > 0 & own$time <= tau]))) {
    y <- sum(v[own$entry < u & own$time >= u])
    m <- m + s * sum(v[own$time == u & own$event == 1]) / y
    s <- s * (1 - sum(v[own$time == u & own$event == 2]) / y)
  }
  list(m = m, s = s)
}
horizons <- list(plain = c(20, 50, 80), terminal = c(30, 70), late = c(25, 60), ties = c(60, 120, 200), untied = c(25, 60), rare = c(30, 90), gaps = c(20, 60))
out <- rr <- NULL
tight <- coxph.control(eps = 1e-13, iter.max = 200, toler.chol = 1e-14, timefix = FALSE)
for (case in names(horizons)) {
  d <- rows[rows$case == case & !is.na(rows$time) & !is.na(rows$event) & !is.na(rows$entry), ]
  units <- c(iuh = length(unique(d$id[d$arm == "iuh"])), standard = length(unique(d$id[d$arm != "iuh"])))
  for (h in horizons[[case]]) for (level in c(.95, .8)) {
    z <- qnorm(1 - (1 - level) / 2)
    one <- function(a) {
      own <- d[d$arm == a, ]; ids <- unique(own$id); n <- length(ids)
      at <- mean_count(own, ids, h, rep(1, n))
      g <- vapply(seq_len(n), function(i) { w <- rep(1 + 0i, n); w[i] <- 1 + 1e-30i; Im(mean_count(own, ids, h, w)$m) * 1e30 }, 0)
      se <- sqrt(sum(g^2))
      if (!any(own$event == 2)) {  # as survival itself
        f <- survfit(Surv(entry, time, event) ~ 1, own, id = id, robust = TRUE); s <- summary(f, times = h, extend = TRUE)
        stopifnot(all.equal(s$cumhaz, at$m, tolerance = 1e-12), all.equal(s$std.chaz, se, tolerance = 1e-10))
      } else if (case == "untied") {  # mets takes tied times one after the other, and has another variance of the same size
        x <- recurrentMarginal(phreg(Surv(entry, time, event == 1) ~ cluster(id), own), phreg(Surv(entry, time, event == 2) ~ cluster(id), own))
        k <- findInterval(h, x$times)
        stopifnot(all.equal(x$mu[k], at$m, tolerance = 1e-10), all.equal(x$se.mu[k], se, tolerance = .02))
        if (level == .95) cat(case, h, a, at$m, se, x$se.mu[k], "\n")
      }
      inside <- at$m > 0 && se > 1e-12
      data.frame(estimate = at$m, std_error = se, p_value = NA, conf_low = if (inside) at$m * exp(-z * se / at$m) else NA, conf_high = if (inside) at$m * exp(z * se / at$m) else NA,
        survival = at$s, events = sum(own$event == 1 & own$time <= h), terminal = sum(own$event == 2 & own$time <= h), at_risk = sum(own$entry < h & own$time >= h))
    }
    a <- one("iuh"); b <- one("standard"); e <- a$estimate - b$estimate; s <- sqrt(a$std_error^2 + b$std_error^2)
    base <- data.frame(case, horizon = h, level, n_treated = sum(d$arm == "iuh"), n_control = sum(d$arm != "iuh"), units_treated = units[1], units_control = units[2])
    out <- rbind(out, cbind(base, term = "effect", data.frame(estimate = e, std_error = s, p_value = 2 * pnorm(-abs(e / s)), conf_low = e - z * s, conf_high = e + z * s,
      survival = NA, events = NA, terminal = NA, at_risk = NA)), cbind(base, term = "iuh", a), cbind(base, term = "standard", b))
  }
  d$z <- as.integer(d$arm == "iuh"); d$status <- as.integer(d$event == 1)
  for (ties in c("efron", "breslow")) for (strata in c(FALSE, TRUE)) for (age in c(FALSE, TRUE)) {
    if (strata && length(unique(d$site)) < 2) next
    f <- as.formula(paste("Surv(entry, time, status) ~ z", if (age) "+ age", if (strata) "+ strata(site)"))
    fit <- coxph(f, d, ties = ties, control = tight, cluster = id)
    b <- coef(fit)["z"]; s <- sqrt(vcov(fit)["z", "z"]); q <- qnorm(.975)
    rr <- rbind(rr, data.frame(case, ties, strata, age, n_treated = sum(d$z), n_control = sum(1 - d$z), units_treated = units[1], units_control = units[2], estimate = exp(b), std_error = s,
      p_value = 2 * pnorm(-abs(b / s)), conf_low = exp(b - q * s), conf_high = exp(b + q * s), events_treated = sum(d$status * d$z), events_control = sum(d$status * (1 - d$z))))
  }
}
write <- function(x, folder, packages) {
  for (k in which(sapply(x, is.numeric))) x[[k]] <- ifelse(is.na(x[[k]]), "NA", sprintf("%.15g", x[[k]]))
  write.csv(x, file.path(folder, "results.csv"), row.names = FALSE, quote = FALSE)
  writeLines(c(R.version.string, vapply(packages, function(p) paste(p, packageVersion(p)), "")), file.path(folder, "session.txt"))
}
write(out, ".", c("survival", "mets")); write(rr, "../recurrent-rate-ratio", "survival")
