//! Laws of a study, whatever is asked of it in whatever order.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::in_memory::{Room, eligible, event, site_event, time};
use lottning::allocation::Arm;
use lottning::protocol::model::Day;
use lottning::study::journal::{Content, Entry, Journal, Recording, Stored};
use lottning::study::kernel::{
    ChildIx, Exempted, FamilyIx, LockState, Occurred, ReportIx, SiteIx, Status, Truth, What,
};
use lottning::study::recording::EventRequest;
use lottning::study::verify::{DrawCheck, verify, verify_with};
use proptest::collection::vec;
use proptest::prelude::{Just, ProptestConfig, Strategy, any, prop_oneof, proptest};
use serde_json::Value;

/// One therapist with three families at each site, so that the gate closes soon.
fn protocol() -> String {
    crate::made_up::IUH.replace("therapists = 2", "therapists = 1")
}

const SITES: [&str; 2] = ["skarpnack", "skarholmen"];
const SERVICES: [&str; 9] = [
    "offered",
    "accepted",
    "declined",
    "started",
    "not-started",
    "home-visit",
    "closed",
    "reopened",
    "switched",
];
const ENDS: [&str; 5] = [
    "death",
    "all-children-18",
    "left-coverage",
    "withdrawn",
    "violation",
];

#[derive(Debug, Clone)]
enum Step {
    Enrol {
        site: usize,
        family: usize,
        report: usize,
        child: Option<usize>,
        meets: bool,
        exception: bool,
    },
    Serve {
        service: usize,
        family: usize,
        arm: bool,
        key: usize,
    },
    End {
        end: usize,
        family: usize,
        key: usize,
    },
    Report {
        family: usize,
        report: usize,
    },
    Capacity {
        site: usize,
        therapists: u32,
    },
    Site {
        site: usize,
        opens: bool,
    },
    /// Two families are found to be one; above 13 a name that nobody has enrolled.
    Link {
        family: usize,
        other: usize,
    },
    /// Some earlier event is retracted, by its distance from the end.
    Correct {
        back: u64,
    },
    /// The next epoch, by another method.
    Amend,
    /// A family is erased; those who come after it under its name are others.
    Erase {
        family: usize,
    },
    /// An event that was recorded before is sent again, as it was or with its key and another day.
    Again {
        back: usize,
        other: bool,
    },
}

fn step() -> impl Strategy<Value = Step> {
    let enrol = (
        0..2_usize,
        0..14_usize,
        0..3_usize,
        proptest::option::of(0..8_usize),
        0..10_u8,
        0..20_u8,
    )
        .prop_map(
            |(site, family, report, child, meets, exception)| Step::Enrol {
                site,
                family,
                report,
                child,
                meets: meets > 0,
                exception: exception == 0,
            },
        );
    prop_oneof![
        6 => enrol,
        3 => (0..9_usize, 0..14_usize, any::<bool>(), 0..4_usize)
            .prop_map(|(service, family, arm, key)| Step::Serve { service, family, arm, key }),
        1 => (0..5_usize, 0..14_usize, 0..2_usize).prop_map(|(end, family, key)| Step::End { end, family, key }),
        1 => (0..14_usize, 0..3_usize).prop_map(|(family, report)| Step::Report { family, report }),
        1 => (0..2_usize, 0..3_u32).prop_map(|(site, therapists)| Step::Capacity { site, therapists }),
        1 => (0..2_usize, any::<bool>()).prop_map(|(site, opens)| Step::Site { site, opens }),
        1 => (0..14_usize, 0..16_usize).prop_map(|(family, other)| Step::Link { family, other }),
        1 => (0..20_u64).prop_map(|back| Step::Correct { back }),
        1 => Just(Step::Capacity { site: 0, therapists: 1 }),
        1 => Just(Step::Amend),
        1 => (0..14_usize).prop_map(|family| Step::Erase { family }),
        2 => (0..8_usize, any::<bool>()).prop_map(|(back, other)| Step::Again { back, other }),
    ]
}

fn name(family: usize) -> String {
    format!("FA-{}{}", char::from(b'A' + family as u8), 'A')
}

/// What the rows say, counted anew without the state machine: free slots by site, arms by family.
#[derive(Debug, Default)]
struct Recount {
    slots: BTreeMap<String, u32>,
    taken: BTreeMap<String, u32>,
    holds: BTreeMap<String, String>,
    home: BTreeMap<String, String>,
    arms: BTreeMap<String, String>,
    allocations: u64,
    /// Names that mean another family, and drawn families with the unit that they were found to be.
    aliases: BTreeMap<String, String>,
    units: BTreeMap<String, String>,
    drawn: Vec<String>,
}

impl Recount {
    fn of(&self, mut name: String) -> String {
        while let Some(next) = self.aliases.get(&name) {
            name.clone_from(next);
        }
        name
    }

    fn unit(&self, name: String) -> String {
        let mut name = self.of(name);
        while let Some(next) = self.units.get(&name) {
            name.clone_from(next);
        }
        name
    }

    fn link(&mut self, one: String, two: String) {
        let (one, two) = (self.unit(one), self.unit(two));
        assert_ne!(one, two, "families that are one were linked again");
        let place = |name: &String| self.drawn.iter().position(|own| own == name);
        let (first, later) = match (place(&one), place(&two)) {
            (Some(one_at), Some(two_at)) if two_at < one_at => (two, one),
            (None, Some(_)) => (two, one),
            _ => (one, two),
        };
        if place(&later).is_some() {
            self.units.insert(later, first);
        } else {
            self.aliases.insert(later, first);
        }
    }
}

fn recount(protocol: &lottning::protocol::Protocol, entries: &[Entry]) -> Recount {
    let mut own = Recount::default();
    for site in &protocol.sites {
        own.slots.insert(site.id.clone(), site.therapists * 3);
        own.taken.insert(site.id.clone(), 0);
    }
    let public = |entry: &Entry| -> Value { serde_json::from_str(&entry.public).unwrap() };
    let corrections = entries.iter().filter(|entry| entry.kind == "corrected");
    let retracted: BTreeSet<u64> = corrections
        .filter_map(|entry| public(entry)["sequence"].as_u64())
        .collect();
    let mut erasures: BTreeMap<u64, u64> = BTreeMap::new();
    for entry in entries.iter().filter(|entry| entry.kind == "erased") {
        let public: Value = serde_json::from_str(&entry.public).unwrap();
        let named = public["sequences"].as_array().unwrap().iter();
        for sequence in named.filter_map(Value::as_u64) {
            let before = erasures.insert(sequence, entry.sequence);
            assert_eq!(before, None, "a row was erased twice");
        }
    }
    for entry in entries {
        let public = public(entry);
        let payload: Value =
            serde_json::from_str(entry.payload.as_deref().unwrap_or("{}")).unwrap();
        let text = |value: &Value, key: &str| value[key].as_str().unwrap_or_default().to_owned();
        // An erased row says no longer whose it was, but which rows were of the same family.
        let family = match erasures.get(&entry.sequence) {
            Some(erasure) => format!("~{erasure}"),
            None => own.of(text(&payload, "family")),
        };
        let mut take = entry.kind == "allocated" || entry.kind == "switched";
        let mut free = entry.kind == "closed" || entry.kind == "not-started";
        if take && text(&public, "arm") != "iuh" {
            (take, free) = (false, entry.kind == "switched");
        }
        match entry.kind.as_str() {
            "capacity-changed" => {
                let therapists = public["therapists"].as_u64().unwrap() as u32;
                own.slots.insert(text(&public, "site"), therapists * 3);
            }
            "linked" if retracted.contains(&entry.sequence) || entry.payload.is_none() => {}
            "linked" => own.link(family.clone(), text(&payload, "other")),
            "allocated" => {
                own.drawn.push(family.clone());
                own.allocations += 1;
                assert_eq!(
                    public["allocation"], own.allocations,
                    "allocations count on"
                );
                let site = text(&public, "site");
                assert!(
                    own.taken[&site] < own.slots[&site],
                    "an allocation went past a full site"
                );
                own.home.insert(family.clone(), site);
                let before = own.arms.insert(family.clone(), text(&public, "arm"));
                assert_eq!(before, None, "a family is randomized at most once");
            }
            "screened" if public["verdict"] == "gate-closed" => {
                let site = text(&public, "site");
                assert!(
                    own.taken[&site] >= own.slots[&site],
                    "a free slot, and a family was turned away"
                );
            }
            _ => {}
        }
        // Service under a name whose link was taken back can be of a family that was never drawn: it has no slot.
        let home = own.home.get(&family).cloned();
        if let Some(site) = home.filter(|_| take && !own.holds.contains_key(&family)) {
            *own.taken.get_mut(&site).unwrap() += 1;
            own.holds.insert(family, site);
        } else if free && let Some(site) = own.holds.remove(&family) {
            *own.taken.get_mut(&site).unwrap() -= 1;
        }
    }
    own
}

/// The protocol of an epoch: blocks and the big stick take turns.
fn next_protocol(epoch: usize) -> String {
    let text = match epoch % 2 {
        0 => protocol(),
        _ => protocol()
            .replace(
                "method = \"big-stick\"",
                "method = \"permuted-block\"\nblock_lens = [2, 4]",
            )
            .replace("max_imbalance = 4", ""),
    };
    format!("{text}\n# epoch {epoch}\n")
}

/// What was recorded, to be sent again.
type Sent = Vec<EventRequest>;

fn run(
    room: &mut Room,
    sent: &mut Sent,
    number: usize,
    step: &Step,
) -> Result<(), lottning::app::Failure> {
    let mut record = |room: &mut Room, at: &str, request: &EventRequest| {
        let done = room.record(at, request);
        if done.is_ok() {
            sent.push(request.clone());
        }
        done.map(drop)
    };
    let at = format!(
        "2025-04-{:02}T{:02}:00:00+02:00",
        1 + number / 20,
        number % 20
    );
    let on = "2025-03-01".to_owned();
    let day = &at[..10];
    match step {
        Step::Enrol {
            site,
            family,
            report,
            child,
            meets,
            exception,
        } => {
            let mut request = eligible(SITES[*site], &name(*family), &format!("R{report}"));
            request.children = child
                .iter()
                .map(|child| format!("CH-{}{}", char::from(b'A' + *child as u8), 'B'))
                .collect();
            if !meets {
                request.fields[0].1 = "1".into();
            }
            request.exception = exception.then(|| "court-order".into());
            room.enrol(&at, &request).map(drop)
        }
        Step::Serve {
            service,
            family,
            arm,
            key,
        } => {
            let service = SERVICES[*service];
            let mut request = event(
                service,
                &name(*family),
                day,
                &format!("{family}-{key}-{number}"),
            );
            if service == "switched" {
                request
                    .set
                    .push(("arm".into(), if *arm { "iuh" } else { "standard" }.into()));
            }
            record(room, &at, &request)
        }
        Step::End { end, family, key } => {
            let mut request = event(ENDS[*end], &name(*family), day, &format!("{family}-{key}"));
            if ENDS[*end] == "violation" {
                request.set.push(("reason".into(), "double-draw".into()));
            }
            record(room, &at, &request)
        }
        Step::Report { family, report } => record(
            room,
            &at,
            &event("report", &name(*family), &on, &format!("R{report}")),
        ),
        Step::Capacity { site, therapists } => {
            let mut request =
                site_event("capacity-changed", SITES[*site], day, &format!("c{number}"));
            request
                .set
                .push(("therapists".into(), therapists.to_string()));
            record(room, &at, &request)
        }
        Step::Link { family, other } => {
            let mut request = event("linked", &name(*family), day, &format!("l{number}"));
            request.set.push(("other".into(), name(*other)));
            record(room, &at, &request)
        }
        Step::Correct { back } => {
            let sequence = room.journal().head.sequence.saturating_sub(*back).max(1);
            let Some(subject) = room.journal().subject(sequence) else {
                return Ok(());
            };
            let family = room.journal().names.family_name(subject).to_owned();
            let mut request = event("corrected", &family, day, &format!("k{number}"));
            request.set.push(("sequence".into(), sequence.to_string()));
            request.set.push(("reason".into(), "mistyped".into()));
            record(room, &at, &request)
        }
        Step::Site { site, opens } => {
            let what = if *opens { "site-opened" } else { "site-closed" };
            record(
                room,
                &at,
                &site_event(what, SITES[*site], day, &format!("s{number}")),
            )
        }
        Step::Amend => {
            let epoch = room.protocol.epoch() as usize + 1;
            room.amend(&at, &next_protocol(epoch))
        }
        Step::Erase { family } => room.erase(&at, &name(*family)).map(drop),
        Step::Again { back, other } => {
            let Some(place) = sent.len().checked_sub(back + 1) else {
                return Ok(());
            };
            let mut request = sent[place].clone();
            if *other {
                request.on = if request.on == day {
                    on
                } else {
                    day.to_owned()
                };
            }
            room.record(&at, &request).map(drop)
        }
    }
}

/// The state that a fresh replay gives, in one go or in two.
fn replayed(room: &Room, entries: &[Entry], cut: usize) -> Journal {
    let mut journal = foreseen(room, entries);
    journal.absorb(&entries[..cut]).unwrap();
    journal.absorb(&entries[cut..]).unwrap();
    journal
}

/// An empty fold that knows what later rows say of earlier ones, as one has that is handed all of them.
fn foreseen(room: &Room, entries: &[Entry]) -> Journal {
    let mut journal = Journal::new(Arc::clone(&room.protocol));
    journal.foresee(entries);
    journal.foresee_corrections(entries);
    journal
}

/// A fold stored at `cut` and taken up again gives the fold of all rows, byte for byte, and `verify` compares it with the
/// rows; one that holds something else is found.
fn projected(room: &Room, entries: &[Entry], cut: usize, whole: &Journal) {
    let mut journal = foreseen(room, entries);
    journal.absorb(&entries[..cut]).unwrap();
    // A link that is taken back later makes a fold that has followed it begin anew.
    if entries[cut..]
        .iter()
        .any(|row| journal.must_begin_anew(row))
    {
        return;
    }
    // Between the rows of one transaction there is none.
    let Some(bytes) = journal.projection(None) else {
        assert_eq!(entries[cut - 1].kind, "screened");
        return;
    };
    let stored = Stored::read(Box::new(bytes.clone())).unwrap();
    assert!(stored.is_whole(&room.protocol));
    assert_eq!(stored.head(), journal.head);
    let findings = |stored: &[u8]| -> Vec<&'static str> {
        let kept = [("ledger.projection", stored.to_vec())];
        let verdict = verify_with(&room.protocol, entries, &[], None, &kept);
        verdict.findings.iter().map(|own| own.code).collect()
    };
    assert!(findings(&bytes).is_empty());
    // One from before an amendment is as good as it was, and passed over: nothing is drawn by it any more.
    if journal.state.epoch < room.protocol.epoch() {
        assert!(stored.journal(&room.protocol).is_none());
        return;
    }
    // Page by page, as a command that writes takes it up, and all at once, as the others do.
    let paged = stored.journal(&room.protocol).unwrap();
    assert!(paged.is_projected());
    let all = stored.whole_journal(&room.protocol).unwrap();
    assert!(!all.is_projected());
    for mut again in [paged, all] {
        again.absorb(&entries[cut..]).unwrap();
        assert_eq!(again.state, whole.state);
        assert_eq!(again.names, whole.names);
        assert_eq!(again.projection(None), whole.projection(None));
        assert!(!again.is_doubtful());
        for name in (0..16).map(name) {
            let known = again.names.family(&name);
            assert_eq!(known, whole.names.family(&name));
        }
    }
    journal.state.sites[0].taken += 1;
    let other = journal.projection(None).unwrap();
    assert_eq!(findings(&other), ["projection-differs"]);
    for place in [0, 8, 16, 30, other.len() / 2, other.len() - 1] {
        let mut torn = other.clone();
        torn[place] ^= 1;
        for bytes in [&torn[..], &other[..place]] {
            torn_is_told(room, bytes);
            assert!(
                findings(bytes).is_empty(),
                "what is not whole is no projection"
            );
        }
    }
}

/// Of bytes that are not whole the root is refused, or the first use of a page says that the fold is doubtful.
fn torn_is_told(room: &Room, bytes: &[u8]) {
    let Some(stored) = Stored::read(Box::new(bytes.to_vec())) else {
        return;
    };
    assert!(!stored.is_whole(&room.protocol));
    assert!(stored.whole_journal(&room.protocol).is_none());
    let Some(paged) = stored.journal(&room.protocol) else {
        return;
    };
    assert_eq!(paged.projection(None), None, "everything was looked at");
    assert!(paged.is_doubtful());
}

/// Numbers that reach beyond their tables, with sums that fit: such a projection is no fold, and nothing panics.
#[test]
fn a_projection_whose_numbers_lead_nowhere_is_passed_over() {
    type Forge = fn(&mut lottning::study::kernel::State);
    let mut room = Room::open(&protocol());
    for (number, site) in (0..8).zip(SITES.iter().cycle()) {
        let mut request = eligible(site, &name(number), "R1");
        request.children = vec![format!("CH-{}B", char::from(b'A' + number as u8))];
        let at = "2025-03-03T09:00:00+01:00";
        room.enrol(at, &request).unwrap();
        let report = event("report", &name(number), "2025-03-03", "R2");
        room.record(at, &report).unwrap();
        let closed = event("death", &name(number), "2025-03-03", &format!("E{number}"));
        room.record(at, &closed).unwrap();
    }
    let forged: [(&str, Forge); 36] = [
        ("arm", |own| own.families[0].arm = Arm(9)),
        ("service", |own| own.families[0].service = Arm(9)),
        ("site", |own| own.families[0].site = SiteIx(99)),
        ("unit", |own| {
            own.families[0].linked_to = Some(FamilyIx(u32::MAX));
        }),
        ("index report", |own| {
            own.families[0].report = ReportIx(u32::MAX - 1);
        }),
        ("last report", |own| own.families[0].last_report = u32::MAX),
        ("last occurrence", |own| {
            own.families[0].last_occurrence = u32::MAX;
        }),
        ("earlier screening", |own| own.families[0].earlier = 7),
        ("allocation", |own| own.families[0].allocation = u32::MAX),
        ("day", |own| own.families[0].randomized = Day(i32::MAX)),
        ("child's family", |own| {
            own.children[0].family = FamilyIx(99);
        }),
        ("report's family", |own| {
            own.reports[0].family = FamilyIx(99);
        }),
        ("report's child", |own| {
            own.reports[0].child = Some(ChildIx(99));
        }),
        ("ring of reports", |own| own.reports[3].previous = 4),
        ("ring of occurrences", |own| own.occurrences[3].previous = 4),
        ("sighting", |own| {
            own.sightings[0].report.report = ReportIx(99);
        }),
        ("stratum", |own| own.allocations[0].stratum = 9999),
        ("cell", |own| own.allocations[0].cell = 9999),
        ("epoch of a draw", |own| own.allocations[0].epoch = 1),
        ("epoch", |own| own.epoch = 1),
        ("sites", |own| own.sites.truncate(1)),
        ("draws", |own| own.draws.clear()),
        ("a draw more", |own| own.draws[0] += 1),
        ("the number of a draw", |own| {
            own.allocations[0].draw = u32::MAX;
        }),
        ("therapists", |own| {
            own.sites[0].therapists = 10_001;
        }),
        ("slots taken", |own| {
            own.sites[0].taken = u32::MAX;
        }),
        ("day of opening", |own| {
            own.sites[0].opens = Day(i32::MIN);
        }),
        ("reason", |own| {
            own.families[0].status = Status::Excepted { reason: 99 };
        }),
        ("criteria", |own| {
            own.families[0].status = Status::NotEligible { missed: 1 << 63 };
        }),
        ("family before", |own| {
            own.families[0].came_from = Some(FamilyIx(99));
        }),
        ("reason of a violation", |own| {
            own.occurrences[0].what = Occurred::Violation {
                reason: 99,
                truth: None,
                received: None,
            };
        }),
        ("true site", |own| {
            own.occurrences[0].what = Occurred::Violation {
                reason: u16::MAX,
                truth: Some(Truth {
                    field: Truth::SITE,
                    value: -1,
                }),
                received: None,
            };
        }),
        ("outcome", |own| {
            own.occurrences[0].what = Occurred::Observed {
                outcome: 99,
                value: 0.0,
            };
        }),
        ("no number", |own| {
            own.occurrences[0].what = Occurred::Observed {
                outcome: u16::MAX,
                value: f64::NAN,
            };
        }),
        ("lock", |own| {
            own.locks.push(LockState {
                lock: 0,
                cut: Day(0),
                sequence: u64::MAX,
            });
        }),
        ("exception", |own| {
            own.exceptions.push(Exempted {
                family: FamilyIx(99),
                site: SiteIx(0),
                day: Day(0),
            });
        }),
    ];
    let sound = room.journal().projection(None).unwrap();
    assert!(
        Stored::read(Box::new(sound))
            .unwrap()
            .whole_journal(&room.protocol)
            .is_some()
    );
    for (what, forge) in forged {
        let mut other = room.journal().clone();
        forge(&mut other.state);
        let bytes = other.projection(None).unwrap();
        let stored = Stored::read(Box::new(bytes)).unwrap();
        assert!(stored.is_whole(&room.protocol), "{what}");
        assert!(stored.whole_journal(&room.protocol).is_none(), "{what}");
    }
}

fn holds(room: &mut Room, entries: &[Entry]) {
    let seeds = room.seeds();
    let verdict = verify(&room.protocol, entries, &seeds, None);
    assert!(verdict.ok, "{:#?}", verdict.findings);
    assert_eq!(verdict.draws, DrawCheck::Verified);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    /// Slots equal the recount, numbers count on, arms never change, a full site lets nobody in, a refusal changes
    /// nothing, and living through a study gives the state that a replay of its ledger gives.
    #[test]
    fn whatever_is_asked_the_laws_hold(steps in vec(step(), 1..120), cut in 0..100_usize) {
        let mut room = Room::open(&protocol());
        let mut sent = Sent::new();
        for (number, step) in steps.iter().enumerate() {
            let (before, head) = (room.state().clone(), room.journal().head);
            match run(&mut room, &mut sent, number, step) {
                Ok(()) => {}
                Err(refused) => {
                    assert!(refused.is_refusal(), "{refused:?}");
                    assert_eq!(room.journal().head, head);
                    assert_eq!(*room.state(), before, "a refusal changed the state");
                }
            }
        }
        let entries = room.entries();
        let own = recount(&room.protocol, &entries);
        let state = room.state().clone();
        for (place, site) in room.protocol.sites.iter().enumerate() {
            assert_eq!(state.sites[place].taken, own.taken[&site.id], "{}", site.id);
        }
        assert_eq!(state.allocations.len() as u64, own.allocations);
        let protocol = Arc::clone(&room.protocol);
        for (family, arm) in &own.arms {
            let ix = room.journal().names.family(family).unwrap();
            let known = state.family(ix).unwrap();
            assert_eq!(protocol.arms[known.arm.index()].id, *arm);
            assert_eq!(known.slot, own.holds.contains_key(family));
        }
        let again = replayed(&room, &entries, cut % (entries.len() + 1));
        projected(&room, &entries, cut % (entries.len() + 1), &again);
        assert_eq!(again.state, state);
        assert_eq!(again.names, room.journal().names);
        assert_eq!(again.head, room.journal().head);
        holds(&mut room, &entries);

        // The rows of one family, erased: the chain, the draws and the gate are still checked to the end.
        let left: Vec<&String> = own.arms.keys().filter(|name| !name.starts_with('~')).collect();
        let Some(family) = left.get(cut % left.len().max(1)) else { return Ok(()) };
        let before = state.families.iter().filter(|family| family.erased).count();
        let (erased, names) = erase(&mut room, entries, family);
        holds(&mut room, &erased);
        let again = replayed(&room, &erased, erased.len());
        assert_eq!(again.state.allocations.len(), state.allocations.len());
        for (one, other) in again.state.allocations.iter().zip(&state.allocations) {
            assert_eq!((one.stratum, one.draw, one.arm), (other.stratum, other.draw, other.arm));
        }
        assert_eq!(again.state.sites, state.sites, "slots move as they did");
        let journal = room.journal();
        let drawn = journal.rows_of(journal.names.family(family).unwrap()).len();
        assert_eq!(again.state.families.iter().filter(|family| family.erased).count(), before + drawn);
        assert!(again.names.family(family).is_none(), "{names:?}");
    }
}

/// Writes the erasures of a family's rows, one for each draw, and removes their payloads and salts.
fn erase(room: &mut Room, mut entries: Vec<Entry>, family: &str) -> (Vec<Entry>, Vec<u64>) {
    let journal = room.journal();
    let lists = journal.rows_of(journal.names.family(family).unwrap());
    let recordings: Vec<Recording> = lists
        .iter()
        .map(|(family, sequences)| {
            let public = Content::new()
                .with("reason", "retention")
                .with("sequences", sequences.clone());
            Recording::public(What::Erased { family: *family }, public)
        })
        .collect();
    let made = journal.entries(
        &recordings,
        time("2025-06-01T08:00:00Z"),
        false,
        "lead",
        &vec![[7; 32]; recordings.len()],
    );
    let sequences: Vec<u64> = lists.into_iter().flat_map(|(_, list)| list).collect();
    for sequence in &sequences {
        let row = &mut entries[*sequence as usize - 1];
        row.payload = None;
        row.salt = None;
    }
    entries.extend(made);
    (entries, sequences)
}

#[test]
fn an_erasure_that_leaves_a_payload_or_takes_another_is_found() {
    let mut room = Room::open(&protocol());
    for family in ["KATL", "MORU"] {
        room.enrol(
            "2025-03-03T09:00:00+01:00",
            &eligible("skarpnack", family, "R1"),
        )
        .unwrap();
    }
    let entries = room.entries();
    let (erased, sequences) = erase(&mut room, entries.clone(), "KATL");
    assert_eq!(sequences, [2, 3]);
    holds(&mut room, &erased);
    let first_bad =
        |entries: &[Entry], room: &Room| verify(&room.protocol, entries, &[], None).first_bad;
    let mut left = erased.clone();
    left[1] = entries[1].clone();
    assert_eq!(first_bad(&left, &room), Some(6));
    let mut left = erased.clone();
    left[2] = entries[2].clone();
    // No screening names its family any more.
    assert_eq!(first_bad(&left, &room), Some(3));
    let mut more = erased.clone();
    (more[3].payload, more[3].salt) = (None, None);
    assert_eq!(first_bad(&more, &room), Some(4));
    let mut half = erased;
    half[1].salt = Some([7; 32]);
    assert_eq!(first_bad(&half, &room), Some(2));
}
