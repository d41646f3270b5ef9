//! Which comparisons are adjusted together: the hypotheses of a lock, and the registered rule over them.
//!
//! A hypothesis is one treated arm against control in one analysis. Those of the secondary analyses of a lock are a family,
//! those of the primary analysis another where there are several arms, both in the file's order of analyses and within an
//! analysis of arms. Exploratory comparisons and contrasts of subgroups get q-values together. Bounds have no p and are no
//! hypothesis; a test that was registered and does not exist counts as 1.

use super::Runner;
use crate::allocation::Arm;
use crate::analysis::multiplicity::{Sizes, benjamini_hochberg, by_rule, westfall_young};
use crate::analysis::plan::{Planned, treated_arms};
use crate::analysis::reference_set::joint_key;
use crate::analysis::results::AnalysisResult;
use crate::protocol::model::{Multiplicity, Role};

/// Results with what was planned.
pub(super) type Ran<'p> = [(AnalysisResult, &'p Planned)];

/// A hypothesis: place of its analysis, and of its comparison.
pub(super) type Hypothesis = (usize, usize);

/// The hypotheses of the registered analyses of a lock with a role; post hoc analyses have none of them.
pub(super) fn family(analyses: &Ran<'_>, lock: usize, role: Role) -> Vec<Hypothesis> {
    let belongs = |(result, planned): &(AnalysisResult, &Planned)| {
        let own = &planned.analysis;
        planned.prespecified && own.role == role && own.lock == lock && result.is_tested()
    };
    let places = analyses.iter().enumerate();
    places
        .filter(|(_, own)| belongs(own))
        .flat_map(|(place, (result, _))| (0..result.comparisons()).map(move |own| (place, own)))
        .collect()
}

fn deciding(analyses: &Ran<'_>, family: &[Hypothesis]) -> Vec<Option<f64>> {
    let own = family.iter();
    own.map(|(place, own)| analyses[*place].0.compared(*own).deciding_p())
        .collect()
}

fn ones(p: &[Option<f64>]) -> Vec<f64> {
    p.iter().map(|p| p.unwrap_or(1.0)).collect()
}

/// Where the adjusted p of a comparison stands.
fn adjusted_of(result: &mut AnalysisResult, comparison: usize) -> Option<&mut Option<f64>> {
    match comparison.checked_sub(1) {
        None => Some(&mut result.p_adjusted),
        Some(own) => result.further.get_mut(own).map(|own| &mut own.p_adjusted),
    }
}

/// Where the q-value of a comparison stands.
fn q_of(result: &mut AnalysisResult, comparison: usize) -> Option<&mut Option<f64>> {
    match comparison.checked_sub(1) {
        None => Some(&mut result.q_value),
        Some(own) => result.further.get_mut(own).map(|own| &mut own.q_value),
    }
}

impl Runner<'_> {
    /// Adjusts the families of each lock as the protocol registers it, and exploratory comparisons by Benjamini and
    /// Hochberg.
    pub(super) fn adjust(&mut self, analyses: &mut Ran<'_>) {
        for lock in 0..self.protocol.locks.len() {
            let secondary = family(analyses, lock, Role::Secondary);
            let rule = self.protocol.multiplicity;
            self.decide(analyses, (&secondary, lock), rule);
            let primary = family(analyses, lock, Role::Primary);
            // One comparison has nothing beside it.
            if primary.len() > 1 {
                let rule = Some(self.protocol.primary_multiplicity);
                self.decide(analyses, (&primary, lock), rule);
            }
            screen(analyses, lock);
        }
    }

    /// Adjusts a family by a rule.
    fn decide(
        &mut self,
        analyses: &mut Ran<'_>,
        (family, lock): (&[Hypothesis], usize),
        rule: Option<Multiplicity>,
    ) {
        let own = deciding(analyses, family);
        let p = ones(&own);
        let jointly = || {
            let arms: Vec<Arm> = treated_arms(self.protocol).collect();
            let planned: Vec<(&Planned, Arm)> = family
                .iter()
                .filter_map(|(place, own)| Some((analyses[*place].1, *arms.get(*own)?)))
                .collect();
            self.jointly(&planned, lock)
        };
        let Some(adjusted) = by_rule(rule, &p, jointly) else {
            return;
        };
        for (((place, comparison), own), adjusted) in family.iter().zip(&own).zip(adjusted) {
            if let Some(to) = adjusted_of(&mut analyses[*place].0, *comparison) {
                *to = own.map(|_| adjusted);
            }
        }
    }

    /// Westfall and Young over some comparisons, on the same redraws for all of them. One whose statistic does not exist
    /// gets 1 and takes no part.
    fn jointly(&mut self, planned: &[(&Planned, Arm)], lock: usize) -> Vec<f64> {
        let mut adjusted = vec![1.0; planned.len()];
        let draws = planned
            .iter()
            .filter_map(|(planned, _)| self.draws(planned));
        let draws = draws.max().unwrap_or(0);
        let key = joint_key(self.protocol, lock);
        let (mut places, mut sizes, mut weights) = (Vec::new(), Vec::new(), None);
        for (place, (planned, treated)) in planned.iter().enumerate() {
            self.workspace
                .sample(self.protocol, self.state, self.cut, &planned.analysis);
            if let Ok(redrawn) = self.redrawn(&planned.analysis, *treated, (&key, draws)) {
                let (observed, own) = redrawn.sizes();
                places.push(place);
                sizes.push(Sizes {
                    observed,
                    redrawn: own,
                });
                weights = redrawn.weights().map(<[f64]>::to_vec);
            }
        }
        let found = westfall_young(&sizes, weights.as_deref());
        for (place, found) in places.into_iter().zip(found) {
            adjusted[place] = found;
        }
        adjusted
    }
}

/// q-values of the exploratory comparisons of a lock and the contrasts of subgroups there, where there are several.
fn screen(analyses: &mut Ran<'_>, lock: usize) {
    let exploratory = family(analyses, lock, Role::Exploratory);
    let mut own = deciding(analyses, &exploratory);
    let at_lock = |planned: &Planned| planned.analysis.lock == lock;
    for (result, planned) in analyses.iter() {
        let contrasts = result.subgroups.iter().flat_map(|own| &own.contrasts);
        own.extend(
            contrasts
                .filter(|_| at_lock(planned))
                .map(|own| own.p_value),
        );
    }
    if own.len() < 2 {
        return;
    }
    let q_values = benjamini_hochberg(&ones(&own));
    let mut adjusted = own.iter().zip(q_values).map(|(p, q)| p.map(|_| q));
    for (place, comparison) in &exploratory {
        let found = adjusted.next().flatten();
        if let Some(to) = q_of(&mut analyses[*place].0, *comparison) {
            *to = found;
        }
    }
    for (result, planned) in analyses.iter_mut() {
        let contrasts = result
            .subgroups
            .iter_mut()
            .flat_map(|own| &mut own.contrasts);
        for contrast in contrasts.filter(|_| at_lock(planned)) {
            contrast.q_value = adjusted.next().flatten();
        }
    }
}
