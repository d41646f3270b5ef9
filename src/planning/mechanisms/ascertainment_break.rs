//! `ascertainment-break`: before a date of the protocol, not every report can be found afterwards.
//!
//! Until July 2025 a report that was closed without an investigation was kept in the order of dates and could not be
//! searched by child. The date is the protocol's (`ascertainment`); a report received before it is found with a stated
//! probability, which may differ between the arms, because whoever visits a family knows more of it. What is true of a
//! family is what happened, found or not.

use super::{Arms, Mechanism, MechanismEntry, or_default, share};
use crate::protocol::findings::Findings;
use crate::protocol::model::Day;
use crate::protocol::tree::Section;
use crate::words;

/// Registry entry.
pub(super) const ENTRY: MechanismEntry = MechanismEntry {
    id: "ascertainment-break",
    about: "reports before the protocol's date of complete registers are not all found",
    about_sv: "anmälningar före protokollets datum för kompletta register hittas inte alla",
    keys: &["found_before", "found_before_treated"],
    build: Some(build),
};

#[derive(Debug)]
struct AscertainmentBreak {
    complete_from: Day,
    /// Share that is found before, by arm: control, treated.
    found: [f64; 2],
}

fn build(
    out: &mut Findings<'_>,
    section: &Section<'_>,
    arms: Arms<'_>,
) -> Option<Box<dyn Mechanism>> {
    let found = section.need(out, "found_before");
    let found = found.and_then(|value| share(out, &value));
    let treated = or_default(out, section, "found_before_treated", None, |out, value| {
        arms.own(out, value, share).map(Some)
    });
    let Some(own) = &arms.protocol.study.ascertainment else {
        out.error(
            "not-applicable",
            &section.span,
            words!(
                "the protocol has no date from which reports are complete",
                "protokollet har inget datum från vilket anmälningarna är kompletta"
            ),
            words!(
                "write `ascertainment` in the protocol's `[study]`, or remove the mechanism",
                "ange `ascertainment` i protokollets `[study]`, eller ta bort mekanismen"
            ),
        );
        return None;
    };
    let (found, treated) = (found?, treated?);
    Some(Box::new(AscertainmentBreak {
        complete_from: Day::of(own.complete_from),
        found: [found, treated.unwrap_or(found)],
    }))
}

impl Mechanism for AscertainmentBreak {
    fn misses(&self) -> bool {
        true
    }

    fn found(&self, treated: bool, received: Day) -> f64 {
        if received < self.complete_from {
            self.found[usize::from(treated)]
        } else {
            1.0
        }
    }
}
