//! What a simulation does not show of the registered study, and that it says so.

use serde_json::Value;

use crate::place::{IUH, Place, Ran};

const NULL: &str = include_str!("../../simulations/null.toml");

fn codes(told: &Value) -> Vec<&str> {
    let all = told["warnings"].as_array().unwrap().iter();
    all.map(|own| own["code"].as_str().unwrap()).collect()
}

fn simulated(place: &Place, scenario: &str, words: &[&str]) -> Ran {
    let mut command = place.command("simulate");
    let output = command.arg(scenario).args(words).output().unwrap();
    Ran {
        code: output.status.code().unwrap(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// A registered test of acceptance behind the gate: accepted earlier or later is decided by the length of the investigation, which
/// differs in the twin too. Where the arms close alike, the size is shown.
#[test]
fn a_size_that_is_not_shown_is_said() {
    let test = "id = \"acceptance\"\ntest = { kind = \"randomization\", draws = 999 }\n";
    let place = Place::with(&IUH.replace("id = \"acceptance\"\n", test));
    let scenario = NULL.replace("../protocols/iuh-2025/protocol.toml", "p.toml");
    place.write("s.toml", scenario);
    let few = [
        "--draws",
        "99",
        "--replicates",
        "3",
        "--set",
        "months=4",
        "--json",
    ];
    let told = simulated(&place, "s.toml", &few).json(0);
    let size = |told: &Value, row: usize| told["cells"][row]["size"]["value"].as_f64();
    assert_eq!(told["cells"][1]["analysis"], "acceptance");
    assert!(
        size(&told, 0).is_some() && size(&told, 1).is_none(),
        "{told}"
    );
    assert!(codes(&told).contains(&"size-not-shown"), "{told}");
    let alike = "{ median = 50, sd_log = 0.35 }";
    let lengths = format!("capacity.investigation_days={{ iuh = {alike}, standard = {alike} }}");
    let changes = [
        "--set",
        &lengths,
        "--set",
        "uptake.iuh_not_started=0",
        "--set",
        "uptake.standard_switched=0",
    ];
    let told = simulated(&place, "s.toml", &[&few[..], &changes].concat()).json(0);
    assert!(
        size(&told, 0).is_some() && size(&told, 1).is_some(),
        "{told}"
    );
    assert!(!codes(&told).contains(&"size-not-shown"), "{told}");
    // Without redraws there is no test whose size could be shown.
    let told = simulated(&place, "s.toml", &[&["--draws", "0"], &few[2..]].concat()).json(0);
    assert!(!codes(&told).contains(&"size-not-shown"), "{told}");
}

/// Looks that nobody holds stop no study: a scenario without the monitored analysis says so.
#[test]
fn looks_that_are_left_out_are_said() {
    let place = Place::with(IUH);
    let w4 = format!(
        "{}/simulations/workloads/w4.toml",
        env!("CARGO_MANIFEST_DIR")
    );
    let few = ["--replicates", "4", "--json"];
    let told = simulated(&place, &w4, &few).json(0);
    assert!(!codes(&told).contains(&"looks-left-out"), "{told}");
    let without = ["--set", r#"analyses=["hazards"]"#];
    let told = simulated(&place, &w4, &[&few[..], &without].concat()).json(0);
    assert!(codes(&told).contains(&"looks-left-out"), "{told}");
    let said = simulated(&place, &w4, &[&few[..2], &without].concat()).err;
    assert!(
        said.contains("the protocol has looks at `primary`"),
        "{said}"
    );
}
