//! `simulate --what-if` and grids whose cells do not hold the same analyses, settings and random numbers.

use serde_json::Value;

use crate::place::{IUH, Place, Ran};

const NULL: &str = include_str!("../../simulations/null.toml");

/// A place with the shipped scenario without an effect, changed.
fn null(change: impl Fn(String) -> String) -> Place {
    let place = Place::with(IUH);
    let own = NULL.replace("../protocols/iuh-2025/protocol.toml", "p.toml");
    place.write("s.toml", change(own));
    place
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

fn shipped(name: &str) -> String {
    format!("{}/simulations/{name}.toml", env!("CARGO_MANIFEST_DIR"))
}

fn value(figure: &Value) -> Option<f64> {
    figure["value"].as_f64()
}

/// Analyses are the same where they have the same name, wherever they stand among the others; what one of the two does not have
/// is no difference.
#[test]
fn what_is_compared_has_the_same_name() {
    let place = Place::with(IUH);
    let words = [
        "--set",
        r#"analyses=["primary","hazards"]"#,
        "--what-if",
        r#"analyses=["hazards"]"#,
        "--replicates",
        "40",
        "--json",
    ];
    let told = simulated(&place, &shipped("workloads/w4"), &words).json(0);
    let rows = told["cells"].as_array().unwrap();
    let named: Vec<&Value> = rows.iter().map(|row| &row["analysis"]).collect();
    assert_eq!(named, ["primary", "hazards", "hazards"]);
    let power = &told["alternatives"][0]["differences"]["power"];
    assert_eq!(power[0]["analysis"], "primary");
    assert_eq!(value(&power[0]), None);
    assert_eq!(power[1]["analysis"], "hazards");
    let there = value(&rows[2]["power"]).unwrap() - value(&rows[1]["power"]).unwrap();
    assert!((value(&power[1]).unwrap() - there).abs() < 1e-12, "{power}");
    // Nothing of the same name: no figure, and none in the table either.
    let place = null(|own| own);
    let words = [
        "--set",
        r#"analyses=["acceptance"]"#,
        "--what-if",
        r#"analyses=["primary"]"#,
        "--draws",
        "0",
        "--replicates",
        "20",
    ];
    let told = simulated(&place, "s.toml", &[&words[..], &["--json"]].concat()).json(0);
    let power = &told["alternatives"][0]["differences"]["power"];
    assert_eq!(power.as_array().unwrap().len(), 1);
    assert_eq!(
        (power[0]["analysis"].as_str(), value(&power[0])),
        (Some("acceptance"), None)
    );
    let table = simulated(&place, "s.toml", &words);
    assert!(!table.out.contains("power, acceptance"), "{}", table.out);
}

/// Two cells run the same families through the same analysis: no study disagrees, though it stands at another place.
#[test]
fn a_grid_over_analyses_compares_each_with_itself() {
    let grid =
        "[grid.full]\nanalyses = [[\"primary\", \"acceptance\"], [\"acceptance\"]]\n\n[precision]";
    let place = null(|own| own.replace("[precision]", grid));
    let words = ["--draws", "0", "--replicates", "60", "--json"];
    let told = simulated(&place, "s.toml", &words).json(0);
    let rows = told["cells"].as_array().unwrap();
    assert_eq!(rows.len(), 3);
    let difference = &rows[2]["difference"];
    assert_eq!(difference["replicates"], 60);
    assert_eq!(
        (&difference["only_here"], &difference["only_there"]),
        (&0.into(), &0.into())
    );
}

/// What stands in the file alone, and what is of the whole run: a cell or an alternative would be labelled with it and run without.
#[test]
fn what_would_change_nothing_is_refused() {
    let place = null(|own| own);
    let few = ["--draws", "0", "--replicates", "2"];
    for (option, change, code, named) in [
        ("--what-if", "protocol=../other.toml", 2, "protocol"),
        ("--set", "protocol=other.toml", 2, "protocol"),
        ("--set", "lottning-scenario=1", 2, "lottning-scenario"),
        (
            "--what-if",
            "precision.replicates=30",
            2,
            "precision.replicates",
        ),
        (
            "--what-if",
            "months=3 precision.stop_at_mcse=0.1",
            2,
            "precision.stop_at_mcse",
        ),
        (
            "--what-if",
            "grid.common_random_numbers=none",
            2,
            "common_random_numbers",
        ),
    ] {
        let ran = simulated(&place, "s.toml", &[&few[..], &[option, change]].concat());
        assert_eq!(
            (ran.code, ran.out.as_str()),
            (code, ""),
            "{change}: {}",
            ran.err
        );
        assert!(
            ran.err.contains("[not-applicable]"),
            "{change}: {}",
            ran.err
        );
        assert!(ran.err.contains(named), "{change}: {}", ran.err);
    }
    for own in [
        "[grid.full]\nprotocol = [\"p.toml\", \"other.toml\"]\n",
        "[[prior]]\nkey = \"precision.replicates\"\nuniform = [10, 20]\nwhole = true\n",
    ] {
        let place = null(|all| all.replace("[precision]", &format!("{own}\n[precision]")));
        let ran = simulated(&place, "s.toml", &few);
        assert_eq!(ran.code, 3, "{own}: {}", ran.err);
        assert!(ran.err.contains("[not-applicable]"), "{own}: {}", ran.err);
    }
    // What is of each study by itself may differ, and of the whole run it may be set.
    let fine = [
        "--draws",
        "0",
        "--set",
        "precision.replicates=2",
        "--what-if",
        "months=3",
        "--json",
    ];
    let told = simulated(&place, "s.toml", &fine).json(0);
    assert_eq!(told["cells"][0]["replicates"], 2);
}

/// The issue's own line on a shipped workload, whose `zip` has two rows that differ in the ratio alone.
#[test]
fn a_key_that_is_set_leaves_rows_that_are_equal_then() {
    let place = Place::with(IUH);
    let w3 = shipped("workloads/w3");
    let alternative = "therapists=3 ratio=1:2 months=24";
    let words = ["--replicates", "1", "--what-if", alternative, "--json"];
    let told = simulated(&place, &w3, &words).json(0);
    let against: Vec<&Value> = told["alternatives"]
        .as_array()
        .unwrap()
        .iter()
        .map(|own| &own["compared_with"])
        .collect();
    let row = |turned: &str, ratio: &str, waits: u32| {
        format!("capacity.waits_days={waits},protocol.gate.turned_away={turned},ratio={ratio}")
    };
    assert_eq!(
        against,
        [
            &*row("final", "1:1", 0),
            &*row("may-return", "1:1", 14),
            &*row("final", "1:2", 0)
        ]
    );
    let set = ["--replicates", "1", "--set", "ratio=1:1", "--json"];
    let told = simulated(&place, &w3, &set).json(0);
    let rows = told["cells"].as_array().unwrap();
    let mut cells: Vec<&Value> = rows.iter().map(|row| &row["cell"]).collect();
    cells.dedup();
    assert_eq!(cells.len(), 2, "{cells:?}");
}

/// Cells that have random numbers of their own: an alternative has those of the cell that it is compared with, also where it sets
/// what the grid varies. What changes nothing makes no difference in any study.
#[test]
fn an_alternative_has_the_numbers_of_its_cell() {
    let grid = "[grid]\ncommon_random_numbers = \"none\"\nfull = { \"accrual.months\" = [3, 5] }\n\n[precision]";
    let place = null(|own| own.replace("[precision]", grid));
    let words = [
        "--draws",
        "0",
        "--replicates",
        "8",
        "--json",
        "--what-if",
        "truth.acceptance_control=0.35",
        "--what-if",
        "months=3",
    ];
    let told = simulated(&place, "s.toml", &words).json(0);
    let families: Vec<(Option<f64>, Option<f64>)> = told["alternatives"]
        .as_array()
        .unwrap()
        .iter()
        .map(|own| &own["differences"]["families"])
        .map(|own| (value(own), own["mcse"].as_f64()))
        .collect();
    let same = (Some(0.0), Some(0.0));
    assert_eq!([families[0], families[1], families[2]], [same; 3]);
    assert!(families[3].0.unwrap() < 0.0, "{families:?}");
    let names: Vec<&Value> = told["cells"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| &row["cell"])
        .collect();
    assert!(
        names.contains(&&"accrual.months=5 | months=3".into()),
        "{names:?}"
    );
    // Without a grid too.
    let grid = "[grid]\ncommon_random_numbers = \"none\"\n\n[precision]";
    let place = null(|own| own.replace("[precision]", grid));
    let told = simulated(
        &place,
        "s.toml",
        &[&words[..7], &["--set", "months=3"]].concat(),
    )
    .json(0);
    let own = &told["alternatives"][0]["differences"];
    assert_eq!(
        (value(&own["families"]), own["families"]["mcse"].as_f64()),
        same
    );
}

/// Every listed value of a prior is looked at: one with an effect leaves no error of the first kind, one that is impossible is
/// refused before anything runs.
#[test]
fn values_in_the_middle_of_a_prior_count() {
    let prior = |text: &str| {
        let own = format!("[[prior]]\n{text}\n\n[precision]");
        null(|all| all.replace("[precision]", &own))
    };
    let few = ["--draws", "0", "--replicates", "40", "--set", "months=6"];
    let told =
        |text: &str| simulated(&prior(text), "s.toml", &[&few[..], &["--json"]].concat()).json(0);
    let key = "key = \"truth.rereport_ratio\"\nvalues";
    let with = told(&format!("{key} = [1.0, 0.5, 1.0]"));
    assert_eq!(with["cells"][0]["analysis"], "primary");
    assert!(with["cells"][0]["type_i_error"].is_null(), "{with}");
    // One that is never drawn is no effect.
    let without = told(&format!("{key} = [1.0, 0.5, 1.0]\nshares = [0.5, 0, 0.5]"));
    assert!(without["cells"][0]["type_i_error"]["value"].is_number());
    let text = "key = \"truth.rereport_control\"\nvalues = [0.3, 1.5, 0.4]";
    let ran = simulated(&prior(text), "s.toml", &few);
    assert_eq!(ran.code, 3, "{}", ran.err);
    assert!(ran.err.contains("the prior reaches 1.5"), "{}", ran.err);
}

/// What cells share can be set where the file has no `[grid]`, and is not varied from cell to cell. An alternative that sets what the
/// grid varies is the same beside each of its cells, and stands in the table once.
#[test]
fn what_cells_share_is_said_once() {
    let place = null(|own| own);
    let few = ["--draws", "0", "--replicates", "3"];
    let none = [
        "--set",
        "grid.common_random_numbers=\"none\"",
        "--set",
        "months=3",
        "--json",
    ];
    let told = simulated(&place, "s.toml", &[&few[..], &none].concat()).json(0);
    assert_eq!(told["cells"][0]["replicates"], 3);
    let grid = |own: &str| format!("[grid.full]\n{own}\n\n[precision]");
    let varied = grid("\"grid.common_random_numbers\" = [\"none\", \"families\"]");
    let ran = simulated(
        &null(|own| own.replace("[precision]", &varied)),
        "s.toml",
        &few,
    );
    assert_eq!(ran.code, 3, "{}", ran.err);
    assert!(ran.err.contains("[not-applicable]"), "{}", ran.err);
    let months = grid("\"accrual.months\" = [2, 3]");
    let place = null(|own| own.replace("[precision]", &months));
    let ran = simulated(
        &place,
        "s.toml",
        &[&few[..], &["--what-if", "months=4"]].concat(),
    );
    assert_eq!(ran.code, 0, "{}", ran.err);
    let (cells, compared) = ran.out.split_once("Each alternative").unwrap();
    let rows = |text: &str| {
        text.lines()
            .filter(|line| line.contains("months=4"))
            .count()
    };
    assert_eq!((rows(cells), rows(compared)), (2, 2), "{}", ran.out);
}
