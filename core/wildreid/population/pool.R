# Pools what a model says of each draw of uncertain identities, by Rubin's rules (Rubin 1987).
#
# source("pool.R")
# pool_draws(function() {
#   source("load.R")              # the data of one draw
#   fit <- ...                    # your model
#   c(N, variance)                # its estimate of N and that estimate's variance
# })
#
# The draws know nothing of the capture model, so the variance is a little too large or too small; and where
# a machine alone named the animals, matches that it missed still make N too large.

pool <- function(N, variance) {
  M <- length(N)
  stopifnot(M >= 2, length(variance) == M)
  W <- mean(variance)
  B <- var(N)
  extra <- (1 + 1 / M) * B
  total <- W + extra
  df <- if (extra > 0) (M - 1) * (1 + W / extra)^2 else Inf
  half <- qt(0.975, df) * sqrt(total)
  c(N = mean(N), W = W, B = B, T = total, se = sqrt(total), df = df, low = mean(N) - half, high = mean(N) + half)
}

pool_draws <- function(estimate, folders = sort(Sys.glob("draw_*"))) {
  one <- function(folder) {
    before <- setwd(folder)
    on.exit(setwd(before))
    estimate()
  }
  found <- sapply(folders, one)
  pool(found[1, ], found[2, ])
}
