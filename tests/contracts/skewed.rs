//! Laws of the studentized bootstrap and of outcomes that are drawn in: on the families themselves they are the analysis, another scale
//! is another scale, threads change nothing, sites keep their families.

use crate::made_up::{IUH, LAST, protocol, study};
use crate::replication::{all_alike, folder, text};
use lottning::analysis::{Plan, RunSettings, run};
use lottning::estimation::resampling::{Effect, Resampler};
use lottning::estimation::{Arm, Columns, Covariate, Df, Factor, Settings, Variance, estimate};
use lottning::numerics::stream::{open_unit, replicate};
use lottning::study::kernel::What;

const ESTIMATORS: [&str; 4] = [
    "lin",
    "linear",
    "difference-in-means",
    "stratified-difference-in-means",
];

/// Skewed outcomes of 60 families in two strata, with a covariate where the estimator takes one.
fn columns(id: &str, number: u64) -> Columns {
    let mut rng = replicate(&[17; 32], number);
    let mut own = Columns::default();
    let (mut age, mut strata) = (Vec::new(), Vec::new());
    for row in 0..60 {
        own.arm.push([Arm::Control, Arm::Treated][row % 2]);
        let x = 17.0 * open_unit(&mut rng);
        let u = open_unit(&mut rng);
        own.outcome.push(Some(100.0 * x + 40.0 / (1.0 - u).powi(2)));
        age.push(Some(x));
        strata.push(Some(["a", "b"][row / 37]));
    }
    match id {
        "stratified-difference-in-means" => own.strata = vec![Factor::from_texts("site", strata)],
        "difference-in-means" => {}
        _ => own.covariates = vec![Covariate::numeric("age", age)],
    }
    own
}

fn settings(id: &str) -> Vec<Settings> {
    let plain = Settings::default();
    if id == "stratified-difference-in-means" {
        return vec![plain];
    }
    let other = [Variance::Classical, Variance::Hc1, Variance::Hc3].map(|variance| Settings {
        variance: Some(variance),
        df: Some(Df::Residual),
        ..plain
    });
    [vec![plain], other.to_vec()].concat()
}

fn near(found: f64, expected: f64) {
    let size = expected.abs().max(1.0);
    assert!(
        (found - expected).abs() < 1e-9 * size,
        "{found} is not {expected}"
    );
}

#[test]
fn on_its_own_families_a_resample_is_the_analysis() {
    for id in ESTIMATORS {
        for number in 0..10 {
            let columns = columns(id, number);
            for settings in settings(id) {
                let answer = estimate(id, &columns, &settings).unwrap();
                let row = answer.effect().unwrap();
                let mut own = Resampler::new(id, &columns, &settings, &[]).unwrap();
                let rows: Vec<u32> = (0..60).collect();
                let found = own.on(&rows).unwrap();
                near(found.estimate, row.estimate.unwrap());
                near(found.std_error, row.std_error.unwrap());
                // And again after others.
                own.draw(&mut replicate(&[1; 32], number));
                assert_eq!(own.on(&rows), Some(found));
                assert_eq!(own.on(&rows[1..]), None);
            }
        }
    }
}

/// Draws under the same streams, of outcomes that are changed.
fn drawn(id: &str, number: u64, change: impl Fn(f64, Arm) -> f64) -> Vec<Effect> {
    let mut columns = columns(id, number);
    for (y, arm) in columns.outcome.iter_mut().zip(&columns.arm) {
        *y = y.map(|y| change(y, *arm));
    }
    let mut own = Resampler::new(id, &columns, &Settings::default(), &[]).unwrap();
    let draw = |stream| own.draw(&mut replicate(&[2; 32], stream)).unwrap();
    (0..20).map(draw).collect()
}

/// Another unit of money multiplies effect and standard error, what all families cost more changes nothing, and what the treated ones
/// cost more is added to the effect.
#[test]
fn resamples_go_with_the_scale_and_not_with_the_place_of_outcomes() {
    for id in ESTIMATORS {
        for number in 0..5 {
            let own = drawn(id, number, |y, _| y);
            let scaled = drawn(id, number, |y, _| -0.25 * y);
            let placed = drawn(id, number, |y, _| y + 3000.0);
            let moved = drawn(id, number, |y, arm| y + 70.0 * arm.index() as f64);
            for (place, own) in own.iter().enumerate() {
                near(scaled[place].estimate, -0.25 * own.estimate);
                near(scaled[place].std_error, 0.25 * own.std_error);
                near(placed[place].estimate, own.estimate);
                near(placed[place].std_error, own.std_error);
                near(moved[place].estimate, own.estimate + 70.0);
                near(moved[place].std_error, own.std_error);
            }
        }
    }
}

/// Rows are drawn within their stratum: outcomes that are one number in each arm of a stratum leave every resample the same effect.
#[test]
fn strata_keep_their_families() {
    let columns = columns("lin", 3);
    let within: Vec<u32> = (0..60).map(|row| u32::from(row >= 37)).collect();
    let mut apart = columns.clone();
    apart.covariates.clear();
    for (row, y) in apart.outcome.iter_mut().enumerate() {
        // Noise that is far smaller than what sets strata and arms apart.
        let stratum = f64::from(within[row]);
        let arm = apart.arm[row].index() as f64;
        *y = Some(1000.0 * stratum + 10.0 * arm + 1e-6 * (row % 7) as f64);
    }
    let draws = |within: &[u32]| -> Vec<f64> {
        let settings = Settings::default();
        let mut own = Resampler::new("difference-in-means", &apart, &settings, within).unwrap();
        let draw = |stream| own.draw(&mut replicate(&[3; 32], stream)).unwrap().estimate;
        (0..50).map(draw).collect()
    };
    let spread = |own: &[f64]| {
        let largest = own.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        largest - own.iter().copied().fold(f64::INFINITY, f64::min)
    };
    assert!(spread(&draws(&within)) < 1e-5);
    assert!(spread(&draws(&[])) > 10.0);
}

fn pool(threads: usize) -> rayon::ThreadPool {
    let builder = rayon::ThreadPoolBuilder::new().num_threads(threads);
    builder.build().unwrap()
}

/// The whole analysis with sites as covariates, on one and several threads, to the bit; another analysis has other draws.
#[test]
fn the_rows_do_not_depend_on_threads() {
    let start = IUH.find("[[analysis]]\nid = \"acceptance\"").unwrap();
    let own = |id: &str| {
        format!(
            "[[analysis]]\nid = \"{id}\"\nlock = \"final\"\nrole = \"exploratory\"\noutcome = \"rereport\"\nsummary = \"count\"\nestimator = \"lin\"\ncovariates = [\"site\", \"earlier_reports\"]\nestimand = {{ population = \"all\", strategy = \"treatment-policy\", measure = \"difference\" }}\nmissing = {{ primary = \"complete-case\" }}\nsensitivity_winsorized = 0.05\nsensitivity_bootstrap = 999\n"
        )
    };
    let text = IUH[..start].replace("draws = 10000", "draws = 99") + &own("one") + &own("two");
    let study = study(protocol(&text), 160, 4);
    let plan = Plan::registered(&study.protocol, 1);
    let found = |threads: usize| {
        let settings = RunSettings::default();
        let own = || run(&study.protocol, &study.state, &plan, LAST, &settings);
        pool(threads).install(own).analyses
    };
    let one = found(1);
    for threads in [2, 5] {
        for (other, own) in found(threads).iter().zip(&one) {
            assert_eq!(
                (&other.results, &other.warnings),
                (&own.results, &own.warnings)
            );
        }
    }
    let limits = |id: &str| {
        let own = one.iter().find(|own| own.id == id).unwrap();
        let name = |row: &str| {
            let mut rows = own.results.iter();
            rows.find(|own| own.extra.get("sensitivity").is_some_and(|own| own == row))
                .unwrap()
        };
        let (drawn_in, drawn_again) = (name("winsorized"), name("bootstrap"));
        assert_eq!(drawn_again.estimate, own.results[0].estimate);
        assert_eq!(drawn_again.std_error, own.results[0].std_error);
        // Drawn in outcomes vary less, where any is moved.
        let moved = drawn_in.extra["moved"] != serde_json::json!([0, 0]);
        assert_eq!(moved, drawn_in.std_error < own.results[0].std_error);
        let (low, high) = (
            drawn_again.conf_low.unwrap(),
            drawn_again.conf_high.unwrap(),
        );
        assert!(low < own.results[0].estimate.unwrap() && own.results[0].estimate.unwrap() < high);
        [low.to_bits(), high.to_bits()]
    };
    assert_ne!(limits("one"), limits("two"));
}

/// The share 0.07 of 201 costs is at place 0.07 · 200, which is 14.000000000000002 in binary: the fifteenth of fifteen families that
/// cost nothing, and no little part of the way to the next, which costs 10,000 kronor. R moves as many families.
#[test]
fn r_moves_who_is_beyond_a_place_that_is_whole_but_for_rounding() {
    let (start, end) = (
        IUH.find("kind = \"duration\"").unwrap(),
        IUH.find("# The two below").unwrap(),
    );
    let analyses = IUH.find("[[analysis]]\nid = \"acceptance\"").unwrap();
    let text_of = format!(
        "{}kind = \"observed\"\nwindow_days = [1, 122]\n\n{}[[analysis]]\nid = \"costs\"\nlock = \"final\"\nrole = \"exploratory\"\noutcome = \"investigation_days\"\nestimator = \"difference-in-means\"\nestimand = {{ population = \"all\", strategy = \"treatment-policy\", measure = \"difference\" }}\nmissing = {{ primary = \"complete-case\" }}\nsensitivity_winsorized = 0.07\n",
        &IUH[..start],
        IUH[end..analyses].replace("draws = 10000", "draws = 99"),
    );
    let mut study = study(protocol(&text_of), 201, 6);
    let outcomes = &study.protocol.outcomes;
    let place = outcomes
        .iter()
        .position(|own| own.id == "investigation_days");
    let allocations = study.state.allocations.clone();
    assert_eq!(allocations.len(), 201);
    for (number, own) in allocations.iter().enumerate() {
        let cost = number.saturating_sub(14) as f64 * 10_000.0;
        let on = study.state.family(own.family).unwrap().randomized.plus(60);
        let what = What::Observed {
            family: own.family,
            outcome: place.unwrap() as u16,
            value: cost,
            on,
        };
        study.happen(on, &what);
    }
    let files = folder(&study, "final", LAST, &[]);
    let results = text(&files, "results.csv");
    let moved = |arm: u32| {
        let name = format!("\ncosts/results/2/moved/{arm},");
        let from = results.find(&name).unwrap() + name.len();
        let number = results[from..].lines().next().unwrap();
        number.parse::<u32>().unwrap()
    };
    // The fourteen of the highest costs, and none of those that cost nothing.
    assert_eq!(moved(1) + moved(2), 14);
    all_alike("whole-place", &files);
}
