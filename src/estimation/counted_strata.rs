//! The additive model of a yes-no outcome on arm and strata, from counts: what `linear` gives with the site as its only
//! covariate, in one pass over the strata instead of the rows.
//!
//! Rows of one stratum and arm are alike but for their outcome, so that every sum over rows of the linear model is a
//! sum over four numbers a stratum. Same effect, HC2 standard error and Bell–McCaffrey degrees of freedom as
//! [`super::linear_model`], to rounding. Real studies, redraws and simulated studies all take this way, so that an
//! answer has the same bits whoever asks.

use super::error::EstimationError;
use super::inference::{Fit, Inference};
use super::lin_statistic::Studentized;
use super::linear_model::ROUNDING;
use super::settings::Variance;

/// Rows of a stratum, and those of them whose outcome is 1: control first, then treated.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct StratumCounts {
    /// Rows by arm.
    pub rows: [u32; 2],
    /// Rows with outcome 1, by arm.
    pub ones: [u32; 2],
}

/// Fewest rows of a stratum in each arm. With two no row has leverage one and no column is a combination of others;
/// below, [`super::linear_model`] says what exists.
pub const FEWEST: u32 = 2;

/// The effect of the arm, and what its variance is made of.
#[derive(Debug, Clone, Copy, Default)]
struct Effect {
    /// `Σ n₁n₀/n`: one over the sum of squared weights.
    information: f64,
    estimate: f64,
    /// HC2 variance; zero where residuals are rounding.
    variance: f64,
    residual_square: f64,
}

/// One stratum as the model sees it: `share` is that of the other arm, `n₀/n` for treated rows.
#[derive(Debug, Clone, Copy)]
struct Side {
    rows: f64,
    ones: f64,
    share: f64,
    /// +1 treated, −1 control.
    sign: f64,
}

impl StratumCounts {
    fn total(&self) -> f64 {
        f64::from(self.rows[0] + self.rows[1])
    }

    /// The same rows, of which so many are treated, and so many of those have outcome 1.
    #[must_use]
    pub fn with(&self, treated: u32, ones: u32) -> Self {
        let all = |own: [u32; 2]| own[0] + own[1];
        Self {
            rows: [all(self.rows) - treated, treated],
            ones: [all(self.ones) - ones, ones],
        }
    }

    fn sides(&self) -> [Side; 2] {
        let n = self.total();
        let side = |own: usize, sign: f64| Side {
            rows: f64::from(self.rows[own]),
            ones: f64::from(self.ones[own]),
            share: f64::from(self.rows[1 - own]) / n,
            sign,
        };
        [side(0, -1.0), side(1, 1.0)]
    }
}

/// Whether the counts are enough to answer for the model: at least one stratum, and in each arm of each [`FEWEST`] rows.
pub fn is_answered(strata: &[StratumCounts]) -> bool {
    let holds = |own: &StratumCounts| own.rows.iter().all(|rows| *rows >= FEWEST);
    !strata.is_empty() && strata.iter().all(holds)
}

/// Effect, HC2 standard error, Bell–McCaffrey test and interval at `level`, for counts that [`is_answered`] admits.
///
/// With `n₁, n₀` rows of a stratum, `n = n₁ + n₀` and `D = Σ n₁n₀/n`: effect `Σ (n₁n₀/n)(ȳ₁ − ȳ₀)/D`, weight of a
/// treated row `a = (n₀/n)/D`, its leverage `1/n + (n₀/n)²/D`, its residual `y − ȳ − (n₀/n)·effect`; control rows
/// alike with `−n₁/n`. References: those of [`super::linear_model::Design::bell_mccaffrey`]; Imbens and Rubin 2015,
/// doi 10.1017/CBO9781139025751, section 9.6.
///
/// ```
/// use lottning::estimation::counted_strata::{StratumCounts, fit};
/// // Ten a side, 6 of them against 3: .3, and HC2 is s₁²/n₁ + s₀²/n₀ = (6·4/10 + 3·7/10)/9/10 = .05.
/// let own = fit(&[StratumCounts { rows: [10, 10], ones: [3, 6] }], 0.95)?;
/// assert!((own.estimate - 0.3).abs() < 1e-15);
/// assert!((own.std_error - 0.05_f64.sqrt()).abs() < 1e-15);
/// assert!((own.df.unwrap_or(0.0) - 18.0).abs() < 1e-9); // Welch's with equal arms
/// # Ok::<(), lottning::estimation::EstimationError>(())
/// ```
///
/// # Errors
/// [`EstimationError::NoRows`] without strata, and a level outside (0, 1).
pub fn fit(strata: &[StratumCounts], level: f64) -> Result<Fit, EstimationError> {
    if strata.is_empty() {
        return Err(EstimationError::NoRows);
    }
    let own = effect(strata);
    let df = bell_mccaffrey(strata, own.information);
    let inference = Inference::new(Variance::Hc2, Some(df), level)?;
    Ok(Fit::complete(
        own.estimate,
        own.variance.sqrt(),
        own.residual_square,
        &inference,
    ))
}

/// Effect and HC2 standard error alone, as a randomization test needs them.
pub fn studentized(strata: &[StratumCounts]) -> Studentized {
    let own = effect(strata);
    Studentized {
        estimate: own.estimate,
        std_error: own.variance.sqrt(),
    }
}

fn effect(strata: &[StratumCounts]) -> Effect {
    let (mut information, mut sum, mut rows, mut any) = (0.0, 0.0, 0.0, false);
    for own in strata {
        let [n0, n1] = own.rows.map(f64::from);
        let [k0, k1] = own.ones.map(f64::from);
        let n = n0 + n1;
        information += n1 * n0 / n;
        sum += (k1 * n0 - k0 * n1) / n;
        rows += n;
        any |= own.ones != [0, 0];
    }
    let estimate = sum / information;
    let (mut meat, mut square) = (0.0, 0.0);
    for own in strata {
        let n = own.total();
        let mean = f64::from(own.ones[0] + own.ones[1]) / n;
        for side in own.sides() {
            let fitted = mean + side.sign * side.share * estimate;
            let above = 1.0 - fitted;
            let residual =
                side.ones * (above * above) + (side.rows - side.ones) * (fitted * fitted);
            // a²/(1 − h) with a = share/D, both times D².
            let spread = side.share * side.share;
            let left = information * (1.0 - 1.0 / n) - spread;
            meat += spread / left * residual;
            square += residual;
        }
    }
    let largest = if any { 1.0 } else { 0.0 };
    let rounding = ROUNDING * largest;
    let exact = square <= rows * rounding * rounding;
    Effect {
        information,
        estimate,
        variance: if exact { 0.0 } else { meat / information },
        residual_square: square,
    }
}

/// `(Σ a²)² / Σ_ij b_i²b_j²(I−H)_ij²` with `b² = a²/(1−h)`, the sum over pairs of rows taken together by stratum:
/// `Σ b⁴(1−2h) + Σ_s [S₀²/n² + 2S₁²/(nD)] + (Σ_s S₂)²/D²`, where `S_k = Σ b² t^k` over a stratum's rows with
/// `t = ±share`.
fn bell_mccaffrey(strata: &[StratumCounts], information: f64) -> f64 {
    let (mut sum, mut second) = (0.0, 0.0);
    for own in strata {
        let n = own.total();
        let (mut zeroth, mut first) = (0.0, 0.0);
        for side in own.sides() {
            let spread = side.share * side.share;
            let leverage = 1.0 / n + spread / information;
            let square = spread / (1.0 - leverage);
            let all = side.rows * square;
            sum += all * square * (1.0 - 2.0 * leverage);
            zeroth += all;
            first += all * side.sign * side.share;
            second += all * spread;
        }
        sum += (zeroth * zeroth / n + 2.0 * first * first / information) / n;
    }
    let ratio = second / information;
    // The squared weights were left without their D^−2, so that Σ a² = 1/D is D here.
    information * information / (sum + ratio * ratio)
}

#[cfg(test)]
mod tests {
    use super::{StratumCounts, fit, is_answered, studentized};
    use crate::estimation::linear_model::{Design, Form, Workspace};
    use crate::estimation::{Arm, Df, Variance};

    /// The same rows one by one through the linear model, in the order of the strata.
    fn by_rows(strata: &[StratumCounts]) -> super::Fit {
        let (mut arm, mut y, mut stratum) = (Vec::new(), Vec::new(), Vec::new());
        for (index, own) in strata.iter().enumerate() {
            for (side, which) in [Arm::Control, Arm::Treated].into_iter().enumerate() {
                for row in 0..own.rows[side] {
                    arm.push(which);
                    y.push(f64::from(u8::from(row < own.ones[side])));
                    stratum.push(index);
                }
            }
        }
        let mut columns = Vec::new();
        for index in 1..strata.len() {
            columns.extend(stratum.iter().map(|own| f64::from(u8::from(*own == index))));
        }
        let design = Design::factor(&arm, &columns, Form::Additive).unwrap();
        let inference = design
            .inference(Variance::Hc2, Df::BellMccaffrey, 0.95)
            .unwrap();
        design.fit(&y, &inference, &mut Workspace::default())
    }

    fn strata(counts: &[[u32; 4]]) -> Vec<StratumCounts> {
        let own = |c: &[u32; 4]| StratumCounts {
            rows: [c[0], c[1]],
            ones: [c[2], c[3]],
        };
        counts.iter().map(own).collect()
    }

    #[test]
    fn counts_say_what_rows_say() {
        for counts in [
            vec![[10, 10, 3, 6]],
            vec![[2, 2, 1, 0], [9, 3, 4, 3]],
            vec![[25, 26, 7, 5], [24, 24, 8, 3], [27, 25, 10, 6]],
            vec![[5, 30, 0, 12], [40, 6, 39, 6], [2, 2, 2, 1], [11, 12, 0, 0]],
        ] {
            let own = strata(&counts);
            assert!(is_answered(&own));
            let (found, rows) = (fit(&own, 0.95).unwrap(), by_rows(&own));
            let pairs = [
                (found.estimate, rows.estimate),
                (found.std_error, rows.std_error),
                (found.df.unwrap(), rows.df.unwrap()),
                (found.p_value.unwrap(), rows.p_value.unwrap()),
                (found.conf_low.unwrap(), rows.conf_low.unwrap()),
                (found.conf_high.unwrap(), rows.conf_high.unwrap()),
                (found.residual_square, rows.residual_square),
            ];
            for (ours, theirs) in pairs {
                let size = theirs.abs().max(1e-3);
                assert!(
                    (ours - theirs).abs() < 1e-11 * size,
                    "{counts:?}: {ours} {theirs}"
                );
            }
            let short = studentized(&own);
            assert_eq!(
                (short.estimate, short.std_error),
                (found.estimate, found.std_error)
            );
        }
    }

    /// By hand: where the outcome is the arm, or the same for everybody, nothing is left over and there is no test.
    #[test]
    fn nothing_left_over_is_no_standard_error() {
        for (counts, estimate) in [
            (vec![[7, 9, 0, 9], [6, 5, 0, 5]], 1.0),
            (vec![[7, 9, 0, 0], [6, 5, 0, 0]], 0.0),
            (vec![[7, 9, 7, 9], [6, 5, 6, 5]], 0.0),
        ] {
            let found = fit(&strata(&counts), 0.95).unwrap();
            assert!((found.estimate - estimate).abs() < 1e-15);
            assert_eq!((found.std_error, found.p_value), (0.0, None));
        }
        assert!(!is_answered(&strata(&[[1, 9, 0, 2]])));
        assert!(!is_answered(&[]));
    }
}
