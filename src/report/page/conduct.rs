//! How the study was run against what was promised: missing data, realized covariates, deviations, the registered plan.

use super::{Part, Section, role, say};
use crate::analysis::results::{AnalysisResult, MissingnessTest};
use crate::diagnostic::{Lang, Words};
use crate::protocol::Protocol;
use crate::protocol::model::{Analysis, Covariate, Cut, Factor, Multiplicity, Role, Test};
use crate::report::{Grid, Report, number};
use crate::words;

/// Outcomes that are not known, per analysis and arm.
pub(super) fn missing(report: &Report<'_>, lang: Lang) -> Section {
    let head = vec![
        say(&words!("Analysis and arm", "Analys och grupp"), lang),
        say(&words!("Randomized", "Lottade"), lang),
        say(&words!("Analysed", "Analyserade"), lang),
        say(&words!("Outcome not known", "Utfall okänt"), lang),
    ];
    let caption = words!(
        "Families randomized, analysed and without a known outcome",
        "Familjer som lottats, analyserats och saknar känt utfall"
    );
    let mut grid = Grid::numbers(say(&caption, lang), head);
    for analysis in &report.analyses.analyses {
        let rule = report
            .protocol
            .analyses
            .iter()
            .find(|registered| registered.id == analysis.id)
            .map(|registered| registered.missing.words());
        let name = report.name(analysis, lang);
        let label = rule.map_or_else(
            || name.clone(),
            |rule| format!("{name}: {}", rule.get(lang)),
        );
        grid.strong(label, Vec::new());
        for arm in &analysis.arms {
            grid.sub(
                report.arm(arm.arm, lang),
                vec![
                    number::count(arm.randomized.into(), lang),
                    number::share(arm.analysed, arm.randomized, lang),
                    number::share(arm.missing, arm.randomized, lang),
                ],
            );
        }
    }
    let mut parts = vec![Part::Table(grid)];
    let tests = report.analyses.analyses.iter();
    parts.extend(
        tests
            .flat_map(|own| differs(report, own, lang))
            .map(Part::Text),
    );
    Section {
        id: "missing",
        heading: say(&words!("Missing data", "Bortfall"), lang),
        parts,
    }
}

/// Whether the arms differ in how many outcomes are unknown, a sentence for each treated arm; none where nobody is unknown.
fn differs(report: &Report<'_>, analysis: &AnalysisResult, lang: Lang) -> Vec<String> {
    let Some(own) = &analysis.missingness else {
        return Vec::new();
    };
    let outcome = report.name(analysis, lang);
    let share = |arm: crate::allocation::Arm| {
        let own = own.arms.iter().find(|own| own.arm == arm);
        own.map_or_else(String::new, |own| number::share(own.unknown, own.of, lang))
    };
    let control = report.protocol.control;
    let one = |test: &MissingnessTest| {
        let (treated, other) = (report.arm(test.arm, lang), report.arm(control, lang));
        let (of_treated, of_other) = (share(test.arm), share(control));
        let p = match &test.found {
            Ok(found) => number::p_value(found.p_value, 0.05, lang),
            Err(_) => number::UNDEFINED.to_string(),
        };
        say(
            &words!(
                "{outcome}: unknown among families whose window has ended {of_treated} ({treated}) and {of_other} ({other}); p of the difference by redraws {p}.",
                "{outcome}: okänt bland familjer vars fönster har löpt ut {of_treated} ({treated}) och {of_other} ({other}); p för skillnaden enligt omlottningar {p}."
            ),
            lang,
        )
    };
    own.tests.iter().map(one).collect()
}

/// The realized covariates and every deviation.
pub(super) fn realized(report: &Report<'_>, lang: Lang) -> Section {
    let head = vec![
        say(&words!("Analysis", "Analys"), lang),
        say(&words!("Adjusted for", "Justerat för"), lang),
        say(
            &words!(
                "Deviations from the registered plan",
                "Avvikelser från den registrerade planen"
            ),
            lang,
        ),
    ];
    let caption = words!(
        "Covariates used and deviations, decided without looking at outcomes",
        "Använda kovariater och avvikelser, bestämda utan att se utfallen"
    );
    let none = say(&words!("none", "inga"), lang);
    let mut grid = Grid::prose(say(&caption, lang), head);
    for analysis in &report.analyses.analyses {
        let role = role(analysis.role, analysis.prespecified);
        let covariates = if analysis.covariates.is_empty() {
            none.clone()
        } else {
            covariate_names(report, &analysis.covariates, lang)
        };
        let deviations = if analysis.deviations.is_empty() {
            none.clone()
        } else {
            let texts: Vec<&str> = analysis
                .deviations
                .iter()
                .map(|deviation| deviation.message.get(lang))
                .collect();
            texts.join(" ")
        };
        grid.row(
            format!("{} ({})", report.name(analysis, lang), role.get(lang)),
            vec![covariates, deviations],
        );
    }
    Section {
        id: "deviations",
        heading: say(
            &words!("Adjustment and deviations", "Justering och avvikelser"),
            lang,
        ),
        parts: std::iter::once(Part::Table(grid))
            .chain(std::iter::once(ledger(report, lang)))
            .collect(),
    }
}

/// Every deviation in one list: what, when, who, why.
fn ledger(report: &Report<'_>, lang: Lang) -> Part {
    let lines = &report.analyses.ledger;
    if lines.is_empty() {
        return Part::Text(say(
            &words!(
                "Nothing was done otherwise than registered.",
                "Ingenting gjordes på annat sätt än registrerat."
            ),
            lang,
        ));
    }
    let head = [
        words!("When", "När"),
        words!("What", "Vad"),
        words!("Why", "Varför"),
        words!("Who", "Vem"),
    ];
    let caption = words!(
        "All deviations from the registered plan",
        "Alla avvikelser från den registrerade planen"
    );
    let head = head.iter().map(|own| say(own, lang)).collect();
    let mut grid = Grid::prose(say(&caption, lang), head);
    for line in lines {
        let what = line.what.get(lang);
        let what = match &line.analysis {
            Some(id) => format!("{id}: {what}"),
            None => what.to_owned(),
        };
        grid.row(
            line.when.clone(),
            vec![what, say(&line.why, lang), say(&line.who, lang)],
        );
    }
    Part::Table(grid)
}

/// The registered plan beside what was run.
pub(super) fn registered(report: &Report<'_>, lang: Lang) -> Section {
    let protocol = report.protocol;
    let head = vec![
        say(&words!("Item", "Punkt"), lang),
        say(&words!("Registered", "Registrerat"), lang),
        say(&words!("Run", "Genomfört"), lang),
    ];
    let caption = words!(
        "What was registered and what was run",
        "Vad som registrerades och vad som genomfördes"
    );
    let mut grid = Grid::prose(say(&caption, lang), head);
    let randomized = number::count(report.flow.randomized.into(), lang);
    let target = number::count(protocol.sample_size.target.into(), lang);
    grid.row(
        say(&words!("Families", "Familjer"), lang),
        vec![
            say(&words!("{target} planned", "{target} planerade"), lang),
            say(
                &words!("{randomized} randomized", "{randomized} lottade"),
                lang,
            ),
        ],
    );
    let arms: Vec<String> = report
        .flow
        .arms
        .iter()
        .map(|arm| number::count(arm.allocated.into(), lang))
        .collect();
    grid.row(
        say(&words!("Drawing of lots", "Lottning"), lang),
        vec![drawings(protocol, lang), arms.join(" : ")],
    );
    let cut = number::date(report.analyses.cut);
    let planned = report.lock().map_or_else(
        || say(&words!("no lock", "ingen låsning"), lang),
        |lock| match lock.cut {
            Cut::On(date) => date.to_string(),
            Cut::AfterLastWindow { grace_days } => say(
                &words!(
                    "{grace_days} days or more after the last window",
                    "{grace_days} dagar eller mer efter sista fönstret"
                ),
                lang,
            ),
        },
    );
    grid.row(
        say(&words!("Cut of the data", "Brytdatum för data"), lang),
        vec![planned, cut],
    );
    for analysis in &report.analyses.analyses {
        let plan = protocol.analyses.iter().find(|plan| plan.id == analysis.id);
        let registered = plan.map_or_else(
            || say(&words!("not registered", "inte registrerad"), lang),
            |plan| planned_text(report, plan, lang),
        );
        let mut ran = analysis
            .results
            .first()
            .map_or_else(String::new, |estimate| estimate.estimator.clone());
        if !analysis.covariates.is_empty() {
            ran.push_str("; ");
            ran.push_str(&covariate_names(report, &analysis.covariates, lang));
        }
        if let Some(test) = &analysis.test {
            let draws = number::count(test.draws, lang);
            let text = if test.exact {
                words!("; all {draws} allocations", "; alla {draws} lottningar")
            } else {
                words!("; {draws} redraws", "; {draws} omlottningar")
            };
            ran.push_str(text.get(lang));
        }
        grid.row(report.name(analysis, lang), vec![registered, ran]);
    }
    if protocol.arms.len() > 2 {
        let registered = named(protocol.primary_multiplicity);
        let ran = match protocol.primary_multiplicity {
            Multiplicity::None => words!("p-values as they are", "p-värden som de är"),
            Multiplicity::Holm | Multiplicity::WestfallYoung | Multiplicity::FixedSequence => {
                by_adjusted()
            }
        };
        grid.row(
            say(
                &words!(
                    "Several arms in the primary analysis",
                    "Flera armar i den primära analysen"
                ),
                lang,
            ),
            vec![say(&registered, lang), say(&ran, lang)],
        );
    }
    if let Some(rule) = protocol.multiplicity {
        let secondary = report
            .analyses
            .analyses
            .iter()
            .filter(|analysis| analysis.role == Role::Secondary)
            .map(AnalysisResult::comparisons)
            .sum::<usize>();
        let registered = named(rule);
        let ran = match (rule, secondary) {
            (Multiplicity::None, _) => words!("p-values as they are", "p-värden som de är"),
            (_, 0 | 1) => words!(
                "at most one secondary analysis: nothing to adjust",
                "högst en sekundär analys: inget att justera"
            ),
            (Multiplicity::Holm | Multiplicity::WestfallYoung | Multiplicity::FixedSequence, _) => {
                by_adjusted()
            }
        };
        grid.row(
            say(
                &words!("Several secondary analyses", "Flera sekundära analyser"),
                lang,
            ),
            vec![say(&registered, lang), say(&ran, lang)],
        );
    }
    // A lock runs its own analyses; the others wait, and the report says so.
    let waiting: Vec<&str> = protocol
        .analyses
        .iter()
        .filter(|plan| report.analyses.analyses.iter().all(|run| run.id != plan.id))
        .map(|plan| plan.id.as_str())
        .collect();
    if !waiting.is_empty() {
        let waiting = waiting.join(", ");
        grid.notes.push(say(
            &words!(
                "Registered but not part of this report: {waiting}.",
                "Registrerade men inte del av denna rapport: {waiting}."
            ),
            lang,
        ));
    }
    Section {
        id: "registered",
        heading: say(&words!("Promised and done", "Utlovat och genomfört"), lang),
        parts: vec![Part::Table(grid)],
    }
}

/// A covariate in words; one that the protocol does not know stays as the analysis wrote it.
fn covariate_name(report: &Report<'_>, id: &str, lang: Lang) -> String {
    match id {
        "site" => say(&words!("site", "enhet"), lang),
        "months_since_start" => say(
            &words!(
                "months since the study began",
                "månader sedan studiens början"
            ),
            lang,
        ),
        "epoch" => say(&words!("epoch", "epok"), lang),
        other => report.protocol.field(other).map_or_else(
            || other.to_string(),
            |index| lower(report.protocol.fields[index].label.get(lang)),
        ),
    }
}

/// The first letter small, as inside a sentence.
fn lower(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_lowercase().chain(letters).collect()
    })
}

/// Covariates in words, separated by commas.
/// How lots were drawn, epoch by epoch.
fn drawings(protocol: &Protocol, lang: Lang) -> String {
    let last = protocol.epoch();
    let own = |epoch: u32| drawing(protocol.in_epoch(epoch), lang);
    let later = (1..=last).map(|epoch| {
        let text = own(epoch);
        say(
            &words!("from epoch {epoch}: {text}", "från epok {epoch}: {text}"),
            lang,
        )
    });
    let all: Vec<String> = std::iter::once(own(0)).chain(later).collect();
    all.join("; ")
}

/// The method of an epoch, its ratio, and within what it drew or balanced.
fn drawing(protocol: &Protocol, lang: Lang) -> String {
    let allocation = &protocol.allocation;
    let names = |factors: &[Factor]| -> Vec<String> {
        let name = |factor: &Factor| match factor {
            Factor::Site => say(&words!("site", "enhet"), lang),
            Factor::Field(index) => protocol
                .fields
                .get(*index)
                .map_or_else(String::new, |field| say(&field.label, lang)),
        };
        factors.iter().map(name).collect()
    };
    let method = &allocation.method;
    let ratio: Vec<String> = protocol
        .arms
        .iter()
        .map(|arm| arm.ratio.to_string())
        .collect();
    let mut text = format!("{method}, {}", ratio.join(":"));
    let (strata, balanced) = (names(&allocation.strata), names(&allocation.factors));
    if !strata.is_empty() {
        let factors = strata.join(", ");
        text.push_str(&say(
            &words!(", within {factors}", ", inom {factors}"),
            lang,
        ));
    }
    if !balanced.is_empty() {
        let factors = balanced.join(", ");
        let words = words!(", balancing {factors}", ", balanserar {factors}");
        text.push_str(&say(&words, lang));
    }
    text
}

fn covariate_names(report: &Report<'_>, ids: &[String], lang: Lang) -> String {
    let names: Vec<String> = ids
        .iter()
        .map(|id| covariate_name(report, id, lang))
        .collect();
    names.join(", ")
}

fn planned_text(report: &Report<'_>, plan: &Analysis, lang: Lang) -> String {
    let covariates: Vec<String> = plan
        .covariates
        .iter()
        .map(|covariate| {
            let id = match covariate {
                Covariate::Site => "site",
                Covariate::Field(index) => report
                    .protocol
                    .fields
                    .get(*index)
                    .map_or("", |field| field.id.as_str()),
                Covariate::MonthsSinceStart => "months_since_start",
            };
            covariate_name(report, id, lang)
        })
        .collect();
    let mut text = plan.estimator.clone();
    if !covariates.is_empty() {
        text.push_str("; ");
        text.push_str(&covariates.join(", "));
    }
    for (key, value) in plan.stated(report.protocol) {
        for part in ["; ", key, " ", &value] {
            text.push_str(part);
        }
    }
    if let Some(Test::Randomization { draws }) = plan.test {
        let draws = number::count(draws.into(), lang);
        text.push_str(words!("; {draws} redraws", "; {draws} omlottningar").get(lang));
    }
    text
}

/// The name of a rule for several comparisons.
fn named(rule: Multiplicity) -> Words {
    match rule {
        Multiplicity::Holm => words!("Holm", "Holm"),
        Multiplicity::WestfallYoung => words!("Westfall–Young", "Westfall–Young"),
        Multiplicity::FixedSequence => words!("fixed sequence", "fast ordning"),
        Multiplicity::None => words!("no adjustment", "ingen justering"),
    }
}

fn by_adjusted() -> Words {
    words!(
        "the conclusions go by the adjusted p-values; those in the tables are as they are",
        "slutsatserna följer de justerade p-värdena; de i tabellerna är som de är"
    )
}
