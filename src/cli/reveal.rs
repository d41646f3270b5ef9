//! `lottning reveal`.

use clap::Args;
use serde_json::{Value, json};
use std::path::PathBuf;

use crate::app::Failure;
use crate::app::reveal::reveal;
use crate::app::study::Study;
use crate::words;

use super::acting::{Acting, At, head};
use super::output::Document;
use super::session::Session;

/// Arguments of `reveal`.
#[derive(Debug, Args)]
pub(super) struct Reveal {
    #[command(flatten)]
    at: At,

    /// Seed file of each epoch, in their order
    #[arg(long, value_name = "FILE", required = true)]
    seed_file: Vec<PathBuf>,

    #[command(flatten)]
    acting: Acting,
}

impl Reveal {
    /// Publishes the seeds.
    pub(super) fn run(&self, session: &Session) -> Result<Document, Failure> {
        let outside = &session.outside;
        let mut study = Study::load_whole(outside, &self.at.study)?;
        let made = reveal(outside, &mut study, &self.acting.act(), &self.seed_file)?;
        let seeds: Vec<Value> = made
            .seeds
            .iter()
            .map(|(epoch, seed, commitment)| {
                json!({ "epoch": epoch, "seed": seed, "commitment": commitment })
            })
            .collect();
        let mut document =
            Document::new("reveal/1", &json!({ "seeds": seeds, "head": made.head }))?;
        for (epoch, seed, commitment) in &made.seeds {
            document = document.text(words!(
                "Epoch {epoch}: seed {seed}, commitment {commitment}",
                "Epok {epoch}: frö {seed}, utfästelse {commitment}"
            ));
        }
        Ok(document.text(head(&made.head)).receipt())
    }
}
