//! The line of an amendment: everything of its protocol that is otherwise than in the one before, but for words, persons and
//! the seed.
//!
//! What an amendment cannot change (`protocol::amendment`) needs no words here, but for how the registered analyses are understood:
//! programs before this one let `amend` move that by way of other sections, and the newest protocol's is the one that is made.

use super::{Amended, DeviationLine};
use crate::diagnostic::{Lang, Words};
use crate::protocol::Protocol;
use crate::protocol::model::{Analysis, Factor, Field, FieldKind, Named, SampleSize};
use crate::words;
use std::borrow::Cow;

/// Its line.
pub(super) fn line(protocol: &Protocol, own: &Amended) -> DeviationLine {
    let epoch = own.epoch;
    let (before, after) = (
        protocol.in_epoch(epoch.saturating_sub(1)),
        protocol.in_epoch(epoch),
    );
    let mut changes = drawing(before, after);
    changes.extend(size(&before.sample_size, &after.sample_size));
    changes.extend(conduct(before, after));
    changes.extend(analyses(before, after));
    let join = |lang: Lang| {
        let texts: Vec<&str> = changes.iter().map(|own| own.get(lang)).collect();
        texts.join(", ")
    };
    let (en, sv) = if changes.is_empty() {
        (
            "a new seed, or words and persons alone".to_owned(),
            "ett nytt frö, eller enbart ord och personer".to_owned(),
        )
    } else {
        (join(Lang::En), join(Lang::Sv))
    };
    let actor = own.actor.as_str();
    DeviationLine {
        code: Cow::Borrowed("amendment"),
        analysis: None,
        what: words!(
            "Amendment that opened epoch {epoch}: {en}.",
            "Ändring som öppnade epok {epoch}: {sv}."
        ),
        why: words!(
            "The sealed protocols lie in the study folder; families drawn before it are not touched.",
            "De förseglade protokollen ligger i studiemappen; familjer som lottats tidigare berörs inte."
        ),
        when: own.day.clone(),
        who: Words::same(actor),
    }
}

/// How families are drawn, and where.
fn drawing(before: &Protocol, after: &Protocol) -> Vec<Words> {
    let mut changes: Vec<Words> = Vec::new();
    let (was, is) = (&before.allocation, &after.allocation);
    if was.method != is.method {
        let (was, is) = (&was.method, &is.method);
        changes.push(words!("method {was} to {is}", "metod {was} till {is}"));
    } else if was.options != is.options {
        changes.push(words!("options of the method", "metodens val"));
    }
    if was.ratio != is.ratio {
        changes.push(words!("ratio of the arms", "armarnas förhållande"));
    }
    if was.strata != is.strata || was.factors != is.factors {
        changes.push(words!(
            "strata or balanced factors",
            "strata eller balanserade faktorer"
        ));
    }
    for (was, is) in before.fields.iter().zip(&after.fields) {
        changes.extend(field(was, is));
    }
    let (was, is) = (before.sites.len(), after.sites.len());
    if was != is {
        changes.push(words!("{was} to {is} sites", "{was} till {is} enheter"));
    }
    if before.study.beacon != after.study.beacon {
        changes.push(words!("public round", "offentlig omgång"));
    }
    changes
}

/// Cuts, levels and range of a field.
fn field(before: &Field, after: &Field) -> Vec<Words> {
    let id = &before.id;
    let mut changes = Vec::new();
    if before.cuts != after.cuts {
        changes.push(words!("cuts of {id}", "gränser för {id}"));
    }
    match (&before.kind, &after.kind) {
        (FieldKind::Choice { levels: was }, FieldKind::Choice { levels: is }) => {
            if was.len() != is.len() {
                let (was, is) = (was.len(), is.len());
                changes.push(words!(
                    "{was} to {is} levels of {id}",
                    "{was} till {is} nivåer i {id}"
                ));
            }
        }
        (FieldKind::Count { range: was, .. }, FieldKind::Count { range: is, .. })
        | (FieldKind::Number { range: was, .. }, FieldKind::Number { range: is, .. }) => {
            if was != is {
                changes.push(words!("range of {id}", "intervall för {id}"));
            }
        }
        (
            FieldKind::Count { .. }
            | FieldKind::Number { .. }
            | FieldKind::Choice { .. }
            | FieldKind::YesNo,
            _,
        ) => {}
    }
    changes
}

/// The planned size, its assumptions, and when enrolment ends.
fn size(before: &SampleSize, after: &SampleSize) -> Vec<Words> {
    let mut changes = Vec::new();
    let (was, is) = (before.target, after.target);
    if was != is {
        changes.push(words!(
            "target {was} to {is} families",
            "mål {was} till {is} familjer"
        ));
    }
    let none = || words!("none", "inget");
    let number = |own: Option<u32>| own.map_or_else(none, |own| Words::same(own.to_string()));
    let (was, is) = (before.stop_families, after.stop_families);
    if was != is {
        let (was, is) = (number(was), number(is));
        let (was_sv, is_sv) = (&was.sv, &is.sv);
        changes.push(words!(
            "number of families that ends enrolment {was} to {is}",
            "antal familjer som avslutar inskrivningen {was_sv} till {is_sv}"
        ));
    }
    let none = || words!("none", "ingen");
    let (was, is) = (before.stop_date, after.stop_date);
    if was != is {
        let date = |own: Option<jiff::civil::Date>| {
            own.map_or_else(none, |own| Words::same(own.to_string()))
        };
        let (was, is) = (date(was), date(is));
        let (was_sv, is_sv) = (&was.sv, &is.sv);
        changes.push(words!(
            "last day of enrolment {was} to {is}",
            "sista dag för inskrivning {was_sv} till {is_sv}"
        ));
    }
    let (was, is) = (before.assumed, after.assumed);
    for (en, sv, was, is) in [
        (
            "proportion in the control arm",
            "andel i kontrollarmen",
            was.control,
            is.control,
        ),
        ("effect", "effekt", was.effect, is.effect),
        ("alpha", "alfa", was.alpha, is.alpha),
        (
            "number of sides",
            "antal sidor",
            was.sides.into(),
            is.sides.into(),
        ),
        ("power", "styrka", was.power, is.power),
    ] {
        if was.to_bits() != is.to_bits() {
            let (was, is) = (Words::number(was), Words::number(is));
            let (was_sv, is_sv) = (&was.sv, &is.sv);
            changes.push(words!(
                "{en} assumed for the size {was} to {is}",
                "{sv} som antas för storleken {was_sv} till {is_sv}"
            ));
        }
    }
    changes
}

/// How the study is conducted.
fn conduct(before: &Protocol, after: &Protocol) -> Vec<Words> {
    let ids =
        |reasons: &[Named]| -> Vec<String> { reasons.iter().map(|own| own.id.clone()).collect() };
    let (was, is) = (&before.study, &after.study);
    [
        (
            before.events != after.events,
            words!("what events carry", "vad händelser bär"),
        ),
        (
            ids(&before.violations.reasons) != ids(&after.violations.reasons)
                || ids(&before.deviations.reasons) != ids(&after.deviations.reasons),
            words!(
                "reasons of violations or deviations",
                "skäl till avsteg eller avvikelser"
            ),
        ),
        (
            before.violations.cap != after.violations.cap,
            words!("cap on violations", "tak för avsteg"),
        ),
        (
            before.roles.is_some() != after.roles.is_some(),
            words!("whether roles are kept apart", "om roller hålls isär"),
        ),
        (
            before.capacity != after.capacity,
            words!(
                "capacity assumed for the plan",
                "kapacitet som antas i planen"
            ),
        ),
        (
            (&was.ethics, was.dpia) != (&is.ethics, is.dpia),
            words!(
                "decision on ethics or impact assessment",
                "etikbeslut eller konsekvensbedömning"
            ),
        ),
        (
            was.law != is.law || was.ascertainment != is.ascertainment,
            words!(
                "time limits of the law, or since when reports are complete",
                "lagens tidsgränser, eller sedan när anmälningar är fullständiga"
            ),
        ),
    ]
    .into_iter()
    .filter_map(|(changed, words)| changed.then_some(words))
    .collect()
}

/// Registered analyses that are understood otherwise, by what they leave to other sections.
fn analyses(before: &Protocol, after: &Protocol) -> Vec<Words> {
    let pairs = before.analyses.iter().zip(&after.analyses);
    let all = pairs.flat_map(|(was, is)| analysis((before, was), (after, is)));
    all.collect()
}

/// Its alpha, its strata, and the cuts of the levels by which it has strata or subgroups.
fn analysis(
    (before, was): (&Protocol, &Analysis),
    (after, is): (&Protocol, &Analysis),
) -> Vec<Words> {
    let id = &was.id;
    let mut changes = Vec::new();
    if was.alpha.to_bits() != is.alpha.to_bits() {
        let (was, is) = (Words::number(was.alpha), Words::number(is.alpha));
        let (was_sv, is_sv) = (&was.sv, &is.sv);
        changes.push(words!(
            "alpha of the analysis `{id}` {was} to {is}",
            "alfa i analysen `{id}` {was_sv} till {is_sv}"
        ));
    }
    if was.strata != is.strata {
        let named = |protocol: &Protocol, factors: &[Factor]| {
            let names: Vec<&str> = factors.iter().map(|own| protocol.factor_id(*own)).collect();
            if names.is_empty() {
                words!("none", "inga")
            } else {
                Words::same(names.join(" × "))
            }
        };
        let (was, is) = (named(before, &was.strata), named(after, &is.strata));
        let (was_sv, is_sv) = (&was.sv, &is.sv);
        changes.push(words!(
            "strata of the analysis `{id}` {was} to {is}",
            "strata i analysen `{id}` {was_sv} till {is_sv}"
        ));
    }
    for (place, (own, new)) in before.fields.iter().zip(&after.fields).enumerate() {
        let factor = Factor::Field(place);
        let both = |one: &[Factor], two: &[Factor]| one.contains(&factor) && two.contains(&factor);
        let by_levels = both(&was.strata, &is.strata) || both(&was.subgroups, &is.subgroups);
        if own.cuts != new.cuts && by_levels {
            let field = &own.id;
            changes.push(words!(
                "levels of {field} that the analysis `{id}` goes by",
                "nivåer i {field} som analysen `{id}` går efter"
            ));
        }
    }
    changes
}
