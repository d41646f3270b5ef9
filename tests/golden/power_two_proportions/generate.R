# Rscript generate.R: values.csv and session.txt beside this script. Base R only.
#
# formula rows: power.prop.test (pooled) with and without `strict`, solving for power, n, sig.level.
# exact rows: sum of dbinom over the tables that the test rejects; Fisher's p-values by fisher.test itself.
# Columns: what,test,sides,strict,n1,n0,p1,p0,alpha,power ; the last number of `what` is the one that R computed.
here <- dirname(normalizePath(sub("--file=", "", grep("--file=", commandArgs(), value = TRUE))))
rows <- character()
add <- function(what, test, sides, strict, n1, n0, p1, p0, alpha, power)
  rows <<- c(rows, paste(what, test, sides, strict, sprintf("%.12f", n1), sprintf("%.12f", n0), sprintf("%.17g", p1),
    sprintf("%.17g", p0), sprintf("%.15g", alpha), sprintf("%.15g", power), sep = ","))

tol <- .Machine$double.eps^0.75
for (strict in c(FALSE, TRUE)) for (sides in 1:2) for (case in list(c(.5, .75, 50), c(.3, .2, 150), c(.3, .2, 300), c(.1, .05, 434))) {
  alt <- if (sides == 2) "two.sided" else "one.sided"
  p0 <- case[1]; p1 <- case[2]; n <- case[3]
  for (alpha in c(.05, .01)) {
    r <- power.prop.test(n = n, p1 = p0, p2 = p1, sig.level = alpha, alternative = alt, strict = strict)
    add("power", "pooled", sides, strict, n, n, p1, p0, alpha, r$power)
    for (power in c(.8, .9)) {
      r <- power.prop.test(p1 = p0, p2 = p1, power = power, sig.level = alpha, alternative = alt, strict = strict, tol = tol)
      add("n", "pooled", sides, strict, r$n, r$n, p1, p0, alpha, power)
    }
  }
  r <- power.prop.test(n = n, p1 = p0, p2 = p1, power = .8, sig.level = NULL, alternative = alt, strict = strict, tol = tol)
  add("alpha", "pooled", sides, strict, n, n, p1, p0, r$sig.level, .8)
}
# The effect: p2 above p1 is what power.prop.test solves for.
for (case in list(c(.3, 150), c(.5, 50))) {
  r <- power.prop.test(n = case[2], p1 = case[1], power = .8, sig.level = .05, tol = tol)
  add("effect", "pooled", 2, FALSE, case[2], case[2], r$p2, case[1], .05, .8)
}

exact <- function(n1, n0, p1, p0, alpha, p_value) {
  sum(outer(0:n1, 0:n0, Vectorize(function(a, b) if (p_value(a, b, n1, n0) <= alpha) dbinom(a, n1, p1) * dbinom(b, n0, p0) else 0)))
}
z <- function(a, b, n1, n0, pooled) {
  q <- (a + b) / (n1 + n0)
  v <- if (pooled) q * (1 - q) * (1 / n1 + 1 / n0) else a / n1 * (1 - a / n1) / n1 + b / n0 * (1 - b / n0) / n0
  d <- a / n1 - b / n0
  if (abs(d) < 1e-14) 0 else d / sqrt(v)
}
fisher <- function(a, b, n1, n0, alt) fisher.test(matrix(c(a, n1 - a, b, n0 - b), 2), alternative = alt)$p.value
for (case in list(c(20, 20, .2, .5), c(25, 15, .15, .5), c(12, 18, .3, .3), c(30, 20, .6, .3))) {
  n1 <- case[1]; n0 <- case[2]; p1 <- case[3]; p0 <- case[4]
  for (alpha in c(.05, .01)) {
    for (pooled in c(TRUE, FALSE)) {
      add("power", if (pooled) "exact-pooled" else "exact-unpooled", 2, FALSE, n1, n0, p1, p0, alpha,
          exact(n1, n0, p1, p0, alpha, function(a, b, n1, n0) 2 * pnorm(-abs(z(a, b, n1, n0, pooled)))))
    }
    add("power", "exact-fisher", 2, FALSE, n1, n0, p1, p0, alpha,
        exact(n1, n0, p1, p0, alpha, function(a, b, n1, n0) fisher(a, b, n1, n0, "two.sided")))
    add("power", "exact-fisher-central", 2, FALSE, n1, n0, p1, p0, alpha,
        exact(n1, n0, p1, p0, alpha, function(a, b, n1, n0) min(1, 2 * fisher(a, b, n1, n0, "less"), 2 * fisher(a, b, n1, n0, "greater"))))
    if (p1 < p0) add("power", "exact-fisher", 1, FALSE, n1, n0, p1, p0, alpha,
        exact(n1, n0, p1, p0, alpha, function(a, b, n1, n0) fisher(a, b, n1, n0, "less")))
  }
}
writeLines(c("what,test,sides,strict,n1,n0,p1,p0,alpha,power", rows), file.path(here, "values.csv"))
writeLines(R.version.string, file.path(here, "session.txt"))
