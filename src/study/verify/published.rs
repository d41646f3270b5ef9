//! What the public parts of a few kinds say of the study as a whole, read before the rows are checked one by one.

use crate::allocation::{Mode, Seed};
use crate::study::journal::{Entry, Object, Value};

/// What the public parts say of the study as a whole.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Published {
    pub(super) mode: Mode,
    /// Commitment of each epoch, where its row has the form.
    pub(super) commitments: Vec<Option<String>>,
    /// Value of each epoch's beacon, where one is recorded.
    pub(super) beacons: Vec<Option<String>>,
    /// What rows publish; a second one is refused where the locks are checked.
    pub(super) revealed: Vec<Revealed>,
    /// Rows so far that open a study or an epoch.
    opened: usize,
}

/// A row that publishes seeds.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Revealed {
    pub(super) sequence: u64,
    /// One for each epoch, in order; `None` if there are more or fewer.
    pub(super) seeds: Option<Vec<Seed>>,
}

impl Default for Published {
    /// What an empty ledger says.
    fn default() -> Self {
        Self {
            mode: Mode::Live,
            commitments: Vec::new(),
            beacons: Vec::new(),
            revealed: Vec::new(),
            opened: 0,
        }
    }
}

impl Published {
    /// Notes what the next row says; `public` is its public part, if it has the form of its kind.
    pub(super) fn note(&mut self, entry: &Entry, public: Option<&Object<'_>>) {
        let text = |key: &str| public.and_then(|own| own.get(key)?.as_str());
        match entry.kind.as_str() {
            kind @ ("opened" | "epoch-opened") => {
                self.opened += 1;
                // The first row opens the study, and none after it does.
                if kind == "opened" && self.opened > 1 {
                    return;
                }
                if text("mode") == Some(Mode::Rehearsal.text()) {
                    self.mode = Mode::Rehearsal;
                }
                self.commitments.push(text("commitment").map(str::to_owned));
                self.beacons.push(None);
            }
            // A second one is refused where beacons are checked.
            "beacon" => {
                let value = text("value").map(str::to_owned);
                if let Some(last) = self.beacons.last_mut().filter(|own| own.is_none()) {
                    *last = value;
                }
            }
            "revealed" => {
                let listed = public.and_then(|own| own.get("seeds")?.as_array());
                let read = |seed: &Value<'_>| Seed::from_hex(seed.as_str()?).ok();
                self.revealed.extend(listed.map(|seeds| {
                    Revealed {
                        sequence: entry.sequence,
                        seeds: (seeds.len() == self.opened)
                            .then(|| seeds.iter().map(read).collect())
                            .flatten(),
                    }
                }));
            }
            _ => {}
        }
    }
}
