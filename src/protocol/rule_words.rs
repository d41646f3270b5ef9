//! The words of an eligibility rule, each with its place in the text.
//!
//! What they mean together is `rule_parser`'s business.

use super::rule::Comparison;
use crate::diagnostic::Words;
use crate::words;
use std::ops::Range;

/// A word of a rule.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token<'t> {
    /// An id, or `and`, `or`, `not`, `yes` …
    Word(&'t str),
    /// A number as it is written.
    Number(&'t str),
    /// A level, without its quotes.
    Quoted(&'t str),
    /// A comparison.
    Compare(Comparison),
    /// `(`
    Open,
    /// `)`
    Close,
}

/// A word and its place in the text.
pub(super) type Spotted<'t> = (Token<'t>, Range<usize>);

/// The words of a rule, or the place that has no meaning.
pub(super) fn tokens(text: &str) -> Result<Vec<Spotted<'_>>, (Range<usize>, Words)> {
    let mut list = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let at = text.len() - rest.len();
        if first.is_whitespace() {
            rest = &rest[first.len_utf8()..];
            continue;
        }
        let (token, length) = match first {
            '(' => (Token::Open, 1),
            ')' => (Token::Close, 1),
            '"' | '\'' => {
                let Some(length) = rest[1..].find(first) else {
                    return Err((
                        at..text.len(),
                        words!(
                            "a quotation mark is not closed",
                            "ett citattecken saknar avslutning"
                        ),
                    ));
                };
                (Token::Quoted(&rest[1..=length]), length + 2)
            }
            '=' | '!' | '<' | '>' => comparison(rest).ok_or_else(|| {
                (
                    at..at + 1,
                    words!(
                        "`!` stands alone; write `!=` or `not`",
                        "`!` står ensamt; skriv `!=` eller `not`"
                    ),
                )
            })?,
            c if c.is_ascii_digit() || c == '-' || c == '+' => {
                let length = run(rest, |c| c.is_ascii_alphanumeric() || "+-._".contains(c));
                (Token::Number(&rest[..length]), length)
            }
            c if c.is_alphabetic() || c == '_' => {
                let length = run(rest, |c| c.is_alphanumeric() || c == '_' || c == '-');
                (Token::Word(&rest[..length]), length)
            }
            c => {
                return Err((
                    at..at + c.len_utf8(),
                    words!(
                        "`{c}` has no meaning in a rule",
                        "`{c}` har ingen betydelse i en regel"
                    ),
                ));
            }
        };
        list.push((token, at..at + length));
        rest = &rest[length..];
    }
    Ok(list)
}

fn run(text: &str, holds: impl Fn(char) -> bool) -> usize {
    text.find(|c| !holds(c)).unwrap_or(text.len())
}

fn comparison(text: &str) -> Option<(Token<'_>, usize)> {
    let signs = [
        ("==", Comparison::Equal),
        ("!=", Comparison::NotEqual),
        ("<=", Comparison::AtMost),
        (">=", Comparison::AtLeast),
        ("=", Comparison::Equal),
        ("<", Comparison::Less),
        (">", Comparison::Greater),
    ];
    signs
        .into_iter()
        .find(|(sign, _)| text.starts_with(sign))
        .map(|(sign, comparison)| (Token::Compare(comparison), sign.len()))
}
