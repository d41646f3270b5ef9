//! Power of log-rank tests and of rates against printed figures.
//!
//! rpact 3.3.4 under R 4.2.2; where another source is named, it is that. Formulas were also evaluated by hand in R.

use lottning::planning::PowerError;
use lottning::planning::clustering::{ClusteredArms, Clustering};
use lottning::planning::figure::{Caution, Direction, Solved};
use lottning::planning::log_rank::{self, FollowUp, Formula};
use lottning::planning::rates;

fn near(value: f64, printed: f64, tolerance: f64) {
    assert!(
        (value - printed).abs() <= tolerance,
        "{value} and not {printed}"
    );
}

fn sized(hazard_ratio: f64, power: f64, formula: Formula) -> log_rank::Question {
    log_rank::Question {
        events: None,
        power: Some(power),
        formula,
        ..log_rank::Question::power_at(hazard_ratio, 1.0, 0.05)
    }
}

#[test]
fn events_of_schoenfeld_and_freedman() {
    let events = |ratio, power, formula| {
        log_rank::solve(&sized(ratio, power, formula))
            .unwrap()
            .value
    };
    for (ratio, at_80, at_90) in [
        (0.5, 65.346, 87.479),
        (0.6, 120.316, 161.069),
        (0.7, 246.787, 330.378),
        (0.75, 379.352, 507.844),
        (0.8, 630.520, 844.088),
    ] {
        near(events(ratio, 0.8, Formula::Schoenfeld), at_80, 5.1e-4);
        near(events(ratio, 0.9, Formula::Schoenfeld), at_90, 5.1e-4);
    }
    for (ratio, at_80) in [(0.5, 70.640), (0.7, 252.036), (0.8, 635.759)] {
        near(events(ratio, 0.8, Formula::Freedman), at_80, 5.1e-4);
    }
}

/// HR .7, control median 12, entry over 24, 12 more of follow-up: 246.787 events among 369.574 individuals.
#[test]
fn individuals_by_follow_up() {
    let follow_up = FollowUp {
        control_median: 12.0,
        accrual: 24.0,
        follow_up: 12.0,
        loss: 0.0,
    };
    let question = log_rank::Question {
        follow_up: Some(follow_up),
        ..sized(0.7, 0.8, Formula::Schoenfeld)
    };
    let found = log_rank::solve(&question).unwrap();
    near(found.value, 246.787_104_547, 1e-8);
    assert_eq!((found.solved, found.events), (Solved::Events, 247));
    let individuals = found.individuals.unwrap();
    near(individuals.total, 369.574_139_588, 1e-8);
    assert_eq!((individuals.n_treated, individuals.n_control), (185, 185));
    assert!(individuals.power > 0.8 && individuals.power < 0.801);
    // Two treated per control, 10 % lost in 12 units of time: η = −ln(.9)/12.
    let unequal = |formula| {
        let lossy = FollowUp {
            loss: -0.9f64.ln() / 12.0,
            ..follow_up
        };
        let question = log_rank::Question {
            ratio: 2.0,
            formula,
            follow_up: Some(lossy),
            ..question
        };
        let found = log_rank::solve(&question).unwrap();
        (found.value, found.individuals.unwrap().total)
    };
    let (events, total) = unequal(Formula::Schoenfeld);
    near(events, 277.635_492_616, 1e-8);
    near(total, 467.401_196_044, 1e-8);
    let (events, total) = unequal(Formula::Freedman);
    near(events, 251.164_151_499, 1e-8);
    near(total, 422.836_517_435, 1e-8);
    // The other way round: so many individuals have the power, and find the ratio.
    let known = log_rank::Question {
        n_control: Some(369.574_139_588 / 2.0),
        power: None,
        ..question
    };
    near(log_rank::solve(&known).unwrap().value, 0.8, 1e-10);
    let ratio = log_rank::Question {
        hazard_ratio: None,
        power: Some(0.8),
        ..known
    };
    near(log_rank::solve(&ratio).unwrap().value, 0.7, 1e-9);
}

/// The vignette of lrstat: risks of .2 and .4 within 12 months, 40 events: 74.5 % by the formula, 72.2 % by its simulation
/// of 10,000 studies. The formula is known to be optimistic there, and says so.
#[test]
fn a_strong_effect_is_said_to_be_optimistic() {
    let ratio = 0.8f64.ln() / 0.6f64.ln();
    let found = log_rank::solve(&log_rank::Question::power_at(ratio, 40.0, 0.05)).unwrap();
    near(found.value, 0.745_076_345_465, 5e-13);
    assert_eq!(found.warnings, [Caution::OptimisticFormula]);
    // Freedman's is below the simulation.
    let freedman = log_rank::Question {
        formula: Formula::Freedman,
        ..log_rank::Question::power_at(ratio, 40.0, 0.05)
    };
    let found = log_rank::solve(&freedman).unwrap();
    assert!(
        found.value < 0.722 && found.warnings.is_empty(),
        "{}",
        found.value
    );
}

#[test]
fn negative_binomial_rates() {
    let n = |dispersion, time, power| {
        let question = rates::Question {
            n_control: None,
            power: Some(power),
            time,
            ..rates::Question::power_at(0.5, 0.35, dispersion, 1.0, 0.05)
        };
        rates::solve(&question).unwrap().value
    };
    near(n(0.0, 1.0, 0.8), 299.670, 5.1e-4);
    near(n(0.7, 1.0, 0.8), 386.046, 5.1e-4);
    near(n(0.7, 2.0, 0.9), 316.219, 5.1e-4);
}

/// By hand: without dispersion the variance of a log rate is one over the events, so that a Poisson test of E1 and E0
/// expected events has the distance ln(r1/r0)/√(1/E1 + 1/E0), whatever the time.
#[test]
fn no_dispersion_is_poisson() {
    let question = rates::Question {
        time: 4.0,
        ratio: 0.5,
        ..rates::Question::power_at(0.5, 0.35, 0.0, 80.0, 0.05)
    };
    let found = rates::solve(&question).unwrap();
    let (e1, e0): (f64, f64) = (0.35 * 4.0 * 40.0, 0.5 * 4.0 * 80.0);
    let distance = (0.7f64).ln().abs() / (1.0 / e1 + 1.0 / e0).sqrt();
    near(
        found.value,
        lottning::numerics::normal::sf(1.959_963_984_540_054 - distance),
        1e-12,
    );
    assert_eq!((found.n_treated, found.n_control), (40, 80));
}

#[test]
fn each_unknown_gives_the_others_back() {
    let clustering = Some(Clustering {
        size: 3.0,
        icc: 0.1,
        size_cv: 0.4,
        arms: ClusteredArms::Treated,
    });
    for (sides, ratio, strict, side) in [
        (2, 1.0, false, Direction::Lower),
        (2, 2.0, true, Direction::Higher),
        (1, 0.5, false, Direction::Lower),
    ] {
        let effect = match side {
            Direction::Lower => 0.6,
            Direction::Higher => 1.5,
        };
        for formula in Formula::ALL {
            let known = log_rank::Question {
                sides,
                ratio,
                strict,
                formula,
                clustering,
                direction: Some(side),
                ..log_rank::Question::power_at(effect, 90.0, 0.05)
            };
            let power = log_rank::solve(&known).unwrap().value;
            let complete = log_rank::Question {
                power: Some(power),
                ..known
            };
            let own = |question: log_rank::Question| log_rank::solve(&question).unwrap().value;
            near(
                own(log_rank::Question {
                    events: None,
                    ..complete
                }),
                90.0,
                1e-8,
            );
            near(
                own(log_rank::Question {
                    alpha: None,
                    ..complete
                }),
                0.05,
                1e-11,
            );
            near(
                own(log_rank::Question {
                    hazard_ratio: None,
                    ..complete
                }),
                effect,
                1e-10,
            );
        }
        let known = rates::Question {
            sides,
            ratio,
            strict,
            clustering,
            direction: Some(side),
            ..rates::Question::power_at(1.2, 1.2 * effect, 0.5, 90.0, 0.05)
        };
        let power = rates::solve(&known).unwrap().value;
        let complete = rates::Question {
            power: Some(power),
            ..known
        };
        let own = |question: rates::Question| rates::solve(&question).unwrap().value;
        near(
            own(rates::Question {
                n_control: None,
                ..complete
            }),
            90.0,
            1e-8,
        );
        near(
            own(rates::Question {
                alpha: None,
                ..complete
            }),
            0.05,
            1e-11,
        );
        near(
            own(rates::Question {
                rate1: None,
                ..complete
            }),
            1.2 * effect,
            1e-10,
        );
    }
}

#[test]
fn figures_that_do_not_exist_are_refused_with_the_reason() {
    let base = log_rank::Question::power_at(0.7, 100.0, 0.05);
    let refused = |question: log_rank::Question| log_rank::solve(&question).unwrap_err();
    let individuals = log_rank::Question {
        events: None,
        n_control: Some(200.0),
        ..base
    };
    assert_eq!(refused(individuals), PowerError::FollowUpMissing);
    assert_eq!(
        refused(log_rank::Question {
            n_control: Some(200.0),
            ..base
        }),
        PowerError::TwoSizes
    );
    assert_eq!(
        refused(log_rank::Question {
            direction: Some(Direction::Higher),
            ..base
        }),
        PowerError::WrongSide
    );
    assert_eq!(
        refused(sized(1.0, 0.8, Formula::Schoenfeld)),
        PowerError::NoDifference
    );
    assert_eq!(
        refused(sized(0.7, 0.01, Formula::Schoenfeld)),
        PowerError::PowerTooLow
    );
    // Freedman's statistic stays below √(E/r) however high the hazard ratio: 3 events never have a power of .9.
    let few = log_rank::Question {
        hazard_ratio: None,
        power: Some(0.9),
        events: Some(3.0),
        formula: Formula::Freedman,
        direction: Some(Direction::Higher),
        ..base
    };
    assert!(matches!(refused(few), PowerError::EffectTooSmall { .. }));
    // A Wald test of rates loses its power again where a rate is next to 0.
    let wald = rates::Question {
        rate1: None,
        power: Some(0.9),
        n_control: Some(4.0),
        ..rates::Question::power_at(0.5, 0.3, 0.2, 4.0, 0.05)
    };
    assert!(matches!(
        rates::solve(&wald).unwrap_err(),
        PowerError::EffectTooSmall { .. }
    ));
    let bad = rates::Question::power_at(0.5, 0.3, -0.1, 4.0, 0.05);
    assert!(matches!(
        rates::solve(&bad).unwrap_err(),
        PowerError::OutOfRange { .. }
    ));
}
