//! `[[prior]]`: what is drawn in each study is what that study costs, reaches and is measured by.

use serde_json::Value;

use crate::place::{IUH, Place, Ran};

const NULL: &str = include_str!("../../simulations/null.toml");

/// The scenario without an effect for three months, with what things cost and a prior.
fn ran(prior: &str, words: &[&str]) -> Ran {
    ran_of(IUH, prior, words)
}

/// The same of a protocol.
fn ran_of(protocol: &str, prior: &str, words: &[&str]) -> Ran {
    let place = Place::with(protocol);
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

/// What no simulated study goes by has no prior, for it would change nothing and call the power an assurance: the registered redraws,
/// in whose place a simulation has its own, caps that people are warned of, and what was planned with. The slots of a gate have one.
#[test]
fn a_prior_on_what_no_study_reads_is_refused() {
    for (key, law) in [
        (
            "analysis.primary.test.draws",
            "uniform = [999, 9999]\nwhole = true",
        ),
        ("exceptions.cap.study_share", "uniform = [0.02, 0.05]"),
        (
            "exceptions.cap.per_site_and_quarter",
            "values = [1, 4]\nwhole = true",
        ),
        ("capacity.weeks_per_family", "uniform = [6, 10]"),
    ] {
        let prior = format!("[[prior]]\nkey = \"protocol.{key}\"\n{law}\n");
        let ran = ran(&prior, &[]);
        assert_eq!(ran.code, 3, "{}", ran.err);
        let told = format!("no simulated study reads `protocol.{key}`");
        assert!((ran.out + &ran.err).contains(&told), "{key}");
    }
    // Rows beside a result are made of no simulated study.
    let days = format!(
        "{IUH}\n[[analysis]]\nid = \"days\"\nlock = \"final\"\noutcome = \"investigation_days\"\n\
         estimand = {{ population = \"all\", strategy = \"treatment-policy\", measure = \"difference\" }}\n\
         estimator = \"difference-in-means\"\nmissing = {{ primary = \"complete-case\" }}\nrole = \"exploratory\"\n\
         sensitivity_winsorized = 0.01\nsensitivity_bootstrap = 999\n"
    );
    for (key, law) in [
        ("sensitivity_winsorized", "uniform = [0.01, 0.05]"),
        (
            "sensitivity_bootstrap",
            "values = [999, 1999]\nwhole = true",
        ),
    ] {
        let prior = format!("[[prior]]\nkey = \"protocol.analysis.days.{key}\"\n{law}\n");
        let ran = ran_of(&days, &prior, &["--set", "analyses=[\"primary\",\"days\"]"]);
        assert_eq!(ran.code, 3, "{}", ran.err);
        let told = format!("no simulated study reads `protocol.analysis.days.{key}`");
        assert!((ran.out + &ran.err).contains(&told), "{key}: {}", ran.err);
    }
    // An outcome that no analysis of the scenario reads, and one that is read: no simulated report has a day of its incident. The horizon
    // of the former is read once it ends after every window, on whose end the last lock waits.
    let horizons = |values: &str| {
        let key = "protocol.outcome.investigation_days.horizon_days";
        format!("[[prior]]\nkey = \"{key}\"\nvalues = {values}\nwhole = true\n")
    };
    let days = |outcome: &str| {
        let key = format!("protocol.outcome.{outcome}.not_counted.same_incident_within_days");
        format!("[[prior]]\nkey = \"{key}\"\nvalues = [7, 28]\nwhole = true\n")
    };
    for prior in [
        days("rereport_without_staff"),
        days("rereport"),
        horizons("[150, 200]"),
    ] {
        let ran = ran(&prior, &[]);
        assert_eq!(ran.code, 3, "{prior}: {}", ran.err);
        let told = "no simulated study reads `protocol.outcome.";
        assert!((ran.out + &ran.err).contains(told), "{prior}: {}", ran.err);
    }
    let body = ran(&horizons("[400, 500]"), &[]).json(0);
    assert!(body["cells"][0]["assurance"]["value"].is_number());
    let slots = "[[prior]]\nkey = \"protocol.arm.iuh.families_per_therapist\"\nvalues = [1, 3]\nwhole = true\n";
    let body = ran(slots, &[]).json(0);
    assert!(body["cells"][0]["assurance"]["value"].is_number());
}

/// The ends of a uniform law are told as the file has them, whatever is drawn next to them, and what is wrong at both ends is told
/// once: the engine `kernel` takes an `icc_pair` of 0 and no other.
#[test]
fn the_ends_of_a_prior_are_told_as_they_are_written() {
    let place = Place::with(include_str!(
        "../../simulations/protocols/fixed-binary.toml"
    ));
    let scenario = include_str!("../../simulations/workloads/w1.toml")
        .replace("../protocols/fixed-binary.toml", "p.toml");
    for (key, ends, told) in [
        (
            "family.icc_pair",
            "[0.0, 0.3]",
            "the prior reaches beyond 0",
        ),
        (
            "truth.rereport_control",
            "[0.5, 1.5]",
            "the prior reaches 1.5",
        ),
    ] {
        let prior = format!("[[prior]]\nkey = \"{key}\"\nuniform = {ends}\n\n[precision]");
        place.write("s.toml", scenario.replace("[precision]", &prior));
        let ran = place.run("simulate s.toml --replicates 4 --set engine=kernel");
        assert_eq!(ran.code, 3, "{}", ran.err);
        assert_eq!(
            ran.err.matches("the prior reaches").count(),
            1,
            "{}",
            ran.err
        );
        let end = ran
            .err
            .split_once(told)
            .map(|(_, rest)| rest.lines().next());
        assert_eq!(end, Some(Some("")), "{}", ran.err);
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
