//! Repeated and competing events in the three studies of `events/PROVENANCE.md`. Digits beyond those of the literature are R
//! 4.2.2 with survival 3.5.3 and cmprsk 2.2.11.

use crate::survival::printed;
use lottning::estimation::{Answer, Arm, Columns, Covariate, Factor, Labels, Settings, estimate};

fn cells(text: &'static str) -> Vec<Vec<&'static str>> {
    text.lines()
        .skip(1)
        .map(|line| line.split(',').collect())
        .collect()
}

fn numbers(rows: &[Vec<&str>], column: usize) -> Vec<Option<f64>> {
    rows.iter().map(|row| row[column].parse().ok()).collect()
}

fn codes(rows: &[Vec<&str>], column: usize) -> Vec<Option<u32>> {
    rows.iter().map(|row| row[column].parse().ok()).collect()
}

fn arms(rows: &[Vec<&str>], column: usize, treated: &str) -> Vec<Arm> {
    let arm = |row: &Vec<&str>| {
        if row[column] == treated {
            Arm::Treated
        } else {
            Arm::Control
        }
    };
    rows.iter().map(arm).collect()
}

fn infections() -> Columns {
    let rows = cells(include_str!("events/infections.csv"));
    Columns {
        labels: Labels {
            treated: "interferon".into(),
            control: "placebo".into(),
        },
        arm: arms(&rows, 1, "interferon"),
        id: Some(Factor::from_texts(
            "id",
            rows.iter().map(|row| Some(row[0])),
        )),
        entry: Some(numbers(&rows, 2)),
        time: Some(numbers(&rows, 3)),
        event: Some(codes(&rows, 4)),
        ..Columns::default()
    }
}

fn gammopathy() -> Columns {
    let rows = cells(include_str!("events/gammopathy.csv"));
    Columns {
        arm: arms(&rows, 0, "M"),
        time: Some(numbers(&rows, 1)),
        event: Some(codes(&rows, 2)),
        ..Columns::default()
    }
}

fn run(id: &str, columns: &Columns, horizon: Option<f64>) -> Answer {
    let settings = Settings {
        horizon,
        ..Settings::default()
    };
    estimate(id, columns, &settings).unwrap()
}

/// `survfit(Surv(tstart, tstop, status) ~ treat, id = id)`.
#[test]
fn mean_number_of_infections() {
    let columns = infections();
    for (days, placebo, interferon) in [
        (
            100.0,
            (".24664225", ".06544297"),
            (".03174603", ".02208865"),
        ),
        (
            200.0,
            (".40793257", ".09346326"),
            (".16028305", ".05638520"),
        ),
        (
            300.0,
            (".89297156", ".16818918"),
            (".27948021", ".07302113"),
        ),
    ] {
        let answer = run("mean-cumulative-count", &columns, Some(days));
        for (row, (mean, error)) in answer.results[1..].iter().zip([interferon, placebo]) {
            printed(row.estimate, mean);
            printed(row.std_error, error);
        }
        let extra = &answer.results[0].extra;
        assert_eq!(
            (&extra["units_treated"], &extra["units_control"]),
            (&63.into(), &65.into())
        );
    }
}

/// `coxph(Surv(tstart, tstop, status) ~ treat, cluster = id)`: the rate ratio of Lin, Wei, Yang and Ying. By the 13 hospitals
/// the standard error would be .14795, half of it: too few groups for a sandwich, and a level that was not randomized.
#[test]
fn rate_ratio_of_infections() {
    let mut columns = infections();
    let answer = run("recurrent-rate-ratio", &columns, None);
    let row = &answer.results[0];
    printed(row.extra["log_estimate"].as_f64(), "-1.0952867353");
    printed(row.std_error, ".31193657708");
    printed(row.estimate, ".3344");
    assert_eq!((row.n_treated, row.n_control), (83, 120));
    assert!(!answer.warnings.iter().any(|w| w.code == "few-clusters"));
    // Hospitals as clusters of rows, where they may be given: the warning of few.
    let rows = cells(include_str!("events/infections.csv"));
    let hospitals = rows.iter().map(|row| Some(row[5]));
    columns.cluster = Some(Factor::from_texts("hospital", hospitals));
    columns.id = None;
    let answer = run("cox", &columns, None);
    printed(answer.results[0].std_error, ".14795");
    assert!(answer.warnings.iter().any(|w| w.code == "few-clusters"));
    // Each row for itself.
    columns.cluster = None;
    let answer = run("cox", &columns, None);
    printed(answer.results[0].std_error, ".26101432053");
}

/// The counting process of Andersen and Gill on at most four recurrences of bladder tumours, which Therneau and Grambsch (2000), *Modeling
/// Survival Data*, analyse: `coxph(Surv(start, stop, event) ~ rx + number + size, cluster = id)`, and its `naive.var`.
#[test]
fn rate_ratio_of_recurrences() {
    let rows = cells(include_str!("events/recurrences.csv"));
    let mut columns = Columns {
        arm: arms(&rows, 1, "thiotepa"),
        id: Some(Factor::from_texts(
            "id",
            rows.iter().map(|row| Some(row[0])),
        )),
        entry: Some(numbers(&rows, 2)),
        time: Some(numbers(&rows, 3)),
        event: Some(codes(&rows, 4)),
        covariates: vec![
            Covariate::numeric("number", numbers(&rows, 5)),
            Covariate::numeric("size", numbers(&rows, 6)),
        ],
        ..Columns::default()
    };
    let answer = run("recurrent-rate-ratio", &columns, None);
    let row = &answer.results[0];
    printed(row.extra["log_estimate"].as_f64(), "-.464686953");
    printed(row.std_error, ".265560812");
    let units = ["units_treated", "units_control"].map(|key| row.extra[key].as_u64());
    assert_eq!(units, [Some(38), Some(47)]);
    // Each row for itself.
    columns.id = None;
    let answer = run("cox", &columns, None);
    printed(answer.results[0].std_error, ".199732189");
}

/// `survfit` of several states and `cuminc`.
#[test]
fn malignancy_under_competing_death() {
    let columns = gammopathy();
    for (months, women, men) in [
        (60.0, ".0397896215", ".0293462845"),
        (120.0, ".0738856644", ".05531024065"),
        (240.0, ".1049406742", ".0956507550"),
    ] {
        let answer = run("cumulative-incidence", &columns, Some(months));
        printed(answer.results[1].estimate, men);
        printed(answer.results[2].estimate, women);
        let test = &answer.results[3];
        printed(test.statistic, "1.194507825");
        printed(test.p_value, ".2744221568");
    }
    // Death as the event, malignancy as what competes.
    let mut columns = columns;
    for code in columns.event.iter_mut().flatten().flatten() {
        *code = [0, 2, 1][*code as usize];
    }
    let answer = run("cumulative-incidence", &columns, Some(120.0));
    printed(answer.results[3].statistic, "11.651259012");
    printed(answer.results[3].p_value, ".000641590976");
}

/// `crr` with sex and age.
#[test]
fn subdistribution_of_malignancy() {
    let mut columns = gammopathy();
    let rows = cells(include_str!("events/gammopathy.csv"));
    columns.covariates = vec![Covariate::numeric("age", numbers(&rows, 3))];
    let answer = run("fine-gray", &columns, None);
    let row = &answer.results[0];
    printed(row.extra["log_estimate"].as_f64(), "-.260038238");
    printed(row.std_error, ".185681035");
}
