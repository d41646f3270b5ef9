//! Studies in memory for tests, lived through by the use cases that the command line has.

use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use lottning::allocation::Seed;
use lottning::app::enrol::{Desk, Enrolled};
use lottning::app::erase::erase;
use lottning::app::import::{Import, Imported, import};
use lottning::app::permission::Deed;
use lottning::app::record::{Receipt, record};
use lottning::app::study::{Act, Study, Work};
use lottning::app::{DialectText, Entropy, Failure, FixedClock, Outside, Silent, TableFile};
use lottning::protocol::{Protocol, carry_on};
use lottning::store::MemoryLedger;
use lottning::study::intake::EnrolRequest;
use lottning::study::journal::{Content, Entry, Head, Journal, Ledger, Recording, hex};
use lottning::study::kernel::{State, What};
use lottning::study::recording::EventRequest;

/// Salts that are always the same: no test asks for chance.
struct Still;

impl Entropy for Still {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), Failure> {
        bytes.fill(7);
        Ok(())
    }
}

/// A study in memory with its seed.
pub(crate) struct Room {
    pub(crate) desk: Desk,
    pub(crate) protocol: Arc<Protocol>,
    pub(crate) seed: Seed,
    /// Seeds of the later epochs.
    pub(crate) later: Vec<Seed>,
    /// Text of the protocol in force.
    text: String,
    pub(crate) outside: Outside,
}

impl Room {
    /// A study that has just been opened, on 1 March 2025.
    pub(crate) fn open(text: &str) -> Self {
        let parsed = lottning::protocol::parse(text.as_bytes());
        let Some(protocol) = parsed.protocol.map(Arc::new) else {
            panic!("{:#?}", parsed.diagnostics);
        };
        let seed = Seed::from_bytes([42; 32]);
        let study = opened(&protocol, &seed);
        Self {
            desk: Desk::of(study, seed.clone()),
            protocol,
            seed,
            later: Vec::new(),
            text: text.to_owned(),
            outside: Outside {
                clock: Box::new(FixedClock(time("2100-01-01T00:00:00Z"))),
                entropy: Box::new(Still),
                progress: Box::new(Silent),
                folder: std::path::PathBuf::new(),
            },
        }
    }

    pub(crate) fn enrol(&mut self, at: &str, request: &EnrolRequest) -> Result<Enrolled, Failure> {
        self.desk.enrol(&self.outside, &act(at), request)
    }

    pub(crate) fn record(&mut self, at: &str, request: &EventRequest) -> Result<Receipt, Failure> {
        // Whoever screens families changes no capacity, links no families and takes back no slot.
        let leads = ["linked", "corrected"].contains(&request.event.as_str());
        let actor = if request.site.is_some() || leads {
            "lead"
        } else {
            "intake-1"
        };
        self.record_as(actor, at, request)
    }

    /// Imports a file of reports.
    pub(crate) fn imports(&mut self, at: &str, rows: &str) -> Imported {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("register.csv");
        std::fs::write(&path, rows).unwrap();
        let path = path.display().to_string();
        let file =
            TableFile::read_for_study(&self.outside, &path, &DialectText::default()).unwrap();
        let asked = Import {
            event: "report".into(),
            file: &file,
            map: None,
            dry_run: false,
            act: Act {
                actor: "intake-1".into(),
                ..act(at)
            },
        };
        import(&self.outside, self.desk.study(), &asked).unwrap()
    }

    pub(crate) fn record_as(
        &mut self,
        actor: &str,
        at: &str,
        request: &EventRequest,
    ) -> Result<Receipt, Failure> {
        let act = Act {
            actor: actor.into(),
            ..act(at)
        };
        record(&self.outside, self.desk.study(), &act, request)
    }

    pub(crate) fn enrol_as(
        &mut self,
        actor: &str,
        at: &str,
        request: &EnrolRequest,
    ) -> Result<Enrolled, Failure> {
        let act = Act {
            actor: actor.into(),
            ..act(at)
        };
        self.desk.enrol(&self.outside, &act, request)
    }

    /// Opens the next epoch under a protocol that carries on the one in force, with a seed of its own, as `amend` does with
    /// files.
    pub(crate) fn amend(&mut self, at: &str, text: &str) -> Result<(), Failure> {
        let before = Arc::clone(&self.protocol);
        let parsed = lottning::protocol::parse(text.as_bytes());
        let next = parsed.protocol.unwrap();
        let amended = Arc::new(carry_on(&before, &self.text, next, text).unwrap());
        let epoch = amended.epoch();
        let seed = Seed::from_bytes([0x2a ^ epoch as u8; 32]);
        let public = Content::new()
            .with("commitment", hex(&seed.commitment(&amended.hash.0)))
            .with("protocol_hash", amended.hash.to_hex());
        let act = Act {
            actor: "lead".into(),
            ..act(at)
        };
        let study = self.desk.study();
        study.journal.protocol = Arc::clone(&amended);
        let written = study.write(&self.outside, &act, Deed::Amend, |_, _| {
            Ok(Work {
                recordings: vec![Recording::public(
                    What::EpochOpened { epoch },
                    public.clone(),
                )],
                answer: (),
            })
        });
        if written.is_err() {
            study.journal.protocol = before;
            return written;
        }
        let left = Desk::of(opened(&before, &seed), seed.clone());
        let study = std::mem::replace(&mut self.desk, left).into_study();
        self.desk = Desk::of(study, seed.clone());
        self.later.push(seed);
        text.clone_into(&mut self.text);
        self.protocol = amended;
        Ok(())
    }

    /// Erases a family.
    pub(crate) fn erase(&mut self, at: &str, family: &str) -> Result<Receipt, Failure> {
        let act = Act {
            actor: "lead".into(),
            ..act(at)
        };
        let confirm = self.protocol.hash.short();
        let study = self.desk.study();
        let whose = (family, "retention");
        erase(&self.outside, study, &act, whose, &confirm).map(|own| own.receipt)
    }

    /// The seeds of all epochs.
    pub(crate) fn seeds(&self) -> Vec<Seed> {
        let first = std::iter::once(&self.seed);
        first.chain(&self.later).cloned().collect()
    }

    pub(crate) fn journal(&mut self) -> &Journal {
        &self.desk.study().journal
    }

    pub(crate) fn state(&mut self) -> &State {
        &self.journal().state
    }

    pub(crate) fn entries(&mut self) -> Vec<Entry> {
        self.desk.study().entries().unwrap()
    }
}

/// A study that has just been opened.
fn opened(protocol: &Arc<Protocol>, seed: &Seed) -> Study {
    let first = protocol.in_epoch(0).hash;
    let public = Content::new()
        .with("commitment", hex(&seed.commitment(&first.0)))
        .with("custody", protocol.study.custody.text())
        .with("format", 1)
        .with("mode", "live")
        .with("protocol_hash", first.to_hex())
        .with("study", protocol.study.id.clone());
    let opened = Journal::new(Arc::clone(protocol)).entries(
        &[Recording::public(What::Opened, public)],
        time("2025-03-01T08:00:00Z"),
        false,
        "lead",
        &[[7; 32]],
    );
    let mut ledger = MemoryLedger::new();
    let mut transaction = ledger.exclusive().unwrap();
    transaction.append(&Head::EMPTY, &opened).unwrap();
    transaction.commit().unwrap();
    Study::of(Path::new("memory"), Arc::clone(protocol), Box::new(ledger)).unwrap()
}

pub(crate) fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn act(at: &str) -> Act {
    Act {
        actor: "intake-1".into(),
        at: Some(at.into()),
    }
}

/// An eligible family of the IUH study.
pub(crate) fn eligible(site: &str, family: &str, key: &str) -> EnrolRequest {
    let pairs = |list: &[(&str, &str)]| -> Vec<(String, String)> {
        list.iter()
            .map(|(id, value)| ((*id).to_owned(), (*value).to_owned()))
            .collect()
    };
    EnrolRequest {
        site: site.into(),
        family: family.into(),
        report_key: key.into(),
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

/// An event of a family.
pub(crate) fn event(event: &str, family: &str, on: &str, key: &str) -> EventRequest {
    EventRequest {
        event: event.into(),
        family: Some(family.into()),
        on: on.into(),
        event_key: key.into(),
        ..EventRequest::default()
    }
}

/// An event of a site.
pub(crate) fn site_event(event: &str, site: &str, on: &str, key: &str) -> EventRequest {
    EventRequest {
        family: None,
        site: Some(site.into()),
        ..self::event(event, "", on, key)
    }
}
