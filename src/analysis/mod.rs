//! The registered plan, run on a locked data set.

pub mod results;
