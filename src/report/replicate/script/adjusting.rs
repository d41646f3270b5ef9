//! The calls that adjust p-values: which comparisons belong together, and where their numbers stand.

use super::{Calls, Part, quoted, statistic, texts};
use crate::analysis::replication::JointRedraws;
use crate::estimation::Estimate;
use crate::protocol::model::{Multiplicity, Role};
use crate::report::replicate::{Folder, joint_stem, stem};

impl Calls {
    /// Adjusted p-values: by lock, the secondary comparisons and those of the primary analysis by the registered rules, the
    /// exploratory ones and the contrasts of subgroups by Benjamini and Hochberg.
    pub(super) fn adjusting(&mut self, folder: &Folder<'_>) {
        let protocol = folder.protocol;
        for lock in 0..protocol.locks.len() {
            let secondary = family(folder, lock, Role::Secondary);
            self.family(
                folder,
                (lock, Role::Secondary),
                &secondary,
                protocol.multiplicity,
            );
            let primary = family(folder, lock, Role::Primary);
            if primary.len() > 1 {
                let rule = Some(protocol.primary_multiplicity);
                self.family(folder, (lock, Role::Primary), &primary, rule);
            }
            let exploratory = family(folder, lock, Role::Exploratory);
            let mut from = paths(folder, &exploratory, deciding);
            let mut to = paths(folder, &exploratory, |folder, own| {
                format!("{}/q_value", named(folder, own))
            });
            let all = folder.analyses.analyses.iter();
            let all = all.zip(&folder.replication.analyses);
            for (own, _) in all.filter(|(_, behind)| behind.lock == lock) {
                for factor in &own.subgroups {
                    for contrast in &factor.contrasts {
                        let (id, factor, level) = (&own.id, &factor.factor, &contrast.level);
                        let path = format!("{id}/subgroups/{factor}/contrasts/{level}");
                        from.push(format!("{path}/p_value"));
                        to.push(format!("{path}/q_value"));
                    }
                }
            }
            if from.len() > 1 {
                self.adjusted("benjamini-hochberg", &from, &to);
            }
        }
    }

    /// A family of hypotheses by its rule.
    fn family(
        &mut self,
        folder: &Folder<'_>,
        (lock, role): (usize, Role),
        family: &[Hypothesis],
        rule: Option<Multiplicity>,
    ) {
        let mut joint = folder.replication.joint.iter();
        if let Some(joint) = joint.find(|own| own.lock == lock && own.role == role) {
            self.jointly(folder, joint, family);
        }
        let rule = match rule {
            Some(Multiplicity::Holm) => "holm",
            Some(Multiplicity::FixedSequence) => "fixed-sequence",
            Some(Multiplicity::WestfallYoung) if family.len() == 1 => "holm",
            None | Some(Multiplicity::None | Multiplicity::WestfallYoung) => return,
        };
        let from = paths(folder, family, deciding);
        let to = paths(folder, family, adjusted_p);
        self.adjusted(rule, &from, &to);
    }

    fn adjusted(&mut self, rule: &str, from: &[String], to: &[String]) {
        if from.is_empty() {
            return;
        }
        self.parts.insert(Part::Adjusting);
        let (rule, from, to) = (quoted(rule), texts(from), texts(to));
        self.add(&format!("adjust({rule}, {from}, {to})"));
    }

    /// Westfall and Young over a family.
    fn jointly(&mut self, folder: &Folder<'_>, joint: &JointRedraws, family: &[Hypothesis]) {
        self.parts.insert(Part::Redraws);
        let stems = paths(folder, family, |folder, own| stem(folder, own.0, own.1));
        let forms = family.iter();
        let forms: Vec<String> = forms
            .map(|own| statistic(&folder.analyses.analyses[own.0]))
            .collect();
        let own = paths(folder, family, deciding);
        let to = paths(folder, family, adjusted_p);
        let to = texts(&to);
        let call = format!(
            "westfall_young({}, c({}), {}, {to}, {})",
            texts(&stems),
            forms.join(", "),
            texts(&own),
            quoted(&joint_stem(folder, joint)),
        );
        let times = forms.iter().any(|own| own.contains("log-rank"));
        self.add(&if times {
            format!("with_packages({to}, \"survival\", {call})")
        } else {
            call
        });
    }
}

/// A hypothesis: place of its analysis, and of its comparison.
pub(super) type Hypothesis = (usize, usize);

/// The hypotheses of a lock with a role, in the order in which they are adjusted.
fn family(folder: &Folder<'_>, lock: usize, role: Role) -> Vec<Hypothesis> {
    let all = folder.analyses.analyses.iter();
    let all = all.zip(&folder.replication.analyses).enumerate();
    all.filter(|(_, (own, behind))| {
        own.prespecified && own.role == role && behind.lock == lock && own.is_tested()
    })
    .flat_map(|(place, (own, _))| (0..own.comparisons()).map(move |number| (place, number)))
    .collect()
}

fn paths(
    folder: &Folder<'_>,
    family: &[Hypothesis],
    path: fn(&Folder<'_>, Hypothesis) -> String,
) -> Vec<String> {
    family.iter().map(|own| path(folder, *own)).collect()
}

/// The part of a path that tells further comparisons apart; empty of the first.
pub(super) fn comparison(folder: &Folder<'_>, (place, number): Hypothesis) -> String {
    let further = number.checked_sub(1);
    let own = further.and_then(|own| folder.analyses.analyses[place].further.get(own));
    let arm = own.and_then(|own| folder.protocol.arms.get(own.arm.index()));
    arm.map_or_else(String::new, |arm| {
        format!("/further_comparisons/{}", arm.id)
    })
}

/// The path of a comparison.
fn named(folder: &Folder<'_>, own: Hypothesis) -> String {
    let id = &folder.analyses.analyses[own.0].id;
    format!("{id}{}", comparison(folder, own))
}

fn adjusted_p(folder: &Folder<'_>, own: Hypothesis) -> String {
    format!("{}/p_adjusted", named(folder, own))
}

/// The path of the p that decides.
fn deciding(folder: &Folder<'_>, own: Hypothesis) -> String {
    let result = &folder.analyses.analyses[own.0];
    if result.test_registered {
        return format!("{}/test/p_value", named(folder, own));
    }
    let from = own.1.checked_sub(1).and_then(|own| result.further.get(own));
    let from = from.map_or(0, |own| own.rows.start);
    let rows = result.compared(own.1).rows;
    let row = rows.iter().position(Estimate::is_anderson_rubin);
    let row = from + row.unwrap_or(0) + 1;
    format!("{}/results/{row}/p_value", result.id)
}
