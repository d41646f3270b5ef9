//! Mathematics without a trial noun: streams of random numbers, distributions, small linear algebra, root finding.
//!
//! Pure functions of their arguments; no I/O, no clock, no entropy. Where a well-kept library is right to 1e-10 we
//! wrap it; where it is not, the function here says what it replaces.

pub mod stream;
