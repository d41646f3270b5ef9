//! The values of a violation: its coded reason, and what each of the four standard reasons keeps beside it.

use super::checker::Checker;
use crate::allocation::Arm;
use crate::diagnostic::{Diagnostic, Place, Words};
use crate::protocol::model::{Policy, Violations};
use crate::study::field_value::{canonical, expected, field_value};
use crate::study::findings::unknown;
use crate::study::kernel::Truth;
use crate::words;

/// `--set` keys of a violation beside its reason.
pub(super) const KEYS: [&str; 4] = ["criterion", "field", "value", "received"];

/// The site as the field of a wrong stratum; no field of a protocol has this id.
const SITE: &str = "site";

/// The keys that a reason keeps, and those among them that it needs.
fn keys(policy: Option<Policy>) -> (&'static [&'static str], &'static [&'static str]) {
    match policy {
        Some(Policy::FoundIneligible) => (&["criterion"], &[]),
        Some(Policy::WrongStratum) => (&["field", "value"], &["field", "value"]),
        Some(Policy::WrongService) => (&["received"], &["received"]),
        Some(Policy::DoubleDraw) | None => (&[], &[]),
    }
}

/// What a violation says.
pub(super) struct Said {
    pub(super) reason: u16,
    pub(super) truth: Option<Truth>,
    pub(super) received: Option<Arm>,
}

impl Checker<'_> {
    /// The reason and its values; findings gather in the checker.
    pub(super) fn violation(&mut self) -> Option<Said> {
        let protocol = std::sync::Arc::clone(&self.journal.protocol);
        let given = self.value("reason")?;
        let known: Vec<&str> = protocol
            .violations
            .reasons
            .iter()
            .map(|reason| reason.id.as_str())
            .collect();
        let Some(place) = known.iter().position(|id| *id == given) else {
            self.findings
                .push(unknown("unknown-violation", "reason", given, &known));
            return None;
        };
        let reason = place as u16;
        let (kept, needed) = keys(Violations::policy(reason));
        for key in KEYS {
            let set = self.value(key).is_some();
            if set && !kept.contains(&key) {
                self.findings.push(
                    Diagnostic::error(
                        "unknown-set-key",
                        words!("`{given}` keeps no `{key}`", "`{given}` har inget `{key}`"),
                    )
                    .at(Place::column(key))
                    .help(Words::new(
                        "wrong-stratum keeps field and value, wrong-service received, found-ineligible criterion",
                        "wrong-stratum har field och value, wrong-service har received, found-ineligible har criterion",
                    )),
                );
            } else if !set && needed.contains(&key) {
                self.missing_set_key(given, key);
            }
        }
        if let Some(id) = self.value("criterion") {
            let known: Vec<&str> = protocol
                .criteria
                .iter()
                .map(|own| own.id.as_str())
                .collect();
            if !known.contains(&id) {
                self.findings
                    .push(unknown("unknown-criterion", "criterion", id, &known));
            }
        }
        let truth = self.truth(&protocol);
        let received = match self.value("received") {
            Some(id) => Some(self.arm(id)?),
            None => None,
        };
        Some(Said {
            reason,
            truth,
            received,
        })
    }

    /// A true value in the one way that the ledger writes it.
    pub(super) fn written(&self, truth: Option<Truth>, given: &str) -> String {
        let fields = &self.journal.protocol.fields;
        let field = truth.and_then(|own| Some((fields.get(usize::from(own.field))?, own.value)));
        field.map_or_else(
            || given.to_owned(),
            |(field, value)| canonical(&field.kind, value),
        )
    }

    fn truth(&mut self, protocol: &crate::protocol::Protocol) -> Option<Truth> {
        let (id, text) = (self.value("field")?, self.value("value")?);
        if id == SITE {
            return self.true_site(protocol, text);
        }
        let fields = protocol.fields.iter().map(|own| own.id.as_str());
        let known: Vec<&str> = fields.chain([SITE]).collect();
        let Some(place) = protocol.field(id) else {
            self.findings
                .push(unknown("unknown-field", "field", id, &known));
            return None;
        };
        let kind = &protocol.fields[place].kind;
        let Some(value) = field_value(kind, text) else {
            self.invalid("value", expected(kind));
            return None;
        };
        Some(Truth {
            field: place as u8,
            value,
        })
    }

    fn true_site(&mut self, protocol: &crate::protocol::Protocol, id: &str) -> Option<Truth> {
        let Some(place) = protocol.site(id) else {
            let known: Vec<&str> = protocol.sites.iter().map(|own| own.id.as_str()).collect();
            self.findings
                .push(unknown("unknown-site", "value", id, &known));
            return None;
        };
        Some(Truth {
            field: Truth::SITE,
            value: place as i64,
        })
    }
}
