//! `lottning export`.

use clap::Args;
use serde_json::{Value, json};
use std::path::PathBuf;

use crate::app::Failure;
use crate::app::export::{not_built, proof};
use crate::app::study::Study;
use crate::words;

use super::acting::{Acting, At, head, warned};
use super::output::Document;
use super::session::Session;

/// Arguments of `export`.
#[derive(Debug, Args)]
pub(super) struct Export {
    #[command(flatten)]
    at: At,

    #[command(flatten)]
    what: What,

    #[command(flatten)]
    acting: Acting,
}

/// What is exported, and where to.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct What {
    /// Folder for the proof: chain, public parts and nothing else, as a page that checks itself and as JSON
    #[arg(long, value_name = "DIR")]
    proof: Option<PathBuf>,

    /// Folder for the locked data; not built yet
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,

    /// Folder for data, results and the script that recomputes them; not built yet
    #[arg(long, value_name = "DIR")]
    replicate: Option<PathBuf>,
}

impl Export {
    /// Exports.
    pub(super) fn run(&self, session: &Session) -> Result<Document, Failure> {
        let Some(folder) = &self.what.proof else {
            return Err(not_built(if self.what.data.is_some() {
                "--data"
            } else {
                "--replicate"
            }));
        };
        let outside = &session.outside;
        let mut study = Study::load_whole(outside, &self.at.study)?;
        let made = proof(
            outside,
            &mut study,
            &self.acting.act(),
            folder,
            session.lang,
        )?;
        let files: Vec<Value> = made
            .files
            .iter()
            .map(|file| Value::from(file.display().to_string()))
            .collect();
        let own = &made.receipt;
        let mut body = json!({
            "event": own.event,
            "sequence": own.sequence,
            "replayed": own.replayed,
            "head": own.head,
            "files": files,
        });
        let warnings = warned(session, &own.warnings);
        if !warnings.is_empty() {
            body["warnings"] = Value::from(warnings);
        }
        let mut document = Document::new("receipt/1", &body)?;
        for file in made.files.iter().take(1) {
            let path = file.display();
            document = document.text(words!(
                "The proof: {path}. It opens in any browser and connects to nothing; proof.json beside it is the same for programs.",
                "Beviset: {path}. Det öppnas i valfri webbläsare och kopplar inte upp sig; proof.json bredvid är samma sak för program."
            ));
        }
        Ok(document.text(head(&own.head)).receipt())
    }
}
