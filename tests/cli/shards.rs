//! A simulation in parts: threads, shards, kills and merges give the same bytes, and what is wrong with a folder is named.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use lottning::planning::pieces::{decode, encode};

use crate::place::{IUH, Place};

const SCENARIO: &str = include_str!("../../simulations/iuh-2025.toml");

/// A short study without redraws in the three cells of the shipped scenario.
const ORDER: &str = "simulate s.toml --set months=4 --draws 0 --replicates 620";

fn place() -> Place {
    let place = Place::with(IUH);
    let scenario = SCENARIO.replace("../protocols/iuh-2025/protocol.toml", "p.toml");
    place.write("s.toml", scenario);
    place
}

/// The answer in all formats, when the run succeeds.
fn answers(place: &Place, words: &str) -> [String; 3] {
    ["json", "csv", "table"].map(|format| {
        let ran = place.run(&format!("{words} --format {format}"));
        assert_eq!(ran.code, 0, "{}", ran.err);
        ran.out
    })
}

/// Names of the pieces in a folder.
fn pieces(place: &Place, folder: &str) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(place.path(folder).join("records")) else {
        return Vec::new();
    };
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(".records"))
        .collect();
    names.sort();
    names
}

fn piece(place: &Place, folder: &str, name: &str) -> PathBuf {
    place.path(folder).join("records").join(name)
}

/// Studies that the names of the pieces promise.
fn studies(names: &[String]) -> u64 {
    let length = |name: &String| {
        let (_, range) = name
            .strip_suffix(".records")
            .unwrap()
            .split_once("-from-")
            .unwrap();
        let (from, to) = range.split_once("-to-").unwrap();
        to.parse::<u64>().unwrap() - from.parse::<u64>().unwrap()
    };
    names.iter().map(length).sum()
}

#[test]
fn threads_shards_and_a_folder_do_not_move_a_byte() {
    let place = place();
    let one = answers(&place, &format!("{ORDER} --threads 1"));
    assert_eq!(one, answers(&place, &format!("{ORDER} --threads 2")));
    assert_eq!(one, answers(&place, &format!("{ORDER} --threads 7")));
    assert_eq!(one, answers(&place, &format!("{ORDER} --out alone")));
    // Everything was there: nothing new is written, and nothing moves.
    let before = pieces(&place, "alone");
    assert_eq!(studies(&before), 3 * 620);
    assert_eq!(one, answers(&place, &format!("{ORDER} --out alone")));
    assert_eq!(before, pieces(&place, "alone"));
    assert_eq!(one, answers(&place, "simulate --merge alone"));
    // Shards in any order; the second takes the plan from the folder.
    let ran = place.run(&format!("{ORDER} --shard 3/3 --out d --threads 1 --json"));
    assert_eq!(ran.json(0)["ran"], 3 * 207);
    let ran = place
        .run("simulate --shard 2/3 --out d --threads 2 --json")
        .json(0);
    assert_eq!(
        (&ran["shard"], &ran["ran"]),
        (&"2/3".into(), &(3 * 207).into())
    );
    let ran = place
        .run(&format!("{ORDER} --shard 1/3 --out d --json"))
        .json(0);
    assert_eq!((&ran["ran"], &ran["found"]), (&(3 * 206).into(), &0.into()));
    let again = place
        .run(&format!("{ORDER} --shard 1/3 --out d --json"))
        .json(0);
    assert_eq!(
        (&again["ran"], &again["found"]),
        (&0.into(), &(3 * 206).into())
    );
    assert_eq!(one, answers(&place, "simulate --merge d"));
    let written = std::fs::read_to_string(place.path("d/performance.json")).unwrap();
    assert_eq!(written, one[0]);
}

/// Each process is killed as soon as it has written a piece, until one of them ends by itself.
#[test]
fn killed_again_and_again_a_shard_loses_and_doubles_nothing() {
    let place = place();
    let order = "simulate s.toml --set months=2 --draws 0 --replicates 1200";
    let one = answers(&place, order);
    let mut kills = 0;
    for number in 1..=2 {
        let shard = format!("{order} --shard {number}/2 --threads 1 --out d");
        loop {
            let before = pieces(&place, "d").len();
            let mut child = place
                .command(&shard)
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .unwrap();
            let ended = loop {
                if let Some(status) = child.try_wait().unwrap() {
                    break status.success();
                }
                if pieces(&place, "d").len() > before {
                    child.kill().unwrap();
                    break child.wait().unwrap().success();
                }
                std::thread::sleep(Duration::from_millis(1));
            };
            if ended {
                break;
            }
            kills += 1;
            assert!(kills < 200, "it does not go forward");
        }
    }
    assert!(kills >= 6, "{kills} kills only");
    let names = pieces(&place, "d");
    assert_eq!(studies(&names), 3 * 1200, "{names:?}");
    assert_eq!(one, answers(&place, "simulate --merge d"));
}

#[test]
fn more_studies_extend_a_folder() {
    let place = place();
    let order = "simulate s.toml --set months=2 --draws 0 --out d";
    answers(&place, &format!("{order} --replicates 120"));
    let more = answers(&place, &format!("{order} --replicates 320"));
    assert!(pieces(&place, "d").contains(&"0-from-120-to-320.records".to_owned()));
    let fresh = "simulate s.toml --set months=2 --draws 0 --replicates 320";
    assert_eq!(more, answers(&place, fresh));
    assert_eq!(more, answers(&place, "simulate --merge d"));
    // Fewer are the first of them, and the folder keeps its order.
    let fresh = "simulate s.toml --set months=2 --draws 0 --replicates 120";
    assert_eq!(
        answers(&place, &format!("{fresh} --out d")),
        answers(&place, fresh)
    );
    assert_eq!(more, answers(&place, "simulate --merge d"));
    // Shards must agree about the number: their shares depend on it.
    place
        .run(&format!("{order} --replicates 321 --shard 1/2"))
        .refused(7, "another-plan");
}

/// The rule stops a merged cell at the same round as one run, and studies beyond it are not needed.
#[test]
fn a_merge_stops_where_one_run_stops() {
    let place = place();
    let order = "simulate s.toml --set months=2 --set precision.replicates=2100 \
                 --set precision.stop_at_mcse=0.02 --set analyses=[\"primary\"] --draws 0";
    let order = order.split_whitespace().collect::<Vec<_>>().join(" ");
    let one = answers(&place, &order);
    assert!(one[0].contains("\"stopped_early\": true"), "{}", one[0]);
    assert!(one[0].contains("\"replicates\": 1000,"));
    answers(&place, &format!("{order} --out d"));
    assert_eq!(studies(&pieces(&place, "d")), 3000);
    assert_eq!(one, answers(&place, "simulate --merge d"));
    for number in 1..=3 {
        place
            .run(&format!("{order} --shard {number}/3 --out e --json"))
            .json(0);
    }
    assert_eq!(studies(&pieces(&place, "e")), 3 * 2100);
    assert_eq!(one, answers(&place, "simulate --merge e"));
}

#[test]
fn what_is_missing_damaged_or_foreign_is_named() {
    let place = place();
    let order = "simulate s.toml --set months=2 --draws 0 --replicates 90";
    let shard = |number: usize, folder: &str| {
        let words = format!("{order} --shard {number}/3 --out {folder} --json");
        place.run(&words).json(0)
    };
    place.run("simulate --merge nowhere").refused(2, "no-plan");
    shard(1, "d");
    shard(3, "d");
    let ran = place.run("simulate --merge d");
    ran.refused(7, "shards-incomplete");
    assert!(
        ran.err.contains("lacks 30 of 90 studies: replicates 30–59"),
        "{}",
        ran.err
    );
    assert!(
        ran.err.contains("truth.rereport_ratio=1.1"),
        "all cells are named: {}",
        ran.err
    );
    let command = ran
        .err
        .lines()
        .find_map(|line| line.trim().strip_prefix("lottning "))
        .unwrap();
    assert!(command.ends_with("--shard 2/3 --out d"), "{command}");
    // The command that is printed mends it.
    assert_eq!(place.run(command).code, 0);
    let whole = answers(&place, "simulate --merge d");
    assert_eq!(whole, answers(&place, order));

    // A bit that flipped: the merge names the file and the studies, a run of the shard makes it anew.
    let name = "1-from-30-to-60.records";
    let sound = std::fs::read(piece(&place, "d", name)).unwrap();
    let mut bytes = sound.clone();
    bytes[200] ^= 4;
    std::fs::write(piece(&place, "d", name), &bytes).unwrap();
    std::fs::write(piece(&place, "d", "2-from-0-to-30.records"), &sound[..40]).unwrap();
    let ran = place.run("simulate --merge d");
    ran.refused(4, "shards-incomplete");
    for part in [
        "[records-damaged]",
        "1-from-30-to-60.records is damaged: its checksum does not hold",
        "2-from-0-to-30.records is damaged: it does not begin as records do",
        "`truth.rereport_ratio=0.85` lacks 30 of 90 studies: replicates 30–59",
        "`truth.rereport_ratio=1.1` lacks 30 of 90 studies: replicates 0–29",
        "remove it (rm d/records/1-from-30-to-60.records) and run its shard again",
        "remove it (rm d/records/2-from-0-to-30.records) and run its shard again",
        "--shard 1/3 --out d",
        "--shard 2/3 --out d",
    ] {
        assert!(ran.err.contains(part), "{part}: {}", ran.err);
    }
    let ran = place.run(&format!("{order} --shard 2/3 --out d"));
    assert!(
        ran.err.contains("[records-damaged]") && ran.code == 0,
        "{}",
        ran.err
    );
    shard(1, "d");
    assert_eq!(std::fs::read(piece(&place, "d", name)).unwrap(), sound);
    assert_eq!(whole, answers(&place, "simulate --merge d"));

    // What never was a piece holds no study: nothing is to be run again.
    std::fs::write(piece(&place, "d", "notes.records"), &sound[..40]).unwrap();
    let ran = place.run("simulate --merge d");
    ran.refused(4, "records-damaged");
    assert!(
        ran.err.contains("remove it: rm d/records/notes.records")
            && !ran.err.contains("run what is missing"),
        "{}",
        ran.err
    );
    std::fs::remove_file(piece(&place, "d", "notes.records")).unwrap();

    // A piece of another plan is refused by all.
    let other = order.replace("90", "90 --seed 2");
    place
        .run(&format!("{other} --shard 1/3 --out other --json"))
        .json(0);
    let foreign = "0-from-0-to-30.records";
    std::fs::copy(
        piece(&place, "other", foreign),
        piece(&place, "d", "x.records"),
    )
    .unwrap();
    let ran = place.run("simulate --merge d");
    ran.refused(4, "records-foreign");
    assert!(
        ran.err.contains("x.records belongs to another plan"),
        "{}",
        ran.err
    );
    place
        .run(&format!("{order} --shard 1/3 --out d"))
        .refused(4, "records-foreign");
    std::fs::remove_file(piece(&place, "d", "x.records")).unwrap();
    place
        .run(&format!("{other} --shard 1/3 --out d"))
        .refused(7, "another-plan");

    // The same studies twice are counted once; where two pieces differ neither is believed.
    let copy = piece(&place, "d", "again.records");
    std::fs::copy(piece(&place, "d", name), &copy).unwrap();
    assert_eq!(whole, answers(&place, "simulate --merge d"));
    let known = |_: &str| Some("no-rows");
    let (mut head, mut records) = decode(&sound, &known).unwrap();
    records[3].families += 1;
    head.shard = None;
    std::fs::write(&copy, encode(&head, &records)).unwrap();
    let ran = place.run("simulate --merge d");
    ran.refused(4, "records-disagree");
    assert!(
        ran.err.contains(name) && ran.err.contains("again.records"),
        "{}",
        ran.err
    );
    std::fs::remove_file(&copy).unwrap();
    let plan = std::fs::read_to_string(place.path("d/plan.json")).unwrap();
    place.write("d/plan.json", plan.replace("\"seed\": 1", "\"seed\": 3"));
    place.run("simulate --merge d").refused(4, "plan-damaged");
}

#[test]
fn wrong_words_are_refused() {
    let place = place();
    for (words, code) in [
        ("--shard 0/3 --out d", "invalid-value"),
        ("--shard 4/3 --out d", "invalid-value"),
        ("--shard x --out d", "invalid-value"),
        ("--shard 1/3", "missing-option"),
        ("--slurm 0", "invalid-value"),
        ("--slurm 3 --shard 1/3 --out d", "conflicting-options"),
        ("--merge d", "conflicting-options"),
        ("--what-if therapists", "invalid-value"),
    ] {
        place.run(&format!("{ORDER} {words}")).refused(2, code);
    }
    place.run("simulate").refused(2, "missing-option");
    place
        .run("simulate --shard 1/2 --out d")
        .refused(2, "missing-option");
    place
        .run("simulate --seed 4 --out d")
        .refused(2, "conflicting-options");
}

/// The script of a job array is sound shell and holds the whole order.
#[test]
fn the_script_for_slurm_holds_the_order() {
    let place = place();
    let words = format!("{ORDER} --slurm 5 --seed 9");
    let ran = place.run(&words);
    assert_eq!(ran.code, 0, "{}", ran.err);
    for part in [
        "--array=1-5",
        "--dependency=\"afterany:${array%%;*}\"",
        "simulate s.toml --set months=4 --seed 9 --draws 0 --replicates 620 --shard \"$SLURM_ARRAY_TASK_ID/5\"",
        "--threads \"${SLURM_CPUS_PER_TASK:-1}\"",
        "simulate --merge simulation",
    ] {
        assert!(ran.out.contains(part), "{part}: {}", ran.out);
    }
    let json = place.run(&format!("{words} --json")).json(0);
    assert_eq!(json["script"].as_str().unwrap(), ran.out);
    place.write("job.sh", &ran.out);
    let checked = std::process::Command::new("bash")
        .args(["-n", "job.sh"])
        .current_dir(place.path(""))
        .status()
        .unwrap();
    assert!(checked.success());
}

/// Studies that end at a look have records of their own, and the same bytes in parts.
#[test]
fn looks_do_not_move_a_byte() {
    let primary = "id = \"primary\"\nlock = \"final\"\n";
    let protocol = IUH
        .replace("cut = 2025-11-30", "cut = 2026-03-31")
        .replace("alpha = 0.0\n", "alpha = 0.02\n")
        .replace(
            primary,
            &format!("{primary}looks = [\"evaluation-2025\"]\n"),
        );
    let place = Place::with(&protocol);
    let scenario = SCENARIO.replace("../protocols/iuh-2025/protocol.toml", "p.toml");
    place.write("s.toml", scenario);
    let order =
        "simulate s.toml --set months=16 --set truth.rereport_ratio=0.3 --draws 0 --replicates 130";
    let one = answers(&place, &format!("{order} --threads 1"));
    let told: serde_json::Value = serde_json::from_str(&one[0]).unwrap();
    let looks = &told["cells"][0]["looks"];
    assert_eq!(looks["looks"][0]["lock"], "evaluation-2025");
    let stopped = looks["looks"][0]["stopped"]["value"].as_f64().unwrap();
    assert!(0.0 < stopped && stopped < 1.0, "{looks}");
    assert!(told["cells"][1].get("looks").is_none());
    for number in [2, 1] {
        let ran = place.run(&format!("{order} --shard {number}/2 --out d --threads 2"));
        assert_eq!(ran.code, 0, "{}", ran.err);
    }
    assert_eq!(one, answers(&place, "simulate --merge d"));
    let page = std::fs::read_to_string(place.path("d/report.en.html")).unwrap();
    assert!(page.contains("Looks at the primary analysis"));
    // The table for spreadsheets has the looks too, behind what it had before.
    let csv = place.run("simulate --merge d --format csv").out;
    let mut lines = csv.lines().map(|line| line.split(',').collect::<Vec<_>>());
    let (head, row) = (lines.next().unwrap(), lines.next().unwrap());
    let at = |key: &str| head.iter().position(|own| *own == key).unwrap();
    let of = |key: &str| row[at(key)].parse::<f64>().unwrap();
    assert!((of("looks.evaluation-2025.stopped") - stopped).abs() < 1e-12);
    assert!((of("looks.final.rejected_by_then") - of("power")).abs() < 1e-6);
    assert!(of("looks.final.information") > 0.0 && of("looks.final.information_mcse") > 0.0);
    assert!(at("looks.evaluation-2025.held") > at("cost"));
}
