//! Events to the text of ledger entries.
//!
//! The public part carries whatever later decisions, re-derivations and proofs depend on, and never who: site, verdict,
//! stratum levels, draw number, arm. The payload carries who and what, and can be erased.

use super::record::Recording;
use crate::protocol::Protocol;
use crate::protocol::model::Day;
use crate::study::kernel::{SiteIx, Verdict, What};

/// The text of an entry before it has a place in the chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Encoded {
    /// Kind of event.
    pub kind: &'static str,
    /// Public part.
    pub public: String,
    /// Payload.
    pub payload: String,
}

/// The text of an event. `clock` says in the public part where its time is from, if not from the clock.
pub(super) fn encode(protocol: &Protocol, recording: &Recording, clock: Option<&str>) -> Encoded {
    let public = recording.public.clone().with_some("clock", clock);
    let site = |site: SiteIx| {
        protocol
            .sites
            .get(usize::from(site.0))
            .map_or("", |site| site.id.as_str())
    };
    let arm_id = |arm: crate::allocation::Arm| {
        protocol
            .arms
            .get(arm.index())
            .map_or("", |arm| arm.id.as_str())
    };
    let lock = |lock: u16| {
        protocol
            .locks
            .get(usize::from(lock))
            .map_or("", |lock| lock.id.as_str())
    };
    let (kind, public) = match &recording.what {
        What::Opened => ("opened", public),
        What::EpochOpened { epoch } => ("epoch-opened", public.with("epoch", *epoch)),
        What::Beacon { epoch } => ("beacon", public.with("epoch", *epoch)),
        What::SiteOpened { site: own, on } => (
            "site-opened",
            public.with("site", site(*own)).with("on", date(*on)),
        ),
        What::SiteClosed { site: own, on } => (
            "site-closed",
            public.with("site", site(*own)).with("on", date(*on)),
        ),
        What::CapacityChanged {
            site: own,
            on,
            therapists,
        } => (
            "capacity-changed",
            public
                .with("site", site(*own))
                .with("on", date(*on))
                .with("therapists", *therapists),
        ),
        What::Screened(screening) => (
            "screened",
            public
                .with("site", site(screening.site))
                .with("verdict", verdict_text(screening.verdict)),
        ),
        What::Allocated {
            site: own,
            epoch,
            stratum,
            cell,
            draw,
            arm,
            allocation,
            ..
        } => (
            "allocated",
            public
                .with("site", site(*own))
                .with("epoch", *epoch)
                .with(
                    "levels",
                    protocol.in_epoch(*epoch).stratum_levels(*stratum as usize),
                )
                .with_some("factors", factors(protocol.in_epoch(*epoch), *cell))
                .with("draw", *draw)
                .with("arm", arm_id(*arm))
                .with("allocation", *allocation),
        ),
        What::Returned { site: own, .. } => ("returned", public.with("site", site(*own))),
        What::Joined { site: own, .. } => ("joined", public.with("site", site(*own))),
        What::Exception { site: own, .. } => ("exception", public.with("site", site(*own))),
        What::Violation { .. } => ("violation", public),
        What::Reported(_) => ("reported", public),
        What::Serviced { service, arm, .. } => {
            (service.text(), public.with_some("arm", arm.map(arm_id)))
        }
        What::Exited { exit, .. } => (exit.text(), public),
        What::Observed { .. } => ("observed", public),
        What::Corrected { sequence, .. } => ("corrected", public.with("sequence", *sequence)),
        What::Linked { .. } | What::ChildLinked { .. } => ("linked", public),
        What::Withdrawn { .. } => ("withdrawn", public),
        What::Erased { .. } => ("erased", public),
        What::Locked { lock: own, cut } => (
            "locked",
            public.with("lock", lock(*own)).with("cut", date(*cut)),
        ),
        What::Analysed { lock: own } => ("analysed", public.with("lock", lock(*own))),
        What::Exported => ("exported", public),
        What::Revealed => ("revealed", public),
    };
    Encoded {
        kind,
        public: public.text(),
        payload: recording.content.text(),
    }
}

/// The levels of the balancing factors, if the method balances any.
fn factors(protocol: &Protocol, cell: u32) -> Option<Vec<String>> {
    (!protocol.allocation.factors.is_empty()).then(|| protocol.cell_texts(cell))
}

/// A day as an ISO date.
pub(super) fn date(day: Day) -> String {
    day.date().map_or_else(String::new, |date| date.to_string())
}

/// The text of a verdict.
pub(super) fn verdict_text(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::NotEligible { .. } => "not-eligible",
        Verdict::GateClosed => "gate-closed",
        Verdict::Exception => "exception",
        Verdict::Drawn => "drawn",
    }
}
