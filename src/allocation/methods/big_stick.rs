//! `big-stick`: a fair draw, but no arm may lead another by more than the bound (Soares & Wu 1983,
//! doi 10.1080/03610928308828586, for two arms).

use super::lead::Lead;
use crate::allocation::Choice;
use crate::allocation::expanded::{self, EqualArms, equal_arms};
use crate::allocation::options::{MethodEntry, OptionSpec, Options, Refusal, Setting, whole};
use crate::allocation::weights::Ratio;

/// The bound of this method and of `maximal`.
pub(super) const MAX_IMBALANCE: OptionSpec = OptionSpec {
    name: "max_imbalance",
    flag: "max-imbalance",
    default: Some("3"),
    about: "largest difference between any two arms, at an unequal ratio between their duplicates",
    about_sv: "största skillnad mellan två armar, vid olika stora armar mellan deras dubbletter",
};

/// Registry entry.
pub(super) const ENTRY: MethodEntry = MethodEntry {
    id: "big-stick",
    about: "a fair draw, until an arm leads another by the bound",
    about_sv: "en jämn lottning, tills en arm leder över en annan med gränsen",
    options: &[MAX_IMBALANCE],
    needs_n: false,
    accepts: &[
        Setting::new(&[1, 1], &[]),
        Setting::new(&[1, 1], &[("max_imbalance", "1")]),
        Setting::new(&[1, 1], &[("max_imbalance", "4")]),
        Setting::new(&[1, 1, 1], &[]),
        Setting::new(&[1, 1, 1, 1], &[("max_imbalance", "1")]),
        Setting::new(&[2, 1], &[]),
        Setting::new(&[2, 3], &[("max_imbalance", "1")]),
        Setting::new(&[2, 1, 1], &[("max_imbalance", "2")]),
        Setting::new(&[9, 1], &[]),
        Setting::new(&[13, 7], &[("max_imbalance", "1")]),
        Setting::new(&[63, 1], &[]),
    ],
    declines: &[
        (Setting::new(&[64, 1], &[]), "ratio-too-fine"),
        (Setting::new(&[30, 30, 3, 2], &[]), "ratio-too-fine"),
        (
            Setting::new(&[2, 1], &[("max_imbalance", "0")]),
            "invalid-value",
        ),
        (
            Setting::new(&[1, 1], &[("max_imbalance", "0")]),
            "invalid-value",
        ),
        (
            Setting::new(&[1, 1], &[("max_imbalance", "2.5")]),
            "invalid-value",
        ),
        (
            Setting::new(&[1, 1], &[("block_len", "4")]),
            "unknown-option",
        ),
    ],
    build,
};

/// Weight 1 for every arm; 0 for one that is ahead of the smallest by the bound.
#[derive(Debug, Clone)]
struct BigStick {
    arms: usize,
    bound: u64,
}

fn build(ratio: &Ratio, options: &Options, _n: Option<u64>) -> Result<Choice, Refusal> {
    let arms = equal_arms("big-stick", ratio)?;
    let text = options.get("max_imbalance").unwrap_or("3");
    let bound = whole("max_imbalance", text, &(1..=1_000_000))?;
    Ok(expanded::design(ratio, BigStick { arms, bound }))
}

impl<const PLACES: usize> EqualArms<PLACES> for BigStick {
    type State = Lead<PLACES>;

    fn arms(&self) -> usize {
        self.arms
    }

    fn start(&self) -> Lead<PLACES> {
        Lead::level()
    }

    fn weigh(&self, lead: &Lead<PLACES>, weights: &mut [u64]) {
        for (weight, ahead) in weights.iter_mut().zip(lead.of(self.arms)) {
            *weight = u64::from(*ahead < self.bound);
        }
    }

    fn take(&self, lead: &mut Lead<PLACES>, arm: usize) {
        lead.count(arm, self.arms);
    }

    fn by_arm(lead: &mut Lead<PLACES>) -> &mut [u64] {
        lead.by_arm()
    }
}
