//! Exact operating characteristics: every state that a design can be in, with its probability, one unit after the other.
//!
//! One engine for every registered method: it asks the design for weights and follows each arm and each random block
//! length. The simulated figures are in `characteristics`. "Exact" is without Monte Carlo error; probabilities are followed
//! with twice the digits of a double and rounded at the end, so that what is certain is 1 and not nearly 1.

use super::closed;
use super::guess::{Guesser, WHOLE};
use super::largest::Paths;
use super::method::{Levels, Method, renamed};
use super::options::{Options, Refusal, choose};
use super::streams::{Purpose, Randomness};
use super::weights::{Arm, MAX_ARMS, Ratio};
use super::wide::Placed;
use crate::numerics::Twofold;
use std::collections::BTreeMap;

/// Most steps from state to state before a figure is given up as not feasible, where duplicates of the arms are hidden and the step
/// is of a state of [`USUAL`] bytes and of a method that costs 1 ([`Method::cost`]).
const BUDGET_WITH_DUPLICATES: usize = 1_000_000;
/// The same where the arms are all that there is.
const BUDGET: usize = 4_000_000;
/// The same with factors, whose states are large and seldom meet again.
const BUDGET_WITH_FACTORS: usize = 300_000;
/// Up to so many bytes a state costs the same.
const USUAL: usize = 256;
/// States less likely than this are left: all of them together change no digit of a double.
const NEGLIGIBLE: f64 = 1e-30;

/// Operating characteristics of a list of `n` in one stratum; `None` where following every state is not feasible.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Exact {
    /// Expected share of correct guesses under the convergence strategy.
    pub correct_guess_share: Option<f64>,
    /// Expected share of correct guesses of who names the likeliest arm, knowing the method, the arms before and the block
    /// lengths: no guesser has more. With two equal arms it is the share of the convergence strategy.
    pub best_guess_share: Option<f64>,
    /// Expected share of allocations that are certain for who knows the arms before and the block lengths.
    pub forced_share: Option<f64>,
    /// Where duplicates of the arms are hidden: the best guess share as if it were known which duplicate each arm stood for, an upper
    /// bound.
    pub best_guess_bound: Option<f64>,
    /// The same of the forced share.
    pub forced_bound: Option<f64>,
    /// Variance of the imbalance after `n` units.
    pub imbalance_variance: Option<f64>,
    /// Expectation of the largest |D| on the way to `n`.
    pub max_imbalance: Option<f64>,
    /// Probability of no imbalance after `n` units.
    pub p_balanced: Option<f64>,
    /// Every imbalance that can be after `n` units with its probability, ascending.
    pub imbalances: Option<Vec<(f64, f64)>>,
    /// With two arms every difference count / part that can be after `n` units, with its sign and in whole numbers of the guesser's
    /// unit, with its probability, ascending: what adds up over independent lists.
    pub differences: Option<Vec<(i64, f64)>>,
    /// Variance of the imbalance after 1, 2, …, `n` units.
    pub variances: Option<Vec<f64>>,
    /// Mean of D² after 1, 2, …, `n` units: with two arms a known multiple of that of (count − share · units)².
    pub squares: Option<Vec<f64>>,
    /// Largest |D| that can be on the way; `None` where histories were left for being all but impossible.
    pub farthest: Option<f64>,
}

impl Exact {
    /// What follows from it alone that no arm is ever ruled out ([`Method::ways`]), however long the list: none is ever certain.
    pub(super) fn of_ways(ways: Option<u64>) -> Self {
        let never = ways.map(|_| 0.0);
        Self {
            forced_share: never,
            forced_bound: never,
            ..Self::default()
        }
    }

    /// Probability that the imbalance after `n` units is at least `size` in either direction.
    pub fn p_at_least(&self, size: f64) -> Option<f64> {
        let imbalances = self.imbalances.as_ref()?;
        // An imbalance is a whole number of parts of a ratio, so half a millionth decides no comparison.
        let so_far = |imbalance: &f64| imbalance.abs() >= size - 0.5e-6;
        if imbalances.iter().all(|(imbalance, _)| so_far(imbalance)) {
            return Some(1.0);
        }
        let sum = imbalances
            .iter()
            .filter(|(imbalance, _)| so_far(imbalance))
            .fold(Twofold::default(), |sum, (_, p)| sum + Twofold::from(*p));
        Some(sum.rounded().min(1.0))
    }
}

/// Exact operating characteristics of a registered method for a stratum of `n` units.
///
/// With `D` the imbalance (see [`Guesser`] for the guesses): share of correct guesses `E[Σ 1(guess = arm)]/n`, forced
/// share `E[Σ 1(one weight > 0)]/n`, `Var(D_n)`, `E[max |D_k|]`, `P(D_n = 0)`.
///
/// `n` is at least 1. Refusals are those of [`choose`], and `ratio-too-fine`. Reference: Blackwell & Hodges 1957,
/// doi 10.1214/aoms/1177706973; Rosenberger & Lachin 2016, doi 10.1002/9781118742112, chapters 3 and 5.
///
/// ```
/// use lottning::allocation::{Options, exact_characteristics, read_ratio};
///
/// // Permuted blocks of four: 17/24 of the guesses are right, a third of the arms certain.
/// let ratio = read_ratio("1:1").map_err(|refusal| vec![refusal])?;
/// let exact = exact_characteristics("permuted-block", &ratio, &Options::default(), 100)?;
/// assert!((exact.correct_guess_share.unwrap_or(0.0) - 17.0 / 24.0).abs() < 1e-12);
/// assert!((exact.forced_share.unwrap_or(0.0) - 1.0 / 3.0).abs() < 1e-12);
/// # Ok::<(), Vec<lottning::allocation::Refusal>>(())
/// ```
pub fn exact_characteristics(
    id: &str,
    ratio: &Ratio,
    options: &Options,
    n: u64,
) -> Result<Exact, Vec<Refusal>> {
    exact_for(id, ratio, options, n, &[])
}

/// As [`exact_characteristics`], for units that arrive in a known order with known levels of the factors that the
/// method balances.
pub fn exact_characteristics_of(
    id: &str,
    ratio: &Ratio,
    options: &Options,
    arrivals: &[Levels],
) -> Result<Exact, Vec<Refusal>> {
    exact_for(id, ratio, options, arrivals.len() as u64, arrivals)
}

fn exact_for(
    id: &str,
    ratio: &Ratio,
    options: &Options,
    n: u64,
    arrivals: &[Levels],
) -> Result<Exact, Vec<Refusal>> {
    let design = choose(id, ratio, options, Some(n))?;
    let guesser = Guesser::new(&*design, ratio).map_err(|refusal| vec![refusal])?;
    Ok(design.exact(&guesser, n, arrivals))
}

/// What must be remembered of a history: the method's state and the counts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct History<S> {
    state: S,
    counts: [u64; MAX_ARMS],
}

/// The histories of one unit in the order in which they were met, with their probabilities.
#[derive(Debug)]
struct Histories<S> {
    places: BTreeMap<History<S>, usize>,
    met: Vec<(History<S>, Twofold)>,
}

impl<S: Clone + Ord> Histories<S> {
    fn new() -> Self {
        Self {
            places: BTreeMap::new(),
            met: Vec::new(),
        }
    }

    /// Adds a probability and gives the number of the history.
    fn add(&mut self, history: History<S>, probability: Twofold) -> usize {
        let place = *self.places.entry(history).or_insert_with_key(|history| {
            self.met.push((history.clone(), Twofold::default()));
            self.met.len() - 1
        });
        self.met[place].1 += probability;
        place
    }
}

/// Follows a method; the largest imbalance on the way may be given up by itself.
pub(super) fn follow<M: Method>(
    method: &M,
    guesser: &Guesser,
    n: u64,
    arrivals: &[Levels],
) -> Exact {
    let mut now = Histories::new();
    every_choice(|choices, chance| {
        let mut state = method.start(choices);
        method.forget_address(&mut state);
        method.merge(&mut state);
        let counts = [0; MAX_ARMS];
        now.add(History { state, counts }, chance(choices));
    });
    let start: Vec<Twofold> = now.met.iter().map(|(_, p)| *p).collect();
    let budget = match (arrivals.is_empty(), guesser.hides_duplicates()) {
        (false, _) => BUDGET_WITH_FACTORS,
        (true, true) => BUDGET_WITH_DUPLICATES / size_of::<History<M::State>>().div_ceil(USUAL),
        (true, false) => BUDGET,
    } / method.cost().max(1) as usize;
    let mut paths = Paths::default();
    let [mut correct, mut best, mut forced] = [Twofold::default(); 3];
    let mut steps = 0;
    let (mut variances, mut squares) = (Vec::new(), Vec::new());
    let whole_square = Twofold::from(guesser.unit()) * Twofold::from(guesser.unit());
    let mut farthest = Some(0);
    for place in 0..n {
        let levels = arrivals.get(place as usize).copied().unwrap_or_default();
        let unit = levels.unit();
        let mut next = Histories::new();
        paths.open();
        let before = steps;
        for (history, probability) in &now.met {
            if probability.rounded() < NEGLIGIBLE {
                farthest = None;
                paths.close();
                continue;
            }
            if steps > budget {
                return known(method, guesser, n);
            }
            let weights = method.weights(&history.state, &unit);
            let sum = Twofold::from(weights.sum());
            if weights.is_forced() {
                forced += *probability;
            }
            let likeliest = weights.as_slice().iter().copied().max().unwrap_or(0);
            best += *probability * (Twofold::from(likeliest) / sum);
            for (index, weight) in weights.as_slice().iter().enumerate() {
                if *weight == 0 {
                    continue;
                }
                let arm = Arm(index as u8);
                let share = Twofold::from(*weight) / sum;
                let right = Twofold::from(guesser.correct(arm, &history.counts, &weights));
                correct += *probability * share * right;
                every_choice(|choices, chance| {
                    steps += 1;
                    let mut later = history.clone();
                    method.step(&mut later.state, &unit, arm, choices);
                    method.forget_address(&mut later.state);
                    method.merge(&mut later.state);
                    later.counts[index] += 1;
                    guesser.without_whole_ratios(&mut later.counts);
                    if guesser.has_many_alike() {
                        let (order, arms) = guesser.descending(&later.counts);
                        if method.rename(&mut later.state, &order[..arms]) {
                            renamed(&mut later.counts, &order[..arms]);
                        }
                    }
                    let size = guesser.imbalance(&later.counts).unsigned_abs();
                    farthest = farthest.map(|largest| largest.max(size));
                    let step = share * chance(choices);
                    paths.step(next.add(later, *probability * step), size, step);
                });
            }
            paths.close();
        }
        // Where nothing begins anew the states of a unit are no fewer than those of the unit before, so that it is known early.
        let at_least = (steps - before) * (n - place - 1) as usize;
        if method.balanced_every().is_none() && steps + at_least > budget {
            return known(method, guesser, n);
        }
        now = next;
        let law = spread(&now, guesser);
        let [mean, square] = moments(&law);
        let centre = mean * mean * Twofold::from(-1.0);
        // What is certain varies by nothing, whatever its parts sum to after rounding.
        variances.push(if law.len() == 1 && farthest.is_some() {
            0.0
        } else {
            ((square + centre) / whole_square).rounded()
        });
        squares.push((square / whole_square).rounded());
    }
    let unit = guesser.unit();
    let share = |sum: Twofold, parts: u64| (sum / Twofold::from(parts * n)).rounded();
    let imbalances: Vec<(f64, f64)> = spread(&now, guesser)
        .iter()
        .map(|(d, p)| (*d as f64 / unit, p.rounded()))
        .collect();
    // What is certain is 1, whatever its parts sum to after rounding.
    let even = imbalances.iter().all(|(d, _)| *d == 0.0) && farthest.is_some();
    let balanced = imbalances.iter().filter(|(d, _)| *d == 0.0).map(|(_, p)| p);
    Exact {
        correct_guess_share: Some(share(correct, WHOLE)),
        best_guess_share: Some(share(best, 1)),
        forced_share: Some(share(forced, 1)),
        best_guess_bound: None,
        forced_bound: None,
        imbalance_variance: variances.last().copied(),
        max_imbalance: paths.expected_largest(&start, unit),
        // A sum over nothing is −0, and one of probabilities at most 1.
        p_balanced: Some(if even {
            1.0
        } else {
            balanced.fold(0.0, |sum, p| sum + p).min(1.0)
        }),
        imbalances: Some(imbalances),
        differences: differences(&now, guesser),
        variances: Some(variances),
        squares: Some(squares),
        farthest: match (farthest, method.always()) {
            (Some(largest), _) => Some(largest as f64 / unit),
            (None, Some(ratio)) => Some(closed::farthest(&ratio, n)),
            (None, None) => None,
        },
    }
}

/// What is known of a list too long to follow every state.
fn known<M: Method>(method: &M, guesser: &Guesser, n: u64) -> Exact {
    if let Some(ratio) = method.always() {
        return closed::independent(&ratio, guesser, n);
    }
    if method
        .balanced_every()
        .is_some_and(|every| n.is_multiple_of(every))
    {
        return Exact {
            imbalance_variance: Some(0.0),
            p_balanced: Some(1.0),
            imbalances: Some(vec![(0.0, 1.0)]),
            differences: guesser
                .difference(&[0; MAX_ARMS])
                .map(|level| vec![(level, 1.0)]),
            ..Exact::default()
        };
    }
    Exact::default()
}

/// Every imbalance, in units of the guesser, with its probability, ascending.
fn spread<S>(histories: &Histories<S>, guesser: &Guesser) -> BTreeMap<i64, Twofold> {
    let mut all: BTreeMap<i64, Twofold> = BTreeMap::new();
    for (history, probability) in &histories.met {
        let imbalance = guesser.imbalance(&history.counts);
        *all.entry(imbalance).or_default() += *probability;
    }
    all
}

/// The same of the difference of two arms, with its sign.
fn differences<S>(histories: &Histories<S>, guesser: &Guesser) -> Option<Vec<(i64, f64)>> {
    let mut all: BTreeMap<i64, Twofold> = BTreeMap::new();
    for (history, probability) in &histories.met {
        *all.entry(guesser.difference(&history.counts)?).or_default() += *probability;
    }
    Some(all.iter().map(|(d, p)| (*d, p.rounded())).collect())
}

/// Mean and mean square of the imbalance, in units of the guesser.
fn moments(imbalances: &BTreeMap<i64, Twofold>) -> [Twofold; 2] {
    let mut sums = [Twofold::default(); 2];
    for (imbalance, probability) in imbalances {
        let size = Twofold::from(*imbalance as f64);
        sums[0] += *probability * size;
        sums[1] += *probability * size * size;
    }
    sums
}

pub(super) fn variance(imbalances: &[(f64, f64)]) -> f64 {
    let mean: f64 = imbalances.iter().map(|(d, p)| p * d).sum();
    imbalances.iter().map(|(d, p)| p * (d - mean).powi(2)).sum()
}

/// Answers to the questions of one start or step: those given are repeated, further ones are answered by the first.
#[derive(Debug, Default)]
pub(crate) struct Choices {
    given: Vec<Given>,
    asked: usize,
}

/// An answer, the number of possible answers, and the chance of this one.
#[derive(Debug, Clone, Copy)]
struct Given {
    answer: u64,
    answers: u64,
    chance: Twofold,
}

impl Choices {
    fn next(&mut self, answers: u64) -> &mut Given {
        if self.asked == self.given.len() {
            self.given.push(Given {
                answer: 0,
                answers,
                chance: Twofold::ONE,
            });
        }
        self.asked += 1;
        &mut self.given[self.asked - 1]
    }
}

impl Randomness for Choices {
    fn below(&mut self, _purpose: Purpose, _index: u64, n: u64) -> u64 {
        let given = self.next(n.max(1));
        given.chance = Twofold::ONE / Twofold::from(given.answers);
        given.answer
    }

    /// Follows each place that has weight once.
    fn pick(&mut self, _purpose: Purpose, _index: u64, weights: &[u64]) -> usize {
        let open = weights.iter().filter(|weight| **weight > 0).count();
        let given = self.next((open as u64).max(1));
        let mut places = weights.iter().enumerate().filter(|(_, own)| **own > 0);
        let Some((place, weight)) = places.nth(given.answer as usize) else {
            return 0;
        };
        given.chance = Twofold::from(*weight) / Twofold::from(weights.iter().sum::<u64>());
        place
    }

    /// Follows the first of the places that are alike, with the weight of all of them.
    fn pick_alike(
        &mut self,
        purpose: Purpose,
        index: u64,
        weights: &[u64],
        alike: &[u64],
    ) -> usize {
        let mut first: Vec<u64> = weights.to_vec();
        for place in 1..first.len() {
            let same = (0..place).find(|other| first[*other] > 0 && alike[*other] == alike[place]);
            if let Some(other) = same {
                first[other] += std::mem::take(&mut first[place]);
            }
        }
        self.pick(purpose, index, &first)
    }

    /// Short weights are the wide ones to 2^-57, beyond the digits of a probability.
    fn pick_wide(
        &mut self,
        purpose: Purpose,
        index: u64,
        _weights: &dyn Fn() -> Placed<'static>,
        short: &[u64],
        alike: &[u64],
    ) -> usize {
        self.pick_alike(purpose, index, short, alike)
    }

    /// Only arms are drawn so, and whoever follows every state draws none.
    fn below_wide(&mut self, _purpose: Purpose, _index: u64, n: &[u64]) -> Vec<u64> {
        vec![0; n.len()]
    }
}

/// Calls `with` once for every sequence of answers; `with` asks for the chance of the answers after its questions. Of duplicates of
/// an arm that are alike the first answers for all, so `with` puts the states together that [`Method::merge`] does.
pub(crate) fn every_choice(mut with: impl FnMut(&mut Choices, &dyn Fn(&Choices) -> Twofold)) {
    let chance = |choices: &Choices| {
        let all = choices.given.iter();
        all.fold(Twofold::ONE, |chance, own| chance * own.chance)
    };
    let mut choices = Choices::default();
    loop {
        choices.asked = 0;
        with(&mut choices, &chance);
        while choices
            .given
            .last()
            .is_some_and(|own| own.answer + 1 == own.answers)
        {
            choices.given.pop();
        }
        match choices.given.last_mut() {
            Some(own) => own.answer += 1,
            None => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Exact, exact_characteristics};
    use crate::allocation::guess::Guesser;
    use crate::allocation::{Options, choose, read_ratio};

    /// By law: equal arms under other names have the same figures, so that following them as one changes none.
    #[test]
    fn arms_under_other_names_are_followed_as_one() {
        let settings: [(&str, &[(&str, &str)]); 9] = [
            ("random-allocation", &[]),
            ("truncated-binomial", &[]),
            ("permuted-block", &[("block_len", "6")]),
            ("permuted-block", &[("block_lens", "3,6")]),
            ("maximal", &[("max_imbalance", "2")]),
            ("big-stick", &[("max_imbalance", "2")]),
            ("biased-coin", &[("bias", "3/4")]),
            ("urn", &[("urn", "0,1")]),
            ("simple", &[]),
        ];
        let ratio = read_ratio("1:1:1").unwrap();
        for (method, options) in settings {
            let design = choose(method, &ratio, &Options::of(options), Some(12)).unwrap();
            let guesser = Guesser::new(&*design, &ratio).unwrap();
            let [as_one, by_name] =
                [guesser, guesser.that_tells_names()].map(|own| design.exact(&own, 12, &[]));
            let figures = |own: &Exact| {
                let ends = own.imbalances.clone().unwrap();
                let variances = own.variances.clone().unwrap();
                let mut all = vec![
                    own.correct_guess_share.unwrap(),
                    own.best_guess_share.unwrap(),
                    own.forced_share.unwrap(),
                    own.max_imbalance.unwrap(),
                    own.p_balanced.unwrap(),
                    own.farthest.unwrap(),
                ];
                all.extend(ends.iter().flat_map(|(size, p)| [*size, *p]));
                all.extend(variances);
                all
            };
            let (as_one, by_name) = (figures(&as_one), figures(&by_name));
            assert_eq!(as_one.len(), by_name.len());
            for (one, other) in as_one.iter().zip(&by_name) {
                assert!((one - other).abs() < 1e-12, "{method}: {one} {other}");
            }
        }
    }

    /// Every list of these methods ends level, so that the chance of it is 1 and not nearly 1.
    #[test]
    fn a_list_that_always_ends_level_does_so_with_probability_one() {
        for method in ["truncated-binomial", "maximal", "random-allocation"] {
            for n in (6..=40).step_by(2) {
                let ratio = read_ratio("1:1").unwrap();
                let found = exact_characteristics(method, &ratio, &Options::default(), n).unwrap();
                assert_eq!(found.p_balanced, Some(1.0), "{method} {n}");
            }
        }
    }

    /// Figures whose value is known as a fraction are the nearest double of it. Blackwell & Hodges 1957: 17/24 in blocks of four,
    /// a third certain. By hand, in blocks of six in three arms a fifth is certain (the last always; the last two where they are
    /// of one arm, 1/5): 6/5 of six. The urn (0, 1): each lot goes the other way with D/k after k lots, so E D² after one more is
    /// E D² (1 − 2/k) + 1, from 1 after one; n/3 holds from n = 3 on. Independent lots: one half, and a variance of n.
    #[test]
    fn what_is_a_fraction_is_its_nearest_double() {
        let of = |method: &str, options: &[(&str, &str)], ratio: &str, n| {
            let ratio = read_ratio(ratio).unwrap();
            exact_characteristics(method, &ratio, &Options::of(options), n).unwrap()
        };
        let is = |found: Option<f64>, above: u32, below: u32| {
            let nearest = f64::from(above) / f64::from(below);
            assert_eq!(
                found.map(f64::to_bits),
                Some(nearest.to_bits()),
                "{found:?} {nearest}"
            );
        };
        for n in [12, 24, 48, 60, 120, 400] {
            let blocks = of("permuted-block", &[("block_len", "4")], "1:1", n);
            is(blocks.correct_guess_share, 17, 24);
            is(blocks.forced_share, 1, 3);
            is(blocks.p_balanced, 1, 1);
            let coins = of("simple", &[], "1:1", n);
            is(coins.correct_guess_share, 1, 2);
            is(coins.best_guess_share, 1, 2);
            is(coins.imbalance_variance, n as u32, 1);
        }
        for n in [12, 30, 48, 60] {
            let blocks = of("permuted-block", &[("block_len", "6")], "1:1:1", n);
            is(blocks.forced_share, 1, 5);
            let urn = of("urn", &[("urn", "0,1")], "1:1", n);
            is(urn.imbalance_variance, n as u32, 3);
            assert_eq!(urn.p_at_least(0.0), Some(1.0));
        }
        // Of equal arms without a history one has a unit more than the others, and of three with two units in a block of three one has one
        // fewer: the imbalance is 1 for certain, whose variance is 0 and no rounding of thirds or sevenths.
        for (method, options, ratio, n) in [
            ("simple", &[][..], "1:1:1", 1),
            ("simple", &[], "1:1:1:1:1:1:1", 1),
            ("permuted-block", &[("block_len", "3")], "1:1:1", 2),
            ("permuted-block", &[("block_len", "3")], "1:1:1", 4),
        ] {
            let found = of(method, options, ratio, n);
            assert_eq!(found.imbalances, Some(vec![(1.0, 1.0)]));
            is(found.imbalance_variance, 0, 1);
        }
        // By enumeration in own Python: the largest |D| of the twenty lists of three and three sums to 34.
        is(of("random-allocation", &[], "1:1", 6).max_imbalance, 17, 10);
        // The same in fractions over four duplicates, each |D| a difference of count / part.
        let coin = of("biased-coin", &[("bias", "0.9")], "1:3", 3);
        is(coin.max_imbalance, 717, 800);
    }

    /// Four and eight arms, whose histories by name are too many: expected shares of right guesses by own Python over the
    /// sorted counts alone.
    #[test]
    fn many_arms_have_exact_figures() {
        for (method, arms, n, share) in [
            ("random-allocation", 4, 160, 0.311_753_390_679_232_9),
            ("random-allocation", 8, 80, 0.212_004_557_985_489_4),
            ("biased-coin", 4, 120, 0.430_753_735_421_019_2),
        ] {
            let ratio = read_ratio(&vec!["1"; arms].join(":")).unwrap();
            let exact = exact_characteristics(method, &ratio, &Options::default(), n).unwrap();
            let found = exact.correct_guess_share.unwrap();
            assert!((found - share).abs() < 1e-12, "{method} {arms}: {found}");
        }
    }
}
