//! The committed CSV files as columns: a comma, a header, `NA` for missing.

use lottning::estimation::{Arm, Columns, Covariate, Factor, Labels};
use std::collections::BTreeMap;

/// A file as texts by column name.
pub(crate) struct Data {
    columns: BTreeMap<String, Vec<Option<String>>>,
    rows: usize,
}

impl Data {
    pub(crate) fn parse(text: &str) -> Self {
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let header = reader.headers().unwrap().clone();
        let mut columns: BTreeMap<String, Vec<Option<String>>> = BTreeMap::new();
        let mut rows = 0;
        for record in reader.records() {
            rows += 1;
            for (name, cell) in header.iter().zip(&record.unwrap()) {
                let cell = (cell != "NA").then(|| cell.to_owned());
                columns.entry(name.to_owned()).or_default().push(cell);
            }
        }
        Self { columns, rows }
    }

    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    pub(crate) fn text(&self, column: &str, row: usize) -> &str {
        self.columns[column][row].as_deref().unwrap_or("NA")
    }

    pub(crate) fn number(&self, column: &str, row: usize) -> Option<f64> {
        self.columns[column][row]
            .as_ref()
            .map(|text| text.parse().unwrap())
    }

    pub(crate) fn numbers(&self, column: &str) -> Vec<Option<f64>> {
        (0..self.rows).map(|row| self.number(column, row)).collect()
    }

    pub(crate) fn factor(&self, column: &str) -> Factor {
        Factor::from_texts(column, self.columns[column].iter().map(Option::as_deref))
    }

    /// A covariate: numeric when every cell is a number.
    pub(crate) fn covariate(&self, column: &str) -> Covariate {
        let numeric = self.columns[column]
            .iter()
            .flatten()
            .all(|text| text.parse::<f64>().is_ok());
        if numeric {
            Covariate::numeric(column, self.numbers(column))
        } else {
            Covariate::factor(self.factor(column))
        }
    }

    /// Arm and outcome.
    pub(crate) fn comparison(
        &self,
        arm: &str,
        treated: &str,
        control: &str,
        outcome: &str,
    ) -> Columns {
        Columns {
            labels: Labels {
                treated: treated.into(),
                control: control.into(),
            },
            arm: (0..self.rows)
                .map(|row| {
                    if self.text(arm, row) == treated {
                        Arm::Treated
                    } else {
                        Arm::Control
                    }
                })
                .collect(),
            outcome: self.numbers(outcome),
            ..Columns::default()
        }
    }
}

/// Asserts agreement relative to the larger of the expected value and `scale`.
#[track_caller]
pub(crate) fn close(
    what: &str,
    actual: Option<f64>,
    expected: Option<f64>,
    tolerance: f64,
    scale: f64,
) {
    match (actual, expected) {
        (None, None) => {}
        (Some(a), Some(e)) => assert!(
            (a - e).abs() <= tolerance * e.abs().max(scale),
            "{what}: {a:e}, expected {e:e}"
        ),
        _ => panic!("{what}: {actual:?}, expected {expected:?}"),
    }
}
