//! How a failure is said on standard error: what is wrong, where, and what to do next; or as one line of JSON.

use ariadne::{CharSet, Config, IndexType, Label, Report, ReportKind, Source as Text};
use serde_json::{Value, json};

use crate::app::{Failure, Source};
use crate::diagnostic::{Diagnostic, Lang, Severity, Words};
use crate::study::identifiers::masked;

/// The failure as text for people, with all its findings.
///
/// Personal numbers are crossed out wherever they stand, also in the name of a file and in the lines that are shown.
pub(super) fn text(failure: &Failure, lang: Lang, colour: bool) -> String {
    let mut text = String::new();
    let source = failure.source.as_ref().map(|source| Source {
        name: masked(&source.name),
        text: masked(&source.text),
    });
    let source = source.as_ref();
    for finding in &failure.diagnostics {
        text.push_str(&spot(finding, source, lang, colour));
        text.push('\n');
    }
    text.push_str(&heading(
        Severity::Error,
        failure.code,
        &failure.message,
        lang,
        colour,
    ));
    text.push('\n');
    if let Some(help) = &failure.help {
        text.push_str(&help_line(help, lang));
        text.push('\n');
    }
    masked(&text)
}

/// The failure as one line of JSON, schema `lottning.failure/1`. Personal numbers are crossed out.
pub(super) fn json(failure: &Failure, lang: Lang) -> String {
    let source = failure.source.as_ref();
    let diagnostics: Vec<Value> = failure
        .diagnostics
        .iter()
        .map(|finding| finding_json(finding, source, lang))
        .collect();
    let mut document = json!({
        "schema": "lottning.failure/1",
        "exit": failure.exit,
        "code": failure.code,
        "message": failure.message.get(lang),
        "help": failure.help.as_ref().map(|help| help.get(lang)),
        "diagnostics": diagnostics,
    });
    mask(&mut document);
    format!("{document}\n")
}

fn mask(value: &mut Value) {
    match value {
        Value::String(text) => *text = masked(text),
        Value::Array(values) => values.iter_mut().for_each(mask),
        Value::Object(fields) => fields.values_mut().for_each(mask),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// One finding as JSON.
pub(super) fn finding_json(finding: &Diagnostic, source: Option<&Source>, lang: Lang) -> Value {
    let words = |words: &Option<Words>| {
        words
            .as_ref()
            .map_or(Value::Null, |words| words.get(lang).into())
    };
    let place = finding.place.as_ref();
    let start = place
        .and_then(|place| place.span.as_ref())
        .zip(source)
        .map(|(span, source)| line_and_column(&source.text, span.start));
    json!({
        "code": finding.code,
        "severity": finding.severity,
        "message": finding.message.get(lang),
        "file": source.map(|source| &source.name),
        "line": start.map(|(line, _)| line),
        "character": start.map(|(_, character)| character),
        "span": place.and_then(|place| place.span.as_ref()).map(|s| [s.start, s.end]),
        "row": place.and_then(|place| place.row),
        "column": place.and_then(|place| place.column.as_ref()),
        "label": words(&finding.label),
        "help": words(&finding.help),
    })
}

/// One finding in a few lines: with the text and a caret when it has a byte span, else by row and column.
pub(super) fn spot(
    finding: &Diagnostic,
    source: Option<&Source>,
    lang: Lang,
    colour: bool,
) -> String {
    if let (Some(place), Some(source)) = (&finding.place, source)
        && let Some(span) = &place.span
        && !source.text.is_empty()
    {
        let end = span.end.min(source.text.len());
        let start = span.start.min(end);
        return carets(
            finding,
            &source.name,
            &source.text,
            start..end,
            lang,
            colour,
        );
    }
    let mut text = one_line(finding, source, lang, colour);
    if let Some(help) = &finding.help {
        text.push('\n');
        text.push_str(&help_line(help, lang));
    }
    text
}

fn carets(
    finding: &Diagnostic,
    name: &str,
    text: &str,
    span: std::ops::Range<usize>,
    lang: Lang,
    colour: bool,
) -> String {
    let label = finding
        .label
        .as_ref()
        .map_or_else(|| Words::new("here", "här"), Clone::clone);
    let kind = severity(finding.severity);
    let tint = tint(finding.severity);
    let report = Report::build(
        ReportKind::Custom(kind.get(lang), tint),
        (name, span.clone()),
    )
    .with_config(
        Config::new()
            .with_index_type(IndexType::Byte)
            .with_char_set(CharSet::Unicode)
            .with_color(colour),
    )
    .with_label(
        Label::new((name, span))
            .with_message(label.get(lang))
            .with_color(tint),
    )
    .finish();
    let mut bytes = Vec::new();
    let drawn = report.write((name, Text::from(text.to_owned())), &mut bytes);
    if drawn.is_err() {
        return one_line(finding, None, lang, colour) + "\n";
    }
    // The first line is the library's own heading, coloured and in English; ours is the same everywhere.
    let mut out = one_line(finding, None, lang, colour);
    for line in String::from_utf8_lossy(&bytes).lines().skip(1) {
        out.push('\n');
        out.push_str(line.trim_end());
    }
    if let Some(help) = &finding.help {
        out.push('\n');
        out.push_str(&help_line(help, lang));
    }
    out.push('\n');
    out
}

/// One finding on one line: `file, row 3, column "x": message`.
fn one_line(finding: &Diagnostic, source: Option<&Source>, lang: Lang, colour: bool) -> String {
    let mut at = Vec::new();
    if let Some(source) = source {
        at.push(source.name.clone());
    }
    if let Some(place) = &finding.place {
        if let Some(row) = place.row {
            at.push(match lang {
                Lang::En => format!("row {row}"),
                Lang::Sv => format!("rad {row}"),
            });
        }
        if let Some(column) = &place.column {
            at.push(match lang {
                // A command without a file has options, not columns.
                _ if column.starts_with("--") => format!("`{column}`"),
                Lang::En => format!("column `{column}`"),
                Lang::Sv => format!("kolumn `{column}`"),
            });
        }
    }
    let message = finding.message.get(lang);
    let message = if at.is_empty() {
        Words::same(message)
    } else {
        Words::same(format!("{}: {message}", at.join(", ")))
    };
    heading(finding.severity, finding.code, &message, lang, colour)
}

fn heading(severity_: Severity, code: &str, message: &Words, lang: Lang, colour: bool) -> String {
    let word = severity(severity_);
    let word = word.get(lang);
    let message = message.get(lang);
    if colour {
        let number = match severity_ {
            Severity::Error => 31,
            Severity::Warning => 33,
        };
        format!("\u{1b}[1;{number}m{word}[{code}]\u{1b}[0m: {message}")
    } else {
        format!("{word}[{code}]: {message}")
    }
}

fn help_line(help: &Words, lang: Lang) -> String {
    format!("  {}: {}", next(lang), help.get(lang))
}

fn next(lang: Lang) -> &'static str {
    match lang {
        Lang::En => "help",
        Lang::Sv => "hjälp",
    }
}

fn severity(severity: Severity) -> Words {
    match severity {
        Severity::Error => Words::new("error", "fel"),
        Severity::Warning => Words::new("warning", "varning"),
    }
}

fn tint(severity: Severity) -> ariadne::Color {
    match severity {
        Severity::Error => ariadne::Color::Red,
        Severity::Warning => ariadne::Color::Yellow,
    }
}

/// Line and character of a byte offset, both counted from 1.
fn line_and_column(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let last = before.rfind('\n').map_or(0, |at| at + 1);
    (line, before[last..].chars().count() + 1)
}

#[cfg(test)]
mod tests {
    use super::{json, text};
    use crate::app::{Failure, exit};
    use crate::diagnostic::{Diagnostic, Lang, Place, Words};

    fn failure() -> Failure {
        let source = "[study]\nname = \"åäö\" # é\nstie = 1\n";
        let at = source.find("stie").unwrap();
        Failure::refused_file(
            exit::INVALID_PROTOCOL,
            "invalid-protocol",
            "study.toml",
            source,
            vec![
                Diagnostic::error(
                    "unknown-key",
                    Words::new("unknown key `stie`", "okänd nyckel `stie`"),
                )
                .at(Place::span(at..at + 4))
                .help(Words::new("did you mean `site`?", "menade du `site`?")),
                Diagnostic::error("ragged-row", Words::new("too short", "för kort"))
                    .at(Place::cell(3, "x")),
            ],
        )
    }

    #[test]
    fn the_caret_stands_under_the_word_after_wide_letters() {
        let text = text(&failure(), Lang::En, false);
        assert!(text.contains("study.toml:3:1"), "{text}");
        assert!(text.contains("did you mean `site`?"), "{text}");
        assert!(
            text.contains("study.toml, row 3, column `x`: too short"),
            "{text}"
        );
        assert!(!text.contains('\u{1b}'), "no colour off a terminal: {text}");
    }

    #[test]
    fn json_is_one_line_with_line_and_character() {
        let line = json(&failure(), Lang::Sv);
        assert_eq!(line.matches('\n').count(), 1);
        let value: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(value["exit"], 3);
        assert_eq!(value["diagnostics"][0]["line"], 3);
        assert_eq!(value["diagnostics"][0]["character"], 1);
        assert_eq!(value["diagnostics"][1]["row"], 3);
        assert_eq!(value["diagnostics"][0]["help"], "menade du `site`?");
    }

    #[test]
    fn a_span_beyond_the_text_does_not_panic() {
        let mut failure = failure();
        failure.diagnostics[0].place = Some(Place::span(1000..2000));
        assert!(text(&failure, Lang::Sv, true).contains("unknown-key"));
        assert!(json(&failure, Lang::Sv).contains("unknown-key"));
    }
}
