# Golden values of `linear` and `lin`: run `Rscript generate.R` in this folder; it writes here and in ../lin.
# Made-up families; every rule of the missing-data and dummy coding page is re-done here in R's own words.
suppressMessages({library(estimatr); library(clubSandwich); library(sandwich)})
set.seed(20250203)
n <- 84
d <- data.frame(
  arm = sample(rep(c("iuh", "standard"), c(36, 48))),
  site = sample(c("east", "north", "west"), n, TRUE),
  age = round(runif(n, 0, 17), 1),
  score = round(rnorm(n, 50, 10), 2),
  category = sample(c("child", "parent", "violence"), n, TRUE, c(.5, .3, .2)),
  stringsAsFactors = FALSE
)
treated <- as.numeric(d$arm == "iuh")
d$outcome <- round(3 + 0.8 * treated + 0.15 * d$age - 0.04 * d$score * treated + 0.5 * (d$site == "west") +
  rnorm(n) * (0.5 + treated + d$age / 17), 3)
d$age[sample(n, 5)] <- NA          # 6 %: mean only
d$score[sample(n, 13)] <- NA       # 15 %: mean and indicator
d$outcome[sample(n, 6)] <- NA
for (arm in c("iuh", "standard")) d$category[which(d$arm == arm & !is.na(d$outcome))[4:6]] <- NA  # a level of its own, in both arms
d$twice <- 2 * d$age + 1           # collinear with age
# A level that only treated families have: enters without its interaction.
d$rare <- "common"
d$rare[which(d$arm == "iuh" & !is.na(d$outcome))[1:3]] <- "special"
write.csv(d, "data.csv", row.names = FALSE, quote = FALSE)
write.csv(d, "../lin/data.csv", row.names = FALSE, quote = FALSE)

a <- d[!is.na(d$outcome), ]
a$z <- as.numeric(a$arm == "iuh")
fill <- function(x) ifelse(is.na(x), mean(x, na.rm = TRUE), x)
dummies <- function(x, name) {
  f <- factor(ifelse(is.na(x), "~missing", x))
  m <- model.matrix(~f)[, -1, drop = FALSE]
  colnames(m) <- paste0(name, seq_len(ncol(m)))
  m
}
X <- cbind(age = fill(a$age), score = fill(a$score), score_missing = as.numeric(is.na(a$score)),
           twice = fill(a$twice), dummies(a$category, "category"), dummies(a$site, "site"), dummies(a$rare, "rare"))
cases <- list(
  none = character(0),
  age = "age",
  numbers = c("age", "score", "score_missing"),
  factor = c("age", "category1", "category2", "category3"),
  strata = c("site1", "site2"),
  all = c("site1", "site2", "age", "score", "score_missing", "category1", "category2", "category3"),
  collinear = c("age", "twice"),
  one_armed_level = c("age", "rare1")
)
row <- function(case, variance, df, e, s, nu, level = .95) {
  q <- if (is.na(nu)) qnorm(1 - (1 - level) / 2) else qt(1 - (1 - level) / 2, nu)
  p <- if (is.na(nu)) 2 * pnorm(-abs(e / s)) else 2 * pt(-abs(e / s), nu)
  data.frame(case = case, variance = variance, df = df, estimate = e, std_error = s, nu = nu, p_value = p,
             conf_low = e - q * s, conf_high = e + q * s, n_treated = sum(a$z), n_control = sum(1 - a$z))
}
fits <- function(interacted) {
  out <- NULL
  for (case in names(cases)) {
    W <- scale(X[, cases[[case]], drop = FALSE], scale = FALSE)
    w <- as.data.frame(cbind(y = a$outcome, z = a$z, W))
    right <- paste(c("z", colnames(W), if (interacted && ncol(W)) paste0("z:", colnames(W))), collapse = " + ")
    f <- as.formula(paste("y ~", right))
    m <- lm(f, w)
    full <- lm(as.formula(paste("y ~", paste(names(coef(m))[!is.na(coef(m))][-1], collapse = " + "))), w)
    for (se in c("classical", "HC0", "HC1", "HC2", "HC3")) {
      r <- if (interacted && ncol(W)) {
        raw <- as.data.frame(cbind(y = a$outcome, z = a$z, X[, cases[[case]], drop = FALSE]))
        lm_lin(y ~ z, as.formula(paste("~", paste(cases[[case]], collapse = " + "))), raw, se_type = se)
      } else lm_robust(f, w, se_type = se)
      e <- unname(r$coefficients["z"]); s <- unname(r$std.error["z"]); nu <- unname(r$df["z"])
      # The same by lm, which sets aside the last of the collinear columns, and sandwich.
      e2 <- coef(full)[["z"]]; s2 <- sqrt(vcovHC(full, type = ifelse(se == "classical", "const", se))["z", "z"])
      if (interacted && case == "one_armed_level") {
        # lm_lin sets aside another column here, and the estimate depends on which: see docs/differences.md.
        cat(case, se, "lm_lin", format(c(e, s), digits = 12), "lm", format(c(e2, s2), digits = 12), "\n")
        e <- e2; s <- s2; nu <- full$df.residual
      } else stopifnot(abs(e - e2) < 1e-11, abs(s / s2 - 1) < 1e-11, nu == full$df.residual)
      out <- rbind(out, row(case, tolower(se), "residual", e, s, nu), row(case, tolower(se), "normal", e, s, NA))
    }
    # Bell-McCaffrey: CR2 with every row its own cluster.
    t2 <- coef_test(full, vcovCR(full, cluster = seq_len(nrow(w)), type = "CR2"), test = "Satterthwaite")
    i <- which(names(coef(full)) == "z")
    out <- rbind(out, row(case, "hc2", "bell-mccaffrey", coef(full)[["z"]], t2$SE[i], t2$df[i]))
  }
  out
}
numbers <- function(x) { for (k in which(sapply(x, is.numeric))) x[[k]] <- sprintf("%.15g", x[[k]]); x }
write.csv(numbers(fits(FALSE)), "results.csv", row.names = FALSE, quote = FALSE)
write.csv(numbers(fits(TRUE)), "../lin/results.csv", row.names = FALSE, quote = FALSE)
versions <- function(path) writeLines(c(R.version.string, paste(c("estimatr", "clubSandwich", "sandwich"), sapply(c("estimatr", "clubSandwich", "sandwich"), function(p) as.character(packageVersion(p))))), path)
versions("session.txt"); versions("../lin/session.txt")
