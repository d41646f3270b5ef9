//! `truncated-binomial`: a fair draw among the arms that still have places; an arm that has its share of the list is
//! closed (Blackwell & Hodges 1957, doi 10.1214/aoms/1177706973, for two arms).

use crate::allocation::Choice;
use crate::allocation::expanded::{self, EqualArms, equal_arms};
use crate::allocation::options::{
    LIST_LEN, LONGEST_LIST, MethodEntry, Options, Refusal, Setting, list_len,
};
use crate::allocation::weights::Ratio;

/// Registry entry.
pub(super) const ENTRY: MethodEntry = MethodEntry {
    id: "truncated-binomial",
    about: "a fair draw until an arm has its share of the list",
    about_sv: "en jämn lottning tills en arm har sin del av listan",
    options: &[LIST_LEN],
    needs_n: true,
    accepts: &[
        Setting::new(&[1, 1], &[]),
        Setting::new(&[1, 1], &[("list_len", "12")]),
        Setting::new(&[1, 1, 1], &[("list_len", "12")]),
        Setting::new(&[3, 1], &[]),
        Setting::new(&[2, 1], &[("list_len", "12")]),
        Setting::new(&[1, 2, 1], &[("list_len", "16")]),
        Setting::new(&[7, 3], &[("list_len", "20")]),
    ],
    declines: &[
        (
            Setting::new(&[62, 2, 1], &[("list_len", "65")]),
            "ratio-too-fine",
        ),
        (
            Setting::new(&[2, 1], &[("list_len", "8")]),
            "list-not-divided",
        ),
        (Setting::new(&[1, 1, 1], &[]), "list-not-divided"),
        (
            Setting::new(&[1, 1], &[("list_len", "7")]),
            "list-not-divided",
        ),
        (
            Setting::new(&[1, 1], &[("list_len", "eight")]),
            "invalid-value",
        ),
        (
            Setting::new(&[1, 1], &[("max_imbalance", "3")]),
            "unknown-option",
        ),
    ],
    build,
};

/// Weight 1 for every arm with a place left in the list.
#[derive(Debug, Clone)]
struct TruncatedBinomial {
    arms: usize,
    /// Places of each arm in a list.
    places: u64,
}

fn build(ratio: &Ratio, options: &Options, n: Option<u64>) -> Result<Choice, Refusal> {
    let arms = equal_arms("truncated-binomial", ratio)?;
    let length = list_len(options, n, ratio, LONGEST_LIST)?;
    let places = length / ratio.sum();
    Ok(expanded::design(ratio, TruncatedBinomial { arms, places }))
}

impl<const PLACES: usize> EqualArms<PLACES> for TruncatedBinomial {
    /// Places left of each arm.
    type State = [u64; PLACES];

    fn arms(&self) -> usize {
        self.arms
    }

    fn start(&self) -> Self::State {
        let mut left = [0; PLACES];
        left[..self.arms].fill(self.places);
        left
    }

    fn weigh(&self, left: &Self::State, weights: &mut [u64]) {
        for (weight, places) in weights.iter_mut().zip(left) {
            *weight = (*places).min(1);
        }
    }

    fn balanced_every(&self) -> Option<u64> {
        Some(self.places * self.arms as u64)
    }

    fn take(&self, left: &mut Self::State, arm: usize) {
        if let Some(places) = left.get_mut(arm) {
            *places = places.saturating_sub(1);
        }
        if left.iter().all(|places| *places == 0) {
            *left = <Self as EqualArms<PLACES>>::start(self);
        }
    }

    fn by_arm(left: &mut Self::State) -> &mut [u64] {
        left
    }
}
