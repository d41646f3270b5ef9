//! What the estimators of survival curves share: rows of effects and of arms, and warnings about the curves.

use crate::estimation::answer::{Answer, Estimate, Warning};
use crate::estimation::columns::{Arm, Columns};
use crate::estimation::entry::EventCodes;
use crate::estimation::error::EstimationError;
use crate::estimation::follow_up::FollowUp;
use crate::estimation::inference::{Fit, Inference};
use crate::estimation::settings::{Measure, Settings, Variance};
use crate::estimation::survival_curve::{SurvivalCurve, curves};
use crate::words;
use serde_json::{Map, json};

/// Both curves, checked to reach the horizon.
pub(super) struct Curves<'a> {
    pub(super) columns: &'a Columns,
    pub(super) follow_up: FollowUp,
    /// Of control and treated.
    pub(super) by_arm: [SurvivalCurve; 2],
    pub(super) horizon: f64,
    pub(super) inference: Inference,
    pub(super) warnings: Vec<Warning>,
}

impl<'a> Curves<'a> {
    /// Reads the columns and draws both curves.
    pub(super) fn new(
        id: &'static str,
        columns: &'a Columns,
        settings: &Settings,
    ) -> Result<Self, EstimationError> {
        let mut follow_up = FollowUp::new(columns, EventCodes::Event)?;
        let horizon = settings
            .horizon
            .ok_or(EstimationError::HorizonMissing { estimator: id })?;
        let by_arm = curves(&follow_up);
        let ended = [by_arm[0].ended(), by_arm[1].ended()];
        follow_up.check_horizon(columns, horizon, ended)?;
        let mut warnings = std::mem::take(&mut follow_up.analysed.warnings);
        for arm in [Arm::Treated, Arm::Control] {
            let emptied = by_arm[arm.index()].emptied();
            if let Some(time) = emptied.filter(|time| *time <= horizon) {
                let arm = columns.labels.arm(arm);
                warnings.push(Warning::new(
                    "risk-set-emptied",
                    words!(
                        "in arm {arm} everyone at risk had the event at {time} while others entered later, so its curve is zero from there on; let the times begin where enough are at risk",
                        "i armen {arm} fick alla under risk händelsen vid {time} medan andra tillkom senare, så kurvan är noll därefter; låt tiderna börja där tillräckligt många är under risk"
                    ),
                ));
            }
        }
        Ok(Self {
            columns,
            follow_up,
            by_arm,
            horizon,
            inference: Inference::new(Variance::Model, None, settings.level)?,
            warnings,
        })
    }

    /// Rows of an arm that are at risk just before the horizon.
    pub(super) fn at_risk(&self, arm: Arm) -> usize {
        self.follow_up.at_risk(arm, self.horizon)
    }

    /// A row without numbers yet.
    pub(super) fn row(&self, id: &str, term: String, measure: Measure) -> Estimate {
        let [n_control, n_treated] = self.follow_up.analysed.n;
        let mut extra = Map::new();
        extra.insert("horizon".into(), json!(self.horizon));
        Estimate {
            estimator: id.to_owned(),
            term,
            measure: measure.text().to_owned(),
            estimate: None,
            std_error: None,
            std_error_scale: "identity".to_owned(),
            statistic: None,
            df: None,
            p_value: None,
            conf_low: None,
            conf_high: None,
            level: self.inference.level(),
            n_treated,
            n_control,
            variance: "greenwood".to_owned(),
            interval: "normal".to_owned(),
            extra,
        }
    }

    /// The difference of two independent estimates, treated − control, each with its variance.
    pub(super) fn difference(
        &mut self,
        id: &str,
        treated: (f64, f64),
        control: (f64, f64),
    ) -> Estimate {
        let fit = self.complete(treated.0 - control.0, treated.1 + control.1);
        let mut row = self.row(id, self.columns.labels.effect(), Measure::Difference);
        fill(&mut row, &fit);
        row
    }

    /// Test and limits of an estimate; a warning when nothing varies.
    pub(super) fn complete(&mut self, estimate: f64, variance: f64) -> Fit {
        let fit = Fit::complete(estimate, variance.sqrt(), 0.0, &self.inference);
        if fit.statistic.is_none() {
            self.warnings.push(Warning::new(
                "no-variation",
                words!(
                    "neither arm's curve varies until the horizon, so there is no test and no interval",
                    "ingen av armarnas kurvor varierar fram till horisonten, så det finns varken test eller intervall"
                ),
            ));
        }
        fit
    }

    /// The answer of these rows.
    pub(super) fn answer(self, results: Vec<Estimate>) -> Answer {
        Answer {
            results,
            warnings: self.warnings,
        }
    }
}

/// Takes the numbers of a fit into a row.
pub(super) fn fill(row: &mut Estimate, fit: &Fit) {
    row.estimate = Some(fit.estimate);
    row.std_error = Some(fit.std_error);
    row.statistic = fit.statistic;
    row.df = fit.df;
    row.p_value = fit.p_value;
    row.conf_low = fit.conf_low;
    row.conf_high = fit.conf_high;
}
