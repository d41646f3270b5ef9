//! The shape of a payload: the keys of its kind with values of their shapes. `docs/ledger-spec.md` has the same table, and so
//! has `verifier/rows.py`.
//!
//! What the values mean in the protocol in force is looked at in `family.rs`.

use crate::study::identifiers::{holds_personal_number, is_date, is_key};
use crate::study::journal::{Object, Value, is_same};
use crate::study::kernel::MAX_CHILDREN;

/// What a value may be.
#[derive(Debug, Clone, Copy)]
enum Shape {
    /// A text.
    Text,
    /// One of these texts.
    One(&'static [&'static str]),
    /// `[A-Za-z0-9._-]{1,64}` without a personal number.
    Key,
    /// A key that may be the digits of a hash, in which a personal number can stand by chance.
    Request,
    /// An ISO civil date, years 0001 to 9998.
    Date,
    /// `true`: a key that is there only where it is so.
    True,
    /// A list of texts, at most so many.
    Texts(usize),
    /// An object of truth values.
    Answers,
    /// An object of texts.
    Fields,
}

use Shape::{Answers, Date, Fields, Key, One, Request, Text, Texts, True};

/// A key, what it holds, and whether it must be there.
type Member = (&'static str, Shape, bool);

const REQUEST: &[Member] = &[("family", Text, true), ("request_id", Request, true)];
const SIGHTING: &[Member] = &[("report_key", Key, true), ("received", Date, true)];
const INTAKE: &[Member] = &[
    ("children", Texts(MAX_CHILDREN), true),
    ("answers", Answers, true),
    ("fields", Fields, true),
    ("exception", Text, false),
    ("site", Text, true),
    ("changed", True, false),
];
const EVENT: &[Member] = &[
    ("family", Text, true),
    ("on", Date, true),
    ("event_key", Key, true),
    ("child", Text, false),
];

/// The keys of a kind, and whether it may have further ones, for codes, which are texts; none of a kind whose payload is
/// empty.
fn members(kind: &str) -> Option<(&'static [&'static [Member]], bool)> {
    Some(match kind {
        "screened" => (
            &[
                REQUEST,
                SIGHTING,
                INTAKE,
                &[("missed", Texts(usize::MAX), false)],
            ],
            false,
        ),
        "returned" => (&[REQUEST, SIGHTING, INTAKE], false),
        "joined" => (
            &[
                REQUEST,
                SIGHTING,
                INTAKE,
                &[("new_children", Texts(MAX_CHILDREN), true)],
            ],
            false,
        ),
        "allocated" => (&[REQUEST], false),
        "exception" => (&[REQUEST, &[("reason", Text, true)]], false),
        "reported" => (
            &[
                SIGHTING,
                &[
                    ("family", Text, true),
                    ("source", One(&["intake", "log", "register"]), true),
                    ("child", Text, false),
                    ("incident_date", Date, false),
                    ("attached_to_open_investigation", One(&["yes", "no"]), false),
                    ("reporter", Text, false),
                    ("by_study_staff", True, false),
                ],
            ],
            true,
        ),
        "offered" | "accepted" | "declined" | "started" | "not-started" | "home-visit"
        | "closed" | "reopened" => (&[EVENT, &[("delivered_by", Text, false)]], true),
        // That it is there is compared with the public part.
        "switched" => (
            &[
                EVENT,
                &[("arm", Text, false), ("delivered_by", Text, false)],
            ],
            true,
        ),
        "death" | "all-children-18" | "left-coverage" | "withdrawn" => (&[EVENT], true),
        "violation" => (
            &[
                EVENT,
                &[
                    ("reason", Text, true),
                    ("field", Text, false),
                    ("value", Text, false),
                    ("received", Text, false),
                    ("criterion", Text, false),
                ],
            ],
            true,
        ),
        "observed" => (
            &[EVENT, &[("outcome", Text, true), ("value", Text, true)]],
            true,
        ),
        "corrected" => (&[EVENT, &[("reason", Key, true)]], true),
        "linked" => (
            &[
                EVENT,
                &[("other", Text, false), ("other_child", Text, false)],
            ],
            true,
        ),
        _ => return None,
    })
}

/// Whether a payload that is there has the keys of its kind with values of their shapes.
pub(super) fn holds(kind: &str, payload: &Object<'_>) -> bool {
    let Some((parts, more)) = members(kind) else {
        return payload.is_empty();
    };
    // Those of the kind that were met, as bits: a key stands once in an object that is canonical.
    let mut met: u32 = 0;
    let known = || (0_u32..).zip(parts.iter().copied().flatten());
    let all_hold = payload.iter().all(|(key, value)| {
        match known().find(|(_, (own, _, _))| is_same(own, key)) {
            Some((place, (_, shape, _))) => {
                met |= 1 << place;
                is_in(*shape, value)
            }
            None => more && is_in(Text, value),
        }
    });
    let all_there = known().all(|(place, (_, _, needed))| !needed || met & (1 << place) != 0);
    let has = |key: &str| payload.contains_key(key);
    // Of a family or of a child, not of both.
    let links = kind != "linked"
        || has("other") && !has("child") && !has("other_child")
        || !has("other") && has("child") && has("other_child");
    all_there && all_hold && links
}

fn is_in(shape: Shape, value: &Value<'_>) -> bool {
    let text = value.as_str();
    match shape {
        Text => text.is_some(),
        One(known) => text.is_some_and(|own| known.contains(&own)),
        Key => text.is_some_and(|own| is_key(own) && !holds_personal_number(own)),
        Request => text.is_some_and(is_key),
        Date => text.is_some_and(is_date),
        True => value.as_bool() == Some(true),
        Texts(most) => value
            .as_array()
            .is_some_and(|own| own.len() <= most && own.iter().all(|one| one.as_str().is_some())),
        Answers => value
            .as_object()
            .is_some_and(|own| own.iter().all(|(_, one)| one.as_bool().is_some())),
        Fields => value
            .as_object()
            .is_some_and(|own| own.iter().all(|(_, one)| one.as_str().is_some())),
    }
}

#[cfg(test)]
mod tests {
    use super::holds;
    use crate::study::journal::Object;

    /// By hand, from the table of the page.
    #[test]
    fn each_kind_has_its_keys_with_values_of_their_shapes() {
        let joined = r#"{"answers":{"a":true},"children":["AA","AB"],"family":"AA","fields":{"f":"3"},"new_children":["AB"],"received":"2025-03-01","report_key":"R1","request_id":"q","site":"north"}"#;
        let of = |kind: &str, text: &str| {
            let (payload, canonical) = Object::read(text).unwrap();
            assert!(canonical, "{text}");
            holds(kind, &payload)
        };
        assert!(of("joined", joined));
        assert!(!of("returned", joined), "no new children there");
        for (from, to) in [
            (r#""new_children":["AB"],"#, ""),
            (r#""new_children":["AB"]"#, r#""new_children":[1]"#),
            (r#""children":["AA","AB"],"#, ""),
            (r#""children":["AA","AB"]"#, r#""children":"AA""#),
            (r#"{"a":true}"#, "3"),
            (r#"{"a":true}"#, r#"{"a":1}"#),
            (r#"{"f":"3"}"#, r#"{"f":3}"#),
            (r#"{"f":"3"}"#, "[]"),
            ("03-01", "02-30"),
            (r#""R1""#, r#""20000101-2384""#),
            (r#""q""#, r#""a b""#),
            (r#""children""#, r#""changed":false,"children""#),
            (r#""site""#, r#""sit""#),
            (r#""north""#, r#""north","size":"x""#),
        ] {
            let other = joined.replacen(from, to, 1);
            assert_ne!(other, joined);
            assert!(!of("joined", &other), "{other}");
        }
        let changed = joined.replace(r#""children""#, r#""changed":true,"children""#);
        assert!(of("joined", &changed));

        let linked = |more: &str| {
            let text = format!(r"{{{more}}}");
            of("linked", &text)
        };
        let event = r#""event_key":"k","family":"AA","on":"2025-03-01""#;
        assert!(linked(&format!(r#"{event},"other":"AB""#)));
        assert!(linked(&format!(
            r#""child":"AA",{event},"other_child":"AB""#
        )));
        assert!(!linked(&format!(
            r#""child":"AA",{event},"other":"AC","other_child":"AB""#
        )));
        assert!(!linked(&format!(r#"{event},"other":{{}}"#)));
        assert!(!linked(event) && !linked(&format!(r#"{event},"other_child":"AB""#)));
        assert!(of("started", &format!(r#"{{{event},"room":"b-2"}}"#)));
        assert!(!of("started", &format!(r#"{{{event},"room":2}}"#)));
        assert!(!of("locked", &format!("{{{event}}}")) && of("locked", "{}"));
    }
}
