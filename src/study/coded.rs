//! Values as bytes and back, for the stored projection of a ledger: compact, quick, and of one program version only.
//!
//! Whole numbers are written seven bits a byte, the lowest first; signed ones with the sign in the lowest bit. A
//! structure is its fields one after another: [`coded!`] names them all, so that a new field cannot be forgotten.
//! Nothing here is a format for people or other programs; those read the ledger.
//!
//! Bytes lie in frames of 64 KiB, each with a sum, so that a long projection is read through a short piece of memory
//! and what is cut, torn or changed by accident is seen before it is used.

use std::collections::BTreeSet;
use std::io::Read;

/// A value that is written into a projection and read back.
pub(super) trait Coded: Sized {
    /// Appends the value.
    fn put(&self, out: &mut Vec<u8>);
    /// Takes the value from the front; `None` if the bytes are no such value.
    fn take(input: &mut Source<'_>) -> Option<Self>;
}

/// Implements [`Coded`] for a structure by naming all of its fields.
macro_rules! coded {
    ($name:ident { $($field:ident),* $(,)? }) => {
        impl $crate::study::coded::Coded for $name {
            fn put(&self, out: &mut Vec<u8>) {
                let Self { $($field),* } = self;
                $($crate::study::coded::Coded::put($field, out);)*
            }
            fn take(input: &mut $crate::study::coded::Source<'_>) -> Option<Self> {
                $(let $field = $crate::study::coded::Coded::take(input)?;)*
                Some(Self { $($field),* })
            }
        }
    };
    ($name:ident (whole)) => {
        impl $crate::study::coded::Coded for $name {
            fn put(&self, out: &mut Vec<u8>) {
                $crate::study::coded::Coded::put(&self.0, out);
            }
            fn take(input: &mut $crate::study::coded::Source<'_>) -> Option<Self> {
                Some(Self($crate::study::coded::Coded::take(input)?))
            }
        }
    };
}
pub(super) use coded;

/// Content of a frame; the last one may be shorter.
const FRAME: usize = 1 << 16;

/// Puts bytes into frames: `seed` of what they belong to, then each frame and its sum.
pub(super) fn framed(seed: u64, bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len() + 8 * (2 + bytes.len() / FRAME));
    out.extend_from_slice(&seed.to_le_bytes());
    for (number, frame) in (0_u64..).zip(bytes.chunks(FRAME)) {
        out.extend_from_slice(frame);
        out.extend_from_slice(&check_sum(seed, number, frame).to_le_bytes());
    }
    out
}

/// Bytes that are taken from the front, frame by frame.
pub(super) struct Source<'a> {
    from: &'a mut dyn Read,
    seed: u64,
    number: u64,
    frame: Vec<u8>,
    at: usize,
}

impl<'a> Source<'a> {
    /// Begins to read what [`framed`] wrote.
    pub(super) fn new(from: &'a mut dyn Read) -> Option<Self> {
        let mut seed = [0; 8];
        from.read_exact(&mut seed).ok()?;
        Some(Self {
            from,
            seed: u64::from_le_bytes(seed),
            number: 0,
            frame: Vec::new(),
            at: 0,
        })
    }

    /// What the bytes say that they belong to.
    pub(super) fn seed(&self) -> u64 {
        self.seed
    }

    /// Whether everything was taken and every frame was whole.
    pub(super) fn ends(&mut self) -> bool {
        self.at == self.frame.len() && self.next().is_none() && self.frame.is_empty()
    }

    /// Whether every frame from here on is whole.
    pub(super) fn is_whole(&mut self) -> bool {
        while self.next().is_some() {}
        self.frame.is_empty()
    }

    #[inline]
    fn byte(&mut self) -> Option<u8> {
        if self.at == self.frame.len() {
            self.next()?;
        }
        let own = *self.frame.get(self.at)?;
        self.at += 1;
        Some(own)
    }

    /// The next frame, if there is one and its sum fits. At the end the frame is empty; a frame that does not fit stays
    /// unread, so that nothing more is taken.
    fn next(&mut self) -> Option<()> {
        self.frame.clear();
        self.at = 0;
        let limit = FRAME as u64 + 8;
        (&mut *self.from)
            .take(limit)
            .read_to_end(&mut self.frame)
            .ok()?;
        if self.frame.is_empty() {
            return None;
        }
        let content = self.frame.len().checked_sub(8);
        let fits = content.is_some_and(|content| {
            let (own, sum) = self.frame.split_at(content);
            check_sum(self.seed, self.number, own).to_le_bytes() == sum
        });
        self.number += 1;
        if fits {
            self.frame.truncate(content?);
            Some(())
        } else {
            self.at = self.frame.len();
            None
        }
    }

    /// Hands so many bytes on, piece by piece.
    fn pieces(&mut self, mut len: usize, mut each: impl FnMut(&[u8])) -> Option<()> {
        while len > 0 {
            if self.at == self.frame.len() {
                self.next()?;
            }
            let rest = self.frame.get(self.at..)?;
            let piece = rest.get(..len.min(rest.len()))?;
            each(piece);
            self.at += piece.len();
            len -= piece.len();
        }
        Some(())
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let mut own = [0; N];
        let mut at = 0;
        self.pieces(N, |piece| {
            own[at..at + piece.len()].copy_from_slice(piece);
            at += piece.len();
        })?;
        Some(own)
    }

    /// Bytes of a length that the bytes before said, which may be wrong.
    pub(super) fn bytes(&mut self, len: usize) -> Option<Vec<u8>> {
        let mut own = Vec::with_capacity(len.min(MOST));
        self.pieces(len, |piece| own.extend_from_slice(piece))?;
        Some(own)
    }
}

/// Most room that is asked for before the values are seen.
const MOST: usize = 1 << 26;

impl Coded for u64 {
    fn put(&self, out: &mut Vec<u8>) {
        let mut rest = *self;
        while rest >= 0x80 {
            out.push(rest as u8 | 0x80);
            rest >>= 7;
        }
        out.push(rest as u8);
    }

    #[inline]
    fn take(input: &mut Source<'_>) -> Option<Self> {
        let mut byte = input.byte()?;
        let mut own = Self::from(byte & 0x7f);
        let mut shift = 7;
        while byte & 0x80 != 0 {
            byte = input.byte()?;
            if shift > 63 {
                return None;
            }
            own |= Self::from(byte & 0x7f) << shift;
            shift += 7;
        }
        Some(own)
    }
}

macro_rules! whole {
    ($($type:ty),*) => { $(
        impl Coded for $type {
            fn put(&self, out: &mut Vec<u8>) {
                u64::from(*self).put(out);
            }
            #[inline]
            fn take(input: &mut Source<'_>) -> Option<Self> {
                Self::try_from(u64::take(input)?).ok()
            }
        }
    )* };
}
whole!(u8, u16, u32);

impl Coded for usize {
    fn put(&self, out: &mut Vec<u8>) {
        (*self as u64).put(out);
    }

    #[inline]
    fn take(input: &mut Source<'_>) -> Option<Self> {
        Self::try_from(u64::take(input)?).ok()
    }
}

impl Coded for i64 {
    fn put(&self, out: &mut Vec<u8>) {
        (((*self as u64) << 1) ^ ((*self >> 63) as u64)).put(out);
    }

    #[inline]
    fn take(input: &mut Source<'_>) -> Option<Self> {
        let own = u64::take(input)?;
        Some((own >> 1) as Self ^ -((own & 1) as Self))
    }
}

impl Coded for i32 {
    fn put(&self, out: &mut Vec<u8>) {
        i64::from(*self).put(out);
    }

    #[inline]
    fn take(input: &mut Source<'_>) -> Option<Self> {
        Self::try_from(i64::take(input)?).ok()
    }
}

impl Coded for f64 {
    fn put(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.to_bits().to_le_bytes());
    }

    fn take(input: &mut Source<'_>) -> Option<Self> {
        Some(Self::from_bits(u64::from_le_bytes(input.array()?)))
    }
}

impl Coded for bool {
    fn put(&self, out: &mut Vec<u8>) {
        out.push(u8::from(*self));
    }

    #[inline]
    fn take(input: &mut Source<'_>) -> Option<Self> {
        match u8::take(input)? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }
}

impl Coded for [u8; 32] {
    fn put(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self);
    }

    fn take(input: &mut Source<'_>) -> Option<Self> {
        input.array()
    }
}

/// Values of fields: as many as there are up to the last that is not 0.
impl<const N: usize> Coded for [i64; N] {
    fn put(&self, out: &mut Vec<u8>) {
        let used = self
            .iter()
            .rposition(|own| *own != 0)
            .map_or(0, |at| at + 1);
        used.put(out);
        for own in &self[..used] {
            own.put(out);
        }
    }

    #[inline]
    fn take(input: &mut Source<'_>) -> Option<Self> {
        let used = usize::take(input)?;
        let mut own = [0; N];
        for value in own.get_mut(..used)? {
            *value = i64::take(input)?;
        }
        Some(own)
    }
}

impl Coded for String {
    fn put(&self, out: &mut Vec<u8>) {
        self.len().put(out);
        out.extend_from_slice(self.as_bytes());
    }

    fn take(input: &mut Source<'_>) -> Option<Self> {
        let len = usize::take(input)?;
        Self::from_utf8(input.bytes(len)?).ok()
    }
}

impl<T: Coded> Coded for Option<T> {
    fn put(&self, out: &mut Vec<u8>) {
        self.is_some().put(out);
        if let Some(own) = self {
            own.put(out);
        }
    }

    #[inline]
    fn take(input: &mut Source<'_>) -> Option<Self> {
        Some(if bool::take(input)? {
            Some(T::take(input)?)
        } else {
            None
        })
    }
}

impl<T: Coded> Coded for Vec<T> {
    fn put(&self, out: &mut Vec<u8>) {
        self.len().put(out);
        for own in self {
            own.put(out);
        }
    }

    fn take(input: &mut Source<'_>) -> Option<Self> {
        let len = usize::take(input)?;
        let mut own = Self::with_capacity(len.min(MOST / size_of::<T>().max(1)));
        for _ in 0..len {
            own.push(T::take(input)?);
        }
        Some(own)
    }
}

impl Coded for BTreeSet<String> {
    fn put(&self, out: &mut Vec<u8>) {
        self.len().put(out);
        for own in self {
            own.put(out);
        }
    }

    fn take(input: &mut Source<'_>) -> Option<Self> {
        Some(Vec::take(input)?.into_iter().collect())
    }
}

impl<A: Coded, B: Coded> Coded for (A, B) {
    fn put(&self, out: &mut Vec<u8>) {
        self.0.put(out);
        self.1.put(out);
    }

    fn take(input: &mut Source<'_>) -> Option<Self> {
        Some((A::take(input)?, B::take(input)?))
    }
}

/// Writes numbers of four bytes each, for tables that are read at the speed of memory.
pub(super) fn put_words(words: &[u32], out: &mut Vec<u8>) {
    words.len().put(out);
    out.reserve(4 * words.len());
    for word in words {
        out.extend_from_slice(&word.to_le_bytes());
    }
}

/// Reads what [`put_words`] wrote.
pub(super) fn take_words(input: &mut Source<'_>) -> Option<Vec<u32>> {
    let len = usize::take(input)?;
    let bytes = input.bytes(len.checked_mul(4)?)?;
    let (words, _) = bytes.as_chunks();
    Some(words.iter().map(|word| u32::from_le_bytes(*word)).collect())
}

/// A number by which a frame that was cut, torn or changed by accident is told from a whole one; no seal against
/// anybody.
fn check_sum(seed: u64, number: u64, bytes: &[u8]) -> u64 {
    const ODD: u64 = 0x9e37_79b9_7f4a_7c15;
    let step = |lane: u64, word: u64| (lane ^ word).wrapping_mul(ODD).rotate_left(29);
    let (blocks, rest) = bytes.as_chunks::<32>();
    let mut lanes = [seed, number, 3, 4];
    for block in blocks {
        let (words, _) = block.as_chunks::<8>();
        for (lane, word) in lanes.iter_mut().zip(words) {
            *lane = step(*lane, u64::from_le_bytes(*word));
        }
    }
    let sum = lanes.into_iter().fold(bytes.len() as u64, step);
    rest.iter()
        .fold(sum, |sum, byte| step(sum, u64::from(*byte)))
}

#[cfg(test)]
mod tests {
    use super::{Coded, FRAME, Source, framed, put_words, take_words};

    fn taken<T: Coded>(content: &[u8]) -> Option<T> {
        let bytes = framed(7, content);
        let mut rest = bytes.as_slice();
        let mut source = Source::new(&mut rest)?;
        let own = T::take(&mut source)?;
        source.ends().then_some(own)
    }

    fn back<T: Coded + PartialEq + std::fmt::Debug>(value: &T) {
        let mut bytes = Vec::new();
        value.put(&mut bytes);
        assert_eq!(taken::<T>(&bytes).as_ref(), Some(value));
        for cut in 0..bytes.len() {
            assert!(taken::<T>(&bytes[..cut]).is_none(), "{value:?}");
        }
        bytes.push(0);
        assert!(taken::<T>(&bytes).is_none(), "a byte more than {value:?}");
    }

    #[test]
    fn values_come_back_and_cut_ones_do_not() {
        for number in [0, 1, 127, 128, 16_383, 16_384, u64::MAX] {
            back(&number);
        }
        for number in [0, 1, -1, 63, -64, 64, i64::MAX, i64::MIN] {
            back(&number);
        }
        back(&vec![Some(-7_i32), None, Some(i32::MIN)]);
        back(&("å–Ö".to_owned(), 0.1_f64));
        back(&[1_i64, 0, -3, 0]);
        back(&[7_u8; 32]);
        assert!(taken::<u8>(&[0x80, 2]).is_none(), "256 is no u8");
        assert!(taken::<bool>(&[2]).is_none());
    }

    /// Words and texts that lie across the ends of frames.
    #[test]
    fn long_values_come_back_from_several_frames() {
        let words: Vec<u32> = (0..50_000_u32)
            .map(|own| own.wrapping_mul(77_777))
            .collect();
        let text = "å".repeat(FRAME);
        let mut bytes = vec![5];
        put_words(&words, &mut bytes);
        (text.clone(), 3_u64).put(&mut bytes);
        let stored = framed(7, &bytes);
        let mut rest = stored.as_slice();
        let mut source = Source::new(&mut rest).unwrap();
        assert_eq!(u8::take(&mut source), Some(5));
        assert_eq!(take_words(&mut source), Some(words));
        assert_eq!(<(String, u64)>::take(&mut source), Some((text, 3)));
        assert!(source.ends());
    }

    #[test]
    fn a_changed_missing_or_moved_byte_is_seen() {
        let content: Vec<u8> = (0..3 * FRAME + 100).map(|own| (own % 251) as u8).collect();
        let stored = framed(7, &content);
        let whole = |bytes: &[u8]| {
            let mut rest = bytes;
            let source = Source::new(&mut rest);
            source.is_some_and(|mut own| own.bytes(content.len()).is_some() && own.ends())
        };
        assert!(whole(&stored));
        for place in (0..stored.len()).step_by(1013) {
            let mut other = stored.clone();
            other[place] ^= 1;
            assert!(!whole(&other), "byte {place}");
            assert!(!whole(&stored[..place]), "{place} bytes");
        }
        let frame = FRAME + 8;
        let mut moved = stored.clone();
        moved[8..8 + 2 * frame].rotate_left(frame);
        assert!(!whole(&moved), "two frames have changed places");
        assert!(!whole(&[&stored[..], b"x"].concat()));
    }
}
