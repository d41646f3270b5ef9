//! Mathematics without a trial noun: streams of random numbers, distributions, small linear algebra, root finding.
//!
//! Pure functions of their arguments; no I/O, no clock, no entropy. Where a well-kept library is right to 1e-10 we
//! wrap it; where it is not, the function here says what it replaces. A distribution is a value that exists only with
//! admissible parameters, so its functions need no further check; a quantile outside (0, 1) is a typed error.

pub mod beta;
pub mod binomial;
pub mod chi_square;
pub mod decimals;
mod error;
pub mod exponential;
pub mod f;
pub mod linear_algebra;
pub mod noncentral_chi_square;
pub mod noncentral_f;
pub mod noncentral_t;
pub mod normal;
mod poisson_mixture;
pub mod quadrature;
pub mod recent;
pub mod root;
pub mod sample_quantile;
pub(crate) mod scattered;
pub mod shares;
pub mod stream;
pub mod student_t;
pub mod symmetric_eigen;
pub mod twofold;
pub(crate) mod vector;
pub mod whole;

pub use error::NumericsError;
pub use twofold::Twofold;
pub use whole::Whole;
