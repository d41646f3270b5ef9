//! Where the numbers come from: verification, hashes, versions, custody of the seed, and what the page contains.

use super::{Fact, Part, Section, say};
use crate::diagnostic::{Lang, Words};
use crate::report::{Report, Verdict, number};
use crate::words;

pub(super) fn section(report: &Report<'_>, lang: Lang) -> Section {
    let mut parts = verdict(report, lang);
    parts.push(Part::Text(say(
        &report
            .protocol
            .study
            .custody
            .meaning(report.protocol.roles.is_some()),
        lang,
    )));
    parts.push(Part::Facts(facts(report, lang)));
    parts.push(Part::Alert {
        lead: say(&words!("Handle with care", "Hantera varsamt"), lang),
        text: say(
            &words!(
                "The page is made from pseudonymised data. It names no family, and outcomes are shown for whole arms only, never by site and arm. Small numbers may still point to a family for somebody who knows the district.",
                "Sidan bygger på pseudonymiserade uppgifter. Ingen familj pekas ut, och utfall visas bara för hela grupper, aldrig per enhet och grupp. Små tal kan ändå peka ut en familj för den som känner stadsdelen."
            ),
            lang,
        ),
    });
    Section {
        id: "origin",
        heading: say(
            &words!("Origin and verification", "Ursprung och kontroll"),
            lang,
        ),
        parts,
    }
}

fn verdict(report: &Report<'_>, lang: Lang) -> Vec<Part> {
    let events = number::count(report.provenance.events, lang);
    let allocations = number::count(report.provenance.allocations, lang);
    let text = |words: Words| Part::Text(say(&words, lang));
    match &report.provenance.verdict {
        Verdict::Verified => vec![text(words!(
            "Verified: the chain of all {events} events holds, and each of the {allocations} allocations was derived again from the seed and is the same.",
            "Kontrollerat: kedjan av alla {events} händelser håller, och var och en av de {allocations} lottdragningarna har räknats fram på nytt ur lottfröet och är densamma."
        ))],
        Verdict::ChainOnly => vec![text(words!(
            "The chain of all {events} events holds. The {allocations} allocations were not derived again, because no seed was at hand.",
            "Kedjan av alla {events} händelser håller. De {allocations} lottdragningarna räknades inte fram på nytt, eftersom inget lottfrö fanns till hands."
        ))],
        Verdict::NotRun => vec![text(words!(
            "Not verified: the ledger was not checked when this page was made.",
            "Inte kontrollerat: liggaren kontrollerades inte när sidan framställdes."
        ))],
        Verdict::Failed {
            first_bad,
            findings,
        } => {
            let place = first_bad.map_or_else(String::new, |sequence| {
                say(
                    &words!(
                        " The first event that differs is number {sequence}.",
                        " Den första händelsen som avviker är nummer {sequence}."
                    ),
                    lang,
                )
            });
            let findings: Vec<&str> = findings.iter().map(|words| words.get(lang)).collect();
            let findings = findings.join(" ");
            vec![Part::Alert {
                lead: say(
                    &words!("Verification failed", "Kontrollen misslyckades"),
                    lang,
                ),
                text: say(
                    &words!(
                        "The ledger or a draw differs from what was sealed.{place} {findings}",
                        "Liggaren eller en lottdragning avviker från det som förseglades.{place} {findings}"
                    ),
                    lang,
                ),
            }]
        }
    }
}

fn facts(report: &Report<'_>, lang: Lang) -> Vec<Fact> {
    let study = &report.protocol.study;
    let provenance = report.provenance;
    let plain = |name: Words, value: String| Fact {
        name: say(&name, lang),
        value,
        code: false,
    };
    let code = |name: Words, value: String| Fact {
        name: say(&name, lang),
        value,
        code: true,
    };
    let mut facts = vec![
        code(words!("Study", "Studie"), study.id.clone()),
        plain(
            words!("Registration", "Registrering"),
            study.registration.get(lang).to_string(),
        ),
        plain(
            words!("Data controller", "Personuppgiftsansvarig"),
            study.controller.get(lang).to_string(),
        ),
    ];
    if let Some(ethics) = &study.ethics {
        let (decision, date) = (&ethics.decision, ethics.date);
        facts.push(plain(
            words!("Ethics decision", "Etikprövning"),
            format!("{decision}, {date}"),
        ));
    }
    facts.extend([
        code(
            words!("Protocol hash (SHA-256)", "Protokollets hash (SHA-256)"),
            report.protocol.hash.to_hex(),
        ),
        code(
            words!("Head of the ledger", "Liggarens huvud"),
            provenance.head.clone(),
        ),
        plain(
            words!("Data lock", "Datalås"),
            report
                .analyses
                .lock
                .clone()
                .unwrap_or_else(|| number::UNDEFINED.to_string()),
        ),
        plain(
            words!("Cut, inclusive", "Brytdag, till och med"),
            number::date(report.analyses.cut),
        ),
    ]);
    for seed in &provenance.seeds {
        let epoch = seed.epoch;
        facts.push(code(
            words!(
                "Commitment to the seed, epoch {epoch}",
                "Utfästelse om lottfrö, epok {epoch}"
            ),
            seed.commitment.clone(),
        ));
        facts.push(plain(
            words!("Seed of epoch {epoch}", "Lottfrö för epok {epoch}"),
            say(
                &if seed.revealed {
                    words!("published in the ledger", "offentliggjort i liggaren")
                } else {
                    words!("not yet published", "ännu inte offentliggjort")
                },
                lang,
            ),
        ));
    }
    facts.push(plain(
        words!("Program", "Program"),
        format!("lottning {}", provenance.version),
    ));
    facts.push(plain(
        words!("Page made", "Sidan framställd"),
        provenance.generated.clone(),
    ));
    facts
}
