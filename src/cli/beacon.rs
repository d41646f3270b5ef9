//! `lottning beacon VALUE`.

use clap::Args;

use crate::app::Failure;
use crate::app::beacon::beacon;
use crate::app::study::Study;

use super::acting::{Acting, At, receipt};
use super::output::Document;
use super::session::Session;

/// Arguments of `beacon`.
#[derive(Debug, Args)]
pub(super) struct Beacon {
    /// The value of the round, hexadecimal digits as its source publishes them
    value: String,

    #[command(flatten)]
    at: At,

    #[command(flatten)]
    acting: Acting,
}

impl Beacon {
    /// Records the value.
    pub(super) fn run(&self, session: &Session) -> Result<Document, Failure> {
        let outside = &session.outside;
        let mut study = Study::load_whole(outside, &self.at.study)?;
        let act = self.acting.act();
        let made = beacon(outside, &mut study, &act, &self.value)?;
        receipt(session, &made)
    }
}
