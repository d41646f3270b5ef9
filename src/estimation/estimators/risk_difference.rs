//! `risk-difference`: the difference of two proportions, from rows or from counts.

use super::two_by_two;
use crate::estimation::answer::{Answer, Estimate, Warning};
use crate::estimation::columns::Columns;
use crate::estimation::entry::{
    EstimatorEntry, Exchange, OptionDomain, OutcomeDomain, Role, Symmetries,
};
use crate::estimation::error::EstimationError;
use crate::estimation::settings::{Interval, Measure, Settings};
use crate::estimation::two_proportions::risk_difference;
use crate::words;

/// Registry entry.
pub(super) const ENTRY: EstimatorEntry = EstimatorEntry {
    id: "risk-difference",
    about: "difference of two proportions with a score interval",
    about_sv: "skillnad mellan två andelar med score-intervall",
    required: &[Role::Outcome],
    optional: &[],
    counts: true,
    outcome: OutcomeDomain::ZeroOne,
    events: None,
    in_plan: true,
    options: OptionDomain {
        intervals: &[
            Interval::MiettinenNurminen,
            Interval::Mee,
            Interval::Newcombe,
            Interval::Wald,
            Interval::AgrestiCaffo,
        ],
        measures: &[Measure::RiskDifference],
        ..OptionDomain::NONE
    },
    symmetries: Symmetries {
        arm_exchange: Exchange::Negates,
        row_order: true,
        covariate_affine: true,
        outcome_affine: false,
    },
    run,
};

/// `x1/n1 − x0/n0`; `std_error` is unpooled, and `statistic` and `p_value` are those whose inversion is the interval.
fn run(columns: &Columns, settings: &Settings) -> Result<Answer, EstimationError> {
    let (counts, mut warnings) = two_by_two::read(columns)?;
    let interval = settings.interval.unwrap_or(Interval::MiettinenNurminen);
    let effect = risk_difference(counts, interval, settings.level)?;
    if effect.statistic.is_none() {
        warnings.push(Warning::new(
            "no-variation",
            words!(
                "no arm has both events and non-events, so a Wald interval and test do not exist; use miettinen-nurminen",
                "ingen arm har både händelser och icke-händelser, så Wald-intervall och test finns inte; använd miettinen-nurminen"
            ),
        ));
    }
    let variance = if interval == Interval::AgrestiCaffo {
        "agresti-caffo"
    } else {
        "unpooled"
    };
    Ok(Answer {
        results: vec![Estimate {
            estimator: ENTRY.id.to_owned(),
            term: columns.labels.effect(),
            measure: Measure::RiskDifference.text().to_owned(),
            estimate: Some(effect.estimate),
            std_error: Some(effect.std_error),
            std_error_scale: "identity".to_owned(),
            statistic: effect.statistic,
            df: None,
            p_value: effect.p_value,
            conf_low: effect.conf_low,
            conf_high: effect.conf_high,
            level: settings.level,
            n_treated: counts.treated_units as usize,
            n_control: counts.control_units as usize,
            variance: variance.to_owned(),
            interval: interval.text().to_owned(),
            extra: two_by_two::fields(&counts),
        }],
        warnings,
    })
}
