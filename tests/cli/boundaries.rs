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
    ] {
        let run = folder.run(&format!("boundaries {words} --json"));
        assert_eq!(run.exit, 2, "{words}: {}", run.out);
        assert_eq!(run.failure()["code"], code, "{words}");
    }
}
