//! The baseline table: who was randomized, by arm, without p-values of its rows, and the one test of the draw itself.

use super::{Part, Section, say};
use crate::analysis::results::{BaselineCell, BaselineRow};
use crate::diagnostic::Lang;
use crate::report::{Grid, Report, Verdict, number};
use crate::words;

pub(super) fn section(report: &Report<'_>, lang: Lang) -> Section {
    let mut parts = vec![
        Part::Text(say(
            &words!(
                "The rows have no p-values: the arms were drawn by lot, so any difference at the start is chance. The last column tells how large a difference is, in standard deviations.",
                "Raderna har inga p-värden: grupperna lottades, så varje skillnad från början beror på slumpen. Sista kolumnen visar hur stor skillnaden är, i standardavvikelser."
            ),
            lang,
        )),
        Part::Table(grid(report, lang)),
    ];
    parts.push(Part::Text(tested(report, lang)));
    for warning in &report.analyses.balance.warnings {
        parts.push(Part::Alert {
            lead: say(&words!("Note", "Observera"), lang),
            text: say(&warning.message, lang),
        });
    }
    Section {
        id: "baseline",
        heading: say(&words!("Who took part", "Vilka som deltog"), lang),
        parts,
    }
}

/// The test of balance in words, and what verification found of the draws.
fn tested(report: &Report<'_>, lang: Lang) -> String {
    let mut text = match &report.analyses.balance.test {
        Ok(test) => {
            let p = number::p_value(test.p_value, 0.01, lang);
            let k = number::count(test.characteristics.into(), lang);
            let draws = number::count(test.draws, lang);
            let how = if test.exact {
                words!(
                    "all {draws} possible allocations",
                    "alla {draws} möjliga lottningar"
                )
            } else {
                words!("{draws} redraws", "{draws} omlottningar")
            };
            let (how_en, how_sv) = (how.en, how.sv);
            say(
                &words!(
                    "One test audits the draw itself, over all characteristics at once (as {k} columns): p {p} by {how_en}. Below 1% the draws are to be verified; it is never a reason to adjust.",
                    "Ett test granskar själva lottningen, över alla egenskaper på en gång (som {k} kolumner): p {p} enligt {how_sv}. Under 1 % ska lottdragningarna kontrolleras; det är aldrig ett skäl att justera."
                ),
                lang,
            )
        }
        Err(_) => say(
            &words!(
                "The draw itself could not be audited by a test over all characteristics.",
                "Själva lottningen gick inte att granska med ett test över alla egenskaper."
            ),
            lang,
        ),
    };
    let verdict = match &report.provenance.verdict {
        Verdict::Verified => words!(
            "Every draw was derived again from the seed, and agrees.",
            "Varje lott härleddes på nytt ur lottfröet och stämmer."
        ),
        Verdict::ChainOnly => words!(
            "The draws were not derived again, because no seed was at hand.",
            "Lotterna härleddes inte på nytt, eftersom inget lottfrö fanns till hands."
        ),
        Verdict::Failed { .. } => words!(
            "Verification of the study failed: see where the numbers come from.",
            "Kontrollen av studien misslyckades: se varifrån siffrorna kommer."
        ),
        Verdict::NotRun => return text,
    };
    text.push(' ');
    text.push_str(verdict.get(lang));
    text
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
