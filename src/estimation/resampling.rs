//! The studentized bootstrap of a difference of means: families drawn again with replacement, the effect and its standard error on
//! each such sample, and the interval and p that follow (bootstrap-t: Efron 1981, doi 10.2307/3314608; Hall 1988, doi
//! 10.1214/aos/1176350933; for costs Thompson and Barber 2000, doi 10.1136/bmj.320.7243.1197).
//!
//! Each family is replaced by one of its own arm, and of its own stratum where the estimator has strata, so that these keep their
//! sizes; covariates go with the family. Which random numbers are used is the caller's business.

use super::columns::{Arm, Columns};
use super::error::EstimationError;
use super::estimators::estimate;
use super::inversion::TIE;
use super::linear_model::{Design, Form, Workspace};
use super::prepared::{Analysed, Prepared, Strata};
use super::settings::{Df, Settings, Variance};
use crate::numerics::sample_quantile::at;
use crate::numerics::stream::below;
use rand_chacha::rand_core::Rng;
use std::collections::{BTreeMap, BTreeSet};

/// An effect and its standard error, which is above 0.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Effect {
    /// Effect of the arm.
    pub estimate: f64,
    /// Its standard error by the variance of the analysis.
    pub std_error: f64,
}

/// How the effect is computed on a sample.
#[derive(Debug, Clone)]
enum Model {
    /// A linear model, factored anew.
    Linear {
        form: Form,
        variance: Variance,
        /// Column-major.
        covariates: Vec<f64>,
    },
    /// Through the registry: only outcomes change, since rows stay in their stratum and arm.
    Registered {
        id: &'static str,
        columns: Box<Columns>,
        settings: Settings,
    },
}

/// A comparison whose families can be drawn again, with the storage of the computation.
#[derive(Debug, Clone)]
pub struct Resampler {
    model: Model,
    arm: Vec<Arm>,
    outcome: Vec<f64>,
    /// Rows of each arm within each stratum.
    cells: Vec<Vec<u32>>,
    /// The cell of each row.
    cell: Vec<u32>,
    design: Design,
    workspace: Workspace,
    rows: Vec<u32>,
    y: Vec<f64>,
    matrix: Vec<f64>,
}

impl Resampler {
    /// Prepares the families of a comparison for `lin`, `linear`, `difference-in-means` or `stratified-difference-in-means`.
    /// `within` numbers the strata within which rows are drawn, one for each row of the columns or none; where the columns have
    /// strata it is these.
    ///
    /// # Errors
    /// [`EstimationError::UnknownEstimator`] for another estimator, [`EstimationError::TooFewRows`] and
    /// [`EstimationError::SingleInStratum`] where a family could only be replaced by itself, and those of [`Prepared::new`].
    pub fn new(
        estimator: &str,
        columns: &Columns,
        settings: &Settings,
        within: &[u32],
    ) -> Result<Self, EstimationError> {
        let Parts {
            model,
            arm,
            outcome,
            strata,
            names,
        } = match estimator {
            "lin" | "difference-in-means" => linear(Form::Interacted, columns, settings, within)?,
            "linear" => linear(Form::Additive, columns, settings, within)?,
            "stratified-difference-in-means" => stratified(columns, settings)?,
            other => {
                return Err(EstimationError::UnknownEstimator {
                    id: other.to_owned(),
                    nearest: None,
                });
            }
        };
        let mut places: BTreeMap<(u32, usize), u32> = BTreeMap::new();
        let (mut cells, mut cell): (Vec<Vec<u32>>, Vec<u32>) = (Vec::new(), Vec::new());
        for (row, (stratum, arm)) in strata.iter().zip(&arm).enumerate() {
            let place = *places.entry((*stratum, arm.index())).or_insert_with(|| {
                cells.push(Vec::new());
                cells.len() as u32 - 1
            });
            cells[place as usize].push(row as u32);
            cell.push(place);
        }
        let mut alone = cells.iter().filter(|rows| rows.len() < 2).flatten();
        if let Some(first) = alone.next() {
            let codes = std::iter::once(first).chain(alone);
            let codes: BTreeSet<u32> = codes.map(|row| strata[*row as usize]).collect();
            let single = codes.iter().filter_map(|code| names.get(*code as usize));
            let single: Vec<String> = single.cloned().collect();
            return Err(if single.is_empty() {
                EstimationError::TooFewRows {
                    arm: columns.labels.arm(arm[*first as usize]).to_owned(),
                    rows: 1,
                    needed: 2,
                }
            } else {
                EstimationError::SingleInStratum { strata: single }
            });
        }
        Ok(Self {
            model,
            arm,
            outcome,
            cells,
            cell,
            design: Design::for_statistic(),
            workspace: Workspace::default(),
            rows: Vec::new(),
            y: Vec::new(),
            matrix: Vec::new(),
        })
    }

    /// Draws a row of its own arm and stratum for every row, and computes the effect on these; `None` where it, or its standard
    /// error, does not exist there.
    pub fn draw(&mut self, rng: &mut (impl Rng + ?Sized)) -> Option<Effect> {
        let mut rows = std::mem::take(&mut self.rows);
        rows.clear();
        for cell in &self.cell {
            let own = &self.cells[*cell as usize];
            rows.push(own[below(rng, own.len() as u64) as usize]);
        }
        let found = self.on(&rows);
        self.rows = rows;
        found
    }

    /// The effect where each row has the outcome and the covariates of the row that is named in its place.
    pub fn on(&mut self, rows: &[u32]) -> Option<Effect> {
        let all = self.outcome.len();
        if rows.len() != all || rows.iter().any(|row| *row as usize >= all) {
            return None;
        }
        self.y.clear();
        self.y
            .extend(rows.iter().map(|row| self.outcome[*row as usize]));
        let (estimate, std_error) = match &mut self.model {
            Model::Linear {
                form,
                variance,
                covariates,
            } => {
                self.matrix.clear();
                for column in covariates.chunks_exact(all) {
                    self.matrix
                        .extend(rows.iter().map(|row| column[*row as usize]));
                }
                self.design.refactor(&self.arm, &self.matrix, *form).ok()?;
                let inference = self.design.inference(*variance, Df::Normal, 0.95).ok()?;
                let fit = self.design.fit(&self.y, &inference, &mut self.workspace);
                (fit.estimate, fit.std_error)
            }
            Model::Registered {
                id,
                columns,
                settings,
            } => {
                columns.outcome.clear();
                columns.outcome.extend(self.y.iter().copied().map(Some));
                let answer = estimate(id, columns, settings).ok()?;
                let row = answer.effect().ok()?;
                (row.estimate?, row.std_error?)
            }
        };
        let exists = std_error > 0.0 && std_error.is_finite() && estimate.is_finite();
        exists.then_some(Effect {
            estimate,
            std_error,
        })
    }
}

/// What is resampled, and within which strata, before rows are grouped.
struct Parts {
    model: Model,
    arm: Vec<Arm>,
    outcome: Vec<f64>,
    strata: Vec<u32>,
    names: Vec<String>,
}

fn linear(
    form: Form,
    columns: &Columns,
    settings: &Settings,
    within: &[u32],
) -> Result<Parts, EstimationError> {
    let prepared = Prepared::new(columns)?;
    let strata = prepared.rows.iter().map(|row| within.get(*row).copied());
    Ok(Parts {
        strata: strata.map(Option::unwrap_or_default).collect(),
        model: Model::Linear {
            form,
            variance: settings.variance.unwrap_or(Variance::Hc2),
            covariates: prepared.covariates,
        },
        arm: prepared.arm,
        outcome: prepared.outcome,
        names: Vec::new(),
    })
}

fn stratified(columns: &Columns, settings: &Settings) -> Result<Parts, EstimationError> {
    let analysed = Analysed::new(columns, 1)?;
    let strata = Strata::new(columns, &analysed)?.ok_or(EstimationError::NoRows)?;
    Ok(Parts {
        model: Model::Registered {
            id: "stratified-difference-in-means",
            columns: Box::new(known(columns, &analysed)),
            settings: *settings,
        },
        arm: analysed.arm,
        outcome: analysed.outcome,
        strata: strata.codes,
        names: strata.levels,
    })
}

/// The columns of the rows whose outcome is known: arm, outcome and strata.
fn known(columns: &Columns, analysed: &Analysed) -> Columns {
    let mut own = Columns {
        labels: columns.labels.clone(),
        arm: analysed.arm.clone(),
        outcome: analysed.outcome.iter().copied().map(Some).collect(),
        strata: columns.strata.clone(),
        ..Columns::default()
    };
    for factor in &mut own.strata {
        let codes = analysed.rows.iter().map(|row| factor.codes[*row]);
        factor.codes = codes.collect();
    }
    own
}

/// An effect with those on samples of its families.
///
/// With t = (θ* − θ̂)/se* of each of B resamples, the limits are θ̂ − t(1 − α/2)·se and θ̂ − t(α/2)·se, where t(q) is the value at place
/// q·(B + 1) in rising order, between two by interpolation (Davison and Hinkley 1997, doi 10.1017/CBO9780511802843, section 5.2.1).
/// The p is twice the smaller of (1 + #{t ≥ θ̂/se})/(1 + B) and (1 + #{t ≤ θ̂/se})/(1 + B), at most 1: where (B + 1)·α/2 is whole it is
/// at most α if and only if the limits leave out 0. A resample without an effect or a standard error is beyond every other at both
/// ends.
#[derive(Debug, Clone, PartialEq)]
pub struct BootstrapT {
    own: Effect,
    resamples: usize,
    /// t of the resamples that have one, in rising order.
    rising: Vec<f64>,
}

impl BootstrapT {
    /// From the effect and those on resamples.
    pub fn new(own: Effect, resamples: &[Option<Effect>]) -> Self {
        let t = |drawn: &Effect| (drawn.estimate - own.estimate) / drawn.std_error;
        let mut rising: Vec<f64> = resamples.iter().flatten().map(t).collect();
        rising.sort_by(f64::total_cmp);
        Self {
            own,
            resamples: resamples.len(),
            rising,
        }
    }

    /// Resamples without an effect or a standard error.
    pub fn failed(&self) -> usize {
        self.resamples - self.rising.len()
    }

    /// θ̂/se.
    pub fn statistic(&self) -> f64 {
        self.own.estimate / self.own.std_error
    }

    /// The limits at level 1 − `alpha`. One of them does not exist where a resample without an effect, or none, stands at its
    /// place.
    pub fn limits(&self, alpha: f64) -> (Option<f64>, Option<f64>) {
        // Counted from 0 at the lower end, and as many from the upper one.
        let place = 0.5 * alpha * (self.resamples + 1) as f64 - 1.0 - self.failed() as f64;
        let last = self.rising.len() as f64 - 1.0;
        let limit = |place| Some(self.own.estimate - at(&self.rising, place)? * self.own.std_error);
        (limit(last - place), limit(place))
    }

    /// The smaller of the two tails.
    fn tail(&self) -> f64 {
        let own = self.statistic();
        let near = TIE * own.abs().max(1.0);
        let count = |beyond: &dyn Fn(f64) -> bool| {
            self.rising.iter().filter(|t| beyond(**t)).count() + self.failed()
        };
        let above = count(&|t| t >= own - near);
        let below = count(&|t| t <= own + near);
        (1 + above.min(below)) as f64 / (1 + self.resamples) as f64
    }

    /// The two-sided p of no effect, and its Monte Carlo standard error.
    pub fn p_value(&self) -> (f64, f64) {
        let q = self.tail();
        let mcse = 2.0 * (q * (1.0 - q).max(0.0) / self.resamples.max(1) as f64).sqrt();
        ((2.0 * q).min(1.0), mcse)
    }
}
