//! The participant flow: every number of the CONSORT diagram, from the ledger and nothing else.
//!
//! Counts are families. The numbers add up at every node, which the contract tests check for arbitrary ledgers:
//! screened = not eligible + turned away + exceptions + randomized, and randomized = the sum over arms.

use crate::allocation::Arm;
use crate::protocol::model::Day;

/// The flow of a study, or of a lock of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flow {
    /// Families screened at least once.
    pub screened: u32,
    /// Screenings in all; a family that was turned away may be screened again.
    pub screenings: u32,
    /// Families whose last screening found them not eligible, by the first criterion that they missed, in the
    /// protocol's order; criteria that nobody missed are kept with 0.
    pub not_eligible: Vec<ReasonCount>,
    /// Families whose last screening met a closed gate.
    pub turned_away: u32,
    /// Families taken out by a declared exception, by reason; reasons that nobody had are kept with 0.
    pub exceptions: Vec<ReasonCount>,
    /// Families randomized.
    pub randomized: u32,
    /// Of these, families that an earlier closed gate had turned away.
    pub randomized_after_turned_away: u32,
    /// Children who joined a randomized family later.
    pub joined_children: u32,
    /// One entry per arm, in the protocol's order.
    pub arms: Vec<ArmFlow>,
    /// One entry per site, in the protocol's order.
    pub sites: Vec<SiteFlow>,
}

/// A coded reason and how many families had it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReasonCount {
    /// The code.
    pub reason: String,
    /// Families.
    pub families: u32,
}

/// What happened to the families of an arm, as randomized.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArmFlow {
    /// The arm.
    pub arm: Arm,
    /// Families allocated.
    pub allocated: u32,
    /// Families whose allocated service did not start.
    pub not_started: u32,
    /// Families moved to another arm's service.
    pub switched: u32,
    /// Families that withdrew.
    pub withdrawn: u32,
    /// Families whose follow-up ended with a death.
    pub death: u32,
    /// Families whose children all turned 18 before the last window ended.
    pub all_children_18: u32,
    /// Families that left the register's coverage before the last window ended.
    pub left_coverage: u32,
    /// Families followed to the end of their last window at the cut.
    pub followed: u32,
    /// Families whose last window had not ended at the cut (interim locks).
    pub under_follow_up: u32,
}

/// Recruitment of a site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SiteFlow {
    /// Index of the site.
    pub site: usize,
    /// First day on which the site enrolled.
    pub opened: Day,
    /// Day of each randomization, in ledger order.
    pub randomized: Vec<Day>,
    /// Families whose last screening met a closed gate.
    pub turned_away: u32,
    /// Whole days on which the gate was closed from morning to night, as inclusive ranges in order.
    pub gate_closed: Vec<(Day, Day)>,
}

impl SiteFlow {
    /// Number of days on which the gate was closed.
    pub fn days_closed(&self) -> i32 {
        self.gate_closed
            .iter()
            .map(|(from, to)| to.since(*from) + 1)
            .sum()
    }
}
