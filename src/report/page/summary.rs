//! The box at the top, for people who decide: what was compared, what was seen, what can be said.
//!
//! Natural frequencies ("of 100 families"), the interval always beside the estimate, never "no effect". The decision is
//! the registered test's; where the interval seems to say otherwise, that is a warning.

use super::{Part, Section, say};
use crate::analysis::results::AnalysisResult;
use crate::diagnostic::{Lang, Words};
use crate::estimation::Estimate;
use crate::protocol::model::Analysis;
use crate::report::effect::{self, Scale};
use crate::report::{Report, Verdict, number};
use crate::words;

/// Banners that stand above everything.
pub(super) fn alerts(report: &Report<'_>, lang: Lang) -> Vec<Part> {
    let mut alerts = Vec::new();
    let mut alert = |lead: Words, text: Words| {
        alerts.push(Part::Alert {
            lead: say(&lead, lang),
            text: say(&text, lang),
        });
    };
    if report.provenance.rehearsal {
        alert(
            words!("Rehearsal", "Övning"),
            words!(
                "All families on this page are made up. Nothing here is about real families.",
                "Alla familjer på denna sida är påhittade. Inget här handlar om verkliga familjer."
            ),
        );
    }
    if report.analyses.dry_run {
        alert(
            words!("Dry run", "Provkörning"),
            words!(
                "The arms are redrawn: no result on this page says anything about the study's arms. It only shows what the report will look like.",
                "Grupperna är omlottade: inget resultat på denna sida säger något om studiens grupper. Sidan visar bara hur rapporten kommer att se ut."
            ),
        );
    }
    if let Verdict::Failed { .. } = report.provenance.verdict {
        alert(
            words!("Verification failed", "Kontrollen misslyckades"),
            words!(
                "The ledger or a draw differs from what was sealed. Do not use these numbers before the cause is found; see Origin and verification.",
                "Liggaren eller en lottdragning avviker från det som förseglades. Använd inte siffrorna förrän orsaken är funnen; se Ursprung och kontroll."
            ),
        );
    }
    alerts
}

pub(super) fn section(report: &Report<'_>, lang: Lang) -> Section {
    let mut parts = Vec::new();
    if let Some(analysis) = report.primary() {
        parts.extend(effect_parts(report, analysis, lang));
    } else {
        parts.push(Part::Text(say(
            &words!(
                "No analysis is registered for this lock.",
                "Ingen analys är registrerad för detta datalås."
            ),
            lang,
        )));
    }
    Section {
        id: "summary",
        heading: say(&words!("In short", "I korthet"), lang),
        parts,
    }
}

fn effect_parts(report: &Report<'_>, analysis: &AnalysisResult, lang: Lang) -> Vec<Part> {
    let (randomized, sites) = (
        number::count(report.flow.randomized.into(), lang),
        number::count(report.flow.sites.len() as u64, lang),
    );
    let arms: Vec<&str> = report
        .protocol
        .arms
        .iter()
        .map(|arm| arm.label.get(lang))
        .collect();
    let (arms_en, arms_sv) = (arms.join(" or "), arms.join(" eller "));
    let mut parts = vec![Part::Text(say(
        &words!(
            "{randomized} families at {sites} sites were randomized, each drawn by lot, to: {arms_en}.",
            "{randomized} familjer vid {sites} enheter lottades, var och en för sig, till: {arms_sv}."
        ),
        lang,
    ))];
    let estimate = analysis.results.first();
    if let Some(estimate) = estimate {
        parts.extend(frequencies(report, analysis, estimate, lang).map(Part::Text));
    }
    parts.push(Part::Text(say(&analysis.conclusion, lang)));
    let registered = report
        .protocol
        .analyses
        .iter()
        .find(|registered| registered.id == analysis.id);
    if report.analyses.dry_run {
        let alert = Part::Alert {
            lead: say(&words!("Dry run", "Provkörning"), lang),
            text: say(
                &words!(
                    "The sentences below only show what the summary will look like. They decide nothing.",
                    "Meningarna nedan visar bara hur sammanfattningen kommer att se ut. De avgör ingenting."
                ),
                lang,
            ),
        };
        parts.insert(0, alert);
    } else if let Some(registered) = registered {
        parts.extend(decision(report, analysis, registered, lang));
    }
    parts
}

/// `3 fewer`, `8 more`, with as many decimals as it takes not to turn a difference into none.
fn per_hundred(points: f64, lang: Lang) -> String {
    let places = usize::from(points.abs() < 0.95 && points != 0.0);
    let size = number::fixed(points.abs(), places, lang);
    let tiny = size.chars().all(|c| matches!(c, '0' | '.' | ','));
    let words = match (points.total_cmp(&0.0), tiny) {
        (std::cmp::Ordering::Less, false) => words!("{size} fewer", "{size} färre"),
        (std::cmp::Ordering::Greater, false) => words!("{size} more", "{size} fler"),
        (std::cmp::Ordering::Less, true) if points != 0.0 => {
            words!("less than 0.1 fewer", "mindre än 0,1 färre")
        }
        (std::cmp::Ordering::Greater, true) if points != 0.0 => {
            words!("less than 0.1 more", "mindre än 0,1 fler")
        }
        _ => words!("just as many", "lika många"),
    };
    say(&words, lang)
}

/// The effect in natural frequencies, or on the outcome's own scale when it is not a yes or no.
fn frequencies(
    report: &Report<'_>,
    analysis: &AnalysisResult,
    estimate: &Estimate,
    lang: Lang,
) -> Option<String> {
    let (treated, control) = effect::contrast(report, analysis, estimate)?;
    let scale = effect::scale(analysis, estimate);
    let value = effect::shown(scale, estimate.estimate)?;
    let low = effect::shown(scale, estimate.conf_low);
    let high = effect::shown(scale, estimate.conf_high);
    let (treated_name, control_name) =
        (report.arm(treated.arm, lang), report.arm(control.arm, lang));
    let outcome = analysis.outcome_label.get(lang);
    let level = effect::level(estimate.level, lang);
    if scale != Scale::Points {
        let text = effect::text(analysis, estimate, lang);
        return Some(say(
            &words!(
                "Outcome: {outcome}. Estimated difference between {treated_name} and {control_name}: {text}, with the confidence interval ({level}) in parentheses.",
                "Utfall: {outcome}. Skattad skillnad mellan {treated_name} och {control_name}: {text}, med konfidensintervallet ({level}) inom parentes."
            ),
            lang,
        ));
    }
    let (events, of) = (control.events?, control.analysed);
    let hundred = number::fixed(control.mean? * 100.0, 0, lang);
    let (n, of) = (
        number::count(events.into(), lang),
        number::count(of.into(), lang),
    );
    let change = per_hundred(value, lang);
    let range = match (low, high) {
        (Some(low), Some(high)) => {
            let (low, high) = (per_hundred(low, lang), per_hundred(high, lang));
            words!(
                " The confidence interval ({level}) reaches from {low} to {high}.",
                " Konfidensintervallet ({level}) sträcker sig från {low} till {high}."
            )
        }
        _ => words!(
            " How uncertain that is could not be computed.",
            " Hur osäkert det är gick inte att beräkna."
        ),
    };
    let text = words!(
        "Outcome: {outcome}. Of 100 families in {control_name} it was about {hundred} ({n} of {of} families). Of 100 families in {treated_name} it was an estimated {change}.",
        "Utfall: {outcome}. Av 100 familjer i gruppen {control_name} var det omkring {hundred} ({n} av {of} familjer). Av 100 familjer i gruppen {treated_name} var det uppskattningsvis {change}."
    );
    Some(say(&text, lang) + range.get(lang))
}

/// What the registered test decides, and a warning where the interval seems to say otherwise.
fn decision(
    report: &Report<'_>,
    analysis: &AnalysisResult,
    registered: &Analysis,
    lang: Lang,
) -> Vec<Part> {
    let lock = report.lock();
    let alpha = lock
        .filter(|lock| lock.interim)
        .map_or(registered.alpha, |lock| lock.alpha);
    if alpha <= 0.0 {
        return vec![Part::Text(say(
            &words!(
                "This is an interim lock without a registered decision: the numbers are descriptive.",
                "Detta är ett datalås före studiens slut utan registrerat beslut: siffrorna är beskrivande."
            ),
            lang,
        ))];
    }
    let Some(test) = &analysis.test else {
        return Vec::new();
    };
    let p = number::p_equation(test.p_value, alpha, lang);
    let level = number::fixed(alpha, if alpha < 0.01 { 4 } else { 2 }, lang);
    let below = test.p_value <= alpha;
    let text = if below {
        words!(
            "The registered randomization test decides: {p}, at or below the registered level {level}. So large a difference would seldom come from the drawing of lots alone.",
            "Det registrerade randomiseringstestet avgör: {p}, på eller under den registrerade nivån {level}. En så stor skillnad skulle sällan uppstå av enbart lottningen."
        )
    } else {
        words!(
            "The registered randomization test decides: {p}, above the registered level {level}. A difference as large as this could well come from the drawing of lots alone. This does not show that the arms are alike.",
            "Det registrerade randomiseringstestet avgör: {p}, över den registrerade nivån {level}. En så stor skillnad kan mycket väl uppstå av enbart lottningen. Det visar inte att grupperna är lika."
        )
    };
    let mut parts = vec![Part::Text(say(&text, lang))];
    let limits = analysis
        .results
        .first()
        .and_then(|estimate| Some((estimate.conf_low?, estimate.conf_high?)));
    if let Some((low, high)) = limits {
        let excludes = low > 0.0 || high < 0.0;
        if excludes != below {
            parts.push(Part::Alert {
                lead: say(&words!("Note", "Observera"), lang),
                text: say(
                    &words!(
                        "The test and the confidence interval point to different sides of the line. The registered decision is the test's; the interval describes.",
                        "Testet och konfidensintervallet hamnar på olika sidor om gränsen. Det registrerade beslutet är testets; intervallet beskriver."
                    ),
                    lang,
                ),
            });
        }
    }
    parts
}
