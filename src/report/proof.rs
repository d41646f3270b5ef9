//! A proof: the chain and the public parts of a ledger, as a document and as one page that checks it in a browser.
//!
//! No payload and no salt is here, so no family, child, report or request. What the page checks is written a second time,
//! in `templates/proof/`, from the same specification as the independent verifier; this file only puts it together. The
//! page may run its own script and nothing else: its policy names the script and the style by their hashes.

use crate::diagnostic::Lang;
use crate::study::journal::{Entry, hex};
use askama::Template;
use serde_json::json;
use sha2::{Digest, Sha256};

/// The script of the page, in the order in which its parts need one another.
const SCRIPT: &str = concat!(
    "\"use strict\";\n",
    include_str!("../../templates/proof/numbers.js"),
    include_str!("../../templates/proof/toml.js"),
    include_str!("../../templates/proof/methods.js"),
    include_str!("../../templates/proof/form.js"),
    include_str!("../../templates/proof/check.js"),
    include_str!("../../templates/proof/page.js"),
);

const STYLE: &str = include_str!("../../templates/proof/page.css");

/// What a proof is made from.
#[derive(Debug, Clone, Copy)]
pub struct Proof<'a> {
    /// Id of the study.
    pub study: &'a str,
    /// Text of the sealed protocol of each epoch.
    pub protocols: &'a [String],
    /// Every row of the ledger.
    pub entries: &'a [Entry],
}

/// The document `lottning.proof/1`: one row a line.
pub fn json(proof: &Proof<'_>) -> String {
    let text = |value: &str| json!(value).to_string();
    let head = proof.entries.last().map_or([0; 32], |entry| entry.hash);
    let protocols: Vec<String> = proof.protocols.iter().map(|own| text(own)).collect();
    let rows: Vec<String> = proof.entries.iter().map(row).collect();
    format!(
        "{{\"schema\": \"lottning.proof/1\",\n\"study\": {},\n\"head\": \"{}\",\n\"protocols\": [\n{}\n],\n\"rows\": [\n{}\n]}}\n",
        text(proof.study),
        hex(&head),
        protocols.join(",\n"),
        rows.join(",\n"),
    )
}

/// A row without its payload and its salt.
fn row(entry: &Entry) -> String {
    json!({
        "sequence": entry.sequence,
        "time": entry.time,
        "actor": entry.actor,
        "kind": entry.kind,
        "public": entry.public,
        "payload_hash": hex(&entry.payload_hash),
        "hash": hex(&entry.hash),
    })
    .to_string()
}

#[derive(Template)]
#[template(path = "proof.html")]
struct Page {
    lang: &'static str,
    script_hash: String,
    style_hash: String,
    style: &'static str,
    script: &'static str,
    proof: String,
    version: &'static str,
}

/// One page that holds the proof and checks it, and others that a reader gives it, without any connection. It speaks both
/// languages and begins in `lang`.
pub fn html(proof: &Proof<'_>, lang: Lang) -> String {
    let page = Page {
        lang: match lang {
            Lang::Sv => "sv",
            Lang::En => "en",
        },
        script_hash: source_hash(SCRIPT),
        style_hash: source_hash(STYLE),
        style: STYLE,
        script: SCRIPT,
        // In JSON a `<` can stand only inside a text, where it may be written so: nothing can end the element.
        proof: json(proof).replace('<', "\\u003c"),
        version: env!("CARGO_PKG_VERSION"),
    };
    // Rendering into a String fails only if a Display does, and every value here is a plain string.
    page.render().unwrap_or_default()
}

/// How a content security policy names an inline script or style: the SHA-256 of its text in base 64 (RFC 4648).
fn source_hash(text: &str) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::from("sha256-");
    for three in Sha256::digest(text.as_bytes()).chunks(3) {
        let bits = (0..3).fold(0_u32, |bits, place| {
            bits << 8 | u32::from(three.get(place).copied().unwrap_or(0))
        });
        for place in 0..4 {
            let digit = DIGITS[(bits >> (18 - 6 * place)) as usize & 63];
            out.push(if place > three.len() {
                '='
            } else {
                char::from(digit)
            });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{Proof, SCRIPT, STYLE, html, json, source_hash};
    use crate::diagnostic::Lang;
    use crate::study::journal::Entry;
    use serde_json::Value;

    fn entry() -> Entry {
        Entry {
            sequence: 1,
            time: "2025-03-01T08:15:30.000000Z".into(),
            actor: "lead".into(),
            kind: "opened".into(),
            public: r#"{"study":"</script><b>"}"#.into(),
            payload: Some(r#"{"family":"KATL-MORU"}"#.into()),
            salt: Some([7; 32]),
            payload_hash: [1; 32],
            hash: [2; 32],
        }
    }

    #[test]
    fn the_document_has_every_public_column_and_no_other() {
        let protocols = ["lottning = 1\n".to_owned()];
        let entries = [entry()];
        let text = json(&Proof {
            study: "s",
            protocols: &protocols,
            entries: &entries,
        });
        let read: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(read["schema"], "lottning.proof/1");
        assert_eq!(read["head"], "02".repeat(32));
        assert_eq!(read["protocols"][0], protocols[0]);
        let row = read["rows"][0].as_object().unwrap();
        let keys: Vec<&str> = row.keys().map(String::as_str).collect();
        assert_eq!(row["public"], entries[0].public);
        assert_eq!(keys.len(), 7, "{keys:?}");
        assert!(
            !text.contains("MORU") && !text.contains(&"07".repeat(32)),
            "{text}"
        );
    }

    #[test]
    fn nothing_in_a_proof_can_leave_its_element() {
        let entries = [entry()];
        let protocols = ["# <!-- <script>\n".to_owned()];
        let page = html(
            &Proof {
                study: "<script>",
                protocols: &protocols,
                entries: &entries,
            },
            Lang::Sv,
        );
        assert_eq!(page.matches("</script>").count(), 2);
        assert_eq!(page.matches("<script").count(), 2);
        assert!(page.starts_with("<!doctype html>\n<html lang=\"sv\">"));
        let data = page.split_once("id=\"proof\">").unwrap().1;
        let data = data.split_once("</script>").unwrap().0;
        let read: Value = serde_json::from_str(data).unwrap();
        assert_eq!(read["rows"][0]["public"], entries[0].public);
        assert_eq!(read["protocols"][0], protocols[0]);
    }

    #[test]
    fn script_and_style_reach_nothing_outside_the_page() {
        for (name, text) in [("script", SCRIPT), ("style", STYLE)] {
            for word in [
                "http:",
                "https:",
                "//www",
                "fetch(",
                "XMLHttp",
                "WebSocket",
                "import ",
                "url(",
                "innerHTML",
                "eval(",
                "</",
            ] {
                assert!(!text.contains(word), "{name} has {word}");
            }
        }
    }

    /// SHA-256 of the empty text, as the content security policy writes it (W3C, CSP level 3).
    #[test]
    fn a_source_is_named_by_its_hash() {
        assert_eq!(
            source_hash(""),
            "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
        );
    }
}
