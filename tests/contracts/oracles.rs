//! Which published or enumerated figures stand behind planning, and which test holds the program to each; those behind analysis
//! are in [`crate::literature`].
//!
//! `docs/validation.md` has them as a table ([`crate::validation`] writes it); a row whose test is gone is found here.

use crate::literature::LITERATURE;
use std::fmt::Write;

/// What the figures are about, who computed them, and the tests: file and function.
pub(super) type Oracle = (
    &'static str,
    &'static str,
    &'static [(&'static str, &'static str)],
);

const POWER: &str = "tests/published/power.rs";
const MEANS: &str = "tests/published/power_means.rs";
const EVENTS: &str = "tests/published/power_events.rs";
const CLUSTERS: &str = "tests/published/power_clusters.rs";
const LOOKS: &str = "tests/published/group_sequential.rs";
const CAPACITY: &str = "src/planning/capacity.rs";
const PRIOR: &str = "src/planning/prior.rs";
const SIMULATED: &str = "tests/simulation/planning.rs";
const WORLD: &str = "tests/simulation/world.rs";
const KERNEL: &str = "tests/simulation/kernel.rs";
const REDRAWS: &str = "tests/simulation/kernel_redraws.rs";
const SCORES: &str = "tests/simulation/kernel_scores.rs";
const TIMES: &str = "tests/simulation/kernel_times.rs";

const ORACLES: &[(&str, &[Oracle])] = &[
    (
        "Means and simple tests",
        &[
            (
                "t tests, equal and unequal arms, one and two sides",
                "R pwr, as statsmodels' tests quote it; base R `power.t.test`",
                &[(MEANS, "power_of_the_t_test")],
            ),
            (
                "n for .80 and .90",
                "R pwr; base R",
                &[(MEANS, "sample_sizes_of_the_t_test")],
            ),
            ("one sample", "R pwr", &[(MEANS, "one_sample")]),
            (
                "known variance; arcsine with 80 and 245",
                "R pwr",
                &[(MEANS, "known_variance")],
            ),
            (
                "chi-square, F of regression and of analysis of variance",
                "R pwr",
                &[(MEANS, "chi_square_and_f")],
            ),
        ],
    ),
    (
        "Two proportions",
        &[
            (
                "n by the pooled, unpooled, corrected and arcsine formula",
                "base R `power.prop.test`, rpact, own Python",
                &[(POWER, "sample_sizes_per_arm")],
            ),
            (
                "power of the pooled formula, strict and not",
                "base R",
                &[(POWER, "power_of_the_pooled_formula")],
            ),
            (
                "margins and odds ratios (Farrington and Manning)",
                "tests of gsDesign",
                &[(POWER, "sample_sizes_with_a_margin")],
            ),
            (
                "exact power over every table: z pooled and unpooled, Yates, Fisher",
                "own Python and R `dbinom`",
                &[
                    (POWER, "exact_power_by_enumeration"),
                    (SIMULATED, "two_binomials_have_their_exact_power"),
                ],
            ),
        ],
    ),
    (
        "Survival and rates",
        &[
            (
                "events of Schoenfeld and Freedman",
                "formulas in R",
                &[(EVENTS, "events_of_schoenfeld_and_freedman")],
            ),
            (
                "events and individuals with accrual and follow-up",
                "rpact 3.3.4",
                &[(EVENTS, "individuals_by_follow_up")],
            ),
            (
                "the same with three looks",
                "rpact 3.3.4",
                &[(LOOKS, "looks_at_events")],
            ),
            (
                "three looks of 24 strata with one hazard ratio, by Schoenfeld's formula",
                "tests of lrstat 0.3.3",
                &[(LOOKS, "a_stratified_study_with_looks")],
            ),
            (
                "a case in which the formula is optimistic",
                "vignette of lrstat",
                &[(EVENTS, "a_strong_effect_is_said_to_be_optimistic")],
            ),
            (
                "negative binomial rates",
                "the formula in R",
                &[
                    (EVENTS, "negative_binomial_rates"),
                    (EVENTS, "no_dispersion_is_poisson"),
                ],
            ),
        ],
    ),
    (
        "Clusters",
        &[
            (
                "design effects, equal and unequal sizes, siblings",
                "by hand; Eldridge 2006",
                &[(
                    "src/planning/clustering.rs",
                    "design_effects_of_the_literature",
                )],
            ),
            (
                "13 clusters of proportions by z; 12 by t",
                "tests of clusterPower, from PASS 11 and the NIH",
                &[
                    (POWER, "clusters_inflate_the_variance"),
                    (CLUSTERS, "clusters_of_proportions_by_t"),
                ],
            ),
            (
                "five clusters of means",
                "tests of clusterPower",
                &[(CLUSTERS, "five_clusters_are_enough")],
            ),
            (
                "t on cluster means beside z",
                "R `pt` and `pnorm`",
                &[(CLUSTERS, "cluster_means")],
            ),
            (
                "therapists in the treated arm alone",
                "R `pnorm`",
                &[(CLUSTERS, "clusters_in_the_treated_arm_only")],
            ),
        ],
    ),
    (
        "Looks",
        &[
            (
                "critical values, inflation and expected information: O'Brien–Fleming, Pocock, Wang–Tsiatis",
                "rpact 3.3.4 and own recursion; Jennison and Turnbull 2000",
                &[(LOOKS, "shapes_with_a_constant")],
            ),
            (
                "constants at alpha .01",
                "the same",
                &[(LOOKS, "constants_at_one_percent")],
            ),
            (
                "spending functions, equal and unequal looks",
                "rpact 3.3.4",
                &[
                    (LOOKS, "spending_functions"),
                    (LOOKS, "what_the_looks_spend"),
                ],
            ),
            (
                "beta spending",
                "rpact 3.3.4",
                &[(LOOKS, "futility_spends_beta")],
            ),
            (
                "power with looks of proportions and means, by stage",
                "rpact 3.3.4",
                &[
                    (LOOKS, "looks_of_proportions_and_of_t_tests"),
                    (
                        "tests/simulation/looks.rs",
                        "power_by_look_is_the_published_one",
                    ),
                ],
            ),
            (
                "conditional and predictive power",
                "rpact 3.3.4; by hand",
                &[(LOOKS, "conditional_and_predictive_power")],
            ),
            (
                "conventions of sides; output of SAS",
                "rpact 3.3.4; tests of gsDesign",
                &[(LOOKS, "conventions_of_sides_and_of_other_programs")],
            ),
        ],
    ),
    (
        "Operations",
        &[
            (
                "Erlang B and C, mean waits",
                "sums of Poisson probabilities in R",
                &[
                    (CAPACITY, "blocked_and_waiting"),
                    (SIMULATED, "a_closed_gate_follows_erlang_b"),
                    (WORLD, "families_that_wait_follow_erlang_c"),
                    (WORLD, "overflow_follows_erlang_b"),
                ],
            ),
            (
                "Poisson–gamma accrual of six districts",
                "by hand",
                &[
                    (PRIOR, "fixed_rates_are_poisson"),
                    (
                        SIMULATED,
                        "arrivals_have_the_moments_of_a_poisson_gamma_law",
                    ),
                ],
            ),
            (
                "dilution by uptake",
                "by hand",
                &[(PRIOR, "uptake_dilutes")],
            ),
            (
                "assurance",
                "R `integrate`",
                &[
                    (PRIOR, "assurance_is_below_a_power_above_one_half"),
                    (WORLD, "a_prior_gives_the_exact_assurance"),
                ],
            ),
        ],
    ),
    (
        "Fast paths: exact power on ten million studies in `.ci/run`, and the whole machine's bits on a thousand",
        &[
            (
                "counts (workload W1)",
                "every table of one list; sizes, arms and tables of two",
                &[
                    (KERNEL, "one_list_has_its_exact_power"),
                    (KERNEL, "two_lists_have_their_exact_power"),
                    (
                        KERNEL,
                        "a_thousand_studies_have_the_same_bits_in_both_engines",
                    ),
                ],
            ),
            (
                "redraws (W5)",
                "every table of blocks of four, tails of redraws binomial; own Python",
                &[
                    (REDRAWS, "redraws_have_their_exact_power"),
                    (
                        REDRAWS,
                        "a_thousand_studies_with_redraws_have_the_same_bits_in_both_engines",
                    ),
                ],
            ),
            (
                "scores (W2)",
                "the noncentral t; base R `power.t.test`",
                &[
                    (SCORES, "a_score_of_two_equal_arms_has_its_exact_power"),
                    (
                        SCORES,
                        "a_thousand_studies_of_scores_have_the_same_bits_in_both_engines",
                    ),
                ],
            ),
            (
                "times (W4)",
                "two multinomial laws of days",
                &[
                    (TIMES, "one_list_has_its_exact_power"),
                    (
                        TIMES,
                        "a_thousand_studies_have_the_same_bits_in_both_engines",
                    ),
                    (
                        TIMES,
                        "studies_that_never_stop_have_the_same_bits_in_both_engines",
                    ),
                ],
            ),
        ],
    ),
];

/// Published figures that planning has no test of, each with the reason.
const LEFT_OUT: &[(&str, &str)] = &[(
    "power .9313 of two looks by a Fleming–Harrington (0, 1) weighted log-rank test of a delayed effect (tests of lrstat 0.3.3)",
    "no weighted log-rank test is registered: `log-rank` weighs all events alike, as is registered before it is known when an effect begins",
)];

/// The tables of the page.
pub(super) fn tables() -> String {
    let mut text = String::from("\n## Planning: figures that others computed\n");
    for (title, oracles) in ORACLES {
        let _ = writeln!(text, "\n### {title}\n\n{}", rows(oracles).trim_end());
    }
    text += "\n### Left out\n\n| figures | why |\n|---|---|\n";
    for (what, why) in LEFT_OUT {
        let _ = writeln!(text, "| {what} | {why} |");
    }
    text
}

/// One table.
pub(super) fn rows(oracles: &[Oracle]) -> String {
    let mut text = String::from("| figures | computed by | tests |\n|---|---|---|\n");
    for (what, source, tests) in oracles {
        let tests: Vec<String> = tests
            .iter()
            .map(|(file, name)| {
                let room = file.rsplit('/').next().unwrap_or(file);
                format!("`{}::{name}`", room.trim_end_matches(".rs"))
            })
            .collect();
        let _ = writeln!(text, "| {what} | {source} | {} |", tests.join(", "));
    }
    text
}

/// Every named test is there.
#[test]
fn every_oracle_has_its_test() {
    let mut number = 0;
    let planning = ORACLES.iter().map(|(_, oracles)| *oracles);
    for oracles in planning.chain([LITERATURE]) {
        for (what, _, tests) in oracles {
            assert!(!tests.is_empty(), "{what}");
            for (file, name) in *tests {
                let path = crate::validation::root().join(file);
                let text = std::fs::read_to_string(&path).unwrap();
                let own = format!("#[test]\n    fn {name}()");
                let outer = own.replace("    ", "");
                assert!(
                    text.contains(&own) || text.contains(&outer),
                    "{what}: {file} has no test {name}"
                );
                number += 1;
            }
        }
    }
    assert!(number > 40, "{number}");
}
