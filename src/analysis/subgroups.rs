//! Effects by subgroup, and whether they differ: interaction contrasts, with an interval and a p of their own.
//!
//! A subgroup never has a p: that an effect is clear in one group and not in another says nothing about a difference
//! between them (Altman & Bland 2003, doi 10.1136/bmj.326.7382.219). All contrasts are exploratory.

use super::workspace::Workspace;
use crate::allocation::Arm;
use crate::estimation::cluster_variance::ClusterVariance;
use crate::estimation::linear_model::{self, Design};
use crate::estimation::{Arm as Side, Df, EstimationError, Variance, Warning};
use crate::protocol::Protocol;
use crate::protocol::model::{Analysis, Factor};
use crate::study::dataset::Unit;
use crate::study::kernel::State;
use crate::words;
use std::collections::BTreeMap;

/// Analysed families that a level must have in each arm for an effect.
pub const SMALLEST_LEVEL: usize = 5;

/// The effects in the levels of a factor, and the contrasts between them.
#[derive(Debug, Clone, PartialEq)]
pub struct Subgroups {
    /// The factor: `site` or a field's id.
    pub factor: String,
    /// Every level, in the protocol's order.
    pub levels: Vec<SubgroupLevel>,
    /// Each level but the first that has an effect, against that one.
    pub contrasts: Vec<SubgroupContrast>,
}

/// An effect in a level.
#[derive(Debug, Clone, PartialEq)]
pub struct SubgroupLevel {
    /// The level as text.
    pub level: String,
    /// Analysed families, treated and control.
    pub families: [u32; 2],
    /// The effect, where there are enough families.
    pub effect: Option<SubgroupEffect>,
}

/// A difference of the effects in two levels.
#[derive(Debug, Clone, PartialEq)]
pub struct SubgroupContrast {
    /// The level.
    pub level: String,
    /// The level that it is compared with.
    pub reference: String,
    /// Effect in the level − effect in the reference.
    pub effect: SubgroupEffect,
    /// Two-sided p of no difference.
    pub p_value: Option<f64>,
    /// Adjusted by Benjamini and Hochberg, with the exploratory analyses of the lock.
    pub q_value: Option<f64>,
}

/// A coefficient with its interval at 1 − alpha.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SubgroupEffect {
    /// On the analysis' own scale.
    pub estimate: f64,
    /// HC2; CR2 where rows are clustered.
    pub std_error: f64,
    /// Bell and McCaffrey's; Satterthwaite's where rows are clustered.
    pub df: Option<f64>,
    /// Limits.
    pub conf_low: Option<f64>,
    /// Limits.
    pub conf_high: Option<f64>,
}

/// The analysed rows of a contrast, their levels and covariates: of families, or of their children.
struct Rows {
    side: Vec<Side>,
    level: Vec<usize>,
    y: Vec<f64>,
    weights: Vec<f64>,
    covariates: Vec<f64>,
    /// The cluster of each row, from 0 without gaps; empty where each stands for itself.
    cluster: Vec<u32>,
}

/// The subgroups that an analysis registers, from the outcome that the workspace has sampled. The model has an intercept
/// and an effect of the arm for each level, and the covariates of the analysis once; weights for unknown outcomes stand, and so do
/// clusters, whose rows may be of several levels. What cannot be said of a level with enough families is told.
pub(super) fn subgroups(
    workspace: &Workspace,
    (protocol, state): (&Protocol, &State),
    analysis: &Analysis,
    (treated, warnings): (Arm, &mut Vec<Warning>),
) -> Vec<Subgroups> {
    let mut list = Vec::new();
    for factor in &analysis.subgroups {
        let (own, unknown) = of(workspace, (protocol, state), analysis, (treated, *factor));
        if unknown > 0 {
            let name = own.factor.as_str();
            warnings.push(Warning::new(
                "subgroup-not-estimated",
                words!(
                    "effects and differences by `{name}` that rest on one cluster or on families alone with their covariates, and have no standard error: {unknown}",
                    "effekter och skillnader efter `{name}` som vilar på ett enda kluster eller på familjer som är ensamma om sina kovariater, och som saknar medelfel: {unknown}"
                ),
            ));
        }
        list.push(own);
    }
    list
}

/// The p-values of the contrasts of all factors that an analysis registers, from the outcome that the workspace has sampled; a
/// contrast that does not exist is left out, and one without a p has 1. For simulated studies: those of [`subgroups`].
pub(super) fn contrasts(
    workspace: &Workspace,
    data: (&Protocol, &State),
    analysis: &Analysis,
    treated: Arm,
) -> Vec<f64> {
    let mut found = Vec::new();
    for factor in &analysis.subgroups {
        let (_, kept, rows) = grouped(workspace, data, analysis, (treated, *factor));
        let own = (1..kept.len()).filter_map(|place| {
            rows.coefficient(kept.len(), place, Some(0), analysis.alpha)
                .ok()
        });
        found.extend(own.map(|(_, p_value)| p_value.unwrap_or(1.0)));
    }
    found
}

/// Analysed families of each level of a factor, treated and control; the levels with enough of them; and their rows.
fn grouped(
    workspace: &Workspace,
    (protocol, state): (&Protocol, &State),
    analysis: &Analysis,
    (treated, factor): (Arm, Factor),
) -> (Vec<[u32; 2]>, Vec<usize>, Rows) {
    let count = protocol.factor_levels(factor);
    let mut families = vec![[0u32; 2]; count];
    let level =
        |row: usize| Workspace::subgroup_level((protocol, state), factor, &workspace.units[row]);
    let handed = workspace.handed(protocol, state, analysis, treated).columns;
    let sampled: Vec<(usize, Side, usize)> = workspace
        .rows
        .iter()
        .filter_map(|row| {
            let row = *row as usize;
            Some((row, workspace.side(protocol, treated, row)?, level(row)))
        })
        .collect();
    // The children of a family are rows one after another, and it is counted once.
    let mut last = None;
    for (row, side, level) in &sampled {
        if last.replace(*row) != Some(*row)
            && let Some(own) = families.get_mut(*level)
        {
            own[1 - side.index()] += 1;
        }
    }
    let enough = |level: &usize| {
        families
            .get(*level)
            .is_some_and(|own| own.iter().all(|n| *n as usize >= SMALLEST_LEVEL))
    };
    let kept: Vec<usize> = (0..count).filter(|level| enough(level)).collect();
    let chosen: Vec<usize> = (0..sampled.len())
        .filter(|place| enough(&sampled[*place].2))
        .collect();
    let place_of = |level: usize| kept.iter().position(|own| *own == level).unwrap_or(0);
    let units: Vec<usize> = chosen.iter().map(|place| sampled[*place].0).collect();
    let weights = handed.weights.unwrap_or_default();
    let codes = handed.cluster.map_or_else(Vec::new, |own| own.codes);
    let codes = chosen.iter().filter_map(|place| codes.get(*place).copied());
    let rows = Rows {
        cluster: numbered(codes.flatten()),
        side: chosen.iter().map(|place| sampled[*place].1).collect(),
        level: chosen
            .iter()
            .map(|place| place_of(sampled[*place].2))
            .collect(),
        y: chosen
            .iter()
            .map(|place| handed.outcome[*place].unwrap_or(0.0))
            .collect(),
        weights: chosen
            .iter()
            .filter_map(|place| weights.get(*place).copied().flatten())
            .collect(),
        covariates: workspace
            .adjusting(protocol, state, &analysis.covariates, &units)
            .1,
    };
    (families, kept, rows)
}

/// The subgroups of a factor, and how many effects and contrasts of levels with enough families do not exist.
fn of(
    workspace: &Workspace,
    (protocol, state): (&Protocol, &State),
    analysis: &Analysis,
    (treated, factor): (Arm, Factor),
) -> (Subgroups, usize) {
    let (families, kept, rows) = grouped(workspace, (protocol, state), analysis, (treated, factor));
    let count = families.len();
    let alpha = analysis.alpha;
    let text = |level: usize| protocol.level_text(factor, level);
    let levels: Vec<SubgroupLevel> = (0..count)
        .map(|level| SubgroupLevel {
            level: text(level),
            families: families[level],
            effect: kept
                .iter()
                .position(|own| *own == level)
                .and_then(|place| rows.coefficient(kept.len(), place, None, alpha).ok())
                .map(|(effect, _)| effect),
        })
        .collect();
    let contrasts: Vec<SubgroupContrast> = (1..kept.len())
        .filter_map(|place| {
            let (effect, p_value) = rows.coefficient(kept.len(), place, Some(0), alpha).ok()?;
            Some(SubgroupContrast {
                level: text(kept[place]),
                reference: text(kept[0]),
                effect,
                p_value,
                q_value: None,
            })
        })
        .collect();
    let known = levels.iter().filter(|own| own.effect.is_some()).count();
    let asked = kept.len() + kept.len().saturating_sub(1);
    let unknown = asked - known - contrasts.len();
    let own = Subgroups {
        factor: protocol.factor_id(factor).to_owned(),
        levels,
        contrasts,
    };
    (own, unknown)
}

/// Codes as numbers from 0 without gaps, in the order in which they come.
fn numbered(codes: impl Iterator<Item = u32>) -> Vec<u32> {
    let mut places: BTreeMap<u32, u32> = BTreeMap::new();
    codes
        .map(|code| {
            let next = places.len() as u32;
            *places.entry(code).or_insert(next)
        })
        .collect()
}

impl Workspace {
    /// Index of the level of a family, by what its fields are known to have been.
    pub(super) fn subgroup_level(
        (protocol, state): (&Protocol, &State),
        factor: Factor,
        unit: &Unit,
    ) -> usize {
        let mut values = state
            .family(unit.family)
            .map_or([0; crate::protocol::model::MAX_FIELDS], |own| own.values);
        for (field, value) in values.iter_mut().enumerate() {
            *value = state.true_value(unit.family, field).unwrap_or(*value);
        }
        protocol.level(factor, unit.site, &values)
    }
}

impl Rows {
    /// The effect in level `place`, or its difference from that in level `reference`, with its p.
    fn coefficient(
        &self,
        levels: usize,
        place: usize,
        reference: Option<usize>,
        alpha: f64,
    ) -> Result<(SubgroupEffect, Option<f64>), EstimationError> {
        let n = self.side.len();
        let rows = || self.side.iter().zip(&self.level);
        let mut columns: Vec<f64> = Vec::new();
        for own in 0..levels {
            columns.extend(
                self.level
                    .iter()
                    .map(|level| f64::from(u8::from(*level == own))),
            );
        }
        if reference.is_some() {
            columns.extend(self.side.iter().map(|side| side.index() as f64));
        }
        // The column that is asked for comes last of the arm's, so that no other one is set aside for it.
        let others = (0..levels).filter(|own| *own != place && Some(*own) != reference);
        for own in others.chain([place]) {
            columns.extend(
                rows().map(|(side, level)| {
                    f64::from(u8::from(*side == Side::Treated && *level == own))
                }),
            );
        }
        let of = columns.len() / n.max(1) - 1;
        columns.extend(&self.covariates);
        let design = Design::coefficient(n, &columns, of, &self.weights)?;
        let mut workspace = linear_model::Workspace::default();
        let fit = if self.cluster.is_empty() {
            let inference = design.inference(Variance::Hc2, Df::BellMccaffrey, 1.0 - alpha)?;
            design.fit(&self.y, &inference, &mut workspace)
        } else {
            let clustered = ClusterVariance::new(&design, &self.cluster, Variance::Cr2)?;
            let inference = clustered.inference(Df::Satterthwaite, 1.0 - alpha)?;
            clustered.fit(&design, &self.y, &inference, &mut workspace)
        };
        let effect = SubgroupEffect {
            estimate: fit.estimate,
            std_error: fit.std_error,
            df: fit.df,
            conf_low: fit.conf_low,
            conf_high: fit.conf_high,
        };
        Ok((effect, fit.p_value))
    }
}
