//! A study under minimization from opening to verification, as the command runs it.

use std::sync::Arc;

use super::place::{Place, family, two_arms};
use jiff::Timestamp;
use lottning::allocation::{Address, Arm, Levels, Mode, Seed, StratumKeys, allocate};
use lottning::protocol::Protocol;
use lottning::study::journal::{Content, Entry, GENESIS, Journal, Recording};
use lottning::study::kernel::{Drawer, Draws, FamilyIx, RecordedSource, What};
use lottning::study::verify::{DrawCheck, verify};
use serde_json::{Value, json};

/// 2:1 with the ratio kept at every draw, site and earlier reports balanced, no strata.
fn minimized() -> String {
    two_arms()
        .replace(
            "method = \"big-stick\"\nmax_imbalance = 4\nstrata = [\"site\"]",
            "method = \"minimization\"\nfactors = [\"site\", \"earlier_reports\"]\nfactor_weights = [2, 1]\n\
             probability = 0.85\nratio_preserving = true\nstrata = []",
        )
        .replacen("ratio = 1", "ratio = 2", 1)
        .replace("kind = \"count\"\nlabel", "kind = \"count\"\ncuts = [1, 3]\nlabel")
}

/// SHA-256 of "minimized", by Python's hashlib.
const SEED: [u8; 32] = [
    0xf9, 0xc2, 0x6e, 0x91, 0x8c, 0x60, 0x7d, 0x55, 0xab, 0x09, 0x34, 0xa8, 0x07, 0x25, 0x72, 0x6f,
    0x13, 0x6b, 0x71, 0x89, 0x48, 0x14, 0xa6, 0x60, 0x6f, 0xb5, 0x89, 0x5c, 0x05, 0x3f, 0x91, 0xc6,
];

fn opened() -> Place {
    opened_with("probability = 0.85")
}

/// The same with another probability of the best arm.
pub(crate) fn opened_with(probability: &str) -> Place {
    let place = Place::with(&minimized().replace("probability = 0.85", probability));
    let seed = place.seed_of("keys/seed", "minimized");
    assert_eq!(seed.bytes(), &SEED);
    let ran = place.run(&place.open_words());
    assert_eq!(ran.code, 0, "{}", ran.err);
    place
}

fn site(number: usize) -> &'static str {
    ["north", "south"][number * 7 % 5 % 2]
}

const FAMILIES: usize = 24;

fn one_by_one(place: &Place, number: usize, request: &str) -> Value {
    let words = format!(
        "enrol --site {} --family {} --report-key R1 --received 2025-03-01 --answer consent=yes \
         --field earlier_reports={} --seed-file keys/seed --request-id {request}",
        site(number),
        family(number),
        number % 5
    );
    place.act(&words).json(0)
}

fn arms(answers: &[Value]) -> Vec<&str> {
    answers
        .iter()
        .map(|answer| answer["arm"].as_str().unwrap())
        .collect()
}

/// The public parts of all allocations.
fn allocated(place: &Place) -> Vec<Value> {
    place
        .entries()
        .iter()
        .filter(|row| row.kind == "allocated")
        .map(|row| serde_json::from_str(&row.public).unwrap())
        .collect()
}

/// `ttscience/unbiased`, `api_randomize` and `save_patient`: the balancing state is supplied by the caller and the factors
/// are not stored, so a stale caller draws from a stale state and nothing can be repeated. Here the ledger is the
/// state: a process for each family and one process for all draw the same, a repeated request answers the same, a caller
/// cannot say what came before, and the levels stand in the public part.
#[test]
fn the_ledger_is_the_state_and_the_levels_are_recorded() {
    let alone = opened();
    let first: Vec<Value> = (0..FAMILIES)
        .map(|number| one_by_one(&alone, number, &format!("q{number}")))
        .collect();
    let together = opened();
    let rows: Vec<String> = (0..FAMILIES)
        .map(|n| format!("{},{},R1,2025-03-01,yes,{}", site(n), family(n), n % 5))
        .collect();
    together.write(
        "f.csv",
        format!(
            "site,family,report_key,received,answer.consent,field.earlier_reports\n{}\n",
            rows.join("\n")
        ),
    );
    let ran = together.act("enrol --from f.csv --seed-file keys/seed");
    assert_eq!(ran.code, 0, "{}", ran.err);
    let second: Vec<Value> = ran
        .out
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(arms(&first), arms(&second));
    assert!(arms(&first).contains(&"new") && arms(&first).contains(&"usual"));
    // A repeated request draws nothing.
    let again = alone.unchanged(|| one_by_one(&alone, 3, "q3"));
    assert_eq!(
        (&again["arm"], &again["replayed"]),
        (&first[3]["arm"], &json!(true))
    );
    for (number, public) in allocated(&alone).iter().enumerate() {
        let reports = ["0", "1-2", "1-2", "3+", "3+"][number % 5];
        assert_eq!(public["factors"], json!([site(number), reports]));
        assert_eq!(public["levels"], json!([]));
        assert_eq!(public["draw"], json!(number));
    }
    assert_eq!(alone.verify()["draws"], "verified");
}

/// The arms follow from the seed and the public parts alone, by the calls of the method and nothing of the study.
#[test]
fn public_parts_and_seed_give_the_arms() {
    let place = opened();
    for number in 0..FAMILIES {
        one_by_one(&place, number, &format!("q{number}"));
    }
    let protocol = protocol();
    let design = &*protocol.allocation.design;
    let mut keys = StratumKeys::derive(
        &Seed::from_bytes(SEED),
        &Address {
            mode: Mode::Live,
            study: &protocol.study.id,
            epoch: 0,
            levels: &[],
        },
    );
    let mut sequence = design.begin(&mut keys);
    for (index, public) in (0..).zip(allocated(&place)) {
        let place_of = |known: &[&str], level: &Value| {
            known.iter().position(|own| level == own).unwrap() as u16
        };
        let mut levels = Levels::default();
        levels.push(place_of(&["north", "south"], &public["factors"][0]));
        levels.push(place_of(&["0", "1-2", "3+"], &public["factors"][1]));
        let arm = allocate(design, &mut *sequence, &levels.unit(), index, &mut keys);
        assert_eq!(public["arm"], ["new", "usual"][arm.index()]);
    }
}

fn protocol() -> Arc<Protocol> {
    Arc::new(
        lottning::protocol::parse(minimized().as_bytes())
            .protocol
            .unwrap(),
    )
}

fn source() -> RecordedSource {
    RecordedSource::new(Mode::Live, Seed::from_bytes(SEED), Vec::new())
}

/// A family's rows lose what can be erased; the row that says so follows.
fn erase(protocol: &Arc<Protocol>, rows: &[Entry], name: &str) -> Vec<Entry> {
    let mut left = rows.to_vec();
    let own: Vec<u64> = rows
        .iter()
        .filter(|row| {
            row.payload
                .as_ref()
                .is_some_and(|text| text.contains(&format!("\"{name}\"")))
        })
        .map(|row| row.sequence)
        .collect();
    assert_eq!(own.len(), 2, "screened and allocated");
    for sequence in &own {
        let row = &mut left[*sequence as usize - 1];
        (row.payload, row.salt) = (None, None);
    }
    let mut journal = Journal::new(Arc::clone(protocol));
    journal.absorb(rows).unwrap();
    let public = Content::new()
        .with("reason", "retention")
        .with("sequences", own.clone());
    let what = What::Erased {
        family: FamilyIx(0),
    };
    let time: Timestamp = "2025-06-01T08:00:00Z".parse().unwrap();
    let row = journal.entries(
        &[Recording::public(what, public)],
        time,
        true,
        "lead",
        &[[1; 32]],
    );
    left.extend(row);
    left
}

/// Without values, the cell in the public part is what the method saw: an erased family still counts, every draw is
/// derived again, and the next family gets the arm that it would have had.
#[test]
fn an_erasure_keeps_every_later_draw() {
    let place = opened();
    for number in 0..FAMILIES {
        one_by_one(&place, number, &format!("q{number}"));
    }
    let protocol = protocol();
    let whole = place.entries();
    let erased = erase(&protocol, &whole, &family(5));
    let erased = erase(&protocol, &erased, &family(11));
    let found = verify(&protocol, &erased, &[Seed::from_bytes(SEED)], None);
    assert!(found.ok && found.draws == DrawCheck::Verified, "{found:?}");
    let next = |rows: &[Entry]| -> Vec<Arm> {
        let mut journal = Journal::new(Arc::clone(&protocol));
        journal.foresee(rows);
        journal.absorb(rows).unwrap();
        assert_eq!(journal.state.allocations.len(), FAMILIES);
        let mut drawer = Drawer::new(source());
        (0..6)
            .map(|cell| {
                let levels = protocol.cell_levels(cell);
                drawer.arm(&protocol, &journal.state, 0, &levels.unit())
            })
            .collect()
    };
    assert_eq!(next(&erased), next(&whole));

    // The check can fail: another cell in a public part is another history, or does not follow from the screening.
    let forged = |rows: &[Entry], number: usize| {
        let mut rows = rows.to_vec();
        let row = rows
            .iter_mut()
            .filter(|row| row.kind == "allocated")
            .nth(number)
            .unwrap();
        let mut public: Value = serde_json::from_str(&row.public).unwrap();
        let other = if public["factors"][0] == "north" {
            "south"
        } else {
            "north"
        };
        public["factors"][0] = json!(other);
        row.public = public.to_string();
        let mut previous = GENESIS;
        for row in &mut rows {
            row.hash = row.chained(&previous, &protocol.hash.0);
            previous = row.hash;
        }
        verify(&protocol, &rows, &[Seed::from_bytes(SEED)], None)
    };
    let seen = forged(&whole, 5);
    assert!(
        seen.findings
            .iter()
            .any(|own| own.code == "not-as-screened"),
        "{seen:?}"
    );
    let unseen = forged(&erased, 5);
    assert!(
        unseen.findings.iter().any(|own| own.code == "draw-differs"),
        "{unseen:?}"
    );
}

/// A drawer that has followed from the beginning and one that begins now draw the same; a family's own levels count.
#[test]
fn a_drawer_that_begins_late_catches_up() {
    let place = opened();
    let protocol = protocol();
    let mut all = Drawer::new(source());
    let mut differs = false;
    for number in 0..FAMILIES {
        one_by_one(&place, number, &format!("q{number}"));
        let rows = place.entries();
        let mut journal = Journal::new(Arc::clone(&protocol));
        journal.absorb(&rows).unwrap();
        let mut late = Drawer::new(source());
        let arms: Vec<Arm> = (0..6)
            .map(|cell| {
                let levels = protocol.cell_levels(cell);
                let arm = all.arm(&protocol, &journal.state, 0, &levels.unit());
                assert_eq!(arm, late.arm(&protocol, &journal.state, 0, &levels.unit()));
                arm
            })
            .collect();
        differs |= arms.iter().any(|arm| *arm != arms[0]);
    }
    assert!(differs, "levels decide");
}
