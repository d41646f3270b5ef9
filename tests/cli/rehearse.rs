//! `demo`, `rehearse` and `new --scenario`: made-up families never meet anything of one's own, and what is printed runs.

use crate::place::{Place, read_entries, two_arms};
use std::fmt::Write;

/// One site, no gate, a number, a yes-no and a choice, another time zone, a fixed cut; no ethics decision yet.
const ODD: &str = include_str!("odd.toml");

#[test]
fn the_demo_tells_commands_that_run() {
    let place = Place::with(&two_arms());
    let told = place.run("demo d --json").json(0);
    assert_eq!(told["verified"], true);
    let steps = told["steps"].as_array().unwrap();
    assert!(
        steps
            .iter()
            .any(|step| step["said"].as_str().unwrap().contains("compatible with"))
    );
    // The printed simulation, with fewer replicates: the scenario beside the protocol finds it.
    let first = steps[0]["command"].as_str().unwrap();
    assert!(first.starts_with("lottning simulate d/scenario.toml"));
    let ran = place.run("simulate d/scenario.toml --replicates 2 --draws 0 --json");
    assert_eq!(ran.code, 0, "{}", ran.err);
    let verified = place.run("verify --study d/study --seed-file d/seed");
    assert_eq!(verified.json(0)["draws"], "verified");
    // The simulated reports are on the children that a family was drawn with: on a sibling alone none would count. The first report of
    // a rehearsal brings a sibling, so that there is one.
    let rows = read_entries(&place.path("d/study"));
    let joined: Vec<_> = rows
        .into_iter()
        .filter(|row| row.kind == "joined")
        .collect();
    assert!(!joined.is_empty());
    for row in joined {
        let payload: serde_json::Value = serde_json::from_str(&row.payload.unwrap()).unwrap();
        let many = |key: &str| payload[key].as_array().unwrap().len();
        assert!(many("children") > many("new_children"), "{payload}");
    }
    // The protocol wants to know whom a report is on, so that each row of the register names a child.
    let register = std::fs::read_to_string(place.path("d/register.csv")).unwrap();
    let mut rows = register.lines();
    assert!(rows.next().unwrap().ends_with(",child"));
    assert!(rows.all(|row| row.rsplit(',').next().unwrap().starts_with("BARN-")));
    // A tipping point is said in its own words, not as an effect without an interval.
    let page = std::fs::read_to_string(place.path("d/report/report.en.html")).unwrap();
    assert!(page.contains("turns at ") || page.contains("turns nowhere"));
    assert!(!page.contains("– (–)"));
    let document = std::fs::read_to_string(place.path("d/report/report.json")).unwrap();
    let document: serde_json::Value = serde_json::from_str(&document).unwrap();
    let analyses = document["analyses"].as_array().unwrap();
    let secondary = analyses.iter().find(|own| own["role"] == "secondary");
    assert!(secondary.unwrap()["p_adjusted"].is_f64());
    assert!(analyses.iter().all(|own| own.get("q_value").is_some()));
}

#[test]
fn a_protocol_without_permissions_is_rehearsed_and_not_opened() {
    let place = Place::with(ODD);
    let confirm = place.confirm().to_owned();
    place
        .run(&format!(
            "open p.toml --study s --seed-file keys/seed --confirm {confirm} --actor lead"
        ))
        .refused(3, "permission-missing");
    let ran = place.run("rehearse p.toml r --lang sv");
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.err.contains("kan planeras och övas"), "{}", ran.err);
    assert!(ran.out.contains("r/report/report.sv.html"));
    // It does not want to know whom a report is on.
    let register = std::fs::read_to_string(place.path("r/register.csv")).unwrap();
    assert!(!register.lines().next().unwrap().contains("child"));
    let page = std::fs::read_to_string(place.path("r/report/report.sv.html")).unwrap();
    assert!(page.contains("annat språk än svenska") && !page.contains("other-language"));
}

/// The shipped protocol has ages from 0 to 17; its roles name nobody of the rehearsal, which has none.
#[test]
fn the_shipped_protocol_with_roles_is_rehearsed() {
    let roles = "\n[roles]\nreception = [\"desk-1\"]\nstudy-lead = [\"lead\"]\n";
    let place = Place::with(&format!("{}{roles}", crate::place::IUH));
    let ran = place.run("rehearse p.toml r --months 3");
    assert_eq!(ran.code, 0, "{}", ran.err);
    let verified = place
        .run("verify --study r/study --seed-file r/seed")
        .json(0);
    assert_eq!(verified["draws"], "verified");
}

#[test]
fn nothing_of_ones_own_is_written_over() {
    let place = Place::with(ODD);
    for own in ["protocol.toml", "scenario.toml", "register.csv", "seed"] {
        std::fs::create_dir_all(place.path(own.trim_end_matches(".toml"))).unwrap();
        let folder = own.trim_end_matches(".toml");
        place.write(&format!("{folder}/{own}"), "mine");
        for words in ["demo", "rehearse p.toml"] {
            place.run(&format!("{words} {folder}")).refused(7, "exists");
            let kept = std::fs::read_to_string(place.path(folder).join(own)).unwrap();
            assert_eq!(kept, "mine");
        }
        assert_eq!(std::fs::read_dir(place.path(folder)).unwrap().count(), 1);
    }
}

#[test]
fn three_arms_are_rehearsed_whole() {
    let third = "[[arm]]\nid = \"third\"\n\n[unit]";
    let three =
        ODD.replacen("[unit]", third, 1)
            .replacen("block_lens = [4, 8]", "block_lens = [3, 6]", 1);
    let place = Place::with(&three);
    let ran = place.run("rehearse p.toml r");
    assert_eq!(ran.code, 0, "{}", ran.err);
    let scenario = std::fs::read_to_string(place.path("r/scenario.toml")).unwrap();
    assert!(scenario.contains("third = { median = 50"), "{scenario}");
    assert!(
        scenario.contains("under the service of each arm"),
        "{scenario}"
    );
    // The power of which arm is said, of every one.
    let told = ran.out + &ran.err;
    assert!(
        told.contains("power of `") && told.contains("), of `third` "),
        "{told}"
    );
    let verified = place.run("verify --study r/study --seed-file r/seed");
    assert_eq!(verified.json(0)["draws"], "verified");
}

/// The path of the report is that of the language asked for; both are told.
#[test]
fn the_report_of_a_rehearsal_is_in_the_language_asked_for() {
    let place = Place::with(ODD);
    for (folder, more, page) in [
        ("en", "", "en/report/report.en.html"),
        ("sv", "--lang sv", "sv/report/report.sv.html"),
    ] {
        let told = place.run(&format!(
            "rehearse p.toml {folder} --months 3 --json {more}"
        ));
        let told = told.json(0);
        assert_eq!(told["report"], page);
        assert_eq!(told["reports"].as_array().unwrap().len(), 2);
    }
}

/// A secondary analysis with an indicator for each of forty streets and its product with the arm has more coefficients than the
/// families of a month: it never answers, which is a column of failures and a warning, and not the end of the rehearsal. As the
/// primary analysis it is.
#[test]
fn a_secondary_analysis_that_never_answers_is_warned_of() {
    let streets: Vec<String> = (0..40).map(|k| format!("\"street-{k}\"")).collect();
    let field = format!(
        "[[field]]\nid = \"street\"\nkind = \"choice\"\nlevels = [{}]\n[allocation]",
        streets.join(", ")
    );
    let many = "estimator = \"lin\"\ncovariates = [\"street\"]";
    let plain = "estimator = \"linear\"\n";
    let own = "estimator = \"lin\"\ncovariates = [\"single_parent\", \"income\", \"language\"]\n";
    assert!(ODD.contains(own));
    let text = ODD.replacen("[allocation]", &field, 1);
    let secondary = format!(
        "[[analysis]]\nid = \"many\"\nlock = \"end\"\noutcome = \"accepted\"\nestimand = {{ population = \"all\", strategy = \"treatment-policy\", measure = \"risk-difference\" }}\n{many}\nmissing = {{ primary = \"not-accepted\" }}\nrole = \"secondary\"\n"
    );
    let place = Place::with(&format!("{}{secondary}", text.replacen(own, plain, 1)));
    let ran = place.run("rehearse p.toml r --months 1");
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.err.contains("many-failures"), "{}", ran.err);
    assert!(
        ran.err.contains("`many` gave no numbers in any of 200"),
        "{}",
        ran.err
    );
    let simulated = place.run("simulate r/scenario.toml --set months=1 --replicates 60 --json");
    let simulated = simulated.json(0);
    let rows = simulated["cells"].as_array().unwrap();
    let of = |id: &str| rows.iter().find(|own| own["analysis"] == id).unwrap();
    assert_eq!(of("many")["failures"], 60);
    assert!(of("many")["power"]["value"].is_null(), "{}", of("many"));
    assert!(of("first")["power"]["value"].is_f64(), "{}", of("first"));
    let primary = text.replacen(own, &format!("{many}\n"), 1);
    let place = Place::with(&primary);
    let refused = |order: &str| place.run(order).refused(3, "all-replicates-failed");
    refused("rehearse p.toml new/r --months 1");
    // Nothing of it is left: neither the folders that it made, nor anything in one that was there.
    assert!(!place.path("new").exists());
    std::fs::create_dir(place.path("mine")).unwrap();
    refused("rehearse p.toml mine --months 1");
    assert!(place.path("mine").is_dir());
    place.write("mine/protocol.toml", &primary);
    place.write("mine/notes.txt", "mine");
    for own in ["mine/protocol.toml", "./mine/../mine/protocol.toml"] {
        refused(&format!("rehearse {own} mine --months 1"));
        let mut left: Vec<String> = std::fs::read_dir(place.path("mine"))
            .unwrap()
            .map(|own| own.unwrap().file_name().into_string().unwrap())
            .collect();
        left.sort();
        assert_eq!(left, ["notes.txt", "protocol.toml"]);
        let kept = std::fs::read_to_string(place.path("mine/protocol.toml")).unwrap();
        assert_eq!(kept, primary);
    }
}

/// Of what a rehearsal writes, the folder may hold the protocol alone, which is then the user's: a protocol under the name of another
/// file of the rehearsal would be written over.
#[test]
fn a_protocol_in_the_folder_of_its_rehearsal_stays_as_it_is() {
    let place = Place::with(ODD);
    for name in ["scenario.toml", "seed", "register.csv"] {
        let folder = name.trim_end_matches(".toml").trim_end_matches(".csv");
        std::fs::create_dir(place.path(folder)).unwrap();
        place.write(&format!("{folder}/{name}"), ODD);
        place
            .run(&format!("rehearse {folder}/{name} {folder}"))
            .refused(7, "exists");
        let kept = std::fs::read_to_string(place.path(folder).join(name)).unwrap();
        assert_eq!(kept, ODD);
    }
    std::fs::create_dir(place.path("own")).unwrap();
    place.write("own/protocol.toml", ODD);
    let file = place.path("own/protocol.toml");
    let written = || std::fs::metadata(&file).unwrap().modified().unwrap();
    let before = written();
    let ran = place.run("rehearse own/protocol.toml own --months 1");
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), ODD);
    assert_eq!(written(), before);
}

/// Bounds need every value within the outcome's range. By hand: 2 to 10 is what both ranges hold, its middle 6, its width 8 sixteen
/// standard deviations.
#[test]
fn scores_of_a_rehearsal_lie_within_the_range_that_is_stated() {
    let scores = include_str!("../../simulations/protocols/score.toml");
    let mut text = scores.to_owned();
    for (id, range) in [("wide", "[0, 10]"), ("high", "[2, 20.5]")] {
        write!(
            text,
            "\n[[analysis]]\nid = \"{id}\"\nlock = \"final\"\noutcome = \"score\"\n\
             estimand = {{ population = \"all\", strategy = \"treatment-policy\", measure = \"difference\" }}\n\
             estimator = \"manski-bounds\"\nrange = {range}\nmissing = {{ primary = \"bounds\" }}\nrole = \"secondary\"\n"
        )
        .unwrap();
    }
    let place = Place::with(&text);
    let ran = place.run("rehearse p.toml r --months 3");
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(!ran.err.contains("outside-range"), "{}", ran.err);
    let scenario = std::fs::read_to_string(place.path("r/scenario.toml")).unwrap();
    assert!(
        scenario.contains("mean = 6.0 # (A)\nsd = 0.5 # (A)\neffect = -0.25 # (A)"),
        "{scenario}"
    );
}

#[test]
fn a_scenario_is_written_for_the_protocol_of_the_folder() {
    let place = Place::with(ODD);
    std::fs::create_dir(place.path("s")).unwrap();
    place.write("s/protocol.toml", ODD);
    let made = place.run("new s --scenario --json").json(0);
    assert_eq!(made["scenario"], "s/scenario.toml");
    let ran = place.run("simulate s/scenario.toml --replicates 2 --json");
    assert_eq!(ran.code, 0, "{}", ran.err);
    place.run("new s --scenario").refused(7, "exists");
    assert_ne!(place.run("new nowhere --scenario").code, 0);
}

/// Estimators without a standard error, without a test or of another scale than a difference, and reports in two windows.
#[test]
fn a_protocol_of_all_sorts_of_estimators_is_rehearsed() {
    let mut text = two_arms();
    let sorts = [
        ("fisher-exact", "any", "odds-ratio", "complete-case"),
        (
            "kaplan-meier",
            "first-time",
            "survival-difference",
            "censoring",
        ),
        ("rmst", "first-time", "restricted-mean-ratio", "censoring"),
        (
            "cumulative-incidence",
            "first-time",
            "risk-difference",
            "censoring",
        ),
        ("rank-sum", "count", "probability-index", "complete-case"),
        ("lee-bounds", "any", "risk-difference", "bounds"),
        ("manski-bounds", "any", "risk-difference", "bounds"),
    ];
    for (estimator, summary, measure, rule) in sorts {
        let strategy = if estimator == "lee-bounds" {
            "principal-stratum"
        } else {
            "treatment-policy"
        };
        write!(
            text,
            "\n[[analysis]]\nid = \"{estimator}\"\nlock = \"final\"\noutcome = \"rereport\"\nsummary = \"{summary}\"\n\
             estimand = {{ population = \"all\", strategy = \"{strategy}\", measure = \"{measure}\" }}\n\
             estimator = \"{estimator}\"\nmissing = {{ primary = \"{rule}\" }}\nrole = \"secondary\"\n"
        )
        .unwrap();
    }
    let lock = text.find("[[lock]]").unwrap();
    text.insert_str(
        lock,
        "[[outcome]]\nid = \"late\"\nkind = \"recurrent-event\"\nevent = \"report\"\nwindow_days = [31, 365]\n\n",
    );
    text.push_str(
        "\n[[analysis]]\nid = \"late\"\nlock = \"final\"\noutcome = \"late\"\nsummary = \"any\"\n\
         estimand = { population = \"all\", strategy = \"treatment-policy\", measure = \"risk-difference\" }\n\
         estimator = \"risk-difference\"\nmissing = { primary = \"complete-case\" }\nrole = \"secondary\"\n",
    );
    let place = Place::with(&text);
    let ran = place.run("rehearse p.toml r --months 3");
    assert_eq!(ran.code, 0, "{}", ran.err);
    let scenario = std::fs::read_to_string(place.path("r/scenario.toml")).unwrap();
    assert!(scenario.contains("window_days = [1, 365]"), "{scenario}");
    for (estimator, ..) in sorts {
        assert!(scenario.contains(&format!("\"{estimator}\"")));
    }
    let document = std::fs::read_to_string(place.path("r/report/report.json")).unwrap();
    assert!(document.contains("\"manski-bounds\""));
}

/// A protocol of observed values alone is lived with scores, which its scenario says.
#[test]
fn a_protocol_of_scores_is_rehearsed() {
    let place = Place::with(include_str!("../../simulations/protocols/score.toml"));
    let ran = place.run("rehearse p.toml r --months 3");
    assert_eq!(ran.code, 0, "{}", ran.err);
    let scenario = std::fs::read_to_string(place.path("r/scenario.toml")).unwrap();
    assert!(scenario.contains("analyses = [\"primary\"]"), "{scenario}");
    assert!(
        scenario.contains("[score]\noutcome = \"score\"\n"),
        "{scenario}"
    );
    let verified = place.run("verify --study r/study --seed-file r/seed");
    assert_eq!(verified.json(0)["draws"], "verified");
}

/// The scores of a primary analysis are lived beside the reports of the others: the power that is told is its own.
#[test]
fn a_primary_score_beside_reports_is_rehearsed() {
    let scores = include_str!("../../simulations/protocols/score.toml");
    let reports = "[[outcome]]\nid = \"rereport\"\nkind = \"recurrent-event\"\nevent = \"report\"\nwindow_days = [1, 365]\n\n[[lock]]";
    let secondary = "\n[[analysis]]\nid = \"reports\"\nlock = \"final\"\noutcome = \"rereport\"\nsummary = \"any\"\nestimand = { population = \"all\", strategy = \"treatment-policy\", measure = \"risk-difference\" }\nestimator = \"risk-difference\"\nmissing = { primary = \"complete-case\" }\nrole = \"secondary\"\n";
    let place = Place::with(&format!(
        "{}{secondary}",
        scores.replacen("[[lock]]", reports, 1)
    ));
    let told = place.run("rehearse p.toml r --months 3 --json").json(0);
    let scenario = std::fs::read_to_string(place.path("r/scenario.toml")).unwrap();
    assert!(
        scenario.contains("analyses = [\"primary\", \"reports\"]"),
        "{scenario}"
    );
    assert!(scenario.contains("[score]\noutcome = \"score\"\n"));
    tells_the_power_of(&place, &told, "primary");
    let document = std::fs::read_to_string(place.path("r/report/report.json")).unwrap();
    let document: serde_json::Value = serde_json::from_str(&document).unwrap();
    let analyses = document["analyses"].as_array().unwrap();
    let primary = analyses.iter().find(|own| own["role"] == "primary");
    let arms = primary.unwrap()["arms"].as_array().unwrap();
    assert_eq!(arms.len(), 2);
    for arm in arms {
        assert!(arm["analysed"].as_u64().unwrap() > 0, "{arm}");
    }
}

/// The figures of a rehearsal are those of the primary analysis, wherever the protocol lists it.
#[test]
fn a_rehearsal_tells_the_figures_of_the_primary_analysis() {
    let listed = include_str!("../../simulations/protocols/fixed-binary.toml");
    let (before, analyses) = listed.split_at(listed.find("[[analysis]]").unwrap());
    let (primary, secondary) = analyses.split_at(analyses.rfind("[[analysis]]").unwrap());
    let place = Place::with(&format!("{before}{secondary}\n{primary}"));
    let told = place.run("rehearse p.toml r --months 3 --json").json(0);
    tells_the_power_of(&place, &told, "primary");
    let steps = told["steps"].as_array().unwrap();
    let analysed = steps.iter().find(|step| {
        let command = step["command"].as_str().unwrap();
        command.starts_with("lottning analyse")
    });
    let said = analysed.unwrap()["said"].as_str().unwrap();
    assert!(said.contains("The registered test"), "{said}");
}

/// The first step tells the power that its own command gives for an analysis.
fn tells_the_power_of(place: &Place, told: &serde_json::Value, analysis: &str) {
    let step = &told["steps"][0];
    let command = step["command"].as_str().unwrap();
    let command = command.strip_prefix("lottning ").unwrap().replace('\'', "");
    let simulated = place.run(&format!("{command} --draws 0 --json")).json(0);
    let rows = simulated["cells"].as_array().unwrap();
    let row = rows.iter().find(|own| own["analysis"] == analysis).unwrap();
    let power = 100.0 * row["power"]["value"].as_f64().unwrap();
    let said = step["said"].as_str().unwrap();
    assert!(
        said.contains(&format!("power {power:.0} % (")),
        "{said} {row}"
    );
}
