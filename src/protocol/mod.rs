//! Text to a [`Protocol`] that is valid once it exists.
//!
//! [`parse`] reads the sealed file's bytes and reports every finding at once, each with its span. What a protocol can
//! say is [`model`]; the language of eligibility rules is [`rule`]; one section of the file is one file in
//! `sections/`. The vocabulary with defaults and examples is `docs/protocol.md`. Files are read by `app`, never here.

mod amendment;
mod document;
pub(crate) mod findings;
pub mod model;
mod names;
pub mod rule;
mod rule_parser;
mod rule_words;
mod sections;
pub(crate) mod tree;

pub use amendment::{carry_on, unadjusted};
pub use document::{Parsed, VERSION, parse, vocabulary};
pub use findings::CODES;
pub use model::Protocol;
pub use names::is_kebab;
