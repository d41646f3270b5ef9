//! `lottning record`.

use clap::Args;

use crate::app::Failure;
use crate::app::record::{record, try_record};
use crate::app::study::Study;
use crate::study::recording::{EVENTS, EventRequest};

use super::acting::{Acting, At, pairs, receipt, tried};
use super::options::{event_refused, of_event};
use super::output::Document;
use super::session::Session;

/// Arguments of `record`.
#[derive(Debug, Args)]
pub(super) struct Record {
    /// The event: report, offered, accepted, declined, started, not-started, home-visit, switched, closed, reopened,
    /// death, all-children-18, left-coverage, withdrawn, violation, observed, linked, corrected; of a site: capacity-changed,
    /// site-opened, site-closed
    event: String,

    #[command(flatten)]
    at: At,

    /// Pseudonym of the family
    #[arg(
        long,
        value_name = "ID",
        conflicts_with = "site",
        required_unless_present = "site"
    )]
    family: Option<String>,

    /// Site id, for an event of a site
    #[arg(long, value_name = "ID")]
    site: Option<String>,

    /// Date on which it happened; a report: was received
    #[arg(long, value_name = "DATE")]
    on: String,

    /// Key of the event; for a report, its report key
    #[arg(long, value_name = "K")]
    event_key: String,

    /// Pseudonym of the child concerned
    #[arg(long, value_name = "ID")]
    child: Option<String>,

    /// A further value; may be repeated
    #[arg(long, value_name = "KEY=V")]
    set: Vec<String>,

    /// Say what would be recorded and what it means; record nothing
    #[arg(long)]
    dry_run: bool,

    #[command(flatten)]
    acting: Acting,
}

impl Record {
    /// Records one event.
    pub(super) fn run(&self, session: &Session) -> Result<Document, Failure> {
        if !EVENTS.iter().any(|(id, _)| *id == self.event) {
            let what = crate::diagnostic::Words::new("event", "händelse");
            return Err(Failure::unknown_id(
                &what,
                &self.event,
                EVENTS.iter().map(|(id, _)| *id),
            ));
        }
        let request = EventRequest {
            event: self.event.clone(),
            family: self.family.clone(),
            site: self.site.clone(),
            on: self.on.clone(),
            event_key: self.event_key.clone(),
            child: self.child.clone(),
            set: pairs("--set", &self.set)?,
        };
        let (outside, act) = (&session.outside, self.acting.act());
        if self.dry_run {
            let mut study = Study::load(outside, &self.at.study)?;
            let made = try_record(outside, &mut study, &act, &request);
            let mut made = made.map_err(event_refused)?;
            made.warnings = of_event(made.warnings);
            return tried(session, &made);
        }
        let mut study = Study::load_to_write(outside, &self.at.study)?;
        let made = record(outside, &mut study, &act, &request);
        let mut made = made.map_err(event_refused)?;
        made.warnings = of_event(made.warnings);
        session.keep_afterwards(study);
        receipt(session, &made)
    }
}
