//! Two cells that share their families, study by study: how much more often one of them rejects.
//!
//! Studies of the same number are paired, so only those count in which the cells disagree. The Monte Carlo error of the
//! difference `(b − c)/n` is `√((b + c)/n − ((b − c)/n)²)/√n`, McNemar's variance (Agresti 2013, ISBN 0-470-46363-5,
//! equation 11.2), smaller than that of two independent shares. Where all studies agree, or all disagree the same way, that error
//! is 0 however few they are, and the figure has an exact interval instead: see [`with_exact_ends`].

use super::{Figure, share};

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

/// A paired difference of shares, of `only_here` and `only_there` among `of` pairs, with the ends of an exact interval where its
/// standard error is 0.
///
/// Each of the two probabilities of disagreeing is at most u = 1 − .025^(1/n) when none of n pairs shows it, with an error of .025
/// (Clopper and Pearson 1934, doi 10.1093/biomet/26.4.404). The difference is at most the one and at least minus the other, so
/// −u to u holds it in at least 95 %. Where all disagree the same way that probability is at least 1 − u, what is left is at most
/// u, and the difference is at least 1 − 2u.
pub fn with_exact_ends(figure: Figure, (only_here, only_there): (u64, u64), of: u64) -> Figure {
    let Some(away) = share(0, of).upper else {
        return figure;
    };
    let ends = match (only_here, only_there) {
        (0, 0) => Some((-away, away)),
        (all, 0) if all == of => Some(((1.0 - 2.0 * away).max(-1.0), 1.0)),
        (0, all) if all == of => Some((-1.0, (2.0 * away - 1.0).min(1.0))),
        _ => None,
    };
    let (lower, upper) = ends.unzip();
    Figure {
        lower,
        upper,
        ..figure
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
        let error = ((discordant - difference * difference).max(0.0) / n).sqrt();
        let figure = Figure::new(difference, error);
        Some(Self {
            power: with_exact_ends(figure, (only_here, only_there), replicates),
            replicates,
            only_here,
            only_there,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{PairedPower, Rejections};

    /// By hand: of 1,000 pairs none disagrees: u = 1 − .025^(1/1000) = .0036821 on both sides; of 100 all disagree one way:
    /// u = 1 − .025^(1/100) = .0362167, so at least 1 − 2u = .9275666 (own Python). Where one disagrees the error says what is known.
    #[test]
    fn pairs_that_all_agree_have_exact_ends() {
        let (mut here, mut there) = (Rejections::default(), Rejections::default());
        for k in 0..1000 {
            here.add(k % 3 == 0);
            there.add(k % 3 == 0);
        }
        let power = PairedPower::between(&here, &there).unwrap().power;
        assert_eq!((power.value, power.mcse), (Some(0.0), Some(0.0)));
        assert!((power.upper.unwrap() - 0.003_682_1).abs() < 5e-8);
        assert_eq!(power.lower, power.upper.map(|upper| -upper));
        // Shown to two digits, rounded away from 0.
        let (away, places) = power.within().unwrap();
        assert!((away - 0.0037).abs() < 1e-12 && places == 4 && power.bound().is_none());
        let (mut all, mut none) = (Rejections::default(), Rejections::default());
        for _ in 0..100 {
            all.add(true);
            none.add(false);
        }
        let power = PairedPower::between(&all, &none).unwrap().power;
        assert!(
            (power.lower.unwrap() - 0.927_566_6).abs() < 5e-7,
            "{power:?}"
        );
        assert_eq!((power.upper, power.within()), (Some(1.0), None));
        assert!(!power.bound().unwrap().at_most);
        let less = PairedPower::between(&none, &all).unwrap().power;
        assert!((less.upper.unwrap() + 0.927_566_6).abs() < 5e-7 && less.bound().unwrap().at_most);
        there.add(true);
        here.add(false);
        let power = PairedPower::between(&here, &there).unwrap().power;
        assert_eq!((power.lower, power.upper), (None, None));
    }

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
