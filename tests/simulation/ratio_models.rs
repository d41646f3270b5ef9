//! Bias and coverage of models with a ratio as their effect: by counting tables where that is possible, else with made-up
//! trials within four Monte Carlo standard errors.

use lottning::estimation::{
    Arm, Columns, Covariate, Estimate, Factor, Settings, Variance, estimate,
};
use lottning::numerics::binomial::Binomial;
use lottning::numerics::{normal, stream};

fn arms(n1: u64, n0: u64) -> Vec<Arm> {
    let treated = std::iter::repeat_n(Arm::Treated, n1 as usize);
    treated
        .chain(std::iter::repeat_n(Arm::Control, n0 as usize))
        .collect()
}

fn outcomes(x: u64, n: u64) -> impl Iterator<Item = Option<f64>> {
    (0..n).map(move |i| Some(f64::from(u8::from(i < x))))
}

/// `"logistic"` with Firth's penalty: the mean of the log odds ratio over every table of 12 against 12 differs from the
/// truth by less than 0.04 (Firth 1993 takes the bias of order 1/n out), where adding nothing has no finite mean.
#[test]
fn firth_has_little_bias_by_enumeration() {
    let n = 12;
    let settings = Settings {
        variance: Some(Variance::Firth),
        ..Settings::default()
    };
    let mut table = vec![0.0; 169];
    for x1 in 0..=n {
        for x0 in 0..=n {
            let columns = Columns {
                arm: arms(n, n),
                outcome: outcomes(x1, n).chain(outcomes(x0, n)).collect(),
                ..Columns::default()
            };
            let answer = estimate("logistic", &columns, &settings).unwrap();
            table[(13 * x1 + x0) as usize] = answer.effect().unwrap().estimate.unwrap().ln();
        }
    }
    for (p1, p0) in [(0.5, 0.5), (0.4, 0.3), (0.6, 0.35), (0.25, 0.5)] {
        let (b1, b0) = (Binomial::new(n, p1).unwrap(), Binomial::new(n, p0).unwrap());
        let mean: f64 = (0..=n)
            .flat_map(|x1| (0..=n).map(move |x0| (x1, x0)))
            .map(|(x1, x0)| b1.pmf(x1) * b0.pmf(x0) * table[(13 * x1 + x0) as usize])
            .sum();
        let truth: f64 = (p1 / (1.0 - p1) / (p0 / (1.0 - p0))).ln();
        assert!((mean - truth).abs() < 0.04, "{p1} {p0}: {mean} {truth}");
    }
}

/// `"mantel-haenszel"`: with the true difference δ, Sato's variance `(δP + Q)/W²` has exactly the variance of the estimate
/// as its mean; the estimated δ adds its covariance with P, `−Σ(n0³n1 p1q1 + n1³n0 p0q0)/n³/W³`, which vanishes as strata grow.
/// Both sides over every pair of tables of two strata with the common difference 0.2.
#[test]
fn satos_variance_by_enumeration() {
    let (sizes, risks) = ([(6u64, 5u64), (4, 7)], [(0.5, 0.3), (0.35, 0.15)]);
    let mut columns = Columns::default();
    let mut strata = Vec::new();
    for ((n1, n0), name) in sizes.into_iter().zip(["a", "b"]) {
        columns.arm.extend(arms(n1, n0));
        strata.extend(std::iter::repeat_n(Some(name), (n1 + n0) as usize));
    }
    columns.strata = vec![Factor::from_texts("site", strata)];
    let pmf = |n, p| Binomial::new(n, p).unwrap();
    let (mut weight, mut first, mut second, mut claimed) = (0.0, 0.0, 0.0, 0.0);
    let tables = |(n1, n0): (u64, u64)| (0..=n1).flat_map(move |x| (0..=n0).map(move |y| (x, y)));
    for (a1, a0) in tables(sizes[0]) {
        for (b1, b0) in tables(sizes[1]) {
            columns.outcome = outcomes(a1, sizes[0].0)
                .chain(outcomes(a0, sizes[0].1))
                .chain(outcomes(b1, sizes[1].0))
                .chain(outcomes(b0, sizes[1].1))
                .collect();
            let chance = pmf(sizes[0].0, risks[0].0).pmf(a1)
                * pmf(sizes[0].1, risks[0].1).pmf(a0)
                * pmf(sizes[1].0, risks[1].0).pmf(b1)
                * pmf(sizes[1].1, risks[1].1).pmf(b0);
            let answer = estimate("mantel-haenszel", &columns, &Settings::default()).unwrap();
            let row = answer.effect().unwrap();
            let (d, se) = (row.estimate.unwrap(), row.std_error.unwrap());
            weight += chance;
            first += chance * d;
            second += chance * d * d;
            claimed += chance * se * se;
        }
    }
    assert!((weight - 1.0).abs() < 1e-12 && (first - 0.2).abs() < 1e-12);
    let (mut w, mut covariance) = (0.0, 0.0);
    for ((n1, n0), (p1, p0)) in sizes.into_iter().zip(risks) {
        let (n1, n0): (f64, f64) = (n1 as f64, n0 as f64);
        let n = n1 + n0;
        w += n1 * n0 / n;
        covariance -=
            (n0.powi(3) * n1 * p1 * (1.0 - p1) + n1.powi(3) * n0 * p0 * (1.0 - p0)) / n.powi(3);
    }
    let wanted = second - first * first + covariance / w.powi(3);
    assert!((claimed / wanted - 1.0).abs() < 1e-10, "{claimed} {wanted}");
}

/// A trial of 150 against 150 with a prognostic covariate; counts are overdispersed by a gamma-like factor of two points.
fn trial(replicate: u64, count: bool) -> Columns {
    let mut rng = stream::replicate(&[3; 32], replicate);
    let mut columns = Columns {
        arm: arms(150, 150),
        ..Columns::default()
    };
    let mut x = Vec::new();
    for arm in &columns.arm {
        let z = arm.index() as f64;
        let prognosis = normal::quantile(stream::open_unit(&mut rng)).unwrap();
        let u = stream::open_unit(&mut rng);
        let y = if count {
            // The factor is ½ or 1½, apart from the arm: E[Y | z] = e^(0.2 + 0.4 z + 0.5 x), rate ratio e^0.4.
            let factor = if stream::open_unit(&mut rng) < 0.5 {
                0.5
            } else {
                1.5
            };
            let mean = factor * (0.2 + 0.4 * z + 0.5 * prognosis).exp();
            // Inversion of the Poisson distribution.
            let (mut k, mut term, mut below) = (0.0, (-mean).exp(), (-mean).exp());
            while below < u && k < 1000.0 {
                k += 1.0;
                term *= mean / k;
                below += term;
            }
            k
        } else {
            let p = 1.0 / (1.0 + (0.4 - 0.5 * z - prognosis).exp());
            f64::from(u8::from(u < p))
        };
        columns.outcome.push(Some(y));
        x.push(Some(prognosis));
    }
    columns.covariates = vec![Covariate::numeric("x", x)];
    columns
}

fn coverage(id: &str, settings: &Settings, count: bool, truth: f64) -> f64 {
    let replicates = 2000;
    let covers = |row: &Estimate| row.conf_low <= Some(truth) && Some(truth) <= row.conf_high;
    let covered = (0..replicates)
        .map(|replicate| estimate(id, &trial(replicate, count), settings).unwrap())
        .filter(|answer| covers(answer.effect().unwrap()))
        .count();
    covered as f64 / replicates as f64
}

/// Mean of the logistic function of `a + Z` over the normal distribution, by the midpoints of 20 000 equal parts.
fn mean_logistic(a: f64) -> f64 {
    (0..20_000)
        .map(|i| {
            let z = normal::quantile((f64::from(i) + 0.5) / 20_000.0).unwrap();
            1.0 / (1.0 + (-(a + z)).exp())
        })
        .sum::<f64>()
        / 20_000.0
}

/// Each interval covers its truth at 95 % within four Monte Carlo standard errors (2000 trials: 0.0195).
#[test]
fn large_sample_intervals_cover() {
    let default = Settings::default();
    let firth = Settings {
        variance: Some(Variance::Firth),
        ..default
    };
    let difference = mean_logistic(0.1) - mean_logistic(-0.4);
    for (id, settings, count, truth) in [
        ("logistic", &default, false, 0.5f64.exp()),
        ("logistic", &firth, false, 0.5f64.exp()),
        ("g-computation", &default, false, difference),
        ("poisson", &default, true, 0.4f64.exp()),
        ("negative-binomial", &default, true, 0.4f64.exp()),
    ] {
        let covered = coverage(id, settings, count, truth);
        assert!(
            (covered - 0.95).abs() < 4.0 * (0.95f64 * 0.05 / 2000.0).sqrt(),
            "{id} {covered}"
        );
    }
}
