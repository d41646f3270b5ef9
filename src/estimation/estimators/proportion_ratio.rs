//! What `risk-ratio` and `odds-ratio` share: counts to answer.

use super::two_by_two;
use crate::estimation::answer::{Answer, Estimate, Warning};
use crate::estimation::columns::Columns;
use crate::estimation::entry::{
    EstimatorEntry, Exchange, OptionDomain, OutcomeDomain, Role, Symmetries,
};
use crate::estimation::error::EstimationError;
use crate::estimation::proportion_ratios::{Limits, Ratio, RatioEffect, ratio};
use crate::estimation::settings::{Interval, Measure, Settings};
use crate::words;

/// What both entries have in common; the id, the sentences, the measure and the function are each one's own.
pub(super) const ENTRY: EstimatorEntry = EstimatorEntry {
    id: "",
    about: "",
    about_sv: "",
    required: &[Role::Outcome],
    optional: &[],
    counts: true,
    outcome: OutcomeDomain::ZeroOne,
    events: None,
    in_plan: true,
    options: OptionDomain {
        intervals: &[Interval::MiettinenNurminen, Interval::LogWald],
        ..OptionDomain::NONE
    },
    symmetries: Symmetries {
        arm_exchange: Exchange::Inverts,
        row_order: true,
        covariate_affine: true,
        outcome_affine: false,
    },
    run: |_, _| Err(EstimationError::NoRows),
};

/// `risk-ratio` and `odds-ratio`: the answer of one ratio.
pub(super) fn estimate(
    id: &'static str,
    measure: Measure,
    which: Ratio,
    columns: &Columns,
    settings: &Settings,
) -> Result<Answer, EstimationError> {
    let (counts, mut warnings) = two_by_two::read(columns)?;
    let interval = settings.interval.unwrap_or(Interval::MiettinenNurminen);
    let limits = match interval {
        Interval::LogWald => Limits::LogWald,
        _ => Limits::Score,
    };
    let effect = ratio(counts, which, limits, settings.level)?;
    warnings.extend(absent(&effect, limits));
    Ok(Answer {
        results: vec![Estimate {
            estimator: id.to_owned(),
            term: columns.labels.effect(),
            measure: measure.text().to_owned(),
            estimate: effect.estimate,
            std_error: effect.std_error,
            std_error_scale: "log".to_owned(),
            statistic: effect.statistic,
            df: None,
            p_value: effect.p_value,
            conf_low: effect.conf_low,
            conf_high: effect.conf_high,
            level: settings.level,
            n_treated: counts.treated_units as usize,
            n_control: counts.control_units as usize,
            variance: "unpooled".to_owned(),
            interval: interval.text().to_owned(),
            extra: two_by_two::fields(&counts),
        }],
        warnings,
    })
}

/// Why numbers of the effect do not exist.
fn absent(effect: &RatioEffect, limits: Limits) -> Option<Warning> {
    let complete = effect.estimate.is_some() && effect.std_error.is_some();
    if complete && effect.conf_low.is_some() && effect.conf_high.is_some() {
        return None;
    }
    let message = match (limits, effect.std_error, effect.conf_high) {
        (Limits::LogWald, Some(_), _) => words!(
            "every unit of both arms has the event, so a log-Wald interval and test do not exist; use miettinen-nurminen",
            "alla enheter i båda armarna har händelsen, så log-Wald-intervall och test finns inte; använd miettinen-nurminen"
        ),
        (Limits::LogWald, None, _) => words!(
            "a cell of the two-by-two table is zero, so the logarithm of the ratio has no standard error and a log-Wald interval and test do not exist; use miettinen-nurminen",
            "en cell i fyrfältstabellen är noll, så kvotens logaritm har inget medelfel och log-Wald-intervall och test finns inte; använd miettinen-nurminen"
        ),
        (Limits::Score, _, Some(_)) => words!(
            "a cell of the two-by-two table is zero, so the logarithm of the ratio has no standard error; the score interval does not need one",
            "en cell i fyrfältstabellen är noll, så kvotens logaritm har inget medelfel; score-intervallet behöver inget"
        ),
        (Limits::Score, _, None) => words!(
            "a cell of the two-by-two table is zero, so the ratio is not finite or not defined, it has no standard error, and its interval has no upper end",
            "en cell i fyrfältstabellen är noll, så kvoten är inte ändlig eller inte definierad, den har inget medelfel och intervallet har ingen övre ände"
        ),
    };
    Some(Warning::new("zero-cell", message))
}
