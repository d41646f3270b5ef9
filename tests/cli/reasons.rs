//! Why a row or a file cannot be read, in the reader's language: no English words in a Swedish sentence.

use super::place::{IUH, Place, Ran, program};
use super::verifier::{Copied, put};
use lottning::study::journal::Entry;
use std::path::Path;

fn run(words: &[&str], study: &Path) -> Ran {
    let output = std::process::Command::new(program())
        .args(words)
        .arg("--study")
        .arg(study)
        .output()
        .unwrap();
    Ran {
        code: output.status.code().unwrap(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// A row that is changed: its kind, what of its public part or payload is put in the place of what, and the two sentences.
type Changed = (&'static str, bool, [&'static str; 2], [&'static str; 2]);

const CHANGED: [Changed; 8] = [
    (
        "screened",
        true,
        ["\"site\":\"skarpnack\"", "\"site\":\"nowhere\""],
        [
            "site `nowhere` is not known",
            "enheten `nowhere` finns inte",
        ],
    ),
    (
        "screened",
        true,
        ["\"verdict\":\"drawn\"", "\"verdict\":\"maybe\""],
        [
            "verdict `maybe` is not known",
            "utslaget `maybe` finns inte",
        ],
    ),
    (
        "screened",
        false,
        ["\"received\"", "\"receive\""],
        ["it has no `received`", "`received` saknas"],
    ),
    (
        "screened",
        false,
        ["2025-03-01", "2025-03-41"],
        ["`2025-03-41` is not a date", "`2025-03-41` är inget datum"],
    ),
    (
        "screened",
        false,
        ["\"3\"", "\"three\""],
        [
            "the value of field `earlier_reports` does not fit",
            "värdet på fältet `earlier_reports` passar inte",
        ],
    ),
    (
        "screened",
        false,
        ["\"investigation-opened\"", "\"investigation-open\""],
        [
            "it has no `answers.investigation-opened`",
            "`answers.investigation-opened` saknas",
        ],
    ),
    (
        "allocated",
        false,
        ["KATL", "MORU"],
        [
            "no screening before it names its family",
            "ingen screening före den nämner dess familj",
        ],
    ),
    (
        "allocated",
        true,
        ["\"levels\"", "\"level\""],
        ["it has no `levels`", "`levels` saknas"],
    ),
];

#[test]
fn why_a_row_cannot_be_read_is_said_in_the_readers_language() {
    let place = Place::open(IUH);
    place.enrol("KATL", "R1", "").json(0);
    let rows = place.entries();
    let said = |change: &dyn Fn(&mut Vec<Entry>), both: [&str; 2]| {
        let copy = Copied::of(&place);
        let mut forged = rows.clone();
        change(&mut forged);
        copy.forge(forged);
        for (lang, sentence) in ["en", "sv"].into_iter().zip(both) {
            let ran = run(&["status", "--lang", lang], copy.folder.path());
            assert_eq!(ran.code, 8, "{}", ran.err);
            assert!(ran.err.contains(sentence), "{lang} {sentence}: {}", ran.err);
        }
    };
    for (kind, public, [from, into], both) in CHANGED {
        let change = |rows: &mut Vec<Entry>| {
            let row = rows.iter_mut().find(|row| row.kind == kind).unwrap();
            if public {
                row.public = put(&row.public, from, into);
            } else {
                row.payload = row.payload.as_ref().map(|text| put(text, from, into));
            }
        };
        said(&change, both);
    }
    let other_kind = |rows: &mut Vec<Entry>| rows[2].kind = "seen".to_owned();
    said(
        &other_kind,
        ["kind `seen` is not known", "slaget `seen` finns inte"],
    );
    let no_time = |rows: &mut Vec<Entry>| rows[1].time = "noon".to_owned();
    said(
        &no_time,
        ["its time is not RFC 3339", "dess tid följer inte RFC 3339"],
    );
}

#[test]
fn why_a_file_is_no_ledger_is_said_in_the_readers_language() {
    let place = Place::open(IUH);
    for (bytes, english, swedish) in [
        (
            vec![b'x'; 100],
            "only 100 bytes of the file are left",
            "bara 100 byte finns kvar av filen",
        ),
        (
            vec![b'x'; 4096],
            "file is not a database",
            "filen är ingen databas",
        ),
    ] {
        let copy = Copied::of(&place);
        for beside in ["ledger.sqlite-wal", "ledger.sqlite-shm"] {
            let _ = std::fs::remove_file(copy.folder.path().join(beside));
        }
        std::fs::write(copy.folder.path().join("ledger.sqlite"), bytes).unwrap();
        for (lang, sentence) in [("en", english), ("sv", swedish)] {
            let ran = run(&["status", "--lang", lang], copy.folder.path());
            assert!(
                ran.code == 8 && ran.err.contains(sentence),
                "{lang}: {}",
                ran.err
            );
            assert!(lang == "en" || !ran.err.contains(english), "{}", ran.err);
        }
    }
}
