//! Scores by the engine `kernel` against the whole machine, record by record, and against the power of the t test.

use crate::kernel::{alike, has_power, planned};
use lottning::numerics::noncentral_t::NoncentralT;
use lottning::numerics::student_t::StudentT;
use lottning::planning::scenario::plan;

const SCENARIO: &str = include_str!("../../simulations/workloads/w2.toml");
const PROTOCOL: &str = include_str!("../../simulations/protocols/score.toml");
const COVARIATES: &str = "covariates = [\"earlier_reports\", \"youngest_age\", \"adults\", \"lone_parent\", \"interpreter\", \"baseline\"]";

/// The workload without its grid.
fn ungridded() -> String {
    let grid = SCENARIO.find("[grid.full]").unwrap();
    let precision = SCENARIO.find("[precision]").unwrap();
    format!("{}{}", &SCENARIO[..grid], &SCENARIO[precision..])
}

/// A protocol with one part replaced, which it must have.
fn changed(protocol: &str, from: &str, to: &str) -> String {
    assert!(protocol.contains(from), "{from}");
    protocol.replace(from, to)
}

/// Cells of workload W2 from its corners and its middle, a thousand studies each.
#[test]
fn a_thousand_studies_of_scores_have_the_same_bits_in_both_engines() {
    let plan = planned(SCENARIO, PROTOCOL, &[]);
    assert_eq!(plan.cells.len(), 216);
    for settings in [
        ["150", "0", "0", "{ new = 0, usual = 0 }"],
        ["450", "-2", "0.45", "{ new = 0.15, usual = 0.15 }"],
        ["900", "-3", "0.7", "{ new = 0.30, usual = 0.30 }"],
    ] {
        let [families, effect, tie, missing] = settings;
        let settings = [
            format!("protocol.sample_size.stop.families={families}"),
            format!("score.effect={effect}"),
            format!("score.risk_correlation={tie}"),
            format!("score.missing={missing}"),
        ];
        let settings: Vec<&str> = settings.iter().map(String::as_str).collect();
        let plan = planned(&ungridded(), PROTOCOL, &settings);
        assert_eq!(plan.cells.len(), 1);
        assert_eq!(alike(&plan.cells[0], 0..1000, 0), 0, "{settings:?}");
    }
}

/// Sites with lists of their own and their indicators, the interacted model, no covariates, other ratios and methods, one arm
/// that answers less, closed weeks, an end of enrolment before the last family, and a covariate that hardly varies.
#[test]
fn other_scores_have_the_same_bits_in_both_engines() {
    let two_sites = changed(
        PROTOCOL,
        "[[arm]]\nid = \"new\"",
        "[[site]]\nid = \"district-2\"\nname = \"District 2\"\nopens = 2026-02-09\ntherapists = 2\n\n\
         [[arm]]\nid = \"new\"",
    );
    let by_site = changed(&two_sites, "strata = []", "strata = [\"site\"]");
    let with_site = changed(&by_site, "covariates = [", "covariates = [\"site\", ");
    let lin = changed(PROTOCOL, "\"linear\"", "\"lin\"");
    let bare = changed(PROTOCOL, COVARIATES, "");
    let unequal = changed(
        &changed(
            PROTOCOL,
            "id = \"new\"\nratio = 1",
            "id = \"new\"\nratio = 2",
        ),
        "block_lens = [2, 4]",
        "block_len = 6",
    );
    let stick = changed(
        PROTOCOL,
        "method = \"permuted-block\"\nblock_lens = [2, 4]",
        "method = \"big-stick\"\nmax_imbalance = 3",
    );
    let rates = "accrual.families_per_month_and_site={ mean = 9, gamma_shape = 2 }";
    let one_arm = "score.missing={ new = 0.4 }";
    let tied = "score.risk_correlation=-0.6";
    let few = "protocol.sample_size.stop.families=60";
    // With three treated or so of sixty who can be told from the others, all who answer may be alike.
    let rare = "field.interpreter.shares={ yes = 0.03, no = 0.97 }";
    for (protocol, settings) in [
        (two_sites.as_str(), vec![tied, one_arm]),
        (&by_site, vec![rates, one_arm]),
        (&with_site, vec![rates, "accrual.closed_weeks=[28, 29, 30]"]),
        (&lin, vec![tied, few]),
        (&bare, vec!["score.effect=1.5", one_arm]),
        (&unequal, vec!["months=3"]),
        (&stick, vec![few]),
        (
            PROTOCOL,
            vec![few, rare, "score.missing={ new = 0.5, usual = 0.5 }"],
        ),
        (PROTOCOL, vec!["protocol.sample_size.stop.families=25"]),
    ] {
        let plan = planned(&ungridded(), protocol, &settings);
        // Of few families one may be alone in its arm with what tells it from the others: it decides the effect, HC2 does
        // not exist, and the whole machine says so.
        let left = alike(&plan.cells[0], 0..150, 0);
        let small = settings.iter().any(|own| own.contains("families="));
        assert!(left == 0 || small && left < 75, "{settings:?}: {left}");
    }
}

/// Where the rows leave no model, or hardly any, the whole machine answers.
#[test]
fn a_study_of_scores_without_a_model_is_left_to_the_whole_machine() {
    let few = ["protocol.sample_size.stop.families=6"];
    let plan = planned(&ungridded(), PROTOCOL, &few);
    assert_eq!(alike(&plan.cells[0], 0..50, 0), 50);
    let nobody = ["score.missing={ new = 1.0 }"];
    let plan = planned(&ungridded(), PROTOCOL, &nobody);
    assert_eq!(alike(&plan.cells[0], 0..5, 0), 5);
}

#[test]
fn what_does_not_fit_scores_is_named() {
    let means = changed(PROTOCOL, "\"linear\"", "\"difference-in-means\"");
    let protocol = changed(&means, COVARIATES, "");
    for (protocol, setting, part) in [
        (
            protocol.as_str(),
            "months=24",
            "`primary` is not `linear` or `lin`",
        ),
        (PROTOCOL, "exit.left_coverage_per_year=0.1", "[exit]"),
    ] {
        let settings = ["engine=\"kernel\"".to_owned(), setting.to_owned()];
        let refused = plan(&ungridded(), protocol, &settings).unwrap_err();
        let finding = &refused.diagnostics[0];
        assert_eq!(finding.code, "outside-kernel");
        assert!(finding.message.en.contains(part), "{}", finding.message.en);
    }
}

/// Forty families in blocks of two, a normal score, no covariates: HC2 of two arms of twenty is the pooled variance, its
/// degrees of freedom by Bell and McCaffrey are 38, and the power is that of the t test, a tail of the noncentral t on each
/// side. An effect of .9 standard deviations gives .7920362553 (R 4.2.2, power.t.test(n = 20, delta = .9, strict = TRUE)).
#[test]
fn a_score_of_two_equal_arms_has_its_exact_power() {
    let bare = changed(PROTOCOL, COVARIATES, "");
    let protocol = changed(&bare, "block_lens = [2, 4]", "block_len = 2");
    let settings = ["protocol.sample_size.stop.families=40", "score.effect=-7.2"];
    let plan = planned(&ungridded(), &protocol, &settings);
    let critical = StudentT::new(38.0).unwrap().quantile(0.975).unwrap();
    let law = NoncentralT::new(38.0, 0.9 * 10_f64.sqrt()).unwrap();
    let exact = law.sf(critical) + law.cdf(-critical);
    assert!((exact - 0.792_036_255_3).abs() < 1e-9);
    has_power(&plan.cells[0], exact);
}
