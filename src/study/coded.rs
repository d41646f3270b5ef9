//! Values as bytes and back, for the stored projection of a ledger: compact, quick, and of one program version only.
//!
//! Whole numbers are written seven bits a byte, the lowest first; signed ones with the sign in the lowest bit. A
//! structure is its fields one after another: [`coded!`] names them all, so that a new field cannot be forgotten.
//! Nothing here is a format for people or other programs; those read the ledger.
//!
//! Small values lie in the root, one after another; long tables lie in pages (`super::pages`).

use super::pages::{Shelf, Spot};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::sync::Arc;

/// What values are written to.
#[derive(Debug, Default)]
pub(super) struct Sink {
    /// The root: small values, and where the pages of tables lie.
    pub(super) root: Vec<u8>,
    /// The pages.
    pub(super) body: Vec<u8>,
}

impl Sink {
    fn push(&mut self, byte: u8) {
        self.root.push(byte);
    }

    /// Appends bytes as they are.
    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        self.root.extend_from_slice(bytes);
    }
}

/// A value that is written into a projection and read back.
pub(super) trait Coded: Sized {
    /// Appends the value.
    fn put(&self, out: &mut Sink);
    /// Takes the value from the front; `None` if the bytes are no such value.
    fn take(input: &mut Source<'_>) -> Option<Self>;
}

/// Implements [`Coded`] for a structure by naming all of its fields.
macro_rules! coded {
    ($name:ident { $($field:ident),* $(,)? }) => {
        impl $crate::study::coded::Coded for $name {
            fn put(&self, out: &mut $crate::study::coded::Sink) {
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
            fn put(&self, out: &mut $crate::study::coded::Sink) {
                $crate::study::coded::Coded::put(&self.0, out);
            }
            fn take(input: &mut $crate::study::coded::Source<'_>) -> Option<Self> {
                Some(Self($crate::study::coded::Coded::take(input)?))
            }
        }
    };
}
pub(super) use coded;

/// Bytes that are taken from the front.
#[derive(Debug)]
pub(super) struct Source<'a> {
    rest: &'a [u8],
    /// Where the pages of tables lie, and how far into them the tables so far reach; `None` within a page.
    pub(super) pages: Option<(Arc<Shelf>, u64)>,
    /// Where the pages so far lie.
    pub(super) spots: Vec<Spot>,
}

impl<'a> Source<'a> {
    /// The bytes of a page, or of a root without tables.
    pub(super) fn new(rest: &'a [u8]) -> Self {
        Self {
            rest,
            pages: None,
            spots: Vec::new(),
        }
    }

    /// The bytes of a root.
    pub(super) fn of_root(rest: &'a [u8], shelf: Arc<Shelf>) -> Self {
        Self {
            rest,
            pages: Some((shelf, 0)),
            spots: Vec::new(),
        }
    }

    /// Whether everything was taken.
    pub(super) fn ends(&self) -> bool {
        self.rest.is_empty()
    }

    /// How many bytes are left.
    pub(super) fn left(&self) -> usize {
        self.rest.len()
    }

    #[inline]
    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(*first)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (own, rest) = self.rest.split_first_chunk()?;
        self.rest = rest;
        Some(*own)
    }

    /// Bytes of a length that the bytes before said, which may be wrong.
    pub(super) fn bytes(&mut self, len: usize) -> Option<&'a [u8]> {
        let (own, rest) = self.rest.split_at_checked(len)?;
        self.rest = rest;
        Some(own)
    }
}

impl Coded for u64 {
    fn put(&self, out: &mut Sink) {
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
            fn put(&self, out: &mut Sink) {
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
    fn put(&self, out: &mut Sink) {
        (*self as u64).put(out);
    }

    #[inline]
    fn take(input: &mut Source<'_>) -> Option<Self> {
        Self::try_from(u64::take(input)?).ok()
    }
}

impl Coded for i64 {
    fn put(&self, out: &mut Sink) {
        (((*self as u64) << 1) ^ ((*self >> 63) as u64)).put(out);
    }

    #[inline]
    fn take(input: &mut Source<'_>) -> Option<Self> {
        let own = u64::take(input)?;
        Some((own >> 1) as Self ^ -((own & 1) as Self))
    }
}

impl Coded for i32 {
    fn put(&self, out: &mut Sink) {
        i64::from(*self).put(out);
    }

    #[inline]
    fn take(input: &mut Source<'_>) -> Option<Self> {
        Self::try_from(i64::take(input)?).ok()
    }
}

impl Coded for f64 {
    fn put(&self, out: &mut Sink) {
        out.bytes(&self.to_bits().to_le_bytes());
    }

    fn take(input: &mut Source<'_>) -> Option<Self> {
        Some(Self::from_bits(u64::from_le_bytes(input.array()?)))
    }
}

impl Coded for bool {
    fn put(&self, out: &mut Sink) {
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
    fn put(&self, out: &mut Sink) {
        out.bytes(self);
    }

    fn take(input: &mut Source<'_>) -> Option<Self> {
        input.array()
    }
}

/// Values of fields: as many as there are up to the last that is not 0.
impl<const N: usize> Coded for [i64; N] {
    fn put(&self, out: &mut Sink) {
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
    fn put(&self, out: &mut Sink) {
        self.len().put(out);
        out.bytes(self.as_bytes());
    }

    fn take(input: &mut Source<'_>) -> Option<Self> {
        let len = usize::take(input)?;
        std::str::from_utf8(input.bytes(len)?)
            .ok()
            .map(str::to_owned)
    }
}

impl<T: Coded> Coded for Option<T> {
    fn put(&self, out: &mut Sink) {
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
    fn put(&self, out: &mut Sink) {
        self.len().put(out);
        for own in self {
            own.put(out);
        }
    }

    fn take(input: &mut Source<'_>) -> Option<Self> {
        let len = usize::take(input)?;
        // No value is shorter than a byte.
        let mut own = Self::with_capacity(len.min(input.left()));
        for _ in 0..len {
            own.push(T::take(input)?);
        }
        Some(own)
    }
}

impl Coded for BTreeSet<String> {
    fn put(&self, out: &mut Sink) {
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
    fn put(&self, out: &mut Sink) {
        self.0.put(out);
        self.1.put(out);
    }

    fn take(input: &mut Source<'_>) -> Option<Self> {
        Some((A::take(input)?, B::take(input)?))
    }
}

/// By which a page is known: the first 16 bytes of its SHA-256.
pub(super) type Sum = [u8; 16];

/// The sum of a page. Nobody makes another page with the same one, so that whoever vouches for the root vouches for the
/// pages.
pub(super) fn check_sum(bytes: &[u8]) -> Sum {
    let hash: [u8; 32] = Sha256::digest(bytes).into();
    let mut sum = Sum::default();
    sum.copy_from_slice(&hash[..16]);
    sum
}

#[cfg(test)]
mod tests {
    use super::{Coded, Sink, Source, check_sum};

    fn taken<T: Coded>(bytes: &[u8]) -> Option<T> {
        let mut source = Source::new(bytes);
        let own = T::take(&mut source)?;
        source.ends().then_some(own)
    }

    fn back<T: Coded + PartialEq + std::fmt::Debug>(value: &T) {
        let mut out = Sink::default();
        value.put(&mut out);
        let mut bytes = out.root;
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
        // A length that no bytes follow asks for no room.
        assert!(taken::<Vec<u64>>(&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]).is_none());
    }

    #[test]
    fn a_sum_is_half_of_a_hash() {
        // Python: hashlib.sha256(b"lottning").hexdigest()[:32]
        let sum = check_sum(b"lottning");
        assert_eq!(
            crate::study::journal::hex(&sum),
            "817bd105794a2b44f371dbc7b8efdf2c"
        );
    }
}
