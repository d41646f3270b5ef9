//! Quantiles of a sample.

/// A place this near to a whole one is that: products of shares and counts are off it by rounding alone.
const WHOLE: f64 = 1e-9;

/// The quantile `share` of values in rising order, by interpolation between the two around the place `share·(n − 1)`, counted
/// from 0: Hyndman and Fan's (1996, doi 10.1080/00031305.1996.10473566) seventh definition, the default of R's `quantile`.
/// `None` without values, or of a share outside 0 to 1.
///
/// ```
/// use lottning::numerics::sample_quantile::quantile;
/// // R 4.2.2: quantile(c(1, 2, 4, 9), c(.1, .25, .5)) is 1.3, 1.75, 3.0.
/// let values = [1.0, 2.0, 4.0, 9.0];
/// assert!((quantile(&values, 0.1).unwrap() - 1.3).abs() < 1e-15);
/// assert_eq!(quantile(&values, 0.25), Some(1.75));
/// assert_eq!(quantile(&values, 0.5), Some(3.0));
/// ```
pub fn quantile(rising: &[f64], share: f64) -> Option<f64> {
    at(rising, share * rising.len().saturating_sub(1) as f64)
}

/// The value at a place of values in rising order, counted from 0; between two places by interpolation. `None` beyond the ends.
pub fn at(rising: &[f64], place: f64) -> Option<f64> {
    let near = place.round();
    let place = if (place - near).abs() < WHOLE {
        near
    } else {
        place
    };
    if place.is_nan() || place < 0.0 {
        return None;
    }
    let below = place.floor();
    let low = *rising.get(below as usize)?;
    let part = place - below;
    if part > 0.0 {
        let high = rising.get(below as usize + 1)?;
        Some(low + part * (high - low))
    } else {
        Some(low)
    }
}

#[cfg(test)]
mod tests {
    use super::{at, quantile};

    #[test]
    fn beyond_the_ends_there_is_nothing() {
        assert_eq!(quantile(&[], 0.5), None);
        assert_eq!(quantile(&[7.0], 0.99), Some(7.0));
        assert_eq!(at(&[1.0, 2.0], -0.5), None);
        assert_eq!(at(&[1.0, 2.0], 1.5), None);
        assert_eq!(at(&[1.0, 2.0], 1.0), Some(2.0));
        assert_eq!(at(&[1.0, 2.0], f64::NAN), None);
    }

    /// 0.07 · 100 is 7.000000000000001 in binary: the eighth value, and not a little beyond it.
    #[test]
    fn a_place_that_is_whole_but_for_rounding_is_a_value() {
        let values: Vec<f64> = (0..101).map(f64::from).collect();
        assert_eq!(quantile(&values, 0.07), Some(7.0));
    }
}
