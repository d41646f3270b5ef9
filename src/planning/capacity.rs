//! How many families the capacity of the gate's arm allows until the stop date.
//!
//! Arithmetic of averages, for planning: slots × weeks ÷ weeks per family × share in use. Queues, holidays in one
//! month and closed-gate days are the simulator's business. Which method draws is not looked at here.

use crate::protocol::Protocol;
use jiff::civil::Date;

/// What the gate's arm can take.
#[derive(Debug, Clone, PartialEq)]
pub struct Reach {
    /// Sites, in the protocol's order.
    pub sites: Vec<SiteReach>,
    /// Slots of all sites at their opening.
    pub slots: u32,
    /// Families in the gate's arm until the stop date, on average.
    pub gated: f64,
    /// Families of all arms at the protocol's ratio, on average.
    pub families: f64,
}

/// What one site can take.
#[derive(Debug, Clone, PartialEq)]
pub struct SiteReach {
    /// Identifier of the site.
    pub site: String,
    /// Therapists × families per therapist.
    pub slots: u32,
    /// Weeks from the opening to the stop date, both days included.
    pub weeks: f64,
    /// Families in the gate's arm, on average.
    pub gated: f64,
}

/// Families that one kind of slot serves: `slots · weeks / weeks_per_family · utilization`.
///
/// `slots` is a count, `weeks` and `weeks_per_family` are positive, `utilization` is in (0, 1]. Assumes that a freed
/// slot is taken at once for the stated share of the time (Little's law with a mean stay of `weeks_per_family`:
/// J. D. C. Little 1961, doi 10.1287/opre.9.3.383).
///
/// ```
/// use lottning::planning::capacity::served;
///
/// // One district, two therapists with three families each, eight weeks a family: 39 families a year at full use,
/// // 33 at 85 per cent.
/// let year = 365.25 / 7.0;
/// assert!((served(6, year, 8.0, 1.0) - 39.1).abs() < 0.05);
/// assert!((served(6, year, 8.0, 0.85) - 33.3).abs() < 0.05);
/// ```
pub fn served(slots: u32, weeks: f64, weeks_per_family: f64, utilization: f64) -> f64 {
    f64::from(slots) * weeks / weeks_per_family * utilization
}

/// Erlang's B: the share of families that meet a closed gate when nobody waits, for `slots` slots and an offered `load`
/// (families per unit of time × mean stay in that unit, at least 0).
///
/// `B(0) = 1`, `B(c) = a·B(c − 1)/(c + a·B(c − 1))`. Assumes Poisson arrivals; the law of the stays does not matter, only
/// their mean (A. K. Erlang 1917; insensitivity: B. A. Sevastyanov 1957, doi 10.1137/1102005).
///
/// ```
/// use lottning::planning::capacity::erlang_b;
/// // One slot that is asked for half of the time is taken a third of the time: (1/2)/(1 + 1/2).
/// assert!((erlang_b(1, 0.5) - 1.0 / 3.0).abs() < 1e-15);
/// ```
pub fn erlang_b(slots: u32, load: f64) -> f64 {
    (1..=slots).fold(1.0, |blocked, slot| {
        let refused = load * blocked;
        refused / (f64::from(slot) + refused)
    })
}

/// Erlang's C: the share of families that wait when all do, in order of arrival; `None` where the load is not below the
/// number of slots, so that the queue grows without end.
///
/// `C = c·B/(c − a(1 − B))`. Assumes Poisson arrivals and exponential stays (A. K. Erlang 1917).
pub fn erlang_c(slots: u32, load: f64) -> Option<f64> {
    let count = f64::from(slots);
    if load >= count {
        return None;
    }
    let blocked = erlang_b(slots, load);
    Some(count * blocked / (count - load * (1.0 - blocked)))
}

/// Mean wait in mean stays, over all families, where all wait: `C/(c − a)`; `None` as in [`erlang_c`].
pub fn mean_wait(slots: u32, load: f64) -> Option<f64> {
    erlang_c(slots, load).map(|waits| waits / (f64::from(slots) - load))
}

/// Families that the gate's arm can take until the stop date, or `None` without a gate or without a stop date.
///
/// Assumptions: the therapists of the opening stay, and the protocol's `[capacity]` holds.
pub fn reach(protocol: &Protocol) -> Option<Reach> {
    let gate = protocol.gate.as_ref()?;
    let stop = protocol.sample_size.stop_date?;
    let capacity = protocol.capacity;
    let sites: Vec<SiteReach> = protocol
        .sites
        .iter()
        .map(|site| {
            let slots = site.therapists.saturating_mul(gate.families_per_therapist);
            let weeks = weeks(site.opens, stop);
            SiteReach {
                site: site.id.clone(),
                slots,
                weeks,
                gated: served(
                    slots,
                    weeks,
                    capacity.weeks_per_family,
                    capacity.utilization,
                ),
            }
        })
        .collect();
    let gated: f64 = sites.iter().map(|site| site.gated).sum();
    let ratio = &protocol.allocation.ratio;
    let part = ratio.parts().get(gate.arm.index()).copied()?;
    Some(Reach {
        slots: sites.iter().map(|site| site.slots).sum(),
        families: gated * ratio.sum() as f64 / part as f64,
        gated,
        sites,
    })
}

/// Weeks from the opening to the stop date, both days included; 0 when the site opens later.
fn weeks(opens: Date, stop: Date) -> f64 {
    let days = stop.duration_since(opens).as_hours() / 24 + 1;
    days.max(0) as f64 / 7.0
}

#[cfg(test)]
mod tests {
    use super::{erlang_b, erlang_c, mean_wait, reach, weeks};
    use crate::protocol::parse;
    use jiff::civil::date;

    #[test]
    fn two_years_of_five_districts_by_hand() {
        let bytes = include_bytes!("../../protocols/iuh-2025/protocol.toml");
        let protocol = parse(bytes).protocol.unwrap();
        let reach = reach(&protocol).unwrap();
        // 2025-02-03 to 2027-01-31 is 728 days = 104 weeks. 5 sites × 2 therapists × 3 families = 30 slots;
        // 30 × 104 / 8 × 0.85 = 331.5 families in the gate's arm, 663 at 1:1.
        assert_eq!(reach.slots, 30);
        assert!((reach.gated - 331.5).abs() < 1e-9);
        assert!((reach.families - 663.0).abs() < 1e-9);
    }

    /// Slots and loads with Erlang B, C and the mean wait, computed with R 4.2.2 from the sums of Poisson probabilities.
    #[test]
    fn blocked_and_waiting() {
        for (slots, load, b, c, wait) in [
            (3, 2.0, 0.210_526_32, 0.444_444_44, 0.444_44),
            (6, 4.0, 0.117_162_47, 0.284_760_85, 0.142_38),
            (12, 8.0, 0.051_406_39, 0.139_841_65, 0.034_96),
            (12, 9.6, 0.104_646_76, 0.368_841_51, 0.153_68),
            (45, 40.0, 0.054_301_41, 0.340_706_11, 0.068_14),
        ] {
            assert!((erlang_b(slots, load) - b).abs() < 6e-9, "{slots} {load}");
            assert!((erlang_c(slots, load).unwrap() - c).abs() < 6e-9);
            assert!((mean_wait(slots, load).unwrap() - wait).abs() < 6e-6);
        }
        // Without slots everybody is refused; without families nobody is.
        assert!((erlang_b(0, 3.0) - 1.0).abs() < 1e-15);
        assert!(erlang_b(4, 0.0).abs() < 1e-15);
        assert_eq!((erlang_c(3, 3.0), mean_wait(3, 4.0)), (None, None));
    }

    #[test]
    fn both_days_count() {
        assert!((weeks(date(2025, 2, 3), date(2025, 2, 9)) - 1.0).abs() < 1e-12);
        assert!(weeks(date(2025, 2, 3), date(2025, 1, 1)).abs() < 1e-12);
    }
}
