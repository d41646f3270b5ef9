//! `big-stick`: a fair coin, until one arm leads by the bound; then the other arm is certain (Soares & Wu 1983,
//! doi 10.1080/03610928308828586).

use crate::allocation::Choice;
use crate::allocation::method::{Method, Unit};
use crate::allocation::options::{MethodEntry, OptionSpec, Options, Refusal, Setting, whole};
use crate::allocation::streams::Randomness;
use crate::allocation::weights::{Arm, Ratio, Weights};
use crate::words;

/// Registry entry.
pub(super) const ENTRY: MethodEntry = MethodEntry {
    id: "big-stick",
    about: "a fair coin, until one of two arms leads by the bound",
    options: &[OptionSpec {
        name: "max_imbalance",
        flag: "max-imbalance",
        default: Some("3"),
        about: "largest difference between the two arms",
    }],
    needs_n: false,
    accepts: &[
        Setting::new(&[1, 1], &[]),
        Setting::new(&[1, 1], &[("max_imbalance", "1")]),
        Setting::new(&[1, 1], &[("max_imbalance", "4")]),
    ],
    declines: &[
        (Setting::new(&[2, 1], &[]), "ratio-not-preserved"),
        (Setting::new(&[1, 1, 1], &[]), "ratio-not-preserved"),
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

/// Weights 1,1; all to the smaller arm at |D| = bound.
#[derive(Debug, Clone)]
struct BigStick {
    bound: i64,
}

fn build(ratio: &Ratio, options: &Options, _n: Option<u64>) -> Result<Choice, Refusal> {
    if ratio.arms() != 2 || !ratio.is_equal() {
        return Err(Refusal::new(
            "ratio-not-preserved",
            Some("ratio"),
            words!(
                "`big-stick` compares two arms of equal size and cannot keep the ratio {ratio}",
                "`big-stick` jämför två lika stora armar och kan inte hålla förhållandet {ratio}"
            ),
        )
        .help(words!(
            "use `permuted-block`, or the ratio 1:1",
            "använd `permuted-block` eller förhållandet 1:1"
        )));
    }
    let text = options.get("max_imbalance").unwrap_or("3");
    let bound = whole("max_imbalance", text, &(1..=1_000_000))?;
    Ok(Box::new(BigStick {
        bound: bound as i64,
    }))
}

impl Method for BigStick {
    /// Allocations of the first arm minus those of the second.
    type State = i64;

    fn start(&self, _randomness: &mut dyn Randomness) -> i64 {
        0
    }

    fn weights(&self, difference: &i64, _unit: &Unit<'_>) -> Weights {
        if *difference >= self.bound {
            Weights::forced(Arm(1), 2)
        } else if *difference <= -self.bound {
            Weights::forced(Arm(0), 2)
        } else {
            Weights::new(&[1, 1])
        }
    }

    fn step(
        &self,
        difference: &mut i64,
        _unit: &Unit<'_>,
        arm: Arm,
        _randomness: &mut dyn Randomness,
    ) {
        *difference += if arm == Arm(0) { 1 } else { -1 };
    }
}
