//! `lottning open`.

use clap::Args;
use serde_json::json;
use std::path::PathBuf;

use crate::allocation::Mode;
use crate::app::Failure;
use crate::app::open::{Open as Opening, open};
use crate::words;

use super::acting::{Acting, head};
use super::output::Document;
use super::session::Session;

/// Arguments of `open`.
#[derive(Debug, Args)]
pub(super) struct Open {
    /// The protocol file to seal
    protocol: PathBuf,

    /// The study folder to make
    #[arg(long, value_name = "DIR")]
    study: PathBuf,

    /// The seed file, outside the study folder; made if it does not exist, taken with a warning if it does
    #[arg(long, value_name = "FILE")]
    seed_file: PathBuf,

    /// First 8 digits of the protocol's hash, as `check` prints them
    #[arg(long, value_name = "HASH8")]
    confirm: String,

    #[command(flatten)]
    acting: Acting,
}

impl Open {
    /// Opens a study.
    pub(super) fn run(&self, session: &Session) -> Result<Document, Failure> {
        let request = Opening {
            protocol: self.protocol.clone(),
            study: self.study.clone(),
            seed_file: self.seed_file.clone(),
            confirm: self.confirm.clone(),
            act: self.acting.act(),
            mode: Mode::Live,
        };
        let opened = open(&session.outside, &request)?;
        if opened.seed_created {
            let file = self.seed_file.display();
            session.outside.progress.note(&words!(
                "a new seed lies in {file}: keep a copy where neither intake nor the study's readers can read it; without it no family can be randomized",
                "ett nytt frö ligger i {file}: spara en kopia där varken mottagningen eller studiens läsare kan läsa den; utan fröet kan ingen familj lottas"
            ));
        }
        let body = json!({
            "event": "opened",
            "sequence": opened.sequence,
            "replayed": opened.replayed,
            "head": opened.head,
            "study": opened.study,
            "protocol_hash": opened.protocol_hash,
            "commitment": opened.commitment,
            "custody": opened.custody.text(),
        });
        let (study, commitment) = (&opened.study, &opened.commitment);
        let custody = opened.custody.meaning(opened.roles);
        Ok(Document::new("receipt/1", &body)?
            .text(words!(
                "Study {study} is open.",
                "Studien {study} är öppnad."
            ))
            .text(words!(
                "Commitment to the seed, to be published: {commitment}",
                "Utfästelse om fröet, att publicera: {commitment}"
            ))
            .text(custody)
            .text(head(&opened.head))
            .receipt())
    }
}
