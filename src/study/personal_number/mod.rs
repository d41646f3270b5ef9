//! Swedish personal and coordination numbers: what one looks like, where one stands in a text, and its one canonical form.
//!
//! Known are ten or twelve digits, with or without what people write in between, a possible date (day + 60 for
//! coordination numbers, also the official unknown day 60 and month 00), a number from 001 and the check digit. The scan
//! of everything that enters a study and the derivation of pseudonyms both stand on this room; nothing here shows a number.

mod canonical;
mod form;
mod scan;
#[cfg(test)]
mod tests;

pub use canonical::{CanonicalNumber, NotCanonical};
pub(super) use scan::{found_in, looks_like_one};
