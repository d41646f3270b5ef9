//! `[[prior]]`: what is drawn in each study is what that study costs, reaches and is measured by.

use serde_json::Value;

use crate::place::{IUH, Place, Ran};

const NULL: &str = include_str!("../../simulations/null.toml");

/// The scenario without an effect for three months, with what things cost and a prior.
fn ran(prior: &str, words: &[&str]) -> Ran {
    let place = Place::with(IUH);
    let cost = "[cost]\nper_family = 3\nper_therapist_month = 2\n";
    let scenario = NULL
        .replace("../protocols/iuh-2025/protocol.toml", "p.toml")
        .replace("[precision]", &format!("{cost}\n{prior}\n[precision]"));
    place.write("s.toml", scenario);
    let few = ["--draws", "0", "--replicates", "20", "--json"];
    let mut command = place.command("simulate s.toml");
    if !words.contains(&"accrual.months=5") && !prior.contains("accrual.months") {
        command.args(["--set", "months=3"]);
    }
    let output = command.args(few).args(words).output().unwrap();
    Ran {
        code: output.status.code().unwrap(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// A prior that has one value gives what the value gives when it is set: cost, target, families and months too.
#[test]
fn a_prior_of_one_value_is_that_value() {
    for (key, value) in [
        ("cost.per_family", "7"),
        ("cost.per_therapist_month", "11"),
        ("capacity.therapists_per_site", "6"),
        ("protocol.sample_size.target", "20"),
        ("accrual.months", "5"),
    ] {
        let prior = format!("[[prior]]\nkey = \"{key}\"\nvalues = [{value}]\nwhole = true\n");
        let set = format!("{key}={value}");
        let believed = ran(&prior, &[]).json(0);
        let set = ran("", &["--set", &set]).json(0);
        let plain = ran("", &[]).json(0);
        let own = |told: &Value| {
            let row = &told["cells"][0];
            [
                "cost",
                "target_reached",
                "reached",
                "families",
                "days_closed",
            ]
            .map(|of| row[of].clone())
        };
        assert_eq!(own(&believed), own(&set), "{key}");
        assert_ne!(own(&believed), own(&plain), "{key}");
        // What studies cost, or are to reach, changes none of them: their power is a power.
        let lived = !key.starts_with("cost.") && key != "protocol.sample_size.target";
        let measure = if lived { "assurance" } else { "power" };
        assert!(believed["cells"][0][measure]["value"].is_number(), "{key}");
    }
}

/// By hand: two lengths of enrolment alike; the months are those of the longer one, and a study of the shorter one stays where it
/// ended.
#[test]
fn months_are_those_of_the_longest_study() {
    let prior = "[[prior]]\nkey = \"accrual.months\"\nvalues = [2, 5]\nwhole = true\n";
    let told = ran(prior, &[]).json(0);
    let row = &told["cells"][0];
    let reached = row["reached"].as_array().unwrap();
    let longest = ran("", &["--set", "accrual.months=5"]).json(0);
    let months = longest["cells"][0]["reached"].as_array().unwrap();
    let ends = |own: &[Value]| own.iter().map(|own| own["by"].clone()).collect::<Vec<_>>();
    assert_eq!(ends(reached), ends(months));
    assert_eq!(reached.last().unwrap()["families"], row["families"]);
}

/// Alpha is decided and not believed: a prior on it would have been passed over.
#[test]
fn what_studies_are_judged_by_has_no_prior() {
    let prior = "[[prior]]\nkey = \"protocol.analysis.primary.alpha\"\nvalues = [0.01, 0.2]\n";
    let ran = ran(prior, &[]);
    assert_eq!(ran.code, 3, "{}", ran.err);
    assert!(
        ran.err.contains("not-applicable") && ran.err.contains("primary.alpha"),
        "{}",
        ran.err
    );
}
