//! How well the next arm can be guessed by whoever knows the earlier allocations of a stratum, and how well the arms of
//! a stratum balance.
//!
//! The figures are those of [`crate::allocation::exact_characteristics`] at the size that a stratum will have; here
//! is only the question which size that is, and what guessing by the ratio alone would give. A method that balances
//! factors has figures for families only: such families are made up, each level as likely as the others.

use crate::allocation::{
    Figure, Levels, Options, Purpose, Randomness, Ratio, Redraw, Refusal, Seed, allocate, choose,
    drawn_characteristics_of, exact_characteristics, replicates_key,
};

/// Longest sequence that is followed exactly; longer ones have the same share to three decimals.
const LONGEST: f64 = 400.0;
/// Lists that are drawn where nothing is exact: a share of guesses has a standard error below 0.001.
const DRAWN: u64 = 2000;

/// How well a sequence of one stratum can be guessed, and how well it balances.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct Guessing {
    /// Families per stratum for which it is computed: whole ratios.
    pub families_per_stratum: u64,
    /// Expected share of correct guesses under the convergence strategy; `None` where it cannot be computed.
    pub correct_guess_share: Option<f64>,
    /// Expected share of correct guesses of someone who always names the likeliest arm, knowing the method, the earlier
    /// lots and the block lengths; with two equal arms the same. For a method that balances factors: of someone who
    /// does not know them, and keeps count or names the largest arm, whichever is better.
    pub best_guess_share: Option<f64>,
    /// Share of correct guesses of someone who knows the ratio only and always names the largest arm.
    pub share_by_ratio_alone: f64,
    /// Expected share of allocations that are certain for whoever kept count and knows the block lengths.
    pub forced_share: Option<f64>,
    /// Standard deviation of the imbalance of a stratum in the end.
    pub imbalance_sd: Option<f64>,
    /// Expectation of the largest imbalance on the way.
    pub max_imbalance: Option<f64>,
    /// Probability that a stratum ends without imbalance.
    pub p_balanced: Option<f64>,
    /// Where factors are balanced: expected share of right guesses of someone who knows the rule, every earlier lot of the
    /// stratum and every family's levels, and names the likeliest arm.
    pub share_by_levels: Option<f64>,
}

impl Guessing {
    /// What knowing the past adds, at best, to the share of correct guesses.
    pub fn advantage(&self) -> Option<f64> {
        self.best_guess_share
            .map(|share| share - self.share_by_ratio_alone)
    }
}

/// Guessing in a method with a ratio and options, when `families` fall into `strata` of equal size.
///
/// `factors` is the number of levels of each factor that the method balances, empty for a method that balances none.
/// Figures are exact without factors, and those of 2,000 drawn lists with them.
///
/// Refusals are those of the method. Reference: D. Blackwell, J. L. Hodges 1957, doi 10.1214/aoms/1177706973.
///
/// ```
/// use lottning::allocation::{Options, read_ratio};
/// use lottning::planning::guessing::guessing;
///
/// let ratio = read_ratio("1:1").map_err(|refusal| vec![refusal])?;
/// // 48 families in two strata, blocks of four: whoever keeps count has 17 of 24 right, 12 by chance.
/// let found = guessing("permuted-block", &ratio, &Options::default(), 48.0, 2, &[])?;
/// assert_eq!(found.families_per_stratum, 24);
/// assert!(found.correct_guess_share.is_some_and(|share| (24.0 * share - 17.0).abs() < 1e-9));
/// # Ok::<(), Vec<lottning::allocation::Refusal>>(())
/// ```
pub fn guessing(
    method: &str,
    ratio: &Ratio,
    options: &Options,
    families: f64,
    strata: usize,
    factors: &[usize],
) -> Result<Guessing, Vec<Refusal>> {
    // Whole ratios: with an odd number two arms could never be level, whatever the method.
    let sum = ratio.sum() as f64;
    let ratios = (families / strata.max(1) as f64 / sum).round().max(1.0);
    let n = if ratios * sum <= LONGEST {
        ratios * sum
    } else {
        (LONGEST / sum).floor().max(1.0) * sum
    };
    let n = n as u64;
    let largest = ratio.parts().iter().copied().max().unwrap_or(1);
    let share_by_ratio_alone = largest as f64 / ratio.sum() as f64;
    if factors.is_empty() {
        let exact = exact_characteristics(method, ratio, options, n)?;
        return Ok(Guessing {
            families_per_stratum: n,
            correct_guess_share: exact.correct_guess_share,
            best_guess_share: exact.best_guess_share,
            share_by_ratio_alone,
            forced_share: exact.forced_share,
            imbalance_sd: exact.imbalance_variance.map(f64::sqrt),
            max_imbalance: exact.max_imbalance,
            p_balanced: exact.p_balanced,
            share_by_levels: None,
        });
    }
    let (families, seed) = (made_up(n, factors), Seed::from_bytes([0; 32]));
    let drawn = drawn_characteristics_of(method, ratio, options, &families, DRAWN, &seed)?;
    let value = |figure: Figure| figure.value;
    Ok(Guessing {
        families_per_stratum: n,
        correct_guess_share: value(drawn.correct_guess_share),
        best_guess_share: value(drawn.correct_guess_share)
            .map(|share| share.max(share_by_ratio_alone)),
        share_by_ratio_alone,
        forced_share: value(drawn.forced_share),
        imbalance_sd: value(drawn.imbalance_variance).map(f64::sqrt),
        max_imbalance: value(drawn.max_imbalance),
        p_balanced: value(drawn.p_balanced),
        share_by_levels: Some(by_levels(method, ratio, options, &families)?),
    })
}

/// The mean over drawn lists of the chance of the likeliest arm of each unit.
fn by_levels(
    method: &str,
    ratio: &Ratio,
    options: &Options,
    families: &[Levels],
) -> Result<f64, Vec<Refusal>> {
    let design = choose(method, ratio, options, Some(families.len() as u64))?;
    let key = replicates_key("check", "2");
    let mut right = 0.0;
    for replicate in 0..DRAWN {
        let mut numbers = Redraw::new(&key, replicate);
        let mut sequence = design.begin(&mut numbers);
        for (index, levels) in (0..).zip(families) {
            let weights = design.weights(&*sequence, &levels.unit());
            let likeliest = weights.as_slice().iter().copied().max().unwrap_or(0);
            right += likeliest as f64 / weights.sum() as f64;
            allocate(
                &*design,
                &mut *sequence,
                &levels.unit(),
                index,
                &mut numbers,
            );
        }
    }
    Ok(right / (DRAWN as f64 * families.len() as f64))
}

/// So many families with every level of each factor equally likely, always the same ones.
fn made_up(n: u64, factors: &[usize]) -> Vec<Levels> {
    let mut numbers = Redraw::new(&replicates_key("check", "1"), 0);
    let mut one = || {
        let mut levels = Levels::default();
        for count in factors {
            let drawn = numbers.below(Purpose::Arm, 0, (*count).max(1) as u64);
            levels.push(drawn as u16);
        }
        levels
    };
    (0..n).map(|_| one()).collect()
}

#[cfg(test)]
mod tests {
    use super::guessing;
    use crate::allocation::{Options, read_ratio};

    /// One factor of one level and p = 1 is a block of two: 3/4 right, half certain, and nobody does better. With p =
    /// 1/2 the levels help nobody. With p = 4/5 and two factors whoever knows the levels has between 1/2 and 4/5, and
    /// more than whoever counts only.
    #[test]
    fn families_with_levels() {
        let ratio = read_ratio("1:1").unwrap();
        let of = |factors: &str, probability: &str, levels: &[usize]| {
            let options = Options::of(&[("factors", factors), ("probability", probability)]);
            guessing("minimization", &ratio, &options, 100.0, 1, levels).unwrap()
        };
        let near = |found: Option<f64>, expected: f64, within: f64| {
            let found = found.unwrap();
            assert!((found - expected).abs() < within, "{found} {expected}");
        };
        let block = of("a", "1", &[1]);
        assert_eq!(block.families_per_stratum, 100);
        near(block.forced_share, 0.5, 1e-9);
        near(block.share_by_levels, 0.75, 1e-9);
        // 100 families of which every other guess is a coin: standard error √(50/4)/100/√2000.
        near(block.correct_guess_share, 0.75, 5.0 * 0.000_8);
        near(of("a,b", "1/2", &[3, 4]).share_by_levels, 0.5, 1e-9);
        let usual = of("a,b", "4/5", &[3, 4]);
        let (levels, counts) = (usual.share_by_levels.unwrap(), usual.correct_guess_share);
        assert!(levels > counts.unwrap() + 0.02 && levels < 0.8, "{usual:?}");
        near(usual.forced_share, 0.0, 1e-9);
    }
}
