//! `lottning simulate` on the shipped scenarios: the fields of the contract, names of cells, and what is refused.

use crate::process::Folder;

fn simulate(words: &str) -> crate::process::Run {
    let folder = Folder::new();
    let root = env!("CARGO_MANIFEST_DIR");
    folder.run(&format!("simulate {root}/simulations/{words}"))
}

/// By the contract: cell, parameters, analysis, numbers, and each figure with its Monte Carlo error; size behind a gate.
#[test]
fn a_row_has_the_fields_of_the_contract_and_what_is_shown_beside() {
    let run = simulate("trend-and-gate.toml --replicates 20 --draws 19 --set months=6 --json");
    assert_eq!(run.exit, 0, "{}", run.err);
    let body = run.json();
    assert_eq!(body["schema"], "lottning.performance/1");
    let rows = body["cells"].as_array().unwrap();
    assert_eq!(rows.len(), 4);
    let row = &rows[0];
    assert_eq!(row["cell"], "mechanism.time-trend.rereport_per_year=0");
    assert_eq!(
        (&row["analysis"], &row["failures"]),
        (&"primary".into(), &0.into())
    );
    for key in [
        "power",
        "bias",
        "empirical_se",
        "model_se",
        "relative_error",
        "coverage",
        "bias_eliminated_coverage",
        "mean_squared_error",
        "estimand",
        "type_i_error",
        "size",
        "families",
        "lost",
        "target_reached",
    ] {
        assert!(row[key]["value"].is_number(), "{key}: {}", row[key]);
    }
    assert!(row["assurance"].is_null() && row["difference"].is_null());
    let later = &rows[2]["difference"];
    assert_eq!(later["replicates"], 20);
    assert!(later["power"]["mcse"].is_number());
    assert_eq!(row["reached"][0]["by"], "2025-02-28");
    assert_eq!(row["content"].as_str().unwrap().len(), 64);
}

/// With a prior the share is an assurance, and power has no value; a warning says why.
#[test]
fn assurance_stands_under_its_name() {
    let run = simulate("assurance.toml --replicates 10 --draws 0 --set months=6 --json");
    assert_eq!(run.exit, 0, "{}", run.err);
    let body = run.json();
    let row = &body["cells"][0];
    assert!(row["power"]["value"].is_null() && row["assurance"]["value"].is_number());
    assert_eq!(row["priors"].as_array().unwrap().len(), 3);
    let warnings = body["warnings"].as_array().unwrap();
    assert!(
        warnings
            .iter()
            .any(|own| own["code"] == "power-is-assurance")
    );
    let table = simulate("assurance.toml --replicates 4 --draws 0 --set months=6");
    assert!(
        table.out.contains("assurance") && !table.out.contains("power "),
        "{}",
        table.out
    );
}

/// Two alternatives whose settings change which conditions hold have nothing to be compared with.
#[test]
fn an_alternative_needs_a_cell_to_be_compared_with() {
    let run = simulate("modest.toml --replicates 4 --draws 0 --what-if months=24");
    assert_eq!(run.exit, 2, "{}", run.err);
    assert!(run.err.contains("alternative-without-cell"), "{}", run.err);
}
