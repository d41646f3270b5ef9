//! What is to be written: an event of the state machine together with the content that people gave.

use super::canonical::plain;
use crate::study::kernel::What;
use std::fmt::Write;
use std::ops::Range;

/// A JSON object with sorted keys. Its text is canonical: no white space, keys in byte order, whole numbers only;
/// decimals travel as text.
///
/// Values are kept as the text that they will be, so that a content is written, hashed and copied without being taken apart.
#[derive(Debug, Clone, Default)]
pub struct Content {
    /// Keys, and values as JSON, in the order in which they came.
    text: String,
    /// Where they stand, in the order of the keys.
    members: Vec<Member>,
}

#[derive(Debug, Clone)]
struct Member {
    key: Range<usize>,
    value: Range<usize>,
}

/// A value of canonical JSON.
pub trait Canonical {
    /// Appends the value's text.
    fn put(self, out: &mut String);
}

impl Content {
    /// An empty object.
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty object with room for so many bytes and members.
    pub(in crate::study) fn with_room(bytes: usize, members: usize) -> Self {
        Self {
            text: String::with_capacity(bytes),
            members: Vec::with_capacity(members),
        }
    }

    /// With one more key; a key that is there gets another value.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Canonical) -> Self {
        let known = |member: &Member| self.text.get(member.key.clone());
        let place = match self.members.last() {
            Some(last) if known(last) >= Some(key) => {
                self.members.binary_search_by_key(&Some(key), known)
            }
            _ => Err(self.members.len()),
        };
        if self.members.is_empty() {
            // Room for most, so that few grow.
            self.text.reserve(192);
            self.members.reserve(8);
        }
        let from = self.text.len();
        self.text.push_str(key);
        let to = self.text.len();
        value.put(&mut self.text);
        let own = Member {
            key: from..to,
            value: to..self.text.len(),
        };
        match place {
            Ok(place) => self.members[place] = own,
            Err(place) => self.members.insert(place, own),
        }
        self
    }

    /// With one more key, if there is a value.
    #[must_use]
    pub fn with_some(self, key: &str, value: Option<impl Canonical>) -> Self {
        match value {
            Some(value) => self.with(key, value),
            None => self,
        }
    }

    /// Whether there is no key.
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// The text of a key, if it is one.
    pub fn text_of(&self, key: &str) -> Option<String> {
        let (_, value) = self.iter().find(|(own, _)| *own == key)?;
        serde_json::from_str(value).ok()
    }

    /// The canonical text.
    pub fn text(&self) -> String {
        self.text_where(|_| true)
    }

    /// The canonical text of the keys that are kept: what two requests are compared by.
    pub fn text_where(&self, keep: impl Fn(&str) -> bool) -> String {
        let mut text = String::with_capacity(self.text.len() + 4 * self.members.len() + 2);
        text.push('{');
        for (key, value) in self.iter().filter(|(key, _)| keep(key)) {
            if text.len() > 1 {
                text.push(',');
            }
            key.put(&mut text);
            text.push(':');
            text.push_str(value);
        }
        text.push('}');
        text
    }

    /// Keys and the texts of their values, in the order of the keys.
    fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        let part = |place: &Range<usize>| self.text.get(place.clone()).unwrap_or_default();
        let members = self.members.iter();
        members.map(move |own| (part(&own.key), part(&own.value)))
    }
}

impl PartialEq for Content {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Canonical for &str {
    fn put(self, out: &mut String) {
        out.push('"');
        if plain(self.as_bytes()).is_none() {
            out.push_str(self);
        } else {
            // The escapes of JSON, between the quotation marks that are written here.
            let escaped = serde_json::to_string(self).unwrap_or_default();
            out.push_str(
                escaped
                    .get(1..escaped.len().saturating_sub(1))
                    .unwrap_or_default(),
            );
        }
        out.push('"');
    }
}

impl Canonical for &String {
    fn put(self, out: &mut String) {
        self.as_str().put(out);
    }
}

impl Canonical for String {
    fn put(self, out: &mut String) {
        self.as_str().put(out);
    }
}

impl Canonical for bool {
    fn put(self, out: &mut String) {
        out.push_str(if self { "true" } else { "false" });
    }
}

macro_rules! whole {
    ($($number:ty),*) => {$(
        impl Canonical for $number {
            fn put(self, out: &mut String) {
                // Writing to a text does not fail.
                let _ = write!(out, "{self}");
            }
        }
    )*};
}

whole!(u16, u32, u64, i32);

impl<T: Canonical> Canonical for Vec<T> {
    fn put(self, out: &mut String) {
        out.push('[');
        for (place, value) in self.into_iter().enumerate() {
            if place > 0 {
                out.push(',');
            }
            value.put(out);
        }
        out.push(']');
    }
}

impl Canonical for Content {
    fn put(self, out: &mut String) {
        out.push_str(&self.text());
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

#[cfg(test)]
mod tests {
    use super::Content;
    use crate::study::journal::canonical::Object;
    use serde_json::{Value, json};
    use std::collections::BTreeMap;

    /// Against a sorted map and the general writer of JSON.
    #[test]
    fn a_content_is_written_as_the_general_writer_would() {
        let texts = [
            "",
            "KATL-MORU",
            "å–Ö 🜁",
            "\"",
            "a\\b",
            "tab\tend\n",
            "\u{0}\u{1f}\u{7f}",
            "/<>&'",
        ];
        let inner = |text: &str| Content::new().with("z", true).with("a", text);
        for one in texts {
            for two in texts {
                let own = Content::new()
                    .with("m", one)
                    .with("b", vec![one, two])
                    .with("a", 17_u32)
                    .with("c", Vec::<String>::new())
                    .with("d", vec![u64::MAX, 0])
                    .with("m", two)
                    .with_some("n", None::<bool>)
                    .with_some("k", Some(inner(one)))
                    .with(two, false);
                let mut map: BTreeMap<&str, Value> = BTreeMap::from([
                    ("m", json!(two)),
                    ("b", json!([one, two])),
                    ("a", json!(17)),
                    ("c", json!([])),
                    ("d", json!([u64::MAX, 0])),
                    ("k", json!({"a": one, "z": true})),
                ]);
                map.insert(two, json!(false));
                assert_eq!(own.text(), serde_json::to_string(&map).unwrap());
                let kept = |key: &str| key == "a" || key == "m";
                let text = own.text_where(kept);
                map.retain(|key, _| kept(key));
                assert_eq!(text, serde_json::to_string(&map).unwrap());
                assert_eq!(own.text_of("m").as_deref(), Some(two));
                assert_eq!((own.text_of("a"), own.text_of("x")), (None, None));
            }
        }
    }

    #[test]
    fn contents_are_equal_whatever_order_they_were_given_in() {
        let one = Content::new().with("a", "x").with("b", 2_u32);
        let other = Content::new()
            .with("b", 1_u32)
            .with("b", 2_u32)
            .with("a", "x");
        assert_eq!(one, other);
        assert_ne!(one, Content::new().with("a", "x"));
        assert!(Content::new().is_empty() && !one.is_empty());
        assert_eq!(Content::new().text(), "{}");
        let text = other.text();
        assert!(Object::read(&text).unwrap().1, "canonical");
    }
}
