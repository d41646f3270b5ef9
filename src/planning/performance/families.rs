//! What comparisons that are judged together show: how often at least one and how often all of them are rejected, and how often
//! one that is true.

use super::{Figure, share};
use crate::planning::judging::{Family, Judge};
use crate::planning::record::AnalysisRecord;
use crate::protocol::model::Role;

/// Sums over the studies, of one family.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct FamilySums {
    family: Family,
    places: Vec<usize>,
    /// Places of the members whose null hypothesis is true.
    null: Vec<usize>,
    any: u64,
    all: u64,
    errors: u64,
    twins: u64,
    /// Twins in which a member gave a p.
    twins_answered: u64,
    twin_errors: u64,
}

impl FamilySums {
    /// The families of a judge of which several comparisons are simulated and decide; `null` tells of each comparison whether
    /// its expected effect is zero.
    pub(super) fn of(judge: &Judge, null: &[bool]) -> Vec<Self> {
        let decides = |place: &usize| judge.limits().get(*place).copied().flatten().is_some();
        let families = judge.families().iter().map(|family| {
            let places: Vec<usize> = family.simulated().filter(decides).collect();
            let is_null = |place: &usize| null.get(*place).copied().unwrap_or(false);
            // Exploratory comparisons are screened: no error of theirs is kept.
            let held = family.registered.role != Role::Exploratory;
            let own = places.iter().copied();
            Self {
                family: family.clone(),
                null: own.filter(|place| held && is_null(place)).collect(),
                places,
                any: 0,
                all: 0,
                errors: 0,
                twins: 0,
                twins_answered: 0,
                twin_errors: 0,
            }
        });
        families.filter(|own| own.places.len() > 1).collect()
    }

    /// Adds a study, with what is rejected there.
    pub(super) fn add(&mut self, judge: &Judge, analyses: &[AnalysisRecord], rejected: &[bool]) {
        let own = |place: &usize| rejected.get(*place).copied().unwrap_or(false);
        self.any += u64::from(self.places.iter().any(own));
        self.all += u64::from(self.places.iter().all(own));
        self.errors += u64::from(self.null.iter().any(own));
        if let Some(rejects) = judge.rejects_twin(&self.family, analyses) {
            let gave = |place: &usize| {
                let own = analyses.get(*place);
                own.is_some_and(|own| matches!(own.under_null, Some(Ok(_))))
            };
            self.twins += 1;
            self.twins_answered += u64::from(self.places.iter().any(gave));
            self.twin_errors += u64::from(rejects);
        }
    }

    /// Places of its members, and what it shows; `answers` says of each place whether any study gave numbers there. As of power: what
    /// cannot be but 0 because analyses never answer is no share.
    pub(super) fn performance(
        &self,
        replicates: u64,
        answers: impl Fn(usize) -> bool,
    ) -> (&[usize], FamilyPerformance) {
        let of = |count: u64| share(count, replicates);
        let known = |figure: Figure, known: bool| if known { figure } else { Figure::default() };
        let any = self.places.iter().any(|place| answers(*place));
        let all = self.places.iter().all(|place| answers(*place));
        let null = self.null.iter().any(|place| answers(*place));
        let shown = FamilyPerformance {
            id: self.places.first().copied().unwrap_or(0),
            rule: self.family.rule(),
            comparisons: self.family.registered.hypotheses() as u32,
            at_least_one: known(of(self.any), any),
            all: known(of(self.all), all),
            error: null.then(|| of(self.errors)),
            size: (any && self.twins_answered > 0).then(|| share(self.twin_errors, self.twins)),
        };
        (&self.places, shown)
    }
}

/// What the comparisons of a family show in one cell: of those that are simulated.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FamilyPerformance {
    /// Place of its first comparison among the cell's, which tells it from other families.
    pub id: usize,
    /// The rule that judges them together: `holm`, `westfall-young`, `fixed-sequence`, `none`, or of exploratory comparisons
    /// `benjamini-hochberg`.
    pub rule: &'static str,
    /// Registered comparisons, simulated or not; contrasts of subgroups that are screened with them are counted too.
    pub comparisons: u32,
    /// Share of studies that reject at least one (disjunctive power); without a value where none gave numbers in any study.
    pub at_least_one: Figure,
    /// Share of studies that reject all (conjunctive power); without a value where one of them gave numbers in no study.
    pub all: Figure,
    /// Share of studies that reject at least one of those whose services do not differ in what drives the outcome (family-wise
    /// error); `None` where there is no such one that gave numbers in any study, and of exploratory comparisons.
    pub error: Option<Figure>,
    /// Share of twins without any effect in which at least one is rejected; see
    /// [`AnalysisPerformance::size`](super::AnalysisPerformance::size).
    pub size: Option<Figure>,
}
