//! What simulated studies reject, against the rules by which the registered analysis rejects: Holm's, as he states it, of the
//! p-values of the records, and Westfall and Young's.

use lottning::planning::judging::Judge;
use lottning::planning::performance::AnalysisPerformance;
use lottning::planning::record::Record;
use lottning::planning::scenario::{Plan, plan};
use lottning::planning::simulate::{Options, Threads, simulate};

const SCENARIO: &str = include_str!("../../simulations/workloads/w3-overflow.toml");
const PROTOCOL: &str = include_str!("../../simulations/protocols/whole-without-gate.toml");

/// The workload whose protocol registers most, with other analyses.
fn planned(protocol: &str, analyses: &str, settings: &[&str]) -> Plan {
    let scenario = SCENARIO
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
    let mut protocol = PROTOCOL.replace("secondary = \"holm\"", "secondary = \"westfall-young\"");
    for id in ["six-months", "acceptance"] {
        let at = protocol.find(&format!("id = \"{id}\"")).unwrap();
        let end = at + protocol[at..].find("role = ").unwrap();
        protocol.insert_str(end, "test = { kind = \"randomization\", draws = 999 }\n");
    }
    for id in ["two-years", "reports", "rates", "compliers"] {
        let at = protocol.find(&format!("id = \"{id}\"")).unwrap();
        let role = at + protocol[at..].find("role = \"secondary\"").unwrap();
        protocol.replace_range(role..role + 18, "role = \"exploratory\"");
    }
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
