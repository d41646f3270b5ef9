//! The seed file at the door of a study and of an epoch, an opening that is repeated, and the commitment that anybody may see.

use super::place::{IUH, Place, two_arms};
use serde_json::json;

/// An amendment by the same protocol with a seed file, as the lead.
fn amend(place: &Place, seed: &str) -> super::place::Ran {
    let confirm = place.confirm();
    place.act(&format!(
        "amend p.toml --seed-file {seed} --confirm {confirm}"
    ))
}

#[test]
fn a_seed_that_nobody_drew_by_lot_is_taken_with_a_warning() {
    let count = |first: u8| {
        let bytes = std::array::from_fn(|place| first + place as u8);
        lottning::allocation::Seed::from_bytes(bytes).to_hex()
    };
    for guessable in [
        "00".repeat(32),
        "ab".repeat(32),
        "0123456789abcdef".repeat(4),
        format!("{}1", "0".repeat(63)),
        count(0),
        count(32),
    ] {
        let place = Place::with(IUH);
        std::fs::create_dir(place.path("keys")).unwrap();
        place.secret("keys/seed", format!("{guessable}\n"));
        let opened = place.run(&place.open_words());
        assert_eq!(opened.code, 0, "{}", opened.err);
        assert!(
            opened.err.contains("warning[seed-guessable]"),
            "{}",
            opened.err
        );
        assert!(!opened.err.contains(&guessable), "never shown");
    }
    let place = Place::open(IUH);
    place.secret("keys/later", format!("{}\n", "5e".repeat(32)));
    let amended = amend(&place, "keys/later");
    assert!(
        amended.err.contains("warning[seed-guessable]"),
        "{}",
        amended.err
    );
}

#[test]
fn a_seed_file_that_was_there_is_taken_with_a_word() {
    let place = Place::with(IUH);
    place.seed_of("keys/seed", "given");
    let opened = place.run(&place.open_words());
    assert_eq!(opened.json(0)["replayed"], false);
    assert!(opened.err.contains("[seed-given]"), "{}", opened.err);
    assert!(!opened.err.contains("[seed-guessable]"), "{}", opened.err);
    assert!(!opened.err.contains("[seed-not-private]"), "{}", opened.err);
    place.seed_of("keys/later", "given later");
    let amended = amend(&place, "keys/later");
    assert_eq!(amended.json(0)["epoch"], 1);
    assert!(amended.err.contains("[seed-given]"), "{}", amended.err);
    // A file that the command makes needs no word.
    let made = amend(&place, "keys/latest");
    assert_eq!(made.json(0)["epoch"], 2);
    assert!(!made.err.contains("[seed-given]"), "{}", made.err);
}

#[cfg(unix)]
#[test]
fn whoever_draws_is_told_that_others_may_read_the_seed() {
    use std::os::unix::fs::PermissionsExt;
    let place = Place::with(IUH);
    place.seed_of("keys/seed", "open to all");
    let mode = |mode: u32| {
        let open = std::fs::Permissions::from_mode(mode);
        std::fs::set_permissions(place.path("keys/seed"), open).unwrap();
    };
    let said = |ran: &super::place::Ran| ran.err.contains("[seed-not-private]");
    mode(0o644);
    let opened = place.run(&place.open_words());
    assert!(opened.code == 0 && said(&opened), "{}", opened.err);
    let enrolled = place.enrol("FA-AA", "R1", "");
    assert!(enrolled.code == 0 && said(&enrolled), "{}", enrolled.err);
    assert!(
        enrolled.err.contains("chmod 600 keys/seed"),
        "{}",
        enrolled.err
    );
    mode(0o640);
    assert!(said(&place.enrol("FA-AB", "R1", "")));
    mode(0o600);
    assert!(!said(&place.enrol("FA-AC", "R1", "")));
}

#[test]
fn a_study_beside_this_one_with_the_same_seed_is_named() {
    let place = Place::open(IUH);
    let opened = |study: &str, seed: &str, protocol: &str| {
        place.write("p.toml", protocol);
        let hash = lottning::protocol::parse(protocol.as_bytes())
            .protocol
            .unwrap()
            .hash
            .short();
        place.run(&format!(
            "open p.toml --study {study} --seed-file {seed} --confirm {hash} --actor lead --at {}",
            place.tick()
        ))
    };
    // The same protocol, and another one: both would let the one study tell of the other.
    for (study, protocol) in [("twin", IUH.to_owned()), ("other", two_arms())] {
        let ran = opened(study, "keys/seed", &protocol);
        assert_eq!(ran.code, 0, "{}", ran.err);
        assert!(ran.err.contains("[seed-shared]"), "{}", ran.err);
        assert!(ran.err.contains("/study was opened"), "{}", ran.err);
    }
    // Also the seed of a later epoch; not a seed of its own.
    assert_eq!(amend(&place, "keys/later").code, 3, "another protocol");
    place.write("p.toml", IUH);
    assert_eq!(amend(&place, "keys/later").code, 0);
    assert!(
        opened("fourth", "keys/later", IUH)
            .err
            .contains("[seed-shared]")
    );
    let own = opened("fifth", "keys/fifth", IUH);
    assert!(own.code == 0 && !own.err.contains("[seed-shared]"));
}

/// The files of a folder and their bytes, in the order of their names.
fn files(place: &Place, folder: &str) -> Vec<(std::ffi::OsString, Vec<u8>)> {
    let mut found: Vec<_> = std::fs::read_dir(place.path(folder))
        .unwrap()
        .map(|file| file.unwrap())
        .map(|file| (file.file_name(), std::fs::read(file.path()).unwrap()))
        .collect();
    found.sort();
    found
}

/// What lies beside a study is somebody else's: it is read as it lies, and neither changed nor waited for.
#[test]
fn what_lies_beside_a_study_stays_as_it_is() {
    let place = Place::open(IUH);
    let ledger = |folder: &str| place.path(folder).join("ledger.sqlite");
    let connect = |folder: &str| rusqlite::Connection::open(ledger(folder)).unwrap();
    for folder in ["foreign", "copied", "lost"] {
        std::fs::create_dir(place.path(folder)).unwrap();
    }
    // Another program's database of the same name, with its rollback journal.
    let foreign = connect("foreign");
    let fill = "CREATE TABLE own (a); INSERT INTO own VALUES (1);";
    foreign.execute_batch(fill).unwrap();
    // A study whose last rows are in the log, held by a writer; and copies of it, with its log and as a file that was cut.
    let held = connect("study");
    let write = "PRAGMA wal_autocheckpoint = 0; UPDATE event SET actor = 'other'; BEGIN IMMEDIATE;";
    held.execute_batch(write).unwrap();
    for end in ["", "-wal"] {
        let name = format!("ledger.sqlite{end}");
        let bytes = std::fs::read(place.path("study").join(&name)).unwrap();
        assert!(!bytes.is_empty());
        std::fs::write(place.path("copied").join(&name), bytes).unwrap();
    }
    std::fs::write(ledger("lost"), b"SQLite format 3").unwrap();
    #[cfg(unix)]
    {
        std::fs::create_dir(place.path("pipe")).unwrap();
        let made = std::process::Command::new("mkfifo")
            .arg(ledger("pipe"))
            .status();
        assert!(made.unwrap().success());
    }
    let seen = || ["foreign", "study", "copied", "lost"].map(|folder| files(&place, folder));
    let before = seen();
    let words = place
        .open_words()
        .replace("--study study", "--study another");
    let begun = std::time::Instant::now();
    let ran = place.run(&words);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(begun.elapsed() < std::time::Duration::from_secs(15));
    assert!(seen() == before, "a file beside the study was changed");
    for (folder, shared) in [("study", true), ("copied", true), ("foreign", false)] {
        let said = format!("/{folder} was opened with this seed");
        assert_eq!(ran.err.contains(&said), shared, "{folder}: {}", ran.err);
    }
    drop(held);
    drop(foreign);
}

/// An `open` that was killed between its commit and its answer: the same command answers what that one would have.
#[test]
fn an_opening_that_is_repeated_is_answered_with_its_receipt() {
    let place = Place::with(IUH);
    let first = place.run(&place.open_words()).json(0);
    let again = place.unchanged(|| place.run(&place.open_words()));
    let receipt = again.json(0);
    assert!(!again.err.contains("[seed-given]"), "{}", again.err);
    let mut expected = first.clone();
    expected["replayed"] = json!(true);
    assert_eq!(receipt, expected);
    // Also later, when there are more rows; the head is the ledger's, as in every receipt.
    assert_eq!(place.enrol("FA-AA", "R1", "").code, 0);
    assert_eq!(amend(&place, "keys/later").code, 0);
    let later = place.unchanged(|| place.run(&place.open_words())).json(0);
    assert_eq!(later["commitment"], first["commitment"]);
    assert_eq!(
        (&later["sequence"], &later["replayed"]),
        (&json!(1), &json!(true))
    );
    assert_eq!(
        later["head"],
        place.run("status --study study").json(0)["head"]
    );
    // Other inputs are another opening, or none.
    place
        .unchanged(|| place.run(&place.open_words().replace("keys/seed", "keys/later")))
        .refused(7, "already-open");
    let hash = place.confirm().to_owned();
    place
        .unchanged(|| place.run(&place.open_words().replace(&hash, "00000000")))
        .refused(2, "confirm-mismatch");
    place.write("p.toml", format!("{IUH}\n# one more line\n"));
    let other = place.open_words();
    assert_eq!(place.unchanged(|| place.run(&other)).code, 7);
}

#[test]
fn anybody_sees_the_commitment_of_each_epoch() {
    let place = Place::with(IUH);
    let first = place.run(&place.open_words()).json(0)["commitment"].clone();
    let shown = |place: &Place| place.run("status --study study").json(0)["commitments"].clone();
    assert_eq!(shown(&place), json!([first]));
    let second = amend(&place, "keys/later").json(0)["commitment"].clone();
    assert_eq!(shown(&place), json!([first, second]));
    for (lang, words) in [
        ("en", "Commitment to the seed of epoch 1"),
        ("sv", "Utfästelse om fröet för epok 1"),
    ] {
        let table = place.run(&format!(
            "status --study study --format table --lang {lang}"
        ));
        assert!(table.out.contains(words), "{}", table.out);
        for commitment in [&first, &second] {
            assert!(table.out.contains(commitment.as_str().unwrap()));
        }
    }
}

/// A seed that is refused is not said to be used.
#[test]
fn a_seed_of_an_earlier_epoch_is_refused_without_a_word_of_its_use() {
    let place = Place::open(IUH);
    let refused = place.unchanged(|| amend(&place, "keys/seed"));
    refused.refused(9, "seed-used");
    assert!(!refused.err.contains("[seed-given]"), "{}", refused.err);
}

/// A device never ends, and a pipe into which nobody writes never begins: neither is waited for. Where a seed is made or taken
/// for an epoch its file stays, so that it is a regular one.
#[cfg(unix)]
#[test]
fn what_is_no_regular_file_is_no_seed_file() {
    let place = Place::open(IUH);
    let made = std::process::Command::new("mkfifo")
        .arg(place.path("keys/pipe"))
        .status()
        .unwrap();
    assert!(made.success());
    place.write("keys/long", "0".repeat(1 << 20));
    let enrol = Place::enrol_words("skarpnack", "KATL", "R1");
    let confirm = place.confirm();
    for (file, opening, reading) in [
        ("keys/pipe", "seed-missing", "seed-missing"),
        ("/dev/zero", "seed-missing", "seed-invalid"),
        ("keys", "seed-missing", "seed-missing"),
        ("keys/long", "seed-invalid", "seed-invalid"),
    ] {
        for words in [
            format!(
                "{} --study study --actor intake-1",
                enrol.replace("keys/seed", file)
            ),
            format!("verify --study study --seed-file {file}"),
            format!(
                "amend p.toml --seed-file {file} --confirm {confirm} --study study --actor lead"
            ),
            format!(
                "open p.toml --study other --seed-file {file} --confirm {confirm} --actor lead"
            ),
        ] {
            let opens = words.starts_with("open") || words.starts_with("amend");
            let code = if opens { opening } else { reading };
            let mut command = place.command(&words);
            command
                .stdout(std::process::Stdio::piped())
                .stderr(std::process::Stdio::piped());
            let mut child = command.spawn().unwrap();
            let until = std::time::Instant::now() + std::time::Duration::from_mins(1);
            while child.try_wait().unwrap().is_none() {
                if std::time::Instant::now() > until {
                    child.kill().unwrap();
                    panic!("{words} waits");
                }
                std::thread::sleep(std::time::Duration::from_millis(5));
            }
            let output = child.wait_with_output().unwrap();
            let said = String::from_utf8_lossy(&output.stderr);
            assert_eq!(output.status.code(), Some(9), "{words}: {said}");
            assert!(said.contains(&format!("[{code}]")), "{words}: {said}");
            assert!(
                said.contains("`amend`") || said.contains("`open`"),
                "{said}"
            );
        }
    }
    assert!(!place.path("other").exists());
}

/// A seed that is only read may come from a store of secrets, without lying in a file: through standard input or a pipe, in
/// pieces too, and whole. What is longer than a seed file is none.
#[cfg(unix)]
#[test]
fn a_seed_is_read_from_a_pipe() {
    use std::io::Write;
    use std::process::Stdio;
    let place = Place::open(IUH);
    let text = std::fs::read_to_string(place.path("keys/seed")).unwrap();
    let run = |words: &str, text: &str| {
        let mut command = place.command(words);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut input = child.stdin.take().unwrap();
        let (one, two) = text.split_at(text.len() / 2);
        for piece in [one, two] {
            // Who has read enough closes the pipe.
            let _ = input.write_all(piece.as_bytes());
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        drop(input);
        let output = child.wait_with_output().unwrap();
        let err = String::from_utf8(output.stderr).unwrap();
        (output.status.code(), err)
    };
    let enrol = Place::enrol_words("skarpnack", "KATL", "R1").replace("keys/seed", "/dev/stdin");
    let at = place.tick();
    let enrol = format!("{enrol} --study study --actor intake-1 --at {at}");
    let (code, err) = run(&enrol, &text);
    assert_eq!(code, Some(0), "{err}");
    assert!(!err.contains("[seed-not-private]"), "{err}");
    let verify = "verify --study study --seed-file /dev/stdin";
    assert_eq!(run(verify, &text).0, Some(0));
    for other in [text[..40].to_owned(), String::new(), text.repeat(100_000)] {
        let (code, err) = run(verify, &other);
        assert_eq!(code, Some(9), "{err}");
        assert!(err.contains("[seed-invalid]"), "{err}");
    }
    let made = std::process::Command::new("mkfifo")
        .arg(place.path("keys/pipe"))
        .status()
        .unwrap();
    assert!(made.success());
    let pipe = place.path("keys/pipe");
    let writer = std::thread::spawn(move || std::fs::write(pipe, text));
    let verified = place
        .run("verify --study study --seed-file keys/pipe")
        .json(0);
    assert_eq!(verified["draws"], "verified");
    writer.join().unwrap().unwrap();
}

/// The limit ends the process at the first byte that it writes to a file, which is one of the seed: nothing is left under the
/// name, and the same command opens the study.
#[cfg(unix)]
#[test]
fn an_open_that_is_killed_while_it_writes_the_seed_leaves_no_half_of_one() {
    let place = Place::with(IUH);
    let words = place.open_words();
    let killed = std::process::Command::new("sh")
        .args(["-c", "ulimit -f 0; exec \"$@\"", "sh"])
        .arg(super::place::program())
        .args(words.split_whitespace())
        .current_dir(place.path("."))
        .output()
        .unwrap();
    assert_eq!(killed.status.code(), None, "{killed:?}");
    assert!(!place.path("keys/seed").exists());
    let left = || std::fs::read_dir(place.path("keys")).unwrap().count();
    assert_eq!(left(), 1, "what it was writing");
    assert_eq!(place.run(&words).json(0)["replayed"], false);
    assert_eq!(left(), 1, "the seed alone");
    place.enrol("KATL", "R1", "").json(0);
    place.verify();
}

/// Several epochs without a seed are named as several.
#[test]
fn epochs_without_a_seed_are_counted() {
    let place = Place::open(IUH);
    assert_eq!(amend(&place, "keys/later").code, 0);
    assert_eq!(amend(&place, "keys/latest").code, 0);
    let ran = place.run("verify --study study --seed-file keys/later --format table");
    assert_eq!(ran.code, 9, "{}{}", ran.out, ran.err);
    let said = format!("{}{}", ran.out, ran.err);
    assert!(said.contains("epochs 0, 2"), "{said}");
    assert!(
        said.contains("in epoch 1, and not in epochs 0, 2"),
        "{said}"
    );
}

/// What a killed `open` or `amend` left beside the files that it was writing goes with the repeated command; what a process that
/// is alive writes stays, and so does what has another name.
#[cfg(target_os = "linux")]
#[test]
fn what_a_killed_command_left_is_swept_when_it_is_repeated() {
    let place = Place::open(IUH);
    // No system numbers its processes so high.
    let alive = std::process::id();
    let gone = [
        "keys/seed.4294967295.partial",
        "study/protocol.toml.4294967295.partial",
    ];
    let kept = [
        format!("keys/seed.{alive}.partial"),
        "keys/seed.old.partial".to_owned(),
    ];
    for name in gone.iter().copied().chain(kept.iter().map(String::as_str)) {
        place.write(name, "half");
    }
    assert_eq!(place.run(&place.open_words()).json(0)["replayed"], true);
    assert!(gone.iter().all(|own| !place.path(own).exists()));
    assert!(kept.iter().all(|own| place.path(own).exists()));
    place.verify();
}
