//! What is to be written: an event of the state machine together with the content that people gave.

use crate::study::kernel::What;
use serde_json::Value;
use std::collections::BTreeMap;

/// A JSON object with sorted keys. Its text is canonical: no white space, keys in byte order, whole numbers only;
/// decimals travel as text.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Content(pub BTreeMap<String, Value>);

impl Content {
    /// An empty object.
    pub fn new() -> Self {
        Self::default()
    }

    /// With one more key.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.0.insert(key.to_owned(), value.into());
        self
    }

    /// With one more key, if there is a value.
    #[must_use]
    pub fn with_some(self, key: &str, value: Option<impl Into<Value>>) -> Self {
        match value {
            Some(value) => self.with(key, value),
            None => self,
        }
    }

    /// The canonical text.
    pub fn text(&self) -> String {
        // A map with text keys and JSON values always has a text.
        serde_json::to_string(&self.0).unwrap_or_default()
    }

    /// The keys of `names` only: what two requests are compared by.
    #[must_use]
    pub fn only(&self, names: &[&str]) -> Self {
        Self(
            self.0
                .iter()
                .filter(|(key, _)| names.contains(&key.as_str()))
                .map(|(key, value)| (key.clone(), value.clone()))
                .collect(),
        )
    }
}

impl From<Content> for Value {
    fn from(content: Content) -> Self {
        Self::Object(content.0.into_iter().collect())
    }
}

/// An event to be written.
#[derive(Debug, Clone, PartialEq)]
pub struct Recording {
    /// The event.
    pub what: What,
    /// Who and what, with names, as the payload holds it; empty for events without a family.
    pub content: Content,
    /// What the public part says beside the event itself: commitments, seeds, keys of site events.
    pub public: Content,
}

impl Recording {
    /// An event with a payload.
    pub fn new(what: What, content: Content) -> Self {
        Self {
            what,
            content,
            public: Content::new(),
        }
    }

    /// An event that is public as a whole.
    pub fn public(what: What, public: Content) -> Self {
        Self {
            what,
            content: Content::new(),
            public,
        }
    }
}
