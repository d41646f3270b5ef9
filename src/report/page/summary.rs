//! The box at the top, for people who decide: what was compared, what was seen, what can be said.
//!
//! Natural frequencies ("of 100 families"), the interval always beside the estimate, never "no effect". The decision is
//! the registered test's; where the interval seems to say otherwise, that is a warning.

use super::{Part, Section, say};
use crate::analysis::results::AnalysisResult;
use crate::diagnostic::{Lang, Words};
use crate::estimation::Estimate;
use crate::numerics::shares::within;
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
                "Ingen analys är registrerad för denna låsning."
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
        parts.extend(starting_point(report, analysis, estimate, lang).map(Part::Text));
    }
    let conclusions = analysis.conclusions();
    parts.extend(conclusions.map(|own| Part::Text(say(own, lang))));
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
    } else {
        parts.extend(decision(analysis, lang));
    }
    parts
}

/// How common the outcome was without the treated arm's service: what the conclusion's differences start from.
fn starting_point(
    report: &Report<'_>,
    analysis: &AnalysisResult,
    estimate: &Estimate,
    lang: Lang,
) -> Option<String> {
    if effect::scale(analysis, estimate) != Scale::Points {
        return None;
    }
    let (_, control) = effect::contrast(report, analysis, estimate)?;
    let name = report.arm(control.arm, lang);
    let outcome = analysis.outcome_label.get(lang);
    let hundred = number::fixed(control.mean? * 100.0, 0, lang);
    let (n, of) = (
        number::count(control.events?.into(), lang),
        number::count(control.analysed.into(), lang),
    );
    let text = words!(
        "The question is how many have the outcome “{outcome}”. Of 100 families allocated to {name} it was about {hundred} ({n} of {of} families).",
        "Frågan är hur många som har utfallet ”{outcome}”. Av 100 familjer lottade till {name} var det omkring {hundred} ({n} av {of} familjer)."
    );
    Some(say(&text, lang))
}

/// What the registered test decides, and a warning where the interval seems to say otherwise.
fn decision(analysis: &AnalysisResult, lang: Lang) -> Vec<Part> {
    // What an earlier look has decided the test no longer decides, as the conclusion says.
    if analysis.decided_earlier().is_some() {
        return Vec::new();
    }
    // Without a limit the lock describes and decides nothing.
    let Some(alpha) = analysis.alpha else {
        return Vec::new();
    };
    // Of several comparisons each conclusion says what its test decides.
    let Some(test) = analysis
        .test
        .as_ref()
        .filter(|_| analysis.further.is_empty())
    else {
        return Vec::new();
    };
    let below = within(analysis.p_adjusted.unwrap_or(test.p_value), alpha);
    let text = if below {
        words!(
            "The registered randomization test decides. So large a difference would seldom come from the drawing of lots alone.",
            "Det registrerade randomiseringstestet avgör. En så stor skillnad skulle sällan uppstå av enbart lottningen."
        )
    } else {
        words!(
            "The registered randomization test decides. A difference as large as this could well come from the drawing of lots alone. This does not show that the arms are alike.",
            "Det registrerade randomiseringstestet avgör. En så stor skillnad kan mycket väl uppstå av enbart lottningen. Det visar inte att grupperna är lika."
        )
    };
    let mut parts = vec![Part::Text(say(&text, lang))];
    let mut told = analysis.warnings.iter();
    if told.any(|own| own.code == "test-and-interval-disagree") {
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
    parts
}
