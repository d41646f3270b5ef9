//! NIST Statistical Reference Datasets (public domain), certified values: linear regression and analysis of variance.

use lottning::numerics::linear_algebra::{Qr, axpy, dot, mean};

/// Longley: price deflator, GNP, unemployed, armed forces, population, year; employed last.
const LONGLEY: [[f64; 7]; 16] = [
    [83.0, 234_289.0, 2356.0, 1590.0, 107_608.0, 1947.0, 60_323.0],
    [88.5, 259_426.0, 2325.0, 1456.0, 108_632.0, 1948.0, 61_122.0],
    [88.2, 258_054.0, 3682.0, 1616.0, 109_773.0, 1949.0, 60_171.0],
    [89.5, 284_599.0, 3351.0, 1650.0, 110_929.0, 1950.0, 61_187.0],
    [96.2, 328_975.0, 2099.0, 3099.0, 112_075.0, 1951.0, 63_221.0],
    [98.1, 346_999.0, 1932.0, 3594.0, 113_270.0, 1952.0, 63_639.0],
    [99.0, 365_385.0, 1870.0, 3547.0, 115_094.0, 1953.0, 64_989.0],
    [
        100.0, 363_112.0, 3578.0, 3350.0, 116_219.0, 1954.0, 63_761.0,
    ],
    [
        101.2, 397_469.0, 2904.0, 3048.0, 117_388.0, 1955.0, 66_019.0,
    ],
    [
        104.6, 419_180.0, 2822.0, 2857.0, 118_734.0, 1956.0, 67_857.0,
    ],
    [
        108.4, 442_769.0, 2936.0, 2798.0, 120_445.0, 1957.0, 68_169.0,
    ],
    [
        110.8, 444_546.0, 4681.0, 2637.0, 121_950.0, 1958.0, 66_513.0,
    ],
    [
        112.6, 482_704.0, 3813.0, 2552.0, 123_366.0, 1959.0, 68_655.0,
    ],
    [
        114.2, 502_601.0, 3931.0, 2514.0, 125_368.0, 1960.0, 69_564.0,
    ],
    [
        115.7, 518_173.0, 4806.0, 2572.0, 127_852.0, 1961.0, 69_331.0,
    ],
    [
        116.9, 554_894.0, 4007.0, 2827.0, 130_081.0, 1962.0, 70_551.0,
    ],
];

/// Relative agreement in digits.
fn digits(actual: f64, certified: f64) -> f64 {
    -((actual - certified) / certified).abs().max(1e-16).log10()
}

#[test]
fn longley_to_eleven_digits() {
    let mut x = vec![1.0; 16];
    for j in 0..6 {
        x.extend(LONGLEY.iter().map(|row| row[j]));
    }
    let y: Vec<f64> = LONGLEY.iter().map(|row| row[6]).collect();
    let mut qr = Qr::default();
    qr.factor(16, &x);
    assert_eq!(qr.rank(), 7);
    let b = qr.coefficients(&y);
    let certified = [
        (-3_482_258.634_595_82, 890_420.383_607_373),
        (15.061_872_271_373_3, 84.914_925_774_766_9),
        (-0.035_819_179_292_591_0, 0.033_491_007_772_243_2),
        (-2.020_229_803_816_83, 0.488_399_681_651_699),
        (-1.033_226_867_173_59, 0.214_274_163_161_675),
        (-0.051_104_105_653_580_7, 0.226_073_200_069_370),
        (1_829.151_464_613_55, 455.478_499_142_212),
    ];
    let mut residual = y.clone();
    for (b, column) in b.iter().zip(x.chunks_exact(16)) {
        axpy(-b, column, &mut residual);
    }
    let rss = dot(&residual, &residual);
    assert!(digits(rss, 836_424.055_505_915) > 10.0);
    assert!(digits((rss / 9.0).sqrt(), 304.854_073_561_965) > 10.0);
    let inverse = qr.inverse_gram();
    for (j, (value, error)) in certified.into_iter().enumerate() {
        assert!(digits(b[j], value) > 11.0, "B{j} {}", b[j]);
        let se = (rss / 9.0 * inverse[j * 7 + j]).sqrt();
        assert!(digits(se, error) > 10.0, "SE of B{j} {se}");
    }
}

/// The construction of SmLs01, 04, 07 and 09: nine treatments whose means alternate around 1.4, 1.3 and 1.5, and
/// within each treatment one value at the mean and pairs of ±0.1. Certified F = 21 for 21 replicates and 2001 for
/// 2001; the shift adds constant leading digits.
#[test]
fn analysis_of_variance_with_constant_leading_digits() {
    for (replicates, shift, f, least_digits) in [
        (21, 0.0, 21.0, 12.0),
        (21, 1e6, 21.0, 8.0),
        // Thirteen constant leading digits: the data themselves carry about three digits of the 0.1.
        (21, 1e12, 21.0, 2.0),
        (2001, 1e12, 2001.0, 2.0),
    ] {
        let means = [1.4, 1.3, 1.5, 1.3, 1.5, 1.3, 1.5, 1.3, 1.5];
        let n = 9 * replicates;
        let (mut y, mut x) = (Vec::new(), vec![0.0; 9 * n]);
        for (group, m) in means.iter().enumerate() {
            for i in 0..replicates {
                let noise = if i == 0 {
                    0.0
                } else if i % 2 == 1 {
                    -0.1
                } else {
                    0.1
                };
                x[group * n + y.len()] = 1.0;
                y.push(shift + m + noise);
            }
        }
        let centre = mean(&y);
        for v in &mut y {
            *v -= centre;
        }
        let mut qr = Qr::default();
        qr.factor(n, &x);
        let between: f64 = qr.q().chunks_exact(n).map(|q| dot(q, &y).powi(2)).sum();
        let within = dot(&y, &y) - between;
        let ratio = (between / 8.0) / (within / (n - 9) as f64);
        assert!(
            digits(ratio, f) > least_digits,
            "{replicates} {shift}: {ratio}"
        );
    }
}
