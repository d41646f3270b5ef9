//! `lottning rehearse` and `lottning demo`.

use clap::Args;
use serde_json::{Value, json};
use std::path::PathBuf;

use crate::app::Failure;
use crate::app::rehearse::{
    DEMO_SETTINGS, Rehearse as Rehearsing, demo_protocol, demo_scenario, refuse_used, rehearse,
    take_away,
};
use crate::diagnostic::{Lang, Words};
use crate::words;

use super::acting::head;
use super::output::Document;
use super::session::Session;

/// Arguments of `demo`.
#[derive(Debug, Args)]
pub(super) struct Demo {
    /// Folder to make
    #[arg(value_name = "DIR", default_value = "demo")]
    folder: PathBuf,
}

/// Arguments of `rehearse`.
#[derive(Debug, Args)]
pub(super) struct Rehearse {
    /// Your protocol
    protocol: PathBuf,

    /// Folder to make
    #[arg(value_name = "DIR", default_value = "rehearsal")]
    folder: PathBuf,

    /// Months of enrolment
    #[arg(long, default_value_t = 12, value_parser = clap::value_parser!(u32).range(1..=120))]
    months: u32,
}

impl Demo {
    /// Tells the whole story on the protocol of the IUH study.
    pub(super) fn run(&self, session: &Session) -> Result<Document, Failure> {
        let before = refuse_used(&session.outside, &self.folder, None)?;
        let told = demo_protocol(&session.outside, &self.folder).and_then(|protocol| {
            let request = Rehearsing {
                protocol,
                scenario: Some(demo_scenario()),
                folder: self.folder.clone(),
                settings: DEMO_SETTINGS.map(str::to_owned).to_vec(),
                replicates: 400,
            };
            answer(session, &request)
        });
        if told.is_err() {
            take_away(&session.outside, &self.folder, &before);
        }
        told
    }
}

impl Rehearse {
    /// Rehearses a protocol on made-up families.
    pub(super) fn run(&self, session: &Session) -> Result<Document, Failure> {
        answer(
            session,
            &Rehearsing {
                protocol: self.protocol.clone(),
                scenario: None,
                folder: self.folder.clone(),
                settings: vec![format!("months={}", self.months)],
                replicates: 200,
            },
        )
    }
}

fn answer(session: &Session, request: &Rehearsing) -> Result<Document, Failure> {
    let made = rehearse(&session.outside, request)?;
    let steps: Vec<Value> = made
        .told
        .iter()
        .map(|(words, command)| json!({ "said": words.get(session.lang), "command": command }))
        .collect();
    let pages: Vec<String> = made
        .reported
        .files
        .iter()
        .take(2)
        .map(|file| file.display().to_string())
        .collect();
    // The Swedish page is written first.
    let own = match session.lang {
        Lang::Sv => pages.first(),
        Lang::En => pages.get(1),
    };
    let body = json!({
        "folder": request.folder.display().to_string(),
        "steps": steps,
        "report": own,
        "reports": pages,
        "verified": made.reported.verification.ok,
        "head": made.head,
    });
    let mut document = Document::new("rehearsal/1", &body)?.text(Words::new(
        "Each step is an ordinary command:",
        "Varje steg är ett vanligt kommando:",
    ));
    for (number, (_, command)) in made.told.iter().enumerate() {
        let number = number + 1;
        document = document.text(words!("{number}. {command}", "{number}. {command}"));
    }
    let folder = request.folder.display();
    document = document.text(head(&made.head)).text(words!(
        "Every family above is made up. All of it lies in {folder}.",
        "Varje familj ovan är påhittad. Alltihop ligger i {folder}."
    ));
    if let [swedish, english, ..] = pages.as_slice() {
        document = document.text(words!(
            "Open the report in a browser: {english} (Swedish: {swedish})",
            "Öppna rapporten i en webbläsare: {swedish} (engelska: {english})"
        ));
    }
    Ok(document.text(Words::new(
        "The same with your own protocol: lottning rehearse PROTOCOL.toml",
        "Samma sak med ett eget protokoll: lottning rehearse PROTOKOLL.toml",
    )))
}
