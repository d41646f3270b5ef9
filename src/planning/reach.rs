//! How far parts of a world reach: which outcomes therapist pairs and optional mechanisms move, and what is said of analyses whose
//! outcome, or whose variance, they do not.

use super::scenario::Cell;
use crate::diagnostic::Words;
use crate::estimation::Warning;
use crate::protocol::model::{Analysis, OutcomeKind, Service};
use crate::words;

/// Names as a list of words of a file.
pub(super) fn quoted(names: &[&str]) -> String {
    let each = names.iter().map(|own| format!("`{own}`"));
    each.collect::<Vec<_>>().join(", ")
}

/// Whether treated families of a pair share something of an outcome: of how long investigations take they share nothing.
fn is_shared(kind: &OutcomeKind) -> bool {
    match kind {
        OutcomeKind::Reports { .. } | OutcomeKind::Observed { .. } => true,
        OutcomeKind::Binary { events, .. } => {
            let accepted = |own: &Service| matches!(own, Service::Accepted | Service::Started);
            events.iter().any(accepted)
        }
        OutcomeKind::Duration { .. } => false,
    }
}

/// The ids of the analyses of a cell that are of some kind.
fn ids(cell: &Cell, holds: impl Fn(&Analysis, &OutcomeKind) -> bool) -> Vec<&str> {
    let all = cell.scenario.analyses.iter();
    let all = all.map(|index| &cell.protocol.analyses[*index]);
    let own = all.filter(|own| holds(own, &cell.protocol.outcomes[own.outcome].kind));
    own.map(|own| own.id.as_str()).collect()
}

/// What families of a pair share, as it is set or as it is believed; `None` where they can share nothing.
fn icc_pair(cell: &Cell) -> Option<Words> {
    let mut priors = cell.priors.iter();
    if let Some(prior) = priors.find(|own| own.key == "family.icc_pair") {
        return prior.extremes().iter().any(|own| *own > 0.0).then(|| {
            words!(
                "`icc_pair`, drawn from a prior",
                "`icc_pair`, som dras ur en prior"
            )
        });
    }
    let icc = cell.scenario.world.family.icc_pair;
    (icc > 0.0).then(|| {
        let Words { en, sv } = Words::number(icc);
        words!("`icc_pair` is {en}", "`icc_pair` är {sv}")
    })
}

/// That families of a pair share something of outcomes whose analyses count every family for itself.
pub(super) fn pairs_not_analysed(cell: &Cell) -> Option<Warning> {
    let Words { en, sv } = icc_pair(cell)?;
    let alone = ids(cell, |own, kind| own.clusters.is_none() && is_shared(kind));
    let count = if alone.len() > 1 { "count" } else { "counts" };
    let names = quoted(&alone);
    (!alone.is_empty()).then(|| {
        Warning::new(
            "pairs-not-analysed",
            words!(
                "families of the same pair share something ({en}), and {names} {count} every family for itself: the estimates vary more than their standard errors say, and a test rejects more often than its level",
                "familjer hos samma par delar något ({sv}), men {names} räknar varje familj för sig: skattningarna varierar mer än medelfelen anger, och ett test förkastar oftare än sin nivå"
            ),
        )
    })
}

/// That a scenario has mechanisms that move the risk and the number of reports alone, and analyses of a score, which they leave as it is.
pub(super) fn reports_alone(cell: &Cell) -> Option<Warning> {
    let world = &cell.scenario.world;
    let mechanisms: Vec<&str> = world
        .others
        .iter()
        .filter_map(|own| own.moves_reports_alone())
        .collect();
    let scores = ids(cell, |_, kind| matches!(kind, OutcomeKind::Observed { .. }));
    if mechanisms.is_empty() || scores.is_empty() {
        return None;
    }
    let (mechanisms, scores) = (quoted(&mechanisms), quoted(&scores));
    Some(Warning::new(
        "reports-alone",
        words!(
            "{scores}: the score is the same with and without {mechanisms}; reports alone change",
            "{scores}: värdet är detsamma med och utan {mechanisms}; bara anmälningarna ändras"
        ),
    ))
}
