//! Clusters and weights on cases small enough for paper.

use lottning::estimation::{
    Arm, Columns, Covariate, Df, Estimate, EstimationError, Factor, Settings, Variance, estimate,
};

fn data(arm: &str, outcome: &[f64], cluster: &str) -> Columns {
    let arm = arm
        .chars()
        .map(|c| if c == '1' { Arm::Treated } else { Arm::Control });
    let names: Vec<String> = cluster.chars().map(String::from).collect();
    Columns {
        arm: arm.collect(),
        outcome: outcome.iter().map(|y| Some(*y)).collect(),
        cluster: Some(Factor::from_texts(
            "family",
            names.iter().map(|name| Some(name.as_str())),
        )),
        ..Columns::default()
    }
}

fn with(variance: Variance) -> Settings {
    Settings {
        variance: Some(variance),
        ..Settings::default()
    }
}

fn effect(id: &str, columns: &Columns, settings: &Settings) -> Estimate {
    estimate(id, columns, settings).unwrap().results.remove(0)
}

#[track_caller]
fn close(actual: Option<f64>, expected: f64) {
    let actual = actual.unwrap();
    assert!(
        (actual - expected).abs() <= 1e-12 * expected.abs().max(1.0),
        "{actual} {expected}"
    );
}

/// Families of two, three an arm. H_ss = 11ᵀ/6 within an arm, so 1 is its eigenvector with 1−1/3 left, and CR2 is the
/// variance of the families' means: treated 6, 7.5, 9 (2.25), control 3.5, 11.5, 4 (241/12); V = (2.25 + 241/12)/3.
/// CR0 is V·2/3, CR1 that times 6/5, CR3 V·3/2. P has 1/6 on the diagonal and −1/12 beside it within an arm:
/// (1)²/(6/36 + 12/144) = 4.
#[test]
fn families_of_two() {
    let y = [
        5.0, 7.0, 6.0, 9.0, 4.0, 3.0, 8.0, 10.0, 12.0, 11.0, 2.0, 6.0,
    ];
    let columns = data("111100110000", &y, "aabbccddeeff");
    let v = (2.25 + 241.0 / 12.0) / 3.0;
    for id in ["linear", "lin"] {
        for (variance, factor, residual) in [
            (Variance::Cr0, 2.0 / 3.0, Some(5.0)),
            (Variance::Cr1, 0.8, Some(5.0)),
            (Variance::Cr2, 1.0, None),
            (Variance::Cr3, 1.5, None),
        ] {
            let row = effect(id, &columns, &with(variance));
            close(row.estimate, 7.0 / 6.0);
            close(row.std_error.map(|s| s * s), factor * v);
            close(row.df, residual.unwrap_or(4.0));
            assert_eq!(
                (&row.extra["units_treated"], &row.extra["units_control"]),
                (&3.into(), &3.into())
            );
        }
        // R 4.2.2, estimatr 1.0.0, difference_in_means(clusters =): printed to 12 digits.
        let row = effect(id, &columns, &Settings::default());
        assert!((row.std_error.unwrap() - 2.728_450_923_96).abs() < 5e-12);
        assert!((row.p_value.unwrap() - 0.690_961_825_649).abs() < 5e-13);
    }
}

/// Families of 3, 1, 2, 1 and of 2, 3, 1, 1. Sums of residuals −6, 2, 4, 0 and −5, 0, 3, 2; a family of n_s of 7 has
/// 1−n_s/7 left: V = (36·7/4 + 4·7/6 + 16·7/5 + 25·7/5 + 9·7/6 + 4·7/6)/49.
/// P_ss = n_s/49, P_st² = n_s²n_t²/(7⁴(7−n_s)(7−n_t)): an arm sums to (15 + 256/45)/7⁴, so df = (2/7)²·7⁴/(2·931/45)
/// = 90/19. CR0 leaves the factors out: V = (36 + 4 + 16 + 25 + 9 + 4)/49.
#[test]
fn families_of_unequal_size() {
    let y = [
        3.0, 5.0, 4.0, 8.0, 7.0, 9.0, 6.0, 2.0, 1.0, 4.0, 3.0, 5.0, 7.0, 6.0,
    ];
    let columns = data("11111110000000", &y, "aaabccdeefffgh");
    let row = effect("linear", &columns, &Settings::default());
    close(row.estimate, 2.0);
    let square = 63.0 + 14.0 / 3.0 + 22.4 + 35.0 + 10.5 + 14.0 / 3.0;
    close(row.std_error.map(|s| s * s), square / 49.0);
    close(row.df, 90.0 / 19.0);
    // R 4.2.2, clubSandwich 0.5.8, printed to 12 digits.
    assert!((row.std_error.unwrap() - 1.691_716_513_46).abs() < 5e-12);
    let row = effect("linear", &columns, &with(Variance::Cr0));
    close(row.std_error.map(|s| s * s), 94.0 / 49.0);
    assert!((row.std_error.unwrap() - 1.385_051_387_83).abs() < 5e-12);
    close(row.df, 7.0);
}

/// A cluster in both arms. Treated 1, 3 and control 0, 4 in two clusters of one row of each arm: sums of a·e over the
/// cluster, a = ±½, e = ∓1 and ∓2. First: ½·(−1) − ½·(−2) = ½; second: ½·1 − ½·2 = −½. CR0 = ½; CR1 twice that.
#[test]
fn a_cluster_in_both_arms() {
    let columns = data("1100", &[1.0, 3.0, 0.0, 4.0], "abab");
    for id in ["linear", "lin"] {
        let row = effect(id, &columns, &with(Variance::Cr0));
        close(row.estimate, 0.0);
        close(row.std_error.map(|s| s * s), 0.5);
        let row = effect(id, &columns, &with(Variance::Cr1));
        close(row.std_error.map(|s| s * s), 1.0);
        assert_eq!(
            (&row.extra["units_treated"], &row.extra["units_control"]),
            (&2.into(), &2.into())
        );
        // Without a cluster each arm has one row left, and the effect stays identified: I−H_ss is ½ in both rows, so
        // CR2 doubles CR0 and CR3 gives four times.
        let row = effect(id, &columns, &with(Variance::Cr2));
        close(row.std_error.map(|s| s * s), 1.0);
        let row = effect(id, &columns, &with(Variance::Cr3));
        close(row.std_error.map(|s| s * s), 2.0);
    }
}

/// Weights 1, 3 treated (1, 3) and 1, 1 control (0, 2): means 2.5 and 1. HC0 with w²e²: (1·2.25 + 9·0.25)/16 + (1 + 1)/4.
/// In two clusters of one row of each arm: sums −1.5/4 + ½ and 1.5/4 − ½ (w·e over the arm's weights): CR0 = 2/64.
#[test]
fn weights_count_rows_several_times() {
    let mut columns = data("1100", &[1.0, 3.0, 0.0, 2.0], "abab");
    columns.weights = Some([1.0, 3.0, 1.0, 1.0].map(Some).to_vec());
    for id in ["linear", "lin"] {
        let row = effect(id, &columns, &with(Variance::Cr0));
        close(row.estimate, 1.5);
        close(row.std_error.map(|s| s * s), 2.0 / 64.0);
        let plain = Columns {
            cluster: None,
            ..columns.clone()
        };
        let row = effect(id, &plain, &with(Variance::Hc0));
        close(row.std_error.map(|s| s * s), 4.5 / 16.0 + 0.5);
        // Only ratios matter.
        let mut other = columns.clone();
        for weight in other.weights.iter_mut().flatten().flatten() {
            *weight *= 1e-30;
        }
        for variance in [Variance::Cr0, Variance::Cr2, Variance::Cr3] {
            let (a, b) = (
                effect(id, &columns, &with(variance)),
                effect(id, &other, &with(variance)),
            );
            close(a.estimate, b.estimate.unwrap());
            close(a.std_error, b.std_error.unwrap());
        }
    }
}

/// Outside cluster a, which has a row of either arm, x is the arm: without a no coefficient of the arm is left. Each arm has three
/// clusters. CR2 does not exist; CR0 is said to be too small.
#[test]
fn a_level_that_rests_on_one_cluster_is_told() {
    let mut columns = data("110100", &[5.0, 7.0, 6.0, 9.0, 4.0, 3.0], "bdaace");
    let x = [1.0, 1.0, 1.0, 0.0, 0.0, 0.0].map(Some).to_vec();
    columns.covariates = vec![Covariate::numeric("x", x)];
    let error = estimate("linear", &columns, &with(Variance::Cr2)).unwrap_err();
    assert_eq!(
        error,
        EstimationError::DecisiveCluster {
            clusters: vec!["a".into()],
            variance: "cr2"
        }
    );
    let answer = estimate("linear", &columns, &with(Variance::Cr0)).unwrap();
    let codes: Vec<&str> = answer.warnings.iter().map(|w| w.code).collect();
    assert_eq!(codes, ["decisive-cluster", "few-clusters"]);
    close(answer.results[0].df, 4.0);
}

#[test]
fn what_clusters_cannot_carry_is_refused_by_name() {
    // Two treated rows in one family: without it there is no treated row.
    let columns = data("110000", &[5.0, 7.0, 6.0, 9.0, 4.0, 3.0], "aabbcd");
    // CR0 and CR1 would see the control arm alone, and of one cluster an arm the rounding of two sums that are 0.
    let apart = data("110000", &[5.1, 7.3, 6.7, 9.9, 4.3, 3.1], "aabbbb");
    for id in ["linear", "lin"] {
        for variance in [Variance::Cr0, Variance::Cr1, Variance::Cr2, Variance::Cr3] {
            for (columns, names) in [(&columns, &["a"][..]), (&apart, &["a", "b"])] {
                assert_eq!(
                    estimate(id, columns, &with(variance)).unwrap_err(),
                    EstimationError::DecisiveCluster {
                        clusters: names.iter().map(ToString::to_string).collect(),
                        variance: variance.text()
                    }
                );
            }
        }
    }
    let one = data("110000", &[5.0, 7.0, 6.0, 9.0, 4.0, 3.0], "aaaaaa");
    assert_eq!(
        estimate("lin", &one, &Settings::default()).unwrap_err(),
        EstimationError::TooFewClusters { clusters: 1 }
    );
    let mut missing = data("110000", &[5.0, 7.0, 6.0, 9.0, 4.0, 3.0], "abccde");
    missing.row_numbers = vec![2, 5, 8, 11, 14, 17];
    if let Some(factor) = &mut missing.cluster {
        factor.codes[3] = None;
    }
    assert_eq!(
        estimate("linear", &missing, &Settings::default()).unwrap_err(),
        EstimationError::GroupMissing {
            column: "family".into(),
            row: 11
        }
    );
    // A row without an outcome is left out, and its cluster is not asked for.
    missing.outcome[3] = None;
    let left = estimate("linear", &missing, &with(Variance::Cr0)).unwrap();
    assert_eq!(left.results[0].n_control, 3);
    for (variance, clustered) in [(Variance::Hc2, true), (Variance::Cr2, false)] {
        let mut columns = columns.clone();
        if !clustered {
            columns.cluster = None;
        }
        let error = estimate("lin", &columns, &with(variance)).unwrap_err();
        assert_eq!(
            error,
            EstimationError::VarianceAndCluster {
                variance: variance.text(),
                clustered
            }
        );
        assert!(error.is_usage());
    }
    let settings = Settings {
        df: Some(Df::BellMccaffrey),
        ..Settings::default()
    };
    let error = estimate("linear", &columns, &settings).unwrap_err();
    assert_eq!(error.code(), "options-clash");
    for weight in [None, Some(0.0), Some(-1.0), Some(f64::NAN), Some(1e101)] {
        let mut columns = columns.clone();
        let mut weights = vec![Some(1.0); 6];
        weights[2] = weight;
        columns.weights = Some(weights);
        let error = estimate("linear", &columns, &Settings::default()).unwrap_err();
        assert_eq!(error.code(), "invalid-weight");
        assert!(error.words().en.starts_with("row 4: the weight is"));
    }
}

/// One row alone in its level, and in its family: both carry nothing, and the standard error is that without the row.
#[test]
fn a_family_alone_in_its_level_carries_nothing() {
    let y = [5.0, 7.0, 6.0, 9.0, 4.0, 3.0, 8.0, 1.0, 40.0];
    let without = data("11110000", &y[..8], "abbcddef");
    let mut alone = data("111100001", &y, "abbcddefg");
    let level = ["x"; 8].into_iter().chain(["y"]).map(Some);
    alone.covariates = vec![Covariate::factor(Factor::from_texts("kind", level))];
    for variance in [Variance::Cr0, Variance::Cr2, Variance::Cr3] {
        let row = effect("linear", &alone, &with(variance));
        let other = effect("linear", &without, &with(variance));
        close(row.estimate, other.estimate.unwrap());
        close(row.std_error, other.std_error.unwrap());
        let settings = Settings {
            df: Some(Df::Satterthwaite),
            ..with(variance)
        };
        close(
            effect("linear", &alone, &settings).df,
            effect("linear", &without, &settings).df.unwrap(),
        );
    }
}
