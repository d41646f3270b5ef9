//! What the simulated studies of a rehearsal say, in a sentence.

use crate::diagnostic::Words;
use crate::planning::simulate::CellPerformance;
use crate::protocol::Protocol;
use crate::protocol::model::Role;
use crate::words;

/// The families of a simulated study and its power in the primary analysis: with several treated arms that of each, by its
/// name. Where the primary analysis is not simulated, the power is that of the first one that is, which is said; `None` where
/// the analysis has no power, as bounds have none.
pub(super) fn simulated(cell: &CellPerformance, protocol: &Protocol) -> Option<Words> {
    let primary = protocol
        .analyses
        .iter()
        .find(|own| own.role == Role::Primary);
    let is_primary = |id: &str| primary.is_some_and(|own| own.id == id);
    let (name, found) = cell
        .analyses
        .iter()
        .find(|(name, _)| is_primary(analysis_of(name)))
        .or_else(|| cell.analyses.first())?;
    let analysis = analysis_of(name);
    let mut power = Words::same("");
    for (name, own) in &cell.analyses {
        if analysis_of(name) != analysis {
            continue;
        }
        let shown = Words::decimals(100.0 * own.power.value?, 0).en;
        let Words { en, sv } = Words::decimals(100.0 * own.power.mcse?, 1);
        let own = match name.split_once(':') {
            None => words!(
                "power {shown} % (Monte Carlo error {en})",
                "styrka {shown} % (Monte Carlo-fel {sv})"
            ),
            Some((_, arm)) if power.en.is_empty() => words!(
                "power of `{arm}` {shown} % (Monte Carlo error {en})",
                "styrka för `{arm}` {shown} % (Monte Carlo-fel {sv})"
            ),
            Some((_, arm)) => {
                words!(
                    ", of `{arm}` {shown} % ({en})",
                    ", för `{arm}` {shown} % ({sv})"
                )
            }
        };
        power.en += &own.en;
        power.sv += &own.sv;
    }
    if !is_primary(analysis) {
        let own = words!(
            " in the analysis `{analysis}`; the primary one is not simulated",
            " i analysen `{analysis}`; den primära simuleras inte"
        );
        power.en += &own.en;
        power.sv += &own.sv;
    }
    let Words { en, sv } = power;
    let families = Words::decimals(cell.studies.families.value?, 0).en;
    let replicates = found.replicates;
    Some(words!(
        "simulated {replicates} such studies: {families} families on average, {en}",
        "simulerade {replicates} sådana studier: i snitt {families} familjer, {sv}"
    ))
}

/// The id of the analysis in the name of a row, `analysis` or `analysis:arm`.
fn analysis_of(name: &str) -> &str {
    name.split_once(':').map_or(name, |(analysis, _)| analysis)
}
