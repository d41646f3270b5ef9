//! Group-sequential boundaries, inflation factors and inference after stopping.
//!
//! Sources: Jennison and Turnbull (2000), Group Sequential Methods, tables 2.1 to 2.9 (constants and inflation of Pocock,
//! O'Brien–Fleming and Wang–Tsiatis designs, three decimals); the six-decimal values are those of rpact 3.3.4 under
//! R 4.2.2, to which an independent Python recursion agrees to at least four decimals. rpact stops its spending at
//! .02499999, so agreement with it is asked to 1e-6 of a critical value where its own rounding allows it.

use lottning::estimation::group_sequential::{Boundaries, Look, Shape, Sides};

/// Shape, looks, critical values, then R at .80, R at .90 and expected information at .90.
type ByConstant = (Shape, usize, &'static [f64], f64, f64, f64);

/// Shape, looks, critical values, alpha spent, R at .90.
type BySpending = (Shape, usize, &'static [f64], &'static [f64], f64);

fn equal(looks: usize) -> Vec<f64> {
    (1..=looks).map(|k| k as f64 / looks as f64).collect()
}

fn near(value: f64, expected: f64, tolerance: f64, what: &str) {
    assert!(
        (value - expected).abs() <= tolerance,
        "{what}: {value} and not {expected}"
    );
}

/// Critical values, R at .80, R at .90, expected information at .90: alpha .05 two-sided.
#[test]
fn shapes_with_a_constant() {
    let rows: [ByConstant; 8] = [
        (
            Shape::ObrienFleming,
            2,
            &[2.796_510, 1.977_431],
            1.007_786,
            1.007_126,
            0.851_09,
        ),
        (
            Shape::ObrienFleming,
            3,
            &[3.471_091, 2.454_432, 2.004_036],
            1.017_406,
            1.016_101,
            0.798_71,
        ),
        (
            Shape::ObrienFleming,
            4,
            &[4.048_591, 2.862_786, 2.337_455, 2.024_296],
            1.023_846,
            1.022_163,
            0.767_40,
        ),
        (
            Shape::ObrienFleming,
            5,
            &[4.561_742, 3.225_639, 2.633_723, 2.280_871, 2.040_073],
            1.028_411,
            1.026_486,
            0.750_25,
        ),
        (
            Shape::Pocock,
            2,
            &[2.178_272, 2.178_272],
            1.110_413,
            1.100_082,
            0.775_93,
        ),
        (
            Shape::Pocock,
            3,
            &[2.289_478; 3],
            1.166_387,
            1.150_639,
            0.721_03,
        ),
        (
            Shape::Pocock,
            4,
            &[2.361_298; 4],
            1.202_476,
            1.183_142,
            0.697_48,
        ),
        (
            Shape::Pocock,
            5,
            &[2.413_176; 5],
            1.228_593,
            1.206_603,
            0.684_91,
        ),
    ];
    for (shape, looks, critical, r80, r90, expected) in rows {
        let what = format!("{} with {looks} looks", shape.id());
        let plan = Boundaries::solve(shape, &equal(looks), 0.05, Sides::Two).unwrap();
        for (own, printed) in plan.critical_values().iter().zip(critical) {
            near(*own, *printed, 1.5e-6, &what);
        }
        near(plan.inflation(0.8).unwrap().0, r80, 2e-6, &what);
        let (inflation, mean) = plan.inflation(0.9).unwrap();
        near(inflation, r90, 2e-6, &what);
        near(mean, expected, 1e-5, &what);
        near(*plan.cumulative_alpha().last().unwrap(), 0.05, 1e-12, &what);
    }
    for (looks, last, r80, r90, expected) in [
        (2, 2.038_22, 1.0375, 1.0341, 0.7948),
        (3, 2.082_81, 1.0544, 1.0498, 0.7453),
        (4, 2.113_34, 1.0647, 1.0595, 0.7194),
        (5, 2.136_01, 1.0718, 1.0662, 0.7036),
    ] {
        let shape = Shape::WangTsiatis { delta: 0.25 };
        let plan = Boundaries::solve(shape, &equal(looks), 0.05, Sides::Two).unwrap();
        near(
            plan.critical_values()[looks - 1],
            last,
            6e-6,
            "Wang–Tsiatis",
        );
        near(plan.inflation(0.8).unwrap().0, r80, 6e-5, "Wang–Tsiatis");
        let (inflation, mean) = plan.inflation(0.9).unwrap();
        near(inflation, r90, 6e-5, "Wang–Tsiatis");
        near(mean, expected, 6e-5, "Wang–Tsiatis");
    }
}

/// Constants at alpha .01, two-sided (five decimals).
#[test]
fn constants_at_one_percent() {
    for (looks, obf, pocock) in [
        (2, 2.579_57, 2.771_81),
        (3, 2.594_92, 2.872_96),
        (4, 2.609_10, 2.938_66),
        (5, 2.621_17, 2.986_27),
    ] {
        let last = |shape| {
            let plan = Boundaries::solve(shape, &equal(looks), 0.01, Sides::Two).unwrap();
            *plan.critical_values().last().unwrap()
        };
        near(last(Shape::ObrienFleming), obf, 6e-6, "O'Brien–Fleming");
        near(last(Shape::Pocock), pocock, 6e-6, "Pocock");
    }
}

/// Spending functions, one-sided .025: critical values, alpha spent, R at .90.
#[test]
fn spending_functions() {
    let obf = Shape::LanDemetsObrienFleming;
    let pocock = Shape::LanDemetsPocock;
    let rows: [BySpending; 8] = [
        (
            obf,
            2,
            &[2.962_588, 1.968_596],
            &[0.001_525_32, 0.025],
            1.003_418,
        ),
        (
            obf,
            3,
            &[3.710_303, 2.511_427, 1.993_047],
            &[0.000_103_506, 0.006_048_389, 0.025],
            1.011_853,
        ),
        (
            obf,
            4,
            &[4.332_634, 2.963_132, 2.359_044, 2.014_090],
            &[7.366_81e-6, 0.001_525_32, 0.009_649_33, 0.025],
            1.018_280,
        ),
        (
            obf,
            5,
            &[4.876_885, 3.357_012, 2.680_280, 2.289_817, 2.031_032],
            &[5.388_71e-7, 0.000_394_152, 0.003_808_06, 0.012_211_8, 0.025],
            1.023_078,
        ),
        (
            pocock,
            2,
            &[2.156_999, 2.200_977],
            &[0.015_502_9, 0.025],
            1.111_047,
        ),
        (
            pocock,
            3,
            &[2.279_428, 2.294_911, 2.295_940],
            &[0.011_320_8, 0.019_084_6, 0.025],
            1.154_220,
        ),
        (
            pocock,
            4,
            &[2.368_328, 2.367_524, 2.358_168, 2.350_036],
            &[0.008_934_35, 0.015_502_86, 0.020_699_7, 0.025],
            1.177_587,
        ),
        (
            pocock,
            5,
            &[2.437_977, 2.426_814, 2.410_194, 2.396_649, 2.386_000],
            &[0.007_384_86, 0.013_078_4, 0.017_712_8, 0.021_621_0, 0.025],
            1.192_332,
        ),
    ];
    for (shape, looks, critical, spent, r90) in rows {
        let what = format!("{} with {looks} looks", shape.id());
        let plan = Boundaries::solve(shape, &equal(looks), 0.025, Sides::One).unwrap();
        for (own, printed) in plan.critical_values().iter().zip(critical) {
            near(*own, *printed, 2e-6, &what);
        }
        for (own, printed) in plan.cumulative_alpha().iter().zip(spent) {
            near(*own, *printed, 1e-5 * printed, &what);
        }
        near(plan.inflation(0.9).unwrap().0, r90, 2e-6, &what);
    }
    let hsd = Shape::HwangShihDecani { gamma: -4.0 };
    let plan = Boundaries::solve(hsd, &equal(3), 0.025, Sides::One).unwrap();
    for (own, printed) in plan
        .critical_values()
        .iter()
        .zip([3.010_739, 2.546_531, 1.999_226])
    {
        near(*own, printed, 2e-6, "Hwang–Shih–DeCani");
    }
    near(
        plan.inflation(0.9).unwrap().0,
        1.0152,
        6e-5,
        "Hwang–Shih–DeCani",
    );
    // Looks at unequal information.
    let plan = Boundaries::solve(obf, &[0.3, 0.7, 1.0], 0.025, Sides::One).unwrap();
    for (own, printed) in plan
        .critical_values()
        .iter()
        .zip([3.928_572_5, 2.438_742_4, 2.000_008_6])
    {
        near(*own, printed, 2e-6, "unequal looks");
    }
    near(
        plan.inflation(0.8).unwrap().0,
        1.014_957,
        2e-6,
        "unequal looks",
    );
}

/// Two stages of 50 per arm: means 1.2 and 0.8, then 1.0 and 0.7, standard deviation 1, alpha .025 one-sided, O'Brien–
/// Fleming spending. The standard deviation over both stages counts their means too: in the arms
/// √((98 + 100·0.1²)/99) = 1 and √((98 + 100·0.05²)/99), by hand. rpact 3.3.4: repeated intervals, repeated p, final p, interval and median-unbiased estimate.
#[test]
fn a_study_of_two_stages() {
    let shape = Shape::LanDemetsObrienFleming;
    let plan = Boundaries::solve(shape, &[0.5, 1.0], 0.025, Sides::One).unwrap();
    let looks = [
        Look {
            estimate: 0.4,
            std_error: 0.2,
            df: Some(98.0),
        },
        Look {
            estimate: 0.35,
            std_error: (0.01 + 0.01 * 98.25 / 99.0f64).sqrt(),
            df: Some(198.0),
        },
    ];
    let printed = [
        (-0.207_641_413, 1.007_641_47),
        (0.070_405_375, 0.629_594_61),
    ];
    for ((look, critical), (low, high)) in looks.iter().zip(plan.critical_values()).zip(printed) {
        let interval = look.repeated_interval(*critical).unwrap();
        near(interval.0, low, 1e-6, "repeated interval");
        near(interval.1, high, 1e-6, "repeated interval");
    }
    let z = looks.map(|look| look.z().unwrap());
    for (look, printed) in [0.110_820_594_9, 0.007_041_963_4].into_iter().enumerate() {
        near(
            plan.repeated_p_value(shape, look, z[look]).unwrap(),
            printed,
            2e-6,
            "repeated p",
        );
    }
    // Information on the scale of 1/variance, as the estimate is.
    let whole = looks[1].information();
    let scaled = Boundaries::solve(shape, &[0.5 * whole, whole], 0.025, Sides::One).unwrap();
    let last = scaled.final_inference(1, z[1], 0.95).unwrap();
    near(last.p_upper, 0.007_892_455_4, 2e-6, "final p");
    let alone = scaled.final_p_upper(1, z[1]).unwrap();
    near(alone, last.p_upper, 1e-12, "final p alone");
    near(last.conf_low, 0.065_464_181, 2e-6, "final interval");
    near(last.conf_high, 0.622_222_11, 2e-6, "final interval");
    near(
        last.estimate,
        0.344_727_41,
        2e-6,
        "median-unbiased estimate",
    );
}

/// By law: a study with a single look has the t interval around its estimate, and the t test's p.
#[test]
fn a_single_look_is_no_look() {
    let plan = Boundaries::spending(&[4.0], &[0.05], Sides::Two).unwrap();
    for (estimate, df) in [(-0.9, Some(3.7)), (0.02, Some(40.0)), (1.3, None)] {
        let look = Look {
            estimate,
            std_error: 0.5,
            df,
        };
        let found = look.stage_wise(&plan, 0, 0.95).unwrap();
        let (low, high) = look.repeated_interval(plan.critical_values()[0]).unwrap();
        near(found.estimate, estimate, 1e-9, "estimate");
        near(found.conf_low, low, 1e-9, "low");
        near(found.conf_high, high, 1e-9, "high");
        let t = estimate / 0.5;
        let p = df.map_or_else(
            || lottning::numerics::normal::two_sided(t),
            |df| {
                lottning::numerics::student_t::StudentT::new(df)
                    .unwrap()
                    .two_sided(t)
            },
        );
        near(found.p_value, p, 1e-9, "p");
        let alone = look.stage_wise_p_value(&plan, 0).unwrap();
        near(alone, found.p_value, 1e-12, "p alone");
    }
}

/// Beta spending of the same kind as the alpha spending, non-binding, three looks, one-sided .025, power .80: rpact 3.3.4,
/// `getDesignGroupSequential(typeBetaSpending = "bsOF", bindingFutility = FALSE)` and its characteristics.
#[test]
fn futility_spends_beta() {
    let shape = Shape::LanDemetsObrienFleming;
    let plan = Boundaries::solve(shape, &equal(3), 0.025, Sides::One).unwrap();
    let futility = plan.futility(shape, 0.8).unwrap();
    let printed = [-0.236_144_6, 1.170_372_0, 1.993_047_5];
    for (own, printed) in futility.values().iter().zip(printed) {
        near(*own, printed, 2e-6, "futility");
    }
    let spent = [0.026_438_294_8, 0.116_514_319, 0.2];
    for (own, printed) in futility.cumulative_beta().iter().zip(spent) {
        near(*own, printed, 5e-9, "beta spent");
    }
    let fixed: f64 = 1.959_963_984_540_054 + 0.841_621_233_572_914_2;
    let ratio = |information: f64| information / (fixed * fixed);
    let effect = futility.effect();
    near(ratio(effect * effect), 1.104_334_02, 2e-6, "inflation");
    let mean = |under: f64| effect * effect * futility.expected_information(under);
    near(
        ratio(mean(effect)),
        0.875_209_95,
        4e-6,
        "expected information with the effect",
    );
    near(
        ratio(mean(0.0)),
        0.627_409_52,
        4e-6,
        "expected information without one",
    );
    // By law: the bounds cost exactly the power that was spent, and the type I error without them is alpha.
    near(futility.exits(effect).up(), 0.8, 1e-10, "power");
    near(futility.exits(effect).down(), 0.2, 1e-10, "type II error");
    near(plan.exits(0.0).up(), 0.025, 1e-10, "type I error");
    assert!(futility.exits(0.0).up() < 0.025);
}

/// A design of looks for a test whose power with one look is known: rpact 3.3.4, `getPowerRates` and `getPowerMeans` with and
/// without its normal approximation; the powers with one look are those of base R (power.prop.test, power.t.test).
#[test]
fn looks_of_proportions_and_of_t_tests() {
    use lottning::planning::{two_means, two_proportions};
    let spending = Shape::LanDemetsObrienFleming;
    let plan = Boundaries::solve(spending, &equal(3), 0.025, Sides::One).unwrap();
    let proportions = two_proportions::Question::power_at(0.3, 0.2, 300.0, 0.05);
    let fixed = two_proportions::solve(&proportions).unwrap().value;
    near(
        plan.power_with_looks(fixed).unwrap(),
        0.804_111_371_6,
        1e-7,
        "proportions",
    );
    let plan = Boundaries::solve(Shape::ObrienFleming, &equal(3), 0.025, Sides::One).unwrap();
    let question = two_means::Question {
        sides: 1,
        ..two_means::Question::power_at(0.25, 1.0, 250.0, 0.025)
    };
    let normal = two_means::Question {
        test: two_means::Test::Normal,
        ..question
    };
    let fixed = |question| two_means::solve(question).unwrap().value;
    near(
        plan.power_with_looks(fixed(&normal)).unwrap(),
        0.791_309_737_6,
        1e-7,
        "normal",
    );
    near(
        plan.power_with_looks(fixed(&question)).unwrap(),
        0.789_764_130_9,
        1e-7,
        "t",
    );
    let effect = plan.effect_of_fixed(fixed(&question)).unwrap();
    let stops = plan.exits(effect).upper;
    for (own, printed) in stops.iter().zip([0.031_410_0, 0.399_360_2, 0.358_993_9]) {
        near(*own, printed, 1e-7, "rejection by stage");
    }
}

/// Half of the information, z = 1.5, one-sided .025: no effect, the trend, the effect of power .90; and by hand (normal, R
/// 4.2.2) the predictive power Φ((z − z_α√t)/√(1 − t)).
#[test]
fn conditional_and_predictive_power() {
    let critical = 1.959_963_984_540_054;
    let single = Boundaries::spending(&[0.5, 1.0], &[0.0, 0.025], Sides::One).unwrap();
    let conditional = |effect| single.conditional_power(0, 1.5, effect).unwrap();
    near(conditional(0.0), 0.101_720_74, 5.1e-9, "no effect");
    near(
        conditional(1.5 / 0.5f64.sqrt()),
        0.590_251_65,
        5.1e-9,
        "trend",
    );
    let design = critical + 1.281_551_565_544_6;
    near(conditional(design), 0.846_204_52, 5.1e-9, "design");
    let predictive =
        lottning::numerics::normal::cdf((1.5 - critical * 0.5f64.sqrt()) / 0.5f64.sqrt());
    near(
        single.predictive_power(0, 1.5).unwrap(),
        predictive,
        1e-10,
        "predictive",
    );
    // By law: averaged over what the first look can say, conditional power and an early stop are the whole power.
    let plan = Boundaries::solve(Shape::LanDemetsPocock, &equal(3), 0.025, Sides::One).unwrap();
    let effect = 2.4;
    let first = plan.critical_values()[0];
    let mean = effect / 3.0f64.sqrt();
    let rule = lottning::numerics::quadrature::GaussLegendre::new(32);
    let mut sum = lottning::numerics::normal::sf(first - mean);
    for panel in 0..6 {
        let width = (first + 9.0 - mean) / 6.0;
        let start = mean - 9.0 + f64::from(panel) * width;
        for (z, weight) in rule.panel(start, start + width) {
            sum += weight
                * lottning::numerics::normal::pdf(z - mean)
                * plan.conditional_power(0, z, effect).unwrap();
        }
    }
    near(sum, plan.power(effect), 1e-9, "total probability");
    assert!(single.conditional_power(1, 1.5, 0.0).is_err());
    assert!(single.conditional_power(0, f64::NAN, 0.0).is_err());
}

/// Spending by −4 of Hwang, Shih and DeCani, looks at .33, .67 and 1, and the stage levels of rpact's own shipped test of
/// the default three-stage O'Brien–Fleming design.
#[test]
fn what_the_looks_spend() {
    let hsd = Shape::HwangShihDecani { gamma: -4.0 };
    let plan = Boundaries::solve(hsd, &equal(3), 0.025, Sides::One).unwrap();
    for (own, printed) in plan
        .cumulative_alpha()
        .iter()
        .zip([0.001_303, 0.006_246, 0.025])
    {
        near(*own, printed, 6e-7, "Hwang–Shih–DeCani");
    }
    let obf = Shape::LanDemetsObrienFleming;
    let plan = Boundaries::solve(obf, &[0.3, 0.7, 1.0], 0.025, Sides::One).unwrap();
    for (own, printed) in plan
        .cumulative_alpha()
        .iter()
        .zip([4.272_58e-5, 0.007_384_49, 0.025])
    {
        near(*own, printed, 1e-6 * printed + 5e-11, "unequal looks");
    }
    let plan = Boundaries::solve(obf, &[0.33, 0.67, 1.0], 0.025, Sides::One).unwrap();
    for (own, printed) in plan
        .critical_values()
        .iter()
        .zip([3.730_665, 2.503_871, 1.993_710])
    {
        near(*own, printed, 2e-6, "thirds in two decimals");
    }
    let plan = Boundaries::solve(Shape::ObrienFleming, &equal(3), 0.025, Sides::One).unwrap();
    let printed = [
        (3.471_091_4, 0.000_259_173_72, 0.000_259_173_72),
        (2.454_432_4, 0.007_160_059_4, 0.007_055_361_6),
        (2.004_035_6, 0.024_999_99, 0.022_533_125),
    ];
    let own = plan.critical_values().iter().zip(plan.cumulative_alpha());
    for ((critical, spent), (bound, cumulative, level)) in own.zip(printed) {
        near(*critical, bound, 2e-6, "bounds");
        // rpact stops its search at .02499999.
        near(*spent, cumulative, 2e-8, "alpha spent");
        near(
            lottning::numerics::normal::sf(*critical),
            level,
            2e-7,
            "stage levels",
        );
    }
}

/// Survival with looks: the events and individuals of one look times the inflation. rpact 3.3.4: HR .7, control median 12,
/// entry over 24, 12 more of follow-up, three looks: events 83.315, 166.630, 249.945; N 374.303.
#[test]
fn looks_at_events() {
    use lottning::planning::log_rank::{FollowUp, Question, solve};
    let shape = Shape::LanDemetsObrienFleming;
    let plan = Boundaries::solve(shape, &equal(3), 0.025, Sides::One).unwrap();
    let (inflation, _) = plan.inflation(0.8).unwrap();
    let fixed = solve(&Question {
        events: None,
        power: Some(0.8),
        follow_up: Some(FollowUp {
            control_median: 12.0,
            accrual: 24.0,
            follow_up: 12.0,
            loss: 0.0,
        }),
        ..Question::power_at(0.7, 1.0, 0.05)
    })
    .unwrap();
    for (look, events) in [(1.0, 83.315), (2.0, 166.630), (3.0, 249.945)] {
        near(fixed.value * inflation * look / 3.0, events, 6e-4, "events");
    }
    near(
        fixed.individuals.unwrap().total * inflation,
        374.303,
        6e-4,
        "individuals",
    );
}

/// 288 in two arms, evenly over 24 months and then followed for 30.92, in 24 strata of three factors with exponential times and one
/// hazard ratio, .4466: three looks of Lan and DeMets have a power of .9024 (the tests of the R package lrstat 0.3.3, by Schoenfeld's
/// formula). There the hazard of a stratum is .009211·exp(Π ln θ) over its levels. By hand: of hazard h those have had an event who came
/// at u with probability 1 − exp(−h(54.92 − u)), on average over u 1 − (exp(−30.92h) − exp(−54.92h))/(24h); 66.0 events in all, of
/// which a quarter is the information.
#[test]
fn a_stratified_study_with_looks() {
    let levels: [&[(f64, f64)]; 3] = [
        &[(0.28, 1.0), (0.13, 2.127), (0.25, 0.528), (0.34, 0.413)],
        &[(0.28, 1.0), (0.72, 0.438)],
        &[(0.43, 1.0), (0.37, 0.614), (0.20, 0.159)],
    ];
    let strata = levels.iter().fold(vec![(1.0, 1.0)], |strata, levels| {
        let with = |(share, logs): (f64, f64)| {
            let each = levels.iter();
            each.map(move |(own, theta)| (share * own, logs * theta.ln()))
        };
        strata.into_iter().flat_map(with).collect()
    });
    assert_eq!(strata.len(), 24);
    let ratio = 0.4466f64;
    let had =
        |hazard: f64| 1.0 - ((-30.92 * hazard).exp() - (-54.92 * hazard).exp()) / (24.0 * hazard);
    let of = |(share, logs): &(f64, f64)| {
        let hazard = 0.009_211 * logs.exp();
        144.0 * share * (had(hazard) + had(ratio * hazard))
    };
    let events: f64 = strata.iter().map(of).sum();
    near(events, 66.0, 5e-3, "events");
    let plan = Boundaries::solve(Shape::LanDemetsObrienFleming, &equal(3), 0.025, Sides::One);
    let drift = -ratio.ln() * (events / 4.0).sqrt();
    near(plan.unwrap().power(drift), 0.9024, 5e-5, "power");
}

/// Expected information without an effect, as a ratio to one look, power .90, three looks of O'Brien and Fleming: 1.01107 with
/// two sides and alpha .05, 1.01359 with one and .025 (rpact 3.3.4): the convention shows where hardly any power does. And
/// output of SAS kept in the tests of the R package gsDesign, good to 3e-4.
#[test]
fn conventions_of_sides_and_of_other_programs() {
    for (sides, alpha, printed) in [(Sides::Two, 0.05, 1.011_07), (Sides::One, 0.025, 1.013_59)] {
        let plan = Boundaries::solve(Shape::ObrienFleming, &equal(3), alpha, sides).unwrap();
        let (inflation, _) = plan.inflation(0.9).unwrap();
        let mean = inflation * plan.expected_information(0.0);
        near(mean, printed, 6e-6, "expected information");
    }
    let spending = Shape::LanDemetsObrienFleming;
    let plan = Boundaries::solve(spending, &equal(4), 0.025, Sides::One).unwrap();
    near(plan.critical_values()[0], 4.332_63, 3e-4, "SAS");
    near(plan.critical_values()[1], 2.963_33, 3e-4, "SAS");
}
