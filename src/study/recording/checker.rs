//! The check of one event: scan, subject, date, `--set` keys, and what the state machine will get.

use super::{EVENTS, EventRequest, SITE_EVENTS, STUDY_STAFF, violation};
use crate::allocation::Arm;
use crate::diagnostic::{Diagnostic, Place, Words};
use crate::protocol::model::{Day, Exit, OutcomeKind, Service};
use crate::study::findings::{
    not_a_date, not_a_key, not_a_pseudonym, personal_number, unknown, unknown_child, without_child,
};
use crate::study::identifiers::{holds_personal_number, is_key, is_pseudonym};
use crate::study::journal::{Content, Journal, Recording};
use crate::study::kernel::{FamilyIx, Report, SiteIx, Source, What};
use crate::words;
use jiff::civil::Date;

/// Keys that a report may carry whatever the protocol says.
const REPORT_KEYS: [&str; 3] = [
    "reporter",
    "incident_date",
    "attached_to_open_investigation",
];
/// Keys that a service event may carry whatever the protocol says.
const SERVICE_KEYS: [&str; 1] = ["delivered_by"];

/// One event under check; findings and warnings gather.
pub(super) struct Checker<'a> {
    pub(super) journal: &'a Journal,
    pub(super) request: &'a EventRequest,
    pub(super) findings: Vec<Diagnostic>,
    pub(super) warnings: Vec<Diagnostic>,
}

impl<'a> Checker<'a> {
    /// The event if it can be made, what is wrong, and what should have been carried.
    pub(super) fn check(
        journal: &'a Journal,
        request: &'a EventRequest,
        source: Source,
    ) -> (Option<Recording>, Vec<Diagnostic>, Vec<Diagnostic>) {
        let mut own = Self {
            journal,
            request,
            findings: Vec::new(),
            warnings: Vec::new(),
        };
        own.scan();
        let recording = own.recording(source);
        (recording, own.findings, own.warnings)
    }

    fn scan(&mut self) {
        let request = self.request;
        let mut texts: Vec<(&str, &str)> =
            vec![("on", &request.on), ("event_key", &request.event_key)];
        texts.extend(request.family.iter().map(|text| ("family", text.as_str())));
        texts.extend(request.site.iter().map(|text| ("site", text.as_str())));
        texts.extend(request.child.iter().map(|text| ("child", text.as_str())));
        for (key, value) in &request.set {
            texts.push((
                if holds_personal_number(key) {
                    "set"
                } else {
                    key
                },
                value,
            ));
            if holds_personal_number(key) {
                self.findings.push(personal_number("set"));
            }
        }
        for (column, text) in texts {
            if request.is_personal(column, text) {
                self.findings.push(personal_number(column));
            }
        }
    }

    fn recording(&mut self, source: Source) -> Option<Recording> {
        let request = self.request;
        let event = request.event.as_str();
        let Some((_, needed)) = EVENTS.iter().find(|(id, _)| *id == event) else {
            let known: Vec<&str> = EVENTS.iter().map(|(id, _)| *id).collect();
            self.findings
                .push(unknown("unknown-event", "event", event, &known));
            return None;
        };
        if !is_key(&request.event_key) && !holds_personal_number(&request.event_key) {
            self.findings.push(not_a_key("event_key"));
        }
        let on = self.date("on", &request.on);
        self.set_keys(event, needed);
        if SITE_EVENTS.contains(&event) {
            self.of_site(event, on)
        } else {
            self.of_family(event, on, source)
        }
    }

    fn of_site(&mut self, event: &str, on: Option<Day>) -> Option<Recording> {
        let protocol = &self.journal.protocol;
        let known: Vec<&str> = protocol.sites.iter().map(|site| site.id.as_str()).collect();
        let id = self.subject(
            self.request.site.as_deref(),
            "site",
            self.request.family.is_some(),
        )?;
        let site = protocol.site(id);
        if site.is_none() && !holds_personal_number(id) {
            self.findings
                .push(unknown("unknown-site", "site", id, &known));
        }
        let therapists = (event == "capacity-changed")
            .then(|| self.value("therapists"))
            .flatten()
            .map(|text| text.parse::<u32>().ok().filter(|number| *number <= 10_000));
        if therapists == Some(None) {
            self.invalid(
                "therapists",
                Words::new("a whole number of therapists", "ett helt antal behandlare"),
            );
        }
        let (site, on) = (SiteIx(site? as u16), on?);
        let what = match event {
            "site-opened" => What::SiteOpened { site, on },
            "site-closed" => What::SiteClosed { site, on },
            _ => What::CapacityChanged {
                site,
                on,
                therapists: therapists.flatten()?,
            },
        };
        // The public part repeats what the encoding adds, so that a repetition can be compared with the ledger.
        let public = Content::new()
            .with("event_key", self.request.event_key.clone())
            .with("site", id.to_owned())
            .with("on", self.request.on.clone())
            .with_some("therapists", therapists.flatten());
        Some(Recording::public(what, public))
    }

    fn of_family(&mut self, event: &str, on: Option<Day>, source: Source) -> Option<Recording> {
        let request = self.request;
        let name = self.subject(request.family.as_deref(), "family", request.site.is_some())?;
        if !is_pseudonym(name) && !holds_personal_number(name) {
            self.findings.push(not_a_pseudonym("family", name));
        }
        if let Some(child) = &request.child
            && !is_pseudonym(child)
            && !holds_personal_number(child)
        {
            self.findings.push(not_a_pseudonym("child", child));
        }
        if event == "linked" && self.value("other").is_some() {
            return self.linked(name, on?);
        }
        let family = self.journal.names.family(name);
        if family.is_none() && self.findings.is_empty() {
            self.unknown_family(name);
        }
        match event {
            "linked" => return family.and_then(|_| self.linked(name, on?)),
            "corrected" => return family.and_then(|_| self.corrected(name, on?)),
            _ => {}
        }
        let what = self.what_of_family(event, family?, on?, source)?;
        let mut content = Content::new()
            .with("family", name.to_owned())
            .with_some("child", request.child.clone());
        content = if let What::Reported(report) = &what {
            content
                .with("report_key", request.event_key.clone())
                .with("received", request.on.clone())
                .with("source", report.source.text())
                .with_some("by_study_staff", report.by_study_staff.then_some(true))
        } else {
            content
                .with("event_key", request.event_key.clone())
                .with("on", request.on.clone())
        };
        for (key, value) in &request.set {
            let value = match (&what, key.as_str()) {
                (What::Violation { truth, .. }, "value") => self.written(*truth, value),
                _ => value.clone(),
            };
            if !value.is_empty() {
                content = content.with(key, value);
            }
        }
        Some(Recording::new(what, content))
    }

    pub(super) fn unknown_family(&mut self, name: &str) {
        self.findings.push(
            Diagnostic::error(
                "unknown-family",
                words!(
                    "family {name} is not in the study",
                    "familjen {name} finns inte i studien"
                ),
            )
            .at(Place::column("family"))
            .help(Words::new(
                "families enter the study by `lottning enrol`; a family that was erased has no name any more",
                "familjer kommer in i studien genom `lottning enrol`; en raderad familj har inte längre något namn",
            )),
        );
    }

    fn what_of_family(
        &mut self,
        event: &str,
        family: FamilyIx,
        on: Day,
        source: Source,
    ) -> Option<What> {
        let protocol = &self.journal.protocol;
        if let Some(service) = Service::ALL
            .into_iter()
            .find(|service| service.text() == event)
        {
            let arm = if service == Service::Switched {
                let id = self.value("arm")?;
                Some(self.arm(id)?)
            } else {
                None
            };
            return Some(What::Serviced {
                family,
                service,
                on,
                arm,
                by: self
                    .value("delivered_by")
                    .map(|name| self.journal.names.deliverer_or_next(name)),
            });
        }
        if let Some(exit) = Exit::ALL.into_iter().find(|exit| exit.text() == event) {
            return Some(What::Exited { family, exit, on });
        }
        match event {
            "report" => self.report(family, on, source).map(What::Reported),
            "withdrawn" => Some(What::Withdrawn { family, on }),
            "violation" => {
                let said = self.violation()?;
                Some(What::Violation {
                    family,
                    on,
                    reason: said.reason,
                    truth: said.truth,
                    received: said.received,
                })
            }
            _ => {
                let (id, text) = (self.value("outcome")?, self.value("value")?);
                let known: Vec<&str> = protocol
                    .outcomes
                    .iter()
                    .map(|outcome| outcome.id.as_str())
                    .collect();
                let outcome = known.iter().position(|own| *own == id);
                if outcome.is_none() {
                    self.findings
                        .push(unknown("unknown-outcome", "outcome", id, &known));
                }
                if let Some(own) = outcome.and_then(|place| protocol.outcomes.get(place))
                    && !matches!(own.kind, OutcomeKind::Observed { .. })
                {
                    self.warnings.push(
                        Diagnostic::warning("value-not-counted", words!(
                            "`{id}` is computed from the events that the protocol names for it: a value that is recorded for it is kept, and counted nowhere",
                            "`{id}` beräknas ur de händelser som protokollet anger för det: ett värde som registreras för det sparas, och räknas ingenstans"
                        ))
                        .at(Place::column("outcome")),
                    );
                }
                // The ledger holds the text: a decimal without an exponent, as its page says.
                let value = text
                    .parse::<f64>()
                    .ok()
                    .filter(|value| value.is_finite() && !text.contains(['e', 'E']));
                if value.is_none() {
                    self.invalid(
                        "value",
                        Words::new("a number with a decimal point", "ett tal med decimalpunkt"),
                    );
                }
                Some(What::Observed {
                    family,
                    outcome: outcome? as u16,
                    value: value?,
                    on,
                })
            }
        }
    }

    fn report(&mut self, family: FamilyIx, received: Day, source: Source) -> Option<Report> {
        let incident = match self.value("incident_date") {
            Some(text) => Some(self.date("incident_date", text)?),
            None => None,
        };
        if incident.is_some_and(|incident| incident > received) {
            self.invalid(
                "incident_date",
                Words::new(
                    "a date on or before the day on which the report was received",
                    "ett datum senast den dag då anmälan kom in",
                ),
            );
        }
        let attached = match self.value("attached_to_open_investigation") {
            None => None,
            Some("yes") => Some(true),
            Some("no") => Some(false),
            Some(_) => {
                self.invalid(
                    "attached_to_open_investigation",
                    Words::new("yes or no", "yes eller no"),
                );
                None
            }
        };
        let names = &self.journal.names;
        let given = self.request.child.as_deref();
        let child = given.map(|child| names.child(child));
        let state = &self.journal.state;
        let unit = state.family(state.unit(family));
        let outside = child == Some(None) && unit.is_some_and(|own| own.children > 0);
        let report = names.report_or_next(family, &self.request.event_key);
        let unsaid = child.is_none() && self.asks_for_child(unit, report);
        self.warnings.extend(outside.then(unknown_child));
        self.warnings.extend(unsaid.then(without_child));
        Some(Report {
            family,
            report,
            received,
            source,
            incident,
            unknown_child: child == Some(None),
            child: child.flatten(),
            attached,
            by_study_staff: self.value("reporter") == Some(STUDY_STAFF),
        })
    }

    /// Checks the `--set` keys: known ones only, each once, the needed ones present, values as codes.
    fn set_keys(&mut self, event: &str, needed: &[&str]) {
        let protocol = &self.journal.protocol;
        let carries: Vec<&str> = protocol
            .events
            .iter()
            .filter(|spec| spec.id == event)
            .flat_map(|spec| spec.carries.iter().map(String::as_str))
            .filter(|key| {
                !matches!(
                    *key,
                    "report_key"
                        | "received"
                        | "child"
                        | "event_key"
                        | "on"
                        | "family"
                        | "source"
                        | "by_study_staff"
                )
            })
            .collect();
        let mut known: Vec<&str> = needed.to_vec();
        known.extend(carries.iter().filter(|key| !needed.contains(key)));
        if event == "linked" {
            known.extend(["other", "other_child"]);
        }
        if event == "report" {
            known.extend(REPORT_KEYS.iter().filter(|key| !carries.contains(key)));
        }
        if Service::ALL.iter().any(|service| service.text() == event) {
            known.extend(SERVICE_KEYS.iter().filter(|key| !carries.contains(key)));
        }
        if event == "violation" {
            known.extend(violation::KEYS.iter().filter(|key| !carries.contains(key)));
        }
        let request = self.request;
        for (place, (key, value)) in request.set.iter().enumerate() {
            if holds_personal_number(key) || request.is_personal(key, value) {
                continue;
            }
            if !known.contains(&key.as_str()) {
                self.findings
                    .push(unknown("unknown-set-key", key, key, &known));
            } else if request.set[..place].iter().any(|(before, _)| before == key) {
                self.findings.push(
                    Diagnostic::error(
                        "repeated-value",
                        words!("`{key}` is given twice", "`{key}` är angivet två gånger"),
                    )
                    .at(Place::column(key)),
                );
            } else if !value.is_empty() && !is_key(value) {
                self.findings.push(
                    Diagnostic::error("invalid-code", words!(
                        "the value of `{key}` is not a code, a date or a number",
                        "värdet på `{key}` är ingen kod, inget datum och inget tal"
                    ))
                    .at(Place::column(key))
                    .help(Words::new(
                        "free text never enters a study: use a short code of letters, digits, full stop, underscore and hyphen",
                        "fritext kommer aldrig in i en studie: använd en kort kod av bokstäver, siffror, punkt, understreck och bindestreck",
                    )),
                );
            }
        }
        for key in needed {
            if self.value(key).is_none() {
                self.missing_set_key(event, key);
            }
        }
        for key in carries {
            if self.value(key).is_none() && !needed.contains(&key) {
                self.warnings.push(
                    Diagnostic::warning(
                        "not-carried",
                        words!(
                            "the protocol wants `{key}` with `{event}`; it is recorded as unknown",
                            "protokollet vill ha `{key}` med `{event}`; det registreras som okänt"
                        ),
                    )
                    .at(Place::column(key)),
                );
            }
        }
    }

    /// A value that must be given.
    pub(super) fn missing_set_key(&mut self, event: &str, key: &str) {
        self.findings.push(
            Diagnostic::error(
                "missing-set-key",
                words!(
                    "`{event}` needs a value of `{key}`",
                    "`{event}` behöver ett värde på `{key}`"
                ),
            )
            .at(Place::column(key))
            .help(words!(
                "give it with --set {key}=…",
                "ange det med --set {key}=…"
            )),
        );
    }

    /// An arm by its id.
    pub(super) fn arm(&mut self, id: &str) -> Option<Arm> {
        let protocol = &self.journal.protocol;
        let arm = protocol.arm(id);
        if arm.is_none() {
            let known: Vec<&str> = protocol.arms.iter().map(|arm| arm.id.as_str()).collect();
            self.findings
                .push(unknown("unknown-arm", "arm", id, &known));
        }
        arm
    }

    pub(super) fn value(&self, key: &str) -> Option<&'a str> {
        let request: &'a EventRequest = self.request;
        let value = request.set.iter().find(|(own, _)| own == key);
        value
            .map(|(_, value)| value.as_str())
            .filter(|value| !value.is_empty())
    }

    fn subject<'b>(
        &mut self,
        given: Option<&'b str>,
        column: &str,
        other: bool,
    ) -> Option<&'b str> {
        if given.is_none() || other {
            let event = &self.request.event;
            let subject = match column {
                "site" => "enhet",
                _ => "familj",
            };
            self.findings.push(
                Diagnostic::error(
                    "wrong-subject",
                    words!(
                        "`{event}` is an event of a {column}: name it, and nothing else",
                        "`{event}` gäller en {subject}: ange den, och inget annat"
                    ),
                )
                .at(Place::column(column))
                .help(words!(
                    "give it with --{column} ID",
                    "ange den med --{column} ID"
                )),
            );
        }
        given
    }

    fn date(&mut self, column: &str, text: &str) -> Option<Day> {
        match text.parse::<Date>() {
            Ok(date) if text.len() == 10 => Some(Day::of(date)),
            _ => {
                if !holds_personal_number(text) {
                    self.findings.push(not_a_date(column));
                }
                None
            }
        }
    }

    pub(super) fn invalid(&mut self, column: &str, expected: Words) {
        self.findings.push(
            Diagnostic::error(
                "invalid-value",
                words!(
                    "the value of `{column}` does not fit",
                    "värdet på `{column}` passar inte"
                ),
            )
            .at(Place::column(column))
            .help(expected),
        );
    }
}
