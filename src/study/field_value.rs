//! Values of fields: the text that people give and the integer that the state machine knows.
//!
//! Counts are whole numbers, decimals are scaled by their places, choices are the index of a level, yes is 1.

use crate::diagnostic::Words;
use crate::protocol::model::{FieldKind, decimal};
use crate::words;

/// The integer of a field's value, or `None` if the text does not fit the field.
pub fn field_value(kind: &FieldKind, text: &str) -> Option<i64> {
    match kind {
        FieldKind::Count { range, .. } => {
            let value: i64 = text.parse().ok()?;
            (range.0..=range.1).contains(&value).then_some(value)
        }
        FieldKind::Number { range, places, .. } => {
            let value = scaled(text, *places)?;
            (range.0..=range.1).contains(&value).then_some(value)
        }
        FieldKind::Choice { levels } => levels
            .iter()
            .position(|level| level.id == text)
            .map(|level| level as i64),
        FieldKind::YesNo => match text {
            "yes" => Some(1),
            "no" => Some(0),
            _ => None,
        },
    }
}

/// A decimal text as an integer scaled by `10^places`; more decimals than that, an exponent or a sign alone do not fit.
fn scaled(text: &str, places: u8) -> Option<i64> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let plain = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !plain(whole) || !plain(fraction) || fraction.len() > usize::from(places)
    {
        return None;
    }
    let padded = format!("{whole}{fraction:0<width$}", width = usize::from(places));
    let magnitude: i64 = padded.parse().ok()?;
    Some(if negative { -magnitude } else { magnitude })
}

/// The canonical text of a field's value.
pub fn canonical(kind: &FieldKind, value: i64) -> String {
    match kind {
        FieldKind::Count { .. } => value.to_string(),
        FieldKind::Number { places, .. } => decimal(value, *places),
        FieldKind::Choice { levels } => levels
            .get(value as usize)
            .map_or_else(|| value.to_string(), |level| level.id.clone()),
        FieldKind::YesNo => if value == 1 { "yes" } else { "no" }.to_owned(),
    }
}

/// What a field takes, for the help of a finding.
pub(super) fn expected(kind: &FieldKind) -> Words {
    match kind {
        FieldKind::Count {
            range: (low, high), ..
        } => words!(
            "a whole number from {low} to {high}",
            "ett heltal från {low} till {high}"
        ),
        FieldKind::Number { range, places, .. } => {
            let (low, high) = (decimal(range.0, *places), decimal(range.1, *places));
            words!(
                "a number from {low} to {high} with a decimal point and at most {places} decimals",
                "ett tal från {low} till {high} med decimalpunkt och högst {places} decimaler"
            )
        }
        FieldKind::Choice { levels } => {
            let levels: Vec<&str> = levels.iter().map(|level| level.id.as_str()).collect();
            let levels = levels.join(", ");
            words!("one of: {levels}", "något av: {levels}")
        }
        FieldKind::YesNo => Words::new("yes or no", "yes eller no"),
    }
}

#[cfg(test)]
mod tests {
    use super::scaled;

    #[test]
    fn decimals_are_scaled_exactly() {
        assert_eq!(scaled("1.5", 2), Some(150));
        assert_eq!(scaled("-0.25", 2), Some(-25));
        assert_eq!(scaled("7", 3), Some(7000));
        for text in ["", "-", "1.234", "1e3", "1,5", ".5", "+1"] {
            assert_eq!(scaled(text, 2), None, "{text}");
        }
    }
}
