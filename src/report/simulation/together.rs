//! The table of comparisons that are judged together: how often one of them, all of them, or one that is true is rejected.

use super::measures::percent;
use super::{Planning, plus_minus};
use crate::diagnostic::{Lang, Words};
use crate::planning::performance::{AnalysisPerformance, FamilyPerformance, Figure};
use crate::report::Grid;
use crate::report::page::say;
use crate::words;

/// The rule of a family, as people call it.
pub(crate) fn rule(own: &FamilyPerformance) -> Words {
    match own.rule {
        "holm" => Words::same("Holm"),
        "westfall-young" => Words::same("Westfall–Young"),
        "fixed-sequence" => words!("registered order", "registrerad ordning"),
        "benjamini-hochberg" => Words::same("Benjamini–Hochberg"),
        _ => words!("none", "ingen"),
    }
}

/// Each family of a cell once, with the names of its simulated comparisons.
pub(crate) fn families(
    analyses: &[(String, AnalysisPerformance)],
) -> Vec<(FamilyPerformance, Vec<&str>)> {
    let mut found: Vec<(FamilyPerformance, Vec<&str>)> = Vec::new();
    for (name, own) in analyses {
        let Some(family) = own.family else { continue };
        match found.iter_mut().find(|(other, _)| other.id == family.id) {
            Some((_, names)) => names.push(name),
            None => found.push((family, vec![name])),
        }
    }
    found
}

/// Every comparison of the first analysis with its power or assurance, and, where there are several that are judged together, how
/// often at least one of them rejects.
pub(super) fn of_the_first(
    analyses: &[(String, AnalysisPerformance)],
    lang: Lang,
) -> Vec<(String, Figure)> {
    fn analysis(name: &str) -> &str {
        name.split_once(':').map_or(name, |(own, _)| own)
    }
    let first = analyses.first().map(|(name, _)| analysis(name));
    let of_first = |name: &str| Some(analysis(name)) == first;
    let own = analyses.iter().filter(|(name, _)| of_first(name));
    let mut rows: Vec<(String, Figure)> = own
        .map(|(name, own)| (name.clone(), own.assurance.unwrap_or(own.power)))
        .collect();
    if rows.len() > 1 {
        let families = families(analyses).into_iter();
        let mut own = families.filter(|(_, names)| names.iter().any(|name| of_first(name)));
        rows.extend(own.next().map(|(family, names)| {
            let names = names.join(", ");
            let words = words!("at least one of {names}", "minst en av {names}");
            (say(&words, lang), family.at_least_one)
        }));
    }
    rows
}

/// A row per cell and family; `None` where no cell has any.
pub(super) fn together(planning: &Planning<'_>, lang: Lang) -> Option<Grid> {
    let columns = [
        Words::new("cell · comparisons", "cell · jämförelser"),
        Words::new("rule", "regel"),
        Words::new("registered", "registrerade"),
        Words::new("at least one, per cent", "minst en, procent"),
        Words::new("all, per cent", "alla, procent"),
        Words::new("family-wise error, per cent", "familjevis fel, procent"),
        Words::new("size, per cent", "nivå, procent"),
    ];
    let caption = Words::new(
        "How often comparisons that are judged together reject",
        "Hur ofta jämförelser som bedöms tillsammans förkastar",
    );
    let head = columns.iter().map(|words| say(words, lang)).collect();
    let mut grid = Grid::numbers(say(&caption, lang), head);
    let mut any = false;
    for cell in planning.cells {
        for (own, names) in families(&cell.analyses) {
            any = true;
            let shown = |figure| plus_minus(percent(figure), lang);
            let row = vec![
                say(&rule(&own), lang),
                own.comparisons.to_string(),
                shown(own.at_least_one),
                shown(own.all),
                shown(own.error.unwrap_or_default()),
                shown(own.size.unwrap_or_default()),
            ];
            grid.row(format!("{} · {}", cell.cell, names.join(", ")), row);
        }
    }
    if !any {
        return None;
    }
    grid.notes.push(say(
        &Words::new(
            "Power above is by the p adjusted as the protocol registers it. Family-wise error: the share of studies that reject at least one comparison whose services do not differ in what drives the outcome. Size: the share that reject at least one when no service does anything to anybody. Registered comparisons that are not simulated count as not rejected.",
            "Styrkan ovan gäller p-värdet justerat som protokollet registrerar det. Familjevis fel: andelen studier som förkastar minst en jämförelse där handläggningarna inte skiljer sig i det som styr utfallet. Nivå: andelen som förkastar minst en när ingen handläggning gör någon skillnad för någon. Registrerade jämförelser som inte simuleras räknas som att de inte förkastas.",
        ),
        lang,
    ));
    Some(grid)
}
