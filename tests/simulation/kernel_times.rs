//! The engine `kernel` on times to a first report, with looks and without: against the whole machine, record by record,
//! and against a power that is enumerated.

use super::kernel::{alike, has_power_in, planned};
use lottning::numerics::normal;
use lottning::planning::kernel_tier::Kernel;
use lottning::planning::scenario::plan;
use rayon::iter::{IntoParallelIterator, ParallelIterator};

const SCENARIO: &str = include_str!("../../simulations/workloads/w4.toml");
const PROTOCOL: &str = include_str!("../../simulations/protocols/monitored.toml");

/// The protocol without its looks.
fn without_looks() -> String {
    let (head, rest) = PROTOCOL.split_once("[[lock]]\nid = \"look-1\"").unwrap();
    let (_, rest) = rest.split_once("[[lock]]\nid = \"final\"").unwrap();
    format!("{head}[[lock]]\nid = \"final\"{rest}")
        .replace("looks = [\"look-1\", \"look-2\"]\n", "")
}

#[test]
fn a_thousand_studies_have_the_same_bits_in_both_engines() {
    let plan = planned(SCENARIO, PROTOCOL, &[]);
    assert_eq!(alike(&plan.cells[0], 0..1000, 0), 0);
}

/// No look, so that no study stops: a thousand studies.
#[test]
fn studies_that_never_stop_have_the_same_bits_in_both_engines() {
    let plan = planned(SCENARIO, &without_looks(), &[]);
    assert_eq!(alike(&plan.cells[0], 0..1000, 0), 0);
}

/// Uneven arrivals with rates of their own, closed weeks and an end before all have come: a thousand studies.
#[test]
fn another_accrual_has_the_same_bits_in_both_engines() {
    let settings = [
        "accrual.families_per_month_and_site={ mean = 4, gamma_shape = 20, sites = { district-2 = 2.5 } }",
        "accrual.closed_weeks=[28, 29, 30]",
        "months=20",
    ];
    let plan = planned(SCENARIO, PROTOCOL, &settings);
    // Where a site has fewer than five families of an arm at a look, sites are merged, and the whole machine answers.
    let left = alike(&plan.cells[0], 0..1000, 0);
    assert!(left < 50, "{left}");
}

/// Effects that stop most studies while families still come, no effect, overdispersed reports, one stratum, other
/// windows and lists, and few families at the first look: there the whole machine answers now and then.
#[test]
fn other_designs_have_the_same_bits_in_both_engines() {
    let unstratified = PROTOCOL.replace(
        "estimator = \"log-rank\"\nstrata = [\"site\"]",
        "estimator = \"log-rank\"",
    );
    let cox_alone = PROTOCOL.replace(
        "estimator = \"cox\"\nstrata = [\"site\"]",
        "estimator = \"cox\"",
    );
    let later = PROTOCOL.replace("window_days = [1, 1000]", "window_days = [31, 400]");
    let one_list = PROTOCOL.replace(
        "block_lens = [2, 4]\nstrata = [\"site\"]",
        "block_len = 4\nstrata = []",
    );
    let robust = PROTOCOL.replace(
        "estimator = \"cox\"\n",
        "estimator = \"cox\"\nvariance = \"robust\"\nties = \"breslow\"\n",
    );
    for own in [&unstratified, &cox_alone, &later, &one_list, &robust] {
        assert!(own.as_str() != PROTOCOL);
    }
    for (protocol, settings, all) in [
        (PROTOCOL, vec!["truth.rereport_ratio=0.4"], true),
        (PROTOCOL, vec!["truth.rereport_ratio=1.0"], true),
        (
            PROTOCOL,
            vec!["truth.reports_dispersion=0.3", "truth.rereport_control=0.4"],
            true,
        ),
        (&unstratified, vec![], true),
        (&cox_alone, vec!["truth.rereport_ratio=0.6"], true),
        (&later, vec!["truth.rereport_control=0.6"], true),
        (&one_list, vec!["months=18"], true),
        (&robust, vec![], true),
        (
            PROTOCOL,
            vec!["accrual.families_per_month_and_site={ mean = 0.9 }"],
            false,
        ),
        (
            PROTOCOL,
            vec!["protocol.sample_size.stop.families=30"],
            false,
        ),
    ] {
        let plan = planned(SCENARIO, protocol, &settings);
        let left = alike(&plan.cells[0], 0..150, 0);
        assert!(left == 0 || !all, "{settings:?}: {left}");
        assert!(left < 150 || !all, "{settings:?}: {left}");
    }
}

#[test]
fn what_does_not_fit_is_named() {
    let adjusted = PROTOCOL.replace(
        "estimator = \"cox\"\nstrata = [\"site\"]",
        "estimator = \"cox\"\ncovariates = [\"site\"]",
    );
    let windows = PROTOCOL.replace(
        "cut = 2028-09-27",
        "after = \"last-window\"\ngrace_days = 14",
    );
    for (protocol, settings, part) in [
        (adjusted.as_str(), vec![], "`hazards`"),
        (&windows, vec![], "dates"),
        (PROTOCOL, vec!["exit.left_coverage_per_year=0.1"], "[exit]"),
        (
            PROTOCOL,
            vec!["truth.rereport_control=0.99999"],
            "too many reports",
        ),
    ] {
        let mut all = vec!["engine=\"kernel\"".to_owned()];
        all.extend(settings.iter().map(ToString::to_string));
        let refused = plan(SCENARIO, protocol, &all).unwrap_err();
        let messages: Vec<String> = refused
            .diagnostics
            .iter()
            .map(|own| format!("{} {}", own.code, own.message.en))
            .collect();
        let found = messages
            .iter()
            .any(|own| own.starts_with("outside-kernel") && own.contains(part));
        assert!(found, "{part}: {messages:?}");
    }
}

/// Families of an arm.
const ARM: u32 = 16;
/// Days of the window.
const DAYS: usize = 3;

/// The ways in which the first reports of an arm fall on the days of the window, each with its probability: multinomial,
/// where a Poisson number of reports falls evenly on the days, so that nobody has one until day k with probability
/// (1 − risk)^(k/days).
fn ways(risk: f64) -> Vec<([u32; DAYS], f64)> {
    let until = |day: usize| (1.0 - risk).powf(day as f64 / DAYS as f64);
    let chance: Vec<f64> = (0..DAYS).map(|day| until(day) - until(day + 1)).collect();
    let factorial = |n: u32| (1..=n).map(f64::from).product::<f64>();
    let mut all = Vec::new();
    for a in 0..=ARM {
        for b in 0..=ARM - a {
            for c in 0..=ARM - a - b {
                let counts = [a, b, c];
                let never = ARM - a - b - c;
                let orders = counts.iter().chain([&never]).map(|own| factorial(*own));
                let orders = factorial(ARM) / orders.product::<f64>();
                let each = counts
                    .iter()
                    .zip(&chance)
                    .map(|(own, p)| p.powi(*own as i32));
                let left = (1.0 - risk).powi(never as i32);
                all.push((counts, orders * each.product::<f64>() * left));
            }
        }
    }
    all
}

/// Whether the log-rank test rejects at .05: hypergeometric means and variances day by day, by the book.
fn rejects(control: [u32; DAYS], treated: [u32; DAYS]) -> bool {
    let (mut n0, mut n1) = (f64::from(ARM), f64::from(ARM));
    let (mut excess, mut variance) = (0.0, 0.0);
    for (d0, d1) in control.into_iter().zip(treated) {
        let (d0, d1) = (f64::from(d0), f64::from(d1));
        let (n, d) = (n0 + n1, d0 + d1);
        if d > 0.0 {
            excess += d1 - d * n1 / n;
            if n > 1.0 {
                variance += d * n1 * n0 * (n - d) / (n * n * (n - 1.0));
            }
        }
        n0 -= d0;
        n1 -= d1;
    }
    variance > 0.0 && normal::two_sided(excess.abs() / variance.sqrt()) <= 0.05
}

/// One site, 32 families in blocks of two, and a window of three days: 16 in each arm, whose first reports are counted day by
/// day, so that size and power of the log-rank test are sums over two multinomial laws. Each has half of the studies that are asked
/// for, so that both together take no longer than another path's one.
#[test]
fn one_list_has_its_exact_power() {
    let protocol = with_one_site()
        .replace("block_lens = [2, 4]", "block_len = 2")
        .replace("window_days = [1, 1000]", "window_days = [1, 3]");
    for ratio in [1.0, 0.4] {
        let settings = [
            "analyses=[\"primary\"]".to_owned(),
            "protocol.sample_size.stop.families=32".to_owned(),
            "accrual.families_per_month_and_site={ mean = 30 }".to_owned(),
            format!("truth.rereport_ratio={ratio}"),
        ];
        let settings: Vec<&str> = settings.iter().map(String::as_str).collect();
        let plan = planned(SCENARIO, &protocol, &settings);
        let (control, treated) = (ways(0.850_092), ways(0.850_092 * ratio));
        let sum: f64 = treated.iter().map(|(_, p)| p).sum();
        assert!((sum - 1.0).abs() < 1e-12, "{sum}");
        let exact: f64 = control
            .into_par_iter()
            .map(|(own, p)| {
                let found = treated.iter().filter(|(other, _)| rejects(own, *other));
                p * found.map(|(_, p)| p).sum::<f64>()
            })
            .sum();
        has_power_in(&plan.cells[0], exact, 2);
    }
}

/// The protocol without looks, with its first site alone.
fn with_one_site() -> String {
    let protocol = without_looks();
    let (head, rest) = protocol
        .split_once("[[site]]\nid = \"district-2\"")
        .unwrap();
    let (_, rest) = rest.split_once("[[arm]]\nid = \"new\"").unwrap();
    format!("{head}[[arm]]\nid = \"new\"{rest}")
}

/// The kernel's own count of random numbers: words of two per family and more, and the blocks of those with reports.
#[test]
fn numbers_are_counted() {
    let plan = planned(SCENARIO, PROTOCOL, &[]);
    let mut kernel = Kernel::new(&plan.cells[0], 1);
    let record = kernel.study(0).unwrap();
    let numbers = kernel.numbers();
    let families = record.families as usize;
    assert!(numbers.arms >= families && numbers.sites.iter().sum::<usize>() >= 4 * families);
    assert!(
        (4 * families..16 * families).contains(&numbers.outcomes),
        "{numbers:?}"
    );
    assert_ne!(kernel.floor(0, &numbers), 0);
}
