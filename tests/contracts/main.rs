//! Contracts: the laws that registered things declare, on generated inputs.

mod linear_algebra;
