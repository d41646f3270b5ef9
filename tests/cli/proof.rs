//! `export --proof`: what it records, what it holds and does not hold, and what the independent verifier says of it.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use super::place::{IUH, Place, two_arms};
use super::verifier::{SCRIPT, eventful};
use lottning::study::journal::{Entry, hex};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// Exit code and answer of the program of the pages on a proof.
fn checked(proof: &Path, more: &[&str]) -> (i32, Value) {
    let output = Command::new("python3")
        .arg(SCRIPT)
        .arg("--proof")
        .arg(proof)
        .args(more)
        .arg("--json")
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let answer = serde_json::from_str(&text)
        .unwrap_or_else(|_| panic!("{text}{}", String::from_utf8_lossy(&output.stderr)));
    (output.status.code().unwrap(), answer)
}

fn read(place: &Place) -> Value {
    serde_json::from_slice(&std::fs::read(place.path("proof/proof.json")).unwrap()).unwrap()
}

#[test]
fn an_export_is_recorded_and_the_proof_shows_it() {
    let place = eventful();
    let before = place.entries().len() as u64;
    let receipt = place.act("export --proof proof").json(0);
    assert_eq!(
        (&receipt["schema"], &receipt["event"], &receipt["sequence"]),
        (
            &json!("lottning.receipt/1"),
            &json!("exported"),
            &json!(before + 1)
        )
    );
    assert_eq!(
        receipt["files"],
        json!(["proof/proof.html", "proof/proof.json"])
    );
    let last = place.entries().pop().unwrap();
    assert_eq!(
        (last.kind.as_str(), last.public.as_str()),
        ("exported", r#"{"clock":"override","what":"proof"}"#)
    );
    let proof = read(&place);
    assert_eq!(
        (&proof["schema"], &proof["study"]),
        (&json!("lottning.proof/1"), &json!("iuh-2025"))
    );
    assert_eq!(proof["head"], receipt["head"]);
    assert_eq!(proof["protocols"], json!([IUH]));
    let rows = proof["rows"].as_array().unwrap();
    assert_eq!(rows.len() as u64, before + 1);
    for (row, entry) in rows.iter().zip(place.entries()) {
        assert_eq!(
            *row,
            json!({
                "sequence": entry.sequence, "time": entry.time, "actor": entry.actor, "kind": entry.kind,
                "public": entry.public, "payload_hash": hex(&entry.payload_hash), "hash": hex(&entry.hash),
            })
        );
    }
    // The study was locked finally: the proof betrays nothing to anybody who enrols.
    assert!(receipt.get("warnings").is_none(), "{receipt}");
    assert_eq!(place.verify()["ok"], true);
}

#[test]
fn the_independent_verifier_checks_a_proof_without_the_study() {
    let place = eventful();
    let head = place.act("export --proof proof").json(0)["head"].clone();
    let file = place.path("proof/proof.json");
    let seed = place.path("keys/seed");
    let seed = ["--seed-file", seed.to_str().unwrap()];
    let allocations = place.verify()["allocations"].clone();
    let (code, without) = checked(&file, &["--expect-head", head.as_str().unwrap()]);
    assert_eq!((code, &without["findings"]), (0, &json!([])));
    assert_eq!(without["draws"]["not_checked"], allocations);
    let (code, with) = checked(&file, &seed);
    assert_eq!((code, &with["findings"]), (0, &json!([])));
    assert_eq!(
        with["draws"],
        json!({"verified": allocations, "wrong": 0, "not_checked": 0})
    );
    let (code, other) = checked(&file, &["--expect-head", &"ab".repeat(32)]);
    assert_eq!((code, &other["findings"][0]["code"]), (8, &json!("head")));

    place.act("reveal --seed-file keys/seed").json(0);
    place.act("export --proof proof").json(0);
    let (code, revealed) = checked(&file, &[]);
    assert_eq!(
        (code, &revealed["draws"]),
        (0, &with["draws"]),
        "the published seed is enough"
    );
}

/// Makes every hash of a proof anew, as somebody would who forges one; the derivation is that of docs/ledger-spec.md.
fn rechained(proof: &mut Value) {
    let protocol = Sha256::digest(proof["protocols"][0].as_str().unwrap());
    let mut previous = [0_u8; 32];
    for row in proof["rows"].as_array_mut().unwrap() {
        let text = |key: &str| row[key].as_str().unwrap().as_bytes().to_vec();
        let payload_hash = unhex(row["payload_hash"].as_str().unwrap());
        let mut digest = Sha256::new();
        for part in [
            previous.to_vec(),
            protocol.to_vec(),
            row["sequence"].as_u64().unwrap().to_be_bytes().to_vec(),
            text("time"),
            text("actor"),
            text("kind"),
            text("public"),
            payload_hash,
        ] {
            digest.update((part.len() as u32).to_be_bytes());
            digest.update(part);
        }
        previous = digest.finalize().into();
        row["hash"] = Value::from(hex(&previous));
    }
}

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len() / 2)
        .map(|at| u8::from_str_radix(&text[2 * at..2 * at + 2], 16).unwrap())
        .collect()
}

type Forgery = (&'static str, fn(&mut Value, usize), bool);

#[test]
fn a_forged_proof_is_rejected_and_its_first_bad_row_named() {
    let place = eventful();
    place.act("export --proof proof").json(0);
    let honest = read(&place);
    // The third allocation, at this place among the rows.
    let at = place
        .entries()
        .iter()
        .enumerate()
        .filter(|(_, entry)| entry.kind == "allocated")
        .nth(2)
        .unwrap()
        .0;
    let forgeries: &[Forgery] = &[
        (
            "a changed arm, the chain made anew",
            |proof, at| other_arm(&mut proof["rows"][at]),
            true,
        ),
        (
            "a changed arm",
            |proof, at| other_arm(&mut proof["rows"][at]),
            false,
        ),
        (
            "a changed actor",
            |proof, at| proof["rows"][at]["actor"] = json!("other"),
            false,
        ),
        (
            "a changed payload",
            |proof, at| proof["rows"][at]["payload_hash"] = json!("00".repeat(32)),
            false,
        ),
        (
            "a row taken away",
            |proof, at| drop(proof["rows"].as_array_mut().unwrap().remove(at)),
            false,
        ),
        (
            "two rows swapped",
            |proof, at| proof["rows"].as_array_mut().unwrap().swap(at, at + 1),
            false,
        ),
    ];
    let seed = place.path("keys/seed");
    for (what, forge, anew) in forgeries {
        let mut proof = honest.clone();
        forge(&mut proof, at);
        if *anew {
            rechained(&mut proof);
        }
        place.write("forged.json", proof.to_string());
        let (code, answer) = checked(
            &place.path("forged.json"),
            &["--seed-file", seed.to_str().unwrap()],
        );
        assert_eq!(
            (code, &answer["first_bad"]),
            (8, &json!(at + 1)),
            "{what}: {answer}"
        );
    }
    // The chain made anew over what was honest is the honest chain: the forger above makes no mistake of its own.
    let mut same = honest.clone();
    rechained(&mut same);
    assert_eq!(same, honest);
}

fn other_arm(row: &mut Value) {
    let public = row["public"].as_str().unwrap();
    let swapped = if public.contains(r#""arm":"iuh""#) {
        public.replace(r#""arm":"iuh""#, r#""arm":"standard""#)
    } else {
        public.replace(r#""arm":"standard""#, r#""arm":"iuh""#)
    };
    assert_ne!(public, swapped);
    row["public"] = Value::from(swapped);
}

/// Every text in a JSON value, keys of maps left out.
fn texts(value: &Value, into: &mut BTreeSet<String>) {
    match value {
        Value::String(text) => drop(into.insert(text.clone())),
        Value::Array(values) => values.iter().for_each(|own| texts(own, into)),
        Value::Object(fields) => fields.values().for_each(|own| texts(own, into)),
        _ => {}
    }
}

/// What a proof must not hold of a study: every text of every payload that neither the protocol nor a public part says
/// anyway, every payload as a whole, every salt, and the seed.
fn secrets(entries: &[Entry], seed: &str) -> Vec<String> {
    let mut found = BTreeSet::new();
    let mut said = IUH.to_owned();
    for entry in entries {
        said.push_str(&entry.public);
        said.push_str(&entry.time);
    }
    for entry in entries {
        let payload = entry.payload.as_deref().unwrap();
        texts(&serde_json::from_str(payload).unwrap(), &mut found);
    }
    found.retain(|text| text.len() > 1 && !said.contains(text.as_str()));
    for entry in entries {
        found.extend(entry.payload.clone().filter(|payload| payload != "{}"));
        found.insert(hex(&entry.salt.unwrap()));
    }
    found.insert(seed.to_owned());
    found.into_iter().collect()
}

#[test]
fn a_proof_holds_no_family_child_report_request_payload_or_salt() {
    let place = Place::open(IUH);
    let families = [
        "QVARN-VINGA",
        "QVIST-HOLME",
        "QUIRR-TALLA",
        "QVAST-BJORK",
        "QRYM-ALMAR",
    ];
    for (number, family) in families.iter().enumerate() {
        let more = format!(
            "--child Q{}-BARNET --request-id rq-{number}-qq",
            ["VA", "VB", "VC", "VD", "VE"][number]
        );
        place
            .enrol(family, &format!("RK-{number}-qq"), &more)
            .json(0);
        place
            .act(&format!(
                "record offered --family {family} --on 2025-03-03 --event-key ek-{number}-qq"
            ))
            .json(0);
    }
    place
        .act("record report --family QVARN-VINGA --on 2025-03-03 --event-key RK-9-qq --set reporter=school")
        .json(0);
    let answer = place.act("export --proof proof --lang sv").json(0);
    assert_eq!(
        answer["warnings"][0]["code"], "proof-before-the-end",
        "enrolment goes on, and the proof lists the arms"
    );
    let seed = std::fs::read_to_string(place.path("keys/seed")).unwrap();
    let secrets = secrets(&place.entries(), seed.trim());
    for (what, some) in [
        ("a family", "QVARN-VINGA"),
        ("a child", "QVA-BARNET"),
        ("a report", "RK-0-qq"),
        ("a later report", "RK-9-qq"),
        ("a request", "rq-4-qq"),
        ("an event", "ek-3-qq"),
    ] {
        assert!(
            secrets.iter().any(|secret| secret == some),
            "{what} is not looked for"
        );
    }
    assert!(secrets.len() > 40, "{}", secrets.len());
    for name in ["proof.html", "proof.json"] {
        let text = std::fs::read_to_string(place.path("proof").join(name)).unwrap();
        let text = text.to_lowercase();
        for secret in &secrets {
            assert!(
                !text.contains(&secret.to_lowercase()),
                "{name} holds {secret}"
            );
            let escaped = secret.replace('"', "\\\"").to_lowercase();
            assert!(!text.contains(&escaped), "{name} holds {secret}");
        }
        // The search can fail: what must be there is found by it.
        assert!(text.contains(&hex(&place.entries()[3].payload_hash)));
    }
}

#[test]
fn an_export_that_cannot_be_made_records_nothing() {
    let place = Place::open(&two_arms());
    let sealed = place.path("study/protocol.toml");
    place.unchanged(|| {
        assert_eq!(place.act("export --data d").code, 2);
        assert_eq!(place.act("export --replicate d").code, 2);
        assert_eq!(place.act("export").code, 2);
        assert_eq!(place.act("export --proof d --data d").code, 2);
        std::fs::write(place.path("taken"), "a file").unwrap();
        assert_eq!(place.act("export --proof taken").code, 2);
        assert!(!place.path("d").exists());
    });
    assert!(sealed.is_file());
}

/// The sealed protocol would be published with the proof. `open` refuses such a file; this one was sealed by hand.
#[test]
fn a_protocol_with_a_personal_number_is_not_published() {
    // An official fictitious number (Skatteverket's test numbers) in a comment of the file.
    let text = format!("{}\n# Contact: 20000101-2384\n", two_arms());
    let place = Place::with(&text);
    place.opened_by_hand(&text);
    place.unchanged(|| {
        let ran = place.act("export --proof d");
        ran.refused(4, "personal-number");
        assert!(!ran.err.contains("2384"), "{}", ran.err);
        assert!(ran.err.contains(&text.lines().count().to_string()));
    });
    assert!(!place.path("d").exists());
}
