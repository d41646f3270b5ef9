//! Names of the files of `export --replicate`: outcomes and analyses may have any, also those of rows and of other files.

use crate::made_up::{IUH, LAST, protocol, study};
use crate::replication::{all_alike, folder, text};
use lottning::protocol::model::Exit;
use lottning::study::kernel::{Command, What};
use std::collections::BTreeSet;

/// An outcome called as the worst-case bounds, one as the outcomes that are drawn in and one as the redraws of a test, beside an analysis
/// that has these too and is called as the file of all families, another as the file of balance.
#[test]
fn no_two_files_have_one_name() {
    let start = IUH.find("[[analysis]]\nid = \"primary\"").unwrap();
    let own = |id: &str, more: &str| {
        format!(
            "[[analysis]]\nid = \"{id}\"\nlock = \"final\"\noutcome = \"rereport\"\nsummary = \"count\"\nestimator = \"difference-in-means\"\nestimand = {{ population = \"all\", strategy = \"treatment-policy\", measure = \"difference\" }}\nmissing = {{ primary = \"complete-case\", sensitivity = [\"manski\", \"lee\"] }}\nrange = [0, 20]\n{more}"
        )
    };
    let all = "test = { kind = \"randomization\", draws = 99 }\nsensitivity_outcomes = [\"manski\", \"winsorized\", \"redraws\"]\nsensitivity_winsorized = 0.05\nrole = \"primary\"\nalpha = 0.05\n\n";
    let head = IUH[..start]
        .replace("id = \"rereport_without_staff\"", "id = \"manski\"")
        .replace("id = \"rereport_from_day_123\"", "id = \"winsorized\"");
    let third = "[[outcome]]\nid = \"redraws\"\nlabel = \"Day 8 on\"\nkind = \"recurrent-event\"\nevent = \"report\"\nwindow_days = [8, 365]\n\n";
    let lock = head.find("[[lock]]").unwrap();
    let whole = format!(
        "{}{third}{}{}{}",
        &head[..lock],
        &head[lock..],
        own("families", all),
        own("balance", "role = \"exploratory\"\n")
    );
    let mut study = study(protocol(&whole), 40, 4);
    // Some outcomes are unknown, so that there are bounds.
    let all = study.state.allocations.clone();
    for own in all.iter().step_by(5) {
        let what = What::Exited {
            family: own.family,
            exit: Exit::LeftCoverage,
            on: study.state.family(own.family).unwrap().randomized.plus(200),
        };
        study.command(LAST, &Command::Record(what)).unwrap();
    }
    let files = folder(&study, "final", LAST, &[]);
    let paths: BTreeSet<&str> = files.iter().map(|own| own.path.as_str()).collect();
    assert_eq!(paths.len(), files.len(), "{paths:?}");
    for name in [
        "families",
        "families_",
        "families_.manski",
        "families_.manski_",
        "families_.winsorized",
        "families_.winsorized_",
        "families_.redraws",
        "families_.redraws_",
        "balance",
        "balance_",
    ] {
        assert!(
            paths.contains(format!("data/{name}.csv").as_str()),
            "{name}"
        );
    }
    // The rows are told apart too: bounds of the rule, and one row of the outcome.
    let results: serde_json::Value = serde_json::from_str(text(&files, "results.json")).unwrap();
    let rows = results["analyses"][0]["results"].as_array().unwrap();
    let named = |name: &str| rows.iter().filter(|row| row["sensitivity"] == name).count();
    let counts = ["manski", "manski_", "winsorized", "winsorized_", "redraws"].map(named);
    assert_eq!(counts, [2, 1, 1, 1, 1]);
    all_alike("names", &files);
}
