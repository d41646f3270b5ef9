//! The second half of the plan: outcomes, data locks and analyses.
//!
//! The estimand's sentence is the protocol's own ([`Protocol::estimand_sentence`]).

use super::{Plan, joined, services, tidy, with_commas};
use crate::diagnostic::Words;
use crate::protocol::Protocol;
use crate::protocol::model::{
    Analysis, Covariate, Cut, Exit, Multiplicity, OutcomeKind, Role, Test,
};
use crate::words;

pub(super) fn outcomes(plan: &mut Plan, protocol: &Protocol) {
    plan.heading(&words!("Outcomes", "Utfall"));
    for outcome in &protocol.outcomes {
        let Words { en, sv } = &outcome.label;
        let id = &outcome.id;
        let rule = match &outcome.kind {
            OutcomeKind::Reports {
                window_days: (first, last),
                same_incident_within_days,
                without_study_staff,
                without_attached,
            } => {
                let mut rule = words!(
                    "reports of concern on days {first} to {last} after randomization",
                    "orosanmälningar dag {first} till {last} efter lottningen"
                );
                if let Some(days) = same_incident_within_days {
                    let Words { en, sv } = &rule;
                    rule = words!(
                        "{en}; a report of the index incident within {days} days is not counted",
                        "{sv}; en anmälan om samma händelse inom {days} dagar räknas inte"
                    );
                }
                if *without_study_staff {
                    let Words { en, sv } = &rule;
                    rule = words!(
                        "{en}; reports by the staff of the study's services are not counted",
                        "{sv}; anmälningar av personalen i studiens insatser räknas inte"
                    );
                }
                if *without_attached {
                    let Words { en, sv } = &rule;
                    rule = words!(
                        "{en}; a report that is attached to an open investigation is not counted",
                        "{sv}; en anmälan som förs till en pågående utredning räknas inte"
                    );
                }
                rule
            }
            OutcomeKind::Binary {
                events,
                window_days: (first, last),
            } => {
                let events = services(events);
                words!(
                    "yes if all of {events} happened on days {first} to {last} after randomization",
                    "ja om allt av {events} har hänt dag {first} till {last} efter lottningen"
                )
            }
            OutcomeKind::Duration { to, horizon_days } => {
                let to = to.text();
                words!(
                    "days from randomization to the first `{to}`, at most {horizon_days}",
                    "dagar från lottningen till första `{to}`, högst {horizon_days}"
                )
            }
            OutcomeKind::Observed {
                window_days: (first, last),
            } => words!(
                "a value observed on days {first} to {last} after randomization",
                "ett värde som observeras dag {first} till {last} efter lottningen"
            ),
        };
        let Words {
            en: rule_en,
            sv: rule_sv,
        } = &rule;
        plan.item(&words!(
            "{en} (`{id}`): {rule_en}.",
            "{sv} (`{id}`): {rule_sv}."
        ));
    }
    let names = |exits: &[Exit]| {
        exits
            .iter()
            .map(|exit| format!("`{}`", exit.text()))
            .collect::<Vec<_>>()
            .join(", ")
    };
    let (terminal, censors) = (
        names(&protocol.exits.terminal),
        names(&protocol.exits.censors),
    );
    let Words {
        en: area_en,
        sv: area_sv,
    } = &protocol.exits.coverage;
    plan.line(&Words::default());
    if !terminal.is_empty() {
        plan.line(&words!(
            "Terminal exits, after which the count stops and is observed: {terminal}.",
            "Slutliga avslut, efter vilka räkningen slutar och är observerad: {terminal}."
        ));
    }
    if !censors.is_empty() {
        plan.line(&words!(
            "Censoring exits, after which the outcome is not known: {censors}. Area of the register: {area_en}.",
            "Censurerande avslut, efter vilka utfallet inte är känt: {censors}. Registrets område: {area_sv}."
        ));
    }
}

pub(super) fn locks(plan: &mut Plan, protocol: &Protocol) {
    plan.heading(&words!("Data locks", "Datalåsningar"));
    for lock in &protocol.locks {
        let id = &lock.id;
        let cut = match lock.cut {
            Cut::On(date) => words!("cut at {date}", "snitt {date}"),
            Cut::AfterLastWindow { grace_days } => words!(
                "when the last window has ended, plus {grace_days} days",
                "när det sista fönstret har slutat, plus {grace_days} dagar"
            ),
        };
        let Words { en, sv } = &cut;
        let spends = tidy(lock.alpha);
        plan.item(&if lock.interim && lock.alpha > 0.0 {
            with_commas(words!(
                "`{id}`: interim, {en}; a look at the primary analysis, which spends alpha {spends}.",
                "`{id}`: interim, {sv}; en titt på den primära analysen, som förbrukar alfa {spends}."
            ))
        } else if lock.interim {
            words!(
                "`{id}`: interim, {en}; descriptive, spends no alpha.",
                "`{id}`: interim, {sv}; beskrivande, förbrukar inget alfa."
            )
        } else {
            words!("`{id}`: final, {en}.", "`{id}`: slutlig, {sv}.")
        });
    }
}

pub(super) fn analyses(plan: &mut Plan, protocol: &Protocol) {
    plan.heading(&words!("Analyses", "Analyser"));
    for analysis in &protocol.analyses {
        one_analysis(plan, protocol, analysis);
    }
    if protocol.arms.len() > 2 {
        plan.line(&match protocol.primary_multiplicity {
            Multiplicity::Holm => words!(
                "Each treated arm is compared with control. The comparisons of the primary analysis are protected by Holm's procedure.",
                "Varje behandlad arm jämförs med kontrollarmen. Den primära analysens jämförelser skyddas av Holms metod."
            ),
            Multiplicity::WestfallYoung => words!(
                "Each treated arm is compared with control. The comparisons of the primary analysis are protected by Westfall and Young's step-down procedure on shared redraws.",
                "Varje behandlad arm jämförs med kontrollarmen. Den primära analysens jämförelser skyddas av Westfall och Youngs stegvisa metod på gemensamma omlottningar."
            ),
            Multiplicity::FixedSequence => words!(
                "Each treated arm is compared with control. The comparisons of the primary analysis are protected by the order of the arms: each stands only if all before it do.",
                "Varje behandlad arm jämförs med kontrollarmen. Den primära analysens jämförelser skyddas av armarnas ordning: var och en gäller bara om alla före den gör det."
            ),
            Multiplicity::None => words!(
                "Each treated arm is compared with control. The comparisons of the primary analysis are not adjusted for multiplicity.",
                "Varje behandlad arm jämförs med kontrollarmen. Den primära analysens jämförelser justeras inte för multiplicitet."
            ),
        });
    }
    match protocol.multiplicity {
        Some(Multiplicity::Holm) => plan.line(&words!(
            "The secondary analyses of a lock are protected by Holm's procedure.",
            "De sekundära analyserna i en låsning skyddas av Holms metod."
        )),
        Some(Multiplicity::WestfallYoung) => plan.line(&words!(
            "The secondary analyses of a lock are protected by Westfall and Young's step-down procedure on shared redraws.",
            "De sekundära analyserna i en låsning skyddas av Westfall och Youngs stegvisa metod på gemensamma omlottningar."
        )),
        Some(Multiplicity::FixedSequence) => plan.line(&words!(
            "The secondary analyses of a lock are protected by their order: each stands only if all before it do.",
            "De sekundära analyserna i en låsning skyddas av sin ordning: var och en gäller bara om alla före den gör det."
        )),
        Some(Multiplicity::None) => plan.line(&words!(
            "The secondary analyses are not adjusted for multiplicity.",
            "De sekundära analyserna justeras inte för multiplicitet."
        )),
        None => {}
    }
}

fn one_analysis(plan: &mut Plan, protocol: &Protocol, analysis: &Analysis) {
    let (id, role) = (&analysis.id, analysis.role.text());
    let lock = &protocol.locks[analysis.lock].id;
    let role_sv = match analysis.role {
        Role::Primary => "primär",
        Role::Secondary => "sekundär",
        Role::Exploratory => "explorativ",
    };
    plan.line(&words!(
        "### `{id}` ({role}, at the lock `{lock}`)\n",
        "### `{id}` ({role_sv}, vid låsningen `{lock}`)\n"
    ));
    let Words { en, sv } = &protocol.estimand_sentence(analysis);
    plan.item(&words!("Estimand: {en}", "Estimand: {sv}"));
    for attribute in protocol.estimand_attributes(analysis) {
        let (Words { en, sv }, value) = (&attribute.name, &attribute.value);
        let (value_en, value_sv) = (&value.en, &value.sv);
        plan.line(&words!("  - {en}: {value_en}", "  - {sv}: {value_sv}"));
    }
    let estimator = &analysis.estimator;
    let covariates: Vec<Words> = analysis
        .covariates
        .iter()
        .map(|covariate| match covariate {
            Covariate::Site => words!("site", "enhet"),
            Covariate::Field(index) => protocol.fields[*index].label.clone(),
            Covariate::MonthsSinceStart => words!(
                "months since the first site opened",
                "månader sedan den första enheten öppnade"
            ),
        })
        .collect();
    if covariates.is_empty() {
        plan.item(&words!(
            "Estimator `{estimator}`, without covariates.",
            "Estimator `{estimator}`, utan kovariater."
        ));
    } else {
        let Words { en, sv } = joined(&covariates);
        plan.item(&words!(
            "Estimator `{estimator}`, with {en}.",
            "Estimator `{estimator}`, med {sv}."
        ));
    }
    let stated = analysis.stated(protocol);
    if !stated.is_empty() {
        let list: Vec<String> = stated
            .iter()
            .map(|(key, value)| format!("`{key}` {value}"))
            .collect();
        let list = list.join("; ");
        plan.item(&words!("Options: {list}.", "Val: {list}."));
    }
    let alpha = tidy(analysis.alpha);
    plan.item(&match analysis.test {
        Some(Test::Randomization { draws }) if analysis.is_scored() => {
            let id = &analysis.estimator;
            with_commas(words!(
                "Decision: two-sided conditional randomization test with the statistic of `{id}` ({draws} redraws unless it can be exact), alpha {alpha}; it has no interval by inversion.",
                "Beslut: tvåsidigt betingat randomiseringstest med teststorheten i `{id}` ({draws} omlottningar om det inte kan göras exakt), alfa {alpha}; det har inget intervall genom inversion."
            ))
        }
        Some(Test::Randomization { draws }) => with_commas(words!(
            "Decision: two-sided conditional randomization test ({draws} redraws unless it can be exact), alpha {alpha}; the interval describes.",
            "Beslut: tvåsidigt betingat randomiseringstest ({draws} omlottningar om det inte kan göras exakt), alfa {alpha}; intervallet beskriver."
        )),
        None => with_commas(words!(
            "Decision: the estimator's own two-sided test, alpha {alpha}.",
            "Beslut: skattningsmetodens eget tvåsidiga test, alfa {alpha}."
        )),
    });
    let rule = analysis.missing.text();
    let Words { en, sv } = &analysis.missing.words();
    plan.item(&words!(
        "Missing outcomes: {en} (`{rule}`).",
        "Saknade utfall: {sv} (`{rule}`)."
    ));
    if !analysis.sensitivity.is_empty() {
        let names: Vec<Words> = analysis.sensitivity.iter().map(|own| own.words()).collect();
        let Words { en, sv } = joined(&names);
        plan.item(&words!(
            "Beside it, for missing outcomes: {en}.",
            "Vid sidan av, för saknade utfall: {sv}."
        ));
    }
    if !analysis.sensitivity_outcomes.is_empty() {
        let outcomes = analysis.sensitivity_outcomes.iter();
        let names: Vec<Words> = outcomes
            .map(|index| protocol.outcomes[*index].label.clone())
            .collect();
        let Words { en, sv } = joined(&names);
        plan.item(&words!("The same of: {en}.", "Detsamma för: {sv}."));
    }
    skewed(plan, analysis);
    plan.line(&Words::default());
}

/// The rows beside the result of a skewed number.
fn skewed(plan: &mut Plan, analysis: &Analysis) {
    if let Some(share) = analysis.sensitivity_winsorized {
        let Words { en, sv } = &Words::number(share);
        plan.item(&words!(
            "Beside it, for extreme outcomes: the same with the share {en} of them at each end drawn in to its quantile (winsorized).",
            "Vid sidan av, för extrema utfall: detsamma med andelen {sv} av dem i vardera änden indragna till dess kvantil (winsoriserade)."
        ));
    }
    if let Some(resamples) = analysis.sensitivity_bootstrap {
        plan.item(&words!(
            "Beside it, for the interval: a studentized bootstrap of the families within their arms ({resamples} resamples).",
            "Vid sidan av, för intervallet: en studentiserad bootstrap av familjerna inom sina grupper ({resamples} bootstrapurval)."
        ));
    }
}
