//! A table of the file: its keys, known and unknown, and the values and sections under them.
//!
//! Unknown keys are reported when a section is opened, each with the nearest known name. What a single value may be is
//! [`super::value`]; what the keys mean is `sections/`.

use super::value::Value;
use crate::diagnostic::{Diagnostic, Place, Words, nearest};
use crate::protocol::findings::{Findings, suggestion};
use crate::words;
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A table whose keys are known.
#[derive(Debug, Clone)]
pub(crate) struct Section<'a> {
    /// Name for people: `[study]`, `estimand`.
    pub(crate) name: String,
    /// Where it is: its header or braces.
    pub(crate) span: Range<usize>,
    table: &'a DeTable<'a>,
    /// Known keys that unknown ones were probably meant to be.
    misspelt: Vec<String>,
}

impl<'a> Section<'a> {
    /// The whole file.
    pub(crate) fn root(
        out: &mut Findings<'_>,
        table: &'a DeTable<'a>,
        known: &[&str],
    ) -> Section<'a> {
        let mut section = Section::new(String::new(), 0..0, table);
        section.refuse_unknown(out, known);
        section
    }

    /// A table under its name for people; its keys are not looked at.
    pub(super) fn new(name: String, span: Range<usize>, table: &'a DeTable<'a>) -> Self {
        Section {
            name,
            span,
            table,
            misspelt: Vec::new(),
        }
    }

    pub(super) fn refuse_unknown(&mut self, out: &mut Findings<'_>, known: &[&str]) {
        for key in self.table.keys() {
            let name: &str = key.get_ref();
            if known.contains(&name) {
                continue;
            }
            if let Some(near) = nearest(name, known.iter().copied()) {
                self.misspelt.push(near.to_string());
            }
            let place = self.in_words();
            out.push(
                Diagnostic::error(
                    "unknown-key",
                    Words::new(
                        format!("unknown key `{name}` {}", place.en),
                        format!("okänd nyckel `{name}` {}", place.sv),
                    ),
                )
                .at(Place::span(key.span()))
                .label(words!("no such key", "nyckeln finns inte"))
                .help(suggestion(name, known)),
            );
        }
    }

    fn in_words(&self) -> Words {
        if self.name.is_empty() {
            return Words::new("at the top of the file", "på filens översta nivå");
        }
        let name = &self.name;
        words!("in {name}", "i {name}")
    }

    /// The value of a key that may be left out.
    pub(crate) fn get(&self, key: &str) -> Option<Value<'a>> {
        self.table.get(key).map(|value| Value {
            key: key.to_string(),
            span: value.span(),
            held: value.get_ref(),
        })
    }

    /// The span of a key's name, or the section's own.
    pub(crate) fn key_span(&self, key: &str) -> Range<usize> {
        self.table
            .get_key_value(key)
            .map_or_else(|| self.span.clone(), |(name, _)| name.span())
    }

    /// The value of a key that must be there.
    pub(crate) fn need(&self, out: &mut Findings<'_>, key: &str) -> Option<Value<'a>> {
        let value = self.get(key);
        if value.is_none() {
            self.missing(out, key);
        }
        value
    }

    /// Reports a key that must be there.
    pub(crate) fn missing(&self, out: &mut Findings<'_>, key: &str) {
        if self.misspelt.iter().any(|near| near == key) {
            return;
        }
        let place = self.in_words();
        let guide = out.guide;
        out.error(
            "missing-key",
            &self.span,
            Words::new(
                format!("`{key}` is missing {}", place.en),
                format!("`{key}` saknas {}", place.sv),
            ),
            words!(
                "add `{key}`; {guide} says what it means",
                "lägg till `{key}`; {guide} säger vad den betyder"
            ),
        );
    }

    /// Reports keys that mean nothing here, for the given reason.
    pub(crate) fn refuse(&self, out: &mut Findings<'_>, keys: &[&str], because: &Words) {
        for key in keys {
            if self.get(key).is_some() {
                let Words { en, sv } = because;
                out.error(
                    "not-applicable",
                    &self.key_span(key),
                    words!(
                        "`{key}` means nothing here: {en}",
                        "`{key}` betyder inget här: {sv}"
                    ),
                    words!("remove `{key}`", "ta bort `{key}`"),
                );
            }
        }
    }

    /// Keys and values in the order of the file.
    pub(crate) fn entries(&self) -> Vec<(Range<usize>, Value<'a>)> {
        let mut entries: Vec<_> = self
            .table
            .iter()
            .map(|(key, value): (&Spanned<_>, &Spanned<DeValue<'_>>)| {
                (
                    key.span(),
                    Value {
                        key: key.get_ref().to_string(),
                        span: value.span(),
                        held: value.get_ref(),
                    },
                )
            })
            .collect();
        entries.sort_by_key(|(span, _)| span.start);
        entries
    }

    /// A section that must be there.
    pub(crate) fn need_section(
        &self,
        out: &mut Findings<'_>,
        key: &str,
        known: &[&str],
    ) -> Option<Section<'a>> {
        let value = self.need(out, key)?;
        value.section(out, known)
    }

    /// A section that may be left out.
    pub(crate) fn section(
        &self,
        out: &mut Findings<'_>,
        key: &str,
        known: &[&str],
    ) -> Option<Section<'a>> {
        self.get(key)?.section(out, known)
    }

    /// An array of tables, `[[key]]`; empty when left out.
    pub(crate) fn sections(
        &self,
        out: &mut Findings<'_>,
        key: &str,
        known: &[&str],
    ) -> Vec<Section<'a>> {
        let Some(value) = self.get(key) else {
            return Vec::new();
        };
        let DeValue::Array(items) = value.held else {
            value.wrong_type(
                out,
                words!(
                    "a list of sections, each headed `[[{key}]]`",
                    "en lista av avsnitt, vart och ett med rubriken `[[{key}]]`"
                ),
            );
            return Vec::new();
        };
        items
            .iter()
            .enumerate()
            .filter_map(|(index, item)| {
                let number = index + 1;
                let item = Value {
                    key: format!("[[{key}]] {number}"),
                    span: item.span(),
                    held: item.get_ref(),
                };
                item.section(out, known)
            })
            .collect()
    }
}
