//! An enrolment as people type it, checked against the protocol and turned into what the state machine knows.
//!
//! All findings are collected; a value that holds a personal number is refused without an echo. What the request means
//! (eligible, gate, draw) is the kernel's decision.

use super::field_value::{canonical, expected, field_value};
use super::findings::{not_a_date, not_a_key, not_a_pseudonym, personal_number, unknown};
use super::identifiers::{holds_personal_number, is_key, is_pseudonym};
use super::journal::{Content, Journal, derived_request_id, enrolment_hash};
use super::kernel::{Enrolment, FamilyIx, MAX_CHILDREN, Roster, SiteIx};
use crate::diagnostic::{Diagnostic, Place, Words};
use crate::protocol::Protocol;
use crate::protocol::model::{Check, Day, MAX_FIELDS};
use crate::words;
use jiff::civil::Date;

/// An enrolment as it was typed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EnrolRequest {
    /// Site id.
    pub site: String,
    /// Family pseudonym.
    pub family: String,
    /// Child pseudonyms.
    pub children: Vec<String>,
    /// Key of the report.
    pub report_key: String,
    /// Date on which the report was received.
    pub received: String,
    /// Declared exception.
    pub exception: Option<String>,
    /// Request id, if the caller has one.
    pub request_id: Option<String>,
    /// Answers by criterion id.
    pub answers: Vec<(String, String)>,
    /// Values by field id.
    pub fields: Vec<(String, String)>,
}

/// A request that can be decided.
#[derive(Debug, Clone, PartialEq)]
pub struct PreparedEnrolment {
    /// For the state machine.
    pub enrolment: Enrolment,
    /// For the ledger: the content with names.
    pub content: Content,
    /// The request id, given or derived.
    pub request_id: String,
    /// Hash of the content, by which a repetition is compared.
    pub content_hash: [u8; 32],
}

/// Checks a request and names its parts. `Err` holds every finding.
pub fn prepare(
    journal: &Journal,
    request: &EnrolRequest,
) -> Result<PreparedEnrolment, Vec<Diagnostic>> {
    let mut findings = Findings::default();
    let protocol = &*journal.protocol;
    findings.scan(request);
    let site = findings.site(protocol, &request.site);
    findings.pseudonym("family", &request.family);
    for child in &request.children {
        findings.pseudonym("child", child);
    }
    if request.children.len() > MAX_CHILDREN {
        findings.push(
            "too-many-children",
            "child",
            words!(
                "a screening can name at most {MAX_CHILDREN} children",
                "en screening kan namnge högst {MAX_CHILDREN} barn"
            ),
        );
    }
    findings.key("report_key", &request.report_key);
    if let Some(id) = &request.request_id {
        findings.key("request_id", id);
    }
    let received = findings.date("received", &request.received);
    let (answers, answers_content) = findings.answers(protocol, &request.answers);
    let (values, fields_content) = findings.fields(protocol, &request.fields);
    let exception = findings.exception(protocol, request.exception.as_deref());
    let (Some(site), Some(received), true) = (site, received, findings.0.is_empty()) else {
        return Err(findings.0);
    };
    let family = journal.names.family_or_next(&request.family);
    let mut names: Vec<&str> = request.children.iter().map(String::as_str).collect();
    names.sort_unstable();
    names.dedup();
    let mut children = Roster::EMPTY;
    for child in journal.names.children_or_next(names.iter().copied()) {
        children.push(child);
    }
    let content = Content::with_room(768, 12)
        .with("answers", answers_content)
        .with("children", names)
        .with_some("exception", request.exception.as_ref())
        .with("family", &request.family)
        .with("fields", fields_content)
        .with("received", &request.received)
        .with("report_key", &request.report_key)
        .with("site", &request.site);
    let request_id = request.request_id.clone().unwrap_or_else(|| {
        derived_request_id(&protocol.study.id, &request.family, &request.report_key)
    });
    Ok(PreparedEnrolment {
        enrolment: Enrolment {
            family,
            site,
            report: report(journal, family, &request.report_key),
            received,
            children,
            answers,
            values,
            exception,
        },
        content_hash: enrolment_hash(&content),
        content,
        request_id,
    })
}

/// The name in a request by which a person would be in two randomized families, and the family that the study knows.
///
/// A family is called by its index child, so a family that was not drawn cannot have the name of a child of a drawn one,
/// and a child cannot have the name of another drawn family. Families that are linked are one.
pub fn child_of_another_family<'a>(
    journal: &Journal,
    request: &'a EnrolRequest,
) -> Option<(&'a str, FamilyIx)> {
    let (names, state) = (&journal.names, &journal.state);
    let drawn = |family: FamilyIx| {
        let unit = state.unit(family);
        state
            .family(unit)
            .is_some_and(super::kernel::Family::is_randomized)
            .then_some(unit)
    };
    let family_of = |name: &str| {
        let child = state.children.get(names.child(name)?.0 as usize)?;
        drawn(child.family)
    };
    let own = state.unit(names.family_or_next(&request.family));
    if drawn(own).is_none()
        && let Some(other) = family_of(&request.family).filter(|other| *other != own)
    {
        return Some((&request.family, other));
    }
    request.children.iter().find_map(|child| {
        let other = drawn(names.family(child)?).filter(|other| *other != own)?;
        // A child that is on the roster already changes nothing.
        (family_of(child) != Some(own)).then_some((child.as_str(), other))
    })
}

/// The name in a request of a person who was screened with another family, which was not randomized, and that family: a
/// child of it, or the child that it is called by.
pub fn screened_before<'a>(
    journal: &Journal,
    request: &'a EnrolRequest,
) -> Option<(&'a str, FamilyIx)> {
    let own = journal
        .state
        .unit(journal.names.family_or_next(&request.family));
    let names = std::iter::once(&request.family).chain(&request.children);
    names
        .into_iter()
        .find_map(|name| Some((name.as_str(), journal.turned_back(name, own)?)))
}

/// The family that was screened at the same site for a report of the same key and was not randomized: received on the same day, or
/// on any if nobody was drawn with that key there.
pub fn same_report_before(
    journal: &Journal,
    request: &EnrolRequest,
    received: Day,
) -> Option<FamilyIx> {
    let own = journal.names.family_or_next(&request.family);
    let site = SiteIx(journal.protocol.site(&request.site)? as u16);
    let report = (site, request.report_key.as_str(), received);
    journal.turned_back_with(report, journal.state.unit(own))
}

/// The drawn family that a family which is screened may be another name of: one that a child of it was drawn with, or one that
/// is drawn and came to the same site with a report of the same key, received on the same day.
pub fn drawn_before(
    journal: &Journal,
    request: &EnrolRequest,
    received: Day,
) -> Option<(DrawnBefore, FamilyIx)> {
    let state = &journal.state;
    let own = state.unit(journal.names.family_or_next(&request.family));
    if let Some(later) = state.gone_to_draw(own) {
        return Some((DrawnBefore::Child, later));
    }
    let site = SiteIx(journal.protocol.site(&request.site)? as u16);
    let drawn = journal.drawn_with((site, &request.report_key, received), own)?;
    Some((DrawnBefore::Report, drawn))
}

/// By what a drawn family is recognized under another name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DrawnBefore {
    /// A child, or a report, that this family was screened with.
    Child,
    /// The report.
    Report,
}

/// How many families were erased, at all sites and at the request's, if the study does not know the family's name: it may be
/// one of them, also at another site than before.
pub fn may_be_erased(journal: &Journal, request: &EnrolRequest) -> Option<[usize; 2]> {
    if journal.names.family(&request.family).is_some() {
        return None;
    }
    let site = journal.protocol.site(&request.site)?;
    let all = journal.nameless(None);
    (all > 0).then(|| [all, journal.nameless(Some(SiteIx(site as u16)))])
}

fn report(journal: &Journal, family: FamilyIx, key: &str) -> super::kernel::ReportIx {
    journal.names.report_or_next(family, key)
}

#[derive(Default)]
struct Findings(Vec<Diagnostic>);

impl Findings {
    fn push(&mut self, code: &'static str, column: &str, message: Words) {
        self.0
            .push(Diagnostic::error(code, message).at(Place::column(column)));
    }

    /// Every value is scanned, whatever else is wrong with it, and none is echoed.
    fn scan(&mut self, request: &EnrolRequest) {
        let plain = [
            ("site", &request.site),
            ("family", &request.family),
            ("report_key", &request.report_key),
            ("received", &request.received),
        ];
        let children = request.children.iter().map(|child| ("child", child));
        let exception = request.exception.iter().map(|text| ("exception", text));
        let id = request.request_id.iter().map(|text| ("request_id", text));
        for (column, text) in plain.into_iter().chain(children).chain(exception).chain(id) {
            if holds_personal_number(text) {
                self.0.push(personal_number(column));
            }
        }
        for (what, values) in [("answer", &request.answers), ("field", &request.fields)] {
            for (id, value) in values {
                // The letters before it make no number of an id, nor hide one.
                if holds_personal_number(id) {
                    self.0.push(personal_number("answer"));
                } else if holds_personal_number(value) {
                    self.0.push(personal_number(&format!("{what}.{id}")));
                }
            }
        }
    }

    fn site(&mut self, protocol: &Protocol, id: &str) -> Option<SiteIx> {
        let place = protocol.site(id);
        if place.is_none() && !holds_personal_number(id) {
            let known: Vec<&str> = protocol.sites.iter().map(|site| site.id.as_str()).collect();
            self.0.push(unknown("unknown-site", "site", id, &known));
        }
        place.map(|place| SiteIx(place as u16))
    }

    fn pseudonym(&mut self, column: &str, text: &str) {
        if !is_pseudonym(text) && !holds_personal_number(text) {
            self.0.push(not_a_pseudonym(column, text));
        }
    }

    fn key(&mut self, column: &str, text: &str) {
        if !is_key(text) && !holds_personal_number(text) {
            self.0.push(not_a_key(column));
        }
    }

    fn date(&mut self, column: &str, text: &str) -> Option<Day> {
        match text.parse::<Date>() {
            Ok(date) if text.len() == 10 => Some(Day::of(date)),
            _ => {
                if !holds_personal_number(text) {
                    self.0.push(not_a_date(column));
                }
                None
            }
        }
    }

    fn answers(&mut self, protocol: &Protocol, given: &[(String, String)]) -> (u64, Content) {
        let asked: Vec<(usize, &str)> = protocol
            .criteria
            .iter()
            .enumerate()
            .filter(|(_, criterion)| matches!(criterion.check, Check::Ask { .. }))
            .map(|(place, criterion)| (place, criterion.id.as_str()))
            .collect();
        let ids: Vec<&str> = asked.iter().map(|(_, id)| *id).collect();
        self.unknown_and_repeated("answer", given, &ids);
        let (mut bits, mut content) = (0, Content::new());
        for (place, id) in asked {
            match given
                .iter()
                .find(|(own, _)| own == id)
                .map(|(_, value)| value.as_str())
            {
                Some(value @ ("yes" | "no")) => {
                    bits |= u64::from(value == "yes") << place;
                    content = content.with(id, value == "yes");
                }
                Some(value) if holds_personal_number(value) => {}
                Some(_) => self.0.push(
                    Diagnostic::error(
                        "invalid-answer",
                        words!(
                            "the answer to `{id}` is neither yes nor no",
                            "svaret på `{id}` är varken yes eller no"
                        ),
                    )
                    .at(Place::column(format!("answer.{id}")))
                    .help(Words::new(
                        "write yes or no, in small letters",
                        "skriv yes för ja och no för nej, med små bokstäver",
                    )),
                ),
                None => {
                    let Check::Ask { question, .. } = &protocol.criteria[place].check else {
                        continue;
                    };
                    let question = question.clone();
                    self.0.push(
                        Diagnostic::error(
                            "missing-answer",
                            words!("`{id}` has no answer", "`{id}` saknar svar"),
                        )
                        .at(Place::column(format!("answer.{id}")))
                        .help(Words::new(
                            format!("answer “{}” with --answer {id}=yes or no", question.en),
                            format!("besvara ”{}” med --answer {id}=yes eller no", question.sv),
                        )),
                    );
                }
            }
        }
        (bits, content)
    }

    fn fields(
        &mut self,
        protocol: &Protocol,
        given: &[(String, String)],
    ) -> ([i64; MAX_FIELDS], Content) {
        let ids: Vec<&str> = protocol
            .fields
            .iter()
            .map(|field| field.id.as_str())
            .collect();
        self.unknown_and_repeated("field", given, &ids);
        let (mut values, mut content) = ([0; MAX_FIELDS], Content::new());
        for (place, field) in protocol.fields.iter().enumerate() {
            let id = field.id.as_str();
            let column = || format!("field.{id}");
            match given
                .iter()
                .find(|(own, _)| own == id)
                .map(|(_, value)| value.as_str())
            {
                Some(text) => match field_value(&field.kind, text) {
                    Some(value) => {
                        if let Some(own) = values.get_mut(place) {
                            *own = value;
                        }
                        content = content.with(id, canonical(&field.kind, value));
                    }
                    None if holds_personal_number(text) => {}
                    None => self.0.push(
                        Diagnostic::error(
                            "invalid-field-value",
                            words!(
                                "the value of `{id}` does not fit the field",
                                "värdet på `{id}` passar inte fältet"
                            ),
                        )
                        .at(Place::column(column()))
                        .help(expected(&field.kind)),
                    ),
                },
                None => self.0.push(
                    Diagnostic::error(
                        "missing-field",
                        words!("field `{id}` has no value", "fältet `{id}` saknar värde"),
                    )
                    .at(Place::column(column()))
                    .help(words!(
                        "give it with --field {id}=…",
                        "ange det med --field {id}=…"
                    )),
                ),
            }
        }
        (values, content)
    }

    fn unknown_and_repeated(&mut self, what: &str, given: &[(String, String)], known: &[&str]) {
        for (place, (id, _)) in given.iter().enumerate() {
            if holds_personal_number(id) {
                continue;
            }
            let column = || format!("{what}.{id}");
            if !known.contains(&id.as_str()) {
                let code = if what == "answer" {
                    "unknown-criterion"
                } else {
                    "unknown-field"
                };
                self.0.push(unknown(code, &column(), id, known));
            } else if given[..place].iter().any(|(before, _)| before == id) {
                self.push(
                    "repeated-value",
                    &column(),
                    words!("`{id}` is given twice", "`{id}` är angivet två gånger"),
                );
            }
        }
    }

    fn exception(&mut self, protocol: &Protocol, given: Option<&str>) -> Option<u16> {
        let given = given?;
        let reasons = &protocol.exceptions.reasons;
        let place = reasons.iter().position(|reason| reason.id == given);
        if place.is_none() && !holds_personal_number(given) {
            let known: Vec<&str> = reasons.iter().map(|reason| reason.id.as_str()).collect();
            self.0
                .push(unknown("unknown-exception", "exception", given, &known));
        }
        place.map(|place| place as u16)
    }
}
