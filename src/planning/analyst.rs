//! Runs a registered analysis on a simulated study, in storage that is kept from study to study.

use super::study::Found;
use crate::allocation::Arm;
use crate::estimation::linear_model::{Design, Form, Workspace};
use crate::estimation::{self, Df, Variance};
use crate::protocol::Protocol;
use crate::protocol::model::{Covariate, Day, Missing};
use crate::study::dataset::{OutcomeValue, Unit, outcome, units};
use crate::study::kernel::State;

#[derive(Debug, Default)]
pub(super) struct Analyst {
    units: Vec<Unit>,
    rows: Vec<Unit>,
    y: Vec<f64>,
    arms: Vec<estimation::Arm>,
    columns: Vec<f64>,
    design: Design,
    workspace: Workspace,
}

impl Analyst {
    pub(super) fn analyse(
        &mut self,
        protocol: &Protocol,
        state: &State,
        index: usize,
        cut: Day,
        _draws: u32,
        _redraws: (&[u8; 32], u64),
    ) -> Result<Found, &'static str> {
        let analysis = &protocol.analyses[index];
        units(state, cut, &mut self.units);
        self.rows.clear();
        self.y.clear();
        self.arms.clear();
        let control: Arm = protocol.control;
        for unit in &self.units {
            let value = outcome(
                protocol,
                state,
                cut,
                unit.family,
                analysis.outcome,
                analysis.summary,
            );
            let y = match (value, analysis.missing) {
                (OutcomeValue::Known(y) | OutcomeValue::Unknown(Some(y)), Missing::NotAccepted) => {
                    y
                }
                (OutcomeValue::Known(y), Missing::CompleteCase) => y,
                _ => continue,
            };
            self.y.push(y);
            self.rows.push(*unit);
            self.arms.push(if unit.arm == control {
                estimation::Arm::Control
            } else {
                estimation::Arm::Treated
            });
        }
        self.columns.clear();
        for covariate in &analysis.covariates {
            match covariate {
                Covariate::Site => {
                    for site in 1..protocol.sites.len() {
                        self.columns.extend(
                            self.rows
                                .iter()
                                .map(|unit| f64::from(u8::from(unit.site == site))),
                        );
                    }
                }
                Covariate::Field(field) => self.columns.extend(self.rows.iter().map(|unit| {
                    state
                        .family(unit.family)
                        .map_or(0.0, |family| family.values[*field] as f64)
                })),
                Covariate::MonthsSinceStart => self
                    .columns
                    .extend(self.rows.iter().map(|unit| unit.months_since_start)),
            }
        }
        self.design
            .refactor(&self.arms, &self.columns, Form::Interacted)
            .map_err(|error| error.code())?;
        let inference = self
            .design
            .inference(Variance::Hc2, Df::BellMccaffrey, 0.95)
            .map_err(|error| error.code())?;
        let fit = self.design.fit(&self.y, &inference, &mut self.workspace);
        match (fit.conf_low, fit.conf_high, fit.p_value) {
            (Some(conf_low), Some(conf_high), Some(p_value)) => Ok(Found {
                estimate: fit.estimate,
                std_error: fit.std_error,
                conf_low,
                conf_high,
                p_value,
            }),
            _ => Err("no-variation"),
        }
    }
}
