//! What an estimator looks at: columns of equal length, arms as indices, missing values as `None`.
//!
//! Nothing here knows a file; the caller has already left out the rows of arms that are not compared.

use super::entry::Role;
use super::error::EstimationError;

/// The two arms of a comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Arm {
    /// The arm that the effect is measured against.
    Control,
    /// The arm whose effect is asked for.
    Treated,
}

impl Arm {
    /// 0 for control, 1 for treated.
    pub fn index(self) -> usize {
        usize::from(self == Self::Treated)
    }
}

/// How the arms are called in terms, warnings and errors.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Labels {
    /// Level of the treated arm.
    pub treated: String,
    /// Level of the control arm.
    pub control: String,
}

impl Default for Labels {
    fn default() -> Self {
        Self {
            treated: "treated".into(),
            control: "control".into(),
        }
    }
}

impl Labels {
    /// The term of an effect: `treated vs control` with the arms' own names.
    pub fn effect(&self) -> String {
        format!("{} vs {}", self.treated, self.control)
    }

    /// The name of one arm.
    pub fn arm(&self, arm: Arm) -> &str {
        match arm {
            Arm::Control => &self.control,
            Arm::Treated => &self.treated,
        }
    }
}

/// A column of levels. Levels are sorted by code point, and the first level that occurs among the analysed rows is
/// the reference of dummy coding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Factor {
    /// Name of the column.
    pub name: String,
    /// Levels in sorted order.
    pub levels: Vec<String>,
    /// Index into `levels` per row; `None`, or an index outside, is missing.
    pub codes: Vec<Option<u32>>,
}

impl Factor {
    /// A factor from the texts of its cells.
    ///
    /// ```
    /// use lottning::estimation::Factor;
    /// let site = Factor::from_texts("site", [Some("b"), None, Some("a"), Some("b")]);
    /// assert_eq!(site.levels, ["a", "b"]);
    /// assert_eq!(site.codes, [Some(1), None, Some(0), Some(1)]);
    /// ```
    pub fn from_texts<'a>(
        name: impl Into<String>,
        cells: impl IntoIterator<Item = Option<&'a str>>,
    ) -> Self {
        let cells: Vec<Option<&str>> = cells.into_iter().collect();
        let mut levels: Vec<&str> = cells.iter().copied().flatten().collect();
        levels.sort_unstable();
        levels.dedup();
        let codes = cells
            .iter()
            .map(|cell| {
                cell.and_then(|text| levels.binary_search(&text).ok())
                    .map(|i| i as u32)
            })
            .collect();
        Self {
            name: name.into(),
            levels: levels.into_iter().map(str::to_owned).collect(),
            codes,
        }
    }
}

/// The values of a covariate.
#[derive(Debug, Clone, PartialEq)]
pub enum Values {
    /// Numbers as they are.
    Numeric(Vec<Option<f64>>),
    /// Levels, to be dummy coded.
    Factor(Factor),
}

/// A covariate: a baseline column to adjust for.
#[derive(Debug, Clone, PartialEq)]
pub struct Covariate {
    /// Name of the column.
    pub name: String,
    /// Its values.
    pub values: Values,
}

impl Covariate {
    /// A numeric covariate.
    pub fn numeric(name: impl Into<String>, values: Vec<Option<f64>>) -> Self {
        Self {
            name: name.into(),
            values: Values::Numeric(values),
        }
    }

    /// A factor; it keeps its own name.
    pub fn factor(factor: Factor) -> Self {
        Self {
            name: factor.name.clone(),
            values: Values::Factor(factor),
        }
    }
}

/// Two-by-two data without a file: events and units per arm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    /// Events in the treated arm, at most `treated_units`.
    pub treated_events: u64,
    /// Units in the treated arm.
    pub treated_units: u64,
    /// Events in the control arm, at most `control_units`.
    pub control_events: u64,
    /// Units in the control arm.
    pub control_units: u64,
}

impl Counts {
    /// Whether both arms have units, and no more events than units.
    ///
    /// # Errors
    /// [`EstimationError::Counts`] of the first arm, treated before control, that has not.
    pub fn check(&self, labels: &Labels) -> Result<(), EstimationError> {
        for (arm, events, units) in [
            (Arm::Treated, self.treated_events, self.treated_units),
            (Arm::Control, self.control_events, self.control_units),
        ] {
            if units == 0 || events > units {
                return Err(EstimationError::Counts {
                    arm: labels.arm(arm).to_owned(),
                    events,
                    units,
                });
            }
        }
        Ok(())
    }
}

/// The columns of one comparison. Columns that are not used stay empty or `None`; each estimator's entry says which
/// it needs, may use and refuses.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Columns {
    /// Names of the arms.
    pub labels: Labels,
    /// Arm of each row.
    pub arm: Vec<Arm>,
    /// Outcome of each row, `None` when missing.
    pub outcome: Vec<Option<f64>>,
    /// Baseline covariates.
    pub covariates: Vec<Covariate>,
    /// Randomization strata; several are crossed.
    pub strata: Vec<Factor>,
    /// Cluster of each row.
    pub cluster: Option<Factor>,
    /// Weight of each row.
    pub weights: Option<Vec<Option<f64>>>,
    /// Whether the treated arm's service was received: 1 or 0, or a dose.
    pub received: Option<Vec<Option<f64>>>,
    /// Exposure of each row's count, above 0.
    pub exposure: Option<Vec<Option<f64>>>,
    /// Time to the event or the end of follow-up, from the same origin in every row.
    pub time: Option<Vec<Option<f64>>>,
    /// What happened at that time: 0 the end of follow-up, 1 the event, 2 and above other events.
    pub event: Option<Vec<Option<u32>>>,
    /// Time from which the row was followed; 0 without.
    pub entry: Option<Vec<Option<f64>>>,
    /// Whose rows belong together.
    pub id: Option<Factor>,
    /// Instead of rows: two-by-two counts.
    pub counts: Option<Counts>,
    /// Rows of other arms that the caller has left out, for the note.
    pub other_arms: usize,
    /// Number of each row as people count it in the file (the header is row 1); empty: position + 2.
    pub row_numbers: Vec<usize>,
}

impl Columns {
    /// Two-by-two counts instead of rows.
    pub fn from_counts(counts: Counts) -> Self {
        Self {
            counts: Some(counts),
            ..Self::default()
        }
    }

    /// Whether there is a column of this role.
    pub fn has(&self, role: Role) -> bool {
        match role {
            Role::Outcome => !self.outcome.is_empty(),
            Role::Covariates => !self.covariates.is_empty(),
            Role::Strata => !self.strata.is_empty(),
            Role::Cluster => self.cluster.is_some(),
            Role::Weights => self.weights.is_some(),
            Role::Received => self.received.is_some(),
            Role::Exposure => self.exposure.is_some(),
            Role::Time => self.time.is_some(),
            Role::Event => self.event.is_some(),
            Role::Entry => self.entry.is_some(),
            Role::Id => self.id.is_some(),
        }
    }

    /// The number of a row as people count it.
    pub(super) fn row_number(&self, index: usize) -> usize {
        self.row_numbers.get(index).copied().unwrap_or(index + 2)
    }

    /// Whether all columns have the length of the arm column.
    pub(super) fn check_lengths(&self) -> Result<(), EstimationError> {
        let n = self.arm.len();
        let covariates = self.covariates.iter().map(|covariate| {
            let length = match &covariate.values {
                Values::Numeric(values) => values.len(),
                Values::Factor(factor) => factor.codes.len(),
            };
            (covariate.name.as_str(), length)
        });
        let strata = self.strata.iter().map(|f| (f.name.as_str(), f.codes.len()));
        let groups = [&self.cluster, &self.id];
        let groups = groups.into_iter().flatten();
        let groups = groups.map(|f| (f.name.as_str(), f.codes.len()));
        let numbers = [
            ("weights", &self.weights),
            ("received", &self.received),
            ("exposure", &self.exposure),
            ("time", &self.time),
            ("entry", &self.entry),
        ];
        let numbers = numbers
            .into_iter()
            .filter_map(|(name, values)| Some((name, values.as_ref()?.len())));
        let event = self.event.iter().map(|codes| ("event", codes.len()));
        let outcome = self.outcome.len();
        // An estimator of times has no outcome.
        let outcome = (outcome > 0 || self.time.is_none()).then_some(("outcome", outcome));
        for (name, length) in outcome
            .into_iter()
            .chain(covariates)
            .chain(strata)
            .chain(groups)
            .chain(numbers)
            .chain(event)
        {
            if length != n {
                return Err(EstimationError::UnequalLengths {
                    column: name.to_owned(),
                    rows: length,
                    expected: n,
                });
            }
        }
        Ok(())
    }
}
