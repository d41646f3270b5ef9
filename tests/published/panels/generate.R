# Writes firms.csv, mortality.csv and results.csv: see PROVENANCE.md. Rscript generate.R
suppressMessages({ library(sandwich); library(clubSandwich) })
data(PetersenCL)
# Ten years of a firm after another. The values, as those of the rates below, were once stored in
# single precision: nine digits give them back.
stopifnot(PetersenCL$firm == rep(1:500, each = 10), PetersenCL$year == rep(1:10, 500))
nine <- function(x) sprintf("%.9g", x)
write.csv(data.frame(x = nine(PetersenCL$x), y = nine(PetersenCL$y)), "firms.csv", row.names = FALSE, quote = FALSE)

data(MortalityRates)
m <- subset(MortalityRates, cause == "Motor Vehicle" & year <= 1983 & !is.na(beertaxa))
m <- m[order(m$state, m$year), c("state", "year", "mrate", "legal", "beertaxa", "pop")]
write.csv(transform(m, mrate = nine(mrate), legal = nine(legal), beertaxa = nine(beertaxa)), "mortality.csv",
          row.names = FALSE, quote = FALSE)
mortality <- mrate ~ 0 + legal + beertaxa + factor(state) + factor(year)

rows <- list()
add <- function(model, weighted, cluster, variance, coefficient, estimate, std_error, df = NA, p_value = NA)
  rows[[length(rows) + 1]] <<- data.frame(model, weighted, cluster, variance, coefficient,
    estimate = sprintf("%.15g", estimate), std_error = sprintf("%.15g", std_error),
    df = ifelse(is.na(df), "", sprintf("%.15g", df)), p_value = ifelse(is.na(p_value), "", sprintf("%.15g", p_value)))
club <- function(model, fit, cluster, named, variance, weighted, keep) {
  found <- coef_test(fit, vcov = variance, cluster = cluster, test = "Satterthwaite")
  for (i in keep) add(model, weighted, named, tolower(variance), names(coef(fit))[i],
                      found$beta[i], found$SE[i], found$df_Satt[i], found$p_Satt[i])
}
for (variance in c("CR0", "CR1", "CR2", "CR3")) {
  # Without a state its own indicator has no coefficient: there is no CR3.
  if (variance != "CR3") club("mortality", lm(mortality, m), m$state, "state", variance, "no", 1:2)
  club("firms", lm(y ~ x, PetersenCL), PetersenCL$firm, "firm", variance, "no", 1:2)
  club("firms", lm(y ~ x, PetersenCL), PetersenCL$year, "year", variance, "no", 1:2)
}
club("mortality", lm(mortality, m, weights = pop), m$state, "state", "CR2", "yes", 1:2)
o <- lm(y ~ x, PetersenCL)
for (variance in c("HC0", "HC1", "HC2", "HC3"))
  add("firms", "no", "none", tolower(variance), names(coef(o)), coef(o), sqrt(diag(vcovHC(o, type = variance))))
results <- do.call(rbind, rows)
results$coefficient <- gsub("[()]", "", results$coefficient)
write.csv(results, "results.csv", row.names = FALSE, quote = FALSE)
