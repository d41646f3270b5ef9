//! The form of a row: canonical JSON, the keys of its kind in the public part with values of their domains, plain actors
//! and times. `docs/ledger-spec.md` has the same table.
//!
//! The public part is never erased, so what does not belong there could keep what should be erasable.

use crate::study::identifiers::{holds_personal_number, instant, is_beacon_value, is_date, is_key};
use crate::study::journal::{Entry, Object, Parts, Value, is_same};

/// What a public value may be.
#[derive(Debug, Clone, Copy)]
enum Domain {
    /// A text; the rest is sense: it is an id of the protocol in force.
    Text,
    /// One of these texts.
    One(&'static [&'static str]),
    /// `[A-Za-z0-9._-]{1,64}` without a personal number.
    Key,
    /// 64 lower-case hexadecimal digits.
    Hash,
    /// 16 to 256 lower-case hexadecimal digits, an even number.
    Value,
    /// An ISO civil date, years 0001 to 9998.
    Date,
    /// A whole number of this range.
    Whole(u64, u64),
    /// A list of texts, of at least this length.
    Texts(usize),
    /// A list of keys, ascending by their bytes, at least one.
    Keys,
    /// A list of hashes.
    Hashes,
    /// Numbers of rows from 1, ascending, at least one.
    Sequences,
}

use Domain::{Hash, Hashes, Key, Keys, One, Sequences, Text, Texts, Whole};

const LARGEST: u64 = (1 << 53) - 1;
const COUNT: Domain = Whole(0, u32::MAX as u64);
/// Most therapists that a site can be given.
const THERAPISTS: Domain = Whole(0, 10_000);
const SITE: &[(&str, Domain)] = &[("site", Text)];
const SITE_DAY: &[(&str, Domain)] = &[("event_key", Key), ("on", Domain::Date), ("site", Text)];

/// Keys that may be absent: `factors` stands where the method balances factors, `deviations` where there were any.
const OPTIONAL: [&str; 2] = ["factors", "deviations"];

/// Public keys by kind, beside `clock`. All are there, but those of [`OPTIONAL`].
const PUBLIC: &[(&str, &[(&str, Domain)])] = &[
    (
        "opened",
        &[
            ("commitment", Hash),
            ("custody", One(&["single-user"])),
            ("format", Whole(1, 1)),
            ("mode", One(&["live", "rehearsal"])),
            ("protocol_hash", Hash),
            ("study", Text),
        ],
    ),
    (
        "epoch-opened",
        &[
            ("commitment", Hash),
            ("epoch", COUNT),
            ("protocol_hash", Hash),
        ],
    ),
    (
        "beacon",
        &[("epoch", COUNT), ("round", Text), ("value", Domain::Value)],
    ),
    ("site-opened", SITE_DAY),
    ("site-closed", SITE_DAY),
    (
        "capacity-changed",
        &[
            ("event_key", Key),
            ("on", Domain::Date),
            ("site", Text),
            ("therapists", THERAPISTS),
        ],
    ),
    (
        "screened",
        &[
            ("site", Text),
            (
                "verdict",
                One(&["not-eligible", "gate-closed", "exception", "drawn"]),
            ),
        ],
    ),
    (
        "allocated",
        &[
            ("allocation", COUNT),
            ("arm", Text),
            ("draw", COUNT),
            ("epoch", COUNT),
            ("factors", Texts(1)),
            ("levels", Texts(0)),
            ("site", Text),
        ],
    ),
    ("returned", SITE),
    ("joined", SITE),
    ("exception", SITE),
    ("switched", &[("arm", Text)]),
    ("corrected", &[("sequence", Whole(1, LARGEST))]),
    ("erased", &[("reason", Key), ("sequences", Sequences)]),
    (
        "locked",
        &[("cut", Domain::Date), ("deviations", Keys), ("lock", Text)],
    ),
    (
        "analysed",
        &[
            ("deviations", Keys),
            ("lock", Text),
            ("results_sha256", Hash),
        ],
    ),
    (
        "exported",
        &[("what", One(&["data", "proof", "replicate"]))],
    ),
    ("revealed", &[("seeds", Hashes)]),
    ("reported", &[]),
    ("offered", &[]),
    ("accepted", &[]),
    ("declined", &[]),
    ("started", &[]),
    ("not-started", &[]),
    ("home-visit", &[]),
    ("closed", &[]),
    ("reopened", &[]),
    ("death", &[]),
    ("all-children-18", &[]),
    ("left-coverage", &[]),
    ("withdrawn", &[]),
    ("violation", &[]),
    ("observed", &[]),
    ("linked", &[]),
];

/// Whether a row has the form that the specification gives it; time and actor of a row that has it, or empty, are not looked
/// at again.
pub(super) fn holds(entry: &Entry, parts: &Parts<'_>, (time, actor): (&str, &str)) -> bool {
    let payload_holds = entry.payload.is_none() || parts.payload.is_canonical();
    (entry.actor == actor && !actor.is_empty() || is_public_key(&entry.actor))
        && (entry.time == time && !time.is_empty() || instant(&entry.time).is_some())
        && payload_holds
        && parts.public.is_canonical()
        && parts
            .public
            .object()
            .is_some_and(|public| public_holds(&entry.kind, public))
}

/// The rows that the public part of an `erased` row names; none if it does not have its form, for then it says nothing.
pub(super) fn erased(public: Option<&Object<'_>>) -> Vec<u64> {
    let named = public.and_then(|own| own.get("sequences")?.as_array());
    let named = named.unwrap_or_default().iter();
    named.filter_map(Value::as_u64).collect()
}

/// The public part, if it has the form of its kind.
pub(super) fn public<'a>(kind: &str, text: &'a str) -> Option<Object<'a>> {
    let (public, canonical) = Object::read(text)?;
    (canonical && public_holds(kind, &public)).then_some(public)
}

/// Whether a public part has the keys of its kind, with values of their domains.
fn public_holds(kind: &str, public: &Object<'_>) -> bool {
    let Some((_, wanted)) = PUBLIC.iter().find(|(own, _)| is_same(own, kind)) else {
        return false;
    };
    let domain = |key: &str| {
        let found = wanted.iter().find(|(own, _)| is_same(own, key));
        found.map(|(_, domain)| *domain)
    };
    let all_hold = public.iter().all(|(key, value)| match domain(key) {
        Some(domain) => is_in(domain, value),
        None => key == "clock" && value.as_str() == Some("override"),
    });
    all_hold
        && wanted
            .iter()
            .all(|(key, _)| OPTIONAL.contains(key) || public.contains_key(key))
}

fn is_in(domain: Domain, value: &Value<'_>) -> bool {
    let texts = |is: fn(&str) -> bool| {
        let list = value.as_array();
        list.is_some_and(|list| list.iter().all(|own| own.as_str().is_some_and(is)))
    };
    let len = value.as_array().map_or(0, <[Value<'_>]>::len);
    match domain {
        Text => value.as_str().is_some(),
        One(known) => value.as_str().is_some_and(|own| known.contains(&own)),
        Key => value.as_str().is_some_and(is_public_key),
        Keys => {
            let own = value.as_array().unwrap_or_default();
            let own: Vec<&str> = own.iter().filter_map(Value::as_str).collect();
            len > 0 && texts(is_public_key) && own.is_sorted_by(|one, other| one < other)
        }
        Hash => value.as_str().is_some_and(is_hash),
        Domain::Value => value.as_str().is_some_and(is_beacon_value),
        Domain::Date => value.as_str().is_some_and(is_date),
        Whole(least, most) => value
            .as_u64()
            .is_some_and(|own| (least..=most).contains(&own)),
        Texts(least) => texts(|_| true) && len >= least,
        Hashes => texts(is_hash),
        Sequences => {
            let numbers = value.as_array().unwrap_or_default().iter();
            let numbers: Vec<u64> = numbers.filter_map(Value::as_u64).collect();
            len > 0
                && numbers.len() == len
                && numbers.first() != Some(&0)
                && numbers.is_sorted_by(|one, other| one < other)
        }
    }
}

fn is_public_key(text: &str) -> bool {
    is_key(text) && !holds_personal_number(text)
}

fn is_hash(text: &str) -> bool {
    text.len() == 64
        && text
            .bytes()
            .all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::{instant, public};

    #[test]
    fn times_have_one_form() {
        for time in [
            "2025-03-01T08:15:30.000000Z",
            "0001-01-01T00:00:00.000000Z",
            "9998-12-31T23:59:59.999999Z",
            "2024-02-29T00:00:00.000000Z",
        ] {
            assert!(instant(time).is_some(), "{time}");
        }
        for time in [
            "2025-03-01T08:15:60.000000Z",
            "2025-03-01t08:15:30.000000Z",
            "2025-03-01T08:15:30.000000z",
            "2025-03-01T08:15:30,000000Z",
            "2025-03-01 08:15:30.000000Z",
            "0000-03-01T08:15:30.000000Z",
            "9999-03-01T08:15:30.000000Z",
            "2025-02-29T08:15:30.000000Z",
            "2025-03-01T24:00:00.000000Z",
            "2025-03-01T08:15:30.00000Z",
            "2025-03-01T08:15:30.0000000Z",
            "٢٠٢٥-03-01T08:15:30.000000Z",
        ] {
            assert!(instant(time).is_none(), "{time}");
        }
    }

    #[test]
    fn each_kind_has_its_keys_and_no_others() {
        let whole = r#"{"event_key":"k","on":"2025-03-01","site":"north","therapists":3}"#;
        assert!(public("capacity-changed", whole).is_some());
        for (from, to) in [
            (r#""event_key":"k","#, ""),
            (r#""k""#, r#""a b""#),
            (r#""k""#, r#""20000101-2384""#),
            ("3}", "10001}"),
            ("3}", "-3}"),
            ("3}", "-0}"),
            ("3}", r#""3"}"#),
            ("3}", r#"3,"z":1}"#),
            ("03-01", "02-30"),
        ] {
            let other = whole.replace(from, to);
            assert_ne!(other, whole);
            assert!(public("capacity-changed", &other).is_none(), "{other}");
        }
        let clocked = format!(r#"{{"clock":"override",{}"#, &whole[1..]);
        assert!(public("capacity-changed", &clocked).is_some());
        assert!(public("capacity", whole).is_none());
        for (sequences, holds) in [
            ("[2,3]", true),
            ("[]", false),
            ("[0]", false),
            ("[3,2]", false),
            ("[2,2]", false),
            ("[null]", false),
            ("[-1]", false),
            ("2", false),
        ] {
            let text = format!(r#"{{"reason":"retention","sequences":{sequences}}}"#);
            assert_eq!(public("erased", &text).is_some(), holds, "{text}");
        }
        for (deviations, holds) in [
            (r#"["arms-known","late-data"]"#, true),
            (r#"["late-data","arms-known"]"#, false),
            (r#"["late-data","late-data"]"#, false),
            ("[]", false),
            (r#""late-data""#, false),
            ("[3]", false),
            (r#"["late data"]"#, false),
        ] {
            let text =
                format!(r#"{{"cut":"2025-03-01","deviations":{deviations},"lock":"final"}}"#);
            assert_eq!(public("locked", &text).is_some(), holds, "{text}");
        }
    }
}
