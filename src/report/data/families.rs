//! A row for each randomized family of the lock: where, in which arm, what was known at the draw, and each outcome.

use super::codebook::{Codebook, Explained, Kind, cell, days, yes_no};
use super::{Data, study_day, summary, told, window};
use crate::diagnostic::Words;
use crate::protocol::model::{Day, Field, FieldKind, Outcome, OutcomeKind, Protocol};
use crate::report::flat::{File, number};
use crate::study::children::members;
use crate::study::conduct::{ELIGIBLE_SET, found_ineligible};
use crate::study::course::course;
use crate::study::dataset::{self, End, Unit};
use crate::study::field_value::canonical;
use crate::study::kernel::Family;
use crate::words;

pub(super) fn table(data: &Data<'_>, units: &[Unit], book: &mut Codebook) -> File {
    let mut table = Explained::new("families.csv", book);
    table.add(
        "family",
        &Kind::Whole,
        &words!(
            "number of the family in the order of the draw; the study's pseudonym is left out",
            "familjens nummer i lottningens ordning; studiens pseudonym är utelämnad"
        ),
        (1..=units.len()).map(|number| number.to_string()).collect(),
    );
    drawn(data, units, &mut table);
    known_at_the_draw(data, units, &mut table);
    followed(data, units, &mut table);
    for outcome in 0..data.protocol.outcomes.len() {
        one(data, units, outcome, &mut table);
    }
    table.file()
}

/// The family behind a row.
pub(super) fn own<'d>(data: &Data<'d>, unit: &Unit) -> Option<&'d Family> {
    data.state.family(unit.family)
}

/// The sites as levels.
pub(super) fn sites(protocol: &Protocol) -> Kind {
    let sites = protocol.sites.iter();
    Kind::Category(
        sites
            .map(|site| (site.id.clone(), Words::same(site.name.clone())))
            .collect(),
    )
}

/// The arms as levels.
pub(super) fn arms(protocol: &Protocol) -> Kind {
    let arms = protocol.arms.iter();
    Kind::Category(
        arms.map(|arm| (arm.id.clone(), arm.label.clone()))
            .collect(),
    )
}

fn drawn(data: &Data<'_>, units: &[Unit], table: &mut Explained<'_>) {
    let protocol = data.protocol;
    let column = |value: &dyn Fn(&Unit) -> String| units.iter().map(value).collect();
    table.add(
        "site",
        &sites(protocol),
        &words!(
            "site where the family was randomized",
            "enhet där familjen lottades"
        ),
        column(&|unit| cell(protocol.sites.get(unit.site).map(|site| &site.id))),
    );
    table.add(
        "arm",
        &arms(protocol),
        &words!(
            "arm as randomized, whatever service the family had",
            "grupp enligt lottningen, vilken insats familjen än fick"
        ),
        column(&|unit| cell(protocol.arms.get(unit.arm.index()).map(|arm| &arm.id))),
    );
    let draw = |unit: &Unit| data.state.allocations.get(unit.allocation);
    table.add(
        "epoch",
        &Kind::Whole,
        &words!(
            "epoch of the protocol in which the family was drawn, from 0",
            "protokollets epok då familjen lottades, från 0"
        ),
        column(&|unit| cell(draw(unit).map(|own| own.epoch))),
    );
    table.add(
        "stratum",
        &Kind::Text,
        &words!(
            "stratum of the draw: the levels of its factors joined by /, as the family was drawn; NA in a draw without strata",
            "lottningens stratum: faktorernas nivåer åtskilda av /, som familjen lottades; NA i en lottning utan strata"
        ),
        column(&|unit| {
            let levels = draw(unit).map(|own| {
                let protocol = data.epochs.in_epoch(own.epoch);
                protocol.stratum_levels(own.stratum as usize).join("/")
            });
            cell(levels.filter(|levels| !levels.is_empty()))
        }),
    );
    let balances = |unit: &Unit| {
        let own = draw(unit)?;
        let texts = data.epochs.in_epoch(own.epoch).cell_texts(own.cell);
        (!texts.is_empty()).then(|| texts.join("/"))
    };
    if units.iter().any(|unit| balances(unit).is_some()) {
        table.add(
            "balanced",
            &Kind::Text,
            &words!(
                "levels of the factors that the draw balances, joined by /",
                "nivåerna för de faktorer som lottningen balanserar, åtskilda av /"
            ),
            column(&|unit| cell(balances(unit))),
        );
    }
    table.measured(
        "study_day",
        &Kind::Whole,
        &days(),
        &words!(
            "day of the draw, from the first site's opening",
            "lottningens dag, från den första enhetens öppnande"
        ),
        column(&|unit| cell(own(data, unit).map(|own| study_day(data, own.randomized)))),
    );
    table.add(
        "found_ineligible",
        &Kind::YesNo,
        &words!(
            "whether the family was found, after the draw, not to have been eligible: it stays in its arm, and the sensitivity row {ELIGIBLE_SET} of an analysis leaves it out",
            "om familjen efter lottningen visade sig inte uppfylla villkoren: den är kvar i sin grupp, och en analys känslighetsrad {ELIGIBLE_SET} utelämnar den"
        ),
        column(&|unit| yes_no(Some(found_ineligible(data.state, unit.family)))),
    );
}

fn known_at_the_draw(data: &Data<'_>, units: &[Unit], table: &mut Explained<'_>) {
    let state = data.state;
    table.measured(
        "report_day",
        &Kind::Whole,
        &days(),
        &words!(
            "day on which the report that the family was drawn with had been received, from the draw: 0 or negative",
            "dag då den anmälan som familjen lottades med hade kommit in, från lottningen: 0 eller negativ"
        ),
        units
            .iter()
            .map(|unit| {
                let report = own(data, unit).and_then(|own| {
                    let report = state.reports.get(own.report.0 as usize)?;
                    Some(report.intake.unwrap_or(report.received).since(own.randomized))
                });
                cell(report)
            })
            .collect(),
    );
    let roster = members(state, units);
    let mut children = vec![0_u32; units.len()];
    for member in roster {
        if let Some(count) = children.get_mut(member.row as usize) {
            *count += 1;
        }
    }
    table.add(
        "children",
        &Kind::Whole,
        &words!(
            "children on the family's roster at the draw",
            "barn på familjens lista vid lottningen"
        ),
        children.iter().map(u32::to_string).collect(),
    );
    for (index, field) in data.protocol.fields.iter().enumerate() {
        self::field(data, units, (index, field), table);
    }
}

fn field(
    data: &Data<'_>,
    units: &[Unit],
    (index, field): (usize, &Field),
    table: &mut Explained<'_>,
) {
    let (kind, unit) = match &field.kind {
        FieldKind::Count { unit, .. } => (Kind::Whole, unit.clone()),
        FieldKind::Number { unit, .. } => (Kind::Number, unit.clone()),
        FieldKind::Choice { levels } => {
            let levels = levels.iter();
            let levels = levels.map(|level| (level.id.clone(), level.label.clone()));
            (Kind::Category(levels.collect()), None)
        }
        FieldKind::YesNo => (Kind::YesNo, None),
    };
    let unit = unit.unwrap_or_default();
    let Words { en, sv } = &field.label;
    let text = |value: Option<i64>| cell(value.map(|value| canonical(&field.kind, value)));
    let truth: Vec<String> = units
        .iter()
        .map(|unit| text(data.state.true_value(unit.family, index)))
        .collect();
    let drawn: Vec<String> = units
        .iter()
        .map(|unit| text(own(data, unit).and_then(|own| own.values.get(index).copied())))
        .collect();
    let mistaken = truth != drawn;
    table.measured(
        format!("field.{}", field.id),
        &kind,
        &unit,
        &words!(
            "{en}: the true value at the draw, as the analyses have it",
            "{sv}: det sanna värdet vid lottningen, som analyserna har det"
        ),
        truth,
    );
    if mistaken {
        table.measured(
            format!("drawn.{}", field.id),
            &kind,
            &unit,
            &words!(
                "{en}: the value that the family was drawn with; for at least one family a violation says that it was wrong",
                "{sv}: det värde som familjen lottades med; för minst en familj säger ett avsteg att det var fel"
            ),
            drawn,
        );
    }
}

/// How follow-up ended, as levels.
pub(super) fn ends(protocol: &Protocol, window: bool) -> Kind {
    let names = |exits: &[crate::protocol::model::Exit]| {
        let names: Vec<&str> = exits.iter().map(|exit| exit.text()).collect();
        names.join(", ")
    };
    let (terminal, censors) = (
        names(&protocol.exits.terminal),
        names(&protocol.exits.censors),
    );
    let mut levels = vec![
        (
            "cut".to_owned(),
            words!("the lock's cut", "låsningens brytdatum"),
        ),
        (
            "terminal".to_owned(),
            words!(
                "a terminal exit ({terminal})",
                "ett slutligt avslut ({terminal})"
            ),
        ),
        (
            "censored".to_owned(),
            words!(
                "a censoring exit ({censors}) or a withdrawal",
                "ett censurerande avslut ({censors}) eller en återkallelse"
            ),
        ),
    ];
    if window {
        let own = words!("the end of the window", "fönstrets slut");
        levels.insert(0, ("window".to_owned(), own));
    }
    Kind::Category(levels)
}

pub(super) fn end(end: End) -> &'static str {
    match end {
        End::Window => "window",
        End::Terminal => "terminal",
        End::Censored => "censored",
        End::Cut => "cut",
    }
}

fn followed(data: &Data<'_>, units: &[Unit], table: &mut Explained<'_>) {
    let (protocol, state, cut) = (data.protocol, data.state, data.cut);
    let ended: Vec<Option<(i32, End)>> = units
        .iter()
        .map(|unit| {
            let own = own(data, unit)?;
            let never = Day(i32::MAX);
            let follow = dataset::follow_up(protocol, state, cut, unit.family, own, never);
            Some((follow.until.since(own.randomized), follow.end))
        })
        .collect();
    table.measured(
        "followed_days",
        &Kind::Whole,
        &days(),
        &words!(
            "last day of follow-up, from the draw, whatever the windows",
            "uppföljningens sista dag, från lottningen, oavsett fönster"
        ),
        ended
            .iter()
            .map(|own| cell(own.map(|(days, _)| days)))
            .collect(),
    );
    table.add(
        "followed_to",
        &ends(protocol, false),
        &words!(
            "what ended follow-up then",
            "vad som då avslutade uppföljningen"
        ),
        ended
            .iter()
            .map(|own| cell(own.map(|(_, why)| end(why))))
            .collect(),
    );
}

/// How an outcome can be known, as levels.
pub(super) fn statuses() -> Kind {
    Kind::Category(vec![
        (
            "known".to_owned(),
            words!("its value is known", "värdet är känt"),
        ),
        (
            "unknown".to_owned(),
            words!(
                "its window has ended and its value is not known",
                "fönstret har slutat och värdet är inte känt"
            ),
        ),
        (
            "not-yet".to_owned(),
            words!(
                "its window had not ended at the cut",
                "fönstret hade inte slutat vid brytdatumet"
            ),
        ),
    ])
}

/// What the number of an outcome is.
pub(super) fn value(outcome: &Outcome) -> (Kind, Words, Words) {
    let (first, last) = window(outcome);
    let Words { en, sv } = &outcome.label;
    match outcome.kind {
        OutcomeKind::Reports { .. } => (
            Kind::Whole,
            words!("reports", "anmälningar"),
            words!(
                "{en}: reports that count, on days {first} to {last} after the draw",
                "{sv}: anmälningar som räknas, dag {first} till {last} efter lottningen"
            ),
        ),
        OutcomeKind::Binary { .. } => (
            Kind::Whole,
            Words::default(),
            words!(
                "{en}: 1 if all its events happened on days {first} to {last} after the draw, else 0",
                "{sv}: 1 om alla dess händelser inträffade dag {first} till {last} efter lottningen, annars 0"
            ),
        ),
        OutcomeKind::Duration { .. } => (
            Kind::Whole,
            days(),
            words!(
                "{en}: days from the draw, at most {last}",
                "{sv}: dagar från lottningen, högst {last}"
            ),
        ),
        OutcomeKind::Observed { .. } => (
            Kind::Number,
            Words::default(),
            words!(
                "{en}: the value observed on days {first} to {last} after the draw",
                "{sv}: det värde som observerades dag {first} till {last} efter lottningen"
            ),
        ),
    }
}

/// The columns of an outcome: how it is known, what it is, and how long its window was followed.
fn one(data: &Data<'_>, units: &[Unit], outcome: usize, table: &mut Explained<'_>) {
    let (protocol, state, cut) = (data.protocol, data.state, data.cut);
    let spec = &protocol.outcomes[outcome];
    let (id, summary) = (&spec.id, summary(&spec.kind));
    let Words { en, sv } = &spec.label;
    let known: Vec<(&str, Option<f64>)> = units
        .iter()
        .map(|unit| {
            told(dataset::outcome(
                protocol,
                state,
                cut,
                unit.family,
                outcome,
                summary,
            ))
        })
        .collect();
    table.add(
        format!("outcome.{id}.status"),
        &statuses(),
        &words!(
            "{en}: how it is known at the cut",
            "{sv}: hur det är känt vid brytdatumet"
        ),
        known
            .iter()
            .map(|(status, _)| (*status).to_owned())
            .collect(),
    );
    let (kind, unit, meaning) = value(spec);
    table.measured(
        format!("outcome.{id}.value"),
        &kind,
        &unit,
        &meaning,
        known.iter().map(|(_, value)| number(*value)).collect(),
    );
    let mut events = Vec::new();
    let courses: Vec<_> = units
        .iter()
        .map(|unit| course(protocol, state, cut, unit.family, outcome, &mut events))
        .collect();
    table.measured(
        format!("outcome.{id}.days"),
        &Kind::Number,
        &days(),
        &words!(
            "{en}: days of the window that were followed, the day of the draw as half a day",
            "{sv}: dagar av fönstret som följdes, lottningens dag som en halv dag"
        ),
        courses
            .iter()
            .map(|own| {
                // Before a late window a course has days only to order families by.
                number(own.map(|own| {
                    if own.is_followed(&spec.kind) {
                        own.days
                    } else {
                        0.0
                    }
                }))
            })
            .collect(),
    );
    table.add(
        format!("outcome.{id}.end"),
        &ends(protocol, true),
        &words!(
            "{en}: what ended follow-up of the window",
            "{sv}: vad som avslutade uppföljningen av fönstret"
        ),
        courses
            .iter()
            .map(|own| cell(own.map(|own| end(own.end))))
            .collect(),
    );
}
