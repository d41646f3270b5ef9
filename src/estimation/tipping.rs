//! Tipping points: what the unknown outcomes of an outcome that is 0 or 1 would have to be for a conclusion to turn.
//!
//! Every pair of numbers of events among the unknown rows of the two arms is tried (Yan, Lee & Li 2009, doi
//! 10.1080/10543400903242795; Liublinska & Rubin 2014, doi 10.1002/sim.6206). Nothing is assumed about why outcomes are
//! unknown.

use crate::numerics::normal;
use crate::numerics::shares::within;

/// Events, known rows and unknown rows of an arm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ArmCounts {
    /// Known rows with the event.
    pub events: u64,
    /// Known rows.
    pub known: u64,
    /// Unknown rows.
    pub unknown: u64,
    /// Of these, rows that had the event before they were lost.
    pub settled: u64,
}

/// What a two-sided test says of a difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Lower in the treated arm.
    Lower,
    /// Left open.
    Open,
    /// Higher in the treated arm.
    Higher,
}

impl Verdict {
    /// The text in JSON.
    pub fn text(self) -> &'static str {
        match self {
            Self::Lower => "lower",
            Self::Open => "open",
            Self::Higher => "higher",
        }
    }

    /// By an estimate and its p.
    pub fn of(estimate: f64, p: Option<f64>, alpha: f64) -> Self {
        match p {
            Some(p) if within(p, alpha) && estimate < 0.0 => Self::Lower,
            Some(p) if within(p, alpha) && estimate > 0.0 => Self::Higher,
            _ => Self::Open,
        }
    }
}

/// The pairs of numbers of events among unknown rows, and where the verdict of the known rows turns.
#[derive(Debug, Clone, PartialEq)]
pub struct TippingPairs {
    /// The verdict of the known rows alone.
    pub verdict: Verdict,
    /// Number of pairs.
    pub pairs: u64,
    /// Number of them on which the verdict is another one.
    pub turning: u64,
    /// The turning pair (treated, control) that is nearest to the shares of the known rows, by the sum of squared distances
    /// of the shares; `None` if none turns.
    pub nearest: Option<(u64, u64)>,
}

/// Miettinen and Nurminen's score test of equal proportions (1985, doi 10.1002/sim.4780040211), two-sided.
fn score_p(events: [f64; 2], units: [f64; 2]) -> Option<f64> {
    let all = units[0] + units[1];
    let pooled = (events[0] + events[1]) / all;
    let square = pooled * (1.0 - pooled) * (1.0 / units[0] + 1.0 / units[1]) * all / (all - 1.0);
    let difference = events[1] / units[1] - events[0] / units[0];
    (square > 0.0).then(|| normal::two_sided(difference / square.sqrt()))
}

/// All pairs for a treated and a control arm; `None` where an arm has no known row, or there are more than a million
/// pairs.
///
/// ```
/// use lottning::estimation::tipping::{ArmCounts, Verdict, tipping_pairs};
/// // 0 of 10 and 6 of 10 known: the score test finds them apart at 5 % (z = −0.6/√(0.3·0.7·0.2·20/19) = −2.85, by hand).
/// let treated = ArmCounts { events: 0, known: 10, unknown: 3, settled: 0 };
/// let control = ArmCounts { events: 6, known: 10, unknown: 0, settled: 0 };
/// let found = tipping_pairs(treated, control, 0.05).unwrap();
/// assert_eq!((found.verdict, found.pairs), (Verdict::Lower, 4));
/// // 3 of 13 against 6 of 10 leaves it open (z = −1.76); 2 of 13 does not (z = −2.18).
/// assert_eq!((found.turning, found.nearest), (1, Some((3, 0))));
/// ```
pub fn tipping_pairs(treated: ArmCounts, control: ArmCounts, alpha: f64) -> Option<TippingPairs> {
    let free = |arm: ArmCounts| arm.unknown.saturating_sub(arm.settled) + 1;
    let pairs = free(treated).checked_mul(free(control))?;
    if treated.known == 0 || control.known == 0 || pairs > 1_000_000 {
        return None;
    }
    let verdict = |extra: [u64; 2], with: bool| {
        let events = [control.events + extra[0], treated.events + extra[1]].map(|x| x as f64);
        let unknown = |arm: ArmCounts| if with { arm.unknown } else { 0 };
        let units = [control, treated].map(|arm| (arm.known + unknown(arm)) as f64);
        let estimate = events[1] / units[1] - events[0] / units[0];
        Verdict::of(estimate, score_p(events, units), alpha)
    };
    let own = verdict([0, 0], false);
    let distance = |extra: u64, arm: ArmCounts| {
        if arm.unknown == 0 {
            return 0.0;
        }
        let expected = arm.events as f64 / arm.known as f64;
        let gap = extra as f64 / arm.unknown as f64 - expected;
        gap * gap
    };
    let mut found = TippingPairs {
        verdict: own,
        pairs,
        turning: 0,
        nearest: None,
    };
    let mut least = f64::INFINITY;
    for a in treated.settled..=treated.unknown {
        for b in control.settled..=control.unknown {
            if verdict([b, a], true) == own {
                continue;
            }
            found.turning += 1;
            let gap = distance(a, treated) + distance(b, control);
            if gap < least {
                least = gap;
                found.nearest = Some((a, b));
            }
        }
    }
    Some(found)
}
