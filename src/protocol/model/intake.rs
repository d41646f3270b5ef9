//! Who comes, where, under which rules, and how arms are drawn.
//!
//! Levels as text and the number of a stratum are in `strata`; the draw itself is in [`crate::allocation`].

use super::follow_up::Service;
use crate::allocation::{Arm, Design, Options, Ratio};
use crate::diagnostic::Words;
use crate::protocol::rule::Rule;
use jiff::civil::Date;
use std::sync::Arc;

/// An identifier with its name for people: a level of a choice, a reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// Identifier, kebab-case.
    pub id: String,
    /// Name for people.
    pub label: Words,
}

/// A participating site.
#[derive(Debug, Clone)]
pub struct Site {
    /// Identifier, kebab-case.
    pub id: String,
    /// Name for people.
    pub name: String,
    /// First day of enrolment.
    pub opens: Date,
    /// Therapists at the opening.
    pub therapists: u32,
}

/// An arm.
#[derive(Debug, Clone)]
pub struct ArmSpec {
    /// Identifier, kebab-case.
    pub id: String,
    /// Name for people.
    pub label: Words,
    /// Part in the allocation ratio, as written.
    pub ratio: u64,
    /// Slots per therapist where the arm's capacity is limited.
    pub families_per_therapist: Option<u32>,
}

/// What is randomized, and what happens when a randomized family comes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unit {
    /// A family reported again keeps its arm until the end of the study.
    pub returns: Returns,
    /// A sibling who is reported later.
    pub joins: Joins,
}

/// What a randomized family gets when it is reported again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Returns {
    /// The arm is kept until the study ends.
    KeepUntilStudyEnd,
}

/// What a sibling gets who is reported later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Joins {
    /// The family's arm.
    KeepArm,
}

/// A fact known when the investigation is opened; frozen before gate and draw.
#[derive(Debug, Clone)]
pub struct Field {
    /// Identifier, snake_case.
    pub id: String,
    /// Name for people.
    pub label: Words,
    /// Shape of its values.
    pub kind: FieldKind,
    /// Boundaries that make it a stratification factor: `[3]` gives the levels `0-2` and `3+`.
    pub cuts: Vec<i64>,
}

/// Shape of a field's values. Inside the program each value is one integer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FieldKind {
    /// A whole number, by default at least 0.
    Count {
        /// Unit for people, for example `years`.
        unit: Option<Words>,
        /// Least and greatest admissible value.
        range: (i64, i64),
    },
    /// A decimal number with a fixed number of places; the value is scaled by `10^places`.
    Number {
        /// Unit for people.
        unit: Option<Words>,
        /// Decimal places, 0 to 6.
        places: u8,
        /// Least and greatest admissible scaled value.
        range: (i64, i64),
    },
    /// One of named levels; the value is the level's index.
    Choice {
        /// The levels, their identifiers in kebab-case.
        levels: Vec<Named>,
    },
    /// Yes (1) or no (0).
    YesNo,
}

/// One criterion of eligibility.
#[derive(Debug, Clone)]
pub struct Criterion {
    /// Identifier, kebab-case; also the reason that `enrol` prints.
    pub id: String,
    /// How it is decided.
    pub check: Check,
}

/// How a criterion is decided.
#[derive(Debug, Clone)]
pub enum Check {
    /// A question that intake answers yes or no.
    Ask {
        /// The question.
        question: Words,
        /// The answer that keeps the family in.
        include_if: bool,
    },
    /// A rule on fields, not judged by anybody.
    Rule {
        /// The rule as written.
        text: String,
        /// Its compiled form.
        rule: Rule,
    },
}

/// How arms are drawn.
#[derive(Debug, Clone)]
pub struct Allocation {
    /// Id of the method.
    pub method: String,
    /// Options as given.
    pub options: Options,
    /// The ratio of the arms, in their order, in lowest terms.
    pub ratio: Ratio,
    /// The method with its options fixed.
    pub design: Arc<dyn Design>,
    /// Stratification factors, in the file's order.
    pub strata: Vec<Factor>,
    /// Balancing factors of the method, in the file's order; empty if it balances none.
    pub factors: Vec<Factor>,
}

/// Families per stratum below which a warning is due: blocks stay incomplete, strata stay empty.
pub const THIN_STRATUM: usize = 8;

/// A stratification or balancing factor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Factor {
    /// The site.
    Site,
    /// A field by index: a choice, a yes/no, or a count or number with cuts.
    Field(usize),
}

/// Capacity opens or closes the gate before the draw; it never tilts a draw.
#[derive(Debug, Clone)]
pub struct Gate {
    /// The arm whose capacity is limited.
    pub arm: Arm,
    /// Slots per therapist.
    pub families_per_therapist: u32,
    /// Service events that free a slot.
    pub released_by: Vec<Service>,
    /// Whether a family that was turned away may be screened again.
    pub turned_away_may_return: bool,
}
