//! `manski-bounds`: bounds of the average effect whatever the unknown outcomes are.

use crate::estimation::answer::Answer;
use crate::estimation::bounds::{Bound, Rows};
use crate::estimation::columns::{Arm, Columns};
use crate::estimation::entry::{EstimatorEntry, OptionDomain, OutcomeDomain, Role, Symmetries};
use crate::estimation::error::EstimationError;
use crate::estimation::prepared::Analysed;
use crate::estimation::settings::Settings;
use crate::numerics::linear_algebra::mean;
use serde_json::{Map, json};

/// Registry entry.
pub(super) const ENTRY: EstimatorEntry = EstimatorEntry {
    id: "manski-bounds",
    about: "worst-case bounds of the average effect over all values that unknown outcomes may have",
    about_sv: "gränser i värsta fall för medeleffekten över alla värden som okända utfall kan ha",
    required: &[Role::Outcome],
    optional: &[],
    counts: false,
    outcome: OutcomeDomain::Number,
    events: None,
    in_plan: true,
    options: OptionDomain {
        range: true,
        ..OptionDomain::NONE
    },
    symmetries: Symmetries::ROW_ORDER,
    run,
};

/// Mean and its squared standard error when every unknown outcome is `value`; `None` with one row.
fn filled(known: &[f64], unknown: usize, value: f64) -> (f64, Option<f64>) {
    let (s, u) = (known.len() as f64, unknown as f64);
    let own = mean(known);
    let n = s + u;
    let centre = own + (value - own) * (u / n);
    let square: f64 = known.iter().map(|y| (y - centre) * (y - centre)).sum();
    let square = square + u * (value - centre) * (value - centre);
    (centre, (n > 1.0).then(|| square / (n - 1.0) / n))
}

/// With outcomes in `[a, b]`: the lower bound is the difference of means when every unknown treated outcome is a and
/// every unknown control outcome is b, the upper bound the other way round (Manski 1990, American Economic Review
/// 80:319; Horowitz and Manski 2000, doi 10.1080/01621459.2000.10473902). Standard errors are those of the difference
/// of these means, `S1²/n1 + S0²/n0`. Assumes nothing about why outcomes are unknown.
fn run(columns: &Columns, settings: &Settings) -> Result<Answer, EstimationError> {
    let analysed = Analysed::new(columns, 1)?;
    let zero_one = |y: &f64| *y == 0.0 || *y - 1.0 == 0.0;
    let (least, greatest) = match settings.range {
        Some(range) => range,
        None if analysed.outcome.iter().all(zero_one) => (0.0, 1.0),
        None => {
            return Err(EstimationError::RangeMissing {
                estimator: ENTRY.id,
            });
        }
    };
    for (row, y) in analysed.rows.iter().zip(&analysed.outcome) {
        if *y < least || *y > greatest {
            return Err(EstimationError::OutsideRange {
                row: columns.row_number(*row),
                value: *y,
                low: least,
                high: greatest,
            });
        }
    }
    let side = |arm: Arm, value: f64| {
        let known = analysed.arm.iter().zip(&analysed.outcome);
        let y: Vec<f64> = known.filter(|(a, _)| **a == arm).map(|(_, y)| *y).collect();
        let rows = columns.arm.iter().filter(|a| **a == arm).count();
        filled(&y, rows - y.len(), value)
    };
    let bound = |treated: f64, control: f64| {
        let (own, square) = side(Arm::Treated, treated);
        let (other, other_square) = side(Arm::Control, control);
        Bound {
            estimate: own - other,
            std_error: square.zip(other_square).map(|(a, b)| (a + b).sqrt()),
        }
    };
    let (lower, upper) = (bound(least, greatest), bound(greatest, least));
    let rows = |arm: Arm| columns.arm.iter().filter(|a| **a == arm).count();
    let n = [rows(Arm::Control), rows(Arm::Treated)];
    let mut extra = Map::new();
    extra.insert("range_low".into(), json!(least));
    extra.insert("range_high".into(), json!(greatest));
    extra.insert("known_treated".into(), json!(analysed.n[1]));
    extra.insert("known_control".into(), json!(analysed.n[0]));
    let mut warnings = analysed.warnings;
    warnings.retain(|warning| warning.code != "outcome-missing");
    Rows {
        estimator: ENTRY.id,
        columns,
        level: settings.level,
        n,
        variance: "unpooled",
        extra,
    }
    .answer(lower, upper, warnings)
}
