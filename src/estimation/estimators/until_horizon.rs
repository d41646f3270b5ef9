//! What the estimators of expected events until a horizon share: both arms, their rows, and warnings.

use crate::estimation::answer::{Answer, Estimate, Warning};
use crate::estimation::columns::{Arm, Columns};
use crate::estimation::cumulative_events::{CumulativeEvents, Ending};
use crate::estimation::error::EstimationError;
use crate::estimation::follow_up::FollowUp;
use crate::estimation::inference::{Fit, Inference};
use crate::estimation::prepared::Groups;
use crate::estimation::settings::{Measure, Settings, Variance};
use crate::words;
use serde_json::{Map, json};

/// Both arms at the horizon.
pub(super) struct UntilHorizon<'a> {
    id: &'static str,
    columns: &'a Columns,
    follow_up: &'a FollowUp,
    units: Option<&'a Groups>,
    horizon: f64,
    pub(super) inference: Inference,
    pub(super) events: CumulativeEvents,
    variance: [f64; 2],
    pub(super) warnings: Vec<Warning>,
}

impl<'a> UntilHorizon<'a> {
    /// Estimates both arms.
    ///
    /// Errors: a horizon that an arm's follow-up does not reach.
    pub(super) fn new(
        id: &'static str,
        columns: &'a Columns,
        follow_up: &'a FollowUp,
        units: Option<&'a Groups>,
        ending: Ending,
        settings: &Settings,
    ) -> Result<Self, EstimationError> {
        let horizon = settings
            .horizon
            .ok_or(EstimationError::HorizonMissing { estimator: id })?;
        let events = CumulativeEvents::new(follow_up, horizon, ending);
        let ended = events.survival.map(|survival| survival <= 0.0);
        follow_up.check_horizon(columns, horizon, ended)?;
        let codes = units.map(|units| units.codes.as_slice());
        let variance = events.variance(follow_up, codes);
        let mut all = Self {
            id,
            columns,
            follow_up,
            units,
            horizon,
            inference: Inference::new(Variance::Robust, None, settings.level)?,
            events,
            variance,
            warnings: follow_up.analysed.warnings.clone(),
        };
        all.note_gaps();
        Ok(all)
    }

    /// Says when an arm's estimate rests on nobody.
    fn note_gaps(&mut self) {
        for arm in [Arm::Treated, Arm::Control] {
            let name = self.columns.labels.arm(arm);
            let emptied = self.events.emptied[arm.index()];
            if let Some(time) = emptied.filter(|time| *time < self.horizon) {
                self.warnings.push(Warning::new(
                    "risk-set-emptied",
                    words!(
                        "in arm {name} follow-up ended for good for everyone at risk at {time} while others entered later, so nothing after it counts; let the times begin where enough are at risk",
                        "i armen {name} tog uppföljningen slut för gott för alla under risk vid {time} medan andra tillkom senare, så inget därefter räknas; låt tiderna börja där tillräckligt många är under risk"
                    ),
                ));
            }
            if let Some((from, to)) = self.follow_up.gap(arm, self.horizon) {
                self.warnings.push(Warning::new(
                    "risk-set-emptied",
                    words!(
                        "in arm {name} nobody is followed from {from} to {to}, so events then do not count; let the times begin where enough are at risk",
                        "i armen {name} följs ingen från {from} till {to}, så händelser då räknas inte; låt tiderna börja där tillräckligt många är under risk"
                    ),
                ));
            }
        }
    }

    /// A row without numbers yet.
    pub(super) fn row(&self, term: String, measure: Measure) -> Estimate {
        let [n_control, n_treated] = self.follow_up.analysed.n;
        let mut extra = Map::new();
        extra.insert("horizon".into(), json!(self.horizon));
        if let Some(units) = self.units {
            extra.insert("units_treated".into(), json!(units.per_arm[1]));
            extra.insert("units_control".into(), json!(units.per_arm[0]));
        }
        Estimate {
            estimator: self.id.to_owned(),
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
            variance: "infinitesimal-jackknife".to_owned(),
            interval: "normal".to_owned(),
            extra,
        }
    }

    /// Treated − control, the variances added, with a normal quantile.
    pub(super) fn difference(&mut self) -> Estimate {
        let [control, treated] = self.events.mean;
        let error = (self.variance[0] + self.variance[1]).sqrt();
        let fit = Fit::complete(treated - control, error, 0.0, &self.inference);
        if fit.statistic.is_none() {
            self.warnings.push(Warning::new(
                "no-variation",
                words!(
                    "neither arm varies until the horizon, so there is no test and no interval",
                    "ingen av armarna varierar fram till horisonten, så det finns varken test eller intervall"
                ),
            ));
        }
        let mut row = self.row(self.columns.labels.effect(), Measure::Difference);
        super::survival::fill(&mut row, &fit);
        row
    }

    /// One arm's row; `limits` from its estimate and standard error, both above 0, and the quantile. The other codes are
    /// called `others` there.
    pub(super) fn arm(
        &self,
        arm: Arm,
        measure: Measure,
        others: &str,
        limits: impl Fn(f64, f64, f64) -> (f64, f64),
    ) -> Estimate {
        let mut row = self.row(self.columns.labels.arm(arm).to_owned(), measure);
        let mean = self.events.mean[arm.index()];
        let error = self.variance[arm.index()].sqrt();
        let inside = mean > 0.0 && error > 0.0;
        let both = inside.then(|| limits(mean, error, self.inference.critical()));
        row.estimate = Some(mean);
        row.std_error = Some(error);
        row.conf_low = both.map(|both| both.0);
        row.conf_high = both.map(|both| both.1);
        let [events, other] = self.events.events[arm.index()];
        let at_risk = self.follow_up.at_risk(arm, self.horizon);
        row.extra.insert("events".into(), json!(events));
        row.extra.insert(others.to_owned(), json!(other));
        row.extra.insert("at_risk".into(), json!(at_risk));
        row
    }

    /// The answer of these rows.
    pub(super) fn answer(self, results: Vec<Estimate>) -> Answer {
        Answer {
            results,
            warnings: self.warnings,
        }
    }
}
