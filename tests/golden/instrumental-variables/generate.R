# Golden values of `instrumental-variables`: run `Rscript generate.R` in this folder. Made-up children in families; what was
# received is a service begun (`began`), one that control families also got (`crossed`), a number of visits (`visits`), and one
# that the arm hardly moves (`weak`, `none`). Limits of the Anderson-Rubin set are found by root finding on the test itself.
suppressMessages({library(estimatr); library(clubSandwich); library(sandwich)})
set.seed(20250207)
sizes <- sample(c(1, 1, 2, 2, 3), 60, TRUE)
family <- rep(seq_along(sizes), sizes)
n <- length(family)
z <- sample(rep(0:1, c(32, 28)))[family]
d <- data.frame(family = sprintf("F%02d", family), arm = ifelse(z == 1, "iuh", "standard"),
                site = sample(c("east", "west"), 60, TRUE)[family], age = round(runif(n, 0, 17)))
willing <- runif(60)[family]
d$began <- as.numeric(z == 1 & willing < .65)
d$crossed <- as.numeric(willing < .1 + .6 * z)
d$visits <- round(d$crossed * (3 + 10 * willing))
d$weak <- as.numeric(willing < .42 + .14 * z)
d$none <- as.numeric(willing < .47 + .02 * z)
d$outcome <- round(5 - 1.2 * d$began - .5 * d$crossed + .1 * d$age + rnorm(60)[family] + rnorm(n), 2)
d$noise <- round(rnorm(n), 1)
d$outcome[c(5, 50, 90)] <- NA
d$began[c(10, 60)] <- NA
d$age[c(3, 33)] <- NA
write.csv(d, "data.csv", row.names = FALSE, quote = FALSE)

out <- NULL
fit <- function(case, received, covariates, cluster, response = "outcome") {
  d$outcome <- d[[response]]
  a <- d[!is.na(d$outcome) & !is.na(d[[received]]), ]
  a$z <- as.numeric(a$arm == "iuh")
  a$D <- a[[received]]
  a$age <- ifelse(is.na(a$age), mean(a$age, na.rm = TRUE), a$age)
  a$west <- as.numeric(a$site == "west")
  right <- paste(c("z", covariates), collapse = " + ")
  two <- as.formula(paste("outcome ~", paste(c("D", covariates), collapse = " + "), "|", right))
  reduced <- lm(as.formula(paste("outcome ~", right)), a)
  first <- lm(as.formula(paste("D ~", right)), a)
  b <- coef(reduced)[["z"]] / coef(first)[["z"]]
  structural <- function(b) { a$y0 <- a$outcome - b * a$D; lm(as.formula(paste("y0 ~", right)), a) }
  types <- if (cluster) c("CR0", "CR1", "CR2", "CR3") else c("classical", "HC0", "HC1", "HC2", "HC3")
  for (type in types) {
    se <- function(m) {
      v <- if (cluster) vcovCR(m, cluster = a$family, type = type) else if (type == "classical") vcov(m) else vcovHC(m, type = type)
      sqrt(as.matrix(v)["z", "z"])
    }
    s <- se(structural(b)) / abs(coef(first)[["z"]])
    F <- (coef(first)[["z"]] / se(first))^2
    if (type %in% c("classical", "HC0", "HC1", "HC2", "HC3", "CR0", "CR2")) {
      r <- if (cluster) iv_robust(two, a, clusters = family, se_type = type, diagnostics = TRUE) else iv_robust(two, a, se_type = type, diagnostics = TRUE)
      stopifnot(abs(r$coefficients[["D"]] - b) < 1e-9, abs(r$std.error[["D"]] / s - 1) < 1e-8)
      if (abs(r$diagnostic_first_stage_fstatistic[["value"]] / F - 1) > 1e-8) cat(case, type, "F of iv_robust", r$diagnostic_first_stage_fstatistic[["value"]], "own", F, "\n")
    }
    t <- coef_test(reduced, vcovCR(reduced, cluster = if (cluster) a$family else seq_len(nrow(a)), type = if (cluster) type else "CR2"), test = "Satterthwaite")
    own <- t$df[which(names(coef(reduced)) == "z")]
    if (type == "CR2") stopifnot(abs(r$df[["D"]] / own - 1) < 1e-7)
    dfs <- if (cluster) c(satterthwaite = own, residual = length(unique(a$family)) - 1) else if (type == "HC2") c("bell-mccaffrey" = own, residual = reduced$df.residual) else c(residual = reduced$df.residual)
    for (name in names(dfs)) {
      nu <- dfs[[name]]
      critical <- qt(.975, nu)
      beyond <- function(b) { m <- structural(b); abs(coef(m)[["z"]]) / se(m) - critical }   # below 0: in the set
      # Far away the statistic is the first stage's: the set is bounded when that is significant.
      bounded <- sqrt(F) > critical
      step <- 10 * s
      limit <- function(from, direction, sign) {
        k <- 1e-3; before <- 0
        while (sign * beyond(from + direction * k * step) < 0 && k < 1e9) { before <- k; k <- k * 1.5 }
        if (k >= 1e9) return(NA)
        uniroot(function(x) beyond(from + direction * x * step), c(before, k), tol = 1e-15)$root * direction * step + from
      }
      if (bounded) {
        set <- "interval"; low <- limit(b, -1, 1); high <- limit(b, 1, 1)
      } else {
        # The worst b, where the statistic is largest, is outside the set unless the set is the line.
        grid <- se(reduced) / se(first) * tan(seq(-pi / 2, pi / 2, length.out = 402)[2:401])
        values <- sapply(grid, beyond)
        if (max(values) < 0) { set <- "line"; low <- high <- NA } else {
          set <- "two rays"; worst <- grid[which.max(values)]
          low <- limit(worst, -1, -1); high <- limit(worst, 1, -1)
        }
      }
      itt <- coef(reduced)[["z"]] / se(reduced)
      out <<- rbind(out, data.frame(case = case, response = response, received = received, covariates = paste(covariates, collapse = "/"), clustered = cluster,
        variance = tolower(type), df = name, estimate = b, std_error = s, nu = nu, p_value = 2 * pt(-abs(b / s), nu),
        conf_low = b - critical * s, conf_high = b + critical * s, set = set, set_low = low, set_high = high,
        set_p = 2 * pt(-abs(itt), nu), first_stage = coef(first)[["z"]], first_stage_se = se(first), f = F,
        itt = coef(reduced)[["z"]], itt_se = se(reduced), n_treated = sum(a$z), n_control = sum(1 - a$z)))
    }
  }
}
for (cluster in c(FALSE, TRUE)) {
  fit("began", "began", character(0), cluster)
  fit("began adjusted", "began", c("west", "age"), cluster)
  fit("crossed", "crossed", c("west", "age"), cluster)
  fit("visits", "visits", "age", cluster)
  fit("weak", "weak", character(0), cluster)
  fit("none", "none", "west", cluster)
  fit("noise", "weak", character(0), cluster, "noise")
}
for (k in which(sapply(out, is.numeric))) out[[k]] <- sprintf("%.15g", out[[k]])
write.csv(out, "results.csv", row.names = FALSE, quote = FALSE)
versions <- sapply(c("estimatr", "clubSandwich", "sandwich"), function(p) paste(p, packageVersion(p)))
writeLines(c(R.version.string, versions), "session.txt")
