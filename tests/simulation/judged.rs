//! What simulated studies reject, against the rules by which the registered analysis rejects: Holm's, as he states it, of the
//! p-values of the records, and Westfall and Young's.

use lottning::analysis::{Plan as Analyses, RunSettings, run};
use lottning::planning::judging::Judge;
use lottning::planning::performance::AnalysisPerformance;
use lottning::planning::record::Record;
use lottning::planning::scenario::{Plan, plan};
use lottning::planning::simulate::{Options, Threads, simulate};
use lottning::planning::study::Simulator;

const SCENARIO: &str = include_str!("../../simulations/workloads/w3-overflow.toml");
const PROTOCOL: &str = include_str!("../../simulations/protocols/whole-without-gate.toml");

/// The workload whose protocol registers most, with other analyses.
fn planned(protocol: &str, analyses: &str, settings: &[&str]) -> Plan {
    planned_in(SCENARIO, protocol, analyses, settings)
}

fn planned_in(scenario: &str, protocol: &str, analyses: &str, settings: &[&str]) -> Plan {
    let scenario = scenario
        .lines()
        .map(|line| match line.split('=').next().map(str::trim) {
            Some("analyses") => analyses,
            _ => line,
        })
        .collect::<Vec<_>>()
        .join("\n");
    let settings: Vec<String> = settings.iter().map(ToString::to_string).collect();
    plan(&scenario, protocol, &settings).unwrap_or_else(|refused| panic!("{refused:?}"))
}

const SETTINGS: [&str; 3] = [
    "months=6",
    "truth.rereport_ratio=0.7",
    "truth.acceptance_difference=0.2",
];

fn records(plan: &Plan, options: &Options) -> Vec<Record> {
    let threads = Threads::new(options.threads).unwrap();
    let count = options.replicates.unwrap();
    threads.records(&plan.cells[0], options, 0, count).unwrap()
}

fn p_value(record: &Record, place: usize) -> f64 {
    record.analyses[place]
        .found
        .as_ref()
        .map_or(1.0, |own| own.p_value)
}

/// Holm (1979): the smallest p of m is held against alpha/m, the next against alpha/(m − 1), and so on until one is not
/// rejected. By its words, without adjusted p-values.
fn holm(p: &[f64], alpha: f64) -> Vec<bool> {
    let mut rejected = vec![false; p.len()];
    loop {
        let left: Vec<usize> = (0..p.len()).filter(|own| !rejected[*own]).collect();
        let smallest = left.iter().min_by(|a, b| p[**a].total_cmp(&p[**b]));
        match smallest {
            Some(own) if p[*own] * left.len() as f64 <= alpha => rejected[*own] = true,
            _ => return rejected,
        }
    }
}

fn count(figure: lottning::planning::performance::Figure, of: usize) -> usize {
    (figure.value.unwrap() * of as f64).round() as usize
}

fn of<'a>(found: &'a [(String, AnalysisPerformance)], id: &str) -> &'a AnalysisPerformance {
    &found.iter().find(|(own, _)| own == id).unwrap().1
}

/// By Holm's words on the p-values of the records: each power, the shares of studies with at least one rejection and with all,
/// and the shares without the adjustment. The primary analysis stands alone, and is not adjusted.
#[test]
fn secondary_analyses_are_rejected_as_registered() {
    let analyses = "analyses = [\"primary\", \"six-months\", \"two-years\", \"reports\", \"rates\", \"compliers\", \"acceptance\"]";
    let plan = planned(PROTOCOL, analyses, &SETTINGS);
    let options = Options {
        seed: 5,
        replicates: Some(200),
        draws: Some(0),
        threads: Some(1),
    };
    let records = records(&plan, &options);
    let cells = simulate(&plan, &options, &|_, _| {}).unwrap();
    let found = &cells[0].analyses;
    let (mut adjusted, mut alone, mut any, mut all) = ([0; 7], [0; 7], 0, 0);
    let judge = Judge::of(&plan.cells[0], 0);
    for record in &records {
        let p: Vec<f64> = (1..7).map(|place| p_value(record, place)).collect();
        let rejected = holm(&p, 0.05);
        any += usize::from(rejected.contains(&true));
        all += usize::from(!rejected.contains(&false));
        for place in 0..7 {
            let own = p_value(record, place) <= 0.05;
            alone[place] += usize::from(own);
            let decided = if place == 0 { own } else { rejected[place - 1] };
            adjusted[place] += usize::from(decided);
            assert_eq!(judge.rejects(record)[place], decided);
        }
    }
    for (place, (id, own)) in found.iter().enumerate() {
        assert_eq!(count(own.power, 200), adjusted[place], "{id}");
        let (unadjusted, family) = (own.unadjusted, own.family);
        if place == 0 {
            assert_eq!((unadjusted, family), (None, None));
            continue;
        }
        assert_eq!(count(unadjusted.unwrap(), 200), alone[place], "{id}");
        let family = family.unwrap();
        assert_eq!((family.rule, family.comparisons), ("holm", 6));
        assert_eq!(count(family.at_least_one, 200), any);
        assert_eq!(count(family.all, 200), all);
    }
    assert!(adjusted[1..] != alone[1..], "{adjusted:?}");
    assert!(
        cells[0]
            .warnings
            .iter()
            .all(|own| own.code != "family-in-part")
    );
}

/// Of six registered tests two are simulated: what is rejected then is rejected whatever the others are, by Holm's words with
/// 1 in their places, and a warning says so.
#[test]
fn what_is_not_simulated_counts_as_not_rejected() {
    let analyses = "analyses = [\"acceptance\", \"six-months\"]";
    let plan = planned(PROTOCOL, analyses, &SETTINGS);
    let options = Options {
        seed: 5,
        replicates: Some(100),
        draws: Some(0),
        threads: Some(1),
    };
    let judge = Judge::of(&plan.cells[0], 0);
    for record in records(&plan, &options) {
        // The scenario's order is its own; the family's is the protocol's.
        let own = [p_value(&record, 1), 1.0, 1.0, 1.0, 1.0, p_value(&record, 0)];
        let rejected = holm(&own, 0.05);
        assert_eq!(judge.rejects(&record), [rejected[5], rejected[0]]);
    }
    let cells = simulate(&plan, &options, &|_, _| {}).unwrap();
    assert!(
        cells[0]
            .warnings
            .iter()
            .any(|own| own.code == "family-in-part")
    );
    assert_eq!(
        of(&cells[0].analyses, "acceptance")
            .family
            .unwrap()
            .comparisons,
        6
    );
}

/// In a registered order nothing is known of a test after one that is not simulated; one before it is decided as registered.
#[test]
fn a_registered_order_that_is_not_simulated_whole_has_no_power_after_the_gap() {
    let protocol = PROTOCOL.replace("secondary = \"holm\"", "secondary = \"fixed-sequence\"");
    let analyses = "analyses = [\"six-months\", \"two-years\", \"acceptance\"]";
    let plan = planned(&protocol, analyses, &SETTINGS);
    let judge = Judge::of(&plan.cells[0], 0);
    assert_eq!(judge.limits(), [Some(0.05), Some(0.05), None]);
    let options = Options {
        seed: 5,
        replicates: Some(60),
        draws: Some(0),
        threads: Some(1),
    };
    for record in records(&plan, &options) {
        let (first, second) = (p_value(&record, 0) <= 0.05, p_value(&record, 1) <= 0.05);
        assert_eq!(judge.rejects(&record), [first, first && second, false]);
    }
    let cells = simulate(&plan, &options, &|_, _| {}).unwrap();
    let own = of(&cells[0].analyses, "acceptance");
    assert_eq!((own.power.value, own.unadjusted), (None, None));
    assert!(
        cells[0]
            .warnings
            .iter()
            .any(|own| own.code == "family-in-part")
    );
}

/// By Westfall and Young a comparison is rejected if both its own p and the p on redraws that the family shares are at most
/// alpha; without redraws Holm's rule judges, and a warning says so.
#[test]
fn westfall_and_young_judge_on_shared_redraws() {
    let protocol = jointly(PROTOCOL, ["six-months", "acceptance"]);
    let plan = planned(
        &protocol,
        "analyses = [\"six-months\", \"acceptance\"]",
        &SETTINGS,
    );
    let mut options = Options {
        seed: 5,
        replicates: Some(60),
        draws: Some(199),
        threads: Some(1),
    };
    let judge = Judge::of(&plan.cells[0], 199);
    let mut raised = 0;
    for record in records(&plan, &options) {
        for (own, rejected) in record.analyses.iter().zip(judge.rejects(&record)) {
            let (p, joint) = (own.found.as_ref().unwrap().p_value, own.joint.unwrap());
            assert_eq!(rejected, p.max(joint) <= 0.05);
            // Shares of 199 redraws and the study itself.
            let shares = joint * 200.0;
            assert!((shares - shares.round()).abs() < 1e-9 && shares >= 0.5);
            raised += usize::from(joint > p);
        }
    }
    assert!(raised > 0);
    options.draws = Some(0);
    let cells = simulate(&plan, &options, &|_, _| {}).unwrap();
    assert!(
        cells[0]
            .warnings
            .iter()
            .any(|own| own.code == "joint-redraws-missing")
    );
    assert_eq!(
        of(&cells[0].analyses, "acceptance").family.unwrap().rule,
        "holm"
    );
}

/// The protocol with two secondary randomization tests that Westfall and Young's rule adjusts; the others are exploratory.
fn jointly(protocol: &str, tests: [&str; 2]) -> String {
    let mut protocol = protocol.replace("secondary = \"holm\"", "secondary = \"westfall-young\"");
    let all = [
        "six-months",
        "two-years",
        "reports",
        "rates",
        "compliers",
        "acceptance",
    ];
    for id in all {
        let at = protocol.find(&format!("id = \"{id}\"")).unwrap();
        let role = at + protocol[at..].find("role = \"secondary\"").unwrap();
        if tests.contains(&id) {
            protocol.insert_str(role, "test = { kind = \"randomization\", draws = 999 }\n");
        } else {
            protocol.replace_range(role..role + 18, "role = \"exploratory\"");
        }
    }
    protocol
}

/// By law: the twin of a study is the study in which the service does nothing, which another cell runs whole. Behind a gate each p of
/// the twin is therefore that by which the other's test is rejected, the larger of its own and of that on redraws that the family
/// shares, and the family's size is the other cell's share that rejects at least one. A member that is no size of its own, as an
/// acceptance, leaves the others with their p alone.
#[test]
fn westfall_and_young_have_a_size_behind_a_gate() {
    let scenario = include_str!("../../simulations/workloads/w3.toml");
    let gated = include_str!("../../simulations/protocols/whole.toml");
    let cell = |tests: [&str; 2], effect: [&str; 2]| {
        let analyses = format!("analyses = {tests:?}");
        let settings = ["months=6", "family.icc_pair=0", effect[0], effect[1]];
        planned_in(scenario, &jointly(gated, tests), &analyses, &settings)
    };
    let some = [
        "truth.rereport_ratio=0.6",
        "truth.acceptance_difference=0.2",
    ];
    let none = ["truth.rereport_ratio=1", "truth.acceptance_difference=0"];
    let options = Options {
        seed: 5,
        replicates: Some(40),
        draws: Some(99),
        threads: Some(1),
    };
    let reports = ["six-months", "two-years"];
    let (plan, other) = (cell(reports, some), cell(reports, none));
    let mut raised = 0;
    for (own, other) in records(&plan, &options)
        .iter()
        .zip(records(&other, &options))
    {
        for (own, other) in own.analyses.iter().zip(&other.analyses) {
            let (p, joint) = (other.found.as_ref().unwrap().p_value, other.joint.unwrap());
            assert_eq!(own.under_null, Some(Ok(p.max(joint))));
            assert_eq!(other.under_null, own.under_null);
            raised += usize::from(joint > p);
        }
    }
    assert!(raised > 0);
    let (own, other) = (
        simulate(&plan, &options, &|_, _| {}).unwrap(),
        simulate(&other, &options, &|_, _| {}).unwrap(),
    );
    for (place, (_, found)) in own[0].analyses.iter().enumerate() {
        let (_, of_other) = &other[0].analyses[place];
        assert_eq!(found.size.unwrap().value, of_other.power.value);
        assert_eq!(found.size_by_p_alone, Some(false));
        let (own, other) = (found.family.unwrap(), of_other.family.unwrap());
        assert_eq!(own.size.unwrap().value, other.at_least_one.value);
    }
    let mixed = cell(["six-months", "acceptance"], some);
    let own = simulate(&mixed, &options, &|_, _| {}).unwrap();
    let found = of(&own[0].analyses, "six-months");
    assert_eq!(found.size_by_p_alone, Some(true));
    assert!(found.family.unwrap().size.is_none());
    let found = of(&own[0].analyses, "acceptance");
    assert_eq!((found.size, found.size_by_p_alone), (None, None));
}

/// Benjamini and Hochberg (1995), by their words: of m p the k-th is held against k/m of the level, and all up to the largest k that
/// passes are rejected; the q-value is the smallest level at which that happens.
fn benjamini_hochberg(p: &[f64], of: f64) -> f64 {
    let m = p.len() as f64;
    let level = |own: &f64| m * own / p.iter().filter(|other| *other <= own).count() as f64;
    let at_least = p.iter().filter(|own| **own >= of);
    at_least.map(level).fold(1.0, f64::min)
}

/// Contrasts of subgroups are screened in a simulated study as on its data by the registered analysis, which is run here on the same
/// state: the q-values of both are the same, in districts too small for a contrast as well. Contrasts of an analysis that the scenario
/// leaves out count as not rejected.
#[test]
fn contrasts_of_subgroups_are_screened_as_registered() {
    let mut protocol = PROTOCOL.to_owned();
    for (id, role) in [
        ("two-years", true),
        ("reports", true),
        ("six-months", false),
        ("acceptance", false),
    ] {
        let at = protocol.find(&format!("id = \"{id}\"")).unwrap();
        let role_at = at + protocol[at..].find("role = \"secondary\"").unwrap();
        if role {
            protocol.replace_range(role_at..role_at + 18, "role = \"exploratory\"");
        } else {
            protocol.insert_str(role_at, "subgroups = [\"site\"]\n");
        }
    }
    let settings = [
        "months=4",
        "truth.rereport_ratio=0.7",
        "accrual.families_per_month_and_site={ mean = 12, sites = { district-6 = 3 } }",
    ];
    let all = ["two-years", "reports", "six-months", "acceptance"];
    let of = |analyses: &[&str]| planned(&protocol, &format!("analyses = {analyses:?}"), &settings);
    let (whole, part) = (of(&all), of(&all[..3]));
    let (mut simulator, mut lacking) = (
        Simulator::new(&whole.cells[0], 3).with_draws(0),
        Simulator::new(&part.cells[0], 3).with_draws(0),
    );
    let own = &whole.cells[0].protocol;
    let named = |id: &&str| own.analyses.iter().position(|own| own.id == **id).unwrap();
    let indices: Vec<usize> = all.iter().map(named).collect();
    let close = |one: f64, other: f64| assert!((one - other).abs() < 1e-12, "{one} {other}");
    let mut few = 0;
    for replicate in 0..12 {
        let record = simulator.study(replicate).unwrap();
        let state = simulator.state();
        let settings = RunSettings {
            lock: Some("final".to_owned()),
            ..RunSettings::default()
        };
        let cut = state.locks.last().unwrap().cut;
        let live = run(own, state, &Analyses::chosen(own, &indices), cut, &settings);
        let result = |id: &str| live.analyses.iter().find(|own| own.id == id).unwrap();
        for (place, id) in all[..2].iter().enumerate() {
            close(
                record.analyses[place].joint.unwrap(),
                result(id).q_value.unwrap(),
            );
        }
        assert_eq!(
            (record.analyses[2].joint, record.analyses[3].joint),
            (None, None)
        );
        let contrasts = |id: &str| {
            let groups = result(id).subgroups.iter();
            groups
                .flat_map(|own| own.contrasts.iter().map(|own| own.p_value.unwrap()))
                .collect::<Vec<f64>>()
        };
        let known = contrasts("six-months");
        few += usize::from(known.len() < 5);
        let record = lacking.study(replicate).unwrap();
        let mut p = vec![p_value(&record, 0), p_value(&record, 1)];
        p.extend(known);
        p.extend([1.0; 5]);
        for place in 0..2 {
            close(
                record.analyses[place].joint.unwrap(),
                benjamini_hochberg(&p, p[place]),
            );
        }
    }
    assert!(few > 0 && few < 12, "{few}");
    let options = Options {
        seed: 3,
        replicates: Some(12),
        draws: Some(0),
        threads: Some(1),
    };
    for (plan, warns) in [(&whole, false), (&part, true)] {
        let cells = simulate(plan, &options, &|_, _| {}).unwrap();
        let mut codes = cells[0]
            .warnings
            .iter()
            .filter(|own| own.code == "family-in-part");
        assert_eq!(
            codes.any(|own| own.message.en.starts_with("12 hypotheses")),
            warns
        );
        let found = self::of(&cells[0].analyses, "reports");
        let family = found.family.unwrap();
        assert_eq!(
            (family.rule, family.comparisons),
            ("benjamini-hochberg", 12)
        );
        let judge = Judge::of(&plan.cells[0], 0);
        let all = records(plan, &options);
        let rejected = all
            .iter()
            .filter(|own| own.analyses[1].joint.unwrap() <= 0.05);
        assert_eq!(count(found.power, 12), rejected.count());
        assert!(
            all.iter()
                .all(|own| judge.adjusted(&own.analyses)[1] == own.analyses[1].joint)
        );
    }
}
