//! Alternatives side by side: what each would reach, close, decide and cost, and what it has more than the scenario as it is.

use super::measures::percent;
use super::{Planning, named_apart, plus_minus};
use crate::diagnostic::{Lang, Words};
use crate::planning::performance::Figure as Number;
use crate::planning::simulate::{CellPerformance, share_name};
use crate::planning::what_if::never_differs;
use crate::report::page::{Part, Section, say};
use crate::report::{Grid, number};
use crate::words;

/// Costs from here on are shown in thousands.
const LARGE: f64 = 100_000.0;

/// Families, closed days, cost, and the power of every analysis that decides in some cell.
struct Row {
    families: Number,
    days_closed: Number,
    cost: Number,
    power: Vec<Number>,
}

impl Row {
    /// Of a cell, with the power of comparisons of these names; empty for one that it does not have.
    fn of(cell: &CellPerformance, names: &[(String, Number)]) -> Self {
        let own = |name: &String| cell.analyses.iter().find(|(id, _)| id == name);
        let power = names.iter().map(|(name, _)| own(name));
        Self {
            families: cell.studies.families,
            days_closed: cell.studies.days_closed,
            cost: cell.cost.unwrap_or_default(),
            power: power
                .map(|own| own.map(|(_, own)| percent(own.assurance.unwrap_or(own.power))))
                .map(Option::unwrap_or_default)
                .collect(),
        }
    }

    /// The cells of the row, cost in so many units of currency; `pairs` of a difference, in so many pairs of studies.
    fn text(
        &self,
        decides: &[usize],
        unit: f64,
        (lang, pairs): (Lang, Option<u64>),
    ) -> Vec<String> {
        let power = decides.iter().filter_map(|place| self.power.get(*place));
        let cost = self.cost.scaled(1.0 / unit);
        let mean = |figure: &Number| match pairs.filter(|_| never_differs(figure)) {
            Some(pairs) => {
                let all = number::count(pairs, lang);
                let words = words!("0 (in all {all} studies)", "0 (i alla {all} studier)");
                say(&words, lang)
            }
            None => plus_minus(*figure, lang),
        };
        let means = [self.families, self.days_closed, cost];
        let means = means.iter().map(mean);
        means
            .chain(power.map(|figure| plus_minus(*figure, lang)))
            .collect()
    }
}

/// The section; `None` without alternatives.
pub(super) fn alternatives(planning: &Planning<'_>, lang: Lang) -> Option<Section> {
    let (_, _, first) = planning.alternatives.first()?;
    let all = || planning.cells.iter().flat_map(|cell| &cell.analyses);
    let shown = |name: &String| {
        let mut own = all().filter(|(id, _)| id == name);
        own.any(|(_, own)| own.assurance.unwrap_or(own.power).value.is_some())
    };
    let decides: Vec<usize> = (0..first.power.len())
        .filter(|place| shown(&first.power[*place].0))
        .collect();
    let costs = planning.cells.iter().filter_map(|cell| cell.cost?.value);
    let large = costs.fold(0.0, f64::max) >= LARGE;
    let unit = if large { 1000.0 } else { 1.0 };
    let mut head: Vec<String> = [
        Words::new("cell", "cell"),
        Words::new("families", "familjer"),
        Words::new("days closed", "stängda dagar"),
        if large {
            Words::new("cost, thousands", "kostnad, tusental")
        } else {
            Words::new("cost", "kostnad")
        },
    ]
    .iter()
    .map(|words| say(words, lang))
    .collect();
    let Words {
        en: name,
        sv: name_sv,
    } = share_name(planning.cells);
    for place in &decides {
        let id = &first.power[*place].0;
        head.push(say(
            &words!("{name} of {id}, per cent", "{name_sv} för {id}, procent"),
            lang,
        ));
    }
    let caption = words!(
        "Families reached, days closed, cost and {name}, side by side",
        "Nådda familjer, stängda dagar, kostnad och {name_sv}, sida vid sida"
    );
    let mut grid = Grid::numbers(say(&caption, lang), head);
    let mut differences = planning.alternatives.iter();
    for (place, cell) in planning.cells.iter().enumerate() {
        let row = Row::of(cell, &first.power).text(&decides, unit, (lang, None));
        match planning.alternative(place) {
            None => {
                let label = if cell.cell == "base" {
                    say(
                        &Words::new("the scenario as it is", "scenariot som det är"),
                        lang,
                    )
                } else {
                    cell.cell.clone()
                };
                grid.strong(label, row);
            }
            Some(name) => {
                grid.row(name, row);
                if let Some((_, _, found)) = differences.next() {
                    let power = found.power.iter();
                    let more = Row {
                        families: found.families,
                        days_closed: found.days_closed,
                        cost: found.cost,
                        power: power.map(|(_, figure)| percent(*figure)).collect(),
                    };
                    let label = Words::new("more than as it is", "mer än som det är");
                    grid.sub(
                        say(&label, lang),
                        more.text(&decides, unit, (lang, Some(found.replicates))),
                    );
                }
            }
        }
    }
    grid.notes.push(say(
        &words!(
            "All run the same replicates on the same random numbers, so a difference has the error of the paired differences, which is smaller than that of two figures apart. Differences of {name} are in percentage points.",
            "Alla kör samma upprepningar på samma slumptal, så en skillnad har de parade skillnadernas fel, som är mindre än två skilda tals. Skillnader i {name_sv} är i procentenheter."
        ),
        lang,
    ));
    grid.notes.extend(named_apart(planning.cells, lang));
    if planning.cells.iter().all(|cell| cell.cost.is_none()) {
        grid.notes.push(say(
            &Words::new(
                "No cost: the scenario has no section [cost].",
                "Ingen kostnad: scenariot har inget avsnitt [cost].",
            ),
            lang,
        ));
    }
    Some(Section {
        id: "alternatives",
        heading: say(&Words::new("Alternatives", "Alternativ"), lang),
        parts: vec![Part::Table(grid)],
    })
}
