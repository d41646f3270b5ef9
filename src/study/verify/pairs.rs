//! Screening and what came of it: the verdict follows from the answers, the allocation or exception from the verdict, and
//! the arm from the seed.

use super::Checker;
use super::sense::Row;
use crate::protocol::Protocol;
use crate::study::kernel::{
    Drawer, Draws, Family, FamilyIx, RecordedSource, Screening, SiteIx, Verdict, What,
    missed_criteria,
};
use crate::words;

/// A screening that must be followed by its allocation or exception.
pub(super) struct Pending {
    family: FamilyIx,
    /// Whether its payload is there.
    seen: bool,
    site: SiteIx,
    /// The stratum and the cell of balancing factors that its values give, unless they are erased.
    place: Option<(u32, u32)>,
    verdict: Verdict,
    /// The request, unless it is erased.
    request: Option<String>,
    /// The exception that was declared, unless it is erased or none was.
    reason: Option<String>,
}

impl Checker {
    /// A screening that was drawn or excepted is followed by its allocation or exception, and those by nothing else.
    pub(super) fn followed(&mut self, pending: &mut Option<Pending>, row: &Row<'_>) {
        let (sequence, what) = (row.entry.sequence, &row.said.what);
        let before = pending.take();
        let is_outcome = matches!(what, What::Allocated { .. } | What::Exception { .. });
        // Whose an erased row was nobody can tell, and a half that is erased without the other is its erasure's to say.
        let same_family =
            |own: &Pending, family: FamilyIx| !(own.seen && row.is_seen()) || own.family == family;
        let follows = match (&before, what) {
            (
                Some(own),
                What::Allocated {
                    family,
                    site,
                    stratum,
                    cell,
                    ..
                },
            ) => {
                own.verdict == Verdict::Drawn
                    && own.site == *site
                    && same_family(own, *family)
                    && own.place.is_none_or(|own| own == (*stratum, *cell))
                    && same(own.request.as_deref(), row.payload("request_id"))
            }
            (Some(own), What::Exception { family, site, .. }) => {
                own.verdict == Verdict::Exception
                    && own.site == *site
                    && same_family(own, *family)
                    && same(own.reason.as_deref(), row.payload("reason"))
                    && same(own.request.as_deref(), row.payload("request_id"))
            }
            (None, _) => !is_outcome,
            _ => true,
        };
        if !follows {
            self.push(
                "not-as-screened",
                Some(sequence),
                words!(
                    "event {sequence} does not follow from the screening before it",
                    "händelse {sequence} följer inte av screeningen före"
                ),
            );
        } else if !is_outcome {
            self.unfollowed(before.as_ref(), sequence);
        }
    }

    pub(super) fn screened(
        &mut self,
        protocol: &Protocol,
        screening: &Screening,
        row: &Row<'_>,
    ) -> Option<Pending> {
        let (sequence, state) = (row.entry.sequence, &row.before.state);
        let seen = row.is_seen();
        let declared = row.payload("exception");
        if seen && !verdict_holds(protocol, screening, declared) {
            self.push(
                "verdict-differs",
                Some(sequence),
                words!(
                    "the verdict of event {sequence} does not follow from its answers and what was declared",
                    "utfallet i händelse {sequence} följer inte av svaren och det som angavs"
                ),
            );
        }
        if screening.verdict == Verdict::GateClosed && state.gate_open(screening.site) {
            self.push(
                "turned-away-at-an-open-gate",
                Some(sequence),
                words!(
                    "event {sequence} turned a family away while a slot was free",
                    "händelse {sequence} avvisade en familj fast en plats var ledig"
                ),
            );
        }
        let (site, values) = (usize::from(screening.site.0), &screening.values);
        let place = (
            protocol.stratum(site, values) as u32,
            protocol.cell(site, values),
        );
        matches!(screening.verdict, Verdict::Drawn | Verdict::Exception).then(|| Pending {
            family: screening.family,
            seen,
            site: screening.site,
            place: seen.then_some(place),
            verdict: screening.verdict,
            request: row.payload("request_id").map(str::to_owned),
            reason: declared.map(str::to_owned),
        })
    }

    pub(super) fn allocated(
        &mut self,
        protocol: &Protocol,
        row: &Row<'_>,
        drawer: Option<&mut Drawer<RecordedSource>>,
    ) {
        let (sequence, state) = (row.entry.sequence, &row.before.state);
        let What::Allocated {
            family,
            site,
            epoch,
            stratum,
            cell,
            draw,
            arm,
            allocation,
        } = &row.said.what
        else {
            return;
        };
        let at = Some(sequence);
        let awaits = protocol.in_epoch(state.epoch).study.beacon.is_some();
        if awaits && !state.beacon() {
            self.push(
                "drawn-before-the-beacon",
                at,
                words!(
                    "event {sequence} draws before the value of the epoch's public round is recorded",
                    "händelse {sequence} lottar innan värdet av epokens offentliga omgång är registrerat"
                ),
            );
        }
        if !state.gate_open(*site) {
            self.push(
                "drawn-past-a-closed-gate",
                at,
                words!(
                    "event {sequence} let a family past a closed gate",
                    "händelse {sequence} släppte in en familj trots intagsstopp"
                ),
            );
        }
        let known = state.family(*family);
        if row.is_seen() && known.is_some_and(Family::is_randomized) {
            self.push(
                "allocated-twice",
                at,
                words!(
                    "event {sequence} allocates a family that has an arm",
                    "händelse {sequence} lottar en familj som redan har en arm"
                ),
            );
        }
        let in_order = *allocation as usize == state.allocations.len() + 1
            && *epoch == state.epoch
            && Some(*draw) == state.draws.get(*stratum as usize).copied();
        if !in_order {
            self.push(
                "numbers-out-of-order",
                at,
                words!(
                    "event {sequence} breaks the numbering of allocations or draws",
                    "händelse {sequence} bryter numreringen av lottningar eller dragningar"
                ),
            );
        } else if let Some(drawer) = drawer
            && drawer.arm(
                protocol,
                state,
                *stratum,
                &protocol.in_epoch(state.epoch).cell_levels(*cell).unit(),
            ) != *arm
        {
            self.push(
                "draw-differs",
                at,
                words!(
                    "the arm of event {sequence} is not the one that the seed gives",
                    "armen i händelse {sequence} är inte den som fröet ger"
                ),
            );
        }
    }

    /// A screening that nothing followed: its allocation or exception should stand at `sequence`.
    pub(super) fn unfollowed(&mut self, pending: Option<&Pending>, sequence: u64) {
        if pending.is_some() {
            self.push("screening-without-outcome", Some(sequence), words!(
                "event {sequence} should be the allocation or exception of the screening before it",
                "händelse {sequence} borde vara lottningen eller undantaget efter screeningen före"
            ));
        }
    }
}

/// Whether a screening's verdict follows from its answers and values, and from the exception that was declared: a family
/// with one is not drawn and not turned away, and one without is not excepted.
fn verdict_holds(protocol: &Protocol, screening: &Screening, declared: Option<&str>) -> bool {
    let missed = missed_criteria(protocol, screening.answers, &screening.values);
    match screening.verdict {
        Verdict::NotEligible { missed: recorded } => recorded == missed && missed != 0,
        Verdict::GateClosed | Verdict::Drawn => missed == 0 && declared.is_none(),
        Verdict::Exception => {
            let reasons = &protocol.exceptions.reasons;
            missed == 0 && reasons.iter().any(|own| Some(own.id.as_str()) == declared)
        }
    }
}

/// Whether two rows say the same, as far as both still say something.
fn same(one: Option<&str>, other: Option<&str>) -> bool {
    one == other || one.is_none() || other.is_none()
}
