//! Sums of numbers that people wrote as decimals, such as amounts of alpha: the number nearest to the decimal sum, so that what is told of
//! it is that decimal, and not what binary fractions lose of it.

/// The sum of numbers, each taken as the shortest decimal that is read as it. Where the decimals are too long for that, and where a number
/// is not finite, the sum of the numbers as they are.
///
/// ```
/// use lottning::numerics::decimals::sum;
/// assert_ne!(0.1 + 0.2, 0.3);
/// assert_eq!(sum(&[0.1, 0.2]), 0.3);
/// ```
pub fn sum(terms: &[f64]) -> f64 {
    match terms {
        [] => 0.0,
        [only] => *only,
        terms => exact(terms).unwrap_or_else(|| terms.iter().sum()),
    }
}

fn exact(terms: &[f64]) -> Option<f64> {
    let terms: Vec<(i128, u32)> = terms
        .iter()
        .map(|own| decimal(*own))
        .collect::<Option<_>>()?;
    let places = terms.iter().map(|(_, places)| *places).max()?;
    let mut all = 0_i128;
    for (digits, own) in terms {
        let scale = 10_i128.checked_pow(places - own)?;
        all = all.checked_add(digits.checked_mul(scale)?)?;
    }
    format!("{all}e-{places}").parse().ok()
}

/// The digits of a number and how many of them are decimals.
fn decimal(value: f64) -> Option<(i128, u32)> {
    let text = value.to_string();
    let (whole, decimals) = text.split_once('.').unwrap_or((&text, ""));
    let digits = format!("{whole}{decimals}").parse().ok()?;
    Some((digits, u32::try_from(decimals.len()).ok()?))
}

#[cfg(test)]
mod tests {
    use super::sum;

    fn told(terms: &[f64]) -> String {
        sum(terms).to_string()
    }

    /// By hand.
    #[test]
    fn decimals_are_added_as_they_are_written() {
        assert_eq!(told(&[0.1, 0.2]), "0.3");
        assert_eq!(told(&[0.05, -0.000_164_031]), "0.049835969");
        assert_eq!(told(&[0.05, -0.000_164_031, -0.010_545_075]), "0.039290894");
        assert_eq!(told(&[0.000_164_031, 0.010_545_075]), "0.010709106");
        assert_eq!(told(&[1.5, -3.0]), "-1.5");
        assert_eq!(told(&[0.05, -0.05]), "0");
        assert_eq!(told(&[]), "0");
        // Beyond what is added so.
        assert_eq!(told(&[1e-60, 1.0]), "1");
        assert!(sum(&[f64::INFINITY, 1.0]).is_infinite());
    }
}
