//! Randomization methods as pure functions from history to integer weights, and the one draw that all of them share.
//!
//! A method never draws an arm, stores or looks ahead: it says how likely each arm is, as integers, and
//! [`allocate`] turns the weights and one bounded random integer into an arm. No float decides an arm. Arms are
//! indices in the protocol's order; families, clocks and TOML are unknown here.
//!
//! The derivation of every random number is `docs/allocation-spec.md`, frozen by `lottning = 1`. To add a method,
//! write one file in `methods/` and one line in [`METHODS`].

mod assessment;
mod characteristics;
mod closed;
mod design_table;
mod exact;
mod expanded;
mod guess;
mod largest;
mod list;
mod method;
pub mod methods;
mod observer;
mod options;
mod rational;
mod seed;
mod stratified;
mod streams;
mod weights;
mod wide;

pub use crate::numerics::stream::replicates_key;
pub use assessment::{Assessed, Possible, assess, possible};
pub use characteristics::{
    Characteristics, Figure, characteristics, characteristics_of, drawn_characteristics_of,
};
pub use design_table::{Cycle, DesignTable, MOST_CUTS};
pub(crate) use exact::every_choice;
pub use exact::{Exact, exact_characteristics, exact_characteristics_of};
pub use guess::Guesser;
pub(crate) use guess::WHOLE;
pub use list::{Row, balanced_list, list, stratum_label};
pub use method::{Design, Levels, MAX_FACTORS, Method, Sequence, Unit, allocate, draw_arm};
pub use methods::METHODS;
pub use options::{
    Choice, MethodEntry, OptionSpec, Options, Refusal, Setting, check_options, choose, read_ratio,
};
pub use seed::{Commitment, Seed, SeedError};
pub use stratified::{Alike, Stratified, stratified_characteristics};
pub use streams::{
    Address, Mode, Purpose, Randomness, Redraw, StratumKeys, redraw_key, stream_key,
};
pub use weights::{Arm, MAX_ARMS, MAX_DUPLICATES, Ratio, Weights};
pub use wide::{Placed, WideWeights};
