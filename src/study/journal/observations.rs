//! What rows say that somebody saw of a family: a report, a value of an outcome, what was wrong.

use super::canonical::Value;
use super::decode::{Reader, Unreadable, day_of};
use super::unreadable::{fits_no_field, has_no, is_unknown};
use crate::allocation::Arm;
use crate::diagnostic::Words;
use crate::protocol::model::Day;
use crate::study::field_value::field_value;
use crate::study::kernel::{FamilyIx, Report, ReportIx, Source, Truth, What};

impl Reader<'_> {
    pub(super) fn sighting(&mut self, family: FamilyIx) -> Result<(ReportIx, Day), Unreadable> {
        if self.erased {
            return Ok((self.names.name_report(family, "erased"), Day(0)));
        }
        let key = self.text("report_key")?;
        Ok((self.names.name_report(family, key), self.day("received")?))
    }

    pub(super) fn report(&mut self, family: FamilyIx) -> Result<Report, Unreadable> {
        let (report, received) = self.sighting(family)?;
        let source = match self.payload.get("source").and_then(Value::as_str) {
            Some("intake") => Source::Intake,
            Some("log") => Source::Log,
            Some("register") => Source::Register,
            None if self.erased => Source::Intake,
            _ => return Err(has_no("source")),
        };
        let incident = self.payload.get("incident_date").and_then(Value::as_str);
        let child = self.payload.get("child").and_then(Value::as_str);
        Ok(Report {
            family,
            report,
            received,
            source,
            incident: incident.map(day_of).transpose()?,
            unknown_child: child.is_some_and(|child| self.names.child(child).is_none()),
            child: child.and_then(|child| self.names.child(child)),
            attached: self
                .payload
                .get("attached_to_open_investigation")
                .and_then(yes_no),
            by_study_staff: self
                .payload
                .get("by_study_staff")
                .and_then(yes_no)
                .unwrap_or(false),
        })
    }

    pub(super) fn observed(&self, family: FamilyIx) -> Result<What, Unreadable> {
        if self.erased {
            return Ok(What::Observed {
                family,
                outcome: u16::MAX,
                value: 0.0,
                on: Day(0),
            });
        }
        let id = self.text("outcome")?;
        let outcome = self
            .protocol
            .outcomes
            .iter()
            .position(|outcome| outcome.id == id);
        let value: f64 = self
            .text("value")?
            .parse()
            .map_err(|_| Words::new("its value is not a number", "dess värde är inget tal"))?;
        Ok(What::Observed {
            family,
            outcome: outcome.ok_or_else(|| is_unknown(("outcome", "utfallet"), id))? as u16,
            value,
            on: self.on()?,
        })
    }

    /// What a violation says was wrong: the true value of a field, the arm whose service was received.
    pub(super) fn mistake(&self) -> Result<(Option<Truth>, Option<Arm>), Unreadable> {
        let text = |key: &str| self.payload.get(key).and_then(Value::as_str);
        let truth = match (text("field"), text("value")) {
            (Some("site"), Some(id)) => {
                let place = self.protocol.site(id);
                Some(Truth {
                    field: Truth::SITE,
                    value: place.ok_or_else(|| is_unknown(("site", "enheten"), id))? as i64,
                })
            }
            (Some(id), Some(value)) => {
                let place = self.protocol.field(id);
                let place = place.ok_or_else(|| is_unknown(("field", "fältet"), id))?;
                let value = field_value(&self.protocol.fields[place].kind, value);
                Some(Truth {
                    field: place as u8,
                    value: value.ok_or_else(|| fits_no_field(id))?,
                })
            }
            _ => None,
        };
        let received = text("received").map(|id| self.arm(id)).transpose()?;
        Ok((truth, received))
    }
}

fn yes_no(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(bool) => Some(*bool),
        Value::String(text) => match &**text {
            "yes" => Some(true),
            "no" => Some(false),
            _ => None,
        },
        _ => None,
    }
}
