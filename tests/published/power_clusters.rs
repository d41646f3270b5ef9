//! Power with clusters against printed figures: the R package clusterPower has them in its tests (from PASS 11 and from a
//! calculator of the National Institutes of Health); figures with t and z beside each other are pt and pnorm of base R.

use lottning::planning::PowerError;
use lottning::planning::clustering::{ClusteredArms, Clustering};
use lottning::planning::two_means::{Adjustment, Question, Test, solve};
use lottning::planning::two_proportions;

fn clusters(size: f64, icc: f64) -> Clustering {
    Clustering {
        size,
        icc,
        size_cv: 0.0,
        arms: ClusteredArms::Both,
    }
}

/// t on cluster means with 2(k − 1) degrees of freedom, k clusters of m in each arm; and the normal formula.
#[test]
fn cluster_means() {
    for (k, m, icc, d, by_t, by_z) in [
        (10.0, 20.0, 0.05, 0.4, 0.773_073, 0.817_134),
        (15.0, 20.0, 0.05, 0.3, 0.719_082, 0.748_957),
        (30.0, 10.0, 0.1, 0.3, 0.745_774, 0.759_783),
    ] {
        let question = Question {
            clustering: Some(clusters(m, icc)),
            ..Question::power_at(d, 1.0, k * m, 0.05)
        };
        let found = solve(&question).unwrap();
        assert!((found.value - by_t).abs() < 6e-7, "{k}: {}", found.value);
        assert!((found.df.unwrap() - 2.0 * (k - 1.0)).abs() < 1e-9);
        let whole = found.clusters.unwrap();
        assert_eq!((whole.treated, whole.control), (k as u64, Some(k as u64)));
        assert!((whole.power - found.value).abs() < 1e-12);
        let normal = solve(&Question {
            test: Test::Normal,
            ..question
        })
        .unwrap();
        assert!((normal.value - by_z).abs() < 6e-7, "{k}: {}", normal.value);
        assert_eq!(normal.warnings.len(), usize::from(k < 20.0));
    }
}

/// d = .4804988, 150 in a cluster, ICC .05, power .8: 5 clusters per arm (clusterPower's tests, there from the NIH).
#[test]
fn five_clusters_are_enough() {
    let question = Question {
        n_control: None,
        power: Some(0.8),
        clustering: Some(clusters(150.0, 0.05)),
        ..Question::power_at(0.480_498_8, 1.0, 1.0, 0.05)
    };
    let found = solve(&question).unwrap();
    let whole = found.clusters.unwrap();
    assert_eq!((whole.treated, whole.control), (5, Some(5)));
    assert!(whole.power >= 0.8);
    // PASS 11 finds 150 in each of 5 clusters: with one fewer the power is short of .8.
    let power = |m: f64| {
        let question = Question {
            power: None,
            n_control: Some(5.0 * m),
            clustering: Some(clusters(m, 0.05)),
            ..question
        };
        solve(&question).unwrap().value
    };
    assert!(
        power(150.0) >= 0.8 - 5e-7 && power(149.0) < 0.8,
        "{} {}",
        power(150.0),
        power(149.0)
    );
}

/// .1 against .2, 150 in a cluster, ICC .05, power .8: the same tests round the clusters by t to 12. Unrounded they are 12.1:
/// 12 are short of the power (.79663 by pt), so that 13 are needed.
#[test]
fn clusters_of_proportions_by_t() {
    let question = two_proportions::Question {
        n_control: None,
        power: Some(0.8),
        test: two_proportions::Test::T,
        clustering: Some(clusters(150.0, 0.05)),
        ..two_proportions::Question::power_at(0.1, 0.2, 1.0, 0.05)
    };
    let found = two_proportions::solve(&question).unwrap();
    assert!(((found.value / 150.0).round() - 12.0).abs() < 1e-12);
    let whole = found.clusters.unwrap();
    assert_eq!((whole.treated, whole.control), (13, Some(13)));
    assert!((whole.power - 0.830_141_325_166).abs() < 1e-11); // pt, base R 4.2.2, both tails
    let twelve = two_proportions::Question {
        n_control: Some(12.0 * 150.0),
        power: None,
        ..question
    };
    let power = two_proportions::solve(&twelve).unwrap().value;
    assert!((power - 0.796_630_995_133).abs() < 1e-11, "{power}");
    let normal = two_proportions::solve(&two_proportions::Question {
        test: two_proportions::Test::Unpooled,
        ..question
    })
    .unwrap();
    assert!(normal.value < found.value);
}

/// Therapists deliver one arm: 50 of them with 3 families each against 150 controls, d = .35, by z (pnorm).
#[test]
fn clusters_in_the_treated_arm_only() {
    for (icc, by_z) in [
        (0.0, 0.857_943),
        (0.05, 0.840_879),
        (0.10, 0.823_832),
        (0.20, 0.790_175),
    ] {
        let question = Question {
            test: Test::Normal,
            clustering: Some(Clustering {
                arms: ClusteredArms::Treated,
                ..clusters(3.0, icc)
            }),
            ..Question::power_at(0.35, 1.0, 150.0, 0.05)
        };
        let normal = solve(&question).unwrap();
        assert!(
            (normal.value - by_z).abs() < 6e-7,
            "{icc}: {}",
            normal.value
        );
        assert_eq!(normal.design_effects.1.to_bits(), 1f64.to_bits());
        // By t with Satterthwaite's degrees of freedom, by hand: v1 = (1 + 2ρ)/150, v0 = 1/150,
        // (v1 + v0)²/(v1²/49 + v0²/149).
        let by_t = solve(&Question {
            test: Test::T,
            ..question
        })
        .unwrap();
        let e = 1.0 + 2.0 * icc;
        let df = (e + 1.0) * (e + 1.0) / (e * e / 49.0 + 1.0 / 149.0);
        assert!((by_t.df.unwrap() - df).abs() < 1e-9);
        assert!(by_t.value < normal.value && by_t.value > normal.value - 0.01);
        let whole = by_t.clusters.unwrap();
        assert_eq!((whole.treated, whole.control), (50, None));
    }
}

#[test]
fn what_clusters_do_not_go_with() {
    let question = Question {
        clustering: Some(clusters(20.0, 0.05)),
        ..Question::power_at(0.4, 1.0, 200.0, 0.05)
    };
    let adjustment = Some(Adjustment {
        r_squared: 0.3,
        covariates: 1,
    });
    let refused = solve(&Question {
        adjustment,
        ..question
    })
    .unwrap_err();
    assert_eq!(refused, PowerError::CovariatesAndClusters);
    // One cluster in each arm leaves nothing to estimate the variance from.
    let single = Question {
        n_control: Some(20.0),
        ..question
    };
    assert!(matches!(
        solve(&single).unwrap_err(),
        PowerError::NoDegreesOfFreedom { .. }
    ));
}
