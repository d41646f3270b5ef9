//! What treated families of a therapist pair share of a score, against the law of their mean, and of which analyses it is said.

use crate::target::within;
use lottning::estimation::Warning;
use lottning::planning::performance::AnalysisPerformance;
use lottning::planning::scenario::{Plan, plan};
use lottning::planning::simulate::{Options, simulate, warnings};

const SCENARIO: &str = include_str!("../../simulations/workloads/w2.toml");
const PROTOCOL: &str = include_str!("../../simulations/protocols/score.toml");
const IUH: &str = include_str!("../../simulations/iuh-2025.toml");
const IUH_PROTOCOL: &str = include_str!("../../protocols/iuh-2025/protocol.toml");

/// Workload W2 without its grid, by the whole state machine: 300 families in two arms, a score of standard deviation 1, an effect of
/// .35, and 75 pairs.
const SETTINGS: [&str; 8] = [
    "protocol.sample_size.stop.families=300",
    "score.effect=0.35",
    "score.sd=1",
    "score.mean=0",
    "score.risk_correlation=0",
    "score.missing.new=0",
    "score.missing.usual=0",
    "capacity.therapists_per_site=75",
];

fn changed(text: &str, from: &str, to: &str) -> String {
    assert!(text.contains(from), "{from}");
    text.replacen(from, to, 1)
}

/// The scenario with more before its precision, in place of its grid.
fn scenario(engine: &str, more: &str) -> String {
    let grid = SCENARIO.find("[grid.full]").unwrap();
    let precision = SCENARIO.find("[precision]").unwrap();
    let text = format!("{}{more}\n{}", &SCENARIO[..grid], &SCENARIO[precision..]);
    changed(
        &text,
        "engine   = \"kernel\"",
        &format!("engine = \"{engine}\""),
    )
}

/// The model without covariates, of single families or with pairs taken together.
fn protocol(clustered: bool) -> String {
    let covariates = PROTOCOL.find("covariates = [").unwrap();
    let end = covariates + PROTOCOL[covariates..].find('\n').unwrap();
    let instead = if clustered {
        "clusters = \"delivered-by\""
    } else {
        ""
    };
    format!("{}{instead}{}", &PROTOCOL[..covariates], &PROTOCOL[end..])
}

fn planned(scenario: &str, protocol: &str, settings: &[&str]) -> Plan {
    let settings: Vec<String> = settings.iter().map(ToString::to_string).collect();
    plan(scenario, protocol, &settings).unwrap_or_else(|refused| panic!("{refused:?}"))
}

fn options() -> Options {
    Options {
        seed: 11,
        replicates: Some(2000),
        draws: Some(0),
        threads: Some(2),
    }
}

fn found(clustered: bool, more: &[&str]) -> AnalysisPerformance {
    let settings: Vec<&str> = SETTINGS.iter().chain(more).copied().collect();
    let plan = planned(&scenario("study", ""), &protocol(clustered), &settings);
    let cells = simulate(&plan, &options(), &|_, _| {}).unwrap();
    cells[0].analyses[0].1
}

/// By law: of 150 treated families, each with one of 75 pairs, two are of the same pair with probability 1/75, so that their mean varies
/// d = 1 + 149/75·.2 = 1.397 times as much as without pairs, and the difference has the standard error √((1 + d)/150) = .12642
/// (√(2/150) = .11547 without). The power of a test that knows it is Φ(.35/.12642 − 1.96) = .7906, against
/// Φ(.35/.11547 − 1.96) = .8579: as of 50 pairs of three families each, d = 1.4, whose powers are .7902 and .8579 (Φ in R 4.2.2).
#[test]
fn a_score_of_treated_families_is_shared_within_pairs() {
    let shared = ["family.icc_pair=0.2"];
    within(found(false, &[]).power, 0.8579, "power without pairs");
    let own = found(true, &shared);
    within(own.power, 0.7906, "power with pairs");
    let plain = found(false, &shared);
    within(plain.empirical_se, 0.126_42, "standard error with pairs");
    // Each family by itself is as it was, and so is the effect.
    within(plain.model_se, 0.115_47, "stated standard error");
    within(plain.estimand, 0.35, "true effect");
}

/// By law: without an effect the analysis by pairs keeps its level, and that of single families rejects with the probability
/// 2Φ(−1.96·.11547/.12642) = .0734.
#[test]
fn an_analysis_of_scores_by_pairs_keeps_its_level() {
    let null = ["family.icc_pair=0.2", "score.effect=0"];
    let size = |clustered| found(clustered, &null).type_i_error.unwrap();
    within(size(true), 0.05, "level by pairs");
    within(size(false), 0.0734, "level by families");
}

/// The fast path of scores knows no pairs, and says so.
#[test]
fn the_kernel_leaves_pairs_of_a_score_to_the_whole_machine() {
    let text = scenario("kernel", "");
    let alone = planned(&text, PROTOCOL, &SETTINGS);
    assert_eq!(alone.cells.len(), 1);
    let mut settings: Vec<String> = SETTINGS.iter().map(ToString::to_string).collect();
    settings.push("family.icc_pair=0.2".to_owned());
    let refused = plan(&text, PROTOCOL, &settings).unwrap_err();
    let mut own = refused.diagnostics.iter().filter(|own| own.is_error());
    let finding = own.next().unwrap();
    assert_eq!(finding.code, "outside-kernel");
    assert!(finding.message.en.contains("icc_pair"), "{finding:?}");
}

fn told(plan: &Plan, code: &str) -> Option<Warning> {
    let mut all = warnings(&plan.cells[0], &options()).into_iter();
    all.find(|own| own.code == code)
}

/// What is said of pairs goes by what can be drawn, not by what stands where a prior is, and names the analyses that they move.
#[test]
fn of_pairs_is_said_what_can_be_drawn() {
    let with = |icc: &str, values: &str| {
        let text = changed(IUH, "icc_pair = 0.02", &format!("icc_pair = {icc}"));
        let prior =
            format!("[[prior]]\nkey = \"family.icc_pair\"\nvalues = [{values}]\n\n[precision]");
        let text = if values.is_empty() {
            text
        } else {
            changed(&text, "[precision]", &prior)
        };
        told(&planned(&text, IUH_PROTOCOL, &[]), "pairs-not-analysed")
    };
    let message = |own: Option<Warning>| own.unwrap().message;
    assert!(with("0", "").is_none());
    assert!(with("0.3", "0").is_none());
    let drawn = message(with("0", "0, 0.1"));
    assert!(
        drawn.en.contains("`icc_pair`, drawn from a prior"),
        "{drawn:?}"
    );
    assert!(drawn.sv.contains("dras ur en prior"), "{drawn:?}");
    let drawn = message(with("0.3", "0, 0.1"));
    assert!(!drawn.en.contains("0.3"), "{drawn:?}");
    let stated = message(with("0.3", ""));
    assert!(
        stated.en.contains("`icc_pair` is 0.3") && stated.sv.contains("0,3"),
        "{stated:?}"
    );
    assert!(stated.en.contains("`acceptance`"), "{stated:?}");
}

/// A length of investigations is each family's own.
#[test]
fn of_durations_nothing_is_said() {
    let from = PROTOCOL.find("[[outcome]]").unwrap();
    let outcome = "[[outcome]]\nid = \"length\"\nlabel = { sv = \"Utredningstid\", en = \"Length\" }\nkind = \"duration\"\n\
                   from = \"randomized\"\nto = \"closed\"\nhorizon_days = 200\n\n";
    let text = format!("{}{outcome}{}", &PROTOCOL[..from], &PROTOCOL[from..]);
    let analysis = protocol(false);
    let analysis = &analysis[analysis.find("[[analysis]]").unwrap()..];
    let analysis = changed(analysis, "\"primary\"", "\"length\"");
    let analysis = changed(&analysis, "outcome = \"score\"", "outcome = \"length\"");
    let analysis = changed(&analysis, "role = \"primary\"", "role = \"secondary\"");
    let both = format!("{text}\n{analysis}");
    let of = |analyses: &str| {
        let text = changed(
            &scenario("study", ""),
            "analyses = [\"primary\"]",
            &format!("analyses = {analyses}"),
        );
        told(
            &planned(&text, &both, &["family.icc_pair=0.2"]),
            "pairs-not-analysed",
        )
    };
    assert!(of("[\"length\"]").is_none());
    let said = of("[\"primary\", \"length\"]").unwrap().message.en;
    assert!(said.contains("`primary` counts"), "{said}");
}

/// Site effects, trends and detection move reports: a score has the same values with them, and that is said, in both languages.
#[test]
fn what_moves_reports_alone_leaves_a_score_as_it_is() {
    let mechanisms = "[[mechanism]]\nid = \"site-effects\"\nicc = 0.3\n\n[[mechanism]]\nid = \"time-trend\"\nrereport_per_year = 0.2\n\n\
                      [[mechanism]]\nid = \"detection-by-home-visits\"\nreports_ratio = 1.5\n";
    let few = Options {
        replicates: Some(20),
        ..options()
    };
    let run = |more: &str| {
        let plan = planned(&scenario("study", more), &protocol(false), &SETTINGS);
        let cells = simulate(&plan, &few, &|_, _| {}).unwrap();
        let analysis = cells[0].analyses[0].1;
        (analysis, told(&plan, "reports-alone"))
    };
    let ((without, silent), (with, said)) = (run(""), run(mechanisms));
    assert_eq!(with, without);
    assert_eq!(silent, None);
    let message = said.unwrap().message;
    for name in [
        "`primary`",
        "`site-effects`",
        "`time-trend`",
        "`detection-by-home-visits`",
    ] {
        assert!(
            message.en.contains(name) && message.sv.contains(name),
            "{message:?}"
        );
    }
    let plan = planned(IUH, IUH_PROTOCOL, &[]);
    assert_eq!(told(&plan, "reports-alone"), None);
}
