//! Operating characteristics of a method from drawn sequences, each figure with its Monte Carlo standard error and,
//! where feasible, the exact figure beside it.
//!
//! Everything is counted in integers, so the figures do not depend on the order in which threads finish.

use super::exact::Exact;
use super::guess::{Guesser, WHOLE, likeliest};
use super::method::{Design, Levels, Sequence, allocate};
use super::observer::{self, Watched};
use super::options::{Options, Refusal, choose};
use super::seed::Seed;
use super::streams::Redraw;
use super::weights::{Arm, MAX_ARMS, Ratio};
use crate::numerics::stream::replicates_key;
use rayon::iter::{IntoParallelIterator, ParallelIterator};
use std::collections::BTreeMap;
use std::ops::Range;

/// A simulated figure. `None` where one replicate says nothing of it.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Figure {
    /// Mean over replicates, or the variance over them.
    pub value: Option<f64>,
    /// Its Monte Carlo standard error.
    pub mcse: Option<f64>,
    /// The exact figure, where it is feasible.
    pub exact: Option<f64>,
    /// Of a probability, or the share that is certain, that no list, or every one, speaks for, and that has no exact figure: the ends
    /// of the exact 95 % interval, for
    /// the standard error is 0 then and says nothing. One end is the value; the other is `1 − .025^(1/R)` away (Clopper and Pearson
    /// 1934, doi 10.1093/biomet/26.4.404).
    pub lower: Option<f64>,
    /// See `lower`.
    pub upper: Option<f64>,
}

impl Figure {
    /// With exact ends, of a share that is 0 or 1 in each of `lists` and has no exact figure.
    fn with_ends(self, lists: f64) -> Self {
        let constant = self.exact.is_none() && self.mcse.is_none_or(|error| error == 0.0);
        let same = |value: &f64| *value <= 0.0 || *value >= 1.0;
        let (lower, upper) = self
            .value
            .filter(|value| constant && same(value))
            .map(|value| ends(value, lists))
            .unzip();
        Self {
            lower,
            upper,
            ..self
        }
    }
}

/// Operating characteristics of lists of `n` in one stratum.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Characteristics {
    /// Units of each list.
    pub n: u64,
    /// Lists drawn.
    pub replicates: u64,
    /// Whether the method draws for duplicates of the arms that nobody sees.
    pub hides_duplicates: bool,
    /// Whether the best guess share and the forced share are those of who knows which duplicate each arm stood for: upper bounds of
    /// what anybody can know, where that is too much to follow.
    pub at_most: bool,
    /// Of how many lists these two shares are the means where that are not all: those along which it was followed what the arms tell
    /// of the duplicates behind them.
    pub followed_lists: Option<u64>,
    /// Expected share of correct guesses under the convergence strategy.
    pub correct_guess_share: Figure,
    /// Expected share of correct guesses of who names the arm with the highest probability, knowing the method, the arms before, the
    /// unit's factor levels and, as for the forced share, the lengths of blocks, random ones too: no guesser has more. Tied arms are
    /// named with equal chance.
    pub best_guess_share: Figure,
    /// Share of allocations that are certain for who knows the arms before and the block lengths.
    pub forced_share: Figure,
    /// Variance of the imbalance after `n` units.
    pub imbalance_variance: Figure,
    /// Mean over lists of the largest |D|.
    pub max_imbalance: Figure,
    /// P(D = 0) after `n` units.
    pub p_balanced: Figure,
}

impl Characteristics {
    /// Whether the forced share is an upper bound. One that is 0 is the share itself.
    pub fn forced_at_most(&self) -> bool {
        self.at_most && self.forced_share.exact != Some(0.0)
    }
}

/// Draws `replicates` lists of `n` and describes them.
///
/// Replicate `r` is ChaCha8 under the key `SHA-256("lottning/replicates/1" ‖ lp("draw") ‖ lp(seed as 64 hexadecimal
/// digits))`, stream `r`. Definitions are those of [`super::exact_characteristics`]; a mean's standard error is
/// `s/√R`, a proportion's `√(p(1−p)/R)`. With two equal arms `E D = 0` by symmetry, so the variance is the mean of `D²`
/// with that mean's standard error; otherwise it is `s²` with the root of the unbiased estimate of its variance,
/// `(2R k₂² + (R−1) k₄)/(R(R+1))`, and at least of `2s⁴/(R(R−1))` (Kendall & Stuart 1977, chapter 12). `n` and
/// `replicates` are at least 1; zero replicates give figures without a value. Refusals are those of [`super::exact_characteristics`].
///
/// ```
/// use lottning::allocation::{Options, Seed, characteristics, read_ratio};
///
/// let ratio = read_ratio("1:1").map_err(|refusal| vec![refusal])?;
/// let seed = Seed::from_bytes([1; 32]);
/// let found = characteristics("big-stick", &ratio, &Options::default(), 50, 200, &seed)?;
/// // With a bound of three the largest difference is three in almost every list of fifty.
/// assert!(found.max_imbalance.value.is_some_and(|largest| largest > 2.9 && largest <= 3.0));
/// assert!(found.correct_guess_share.mcse.is_some());
/// # Ok::<(), Vec<lottning::allocation::Refusal>>(())
/// ```
pub fn characteristics(
    id: &str,
    ratio: &Ratio,
    options: &Options,
    n: u64,
    replicates: u64,
    seed: &Seed,
) -> Result<Characteristics, Vec<Refusal>> {
    let lists = Lists {
        id,
        ratio,
        options,
        units: (n, &[]),
    };
    lists.characteristics(replicates, seed, true)
}

/// As [`characteristics`], for units that arrive in a known order with known levels of the factors that the method
/// balances.
pub fn characteristics_of(
    id: &str,
    ratio: &Ratio,
    options: &Options,
    arrivals: &[Levels],
    replicates: u64,
    seed: &Seed,
) -> Result<Characteristics, Vec<Refusal>> {
    let units = (arrivals.len() as u64, arrivals);
    let lists = Lists {
        id,
        ratio,
        options,
        units,
    };
    lists.characteristics(replicates, seed, true)
}

/// As [`characteristics_of`] without the exact figures, whose search for a feasible way can take seconds.
pub fn drawn_characteristics_of(
    id: &str,
    ratio: &Ratio,
    options: &Options,
    arrivals: &[Levels],
    replicates: u64,
    seed: &Seed,
) -> Result<Characteristics, Vec<Refusal>> {
    let units = (arrivals.len() as u64, arrivals);
    let lists = Lists {
        id,
        ratio,
        options,
        units,
    };
    lists.characteristics(replicates, seed, false)
}

/// Lists of one method: its id, ratio and options, the number of units and the levels of those that are known.
struct Lists<'a> {
    id: &'a str,
    ratio: &'a Ratio,
    options: &'a Options,
    units: (u64, &'a [Levels]),
}

impl Lists<'_> {
    /// Draws lists and describes them, with the exact figures beside where they are asked for and feasible.
    fn characteristics(
        &self,
        replicates: u64,
        seed: &Seed,
        with_exact: bool,
    ) -> Result<Characteristics, Vec<Refusal>> {
        let (n, arrivals) = self.units;
        let design = choose(self.id, self.ratio, self.options, Some(n))?;
        let guesser = Guesser::new(&*design, self.ratio).map_err(|refusal| vec![refusal])?;
        let key = replicates_key("draw", &seed.to_hex());
        let tally = (0..replicates)
            .into_par_iter()
            .fold(Tally::default, |mut tally, replicate| {
                let randomness = Redraw::new(&key, replicate);
                tally.add(&one(&*design, &guesser, self.units, randomness));
                tally
            })
            .reduce(Tally::default, Tally::with);
        let (exact, work) = if with_exact {
            (design.exact(&guesser, n, arrivals), observer::THOROUGH)
        } else {
            (Exact::of_ways(design.ways()), observer::QUICK)
        };
        let watched = watched(&*design, self.units, &key, 0..replicates, work);
        Ok(tally.figures(n, replicates, &guesser, &exact, watched.as_ref()))
    }
}

/// What who sees the arms alone could guess of the same lists, where the design's state tells more.
pub(super) fn watched(
    design: &dyn Design,
    units: (u64, &[Levels]),
    key: &[u8; 32],
    lists: Range<u64>,
    work: u64,
) -> Option<Watched> {
    if !design.hides_chances() {
        return None;
    }
    observer::along(design, units, key, lists, work)
}

/// One drawn list, so far.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Drawn {
    counts: [u64; MAX_ARMS],
    correct: i64,
    best: i64,
    forced: i64,
    last: i64,
    largest: i64,
}

/// What became of one unit.
#[derive(Debug, Clone, Copy)]
pub(super) struct Told {
    arm: Arm,
    correct: i64,
    best: i64,
    forced: i64,
}

impl Drawn {
    /// Draws the next unit of one list, whose sequence it is.
    pub(super) fn draw(
        &mut self,
        (design, guesser): (&dyn Design, &Guesser),
        sequence: &mut dyn Sequence,
        levels: &Levels,
        randomness: &mut Redraw,
    ) -> Told {
        let unit = levels.unit();
        let weights = design.weights(sequence, &unit);
        let index = self.counts.iter().sum();
        let arm = allocate(design, sequence, &unit, index, randomness);
        let told = Told {
            arm,
            correct: guesser.correct(arm, &self.counts, &weights) as i64,
            best: likeliest(arm, &weights) as i64,
            forced: i64::from(weights.is_forced()),
        };
        self.add(guesser, told);
        told
    }

    /// Counts a unit: what was guessed of it is known.
    pub(super) fn add(&mut self, guesser: &Guesser, told: Told) {
        self.counts[told.arm.index()] += 1;
        self.correct += told.correct;
        self.best += told.best;
        self.forced += told.forced;
        self.last = guesser.imbalance(&self.counts);
        self.largest = self.largest.max(self.last.abs());
    }
}

fn one(
    design: &dyn Design,
    guesser: &Guesser,
    (n, arrivals): (u64, &[Levels]),
    mut randomness: Redraw,
) -> Drawn {
    let mut sequence = design.begin(&mut randomness);
    let mut drawn = Drawn::default();
    for index in 0..n {
        let levels = arrivals.get(index as usize).copied().unwrap_or_default();
        let rules = (design, guesser);
        drawn.draw(rules, &mut *sequence, &levels, &mut randomness);
    }
    drawn
}

/// How often each value came up: the same whatever the order of adding.
#[derive(Debug, Default)]
struct Counts(BTreeMap<i64, u64>);

impl Counts {
    fn add(&mut self, value: i64) {
        *self.0.entry(value).or_insert(0) += 1;
    }

    fn with(mut self, other: Self) -> Self {
        for (value, count) in other.0 {
            *self.0.entry(value).or_insert(0) += count;
        }
        self
    }

    /// Number of values.
    fn number(&self) -> f64 {
        self.0.values().sum::<u64>() as f64
    }

    /// Sum over values, in their order, of a function of the value in a unit.
    fn total(&self, unit: f64, function: impl Fn(f64) -> f64) -> f64 {
        let terms = self.0.iter();
        terms
            .map(|(value, count)| *count as f64 * function(*value as f64 / unit))
            .sum()
    }

    /// Mean of at least one value; a constant is itself, without a rounding that would pass for spread.
    fn centre(&self, unit: f64, r: f64) -> f64 {
        match self.0.first_key_value() {
            Some((value, _)) if self.0.len() == 1 => *value as f64 / unit,
            _ => self.total(unit, |x| x) / r,
        }
    }

    fn mean(&self, unit: f64, exact: Option<f64>) -> Figure {
        let r = self.number();
        if r < 1.0 {
            return Figure {
                exact,
                ..Figure::default()
            };
        }
        let mean = self.centre(unit, r);
        let squares = self.total(unit, |x| (x - mean).powi(2));
        Figure {
            value: Some(mean),
            mcse: (r > 1.0).then(|| (squares / (r - 1.0) / r).sqrt()),
            exact,
            ..Figure::default()
        }
    }

    /// The variance; `centred` if its expectation is known to be zero.
    fn variance(&self, unit: f64, exact: Option<f64>, centred: bool) -> Figure {
        let r = self.number();
        if r < 2.0 {
            return Figure {
                exact,
                ..Figure::default()
            };
        }
        if centred {
            // |D| may be constant too: a list whose arms always differ by one.
            let mut sizes = Self::default();
            for (value, count) in &self.0 {
                *sizes.0.entry(value * value).or_insert(0) += count;
            }
            let variance = sizes.centre(unit * unit, r);
            let squares = self.total(unit, |x| (x * x - variance).powi(2));
            return Figure {
                value: Some(variance),
                mcse: Some((squares / (r - 1.0) / r).sqrt()),
                exact,
                ..Figure::default()
            };
        }
        let mean = self.centre(unit, r);
        let second = self.total(unit, |x| (x - mean).powi(2)) / r;
        let fourth = self.total(unit, |x| (x - mean).powi(4)) / r;
        let variance = second * r / (r - 1.0);
        // The k-statistics k₂ = s² and k₄ give the unbiased estimate of Var(s²) = κ₄/R + 2σ⁴/(R−1). Whatever the
        // distribution, Var(s²) is at least 2σ⁴/(R(R−1)), for no fourth moment is below σ⁴.
        let mcse = (r > 3.0).then(|| {
            let k4 = r * r * ((r + 1.0) * fourth - 3.0 * (r - 1.0) * second * second)
                / ((r - 1.0) * (r - 2.0) * (r - 3.0));
            let square = variance * variance;
            let spread = (2.0 * r * square + (r - 1.0) * k4) / (r * (r + 1.0));
            spread.max(2.0 * square / (r * (r - 1.0))).sqrt()
        });
        Figure {
            value: Some(variance),
            mcse,
            exact,
            ..Figure::default()
        }
    }

    fn share_of_zero(&self, exact: Option<f64>) -> Figure {
        let r = self.number();
        if r < 1.0 {
            return Figure {
                exact,
                ..Figure::default()
            };
        }
        let count = self.0.get(&0).copied().unwrap_or(0);
        let p = count as f64 / r;
        let none_or_all = exact.is_none() && (count == 0 || self.0.len() == 1);
        let (lower, upper) = none_or_all.then(|| ends(p, r)).unzip();
        Figure {
            value: Some(p),
            mcse: (r > 1.0).then(|| (p * (1.0 - p) / r).sqrt()),
            exact,
            lower,
            upper,
        }
    }
}

/// The ends of the exact 95 % interval of a probability for which none (0) or every one (1) of `lists` speaks. They hold for the mean of a share
/// from 0 to 1 too, for that is at most the probability of any above 0.
fn ends(p: f64, lists: f64) -> (f64, f64) {
    let away = 1.0 - libm::pow(0.025, 1.0 / lists);
    if p < 0.5 {
        (0.0, away)
    } else {
        (1.0 - away, 1.0)
    }
}

/// Drawn lists that are alike.
#[derive(Debug, Default)]
pub(super) struct Tally {
    correct: Counts,
    best: Counts,
    forced: Counts,
    largest: Counts,
    last: Counts,
}

impl Tally {
    /// Adds a list.
    pub(super) fn add(&mut self, drawn: &Drawn) {
        self.correct.add(drawn.correct);
        self.best.add(drawn.best);
        self.forced.add(drawn.forced);
        self.largest.add(drawn.largest);
        self.last.add(drawn.last);
    }

    /// The lists of both.
    pub(super) fn with(self, other: Self) -> Self {
        Self {
            correct: self.correct.with(other.correct),
            best: self.best.with(other.best),
            forced: self.forced.with(other.forced),
            largest: self.largest.with(other.largest),
            last: self.last.with(other.last),
        }
    }

    /// The figures of lists of `n`.
    pub(super) fn figures(
        &self,
        n: u64,
        replicates: u64,
        guesser: &Guesser,
        exact: &Exact,
        watched: Option<&Watched>,
    ) -> Characteristics {
        let (units, unit) = (n as f64, guesser.unit());
        let of_state = |best, forced| {
            let whole = units * WHOLE as f64;
            (self.best.mean(whole, best), self.forced.mean(units, forced))
        };
        let (best, forced) = (exact.best_guess_share, exact.forced_share);
        let told = |(value, mcse), exact| Figure {
            value: Some(value),
            mcse,
            exact,
            ..Figure::default()
        };
        let alone = |exact| Figure {
            exact,
            ..Figure::default()
        };
        let is_known = best.is_some() && forced.is_some();
        let at_most = guesser.hides_chances() && watched.is_none() && !is_known;
        let (best_guess_share, forced_share) = match watched {
            _ if !guesser.hides_chances() => of_state(best, forced),
            Some(own) => (told(own.best, best), told(own.certain, forced)),
            None if is_known => (alone(best), alone(forced)),
            None => of_state(exact.best_guess_bound, exact.forced_bound),
        };
        let lists = watched.map_or(replicates, |own| own.lists) as f64;
        let forced_share = forced_share.with_ends(lists);
        Characteristics {
            n,
            replicates,
            hides_duplicates: guesser.hides_duplicates(),
            at_most,
            followed_lists: watched
                .map(|own| own.lists)
                .filter(|lists| *lists < replicates),
            correct_guess_share: self
                .correct
                .mean(units * WHOLE as f64, exact.correct_guess_share),
            best_guess_share,
            forced_share,
            imbalance_variance: self.last.variance(
                unit,
                exact.imbalance_variance,
                guesser.is_plain(),
            ),
            max_imbalance: self.largest.mean(unit, exact.max_imbalance),
            p_balanced: self.last.share_of_zero(exact.p_balanced),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Counts;

    /// Of a constant the mean is the constant and nothing is uncertain, whatever its digits: 17/24 of 840ths in lists of 7.
    #[test]
    fn a_constant_has_no_error() {
        for (value, count, unit) in [(4165, 400, 7.0 * 840.0), (1, 333, 3.0), (-1, 10_000, 1.0)] {
            let mut counts = Counts::default();
            counts.0.insert(value, count);
            let mean = counts.mean(unit, None);
            assert_eq!(mean.value, Some(value as f64 / unit));
            assert_eq!(mean.mcse, Some(0.0));
            let plain = counts.variance(unit, None, false);
            assert_eq!((plain.value, plain.mcse), (Some(0.0), Some(0.0)));
            let centred = counts.variance(unit, None, true);
            assert!(
                centred.mcse.is_some_and(|error| error < 1e-15),
                "{centred:?}"
            );
        }
        let mut level = Counts::default();
        level.0.extend([(-1, 150), (1, 250)]);
        let centred = level.variance(1.0, None, true);
        assert_eq!((centred.value, centred.mcse), (Some(1.0), Some(0.0)));
    }

    /// By hand: a probability of none of 60 lists is at most 1 − .025^(1/60) = .0596295, of all at least as much below 1 (own Python); with
    /// an exact figure beside it, or between 0 and 1, it needs no ends.
    #[test]
    fn none_and_all_have_exact_ends() {
        let of = |level: u64, exact| {
            let mut counts = Counts::default();
            counts.0.extend([(0, level), (3, 60 - level)]);
            counts.0.retain(|_, count| *count > 0);
            counts.share_of_zero(exact)
        };
        let (none, all) = (of(0, None), of(60, None));
        assert_eq!(
            (none.value, none.mcse, none.lower),
            (Some(0.0), Some(0.0), Some(0.0))
        );
        assert_eq!(
            (all.value, all.mcse, all.upper),
            (Some(1.0), Some(0.0), Some(1.0))
        );
        for away in [none.upper.unwrap(), 1.0 - all.lower.unwrap()] {
            assert!((away - 0.059_629_492_286_167).abs() < 1e-12, "{away}");
        }
        for figure in [of(30, None), of(0, Some(0.0)), of(60, Some(1.0))] {
            assert_eq!((figure.lower, figure.upper), (None, None));
        }
    }
}
