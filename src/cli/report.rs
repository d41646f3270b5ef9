//! `lottning report`.

use clap::Args;
use serde_json::{Value, json};
use std::path::PathBuf;

use crate::app::Failure;
use crate::app::report::{ReportRequest, report};
use crate::app::study::Study;
use crate::diagnostic::{Lang, Words};
use crate::words;

use super::acting::At;
use super::output::Document;
use super::session::Session;

/// Arguments of `report`.
#[derive(Debug, Args)]
pub(super) struct Report {
    #[command(flatten)]
    at: At,

    /// Id of the lock that the report is about
    #[arg(
        long,
        value_name = "ID",
        required_unless_present = "dry_run",
        conflicts_with = "dry_run"
    )]
    lock: Option<String>,

    /// On redrawn arms: how the report will look, nothing of what it says
    #[arg(long)]
    dry_run: bool,

    /// Folder to write to [default: results/LOCK in the study folder]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,

    /// For the public: pages alone, in which families numbering 1 to N − 1 are masked, and what would give them back [from 3; for example: 5]
    #[arg(
        long,
        value_name = "N",
        conflicts_with = "dry_run",
        value_parser = clap::value_parser!(u32).range(3..=100)
    )]
    suppress_below: Option<u32>,

    /// Seed file of each epoch, to derive every draw again [default: the published seeds]
    #[arg(long, value_name = "FILE")]
    seed_file: Vec<PathBuf>,
}

impl Report {
    /// Writes the report.
    pub(super) fn run(&self, session: &Session) -> Result<Document, Failure> {
        let mut study = Study::load_whole(&session.outside, &self.at.study)?;
        let request = ReportRequest {
            lock: self.lock.clone(),
            out: self.out.clone(),
            suppress_below: self.suppress_below,
            seed_files: self.seed_file.clone(),
        };
        let made = report(&session.outside, &mut study, &request)?;
        let files: Vec<Value> = made
            .files
            .iter()
            .map(|file| Value::from(file.display().to_string()))
            .collect();
        let mut body = json!({
            "lock": self.lock,
            "dry_run": self.dry_run,
            "verified": made.verification.ok,
            "folder": made.folder.display().to_string(),
            "files": files,
        });
        if let Some(below) = self.suppress_below {
            body["suppress_below"] = json!(below);
        }
        let mut document = Document::new("report-files/1", &body)?;
        let page = match session.lang {
            Lang::En => "report.en.html",
            Lang::Sv => "report.sv.html",
        };
        for file in made.files.iter().filter(|file| file.ends_with(page)) {
            let path = file.display();
            document = document.text(words!("The report: {path}", "Rapporten: {path}"));
        }
        let folder = made.folder.display();
        document = document.text(if self.suppress_below.is_some() { words!(
            "The pages in {folder} mask small numbers and are meant for the public; they stand in for no registered result.",
            "Sidorna i {folder} döljer små tal och är avsedda för allmänheten; de ersätter inget registrerat resultat."
        ) } else { words!(
            "Tables, figures and JSON lie beside it in {folder}.",
            "Tabeller, figurer och JSON ligger bredvid i {folder}."
        ) });
        if !made.verification.ok {
            document = document.text(Words::new(
                "The ledger does NOT hold together: the report says so; run `lottning verify`.",
                "Liggaren håller INTE ihop: rapporten säger det; kör `lottning verify`.",
            ));
        }
        Ok(document)
    }
}
