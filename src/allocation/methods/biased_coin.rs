//! `biased-coin`: a coin that favours the arms with the fewest allocations (Efron 1971, doi 10.1093/biomet/58.3.403,
//! for two arms).
//!
//! With several arms the m that have the fewest share max(p, m/arms) equally and the others share the rest: p for the
//! one arm that is behind, and never less for an arm that is behind than for one that is ahead.

use super::lead::Lead;
use crate::allocation::Choice;
use crate::allocation::expanded::{self, EqualArms, equal_arms};
use crate::allocation::options::{MethodEntry, OptionSpec, Options, Refusal, Setting, probability};
use crate::allocation::weights::Ratio;
use crate::words;

/// Registry entry.
pub(super) const ENTRY: MethodEntry = MethodEntry {
    id: "biased-coin",
    about: "a coin that favours the arms with the fewest units",
    about_sv: "ett mynt som gynnar de armar som har minst antal enheter",
    options: &[OptionSpec {
        name: "bias",
        flag: "bias",
        default: Some("2/3"),
        about: "probability for the arms with the fewest units, from 1/2 to 1",
        about_sv: "sannolikhet för de armar som har minst antal enheter, från 1/2 till 1",
    }],
    needs_n: false,
    accepts: &[
        Setting::new(&[1, 1], &[]),
        Setting::new(&[1, 1], &[("bias", "3/5")]),
        Setting::new(&[1, 1], &[("bias", "0.5")]),
        Setting::new(&[1, 1], &[("bias", "1")]),
        Setting::new(&[1, 1, 1], &[("bias", "0.75")]),
        Setting::new(&[1, 1, 1, 1], &[]),
        Setting::new(&[2, 1], &[("bias", "0.9")]),
        Setting::new(&[2, 3], &[("bias", "1")]),
        Setting::new(&[2, 1, 1], &[("bias", "1")]),
        Setting::new(&[9, 1], &[]),
        Setting::new(&[10, 9, 1], &[("bias", "3/4")]),
    ],
    declines: &[
        (Setting::new(&[64, 1], &[]), "ratio-too-fine"),
        (Setting::new(&[2, 1], &[("bias", "2/5")]), "invalid-value"),
        (Setting::new(&[1, 1], &[("bias", "2/5")]), "invalid-value"),
        (Setting::new(&[1, 1], &[("bias", "0")]), "invalid-value"),
        (Setting::new(&[1, 1], &[("bias", "1.01")]), "invalid-value"),
        (Setting::new(&[1, 1], &[("bias", "4/3")]), "invalid-value"),
        (Setting::new(&[1, 1], &[("bias", "2/0")]), "invalid-value"),
        (Setting::new(&[1, 1], &[("bias", "-2/3")]), "invalid-value"),
        (Setting::new(&[1, 1], &[("bias", "0,75")]), "invalid-value"),
        (Setting::new(&[1, 1], &[("bias", "1.")]), "invalid-value"),
        (Setting::new(&[1, 1], &[("bias", "")]), "invalid-value"),
        (
            Setting::new(&[1, 1], &[("max_imbalance", "3")]),
            "unknown-option",
        ),
    ],
    build,
};

/// The probability as a fraction in lowest terms.
#[derive(Debug, Clone)]
struct BiasedCoin {
    arms: usize,
    above: u64,
    below: u64,
}

fn build(ratio: &Ratio, options: &Options, _n: Option<u64>) -> Result<Choice, Refusal> {
    let arms = equal_arms("biased-coin", ratio)?;
    let text = options.get("bias").unwrap_or("2/3");
    let (above, below) = probability("bias", text)?;
    if 2 * above < below {
        return Err(Refusal::new(
            "invalid-value",
            Some("bias"),
            words!(
                "`bias` is `{text}`, below 1/2: it would favour the arm that leads",
                "`bias` är `{text}`, under 1/2: det skulle gynna armen som leder"
            ),
        )
        .help(words!(
            "from 1/2 (a fair coin) to 1",
            "från 1/2 (ett rättvist mynt) till 1"
        )));
    }
    let coin = BiasedCoin { arms, above, below };
    Ok(expanded::design(ratio, coin))
}

impl<const PLACES: usize> EqualArms<PLACES> for BiasedCoin {
    type State = Lead<PLACES>;

    fn arms(&self) -> usize {
        self.arms
    }

    fn start(&self) -> Lead<PLACES> {
        Lead::level()
    }

    fn weigh(&self, lead: &Lead<PLACES>, weights: &mut [u64]) {
        let lead = lead.of(self.arms);
        let all = lead.len() as u64;
        let fewest = lead.iter().filter(|ahead| **ahead == 0).count() as u64;
        // p/fewest against (1 − p)/(all − fewest), over one denominator; equal parts where p is below fewest/all.
        let (few, many) = if self.above * all > self.below * fewest {
            (
                self.above * (all - fewest),
                (self.below - self.above) * fewest,
            )
        } else {
            (1, 1)
        };
        for (weight, ahead) in weights.iter_mut().zip(lead) {
            *weight = if *ahead == 0 { few } else { many };
        }
    }

    /// Who is ahead has no chance at p = 1 alone.
    fn ways(&self) -> Option<u64> {
        (self.above < self.below).then_some(self.arms as u64)
    }

    fn take(&self, lead: &mut Lead<PLACES>, arm: usize) {
        lead.count(arm, self.arms);
    }

    fn by_arm(lead: &mut Lead<PLACES>) -> &mut [u64] {
        lead.by_arm()
    }
}
