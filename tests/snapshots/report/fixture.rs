//! Reports to look at. Every number here is made up to fill the page; none is a result, and none claims correctness.

use lottning::allocation::Arm;
use lottning::analysis::randomization::{TestError, TestFigures};
use lottning::analysis::results::{
    Analyses, AnalysisResult, ArmOutcome, Balance, BalanceTest, Baseline, BaselineCell,
    BaselineRow, Comparison, Deviation, DeviationLine, Missingness, MissingnessTest, TestResult,
    UnknownOf, Used,
};
use lottning::diagnostic::Words;
use lottning::estimation::{Estimate, Warning};
use lottning::protocol::model::{Attribute, Day, Missing, Protocol, Role};
use lottning::report::{Provenance, Report, SeedFact, Verdict};
use lottning::study::caps::{Alert, Capped};
use lottning::study::cohort::{Cohort, CohortOutcome, CohortSite};
use lottning::study::conduct::{Conduct, Direction, ViolationCount};
use lottning::study::flow::{ArmFlow, Flow, ReasonCount, SiteFlow};
use lottning::study::kernel::{FamilyIx, SiteIx};
use lottning::study::slots::FreedByIntake;

pub(crate) const PROTOCOL: &str = include_str!("protocol.toml");

/// The parts of a report, owned.
#[derive(Clone)]
pub(crate) struct Parts {
    pub(crate) protocol: Protocol,
    pub(crate) flow: Flow,
    pub(crate) conduct: Conduct,
    pub(crate) cohort: Cohort,
    pub(crate) analyses: Analyses,
    pub(crate) provenance: Provenance,
}

impl Parts {
    pub(crate) fn report(&self) -> Report<'_> {
        Report {
            protocol: &self.protocol,
            flow: &self.flow,
            conduct: &self.conduct,
            cohort: &self.cohort,
            analyses: &self.analyses,
            provenance: &self.provenance,
        }
    }
}

#[expect(
    clippy::unwrap_used,
    reason = "a fixture that does not parse is a broken test"
)]
pub(crate) fn protocol(text: &str) -> Protocol {
    let parsed = lottning::protocol::parse(text.as_bytes());
    assert!(parsed.protocol.is_some(), "{:?}", parsed.diagnostics);
    parsed.protocol.unwrap()
}

fn reason(code: &str, families: u32) -> ReasonCount {
    ReasonCount {
        reason: code.into(),
        families,
    }
}

fn arm_flow(arm: u8, allocated: u32, lost: [u32; 6]) -> ArmFlow {
    let [
        not_started,
        switched,
        withdrawn,
        death,
        all_children_18,
        left_coverage,
    ] = lost;
    ArmFlow {
        arm: Arm(arm),
        allocated,
        not_started,
        switched,
        withdrawn,
        death,
        all_children_18,
        left_coverage,
        followed: allocated - withdrawn - death - all_children_18 - left_coverage,
        under_follow_up: 0,
        after_cut: 0,
        linked: 0,
        erased: 0,
    }
}

/// Days spread over a year with a gap in July, by a rule that everybody can follow: no randomness.
fn days(first: i32, families: i32, stretch: i32) -> Vec<Day> {
    let mut days: Vec<Day> = (0..families)
        .map(|k| {
            let day = first + k * stretch / families.max(1) + (k * 7) % 5;
            Day(if (20_270..20_300).contains(&day) {
                day + 30
            } else {
                day
            })
        })
        .collect();
    days.sort_unstable();
    days
}

fn estimate(estimator: &str, numbers: [f64; 7], n: (usize, usize)) -> Estimate {
    let [value, se, statistic, df, p, low, high] = numbers;
    Estimate {
        estimator: estimator.into(),
        term: "iuh vs standard".into(),
        measure: "difference".into(),
        estimate: Some(value),
        std_error: Some(se),
        std_error_scale: "identity".into(),
        statistic: Some(statistic),
        df: Some(df),
        p_value: Some(p),
        conf_low: Some(low),
        conf_high: Some(high),
        level: 0.95,
        n_treated: n.0,
        n_control: n.1,
        variance: "hc2".into(),
        interval: "t".into(),
        extra: serde_json::Map::new(),
    }
}

fn outcome(arm: u8, randomized: u32, analysed: u32, events: u32) -> ArmOutcome {
    ArmOutcome {
        arm: Arm(arm),
        randomized,
        analysed,
        missing: randomized - analysed,
        by_rule: 0,
        not_yet: 0,
        mean: (analysed > 0).then(|| f64::from(events) / f64::from(analysed)),
        events: Some(events),
        having: events,
        children: None,
    }
}

fn number(mean: f64, sd: f64, median: f64, quartiles: (f64, f64), n: u32) -> BaselineCell {
    BaselineCell::Number {
        n,
        mean,
        sd,
        median,
        quartiles,
        missing: 0,
    }
}

fn share_row(level: &str, treated: u32, control: u32, smd: f64) -> BaselineRow {
    BaselineRow {
        label: Words::new("Category of the report", "Anmälans kategori"),
        level: Some(Words::same(level)),
        arms: vec![
            BaselineCell::Share {
                count: treated,
                of: 166,
            },
            BaselineCell::Share {
                count: control,
                of: 164,
            },
        ],
        smd: Some(smd),
    }
}

fn attributes(analysis: usize) -> Vec<Attribute> {
    let protocol = protocol(PROTOCOL);
    protocol
        .estimand_attributes(&protocol.analyses[analysis])
        .to_vec()
}

/// An ordinary report on the final lock.
pub(crate) fn ordinary() -> Parts {
    let covariates: Vec<String> = [
        "site",
        "earlier_reports",
        "youngest_age",
        "months_since_start",
    ]
    .iter()
    .map(ToString::to_string)
    .collect();
    let primary = AnalysisResult {
        id: "primary".into(),
        role: Role::Primary,
        prespecified: true,
        outcome: "rereport".into(),
        outcome_label: Words::new(
            "New report of concern within 12 months",
            "Ny orosanmälan inom 12 månader",
        ),
        estimand: Words::new(
            "difference in the proportion of all randomized families with a new report of concern within 12 months, as randomized, with the therapists of this study",
            "skillnad i andelen av alla lottade familjer med en ny orosanmälan inom 12 månader, enligt lottning, med denna studies behandlare",
        ),
        measure: "risk-difference".into(),
        attributes: attributes(0),
        used: Used {
            estimator: "lin".into(),
            summary: "any",
            options: vec![("variance", "hc2".into()), ("df", "bell-mccaffrey".into())],
            columns: vec![("outcome", vec!["rereport".into()])],
        },
        funnel: Vec::new(),
        subgroups: Vec::new(),
        missing_rule: Missing::CompleteCase,
        missingness: Some(Missingness {
            arms: vec![
                UnknownOf {
                    arm: Arm(0),
                    unknown: 9,
                    of: 166,
                },
                UnknownOf {
                    arm: Arm(1),
                    unknown: 12,
                    of: 164,
                },
            ],
            tests: vec![MissingnessTest {
                arm: Arm(0),
                difference: Some(-0.019),
                found: Ok(TestFigures {
                    statistic: -0.72,
                    p_value: 0.4812,
                    upper: 0.7731,
                    lower: 0.2406,
                    exact: false,
                    draws: 9_999,
                    failed: 0,
                    mcse: 0.0085,
                }),
            }],
        }),
        alpha: Some(0.05),
        looks: Vec::new(),
        looked_here: false,
        further: Vec::new(),
        p_adjusted: None,
        q_value: None,
        test_registered: true,
        arms: vec![outcome(0, 166, 161, 58), outcome(1, 164, 160, 66)],
        results: vec![
            estimate(
                "lin",
                [-0.0523, 0.0541, -0.967, 296.4, 0.3345, -0.1588, 0.0542],
                (161, 160),
            ),
            estimate(
                "difference-in-means",
                [-0.0522, 0.0543, -0.961, 318.9, 0.3371, -0.1591, 0.0546],
                (161, 160),
            ),
        ],
        test: Some(TestResult {
            p_value: 0.3462,
            exact: false,
            draws: 10_000,
            failed: 0,
            mcse: 0.004_76,
            level: 0.95,
            conf_low: Some(-0.1575),
            conf_high: Some(0.0551),
            approximate: Some(Words::new(
                "The test is approximate, because the gate couples admission to earlier arms.",
                "Testet är approximativt, eftersom intagsstoppet kopplar intaget till tidigare lotter.",
            )),
        }),
        covariates: covariates.clone(),
        deviations: vec![Deviation {
            code: "site-merged",
            message: Words::new(
                "Skarpnäck had fewer than 5 families in an arm and was merged with Hägersten-Liljeholmen.",
                "Skarpnäck hade färre än 5 familjer i en grupp och slogs ihop med Hägersten-Liljeholmen.",
            ),
        }],
        warnings: vec![Warning::new(
            "test-approximate",
            Words::new(
                "Admission depended on earlier arms through the gate; the simulated size of the test is in the protocol's check.",
                "Intaget berodde på tidigare lotter genom intagsstoppet; testets simulerade storlek finns i protokollets kontroll.",
            ),
        )],
        refused: None,
        conclusion: Words::new(
            "The result is compatible with anything from 16 fewer to 5 more families of 100 with a new report of concern.",
            "Resultatet är förenligt med allt från 16 färre till 5 fler familjer av 100 med en ny orosanmälan.",
        ),
    };
    let secondary = AnalysisResult {
        id: "acceptance".into(),
        role: Role::Secondary,
        outcome: "accepted".into(),
        outcome_label: Words::new(
            "Accepted and started an intervention within 12 months",
            "Tackat ja och påbörjat insats inom 12 månader",
        ),
        estimand: Words::new(
            "difference in the proportion of all randomized families that accepted and started an intervention, as randomized",
            "skillnad i andelen av alla lottade familjer som tackat ja till och påbörjat en insats, enligt lottning",
        ),
        arms: vec![outcome(0, 166, 166, 97), outcome(1, 164, 164, 71)],
        results: vec![estimate(
            "lin",
            [0.1498, 0.0538, 2.784, 310.2, 0.0057, 0.0439, 0.2557],
            (166, 164),
        )],
        test: None,
        attributes: attributes(1),
        missing_rule: Missing::NotAccepted,
        missingness: None,
        test_registered: false,
        p_adjusted: Some(0.0057),
        deviations: Vec::new(),
        warnings: Vec::new(),
        refused: None,
        conclusion: Words::new(
            "The result is compatible with 4 to 26 more families of 100 that accepted and started an intervention.",
            "Resultatet är förenligt med att 4 till 26 fler familjer av 100 tackat ja och påbörjat en insats.",
        ),
        covariates,
        ..primary.clone()
    };
    let sites = [
        (20_122, 68, 340),
        (20_122, 74, 338),
        (20_125, 66, 330),
        (20_129, 61, 325),
        (20_143, 61, 318),
    ];
    Parts {
        protocol: protocol(PROTOCOL),
        flow: Flow {
            screened: 486,
            screenings: 512,
            not_eligible: vec![
                reason("investigation-opened", 41),
                reason("immediate-placement", 12),
                reason("police-led", 0),
                reason("target-group", 58),
            ],
            turned_away: 42,
            exceptions: vec![
                reason("staff-conflict-of-interest", 3),
                reason("court-order", 0),
            ],
            reason_erased: 0,
            randomized: 330,
            randomized_after_turned_away: 17,
            joined_children: 6,
            arms: vec![
                arm_flow(0, 166, [7, 1, 2, 0, 1, 3]),
                arm_flow(1, 164, [4, 2, 1, 1, 0, 3]),
            ],
            sites: sites
                .iter()
                .enumerate()
                .map(|(site, (opened, families, stretch))| SiteFlow {
                    site,
                    opened: Day(*opened),
                    randomized: days(*opened + 1, *families, *stretch),
                    turned_away: 7 + site as u32 % 3,
                    gate_closed: (0..4 - site as i32 % 2)
                        .map(|k| {
                            let from = opened + 40 + 71 * k + 9 * site as i32;
                            (Day(from), Day(from + 3 + 2 * k + site as i32))
                        })
                        .collect(),
                })
                .collect(),
        },
        conduct: Conduct {
            received_own: vec![FamilyIx(16)],
            of_a_drawn: Vec::new(),
            violations: [[2, 1], [0, 0], [1, 0], [0, 3]]
                .into_iter()
                .enumerate()
                .map(|(reason, arms)| ViolationCount {
                    reason: reason as u16,
                    arms: arms.to_vec(),
                })
                .collect(),
            left_out: 3,
            alerts: vec![
                Alert::Site {
                    capped: Capped::Exceptions,
                    site: SiteIx(1),
                    quarter: (2025, 2),
                    count: 2,
                    cap: 1,
                },
                Alert::Study {
                    capped: Capped::Violations,
                    families: 15,
                    of: 708,
                    share: 0.0212,
                    cap: 0.02,
                },
            ],
            direction: Some(Direction {
                toward: Arm(0),
                to: 2,
                of: 3,
                expected: 0.5,
                p_value: 0.5,
            }),
            changed: vec![FamilyIx(4), FamilyIx(9)],
            changed_between: vec![FamilyIx(4)],
            came_back: vec![FamilyIx(11)],
            exception_withdrawn: vec![FamilyIx(12), FamilyIx(13)],
            exception_after_draw: vec![FamilyIx(14)],
            answers_after_draw: vec![FamilyIx(15)],
            slots: Some(FreedByIntake {
                freed: 3,
                retracted: 1,
                drawn: 1,
            }),
        },
        cohort: Cohort {
            ever: 59,
            randomized: 17,
            erased: 0,
            linked: 0,
            families: 42,
            outcomes: vec![CohortOutcome {
                outcome: 0,
                known: 39,
                unknown: 2,
                not_yet: 1,
                with_report: 17,
                interval: Some((0.293, 0.590)),
                sites: [Some((11, 5)), None, Some((12, 6)), None, Some((10, 5))]
                    .into_iter()
                    .enumerate()
                    .map(|(site, counts)| CohortSite {
                        site: SiteIx(site as u16),
                        counts,
                    })
                    .collect(),
            }],
        },
        analyses: Analyses {
            lock: Some("final".into()),
            cut: Day(20_880),
            dry_run: false,
            analyses: vec![primary, secondary],
            ledger: vec![DeviationLine {
                code: "site-merged".into(),
                analysis: Some("primary".into()),
                what: Words::new(
                    "Skarpnäck had fewer than 5 families in an arm and was merged with Hägersten-Liljeholmen.",
                    "Skarpnäck hade färre än 5 familjer i en grupp och slogs ihop med Hägersten-Liljeholmen.",
                ),
                why: Words::new("A rule of the plan.", "En regel i planen."),
                when: "2027-03-03".into(),
                who: Words::new("the registered rule", "den registrerade regeln"),
            }],
            baseline: Baseline {
                families: vec![166, 164],
                rows: vec![
                    BaselineRow {
                        label: Words::new("Earlier reports of concern", "Tidigare orosanmälningar"),
                        level: None,
                        arms: vec![
                            number(3.42, 1.61, 3.0, (2.0, 4.0), 166),
                            number(3.51, 1.70, 3.0, (2.0, 5.0), 164),
                        ],
                        smd: Some(-0.0544),
                    },
                    BaselineRow {
                        label: Words::new("Age of the youngest child", "Yngsta barnets ålder"),
                        level: None,
                        arms: vec![
                            number(6.13, 4.42, 5.0, (2.0, 9.0), 166),
                            number(6.40, 4.61, 6.0, (2.0, 10.0), 164),
                        ],
                        smd: Some(-0.0598),
                    },
                    share_row("violence", 44, 47, -0.048),
                    share_row("parent", 61, 52, 0.106),
                    share_row("child", 31, 33, -0.036),
                    share_row("crime", 12, 18, -0.131),
                    share_row("other", 18, 14, 0.080),
                ],
            },
            balance: Balance {
                test: Ok(BalanceTest {
                    characteristics: 10,
                    statistic: 0.0271,
                    p_value: 0.5613,
                    p_smallest: 0.0001,
                    exact: false,
                    draws: 9_999,
                    mcse: 0.0050,
                }),
                warnings: Vec::new(),
            },
        },
        provenance: Provenance {
            version: "0.1.0".into(),
            generated: "2027-03-03T09:00:00+01:00".into(),
            head: "9b1c".repeat(16),
            events: 4127,
            allocations: 330,
            verdict: Verdict::Verified,
            seeds: vec![SeedFact {
                epoch: 0,
                commitment: "5e0d".repeat(16),
                revealed: true,
            }],
            rehearsal: false,
        },
    }
}

/// Everything that strains a page: four arms, no events, tiny p, endless labels, markup in labels, failed verification,
/// undefined numbers, a dry run of a rehearsal.
pub(crate) fn extreme() -> Parts {
    let mut text = PROTOCOL.replace(
        "label = { sv = \"Sedvanlig handläggning\", en = \"Standard handling\" }",
        "label = { sv = \"Sedvanlig <handläggning> & \\\"övrigt\\\"\", en = \"Standard <handling> & 'other'\" }",
    );
    let long = "Familjebehandlingskonsultationssamordningsinsats i hemmiljö med återkommande nätverksmöten";
    text = text.replace(
        "[unit]\n",
        &format!(
            "[[arm]]\nid = \"network\"\nlabel = {{ sv = \"{long}\", en = \"{long}\" }}\nratio = 1\n\n\
             [[arm]]\nid = \"short\"\nlabel = {{ sv = \"Å\", en = \"A\" }}\nratio = 1\n\n[unit]\n"
        ),
    );
    text = text
        .replace(
            "Är omedelbar placering aktuell?",
            "Är omedelbar placering av ett eller flera barn enligt lagen med särskilda bestämmelser om vård av unga aktuell just nu, eller har sådan <beslutats> & verkställts?",
        )
        .replace("name = \"Skärholmen\"", "name = \"Stadsdelsförvaltningsområdet Skärholmen och Bredäng & <Sätra>\"")
        .replace("method = \"big-stick\"", "method = \"simple\"")
        .replace("max_imbalance = 4\n", "");
    let mut parts = ordinary();
    parts.protocol = protocol(&text);
    parts.analyses.balance.test = Err(TestError::NoVariation);
    parts.flow.arms.push(arm_flow(2, 0, [0; 6]));
    parts
        .flow
        .arms
        .push(arm_flow(3, 1_234_567, [1, 0, 0, 0, 0, 1_234_567]));
    for count in &mut parts.conduct.violations {
        count.arms.extend([0, 0]);
    }
    parts.conduct.direction = None;
    parts.flow.sites[4].randomized.clear();
    parts.flow.sites[4].gate_closed = vec![(Day(20_143), Day(20_480))];
    let baseline = &mut parts.analyses.baseline;
    baseline.families.extend([0, 1_234_567]);
    for row in &mut baseline.rows {
        row.arms
            .extend([BaselineCell::Empty, BaselineCell::Share { count: 0, of: 3 }]);
        row.smd = None;
    }
    let primary = &mut parts.analyses.analyses[0];
    primary.arms = vec![
        outcome(0, 166, 166, 0),
        outcome(1, 164, 164, 40),
        outcome(2, 0, 0, 0),
        outcome(3, 1_234_567, 1, 1),
    ];
    primary.results[0] = estimate(
        "lin",
        [-0.2439, 0.033, -7.4, 160.0, 1e-12, -0.31, -0.17],
        (166, 164),
    );
    primary.results[1] = estimate(
        "risk-difference",
        [0.02, 0.9, 0.02, 3.1, 0.98, -0.99, 0.99],
        (1, 164),
    );
    primary.results[1].term = "short vs standard".into();
    let mut undefined = estimate("risk-difference", [0.0; 7], (0, 164));
    undefined.term = "network vs standard".into();
    (undefined.estimate, undefined.std_error, undefined.p_value) = (None, None, None);
    (undefined.conf_low, undefined.conf_high) = (None, Some(0.4));
    primary.results.push(undefined);
    primary.test = Some(TestResult {
        conf_low: None,
        conf_high: None,
        p_value: 0.000_1,
        exact: true,
        draws: 100_000,
        failed: 3,
        mcse: 0.0,
        level: 0.95,
        approximate: None,
    });
    let secondary = &mut parts.analyses.analyses[1];
    secondary.prespecified = false;
    for arm in &mut secondary.arms {
        (arm.events, arm.mean) = (None, Some(41.25));
    }
    secondary.results = vec![estimate(
        "lin",
        [-12.4, 3.2, -3.9, 300.0, 0.049_6, -18.7, -6.1],
        (166, 164),
    )];
    parts.analyses.dry_run = true;
    parts.provenance.rehearsal = true;
    parts.provenance.seeds.clear();
    parts.provenance.verdict = Verdict::Failed {
        first_bad: Some(17),
        findings: vec![Words::new(
            "draw 3 gives <standard>, the ledger says iuh",
            "lott 3 ger <standard>, liggaren säger iuh",
        )],
    };
    parts
}

/// The extreme report with the comparisons of its further arms, the first of which has a test of its own, and with a bound beside.
pub(crate) fn several() -> Parts {
    let mut parts = extreme();
    let primary = &mut parts.analyses.analyses[0];
    primary.p_adjusted = Some(0.0003);
    let mut beside = primary.results[1].clone();
    beside.term = "lower".into();
    beside.extra.insert("sensitivity".into(), "manski".into());
    beside.extra.insert("arm".into(), "short".into());
    primary.results[2].df = None;
    primary.results.push(beside);
    let comparison = |arm: u8, row: usize| Comparison {
        arm: Arm(arm),
        rows: row..row + 1,
        beside: 3..3,
        test: None,
        p_adjusted: None,
        q_value: None,
        refused: None,
        conclusion: Words::default(),
    };
    let mut short = comparison(3, 1);
    (short.p_adjusted, short.q_value) = (Some(0.06), Some(0.2));
    short.test = primary.test.clone().map(|own| TestResult {
        p_value: 0.03,
        exact: false,
        draws: 999,
        failed: 0,
        mcse: 0.005,
        ..own
    });
    primary.further = vec![short, comparison(2, 2)];
    parts
}
