//! Rubin's rules with the degrees of freedom of Barnard and Rubin (1999); computed with mice 3.15.0 `pool.scalar` under
//! R 4.2.2 for Q = (1.2, 1.0, 1.5, 0.9, 1.4), U = (.25, .22, .27, .24, .26), 98 degrees of freedom in complete data.

use lottning::estimation::imputation::pool;

#[test]
fn five_data_sets() {
    let q = [1.2, 1.0, 1.5, 0.9, 1.4];
    let u: [f64; 5] = [0.25, 0.22, 0.27, 0.24, 0.26];
    let analyses: Vec<(f64, f64)> = q.into_iter().zip(u.map(f64::sqrt)).collect();
    let pooled = pool(&analyses, Some(98.0)).unwrap();
    let near = |own: f64, printed: f64| assert!((own - printed).abs() < 1e-9, "{own} {printed}");
    near(pooled.estimate, 1.2);
    near(pooled.std_error * pooled.std_error, 0.326);
    near(pooled.due_to_missing, 0.239_263_803_681);
    near(pooled.df.unwrap(), 35.719_133_046);
    near(pooled.missing_information, 0.278_558_908_528);
    // The older degrees of freedom, 4/λ², when the complete data's are infinite.
    near(pool(&analyses, None).unwrap().df.unwrap(), 69.872_452_334);
}

/// By hand: equal estimates leave the variance within and the complete data's degrees of freedom, 99/101·98.
#[test]
fn nothing_missing() {
    let pooled = pool(&[(2.0, 0.5); 3], Some(98.0)).unwrap();
    assert!((pooled.std_error - 0.5).abs() < 1e-15 && pooled.missing_information == 0.0);
    assert!((pooled.df.unwrap() - 99.0 / 101.0 * 98.0).abs() < 1e-12);
    assert!(pool(&[(1.0, 1.0)], None).is_err());
    assert!(pool(&[(1.0, f64::NAN), (1.0, 1.0)], None).is_err());
}
