//! The page for the public: the flow, who took part and the registered effects, with small counts masked.
//!
//! It holds nothing but what goes through one system of counts (`suppression`), so that no table gives back what another masks.
//! Everything else is left out: subgroups, effects month by month, sites beyond their families, violations, families turned
//! away, figures, and the sentences of the full page.

mod counted;

use self::counted::{Tables, tables};
use super::{Fact, Page, Part, Section, count, footer, role, say, summary, terms};
use crate::analysis::results::{AnalysisResult, ArmOutcome, BaselineCell};
use crate::diagnostic::{Lang, Words};
use crate::report::effect::{self, Scale};
use crate::report::suppression::{Counts, Masks, Place, Shown};
use crate::report::{Grid, Report, Verdict, number};
use crate::words;
use askama::Template;

/// The page as one HTML file, in which counts from 1 to `below` − 1 do not stand and cannot be worked out.
pub fn public(report: &Report<'_>, below: u32, lang: Lang) -> String {
    let mut counts = Counts::new(below);
    let tables = tables(report, &mut counts);
    let mut sections = match counts.suppress() {
        Some(masks) => vec![
            flow(report, &tables, (&masks, below), lang),
            baseline(report, &tables, (&masks, below), lang),
            results(report, &tables, (&masks, below), lang),
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
                    "Numbers of families from 1 to {most} are not shown, for in a small district they could point to a family; nor are other numbers from which they could be worked out. 0 is shown. Whoever is to see every number has the full report.",
                    "Antal familjer mellan 1 och {most} visas inte, för i ett litet område skulle de kunna peka ut en familj; inte heller andra tal som de går att räkna ut från. 0 visas. Den som ska se alla tal har den fullständiga rapporten."
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
fn shown(masks: (&Masks, u32), place: Place, lang: Lang) -> String {
    match masks.0.at(place) {
        Shown::Count(value) => number::count(value.into(), lang),
        Shown::Small => format!("<\u{a0}{}", masks.1),
        Shown::Masked => hidden(lang),
    }
}

fn hidden(lang: Lang) -> String {
    say(&words!("masked", "dold"), lang)
}

fn arms(report: &Report<'_>, lang: Lang) -> Vec<String> {
    let arms = report.protocol.arms.iter();
    arms.map(|arm| say(&arm.label, lang)).collect()
}

fn flow(report: &Report<'_>, tables: &Tables<'_>, masks: (&Masks, u32), lang: Lang) -> Section {
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
        let cell = |place: &Option<Place>| {
            place.map_or_else(String::new, |place| shown(masks, place, lang))
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

fn baseline(report: &Report<'_>, tables: &Tables<'_>, masks: (&Masks, u32), lang: Lang) -> Section {
    let mut head = vec![say(&words!("Characteristic", "Egenskap"), lang)];
    for (arm, place) in report.protocol.arms.iter().zip(&tables.families) {
        let (label, families) = (arm.label.get(lang), shown(masks, *place, lang));
        head.push(format!("{label} (n\u{a0}=\u{a0}{families})"));
    }
    let caption = words!(
        "Families at randomization, by arm",
        "Familjerna när de lottades, per grupp"
    );
    let mut grid = Grid::numbers(say(&caption, lang), head);
    let mut before: Option<&Words> = None;
    for level in &tables.levels {
        let row = level.row;
        let cells = (row.arms.iter().zip(&level.arms))
            .map(|(cell, places)| match (cell, places) {
                (BaselineCell::Share { count, of }, Some((own, known))) => {
                    match (masks.0.at(*own), masks.0.at(*known)) {
                        (Shown::Count(_), Shown::Count(_)) => number::share(*count, *of, lang),
                        _ => shown(masks, *own, lang),
                    }
                }
                // The mean of few values is not far from saying them.
                (BaselineCell::Number { n, mean, .. }, _) if *n >= 10 * masks.1 => {
                    number::fixed(*mean, 1, lang)
                }
                (BaselineCell::Number { .. }, _) => hidden(lang),
                (BaselineCell::Share { .. } | BaselineCell::Empty, _) => {
                    number::UNDEFINED.to_owned()
                }
            })
            .collect();
        match &row.level {
            Some(name) => {
                if before != Some(&row.label) {
                    grid.strong(format!("{}, n/N (%)", row.label.get(lang)), Vec::new());
                }
                grid.sub(name.get(lang), cells);
            }
            None => grid.row(mean(&row.label, lang), cells),
        }
        before = Some(&row.label);
    }
    Section {
        id: "baseline",
        heading: say(&words!("Who took part", "Vilka som deltog"), lang),
        parts: vec![Part::Table(grid)],
    }
}

fn results(report: &Report<'_>, tables: &Tables<'_>, masks: (&Masks, u32), lang: Lang) -> Section {
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
    for told in &tables.told {
        let analysis = told.analysis;
        // A share with a masked base, or an effect beside it, could tell the base.
        let open = told
            .analysed
            .iter()
            .all(|(_, place)| matches!(masks.0.at(*place), Shown::Count(_)));
        let control = report.protocol.control;
        for (index, estimate) in effect::rows(report, analysis) {
            if analysis.compared_first(index).is_none() {
                continue;
            }
            let mut cells: Vec<String> = report
                .protocol
                .arms
                .iter()
                .enumerate()
                .map(|(arm, _)| {
                    let own = told.analysed.iter().find(|(own, _)| own.arm.index() == arm);
                    own.filter(|_| index == 0)
                        .map_or_else(String::new, |(own, _)| {
                            if open {
                                effect::seen(own, lang)
                            } else if own.arm == control {
                                rounded(own, masks.1, lang)
                            } else {
                                hidden(lang)
                            }
                        })
                })
                .collect();
            let least = told.analysed.iter().map(|(own, _)| own.analysed).min();
            cells.push(if open {
                effect::text(analysis, estimate, shared, lang)
            } else {
                coarse(analysis, estimate, (least.unwrap_or(0), masks.1), lang)
            });
            let name = role(analysis.role, analysis.prespecified);
            let label = format!("{} ({})", report.name(analysis, lang), name.get(lang));
            grid.row(label, cells);
        }
    }
    for analysis in &tables.withheld {
        let (name, below) = (report.name(analysis, lang), masks.1);
        grid.notes.push(say(
            &words!(
                "{name}: not shown, for fewer than {below} families of an arm, and not none, had the outcome or were without it.",
                "{name}: visas inte, för färre än {below} familjer i en grupp, men inte noll, hade utfallet eller var utan det."
            ),
            lang,
        ));
    }
    grid.notes.push(say(
        &words!(
            "Where the number analysed in an arm is masked, the share of the comparison arm and the effect are rounded to whole percentage points and the share of the other arm is masked.",
            "Där antalet analyserade i en grupp är dolt är jämförelsegruppens andel och effekten avrundade till hela procentenheter och den andra gruppens andel dold."
        ),
        lang,
    ));
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

/// Families that an arm must have for a whole percentage to fit every number of families that a mask leaves open: with
/// 100 or more some number of events gives each percentage.
fn enough(analysed: u32, below: u32) -> bool {
    analysed >= 100 + below
}

/// An arm's share in whole percent; hidden in a small arm, and for other outcomes.
fn rounded(arm: &ArmOutcome, below: u32, lang: Lang) -> String {
    match arm.events {
        Some(events) if enough(arm.analysed, below) => {
            let percent = 100.0 * f64::from(events) / f64::from(arm.analysed);
            number::percent_sign(&number::fixed(percent, 0, lang), lang)
        }
        _ => hidden(lang),
    }
}

/// A difference of proportions in whole percentage points; hidden in small arms, and on other scales.
fn coarse(
    analysis: &AnalysisResult,
    estimate: &crate::estimation::Estimate,
    (least, below): (u32, u32),
    lang: Lang,
) -> String {
    let scale = effect::scale(analysis, estimate);
    if scale != Scale::Points || !enough(least, below) {
        return hidden(lang);
    }
    let points = |value| effect::shown(scale, value);
    let value = points(estimate.estimate).map_or_else(
        || number::UNDEFINED.to_owned(),
        |value| number::signed(value, 0, lang),
    );
    let (low, high) = (points(estimate.conf_low), points(estimate.conf_high));
    format!("{value} ({})", number::interval(low, high, 0, lang))
}
