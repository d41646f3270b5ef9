//! Texts that are numbered in the order of their first mention: one long text, and an index into it.
//!
//! A hundred thousand names are one piece of memory, found in constant time, and a stored projection holds them as
//! they lie. The index depends on the texts and their order only, so two folds of one ledger are equal byte for byte.

use crate::study::coded::{Coded, Source, put_words, take_words};

/// Numbered texts, each within a scope (0 where there is only one).
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Texts {
    /// All texts, one after another: together less than 4 GiB.
    text: String,
    /// Where each ends.
    ends: Vec<u32>,
    /// The scope of each.
    scopes: Vec<u32>,
    /// Open addressing, at most half full: 0, or the number of a text plus 1 with five bits of its hash above, so that a
    /// stranger in the way is passed without looking at its text.
    slots: Vec<u32>,
}

impl Texts {
    /// How many there are: the number of the next one.
    pub(super) fn len(&self) -> u32 {
        self.ends.len() as u32
    }

    /// The number of a text, if it has one.
    pub(super) fn find(&self, scope: u32, text: &str) -> Option<u32> {
        let mask = self.slots.len().checked_sub(1)?;
        let hash = hash(scope, text);
        let mut place = hash as usize & mask;
        loop {
            let slot = self.slots[place];
            let own = (slot & NUMBER).checked_sub(1)?;
            if slot & !NUMBER == tag(hash)
                && self.text(own) == text
                && self.scopes.get(own as usize) == Some(&scope)
            {
                return Some(own);
            }
            place = (place + 1) & mask;
        }
    }

    /// The number of a text; a new one gets the next.
    pub(super) fn name(&mut self, scope: u32, text: &str) -> u32 {
        if let Some(known) = self.find(scope, text) {
            return known;
        }
        let own = self.len();
        self.text.push_str(text);
        self.ends.push(self.text.len() as u32);
        self.scopes.push(scope);
        if self.slots.len() < 2 * self.ends.len() {
            self.slots = vec![0; (2 * self.slots.len()).max(16)];
            for known in 0..own {
                self.enter(known);
            }
        }
        self.enter(own);
        own
    }

    /// The numbers of a scope's texts.
    pub(super) fn of_scope(&self, scope: u32) -> impl Iterator<Item = u32> + '_ {
        (0..)
            .zip(&self.scopes)
            .filter(move |(_, own)| **own == scope)
            .map(|(number, _)| number)
    }

    /// A text by its number; empty for a number that none has.
    pub(super) fn text(&self, number: u32) -> &str {
        let number = number as usize;
        let from = match number {
            0 => 0,
            _ => self.ends.get(number - 1).copied().unwrap_or(u32::MAX),
        };
        let to = self.ends.get(number).copied().unwrap_or(u32::MAX);
        self.text.get(from as usize..to as usize).unwrap_or("")
    }

    fn enter(&mut self, number: u32) {
        let mask = self.slots.len() - 1;
        let scope = self.scopes[number as usize];
        let hash = hash(scope, self.text(number));
        let mut place = hash as usize & mask;
        while self.slots[place] != 0 {
            place = (place + 1) & mask;
        }
        self.slots[place] = (number + 1) | tag(hash);
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
    let (words, rest) = bytes.as_chunks::<8>();
    let sum = step(u64::from(scope), bytes.len() as u64 ^ ODD);
    let sum = words
        .iter()
        .fold(sum, |sum, word| step(sum, u64::from_le_bytes(*word)));
    let mut last = [0; 8];
    last[..rest.len()].copy_from_slice(rest);
    step(sum, u64::from_le_bytes(last) ^ ODD)
}

impl Coded for Texts {
    fn put(&self, out: &mut Vec<u8>) {
        self.text.put(out);
        put_words(&self.ends, out);
        put_words(&self.scopes, out);
        put_words(&self.slots, out);
    }

    fn take(input: &mut Source<'_>) -> Option<Self> {
        let text = String::take(input)?;
        let (ends, scopes) = (take_words(input)?, take_words(input)?);
        let slots = take_words(input)?;
        // An index without a free place would be searched forever.
        let fits = scopes.len() == ends.len()
            && slots.len() >= 2 * ends.len()
            && (slots.is_empty() || slots.len().is_power_of_two());
        fits.then_some(Self {
            text,
            ends,
            scopes,
            slots,
        })
    }
}

/// What texts were used for: the latest use of each.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Uses<T> {
    texts: Texts,
    uses: Vec<T>,
}

impl<T> Default for Uses<T> {
    fn default() -> Self {
        Self {
            texts: Texts::default(),
            uses: Vec::new(),
        }
    }
}

impl<T> Uses<T> {
    /// Notes a use.
    pub(super) fn note(&mut self, scope: u32, text: &str, own: T) {
        let place = self.texts.name(scope, text) as usize;
        match self.uses.get_mut(place) {
            Some(before) => *before = own,
            None => self.uses.push(own),
        }
    }

    /// Every use.
    pub(super) fn values_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.uses.iter_mut()
    }

    /// The use of a text.
    pub(super) fn get(&self, scope: u32, text: &str) -> Option<&T> {
        self.uses.get(self.texts.find(scope, text)? as usize)
    }
}

impl<T: Coded> Coded for Uses<T> {
    fn put(&self, out: &mut Vec<u8>) {
        self.texts.put(out);
        self.uses.put(out);
    }

    fn take(input: &mut Source<'_>) -> Option<Self> {
        let (texts, uses) = (Texts::take(input)?, Vec::take(input)?);
        let own = Self { texts, uses };
        (own.uses.len() == own.texts.ends.len()).then_some(own)
    }
}

#[cfg(test)]
mod tests {
    use super::{Texts, Uses};
    use crate::study::coded::{Coded, Source, framed};
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
        let mut bytes = Vec::new();
        own.put(&mut bytes);
        let stored = framed(1, &bytes);
        let mut rest = stored.as_slice();
        let mut source = Source::new(&mut rest).unwrap();
        assert_eq!(Texts::take(&mut source), Some(own));
    }

    #[test]
    fn the_latest_use_stands() {
        let mut uses = Uses::default();
        uses.note(0, "a", 1_u64);
        uses.note(0, "b", 2);
        uses.note(0, "a", 3);
        assert_eq!((uses.get(0, "a"), uses.get(0, "b")), (Some(&3), Some(&2)));
        assert_eq!((uses.get(1, "a"), uses.get(0, "c")), (None, None));
    }
}
