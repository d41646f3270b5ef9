//! `fisher-exact`: the conditional odds ratio with its exact interval and p-value, from rows or from counts.

use super::two_by_two;
use crate::estimation::answer::{Answer, Estimate, Warning};
use crate::estimation::columns::Columns;
use crate::estimation::conditional_odds::conditional_odds;
use crate::estimation::entry::{
    EstimatorEntry, Exchange, OptionDomain, OutcomeDomain, Role, Symmetries,
};
use crate::estimation::error::EstimationError;
use crate::estimation::settings::{Measure, PValue, Settings};
use crate::words;
use serde_json::json;

/// Registry entry.
pub(super) const ENTRY: EstimatorEntry = EstimatorEntry {
    id: "fisher-exact",
    about: "conditional odds ratio with an exact interval and p-value",
    about_sv: "betingad oddskvot med exakt intervall och p-värde",
    required: &[Role::Outcome],
    optional: &[],
    counts: true,
    outcome: OutcomeDomain::ZeroOne,
    events: None,
    in_plan: true,
    options: OptionDomain {
        measures: &[Measure::OddsRatio],
        p_values: &[PValue::Central, PValue::Minlike],
        ..OptionDomain::NONE
    },
    symmetries: Symmetries {
        arm_exchange: Exchange::Inverts,
        row_order: true,
        covariate_affine: true,
        outcome_affine: false,
    },
    run,
};

/// Fisher's exact analysis: the interval is central, so it agrees with the default p-value; `p_central` and
/// `p_minlike` are both fields. `fisher.test` prints the second.
fn run(columns: &Columns, settings: &Settings) -> Result<Answer, EstimationError> {
    let (counts, mut warnings) = two_by_two::read(columns)?;
    let exact = conditional_odds(counts, settings.level)?;
    if exact.conf_low == 0.0 && exact.conf_high.is_none() {
        warnings.push(Warning::new(
            "zero-cell",
            words!(
                "all units have the event or none has, so the table holds nothing about the odds ratio",
                "alla enheter har händelsen eller ingen har den, så tabellen säger inget om oddskvoten"
            ),
        ));
    } else if exact.std_error.is_none() {
        warnings.push(Warning::new(
            "zero-cell",
            words!(
                "a cell of the two-by-two table is zero, so the odds ratio is zero or infinite (null), without a standard error, and its interval is open at that end",
                "en cell i fyrfältstabellen är noll, så oddskvoten är noll eller oändlig (tom), utan medelfel, och intervallet är öppet i den änden"
            ),
        ));
    }
    let p_value = match settings.p_value.unwrap_or(PValue::Central) {
        PValue::Central => exact.p_central,
        PValue::Minlike => exact.p_minlike,
    };
    let mut extra = two_by_two::fields(&counts);
    extra.insert("p_central".into(), json!(exact.p_central));
    extra.insert("p_minlike".into(), json!(exact.p_minlike));
    Ok(Answer {
        results: vec![Estimate {
            estimator: ENTRY.id.to_owned(),
            term: columns.labels.effect(),
            measure: Measure::OddsRatio.text().to_owned(),
            estimate: exact.estimate,
            std_error: exact.std_error,
            std_error_scale: "log".to_owned(),
            statistic: None,
            df: None,
            p_value: Some(p_value),
            conf_low: Some(exact.conf_low),
            conf_high: exact.conf_high,
            level: settings.level,
            n_treated: counts.treated_units as usize,
            n_control: counts.control_units as usize,
            variance: "conditional".to_owned(),
            interval: "exact".to_owned(),
            extra,
        }],
        warnings,
    })
}
