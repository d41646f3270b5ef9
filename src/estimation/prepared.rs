//! From columns to numbers: which rows are analysed, and the covariates and strata as columns of a matrix.
//!
//! Rows without an outcome are left out and counted per arm. A missing number becomes the mean of the analysed rows;
//! when more than a tenth is missing an indicator is added (Lin, Green and Coppock 2016, standard operating
//! procedures of the Green lab, section on missing covariates). A missing level of a factor is a level of its own. A
//! missing stratum, and a stratum that holds no comparison, is refused by name.

use super::answer::Warning;
use super::columns::{Arm, Columns, Factor, Labels, Values};
use super::error::EstimationError;
use crate::numerics::linear_algebra::mean;
use crate::words;
use std::collections::BTreeMap;

/// The largest share of missing values that is replaced by the mean without an indicator.
const INDICATOR_ABOVE: f64 = 0.1;

/// The largest magnitude that is taken: squares and sums of it stay finite.
const LARGEST: f64 = 1e100;

/// A comparison ready for the linear model: analysed rows and a numeric matrix of covariates and strata.
///
/// This is what `linear` and `lin` fit, for callers that fit it themselves: the randomization test redraws `arm` over
/// the same `covariates` and `outcome`.
///
/// ```
/// use lottning::estimation::lin_statistic::LinStatistic;
/// use lottning::estimation::{Arm, Columns, Covariate, Prepared, estimate, Settings};
/// let columns = Columns {
///     arm: [1, 0, 1, 0, 1, 0, 1, 0].map(|z| if z == 1 { Arm::Treated } else { Arm::Control }).to_vec(),
///     outcome: [3.0, 1.0, 4.0, 1.0, 5.0, 9.0, 2.0, 6.0].map(Some).to_vec(),
///     covariates: vec![Covariate::numeric("age", (0..8).map(|i| Some(f64::from(i * i))).collect())],
///     ..Columns::default()
/// };
/// let prepared = Prepared::new(&columns)?;
/// let mut statistic = LinStatistic::new(&prepared.covariates, &prepared.outcome);
/// let short = statistic.evaluate(&prepared.arm)?.estimate;
/// let full = estimate("lin", &columns, &Settings::default())?.results[0].estimate;
/// assert!(full.is_some_and(|full| (full - short).abs() < 1e-12));
/// # Ok::<(), lottning::estimation::EstimationError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Prepared {
    /// Index of each analysed row in the columns.
    pub rows: Vec<usize>,
    /// Arm of each analysed row.
    pub arm: Vec<Arm>,
    /// Outcome of each analysed row.
    pub outcome: Vec<f64>,
    /// Column-major, one value per analysed row and column; missing values already stand in.
    pub covariates: Vec<f64>,
    /// Name of each column: `age`, `age (missing)`, `site=b`.
    pub names: Vec<String>,
    /// Rows left out and values that stand in.
    pub warnings: Vec<Warning>,
}

impl Prepared {
    /// Leaves out rows without an outcome, crosses strata, codes factors, and lets means stand in for missing numbers.
    ///
    /// Errors: columns of unequal length, an arm without rows, values that are no usable number, a covariate without
    /// values, a stratum that is missing or holds no comparison.
    pub fn new(columns: &Columns) -> Result<Self, EstimationError> {
        columns.check_lengths()?;
        let mut analysed = Analysed::new(columns, 1)?;
        let matrix = ModelMatrix::new(columns, &mut analysed)?;
        Ok(Self {
            rows: analysed.rows,
            arm: analysed.arm,
            outcome: analysed.outcome,
            covariates: matrix.values,
            names: matrix.names,
            warnings: analysed.warnings,
        })
    }
}

/// Whether a value can be computed with.
fn usable(value: f64) -> bool {
    value.abs() <= LARGEST
}

/// The analysed rows of one comparison.
#[derive(Debug, Clone, Default)]
pub(super) struct Analysed {
    /// Index of each analysed row in the caller's columns.
    pub(super) rows: Vec<usize>,
    /// Arm of each analysed row.
    pub(super) arm: Vec<Arm>,
    /// Outcome of each analysed row.
    pub(super) outcome: Vec<f64>,
    /// Analysed rows in control and treated.
    pub(super) n: [usize; 2],
    /// What a reader must know.
    pub(super) warnings: Vec<Warning>,
}

impl Analysed {
    /// Leaves out rows without an outcome and requires `needed` rows in each arm.
    pub(super) fn new(columns: &Columns, needed: usize) -> Result<Self, EstimationError> {
        let mut analysed = Self::default();
        let mut missing = [0usize; 2];
        for (row, (arm, outcome)) in columns.arm.iter().zip(&columns.outcome).enumerate() {
            match *outcome {
                None => missing[arm.index()] += 1,
                Some(y) if usable(y) => {
                    analysed.rows.push(row);
                    analysed.arm.push(*arm);
                    analysed.outcome.push(y);
                    analysed.n[arm.index()] += 1;
                }
                Some(_) => {
                    return Err(EstimationError::NotFinite {
                        column: "outcome".into(),
                        row: columns.row_number(row),
                    });
                }
            }
        }
        if analysed.rows.is_empty() {
            return Err(EstimationError::NoRows);
        }
        for arm in [Arm::Treated, Arm::Control] {
            let rows = analysed.n[arm.index()];
            if rows < needed {
                return Err(EstimationError::TooFewRows {
                    arm: columns.labels.arm(arm).to_owned(),
                    rows,
                    needed,
                });
            }
        }
        analysed.note_other_arms(columns.other_arms);
        analysed.note_missing_outcomes(&columns.labels, missing);
        Ok(analysed)
    }

    fn note_other_arms(&mut self, rows: usize) {
        if rows > 0 {
            self.warnings.push(Warning::new(
                "other-arms-dropped",
                words!(
                    "{rows} rows of other arms are left out",
                    "{rows} rader från andra armar är utelämnade"
                ),
            ));
        }
    }

    fn note_missing_outcomes(&mut self, labels: &Labels, missing: [usize; 2]) {
        if missing == [0, 0] {
            return;
        }
        let [control, treated] = missing;
        let (t, c) = (&labels.treated, &labels.control);
        self.warnings.push(Warning::new(
            "outcome-missing",
            words!(
                "rows without an outcome are left out: {treated} in {t}, {control} in {c}",
                "rader utan utfall är utelämnade: {treated} i {t}, {control} i {c}"
            ),
        ));
    }
}

/// Covariates and strata as numeric columns over the analysed rows.
#[derive(Debug, Clone, Default)]
pub(super) struct ModelMatrix {
    /// Column-major, analysed rows × columns.
    pub(super) values: Vec<f64>,
    /// Name of each column: `age`, `age (missing)`, `site=b`.
    pub(super) names: Vec<String>,
}

impl ModelMatrix {
    /// Builds the columns of covariates and crossed strata.
    pub(super) fn new(columns: &Columns, analysed: &mut Analysed) -> Result<Self, EstimationError> {
        let mut matrix = Self::default();
        if !columns.strata.is_empty() {
            let strata = crossed(&columns.strata, columns, &analysed.rows)?;
            check_strata(&strata, &analysed.arm, &columns.labels)?;
            let name: Vec<&str> = columns.strata.iter().map(|f| f.name.as_str()).collect();
            let codes: Vec<Option<u32>> = strata.codes.iter().map(|c| Some(*c)).collect();
            matrix.dummies(&name.join("/"), &strata.levels, &codes);
        }
        for covariate in &columns.covariates {
            match &covariate.values {
                Values::Numeric(values) => {
                    matrix.numeric(&covariate.name, values, columns, analysed)?;
                }
                Values::Factor(factor) => {
                    let codes: Vec<Option<u32>> =
                        analysed.rows.iter().map(|r| factor.codes[*r]).collect();
                    matrix.dummies(&factor.name, &factor.levels, &codes);
                }
            }
        }
        Ok(matrix)
    }

    fn numeric(
        &mut self,
        name: &str,
        values: &[Option<f64>],
        columns: &Columns,
        analysed: &mut Analysed,
    ) -> Result<(), EstimationError> {
        let n = analysed.rows.len();
        let mut observed = Vec::with_capacity(n);
        for &row in &analysed.rows {
            if let Some(value) = values[row] {
                if !usable(value) {
                    return Err(EstimationError::NotFinite {
                        column: name.to_owned(),
                        row: columns.row_number(row),
                    });
                }
                observed.push(value);
            }
        }
        if observed.is_empty() {
            return Err(EstimationError::CovariateEmpty {
                column: name.to_owned(),
            });
        }
        let centre = mean(&observed);
        self.values.extend(
            analysed
                .rows
                .iter()
                .map(|row| values[*row].unwrap_or(centre)),
        );
        self.names.push(name.to_owned());
        let missing = n - observed.len();
        if missing == 0 {
            return Ok(());
        }
        if missing as f64 > INDICATOR_ABOVE * n as f64 {
            self.values.extend(
                analysed
                    .rows
                    .iter()
                    .map(|row| f64::from(u8::from(values[*row].is_none()))),
            );
            self.names.push(format!("{name} (missing)"));
            analysed.warnings.push(Warning::new(
                "covariate-missing",
                words!(
                    "covariate {name} is missing in {missing} of {n} rows: the mean stands in and an indicator is added",
                    "kovariaten {name} saknas på {missing} av {n} rader: medelvärdet sätts in och en indikator läggs till"
                ),
            ));
        } else {
            analysed.warnings.push(Warning::new(
                "covariate-missing",
                words!(
                    "covariate {name} is missing in {missing} of {n} rows: the mean stands in",
                    "kovariaten {name} saknas på {missing} av {n} rader: medelvärdet sätts in"
                ),
            ));
        }
        Ok(())
    }

    /// Dummy columns of all levels that occur but the first; missing is a last level of its own.
    fn dummies(&mut self, name: &str, levels: &[String], codes: &[Option<u32>]) {
        let missing = levels.len() as u32;
        let code = |cell: &Option<u32>| cell.map_or(missing, |code| code.min(missing));
        let mut occurs = vec![false; levels.len() + 1];
        for cell in codes {
            occurs[code(cell) as usize] = true;
        }
        let present = (0..=missing).filter(|level| occurs[*level as usize]);
        for level in present.skip(1) {
            self.values.extend(
                codes
                    .iter()
                    .map(|cell| f64::from(u8::from(code(cell) == level))),
            );
            let text = levels
                .get(level as usize)
                .map_or("(missing)", String::as_str);
            self.names.push(format!("{name}={text}"));
        }
    }
}

/// Crossed strata of the analysed rows.
struct Crossed {
    levels: Vec<String>,
    codes: Vec<u32>,
}

fn crossed(
    strata: &[Factor],
    columns: &Columns,
    rows: &[usize],
) -> Result<Crossed, EstimationError> {
    let mut texts = Vec::with_capacity(rows.len());
    for &row in rows {
        let mut parts = Vec::with_capacity(strata.len());
        for factor in strata {
            match factor.codes[row].and_then(|code| factor.levels.get(code as usize)) {
                Some(level) => parts.push(level.as_str()),
                None => {
                    return Err(EstimationError::StratumMissing {
                        column: factor.name.clone(),
                        row: columns.row_number(row),
                    });
                }
            }
        }
        texts.push(parts);
    }
    let mut index: BTreeMap<&[&str], u32> = BTreeMap::new();
    for text in &texts {
        index.insert(text, 0);
    }
    for (number, code) in index.values_mut().enumerate() {
        *code = number as u32;
    }
    Ok(Crossed {
        levels: index.keys().map(|parts| parts.join("/")).collect(),
        codes: texts.iter().map(|text| index[text.as_slice()]).collect(),
    })
}

fn check_strata(strata: &Crossed, arm: &[Arm], labels: &Labels) -> Result<(), EstimationError> {
    let mut cells = vec![[0usize; 2]; strata.levels.len()];
    for (code, arm) in strata.codes.iter().zip(arm) {
        cells[*code as usize][arm.index()] += 1;
    }
    for (stratum, cell) in strata.levels.iter().zip(cells) {
        if cell[0] + cell[1] == 1 {
            return Err(EstimationError::SingletonStratum {
                stratum: stratum.clone(),
            });
        }
        for arm in [Arm::Control, Arm::Treated] {
            if cell[arm.index()] == 0 {
                return Err(EstimationError::OneArmedStratum {
                    stratum: stratum.clone(),
                    absent: labels.arm(arm).to_owned(),
                });
            }
        }
    }
    Ok(())
}
