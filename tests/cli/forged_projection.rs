//! Projections that somebody without the seed has forged, with sums that fit: none of them changes an allocation.

use std::path::Path;
use std::sync::Arc;

use super::place::Place;
use super::place::family;
use super::projection::{KEPT, PLAIN, long};
use lottning::allocation::{Arm, Mode, Seed};
use lottning::app::enrol::{Desk, Enrolled};
use lottning::app::study::Act;
use lottning::app::{Failure, FixedClock, Outside, Silent, SystemEntropy};
use lottning::protocol::Protocol;
use lottning::protocol::model::Day;
use lottning::study::intake::EnrolRequest;
use lottning::study::journal::{Journal, Stored};
use lottning::study::kernel::{FamilyIx, LockState, ReportIx, SiteIx, Status};

pub(crate) fn outside(place: &Place) -> Outside {
    Outside {
        clock: Box::new(FixedClock("2025-06-01T08:00:00Z".parse().unwrap())),
        entropy: Box::new(SystemEntropy),
        progress: Box::new(Silent),
        folder: place.path("."),
    }
}

pub(crate) fn act() -> Act {
    Act {
        actor: "intake-2".into(),
        at: None,
    }
}

/// A family that misses no criterion, of the stratum of [`long`].
pub(crate) fn request(name: &str) -> EnrolRequest {
    let pairs = |list: &[(&str, &str)]| -> Vec<(String, String)> {
        let own = |(id, value): &(&str, &str)| ((*id).to_owned(), (*value).to_owned());
        list.iter().map(own).collect()
    };
    EnrolRequest {
        site: "skarpnack".into(),
        family: name.into(),
        report_key: "R1".into(),
        received: "2025-03-01".into(),
        answers: pairs(&[
            ("investigation-opened", "yes"),
            ("immediate-placement", "no"),
            ("police-led", "no"),
        ]),
        fields: pairs(&[
            ("earlier_reports", "3"),
            ("youngest_age", "4"),
            ("category", "violence"),
        ]),
        ..EnrolRequest::default()
    }
}

fn sealed(place: &Place) -> Arc<Protocol> {
    let bytes = std::fs::read(place.path("study/protocol.toml")).unwrap();
    Arc::new(lottning::protocol::parse(&bytes).protocol.unwrap())
}

fn journal(bytes: &[u8], protocol: &Arc<Protocol>) -> Journal {
    let stored = Stored::read(Box::new(bytes.to_vec())).unwrap();
    stored.whole_journal(protocol).unwrap()
}

/// A copy of the study under another name, with these projections and no others.
fn copied(place: &Place, to: &str, projections: &[(&str, &[u8])]) {
    let _ = std::fs::remove_dir_all(place.path(to));
    std::fs::create_dir(place.path(to)).unwrap();
    for file in std::fs::read_dir(place.path("study")).unwrap() {
        let file = file.unwrap();
        let name = file.file_name();
        if !name.to_string_lossy().starts_with("ledger.projection") {
            std::fs::copy(file.path(), place.path(to).join(name)).unwrap();
        }
    }
    for (name, bytes) in projections {
        let name = Path::new(name).file_name().unwrap();
        std::fs::write(place.path(to).join(name), bytes).unwrap();
    }
}

/// What enrolment answers, without the head, in which salts are.
type Answer = (String, Option<String>, Option<u32>, bool);

/// Seven families that nobody knows and one that was drawn, at a desk of a copy of the study.
fn answers(place: &Place, to: &str) -> Result<Vec<Answer>, Failure> {
    let outside = outside(place);
    let mut desk = Desk::open(&outside, Path::new(to), &["keys/seed".into()])?;
    [600, 601, 511, 602, 603, 604, 605, 606]
        .map(|number| {
            let enrolled = desk.enrol(&outside, &act(), &request(&family(number)))?;
            let Enrolled {
                outcome,
                arm,
                allocation,
                replayed,
                ..
            } = enrolled;
            Ok((outcome.to_owned(), arm, allocation, replayed))
        })
        .into_iter()
        .collect()
}

/// What is changed in a fold.
type Forge = fn(&mut Journal);

/// A change of everything that a projection holds and that decides who is drawn to what. The second part says whether it
/// would move an answer, were it believed.
fn forged() -> Vec<(&'static str, bool, Forge)> {
    vec![
        // The family that it was of is asked for whenever the same report comes again, and has a number too many.
        ("the last allocation is gone", false, |own| {
            own.state.allocations.pop();
            let stratum = own.state.draws.iter().position(|draws| *draws > 0);
            own.state.draws[stratum.unwrap()] -= 1;
        }),
        ("every other allocation is to the other arm", true, |own| {
            for drawn in own.state.allocations.iter_mut().step_by(2) {
                drawn.arm = Arm(0);
            }
        }),
        ("allocations lie in another stratum", true, |own| {
            let from = own.state.allocations[0].stratum;
            let to = u32::from(from == 0);
            for (number, drawn) in (0..).zip(&mut own.state.allocations) {
                drawn.stratum = to;
                drawn.draw = number;
            }
            own.state.draws.swap(from as usize, to as usize);
        }),
        ("a draw more", false, |own| {
            own.state.draws.iter_mut().for_each(|draws| *draws += 1);
        }),
        ("draws at the end of numbers", false, |own| {
            own.state.draws.fill(u32::MAX);
        }),
        ("no therapists", true, |own| {
            own.state
                .sites
                .iter_mut()
                .for_each(|site| site.therapists = 0);
        }),
        ("therapists without number", false, |own| {
            for site in &mut own.state.sites {
                site.therapists = u32::MAX;
            }
        }),
        ("slots without number", false, |own| {
            own.state
                .sites
                .iter_mut()
                .for_each(|site| site.taken = u32::MAX);
        }),
        ("every site is closed", true, |own| {
            own.state
                .sites
                .iter_mut()
                .for_each(|site| site.closed = true);
        }),
        ("sites open later", true, |own| {
            for site in &mut own.state.sites {
                site.opens = Day(30_000);
            }
        }),
        ("enrolment is over", true, |own| {
            own.state.closed = true;
        }),
        ("seeds are published", false, |own| {
            own.state.revealed = true;
        }),
        ("a lock", false, |own| {
            own.state.locks.push(LockState {
                lock: 0,
                cut: Day(20_000),
                sequence: 5,
            });
        }),
        ("a rehearsal", true, |own| {
            own.opening.as_mut().unwrap().mode = Mode::Rehearsal;
        }),
        ("a beacon", true, |own| {
            own.opening.as_mut().unwrap().beacons = vec![Some("00".repeat(32))];
        }),
        ("another commitment", true, |own| {
            own.opening.as_mut().unwrap().commitments = vec!["00".repeat(32)];
        }),
        ("it was never opened", true, |own| {
            own.opening = None;
        }),
        ("another epoch", false, |own| {
            own.state.epoch = 1;
        }),
        ("the last family was never drawn", true, |own| {
            own.state.families[511].status = Status::Unscreened;
            own.state.families[511].allocation = 0;
        }),
        ("its name is another family's", true, |own| {
            own.state.families[511].linked_to = Some(FamilyIx(3));
        }),
        ("arms", false, |own| {
            for family in &mut own.state.families {
                family.arm = Arm(1 - family.arm.0);
            }
        }),
        ("fewer families", false, |own| {
            own.names = lottning::study::journal::Names::default();
        }),
        ("reports of nobody", false, |own| {
            own.state.reports[0].received = Day(i32::MAX);
        }),
        ("a gate that closed", false, |own| {
            own.state.families[0].turned_away = true;
            own.state.families[0].report = ReportIx(0);
        }),
        ("the site of a family", false, |own| {
            own.state.families[511].site = SiteIx(1);
        }),
        ("somebody's other duty", true, |own| {
            let state = own.state.clone();
            let site = SiteIx(0);
            let on = Day(20_000);
            own.duties.note(
                "intake-2",
                &lottning::study::kernel::What::SiteClosed { site, on },
                &state,
            );
        }),
        ("a day to come", false, |own| {
            own.state.last_day = Day(i32::MAX);
        }),
        ("a time to come", false, |own| {
            own.last_time = Some("2199-01-01T00:00:00Z".parse().unwrap());
        }),
        ("another head", false, |own| own.head.hash[0] ^= 1),
        ("a longer ledger", false, |own| {
            own.head.sequence = u64::MAX;
        }),
    ]
}

#[test]
fn no_forged_projection_changes_an_allocation() {
    let place = long();
    let protocol = sealed(&place);
    let kept = std::fs::read(place.path(KEPT)).unwrap();
    let sound = journal(&kept, &protocol);
    let text = std::fs::read_to_string(place.path("keys/seed")).unwrap();
    let seed = Seed::from_hex(&text).unwrap();
    copied(&place, "honest", &[]);
    let honest = answers(&place, "honest").unwrap();
    assert_eq!(
        honest[2].2,
        Some(512),
        "a family that was drawn is told its arm again"
    );
    assert!(honest.iter().all(|own| own.0 == "allocated"));
    // The sound one is used, and tells the same.
    copied(&place, "sound", &[(KEPT, &kept)]);
    assert_eq!(answers(&place, "sound").unwrap(), honest);
    let mut idle = Vec::new();
    for (what, moves, forge) in forged() {
        let mut own = sound.clone();
        forge(&mut own);
        let plain = own.projection(None).unwrap();
        // The code of the sound one, as who has copied it would leave it.
        let mut borrowed = plain.clone();
        borrowed[40..72].copy_from_slice(&kept[40..72]);
        let without = [(PLAIN, &plain[..])];
        let both = [(PLAIN, &plain[..]), (KEPT, &borrowed[..])];
        let beside = [(PLAIN, &plain[..]), (KEPT, &kept[..])];
        for (files, projections) in [("one", &without[..]), ("two", &both), ("beside", &beside)] {
            copied(&place, "forged", projections);
            match answers(&place, "forged") {
                Ok(found) => assert_eq!(found, honest, "{what}, {files}"),
                // A head that the ledger does not have.
                Err(refused) => assert_eq!(refused.code, "rows-missing", "{what}, {files}"),
            }
        }
        // The test can fail: with the seed's code the same bytes are believed.
        if moves {
            let vouched = own.projection(Some(&seed)).unwrap();
            copied(&place, "vouched", &[(KEPT, &vouched)]);
            let found = answers(&place, "vouched").ok();
            idle.extend((found.as_ref() == Some(&honest)).then_some(what));
        }
    }
    assert_eq!(idle, Vec::<&str>::new(), "moves nothing");
}

/// `record` has no seed: it keeps a projection of its own and leaves the other one, which enrolment goes on from.
#[test]
fn who_has_no_seed_keeps_another_file_and_costs_enrolment_no_fold() {
    let place = long();
    let kept = std::fs::read(place.path(KEPT)).unwrap();
    let header = "family,received,report_key\n".to_owned();
    let rows: Vec<String> = (0..400)
        .map(|number| format!("{},2025-03-02,K{number}\n", family(number)))
        .collect();
    place.write("reports.csv", header + &rows.concat());
    assert!(!place.path(PLAIN).exists());
    let imported = place.act("import report reports.csv");
    assert_eq!(imported.code, 0, "{}", imported.err);
    assert_eq!(std::fs::read(place.path(KEPT)).unwrap(), kept);
    let plain = std::fs::read(place.path(PLAIN)).unwrap();
    let rows = |bytes: &[u8]| {
        Stored::read(Box::new(bytes.to_vec()))
            .unwrap()
            .head()
            .sequence
    };
    let imported = rows(&plain);
    assert_eq!(imported, place.entries().len() as u64);
    let text = std::fs::read_to_string(place.path("keys/seed")).unwrap();
    let seed = Seed::from_hex(&text).unwrap();
    for (bytes, vouched) in [(&kept, true), (&plain, false)] {
        let stored = Stored::read(Box::new(bytes.clone())).unwrap();
        assert_eq!(stored.is_vouched_for_by(&seed), vouched);
        let other = Seed::from_bytes([7; 32]);
        assert!(!stored.is_vouched_for_by(&other));
    }
    // Enrolment goes on from its own, past the rows since; reading takes the newer one.
    let outside = outside(&place);
    let mut desk = Desk::open(&outside, Path::new("study"), &["keys/seed".into()]).unwrap();
    assert!(desk.study().journal.is_projected());
    let enrolled = desk
        .enrol(&outside, &act(), &request(&family(600)))
        .unwrap();
    assert_eq!(enrolled.allocation, Some(516));
    assert!(desk.study().journal.is_projected());
    desk.study().keep(&outside);
    let again = std::fs::read(place.path(KEPT)).unwrap();
    assert_eq!(rows(&again), imported + 2, "a screening and a draw");
    let verified = place.verify();
    assert_eq!(verified["findings"], serde_json::json!([]));
    // Of both files `verify` sees one that differs.
    let protocol = sealed(&place);
    for name in [PLAIN, KEPT] {
        let bytes = std::fs::read(place.path(name)).unwrap();
        let mut own = journal(&bytes, &protocol);
        own.state.families[3].turned_away = true;
        place.write(name, own.projection(None).unwrap());
        let found = place
            .run("verify --study study --seed-file keys/seed")
            .json(8);
        assert_eq!(found["findings"][0]["code"], "projection-differs");
        place.write(name, bytes);
    }
    place.verify();
}
