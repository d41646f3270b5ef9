# The probability index with the variance of Brunner and Munzel, and the shift of Hodges and Lehmann with the rank-sum test
# inverted; p is exact given the midranks where `exact` says so, else normal without a continuity correction.
rank_sum <- function(d, o) {
  d <- d[!is.na(d$y), ]
  x <- sort(d$y[d$treated == 1])
  y <- sort(d$y[d$treated == 0])
  m <- length(x)
  n <- length(y)
  apart <- outer(x, y, "-")
  values <- sort(unique(c(apart)))
  cx <- rle(x)
  cy <- rle(y)
  between <- outer(cx$values, cy$values, "-")
  # Twice the midranks of the groups of tied rows after the treated rows were lowered: rank, rows, treated rows.
  groups <- function(shift) {
    tied <- between == shift
    below_x <- cumsum(cx$lengths) - cx$lengths + drop((between > shift) %*% cy$lengths)
    below_y <- cumsum(cy$lengths) - cy$lengths + drop(cx$lengths %*% (between < shift))
    size_x <- cx$lengths + drop(tied %*% cy$lengths)
    alone <- !colSums(tied)
    list(rank = c(2 * below_x + size_x + 1, (2 * below_y + cy$lengths + 1)[alone]), size = c(size_x, cy$lengths[alone]), treated = c(cx$lengths, 0 * cy$lengths[alone]))
  }
  known <- list()
  tails <- function(shift) {
    g <- groups(shift)
    v <- m * n / 12 * (m + n + 1 - sum(g$size^3 - g$size) / ((m + n) * (m + n - 1)))
    sum2 <- sum(g$rank * g$treated)
    z <- if (length(g$size) < 2) NA else (sum2 / 2 - m * (m + n + 1) / 2) / sqrt(v)
    if (!o$exact) return(c(lower = if (is.na(z)) 1 else pnorm(z), upper = if (is.na(z)) 1 else pnorm(-z), z = z))
    small <- m <= n
    own <- if (small) g$treated else g$size - g$treated
    scores <- g$rank - min(g$rank)
    by <- Reduce(function(a, b) { while (b > 0) { r <- a %% b; a <- b; b <- r }; a }, scores)
    scores <- scores / max(by, 1)
    key <- paste(sort(paste(scores, g$size)), collapse = ",")
    if (is.null(known[[key]])) {
      all <- sort(rep(scores, g$size))
      k <- min(m, n)
      width <- sum(tail(all, k)) + 1
      ways <- matrix(0, width, k + 1)
      ways[1, 1] <- 1
      for (s in all) ways[(s + 1):width, -1] <- ways[(s + 1):width, -1] + ways[seq_len(width - s), -(k + 1)]
      known[[key]] <<- ways[, k + 1] / sum(ways[, k + 1])
    }
    at <- sum(scores * own) + 1
    p <- known[[key]]
    lower <- sum(p[seq_len(at)])
    upper <- sum(p[at:length(p)])
    c(lower = if (small) lower else upper, upper = if (small) upper else lower, z = z)
  }
  p_of <- function(t) unname(min(1, 2 * min(t[c("lower", "upper")])))
  now <- tails(0)
  test <- c(statistic = unname(now["z"]), df = NA, p_value = p_of(now), p_lower = unname(now["lower"]), p_upper = unname(now["upper"]), both(d))
  count <- sum(apart > 0) + sum(apart == 0) / 2
  theta <- count / (m * n)
  v <- rowMeans((apart > 0) + (apart == 0) / 2)
  w <- colMeans((apart > 0) + (apart == 0) / 2)
  parts <- c(var(v) / m, var(w) / n)
  s <- sqrt(sum(parts))
  exists <- isTRUE(s > 1e-15)
  df <- if (exists) sum(parts)^2 / sum(parts^2 / c(m - 1, n - 1)) else NA
  if (o$interval == "logit" && exists) {
    q <- qt(1 - (1 - o$level) / 2, df) * s / (theta * (1 - theta))
    limits <- plogis(qlogis(theta) + c(-q, q))
  } else {
    # Newcombe's pseudo-score interval (method 5).
    star <- (m + n) / 2 - 1
    z <- qnorm(1 - (1 - o$level) / 2)
    half <- function(t) z * sqrt(t * (1 - t) * (1 + star * (1 - t) / (2 - t) + star * t / (1 + t)) / (m * n))
    limits <- c(if (theta > 0) uniroot(function(t) theta - t - half(t), c(0, min(theta, 1 - 1e-12)), tol = 1e-14)$root else 0,
      if (theta < 1) uniroot(function(t) t - theta - half(t), c(max(theta, 1e-12), 1), tol = 1e-14)$root else 1)
  }
  index <- c(estimate = theta, std_error = if (exists) s else NA, test, conf_low = limits[1], conf_high = limits[2], mann_whitney = count, interval_df = df,
    p_brunner_munzel = if (exists) 2 * pt(-abs((theta - 0.5) / s), df) else NA)
  # Cells: below, at and above each difference. The limits are the outermost cells that are not rejected.
  cell <- function(i) {
    at <- i %/% 2
    if (i %% 2 == 1) values[at + 1] else if (at == 0) -Inf else if (at == length(values)) Inf else (values[at] + values[at + 1]) / 2
  }
  accepted <- function(i) p_of(tails(cell(i))) > 1 - o$level
  shift <- median(apart)
  last <- 2 * length(values)
  centre <- 2 * sum(values < shift) + (shift %in% values)
  outermost <- function(end) {
    if (accepted(end)) return(end)
    inside <- centre
    rejected <- end
    while (abs(inside - rejected) > 1) {
      middle <- (inside + rejected) %/% 2
      if (accepted(middle)) inside <- middle else rejected <- middle
    }
    # Ties make p uneven: a few cells beyond are asked too, all of them where there are few.
    beyond <- seq(inside, end)[-1]
    beyond <- if (last < 2000) beyond else head(beyond, 16)
    further <- Filter(accepted, beyond)
    if (length(further)) further[which.max(abs(further - centre))] else inside
  }
  low <- outermost(0)
  high <- outermost(last)
  list(index, c(estimate = shift, std_error = NA, test, conf_low = if (low == 0) NA else values[(low - 1) %/% 2 + 1], conf_high = if (high == last) NA else values[high %/% 2 + 1]))
}
