//! Which figures of the literature on analysis are tests, and for which methods the program has none.
//!
//! `docs/validation.md` has both tables ([`crate::validation`] writes it); a row whose test is gone is found by
//! [`crate::oracles`].

use crate::oracles::{Oracle, rows};
use lottning::estimation::{Interval, Ties, Variance};
use std::fmt::Write;

const NIST: &str = "tests/published/nist.rs";
const PRINTED: &str = "tests/golden/printed.rs";
const CARS: &str = "tests/golden/mtcars.rs";
const PANELS: &str = "tests/published/panels.rs";
const STAR: &str = "tests/published/star.rs";
const REDRAWN: &str = "tests/published/randomization.rs";
const RANKS: &str = "tests/published/ranks.rs";
const PROPORTIONS: &str = "tests/published/proportions.rs";
const RATIOS: &str = "tests/published/proportion_ratios.rs";
const MODELS: &str = "tests/published/ratio_models.rs";
const SURVIVAL: &str = "tests/published/survival.rs";
const EVENTS: &str = "tests/published/events.rs";
const INSTRUMENT: &str = "tests/golden/instrumental_variables.rs";
const LOOKS: &str = "tests/published/group_sequential.rs";

pub(super) const LITERATURE: &[Oracle] = &[
    (
        "Longley's and Norris's regressions, analyses of variance of silver, silicon and simulated data",
        "NIST, Statistical Reference Datasets, certified",
        &[
            (NIST, "longley_to_eleven_digits"),
            (NIST, "norris_to_eleven_digits"),
            (NIST, "silver_by_two_instruments"),
            (NIST, "silicon_by_five_instruments"),
            (NIST, "analysis_of_variance_with_constant_leading_digits"),
        ],
    ),
    (
        "32 cars: HC0 to HC3, CR0 to CR3, degrees of freedom, Lin's regression",
        "Henderson and Velleman 1981; R estimatr and clubSandwich",
        &[
            (PRINTED, "cars_hc_family"),
            (PRINTED, "cars_additive"),
            (PRINTED, "cars_interacted"),
            (CARS, "every_coefficient_agrees_with_r"),
            (CARS, "lin_agrees_with_r"),
        ],
    ),
    (
        "traffic deaths by drinking age; 500 firms in ten years",
        "vignette of clubSandwich; Petersen 2009",
        &[
            (PANELS, "as_printed"),
            (PANELS, "every_figure_of_both_panels_agrees_with_r"),
        ],
    ),
    (
        "hours of sleep, unpaired and in pairs",
        "Student 1908; R",
        &[
            (PRINTED, "sleep"),
            (REDRAWN, "sleep_unpaired"),
            (REDRAWN, "sleep_in_pairs"),
        ],
    ),
    (
        "grades of men under incentives and services",
        "Lin 2013, table 2; R estimatr",
        &[(STAR, "table_2_to_its_printed_digits_and_beyond")],
    ),
    (
        "permeability of the chorioamnion: exact rank sum, shift and limits",
        "Hollander and Wolfe 1973, table 4.1; R coin",
        &[(RANKS, "chorioamnion")],
    ),
    (
        "Wilson's intervals; risk differences a to h",
        "Newcombe 1998a, table I, and 1998b, table II",
        &[
            (PROPORTIONS, "wilson_intervals"),
            (PROPORTIONS, "newcombe_table_2"),
        ],
    ),
    (
        "score limits of ratios of proportions",
        "Koopman 1984; Gart and Nam 1988, as tests of ratesci have them",
        &[(RATIOS, "score_limits_of_risk_ratios")],
    ),
    (
        "the lady tasting tea; convictions of twins",
        "Fisher 1934 and 1935; R `fisher.test`",
        &[(RATIOS, "fishers_own_tables")],
    ),
    (
        "admissions to Berkeley by department",
        "Bickel, Hammel and O'Connell 1975; R `mantelhaen.test`; Sato 1989",
        &[(MODELS, "admissions_by_department")],
    ),
    (
        "low birth weight: logistic coefficient and standardized risks",
        "Hosmer and Lemeshow's data `birthwt`; R",
        &[(MODELS, "birth_weights")],
    ),
    (
        "Firth's penalty where a table has a zero",
        "Heinze and Schemper 2002",
        &[(MODELS, "firth_on_a_separated_table")],
    ),
    (
        "remission under 6-mercaptopurine: survival, log-rank, hazard ratios, restricted means",
        "Freireich et al. 1963, Gehan 1965; R survival",
        &[
            (SURVIVAL, "remission_survival"),
            (SURVIVAL, "remission_log_rank"),
            (SURVIVAL, "remission_hazard_ratio"),
            (SURVIVAL, "remission_restricted_means"),
        ],
    ),
    (
        "glioma: log-rank, asymptotic and exact",
        "Grana et al. 2002; R survival and coin",
        &[(SURVIVAL, "glioma_log_rank")],
    ),
    (
        "restricted means in primary biliary cirrhosis",
        "Fleming and Harrington 1991; vignette of survRM2",
        &[(SURVIVAL, "cirrhosis_restricted_means")],
    ),
    (
        "infections in chronic granulomatous disease: first, all, by days followed",
        "Fleming and Harrington 1991; R survival and MASS",
        &[
            (SURVIVAL, "infection_log_rank"),
            (SURVIVAL, "infection_hazard_ratio"),
            (EVENTS, "mean_number_of_infections"),
            (EVENTS, "rate_ratio_of_infections"),
            (MODELS, "infections_by_days_followed"),
        ],
    ),
    (
        "recurrences of bladder tumours by Andersen and Gill",
        "Wei, Lin and Weissfeld 1989; Therneau and Grambsch 2000",
        &[(EVENTS, "rate_ratio_of_recurrences")],
    ),
    (
        "malignancy of gammopathy under competing death",
        "Kyle et al. 2002; R survival and cmprsk",
        &[
            (EVENTS, "malignancy_under_competing_death"),
            (EVENTS, "subdistribution_of_malignancy"),
        ],
    ),
    (
        "two-stage least squares; a trial with begun and not begun, Anderson and Rubin's set",
        "R estimatr",
        &[
            (INSTRUMENT, "cars_with_a_continuous_instrument"),
            (INSTRUMENT, "a_trial_with_begun_and_not_begun"),
        ],
    ),
    (
        "pooled imputations",
        "Rubin 1987; Barnard and Rubin 1999",
        &[("tests/published/imputation.rs", "five_data_sets")],
    ),
    (
        "trimmed bounds",
        "Lee 2009; by hand",
        &[(REDRAWN, "lee_bounds_of_ten_and_ten")],
    ),
    (
        "fifteen tests of thrombolysis",
        "Benjamini and Hochberg 1995; R `p.adjust`",
        &[("tests/published/multiplicity.rs", "fifteen_tests_of_1995")],
    ),
    (
        "a study of two stages: repeated and stage-wise intervals",
        "R rpact",
        &[(LOOKS, "a_study_of_two_stages")],
    ),
];

/// Methods of the same literature that the program does not have, with what it has or why.
const WITHOUT: &[(&str, &str)] = &[
    (
        "Prentice–Williams–Peterson, Wei–Lin–Weissfeld",
        "repeated events have the marginal rate ratio of Lin, Wei, Yang and Ying; those at risk of a second event are no longer as randomized",
    ),
    (
        "exact conditional ratio of Poisson rates",
        "rates have `poisson` with a sandwich and `negative-binomial`, since reports of a family depend on each other",
    ),
    (
        "win ratio",
        "its estimand depends on how long families are followed",
    ),
    (
        "Peto–Peto and other weighted log-rank tests",
        "`log-rank` weighs all times alike",
    ),
    ("exact ties in Cox's model", "ties are Efron's or Breslow's"),
    (
        "limits of survival on the logarithm",
        "`kaplan-meier` has log–log limits, which stay within 0 and 1",
    ),
    (
        "Zou–Donner and skewness-corrected score intervals",
        "proportions and their ratios have score and older intervals",
    ),
    (
        "Greenland–Robins variance of a Mantel–Haenszel difference",
        "`mantel-haenszel` has Sato's, right for few large and many small strata",
    ),
    (
        "Cochran–Mantel–Haenszel test with continuity correction",
        "the test is uncorrected",
    ),
    (
        "CR1 with (N − 1)/(N − k) (“CR1S”, Stata's)",
        "CR0, CR1 = CR0 · G/(G − 1), CR2 and CR3",
    ),
    (
        "standard errors of standardized risks from the model or a sandwich, and of Ye et al.",
        "`g-computation` has that of the influence function alone",
    ),
    (
        "variances of ANHECOVA under the design's own blocks",
        "`lin` has the HC family, which is conservative there",
    ),
    (
        "exact test of the plain difference of means of unequal arms",
        "redraws are of a studentized difference",
    ),
];

/// The tables of the page.
pub(super) fn tables() -> String {
    let mut text = String::from("\n## Analysis: figures of the literature\n\n");
    text += &rows(LITERATURE);
    text.push_str(
        "\nOf the same papers and data sets these methods have no test, since the program has no method for them:\n\n| method | what there is instead |\n|---|---|\n",
    );
    for (method, instead) in WITHOUT {
        let _ = writeln!(text, "| {method} | {instead} |");
    }
    text
}

/// A method that comes leaves the list of those that are not there: options are as the list says.
#[test]
fn what_the_program_has_not_it_has_not() {
    let ids = lottning::estimation::ESTIMATORS.iter().map(|own| own.id);
    for id in ids {
        for absent in ["win", "conditional", "peto", "anhecova"] {
            assert!(!id.contains(absent), "{id}");
        }
    }
    let ties: Vec<&str> = Ties::ALL.iter().map(|own| own.text()).collect();
    assert_eq!(ties, ["efron", "breslow"]);
    let variances = Variance::ALL.iter().map(|own| own.text());
    let clustered: Vec<&str> = variances.filter(|own| own.starts_with("cr")).collect();
    assert_eq!(clustered, ["cr0", "cr1", "cr2", "cr3"]);
    let intervals: Vec<&str> = Interval::ALL.iter().map(|own| own.text()).collect();
    assert!(
        !intervals
            .iter()
            .any(|own| own.contains("skew") || own.contains("zou"))
    );
}
