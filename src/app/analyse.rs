//! `analyse`: the registered plan on a locked data set, or a dry run on redrawn arms.
//!
//! A lock is the ledger up to its event. Analysing it is recorded with the SHA-256 of the results; doing it again gives
//! the same bytes. Before a lock nothing is computed from the true arms: a dry run redraws them first, and records
//! nothing.

use super::deviations::{self, codes, recorded};
use super::failure::Failure;
use super::lock::find;
use super::outside::Outside;
use super::permission::Deed;
use super::record::NoDraw;
use super::refusal::refusal;
use super::study::{Act, Study, Work};
use super::typed_time::now;
use crate::analysis::deviations::{Amended, NamedAt, Recorded};
use crate::analysis::looks::{EarlierLook, earlier_looks, look};
use crate::analysis::replication::LookedAt;
use crate::analysis::results::{Analyses, AnalysisResult};
use crate::analysis::{Plan, RunSettings, dry_run, registered_p, run};
use crate::diagnostic::{Lang, Words};
use crate::protocol::Protocol;
use crate::protocol::model::{Cut, Day};
use crate::report::{balance, deviation, funnel, further, missingness, subgroups, test, used};
use crate::study::journal::{Content, Journal, Recording, hex};
use crate::study::kernel::{Command, LockState, Refusal, State, decide};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// What was analysed.
#[derive(Debug, Clone)]
pub struct Analysed {
    /// The results.
    pub analyses: Analyses,
    /// The state that they were computed from: the ledger up to the lock; in a dry run with redrawn arms.
    pub state: State,
    /// SHA-256 of the results in English, 64 hexadecimal digits.
    pub results_sha256: String,
    /// Head of the ledger after the analysis was recorded; `None` in a dry run.
    pub head: Option<String>,
}

/// Runs the registered analyses of a lock and records that it was done, with coded reasons for which something was done
/// otherwise than registered. A reason that an earlier analysis of the lock recorded is not recorded again, so that the
/// same command gives the same results.
///
/// # Errors
/// An unknown lock or reason (exit 2); data that are not locked (7).
pub fn analyse(
    outside: &Outside,
    study: &mut Study,
    act: &Act,
    id: &str,
    named: &[String],
) -> Result<Analysed, Failure> {
    let place = find(study, id)?;
    let named = codes(study.protocol(), named)?;
    let (computed, known) = computed(study, place)?;
    let known = known.iter().filter(|own| own.at == NamedAt::Analysis);
    let known: Vec<&str> = known
        .filter(|own| own.lock == id)
        .map(|own| own.code.as_str())
        .collect();
    let fresh: Vec<String> = named
        .into_iter()
        .filter(|code| !known.contains(&code.as_str()))
        .collect();
    let (analyses, results_sha256) =
        study.write(outside, act, Deed::Analyse, |journal, time| {
            let in_force = journal.protocol.in_epoch(journal.state.epoch);
            let date = journal.day(time).date();
            let day = date.map_or_else(String::new, |date| date.to_string());
            let at = (NamedAt::Analysis, id);
            let own = fresh.iter().filter_map(|code| {
                let own = deviations::one(in_force, code, at, &day, &act.actor)?;
                Some(own.line())
            });
            let mut analyses = computed.analyses.clone();
            analyses.ledger.extend(own);
            let protocol = journal.protocol.in_epoch(computed.state.epoch);
            let sha256 = hashed(protocol, &analyses);
            let decision = decide(
                &journal.protocol,
                &journal.state,
                &Command::Analyse { lock: place },
                journal.day(time),
                &mut NoDraw,
            )
            .map_err(|refused| refusal(&journal.protocol, refused))?;
            let public = Content::new().with("results_sha256", sha256.clone());
            let public = deviations::public(public, &fresh);
            let recordings: Vec<Recording> = decision
                .events
                .into_iter()
                .flatten()
                .map(|what| Recording::public(what, public.clone()))
                .collect();
            Ok(Work {
                recordings,
                answer: (analyses, sha256),
            })
        })?;
    Ok(Analysed {
        analyses,
        state: computed.state,
        results_sha256,
        head: Some(study.journal.head.to_hex()),
    })
}

/// The results of a lock, without recording anything: for a report on it.
///
/// # Errors
/// Data that are not locked (exit 7); a ledger that cannot be read (8).
pub fn locked(study: &mut Study, lock: u16) -> Result<Analysed, Failure> {
    computed(study, lock).map(|(analysed, _)| analysed)
}

/// The results of a lock, and the deviations that people named until now.
fn computed(study: &mut Study, lock: u16) -> Result<(Analysed, Vec<Recorded>), Failure> {
    let (state, made) = up_to_lock(study, lock)?;
    let amendments = amendments(study, made.sequence)?;
    // The protocol in force at the lock: a later amendment changes nothing of its results.
    let protocol = study.protocol().in_epoch(state.epoch);
    let mut settings = RunSettings {
        lock: name(protocol, lock),
        ..RunSettings::default()
    };
    settings.earlier = earlier_states(study, lock, state.epoch)?
        .iter()
        .filter_map(seen)
        .collect();
    let protocol = study.protocol().in_epoch(state.epoch);
    let plan = Plan::registered(protocol, usize::from(lock));
    settings.amendments = amendments;
    let mut analyses = run(protocol, &state, &plan, made.cut, &settings);
    let named = recorded(
        study,
        settings.lock.as_deref().unwrap_or_default(),
        made.sequence,
    )?;
    analyses.ledger.extend(named.iter().map(Recorded::line));
    let protocol = study.protocol().in_epoch(state.epoch);
    Ok((finished(protocol, analyses, state), named))
}

/// The amendments up to an event of the ledger.
fn amendments(study: &mut Study, until: u64) -> Result<Vec<Amended>, Failure> {
    if study.journal.state.epoch == 0 {
        return Ok(Vec::new());
    }
    let entries = study.entries()?;
    let opened = entries.iter().filter(|entry| entry.kind == "epoch-opened");
    let opened = opened.filter(|entry| entry.sequence <= until).zip(1..);
    Ok(opened
        .map(|(entry, epoch)| Amended {
            epoch,
            day: deviations::day(study, entry),
            actor: entry.actor.clone(),
        })
        .collect())
}

/// The states in which the analyses of a lock, by the protocol of an epoch, were looked at before it; a lock that was never made
/// is none.
///
/// # Errors
/// A ledger that cannot be read (exit 8).
pub(super) fn earlier_states(
    study: &mut Study,
    lock: u16,
    epoch: u32,
) -> Result<Vec<LookedAt>, Failure> {
    let protocol = study.protocol().in_epoch(epoch);
    let looked: Vec<(String, usize)> = earlier_looks(protocol, usize::from(lock))
        .into_iter()
        .map(|(analysis, at)| (analysis.id.clone(), at))
        .collect();
    let mut list = Vec::new();
    for (analysis, at) in looked {
        let place = at as u16;
        if study.journal.state.lock(place).is_none() {
            continue;
        }
        let (state, made) = up_to_lock(study, place)?;
        list.push(LookedAt {
            analysis,
            lock: at,
            protocol: study.protocol().in_epoch(state.epoch).clone(),
            state,
            cut: made.cut,
        });
    }
    Ok(list)
}

/// What was seen of an analysis at an interim lock; nothing if no effect existed there: then nothing was spent.
fn seen(own: &LookedAt) -> Option<EarlierLook> {
    let analyses = own.protocol.analyses.iter();
    let analysis = analyses.clone().find(|other| other.id == own.analysis)?;
    let look = look(&own.protocol, &own.state, own.cut, analysis).ok()?;
    Some(EarlierLook {
        analysis: own.analysis.clone(),
        lock: own.lock,
        look,
        p_value: registered_p(&own.protocol, &own.state, own.cut, analysis),
    })
}

/// The registered analyses on redrawn arms: of a lock (made or not), or all of them. Records nothing.
///
/// A lock that was made is taken up to its event; any other dry run takes the whole ledger, cut at the registered date
/// of the lock if that has passed, else today.
///
/// # Errors
/// An unknown lock (exit 2); a ledger that cannot be read (8).
pub fn try_out(
    outside: &Outside,
    study: &mut Study,
    id: Option<&str>,
) -> Result<Analysed, Failure> {
    let place = id.map(|id| find(study, id)).transpose()?;
    let made = place.and_then(|place| study.journal.state.lock(place).copied());
    let (state, cut) = match (place, made) {
        (Some(place), Some(made)) => (up_to_lock(study, place)?.0, made.cut),
        (place, _) => {
            let today = study.journal.day(now(outside));
            (study.journal.state.clone(), cut(study, place, today))
        }
    };
    let protocol = study.protocol().in_epoch(state.epoch);
    let state = dry_run(protocol, &state);
    let plan = match place {
        Some(place) => Plan::registered(protocol, usize::from(place)),
        None => Plan::everything(protocol),
    };
    let settings = RunSettings {
        lock: place.and_then(|place| name(protocol, place)),
        dry_run: true,
        ..RunSettings::default()
    };
    let analyses = run(protocol, &state, &plan, cut, &settings);
    Ok(finished(protocol, analyses, state))
}

fn finished(protocol: &Protocol, analyses: Analyses, state: State) -> Analysed {
    Analysed {
        results_sha256: hashed(protocol, &analyses),
        analyses,
        state,
        head: None,
    }
}

fn hashed(protocol: &Protocol, analyses: &Analyses) -> String {
    let bytes = body(protocol, analyses, Lang::En).to_string();
    hex(&Sha256::digest(bytes.as_bytes()))
}

fn name(protocol: &Protocol, lock: u16) -> Option<String> {
    protocol
        .locks
        .get(usize::from(lock))
        .map(|lock| lock.id.clone())
}

/// The cut of a lock that was not made: its registered date if that has passed, else today.
fn cut(study: &Study, lock: Option<u16>, today: Day) -> Day {
    let registered = lock
        .and_then(|lock| study.protocol().locks.get(usize::from(lock)))
        .and_then(|lock| match lock.cut {
            Cut::On(date) => Some(Day::of(date)),
            Cut::AfterLastWindow { .. } => None,
        });
    registered.map_or(today, |registered| registered.min(today))
}

/// The state of the ledger up to the event of a lock. Families whose data were erased later are erased in it, for
/// what they were can no longer be read.
///
/// # Errors
/// Data that are not locked (exit 7); a ledger that cannot be read (8).
pub(super) fn up_to_lock(study: &mut Study, lock: u16) -> Result<(State, LockState), Failure> {
    let protocol = &study.journal.protocol;
    let Some(made) = study.journal.state.lock(lock).copied() else {
        return Err(refusal(protocol, Refusal::NotLocked));
    };
    if made.sequence == study.journal.state.sequence {
        return Ok((study.journal.state.clone(), made));
    }
    let mut whole = Journal::new(std::sync::Arc::clone(protocol));
    let mut then = whole.clone();
    let entries = study.entries()?;
    // A link that was taken back after the lock holds in it.
    let rows = entries.len().min(made.sequence as usize);
    then.foresee(&entries);
    then.absorb(&entries[..rows])
        .and_then(|()| whole.absorb(&entries))
        .map_err(|corrupt| super::study::unreadable(&corrupt, &study.folder))?;
    let mut state = then.state;
    for (then, now) in state.families.iter_mut().zip(&whole.state.families) {
        then.erased |= now.erased;
    }
    Ok((state, made))
}

/// The fields of `lottning.analysis/1` without the head, in one language.
pub fn body(protocol: &Protocol, analyses: &Analyses, lang: Lang) -> Value {
    let text = |words: &Words| json!(words.get(lang));
    let baseline: Vec<Value> = protocol
        .arms
        .iter()
        .zip(&analyses.baseline.families)
        .map(|(arm, families)| json!({ "arm": arm.id, "families": families }))
        .collect();
    json!({
        "lock": analyses.lock,
        "dry_run": analyses.dry_run,
        "analyses": analyses
            .analyses
            .iter()
            .map(|analysis| one(protocol, analysis, lang))
            .collect::<Vec<_>>(),
        "deviations": analyses.ledger.iter().map(|line| deviation(line, text)).collect::<Vec<_>>(),
        "cut": analyses.cut.date().map(|date| date.to_string()),
        "families": baseline,
        "balance": balance(&analyses.balance, text),
        "provenance": {
            "version": env!("CARGO_PKG_VERSION"),
            "study": protocol.study.id,
            "protocol_hash": protocol.hash.to_hex(),
        },
    })
}

fn one(protocol: &Protocol, analysis: &AnalysisResult, lang: Lang) -> Value {
    let text = |words: &Words| json!(words.get(lang));
    let arm = |arm: crate::allocation::Arm| protocol.arms.get(arm.index()).map(|arm| &arm.id);
    let mut whole = json!({
        "id": analysis.id,
        "role": analysis.role.text(),
        "prespecified": analysis.prespecified,
        "results": analysis.results,
        "test": analysis.test.as_ref().map(|own| test(own, text)),
        "covariates": analysis.covariates,
        "deviations": analysis.deviations.iter().map(|deviation| json!({
            "code": deviation.code, "message": text(&deviation.message),
        })).collect::<Vec<_>>(),
        "outcome": analysis.outcome,
        "estimand": text(&analysis.estimand),
        "measure": analysis.measure,
        "attributes": analysis.attributes.iter().map(|own| (own.key.to_owned(), text(&own.value)))
            .collect::<serde_json::Map<String, Value>>(),
        "used": used(&analysis.used),
        "received_by_month": funnel(&analysis.funnel),
        "subgroups": subgroups(&analysis.subgroups),
        "missing": analysis.missing_rule.text(),
        "missingness": missingness(protocol, analysis.missingness.as_ref()),
        "alpha": analysis.alpha,
        "p_adjusted": analysis.p_adjusted,
        "looks": analysis.looks.iter().map(|look| json!({
            "lock": look.lock,
            "information": look.information,
            "z": look.z,
            "critical_value": look.critical,
            "cumulative_alpha": look.cumulative_alpha,
            "crossed": look.crossed,
        })).collect::<Vec<_>>(),
        "q_value": analysis.q_value,
        "arms": analysis.arms.iter().map(|outcome| json!({
            "arm": arm(outcome.arm),
            "randomized": outcome.randomized,
            "analysed": outcome.analysed,
            "missing": outcome.missing,
            "by_rule": outcome.by_rule,
            "not_yet": outcome.not_yet,
            "mean": outcome.mean,
            "events": outcome.events,
            "children": outcome.children.map(|own| own.number),
        })).collect::<Vec<_>>(),
        "warnings": analysis.warnings.iter().map(|warning| json!({
            "code": warning.code, "message": text(&warning.message),
        })).collect::<Vec<_>>(),
        "conclusion": text(&analysis.conclusion),
    });
    if let Some(further) = further(protocol, analysis, text) {
        whole["further_comparisons"] = further;
    }
    whole
}
