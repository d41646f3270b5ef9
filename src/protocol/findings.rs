//! Where findings are collected while a protocol is read, and the sentences that several sections share.
//!
//! Each finding has a code that is listed in [`CODES`], a span, and what to do next. Sections add their own findings
//! where only they can say what is wrong; nothing stops at the first.

use crate::diagnostic::{Diagnostic, Place, Words, nearest};
use crate::words;
use std::ops::Range;

/// Every code that reading a protocol can give, besides the refusals of the allocation methods.
///
/// `tests/snapshots/protocol/` holds one bad file and its rendering for each.
pub const CODES: &[&str] = &[
    "alpha-unspent",
    "ascertainment-break",
    "attached-unseen",
    "capacity-without-gate",
    "child-unseen",
    "control-arm",
    "criterion-check",
    "cut-before-last-window",
    "cuts-not-ascending",
    "date-order",
    "depends-on-closing",
    "duplicate-id",
    "empty-protocol",
    "empty-text",
    "estimator-mismatch",
    "exit-unclassified",
    "factor-is-stratum",
    "gate-without-capacity",
    "lock-cut",
    "look-not-primary",
    "look-of-several-arms",
    "look-spends-all",
    "look-spends-nothing",
    "malformed-id",
    "measure-mismatch",
    "missing-key",
    "missing-rule-mismatch",
    "multiplicity-unsaid",
    "no-final-lock",
    "not-applicable",
    "not-built-yet",
    "not-utf8",
    "option-not-used",
    "out-of-range",
    "permission-missing",
    "primary-analysis",
    "ratio-not-preserved",
    "roles-clash",
    "rule-constant",
    "rule-syntax",
    "rule-type",
    "same-incident-unseen",
    "strata-without-levels",
    "summary-mismatch",
    "thin-strata",
    "toml-syntax",
    "too-few",
    "too-many",
    "unknown-key",
    "unknown-reference",
    "unknown-time-zone",
    "unknown-value",
    "unsupported-version",
    "window-order",
    "wrong-type",
];

/// The findings of one file, and its text.
#[derive(Debug)]
pub(crate) struct Findings<'s> {
    /// Text of the file.
    pub(crate) source: &'s str,
    /// The page that explains the keys of the file.
    pub(crate) guide: &'static str,
    list: Vec<Diagnostic>,
}

impl<'s> Findings<'s> {
    /// Nothing found yet.
    pub(crate) fn new(source: &'s str) -> Self {
        Self {
            source,
            guide: "docs/protocol.md",
            list: Vec::new(),
        }
    }

    /// Adds a finding.
    pub(crate) fn push(&mut self, finding: Diagnostic) {
        debug_assert!(
            CODES.contains(&finding.code) || finding.label.is_none(),
            "code {} is not listed",
            finding.code
        );
        self.list.push(finding);
    }

    /// Adds an error at a span with what to do next.
    pub(crate) fn error(
        &mut self,
        code: &'static str,
        span: &Range<usize>,
        message: Words,
        help: Words,
    ) {
        self.push(
            Diagnostic::error(code, message)
                .at(Place::span(span.clone()))
                .help(help),
        );
    }

    /// Adds a warning at a span with what to do next.
    pub(crate) fn warning(
        &mut self,
        code: &'static str,
        span: &Range<usize>,
        message: Words,
        help: Words,
    ) {
        self.push(
            Diagnostic::warning(code, message)
                .at(Place::span(span.clone()))
                .help(help),
        );
    }

    /// Whether an error was found so far.
    pub(crate) fn has_errors(&self) -> bool {
        self.list.iter().any(Diagnostic::is_error)
    }

    /// A name that is none of `known`: the nearest one, or all of them, as help.
    pub(crate) fn unknown<'n>(
        &mut self,
        code: &'static str,
        span: &Range<usize>,
        name: &str,
        message: Words,
        known: impl IntoIterator<Item = &'n str>,
    ) {
        let known: Vec<&str> = known.into_iter().collect();
        self.error(code, span, message, suggestion(name, &known));
    }

    /// Something of the contract that the program cannot do yet; `built` names what it can.
    pub(crate) fn not_built_yet(&mut self, span: &Range<usize>, what: Words, built: &[&str]) {
        let Words { en, sv } = what;
        let list = quoted(built);
        let help = if built.is_empty() {
            words!(
                "leave it out until it is there",
                "utelämna det tills det finns"
            )
        } else {
            words!("what is there now: {list}", "det som finns nu: {list}")
        };
        self.error(
            "not-built-yet",
            span,
            words!(
                "{en} is planned but not built in this version",
                "{sv} är planerat men finns inte i denna version"
            ),
            help,
        );
    }

    /// A number outside its range.
    pub(crate) fn out_of_range(
        &mut self,
        span: &Range<usize>,
        key: &str,
        given: &str,
        range: Words,
    ) {
        let Words { en, sv } = range;
        // A number in running text has a comma in Swedish; what is no number, as a date, stays.
        let given_sv = match given.parse::<f64>() {
            Ok(_) => given.replace('.', ","),
            Err(_) => given.to_owned(),
        };
        self.push(
            Diagnostic::error(
                "out-of-range",
                Words::new(
                    format!("`{key}` is {given}, which is not {en}"),
                    format!("`{key}` är {given_sv}, vilket inte är {sv}"),
                ),
            )
            .at(Place::span(span.clone()))
            .help(Words::new(format!("write {en}"), format!("ange {sv}"))),
        );
    }

    /// The findings in the order of the file; those about the whole file first.
    pub(crate) fn into_sorted(self) -> Vec<Diagnostic> {
        let mut list = self.list;
        list.sort_by_key(|finding| {
            finding
                .place
                .as_ref()
                .and_then(|place| place.span.clone())
                .map_or((0, 0), |span| (span.start + 1, span.end))
        });
        // Worlds of several arms read the same keys, and find the same.
        let mut said: Vec<Diagnostic> = Vec::with_capacity(list.len());
        for finding in list {
            if !said.contains(&finding) {
                said.push(finding);
            }
        }
        said
    }
}

/// "Did you mean …", or the list of what exists.
pub(crate) fn suggestion(name: &str, known: &[&str]) -> Words {
    if let Some(near) = nearest(name, known.iter().copied()) {
        return words!("did you mean `{near}`?", "menade du `{near}`?");
    }
    if known.is_empty() {
        return words!("none is defined in this file", "ingen finns i filen");
    }
    let all = quoted(known);
    words!("what exists: {all}", "det som finns: {all}")
}

/// Names in backquotes, joined by commas.
pub(crate) fn quoted(names: &[&str]) -> String {
    names
        .iter()
        .map(|name| format!("`{name}`"))
        .collect::<Vec<_>>()
        .join(", ")
}
