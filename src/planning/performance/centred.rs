//! Coverage once the bias is taken out: the share of intervals that hold the true value of their study plus the mean
//! error (bias-eliminated coverage, Morris, White and Crowther 2019, table 6).
//!
//! The mean error is known at the end, the intervals are not kept: after the first [`EXACT`] studies the ends of intervals
//! are counted in narrow bins around it. Memory is the same for any number of studies.

use super::{Figure, Moments, share};

/// Studies whose intervals are kept as they are.
const EXACT: usize = 20_000;
/// Bins of each end.
const BINS: usize = 4096;
/// Half width of the bins, in standard errors of the mean error at [`EXACT`] studies: it will not leave them.
const REACH: f64 = 16.0;

/// Ends of intervals relative to the true value of their study.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Centred {
    n: u64,
    kept: Vec<(f64, f64)>,
    counted: Option<Counted>,
}

#[derive(Debug, Clone, PartialEq)]
struct Counted {
    from: f64,
    width: f64,
    /// Lower ends at or above each bin's place, and upper ends: counts per bin, with what lies outside at both ends.
    low: Vec<u64>,
    high: Vec<u64>,
}

impl Counted {
    fn place(&self, x: f64) -> usize {
        // One bin on either side for what lies outside.
        (((x - self.from) / self.width).floor() + 1.0).clamp(0.0, BINS as f64 + 1.0) as usize
    }

    fn add(&mut self, (low, high): (f64, f64)) {
        let (low, high) = (self.place(low), self.place(high));
        self.low[low] += 1;
        self.high[high] += 1;
    }

    /// Intervals that lie wholly above or below `x`, the bin of `x` in proportion.
    fn missing(&self, x: f64) -> f64 {
        let place = self.place(x);
        let inside = (1..=BINS).contains(&place);
        let part = if inside {
            ((x - self.from) / self.width).fract()
        } else {
            0.5
        };
        let above: u64 = self.low[place + 1..].iter().sum();
        let below: u64 = self.high[..place].iter().sum();
        let own = self.low[place] as f64 * (1.0 - part) + self.high[place] as f64 * part;
        above as f64 + below as f64 + own
    }
}

impl Centred {
    /// Adds an interval; `errors` are those of all studies so far.
    pub(super) fn add(&mut self, ends: (f64, f64), errors: &Moments) {
        self.n += 1;
        if let Some(counted) = &mut self.counted {
            counted.add(ends);
            return;
        }
        self.kept.push(ends);
        let reach = REACH * errors.mean().mcse.unwrap_or(0.0);
        if self.kept.len() < EXACT || reach <= 0.0 {
            return;
        }
        let mut counted = Counted {
            from: errors.mean - reach,
            width: 2.0 * reach / BINS as f64,
            low: vec![0; BINS + 2],
            high: vec![0; BINS + 2],
        };
        for ends in std::mem::take(&mut self.kept) {
            counted.add(ends);
        }
        self.counted = Some(counted);
    }

    /// The share of intervals that hold the true value plus `bias`.
    pub(super) fn coverage(&self, bias: f64) -> Figure {
        if self.n == 0 {
            return Figure::default();
        }
        match &self.counted {
            None => {
                let held = self.kept.iter();
                let held = held.filter(|(low, high)| (*low..=*high).contains(&bias));
                share(held.count() as u64, self.n)
            }
            Some(counted) => {
                let n = self.n as f64;
                let missing = counted.missing(bias);
                // None or all, as far as the bins tell: an error of 0 says nothing, an exact interval does.
                if missing <= 0.0 || missing >= n {
                    return share(if missing <= 0.0 { self.n } else { 0 }, self.n);
                }
                let p = 1.0 - missing / n;
                Figure::new(p, (p * (1.0 - p) / n).sqrt())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Centred, EXACT, Moments};

    /// By hand: intervals of half width 2 around errors 1, 3 and 5 hold the mean error 3 in all but none; of half width 1,
    /// once.
    #[test]
    fn few_intervals_are_counted_as_they_are() {
        for (half, held) in [(2.0, 3.0), (1.0, 1.0)] {
            let (mut centred, mut errors) = (Centred::default(), Moments::default());
            for error in [1.0, 3.0, 5.0] {
                errors.add(error);
                centred.add((error - half, error + half), &errors);
            }
            let figure = centred.coverage(3.0);
            assert!((figure.value.unwrap() - held / 3.0).abs() < 1e-15);
        }
    }

    /// By law: bins change the count by less than what falls into one. Errors are a fixed equidistributed sequence, so
    /// both counts are of the same intervals.
    #[test]
    fn many_intervals_are_counted_in_bins() {
        let (mut centred, mut errors) = (Centred::default(), Moments::default());
        let mut all = Vec::new();
        let n = 3 * EXACT;
        for k in 0..n {
            let u = (k as f64 * 0.618_033_988_749_895).fract();
            let error = crate::numerics::normal::quantile(u.max(1e-9)).unwrap() + 0.2;
            errors.add(error);
            let ends = (error - 1.96, error + 1.96);
            centred.add(ends, &errors);
            all.push(ends);
        }
        assert!(centred.kept.is_empty());
        let bias = errors.mean;
        let exact = all
            .iter()
            .filter(|(low, high)| (*low..=*high).contains(&bias));
        let exact = exact.count() as f64 / n as f64;
        let figure = centred.coverage(bias);
        assert!(
            (figure.value.unwrap() - exact).abs() < 1e-4,
            "{figure:?} {exact}"
        );
        assert!((exact - 0.95).abs() < 1e-3);
    }

    /// By hand: of 40,000 intervals all, or none, hold the mean error: the error is 0, and the other end of the exact interval lies
    /// 1 − .025^(1/40000) = 9.2218e-5 away (own Python), in bins as of 3 intervals that are kept: 1 − .025^(1/3) = .70760.
    #[test]
    fn none_and_all_have_exact_ends() {
        for (n, away) in [(3, 0.707_598), (2 * EXACT, 9.221_8e-5)] {
            for all in [true, false] {
                let (mut centred, mut errors) = (Centred::default(), Moments::default());
                for k in 0..n {
                    let error = if k % 2 == 0 { 1.0 } else { -1.0 };
                    errors.add(error);
                    // Around the mean error, or wholly above it.
                    let low = if all { -9.0 } else { 5.0 };
                    centred.add((low, 9.0), &errors);
                }
                assert_eq!(centred.kept.is_empty(), n > EXACT);
                let figure = centred.coverage(errors.mean);
                assert_eq!(figure.value, Some(if all { 1.0 } else { 0.0 }));
                assert_eq!(figure.mcse, Some(0.0));
                let (lower, upper) = (figure.lower.unwrap(), figure.upper.unwrap());
                assert!(((upper - lower) / away - 1.0).abs() < 1e-5, "{figure:?}");
            }
        }
    }
}
