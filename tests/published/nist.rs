//! NIST Statistical Reference Datasets (public domain), certified values: linear regression and analysis of variance.

use lottning::estimation::linear_model::{Design, Workspace};
use lottning::estimation::{Arm, Columns, Df, Settings, Variance, estimate};
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
    // R² and F are no output of the program; they come of the same sums.
    let centre = mean(&y);
    let total: f64 = y.iter().map(|y| (y - centre).powi(2)).sum();
    assert!(digits(1.0 - rss / total, 0.995_479_004_577_296) > 11.0);
    let ratio = (total - rss) / 6.0 / (rss / 9.0);
    assert!(digits(ratio, 330.285_339_234_588) > 10.0);
    let inverse = qr.inverse_gram();
    for (j, (value, error)) in certified.into_iter().enumerate() {
        assert!(digits(b[j], value) > 11.0, "B{j} {}", b[j]);
        let se = (rss / 9.0 * inverse[j * 7 + j]).sqrt();
        assert!(digits(se, error) > 10.0, "SE of B{j} {se}");
        // The same by the model's own way.
        let (estimate, std_error) = coefficient(16, &x, j, &y);
        assert!(digits(estimate, value) > 10.0, "B{j} {estimate}");
        assert!(digits(std_error, error) > 10.0, "SE of B{j} {std_error}");
    }
}

/// One coefficient with its classical standard error.
fn coefficient(n: usize, columns: &[f64], of: usize, y: &[f64]) -> (f64, f64) {
    let design = Design::coefficient(n, columns, of, &[]).unwrap();
    let inference = design
        .inference(Variance::Classical, Df::Residual, 0.95)
        .unwrap();
    let fit = design.fit(y, &inference, &mut Workspace::default());
    (fit.estimate, fit.std_error)
}

#[test]
fn norris_to_eleven_digits() {
    let pairs = [
        (0.1, 0.2),
        (338.8, 337.4),
        (118.1, 118.2),
        (888.0, 884.6),
        (9.2, 10.1),
        (228.1, 226.5),
        (668.5, 666.3),
        (998.5, 996.3),
        (449.1, 448.6),
        (778.9, 777.0),
        (559.2, 558.2),
        (0.3, 0.4),
        (0.1, 0.6),
        (778.1, 775.5),
        (668.8, 666.9),
        (339.3, 338.0),
        (448.9, 447.5),
        (10.8, 11.6),
        (557.7, 556.0),
        (228.3, 228.1),
        (998.0, 995.8),
        (888.8, 887.6),
        (119.6, 120.2),
        (0.3, 0.3),
        (0.6, 0.3),
        (557.6, 556.8),
        (339.3, 339.1),
        (888.0, 887.2),
        (998.5, 999.0),
        (778.9, 779.0),
        (10.2, 11.1),
        (117.6, 118.3),
        (228.9, 229.2),
        (668.4, 669.1),
        (449.2, 448.9),
        (0.2, 0.5),
    ];
    let mut x = vec![1.0; 36];
    x.extend(pairs.map(|(_, x)| x));
    let y = pairs.map(|(y, _)| y);
    for (of, value, error) in [
        (0, -0.262_323_073_774_029, 0.232_818_234_301_152),
        (1, 1.002_116_818_020_45, 4.297_968_481_999_37e-4),
    ] {
        let (estimate, std_error) = coefficient(36, &x, of, &y);
        assert!(digits(estimate, value) > 11.0, "B{of} {estimate}");
        assert!(digits(std_error, error) > 11.0, "SE of B{of} {std_error}");
    }
    let mut qr = Qr::default();
    qr.factor(36, &x);
    let mut residual = y.to_vec();
    for (b, column) in qr.coefficients(&y).iter().zip(x.chunks_exact(36)) {
        axpy(-b, column, &mut residual);
    }
    let rss = dot(&residual, &residual);
    assert!(digits((rss / 34.0).sqrt(), 0.884_796_396_144_373) > 11.0);
}

/// Atomic weight of silver by two instruments: the certified F is the square of the arm's classical t in `linear`, and the certified R²,
/// .257426544538321, is F/(F + 46). The
/// data have seven constant leading digits, so their last digits carry about nine of F.
#[test]
fn silver_by_two_instruments() {
    let last = [
        1568, 1465, 1572, 1785, 1446, 1903, 1526, 1494, 1616, 1587, 1519, 1486, 1419, 1569, 1508,
        1672, 1385, 1518, 1662, 1424, 1360, 1333, 1610, 1477, 1079, 1344, 1513, 1197, 1604, 1385,
        1642, 1365, 1151, 1082, 1517, 1448, 1198, 1482, 1334, 1609, 1101, 1512, 1469, 1360, 1254,
        1261, 1450, 1368,
    ];
    let columns = Columns {
        arm: (0..48)
            .map(|i| if i < 24 { Arm::Treated } else { Arm::Control })
            .collect(),
        outcome: last
            .map(|digits| format!("107.868{digits}").parse().ok())
            .to_vec(),
        ..Columns::default()
    };
    let settings = Settings {
        variance: Some(Variance::Classical),
        ..Settings::default()
    };
    for id in ["linear", "lin", "difference-in-means"] {
        let answer = estimate(id, &columns, &settings).unwrap();
        let t = answer.results[0].statistic.unwrap();
        assert!(digits(t * t, 15.946_733_567_793_0) > 9.0, "{id} {}", t * t);
        let share = t * t / (t * t + 46.0);
        assert!(digits(share, 0.257_426_544_538_321) > 9.0, "{id} {share}");
        assert_eq!(answer.results[0].df, Some(46.0));
    }
}

/// Resistance of silicon by five instruments, five measurements each.
#[test]
fn silicon_by_five_instruments() {
    let y = [
        196.3052, 196.1240, 196.1890, 196.2569, 196.3403, 196.3042, 196.3825, 196.1669, 196.3257,
        196.0422, 196.1303, 196.2005, 196.2889, 196.0343, 196.1811, 196.2795, 196.1748, 196.1494,
        196.1485, 195.9885, 196.2119, 196.1051, 196.1850, 196.0052, 196.2090,
    ];
    let mut x = vec![0.0; 125];
    for (i, group) in (0..25).map(|i| (i, i / 5)) {
        x[group * 25 + i] = 1.0;
    }
    let centre = mean(&y);
    let y = y.map(|y| y - centre);
    let mut qr = Qr::default();
    qr.factor(25, &x);
    let between: f64 = qr.q().chunks_exact(25).map(|q| dot(q, &y).powi(2)).sum();
    let within = dot(&y, &y) - between;
    assert!(digits((between / 4.0) / (within / 20.0), 1.180_462_374_402_55) > 11.0);
    assert!(digits((within / 20.0).sqrt(), 0.104_076_068_334_656) > 11.0);
    assert!(digits(between / (between + within), 0.190_999_039_051_129) > 11.0);
}

/// The construction of SmLs01, 04, 07 and 09: nine treatments whose means alternate around 1.4, 1.3 and 1.5, and
/// within each treatment one value at the mean and pairs of ±0.1. Certified F = 21 for 21 replicates and 2001 for
/// 2001; the shift adds constant leading digits. Certified R² is .482758620689655 and .470712773465067, the residual standard deviation .1.
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
        let share = between / (between + within);
        let certified = if replicates == 21 {
            0.482_758_620_689_655
        } else {
            0.470_712_773_465_067
        };
        let deviation = (within / (n - 9) as f64).sqrt();
        for (found, certified) in [(ratio, f), (share, certified), (deviation, 0.1)] {
            assert!(
                digits(found, certified) > least_digits,
                "{replicates} {shift}: {found} {certified}"
            );
        }
    }
}
