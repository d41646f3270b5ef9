//! Warnings about exceptions and violations: a registered cap that is passed, and the policy of a violation. They refuse
//! nothing and are said where the event is recorded and in `status`.

use crate::diagnostic::{Diagnostic, Words};
use crate::protocol::Protocol;
use crate::protocol::model::{Day, Violations};
use crate::study::caps::{Alert, Capped, alerts_after};
use crate::study::journal::Journal;
use crate::study::kernel::{FamilyIx, SiteIx, What};
use crate::words;

/// Warnings when one more exception on `day` passes a registered cap.
pub(super) fn of_exception(
    journal: &Journal,
    family: FamilyIx,
    site: SiteIx,
    day: Day,
) -> Vec<Diagnostic> {
    let family = journal.state.unit(family);
    passed(journal, Capped::Exceptions, (site, day), family)
}

/// What a person should know when an event is recorded: of a violation, its policy and the caps that it passes.
pub(super) fn of_event(journal: &Journal, what: &What) -> Vec<Diagnostic> {
    let What::Violation {
        family, on, reason, ..
    } = *what
    else {
        return Vec::new();
    };
    let mut warnings = Vec::new();
    if let Some(policy) = Violations::policy(reason) {
        let (id, label, rule) = (policy.text(), policy.label(), policy.rule());
        let (label_en, label_sv) = (label.en, label.sv);
        let Words { en, sv } = &rule;
        warnings.push(
            Diagnostic::warning(
                "document-not-correct",
                words!(
                    "`{id}` ({label_en}) is documented, not corrected: {en}",
                    "`{id}` ({label_sv}) dokumenteras men rättas inte: {sv}"
                ),
            )
            .help(policy.next_step().unwrap_or_else(|| {
                Words::new(
                    "nothing more is needed; the report shows it",
                    "inget mer behövs; rapporten visar det",
                )
            })),
        );
    }
    if let Some(site) = journal.state.family(family).map(|own| own.site) {
        let at = (site, on);
        warnings.extend(passed(journal, Capped::Violations, at, family));
    }
    warnings
}

fn passed(
    journal: &Journal,
    capped: Capped,
    at: (SiteIx, Day),
    family: FamilyIx,
) -> Vec<Diagnostic> {
    let protocol = &journal.protocol;
    alerts_after(protocol, &journal.state, capped, at, family)
        .iter()
        .map(|alert| warning(protocol, alert))
        .collect()
}

/// A cap that is passed, as a warning.
pub fn warning(protocol: &Protocol, alert: &Alert) -> Diagnostic {
    let message = words_of(protocol, alert);
    let (Alert::Site { capped, .. } | Alert::Study { capped, .. }) = alert;
    match capped {
        Capped::Exceptions => Diagnostic::warning("exception-cap", message).help(Words::new(
            "tell the study lead before the next exception",
            "kontakta studieledaren före nästa undantag",
        )),
        Capped::Violations => Diagnostic::warning("violation-cap", message).help(Words::new(
            "tell the study lead now",
            "kontakta studieledaren nu",
        )),
    }
}

/// A cap that is passed, in words.
pub fn words_of(protocol: &Protocol, alert: &Alert) -> Words {
    match *alert {
        Alert::Site {
            capped,
            site,
            quarter: (year, quarter),
            count,
            cap,
        } => {
            let name = protocol
                .sites
                .get(usize::from(site.0))
                .map_or("", |site| site.name.as_str());
            match capped {
                Capped::Exceptions => words!(
                    "{name} has {count} exceptions in quarter {quarter} of {year}; the registered cap is {cap}",
                    "{name} har {count} undantag under kvartal {quarter} {year}; det registrerade taket är {cap}"
                ),
                Capped::Violations => words!(
                    "{name} has {count} violations in quarter {quarter} of {year}; the registered cap is {cap}",
                    "{name} har {count} avsteg under kvartal {quarter} {year}; det registrerade taket är {cap}"
                ),
            }
        }
        Alert::Study {
            capped,
            families,
            of,
            share,
            cap,
        } => {
            let percent = |share: f64| format!("{:.1}", 100.0 * share);
            let (share, cap) = (percent(share), percent(cap));
            let (share_sv, cap_sv) = (share.replace('.', ","), cap.replace('.', ","));
            match capped {
                Capped::Exceptions => words!(
                    "{families} of {of} families ({share} per cent) now have an exception; the registered cap is {cap} per cent",
                    "{families} av {of} familjer ({share_sv} procent) har nu ett undantag; det registrerade taket är {cap_sv} procent"
                ),
                Capped::Violations => words!(
                    "{families} of {of} randomized families ({share} per cent) now have a violation; the registered cap is {cap} per cent",
                    "{families} av {of} lottade familjer ({share_sv} procent) har nu ett avsteg; det registrerade taket är {cap_sv} procent"
                ),
            }
        }
    }
}
