//! The registered plan, run on a locked data set.
