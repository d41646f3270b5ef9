//! Group-sequential designs: boundaries of repeated looks, how much alpha they spend, and inference that knows of them.
//!
//! The statistics of looks 1…K are normal with Cov(Z_j, Z_k) = √(I_j/I_k) for information I_1 < … < I_K and means
//! θ√I_k (the canonical joint distribution: Jennison and Turnbull 2000, chapter 3, doi 10.1201/9780367805326). Every
//! probability here is an integral over it by recursion (`recursion`, after Armitage, McPherson and Rowe 1969); nothing
//! is simulated. `boundaries` finds the critical values of a shape, `futility` the bounds beside them and what
//! a look says of later ones; `inference` gives repeated and final intervals.
//! What a look looks at, and when, is the business of who calls.

mod boundaries;
mod futility;
mod inference;
mod recursion;

pub use boundaries::{Boundaries, Shape, Sides};
pub use futility::Futility;
pub use inference::{Final, Look};
pub use recursion::{Exits, Region};
