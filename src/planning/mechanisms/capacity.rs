//! `[capacity]`: how long an investigation takes, and so how long a family holds a slot of the gate's arm.
//!
//! The number of slots is the protocol's; `therapists_per_site` and `families_per_therapist` replace it before the
//! protocol is read, so that the kernel that opens and closes the gate sees a protocol and nothing else.
//!
//! What becomes of families when no slot is free is the protocol's: behind a gate they are not randomized; with
//! `waits_days` they are screened again when a slot falls free, in the order in which they came, if the gate lets them
//! return. Without a gate they are drawn all the same, and with `overflow` a family of the treated arm without a free
//! slot gets the control service.

use super::quantiles::CountTable;
use super::{Arms, MechanismEntry, not_negative, or_default, positive};
use crate::numerics::normal;
use crate::protocol::findings::Findings;
use crate::protocol::tree::Section;
use crate::words;
use std::cell::RefCell;
use std::sync::Arc;

/// Registry entry.
pub(super) const ENTRY: MechanismEntry = MechanismEntry {
    id: "capacity",
    about: "length of investigations, and the slots that they hold",
    about_sv: "utredningarnas längd, och platserna som de upptar",
    keys: &[
        "therapists_per_site",
        "families_per_therapist",
        "investigation_days",
        "waits_days",
        "overflow",
    ],
    build: None,
};

/// Longest investigation in days.
const LONGEST: f64 = 36_500.0;

/// Most tables that a thread keeps.
const KEPT: usize = 8;

/// A law's parameters, bit for bit; no standard deviation of the exponential.
type Law = (u64, Option<u64>);

thread_local! {
    /// The tables that a thread made last: with a prior the same laws are read anew for every study, and a table takes far longer
    /// to make than a study of counts to run.
    static MADE: RefCell<Vec<(Law, Arc<CountTable>)>> = const { RefCell::new(Vec::new()) };
}

/// Log-normal length of an investigation, rounded to whole days, at least one.
#[derive(Debug, Clone, PartialEq)]
pub struct Length {
    table: Arc<CountTable>,
}

impl Length {
    /// The table of a law, made once while a thread keeps it.
    fn kept(law: Law, make: impl FnOnce() -> CountTable) -> Self {
        let found = MADE.with_borrow(|made| {
            let mut made = made.iter().rev();
            made.find(|(own, _)| *own == law)
                .map(|(_, table)| Arc::clone(table))
        });
        let table = found.unwrap_or_else(|| {
            let table = Arc::new(make());
            MADE.with_borrow_mut(|made| {
                if made.len() == KEPT {
                    made.remove(0);
                }
                made.push((law, Arc::clone(&table)));
            });
            table
        });
        Self { table }
    }

    /// With a median in days and a standard deviation of the logarithm:
    /// `P(days ≤ d) = Φ((ln(d + ½) − ln median)/sd)`.
    pub fn new(median: f64, sd_log: f64) -> Self {
        let law = (median.to_bits(), Some(sd_log.to_bits()));
        Self::kept(law, || Self::log_normal(median, sd_log))
    }

    fn log_normal(median: f64, sd_log: f64) -> CountTable {
        if sd_log <= 0.0 {
            let days = median.round().clamp(1.0, LONGEST);
            return CountTable::from_cumulative(days as i64, vec![1.0]);
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
        CountTable::from_cumulative(1, cumulative)
    }

    /// Exponential with a mean in days, rounded up: `P(days ≤ d) = 1 − exp(−d/mean)`.
    pub fn exponential(mean: f64) -> Self {
        Self::kept((mean.to_bits(), None), || {
            let most = (mean * 37.0).ceil().clamp(1.0, LONGEST) as i32;
            let cumulative = (1..=most).map(|days| -libm::expm1(-f64::from(days) / mean));
            CountTable::from_cumulative(1, cumulative.collect())
        })
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
    /// A family that met a closed gate is screened again for so many days; 0 for not at all.
    pub waits_days: i32,
    /// Slots per therapist of a study without a gate, in which families without a slot get the control service.
    pub overflow: Option<u32>,
}

impl Capacity {
    /// Whether a family's service can depend on a free slot after its draw.
    pub fn overflows(&self) -> bool {
        self.overflow.is_some()
    }

    /// Reads the section.
    pub(crate) fn read(
        out: &mut Findings<'_>,
        section: &Section<'_>,
        arms: Arms<'_>,
    ) -> Option<Self> {
        let protocol = arms.protocol;
        let mut slots = None;
        for key in ["therapists_per_site", "families_per_therapist"] {
            if let Some(value) = section.get(key) {
                slots = value.count(out, 0, 10_000);
            }
        }
        let slots = section.get("families_per_therapist").and(slots);
        let names: Vec<&str> = protocol.arms.iter().map(|arm| arm.id.as_str()).collect();
        let lengths = section.need(out, "investigation_days");
        let lengths = lengths.and_then(|value| value.section(out, &names))?;
        let mut length = |arm: usize| -> Option<Length> {
            let value = lengths.need(out, names[arm])?;
            let section = value.section(out, &["median", "sd_log", "mean"])?;
            if let Some(value) = section.get("mean") {
                section.refuse(
                    out,
                    &["median", "sd_log"],
                    &words!(
                        "`mean` alone is an exponential length",
                        "bara `mean` är en exponentiell längd"
                    ),
                );
                return positive(out, &value, 3650.0).map(Length::exponential);
            }
            let median = section.need(out, "median");
            let median = median.and_then(|value| positive(out, &value, 3650.0));
            let sd = section.need(out, "sd_log");
            let sd = sd.and_then(|value| not_negative(out, &value, 5.0));
            Some(Length::new(median?, sd?))
        };
        let (treated, control) = (length(arms.treated), length(arms.control));
        let waits = or_default(out, section, "waits_days", 0, |out, value| {
            value.days(out, 0, 36_500)
        });
        let returns = protocol
            .gate
            .as_ref()
            .map(|gate| gate.turned_away_may_return);
        if waits.is_some_and(|days| days > 0) && returns != Some(true) {
            section.refuse(
                out,
                &["waits_days"],
                &words!(
                    "the protocol has no gate that lets a family return (`turned_away = \"may-return\"`)",
                    "protokollet har ingen spärr som låter en familj återkomma (`turned_away = \"may-return\"`)"
                ),
            );
        }
        let overflow = or_default(out, section, "overflow", false, |out, value| {
            value.flag(out)
        });
        if overflow == Some(true) && protocol.gate.is_some() {
            section.refuse(
                out,
                &["overflow"],
                &words!(
                    "behind the protocol's gate nobody is drawn without a free slot",
                    "bakom protokollets spärr lottas ingen utan ledig plats"
                ),
            );
        } else if overflow == Some(true) && section.get("families_per_therapist").is_none() {
            section.missing(out, "families_per_therapist");
        }
        Some(Self {
            control: control?,
            treated: treated?,
            waits_days: waits?,
            overflow: if overflow? { Some(slots?) } else { None },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Length;
    use std::sync::Arc;

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

    /// More laws than a thread keeps, forwards and backwards: each has its own table every time, and one that is kept is not made
    /// again.
    #[test]
    fn a_table_is_that_of_its_law() {
        let laws = [10.0, 20.0, 30.0, 40.0, 50.0, 60.0, 70.0, 80.0, 90.0, 100.0];
        let all = |law: f64| {
            [
                Length::new(law, 0.35),
                Length::new(law, 0.2),
                Length::exponential(law),
            ]
        };
        let once: Vec<_> = laws.iter().map(|law| all(*law)).collect();
        for (law, made) in laws.iter().zip(&once).rev() {
            assert_eq!(&all(*law), made, "{law}");
            assert_eq!(made[0].days(0.5), *law as i32);
            assert_ne!(made[0], made[1]);
        }
        let (one, other) = (Length::new(7.0, 0.3), Length::new(7.0, 0.3));
        assert!(Arc::ptr_eq(&one.table, &other.table));
    }

    /// By law: the ceiling of an exponential variable is geometric with success 1 − e^(−1/m), mean 1/(1 − e^(−1/m)),
    /// which for m = 100 is 100.50083.
    #[test]
    fn an_exponential_length_is_rounded_up() {
        let length = Length::exponential(100.0);
        assert!(
            (length.mean() - 100.500_83).abs() < 1e-4,
            "{}",
            length.mean()
        );
        assert_eq!(length.days(0.5), 70); // 100·ln 2 = 69.3
    }
}
