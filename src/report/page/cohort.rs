//! Families that a closed gate turned away and that were never randomized: what became of them, and that it is no
//! comparison.

use super::{Part, Section, say};
use crate::diagnostic::Lang;
use crate::report::{Grid, Report, number};
use crate::study::cohort::{CohortOutcome, MASKED};
use crate::words;

/// The section, in a study with a gate.
pub(super) fn section(report: &Report<'_>, lang: Lang) -> Option<Section> {
    report.protocol.gate.as_ref()?;
    let cohort = report.cohort;
    let (ever, families) = (
        number::count(cohort.ever.into(), lang),
        number::count(cohort.families.into(), lang),
    );
    let randomized = number::count(cohort.randomized.into(), lang);
    let mut parts = vec![
        Part::Text(say(
            &words!(
                "Families turned away at least once because the gate was closed: {ever}. Randomized when they came back: {randomized}. Never randomized, and followed here: {families}.",
                "Familjer som avvisats minst en gång på grund av intagsstopp: {ever}. Lottade när de kom tillbaka: {randomized}. Aldrig lottade, och följda här: {families}."
            ),
            lang,
        )),
        Part::Alert {
            lead: say(&words!("No comparison", "Ingen jämförelse"), lang),
            text: say(
                &words!(
                    "These families were not drawn by lot, and the gate is closed when there is much to do. Their share says nothing about the effect of any arm.",
                    "De här familjerna har inte lottats, och det är intagsstopp när det är mycket att göra. Deras andel säger inget om effekten av någon grupp."
                ),
                lang,
            ),
        },
    ];
    let left_out = cohort.erased + cohort.linked;
    if left_out > 0 {
        let left_out = number::count(left_out.into(), lang);
        parts.push(Part::Text(say(
            &words!(
                "Not followed on their own, because their data were erased or they proved to be another family of the study: {left_out}.",
                "Inte följda för sig, eftersom deras uppgifter har raderats eller de visade sig vara en annan familj i studien: {left_out}."
            ),
            lang,
        )));
    }
    if cohort.families > 0 {
        parts.extend(
            cohort
                .outcomes
                .iter()
                .map(|outcome| Part::Table(table(report, outcome, lang))),
        );
    }
    Some(Section {
        id: "turned-away",
        heading: say(
            &words!(
                "Families turned away by a closed gate",
                "Familjer som avvisats vid intagsstopp"
            ),
            lang,
        ),
        parts,
    })
}

fn table(report: &Report<'_>, outcome: &CohortOutcome, lang: Lang) -> Grid {
    let label = report
        .protocol
        .outcomes
        .get(outcome.outcome)
        .map_or("", |own| own.label.get(lang));
    let head = vec![
        say(&words!("Site", "Enhet"), lang),
        say(&words!("Followed to the end", "Följda till slutet"), lang),
        say(
            &words!(
                "With at least one counted report",
                "Med minst en räknad anmälan"
            ),
            lang,
        ),
        say(
            &words!("95% confidence interval", "95 % konfidensintervall"),
            lang,
        ),
    ];
    let caption = words!(
        "{label}: families never randomized, from the first day turned away (no comparison)",
        "{label}: familjer som aldrig lottats, från första dagen de avvisades (ingen jämförelse)"
    );
    let mut grid = Grid::numbers(say(&caption, lang), head);
    let hidden = || say(&words!("masked", "dold"), lang);
    for site in &outcome.sites {
        let cells = match site.counts {
            Some((known, with_report)) => vec![
                number::count(known.into(), lang),
                number::share(with_report, known, lang),
                String::new(),
            ],
            None => vec![hidden(), hidden(), String::new()],
        };
        grid.row(report.site(usize::from(site.site.0)), cells);
    }
    let interval = outcome.interval.map_or_else(
        || number::UNDEFINED.to_string(),
        |(low, high)| {
            let numbers = number::interval(Some(100.0 * low), Some(100.0 * high), 1, lang);
            number::percent_sign(&numbers, lang)
        },
    );
    grid.strong(
        say(&words!("All sites", "Alla enheter"), lang),
        vec![
            number::count(outcome.known.into(), lang),
            number::share(outcome.with_report, outcome.known, lang),
            interval,
        ],
    );
    let (unknown, not_yet) = (
        number::count(outcome.unknown.into(), lang),
        number::count(outcome.not_yet.into(), lang),
    );
    grid.notes.push(say(
        &words!(
            "Wilson's interval of one proportion. Follow-up ended early for {unknown}; the window had not ended for {not_yet}.",
            "Wilsons intervall för en andel. Uppföljningen tog slut i förtid för {unknown}; fönstret hade inte slutat för {not_yet}."
        ),
        lang,
    ));
    if outcome.sites.iter().any(|site| site.counts.is_none()) {
        grid.notes.push(say(
            &words!(
                "Counts of 1 to {MASKED} and their complements are masked per site, and one more site where the total would give one away.",
                "Antal mellan 1 och {MASKED} och deras komplement döljs per enhet, och ytterligare en enhet där totalen annars skulle avslöja."
            ),
            lang,
        ));
    }
    grid
}
