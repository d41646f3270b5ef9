//! What the public parts of a few kinds say of the study as a whole, read before the rows are checked one by one.

use crate::allocation::{Mode, Seed};
use crate::study::journal::Entry;
use serde_json::Value;

/// What the public parts say of the study as a whole.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Published {
    pub(super) mode: Mode,
    pub(super) commitments: Vec<String>,
    /// Value of each epoch's beacon, where one is recorded.
    pub(super) beacons: Vec<Option<String>>,
    /// Published seeds and the row that published them.
    pub(super) revealed: Option<(u64, Vec<Option<Seed>>)>,
}

impl Default for Published {
    /// What an empty ledger says.
    fn default() -> Self {
        Self {
            mode: Mode::Live,
            commitments: Vec::new(),
            beacons: Vec::new(),
            revealed: None,
        }
    }
}

impl Published {
    /// Notes what the next row says.
    pub(super) fn note(&mut self, entry: &Entry) {
        let public: Value = serde_json::from_str(&entry.public).unwrap_or_default();
        let text = |key: &str| public.get(key).and_then(Value::as_str);
        match entry.kind.as_str() {
            "opened" | "epoch-opened" => {
                if text("mode") == Some(Mode::Rehearsal.text()) {
                    self.mode = Mode::Rehearsal;
                }
                self.commitments
                    .extend(text("commitment").map(str::to_owned));
                self.beacons.push(None);
            }
            "beacon" => {
                if let Some(last) = self.beacons.last_mut() {
                    *last = text("value").map(str::to_owned);
                }
            }
            // A second one is refused where the locks are checked.
            "revealed" if self.revealed.is_none() => {
                let seeds = public.get("seeds").and_then(Value::as_array);
                let read = |seed: &Value| Seed::from_hex(seed.as_str()?).ok();
                let seeds = seeds.map(|seeds| seeds.iter().map(read).collect());
                self.revealed = Some((entry.sequence, seeds.unwrap_or_default()));
            }
            _ => {}
        }
    }
}
