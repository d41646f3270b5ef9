//! An event as people type or import it, checked against the protocol and turned into what the ledger holds.
//!
//! All findings are collected; values are codes, dates and numbers, never free text, and a personal number is refused
//! without an echo.

use super::identifiers::{holds_personal_number, number_holds_personal_number};
use super::journal::{Journal, KeyUse, Recording, recorded_hash, report_key};
use super::kernel::{Family, FamilyIx, Source, What};
use crate::diagnostic::Diagnostic;

mod checker;
mod families;
mod violation;

use checker::Checker;

/// Events that `record` and `import` take, with the `--set` keys that each needs.
pub const EVENTS: &[(&str, &[&str])] = &[
    ("report", &[]),
    ("offered", &[]),
    ("accepted", &[]),
    ("declined", &[]),
    ("started", &[]),
    ("not-started", &[]),
    ("home-visit", &[]),
    ("switched", &["arm"]),
    ("closed", &[]),
    ("reopened", &[]),
    ("death", &[]),
    ("all-children-18", &[]),
    ("left-coverage", &[]),
    ("withdrawn", &[]),
    ("violation", &["reason"]),
    ("observed", &["outcome", "value"]),
    ("linked", &[]),
    ("corrected", &["sequence", "reason"]),
    ("capacity-changed", &["therapists"]),
    ("site-opened", &[]),
    ("site-closed", &[]),
];

/// Events of a site; all others are of a family.
pub const SITE_EVENTS: [&str; 3] = ["capacity-changed", "site-opened", "site-closed"];

/// The reporter that marks a report by staff of the study's services.
pub const STUDY_STAFF: &str = "study-staff";

/// An event as it was typed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EventRequest {
    /// The event's id.
    pub event: String,
    /// Family pseudonym, for events of a family.
    pub family: Option<String>,
    /// Site id, for events of a site.
    pub site: Option<String>,
    /// Date on which it happened (a report: was received).
    pub on: String,
    /// Key of the event; for a report, its report key.
    pub event_key: String,
    /// Child pseudonym.
    pub child: Option<String>,
    /// Further values.
    pub set: Vec<(String, String)>,
}

impl EventRequest {
    /// Whether a value holds a personal number; that of an observation is a number, whose decimals are none.
    fn is_personal(&self, key: &str, value: &str) -> bool {
        if self.event == "observed" && key == "value" {
            number_holds_personal_number(value)
        } else {
            holds_personal_number(value)
        }
    }
}

/// An event that can be decided.
#[derive(Debug, Clone, PartialEq)]
pub struct PreparedEvent {
    /// The event with its content.
    pub recording: Recording,
    /// Kind and key by which a repetition is found.
    pub key: (String, String),
    /// The family, of an event of a family.
    pub family: Option<FamilyIx>,
    /// Hash of the content, by which a repetition is compared.
    pub content_hash: [u8; 32],
    /// What should have been carried and was not.
    pub warnings: Vec<Diagnostic>,
}

/// How an event stands to what the ledger holds already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repetition {
    /// The key is new.
    New,
    /// The same event was recorded before.
    Same {
        /// Its sequence number.
        sequence: u64,
        /// Whether a correction took it back.
        retracted: bool,
    },
    /// The key was used for something else.
    Other {
        /// The sequence number of that event.
        sequence: u64,
    },
}

impl PreparedEvent {
    /// Whether this is an event of service and the key was used for the service of another draw of the same family: each
    /// draw has a slot of its own.
    fn of_another_draw(&self, journal: &Journal, other: Option<FamilyIx>) -> bool {
        let drawn = |ix: Option<FamilyIx>| {
            ix.and_then(|ix| journal.state.family(ix))
                .is_some_and(Family::is_randomized)
        };
        matches!(self.recording.what, What::Serviced { .. })
            && other != self.family
            && drawn(other)
            && drawn(self.family)
    }

    /// Whether the journal holds the event's key, and with which content.
    pub fn repetition(&self, journal: &Journal) -> Repetition {
        match journal.key(&self.key.0, &self.key.1) {
            Some(KeyUse {
                content,
                family,
                sequence,
                retracted,
            }) if *content == self.content_hash
                && journal.same_family(*family, self.family)
                && !self.of_another_draw(journal, *family) =>
            {
                Repetition::Same {
                    sequence: *sequence,
                    retracted: *retracted,
                }
            }
            // What should have been recorded may follow under the key of what was retracted.
            None
            | Some(KeyUse {
                retracted: true, ..
            }) => Repetition::New,
            Some(KeyUse { sequence, .. }) => Repetition::Other {
                sequence: *sequence,
            },
        }
    }
}

/// Checks an event and names its parts. `source` says who saw a report. `Err` holds every finding.
pub fn prepare(
    journal: &Journal,
    request: &EventRequest,
    source: Source,
) -> Result<PreparedEvent, Vec<Diagnostic>> {
    let (recording, findings, warnings) = Checker::check(journal, request, source);
    let (Some(recording), true) = (recording, findings.is_empty()) else {
        return Err(findings);
    };
    let site_event = recording.content.is_empty();
    let compared = if site_event {
        &recording.public
    } else {
        &recording.content
    };
    let (key, retracts) = match recording.what {
        What::Reported(report) => {
            let (kind, key) = report_key(report.source, report.report);
            ((kind.to_owned(), key), None)
        }
        What::Corrected { sequence, .. } => (own_key(request), Some(sequence)),
        _ => (own_key(request), None),
    };
    let family = recording.content.text_of("family");
    Ok(PreparedEvent {
        content_hash: recorded_hash(compared, retracts),
        family: family.and_then(|name| journal.names.family(&name)),
        recording,
        key,
        warnings,
    })
}

fn own_key(request: &EventRequest) -> (String, String) {
    (request.event.clone(), request.event_key.clone())
}
