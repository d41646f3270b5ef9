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
pub(in crate::protocol) const NOT_COUNTED: &[&str] = &[
    "same_incident_within_days",
    "by_study_staff",
    "attached_to_open_investigation",
];

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
            let table = section.section(out, "not_counted", NOT_COUNTED);
            let (same_incident_within_days, without_attached) = match &table {
                None => (None, false),
                Some(table) => not_counted(out, table, events),
            };
            let staff = table.as_ref().and_then(|table| {
                let value = table.get("by_study_staff")?;
                carried(out, &value.span, events);
                value.flag(out)
            });
            Some(OutcomeKind::Reports {
                window_days: window_days?,
                same_incident_within_days,
                without_study_staff: staff.unwrap_or(false),
                without_attached,
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

/// Which reports are no new ones.
fn not_counted(
    out: &mut Findings<'_>,
    table: &Section<'_>,
    events: &[Option<EventSpec>],
) -> (Option<i32>, bool) {
    let incident = table.get("same_incident_within_days");
    let attached = table.get("attached_to_open_investigation");
    let days = incident.and_then(|value| {
        let days = value.days(out, 0, MAX_DAYS);
        if !is_carried(events, "incident_date") {
            out.error(
                "same-incident-unseen",
                &value.span,
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
        days
    });
    let Some(value) = attached else {
        return (days, false);
    };
    let attached = value.flag(out) == Some(true);
    if attached && !is_carried(events, "attached_to_open_investigation") {
        out.error(
            "attached-unseen",
            &value.span,
            words!(
                "reports do not carry `attached_to_open_investigation`, so those that open no investigation cannot be told",
                "anmälningar bär inte `attached_to_open_investigation`, så de som inte leder till en ny utredning kan inte skiljas ut"
            ),
            words!(
                "add `\"attached_to_open_investigation\"` to `carries` of `[[event]]` `report`",
                "lägg till `\"attached_to_open_investigation\"` i `carries` för `[[event]]` `report`"
            ),
        );
    }
    if attached {
        out.warning(
            "depends-on-closing",
            &value.span,
            words!(
                "the outcome depends on how long the investigation is open, which the arm changes: whoever closes earlier has more days on which a report counts",
                "utfallet beror på hur länge utredningen är öppen, vilket armen ändrar: den som avslutar tidigare har fler dagar då en anmälan räknas"
            ),
            words!(
                "count every report in a window from randomization, and keep this one beside it",
                "räkna varje anmälan i ett fönster från lottningen, och ha detta utfall vid sidan om"
            ),
        );
    }
    (days, attached)
}

/// Whether reports carry a column, or whether that cannot be known.
fn is_carried(events: &[Option<EventSpec>], column: &str) -> bool {
    events.iter().any(Option::is_none)
        || events
            .iter()
            .flatten()
            .any(|event| event.id == "report" && event.carries.iter().any(|c| c == column))
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
