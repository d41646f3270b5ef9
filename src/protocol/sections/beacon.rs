//! `beacon` under `[study]`: a public round in the future whose value enters every draw.
//!
//! A round of [`QUICKNET`] needs its number alone, for its time follows; any other source says when the round is
//! published. That the time lies in the future is for `open` and `amend` to see, for this room knows no clock.

use crate::diagnostic::Words;
use crate::protocol::findings::Findings;
use crate::protocol::model::{Beacon, QUICKNET};
use crate::protocol::tree::{Section, Value};
use crate::words;
use jiff::Timestamp;
use toml::de::DeValue;

/// Keys of `beacon`.
pub(in crate::protocol) const KEYS: &[&str] = &["source", "round", "time"];

/// Longest name of a round.
const LONGEST: usize = 64;

/// Reads the table, if there is one.
pub(in crate::protocol) fn read(out: &mut Findings<'_>, study: &Section<'_>) -> Option<Beacon> {
    let table = study.section(out, "beacon", KEYS)?;
    let source = table.need(out, "source").and_then(|value| value.text(out));
    if source == Some(QUICKNET) {
        let round = table
            .need(out, "round")
            .and_then(|value| value.count(out, 1, u32::MAX));
        if let Some(time) = table.get("time") {
            out.error(
                "not-applicable",
                &time.span,
                words!(
                    "`time` follows from the round of `{QUICKNET}`",
                    "`time` följer av omgången hos `{QUICKNET}`"
                ),
                words!("remove the key", "ta bort nyckeln"),
            );
        }
        let round = round?;
        return Some(Beacon {
            source: QUICKNET.to_owned(),
            round: round.to_string(),
            time: Beacon::quicknet_time(i64::from(round))?,
        });
    }
    let round = table
        .need(out, "round")
        .and_then(|value| round(out, &value));
    let time = table.need(out, "time").and_then(|value| time(out, &value));
    Some(Beacon {
        source: source?.to_owned(),
        round: round?,
        time: time?,
    })
}

/// A round is a short plain name: it stands in the ledger.
fn round(out: &mut Findings<'_>, value: &Value<'_>) -> Option<String> {
    let text = value.text(out)?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    if text.len() <= LONGEST && text.bytes().all(plain) {
        return Some(text.to_owned());
    }
    out.error(
        "malformed-id",
        &value.span,
        words!(
            "`round` is not a name of at most {LONGEST} letters, digits, full stops, underscores and hyphens",
            "`round` är inte ett namn på högst {LONGEST} bokstäver, siffror, punkter, understreck och bindestreck"
        ),
        words!(
            "write the round as its source names it, such as \"2026-05-04\"",
            "skriv omgången så som källan benämner den, till exempel \"2026-05-04\""
        ),
    );
    None
}

fn time(out: &mut Findings<'_>, value: &Value<'_>) -> Option<Timestamp> {
    let instant = match value.raw() {
        DeValue::Datetime(time) => time.to_string().parse::<Timestamp>().ok(),
        _ => None,
    };
    if instant.is_none() {
        value.wrong_type(
            out,
            Words::new(
                "a time with an offset, such as 2026-05-04T12:00:00+02:00",
                "en tidpunkt med tidszonsavvikelse, till exempel 2026-05-04T12:00:00+02:00",
            ),
        );
    }
    instant
}
