//! What `simulate` prints of its cells: a table for people, and every figure for spreadsheets.

use crate::app::simulate::{self, Simulation};
use crate::app::simulation::search::Searched;
use crate::diagnostic::{Lang, Words};
use crate::estimation::printed_level;
use crate::planning::performance::Figure;
use crate::planning::simulate::{CellPerformance, share_name};
use crate::planning::what_if::never_differs;
use crate::protocol::model::Day;
use crate::report::number::count;
use crate::report::simulation::together::{families, rule};

use crate::words;

use super::output::{Cell, Grid, Shown, number};

/// A figure with its error, in as many digits as the error supports.
pub(super) fn plus_minus(figure: &Figure) -> Cell {
    let Some(value) = figure.value else {
        return Cell::Empty;
    };
    if let Some((away, places)) = figure.within() {
        let end = |end, lang| number(end, Shown::Decimals(places), lang);
        let (from, to) = (end(-away, Lang::En), end(away, Lang::En));
        let (from_sv, to_sv) = (end(-away, Lang::Sv), end(away, Lang::Sv));
        return Cell::Words(words!("0 ({from} to {to})", "0 ({from_sv} till {to_sv})"));
    }
    if let Some(bound) = figure.bound() {
        let text = |lang| {
            let shown = number(value, Shown::Decimals(0), lang);
            let end = number(bound.value, Shown::Decimals(bound.places), lang);
            (shown, end)
        };
        let ((own, en), (_, sv)) = (text(Lang::En), text(Lang::Sv));
        return Cell::Words(if bound.at_most {
            words!("{own} (at most {en})", "{own} (högst {sv})")
        } else {
            words!("{own} (at least {en})", "{own} (minst {sv})")
        });
    }
    let text = |lang| {
        let decimals = simulate::decimals(figure);
        let shown = number(value, Shown::Decimals(decimals), lang);
        match figure.mcse {
            Some(mcse) => {
                let error = number(mcse, Shown::Significant(1), lang);
                format!("{shown} ± {error}")
            }
            None => shown,
        }
    };
    Cell::Words(Words::new(text(Lang::En), text(Lang::Sv)))
}

/// A difference of means over so many pairs of studies: where none of them differs, that.
fn paired(figure: &Figure, of: u64) -> Cell {
    if !never_differs(figure) {
        return plus_minus(figure);
    }
    let [en, sv] = [Lang::En, Lang::Sv].map(|lang| count(of, lang));
    Cell::Words(words!("0 (in all {en} studies)", "0 (i alla {sv} studier)"))
}

fn whole(n: u64) -> Cell {
    i64::try_from(n).map_or(Cell::Empty, Cell::Whole)
}

/// Every cell once: an alternative that sets what the grid varies is the same beside several of its cells.
fn once(simulation: &Simulation) -> impl Iterator<Item = &CellPerformance> {
    let cells = &simulation.cells;
    let is_first = |place: usize, own: &CellPerformance| {
        let mut before = cells.iter().take(place);
        !before.any(|other| other.cell == own.cell && other.content == own.content)
    };
    let each = cells.iter().enumerate();
    each.filter(move |(place, own)| is_first(*place, own))
        .map(|(_, own)| own)
}

pub(super) fn shown(simulation: &Simulation) -> Grid {
    let analyses = || simulation.cells.iter().flat_map(|cell| &cell.analyses);
    let sized = analyses().any(|(_, found)| found.size.is_some());
    let paired = analyses().any(|(_, found)| found.difference.is_some());
    let adjusted = analyses().any(|(_, found)| found.unadjusted.is_some());
    let endless = analyses().any(|(_, found)| found.endless > 0);
    let exact = analyses().any(|(_, found)| found.exact > 0);
    let mut grid = Grid::new()
        .column("cell", Words::new("cell", "cell"))
        .column("analysis", Words::new("analysis", "analys"))
        .column("power", Words::new("power", "styrka"))
        .column("assurance", Words::new("assurance", "assurance"));
    if adjusted {
        let words = Words::new("without the adjustment", "utan justeringen");
        grid = grid.column("unadjusted", words);
    }
    if paired {
        let words = Words::new("more than the first cell", "mer än första cellen");
        grid = grid.column("power_difference", words);
    }
    if sized {
        grid = grid.column("size", Words::new("size of the test", "testets nivå"));
    }
    grid = grid
        .column("estimand", Words::new("true effect", "sann effekt"))
        .column("bias", Words::new("bias", "skevhet"))
        .column(
            "empirical_se",
            Words::new("empirical SE", "empiriskt medelfel"),
        )
        .column("model_se", Words::new("model SE", "skattat medelfel"))
        .column("coverage", Words::new("coverage", "täckning"))
        .column("families", Words::new("families", "familjer"))
        .column("days_closed", Words::new("days closed", "stängda dagar"))
        .column("cost", Words::new("cost", "kostnad"))
        .column("replicates", Words::new("studies", "studier"))
        .column("failures", Words::new("failures", "utan svar"));
    if endless {
        let words = Words::new("0 or infinite", "0 eller oändlig");
        grid = grid.column("endless", words);
    }
    if exact {
        let words = Words::new("fitted exactly", "exakt anpassade");
        grid = grid.column("exact_fits", words);
    }
    for cell in once(simulation) {
        for (id, found) in &cell.analyses {
            let mut row = vec![Cell::text(&cell.cell), Cell::text(id)];
            row.push(plus_minus(&found.power));
            row.push(plus_minus(&found.assurance.unwrap_or_default()));
            if adjusted {
                row.push(plus_minus(&found.unadjusted.unwrap_or_default()));
            }
            if paired {
                let difference = found.difference.map(|own| own.power);
                row.push(plus_minus(&difference.unwrap_or_default()));
            }
            if sized {
                row.push(plus_minus(&found.size.unwrap_or_default()));
            }
            row.extend([
                plus_minus(&found.estimand),
                plus_minus(&found.bias),
                plus_minus(&found.empirical_se),
                plus_minus(&found.model_se),
                plus_minus(&found.coverage),
                plus_minus(&cell.studies.families),
                plus_minus(&cell.studies.days_closed),
                cell.cost.as_ref().map_or(Cell::Empty, plus_minus),
                whole(found.replicates),
                whole(found.failures),
            ]);
            row.extend(endless.then(|| whole(found.endless)));
            row.extend(exact.then(|| whole(found.exact)));
            grid.row(row);
        }
    }
    grid.without_empty_columns()
}

/// Last days of the calendar months of enrolment of all cells.
fn month_ends(simulation: &Simulation) -> Vec<Day> {
    let all = simulation.cells.iter().flat_map(|cell| &cell.month_ends);
    let mut ends: Vec<Day> = all.copied().collect();
    ends.sort_unstable();
    ends.dedup();
    ends
}

/// Figures that are shares of studies: of 0 and 1 they have the ends of an exact interval.
const SHARES: [&str; 12] = [
    "power",
    "assurance",
    "type_i_error",
    "size",
    "coverage",
    "bias_eliminated_coverage",
    "target_reached",
    "unadjusted",
    "family.at_least_one",
    "family.all",
    "family.family_wise_error",
    "family.size",
];

/// Every figure of every cell, for spreadsheets; arms, looks and what an alternative has more come last.
pub(super) fn full(simulation: &Simulation) -> Grid {
    let mut names = vec![
        "power",
        "assurance",
        "type_i_error",
        "size",
        "power_difference",
        "bias",
        "empirical_se",
        "model_se",
        "relative_error",
        "coverage",
        "bias_eliminated_coverage",
        "mean_squared_error",
        "estimand",
        "families",
        "target_reached",
        "screened",
        "turned_away",
        "lost",
        "days_closed",
        "correct_guess_share",
        "imbalance",
        "cost",
    ];
    let mut analyses = simulation.cells.iter().flat_map(|cell| &cell.analyses);
    if analyses.any(|(_, own)| own.unadjusted.is_some() || own.family.is_some()) {
        // Where nothing is judged together the table is as it always was.
        names.extend(&SHARES[7..]);
    }
    let mut grid = Grid::new();
    for key in [
        "cell",
        "analysis",
        "replicates",
        "failures",
        "endless",
        "exact_fits",
        "level",
    ] {
        grid = grid.column(key, Words::same(key));
    }
    for name in &names {
        grid = grid.column(*name, Words::same(*name));
        for end in ["mcse", "lower", "upper"] {
            if end == "mcse" || SHARES.contains(name) {
                let key = format!("{name}_{end}");
                grid = grid.column(&key, Words::same(&key));
            }
        }
    }
    let ends = month_ends(simulation);
    for end in &ends {
        let end = end.date().map_or_else(String::new, |date| date.to_string());
        let name = format!("reached.{end}");
        let key = format!("{name}_mcse");
        grid = grid
            .column(&name, Words::same(&name))
            .column(&key, Words::same(&key));
    }
    let (keys, further) = simulation.further_columns();
    for key in &keys {
        grid = grid.column(key, Words::same(key));
    }
    let mut further = further.into_iter();
    for cell in &simulation.cells {
        for (id, found) in &cell.analyses {
            // The arm of a comparison is a further column.
            let analysis = id.split_once(':').map_or(id.as_str(), |(own, _)| own);
            let mut row = vec![
                Cell::text(&cell.cell),
                Cell::text(analysis),
                whole(found.replicates),
                whole(found.failures),
                whole(found.endless),
                whole(found.exact),
                Cell::number(printed_level(found.level), Shown::Significant(6)),
            ];
            let studies = &cell.studies;
            let reached = ends.iter().map(|end| {
                let place = cell.month_ends.iter().position(|own| own == end);
                let own = place.and_then(|place| studies.reached.get(place));
                own.copied().unwrap_or_default()
            });
            let family = found.family;
            let figures = [
                found.power,
                found.assurance.unwrap_or_default(),
                found.type_i_error.unwrap_or_default(),
                found.size.unwrap_or_default(),
                found.difference.map(|own| own.power).unwrap_or_default(),
                found.bias,
                found.empirical_se,
                found.model_se,
                found.relative_error,
                found.coverage,
                found.bias_eliminated_coverage,
                found.mean_squared_error,
                found.estimand,
                studies.families,
                studies.target_reached,
                studies.screened,
                studies.turned_away,
                studies.lost,
                studies.days_closed,
                studies.correct_guess_share,
                studies.imbalance,
                cell.cost.unwrap_or_default(),
                found.unadjusted.unwrap_or_default(),
                family.map(|own| own.at_least_one).unwrap_or_default(),
                family.map(|own| own.all).unwrap_or_default(),
                family.and_then(|own| own.error).unwrap_or_default(),
                family.and_then(|own| own.size).unwrap_or_default(),
            ];
            for (name, figure) in names.iter().zip(figures) {
                row.push(Cell::number(figure.value, Shown::Significant(6)));
                row.push(Cell::number(figure.mcse, Shown::Significant(3)));
                if SHARES.contains(name) {
                    row.push(Cell::number(figure.lower, Shown::Significant(6)));
                    row.push(Cell::number(figure.upper, Shown::Significant(6)));
                }
            }
            for figure in reached {
                row.push(Cell::number(figure.value, Shown::Significant(6)));
                row.push(Cell::number(figure.mcse, Shown::Significant(3)));
            }
            row.extend(further.next().into_iter().flatten().map(Cell::text));
            grid.row(row);
        }
    }
    grid
}

/// Comparisons that are judged together; `None` without any.
pub(super) fn judged(simulation: &Simulation) -> Option<Grid> {
    let mut grid = Grid::new()
        .title(Words::new(
            "Comparisons that are judged together",
            "Jämförelser som bedöms tillsammans",
        ))
        .column("cell", Words::new("cell", "cell"))
        .column("comparisons", Words::new("comparisons", "jämförelser"))
        .column("rule", Words::new("rule", "regel"))
        .column("registered", Words::new("registered", "registrerade"))
        .column("at_least_one", Words::new("at least one", "minst en"))
        .column("all", Words::new("all", "alla"))
        .column(
            "family_wise_error",
            Words::new("family-wise error", "familjevis fel"),
        )
        .column("size", Words::new("size", "nivå"));
    let mut any = false;
    for cell in once(simulation) {
        for (own, names) in families(&cell.analyses) {
            any = true;
            grid.row([
                Cell::text(&cell.cell),
                Cell::text(names.join(", ")),
                Cell::Words(rule(&own)),
                whole(u64::from(own.comparisons)),
                plus_minus(&own.at_least_one),
                plus_minus(&own.all),
                plus_minus(&own.error.unwrap_or_default()),
                plus_minus(&own.size.unwrap_or_default()),
            ]);
        }
    }
    any.then(|| grid.without_empty_columns())
}

/// The looks at monitored analyses; `None` without one.
pub(super) fn looked(simulation: &Simulation) -> Option<Grid> {
    let mut grid = Grid::new()
        .title(Words::new(
            "Looks at the primary analysis",
            "Tittar på den primära analysen",
        ))
        .column("cell", Words::new("cell", "cell"))
        .column("lock", Words::new("lock", "låsning"))
        .column("held", Words::new("came to it", "kom dit"))
        .column("stopped", Words::new("stopped there", "stoppades där"))
        .column(
            "rejected_by_then",
            Words::new("rejected by then", "förkastade dittills"),
        )
        .column("information", Words::new("information", "information"))
        .column("families", Words::new("families", "familjer"));
    let mut any = false;
    for cell in once(simulation) {
        let Some((_, looks)) = &cell.looks else {
            continue;
        };
        for look in &looks.looks {
            any = true;
            grid.row([
                Cell::text(&cell.cell),
                Cell::text(&look.lock),
                plus_minus(&look.held),
                plus_minus(&look.stopped),
                plus_minus(&look.rejected_by_then),
                plus_minus(&look.information),
                plus_minus(&look.families),
            ]);
        }
    }
    any.then_some(grid)
}

/// What each alternative has more than the scenario as it is; `None` without alternatives.
pub(super) fn compared(simulation: &Simulation) -> Option<Grid> {
    let (_, _, first) = simulation.alternatives.first()?;
    let mut grid = Grid::new()
        .title(Words::new(
            "Each alternative − the scenario as it is, on the same families",
            "Varje alternativ − scenariot som det är, på samma familjer",
        ))
        .column("alternative", Words::new("alternative", "alternativ"))
        .column("compared_with", Words::new("compared with", "jämfört med"))
        .column("families", Words::new("families", "familjer"))
        .column("days_closed", Words::new("days closed", "stängda dagar"))
        .column("cost", Words::new("cost", "kostnad"));
    let Words { en, sv } = share_name(&simulation.cells);
    for (id, _) in &first.power {
        let words = words!("{en}, {id}", "{sv}, {id}");
        grid = grid.column(format!("power.{id}"), words);
    }
    for (name, cell, found) in &simulation.alternatives {
        let mut row = vec![
            Cell::text(name),
            Cell::text(cell),
            paired(&found.families, found.replicates),
            paired(&found.days_closed, found.replicates),
            paired(&found.cost, found.replicates),
        ];
        row.extend(found.power.iter().map(|(_, figure)| plus_minus(figure)));
        grid.row(row);
    }
    Some(grid.without_empty_columns())
}

/// The numbers that a search tried.
pub(super) fn tried(found: &Searched) -> Grid {
    let mut grid = Grid::new()
        .column("number", Words::same(&found.key))
        .column("replicates", Words::new("studies", "studier"))
        .column(
            found.measure.key(),
            Words::new(found.measure.the().0, found.measure.plain_sv()),
        )
        .column("fitted", Words::new("on the curve", "på kurvan"))
        .column("families", Words::new("families reached", "nådda familjer"));
    for own in &found.found.tried {
        let families = found.families.get(&own.x);
        grid.row([
            whole(own.x),
            Cell::count(own.rejected.len()),
            plus_minus(&own.power()),
            Cell::number(found.found.fit.power(own.x as f64), Shown::Decimals(3)),
            families.map_or(Cell::Empty, plus_minus),
        ]);
    }
    grid
}
