//! `lottning explain CODE`.

use clap::Args;
use serde_json::json;

use crate::app::{Failure, explain};

use super::output::Document;
use super::session::Session;

/// Arguments of `explain`.
#[derive(Debug, Args)]
pub(super) struct Explain {
    /// A code from a message, for example `unknown-key`, or the number of an exit code
    code: String,
}

impl Explain {
    /// The page about the code.
    pub(super) fn run(&self, session: &Session) -> Result<Document, Failure> {
        let page = explain::explain(&self.code)?;
        let text = page.text.get(session.lang);
        Ok(
            Document::new("page/1", &json!({"code": page.code, "text": text}))?
                .text(page.text.clone()),
        )
    }
}
