//! Texts that are numbered in the order of their first mention: one long text, and an index into it.
//!
//! A hundred thousand names are one piece of memory, found in constant time, and a stored projection holds them as
//! they lie. The index depends on the texts and their order only, so two folds of one ledger are equal byte for byte.

use crate::study::coded::{Coded, Sink, Source};
use crate::study::pages::{Limits, Page, Row, Stored, Table, put_pages};

/// Numbered texts, each within a scope (0 where there is only one).
#[derive(Debug, Clone, Default)]
pub(super) struct Texts {
    /// Those of a stored projection; they come first.
    stored: Option<Box<Stored<Chunk>>>,
    /// How many those are.
    first: u32,
    /// Those in memory.
    later: Chunk,
    /// Open addressing, at most half full: 0, or the number of a text plus 1 with five bits of its hash above, so that a
    /// stranger in the way is passed without looking at its text.
    slots: Table<u32>,
}

/// Texts one after another: together less than 4 GiB.
#[derive(Debug, Clone, Default)]
struct Chunk {
    text: String,
    /// Where each ends, and its scope: side by side, for they are looked at together.
    places: Vec<(u32, u32)>,
}

impl Chunk {
    /// Scope and text of a place.
    fn get(&self, place: usize) -> Option<(u32, &str)> {
        let from = match place {
            0 => 0,
            _ => self.places.get(place - 1)?.0,
        };
        let (to, scope) = *self.places.get(place)?;
        let text = self.text.get(from as usize..to as usize)?;
        Some((scope, text))
    }

    fn push(&mut self, scope: u32, text: &str) {
        self.text.push_str(text);
        self.places.push((self.text.len() as u32, scope));
    }
}

impl Page for Chunk {
    const ROWS: usize = 128;

    fn blank(rows: usize) -> Self {
        Self {
            text: String::new(),
            places: vec![(0, 0); rows],
        }
    }

    fn take(input: &mut Source<'_>, _: usize, rows: usize, _: &Limits) -> Option<Self> {
        let mut own = Self {
            text: String::new(),
            places: Vec::with_capacity(rows.min(input.left())),
        };
        let mut end = 0_u32;
        for _ in 0..rows {
            let scope = Coded::take(input)?;
            end = end.checked_add(Coded::take(input)?)?;
            own.places.push((end, scope));
        }
        own.text
            .push_str(std::str::from_utf8(input.bytes(end as usize)?).ok()?);
        Some(own)
    }
}

impl Texts {
    /// How many there are: the number of the next one.
    pub(super) fn len(&self) -> u32 {
        self.first + self.later.places.len() as u32
    }

    /// The number of a text, if it has one.
    pub(super) fn find(&self, scope: u32, text: &str) -> Option<u32> {
        self.seek(hash(scope, text), scope, text)
    }

    fn seek(&self, hash: u64, scope: u32, text: &str) -> Option<u32> {
        let mask = self.slots.len().checked_sub(1)?;
        let mut place = hash as usize & mask;
        // An index that was forged may have no free place.
        for _ in 0..=mask {
            let slot = *self.slots.get(place)?;
            let own = (slot & NUMBER).checked_sub(1)?;
            if slot & !NUMBER == tag(hash) && self.scoped(own) == Some((scope, text)) {
                return Some(own);
            }
            place = (place + 1) & mask;
        }
        None
    }

    /// The slot where a search for a text begins, if it is in memory. Who will search for several texts one after another
    /// looks at their slots first: far places of memory are fetched together in the time of one.
    pub(super) fn glance(&self, scope: u32, text: &str) -> u32 {
        let mask = self.slots.len().wrapping_sub(1);
        let slot = self.slots.loaded(hash(scope, text) as usize & mask);
        slot.copied().unwrap_or(0)
    }

    /// The number of a text; a new one gets the next.
    pub(super) fn name(&mut self, scope: u32, text: &str) -> u32 {
        let hash = hash(scope, text);
        match self.seek(hash, scope, text) {
            Some(known) => known,
            None => self.append(hash, scope, text),
        }
    }

    /// Gives the next number to a text that was looked for and has none.
    pub(super) fn add(&mut self, scope: u32, text: &str) -> u32 {
        self.append(hash(scope, text), scope, text)
    }

    fn append(&mut self, hash: u64, scope: u32, text: &str) -> u32 {
        let own = self.len();
        self.later.push(scope, text);
        let len = own as usize + 1;
        if self.slots.len() < 2 * len {
            self.slots = self.index(2 * self.slots.len().max(8));
        } else {
            enter(&mut self.slots, own, hash);
        }
        own
    }

    /// The numbers of a scope's texts.
    pub(super) fn of_scope(&self, scope: u32) -> impl Iterator<Item = u32> + '_ {
        (0..self.len()).filter(move |own| self.scoped(*own).is_some_and(|(of, _)| of == scope))
    }

    /// A text by its number; empty for a number that none has.
    pub(super) fn text(&self, number: u32) -> &str {
        self.scoped(number).map_or("", |(_, text)| text)
    }

    fn scoped(&self, number: u32) -> Option<(u32, &str)> {
        if let Some(own) = number.checked_sub(self.first) {
            return self.later.get(own as usize);
        }
        let (page, own) = self.stored.as_ref()?.page(number as usize)?;
        page.get(own)
    }

    /// An index with so many places. It depends on the texts, their order and its length only.
    fn index(&self, places: usize) -> Table<u32> {
        let mut slots = Table::of(vec![0; places]);
        for own in 0..self.len() {
            if let Some((scope, text)) = self.scoped(own) {
                enter(&mut slots, own, hash(scope, text));
            }
        }
        slots
    }

    /// Brings every text into memory.
    pub(super) fn load_all(&mut self) {
        self.slots.load_all();
        let Some(stored) = self.stored.take() else {
            return;
        };
        let later = std::mem::take(&mut self.later);
        let chunks = stored.into_pages().chain(std::iter::once(later));
        for chunk in chunks {
            for place in 0..chunk.places.len() {
                let (scope, text) = chunk.get(place).unwrap_or_default();
                self.later.push(scope, text);
            }
        }
        self.first = 0;
    }
}

impl PartialEq for Texts {
    fn eq(&self, other: &Self) -> bool {
        let same = |own: u32| self.scoped(own) == other.scoped(own);
        self.len() == other.len() && (0..self.len()).all(same)
    }
}

/// Puts a number into an index that has a free place. One that was forged may have none, and is left as it is.
fn enter(slots: &mut Table<u32>, number: u32, hash: u64) {
    let mask = slots.len().saturating_sub(1);
    let mut place = hash as usize & mask;
    for _ in 0..=mask {
        match slots.get_mut(place) {
            Some(slot) if *slot == 0 => {
                *slot = (number + 1) | tag(hash);
                return;
            }
            _ => place = (place + 1) & mask,
        }
    }
}

/// The bits of a slot that hold a number: 134 million texts, more than 4 GiB hold.
const NUMBER: u32 = (1 << 27) - 1;

/// The highest bits of a hash, at their place in a slot.
fn tag(hash: u64) -> u32 {
    (hash >> 32) as u32 & !NUMBER
}

/// Spreads texts over an index. Frozen together with the form of the projection, for the index is stored.
fn hash(scope: u32, text: &str) -> u64 {
    const ODD: u64 = 0x9e37_79b9_7f4a_7c15;
    let step = |sum: u64, word: u64| {
        let wide = u128::from(sum ^ word) * u128::from(ODD);
        wide as u64 ^ (wide >> 64) as u64
    };
    let bytes = text.as_bytes();
    let (words, _) = bytes.as_chunks::<8>();
    let sum = step(u64::from(scope), bytes.len() as u64 ^ ODD);
    let sum = words
        .iter()
        .fold(sum, |sum, word| step(sum, u64::from_le_bytes(*word)));
    step(sum, rest(bytes) ^ ODD)
}

/// The bytes after the last whole word, filled up with zeros to one, the first byte lowest. They are never gathered in memory:
/// a word that is read where its bytes were just written waits for everything before it, also for the slots of other texts.
fn rest(bytes: &[u8]) -> u64 {
    let len = bytes.len();
    let up = |own: u64, places: usize| own << (8 * places);
    if let Some(last) = bytes.last_chunk::<8>() {
        let last = u64::from_le_bytes(*last);
        return last.checked_shr(8 * (8 - len as u32 % 8)).unwrap_or(0);
    }
    if let (Some(first), Some(last)) = (bytes.first_chunk::<4>(), bytes.last_chunk::<4>()) {
        let [first, last] = [first, last].map(|own| u64::from(u32::from_le_bytes(*own)));
        return first | up(last, len - 4);
    }
    let byte = |place: usize| bytes.get(place).map_or(0, |own| up(u64::from(*own), place));
    byte(0) | byte(1) | byte(2)
}

/// Places of an index as it is stored: with room for the texts that come until the next projection.
fn places(texts: u32) -> usize {
    (2 * texts as usize + texts as usize / 8 + 2048).next_power_of_two()
}

impl Coded for Texts {
    fn put(&self, out: &mut Sink) {
        put_pages(self.len() as usize, Chunk::ROWS, out, |rows, page| {
            let texts = || rows.clone().filter_map(|own| self.scoped(own as u32));
            for (scope, text) in texts() {
                (scope, text.len()).put(page);
            }
            texts().for_each(|(_, text)| page.bytes(text.as_bytes()));
        });
        let places = places(self.len());
        if self.slots.len() == places {
            self.slots.put(out);
        } else {
            self.index(places).put(out);
        }
    }

    fn take(input: &mut Source<'_>) -> Option<Self> {
        let stored = Stored::take(input)?;
        let first = u32::try_from(stored.rows()).ok()?;
        let slots = Table::take(input)?;
        (slots.len() == places(first) && first < NUMBER).then_some(Self {
            stored: Some(Box::new(stored)),
            first,
            later: Chunk::default(),
            slots,
        })
    }
}

/// What texts were used for: the latest use of each.
#[derive(Debug, Clone)]
pub(super) struct Uses<T> {
    texts: Texts,
    uses: Table<T>,
}

impl<T> Default for Uses<T> {
    fn default() -> Self {
        Self {
            texts: Texts::default(),
            uses: Table::new(),
        }
    }
}

impl<T: Row> Uses<T> {
    /// Notes a use.
    pub(super) fn note(&mut self, scope: u32, text: &str, own: T) {
        let place = self.texts.name(scope, text) as usize;
        match self.uses.get_mut(place) {
            Some(before) => *before = own,
            None => self.uses.push(own),
        }
    }

    /// Brings every use into memory.
    pub(super) fn load_all(&mut self) {
        self.texts.load_all();
        self.uses.load_all();
    }

    /// Every use.
    pub(super) fn values_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.uses.iter_mut()
    }

    /// As [`Texts::glance`].
    pub(super) fn glance(&self, scope: u32, text: &str) -> u32 {
        self.texts.glance(scope, text)
    }

    /// The use of a text.
    pub(super) fn get(&self, scope: u32, text: &str) -> Option<&T> {
        self.uses.get(self.texts.find(scope, text)? as usize)
    }
}

impl<T: Row> Coded for Uses<T> {
    fn put(&self, out: &mut Sink) {
        self.texts.put(out);
        self.uses.put(out);
    }

    fn take(input: &mut Source<'_>) -> Option<Self> {
        let (texts, uses) = (Texts::take(input)?, Table::take(input)?);
        let own = Self { texts, uses };
        (own.uses.len() == own.texts.len() as usize).then_some(own)
    }
}

#[cfg(test)]
mod tests {
    use super::{Texts, Uses, rest};
    use crate::study::coded::{Coded, Sink, Source};
    use crate::study::pages::{Limits, Shelf};
    use std::collections::HashMap;

    /// Against the standard library's map, over texts of all lengths and two scopes.
    #[test]
    fn texts_are_numbered_as_they_come_and_found_again() {
        let (mut own, mut map) = (Texts::default(), HashMap::new());
        for number in 0..3000_usize {
            let text = "å-KATL-MORU-0123456789".get(..number % 5 * 2).unwrap_or("");
            let text = format!("{text}{}", number * 7919 % 1009);
            let scope = (number % 2) as u32;
            assert_eq!(
                own.find(scope, &text),
                map.get(&(scope, text.clone())).copied()
            );
            let next = map.len() as u32;
            let expected = *map.entry((scope, text.clone())).or_insert(next);
            assert_eq!(own.name(scope, &text), expected);
            assert_eq!(own.text(expected), text);
        }
        assert_eq!(own.len(), map.len() as u32);
        assert_eq!(own.text(own.len()), "");
        let mut out = Sink::default();
        own.put(&mut out);
        let shelf = std::sync::Arc::new(Shelf::new(Box::new(out.body), 0));
        shelf.limit(Limits::default());
        let mut again = Texts::take(&mut Source::of_root(&out.root, shelf)).unwrap();
        assert_eq!(again, own);
        // Taken up from pages, it goes on as the other does.
        for number in 3000..6000_usize {
            let text = format!("{}", number * 7919 % 4007);
            assert_eq!(again.find(0, &text), own.find(0, &text));
            assert_eq!(again.name(0, &text), own.name(0, &text));
        }
        assert_eq!(again, own);
        again.load_all();
        assert_eq!(again, own);
        let stored = |texts: &Texts| {
            let mut out = Sink::default();
            texts.put(&mut out);
            (out.root, out.body)
        };
        assert_eq!(stored(&again), stored(&own));
    }

    /// Against the bytes themselves, of every length up to three words.
    #[test]
    fn the_rest_of_a_text_is_its_last_bytes() {
        let bytes: Vec<u8> = (1..=24).collect();
        for len in 0..=24 {
            let mut last = [0; 8];
            last[..len % 8].copy_from_slice(&bytes[len / 8 * 8..len]);
            assert_eq!(rest(&bytes[..len]), u64::from_le_bytes(last), "{len}");
        }
    }

    #[test]
    fn the_latest_use_stands() {
        let mut uses = Uses::default();
        uses.note(0, "a", 1_u32);
        uses.note(0, "b", 2);
        uses.note(0, "a", 3);
        assert_eq!((uses.get(0, "a"), uses.get(0, "b")), (Some(&3), Some(&2)));
        assert_eq!((uses.get(1, "a"), uses.get(0, "c")), (None, None));
    }
}
