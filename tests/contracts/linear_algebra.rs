//! Laws of the linear algebra: QR reproduces its matrix, Cholesky agrees with it, rescaling a column changes nothing.

use lottning::numerics::linear_algebra::{
    Cholesky, Qr, combine, dot, dots, each_dot, largest, mean, most, range, weighted_square,
};
use proptest::prelude::{ProptestConfig, Strategy};
use proptest::{prop_assert, prop_assert_eq, proptest};

fn matrix() -> impl Strategy<Value = (usize, usize, Vec<f64>)> {
    (4usize..40, 1usize..4).prop_flat_map(|(n, k)| {
        proptest::collection::vec(-10.0f64..10.0, n * k).prop_map(move |x| (n, k, x))
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn qr_reproduces_the_matrix_and_q_is_orthonormal((n, k, x) in matrix()) {
        let mut qr = Qr::default();
        qr.factor(n, &x);
        prop_assert_eq!(qr.rank() + qr.dropped().len(), k);
        for (a, qa) in qr.q().chunks_exact(n).enumerate() {
            for (b, qb) in qr.q().chunks_exact(n).enumerate() {
                let target = f64::from(u8::from(a == b));
                prop_assert!((dot(qa, qb) - target).abs() < 1e-13);
            }
        }
        for (position, &column) in qr.kept().iter().enumerate() {
            for i in 0..n {
                let value: f64 = (0..=position).map(|l| qr.q()[l * n + i] * qr.r(l, position)).sum();
                prop_assert!((value - x[column * n + i]).abs() < 1e-11);
            }
        }
    }

    /// Columns that are almost combinations of earlier ones, down to the tolerance of rank: Q stays orthonormal, and
    /// what is left of the last column is what it was made of.
    #[test]
    fn nearly_dependent_columns_leave_q_orthonormal((n, k, x) in matrix(), power in -6i32..0, scale in -100i32..100) {
        let left = 10f64.powi(power);
        let mut columns = x.clone();
        for i in 0..n {
            let sum: f64 = (0..k).map(|j| x[j * n + i]).sum();
            // Some vector that is no combination of the others.
            columns.push(sum + left * ((i * i * i) % 17) as f64);
        }
        for value in &mut columns {
            *value *= 10f64.powi(scale);
        }
        let mut qr = Qr::default();
        qr.factor(n, &columns);
        for (a, qa) in qr.q().chunks_exact(n).enumerate() {
            for (b, qb) in qr.q().chunks_exact(n).enumerate() {
                let target = f64::from(u8::from(a == b));
                prop_assert!((dot(qa, qb) - target).abs() < 1e-14, "{a} {b} {}", dot(qa, qb));
            }
        }
        for position in 0..qr.rank() {
            prop_assert!(qr.r(position, position) > 0.0);
        }
    }

    /// Sums in lanes are the sums, whatever the length, and the same whichever columns they are taken with.
    #[test]
    fn sums_in_lanes((n, k, x) in matrix(), p in proptest::collection::vec(-5.0f64..5.0, 40)) {
        let p = &p[..n];
        let column = |j: usize| &x[j * n..(j + 1) * n];
        let close = |a: f64, b: f64| (a - b).abs() < 1e-11;
        let mut found = Vec::new();
        each_dot(p, k, column, |at, sum| found.push((at, sum)));
        prop_assert_eq!(found.len(), k);
        for (at, (own, sum)) in found.into_iter().enumerate() {
            let plain: f64 = p.iter().zip(column(at)).map(|(a, b)| a * b).sum();
            prop_assert_eq!(own, at);
            prop_assert!(close(sum, plain) && close(dot(p, column(at)), plain));
            prop_assert_eq!(dots(p, [column(at)])[0].to_bits(), sum.to_bits());
        }
        let c: Vec<f64> = (0..k).map(|j| p[j] - 0.5).collect();
        let mut y = p.to_vec();
        combine(&c, &x, &mut y);
        for i in 0..n {
            let plain = (0..k).fold(p[i], |sum, j| sum + c[j] * x[j * n + i]);
            prop_assert_eq!(y[i].to_bits(), plain.to_bits());
        }
        let square: f64 = p.iter().zip(&x).map(|(w, x)| w * x * x).sum();
        prop_assert!((weighted_square(p, &x) - square).abs() < 1e-9);
        let least = x.iter().copied().fold(f64::INFINITY, f64::min);
        let greatest = x.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        prop_assert_eq!(range(&x), (least, greatest));
        prop_assert_eq!(largest(&x).to_bits(), least.abs().max(greatest.abs()).to_bits());
        prop_assert_eq!(most(&x, f64::NEG_INFINITY, |x| x).to_bits(), greatest.to_bits());
        let plain = x.iter().sum::<f64>() / x.len() as f64;
        prop_assert!(close(mean(&x), plain));
    }

    /// Columns shorter than a lane's four values, which a range once took for infinite.
    #[test]
    fn ranges_of_short_columns_are_those_of_their_values(x in proptest::collection::vec(-9.0f64..9.0, 1..9)) {
        let least = x.iter().copied().fold(f64::INFINITY, f64::min);
        let greatest = x.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        prop_assert_eq!(range(&x), (least, greatest));
        prop_assert_eq!(largest(&x).to_bits(), least.abs().max(greatest.abs()).to_bits());
    }

    #[test]
    fn cholesky_agrees_with_qr((n, k, x) in matrix(), y in proptest::collection::vec(-5.0f64..5.0, 40)) {
        let mut qr = Qr::default();
        qr.factor(n, &x);
        if qr.rank() < k || (0..k).any(|j| qr.r(j, j).abs() < 1e-2) {
            return Ok(());
        }
        let mut gram = vec![0.0; k * k];
        let mut b = vec![0.0; k];
        for i in 0..k {
            let column = &x[i * n..(i + 1) * n];
            b[i] = dot(column, &y[..n]);
            for j in 0..k {
                gram[j * k + i] = dot(column, &x[j * n..(j + 1) * n]);
            }
        }
        let mut cholesky = Cholesky::default();
        cholesky.factor(k, &gram, 1e-14).unwrap();
        cholesky.solve(&mut b);
        for (a, c) in b.iter().zip(qr.coefficients(&y[..n])) {
            prop_assert!((a - c).abs() < 1e-6 * (1.0 + c.abs()), "{a} {c}");
        }
    }

    #[test]
    fn rank_does_not_depend_on_the_unit_of_a_column((n, k, x) in matrix(), power in -8i32..9) {
        let (mut plain, mut scaled) = (Qr::default(), Qr::default());
        plain.factor(n, &x);
        let mut y = x.clone();
        for v in &mut y[..n] {
            *v *= 10f64.powi(power);
        }
        scaled.factor(n, &y);
        prop_assert_eq!(plain.kept(), scaled.kept());
        prop_assert_eq!(plain.rank() <= k, true);
    }
}

#[test]
fn a_matrix_that_is_not_definite_is_refused() {
    let mut cholesky = Cholesky::default();
    assert!(cholesky.factor(2, &[1.0, 1.0, 1.0, 1.0], 1e-12).is_err());
}
