# Golden values of `cox` with `firth`, and of its score test where the likelihood has no maximum: run `Rscript generate.R` in this
# folder; it writes data.csv, firth.csv and score.csv. Needs survival.
# No package of Firth's Cox model is used. The likelihood and the information at given coefficients are survival's own,
# coxph.fit and agreg.fit with init = and iter.max = 0; the penalized likelihood loglik + 1/2 log det I is maximized by Newton's method on differences of
# it, and its profile is searched for the limits.
library(survival)
set.seed(20260411)
rows <- NULL
add <- function(case, entry, time, event, arm, age, score) {
  n <- length(time)
  rows <<- rbind(rows, data.frame(case, arm = ifelse(arm == 1, "iuh", "standard"), entry, time, event, site = rep(c("north", "south"), length.out = n), age, score))
}
half <- function(n) as.integer(seq_len(n) %in% sample(n, n %/% 2))
# Both arms have events, ties.
n <- 30; z <- half(n); t <- ceiling(rexp(n, exp(-.6 * z) / 9)); add("plain", 0, pmin(t, 20), as.integer(t <= 20), z, sample(0:17, n, TRUE), round(rnorm(n, 50, 10), 1))
# No event in the treated arm.
n <- 40; z <- half(n); t <- ceiling(rexp(n, 1 / 25)); e <- as.integer(t <= 15 & z == 0); add("none-treated", 0, pmin(t, 15), e, z, sample(0:17, n, TRUE), round(rnorm(n, 50, 10), 1))
# No event in control, late entry.
n <- 36; z <- half(n); s <- sample(0:6, n, TRUE); t <- s + ceiling(rexp(n, 1 / 10)); e <- as.integer(t <= 14 & z == 1); add("none-control", s, pmin(pmax(t, s + 1), 14 + s), e, z, sample(0:17, n, TRUE), round(rnorm(n, 50, 10), 1))
# A covariate separates: whoever has 1 has the event before all others.
n <- 30; z <- half(n); early <- as.integer(seq_len(n) %% 6 == 0); t <- ifelse(early == 1, 1 + seq_len(n) %% 3, 5 + ceiling(rexp(n, exp(-.3 * z) / 8))); add("covariate", 0, pmin(t, 18), as.integer(t <= 18), z, early, round(rnorm(n, 50, 10), 1))
# No ties.
n <- 24; z <- half(n); t <- sample(1:400, n) / 8; add("untied", 0, t, 1, z, sample(0:17, n, TRUE), round(rnorm(n, 50, 10), 1))
write.csv(rows, "data.csv", row.names = FALSE, quote = FALSE)

models <- list(none = character(0), age = "age", both = c("age", "score"))
firth <- score <- NULL
for (case in unique(rows$case)) for (model in names(models)) for (ties in c("efron", "breslow")) for (strata in c(FALSE, TRUE)) {
  d <- rows[rows$case == case, ]
  X <- cbind(z = as.integer(d$arm == "iuh"), scale(as.matrix(d[models[[model]]])))
  k <- ncol(X)
  late <- any(d$entry > 0)
  y <- if (late) Surv(d$entry, d$time, d$event) else Surv(d$time, d$event)
  s <- if (strata) as.integer(factor(d$site))
  one <- coxph.control(iter.max = 0, timefix = FALSE, toler.chol = 1e-14)
  fitter <- if (late) agreg.fit else coxph.fit
  at <- function(b) fitter(X, y, s, rep(0, nrow(d)), b, one, rep(1, nrow(d)), ties, seq_len(nrow(d)))
  value <- function(b) { fit <- at(b); if (any(diag(as.matrix(fit$var)) <= 0)) return(-1e10); tail(fit$loglik, 1) - determinant(as.matrix(fit$var))$modulus[1] / 2 }
  # Maximum over the free coefficients, by BFGS and then Newton with the Hessian of differences.
  top <- function(free, b) {
    on <- function(p) { b[free] <- p; value(b) }
    if (!length(free)) return(list(b = b, value = value(b)))
    b[free] <- optim(b[free], function(p) -on(p), method = "BFGS", control = list(reltol = 1e-15, maxit = 1000))$par
    slope <- function(p) sapply(seq_along(p), function(j) { e <- replace(numeric(length(p)), j, 1e-3); (8 * (on(p + e) - on(p - e)) - (on(p + 2 * e) - on(p - 2 * e))) / 12e-3 })
    for (i in 1:4) {
      p <- b[free]
      H <- sapply(seq_along(p), function(j) { e <- replace(numeric(length(p)), j, 1e-3); (slope(p + e) - slope(p - e)) / 2e-3 })
      b[free] <- p - solve(as.matrix(H), slope(p))
    }
    list(b = b, value = value(b))
  }
  best <- top(seq_len(k), numeric(k))
  se <- sqrt(as.matrix(at(best$b)$var)[1, 1])
  q <- qnorm(.975)
  near <- best$b
  fall <- function(b) { near[1] <<- b; own <- top(seq_len(k)[-1], near); near <<- own$b; 2 * (best$value - own$value) }
  limit <- function(sign) {
    far <- best$b[1] + sign * q * se
    near <<- best$b
    while (fall(far) < q^2) far <- far + sign * q * se / 2
    uniroot(function(b) fall(b) - q^2, sort(c(best$b[1], far)), tol = 1e-9)$root
  }
  near <- best$b
  root <- sign(best$b[1]) * sqrt(fall(0))
  firth <- rbind(firth, data.frame(case, model, ties, strata, log_estimate = best$b[1], std_error = se, profile_statistic = root, profile_low = limit(-1), profile_high = limit(1),
    likelihood_ratio = 2 * (best$value - value(numeric(k)))))
  if (grepl("none", case)) {
    # The score test of a value of the arm's coefficient, the others at their maximum with it as an offset.
    deviate <- function(b) {
      full <- numeric(k); full[1] <- b
      if (k > 1) full[-1] <- fitter(X[, -1, drop = FALSE], y, s, b * X[, 1], numeric(k - 1), coxph.control(eps = 1e-14, iter.max = 100, timefix = FALSE), rep(1, nrow(d)), ties, seq_len(nrow(d)))$coefficients
      # The score statistic of all coefficients where those of the others are 0.
      sqrt(at(full)$score) * (if (any(d$event[X[, 1] == 1] == 1)) 1 else -1)
    }
    side <- sign(deviate(0))
    end <- uniroot(function(b) deviate(b) - side * q, c(-6, 6), tol = 1e-10)$root
    differ <- if (strata) survdiff(Surv(d$time, d$event) ~ d$arm + strata(d$site)) else survdiff(Surv(d$time, d$event) ~ d$arm)
    score <- rbind(score, data.frame(case, model, ties, strata, statistic = deviate(0), p_value = 2 * pnorm(-abs(deviate(0))), limit = exp(end), rises = side > 0, log_rank = differ$chisq))
  }
}
written <- function(x, file) {
  for (k in which(sapply(x, is.numeric))) x[[k]] <- sprintf("%.12g", x[[k]])
  write.csv(x, file, row.names = FALSE, quote = FALSE)
}
written(firth, "firth.csv")
written(score, "score.csv")
writeLines(c(R.version.string, paste("survival", packageVersion("survival"))), "session.txt")
