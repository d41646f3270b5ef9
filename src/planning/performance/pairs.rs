//! Two cells that share their families, study by study: how much more often one of them rejects.
//!
//! Studies of the same number are paired, so only those count in which the cells disagree. The Monte Carlo error of the
//! difference `(b − c)/n` is `√((b + c)/n − ((b − c)/n)²)/√n`, McNemar's variance (Agresti 2013, ISBN 0-470-46363-5,
//! equation 11.2), smaller than that of two independent shares.

use super::Figure;

/// Which studies rejected, a bit each.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rejections {
    n: u64,
    bits: Vec<u64>,
}

impl Rejections {
    /// Adds the next study.
    pub(super) fn add(&mut self, rejects: bool) {
        let (place, bit) = ((self.n / 64) as usize, self.n % 64);
        if place == self.bits.len() {
            self.bits.push(0);
        }
        self.bits[place] |= u64::from(rejects) << bit;
        self.n += 1;
    }
}

/// How a cell's power differs from that of the first cell.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct PairedPower {
    /// PairedPower of the shares of studies that reject, this cell − the first.
    pub power: Figure,
    /// Pairs of studies.
    pub replicates: u64,
    /// Pairs in which this cell alone rejects.
    pub only_here: u64,
    /// Pairs in which the first cell alone rejects.
    pub only_there: u64,
}

impl PairedPower {
    /// Of the studies that both cells have run; `None` without any.
    pub fn between(here: &Rejections, there: &Rejections) -> Option<Self> {
        let replicates = here.n.min(there.n);
        if replicates == 0 {
            return None;
        }
        let (mut only_here, mut only_there) = (0, 0);
        for (place, (a, b)) in here.bits.iter().zip(&there.bits).enumerate() {
            let left = replicates.saturating_sub(place as u64 * 64);
            let mask = if left >= 64 {
                u64::MAX
            } else {
                (1 << left) - 1
            };
            only_here += u64::from((a & !b & mask).count_ones());
            only_there += u64::from((b & !a & mask).count_ones());
        }
        let n = replicates as f64;
        let difference = (only_here as f64 - only_there as f64) / n;
        let discordant = (only_here + only_there) as f64 / n;
        Some(Self {
            power: Figure::new(
                difference,
                ((discordant - difference * difference).max(0.0) / n).sqrt(),
            ),
            replicates,
            only_here,
            only_there,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{PairedPower, Rejections};

    /// By hand: 100 pairs, 15 of which this cell alone rejects and 5 the other alone: difference .1, error
    /// √(.2 − .01)/10 = .043589.
    #[test]
    fn only_pairs_that_disagree_count() {
        let (mut here, mut there) = (Rejections::default(), Rejections::default());
        for k in 0..100 {
            here.add(k < 15 || (40..70).contains(&k));
            there.add((20..25).contains(&k) || (40..70).contains(&k));
        }
        // Studies that the other cell has not run are not compared.
        for _ in 0..50 {
            here.add(true);
        }
        let found = PairedPower::between(&here, &there).unwrap();
        assert_eq!(
            (found.replicates, found.only_here, found.only_there),
            (100, 15, 5)
        );
        assert!((found.power.value.unwrap() - 0.1).abs() < 1e-15);
        assert!((found.power.mcse.unwrap() - 0.043_589).abs() < 1e-6);
        assert!(PairedPower::between(&here, &Rejections::default()).is_none());
    }
}
