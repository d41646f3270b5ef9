//! The world of simulated studies against laws and exact figures: queues, overflow, siblings, staff, searches that miss,
//! and that what is seen of a family is one of its potential outcomes.

use crate::target::within;
use lottning::planning::performance::{Figure, Moments, share};
use lottning::planning::scenario::{Plan, plan};
use lottning::planning::simulate::{Options, SimulationError, simulate};
use lottning::planning::study::Simulator;
use lottning::protocol::model::Day;
use lottning::study::dataset::{OutcomeValue, outcome};

const SCENARIO: &str = include_str!("../../simulations/iuh-2025.toml");
const PROTOCOL: &str = include_str!("../../protocols/iuh-2025/protocol.toml");

/// No hitches, exits, pairs, trend or holidays.
const PLAIN: [&str; 8] = [
    "uptake.iuh_not_started=0",
    "uptake.standard_switched=0",
    "uptake.exceptions=0",
    "exit.left_coverage_per_year=0",
    "family.icc_pair=0",
    "mechanism.time-trend.rereport_per_year=0",
    "accrual.closed_weeks=[]",
    "protocol.sample_size.stop.or_date=2060-01-01",
];

fn planned(scenario: &str, protocol: &str, settings: &[&str]) -> Plan {
    let settings: Vec<String> = settings.iter().map(ToString::to_string).collect();
    plan(scenario, protocol, &settings).unwrap_or_else(|refused| panic!("{refused:?}"))
}

/// A queue of 6 slots with an offered load of 4 slots, exponential service of 200 days on average: Erlang's C .28476085 and
/// a mean wait of C/(c − a) = .14238 services (planning notes, computed by recursion). Families of the other arm pass as
/// soon as a slot is free, so all families wait as those of the gate's arm do. Days are whole: who waits is screened again
/// in the morning, half a day late on average; the holding time is .25 per cent longer than stated, far below the error.
#[test]
fn families_that_wait_follow_erlang_c() {
    let protocol = PROTOCOL
        .replacen("method = \"big-stick\"", "method = \"simple\"", 1)
        .replacen("max_imbalance = 4", "", 1);
    let per_month = 2.0 * 4.0 / 200.0 * 30.4375;
    let rate = format!("accrual.families_per_month_and_site={{ mean = {per_month} }}");
    let mut settings = PLAIN.to_vec();
    settings.extend([
        rate.as_str(),
        "months=240",
        "capacity.waits_days=36500",
        "capacity.investigation_days={ iuh = { mean = 200 }, standard = { mean = 200 } }",
        "protocol.sample_size.stop.families=1000000",
    ]);
    let plan = planned(SCENARIO, &protocol, &settings);
    let first = plan.cells[0].protocol.first_opening();
    let (warm, until) = (first.plus(1000), first.plus(6000));
    let mut simulator = Simulator::new(&plan.cells[0], 5);
    let (mut waits, mut wait) = (Moments::default(), Moments::default());
    for replicate in 0..300 {
        simulator.live(replicate).unwrap();
        let state = simulator.state();
        let (mut all, mut waited, mut days) = (0.0, 0.0, 0.0);
        for family in &state.families {
            let received = state.reports[family.report.0 as usize].received;
            if received >= warm && received < until && family.is_randomized() {
                all += 1.0;
                waited += f64::from(u8::from(family.turned_away));
                days += f64::from(family.randomized.since(received));
            }
        }
        waits.add(waited / all);
        wait.add((days - 0.5 * waited) / all);
    }
    within(waits.mean(), 0.284_760_85, "Erlang C");
    within(wait.mean(), 0.142_380_43 * 200.0, "mean wait");
}

/// Without a gate, a family without a free slot gets the control service: the share is Erlang's B, .11716247 for 6 slots and
/// a load of 4, whatever the law of the holding time.
#[test]
fn overflow_follows_erlang_b() {
    let (head, tail) = PROTOCOL.split_once("[gate]").unwrap();
    let (_, tail) = tail.split_once("[exceptions]").unwrap();
    let protocol = format!("{head}[exceptions]{tail}")
        .replacen("families_per_therapist = 3", "", 1)
        .replacen("method = \"big-stick\"", "method = \"simple\"", 1)
        .replacen("max_imbalance = 4", "", 1);
    let (median, sd) = (50.0, 0.35_f64);
    // A slot is held from the moment of arrival to the morning of a whole number of days later: half a day less.
    let hold = median * (sd * sd / 2.0).exp() - 0.5;
    let rate = format!(
        "accrual.families_per_month_and_site={{ mean = {} }}",
        2.0 * 4.0 / hold * 30.4375
    );
    let mut settings = PLAIN.to_vec();
    settings.extend([
        rate.as_str(),
        "months=60",
        "capacity.families_per_therapist=3",
        "capacity.overflow=true",
        "protocol.sample_size.stop.families=1000000",
    ]);
    let plan = planned(SCENARIO, &protocol, &settings);
    let mut simulator = Simulator::new(&plan.cells[0], 5);
    let warm = plan.cells[0].protocol.first_opening().plus(365);
    let mut full = Moments::default();
    for replicate in 0..100 {
        simulator.live(replicate).unwrap();
        let (mut all, mut without) = (0.0, 0.0);
        for (family, fate) in simulator.fates() {
            if simulator.state().family(*family).unwrap().randomized >= warm {
                all += 1.0;
                without += f64::from(u8::from(fate.not_started.is_some()));
            }
        }
        full.add(without / all);
    }
    within(full.mean(), 0.117_162_47, "overflow");
}

/// By law: what is seen of a family is its potential outcome under the arm that it was drawn to, for every kind of outcome,
/// through hitches, exits that end the count, several windows, attached reports and scores.
#[test]
fn what_is_seen_is_a_potential_outcome() {
    let mut known = [0; 3];
    for (place, (scenario, protocol, settings)) in [
        (
            include_str!("../../simulations/workloads/w3.toml"),
            include_str!("../../simulations/protocols/whole.toml"),
            vec!["exit.death_per_year=0.2", "months=20"],
        ),
        (
            include_str!("../../simulations/biased-outcome.toml"),
            include_str!("../../simulations/protocols/new-investigation.toml"),
            vec![
                "months=12",
                "truth.rereport_ratio=0.8",
                "family.icc_pair=0.1",
            ],
        ),
        (
            include_str!("../../simulations/workloads/w2.toml"),
            include_str!("../../simulations/protocols/score.toml"),
            vec![
                "engine=\"study\"",
                "protocol.sample_size.stop.families=300",
                "uptake.new_not_started=0.2",
                "score.effect=-2",
                "score.risk_correlation=0.5",
                "exit.left_coverage_per_year=0.1",
            ],
        ),
    ]
    .into_iter()
    .enumerate()
    {
        let plan = planned(scenario, protocol, &settings);
        let cell = plan.cells.last().unwrap();
        let mut simulator = Simulator::new(cell, 4);
        for replicate in 0..20 {
            simulator.live(replicate).unwrap();
            let state = simulator.state();
            let mut ended = 0;
            for ((family, fate), values) in simulator.fates().iter().zip(simulator.potentials()) {
                let arm = state.family(*family).unwrap().arm;
                let treated = usize::from(arm == cell.scenario.world.treated);
                ended += usize::from(fate.exits.ended.is_some());
                for (index, both) in cell.scenario.analyses.iter().zip(values) {
                    let analysis = &cell.protocol.analyses[*index];
                    let far = Day(i32::MAX - 1000);
                    let seen = outcome(
                        &cell.protocol,
                        state,
                        far,
                        *family,
                        analysis.outcome,
                        analysis.summary,
                    );
                    if let OutcomeValue::Known(value) = seen {
                        assert!(
                            (value - both[treated]).abs() < 1e-12,
                            "{} {value} {both:?}",
                            analysis.id
                        );
                        known[place] += 1;
                    }
                }
            }
            assert_eq!(ended > 0, place == 0);
        }
    }
    assert!(known.iter().all(|known| *known > 2000), "{known:?}");
}

/// The share of families with a report by number of children is the stated law, `1 − ρ(1 − q) − (1 − ρ)(1 − q)^m`, and .4
/// over all families.
#[test]
fn siblings_share_their_risk_as_stated() {
    let mut settings = PLAIN.to_vec();
    settings.extend([
        "family.icc_children=0.3",
        "truth.rereport_ratio=1.0",
        "therapists=1000",
        "protocol.sample_size.stop.families=1000",
    ]);
    let plan = planned(SCENARIO, PROTOCOL, &settings);
    let cell = &plan.cells[0];
    let risks = cell.scenario.world.family.risks(0.4);
    let mut simulator = Simulator::new(cell, 9);
    let mut counts = [(0_u64, 0_u64); 7];
    for replicate in 0..60 {
        simulator.live(replicate).unwrap();
        for ((family, _), values) in simulator.fates().iter().zip(simulator.potentials()) {
            let children = usize::from(simulator.state().family(*family).unwrap().children);
            counts[children].0 += 1;
            counts[children].1 += u64::from(values[0][0] > 0.0);
        }
    }
    let all = counts
        .iter()
        .fold((0, 0), |all, own| (all.0 + own.0, all.1 + own.1));
    within(share(all.1, all.0), 0.4, "all families");
    let by_children = counts.iter().zip(&risks).enumerate();
    for (m, ((families, reported), risk)) in by_children.skip(1).take(4) {
        within(share(*reported, *families), *risk, &format!("{m} children"));
    }
    assert!(risks[4] > risks[1] + 0.2, "{risks:?}");
}

/// A place that is left at a rate of 2 a year and stays vacant for 60 days is filled for 182.625 + ½ days (whole days,
/// rounded up) of every 243.125, a share of .75321, in the long run.
#[test]
fn places_are_filled_for_their_share_of_the_time() {
    let (head, tail) = SCENARIO.split_once("[grid]").unwrap();
    let scenario = format!(
        "{head}[[mechanism]]\nid = \"staff-turnover\"\nleave_per_year = 2\nvacant_days = 60\n\n[grid]{tail}"
    );
    let mut settings = PLAIN.to_vec();
    settings.extend([
        "months=60",
        "accrual.families_per_month_and_site={ mean = 0.5 }",
        "therapists=10",
    ]);
    let plan = planned(&scenario, PROTOCOL, &settings);
    let mut simulator = Simulator::new(&plan.cells[0], 2);
    let mut filled = Moments::default();
    for replicate in 0..300 {
        simulator.live(replicate).unwrap();
        for site in &simulator.state().sites {
            filled.add(f64::from(site.therapists) / 10.0);
        }
    }
    within(filled.mean(), 183.125 / 243.125, "filled places");
}

/// Before the break a search finds the stated share of reports, after it all of them; the families are the same.
#[test]
fn a_search_finds_its_share_before_the_break() {
    let scenario = include_str!("../../simulations/search-law.toml");
    let count = |found: &str| {
        let both = format!("mechanism.ascertainment-break.found_before={found}");
        let treated = format!("mechanism.ascertainment-break.found_before_treated={found}");
        let plan = planned(scenario, PROTOCOL, &["months=6", &both, &treated]);
        let complete = plan.cells[0].protocol.study.ascertainment.as_ref().unwrap();
        let complete = Day::of(complete.complete_from);
        let mut simulator = Simulator::new(&plan.cells[0], 3);
        let (mut before, mut after) = (0, 0);
        for replicate in 0..100 {
            simulator.live(replicate).unwrap();
            let state = simulator.state();
            let register = lottning::study::kernel::Source::Register.bit();
            for report in state
                .reports
                .iter()
                .filter(|own| own.sources & register != 0)
            {
                if report.received < complete {
                    before += 1;
                } else {
                    after += 1;
                }
            }
        }
        (before, after)
    };
    let (all, found) = (count("1.0"), count("0.6"));
    assert_eq!(all.1, found.1);
    within(share(found.0, all.0), 0.6, "found before the break");
}

/// Assurance of a difference of two means with 64 families an arm, standard deviation 1 and a prior N(.5, .2²): the power of
/// the two-sided t test averaged over the prior is .714131: the mean over s² ~ χ²/126 of Φ((.5√32 − t·s)/√(1 + .2²·32)) and its
/// other tail, t = 1.978971 (own Python, Simpson's rule on 20,001 points; without a prior the same sum gives .801460, the power
/// that R's `pwr` has).
#[test]
fn a_prior_gives_the_exact_assurance() {
    let scenario = include_str!("../../simulations/workloads/w2.toml").replacen(
        "[precision]",
        "[[prior]]\nkey = \"score.effect\"\nnormal = { mean = 0.5, sd = 0.2 }\n\n[precision]",
        1,
    );
    let (head, tail) = scenario.split_once("[grid.full]").unwrap();
    let (_, tail) = tail.split_once("[[prior]]").unwrap();
    let scenario = format!("{head}[[prior]]{tail}");
    let protocol = include_str!("../../simulations/protocols/score.toml").replacen(
        "covariates = [\"earlier_reports\", \"youngest_age\", \"adults\", \"lone_parent\", \"interpreter\", \"baseline\"]\n",
        "",
        1,
    );
    let settings = [
        "protocol.sample_size.stop.families=128",
        "protocol.allocation.block_lens=[2]",
        "score.mean=0",
        "score.sd=1",
    ];
    let plan = planned(&scenario, &protocol, &settings);
    let options = Options {
        seed: 3,
        replicates: Some(4000),
        draws: Some(0),
        threads: Some(2),
    };
    let cells = simulate(&plan, &options, &|_, _| {}).unwrap();
    let (_, found) = &cells[0].analyses[0];
    assert_eq!(found.power, Figure::default());
    within(found.assurance.unwrap(), ASSURANCE, "assurance");
    assert_eq!(cells[0].priors, ["score.effect"]);
    let codes = cells[0].warnings.iter().map(|own| own.code);
    assert!(codes.into_iter().any(|code| code == "power-is-assurance"));
    // The true effects have the prior's mean and standard deviation.
    within(found.estimand, 0.5, "mean of the prior");
    assert!((found.estimand.mcse.unwrap() * 4000_f64.sqrt() / 0.2 - 1.0).abs() < 0.05);
    // A key that is set has no prior.
    let mut settings = settings.to_vec();
    settings.push("score.effect=0.5");
    assert!(
        planned(&scenario, &protocol, &settings).cells[0]
            .priors
            .is_empty()
    );
}

/// By the sum above.
const ASSURANCE: f64 = 0.714_130_54;

/// The size is that of a world without an effect, beside a study with one: the test keeps its level within four Monte Carlo
/// errors, √(.05·.95/400) = .0109, whatever the effect; where nothing differs it is the type I error of the same studies.
#[test]
fn the_size_is_shown_behind_a_gate() {
    let options = Options {
        seed: 7,
        replicates: Some(400),
        draws: Some(99),
        threads: Some(2),
    };
    let settings = ["months=6", "truth.rereport_ratio=0.4"];
    let cells = simulate(
        &planned(SCENARIO, PROTOCOL, &settings),
        &options,
        &|_, _| {},
    )
    .unwrap();
    let found = &cells[0].analyses[0].1;
    let size = found.size.unwrap();
    assert!(size.value.unwrap() <= 0.05 + 4.0 * 0.0109, "{size:?}");
    assert!(found.power.value.unwrap() > 0.3 && found.type_i_error.is_none());
    let scenario = include_str!("../../simulations/trend-and-gate.toml");
    let options = Options {
        replicates: Some(60),
        ..options
    };
    let cells = simulate(
        &planned(scenario, PROTOCOL, &["months=6"]),
        &options,
        &|_, _| {},
    )
    .unwrap();
    for cell in &cells {
        let found = &cell.analyses[0].1;
        assert_eq!(found.size, found.type_i_error, "{}", cell.cell);
    }
}

/// Cells that share their families are compared study by study, and the error of the difference is smaller than that of two
/// independent shares; an effect is unlikely to make no difference, and the first cell has nothing to differ from.
#[test]
fn paired_cells_differ_with_a_smaller_error() {
    let options = Options {
        seed: 7,
        replicates: Some(300),
        draws: Some(0),
        threads: Some(2),
    };
    let settings = ["months=8", "family.icc_pair=0"];
    let cells = simulate(
        &planned(SCENARIO, PROTOCOL, &settings),
        &options,
        &|_, _| {},
    )
    .unwrap();
    let of = |cell: usize, analysis: usize| cells[cell].analyses[analysis].1;
    assert!(of(0, 0).difference.is_none());
    let (here, there) = (of(1, 0), of(0, 0));
    let difference = here.difference.unwrap();
    let plain = here.power.value.unwrap() - there.power.value.unwrap();
    assert!((difference.power.value.unwrap() - plain).abs() < 1e-12);
    let apart = (here.power.mcse.unwrap().powi(2) + there.power.mcse.unwrap().powi(2)).sqrt();
    assert!(difference.power.mcse.unwrap() < apart);
    // What does not depend on the varied key never disagrees.
    let same = of(1, 1).difference.unwrap();
    assert_eq!((same.only_here, same.only_there), (0, 0));
}

/// A cell whose first fifty studies cannot be analysed is given up, and never has power 0.
#[test]
fn a_cell_that_never_answers_is_given_up_after_fifty() {
    let rate = "accrual.families_per_month_and_site={ mean = 0.001 }";
    let plan = planned(SCENARIO, PROTOCOL, &[rate, "months=1"]);
    let options = Options {
        replicates: Some(100_000),
        draws: Some(0),
        ..Options::default()
    };
    match simulate(&plan, &options, &|_, _| {}) {
        Err(SimulationError::AllFailed { replicates, .. }) => assert_eq!(replicates, 50),
        other => panic!("{other:?}"),
    }
}

/// Months add up: the last one is the mean number of families, no month has fewer than the one before, and the first site's
/// opening is in the first.
#[test]
fn families_are_reached_by_month() {
    let plan = planned(SCENARIO, PROTOCOL, &["months=8"]);
    let options = Options {
        replicates: Some(40),
        draws: Some(0),
        ..Options::default()
    };
    let cell = &simulate(&plan, &options, &|_, _| {}).unwrap()[0];
    let reached: Vec<f64> = cell
        .studies
        .reached
        .iter()
        .map(|own| own.value.unwrap())
        .collect();
    // February to September 2025, and the first days of October.
    assert_eq!((reached.len(), cell.month_ends.len()), (9, 9));
    assert!(reached.windows(2).all(|pair| pair[0] <= pair[1]));
    assert!((reached[8] - cell.studies.families.value.unwrap()).abs() < 1e-9);
    assert!(cell.studies.lost.value.unwrap() > 0.0);
}
