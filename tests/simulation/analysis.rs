//! The randomization test keeps its size when nothing depends on the arm.

use lottning::allocation::{Arm, Options, Redraw, choose, read_ratio, replicates_key};
use lottning::analysis::randomization::{Statistic, monte_carlo_here};
use lottning::analysis::reference_set::{History, Redrawer};
use lottning::estimation::Arm as Side;
use lottning::estimation::lin_statistic::LinStatistic;

#[derive(Clone)]
struct Studentized(LinStatistic);

impl Statistic for Studentized {
    fn value(&mut self, arms: &[Arm]) -> Option<f64> {
        let side = |arm: &Arm| {
            if arm.0 == 0 {
                Side::Treated
            } else {
                Side::Control
            }
        };
        let sides: Vec<Side> = arms.iter().map(side).collect();
        self.0.evaluate(&sides).ok()?.statistic()
    }
}

/// With R = 199 redraws and no ties a tail (1 + b)/200 is at most 0.025 with probability 5/200 under the null, so the
/// two-sided p is at most 0.05 with probability exactly 0.05; failed redraws and ties only make that smaller.
#[test]
fn the_size_is_nominal_for_every_method() {
    const STUDIES: u64 = 1000;
    // 60 families of two strata, so that no redraw leaves an arm of a stratum almost empty (such redraws count in both
    // tails and would make the test conservative); outcome and covariate depend on the stratum and each other, never on the arm.
    let lists: Vec<u32> = (0..60).map(|k| k * 7 % 5 % 2).collect();
    let stratum: Vec<f64> = lists.iter().map(|list| f64::from(*list)).collect();
    let covariate: Vec<f64> = (0..60).map(|k| f64::from(k * 11 % 60)).collect();
    let y: Vec<f64> = (0..60)
        .map(|k| {
            (f64::from(k) * 12.9898).sin() * 5.0 + covariate[k as usize] * 0.3 + stratum[k as usize]
        })
        .collect();
    let matrix: Vec<f64> = stratum.iter().chain(&covariate).copied().collect();
    for (method, options) in [
        ("simple", vec![]),
        ("permuted-block", vec![("block_lens", "2,4,6")]),
        ("big-stick", vec![("max_imbalance", "3")]),
    ] {
        let ratio = read_ratio("1:1").unwrap();
        let design = choose(method, &ratio, &Options::of(&options), None).unwrap();
        let design: std::sync::Arc<_> = design.into();
        let history =
            History::new(lists.clone(), vec![std::sync::Arc::clone(&design), design]).unwrap();
        let truth = replicates_key("size", method);
        let mut statistic = Studentized(LinStatistic::new(&matrix, &y));
        let (mut redrawer, mut redrawn, mut arms) = (Redrawer::default(), Vec::new(), Vec::new());
        let (mut rejected, mut tested) = (0u32, 0u32);
        for study in 0..STUDIES {
            history.redraw(&mut redrawer, &mut Redraw::new(&truth, study), &mut arms);
            let key = replicates_key("size-test", &format!("{method} {study}"));
            let found = monte_carlo_here(
                &history,
                &arms,
                &mut statistic,
                (&key, 199),
                (&mut redrawer, &mut redrawn),
            );
            // Arms on which the model cannot be fitted have no test; they count as not rejected.
            if let Ok(found) = found {
                tested += 1;
                rejected += u32::from(found.p_value <= 0.05);
            }
        }
        assert!(
            f64::from(tested) > 0.9 * STUDIES as f64,
            "{method}: {tested}"
        );
        let size = f64::from(rejected) / STUDIES as f64;
        let mcse = (0.05 * 0.95 / STUDIES as f64).sqrt();
        assert!((size - 0.05).abs() < 4.0 * mcse, "{method}: {size}");
    }
}
