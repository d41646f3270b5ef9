//! `simple`: every unit gets an arm in the ratio, whatever came before (complete randomization).

use crate::allocation::Choice;
use crate::allocation::method::{Method, Unit};
use crate::allocation::options::{MethodEntry, Options, Refusal, Setting};
use crate::allocation::streams::Randomness;
use crate::allocation::weights::{Arm, Ratio, Weights};

/// Registry entry.
pub(super) const ENTRY: MethodEntry = MethodEntry {
    id: "simple",
    about: "every unit by itself, in the ratio",
    about_sv: "varje enhet för sig, enligt förhållandet",
    options: &[],
    needs_n: false,
    accepts: &[
        Setting::new(&[1, 1], &[]),
        Setting::new(&[2, 1], &[]),
        Setting::new(&[3, 1, 1], &[]),
    ],
    declines: &[(
        Setting::new(&[1, 1], &[("block_len", "4")]),
        "unknown-option",
    )],
    build,
};

/// Weights are the ratio, always.
#[derive(Debug, Clone)]
struct Simple {
    ratio: Ratio,
}

// A method with nothing to refuse still has the signature of the registry.
#[expect(clippy::unnecessary_wraps, reason = "signature of the registry")]
fn build(ratio: &Ratio, _options: &Options, _n: Option<u64>) -> Result<Choice, Refusal> {
    Ok(Box::new(Simple { ratio: *ratio }))
}

impl Method for Simple {
    type State = ();

    fn start(&self, _randomness: &mut dyn Randomness) -> Self::State {}

    fn weights(&self, _state: &Self::State, _unit: &Unit<'_>) -> Weights {
        self.ratio.weights()
    }

    fn ways(&self) -> Option<u64> {
        Some(self.ratio.arms() as u64)
    }

    fn always(&self) -> Option<Ratio> {
        Some(self.ratio)
    }

    fn step(
        &self,
        _state: &mut Self::State,
        _unit: &Unit<'_>,
        _arm: Arm,
        _randomness: &mut dyn Randomness,
    ) {
    }
}
