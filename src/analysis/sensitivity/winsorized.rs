//! The row of outcomes whose extremes are drawn in: how much of the effect rests on the few largest and smallest.
//!
//! The registered analysis in everything else. What it estimates is another quantity, the difference of means of outcomes as they are
//! drawn in, so that it decides nothing.

use super::{Found, Ground, fitted};
use crate::analysis::workspace::Workspace;
use crate::estimation::Warning;
use crate::estimation::winsorizing::{drawn_in, limits};
use crate::protocol::model::{Analysis, Skewed};
use crate::words;
use serde_json::json;

/// What drawing in has done to a sample.
struct Drawn {
    /// The two values that outcomes are drawn in to.
    limits: (f64, f64),
    /// Families that had another outcome, by arm.
    moved: Vec<u32>,
}

impl Workspace {
    /// Draws the sampled outcomes in to the quantiles of a share and of the rest, those of all arms together.
    fn draw_in(&mut self, share: f64) -> Option<Drawn> {
        let limits = limits(&self.y, share)?;
        let mut moved = vec![0; self.seen.len()];
        for (row, y) in self.rows.iter().zip(&mut self.y) {
            let within = drawn_in(*y, limits);
            let arm = self.units.get(*row as usize).map(|unit| unit.arm.index());
            if let Some(count) = arm.and_then(|arm| moved.get_mut(arm)) {
                *count += u32::from((within - *y).abs() > 0.0);
            }
            *y = within;
        }
        Some(Drawn { limits, moved })
    }
}

/// The same analysis of the outcomes as they are drawn in.
pub(super) fn winsorized(
    workspace: &mut Workspace,
    ground: Ground<'_>,
    analysis: &Analysis,
    share: f64,
) -> Found {
    workspace.sample(ground.protocol, ground.state, ground.cut, analysis);
    let drawn = workspace.draw_in(share);
    let (mut rows, mut warnings) = fitted(workspace, ground, analysis)?;
    if let Some(Drawn { limits, moved }) = drawn {
        let of = |arm: usize| moved.get(arm).copied().unwrap_or(0);
        let own = [ground.treated.index(), ground.protocol.control.index()].map(of);
        for row in &mut rows {
            row.extra.insert("winsorized_share".into(), json!(share));
            let to = [limits.0, limits.1];
            row.extra.insert("winsorized_to".into(), json!(to));
            row.extra.insert("moved".into(), json!(own));
        }
        warnings.push(told(ground, share, &moved));
    }
    Ok((rows, warnings))
}

fn told(ground: Ground<'_>, share: f64, moved: &[u32]) -> Warning {
    let families: u32 = moved.iter().sum();
    let arms = ground.protocol.arms.iter().zip(moved);
    let arms: Vec<String> = arms
        .map(|(arm, families)| format!("{}: {families}", arm.id))
        .collect();
    let arms = arms.join(", ");
    let name = Skewed::Winsorized.text();
    // In percent, without what the product adds in the last place.
    let percent = (share * 1e14).round() / 1e12;
    let en = percent.to_string();
    let sv = en.replace('.', ",");
    Warning::new(
        "outcomes-winsorized",
        words!(
            "`{name}` draws the lowest and the highest {en}% of the outcomes in (families with another outcome in it: {families}; {arms}): it estimates another difference than that of the outcomes as they are, and is a sensitivity analysis that decides nothing",
            "`{name}` drar in de lägsta och de högsta {sv} % av utfallen (familjer med ett annat utfall i den: {families}; {arms}): den skattar en annan skillnad än den i utfallen som de är, och är en känslighetsanalys som inte avgör något"
        ),
    )
}
