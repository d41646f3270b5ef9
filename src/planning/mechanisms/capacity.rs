//! `[capacity]`: how long an investigation takes, and so how long a family holds a slot of the gate's arm.
//!
//! The number of slots is the protocol's; `therapists_per_site` and `families_per_therapist` replace it before the
//! protocol is read, so that the kernel that opens and closes the gate sees a protocol and nothing else.

use super::quantiles::CountTable;
use super::{MechanismEntry, not_negative, positive};
use crate::numerics::normal;
use crate::protocol::Protocol;
use crate::protocol::findings::Findings;
use crate::protocol::tree::Section;

/// Registry entry.
pub(super) const ENTRY: MechanismEntry = MechanismEntry {
    id: "capacity",
    about: "length of investigations, and the slots that they hold",
    about_sv: "utredningarnas längd, och platserna som de upptar",
    keys: &[
        "therapists_per_site",
        "families_per_therapist",
        "investigation_days",
    ],
    build: None,
};

/// Longest investigation in days.
const LONGEST: f64 = 36_500.0;

/// Log-normal length of an investigation, rounded to whole days, at least one.
#[derive(Debug, Clone, PartialEq)]
pub struct Length {
    table: CountTable,
}

impl Length {
    /// With a median in days and a standard deviation of the logarithm:
    /// `P(days ≤ d) = Φ((ln(d + ½) − ln median)/sd)`.
    pub fn new(median: f64, sd_log: f64) -> Self {
        if sd_log <= 0.0 {
            let days = median.round().clamp(1.0, LONGEST);
            return Self {
                table: CountTable::from_cumulative(days as i64, vec![1.0]),
            };
        }
        let log_median = libm::log(median);
        let mut cumulative = Vec::new();
        let mut days = 1.0;
        loop {
            let z = (libm::log(days + 0.5) - log_median) / sd_log;
            cumulative.push(normal::cdf(z));
            if normal::sf(z) < 1e-16 || days >= LONGEST {
                break;
            }
            days += 1.0;
        }
        Self {
            table: CountTable::from_cumulative(1, cumulative),
        }
    }

    /// Days for a deviate in (0, 1).
    pub fn days(&self, u: f64) -> i32 {
        self.table.at(u) as i32
    }

    /// Mean number of days.
    pub fn mean(&self) -> f64 {
        self.table.mean()
    }
}

/// Lengths of investigations.
#[derive(Debug, Clone, PartialEq)]
pub struct Capacity {
    /// With the control service.
    pub control: Length,
    /// With the treated service.
    pub treated: Length,
}

impl Capacity {
    /// Reads the section.
    pub(crate) fn read(
        out: &mut Findings<'_>,
        section: &Section<'_>,
        protocol: &Protocol,
        (treated, control): (usize, usize),
    ) -> Option<Self> {
        for key in ["therapists_per_site", "families_per_therapist"] {
            if let Some(value) = section.get(key) {
                value.count(out, 0, 10_000);
            }
        }
        let names: Vec<&str> = protocol.arms.iter().map(|arm| arm.id.as_str()).collect();
        let lengths = section.need(out, "investigation_days");
        let lengths = lengths.and_then(|value| value.section(out, &names))?;
        let mut length = |arm: usize| -> Option<Length> {
            let value = lengths.need(out, names[arm])?;
            let section = value.section(out, &["median", "sd_log"])?;
            let median = section.need(out, "median");
            let median = median.and_then(|value| positive(out, &value, 3650.0));
            let sd = section.need(out, "sd_log");
            let sd = sd.and_then(|value| not_negative(out, &value, 5.0));
            Some(Length::new(median?, sd?))
        };
        let (treated, control) = (length(treated), length(control));
        Some(Self {
            control: control?,
            treated: treated?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Length;

    #[test]
    fn the_median_and_the_mean_are_those_of_the_law() {
        let length = Length::new(50.0, 0.35);
        assert_eq!(length.days(0.5), 50);
        // exp(ln 50 + 0.35²/2) = 53.158; rounding to whole days does not move a wide law's mean.
        assert!((length.mean() - 50.0 * (0.35_f64 * 0.35 / 2.0).exp()).abs() < 1e-3);
        // 33 % of standard investigations take more than 122 days: 1 − Φ(ln(122.5/105)/0.45) = 0.366.
        let standard = Length::new(105.0, 0.45);
        assert!(standard.days(0.63) <= 122 && standard.days(0.64) > 122);
        assert_eq!(Length::new(0.2, 0.0).days(0.9), 1);
    }
}
