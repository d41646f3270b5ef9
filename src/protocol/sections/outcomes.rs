//! `[[outcome]]`: what is counted or measured, in windows of days from randomization.

use super::participants::bounded;
use crate::diagnostic::Words;
use crate::protocol::findings::Findings;
use crate::protocol::model::{EventSpec, Outcome, OutcomeKind, Service};
use crate::protocol::names::{Ids, Style, repeated};
use crate::protocol::tree::Section;
use crate::words;

/// Keys of `[[outcome]]`.
pub(in crate::protocol) const KEYS: &[&str] = &[
    "id",
    "label",
    "kind",
    "event",
    "window_days",
    "not_counted",
    "from",
    "to",
    "horizon_days",
];
/// Keys of `not_counted`.
pub(in crate::protocol) const NOT_COUNTED: &[&str] =
    &["same_incident_within_days", "by_study_staff"];

/// Longest follow-up: thirty years.
const MAX_DAYS: i32 = 10_957;
/// Most outcomes.
const MAX_OUTCOMES: usize = 100;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Recurrent,
    Binary,
    Duration,
    Observed,
}

const KINDS: [(&str, Kind); 4] = [
    ("recurrent-event", Kind::Recurrent),
    ("binary", Kind::Binary),
    ("duration", Kind::Duration),
    ("observed", Kind::Observed),
];

/// Reads the outcomes.
pub(in crate::protocol) fn read(
    out: &mut Findings<'_>,
    root: &Section<'_>,
    events: &[Option<EventSpec>],
) -> (Ids, Vec<Option<Outcome>>) {
    let sections = root.sections(out, "outcome", KEYS);
    bounded(out, &sections, "outcome", 1, MAX_OUTCOMES);
    let ids = Ids::read(out, &sections, words!("outcome", "utfallet"), Style::Snake);
    let list = sections
        .iter()
        .enumerate()
        .map(|(index, section)| {
            let label = match section.get("label") {
                None => Some(Words::same(ids.name(index))),
                Some(value) => value.words(out),
            };
            let kind = section
                .need(out, "kind")
                .and_then(|value| value.one_of(out, &KINDS))
                .and_then(|kind| self::kind(out, section, kind, events));
            Some(Outcome {
                id: ids.name(index),
                label: label?,
                kind: kind?,
            })
        })
        .collect();
    (ids, list)
}

fn kind(
    out: &mut Findings<'_>,
    section: &Section<'_>,
    kind: Kind,
    events: &[Option<EventSpec>],
) -> Option<OutcomeKind> {
    let elsewhere: &[&str] = match kind {
        Kind::Recurrent => &["from", "to", "horizon_days"],
        Kind::Binary => &["from", "to", "horizon_days", "not_counted"],
        Kind::Duration => &["event", "window_days", "not_counted"],
        Kind::Observed => &["event", "from", "to", "horizon_days", "not_counted"],
    };
    let name = KINDS
        .iter()
        .find(|(_, own)| *own == kind)
        .map_or("", |(name, _)| name);
    section.refuse(
        out,
        elsewhere,
        &words!(
            "an outcome of the kind `{name}` does not have it",
            "ett utfall av slaget `{name}` har den inte"
        ),
    );
    match kind {
        Kind::Recurrent => {
            if let Some(value) = section.need(out, "event") {
                value.one_of(out, &[("report", ())]);
            }
            let window_days = window(out, section);
            let not_counted = section.section(out, "not_counted", NOT_COUNTED);
            let same_incident_within_days = not_counted.as_ref().and_then(|table| {
                let value = table.get("same_incident_within_days")?;
                let days = value.days(out, 0, MAX_DAYS);
                same_incident(out, &value.span, events);
                days
            });
            let staff = not_counted.as_ref().and_then(|table| {
                let value = table.get("by_study_staff")?;
                carried(out, &value.span, events);
                value.flag(out)
            });
            Some(OutcomeKind::Reports {
                window_days: window_days?,
                same_incident_within_days,
                without_study_staff: staff.unwrap_or(false),
            })
        }
        Kind::Binary => {
            let events = services(out, section, "event");
            let window_days = window(out, section);
            Some(OutcomeKind::Binary {
                events: events?,
                window_days: window_days?,
            })
        }
        Kind::Duration => {
            if let Some(value) = section.need(out, "from") {
                value.one_of(out, &[("randomized", ())]);
            }
            let to = section.need(out, "to").and_then(|value| {
                value.one_of(out, &Service::ALL.map(|service| (service.text(), service)))
            });
            let horizon_days = section
                .need(out, "horizon_days")
                .and_then(|value| value.days(out, 1, MAX_DAYS));
            Some(OutcomeKind::Duration {
                to: to?,
                horizon_days: horizon_days?,
            })
        }
        Kind::Observed => {
            window(out, section).map(|window_days| OutcomeKind::Observed { window_days })
        }
    }
}

/// Who made a report is known only if reports carry their reporter.
fn carried(out: &mut Findings<'_>, span: &std::ops::Range<usize>, events: &[Option<EventSpec>]) {
    let carried = events
        .iter()
        .flatten()
        .any(|event| event.id == "report" && event.carries.iter().any(|c| c == "reporter"));
    if !carried && events.iter().all(Option::is_some) {
        out.error(
            "same-incident-unseen",
            span,
            words!(
                "reports do not carry `reporter`, so those by the study's staff cannot be recognized",
                "anmälningar bär inte `reporter`, så de som studiens personal gjort kan inte kännas igen"
            ),
            words!(
                "add `\"reporter\"` to `carries` of `[[event]]` `report`, or remove `by_study_staff`",
                "lägg till `\"reporter\"` i `carries` för `[[event]]` `report`, eller ta bort `by_study_staff`"
            ),
        );
    }
}

/// A report of the same incident can be recognized only if reports carry the date of the incident.
fn same_incident(
    out: &mut Findings<'_>,
    span: &std::ops::Range<usize>,
    events: &[Option<EventSpec>],
) {
    let carried = events
        .iter()
        .flatten()
        .any(|event| event.id == "report" && event.carries.iter().any(|c| c == "incident_date"));
    let unsure = events.iter().any(Option::is_none);
    if !carried && !unsure {
        out.error(
            "same-incident-unseen",
            span,
            words!(
                "reports do not carry `incident_date`, so the same incident cannot be recognized",
                "anmälningar bär inte `incident_date`, så samma händelse kan inte kännas igen"
            ),
            words!(
                "add `\"incident_date\"` to `carries` of `[[event]]` `report`, or remove `not_counted`",
                "lägg till `\"incident_date\"` i `carries` för `[[event]]` `report`, eller ta bort `not_counted`"
            ),
        );
    }
}

fn services(out: &mut Findings<'_>, section: &Section<'_>, key: &str) -> Option<Vec<Service>> {
    let value = section.need(out, key)?;
    let items = value.items_or_one(out)?;
    if !value.need_items(out, &items) {
        return None;
    }
    let choices = Service::ALL.map(|service| (service.text(), service));
    let mut list = Vec::new();
    let mut complete = true;
    for item in &items {
        match item.one_of(out, &choices) {
            Some(service) if list.contains(&service) => {
                repeated(
                    out,
                    &item.span,
                    &words!("event", "händelsen"),
                    service.text(),
                );
            }
            Some(service) => list.push(service),
            None => complete = false,
        }
    }
    complete.then_some(list)
}

fn window(out: &mut Findings<'_>, section: &Section<'_>) -> Option<(i32, i32)> {
    let value = section.need(out, "window_days")?;
    let items = value.items(out)?;
    let [first, last] = items.as_slice() else {
        value.wrong_type(
            out,
            words!(
                "two whole numbers, the first and the last day, such as `[1, 365]`",
                "två heltal, den första och den sista dagen, till exempel `[1, 365]`"
            ),
        );
        return None;
    };
    let first = first.days(out, 0, MAX_DAYS);
    let last = last.days(out, 0, MAX_DAYS);
    let (first, last) = (first?, last?);
    if first > last {
        out.error(
            "window-order",
            &value.span,
            words!(
                "the window begins on day {first} and ends on day {last}",
                "fönstret börjar dag {first} och slutar dag {last}"
            ),
            words!(
                "write the first day first; day 0 is the day of randomization",
                "skriv den första dagen först; dag 0 är lottningsdagen"
            ),
        );
        return None;
    }
    Some((first, last))
}
