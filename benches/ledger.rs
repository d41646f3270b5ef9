//! The ledger's three figures: durable enrolments beside bare SQLite transactions, verified events per second, and
//! what the 100,000th family costs beside the 100th.
//!
//! `cargo bench --bench ledger`, or only some of `-- durable verify grown` (limits: at least 0.7; at least 300,000 events per second on one core; at most 3).
//! Families are enrolled by the use case of the desk; the fresh process is the command itself. What is compared is
//! measured in turns, so that other programs on the machine weigh on both sides alike. Folders are made under
//! `TMPDIR`; one on a memory file system makes the first figure meaningless.

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

const FAMILIES: usize = 100_000;
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
    writeln!(out, "{what:<64} {figure:>22}  {verdict}").expect("standard output");
}

/// Seconds that this thread has spent on a processor (Linux), or the clock: other programs on the machine do not count.
fn on_cpu() -> Option<f64> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    Some(text.split(' ').next()?.parse::<f64>().ok()? * 1e-9)
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

    fn enrol(&self, desk: &mut Desk, number: usize) {
        let enrolled = desk.enrol(&self.outside, &act(), &request(number));
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
            self.enrol(&mut desk, number);
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

/// Enrolments, and transactions of one row with as many bytes, in turns of 100.
fn durable(place: &Place) {
    let mut desk = place.desk(place.open("durable"));
    place.enrol(&mut desk, 0);
    let bytes: usize = desk.study().entries().expect("rows")[1..]
        .iter()
        .map(|row| {
            let text = [&row.time, &row.actor, &row.kind, &row.public];
            let payload = row.payload.as_ref().map_or(0, String::len);
            text.iter().map(|text| text.len()).sum::<usize>() + payload + 3 * 32
        })
        .sum();
    let path = place.outside.path("bare.sqlite");
    let bare = rusqlite::Connection::open(path).expect("a database");
    bare.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
         CREATE TABLE one (sequence INTEGER PRIMARY KEY, bytes BLOB NOT NULL) STRICT;",
    )
    .expect("a table");
    let content = vec![7_u8; bytes];
    let one = || {
        let run = |statement: &str, row: bool| {
            let mut statement = bare.prepare_cached(statement).expect("prepared");
            let done = if row {
                statement.execute([&content])
            } else {
                statement.execute([])
            };
            done.expect("done");
        };
        run("BEGIN IMMEDIATE", false);
        run("INSERT INTO one (bytes) VALUES (?1)", true);
        run("COMMIT", false);
    };
    one();
    let (mut enrolments, mut transactions) = (0.0, 0.0);
    let mut ratios = Vec::new();
    for round in 0..20 {
        let start = Instant::now();
        for number in 1..=100 {
            place.enrol(&mut desk, round * 100 + number);
        }
        let between = Instant::now();
        for _ in 0..100 {
            one();
        }
        let (desk, bare) = (
            (between - start).as_secs_f64(),
            between.elapsed().as_secs_f64(),
        );
        enrolments += desk;
        transactions += bare;
        ratios.push(bare / desk);
    }
    let rate = |seconds: f64| format!("{:.0} /s", 2000.0 / seconds);
    line("durable enrolments", &rate(enrolments), None);
    let what = format!("bare transactions of one row of {bytes} bytes");
    line(&what, &rate(transactions), None);
    let ratio = transactions / enrolments;
    let spread = format!("{ratio:.2} (median {:.2})", median(ratios));
    line(
        "enrolments per bare transaction",
        &spread,
        Some(ratio >= 0.7),
    );
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
                let (cpu, clock) = (on_cpu(), Instant::now());
                run();
                match (cpu, on_cpu()) {
                    (Some(before), Some(after)) => after - before,
                    _ => clock.elapsed().as_secs_f64(),
                }
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
            let start = Instant::now();
            place.enrol(desk, number);
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
