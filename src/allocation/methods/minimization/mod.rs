//! `minimization`: the arm that leaves the levels of a unit's factors most even is the most likely one (Taves 1974;
//! Pocock & Simon 1975, doi 10.2307/2529712), by exact integers.
//!
//! With `ratio_preserving` the arms are duplicated and minimized as equal arms, so that every unit has each arm with
//! its part in the ratio (Kuznetsova & Tymofyeyev 2012, doi 10.1002/sim.4447). `docs/allocation-spec.md` (section 6)
//! is the rule to the last integer; scores and shares are in `scores`, options in `reading`.

mod reading;
mod scores;

use crate::allocation::Choice;
use crate::allocation::method::{Method, Unit};
use crate::allocation::options::{MethodEntry, OptionSpec, Options, Refusal, Setting};
use crate::allocation::streams::{Purpose, Randomness};
use crate::allocation::weights::{Arm, MAX_ARMS, Ratio, Weights, gcd};
use reading::{Settings, common_multiple};
use scores::{MAX_CANDIDATES, shares};

/// Registry entry.
pub(super) const ENTRY: MethodEntry = MethodEntry {
    id: "minimization",
    about: "the arm that leaves several factors most even is the most likely one",
    about_sv: "den arm som gör flera faktorer jämnast är den mest sannolika",
    options: &[
        OptionSpec {
            name: "factors",
            flag: "factors",
            default: None,
            about: "the factors whose levels are balanced, at most 8",
            about_sv: "de faktorer vars nivåer balanseras, högst 8",
        },
        OptionSpec {
            name: "imbalance",
            flag: "imbalance",
            default: Some("range"),
            about: "measure of the imbalance of a level: range, variance or sum",
            about_sv: "mått på en nivås obalans: range, variance eller sum",
        },
        OptionSpec {
            name: "probability",
            flag: "probability",
            default: Some("4/5"),
            about: "chance of the best arm, from 1/arms (with ratio-preserving 1/sum of the ratio) to 1; its part of the ratio if that is more",
            about_sv: "den bästa armens chans, från 1/antalet armar (med ratio-preserving 1/förhållandets summa) till 1; dess del av förhållandet om den är större",
        },
        OptionSpec {
            name: "factor_weights",
            flag: "factor-weights",
            default: None,
            about: "one weight per factor, in their order; equal weights if not given",
            about_sv: "en vikt för varje faktor, i deras ordning; lika vikter om inget anges",
        },
        OptionSpec {
            name: "ratio_preserving",
            flag: "ratio-preserving",
            default: Some("false"),
            about: "give every unit each arm with its part in the ratio; a study with an unequal ratio must",
            about_sv: "ge varje enhet varje arm med dess del av förhållandet; krävs i en studie med olika stora armar",
        },
    ],
    needs_n: false,
    accepts: &[
        Setting::new(&[1, 1], &[("factors", "site")]),
        Setting::new(
            &[1, 1],
            &[
                ("factors", "site,reports"),
                ("imbalance", "variance"),
                ("factor_weights", "2,1"),
            ],
        ),
        Setting::new(
            &[1, 1, 1],
            &[
                ("factors", "site,reports"),
                ("imbalance", "sum"),
                ("probability", "0.7"),
            ],
        ),
        Setting::new(&[3, 1], &[("factors", "site"), ("probability", "1")]),
        Setting::new(&[9, 1], &[("factors", "site")]),
        Setting::new(&[4, 1], &[("factors", "site")]),
        Setting::new(&[2, 1], &[("factors", "site"), ("probability", "1/2")]),
        Setting::new(
            &[5, 1, 1],
            &[("factors", "site,reports"), ("imbalance", "variance")],
        ),
        Setting::new(
            &[2, 1],
            &[
                ("factors", "site"),
                ("probability", "1/3"),
                ("ratio_preserving", "true"),
            ],
        ),
        Setting::new(
            &[2, 1],
            &[("factors", "site"), ("ratio_preserving", "true")],
        ),
        Setting::new(
            &[3, 2, 1],
            &[
                ("factors", "site,reports"),
                ("factor_weights", "0.5,0.75"),
                ("imbalance", "variance"),
                ("probability", "1"),
                ("ratio_preserving", "true"),
            ],
        ),
    ],
    declines: &[
        (Setting::new(&[1, 1], &[]), "factors-needed"),
        (Setting::new(&[1, 1], &[("factors", " ")]), "factors-needed"),
        (
            Setting::new(&[1, 1], &[("factors", "site,")]),
            "invalid-value",
        ),
        (
            Setting::new(&[1, 1], &[("factors", "site,site")]),
            "invalid-value",
        ),
        (
            Setting::new(&[1, 1], &[("factors", "a,b,c,d,e,f,g,h,i")]),
            "invalid-value",
        ),
        (
            Setting::new(&[1, 1], &[("factors", "site"), ("probability", "0.49")]),
            "invalid-value",
        ),
        (
            Setting::new(
                &[1, 1, 1],
                &[("factors", "site"), ("probability", "0.33333333")],
            ),
            "invalid-value",
        ),
        (
            Setting::new(&[1, 1], &[("factors", "site"), ("probability", "0")]),
            "invalid-value",
        ),
        (
            Setting::new(&[1, 1], &[("factors", "site"), ("probability", "1.1")]),
            "invalid-value",
        ),
        (
            Setting::new(&[1, 1], &[("factors", "site"), ("probability", "80%")]),
            "invalid-value",
        ),
        (
            Setting::new(&[1, 1], &[("factors", "site"), ("imbalance", "rank")]),
            "invalid-value",
        ),
        (
            Setting::new(&[1, 1], &[("factors", "site"), ("factor_weights", "2,1")]),
            "weights-not-per-factor",
        ),
        (
            Setting::new(&[1, 1], &[("factors", "a,b"), ("factor_weights", "1,0")]),
            "invalid-value",
        ),
        (
            Setting::new(&[1, 1], &[("factors", "a"), ("ratio_preserving", "yes")]),
            "invalid-value",
        ),
        (
            Setting::new(&[64, 1], &[("factors", "a"), ("ratio_preserving", "true")]),
            "ratio-too-fine",
        ),
        (
            Setting::new(&[999, 1000], &[("factors", "a")]),
            "ratio-too-fine",
        ),
        (
            Setting::new(&[1, 1], &[("factors", "a"), ("block_len", "4")]),
            "unknown-option",
        ),
    ],
    build,
};

/// Candidates are the arms, or the duplicates of the arms one arm after the other.
#[derive(Debug, Clone)]
struct Minimization {
    settings: Settings,
    ratio: Ratio,
    /// Part of each candidate.
    parts: Vec<u64>,
    /// Common multiple of the parts over each part.
    scales: Vec<u64>,
    /// First candidate of each arm, and the number of candidates.
    first: Vec<usize>,
    /// Shares of the candidates by the set of the best ones, a bit each; empty where there are too many sets.
    known: Vec<[u64; FEW]>,
    /// The arms' weights by that set.
    weights: Vec<Weights>,
}

/// Most candidates whose shares are worked out beforehand for each set of best ones.
const FEW: usize = 4;

/// What happened at the levels of the factors.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Counts {
    /// Number of the next allocation, which addresses the draw of a duplicate.
    next: u64,
    /// For each factor, the counts of its levels up to the greatest one seen, candidates side by side.
    factors: Vec<Vec<u32>>,
}

fn build(ratio: &Ratio, options: &Options, _n: Option<u64>) -> Result<Choice, Refusal> {
    let settings = Settings::read(ratio, options)?;
    let multiple = common_multiple(ratio).unwrap_or(1);
    let arms = ratio.arms();
    let (parts, scales, first) = if settings.duplicated {
        let number = ratio.sum() as usize;
        let first = (0..=arms)
            .map(|arm| ratio.parts()[..arm].iter().sum::<u64>() as usize)
            .collect();
        (vec![1; number], vec![1; number], first)
    } else {
        let parts = ratio.parts().to_vec();
        let scales = parts.iter().map(|part| multiple / part).collect();
        (parts, scales, (0..=arms).collect())
    };
    Ok(Box::new(Minimization::new(
        settings, *ratio, parts, scales, first,
    )))
}

impl Minimization {
    fn new(
        settings: Settings,
        ratio: Ratio,
        parts: Vec<u64>,
        scales: Vec<u64>,
        first: Vec<usize>,
    ) -> Self {
        let mut own = Self {
            settings,
            ratio,
            parts,
            scales,
            first,
            known: Vec::new(),
            weights: Vec::new(),
        };
        let width = own.parts.len();
        if width <= FEW {
            // No set at all stands in its place, so that a set is its own index.
            for best in 0..1_usize << width {
                let scores: Vec<u128> = (0..width).map(|own| !best as u128 >> own & 1).collect();
                let mut found = [0; MAX_CANDIDATES];
                let probability = own.settings.probability;
                shares(&scores, &own.parts, probability, &mut found);
                own.weights.push(own.of_arms(&found));
                let mut few = [0; FEW];
                few[..width].copy_from_slice(&found[..width]);
                own.known.push(few);
            }
        }
        own
    }

    /// Adds up the scores of the candidates, of which there are at most `N`.
    fn scores<const N: usize>(&self, counts: &Counts, unit: &Unit<'_>) -> [u128; N] {
        let width = self.parts.len();
        let mut scores = [0; N];
        for (factor, weight) in self.settings.weights.iter().enumerate() {
            let begin = level(unit, factor) * width;
            let own = counts.factors.get(factor).map_or(&[][..], Vec::as_slice);
            let own = own.get(begin..begin + width).unwrap_or_default();
            let imbalance = self.settings.imbalance;
            imbalance.add::<N>(own, &self.scales, *weight, &mut scores[..width]);
        }
        scores
    }

    /// The set of the best candidates, a bit each.
    fn best<const N: usize>(&self, counts: &Counts, unit: &Unit<'_>) -> usize {
        let scores = self.scores::<N>(counts, unit);
        let scores = &scores[..self.parts.len()];
        let least = scores.iter().min().copied().unwrap_or(0);
        let best = scores.iter().map(|own| usize::from(*own == least));
        best.rev().fold(0, |set, own| set << 1 | own)
    }

    /// The set of the best candidates where there are few.
    fn best_of_few(&self, counts: &Counts, unit: &Unit<'_>) -> usize {
        if self.parts.len() == 2 {
            self.best::<2>(counts, unit)
        } else {
            self.best::<FEW>(counts, unit)
        }
    }

    /// Integers in the proportion of the candidates' chances.
    fn shares(&self, counts: &Counts, unit: &Unit<'_>, found: &mut [u64; MAX_CANDIDATES]) {
        let width = self.parts.len();
        if width <= FEW {
            let own = &self.known[self.best_of_few(counts, unit)];
            found[..width].copy_from_slice(&own[..width]);
            return;
        }
        let scores = self.scores::<MAX_CANDIDATES>(counts, unit);
        let probability = self.settings.probability;
        shares(&scores[..width], &self.parts, probability, found);
    }

    /// The weights of the arms from the shares of the candidates.
    fn of_arms(&self, shares: &[u64; MAX_CANDIDATES]) -> Weights {
        let mut weights = [0; MAX_ARMS];
        for (weight, bounds) in weights.iter_mut().zip(self.first.windows(2)) {
            *weight = shares[bounds[0]..bounds[1]].iter().sum();
        }
        Weights::new(&weights[..self.ratio.arms()]).reduced()
    }

    /// The candidates of an arm; none for an arm that the ratio does not have.
    fn candidates(&self, arm: Arm) -> std::ops::Range<usize> {
        match (self.first.get(arm.index()), self.first.get(arm.index() + 1)) {
            (Some(first), Some(next)) => *first..*next,
            _ => 0..0,
        }
    }
}

/// The level of a factor; a unit without it has the first one.
fn level(unit: &Unit<'_>, factor: usize) -> usize {
    usize::from(unit.levels.get(factor).copied().unwrap_or(0))
}

impl Method for Minimization {
    type State = Counts;

    fn start(&self, _randomness: &mut dyn Randomness) -> Counts {
        Counts {
            next: 0,
            factors: vec![Vec::new(); self.settings.weights.len()],
        }
    }

    fn restart(&self, counts: &mut Counts, _randomness: &mut dyn Randomness) {
        counts.next = 0;
        counts.factors.iter_mut().for_each(Vec::clear);
    }

    fn weights(&self, counts: &Counts, unit: &Unit<'_>) -> Weights {
        if self.parts.len() <= FEW {
            return self.weights[self.best_of_few(counts, unit)];
        }
        let mut shares = [0; MAX_CANDIDATES];
        self.shares(counts, unit, &mut shares);
        self.of_arms(&shares)
    }

    fn step(
        &self,
        counts: &mut Counts,
        unit: &Unit<'_>,
        arm: Arm,
        randomness: &mut dyn Randomness,
    ) {
        let candidates = self.candidates(arm);
        let mut place = candidates.start;
        if candidates.len() > 1 {
            let mut shares = [0; MAX_CANDIDATES];
            self.shares(counts, unit, &mut shares);
            let own = &shares[candidates.clone()];
            let divisor = own.iter().copied().fold(0, gcd);
            // An arm that had no weight is in a ledger that was tampered with; it goes to its first duplicate.
            if own.iter().any(|share| *share > 0) {
                let mut reduced = [0; MAX_CANDIDATES];
                for (share, own) in reduced.iter_mut().zip(own) {
                    *share = own / divisor.max(1);
                }
                let drawn = &reduced[..own.len()];
                place += randomness.pick(Purpose::Duplicate, counts.next, drawn);
            }
        }
        counts.next += 1;
        if candidates.is_empty() {
            return;
        }
        let width = self.parts.len();
        for (factor, own) in counts.factors.iter_mut().enumerate() {
            let begin = level(unit, factor) * width;
            if own.len() < begin + width {
                own.resize(begin + width, 0);
            }
            own[begin + place] = own[begin + place].saturating_add(1);
        }
    }

    fn keeps_ratio(&self) -> bool {
        self.settings.duplicated || self.ratio.is_equal()
    }

    fn hides_duplicates(&self) -> bool {
        self.settings.duplicated && !self.ratio.is_equal()
    }

    fn ways(&self) -> Option<u64> {
        let p = self.settings.probability;
        (p.over < p.under).then_some(self.parts.len() as u64)
    }

    /// Whole ratios that a level has in every arm change no later weight.
    fn forget_address(&self, counts: &mut Counts) {
        counts.next = 0;
        let width = self.parts.len();
        for own in &mut counts.factors {
            for level in own.chunks_mut(width) {
                let whole = level
                    .iter()
                    .zip(&self.parts)
                    .map(|(count, part)| u64::from(*count) / part)
                    .min()
                    .unwrap_or(0);
                for (count, part) in level.iter_mut().zip(&self.parts) {
                    *count -= (whole * part) as u32;
                }
            }
            while own.len() >= width && own[own.len() - width..].iter().all(|count| *count == 0) {
                own.truncate(own.len() - width);
            }
        }
    }
}
