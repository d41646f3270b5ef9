//! `lottning erase`.

use clap::Args;

use crate::app::Failure;
use crate::app::erase::erase;
use crate::app::study::Study;

use super::acting::{Acting, At, receipt_with};
use super::output::Document;
use super::session::Session;

/// Arguments of `erase`.
#[derive(Debug, Args)]
pub(super) struct Erase {
    #[command(flatten)]
    at: At,

    /// Pseudonym of the family; all its names are erased, for good
    #[arg(long, value_name = "ID")]
    family: String,

    /// Why, as a short code
    #[arg(long, value_name = "CODE")]
    reason: String,

    /// First 8 digits of the protocol's hash
    #[arg(long, value_name = "HASH8")]
    confirm: String,

    #[command(flatten)]
    acting: Acting,
}

impl Erase {
    /// Erases a family.
    pub(super) fn run(&self, session: &Session) -> Result<Document, Failure> {
        let outside = &session.outside;
        let mut study = Study::load_whole(outside, &self.at.study)?;
        let act = self.acting.act();
        let whose = (self.family.as_str(), self.reason.as_str());
        let made = erase(outside, &mut study, &act, whose, &self.confirm)?;
        let open = [("untraceable_answers", made.untraceable_answers.into())];
        receipt_with(session, &made.receipt, open)
    }
}
