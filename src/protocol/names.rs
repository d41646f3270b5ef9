//! Identifiers of a protocol: how they are written, that each is defined once, and how one refers to another.

use super::findings::Findings;
use super::tree::{Section, Value};
use crate::diagnostic::{Diagnostic, Place, Words};
use crate::words;
use std::ops::Range;

/// Longest identifier: keys of random streams and file names hold them.
const MAX_LENGTH: usize = 64;

fn well_formed(text: &str, joint: char) -> bool {
    text.len() <= MAX_LENGTH
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.split(joint).all(|part| {
            !part.is_empty()
                && part
                    .chars()
                    .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
        })
}

/// Whether a text is an id as a protocol writes them: words of lower-case letters and digits joined by hyphens.
pub fn is_kebab(text: &str) -> bool {
    well_formed(text, '-')
}

fn check(
    out: &mut Findings<'_>,
    span: &Range<usize>,
    key: &str,
    text: &str,
    joint: char,
    style: &str,
) -> bool {
    if well_formed(text, joint) {
        return true;
    }
    let example = respelled(text, joint)
        .map(|example| format!(": `{example}`"))
        .unwrap_or_default();
    out.push(
        Diagnostic::error(
            "malformed-id",
            words!(
                "`{text}` is not an identifier in {style} for `{key}`",
                "`{text}` är inte en identifierare i {style} för `{key}`"
            ),
        )
        .at(Place::span(span.clone()))
        .help(words!(
            "lower-case letters a–z and digits, words joined by `{joint}`, a letter first, at most {MAX_LENGTH} characters{example}",
            "små bokstäver a–z och siffror, ord fogade med `{joint}`, en bokstav först, högst {MAX_LENGTH} tecken{example}"
        )),
    );
    false
}

/// A proposal in the right style, if one can be made.
fn respelled(text: &str, joint: char) -> Option<String> {
    let plain: String = text
        .chars()
        .flat_map(char::to_lowercase)
        .map(|c| match c {
            'å' | 'ä' => 'a',
            'ö' => 'o',
            'é' => 'e',
            c if c.is_ascii_alphanumeric() => c,
            _ => ' ',
        })
        .collect();
    let joined = plain
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(&joint.to_string());
    well_formed(&joined, joint).then_some(joined)
}

/// Whether an identifier is kebab-case; reports it otherwise.
pub(super) fn check_kebab(
    out: &mut Findings<'_>,
    span: &Range<usize>,
    key: &str,
    text: &str,
) -> bool {
    check(out, span, key, text, '-', "kebab-case")
}

/// Whether an identifier is snake_case; reports it otherwise.
pub(super) fn check_snake(
    out: &mut Findings<'_>,
    span: &Range<usize>,
    key: &str,
    text: &str,
) -> bool {
    check(out, span, key, text, '_', "snake_case")
}

/// How the identifiers of one kind are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    /// `rinkeby-kista`
    Kebab,
    /// `earlier_reports`
    Snake,
}

impl Style {
    fn joint(self) -> char {
        match self {
            Self::Kebab => '-',
            Self::Snake => '_',
        }
    }
}

/// The identifiers of one kind, in the order of the file. A malformed one holds its place with the name that was
/// probably meant, or an empty one, so that references to it are not reported as well.
#[derive(Debug, Clone)]
pub(super) struct Ids {
    what: Words,
    list: Vec<String>,
}

impl Ids {
    /// Reads `id` of every section, reporting those that are missing, malformed or repeated.
    pub(super) fn read(
        out: &mut Findings<'_>,
        sections: &[Section<'_>],
        what: Words,
        style: Style,
    ) -> Self {
        let mut list: Vec<String> = Vec::new();
        for section in sections {
            let value = section.need(out, "id");
            let span = value.as_ref().map(|value| value.span.clone());
            let meant = value
                .as_ref()
                .and_then(Value::as_text)
                .and_then(|text| respelled(text, style.joint()));
            let id = value.and_then(|value| match style {
                Style::Kebab => value.kebab(out),
                Style::Snake => value.snake(out),
            });
            if let (Some(id), Some(span)) = (&id, span)
                && list.contains(id)
            {
                repeated(out, &span, &what, id);
            }
            list.push(id.or(meant).unwrap_or_default());
        }
        Self { what, list }
    }

    /// The identifiers.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.list
            .iter()
            .map(String::as_str)
            .filter(|id| !id.is_empty())
    }

    /// The identifier of a section; empty when it was malformed.
    pub(super) fn name(&self, index: usize) -> String {
        self.list.get(index).cloned().unwrap_or_default()
    }

    /// The place of an identifier.
    pub(super) fn position(&self, id: &str) -> Option<usize> {
        self.list.iter().position(|own| own == id && !id.is_empty())
    }

    /// The place of the identifier that a value names; reports one that does not exist.
    pub(super) fn resolve(&self, out: &mut Findings<'_>, value: &Value<'_>) -> Option<usize> {
        let id = value.text(out)?;
        let found = self.position(id);
        if found.is_none() {
            let Words { en, sv } = &self.what;
            let names: Vec<&str> = self.names().collect();
            out.unknown(
                "unknown-reference",
                &value.span,
                id,
                words!("there is no {en} `{id}`", "{sv} `{id}` finns inte"),
                names,
            );
        }
        found
    }
}

/// Reports an identifier that stands twice.
pub(super) fn repeated(out: &mut Findings<'_>, span: &Range<usize>, what: &Words, id: &str) {
    let Words { en, sv } = what;
    out.error(
        "duplicate-id",
        span,
        words!(
            "the {en} `{id}` is there twice",
            "{sv} `{id}` finns två gånger"
        ),
        words!(
            "give each its own identifier, or remove one",
            "ge var och en en egen identifierare, eller ta bort en"
        ),
    );
}
