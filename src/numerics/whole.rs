//! Whole numbers without an upper limit: what counting sequences needs, and no more.
//!
//! Limbs are 64 bits, least significant first, without leading zeros, so that equal numbers are equal vectors and
//! comparing lengths compares magnitudes. Sum, order, greatest common divisor and exact quotient; schoolbook, for
//! numbers of tens of limbs.

use std::cmp::Ordering;

/// A whole number, zero or above.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Whole(Vec<u64>);

impl Whole {
    /// A number from its limbs, least significant first; leading zeros are dropped.
    #[must_use]
    pub fn of_limbs(limbs: &[u64]) -> Self {
        let mut own = Self(limbs.to_vec());
        own.trim();
        own
    }

    /// The limbs, least significant first; none for zero.
    pub fn limbs(&self) -> &[u64] {
        &self.0
    }

    /// Whether it is zero.
    pub fn is_zero(&self) -> bool {
        self.0.is_empty()
    }

    /// Number of binary digits; 0 for zero.
    pub fn bits(&self) -> usize {
        match self.0.last() {
            Some(top) => 64 * self.0.len() - top.leading_zeros() as usize,
            None => 0,
        }
    }

    /// The sum of two numbers.
    #[must_use]
    pub fn plus(&self, other: &Self) -> Self {
        let (long, short) = if self.0.len() < other.0.len() {
            (other, self)
        } else {
            (self, other)
        };
        let mut sum = Vec::with_capacity(long.0.len() + 1);
        let mut carry = false;
        for (place, limb) in long.0.iter().enumerate() {
            let (once, first) = limb.overflowing_add(short.0.get(place).copied().unwrap_or(0));
            let (twice, second) = once.overflowing_add(u64::from(carry));
            carry = first || second;
            sum.push(twice);
        }
        if carry {
            sum.push(1);
        }
        Self(sum)
    }

    /// The integer part of the number divided by 2^`bits` if it is below 2^64.
    pub fn shifted(&self, bits: usize) -> Option<u64> {
        let (first, cut) = (bits / 64, bits % 64);
        let limb = |place: usize| self.0.get(place).copied().unwrap_or(0);
        let above = u128::from(limb(first)) | u128::from(limb(first + 1)) << 64;
        let own = u64::try_from(above >> cut).ok();
        own.filter(|_| self.0.len() <= first + 2)
    }

    /// The number itself if it is below 2^64.
    pub fn to_u64(&self) -> Option<u64> {
        match self.0.as_slice() {
            [] => Some(0),
            [only] => Some(*only),
            _ => None,
        }
    }

    /// The greatest common divisor (Stein's binary algorithm); of zero and a number it is the number.
    #[must_use]
    pub fn common_divisor(&self, other: &Self) -> Self {
        if self.is_zero() {
            return other.clone();
        }
        if other.is_zero() {
            return self.clone();
        }
        let (mut a, mut b) = (self.clone(), other.clone());
        let twos = a.trailing_zeros().min(b.trailing_zeros());
        a.shift(a.trailing_zeros());
        while !b.is_zero() {
            b.shift(b.trailing_zeros());
            if a > b {
                std::mem::swap(&mut a, &mut b);
            }
            b.subtract(&a);
        }
        a.doubled(twos)
    }

    /// The quotient by a number that divides this one; `None` when dividing by zero. Of any other number it is no quotient.
    ///
    /// Limb by limb from the least one, each by the inverse of the divisor's least limb (T. Jebelean 1993, An algorithm for exact
    /// division, doi 10.1006/jsco.1993.1012).
    pub fn divided(&self, by: &Self) -> Option<Self> {
        if by.is_zero() {
            return None;
        }
        if by.0 == [1] {
            return Some(self.clone());
        }
        let twos = by.trailing_zeros();
        let (mut rest, mut divisor) = (self.clone(), by.clone());
        rest.shift(twos);
        divisor.shift(twos);
        let (least, length) = (divisor.0[0], divisor.0.len());
        let inverse = inverse(least);
        let limbs = (rest.0.len() + 1).saturating_sub(length);
        let mut quotient = Vec::with_capacity(limbs);
        for first in 0..limbs {
            let digit = rest.0[first].wrapping_mul(inverse);
            quotient.push(digit);
            let mut carry = 0_u64;
            for (place, own) in rest.0[first..].iter_mut().enumerate() {
                let limb = divisor.0.get(place).copied().unwrap_or(0);
                if place >= length && carry == 0 {
                    break;
                }
                let product = u128::from(digit) * u128::from(limb) + u128::from(carry);
                let (less, borrow) = own.overflowing_sub(product as u64);
                *own = less;
                carry = (product >> 64) as u64 + u64::from(borrow);
            }
        }
        Some(Self::of_limbs(&quotient))
    }

    fn trim(&mut self) {
        while self.0.last() == Some(&0) {
            self.0.pop();
        }
    }

    fn trailing_zeros(&self) -> usize {
        let empty = self.0.iter().take_while(|limb| **limb == 0).count();
        let own = self.0.get(empty).map_or(0, |limb| limb.trailing_zeros());
        64 * empty + own as usize
    }

    fn shift(&mut self, bits: usize) {
        self.0.drain(..(bits / 64).min(self.0.len()));
        let bits = bits % 64;
        if bits > 0 {
            let mut above = 0;
            for limb in self.0.iter_mut().rev() {
                let low = *limb << (64 - bits);
                *limb = *limb >> bits | above;
                above = low;
            }
        }
        self.trim();
    }

    fn doubled(mut self, times: usize) -> Self {
        for _ in 0..times {
            self.double_and_add(0);
        }
        self
    }

    fn double_and_add(&mut self, bit: u64) {
        let mut carry = bit;
        for limb in &mut self.0 {
            let out = *limb >> 63;
            *limb = *limb << 1 | carry;
            carry = out;
        }
        if carry > 0 {
            self.0.push(carry);
        }
    }

    /// Takes away a number that is not larger.
    fn subtract(&mut self, other: &Self) {
        let mut borrow = false;
        for (place, limb) in self.0.iter_mut().enumerate() {
            let (once, first) = limb.overflowing_sub(other.0.get(place).copied().unwrap_or(0));
            let (twice, second) = once.overflowing_sub(u64::from(borrow));
            borrow = first || second;
            *limb = twice;
        }
        self.trim();
    }
}

/// The number whose product with an odd one is 1 modulo 2^64: each step of Newton's doubles the right digits, of which there are
/// three at first (the square of an odd number is 1 modulo 8).
fn inverse(odd: u64) -> u64 {
    (0..5).fold(odd, |own, _| {
        own.wrapping_mul(2_u64.wrapping_sub(odd.wrapping_mul(own)))
    })
}

impl From<u64> for Whole {
    fn from(number: u64) -> Self {
        Self::of_limbs(&[number])
    }
}

impl Ord for Whole {
    fn cmp(&self, other: &Self) -> Ordering {
        let lengths = self.0.len().cmp(&other.0.len());
        lengths.then_with(|| self.0.iter().rev().cmp(other.0.iter().rev()))
    }
}

impl PartialOrd for Whole {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

#[cfg(test)]
mod tests {
    use super::Whole;
    use proptest::prelude::{any, prop_assert_eq, proptest};

    fn wide(number: u128) -> Whole {
        Whole::of_limbs(&[number as u64, (number >> 64) as u64])
    }

    fn narrow(number: &Whole) -> u128 {
        let limb = |place: usize| u128::from(number.limbs().get(place).copied().unwrap_or(0));
        limb(0) | limb(1) << 64
    }

    fn gcd(a: u128, b: u128) -> u128 {
        if b == 0 { a } else { gcd(b, a % b) }
    }

    proptest! {
        /// The machine's own 128-bit integers are the reference.
        #[test]
        fn arithmetic_is_that_of_the_machine(a in any::<u128>(), b in any::<u128>(), cut in 0u32..128, shift in 0usize..140) {
            // Numbers of every size, not only wide ones.
            let (a, b) = (a >> 1, b >> 1 >> cut);
            prop_assert_eq!(narrow(&wide(a).plus(&wide(b))), a + b);
            prop_assert_eq!(wide(a).cmp(&wide(b)), a.cmp(&b));
            let above = a.checked_shr(shift as u32).unwrap_or(0);
            prop_assert_eq!(wide(a).shifted(shift), u64::try_from(above).ok());
            prop_assert_eq!(Whole::of_limbs(&[0, a as u64, (a >> 64) as u64]).shifted(64 + shift), u64::try_from(above).ok());
            prop_assert_eq!(wide(a).bits(), (128 - a.leading_zeros()) as usize);
            prop_assert_eq!(narrow(&wide(a).common_divisor(&wide(b))), gcd(a, b));
            let whole = a.checked_div(b);
            let multiple = wide(whole.unwrap_or(0) * b);
            prop_assert_eq!(multiple.divided(&wide(b)).map(|found| narrow(&found)), whole);
        }

        /// A common factor is found and taken out again, with numbers beyond the machine's.
        #[test]
        fn a_common_factor_can_be_taken_out(a in 1u64.., b in 1u64.., doublings in 0usize..200) {
            let own = gcd(u128::from(a), u128::from(b)) as u64;
            let (x, y) = (Whole::from(a).doubled(doublings), Whole::from(b).doubled(doublings));
            let found = x.common_divisor(&y);
            prop_assert_eq!(&found, &Whole::from(own).doubled(doublings));
            prop_assert_eq!(x.divided(&found), Some(Whole::from(a / own)));
            prop_assert_eq!(y.divided(&found), Some(Whole::from(b / own)));
            // So many times over, up to hundreds of digits, by sums.
            let times = |number: &Whole| (0..=a % 50).fold(Whole::default(), |sum, _| sum.plus(number));
            let (power, mut many) = (Whole::from(b).doubled(doublings), Whole::from(b).doubled(doublings));
            for _ in 0..doublings / 20 {
                many = times(&many).doubled(17);
            }
            let mut quotient = Whole::from(1);
            for _ in 0..doublings / 20 {
                quotient = times(&quotient).doubled(17);
            }
            prop_assert_eq!(many.divided(&power), Some(quotient.clone()));
            prop_assert_eq!(many.divided(&quotient), Some(power));
        }
    }

    #[test]
    fn zero_is_no_limbs_and_a_carry_makes_one() {
        assert!(Whole::from(0).is_zero() && Whole::from(0) == Whole::default());
        assert_eq!(Whole::from(u64::MAX).plus(&Whole::from(1)).limbs(), [0, 1]);
        assert_eq!(Whole::from(7).divided(&Whole::from(0)), None);
        assert_eq!(
            Whole::from(0).divided(&Whole::from(6)),
            Some(Whole::from(0))
        );
        assert_eq!(
            Whole::from(0).common_divisor(&Whole::from(6)).to_u64(),
            Some(6)
        );
    }
}
