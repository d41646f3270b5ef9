//! How well the next arm can be guessed by whoever knows the earlier allocations of a stratum, and how well the arms of
//! a stratum balance.
//!
//! The figures are those of [`crate::allocation::exact_characteristics`] at the size that a stratum will have, and those of
//! drawn lists where following every history is too much; here is only the question which size that is, and what
//! guessing by the ratio alone would give. A method that balances factors has figures for families only: such families
//! are made up, each level as likely as the others.

use crate::allocation::{
    Characteristics, Exact, Figure, Levels, Options, Purpose, Randomness, Ratio, Redraw, Refusal,
    Seed, allocate, choose, drawn_characteristics_of, exact_characteristics, replicates_key,
};

/// Longest sequence that is followed exactly; longer ones have the same share to three decimals.
const LONGEST: f64 = 400.0;
/// Lists that are drawn where nothing is exact: the share of 100 guesses a list has a standard error of 0.0025 at most.
const DRAWN: u64 = 400;
/// Lots of all lists of a method that costs more, times its cost.
const COSTLY: u64 = 40_000;
/// Of lists longer than [`LONGEST`] so many that there are as many lots, and at least so many lists.
const FEWEST: u64 = 16;

/// How well a sequence of one stratum can be guessed, and how well it balances.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct Guessing {
    /// Families per stratum for which it is computed.
    pub families_per_stratum: u64,
    /// Expected share of correct guesses under the convergence strategy.
    pub correct_guess_share: Option<f64>,
    /// Expected share of correct guesses of someone who always names the likeliest arm, knowing the method, the earlier
    /// lots and the block lengths; with two equal arms the same. For a method that balances factors: of someone who
    /// does not know them, and keeps count or names the largest arm, whichever is better.
    pub best_guess_share: Option<f64>,
    /// Share of correct guesses of someone who knows the ratio only and always names the largest arm.
    pub share_by_ratio_alone: f64,
    /// Expected share of allocations that are certain for whoever kept count and knows the block lengths.
    pub forced_share: Option<f64>,
    /// Whether the method draws for duplicates of the arms that nobody sees.
    pub hides_duplicates: bool,
    /// Whether what is best or certain is as if it were known which duplicate each arm stood for, an upper bound of what anybody can
    /// know: where what the arms tell of the duplicates is too much to follow.
    pub at_most: bool,
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
    /// Where some figures are those of drawn lists: how many, and the standard errors of those figures.
    pub simulated: Option<Simulated>,
}

/// Monte Carlo standard errors of the figures of the same names; `None` where the figure is exact or unknown.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct Simulated {
    /// Number of drawn lists.
    pub lists: u64,
    /// Number of those along which it was followed what the arms tell of hidden duplicates, for what is best or certain, where these
    /// are fewer.
    pub followed_lists: Option<u64>,
    /// Of the share under the convergence strategy.
    pub correct_guess_share: Option<f64>,
    /// Of the share of who names the likeliest arm.
    pub best_guess_share: Option<f64>,
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
    /// Ends of the exact 95 % interval of the share that is certain, where it is 0 or 1 in every list and the standard error says
    /// nothing.
    pub forced_share_ends: Option<(f64, f64)>,
    /// The same of the probability of balance.
    pub p_balanced_ends: Option<(f64, f64)>,
}

impl Guessing {
    /// What knowing the past adds, at best, to the share of correct guesses.
    pub fn advantage(&self) -> Option<f64> {
        self.best_share
            .map(|share| share - self.share_by_ratio_alone)
    }

    /// Whether the share that is certain is an upper bound. One that is 0, and not simulated, is the share itself.
    pub fn forced_at_most(&self) -> bool {
        let simulated = self.simulated;
        let simulated = simulated.is_some_and(|own| own.forced_share.is_some());
        self.at_most && (simulated || self.forced_share != Some(0.0))
    }

    /// Monte Carlo standard error of [`Guessing::best_share`]; 0 where that is exact.
    pub fn best_share_error(&self) -> f64 {
        let errors = self.simulated.and_then(|own| match self.share_by_levels {
            Some(_) => own.share_by_levels,
            None => own.best_guess_share,
        });
        errors.unwrap_or(0.0)
    }

    /// With the best of all shares of right guesses. Of simulated shares that of whoever knows most: no other is larger but
    /// by chance.
    fn with_best(mut self) -> Self {
        let (levels, best) = (self.share_by_levels, self.best_guess_share);
        let shares = match self.simulated {
            Some(_) => vec![levels.or(best)],
            None => vec![best, levels, self.correct_guess_share, self.forced_share],
        };
        let least = self.share_by_ratio_alone;
        let known = shares.into_iter().flatten();
        self.best_share = known.reduce(f64::max).map(|best| best.max(least));
        self
    }
}

/// Guessing in a method with a ratio and options, when `families` fall into `strata` of equal size.
///
/// `factors` is the number of levels of each factor that the method balances, empty for a method that balances none. The size
/// of a stratum is rounded to whole ratios and at most 400. Figures are exact without factors where every history can be
/// followed; the others, and all of them with factors, are those of 400 drawn lists.
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
    let n = stratum(ratio, families, strata);
    guessing_of(method, ratio, options, n, factors, true)
}

/// The size at which [`guessing`] looks at a stratum: whole ratios, for with an odd number two arms could never be level,
/// whatever the method.
pub fn stratum(ratio: &Ratio, families: f64, strata: usize) -> u64 {
    let sum = ratio.sum() as f64;
    let ratios = (families / strata.max(1) as f64 / sum).round().max(1.0);
    let n = if ratios * sum <= LONGEST {
        ratios * sum
    } else {
        (LONGEST / sum).floor().max(1.0) * sum
    };
    n as u64
}

/// Guessing in one stratum of `n` units, at least 1; of more than 400 nothing is exact, and fewer lists are drawn.
///
/// Without `exactly` everything is drawn: a search over settings has no time to follow every history of each. Otherwise
/// as [`guessing`]; `n` need not be whole ratios.
pub fn guessing_of(
    method: &str,
    ratio: &Ratio,
    options: &Options,
    n: u64,
    factors: &[usize],
    exactly: bool,
) -> Result<Guessing, Vec<Refusal>> {
    let largest = ratio.parts().iter().copied().max().unwrap_or(1);
    let share_by_ratio_alone = largest as f64 / ratio.sum() as f64;
    let exact = if factors.is_empty() && exactly && n as f64 <= LONGEST {
        exact_characteristics(method, ratio, options, n)?
    } else {
        Exact::default()
    };
    let square = exact.squares.as_ref().and_then(|all| all.last().copied());
    let design = choose(method, ratio, options, Some(n))?;
    let found = Guessing {
        families_per_stratum: n,
        correct_guess_share: exact.correct_guess_share,
        best_guess_share: exact.best_guess_share,
        share_by_ratio_alone,
        forced_share: exact.forced_share,
        hides_duplicates: design.hides_duplicates(),
        at_most: false,
        imbalance_sd: exact.imbalance_variance.map(f64::sqrt),
        max_imbalance: exact.max_imbalance,
        p_balanced: exact.p_balanced,
        share_by_levels: None,
        best_share: None,
        from_share_sd: share_unit(ratio)
            .zip(square)
            .map(|(unit, square)| unit * square.sqrt()),
        simulated: None,
    };
    let figures = [
        found.correct_guess_share,
        found.best_guess_share,
        found.forced_share,
        found.imbalance_sd,
        found.max_imbalance,
        found.p_balanced,
    ];
    if figures.iter().all(Option::is_some) {
        return Ok(found.with_best());
    }
    let drawn = found.drawn(
        method,
        options,
        &made_up(n, factors),
        !factors.is_empty(),
        ratio,
    )?;
    Ok(drawn.bounded(&exact))
}

/// Guessing in one list of a method that balances factors, for units whose levels are known in the order of arrival; at least one.
///
/// Figures are those of drawn lists, as those of [`guessing_of`] with factors are.
///
/// Refusals are those of the method.
pub fn guessing_among(
    method: &str,
    ratio: &Ratio,
    options: &Options,
    arrived: &[Levels],
) -> Result<Guessing, Vec<Refusal>> {
    let largest = ratio.parts().iter().copied().max().unwrap_or(1);
    let none = Guessing {
        families_per_stratum: arrived.len() as u64,
        correct_guess_share: None,
        best_guess_share: None,
        share_by_ratio_alone: largest as f64 / ratio.sum() as f64,
        forced_share: None,
        hides_duplicates: choose(method, ratio, options, Some(arrived.len() as u64))?
            .hides_duplicates(),
        at_most: false,
        imbalance_sd: None,
        max_imbalance: None,
        p_balanced: None,
        share_by_levels: None,
        best_share: None,
        from_share_sd: None,
        simulated: None,
    };
    none.drawn(method, options, arrived, true, ratio)
}

impl Guessing {
    /// With the figures of drawn lists of these families where none is exact.
    fn drawn(
        self,
        method: &str,
        options: &Options,
        families: &[Levels],
        with_levels: bool,
        ratio: &Ratio,
    ) -> Result<Self, Vec<Refusal>> {
        let n = families.len() as u64;
        let cost = choose(method, ratio, options, Some(n))?.cost().max(1);
        let lots = if cost > 1 {
            COSTLY / cost
        } else {
            DRAWN * LONGEST as u64
        };
        let lists = (lots / n.max(1)).clamp(FEWEST, DRAWN);
        let seed = Seed::from_bytes([0; 32]);
        let drawn = drawn_characteristics_of(method, ratio, options, families, lists, &seed)?;
        // Where the state tells more than the arms do, what they tell has been followed.
        let followed = drawn.hides_duplicates && !drawn.at_most;
        let best = match drawn.best_guess_share {
            Figure {
                value: Some(value),
                mcse: Some(error),
                ..
            } if followed => (value, error),
            _ => best_guess(method, ratio, options, families, lists)?,
        };
        Ok(self.filled(&drawn, best, with_levels, ratio))
    }

    /// With exact bounds in the place of simulated ones.
    fn bounded(mut self, exact: &Exact) -> Self {
        let (best, forced) = (exact.best_guess_bound, exact.forced_bound);
        let Some(drawn) = self.simulated.as_mut().filter(|_| self.at_most) else {
            return self;
        };
        if let Some(best) = best {
            drawn.best_guess_share = None;
            self.best_guess_share = Some(best);
        }
        if let Some(forced) = forced {
            (drawn.forced_share, drawn.forced_share_ends) = (None, None);
            self.forced_share = Some(forced);
        }
        self.with_best()
    }

    /// With the figures of drawn lists where none is exact. `best` is the share of who names the likeliest arm and its standard
    /// error, `with_levels` whether that guesser knows factors.
    fn filled(
        mut self,
        drawn: &Characteristics,
        best: (f64, f64),
        with_levels: bool,
        ratio: &Ratio,
    ) -> Self {
        let fill = |own: &mut Option<f64>, figure: Figure| {
            if own.is_some() {
                return None;
            }
            *own = figure.exact.or(figure.value);
            figure.mcse.filter(|_| figure.exact.is_none())
        };
        let correct_guess_share = fill(&mut self.correct_guess_share, drawn.correct_guess_share);
        // Of none and all, where the share or probability is not exact.
        let ends = |own: Option<f64>, figure: Figure| match own {
            None => figure.lower.zip(figure.upper),
            Some(_) => None,
        };
        let forced_share_ends = ends(self.forced_share, drawn.forced_share);
        let p_balanced_ends = ends(self.p_balanced, drawn.p_balanced);
        self.at_most = drawn.at_most && (with_levels || self.best_guess_share.is_none());
        let forced_share = fill(&mut self.forced_share, drawn.forced_share);
        let max_imbalance = fill(&mut self.max_imbalance, drawn.max_imbalance);
        let p_balanced = fill(&mut self.p_balanced, drawn.p_balanced);
        let variance = drawn.imbalance_variance;
        let sd = variance.value.map(f64::sqrt);
        let spread = Figure {
            value: sd,
            mcse: sd
                .filter(|sd| *sd > 0.0)
                .zip(variance.mcse)
                .map(|(sd, error)| error / (2.0 * sd)),
            ..Figure::default()
        };
        let imbalance_sd = fill(&mut self.imbalance_sd, spread);
        if ratio.is_equal() && ratio.arms() == 2 {
            self.from_share_sd = self.from_share_sd.or(self.imbalance_sd.map(|sd| sd / 2.0));
        }
        let of_best = Figure {
            value: Some(best.0),
            mcse: Some(best.1),
            ..Figure::default()
        };
        let (mut best_guess_share, mut share_by_levels) = (None, None);
        if with_levels {
            share_by_levels = fill(&mut self.share_by_levels, of_best);
            let least = self.share_by_ratio_alone;
            self.best_guess_share = self.correct_guess_share.map(|share| share.max(least));
        } else {
            best_guess_share = fill(&mut self.best_guess_share, of_best);
        }
        self.simulated = Some(Simulated {
            lists: drawn.replicates,
            followed_lists: drawn.followed_lists,
            correct_guess_share,
            best_guess_share,
            share_by_levels,
            forced_share,
            imbalance_sd,
            max_imbalance,
            p_balanced,
            forced_share_ends,
            p_balanced_ends,
        });
        self.with_best()
    }
}

/// With two arms of parts p and q: count − share · n is pq/(p + q) times the imbalance, which is the difference of count / part
/// (with equal arms of the counts).
pub(super) fn share_unit(ratio: &Ratio) -> Option<f64> {
    let &[p, q] = ratio.parts() else { return None };
    Some((p * q) as f64 / (p + q) as f64)
}

/// The mean over drawn lists of the chance of the likeliest arm of each unit, and its standard error.
fn best_guess(
    method: &str,
    ratio: &Ratio,
    options: &Options,
    families: &[Levels],
    lists: u64,
) -> Result<(f64, f64), Vec<Refusal>> {
    let design = choose(method, ratio, options, Some(families.len() as u64))?;
    let key = replicates_key("check", "2");
    let mut shares = Vec::with_capacity(lists as usize);
    for replicate in 0..lists {
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
        shares.push(right / families.len() as f64);
    }
    // From the first share on, so that of a constant nothing is left.
    let first = shares.first().copied().unwrap_or(0.0);
    let lists = lists as f64;
    let mean = first + shares.iter().map(|share| share - first).sum::<f64>() / lists;
    let spread: f64 = shares.iter().map(|share| (share - mean).powi(2)).sum();
    Ok((mean, (spread / (lists - 1.0) / lists).sqrt()))
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
    use super::{guessing, guessing_of};
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
        assert!(block.simulated.is_none());
        // A coin of 1/3: the number in an arm has variance n · 2/9, here 30 · 2/9.
        let coin = guessing("simple", &ratio, &Options::default(), 30.0, 1, &[]).unwrap();
        assert!((coin.from_share_sd.unwrap() - (60.0f64 / 9.0).sqrt()).abs() < 1e-9);
    }

    /// A lot of 64 duplicates with numbers of hundreds of digits costs 16 lots of few arms: so fewer lists are drawn, at least sixteen,
    /// and those of a method that costs no more are as many as before.
    #[test]
    fn of_a_method_that_costs_more_fewer_lists_are_drawn() {
        let lists = |ratio: &str, options: &[(&str, &str)], n| {
            let ratio = read_ratio(ratio).unwrap();
            let options = Options::of(options);
            let found = guessing_of("maximal", &ratio, &options, n, &[], false).unwrap();
            found.simulated.map(|own| own.lists)
        };
        let many = [("max_imbalance", "2"), ("list_len", "128")];
        // 40,000/16 lots of 128 units.
        assert_eq!(lists("33:31", &many, 128), Some(19));
        assert_eq!(lists("2:1", &[("list_len", "12")], 12), Some(400));
    }

    /// Eight arms by a coin of 2/3 have too many histories; so have fixed numbers of eight arms, whose balance in the end is
    /// exact all the same. The shares of the coin are from own lists (Python, random.choice): 0.28274 of 3000 lists of 120
    /// and 0.28936 of 3000 of 400, standard errors 0.00028 and 0.00016.
    #[test]
    fn what_is_too_much_to_follow_is_drawn() {
        let ratio = read_ratio("1:1:1:1:1:1:1:1").unwrap();
        let none = Options::default();
        for (families, expected) in [(120.0, 0.282_74), (600.0, 0.289_36)] {
            let coin = guessing("biased-coin", &ratio, &none, families, 1, &[]).unwrap();
            let drawn = coin.simulated.unwrap();
            assert_eq!(drawn.lists, 400);
            let error = coin.best_share_error();
            assert!(error > 0.0 && error < 0.002, "{coin:?}");
            assert_eq!(drawn.best_guess_share, Some(error));
            let share = coin.best_share.unwrap();
            assert!(
                (share - expected).abs() < 4.0 * error.hypot(0.000_29),
                "{coin:?}"
            );
            // With equal arms the likeliest is the one that is behind.
            let apart = (coin.correct_guess_share.unwrap() - share).abs();
            assert!(apart < 4.0 * error.hypot(drawn.correct_guess_share.unwrap()));
        }
        let list = Options::of(&[("list_len", "160")]);
        let fixed = guessing("random-allocation", &ratio, &list, 160.0, 1, &[]).unwrap();
        assert_eq!(
            (fixed.p_balanced, fixed.imbalance_sd),
            (Some(1.0), Some(0.0))
        );
        let errors = fixed.simulated.unwrap();
        assert_eq!((errors.p_balanced, errors.imbalance_sd), (None, None));
        assert!(errors.best_guess_share.is_some() && fixed.best_share > Some(0.125));
    }

    /// One list of an odd number: 17/24 is of whole blocks; after 5 by hand the fifth is a coin: (4 · 17/24 + 1/2)/5.
    #[test]
    fn the_number_at_hand_is_not_rounded() {
        let ratio = read_ratio("1:1").unwrap();
        let own = Options::of(&[("block_len", "4")]);
        let found = guessing_of("permuted-block", &ratio, &own, 5, &[], true).unwrap();
        let expected = (4.0 * 17.0 / 24.0 + 0.5) / 5.0;
        assert!((found.best_share.unwrap() - expected).abs() < 1e-12);
        let drawn = guessing_of("permuted-block", &ratio, &own, 5, &[], false).unwrap();
        let apart = (drawn.best_share.unwrap() - expected).abs();
        assert!(apart < 4.0 * drawn.best_share_error(), "{drawn:?}");
    }
}
