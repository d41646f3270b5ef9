//! Flat tables that leave for other programs: the one writer of their bytes. Comma, decimal point, UTF-8, a line for each row.

/// A file of a folder that is written as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Path in the folder: ids and fixed words, never a family.
    pub path: String,
    /// Its text.
    pub text: String,
}

/// A table that is written column by column.
pub(super) struct Table {
    names: Vec<String>,
    columns: Vec<Vec<String>>,
}

impl Table {
    pub(super) fn new() -> Self {
        Self {
            names: Vec::new(),
            columns: Vec::new(),
        }
    }

    pub(super) fn add(&mut self, name: impl Into<String>, column: Vec<String>) {
        self.names.push(name.into());
        self.columns.push(column);
    }

    pub(super) fn text(&self) -> String {
        let rows = self.columns.first().map_or(0, Vec::len);
        let cells = |row: usize| {
            let columns = self.columns.iter();
            columns
                .map(|column| column.get(row).cloned().unwrap_or_default())
                .collect()
        };
        let rows: Vec<Vec<String>> = (0..rows).map(cells).collect();
        csv(&self.names, &rows)
    }
}

/// Rows under a head: comma, decimal point, UTF-8.
pub(super) fn csv(head: &[impl AsRef<[u8]>], rows: &[Vec<String>]) -> String {
    let mut writer = csv::WriterBuilder::new()
        .terminator(csv::Terminator::Any(b'\n'))
        .flexible(true)
        .from_writer(Vec::new());
    // Writing into memory cannot fail; a table that did not come out is empty, and the tests would see it.
    let written = writer
        .write_record(head)
        .and_then(|()| rows.iter().try_for_each(|row| writer.write_record(row)));
    match (written, writer.into_inner()) {
        (Ok(()), Ok(bytes)) => String::from_utf8(bytes).unwrap_or_default(),
        _ => String::new(),
    }
}

/// The shortest text that reads back as the same number; `NA` when missing.
pub(super) fn number(value: Option<f64>) -> String {
    match value {
        Some(value) if value.is_nan() => "NA".to_owned(),
        Some(value) if value.is_infinite() => if value > 0.0 { "Inf" } else { "-Inf" }.to_owned(),
        Some(value) => value.to_string(),
        None => "NA".to_owned(),
    }
}

/// Several numbers.
pub(super) fn numbers(values: &[Option<f64>]) -> Vec<String> {
    values.iter().map(|value| number(*value)).collect()
}
