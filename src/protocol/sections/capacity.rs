//! `[capacity]`: how long a family holds a slot, for `check`. It decides nothing in a study.

use crate::protocol::findings::Findings;
use crate::protocol::model::Capacity;
use crate::protocol::tree::Section;
use crate::words;

/// Keys of `[capacity]`.
pub(in crate::protocol) const KEYS: &[&str] = &["weeks_per_family", "utilization"];

/// Reads the section; defaults where it is left out.
pub(in crate::protocol) fn read(out: &mut Findings<'_>, root: &Section<'_>) -> Option<Capacity> {
    let default = Capacity::default();
    if root.get("capacity").is_none() {
        return Some(default);
    }
    let section = root.section(out, "capacity", KEYS)?;
    let weeks = match section.get("weeks_per_family") {
        None => Some(default.weeks_per_family),
        Some(value) => value.number(
            out,
            |weeks| weeks > 0.0 && weeks <= 520.0,
            words!(
                "a number of weeks above 0 and at most 520",
                "ett antal veckor större än 0 och högst 520"
            ),
        ),
    };
    let utilization = match section.get("utilization") {
        None => Some(default.utilization),
        Some(value) => value.number(
            out,
            |share| share > 0.0 && share <= 1.0,
            words!(
                "a number above 0 and at most 1",
                "ett tal större än 0 och högst 1"
            ),
        ),
    };
    Some(Capacity {
        weeks_per_family: weeks?,
        utilization: utilization?,
    })
}
