//! Values as bytes and back, for the stored projection of a ledger: compact, quick, and of one program version only.
//!
//! Whole numbers are written seven bits a byte, the lowest first; signed ones with the sign in the lowest bit. A
//! structure is its fields one after another: [`coded!`] names them all, so that a new field cannot be forgotten.
//! Nothing here is a format for people or other programs; those read the ledger.

use std::collections::BTreeSet;

/// A value that is written into a projection and read back.
pub(super) trait Coded: Sized {
    /// Appends the value.
    fn put(&self, out: &mut Vec<u8>);
    /// Takes the value from the front; `None` if the bytes are no such value.
    fn take(input: &mut &[u8]) -> Option<Self>;
}

/// Implements [`Coded`] for a structure by naming all of its fields.
macro_rules! coded {
    ($name:ident { $($field:ident),* $(,)? }) => {
        impl $crate::study::coded::Coded for $name {
            fn put(&self, out: &mut Vec<u8>) {
                let Self { $($field),* } = self;
                $($crate::study::coded::Coded::put($field, out);)*
            }
            fn take(input: &mut &[u8]) -> Option<Self> {
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
            fn take(input: &mut &[u8]) -> Option<Self> {
                Some(Self($crate::study::coded::Coded::take(input)?))
            }
        }
    };
}
pub(super) use coded;

/// Takes so many bytes.
pub(super) fn take_bytes<'a>(input: &mut &'a [u8], len: usize) -> Option<&'a [u8]> {
    let (own, rest) = input.split_at_checked(len)?;
    *input = rest;
    Some(own)
}

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
    fn take(input: &mut &[u8]) -> Option<Self> {
        let (first, rest) = input.split_first()?;
        *input = rest;
        let mut own = Self::from(first & 0x7f);
        let (mut byte, mut shift) = (*first, 7);
        while byte & 0x80 != 0 {
            let (next, rest) = input.split_first()?;
            *input = rest;
            byte = *next;
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
            fn take(input: &mut &[u8]) -> Option<Self> {
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
    fn take(input: &mut &[u8]) -> Option<Self> {
        Self::try_from(u64::take(input)?).ok()
    }
}

impl Coded for i64 {
    fn put(&self, out: &mut Vec<u8>) {
        (((*self as u64) << 1) ^ ((*self >> 63) as u64)).put(out);
    }

    #[inline]
    fn take(input: &mut &[u8]) -> Option<Self> {
        let own = u64::take(input)?;
        Some((own >> 1) as Self ^ -((own & 1) as Self))
    }
}

impl Coded for i32 {
    fn put(&self, out: &mut Vec<u8>) {
        i64::from(*self).put(out);
    }

    #[inline]
    fn take(input: &mut &[u8]) -> Option<Self> {
        Self::try_from(i64::take(input)?).ok()
    }
}

impl Coded for f64 {
    fn put(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.to_bits().to_le_bytes());
    }

    fn take(input: &mut &[u8]) -> Option<Self> {
        let bytes = take_bytes(input, 8)?.try_into().ok()?;
        Some(Self::from_bits(u64::from_le_bytes(bytes)))
    }
}

impl Coded for bool {
    fn put(&self, out: &mut Vec<u8>) {
        out.push(u8::from(*self));
    }

    #[inline]
    fn take(input: &mut &[u8]) -> Option<Self> {
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

    fn take(input: &mut &[u8]) -> Option<Self> {
        take_bytes(input, 32)?.try_into().ok()
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
    fn take(input: &mut &[u8]) -> Option<Self> {
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

    fn take(input: &mut &[u8]) -> Option<Self> {
        let len = usize::take(input)?;
        let text = std::str::from_utf8(take_bytes(input, len)?).ok()?;
        Some(text.to_owned())
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
    fn take(input: &mut &[u8]) -> Option<Self> {
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

    fn take(input: &mut &[u8]) -> Option<Self> {
        let len = usize::take(input)?;
        // Each value has a byte at least: a wrong length asks for no more memory than the file is long.
        let mut own = Self::with_capacity(len.min(input.len()));
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

    fn take(input: &mut &[u8]) -> Option<Self> {
        Some(Vec::take(input)?.into_iter().collect())
    }
}

impl<A: Coded, B: Coded> Coded for (A, B) {
    fn put(&self, out: &mut Vec<u8>) {
        self.0.put(out);
        self.1.put(out);
    }

    fn take(input: &mut &[u8]) -> Option<Self> {
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
pub(super) fn take_words(input: &mut &[u8]) -> Option<Vec<u32>> {
    let len = usize::take(input)?;
    let bytes = take_bytes(input, len.checked_mul(4)?)?;
    let (words, _) = bytes.as_chunks();
    Some(words.iter().map(|word| u32::from_le_bytes(*word)).collect())
}

/// A number by which a file that was cut, torn or changed by accident is told from a whole one; no seal against
/// anybody.
pub fn check_sum(bytes: &[u8]) -> u64 {
    const ODD: u64 = 0x9e37_79b9_7f4a_7c15;
    let step = |lane: u64, word: u64| (lane ^ word).wrapping_mul(ODD).rotate_left(29);
    let (blocks, rest) = bytes.as_chunks::<32>();
    let mut lanes = [1_u64, 2, 3, 4];
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
    use super::{Coded, check_sum, put_words, take_words};

    fn back<T: Coded + PartialEq + std::fmt::Debug>(value: &T) {
        let mut bytes = Vec::new();
        value.put(&mut bytes);
        let mut input = bytes.as_slice();
        assert_eq!(T::take(&mut input).as_ref(), Some(value));
        assert!(input.is_empty());
        for cut in 0..bytes.len() {
            assert!(T::take(&mut &bytes[..cut]).is_none(), "{value:?}");
        }
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
        assert!(u8::take(&mut &[0x80, 2][..]).is_none(), "256 is no u8");
        assert!(bool::take(&mut &[2][..]).is_none());
        let mut bytes = Vec::new();
        put_words(&[1, u32::MAX], &mut bytes);
        assert_eq!(take_words(&mut &bytes[..]), Some(vec![1, u32::MAX]));
    }

    #[test]
    fn every_changed_or_missing_byte_changes_the_sum() {
        let bytes: Vec<u8> = (0..100).map(|number: u8| number.wrapping_mul(7)).collect();
        let sum = check_sum(&bytes);
        for place in 0..bytes.len() {
            let mut other = bytes.clone();
            other[place] ^= 1;
            assert_ne!(check_sum(&other), sum);
            assert_ne!(check_sum(&bytes[..place]), sum);
        }
    }
}
