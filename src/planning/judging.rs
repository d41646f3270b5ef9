//! What a simulated study rejects: its p-values, adjusted as the registered analysis adjusts them.
//!
//! Families and rules are those of `analysis::together`, the adjustments those of `analysis::multiplicity`; nothing is decided by
//! another rule here. A scenario may leave registered analyses out: their p-values count as 1, so that what is rejected would be
//! rejected whatever they were. In a fixed sequence nothing is then known of those after them.

use super::record::{AnalysisRecord, Record};
use super::scenario::Cell;
use super::screening::grouped;
use crate::analysis::plan::limit;
use crate::analysis::together::{Together, families};
use crate::estimation::Warning;
use crate::numerics::shares::within;
use crate::protocol::model::{Missing, Multiplicity, Role};
use crate::words;

/// A family of which something is simulated.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Family {
    pub(super) registered: Together,
    /// Place among the scenario's comparisons of each member; `None` for one that is not simulated.
    pub(super) places: Vec<Option<usize>>,
    /// What judges the members, if the registered rule needs redraws that are not there.
    instead: Option<Multiplicity>,
    /// Contrasts of subgroups that are simulated, at most: the members' p are then adjusted with them in each study.
    contrasts: usize,
}

impl Family {
    fn of(registered: Together, cell: &Cell, draws: u32) -> Self {
        let comparisons: Vec<(usize, usize)> = cell.scenario.comparisons().collect();
        let place = |own: &(usize, usize)| comparisons.iter().position(|other| other == own);
        let places: Vec<Option<usize>> = registered.members.iter().map(place).collect();
        let whole = places.iter().all(Option::is_some);
        let instead = (registered.word() == "westfall-young" && (draws == 0 || !whole))
            .then_some(Multiplicity::Holm);
        let (own, left) = grouped(&cell.protocol, &cell.scenario.analyses, &registered);
        let contrasts = if own.is_empty() {
            0
        } else {
            registered.contrasts - left
        };
        Self {
            registered,
            places,
            instead,
            contrasts,
        }
    }

    /// Hypotheses that are simulated, contrasts among them.
    pub(super) fn in_it(&self) -> usize {
        self.simulated().count() + self.contrasts
    }

    /// The smallest p of every hypothesis, the members' in their order and then the contrasts': `least` of a member that is simulated,
    /// 0 of a contrast that is, and 1 of the others.
    pub(super) fn smallest(&self, least: impl Fn(usize) -> f64) -> Vec<f64> {
        let members = self.places.iter().map(|own| own.map_or(1.0, &least));
        let contrasts = std::iter::repeat_n(0.0, self.contrasts);
        let left = self.registered.contrasts - self.contrasts;
        let all = members.chain(contrasts);
        all.chain(std::iter::repeat_n(1.0, left)).collect()
    }

    /// Places of the simulated members among the scenario's comparisons.
    pub(super) fn simulated(&self) -> impl Iterator<Item = usize> {
        self.places.iter().copied().flatten()
    }

    /// Whether all of it is simulated.
    pub(super) fn is_whole(&self) -> bool {
        self.in_it() == self.registered.hypotheses()
    }

    /// The word of the rule that judges.
    pub(super) fn rule(&self) -> &'static str {
        match self.instead {
            Some(_) => "holm",
            None => self.registered.word(),
        }
    }

    /// Whether another rule than the registered one judges, for want of redraws.
    pub(super) fn is_replaced(&self) -> bool {
        self.instead.is_some() && self.registered.adjusts()
    }

    /// Whether the p of its members in a twin is adjusted already, on the redraws that they share there or with contrasts.
    fn has_joint_twins(&self) -> bool {
        let jointly = self.rule() == "westfall-young" && self.registered.adjusts();
        jointly || self.contrasts > 0
    }

    /// The adjusted p-values of the simulated members, with their places; empty where nothing is adjusted.
    fn adjusted(
        &self,
        p: impl Fn(usize) -> f64,
        joint: impl Fn(usize) -> Option<f64>,
    ) -> Vec<(usize, f64)> {
        if self.contrasts > 0 {
            let own = self.simulated();
            return own
                .map(|place| (place, joint(place).unwrap_or(1.0)))
                .collect();
        }
        let members = self.places.iter().map(|own| own.map_or(1.0, &p));
        let beside = std::iter::repeat_n(1.0, self.registered.contrasts);
        let own: Vec<f64> = members.chain(beside).collect();
        let judged = Together {
            rule: self.instead.or(self.registered.rule),
            members: Vec::new(),
            ..self.registered
        };
        let jointly = || {
            let own = self.places.iter();
            own.map(|place| place.and_then(&joint).unwrap_or(1.0))
                .collect()
        };
        let Some(adjusted) = judged.adjusted(&own, jointly) else {
            return Vec::new();
        };
        let places = self.places.iter().zip(adjusted);
        places
            .filter_map(|(place, adjusted)| Some(((*place)?, adjusted)))
            .collect()
    }
}

/// Whether a comparison is rejected in the twin of a study.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Twin {
    pub(super) rejects: bool,
    /// Whether that is by its p alone, although the registered p is adjusted for others.
    pub(super) by_p_alone: bool,
}

/// What each comparison of a cell is judged by.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Judge {
    /// Limit of the p that decides, by the scenario's comparisons; `None` where nothing is decided.
    limits: Vec<Option<f64>>,
    families: Vec<Family>,
}

impl Judge {
    /// Of a cell whose tests have so many redraws in each study.
    pub fn of(cell: &Cell, draws: u32) -> Self {
        let families = families(&cell.protocol).into_iter();
        let families = families.map(|own| Family::of(own, cell, draws));
        let families: Vec<Family> = families
            .filter(|own| own.simulated().next().is_some())
            .collect();
        let limits = cell.scenario.comparisons().enumerate();
        let limits = limits.map(|(place, (index, _))| {
            let own = &cell.protocol.analyses[index];
            let unknown = |family: &Family| family.stands_after_unknown(place);
            if own.missing == Missing::Bounds || families.iter().any(unknown) {
                return None;
            }
            limit(&cell.protocol, own)
        });
        Self {
            limits: limits.collect(),
            families,
        }
    }

    /// Of comparisons that each stand alone, by their limits.
    pub(super) fn alone(limits: impl Iterator<Item = Option<f64>>) -> Self {
        Self {
            limits: limits.collect(),
            families: Vec::new(),
        }
    }

    /// Limit of the p that decides each comparison of the scenario, in its order; `None` where it decides nothing, and where that
    /// hangs on analyses that are not simulated.
    pub fn limits(&self) -> &[Option<f64>] {
        &self.limits
    }

    pub(super) fn families(&self) -> &[Family] {
        &self.families
    }

    /// Whether the p of a comparison is adjusted.
    pub(super) fn adjusts(&self, place: usize) -> bool {
        let own = |family: &Family| {
            family.registered.adjusts() && family.simulated().any(|own| own == place)
        };
        self.families.iter().any(own)
    }

    /// The adjusted p-value, from 0 to 1, of each comparison of a study, in the scenario's order; `None` where it is not adjusted.
    /// One without a p counts as 1.
    pub fn adjusted(&self, analyses: &[AnalysisRecord]) -> Vec<Option<f64>> {
        let p = |place: usize| {
            let own = analyses.get(place);
            own.and_then(|own| own.deciding().ok()).unwrap_or(1.0)
        };
        let mut adjusted = vec![None; analyses.len()];
        for family in self.families.iter().filter(|own| own.registered.adjusts()) {
            let joint = |place: usize| analyses.get(place)?.joint;
            for (place, value) in family.adjusted(p, joint) {
                if let Some(own) = adjusted.get_mut(place) {
                    *own = Some(value);
                }
            }
        }
        adjusted
    }

    /// Whether each comparison of a study is rejected, as the registered analysis would decide.
    pub fn rejects(&self, record: &Record) -> Vec<bool> {
        let adjusted = self.adjusted(&record.analyses);
        let each = record.analyses.iter().zip(&self.limits).zip(adjusted);
        each.map(|((own, limit), adjusted)| {
            limit.is_some_and(|limit| match adjusted {
                Some(p) => own.found.is_ok() && within(p, limit),
                None => own.rejects(limit),
            })
        })
        .collect()
    }

    /// What a reader of the adjusted figures should know.
    pub(super) fn warnings(&self, cell: &Cell) -> Vec<Warning> {
        let mut warnings = Vec::new();
        let adjusting = self.families.iter();
        for family in adjusting.filter(|own| own.registered.adjusts()) {
            let lock = &cell.protocol.locks[family.registered.lock].id;
            let (all, own) = (family.registered.hypotheses(), family.in_it());
            let are = if own == 1 { "is" } else { "are" };
            let in_order = family.rule() == "fixed-sequence";
            if in_order
                && family
                    .simulated()
                    .any(|own| family.stands_after_unknown(own))
            {
                warnings.push(Warning::new(
                    "family-in-part",
                    words!(
                        "the registered order of tests at `{lock}` has {all}, and {own} of them {are} simulated: those that come after one that is not have no power",
                        "den registrerade ordningen av test vid `{lock}` har {all}, och {own} av dem simuleras: de som kommer efter ett som inte simuleras har ingen styrka"
                    ),
                ));
            } else if !in_order && !family.is_whole() {
                warnings.push(Warning::new(
                    "family-in-part",
                    words!(
                        "{all} hypotheses are judged together at `{lock}`, and {own} of them {are} simulated: the others count as not rejected, so that the power is the least that it may be",
                        "{all} hypoteser bedöms tillsammans vid `{lock}`, och {own} av dem simuleras: de andra räknas som att de inte förkastas, så att styrkan är den minsta som den kan vara"
                    ),
                ));
            }
            if family.is_replaced() {
                warnings.push(Warning::new(
                    "joint-redraws-missing",
                    words!(
                        "Westfall and Young's adjustment at `{lock}` needs redraws of all its {all} tests, which this simulation has not: Holm's rule judges in its place",
                        "Westfalls och Youngs justering vid `{lock}` behöver omlottningar för alla sina {all} test, vilket den här simuleringen inte har: Holms regel avgör i stället"
                    ),
                ));
            }
        }
        warnings
    }

    /// Whether each comparison would be rejected in the twin without an effect, as registered; `None` where that is not asked. By its
    /// p alone where a member of its family has none in the twin.
    pub(super) fn rejects_twins(&self, analyses: &[AnalysisRecord]) -> Vec<Option<Twin>> {
        let alone = analyses.iter().map(|own| own.under_null);
        let mut each: Vec<Option<f64>> = alone.map(|own| Some(own?.unwrap_or(1.0))).collect();
        let mut by_p_alone = vec![false; each.len()];
        for family in self.families.iter().filter(|own| own.registered.adjusts()) {
            let asked = |place: usize| each.get(place).copied().flatten();
            if family.simulated().any(|place| asked(place).is_none()) {
                for place in family.simulated() {
                    if let Some(own) = by_p_alone.get_mut(place) {
                        *own = true;
                    }
                }
                continue;
            }
            if family.has_joint_twins() {
                continue;
            }
            for (place, p) in family.adjusted(|place| asked(place).unwrap_or(1.0), |_| None) {
                if let Some(own) = each.get_mut(place) {
                    *own = Some(p);
                }
            }
        }
        let judged = each.into_iter().zip(&self.limits).zip(by_p_alone);
        let twin = |((p, limit), by_p_alone): ((Option<f64>, &Option<f64>), bool)| {
            let p = p?;
            Some(Twin {
                rejects: limit.is_some_and(|limit| within(p, limit)),
                by_p_alone,
            })
        };
        judged.map(twin).collect()
    }

    /// Of a family, whether any of its members would be rejected in the twin without an effect; `None` where that is not asked of
    /// all of them.
    pub(super) fn rejects_twin(
        &self,
        family: &Family,
        analyses: &[AnalysisRecord],
    ) -> Option<bool> {
        let of = |place: usize| analyses.get(place)?.under_null;
        if family.simulated().any(|place| of(place).is_none()) {
            return None;
        }
        let p = |place: usize| of(place).and_then(Result::ok).unwrap_or(1.0);
        let mut adjusted = if family.has_joint_twins() {
            Vec::new()
        } else {
            family.adjusted(p, |_| None)
        };
        if adjusted.is_empty() {
            adjusted = family.simulated().map(|place| (place, p(place))).collect();
        }
        let rejected = |(place, p): (usize, f64)| {
            let limit = self.limits.get(place).copied().flatten();
            limit.is_some_and(|limit| within(p, limit))
        };
        Some(adjusted.into_iter().any(rejected))
    }
}

impl Family {
    /// Whether the member at a place comes, in a fixed sequence, after one that is not simulated.
    fn stands_after_unknown(&self, place: usize) -> bool {
        let ordered = self.registered.role != Role::Exploratory
            && self.registered.rule == Some(Multiplicity::FixedSequence);
        let own = self.places.iter().position(|own| *own == Some(place));
        let before = own.map_or(&[][..], |own| &self.places[..own]);
        ordered && before.contains(&None)
    }
}

#[cfg(test)]
mod tests {
    use super::{Family, Judge};
    use crate::analysis::together::Together;
    use crate::planning::performance::{About, Sums, Truth};
    use crate::planning::record::{AnalysisRecord, Found, Record};
    use crate::protocol::model::{Multiplicity, Role};

    fn study(twins: [Option<f64>; 2]) -> Record {
        let analysis = |twin: Option<f64>| AnalysisRecord {
            truth: 0.0,
            found: Ok(Found {
                estimate: 0.1,
                std_error: 0.1,
                conf_low: -0.1,
                conf_high: 0.3,
                p_value: 0.5,
            }),
            joint: None,
            under_null: twin.map(Ok),
            looked: None,
        };
        Record {
            families: 10,
            screened: 10,
            turned_away: 0,
            lost: 0,
            enrolment_days: 300,
            days_closed: 0,
            replacements: 0,
            correct_guess_share: None,
            imbalance: 0.0,
            drawn: None,
            reached: Vec::new(),
            analyses: twins.map(analysis).to_vec(),
        }
    }

    /// Size of each, whether it is by its p alone, and the size of both together.
    type Sizes = ([Option<f64>; 2], [Option<bool>; 2], Option<f64>);

    fn judged(rule: Multiplicity) -> Sums {
        let registered = Together {
            lock: 0,
            role: Role::Primary,
            rule: Some(rule),
            members: vec![(0, 0), (0, 1)],
            contrasts: 0,
        };
        let family = Family {
            registered,
            places: vec![Some(0), Some(1)],
            instead: None,
            contrasts: 0,
        };
        let judge = Judge {
            limits: vec![Some(0.05); 2],
            families: vec![family],
        };
        let about = About {
            limit: Some(0.05),
            adjusted: true,
            level: 0.95,
            is_null: true,
            believed: false,
            truth: Truth::Known,
        };
        Sums::new(&[about; 2], 10, 0).with_judge(judge, &[true, true])
    }

    fn sizes(rule: Multiplicity, twins: [Option<f64>; 2]) -> Sizes {
        let mut sums = judged(rule);
        sums.add(&study(twins));
        let found = sums.analyses();
        let each = [0, 1].map(|place| found[place].size.and_then(|own| own.value));
        let alone = [0, 1].map(|place| found[place].size_by_p_alone);
        let family = found[0].family.and_then(|own| own.size?.value);
        (each, alone, family)
    }

    /// By hand: Holm's rule makes 2·.03 of .03 and .04, and of .02 and .04 twice .04. By Westfall and Young's rule the p of a twin
    /// are adjusted already. A family whose members have not all a p there is not adjusted: the p alone, which is said.
    #[test]
    fn the_size_is_of_what_is_rejected_as_registered() {
        let (no, yes) = (Some(0.0), Some(1.0));
        let (asked, alone) = ([Some(false); 2], [Some(true), None]);
        let both = [Some(0.03), Some(0.04)];
        assert_eq!(sizes(Multiplicity::Holm, both), ([no, no], asked, no));
        assert_eq!(
            sizes(Multiplicity::Holm, [Some(0.02), Some(0.04)]),
            ([yes, yes], asked, yes)
        );
        let own = sizes(Multiplicity::WestfallYoung, [Some(0.04), Some(0.06)]);
        assert_eq!(own, ([yes, no], asked, yes));
        assert_eq!(
            sizes(Multiplicity::WestfallYoung, [Some(0.06), Some(0.07)]),
            ([no, no], asked, no)
        );
        assert_eq!(
            sizes(Multiplicity::Holm, [Some(0.03), None]),
            ([yes, None], alone, None)
        );
        assert_eq!(sizes(Multiplicity::None, both), ([yes, yes], asked, yes));
    }

    /// By hand: of two comparisons that are judged together by Holm's rule the first is rejected, p .01 · 2, and the second gives no
    /// numbers in any study: all are rejected in no study, and that is no power of 0. If neither gives any there is no share at all.
    #[test]
    fn a_family_with_a_member_that_never_answers_has_no_share_that_rejects_all() {
        let no_rows = || Err("no-rows");
        let mut one = study([Some(0.5), Some(0.5)]);
        one.analyses[1].found = no_rows();
        let mut none = one.clone();
        none.analyses[0].found = no_rows();
        if let Ok(found) = &mut one.analyses[0].found {
            found.p_value = 0.01;
        }
        for (record, any) in [(one, Some(1.0)), (none, None)] {
            let mut sums = judged(Multiplicity::Holm);
            sums.add(&record);
            let own = sums.analyses()[0].family.unwrap();
            assert_eq!((own.at_least_one.value, own.all.value), (any, None));
            assert_eq!(own.error.and_then(|own| own.value), any);
            assert_eq!(own.size.is_some(), any.is_some());
        }
    }
}
