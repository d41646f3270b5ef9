//! Coverage of the t intervals of the linear model.

use lottning::estimation::cluster_variance::ClusterVariance;
use lottning::estimation::linear_model::{Design, Form, Workspace};
use lottning::estimation::{Arm, Df, Variance};
use lottning::numerics::{normal, stream};

/// Two equal arms, normal outcomes of one variance: HC2 is then the pooled variance and Bell–McCaffrey 2(n−1), so the
/// interval is Student's and covers exactly at its level. Within four Monte Carlo standard errors.
#[test]
fn exact_coverage_with_equal_arms() {
    let arm: Vec<Arm> = (0..12)
        .map(|i| {
            if i % 2 == 0 {
                Arm::Treated
            } else {
                Arm::Control
            }
        })
        .collect();
    let design = Design::factor(&arm, &[], Form::Interacted).unwrap();
    let inference = design
        .inference(Variance::Hc2, Df::BellMccaffrey, 0.95)
        .unwrap();
    assert!((inference.df().unwrap() - 10.0).abs() < 1e-12);
    let mut workspace = Workspace::default();
    let replicates = 40_000u32;
    let (mut covered, mut below) = (0u32, 0u32);
    for replicate in 0..replicates {
        let mut rng = stream::replicate(&[1; 32], u64::from(replicate));
        let y: Vec<f64> = (0..12)
            .map(|i| {
                let z = normal::quantile(stream::open_unit(&mut rng)).unwrap();
                0.7 * f64::from(u8::from(i % 2 == 0)) + z
            })
            .collect();
        let fit = design.fit(&y, &inference, &mut workspace);
        covered += u32::from(fit.conf_low < Some(0.7) && Some(0.7) < fit.conf_high);
        below += u32::from(fit.conf_high <= Some(0.7));
    }
    let share = |count: u32| f64::from(count) / f64::from(replicates);
    let error = |p: f64| 4.0 * (p * (1.0 - p) / f64::from(replicates)).sqrt();
    assert!(
        (share(covered) - 0.95).abs() < error(0.95),
        "{}",
        share(covered)
    );
    assert!(
        (share(below) - 0.025).abs() < error(0.025),
        "{}",
        share(below)
    );
}

/// Six clusters of three rows an arm, with a shared part of the noise: CR2 is the variance of the clusters' means and
/// Satterthwaite's degrees of freedom are 10, so the interval is Student's on the means and covers exactly at its level,
/// whatever the share. Within four Monte Carlo standard errors.
#[test]
fn exact_coverage_with_equal_clusters() {
    let cluster: Vec<u32> = (0..36).map(|i| i / 3).collect();
    let treated = |cluster: u32| cluster.is_multiple_of(2);
    let arm: Vec<Arm> = cluster
        .iter()
        .map(|c| {
            if treated(*c) {
                Arm::Treated
            } else {
                Arm::Control
            }
        })
        .collect();
    let design = Design::factor(&arm, &[], Form::Additive).unwrap();
    let clustered = ClusterVariance::new(&design, &cluster, Variance::Cr2).unwrap();
    let inference = clustered.inference(Df::Satterthwaite, 0.95).unwrap();
    assert!((inference.df().unwrap() - 10.0).abs() < 1e-12);
    let mut workspace = Workspace::default();
    for (seed, share) in [(2, 0.0), (3, 0.4)] {
        let replicates = 20_000u32;
        let mut covered = 0u32;
        for replicate in 0..replicates {
            let mut rng = stream::replicate(&[seed; 32], u64::from(replicate));
            let mut noise = || normal::quantile(stream::open_unit(&mut rng)).unwrap();
            let mut y = Vec::with_capacity(36);
            for c in 0..12 {
                let common = f64::sqrt(share) * noise();
                for _ in 0..3 {
                    let own = f64::sqrt(1.0 - share) * noise();
                    y.push(0.7 * f64::from(u8::from(treated(c))) + common + own);
                }
            }
            let fit = clustered.fit(&design, &y, &inference, &mut workspace);
            covered += u32::from(fit.conf_low < Some(0.7) && Some(0.7) < fit.conf_high);
        }
        let covered = f64::from(covered) / f64::from(replicates);
        let error = 4.0 * (0.95f64 * 0.05 / f64::from(replicates)).sqrt();
        assert!((covered - 0.95).abs() < error, "{share}: {covered}");
    }
}
