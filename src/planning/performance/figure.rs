//! What a simulated figure is: a number with its Monte Carlo standard error, or the exact ends of a share that has none; and the sums
//! that means and shares come from.

use serde::Serialize;

/// A simulated figure; `None` where there are too few studies for it.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct Figure {
    /// The figure.
    pub value: Option<f64>,
    /// Its Monte Carlo standard error.
    pub mcse: Option<f64>,
    /// Of a share of 0 or 1, and of a difference of shares between studies that all agree, whose standard errors are 0 however few
    /// studies there are: the lower end of its exact 95 % interval.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lower: Option<f64>,
    /// The upper end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub upper: Option<f64>,
}

/// What is known of a share that none or all of the studies have: it is no larger, or no smaller, than this.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bound {
    /// Whether none has it, so that the share is at most `value`; else it is at least that.
    pub at_most: bool,
    /// The end of the interval, rounded away from the share to two digits.
    pub value: f64,
    /// Decimals of these.
    pub places: usize,
}

impl Figure {
    pub(super) fn new(value: f64, mcse: f64) -> Self {
        let finite = |x: f64| x.is_finite().then_some(x);
        Self {
            value: finite(value),
            mcse: finite(mcse),
            lower: None,
            upper: None,
        }
    }

    /// The figure in other units, `by` times as large.
    #[must_use]
    pub fn scaled(self, by: f64) -> Self {
        let times = |own: Option<f64>| own.map(|own| by * own);
        Self {
            value: times(self.value),
            mcse: times(self.mcse),
            lower: times(self.lower),
            upper: times(self.upper),
        }
    }

    /// How far a difference of 0 between studies that all agree may be from 0 on either side, rounded up to two digits, and the
    /// decimals of these; `None` of every other figure.
    pub fn within(&self) -> Option<(f64, usize)> {
        let (value, lower, upper) = (self.value?, self.lower?, self.upper?);
        (lower < value && value < upper)
            .then(|| rounded_away(upper - value))
            .flatten()
    }

    /// What is known of a share of 0 or 1, or of a difference of −1 or 1; `None` of every other figure.
    pub fn bound(&self) -> Option<Bound> {
        let (value, lower, upper) = (self.value?, self.lower?, self.upper?);
        if lower < value && value < upper {
            return None;
        }
        let at_most = value <= lower;
        let (away, places) = rounded_away(upper - lower)?;
        Some(Bound {
            at_most,
            value: if at_most { lower + away } else { upper - away },
            places,
        })
    }
}

/// A distance above 0 rounded up to two digits, and their decimals.
fn rounded_away(away: f64) -> Option<(f64, usize)> {
    if away <= 0.0 {
        return None;
    }
    let places = (1.0 - away.log10().floor()).clamp(0.0, 12.0) as usize;
    let unit = 10.0_f64.powi(-(places as i32));
    // What is a whole number of units up to rounding stays it.
    Some(((away / unit - 1e-9).ceil() * unit, places))
}

/// Mean and sum of squares around it, updated value by value (Welford 1962).
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Moments {
    pub(super) n: u64,
    pub(super) mean: f64,
    pub(super) square: f64,
}

impl Moments {
    /// Adds a value.
    pub fn add(&mut self, x: f64) {
        self.n += 1;
        let before = x - self.mean;
        self.mean += before / self.n as f64;
        self.square += before * (x - self.mean);
    }

    /// How many values there are.
    pub fn count(&self) -> u64 {
        self.n
    }

    /// Adds a value, if there is one.
    pub fn extend(&mut self, x: Option<f64>) {
        if let Some(x) = x {
            self.add(x);
        }
    }

    /// Variance with n − 1.
    pub fn variance(&self) -> f64 {
        self.square / (self.n as f64 - 1.0)
    }

    /// The mean with its standard error.
    pub fn mean(&self) -> Figure {
        if self.n == 0 {
            return Figure::default();
        }
        Figure::new(self.mean, (self.variance() / self.n as f64).sqrt())
    }
}

/// A share with its standard error `√(p(1 − p)/n)`, and of 0 or 1 the exact 95 % interval, whose other end is `1 − .025^(1/n)`
/// away (Clopper and Pearson 1934, doi 10.1093/biomet/26.4.404).
pub fn share(count: u64, of: u64) -> Figure {
    let (p, n) = (count as f64 / of as f64, of as f64);
    let mut figure = Figure::new(p, (p * (1.0 - p) / n).sqrt());
    let away = 1.0 - libm::pow(0.025, 1.0 / n);
    let ends = match count {
        _ if of == 0 => None,
        0 => Some((0.0, away)),
        all if all == of => Some((1.0 - away, 1.0)),
        _ => None,
    };
    (figure.lower, figure.upper) = ends.unzip();
    figure
}

#[cfg(test)]
mod tests {
    use super::{Moments, share};

    fn close(figure: super::Figure, value: f64, mcse: f64) {
        assert!((figure.value.unwrap() - value).abs() < 1e-12, "{figure:?}");
        assert!((figure.mcse.unwrap() - mcse).abs() < 1e-12, "{figure:?}");
    }

    #[test]
    fn moments_by_hand() {
        // 1, 2, 6: mean 3, squares 4 + 1 + 9 = 14, variance 7, standard error of the mean √(7/3).
        let mut moments = Moments::default();
        for x in [1.0, 2.0, 6.0] {
            moments.add(x);
        }
        close(moments.mean(), 3.0, (7.0_f64 / 3.0).sqrt());
    }

    #[test]
    fn shares_of_the_literature() {
        // 800 of 1000: .012649; 500 of 10,000: .0021794 (√(p(1−p)/n)).
        assert!((share(800, 1000).mcse.unwrap() - 0.012_649).abs() < 5e-7);
        assert!((share(500, 10_000).mcse.unwrap() - 0.002_179_4).abs() < 5e-8);
    }

    /// By hand: 1 − .025^(1/1000) = .0036821, of one study .975; shown to two digits, never on the wrong side.
    #[test]
    fn none_and_all_of_some_studies_have_a_bound() {
        let none = share(0, 1000);
        assert!((none.upper.unwrap() - 0.003_682_1).abs() < 5e-8);
        assert_eq!((none.mcse, none.lower), (Some(0.0), Some(0.0)));
        let bound = none.bound().unwrap();
        assert!(bound.at_most && (bound.value - 0.0037).abs() < 1e-12);
        assert_eq!(bound.places, 4);
        let all = share(1000, 1000);
        let bound = all.bound().unwrap();
        assert!(!bound.at_most && (bound.value - 0.9963).abs() < 1e-12);
        let percent = all.scaled(100.0).bound().unwrap();
        assert!((percent.value - 99.63).abs() < 1e-9 && percent.places == 2);
        assert!((share(0, 1).upper.unwrap() - 0.975).abs() < 1e-12);
        for own in [share(1, 1000), share(999, 1000), share(0, 0)] {
            assert_eq!((own.lower, own.upper, own.bound()), (None, None, None));
        }
        let text = serde_json::to_string(&share(500, 1000)).unwrap();
        assert!(!text.contains("lower"), "{text}");
    }
}
