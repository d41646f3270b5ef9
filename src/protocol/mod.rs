//! Text to a [`Protocol`] that is valid once it exists.
//!
//! [`parse`] reads the sealed file's bytes and reports every finding at once, each with its span. What a protocol can
//! say is [`model`]; the language of eligibility rules is [`rule`]. Files are read by `app`, never here.

pub mod model;
pub mod rule;

pub use model::Protocol;
