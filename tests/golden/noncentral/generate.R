# Rscript generate.R: base.csv and session.txt beside this script. Base R only.
#
# pt, pchisq and pf with ncp. R's pt is algorithm AS 243, right to about 1e-12 in absolute terms for |ncp| up to 37.62 and
# without relative accuracy in tails; pf stops its sum at 1e-9 (errmax of pnbeta). The lower tail is asked, in absolute terms.
here <- dirname(normalizePath(sub("--file=", "", grep("--file=", commandArgs(), value = TRUE))))
rows <- character()
add <- function(f, a, b, ncp, x, value) rows <<- c(rows, sprintf("%s,%.17g,%.17g,%.17g,%.17g,%.17g", f, a, b, ncp, x, value))
for (df in c(1, 2.5, 9, 38, 126, 598, 5000)) for (ncp in c(-3, 0, .4, 1.6, 2.8, 3.24, 8, 20, 37)) for (t in c(-4, -1, .3, 1.686, 2.02, 4, 15, 40))
  add("t_cdf", df, 0, ncp, t, suppressWarnings(pt(t, df, ncp)))
for (df in c(1, 3, 7.5, 40)) for (ncp in c(0, 1, 9, 60)) for (x in c(.5, 3.84, 12, 80))
  add("chi_square_cdf", df, 0, ncp, x, pchisq(x, df, ncp))
for (df in list(c(1, 20), c(3, 76), c(5, 199), c(8, 6))) for (ncp in c(0, 1, 6.272, 30)) for (x in c(.3, 1, 2.72, 8))
  add("f_cdf", df[1], df[2], ncp, x, pf(x, df[1], df[2], ncp))
writeLines(c("function,a,b,ncp,x,value", rows), file.path(here, "base.csv"))
writeLines(c(R.version.string, "Python 3.11, mpmath 1.3.0"), file.path(here, "session.txt"))
