//! `lottning checkpoint FILE`.

use clap::Args;
use std::path::PathBuf;

use crate::app::Failure;
use crate::app::checkpoint::checkpoint;
use crate::app::study::Study;
use crate::words;

use super::acting::{At, head};
use super::output::Document;
use super::session::Session;

/// Arguments of `checkpoint`.
#[derive(Debug, Args)]
pub(super) struct Checkpoint {
    /// The file to write, outside the study folder; it must not exist
    file: PathBuf,

    #[command(flatten)]
    at: At,
}

impl Checkpoint {
    /// Writes the head to a file.
    pub(super) fn run(&self, session: &Session) -> Result<Document, Failure> {
        let study = Study::load_whole(&session.outside, &self.at.study)?;
        let made = checkpoint(&session.outside, &study, &self.file)?;
        let (events, file) = (made.events, self.file.display());
        Ok(Document::new("checkpoint/1", &made.json())?
            .text(words!(
                "The head of {events} events is in {file}: give it to somebody who does not keep the study.",
                "Huvudet för {events} händelser finns i {file}: lämna filen till någon som inte förvarar studien."
            ))
            .text(head(&made.head))
            .receipt())
    }
}
