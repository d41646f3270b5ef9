//! Numbers of some columns as a program's own texts have them: with a decimal point, whatever sign the file has.
//!
//! For files of which only some columns hold numbers, which are known only later; texts of the others stay as they are. What
//! is no number at all is left to whoever reads it.

use super::records::Cells;
use super::{Decimal, Table, condense, detect};
use crate::diagnostic::{Diagnostic, Place};
use std::sync::Arc;

impl Table {
    /// The table with a decimal point in the numbers of `columns` (names that the file lacks are passed over), and the sign that
    /// they had: the one that was `settled`, or else the one that those columns show.
    ///
    /// # Errors
    /// `decimal-ambiguous` where they show both signs or may have separators of thousands, `thousands-separator` for every cell
    /// with the other sign than the one that was settled.
    ///
    /// ```
    /// use lottning::table::{Decimal, Settled, Table};
    /// let table = Table::read("key;value\n1,2;3,5\n".as_bytes(), Settled::default()).unwrap();
    /// let (table, sign) = table.with_points(&["value"], None).unwrap();
    /// assert_eq!(sign, Decimal::Comma);
    /// let texts = |name| table.column(name).unwrap().texts().flatten().collect::<String>();
    /// assert_eq!((texts("key"), texts("value")), ("1,2".to_owned(), "3.5".to_owned()));
    /// ```
    pub fn with_points(
        mut self,
        columns: &[&str],
        settled: Option<Decimal>,
    ) -> Result<(Self, Decimal), Vec<Diagnostic>> {
        let is_asked = |at: usize| {
            let name = self.header.get(at);
            name.is_some_and(|name| columns.contains(&name.as_str()))
        };
        let cells = || {
            self.records.iter().flat_map(|record| {
                let places = (0..record.width).map(move |at| (record.row, at, record.first + at));
                places.map(|(row, at, place)| (row, at, self.cells.get(place)))
            })
        };
        let decimal = if let Some(decimal) = settled {
            decimal
        } else {
            let asked = cells().filter(|(_, at, _)| is_asked(*at));
            let spots = asked.map(|(row, at, cell)| (row, self.header[at].as_str(), cell));
            detect::decimal(spots, self.dialect.delimiter).map_err(|finding| vec![finding])?
        };
        let mut own = Cells::default();
        let mut findings = Vec::new();
        for (row, at, cell) in cells() {
            match super::number::pointed(cell, decimal) {
                Ok(Some(pointed)) if is_asked(at) => own.push(&pointed),
                Err(why) if is_asked(at) => {
                    let finding = super::column::no_number(cell, why, decimal);
                    findings.push(finding.at(Place::cell(row, &self.header[at])));
                }
                _ => own.push(cell),
            }
        }
        let mut first = 0;
        for record in &mut self.records {
            record.first = first;
            first += record.width;
        }
        self.cells = Arc::new(own);
        self.dialect.decimal = decimal;
        if findings.is_empty() {
            Ok((self, decimal))
        } else {
            Err(condense(findings))
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::table::{Decimal, Settled, Table};

    fn pointed(text: &str, settled: Option<Decimal>) -> Result<Vec<String>, String> {
        let own = Settled {
            decimal: Some(Decimal::Point),
            ..Settled::default()
        };
        let table = Table::read(text.as_bytes(), own).unwrap();
        match table.with_points(&["value", "absent"], settled) {
            Ok((table, _)) => {
                let column = table.column("value").unwrap();
                let texts = column.texts().map(|text| text.unwrap_or("").to_owned());
                Ok(texts.collect())
            }
            Err(findings) => Err(findings[0].code.to_owned()),
        }
    }

    /// By hand: the sign that the column shows or that was settled; the other one, and what may be thousands, is refused.
    #[test]
    fn numbers_get_a_point() {
        let ok = |text, settled, values: &[&str]| {
            let values: Vec<String> = values.iter().map(|own| (*own).to_owned()).collect();
            assert_eq!(pointed(text, settled), Ok(values), "{text}");
        };
        let no = |text, settled, code: &str| {
            assert_eq!(pointed(text, settled), Err(code.to_owned()), "{text}");
        };
        let comma = Some(Decimal::Comma);
        ok(
            "key;value\nA,1;12,5\nA.1;7\n;\nB;-0,25\n",
            None,
            &["12.5", "7", "-0.25"],
        );
        ok("key;value\nA;1,234\nB;2\n", comma, &["1.234", "2"]);
        ok("key;value\nA;1.25\nB;yes\n", None, &["1.25", "yes"]);
        ok("key,value\nA,1.234\n", None, &["1.234"]);
        no("key;value\nA;1.234\n", comma, "thousands-separator");
        no("key;value\nA;1.5\n", comma, "thousands-separator");
        no(
            "key;value\nA;12,5\n",
            Some(Decimal::Point),
            "thousands-separator",
        );
        no("key;value\nA;1.5\nB;1,5\n", None, "decimal-ambiguous");
        no("key;value\nA;1.234\n", None, "decimal-ambiguous");
        no("key;value\nA;1,234\n", None, "decimal-ambiguous");
    }
}
