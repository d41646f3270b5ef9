//! Covariates made ready for a factorization: shifted to their mean, and scaled by a power of two so that squares stay in
//! range. What is constant up to rounding becomes zero, which a factorization sets aside.

use crate::numerics::linear_algebra::{mean_and_range, range};

/// How a covariate is shifted and scaled before it enters; a scale of zero sets a constant aside.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Centring {
    pub(super) centre: f64,
    pub(super) scale: f64,
}

impl Centring {
    /// Leaves a column as it is.
    pub(super) const NONE: Self = Self {
        centre: 0.0,
        scale: 1.0,
    };

    /// For a column that is to be centred at `centre`, its mean in some sense.
    pub(super) fn new(column: &[f64], centre: f64) -> Self {
        Self::within(centre, range(column))
    }

    /// For a column that is to be centred at its mean.
    pub(super) fn at_mean(column: &[f64]) -> Self {
        let (centre, ends) = mean_and_range(column);
        Self::within(centre, ends)
    }

    /// For a column within these ends.
    pub(super) fn within(centre: f64, (low, high): (f64, f64)) -> Self {
        let spread = (high - centre).abs().max((low - centre).abs());
        let scale = if spread <= 1e-11 * high.abs().max(low.abs()) {
            0.0
        } else {
            // At most 2^1000, so that the power itself stays in range for the smallest numbers there are.
            let (_, exponent) = libm::frexp(spread);
            libm::ldexp(1.0, -exponent.max(-1000))
        };
        Self { centre, scale }
    }

    /// One value of the column.
    pub(super) fn of(self, value: f64) -> f64 {
        (value - self.centre) * self.scale
    }
}

/// Appends a column, centred at its mean and scaled.
pub(super) fn centre_into(column: &[f64], centred: &mut Vec<f64>) {
    let centring = Centring::at_mean(column);
    centred.extend(column.iter().map(|x| centring.of(*x)));
}
