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
use std::collections::{BTreeMap, BTreeSet};

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
pub(super) fn usable(value: f64) -> bool {
    value.abs() <= LARGEST
}

/// A column that is measured after randomization, and the warning of rows without a value in it.
#[derive(Debug)]
pub(super) struct Later {
    /// Its name.
    pub(super) column: &'static str,
    /// Code of the warning.
    pub(super) code: &'static str,
    /// What the rows lack, `a value of received`, in both languages.
    pub(super) lacking: [&'static str; 2],
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
        let mut analysed = Self::with_capacity(columns.arm.len());
        let mut missing = [0usize; 2];
        if columns.outcome.iter().all(|y| y.is_some_and(usable)) {
            analysed.rows.extend(0..columns.outcome.len());
            analysed.arm.extend_from_slice(&columns.arm);
            analysed.outcome.extend(columns.outcome.iter().flatten());
            let treated = columns.arm.iter().filter(|arm| **arm == Arm::Treated);
            let treated = treated.count();
            analysed.n = [columns.arm.len() - treated, treated];
        } else {
            for (row, (arm, outcome)) in columns.arm.iter().zip(&columns.outcome).enumerate() {
                match *outcome {
                    None => missing[arm.index()] += 1,
                    Some(y) if usable(y) => analysed.push(row, *arm, y),
                    Some(_) => {
                        return Err(EstimationError::NotFinite {
                            column: "outcome".into(),
                            row: columns.row_number(row),
                        });
                    }
                }
            }
        }
        analysed.check_arms(columns, needed)?;
        analysed.note_other_arms(columns.other_arms);
        analysed.note_missing_outcomes(&columns.labels, missing);
        Ok(analysed)
    }

    /// No row yet, with room for so many.
    pub(super) fn with_capacity(rows: usize) -> Self {
        Self {
            rows: Vec::with_capacity(rows),
            arm: Vec::with_capacity(rows),
            outcome: Vec::with_capacity(rows),
            ..Self::default()
        }
    }

    /// Adds a row.
    pub(super) fn push(&mut self, row: usize, arm: Arm, outcome: f64) {
        self.rows.push(row);
        self.arm.push(arm);
        self.outcome.push(outcome);
        self.n[arm.index()] += 1;
    }

    /// Requires `needed` rows in each arm.
    pub(super) fn check_arms(
        &self,
        columns: &Columns,
        needed: usize,
    ) -> Result<(), EstimationError> {
        if self.rows.is_empty() {
            return Err(EstimationError::NoRows);
        }
        for arm in [Arm::Treated, Arm::Control] {
            let rows = self.n[arm.index()];
            if rows < needed {
                return Err(EstimationError::TooFewRows {
                    arm: columns.labels.arm(arm).to_owned(),
                    rows,
                    needed,
                });
            }
        }
        Ok(())
    }

    /// Leaves out rows without a value in a column that is measured after randomization, and answers the others' values.
    ///
    /// Errors: [`EstimationError::NotFinite`], [`EstimationError::TooFewRows`] when an arm has no row left.
    pub(super) fn keep_known(
        &mut self,
        columns: &Columns,
        values: &[Option<f64>],
        later: &Later,
    ) -> Result<Vec<f64>, EstimationError> {
        let mut known = Vec::with_capacity(self.rows.len());
        let mut missing = [0usize; 2];
        let mut kept = 0;
        for place in 0..self.rows.len() {
            let (row, arm) = (self.rows[place], self.arm[place]);
            match values.get(row).copied().flatten() {
                None => missing[arm.index()] += 1,
                Some(value) if usable(value) => {
                    known.push(value);
                    self.rows[kept] = row;
                    self.arm[kept] = arm;
                    self.outcome[kept] = self.outcome[place];
                    kept += 1;
                }
                Some(_) => {
                    return Err(EstimationError::NotFinite {
                        column: later.column.into(),
                        row: columns.row_number(row),
                    });
                }
            }
        }
        self.rows.truncate(kept);
        self.arm.truncate(kept);
        self.outcome.truncate(kept);
        for arm in [Arm::Treated, Arm::Control] {
            self.n[arm.index()] -= missing[arm.index()];
            if self.n[arm.index()] == 0 {
                return Err(EstimationError::TooFewRows {
                    arm: columns.labels.arm(arm).to_owned(),
                    rows: 0,
                    needed: 1,
                });
            }
        }
        if missing != [0, 0] {
            let [control, treated] = missing;
            let (t, c) = (&columns.labels.treated, &columns.labels.control);
            let [en, sv] = later.lacking;
            self.warnings.push(Warning::new(
                later.code,
                words!(
                    "rows without {en} are left out: {treated} in {t}, {control} in {c}",
                    "rader utan {sv} är utelämnade: {treated} i {t}, {control} i {c}"
                ),
            ));
        }
        Ok(known)
    }

    /// Says how many rows of other arms the caller has left out.
    pub(super) fn note_other_arms(&mut self, rows: usize) {
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

/// The weight of each analysed row, or `None` without a column of them.
///
/// Errors: [`EstimationError::InvalidWeight`] with the row whose weight is missing or not above zero.
pub(super) fn weights(
    columns: &Columns,
    analysed: &Analysed,
) -> Result<Option<Vec<f64>>, EstimationError> {
    let Some(weights) = &columns.weights else {
        return Ok(None);
    };
    let weight = |row: &usize| match weights[*row] {
        Some(weight) if weight > 0.0 && usable(weight) => Ok(weight),
        value => Err(EstimationError::InvalidWeight {
            row: columns.row_number(*row),
            value,
        }),
    };
    analysed
        .rows
        .iter()
        .map(weight)
        .collect::<Result<_, _>>()
        .map(Some)
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
        if let Some(strata) = Strata::new(columns, analysed)? {
            let codes: Vec<Option<u32>> = strata.codes.iter().map(|c| Some(*c)).collect();
            matrix.dummies(&strata.name, &strata.levels, &codes);
        }
        matrix.covariates(columns, analysed)?;
        Ok(matrix)
    }

    /// Adds the columns of the covariates.
    pub(super) fn covariates(
        &mut self,
        columns: &Columns,
        analysed: &mut Analysed,
    ) -> Result<(), EstimationError> {
        self.values
            .reserve(columns.covariates.len() * analysed.rows.len());
        for covariate in &columns.covariates {
            match &covariate.values {
                Values::Numeric(values) => {
                    self.numeric(&covariate.name, values, columns, analysed)?;
                }
                Values::Factor(factor) => {
                    let codes: Vec<Option<u32>> =
                        analysed.rows.iter().map(|r| factor.codes[*r]).collect();
                    self.dummies(&factor.name, &factor.levels, &codes);
                }
            }
        }
        Ok(())
    }

    fn numeric(
        &mut self,
        name: &str,
        values: &[Option<f64>],
        columns: &Columns,
        analysed: &mut Analysed,
    ) -> Result<(), EstimationError> {
        let n = analysed.rows.len();
        let start = self.values.len();
        // What is missing is no number for now.
        let number = |value: &Option<f64>| value.unwrap_or(f64::NAN);
        if n == values.len() {
            // Every row is analysed, in order.
            self.values.extend(values.iter().map(number));
        } else {
            let rows = analysed.rows.iter();
            self.values.extend(rows.map(|row| number(&values[*row])));
        }
        let taken = self.values[start..].iter();
        if n > 0 && taken.fold(true, |fine, value| fine & usable(*value)) {
            self.names.push(name.to_owned());
            return Ok(());
        }
        let unusable = |row: &&usize| values[**row].is_some_and(|value| !usable(value));
        if let Some(row) = analysed.rows.iter().find(unusable) {
            return Err(EstimationError::NotFinite {
                column: name.to_owned(),
                row: columns.row_number(*row),
            });
        }
        let is_missing = |row: &&usize| values[**row].is_none();
        let missing = analysed.rows.iter().filter(is_missing).count();
        if missing == n {
            return Err(EstimationError::CovariateEmpty {
                column: name.to_owned(),
            });
        }
        self.names.push(name.to_owned());
        let observed = analysed.rows.iter().filter_map(|row| values[*row]);
        let centre = mean(&observed.collect::<Vec<f64>>());
        for (value, row) in self.values[start..].iter_mut().zip(&analysed.rows) {
            *value = values[*row].unwrap_or(centre);
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

/// Crossed strata of the analysed rows, each with rows in both arms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Strata {
    /// Names of the columns, joined by `/`.
    pub(super) name: String,
    /// Levels joined by `/`, in the order of the columns' levels; each occurs.
    pub(super) levels: Vec<String>,
    /// Index into `levels` by analysed row.
    pub(super) codes: Vec<u32>,
}

impl Strata {
    /// Crosses the columns of strata; `None` without any.
    ///
    /// Errors: a row without its stratum, a stratum with one row or with one arm.
    pub(super) fn new(
        columns: &Columns,
        analysed: &Analysed,
    ) -> Result<Option<Self>, EstimationError> {
        if columns.strata.is_empty() {
            return Ok(None);
        }
        let mut strata = Self {
            name: String::new(),
            levels: vec![String::new()],
            codes: vec![0; analysed.rows.len()],
        };
        for factor in &columns.strata {
            strata.cross(factor, columns, &analysed.rows)?;
        }
        strata.check(&analysed.arm, &columns.labels)?;
        Ok(Some(strata))
    }

    /// Crosses with one more factor; combinations that do not occur get no level.
    fn cross(
        &mut self,
        factor: &Factor,
        columns: &Columns,
        rows: &[usize],
    ) -> Result<(), EstimationError> {
        let mut pairs = Vec::with_capacity(rows.len());
        for (row, own) in rows.iter().zip(&self.codes) {
            match factor.codes[*row].filter(|code| (*code as usize) < factor.levels.len()) {
                Some(code) => pairs.push(u64::from(*own) << 32 | u64::from(code)),
                None => {
                    return Err(EstimationError::StratumMissing {
                        column: factor.name.clone(),
                        row: columns.row_number(*row),
                    });
                }
            }
        }
        let index: BTreeMap<u64, u32> = {
            let occurring: BTreeSet<u64> = pairs.iter().copied().collect();
            occurring.into_iter().zip(0..).collect()
        };
        let first = self.name.is_empty();
        let level = |pair: u64| {
            let own = &factor.levels[pair as u32 as usize];
            let earlier = &self.levels[(pair >> 32) as usize];
            if first {
                own.clone()
            } else {
                format!("{earlier}/{own}")
            }
        };
        self.levels = index.keys().map(|pair| level(*pair)).collect();
        self.codes = pairs.iter().map(|pair| index[pair]).collect();
        if !first {
            self.name.push('/');
        }
        self.name.push_str(&factor.name);
        Ok(())
    }

    fn check(&self, arm: &[Arm], labels: &Labels) -> Result<(), EstimationError> {
        let mut cells = vec![[0usize; 2]; self.levels.len()];
        for (code, arm) in self.codes.iter().zip(arm) {
            cells[*code as usize][arm.index()] += 1;
        }
        for (stratum, cell) in self.levels.iter().zip(cells) {
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
}

/// Which analysed rows belong together: clusters, or the rows of one id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Groups {
    /// Group of each analysed row, from 0 in the order of the column's levels; each occurs.
    pub(super) codes: Vec<u32>,
    /// Number of groups.
    pub(super) count: usize,
    /// Groups with a row in control and in treated; a group can be in both.
    pub(super) per_arm: [usize; 2],
}

impl Groups {
    /// Numbers the groups of the analysed rows.
    ///
    /// Errors: a row without its group.
    pub(super) fn new(
        factor: &Factor,
        columns: &Columns,
        analysed: &Analysed,
    ) -> Result<Self, EstimationError> {
        const ABSENT: u32 = u32::MAX;
        let mut cells = Vec::with_capacity(analysed.rows.len());
        let mut occurs = vec![[false; 2]; factor.levels.len()];
        for (row, arm) in analysed.rows.iter().zip(&analysed.arm) {
            let code = factor.codes[*row].filter(|code| (*code as usize) < factor.levels.len());
            let Some(code) = code else {
                return Err(EstimationError::GroupMissing {
                    column: factor.name.clone(),
                    row: columns.row_number(*row),
                });
            };
            occurs[code as usize][arm.index()] = true;
            cells.push(code);
        }
        let mut count = 0u32;
        let number: Vec<u32> = occurs
            .iter()
            .map(|arms| {
                if arms[0] || arms[1] {
                    count += 1;
                    count - 1
                } else {
                    ABSENT
                }
            })
            .collect();
        for cell in &mut cells {
            *cell = number[*cell as usize];
        }
        let within = |arm: usize| occurs.iter().filter(|arms| arms[arm]).count();
        Ok(Self {
            codes: cells,
            count: count as usize,
            per_arm: [within(0), within(1)],
        })
    }
}
