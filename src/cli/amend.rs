//! `lottning amend PROTOCOL`.

use clap::Args;
use serde_json::json;
use std::path::PathBuf;

use crate::app::Failure;
use crate::app::amend::{Amend as Amending, amend};
use crate::words;

use super::acting::{Acting, At, head};
use super::output::Document;
use super::session::Session;

/// Arguments of `amend`.
#[derive(Debug, Args)]
pub(super) struct Amend {
    /// The amended protocol file to seal
    protocol: PathBuf,

    #[command(flatten)]
    at: At,

    /// The seed file of the new epoch, outside the study folder; made if it does not exist, taken with a warning if it does
    #[arg(long, value_name = "FILE")]
    seed_file: PathBuf,

    /// First 8 digits of the amended protocol's hash, as `check` prints them
    #[arg(long, value_name = "HASH8")]
    confirm: String,

    #[command(flatten)]
    acting: Acting,
}

impl Amend {
    /// Opens the next epoch.
    pub(super) fn run(&self, session: &Session) -> Result<Document, Failure> {
        let request = Amending {
            protocol: self.protocol.clone(),
            seed_file: self.seed_file.clone(),
            confirm: self.confirm.clone(),
            act: self.acting.act(),
        };
        let made = amend(&session.outside, &self.at.study, &request)?;
        if made.seed_created {
            let file = self.seed_file.display();
            session.outside.progress.note(&words!(
                "a new seed lies in {file}: keep the seeds of earlier epochs too, `verify` and `reveal` need them all",
                "ett nytt frö ligger i {file}: spara också tidigare epokers frön, `verify` och `reveal` behöver alla"
            ));
        }
        let body = json!({
            "event": "epoch-opened",
            "sequence": made.sequence,
            "replayed": made.replayed,
            "head": made.head,
            "epoch": made.epoch,
            "protocol_hash": made.protocol_hash,
            "commitment": made.commitment,
        });
        let (epoch, commitment) = (made.epoch, &made.commitment);
        Ok(Document::new("receipt/1", &body)?
            .text(words!(
                "Epoch {epoch} is open: families are drawn by the amended protocol from now on.",
                "Epok {epoch} är öppnad: familjer lottas enligt det ändrade protokollet från och med nu."
            ))
            .text(words!(
                "Commitment to its seed, to be published: {commitment}",
                "Utfästelse om dess frö, att publicera: {commitment}"
            ))
            .text(head(&made.head))
            .receipt())
    }
}
