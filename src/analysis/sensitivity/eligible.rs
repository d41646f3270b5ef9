//! The row without families that were found, after the draw, not to have been eligible.
//!
//! They stay in the randomized set and in the result. What found them came after the draw, and need not have come alike in both arms,
//! so that what is left is not whole as randomized: the row is a sensitivity analysis and decides nothing.

use super::{Ground, add, plain};
use crate::analysis::workspace::Workspace;
use crate::estimation::{Estimate, Warning};
use crate::protocol::model::Analysis;
use crate::study::conduct::ELIGIBLE_SET;
use crate::words;
use serde_json::json;

/// Adds the row, where any family of the lock was found not to have been eligible: the same analysis of the others.
pub(super) fn eligible(
    (list, warnings): (&mut Vec<Estimate>, &mut Vec<Warning>),
    ground: Ground<'_>,
    analysis: &Analysis,
    workspace: &mut Workspace,
) {
    if !workspace.any_ineligible(ground.state) {
        return;
    }
    workspace.leave_ineligible_out(ground.state);
    let found = plain(workspace, ground, analysis);
    let from = list.len();
    let name = (ELIGIBLE_SET, found);
    add(
        (&mut *list, &mut *warnings),
        ground,
        analysis,
        name,
        workspace,
    );
    for row in list.iter_mut().skip(from) {
        row.extra
            .insert("randomized_groups_whole".into(), json!(false));
    }
    let told = told(ground, &workspace.left_out_by_arm());
    if !warnings.contains(&told) {
        warnings.push(told);
    }
    workspace.keep_all();
}

fn told(ground: Ground<'_>, by_arm: &[u32]) -> Warning {
    let families: u32 = by_arm.iter().sum();
    let arms = ground.protocol.arms.iter().zip(by_arm);
    let arms: Vec<String> = arms
        .map(|(arm, families)| format!("{}: {families}", arm.id))
        .collect();
    let arms = arms.join(", ");
    Warning::new(
        "found-ineligible-left-out",
        words!(
            "families found after the draw not to have been eligible, whom `{ELIGIBLE_SET}` leaves out: {families} ({arms}); it does not keep the randomized groups whole, and is a sensitivity analysis that decides nothing",
            "familjer som efter lottningen visade sig inte uppfylla villkoren, vilka `{ELIGIBLE_SET}` utelämnar: {families} ({arms}); den håller inte de lottade grupperna hela och är en känslighetsanalys som inte avgör något"
        ),
    )
}
