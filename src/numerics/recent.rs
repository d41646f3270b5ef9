//! Values of a function at the arguments that it was last asked of.

/// Bits of a place.
const PLACES: u32 = 5;

/// The last values of a function of K numbers, for functions that cost far more than a look and are asked for the same
/// arguments again and again, as those of a linear predictor that few rows have of their own. The same argument, bit for bit,
/// has the same value, so that nothing depends on what was kept.
///
/// ```
/// use lottning::numerics::recent::Recent;
/// let (mut recent, mut asked) = (Recent::default(), 0);
/// for x in [4.0, 9.0, 4.0, 4.0] {
///     let root: f64 = recent.of([x], || {
///         asked += 1;
///         f64::sqrt(x)
///     });
///     assert!((root * root - x).abs() < 1e-15);
/// }
/// assert_eq!(asked, 2);
/// ```
#[derive(Debug, Clone)]
pub struct Recent<const K: usize, V> {
    arguments: [[u64; K]; 1 << PLACES],
    values: [V; 1 << PLACES],
}

impl<const K: usize, V: Copy + Default> Default for Recent<K, V> {
    fn default() -> Self {
        Self {
            // The bits of no number that arithmetic makes.
            arguments: [[u64::MAX; K]; 1 << PLACES],
            values: [V::default(); 1 << PLACES],
        }
    }
}

impl<const K: usize, V: Copy> Recent<K, V> {
    /// The value at some numbers, asked for if it is not kept.
    pub fn of(&mut self, arguments: [f64; K], value: impl FnOnce() -> V) -> V {
        let bits = arguments.map(f64::to_bits);
        // Fibonacci hashing: the leading bits of a multiple of 2^64 over the golden ratio.
        let mixed = bits.iter().fold(0u64, |mixed, own| {
            (mixed ^ own).wrapping_mul(0x9e37_79b9_7f4a_7c15)
        });
        let place = (mixed >> (u64::BITS - PLACES)) as usize;
        if self.arguments[place] != bits {
            self.arguments[place] = bits;
            self.values[place] = value();
        }
        self.values[place]
    }
}

#[cfg(test)]
mod tests {
    use super::Recent;

    /// Beside the function itself: more arguments than places, in an order in which they push each other out; 0 and −0 apart.
    #[test]
    fn what_is_kept_is_the_value() {
        let mut recent = Recent::default();
        for step in 0..1000_u32 {
            let x = [f64::from(step * 7919 % 97), f64::from(step % 3)];
            let own = recent.of(x, || x[0] - 2.0 * x[1]);
            assert_eq!(own.to_bits(), (x[0] - 2.0 * x[1]).to_bits());
        }
        let mut recent = Recent::default();
        for x in [0.0, -0.0, 0.0f64] {
            assert_eq!(recent.of([x], || 1.0 / x).to_bits(), (1.0 / x).to_bits());
        }
    }
}
