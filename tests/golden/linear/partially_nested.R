# Golden values of `linear` and `lin` where one arm alone has clusters: run `Rscript partially_nested.R` in this folder; it
# writes partially_nested_data.csv and partially_nested_results.csv here and the results in ../lin. Made-up families: those of
# the treated arm are served by pairs of very unequal size, some by nobody; the others stand for themselves.
suppressMessages(library(clubSandwich))
set.seed(20250310)
served <- rep(c("pair 1", "pair 2", "pair 3", "pair 4", "pair 5", "pair 6"), c(9, 7, 6, 4, 2, 1))
treated <- c(served, rep(NA, 5))
n <- length(treated) + 41
d <- data.frame(arm = c(rep("iuh", length(treated)), rep("standard", 41)), cluster = c(treated, rep(NA, 41)),
                stringsAsFactors = FALSE)
alone <- is.na(d$cluster)
d$cluster[alone] <- sprintf("family %02d", seq_len(n))[alone]
d$age <- round(runif(n, 0, 17))
d$earlier <- rpois(n, 2)
z <- as.numeric(d$arm == "iuh")
shared <- rnorm(length(unique(d$cluster)))[match(d$cluster, unique(d$cluster))]
d$outcome <- round(2 - 0.5 * z + 0.1 * d$age + 0.2 * d$earlier * z + 0.8 * shared + rnorm(n), 2)
d <- d[sample(n), ]
write.csv(d, "partially_nested_data.csv", row.names = FALSE, quote = FALSE)

cases <- list(none = character(0), age = "age", both = c("age", "earlier"))
fits <- function(interacted) do.call(rbind, lapply(names(cases), function(case) {
  W <- as.matrix(d[cases[[case]]])
  W <- sweep(W, 2, colMeans(W))
  w <- data.frame(y = d$outcome, z = as.numeric(d$arm == "iuh"), W)
  if (interacted) for (name in cases[[case]]) w[[paste0("z_", name)]] <- w$z * w[[name]]
  m <- lm(y ~ ., w)
  own <- coef_test(m, vcovCR(m, cluster = d$cluster, type = "CR2"), test = "Satterthwaite", coefs = "z")
  q <- qt(.975, own$df)
  data.frame(case = case, estimate = own$beta, std_error = own$SE, nu = own$df, p_value = own$p_Satt,
             conf_low = own$beta - q * own$SE, conf_high = own$beta + q * own$SE,
             units_treated = length(unique(d$cluster[d$arm == "iuh"])), units_control = 41L)
}))
digits <- function(x) { x[] <- lapply(x, function(own) if (is.double(own)) formatC(own, digits = 17, format = "g") else own); x }
write.csv(digits(fits(FALSE)), "partially_nested_results.csv", row.names = FALSE, quote = FALSE)
write.csv(digits(fits(TRUE)), "../lin/partially_nested_results.csv", row.names = FALSE, quote = FALSE)
