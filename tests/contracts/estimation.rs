//! The laws that estimators declare, on generated data, for every entry of the registry; and that each declines with a
//! reason outside its domain.

use lottning::diagnostic::Lang;
use lottning::estimation::cluster_variance::ClusterVariance;
use lottning::estimation::lin_statistic::LinStatistic;
use lottning::estimation::linear_model::{Design, Form, Workspace};
use lottning::estimation::{
    Arm, Columns, Counts, Covariate, Df, ESTIMATORS, Estimate, EstimationError, EstimatorEntry,
    EventCodes, Exchange, Factor, Interval, Measure, OutcomeDomain, PValue, Role, Settings, Ties,
    Values, Variance, find,
};
use proptest::prelude::{ProptestConfig, Strategy};
use proptest::test_runner::TestCaseError;
use proptest::{prop_assert, prop_assert_eq, proptest};

/// Rows: arm, outcome, number, level. Both arms hold every level several times.
#[derive(Debug, Clone)]
struct Rows {
    arm: Vec<Arm>,
    outcome: Vec<f64>,
    number: Vec<f64>,
    level: Vec<u8>,
    /// Pairs of neighbours, some of them in both arms.
    family: Vec<u8>,
}

fn rows() -> impl Strategy<Value = Rows> {
    (16usize..60).prop_flat_map(|n| {
        (
            proptest::collection::vec(-3.0f64..3.0, n),
            proptest::collection::vec(0.0f64..18.0, n),
            proptest::collection::vec(0u8..2, n),
        )
            .prop_map(move |(noise, number, shuffle)| {
                let arm: Vec<Arm> = (0..n)
                    .map(|i| {
                        if i % 8 < 3 {
                            Arm::Treated
                        } else {
                            Arm::Control
                        }
                    })
                    .collect();
                let level: Vec<u8> = (0..n)
                    .map(|i| {
                        let fixed = (i / 8 % 2) as u8;
                        if i < 16 { fixed } else { shuffle[i] }
                    })
                    .collect();
                let outcome = (0..n)
                    .map(|i| {
                        noise[i] + 0.2 * number[i] + f64::from(level[i]) + arm[i].index() as f64
                    })
                    .collect();
                Rows {
                    arm,
                    outcome,
                    number,
                    level,
                    family: (0..n).map(|i| (i / 2) as u8).collect(),
                }
            })
    })
}

fn columns(rows: &Rows, entry: &EstimatorEntry) -> Columns {
    let cut = rows.outcome.iter().sum::<f64>() / rows.outcome.len() as f64;
    let outcome = |y: f64| match entry.outcome {
        OutcomeDomain::Number => y,
        OutcomeDomain::ZeroOne => f64::from(u8::from(y > cut)),
        OutcomeDomain::Count => (y - cut + 3.0).max(0.0).round(),
    };
    let names = ["east", "west"];
    let factor =
        |name: &str| Factor::from_texts(name, rows.level.iter().map(|l| Some(names[*l as usize])));
    let mut columns = Columns {
        arm: rows.arm.clone(),
        ..Columns::default()
    };
    let n = rows.arm.len();
    let number = |value: &dyn Fn(usize) -> f64| Some((0..n).map(|i| Some(value(i))).collect());
    if entry.uses(Role::Outcome) {
        columns.outcome = rows.outcome.iter().map(|y| Some(outcome(*y))).collect();
    }
    if entry.uses(Role::Received) {
        let treated = |i: usize| rows.arm[i] == Arm::Treated;
        columns.received =
            number(&|i| f64::from(u8::from(treated(i) && !rows.family[i].is_multiple_of(5))));
    }
    if entry.uses(Role::Exposure) {
        columns.exposure = number(&|i| 0.5 + 0.1 * rows.number[i]);
    }
    if entry.uses(Role::Time) {
        columns.time = number(&|i| (3.0 * (rows.outcome[i] - cut).abs()).ceil() + 1.0);
    }
    if entry.required.contains(&Role::Entry) {
        columns.entry = number(&|_| 0.0);
    }
    if entry.uses(Role::Event) {
        let several = entry.events == Some(EventCodes::Several);
        let code = |i: usize| match rows.number[i] as u32 % 4 {
            3 => 0,
            2 if several => 2,
            _ => 1,
        };
        columns.event = Some((0..n).map(|i| Some(code(i))).collect());
    }
    if entry.uses(Role::Id) {
        // Turned with the rows, so that a row keeps its name wherever it stands; each row has its own, since rows of one
        // id may not overlap.
        let names: Vec<String> = (0..n)
            .map(|i| format!("{:?}/{:?}", rows.number[i], rows.outcome[i]))
            .collect();
        columns.id = Some(Factor::from_texts(
            "id",
            names.iter().map(|name| Some(name.as_str())),
        ));
    }
    if entry.uses(Role::Covariates) {
        columns.covariates = vec![Covariate::numeric(
            "age",
            rows.number.iter().map(|x| Some(*x)).collect(),
        )];
    }
    if entry.uses(Role::Strata) {
        columns.strata = vec![factor("site")];
    }
    columns
}

/// The columns that these settings need: families, when the variance respects clusters; `weighted` adds weights.
fn comparison(rows: &Rows, entry: &EstimatorEntry, settings: &Settings, weighted: bool) -> Columns {
    let mut columns = columns(rows, entry);
    let clustered = settings.variance.and_then(Variance::clustered) == Some(true);
    if entry.uses(Role::Cluster) && (clustered || settings.df == Some(Df::Satterthwaite)) {
        let names: Vec<String> = rows.family.iter().map(|f| format!("F{f}")).collect();
        let names = names.iter().map(|name| Some(name.as_str()));
        columns.cluster = Some(Factor::from_texts("family", names));
    }
    if weighted {
        let weight = |l: &u8| Some(0.5 + f64::from(*l));
        columns.weights = Some(rows.level.iter().map(weight).collect());
    }
    columns
}

/// The defaults, with a horizon that both arms' follow-up reaches, for estimators that need one.
fn defaults(entry: &EstimatorEntry, columns: &Columns) -> Settings {
    let followed = |arm: Arm| {
        let times = columns.time.iter().flatten().zip(&columns.arm);
        let own = times.filter(|(_, own)| **own == arm);
        own.filter_map(|(time, _)| *time).fold(0.0, f64::max)
    };
    let horizon = 0.8 * followed(Arm::Control).min(followed(Arm::Treated));
    Settings {
        horizon: entry.options.horizon.then_some(horizon),
        draws: entry.options.draws.then_some(199),
        range: entry.options.range.then_some((-100.0, 100.0)),
        ..Settings::default()
    }
}

/// Every combination of options that the entry says it accepts and that goes together.
pub(crate) fn settings(entry: &EstimatorEntry, columns: &Columns) -> Vec<Settings> {
    let base = defaults(entry, columns);
    let mut all = vec![base];
    if entry.options.dfs.is_empty() {
        let variances = entry.options.variances.iter().skip(1);
        all.extend(variances.map(|variance| Settings {
            variance: Some(*variance),
            ..base
        }));
    }
    for variance in entry.options.variances {
        for df in entry.options.dfs {
            let goes = match df {
                Df::BellMccaffrey | Df::Welch => *variance == Variance::Hc2,
                Df::Satterthwaite => variance.clustered() == Some(true),
                Df::Residual | Df::Normal => true,
            };
            if goes {
                all.push(Settings {
                    variance: Some(*variance),
                    df: Some(*df),
                    ..base
                });
            }
        }
    }
    for interval in entry.options.intervals {
        all.push(Settings {
            interval: Some(*interval),
            level: 0.9,
            ..base
        });
    }
    let measures = entry.options.measures.iter().skip(1);
    all.extend(measures.map(|measure| Settings {
        measure: Some(*measure),
        ..base
    }));
    let ties = entry.options.ties.iter().skip(1);
    all.extend(ties.map(|ties| Settings {
        ties: Some(*ties),
        ..base
    }));
    let p_values = entry.options.p_values.iter().skip(1);
    all.extend(p_values.map(|p_value| Settings {
        p_value: Some(*p_value),
        ..base
    }));
    if entry.options.interacted {
        all.push(Settings {
            interacted: true,
            ..base
        });
    }
    all
}

/// How the numbers of one row are to be those of another.
#[derive(Debug, Clone, Copy)]
enum Relation {
    /// The same numbers times a factor, limits in their order.
    Times(f64),
    /// Inverses.
    Inverse,
    /// One minus the numbers.
    Complement,
}

/// Refusals that depend on the outcomes, so that generated data can meet them.
const REFUSED: [&str; 3] = ["separation", "same-outcome", "arm-without-events"];

/// The first row, or the code of the refusal.
fn first(
    entry: &EstimatorEntry,
    columns: &Columns,
    settings: &Settings,
) -> Result<Estimate, &'static str> {
    let answer = entry.estimate(columns, settings);
    answer
        .map(|mut answer| answer.results.remove(0))
        .map_err(|error| error.code())
}

/// What is refused in one form of the data is refused in the other, by the same code.
fn same_answer(
    a: &Result<Estimate, &'static str>,
    b: &Result<Estimate, &'static str>,
    relation: Relation,
) -> Result<(), TestCaseError> {
    match (a, b) {
        (Ok(a), Ok(b)) => same(a, b, relation),
        (a, b) => {
            let code = a.as_ref().err();
            prop_assert_eq!(code, b.as_ref().err());
            prop_assert!(code.is_some_and(|code| REFUSED.contains(code)), "{:?}", a);
            Ok(())
        }
    }
}

fn same(a: &Estimate, b: &Estimate, relation: Relation) -> Result<(), TestCaseError> {
    let se = a.std_error.unwrap_or(1.0).max(1e-3);
    let inverse = matches!(relation, Relation::Inverse);
    let near = |x: Option<f64>, y: Option<f64>, slack: f64, tolerance: f64| match (x, y) {
        (Some(x), Some(y)) => (x - y).abs() <= tolerance * x.abs().max(slack),
        // An infinite ratio is no number; its inverse is 0.
        (None, y) => y.is_none() || (inverse && y == Some(0.0)),
        (Some(_), None) => false,
    };
    let map = |x: Option<f64>| match relation {
        Relation::Times(factor) => x.map(|x| factor * x),
        Relation::Inverse => x.map(|x| 1.0 / x),
        Relation::Complement => x.map(|x| 1.0 - x),
    };
    let (factor, turned) = match relation {
        Relation::Times(factor) => (factor.abs(), factor < 0.0),
        Relation::Inverse | Relation::Complement => (1.0, true),
    };
    // An open end is no number: the inverse of 0.
    let open = |x: Option<f64>| x.filter(|x| x.is_finite());
    let (low, high) = if turned {
        (b.conf_high, b.conf_low)
    } else {
        (b.conf_low, b.conf_high)
    };
    let slack = factor * se;
    prop_assert!(
        near(open(map(a.estimate)), b.estimate, slack, 1e-8),
        "{a:?} {b:?}"
    );
    prop_assert!(
        near(a.std_error.map(|x| factor * x), b.std_error, slack, 1e-8),
        "{a:?} {b:?}"
    );
    prop_assert!(near(open(map(a.conf_low)), low, slack, 1e-7), "{a:?} {b:?}");
    prop_assert!(
        near(open(map(a.conf_high)), high, slack, 1e-7),
        "{a:?} {b:?}"
    );
    prop_assert!(near(a.p_value, b.p_value, 1e-12, 1e-7), "{a:?} {b:?}");
    prop_assert!(near(a.df, b.df, 1e-12, 1e-6), "{a:?} {b:?}");
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn declared_symmetries_hold(rows in rows(), shift in -50.0f64..50.0, power in -8i32..9, turn in 1usize..15) {
        for entry in ESTIMATORS {
            let all = settings(entry, &columns(&rows, entry));
            let weights = [false, true].into_iter().filter(|weighted| !weighted || entry.uses(Role::Weights));
            for (settings, weighted) in weights.flat_map(|w| all.iter().map(move |s| (*s, w))) {
                let columns = |rows: &Rows| comparison(rows, entry, &settings, weighted);
                let plain = columns(&rows);
                let base = first(entry, &plain, &settings);
                // Few rows that die in the order of their age, or nobody whose follow-up ended: outside the domain, and
                // said so.
                if matches!(base, Err("monotone-likelihood" | "not-an-event-code")) {
                    continue;
                }
                if let Ok(base) = &base
                    && let (Some(low), Some(high)) = (base.conf_low, base.conf_high)
                {
                    prop_assert!(Some(low) <= base.estimate && base.estimate <= Some(high), "{base:?}");
                }
                let log = base.as_ref().is_ok_and(|base| base.std_error_scale == "log");
                let exchanged = match entry.symmetries.arm_exchange {
                    // A ratio that an estimator of differences offers too.
                    Exchange::Negates if log => Some(Relation::Inverse),
                    Exchange::Negates => Some(Relation::Times(-1.0)),
                    Exchange::Inverts => Some(Relation::Inverse),
                    Exchange::Complements => Some(Relation::Complement),
                    Exchange::Stays => Some(Relation::Times(1.0)),
                    Exchange::Unsaid => None,
                };
                if let Some(relation) = exchanged {
                    let mut other = plain.clone();
                    for arm in &mut other.arm {
                        *arm = if *arm == Arm::Treated { Arm::Control } else { Arm::Treated };
                    }
                    let flipped = first(entry, &other, &settings);
                    if let (Ok(base), Ok(flipped)) = (&base, &flipped) {
                        prop_assert_eq!((base.n_treated, base.n_control), (flipped.n_control, flipped.n_treated));
                    }
                    same_answer(&base, &flipped, relation)?;
                }
                if entry.symmetries.row_order {
                    let mut turned = rows.clone();
                    turned.arm.rotate_left(turn);
                    turned.outcome.rotate_left(turn);
                    turned.number.rotate_left(turn);
                    turned.level.rotate_left(turn);
                    turned.family.rotate_left(turn);
                    let turned = first(entry, &columns(&turned), &settings);
                    same_answer(&base, &turned, Relation::Times(1.0))?;
                }
                if entry.symmetries.covariate_affine {
                    // The covariates alone: times and exposures are made from the same numbers.
                    let mut other = plain.clone();
                    for covariate in &mut other.covariates {
                        if let Values::Numeric(values) = &mut covariate.values {
                            for x in values.iter_mut().flatten() {
                                *x = (*x + shift) * 10f64.powi(power);
                            }
                        }
                    }
                    let other = first(entry, &other, &settings);
                    same_answer(&base, &other, Relation::Times(1.0))?;
                }
                if entry.symmetries.outcome_affine {
                    let scale = -2.5;
                    let mut other = plain.clone();
                    for y in other.outcome.iter_mut().flatten() {
                        *y = shift + scale * *y;
                    }
                    let other = first(entry, &other, &settings);
                    same_answer(&base, &other, Relation::Times(scale))?;
                }
            }
        }
    }

    /// The short path of the randomization test, the arms' own regressions and the joint matrix give one value.
    #[test]
    fn three_paths_to_one_value(rows in rows(), extra in proptest::collection::vec(-1.0f64..1.0, 60)) {
        let n = rows.arm.len();
        let mut covariates = rows.number.clone();
        covariates.extend(rows.level.iter().map(|l| f64::from(*l)));
        covariates.extend_from_slice(&extra[..n]);
        // A constant and a copy: set aside on every path.
        covariates.extend(std::iter::repeat_n(0.1, n));
        covariates.extend(rows.number.iter().map(|x| 3.0 - 2.0 * x));
        let by_arm = Design::factor(&rows.arm, &covariates[..3 * n], Form::Interacted).unwrap();
        let joint = Design::factor_jointly(&rows.arm, &covariates, Form::Interacted).unwrap();
        prop_assert_eq!(by_arm.coefficients(), joint.coefficients());
        let (df, other) = (by_arm.bell_mccaffrey().unwrap(), joint.bell_mccaffrey().unwrap());
        prop_assert!((df - other).abs() < 1e-8 * df, "{df} {other}");
        let mut workspace = Workspace::default();
        let fit = |design: &Design, workspace: &mut Workspace| {
            let inference = design.inference(Variance::Hc2, Df::BellMccaffrey, 0.95).unwrap();
            design.fit(&rows.outcome, &inference, workspace)
        };
        let (a, b) = (fit(&by_arm, &mut workspace), fit(&joint, &mut workspace));
        let mut statistic = LinStatistic::new(&covariates, &rows.outcome);
        // The storage is used before: nothing of it may stay.
        let mut turned = rows.arm.clone();
        turned.rotate_left(3);
        statistic.evaluate(&turned).unwrap();
        let c = statistic.evaluate(&rows.arm).unwrap();
        for (estimate, std_error) in [(b.estimate, b.std_error), (c.estimate, c.std_error)] {
            prop_assert!((a.estimate - estimate).abs() < 1e-9 * a.std_error, "{a:?} {estimate}");
            prop_assert!((a.std_error / std_error - 1.0).abs() < 1e-9, "{a:?} {std_error}");
        }
    }

    /// Every row its own cluster is no cluster; and the arms apart are the joint matrix, also for clusters in both arms.
    #[test]
    fn clusters_of_one_row_and_of_both_arms(rows in rows(), extra in proptest::collection::vec(-1.0f64..1.0, 60)) {
        let n = rows.arm.len();
        let mut covariates = rows.number.clone();
        covariates.extend_from_slice(&extra[..n]);
        let mut workspace = Workspace::default();
        let own: Vec<u32> = (0..n as u32).collect();
        // Two clusters of every size: families, and thirds of the rows, which are larger than the model.
        let families: Vec<u32> = rows.family.iter().map(|f| u32::from(*f)).collect();
        let thirds: Vec<u32> = (0..n).map(|i| (i % 3) as u32).collect();
        for form in [Form::Additive, Form::Interacted] {
            let design = Design::factor(&rows.arm, &covariates, form).unwrap();
            for (clustered, plain) in [(Variance::Cr0, Variance::Hc0), (Variance::Cr2, Variance::Hc2), (Variance::Cr3, Variance::Hc3)] {
                let clustered = ClusterVariance::new(&design, &own, clustered).unwrap();
                let inference = clustered.inference(Df::Satterthwaite, 0.95).unwrap();
                let a = clustered.fit(&design, &rows.outcome, &inference, &mut workspace);
                let inference = design.inference(plain, Df::Normal, 0.95).unwrap();
                let b = design.fit(&rows.outcome, &inference, &mut workspace);
                prop_assert!((a.std_error / b.std_error - 1.0).abs() < 1e-9, "{a:?} {b:?}");
                if plain == Variance::Hc2 {
                    let (df, other) = (a.df.unwrap(), design.bell_mccaffrey().unwrap());
                    prop_assert!((df / other - 1.0).abs() < 1e-8, "{df} {other}");
                }
            }
            let joint = Design::factor_jointly(&rows.arm, &covariates, form).unwrap();
            for cluster in [&families, &thirds] {
                for variance in [Variance::Cr0, Variance::Cr1, Variance::Cr2, Variance::Cr3] {
                    let mut fit = |design: &Design| {
                        let own = ClusterVariance::new(design, cluster, variance).unwrap();
                        let inference = own.inference(Df::Satterthwaite, 0.95).unwrap();
                        own.fit(design, &rows.outcome, &inference, &mut workspace)
                    };
                    let (a, b) = (fit(&design), fit(&joint));
                    prop_assert!((a.std_error / b.std_error - 1.0).abs() < 1e-7, "{a:?} {b:?}");
                    prop_assert!((a.df.unwrap() / b.df.unwrap() - 1.0).abs() < 1e-6, "{a:?} {b:?}");
                }
            }
        }
    }

    /// `Σ_ij b_i² b_j² (I−H)_ij²` without the n × n matrix, against the n × n matrix.
    #[test]
    fn bell_mccaffrey_by_its_definition(rows in rows()) {
        let n = rows.arm.len();
        let design = Design::factor(&rows.arm, &rows.number, Form::Additive).unwrap();
        // By the definition: fit each unit vector to get the columns of I − H and the weights.
        let mut qr = lottning::numerics::linear_algebra::Qr::default();
        let mut x = vec![1.0; n];
        x.extend_from_slice(&rows.number);
        x.extend(rows.arm.iter().map(|a| a.index() as f64));
        qr.factor(n, &x);
        let inverse = qr.inverse_gram();
        let hat = |i: usize, j: usize| (0..3).map(|k| qr.q()[k * n + i] * qr.q()[k * n + j]).sum::<f64>();
        let b: Vec<f64> = (0..n)
            .map(|i| {
                let a: f64 = (0..3).map(|k| x[k * n + i] * inverse[2 * 3 + k]).sum();
                a / (1.0 - hat(i, i)).sqrt()
            })
            .collect();
        let (mut trace, mut square) = (0.0, 0.0);
        for i in 0..n {
            for j in 0..n {
                let entry = b[i] * b[j] * (f64::from(u8::from(i == j)) - hat(i, j));
                square += entry * entry;
                if i == j {
                    trace += entry;
                }
            }
        }
        let df = design.bell_mccaffrey().unwrap();
        prop_assert!((df / (trace * trace / square) - 1.0).abs() < 1e-8);
    }
}

fn example(entry: &EstimatorEntry) -> Columns {
    columns(&example_rows(), entry)
}

fn example_rows() -> Rows {
    Rows {
        arm: (0..24)
            .map(|i| {
                if i % 3 == 0 {
                    Arm::Treated
                } else {
                    Arm::Control
                }
            })
            .collect(),
        outcome: (0..24).map(|i| f64::from(i * 7 % 11)).collect(),
        number: (0..24).map(|i| f64::from(i * 5 % 13)).collect(),
        level: (0..24).map(|i| (i / 3 % 2) as u8).collect(),
        family: (0..24).map(|i| i / 2).collect(),
    }
}

#[test]
fn each_declines_with_a_reason_outside_its_domain() {
    for entry in ESTIMATORS {
        let good = example(entry);
        let run = |columns: &Columns, settings: &Settings| entry.estimate(columns, settings);
        let base = defaults(entry, &good);
        let first = run(&good, &base);
        assert!(first.is_ok(), "{} {first:?}", entry.id);
        let code = |columns: &Columns| {
            let error = run(columns, &base).unwrap_err();
            let words = error.words();
            assert!(
                !words.en.is_empty() && !words.sv.is_empty() && words.en != words.sv,
                "{error:?}"
            );
            (error.code(), error.is_usage())
        };

        assert_eq!(code(&Columns::default()), ("no-rows", false));
        let mut missing = good.clone();
        missing.outcome.fill(None);
        missing.time.iter_mut().for_each(|time| time.fill(None));
        assert_eq!(code(&missing), ("no-rows", false), "{}", entry.id);
        let mut one_arm = good.clone();
        one_arm.arm.fill(Arm::Control);
        assert_eq!(code(&one_arm), ("too-few-rows", false));
        for bad in [f64::NAN, f64::INFINITY, -2e100] {
            let mut columns = good.clone();
            match &mut columns.time {
                Some(time) => time[4] = Some(bad),
                None => columns.outcome[4] = Some(bad),
            }
            assert_eq!(code(&columns), ("not-finite", false), "{}", entry.id);
        }
        let mut short = good.clone();
        match &mut short.time {
            Some(time) => time.pop(),
            None => short.outcome.pop(),
        };
        assert_eq!(code(&short), ("unequal-lengths", false));
        if entry.binary() {
            let mut columns = good.clone();
            columns.outcome[3] = Some(2.0);
            assert_eq!(code(&columns), ("not-binary", false));
        }

        // Columns that it does not use.
        let factor = Factor::from_texts("c", (0..24).map(|_| Some("x")));
        let ones = Some(vec![Some(1.0); 24]);
        let mut with: Vec<(Role, Columns)> = Vec::new();
        for role in Role::ALL {
            let mut columns = good.clone();
            match role {
                Role::Outcome => columns.outcome = vec![Some(1.0); 24],
                Role::Covariates => {
                    columns.covariates = vec![Covariate::numeric("x", vec![Some(1.0); 24])];
                }
                Role::Strata => columns.strata = vec![factor.clone()],
                Role::Cluster => columns.cluster = Some(factor.clone()),
                Role::Weights => columns.weights.clone_from(&ones),
                Role::Received => columns.received.clone_from(&ones),
                Role::Exposure => columns.exposure.clone_from(&ones),
                Role::Time => columns.time.clone_from(&ones),
                Role::Event => columns.event = Some(vec![Some(1); 24]),
                Role::Entry => columns.entry = Some(vec![Some(0.0); 24]),
                Role::Id => columns.id = Some(factor.clone()),
            }
            with.push((role, columns));
        }
        for (role, columns) in &with {
            if !entry.uses(*role) {
                assert_eq!(
                    code(columns),
                    ("column-not-used", true),
                    "{} {role:?}",
                    entry.id
                );
            }
        }
        let counts = Counts {
            treated_events: 1,
            treated_units: 2,
            control_events: 3,
            control_units: 4,
        };
        let from_counts = run(&Columns::from_counts(counts), &Settings::default());
        assert_eq!(from_counts.is_ok(), entry.counts);

        // Options: every word of the contract is either accepted or declined by name.
        for level in [0.0, 1.0, -0.5, f64::NAN] {
            let settings = Settings { level, ..base };
            assert_eq!(
                run(&good, &settings).unwrap_err().code(),
                "level-out-of-range"
            );
        }
        let asked = Variance::ALL
            .iter()
            .map(|v| {
                (
                    entry.options.variances.contains(v),
                    Settings {
                        variance: Some(*v),
                        ..base
                    },
                )
            })
            .chain(Interval::ALL.iter().map(|v| {
                (
                    entry.options.intervals.contains(v),
                    Settings {
                        interval: Some(*v),
                        ..base
                    },
                )
            }))
            .chain(Measure::ALL.iter().map(|v| {
                (
                    entry.options.measures.contains(v),
                    Settings {
                        measure: Some(*v),
                        ..base
                    },
                )
            }))
            .chain(Df::ALL.iter().map(|v| {
                (
                    entry.options.dfs.contains(v),
                    Settings {
                        df: Some(*v),
                        ..base
                    },
                )
            }));
        let asked = asked
            .chain(Ties::ALL.iter().map(|v| {
                (
                    entry.options.ties.contains(v),
                    Settings {
                        ties: Some(*v),
                        ..base
                    },
                )
            }))
            .chain(PValue::ALL.iter().map(|v| {
                (
                    entry.options.p_values.contains(v),
                    Settings {
                        p_value: Some(*v),
                        ..base
                    },
                )
            }))
            .chain([
                (
                    entry.options.horizon,
                    Settings {
                        horizon: base.horizon.or(Some(1.0)),
                        ..base
                    },
                ),
                (
                    entry.options.draws,
                    Settings {
                        seed: Some(2),
                        ..base
                    },
                ),
                (
                    entry.options.range,
                    Settings {
                        range: Some((-100.0, 100.0)),
                        ..base
                    },
                ),
                (
                    entry.options.interacted,
                    Settings {
                        interacted: true,
                        ..base
                    },
                ),
            ]);
        for (accepted, settings) in asked {
            match run(
                &comparison(&example_rows(), entry, &settings, false),
                &settings,
            ) {
                Ok(_) => assert!(accepted, "{} {settings:?}", entry.id),
                Err(error) => assert!(
                    !accepted && error.is_usage(),
                    "{} {settings:?} {error:?}",
                    entry.id
                ),
            }
        }
    }
}

#[test]
fn words_parse_to_what_prints_them() {
    for v in Variance::ALL {
        assert_eq!(Variance::parse(v.text()), Some(*v));
    }
    for v in Df::ALL {
        assert_eq!(Df::parse(v.text()), Some(*v));
    }
    for v in Interval::ALL {
        assert_eq!(Interval::parse(v.text()), Some(*v));
    }
    assert_eq!(Variance::parse("HC2"), None);
    let ids: Vec<&str> = ESTIMATORS.iter().map(|entry| entry.id).collect();
    let mut unique = ids.clone();
    unique.sort_unstable();
    unique.dedup();
    assert_eq!(unique.len(), ids.len());
    assert!(matches!(
        find("lni").unwrap_err(),
        EstimationError::UnknownEstimator {
            nearest: Some("lin"),
            ..
        }
    ));
}

/// The document has the keys of the contract, in its order, and no number that JSON lacks.
#[test]
fn the_document_is_the_contracts() {
    for entry in ESTIMATORS {
        let mut columns = example(entry);
        columns.other_arms = 3;
        let answer = entry
            .estimate(&columns, &defaults(entry, &columns))
            .unwrap();
        let document = answer.document(Lang::Sv);
        assert_eq!(document["schema"], "lottning.estimates/1");
        let keys: Vec<&str> = document["results"][0]
            .as_object()
            .unwrap()
            .keys()
            .map(String::as_str)
            .take(16)
            .collect();
        assert_eq!(
            keys,
            [
                "estimator",
                "term",
                "measure",
                "estimate",
                "std_error",
                "std_error_scale",
                "statistic",
                "df",
                "p_value",
                "conf_low",
                "conf_high",
                "level",
                "n_treated",
                "n_control",
                "variance",
                "interval"
            ]
        );
        assert_eq!(document["warnings"][0]["code"], "other-arms-dropped");
        assert_eq!(
            document["warnings"][0]["message"],
            "3 rader från andra armar är utelämnade"
        );
    }
}
