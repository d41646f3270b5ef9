//! `draw --characteristics` of lists with strata, and without a seed.

use super::process::Folder;
use serde_json::{Value, json};

const SEED: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
const KEYS: [&str; 6] = [
    "correct_guess_share",
    "best_guess_share",
    "forced_share",
    "imbalance_variance",
    "max_imbalance",
    "p_balanced",
];

fn describe(folder: &Folder, words: &str) -> Value {
    let ran = folder.run(&format!("draw --characteristics --json {words}"));
    assert_eq!(ran.exit, 0, "{words}: {}", ran.err);
    ran.json()
}

fn exact(found: &Value, key: &str) -> f64 {
    found[key]["exact"].as_f64().unwrap()
}

#[track_caller]
fn is(found: &Value, key: &str, by_hand: f64) {
    let own = exact(found, key);
    assert!((own - by_hand).abs() < 1e-14, "{key}: {own} {by_hand}");
}

/// A simulated figure within four of its standard errors.
#[track_caller]
fn near(figure: &Value, by_hand: f64) {
    let (value, mcse) = (&figure["value"], &figure["mcse"]);
    let (value, mcse) = (value.as_f64().unwrap(), mcse.as_f64().unwrap());
    assert!(
        (value - by_hand).abs() <= 4.0 * mcse + 1e-12,
        "{figure} {by_hand}"
    );
}

/// Blocks of four in strata of 4, 4 and 2, by hand. A whole block: 17/6 guesses are right and 4/3 places are certain, it ends
/// level, and the difference is 2 on the way in a third of the blocks: 4/3. Half a block: 1/2 + 2/3 are right, none is certain, it
/// ends two apart in a third: variance 4/3. Together 41/6 of ten right, 8/3 certain, variance 4/3, level with chance 2/3. One
/// stratum after the other, the largest difference of all is 2 unless no stratum has it: 1 + 19/27.
#[test]
fn strata_are_lists_of_their_own_and_sum_to_the_whole() {
    let folder = Folder::new();
    let north = "north,f\n".repeat(4);
    folder.file(
        "s.csv",
        format!("site,sex\n{north}south,m\nsouth,m\nsouth,m\nsouth,m\neast,f\neast,f\n"),
    );
    let call = "--method permuted-block --strata s.csv --by site,sex --replicates 4000";
    let found = describe(&folder, call);
    assert_eq!(found["schema"], "lottning.characteristics/1");
    assert_eq!(
        (&found["n"], &found["replicates"]),
        (&json!(10), &json!(4000))
    );
    is(&found, "correct_guess_share", 41.0 / 60.0);
    is(&found, "best_guess_share", 41.0 / 60.0);
    is(&found, "correct_guesses", 41.0 / 6.0);
    is(&found, "forced_share", 4.0 / 15.0);
    is(&found, "imbalance_variance", 4.0 / 3.0);
    is(&found, "p_balanced", 2.0 / 3.0);
    assert!(found["max_imbalance"]["exact"].is_null());
    for (key, by_hand) in [
        ("correct_guess_share", 41.0 / 60.0),
        ("correct_guesses", 41.0 / 6.0),
        ("forced_share", 4.0 / 15.0),
        ("imbalance_variance", 4.0 / 3.0),
        ("max_imbalance", 46.0 / 27.0),
        ("p_balanced", 2.0 / 3.0),
    ] {
        near(&found[key], by_hand);
    }
    // Strata that are alike stand once.
    let strata = found["strata"].as_array().unwrap();
    assert_eq!(strata.len(), 2);
    assert_eq!(strata[0]["strata"], json!(["north/f", "south/m"]));
    assert_eq!(
        (&strata[0]["lists"], &strata[0]["n"]),
        (&json!(2), &json!(4))
    );
    assert_eq!(strata[1]["strata"], json!(["east/f"]));
    assert_eq!(
        (&strata[1]["lists"], &strata[1]["n"]),
        (&json!(1), &json!(2))
    );
    for (own, [correct, forced, variance, largest, level]) in strata.iter().zip([
        [17.0 / 24.0, 1.0 / 3.0, 0.0, 4.0 / 3.0, 1.0],
        [7.0 / 12.0, 0.0, 4.0 / 3.0, 4.0 / 3.0, 2.0 / 3.0],
    ]) {
        for (key, by_hand) in [
            ("correct_guess_share", correct),
            ("best_guess_share", correct),
            ("forced_share", forced),
            ("imbalance_variance", variance),
            ("max_imbalance", largest),
            ("p_balanced", level),
        ] {
            is(own, key, by_hand);
            near(&own[key], by_hand);
        }
    }
    // As a table: what it is of, and the strata by the first of them.
    let ran = folder.run(&format!("draw --characteristics --lang sv {call}"));
    assert!(ran.out.contains("10 enheter i 3 strata"), "{}", ran.out);
    assert!(ran.out.contains("north/f och 1 till"), "{}", ran.out);
    let ran = folder.run(&format!("draw --characteristics --format csv {call}"));
    let mut lines = ran.out.lines();
    assert_eq!(
        lines.next(),
        Some("strata,lists,n,characteristic,value,mcse,exact")
    );
    assert_eq!(lines.count(), 7 + 6 + 6);
}

/// Each stratum ends level in blocks of three at 2:1, and so do all. With two units each, by hand: the difference count / part is 1
/// (1/3) or −1/2 (2/3) in a stratum, so 2 (1/9), 1/2 (4/9) or −1 (4/9) over both: mean of |D| 8/9, of D² 1, never level. Big stick
/// of 2 at 2:1 in strata of 7, 7, 4 and 1: own Python in fractions over the three duplicates. Three arms have no such sum, and their
/// figures are simulated alone. Two strata of two independent lots are four: level with 6/16.
#[test]
fn of_all_strata_the_imbalance_of_two_arms_is_a_sum() {
    let folder = Folder::new();
    folder.file("three.csv", "site\n1\n2\n1\n2\n1\n2\n");
    folder.file("two.csv", "site\n1\n2\n1\n2\n");
    let blocks = "--method permuted-block --block-len 3 --ratio 2:1 --by site --replicates 50";
    let level = describe(&folder, &format!("{blocks} --strata three.csv"));
    is(&level, "imbalance_variance", 0.0);
    is(&level, "p_balanced", 1.0);
    let half = describe(&folder, &format!("{blocks} --strata two.csv"));
    is(&half, "imbalance_variance", 17.0 / 81.0);
    is(&half, "p_balanced", 0.0);
    assert!(half["max_imbalance"]["exact"].is_null());
    let sizes = [("a", 7), ("b", 7), ("c", 4), ("d", 1)];
    let rows: String = sizes
        .map(|(site, n)| format!("{site}\n").repeat(n))
        .concat();
    folder.file("four.csv", format!("site\n{rows}"));
    let stick = describe(
        &folder,
        "--method big-stick --max-imbalance 2 --ratio 2:1 --by site --strata four.csv --replicates 4000",
    );
    is(&stick, "imbalance_variance", 1.199_436_198_451_453_2);
    near(&stick["imbalance_variance"], 1.199_436_198_451_453_2);
    is(&stick, "p_balanced", 0.0);
    folder.file("whole.csv", format!("site\n{}", rows.replace("d\n", "")));
    let stick = describe(
        &folder,
        "--method big-stick --max-imbalance 2 --ratio 2:1 --by site --strata whole.csv --replicates 4000",
    );
    is(&stick, "imbalance_variance", 1.322_267_569_188_385_6);
    is(&stick, "p_balanced", 0.317_607_634_243_500_2);
    near(&stick["p_balanced"], 0.317_607_634_243_500_2);
    let three = "--method permuted-block --block-len 3 --ratio 1:1:1 --arms a,b,c --by site";
    let three = describe(
        &folder,
        &format!("{three} --strata two.csv --replicates 50"),
    );
    for key in ["imbalance_variance", "p_balanced"] {
        let own = &three[key];
        assert!(own["exact"].is_null() && own["mcse"].is_number(), "{key}");
    }
    // Four units are no multiple of three, so that no list is level: at most 1 − .025^(1/50), by own Python.
    let never = &three["p_balanced"];
    assert_eq!(
        (&never["value"], &never["lower"]),
        (&json!(0.0), &json!(0.0))
    );
    let upper = never["upper"].as_f64().unwrap();
    assert!((upper - 0.071_121_736_464_198).abs() < 1e-12, "{upper}");
    assert!(three["imbalance_variance"].get("lower").is_none());
    let ran = folder.run(
        "draw --characteristics --method permuted-block --block-len 3 --ratio 1:1:1 --arms a,b,c --by site --strata two.csv --replicates 50",
    );
    assert!(
        ran.out.contains("95 % to") && ran.out.contains("0.071122"),
        "{}",
        ran.out
    );
    let coins = describe(
        &folder,
        "--method simple --by site --strata two.csv --replicates 50",
    );
    is(&coins, "p_balanced", 3.0 / 8.0);
    is(&coins, "imbalance_variance", 4.0);
    assert_eq!(coins["strata"][0]["lists"], 2);
}

/// Duplicates of the arms are drawn beside them and seen by nobody: what the arms tell of them is followed, and a bound is said to be
/// one where that is too much, as with minimization of many levels. With equal arms there are none, and none in blocks.
#[test]
fn with_hidden_duplicates_what_the_arms_tell_is_followed() {
    let folder = Folder::new();
    let rows: Vec<String> = (0..120)
        .map(|row| format!("{},{}\n", row % 5, row * row % 11))
        .collect();
    let rows = rows.concat();
    folder.file("units.csv", format!("site,age\n{rows}"));
    let minimized =
        "minimization --factors site,age --arrivals units.csv --ratio 2:1 --ratio-preserving";
    for (method, hides, at_most) in [
        ("big-stick --ratio 2:1 --n 30", true, false),
        ("big-stick --ratio 9:1 --n 30", true, false),
        ("urn --ratio 2:1 --n 30", true, false),
        (minimized, true, true),
        ("big-stick --ratio 1:1 --n 30", false, false),
        (
            "permuted-block --block-len 3 --ratio 2:1 --n 30",
            false,
            false,
        ),
    ] {
        let call = format!("--method {method} --replicates 40");
        let found = describe(&folder, &call);
        assert_eq!(found["hides_duplicates"], hides, "{call}");
        assert_eq!(found["at_most"], at_most, "{call}");
        let [best, certain] = ["best_guess_share", "forced_share"].map(|key| {
            assert!(found[key]["mcse"].is_number(), "{call} {key}");
            found[key]["value"].as_f64().unwrap()
        });
        assert!(best <= 1.0 && certain < best, "{call}");
        let ran = folder.run(&format!("draw --characteristics {call}"));
        // By default minimization rules no arm out, so that none is certain: that is a figure, and no bound.
        let bounds = ran.out.matches(", at most (duplicates known)").count();
        assert_eq!(bounds, usize::from(at_most), "{}", ran.out);
        if at_most {
            assert_eq!(found["forced_share"]["exact"], 0.0, "{call}");
            let sure = format!("{call} --probability 1");
            assert!(describe(&folder, &sure)["forced_share"]["exact"].is_null());
        }
        let ran = folder.run(&format!("draw --characteristics --lang sv {call}"));
        let bounds = ran.out.matches(", högst (dubbletter kända)").count();
        assert_eq!(bounds, usize::from(at_most), "{}", ran.out);
    }
}

/// One stratum is a list without strata, with a method that is told its length and with factors too. A method that needs a
/// length is refused as `draw` refuses it.
#[test]
fn one_stratum_is_a_list_without_strata() {
    let folder = Folder::new();
    let rows = "1,0\n1,1\n1,2\n".repeat(8);
    folder.file("s.csv", format!("site,age\n{rows}"));
    for (method, more) in [
        ("permuted-block --block-lens 2,4", "--n 24"),
        ("big-stick", "--n 24"),
        ("random-allocation --list-len 24", "--n 24"),
        ("minimization --factors age", "--arrivals s.csv"),
    ] {
        let call = format!("--method {method} --replicates 200 --seed {SEED}");
        let file = if more == "--n 24" {
            "strata"
        } else {
            "arrivals"
        };
        let one = describe(&folder, &format!("{call} --{file} s.csv --by site"));
        let plain = describe(&folder, &format!("{call} {more}"));
        for key in KEYS {
            assert_eq!(one[key], plain[key], "{method} {key}");
            assert_eq!(one["strata"][0][key], plain[key], "{method} {key}");
        }
        assert_eq!(plain["strata"], Value::Null);
    }
    for what in ["", "--characteristics"] {
        let words =
            format!("draw --method random-allocation --strata s.csv --by site --seed {SEED}");
        let ran = folder.run(&format!("{words} {what}"));
        assert_eq!((ran.exit, ran.out.as_str()), (2, ""), "{}", ran.err);
        assert!(ran.err.contains("--list-len"), "{}", ran.err);
    }
}

/// Without a seed the simulated figures are those of the number 1, which the answer says; one that was given is not repeated, for
/// it may be that of a list which nobody should see yet. A list has no default.
#[test]
fn no_seed_is_needed_for_figures_and_one_is_for_a_list() {
    let folder = Folder::new();
    let one = format!("{}1", "0".repeat(63));
    let call = "--method big-stick --n 30 --replicates 100";
    let found = describe(&folder, call);
    assert_eq!(found["seed"], one.as_str());
    let given = describe(&folder, &format!("{call} --seed {one}"));
    assert_eq!(given["seed"], Value::Null);
    let other = describe(&folder, &format!("{call} --seed {SEED}"));
    for key in KEYS {
        assert_eq!(found[key], given[key], "{key}");
        assert_eq!(found[key]["exact"], other[key]["exact"], "{key}");
    }
    assert!(
        KEYS.iter()
            .any(|key| found[*key]["value"] != other[*key]["value"])
    );
    let table = folder.run(&format!("draw --characteristics {call}"));
    assert!(table.out.contains("63 zeros and a 1"), "{}", table.out);
    let list = folder.run("draw --method big-stick --n 30");
    assert_eq!((list.exit, list.out.as_str()), (2, ""), "{}", list.err);
    assert!(list.err.contains("--seed"), "{}", list.err);
}

/// What is certain or a plain fraction prints as its nearest double, however it is summed. By enumeration in own Python with fractions: six
/// draws of the urn end level with 11/20; the other values as in `src/allocation/exact.rs`.
#[test]
fn exact_figures_are_the_nearest_doubles() {
    let folder = Folder::new();
    for (call, key, printed) in [
        ("urn --n 6", "p_balanced", "0.55"),
        ("urn --n 48", "imbalance_variance", "16.0"),
        ("simple --n 60", "best_guess_share", "0.5"),
        (
            "permuted-block --ratio 1:1:1 --block-len 6 --n 30",
            "forced_share",
            "0.2",
        ),
        ("maximal --n 6", "max_imbalance", "1.7"),
    ] {
        let ran = folder.run(&format!(
            "draw --characteristics --json --replicates 2 --method {call}"
        ));
        assert_eq!(ran.exit, 0, "{}", ran.err);
        let found = ran.json();
        assert_eq!(found[key]["exact"].to_string(), printed, "{call} {key}");
    }
}
