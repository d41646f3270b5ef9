//! `lottning status`.

use clap::Args;
use serde_json::{Value, json};

use crate::app::Failure;
use crate::app::status::status;
use crate::app::study::Study;
use crate::diagnostic::Words;
use crate::words;

use super::acting::{At, head};
use super::output::{Cell, Document, Grid};
use super::session::Session;

/// Arguments of `status`.
#[derive(Debug, Args)]
pub(super) struct Status {
    #[command(flatten)]
    at: At,
}

impl Status {
    /// Says how the study goes.
    pub(super) fn run(&self, session: &Session) -> Result<Document, Failure> {
        let study = Study::load(&session.outside, &self.at.study)?;
        let own = status(&study);
        let sites: Vec<Value> = own
            .sites
            .iter()
            .map(|site| {
                json!({
                    "site": site.site, "enrols": site.enrols, "gate": site.gate,
                    "screened": site.screened, "randomized": site.randomized,
                    "turned_away": site.turned_away,
                })
            })
            .collect();
        let locks: Vec<Value> = own
            .locks
            .iter()
            .map(|(lock, cut, sequence)| json!({ "lock": lock, "cut": cut, "sequence": sequence }))
            .collect();
        let body = json!({
            "study": own.study, "protocol_hash": own.protocol_hash, "mode": own.mode,
            "enrolment": own.enrolment, "events": own.events, "last_event": own.last_event,
            "screened": own.screened, "randomized": own.randomized, "target": own.target,
            "not_eligible": own.not_eligible, "turned_away": own.turned_away,
            "exceptions": own.exceptions, "changed_answers": own.changed_answers,
            "locks": locks, "revealed": own.revealed, "sites": sites, "head": own.head,
        });
        let mut grid = Grid::new()
            .column("site", Words::new("site", "plats"))
            .column("gate", Words::new("gate", "port"))
            .column("screened", Words::new("screened", "screenade"))
            .column("randomized", Words::new("randomized", "lottade"))
            .column("turned_away", Words::new("turned away", "avvisade"));
        for site in &own.sites {
            let gate = match (site.enrols, site.gate) {
                (false, _) => Words::new("does not enrol", "tar inte in"),
                (true, "open") => Words::new("open", "öppen"),
                (true, _) => Words::new("closed", "stängd"),
            };
            grid.row([
                Cell::text(site.site.clone()),
                Cell::Words(gate),
                Cell::count(site.screened),
                Cell::count(site.randomized),
                Cell::count(site.turned_away),
            ]);
        }
        let (study, randomized, target) = (&own.study, own.randomized, own.target);
        let (screened, events) = (own.screened, own.events);
        Ok(Document::new("status/1", &body)?
            .text(words!(
                "{study}: {randomized} of {target} planned families are randomized, {screened} were screened; {events} events.",
                "{study}: {randomized} av {target} planerade familjer är lottade, {screened} har screenats; {events} händelser."
            ))
            .grid(grid)
            .text(head(&own.head))
            .receipt())
    }
}
