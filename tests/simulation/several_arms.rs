//! Studies with three arms: two comparisons with a shared control under Holm's rule, against exact figures, and what families
//! live through against their potential outcomes.

use lottning::planning::performance::{AnalysisPerformance, Figure};
use lottning::planning::scenario::{Plan, plan};
use lottning::planning::simulate::{CellPerformance, Options, simulate};
use lottning::planning::study::Simulator;

const SCENARIO: &str = include_str!("../../simulations/three-arms.toml");
const PROTOCOL: &str = include_str!("../../simulations/protocols/three-arms.toml");

/// Sixty families in each arm, whose reports are independent of everything but the service; Fisher's exact test.
const PLAIN: [&str; 8] = [
    "uptake.home_not_started=0",
    "uptake.brief_not_started=0",
    "uptake.usual_switched=0",
    "exit.left_coverage_per_year=0",
    "months=60",
    "accrual.families_per_month_and_site={ mean = 40, gamma_shape = 1000 }",
    "truth.reports_dispersion=0",
    "protocol.sample_size.stop.or_date=2060-01-01",
];

fn planned(protocol: &str, settings: &[&str]) -> Plan {
    let settings = PLAIN.iter().chain(settings);
    let settings: Vec<String> = settings.map(ToString::to_string).collect();
    // Whole blocks in the end, so that the arms are equal.
    let protocol = protocol.replace("block_lens = [3, 6]", "block_lens = [3]");
    plan(SCENARIO, &protocol, &settings).unwrap_or_else(|refused| panic!("{refused:?}"))
}

fn fisher() -> String {
    PROTOCOL
        .replace(
            "estimator = \"linear\"\ncovariates = []",
            "estimator = \"fisher-exact\"",
        )
        .replace("measure = \"risk-difference\"", "measure = \"odds-ratio\"")
}

fn run(ratio: &str, replicates: u64) -> CellPerformance {
    let ratio = format!("truth.rereport_ratio={ratio}");
    let plan = planned(&fisher(), &[&ratio]);
    let options = Options {
        seed: 7,
        replicates: Some(replicates),
        ..Options::default()
    };
    simulate(&plan, &options, &|_, _| {}).unwrap().remove(0)
}

fn within(figure: Figure, exact: f64, what: &str) {
    let value = figure.value.unwrap();
    let n = 3000.0_f64;
    let error = (exact * (1.0 - exact) / n).sqrt();
    assert!(
        (value - exact).abs() <= 4.0 * error,
        "{what}: {value} is not {exact} ± {error}"
    );
}

fn arms(cell: &CellPerformance) -> [&AnalysisPerformance; 2] {
    assert_eq!(cell.analyses[0].0, "primary:home");
    assert_eq!(cell.analyses[1].0, "primary:brief");
    [&cell.analyses[0].1, &cell.analyses[1].1]
}

/// Exact by own Python: the sum over all triples of counts of three binomials of 60, of .60 under control and .36 and .30 under
/// the services, where Holm's rule at .05 over the two p of Fisher's test (tables not more likely) rejects.
#[test]
fn holm_with_a_shared_control_has_its_exact_power() {
    let cell = run("{ home = 0.6, brief = 0.5 }", 3000);
    let [home, brief] = arms(&cell);
    within(home.power, 0.681_751_999_879_492, "home");
    within(brief.power, 0.842_794_122_976_129, "brief");
    within(
        home.unadjusted.unwrap(),
        0.709_154_731_061_762,
        "home alone",
    );
    within(
        brief.unadjusted.unwrap(),
        0.893_743_456_504_282,
        "brief alone",
    );
    let family = home.family.unwrap();
    assert_eq!(
        (family.rule, family.comparisons, family.error),
        ("holm", 2, None)
    );
    within(family.at_least_one, 0.866_023_414_981_069, "at least one");
    within(family.all, 0.658_522_707_874_553, "all");
    // Fifty-nine and sixty-one would be another law.
    let families = cell.studies.families;
    assert_eq!((families.value, families.mcse), (Some(180.0), Some(0.0)));
}

/// As above with .36 under `brief` alone: `home` is true, and the family-wise error is its rejection; then with .40 in all
/// arms, where the error is that of any rejection, and at most alpha.
#[test]
fn the_family_wise_error_is_exact_and_at_most_alpha() {
    let cell = run("{ home = 1.0, brief = 0.6 }", 3000);
    let [home, brief] = arms(&cell);
    within(home.type_i_error.unwrap(), 0.024_124_025_860_098, "home");
    within(brief.power, 0.573_681_835_268_567, "brief");
    assert_eq!(brief.type_i_error, None);
    let family = brief.family.unwrap();
    within(family.error.unwrap(), 0.024_124_025_860_098, "error");
    within(family.at_least_one, 0.579_977_299_604_410, "at least one");
    let plan = planned(
        &fisher(),
        &["truth.rereport_ratio=1.0", "truth.rereport_control=0.4"],
    );
    let options = Options {
        seed: 7,
        replicates: Some(3000),
        ..Options::default()
    };
    let cell = simulate(&plan, &options, &|_, _| {}).unwrap().remove(0);
    let [home, brief] = arms(&cell);
    within(home.power, 0.016_426_665_239_798, "home");
    within(brief.power, 0.016_426_665_239_798, "brief");
    let error = home.family.unwrap().error.unwrap();
    within(error, 0.028_759_608_105_381, "error");
    assert!(error.value.unwrap() <= 0.05);
}

/// The true effect of each arm is its own: with everybody followed the mean differences of potential outcomes are those of
/// the risks, and estimates have no bias beyond four Monte Carlo errors.
#[test]
fn bias_is_against_the_truth_of_each_arm() {
    let plan = planned(
        PROTOCOL,
        &["truth.rereport_ratio={ home = 0.6, brief = 0.9 }"],
    );
    let options = Options {
        seed: 3,
        replicates: Some(600),
        ..Options::default()
    };
    let cell = simulate(&plan, &options, &|_, _| {}).unwrap().remove(0);
    for (own, effect) in arms(&cell).into_iter().zip([-0.24, -0.06]) {
        for (figure, target) in [(own.estimand, effect), (own.bias, 0.0)] {
            let (value, mcse) = (figure.value.unwrap(), figure.mcse.unwrap());
            assert!(
                (value - target).abs() <= 4.0 * mcse,
                "{value} {target} {mcse}"
            );
        }
        let coverage = own.coverage;
        let (value, mcse) = (coverage.value.unwrap(), coverage.mcse.unwrap());
        assert!(value >= 0.95 - 4.0 * mcse, "{value} {mcse}");
    }
}

/// What is seen of a family is its potential outcome under the arm that it has, and its outcome under control is one and the
/// same beside every arm; with services that do not start, and families of control that are moved.
#[test]
fn what_is_seen_is_a_potential_outcome() {
    use lottning::study::dataset::{OutcomeValue, outcome};
    let settings = [
        "uptake.home_not_started=0.2",
        "uptake.usual_switched={ home = 0.1, brief = 0.1 }",
    ];
    let plan = planned(PROTOCOL, &settings);
    let cell = &plan.cells[0];
    let mut simulator = Simulator::new(cell, 11);
    let (mut moved, mut seen) = ([0; 2], [0; 3]);
    for replicate in 0..20 {
        simulator.study(replicate).unwrap();
        let state = simulator.state();
        let fates = simulator.fates().chunks(2);
        let all = state
            .allocations
            .iter()
            .zip(simulator.potentials())
            .zip(fates);
        for ((drawn, potential), fates) in all {
            assert_eq!(potential[0][0].to_bits(), potential[1][0].to_bits());
            assert!(fates[0].1.switched.is_none() || fates[1].1.switched.is_none());
            for (count, (_, fate)) in moved.iter_mut().zip(fates) {
                *count += u32::from(fate.switched.is_some());
            }
            let arm = drawn.arm.index();
            seen[arm] += 1;
            let expected = match arm {
                2 => potential[0][0],
                own => potential[own][1],
            };
            let cut = state.locks[0].cut;
            let analysis = &cell.protocol.analyses[0];
            let found = outcome(
                &cell.protocol,
                state,
                cut,
                drawn.family,
                analysis.outcome,
                analysis.summary,
            );
            assert_eq!(found, OutcomeValue::Known(expected));
        }
    }
    assert!(moved.iter().all(|count| *count > 100), "{moved:?}");
    assert_eq!(seen, [1200; 3]);
}

/// A table names every treated arm and no other, and families of control are moved to an arm that is named.
#[test]
fn a_table_of_arms_is_whole_and_names_what_there_is() {
    let refused = |setting: &str| {
        let found = plan(SCENARIO, PROTOCOL, &[setting.to_owned()]).unwrap_err();
        let said = found.diagnostics.iter();
        said.map(|own| {
            let help = own.help.as_ref().map_or("", |words| words.en.as_str());
            format!("{}: {} ({help})", own.code, own.message.en)
        })
        .collect::<Vec<_>>()
        .join("\n")
    };
    let said = refused("truth.rereport_ratio={ hme = 0.6, brief = 0.8 }");
    assert!(said.contains("unknown-key"), "{said}");
    assert!(said.contains("did you mean `home`?"), "{said}");
    let said = refused("truth.acceptance_difference={ home = 0.1 }");
    assert!(
        said.contains("missing-key") && said.contains("brief"),
        "{said}"
    );
    let said = refused("truth.rereport_ratio={ home = 0.6, brief = 1.8 }");
    assert_eq!(said.matches("impossible-risk").count(), 1, "{said}");
    let said = refused("uptake.usual_switched=0.04");
    assert_eq!(said.matches("wrong-type").count(), 1, "{said}");
    let said = refused("uptake.usual_switched={ home = 0.6, brief = 0.6 }");
    assert_eq!(said.matches("out-of-range").count(), 1, "{said}");
    let said = refused("engine=kernel");
    assert!(
        said.contains("outside-kernel") && said.contains("3 arms"),
        "{said}"
    );
}

/// Home visits see more where they are made and not in the brief service. By hand: without dispersion a risk of .40 is a mean of
/// −log .6, and half as many again a risk of 1 − .6^1.5 = .535242; the effects are .135242 and none.
#[test]
fn an_arm_has_its_own_detection() {
    let scenario = SCENARIO.replacen(
        "[grid]",
        "[[mechanism]]\nid = \"detection-by-home-visits\"\nreports_ratio = { home = 1.5, brief = 1 }\n\n[grid]",
        1,
    );
    let plan = |settings: &[&str]| {
        let settings = PLAIN.iter().chain(settings).map(ToString::to_string);
        plan(&scenario, PROTOCOL, &settings.collect::<Vec<_>>())
    };
    let settings = ["truth.rereport_ratio=1", "truth.rereport_control=0.4"];
    let own = plan(&settings).unwrap();
    assert_eq!(own.cells[0].is_null, [false, true]);
    let options = Options {
        seed: 5,
        replicates: Some(200),
        ..Options::default()
    };
    let cell = simulate(&own, &options, &|_, _| {}).unwrap().remove(0);
    let [home, brief] = arms(&cell);
    let (effect, error) = (home.estimand.value.unwrap(), home.estimand.mcse.unwrap());
    assert!(
        (effect - 0.135_242).abs() <= 4.0 * error,
        "{effect} ± {error}"
    );
    assert_eq!(brief.estimand.value, Some(0.0));
    assert!(home.type_i_error.is_none() && brief.type_i_error.is_some());
    // One of the two is varied by its path; where there is one number for both, the table to write is told.
    let key = "mechanism.detection-by-home-visits.reports_ratio";
    let path = format!("{key}.brief=1.5");
    let varied = plan(&[settings[0], settings[1], &path]).unwrap();
    assert_eq!(varied.cells[0].is_null, [false, false]);
    let refused = plan(&[&format!("{key}=1.2"), &path]).unwrap_err();
    let help = refused.diagnostics[0].help.as_ref().unwrap();
    let table = "{ home = 1.2, brief = 1.5 }";
    assert!(help.en.contains(table), "{}", help.en);
    let refused = plan(&[&format!("{key}={{ home = 1.2 }}")]).unwrap_err();
    assert_eq!(refused.diagnostics[0].code, "missing-key");
}

/// By hand: whoever makes home visits knows of nine reports in ten, the brief service of what the control arm is known of; a single
/// number is that of both, and left out it is control's.
#[test]
fn an_arm_has_its_own_search() {
    let day = |text: &str| lottning::protocol::model::Day::of(text.parse().unwrap());
    let (before, after) = (day("2026-03-01"), day("2026-09-01"));
    let found = |treated: &str| {
        let scenario = SCENARIO.replacen(
            "[grid]",
            &format!("[[mechanism]]\nid = \"ascertainment-break\"\nfound_before = 0.6\n{treated}\n\n[grid]"),
            1,
        );
        let protocol = PROTOCOL.replacen(
            "[sample_size]",
            "ascertainment = { complete_from = 2026-06-01, before = \"prospective-log\" }\n\n[sample_size]",
            1,
        );
        let plan = plan(&scenario, &protocol, &[]).unwrap();
        [0, 1].map(|arm| {
            let own = &plan.cells[0].scenario.world_of(arm).others[0];
            assert_eq!(
                (own.found(true, after), own.found(false, before)),
                (1.0, 0.6)
            );
            Some(own.found(true, before))
        })
    };
    assert_eq!(
        found("found_before_treated = { home = 0.9, brief = 0.6 }"),
        [Some(0.9), Some(0.6)]
    );
    assert_eq!(found("found_before_treated = 0.8"), [Some(0.8); 2]);
    assert_eq!(found(""), [Some(0.6); 2]);
}
