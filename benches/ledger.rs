//! The ledger's three figures: durable enrolments beside bare SQLite transactions, verified events per second, and
//! what the 100,000th family costs beside the 100th.
//!
//! `cargo bench --bench ledger`, or only some of `-- durable verify grown` (limits: at least 0.7; at least 300,000 events per second on one core; at most 3).
//! Families are enrolled by the use case of the desk; the fresh process is the command itself. What is compared is
//! measured in turns, so that other programs on the machine weigh on both sides alike. Folders are made under
//! `TMPDIR`; one on a memory file system makes the first figure meaningless.
//!
//! `durable`: an enrolment is a request at an open desk, from the call to the answer that may be told, and the projection that
//! is kept on the way. A bare transaction is `BEGIN IMMEDIATE`, one row, `COMMIT`, of prepared statements, in a database of
//! its own in the same folder: the table of the ledger, as its schema keeps it, and the settings of a ledger (write-ahead
//! log, `synchronous=FULL`, `secure_delete`). Each column of its row holds the bytes that an enrolment writes to that column
//! of its rows, one after another. Both are in one process, ten of each in turn, and in every other turn the bare ones first, so
//! that a disk that drifts weighs on both alike; the figure is the time of all bare transactions over the time of all
//! enrolments, and the median of the turns stands beside it.

#![allow(
    clippy::expect_used,
    reason = "a benchmark stops at the first surprise"
)]

use jiff::Timestamp;
use lottning::allocation::{Mode, Seed};
use lottning::app::enrol::Desk;
use lottning::app::open::{Open, open};
use lottning::app::record::record;
use lottning::app::sealed::sealed_protocol;
use lottning::app::study::{Act, Study};
use lottning::app::{Clock, Outside, Silent, SystemEntropy, verify};
use lottning::protocol::Protocol;
use lottning::store::{MemoryLedger, SqliteLedger};
use lottning::study::intake::EnrolRequest;
use lottning::study::journal::{Entry, Head, Ledger};
use lottning::study::recording::EventRequest;
use lottning::study::verify::{DrawCheck, verify as verify_rows};
use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Instant;

#[path = "../tests/in_memory/mod.rs"]
#[allow(
    dead_code,
    clippy::unwrap_used,
    clippy::panic,
    reason = "the family that the tests enrol is all that is used here"
)]
mod in_memory;
#[path = "measure/mod.rs"]
mod measure;

const FAMILIES: usize = 100_000;
/// Enrolments, and bare transactions, in a turn; and turns.
const TURN: usize = 10;
const TURNS: usize = 400;
const SITES: [&str; 4] = [
    "rinkeby-kista",
    "enskede-arsta-vantor",
    "skarholmen",
    "skarpnack",
];

fn main() {
    let named: Vec<String> = std::env::args()
        .skip(1)
        .filter(|own| !own.starts_with("--"))
        .collect();
    let wanted = |name: &str| named.is_empty() || named.iter().any(|own| own == name);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let place = Place::new(folder.path().to_path_buf());
    if wanted("durable") {
        durable(&place);
    }
    if !wanted("verify") && !wanted("grown") {
        return;
    }
    let large = place.large();
    if wanted("verify") {
        let protocol = sealed_protocol(&place.outside, Path::new("large"), 0).expect("sealed");
        verified(&place, &protocol, &large);
    }
    drop(large);
    if wanted("grown") {
        grown(&place);
        fresh(&place);
    }
}

/// A clock that goes on by eleven seconds whenever it is looked at: every family comes at a time of its own.
#[derive(Default)]
struct Ticking(AtomicI64);

impl Clock for Ticking {
    fn now(&self) -> Timestamp {
        let seconds = 1_748_847_600 + 11 * self.0.fetch_add(1, Ordering::Relaxed);
        Timestamp::from_second(seconds).expect("a time")
    }
}

/// A line of figures, and whether the limit is kept.
fn line(what: &str, figure: &str, kept: Option<bool>) {
    let verdict = match kept {
        Some(true) => "within the limit",
        Some(false) => "OUTSIDE THE LIMIT",
        None => "",
    };
    let mut out = std::io::stdout().lock();
    writeln!(out, "{what:<64} {figure:>28}  {verdict}").expect("standard output");
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Where the studies lie, and the protocol with room for everybody.
struct Place {
    outside: Outside,
    protocol: String,
}

impl Place {
    fn new(folder: PathBuf) -> Self {
        let protocol = include_str!("../protocols/iuh-2025/protocol.toml")
            .replace("therapists = 2", "therapists = 1000")
            .replace("families_per_therapist = 3", "families_per_therapist = 100")
            .replace(
                "families = 712, or_date = 2027-01-31",
                "families = 10000000, or_date = 2199-12-31",
            );
        let outside = Outside {
            clock: Box::new(Ticking::default()),
            entropy: Box::new(SystemEntropy),
            progress: Box::new(Silent),
            folder,
        };
        Self { outside, protocol }
    }

    /// Opens a study, gives its folder's name back.
    fn open<'a>(&self, study: &'a str) -> &'a Path {
        self.outside
            .write("protocol.toml", self.protocol.as_bytes())
            .expect("the protocol");
        let parsed = lottning::protocol::parse(self.protocol.as_bytes());
        let request = Open {
            protocol: "protocol.toml".into(),
            study: study.into(),
            seed_file: seed_file(study),
            confirm: parsed.protocol.expect("valid").hash.short(),
            act: act(),
            mode: Mode::Live,
        };
        open(&self.outside, &request).expect("opened");
        Path::new(study)
    }

    fn desk(&self, study: &Path) -> Desk {
        let seed = seed_file(&study.to_string_lossy());
        Desk::open(&self.outside, study, &[seed]).expect("a desk")
    }

    fn seed(&self, study: &str) -> Seed {
        let text = std::fs::read_to_string(self.outside.path(seed_file(study))).expect("a seed");
        Seed::from_hex(&text).expect("a seed")
    }

    fn ledger(&self, study: &Path) -> SqliteLedger {
        SqliteLedger::open(&self.outside.path(study).join("ledger.sqlite")).expect("a ledger")
    }

    fn enrol(&self, desk: &mut Desk, request: &EnrolRequest) {
        let enrolled = desk.enrol(&self.outside, &act(), request);
        assert_eq!(enrolled.expect("enrolled").outcome, "allocated");
        // As the command does once the answer is told; every so many rows this writes the projection.
        desk.study().keep_on_the_way(&self.outside);
    }

    /// A study of 99,900 families, a fifth of them with a report after the draw: enrolled at a desk in memory, its rows
    /// then written to the folder `large`.
    fn large(&self) -> Vec<Entry> {
        let folder = self.open("large");
        let mut disk = self.ledger(folder);
        let opened = rows(&mut disk);
        let mut memory = MemoryLedger::new();
        append(&mut memory, &Head::EMPTY, &opened);
        let protocol = sealed_protocol(&self.outside, folder, 0).expect("sealed");
        let study = Study::of(folder, protocol, Box::new(memory)).expect("a study");
        let mut desk = Desk::of(study, self.seed("large"));
        for number in 0..FAMILIES - 100 {
            self.enrol(&mut desk, &request(number));
            if number % 5 == 0 {
                let request = EventRequest {
                    event: "report".into(),
                    family: Some(family(number)),
                    on: "2025-03-15".into(),
                    event_key: format!("V-{number}"),
                    ..EventRequest::default()
                };
                record(&self.outside, desk.study(), &act(), &request).expect("recorded");
            }
        }
        let entries = desk.study().entries().expect("rows");
        append(&mut disk, &opened[0].head(), &entries[1..]);
        entries
    }
}

fn seed_file(study: &str) -> PathBuf {
    PathBuf::from(format!("keys/{study}"))
}

fn act() -> Act {
    Act {
        actor: "intake-1".into(),
        at: None,
    }
}

/// A pseudonym of its own for each number.
fn family(number: usize) -> String {
    let letter = |place: u32| {
        char::from(b'A' + u8::try_from(number / 26_usize.pow(place) % 26).unwrap_or(0))
    };
    let text: String = (0..4).rev().map(letter).collect();
    format!("KATL-{text}")
}

fn request(number: usize) -> EnrolRequest {
    let (site, family) = (SITES[number % SITES.len()], family(number));
    EnrolRequest {
        children: vec![format!("{family}-BA")],
        ..in_memory::eligible(site, &family, &format!("R-{number}"))
    }
}

fn rows(ledger: &mut dyn Ledger) -> Vec<Entry> {
    let mut rows = Vec::new();
    ledger
        .read_from(1, &mut |entry| rows.push(entry))
        .expect("rows");
    rows
}

fn append(ledger: &mut dyn Ledger, head: &Head, entries: &[Entry]) {
    let mut transaction = ledger.exclusive().expect("a transaction");
    transaction.append(head, entries).expect("appended");
    transaction.commit().expect("committed");
}

/// A database like a ledger's: its table, as its schema keeps it, and its settings.
fn like_a_ledger(place: &Place, study: &Path) -> Connection {
    let ledger = place.outside.path(study).join("ledger.sqlite");
    let ledger = Connection::open(ledger).expect("the ledger");
    let made: String = ledger
        .query_row("SELECT sql FROM sqlite_schema", [], |row| row.get(0))
        .expect("the table");
    let bare = Connection::open(place.outside.path("bare.sqlite")).expect("a database");
    let settings =
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON";
    bare.execute_batch(&format!("{settings}; {made}"))
        .expect("a table");
    bare
}

/// The columns of a row that holds what some rows hold, but for its number.
fn one_row(rows: &[Entry]) -> [Value; 8] {
    let text = |own: fn(&Entry) -> &str| Value::Text(rows.iter().map(own).collect());
    let blob = |own: fn(&Entry) -> [u8; 32]| Value::Blob(rows.iter().flat_map(own).collect());
    [
        text(|row| &row.time),
        text(|row| &row.actor),
        text(|row| &row.kind),
        text(|row| &row.public),
        text(|row| row.payload.as_deref().unwrap_or_default()),
        blob(|row| row.salt.unwrap_or_default()),
        blob(|row| row.payload_hash),
        blob(|row| row.hash),
    ]
}

/// Enrolments, and transactions of one row with as many bytes, in turns of [`TURN`].
fn durable(place: &Place) {
    let study = place.open("durable");
    let mut desk = place.desk(study);
    place.enrol(&mut desk, &request(0));
    let row = one_row(&desk.study().entries().expect("rows")[1..]);
    let bytes = |value: &Value| match value {
        Value::Text(text) => text.len(),
        Value::Blob(bytes) => bytes.len(),
        _ => 0,
    };
    let bytes: usize = row.iter().map(bytes).sum();
    let bare = like_a_ledger(place, study);
    let one = || {
        let run = |statement: &str| bare.prepare_cached(statement).expect("prepared");
        run("BEGIN IMMEDIATE").execute([]).expect("begun");
        run(
            "INSERT INTO event (time, actor, kind, public, payload, salt, payload_hash, hash)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )
        .execute(params_from_iter(&row))
        .expect("inserted");
        run("COMMIT").execute([]).expect("committed");
    };
    one();
    let (mut enrolments, mut transactions) = ([0.0; 2], [0.0; 2]);
    let mut ratios = Vec::new();
    for round in 0..TURNS {
        let requests: Vec<EnrolRequest> =
            (1..=TURN).map(|own| request(round * TURN + own)).collect();
        let mut enrol = || {
            for request in &requests {
                place.enrol(&mut desk, request);
            }
        };
        let mut bare = || (0..TURN).for_each(|_| one());
        let (own, other) = if round % 2 == 0 {
            let own = timed(&mut enrol);
            (own, timed(&mut bare))
        } else {
            let other = timed(&mut bare);
            (timed(&mut enrol), other)
        };
        ratios.push(other[0] / own[0]);
        for (sums, parts) in [(&mut enrolments, own), (&mut transactions, other)] {
            sums.iter_mut()
                .zip(parts)
                .for_each(|(sum, part)| *sum += part);
        }
    }
    let rate = |[clock, processor]: [f64; 2]| {
        let all = (TURNS * TURN) as f64;
        let micro = processor / all * 1e6;
        format!("{:.0} /s, {micro:.0} µs of a core", all / clock)
    };
    line("durable enrolments", &rate(enrolments), None);
    let what = format!("bare transactions of one row of {bytes} bytes");
    line(&what, &rate(transactions), None);
    let ratio = transactions[0] / enrolments[0];
    let spread = format!("{ratio:.2} (median {:.2})", median(ratios));
    line(
        "enrolments per bare transaction",
        &spread,
        Some(ratio >= 0.7),
    );
}

/// Seconds of the clock and of a processor that something took.
fn timed(run: &mut dyn FnMut()) -> [f64; 2] {
    let (clock, processor) = (Instant::now(), measure::seconds());
    run();
    [
        clock.elapsed().as_secs_f64(),
        measure::seconds() - processor,
    ]
}

/// Verification of the large study: its rows in memory, and the whole use case from the file.
fn verified(place: &Place, protocol: &Arc<Protocol>, entries: &[Entry]) {
    let events = entries.len() as f64;
    let seed = place.seed("large");
    for (with, seeds) in [("without seed", &[][..]), ("with seed", &[seed][..])] {
        let check = |draws: DrawCheck, ok: bool| {
            assert!(ok, "the large study holds");
            assert_eq!(draws == DrawCheck::Verified, !seeds.is_empty());
        };
        let rate = |run: &dyn Fn()| {
            let once = || {
                let before = measure::seconds();
                run();
                measure::seconds() - before
            };
            events / (0..5).map(|_| once()).fold(f64::INFINITY, f64::min)
        };
        let in_memory = rate(&|| {
            let verdict = verify_rows(protocol, entries, seeds, None);
            check(verdict.draws, verdict.ok);
        });
        let files: Vec<PathBuf> = seeds.iter().map(|_| seed_file("large")).collect();
        let from_file = rate(&|| {
            let verdict = verify::check(
                &place.outside,
                Path::new("large"),
                &files,
                &verify::Expected::default(),
            );
            let verdict = verdict.expect("read").verification;
            check(verdict.draws, verdict.ok);
        });
        let text = |rate: f64| format!("{rate:.0} /s");
        let what = format!("verify {events:.0} events, {with}: rows in memory");
        line(&what, &text(in_memory), None);
        let what = format!("verify {events:.0} events, {with}: from the file");
        line(&what, &text(from_file), Some(from_file >= 300_000.0));
    }
}

/// Two desks side by side, one that has 100 families and one that has 99,900: 100 more for each, in turns.
fn grown(place: &Place) {
    let mut small = place.desk(place.open("small"));
    let mut large = place.desk(Path::new("large"));
    let mut times = [Vec::new(), Vec::new()];
    for number in 0..200 {
        let pair = [(&mut small, number), (&mut large, FAMILIES - 100 + number)];
        for (slot, (desk, number)) in times.iter_mut().zip(pair) {
            let request = request(number);
            let start = Instant::now();
            place.enrol(desk, &request);
            slot.push(start.elapsed().as_secs_f64());
        }
    }
    let [early, late] = times.map(|times| median(times[50..150].to_vec()));
    compare("at one desk", early, late);
}

fn compare(what: &str, early: f64, late: f64) {
    let micro = |seconds: f64| format!("{:.0} µs", seconds * 1e6);
    line(&format!("family 100, {what}"), &micro(early), None);
    line(&format!("family 100,000, {what}"), &micro(late), None);
    let ratio = late / early;
    let what = format!("cost of family 100,000 per cost of family 100, {what}");
    line(&what, &format!("{ratio:.2}"), Some(ratio <= 3.0));
}

/// The command, a process for each family, on the two studies in turns.
fn fresh(place: &Place) {
    let mut times = [Vec::new(), Vec::new()];
    for turn in 0..40 {
        for (slot, (study, first)) in times
            .iter_mut()
            .zip([("small", 200), ("large", FAMILIES + 100)])
        {
            let start = Instant::now();
            command(place, study, first + turn);
            slot.push(start.elapsed().as_secs_f64());
        }
    }
    let [early, late] = times.map(median);
    compare("as a process of its own", early, late);
}

fn command(place: &Place, study: &str, number: usize) {
    let request = request(number);
    let pairs = |option: &str, pairs: &[(String, String)]| -> Vec<String> {
        pairs
            .iter()
            .flat_map(|(id, value)| [option.to_owned(), format!("{id}={value}")])
            .collect()
    };
    let status = Command::new(env!("CARGO_BIN_EXE_lottning"))
        .current_dir(&place.outside.folder)
        .args(["enrol", "--study", study, "--actor", "intake-1"])
        .args(["--site", &request.site, "--family", &request.family])
        .args(["--child", &request.children[0]])
        .args(["--report-key", &request.report_key])
        .args(["--received", &request.received])
        .args(pairs("--answer", &request.answers))
        .args(pairs("--field", &request.fields))
        .args(["--seed-file", &format!("keys/{study}")])
        .stdout(Stdio::null())
        .status()
        .expect("the command");
    assert!(status.success(), "family {number} of {study}");
}
