//! What a file calls a column, a command calls an option: findings of `enrol` and `record` with one family name the option.

use crate::app::Failure;
use crate::diagnostic::Diagnostic;

/// The option that holds what the column `name` of a file would; further columns of an event are its `--set`.
fn option(name: &str) -> String {
    match name.split_once('.') {
        Some((kind @ ("answer" | "field"), id)) => format!("--{kind} {id}"),
        _ => match name {
            "site" | "family" | "child" | "report_key" | "exception" | "request_id" | "on"
            | "event_key" | "at" => format!("--{}", name.replace('_', "-")),
            other => format!("--set {other}"),
        },
    }
}

/// The option of an enrolment, which has no `--set`.
fn option_of_enrolment(name: &str) -> String {
    match name {
        "received" => "--received".to_owned(),
        other => option(other),
    }
}

fn at_options(findings: Vec<Diagnostic>, option: fn(&str) -> String) -> Vec<Diagnostic> {
    findings
        .into_iter()
        .map(|mut finding| {
            if let Some(place) = &mut finding.place {
                place.column = place.column.as_deref().map(option);
            }
            finding
        })
        .collect()
}

/// Findings of an event at options instead of columns.
pub(super) fn of_event(findings: Vec<Diagnostic>) -> Vec<Diagnostic> {
    at_options(findings, option)
}

/// The refusal of an event that no file held.
pub(super) fn event_refused(failure: Failure) -> Failure {
    Failure {
        diagnostics: of_event(failure.diagnostics),
        ..failure
    }
}

/// The refusal of an enrolment that no file held.
pub(super) fn enrolment_refused(failure: Failure) -> Failure {
    Failure {
        diagnostics: at_options(failure.diagnostics, option_of_enrolment),
        ..failure
    }
}

#[cfg(test)]
mod tests {
    use super::{option, option_of_enrolment};

    #[test]
    fn every_kind_of_column_has_its_option() {
        for (column, expected) in [
            ("report_key", "--report-key"),
            ("answer.consent", "--answer consent"),
            ("field.earlier_reports", "--field earlier_reports"),
            ("received", "--set received"),
            ("reason", "--set reason"),
            ("therapists", "--set therapists"),
        ] {
            assert_eq!(option(column), expected);
        }
        assert_eq!(option_of_enrolment("received"), "--received");
        assert_eq!(option_of_enrolment("field.age"), "--field age");
    }
}
