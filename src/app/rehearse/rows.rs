//! Steps of a rehearsal as people would type them: names, dates, answers as text.

use crate::protocol::Protocol;
use crate::protocol::model::{Check, Day};
use crate::study::field_value::canonical;
use crate::study::intake::EnrolRequest;
use crate::study::kernel::{ChildIx, Enrolment, FamilyIx, Report, ReportIx, What};
use crate::study::recording::EventRequest;

/// An enrolment as intake types it.
pub(super) fn enrolment_row(protocol: &Protocol, own: &Enrolment) -> EnrolRequest {
    let answers = protocol
        .criteria
        .iter()
        .enumerate()
        .filter(|(_, criterion)| matches!(criterion.check, Check::Ask { .. }))
        .map(|(place, criterion)| {
            let yes = (own.answers >> place) & 1 == 1;
            (
                criterion.id.clone(),
                if yes { "yes" } else { "no" }.to_owned(),
            )
        })
        .collect();
    let fields = protocol
        .fields
        .iter()
        .zip(own.values)
        .map(|(field, value)| (field.id.clone(), canonical(&field.kind, value)))
        .collect();
    EnrolRequest {
        site: protocol.sites[usize::from(own.site.0)].id.clone(),
        family: family_name(own.family),
        children: own
            .children
            .as_slice()
            .iter()
            .map(|child| child_name(*child))
            .collect(),
        report_key: report_name(own.report),
        received: crate::app::refusal::date(own.received),
        exception: own.exception.and_then(|reason| {
            protocol
                .exceptions
                .reasons
                .get(usize::from(reason))
                .map(|reason| reason.id.clone())
        }),
        request_id: None,
        answers,
        fields,
    }
}

/// A report as the register has it. Every tenth is attached to an open investigation; reporters take turns.
pub(super) fn report_row(report: &Report, day: Day) -> EventRequest {
    let number = report.report.0;
    let reporter =
        ["school", "police", "health-care", "relative", "study-staff"][number as usize % 5];
    let incident = crate::app::refusal::date(day.plus(-((number % 4) as i32)));
    EventRequest {
        event: "report".to_owned(),
        family: Some(family_name(report.family)),
        site: None,
        on: crate::app::refusal::date(report.received),
        event_key: report_name(report.report),
        child: report.child.map(child_name),
        set: vec![
            ("incident_date".to_owned(), incident),
            ("reporter".to_owned(), reporter.to_owned()),
            (
                "attached_to_open_investigation".to_owned(),
                if number.is_multiple_of(10) {
                    "yes"
                } else {
                    "no"
                }
                .to_owned(),
            ),
        ],
    }
}

/// An event as an office records it.
pub(super) fn event_row(
    protocol: &Protocol,
    what: &What,
    number: usize,
    day: Day,
) -> Option<EventRequest> {
    let (event, family, on, set) = match *what {
        What::Serviced {
            family,
            service,
            on,
            arm,
            by,
        } => {
            let arm = arm.and_then(|arm| protocol.arms.get(arm.index()));
            let arm = arm.map(|arm| ("arm".to_owned(), arm.id.clone()));
            let by = by.map(|own| ("delivered_by".to_owned(), format!("pair-{}", own.0 + 1)));
            let set = arm.into_iter().chain(by).collect();
            (service.text(), family, on, set)
        }
        What::Exited { family, exit, on } => (exit.text(), family, on, Vec::new()),
        What::Withdrawn { family, on } => ("withdrawn", family, on, Vec::new()),
        What::Observed {
            family,
            outcome,
            value,
            on,
        } => {
            let outcome = protocol.outcomes.get(usize::from(outcome))?;
            let set = vec![
                ("outcome".to_owned(), outcome.id.clone()),
                ("value".to_owned(), value.to_string()),
            ];
            ("observed", family, on, set)
        }
        _ => return None,
    };
    let (date, name) = (crate::app::refusal::date(day), family_name(family));
    Some(EventRequest {
        event: event.to_owned(),
        event_key: format!("{date}.{name}.{number}"),
        family: Some(name),
        site: None,
        on: crate::app::refusal::date(on),
        child: None,
        set,
    })
}

/// A change of a site's staff, which is the study lead's to record.
pub(super) fn staff_row(protocol: &Protocol, what: &What, number: usize) -> Option<EventRequest> {
    let What::CapacityChanged {
        site,
        on,
        therapists,
    } = *what
    else {
        return None;
    };
    let (date, site) = (
        crate::app::refusal::date(on),
        protocol.sites.get(usize::from(site.0))?,
    );
    Some(EventRequest {
        event: "capacity-changed".to_owned(),
        event_key: format!("{date}.{}.{number}", site.id),
        family: None,
        site: Some(site.id.clone()),
        on: date,
        child: None,
        set: vec![("therapists".to_owned(), therapists.to_string())],
    })
}

/// A pseudonym from a number: two groups of syllables, the second counting, the first mixed.
pub(super) fn family_name(family: FamilyIx) -> String {
    let mixed = family.0.wrapping_mul(2_654_435_761) >> 12;
    format!("{}-{}", syllables(mixed, 2), syllables(family.0, 3))
}

fn child_name(child: ChildIx) -> String {
    format!("BARN-{}", syllables(child.0, 3))
}

fn report_name(report: ReportIx) -> String {
    format!("R-{:06}", report.0 + 1)
}

fn syllables(mut number: u32, count: usize) -> String {
    const CONSONANTS: &[u8] = b"BDFGHKLMNPRSTV";
    const VOWELS: &[u8] = b"AEIOU";
    let mut text = String::new();
    for _ in 0..count {
        text.push(char::from(CONSONANTS[number as usize % CONSONANTS.len()]));
        number /= CONSONANTS.len() as u32;
        text.push(char::from(VOWELS[number as usize % VOWELS.len()]));
        number /= VOWELS.len() as u32;
    }
    text
}
