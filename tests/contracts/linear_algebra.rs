//! Laws of the linear algebra: QR reproduces its matrix, Cholesky agrees with it, rescaling a column changes nothing.

use lottning::numerics::linear_algebra::{Cholesky, Qr, dot};
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
