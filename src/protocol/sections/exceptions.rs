//! `[exceptions]`: reasons, declared before the draw, for which a family is not randomized.

use super::sample_size::between_0_and_1;
use crate::protocol::findings::Findings;
use crate::protocol::model::{Exceptions, Named};
use crate::protocol::names::repeated;
use crate::protocol::tree::Section;
use crate::words;

/// Keys of `[exceptions]`.
pub(in crate::protocol) const KEYS: &[&str] = &["reasons", "cap"];
/// Keys of `cap`.
pub(in crate::protocol) const CAP: &[&str] = &["per_site_and_quarter", "study_share"];

/// Reads the section; no exceptions where it is left out.
pub(in crate::protocol) fn read(out: &mut Findings<'_>, root: &Section<'_>) -> Option<Exceptions> {
    if root.get("exceptions").is_none() {
        return Some(Exceptions::default());
    }
    let section = root.section(out, "exceptions", KEYS)?;
    let mut reasons: Vec<Named> = Vec::new();
    if let Some(value) = section.need(out, "reasons")
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
    let cap = section.section(out, "cap", CAP);
    Some(Exceptions {
        reasons,
        cap_per_site_and_quarter: cap
            .as_ref()
            .and_then(|cap| cap.get("per_site_and_quarter"))
            .and_then(|value| value.count(out, 0, 1_000_000)),
        cap_study_share: cap
            .as_ref()
            .and_then(|cap| cap.get("study_share"))
            .and_then(|value| {
                value.number(out, |share| share > 0.0 && share < 1.0, between_0_and_1())
            }),
    })
}
