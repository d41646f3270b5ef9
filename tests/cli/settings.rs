//! `--set` and `--what-if` as they are typed: what is wrong with both, and by which exit code a script knows it.

use crate::place::{IUH, Place};

const NULL: &str = include_str!("../../simulations/null.toml");

fn place() -> Place {
    let place = Place::with(IUH);
    place.write(
        "s.toml",
        NULL.replace("../protocols/iuh-2025/protocol.toml", "p.toml"),
    );
    place
}

/// What no scenario could make right is wrong usage; what a setting makes of this scenario, or of its protocol, is the scenario's.
/// One rule, whether it is the scenario that is changed or an alternative to it.
#[test]
fn alike_mistakes_have_one_exit_code() {
    let place = place();
    for (setting, code, named) in [
        ("truth.rereport_ratio", 2, "invalid-value"),
        ("=0.5", 2, "invalid-value"),
        ("prior.months=1", 2, "not-applicable"),
        ("grid.full=1", 2, "not-applicable"),
        ("protocol=p.toml", 2, "not-applicable"),
        ("lottning-scenario=1", 2, "not-applicable"),
        ("truth.rereport_ration=0.5", 3, "unknown-key"),
        ("month=3", 3, "unknown-key"),
        ("nothing=3", 3, "unknown-key"),
        ("protocol.nothing.here=3", 3, "unknown-key"),
        ("protocol.sample_size.nothing=3", 3, "unknown-key"),
        ("truth.rereport_ratio=-1", 3, "out-of-range"),
        ("truth.rereport_ratio=much", 3, "wrong-type"),
        ("protocol.gate.arm=nobody", 3, "unknown-reference"),
    ] {
        for option in ["--set", "--what-if"] {
            let ran = place.run(&format!(
                "simulate s.toml --replicates 2 {option} {setting}"
            ));
            assert_eq!(ran.code, code, "{option} {setting}: {}", ran.err);
            ran.refused(code, named);
        }
    }
}

/// An alternative that is there twice would be run twice, and its rows and lines could not be told apart: refused, however it is
/// written. One that is the scenario as it is stands beside it, and is warned of.
#[test]
fn an_alternative_is_there_once() {
    let place = place();
    for again in ["months=6", "accrual.months=6", "months=6.0"] {
        let order = format!("simulate s.toml --replicates 2 --what-if months=6 --what-if {again}");
        let ran = place.run(&order);
        ran.refused(2, "same-alternative");
        let said = place.run(&format!("{order} --lang sv")).err;
        assert!(
            said.contains("same-alternative") && said.contains("alternativ"),
            "{said}"
        );
    }
    let order = "simulate s.toml --draws 0 --replicates 2 --set months=6 --json";
    let told = place.run(&format!("{order} --what-if months=6.0 --what-if months=7"));
    assert!(
        told.err
            .contains("the alternative `months=6.0` is the scenario as it is"),
        "{}",
        told.err
    );
    let told = told.json(0);
    let warned = |own: &&serde_json::Value| own["code"] == "same-alternative";
    assert_eq!(
        told["warnings"]
            .as_array()
            .unwrap()
            .iter()
            .filter(warned)
            .count(),
        1
    );
}

/// A protocol in the place of a scenario is told what it is, and threads are counted from one.
#[test]
fn what_is_taken_for_something_else_is_told() {
    let place = place();
    let ran = place.run("simulate p.toml");
    ran.refused(3, "unsupported-version");
    assert!(
        ran.err.contains("lottning new DIR --scenario"),
        "{}",
        ran.err
    );
    let ran = place.run("simulate s.toml --threads 0");
    ran.refused(2, "invalid-value");
    assert!(ran.err.contains("from 1 is expected"), "{}", ran.err);
}
