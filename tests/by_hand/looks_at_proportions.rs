//! A look at a difference of two proportions: the score test that gives the p meets the boundary, and nothing else does.

use crate::made_up::{IUH, Study, protocol};
use lottning::analysis::looks::look;
use lottning::analysis::results::AnalysisResult;
use lottning::analysis::{Plan, RunSettings, run};
use lottning::protocol::model::Day;

/// The shipped protocol without a gate, lots in pairs, whose primary analysis is `risk-difference` without a test by redraws and is
/// looked at by a lock that spends `alpha`.
fn text(alpha: &str) -> String {
    let from = IUH.find("[gate]").unwrap();
    let until = IUH.find("[exceptions]").unwrap();
    let text = format!("{}{}", &IUH[..from], &IUH[until..]);
    let from = text.find("estimator = \"lin\"").unwrap();
    let until = from + text[from..].find("role = \"primary\"").unwrap();
    let text = format!(
        "{}estimator = \"risk-difference\"\nmissing = {{ primary = \"complete-case\" }}\n{}",
        &text[..from],
        &text[until..]
    );
    let primary = "id = \"primary\"\nlock = \"final\"\n";
    text.replace("max_imbalance = 4", "max_imbalance = 1")
        .replace("alpha = 0.0\n", &format!("alpha = {alpha}\n"))
        .replace(
            primary,
            &format!("{primary}looks = [\"evaluation-2025\"]\n"),
        )
}

/// Forty families an arm, of which one treated and eight of control are reported again.
fn study(text: &str) -> (Study, Day) {
    let mut study = Study::new(protocol(text), 5);
    let day = study.protocol.first_opening();
    let late = day.plus(500);
    let control = study.protocol.control;
    let mut arms = [0; 2];
    for _ in 0..80 {
        let family = study.enrol(day, 0, 1, &[2, 3, 0]).unwrap().0;
        let treated = study.state.family(family).unwrap().arm != control;
        let number = &mut arms[usize::from(treated)];
        *number += 1;
        if *number <= [8, 1][usize::from(treated)] {
            study.report(family, day.plus(60), late);
        }
    }
    assert_eq!(arms, [40, 40]);
    (study, late)
}

fn looked(alpha: &str) -> AnalysisResult {
    let (study, late) = study(&text(alpha));
    let (protocol, state) = (&study.protocol, &study.state);
    let mut locks = protocol.locks.iter();
    let place = locks.position(|own| own.id == "evaluation-2025").unwrap();
    let plan = Plan::registered(protocol, place);
    // What later looks, and simulated ones, are told is the same.
    let own = look(protocol, state, late, &plan.planned()[0].analysis).unwrap();
    assert!((own.z().unwrap() + SCORE).abs() < 1e-9);
    let settings = RunSettings {
        lock: Some("evaluation-2025".into()),
        ..RunSettings::default()
    };
    let found = run(protocol, state, &plan, late, &settings);
    found.analyses.into_iter().next().unwrap()
}

/// R 4.2.2: with p = 9/80, z = (1/40 − 8/40)/√(p(1 − p)(2/40)·80/79) = −2.4612807587506 and 2Φ(z) = .0138441981745, of Miettinen and
/// Nurminen; by the unpooled standard error z would be −2.5776. `qnorm(1 - .0124/2)` is 2.500551793, between the two.
const SCORE: f64 = 2.461_280_758_750_6;

#[test]
fn a_score_test_meets_the_boundary_where_its_p_meets_the_limit() {
    let found = looked("0.0124");
    let own = &found.looks[0];
    assert!((own.z + SCORE).abs() < 1e-9, "{own:?}");
    assert!((own.critical.unwrap() - 2.500_551_793).abs() < 1e-6);
    let p_value = found.deciding_p().unwrap();
    assert!((p_value - 0.013_844_198_174_5).abs() < 1e-12);
    assert!(!own.crossed && found.results.iter().all(|row| row.interval != "stage-wise"));
    // The repeated interval has the error of the estimate itself, √(1/40·39/40/40 + 8/40·32/40/40) = .0678923780: −.175 ± 2.500552 ·
    // .0678923780 leaves zero out, which the p does not; that is told.
    let row = &found.results[0];
    let half = 2.500_551_793 * 0.067_892_378_0;
    assert!((row.conf_low.unwrap() + 0.175 + half).abs() < 1e-6);
    assert!((row.conf_high.unwrap() + 0.175 - half).abs() < 1e-6);
    let mut told = found.warnings.iter();
    assert!(told.any(|own| own.code == "test-and-interval-disagree"));
    assert!(found.conclusion.en.contains("leaves the direction open"));

    let found = looked("0.0139");
    assert!(found.looks[0].crossed && p_value <= found.alpha.unwrap());
    let row = &found.results[1];
    assert_eq!(row.interval, "stage-wise");
    assert!((row.p_value.unwrap() - 0.013_844_198_174_5).abs() < 1e-9);
    assert!(found.results[0].conf_high.unwrap() < 0.0);
}
