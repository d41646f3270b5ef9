//! `lottning simulate` on the shipped scenarios: the fields of the contract, names of cells, and what is refused.

use crate::place::Place;
use crate::process::Folder;

fn simulate(words: &str) -> crate::process::Run {
    let folder = Folder::new();
    let root = env!("CARGO_MANIFEST_DIR");
    folder.run(&format!("simulate {root}/simulations/{words}"))
}

/// By the contract: cell, parameters, analysis, numbers, and each figure with its Monte Carlo error; size behind a gate.
#[test]
fn a_row_has_the_fields_of_the_contract_and_what_is_shown_beside() {
    let run = simulate("trend-and-gate.toml --replicates 20 --draws 39 --set months=6 --json");
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

/// By law: R redraws give no p below 2/(1 + R), which is .05 from R = 39 on. Fewer would give a power of 0 with an error of 0,
/// so they are refused however they are asked for.
#[test]
fn too_few_redraws_are_refused() {
    let few = "trend-and-gate.toml --replicates 4 --set months=3";
    for (words, exit) in [
        ("--draws 38", 2),
        ("--draws 38 --search families --between 40,90", 2),
        ("--set precision.draws_in_simulation=38", 3),
        ("--draws 0 --set precision.draws_in_simulation=38", 0),
        ("--draws 39", 0),
    ] {
        let run = simulate(&format!("{few} {words}"));
        assert_eq!(run.exit, exit, "{words}: {}", run.err);
        let said = run.err.contains("error[test-cannot-reject]");
        assert_eq!(said, exit != 0, "{words}: {}", run.err);
        assert!(
            exit == 0 || run.err.contains("at least 39 redraws"),
            "{}",
            run.err
        );
    }
}

/// By hand: with .02 of .05 spent at a look every limit is below .05, so 2/(1 + R) must be: 39 redraws are refused. 40 give .0488 and 54
/// give 2/55 = .036, above .02 and .03: no study stops at the look and all but none rejects, which table and JSON say. 66 give
/// 2/67 = .0299, below .03 and above .02.
#[test]
fn too_few_redraws_for_looks_are_refused_or_told() {
    let look = "[[lock]]\nid = \"look\"\ncut = 2026-09-30\nkind = \"interim\"\nalpha = 0.02\n\n[[lock]]\nid = \"final\"";
    let place = Place::with(
        &include_str!("../../simulations/protocols/fixed-binary.toml")
            .replace("[[lock]]\nid = \"final\"", look)
            .replace("draws = 10000 }", "draws = 10000 }\nlooks = [\"look\"]"),
    );
    let scenario = include_str!("../../simulations/workloads/w1.toml")
        .replace("../protocols/fixed-binary.toml", "p.toml")
        .replace("\"kernel\"", "\"study\"")
        .replace("months = 60", "months = 12");
    place.write("s.toml", scenario);
    let order = |draws: u32| {
        place.run(&format!(
            "simulate s.toml --replicates 4 --json --draws {draws}"
        ))
    };
    for few in [38, 39] {
        let ran = place.run(&format!("simulate s.toml --replicates 4 --draws {few}"));
        ran.refused(2, "test-cannot-reject");
        assert!(ran.err.contains("with looks every limit"), "{}", ran.err);
    }
    for (draws, words) in [
        (40, "few studies or none"),
        (54, "few studies or none"),
        (66, "the power is lower"),
    ] {
        let said = order(draws).json(0)["warnings"].to_string();
        assert!(
            said.contains("test-cannot-reject")
                && said.contains("cannot reject at `look` (0.0200)")
                && said.contains(words),
            "{draws}: {said}"
        );
    }
    let said = order(99).json(0)["warnings"].to_string();
    assert!(!said.contains("test-cannot-reject"), "{said}");
}

/// By hand: 99 redraws have no p below 2/100 = .02. That is what .06 leaves to the end where .04 is spent at a look, and what is spent by
/// the second of two looks with .002 and .018; floats have .06 − .04 and .002 + .018 a little below .02. Nine p of 2/300 are screened at
/// .01: 9·2/300 = .06 = 6·.01, so that each needs five of the others, and floats have the product above .06.
#[test]
fn a_limit_that_redraws_just_reach_is_in_reach() {
    let plain = include_str!("../../simulations/protocols/fixed-binary.toml");
    let scenario = include_str!("../../simulations/workloads/w1.toml")
        .replace("../protocols/fixed-binary.toml", "p.toml")
        .replace("\"kernel\"", "\"study\"")
        .replace("months = 60", "months = 12");
    let looked = |looks: &[(&str, &str)], alpha: &str| {
        let mut locks = String::new();
        for (month, (id, spent)) in (8..).zip(looks) {
            let head = format!("[[lock]]\nid = \"{id}\"\ncut = 2026-0{month}-30\n");
            let tail = format!("kind = \"interim\"\nalpha = {spent}\n\n");
            locks.extend([head, tail]);
        }
        let ids: Vec<String> = looks.iter().map(|(id, _)| format!("\"{id}\"")).collect();
        let (first, second) = plain.split_once("[[lock]]").unwrap();
        let second = second.replacen(
            "draws = 10000 }",
            &format!(
                "draws = 10000 }}\nalpha = {alpha}\nlooks = [{}]",
                ids.join(", ")
            ),
            1,
        );
        format!("{first}{locks}[[lock]]{second}")
    };
    let screened = {
        let (head, own) = plain.split_once("[[analysis]]").unwrap();
        let (own, _) = own.split_once("[[analysis]]").unwrap();
        let own = own.replace("role = \"primary\"", "role = \"exploratory\"\nalpha = 0.01");
        let nine = (1..10).map(|number| {
            let id = format!("id = \"own-{number}\"");
            format!("[[analysis]]{}", own.replace("id = \"primary\"", &id))
        });
        let primary = plain.split_once("[[analysis]]").unwrap().1;
        format!("{head}[[analysis]]{primary}\n{}", nine.collect::<String>())
    };
    let said = |protocol: &str, analyses: &str, draws: u32| {
        let place = Place::with(protocol);
        place.write("s.toml", scenario.as_str());
        let order = format!(
            "simulate s.toml --replicates 2 --json --set analyses=[{analyses}] --draws {draws}"
        );
        place.run(&order).json(0)["warnings"].to_string()
    };
    let end = said(&looked(&[("look", "0.04")], "0.06"), "\"primary\"", 99);
    assert!(!end.contains("test-cannot-reject"), "{end}");
    let looks = [("first", "0.002"), ("second", "0.018")];
    let second = said(&looked(&looks, "0.05"), "\"primary\"", 99);
    assert!(
        second.contains("cannot reject at `first` (0.00200), by"),
        "{second}"
    );
    let ids: Vec<String> = (1..10).map(|number| format!("\"own-{number}\"")).collect();
    let sixth = said(&screened, &ids.join(","), 299);
    assert!(
        sixth.contains("5 of the others are rejected too"),
        "{sixth}"
    );
}

/// By hand: Holm's rule holds the smallest of m p-values to .05/m, and 2/(1 + R) is that from R = 40m − 1: 79 of two, 159 of four, also
/// where two of the four are not simulated. With the p of two of the four without a smallest value the others come after them:
/// 2·2/(1 + R) ≤ .05 from 79, with a warning until 159. Of four that are screened by Benjamini and Hochberg's rule, of which two are
/// simulated, 4·p/2 ≤ .05 from 79.
#[test]
fn too_few_redraws_for_a_family_are_refused() {
    let test = "covariates = []\ntest = { kind = \"randomization\", draws = 999 }\n";
    let three = include_str!("../../simulations/protocols/three-arms.toml")
        .replace("covariates = []\n", test);
    let (_, block) = three.split_once("[[analysis]]").unwrap();
    let (block, _) = block.split_once("[multiplicity]").unwrap();
    let beside = |role: &str| {
        let own = block.replace("role = \"primary\"", &format!("role = \"{role}\""));
        let second = own.replace("id = \"primary\"", "id = \"second\"");
        let third = own
            .replace("id = \"primary\"", "id = \"third\"")
            .replace("\"any\"", "\"count\"")
            .replace("\"risk-difference\"", "\"difference\"");
        format!("[[analysis]]{second}[[analysis]]{third}")
    };
    let secondary = "[multiplicity]\nsecondary = \"holm\"";
    let holm = format!("{}{secondary}", beside("secondary"));
    let (second, third) = holm.split_once("id = \"third\"").unwrap();
    let mixed = format!(
        "{second}id = \"third\"{}",
        third.replace(test, "covariates = []\n")
    );
    let screened = format!("{}[multiplicity]", beside("exploratory"));
    // The most redraws that are refused, those that are warned of, and how many are asked for and enough.
    for (families, analyses, refused, warned, runs, silent) in [
        (&holm, "\"primary\"", 78, None, 79, 79),
        (&holm, "\"second\",\"third\"", 158, None, 159, 159),
        (&holm, "\"second\"", 158, None, 159, 159),
        (
            &mixed,
            "\"second\",\"third\"",
            78,
            Some([(79, 2), (158, 1)]),
            159,
            159,
        ),
        (
            &screened,
            "\"second\"",
            78,
            Some([(79, 1), (158, 1)]),
            79,
            159,
        ),
    ] {
        let place = Place::with(&three.replace("[multiplicity]", families));
        let scenario = include_str!("../../simulations/three-arms.toml")
            .replace("protocols/three-arms.toml", "p.toml");
        place.write("s.toml", scenario);
        let order = |draws: u32| {
            place.run(&format!(
                "simulate s.toml --replicates 2 --set months=2 --set analyses=[{analyses}] --json --draws {draws}"
            ))
        };
        let few = order(refused);
        assert_eq!((few.code, few.out.as_str()), (2, ""), "{}", few.err);
        assert!(
            few.err.contains("\"code\":\"test-cannot-reject\""),
            "{}",
            few.err
        );
        let ends = few.err.contains("in no study whatever the effect");
        let needed = few.err.contains(&format!("at least {runs} redraws"));
        assert!(ends && needed, "{}", few.err);
        // 2/80 is at most .05/2, when two of the four are rejected before, and 2/159 at most .05/3.
        for (draws, others) in warned.into_iter().flatten() {
            let said = order(draws).json(0)["warnings"].to_string();
            let after = said.contains(&format!("{others} of the others are rejected too"));
            assert!(said.contains("test-cannot-reject") && after, "{said}");
        }
        let said = order(silent).json(0)["warnings"].to_string();
        assert!(!said.contains("test-cannot-reject"), "{said}");
    }
    // By Benjamini and Hochberg's rule 2/40 is at most .05·4/4, 2/80 at most .05·2/4 and 2/160 at most .05/4.
    let place = Place::with(&three.replace("[multiplicity]", &screened));
    let scenario = include_str!("../../simulations/three-arms.toml")
        .replace("protocols/three-arms.toml", "p.toml");
    place.write("s.toml", scenario);
    for (draws, others) in [(39, Some(3)), (79, Some(1)), (159, None)] {
        let order = "simulate s.toml --replicates 2 --set months=2 --json --set analyses=";
        let ran = place.run(&format!("{order}[\"second\",\"third\"] --draws {draws}"));
        let said = ran.json(0)["warnings"].to_string();
        match others {
            Some(others) => {
                let after = format!("{others} of the others are rejected too");
                assert!(said.contains(&after), "{said}");
            }
            None => assert!(!said.contains("test-cannot-reject"), "{said}"),
        }
    }
}

/// By hand: 6 months from 2026-01-05 pass a stop on 2026-03-31 by three; 3 months by some days, of which nothing is said.
#[test]
fn months_after_the_stop_are_told() {
    let order = "workloads/w1.toml --replicates 4 --json --set protocol.sample_size.stop.or_date=2026-03-31 --set months=";
    for (months, told) in [(3, false), (6, true)] {
        let run = simulate(&format!("{order}{months}"));
        assert_eq!(run.exit, 0, "{}", run.err);
        let said = run.json()["warnings"].to_string();
        assert_eq!(said.contains("months-beyond-stop"), told, "{said}");
        assert_eq!(run.err.contains("months-beyond-stop"), told, "{}", run.err);
    }
}

/// By hand: 60 months from 2026-01-05 pass a stop on 2028-12-31, and the answer does not: nothing is said of what was only tried.
#[test]
fn a_search_warns_of_its_answer_alone() {
    let run = simulate(
        "workloads/w1.toml --set protocol.sample_size.stop.or_date=2028-12-31 --search months --power .42 --replicates 500 --json",
    );
    assert_eq!(run.exit, 0, "{}", run.err);
    assert!(
        run.json()["answer"]["value"]
            .as_u64()
            .is_none_or(|months| months < 35)
    );
    assert!(!run.err.contains("months-beyond-stop"), "{}", run.err);
    let said = run.json()["warnings"].to_string();
    assert!(!said.contains("months-beyond-stop"), "{said}");
}

/// An alternative that is refused is named as it was typed.
#[test]
fn a_refused_alternative_names_its_own_option() {
    let run =
        simulate("harm.toml --replicates 4 --set months=6 --what-if truth.rereport_control=7");
    assert_eq!(run.exit, 3, "{}", run.err);
    let named = "--set months=6 --what-if truth.rereport_control=7";
    assert!(run.err.contains(named), "{}", run.err);
}

/// By law as above: 5 redraws give no p below 1/3, also where a search tries them.
#[test]
fn redraws_that_a_search_tries_are_checked() {
    let run = simulate(
        "workloads/w1.toml --set months=3 --search precision.draws_in_simulation --between 5,60 --power .1",
    );
    assert_eq!(run.exit, 3, "{}", run.err);
    assert!(run.err.contains("test-cannot-reject"), "{}", run.err);
}

/// By hand: one study says nothing of a power of .51, nor do 499.
#[test]
fn a_search_is_not_confirmed_by_few_studies() {
    for few in [1, 499] {
        let run = simulate(&format!(
            "workloads/w1.toml --search months --power .51 --between 3,60 --replicates {few}"
        ));
        assert_eq!(run.exit, 2, "{}", run.err);
        assert!(run.err.contains("at least 500"), "{}", run.err);
    }
}

/// What an alternative changes in the lottery is said in the answer too.
#[test]
fn an_alternative_with_another_lottery_says_so_in_the_answer() {
    let run =
        simulate("harm.toml --replicates 4 --draws 0 --set months=6 --what-if ratio=32:33 --json");
    assert_eq!(run.exit, 0, "{}", run.err);
    let said = run.json()["warnings"].to_string();
    assert!(said.contains("ratio-by-blocks"), "{said}");
}

/// An alternative is refused as the scenario is.
#[test]
fn an_alternative_with_too_few_redraws_is_refused() {
    let folder = Folder::new();
    let scenario = concat!(env!("CARGO_MANIFEST_DIR"), "/simulations/modest.toml");
    let alternative = "precision.draws_in_simulation=19";
    let words = [
        "simulate",
        scenario,
        "--replicates",
        "4",
        "--set",
        "months=6",
    ];
    let run = folder.run_with(&[&words[..], &["--what-if", alternative]].concat(), b"");
    assert_eq!(run.exit, 3, "{}", run.err);
    assert!(run.err.contains("test-cannot-reject"), "{}", run.err);
}

/// By hand: one study says of a share no more than that it is at most, or at least, 1 − .025 = .975 or .025 (Clopper and Pearson);
/// four studies that never reach the target, 1 − .025^(1/4) = .6024.
#[test]
fn a_share_of_none_or_all_has_a_bound() {
    let order = "workloads/w1.toml --set months=1 --replicates";
    let table = simulate(&format!("{order} 1"));
    assert_eq!(table.exit, 0, "{}", table.err);
    let bounds = ["0 (at most 0.98)", "1 (at least 0.02)"];
    assert!(
        bounds.iter().any(|own| table.out.contains(own)),
        "{}",
        table.out
    );
    let swedish = simulate(&format!("{order} 1 --lang sv"));
    let bounds = ["0 (högst 0,98)", "1 (minst 0,02)"];
    assert!(
        bounds.iter().any(|own| swedish.out.contains(own)),
        "{}",
        swedish.out
    );
    let body = simulate(&format!("{order} 4 --json")).json();
    let reached = &body["cells"][0]["target_reached"];
    assert_eq!(
        (reached["value"].as_f64(), reached["mcse"].as_f64()),
        (Some(0.0), Some(0.0))
    );
    assert!(
        (reached["upper"].as_f64().unwrap() - 0.602_4).abs() < 5e-5,
        "{reached}"
    );
    let csv = simulate(&format!("{order} 4 --format csv"));
    let (head, row) = csv.out.split_once('\n').unwrap();
    let place = head
        .split(',')
        .position(|own| own == "target_reached_upper");
    let upper = row.split(',').nth(place.unwrap()).unwrap();
    assert!(
        (upper.trim().parse::<f64>().unwrap() - 0.602_4).abs() < 5e-5,
        "{csv:?}",
        csv = csv.out
    );
}

/// More than one study of twenty without an answer is warned of, and none is not.
#[test]
fn many_studies_without_an_answer_are_warned_of() {
    for (families, said) in [(10, true), (60, false)] {
        let key = format!("protocol.sample_size.stop.families={families}");
        let run = simulate(&format!(
            "workloads/w1.toml --set {key} --replicates 200 --json"
        ));
        let body = run.json();
        let failures = body["cells"][0]["failures"].as_u64().unwrap();
        assert_eq!(failures > 10, said, "{failures}");
        let warnings = body["warnings"].as_array().unwrap();
        let found = warnings.iter().any(|own| own["code"] == "many-failures");
        assert_eq!((found, run.err.contains("many-failures")), (said, said));
    }
}

/// An analysis without a true effect in a study has no bias and no coverage, and the answer says so of it and of no other: both analyses
/// of w4 are such (a test and a hazard ratio), w1's difference of risks is not.
#[test]
fn analyses_without_a_true_effect_are_told() {
    for (workload, named) in [("w4", Some(["`primary`", "`hazards`"])), ("w1", None)] {
        let order = format!("workloads/{workload}.toml --replicates 40");
        let run = simulate(&format!("{order} --json"));
        let body = run.json();
        for row in body["cells"].as_array().unwrap() {
            for figure in ["bias", "mean_squared_error", "coverage"] {
                assert_eq!(row[figure]["value"].is_null(), named.is_some(), "{row}");
            }
        }
        let warnings = body["warnings"].as_array().unwrap();
        let said = warnings.iter().find(|own| own["code"] == "no-true-effect");
        assert_eq!(said.is_some(), named.is_some(), "{warnings:?}");
        assert_eq!(run.err.contains("no-true-effect"), named.is_some());
        let text = said.map_or("", |own| own["message"].as_str().unwrap_or(""));
        for id in named.into_iter().flatten() {
            assert!(text.contains(id), "{text}");
        }
    }
}

/// Studies whose hazard ratio is 0 or infinite are left out of its standard errors: every table says how many, and more than one study
/// of twenty is warned of. With few reports that happens often, with as many as the scenario states in no study.
#[test]
fn many_ratios_without_end_are_told() {
    for (risk, said) in [(0.04, true), (0.850_092, false)] {
        let order = format!(
            "workloads/w4.toml --set truth.rereport_control={risk} \
             --set protocol.sample_size.stop.families=120 --replicates 200"
        );
        let run = simulate(&format!("{order} --json"));
        let body = run.json();
        let row = body["cells"].as_array().unwrap();
        let row = row.iter().find(|own| own["analysis"] == "hazards").unwrap();
        let endless = row["endless"].as_u64().unwrap();
        assert_eq!(endless > 10, said, "{endless}");
        assert!(said || endless == 0);
        let warnings = body["warnings"].as_array().unwrap();
        let found = warnings
            .iter()
            .any(|own| own["code"] == "many-endless-ratios");
        let told = run.err.contains("many-endless-ratios");
        assert_eq!((found, told), (said, said));
        let csv = simulate(&format!("{order} --format csv"));
        let mut lines = csv.out.lines().map(|line| line.split(','));
        let place = lines.next().unwrap().position(|own| own == "endless");
        let mut row = lines.find(|line| line.clone().nth(1) == Some("hazards"));
        let shown = row.as_mut().and_then(|row| row.nth(place.unwrap()));
        assert_eq!(shown, Some(endless.to_string().as_str()));
        let text = simulate(&order);
        assert_eq!(text.out.contains("0 or infinite"), said, "{}", text.out);
    }
}

/// By hand: the level of the intervals of a test at .07 is .93, which 1 − .07 is not in binary; every table has it.
#[test]
fn the_level_is_a_decimal_in_every_table() {
    let place = Place::with(
        &include_str!("../../simulations/protocols/fixed-binary.toml")
            .replace("role = \"primary\"", "role = \"primary\"\nalpha = 0.07"),
    );
    let scenario = include_str!("../../simulations/workloads/w1.toml")
        .replace("../protocols/fixed-binary.toml", "p.toml");
    place.write("s.toml", scenario);
    let order = "simulate s.toml --replicates 4 --draws 0";
    let json = place.run(&format!("{order} --json --out o")).out;
    assert!(json.contains("\"level\": 0.93,"), "{json}");
    let written = std::fs::read_to_string(place.path("o/performance.csv")).unwrap();
    let shown = place.run(&format!("{order} --format csv")).out;
    for table in [written, shown] {
        let mut lines = table.lines().map(|line| line.split(','));
        let place = lines.next().unwrap().position(|own| own == "level");
        let row = lines.next().unwrap().nth(place.unwrap());
        assert_eq!(row, Some("0.93"), "{table}");
    }
}

/// A setting that the grid or a prior would swallow is refused, and a number without its zero is a number.
#[test]
fn what_cannot_be_set_is_said() {
    for path in ["grid.full.months=[6]", "grid=1", "prior.months=3"] {
        let run = simulate(&format!(
            "modest.toml --replicates 4 --draws 0 --set {path}"
        ));
        assert_eq!(run.exit, 2, "{path}: {}", run.err);
        assert!(
            run.err.contains("error[not-applicable]"),
            "{path}: {}",
            run.err
        );
    }
    let order = "workloads/w1.toml --replicates 10 --json --set truth.rereport_ratio";
    let short = simulate(&format!("{order}=.7"));
    assert_eq!(short.exit, 0, "{}", short.err);
    assert_eq!(short.out, simulate(&format!("{order}=0.7")).out);
}

/// With a prior the share is an assurance, and power has no value; a warning says why.
#[test]
fn assurance_stands_under_its_name() {
    let run = simulate("assurance.toml --replicates 10 --draws 0 --set months=6 --json");
    assert_eq!(run.exit, 0, "{}", run.err);
    // Whether the study may be opened is no question of planning.
    assert!(!run.err.contains("permission-missing"), "{}", run.err);
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
    let table =
        simulate("assurance.toml --replicates 4 --draws 0 --set months=6 --what-if therapists=2");
    assert!(table.out.contains("assurance, primary"), "{}", table.out);
    assert!(
        table.out.contains("assurance") && !table.out.contains("power "),
        "{}",
        table.out
    );
}

/// An alternative that sets what has a prior has a power beside an assurance: each stands under its own name, in the table of cells and
/// on the page, and their difference under both.
#[test]
fn a_power_beside_an_assurance_keeps_its_name() {
    let folder = Folder::new();
    let root = env!("CARGO_MANIFEST_DIR");
    let alternative = "truth.rereport_ratio=0.6";
    let run = folder.run(&format!(
        "simulate {root}/simulations/assurance.toml --replicates 4 --draws 0 --set months=6 \
         --set accrual.families_per_month_and_site.mean=10 --set family.icc_pair=0 --out o --what-if {alternative}"
    ));
    assert_eq!(run.exit, 0, "{}", run.err);
    let head = run.out.lines().next().unwrap();
    let (power, assurance) = (head.find("power").unwrap(), head.find("assurance").unwrap());
    assert!(power < assurance);
    let figures = |name: &str| {
        let row = run.out.lines().find(|line| line.starts_with(name)).unwrap();
        // By characters: a table has ± and – in it.
        let column = |from: usize| row.chars().nth(from).unwrap().is_ascii_digit();
        (column(power), column(assurance))
    };
    assert_eq!(figures("base"), (false, true), "{}", run.out);
    assert_eq!(figures(alternative), (true, false), "{}", run.out);
    assert!(
        run.out.contains("power or assurance, primary"),
        "{}",
        run.out
    );
    for (page, told) in [
        ("report.en.html", "is that of base; the others have a power"),
        ("report.sv.html", "gäller base; de andra har en styrka"),
    ] {
        let page = std::fs::read_to_string(folder.path().join("o").join(page)).unwrap();
        assert_eq!(page.matches(told).count(), 2);
    }
}

/// Two alternatives whose settings change which conditions hold have nothing to be compared with.
#[test]
fn an_alternative_needs_a_cell_to_be_compared_with() {
    let run = simulate("modest.toml --replicates 4 --draws 0 --what-if months=24");
    assert_eq!(run.exit, 3, "{}", run.err);
    assert!(run.err.contains("alternative-without-cell"), "{}", run.err);
}

/// A prior of a key that takes whole numbers is refused when the scenario is read, and the help says what to add; with it, it runs.
#[test]
fn a_prior_of_whole_numbers_says_so() {
    let place = Place::with(include_str!(
        "../../simulations/protocols/fixed-binary.toml"
    ));
    let scenario = include_str!("../../simulations/workloads/w1.toml")
        .replace("../protocols/fixed-binary.toml", "p.toml");
    let write = |law: &str| {
        let key = "[[prior]]\nkey = \"protocol.sample_size.stop.families\"\n";
        place.write(
            "s.toml",
            scenario.replace("[precision]", &format!("{key}{law}\n\n[precision]")),
        );
    };
    for law in ["normal = { mean = 100, sd = 10 }", "values = [90, 100]"] {
        write(law);
        let ran = place.run("simulate s.toml --replicates 4");
        ran.refused(3, "wrong-type");
        assert!(ran.err.contains("add `whole = true`"), "{}", ran.err);
        assert_eq!(ran.err.matches("[wrong-type]").count(), 1, "{}", ran.err);
        let said = place.run("simulate s.toml --replicates 4 --lang sv").err;
        assert!(said.contains("lägg till `whole = true`"), "{said}");
        write(&format!("{law}\nwhole = true"));
        let ran = place.run("simulate s.toml --replicates 4");
        assert_eq!(ran.code, 0, "{}", ran.err);
    }
}

/// A prior on what people planned with is read by no simulated study, and would call the power an assurance; what studies cost, or are
/// to reach, changes no study either, and is averaged while the power stays a power.
#[test]
fn a_prior_that_no_study_lives_by_leaves_the_power_a_power() {
    let place = Place::with(include_str!(
        "../../simulations/protocols/fixed-binary.toml"
    ));
    let scenario = include_str!("../../simulations/workloads/w1.toml")
        .replace("../protocols/fixed-binary.toml", "p.toml");
    let write = |prior: &str| {
        let text = scenario.replace(
            "[precision]",
            &format!("[cost]\nper_family = 2\n\n[[prior]]\n{prior}\n\n[precision]"),
        );
        place.write("s.toml", text);
    };
    for key in ["control", "effect", "power"] {
        write(&format!(
            "key = \"protocol.sample_size.assumed.{key}\"\nuniform = [0.2, 0.3]"
        ));
        let ran = place.run("simulate s.toml --replicates 4");
        ran.refused(3, "not-applicable");
        assert!(ran.err.contains("no simulated study reads"), "{}", ran.err);
    }
    let power = |prior: &str| {
        write(prior);
        let ran = place.run("simulate s.toml --replicates 40 --json");
        let is_assurance = ran.err.contains("power-is-assurance");
        (ran.json(0)["cells"][0].clone(), is_assurance)
    };
    let (known, _) = power("key = \"cost.fixed\"\nvalues = [0]");
    for prior in [
        "key = \"cost.per_family\"\nuniform = [1, 3]",
        "key = \"protocol.sample_size.target\"\nuniform = [200, 400]\nwhole = true",
    ] {
        let (row, is_assurance) = power(prior);
        assert!(
            row["power"]["value"].is_number() && row["assurance"].is_null(),
            "{row}"
        );
        assert_eq!(row["power"], known["power"]);
        assert!(!is_assurance);
        assert_eq!(row["priors"].as_array().unwrap().len(), 1);
    }
    let (row, is_assurance) = power("key = \"truth.rereport_ratio\"\nuniform = [0.6, 0.7]");
    assert!(
        row["power"]["value"].is_null() && row["assurance"]["value"].is_number(),
        "{row}"
    );
    assert!(is_assurance);
}

/// By law as without a search: where the analysis never has an answer there is no power, also when the search goes on from its folder.
#[test]
fn a_search_for_what_always_fails_is_refused() {
    let root = env!("CARGO_MANIFEST_DIR");
    let folder = Folder::new();
    let order = format!(
        "simulate {root}/simulations/null.toml --search months --between 2,4 --power .5 --analysis acceptance \
         --set truth.acceptance_control=0.0000001 --set truth.acceptance_difference=0 --draws 0"
    );
    for more in ["", " --out d", " --out d"] {
        let run = folder.run(&format!("{order}{more}"));
        assert_eq!(run.exit, 3, "{}", run.err);
        assert!(run.err.contains("all-replicates-failed"), "{}", run.err);
        assert!(run.err.contains("no-variation"), "{}", run.err);
    }
}

/// By hand: no effect adjusted for four sites can be estimated from two families. That number has no power, and it is told.
#[test]
fn a_search_tells_of_numbers_without_power() {
    let run = simulate("workloads/w1.toml --draws 0 --search families --between 2,60 --power .5");
    assert_eq!(run.exit, 2, "{}", run.err);
    assert!(run.err.contains("many-failures"), "{}", run.err);
    let told = "at families = 2 no study gave numbers of `primary`";
    assert!(run.err.contains(told), "{}", run.err);
}

/// By law: a search that ends without a number tells a power in which studies without an answer count as not rejecting, and says so of
/// the number that it tells of, as a simulation there does: the largest, and where already that is too much the smallest.
#[test]
fn a_search_without_a_number_tells_of_many_failures() {
    let search = "workloads/w1.toml --draws 0 --search families";
    let strong = "--between 8,20 --power .06 --set truth.rereport_control=0.9 --set truth.rereport_ratio=0.1";
    for (range, code) in [
        ("--between 6,8 --power .5", "search-beyond"),
        (strong, "search-below"),
    ] {
        let run = simulate(&format!("{search} {range}"));
        assert_eq!(run.exit, 2, "{}", run.err);
        assert!(run.err.contains(code), "{}", run.err);
        let own = "warning[many-failures]: `primary` gave no numbers in";
        assert!(run.err.contains(own), "{}", run.err);
    }
}

/// Studies in which the model fits every outcome exactly have no standard error to count: nearly everybody of control is reported again
/// and nearly nobody of the treated, so that all twenty are such, and with the stated risks none is. Every table says how many, and
/// more than one study of twenty is warned of.
#[test]
fn many_exact_fits_are_told() {
    let exact = "--set truth.rereport_control=0.999999999999 --set truth.rereport_ratio=1e-12";
    for (settings, said) in [(exact, true), ("", false)] {
        let order = format!(
            "workloads/w5.toml {settings} --set protocol.sample_size.stop.families=60 \
             --draws 39 --replicates 20"
        );
        let run = simulate(&format!("{order} --json"));
        let body = run.json();
        let row = &body["cells"][0];
        let studies = if said { 20 } else { 0 };
        assert_eq!(
            (&row["exact_fits"], &row["failures"]),
            (&studies.into(), &0.into())
        );
        assert_eq!(row["power"]["value"] == 1.0, said);
        for key in ["model_se", "relative_error"] {
            assert_eq!(row[key]["value"].is_null(), said, "{key}");
        }
        assert!(row["empirical_se"]["value"].is_number());
        let warnings = body["warnings"].as_array().unwrap();
        let found = warnings.iter().any(|own| own["code"] == "many-exact-fits");
        assert_eq!((found, run.err.contains("many-exact-fits")), (said, said));
        let csv = simulate(&format!("{order} --format csv"));
        let mut lines = csv.out.lines().map(|line| line.split(','));
        let place = lines.next().unwrap().position(|own| own == "exact_fits");
        let shown = lines.next().and_then(|mut row| row.nth(place.unwrap()));
        assert_eq!(shown, Some(studies.to_string().as_str()));
        let text = simulate(&order);
        assert_eq!(text.out.contains("fitted exactly"), said, "{}", text.out);
    }
}

/// By law: a secondary analysis that never has an answer has no power, in no document: the number of failures and the reason stand there,
/// and no 0.
#[test]
fn an_analysis_that_always_fails_has_no_power_in_any_document() {
    let folder = Folder::new();
    let root = env!("CARGO_MANIFEST_DIR");
    let run = folder.run(&format!(
        "simulate {root}/simulations/null.toml --replicates 10 --draws 0 --set months=6 --out d --json \
         --set truth.acceptance_control=0.0000001 --set truth.acceptance_difference=0"
    ));
    assert_eq!(run.exit, 0, "{}", run.err);
    let told = "`acceptance` gave no numbers in any of 10 studies";
    assert!(run.err.contains(told), "{}", run.err);
    let rows = run.json()["cells"].clone();
    let rows = rows.as_array().unwrap().iter();
    let own = rows.filter(|own| own["analysis"] == "acceptance");
    let own: Vec<_> = own.collect();
    assert!(!own.is_empty());
    for row in own {
        assert_eq!(row["failures"], 10);
        assert_eq!(row["first_failure"]["reason"], "no-variation");
        for key in [
            "power",
            "type_i_error",
            "size",
            "bias",
            "coverage",
            "model_se",
        ] {
            assert!(
                row[key].is_null() || row[key]["value"].is_null(),
                "{key}: {row}"
            );
        }
    }
    let read = |name: &str| std::fs::read_to_string(folder.path().join("d").join(name)).unwrap();
    let csv = read("performance.csv");
    let mut lines = csv.lines().map(|line| line.split(',').collect::<Vec<_>>());
    let head = lines.next().unwrap();
    let place = |name: &str| head.iter().position(|own| *own == name).unwrap();
    let row = lines
        .find(|own| own[place("analysis")] == "acceptance")
        .unwrap();
    assert_eq!((row[place("failures")], row[place("power")]), ("10", ""));
    assert!(read("report.en.html").contains("it has no power, bias or coverage"));
}

/// By law: where no study of a cell or of an alternative gave numbers there is no power, and no difference from one.
#[test]
fn no_power_has_no_difference() {
    let less = "truth.acceptance_control=0.0000001";
    let folder = Folder::new();
    let root = env!("CARGO_MANIFEST_DIR");
    let scenario = format!("{root}/simulations/null.toml");
    let words = [
        "simulate",
        &scenario,
        "--replicates",
        "10",
        "--draws",
        "0",
        "--set",
        "months=6",
        "--set",
        "truth.acceptance_difference=0",
        "--what-if",
        less,
        "--json",
    ];
    let run = folder.run_with(&words, b"");
    assert_eq!(run.exit, 0, "{}", run.err);
    let body = run.json();
    let power = &body["alternatives"][0]["differences"]["power"];
    assert_eq!(
        (&power[0]["analysis"], &power[1]["analysis"]),
        (&"primary".into(), &"acceptance".into())
    );
    assert!(
        power[0]["value"].is_number() && power[1]["value"].is_null(),
        "{power}"
    );
    let text = std::fs::read_to_string(&scenario).unwrap();
    let protocol = format!("{root}/protocols/iuh-2025/protocol.toml");
    let text = text.replace("../protocols/iuh-2025/protocol.toml", &protocol);
    let grid = "\n[grid.full]\n\"truth.acceptance_control\" = [0.35, 0.0000001]\n";
    folder.file("g.toml", text + grid);
    let run = folder.run("simulate g.toml --replicates 10 --draws 0 --set months=6 --json");
    assert_eq!(run.exit, 0, "{}", run.err);
    let rows = run.json()["cells"].clone();
    assert_eq!(rows[3]["failures"], 10);
    assert!(
        rows[2]["difference"]["power"]["value"].is_number(),
        "{}",
        rows[2]
    );
    assert!(
        rows[3]["difference"]["power"]["value"].is_null(),
        "{}",
        rows[3]
    );
}
