//! Defects that other allocators have, or had, seen through the command: one test a row, which names whose it was. Others
//! stand in `tests/published/peers.rs` and `tests/published/peers_minimization.rs`.
//!
//! `sleepepi/slice` takes the first unused place of a list without a lock, has no unique index on scheme and subject, and
//! frees the place again by `undo!`: see `races::racing_processes_draw_the_list_that_one_process_would_have_drawn` (two
//! processes, one place), `races::the_same_request_from_four_processes_is_carried_out_once` (one subject, one place) and
//! `by_hand/conduct.rs::a_drawn_number_is_never_returned`.

use std::process::Command;

use super::place::{IUH, Place, family, two_arms};
use super::process::Folder;

const SEED: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

/// `ttscience/unbiased`, `api_randomize` and `save_patient`: the caller hands in the state that is balanced, so a stale
/// caller draws from a stale state. Here a caller has nothing to hand in: commands that were all written beforehand still
/// fill blocks of two, one after another.
#[test]
fn unbiased_the_study_owns_its_state() {
    let text = IUH
        .replace(
            "method = \"big-stick\"",
            "method = \"permuted-block\"\nblock_len = 2",
        )
        .replace("max_imbalance = 4", "")
        .replace("therapists = 2", "therapists = 1000");
    let place = Place::open(&text);
    let families = [
        "KATL", "MORU", "TIRA", "SOLE", "BAKO", "DINU", "FERA", "GOMI",
    ];
    let words = families.map(|family| Place::enrol_words("skarpnack", family, "R1"));
    let arms: Vec<String> = words
        .iter()
        .map(|words| place.act(words).json(0)["arm"].as_str().unwrap().to_owned())
        .collect();
    for block in arms.chunks(2) {
        assert_ne!(block[0], block[1], "{arms:?}");
    }
    place
        .act(&format!(
            "{} --counts 3,1",
            Place::enrol_words("skarpnack", "HALU", "R1")
        ))
        .refused(2, "unknown-option");
}

/// `ttscience/unbiased` #67: under minimization an allocation was kept as not used until somebody said so. Here a draw counts
/// from the row that records it: without any event between them, three families of one site are 2:1 when the best arm is
/// certain, so each draw saw those before it; and `status` counts them.
#[test]
fn unbiased_67_a_draw_is_used_at_once() {
    let place = super::minimized_study::opened_with("probability = 1");
    let arms: Vec<String> = (0..6)
        .map(|number| {
            let family = super::place::family(number);
            let answer = place.act(&format!(
                "enrol --site north --family {family} --report-key R1 --received 2025-03-01 \
                 --answer consent=yes --field earlier_reports=0 --seed-file keys/seed"
            ));
            answer.json(0)["arm"].as_str().unwrap().to_owned()
        })
        .collect();
    for three in arms.chunks(3) {
        let treated = three.iter().filter(|arm| **arm == three[0]).count();
        let other = three.iter().filter(|arm| **arm == three[1]).count();
        assert!(treated.max(other) == 2, "{arms:?}");
    }
    let drawn = place
        .entries()
        .iter()
        .filter(|row| row.kind == "allocated")
        .count();
    assert_eq!(drawn, 6);
    assert_eq!(place.verify()["ok"], true);
}

/// `OpenClinica`, `RandomizeService`: a look-up that fails is treated like "not randomised". Here a family that was drawn is
/// enrolled again while its study cannot be read, in every way in which a file fails to be read: the command refuses,
/// names no arm and writes no row; and once the study is back the answer is the arm that was drawn. (A study that another
/// command holds is refused as well: `races::a_busy_study_refuses_and_never_draws`.)
#[test]
fn openclinica_a_failed_read_is_never_a_fresh_draw() {
    let place = Place::open(IUH);
    let words = |key: &str| Place::enrol_words("skarpnack", "KATL", key);
    let first = place.act(&words("R1")).json(0);
    let (ledger, kept) = (place.path("study/ledger.sqlite"), place.path("kept"));
    let log = place.path("study/ledger.sqlite-wal");
    assert!(!log.exists(), "the whole ledger is in one file");
    std::fs::rename(&ledger, &kept).unwrap();
    let whole = std::fs::read(&kept).unwrap();
    let page = 4096;
    assert!(whole.len() > page);
    let mut garbled = whole.clone();
    garbled[page..].fill(0xa5);
    let mut header = whole.clone();
    header[..16].fill(0);
    let failing: [(&str, Option<&[u8]>); 6] = [
        ("a folder", None),
        ("no database", Some(&header)),
        ("garbled pages", Some(&garbled)),
        ("the first page", Some(&whole[..page])),
        ("within a page", Some(&whole[..page + 100])),
        ("empty", Some(&[])),
    ];
    for (what, bytes) in failing {
        match bytes {
            None => std::fs::create_dir(&ledger).unwrap(),
            Some(bytes) => std::fs::write(&ledger, bytes).unwrap(),
        }
        for key in ["R1", "R2"] {
            let ran = place.act(&words(key));
            assert!(ran.code != 0 && ran.out.is_empty(), "{what}: {}", ran.out);
            assert!(!ran.err.is_empty(), "{what}: it says why");
        }
        match bytes {
            None => std::fs::remove_dir(&ledger).unwrap(),
            Some(bytes) => {
                // SQLite begins an empty file; it then holds no table.
                let left = std::fs::read(&ledger).unwrap();
                assert!(
                    left == bytes || bytes.is_empty() && left.len() <= page,
                    "{what}"
                );
                std::fs::remove_file(&ledger).unwrap();
            }
        }
    }
    // No file at all.
    let ran = place.act(&words("R2"));
    assert!(ran.code != 0 && ran.out.is_empty() && !ledger.exists());
    std::fs::rename(&kept, &ledger).unwrap();
    let again = place.act(&words("R2")).json(0);
    assert_eq!(
        (&again["outcome"], &again["arm"]),
        (&"returned".into(), &first["arm"])
    );
}

/// `optimizely/javascript-sdk` #145: a new split moves earlier users to other groups. Here a stored arm stands: the same
/// request, and the family that comes back, have it after the ratio was amended.
#[test]
fn optimizely_145_a_stored_arm_stands() {
    let place = Place::open(IUH);
    let families = ["KATL", "MORU", "TIRA", "SOLE"];
    let arms = |key: &str, seed: &str| -> Vec<String> {
        let words = families.map(|family| Place::enrol_words("skarpnack", family, key));
        let own = words.map(|words| words.replace("keys/seed", seed));
        let answer = |words: &String| place.act(words).json(0)["arm"].clone();
        own.iter()
            .map(|words| answer(words).as_str().unwrap().to_owned())
            .collect()
    };
    let before = arms("R1", "keys/seed");
    let next = IUH
        .replace(
            "method = \"big-stick\"",
            "method = \"permuted-block\"\nblock_lens = [4, 8]",
        )
        .replace("max_imbalance = 4", "")
        .replacen("ratio = 1", "ratio = 3", 1);
    let confirm = lottning::protocol::parse(next.as_bytes())
        .protocol
        .unwrap()
        .hash
        .short();
    place.write("next.toml", &next);
    place
        .act(&format!(
            "amend next.toml --seed-file keys/later --confirm {confirm}"
        ))
        .json(0);
    assert_eq!(before, arms("R1", "keys/later"), "the same request");
    assert_eq!(
        before,
        arms("R2", "keys/later"),
        "a new report of the same family"
    );
}

/// `simstudy` #172: assigning a treatment rounded another column. A list is made from a file that stays as it is, and levels
/// come back as they were written.
#[test]
fn simstudy_172_assignment_touches_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("arrivals.csv");
    let bytes = "dose;score\r\n0,10;3,14159265358979\r\n1,00;2\r\n0,10;1e-7\r\n";
    std::fs::write(&file, bytes).unwrap();
    let ran = Command::new(env!("CARGO_BIN_EXE_lottning"))
        .args([
            "draw",
            "--method",
            "simple",
            "--strata",
            "arrivals.csv",
            "--by",
            "dose",
            "--seed",
            SEED,
            "--json",
        ])
        .current_dir(folder.path())
        .output()
        .unwrap();
    assert_eq!(std::fs::read(&file).unwrap(), bytes.as_bytes());
    let found: serde_json::Value = serde_json::from_slice(&ran.stdout).unwrap();
    let strata: Vec<&str> = found["rows"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["stratum"].as_str().unwrap())
        .collect();
    assert_eq!(strata, ["0,10", "1,00", "0,10"]);
}

/// randomizr #26, #92: an option is ignored in silence when another is given. Every option of every method is refused by every
/// method that does not use it, before anything is drawn.
#[test]
fn randomizr_26_92_no_option_is_ignored() {
    use lottning::allocation::METHODS;
    let folder = tempfile::tempdir().unwrap();
    for entry in METHODS {
        for other in METHODS.iter().flat_map(|other| other.options) {
            if entry.options.iter().any(|own| own.name == other.name) || other.is_switch() {
                continue;
            }
            let ran = Command::new(env!("CARGO_BIN_EXE_lottning"))
                .args(["draw", "--method", entry.id, "--n", "12", "--seed", SEED])
                .args([format!("--{}", other.flag), "4".to_owned()])
                .current_dir(folder.path())
                .env_remove("LOTTNING_LANG")
                .output()
                .unwrap();
            let err = String::from_utf8(ran.stderr).unwrap();
            assert_eq!(
                (ran.status.code(), ran.stdout.as_slice()),
                (Some(2), &b""[..])
            );
            let said = format!("does not use `--{}`", other.flag);
            assert!(err.contains(&said), "{} --{}: {err}", entry.id, other.flag);
        }
    }
}

/// randomizr #92: a column of labels was silently taken for no blocks at all. Whatever its cells look like, each different text of
/// a column in `--by` is a stratum with blocks of its own: in blocks of two each pair of a stratum holds both arms.
#[test]
fn randomizr_92_a_column_of_labels_makes_blocks() {
    let folder = Folder::new();
    for labels in [
        ["1 [North]", "2 [South]"],
        ["01", "1"],
        ["1", "1.0"],
        ["TRUE", "true"],
        ["å", "a"],
        ["\"1, north\"", "\"1, south\""],
    ] {
        let rows: Vec<String> = (0..40)
            .map(|row| format!("{row},{}", labels[row * 7 % 5 % 2]))
            .collect();
        folder.file("labels.csv", format!("id,centre\n{}\n", rows.join("\n")));
        let ran = folder.run(&format!(
            "draw --method permuted-block --block-len 2 --strata labels.csv --by centre \
             --delimiter comma --seed {SEED} --json"
        ));
        assert_eq!(ran.exit, 0, "{labels:?}: {}", ran.err);
        let found: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
        let rows = found["rows"].as_array().unwrap();
        for label in labels {
            let label = label.trim_matches('"');
            let own: Vec<&str> = rows
                .iter()
                .filter(|row| row["stratum"] == label)
                .map(|row| row["arm"].as_str().unwrap())
                .collect();
            assert!(own.len() > 15, "{label}: {} rows", own.len());
            for pair in own.chunks_exact(2) {
                assert_ne!(pair[0], pair[1], "{label}");
            }
        }
    }
}

/// randomizr #26: an option was silently ignored once blocks were given. Whatever a file of strata leaves without effect is
/// refused.
#[test]
fn randomizr_26_nothing_is_ignored_beside_strata() {
    let folder = Folder::new();
    folder.file("s.csv", "site\n1\n2\n");
    for (more, said) in [
        ("--n 4", "`--n`"),
        ("--arrivals s.csv", "--arrivals"),
        ("--arm site", "`--arm`"),
        ("--factors site", "does not use `--factors`"),
        ("--replicates 4", "--characteristics"),
    ] {
        let ran = folder.run(&format!(
            "draw --method simple --strata s.csv --by site --seed {SEED} {more}"
        ));
        assert_eq!((ran.exit, ran.out.as_str()), (2, ""), "{more}: {}", ran.err);
        assert!(ran.err.contains(said), "{more}: {}", ran.err);
    }
}

/// A study with the same seed each time, and what a file of families of one site is called there.
fn same_study(text: &str) -> Place {
    let place = Place::with(text);
    place.seed_of("keys/seed", "the same study");
    let opened = place.run(&place.open_words());
    assert_eq!(opened.code, 0, "{}", opened.err);
    for (number, site) in ["north", "south"].into_iter().enumerate() {
        let rows: Vec<String> = (0..30)
            .map(|row| {
                let family = family(100 * number + row);
                format!("{site},{family},R1,2025-03-01,yes,{}", row % 4)
            })
            .collect();
        let head = "site,family,report_key,received,answer.consent,field.earlier_reports";
        let rows = rows.join("\n");
        place.write(&format!("{site}.csv"), format!("{head}\n{rows}\n"));
    }
    place
}

/// RANDI2: the order of a hash map decides the order of arms. Here two processes enrol the families of two sites from two files:
/// one after the other in either order, and both at once. Each family has the same arm every time, because a stratum's list
/// does not depend on how the arrivals of others fall between; and with minimization, where they do, the same order gives the
/// same arms in any process.
#[test]
fn randi2_the_order_between_two_processes_decides_nothing() {
    let text = two_arms();
    let arms = |place: &Place| -> Vec<(String, String)> {
        let text = |text: &str, key: &str| {
            let value: serde_json::Value = serde_json::from_str(text).unwrap();
            value[key].as_str().unwrap().to_owned()
        };
        let rows = place.entries();
        let drawn = rows.iter().filter(|row| row.kind == "allocated");
        let mut arms: Vec<(String, String)> = drawn
            .map(|row| {
                let payload = row.payload.as_deref().unwrap();
                (text(payload, "family"), text(&row.public, "arm"))
            })
            .collect();
        arms.sort();
        assert_eq!(place.verify()["ok"], true);
        arms
    };
    let words = |site: &str| {
        format!(
            "enrol --from {site}.csv --study study --actor intake-1 --seed-file keys/seed --at 2025-03-04T09:00:00+01:00"
        )
    };
    let in_order = |text: &str, order: [&str; 2]| {
        let place = same_study(text);
        for site in order {
            let ran = place.run(&words(site));
            assert_eq!(ran.code, 0, "{}", ran.err);
        }
        arms(&place)
    };
    let first = in_order(&text, ["north", "south"]);
    assert_eq!(first.len(), 60);
    assert_eq!(in_order(&text, ["south", "north"]), first);
    let place = same_study(&text);
    let mut both: Vec<_> = ["north", "south"]
        .into_iter()
        .map(|site| {
            let mut command = place.command(&words(site));
            command.stdout(std::process::Stdio::null()).spawn().unwrap()
        })
        .collect();
    for process in &mut both {
        assert_eq!(process.wait().unwrap().code(), Some(0));
    }
    assert_eq!(arms(&place), first);
    let minimized = text
        .replace(
            "method = \"big-stick\"",
            "method = \"minimization\"\nfactors = [\"site\"]",
        )
        .replace("max_imbalance = 4", "")
        .replace("strata = [\"site\"]", "strata = []");
    let once = in_order(&minimized, ["north", "south"]);
    assert_eq!(in_order(&minimized, ["north", "south"]), once);
}

/// experDesign #55: people think that one call with a seed makes the next call equal. The command that repeats a list is
/// printed whole, with every default, and gives the same bytes.
#[test]
fn experdesign_55_the_printed_command_draws_the_same_list() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(
        folder.path().join("it's here.csv"),
        "site;sex\nnorth;1\nsouth;2\nnorth;2\n",
    )
    .unwrap();
    std::fs::write(
        folder.path().join("strata.csv"),
        "site,sex\n1,1\n1,2\n2,1\n",
    )
    .unwrap();
    // A comma that could be either: the command that repeats the list must settle it as this one does.
    std::fs::write(
        folder.path().join("weights.csv"),
        "weight;site\n1,500;a\n2,250;b\n",
    )
    .unwrap();
    let bin = std::path::Path::new(env!("CARGO_BIN_EXE_lottning"));
    let path = format!("{}:/usr/bin:/bin", bin.parent().unwrap().display());
    for words in [
        vec!["--method", "simple", "--n", "40"],
        vec![
            "--method",
            "permuted-block",
            "--block-lens",
            "2,4",
            "--arms",
            "iuh,usual care",
            "--n",
            "40",
        ],
        vec![
            "--method",
            "biased-coin",
            "--bias",
            "0.75",
            "--n",
            "40",
            "--json",
        ],
        vec!["--method", "urn", "--n", "40", "--ratio", "1:1:1"],
        vec!["--method", "maximal", "--n", "200"],
        vec![
            "--method",
            "big-stick",
            "--strata",
            "it's here.csv",
            "--by",
            "site",
            "--delimiter",
            "semicolon",
            "--decimal",
            "comma",
        ],
        vec![
            "--method",
            "big-stick",
            "--strata",
            "weights.csv",
            "--by",
            "weight",
            "--decimal",
            "comma",
        ],
        vec![
            "--method",
            "random-allocation",
            "--strata",
            "strata.csv",
            "--by",
            "sex,site",
            "--n",
            "6",
            "--redcap",
            "rand",
        ],
        vec![
            "--method",
            "minimization",
            "--arrivals",
            "strata.csv",
            "--factors",
            "sex,site",
        ],
    ] {
        let first = Command::new(bin)
            .arg("draw")
            .args(&words)
            .args(["--seed", SEED])
            .current_dir(folder.path())
            .env_remove("LOTTNING_LANG")
            .output()
            .unwrap();
        let err = String::from_utf8(first.stderr).unwrap();
        let said = err
            .lines()
            .find_map(|line| line.split_once("the same list again: "));
        let (_, command) = said.unwrap_or_else(|| panic!("{words:?}: {err}"));
        let json = if words.contains(&"--json") {
            " --json"
        } else {
            ""
        };
        let again = Command::new("sh")
            .args(["-c", &format!("{command}{json}")])
            .current_dir(folder.path())
            .env("PATH", &path)
            .output()
            .unwrap();
        assert!(!first.stdout.is_empty());
        assert_eq!(again.stdout, first.stdout, "{command}");
    }
    // A seed of digits alone, which looks like personal numbers, is told to the letter.
    let digits = "191212121212".repeat(6)[..64].to_owned();
    let first = Command::new(bin)
        .args(["draw", "--method", "simple", "--n", "40", "--seed", &digits])
        .output()
        .unwrap();
    let err = String::from_utf8(first.stderr).unwrap();
    let (_, command) = err.split_once("the same list again: ").unwrap();
    let again = Command::new("sh")
        .args(["-c", command])
        .env("PATH", &path)
        .output()
        .unwrap();
    assert_eq!(again.stdout, first.stdout, "{command}");
    // The defaults are written out, for a later version may have others.
    let ran = Command::new(bin)
        .args(["draw", "--method", "big-stick", "--n", "4", "--seed", SEED])
        .output()
        .unwrap();
    let err = String::from_utf8(ran.stderr).unwrap();
    assert!(err.contains("--max-imbalance=3"), "{err}");
}
