//! The table of the looks at a monitored analysis: where studies stopped, and how large they were by then.

use super::measures::percent;
use super::{Planning, plus_minus};
use crate::diagnostic::{Lang, Words};
use crate::report::Grid;
use crate::report::page::say;

/// A row per cell and look; `None` where no cell has looks.
pub(super) fn looks(planning: &Planning<'_>, lang: Lang) -> Option<Grid> {
    let columns = [
        Words::new("cell · look", "cell · titt"),
        Words::new("came to it, per cent", "kom dit, procent"),
        Words::new("stopped there, per cent", "stoppades där, procent"),
        Words::new("rejected by then, per cent", "förkastade dittills, procent"),
        Words::new("information", "information"),
        Words::new("families", "familjer"),
    ];
    let caption = Words::new(
        "Looks at the primary analysis",
        "Tittar på den primära analysen",
    );
    let head = columns.iter().map(|words| say(words, lang)).collect();
    let mut grid = Grid::numbers(say(&caption, lang), head);
    let mut ends = Vec::new();
    for cell in planning.cells {
        let Some((_, own)) = &cell.looks else {
            continue;
        };
        for look in &own.looks {
            let row = [
                percent(look.held),
                percent(look.stopped),
                percent(look.rejected_by_then),
                look.information,
                look.families,
            ];
            let row = row.iter().map(|figure| plus_minus(*figure, lang));
            grid.row(format!("{} · {}", cell.cell, look.lock), row.collect());
        }
        let months = plus_minus(own.months, lang);
        let name = &cell.cell;
        ends.push(match own.stage_wise {
            None => Words::new(
                format!("{name}: decided after {months} months on average."),
                format!("{name}: avgjord efter {months} månader i medeltal."),
            ),
            Some(last) => {
                let (bias, above) = (
                    plus_minus(last.bias, lang),
                    plus_minus(percent(last.above), lang),
                );
                let coverage = plus_minus(percent(last.coverage), lang);
                Words::new(
                    format!(
                        "{name}: decided after {months} months on average. Median-unbiased estimate: bias {bias}, above the true effect in {above} per cent of studies; the stage-wise interval holds it in {coverage} per cent."
                    ),
                    format!(
                        "{name}: avgjord efter {months} månader i medeltal. Medianväntevärdesriktig skattning: skevhet {bias}, över den sanna effekten i {above} procent av studierna; det stegvisa intervallet innehåller den i {coverage} procent."
                    ),
                )
            }
        });
    }
    if ends.is_empty() {
        return None;
    }
    grid.notes.push(say(
        &Words::new(
            "A study stops when its boundary is crossed, and enrols nobody from then on. Information is 1/variance; families are those of the studies that were decided at the lock, stopped or not. Intervals of the other tables are repeated ones.",
            "En studie stoppas när gränsen passeras och tar sedan inte in någon mer. Information är 1/varians; familjerna är de i studier som avgjordes vid låsningen, stoppade eller inte. Intervallen i de andra tabellerna är upprepade.",
        ),
        lang,
    ));
    grid.notes.extend(ends.iter().map(|words| say(words, lang)));
    Some(grid)
}
