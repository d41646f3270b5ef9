//! `report`: one page in two languages, figures, tables and the same numbers for programs.
//!
//! With a lock the report is about the study as it stood then, at its cut; without one it is a dry run on redrawn arms,
//! and says so loudly. The ledger is verified first, as a whole.

use super::analyse::{Analysed, locked, try_out};
use super::failure::Failure;
use super::lock;
use super::outside::Outside;
use super::study::Study;
use super::typed_time::now;
use crate::allocation::{Mode, Seed};
use crate::analysis::results::Analyses;
use crate::diagnostic::Lang;
use crate::report::{Provenance, Report, SeedFact, csv, figures, html, json, public};
use crate::study::cohort::cohort;
use crate::study::conduct::{Conduct, conduct};
use crate::study::flow::{Flow, flow, sites};
use crate::study::slots::freed_by_intake;
use crate::study::verify::{Verification, verify};
use std::path::PathBuf;

/// What `report` needs.
#[derive(Debug, Clone, Default)]
pub struct ReportRequest {
    /// Id of the lock; `None` is a dry run on redrawn arms.
    pub lock: Option<String>,
    /// Folder to write to; `None` is `results/<lock>` in the study folder.
    pub out: Option<PathBuf>,
    /// Masks counts from 1 to one less than this: pages for the public alone, in a folder of their own.
    pub suppress_below: Option<u32>,
    /// Seeds, to derive every draw again; without them the published ones, if they are.
    pub seed_files: Vec<PathBuf>,
}

/// A report was written.
#[derive(Debug, Clone)]
pub struct Reported {
    /// Folder.
    pub folder: PathBuf,
    /// Files in it, the Swedish and the English page first.
    pub files: Vec<PathBuf>,
    /// What was computed.
    pub analyses: Analyses,
    /// The participant flow.
    pub flow: Flow,
    /// What verification found.
    pub verification: Verification,
}

/// Writes the report of a lock, or of a dry run.
///
/// # Errors
/// An unknown lock (exit 2) or one that has not been made (7); a seed that is missing or wrong (9); files that cannot
/// be written (1).
pub fn report(
    outside: &Outside,
    study: &mut Study,
    request: &ReportRequest,
) -> Result<Reported, Failure> {
    let seeds: Vec<Seed> = if request.seed_files.is_empty() {
        Vec::new()
    } else {
        study.seeds(outside, &request.seed_files)?
    };
    let entries = study.entries()?;
    let protocol = std::sync::Arc::clone(&study.journal.protocol);
    let verification = verify(&protocol, &entries, &seeds, None);
    let (name, analysed) = if let Some(id) = &request.lock {
        let place = lock::find(study, id)?;
        (id.clone(), locked(study, place)?)
    } else {
        ("dry-run".to_owned(), try_out(outside, study, None)?)
    };
    let Analysed {
        analyses, state, ..
    } = analysed;
    let protocol = protocol.in_epoch(state.epoch);
    let mut flow = flow(protocol, &state, analyses.cut);
    // The day of a dry run has not ended, nor has that of a lock when it is its cut: it is no whole day with a closed gate.
    let day = if analyses.dry_run {
        analyses.cut
    } else {
        state.last_day
    };
    let ended = sites(protocol, &state, analyses.cut.min(day.plus(-1)));
    for (site, ended) in flow.sites.iter_mut().zip(ended) {
        site.gate_closed = ended.gate_closed;
    }
    // Counted is the ledger up to the lock; before one nothing is told that depends on arms.
    let rows = entries.len().min(state.sequence as usize);
    let slots = freed_by_intake(&study.journal.protocol, &entries[..rows]).ok();
    let slots = slots.filter(|_| !analyses.dry_run);
    let opening = study.journal.opening.as_ref();
    let rehearsal = opening.is_some_and(|opening| opening.mode == Mode::Rehearsal);
    let facts = opening
        .map(|opening| {
            opening
                .commitments
                .iter()
                .enumerate()
                .map(|(epoch, commitment)| SeedFact {
                    epoch: epoch as u32,
                    commitment: commitment.clone(),
                    revealed: epoch < opening.revealed.len(),
                })
                .collect()
        })
        .unwrap_or_default();
    let provenance = Provenance::of(&verification, now(outside).to_string(), facts, rehearsal);
    let folder = request.out.clone().unwrap_or_else(|| {
        let name = match request.suppress_below {
            Some(_) => format!("{name}-public"),
            None => name,
        };
        study.folder.join("results").join(name)
    });
    let whole = Report {
        protocol,
        flow: &flow,
        conduct: &Conduct {
            slots,
            ..conduct(protocol, &state, analyses.cut)
        },
        cohort: &cohort(protocol, &state, analyses.cut),
        analyses: &analyses,
        provenance: &provenance,
    };
    let texts = match request.suppress_below {
        Some(below) => vec![
            ("report.sv.html".to_owned(), public(&whole, below, Lang::Sv)),
            ("report.en.html".to_owned(), public(&whole, below, Lang::En)),
        ],
        None => texts(&whole),
    };
    let mut files = Vec::new();
    for (name, text) in texts {
        let path = folder.join(name);
        outside.write_private(&path, text.as_bytes())?;
        files.push(path);
    }
    Ok(Reported {
        folder,
        files,
        analyses,
        flow,
        verification,
    })
}

/// The files of the full report by name, the pages first.
fn texts(report: &Report<'_>) -> Vec<(String, String)> {
    let mut files = vec![
        ("report.sv.html".to_owned(), html(report, Lang::Sv)),
        ("report.en.html".to_owned(), html(report, Lang::En)),
        ("report.json".to_owned(), json(report)),
    ];
    for table in csv(report) {
        files.push((format!("{}.csv", table.name), table.text));
    }
    for entry in figures::FIGURES {
        for (lang, code) in [(Lang::Sv, "sv"), (Lang::En, "en")] {
            if let Some(figure) = figures::draw(entry.id, report, lang) {
                files.push((format!("{}.{code}.svg", entry.id), figure.standalone()));
            }
        }
    }
    files
}
