//! What happened: the pure state machine, the journal around it, and everything folded from the ledger.

pub mod dataset;
pub mod flow;
pub mod kernel;
