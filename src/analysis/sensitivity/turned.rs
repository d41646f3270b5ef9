//! Which numbers of events among unknown outcomes of yes or no turn the verdict.

use super::{Found, Ground, with_rule};
use crate::analysis::handover::settles;
use crate::analysis::rows::undefined;
use crate::analysis::workspace::{Workspace, labels};
use crate::estimation::tipping::{ArmCounts, tipping_pairs};
use crate::estimation::{Arm as Side, EstimationError, Warning};
use crate::protocol::model::{Analysis, Missing};
use crate::words;
use serde_json::json;

/// Which numbers of events among the families with unknown outcomes turn the verdict of the known ones.
pub(super) fn turned(workspace: &mut Workspace, ground: Ground<'_>, analysis: &Analysis) -> Found {
    let protocol = ground.protocol;
    let analysis = with_rule(analysis, Missing::CompleteCase);
    workspace.sample(protocol, ground.state, ground.cut, &analysis);
    let settled = settles(protocol, &analysis);
    let counts = |side: Side| {
        let own = |row: u32| workspace.side(protocol, ground.treated, row as usize) == Some(side);
        let known = workspace.rows.iter().zip(&workspace.y);
        let known: Vec<f64> = known
            .filter(|(row, _)| own(**row))
            .map(|(_, y)| *y)
            .collect();
        let unknown = || {
            let list = workspace.unknown.iter();
            list.filter(|(row, _)| own(*row))
                .map(|(_, seen)| seen.unwrap_or(0.0))
        };
        ArmCounts {
            events: known.iter().filter(|y| **y > 0.0).count() as u64,
            known: known.len() as u64,
            unknown: unknown().count() as u64,
            settled: unknown().filter(|seen| settled && *seen > 0.0).count() as u64,
        }
    };
    let (treated, control) = (counts(Side::Treated), counts(Side::Control));
    let found = tipping_pairs(treated, control, analysis.alpha).ok_or(EstimationError::NoRows)?;
    let mut row = undefined(protocol, &analysis, ground.treated, workspace);
    "risk-difference".clone_into(&mut row.estimator);
    "risk-difference".clone_into(&mut row.measure);
    "miettinen-nurminen".clone_into(&mut row.interval);
    "none".clone_into(&mut row.variance);
    row.n_treated = (treated.known + treated.unknown) as usize;
    row.n_control = (control.known + control.unknown) as usize;
    row.extra
        .insert("verdict".into(), json!(found.verdict.text()));
    row.extra.insert("pairs".into(), json!(found.pairs));
    row.extra.insert("turning".into(), json!(found.turning));
    let nearest = found.nearest.map(|(a, b)| [a, b]);
    row.extra.insert("turns_at".into(), json!(nearest));
    row.extra
        .insert("unknown".into(), json!([treated.unknown, control.unknown]));
    let (of_treated, of_control) = (treated.unknown, control.unknown);
    let labels = labels(protocol, ground.treated);
    let (t, c) = (labels.arm(Side::Treated), labels.arm(Side::Control));
    let message = match found.nearest {
        Some((a, b)) => {
            let share = |arm: ArmCounts, events: u64| {
                (arm.events + events) as f64 / (arm.known + arm.unknown) as f64
            };
            row.estimate = Some(share(treated, a) - share(control, b));
            words!(
                "the unadjusted conclusion of the known outcomes would turn if the outcome had happened to {a} of the {of_treated} unknown families in {t} and {b} of the {of_control} in {c}",
                "den ojusterade slutsatsen av de kända utfallen skulle vändas om utfallet hade inträffat för {a} av de {of_treated} okända familjerna i {t} och {b} av de {of_control} i {c}"
            )
        }
        None => words!(
            "whatever happened to the {of_treated} families in {t} and the {of_control} in {c} with unknown outcomes, the unadjusted conclusion of the known ones stands",
            "vad som än hände de {of_treated} familjerna i {t} och de {of_control} i {c} med okända utfall står den ojusterade slutsatsen av de kända kvar"
        ),
    };
    Ok((vec![row], vec![Warning::new("tipping-point", message)]))
}
