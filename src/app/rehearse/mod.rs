//! `rehearse` and `demo`: the whole story on made-up families, through the same use cases as a real study.
//!
//! A rehearsal draws in a mode of its own from a seed of its own, so that it can never show a live list. Its clock and
//! its entropy are made up too: the same protocol gives the same rehearsal, byte for byte, on every machine.

mod ending;
mod figures;
mod folder;
pub mod replay;
mod rows;
mod surroundings;

use crate::allocation::{Mode, Seed};
use crate::app::Failure;
use crate::app::Outside;
use crate::app::beacon::beacon;
use crate::app::enrol::Desk;
use crate::app::exit;
use crate::app::open::{Open, open};
use crate::app::record::record_all;
use crate::app::report::Reported;
use crate::app::sealed::read_protocol;
use crate::app::study::{Act, Study};
use crate::diagnostic::{Diagnostic, Words};
use crate::planning::rehearsal::{Step, names_child, scenario_of, steps};
use crate::planning::scenario;
use crate::planning::simulate::{Options, simulate};
use crate::protocol::Protocol;
use crate::protocol::model::Day;
use crate::study::kernel::{Answer, Command, Enrolment, RecordedSource, What};
use crate::study::recording::EventRequest;
use crate::words;
use figures::simulated;
use folder::PROTOCOL;
pub use folder::{Before, DEMO_SETTINGS, demo_protocol, demo_scenario, refuse_used, take_away};
use jiff::tz::TimeZone;
use rows::{enrolment_row, event_row, report_row, staff_row};
use sha2::{Digest, Sha256};
use std::fmt::Write;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use surroundings::{StageClock, StageEntropy, Unheard};

/// What `rehearse` needs.
#[derive(Debug, Clone)]
pub struct Rehearse {
    /// The protocol's text and its name for messages.
    pub protocol: PathBuf,
    /// A scenario's text; `None` makes one for the protocol.
    pub scenario: Option<String>,
    /// Folder to make.
    pub folder: PathBuf,
    /// Settings `KEY=VALUE` of the scenario.
    pub settings: Vec<String>,
    /// Studies simulated for the planner.
    pub replicates: u64,
}

/// A rehearsal is done.
#[derive(Debug, Clone)]
pub struct Rehearsed {
    /// What was done, in order, with the command that does it.
    pub told: Vec<(Words, String)>,
    /// The report.
    pub reported: Reported,
    /// Head of the ledger.
    pub head: String,
}

/// Rehearses a study.
///
/// # Errors
/// A folder that holds a study already (exit 7); a protocol or scenario that is refused (3).
pub fn rehearse(outside: &Outside, request: &Rehearse) -> Result<Rehearsed, Failure> {
    let (protocol, warnings) = read_protocol(outside, &request.protocol)?;
    for warning in &warnings {
        outside.progress.warn(warning);
    }
    let before = refuse_used(outside, &request.folder, Some(&request.protocol))?;
    let rehearsed = staged(outside, &protocol, request, &before);
    if rehearsed.is_err() {
        take_away(outside, &request.folder, &before);
    }
    rehearsed
}

fn staged(
    outside: &Outside,
    protocol: &Arc<Protocol>,
    request: &Rehearse,
    before: &Before,
) -> Result<Rehearsed, Failure> {
    let mut stage = Stage::new(outside, protocol, request, before)?;
    stage.planned(request)?;
    stage.opened()?;
    stage.lived()?;
    stage.ended()
}

/// The value of a public round, where the protocol waits for one: nobody publishes a round for a rehearsal.
const BEACON: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// The made-up world around the use cases.
struct Stage<'a> {
    outside: &'a Outside,
    inside: Outside,
    clock: Arc<AtomicI64>,
    protocol: Arc<Protocol>,
    zone: TimeZone,
    folder: PathBuf,
    study: PathBuf,
    seed_file: PathBuf,
    protocol_file: PathBuf,
    seed: Seed,
    plan: scenario::Plan,
    told: Vec<(Words, String)>,
    last_day: Day,
}

impl<'a> Stage<'a> {
    fn new(
        outside: &'a Outside,
        protocol: &Arc<Protocol>,
        request: &Rehearse,
        before: &Before,
    ) -> Result<Self, Failure> {
        let text = outside.read_text(&request.protocol, exit::INVALID_PROTOCOL)?;
        let world = request
            .scenario
            .clone()
            .unwrap_or_else(|| scenario_of(protocol));
        let plan = scenario::plan(&world, &text, &request.settings).map_err(|refused| {
            Failure::refused_file(
                exit::INVALID_PROTOCOL,
                "invalid-scenario",
                "scenario",
                refused.text,
                refused.diagnostics,
            )
        })?;
        let protocol_file = request.folder.join(PROTOCOL);
        if !before.own_protocol {
            outside.write(&protocol_file, text.as_bytes())?;
        }
        outside.write(request.folder.join("scenario.toml"), world.as_bytes())?;
        let mut hash = Sha256::new();
        hash.update(b"lottning/rehearsal/1");
        hash.update(protocol.hash.0);
        let seed: [u8; 32] = hash.finalize().into();
        let clock = Arc::new(AtomicI64::new(0));
        let inside = Outside {
            clock: Box::new(StageClock(Arc::clone(&clock))),
            entropy: Box::new(StageEntropy {
                seed,
                count: AtomicU64::new(0),
            }),
            progress: Box::new(Unheard),
            folder: outside.folder.clone(),
        };
        let zone = TimeZone::get(&protocol.study.time_zone).unwrap_or(TimeZone::UTC);
        Ok(Self {
            outside,
            inside,
            clock,
            protocol: Arc::clone(protocol),
            zone,
            study: request.folder.join("study"),
            seed_file: request.folder.join("seed"),
            folder: request.folder.clone(),
            protocol_file,
            seed: Seed::from_bytes(seed),
            plan,
            told: Vec::new(),
            last_day: protocol.first_opening(),
        })
    }

    fn tell(&mut self, words: Words, command: String) {
        self.outside.progress.note(&words);
        self.told.push((words, command));
    }

    /// Nine in the morning of a day, or the time reached on it.
    fn at(&self, day: Day) {
        let morning = day
            .date()
            .and_then(|date| date.at(9, 0, 0, 0).to_zoned(self.zone.clone()).ok())
            .map_or(0, |zoned| zoned.timestamp().as_microsecond());
        self.clock.fetch_max(morning, Ordering::Relaxed);
    }

    /// The plan: what the study would show, were it run many times.
    fn planned(&mut self, request: &Rehearse) -> Result<(), Failure> {
        let options = Options {
            seed: 1,
            replicates: Some(request.replicates),
            draws: Some(0),
            threads: None,
        };
        let cells = simulate(&self.plan, &options, &|_, _| {})
            .map_err(|error| Failure::new(exit::INVALID_PROTOCOL, error.code(), error.words()))?;
        // The scenario of a rehearsal is made here: of its warnings those of analyses that fail are the protocol's.
        for warning in cells.iter().flat_map(|cell| &cell.warnings) {
            if warning.code == "many-failures" {
                let message = warning.message.clone();
                let told = Diagnostic::warning(warning.code, message);
                self.outside.progress.warn(&told);
            }
        }
        let sentence = cells
            .iter()
            .find_map(|cell| simulated(cell, &self.protocol));
        let replicates = request.replicates;
        let words = sentence.unwrap_or_else(|| {
            words!(
                "simulated {replicates} studies",
                "simulerade {replicates} studier"
            )
        });
        let scenario = self.folder.join("scenario.toml");
        let settings = request
            .settings
            .iter()
            .fold(String::new(), |mut text, setting| {
                let _ = write!(text, " --set '{setting}'");
                text
            });
        self.tell(
            words,
            format!(
                "lottning simulate {}{settings} --replicates {replicates}",
                scenario.display()
            ),
        );
        Ok(())
    }

    fn act(actor: &str) -> Act {
        Act {
            actor: actor.to_owned(),
            at: None,
        }
    }

    fn opened(&mut self) -> Result<(), Failure> {
        let opening = self.protocol.first_opening();
        self.at(opening.plus(-14));
        let text = zeroize::Zeroizing::new(format!("{}\n", self.seed.to_hex()));
        self.outside
            .create_secret(&self.seed_file, text.as_bytes())?;
        let short = self.protocol.hash.short();
        let made = open(
            &self.inside,
            &Open {
                protocol: self.protocol_file.clone(),
                study: self.study.clone(),
                seed_file: self.seed_file.clone(),
                confirm: short.clone(),
                act: Self::act("study-lead"),
                mode: Mode::Rehearsal,
            },
        )?;
        if self.protocol.study.beacon.is_some() {
            let mut study = Study::load(&self.inside, &self.study)?;
            beacon(&self.inside, &mut study, &Self::act("study-lead"), BEACON)?;
        }
        let commitment = &made.commitment[..16];
        self.tell(
            words!(
                "opened the study: protocol {short} is sealed, the seed is committed to ({commitment}…)",
                "öppnade studien: protokollet {short} är förseglat och studien bunden till sitt frö ({commitment}…)"
            ),
            format!(
                "lottning open {} --study {} --seed-file {} --confirm {short} --actor study-lead",
                self.protocol_file.display(),
                self.study.display(),
                self.seed_file.display(),
            ),
        );
        Ok(())
    }

    /// Every step of the made-up year, as intake, the offices and the register would have given it.
    fn lived(&mut self) -> Result<(), Failure> {
        let Some(cell) = self.plan.cells.first() else {
            return Ok(());
        };
        let seed = match self.protocol.study.beacon {
            Some(_) => self.seed.with_beacon(BEACON),
            None => self.seed.clone(),
        };
        let source = RecordedSource::new(Mode::Rehearsal, seed, Vec::new());
        let steps = steps(cell, 1, source)
            .map_err(|refused| crate::app::refusal::refusal(&self.protocol, refused))?;
        let mut desk = Desk::open(
            &self.inside,
            &self.study,
            std::slice::from_ref(&self.seed_file),
        )?;
        let mut counts = Counts::default();
        let mut register: Vec<EventRequest> = Vec::new();
        let mut waiting: Vec<EventRequest> = Vec::new();
        let office = Self::act("office-1");
        for step in &steps {
            match step.command {
                Command::Enrol(enrolment) => {
                    record_all(
                        &self.inside,
                        desk.study(),
                        &office,
                        &std::mem::take(&mut waiting),
                    )?;
                    self.at(step.day);
                    self.clock.fetch_add(60_000_000, Ordering::Relaxed);
                    self.enrol(&mut desk, step, &enrolment, &mut counts)?;
                }
                Command::Record(What::Reported(report)) => {
                    register.push(report_row(&report, step.day));
                }
                Command::Record(what @ What::CapacityChanged { .. }) => {
                    let row = staff_row(&self.protocol, &what, counts.staff);
                    counts.staff += 1;
                    let before = std::mem::take(&mut waiting);
                    record_all(&self.inside, desk.study(), &office, &before)?;
                    self.at(step.day);
                    let rows: Vec<EventRequest> = row.into_iter().collect();
                    record_all(&self.inside, desk.study(), &Self::act("study-lead"), &rows)?;
                }
                Command::Record(what) => {
                    self.at(step.day);
                    waiting.extend(event_row(&self.protocol, &what, waiting.len(), step.day));
                }
                Command::Lock { .. }
                | Command::Analyse { .. }
                | Command::Amend
                | Command::Beacon
                | Command::Reveal
                | Command::Export => {}
            }
            self.last_day = self.last_day.max(step.day);
        }
        record_all(&self.inside, desk.study(), &office, &waiting)?;
        let Counts {
            screened,
            randomized,
            returned,
            not_eligible,
            turned_away,
            exceptions,
            staff: _,
        } = counts;
        self.tell(
            words!(
                "enrolled, one command a family: {screened} screenings, {randomized} families randomized, {not_eligible} not eligible, {turned_away} times the gate was closed, {exceptions} exceptions, {returned} returns",
                "skrev in, ett kommando per familj: {screened} bedömningar, {randomized} familjer lottade, {not_eligible} uppfyllde inte villkoren, {turned_away} avvisade vid intagsstopp, {exceptions} undantag, {returned} återkomster"
            ),
            format!(
                "lottning enrol --study {} --seed-file {} --actor intake-1 --site … --family …",
                self.study.display(),
                self.seed_file.display(),
            ),
        );
        self.imported(&mut desk, &register)
    }

    fn enrol(
        &self,
        desk: &mut Desk,
        step: &Step,
        enrolment: &Enrolment,
        counts: &mut Counts,
    ) -> Result<(), Failure> {
        let request = enrolment_row(&self.protocol, enrolment);
        let answered = desk.enrol(&self.inside, &Self::act("intake-1"), &request)?;
        counts.screened += 1;
        match answered.outcome {
            "allocated" => counts.randomized += 1,
            "returned" | "joined" => counts.returned += 1,
            "not-eligible" => counts.not_eligible += 1,
            "gate-closed" => counts.turned_away += 1,
            _ => counts.exceptions += 1,
        }
        // The law that ties simulation to life: the same commands give the same arms.
        let simulated = match step.answer {
            Some(Answer::Allocated { arm, .. }) => Some(self.protocol.arms[arm.index()].id.clone()),
            Some(_) => None,
            None => return Ok(()),
        };
        if simulated == answered.arm {
            return Ok(());
        }
        Err(Failure::new(
            exit::UNEXPECTED,
            "rehearsal-differs",
            Words::new(
                "the live study answered otherwise than the simulated one: a defect of the program",
                "den verkliga studien svarade annorlunda än den simulerade: ett fel i programmet",
            ),
        ))
    }

    fn imported(&mut self, desk: &mut Desk, register: &[EventRequest]) -> Result<(), Failure> {
        let file = self.folder.join("register.csv");
        let names_child = names_child(&self.protocol);
        let mut text = String::from(
            "family,on,event_key,incident_date,reporter,attached_to_open_investigation",
        );
        text.push_str(if names_child { ",child\n" } else { "\n" });
        for row in register {
            let value = |key: &str| {
                row.set
                    .iter()
                    .find(|(own, _)| own == key)
                    .map_or("", |(_, value)| value.as_str())
            };
            let _ = write!(
                text,
                "{},{},{},{},{},{}",
                row.family.as_deref().unwrap_or(""),
                row.on,
                row.event_key,
                value("incident_date"),
                value("reporter"),
                value("attached_to_open_investigation"),
            );
            if names_child {
                let _ = write!(text, ",{}", row.child.as_deref().unwrap_or(""));
            }
            text.push('\n');
        }
        self.outside.write(&file, text.as_bytes())?;
        if register.is_empty() {
            return Ok(());
        }
        let name = file.display().to_string();
        let dialect = crate::app::DialectText::default();
        let table = crate::app::TableFile::read_for_study(&self.inside, &name, &dialect)?;
        self.at(self.last_day);
        let made = crate::app::import::import(
            &self.inside,
            desk.study(),
            &crate::app::import::Import {
                event: "report".to_owned(),
                file: &table,
                map: None,
                dry_run: false,
                act: Self::act("data-officer"),
            },
        )?;
        let rows = made.recorded;
        self.tell(
            words!(
                "imported the register: {rows} reports of concern",
                "importerade registret: {rows} orosanmälningar"
            ),
            format!(
                "lottning import report {name} --study {} --actor data-officer",
                self.study.display()
            ),
        );
        Ok(())
    }
}

#[derive(Debug, Default)]
struct Counts {
    screened: u32,
    randomized: u32,
    returned: u32,
    not_eligible: u32,
    turned_away: u32,
    exceptions: u32,
    /// Changes of staff.
    staff: usize,
}
