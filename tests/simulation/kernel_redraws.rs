//! The randomization test by the engine `kernel` (workload W5): against the whole machine, record by record, and against the power
//! that its redraws have exactly.

use lottning::planning::kernel_tier::Kernel;

use crate::kernel::{alike, binomial, has_power_by, planned, with_sites};
use std::collections::BTreeMap;

const SCENARIO: &str = include_str!("../../simulations/workloads/w5.toml");
const PROTOCOL: &str = include_str!("../../simulations/protocols/fixed-binary.toml");

/// One list over all sites, none of which is a covariate: arms are drawn in the order of the ledger.
fn one_list() -> String {
    let protocol = PROTOCOL
        .replace(
            "strata = [\"site\"]\n\n[[event]]",
            "strata = []\n\n[[event]]",
        )
        .replace("covariates = [\"site\"]", "covariates = []");
    assert_eq!(protocol.matches("[\"site\"]").count(), 1); // the stratified analysis, which is not run
    protocol
}

/// Workload W5 as it is, all its studies; with fewer redraws, since most of 10,000 tell nothing more of the bits; and some with all.
#[test]
fn a_thousand_studies_with_redraws_have_the_same_bits_in_both_engines() {
    let plan = planned(SCENARIO, PROTOCOL, &[]);
    assert_eq!(alike(&plan.cells[0], 0..1000, 199), 0);
    assert_eq!(alike(&plan.cells[0], 0..20, 10_000), 0);
}

/// Sites with lists of their own, blocks of both lengths, and one list for all, whose arms are drawn in the order of the ledger.
#[test]
fn other_lists_with_redraws_have_the_same_bits_in_both_engines() {
    let lengths = PROTOCOL.replace("block_len = 4", "block_lens = [2, 4]");
    let all_in_one = lengths.replace("strata = [\"site\"]", "strata = []");
    for protocol in [&lengths, &all_in_one, &one_list()] {
        let settings = ["protocol.sample_size.stop.families=60"];
        let plan = planned(SCENARIO, protocol, &settings);
        assert_eq!(alike(&plan.cells[0], 0..1000, 39), 0);
    }
}

/// Every control family has a report and no treated one, so that nothing is left over for a standard error: redraws decide, none of which
/// is as extreme, and there is no interval.
#[test]
fn an_effect_without_a_standard_error_is_decided_by_redraws_in_both_engines() {
    let settings = [
        "protocol.sample_size.stop.families=60",
        "truth.rereport_control=0.999999999999",
        "truth.rereport_ratio=1e-12",
    ];
    let plan = planned(SCENARIO, PROTOCOL, &settings);
    let cell = &plan.cells[0];
    assert_eq!(alike(cell, 0..50, 199), 0);
    let record = Kernel::new(cell, 1).with_draws(199).study(0).unwrap();
    let found = record.analyses[0].found.as_ref().unwrap();
    assert!((found.estimate + 1.0).abs() < 1e-9 && found.std_error.abs() <= 0.0);
    assert!(record.analyses[0].rejects(0.05) && !found.has_interval());
}

/// Blocks, of four each.
const BLOCKS: u32 = 10;
/// Redraws: a study rejects when none of them is as extreme in one of the tails, 2·(1 + 0)/(1 + 39) = .05.
const DRAWS: u32 = 39;

/// What a block leaves to its redraws: whether 1 of its families has a report, or 3; whether 2 have; and how many treated ones have
/// more of them than the fewest that a redraw can give.
type Left = (usize, usize, usize);

/// The law of ten blocks of two treated and two control families with these risks, put together.
fn blocks(control: f64, treated: f64) -> BTreeMap<Left, f64> {
    let laws = [binomial(2, control), binomial(2, treated)];
    let mut law = BTreeMap::from([((0, 0, 0), 1.0)]);
    for _ in 0..BLOCKS {
        let mut next = BTreeMap::new();
        for ((odd, two, more), p) in law {
            for (ones, q0) in laws[0].iter().enumerate() {
                for (own, q1) in laws[1].iter().enumerate() {
                    let all = ones + own;
                    let fewest = all.saturating_sub(2);
                    let left = (
                        odd + usize::from(all % 2 == 1),
                        two + usize::from(all == 2),
                        more + own - fewest,
                    );
                    *next.entry(left).or_insert(0.0) += p * q0 * q1;
                }
            }
        }
        law = next;
    }
    law
}

/// How many treated families with a report a redraw has beyond the fewest: of a block with one such family, or one without, 0 or 1
/// at even chances; of a block with two, 0, 1 or 2 in 1, 4 and 1 of its 6 orders.
fn redrawn(odd: usize, two: usize) -> Vec<f64> {
    let mut law = vec![1.0];
    let orders = [&[0.5, 0.5][..], &[1.0 / 6.0, 4.0 / 6.0, 1.0 / 6.0]];
    for (chances, times) in orders.iter().zip([odd, two]) {
        for _ in 0..times {
            let mut next = vec![0.0; law.len() + chances.len() - 1];
            for (own, p) in law.iter().enumerate() {
                for (more, chance) in chances.iter().enumerate() {
                    next[own + more] += p * chance;
                }
            }
            law = next;
        }
    }
    law
}

/// The power of the test by redraws. Given outcomes and arms, the statistic grows with the number of treated families with a
/// report, so that a redraw is as extreme with the chance of a tail of [`redrawn`], each redraw by itself: the count in a tail is
/// binomial, and both tails cannot be rare at once.
fn power_of(control: f64, treated: f64) -> f64 {
    let rare = |chance: f64| binomial(DRAWS, chance)[0];
    let each = blocks(control, treated);
    assert!((each.values().sum::<f64>() - 1.0).abs() < 1e-12);
    each.into_iter()
        .filter(|((odd, two, _), _)| odd + two > 0) // else every redraw is the same, and there is no test
        .map(|((odd, two, more), p)| {
            let law = redrawn(odd, two);
            let upper: f64 = law[more..].iter().sum();
            let lower: f64 = law[..=more].iter().sum();
            p * (rare(upper.min(1.0)) + rare(lower.min(1.0)))
        })
        .sum()
}

/// Forty families in blocks of four, 39 redraws in each study: one site, whose blocks are drawn by themselves, without an effect;
/// and six sites with one list, drawn in the order of the ledger, with one. Half of the studies each. The powers .0234039098
/// and .4187636467 were enumerated by a program of its own, too (own Python, the same law).
#[test]
fn redraws_have_their_exact_power() {
    for (protocol, ratio, own) in [
        (with_sites(1), 1.0, 0.023_403_909_8),
        (one_list(), 0.5, 0.418_763_646_7),
    ] {
        let settings = [
            "protocol.sample_size.stop.families=40".to_owned(),
            "accrual.families_per_month_and_site={ mean = 30 }".to_owned(),
            "truth.rereport_control=0.7".to_owned(),
            format!("truth.rereport_ratio={ratio}"),
        ];
        let settings: Vec<&str> = settings.iter().map(String::as_str).collect();
        let plan = planned(SCENARIO, &protocol, &settings);
        let exact = power_of(0.7, 0.7 * ratio);
        assert!((exact - own).abs() < 1e-9, "{exact}");
        has_power_by(&plan.cells[0], DRAWS, exact, 2);
    }
}
