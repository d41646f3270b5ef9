//! What a protocol can say, as values that are valid together.
//!
//! Only [`super::parse`] makes a [`Protocol`]; every cross-reference here is an index that exists. Words follow the
//! file's vocabulary, so that a reader of `protocol.toml` finds the same names: who and when is in `study`, who comes
//! and how arms are drawn in `intake`, what is followed until when in `follow_up`, what is computed in `analyses`, and
//! levels as text, which enter the derivation of keys, in `strata`, and exceptions and violations in `conduct`.

mod analyses;
mod calendar;
mod conduct;
mod estimand;
mod follow_up;
mod intake;
mod roles;
mod skewed;
mod strata;
mod study;

pub use analyses::{
    Analysis, Average, Clusters, Covariate, Estimand, Hands, LINEAR, MEANS, Missing, Multiplicity,
    Received, Role, SCORED, Sensitivity, Summary, Test,
};
pub use calendar::Day;
pub use conduct::{Cap, Deviations, Exceptions, Policy, Violations};
pub use estimand::{Attribute, measure_label};
pub use follow_up::{Cut, EventSpec, Exit, Exits, Lock, Outcome, OutcomeKind, Service};
pub use intake::{
    Allocation, ArmSpec, Check, Criterion, Factor, Field, FieldKind, Gate, Joins, Named, Returns,
    Site, THIN_STRATUM, Unit,
};
pub(crate) use roles::is_person;
pub use roles::{ActorRole, Roles, person};
pub use skewed::Skewed;
pub use strata::decimal;
pub use study::{
    Ascertainment, Assumed, Beacon, Capacity, Custody, Ethics, Law, QUICKNET, SampleSize, Study,
};

use crate::allocation::Arm;
use std::sync::Arc;

/// Most fields that intake can ask for. A fixed bound lets the state machine run without the heap.
pub const MAX_FIELDS: usize = 16;
/// Greatest value of a count without a `range`.
pub const MAX_COUNT: i64 = 1_000_000;
/// Most criteria of eligibility: answers and reasons are kept as bits.
pub const MAX_CRITERIA: usize = 64;

/// SHA-256 of the bytes of the sealed protocol file.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ProtocolHash(pub [u8; 32]);

impl ProtocolHash {
    /// 64 lower-case hexadecimal digits.
    pub fn to_hex(self) -> String {
        use std::fmt::Write;
        self.0
            .iter()
            .fold(String::with_capacity(64), |mut text, byte| {
                let _ = write!(text, "{byte:02x}");
                text
            })
    }

    /// The first 8 hexadecimal digits, which `--confirm` takes.
    pub fn short(self) -> String {
        self.to_hex()[..8].to_string()
    }
}

impl std::fmt::Debug for ProtocolHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.short())
    }
}

/// A valid protocol: everything that was promised before the first family was randomized.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Protocol {
    /// Hash of the sealed file's bytes.
    pub hash: ProtocolHash,
    /// Identity and permissions.
    pub study: Study,
    /// Planned size and stopping rule.
    pub sample_size: SampleSize,
    /// How long a family holds a slot, for planning.
    pub capacity: Capacity,
    /// Participating sites, in the order in which small ones are merged.
    pub sites: Vec<Site>,
    /// Arms, in the order of the allocation's weights.
    pub arms: Vec<ArmSpec>,
    /// The control arm.
    pub control: Arm,
    /// What is randomized.
    pub unit: Unit,
    /// Facts known at intake.
    pub fields: Vec<Field>,
    /// Eligibility.
    pub criteria: Vec<Criterion>,
    /// How arms are drawn.
    pub allocation: Allocation,
    /// The capacity gate, if any.
    pub gate: Option<Gate>,
    /// Declared exceptions from randomization.
    pub exceptions: Exceptions,
    /// Violations after the draw.
    pub violations: Violations,
    /// Reasons of deviations from the plan.
    pub deviations: Deviations,
    /// Who may do what; without roles everybody may do everything.
    pub roles: Option<Roles>,
    /// What events must carry.
    pub events: Vec<EventSpec>,
    /// Ends of follow-up.
    pub exits: Exits,
    /// Outcomes.
    pub outcomes: Vec<Outcome>,
    /// Data locks; the last `final` one closes enrolment.
    pub locks: Vec<Lock>,
    /// Registered analyses.
    pub analyses: Vec<Analysis>,
    /// How secondary analyses are protected against multiplicity (recorded; `None` when nothing is said).
    pub multiplicity: Option<Multiplicity>,
    /// How the comparisons of the primary analysis are protected, where there are several: more than two arms.
    pub primary_multiplicity: Multiplicity,
    /// The protocols of the epochs before this one, in their order; empty before the first amendment.
    pub earlier: Vec<Arc<Protocol>>,
}

impl Protocol {
    /// Number of the epoch that this protocol opens, from 0.
    pub fn epoch(&self) -> u32 {
        self.earlier.len() as u32
    }

    /// This protocol as the one of the epoch after `before`.
    #[must_use]
    pub fn after(self, before: &Arc<Self>) -> Self {
        let mut earlier = before.earlier.clone();
        earlier.push(Arc::clone(before));
        Self { earlier, ..self }
    }

    /// The protocol in force in an epoch; this one for its own epoch and for any later number.
    pub fn in_epoch(&self, epoch: u32) -> &Self {
        self.earlier.get(epoch as usize).map_or(self, |own| own)
    }

    /// Index of a site by id.
    pub fn site(&self, id: &str) -> Option<usize> {
        self.sites.iter().position(|site| site.id == id)
    }

    /// An arm by id.
    pub fn arm(&self, id: &str) -> Option<Arm> {
        self.arms
            .iter()
            .position(|arm| arm.id == id)
            .map(|index| Arm(index as u8))
    }

    /// Index of a field by id.
    pub fn field(&self, id: &str) -> Option<usize> {
        self.fields.iter().position(|field| field.id == id)
    }

    /// Index of a lock by id.
    pub fn lock(&self, id: &str) -> Option<usize> {
        self.locks.iter().position(|lock| lock.id == id)
    }

    /// The last `final` lock, which closes enrolment and permits `reveal`.
    pub fn final_lock(&self) -> Option<usize> {
        self.locks.iter().rposition(|lock| !lock.interim)
    }

    /// First day of the first site.
    pub fn first_opening(&self) -> Day {
        self.sites
            .iter()
            .map(|site| Day::of(site.opens))
            .min()
            .unwrap_or(Day(0))
    }

    /// Last day after randomization on which any outcome can change.
    pub fn last_window(&self) -> i32 {
        self.outcomes
            .iter()
            .map(|outcome| outcome.kind.last_day())
            .max()
            .unwrap_or(0)
    }
}
