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
/// Lists that are drawn where nothing is exact: the share of 100 guesses a list has a standard error of 0.0025 at most.
const DRAWN: u64 = 400;

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
    /// Share of right guesses that intake can have at best: it knows the method, remembers the lots and types the levels. The
    /// largest of the shares above, and never less than what is certain.
    pub best_share: Option<f64>,
    /// Two arms: standard deviation of the number in an arm − its share of the families, in the end.
    pub from_share_sd: Option<f64>,
    /// Where the figures are those of drawn lists: how many, and their standard errors.
    pub simulated: Option<Simulated>,
}

/// Monte Carlo standard errors of the figures of the same names.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct Simulated {
    /// Number of drawn lists.
    pub lists: u64,
    /// Of the share under the convergence strategy.
    pub correct_guess_share: Option<f64>,
    /// Of the share of who knows the levels.
    pub share_by_levels: Option<f64>,
    /// Of the share that is certain.
    pub forced_share: Option<f64>,
    /// Of the standard deviation of the imbalance (delta method).
    pub imbalance_sd: Option<f64>,
    /// Of the largest imbalance.
    pub max_imbalance: Option<f64>,
    /// Of the probability of balance.
    pub p_balanced: Option<f64>,
}

impl Guessing {
    /// What knowing the past adds, at best, to the share of correct guesses.
    pub fn advantage(&self) -> Option<f64> {
        self.best_share
            .map(|share| share - self.share_by_ratio_alone)
    }

    /// With the best of all shares of right guesses.
    fn with_best(mut self) -> Self {
        let shares = [
            self.best_guess_share,
            self.share_by_levels,
            self.correct_guess_share,
            self.forced_share,
        ];
        let least = self.share_by_ratio_alone;
        let known = shares.iter().flatten();
        self.best_share = known.copied().reduce(f64::max).map(|best| best.max(least));
        self
    }
}

/// Guessing in a method with a ratio and options, when `families` fall into `strata` of equal size.
///
/// `factors` is the number of levels of each factor that the method balances, empty for a method that balances none.
/// Figures are exact without factors, and those of 400 drawn lists with them.
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
        let square = exact.squares.as_ref().and_then(|all| all.last().copied());
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
            best_share: None,
            from_share_sd: share_unit(ratio)
                .zip(square)
                .map(|(unit, square)| unit * square.sqrt()),
            simulated: None,
        }
        .with_best());
    }
    let (families, seed) = (made_up(n, factors), Seed::from_bytes([0; 32]));
    let drawn = drawn_characteristics_of(method, ratio, options, &families, DRAWN, &seed)?;
    let value = |figure: Figure| figure.value;
    let (levels, levels_error) = by_levels(method, ratio, options, &families)?;
    let imbalance_sd = value(drawn.imbalance_variance).map(f64::sqrt);
    let sd_error = imbalance_sd
        .filter(|sd| *sd > 0.0)
        .zip(drawn.imbalance_variance.mcse)
        .map(|(sd, error)| error / (2.0 * sd));
    Ok(Guessing {
        families_per_stratum: n,
        correct_guess_share: value(drawn.correct_guess_share),
        best_guess_share: value(drawn.correct_guess_share)
            .map(|share| share.max(share_by_ratio_alone)),
        share_by_ratio_alone,
        forced_share: value(drawn.forced_share),
        imbalance_sd,
        max_imbalance: value(drawn.max_imbalance),
        p_balanced: value(drawn.p_balanced),
        share_by_levels: Some(levels),
        best_share: None,
        from_share_sd: imbalance_sd
            .filter(|_| ratio.is_equal() && ratio.arms() == 2)
            .map(|sd| sd / 2.0),
        simulated: Some(Simulated {
            lists: DRAWN,
            correct_guess_share: drawn.correct_guess_share.mcse,
            share_by_levels: Some(levels_error),
            forced_share: drawn.forced_share.mcse,
            imbalance_sd: sd_error,
            max_imbalance: drawn.max_imbalance.mcse,
            p_balanced: drawn.p_balanced.mcse,
        }),
    }
    .with_best())
}

/// With two arms of parts p and q: count − share · n is pq/(p + q) times the imbalance, which is the difference of count / part
/// (with equal arms of the counts).
pub(super) fn share_unit(ratio: &Ratio) -> Option<f64> {
    let &[p, q] = ratio.parts() else { return None };
    Some((p * q) as f64 / (p + q) as f64)
}

/// The mean over drawn lists of the chance of the likeliest arm of each unit, and its standard error.
fn by_levels(
    method: &str,
    ratio: &Ratio,
    options: &Options,
    families: &[Levels],
) -> Result<(f64, f64), Vec<Refusal>> {
    let design = choose(method, ratio, options, Some(families.len() as u64))?;
    let key = replicates_key("check", "2");
    let (mut sum, mut squares) = (0.0, 0.0);
    for replicate in 0..DRAWN {
        let mut numbers = Redraw::new(&key, replicate);
        let mut sequence = design.begin(&mut numbers);
        let mut right = 0.0;
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
        let share = right / families.len() as f64;
        sum += share;
        squares += share * share;
    }
    let lists = DRAWN as f64;
    let mean = sum / lists;
    let spread = (squares / lists - mean * mean).max(0.0);
    Ok((mean, (spread / (lists - 1.0)).sqrt()))
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
        // Of two equal arms a tie counts half, so every list has the same share.
        near(block.correct_guess_share, 0.75, 1e-9);
        near(block.best_share, 0.75, 1e-9);
        near(block.simulated.unwrap().correct_guess_share, 0.0, 1e-9);
        near(block.simulated.unwrap().share_by_levels, 0.0, 1e-7);
        near(of("a,b", "1/2", &[3, 4]).share_by_levels, 0.5, 1e-9);
        let usual = of("a,b", "4/5", &[3, 4]);
        let (levels, counts) = (usual.share_by_levels.unwrap(), usual.correct_guess_share);
        assert!(levels > counts.unwrap() + 0.02 && levels < 0.8, "{usual:?}");
        near(usual.forced_share, 0.0, 1e-9);
        near(usual.best_share, levels, 1e-12);
        let errors = usual.simulated.unwrap();
        // At most that of independent guesses: √(1/4/100/400).
        for error in [errors.correct_guess_share, errors.share_by_levels] {
            assert!(
                error.is_some_and(|error| error > 0.0 && error < 0.0025),
                "{errors:?}"
            );
        }
        near(usual.advantage(), levels - 0.5, 1e-12);
    }

    /// Blocks of three at 1:2 by hand: left 1, 2 the guess is right with 2/3; left 1, 1 with 1/2 (2/3 of the time), left 0, 2
    /// with 1 (1/3); the last is certain. Right (2/3 + 2/3 + 1)/3 = 7/9, certain (1/3 + 1)/3 = 4/9. After a whole block the
    /// number in an arm is its share.
    #[test]
    fn the_best_guess_is_never_less_than_what_is_certain() {
        let ratio = read_ratio("1:2").unwrap();
        let options = Options::of(&[("block_len", "3")]);
        let block = guessing("permuted-block", &ratio, &options, 3.0, 1, &[]).unwrap();
        assert!((block.best_share.unwrap() - 7.0 / 9.0).abs() < 1e-12);
        assert!((block.forced_share.unwrap() - 4.0 / 9.0).abs() < 1e-12);
        assert!(block.from_share_sd.unwrap().abs() < 1e-12);
        // A coin of 1/3: the number in an arm has variance n · 2/9, here 30 · 2/9.
        let coin = guessing("simple", &ratio, &Options::default(), 30.0, 1, &[]).unwrap();
        assert!((coin.from_share_sd.unwrap() - (60.0f64 / 9.0).sqrt()).abs() < 1e-9);
    }
}
