//! The baseline table: who was randomized, by arm, without p-values.

use super::{Part, Section, say};
use crate::analysis::results::{BaselineCell, BaselineRow};
use crate::diagnostic::Lang;
use crate::report::{Grid, Report, number};
use crate::words;

pub(super) fn section(report: &Report<'_>, lang: Lang) -> Section {
    Section {
        id: "baseline",
        heading: say(&words!("Who took part", "Vilka som deltog"), lang),
        parts: vec![
            Part::Text(say(
                &words!(
                    "There are no p-values here: the arms were drawn by lot, so any difference at the start is chance. The last column tells how large a difference is, in standard deviations.",
                    "Här finns inga p-värden: grupperna lottades, så varje skillnad från början beror på slumpen. Sista kolumnen visar hur stor skillnaden är, i standardavvikelser."
                ),
                lang,
            )),
            Part::Table(grid(report, lang)),
        ],
    }
}

fn grid(report: &Report<'_>, lang: Lang) -> Grid {
    let baseline = &report.analyses.baseline;
    let mut head = vec![say(&words!("Characteristic", "Egenskap"), lang)];
    for (arm, families) in report.protocol.arms.iter().zip(&baseline.families) {
        head.push(format!(
            "{} (n\u{a0}=\u{a0}{})",
            arm.label.get(lang),
            number::count((*families).into(), lang)
        ));
    }
    head.push(say(
        &words!("Standardized difference", "Standardiserad skillnad"),
        lang,
    ));
    let mut grid = Grid::numbers(
        say(
            &words!(
                "Families at randomization, by arm",
                "Familjerna när de lottades, per grupp"
            ),
            lang,
        ),
        head,
    );
    let mut rows = baseline.rows.iter().peekable();
    let mut open: Option<&BaselineRow> = None;
    while let Some(row) = rows.next() {
        let first = open.is_none_or(|before| before.label != row.label);
        let last = rows.peek().is_none_or(|next| next.label != row.label);
        open = Some(row);
        match &row.level {
            Some(level) => {
                if first {
                    grid.strong(format!("{}, n/N (%)", row.label.get(lang)), Vec::new());
                }
                grid.sub(level.get(lang), cells(row, lang, &|cell| main(cell, lang)));
                if last {
                    missing(&mut grid, row, &baseline.families, lang);
                }
            }
            None => single(&mut grid, row, &baseline.families, lang),
        }
    }
    grid
}

/// A characteristic with one row of values: a number, or a share without levels.
fn single(grid: &mut Grid, row: &BaselineRow, families: &[u32], lang: Lang) {
    let label = row.label.get(lang);
    let is_number = row
        .arms
        .iter()
        .any(|cell| matches!(cell, BaselineCell::Number { .. }));
    if !is_number {
        grid.strong(
            format!("{label}, n/N (%)"),
            cells(row, lang, &|cell| main(cell, lang)),
        );
        missing(grid, row, families, lang);
        return;
    }
    grid.strong(label, Vec::new());
    grid.sub(
        say(
            &words!(
                "Mean (standard deviation)",
                "Medelvärde (standardavvikelse)"
            ),
            lang,
        ),
        cells(row, lang, &|cell| main(cell, lang)),
    );
    let mut quartiles: Vec<String> = row
        .arms
        .iter()
        .map(|cell| match cell {
            BaselineCell::Number {
                median, quartiles, ..
            } => format!(
                "{} ({})",
                number::fixed(*median, 1, lang),
                number::interval(Some(quartiles.0), Some(quartiles.1), 1, lang)
            ),
            BaselineCell::Share { .. } | BaselineCell::Empty => number::UNDEFINED.to_string(),
        })
        .collect();
    quartiles.push(String::new());
    grid.sub(
        say(&words!("Median (quartiles)", "Median (kvartiler)"), lang),
        quartiles,
    );
    missing(grid, row, families, lang);
}

fn main(cell: &BaselineCell, lang: Lang) -> String {
    match cell {
        BaselineCell::Number { mean, sd, .. } => format!(
            "{} ({})",
            number::fixed(*mean, 2, lang),
            number::fixed(*sd, 2, lang)
        ),
        BaselineCell::Share { count, of } => number::share(*count, *of, lang),
        BaselineCell::Empty => number::UNDEFINED.to_string(),
    }
}

/// The cells of a row and its standardized difference.
fn cells(row: &BaselineRow, lang: Lang, text: &dyn Fn(&BaselineCell) -> String) -> Vec<String> {
    let mut cells: Vec<String> = row.arms.iter().map(text).collect();
    cells.push(row.smd.map_or_else(
        || number::UNDEFINED.to_string(),
        |smd| match smd {
            f64::INFINITY => number::INFINITE.to_owned(),
            f64::NEG_INFINITY => format!("{}{}", number::MINUS, number::INFINITE),
            smd => number::fixed(smd, 2, lang),
        },
    ));
    cells
}

/// The row of missing values, shown even when nothing is missing.
fn missing(grid: &mut Grid, row: &BaselineRow, families: &[u32], lang: Lang) {
    let mut cells: Vec<String> = row
        .arms
        .iter()
        .zip(families)
        .map(|(cell, families)| {
            let missing = match cell {
                BaselineCell::Number { missing, .. } => *missing,
                BaselineCell::Share { of, .. } => families.saturating_sub(*of),
                BaselineCell::Empty => *families,
            };
            number::count(missing.into(), lang)
        })
        .collect();
    cells.push(String::new());
    grid.sub(say(&words!("Missing", "Uppgift saknas"), lang), cells);
}
