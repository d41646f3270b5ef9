//! Tables whose first rows may lie in a stored projection, page by page, and are read when they are asked for.
//!
//! A [`Table`] is rows in memory behind rows in pages. A state that was folded has none of the latter, and its tables are
//! plain vectors. A fold that was taken up from a projection reads and decodes the few pages that one command touches.
//! A page that cannot be read or has another sum gives blank rows and marks the [`Shelf`] as torn: whoever decided by such
//! a fold must ask [`Shelf::is_torn`] before anything is told or written, and fold the ledger's rows instead.

use super::coded::{Coded, Sink, Source, Sum, check_sum};
use std::fmt;
use std::ops::{Index, IndexMut};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

/// Bytes that are read at any place: a file, or memory.
pub trait Bytes: fmt::Debug + Send + Sync {
    /// How many there are.
    fn len(&self) -> u64;
    /// Whether there are none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// Fills `into` with the bytes from `at` on; `false` if there are not so many or they cannot be read.
    fn read(&self, at: u64, into: &mut [u8]) -> bool;
}

impl Bytes for Vec<u8> {
    fn len(&self) -> u64 {
        self.as_slice().len() as u64
    }

    fn read(&self, at: u64, into: &mut [u8]) -> bool {
        let own = usize::try_from(at)
            .ok()
            .and_then(|at| self.get(at..)?.get(..into.len()));
        own.is_some_and(|own| {
            into.copy_from_slice(own);
            true
        })
    }
}

/// How far numbers in a page may reach: a row that says more was forged, and its page counts as torn.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Limits {
    /// Families with a name; a state may have fewer.
    pub(super) families: u32,
    pub(super) children: u32,
    pub(super) reports: u32,
    pub(super) deliverers: u32,
    pub(super) occurrences: u32,
    pub(super) earlier: u32,
    /// Children whom intake named with reports.
    pub(super) named: u32,
    pub(super) allocations: u32,
    pub(super) sites: u16,
    pub(super) arms: u8,
    pub(super) fields: u8,
    pub(super) criteria: u8,
    /// Reasons of exceptions.
    pub(super) exceptions: u16,
    /// Reasons of violations.
    pub(super) violations: u16,
    pub(super) outcomes: u16,
    /// The last row of the ledger.
    pub(super) sequence: u64,
}

/// What the pages of a projection have in common.
#[derive(Debug)]
pub(super) struct Shelf {
    bytes: Box<dyn Bytes>,
    /// Where the pages begin.
    from: u64,
    limits: OnceLock<Limits>,
    torn: AtomicBool,
}

impl Shelf {
    pub(super) fn new(bytes: Box<dyn Bytes>, from: u64) -> Self {
        Self {
            bytes,
            from,
            limits: OnceLock::new(),
            torn: AtomicBool::new(false),
        }
    }

    /// Whether a page was asked for that is not whole: nothing that was decided with it may be believed.
    pub(super) fn is_torn(&self) -> bool {
        self.torn.load(Ordering::Relaxed)
    }

    /// Says how far numbers may reach; to be called before the first page is read.
    pub(super) fn limit(&self, limits: Limits) {
        let _ = self.limits.set(limits);
    }

    /// Whether the pages end where the bytes do, and each is whole.
    pub(super) fn is_whole(&self, spots: &[Spot]) -> bool {
        let end = spots.last().map_or(0, |spot| spot.at + u64::from(spot.len));
        self.from + end == self.bytes.len() && spots.iter().all(|spot| self.read(*spot).is_some())
    }

    fn read(&self, spot: Spot) -> Option<Vec<u8>> {
        let at = self.from.checked_add(spot.at)?;
        // A length that was forged asks for no room.
        if at.checked_add(u64::from(spot.len))? > self.bytes.len() {
            return None;
        }
        let mut page = vec![0; spot.len as usize];
        let whole = self.bytes.read(at, &mut page) && check_sum(&page) == spot.sum;
        whole.then_some(page)
    }

    fn page<P: Page>(&self, spot: Spot, first: usize, rows: usize) -> P {
        let limits = self.limits.get().copied().unwrap_or_default();
        let own = self.read(spot).and_then(|bytes| {
            let mut source = Source::new(&bytes);
            let own = P::take(&mut source, first, rows, &limits)?;
            source.ends().then_some(own)
        });
        own.unwrap_or_else(|| {
            self.torn.store(true, Ordering::Relaxed);
            P::blank(rows)
        })
    }
}

/// Where a page lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Spot {
    at: u64,
    len: u32,
    sum: Sum,
}

/// The rows of a page.
pub(super) trait Page: Clone + fmt::Debug {
    /// Rows in a page; the last one may have fewer.
    const ROWS: usize;
    /// The page in the place of one that is not whole.
    fn blank(rows: usize) -> Self;
    /// Reads so many rows, the first of which has the place `first`.
    fn take(input: &mut Source<'_>, first: usize, rows: usize, limits: &Limits) -> Option<Self>;
}

/// Rows in pages. All but the last are full.
#[derive(Debug, Clone)]
pub(super) struct Stored<P> {
    pages: Vec<OnceLock<P>>,
    spots: Vec<Spot>,
    rows: usize,
    shelf: Arc<Shelf>,
}

impl<P: Page> Stored<P> {
    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    /// The page of a row, and the row's place in it.
    pub(super) fn page(&self, row: usize) -> Option<(&P, usize)> {
        let number = row / P::ROWS;
        let own = self.pages.get(number)?;
        Some((own.get_or_init(|| self.load(number)), row % P::ROWS))
    }

    fn page_mut(&mut self, row: usize) -> Option<(&mut P, usize)> {
        self.page(row)?;
        let own = self.pages.get_mut(row / P::ROWS)?.get_mut()?;
        Some((own, row % P::ROWS))
    }

    /// Every page.
    pub(super) fn into_pages(self) -> impl Iterator<Item = P> {
        let loaded: Vec<P> = (0..self.pages.len())
            .map(|number| match self.pages[number].get() {
                Some(own) => own.clone(),
                None => self.load(number),
            })
            .collect();
        loaded.into_iter()
    }

    fn load(&self, number: usize) -> P {
        let first = number * P::ROWS;
        let rows = P::ROWS.min(self.rows - first);
        self.shelf.page(self.spots[number], first, rows)
    }

    /// Reads where the pages of a table lie.
    pub(super) fn take(input: &mut Source<'_>) -> Option<Self> {
        let rows = usize::take(input)?;
        let count = rows.div_ceil(P::ROWS);
        if count > input.left() {
            return None;
        }
        let (shelf, mut at) = input.pages.clone()?;
        let mut spots = Vec::with_capacity(count);
        for _ in 0..count {
            let len = u32::take(input)?;
            let (sum, _) = input.bytes(16)?.as_chunks();
            let sum = *sum.first()?;
            spots.push(Spot { at, len, sum });
            at = at.checked_add(u64::from(len))?;
        }
        input.spots.extend_from_slice(&spots);
        input.pages = Some((Arc::clone(&shelf), at));
        let mut pages = Vec::with_capacity(count);
        pages.resize_with(count, OnceLock::new);
        Some(Self {
            pages,
            spots,
            rows,
            shelf,
        })
    }
}

/// Writes the pages of a table, each by its number of rows, and in the root where they lie.
pub(super) fn put_pages(
    rows: usize,
    in_page: usize,
    out: &mut Sink,
    mut put: impl FnMut(std::ops::Range<usize>, &mut Sink),
) {
    rows.put(out);
    let mut page = Sink::default();
    for first in (0..rows).step_by(in_page) {
        put(first..rows.min(first + in_page), &mut page);
        (page.root.len() as u32).put(out);
        out.bytes(&check_sum(&page.root));
        out.body.append(&mut page.root);
    }
}

/// A row of a table.
pub(super) trait Row: Coded + Clone + fmt::Debug {
    /// Rows in a page.
    const IN_PAGE: usize;
    /// The row in the place of one whose page is not whole.
    fn blank() -> Self;
    /// Whether the row with that place keeps to the limits.
    fn fits(&self, place: usize, limits: &Limits) -> bool;
    /// Writes rows.
    fn put_all<'a>(rows: impl Iterator<Item = &'a Self>, out: &mut Sink)
    where
        Self: 'a,
    {
        rows.for_each(|row| row.put(out));
    }
    /// Reads rows.
    fn take_all(rows: usize, input: &mut Source<'_>) -> Option<Vec<Self>> {
        let mut own = Vec::with_capacity(rows.min(input.left()));
        for _ in 0..rows {
            own.push(Self::take(input)?);
        }
        Some(own)
    }
}

impl<T: Row> Page for Vec<T> {
    const ROWS: usize = T::IN_PAGE;

    fn blank(rows: usize) -> Self {
        vec![T::blank(); rows]
    }

    fn take(input: &mut Source<'_>, first: usize, rows: usize, limits: &Limits) -> Option<Self> {
        let own = T::take_all(rows, input)?;
        let fits = |(place, row): (usize, &T)| row.fits(place, limits);
        (first..).zip(&own).all(fits).then_some(own)
    }
}

/// Rows by their place: those of a stored projection first, then those in memory.
#[derive(Clone)]
pub struct Table<T> {
    rows: Vec<T>,
    /// The place of the first row in memory.
    first: usize,
    stored: Option<Box<Stored<Vec<T>>>>,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> Table<T> {
    /// An empty table.
    pub const fn new() -> Self {
        Self::of(Vec::new())
    }

    /// A table of rows in memory.
    pub(super) const fn of(rows: Vec<T>) -> Self {
        Self {
            rows,
            first: 0,
            stored: None,
        }
    }

    /// How many rows there are.
    #[inline]
    pub fn len(&self) -> usize {
        self.first + self.rows.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The row at a place, if it is in memory.
    #[inline]
    pub(super) fn loaded(&self, place: usize) -> Option<&T> {
        self.rows.get(place.wrapping_sub(self.first))
    }

    /// Appends a row.
    #[inline]
    pub fn push(&mut self, row: T) {
        self.rows.push(row);
    }

    /// Removes all rows and keeps their memory.
    pub fn clear(&mut self) {
        self.rows.clear();
        self.first = 0;
        self.stored = None;
    }
}

#[expect(
    private_bounds,
    reason = "what can be a row is the business of the projection"
)]
impl<T: Row> Table<T> {
    /// The row at a place.
    #[inline]
    pub fn get(&self, place: usize) -> Option<&T> {
        // Of rows in memory alone this is what a vector does.
        match self.rows.get(place.wrapping_sub(self.first)) {
            None => self.stored_row(place),
            own => own,
        }
    }

    #[cold]
    fn stored_row(&self, place: usize) -> Option<&T> {
        let (page, own) = self.stored.as_ref()?.page(place)?;
        page.get(own)
    }

    /// The row at a place, to be changed.
    #[inline]
    pub fn get_mut(&mut self, place: usize) -> Option<&mut T> {
        let own = place.wrapping_sub(self.first);
        if own < self.rows.len() {
            return self.rows.get_mut(own);
        }
        self.stored_row_mut(place)
    }

    #[cold]
    fn stored_row_mut(&mut self, place: usize) -> Option<&mut T> {
        let (page, own) = self.stored.as_mut()?.page_mut(place)?;
        page.get_mut(own)
    }

    /// Every row in order.
    pub fn iter(&self) -> Rows<'_, T> {
        Rows {
            table: self,
            place: 0,
            memory: self.rows.iter(),
        }
    }

    /// Every row in order, to be changed.
    pub fn iter_mut(&mut self) -> std::slice::IterMut<'_, T> {
        self.load_all();
        self.rows.iter_mut()
    }

    /// Brings every row into memory.
    pub(super) fn load_all(&mut self) {
        let Some(stored) = self.stored.take() else {
            return;
        };
        let all = Vec::with_capacity(self.len());
        let later = std::mem::replace(&mut self.rows, all);
        stored.into_pages().for_each(|page| self.rows.extend(page));
        self.rows.extend(later);
        self.first = 0;
    }

    /// The place of the row with a key, in a table that is sorted by it.
    pub(super) fn search<K: Ord>(&self, key: &K, of: impl Fn(&T) -> K) -> Option<usize> {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = low + (high - low) / 2;
            match of(self.get(middle)?).cmp(key) {
                std::cmp::Ordering::Equal => return Some(middle),
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
            }
        }
        None
    }
}

/// The rows of a table in order.
#[derive(Debug)]
pub struct Rows<'a, T> {
    table: &'a Table<T>,
    place: usize,
    memory: std::slice::Iter<'a, T>,
}

impl<'a, T: Row> Iterator for Rows<'a, T> {
    type Item = &'a T;

    #[inline]
    fn next(&mut self) -> Option<&'a T> {
        if self.place < self.table.first {
            self.place += 1;
            return self.table.stored_row(self.place - 1);
        }
        self.memory.next()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.table.first - self.place + self.memory.len();
        (left, Some(left))
    }
}

impl<'a, T: Row> IntoIterator for &'a Table<T> {
    type Item = &'a T;
    type IntoIter = Rows<'a, T>;

    fn into_iter(self) -> Rows<'a, T> {
        self.iter()
    }
}

impl<'a, T: Row> IntoIterator for &'a mut Table<T> {
    type Item = &'a mut T;
    type IntoIter = std::slice::IterMut<'a, T>;

    fn into_iter(self) -> std::slice::IterMut<'a, T> {
        self.iter_mut()
    }
}

impl<T: Row> Index<usize> for Table<T> {
    type Output = T;

    #[inline]
    fn index(&self, place: usize) -> &T {
        match self.get(place) {
            Some(row) => row,
            // As a vector does.
            None => &self.rows[place],
        }
    }
}

impl<T: Row> IndexMut<usize> for Table<T> {
    #[inline]
    fn index_mut(&mut self, place: usize) -> &mut T {
        let own = place.wrapping_sub(self.first);
        if own < self.rows.len() {
            return &mut self.rows[own];
        }
        match self.stored.as_mut().and_then(|own| own.page_mut(place)) {
            Some((page, own)) => &mut page[own],
            None => &mut self.rows[place],
        }
    }
}

impl<T: fmt::Debug> fmt::Debug for Table<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Table")
            .field("stored", &self.first)
            .field("rows", &self.rows)
            .finish_non_exhaustive()
    }
}

impl<T: Row + PartialEq> PartialEq for Table<T> {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len() && self.iter().eq(other)
    }
}

impl<T: Row> Coded for Table<T> {
    fn put(&self, out: &mut Sink) {
        put_pages(self.len(), T::IN_PAGE, out, |rows, page| {
            T::put_all(rows.filter_map(|place| self.get(place)), page);
        });
    }

    fn take(input: &mut Source<'_>) -> Option<Self> {
        let stored = Stored::take(input)?;
        Some(Self {
            rows: Vec::new(),
            first: stored.rows,
            stored: Some(Box::new(stored)),
        })
    }
}

impl Row for u32 {
    const IN_PAGE: usize = 512;

    fn blank() -> Self {
        0
    }

    fn fits(&self, _: usize, _: &Limits) -> bool {
        true
    }

    fn put_all<'a>(rows: impl Iterator<Item = &'a Self>, out: &mut Sink) {
        rows.for_each(|word| out.bytes(&word.to_le_bytes()));
    }

    fn take_all(rows: usize, input: &mut Source<'_>) -> Option<Vec<Self>> {
        let (words, _) = input.bytes(rows.checked_mul(4)?)?.as_chunks();
        Some(words.iter().map(|own| Self::from_le_bytes(*own)).collect())
    }
}
