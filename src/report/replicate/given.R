# The columns of the data files that can be made from others are made again here, compared row by row with those that are given, and
# used in their place.
compared <- NULL
alike <- function(name, column, family, given, own) {
  even <- length(given) == length(own)
  apart <- if (!even) Inf else if (is.numeric(given) && is.numeric(own)) abs(given - own) else as.numeric(given != own)
  apart <- if (even) ifelse(is.na(given) & is.na(own), 0, ifelse(is.na(apart), Inf, apart)) else apart
  beyond <- apart > if (is.numeric(given) && even) 1e-6 * abs(replace(given, is.na(given), 0)) + 1e-9 else 0
  first <- if (!any(beyond)) "-" else if (even) as.character(family[which(beyond)[1]]) else "-"
  compared <<- rbind(compared, data.frame(column = paste(name, column, sep = "/"), rows = length(own), differing = sum(beyond),
    largest = if (length(apart)) max(apart) else 0, family = first, verdict = if (any(beyond)) "DIFFERS" else "alike"))
}
# How families count in an analysis; those found not to have been eligible do not in the set that leaves them out.
status_of <- function(o) {
  own <- families[[paste0(o$id, ".status")]]
  if (isTRUE(o$without)) replace(own, families$found_ineligible == 1, "left-out") else own
}
# The columns of an analysis against what families.csv says of its families: who is in it, in which arm, with what outcome.
given <- function(name, arms, o) step(name, {
  d <- table_of(name)
  own <- families[match(d$family, families$family), ]
  alike(name, "treated", d$family, d$treated, ifelse(own$arm == arms[1], 1, ifelse(own$arm == arms[2], 0, NA)))
  if (!is.null(d[["g.site"]])) alike(name, "g.site", d$family, d[["g.site"]], own$site)
  if (isTRUE(o$by_family)) alike(name, "cluster", d$family, match(d$cluster, unique(d$cluster)), match(d$family, unique(d$family)))
  if (is.null(o$id)) return(invisible(NULL))
  status <- status_of(o)
  # A rate has no row of a family that left before the window began; such a family has no event either.
  followed <- families[[paste0(o$id, ".followed")]]
  never <- if (is.null(d$exposure)) FALSE else followed %in% 0 & families[[paste0(o$id, ".value")]] %in% 0
  alike(name, "family", NA, sort(unique(d$family)), families$family[status %in% o$rows & families$arm %in% arms & !never])
  if (!is.null(d$exposure)) alike(name, "exposure", d$family, d$exposure, followed[match(d$family, families$family)])
  if (!is.null(d$known)) alike(name, "known", d$family, d$known, as.numeric(status[match(d$family, families$family)] == "known"))
  if (!is.null(d$received)) alike(name, "received", d$family, d$received, own[[paste0(o$id, ".received.", arms[1])]])
  # Of a family with several rows the mean of its children, or the number of its events.
  per <- if (!is.null(d$y)) tapply(d$y, d$family, mean) else tapply(d$event == 1, d$family, sum)
  at <- match(as.integer(names(per)), families$family)
  at <- at[status[at] %in% o$values]
  y <- unname(c(per[as.character(families$family[at])]))
  alike(name, if (!is.null(d$y)) "y" else "event", families$family[at], y, families[[paste0(o$id, ".value")]][at])
})
# Which sites count as one: a site with fewer than `smallest` analysed families in an arm goes with the next one in the order of the
# protocol, the last with the one before, until every one has enough or one is left. A site without analysed families has no part,
# except `also` those whose families the analysed ones are weighed for.
merged <- function(cells, also) {
  groups <- as.list(rownames(cells)[rowSums(cells) > 0 | rownames(cells) %in% also])
  while (length(groups) > 1) {
    small <- which(vapply(groups, function(own) any(colSums(cells[own, , drop = FALSE]) < smallest), TRUE))
    if (!length(small)) break
    kept <- min(small[1], length(groups) - 1)
    groups[[kept]] <- unlist(groups[kept + 0:1])
    groups[[kept + 1]] <- NULL
  }
  groups
}
# The sites of the files `names`, which have the families of one sample in their treated arms `treated`: as indicators in their order
# but the first, and as strata. The sample is counted in families.csv, of another outcome in the files themselves.
sites_of <- function(names, treated, control, o) step(names[1], {
  site <- function(d) if (is.null(d[["site"]])) families$site[match(d$family, families$family)] else d[["site"]]
  own <- if (!is.null(o$id)) families[status_of(o) %in% o$counted, c("family", "site", "arm")] else
    unique(do.call(rbind, lapply(seq_along(names), function(i) {
      d <- table_of(names[i])
      counts <- if (is.null(d$y)) TRUE else !is.na(d$y)
      data.frame(family = d$family, site = site(d), arm = ifelse(d$treated == 1, treated[i], control))[counts, ]
    })))
  cells <- unclass(table(factor(own$site, sites), factor(own$arm, arms)))
  unknown <- if (o$weighed) paste0(names, ".unknown")
  groups <- merged(cells, unlist(lapply(unknown, function(name) site(table_of(name)))))
  text <- vapply(groups, paste, "", collapse = " + ")
  for (name in c(names, unknown)) {
    d <- table_of(name)
    at <- rep(seq_along(groups), lengths(groups))[match(site(d), unlist(groups))]
    if (o$stratum && name %in% names) {
      made <- ifelse(is.na(at), site(d), text[at])
      alike(name, "stratum.site", d$family, d[["stratum.site"]], made)
      d[["stratum.site"]] <- made
    }
    if (!is.null(o$fixed)) {
      x <- which(startsWith(names(d), "x."))
      others <- tail(x, o$fixed)
      made <- outer(replace(at, is.na(at), 0), seq_along(groups)[-1], function(at, group) as.numeric(at == group))
      colnames(made) <- if (length(groups) > 1) paste0("x.", gsub("[^A-Za-z0-9]", "_", paste0("site=", text[-1])))
      was <- setdiff(x, others)
      alike(name, "sites", NA, names(d)[was], colnames(made))
      if (length(was) == ncol(made)) for (i in seq_along(was)) alike(name, names(d)[was[i]], d$family, d[[was[i]]], made[, i])
      d <- cbind(d[setdiff(seq_along(d), x)], made, d[others])
    }
    tables[[name]] <<- d
  }
})
