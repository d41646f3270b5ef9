//! Winsorized effects against R 4.2.2 (`skewed/generate.R`), and the studentized bootstrap against every resample that there is,
//! listed in rational arithmetic by Python 3 (`skewed/enumerate.py`).

use crate::data::{Data, close};
use lottning::estimation::resampling::{BootstrapT, Effect, Resampler};
use lottning::estimation::winsorizing::{drawn_in, limits};
use lottning::estimation::{Arm, Columns, Factor, Settings, estimate};
use lottning::numerics::stream::replicate;

#[test]
fn winsorized_effects_agree_with_r() {
    let data = Data::parse(include_str!("skewed/data.csv"));
    let expected = Data::parse(include_str!("skewed/results.csv"));
    let whole = data.comparison("arm", "iuh", "standard", "cost");
    let outcomes: Vec<f64> = whole.outcome.iter().copied().flatten().collect();
    assert_eq!(expected.rows(), 12);
    for row in 0..expected.rows() {
        let number = |column: &str| expected.number(column, row);
        let ends = limits(&outcomes, number("share").unwrap()).unwrap();
        close("low", Some(ends.0), number("low"), 1e-14, 1.0);
        close("high", Some(ends.1), number("high"), 1e-14, 1.0);
        let mut columns = whole.clone();
        let mut moved = [0.0; 2];
        for (y, arm) in columns.outcome.iter_mut().zip(&columns.arm) {
            let own = y.map(|y| drawn_in(y, ends));
            moved[arm.index()] += f64::from(u8::from(own != *y));
            *y = own;
        }
        assert_eq!(
            [Some(moved[1]), Some(moved[0])],
            [number("moved_treated"), number("moved_control")]
        );
        let id = expected.text("estimator", row);
        if id != "difference-in-means" {
            columns.covariates = vec![data.covariate("age")];
        }
        let answer = estimate(id, &columns, &Settings::default()).unwrap();
        let own = answer.effect().unwrap();
        close(id, own.estimate, number("estimate"), 1e-10, 1.0);
        close(id, own.std_error, number("std_error"), 1e-10, 1.0);
        close(id, own.df, number("df"), 1e-9, 1.0);
    }
}

/// The two cases of the script, stratum by stratum: outcomes of the treated and of the control arm.
const TWO_ARMS: &[(&[f64], &[f64])] = &[(&[2.0, 3.0, 11.0], &[1.0, 4.0, 6.0])];
const TWO_STRATA: &[(&[f64], &[f64])] = &[
    (&[5.0, 12.0], &[3.0, 4.0, 9.0]),
    (&[40.0, 22.0], &[10.0, 31.0]),
];

fn columns(strata: &[(&[f64], &[f64])]) -> Columns {
    let mut own = Columns::default();
    let mut names = Vec::new();
    for ((treated, control), name) in strata.iter().zip(["a", "b"]) {
        for (arm, y) in [(Arm::Treated, treated), (Arm::Control, control)] {
            own.arm.extend(y.iter().map(|_| arm));
            own.outcome.extend(y.iter().copied().map(Some));
            names.extend(y.iter().map(|_| Some(name)));
        }
    }
    if strata.len() > 1 {
        own.strata = vec![Factor::from_texts("site", names)];
    }
    own
}

/// The rows that may stand in the place of each row: those of its arm and stratum.
fn alternatives(strata: &[(&[f64], &[f64])]) -> Vec<Vec<u32>> {
    let (mut all, mut next) = (Vec::new(), 0);
    for n in strata.iter().flat_map(|(a, b)| [a.len(), b.len()]) {
        let own: Vec<u32> = (next..next + n as u32).collect();
        next += n as u32;
        all.extend(std::iter::repeat_n(own, n));
    }
    all
}

fn every(alternatives: &[Vec<u32>], mut take: impl FnMut(&[u32])) {
    let mut places = vec![0; alternatives.len()];
    loop {
        let rows = alternatives.iter().zip(&places);
        let rows: Vec<u32> = rows.map(|(own, place)| own[*place]).collect();
        take(&rows);
        let mut digit = 0;
        while digit < places.len() {
            places[digit] += 1;
            if places[digit] < alternatives[digit].len() {
                break;
            }
            places[digit] = 0;
            digit += 1;
        }
        if digit == places.len() {
            return;
        }
    }
}

/// What Python lists of a case: t in rising order, each as often as it occurs, and how many resamples have none.
fn listed(case: &str) -> (Vec<f64>, usize) {
    let file = Data::parse(include_str!("skewed/resamples.csv"));
    let (mut t, mut none) = (Vec::new(), 0);
    for row in (0..file.rows()).filter(|row| file.text("case", *row) == case) {
        let count = file.number("count", row).unwrap() as usize;
        match file.text("t", row) {
            "NA" => none += count,
            text => t.extend(std::iter::repeat_n(text.parse::<f64>().unwrap(), count)),
        }
    }
    (t, none)
}

fn own(id: &str, columns: &Columns) -> Effect {
    let answer = estimate(id, columns, &Settings::default()).unwrap();
    let row = answer.effect().unwrap();
    Effect {
        estimate: row.estimate.unwrap(),
        std_error: row.std_error.unwrap(),
    }
}

/// Outcomes of treated and control in each stratum.
type Made = &'static [(&'static [f64], &'static [f64])];
/// Name in the golden file, estimator, outcomes, and how many resamples there are.
type Case = (&'static str, &'static str, Made, usize);

const CASES: [Case; 4] = [
    ("two-arms", "difference-in-means", TWO_ARMS, 729),
    ("two-arms", "linear", TWO_ARMS, 729),
    ("two-arms", "lin", TWO_ARMS, 729),
    (
        "two-strata",
        "stratified-difference-in-means",
        TWO_STRATA,
        1728,
    ),
];

/// Of every resample the same statistic as in rational arithmetic; and from all of them the limits at the places (B + 1)·α/2.
#[test]
fn every_resample_has_the_statistic_of_rational_arithmetic() {
    for (case, id, strata, number) in CASES {
        let columns = columns(strata);
        let own = own(id, &columns);
        let mut resampler = Resampler::new(id, &columns, &Settings::default(), &[]).unwrap();
        let mut all = Vec::new();
        every(&alternatives(strata), |rows| all.push(resampler.on(rows)));
        assert_eq!(all.len(), number, "{id}");
        let (rising, none) = listed(case);
        assert_eq!(rising.len() + none, number, "{case}");
        let t = |drawn: &Effect| (drawn.estimate - own.estimate) / drawn.std_error;
        let mut found: Vec<f64> = all.iter().flatten().map(t).collect();
        found.sort_by(f64::total_cmp);
        assert_eq!(found.len(), rising.len(), "{id}");
        for (found, expected) in found.iter().zip(&rising) {
            close(id, Some(*found), Some(*expected), 1e-12, 1.0);
        }
        let found = BootstrapT::new(own, &all);
        assert_eq!(found.failed(), none, "{id}");
        for alpha in [0.05, 0.1, 0.2] {
            // Counted from 1 at either end, those without a statistic first.
            let place = 0.5 * alpha * (number + 1) as f64 - none as f64;
            let (before, part) = (place.floor() as usize, place - place.floor());
            let between = |a: f64, b: f64| a + part * (b - a);
            let last = rising.len();
            let low = between(rising[before - 1], rising[before]);
            let high = between(rising[last - before], rising[last - before - 1]);
            let (lower, upper) = found.limits(alpha);
            let limit = |t: f64| Some(own.estimate - t * own.std_error);
            close(id, lower, limit(high), 1e-12, 1.0);
            close(id, upper, limit(low), 1e-12, 1.0);
        }
    }
}

/// 10,000 draws: the share of every t, and of those without one, within four standard errors of what it is among all resamples.
#[test]
fn resamples_have_the_law_of_all_that_there_are() {
    const DRAWS: u32 = 10_000;
    for (case, id, strata, number) in CASES {
        let columns = columns(strata);
        let own = own(id, &columns);
        let mut resampler = Resampler::new(id, &columns, &Settings::default(), &[]).unwrap();
        let drawn: Vec<Option<f64>> = (0..DRAWS)
            .map(|stream| {
                let found = resampler.draw(&mut replicate(&[61; 32], u64::from(stream)));
                found.map(|found| (found.estimate - own.estimate) / found.std_error)
            })
            .collect();
        let (rising, none) = listed(case);
        let share = |count: usize, of: usize| count as f64 / of as f64;
        let near = |found: f64, exact: f64, what: &str| {
            let four = 4.0 * (exact * (1.0 - exact) / f64::from(DRAWS)).sqrt();
            assert!(
                (found - exact).abs() <= four,
                "{id}: {what} {found} {exact}"
            );
        };
        let absent = drawn.iter().filter(|own| own.is_none()).count();
        near(
            share(absent, DRAWS as usize),
            share(none, number),
            "without one",
        );
        for limit in [-6.0, -2.5, -1.2, -0.4, 0.35, 1.1, 2.2, 5.0] {
            let exact = rising.iter().filter(|t| **t <= limit).count();
            let found = drawn.iter().flatten().filter(|t| **t <= limit).count();
            near(
                share(found, DRAWS as usize),
                share(exact, number),
                &format!("to {limit}"),
            );
        }
    }
}
