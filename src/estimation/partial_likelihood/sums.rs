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

/// Lanes of [`each_weighted_dot`], as those of [`each_dot`].
const LANES: usize = 4;

/// `Σ u_i z_i`, and `Σ (u_i z_i) c_i` with each of `count` columns, at least one, in order, to `take` with its number: the sums of
/// [`each_dot`], without storing the products.
pub(super) fn each_weighted_dot<'a>(
    u: &[f64],
    z: &[f64],
    count: usize,
    column: impl Fn(usize) -> &'a [f64],
    mut take: impl FnMut(usize, f64),
) -> f64 {
    let mut own = 0.0;
    let mut at = 0;
    while at < count {
        let first = at == 0;
        let some = (count - at).min(4);
        let columns = |by: usize| column(at + by.min(some - 1));
        let four = [columns(0), columns(1), columns(2), columns(3)];
        let (weighted, sums) = match (some, first) {
            (1, true) => padded(weighted_dots::<1, true>(u, z, [four[0]])),
            (1, false) => padded(weighted_dots::<1, false>(u, z, [four[0]])),
            (2, true) => padded(weighted_dots::<2, true>(u, z, [four[0], four[1]])),
            (2, false) => padded(weighted_dots::<2, false>(u, z, [four[0], four[1]])),
            (3, true) => padded(weighted_dots::<3, true>(u, z, [four[0], four[1], four[2]])),
            (3, false) => padded(weighted_dots::<3, false>(u, z, [four[0], four[1], four[2]])),
            (_, true) => weighted_dots::<4, true>(u, z, four),
            (_, false) => weighted_dots::<4, false>(u, z, four),
        };
        if first {
            own = weighted;
        }
        for (b, sum) in (at..at + some).zip(sums) {
            take(b, sum);
        }
        at += some;
    }
    own
}

fn padded<const N: usize>((own, sums): (f64, [f64; N])) -> (f64, [f64; 4]) {
    let mut all = [0.0; 4];
    all[..N].copy_from_slice(&sums);
    (own, all)
}

/// `Σ u_i z_i`, where it is asked for (`OWN`), and `Σ (u_i z_i) c_i` of N columns.
fn weighted_dots<const N: usize, const OWN: bool>(
    u: &[f64],
    z: &[f64],
    columns: [&[f64]; N],
) -> (f64, [f64; N]) {
    let (u_blocks, u_rest) = u.as_chunks::<LANES>();
    let (z_blocks, z_rest) = z[..u.len()].as_chunks::<LANES>();
    let split = columns.map(|column| column[..u.len()].as_chunks::<LANES>());
    let (own, lanes) =
        weighted_lanes::<N, OWN>(u_blocks, z_blocks, split.map(|(blocks, _)| blocks));
    let total =
        |lanes: [f64; LANES], last: f64| ((lanes[0] + lanes[2]) + (lanes[1] + lanes[3])) + last;
    let rest = || u_rest.iter().zip(z_rest).map(|(u, z)| u * z);
    let mut sums = [0.0; N];
    for ((sum, lanes), (_, column)) in sums.iter_mut().zip(lanes).zip(&split) {
        *sum = total(lanes, rest().zip(*column).map(|(p, c)| p * c).sum());
    }
    (if OWN { total(own, rest().sum()) } else { 0.0 }, sums)
}

/// The lanes of [`weighted_dots`], in a function of its own for the reason of those of [`each_dot`].
#[inline(never)]
fn weighted_lanes<const N: usize, const OWN: bool>(
    u: &[[f64; LANES]],
    z: &[[f64; LANES]],
    columns: [&[[f64; LANES]]; N],
) -> ([f64; LANES], [[f64; LANES]; N]) {
    let mut own = [0.0f64; LANES];
    let mut lanes = [[0.0f64; LANES]; N];
    let z = &z[..u.len()];
    let columns = columns.map(|column| &column[..u.len()]);
    for (i, (u, z)) in u.iter().zip(z).enumerate() {
        let mut product = [0.0f64; LANES];
        for ((product, u), z) in product.iter_mut().zip(u).zip(z) {
            *product = u * z;
        }
        if OWN {
            for (own, product) in own.iter_mut().zip(&product) {
                *own += product;
            }
        }
        for (lanes, column) in lanes.iter_mut().zip(&columns) {
            for ((lane, product), c) in lanes.iter_mut().zip(&product).zip(&column[i]) {
                *lane += product * c;
            }
        }
    }
    (own, lanes)
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
pub(in crate::estimation) struct LogSum {
    product: f64,
    sum: f64,
}

impl LogSum {
    pub(in crate::estimation) fn new() -> Self {
        Self {
            product: 1.0,
            sum: 0.0,
        }
    }

    /// Adds `ln x`.
    pub(in crate::estimation) fn add(&mut self, x: f64) {
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
    pub(in crate::estimation) fn add_times(&mut self, x: f64, times: u32) {
        self.sum += f64::from(times) * libm::log(x);
    }

    /// The sum.
    pub(in crate::estimation) fn value(self) -> f64 {
        self.sum + libm::log(self.product)
    }
}

#[cfg(test)]
mod tests {
    use super::{LogSum, add_row, each_weighted_dot, mean, take_away};
    use crate::numerics::linear_algebra::{dot, each_dot};

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

    /// Beside the sums of stored products, bit for bit: one to nine columns, with and without rows beyond the lanes.
    #[test]
    fn weighted_sums_are_those_of_stored_products() {
        let value =
            |seed: u32| move |row: u32| f64::from((row * 7919 + seed * 31) % 1009) / 997.0 - 0.5;
        for n in [0, 3, 4, 61, 256] {
            let column = |seed: u32| -> Vec<f64> { (0..n).map(value(seed)).collect() };
            let (u, z) = (column(1), column(2));
            let others: Vec<Vec<f64>> = (3..12).map(column).collect();
            let product: Vec<f64> = u.iter().zip(&z).map(|(u, z)| u * z).collect();
            for count in 1..=others.len() {
                let (mut own, mut other) = (vec![0.0; count], vec![0.0; count]);
                let column = |b: usize| &others[b][..];
                let sum = each_weighted_dot(&u, &z, count, column, |b, sum| own[b] = sum);
                each_dot(&product, count, column, |b, sum| other[b] = sum);
                let bits = |sums: &[f64]| sums.iter().map(|sum| sum.to_bits()).collect::<Vec<_>>();
                assert_eq!(bits(&own), bits(&other), "{n} rows, {count} columns");
                each_dot(
                    &u,
                    1,
                    |_| &z[..],
                    |_, expected| {
                        assert_eq!(sum.to_bits(), expected.to_bits());
                    },
                );
                assert!((sum - dot(&u, &z)).abs() < 1e-12);
            }
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
