//! Competing and repeated events on cases small enough for paper.

use crate::survival::close;
use lottning::estimation::{
    Answer, Arm, Columns, Estimate, EstimationError, Factor, HistoryError, Settings, estimate,
};

/// Id, arm, entry, time, event; rows are numbered from 2.
fn histories(rows: &[(&str, u8, f64, f64, u32)]) -> Columns {
    let arm = |row: &(&str, u8, f64, f64, u32)| match row.1 {
        1 => Arm::Treated,
        _ => Arm::Control,
    };
    Columns {
        arm: rows.iter().map(arm).collect(),
        id: Some(Factor::from_texts("id", rows.iter().map(|row| Some(row.0)))),
        entry: Some(rows.iter().map(|row| Some(row.2)).collect()),
        time: Some(rows.iter().map(|row| Some(row.3)).collect()),
        event: Some(rows.iter().map(|row| Some(row.4)).collect()),
        ..Columns::default()
    }
}

/// Arm, time, event of units of one row.
fn units(rows: &[(u8, f64, u32)]) -> Columns {
    let rows: Vec<_> = rows
        .iter()
        .map(|row| ("", row.0, 0.0, row.1, row.2))
        .collect();
    Columns {
        id: None,
        entry: None,
        ..histories(&rows)
    }
}

fn at(id: &str, columns: &Columns, horizon: f64) -> Result<Answer, EstimationError> {
    let settings = Settings {
        horizon: Some(horizon),
        ..Settings::default()
    };
    estimate(id, columns, &settings)
}

fn square(row: &Estimate) -> Option<f64> {
    row.std_error.map(|error| error * error)
}

fn codes(answer: &Answer) -> Vec<&'static str> {
    answer.warnings.iter().map(|w| w.code).collect()
}

/// Treated: event at 1, other at 2, end at 3, event at 4. With weights w, `F(4) = w₁/W + (w₃ + w₄)/W`, which is 3/4; its
/// derivatives at w = 1 are 1/16, −3/16, 1/16, 1/16, whose squares sum to 12/256 = 3/64. At 2 the incidence is 1/4 and the
/// variance 1/4·3/4/4 = 3/64, as of a share, since nobody has left by then.
/// Control: other at 1, end at 2, event at 3. `F(3) = (w₂ + w₃)/W` = 2/3; derivatives −2/9, 1/9, 1/9, squares 6/81 = 2/27;
/// before 3 it is 0. It is known at 4 too: nobody is left.
#[test]
fn cumulative_incidence_on_seven_rows() {
    let rows = [
        (1, 1.0, 1),
        (1, 2.0, 2),
        (1, 3.0, 0),
        (1, 4.0, 1),
        (0, 1.0, 2),
        (0, 2.0, 0),
        (0, 3.0, 1),
    ];
    let answer = at("cumulative-incidence", &units(&rows), 4.0).unwrap();
    let [effect, treated, control, test] = answer.results.as_slice() else {
        panic!("{answer:?}")
    };
    close(effect.estimate, 1.0 / 12.0);
    close(square(effect), 3.0 / 64.0 + 2.0 / 27.0);
    close(treated.estimate, 0.75);
    close(square(treated), 3.0 / 64.0);
    close(control.estimate, 2.0 / 3.0);
    close(square(control), 2.0 / 27.0);
    // ln(−ln(1 − F)) has standard error σ/((1 − F)|ln(1 − F)|).
    let margin = 1.959_963_984_540_054 * (3.0f64 / 64.0).sqrt() / (0.25 * 4.0f64.ln());
    close(treated.conf_low, 1.0 - 0.25f64.powf((-margin).exp()));
    close(treated.conf_high, 1.0 - 0.25f64.powf(margin.exp()));
    let extra = ["events", "competing", "at_risk"].map(|key| treated.extra[key].as_u64());
    assert_eq!(extra, [Some(2), Some(1), Some(1)]);
    assert_eq!(
        (test.measure.as_str(), test.estimate, test.conf_low),
        ("test", None, None)
    );
    assert!(answer.warnings.is_empty());

    let answer = at("cumulative-incidence", &units(&rows), 2.0).unwrap();
    close(square(&answer.results[1]), 3.0 / 64.0);
    close(answer.results[2].estimate, 0.0);
    assert_eq!(codes(&answer), ["survival-at-boundary"]);
    let beyond = at("cumulative-incidence", &units(&rows), 5.0);
    assert!(beyond.is_ok(), "both arms have nobody left");
    let mut open = rows;
    open[6].2 = 0;
    let beyond = at("cumulative-incidence", &units(&open), 3.5).unwrap_err();
    assert_eq!(beyond.code(), "horizon-beyond-follow-up");
    // Coded 1 and 2 alone, everyone's end could be meant by 1.
    let mut complete = rows;
    complete[2].2 = 1;
    complete[5].2 = 2;
    let refused = at("cumulative-incidence", &units(&complete), 2.0).unwrap_err();
    assert_eq!(refused, EstimationError::EventsCodedOneTwo);
}

/// Control has the event at 1, treated ends at 2. At 1 each arm has one at risk: score 0 − 1/2; h = 1 in both, the pooled
/// incidence rises by 1/2, D = ±1/2, nothing comes later: variance 2·(1/4)(1/2)/1 = 1/4, statistic 1.
/// Equal arms have a score of exactly 0. Without an event there is no test.
#[test]
fn gray_test_on_few_rows() {
    let answer = at(
        "cumulative-incidence",
        &units(&[(0, 1.0, 1), (1, 2.0, 0)]),
        1.0,
    )
    .unwrap();
    close(answer.results[3].statistic, 1.0);
    close(answer.results[3].p_value, 0.317_310_507_862_914_1);
    close(answer.results[3].extra["excess"].as_f64(), -0.5);
    let arm = |arm| [(arm, 1.0, 1), (arm, 2.0, 2), (arm, 3.0, 1), (arm, 3.0, 0)];
    let equal = units(&[arm(0), arm(1)].concat());
    let answer = at("cumulative-incidence", &equal, 2.5).unwrap();
    assert_eq!(
        (answer.results[3].statistic, answer.results[3].p_value),
        (Some(0.0), Some(1.0))
    );
    let none = units(&[(0, 1.0, 2), (1, 2.0, 0), (1, 3.0, 0), (0, 4.0, 0)]);
    let answer = at("cumulative-incidence", &none, 2.0).unwrap();
    assert_eq!(answer.results[3].statistic, None);
    assert_eq!(answer.results[0].p_value, None);
    let boundary = "survival-at-boundary";
    assert_eq!(
        codes(&answer),
        ["no-variation", boundary, boundary, "no-variation"]
    );
}

/// Five histories: events 2, 5, death 8; event 3, end 10; death 4; events 1, 6, 7, end 9; event 5, end 6. Until 4 five are at
/// risk: 1/5 at 1, 2, 3. Death at 4: S = 4/5. At 5 four at risk, two events: 4/5·2/4. At 6 four: 4/5·1/4. At 7 three: 4/5·1/3.
/// At 8 three: S = 4/5·2/3 = 8/15. Without looking at deaths the mean at 7 is 3/5 + 1/2 + 1/4 + 1/3 = 101/60.
/// Until 5 nobody's follow-up has ended: the counts are 2, 1, 0, 1, 1, mean 1, and the variance that of a mean,
/// (1 + 0 + 1 + 0 + 0)/25 = 2/25.
/// Control: one event at 2 in two units: mean 1/2, variance (1/4 + 1/4)/4 = 1/8.
#[test]
fn mean_cumulative_count_of_five_histories() {
    let toy = [
        ("a", 1, 0.0, 2.0, 1),
        ("a", 1, 2.0, 5.0, 1),
        ("a", 1, 5.0, 8.0, 2),
        ("b", 1, 0.0, 3.0, 1),
        ("b", 1, 3.0, 10.0, 0),
        ("c", 1, 0.0, 4.0, 2),
        ("d", 1, 0.0, 1.0, 1),
        ("d", 1, 1.0, 6.0, 1),
        ("d", 1, 6.0, 7.0, 1),
        ("d", 1, 7.0, 9.0, 0),
        ("e", 1, 0.0, 5.0, 1),
        ("e", 1, 5.0, 6.0, 0),
        ("f", 0, 0.0, 2.0, 1),
        ("f", 0, 2.0, 10.0, 0),
        ("g", 0, 0.0, 10.0, 0),
    ];
    let columns = histories(&toy);
    let means = [
        (1.0, 0.2),
        (2.0, 0.4),
        (3.0, 0.6),
        (4.5, 0.6),
        (5.0, 1.0),
        (6.0, 1.2),
        (7.0, 22.0 / 15.0),
        (9.0, 22.0 / 15.0),
    ];
    for (horizon, mean) in means {
        let answer = at("mean-cumulative-count", &columns, horizon).unwrap();
        close(answer.results[1].estimate, mean);
    }
    let answer = at("mean-cumulative-count", &columns, 5.0).unwrap();
    let [effect, treated, control] = answer.results.as_slice() else {
        panic!("{answer:?}")
    };
    close(effect.estimate, 0.5);
    close(square(effect), 2.0 / 25.0 + 1.0 / 8.0);
    close(square(treated), 2.0 / 25.0);
    close(control.estimate, 0.5);
    close(square(control), 1.0 / 8.0);
    let margin = 1.959_963_984_540_054 * 0.08f64.sqrt();
    close(treated.conf_low, (-margin).exp());
    close(treated.conf_high, margin.exp());
    close(treated.extra["survival"].as_f64(), 0.8);
    assert_eq!((effect.n_treated, effect.n_control), (12, 3));
    let ids = [
        &effect.extra["units_treated"],
        &effect.extra["units_control"],
    ];
    assert_eq!(ids, [5, 2]);
    assert!(answer.warnings.is_empty());
    let answer = at("mean-cumulative-count", &columns, 8.0).unwrap();
    close(answer.results[1].extra["survival"].as_f64(), 8.0 / 15.0);
    let mut alive = columns;
    for code in alive.event.iter_mut().flatten().flatten() {
        *code = u32::from(*code == 1);
    }
    let answer = at("mean-cumulative-count", &alive, 7.0).unwrap();
    close(answer.results[1].estimate, 101.0 / 60.0);
}

/// Two ids an arm, followed from 0 to 10; treated events at 1, 2, 3 of one id, a control event at 4. With r the rate ratio and
/// p = r/(1 + r) the score is 3 − 4p, so p = 3/4 and r = 3; the information 4·3/16 = 3/4. Score residuals: of the id with
/// three events 3/4 − 4·3·(1/4)/8 = 3/8, of the other treated −3/8, of the control id with the event −3/4 + 4·(3/4)/8 = −3/8,
/// of the other 3/8. Variance 4·(9/64)/(9/16) = 1.
#[test]
fn rate_ratio_of_four_histories() {
    let columns = histories(&[
        ("a", 1, 0.0, 1.0, 1),
        ("a", 1, 1.0, 2.0, 1),
        ("a", 1, 2.0, 3.0, 1),
        ("a", 1, 3.0, 10.0, 0),
        ("b", 1, 0.0, 10.0, 2),
        ("c", 0, 0.0, 4.0, 1),
        ("c", 0, 4.0, 10.0, 0),
        ("d", 0, 0.0, 10.0, 0),
    ]);
    let answer = estimate("recurrent-rate-ratio", &columns, &Settings::default()).unwrap();
    let row = &answer.results[0];
    close(row.estimate, 3.0);
    close(row.std_error, 1.0);
    assert_eq!(
        (row.measure.as_str(), row.variance.as_str()),
        ("rate-ratio", "robust")
    );
    assert_eq!((row.n_treated, row.n_control), (5, 3));
    assert_eq!(
        [&row.extra["units_treated"], &row.extra["units_control"]],
        [2, 2]
    );
    assert_eq!(codes(&answer), ["few-clusters"]);
}

/// One history an arm: its score residuals sum to 0 whatever its events, so that their square is rounding.
#[test]
fn one_history_of_an_arm_carries_no_variance() {
    let rows = [
        ("a", 1, 0.0, 1.1, 1),
        ("a", 1, 1.1, 2.3, 1),
        ("a", 1, 2.3, 9.7, 0),
        ("b", 0, 0.0, 1.7, 1),
        ("b", 0, 1.7, 10.0, 0),
        ("c", 0, 0.0, 3.1, 1),
    ];
    for (rows, names) in [(&rows[..], vec!["a"]), (&rows[..5], vec!["a", "b"])] {
        let columns = histories(rows);
        let refused = estimate("recurrent-rate-ratio", &columns, &Settings::default());
        let clusters: Vec<String> = names.iter().map(ToString::to_string).collect();
        let variance = "robust";
        let expected = EstimationError::DecisiveCluster { clusters, variance };
        assert_eq!(refused.unwrap_err(), expected);
        let refused = at("mean-cumulative-count", &columns, 4.0);
        assert_eq!(refused.unwrap_err(), expected);
    }
}

#[test]
fn impossible_histories_are_refused_by_row() {
    let good = [
        ("a", 1, 0.0, 2.0, 1),
        ("a", 1, 2.0, 5.0, 0),
        ("b", 0, 0.0, 4.0, 1),
        ("b", 0, 6.0, 9.0, 0),
        ("c", 1, 0.0, 2.0, 1),
        ("c", 1, 2.0, 5.0, 0),
        ("d", 0, 0.0, 4.0, 1),
        ("d", 0, 6.0, 9.0, 0),
    ];
    let run = |rows: &[(&str, u8, f64, f64, u32)]| {
        let columns = histories(rows);
        let one = at("mean-cumulative-count", &columns, 4.0).map(|answer| codes(&answer));
        let other = estimate("recurrent-rate-ratio", &columns, &Settings::default());
        if let Err(error) = &one {
            assert_eq!(other.unwrap_err(), *error);
        }
        one
    };
    // A gap is allowed, and nobody is at risk in it. Both ids of an arm have the same history.
    assert_eq!(run(&good), Ok(vec!["no-variation"; 3]));
    let with = |row: usize, wrong| {
        let mut rows = good;
        rows[row] = wrong;
        run(&rows).unwrap_err()
    };
    let rows = vec![3];
    assert_eq!(
        with(1, ("a", 1, 1.0, 5.0, 0)),
        EstimationError::History(HistoryError::Overlap { rows: rows.clone() })
    );
    assert_eq!(
        with(1, ("a", 1, 0.0, 2.0, 1)),
        EstimationError::History(HistoryError::Overlap { rows: rows.clone() })
    );
    assert_eq!(
        with(1, ("a", 0, 2.0, 5.0, 0)),
        EstimationError::History(HistoryError::TwoArms { rows: rows.clone() })
    );
    assert_eq!(
        with(0, ("a", 1, 0.0, 2.0, 2)),
        EstimationError::History(HistoryError::AfterTerminal { rows: rows.clone() })
    );
    // A second report of the same day has no time of its own.
    assert_eq!(
        with(1, ("a", 1, 2.0, 2.0, 1)),
        EstimationError::EmptyInterval { rows }
    );
    let mut missing = histories(&good);
    missing.id.as_mut().unwrap().codes[2] = None;
    let refused = at("mean-cumulative-count", &missing, 4.0).unwrap_err();
    assert_eq!(refused.code(), "group-missing");
    // Rows for events alone.
    let cut = [
        ("a", 1, 0.0, 2.0, 1),
        ("b", 0, 0.0, 4.0, 1),
        ("c", 0, 0.0, 5.0, 0),
        ("d", 1, 0.0, 5.0, 0),
    ];
    assert_eq!(run(&cut), Ok(vec!["follow-up-ends-with-event"]));
    // Nobody of an arm is followed from 4 to 6.
    let answer = at(
        "mean-cumulative-count",
        &histories(&[
            good[0],
            good[1],
            ("e", 1, 5.0, 9.0, 0),
            good[2],
            good[3],
            good[6],
            good[7],
        ]),
        8.0,
    )
    .unwrap();
    assert!(codes(&answer).contains(&"risk-set-emptied"));
}

/// Treated: event at 2; end at 5. Control: event at 1; another event at 1.5. Nobody's follow-up ends before 5, so the last unit
/// stays at risk with the weight 1, and with r the ratio the score is `−2r/(2r + 2) + 1 − 2r/(2r + 1)`, which is 0 at r² = 1/2.
/// Without the competing event it would be gone at 2, where all at risk are treated.
/// One more control whose follow-up ends at 1.7, when three are followed, gives it the weight 2/3 at 2:
/// `−2r/(2r + 3) + 1 − 2r/(2r + 2/3)`, again 0 at r² = 1/2.
#[test]
fn fine_gray_on_five_rows() {
    let rows = [
        (1, 2.0, 1),
        (1, 5.0, 0),
        (0, 1.0, 1),
        (0, 1.5, 2),
        (0, 1.7, 0),
    ];
    for count in [4, 5] {
        let answer = estimate("fine-gray", &units(&rows[..count]), &Settings::default());
        let answer = answer.unwrap();
        close(answer.results[0].estimate, 0.5f64.sqrt());
        assert_eq!(answer.results[0].measure, "subdistribution-hazard-ratio");
        assert_eq!(codes(&answer), ["few-clusters"]);
    }
    let mut without = rows;
    without[3].2 = 0;
    let refused = estimate("fine-gray", &units(&without), &Settings::default()).unwrap_err();
    assert_eq!(refused.code(), "monotone-likelihood");
}
