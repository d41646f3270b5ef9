//! Plan, draw, record and analyse a randomized evaluation in social services from one protocol file.
//!
//! The rooms, from the bottom up (imports go to a smaller layer only; `tests/tidy.rs` enforces it):
//!
//! | room | layer | answers for |
//! |---|---|---|
//! | [`numerics`] | 0 | streams of random numbers, distributions, small linear algebra, root finding |
//! | [`diagnostic`] | 0 | a finding as data, in two languages |
//! | [`table`] | 1 | bytes to typed columns |
//! | [`allocation`] | 1 | randomization methods and the one shared draw |
//! | [`estimation`] | 1 | estimators as pure functions of columns |
//! | [`protocol`] | 2 | text to a valid [`protocol::Protocol`] |
//! | [`study`] | 3 | the state machine, the journal, data sets, flow, verification |
//! | [`analysis`] | 4 | the registered plan on a locked data set |
//! | [`planning`] | 5 | power and simulated studies |
//! | [`report`] | 6 | results to tables, figures and pages, as bytes |
//! | [`store`] | side | where a ledger's bytes live |
//! | [`app`] | 7 | one use case per verb |
//! | [`cli`] | 8 | one command per file |
//!
//! A library user can take [`allocation`] and [`estimation`] alone: arms are indices there.
//! Start with `examples/` and `docs/architecture.md`.

pub mod allocation;
pub mod analysis;
pub mod app;
pub mod cli;
pub mod diagnostic;
pub mod estimation;
pub mod numerics;
pub mod planning;
pub mod protocol;
pub mod report;
pub mod store;
pub mod study;
pub mod table;
