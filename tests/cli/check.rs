//! `lottning check`: what the method promises at the families that are expected.

use crate::place::{Place, two_arms};
use crate::process::Folder;
use std::path::Path;
use std::process::Command;

/// A protocol of the tests with words exchanged, checked in JSON.
fn check(exchanged: &[(&str, &str)]) -> (serde_json::Value, String) {
    let file =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/snapshots/protocol/thin-strata.toml");
    let mut text = std::fs::read_to_string(file).unwrap();
    for (from, to) in exchanged {
        assert!(text.contains(from), "{from}");
        text = text.replace(from, to);
    }
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("protocol.toml"), text).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_lottning"))
        .args(["check", "protocol.toml", "--json"])
        .current_dir(folder.path())
        .env_remove("LOTTNING_LANG")
        .output()
        .unwrap();
    let err = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(0), "{err}");
    (serde_json::from_slice(&output.stdout).unwrap(), err)
}

const STRATA: (&str, &str) = (
    "strata = [\"site\", \"earlier_reports\"]",
    "strata = [\"site\"]",
);
const BIG_STICK: &str = "method = \"big-stick\"\nmax_imbalance = 4";

#[track_caller]
fn near(found: &serde_json::Value, expected: f64, tolerance: f64) {
    let number = found.as_f64().unwrap();
    assert!(
        (number - expected).abs() <= tolerance,
        "{number} is not {expected}"
    );
}

fn codes(found: &serde_json::Value) -> Vec<String> {
    let warnings = found["warnings"].as_array().unwrap();
    let code = |warning: &serde_json::Value| warning["code"].as_str().unwrap().to_owned();
    warnings.iter().map(code).collect()
}

/// 304 families in two strata of 152, blocks of four (Blackwell & Hodges 1957): 17 of 24 right, a third certain; level
/// after 38 whole blocks. |D| within a block peaks at 2 in aabb and bbaa (2 of 6) and at 1 in the others: over 38 blocks
/// the largest is 2 unless no block of 38 peaks: 2 − (2/3)^38.
#[test]
fn blocks_of_four_can_be_guessed() {
    let (found, err) = check(&[
        STRATA,
        (BIG_STICK, "method = \"permuted-block\"\nblock_len = 4"),
    ]);
    let own = &found["predictability"];
    assert_eq!(own["families_per_stratum"], 152);
    near(&own["right_of_ten"], 170.0 / 24.0, 1e-9);
    near(&own["by_chance_of_ten"], 5.0, 1e-12);
    near(&own["forced_share"], 1.0 / 3.0, 1e-9);
    near(&own["imbalance_sd"], 0.0, 1e-9);
    near(&own["p_balanced"], 1.0, 1e-9);
    near(&own["max_imbalance"], 2.0 - (2.0f64 / 3.0).powi(38), 1e-9);
    // Hallstrom & Davis (1988): two strata, each with variance 5/6.
    near(
        &found["balance_over_strata"]["imbalance_sd"],
        (5.0f64 / 3.0).sqrt(),
        1e-6,
    );
    near(
        &found["balance_over_strata"]["coin_sd"],
        304f64.sqrt(),
        1e-9,
    );
    near(&found["balance_over_strata"]["largest"], 4.0, 1e-12);
    assert!(codes(&found).contains(&"guessable".to_owned()));
    assert!(
        err.contains(
            "7.1 of the next ten families right, 5.0 by chance, and know 3.3 of them for certain"
        ),
        "{err}"
    );
}

/// Big stick with a bound of four: ½ + 1/16 of the guesses in the long run (Soares & Wu 1983), too little to warn of.
#[test]
fn a_wide_big_stick_is_not_worth_a_warning() {
    let (found, _) = check(&[STRATA]);
    near(
        &found["predictability"]["correct_guess_share"],
        0.5625,
        0.004,
    );
    near(&found["predictability"]["max_imbalance"], 4.0, 0.01);
    assert_eq!(found["balance_over_strata"]["largest"], 8.0);
    assert!(!codes(&found).contains(&"guessable".to_owned()));
    assert!(!codes(&found).contains(&"thin-strata".to_owned()));
}

const GATE: &str = "[allocation]";

/// A gate with few places: 4 therapists with one family each from 2026-02-02 to 2027-12-31 (698 days both included) and
/// 52 weeks a family at a share of 1: 4 · 698/7/52 = 7.67 families in the gate's arm, 15.3 of both. The target of 304 fills
/// ten strata; 15 families do not, and `check` counts with those.
#[test]
fn strata_are_judged_by_the_families_that_capacity_allows() {
    let cuts = "cuts = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19]";
    let gate = "[gate]\narm = \"new\"\nwhen_full = \"do-not-randomize\"\nturned_away = \"may-return\"\nreleased_by = [\"closed\"]\n\n[capacity]\nweeks_per_family = 52\nutilization = 1.0\n\n[allocation]";
    let arm = "label = { sv = \"Ny insats\", en = \"New service\" }";
    let exchanged = [
        (cuts, "cuts = [1, 2, 3, 4]"),
        (
            arm,
            "label = { sv = \"Ny insats\", en = \"New service\" }\nfamilies_per_therapist = 1",
        ),
        (GATE, gate),
    ];
    let (found, err) = check(&exchanged);
    assert_eq!(found["method"]["number_of_strata"], 10);
    assert_eq!(found["expected"]["by"], "capacity");
    near(
        &found["expected"]["families"],
        2.0 * 4.0 * 698.0 / 7.0 / 52.0,
        1e-9,
    );
    assert_eq!(found["predictability"]["families_per_stratum"], 2);
    assert!(codes(&found).contains(&"thin-strata".to_owned()));
    assert!(
        err.contains("15 families are expected, 1.5 in each of 10 strata"),
        "{err}"
    );
    // Hardly better than a coin (3.917): the Poisson mixture of the variances of a big stick of four, in rational arithmetic
    // (Python), is 3.8887055².
    near(
        &found["balance_over_strata"]["imbalance_sd"],
        3.888_705_5,
        1e-7,
    );
    near(
        &found["balance_over_strata"]["coin_sd"],
        (2.0f64 * 4.0 * 698.0 / 7.0 / 52.0).sqrt(),
        1e-9,
    );
    // Without strata a big stick of four has variance 5 or 6 at most (stationary by hand: 0, ±2, ±4 with weights 1, 1, ½).
    let without = found["balance_over_strata"]["without_strata_sd"].as_f64();
    assert!(without.unwrap() < 6f64.sqrt());
    // Three ratios at this capacity, each with its method and how well it is guessed.
    let ratios = found["ratios"].as_array().unwrap();
    let ratio = |row: &serde_json::Value| row["ratio"].as_str().unwrap().to_owned();
    assert_eq!(
        ratios.iter().map(ratio).collect::<Vec<_>>(),
        ["1:1", "1:2", "1:3"]
    );
    for row in ratios {
        // Big stick keeps 1:3 by four duplicates.
        assert_eq!(row["method"], "big-stick");
        assert_eq!(row["options"]["max_imbalance"], "4");
        assert_eq!(row["own_method"], true);
        assert!(row["guessing"]["correct_guess_share"].is_number());
    }
}

/// The shipped plan stops at 712 families: 1:1 fills its slots with 663 before that, 1:2 and 1:3 would go on to 994 and 1,326. What they are
/// worth with 712, 237 + 474 and 178 + 534, is told beside it (pooled formula in Python's `statistics`); and with slots for thousands no power
/// is that of more families than enrolment takes.
#[test]
fn ratios_are_told_at_the_number_that_enrolment_stops_at() {
    let shipped = include_str!("../../protocols/iuh-2025/protocol.toml");
    let folder = Folder::new();
    folder.file("protocol.toml", shipped);
    let found = folder.run("check protocol.toml --json").json();
    let wanted = [None, Some(0.747_364_7), Some(0.671_083_8)];
    for (row, wanted) in found["ratios"].as_array().unwrap().iter().zip(wanted) {
        let families = row["families_at_stop"].as_u64();
        assert_eq!(families, wanted.map(|_| 712), "{row}");
        let power = row["power_at_stop"].as_f64();
        assert_eq!(power.is_some(), wanted.is_some());
        if let Some(wanted) = wanted {
            // The other tail of the test adds 3e-6 at most.
            near(&row["power_at_stop"], wanted, 4e-6);
        }
    }
    let text = folder.run("check protocol.toml").out;
    assert!(text.contains("stops at 712 families"), "{text}");
    assert!(text.contains("74.7 % at 1:2, 67.1 % at 1:3"), "{text}");
    assert!(text.contains("in `iuh` until stop"), "{text}");
    folder.file(
        "large.toml",
        shipped.replace("therapists = 2", "therapists = 20"),
    );
    let found = folder.run("check large.toml --json").json();
    assert_eq!(found["power"]["at_capacity"][0]["families"], 712);
}

/// The number that power is told of is called by what bounds it: with slots for 6,630 families and a stop at 400 the stop, with slots for
/// 663 and the same plan's stop at 712 capacity.
#[test]
fn a_stop_that_comes_before_capacity_is_called_by_its_name() {
    let shipped = include_str!("../../protocols/iuh-2025/protocol.toml");
    let stop = "stop    = { families = 712";
    assert!(shipped.contains(stop));
    let folder = Folder::new();
    folder.file("slots.toml", shipped);
    let large = shipped.replace("therapists = 2", "therapists = 20");
    let large = large.replace(stop, "stop    = { families = 400");
    folder.file("stop.toml", large);
    for (file, lang, here, elsewhere) in [
        (
            "slots",
            "en",
            "at the number that capacity allows, 663 families",
            "stops (`stop`)",
        ),
        (
            "slots",
            "sv",
            "vid det antal som kapaciteten räcker till, 663 familjer",
            "slutar (`stop`)",
        ),
        (
            "stop",
            "en",
            "at the number at which enrolment stops (`stop`), 400 families",
            "at the number that capacity",
        ),
        (
            "stop",
            "sv",
            "vid det antal där intaget slutar (`stop`), 400 familjer",
            "antal som kapaciteten",
        ),
    ] {
        let ran = folder.run(&format!("check {file}.toml --lang {lang}"));
        assert_eq!(ran.exit, 0, "{}", ran.err);
        assert!(ran.err.contains(here), "{}", ran.err);
        assert!(!ran.err.contains(elsewhere), "{}", ran.err);
        let row = |at: &str| ran.out.lines().any(|line| line.starts_with(at));
        let (capacity, limit) = match lang {
            "en" => ("capacity ", "stop "),
            _ => ("kapaciteten ", "stoppet "),
        };
        assert_eq!(row(capacity), file == "slots", "{}", ran.out);
        assert_eq!(row(limit), file == "stop", "{}", ran.out);
    }
}

/// A stop of two, three or four families, before which 1:1 gives each arm 1, 1 and 2, and 1:3 nobody, nobody and 1 in the gate's arm: `check`
/// ends as with any other, and tells no power of more families than it takes, nor of an arm without a family.
#[test]
fn a_very_small_stop_has_no_impossible_number() {
    let shipped = include_str!("../../protocols/iuh-2025/protocol.toml");
    let lines = shipped.lines();
    let lines = lines.filter(|line| !line.starts_with("max_imbalance"));
    let simple = lines.map(|line: &str| {
        let own = line.starts_with("method = \"big-stick\"");
        if own { "method = \"simple\"" } else { line }
    });
    let simple = simple.collect::<Vec<_>>().join("\n");
    let three = simple.replacen("ratio = 1\ncontrol", "ratio = 3\ncontrol", 1);
    assert!(three.contains("method = \"simple\"") && three != simple);
    let folder = Folder::new();
    for (text, stop, wanted) in [
        (shipped, 2_u64, Some((1, 1))),
        (shipped, 3, Some((1, 1))),
        (&three, 2, None),
        (&three, 3, None),
        (&three, 4, Some((1, 3))),
    ] {
        let before = "stop    = { families = 712";
        assert!(text.contains(before));
        let own = format!("stop    = {{ families = {stop}");
        folder.file("small.toml", text.replace(before, &own));
        let ran = folder.run("check small.toml --json");
        assert_eq!(ran.exit, 0, "{}", ran.err);
        assert!(!ran.err.contains("at the number that"), "{}", ran.err);
        let found = ran.json();
        let rows = found["power"]["at_capacity"].as_array().unwrap();
        let size = |row: &serde_json::Value| {
            assert_eq!(row["families"], stop);
            let of = |arm: &str| row[arm].as_u64().unwrap();
            (of("n_treated"), of("n_control"))
        };
        let sizes: Vec<_> = rows.iter().map(size).collect();
        assert_eq!(sizes, Vec::from_iter(wanted), "{stop}");
        // 1:1 needs two families, 1:2 three and 1:3 four.
        let ratios = found["ratios"].as_array().unwrap();
        let at_stop = ratios.iter().map(|row| row["families_at_stop"].as_u64());
        let expected = (2..=4).map(|least| (stop >= least).then_some(stop));
        assert!(at_stop.eq(expected), "{ratios:?}");
        let powers = rows.iter().map(|row| &row["power"]);
        let powers = powers.chain(ratios.iter().map(|row| &row["power_at_stop"]));
        for power in powers.filter_map(serde_json::Value::as_f64) {
            assert!(power > 0.0 && power < 0.1, "{power}");
        }
    }
}

/// Independent lots lose nothing by strata, and neither does a big stick that is hardly ever reached: no warning, although
/// forty strata have fewer than eight families each. Blocks of three at 1:2 lose what they keep.
#[test]
fn only_strata_that_cost_balance_are_warned_of() {
    let thin = "thin-strata".to_owned();
    let simple = "method = \"simple\"";
    let loose = "method = \"big-stick\"\nmax_imbalance = 30";
    for method in [simple, loose] {
        let (found, _) = check(&[(BIG_STICK, method)]);
        let own = &found["balance_over_strata"];
        assert!(own["imbalance_sd"].is_number());
        // With a bound of 30 one list of 304 is bounded now and then: what strata cost is far below half of the variance.
        let (with, without) = (&own["imbalance_sd"], &own["without_strata_sd"]);
        let left = without.as_f64().unwrap() / with.as_f64().unwrap();
        assert!(left * left > 0.5 && left < 1.01, "{own}");
        assert!(!codes(&found).contains(&thin), "{method}");
    }
}

/// `best_share` is what the sentence says, and no share is above it.
#[test]
fn the_sentence_uses_the_best_guess() {
    let (found, err) = check(&[
        (BIG_STICK, "method = \"minimization\"\nfactors = [\"site\"]"),
        ("strata = [\"site\", \"earlier_reports\"]", "strata = []"),
    ]);
    let own = &found["predictability"];
    let best = own["best_share"].as_f64().unwrap();
    for share in [
        "correct_guess_share",
        "best_guess_share",
        "share_by_levels",
        "forced_share",
    ] {
        assert!(own[share].as_f64().unwrap() <= best, "{share}: {own}");
    }
    near(&own["right_of_ten"], 10.0 * best, 1e-9);
    assert_eq!(own["simulated"]["lists"], 400);
    let error = own["simulated"]["share_by_levels"].as_f64().unwrap();
    assert!(error > 0.0 && error < 0.005, "{error}");
    assert!(
        err.contains("know the method and every family's levels"),
        "{err}"
    );
}

/// Three arms of 237 under Holm's rule: the smallest of two p is judged by .025, and `power.prop.test(237, p1 = .4, p2 = .3,
/// sig.level = .025)` of R 4.2.2 gives .5163924564, with .05 .6270685854.
#[test]
fn the_power_at_the_share_of_alpha_is_shown() {
    let third = "[[arm]]\nid = \"third\"\n\n[unit]";
    let text = include_str!("odd.toml")
        .replacen("[unit]", third, 1)
        .replacen("block_lens = [4, 8]", "block_lens = [3, 6]", 1)
        .replacen(
            "control = 0.30, effect = 0.10",
            "control = 0.40, effect = -0.10",
            1,
        )
        .replacen("target = 300", "target = 711", 1)
        .replacen("families = 300", "families = 711", 1);
    let place = Place::with(&text);
    let found = place.run("check p.toml --json").json(0);
    let rows = found["power"]["at_target"].as_array().unwrap();
    assert_eq!(rows.len(), 2);
    for row in rows {
        near(&row["power"], 0.627_068_585_4, 1e-9);
        near(&row["power_at_share"], 0.516_392_456_4, 1e-9);
    }
    let printed = place.run("check p.toml");
    assert_eq!(printed.out.matches("51.6 %").count(), 2, "{}", printed.out);
    assert!(printed.out.contains("alpha 0.025 (Holm, first)"));
    let printed = place.run("check p.toml --lang sv");
    assert_eq!(printed.out.matches("51,6 %").count(), 2, "{}", printed.out);
}

/// By hand: 10,000 redraws give no p below 2/10,001 = .00019998, above the .000164 that O'Brien and Fleming's first look
/// of four spends; 2/(1 + R) is at most that from R = 12,195.
#[test]
fn a_test_that_cannot_reject_is_told_before_the_study() {
    let text = |draws: u32| {
        let look =
            "[[lock]]\nid = \"half\"\ncut = 2026-03-01\nkind = \"interim\"\nalpha = 0.000164\n\n";
        let mut text = two_arms().replacen("draws = 10000", &format!("draws = {draws}"), 1);
        let lock = text.find("[[lock]]").unwrap();
        text.insert_str(lock, look);
        text.replacen(
            "id = \"primary\"\n",
            "id = \"primary\"\nlooks = [\"half\"]\n",
            1,
        )
    };
    let warned = |draws: u32| {
        let place = Place::with(&text(draws));
        let found = place.run("check p.toml --json").json(0);
        let warnings = found["warnings"].as_array().unwrap().clone();
        warnings
            .into_iter()
            .find(|own| own["code"] == "test-cannot-reject")
    };
    let told = warned(10_000).unwrap();
    let message = told["message"].as_str().unwrap();
    assert!(
        message.contains("0.000200") && message.contains("0.000164"),
        "{message}"
    );
    assert!(told["help"].as_str().unwrap().contains("12195"), "{told}");
    assert!(warned(12_194).is_some() && warned(12_195).is_none());
}
