# Golden values of `linear` and `lin` with clusters and weights: run `Rscript clusters.R` in this folder; it writes
# clustered_data.csv and clustered_results.csv here and in ../lin. Made-up children in families, seen by therapists.
suppressMessages({library(estimatr); library(clubSandwich); library(sandwich)})
set.seed(20250205)
sizes <- sample(c(1, 1, 1, 2, 2, 3, 5), 52, TRUE)
family <- rep(seq_along(sizes), sizes)
n <- length(family)
family_arm <- sample(rep(c("iuh", "standard"), c(22, 30)))
d <- data.frame(
  family = sprintf("F%02d", family),
  therapist = sample(c("Th1", "Th2", "Th3", "Th4", "Th5", "Th6", "Th7"), n, TRUE, c(4, 3, 3, 2, 2, 1, 1)),
  arm = family_arm[family],
  site = sample(c("east", "west"), max(family), TRUE)[family],
  age = round(runif(n, 0, 17)),                 # ties
  category = sample(c("child", "parent", "violence"), n, TRUE, c(.5, .3, .2)),
  weight = round(exp(rnorm(n, 0, .8)), 2),
  stringsAsFactors = FALSE
)
z <- as.numeric(d$arm == "iuh")
d$outcome <- round(3 + z + 0.1 * d$age + rnorm(max(family))[family] * (1 + z) + rnorm(n), 2)
d$age[sample(n, 6)] <- NA                       # mean only
d$outcome[sample(n, 8)] <- NA
write.csv(d, "clustered_data.csv", row.names = FALSE, quote = FALSE)
write.csv(d, "../lin/clustered_data.csv", row.names = FALSE, quote = FALSE)

a <- d[!is.na(d$outcome), ]
a$z <- as.numeric(a$arm == "iuh")
a$age <- ifelse(is.na(a$age), mean(a$age, na.rm = TRUE), a$age)
X <- cbind(age = a$age, west = as.numeric(a$site == "west"), parent = as.numeric(a$category == "parent"),
           violence = as.numeric(a$category == "violence"))
cases <- list(none = character(0), age = "age", strata = "west", all = c("west", "age", "parent", "violence"))
level <- .95
row <- function(case, cluster, weighted, variance, df, e, s, nu) {
  q <- if (is.na(nu)) qnorm(1 - (1 - level) / 2) else qt(1 - (1 - level) / 2, nu)
  p <- if (is.na(nu)) 2 * pnorm(-abs(e / s)) else 2 * pt(-abs(e / s), nu)
  units <- function(arm) if (cluster == "none") NA else length(unique(a[[cluster]][a$arm == arm]))
  data.frame(case = case, cluster = cluster, weighted = weighted, variance = variance, df = df, estimate = e, std_error = s,
             nu = nu, p_value = p, conf_low = e - q * s, conf_high = e + q * s, n_treated = sum(a$z), n_control = sum(1 - a$z),
             units_treated = units("iuh"), units_control = units("standard"))
}
fits <- function(interacted) {
  out <- NULL
  for (case in names(cases)) for (weighted in c("no", "yes")) {
    wt <- if (weighted == "yes") a$weight else rep(1, nrow(a))
    W <- X[, cases[[case]], drop = FALSE]
    W <- sweep(W, 2, if (ncol(W)) apply(W, 2, weighted.mean, wt) else numeric(0))
    w <- as.data.frame(cbind(y = a$outcome, z = a$z, W))
    if (interacted && ncol(W)) for (name in colnames(W)) w[[paste0("z_", name)]] <- w$z * w[[name]]
    f <- as.formula(paste("y ~", paste(setdiff(names(w), "y"), collapse = " + ")))
    environment(f) <- environment()
    m <- if (weighted == "yes") lm(f, w, weights = wt) else lm(f, w)
    i <- which(names(coef(m)) == "z")
    e <- coef(m)[["z"]]
    raw <- as.data.frame(cbind(y = a$outcome, z = a$z, X[, cases[[case]], drop = FALSE]))
    raw$wt <- wt; raw$family <- a$family; raw$therapist <- a$therapist
    robust <- function(...) if (interacted && ncol(W)) {
      lm_lin(y ~ z, as.formula(paste("~", paste(cases[[case]], collapse = " + "))), raw, weights = wt, ...)
    } else lm_robust(f, cbind(w, raw[c("wt", "family", "therapist")]), weights = wt, ...)
    if (weighted == "yes") {
      for (se in c("classical", "HC0", "HC1", "HC2", "HC3")) {
        r <- robust(se_type = se)
        s <- if (se == "classical") sqrt(vcov(m)["z", "z"]) else sqrt(vcovHC(m, type = se)["z", "z"])
        stopifnot(abs(r$coefficients[["z"]] - e) < 1e-11, abs(r$std.error[["z"]] / s - 1) < 1e-11)
        out <- rbind(out, row(case, "none", weighted, tolower(se), "residual", e, s, m$df.residual))
      }
      # Bell-McCaffrey with weights: the working model in which HC2 is unbiased, variance 1/weight, is the unweighted
      # regression of rows multiplied by the root of their weight.
      t <- as.data.frame(sqrt(wt) * model.matrix(m)); names(t) <- paste0("x", seq_along(t)); t$y <- sqrt(wt) * a$outcome
      b <- lm(y ~ 0 + ., t)
      c2 <- coef_test(b, vcovCR(b, cluster = seq_len(nrow(t)), type = "CR2"), test = "Satterthwaite")
      h <- sqrt(vcovHC(m, type = "HC2")["z", "z"])
      stopifnot(abs(c2$SE[i] / h - 1) < 1e-10)
      out <- rbind(out, row(case, "none", weighted, "hc2", "bell-mccaffrey", e, h, c2$df[i]))
    }
    for (cluster in c("family", "therapist")) {
      G <- length(unique(a[[cluster]]))
      for (type in c("CR0", "CR1", "CR2", "CR3")) {
        v <- vcovCR(m, cluster = a[[cluster]], type = type)
        t <- coef_test(m, v, test = "Satterthwaite")
        s <- sqrt(v[i, i])
        if (type %in% c("CR0", "CR2")) {
          r <- if (cluster == "family") robust(clusters = family, se_type = type) else robust(clusters = therapist, se_type = type)
          stopifnot(abs(r$std.error[["z"]] / s - 1) < 1e-8, type == "CR0" || abs(r$df[["z"]] / t$df[i] - 1) < 1e-7)
        }
        out <- rbind(out, row(case, cluster, weighted, tolower(type), "satterthwaite", e, s, t$df[i]),
          row(case, cluster, weighted, tolower(type), "residual", e, s, G - 1),
          row(case, cluster, weighted, tolower(type), "normal", e, s, NA))
      }
    }
  }
  out
}
numbers <- function(x) { for (k in which(sapply(x, is.numeric))) x[[k]] <- sprintf("%.15g", x[[k]]); x }
write.csv(numbers(fits(FALSE)), "clustered_results.csv", row.names = FALSE, quote = FALSE)
write.csv(numbers(fits(TRUE)), "../lin/clustered_results.csv", row.names = FALSE, quote = FALSE)
