# Golden values of `logistic`, `g-computation` and `mantel-haenszel`: run `Rscript generate.R` in this folder; it writes here and
# in ../g-computation and ../mantel-haenszel. Made-up families; missing values and factors are prepared again in R's own words.
suppressMessages({library(sandwich); library(brglm2)})
set.seed(20250311)
n <- 240
d <- data.frame(
  arm = sample(rep(c("iuh", "standard", "other"), c(100, 120, 20))),
  site = sample(c("east", "north", "west"), n, TRUE),
  age = round(runif(n, 0, 17), 1),
  score = round(rnorm(n, 50, 10), 2),
  category = sample(c("child", "parent", "violence"), n, TRUE, c(.5, .3, .2)),
  stringsAsFactors = FALSE
)
d <- d[d$arm != "other", ]; n <- nrow(d)
d$outcome <- rbinom(n, 1, plogis(-1.2 + 0.7 * (d$arm == "iuh") + 0.06 * d$age + 0.8 * (d$site == "west") - 0.02 * (d$score - 50)))
d$age[sample(n, 9)] <- NA
d$score[sample(n, 36)] <- NA
d$category[sample(n, 14)] <- NA
d$outcome[sample(n, 10)] <- NA
d$twice <- 2 * d$age + 1           # collinear with age
# A level without a single event: its own coefficient has no finite estimate, that of the arm has.
d$quiet <- ifelse(seq_len(n) %in% which(d$outcome == 0 & d$arm == "iuh")[1:4] | seq_len(n) %in% which(d$outcome == 0 & d$arm == "standard")[1:5], "quiet", "usual")
write.csv(d, "data.csv", row.names = FALSE, quote = FALSE)
for (id in c("g-computation", "mantel-haenszel")) file.copy("data.csv", file.path("..", id, "data.csv"), overwrite = TRUE)

a <- d[!is.na(d$outcome), ]; a$z <- as.numeric(a$arm == "iuh"); y <- a$outcome; z <- a$z
fill <- function(x) ifelse(is.na(x), mean(x, na.rm = TRUE), x)
dummies <- function(x, name) {
  m <- model.matrix(~factor(ifelse(is.na(x), "~missing", x)))[, -1, drop = FALSE]
  colnames(m) <- paste0(name, seq_len(ncol(m))); m
}
X <- cbind(age = fill(a$age), score = fill(a$score), score_missing = as.numeric(is.na(a$score)), dummies(a$category, "category"),
  dummies(a$site, "site"), quiet = as.numeric(a$quiet == "quiet"))
stopifnot(mean(is.na(a$score)) > .1, mean(is.na(a$age)) <= .1)
cases <- list(none = character(0), age = "age", numbers = c("age", "score", "score_missing"), factor = c("age", grep("category", colnames(X), value = TRUE)),
  all = setdiff(colnames(X), "quiet"), quiet = c("age", "quiet"))
tight <- glm.control(epsilon = 1e-15, maxit = 100)
z975 <- qnorm(.975)
out <- NULL
add <- function(case, variance, df, interval, est, se, p, low, high) out <<- rbind(out, data.frame(case, variance, df, interval,
  estimate = exp(est), std_error = se, p_value = p, conf_low = exp(low), conf_high = exp(high)))
# The penalized likelihood with the arm's coefficient held or free: Fisher scoring on Firth's score, checked by optim().
penalized <- function(M, y, held = NULL) {
  k <- ncol(M); free <- if (is.null(held)) 1:k else 1:(k - 1); b <- rep(0, k); if (!is.null(held)) b[k] <- held
  pl <- function(b) { p <- plogis(drop(M %*% b)); sum(ifelse(y == 1, plogis(drop(M %*% b), log.p = TRUE), plogis(-drop(M %*% b), log.p = TRUE))) +
    .5 * determinant(crossprod(M * sqrt(p * (1 - p))))$modulus[1] }
  for (i in 1:2000) {
    p <- plogis(drop(M %*% b)); W <- p * (1 - p); I <- crossprod(M * sqrt(W)); h <- W * rowSums((M %*% solve(I)) * M)
    U <- drop(crossprod(M, y - p + h * (.5 - p))); step <- rep(0, k); step[free] <- solve(I[free, free], U[free])
    t <- 1; while (pl(b + t * step) < pl(b) - 1e-10 && t > 1e-8) t <- t / 2
    b <- b + t * step; if (max(abs(step)) < 1e-13) break
  }
  list(b = b, pl = pl(b), I = I)
}
for (case in names(cases)) {
  C <- X[, cases[[case]], drop = FALSE]; M <- cbind(1, scale(C, scale = FALSE), z); k <- ncol(M)
  fit <- suppressWarnings(glm(y ~ M - 1, family = binomial, control = tight))
  # glm() keeps the weights of its last step but one: a step more from the maximum makes them those of the maximum.
  fit <- suppressWarnings(glm(y ~ M - 1, family = binomial, control = tight, start = coef(fit)))
  est <- unname(coef(fit)[k])
  variances <- list(model = vcov(fit)); if (case != "quiet") for (h in c("HC0", "HC1", "HC2", "HC3")) variances[[tolower(h)]] <- vcovHC(fit, type = h)
  for (v in names(variances)) for (df in c("normal", "residual")) {
    se <- sqrt(variances[[v]][k, k]); q <- if (df == "normal") z975 else qt(.975, length(y) - k); t <- est / se
    add(case, v, df, "wald", est, se, if (df == "normal") 2 * pnorm(-abs(t)) else 2 * pt(-abs(t), length(y) - k), est - q * se, est + q * se)
  }
  if (case != "quiet") {
    dev <- function(b) deviance(glm(y ~ M[, -k, drop = FALSE] - 1 + offset(b * z), family = binomial, control = tight)) - deviance(fit)
    se <- sqrt(vcov(fit)[k, k]); f <- function(b) dev(b) - z975^2
    add(case, "model", "normal", "profile", est, se, pchisq(dev(0), 1, lower.tail = FALSE),
      uniroot(f, c(est - 4 * se, est), tol = 1e-12)$root, uniroot(f, c(est, est + 4 * se), tol = 1e-12)$root)
  }
  br <- glm(y ~ M - 1, family = binomial, method = "brglmFit", type = "AS_mean", epsilon = 1e-13, maxit = 1000)
  own <- penalized(M, y); stopifnot(all.equal(unname(coef(br)), own$b, tolerance = 1e-8))
  est <- own$b[k]; se <- sqrt(solve(own$I)[k, k]); stopifnot(all.equal(se, unname(sqrt(diag(vcov(br)))[k]), tolerance = 1e-7))
  add(case, "firth", "normal", "wald", est, se, 2 * pnorm(-abs(est / se)), est - z975 * se, est + z975 * se)
  dev <- function(b) 2 * (own$pl - penalized(M, y, b)$pl); f <- function(b) dev(b) - z975^2
  add(case, "firth", "normal", "profile", est, se, pchisq(dev(0), 1, lower.tail = FALSE),
    uniroot(f, c(est - 4 * se, est), tol = 1e-12)$root, uniroot(f, c(est, est + 4 * se), tol = 1e-12)$root)
}
save_csv <- function(out, id) {
  for (k in which(sapply(out, is.numeric))) out[[k]] <- ifelse(is.na(out[[k]]), "NA", sprintf("%.15g", out[[k]]))
  write.csv(out, file.path("..", id, "results.csv"), row.names = FALSE, quote = FALSE)
  writeLines(c(R.version.string, sapply(c("sandwich", "brglm2"), function(p) paste(p, packageVersion(p)))), file.path("..", id, "session.txt"))
}
save_csv(out, "logistic")

# Standardized risks: predict() with the arm set, and the influence function of the augmented inverse-probability estimator.
out <- NULL
N <- length(y); pi1 <- mean(z)
for (case in setdiff(names(cases), "quiet")) for (interacted in c(FALSE, TRUE)) {
  dat <- data.frame(y, z, X[, cases[[case]], drop = FALSE]); rhs <- if (length(cases[[case]])) paste(cases[[case]], collapse = "+") else "1"
  fit <- glm(as.formula(paste("y ~", if (interacted) paste0("z*(", rhs, ")") else paste("z +", rhs))), binomial, dat, control = tight)
  m1 <- predict(fit, transform(dat, z = 1), type = "response"); m0 <- predict(fit, transform(dat, z = 0), type = "response")
  p1 <- mean(m1); p0 <- mean(m0)
  i1 <- z / pi1 * (y - m1) + m1 - p1; i0 <- (1 - z) / (1 - pi1) * (y - m0) + m0 - p0
  for (measure in c("risk-difference", "risk-ratio", "odds-ratio")) {
    log_scale <- measure != "risk-difference"
    est <- switch(measure, "risk-difference" = p1 - p0, "risk-ratio" = log(p1 / p0), "odds-ratio" = qlogis(p1) - qlogis(p0))
    i <- switch(measure, "risk-difference" = i1 - i0, "risk-ratio" = i1 / p1 - i0 / p0, "odds-ratio" = i1 / p1 / (1 - p1) - i0 / p0 / (1 - p0))
    se <- sd(i) / sqrt(N); e <- if (log_scale) exp else identity
    out <- rbind(out, data.frame(case, interacted = as.integer(interacted), measure, estimate = e(est), std_error = se, p_value = 2 * pnorm(-abs(est / se)),
      conf_low = e(est - z975 * se), conf_high = e(est + z975 * se), risk_treated = p1, risk_control = p0))
  }
}
save_csv(out, "g-computation")

# Mantel and Haenszel: mantelhaen.test for the odds ratio and the test, the published formulas for the others.
out <- NULL
a$band <- ifelse(fill(a$age) < 9, "young", "old")
for (case in c("site", "site_category")) {
  s <- if (case == "site") a$site else paste(a$site, ifelse(is.na(a$category), "none", a$category))
  keep <- if (case == "site") rep(TRUE, N) else !is.na(a$category)
  t <- table(factor(a$arm[keep], c("iuh", "standard")), factor(y[keep], 1:0), s[keep])
  R <- mantelhaen.test(t, correct = FALSE)
  A <- t[1, 1, ]; B <- t[1, 2, ]; C <- t[2, 1, ]; D <- t[2, 2, ]; n1 <- A + B; n0 <- C + D; n <- n1 + n0
  w <- n1 * n0 / n; rd <- sum(w * (A / n1 - C / n0)) / sum(w)
  P <- (n1^2 * C - n0^2 * A + n1 * n0 * (n0 - n1) / 2) / n^2; Q <- (A * (n0 - C) + C * (n1 - A)) / (2 * n)
  se <- sqrt((rd * sum(P) + sum(Q)) / sum(w)^2)
  row <- function(measure, est, se, low, high) out <<- rbind(out, data.frame(case, measure, estimate = est, std_error = se, conf_low = low, conf_high = high,
    statistic = unname(R$statistic), p_value = R$p.value))
  row("risk-difference", rd, se, rd - z975 * se, rd + z975 * se)
  rr <- sum(A * n0 / n) / sum(C * n1 / n); se <- sqrt(sum((n1 * n0 * (A + C) - A * C * n) / n^2) / (sum(A * n0 / n) * sum(C * n1 / n)))
  row("risk-ratio", rr, se, rr * exp(-z975 * se), rr * exp(z975 * se))
  or <- unname(R$estimate); se <- log(R$conf.int[2] / R$conf.int[1]) / 2 / z975
  row("odds-ratio", or, se, R$conf.int[1], R$conf.int[2])
}
save_csv(out, "mantel-haenszel")
