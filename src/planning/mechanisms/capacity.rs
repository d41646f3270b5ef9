//! `[capacity]`: how long an investigation takes, and so how long a family holds a slot of the gate's arm.
//!
//! The number of slots is the protocol's; `therapists_per_site` and `families_per_therapist` replace it before the
//! protocol is read, so that the kernel that opens and closes the gate sees a protocol and nothing else.

use super::{MechanismEntry, not_negative, positive};
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

/// Log-normal length of an investigation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Length {
    /// Logarithm of the median in days.
    pub log_median: f64,
    /// Standard deviation of the logarithm.
    pub sd_log: f64,
}

impl Length {
    /// Days for a standard normal deviate, at least 1.
    pub fn days(&self, z: f64) -> i32 {
        libm::exp(self.log_median + self.sd_log * z)
            .round()
            .clamp(1.0, 36_500.0) as i32
    }
}

/// Lengths of investigations.
#[derive(Debug, Clone, Copy, PartialEq)]
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
            Some(Length {
                log_median: libm::log(median?),
                sd_log: sd?,
            })
        };
        let (treated, control) = (length(treated), length(control));
        Some(Self {
            control: control?,
            treated: treated?,
        })
    }
}
