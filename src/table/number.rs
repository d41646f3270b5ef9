//! A cell as a number: the file's decimal sign, no thousands separators.

use super::dialect::Decimal;

/// Why a cell is no number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NotANumber {
    /// It has a thousands separator, or the other decimal sign.
    Separator,
    /// It is beyond what a number can hold.
    TooLarge,
    /// It is something else.
    Text,
}

/// A cell without spaces around it as a finite number.
pub(super) fn parse(cell: &str, decimal: Decimal) -> Result<f64, NotANumber> {
    if decimal == Decimal::Point
        && is_simple(cell)
        && let Ok(value) = cell.parse::<f64>()
        && value.is_finite()
    {
        return Ok(value);
    }
    let plain = plain(cell, decimal.sign()).ok_or_else(|| {
        if separated(cell) {
            NotANumber::Separator
        } else {
            NotANumber::Text
        }
    })?;
    match plain.parse::<f64>() {
        Ok(value) if value.is_finite() => Ok(value),
        Ok(_) => Err(NotANumber::TooLarge),
        Err(_) => Err(NotANumber::Text),
    }
}

/// A number's text with a decimal point in place of the file's sign; nothing where it stays as it is.
pub(super) fn pointed(cell: &str, decimal: Decimal) -> Result<Option<String>, NotANumber> {
    match evidence(cell) {
        Some(Evidence::Sure(own) | Evidence::Thousands(own)) if own != decimal => {
            Err(NotANumber::Separator)
        }
        Some(_) if decimal == Decimal::Comma => Ok(Some(cell.replacen(',', ".", 1))),
        _ => Ok(None),
    }
}

/// Whether a cell has nothing but digits, a point and a minus at its beginning, as most numbers: Rust reads it as it stands.
fn is_simple(cell: &str) -> bool {
    let digits = cell.strip_prefix('-').unwrap_or(cell);
    let mut bytes = digits.bytes();
    bytes.all(|byte| byte.is_ascii_digit() || byte == b'.')
}

/// `[+-]digits[sign digits][e[+-]digits]` as Rust reads it, or nothing.
fn plain(cell: &str, sign: char) -> Option<String> {
    let mut out = String::with_capacity(cell.len());
    let mut rest = cell;
    if let Some(tail) = rest.strip_prefix(['-', '\u{2212}']) {
        out.push('-');
        rest = tail;
    } else if let Some(tail) = rest.strip_prefix('+') {
        rest = tail;
    }
    let (mantissa, exponent) = match rest.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (rest, None),
    };
    let (whole, decimals) = match mantissa.split_once(sign) {
        Some((whole, decimals)) => (whole, decimals),
        None => (mantissa, ""),
    };
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(decimals) || (whole.is_empty() && decimals.is_empty()) {
        return None;
    }
    out.push_str(if whole.is_empty() { "0" } else { whole });
    if !decimals.is_empty() {
        out.push('.');
        out.push_str(decimals);
    }
    if let Some(exponent) = exponent {
        let unsigned = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        if unsigned.is_empty() || !digits(unsigned) {
            return None;
        }
        out.push('e');
        out.push_str(exponent);
    }
    Some(out)
}

/// Digits with points, commas, spaces or apostrophes between them.
fn separated(cell: &str) -> bool {
    let body = cell.strip_prefix(['-', '+', '\u{2212}']).unwrap_or(cell);
    let separator = |c: char| {
        matches!(
            c,
            '.' | ',' | ' ' | '\u{a0}' | '\u{2009}' | '\u{202f}' | '\'' | '’'
        )
    };
    body.starts_with(|c: char| c.is_ascii_digit())
        && body.ends_with(|c: char| c.is_ascii_digit())
        && body.contains(separator)
        && body.chars().all(|c| c.is_ascii_digit() || separator(c))
}

/// What the separators in a cell say about the decimal sign of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Evidence {
    /// A number with this sign before its decimals.
    Sure(Decimal),
    /// One to three digits, the sign, exactly three digits: decimals, or a separator of thousands.
    Thousands(Decimal),
}

pub(super) fn evidence(cell: &str) -> Option<Evidence> {
    let body = cell.strip_prefix(['-', '+', '\u{2212}']).unwrap_or(cell);
    let decimal = match (body.contains('.'), body.contains(',')) {
        (true, false) => Decimal::Point,
        (false, true) => Decimal::Comma,
        _ => return None,
    };
    let (whole, decimals) = body.split_once(decimal.sign())?;
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if !(digits(whole) && digits(decimals)) {
        plain(body, decimal.sign())?;
    } else if whole.is_empty() && decimals.is_empty() {
        return None;
    }
    if decimals.is_empty() {
        return None;
    }
    let like_thousands = digits(decimals)
        && decimals.len() == 3
        && (1..=3).contains(&whole.len())
        && !whole.starts_with('0');
    Some(if like_thousands {
        Evidence::Thousands(decimal)
    } else {
        Evidence::Sure(decimal)
    })
}

#[cfg(test)]
mod tests {
    use super::{Evidence, NotANumber, evidence, parse};
    use crate::table::Decimal::{Comma, Point};

    #[test]
    fn numbers_as_people_write_them() {
        for (cell, decimal, value) in [
            ("1.5", Point, 1.5),
            ("1,5", Comma, 1.5),
            ("-0,25", Comma, -0.25),
            ("\u{2212}3", Point, -3.0),
            (".5", Point, 0.5),
            ("5.", Point, 5.0),
            ("+1e3", Point, 1000.0),
            ("1,5E-3", Comma, 0.0015),
            ("007", Point, 7.0),
        ] {
            assert_eq!(parse(cell, decimal), Ok(value), "{cell}");
        }
    }

    #[test]
    fn what_is_no_number_says_why() {
        for (cell, decimal, why) in [
            ("1,5", Point, NotANumber::Separator),
            ("1.5", Comma, NotANumber::Separator),
            ("1 234", Point, NotANumber::Separator),
            ("1\u{a0}234", Comma, NotANumber::Separator),
            ("1,234.5", Point, NotANumber::Separator),
            ("1.234,5", Comma, NotANumber::Separator),
            ("1e999", Point, NotANumber::TooLarge),
            ("NaN", Point, NotANumber::Text),
            ("inf", Point, NotANumber::Text),
            ("", Point, NotANumber::Text),
            ("-", Point, NotANumber::Text),
            ("e5", Point, NotANumber::Text),
            ("0x10", Point, NotANumber::Text),
            ("1_000", Point, NotANumber::Text),
            ("2025-01-01", Point, NotANumber::Text),
        ] {
            assert_eq!(parse(cell, decimal), Err(why), "{cell}");
        }
    }

    #[test]
    fn three_decimals_may_be_thousands() {
        assert_eq!(evidence("1,234"), Some(Evidence::Thousands(Comma)));
        assert_eq!(evidence("0,234"), Some(Evidence::Sure(Comma)));
        assert_eq!(evidence("1,5"), Some(Evidence::Sure(Comma)));
        assert_eq!(evidence("1,5e1"), Some(Evidence::Sure(Comma)));
        assert_eq!(evidence("1.5"), Some(Evidence::Sure(Point)));
        assert_eq!(evidence("1.234,5"), None);
        assert_eq!(evidence("1.2.3"), None);
        assert_eq!(evidence("abc"), None);
        assert_eq!(evidence("12"), None);
    }
}
