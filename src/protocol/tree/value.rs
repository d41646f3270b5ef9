//! One value of the file: readers that report what does not fit and answer `None`.
//!
//! A reader knows types and ranges, not meanings; those are `sections/`. Tables are [`super::section`].

use super::section::Section;
use crate::diagnostic::{Diagnostic, Place, Words};
use crate::protocol::findings::Findings;
use crate::protocol::model::Named;
use crate::protocol::names;
use crate::protocol::rule_parser::scaled;
use crate::words;
use jiff::civil::Date;
use std::ops::Range;
use toml::de::DeValue;

/// Greatest magnitude of a scaled number.
const MAX_SCALED: i64 = 1_000_000_000_000;
/// Keys of an identifier that has a name for people.
pub(crate) const NAMED: &[&str] = &["id", "label"];

/// A value and the key that holds it.
#[derive(Debug, Clone)]
pub(crate) struct Value<'a> {
    /// Name of the key, for people.
    pub(crate) key: String,
    /// Where the value is.
    pub(crate) span: Range<usize>,
    pub(super) held: &'a DeValue<'a>,
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
        let name = if headed { name } else { format!("`{name}`") };
        Some(Section::new(name, self.span.clone(), table))
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

    /// An identifier in kebab-case with its name for people: `"id"`, or `{ id = "…", label = … }`.
    pub(crate) fn named(&self, out: &mut Findings<'_>) -> Option<Named> {
        let DeValue::Table(_) = self.held else {
            let id = self.kebab(out)?;
            let label = Words::same(id.replace('-', " "));
            return Some(Named { id, label });
        };
        let section = self.section(out, NAMED)?;
        let id = section.need(out, "id").and_then(|value| value.kebab(out));
        let label = section
            .need(out, "label")
            .and_then(|value| value.words(out));
        Some(Named {
            id: id?,
            label: label?,
        })
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

    /// A number with at most so many decimals, exactly, in units of `10^−places`.
    pub(crate) fn exact(&self, out: &mut Findings<'_>, places: u8) -> Option<i64> {
        let wanted = if places == 0 {
            words!("a whole number", "ett heltal")
        } else {
            words!(
                "a number with at most {places} decimals, without an exponent",
                "ett tal med högst {places} decimaler, utan exponent"
            )
        };
        let Some(text) = self.number_text() else {
            self.wrong_type(out, wanted);
            return None;
        };
        let number = scaled(text, places).filter(|number| number.abs() <= MAX_SCALED);
        if number.is_none() {
            out.out_of_range(&self.span, &self.key, text, wanted);
        }
        number
    }

    /// A number as it is written, for exact decimals.
    fn number_text(&self) -> Option<&'a str> {
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
