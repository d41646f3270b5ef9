//! Of which registered randomization tests the size is shown: how often they reject in studies whose *twins* have no effect.
//!
//! Behind a gate a test is approximate, because who is admitted depends on earlier arms. In a twin the treated service does to a
//! family what the control service does, and its investigation is as long as it is: slots are held as before, or the twin would
//! be behind another gate. Where an outcome depends on the day on which the investigation closes, the arms still differ in it
//! unless they close alike, and there is no such twin.

use super::scenario::Scenario;
use crate::analysis::plan::limit;
use crate::protocol::Protocol;
use crate::protocol::model::{Analysis, OutcomeKind};

/// Whether the size of an analysis' test is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sizing {
    /// No registered randomization test decides, or there is no gate.
    NotAsked,
    /// It is.
    Shown,
    /// The arms differ without any effect, in the length of the investigation.
    LengthDiffers,
}

impl Sizing {
    /// Of an analysis of the protocol.
    pub(super) fn of(protocol: &Protocol, scenario: &Scenario, index: usize) -> Self {
        let analysis: &Analysis = &protocol.analyses[index];
        let decides = analysis.test.is_some() && limit(protocol, analysis).is_some();
        if protocol.gate.is_none() || !decides {
            return Self::NotAsked;
        }
        let by_length = match &protocol.outcomes[analysis.outcome].kind {
            OutcomeKind::Reports {
                without_attached, ..
            } => *without_attached,
            OutcomeKind::Binary { .. } | OutcomeKind::Duration { .. } => true,
            OutcomeKind::Observed { .. } => false,
        };
        let mut arms = 0..scenario.treated();
        if !by_length || arms.all(|arm| scenario.world_of(arm).closes_alike()) {
            Self::Shown
        } else {
            Self::LengthDiffers
        }
    }
}
