//! The engine `kernel` against the whole machine, record by record, and against power that is enumerated.

use lottning::analysis::covariates::SiteGroups;
use lottning::estimation::counted_strata::{StratumCounts, fit};
use lottning::numerics::binomial::Binomial;
use lottning::planning::kernel_tier::Kernel;
use lottning::planning::scenario::{Cell, Plan, plan};
use lottning::planning::study::Simulator;
use rayon::iter::{IntoParallelIterator, ParallelIterator};

const SCENARIO: &str = include_str!("../../simulations/workloads/w1.toml");
const PROTOCOL: &str = include_str!("../../simulations/protocols/fixed-binary.toml");

pub(super) fn planned(scenario: &str, protocol: &str, settings: &[&str]) -> Plan {
    let mut all = vec!["engine=\"kernel\"".to_owned()];
    all.extend(settings.iter().map(ToString::to_string));
    plan(scenario, protocol, &all).unwrap_or_else(|refused| panic!("{refused:?}"))
}

/// Studies that both engines run, and how many of them the kernel left to the whole machine.
pub(super) fn alike(cell: &Cell, replicates: std::ops::Range<u64>, draws: u32) -> u64 {
    let mut kernel = Kernel::new(cell, 1).with_draws(draws);
    let mut whole = Simulator::new(cell, 1).with_draws(draws);
    for replicate in replicates {
        let (ours, theirs) = (kernel.study(replicate), whole.study(replicate));
        // Debug text tells every bit of a number, the sign of zero too.
        assert_eq!(
            format!("{:?}", ours.unwrap()),
            format!("{:?}", theirs.unwrap()),
            "{replicate}"
        );
    }
    kernel.left()
}

#[test]
fn a_thousand_studies_have_the_same_bits_in_both_engines() {
    let plan = planned(SCENARIO, PROTOCOL, &[]);
    assert_eq!(alike(&plan.cells[0], 0..1000, 0), 0);
}

/// Other lists, ratios, block lengths, rates, closed weeks, ends of enrolment, and sites that merge.
#[test]
fn other_designs_have_the_same_bits_in_both_engines() {
    let lengths = PROTOCOL.replace("block_len = 4", "block_lens = [2, 4]");
    let one_list = lengths.replace("strata = [\"site\"]", "strata = []");
    let unadjusted = PROTOCOL.replace("covariates = [\"site\"]", "covariates = []");
    let two_to_one = PROTOCOL
        .replace("ratio = 1\n\n", "ratio = 2\n\n")
        .replace("block_len = 4", "block_len = 6");
    let stick = PROTOCOL.replace(
        "method = \"permuted-block\"\nblock_len = 4",
        "method = \"big-stick\"\nmax_imbalance = 3",
    );
    let unequal_stick = stick.replace("ratio = 1\n\n", "ratio = 2\n\n");
    let rates = "accrual.families_per_month_and_site={ mean = 5, gamma_shape = 2 }";
    let uneven = "accrual.families_per_month_and_site={ mean = 9, sites = { district-2 = 0.4 } }";
    for (protocol, settings) in [
        (lengths.as_str(), vec![rates]),
        (&one_list, vec!["accrual.closed_weeks=[28, 29, 30]"]),
        (&unadjusted, vec!["truth.rereport_ratio=1.0"]),
        (&two_to_one, vec![uneven]),
        (&stick, vec!["months=6", rates]),
        (&unequal_stick, vec!["months=6"]),
        (PROTOCOL, vec!["protocol.sample_size.stop.families=70"]),
        (PROTOCOL, vec!["truth.reports_dispersion=1.2", "months=9"]),
    ] {
        let plan = planned(SCENARIO, protocol, &settings);
        assert_eq!(alike(&plan.cells[0], 0..150, 0), 0, "{settings:?}");
    }
}

/// A handful of families does not settle the model by counts alone: the whole machine answers.
#[test]
fn a_study_that_counts_do_not_settle_is_left_to_the_whole_machine() {
    let few = ["protocol.sample_size.stop.families=3"];
    let plan = planned(SCENARIO, PROTOCOL, &few);
    assert_eq!(alike(&plan.cells[0], 0..50, 0), 50);
}

#[test]
fn what_does_not_fit_is_named() {
    let protocol = include_str!("../../protocols/iuh-2025/protocol.toml");
    let scenario = include_str!("../../simulations/iuh-2025.toml");
    let refused = plan(scenario, protocol, &["engine=\"kernel\"".to_owned()]).unwrap_err();
    let finding = &refused.diagnostics[0];
    assert_eq!(finding.code, "outside-kernel");
    for part in [
        "gate",
        "rule on fields",
        "[uptake]",
        "[exit]",
        "`primary`",
        "`acceptance`",
    ] {
        assert!(
            finding.message.en.contains(part),
            "{part}: {}",
            finding.message.en
        );
    }
}

/// Studies of an exact power: `cargo test` runs some, `.ci/run` ten million.
fn replicates() -> u64 {
    let asked = std::env::var("LOTTNING_TEST_REPLICATES").ok();
    asked.and_then(|own| own.parse().ok()).unwrap_or(100_000)
}

/// The share of the kernel's studies with p ≤ .05 against an exact power: |z| < 5 at a fixed seed.
pub(super) fn has_power(cell: &Cell, exact: f64) {
    has_power_in(cell, exact, 1);
}

/// The same for one of so many powers, which have the studies between them.
pub(super) fn has_power_in(cell: &Cell, exact: f64, powers: u64) {
    has_power_by(cell, 0, exact, powers);
}

/// The same by the randomization test with so many redraws.
pub(super) fn has_power_by(cell: &Cell, draws: u32, exact: f64, powers: u64) {
    const PIECE: u64 = 5000;
    let studies = replicates() / powers;
    let rejected: u64 = (0..studies.div_ceil(PIECE))
        .into_par_iter()
        .map(|piece| {
            let mut kernel = Kernel::new(cell, 20_261_126).with_draws(draws);
            let own = piece * PIECE..studies.min((piece + 1) * PIECE);
            own.filter(|replicate| kernel.study(*replicate).unwrap().analyses[0].rejects(0.05))
                .count() as u64
        })
        .sum();
    let share = rejected as f64 / studies as f64;
    let z = (share - exact) / (exact * (1.0 - exact) / studies as f64).sqrt();
    assert!(
        z.abs() < 5.0,
        "{share} of {studies} against {exact}: z = {z}"
    );
}

/// The protocol with its first sites alone.
pub(super) fn with_sites(number: usize) -> String {
    let mut parts = PROTOCOL.split("[[site]]");
    let head = parts.next().unwrap();
    let sites: Vec<&str> = parts.collect();
    let (_, rest) = sites[sites.len() - 1].split_once("[[arm]]").unwrap();
    let mut text = head.to_owned();
    for site in &sites[..number] {
        let own = site.split("[[arm]]").next().unwrap();
        text.push_str("[[site]]");
        text.push_str(own);
    }
    text.push_str("[[arm]]");
    text.push_str(rest);
    text
}

fn rejects(strata: &[StratumCounts]) -> bool {
    let found = fit(strata, 0.95).unwrap();
    found.p_value.is_some_and(|p| p <= 0.05)
}

/// One site, 300 families in blocks of four: 150 in each arm, so that the power is a sum over two binomial counts.
#[test]
fn one_list_has_its_exact_power() {
    let fast = "accrual.families_per_month_and_site={ mean = 30 }"; // all 300 come, in a year instead of five
    let plan = planned(SCENARIO, &with_sites(1), &[fast]);
    let (control, treated) = (binomial(150, 0.3), binomial(150, 0.2));
    let mut exact = 0.0;
    for (k0, p0) in control.iter().enumerate() {
        for (k1, p1) in treated.iter().enumerate() {
            let own = StratumCounts {
                rows: [150, 150],
                ones: [k0 as u32, k1 as u32],
            };
            exact += if rejects(&[own]) { p0 * p1 } else { 0.0 };
        }
    }
    has_power(&plan.cells[0], exact);
}

pub(super) fn binomial(n: u32, p: f64) -> Vec<f64> {
    let law = Binomial::new(u64::from(n), p).unwrap();
    (0..=u64::from(n)).map(|k| law.pmf(k)).collect()
}

/// How many of `n` families of a list in blocks of four are treated: two of each whole block, and hypergeometric in the
/// last one, whose first `n mod 4` places are 6 equally likely orders' beginnings.
fn treated_of(n: u32) -> Vec<(u32, f64)> {
    let whole = n / 4 * 2;
    let rest: &[(u32, f64)] = match n % 4 {
        0 => &[(0, 1.0)],
        1 => &[(0, 0.5), (1, 0.5)],
        2 => &[(0, 1.0 / 6.0), (1, 4.0 / 6.0), (2, 1.0 / 6.0)],
        _ => &[(1, 0.5), (2, 0.5)],
    };
    rest.iter().map(|(own, p)| (whole + own, *p)).collect()
}

/// How many of the first `all` families come to the first of two sites with `rate` families a day each: Poisson each
/// day, the first site's before the second's, until `all` have come. A day without families changes nothing.
fn first_of_two(all: usize, rate: f64) -> Vec<f64> {
    let mut day = vec![(-rate).exp()];
    for k in 1..=all {
        day.push(day[k - 1] * rate / k as f64);
    }
    let beyond = |from: usize| 1.0 - day[..from].iter().sum::<f64>();
    let some = 1.0 - day[0] * day[0];
    let mut mass = vec![vec![0.0; all + 1]; all + 1];
    mass[0][0] = 1.0;
    let mut end = vec![0.0; all + 1];
    for total in 0..all {
        for a in 0..=total {
            let own = mass[a][total - a] / some;
            let left = all - total;
            for x in 0..left {
                for y in usize::from(x == 0)..left - x {
                    mass[a + x][total - a + y] += own * day[x] * day[y];
                }
                // The second site fills what is left.
                end[a + x] += own * day[x] * beyond(left - x);
            }
            end[a + left] += own * beyond(left);
        }
    }
    end
}

/// Two sites that share 32 families as they come: sizes, arms and outcomes are all enumerated, with the rule that merges
/// a site with fewer than five families in an arm.
#[test]
fn two_lists_have_their_exact_power() {
    const ALL: usize = 32;
    let settings = [
        "protocol.sample_size.stop.families=32",
        "truth.rereport_control=0.7",
        "truth.rereport_ratio=0.5",
    ];
    let plan = planned(SCENARIO, &with_sites(2), &settings);
    let sizes = first_of_two(ALL, 5.0 / 30.4375);
    assert!((sizes.iter().sum::<f64>() - 1.0).abs() < 1e-12);
    let exact: f64 = (0..=ALL)
        .into_par_iter()
        .map(|first| sizes[first] * power_of([first as u32, (ALL - first) as u32]))
        .sum();
    has_power(&plan.cells[0], exact);
}

/// The power given the sizes of two lists, reports .7 and .35.
fn power_of(sizes: [u32; 2]) -> f64 {
    let mut groups = SiteGroups::default();
    let mut power = 0.0;
    for (t1, p1) in treated_of(sizes[0]) {
        for (t2, p2) in treated_of(sizes[1]) {
            let rows = [[sizes[0] - t1, t1], [sizes[1] - t2, t2]];
            groups.realize(&rows.concat(), 2);
            let laws = rows.map(|[n0, n1]| [binomial(n0, 0.7), binomial(n1, 0.35)]);
            let mut strata = vec![StratumCounts::default(); usize::from(groups.number())];
            let mut own = 0.0;
            for (a0, q0) in laws[0][0].iter().enumerate() {
                for (a1, q1) in laws[0][1].iter().enumerate() {
                    for (b0, r0) in laws[1][0].iter().enumerate() {
                        for (b1, r1) in laws[1][1].iter().enumerate() {
                            strata.fill(StratumCounts::default());
                            for (site, ones) in [[a0, a1], [b0, b1]].iter().enumerate() {
                                let Some(group) = groups.of(site) else {
                                    continue;
                                };
                                let into = &mut strata[usize::from(group)];
                                for side in [0, 1] {
                                    into.rows[side] += rows[site][side];
                                    into.ones[side] += ones[side] as u32;
                                }
                            }
                            own += if rejects(&strata) {
                                q0 * q1 * r0 * r1
                            } else {
                                0.0
                            };
                        }
                    }
                }
            }
            power += p1 * p2 * own;
        }
    }
    power
}
