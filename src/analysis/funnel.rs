//! Who received the treated arm's service, month by month of randomization: what a complier effect rests on.

use super::workspace::Workspace;
use crate::allocation::Arm;
use crate::estimation::Arm as Side;
use crate::protocol::Protocol;
use crate::protocol::model::Analysis;
use crate::study::kernel::State;
use crate::study::uptake::received;
use std::collections::BTreeMap;

/// Families randomized in a month, and how many of them received the treated arm's service. Pairs are treated, control.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FunnelMonth {
    /// The month, `2025-03`.
    pub month: String,
    /// Families randomized.
    pub randomized: [u32; 2],
    /// Families that received the service by the cut.
    pub received: [u32; 2],
}

/// The funnel of an analysis that asks for what was received; empty for others. Every family of the lock counts, whatever is
/// known of its outcome.
pub(super) fn funnel(
    workspace: &Workspace,
    (protocol, state): (&Protocol, &State),
    analysis: &Analysis,
    treated: Arm,
) -> Vec<FunnelMonth> {
    let Some(how) = analysis.received else {
        return Vec::new();
    };
    let mut months: BTreeMap<String, FunnelMonth> = BTreeMap::new();
    for (row, unit) in workspace.units.iter().enumerate() {
        let (Some(side), Some(family)) = (
            workspace.side(protocol, treated, row),
            state.family(unit.family),
        ) else {
            continue;
        };
        let Some(date) = family.randomized.date() else {
            continue;
        };
        let month = format!("{:04}-{:02}", date.year(), date.month());
        let own = months.entry(month.clone()).or_insert(FunnelMonth {
            month,
            randomized: [0; 2],
            received: [0; 2],
        });
        let place = usize::from(side == Side::Control);
        own.randomized[place] += 1;
        let got = received(state, workspace.cut, unit.family, treated, how);
        own.received[place] += u32::from(got);
    }
    months.into_values().collect()
}
