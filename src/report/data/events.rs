//! A row for everything that happened to a randomized family: reports, service, exits, violations, observed values.

use super::Data;
use super::codebook::{Codebook, Explained, Kind, MISSING, cell, days, yes_no};
use super::families::{arms, own};
use crate::diagnostic::Words;
use crate::protocol::model::{Exit, Protocol, Service};
use crate::report::flat::{File, number};
use crate::study::children::{Member, members};
use crate::study::dataset::Unit;
use crate::study::happenings::{Happened, happenings};
use crate::study::kernel::{Occurred, ReportState, Source, Truth};
use crate::words;

/// A row before it is cells.
#[derive(Default)]
struct Row {
    family: usize,
    event: String,
    day: i32,
    counts_for: String,
    index: Option<bool>,
    source: Option<String>,
    by_study_staff: Option<bool>,
    attached: Option<bool>,
    incident_day: Option<i32>,
    about: Option<&'static str>,
    child: Option<usize>,
    outcome: Option<String>,
    value: Option<f64>,
    arm: Option<String>,
    by: Option<u32>,
    reason: Option<String>,
    field: Option<String>,
}

pub(super) fn table(data: &Data<'_>, units: &[Unit], book: &mut Codebook) -> File {
    let roster = members(data.state, units);
    let mut rows = Vec::new();
    for (place, unit) in units.iter().enumerate() {
        let own = roster.iter().filter(|member| member.row as usize == place);
        let own: Vec<Member> = own.copied().collect();
        for happening in happenings(data.protocol, data.state, data.cut, unit.family) {
            let ids = happening.counts_for.iter();
            let ids = ids.filter_map(|outcome| data.protocol.outcomes.get(*outcome));
            let ids: Vec<&str> = ids.map(|outcome| outcome.id.as_str()).collect();
            let mut row = Row {
                family: place + 1,
                day: happening.day,
                counts_for: ids.join(" "),
                ..Row::default()
            };
            match happening.what {
                Happened::Report { report, index } => {
                    row.index = Some(index);
                    reported(data, unit, &own, &report, &mut row);
                }
                Happened::Occurred { what, to } => {
                    row.arm = to.and_then(|arm| arm_id(data.protocol, arm.index()));
                    occurred(data.protocol, what, &mut row);
                }
            }
            rows.push(row);
        }
    }
    let mut table = Explained::new("events.csv", book);
    when(&rows, &mut table);
    reports(&rows, &mut table);
    details(data.protocol, &rows, &mut table);
    table.file()
}

fn arm_id(protocol: &Protocol, arm: usize) -> Option<String> {
    protocol.arms.get(arm).map(|arm| arm.id.clone())
}

fn reported(data: &Data<'_>, unit: &Unit, roster: &[Member], report: &ReportState, row: &mut Row) {
    "report".clone_into(&mut row.event);
    let sources = [Source::Intake, Source::Log, Source::Register];
    let seen = sources
        .iter()
        .filter(|source| report.sources & source.bit() != 0);
    row.source = Some(
        seen.map(|source| source.text())
            .collect::<Vec<_>>()
            .join(" "),
    );
    row.by_study_staff = Some(report.by_study_staff);
    row.attached = report.attached;
    let drawn = own(data, unit).map(|own| own.randomized);
    row.incident_day = report
        .incident
        .zip(drawn)
        .map(|(on, drawn)| on.since(drawn));
    let on_joined = own(data, unit).is_some_and(|own| data.state.is_on_joined(own, report));
    let child = report.child.map(|child| data.state.same_child(child));
    row.child = child
        .and_then(|child| roster.iter().position(|member| member.child == child))
        .map(|place| place + 1);
    row.about = if row.child.is_some() {
        Some("roster")
    } else if report.unknown_child {
        Some("unknown")
    } else if child.is_some() || on_joined {
        Some("other")
    } else {
        None
    };
}

fn occurred(protocol: &Protocol, what: Occurred, row: &mut Row) {
    match what {
        Occurred::Service { service, by } => {
            service.text().clone_into(&mut row.event);
            row.by = by.map(|by| by.0 + 1);
        }
        Occurred::Exit(exit) => exit.text().clone_into(&mut row.event),
        Occurred::Withdrawn => "withdrawn".clone_into(&mut row.event),
        Occurred::Violation {
            reason,
            truth,
            received,
        } => {
            "violation".clone_into(&mut row.event);
            let reason = protocol.violations.reasons.get(usize::from(reason));
            row.reason = reason.map(|reason| reason.id.clone());
            row.arm = received.and_then(|arm| arm_id(protocol, arm.index()));
            row.field = truth.and_then(|truth| match truth.field {
                Truth::SITE => Some("site".to_owned()),
                field => protocol
                    .fields
                    .get(usize::from(field))
                    .map(|own| own.id.clone()),
            });
        }
        Occurred::Observed { outcome, value } => {
            "observed".clone_into(&mut row.event);
            let outcome = protocol.outcomes.get(usize::from(outcome));
            row.outcome = outcome.map(|outcome| outcome.id.clone());
            row.value = Some(value);
        }
    }
}

fn column(rows: &[Row], value: impl Fn(&Row) -> String) -> Vec<String> {
    rows.iter().map(value).collect()
}

fn when(rows: &[Row], table: &mut Explained<'_>) {
    table.add(
        "family",
        &Kind::Whole,
        &words!(
            "number of the family, as in families.csv",
            "familjens nummer, som i families.csv"
        ),
        column(rows, |row| row.family.to_string()),
    );
    let own = [
        ("report", words!("a report of concern", "en orosanmälan")),
        (
            "withdrawn",
            words!("the family withdrew", "familjen drog sig ur"),
        ),
        (
            "violation",
            words!(
                "a violation of the protocol, also one found between the cut and the lock",
                "ett avsteg från protokollet, även ett som upptäcktes mellan brytdatumet och låsningen"
            ),
        ),
        (
            "observed",
            words!("a value of an outcome", "ett värde på ett utfall"),
        ),
    ];
    let own = own.map(|(id, name)| (id.to_owned(), name));
    let services = Service::ALL.iter().map(|own| {
        let name = service(*own);
        (own.text().to_owned(), name)
    });
    let exits = Exit::ALL
        .iter()
        .map(|own| (own.text().to_owned(), own.words()));
    let kinds = own.into_iter().chain(services).chain(exits).collect();
    table.add(
        "event",
        &Kind::Category(kinds),
        &words!("what happened", "vad som hände"),
        column(rows, |row| row.event.clone()),
    );
    table.measured(
        "day",
        &Kind::Whole,
        &days(),
        &words!(
            "day on which it happened, or a report was received, from the draw; before it negative",
            "dag då det hände, eller en anmälan kom in, från lottningen; före den negativ"
        ),
        column(rows, |row| row.day.to_string()),
    );
    table.add(
        "counts_for",
        &Kind::List,
        &words!(
            "ids of the outcomes that it counts for, by their windows and rules at the cut; NA for none",
            "id för de utfall som det räknas för, enligt deras fönster och regler vid brytdatumet; NA för inget"
        ),
        column(rows, |row| {
            let own = Some(&row.counts_for);
            cell(own.filter(|ids| !ids.is_empty()))
        }),
    );
}

fn service(service: Service) -> Words {
    match service {
        Service::Offered => words!("an intervention was offered", "en insats erbjöds"),
        Service::Accepted => words!("the offer was accepted", "erbjudandet antogs"),
        Service::Declined => words!("the offer was declined", "erbjudandet avböjdes"),
        Service::Started => words!("the service started", "insatsen startade"),
        Service::NotStarted => words!(
            "the allocated service was not started",
            "den lottade insatsen startade inte"
        ),
        Service::HomeVisit => words!("a home visit", "ett hembesök"),
        Service::Switched => words!(
            "the family moved to another arm's service",
            "familjen bytte till en annan grupps insats"
        ),
        Service::Closed => words!("the investigation was closed", "utredningen avslutades"),
        Service::Reopened => words!("the investigation was reopened", "utredningen återupptogs"),
    }
}

fn reports(rows: &[Row], table: &mut Explained<'_>) {
    table.add(
        "index",
        &Kind::YesNo,
        &words!(
            "of a report: whether the family was drawn with it",
            "för en anmälan: om familjen lottades med den"
        ),
        column(rows, |row| yes_no(row.index)),
    );
    table.add(
        "source",
        &Kind::List,
        &words!(
            "of a report: who saw it (intake, log, register); outcomes count those of log and register",
            "för en anmälan: vem som såg den (intake, log, register); utfallen räknar dem som log och register har"
        ),
        column(rows, |row| cell(row.source.as_ref())),
    );
    table.add(
        "by_study_staff",
        &Kind::YesNo,
        &words!(
            "of a report: whether staff of the study's services made it",
            "för en anmälan: om personal i studiens insatser gjorde den"
        ),
        column(rows, |row| yes_no(row.by_study_staff)),
    );
    table.add(
        "attached",
        &Kind::YesNo,
        &words!(
            "of a report: whether it was attached to an open investigation; NA if not known",
            "för en anmälan: om den fördes till en pågående utredning; NA om det inte är känt"
        ),
        column(rows, |row| yes_no(row.attached)),
    );
    table.measured(
        "incident_day",
        &Kind::Whole,
        &days(),
        &words!(
            "of a report: day of the incident, from the draw; NA if not known",
            "för en anmälan: händelsens dag, från lottningen; NA om den inte är känd"
        ),
        column(rows, |row| cell(row.incident_day)),
    );
    let about = [
        (
            "roster",
            words!(
                "a child on the roster at the draw",
                "ett barn på listan vid lottningen"
            ),
        ),
        (
            "other",
            words!("a child who joined later", "ett barn som tillkom senare"),
        ),
        (
            "unknown",
            words!(
                "a child that the ledger does not know",
                "ett barn som liggaren inte känner"
            ),
        ),
    ];
    table.add(
        "about",
        &Kind::Category(about.map(|(id, name)| (id.to_owned(), name)).to_vec()),
        &words!(
            "of a report: which child it names or, if it names none, that intake named with it only children who joined later; else NA",
            "för en anmälan: vilket barn den anger eller, om den inte anger något, att mottagningen med den bara angav barn som tillkom senare; annars NA"
        ),
        column(rows, |row| cell(row.about)),
    );
    table.add(
        "child",
        &Kind::Whole,
        &words!(
            "of a report on a child of the roster: the child's number within the family",
            "för en anmälan om ett barn på listan: barnets nummer inom familjen"
        ),
        column(rows, |row| cell(row.child)),
    );
}

fn details(protocol: &Protocol, rows: &[Row], table: &mut Explained<'_>) {
    let named = |list: &[crate::protocol::model::Named]| {
        let list = list.iter();
        Kind::Category(
            list.map(|own| (own.id.clone(), own.label.clone()))
                .collect(),
        )
    };
    let outcomes = protocol.outcomes.iter();
    table.add(
        "outcome",
        &Kind::Category(
            outcomes
                .map(|own| (own.id.clone(), own.label.clone()))
                .collect(),
        ),
        &words!(
            "of an observed value: its outcome",
            "för ett observerat värde: dess utfall"
        ),
        column(rows, |row| cell(row.outcome.as_ref())),
    );
    table.add(
        "value",
        &Kind::Number,
        &words!(
            "of an observed value: the value",
            "för ett observerat värde: värdet"
        ),
        column(rows, |row| number(row.value)),
    );
    table.add(
        "arm",
        &arms(protocol),
        &words!(
            "of a switch: the arm whose service the family has from then on, and where that is its own arm no switch but for one back; of a violation: the arm whose service it received by mistake",
            "för ett byte: den grupp vars insats familjen har från och med då, och är den gruppen familjens egen inget byte utom tillbaka; för ett avsteg: den grupp vars insats den fick av misstag"
        ),
        column(rows, |row| cell(row.arm.as_ref())),
    );
    table.add(
        "by",
        &Kind::Whole,
        &words!(
            "of a service: number of who delivered it, in the order in which the ledger first names them",
            "för en insats: nummer på den som gav den, i den ordning som liggaren först nämner dem"
        ),
        column(rows, |row| cell(row.by)),
    );
    table.add(
        "reason",
        &named(&protocol.violations.reasons),
        &words!("of a violation: its reason", "för ett avsteg: dess skäl"),
        column(rows, |row| cell(row.reason.as_ref())),
    );
    table.add(
        "field",
        &Kind::Text,
        &words!(
            "of a violation: id of the field, or `site`, whose value was wrong when the family was drawn",
            "för ett avsteg: id för det fält, eller `site`, vars värde var fel när familjen lottades"
        ),
        column(rows, |row| row.field.clone().unwrap_or_else(|| MISSING.to_owned())),
    );
}
