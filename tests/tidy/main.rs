//! What the design asks of the sources themselves: layers, forbidden calls, sizes, names, assertions, packages, licences.
//!
//! Each module holds one check as a function from sources to findings, a test that runs it on this package, and a test
//! that shows on small bad sources that it can fail.

#![expect(
    clippy::unwrap_used,
    reason = "a check that cannot read the sources has failed"
)]

mod assertions;
mod calls;
mod codes;
mod docs;
mod files;
mod layers;
mod packages;
mod sources;
