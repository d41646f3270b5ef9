//! Numbers as people read them: decimal comma and true minus sign in Swedish, rounded, never ambiguous.
//!
//! Only for pages and figures. CSV and JSON carry full precision with a point and do not come here. Percentages of
//! counts are rounded from the integers themselves, so 1 of 8 is 12.5 and not what a float makes of it.

use crate::diagnostic::Lang;
use crate::protocol::model::Day;

/// The minus sign, which is not a hyphen.
pub const MINUS: char = '\u{2212}';
/// A space that does not break a line.
pub const NBSP: char = '\u{a0}';
/// The end of an interval that has none above.
pub const INFINITE: &str = "∞";
/// What stands where a number is undefined.
pub const UNDEFINED: &str = "–";

/// Puts the sign and the decimal mark of the language on plain digits such as `-1.50`.
fn localize(plain: &str, lang: Lang) -> String {
    let zero = plain.chars().all(|c| matches!(c, '-' | '0' | '.'));
    plain
        .chars()
        .filter_map(|c| match (c, lang) {
            ('-', _) => (!zero).then_some(MINUS),
            ('.', Lang::Sv) => Some(','),
            (other, _) => Some(other),
        })
        .collect()
}

/// A whole number with groups of three: `12 345` in Swedish, `12,345` in English.
pub fn count(n: u64, lang: Lang) -> String {
    let digits = n.to_string();
    // Four digits stand together in Swedish, as the language council recommends; English groups them.
    if lang == Lang::Sv && digits.len() <= 4 {
        return digits;
    }
    let mark = match lang {
        Lang::Sv => NBSP,
        Lang::En => ',',
    };
    let mut text = String::with_capacity(digits.len() + 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(mark);
        }
        text.push(digit);
    }
    text
}

/// A number with so many decimals; an undefined one is a dash.
pub fn fixed(x: f64, places: usize, lang: Lang) -> String {
    if x.is_finite() {
        localize(&format!("{x:.places$}"), lang)
    } else {
        UNDEFINED.to_string()
    }
}

/// A number with its sign always shown, except on zero.
pub fn signed(x: f64, places: usize, lang: Lang) -> String {
    let text = fixed(x, places, lang);
    let zero = text.chars().all(|c| matches!(c, '0' | ',' | '.'));
    if x > 0.0 && x.is_finite() && !zero {
        format!("+{text}")
    } else {
        text
    }
}

/// `part` of `whole` in percent with one decimal, rounded half up from the integers; a dash when `whole` is 0.
pub fn percent(part: u32, whole: u32, lang: Lang) -> String {
    if whole == 0 {
        return UNDEFINED.to_string();
    }
    let (part, whole) = (u64::from(part), u64::from(whole));
    let tenths = (part * 2000 + whole) / (2 * whole);
    let digits = localize(&format!("{}.{}", tenths / 10, tenths % 10), lang);
    percent_sign(&digits, lang)
}

/// The percent sign behind digits: after a no-break space in Swedish, close up in English.
pub fn percent_sign(digits: &str, lang: Lang) -> String {
    match lang {
        Lang::Sv => format!("{digits}{NBSP}%"),
        Lang::En => format!("{digits}%"),
    }
}

/// `68/165 (41.2%)`: the count, out of how many, and the percentage.
pub fn share(part: u32, whole: u32, lang: Lang) -> String {
    format!(
        "{}/{} ({})",
        count(part.into(), lang),
        count(whole.into(), lang),
        percent(part, whole, lang)
    )
}

/// A p-value: three decimals, more where rounding would put it on or across `alpha`, and bounds at the ends.
pub fn p_value(p: f64, alpha: f64, lang: Lang) -> String {
    if !p.is_finite() {
        return UNDEFINED.to_string();
    }
    let side = |value: f64| value.total_cmp(&alpha);
    if p < 0.001 {
        return format!("<{NBSP}{}", localize("0.001", lang));
    }
    if p > 0.999 {
        return format!(">{NBSP}{}", localize("0.999", lang));
    }
    let mut text = format!("{p:.3}");
    for places in 4..=8 {
        let shown: f64 = text.parse().unwrap_or(p);
        if side(shown) == side(p) {
            break;
        }
        text = format!("{p:.places$}");
    }
    localize(&text, lang)
}

/// `p = 0.346` or `p < 0.001`: the p-value as part of a sentence.
pub fn p_equation(p: f64, alpha: f64, lang: Lang) -> String {
    let text = p_value(p, alpha, lang);
    if text.starts_with(['<', '>']) {
        format!("p{NBSP}{text}")
    } else {
        format!("p{NBSP}={NBSP}{text}")
    }
}

/// `−13.1 to 6.9`; one absent limit is infinite.
pub fn interval(low: Option<f64>, high: Option<f64>, places: usize, lang: Lang) -> String {
    interval_above("−∞", (low, high), places, lang)
}

/// The same on a scale that begins at `lowest`: ratios at 0.
pub fn interval_above(
    lowest: &str,
    (low, high): (Option<f64>, Option<f64>),
    places: usize,
    lang: Lang,
) -> String {
    let limit = |value: Option<f64>| value.filter(|v| v.is_finite());
    let to = match lang {
        Lang::Sv => "till",
        Lang::En => "to",
    };
    match (limit(low), limit(high)) {
        (Some(low), Some(high)) => {
            format!(
                "{} {to} {}",
                fixed(low, places, lang),
                fixed(high, places, lang)
            )
        }
        (None, None) => UNDEFINED.to_string(),
        (low, high) => {
            let text = |value: Option<f64>, open: &str| {
                value.map_or_else(|| open.to_owned(), |v| fixed(v, places, lang))
            };
            format!("{} {to} {}", text(low, lowest), text(high, INFINITE))
        }
    }
}

/// A date, `2025-02-03`; a day outside the calendar is a dash.
pub fn date(day: Day) -> String {
    day.date()
        .map_or_else(|| UNDEFINED.to_string(), |date| date.to_string())
}

#[cfg(test)]
mod tests {
    use super::{count, fixed, interval, p_value, percent, share, signed};
    use crate::diagnostic::Lang;

    #[test]
    fn swedish_numbers_have_a_comma_a_minus_and_a_no_break_space() {
        assert_eq!(fixed(-1.25, 1, Lang::Sv), "\u{2212}1,2");
        assert_eq!(percent(123, 1000, Lang::Sv), "12,3\u{a0}%");
        assert_eq!(count(12_345, Lang::Sv), "12\u{a0}345");
        assert_eq!(count(1_345, Lang::Sv), "1345");
        assert_eq!(
            interval(Some(-0.5), Some(2.0), 1, Lang::Sv),
            "\u{2212}0,5 till 2,0"
        );
    }

    #[test]
    fn english_numbers_have_a_point_and_a_close_percent_sign() {
        assert_eq!(percent(123, 1000, Lang::En), "12.3%");
        assert_eq!(count(1_234_567, Lang::En), "1,234,567");
        assert_eq!(share(68, 165, Lang::En), "68/165 (41.2%)");
        assert_eq!(interval(None, Some(2.0), 1, Lang::En), "−∞ to 2.0");
    }

    #[test]
    fn zero_has_no_sign_and_an_undefined_number_is_a_dash() {
        assert_eq!(fixed(-0.04, 1, Lang::En), "0.0");
        assert_eq!(signed(0.04, 1, Lang::En), "0.0");
        assert_eq!(signed(3.0, 1, Lang::Sv), "+3,0");
        assert_eq!(fixed(f64::NAN, 1, Lang::En), "–");
        assert_eq!(percent(0, 0, Lang::Sv), "–");
        assert_eq!(interval(None, None, 1, Lang::Sv), "–");
    }

    #[test]
    fn percentages_round_half_up_from_the_integers() {
        // 1/2000 = 0.05 %, 1/8 = 12.5 %, 333/1000 = 33.3 %: by hand.
        assert_eq!(percent(1, 2000, Lang::En), "0.1%");
        assert_eq!(percent(1, 8, Lang::En), "12.5%");
        assert_eq!(percent(333, 1000, Lang::En), "33.3%");
        assert_eq!(percent(7, 7, Lang::En), "100.0%");
    }

    #[test]
    fn a_rounded_p_stays_on_its_side_of_alpha() {
        assert_eq!(p_value(0.0496, 0.05, Lang::En), "0.0496");
        assert_eq!(p_value(0.050_04, 0.05, Lang::En), "0.05004");
        assert_eq!(p_value(0.05, 0.05, Lang::En), "0.050");
        assert_eq!(p_value(0.03, 0.05, Lang::Sv), "0,030");
        assert_eq!(p_value(0.000_2, 0.05, Lang::Sv), "<\u{a0}0,001");
        assert_eq!(p_value(1.0, 0.05, Lang::En), ">\u{a0}0.999");
    }
}
