//! `urn`: after each draw, balls of the other arms are added (Wei 1978, doi 10.1214/aos/1176344068, UD(α, β)).
//!
//! The urn begins with α balls for each arm; every allocation adds β balls for each of the other arms. It is fairly
//! strict while a stratum is small and comes close to a fair coin later.

use crate::allocation::Choice;
use crate::allocation::expanded::{self, EqualArms, equal_arms};
use crate::allocation::options::{MethodEntry, OptionSpec, Options, Refusal, Setting, whole};
use crate::allocation::weights::Ratio;
use crate::words;

/// Most balls at once: with 64 duplicates and 2^32 allocations the balls still fit in 64 bits.
const MOST: u64 = 1_000_000;

/// Registry entry.
pub(super) const ENTRY: MethodEntry = MethodEntry {
    id: "urn",
    about: "an urn to which each draw adds balls of the other arms",
    about_sv: "en urna där varje dragning lägger till kulor för de andra armarna",
    options: &[OptionSpec {
        name: "urn",
        flag: "urn",
        default: Some("0,1"),
        about: "ALPHA,BETA: balls of each arm at first, and balls of each other arm added by a draw",
        about_sv: "ALFA,BETA: kulor för varje arm från början, och kulor för var och en av de andra armarna som en dragning lägger till",
    }],
    needs_n: false,
    accepts: &[
        Setting::new(&[1, 1], &[]),
        Setting::new(&[1, 1], &[("urn", "1,1")]),
        Setting::new(&[1, 1], &[("urn", "1,0")]),
        Setting::new(&[1, 1], &[("urn", "2,3")]),
        Setting::new(&[1, 1, 1], &[]),
        Setting::new(&[1, 1, 1], &[("urn", "3,1")]),
        Setting::new(&[2, 1], &[]),
        Setting::new(&[1, 2], &[("urn", "1,2")]),
        Setting::new(&[9, 1], &[]),
        Setting::new(&[10, 9, 1], &[("urn", "3,1")]),
    ],
    declines: &[
        (Setting::new(&[64, 1], &[]), "ratio-too-fine"),
        (Setting::new(&[2, 1], &[("urn", "0,0")]), "invalid-value"),
        (Setting::new(&[1, 1], &[("urn", "0,0")]), "invalid-value"),
        (Setting::new(&[1, 1], &[("urn", "1")]), "invalid-value"),
        (Setting::new(&[1, 1], &[("urn", "1,2,3")]), "invalid-value"),
        (Setting::new(&[1, 1], &[("urn", "-1,1")]), "invalid-value"),
        (Setting::new(&[1, 1], &[("urn", "1,0.5")]), "invalid-value"),
        (
            Setting::new(&[1, 1], &[("urn", "1,1000001")]),
            "invalid-value",
        ),
        (Setting::new(&[1, 1], &[("bias", "2/3")]), "unknown-option"),
    ],
    build,
};

/// Weight of an arm: α + β · (allocations of the other arms).
#[derive(Debug, Clone)]
struct Urn {
    arms: usize,
    alpha: u64,
    beta: u64,
}

fn build(ratio: &Ratio, options: &Options, _n: Option<u64>) -> Result<Choice, Refusal> {
    let arms = equal_arms("urn", ratio)?;
    let text = options.get("urn").unwrap_or("0,1");
    let read = |part: &str| whole("urn", part.trim(), &(0..=MOST)).ok();
    let parts: Vec<Option<u64>> = text.split(',').map(read).collect();
    let [Some(alpha), Some(beta)] = parts[..] else {
        return Err(Refusal::new(
            "invalid-value",
            Some("urn"),
            words!(
                "`urn` is `{text}`, not two whole numbers ALPHA,BETA from 0 to {MOST}",
                "`urn` är `{text}`, inte två heltal ALFA,BETA från 0 till {MOST}"
            ),
        )
        .help(words!(
            "for example 0,1 or 1,1",
            "till exempel 0,1 eller 1,1"
        )));
    };
    if alpha == 0 && beta == 0 {
        return Err(Refusal::new(
            "invalid-value",
            Some("urn"),
            words!(
                "`urn` is `{text}`: the urn would stay empty",
                "`urn` är `{text}`: urnan skulle förbli tom"
            ),
        )
        .help(words!(
            "for example 0,1 or 1,1",
            "till exempel 0,1 eller 1,1"
        )));
    }
    Ok(expanded::design(ratio, Urn { arms, alpha, beta }))
}

impl<const PLACES: usize> EqualArms<PLACES> for Urn {
    /// Allocations of each arm.
    type State = [u64; PLACES];

    fn arms(&self) -> usize {
        self.arms
    }

    fn start(&self) -> Self::State {
        [0; PLACES]
    }

    fn weigh(&self, counts: &Self::State, balls: &mut [u64]) {
        let counts = &counts[..self.arms];
        let all: u64 = counts.iter().sum();
        for (ball, count) in balls.iter_mut().zip(counts) {
            *ball = self.alpha + self.beta * (all - count);
        }
        if balls.iter().all(|ball| *ball == 0) {
            balls.fill(1);
        }
    }

    /// An arm has its first balls for ever; without any the last draw may leave it none.
    fn ways(&self) -> Option<u64> {
        (self.alpha > 0).then_some(self.arms as u64)
    }

    fn take(&self, counts: &mut Self::State, arm: usize) {
        if let Some(count) = counts[..self.arms].get_mut(arm) {
            *count += 1;
        }
    }

    fn by_arm(counts: &mut Self::State) -> &mut [u64] {
        counts
    }

    /// Of n units, N with an arm of k duplicates of S: its weight, `Σ (α + β(n − c))` over its duplicates, is `kα + β(kn − N)`, whatever
    /// the counts c that sum to N. All balls are 0 at `n = 0` with `α = 0` alone, for one of at least two duplicates has fewer than n
    /// units later; there N is 0 too. So the next arm's chances, `(kα + β(kn − N)) / (Sα + β(S − 1)n)`, need the arms' counts only, and
    /// those after it are the counts before and one more of that arm, whichever duplicate it was: the counts of the arms are a chain
    /// of their own, and a state with the same ones gives every list of arms the same probability.
    fn needs_sums_only(&self) -> bool {
        true
    }
}
