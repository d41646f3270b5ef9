//! Of a ratio whose likelihood rises without end: the row with the score test and its one limit, and the warning.

use super::ratio_model::Shown;
use crate::diagnostic::Words;
use crate::estimation::answer::{Answer, Estimate, Warning};
use crate::estimation::columns::{Arm, Columns};
use crate::estimation::endless::Endless;
use crate::estimation::error::EstimationError;
use crate::estimation::generalized_linear::{Fit, Separation};
use crate::estimation::inference::Inference;
use crate::estimation::prepared::Analysed;
use crate::estimation::settings::{Measure, Variance};
use crate::words;
use serde_json::{Map, Value, json};

/// A log ratio at which a likelihood with a maximum falls: its slope still rises there if there is none.
const FAR: f64 = 12.0;

/// What is known without a maximum, and what must be known of it.
pub(super) struct Found {
    own: Endless,
    told: Option<Warning>,
}

/// The score test of a regression whose arm's coefficient has no maximum, and its limit; `None` where the likelihood does not rise
/// to one side alone, or the other coefficients cannot be had. `held` maximizes with the arm's coefficient at a value, from a start.
pub(super) fn found(
    held: impl Fn(f64, Option<&[f64]>) -> Result<Fit, EstimationError>,
    level: f64,
) -> Result<Option<Found>, EstimationError> {
    // Anew from where a fit has stopped: the step that is left is the square of its last.
    let fitted = |value: f64| -> Option<Fit> {
        let near = held(value, None).ok()?;
        let fit = held(value, Some(&near.coefficients)).ok()?;
        (fit.separation != Some(Separation::Arm)).then_some(fit)
    };
    let score = |value: f64| fitted(value).map(|fit| fit.score());
    let null = fitted(0.0);
    let at_none = null.as_ref().map(Fit::score);
    let beyond = at_none.and_then(|own| score(FAR.copysign(own)));
    let rises = at_none.zip(beyond);
    if rises.is_none_or(|(at_none, beyond)| at_none * beyond <= 0.0 || at_none.is_nan()) {
        return Ok(None);
    }
    // The reference of a score is normal, whatever that of an estimate would be.
    let inference = Inference::new(Variance::Model, None, level)?;
    let own = Endless::of(score, inference.critical());
    let separated = null.is_some_and(|fit| fit.separation.is_some());
    Ok(own.map(|own| Found {
        own,
        told: separated.then(covariates_separate),
    }))
}

/// The answer; `why` there is no maximum.
pub(super) fn answer(
    shown: Shown,
    columns: &Columns,
    analysed: Analysed,
    (found, why): (Found, Words),
    level: f64,
) -> Answer {
    let mut warnings = analysed.warnings;
    warnings.extend(found.told);
    let own = &found.own;
    let mut extra = shown.extra;
    note(&mut extra, own);
    let name = match shown.measure {
        Measure::OddsRatio => words!("odds ratio", "oddskvoten"),
        _ => words!("rate ratio", "kvoten mellan takterna"),
    };
    warnings.push(warning(&name, why, own.rises));
    let [conf_low, conf_high] = limits(own);
    let result = Estimate {
        estimator: shown.id.to_owned(),
        term: columns.labels.effect(),
        measure: shown.measure.text().to_owned(),
        estimate: None,
        std_error: None,
        std_error_scale: "log".to_owned(),
        statistic: Some(own.statistic),
        df: None,
        p_value: Some(own.p_value()),
        conf_low,
        conf_high,
        level,
        n_treated: analysed.n[1],
        n_control: analysed.n[0],
        variance: Variance::Model.text().to_owned(),
        interval: shown.interval.to_owned(),
        extra,
    };
    Answer {
        results: vec![result],
        warnings,
    }
}

/// The name of the interval.
pub(super) const INTERVAL: &str = "score";

/// The ratio and the kind of its interval among further fields.
pub(super) fn note(extra: &mut Map<String, Value>, own: &Endless) {
    let ratio = if own.rises { "infinite" } else { "zero" };
    extra.insert("ratio".into(), json!(ratio));
    extra.insert("set".into(), json!("ray"));
}

/// The limits of the ratio as rows have them: the one that there is.
pub(super) fn limits(own: &Endless) -> [Option<f64>; 2] {
    let limit = own.limit.map(libm::exp);
    [limit.filter(|_| own.rises), limit.filter(|_| !own.rises)]
}

/// That rows are decided by covariates alone, and count for nothing.
fn covariates_separate() -> Warning {
    Warning::new(
        "separation",
        words!(
            "a covariate or level tells some rows' outcomes without error, so its own coefficient has no finite estimate; the test of the arm is of the other rows",
            "en kovariat eller nivå bestämmer utfallet på några rader utan fel, så dess egen koefficient har ingen ändlig skattning; testet av armen gäller övriga rader"
        ),
    )
}

/// That nobody in an arm had the event, or everybody.
pub(super) fn alike(columns: &Columns, arm: Arm, all: bool) -> Words {
    let arm = columns.labels.arm(arm);
    if all {
        words!(
            "everybody in arm {arm} had the event",
            "alla i armen {arm} fick händelsen"
        )
    } else {
        words!(
            "nobody in arm {arm} had the event",
            "ingen i armen {arm} fick händelsen"
        )
    }
}

/// That the arm is told from the outcomes in the rows that the covariates leave.
pub(super) fn separated() -> Words {
    words!(
        "arm and covariates together tell events from non-events without error",
        "armen och kovariaterna skiljer tillsammans händelser från icke-händelser utan fel"
    )
}

/// That the ratio has no finite estimate, why, and what stands in its place.
pub(super) fn warning(name: &Words, why: Words, rises: bool) -> Warning {
    let (en, sv) = if rises {
        ("beyond all bounds", "över alla gränser")
    } else {
        ("to 0", "till 0")
    };
    let (name_en, name_sv) = (&name.en, &name.sv);
    let Words {
        en: why_en,
        sv: why_sv,
    } = why;
    Warning::new(
        "no-finite-ratio",
        words!(
            "{why_en}: the likelihood rises as the {name_en} goes {en}, so there is no estimate; the p is that of the score test, and the interval, of the ratios that it does not reject, has one limit (the other is null)",
            "{why_sv}: likelihooden stiger när {name_sv} går {sv}, så det finns ingen skattning; p-värdet är score-testets, och intervallet, av de kvoter som det inte förkastar, har en enda gräns (den andra är tom)"
        ),
    )
}
