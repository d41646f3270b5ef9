//! `[exit]`: families who leave the area that the register covers, at a constant rate.

use super::{MechanismEntry, or_default};
use crate::protocol::findings::Findings;
use crate::protocol::tree::Section;
use crate::words;

/// Registry entry.
pub(super) const ENTRY: MechanismEntry = MechanismEntry {
    id: "exit",
    about: "families who leave the register's coverage",
    about_sv: "familjer som lämnar registrets område",
    keys: &["left_coverage_per_year"],
    build: None,
};

/// Exits.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Exit {
    /// Rate per day, `−ln(1 − share per year)/365.25`.
    pub per_day: f64,
}

impl Exit {
    /// Reads the section.
    pub(crate) fn read(out: &mut Findings<'_>, section: &Section<'_>) -> Option<Self> {
        let share = or_default(out, section, "left_coverage_per_year", 0.0, |out, value| {
            value.number(
                out,
                |share| (0.0..1.0).contains(&share),
                words!(
                    "a share per year, from 0 and below 1",
                    "en andel per år, från 0 och mindre än 1"
                ),
            )
        });
        Some(Self {
            per_day: -libm::log1p(-share?) / 365.25,
        })
    }

    /// Days until the family leaves, for a deviate in (0, 1); `None` beyond `horizon` days.
    pub fn days(&self, u: f64, horizon: i32) -> Option<i32> {
        // exp(−x) ≥ 1 − x, so most families are known to stay without a logarithm.
        if self.per_day <= 0.0 || u < 1.0 - self.per_day * (f64::from(horizon) + 1.0) {
            return None;
        }
        let days = -libm::log(u) / self.per_day;
        (days <= f64::from(horizon)).then(|| days.floor() as i32 + 1)
    }
}
