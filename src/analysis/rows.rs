//! Rows of results around the numbers of a linear model, in place of an effect that does not exist, and of what was seen by arm.

use super::results::{ArmChildren, ArmOutcome};
use super::workspace::{Effect, Workspace, form, labels};
use crate::allocation::Arm;
use crate::diagnostic::Words;
use crate::estimation::{Estimate, EstimationError, Interval, Measure, Variance, Warning};
use crate::protocol::Protocol;
use crate::protocol::model::{Analysis, Average};
use crate::words;
use serde_json::Map;

/// What an estimator's refusal says of an analysis; rows of a file mean nothing here.
pub(super) fn refusal(error: &EstimationError) -> Words {
    match error {
        EstimationError::LeverageOne { rows, .. } => {
            let families = rows.len();
            words!(
                "the effect rests on {families} families that are alone with their arm and covariates, so the registered variance does not exist",
                "effekten vilar på {families} familjer som är ensamma om sin grupp och sina kovariater, så den registrerade variansen finns inte"
            )
        }
        other => other.words(),
    }
}

/// Names the treated arm in rows of bounds, whose terms are `lower` and `upper` whatever the arm.
pub(super) fn name_arm(protocol: &Protocol, treated: Arm, rows: &mut [Estimate]) {
    for row in rows {
        if matches!(row.term.as_str(), "lower" | "upper") {
            let arm = protocol.arms[treated.index()].id.as_str();
            row.extra.insert("arm".to_owned(), arm.into());
        }
    }
}

/// Why an effect has neither a p nor an interval, where it has none.
pub(super) fn without_variation(effect: &Effect) -> Option<Warning> {
    effect.p_value.is_none().then(|| {
        Warning::new(
            "no-variation",
            words!(
                "the model fits every outcome exactly, so there is no test and no interval",
                "modellen anpassas exakt till alla utfall, så det finns varken test eller intervall"
            ),
        )
    })
}

/// Of a statistic in which a constant effect has no form.
pub(super) fn without_interval(analysis: &Analysis) -> Warning {
    let id = &analysis.estimator;
    Warning::new(
        "test-without-interval",
        words!(
            "the p that decides is by redraws of the statistic of `{id}`, which has no interval by inversion; an interval that stands here is the estimator's own, by large samples",
            "det p-värde som avgör kommer från omlottningar av teststorheten i `{id}`, som inte har något intervall genom inversion; ett intervall som står här är skattningsmetodens eget, för stora material"
        ),
    )
}

/// The row of a model's effect.
pub(super) fn row(
    protocol: &Protocol,
    analysis: &Analysis,
    treated: Arm,
    effect: &Effect,
) -> Estimate {
    let mut row = blank(protocol, analysis, treated);
    row.estimate = Some(effect.estimate);
    row.std_error = Some(effect.std_error);
    row.statistic = effect.statistic;
    row.df = effect.df;
    row.p_value = effect.p_value;
    row.conf_low = effect.conf_low;
    row.conf_high = effect.conf_high;
    row.n_treated = effect.n_treated as usize;
    row.n_control = effect.n_control as usize;
    row
}

/// The row of an effect that does not exist; a warning says why.
pub(super) fn undefined(
    protocol: &Protocol,
    analysis: &Analysis,
    treated: Arm,
    workspace: &Workspace,
) -> Estimate {
    let mut row = blank(protocol, analysis, treated);
    let analysed = |arm: Arm| {
        workspace
            .seen
            .get(arm.index())
            .map_or(0, |seen| seen.analysed as usize)
    };
    row.n_treated = analysed(treated);
    row.n_control = analysed(protocol.control);
    row
}

fn blank(protocol: &Protocol, analysis: &Analysis, treated: Arm) -> Estimate {
    let options = analysis.entry().map(|entry| &entry.options);
    let own = &analysis.options;
    let linear = form(analysis).is_some() || options.is_none();
    let measure = own
        .measure
        .or_else(|| options?.measures.first().copied())
        .unwrap_or(Measure::Difference);
    let variance = own.variance.or_else(|| options?.variances.first().copied());
    let interval = own.interval.or_else(|| options?.intervals.first().copied());
    let ratio = matches!(
        measure,
        Measure::RiskRatio
            | Measure::OddsRatio
            | Measure::Ratio
            | Measure::HazardRatio
            | Measure::SubdistributionHazardRatio
            | Measure::RateRatio
    );
    Estimate {
        estimator: analysis.estimator.clone(),
        term: labels(protocol, treated).effect(),
        measure: measure.text().to_owned(),
        estimate: None,
        std_error: None,
        std_error_scale: if ratio { "log" } else { "identity" }.to_owned(),
        statistic: None,
        df: None,
        p_value: None,
        conf_low: None,
        conf_high: None,
        level: 1.0 - analysis.alpha,
        n_treated: 0,
        n_control: 0,
        variance: variance
            .map_or(if linear { "hc2" } else { "none" }, Variance::text)
            .to_owned(),
        interval: interval
            .map_or(if linear { "t" } else { "none" }, Interval::text)
            .to_owned(),
        extra: Map::new(),
    }
}

impl Workspace {
    /// Families of an arm in the sample with an outcome other than 0; rows of children of one family stand side by side.
    fn having(&self, arm: Arm) -> u32 {
        let own = self.rows.iter().zip(&self.y);
        let own = own.filter(|(row, y)| {
            let unit = self.units.get(**row as usize);
            y.abs() > 0.0 && unit.is_some_and(|unit| unit.arm == arm)
        });
        let mut rows: Vec<u32> = own.map(|(row, _)| *row).collect();
        rows.dedup();
        rows.len() as u32
    }

    /// What was seen of the sampled outcome in each arm; events where it is 0 or 1 of each family, children where they are
    /// analysed by an average.
    pub(super) fn by_arm(&self, binary: bool, average: Option<Average>) -> Vec<ArmOutcome> {
        let arms = self.seen.iter().enumerate();
        let counted = |arm: usize, average| {
            let [number, having] = self.tally.children.get(arm).copied()?;
            Some(ArmChildren {
                average,
                number,
                having,
            })
        };
        let of = arms.map(|(index, seen)| ArmOutcome {
            arm: Arm(index as u8),
            randomized: seen.randomized,
            analysed: seen.analysed,
            missing: seen.missing,
            by_rule: seen.by_rule,
            not_yet: seen.not_yet,
            mean: None,
            events: binary.then_some(seen.sum as u32),
            having: self.having(Arm(index as u8)),
            children: average.and_then(|average| counted(index, average)),
        });
        let mut arms: Vec<ArmOutcome> = of.collect();
        for (own, seen) in arms.iter_mut().zip(&self.seen) {
            let over = own.averaged();
            own.mean = (over > 0).then(|| seen.sum / f64::from(over));
        }
        arms
    }
}
