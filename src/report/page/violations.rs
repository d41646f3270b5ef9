//! Exceptions, violations and switches: how often something went otherwise than by lot, what was done then, and whether it
//! leans.

use super::{Part, Section, say};
use crate::diagnostic::{Lang, Words};
use crate::protocol::model::{Policy, Violations};
use crate::report::{Grid, Report, number};
use crate::study::caps::{Alert, Capped};
use crate::study::conduct::{Direction, ELIGIBLE_SET};
use crate::study::kernel::FamilyIx;
use crate::study::slots::FreedByIntake;
use crate::words;

/// The section; nothing after the allocation is given by arm before a lock.
pub(super) fn section(report: &Report<'_>, lang: Lang) -> Section {
    let mut parts: Vec<Part> = report
        .conduct
        .alerts
        .iter()
        .map(|alert| Part::Alert {
            lead: say(&words!("Cap passed", "Tak passerat"), lang),
            text: say(&alert_words(report, alert, lang), lang),
        })
        .collect();
    parts.push(Part::Table(table(report, lang)));
    parts.extend(policies(report, lang).into_iter().map(Part::Text));
    if !report.analyses.dry_run
        && let Some(direction) = &report.conduct.direction
    {
        parts.push(Part::Text(say(&leaning(report, direction, lang), lang)));
    }
    let changed = report.conduct.changed.len();
    let families = number::count(changed as u64, lang);
    let screenings = if changed == 0 {
        words!(
            "No family was screened twice for the same report with different answers.",
            "Ingen familj har screenats två gånger för samma anmälan med olika svar."
        )
    } else {
        words!(
            "Families screened more than once for the same report with different answers: {families}. Every screening is kept.",
            "Familjer som screenats mer än en gång för samma anmälan med olika svar: {families}. Varje screening är sparad."
        )
    };
    parts.push(Part::Text(say(&screenings, lang)));
    parts.extend(
        came_again(report, lang)
            .iter()
            .map(|words| Part::Text(say(words, lang))),
    );
    Section {
        id: "violations",
        heading: say(
            &words!(
                "Exceptions, violations and switches",
                "Undantag, avsteg och byten"
            ),
            lang,
        ),
        parts,
    }
}

/// Families that were screened again for another report or under another name, if there are any.
fn came_again(report: &Report<'_>, lang: Lang) -> Vec<Words> {
    let count = |families: usize| number::count(families as u64, lang);
    let mut words = Vec::new();
    if !report.conduct.changed_between.is_empty() {
        let families = count(report.conduct.changed_between.len());
        words.push(words!(
            "Families whose answers differed between reports before they were randomized: {families}. Time may have changed them.",
            "Familjer vars svar skilde sig mellan anmälningar innan de lottades: {families}. Tiden kan ha ändrat dem."
        ));
    }
    if !report.conduct.came_back.is_empty() {
        let families = count(report.conduct.came_back.len());
        words.push(words!(
            "Families with a child, or a report, that had been screened with another family, which was not randomized: {families}.",
            "Familjer med ett barn eller en anmälan som hade screenats med en annan familj, som inte lottades: {families}."
        ));
    }
    if !report.conduct.of_a_drawn.is_empty() {
        let families = count(report.conduct.of_a_drawn.len());
        words.push(words!(
            "Families that may have been drawn before under another name, by a report or a child: {families}. They are kept as they were drawn unless the two are linked.",
            "Familjer som kan ha lottats förut under ett annat namn, enligt en anmälan eller ett barn: {families}. De står kvar som de lottades, om de två inte kopplas ihop."
        ));
    }
    words.extend(left_aside(report, lang));
    if let Some(own) = report.conduct.slots.filter(|own| own.freed > 0) {
        words.push(freed(own, lang));
    }
    words
}

/// Exceptions that went or came too late, answers that changed after the draw, and violations that were none, if there are
/// any; the last depend on the arm and are told after a lock.
fn left_aside(report: &Report<'_>, lang: Lang) -> Vec<Words> {
    let run = report.conduct;
    let count = |families: &[FamilyIx]| {
        let number = families.len() as u64;
        (number > 0).then(|| number::count(number, lang))
    };
    let mut words = Vec::new();
    if let Some(families) = count(&run.exception_withdrawn) {
        words.push(words!(
            "Families taken out by an exception and then screened without it for the same report: {families}.",
            "Familjer som undantogs och sedan screenades utan undantag för samma anmälan: {families}."
        ));
    }
    if let Some(families) = count(&run.exception_after_draw) {
        words.push(words!(
            "Families for which an exception was declared after the draw, which stands: {families}.",
            "Familjer för vilka ett undantag angavs efter lottningen, som står fast: {families}."
        ));
    }
    if let Some(families) = count(&run.answers_after_draw) {
        words.push(words!(
            "Families whose answers to a screened report changed after the draw: {families}.",
            "Familjer vars svar för en screenad anmälan ändrades efter lottningen: {families}."
        ));
    }
    if let Some(families) = count(&run.received_own).filter(|_| !report.analyses.dry_run) {
        words.push(words!(
            "Families with a violation that names their own arm as the one whose service they received by mistake, to be corrected: {families}.",
            "Familjer med ett avsteg som anger den egna gruppen som den vars insats de fick av misstag, vilket ska rättas: {families}."
        ));
    }
    words
}

/// Slots that were freed by people who screen, in a sentence.
fn freed(own: FreedByIntake, lang: Lang) -> Words {
    let count = |number: u32| number::count(number.into(), lang);
    let (freed, retracted, drawn) = (count(own.freed), count(own.retracted), count(own.drawn));
    words!(
        "Slots freed by somebody who screens families: {freed}; by an event that was retracted later: {retracted}; families drawn who needed such a slot: {drawn}.",
        "Platser som frigjorts av någon som screenar familjer: {freed}; av en händelse som senare återtogs: {retracted}; familjer som lottats och behövde en sådan plats: {drawn}."
    )
}

fn table(report: &Report<'_>, lang: Lang) -> Grid {
    let protocol = report.protocol;
    let by_arm = report.shows_fates();
    let mut head = vec![
        say(&words!("What happened", "Vad som hände"), lang),
        say(&words!("Families", "Familjer"), lang),
    ];
    if by_arm {
        head.extend(
            report
                .flow
                .arms
                .iter()
                .map(|arm| report.arm(arm.arm, lang).to_owned()),
        );
    }
    let caption = words!(
        "Exceptions before the draw and violations after it",
        "Undantag före lottningen och avsteg efter den"
    );
    let mut grid = Grid::numbers(say(&caption, lang), head);
    grid.strong(
        say(
            &words!(
                "Exceptions: not randomized, by reasons declared before the draw",
                "Undantag: inte lottade, av skäl angivna före lottningen"
            ),
            lang,
        ),
        Vec::new(),
    );
    for (reason, count) in protocol
        .exceptions
        .reasons
        .iter()
        .zip(&report.flow.exceptions)
    {
        let mut cells = vec![number::count(count.families.into(), lang)];
        if by_arm {
            cells.extend(report.flow.arms.iter().map(|_| "–".to_owned()));
        }
        grid.sub(reason.label.get(lang), cells);
    }
    grid.strong(
        say(
            &words!(
                "Violations: after the draw, which stands",
                "Avsteg: efter lottningen, som står fast"
            ),
            lang,
        ),
        Vec::new(),
    );
    for count in &report.conduct.violations {
        let Some(reason) = protocol.violations.reasons.get(usize::from(count.reason)) else {
            continue;
        };
        let mut cells = vec![number::count(count.families().into(), lang)];
        if by_arm {
            cells.extend(
                count
                    .arms
                    .iter()
                    .map(|families| number::count((*families).into(), lang)),
            );
        }
        grid.sub(reason.label.get(lang), cells);
    }
    grid
}

/// The policies that were needed, each in a sentence.
fn policies(report: &Report<'_>, lang: Lang) -> Vec<String> {
    let mut sentences = Vec::new();
    for count in &report.conduct.violations {
        let families = count.families();
        let Some(policy) = Violations::policy(count.reason).filter(|_| families > 0) else {
            continue;
        };
        let name = protocol_label(report, count.reason, lang);
        let rule = policy.rule();
        let rule = rule.get(lang);
        let mut sentence = format!("{name}: {rule}.");
        if policy == Policy::FoundIneligible {
            let families = number::count(report.conduct.left_out.into(), lang);
            sentence.push(' ');
            sentence.push_str(&say(
                &words!(
                    "The set is called {ELIGIBLE_SET} and leaves {families} out.",
                    "Mängden heter {ELIGIBLE_SET} och utelämnar {families}."
                ),
                lang,
            ));
        }
        sentences.push(sentence);
    }
    if !sentences.is_empty() {
        sentences.insert(
            0,
            say(
                &words!(
                    "Errors were documented and not corrected (Yelland et al. 2018, doi 10.1177/1740774518761627).",
                    "Fel har dokumenterats och inte rättats (Yelland m.fl. 2018, doi 10.1177/1740774518761627)."
                ),
                lang,
            ),
        );
    }
    sentences
}

fn protocol_label(report: &Report<'_>, reason: u16, lang: Lang) -> String {
    let reason = report.protocol.violations.reasons.get(usize::from(reason));
    let label = reason.map_or("", |reason| reason.label.get(lang));
    let mut letters = label.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(letters).collect()
    })
}

fn leaning(report: &Report<'_>, direction: &Direction, lang: Lang) -> Words {
    let arm = report.arm(direction.toward, lang);
    if direction.of == 0 {
        return words!(
            "No family was moved to another arm's service.",
            "Ingen familj har flyttats till en annan grupps insats."
        );
    }
    let of = number::count(direction.of.into(), lang);
    let to = number::count(direction.to.into(), lang);
    let expected = number::percent_sign(&number::fixed(100.0 * direction.expected, 0, lang), lang);
    // The level only decides how many digits are needed.
    let p = number::p_equation(direction.p_value, 0.05, lang);
    words!(
        "Families moved to another arm's service: {of}, of which {to} to {arm}. If moves did not lean, {expected} would be expected to go there; one-sided exact binomial test of so many or more: {p}.",
        "Familjer som bytte till en annan grupps insats: {of}, varav {to} till {arm}. Om byten inte drar åt något håll väntas {expected} gå dit; ensidigt exakt binomialtest av så många eller fler: {p}."
    )
}

fn alert_words(report: &Report<'_>, alert: &Alert, lang: Lang) -> Words {
    match *alert {
        Alert::Site {
            capped,
            site,
            quarter: (year, quarter),
            count,
            cap,
        } => {
            let name = report.site(usize::from(site.0));
            let (en, sv) = of_what(capped);
            words!(
                "{name} had {count} {en} in quarter {quarter} of {year}; the registered cap is {cap}.",
                "{name} hade {count} {sv} under kvartal {quarter} {year}; det registrerade taket är {cap}."
            )
        }
        Alert::Study {
            capped,
            families,
            of,
            share,
            cap,
        } => {
            let percent =
                |share: f64| number::percent_sign(&number::fixed(100.0 * share, 1, lang), lang);
            let (share, cap) = (percent(share), percent(cap));
            let (en, sv) = of_what(capped);
            words!(
                "{families} of {of} families ({share}) had {en}; the registered cap is {cap}.",
                "{families} av {of} familjer ({share}) hade {sv}; det registrerade taket är {cap}."
            )
        }
    }
}

fn of_what(capped: Capped) -> (&'static str, &'static str) {
    match capped {
        Capped::Exceptions => ("exceptions", "undantag"),
        Capped::Violations => ("violations", "avsteg"),
    }
}
