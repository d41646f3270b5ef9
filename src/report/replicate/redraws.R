# The randomization test: the observed statistic is computed from the data, by least squares or as that of a log-rank or rank-sum test; those of the redrawn arms are taken over, five
# numbers a redraw, so that t(delta) = (a - b delta) / sqrt(c - 2 d delta + e delta^2) for a constant effect delta. The p, its
# Monte Carlo error and the interval are counted again.
observed_of <- function(name, form) {
  d <- table_of(name)
  if (form == "log-rank") {
    s <- strata_of(d)
    event <- as.numeric(d$event == 1)
    fit <- if (is.null(s)) survdiff(Surv(d$time, event) ~ d$treated) else survdiff(Surv(d$time, event) ~ d$treated + strata(s))
    total <- function(x) if (is.matrix(x)) rowSums(x) else x
    return(list(estimate = unname(total(fit$obs)[2] - total(fit$exp)[2]), std_error = sqrt(fit$var[2, 2])))
  }
  d <- d[!is.na(d$y), ]
  if (form == "rank-sum") {
    x <- d$y[d$treated == 1]
    y <- d$y[d$treated == 0]
    above <- outer(x, y, ">") + outer(x, y, "==") / 2
    return(list(estimate = mean(above) - 0.5, std_error = sqrt(var(rowMeans(above)) / length(x) + var(colMeans(above)) / length(y))))
  }
  interacted <- as.logical(form)
  M <- design(d, interacted, d$weight, strata = FALSE)
  least_squares(d$y, M, replace(numeric(ncol(M)), 2, 1), d$weight)
}
randomization <- function(path, name, redraws, form, o) step(path, {
  fit <- observed_of(name, form)
  drawn <- table_of(redraws)
  exact <- !is.null(drawn$probability)
  if (!exact) rests(path, paste0("the statistics on ", nrow(drawn), " redrawn allocations (data/", redraws, ".csv)"))
  statistic <- function(x, delta) {
    estimate <- x$a - x$b * delta
    size <- x$c + abs(2 * x$d * delta) + x$e * delta^2
    variance <- x$c - 2 * x$d * delta + x$e * delta^2
    ifelse(variance > 1e-13 * size, estimate / sqrt(pmax(variance, 0)),
      ifelse(abs(estimate) <= 1e-12 * (abs(x$a) + abs(x$b * delta)), 0, sign(estimate) * Inf))
  }
  own <- list(a = fit$estimate, b = 1, c = fit$std_error^2, d = 0, e = 0)
  shares <- function(delta) {
    t0 <- statistic(own, delta)
    near <- 1e-9 * max(1, if (is.finite(t0)) abs(t0) else 1)
    t <- statistic(drawn, delta)
    tails <- cbind(is.na(t) | t <= t0 + near, is.na(t) | t >= t0 - near)
    if (is.null(drawn$probability)) (1 + colSums(tails)) / (1 + nrow(drawn)) else colSums(tails * drawn$probability) / sum(drawn$probability)
  }
  p <- function(delta) min(1, 2 * min(shares(delta)))
  q <- min(shares(0))
  # A share of exactly alpha rejects, and rounding by which it is above it decides nothing.
  accepted <- function(delta) p(delta) > o$alpha * (1 + 1e-12)
  say(path, c(level = 1 - o$alpha, p_value = p(0), draws = nrow(drawn), failed = sum(is.na(drawn$a)), mcse = if (exact) 0 else 2 * sqrt(q * (1 - q) / nrow(drawn))))
  # The outermost constant effect in a direction that is not rejected, by bisection; NA where there is no end.
  end <- function(direction) {
    at <- function(steps) fit$estimate + direction * fit$std_error * steps
    accepts <- function(steps) accepted(at(steps))
    inside <- 0
    outside <- 0.5
    while (accepts(outside)) { inside <- outside; outside <- 2 * outside; if (outside > 1e12) return(NA) }
    repeat {
      while (outside - inside > 1e-10) {
        middle <- (inside + outside) / 2
        if (middle <= inside || middle >= outside) break
        if (accepts(middle)) inside <- middle else outside <- middle
      }
      further <- inside + 1e-3 * 1.41^(0:39)
      further <- Filter(accepts, further[further < 1000])
      if (!length(further)) return(at(inside))
      inside <- tail(further, 1)
      outside <- inside + 1e-3
      while (accepts(outside) && outside < 1e12) outside <- 1.5 * outside
    }
  }
  if (o$limits) say(path, if (accepted(fit$estimate)) c(conf_low = end(-1), conf_high = end(1)) else c(conf_low = NA, conf_high = NA))
})
# Westfall and Young over several comparisons: on each shared redraw the largest |t| of one and those with a smaller one
# observed. The |t| of the redraws are taken over; an adjusted p is never below the comparison's own.
westfall_young <- function(stems, forms, own, to, drawn) step("westfall-young", {
  t <- as.matrix(table_of(drawn))
  weight <- if ("probability" %in% colnames(t)) t[, "probability"] else NULL
  rests(to, paste0("the statistics on ", nrow(t), if (is.null(weight)) " redrawn", " allocations (data/", drawn, ".csv)"))
  part <- stems %in% colnames(t)
  seen <- mapply(function(name, form) { fit <- observed_of(name, form); abs(fit$estimate / fit$std_error) }, stems[part], forms[part])
  p <- numeric(0)
  for (i in order(-seen)) {
    largest <- apply(t[, stems[part][seen <= seen[i]], drop = FALSE], 1, max)
    hit <- largest >= seen[i] - 1e-9 * max(1, seen[i])
    p[i] <- if (is.null(weight)) (1 + sum(hit)) / (1 + length(hit)) else sum(weight[hit]) / sum(weight)
  }
  p[order(-seen)] <- cummax(p[order(-seen)])
  adjusted <- replace(rep(1, length(stems)), part, p)
  alone <- deciding(own)
  for (i in which(!is.na(alone))) found[to[i]] <<- max(adjusted[i], alone[i])
})
