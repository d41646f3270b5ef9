//! `lottning boundaries`: the words and fields of the contract.

use crate::process::Folder;

/// Lan–DeMets O'Brien–Fleming spending, three looks, one-sided .025: 3.7103, 2.5114, 1.9930, and 1.011853 at power .90
/// (rpact 3.3.4 and an independent recursion).
#[test]
fn the_document_has_the_fields_of_the_contract() {
    let run = Folder::new().run(
        "boundaries --looks 3 --design lan-demets-obrien-fleming --alpha 0.025 --sides 1 --power 0.9 --json",
    );
    assert_eq!(run.exit, 0, "{}", run.err);
    let body = run.json();
    assert_eq!(body["schema"], "lottning.boundaries/1");
    let critical: Vec<f64> = serde_json::from_value(body["critical_values"].clone()).unwrap();
    for (own, printed) in critical.iter().zip([3.710_303, 2.511_427, 1.993_047]) {
        assert!((own - printed).abs() < 2e-6, "{critical:?}");
    }
    let spent: Vec<f64> = serde_json::from_value(body["cumulative_alpha"].clone()).unwrap();
    assert!((spent[2] - 0.025).abs() < 1e-12 && spent.len() == 3);
    assert!((body["inflation"].as_f64().unwrap() - 1.011_853).abs() < 2e-6);
    assert!(body["expected_information_h1"].as_f64().unwrap() < 1.0);
}

/// One look is the fixed design: 1.959964, no inflation.
#[test]
fn one_look_is_the_fixed_design() {
    for design in ["obrien-fleming", "pocock", "lan-demets-pocock"] {
        let run = Folder::new().run(&format!(
            "boundaries --looks 1 --design {design} --power 0.8 --json"
        ));
        let body = run.json();
        let value = body["critical_values"][0].as_f64().unwrap();
        assert!(
            (value - 1.959_963_984_540_054).abs() < 1e-9,
            "{design} {value}"
        );
        assert!(
            (body["inflation"].as_f64().unwrap() - 1.0).abs() < 1e-9,
            "{design}"
        );
        assert!((body["expected_information_h1"].as_f64().unwrap() - 1.0).abs() < 1e-9);
    }
}

/// By law: 30, 70 and 100 are looks at .3, .7 and 1, and the answer says by what they were divided; shares divide by nothing.
#[test]
fn information_that_does_not_end_at_one_is_said() {
    let run = |information: &str, form: &str| {
        let design = "--design lan-demets-obrien-fleming";
        Folder::new().run(&format!(
            "boundaries --information {information} {design} {form}"
        ))
    };
    let (counts, shares) = (
        run("30,70,100", "--json").json(),
        run("0.3,0.7,1", "--json").json(),
    );
    assert_eq!(counts["critical_values"], shares["critical_values"]);
    assert_eq!(counts["information_divided_by"].as_f64(), Some(100.0));
    assert!(shares["information_divided_by"].is_null());
    let (text, silent) = (run("30,70,100", "").out, run("0.3,0.7,1", "").out);
    assert!(
        text.contains("ends at 100") && !silent.contains("ends at"),
        "{text}{silent}"
    );
}

/// Non-binding futility that spends beta, three looks, power .80 (rpact 3.3.4: -0.236145, 1.170372, inflation 1.104334); the
/// power with looks of a study that has .809026 with one (.804111); half-way with z = 1.5 (normal, R 4.2.2).
#[test]
fn futility_power_with_looks_and_outlook() {
    let run = Folder::new().run(
        "boundaries --looks 3 --design lan-demets-obrien-fleming --futility lan-demets-obrien-fleming --alpha 0.025 --sides 1 --power 0.8 --fixed-power 0.809025665325 --json",
    );
    assert_eq!(run.exit, 0, "{}", run.err);
    let body = run.json();
    let near = |value: &serde_json::Value, printed: f64| {
        assert!(
            (value.as_f64().unwrap() - printed).abs() < 2e-6,
            "{value} {printed}"
        );
    };
    near(&body["futility_values"][0], -0.236_145);
    near(&body["futility_values"][1], 1.170_372);
    near(&body["cumulative_beta"][2], 0.2);
    near(&body["inflation"], 1.104_334);
    near(&body["expected_information_h1"], 0.875_210);
    near(&body["expected_information_h0"], 0.627_410);
    near(&body["power_with_looks"], 0.804_111_371_6);
    let run = Folder::new().run(
        "boundaries --information 0.5,1 --design hwang-shih-decani --gamma -40 --alpha 0.025 --sides 1 --power 0.9 --seen 1 --z 1.5 --json",
    );
    assert_eq!(run.exit, 0, "{}", run.err);
    let body = run.json();
    near(&body["conditional_power"]["null"], 0.101_720_74);
    near(&body["conditional_power"]["trend"], 0.590_251_65);
    near(&body["conditional_power"]["design"], 0.846_204_52);
    assert!(body["predictive_power"].as_f64().unwrap() < 0.590_251_65);
}

#[test]
fn wrong_usage_is_exit_2_and_says_what_to_write() {
    let folder = Folder::new();
    for (words, code) in [
        ("--design pocock", "missing-option"),
        (
            "--looks 2 --information 0.5,1 --design pocock",
            "conflicting-options",
        ),
        ("--looks 0 --design pocock", "invalid-value"),
        ("--looks 2 --design wang-tsiatis", "missing-option"),
        ("--looks 2 --design pocock --gamma 1", "option-not-used"),
        ("--information 0.7,0.3,1 --design pocock", "invalid-value"),
        ("--information 0,1 --design pocock", "invalid-value"),
        ("--looks 2 --design pocock --alpha 1.5", "invalid-value"),
        ("--looks 2 --design pocock --sides 3", "invalid-value"),
        ("--looks 2 --design pocock --power 0.01", "invalid-value"),
        (
            "--looks 2 --design pocock --futility lan-demets-pocock --sides 1",
            "missing-option",
        ),
        (
            "--looks 2 --design pocock --futility lan-demets-pocock --power 0.8",
            "conflicting-options",
        ),
        (
            "--looks 2 --design pocock --futility hwang-shih-decani --power 0.8 --sides 1",
            "missing-option",
        ),
        (
            "--looks 2 --design pocock --futility-gamma 1",
            "option-not-used",
        ),
        (
            "--looks 2 --design pocock --fixed-power 1.5",
            "invalid-value",
        ),
        ("--looks 2 --design pocock --seen 2 --z 1", "invalid-value"),
        ("--looks 2 --design pocock --seen 0 --z 1", "invalid-value"),
    ] {
        let run = folder.run(&format!("boundaries {words} --json"));
        assert_eq!(run.exit, 2, "{words}: {}", run.out);
        assert_eq!(run.failure()["code"], code, "{words}");
    }
}
