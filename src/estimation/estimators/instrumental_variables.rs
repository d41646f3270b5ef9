//! `instrumental-variables`: the effect of receiving the service among those who receive it because of their arm.

use super::{linear, regression};
use crate::diagnostic::Words;
use crate::estimation::answer::{Answer, Estimate, Warning};
use crate::estimation::columns::{Arm, Columns};
use crate::estimation::entry::{EstimatorEntry, Exchange, OutcomeDomain, Role, Symmetries};
use crate::estimation::error::EstimationError;
use crate::estimation::inference::Fit;
use crate::estimation::linear_model::{Form, ROUNDING};
use crate::estimation::prepared::{Analysed, Later};
use crate::estimation::scores::Scores;
use crate::estimation::settings::Settings;
use crate::numerics::linear_algebra::dot;
use crate::words;
use serde_json::{Value, json};

/// First-stage F below which the t interval is not to be trusted (Staiger and Stock 1997, doi 10.2307/2171753).
const WEAK: f64 = 10.0;

/// A first stage below this part of the largest receipt is rounding.
const NO_FIRST_STAGE: f64 = 1e-12;

/// The column of what was received.
const RECEIVED: Later = Later {
    column: "received",
    code: "value-missing",
    lacking: ["a value of received", "värde för received"],
};

/// Registry entry.
pub(super) const ENTRY: EstimatorEntry = EstimatorEntry {
    id: "instrumental-variables",
    about: "effect among compliers: the arm as instrument for what was received, with the Anderson–Rubin set",
    about_sv: "effekt bland dem som följer sin arm: armen som instrument för vad som mottogs, med Anderson–Rubins mängd",
    required: &[Role::Outcome, Role::Received],
    optional: &[Role::Covariates, Role::Strata, Role::Cluster],
    counts: false,
    outcome: OutcomeDomain::Number,
    events: None,
    in_plan: true,
    options: linear::OPTIONS,
    symmetries: Symmetries {
        arm_exchange: Exchange::Stays,
        row_order: true,
        covariate_affine: true,
        outcome_affine: true,
    },
    run,
};

/// Two-stage least squares with one instrument, which is the ratio of the arm's effects on outcome and receipt in the
/// additive regression: `b = β_Y/β_D` (Angrist, Imbens and Rubin 1996, doi 10.1080/01621459.1996.10476902). Its standard error is that
/// of the effect on `Y − bD`, over `|β_D|`; degrees of freedom are those of the reduced form. `estimatr::iv_robust`.
///
/// The Anderson–Rubin set (1949, doi 10.1214/aoms/1177730090) holds every b whose `Y − bD` shows no effect of the arm,
/// `|β_Y − bβ_D| ≤ t·SE(b)`: `(β_D²−t²V_DD)b² − 2(β_Yβ_D−t²V_YD)b + (β_Y²−t²V_YY) ≤ 0`.
fn run(columns: &Columns, settings: &Settings) -> Result<Answer, EstimationError> {
    let mut analysed = Analysed::new(columns, 1)?;
    let given = columns.received.as_deref().unwrap_or_default();
    let received = analysed.keep_known(columns, given, &RECEIVED)?;
    let binary = received.iter().all(|d| [0.0, 1.0].contains(d));
    note_control(binary, &received, columns, &mut analysed);
    let model = regression::Model::new(columns, analysed, settings, Form::Additive)?;
    let (y, d) = (
        model.scores(&model.analysed.outcome),
        model.scores(&received),
    );
    let largest = |values: &[f64]| values.iter().fold(0.0f64, |m, v| m.max(v.abs()));
    if d.estimate.abs() <= NO_FIRST_STAGE * largest(&received) {
        return Err(EstimationError::NoFirstStage);
    }
    let effect = y.estimate / d.estimate;
    let structural: Vec<f64> = model
        .analysed
        .outcome
        .iter()
        .zip(&received)
        .map(|(y, d)| y - effect * d)
        .collect();
    let left = model.scores(&structural);
    let rounding =
        ROUNDING * (largest(&model.analysed.outcome) + effect.abs() * largest(&received));
    let exact = left.residual_square <= structural.len() as f64 * rounding * rounding;
    let std_error = if exact {
        0.0
    } else {
        left.square().sqrt() / d.estimate.abs()
    };
    let (inference, units) = (model.inference, model.units);
    let fit = Fit::complete(effect, std_error, left.residual_square, &inference);
    let reduced = y.fit(&inference);
    let set = AndersonRubin::new(&y, &d, inference.critical());
    let variance = model.spread.variance();
    let mut answer = regression::answer(
        ENTRY.id,
        columns,
        model.analysed,
        variance,
        &inference,
        &fit,
    );
    let first_stage = d.square().sqrt();
    let f = (first_stage > 0.0).then(|| {
        let ratio = d.estimate / first_stage;
        ratio * ratio
    });
    note_first_stage(f, set.as_ref(), &mut answer);
    if let Some(row) = answer.results.first_mut() {
        if let Some(units) = units {
            regression::add_units(row, units);
        }
        let mut second = row.clone();
        let share = binary.then_some(d.estimate.abs());
        for (key, value) in [
            ("first_stage", Some(d.estimate)),
            ("first_stage_std_error", Some(first_stage)),
            ("first_stage_f", f),
            ("complier_share", share),
            ("itt", Some(reduced.estimate)),
            ("itt_std_error", Some(reduced.std_error)),
        ] {
            row.extra.insert(key.into(), json!(value));
        }
        describe(&mut second, set, &reduced);
        answer.results.push(second);
    }
    Ok(answer)
}

/// The second row: the test is that of no effect on the outcome, and needs no first stage.
fn describe(row: &mut Estimate, set: Option<AndersonRubin>, reduced: &Fit) {
    row.std_error = None;
    row.statistic = reduced.statistic;
    row.df = reduced.df;
    row.p_value = reduced.p_value;
    "anderson-rubin".clone_into(&mut row.interval);
    (row.conf_low, row.conf_high) = (None, None);
    let (mut name, mut rays) = (Value::Null, [None; 2]);
    match set {
        None => {}
        Some(AndersonRubin::Interval(low, high)) => {
            name = "interval".into();
            (row.conf_low, row.conf_high) = (Some(low), Some(high));
        }
        Some(AndersonRubin::TwoRays(to, from)) => {
            name = "two rays".into();
            rays = [to, from];
        }
        Some(AndersonRubin::Line) => name = "line".into(),
    }
    row.extra.insert("set".into(), name);
    row.extra.insert("ray_to".into(), json!(rays[0]));
    row.extra.insert("ray_from".into(), json!(rays[1]));
}

/// The effects that the data are compatible with, whatever the strength of the first stage.
#[derive(Debug, Clone, Copy, PartialEq)]
enum AndersonRubin {
    /// From, to.
    Interval(f64, f64),
    /// Everything up to the first and from the second; one of them is absent when it is infinitely far.
    TwoRays(Option<f64>, Option<f64>),
    /// Every number.
    Line,
}

impl AndersonRubin {
    /// `None` when the outcome's residuals are rounding, so that there is no test to invert.
    fn new(y: &Scores, d: &Scores, t: f64) -> Option<Self> {
        let yy = y.square();
        if yy == 0.0 {
            return None;
        }
        // In units of the two standard errors of the outcome's effect, so that squares neither overflow nor vanish.
        let unit = yy.sqrt();
        let (by, bd) = (y.estimate / unit, d.estimate);
        let yd = dot(&y.values, &d.values) / unit;
        let square = t * t;
        let a = bd * bd - square * d.square();
        let b = by * bd - square * yd;
        let c = by * by - square;
        let discriminant = b * b - a * c;
        if a > 0.0 {
            let [low, high] = roots(a, b, c, discriminant.max(0.0));
            return Some(Self::Interval(unit * low, unit * high));
        }
        if discriminant <= 0.0 {
            return Some(Self::Line);
        }
        let ends = roots(a, b, c, discriminant).map(|end| Some(unit * end));
        let [to, from] = ends.map(|end| end.filter(|end| end.is_finite()));
        Some(Self::TwoRays(to, from))
    }
}

/// Roots of `a b² − 2b b + c`, in order, without cancellation.
fn roots(a: f64, b: f64, c: f64, discriminant: f64) -> [f64; 2] {
    let sum = b + discriminant.sqrt().copysign(b);
    let (one, other) = if sum == 0.0 {
        (0.0, 0.0)
    } else {
        (sum / a, c / sum)
    };
    [one.min(other), one.max(other)]
}

fn note_control(binary: bool, received: &[f64], columns: &Columns, analysed: &mut Analysed) {
    let crossed = analysed
        .arm
        .iter()
        .zip(received)
        .filter(|(arm, d)| **arm == Arm::Control && **d != 0.0)
        .count();
    if crossed == 0 {
        return;
    }
    let (rows, arm) = (analysed.n[0], &columns.labels.control);
    analysed.warnings.push(Warning::new(
        "received-in-control",
        if binary {
            words!(
                "{crossed} of {rows} rows in {arm} received: the effect is that among compliers only if nobody does the opposite of their arm",
                "{crossed} av {rows} rader i {arm} tog emot: effekten gäller dem som följer sin arm bara om ingen gör tvärtemot sin arm"
            )
        } else {
            words!(
                "{crossed} of {rows} rows in {arm} received something: the effect is one per unit received, if nobody receives less because of the treated arm",
                "{crossed} av {rows} rader i {arm} tog emot något: effekten är per mottagen enhet, om ingen tar emot mindre på grund av den behandlade armen"
            )
        },
    ));
}

fn note_first_stage(f: Option<f64>, set: Option<&AndersonRubin>, answer: &mut Answer) {
    let mut note = |code, words| answer.warnings.push(Warning::new(code, words));
    match f {
        None => note(
            "full-compliance",
            words!(
                "the arm decides what was received without exception, so the first stage has no F",
                "armen bestämmer vad som mottogs utan undantag, så förstasteget har inget F"
            ),
        ),
        Some(f) if f < WEAK => {
            let Words { en, sv } = Words::decimals(f, 2);
            note(
                "weak-first-stage",
                words!(
                    "the arm moves what was received too little (F = {en}) for the t interval: read the Anderson–Rubin set",
                    "armen påverkar vad som mottogs för lite (F = {sv}) för t-intervallet: läs Anderson–Rubins mängd"
                ),
            );
        }
        Some(_) => {}
    }
    match set {
        Some(AndersonRubin::TwoRays(..)) => note(
            "unbounded-set",
            words!(
                "the Anderson–Rubin set is two rays, up to `ray_to` and from `ray_from`, so it has no lower and no upper limit",
                "Anderson–Rubins mängd är två strålar, till `ray_to` och från `ray_from`, så den har varken undre eller övre gräns"
            ),
        ),
        Some(AndersonRubin::Line) => note(
            "unbounded-set",
            words!(
                "the Anderson–Rubin set is the whole line: the data say nothing about the effect of receiving",
                "Anderson–Rubins mängd är hela linjen: data säger inget om effekten av att ta emot"
            ),
        ),
        Some(AndersonRubin::Interval(..)) | None => {}
    }
}
