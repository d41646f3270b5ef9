//! A study in a temporary folder, driven through the command as people and scripts call it.

use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use lottning::allocation::Seed;
use lottning::store::SqliteLedger;
use lottning::study::journal::{Content, Entry, Head, Journal, Ledger, Recording, hex};
use lottning::study::kernel::What;
use serde_json::Value;
use tempfile::TempDir;

pub(crate) const IUH: &str = include_str!("../../protocols/iuh-2025/protocol.toml");

/// The shipped small protocol, with its permissions and open since February 2025.
pub(crate) fn two_arms() -> String {
    include_str!("../../protocols/two-arms/protocol.toml")
        .replace("# ethics     =", "ethics =")
        .replace("# dpia       =", "dpia =")
        .replace("2026-0", "2025-0")
}

/// What a run of the command gave.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ran {
    /// The answer, when the exit code is the expected one.
    pub(crate) fn json(&self, code: i32) -> Value {
        assert_eq!(self.code, code, "{}{}", self.out, self.err);
        serde_json::from_str(&self.out).unwrap()
    }

    /// A refusal: the exit code, nothing on standard output, and the code that has a page.
    pub(crate) fn refused(&self, code: i32, named: &str) {
        assert_eq!(self.code, code, "{}{}", self.out, self.err);
        assert_eq!(self.out, "");
        assert!(self.err.contains(&format!("[{named}]")), "{}", self.err);
    }
}

/// A pseudonym of its own for each number below 17,576.
pub(crate) fn family(number: usize) -> String {
    let letter = |place: usize| char::from(b'A' + (number / 26_usize.pow(place as u32) % 26) as u8);
    format!("FA-{}{}{}", letter(2), letter(1), letter(0))
}

/// A study, or a folder in which one will be opened.
#[derive(Debug)]
pub(crate) struct Place {
    folder: TempDir,
    minute: Cell<i64>,
    confirm: String,
}

impl Place {
    /// A folder with the protocol as `p.toml`.
    pub(crate) fn with(protocol: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("p.toml"), protocol).unwrap();
        let parsed = lottning::protocol::parse(protocol.as_bytes());
        let Some(valid) = parsed.protocol else {
            panic!("{:#?}", parsed.diagnostics);
        };
        Self {
            folder,
            minute: Cell::new(0),
            confirm: valid.hash.short(),
        }
    }

    /// A study of the protocol, open, with a seed that was there: what is drawn is the same in each run.
    pub(crate) fn open(protocol: &str) -> Self {
        let place = Self::with(protocol);
        place.seed_of("keys/seed", "a study that is open");
        let opened = place.run(&place.open_words());
        assert_eq!(opened.code, 0, "{}", opened.err);
        place
    }

    pub(crate) fn open_words(&self) -> String {
        let (confirm, at) = (&self.confirm, self.tick());
        format!(
            "open p.toml --study study --seed-file keys/seed --confirm {confirm} --actor lead --at {at}"
        )
    }

    /// A study whose first row is written here as `open` writes it, at the place's own clock: for a protocol whose
    /// public round lies behind the real one.
    pub(crate) fn opened_by_hand(&self, protocol: &str) {
        let sealed = Arc::new(
            lottning::protocol::parse(protocol.as_bytes())
                .protocol
                .unwrap(),
        );
        let seed = Seed::from_bytes([9; 32]);
        std::fs::create_dir_all(self.path("keys")).unwrap();
        std::fs::create_dir_all(self.path("study")).unwrap();
        self.secret("keys/seed", format!("{}\n", seed.to_hex()));
        self.write("study/protocol.toml", protocol);
        let public = Content::new()
            .with("commitment", hex(&seed.commitment(&sealed.hash.0)))
            .with("custody", sealed.study.custody.text())
            .with("format", 1)
            .with("mode", "live")
            .with("protocol_hash", sealed.hash.to_hex())
            .with("study", sealed.study.id.clone());
        let rows = Journal::new(sealed).entries(
            &[Recording::public(What::Opened, public)],
            self.tick(),
            true,
            "lead",
            &[[3; 32]],
        );
        let mut ledger = SqliteLedger::create(&self.path("study/ledger.sqlite")).unwrap();
        let mut transaction = ledger.exclusive().unwrap();
        transaction.append(&Head::EMPTY, &rows).unwrap();
        transaction.commit().unwrap();
    }

    pub(crate) fn confirm(&self) -> &str {
        &self.confirm
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        std::fs::write(self.path(name), bytes).unwrap();
    }

    /// A private seed file that is there before any command: the SHA-256 of a text, so that what is drawn is the same in
    /// each run.
    pub(crate) fn seed_of(&self, name: &str, text: &str) -> Seed {
        use sha2::{Digest, Sha256};
        let seed = Seed::from_bytes(Sha256::digest(text.as_bytes()).into());
        std::fs::create_dir_all(self.path(name).parent().unwrap()).unwrap();
        self.secret(name, format!("{}\n", seed.to_hex()));
        seed
    }

    /// Writes a file that only its owner may read, where the system has modes.
    pub(crate) fn secret(&self, name: &str, bytes: impl AsRef<[u8]>) {
        self.write(name, bytes);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let own = std::fs::Permissions::from_mode(0o600);
            std::fs::set_permissions(self.path(name), own).unwrap();
        }
    }

    /// A minute later than the last one.
    pub(crate) fn tick(&self) -> Timestamp {
        self.minute.set(self.minute.get() + 1);
        let start: Timestamp = "2025-03-03T07:00:00Z".parse().unwrap();
        start
            .checked_add(SignedDuration::from_mins(self.minute.get()))
            .unwrap()
    }

    /// Sets the clock to some days after the start.
    pub(crate) fn days(&self, days: i64) {
        self.minute.set(days * 24 * 60);
    }

    pub(crate) fn command(&self, words: &str) -> Command {
        let mut command = Command::new(program());
        command
            .args(words.split_whitespace())
            .current_dir(self.folder.path())
            .env_remove("LOTTNING_LANG")
            .stdin(Stdio::null());
        command
    }

    pub(crate) fn run(&self, words: &str) -> Ran {
        let output = self.command(words).output().unwrap();
        Ran {
            code: output.status.code().unwrap(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// A command that writes, one minute later.
    pub(crate) fn act(&self, words: &str) -> Ran {
        // Whoever screens families changes no capacity, links no families, erases none, takes back no slot, amends nothing and
        // records no beacon.
        let steers = [
            "record linked",
            "import linked",
            "record corrected",
            "import corrected",
            "amend ",
            "erase ",
            "beacon ",
        ]
        .iter()
        .any(|own| words.starts_with(own));
        let actor = if steers || (words.contains("--site") && words.starts_with("record")) {
            "lead"
        } else {
            "intake-1"
        };
        self.act_as(actor, words)
    }

    /// A command that writes, by an actor, one minute later.
    pub(crate) fn act_as(&self, actor: &str, words: &str) -> Ran {
        let at = self.tick();
        self.run(&format!("{words} --study study --actor {actor} --at {at}"))
    }

    /// The words of an eligible enrolment in the IUH study, without actor and time.
    pub(crate) fn enrol_words(site: &str, family: &str, key: &str) -> String {
        format!(
            "enrol --site {site} --family {family} --report-key {key} --received 2025-03-01 \
             --answer investigation-opened=yes --answer immediate-placement=no --answer police-led=no \
             --field earlier_reports=3 --field youngest_age=4 --field category=violence --seed-file keys/seed"
        )
    }

    pub(crate) fn enrol(&self, family: &str, key: &str, more: &str) -> Ran {
        self.act(&format!(
            "{} {more}",
            Self::enrol_words("skarpnack", family, key)
        ))
    }

    /// Every row, read through the store.
    pub(crate) fn entries(&self) -> Vec<Entry> {
        read_entries(&self.path("study"))
    }

    /// Runs something that must leave the ledger as it is, row by row, and its head.
    pub(crate) fn unchanged<T>(&self, run: impl FnOnce() -> T) -> T {
        let before = self.entries();
        let result = run();
        assert_eq!(before, self.entries(), "the study changed");
        result
    }

    pub(crate) fn verify(&self) -> Value {
        self.run("verify --study study --seed-file keys/seed")
            .json(0)
    }
}

/// The program under test: the one built with the tests, or the one that `LOTTNING_TEST_PROGRAM` names.
pub(crate) fn program() -> PathBuf {
    std::env::var_os("LOTTNING_TEST_PROGRAM")
        .map_or_else(|| env!("CARGO_BIN_EXE_lottning").into(), PathBuf::from)
}

/// What R says of a script. `None` on a machine without R, which is said aloud; where `LOTTNING_TEST_R` is set that fails.
#[allow(clippy::print_stderr)] // a part that this machine cannot run is said aloud
pub(crate) fn in_r(script: &Path) -> Option<Output> {
    let output = Command::new("Rscript").arg(script).output();
    if let Err(error) = &output {
        let required = std::env::var_os("LOTTNING_TEST_R").is_some();
        assert!(!required, "R is asked for and does not run: {error}");
        eprintln!("skipped: there is no R on this machine");
    }
    output.ok()
}

pub(crate) fn read_entries(study: &Path) -> Vec<Entry> {
    let mut ledger = SqliteLedger::open(&study.join("ledger.sqlite")).unwrap();
    let mut entries = Vec::new();
    ledger
        .read_from(1, &mut |entry| entries.push(entry))
        .unwrap();
    entries
}
