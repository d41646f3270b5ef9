//! Lin (2013, Annals of Applied Statistics 7:295, doi 10.1214/12-AOAS583), table 2, on the data of its own subset
//! (`star/data.csv`, see `star/PROVENANCE.md`): effect of incentives beside services on first-year grades of men.

use lottning::estimation::{Arm, Columns, Covariate, Df, Settings, Variance, estimate};

fn columns(outcome: usize, adjusted: bool) -> Columns {
    let mut columns = Columns::default();
    let mut grade = Vec::new();
    for line in include_str!("star/data.csv").lines().skip(1) {
        let cells: Vec<&str> = line.split(',').collect();
        columns.arm.push(if cells[1] == "sfsp" {
            Arm::Treated
        } else {
            Arm::Control
        });
        columns.outcome.push(cells[outcome].parse().ok());
        grade.push(cells[2].parse().ok());
    }
    if adjusted {
        columns.covariates = vec![Covariate::numeric("gpa0", grade)];
    }
    columns
}

#[test]
fn table_2_to_its_printed_digits_and_beyond() {
    // Printed with HC0: unadjusted −.036 (.158), adjusted −.083 (.146), interacted −.081 (.146). The further digits
    // are R 4.2.2, estimatr 1.0.0.
    for (id, adjusted, printed, full, hc2) in [
        (
            "difference-in-means",
            false,
            (-0.036, 0.158),
            (-0.036_131_996_9, 0.157_538_250_6),
            0.158_697_818_1,
        ),
        (
            "linear",
            false,
            (-0.036, 0.158),
            (-0.036_131_996_9, 0.157_538_250_6),
            0.158_697_818_1,
        ),
        (
            "linear",
            true,
            (-0.083, 0.146),
            (-0.083_303_704_9, 0.146_490_447_5),
            0.148_064_325_9,
        ),
        (
            "lin",
            true,
            (-0.081, 0.146),
            (-0.081_219_797_5, 0.145_700_282_9),
            0.147_868_054_7,
        ),
    ] {
        let columns = columns(3, adjusted);
        let with = |variance| {
            let settings = Settings {
                variance: Some(variance),
                ..Settings::default()
            };
            let mut answer = estimate(id, &columns, &settings).unwrap();
            assert!(answer.warnings.is_empty());
            answer.results.remove(0)
        };
        let row = with(Variance::Hc0);
        let (e, s) = (row.estimate.unwrap(), row.std_error.unwrap());
        assert!(
            (e - printed.0).abs() <= 5e-4 && (s - printed.1).abs() <= 5e-4,
            "{id} {e} {s}"
        );
        assert!(
            (e - full.0).abs() <= 5e-11 && (s - full.1).abs() <= 5e-11,
            "{id} {e} {s}"
        );
        assert!(
            (with(Variance::Hc2).std_error.unwrap() - hc2).abs() <= 5e-11,
            "{id}"
        );
        assert_eq!((row.n_treated, row.n_control), (58, 99));
    }
}

/// The second year, where 17 grades are missing: counts per arm, and estimate and standard error of R 4.2.2,
/// `lm_lin(GPA_year2 ~ sfsp, ~gpa0, se_type = "HC0")` (estimatr 1.0.0, printed to 7 digits).
#[test]
fn second_year_with_missing_grades() {
    let settings = Settings {
        variance: Some(Variance::Hc0),
        df: Some(Df::Residual),
        ..Settings::default()
    };
    let answer = estimate("lin", &columns(4, true), &settings).unwrap();
    let row = answer.effect().unwrap();
    let close = |actual: Option<f64>, printed: f64| {
        assert!(
            ((actual.unwrap() - printed) / printed).abs() < 1e-6,
            "{actual:?} {printed}"
        );
    };
    close(row.estimate, -0.321_631_40);
    close(row.std_error, 0.179_395_79);
    close(row.statistic, -1.792_859_3);
    close(row.p_value, 7.521_809e-2);
    close(row.conf_low, -0.676_397_48);
    close(row.conf_high, 0.033_134_68);
    assert_eq!(
        (row.n_treated, row.n_control, row.df),
        (54, 86, Some(136.0))
    );
    assert_eq!(answer.warnings.len(), 1);
    assert_eq!(
        answer.warnings[0].message.en,
        "rows without an outcome are left out: 4 in treated, 13 in control"
    );
}
