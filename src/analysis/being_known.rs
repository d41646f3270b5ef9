//! What is told of the model of being known, behind weights for unknown outcomes: where it is not the registered one.

use super::workspace::{Workspace, labels};
use crate::allocation::Arm;
use crate::estimation::known_weights::Aside;
use crate::estimation::{Arm as Side, Warning};
use crate::protocol::Protocol;
use crate::protocol::model::{Analysis, Missing};
use crate::study::kernel::State;
use crate::words;

impl Workspace {
    /// Whether the model behind the weights of an analysis has fewer columns than registered, and whom it sets aside.
    pub(super) fn told_of_weights(
        &self,
        protocol: &Protocol,
        state: &State,
        analysis: &Analysis,
        treated: Arm,
    ) -> Vec<Warning> {
        let mut told = Vec::new();
        if analysis.missing != Missing::CensoringWeights || self.unknown.is_empty() {
            return told;
        }
        let rows = self.rows.iter().map(|row| *row as usize);
        let rows: Vec<usize> = rows
            .filter(|row| self.side(protocol, treated, *row).is_some())
            .collect();
        let (found, full) = self.known_weights(protocol, state, analysis, (treated, &rows));
        let labels = labels(protocol, treated);
        let lost = |side: Side| {
            let mut unknown = self.unknown.iter();
            unknown.any(|(row, _)| self.side(protocol, treated, *row as usize) == Some(side))
        };
        for side in [Side::Treated, Side::Control] {
            if !lost(side) {
                continue;
            }
            let (arm, used) = (labels.arm(side), found.columns[side.index()]);
            if found.separated[side.index()] {
                told.push(given_up(arm));
            } else if used < full {
                told.push(reduced(arm, used, full));
            }
            let aside = &found.aside[side.index()];
            if !aside.is_empty() {
                let (names, _) = self.adjusting(protocol, state, &analysis.covariates, &rows);
                told.extend(aside.iter().map(|own| set_aside(arm, own, &names)));
            }
        }
        told
    }
}

fn reduced(arm: &str, used: usize, full: usize) -> Warning {
    let words = words!(
        "in {arm} there are too few families with or without a known outcome for all covariates: the weights there go by {used} of {full} columns",
        "i {arm} är det för få familjer med eller utan känt utfall för alla kovariater: vikterna där går efter {used} av {full} kolumner"
    );
    Warning::new("censoring-model-reduced", words)
}

fn given_up(arm: &str) -> Warning {
    let words = words!(
        "in {arm} the covariates separate the families with a known outcome from those without: the weights there go by the arm's share of known outcomes",
        "i {arm} skiljer kovariaterna familjer med känt utfall helt från dem utan: vikterna där går efter gruppens andel kända utfall"
    );
    Warning::new("censoring-model-separated", words)
}

fn set_aside(arm: &str, aside: &Aside, names: &[String]) -> Warning {
    let names = aside.columns.iter().filter_map(|column| names.get(*column));
    let names: Vec<String> = names.map(|name| format!("`{name}`")).collect();
    let names = names.join(", ");
    let (en, sv) = if aside.with {
        ("with", "med")
    } else {
        ("without", "utan")
    };
    let words = if aside.known {
        words!(
            "in {arm} all families {en} {names} have a known outcome: they have the weight 1, and the model behind the weights is fitted to the others",
            "i {arm} har alla familjer {sv} {names} känt utfall: de har vikten 1, och modellen bakom vikterna skattas på de övriga"
        )
    } else {
        words!(
            "in {arm} no family {en} {names} has a known outcome: none of their kind stands for them, and the model behind the weights is fitted to the others",
            "i {arm} har ingen familj {sv} {names} känt utfall: ingen av deras slag står för dem, och modellen bakom vikterna skattas på de övriga"
        )
    };
    Warning::new("censoring-model-separated", words)
}
