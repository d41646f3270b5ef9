//! What a machine does to a study: full disks, folders that cannot be written, clocks that step back, files that are
//! cut. Refused with a clear message, nothing recorded, and the next command works once the cause is gone.
#![cfg(unix)]

use std::path::{Path, PathBuf};
use std::process::Command;

use super::place::{IUH, Place, family, program, read_entries};
use rusqlite::Connection;
use serde_json::{Value, json};

/// A small file system in memory, where the account may mount one.
struct Mount(PathBuf);

impl Mount {
    fn new(place: &Place, options: &str) -> Option<Self> {
        let at = place.path("mount");
        std::fs::create_dir(&at).unwrap();
        let arguments = ["-t", "tmpfs", "-o", options, "tmpfs"];
        let mounted = Command::new("mount").args(arguments).arg(&at).output();
        mounted
            .is_ok_and(|run| run.status.success())
            .then(|| Self(at))
    }

    fn again(&self, options: &str) {
        let arguments = ["-o", &format!("remount,{options}")];
        let run = Command::new("mount").args(arguments).arg(&self.0).output();
        assert!(run.unwrap().status.success());
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).output();
    }
}

#[expect(
    clippy::print_stderr,
    reason = "a part that this account cannot run is said aloud"
)]
fn skipped(what: &str) {
    eprintln!("SKIPPED: {what}");
}

/// Copies the files of a study as they lie.
fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for file in std::fs::read_dir(from).unwrap() {
        let file = file.unwrap();
        if file.file_type().unwrap().is_file() {
            std::fs::copy(file.path(), to.join(file.file_name())).unwrap();
        }
    }
}

fn enrol(number: usize, study: &str) -> String {
    let words = Place::enrol_words("skarpnack", &family(number), "R1");
    format!("{words} --study {study} --actor a")
}

/// A study with some families.
fn begun(families: usize) -> Place {
    let place = Place::open(&IUH.replace("therapists = 2", "therapists = 100"));
    for number in 0..families {
        place.run(&enrol(number, "study")).json(0);
    }
    place
}

#[test]
fn a_full_disk_refuses_and_the_same_command_works_when_there_is_room() {
    let place = begun(2);
    let Some(mount) = Mount::new(&place, "size=400k") else {
        skipped("a full file system: this account may not mount one");
        return;
    };
    let study = mount.0.join("study");
    let (mut refused, mut done) = (0, 0);
    // So many free pages are left on the file system.
    for pages in 0..24 {
        let _ = std::fs::remove_dir_all(&study);
        copy(&place.path("study"), &study);
        let before = read_entries(&study);
        let filler = mount.0.join("filler");
        let mut bytes = Vec::new();
        while std::fs::write(&filler, &bytes).is_ok() {
            bytes.resize(bytes.len() + 4096, 7);
        }
        bytes.truncate(bytes.len().saturating_sub((1 + pages) * 4096));
        std::fs::write(&filler, &bytes).unwrap();
        let words = enrol(2, "mount/study");
        let ran = place.run(&words);
        if ran.code == 0 {
            done += 1;
            std::fs::remove_file(&filler).unwrap();
            assert_eq!(
                read_entries(&study).len(),
                before.len() + 2,
                "{pages} pages"
            );
        } else {
            ran.refused(1, "disk-full");
            assert!(ran.err.contains("nothing was recorded"), "{}", ran.err);
            refused += 1;
            // What can be read without room is read.
            place.run("status --study mount/study").json(0);
            std::fs::remove_file(&filler).unwrap();
            assert_eq!(read_entries(&study), before, "{pages} pages");
        }
        let again = place.run(&words).json(0);
        assert_eq!(again["allocation"], 3, "{pages} pages");
        assert_eq!(again["replayed"], ran.code == 0, "{pages} pages");
        let verified = place
            .run("verify --study mount/study --seed-file keys/seed")
            .json(0);
        assert_eq!(verified["events"], 7);
    }
    assert!(refused > 0 && done > 0, "{refused} refused, {done} done");
}

/// What the ledger says was exported was written: where there is no room for it, nothing is recorded.
#[test]
fn an_export_without_room_is_not_recorded() {
    let place = begun(30);
    let Some(mount) = Mount::new(&place, "size=16k") else {
        skipped("a small file system: this account may not mount one");
        return;
    };
    let before = place.entries();
    let words = "export --proof mount/proof --study study --actor lead";
    let ran = place.run(words);
    assert_eq!(ran.code, 1, "{}{}", ran.out, ran.err);
    assert_eq!(place.entries(), before);
    assert_eq!(mount.0.join("proof").read_dir().unwrap().count(), 0);
    mount.again("size=8m");
    place.run(words).json(0);
    assert_eq!(place.entries().len(), before.len() + 1);
}

/// A limit on the size of files, which every account can set: writes beyond it fail as on a full disk.
#[test]
fn a_file_that_may_not_grow_refuses_and_the_same_command_works_later() {
    let place = begun(30);
    let before = place.entries();
    let size = std::fs::metadata(place.path("study/ledger.sqlite"))
        .unwrap()
        .len();
    let (mut refused, mut done) = (0, 0);
    for blocks in (0..size / 512 + 40).step_by(3) {
        let copied = place.path("copied");
        let _ = std::fs::remove_dir_all(&copied);
        copy(&place.path("study"), &copied);
        let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$@\"");
        let words = enrol(30, "copied");
        let output = Command::new("sh")
            .args(["-c", &script, "sh"])
            .arg(program())
            .args(words.split_whitespace())
            .current_dir(place.path("."))
            .output()
            .unwrap();
        let err = String::from_utf8_lossy(&output.stderr);
        let recorded = match output.status.code() {
            Some(0) => true,
            Some(1) => {
                let named = err.contains("[disk-full]") || err.contains("[disk-write]");
                assert!(named, "{blocks} blocks: {err}");
                assert_eq!(read_entries(&copied), before, "{blocks} blocks");
                false
            }
            other => panic!("{blocks} blocks: {other:?} {err}"),
        };
        refused += usize::from(!recorded);
        done += usize::from(recorded);
        let again = place.run(&words).json(0);
        assert_eq!(again["allocation"], 31, "{blocks} blocks");
        assert_eq!(again["replayed"], recorded, "{blocks} blocks");
        place
            .run("verify --study copied --seed-file keys/seed")
            .json(0);
    }
    assert!(refused > 0 && done > 0, "{refused} refused, {done} done");
}

#[test]
fn a_folder_that_cannot_be_written_is_read_and_never_written() {
    let place = begun(2);
    let Some(mount) = Mount::new(&place, "size=2m") else {
        skipped("a read-only file system: this account may not mount one");
        return;
    };
    let study = mount.0.join("study");
    copy(&place.path("study"), &study);
    place.write(
        "r.csv",
        format!("family,received,report_key\n{},2025-06-01,R7\n", family(0)),
    );
    mount.again("ro");
    let words = [
        enrol(2, "mount/study"),
        format!(
            "record report --family {} --on 2025-06-02 --event-key v --study mount/study --actor a",
            family(0)
        ),
        "import report r.csv --study mount/study --actor a".to_owned(),
    ];
    for words in &words {
        let ran = place.run(words);
        ran.refused(1, "ledger-read-only");
        assert!(ran.err.contains("nothing was recorded"), "{}", ran.err);
    }
    let verified = place
        .run("verify --study mount/study --seed-file keys/seed")
        .json(0);
    assert_eq!(verified["events"], 5);
    place.run("status --study mount/study").json(0);
    mount.again("rw");
    for words in &words {
        place.run(words).json(0);
    }
}

/// A clock that is set back, or two machines whose clocks differ: the ledger's times never go back.
#[test]
fn a_clock_that_steps_back_and_two_clocks_that_differ_are_told_so() {
    let place = begun(1);
    // A machine whose clock is an hour ahead, and then one that is right.
    let ahead = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(1);
    place
        .run(&format!("{} --at {ahead}", enrol(1, "study")))
        .json(0);
    let ran = place.unchanged(|| place.run(&enrol(2, "study")));
    ran.refused(4, "time-went-back");
    assert!(ran.err.contains("nothing was recorded"), "{}", ran.err);
    assert!(
        ran.err.contains("the computer's clock has gone back"),
        "{}",
        ran.err
    );
    // A repetition is answered whatever the clock says.
    assert_eq!(place.run(&enrol(1, "study")).json(0)["replayed"], true);
    // The same instant is not before: two clocks that agree to the microsecond may both write.
    let same = place.run(&format!("{} --at {ahead}", enrol(2, "study")));
    assert_eq!(same.json(0)["allocation"], 3);
    let just_before = ahead - jiff::SignedDuration::from_micros(1);
    let ran = place.unchanged(|| place.run(&format!("{} --at {just_before}", enrol(3, "study"))));
    ran.refused(4, "time-went-back");
    assert!(ran.err.contains("or leave --at out"), "{}", ran.err);
    let later = ahead + jiff::SignedDuration::from_mins(1);
    assert_eq!(
        place
            .run(&format!("{} --at {later}", enrol(2, "study")))
            .json(0)["replayed"],
        true
    );
    let times: Vec<String> = place.entries().into_iter().map(|row| row.time).collect();
    assert!(times.is_sorted(), "{times:?}");
    place.verify();
}

/// The database cut at many lengths: every command refuses and leaves the bytes as they are.
#[test]
fn a_ledger_that_is_cut_is_refused_by_every_command() {
    let place = begun(40);
    place.write(
        "r.csv",
        format!("family,received,report_key\n{},2025-06-01,R7\n", family(0)),
    );
    let whole = std::fs::read(place.path("study/ledger.sqlite")).unwrap();
    let head = place.verify()["head"].as_str().unwrap().to_owned();
    copy(&place.path("study"), &place.path("cut"));
    let file = place.path("cut/ledger.sqlite");
    let commands = [
        "verify --study cut".to_owned(),
        "status --study cut".to_owned(),
        enrol(50, "cut"),
        format!(
            "record report --family {} --on 2025-06-02 --event-key v --study cut --actor a",
            family(0)
        ),
        "import report r.csv --study cut --actor a".to_owned(),
        format!(
            "open p.toml --study cut --seed-file keys/seed --confirm {} --actor a",
            place.confirm()
        ),
    ];
    let pages = whole.len() / 4096;
    assert!(pages > 5, "several pages");
    let lengths = (0..pages).map(|page| page * 4096 + (page % 3) * 1000 + 1);
    for length in lengths.chain([100, 511, 512, 2048, whole.len() - 4096, whole.len() - 1]) {
        for words in &commands {
            std::fs::write(&file, &whole[..length]).unwrap();
            let ran = place.run(words);
            if words.starts_with("open ") && ran.code == 7 {
                ran.refused(7, "already-open");
                continue;
            }
            assert_eq!(
                ran.code, 8,
                "{length} bytes, {words}: {}{}",
                ran.out, ran.err
            );
            let clear = ["[ledger-damaged]", "[ledger-broken]", "\"first_bad\""];
            let said = format!("{}{}", ran.err, ran.out);
            assert!(
                clear.iter().any(|code| said.contains(code)),
                "{length} bytes, {words}: {said}"
            );
            assert_eq!(std::fs::read(&file).unwrap(), whole[..length], "{words}");
        }
    }
    std::fs::write(&file, &whole).unwrap();
    let verified = place.run(&format!("verify --study cut --expect-head {head}"));
    assert_eq!(verified.json(0)["events"], 81);
}

/// A log that is cut loses whole commits from the end and nothing else, and a head that was kept finds it.
#[test]
fn a_log_that_is_cut_is_found_by_a_head_that_was_kept() {
    let place = begun(3);
    // A reader that stays keeps the log from being merged when the writers end.
    let reader = Connection::open(place.path("study/ledger.sqlite")).unwrap();
    let count = |connection: &Connection| -> i64 {
        connection
            .query_row("SELECT count(*) FROM event", [], |row| row.get(0))
            .unwrap()
    };
    reader.execute_batch("BEGIN").unwrap();
    assert_eq!(count(&reader), 7);
    for number in 3..8 {
        place.run(&enrol(number, "study")).json(0);
    }
    let head = place.verify()["head"].as_str().unwrap().to_owned();
    let log = std::fs::read(place.path("study/ledger.sqlite-wal")).unwrap();
    assert!(log.len() > 5 * 4096);
    let whole = place.entries();
    let mut lengths = Vec::new();
    for eighth in 0..8 {
        let cut = place.path("cut");
        let _ = std::fs::remove_dir_all(&cut);
        std::fs::create_dir(&cut).unwrap();
        for name in ["protocol.toml", "ledger.sqlite"] {
            std::fs::copy(place.path("study").join(name), cut.join(name)).unwrap();
        }
        std::fs::write(
            cut.join("ledger.sqlite-wal"),
            &log[..log.len() * eighth / 8],
        )
        .unwrap();
        let words = "verify --study cut --seed-file keys/seed";
        let alone: Value = place.run(words).json(0);
        let found = read_entries(&cut);
        assert_eq!(alone["events"], found.len());
        assert_eq!(found, whole[..found.len()]);
        assert_eq!(found.len() % 2, 1, "an enrolment whole or not at all");
        let kept = place.run(&format!("{words} --expect-head {head}")).json(8);
        assert_eq!(kept["findings"][0]["code"], json!("head-mismatch"));
        lengths.push(found.len());
    }
    assert!(
        lengths.is_sorted() && lengths[0] == 7 && lengths[7] > 7,
        "{lengths:?}"
    );
    drop(reader);
}
