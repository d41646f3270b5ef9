//! The page for the public: the flow, who took part and the registered effects, with small counts masked.
//!
//! What of its counts may stand is decided for the whole page at once (`counted`), by a rule that gives nothing away to who
//! knows it (`suppression`).
//! Everything else is left out: subgroups, effects month by month, sites beyond their families, violations, families turned
//! away, figures, and the sentences of the full page.

mod counted;

use self::counted::{Cell, Tables, Told, is_of_receivers, tables};
use super::{Fact, Page, Part, Section, count, footer, role, say, summary, terms};
use crate::analysis::results::{AnalysisResult, BaselineCell};
use crate::diagnostic::{Lang, Words};
use crate::report::effect::{self, Scale};
use crate::report::suppression::Bound;
use crate::report::{Grid, Report, Verdict, number};
use crate::words;
use askama::Template;

/// The page as one HTML file, in which counts from 1 to `below` − 1 do not stand and cannot be worked out.
pub fn public(report: &Report<'_>, below: u32, lang: Lang) -> String {
    let mut sections = match tables(report, Bound(below)) {
        Some(tables) => vec![
            flow(report, &tables, lang),
            baseline(report, &tables, lang),
            results(report, &tables, below, lang),
        ],
        None => Vec::new(),
    };
    sections.extend([origin(report, lang), terms::section(report, lang)]);
    count(&mut sections, lang);
    let id = &report.protocol.study.id;
    let lock = report.analyses.lock.as_deref().unwrap_or_default();
    let version = &report.provenance.version;
    let most = below.saturating_sub(1);
    let page = Page {
        lang: match lang {
            Lang::Sv => "sv",
            Lang::En => "en",
        },
        title: say(&report.protocol.study.title, lang),
        subtitle: say(
            &words!(
                "For the public · lock {lock}",
                "För allmänheten · låsning {lock}"
            ),
            lang,
        ),
        stamp: say(&words!("Study {id}", "Studie {id}"), lang),
        contents_label: say(&words!("Contents", "Innehåll"), lang),
        alerts: summary::alerts(report, lang),
        summary: Section {
            id: "summary",
            heading: say(&words!("What is not shown", "Vad som inte visas"), lang),
            parts: vec![Part::Text(say(
                &words!(
                    "Numbers of families from 1 to {most} are not shown, for in a small district they could point to a family; nor are the other numbers of their table or result, large ones and 0 among them, so that what is masked tells nothing of why. Whoever is to see every number has the full report.",
                    "Antal familjer mellan 1 och {most} visas inte, för i ett litet område skulle de kunna peka ut en familj; inte heller de andra talen i deras tabell eller resultat, stora tal och 0 bland dem, så att det som är dolt inte säger något om varför. Den som ska se alla tal har den fullständiga rapporten."
                ),
                lang,
            ))],
        },
        sections,
        footer: footer(version, lang),
    };
    // Rendering into a String fails only if a Display does, and every value here is a plain string.
    page.render().unwrap_or_default()
}

fn mean(label: &Words, lang: Lang) -> String {
    let label = label.get(lang);
    say(&words!("{label}, mean", "{label}, medelvärde"), lang)
}

/// A count as the page shows it.
fn shown(count: Option<u32>, lang: Lang) -> String {
    count.map_or_else(|| hidden(lang), |count| number::count(count.into(), lang))
}

fn hidden(lang: Lang) -> String {
    say(&words!("masked", "dold"), lang)
}

fn arms(report: &Report<'_>, lang: Lang) -> Vec<String> {
    let arms = report.protocol.arms.iter();
    arms.map(|arm| say(&arm.label, lang)).collect()
}

fn flow(report: &Report<'_>, tables: &Tables<'_>, lang: Lang) -> Section {
    let mut head = vec![
        say(&words!("Step", "Steg"), lang),
        say(&words!("All", "Alla"), lang),
    ];
    head.extend(arms(report, lang));
    let caption = words!(
        "Participant flow, families",
        "Deltagarflöde, antal familjer"
    );
    let mut grid = Grid::numbers(say(&caption, lang), head);
    for line in &tables.flow {
        let cell = |cell: &Cell| match cell {
            Cell::Blank => String::new(),
            Cell::Masked => hidden(lang),
            Cell::Count(count) => shown(Some(*count), lang),
        };
        let cells = line.cells.iter().map(cell).collect();
        if line.strong {
            grid.strong(line.label.get(lang), cells);
        } else {
            grid.sub(line.label.get(lang), cells);
        }
    }
    Section {
        id: "flow",
        heading: say(&words!("Participant flow", "Deltagarflöde"), lang),
        parts: vec![Part::Table(grid)],
    }
}

fn baseline(report: &Report<'_>, tables: &Tables<'_>, lang: Lang) -> Section {
    let mut head = vec![say(&words!("Characteristic", "Egenskap"), lang)];
    for (arm, families) in report.protocol.arms.iter().zip(&tables.families) {
        let (label, families) = (arm.label.get(lang), shown(*families, lang));
        head.push(format!("{label} (n\u{a0}=\u{a0}{families})"));
    }
    let caption = words!(
        "Families at randomization, by arm",
        "Familjerna när de lottades, per grupp"
    );
    let mut grid = Grid::numbers(say(&caption, lang), head);
    for characteristic in &tables.characteristics {
        let cells = |cells: &[BaselineCell]| -> Vec<String> {
            let cell = |cell: &BaselineCell| match cell {
                BaselineCell::Empty => number::UNDEFINED.to_owned(),
                _ if !characteristic.shown => hidden(lang),
                BaselineCell::Share { count, of } => number::share(*count, *of, lang),
                BaselineCell::Number { mean, .. } => number::fixed(*mean, 1, lang),
            };
            cells.iter().map(cell).collect()
        };
        for (place, row) in characteristic.rows.iter().enumerate() {
            match &row.level {
                Some(name) => {
                    if place == 0 {
                        grid.strong(format!("{}, n/N (%)", row.label.get(lang)), Vec::new());
                    }
                    grid.sub(name.get(lang), cells(&row.arms));
                }
                None => grid.row(mean(&row.label, lang), cells(&row.arms)),
            }
        }
    }
    Section {
        id: "baseline",
        heading: say(&words!("Who took part", "Vilka som deltog"), lang),
        parts: vec![Part::Table(grid)],
    }
}

fn results(report: &Report<'_>, tables: &Tables<'_>, below: u32, lang: Lang) -> Section {
    let shared = effect::shared_level(report);
    let mut head = vec![say(&words!("Outcome", "Utfall"), lang)];
    head.extend(arms(report, lang));
    head.push(say(
        &words!("Effect (interval)", "Effekt (intervall)"),
        lang,
    ));
    let caption = words!(
        "Results of the registered analyses",
        "Resultat av de registrerade analyserna"
    );
    let mut grid = Grid::numbers(say(&caption, lang), head);
    let (mut withheld, mut rounded) = (Vec::new(), false);
    for (analysis, how) in &tables.told {
        let rows = effect::rows(report, analysis);
        let first = rows
            .into_iter()
            .filter(|(index, _)| analysis.compared_first(*index).is_some());
        let mut any = false;
        for (index, estimate) in first {
            let effect = match how {
                Told::Whole => Some(effect::text(analysis, estimate, shared, lang)),
                // One effect alone: several would have to agree.
                Told::Effect if index == 0 => rough(analysis, estimate, lang),
                Told::Effect | Told::Name => None,
            };
            let Some(effect) = effect else {
                continue;
            };
            any = true;
            rounded |= *how == Told::Effect;
            let mut cells: Vec<String> = (0..report.protocol.arms.len())
                .map(|arm| {
                    let own = analysis.arms.iter().find(|own| own.arm.index() == arm);
                    match own.filter(|_| index == 0) {
                        Some(own) if *how == Told::Whole => effect::seen(own, lang),
                        Some(_) => hidden(lang),
                        None => String::new(),
                    }
                })
                .collect();
            cells.push(effect);
            let name = role(analysis.role, analysis.prespecified);
            let label = format!("{} ({})", report.name(analysis, lang), name.get(lang));
            grid.row(label, cells);
        }
        if !any {
            withheld.push(analysis);
        }
    }
    for analysis in withheld {
        let name = report.name(analysis, lang);
        let why = if is_of_receivers(analysis) {
            words!(
                "{name}: not shown. With the effect of being allocated it gives the share of families that received the service, and that is not shown on this page, however many they are.",
                "{name}: visas inte. Tillsammans med effekten av att lottas ger det andelen familjer som fick insatsen, och den visas inte på den här sidan, hur många de än är."
            )
        } else {
            words!(
                "{name}: not shown, for fewer than {below} families, and not none, could be worked out from it or from it and another result of the same kind.",
                "{name}: visas inte, för färre än {below} familjer, men inte noll, skulle gå att räkna ut från det eller från det och ett annat resultat av samma slag."
            )
        };
        grid.notes.push(say(&why, lang));
    }
    if rounded {
        grid.notes.push(say(
            &words!(
                "Where an effect stands without its numbers and its interval, these could tell of few families; it is rounded to whole percentage points.",
                "Där en effekt står utan sina antal och sitt intervall skulle de kunna visa på få familjer; den är avrundad till hela procentenheter."
            ),
            lang,
        ));
    }
    Section {
        id: "results",
        heading: say(&words!("Results", "Resultat"), lang),
        parts: vec![Part::Table(grid)],
    }
}

/// Where the page comes from, without the number of rows or draws.
fn origin(report: &Report<'_>, lang: Lang) -> Section {
    let checked = match report.provenance.verdict {
        Verdict::Verified => words!(
            "The chain of events holds, and every draw was derived again from the seed and is the same.",
            "Händelsekedjan håller, och varje lottdragning har räknats fram på nytt ur lottfröet och är densamma."
        ),
        Verdict::ChainOnly => words!(
            "The chain of events holds. The draws were not derived again, because no seed was at hand.",
            "Händelsekedjan håller. Lottdragningarna räknades inte fram på nytt, eftersom inget lottfrö fanns till hands."
        ),
        Verdict::NotRun => words!(
            "The ledger was not checked when this page was made.",
            "Liggaren kontrollerades inte när sidan framställdes."
        ),
        Verdict::Failed { .. } => words!(
            "The ledger or a draw differs from what was sealed.",
            "Liggaren eller en lottdragning avviker från det som förseglades."
        ),
    };
    Section {
        id: "origin",
        heading: say(
            &words!("Origin and verification", "Ursprung och kontroll"),
            lang,
        ),
        parts: vec![
            Part::Text(say(&checked, lang)),
            Part::Facts(vec![Fact {
                name: say(&words!("Hash of the protocol", "Protokollets hash"), lang),
                value: report.protocol.hash.to_hex(),
                code: true,
            }]),
        ],
    }
}

/// A difference of proportions in whole percentage points; nothing on other scales.
fn rough(
    analysis: &AnalysisResult,
    estimate: &crate::estimation::Estimate,
    lang: Lang,
) -> Option<String> {
    let scale = effect::scale(analysis, estimate);
    let value = effect::shown(scale, estimate.estimate).filter(|_| scale == Scale::Points)?;
    Some(number::signed(value, 0, lang))
}
