//! The folder of a simulation: `plan.json` says what is run, `records/` holds pieces of it.
//!
//! A piece is written whole or not at all (temporary name, disk, rename), so a run may be killed at any moment and
//! loses the studies in hand only. Several machines may write to the same folder: every piece has a name of its own.
//! A piece whose checksum does not hold counts as not there for who runs studies, and is named by who merges.

use super::order::{Order, PLAN_FILE, Planned};
use crate::app::exit;
use crate::app::explain;
use crate::app::failure::Failure;
use crate::app::outside::Outside;
use crate::diagnostic::{Diagnostic, Words};
use crate::planning::pieces::{
    Damage, HEAD, LONGEST, PieceHead, Shard, decode, encode, gaps, head,
};
use crate::planning::simulate::{Options, Threads};
use crate::planning::study::Record;
use crate::study::journal::hex;
use crate::words;
use std::io::Read;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// Folder of the pieces, within the folder of a simulation.
pub(super) const RECORDS: &str = "records";
/// How the name of a piece ends.
const ENDING: &str = ".records";
/// Studies in the first piece of a run; later ones take about [`SECONDS`].
const FIRST: u64 = 200;
/// Seconds of work that a kill may cost, roughly.
const SECONDS: f64 = 5.0;

/// A piece that lies in the folder.
#[derive(Debug, Clone)]
struct Piece {
    name: String,
    replicates: Range<u64>,
    shard: Option<Shard>,
    /// Whether its checksum has been found to hold.
    sound: bool,
}

/// Why records cannot be read back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Flaw {
    /// No piece holds these replicates.
    Missing,
    /// A piece does not hold together.
    Damaged(String, Damage),
    /// Two pieces have another study under the same number.
    Disagree(String, String),
}

/// A simulation's folder.
#[derive(Debug)]
pub(crate) struct Folder<'a> {
    outside: &'a Outside,
    path: PathBuf,
    hash: [u8; 32],
    /// Pieces of each cell, by their first replicate.
    units: Vec<Vec<Piece>>,
    /// Files that are no piece.
    pub(super) damaged: Vec<(String, Damage)>,
    /// Pieces of another plan.
    pub(super) foreign: Vec<String>,
    /// Studies in the next piece.
    batch: u64,
    /// Studies run here, and found here.
    pub(super) ran: u64,
}

impl<'a> Folder<'a> {
    /// Begins or goes on with an order in a folder. Without a shard the number of replicates may differ from that of
    /// earlier runs; a greater one extends them.
    ///
    /// # Errors
    /// Another order's folder (exit 7); pieces of another one (4); what cannot be written (1).
    pub(crate) fn begin(
        outside: &'a Outside,
        path: &Path,
        planned: &Planned,
        is_shard: bool,
    ) -> Result<Self, Failure> {
        let order = &planned.order;
        match Order::in_folder(outside, path)? {
            None => write_plan(outside, path, order)?,
            Some(there) => {
                let mut differ = order.differences(&there);
                if !is_shard {
                    differ.retain(|name| *name != "--replicates");
                }
                if !differ.is_empty() {
                    let (name, differ) = (path.display(), differ.join(", "));
                    return Err(Failure::new(
                        exit::WRONG_STATE,
                        "another-plan",
                        words!(
                            "{name} holds another simulation; it differs in: {differ}",
                            "{name} innehåller en annan simulering; den skiljer sig i: {differ}"
                        ),
                    )
                    .help(Words::new(
                        "name another folder with --out, or give the same scenario and options",
                        "ange en annan mapp med --out, eller ge samma scenario och flaggor",
                    )));
                }
                let more = |own: Option<u64>, earlier: Option<u64>| own > earlier;
                if !is_shard && more(order.replicates, there.replicates) {
                    write_plan(outside, path, order)?;
                }
            }
        }
        let own = Self::look(outside, path, planned)?;
        if let Some(failure) = own.foreign_failure() {
            return Err(failure);
        }
        Ok(own)
    }

    /// Looks at what lies in a folder.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub(super) fn look(
        outside: &'a Outside,
        path: &Path,
        planned: &Planned,
    ) -> Result<Self, Failure> {
        let cells = planned.groups().iter().map(Vec::len).sum();
        let mut own = Self {
            outside,
            path: path.to_path_buf(),
            hash: planned.hash,
            units: vec![Vec::new(); cells],
            damaged: Vec::new(),
            foreign: Vec::new(),
            batch: FIRST,
            ran: 0,
        };
        let folder = outside.path(path.join(RECORDS));
        if !folder.is_dir() {
            return Ok(own);
        }
        let unreadable = |error: std::io::Error| {
            Failure::file(&Words::new("read", "läsa"), &path.join(RECORDS), &error)
        };
        let mut names = Vec::new();
        for entry in std::fs::read_dir(&folder).map_err(unreadable)? {
            let name = entry.map_err(unreadable)?.file_name();
            let name = name.to_string_lossy().into_owned();
            if name.ends_with(ENDING) {
                names.push(name);
            }
        }
        names.sort_unstable();
        for name in names {
            let mut first = [0; HEAD];
            let file = std::fs::File::open(folder.join(&name));
            let read = file.and_then(|mut file| file.read_exact(&mut first));
            let own_head = read.map_err(|_| Damage::Head).and_then(|()| head(&first));
            own.sort_in(name, own_head);
        }
        Ok(own)
    }

    fn sort_in(&mut self, name: String, head: Result<PieceHead, Damage>) {
        match head {
            Err(damage) => self.damaged.push((name, damage)),
            Ok(head) if head.plan != self.hash => self.foreign.push(name),
            Ok(head) => match self.units.get_mut(head.cell as usize) {
                None => self.damaged.push((name, Damage::Content)),
                Some(unit) => insert(
                    unit,
                    Piece {
                        name,
                        replicates: head.replicates,
                        shard: head.shard,
                        sound: false,
                    },
                ),
            },
        }
    }

    /// That pieces of another plan lie here, if they do.
    pub(super) fn foreign_failure(&self) -> Option<Failure> {
        let first = self.foreign.first()?;
        let (count, folder) = (self.foreign.len(), self.path.join(RECORDS));
        let folder = folder.display();
        Some(
            Failure::new(
                exit::INVALID_DATA,
                "records-foreign",
                words!(
                    "files in {folder} that belong to another plan: {count}, the first is {first}",
                    "filer i {folder} som hör till en annan plan: {count}, den första är {first}"
                ),
            )
            .help(Words::new(
                "take them out of the folder: studies of two plans are never mixed",
                "ta bort dem ur mappen: studier från två planer blandas aldrig",
            )),
        )
    }

    /// The replicates of a cell that no piece holds.
    pub(super) fn gaps(&self, unit: usize, wanted: &Range<u64>) -> Vec<Range<u64>> {
        let covered: Vec<Range<u64>> = self
            .touching(unit, wanted)
            .iter()
            .map(|piece| piece.replicates.clone())
            .collect();
        gaps(&covered, wanted.clone())
    }

    /// Pieces that may hold some of the wanted replicates: none is longer than [`LONGEST`].
    fn touching(&self, unit: usize, wanted: &Range<u64>) -> &[Piece] {
        let Some(pieces) = self.units.get(unit) else {
            return &[];
        };
        let from = wanted.start.saturating_sub(LONGEST);
        let first = pieces.partition_point(|piece| piece.replicates.start < from);
        let last = pieces.partition_point(|piece| piece.replicates.start < wanted.end);
        &pieces[first..last.max(first)]
    }

    /// How many shards the pieces were run by, if by shards of one number.
    pub(super) fn shards(&self) -> Option<u32> {
        let mut all = self.units.iter().flatten().filter_map(|piece| piece.shard);
        let first = all.next()?.of;
        all.all(|shard| shard.of == first).then_some(first)
    }

    /// Runs what is missing of a range of a cell and writes it down; what is damaged counts as missing.
    ///
    /// # Errors
    /// A study that cannot be run, a disk that cannot be written.
    pub(super) fn ensure(
        &mut self,
        planned: &Planned,
        (threads, options): (&Threads, &Options),
        unit: (usize, usize),
        wanted: &Range<u64>,
        shard: Option<Shard>,
        progress: &mut dyn FnMut(u64),
    ) -> Result<(), Failure> {
        let (group, place) = unit;
        let groups = planned.groups();
        let cell = groups[group][place];
        let at = planned.unit(group, place);
        self.drop_damaged(at, wanted)?;
        for gap in self.gaps(at, wanted) {
            let mut from = gap.start;
            while from < gap.end {
                let border = (from / LONGEST + 1) * LONGEST;
                let to = gap.end.min(border).min(from + self.batch);
                let start = self.outside.clock.now();
                let records = threads
                    .records(cell, options, from, to)
                    .map_err(|error| super::flaws::failed(&error))?;
                let seconds = self.outside.clock.now().duration_since(start).as_secs_f64();
                let pace = (to - from) as f64 / seconds.max(1e-6) * SECONDS;
                // Whole blocks of 50, so that threads end together.
                self.batch = ((pace / 50.0) as u64).clamp(1, LONGEST / 50) * 50;
                self.keep(at, from..to, shard, &records)?;
                self.ran += to - from;
                progress(to - from);
                from = to;
            }
        }
        Ok(())
    }

    fn keep(
        &mut self,
        unit: usize,
        replicates: Range<u64>,
        shard: Option<Shard>,
        records: &[Record],
    ) -> Result<(), Failure> {
        let analyses = records.first().map_or(0, |record| record.analyses.len());
        let own = PieceHead {
            plan: self.hash,
            cell: unit as u32,
            replicates: replicates.clone(),
            shard,
            analyses: analyses as u16,
        };
        let name = format!(
            "{unit}-from-{}-to-{}{ENDING}",
            replicates.start, replicates.end
        );
        let path = self.path.join(RECORDS).join(&name);
        self.outside.write(&path, &encode(&own, records))?;
        insert(
            &mut self.units[unit],
            Piece {
                name,
                replicates,
                shard,
                sound: true,
            },
        );
        Ok(())
    }

    /// Takes pieces that do not hold together out of a range: they are run again.
    fn drop_damaged(&mut self, unit: usize, wanted: &Range<u64>) -> Result<(), Failure> {
        let mut lost = Vec::new();
        let mut sound = Vec::new();
        for piece in self.touching(unit, wanted) {
            if piece.sound {
                continue;
            }
            match self.decoded(piece)? {
                Ok(_) => sound.push(piece.name.clone()),
                Err(damage) => lost.push((piece.name.clone(), damage)),
            }
        }
        for piece in &mut self.units[unit] {
            piece.sound |= sound.contains(&piece.name);
        }
        for (name, damage) in lost {
            self.units[unit].retain(|piece| piece.name != name);
            self.discard(&name, damage);
        }
        Ok(())
    }

    /// Removes a damaged file, whose studies are run again, and says so.
    fn discard(&self, name: &str, damage: Damage) {
        let path = self.path.join(RECORDS).join(name);
        let _ = std::fs::remove_file(self.outside.path(&path));
        self.outside.progress.warn(
            &Diagnostic::warning("records-damaged", damaged_words(name, damage)).help(Words::new(
                "it was removed, and its studies are run again",
                "den togs bort, och dess studier körs igen",
            )),
        );
    }

    /// Removes files whose first bytes are damaged and whose name is that of a piece.
    pub(super) fn discard_damaged(&mut self) {
        for (name, damage) in std::mem::take(&mut self.damaged) {
            if is_piece_name(&name) {
                self.discard(&name, damage);
            } else {
                self.damaged.push((name, damage));
            }
        }
    }

    fn decoded(&self, piece: &Piece) -> Result<Result<(PieceHead, Vec<Record>), Damage>, Failure> {
        let path = self.path.join(RECORDS).join(&piece.name);
        let bytes = self.outside.read(&path)?;
        let known = |code: &str| {
            explain::pages()
                .map(|page| page.code)
                .find(|known| *known == code)
        };
        Ok(decode(&bytes, &known))
    }

    /// The records of a range of a cell, in order. Pieces may overlap; where they do they must say the same.
    ///
    /// # Errors
    /// A file that cannot be read; inside, what is wrong with the pieces.
    pub(super) fn read(
        &self,
        unit: usize,
        wanted: &Range<u64>,
    ) -> Result<Result<Vec<Record>, Vec<Flaw>>, Failure> {
        let count = (wanted.end - wanted.start) as usize;
        let mut slots: Vec<Option<(Record, usize)>> = vec![None; count];
        let mut flaws = Vec::new();
        let pieces = self.touching(unit, wanted);
        for (place, piece) in pieces.iter().enumerate() {
            if piece.replicates.end <= wanted.start {
                continue;
            }
            let records = match self.decoded(piece)? {
                Ok((_, records)) => records,
                Err(damage) => {
                    flaws.push(Flaw::Damaged(piece.name.clone(), damage));
                    continue;
                }
            };
            let numbers = piece.replicates.clone();
            for (number, record) in numbers.zip(records) {
                let Some(at) = number.checked_sub(wanted.start) else {
                    continue;
                };
                let Some(slot) = slots.get_mut(at as usize) else {
                    break;
                };
                match slot {
                    None => *slot = Some((record, place)),
                    Some((there, _)) if *there == record => {}
                    Some((_, other)) => {
                        let flaw = Flaw::Disagree(pieces[*other].name.clone(), piece.name.clone());
                        if !flaws.contains(&flaw) {
                            flaws.push(flaw);
                        }
                    }
                }
            }
        }
        if flaws.is_empty() {
            let records: Option<Vec<Record>> = slots
                .into_iter()
                .map(|slot| slot.map(|(record, _)| record))
                .collect();
            return Ok(records.ok_or_else(|| vec![Flaw::Missing]));
        }
        Ok(Err(flaws))
    }

    /// Everything that is wrong with the pieces of a cell; those that are damaged are taken for missing from then on.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub(super) fn flaws(&mut self, unit: usize, wanted: u64) -> Result<Vec<Flaw>, Failure> {
        let mut found: Vec<Flaw> = Vec::new();
        for from in (0..wanted).step_by(LONGEST as usize) {
            let read = self.read(unit, &(from..wanted.min(from + LONGEST)))?;
            for flaw in read.err().unwrap_or_default() {
                if flaw != Flaw::Missing && !found.contains(&flaw) {
                    found.push(flaw);
                }
            }
        }
        let is_damaged = |name: &String| {
            let damaged = |flaw: &Flaw| matches!(flaw, Flaw::Damaged(own, _) if own == name);
            found.iter().any(damaged)
        };
        self.units[unit].retain(|piece| !is_damaged(&piece.name));
        Ok(found)
    }
}

fn insert(unit: &mut Vec<Piece>, piece: Piece) {
    let key = |piece: &Piece| (piece.replicates.start, piece.replicates.end);
    let at = unit.partition_point(|there| key(there) < key(&piece));
    unit.insert(at, piece);
}

/// Whether a name is one that [`Folder::keep`] gives.
pub(super) fn is_piece_name(name: &str) -> bool {
    let parts = name
        .strip_suffix(ENDING)
        .and_then(|name| name.split_once("-from-"))
        .and_then(|(unit, rest)| rest.split_once("-to-").map(|(from, to)| [unit, from, to]));
    parts.is_some_and(|parts| parts.iter().all(|part| part.parse::<u64>().is_ok()))
}

/// That a file does not hold together.
pub(super) fn damaged_words(name: &str, damage: Damage) -> Words {
    match damage {
        Damage::Head => words!(
            "{name} is damaged: it does not begin as records do",
            "{name} är skadad: den börjar inte som studier gör"
        ),
        Damage::Checksum => words!(
            "{name} is damaged: its checksum does not hold",
            "{name} är skadad: dess kontrollsumma stämmer inte"
        ),
        Damage::Content => words!(
            "{name} is damaged: its content makes no sense",
            "{name} är skadad: dess innehåll går inte att förstå"
        ),
    }
}

/// Writes an order's file. Another machine may write the same bytes at the same moment.
fn write_plan(outside: &Outside, folder: &Path, order: &Order) -> Result<(), Failure> {
    let text = order.file()?;
    let written = outside.write(folder.join(PLAN_FILE), text.as_bytes());
    match (written, Order::in_folder(outside, folder)) {
        (Err(_), Ok(Some(there))) if there == *order => Ok(()),
        (written, _) => written,
    }
}

/// The hash of a plan as text.
pub(super) fn hash_text(planned: &Planned) -> String {
    hex(&planned.hash)
}
