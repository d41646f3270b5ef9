//! What a scenario takes from the protocol: the window in which new reports happen.

use crate::protocol::Protocol;
use crate::protocol::findings::Findings;
use crate::protocol::model::OutcomeKind;
use crate::words;
use std::ops::Range;

/// The window in which new reports happen: that of the outcomes that are analysed, or of the protocol's first one. Several
/// need a `stated` one, to which the risk belongs; reports then happen in all of them.
pub(super) fn window(
    out: &mut Findings<'_>,
    protocol: &Protocol,
    (analyses, span): &(Vec<usize>, Range<usize>),
    stated: Option<(i32, i32)>,
) -> Option<(i32, i32)> {
    let of = |kind: &OutcomeKind| match kind {
        OutcomeKind::Reports { window_days, .. } => Some(*window_days),
        OutcomeKind::Binary { .. }
        | OutcomeKind::Duration { .. }
        | OutcomeKind::Observed { .. } => None,
    };
    let windows: Vec<(i32, i32)> = analyses
        .iter()
        .filter_map(|index| of(&protocol.outcomes[protocol.analyses[*index].outcome].kind))
        .collect();
    let Some(first) = windows.first() else {
        let any = protocol
            .outcomes
            .iter()
            .find_map(|outcome| of(&outcome.kind));
        return Some(any.or(stated).unwrap_or((1, 365)));
    };
    if windows.iter().all(|window| window == first) || stated.is_some() {
        let widest = windows
            .iter()
            .fold(*first, |all, own| (all.0.min(own.0), all.1.max(own.1)));
        return Some(widest);
    }
    out.error(
        "windows-differ",
        span,
        words!(
            "the analyses count reports in different windows, and the scenario states the risk of one",
            "analyserna räknar anmälningar i olika fönster, och scenariot anger risken för ett"
        ),
        words!(
            "write `window_days` in `[truth]`, the window of the risk that is stated there",
            "ange `window_days` i `[truth]`, fönstret för den risk som anges där"
        ),
    );
    None
}
