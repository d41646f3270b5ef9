//! One file per section of a protocol: which keys it may hold, what they mean, and what must fit together.
//!
//! Each file has a `KEYS` list, which is the vocabulary of `docs/protocol.md`, and a `read` function that reports
//! every finding and answers `None` for what cannot be used. References between sections go through
//! [`super::names::Ids`], so an error in one section does not cause a second one elsewhere.

pub(super) mod allocation;
pub(super) mod analyses;
pub(super) mod beacon;
pub(super) mod capacity;
mod children;
mod clusters;
pub(super) mod estimand;
mod estimator;
pub(super) mod events;
pub(super) mod exceptions;
pub(super) mod fields;
pub(super) mod gate;
pub(super) mod locks;
mod looks;
pub(super) mod missing;
pub(super) mod multiplicity;
mod options;
pub(super) mod outcomes;
pub(super) mod participants;
pub(super) mod roles;
pub(super) mod sample_size;
mod skewed;
pub(super) mod study;
