//! What happened: the pure state machine, the journal around it, and everything folded from the ledger.

pub mod caps;
pub mod children;
mod coded;
pub mod cohort;
pub mod conduct;
pub mod course;
pub mod dataset;
pub mod deeds;
pub mod delivery;
pub mod duties;
pub mod field_value;
mod findings;
pub mod flow;
pub mod happenings;
pub mod identifiers;
pub mod intake;
pub mod journal;
pub mod kernel;
mod pages;
pub mod personal_number;
pub mod pseudonym;
pub mod recording;
pub mod slots;
pub mod uptake;
pub mod verify;
