//! Walking the tree of a TOML file by hand, so that every value keeps its span and every finding is collected.
//!
//! A [`Section`] is a table with the keys it may hold; unknown keys are reported when it is opened. A [`Value`] is
//! one value with the name of its key; its readers report what does not fit and answer `None`. What the values mean
//! is the business of `sections/`.

mod section;
mod value;

pub(crate) use section::Section;
pub(crate) use value::{NAMED, Value};
