//! Epochs in the analysis, on paper: redraws by each epoch's own rule, and an effect that a trend cannot imitate.

use std::sync::Arc;

use lottning::allocation::Arm;
use lottning::analysis::reference_set::History;
use lottning::analysis::{Plan, RunSettings, run};
use lottning::protocol::model::{Day, MAX_FIELDS};
use lottning::protocol::{Protocol, carry_on, parse};
use lottning::study::kernel::{
    Event, FamilyIx, ReportIx, Roster, Screening, SiteIx, State, Verdict, What, apply,
};

use crate::made_up::IUH;

/// The IUH protocol without strata, in blocks of two at 1:1, and its amendment in blocks of three at 2:1.
fn protocols() -> Arc<Protocol> {
    let blocks = |text: &str, length: u32| {
        text.replace(
            "method = \"big-stick\"",
            &format!("method = \"permuted-block\"\nblock_len = {length}"),
        )
        .replace("max_imbalance = 4", "")
        .replace("strata = [\"site\"]", "strata = []")
        .replace("therapists = 2", "therapists = 1000")
    };
    let first = blocks(IUH, 2);
    let next = blocks(IUH, 3).replacen("ratio = 1", "ratio = 2", 1);
    let before = Arc::new(parse(first.as_bytes()).protocol.unwrap());
    let after = parse(next.as_bytes()).protocol.unwrap();
    Arc::new(carry_on(&before, &first, after, &next).unwrap())
}

/// Families randomized on the days given to the arms given, the epoch opened before the family with number `at`.
fn study(protocol: &Protocol, arms: &[u8], at: usize) -> State {
    let mut state = State::new(protocol);
    let first = protocol.first_opening();
    let mut draw = 0;
    for (number, arm) in arms.iter().enumerate() {
        let day = first.plus(number as i32);
        let mut event = |what: What| apply(protocol, &mut state, &Event { day, what: &what });
        if number == at {
            event(What::EpochOpened { epoch: 1 });
            draw = 0;
        }
        let family = FamilyIx(number as u32);
        event(What::Screened(Screening {
            family,
            site: SiteIx(0),
            report: ReportIx(number as u32),
            received: day,
            children: Roster::EMPTY,
            answers: 1,
            values: [3; MAX_FIELDS],
            verdict: Verdict::Drawn,
            changed: false,
        }));
        event(What::Allocated {
            family,
            site: SiteIx(0),
            epoch: u32::from(number >= at),
            stratum: 0,
            cell: 0,
            draw,
            arm: Arm(*arm),
            allocation: number as u32 + 1,
        });
        draw += 1;
    }
    state
}

/// Two families in a block of two at 1:1 (2 sequences), then three in a block of three at 2:1 (3 sequences): six
/// sequences, each with probability 1/2 · 1/3 = 1/6, and none that mixes the epochs' rules.
#[test]
fn each_epoch_is_redrawn_by_its_own_rule() {
    let protocol = protocols();
    let state = study(&protocol, &[0, 1, 0, 1, 0], 2);
    let history = History::of(&protocol, &state);
    let all = history.enumerate(100).unwrap();
    assert_eq!(all.total(), 6);
    let mut arms = Vec::new();
    let mut seen: Vec<Vec<u8>> = (0..6)
        .map(|number| {
            let probability = all.sequence(number, &mut arms);
            assert!((probability - 1.0 / 6.0).abs() < 1e-15);
            arms.iter().map(|arm| arm.0).collect()
        })
        .collect();
    seen.sort();
    let expected: [[u8; 5]; 6] = [
        [0, 1, 0, 0, 1],
        [0, 1, 0, 1, 0],
        [0, 1, 1, 0, 0],
        [1, 0, 0, 0, 1],
        [1, 0, 0, 1, 0],
        [1, 0, 1, 0, 0],
    ];
    assert_eq!(seen, expected);
    assert_eq!(history.impossible(&[0, 1, 0, 1, 0].map(Arm)), None);
    // Two of the second arm in the block of three at 2:1 cannot have been.
    assert_eq!(history.impossible(&[0, 1, 0, 1, 1].map(Arm)), Some(4));
}

/// 24 families at 1:1, none with the outcome; then 24 at 2:1, all with it; no effect within either epoch. Without the
/// epochs the arms' shares are 16/28 and 8/20: a difference of 16/28 − 8/20 = 6/35 = 0.171 that is only the trend. With
/// the indicator the estimate is the average of the two epochs' differences, which are 0.
#[test]
fn a_trend_over_epochs_with_other_ratios_is_no_effect() {
    let protocol = protocols();
    let arms: Vec<u8> = [0, 1]
        .repeat(12)
        .into_iter()
        .chain([0, 0, 1].repeat(8))
        .collect();
    let mut state = study(&protocol, &arms, 24);
    let first = protocol.first_opening();
    // The second outcome of the protocol: an accepted and started service in the window.
    for number in 24..48 {
        let day = first.plus(100);
        for service in [
            lottning::protocol::model::Service::Accepted,
            lottning::protocol::model::Service::Started,
        ] {
            let what = What::Serviced {
                family: FamilyIx(number),
                service,
                on: day,
                arm: None,
                by: None,
            };
            apply(&protocol, &mut state, &Event { day, what: &what });
        }
    }
    let cut = Day::of(jiff::civil::date(2027, 6, 1));
    let lock = protocol.lock("final").unwrap();
    let mut plain = (*protocol).clone();
    for analysis in &mut plain.analyses {
        analysis.covariates.clear();
        analysis.test = None;
    }
    let run = |protocol: &Protocol| {
        let plan = Plan::registered(protocol, lock);
        let all = run(protocol, &state, &plan, cut, &RunSettings::default());
        let own = all.analyses.into_iter().find(|own| own.id == "acceptance");
        own.unwrap()
    };
    let adjusted = run(&plain);
    assert!(adjusted.results[0].estimate.unwrap().abs() < 1e-12);
    assert_eq!(adjusted.covariates, ["epoch"]);
    assert_eq!(adjusted.deviations[0].code, "epoch-covariate");

    // An estimator without covariates shows the trend as an effect, and says so.
    for analysis in &mut plain.analyses {
        analysis.estimator = "difference-in-means".into();
    }
    let naive = run(&plain);
    assert!((naive.results[0].estimate.unwrap() - 6.0 / 35.0).abs() < 1e-12);
    assert!(
        naive
            .warnings
            .iter()
            .any(|warning| warning.code == "epochs-not-adjusted")
    );
}
