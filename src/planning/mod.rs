//! What a study would show: exact and closed-form power, and simulated studies.
//!
//! Closed forms and enumerations stand in a file per family of outcomes ([`two_proportions`]); a figure that has an exact
//! answer is never simulated. Nothing here reads a file or allocates families by rules of its own: the simulator goes
//! through `study::kernel` and `analysis`.

pub mod capacity;
pub mod clustering;
pub mod guessing;
pub mod ratios;
pub mod tables;
pub mod two_proportions;
