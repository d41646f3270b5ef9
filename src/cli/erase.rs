//! `lottning erase`.

use clap::Args;

use crate::app::Failure;
use crate::app::erase::{erase, try_erase};
use crate::app::study::Study;

use super::acting::{Acting, At, receipt_with, tried};
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

    /// Say what the erasure would mean; erase nothing
    #[arg(long)]
    dry_run: bool,

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
        if self.dry_run {
            let told = try_erase(outside, &mut study, &act, whose, &self.confirm)?;
            return tried(session, &told);
        }
        let made = erase(outside, &mut study, &act, whose, &self.confirm)?;
        let open = [("untraceable_answers", made.untraceable_answers.into())];
        receipt_with(session, &made.receipt, open)
    }
}
