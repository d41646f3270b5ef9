//! `lottning new DIR [--template NAME] [--scenario]`.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use crate::app::{Failure, new};
use crate::words;

use super::output::Document;
use super::session::Session;

/// Arguments of `new`.
#[derive(Debug, Args)]
pub(super) struct New {
    /// The folder to write into; it is made if it is missing
    folder: PathBuf,

    /// The protocol to begin with: iuh-2025 (default) or two-arms
    #[arg(long, value_name = "NAME")]
    template: Option<String>,

    /// Write a scenario for the folder's protocol instead
    #[arg(long, conflicts_with = "template")]
    scenario: bool,
}

impl New {
    /// Writes the files and says what comes next.
    pub(super) fn run(&self, session: &Session) -> Result<Document, Failure> {
        if self.scenario {
            return self.scenario(session);
        }
        let created = new::new(&session.outside, &self.folder, self.template.as_deref())?;
        let (template, protocol) = (created.template, created.protocol.display());
        let folder = self.folder.display();
        let body = json!({"template": template, "protocol": protocol.to_string()});
        Ok(Document::new("new/1", &body)?.text(words!(
            "Wrote {protocol} (template `{template}`).\n\nNext:\n  1. Edit it; every key is explained in the file and in docs/protocol.md.\n  2. lottning check {protocol}\n  3. lottning rehearse {protocol}\n  4. lottning check {protocol} --document   writes the pre-analysis plan\n  5. lottning new {folder} --scenario   writes a scenario to simulate",
            "Skrev {protocol} (mall `{template}`).\n\nNästa steg:\n  1. Redigera den; varje nyckel förklaras i filen och i docs/protocol.md.\n  2. lottning check {protocol}\n  3. lottning rehearse {protocol}\n  4. lottning check {protocol} --document   skriver analysplanen\n  5. lottning new {folder} --scenario   skriver ett scenario att simulera"
        )))
    }

    fn scenario(&self, session: &Session) -> Result<Document, Failure> {
        let path = new::scenario(&session.outside, &self.folder)?;
        let scenario = path.display();
        let body = json!({"scenario": scenario.to_string()});
        Ok(Document::new("new/1", &body)?.text(words!(
            "Wrote {scenario}, a made-up world for the protocol beside it.\n\nNext:\n  1. Replace the assumptions, marked (A); docs/scenario.md explains every key.\n  2. lottning simulate {scenario}",
            "Skrev {scenario}, en påhittad värld för protokollet bredvid.\n\nNästa steg:\n  1. Ersätt antagandena, märkta (A); docs/scenario.md förklarar varje nyckel.\n  2. lottning simulate {scenario}"
        )))
    }
}
