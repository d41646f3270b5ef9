//! `lee-bounds`: bounds of the effect among those who would answer in either arm.

use crate::estimation::answer::{Answer, Warning};
use crate::estimation::bounds::{Bound, Rows};
use crate::estimation::columns::{Arm, Columns};
use crate::estimation::entry::{EstimatorEntry, OptionDomain, OutcomeDomain, Role, Symmetries};
use crate::estimation::error::EstimationError;
use crate::estimation::prepared::Analysed;
use crate::estimation::settings::Settings;
use crate::numerics::linear_algebra::mean;
use crate::words;
use serde_json::{Map, Value, json};

/// Registry entry.
pub(super) const ENTRY: EstimatorEntry = EstimatorEntry {
    id: "lee-bounds",
    about: "Lee's bounds of the effect among those whose outcome is known whatever the arm",
    about_sv: "Lees gränser för effekten bland dem vars utfall är känt oavsett arm",
    required: &[Role::Outcome],
    optional: &[],
    counts: false,
    outcome: OutcomeDomain::Number,
    events: None,
    in_plan: true,
    options: OptionDomain::NONE,
    symmetries: Symmetries::ROW_ORDER,
    run,
};

/// The smallest `kept` of the sorted outcomes, the last one by its fraction.
struct Trimmed {
    mean: f64,
    /// Variance over `kept − 1`; `None` up to one outcome.
    variance: Option<f64>,
    kept: f64,
    /// The outcome at the trimming point.
    quantile: f64,
}

fn trim(sorted: &[f64], kept: f64) -> Trimmed {
    let weight = |i: usize| (kept - i as f64).clamp(0.0, 1.0);
    // A whole number of outcomes may come out a rounding beyond it.
    let last = ((kept - 1e-9).ceil() as usize).clamp(1, sorted.len());
    let own = &sorted[..last];
    let centre = mean(own);
    let weighted = |value: &dyn Fn(f64) -> f64| -> f64 {
        let terms = own.iter().enumerate();
        terms.map(|(i, y)| weight(i) * value(*y)).sum::<f64>()
    };
    let mean = centre + weighted(&|y| y - centre) / kept;
    let square = weighted(&|y| (y - mean) * (y - mean));
    Trimmed {
        mean,
        variance: (kept > 1.0 + 1e-9).then(|| square / (kept - 1.0)),
        kept,
        quantile: own[last - 1],
    }
}

/// One arm's answers.
struct Side {
    /// Known outcomes, sorted.
    y: Vec<f64>,
    /// All rows.
    rows: f64,
}

impl Side {
    fn share(&self) -> f64 {
        self.y.len() as f64 / self.rows
    }

    /// Variance of the logarithm of the share of known outcomes.
    fn log_share_variance(&self) -> f64 {
        (1.0 - self.share()) / self.y.len() as f64
    }

    /// Mean and variance of all known outcomes.
    fn whole(&self) -> Trimmed {
        trim(&self.y, self.y.len() as f64)
    }

    /// The side with its outcomes mirrored at zero: what is smallest becomes largest.
    fn mirrored(&self) -> Self {
        Self {
            y: self.y.iter().rev().map(|y| -y).collect(),
            rows: self.rows,
        }
    }
}

/// Let `r1`, `r0` be the shares of known outcomes and treated the arm with the larger one. `q = (r1 − r0)/r1`; the
/// lower bound is the mean of the treated outcomes without their largest share q, minus the control mean; the upper
/// bound leaves out the smallest. The outcome at the trimming point counts by its fraction. If control has the larger
/// share, it is trimmed. Standard errors are those of Lee (2009, doi 10.1111/j.1467-937X.2009.00536.x, proposition 3):
/// with trimmed mean μ, its variance S² and the outcome y at the trimming point,
/// `S²/K + (y − μ)²q/K + (y − μ)²((1−r1)/s1 + (1−r0)/s0) + S0²/s0`, s known outcomes, `K = s1(1 − q)`.
///
/// Assumes that arms were drawn at random and that being in one arm rather than the other never makes an outcome
/// unknown (monotonicity).
fn run(columns: &Columns, settings: &Settings) -> Result<Answer, EstimationError> {
    let analysed = Analysed::new(columns, 1)?;
    let side = |arm: Arm| {
        let known = analysed.arm.iter().zip(&analysed.outcome);
        let mut y: Vec<f64> = known.filter(|(a, _)| **a == arm).map(|(_, y)| *y).collect();
        y.sort_by(f64::total_cmp);
        let rows = columns.arm.iter().filter(|a| **a == arm).count() as f64;
        Side { y, rows }
    };
    let (treated, control) = (side(Arm::Treated), side(Arm::Control));
    // Compared in whole numbers: s1·n0 against s0·n1.
    let more = treated.y.len() as f64 * control.rows;
    let less = control.y.len() as f64 * treated.rows;
    let trimmed = (more - less).abs() > 0.0;
    let mut warnings = analysed.warnings;
    warnings.retain(|warning| warning.code != "outcome-missing");
    let (lower, upper) = if more > less {
        (
            bound(&treated, &control, 1.0),
            negative(bound(&treated.mirrored(), &control.mirrored(), 1.0)),
        )
    } else if trimmed {
        // From control the smallest are left out for the lower bound, the largest for the upper one.
        (
            bound(&control.mirrored(), &treated.mirrored(), 1.0),
            negative(bound(&control, &treated, 1.0)),
        )
    } else {
        let largest = kink(&treated, &control);
        let naive = bound(&treated, &control, 0.0);
        let std_error = naive.std_error.map(|s| (s * s + largest).sqrt());
        (Bound { std_error, ..naive }, Bound { std_error, ..naive })
    };
    let share = if trimmed {
        1.0 - more.min(less) / more.max(less)
    } else {
        0.0
    };
    let name = (more > less)
        .then_some(Arm::Treated)
        .or(trimmed.then_some(Arm::Control))
        .map(|arm| columns.labels.arm(arm).to_owned());
    note(columns, name.as_deref(), share, &mut warnings);
    let mut extra = Map::new();
    extra.insert("trimmed_arm".into(), Value::from(name));
    extra.insert("trimmed_share".into(), json!(share));
    extra.insert("known_share_treated".into(), json!(treated.share()));
    extra.insert("known_share_control".into(), json!(control.share()));
    let naive = treated.whole().mean - control.whole().mean;
    extra.insert("complete_case".into(), json!(naive));
    Rows {
        estimator: ENTRY.id,
        columns,
        level: settings.level,
        n: analysed.n,
        variance: "lee",
        extra,
    }
    .answer(lower, upper, warnings)
}

/// Mean of `large` without its largest outcomes minus mean of `small`; `moves` is 0 where nothing is trimmed.
fn bound(large: &Side, small: &Side, moves: f64) -> Bound {
    let kept = large.rows * small.share();
    let (own, other) = (trim(&large.y, kept), small.whole());
    let share = 1.0 - kept / large.y.len() as f64;
    let distance = own.quantile - own.mean;
    let ratio = large.log_share_variance() + small.log_share_variance();
    let std_error = own
        .variance
        .zip(other.variance)
        .map(|(own_square, square)| {
            let trimming = distance * distance * (share.max(0.0) / own.kept + ratio);
            (own_square / own.kept + square / other.kept + moves * trimming).sqrt()
        });
    Bound {
        estimate: own.mean - other.mean,
        std_error,
    }
}

/// What the share of known outcomes adds to the variance where both arms have the same: the larger of what either arm's
/// trimming would add, since a hair more would trim it.
fn kink(treated: &Side, control: &Side) -> f64 {
    let ratio = treated.log_share_variance() + control.log_share_variance();
    let reach = |side: &Side| {
        let mean = side.whole().mean;
        let ends = side.y.first().into_iter().chain(side.y.last());
        ends.map(|y| (y - mean).abs()).fold(0.0, f64::max)
    };
    let distance = reach(treated).max(reach(control));
    distance * distance * ratio
}

fn negative(bound: Bound) -> Bound {
    Bound {
        estimate: -bound.estimate,
        ..bound
    }
}

fn note(columns: &Columns, trimmed: Option<&str>, share: f64, warnings: &mut Vec<Warning>) {
    let labels = &columns.labels;
    let (t, c) = (&labels.treated, &labels.control);
    let message = match trimmed {
        Some(arm) => {
            let other = if arm == t { c } else { t };
            let percent = format!("{:.1}", 100.0 * share);
            let percent_sv = percent.replace('.', ",");
            words!(
                "{percent} % of the known outcomes in {arm} are trimmed; the bounds hold if nobody whose outcome is known in {other} would be unknown in {arm}",
                "{percent_sv} % av de kända utfallen i {arm} trimmas bort; gränserna gäller om ingen vars utfall är känt i {other} skulle vara okänd i {arm}"
            )
        }
        None => words!(
            "the same share of outcomes is known in {t} and {c}, so nothing is trimmed and the bounds coincide; that holds if the same persons would be known in both",
            "samma andel av utfallen är känd i {t} och {c}, så inget trimmas bort och gränserna sammanfaller; det gäller om samma personer skulle vara kända i båda"
        ),
    };
    warnings.push(Warning::new("monotonicity-assumed", message));
}
