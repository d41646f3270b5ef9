//! Passes over long columns, four rows at a time.
//!
//! Every sum has its lanes written down, so that it is the same whatever registers there are. What is left over of a column
//! comes last, one by one.

#![allow(
    clippy::inline_always,
    reason = "compiled anew for every width of registers"
)]
#![allow(
    clippy::needless_range_loop,
    reason = "several columns of one length are walked together"
)]

use crate::numerics::vector::{InRegisters, in_fours};
use pulp::Simd;

/// Sum of four lanes.
#[inline(always)]
fn total<S: Simd>(lanes: S::f64s) -> f64 {
    let parts: [S::f64s; 1] = [lanes];
    let lanes: &[f64] = pulp::bytemuck::cast_slice(&parts);
    match *lanes {
        [l0, l1, l2, l3] => (l0 + l2) + (l1 + l3),
        _ => lanes.iter().sum(),
    }
}

/// `Σ p_i c_i` of one column with N others, each as long, in four lanes.
pub(super) fn dots<const N: usize>(p: &[f64], others: [&[f64]; N]) -> [f64; N] {
    in_fours(Dots::<N, false> { w: p, p, others })
}

/// `Σ (w_i p_i) c_i` with N others, as [`dots`] of the products.
pub(super) fn weighted_dots<const N: usize>(w: &[f64], p: &[f64], others: [&[f64]; N]) -> [f64; N] {
    in_fours(Dots::<N, true> { w, p, others })
}

/// The work of [`dots`] and [`weighted_dots`].
struct Dots<'d, const N: usize, const WEIGHTED: bool> {
    w: &'d [f64],
    p: &'d [f64],
    others: [&'d [f64]; N],
}

impl<const N: usize, const WEIGHTED: bool> InRegisters for Dots<'_, N, WEIGHTED> {
    type Output = [f64; N];

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) -> [f64; N] {
        let rows = self.p.len();
        let (p, rest) = S::as_simd_f64s(self.p);
        let (w, last_w) = S::as_simd_f64s(&self.w[..rows]);
        let (w, last_w) = (&w[..p.len()], &last_w[..rest.len()]);
        let (mut others, mut lasts) = ([&[][..]; N], [&[][..]; N]);
        for l in 0..N {
            let (own, last) = S::as_simd_f64s(&self.others[l][..rows]);
            (others[l], lasts[l]) = (&own[..p.len()], &last[..rest.len()]);
        }
        let mut lanes = [simd.splat_f64s(0.0); N];
        for i in 0..p.len() {
            let p = if WEIGHTED {
                simd.mul_f64s(w[i], p[i])
            } else {
                p[i]
            };
            for l in 0..N {
                lanes[l] = simd.add_f64s(lanes[l], simd.mul_f64s(p, others[l][i]));
            }
        }
        let mut sums = [0.0; N];
        for l in 0..N {
            // As a sum of floats begins.
            let mut last = -0.0;
            for i in 0..rest.len() {
                let p = if WEIGHTED {
                    last_w[i] * rest[i]
                } else {
                    rest[i]
                };
                last += p * lasts[l][i];
            }
            sums[l] = total::<S>(lanes[l]) + last;
        }
        sums
    }
}

/// `Σ a_i b_i` of two columns of the same length, in eight lanes.
pub(super) fn dot(a: &[f64], b: &[f64]) -> f64 {
    in_fours(Dot::<false> { a, b })
}

/// `Σ w_i x_i²` of two columns of the same length, in eight lanes.
pub(super) fn weighted_square(w: &[f64], x: &[f64]) -> f64 {
    in_fours(Dot::<true> { a: w, b: x })
}

/// The work of [`dot`], and of [`weighted_square`], which multiplies once more.
struct Dot<'d, const SQUARE: bool> {
    a: &'d [f64],
    b: &'d [f64],
}

impl<const SQUARE: bool> InRegisters for Dot<'_, SQUARE> {
    type Output = f64;

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) -> f64 {
        let (a, last_a) = self.a.as_chunks::<8>();
        let (b, last_b) = self.b[..self.a.len()].as_chunks::<8>();
        let (a, _) = S::as_simd_f64s(a.as_flattened());
        let (b, _) = S::as_simd_f64s(b.as_flattened());
        let mut lanes = [simd.splat_f64s(0.0); 2];
        let (pairs_a, pairs_b) = (a.as_chunks::<2>().0, b.as_chunks::<2>().0);
        for (a, b) in pairs_a.iter().zip(pairs_b) {
            for half in 0..2 {
                let mut product = simd.mul_f64s(a[half], b[half]);
                if SQUARE {
                    product = simd.mul_f64s(product, b[half]);
                }
                lanes[half] = simd.add_f64s(lanes[half], product);
            }
        }
        let mut last = -0.0;
        for (a, b) in last_a.iter().zip(last_b) {
            last += if SQUARE { a * b * b } else { a * b };
        }
        let [first, second] = lanes;
        total_of_eight::<S>(simd.add_f64s(first, second)) + last
    }
}

/// `Σ (x_i − shift)` in eight lanes.
pub(super) fn sum_less(x: &[f64], shift: f64) -> f64 {
    in_fours(SumLess { x, shift })
}

/// The work of [`sum_less`].
struct SumLess<'d> {
    x: &'d [f64],
    shift: f64,
}

impl InRegisters for SumLess<'_> {
    type Output = f64;

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) -> f64 {
        let (eights, rest) = self.x.as_chunks::<8>();
        let (fours, _) = S::as_simd_f64s(eights.as_flattened());
        let shift = simd.splat_f64s(self.shift);
        let mut lanes = [simd.splat_f64s(0.0); 2];
        for pair in fours.as_chunks::<2>().0 {
            for half in 0..2 {
                lanes[half] = simd.add_f64s(lanes[half], simd.sub_f64s(pair[half], shift));
            }
        }
        let mut last = -0.0;
        for x in rest {
            last += x - self.shift;
        }
        let [first, second] = lanes;
        total_of_eight::<S>(simd.add_f64s(first, second)) + last
    }
}

/// `y_i ← (x_i − shift) c` of two columns of the same length.
pub(super) fn shifted(x: &[f64], shift: f64, c: f64, y: &mut [f64]) {
    in_fours(Shifted { x, shift, c, y });
}

/// The work of [`shifted`].
struct Shifted<'d> {
    x: &'d [f64],
    shift: f64,
    c: f64,
    y: &'d mut [f64],
}

impl InRegisters for Shifted<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let (y, last_y) = S::as_mut_simd_f64s(self.y);
        let (x, last_x) = S::as_simd_f64s(self.x);
        let (shift, c) = (simd.splat_f64s(self.shift), simd.splat_f64s(self.c));
        for (y, x) in y.iter_mut().zip(x) {
            *y = simd.mul_f64s(simd.sub_f64s(*x, shift), c);
        }
        for (y, x) in last_y.iter_mut().zip(last_x) {
            *y = (x - self.shift) * self.c;
        }
    }
}

/// `y += Σ c_l x_l` of N columns in their order, each as long as `y`, and `Σ y_i²` of what comes of it, in four lanes.
pub(super) fn add<const N: usize>(c: &[f64; N], x: [&[f64]; N], y: &mut [f64]) -> f64 {
    in_fours(Add { c, x, y })
}

/// The work of [`add`].
struct Add<'d, const N: usize> {
    c: &'d [f64; N],
    x: [&'d [f64]; N],
    y: &'d mut [f64],
}

impl<const N: usize> InRegisters for Add<'_, N> {
    type Output = f64;

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) -> f64 {
        let rows = self.y.len();
        let (y, rest) = S::as_mut_simd_f64s(self.y);
        let (mut columns, mut lasts) = ([&[][..]; N], [&[][..]; N]);
        let mut c = [simd.splat_f64s(0.0); N];
        for l in 0..N {
            let (own, last) = S::as_simd_f64s(&self.x[l][..rows]);
            (columns[l], lasts[l]) = (&own[..y.len()], &last[..rest.len()]);
            c[l] = simd.splat_f64s(self.c[l]);
        }
        let mut squares = simd.splat_f64s(0.0);
        for i in 0..y.len() {
            let mut value = y[i];
            for l in 0..N {
                value = simd.add_f64s(value, simd.mul_f64s(c[l], columns[l][i]));
            }
            y[i] = value;
            squares = simd.add_f64s(squares, simd.mul_f64s(value, value));
        }
        let mut square = total::<S>(squares);
        for i in 0..rest.len() {
            let mut value = rest[i];
            for l in 0..N {
                value += self.c[l] * lasts[l][i];
            }
            rest[i] = value;
            square += value * value;
        }
        square
    }
}

/// `x_i ← c x_i`.
pub(super) fn scale(c: f64, x: &mut [f64]) {
    in_fours(Scale { c, x });
}

/// The work of [`scale`].
struct Scale<'d> {
    c: f64,
    x: &'d mut [f64],
}

impl InRegisters for Scale<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let (x, rest) = S::as_mut_simd_f64s(self.x);
        let c = simd.splat_f64s(self.c);
        for x in x {
            *x = simd.mul_f64s(*x, c);
        }
        for x in rest {
            *x *= self.c;
        }
    }
}

/// `h_i += Σ_l q_il²` of N columns in their order, each as long as `h`.
pub(super) fn add_squares<const N: usize>(q: [&[f64]; N], h: &mut [f64]) {
    in_fours(AddSquares { q, h });
}

/// The work of [`add_squares`].
struct AddSquares<'d, const N: usize> {
    q: [&'d [f64]; N],
    h: &'d mut [f64],
}

impl<const N: usize> InRegisters for AddSquares<'_, N> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let rows = self.h.len();
        let (h, rest) = S::as_mut_simd_f64s(self.h);
        let (mut columns, mut lasts) = ([&[][..]; N], [&[][..]; N]);
        for l in 0..N {
            let (own, last) = S::as_simd_f64s(&self.q[l][..rows]);
            (columns[l], lasts[l]) = (&own[..h.len()], &last[..rest.len()]);
        }
        for i in 0..h.len() {
            let mut value = h[i];
            for l in 0..N {
                let q = columns[l][i];
                value = simd.add_f64s(value, simd.mul_f64s(q, q));
            }
            h[i] = value;
        }
        for i in 0..rest.len() {
            for l in 0..N {
                rest[i] += lasts[l][i] * lasts[l][i];
            }
        }
    }
}

/// The mean, and the smallest and the largest value, of N columns of the same length, one at least. Sums of one column would
/// wait for each other.
pub(super) fn means_and_ranges<const N: usize>(columns: [&[f64]; N]) -> [(f64, (f64, f64)); N] {
    in_fours(MeansAndRanges { columns })
}

/// The work of [`means_and_ranges`].
struct MeansAndRanges<'d, const N: usize> {
    columns: [&'d [f64]; N],
}

impl<const N: usize> InRegisters for MeansAndRanges<'_, N> {
    type Output = [(f64, (f64, f64)); N];

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) -> [(f64, (f64, f64)); N] {
        let rows = self.columns.first().map_or(0, |own| own.len());
        let n = rows as f64;
        let (mut columns, mut lasts) = ([&[][..]; N], [&[][..]; N]);
        for l in 0..N {
            let (own, last) = S::as_simd_f64s(&self.columns[l][..rows]);
            (columns[l], lasts[l]) = (&own[..rows / 4], last);
        }
        // The first means in eight lanes, of which a pair of registers has four each.
        let zero = simd.splat_f64s(0.0);
        let mut pairs = [[zero; 2]; N];
        for i in 0..rows / 8 {
            for l in 0..N {
                pairs[l][0] = simd.add_f64s(pairs[l][0], columns[l][2 * i]);
                pairs[l][1] = simd.add_f64s(pairs[l][1], columns[l][2 * i + 1]);
            }
        }
        let (mut about, mut centres) = ([0.0; N], [zero; N]);
        for l in 0..N {
            let mut last = -0.0;
            for x in &self.columns[l][rows / 8 * 8..rows] {
                last += x;
            }
            let whole = total_of_eight::<S>(simd.add_f64s(pairs[l][0], pairs[l][1]));
            about[l] = (whole + last) / n;
            centres[l] = simd.splat_f64s(about[l]);
        }
        // What is left over, in four lanes. What is no number is passed over.
        let mut sums = [zero; N];
        let mut lows = [simd.splat_f64s(f64::INFINITY); N];
        let mut highs = [simd.splat_f64s(f64::NEG_INFINITY); N];
        for i in 0..rows / 4 {
            for l in 0..N {
                let x = columns[l][i];
                sums[l] = simd.add_f64s(sums[l], simd.sub_f64s(x, centres[l]));
                lows[l] = simd.min_f64s(x, lows[l]);
                highs[l] = simd.max_f64s(x, highs[l]);
            }
        }
        let mut found = [(0.0, (0.0, 0.0)); N];
        for l in 0..N {
            let mut last = -0.0;
            let mut low = simd.reduce_min_f64s(lows[l]);
            let mut high = simd.reduce_max_f64s(highs[l]);
            for x in lasts[l] {
                last += x - about[l];
                low = if *x < low { *x } else { low };
                high = if *x > high { *x } else { high };
            }
            let mean = about[l] + (total::<S>(sums[l]) + last) / n;
            found[l] = (mean, (low, high));
        }
        found
    }
}

/// Sum of eight lanes of which the k-th and the (k + 4)-th have been added.
#[inline(always)]
fn total_of_eight<S: Simd>(lanes: S::f64s) -> f64 {
    let parts: [S::f64s; 1] = [lanes];
    let lanes: &[f64] = pulp::bytemuck::cast_slice(&parts);
    match *lanes {
        [l0, l1, l2, l3] => (l0 + l1) + (l2 + l3),
        _ => lanes.iter().sum(),
    }
}

#[cfg(test)]
mod tests {
    use super::{Add, AddSquares, Dot, Dots, MeansAndRanges, Scale, Shifted, SumLess};
    use crate::numerics::stream::{open_units, replicate};
    use crate::numerics::vector::{InRegisters, in_fours};
    use pulp::Scalar256b;

    /// With the registers of this processor and with none, for every length up to some blocks: the same bits; and the sums
    /// are those of lanes written down by hand.
    #[test]
    fn passes_have_the_same_bits_with_any_registers() {
        let mut rng = replicate(&[5; 32], 0);
        for n in 0..40 {
            let mut made = || {
                let mut column = vec![0.0; n];
                open_units(&mut rng, &mut column);
                column
            };
            let (w, p, x, y) = (made(), made(), made(), made());
            let others = || [&w[..], &x[..], &y[..]];
            both(|| Dots::<3, false> {
                w: &p,
                p: &p,
                others: others(),
            });
            both(|| Dots::<3, true> {
                w: &w,
                p: &p,
                others: others(),
            });
            both(|| Dot::<false> { a: &x, b: &y });
            both(|| Dot::<true> { a: &x, b: &y });
            both(|| SumLess { x: &x, shift: 0.3 });
            if n > 0 {
                both(|| MeansAndRanges { columns: [&x] });
                both(|| MeansAndRanges { columns: others() });
            }
            changed(&y, |y, alone| done(Scale { c: 1.3, x: y }, alone));
            let c = [0.3, -1.7, 2.1];
            changed(&p, |y, alone| {
                let x = others();
                done(Add { c: &c, x, y }, alone);
            });
            changed(&p, |h, alone| done(AddSquares { q: others(), h }, alone));
            changed(&p, |y, alone| {
                let (x, shift, c) = (&x[..], 0.4, 1.9);
                done(Shifted { x, shift, c, y }, alone);
            });
            // Four lanes of products, one after the other.
            let blocks = n / 4 * 4;
            let lane = |lane: usize| {
                (lane..blocks)
                    .step_by(4)
                    .fold(0.0, |sum, i| sum + p[i] * x[i])
            };
            let last: f64 = (blocks..n).map(|i| p[i] * x[i]).sum();
            let by_hand = ((lane(0) + lane(2)) + (lane(1) + lane(3))) + last;
            assert_eq!(super::dots(&p, [&x])[0].to_bits(), by_hand.to_bits());
        }
    }

    fn both<W: InRegisters<Output: std::fmt::Debug>>(work: impl Fn() -> W) {
        let (own, other) = (in_fours(work()), work().run(Scalar256b));
        assert_eq!(format!("{own:?}"), format!("{other:?}"));
    }

    fn done<W: InRegisters>(work: W, alone: bool) {
        if alone {
            work.run(Scalar256b);
        } else {
            in_fours(work);
        }
    }

    fn changed(column: &[f64], work: impl Fn(&mut [f64], bool)) {
        let (mut own, mut other) = (column.to_vec(), column.to_vec());
        work(&mut own, false);
        work(&mut other, true);
        assert_eq!(format!("{own:?}"), format!("{other:?}"));
    }
}
