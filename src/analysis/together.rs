//! Which registered comparisons are judged together, and by what: the families of a protocol, before anything is run.
//!
//! A comparison is one treated arm against control in one analysis. What is adjusted on a locked data set is `run`'s; here the
//! same families stand for whoever has p-values without a report, as simulated studies do.

use super::attainable::rule_of;
use super::multiplicity::{benjamini_hochberg, by_rule};
use super::plan::{limit, treated_arms};
use crate::protocol::Protocol;
use crate::protocol::model::{Missing, Multiplicity, Role};

/// The registered comparisons of a role at a lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Together {
    /// Index of the lock.
    pub lock: usize,
    /// The role.
    pub role: Role,
    /// The registered rule; exploratory comparisons have Benjamini and Hochberg's instead.
    pub rule: Option<Multiplicity>,
    /// Index of the analysis and place of the treated arm among them, in the order in which they are adjusted.
    pub members: Vec<(usize, usize)>,
    /// The most contrasts of subgroups that are screened with exploratory comparisons; 0 of other roles.
    pub contrasts: usize,
}

impl Together {
    /// Hypotheses in the family.
    pub fn hypotheses(&self) -> usize {
        self.members.len() + self.contrasts
    }

    /// Adjusts the p-values of the members, and of contrasts after them; `None` where nothing is adjusted. See
    /// [`by_rule`].
    pub fn adjusted(&self, p: &[f64], jointly: impl FnOnce() -> Vec<f64>) -> Option<Vec<f64>> {
        if p.len() < 2 {
            return None;
        }
        match self.role {
            Role::Exploratory => Some(benjamini_hochberg(p)),
            Role::Primary | Role::Secondary => by_rule(self.rule, p, jointly),
        }
    }

    /// Whether the p-values of its members are adjusted.
    pub fn adjusts(&self) -> bool {
        let ruled = !matches!(self.rule, None | Some(Multiplicity::None));
        self.hypotheses() > 1 && (ruled || self.role == Role::Exploratory)
    }

    /// The rule's word in a protocol; of exploratory comparisons `benjamini-hochberg`.
    pub fn word(&self) -> &'static str {
        match (self.role, self.rule) {
            (Role::Exploratory, _) => "benjamini-hochberg",
            (_, Some(Multiplicity::Holm)) => "holm",
            (_, Some(Multiplicity::WestfallYoung)) => "westfall-young",
            (_, Some(Multiplicity::FixedSequence)) => "fixed-sequence",
            (_, None | Some(Multiplicity::None)) => "none",
        }
    }
}

/// The families of a protocol: by lock, then primary, secondary and exploratory. Bounds have no p and are in none.
pub fn families(protocol: &Protocol) -> Vec<Together> {
    let arms = treated_arms(protocol).count();
    let mut found = Vec::new();
    for lock in 0..protocol.locks.len() {
        for role in [Role::Primary, Role::Secondary, Role::Exploratory] {
            let own = protocol.analyses.iter().enumerate().filter(|(_, own)| {
                own.lock == lock && own.role == role && own.missing != Missing::Bounds
            });
            let members = own.flat_map(|(index, _)| (0..arms).map(move |arm| (index, arm)));
            let of_lock = protocol.analyses.iter().filter(|own| own.lock == lock);
            let factors = of_lock.flat_map(|own| &own.subgroups);
            let contrasts = factors.map(|own| protocol.factor_levels(*own).saturating_sub(1));
            let family = Together {
                lock,
                role,
                rule: rule_of(protocol, role),
                members: members.collect(),
                contrasts: if role == Role::Exploratory {
                    contrasts.sum()
                } else {
                    0
                },
            };
            if !family.members.is_empty() {
                found.push(family);
            }
        }
    }
    found
}

/// Both sides of a share of alpha: a p that rounding may put on either is wanted as it is.
fn around(limit: f64) -> [f64; 2] {
    [limit * (1.0 - 1e-12), limit * (1.0 + 1e-12)]
}

/// Every limit that the deciding p of an analysis is held against at its own lock, by its family's rule; empty where nothing is
/// decided. Whether it and the others of its family are rejected follows from which of these limits each p is above:
/// Holm's rule asks how many p are at most alpha/k, Benjamini and Hochberg's how many are at most k·alpha/m.
pub fn limits(protocol: &Protocol, index: usize) -> Vec<f64> {
    let Some(analysis) = protocol.analyses.get(index) else {
        return Vec::new();
    };
    let Some(own) = limit(protocol, analysis) else {
        return Vec::new();
    };
    let families = families(protocol);
    let family = families.iter().find(|family| {
        let mut members = family.members.iter();
        family.adjusts() && members.any(|(member, _)| *member == index)
    });
    let Some(family) = family else {
        return vec![own];
    };
    let m = family.hypotheses();
    // A contrast of levels with too few families is none, so that fewer may be judged together.
    let fewest = family.members.len();
    let mut all = Vec::new();
    for (member, _) in &family.members {
        let alpha = limit(protocol, &protocol.analyses[*member]).unwrap_or(own);
        match (family.role, family.rule) {
            (Role::Exploratory, _) => {
                let held = |k: usize, m: usize| around(k as f64 * alpha / m as f64);
                for m in fewest..=m {
                    all.extend((1..=m).flat_map(|k| held(k, m)));
                }
            }
            (_, Some(Multiplicity::Holm)) => {
                all.push(alpha);
                all.extend((2..=m).flat_map(|k| around(alpha / k as f64)));
            }
            (_, Some(Multiplicity::WestfallYoung | Multiplicity::FixedSequence)) => {
                all.push(alpha);
            }
            (_, None | Some(Multiplicity::None)) => all.push(own),
        }
    }
    all.sort_by(f64::total_cmp);
    all.dedup();
    all
}

#[cfg(test)]
mod tests {
    use super::around;
    use crate::analysis::multiplicity::{benjamini_hochberg, holm};

    type Rule = fn(&[f64]) -> Vec<f64>;

    /// By law: whatever p-values stand between the same limits, Holm's rule and Benjamini and Hochberg's reject the same. All
    /// families of three whose p are fortieths, against the same family with each p moved within its limits.
    #[test]
    fn decisions_follow_from_the_limits_that_are_passed() {
        let alpha = 0.15;
        let steps: [(Rule, [f64; 3]); 2] = [
            (holm, [alpha / 3.0, alpha / 2.0, alpha]),
            (benjamini_hochberg, [alpha / 3.0, alpha * 2.0 / 3.0, alpha]),
        ];
        for (rule, limits) in steps {
            let mut limits: Vec<f64> = limits.into_iter().flat_map(around).collect();
            limits.sort_by(f64::total_cmp);
            let decided = |p: &[f64]| -> Vec<bool> {
                rule(p)
                    .iter()
                    .map(|own| *own <= alpha * (1.0 + 1e-15))
                    .collect()
            };
            // The limit below, or half of the lowest.
            let moved = |p: f64| {
                let below = limits.iter().rev().find(|limit| **limit < p);
                below.map_or(p / 2.0, |limit| (p + 3.0 * limit) / 4.0)
            };
            for number in 0..40 * 40 * 40 {
                let place = [number % 40, number / 40 % 40, number / 1600];
                let p = place.map(|own| f64::from(own + 1) / 40.0);
                assert_eq!(decided(&p), decided(&p.map(moved)), "{p:?}");
            }
        }
    }
}
