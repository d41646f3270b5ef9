//! No answer changes its arm in silence: whoever was told an arm before and is told another one now, or none, is warned.
//!
//! Random sequences of screenings, siblings, links, links that are taken back, exceptions, erasures and repetitions are answered
//! by the real use cases and by a book of this test, which remembers every answer, also what an erasure took from the ledger.

use std::collections::{BTreeMap, BTreeSet};

use crate::in_memory::{Room, eligible, event};
use lottning::app::enrol::Enrolled;
use lottning::study::intake::EnrolRequest;

const NAMES: [&str; 8] = [
    "AGVI", "BAMO", "DELU", "FISA", "GOLA", "HUVE", "KINE", "MORA",
];
/// Codes that say that an earlier answer was another draw's.
const TOLD_OTHERWISE: [&str; 2] = ["families-linked", "answered-under-a-link"];

/// What a request was used for.
struct Used {
    request: EnrolRequest,
    exception: bool,
    told: Option<u32>,
}

/// A study, and everything that was answered in it.
struct Book {
    room: Room,
    minute: u32,
    random: u64,
    draws: BTreeMap<&'static str, u32>,
    links: Vec<(u64, [&'static str; 2], bool)>,
    used: BTreeMap<(&'static str, usize), Used>,
    last: BTreeMap<&'static str, u32>,
    erased: bool,
    /// Answers that differed from an earlier one; of these, after an erasure.
    changed: [usize; 2],
}

impl Book {
    fn open(seed: u64) -> Self {
        let text = crate::made_up::IUH.replace("therapists = 2", "therapists = 90");
        Self {
            room: Room::open(&text),
            minute: 0,
            random: seed,
            draws: BTreeMap::new(),
            links: Vec::new(),
            used: BTreeMap::new(),
            last: BTreeMap::new(),
            erased: false,
            changed: [0; 2],
        }
    }

    /// A number below `n`, by the generator `SplitMix64`.
    fn below(&mut self, n: usize) -> usize {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut own = self.random;
        own = (own ^ (own >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        own = (own ^ (own >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((own ^ (own >> 31)) % n as u64) as usize
    }

    fn name(&mut self) -> &'static str {
        NAMES[self.below(NAMES.len())]
    }

    /// The next minute of the study.
    fn at(&mut self) -> String {
        self.minute += 1;
        let [hour, minute] = [8 + self.minute / 60, self.minute % 60];
        format!("2025-03-03T{hour:02}:{minute:02}:00Z")
    }

    /// All names of the family that has this one, by the links that stand.
    fn family(&self, name: &'static str) -> BTreeSet<&'static str> {
        let mut own = BTreeSet::from([name]);
        loop {
            let before = own.len();
            for (_, pair, stands) in &self.links {
                if *stands && pair.iter().any(|name| own.contains(name)) {
                    own.extend(pair);
                }
            }
            if own.len() == before {
                return own;
            }
        }
    }

    /// The draw that governs a family: the earliest one of all its names.
    fn governing(&self, name: &'static str) -> Option<u32> {
        let family = self.family(name);
        let draws = family.iter().filter_map(|own| self.draws.get(own));
        draws.copied().min()
    }

    fn enrol(&mut self) {
        let (name, key) = (self.name(), self.below(4));
        let request = match self.used.get(&(name, key)) {
            Some(used) => used.request.clone(),
            None => self.request(name, key),
        };
        let governing = self.governing(name);
        let at = self.at();
        let answer = match self.room.enrol(&at, &request) {
            Ok(answer) => answer,
            // A child that another family was drawn with while the two were one.
            Err(refused) => return assert_eq!(refused.code, "child-of-another-family"),
        };
        let said = |codes: &[&str]| {
            let mut own = answer.warnings.iter();
            own.any(|own| codes.contains(&own.code))
        };
        let before = self.used.get(&(name, key));
        if let Some(taken_out) = before.filter(|own| own.exception) {
            assert!(taken_out.told.is_none() && answer.allocation.is_none());
            assert_eq!(said(&["drawn-since"]), governing.is_some(), "{answer:?}");
            return;
        }
        if governing.is_some() {
            assert_eq!(answer.allocation, governing, "{answer:?}");
        }
        let told = before.and_then(|own| own.told);
        let told = told.or_else(|| self.last.get(name).copied());
        let differs = told.is_some() && answer.allocation != told;
        if differs {
            self.changed[0] += 1;
            self.changed[1] += usize::from(self.erased);
            assert!(
                said(&TOLD_OTHERWISE),
                "{name} was told {told:?} and is told in silence: {answer:?}"
            );
        }
        self.note((name, key), request, &answer);
    }

    fn request(&mut self, name: &'static str, key: usize) -> EnrolRequest {
        let mut request = eligible("skarpnack", name, &format!("R{key}"));
        if self.below(3) == 0 {
            request.children = vec![format!("{name}-{}", ["A", "B"][self.below(2)].repeat(3))];
        }
        request.exception = (self.below(9) == 0).then(|| "court-order".to_owned());
        if self.below(10) == 0 {
            "no".clone_into(&mut request.answers[0].1);
        }
        request
    }

    fn note(&mut self, own: (&'static str, usize), request: EnrolRequest, answer: &Enrolled) {
        if answer.replayed
            || !["allocated", "returned", "joined", "exception"].contains(&answer.outcome)
        {
            return;
        }
        if answer.outcome == "allocated" {
            self.draws.insert(own.0, answer.allocation.unwrap());
        }
        self.last
            .extend(answer.allocation.map(|told| (own.0, told)));
        let used = Used {
            request,
            exception: answer.outcome == "exception",
            told: answer.allocation,
        };
        self.used.insert(own, used);
    }

    fn link(&mut self) {
        let pair = [self.name(), self.name()];
        if self.family(pair[0]).contains(pair[1]) {
            return;
        }
        let at = self.at();
        let mut request = event(
            "linked",
            pair[0],
            "2025-03-03",
            &format!("l{}", self.minute),
        );
        request.set = vec![("other".to_owned(), pair[1].to_owned())];
        // A family that the ledger does not know is refused.
        if let Ok(receipt) = self.room.record(&at, &request) {
            self.links.push((receipt.sequence, pair, true));
        }
    }

    fn take_back(&mut self) {
        let standing: Vec<usize> = (0..self.links.len())
            .filter(|own| self.links[*own].2)
            .collect();
        if standing.is_empty() {
            return;
        }
        let place = standing[self.below(standing.len())];
        let (sequence, pair, _) = self.links[place];
        let at = self.at();
        let key = format!("c{}", self.minute);
        let mut request = event("corrected", pair[self.below(2)], "2025-03-03", &key);
        request.set = vec![
            ("sequence".to_owned(), sequence.to_string()),
            ("reason".to_owned(), "wrong".to_owned()),
        ];
        self.room.record(&at, &request).unwrap();
        self.links[place].2 = false;
    }

    fn erase(&mut self) {
        let name = self.name();
        let at = self.at();
        if self.room.erase(&at, name).is_err() {
            return;
        }
        self.erased = true;
        let gone = self.family(name);
        let stays = |name: &str| !gone.contains(name);
        self.draws.retain(|name, _| stays(name));
        self.last.retain(|name, _| stays(name));
        self.used.retain(|(name, _), _| stays(name));
        self.links
            .retain(|(_, pair, _)| pair.iter().all(|name| stays(name)));
    }
}

/// The sequences are these alone, the same at every run.
#[test]
fn no_answer_changes_its_arm_in_silence_whatever_was_linked_taken_back_or_erased() {
    let mut changed = [0; 2];
    for seed in 0..SEQUENCES {
        let mut book = Book::open(seed);
        for _ in 0..160 {
            match book.below(100) {
                0..60 => book.enrol(),
                60..80 => book.link(),
                80..96 => book.take_back(),
                _ => book.erase(),
            }
        }
        changed[0] += book.changed[0];
        changed[1] += book.changed[1];
    }
    // The sequences reach what they are for.
    assert!(changed.iter().all(|own| *own > 100), "{changed:?}");
}

const SEQUENCES: u64 = 60;
