//! The outside world as a use case sees it: files, clock, entropy, standard input and a place for progress.
//!
//! Every use case takes an [`Outside`]; tests give one whose clock stands still and whose folder is temporary.
//! A file that must not be half written goes through [`Outside::write`] or [`Outside::create_secret`].

use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use rand::TryRng;

use crate::diagnostic::{Diagnostic, Words};
use crate::study::journal::Bytes;
use crate::words;

use super::exit;
use super::failure::Failure;

/// Tells the time.
pub trait Clock: Send + Sync {
    /// Now.
    fn now(&self) -> Timestamp;
}

/// Bytes that nobody can foresee: seeds and salts.
pub trait Entropy: Send + Sync {
    /// Fills the whole buffer, or says why it cannot.
    fn fill(&self, bytes: &mut [u8]) -> Result<(), Failure>;
}

/// Where a use case says how it goes. Everything here goes to standard error, never into the answer.
pub trait Progress: Send + Sync {
    /// A note about what is being done; `--quiet` silences it.
    fn note(&self, words: &Words);
    /// A command as the person typed it, to be run again: told to the letter.
    fn command(&self, words: &Words) {
        self.note(words);
    }
    /// Something that a person should know although the answer stands; never silenced.
    fn warn(&self, warning: &Diagnostic);
    /// `done` of `total` pieces of work are done; shown on a terminal only.
    fn advance(&self, what: &Words, done: u64, total: u64);
}

/// The outside world. Relative paths are resolved against `folder`.
pub struct Outside {
    /// The clock.
    pub clock: Box<dyn Clock>,
    /// The source of seeds and salts.
    pub entropy: Box<dyn Entropy>,
    /// Where notes and progress go.
    pub progress: Box<dyn Progress>,
    /// The folder that relative paths start from.
    pub folder: PathBuf,
}

impl std::fmt::Debug for Outside {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Outside")
            .field("folder", &self.folder)
            .finish_non_exhaustive()
    }
}

impl Outside {
    /// The real world: the system's clock and entropy, the current folder.
    pub fn system(progress: Box<dyn Progress>) -> Self {
        Self {
            clock: Box::new(SystemClock),
            entropy: Box::new(SystemEntropy),
            progress,
            folder: PathBuf::new(),
        }
    }

    /// A path as the person wrote it, resolved against the folder.
    pub fn path(&self, path: impl AsRef<Path>) -> PathBuf {
        self.folder.join(path)
    }

    /// The bytes of a file; `-` is standard input.
    pub fn read(&self, path: impl AsRef<Path>) -> Result<Vec<u8>, Failure> {
        let path = path.as_ref();
        let action = Words::new("read", "läsa");
        if path == Path::new("-") {
            let mut bytes = Vec::new();
            return match std::io::stdin().lock().read_to_end(&mut bytes) {
                Ok(_) => Ok(bytes),
                Err(error) => Err(Failure::file(&action, Path::new("standard input"), &error)),
            };
        }
        let full = self.path(path);
        if full.is_dir() {
            let error = std::io::Error::from(std::io::ErrorKind::IsADirectory);
            return Err(Failure {
                exit: exit::USAGE,
                ..Failure::file(&action, path, &error)
            });
        }
        fs::read(full).map_err(|error| Failure::file(&action, path, &error))
    }

    /// A text file. Bytes that are not UTF-8 refuse it with `exit` (a protocol is 3, data are 4).
    pub fn read_text(&self, path: impl AsRef<Path>, exit: u8) -> Result<String, Failure> {
        let path = path.as_ref();
        String::from_utf8(self.read(path)?).map_err(|error| {
            let (name, offset) = (path.display(), error.utf8_error().valid_up_to());
            Failure::new(
                exit,
                "not-utf8",
                words!(
                    "{name} is not UTF-8 text (first wrong byte at offset {offset})",
                    "{name} är inte text i UTF-8 (första felaktiga byte på plats {offset})"
                ),
            )
            .help(Words::new(
                "save the file again with the encoding UTF-8",
                "spara filen på nytt med teckenkodningen UTF-8",
            ))
        })
    }

    /// Writes a whole file or nothing: to a temporary name beside it, to the disk, then renamed into place.
    /// Missing folders on the way are made.
    pub fn write(&self, path: impl AsRef<Path>, bytes: &[u8]) -> Result<(), Failure> {
        let path = path.as_ref();
        replace(&self.path(path), bytes, &fs::OpenOptions::new())
            .map_err(|error| Failure::file(&Words::new("write", "skriva"), path, &error))
    }

    /// The bytes of a regular file that nothing depends on; `None` of anything else and of what cannot be read.
    pub(super) fn regular(&self, path: impl AsRef<Path>) -> Option<Vec<u8>> {
        let mut file = open_regular(&self.path(path))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).ok()?;
        Some(bytes)
    }

    /// The first bytes of a regular file, `most` of them at most.
    ///
    /// # Errors
    /// It cannot be read, or is none: a pipe or a device would be waited for.
    pub(super) fn beginning(&self, path: impl AsRef<Path>, most: u64) -> Result<Vec<u8>, Failure> {
        let path = path.as_ref();
        let read = |file: fs::File| {
            let mut bytes = Vec::new();
            file.take(most).read_to_end(&mut bytes).map(|_| bytes)
        };
        let none = || std::io::ErrorKind::InvalidInput.into();
        open_regular(&self.path(path))
            .ok_or_else(none)
            .and_then(read)
            .map_err(|error| Failure::file(&Words::new("read", "läsa"), path, &error))
    }

    /// As [`Outside::beginning`], also of a pipe or a device, which is read once and to its end.
    ///
    /// # Errors
    /// It cannot be read, or is a pipe that nobody has opened for writing within [`WRITER_COMES`].
    pub(super) fn once(&self, path: impl AsRef<Path>, most: u64) -> Result<Vec<u8>, Failure> {
        let (path, own) = (path.as_ref(), self.path(path.as_ref()));
        if fs::metadata(&own).is_ok_and(|own| own.is_file()) {
            return self.beginning(path, most);
        }
        opened_within(own, WRITER_COMES)
            .and_then(|file| {
                let mut bytes = Vec::new();
                file.take(most).read_to_end(&mut bytes).map(|_| bytes)
            })
            .map_err(|error| Failure::file(&Words::new("read", "läsa"), path, &error))
    }

    /// As [`Outside::regular`], to be read at any place.
    pub(super) fn pages(&self, path: &Path) -> Option<impl Bytes + use<>> {
        let file = open_regular(&self.path(path))?;
        let len = file.metadata().ok()?.len();
        Some(FileBytes { file, len })
    }

    /// Writes a file that nothing depends on: without waiting for the disk, and in silence if it cannot be written. One
    /// that is longer than the system's limit on files is not begun, for the signal would end the process.
    pub(super) fn keep(&self, path: impl AsRef<Path>, bytes: &[u8]) {
        if longest_file().is_some_and(|longest| bytes.len() as u64 > longest) {
            return;
        }
        let path = self.path(path);
        let beside = partial(&path);
        // What a killed writer left there, or anything else, is not written into.
        let _ = fs::remove_file(&beside);
        let kept = create_private(&beside, bytes).and_then(|()| fs::rename(&beside, &path));
        if kept.is_err() {
            let _ = fs::remove_file(&beside);
        }
    }

    /// Finds out whether a folder has room for so many bytes, by writing them: what is recorded as written should be.
    ///
    /// # Errors
    /// There is none, or the folder cannot be written (exit 1).
    pub(super) fn has_room(&self, folder: &Path, bytes: usize) -> Result<(), Failure> {
        let failed = |error| Failure::file(&Words::new("write", "skriva"), folder, &error);
        let filled = vec![0; bytes];
        // A name that nobody has: a file of the user's is neither written into nor removed.
        for number in 0_u32.. {
            let name = format!(".lottning-room.{}.{number}", std::process::id());
            let room = self.path(folder).join(name);
            match private().write(true).create_new(true).open(&room) {
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(failed(error)),
                Ok(mut file) => {
                    let written = file.write_all(&filled).and_then(|()| file.sync_all());
                    drop(file);
                    let _ = fs::remove_file(&room);
                    return written.map_err(failed);
                }
            }
        }
        Ok(())
    }

    /// Removes a file that nothing depends on, and what a writer left beside it.
    pub(super) fn discard(&self, path: impl AsRef<Path>) {
        let path = self.path(path);
        let _ = fs::remove_file(&path);
        let _ = fs::remove_file(partial(&path));
    }

    /// As [`Outside::write`], for what only the owner may read (mode 0600): what is told of families or arms.
    pub(super) fn write_private(
        &self,
        path: impl AsRef<Path>,
        bytes: &[u8],
    ) -> Result<(), Failure> {
        let path = path.as_ref();
        replace(&self.path(path), bytes, &private())
            .map_err(|error| Failure::file(&Words::new("write", "skriva"), path, &error))
    }

    /// Creates a file with its folders; `false` if there was one already, which stays as it is.
    pub fn create(&self, path: impl AsRef<Path>, bytes: &[u8]) -> Result<bool, Failure> {
        let path = path.as_ref();
        match create(&self.path(path), bytes) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(false),
            Err(error) => Err(Failure::file(&Words::new("create", "skapa"), path, &error)),
        }
    }

    /// Creates a file that only its owner may read (mode 0600) and that must not exist yet: whole, or not at all.
    pub fn create_secret(&self, path: impl AsRef<Path>, bytes: &[u8]) -> Result<(), Failure> {
        let path = path.as_ref();
        create_secret(&self.path(path), bytes)
            .map_err(|error| Failure::file(&Words::new("create", "skapa"), path, &error))
    }

    /// Removes what a command that was killed while it created a file left beside it.
    pub(super) fn sweep_ended(&self, path: impl AsRef<Path>) {
        sweep_ended(&self.path(path));
    }

    /// Makes a folder and those above it.
    pub fn create_folder(&self, path: impl AsRef<Path>) -> Result<(), Failure> {
        let path = path.as_ref();
        make_folders(&self.path(path)).map_err(|error| folder_failure(path, &error))
    }

    /// Makes a folder that only its owner may enter (mode 0700), and those above it as usual. One that is there stays as
    /// it is.
    pub(super) fn create_private_folder(&self, path: impl AsRef<Path>) -> Result<(), Failure> {
        let path = path.as_ref();
        create_private_folder(&self.path(path)).map_err(|error| folder_failure(path, &error))
    }

    /// Refuses a path at which no folder can be made because it, or a part of it, is a file.
    ///
    /// # Errors
    /// Wrong usage (exit 2).
    pub(super) fn refuse_file_for_folder(&self, path: impl AsRef<Path>) -> Result<(), Failure> {
        let path = path.as_ref();
        let full = self.path(path);
        let there = full.ancestors().find(|own| own.exists());
        match there {
            Some(there) if !there.is_dir() => Err(folder_failure(
                path,
                &std::io::ErrorKind::NotADirectory.into(),
            )),
            _ => Ok(()),
        }
    }

    /// Whether the modes of a file let its group or others at it, where the system has modes.
    pub(super) fn others_may_read(&self, path: impl AsRef<Path>) -> bool {
        others_may_read(&self.path(path))
    }

    /// Whether there is anything at the path.
    pub fn exists(&self, path: impl AsRef<Path>) -> bool {
        self.path(path).exists()
    }
}

#[cfg(unix)]
fn others_may_read(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    // A pipe or a device keeps nothing that could be read later.
    fs::metadata(path).is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o077 != 0)
}

/// Other systems have no mode to look at; their folder's rights are the business of whoever keeps a secret there.
#[cfg(not(unix))]
fn others_may_read(_: &Path) -> bool {
    false
}

/// Makes a folder and those above it. What is there already, and is no folder, is a file.
fn make_folders(path: &Path) -> std::io::Result<()> {
    fs::create_dir_all(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => std::io::ErrorKind::NotADirectory.into(),
        _ => error,
    })
}

/// Why a folder could not be made. What is there already, and is no folder, is a file.
fn folder_failure(path: &Path, error: &std::io::Error) -> Failure {
    let create = Words::new("create", "skapa");
    if error.kind() == std::io::ErrorKind::AlreadyExists {
        return Failure::file(&create, path, &std::io::ErrorKind::NotADirectory.into());
    }
    Failure::file(&create, path, error)
}

/// How long a pipe is waited for that nobody has opened for writing.
const WRITER_COMES: std::time::Duration = std::time::Duration::from_secs(5);

/// Opens a file, but waits no longer than `limit` for it: a pipe opens once there is a writer.
fn opened_within(path: PathBuf, limit: std::time::Duration) -> std::io::Result<fs::File> {
    let (send, receive) = std::sync::mpsc::channel();
    // It stays behind where the pipe never opens, and ends with the process.
    std::thread::Builder::new().spawn(move || send.send(fs::File::open(path)))?;
    let late = |_| std::io::Error::from(std::io::ErrorKind::TimedOut);
    receive.recv_timeout(limit).map_err(late)?
}

/// Opens a file if it is a regular one: a pipe or a device would be waited for.
fn open_regular(path: &Path) -> Option<fs::File> {
    // Who puts a pipe there between the two looks can write to the folder, and could as well remove the ledger.
    if !fs::metadata(path).ok()?.is_file() {
        return None;
    }
    let file = fs::File::open(path).ok()?;
    file.metadata().ok()?.is_file().then_some(file)
}

/// A file that is read at any place.
#[derive(Debug)]
struct FileBytes {
    file: fs::File,
    len: u64,
}

impl Bytes for FileBytes {
    fn len(&self) -> u64 {
        self.len
    }

    #[cfg(unix)]
    fn read(&self, at: u64, into: &mut [u8]) -> bool {
        std::os::unix::fs::FileExt::read_exact_at(&self.file, into, at).is_ok()
    }

    #[cfg(not(unix))]
    fn read(&self, at: u64, into: &mut [u8]) -> bool {
        use std::io::{Seek, SeekFrom};
        let mut file = &self.file;
        file.seek(SeekFrom::Start(at))
            .and_then(|_| file.read_exact(into))
            .is_ok()
    }
}

fn create_private_folder(path: &Path) -> std::io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    if let Some(parent) = path.parent() {
        make_folders(parent)?;
    }
    #[cfg_attr(not(unix), expect(unused_mut, reason = "no modes there"))]
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt;
        builder.mode(0o700);
    }
    match builder.create(path) {
        // Another command made it in between.
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
        made => made,
    }
}

/// Removes what a killed process left beside a file that it was writing. For a caller who knows that nobody writes it now.
pub(super) fn sweep(path: &Path) {
    left_beside(path, |_, _| true);
}

/// Removes what processes left beside a file that they were writing, if their number is one of those.
fn left_beside(path: &Path, is_one: impl Fn(&str, &Path) -> bool) {
    let Some((folder, name)) = path.parent().zip(path.file_name()) else {
        return;
    };
    let begins = format!("{}.", name.to_string_lossy());
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let own = entry.file_name().to_string_lossy().into_owned();
        let process = own.strip_prefix(&begins);
        let process = process.and_then(|rest| rest.strip_suffix(".partial"));
        let is_number = |own: &str| !own.is_empty() && own.bytes().all(|b| b.is_ascii_digit());
        if process.is_some_and(|own| is_number(own) && is_one(own, &entry.path())) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// As [`sweep`], of processes that have ended, as far as the system tells: for a file that another one may be writing now.
fn sweep_ended(path: &Path) {
    let processes = Path::new("/proc");
    let told = processes.join("self").exists();
    left_beside(path, |process, left| {
        let ended = if told {
            !processes.join(process).exists()
        } else {
            is_old(left)
        };
        ended || process == std::process::id().to_string()
    });
}

/// Whether a file has lain for an hour: no process is that long about a small one.
fn is_old(path: &Path) -> bool {
    let changed = fs::metadata(path).and_then(|file| file.modified());
    let age = changed.ok().and_then(|time| time.elapsed().ok());
    age.is_some_and(|age| age > std::time::Duration::from_hours(1))
}

fn partial(path: &Path) -> PathBuf {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".partial");
    beside.into()
}

fn replace(path: &Path, bytes: &[u8], options: &fs::OpenOptions) -> std::io::Result<()> {
    let folder = folder_of(path);
    make_folders(folder)?;
    let temporary = partial_of(path, std::process::id());
    let written = (|| {
        let mut options = options.clone();
        options.write(true).create(true).truncate(true);
        let mut file = options.open(&temporary)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        drop(file);
        fs::rename(&temporary, path)?;
        sync_folder(folder)
    })();
    if written.is_err() {
        // The failure that matters is the first one; the leftover is removed as far as possible.
        let _ = fs::remove_file(&temporary);
    }
    written
}

fn create(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    if let Some(parent) = path.parent() {
        make_folders(parent)?;
    }
    create_with(
        fs::OpenOptions::new().write(true).create_new(true),
        path,
        bytes,
    )
}

/// Writes a file under a temporary name beside it, and gives it its own name unless there is one: a process that is killed
/// meanwhile leaves no file that is empty or cut.
fn create_secret(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    sweep_ended(path);
    let temporary = partial_of(path, std::process::id());
    create_with(private().write(true).create_new(true), &temporary, bytes)?;
    let linked = fs::hard_link(&temporary, path);
    let _ = fs::remove_file(&temporary);
    match linked {
        Ok(()) => sync_folder(folder_of(path)),
        Err(_) if path.exists() => Err(std::io::ErrorKind::AlreadyExists.into()),
        // A file system without links: nothing else names a file and refuses to replace one.
        Err(_) => create_with(private().write(true).create_new(true), path, bytes),
    }
}

/// Options that make a file which only its owner may read, where the system has modes.
fn private() -> fs::OpenOptions {
    #[cfg_attr(not(unix), expect(unused_mut, reason = "no modes there"))]
    let mut options = fs::OpenOptions::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    options
}

fn create_private(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut options = private();
    let mut file = options.write(true).create_new(true).open(path)?;
    file.write_all(bytes)
}

/// The longest file that this process may write, in bytes, where the system says so (Linux).
fn longest_file() -> Option<u64> {
    let limits = fs::read_to_string("/proc/self/limits").ok()?;
    let line = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max file size"))?;
    line.split_ascii_whitespace().next()?.parse().ok()
}

fn create_with(options: &fs::OpenOptions, path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut file = options.open(path)?;
    let written = file.write_all(bytes).and_then(|()| file.sync_all());
    drop(file);
    if written.is_err() {
        let _ = fs::remove_file(path);
    }
    written?;
    sync_folder(folder_of(path))
}

/// The folder that a file lies in.
fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// The name under which a process writes a file before it has its own.
fn partial_of(path: &Path, process: u32) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(format!(".{process}.partial"));
    folder_of(path).join(name)
}

#[cfg(unix)]
fn sync_folder(folder: &Path) -> std::io::Result<()> {
    fs::File::open(folder)?.sync_all()
}

#[cfg(not(unix))]
fn sync_folder(_: &Path) -> std::io::Result<()> {
    Ok(())
}

/// The system's clock.
#[derive(Debug, Clone, Copy)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}

/// A clock that stands still, for tests and for replays.
#[derive(Debug, Clone, Copy)]
pub struct FixedClock(pub Timestamp);

impl Clock for FixedClock {
    fn now(&self) -> Timestamp {
        self.0
    }
}

/// The operating system's entropy.
#[derive(Debug, Clone, Copy)]
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), Failure> {
        rand::rngs::SysRng.try_fill_bytes(bytes).map_err(|error| {
            Failure::new(
                exit::UNEXPECTED,
                "entropy",
                words!(
                    "the operating system gives no random bytes: {error}",
                    "operativsystemet lämnar inga slumptal: {error}"
                ),
            )
        })
    }
}

/// Says nothing: for tests and for callers that show no progress.
#[derive(Debug, Clone, Copy)]
pub struct Silent;

impl Progress for Silent {
    fn note(&self, _: &Words) {}
    fn warn(&self, _: &Diagnostic) {}
    fn advance(&self, _: &Words, _: u64, _: u64) {}
}

#[cfg(test)]
mod tests {
    use super::{FixedClock, Outside, Silent, SystemEntropy};
    use crate::app::exit;
    use jiff::Timestamp;
    use std::path::Path;

    fn outside(folder: &std::path::Path) -> Outside {
        Outside {
            clock: Box::new(FixedClock(Timestamp::UNIX_EPOCH)),
            entropy: Box::new(SystemEntropy),
            progress: Box::new(Silent),
            folder: folder.to_path_buf(),
        }
    }

    #[test]
    fn a_file_is_replaced_whole_and_leaves_nothing_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let outside = outside(folder.path());
        outside.write("deep/er/a.txt", b"one").unwrap();
        outside.write("deep/er/a.txt", b"two").unwrap();
        assert_eq!(outside.read("deep/er/a.txt").unwrap(), b"two");
        let left = std::fs::read_dir(folder.path().join("deep/er")).unwrap();
        assert_eq!(left.count(), 1, "no temporary file is left");
    }

    #[test]
    fn a_failed_write_keeps_the_old_file_and_no_leftover() {
        let folder = tempfile::tempdir().unwrap();
        let outside = outside(folder.path());
        outside.create_folder("taken").unwrap();
        assert!(outside.write("taken", b"x").is_err());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_secret_is_created_once_and_private() {
        let folder = tempfile::tempdir().unwrap();
        let outside = outside(folder.path());
        outside.create_secret("seed", b"s").unwrap();
        let failure = outside.create_secret("seed", b"t").unwrap_err();
        assert_eq!((failure.exit, failure.code), (exit::USAGE, "file"));
        assert_eq!(outside.read("seed").unwrap(), b"s");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = std::fs::metadata(folder.path().join("seed"))
                .unwrap()
                .permissions()
                .mode();
            assert_eq!(mode & 0o777, 0o600);
        }
    }

    /// Room is looked for in a file of a name that nobody has: one of the user's with the first names, or a folder, stays as it is,
    /// and nothing is left behind. A folder that is not there has no room.
    #[test]
    fn room_is_looked_for_under_a_name_that_nobody_has() {
        let folder = tempfile::tempdir().unwrap();
        let outside = outside(folder.path());
        let name = |number| format!("out/.lottning-room.{}.{number}", std::process::id());
        outside.write(name(0), b"kept").unwrap();
        outside.create_folder(name(1)).unwrap();
        outside.write(name(3), b"too").unwrap();
        for bytes in [0, 1, 100_000] {
            outside.has_room(Path::new("out"), bytes).unwrap();
            let left = std::fs::read_dir(folder.path().join("out")).unwrap();
            assert_eq!(left.count(), 3);
            assert_eq!(outside.read(name(0)).unwrap(), b"kept");
            assert_eq!(outside.read(name(3)).unwrap(), b"too");
        }
        let failure = outside.has_room(Path::new("nowhere"), 1).unwrap_err();
        assert!(failure.message.en.contains("nowhere"), "{failure:?}");
    }

    #[test]
    fn a_missing_file_is_a_usage_failure_that_names_it() {
        let folder = tempfile::tempdir().unwrap();
        let failure = outside(folder.path()).read("nowhere.csv").unwrap_err();
        assert_eq!(failure.exit, exit::USAGE);
        assert!(failure.message.en.contains("nowhere.csv"));
        assert!(failure.message.sv.contains("finns inte"));
    }
}
