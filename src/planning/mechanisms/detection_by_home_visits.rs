//! `detection-by-home-visits`: who visits homes sees more, so the treated service itself raises the number of reports.

use super::{Arms, Mechanism, MechanismEntry, positive};
use crate::protocol::findings::Findings;
use crate::protocol::tree::Section;

/// Registry entry.
pub(super) const ENTRY: MechanismEntry = MechanismEntry {
    id: "detection-by-home-visits",
    about: "the treated service itself raises the number of reports",
    about_sv: "den prövade handläggningen höjer i sig antalet anmälningar",
    keys: &["reports_ratio"],
    build: Some(build),
};

#[derive(Debug)]
struct Detection {
    reports_ratio: f64,
}

fn build(
    out: &mut Findings<'_>,
    section: &Section<'_>,
    arms: Arms<'_>,
) -> Option<Box<dyn Mechanism>> {
    let reports_ratio = arms.need(out, section, "reports_ratio", |out, value| {
        positive(out, value, 1000.0)
    })?;
    Some(Box::new(Detection { reports_ratio }))
}

impl Mechanism for Detection {
    fn moves_reports_alone(&self) -> Option<&'static str> {
        Some(ENTRY.id)
    }

    fn rate_ratio(&self, treated: bool) -> f64 {
        if treated { self.reports_ratio } else { 1.0 }
    }
}
