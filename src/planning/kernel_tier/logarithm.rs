//! The logarithm of a deviate to thirteen decimals, for sums whose whole part alone is asked for.
//!
//! A sum of waiting times decides a day, and its last digits do not, unless it lies next to midnight; there the caller
//! adds it up again in the exact way. Table and series are those of any text on logarithms: `ln m = ln c + ln(m/c)`,
//! with `c` the middle of one of 128 parts of [1, 2).

/// Parts of [1, 2), as a power of two.
const BITS: u32 = 7;

#[derive(Debug, Clone)]
pub(super) struct Logarithm {
    /// `1/c` and `ln(1/c)` of each part.
    parts: [[f64; 2]; 1 << BITS],
}

impl Logarithm {
    pub(super) fn new() -> Self {
        let of = |part: usize| {
            let inverse = 1.0 / (1.0 + (part as f64 + 0.5) / f64::from(1 << BITS));
            [inverse, libm::log(inverse)]
        };
        Self {
            parts: std::array::from_fn(of),
        }
    }

    /// `−ln u` for the deviate `u` of a word (`numerics::stream::open_unit_of`), within 1e-13.
    pub(super) fn minus_log(&self, word: u64) -> f64 {
        const MANTISSA: u64 = (1 << 52) - 1;
        let bits = ((word >> 11) as f64 + 0.5).to_bits();
        let power = (bits >> 52) as i32 - 1023 - 53;
        let part = (bits >> (52 - BITS)) as usize % (1 << BITS);
        let mantissa = f64::from_bits((bits & MANTISSA) | 1.0f64.to_bits());
        let [inverse, log] = self.parts[part];
        let r = mantissa * inverse - 1.0;
        let square = r * r;
        let high = (r * 0.2 - square * (1.0 / 6.0)) * square;
        let series = (r - square * 0.5) + square * ((r * (1.0 / 3.0) - square * 0.25) + high);
        (log - series) - f64::from(power) * std::f64::consts::LN_2
    }
}

#[cfg(test)]
mod tests {
    use super::Logarithm;
    use crate::numerics::stream::{open_unit_of, replicate};
    use rand_chacha::rand_core::Rng;

    #[test]
    fn thirteen_decimals_are_right() {
        let (own, mut rng) = (Logarithm::new(), replicate(&[5; 32], 0));
        let ends = [0, 1 << 11, u64::MAX, u64::MAX >> 1, 1 << 63];
        let some = (0..100_000).map(|place| rng.next_u64() >> (place % 64));
        for word in ends.into_iter().chain(some) {
            let exact = -libm::log(open_unit_of(word));
            let found = own.minus_log(word);
            assert!((found - exact).abs() < 1e-13, "{word}: {found} {exact}");
        }
    }
}
