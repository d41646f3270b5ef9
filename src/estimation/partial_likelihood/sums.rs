//! Sums over columns in fixed lanes, so that a result depends on nothing but its input.

use crate::numerics::linear_algebra::each_dot;

/// Adds to column `b` of a k × k lower triangle, at row `a`, `Σ p_i c_i` with each column `b ≤ a`.
pub(super) fn add_row<'a>(
    triangle: &mut [f64],
    k: usize,
    a: usize,
    p: &[f64],
    column: impl Fn(usize) -> &'a [f64],
) {
    each_dot(p, a + 1, column, |b, sum| triangle[b * k + a] += sum);
}

/// Arithmetic mean.
pub(super) fn mean(values: &[f64]) -> f64 {
    let mut lanes = [0.0f64; 8];
    let (blocks, rest) = values.as_chunks::<8>();
    for block in blocks {
        for (lane, value) in lanes.iter_mut().zip(block) {
            *lane += value;
        }
    }
    let sum = lanes.iter().sum::<f64>() + rest.iter().sum::<f64>();
    sum / values.len().max(1) as f64
}

/// Takes `by` from each value; answers the largest magnitude that is left, and the sum of squares.
pub(super) fn take_away(values: &mut [f64], by: f64) -> (f64, f64) {
    let (mut most, mut square) = ([0.0f64; 4], [0.0f64; 4]);
    let take = |most: &mut f64, square: &mut f64, value: &mut f64| {
        *value -= by;
        let own = value.abs();
        *most = if own > *most { own } else { *most };
        *square += own * own;
    };
    let (blocks, rest) = values.as_chunks_mut::<4>();
    for block in blocks {
        for ((most, square), value) in most.iter_mut().zip(&mut square).zip(block) {
            take(most, square, value);
        }
    }
    for value in rest {
        take(&mut most[0], &mut square[0], value);
    }
    let all = most.into_iter().fold(0.0, f64::max);
    (all, square.into_iter().fold(0.0, |sum, own| sum + own))
}

/// A sum of logarithms as the logarithm of a product, taken before it leaves the range of doubles.
#[derive(Debug, Clone, Copy)]
pub(super) struct LogSum {
    product: f64,
    sum: f64,
}

impl LogSum {
    pub(super) fn new() -> Self {
        Self {
            product: 1.0,
            sum: 0.0,
        }
    }

    /// Adds `ln x`.
    pub(super) fn add(&mut self, x: f64) {
        if (1e-100..1e100).contains(&x) {
            self.product *= x;
            if !(1e-150..1e150).contains(&self.product) {
                self.sum += libm::log(self.product);
                self.product = 1.0;
            }
        } else {
            self.sum += libm::log(x);
        }
    }

    /// Adds `times · ln x`.
    pub(super) fn add_times(&mut self, x: f64, times: u32) {
        self.sum += f64::from(times) * libm::log(x);
    }

    /// The sum.
    pub(super) fn value(self) -> f64 {
        self.sum + libm::log(self.product)
    }
}

#[cfg(test)]
mod tests {
    use super::{LogSum, add_row, mean, take_away};

    /// By hand: 1·2 + 2·3 + … of short columns, with a rest beyond the lanes.
    #[test]
    fn sums_by_hand() {
        let p = [1.0, 2.0, 3.0, 4.0, 5.0];
        assert_eq!(mean(&p).to_bits(), 3f64.to_bits());
        // Row 6 of a triangle: its own sums with columns 0 to 6, which are constants 0 to 6.
        let columns: Vec<[f64; 5]> = (0..7).map(|c| [f64::from(c); 5]).collect();
        let mut triangle = vec![0.0; 49];
        add_row(&mut triangle, 7, 6, &p, |column| &columns[column]);
        for (b, own) in triangle.chunks_exact(7).enumerate() {
            assert_eq!(own[6].to_bits(), (15.0 * b as f64).to_bits());
        }
    }

    /// By hand: 1 to 9 less 5 are −4 to 4, with 2·(16 + 9 + 4 + 1) = 60 as the sum of squares; without rows nothing.
    #[test]
    fn what_is_left_by_hand() {
        let mut values = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0];
        assert_eq!(take_away(&mut values, 5.0), (4.0, 60.0));
        let left = [-4.0, -3.0, -2.0, -1.0, 0.0, 1.0, 2.0, 3.0, 4.0];
        assert_eq!(values.map(f64::to_bits), left.map(f64::to_bits));
        assert_eq!(take_away(&mut [], 1.0), (0.0, 0.0));
    }

    /// ln(10^-200 · 10^-99 · 10^90 · 10^90 · 10^90) = −29 ln 10.
    #[test]
    fn a_long_product_stays_in_range() {
        let mut sum = LogSum::new();
        for x in [1e-200, 1e-99, 1e90, 1e90, 1e90] {
            sum.add(x);
        }
        assert!((sum.value() + 29.0 * std::f64::consts::LN_10).abs() < 1e-12);
    }
}
