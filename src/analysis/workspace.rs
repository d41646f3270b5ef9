//! From a state at a cut to rows, outcomes, designs and fits, in storage that is reused.
//!
//! Rows are read first, blind to every outcome; then each analysis' outcome by its missing-data rule, and the sites are
//! grouped by the families that are analysed; then its model. Analyses with the same rows and covariates share one factored design.

mod contrast;
mod counted;
mod eligible;
mod reports;
mod scored;
mod weighed;

use super::children::Tally;
use super::covariates::{FixedColumns, SiteGroups, count_cells};
use super::handover::Courses;
use super::reference_set::{History, Redrawer};
use super::statistic::{Sampled, Unknown};
use crate::allocation::Arm;
use crate::estimation::counted_strata::{self, StratumCounts};
use crate::estimation::linear_model::{self, Design, Fit, Form, Inference};
use crate::estimation::{Answer, Df, EstimationError, Labels, Variance, estimate};
use crate::protocol::Protocol;
use crate::protocol::model::{Analysis, Average, Covariate, Day, Factor, Hands, Missing};
use crate::study::dataset::{self, Ends, OutcomeValue, Read, Unit};
use crate::study::kernel::State;
use contrast::Contrast;
use reports::Reports;

pub(super) use eligible::is_out;
pub(crate) use weighed::weighed;

/// On which scale an effect has its standard error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scale {
    /// That of the estimate.
    Identity,
    /// The logarithm of the estimate: ratios.
    Log,
    /// A test without an estimate: what stands in its place is the one-step log hazard ratio (O − E)/V of a log-rank test
    /// (Peto and Peto 1972, doi 10.2307/2344317), whose information is V. Its interval does not exist.
    Score,
}

/// The effect in one analysis: the numbers alone.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Effect {
    /// Effect of the treated arm against control, on its measure's own scale.
    pub estimate: f64,
    /// Its standard error, on the scale `scale`; infinite where the estimator gives none.
    pub std_error: f64,
    /// Scale of the standard error.
    pub scale: Scale,
    /// estimate / std_error, or the estimator's own statistic; `None` when nothing varies.
    pub statistic: Option<f64>,
    /// Degrees of freedom, `None` for a normal reference.
    pub df: Option<f64>,
    /// The estimator's own two-sided p; among compliers that of Anderson and Rubin's test.
    pub p_value: Option<f64>,
    /// Lower limit at level 1 − alpha.
    pub conf_low: Option<f64>,
    /// Upper limit.
    pub conf_high: Option<f64>,
    /// Analysed families in the treated arm.
    pub n_treated: u32,
    /// Analysed families in the control arm.
    pub n_control: u32,
}

/// What was seen of an outcome in one arm.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Seen {
    /// Families of the arm in the data set.
    pub(super) randomized: u32,
    /// Families in the analysis.
    pub(super) analysed: u32,
    /// Families whose outcome is not known and that the rule leaves out.
    pub(super) missing: u32,
    /// Families whose outcome is not known and that the rule gave a value.
    pub(super) by_rule: u32,
    /// Families whose window had not ended.
    pub(super) not_yet: u32,
    /// Sum of the outcome over the analysed families, or over their children where each child counts alike.
    pub(super) sum: f64,
}

/// How an estimator is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Method {
    /// A linear model that is factored here, with HC2 and Bell–McCaffrey.
    Model(Form),
    /// Anything else, through the registry.
    Registry,
}

/// How covariates enter the estimator's linear model, if it is one.
pub(super) fn form(analysis: &Analysis) -> Option<Form> {
    match analysis.estimator.as_str() {
        "lin" => Some(Form::Interacted),
        "linear" => Some(Form::Additive),
        _ => None,
    }
}

/// Storage of the computation. One workspace belongs to one protocol.
#[derive(Debug, Default)]
pub struct Workspace {
    pub(super) cut: Day,
    /// Number of sites and of arms.
    shape: (usize, usize),
    pub(super) units: Vec<Unit>,
    /// What ends its follow-up, by unit.
    pub(super) ends: Vec<Ends>,
    pub(super) reports: Reports,
    pub(super) cells: Vec<u32>,
    pub(super) groups: SiteGroups,
    pub(super) seen: Vec<Seen>,
    /// Units that the next samples leave out; empty where none is.
    pub(super) left_out: Vec<bool>,
    /// Analysed units of all arms, and their outcomes.
    pub(super) rows: Vec<u32>,
    pub(super) y: Vec<f64>,
    /// Of each, what was seen day by day, where the analysis asks.
    pub(super) courses: Courses,
    /// Units of all arms whose outcome is not known, and what was seen of it before follow-up ended.
    pub(super) unknown: Vec<(u32, Option<f64>)>,
    /// What was counted beside the outcomes of children.
    pub(super) tally: Tally,
    /// Of the analysed units, the two arms of a contrast.
    contrast: Contrast,
    adjusting: Vec<Adjusting>,
    adjusted: usize,
    models: Vec<Model>,
    used: usize,
    strata: Vec<StratumCounts>,
    fit: linear_model::Workspace,
    pub(super) history: History,
    pub(super) arms: Vec<Arm>,
    pub(super) redrawer: Redrawer,
    pub(super) redrawn: Vec<Arm>,
    /// Whether assumptions are checked too, for who reads the rows.
    pub(super) checks: bool,
}

/// The covariates of an analysis, of every family of the lock.
#[derive(Debug, Default)]
struct Adjusting {
    covariates: Vec<Covariate>,
    /// How the sites were grouped; of no account where they are no covariate.
    groups: SiteGroups,
    fixed: FixedColumns,
    /// Column-major.
    values: Vec<f64>,
}

impl Adjusting {
    /// The columns of some of the families, of which there are `all`.
    fn of(&self, all: usize, rows: &[u32], into: &mut Vec<f64>) {
        into.clear();
        for column in self.values.chunks_exact(all.max(1)) {
            into.extend(rows.iter().map(|row| column[*row as usize]));
        }
    }
}

/// A factored design, with what it was made from.
#[derive(Debug, Default)]
struct Model {
    rows: Vec<u32>,
    treated: Option<Arm>,
    form: Form,
    /// Place of its covariates.
    adjusting: usize,
    /// Weights of the rows; none where all are alike.
    weights: Vec<f64>,
    matrix: Vec<f64>,
    design: Design,
    level: f64,
    inference: Option<Result<Inference, EstimationError>>,
}

/// A fit, with what the words around it need.
#[derive(Debug)]
pub(super) enum Fitted<'w> {
    /// A linear model.
    Model {
        fit: Fit,
        design: &'w Design,
        n: [u32; 2],
    },
    /// A linear model of a yes-no outcome on arm and sites, from counts.
    Counted { fit: Fit, n: [u32; 2] },
    /// An estimator of the registry.
    Registry(Answer),
}

impl Fitted<'_> {
    pub(super) fn effect(&self) -> Result<Effect, EstimationError> {
        match self {
            Self::Model { fit, n, .. } | Self::Counted { fit, n } => Ok(Effect {
                estimate: fit.estimate,
                std_error: fit.std_error,
                scale: Scale::Identity,
                statistic: fit.statistic,
                df: fit.df,
                p_value: fit.p_value,
                conf_low: fit.conf_low,
                conf_high: fit.conf_high,
                n_treated: n[1],
                n_control: n[0],
            }),
            Self::Registry(answer) => Effect::of(answer),
        }
    }
}

impl Workspace {
    /// Reads the rows of a lock, blind to every outcome.
    pub(super) fn load(&mut self, protocol: &Protocol, state: &State, cut: Day) {
        self.cut = cut;
        dataset::units(state, cut, &mut self.units);
        self.ends.clear();
        let ends = |unit: &Unit| Ends::of_unit(protocol, state, unit.family);
        self.ends.extend(self.units.iter().map(ends));
        self.reports.clear();
        self.keep_all();
        self.shape = (protocol.sites.len(), protocol.arms.len());
        self.adjusted = 0;
        self.used = 0;
    }

    /// Groups the sites by the analysed families; a family counts once, however many of its children are rows. With `weighed`
    /// they are weighed for the unknown ones, whose sites then have a part.
    pub(super) fn regroup(&mut self, weighed: bool) {
        let families = self.rows.chunk_by(|a, b| a == b);
        let units = families.filter_map(|rows| self.units.get(*rows.first()? as usize));
        let units = units.map(|unit| (unit.site, unit.arm));
        count_cells(self.shape, units, &mut self.cells);
        let (lost, all) = (&self.unknown, &self.units);
        let at = |row: u32| all.get(row as usize).map(|unit| unit.site);
        let unknown = |site| weighed && lost.iter().any(|(row, _)| at(*row) == Some(site));
        self.groups
            .realize_beside(&self.cells, self.shape.1, unknown);
    }

    /// Reads the outcome of an analysis by its missing-data rule, and groups the sites by the families that it analyses.
    pub(super) fn sample(
        &mut self,
        protocol: &Protocol,
        state: &State,
        cut: Day,
        analysis: &Analysis,
    ) {
        self.read(protocol, state, cut, analysis);
        self.regroup(analysis.missing == Missing::CensoringWeights);
    }

    fn read(&mut self, protocol: &Protocol, state: &State, cut: Day, analysis: &Analysis) {
        self.rows.clear();
        self.y.clear();
        self.seen.clear();
        self.seen.resize(protocol.arms.len(), Seen::default());
        self.unknown.clear();
        if analysis.hands() != Hands::Values {
            self.sample_courses((protocol, state, cut), analysis);
            return;
        }
        if let Some(average) = analysis.children {
            self.sample_children((protocol, state, cut), analysis, average);
            return;
        }
        let kind = &protocol.outcomes[analysis.outcome].kind;
        let list = self.reports.read(state, &self.units, kind);
        for (row, (unit, ends)) in self.units.iter().zip(&self.ends).enumerate() {
            if is_out(&self.left_out, row) {
                continue;
            }
            let Some(seen) = self.seen.get_mut(unit.arm.index()) else {
                continue;
            };
            seen.randomized += 1;
            let read = Read {
                family: unit.family,
                ends: *ends,
                reports: self.reports.of(list, row),
            };
            let value = dataset::outcome_of(
                protocol,
                state,
                cut,
                read,
                analysis.outcome,
                analysis.summary,
            );
            let y = match (value, analysis.missing) {
                (OutcomeValue::Known(y), _) => y,
                (OutcomeValue::Unknown(y), Missing::NotAccepted) => {
                    seen.by_rule += 1;
                    y.unwrap_or(0.0)
                }
                (
                    OutcomeValue::Unknown(y),
                    Missing::CompleteCase
                    | Missing::CensoringWeights
                    | Missing::Censoring
                    | Missing::Bounds,
                ) => {
                    seen.missing += 1;
                    self.unknown.push((row as u32, y));
                    continue;
                }
                (OutcomeValue::NotYet, _) => {
                    seen.not_yet += 1;
                    continue;
                }
            };
            seen.analysed += 1;
            seen.sum += y;
            self.rows.push(row as u32);
            self.y.push(y);
        }
    }

    /// How the sites are grouped where the unknown outcomes of the sample are completed: by the families of every arm whose
    /// outcome is known or completed.
    pub(super) fn completed_groups(&self) -> SiteGroups {
        let rows = self.unknown.iter().map(|(row, _)| row);
        let units = rows.chain(&self.rows);
        let units = units.filter_map(|row| self.units.get(*row as usize));
        let (mut cells, mut groups) = (Vec::new(), SiteGroups::default());
        count_cells(
            self.shape,
            units.map(|unit| (unit.site, unit.arm)),
            &mut cells,
        );
        groups.realize(&cells, self.shape.1);
        groups
    }

    /// Takes other outcomes in place of the sampled ones, with the sites grouped so: all are known.
    pub(super) fn complete(
        &mut self,
        rows: impl Iterator<Item = u32>,
        y: Vec<f64>,
        groups: &SiteGroups,
    ) {
        self.rows.clear();
        self.rows.extend(rows);
        self.y = y;
        self.unknown.clear();
        self.groups.clone_from(groups);
    }

    /// Number of covariate columns that the analysis has, sites included.
    pub(super) fn columns(&self, protocol: &Protocol, state: &State, analysis: &Analysis) -> usize {
        let mut fixed = FixedColumns::default();
        fixed.realize(protocol, state, &analysis.covariates, &self.units);
        let sites = if analysis.covariates.contains(&Covariate::Site) {
            usize::from(self.groups.number().saturating_sub(1))
        } else {
            0
        };
        sites + fixed.len()
    }

    /// Fits the sampled outcome for one treated arm against control.
    pub(super) fn fit(
        &mut self,
        protocol: &Protocol,
        state: &State,
        analysis: &Analysis,
        treated: Arm,
    ) -> Result<Fitted<'_>, EstimationError> {
        let sampled = (&self.rows[..], &self.y[..]);
        self.contrast
            .take(&self.units, sampled, (protocol.control, treated));
        let level = 1.0 - analysis.alpha;
        match Self::method(analysis) {
            Method::Registry => {
                let handed = self.handed(protocol, state, analysis, treated);
                let settings = self.settings_of(analysis);
                let mut answer = estimate(&analysis.estimator, &handed.columns, &settings)?;
                answer.warnings.extend(handed.warnings);
                Ok(Fitted::Registry(answer))
            }
            Method::Model(form) => {
                if form == Form::Additive && self.count(protocol, analysis) {
                    let fit = counted_strata::fit(&self.strata, level)?;
                    let n = self.contrast.n;
                    return Ok(Fitted::Counted { fit, n });
                }
                let index = self.model(protocol, state, analysis, (form, treated, level))?;
                let model = &self.models[index];
                let inference = match &model.inference {
                    Some(Ok(inference)) => *inference,
                    Some(Err(error)) => return Err(error.clone()),
                    None => return Err(EstimationError::NoRows),
                };
                let fit = model
                    .design
                    .fit(&self.contrast.y, &inference, &mut self.fit);
                Ok(Fitted::Model {
                    fit,
                    design: &model.design,
                    n: self.contrast.n,
                })
            }
        }
    }

    /// How the sampled outcome is fitted.
    fn method(analysis: &Analysis) -> Method {
        let options = &analysis.options;
        let plain = matches!(options.variance, None | Some(Variance::Hc2))
            && matches!(options.df, None | Some(Df::BellMccaffrey));
        let values = match analysis.missing {
            Missing::CompleteCase | Missing::NotAccepted | Missing::CensoringWeights => true,
            Missing::Censoring | Missing::Bounds => false,
        };
        let alone = analysis.clusters.is_none() && analysis.children != Some(Average::Child);
        match form(analysis).filter(|_| plain && values && alone) {
            Some(form) => Method::Model(form),
            None => Method::Registry,
        }
    }

    /// The place of covariates among those that were read for this lock already, or now.
    fn realized(&mut self, protocol: &Protocol, state: &State, covariates: &[Covariate]) -> usize {
        let mut read = self.adjusting[..self.adjusted].iter();
        let with_sites = covariates.contains(&Covariate::Site);
        let alike = |own: &Adjusting| {
            own.covariates == covariates && (!with_sites || own.groups == self.groups)
        };
        if let Some(place) = read.position(alike) {
            return place;
        }
        if self.adjusted == self.adjusting.len() {
            self.adjusting.push(Adjusting::default());
        }
        let own = &mut self.adjusting[self.adjusted];
        own.covariates.clear();
        own.covariates.extend_from_slice(covariates);
        own.groups.clone_from(&self.groups);
        own.values.clear();
        let units = self.units.iter();
        if with_sites {
            let sites = units.clone().map(|unit| unit.site as u16);
            self.groups.indicators(&sites, &mut own.values);
        }
        own.fixed.realize(protocol, state, covariates, &self.units);
        own.fixed.fill(state, &units, &mut own.values);
        self.adjusted += 1;
        self.adjusted - 1
    }

    /// The design of the rows and covariates: one that was factored already, or a new one.
    fn model(
        &mut self,
        protocol: &Protocol,
        state: &State,
        analysis: &Analysis,
        (form, treated, level): (Form, Arm, f64),
    ) -> Result<usize, EstimationError> {
        let adjusting = self.realized(protocol, state, &analysis.covariates);
        // Weights for outcomes that are not known are all 1 where none is unknown.
        let weighted = analysis.missing == Missing::CensoringWeights && !self.unknown.is_empty();
        let weights = if weighted {
            let all = self.with_unknown(protocol, treated, &self.contrast.rows);
            let mut values = Vec::new();
            self.adjusting[adjusting].of(self.units.len(), &all, &mut values);
            let known = self.contrast.rows.len();
            self.weights(protocol, treated, (&all, known), &values)
                .weights
        } else {
            Vec::new()
        };
        let known = self.models[..self.used].iter().position(|model| {
            model.form == form
                && model.treated == Some(treated)
                && model.level.total_cmp(&level).is_eq()
                && model.adjusting == adjusting
                && model.rows == self.contrast.rows
                && model.weights == weights
        });
        if let Some(index) = known {
            return Ok(index);
        }
        let [control, treated_rows] = self.contrast.n;
        for (rows, arm) in [(treated_rows, treated), (control, protocol.control)] {
            if rows == 0 {
                return Err(EstimationError::TooFewRows {
                    arm: protocol.arms[arm.index()].id.clone(),
                    rows: 0,
                    needed: 1,
                });
            }
        }
        if self.used == self.models.len() {
            self.models.push(Model::default());
        }
        let model = &mut self.models[self.used];
        model.rows.clone_from(&self.contrast.rows);
        model.treated = Some(treated);
        model.form = form;
        model.level = level;
        model.adjusting = adjusting;
        model.weights = weights;
        let rows = &self.contrast.rows;
        self.adjusting[adjusting].of(self.units.len(), rows, &mut model.matrix);
        if model.weights.is_empty() {
            model
                .design
                .refactor(&self.contrast.side, &model.matrix, form)?;
        } else {
            let side = &self.contrast.side;
            model
                .design
                .refactor_weighted(side, &model.matrix, &model.weights, form)?;
        }
        model.inference = Some(
            model
                .design
                .inference(Variance::Hc2, Df::BellMccaffrey, level),
        );
        self.used += 1;
        Ok(self.used - 1)
    }

    /// The sampled outcome as the randomization test needs it.
    pub(super) fn sampled(
        &self,
        protocol: &Protocol,
        state: &State,
        analysis: &Analysis,
        treated: Arm,
    ) -> Sampled {
        let mut fixed = FixedColumns::default();
        let mut matrix = Vec::new();
        let mut sites = None;
        let form = match form(analysis) {
            Some(form) => {
                fixed.realize(protocol, state, &analysis.covariates, &self.units);
                let units = self.rows.iter().map(|row| &self.units[*row as usize]);
                fixed.fill(state, &units, &mut matrix);
                if analysis.covariates.contains(&Covariate::Site) {
                    sites = Some(protocol.sites.len());
                }
                form
            }
            None => Form::Interacted,
        };
        let score = self.score(protocol, state, analysis);
        if score.is_some() && analysis.strata.contains(&Factor::Site) {
            sites = Some(protocol.sites.len());
        }
        let weighted = analysis.missing == Missing::CensoringWeights && !self.unknown.is_empty();
        let unknown = weighted.then(|| {
            let rows: Vec<u32> = self.unknown.iter().map(|(row, _)| *row).collect();
            let units = rows.iter().map(|row| &self.units[*row as usize]);
            let mut matrix = Vec::new();
            fixed.fill(state, &units, &mut matrix);
            Unknown { rows, matrix }
        });
        let is_moved = |row: &u32| self.units[*row as usize].arm == treated;
        let moved: Vec<f64> = self
            .rows
            .iter()
            .map(|row| f64::from(u8::from(is_moved(row))))
            .collect();
        Sampled {
            moved,
            allocation: self.units.iter().map(|unit| unit.allocation).collect(),
            site: self.units.iter().map(|unit| unit.site as u16).collect(),
            rows: self.rows.clone(),
            y: self.y.clone(),
            matrix,
            sites,
            form,
            unknown,
            score,
            arms: protocol.arms.len(),
            treated,
            control: protocol.control,
        }
    }
}

/// The names of the arms of a contrast.
pub(super) fn labels(protocol: &Protocol, treated: Arm) -> Labels {
    let name = |arm: Arm| protocol.arms[arm.index()].id.clone();
    Labels {
        treated: name(treated),
        control: name(protocol.control),
    }
}
