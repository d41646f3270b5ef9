//! What is wrong with a folder of pieces, all of it at once, and the commands that mend it.

use super::folder::{Flaw, Folder, RECORDS, damaged_words, is_piece_name};
use super::order::{Planned, quoted_path};
use crate::app::exit;
use crate::app::failure::Failure;
use crate::diagnostic::{Diagnostic, Words};
use crate::planning::pieces::{Damage, Shard};
use crate::planning::simulate::SimulationError;
use crate::words;
use std::ops::Range;
use std::path::Path;

/// What a cell lacks.
#[derive(Debug)]
pub(super) struct Lack {
    pub(super) cell: String,
    /// Studies that it is to have.
    pub(super) wanted: u64,
    pub(super) gaps: Vec<Range<u64>>,
}

/// A simulation that gives no answer, as a failure.
pub(crate) fn failed(error: &SimulationError) -> Failure {
    let code = match error {
        SimulationError::AllFailed { .. } | SimulationError::Drawn { .. } => exit::INVALID_PROTOCOL,
        SimulationError::Refused { .. } | SimulationError::Threads { .. } => exit::UNEXPECTED,
    };
    Failure::new(code, error.code(), error.words())
}

/// Everything that keeps the pieces of a folder from being put together.
pub(super) fn refused(
    folder: &Folder<'_>,
    planned: &Planned,
    path: &Path,
    flaws: &[Flaw],
    lacking: &[Lack],
) -> Failure {
    let mut found = Vec::new();
    if let Some(foreign) = folder.foreign_failure() {
        for name in &folder.foreign {
            found.push(Diagnostic::error(
                "records-foreign",
                words!(
                    "{name} belongs to another plan",
                    "{name} hör till en annan plan"
                ),
            ));
        }
        if let Some(last) = found.last_mut() {
            last.help = foreign.help;
        }
    }
    let damaged = |name: &str, damage: Damage| {
        let file = quoted_path(&path.join(RECORDS).join(name));
        let help = if lacking.is_empty() || !is_run_again(name, damage) {
            words!(
                "no study is lost with it, so remove it: rm {file}",
                "ingen studie går förlorad med den, så ta bort den: rm {file}"
            )
        } else {
            words!(
                "remove it (rm {file}) and run its shard again, by the command below; the same studies are made",
                "ta bort den (rm {file}) och kör dess del igen, med kommandot nedan; det blir samma studier"
            )
        };
        Diagnostic::error("records-damaged", damaged_words(name, damage)).help(help)
    };
    for (name, damage) in &folder.damaged {
        found.push(damaged(name, *damage));
    }
    for flaw in flaws {
        found.push(match flaw {
            Flaw::Missing => continue,
            Flaw::Damaged(name, damage) => damaged(name, *damage),
            Flaw::Disagree(one, other) => Diagnostic::error(
                "records-disagree",
                words!(
                    "{one} and {other} have different studies under the same number",
                    "{one} och {other} har olika studier under samma nummer"
                ),
            )
            .help(Words::new(
                "one of two machines or programs computed otherwise: remove both files and run their studies on one of them",
                "den ena av två maskiner eller program räknade annorlunda: ta bort båda filerna och kör deras studier på en av dem",
            )),
        });
    }
    let is_damaged = !found.is_empty();
    found.extend(lacking.iter().map(lack));
    if let Some(last) = found.last_mut().filter(|last| last.help.is_none()) {
        last.help = Some(mending(folder, planned, path, lacking));
    }
    let exit = if is_damaged {
        exit::INVALID_DATA
    } else {
        exit::WRONG_STATE
    };
    Failure::refused_file(
        exit,
        "shards-incomplete",
        path.display().to_string(),
        "",
        found,
    )
}

/// Whether the studies of a damaged file are missing: those of a piece are, and what never was one holds none.
fn is_run_again(name: &str, damage: Damage) -> bool {
    damage != Damage::Head || is_piece_name(name)
}

fn lack(lack: &Lack) -> Diagnostic {
    let Lack { cell, wanted, gaps } = lack;
    let count: u64 = gaps.iter().map(|gap| gap.end - gap.start).sum();
    let ranges: Vec<String> = gaps
        .iter()
        .map(|gap| match gap.end - gap.start {
            1 => gap.start.to_string(),
            _ => format!("{}–{}", gap.start, gap.end - 1),
        })
        .collect();
    let ranges = ranges.join(", ");
    Diagnostic::error(
        "shards-incomplete",
        words!(
            "the cell `{cell}` lacks {count} of {wanted} studies: replicates {ranges}",
            "cellen `{cell}` saknar {count} av {wanted} studier: upprepningar {ranges}"
        ),
    )
}

/// The commands that run what is missing.
fn mending(folder: &Folder<'_>, planned: &Planned, path: &Path, lacking: &[Lack]) -> Words {
    let (command, out) = (planned.order.command(), quoted_path(path));
    let missing: Vec<String> = match folder.shards() {
        None => Vec::new(),
        Some(of) => (1..=of)
            .filter(|number| {
                let number = *number;
                lacking.iter().any(|lack| {
                    let own = Shard { number, of }.replicates(lack.wanted);
                    let meets = |gap: &Range<u64>| gap.start < own.end && own.start < gap.end;
                    lack.gaps.iter().any(meets)
                })
            })
            .map(|number| format!("lottning {command} --shard {number}/{of} --out {out}"))
            .collect(),
    };
    if missing.is_empty() {
        return words!(
            "run what is missing: lottning {command} --out {out}",
            "kör det som saknas: lottning {command} --out {out}"
        );
    }
    let missing = missing.join("\n  ");
    words!(
        "run what is missing:\n  {missing}",
        "kör det som saknas:\n  {missing}"
    )
}
