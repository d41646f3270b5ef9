//! Canonical JSON of the ledger: an object read in one pass, its texts borrowed from the row.
//!
//! The pass accepts exactly what the ledger writes: keys in byte order, no white space, no escapes, whole numbers. Any
//! other text goes through `serde_json`, so that odd rows read as before, and is canonical only if writing it again
//! gives the same text, its numbers are whole ones that every program can hold, and nothing lies deeper than the ledger
//! writes it. Nothing is interpreted here.

use serde_json::Value as Json;
use sha2::{Digest, Sha256};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// Objects and lists that a value can lie in.
const DEPTH: usize = 8;
/// The largest number: 2^53 - 1, which programs that know floats alone can still tell from its neighbours.
const LARGEST: u64 = (1 << 53) - 1;

/// A JSON value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value<'a> {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number from 0.
    Whole(u64),
    /// A number of another kind; the ledger has none.
    OtherNumber,
    /// A text.
    String(Cow<'a, str>),
    /// A list.
    Array(Vec<Value<'a>>),
    /// An object.
    Object(Object<'a>),
}

impl<'a> Value<'a> {
    /// The text, if it is one.
    pub(crate) fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// The truth value, if it is one.
    pub(crate) fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Bool(own) => Some(*own),
            _ => None,
        }
    }

    /// The whole number, if it is one.
    pub(crate) fn as_u64(&self) -> Option<u64> {
        match self {
            Self::Whole(own) => Some(*own),
            _ => None,
        }
    }

    /// The list, if it is one.
    pub(crate) fn as_array(&self) -> Option<&[Value<'a>]> {
        match self {
            Self::Array(values) => Some(values),
            _ => None,
        }
    }

    /// The object, if it is one.
    pub(crate) fn as_object(&self) -> Option<&Object<'a>> {
        match self {
            Self::Object(own) => Some(own),
            _ => None,
        }
    }

    fn is_plain(&self, depth: usize) -> bool {
        depth <= DEPTH
            && match self {
                Self::Null | Self::Bool(_) | Self::String(_) => true,
                Self::Whole(number) => *number <= LARGEST,
                Self::OtherNumber => false,
                Self::Array(values) => values.iter().all(|own| own.is_plain(depth + 1)),
                Self::Object(own) => own.is_plain(depth),
            }
    }

    fn of(json: Json) -> Value<'static> {
        match json {
            Json::Null => Value::Null,
            Json::Bool(own) => Value::Bool(own),
            Json::Number(number) => number.as_u64().map_or(Value::OtherNumber, Value::Whole),
            Json::String(text) => Value::String(text.into()),
            Json::Array(values) => Value::Array(values.into_iter().map(Value::of).collect()),
            Json::Object(map) => Value::Object(Object::of(map)),
        }
    }
}

/// A member of an object; `text` is that of key and value, as canonical JSON has it.
#[derive(Debug, Clone, PartialEq)]
struct Member<'a> {
    key: Cow<'a, str>,
    text: Cow<'a, str>,
    value: Value<'a>,
}

/// A JSON object.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Object<'a> {
    members: Vec<Member<'a>>,
}

impl<'a> Object<'a> {
    /// Reads an object; `None` for anything else. The second part says whether the text is canonical.
    pub(crate) fn read(text: &'a str) -> Option<(Self, bool)> {
        if let Some(own) = quick(text) {
            return Some((own, true));
        }
        let Ok(Json::Object(map)) = serde_json::from_str(text) else {
            return None;
        };
        let again = serde_json::to_string(&sorted(&Json::Object(map.clone()))).ok();
        let own = Self::of(map);
        let canonical = again.as_deref() == Some(text) && own.is_plain(0);
        Some((own, canonical))
    }

    fn of(map: serde_json::Map<String, Json>) -> Object<'static> {
        let members = map.into_iter().map(|(key, json)| Member {
            text: format!("{}:{json}", Json::from(key.as_str())).into(),
            key: key.into(),
            value: Value::of(json),
        });
        Object {
            members: members.collect(),
        }
    }

    /// Whether all numbers are whole and at most [`LARGEST`], and nothing lies deeper than [`DEPTH`].
    fn is_plain(&self, depth: usize) -> bool {
        let mut values = self.members.iter().map(|member| &member.value);
        values.all(|value| value.is_plain(depth + 1))
    }

    /// The value of a key.
    pub(crate) fn get(&self, key: &str) -> Option<&Value<'a>> {
        let mut members = self.members.iter();
        let member = members.find(|member| is_same(&member.key, key))?;
        Some(&member.value)
    }

    /// The text of a key, if it is one.
    pub(crate) fn text(&self, key: &str) -> Option<&str> {
        self.get(key)?.as_str()
    }

    /// Whether the object has a key.
    pub(crate) fn contains_key(&self, key: &str) -> bool {
        self.get(key).is_some()
    }

    /// Whether the object has no member.
    pub(crate) fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// Keys and values, in the text's order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &Value<'a>)> {
        self.members
            .iter()
            .map(|member| (&*member.key, &member.value))
    }

    /// SHA-256 of the canonical text of the members whose keys are kept.
    pub(crate) fn hash(&self, keep: impl Fn(&str) -> bool) -> [u8; 32] {
        let kept = self.members.iter().filter(|member| keep(&member.key));
        let room = self.members.iter().map(|member| member.text.len() + 1);
        let mut text = String::with_capacity(room.sum::<usize>() + 2);
        let mut put = |member: &Member<'_>| {
            text.push(if text.is_empty() { '{' } else { ',' });
            text.push_str(&member.text);
        };
        let in_order = |one: &Member<'_>, other: &Member<'_>| !is_before(&other.key, &one.key);
        if self.members.is_sorted_by(in_order) {
            kept.for_each(put);
        } else {
            let mut kept: Vec<&Member<'_>> = kept.collect();
            kept.sort_by(|one, other| one.key.cmp(&other.key));
            kept.into_iter().for_each(&mut put);
        }
        if text.is_empty() {
            text.push('{');
        }
        text.push('}');
        Sha256::digest(text.as_bytes()).into()
    }
}

/// Whether two short texts are one: most that are not differ in their length, or in their first or last byte.
#[inline]
pub(crate) fn is_same(one: &str, other: &str) -> bool {
    let [own, others] = [one.as_bytes(), other.as_bytes()];
    own.len() == others.len()
        && own.first() == others.first()
        && own.last() == others.last()
        && own == others
}

/// Whether a text comes before another one, by their bytes: most differ in the first.
#[inline]
fn is_before(one: &str, other: &str) -> bool {
    let [own, others] = [one.as_bytes(), other.as_bytes()];
    let (first, other) = (own.first(), others.first());
    first < other || first == other && own < others
}

/// The value with the keys of every object sorted.
fn sorted(value: &Json) -> Json {
    match value {
        Json::Object(map) => {
            let ordered: BTreeMap<&String, Json> = map
                .iter()
                .map(|(key, value)| (key, sorted(value)))
                .collect();
            Json::Object(
                ordered
                    .into_iter()
                    .map(|(key, value)| (key.clone(), value))
                    .collect(),
            )
        }
        Json::Array(values) => Json::Array(values.iter().map(sorted).collect()),
        plain => plain.clone(),
    }
}

fn quick(text: &str) -> Option<Object<'_>> {
    let mut pass = Pass { text, at: 0 };
    let own = pass.object(0)?;
    (pass.at == text.len()).then_some(own)
}

/// How many bytes come before the first quotation mark, backslash or control sign; `None` without one. Eight bytes are looked at
/// together: a byte from which a smaller one is borrowed sets its highest bit, and the lowest such byte is always a right one.
pub(super) fn plain(bytes: &[u8]) -> Option<usize> {
    const ONES: u64 = u64::MAX / 255;
    const HIGHS: u64 = ONES * 0x80;
    let below = |word: u64, least: u64| word.wrapping_sub(ONES * least) & !word & HIGHS;
    let ends = |byte: u8| byte == b'"' || byte == b'\\' || byte < b' ';
    let (words, rest) = bytes.as_chunks::<8>();
    for (place, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        let quote = below(word ^ (ONES * u64::from(b'"')), 1);
        let backslash = below(word ^ (ONES * u64::from(b'\\')), 1);
        let found = quote | backslash | below(word, u64::from(b' '));
        if found != 0 {
            return Some(8 * place + found.trailing_zeros() as usize / 8);
        }
    }
    let end = rest.iter().position(|byte| ends(*byte))?;
    Some(8 * words.len() + end)
}

/// The quick pass; `None` means that it does not know, never that the text is wrong.
struct Pass<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Pass<'a> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn take(&mut self, byte: u8) -> Option<()> {
        (self.peek()? == byte).then(|| self.at += 1)
    }

    fn word(&mut self, word: &str, value: Value<'a>) -> Option<Value<'a>> {
        let rest = self.text.as_bytes().get(self.at..)?;
        rest.starts_with(word.as_bytes()).then(|| {
            self.at += word.len();
            value
        })
    }

    fn object(&mut self, depth: usize) -> Option<Object<'a>> {
        self.take(b'{')?;
        if self.take(b'}').is_some() {
            return Some(Object::default());
        }
        let mut members: Vec<Member<'a>> = Vec::with_capacity(if depth == 0 { 12 } else { 4 });
        loop {
            let from = self.at;
            let key = self.string()?;
            if members
                .last()
                .is_some_and(|before| !is_before(&before.key, key))
            {
                return None;
            }
            self.take(b':')?;
            let value = self.value(depth + 1)?;
            members.push(Member {
                key: key.into(),
                text: self.text.get(from..self.at)?.into(),
                value,
            });
            if self.take(b',').is_none() {
                break;
            }
        }
        self.take(b'}')?;
        Some(Object { members })
    }

    fn value(&mut self, depth: usize) -> Option<Value<'a>> {
        if depth > DEPTH {
            return None;
        }
        match self.peek()? {
            b'"' => Some(Value::String(self.string()?.into())),
            b'{' => Some(Value::Object(self.object(depth)?)),
            b'[' => self.array(depth),
            b'0'..=b'9' => self.whole(),
            b't' => self.word("true", Value::Bool(true)),
            b'f' => self.word("false", Value::Bool(false)),
            b'n' => self.word("null", Value::Null),
            _ => None,
        }
    }

    fn array(&mut self, depth: usize) -> Option<Value<'a>> {
        self.take(b'[')?;
        if self.take(b']').is_some() {
            return Some(Value::Array(Vec::new()));
        }
        let mut values = Vec::with_capacity(4);
        loop {
            values.push(self.value(depth + 1)?);
            if self.take(b',').is_none() {
                break;
            }
        }
        self.take(b']')?;
        Some(Value::Array(values))
    }

    fn string(&mut self) -> Option<&'a str> {
        self.take(b'"')?;
        let from = self.at;
        let rest = self.text.as_bytes().get(from..)?;
        self.at = from + plain(rest)?;
        self.take(b'"')?;
        self.text.get(from..self.at - 1)
    }

    fn whole(&mut self) -> Option<Value<'a>> {
        let from = self.at;
        let mut number: u64 = 0;
        while let Some(digit @ b'0'..=b'9') = self.peek() {
            // 16 digits fit; a longer number is left to the other reader.
            if self.at - from == 16 {
                return None;
            }
            number = number * 10 + u64::from(digit - b'0');
            self.at += 1;
        }
        let leads_with_zero = self.text.as_bytes().get(from) == Some(&b'0');
        let goes_on = matches!(self.peek(), Some(b'.' | b'e' | b'E'));
        let written = !leads_with_zero || self.at == from + 1;
        (!goes_on && written && number <= LARGEST).then_some(Value::Whole(number))
    }
}

#[cfg(test)]
mod tests {
    use super::{Object, plain, quick};

    fn is_canonical(text: &str) -> bool {
        Object::read(text).is_some_and(|(_, canonical)| canonical)
    }

    #[test]
    fn what_the_ledger_writes_is_read_quickly_and_other_texts_as_before() {
        let written = [
            "{}",
            r#"{"a":{"b":true,"c":false},"d":["x","y"],"e":[],"f":0,"g":18,"h":"å–Ö","i":null}"#,
        ];
        for text in written {
            assert_eq!(Object::read(text).unwrap(), (quick(text).unwrap(), true));
            assert!(is_canonical(text));
        }
        // Canonical, by the other reader: escapes.
        let escaped = r#"{"a":"\"\\\n\u0001"}"#;
        assert!(quick(escaped).is_none());
        assert!(Object::read(escaped).unwrap().1);
        assert!(is_canonical(escaped));
        // The largest number, and the deepest value.
        let deep = |lists: usize| format!(r#"{{"a":{}0{}}}"#, "[".repeat(lists), "]".repeat(lists));
        for text in [r#"{"a":9007199254740991}"#, &deep(7)] {
            assert!(quick(text).is_some(), "{text}");
            assert!(is_canonical(text), "{text}");
        }
        // Objects, but not canonical.
        for text in [
            r#"{"b":1,"a":2}"#,
            r#"{"a":1,"a":2}"#,
            r#"{"a": 1}"#,
            r#" {"a":1}"#,
            r#"{"a":"\u0041"}"#,
            r#"{"a":{"c":1,"b":1}}"#,
            r#"{"a":1e2}"#,
            r#"{"a":1.5}"#,
            r#"{"a":-1}"#,
            r#"{"a":-0}"#,
            r#"{"a":9007199254740992}"#,
            r#"{"a":18446744073709551615}"#,
            &deep(8),
        ] {
            assert!(quick(text).is_none());
            assert!(!Object::read(text).unwrap().1, "{text}");
            assert!(!is_canonical(text), "{text}");
        }
        for text in [
            "",
            "[]",
            "{",
            r#"{"a"}"#,
            r#"{"a":01}"#,
            r#"{"a":1}x"#,
            r#"{"a":tru}"#,
        ] {
            assert!(Object::read(text).is_none(), "{text}");
            assert!(!is_canonical(text), "{text}");
        }
    }

    /// Against a look at each byte, for every byte at every place of two words and more, with every byte after it.
    #[test]
    fn a_text_ends_where_its_first_sign_is() {
        let ends = |byte: &u8| *byte == b'"' || *byte == b'\\' || *byte < b' ';
        for place in 0..18 {
            for byte in 0..=255 {
                for after in [0, 31, 32, 33, 34, 35, 91, 92, 93, 127, 128, 159, 255] {
                    for before in [b' ', b'#', b'~', 0x80, 0xa2, 0xdc, 0xff] {
                        let mut bytes = [before; 19];
                        bytes[place..].fill(after);
                        bytes[place] = byte;
                        assert_eq!(plain(&bytes), bytes.iter().position(ends), "{bytes:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn both_readers_hash_the_same_members_alike() {
        // Python: hashlib.sha256(b'{"a":{"x":1},"c":"t"}').hexdigest()
        let hash = "2bd26061fa9d2adc1ff9bed2287e4f2224047c5e948dc7e8e01d0319b36c5572";
        for text in [
            r#"{"a":{"x":1},"b":2,"c":"t"}"#,
            r#"{"c":"t","b":2, "a":{"x":1}}"#,
        ] {
            let (own, _) = Object::read(text).unwrap();
            let found = own.hash(|key| key != "b");
            assert_eq!(super::super::hex(&found), hash, "{text}");
        }
    }
}
