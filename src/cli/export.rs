//! `lottning export`.

use clap::Args;
use serde_json::{Value, json};
use std::path::PathBuf;

use crate::app::Failure;
use crate::app::export::{Exported, data, proof, replicate};
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

    /// Id of the lock whose data are written, or whose results are recomputed
    #[arg(long, value_name = "ID", conflicts_with = "proof")]
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

    /// New folder for the data sets of a lock: a row for each family and for each event, dates as days, and a codebook
    #[arg(long, value_name = "DIR", requires = "lock")]
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
        // The parser asks for one of the three folders, and for a lock with the last two.
        let lock = self.lock.as_deref().unwrap_or_default();
        let What {
            proof: of_proof,
            data: of_data,
            replicate: again,
        } = &self.what;
        let made = if let Some(folder) = of_proof {
            proof(outside, &mut study, &act, folder, session.lang)?
        } else if let Some(folder) = of_data {
            data(outside, &mut study, &act, lock, folder)?
        } else {
            let folder = again.as_deref().unwrap_or(&self.at.study);
            replicate(outside, &mut study, &act, lock, folder)?
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
            document = document.text(if self.what.data.is_some() {
                words!(
                    "The data: read {path} first; codebook.csv explains every column. The folder holds a row for each family: keep it as the study itself.",
                    "Data: läs {path} först; codebook.csv förklarar varje kolumn. Mappen innehåller en rad per familj: förvara den som studien själv."
                )
            } else if self.what.replicate.is_some() {
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
