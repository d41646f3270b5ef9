//! `time-trend`: the risk of a new report under control changes with calendar time, in both arms alike.

use super::{Arms, Mechanism, MechanismEntry};
use crate::protocol::findings::Findings;
use crate::protocol::tree::Section;
use crate::words;

/// Registry entry.
pub(super) const ENTRY: MechanismEntry = MechanismEntry {
    id: "time-trend",
    about: "the risk of a new report changes with calendar time",
    about_sv: "risken för en ny anmälan ändras med kalendertiden",
    keys: &["rereport_per_year"],
    build: Some(build),
};

#[derive(Debug)]
struct TimeTrend {
    rereport_per_year: f64,
}

fn build(out: &mut Findings<'_>, section: &Section<'_>, _: Arms<'_>) -> Option<Box<dyn Mechanism>> {
    let rereport_per_year = section.need(out, "rereport_per_year")?.number(
        out,
        |change| (-1.0..=1.0).contains(&change),
        words!(
            "a change of probability per year, from −1 to 1",
            "en ändring av sannolikheten per år, från −1 till 1"
        ),
    )?;
    Some(Box::new(TimeTrend { rereport_per_year }))
}

impl Mechanism for TimeTrend {
    fn moves_reports_alone(&self) -> Option<&'static str> {
        Some(ENTRY.id)
    }

    fn added_risk(&self, years: f64) -> f64 {
        self.rereport_per_year * years
    }
}
