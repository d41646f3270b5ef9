//! Erasures beside processes that write: what was erased comes back in no file and in no fold.
#![cfg(unix)]

use std::process::Stdio;

use super::forged_projection::{act, outside, request};
use super::place::{IUH, Place, family};
use super::projection::{KEPT, PLAIN, long};
use lottning::app::enrol::Desk;
use lottning::app::permission::Deed;
use lottning::app::study::{Act, Study, Work};
use lottning::study::journal::{Content, Recording};
use lottning::study::kernel::What;

fn erase_words(place: &Place, name: &str) -> String {
    let confirm = place.confirm();
    format!("erase --family {name} --reason retention --confirm {confirm}")
}

/// The names of files in the study folder that hold a text.
fn holding(place: &Place, text: &str) -> Vec<String> {
    let files = std::fs::read_dir(place.path("study")).unwrap();
    files
        .map(|file| file.unwrap().path())
        .filter(|path| {
            let bytes = std::fs::read(path).unwrap();
            bytes.windows(text.len()).any(|own| own == text.as_bytes())
        })
        .map(|path| path.display().to_string())
        .collect()
}

#[test]
fn a_desk_that_stays_open_forgets_what_another_process_erased() {
    let place = long();
    let outside = outside(&place);
    let seeds = ["keys/seed".into()];
    let mut desk = Desk::open(&outside, "study".as_ref(), &seeds).unwrap();
    let enrolled = desk
        .enrol(&outside, &act(), &request(&family(600)))
        .unwrap();
    assert_eq!(enrolled.allocation, Some(516));
    let erased = place.run(&format!(
        "{} --study study --actor lead --at 2025-06-01T09:00:00Z",
        erase_words(&place, &family(7))
    ));
    assert_eq!(erased.code, 0, "{}", erased.err);
    // This one knew the name; the next write sees the erasure.
    let later = Act {
        at: Some("2025-06-01T10:00:00Z".into()),
        ..act()
    };
    let enrolled = desk
        .enrol(&outside, &later, &request(&family(601)))
        .unwrap();
    assert_eq!(enrolled.allocation, Some(517));
    let journal = &desk.study().journal;
    assert!(journal.names.family(&family(7)).is_none());
    assert!(!journal.is_projected(), "folded from the rows");
    // Under the erased name comes a family that nobody knows.
    let enrolled = desk.enrol(&outside, &later, &request(&family(7))).unwrap();
    assert_eq!(
        (enrolled.outcome, enrolled.allocation),
        ("allocated", Some(518))
    );
    place.verify();
}

/// A fold from before the erasure is ready to be kept; the erasure comes first.
#[test]
fn a_writer_that_keeps_late_brings_no_erased_name_back() {
    let place = long();
    std::fs::remove_file(place.path(KEPT)).unwrap();
    let outside = outside(&place);
    let seeds = ["keys/seed".into()];
    let mut desk = Desk::open(&outside, "study".as_ref(), &seeds).unwrap();
    desk.enrol(&outside, &act(), &request(&family(600)))
        .unwrap();
    let erased = place.run(&format!(
        "{} --study study --actor lead --at 2025-06-01T09:00:00Z",
        erase_words(&place, &family(7))
    ));
    assert_eq!(erased.code, 0, "{}", erased.err);
    desk.study().keep(&outside);
    assert_eq!(holding(&place, &family(7)), Vec::<String>::new());
    assert!(!place.path(KEPT).exists());
    place.verify();
}

/// Two processes enrol, one records, one imports and one erases, at once and again and again. The projection is removed
/// between, so that it is kept often.
#[test]
fn erasures_race_with_every_kind_of_writer() {
    let place = long();
    let header = "site,family,report_key,received,answer.investigation-opened,answer.immediate-placement,\
                  answer.police-led,field.earlier_reports,field.youngest_age,field.category\n";
    for round in 0..4_usize {
        for name in [KEPT, PLAIN] {
            let _ = std::fs::remove_file(place.path(name));
        }
        let rows: Vec<String> = (0..5)
            .map(|row| {
                let name = family(700 + 10 * round + row);
                format!("skarpnack,{name},R1,2025-03-01,yes,no,no,3,4,violence\n")
            })
            .collect();
        place.write("more.csv", header.to_owned() + &rows.concat());
        let reports = format!(
            "family,received,report_key\n{},2025-05-01,K{round}\n",
            family(400)
        );
        place.write("reports.csv", reports);
        let gone = family(20 + round);
        let words = [
            "enrol --from more.csv --seed-file keys/seed --study study --actor w1".to_owned(),
            format!(
                "{} --study study --actor w2",
                Place::enrol_words("skarpnack", &family(800 + round), "R1")
            ),
            format!(
                "record report --family {} --on 2025-05-02 --event-key L{round} --study study --actor w3",
                family(401)
            ),
            "import report reports.csv --study study --actor w4".to_owned(),
            format!("{} --study study --actor lead", erase_words(&place, &gone)),
        ];
        let children: Vec<_> = words
            .iter()
            .map(|words| {
                let mut command = place.command(words);
                command.stdout(Stdio::piped()).stderr(Stdio::piped());
                command.spawn().unwrap()
            })
            .collect();
        for (child, words) in children.into_iter().zip(&words) {
            let output = child.wait_with_output().unwrap();
            let err = String::from_utf8_lossy(&output.stderr);
            assert_eq!(output.status.code(), Some(0), "{words}: {err}");
        }
        // What a reader in the way kept in the log goes with the last process.
        place.verify();
        let left: Vec<String> = holding(&place, &gone)
            .into_iter()
            .filter(|file| !file.ends_with("-wal"))
            .collect();
        assert_eq!(left, Vec::<String>::new(), "round {round}");
    }
    let status = place.run("status --study study").json(0);
    for name in [KEPT, PLAIN] {
        let _ = std::fs::remove_file(place.path(name));
    }
    assert_eq!(place.run("status --study study").json(0), status);
}

/// Killed while it keeps, or at any other moment: the retry tells what happened, and an erasure leaves nothing beside.
#[test]
fn a_process_that_is_killed_while_it_keeps_loses_nothing() {
    let place = long();
    let file = place.path(KEPT);
    let words = |number: usize| {
        let words = Place::enrol_words("skarpnack", &family(number), "R1");
        format!("{words} --study study --actor a")
    };
    let begun = std::time::Instant::now();
    place.run(&words(600)).json(0);
    let usual = begun.elapsed();
    for kill in 1..=20_u32 {
        let _ = std::fs::remove_file(&file);
        let number = 600 + kill as usize;
        let mut child = place
            .command(&words(number))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // The later half of its life.
        std::thread::sleep(usual * (20 + kill) / 40);
        child.kill().unwrap();
        child.wait().unwrap();
        let retry = place.run(&words(number)).json(0);
        assert_eq!(retry["allocation"], 516 + kill);
    }
    place.verify();
    for name in [KEPT, PLAIN] {
        place.write(&format!("{name}.partial"), family(7));
        place.write(name, family(7));
    }
    let erased = place.run(&format!(
        "{} --study study --actor lead",
        erase_words(&place, &family(7))
    ));
    assert_eq!(erased.code, 0, "{}", erased.err);
    assert_eq!(holding(&place, &family(7)), Vec::<String>::new());
}

/// What is erased never comes back, so the study that would be left is verified before: an erasure of a row that cannot begin a
/// family, as no command makes it, is refused, and takes nothing.
#[test]
fn an_erasure_after_which_the_study_would_not_verify_is_refused() {
    let place = Place::open(IUH);
    place.enrol("KATL", "R1", "").json(0);
    place
        .act("record closed --family KATL --on 2025-03-03 --event-key c1")
        .json(0);
    let outside = outside(&place);
    let lead = Act {
        actor: "lead".into(),
        at: None,
    };
    let erased = |sequences: &[u64]| {
        let mut study = Study::load_to_write(&outside, "study".as_ref()).unwrap();
        study.write(&outside, &lead, Deed::Erase, |journal, _| {
            let family = journal.names.family("KATL").unwrap();
            let public = Content::new()
                .with("reason", "request")
                .with("sequences", sequences.to_vec());
            Ok(Work {
                recordings: vec![Recording::public(What::Erased { family }, public)],
                answer: (),
            })
        })
    };
    let refused = place.unchanged(|| erased(&[4]).unwrap_err());
    assert_eq!((refused.exit, refused.code), (7, "erasure-unverifiable"));
    place.verify();
    erased(&[2, 3, 4]).unwrap();
    place.verify();
}
