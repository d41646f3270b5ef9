//! `[exceptions]`: reasons, declared before the draw, for which a family is not randomized; `[violations]`: reasons for
//! which something went against the protocol after it. Both have coded reasons and caps. `[deviations]`: reasons for which
//! the plan was not followed as registered.

use super::sample_size::between_0_and_1;
use crate::protocol::findings::Findings;
use crate::protocol::model::{Cap, Deviations, Exceptions, Named, Violations};
use crate::protocol::names::repeated;
use crate::protocol::tree::Section;
use crate::words;

/// Keys of `[exceptions]` and of `[violations]`.
pub(in crate::protocol) const KEYS: &[&str] = &["reasons", "cap"];
/// Keys of `[deviations]`.
pub(in crate::protocol) const DEVIATIONS: &[&str] = &["reasons"];
/// Keys of `cap`.
pub(in crate::protocol) const CAP: &[&str] = &["per_site_and_quarter", "study_share"];

/// Reads `[exceptions]`; no exceptions where it is left out.
pub(in crate::protocol) fn read(out: &mut Findings<'_>, root: &Section<'_>) -> Option<Exceptions> {
    if root.get("exceptions").is_none() {
        return Some(Exceptions::default());
    }
    let section = root.section(out, "exceptions", KEYS)?;
    section.need(out, "reasons");
    Some(Exceptions {
        reasons: reasons(out, &section),
        cap: cap(out, &section),
    })
}

/// Reads `[violations]`. The four reasons that every study knows exist without it; naming one gives it another label.
pub(in crate::protocol) fn violations(
    out: &mut Findings<'_>,
    root: &Section<'_>,
) -> Option<Violations> {
    let mut violations = Violations::default();
    if root.get("violations").is_none() {
        return Some(violations);
    }
    let section = root.section(out, "violations", KEYS)?;
    add(&mut violations.reasons, reasons(out, &section));
    violations.cap = cap(out, &section);
    Some(violations)
}

/// Reads `[deviations]`. The reasons that every study knows exist without it; naming one gives it another label.
pub(in crate::protocol) fn deviations(
    out: &mut Findings<'_>,
    root: &Section<'_>,
) -> Option<Deviations> {
    let mut deviations = Deviations::default();
    if root.get("deviations").is_none() {
        return Some(deviations);
    }
    let section = root.section(out, "deviations", DEVIATIONS)?;
    section.need(out, "reasons");
    add(&mut deviations.reasons, reasons(out, &section));
    Some(deviations)
}

/// Puts reasons after those that every study knows; one of those gets the label.
fn add(known: &mut Vec<Named>, reasons: Vec<Named>) {
    for reason in reasons {
        match known.iter_mut().find(|own| own.id == reason.id) {
            Some(own) => own.label = reason.label,
            None => known.push(reason),
        }
    }
}

fn reasons(out: &mut Findings<'_>, section: &Section<'_>) -> Vec<Named> {
    let mut reasons: Vec<Named> = Vec::new();
    if let Some(value) = section.get("reasons")
        && let Some(items) = value.items(out)
        && value.need_items(out, &items)
    {
        for item in &items {
            let Some(reason) = item.named(out) else {
                continue;
            };
            if reasons.iter().any(|own| own.id == reason.id) {
                repeated(out, &item.span, &words!("reason", "skälet"), &reason.id);
            }
            reasons.push(reason);
        }
    }
    reasons
}

fn cap(out: &mut Findings<'_>, section: &Section<'_>) -> Cap {
    let cap = section.section(out, "cap", CAP);
    Cap {
        per_site_and_quarter: cap
            .as_ref()
            .and_then(|cap| cap.get("per_site_and_quarter"))
            .and_then(|value| value.count(out, 0, 1_000_000)),
        study_share: cap
            .as_ref()
            .and_then(|cap| cap.get("study_share"))
            .and_then(|value| {
                value.number(out, |share| share > 0.0 && share < 1.0, between_0_and_1())
            }),
    }
}
