//! `simulate --replay`: one simulated study again, as a study folder to look into.
//!
//! The commands that its staff would have given go through the same use cases as those of a real study; arms come from
//! the replicate's own stream, as in the simulation, so the folder's seed does not give them: `verify` checks the chain,
//! and the draws only as far as the rules reach. Families, fields, arms, services, reports, exits, cuts, estimates,
//! standard errors and intervals are those of the simulated study, and this is checked before anything is answered. The
//! p-value of a randomization test is that of the registered redraws, where the simulation took fewer of its own.

use super::BEACON;
use super::rows::{enrolment_row, event_row, family_name, staff_row};
use super::surroundings::{StageClock, StageEntropy, Unheard};
use crate::allocation::{Mode, Seed};
use crate::analysis::weighed;
use crate::app::analyse::analyse;
use crate::app::beacon::beacon;
use crate::app::enrol::Desk;
use crate::app::exit;
use crate::app::import::{Import, import};
use crate::app::lock::lock;
use crate::app::open::{Open, open};
use crate::app::record::record_all;
use crate::app::refusal;
use crate::app::report::{ReportRequest, report};
use crate::app::study::{Act, Study};
use crate::app::verify::{Expected, check};
use crate::app::{DialectText, Failure, Outside, TableFile};
use crate::diagnostic::Words;
use crate::estimation::Estimate;
use crate::planning::judging::Judge;
use crate::planning::record::{Looked, Record, StageWise};
use crate::planning::rehearsal::{Lived, Step, lived};
use crate::planning::rounds::true_effect;
use crate::planning::scenario::Cell;
use crate::planning::simulate::Options;
use crate::planning::study::Found;
use crate::protocol::Protocol;
use crate::protocol::model::{Analysis, Day};
use crate::study::kernel::{Answer, Command, Report, ReportIx, What};
use crate::study::recording::EventRequest;
use jiff::tz::TimeZone;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

/// Schema of the answer.
pub const SCHEMA: &str = "replay/1";

/// Which study is replayed, and where to.
#[derive(Debug)]
pub struct Replay<'a> {
    /// Its cell.
    pub cell: &'a Cell,
    /// Hash of the plan.
    pub plan_hash: &'a str,
    /// Seed and redraws of the simulation.
    pub options: &'a Options,
    /// Its number, from 0.
    pub replicate: u64,
    /// Folder to make.
    pub folder: &'a Path,
}

/// A study was replayed.
#[derive(Debug, Clone)]
pub struct Replayed {
    /// The study folder.
    pub study: PathBuf,
    /// Pages of the reports.
    pub reports: Vec<PathBuf>,
    /// The document's fields; they also lie in `replay.json`.
    pub body: Value,
}

/// Replays a study.
///
/// # Errors
/// A folder that holds a study already (exit 7); what cannot be written (1); a replay that differs from the simulated
/// study, which is a defect of the program (1).
pub fn replay(outside: &Outside, request: &Replay<'_>) -> Result<Replayed, Failure> {
    let before = super::refuse_used(outside, request.folder, None)?;
    let lived = lived(request.cell, request.options, request.replicate)
        .map_err(|refused| refusal::refusal(&request.cell.protocol, refused))?;
    let made = made(outside, request, lived);
    if made.is_err() {
        super::take_away(outside, request.folder, &before);
    }
    made
}

/// The folder of a study that was lived through, from its opening to its reports.
fn made(outside: &Outside, request: &Replay<'_>, lived: Lived) -> Result<Replayed, Failure> {
    let Lived {
        steps,
        record,
        cuts,
        arms,
    } = lived;
    let stage = Stage::set(outside, request)?;
    stage.open()?;
    let seed_file = stage.folder.join("seed");
    let mut desk = Desk::open(
        &stage.inside,
        &stage.study,
        std::slice::from_ref(&seed_file),
    )?
    .with_arms(arms);
    let register = stage.live(&mut desk, &steps)?;
    let last_day = steps.iter().map(|step| step.day).max();
    let last_day = last_day.unwrap_or(request.cell.protocol.first_opening());
    stage.at(last_day);
    stage.import(&mut desk, &register)?;
    drop(desk);
    // Nobody draws from it any more, and it would give other arms than those of the study.
    std::fs::remove_file(outside.path(&seed_file))
        .map_err(|error| Failure::file(&Words::new("remove", "ta bort"), &seed_file, &error))?;
    let protocol = &request.cell.protocol;
    let mut study = Study::load(&stage.inside, &stage.study)?;
    let (mut reports, mut found) = (Vec::new(), Vec::new());
    for (place, cut) in &cuts {
        let id = protocol.locks[*place].id.clone();
        stage.at(cut.plus(1).max(last_day.plus(1)));
        let date = refusal::date(*cut);
        let short = protocol.hash.short();
        lock(
            &stage.inside,
            &mut study,
            &act("study-lead"),
            &id,
            &date,
            &short,
            &[],
        )?;
        let analysed = analyse(&stage.inside, &mut study, &act("evaluator"), &id, &[])?;
        for own in analysed.analyses.analyses {
            found.push((*place, own));
        }
        let written = report(
            &stage.inside,
            &mut study,
            &ReportRequest {
                lock: Some(id.clone()),
                out: Some(request.folder.join("report").join(&id)),
                suppress_below: None,
                seed_files: Vec::new(),
            },
        )?;
        reports.extend(written.files.into_iter().take(2));
    }
    drop(study);
    let verdict = check(&stage.inside, &stage.study, &[], &Expected::default())?;
    let same_size = verdict.verification.allocations == u64::from(record.families);
    if !verdict.verification.ok || !same_size {
        return Err(differs());
    }
    let mut analyses = Vec::new();
    let draws = request.options.draws_in(request.cell);
    let judge = Judge::of(request.cell, draws);
    let decided = decisions(&judge, &record);
    let comparisons = request.cell.scenario.comparisons();
    let comparisons = comparisons.zip(&record.analyses).zip(decided);
    for (((index, arm), own), (p_adjusted, rejected)) in comparisons {
        let id = &protocol.analyses[index].id;
        let lock = deciding(&protocol.analyses[index], own.looked.as_ref());
        let mut there = found.iter();
        let Some((_, result)) = there.find(|(at, result)| *at == lock && result.id == *id) else {
            return Err(differs());
        };
        let compared = result.compared(arm);
        let (rows, test) = (compared.rows, compared.test);
        let stage_wise = own.looked.as_ref().and_then(|looked| looked.stage_wise);
        let first = rows.iter().find(|row| !row.is_anderson_rubin());
        let redrawn = protocol.analyses[index].test.is_some() && draws > 0;
        if !agree(own.found.as_ref().ok(), first, redrawn) || !ends_alike(stage_wise, rows) {
            return Err(differs());
        }
        let analysis = &protocol.analyses[index];
        // A test has a p and no interval, and by stages no estimate either: the record repeats there what it is weighed by.
        let of_effect = |value: f64| (analysis.estimand.measure != "test").then_some(value);
        let mut simulated = match &own.found {
            Ok(found) => json!({
                "estimate": found.estimate,
                "std_error": found.std_error,
                "conf_low": of_effect(found.conf_low),
                "conf_high": of_effect(found.conf_high),
                "p_value": found.p_value,
            }),
            Err(code) => json!({ "failure": code }),
        };
        if let Value::Object(fields) = &mut simulated {
            fields.insert("p_adjusted".to_owned(), json!(p_adjusted));
            fields.insert("rejected".to_owned(), json!(rejected));
        }
        let mut said = json!({
            "analysis": id,
            "truth": true_effect(analysis, own.truth),
            "simulated": simulated,
            "lock": protocol.locks[lock].id,
            "stage_wise": stage_wise.map(|own| json!({
                "estimate": of_effect(own.estimate),
                "conf_low": of_effect(own.conf_low),
                "conf_high": of_effect(own.conf_high),
                "p_value": own.p_value,
            })),
            "registered_p_value": test.map(|test| test.p_value),
            "registered_p_adjusted": compared.p_adjusted,
            "registered_q_value": compared.q_value,
        });
        if let (Value::Object(fields), Some(name)) = (&mut said, further_arm(request.cell, arm)) {
            fields.insert("arm".to_owned(), json!(name));
        }
        analyses.push(said);
    }
    let body = json!({
        "cell": request.cell.id,
        "replicate": request.replicate,
        "plan_hash": request.plan_hash,
        "seed": request.options.seed,
        "protocol_hash": protocol.hash.to_hex(),
        "study": stage.study.display().to_string(),
        "families": record.families,
        "screened": record.screened,
        "turned_away": record.turned_away,
        "days_closed": record.days_closed,
        "analyses": analyses,
        "reports": reports.iter().map(|path| path.display().to_string()).collect::<Vec<_>>(),
        "verified": true,
        "draws": "not-checked",
        "head": verdict.verification.head.to_hex(),
    });
    let text = format!("{body:#}\n");
    outside.write(request.folder.join("replay.json"), text.as_bytes())?;
    Ok(Replayed {
        study: stage.study,
        reports,
        body,
    })
}

/// Of each simulated comparison the p adjusted for those that it is judged with, where it is adjusted, and whether it is rejected,
/// where it decides anything: what `simulate` counts as power.
fn decisions(judge: &Judge, record: &Record) -> Vec<(Option<f64>, Option<bool>)> {
    let adjusted = judge.adjusted(&record.analyses);
    let rejected = judge.rejects(record).into_iter().zip(judge.limits());
    let rejected = rejected.map(|(own, limit)| limit.map(|_| own));
    adjusted.into_iter().zip(rejected).collect()
}

/// The treated arm of a comparison, where there are several.
fn further_arm(cell: &Cell, place: usize) -> Option<&str> {
    let several = cell.scenario.treated() > 1;
    let arm = cell.scenario.world_of(place).treated;
    several.then(|| cell.protocol.arms[arm.index()].id.as_str())
}

/// The lock at which an analysis was decided: its own, or that of the look that stopped the study.
fn deciding(analysis: &Analysis, looked: Option<&Looked>) -> usize {
    let stage = looked.map_or(usize::MAX, |looked| usize::from(looked.stage));
    analysis.looks.get(stage).copied().unwrap_or(analysis.lock)
}

/// Whether the stage-wise row is, bit for bit, that of the simulation. Where one of the two was decided without the registered
/// randomization test, only one of them may have it.
fn ends_alike(simulated: Option<StageWise>, rows: &[Estimate]) -> bool {
    let live = rows.iter().find(|row| row.interval == "stage-wise");
    let (Some(simulated), Some(live)) = (simulated, live) else {
        return true;
    };
    let alike =
        |own: f64, live: Option<f64>| live.is_none_or(|live| live.to_bits() == own.to_bits());
    alike(simulated.estimate, live.estimate)
        && alike(simulated.conf_low, live.conf_low)
        && alike(simulated.conf_high, live.conf_high)
        && alike(simulated.p_value, live.p_value)
}

/// Whether a registered analysis gave, bit for bit, what it gave in the simulation. A p of redraws is of other redraws there.
fn agree(simulated: Option<&Found>, live: Option<&Estimate>, redrawn: bool) -> bool {
    let bounded = |limit: f64| Some(limit).filter(|_| simulated.is_some_and(Found::has_interval));
    match (simulated, live) {
        // A test has no estimate: what it is weighed by stands in place of one, or the ratio without end that it is of.
        (Some(found), Some(live)) if live.estimate.is_none() => {
            let alike = |own: f64, there: f64| own.to_bits() == there.to_bits();
            let p_value = live.p_value.is_some_and(|own| alike(own, found.p_value));
            let effect = match (weighed(live), live.endless()) {
                (Some((estimate, std_error, _)), _) => {
                    alike(estimate, found.estimate) && alike(std_error, found.std_error)
                }
                (None, Some(ratio)) => alike(ratio, found.estimate),
                (None, None) => true,
            };
            effect && (redrawn || p_value)
        }
        (Some(found), Some(live)) => [
            (Some(found.estimate), live.estimate),
            (
                Some(found.std_error).filter(|own| own.is_finite()),
                live.std_error,
            ),
            (bounded(found.conf_low), live.conf_low),
            (bounded(found.conf_high), live.conf_high),
        ]
        .iter()
        .all(|(simulated, live)| simulated.map(f64::to_bits) == live.map(f64::to_bits)),
        // A test that could not be run failed in the simulation; its estimate may exist.
        (None, _) => true,
        (Some(_), None) => false,
    }
}

fn differs() -> Failure {
    Failure::new(
        exit::UNEXPECTED,
        "rehearsal-differs",
        Words::new(
            "the study that was replayed is not the simulated one: a defect of the program",
            "studien som spelades upp är inte den simulerade: ett fel i programmet",
        ),
    )
}

fn act(actor: &str) -> Act {
    Act {
        actor: actor.to_owned(),
        at: None,
    }
}

/// The made-up world around the use cases.
struct Stage<'a> {
    outside: &'a Outside,
    inside: Outside,
    clock: Arc<AtomicI64>,
    protocol: &'a Protocol,
    zone: TimeZone,
    folder: PathBuf,
    study: PathBuf,
}

impl<'a> Stage<'a> {
    fn set(outside: &'a Outside, request: &Replay<'a>) -> Result<Self, Failure> {
        let protocol = &request.cell.protocol;
        let folder = request.folder.to_path_buf();
        let text = request.cell.protocol_text.as_bytes();
        outside.write(folder.join("protocol.toml"), text)?;
        let mut hash = Sha256::new();
        hash.update(b"lottning/replay/1");
        hash.update(request.plan_hash);
        hash.update(request.cell.id.as_bytes());
        hash.update(request.replicate.to_be_bytes());
        let seed: [u8; 32] = hash.finalize().into();
        let hex = Seed::from_bytes(seed).to_hex();
        outside.create_secret(folder.join("seed"), format!("{hex}\n").as_bytes())?;
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
        Ok(Self {
            outside,
            inside,
            clock,
            protocol,
            zone: TimeZone::get(&protocol.study.time_zone).unwrap_or(TimeZone::UTC),
            study: folder.join("study"),
            folder,
        })
    }

    /// Nine in the morning of a day, or the time reached on it.
    fn at(&self, day: Day) {
        let morning = day
            .date()
            .and_then(|date| date.at(9, 0, 0, 0).to_zoned(self.zone.clone()).ok())
            .map_or(0, |zoned| zoned.timestamp().as_microsecond());
        self.clock.fetch_max(morning, Ordering::Relaxed);
    }

    fn open(&self) -> Result<(), Failure> {
        self.at(self.protocol.first_opening().plus(-14));
        open(
            &self.inside,
            &Open {
                protocol: self.folder.join("protocol.toml"),
                study: self.study.clone(),
                seed_file: self.folder.join("seed"),
                confirm: self.protocol.hash.short(),
                act: act("study-lead"),
                mode: Mode::Rehearsal,
            },
        )?;
        if self.protocol.study.beacon.is_some() {
            let mut study = Study::load(&self.inside, &self.study)?;
            beacon(&self.inside, &mut study, &act("study-lead"), BEACON)?;
        }
        Ok(())
    }

    /// Every step on its day; gives the reports of the register.
    fn live(&self, desk: &mut Desk, steps: &[Step]) -> Result<Vec<Report>, Failure> {
        let mut register = Vec::new();
        let mut waiting: Vec<EventRequest> = Vec::new();
        let mut today = None;
        let mut changes = 0;
        let office = act("office-1");
        for step in steps {
            let is_enrolment = matches!(step.command, Command::Enrol(_));
            if is_enrolment || today != Some(step.day) {
                let events = std::mem::take(&mut waiting);
                record_all(&self.inside, desk.study(), &office, &events)?;
                today = Some(step.day);
                self.at(step.day);
            }
            match step.command {
                Command::Enrol(enrolment) => {
                    self.clock.fetch_add(60_000_000, Ordering::Relaxed);
                    let request = enrolment_row(self.protocol, &enrolment);
                    let answered = desk.enrol(&self.inside, &act("intake-1"), &request)?;
                    let simulated = match step.answer {
                        Some(Answer::Allocated { arm, .. }) => {
                            Some(&self.protocol.arms[arm.index()].id)
                        }
                        _ => None,
                    };
                    if answered.arm.as_ref() != simulated {
                        return Err(differs());
                    }
                }
                Command::Record(What::Reported(report)) => register.push(report),
                Command::Record(what @ What::CapacityChanged { .. }) => {
                    let events = std::mem::take(&mut waiting);
                    record_all(&self.inside, desk.study(), &office, &events)?;
                    let rows = staff_row(self.protocol, &what, changes);
                    let rows: Vec<EventRequest> = rows.into_iter().collect();
                    record_all(&self.inside, desk.study(), &act("study-lead"), &rows)?;
                    changes += 1;
                }
                Command::Record(what) => {
                    let number = waiting.len();
                    waiting.extend(event_row(self.protocol, &what, number, step.day));
                }
                Command::Lock { .. }
                | Command::Analyse { .. }
                | Command::Amend
                | Command::Beacon
                | Command::Reveal
                | Command::Export => {}
            }
        }
        record_all(&self.inside, desk.study(), &office, &waiting)?;
        Ok(register)
    }

    /// The register as a file, and its import.
    fn import(&self, desk: &mut Desk, register: &[Report]) -> Result<(), Failure> {
        let mut text = String::from("family,on,event_key,attached_to_open_investigation\n");
        for report in register {
            let (family, on) = (family_name(report.family), refusal::date(report.received));
            let ReportIx(number) = report.report;
            let attached = match report.attached {
                Some(true) => "yes",
                Some(false) => "no",
                None => "",
            };
            let _ = writeln!(text, "{family},{on},R-{:06},{attached}", number + 1);
        }
        let file = self.folder.join("register.csv");
        self.outside.write(&file, text.as_bytes())?;
        if register.is_empty() {
            return Ok(());
        }
        let name = file.display().to_string();
        let table = TableFile::read_for_study(&self.inside, &name, &DialectText::default())?;
        import(
            &self.inside,
            desk.study(),
            &Import {
                event: "report".to_owned(),
                file: &table,
                map: None,
                dry_run: false,
                act: act("data-officer"),
            },
        )?;
        Ok(())
    }
}
