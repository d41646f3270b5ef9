//! `lottning export`.

use clap::Args;
use serde_json::{Value, json};
use std::path::PathBuf;

use crate::app::Failure;
use crate::app::export::{Exported, not_built, proof, replicate};
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

    /// Id of the lock whose results are recomputed
    #[arg(long, value_name = "ID", requires = "replicate", conflicts_with_all = ["proof", "data"])]
    lock: Option<String>,

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

    /// New folder for the data, codebook and results of a lock, and a short R script that recomputes the reported numbers and names those that it takes over
    #[arg(long, value_name = "DIR", requires = "lock")]
    replicate: Option<PathBuf>,
}

impl Export {
    /// Exports.
    pub(super) fn run(&self, session: &Session) -> Result<Document, Failure> {
        let outside = &session.outside;
        let act = self.acting.act();
        let mut study = Study::load_whole(outside, &self.at.study)?;
        let made = match (&self.what.proof, &self.what.replicate, &self.lock) {
            (Some(folder), ..) => proof(outside, &mut study, &act, folder, session.lang)?,
            (None, Some(folder), Some(lock)) => replicate(outside, &mut study, &act, lock, folder)?,
            _ => return Err(not_built("--data")),
        };
        self.document(session, &made)
    }

    fn document(&self, session: &Session, made: &Exported) -> Result<Document, Failure> {
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
            document = document.text(if self.what.replicate.is_some() {
                words!(
                    "The script: {path}. Run it with Rscript; it compares the reported numbers with its own, and names those that it takes over. The folder holds a row for each family: keep it as the study itself.",
                    "Skriptet: {path}. Kör det med Rscript; det jämför de redovisade talen med sina egna och namnger dem som det övertar. Mappen innehåller en rad per familj: förvara den som studien själv."
                )
            } else { words!(
                "The proof: {path}. It opens in any browser and connects to nothing; proof.json beside it is the same for programs.",
                "Beviset: {path}. Det öppnas i valfri webbläsare och kopplar inte upp sig; proof.json bredvid är samma sak för program."
            ) });
        }
        Ok(document.text(head(&own.head)).receipt())
    }
}
