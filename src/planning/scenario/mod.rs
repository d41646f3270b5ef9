//! Scenario files: a made-up world in which a protocol is run many times.
//!
//! [`plan`] reads a scenario and its protocol, applies settings from the command line, spreads the grid into cells and
//! reports every finding at once with its span. The keys of each section belong to their mechanism
//! ([`super::mechanisms`]); running the cells is [`super::simulate`]. Files are read by `app`, never here.

mod axes;
mod believed;
mod cells;
mod edit;
mod engine;
mod faults;
mod grid;
mod law;
mod prior;
mod promised;
mod ratio;
mod recipe;
mod sections;

pub use believed::Believed;
pub use cells::{Cell, File, Plan, Refused, plan, protocol_path};
pub use edit::set_path;
pub use engine::Engine;
pub use prior::Prior;
pub use recipe::never_set;
pub use sections::vocabulary;

use super::cost::Cost;
use super::world::World;
use crate::allocation::Arm;
use crate::protocol::model::OutcomeKind;

/// Version of the file format.
pub const VERSION: i64 = 1;

/// Every code that reading a scenario can give, besides those of the protocol.
pub const CODES: &[&str] = &[
    "empty-scenario",
    "toml-syntax",
    "unsupported-version",
    "unknown-key",
    "missing-key",
    "wrong-type",
    "not-applicable",
    "duplicate-id",
    "empty-text",
    "unknown-reference",
    "unknown-value",
    "not-built-yet",
    "out-of-range",
    "too-few",
    "impossible-risk",
    "impossible-mean",
    "mean-cut-by-range",
    "field-without-law",
    "shares-sum",
    "no-exceptions",
    "windows-differ",
    "too-many-cells",
    "lists-differ",
    "varied-twice",
    "same-cell",
    "impossible-prior",
    "ratio-by-blocks",
    "months-beyond-stop",
    "condition-never-holds",
    "outside-kernel",
];

/// One cell's scenario: what is run, for one protocol.
#[derive(Debug)]
pub struct Scenario {
    /// Indices of the analyses of the protocol that are run.
    pub analyses: Vec<usize>,
    /// What runs the studies.
    pub engine: Engine,
    /// The world of control and the first treated arm.
    pub world: World,
    /// The worlds of control and each further treated arm, in the protocol's order: a family has the same deviates in all.
    pub further: Vec<World>,
    /// How precise the answer is to be.
    pub precision: Precision,
    /// What cells of a grid share.
    pub shared: Shared,
    /// What a study costs, where that is said.
    pub cost: Option<Cost>,
}

impl Scenario {
    /// Number of treated arms.
    pub fn treated(&self) -> usize {
        1 + self.further.len()
    }

    /// The world of control and a treated arm, by the arm's place among them; of a place that there is not the first.
    pub fn world_of(&self, place: usize) -> &World {
        let further = place.checked_sub(1).and_then(|own| self.further.get(own));
        further.unwrap_or(&self.world)
    }

    /// Place of a treated arm among them; `None` for control.
    pub fn place_of(&self, arm: Arm) -> Option<usize> {
        (0..self.treated()).find(|place| self.world_of(*place).treated == arm)
    }

    /// Whether a treated arm and control do not differ in what drives an outcome: [`World::is_null`], where families of control
    /// are moved to no other arm that does.
    pub fn is_null(&self, place: usize, kind: &OutcomeKind) -> bool {
        let moved = |other: &usize| self.world_of(*other).uptake.switched > 0.0;
        let mut others = (0..self.treated()).filter(moved);
        self.world_of(place).is_null(kind) && others.all(|other| self.world_of(other).is_null(kind))
    }

    /// The comparisons that are simulated: index of the analysis and place of the treated arm among those of the protocol, in the
    /// scenario's order and within an analysis of arms.
    pub fn comparisons(&self) -> impl Iterator<Item = (usize, usize)> {
        let arms = self.treated();
        let each = self.analyses.iter();
        each.flat_map(move |index| (0..arms).map(move |arm| (*index, arm)))
    }
}

/// How precise the answer is to be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Precision {
    /// Studies per cell.
    pub replicates: u64,
    /// Stop a cell when the Monte Carlo standard error of every power is at most this.
    pub stop_at_mcse: Option<f64>,
    /// Redraws of a randomization test inside a replicate; 0 leaves the test out.
    pub draws: u32,
    /// Studies beside which the same study without any effect is run, for the size of a randomization test behind a
    /// gate.
    pub null_replicates: u64,
}

/// Keeps the number of studies within what can be run.
fn at_most(scenario: &mut Scenario) {
    let precision = &mut scenario.precision;
    precision.replicates = precision.replicates.min(sections::MOST_REPLICATES as u64);
}

/// What cells of a grid share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shared {
    /// The same families, so that cells differ by what was changed and not by chance.
    Families,
    /// Nothing.
    Nothing,
}
