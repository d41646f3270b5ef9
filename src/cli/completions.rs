//! `lottning completions SHELL`.

use clap::Args;
use clap_complete::Shell;
use serde_json::json;

use crate::app::Failure;
use crate::diagnostic::Words;

use super::output::{Document, not_written};
use super::session::Session;

/// Arguments of `completions`.
#[derive(Debug, Args)]
pub(super) struct Completions {
    /// The shell to write completions for
    shell: Shell,
}

impl Completions {
    /// The script that the shell reads.
    pub(super) fn run(&self, session: &Session) -> Result<Document, Failure> {
        let mut bytes = Vec::new();
        let mut command = super::command(session.lang);
        clap_complete::generate(self.shell, &mut command, "lottning", &mut bytes);
        let script = String::from_utf8(bytes).map_err(|error| not_written(&error.to_string()))?;
        let shell = self.shell.to_string();
        Ok(
            Document::new("completions/1", &json!({"shell": shell, "script": script}))?
                .text(Words::same(script.trim_end())),
        )
    }
}
