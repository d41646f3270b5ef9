//! Families through the command: links, corrections and erasures, on the file as it lies on the disk.

use std::process::Stdio;

use super::place::{IUH, Place, family};

fn link(place: &Place, family: &str, other: &str, more: &str) -> super::place::Ran {
    place.act(&format!(
        "record linked --family {family} --set other={other} --on 2025-03-03 --event-key L-{family}-{other} {more}"
    ))
}

/// Every byte that the study keeps: the ledger, its log, and whatever lies beside them.
fn bytes(place: &Place) -> Vec<u8> {
    let files = std::fs::read_dir(place.path("study")).unwrap();
    files
        .map(|file| file.unwrap().path())
        .filter(|path| path.is_file())
        .flat_map(|path| std::fs::read(path).unwrap())
        .collect()
}

/// The independent verifier agrees.
fn agreed(place: &Place) {
    let out = std::process::Command::new("python3")
        .args([super::verifier::SCRIPT, "study", "--seed-file", "keys/seed"])
        .current_dir(place.path(""))
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&out.stdout);
    assert!(out.status.success(), "{text}");
}

fn lies_in(bytes: &[u8], text: &str) -> bool {
    bytes
        .windows(text.len())
        .any(|part| part == text.as_bytes())
}

#[test]
fn a_second_household_is_told_the_family_and_linked_by_the_study_lead() {
    let place = Place::open(IUH);
    let first = place.enrol("KATL", "R1", "--child BARN-AA").json(0);
    let refused = place.unchanged(|| place.enrol("MORU", "R2", "--child BARN-AA"));
    refused.refused(4, "child-of-another-family");
    assert!(
        refused.err.contains("BARN-AA belongs to KATL"),
        "{}",
        refused.err
    );
    // The whole command, with the name that was typed.
    let told = "lottning record linked --family KATL --set other=MORU --on DATE --event-key KEY";
    let flat = refused.err.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(flat.replace(" │ ", " ").contains(told), "{flat}");
    let receipt = link(&place, "KATL", "MORU", "").json(0);
    assert_eq!(
        (&receipt["event"], &receipt["sequence"]),
        (&"linked".into(), &4.into())
    );
    let again = place.enrol("MORU", "R2", "--child BARN-AA").json(0);
    assert_eq!(
        (&again["outcome"], &again["arm"]),
        (&"returned".into(), &first["arm"])
    );
    assert_eq!(again["allocation"], 1);
    assert_eq!(link(&place, "KATL", "MORU", "").json(0)["replayed"], true);
    link(&place, "MORU", "KATL", "").refused(7, "already-linked");
    link(&place, "NOBO", "DYNO", "").refused(4, "unknown-family");
    let status = place.run("status --study study").json(0);
    assert_eq!(
        (&status["screened"], &status["linked"]),
        (&1.into(), &0.into())
    );
    place.verify();
}

/// A family is called by its index child, so a name of a child and a name of a family are names of persons: nobody is drawn
/// under both.
#[test]
fn one_person_is_not_drawn_as_a_child_and_as_a_family() {
    let place = Place::open(IUH);
    let first = place.enrol("KATL", "R1", "--child BARN-AA").json(0);
    for (name, more, child) in [
        ("BARN-AA", "", "BARN-AA"),
        ("MORU", "--child KATL", "KATL"),
        ("MORU", "--child BARN-BB --child KATL", "KATL"),
    ] {
        let refused = place.unchanged(|| place.enrol(name, "R2", more));
        refused.refused(4, "child-of-another-family");
        let told = format!("child {child} belongs to KATL");
        assert!(refused.err.contains(&told), "{}", refused.err);
        assert!(refused.err.contains("--family KATL"), "{}", refused.err);
    }
    // A drawn family does not take another drawn family in as a child either.
    place.enrol("SOLE", "R1", "").json(0);
    place
        .unchanged(|| place.enrol("SOLE", "R2", "--child KATL"))
        .refused(4, "child-of-another-family");
    // The index child may be named among its own children, and a request that was carried out is answered.
    let own = place.enrol("SILL", "R1", "--child SILL").json(0);
    assert_eq!(own["outcome"], "allocated");
    let again = place.enrol("KATL", "R1", "--child BARN-AA").json(0);
    assert_eq!(
        (&again["replayed"], &again["arm"]),
        (&true.into(), &first["arm"])
    );
    // A child who got another pseudonym is called by the one that was typed, also where it is not known yet.
    let other = "record linked --family KATL --child BARN-AA --set other_child=NYTT-AA --on 2025-03-03 --event-key LC";
    place.act(other).json(0);
    let refused = place.unchanged(|| place.enrol("SOLE", "R3", "--child NYTT-AA"));
    refused.refused(4, "child-of-another-family");
    assert!(
        refused.err.contains("child NYTT-AA belongs to KATL"),
        "{}",
        refused.err
    );
    let words = "record linked --family SILL --child SILL --set other_child=NYTT-AA --on 2025-03-03 --event-key LD";
    let refused = place.unchanged(|| place.act(words));
    refused.refused(4, "child-of-another-family");
    assert!(
        refused.err.contains("child NYTT-AA belongs to KATL"),
        "{}",
        refused.err
    );
    // Once the study lead has said that the two are one, the child's name is answered with the arm of the family.
    link(&place, "KATL", "BARN-AA", "").json(0);
    let linked = place.enrol("BARN-AA", "R2", "").json(0);
    assert_eq!(
        (&linked["outcome"], &linked["arm"]),
        (&"returned".into(), &first["arm"])
    );
    place.verify();
    agreed(&place);
}

/// A link chooses whose arm holds: nobody who screens families makes one, and nobody who has made one screens.
#[test]
fn who_screens_families_links_none() {
    let place = Place::open(IUH);
    place.enrol("KATL", "R1", "--child BARN-AA").json(0);
    // However the id is written.
    for actor in ["intake-1", "Intake_1", "INTAKE.1"] {
        let words = "record linked --family KATL --set other=MORU --on 2025-03-03 --event-key L1";
        place
            .unchanged(|| place.act_as(actor, words))
            .refused(4, "duties-mixed");
    }
    // A child's new number is intake's daily work, and joins no families.
    let number = "record linked --family KATL --child BARN-AA --set other_child=BARN-BB --on 2025-03-03 --event-key L2";
    place.act_as("intake-1", number).json(0);
    place.enrol("KATL", "R2", "--child BARN-BB").json(0);
    agreed(&place);
    link(&place, "KATL", "MORU", "").json(0);
    let words = Place::enrol_words("skarpnack", "SILL", "R1");
    place
        .unchanged(|| place.act_as("lead", &words))
        .refused(4, "duties-mixed");
    place.verify();
}

/// The request of a draw that a link overtook is answered with the draw that governs.
#[test]
fn a_repeated_request_tells_the_arm_of_the_unit() {
    let place = Place::open(IUH);
    let first = place.enrol("KATL", "R1", "").json(0);
    let second = (0..30)
        .map(family)
        .find(|name| place.enrol(name, "R1", "").json(0)["arm"] != first["arm"])
        .unwrap();
    link(&place, "KATL", &second, "").json(0);
    let again = place.enrol(&second, "R1", "").json(0);
    assert_eq!(again["replayed"], true);
    assert_eq!(
        (&again["outcome"], &again["arm"], &again["allocation"]),
        (&"allocated".into(), &first["arm"], &1.into())
    );
    assert_eq!(again["warnings"][0]["code"], "families-linked");
    assert!(again["warnings"].to_string().contains("KATL"), "{again}");
    let own = place.enrol("KATL", "R1", "").json(0);
    assert_eq!(own["warnings"].as_array().map_or(0, Vec::len), 0, "{own}");
    place.verify();
}

/// What a link means is said before it is recorded, and a wrong one is taken back: the other name is a family of its own again,
/// to both programs, and to another process that had followed the link.
#[test]
fn a_wrong_link_is_said_beforehand_and_taken_back() {
    let place = Place::open(IUH);
    place.enrol("KATL", "R1", "").json(0);
    let words = "record linked --family MORU --set other=KATL --on 2025-03-03 --event-key L1";
    let tried = place
        .unchanged(|| place.act(&format!("{words} --dry-run")))
        .json(0);
    assert_eq!(
        (&tried["dry_run"], &tried["sequence"]),
        (&true.into(), &3.into())
    );
    assert_eq!(tried["warnings"][0]["code"], "link-recorded");
    // Whoever screens families is refused alike, in earnest and as a dry run.
    place.write(
        "links.csv",
        "family,other,on,event_key\nMORU,KATL,2025-03-03,L1\n",
    );
    for words in [words, "import linked links.csv"] {
        for words in [format!("{words} --dry-run"), words.to_owned()] {
            place
                .unchanged(|| place.act_as("intake-1", &words))
                .refused(4, "duties-mixed");
        }
    }
    let linked = place.act(words).json(0);
    assert_eq!(linked["warnings"][0]["code"], "link-recorded");
    assert_eq!(place.enrol("MORU", "R2", "").json(0)["outcome"], "returned");
    let back = "record corrected --family KATL --on 2025-03-03 --event-key K1 --set sequence=4 --set reason=mistaken";
    place
        .unchanged(|| place.act_as("lead", &back.replace("=4", "=5")))
        .refused(7, "not-retractable");
    place.write(
        "k.csv",
        "family,on,event_key,sequence,reason\nKATL,2025-03-03,K1,4,mistaken\nKATL,2025-03-03,K2,4,mistaken\n",
    );
    place
        .unchanged(|| place.act_as("lead", "import corrected k.csv"))
        .refused(4, "link-taken-back-alone");
    let receipt = place.act_as("lead", back).json(0);
    assert_eq!(receipt["warnings"][0]["code"], "link-taken-back");
    assert_eq!(place.act_as("lead", back).json(0)["replayed"], true);
    let own = place.enrol("MORU", "R2", "").json(0);
    assert_eq!(
        (&own["outcome"], &own["allocation"]),
        (&"allocated".into(), &2.into())
    );
    let status = place.run("status --study study").json(0);
    assert_eq!(
        (
            &status["screened"],
            &status["randomized"],
            &status["linked"]
        ),
        (&2.into(), &2.into(), &0.into())
    );
    place.verify();
    agreed(&place);
    // Whoever erases MORU erases the row that named it together with KATL.
    let confirm = place.confirm().to_owned();
    let erase = format!("erase --family MORU --reason request --confirm {confirm}");
    let receipt = place.act_as("lead", &erase).json(0);
    assert_eq!(receipt["warnings"][0]["code"], "name-forgotten");
    let text: Vec<_> = place
        .entries()
        .iter()
        .filter_map(|row| row.payload.clone())
        .collect();
    assert!(text.iter().all(|own| !own.contains("MORU")), "{text:?}");
    place.verify();
    agreed(&place);
}

/// Two draws that are one family have a slot each: service that is closed under both names with one key is not taken for a
/// repetition.
#[test]
fn the_service_of_a_second_draw_has_a_key_of_its_own() {
    let place = Place::open(IUH);
    place.enrol("KATL", "R1", "").json(0);
    place.enrol("MORU", "R1", "").json(0);
    link(&place, "KATL", "MORU", "").json(0);
    let close = |family: &str, key: &str| {
        place.act(&format!(
            "record closed --family {family} --on 2025-03-03 --event-key {key}"
        ))
    };
    assert_eq!(close("KATL", "C1").json(0)["replayed"], false);
    assert_eq!(close("KATL", "C1").json(0)["replayed"], true);
    place
        .unchanged(|| close("MORU", "C1"))
        .refused(6, "key-reused");
    assert_eq!(close("MORU", "C2").json(0)["replayed"], false);
    place.verify();
    agreed(&place);
}

/// A file that its owner alone reads, where the system has modes.
#[cfg(unix)]
fn owned(path: &std::path::Path) {
    use std::os::unix::fs::PermissionsExt;
    let mode = std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let expected = if path.is_dir() { 0o700 } else { 0o600 };
    assert_eq!(mode, expected, "{}", path.display());
}

#[cfg(not(unix))]
fn owned(_: &std::path::Path) {}

/// Only the account that opened the study reads it, whatever its mask.
#[cfg(unix)]
#[test]
fn what_a_study_keeps_is_readable_by_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let place = Place::open(IUH);
    place.enrol("KATL", "R1", "").json(0);
    place.act_as("lead", "export --proof proof").json(0);
    let mode = |name: &str| {
        let found = std::fs::metadata(place.path(name)).unwrap();
        found.permissions().mode() & 0o777
    };
    assert_eq!(mode("study"), 0o700);
    for file in [
        "study/ledger.sqlite",
        "proof/proof.html",
        "proof/proof.json",
    ] {
        assert_eq!(mode(file), 0o600, "{file}");
    }
    let connection = rusqlite::Connection::open(place.path("study/ledger.sqlite")).unwrap();
    connection
        .query_row("SELECT count(*) FROM event", [], |row| row.get::<_, i64>(0))
        .unwrap();
    for file in ["study/ledger.sqlite-wal", "study/ledger.sqlite-shm"] {
        assert_eq!(mode(file), 0o600, "{file}");
    }
}

/// Two sites enrol the two children of one family at the same moment: whoever comes second is told whose child it is.
#[test]
fn two_sites_at_once_draw_a_shared_child_once() {
    let place = Place::open(IUH);
    let at = place.tick();
    let children: Vec<_> = [("skarpnack", "KATL"), ("rinkeby-kista", "MORU")]
        .iter()
        .map(|(site, name)| {
            let words = Place::enrol_words(site, name, "R1");
            let words = format!("{words} --child BARN-AA --study study --actor intake-1 --at {at}");
            let mut command = place.command(&words);
            command.stdout(Stdio::piped()).stderr(Stdio::piped());
            command.spawn().unwrap()
        })
        .collect();
    let mut exits: Vec<i32> = children
        .into_iter()
        .map(|child| child.wait_with_output().unwrap().status.code().unwrap())
        .collect();
    exits.sort_unstable();
    assert_eq!(exits, [0, 4]);
    assert_eq!(place.verify()["allocations"], 1);
}

#[test]
fn links_are_imported_all_or_none() {
    let place = Place::open(IUH);
    place.enrol("KATL", "R1", "").json(0);
    place.write(
        "l.csv",
        "family,other,on,event_key\nKATL,MORU,2025-03-03,L1\nMORU,KATL,2025-03-03,L2\n",
    );
    place
        .unchanged(|| place.act("import linked l.csv"))
        .refused(4, "already-linked");
    place.write(
        "l.csv",
        "family,other,on,event_key\nKATL,MORU,2025-03-03,L1\nMORU,SILL,2025-03-03,L2\n",
    );
    assert_eq!(place.act("import linked l.csv").json(0)["recorded"], 2);
    assert_eq!(place.enrol("SILL", "R5", "").json(0)["outcome"], "returned");
    place.verify();
}

#[test]
fn a_correction_frees_the_report_key_for_what_was_right() {
    let place = Place::open(IUH);
    place.enrol("KATL", "R1", "").json(0);
    let wrong = "record report --family KATL --on 2025-03-03 --event-key R2";
    let sequence = place.act(wrong).json(0)["sequence"].clone();
    let right = "record report --family KATL --on 2025-03-02 --event-key R2";
    place.act(right).refused(6, "key-reused");
    let correct = format!(
        "record corrected --family KATL --on 2025-03-03 --event-key K1 --set sequence={sequence} --set reason=mistyped"
    );
    place.act(&correct).json(0);
    assert_eq!(place.act(&correct).json(0)["replayed"], true);
    assert_eq!(place.act(wrong).json(0)["replayed"], true);
    assert_eq!(place.act(right).json(0)["replayed"], false);
    place
        .act("record corrected --family KATL --on 2025-03-03 --event-key K2 --set sequence=3 --set reason=x")
        .refused(7, "not-retractable");
    place.verify();
}

/// Enough families that rows lie on many pages, and children enough that one row needs pages of its own.
#[test]
fn an_erased_family_is_gone_from_the_files_and_the_study_goes_on() {
    let place = Place::open(&IUH.replace("therapists = 2", "therapists = 99"));
    let children: Vec<String> = (100..124).map(family).collect();
    let children = children.join(" --child KATLKATL-KATLKATL-KATLKATL-KATLKATL-");
    let children = format!("--child KATLKATL-{children}");
    for number in 0..8 {
        place.enrol(&family(number), "R1", "").json(0);
    }
    let arm = place.enrol("KATLMORU", "R77", &children).json(0)["arm"].clone();
    link(&place, "KATLMORU", "OTHERHUS", "").json(0);
    place
        .act("record report --family OTHERHUS --on 2025-03-03 --event-key R78")
        .json(0);
    for number in 8..29 {
        place.enrol(&family(number), "R1", "").json(0);
    }
    let before = place.entries();
    let (verified, confirm) = (place.verify(), place.confirm());
    for text in ["KATLMORU", "OTHERHUS", "KATLKATL"] {
        assert!(lies_in(&bytes(&place), text), "{text}");
    }
    place
        .unchanged(|| place.act("erase --family KATLMORU --reason gallring --confirm 00000000"))
        .refused(2, "confirm-mismatch");
    let erase = format!("erase --family OTHERHUS --reason gallring --confirm {confirm}");
    let receipt = place.act(&erase).json(0);
    assert_eq!(receipt["event"], "erased");
    for text in ["KATLMORU", "OTHERHUS", "KATLKATL", "R77", "R78"] {
        assert!(!lies_in(&bytes(&place), text), "{text} is still there");
    }
    assert!(lies_in(&bytes(&place), "FA-AAA"), "nobody else is gone");
    // The chain holds, every draw is derived again, and no row but those of the family has changed.
    let after = place.verify();
    assert_eq!(after["allocations"], verified["allocations"]);
    let entries = place.entries();
    let gone: Vec<u64> = entries
        .iter()
        .filter(|entry| entry.payload.is_none())
        .map(|entry| entry.sequence)
        .collect();
    let named: Vec<u64> = before
        .iter()
        .filter(|entry| {
            let payload = entry.payload.as_deref().unwrap();
            payload.contains("KATLMORU") || payload.contains("OTHERHUS")
        })
        .map(|entry| entry.sequence)
        .collect();
    assert_eq!(gone, named);
    for (old, new) in before.iter().zip(&entries) {
        assert_eq!((old.hash, &old.public), (new.hash, &new.public));
    }
    let last = entries.last().unwrap();
    assert_eq!(last.kind, "erased");
    assert_eq!(last.payload.as_deref(), Some("{}"));
    // Again: there is no such family any more. The name can be given to a family that is drawn anew.
    place
        .unchanged(|| place.act(&erase))
        .refused(4, "unknown-family");
    let status = place.run("status --study study").json(0);
    assert_eq!(
        (&status["erased"], &status["randomized"]),
        (&1.into(), &30.into())
    );
    let anew = place.enrol("KATLMORU", "R77", "").json(0);
    assert_eq!(
        (&anew["outcome"], &anew["allocation"]),
        (&"allocated".into(), &31.into())
    );
    assert!(arm.is_string());
    place.verify();
    agreed(&place);
}

#[test]
fn two_linked_draws_are_erased_together_and_keep_their_draws() {
    let place = Place::open(IUH);
    for name in ["KATL", "MORU", "SILL"] {
        place.enrol(name, "R1", "").json(0);
    }
    link(&place, "KATL", "MORU", "").json(0);
    place
        .act("record closed --family MORU --on 2025-03-03 --event-key C1")
        .json(0);
    let erase = format!(
        "erase --family MORU --reason request --confirm {}",
        place.confirm()
    );
    place.act(&erase).json(0);
    let erased = place
        .entries()
        .iter()
        .filter(|entry| entry.kind == "erased")
        .count();
    assert_eq!(erased, 2, "a row for each draw");
    assert_eq!(place.verify()["allocations"], 3);
    assert_eq!(place.run("status --study study").json(0)["erased"], 2);
    place.enrol("SILL", "R2", "").json(0);
    agreed(&place);
}

#[test]
fn a_personal_number_is_refused_in_links_corrections_and_erasures() {
    let place = Place::open(IUH);
    place.enrol("KATL", "R1", "--child BARN-AA").json(0);
    let confirm = place.confirm();
    // An official open test number of the Swedish Tax Agency (CC0); nobody has it.
    let number = "191212121212";
    for words in [
        format!("record linked --family KATL --set other={number} --on 2025-03-03 --event-key L1"),
        format!("record linked --family {number} --set other=KATL --on 2025-03-03 --event-key L1"),
        format!(
            "record linked --family KATL --child BARN-AA --set other_child={number} --on 2025-03-03 --event-key L1"
        ),
        format!(
            "record linked --family KATL --child {number} --set other_child=BARN-BB --on 2025-03-03 --event-key L1"
        ),
        format!(
            "record corrected --family KATL --set sequence=2 --set reason={number} --on 2025-03-03 --event-key K1"
        ),
        format!(
            "record corrected --family KATL --set sequence={number} --set reason=x --on 2025-03-03 --event-key K1"
        ),
        format!("erase --family {number} --reason x --confirm {confirm}"),
        format!("erase --family KATL --reason {number} --confirm {confirm}"),
    ] {
        let ran = place.unchanged(|| place.act(&words));
        assert_eq!(ran.code, 4, "{words}");
        assert!(
            !ran.err.contains(number) && ran.out.is_empty(),
            "{}",
            ran.err
        );
    }
}

/// Forty families are followed to the end; one is erased before the lock, one after it. The lock's results leave both
/// out, say so, and the report is made; the chain and every draw still verify.
#[test]
fn a_study_with_erasures_is_locked_analysed_and_reported() {
    let place = Place::open(&super::place::two_arms());
    let confirm = place.confirm().to_owned();
    for number in 0..40 {
        let (name, site) = (family(number), ["north", "south"][number % 2]);
        let children = match number {
            7 => "--child SYSK-AA",
            8 => "--child BARN-AA",
            _ => "",
        };
        place
            .act(&format!(
                "enrol --site {site} --family {name} {children} --report-key R1 --received 2025-03-01 \
                 --answer consent=yes --field earlier_reports=3 --seed-file keys/seed"
            ))
            .json(0);
        if number % 3 == 0 {
            let words = format!("record report --family {name} --on 2025-03-03 --event-key R2");
            place.act(&words).json(0);
        }
    }
    place.days(900);
    // Reports of one family: of a child that another one named, of its own, and of a stranger.
    for (key, child) in [("R3", "SYSK-AA"), ("R4", "BARN-AA"), ("R5", "OKND-AA")] {
        let name = family(8);
        let words = format!("record report --family {name} --on 2025-03-04 --event-key {key}");
        place.act(&format!("{words} --child {child}")).json(0);
    }
    let erase = |number: usize| {
        let name = family(number);
        let receipt = place
            .act(&format!(
                "erase --family {name} --reason request --confirm {confirm}"
            ))
            .json(0);
        let moved = receipt["warnings"].as_array().unwrap().iter();
        let moved = moved.filter(|own| own["code"] == "erasure-moves-reports");
        moved
            .map(|own| own["message"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    // By hand: of the three reports the first alone named a child that is known no more.
    let moved = erase(7);
    assert!(
        moved.len() == 1 && moved[0].starts_with("1 reports of other families"),
        "{moved:?}"
    );
    place
        .act(&format!("lock final --cut 2027-08-01 --confirm {confirm}"))
        .json(0);
    assert!(erase(12).is_empty());
    let analysed = place.act("analyse --lock final --format json").json(0);
    let primary = &analysed["analyses"][0];
    let seen = primary["arms"].as_array().unwrap();
    let randomized: u64 = seen
        .iter()
        .map(|arm| arm["randomized"].as_u64().unwrap())
        .sum();
    assert_eq!(randomized, 38, "both erased families are left out");
    let codes: Vec<&str> = primary["warnings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|warning| warning["code"].as_str().unwrap())
        .collect();
    assert!(codes.contains(&"families-erased"), "{codes:?}");
    let warnings = primary["warnings"].as_array().unwrap().iter();
    let mut unknown = warnings.filter(|own| own["code"] == "child-maybe-erased");
    let message = unknown.next().unwrap()["message"].as_str().unwrap();
    assert!(
        message.starts_with("2 reports"),
        "it and the stranger: {message}"
    );
    let ran = place.run("report --study study --lock final");
    assert_eq!(ran.code, 0, "{}", ran.err);
    for entry in std::fs::read_dir(place.path("study/results/final")).unwrap() {
        owned(&entry.unwrap().path());
    }
    let told = place
        .run("status --study study --format table --lang sv")
        .out;
    for line in [
        "Inskrivningen är avslutad genom den slutliga låsningen.",
        "Screenade men inte lottade: 0 uppfyllde inte kriterierna, 0 avvisades vid intagsstopp, 0 undantogs.",
        "Inget avsteg är registrerat.",
        "Senare lottningar av familjer som visade sig vara samma familj: 0; raderade familjer: 2.",
        "Låst: final, med brytdatum 2027-08-01",
    ] {
        assert!(told.contains(line), "{line} in {told}");
    }
    let all = bytes(&place);
    assert!(!lies_in(&all, &family(7)) && !lies_in(&all, &family(12)));
    assert_eq!(place.verify()["draws"], "verified");
    agreed(&place);
}

/// Of a family that was enrolled without a child none is known: the new number of its index child is a new name of the family.
#[test]
fn the_index_child_of_a_family_without_a_roster_gets_another_number_by_its_name() {
    let place = Place::open(IUH);
    place.enrol("KATL-MORU", "R1", "").json(0);
    let day = "--on 2025-03-03 --event-key";
    let refused = place.act(&format!(
        "record linked --family KATL-MORU --child KATL-MORU --set other_child=NYTT-NR {day} l1"
    ));
    refused.refused(4, "unknown-child");
    assert!(refused.err.contains("enrolled without `--child`"));
    let instead = "record linked --family KATL-MORU --set other=NYTT-NR";
    assert!(
        refused
            .err
            .contains("record linked --family KATL-MORU --set other="),
        "{}",
        refused.err
    );
    place.act(&format!("{instead} {day} l2")).json(0);
    let again = place.enrol("NYTT-NR", "R2", "").json(0);
    assert_eq!(again["outcome"], "returned");
    // A family with a roster is told where children come from.
    place.enrol("FA-AA", "R1", "--child BARN-AA").json(0);
    let other = place.act(&format!(
        "record linked --family FA-AA --child BARN-BB --set other_child=BARN-CC {day} l3"
    ));
    other.refused(4, "unknown-child");
    assert!(other.err.contains("a child is named by `lottning enrol`"));
}

/// After an erasure the ledger knows the name no more, so a first screening of an unknown name says so, at any site, for a family
/// can move; a known name is nothing to warn of.
#[test]
fn an_unknown_name_where_a_family_was_erased_is_told() {
    let place = Place::open(IUH);
    place.enrol("KATL", "R1", "").json(0);
    place.enrol("MORU", "R1", "").json(0);
    let confirm = place.confirm().to_owned();
    place
        .act(&format!(
            "erase --family KATL --reason request --confirm {confirm}"
        ))
        .json(0);
    let warned = |ran: super::place::Ran| {
        let told = ran.err.contains("[maybe-erased]");
        (ran.json(0)["outcome"].clone(), told)
    };
    let (outcome, told) = warned(place.enrol("MORU", "R2", ""));
    assert_eq!((outcome.as_str(), told), (Some("returned"), false));
    let other = Place::enrol_words("skarholmen", "SILL", "R1");
    let ran = place.act(&other);
    assert!(ran.err.contains("1, of them 0 at this site"), "{}", ran.err);
    assert!(warned(ran).1);
    assert!(!warned(place.act(&Place::enrol_words("skarholmen", "SILL", "R2"))).1);
    let (outcome, told) = warned(place.enrol("KATL", "R1", ""));
    assert_eq!((outcome.as_str(), told), (Some("allocated"), true));
}

/// A screening and its draw are written together. If the draw's row is cut off, nothing more is written: the family that was drawn
/// would be drawn again, as the next number.
#[test]
fn nothing_is_written_after_a_screening_whose_draw_was_cut_off() {
    let place = Place::open(IUH);
    place.enrol("KATL", "R1", "").json(0);
    place.enrol("MORU", "R1", "").json(0);
    let ledger = rusqlite::Connection::open(place.path("study/ledger.sqlite")).unwrap();
    let last = "DELETE FROM event WHERE sequence = (SELECT max(sequence) FROM event)";
    ledger.execute(last, []).unwrap();
    drop(ledger);
    let _ = std::fs::remove_file(place.path("study/ledger.projection"));
    place.unchanged(|| {
        for family in ["MORU", "SILL"] {
            let refused = place.enrol(family, "R1", "");
            refused.refused(8, "screening-without-outcome");
        }
        place
            .act("record closed --family KATL --on 2025-03-03 --event-key c1")
            .refused(8, "screening-without-outcome");
    });
    let status = place.run("status --study study").json(0);
    assert_eq!(status["cut_off"], true);
    let found = place
        .run("verify --study study --seed-file keys/seed")
        .json(8);
    assert_eq!(found["findings"][0]["code"], "screening-without-outcome");
}
