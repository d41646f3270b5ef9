//! `enrol`: screen a family and, if nothing stands against it, randomize it. One family, or a file of them.
//!
//! Look-up, gate, draw and append are one exclusive transaction. A repeated request gets the answer of the first one
//! and draws nothing; after a closed gate or a missed criterion the same command screens anew.

use super::exit;
use super::failure::Failure;
use super::outside::Outside;
use super::permission::Deed;
use super::refusal::{self, refusal_in};
use super::returning;
use super::seed_file::{read_seeds, warn_of_readers};
use super::study::{Act, Study, Work};
use super::tables::TableFile;
use super::writing::Told;
use crate::allocation::{Mode, Seed};
use crate::diagnostic::{Diagnostic, Place, Words};
use crate::protocol::Protocol;
use crate::protocol::model::Day;
use crate::study::intake::{EnrolRequest, PreparedEnrolment, child_of_another_family, prepare};
use crate::study::journal::{Content, Journal, Recording};
use crate::study::kernel::{
    Answer, ArmSource, Command, Decision, Drawer, RecordedSource, What, decide,
};
use crate::table::{condense, is_missing};
use crate::words;
use std::path::{Path, PathBuf};

/// What intake is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enrolled {
    /// `allocated`, `returned`, `joined`, `not-eligible`, `gate-closed` or `exception`.
    pub outcome: &'static str,
    /// The family.
    pub family: String,
    /// Id of its arm, if it has one.
    pub arm: Option<String>,
    /// Number of its allocation over the whole study, from 1.
    pub allocation: Option<u32>,
    /// Whether an earlier request is answered again.
    pub replayed: bool,
    /// Missed criteria, or the reason of the exception.
    pub reasons: Vec<String>,
    /// Head of the ledger.
    pub head: String,
    /// What a person should know.
    pub warnings: Vec<Diagnostic>,
    /// Exit code of the answer.
    pub exit: u8,
}

/// The desk at which families are enrolled: a study and what draws from its seed.
#[derive(Debug)]
pub struct Desk {
    study: Study,
    seed: Seed,
    /// The value of the beacon that the drawer's seed has in it.
    beacon: Option<String>,
    drawer: Drawer<ArmSource>,
    /// Whether the drawer has followed a fold that rests on a projection.
    projected: bool,
    /// Whether arms come from elsewhere than the seed.
    replays: bool,
}

impl Desk {
    /// Opens a study for enrolment with the seed file of the epoch in force, or those of all epochs.
    ///
    /// # Errors
    /// As [`Study::load`], and a seed file that does not fit (exit 9).
    pub fn open(outside: &Outside, folder: &Path, files: &[PathBuf]) -> Result<Self, Failure> {
        let seeds = read_seeds(outside, files);
        let study = match seeds.as_ref().map(|seeds| seeds.last()) {
            Ok(Some(seed)) => Study::load_to_draw(outside, folder, seed)?,
            // What is wrong with the study is said first; nothing is drawn.
            Ok(None) | Err(_) => Study::load_to_write(outside, folder)?,
        };
        let seed = study.seed_in_force(&seeds?)?.clone();
        for file in files {
            warn_of_readers(outside, file);
        }
        Ok(Self::of(study, seed))
    }

    /// A desk of a study and the checked seed of the epoch in force.
    pub fn of(mut study: Study, seed: Seed) -> Self {
        study.seed = Some(seed.clone());
        let beacon = beacon(&study.journal);
        let drawer = drawer(&study.journal, &seed, beacon.as_deref());
        let projected = study.journal.is_projected();
        Self {
            study,
            seed,
            beacon,
            drawer,
            projected,
            replays: false,
        }
    }

    /// A desk of a study that is replayed: arms come from a simulated study, not from the seed.
    #[must_use]
    pub(super) fn with_arms(mut self, arms: ArmSource) -> Self {
        self.drawer = Drawer::new(arms);
        self.replays = true;
        self
    }

    /// The study.
    pub fn study(&mut self) -> &mut Study {
        &mut self.study
    }

    /// The study, when enrolment is over.
    pub fn into_study(self) -> Study {
        self.study
    }

    /// Enrols one family.
    ///
    /// # Errors
    /// Invalid data (exit 4, every finding), busy (5), a request id reused with other content (6), a study or site
    /// that does not enrol (7). Nothing is recorded then.
    pub fn enrol(
        &mut self,
        outside: &Outside,
        act: &Act,
        request: &EnrolRequest,
    ) -> Result<Enrolled, Failure> {
        let Self {
            study,
            seed,
            beacon: known,
            drawer: own,
            projected,
            replays,
        } = self;
        let mut work = |journal: &Journal, time| {
            let prepared = prepare(journal, request).map_err(|findings| {
                Failure::refused_file(
                    exit::INVALID_DATA,
                    "invalid-enrolment",
                    "enrol",
                    String::new(),
                    findings,
                )
            })?;
            if let Some(replay) = replay(journal, request, &prepared)? {
                return Ok(Work {
                    recordings: Vec::new(),
                    answer: replay,
                });
            }
            if let Some((child, family)) = child_of_another_family(journal, request) {
                return Err(refusal::child_of_another_family(
                    journal,
                    child,
                    family,
                    Some(&request.family),
                ));
            }
            returning::refuse_for_good(journal, request, prepared.enrolment.received)?;
            // Another command may have recorded the beacon since this desk was opened.
            let recorded = beacon(journal);
            let moved = *known != recorded || *projected != journal.is_projected();
            if moved && !*replays {
                *own = drawer(journal, seed, recorded.as_deref());
                *known = recorded;
                *projected = journal.is_projected();
            }
            let day = journal.day(time);
            let command = Command::Enrol(prepared.enrolment);
            let decision = decide(&journal.protocol, &journal.state, &command, day, own).map_err(
                |refused| {
                    let children = request.children.iter().map(String::as_str);
                    refusal_in(journal, Some(&request.family), children, refused)
                },
            )?;
            let answer = answer(journal, request, &prepared, &decision, day);
            let recordings = recordings(journal, request, prepared, &decision);
            Ok(Work { recordings, answer })
        };
        let mut answer = study.write_telling(outside, act, Deed::Enrol, &mut work, told)?;
        answer.head = study.journal.head.to_hex();
        Ok(answer)
    }
}

/// The arm of an answer that tells it again.
fn told(enrolled: &Enrolled) -> Option<Told<'_>> {
    let again = enrolled.replayed || matches!(enrolled.outcome, "returned" | "joined");
    Some(Told {
        family: &enrolled.family,
        arm: enrolled.arm.as_deref().filter(|_| again)?,
        allocation: enrolled.allocation?,
    })
}

/// The recorded value of the beacon of the epoch in force.
fn beacon(journal: &Journal) -> Option<String> {
    journal.beacon(journal.state.epoch).map(str::to_owned)
}

/// A drawer of the epoch in force. Earlier epochs are never drawn again, so their seeds are not needed.
fn drawer(journal: &Journal, seed: &Seed, beacon: Option<&str>) -> Drawer<ArmSource> {
    let effective = beacon.map_or_else(|| seed.clone(), |value| seed.with_beacon(value));
    let opening = journal.opening.as_ref();
    let mode = opening.map_or(Mode::Rehearsal, |opening| opening.mode);
    let later = vec![effective.clone(); journal.state.epoch as usize];
    let source = RecordedSource::new(mode, effective, later);
    Drawer::new(ArmSource::Recorded(Box::new(source)))
}

/// The answer to a request that was used up before.
fn replay(
    journal: &Journal,
    request: &EnrolRequest,
    prepared: &PreparedEnrolment,
) -> Result<Option<Enrolled>, Failure> {
    let Some(used) = journal.request(&prepared.request_id) else {
        return Ok(None);
    };
    if used.content != prepared.content_hash {
        return Err(Failure::new(
            exit::REUSED,
            "request-reused",
            Words::new(
                "this request was carried out before with other content; nothing was recorded",
                "den här begäran har utförts tidigare med annat innehåll; inget har registrerats",
            ),
        )
        .help(Words::new(
            "to repeat the earlier request, give its answers unchanged; for a new report, give its own report key; to screen the same report anew with other answers, give a new --request-id",
            "för att upprepa den tidigare begäran, ange svaren oförändrade; för en ny anmälan, ange dess egen anmälningsnyckel; för att screena samma anmälan på nytt med andra svar, ange ett nytt --request-id",
        )));
    }
    let unit = journal.state.unit(used.family);
    let family = journal.state.family(unit).copied();
    let drawn = family.is_some_and(|family| family.is_randomized());
    if !drawn && used.outcome != "exception" {
        // It was answered under a link that has been taken back.
        return Ok(None);
    }
    let (outcome, exit) = match used.outcome {
        "allocated" => ("allocated", exit::DONE),
        "returned" => ("returned", exit::DONE),
        "joined" => ("joined", exit::DONE),
        _ => ("exception", exit::EXCEPTION),
    };
    let excepted = exit == exit::EXCEPTION;
    let family = family.filter(|family| family.is_randomized() && !excepted);
    Ok(Some(Enrolled {
        outcome,
        family: request.family.clone(),
        arm: family.map(|family| journal.protocol.arms[family.arm.index()].id.clone()),
        allocation: family.map(|family| family.allocation),
        replayed: true,
        reasons: request
            .exception
            .iter()
            .filter(|_| excepted)
            .cloned()
            .collect(),
        head: String::new(),
        warnings: returning::again(journal, request, used),
        exit,
    }))
}

/// The decision's events with the content that the ledger keeps.
fn recordings(
    journal: &Journal,
    request: &EnrolRequest,
    prepared: PreparedEnrolment,
    decision: &Decision,
) -> Vec<Recording> {
    let id = &prepared.request_id;
    // One event of a decision holds what was asked for.
    let mut content = prepared.content.with("request_id", id);
    let mut whole = || std::mem::take(&mut content);
    let short = || {
        Content::new()
            .with("family", &request.family)
            .with("request_id", id)
    };
    let recordings = decision.events.iter().flatten().map(|what| {
        let content = match what {
            What::Screened(screening) => {
                let missed = match decision.answer {
                    Answer::NotEligible { missed } => Some(reasons(&journal.protocol, missed)),
                    _ => None,
                };
                whole()
                    .with_some("missed", missed)
                    .with_some("changed", screening.changed.then_some(true))
            }
            What::Returned { left_aside, .. } => {
                whole().with_some("changed", left_aside.answers.then_some(true))
            }
            What::Joined {
                children,
                left_aside,
                ..
            } => {
                let known = &journal.names;
                let mut names = request.children.clone();
                names.sort_unstable();
                names.dedup();
                let indices = known.children_or_next(names.iter().map(String::as_str));
                let new: Vec<&String> = names
                    .iter()
                    .zip(&indices)
                    .filter(|(_, index)| children.as_slice().contains(index))
                    .map(|(name, _)| name)
                    .collect();
                whole()
                    .with("new_children", new)
                    .with_some("changed", left_aside.answers.then_some(true))
            }
            What::Exception { .. } => short().with_some("reason", request.exception.as_ref()),
            What::Reported(_) => Content::new()
                .with("family", &request.family)
                .with("received", &request.received)
                .with("report_key", &request.report_key)
                .with("source", "intake"),
            _ => short(),
        };
        Recording::new(*what, content)
    });
    let mut room = Vec::with_capacity(decision.events.len());
    room.extend(recordings);
    room
}

fn reasons(protocol: &Protocol, missed: u64) -> Vec<String> {
    protocol
        .criteria
        .iter()
        .enumerate()
        .filter(|(place, _)| (missed >> place) & 1 == 1)
        .map(|(_, criterion)| criterion.id.clone())
        .collect()
}

fn answer(
    journal: &Journal,
    request: &EnrolRequest,
    prepared: &PreparedEnrolment,
    decision: &Decision,
    day: Day,
) -> Enrolled {
    let protocol = &*journal.protocol;
    let mut enrolled = Enrolled {
        outcome: "",
        family: request.family.clone(),
        arm: None,
        allocation: None,
        replayed: false,
        reasons: Vec::new(),
        head: String::new(),
        warnings: Vec::new(),
        exit: exit::DONE,
    };
    let mut drawn = |outcome, arm: crate::allocation::Arm, allocation| {
        enrolled.outcome = outcome;
        enrolled.arm = Some(protocol.arms[arm.index()].id.clone());
        enrolled.allocation = Some(allocation);
    };
    match decision.answer {
        Answer::Allocated { arm, allocation } => drawn("allocated", arm, allocation),
        Answer::Returned { arm, allocation } => drawn("returned", arm, allocation),
        Answer::Joined { arm, allocation } => drawn("joined", arm, allocation),
        Answer::NotEligible { missed } => {
            enrolled.outcome = "not-eligible";
            enrolled.reasons = reasons(protocol, missed);
            enrolled.exit = exit::NOT_ELIGIBLE;
        }
        Answer::GateClosed => {
            enrolled.outcome = "gate-closed";
            enrolled.exit = exit::GATE_CLOSED;
        }
        Answer::Exception { reason } => {
            enrolled.outcome = "exception";
            enrolled.reasons = protocol
                .exceptions
                .reasons
                .get(usize::from(reason))
                .map(|reason| reason.id.clone())
                .into_iter()
                .collect();
            enrolled.exit = exit::EXCEPTION;
            enrolled.warnings.extend(super::caps::of_exception(
                journal,
                prepared.enrolment.family,
                prepared.enrolment.site,
                day,
            ));
        }
        // An enrolment never ends in a mere record; a defect would show as an empty outcome.
        Answer::Recorded => {}
    }
    // A request that was answered under a link is decided anew once the link is taken back.
    let before = journal.request(&prepared.request_id);
    enrolled
        .warnings
        .extend(returning::warnings(journal, request, before, decision));
    enrolled
}

/// A row of a file of enrolments: what was answered, or why it was refused.
#[derive(Debug, Clone, PartialEq)]
pub struct EnrolRow {
    /// Row of the file, the header being row 1.
    pub row: usize,
    /// The answer or the refusal.
    pub result: Result<Enrolled, Failure>,
}

/// Columns of a file of enrolments; further columns are `answer.<id>` and `field.<id>`.
pub const ENROLMENT_COLUMNS: [&str; 8] = [
    "site",
    "family",
    "child",
    "report_key",
    "received",
    "exception",
    "request_id",
    "at",
];

/// The groups of columns that are named after the protocol's questions and fields.
const COLUMN_GROUPS: [&str; 2] = ["answer.<id>", "field.<id>"];

/// Enrols a file of families, each row its own transaction. `each` gets every row as it is done; a refused row is
/// reported and skipped.
///
/// The time of a row is that of its `at`, of rows without one that of `act`.
///
/// # Errors
/// A file that cannot be read as a table, or whose header is not the documented one: exit 4, nothing recorded. A time in
/// `act` and in the file: exit 2, nothing recorded.
pub fn enrol_file(
    outside: &Outside,
    desk: &mut Desk,
    act: &Act,
    file: &TableFile,
    each: &mut dyn FnMut(&EnrolRow),
) -> Result<bool, Failure> {
    let file = &file.with_points(outside, &file.number_fields(desk.study().protocol()))?;
    let requests = read_requests(file)?;
    let timed = requests.iter().find(|(_, (_, at))| at.is_some());
    if let (Some((row, _)), Some(_)) = (timed, &act.at) {
        return Err(Failure::new(
            exit::USAGE,
            "conflicting-options",
            words!(
                "`--at` cannot be used with a file that has times of its own: row {row} has one in the column `at`",
                "`--at` kan inte användas med en fil som har egna tider: rad {row} har en i kolumnen `at`"
            ),
        )
        .help(words!(
            "leave `--at` out and write a time in each row, or leave the column out",
            "utelämna `--at` och skriv en tid i varje rad, eller utelämna kolumnen"
        )));
    }
    let mut refused = false;
    for (row, (request, at)) in requests {
        let act = Act {
            at: at.or_else(|| act.at.clone()),
            ..act.clone()
        };
        let result = desk.enrol(outside, &act, &request).map_err(|mut failure| {
            for finding in &mut failure.diagnostics {
                let place = finding.place.get_or_insert_with(Place::default);
                place.row = Some(row);
            }
            if let Some(source) = &mut failure.source {
                source.name.clone_from(&file.name);
            }
            failure
        });
        refused |= result.is_err();
        each(&EnrolRow { row, result });
        desk.study().keep_on_the_way(outside);
    }
    Ok(refused)
}

type RequestRow = (usize, (EnrolRequest, Option<String>));

fn read_requests(file: &TableFile) -> Result<Vec<RequestRow>, Failure> {
    let mut findings = Vec::new();
    let names = file.table.header();
    for name in names {
        let known = ENROLMENT_COLUMNS.contains(&name.as_str())
            || name
                .strip_prefix("answer.")
                .is_some_and(|id| !id.is_empty())
            || name.strip_prefix("field.").is_some_and(|id| !id.is_empty());
        if !known {
            findings.push(
                Diagnostic::error(
                    "unknown-column",
                    words!(
                        "column `{name}` is not one of an enrolment file",
                        "kolumnen `{name}` hör inte till en inskrivningsfil"
                    ),
                )
                .at(Place::column(name.clone()))
                .help(super::failure::suggestion(
                    name,
                    &[&ENROLMENT_COLUMNS[..], &COLUMN_GROUPS[..]].concat(),
                )),
            );
        }
    }
    for needed in ["site", "family", "report_key", "received"] {
        if !names.iter().any(|name| name == needed) {
            findings.push(
                Diagnostic::error(
                    "missing-column",
                    words!("column `{needed}` is missing", "kolumnen `{needed}` saknas"),
                )
                .at(Place::column(needed)),
            );
        }
    }
    if !findings.is_empty() {
        return Err(file.refuse(condense(findings)));
    }
    let cells: Vec<(&str, Vec<Option<&str>>)> = file
        .table
        .columns()
        .map(|column| (column.name(), column.texts().collect()))
        .collect();
    let rows = (0..file.table.len())
        .map(|row| {
            let cell = |name: &str| {
                let (_, texts) = cells.iter().find(|(own, _)| *own == name)?;
                texts.get(row).copied().flatten().map(str::to_owned)
            };
            let group = |prefix: &str| -> Vec<(String, String)> {
                cells
                    .iter()
                    .filter_map(|(name, texts)| {
                        let id = name.strip_prefix(prefix)?;
                        Some((id.to_owned(), texts.get(row).copied().flatten()?.to_owned()))
                    })
                    .collect()
            };
            let children = cell("child").unwrap_or_default();
            let request = EnrolRequest {
                site: cell("site").unwrap_or_default(),
                family: cell("family").unwrap_or_default(),
                children: children
                    .split_ascii_whitespace()
                    .filter(|name| !is_missing(name))
                    .map(str::to_owned)
                    .collect(),
                report_key: cell("report_key").unwrap_or_default(),
                received: cell("received").unwrap_or_default(),
                exception: cell("exception"),
                request_id: cell("request_id"),
                answers: group("answer."),
                fields: group("field."),
            };
            (file.table.row(row), (request, cell("at")))
        })
        .collect();
    Ok(rows)
}
