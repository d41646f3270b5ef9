//! Walking the tree of a TOML file by hand, so that every value keeps its span and every finding is collected.
//!
//! A [`Section`] is a table with the keys it may hold; unknown keys are reported when it is opened. A [`Value`] is
//! one value with the name of its key; its readers report what does not fit and answer `None`. What the values mean
//! is the business of `sections/`.

use super::findings::{Findings, suggestion};
use super::names;
use crate::diagnostic::{Diagnostic, Place, Words, nearest};
use crate::words;
use jiff::civil::Date;
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

/// A value and the key that holds it.
#[derive(Debug, Clone)]
pub(crate) struct Value<'a> {
    /// Name of the key, for people.
    pub(crate) key: String,
    /// Where the value is.
    pub(crate) span: Range<usize>,
    held: &'a DeValue<'a>,
}

impl<'a> Section<'a> {
    /// The whole file.
    pub(crate) fn root(
        out: &mut Findings<'_>,
        table: &'a DeTable<'a>,
        known: &[&str],
    ) -> Section<'a> {
        let mut section = Section {
            name: String::new(),
            span: 0..0,
            table,
            misspelt: Vec::new(),
        };
        section.refuse_unknown(out, known);
        section
    }

    fn refuse_unknown(&mut self, out: &mut Findings<'_>, known: &[&str]) {
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

impl<'a> Value<'a> {
    fn kind(&self) -> Words {
        match self.held {
            DeValue::String(_) => Words::new("text", "text"),
            DeValue::Integer(_) => Words::new("a whole number", "ett heltal"),
            DeValue::Float(_) => Words::new("a decimal number", "ett decimaltal"),
            DeValue::Boolean(_) => Words::new("true or false", "true eller false"),
            DeValue::Datetime(value) if value.time.is_none() => Words::new("a date", "ett datum"),
            DeValue::Datetime(_) => Words::new("a time", "en tidpunkt"),
            DeValue::Array(_) => Words::new("a list", "en lista"),
            DeValue::Table(_) => Words::new("a table", "en tabell"),
        }
    }

    /// Reports that the value has another type than wanted.
    pub(crate) fn wrong_type(&self, out: &mut Findings<'_>, wanted: Words) {
        let key = &self.key;
        let Words { en, sv } = wanted;
        let found = self.kind();
        out.push(
            Diagnostic::error(
                "wrong-type",
                words!("`{key}` should be {en}", "`{key}` ska vara {sv}"),
            )
            .at(Place::span(self.span.clone()))
            .label(Words::new(
                format!("this is {}", found.en),
                format!("detta är {}", found.sv),
            ))
            .help(Words::new(format!("write {en}"), format!("ange {sv}"))),
        );
    }

    /// The text, if it is one; nothing is reported.
    pub(crate) fn as_text(&self) -> Option<&'a str> {
        match self.held {
            DeValue::String(text) => Some(text),
            _ => None,
        }
    }

    /// The value as it stands, for code that accepts several types.
    pub(crate) fn raw(&self) -> &'a DeValue<'a> {
        self.held
    }

    /// A table with the keys it may hold.
    pub(crate) fn section(&self, out: &mut Findings<'_>, known: &[&str]) -> Option<Section<'a>> {
        let mut section = self.open_section(out)?;
        section.refuse_unknown(out, known);
        Some(section)
    }

    /// A table whose keys the caller checks.
    pub(crate) fn open_section(&self, out: &mut Findings<'_>) -> Option<Section<'a>> {
        let DeValue::Table(table) = self.held else {
            self.wrong_type(out, Words::new("a table of keys", "en tabell med nycklar"));
            return None;
        };
        let headed = self.key.starts_with('[')
            || out
                .source
                .get(self.span.clone())
                .is_some_and(|text| text.starts_with('['));
        let name = match (headed, self.key.starts_with('[')) {
            (true, false) => format!("[{}]", self.key),
            _ => self.key.clone(),
        };
        Some(Section {
            name: if headed { name } else { format!("`{name}`") },
            span: self.span.clone(),
            table,
            misspelt: Vec::new(),
        })
    }

    /// Text that is not blank.
    pub(crate) fn text(&self, out: &mut Findings<'_>) -> Option<&'a str> {
        let DeValue::String(text) = self.held else {
            self.wrong_type(out, Words::new("text in quotes", "text inom citattecken"));
            return None;
        };
        if text.trim().is_empty() {
            let key = &self.key;
            out.error(
                "empty-text",
                &self.span,
                words!("`{key}` is empty", "`{key}` är tom"),
                words!("write a text", "skriv en text"),
            );
            return None;
        }
        Some(text)
    }

    /// Text in both languages, `{ sv = "…", en = "…" }`, or one text for both.
    pub(crate) fn words(&self, out: &mut Findings<'_>) -> Option<Words> {
        if let DeValue::Table(_) = self.held {
            let section = self.section(out, &["sv", "en"])?;
            let sv = section.need(out, "sv").and_then(|value| value.text(out));
            let en = section.need(out, "en").and_then(|value| value.text(out));
            return Some(Words::new(en?, sv?));
        }
        if !matches!(self.held, DeValue::String(_)) {
            self.wrong_type(
                out,
                Words::new(
                    "a text, or `{ sv = \"…\", en = \"…\" }`",
                    "en text, eller `{ sv = \"…\", en = \"…\" }`",
                ),
            );
            return None;
        }
        self.text(out).map(Words::same)
    }

    /// An identifier in kebab-case.
    pub(crate) fn kebab(&self, out: &mut Findings<'_>) -> Option<String> {
        let text = self.text(out)?;
        names::check_kebab(out, &self.span, &self.key, text).then(|| text.to_string())
    }

    /// An identifier in snake_case.
    pub(crate) fn snake(&self, out: &mut Findings<'_>) -> Option<String> {
        let text = self.text(out)?;
        names::check_snake(out, &self.span, &self.key, text).then(|| text.to_string())
    }

    /// `true` or `false`.
    pub(crate) fn flag(&self, out: &mut Findings<'_>) -> Option<bool> {
        if let DeValue::Boolean(flag) = self.held {
            return Some(*flag);
        }
        self.wrong_type(
            out,
            Words::new(
                "`true` or `false` without quotes",
                "`true` eller `false` utan citattecken",
            ),
        );
        None
    }

    /// A whole number from `least` to `most`.
    pub(crate) fn whole(&self, out: &mut Findings<'_>, least: i64, most: i64) -> Option<i64> {
        let DeValue::Integer(number) = self.held else {
            self.wrong_type(
                out,
                Words::new(
                    "a whole number without quotes",
                    "ett heltal utan citattecken",
                ),
            );
            return None;
        };
        let parsed = i64::from_str_radix(number.as_str(), number.radix()).ok();
        match parsed {
            Some(value) if (least..=most).contains(&value) => Some(value),
            _ => {
                out.out_of_range(
                    &self.span,
                    &self.key,
                    number.as_str(),
                    words!(
                        "a whole number from {least} to {most}",
                        "ett heltal från {least} till {most}"
                    ),
                );
                None
            }
        }
    }

    /// A whole number from `least` to `most` that fits 32 bits without a sign.
    pub(crate) fn count(&self, out: &mut Findings<'_>, least: u32, most: u32) -> Option<u32> {
        self.whole(out, i64::from(least), i64::from(most))
            .and_then(|value| u32::try_from(value).ok())
    }

    /// A whole number of days from `least` to `most`.
    pub(crate) fn days(&self, out: &mut Findings<'_>, least: i32, most: i32) -> Option<i32> {
        self.whole(out, i64::from(least), i64::from(most))
            .and_then(|value| i32::try_from(value).ok())
    }

    /// A finite number, whole or decimal, for which `admissible` holds.
    pub(crate) fn number(
        &self,
        out: &mut Findings<'_>,
        admissible: impl Fn(f64) -> bool,
        range: Words,
    ) -> Option<f64> {
        let text = match self.held {
            DeValue::Integer(number) if number.radix() == 10 => number.as_str(),
            DeValue::Float(number) => number.as_str(),
            _ => {
                self.wrong_type(
                    out,
                    Words::new(
                        "a number without quotes, with a decimal point",
                        "ett tal utan citattecken, med decimalpunkt",
                    ),
                );
                return None;
            }
        };
        match text.parse::<f64>() {
            Ok(value) if value.is_finite() && admissible(value) => Some(value),
            _ => {
                out.out_of_range(&self.span, &self.key, text, range);
                None
            }
        }
    }

    /// A number as it is written, for exact decimals.
    pub(crate) fn number_text(&self) -> Option<&'a str> {
        match self.held {
            DeValue::Integer(number) if number.radix() == 10 => Some(number.as_str()),
            DeValue::Float(number) => Some(number.as_str()),
            _ => None,
        }
    }

    /// A civil date.
    pub(crate) fn date(&self, out: &mut Findings<'_>) -> Option<Date> {
        if let DeValue::Datetime(value) = self.held
            && let (Some(date), None, None) = (value.date, value.time, value.offset)
        {
            let date = i16::try_from(date.year)
                .ok()
                .zip(i8::try_from(date.month).ok())
                .zip(i8::try_from(date.day).ok())
                .and_then(|((year, month), day)| Date::new(year, month, day).ok());
            if let Some(date) = date
                && (1900..=2199).contains(&date.year())
            {
                return Some(date);
            }
            let given = out
                .source
                .get(self.span.clone())
                .unwrap_or_default()
                .to_string();
            out.out_of_range(
                &self.span,
                &self.key,
                &given,
                Words::new("a date from 1900 to 2199", "ett datum från 1900 till 2199"),
            );
            return None;
        }
        self.wrong_type(
            out,
            Words::new(
                "a date such as 2025-02-03, without quotes and without a time of day",
                "ett datum som 2025-02-03, utan citattecken och utan klockslag",
            ),
        );
        None
    }

    /// One of a few words, each with its meaning.
    pub(crate) fn one_of<T: Clone>(
        &self,
        out: &mut Findings<'_>,
        choices: &[(&str, T)],
    ) -> Option<T> {
        let text = self.text(out)?;
        if let Some((_, meaning)) = choices.iter().find(|(word, _)| *word == text) {
            return Some(meaning.clone());
        }
        let key = &self.key;
        out.unknown(
            "unknown-value",
            &self.span,
            text,
            words!(
                "`{text}` is not a possible value of `{key}`",
                "`{text}` är inte ett möjligt värde för `{key}`"
            ),
            choices.iter().map(|(word, _)| *word),
        );
        None
    }

    /// The items of a list.
    pub(crate) fn items(&self, out: &mut Findings<'_>) -> Option<Vec<Value<'a>>> {
        let DeValue::Array(items) = self.held else {
            self.wrong_type(
                out,
                Words::new("a list in square brackets", "en lista inom hakparenteser"),
            );
            return None;
        };
        Some(
            items
                .iter()
                .map(|item| Value {
                    key: self.key.clone(),
                    span: item.span(),
                    held: item.get_ref(),
                })
                .collect(),
        )
    }

    /// The items of a list, or the value itself as its only item.
    pub(crate) fn items_or_one(&self, out: &mut Findings<'_>) -> Option<Vec<Value<'a>>> {
        match self.held {
            DeValue::Array(_) => self.items(out),
            _ => Some(vec![self.clone()]),
        }
    }

    /// Reports a list that is empty.
    pub(crate) fn need_items(&self, out: &mut Findings<'_>, items: &[Value<'a>]) -> bool {
        if !items.is_empty() {
            return true;
        }
        let key = &self.key;
        out.error(
            "too-few",
            &self.span,
            words!("`{key}` is an empty list", "`{key}` är en tom lista"),
            words!("list at least one", "ange minst en"),
        );
        false
    }
}
