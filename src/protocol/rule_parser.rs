//! The small language of eligibility rules: text to a [`Rule`] that compares integers.
//!
//! ```text
//! rule       = all { "or" all }
//! all        = one { "and" one }
//! one        = "not" one | "(" rule ")" | field comparison value
//! comparison = "=" | "==" | "!=" | "<" | "<=" | ">" | ">="
//! value      = number | "level" | 'level' | yes | no | true | false
//! ```
//!
//! Findings point into the text of the rule. Nothing is evaluated here.

use super::findings::Findings;
use super::model::{Field, FieldKind};
use super::names::Ids;
use super::rule::{Comparison, Rule};
use super::rule_words::{Spotted, Token, tokens};
use super::tree::Value;
use crate::diagnostic::{Diagnostic, Place, Words};
use crate::words;
use std::ops::Range;

/// Deepest nesting of brackets and `not`.
const MAX_DEPTH: usize = 32;

/// Fields that a rule may compare: every identifier, and the field itself where it was read without an error.
#[derive(Debug, Clone, Copy)]
pub(super) struct Known<'f> {
    /// Identifiers.
    pub(super) ids: &'f Ids,
    /// Fields in the same order.
    pub(super) fields: &'f [Option<Field>],
}

/// Compiles the rule that a value holds.
pub(super) fn compile(
    out: &mut Findings<'_>,
    value: &Value<'_>,
    known: Known<'_>,
) -> Option<(String, Rule)> {
    let text = value.text(out)?;
    let offset = offset_in_source(out.source, &value.span, text);
    let place = |span: Range<usize>| match offset {
        Some(offset) => span.start + offset..span.end + offset,
        None => value.span.clone(),
    };
    let tokens = match tokens(text) {
        Ok(tokens) => tokens,
        Err((span, message)) => {
            out.error("rule-syntax", &place(span), message, example());
            return None;
        }
    };
    let mut parser = Parser {
        tokens: &tokens,
        next: 0,
        end: text.len(),
        known,
        findings: Vec::new(),
    };
    let rule = parser.rule(0).and_then(|rule| match parser.peek() {
        None => Ok(rule),
        Some((_, span)) => Err(Parser::syntax(
            span.clone(),
            words!(
                "expected `and`, `or` or the end of the rule",
                "här väntades `and`, `or` eller regelns slut"
            ),
        )),
    });
    let mut findings = parser.findings;
    let rule = match rule {
        Ok(rule) => Some(rule),
        Err(finding) => {
            findings.push(finding);
            None
        }
    };
    let failed = findings.iter().any(Diagnostic::is_error);
    for mut finding in findings {
        if let Some(place_in_rule) = &mut finding.place
            && let Some(span) = place_in_rule.span.take()
        {
            place_in_rule.span = Some(place(span));
        }
        out.push(finding);
    }
    rule.filter(|_| !failed)
        .map(|rule| (text.to_string(), rule))
}

/// Where the text of a TOML string begins in the file, unless escapes moved it.
fn offset_in_source(source: &str, span: &Range<usize>, text: &str) -> Option<usize> {
    let raw = source.get(span.clone())?;
    let mut quote = 1;
    if raw.starts_with("\"\"\"") || raw.starts_with("'''") {
        quote = 3;
        let rest = raw.get(3..)?;
        quote += if rest.starts_with("\r\n") {
            2
        } else {
            usize::from(rest.starts_with('\n'))
        };
    }
    let same = raw.get(quote..quote + text.len()) == Some(text);
    same.then_some(span.start + quote)
}

fn example() -> Words {
    words!(
        "a rule reads like `earlier_reports >= 2 and not (category == \"crime\")`",
        "en regel skrivs som `earlier_reports >= 2 and not (category == \"crime\")`"
    )
}

struct Parser<'t, 'f> {
    tokens: &'t [Spotted<'t>],
    next: usize,
    end: usize,
    known: Known<'f>,
    findings: Vec<Diagnostic>,
}

impl<'t> Parser<'t, '_> {
    fn peek(&self) -> Option<&'t Spotted<'t>> {
        self.tokens.get(self.next)
    }

    fn take(&mut self) -> Option<&'t Spotted<'t>> {
        let token = self.tokens.get(self.next);
        self.next += usize::from(token.is_some());
        token
    }

    fn take_word(&mut self, word: &str) -> bool {
        let found = matches!(self.peek(), Some((Token::Word(own), _)) if *own == word);
        self.next += usize::from(found);
        found
    }

    fn syntax(span: Range<usize>, message: Words) -> Diagnostic {
        Diagnostic::error("rule-syntax", message)
            .at(Place::span(span))
            .help(example())
    }

    fn ends(&self, message: Words) -> Diagnostic {
        Self::syntax(self.end.saturating_sub(1)..self.end, message)
    }

    fn rule(&mut self, depth: usize) -> Result<Rule, Diagnostic> {
        let mut list = vec![self.all(depth)?];
        while self.take_word("or") {
            list.push(self.all(depth)?);
        }
        Ok(joined(list, Rule::Or))
    }

    fn all(&mut self, depth: usize) -> Result<Rule, Diagnostic> {
        let mut list = vec![self.one(depth)?];
        while self.take_word("and") {
            list.push(self.one(depth)?);
        }
        Ok(joined(list, Rule::And))
    }

    fn one(&mut self, depth: usize) -> Result<Rule, Diagnostic> {
        let Some((token, span)) = self.take() else {
            return Err(self.ends(words!(
                "the rule ends where a comparison should follow",
                "regeln slutar där en jämförelse skulle följa"
            )));
        };
        if depth > MAX_DEPTH {
            return Err(Self::syntax(
                span.clone(),
                words!(
                    "more than {MAX_DEPTH} levels of brackets and `not`",
                    "fler än {MAX_DEPTH} nivåer av parenteser och `not`"
                ),
            ));
        }
        match token {
            Token::Word("not") => Ok(Rule::Not(Box::new(self.one(depth + 1)?))),
            Token::Open => {
                let inner = self.rule(depth + 1)?;
                match self.take() {
                    Some((Token::Close, _)) => Ok(inner),
                    Some((_, other)) => Err(Self::syntax(
                        other.clone(),
                        words!(
                            "expected `and`, `or` or `)`",
                            "här väntades `and`, `or` eller `)`"
                        ),
                    )),
                    None => Err(Self::syntax(
                        span.clone(),
                        words!(
                            "this bracket is not closed",
                            "denna parentes saknar avslutning"
                        ),
                    )),
                }
            }
            Token::Word(field) => self.compare(field, span),
            _ => Err(Self::syntax(
                span.clone(),
                words!("expected the id of a field", "här väntades ett fälts id"),
            )),
        }
    }

    fn compare(&mut self, name: &str, name_span: &Range<usize>) -> Result<Rule, Diagnostic> {
        let comparison = match self.take() {
            Some((Token::Compare(comparison), _)) => *comparison,
            Some((_, other)) => {
                return Err(Self::syntax(
                    other.clone(),
                    words!(
                        "expected a comparison such as `>=` after `{name}`",
                        "här väntades en jämförelse som `>=` efter `{name}`"
                    ),
                ));
            }
            None => {
                return Err(self.ends(words!(
                    "the rule ends where a comparison such as `>= 2` should follow `{name}`",
                    "regeln slutar där en jämförelse som `>= 2` skulle följa efter `{name}`"
                )));
            }
        };
        let Some((token, span)) = self.take() else {
            return Err(self.ends(words!(
                "the rule ends where a value should follow",
                "regeln slutar där ett värde skulle följa"
            )));
        };
        if matches!(token, Token::Open | Token::Close | Token::Compare(_)) {
            return Err(Self::syntax(
                span.clone(),
                words!(
                    "expected a number, a level in quotes, `yes` or `no`",
                    "här väntades ett tal, en nivå inom citattecken, `yes` eller `no`"
                ),
            ));
        }
        let never = Rule::Or(Vec::new());
        let Some(index) = self.known.ids.position(name) else {
            let names: Vec<&str> = self.known.ids.names().collect();
            self.findings.push(
                Diagnostic::error(
                    "unknown-reference",
                    words!("there is no field `{name}`", "fältet `{name}` finns inte"),
                )
                .at(Place::span(name_span.clone()))
                .help(super::findings::suggestion(name, &names)),
            );
            return Ok(never);
        };
        let Some(Some(field)) = self.known.fields.get(index) else {
            return Ok(never);
        };
        match constant(field, comparison, token) {
            Ok(value) => {
                let rule = Rule::Compare {
                    field: index,
                    comparison,
                    value,
                };
                self.warn_if_constant(field, comparison, value, name_span.start..span.end);
                Ok(rule)
            }
            Err((message, help)) => {
                self.findings.push(
                    Diagnostic::error("rule-type", message)
                        .at(Place::span(span.clone()))
                        .help(help),
                );
                Ok(never)
            }
        }
    }

    fn warn_if_constant(
        &mut self,
        field: &Field,
        comparison: Comparison,
        value: i64,
        span: Range<usize>,
    ) {
        let (FieldKind::Count { range, .. } | FieldKind::Number { range, .. }) = &field.kind else {
            return;
        };
        let (least, most) = *range;
        let (always, never) = match comparison {
            Comparison::Equal => (
                least == most && least == value,
                value < least || value > most,
            ),
            Comparison::NotEqual => (
                value < least || value > most,
                least == most && least == value,
            ),
            Comparison::Less => (most < value, least >= value),
            Comparison::AtMost => (most <= value, least > value),
            Comparison::Greater => (least > value, most <= value),
            Comparison::AtLeast => (least >= value, most < value),
        };
        if !always && !never {
            return;
        }
        let id = &field.id;
        let message = if always {
            words!(
                "this comparison holds for every value that `{id}` can have",
                "jämförelsen gäller för varje värde som `{id}` kan ha"
            )
        } else {
            words!(
                "this comparison holds for no value that `{id}` can have",
                "jämförelsen gäller inte för något värde som `{id}` kan ha"
            )
        };
        self.findings.push(
            Diagnostic::warning("rule-constant", message)
                .at(Place::span(span))
                .help(words!(
                    "check the number, or the field's `range`",
                    "kontrollera talet, eller fältets `range`"
                )),
        );
    }
}

fn joined(mut list: Vec<Rule>, several: fn(Vec<Rule>) -> Rule) -> Rule {
    if list.len() == 1
        && let Some(only) = list.pop()
    {
        return only;
    }
    several(list)
}

fn constant(
    field: &Field,
    comparison: Comparison,
    token: &Token<'_>,
) -> Result<i64, (Words, Words)> {
    let id = &field.id;
    let equality = matches!(comparison, Comparison::Equal | Comparison::NotEqual);
    let unordered = || {
        (
            words!(
                "the values of `{id}` have no order",
                "värdena för `{id}` har ingen ordning"
            ),
            words!("use `==` or `!=`", "använd `==` eller `!=`"),
        )
    };
    match &field.kind {
        FieldKind::Choice { levels } => {
            let names: Vec<&str> = levels.iter().map(|level| level.id.as_str()).collect();
            let given = match token {
                Token::Quoted(level) => Some(*level),
                _ => None,
            };
            let Some(index) = given.and_then(|given| names.iter().position(|own| *own == given))
            else {
                let all = super::findings::quoted(&names);
                return Err((
                    words!(
                        "`{id}` is compared with something that is not one of its levels",
                        "`{id}` jämförs med något som inte är en av dess nivåer"
                    ),
                    words!(
                        "write a level in quotes: {all}",
                        "skriv en nivå inom citattecken: {all}"
                    ),
                ));
            };
            if equality {
                Ok(index as i64)
            } else {
                Err(unordered())
            }
        }
        FieldKind::YesNo => {
            let value = match token {
                Token::Word("yes" | "true") => 1,
                Token::Word("no" | "false") => 0,
                _ => {
                    return Err((
                        words!("`{id}` is yes or no", "`{id}` är ja eller nej"),
                        words!(
                            "compare it with `yes` or `no`, without quotes",
                            "jämför med `yes` eller `no`, utan citattecken"
                        ),
                    ));
                }
            };
            if equality {
                Ok(value)
            } else {
                Err(unordered())
            }
        }
        FieldKind::Count { .. } => number(id, token, 0),
        FieldKind::Number { places, .. } => number(id, token, *places),
    }
}

fn number(id: &str, token: &Token<'_>, places: u8) -> Result<i64, (Words, Words)> {
    let value = match token {
        Token::Number(text) => scaled(text, places),
        _ => None,
    };
    value.ok_or_else(|| {
        let shape = if places == 0 {
            words!("a whole number", "ett heltal")
        } else {
            words!(
                "a number with at most {places} decimals and a decimal point",
                "ett tal med högst {places} decimaler och decimalpunkt"
            )
        };
        let Words { en, sv } = shape;
        (
            words!("`{id}` is {en}", "`{id}` är {sv}"),
            words!("compare it with {en}", "jämför med {sv}"),
        )
    })
}

/// A plain decimal as an integer in units of `10^−places`, exactly, or `None` if it has more places, an exponent or
/// is too large.
pub(super) fn scaled(text: &str, places: u8) -> Option<i64> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let fraction = fraction.trim_end_matches('0');
    let plain = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !plain(whole) || !plain(fraction) || fraction.len() > usize::from(places)
    {
        return None;
    }
    let width = usize::from(places);
    let value: i64 = format!("{whole}{fraction:0<width$}").parse().ok()?;
    Some(if negative { -value } else { value })
}
