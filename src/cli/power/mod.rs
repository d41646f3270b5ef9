//! `lottning power FAMILY`.

mod given;
mod log_rank;
mod rates;
mod two_means;
mod two_proportions;

use clap::{Args, Subcommand};

use crate::app::Failure;

use super::output::Document;
use super::session::Session;

/// Arguments of `power`.
#[derive(Debug, Args)]
pub(super) struct Power {
    #[command(subcommand)]
    family: Family,
}

#[derive(Debug, Subcommand)]
enum Family {
    /// Two proportions: formulas, or exact power by enumeration
    TwoProportions(Box<two_proportions::TwoProportions>),
    /// Two means: the t test, with covariates or clusters
    TwoMeans(Box<two_means::TwoMeans>),
    /// Times to an event: the log-rank test, in events and individuals
    LogRank(Box<log_rank::LogRank>),
    /// Rates of recurrent events: negative binomial, or Poisson
    Rates(Box<rates::Rates>),
}

impl Power {
    /// Solves for what was left out.
    pub(super) fn run(&self, session: &Session) -> Result<Document, Failure> {
        match &self.family {
            Family::TwoProportions(arguments) => arguments.run(session),
            Family::TwoMeans(arguments) => arguments.run(session),
            Family::LogRank(arguments) => arguments.run(session),
            Family::Rates(arguments) => arguments.run(session),
        }
    }
}
