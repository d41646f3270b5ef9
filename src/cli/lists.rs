//! What `lottning draw` answers of whole lists: REDCap's allocation table, and a list made elsewhere.

use serde_json::{Map, Value, json};

use crate::app::Failure;
use crate::app::assess::{Assessment, List, Part, look};
use crate::app::redcap::AllocationTable;
use crate::diagnostic::{Diagnostic, Words};
use crate::words;

use super::output::{Cell, Document, Format, Grid, Shown};
use super::session::Session;

/// An allocation table, as CSV unless something else is asked for.
pub(super) fn allocation_table(
    method: &str,
    table: &AllocationTable,
    session: &Session,
) -> Result<Document, Failure> {
    warn(&table.warnings, session);
    let mut grid = Grid::new();
    for column in &table.columns {
        grid = grid.column(column, Words::same(column));
    }
    let mut rows = Vec::with_capacity(table.rows.len());
    for row in &table.rows {
        let cells = table.columns.iter().zip(row);
        let own: Map<String, Value> = cells
            .map(|(column, code)| (column.clone(), code.as_str().into()))
            .collect();
        rows.push(own);
        grid.row(row.iter().map(Cell::text));
    }
    let body = json!({
        "method": method,
        "columns": table.columns,
        "rows": rows,
        "warnings": listed(&table.warnings, session),
    });
    Ok(Document::new("redcap/1", &body)?
        .grid(grid)
        .default_format(Format::Csv))
}

/// Balance and predictability of a list made elsewhere.
pub(super) fn assessment(list: &List, session: &Session) -> Result<Document, Failure> {
    let found = look(list, &session.outside)?;
    warn(&found.warnings, session);
    let method = list.method.as_ref().map(|(id, _)| id.as_str());
    let strata: Vec<Value> = found
        .strata
        .iter()
        .map(|part| part_json(&found, part))
        .collect();
    let body = json!({
        "arms": found.arms,
        "ratio": found.ratio.to_string(),
        "method": method,
        "possible": found.total.possible,
        "strata": strata,
        "total": part_json(&found, &found.total),
        "warnings": listed(&found.warnings, session),
    });
    let (ratio, n) = (found.ratio, found.total.assessed.n);
    let mut grid = Grid::new()
        .title(words!(
            "A list of {n} units, ratio {ratio}",
            "En lista om {n} enheter, förhållande {ratio}"
        ))
        .column("stratum", words!("stratum", "stratum"))
        .column("n", words!("n", "n"));
    for arm in &found.arms {
        grid = grid.column(format!("n_{arm}"), Words::same(arm));
    }
    grid = grid
        .column("final_imbalance", words!("imbalance", "obalans"))
        .column("largest_imbalance", words!("largest", "största"))
        .column("longest_run", words!("longest run", "längsta svit"))
        .column(
            "correct_guess_share",
            words!("guessed right", "rätt gissade"),
        )
        .column("by_chance", words!("by chance", "av en slump"))
        .column(
            "first_impossible_row",
            words!("first impossible row", "första omöjliga rad"),
        );
    let alone = found.strata.len() == 1;
    for part in &found.strata {
        grid.row(cells(Words::same(&part.stratum), part));
    }
    if !alone {
        grid.row(cells(Words::new("all", "alla"), &found.total));
    }
    Ok(Document::new("assessment/1", &body)?.grid(grid))
}

fn share(part: &Part, guesses: f64) -> Option<f64> {
    let n = part.assessed.n;
    (n > 0).then(|| guesses / n as f64)
}

fn cells(name: Words, part: &Part) -> Vec<Cell> {
    let own = &part.assessed;
    let mut cells = vec![Cell::Words(name), Cell::count(own.n as usize)];
    cells.extend(own.counts.iter().map(|count| Cell::count(*count as usize)));
    cells.extend([
        Cell::number(own.final_imbalance, Shown::Significant(1)),
        Cell::number(own.largest_imbalance, Shown::Significant(1)),
        Cell::count(own.longest_run as usize),
        Cell::number(share(part, own.correct_guesses), Shown::Percent(1)),
        Cell::number(share(part, own.guesses_by_chance), Shown::Percent(1)),
        part.first_impossible_row.map_or(Cell::Empty, Cell::count),
    ]);
    cells
}

fn part_json(found: &Assessment, part: &Part) -> Value {
    let own = &part.assessed;
    let counts: Map<String, Value> = found
        .arms
        .iter()
        .zip(&own.counts)
        .map(|(arm, count)| (arm.clone(), (*count).into()))
        .collect();
    json!({
        "stratum": part.stratum,
        "n": own.n,
        "counts": counts,
        "final_imbalance": own.final_imbalance,
        "largest_imbalance": own.largest_imbalance,
        "longest_run": own.longest_run,
        "correct_guesses": own.correct_guesses,
        "correct_guess_share": share(part, own.correct_guesses),
        "by_chance": share(part, own.guesses_by_chance),
        "possible": part.possible,
        "first_impossible_row": part.first_impossible_row,
    })
}

fn warn(warnings: &[Diagnostic], session: &Session) {
    for warning in warnings {
        session.outside.progress.warn(warning);
    }
}

fn listed(warnings: &[Diagnostic], session: &Session) -> Vec<Value> {
    let own = |warning: &Diagnostic| json!({"code": warning.code, "message": warning.message.get(session.lang)});
    warnings.iter().map(own).collect()
}
