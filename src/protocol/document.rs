//! The whole file: bytes, version, sections in their order, and what only several of them together can tell.

use super::findings::Findings;
use super::model::{Protocol, ProtocolHash};
use super::rule_parser::Known;
use super::sections::{
    allocation, analyses, beacon, capacity, estimand, events, exceptions, fields, gate, locks,
    missing, multiplicity, outcomes, participants, roles, sample_size, study,
};
use super::tree::{NAMED, Section};
use crate::diagnostic::{Diagnostic, Place};
use crate::words;
use jiff::civil::Date;
use sha2::{Digest, Sha256};
use std::ops::Range;
use toml::de::DeTable;

/// Version of the file format, and of the frozen draw.
pub const VERSION: i64 = 1;

/// Keys at the top of the file.
const KEYS: &[&str] = &[
    "lottning",
    "study",
    "sample_size",
    "capacity",
    "site",
    "arm",
    "unit",
    "field",
    "criterion",
    "allocation",
    "gate",
    "exceptions",
    "violations",
    "deviations",
    "roles",
    "event",
    "exits",
    "outcome",
    "lock",
    "analysis",
    "multiplicity",
];

/// What a file holds: a protocol if and only if no finding is an error.
#[derive(Debug, Clone)]
pub struct Parsed {
    /// The protocol.
    pub protocol: Option<Protocol>,
    /// Errors and warnings, in the order of the file.
    pub diagnostics: Vec<Diagnostic>,
}

impl Parsed {
    fn refused(finding: Diagnostic) -> Self {
        Self {
            protocol: None,
            diagnostics: vec![finding],
        }
    }
}

/// Every section with the keys that it may hold, in the order of the file; the options of allocation methods come on
/// top (see [`crate::allocation::METHODS`]).
pub fn vocabulary() -> Vec<(&'static str, &'static [&'static str])> {
    vec![
        ("top of the file", KEYS),
        ("[study]", study::KEYS),
        ("ethics", study::ETHICS),
        ("law", study::LAW),
        ("ascertainment", study::ASCERTAINMENT),
        ("beacon", beacon::KEYS),
        ("[sample_size]", sample_size::KEYS),
        ("assumed", sample_size::ASSUMED),
        ("stop", sample_size::STOP),
        ("[capacity]", capacity::KEYS),
        ("[[site]]", participants::SITE),
        ("[[arm]]", participants::ARM),
        ("[unit]", participants::UNIT),
        ("returns", participants::RETURNS),
        ("[[field]]", fields::FIELD),
        ("levels and reasons", NAMED),
        ("[[criterion]]", fields::CRITERION),
        ("[allocation]", allocation::KEYS),
        ("[gate]", gate::KEYS),
        ("[exceptions]", exceptions::KEYS),
        ("[violations]", exceptions::KEYS),
        ("[deviations]", exceptions::DEVIATIONS),
        ("[roles]", roles::KEYS),
        ("cap", exceptions::CAP),
        ("[[event]]", events::EVENT),
        ("[exits]", events::EXITS),
        ("[[outcome]]", outcomes::KEYS),
        ("not_counted", outcomes::NOT_COUNTED),
        ("[[lock]]", locks::KEYS),
        ("[[analysis]]", analyses::KEYS),
        ("estimand", estimand::KEYS),
        ("test", analyses::TEST),
        ("missing", missing::KEYS),
        ("[multiplicity]", multiplicity::KEYS),
    ]
}

/// Reads a protocol, reporting all findings at once.
///
/// ```
/// let parsed = lottning::protocol::parse(b"lottning = 2\n");
/// assert!(parsed.protocol.is_none());
/// assert_eq!(parsed.diagnostics[0].code, "unsupported-version");
/// ```
pub fn parse(bytes: &[u8]) -> Parsed {
    let source = match std::str::from_utf8(bytes) {
        Ok(source) => source,
        Err(error) => return Parsed::refused(not_utf8(bytes, error.valid_up_to())),
    };
    if source.trim_start_matches('\u{feff}').trim().is_empty() {
        return Parsed::refused(
            Diagnostic::error(
                "empty-protocol",
                words!("the file is empty", "filen är tom"),
            )
            .help(words!(
                "`lottning new DIR` writes a protocol to edit",
                "`lottning new DIR` skriver ett protokoll att redigera"
            )),
        );
    }
    let (tree, errors) = DeTable::parse_recoverable(source);
    let mut out = Findings::new(source);
    if !errors.is_empty() {
        for error in errors {
            out.push(syntax(&error, source));
        }
        return Parsed {
            protocol: None,
            diagnostics: out.into_sorted(),
        };
    }
    if let Some(finding) = version(&tree) {
        return Parsed::refused(finding);
    }
    let hash = ProtocolHash(Sha256::digest(bytes).into());
    let root = Section::root(&mut out, tree.get_ref(), KEYS);
    let protocol = sections(&mut out, &root, hash);
    let protocol = protocol.filter(|_| !out.has_errors());
    Parsed {
        protocol,
        diagnostics: out.into_sorted(),
    }
}

fn not_utf8(bytes: &[u8], at: usize) -> Diagnostic {
    if bytes.starts_with(&[0xFF, 0xFE]) || bytes.starts_with(&[0xFE, 0xFF]) {
        return Diagnostic::error(
            "not-utf8",
            words!("the file is in UTF-16", "filen är i UTF-16"),
        )
        .help(words!(
            "save the file as UTF-8 in the editor",
            "spara filen som UTF-8 i redigeraren"
        ));
    }
    let line = bytes.iter().take(at).filter(|byte| **byte == b'\n').count() + 1;
    Diagnostic::error(
        "not-utf8",
        words!(
            "the file is not UTF-8: line {line} holds a byte that is no character",
            "filen är inte UTF-8: rad {line} har en byte som inte är ett tecken"
        ),
    )
    .help(words!(
        "save the file as UTF-8 in the editor",
        "spara filen som UTF-8 i redigeraren"
    ))
}

fn syntax(error: &toml::de::Error, source: &str) -> Diagnostic {
    let detail = error.message().trim();
    let finding = Diagnostic::error(
        "toml-syntax",
        words!("this is not TOML: {detail}", "detta är inte TOML: {detail}"),
    )
    .help(words!(
        "texts stand in quotes, lists in square brackets, and each key once",
        "texter står inom citattecken, listor inom hakparenteser, och varje nyckel en gång"
    ));
    match error.span() {
        Some(span) => finding.at(Place::span(whole_characters(span, source))),
        None => finding,
    }
}

/// A span widened to whole characters inside the text.
fn whole_characters(span: Range<usize>, source: &str) -> Range<usize> {
    let start = source.floor_char_boundary(span.start.min(source.len()));
    let end = source.ceil_char_boundary(span.end.clamp(start, source.len()));
    start..end
}

fn version(tree: &toml::Spanned<DeTable<'_>>) -> Option<Diagnostic> {
    let help = words!(
        "begin the file with `lottning = {VERSION}`",
        "börja filen med `lottning = {VERSION}`"
    );
    let Some(value) = tree.get_ref().get("lottning") else {
        return Some(
            Diagnostic::error(
                "unsupported-version",
                words!(
                    "the file does not say which version of the format it is written in",
                    "filen säger inte vilken version av formatet den är skriven i"
                ),
            )
            .help(help),
        );
    };
    let number = value.get_ref().as_integer();
    if number.is_some_and(|number| number.radix() == 10 && number.as_str() == "1") {
        return None;
    }
    let given = number.map_or_else(|| "?".to_string(), ToString::to_string);
    Some(
        Diagnostic::error(
            "unsupported-version",
            words!(
                "version {given} of the file format is not known; this program reads version {VERSION}",
                "version {given} av filformatet är okänd; detta program läser version {VERSION}"
            ),
        )
        .at(Place::span(value.span()))
        .help(help),
    )
}

fn sections(out: &mut Findings<'_>, root: &Section<'_>, hash: ProtocolHash) -> Option<Protocol> {
    let study = study::read(out, root);
    let size = sample_size::read(out, root);
    let capacity = capacity::read(out, root);
    let (_, sites) = participants::sites(out, root);
    let arms = participants::arms(out, root);
    let unit = participants::unit(out, root);
    let (field_ids, fields) = fields::fields(out, root);
    let criteria = fields::criteria(
        out,
        root,
        Known {
            ids: &field_ids,
            fields: &fields,
        },
    );
    let allocation = allocation::read(
        out,
        root,
        allocation::Around {
            arms: &arms,
            sites: sites.len(),
            ids: &field_ids,
            fields: &fields,
            size: size.as_ref(),
        },
    );
    let gate = gate::read(out, root, &arms);
    let violations = exceptions::violations(out, root);
    let deviations = exceptions::deviations(out, root);
    let roles = roles::read(out, root);
    let exceptions = exceptions::read(out, root);
    let events = events::events(out, root);
    let exits = events::exits(out, root);
    let (outcome_ids, outcomes) = outcomes::read(out, root, &events);
    let locks = locks::read(out, root);
    let analyses = analyses::read(
        out,
        root,
        analyses::Around {
            locks: &locks,
            outcome_ids: &outcome_ids,
            outcomes: &outcomes,
            events: &events,
            drawing: allocation::Around {
                arms: &arms,
                sites: sites.len(),
                ids: &field_ids,
                fields: &fields,
                size: size.as_ref(),
            },
            strata: allocation.as_ref().map(|own| own.strata.as_slice()),
        },
    );
    let treated = arms.list.len().saturating_sub(1);
    let (secondary, primary) = multiplicity::read(out, root, &analyses, treated);
    let opening = sites.iter().flatten().map(|site| site.opens).min();
    if let Some(opening) = opening {
        let last_window = outcomes
            .iter()
            .flatten()
            .map(|outcome| outcome.kind.last_day())
            .max()
            .unwrap_or(0);
        calendar(
            out,
            root,
            opening,
            last_window,
            study.as_ref(),
            size.as_ref(),
            &locks,
        );
    }
    Some(Protocol {
        hash,
        study: study?,
        sample_size: size?,
        capacity: capacity?,
        sites: complete(sites)?,
        arms: complete(arms.list)?,
        control: arms.control?,
        unit: unit?,
        fields: complete(fields)?,
        criteria: complete(criteria)?,
        allocation: allocation?,
        gate,
        exceptions: exceptions?,
        violations: violations?,
        deviations: deviations?,
        roles,
        events: complete(events)?,
        exits: exits?,
        outcomes: complete(outcomes)?,
        locks: complete(locks.list)?,
        analyses: complete(analyses)?,
        multiplicity: secondary,
        primary_multiplicity: primary,
        earlier: Vec::new(),
    })
}

fn calendar(
    out: &mut Findings<'_>,
    root: &Section<'_>,
    opening: Date,
    last_window: i32,
    study: Option<&super::model::Study>,
    size: Option<&super::model::SampleSize>,
    locks: &locks::Locks,
) {
    if let Some(study) = study {
        study::against_opening(out, root, study, opening);
    }
    if let Some(size) = size {
        sample_size::against_opening(out, root, size, opening);
    }
    let stop = size.and_then(|size| size.stop_date);
    locks.against_calendar(out, opening, stop, last_window);
}

fn complete<T>(list: Vec<Option<T>>) -> Option<Vec<T>> {
    list.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn the_shipped_protocol_has_no_findings() {
        let parsed = parse(include_bytes!("../../protocols/iuh-2025/protocol.toml"));
        assert_eq!(parsed.diagnostics, Vec::new());
        let protocol = parsed.protocol.unwrap();
        assert_eq!(protocol.sites.len(), 5);
        assert_eq!(protocol.allocation.method, "big-stick");
        assert_eq!(protocol.strata(), 5);
    }
}
