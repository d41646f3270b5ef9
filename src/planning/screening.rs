//! Exploratory comparisons of a simulated study and the contrasts of subgroups that are screened with them, as the registered
//! analysis screens them: Benjamini and Hochberg's rule over the p of both.
//!
//! The contrasts are those of the analyses that the scenario simulates, by the same function of the same data. Of an analysis that it
//! leaves out they are not known, nor of one with looks, which may have ended at another lock: those count as not rejected.

use crate::analysis::multiplicity::benjamini_hochberg;
use crate::analysis::together::Together;
use crate::protocol::Protocol;
use crate::protocol::model::Role;

/// The analyses of a scenario whose contrasts are screened with a family, by their indices in the protocol, and how many contrasts at
/// most are not simulated.
pub(super) fn grouped(
    protocol: &Protocol,
    analyses: &[usize],
    family: &Together,
) -> (Vec<usize>, usize) {
    let mut simulated = Vec::new();
    let mut left = 0;
    if family.role != Role::Exploratory {
        return (simulated, left);
    }
    let own = protocol.analyses.iter().enumerate();
    for (index, own) in own.filter(|(_, own)| own.lock == family.lock) {
        let factors = own.subgroups.iter();
        let contrasts = factors.map(|own| protocol.factor_levels(*own).saturating_sub(1));
        let contrasts: usize = contrasts.sum();
        if contrasts == 0 {
            continue;
        }
        if analyses.contains(&index) && own.looks.is_empty() {
            simulated.push(index);
        } else {
            left += contrasts;
        }
    }
    (simulated, left)
}

/// Exploratory comparisons of one lock with contrasts of subgroups.
#[derive(Debug)]
pub(super) struct Screened {
    /// Place of the lock among the analyst's.
    pub(super) lock: usize,
    /// Places of the simulated members among the scenario's comparisons.
    pub(super) places: Vec<usize>,
    /// Places, in the plan of the lock, of the analyses whose contrasts are simulated.
    pub(super) grouped: Vec<usize>,
    /// Hypotheses that are not simulated.
    left: usize,
}

impl Screened {
    /// Of a family; `at` gives of an analysis, by its index in the protocol, its place in the scenario and those of its lock and in the
    /// plan of the lock. `None` where there is no contrast or no member to judge.
    pub(super) fn of(
        protocol: &Protocol,
        analyses: &[usize],
        arms: usize,
        family: &Together,
        at: &dyn Fn(usize) -> Option<(usize, (usize, usize))>,
    ) -> Option<Self> {
        let (indices, contrasts) = grouped(protocol, analyses, family);
        let planned: Vec<(usize, usize)> = indices
            .into_iter()
            .filter_map(|index| Some(at(index)?.1))
            .collect();
        let lock = planned.first()?.0;
        let members = family.members.iter();
        let places: Vec<usize> = members
            .filter_map(|(index, arm)| Some(at(*index)?.0 * arms + arm))
            .collect();
        (!places.is_empty()).then(|| Self {
            lock,
            left: contrasts + family.members.len() - places.len(),
            grouped: planned.into_iter().map(|(_, place)| place).collect(),
            places,
        })
    }

    /// The q-values of the members in the order of `places`, from their p and those of the contrasts.
    pub(super) fn q_values(&self, mut p: Vec<f64>, contrasts: &[f64]) -> Vec<f64> {
        let members = p.len();
        p.extend(contrasts);
        p.extend(std::iter::repeat_n(1.0, self.left));
        let mut q_values = benjamini_hochberg(&p);
        q_values.truncate(members);
        q_values
    }
}
