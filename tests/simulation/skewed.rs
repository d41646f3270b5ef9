//! Coverage of the interval of a mean difference of skewed costs: Welch's, and that of the studentized bootstrap beside it, against R
//! (`tests/golden/skewed/coverage.R`: 20,000 studies of its own).
//!
//! Where both arms have the same long tail it cancels: Welch's interval is near its level and the bootstrap, which takes the tail that
//! happened to fall into one arm for that arm's own, covers less. Where one arm has the tail alone Welch's interval covers too little and
//! the bootstrap is nearer. So it is a check and no replacement.

use lottning::estimation::resampling::{BootstrapT, Effect, Resampler};
use lottning::estimation::{Arm, Columns, Settings, estimate};
use lottning::numerics::normal;
use lottning::numerics::stream::{open_unit, replicate};
use rayon::iter::{IntoParallelIterator, ParallelIterator};

const STUDIES: u64 = 500;
const RESAMPLES: u64 = 399;

/// Families and standard deviation of the logarithm of the treated and of the control arm.
type Arms = [(usize, f64); 2];

/// Lognormal costs with medians of 1.
fn costs(arms: Arms, study: u64) -> Columns {
    let mut rng = replicate(&[71; 32], study);
    let mut own = Columns::default();
    for ((families, deviation), arm) in arms.into_iter().zip([Arm::Treated, Arm::Control]) {
        for _ in 0..families {
            let z = normal::quantile(open_unit(&mut rng)).unwrap();
            own.arm.push(arm);
            own.outcome.push(Some(libm::exp(deviation * z)));
        }
    }
    own
}

/// Whether Welch's interval and that of the bootstrap hold the difference of the means, exp(σ²/2) in each arm.
fn covers(arms: Arms, study: u64) -> [bool; 2] {
    let mean = |(_, deviation): (usize, f64)| libm::exp(deviation * deviation / 2.0);
    let truth = mean(arms[0]) - mean(arms[1]);
    let columns = costs(arms, study);
    let settings = Settings::default();
    let id = "difference-in-means";
    let answer = estimate(id, &columns, &settings).unwrap();
    let row = answer.effect().unwrap();
    let holds =
        |low: Option<f64>, high: Option<f64>| low.unwrap() <= truth && truth <= high.unwrap();
    let mut resampler = Resampler::new(id, &columns, &settings, &[]).unwrap();
    let drawn: Vec<Option<Effect>> = (0..RESAMPLES)
        .map(|number| resampler.draw(&mut replicate(&[72; 32], study * RESAMPLES + number)))
        .collect();
    let own = Effect {
        estimate: row.estimate.unwrap(),
        std_error: row.std_error.unwrap(),
    };
    let (low, high) = BootstrapT::new(own, &drawn).limits(0.05);
    [holds(row.conf_low, row.conf_high), holds(low, high)]
}

#[test]
fn intervals_of_costs_cover_as_in_r() {
    let file = include_str!("../golden/skewed/coverage.csv");
    let lines: Vec<Vec<f64>> = file
        .lines()
        .skip(1)
        .map(|line| line.split(',').map(|cell| cell.parse().unwrap()).collect())
        .collect();
    let mut nearer = Vec::new();
    for line in &lines {
        let [n1, s1, n0, s0, studies, theirs @ ..] = line.as_slice() else {
            panic!("{line:?}");
        };
        let arms = [(*n1 as usize, *s1), (*n0 as usize, *s0)];
        let all = (0..STUDIES)
            .into_par_iter()
            .map(|study| covers(arms, study));
        let all: Vec<[bool; 2]> = all.collect();
        let share = |of: usize| all.iter().filter(|own| own[of]).count() as f64 / STUDIES as f64;
        let found = [share(0), share(1)];
        for (found, theirs) in found.iter().zip(theirs) {
            let variance = theirs * (1.0 - theirs) * (1.0 / STUDIES as f64 + 1.0 / studies);
            let four = 4.0 * variance.sqrt();
            assert!((found - theirs).abs() <= four, "{line:?}: {found}");
        }
        let [welch, bootstrap] = theirs else {
            panic!("{line:?}");
        };
        nearer.push((bootstrap - 0.95).abs() < (welch - 0.95).abs());
    }
    // Of 20,000 studies in R: of alike tails Welch's is nearer to 0.95, of a longer tail in one arm the bootstrap's.
    assert_eq!(nearer, [false, true]);
}
