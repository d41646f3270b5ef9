//! The simulator against laws and exact figures: arrivals, queues, two binomials, bias, size, and that nothing but
//! scenario and seed moves an answer.

use crate::target::within;
use lottning::allocation::exact_characteristics;
use lottning::planning::performance::{Figure, Moments};
use lottning::planning::scenario::{Plan, plan};
use lottning::planning::simulate::{Options, simulate};
use lottning::planning::study::Simulator;
use lottning::protocol::model::{Day, Summary};
use lottning::study::dataset::{OutcomeValue, outcome};

const SCENARIO: &str = include_str!("../../simulations/iuh-2025.toml");
const PROTOCOL: &str = include_str!("../../protocols/iuh-2025/protocol.toml");

/// No exits, no switches, no exceptions, no pairs, no trend: what is left is stated.
const PLAIN: [&str; 9] = [
    "uptake.iuh_not_started=0",
    "uptake.standard_switched=0",
    "uptake.exceptions=0",
    "exit.left_coverage_per_year=0",
    "family.icc_pair=0",
    "mechanism.time-trend.rereport_per_year=0",
    "accrual.closed_weeks=[]",
    "truth.rereport_ratio=1.0",
    "protocol.sample_size.stop.or_date=2060-01-01",
];

fn planned(protocol: &str, settings: &[&str]) -> Plan {
    let settings: Vec<String> = settings.iter().map(ToString::to_string).collect();
    plan(SCENARIO, protocol, &settings).unwrap_or_else(|refused| panic!("{refused:?}"))
}

/// Six sites, gamma shape 2, 1.25 families a week for 52 weeks: mean 6·65 = 390 and variance 390 + 6·65²/2 = 13065.
#[test]
fn arrivals_have_the_moments_of_a_poisson_gamma_law() {
    let site =
        "[[site]]\nid = \"sixth\"\nname = \"Sixth\"\nopens = 2025-02-03\ntherapists = 2\n\n[[arm]]";
    let protocol = PROTOCOL.replacen("[[arm]]", site, 1);
    // 364 days; 65 families in 364/30.4375 months.
    let rate = format!(
        "accrual.families_per_month_and_site={{ mean = {}, gamma_shape = 2 }}",
        65.0 * 30.4375 / 364.0
    );
    let months = format!("months={}", 364.0 / 30.4375);
    let mut settings = PLAIN.to_vec();
    settings.extend([rate.as_str(), months.as_str()]);
    let plan = planned(&protocol, &settings);
    let mut simulator = Simulator::new(&plan.cells[0], 11);
    let (mut count, mut square) = (Moments::default(), Moments::default());
    for replicate in 0..3000 {
        simulator.live(replicate).unwrap();
        let families = simulator.state().families.len() as f64;
        count.add(families);
        square.add((families - 390.0).powi(2));
    }
    within(count.mean(), 390.0, "mean");
    within(square.mean(), 13_065.0, "variance");
}

/// A gate without a queue is a loss system: the share of families that meet a closed gate is Erlang's B, whatever the
/// law of the holding time. Load a = λ/2 · E[hold]; by `simple` allocation the arrivals at slots are a thinned Poisson
/// stream. c = 6, a = 4 gives 0.11716247 (recursion B(c) = aB(c−1)/(c + aB(c−1)), by hand from B(0) = 1).
#[test]
fn a_closed_gate_follows_erlang_b() {
    let protocol = PROTOCOL
        .replacen("method = \"big-stick\"", "method = \"simple\"", 1)
        .replacen("max_imbalance = 4", "", 1);
    let (median, sd) = (50.0, 0.35_f64);
    // A slot is held from the moment of arrival to the morning of a whole number of days later: half a day less.
    let hold = median * (sd * sd / 2.0).exp() - 0.5;
    let per_month = 2.0 * 4.0 / hold * 30.4375;
    let rate = format!("accrual.families_per_month_and_site={{ mean = {per_month} }}");
    let mut settings = PLAIN.to_vec();
    settings.extend([
        rate.as_str(),
        "months=120",
        "protocol.sample_size.stop.families=1000000",
    ]);
    let plan = planned(&protocol, &settings);
    let mut simulator = Simulator::new(&plan.cells[0], 5);
    let mut blocked = Moments::default();
    let warm = plan.cells[0].protocol.first_opening().plus(365);
    for replicate in 0..60 {
        simulator.live(replicate).unwrap();
        let state = simulator.state();
        let (mut all, mut turned_away) = (0.0, 0.0);
        for family in &state.families {
            if state.reports[family.report.0 as usize].received >= warm {
                all += 1.0;
                turned_away += f64::from(u8::from(family.turned_away));
            }
        }
        blocked.add(turned_away / all);
    }
    within(blocked.mean(), 0.117_162_47, "Erlang B");
}

/// 150 families per arm, .2 against .3, pooled z test: power .519516 by enumeration of every table.
#[test]
fn two_binomials_have_their_exact_power() {
    let protocol = PROTOCOL
        .replacen("method = \"big-stick\"", "method = \"permuted-block\"", 1)
        .replacen("max_imbalance = 4", "block_len = 2", 1)
        .replacen("strata = [\"site\"]", "strata = []", 1);
    let mut settings = PLAIN.to_vec();
    settings.retain(|setting| !setting.starts_with("truth.rereport_ratio"));
    settings.extend([
        "truth.rereport_control=0.3",
        "truth.rereport_ratio=0.6666666666666667",
        "therapists=1000",
        "protocol.sample_size.stop.families=300",
    ]);
    let plan = planned(&protocol, &settings);
    let cell = &plan.cells[0];
    let mut simulator = Simulator::new(cell, 3);
    let analysis = &cell.protocol.analyses[0];
    let mut power = Moments::default();
    for replicate in 0..3000 {
        simulator.live(replicate).unwrap();
        let state = simulator.state();
        let (mut events, mut n) = ([0.0_f64; 2], [0.0_f64; 2]);
        for allocated in &state.allocations {
            let value = outcome(
                &cell.protocol,
                state,
                Day(i32::MAX - 1000),
                allocated.family,
                analysis.outcome,
                Summary::Any,
            );
            let OutcomeValue::Known(value) = value else {
                panic!("{value:?}")
            };
            events[allocated.arm.index()] += value;
            n[allocated.arm.index()] += 1.0;
        }
        assert!(n.iter().all(|n| (n - 150.0).abs() < 0.5), "{n:?}");
        let p = (events[0] + events[1]) / 300.0;
        let z = (events[0] - events[1]) / 150.0 / (p * (1.0 - p) * 2.0 / 150.0).sqrt();
        power.add(f64::from(u8::from(z.abs() > 1.959_963_984_540_054)));
    }
    within(power.mean(), 0.519_516, "power");
}

fn options(replicates: u64, draws: u32, threads: usize) -> Options {
    Options {
        seed: 7,
        replicates: Some(replicates),
        draws: Some(draws),
        threads: Some(threads),
    }
}

#[test]
fn nothing_but_scenario_and_seed_moves_an_answer() {
    let plan = planned(PROTOCOL, &["months=8"]);
    let answer = |threads| simulate(&plan, &options(120, 19, threads), &|_, _| {}).unwrap();
    let one = answer(1);
    assert_eq!(one, answer(2));
    assert_eq!(one, answer(3));
    // A replicate is the same study alone, after others, and however many there are.
    let mut fresh = Simulator::new(&plan.cells[0], 7);
    let mut used = Simulator::new(&plan.cells[0], 7);
    for replicate in 0..5 {
        used.study(replicate).unwrap();
    }
    assert_eq!(fresh.study(4).unwrap(), used.study(4).unwrap());
    // Another seed is another world.
    let other = simulate(
        &plan,
        &Options {
            seed: 8,
            ..options(120, 19, 2)
        },
        &|_, _| {},
    )
    .unwrap();
    assert_ne!(one, other);
}

#[test]
fn cells_share_their_families() {
    let plan = planned(PROTOCOL, &["months=8"]);
    let records: Vec<_> = plan
        .cells
        .iter()
        .map(|cell| Simulator::new(cell, 2).with_draws(0).study(0).unwrap())
        .collect();
    assert_eq!(records[0].screened, records[1].screened);
    assert_eq!(records[0].families, records[2].families);
    // Acceptance does not depend on the ratio of reports: the whole analysis is the same.
    assert_eq!(records[0].analyses[1], records[2].analyses[1]);
    let settings = ["months=8", "grid.common_random_numbers=\"none\""];
    let apart = planned(PROTOCOL, &settings);
    let record = |index: usize| {
        let cell = &apart.cells[index];
        Simulator::new(cell, 2).with_draws(0).study(0).unwrap()
    };
    assert_ne!(record(0).analyses[1], record(2).analyses[1]);
}

/// Against the true effect of each study the estimator has no bias, its intervals hold it at least as often as they
/// say, and without an effect the test rejects at its level.
#[test]
fn no_bias_coverage_and_size() {
    let settings = ["months=9", "exit.left_coverage_per_year=0"];
    let plan = planned(PROTOCOL, &settings);
    let cells = simulate(&plan, &options(600, 0, 2), &|_, _| {}).unwrap();
    for cell in &cells {
        for (id, found) in &cell.analyses {
            assert_eq!(found.failures, 0, "{} {id}", cell.cell);
            within(found.bias, 0.0, &format!("{} {id} bias", cell.cell));
            let coverage = found.coverage;
            assert!(
                coverage.value.unwrap() >= 0.95 - 4.0 * 0.0089, // √(.95·.05/600) = .0089
                "{} {id} {coverage:?}",
                cell.cell
            );
        }
    }
    assert!(cells[0].analyses[0].1.type_i_error.is_some());
    assert!(cells[1].analyses[0].1.type_i_error.is_none());
}

/// The size of the registered randomization test, in the world as it is: gate, exits and trend.
#[test]
fn the_randomization_test_keeps_its_level() {
    let settings = ["months=6", "truth.rereport_ratio=1.0", "family.icc_pair=0"];
    let plan = planned(PROTOCOL, &settings);
    let cells = simulate(&plan, &options(400, 99, 2), &|_, _| {}).unwrap();
    let size = cells[0].analyses[0].1.type_i_error.unwrap();
    // √(.05·.95/400) = .0109.
    assert!(size.value.unwrap() <= 0.05 + 4.0 * 0.0109, "{size:?}");
}

/// By law: an analysis on an interim lock without alpha decides nothing, so it has no power; what families of a pair
/// share is in no registered analysis, and the answer says so.
#[test]
fn an_answer_says_what_its_figures_leave_out() {
    let protocol = PROTOCOL.replace(
        "id = \"acceptance\"\nlock = \"final\"",
        "id = \"acceptance\"\nlock = \"evaluation-2025\"",
    );
    let settings = [
        "months=4",
        "truth.rereport_ratio=1.0",
        "truth.acceptance_difference=0.6",
        "protocol.lock.evaluation-2025.cut=2026-11-30",
    ];
    let cells = simulate(
        &planned(&protocol, &settings),
        &options(20, 0, 2),
        &|_, _| {},
    )
    .unwrap();
    let (id, found) = &cells[0].analyses[1];
    assert_eq!(
        (id.as_str(), found.power),
        ("acceptance", Figure::default())
    );
    assert!(found.bias.value.is_some());
    let codes: Vec<&str> = cells[0].warnings.iter().map(|w| w.code).collect();
    assert_eq!(codes, ["interim-descriptive", "pairs-not-analysed"]);
    let mut settings = settings.to_vec();
    settings.push("family.icc_pair=0");
    let cells = simulate(
        &planned(PROTOCOL, &settings),
        &options(20, 0, 2),
        &|_, _| {},
    )
    .unwrap();
    // Of the two secondary analyses of the protocol the scenario names one.
    let codes: Vec<&str> = cells[0].warnings.iter().map(|w| w.code).collect();
    assert_eq!(codes, ["family-in-part"]);
}

/// Families of a pair share something, and nothing has an effect: an analysis that goes by who delivered keeps its level, one
/// that does not rejects more often than its own. With 30 pairs, about five families each and an intraclass correlation of 0.4
/// the treated mean varies 1 + 4·0.4 = 2.6 times as much as if each family stood for itself, the difference 1.8 times:
/// 2Φ(−1.96/√1.8) = 0.14.
#[test]
fn clusters_by_pair_keep_the_level_that_single_families_do_not() {
    let missing = "missing = { primary = \"not-accepted\"";
    let clustered = PROTOCOL.replacen(
        missing,
        &format!("clusters = \"delivered-by\"\n{missing}"),
        1,
    );
    let mut settings = PLAIN.to_vec();
    settings.retain(|own| !own.starts_with("family.icc_pair"));
    settings.extend([
        "family.icc_pair=0.4",
        "therapists=6",
        "truth.acceptance_difference=0",
        "capacity.investigation_days={ iuh = { median = 50, sd_log = 0.35 }, standard = { median = 50, sd_log = 0.35 } }",
        "protocol.sample_size.stop.families=300",
    ]);
    let size = |protocol: &str| {
        let cells = simulate(
            &planned(protocol, &settings),
            &options(600, 0, 2),
            &|_, _| {},
        );
        let cells = cells.unwrap();
        let (id, found) = &cells[0].analyses[1];
        assert_eq!((id.as_str(), found.failures), ("acceptance", 0));
        found.type_i_error.unwrap().value.unwrap()
    };
    let (own, plain) = (size(&clustered), size(PROTOCOL));
    // √(.05·.95/600) = .0089.
    assert!((own - 0.05).abs() <= 4.0 * 0.0089, "{own}");
    assert!(plain > 0.05 + 4.0 * 0.0089, "{plain}");
}

/// By law: a service that does not start can delay the closing in one arm alone, so equal lengths are no null.
#[test]
fn a_late_hitch_is_no_null_of_a_closing() {
    let alike = [
        "truth.acceptance_difference=0",
        "capacity.investigation_days={ iuh = { median = 50, sd_log = 0.35 }, standard = { median = 50, sd_log = 0.35 } }",
    ];
    let is_null = |settings: &[&str]| {
        let plan = planned(PROTOCOL, settings);
        let kind = &plan.cells[0].protocol.outcomes[1].kind;
        plan.cells[0].scenario.world.is_null(kind)
    };
    assert!(!is_null(&alike));
    let mut never = alike.to_vec();
    never.extend(["uptake.iuh_not_started=0", "uptake.standard_switched=0"]);
    assert!(is_null(&never));
}

/// Another ratio turns the switch on by which minimization keeps it, and stays minimization.
#[test]
fn a_what_if_of_the_ratio_keeps_minimization() {
    let protocol = PROTOCOL
        .replacen("method = \"big-stick\"", "method = \"minimization\"", 1)
        .replacen("max_imbalance = 4", "factors = [\"site\"]", 1)
        .replacen("strata = [\"site\"]", "strata = []", 1);
    let plan = planned(&protocol, &["ratio=1:2"]);
    let allocation = &plan.cells[0].protocol.allocation;
    assert_eq!(allocation.method, "minimization");
    assert_eq!(allocation.ratio.to_string(), "1:2");
    assert!(allocation.design.keeps_ratio());
}

/// A simulated study under minimization: its levels reach the method, so sites end more even than by chance alone. Forty
/// studies of 300 families: the mean range within a site under p = 1 is below 2; with 60 families a site, a fair coin leaves
/// a mean of √(2·60/π) ≈ 6.2.
#[test]
fn minimization_balances_simulated_sites() {
    let of = |probability: &str| {
        let protocol = PROTOCOL
            .replacen("method = \"big-stick\"", "method = \"minimization\"", 1)
            .replacen(
                "max_imbalance = 4",
                &format!("factors = [\"site\", \"category\"]\nprobability = \"{probability}\""),
                1,
            )
            .replacen("strata = [\"site\"]", "strata = []", 1);
        let mut settings = PLAIN.to_vec();
        settings.extend(["therapists=1000", "protocol.sample_size.stop.families=300"]);
        let plan = planned(&protocol, &settings);
        let mut simulator = Simulator::new(&plan.cells[0], 3);
        let mut range = Moments::default();
        for replicate in 0..40 {
            simulator.live(replicate).unwrap();
            let state = simulator.state();
            assert_eq!(state.allocations.len(), 300);
            let mut lead = [0_i32; 5];
            for allocated in &state.allocations {
                let site = state.family(allocated.family).unwrap().site;
                lead[usize::from(site.0)] += if allocated.arm.index() == 0 { 1 } else { -1 };
            }
            for own in lead {
                range.add(f64::from(own.abs()));
            }
        }
        range.mean().value.unwrap()
    };
    let (sure, chance) = (of("1"), of("1/2"));
    assert!(sure < 2.0, "{sure}");
    assert!((5.0..7.5).contains(&chance), "{chance}");
}

/// A simulated study draws by the protocol's own method: in each site, after its n families, the squared difference of the
/// arms (of count / part) is on average the exact one of the method at n (every state with its probability; another engine). A hundred
/// studies of 300 families in five sites; n differs from site to site.
#[test]
fn every_method_leaves_its_own_imbalance_in_simulated_studies() {
    for (ratio, id, options) in [
        ("1:1", "random-allocation", "list_len = 40"),
        ("1:1", "biased-coin", "bias = \"3/4\""),
        ("1:1", "urn", "urn = [1, 2]"),
        ("1:1", "truncated-binomial", "list_len = 24"),
        ("1:1", "maximal", "list_len = 80\nmax_imbalance = 2"),
        ("1:1", "big-stick", "max_imbalance = 3"),
        ("1:1", "permuted-block", "block_lens = [2, 8]"),
        ("1:1", "simple", ""),
        ("1:2", "biased-coin", "bias = \"3/4\""),
        ("1:2", "urn", "urn = [1, 2]"),
        ("1:2", "truncated-binomial", "list_len = 24"),
        ("1:2", "maximal", "list_len = 78\nmax_imbalance = 2"),
        ("1:2", "big-stick", "max_imbalance = 3"),
    ] {
        let method = format!("method = \"{id}\"");
        let protocol = PROTOCOL
            .replacen("method = \"big-stick\"", &method, 1)
            .replacen("max_imbalance = 4", options, 1);
        let mut settings = PLAIN.to_vec();
        let ratio = format!("ratio={ratio}");
        settings.extend(["therapists=1000", "protocol.sample_size.stop.families=300"]);
        settings.push(&ratio);
        let plan = planned(&protocol, &settings);
        let allocation = &plan.cells[0].protocol.allocation;
        assert_eq!(allocation.method, id);
        let exact = exact_characteristics(id, &allocation.ratio, &allocation.options, 300);
        let squares = exact.unwrap().squares.unwrap();
        let [first, second] = *allocation.ratio.parts() else {
            panic!("two arms");
        };
        let (first, second) = (1.0 / first as f64, 1.0 / second as f64);
        let mut simulator = Simulator::new(&plan.cells[0], 5);
        let mut excess = Moments::default();
        for replicate in 0..100 {
            simulator.live(replicate).unwrap();
            let mut sites = [(0_usize, 0_f64); 5];
            for allocated in &simulator.state().allocations {
                let (n, lead) = &mut sites[allocated.stratum as usize];
                *n += 1;
                *lead += if allocated.arm.index() == 0 {
                    first
                } else {
                    -second
                };
            }
            for (n, lead) in sites.into_iter().filter(|(n, _)| *n > 0) {
                excess.add(lead.powi(2) - squares[n - 1]);
            }
        }
        within(excess.mean(), 0.0, id);
    }
}
