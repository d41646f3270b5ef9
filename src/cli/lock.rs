//! `lottning lock`.

use clap::Args;

use crate::app::Failure;
use crate::app::lock::lock;
use crate::app::study::Study;

use super::acting::{Acting, At, receipt};
use super::output::Document;
use super::session::Session;

/// Arguments of `lock`.
#[derive(Debug, Args)]
pub(super) struct Lock {
    /// Id of the lock, as registered
    id: String,

    #[command(flatten)]
    at: At,

    /// Cut date, inclusive: the registered one, or at or after the end of the last window and its grace
    #[arg(long, value_name = "DATE")]
    cut: String,

    /// First 8 digits of the protocol's hash
    #[arg(long, value_name = "HASH8")]
    confirm: String,

    /// Coded reason why something was done otherwise than registered, for the ledger of deviations; may be repeated
    #[arg(long = "deviation", value_name = "CODE")]
    deviations: Vec<String>,

    #[command(flatten)]
    acting: Acting,
}

impl Lock {
    /// Locks the data.
    pub(super) fn run(&self, session: &Session) -> Result<Document, Failure> {
        let outside = &session.outside;
        let mut study = Study::load_whole(outside, &self.at.study)?;
        let act = self.acting.act();
        let made = lock(
            outside,
            &mut study,
            &act,
            &self.id,
            &self.cut,
            &self.confirm,
            &self.deviations,
        )?;
        receipt(session, &made)
    }
}
