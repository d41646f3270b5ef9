//! Beside weights for outcomes that are not known, each redraw fits the model of being known and the effect anew.

use crate::made_up::{IUH, LAST, Numbers, Study, protocol, study};
use lottning::allocation::{Arm, Redraw};
use lottning::analysis::reference_set::{History, Redrawer, test_key};
use lottning::analysis::{Plan, RunSettings, Workspace, run};
use lottning::protocol::model::{Exit, Missing};
use lottning::study::kernel::{Command, SiteIx, State, What};

/// A study in which many families left the city early, more of them with earlier reports; at the site `lost` all.
pub(crate) fn left(text: &str, families: usize, number: u64, lost: Option<SiteIx>) -> Study {
    let mut study = study(protocol(text), families, number);
    let mut numbers = Numbers(number + 1);
    let all: Vec<_> = study
        .state
        .allocations
        .iter()
        .map(|own| own.family)
        .collect();
    for family in all {
        let own = *study.state.family(family).unwrap();
        let chance = 15 + 15 * u64::from(own.values[0] > 0);
        if numbers.chance(chance) || lost == Some(own.site) {
            let (exit, on) = (Exit::LeftCoverage, own.randomized.plus(60));
            let command = Command::Record(What::Exited { family, exit, on });
            study.command(LAST, &command).unwrap();
        }
    }
    study
}

/// The state with other arms.
pub(crate) fn with_arms(state: &State, arms: &[Arm]) -> State {
    let mut other = state.clone();
    for (allocated, arm) in other.allocations.iter_mut().zip(arms) {
        allocated.arm = *arm;
        other.families[allocated.family.0 as usize].arm = *arm;
    }
    other
}

/// The p of the registered test is that of running the registered estimator, weights and all, on every redrawn allocation.
#[test]
fn the_test_is_the_whole_weighted_analysis_on_every_redraw() {
    let text = IUH.replace("draws = 10000", "draws = 99");
    let linear = text.replace(
        "estimator = \"lin\"\ncovariates = [\"site\", \"earlier_reports\", \"youngest_age\", \"months_since_start\"]\ntest",
        "estimator = \"linear\"\ncovariates = [\"earlier_reports\", \"site\"]\ntest",
    );
    assert_ne!(linear, text);
    let mut apart = 0;
    let last = Some(SiteIx(4));
    for (text, number, lost) in [
        (&text, 5, None),
        (&text, 6, None),
        (&linear, 7, None),
        (&linear, 8, last),
    ] {
        let study = left(text, 220, number, lost);
        let (protocol, state) = (&study.protocol, &study.state);
        let analysis = protocol.analyses[0].clone();
        assert_eq!(analysis.missing, Missing::CensoringWeights);
        let plan = Plan::default().with_post_hoc(analysis.clone());
        let found = run(protocol, state, &plan, LAST, &RunSettings::default());
        let test = found.analyses[0].test.as_ref().unwrap();
        let mut workspace = Workspace::default();
        let mut effects = Vec::new();
        let mut value = |state: &State| {
            plan.effects(protocol, state, LAST, &mut workspace, &mut effects);
            let effect = effects[0].as_ref().unwrap();
            effect.estimate / effect.std_error
        };
        let observed = value(state);
        let history = History::of(protocol, state);
        let key = test_key(protocol, &analysis.id, analysis.lock);
        let (mut redrawer, mut arms) = (Redrawer::default(), Vec::new());
        let (mut above, mut below) = (1.0, 1.0);
        for replicate in 0..99 {
            history.redraw(&mut redrawer, &mut Redraw::new(&key, replicate), &mut arms);
            let redrawn = value(&with_arms(state, &arms));
            above += f64::from(u8::from(redrawn >= observed - 1e-9));
            below += f64::from(u8::from(redrawn <= observed + 1e-9));
        }
        let p = (2.0 * f64::min(above, below) / 100.0).min(1.0);
        assert!((test.p_value - p).abs() < 1e-12, "{} {p}", test.p_value);
        // Without weights it is another test.
        let mut unweighted = analysis;
        unweighted.missing = Missing::CompleteCase;
        let plan = Plan::default().with_post_hoc(unweighted);
        let other = run(protocol, state, &plan, LAST, &RunSettings::default());
        let other = other.analyses[0].test.as_ref().unwrap();
        apart += u32::from(other.conf_low != test.conf_low);
    }
    assert_eq!(apart, 4);
}
