//! The smallest number (of families, of months) at which a study has a target power, with an interval for it.
//!
//! Power is not known at any number, only simulated; so the search fits `Φ⁻¹(power) = a + b·√x` to what was simulated
//! around the answer, by binomial likelihood (McCullagh and Nelder 1989, ISBN 0-412-31760-5, chapter 4), and solves it for
//! the target. All numbers share their replicates (common random numbers), so a replicate is a cluster: the covariance of
//! (a, b) is the sandwich over replicates, and the interval for the number is Fieller's set on the scale of √x. The number
//! that is found is confirmed on replicates that had no part in choosing it.

use super::performance::{Figure, share};
use crate::numerics::{chi_square::ChiSquare, normal};

/// Studies that a number gets in one step.
pub const STEP: u64 = 250;
/// Studies that each of the first numbers gets.
const BEGINNING: u64 = 500;
/// Numbers further than this from the target, on the scale of Φ⁻¹(power), leave the last fits.
const NEAR: f64 = 1.0;
/// Distance of the outer numbers from the answer, on the same scale.
const APART: f64 = 0.5;
/// Monte Carlo standard error at which the answer is confirmed.
const CONFIRMED_TO: f64 = 0.005;

/// What is searched for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Question {
    /// Smallest and largest number; 1 ≤ smallest < largest.
    pub between: (u64, u64),
    /// Power, in (0, 1).
    pub power: f64,
    /// Half width of the interval, as a share of the number, at which the search ends; half a unit is always enough.
    pub within: f64,
    /// Studies after which the search ends in any case, without those of the confirmation.
    pub most: u64,
    /// Studies of the confirmation; `None` for a Monte Carlo standard error of .005 at the target.
    pub confirm: Option<u64>,
}

/// What was simulated at one number.
#[derive(Debug, Clone, PartialEq)]
pub struct Tried {
    /// The number.
    pub x: u64,
    /// Whether each replicate, from 0, rejected.
    pub rejected: Vec<bool>,
}

impl Tried {
    fn rejections(&self) -> u64 {
        self.rejected.iter().filter(|rejected| **rejected).count() as u64
    }

    /// Share of the studies that rejected.
    pub fn power(&self) -> Figure {
        share(self.rejections(), self.rejected.len() as u64)
    }
}

/// The curve and where it meets the target.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fit {
    /// Intercept on the scale of Φ⁻¹(power).
    pub a: f64,
    /// Slope by √x.
    pub b: f64,
    /// The number at which the curve has the target power, unrounded.
    pub estimate: f64,
    /// 95 % interval for it; `None` where an end does not exist.
    pub low: Option<f64>,
    /// Its upper end.
    pub high: Option<f64>,
    /// Pearson's chi-square of the points around the curve, its degrees of freedom and p; the points share replicates,
    /// which makes it conservative.
    pub lack_of_fit: Option<(f64, usize, f64)>,
}

impl Fit {
    /// Power of the curve at a number.
    pub fn power(&self, x: f64) -> f64 {
        normal::cdf(self.a + self.b * x.sqrt())
    }
}

/// What a search found.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// The smallest whole number at which the curve has the target power.
    pub x: u64,
    /// The curve.
    pub fit: Fit,
    /// Everything that was tried, by number.
    pub tried: Vec<Tried>,
    /// Whether the interval is as narrow as was asked.
    pub is_narrow: bool,
    /// First replicate of the confirmation, how many, and how many of them rejected.
    pub confirmed: (u64, u64, u64),
}

impl Found {
    /// Power at the number found, on fresh replicates.
    pub fn confirmed_power(&self) -> Figure {
        share(self.confirmed.2, self.confirmed.1)
    }

    /// Whether fresh replicates contradict the target: it lies more than two Monte Carlo standard errors above them.
    pub fn is_contradicted(&self, target: f64) -> bool {
        let Figure { value, mcse } = self.confirmed_power();
        matches!((value, mcse), (Some(power), Some(mcse)) if power + 2.0 * mcse < target)
    }
}

/// Why there is no number.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum NoAnswer {
    /// Even the largest number has not enough power.
    Beyond(Figure),
    /// Already the smallest number has enough power.
    Below(Figure),
    /// Power does not grow with the number.
    Flat,
}

/// Searches. `run` says of replicates `from..to` at a number whether each rejects; it is asked the same questions in the
/// same order whatever machine runs it.
///
/// # Errors
/// What `run` gives; inside, why there is no number.
pub fn search<E>(
    question: &Question,
    run: &mut dyn FnMut(u64, u64, u64) -> Result<Vec<bool>, E>,
) -> Result<Result<Found, NoAnswer>, E> {
    let (low, high) = question.between;
    let mut tried: Vec<Tried> = Vec::new();
    let mut more = |x: u64, studies: u64, tried: &mut Vec<Tried>| {
        let at = match tried.binary_search_by_key(&x, |own| own.x) {
            Ok(at) => at,
            Err(at) => {
                let rejected = Vec::new();
                tried.insert(at, Tried { x, rejected });
                at
            }
        };
        let from = tried[at].rejected.len() as u64;
        let found = run(x, from, from + studies)?;
        tried[at].rejected.extend(found);
        Ok(())
    };
    let roots = ((low as f64).sqrt(), (high as f64).sqrt());
    for quarter in 0..=3 {
        let x = (roots.0 + (roots.1 - roots.0) * f64::from(quarter) / 3.0).powi(2);
        let x = (x.round() as u64).clamp(low, high);
        if tried.iter().all(|own| own.x != x) {
            more(x, BEGINNING, &mut tried)?;
        }
    }
    let far = |figure: Figure, sign: f64| match (figure.value, figure.mcse) {
        (Some(power), Some(mcse)) => sign * (power - question.power) > 3.0 * mcse.max(0.005),
        _ => false,
    };
    if let (Some(first), Some(last)) = (tried.first(), tried.last()) {
        if far(last.power(), -1.0) {
            return Ok(Err(NoAnswer::Beyond(last.power())));
        }
        if far(first.power(), 1.0) {
            return Ok(Err(NoAnswer::Below(first.power())));
        }
    }
    let mut around: Vec<u64> = Vec::new();
    let (fit, is_narrow) = loop {
        let used: u64 = tried.iter().map(|own| own.rejected.len() as u64).sum();
        let Some(fit) = near(&tried, question.power) else {
            if used >= question.most {
                return Ok(Err(NoAnswer::Flat));
            }
            // Too little is known for a curve: more at every number.
            for x in tried.iter().map(|own| own.x).collect::<Vec<_>>() {
                more(x, STEP, &mut tried)?;
            }
            continue;
        };
        let wide = (question.within * fit.estimate).max(0.5);
        let is_narrow = match (fit.low, fit.high) {
            (Some(from), Some(to)) => to - from <= 2.0 * wide,
            _ => false,
        };
        if is_narrow {
            break (fit, is_narrow);
        }
        if used >= question.most {
            if fit.low.is_none() {
                return Ok(Err(NoAnswer::Flat));
            }
            break (fit, is_narrow);
        }
        let inside = match around.as_slice() {
            [first, .., last] => {
                let apart = 0.5 * APART / fit.b;
                let root = fit.estimate.sqrt();
                (*first as f64).sqrt() + apart <= root && root + apart <= (*last as f64).sqrt()
            }
            _ => false,
        };
        if !inside {
            around = [-APART, 0.0, APART]
                .iter()
                .map(|step| (fit.estimate.sqrt() + step / fit.b).max(0.0).powi(2))
                .map(|x| (x.round() as u64).clamp(low, high))
                .collect();
            around.dedup();
        }
        for x in &around {
            more(*x, STEP, &mut tried)?;
        }
    };
    let x = (fit.estimate.ceil() as u64).clamp(low, high);
    let fresh = tried.iter().map(|own| own.rejected.len()).max();
    let fresh = fresh.unwrap_or(0) as u64;
    let by_error = question.power * (1.0 - question.power) / (CONFIRMED_TO * CONFIRMED_TO);
    let studies = question.confirm.unwrap_or(by_error.ceil() as u64);
    let mut rejections = 0;
    let mut from = fresh;
    while from < fresh + studies {
        let to = (fresh + studies).min(from + 1000);
        let found = run(x, from, to)?;
        rejections += found.iter().filter(|rejected| **rejected).count() as u64;
        from = to;
    }
    Ok(Ok(Found {
        x,
        fit,
        tried,
        is_narrow,
        confirmed: (fresh, studies, rejections),
    }))
}

/// The curve through the numbers near the answer: all of them first, then those within [`NEAR`] of the target.
fn near(tried: &[Tried], target: f64) -> Option<Fit> {
    let all: Vec<&Tried> = tried.iter().collect();
    let first = fit(&all, target)?;
    let goal = normal::quantile(target).ok()?;
    let close = |own: &&Tried| {
        let there = first.a + first.b * (own.x as f64).sqrt();
        (there - goal).abs() <= NEAR
    };
    let close: Vec<&Tried> = tried.iter().filter(close).collect();
    if close.len() >= 2
        && let Some(second) = fit(&close, target)
    {
        return Some(second);
    }
    Some(first)
}

/// Fits the curve; `None` where power does not grow with the number.
///
/// Fisher scoring for the probit link; the score of a replicate is the sum over the numbers at which it was run.
pub fn fit(tried: &[&Tried], target: f64) -> Option<Fit> {
    let goal = normal::quantile(target).ok()?;
    if tried.len() < 2 {
        return None;
    }
    let of = |own: &Tried| (own.rejections() as f64, own.rejected.len() as f64);
    let (mut a, mut b) = beginning(tried, of)?;
    let weight = |eta: f64| {
        // dμ/dη and dμ/dη/(μ(1 − μ)), kept away from 0 and 1 where a power of 0 or 1 would divide by nothing.
        let mu = normal::cdf(eta).clamp(1e-9, 1.0 - 1e-9);
        let slope = normal::pdf(eta);
        (mu, slope, slope / (mu * (1.0 - mu)))
    };
    let mut information = [0.0; 3];
    for round in 0..60 {
        let mut score = [0.0; 2];
        information = [0.0; 3];
        for own in tried {
            let root = (own.x as f64).sqrt();
            let (y, n) = of(own);
            let (mu, slope, ratio) = weight(a + b * root);
            let residual = (y - n * mu) * ratio;
            score[0] += residual;
            score[1] += residual * root;
            let w = n * slope * ratio;
            information[0] += w;
            information[1] += w * root;
            information[2] += w * root * root;
        }
        let [i, j, k] = information;
        let determinant = i * k - j * j;
        if !(determinant.is_finite() && determinant > 1e-12) {
            return None;
        }
        let step = (
            (k * score[0] - j * score[1]) / determinant,
            (i * score[1] - j * score[0]) / determinant,
        );
        a += step.0;
        b += step.1;
        if step.0.abs() + step.1.abs() < 1e-12 {
            break;
        }
        if round == 59 || !(a.is_finite() && b.is_finite()) || a.abs() > 1e3 {
            return None;
        }
    }
    if b <= 1e-9 {
        return None;
    }
    // Sandwich: sum over replicates of the outer product of their scores.
    let longest = tried.iter().map(|own| own.rejected.len()).max()?;
    let mut scores = vec![[0.0; 2]; longest];
    for own in tried {
        let root = (own.x as f64).sqrt();
        let (mu, _, ratio) = weight(a + b * root);
        for (score, rejected) in scores.iter_mut().zip(&own.rejected) {
            let residual = (f64::from(u8::from(*rejected)) - mu) * ratio;
            score[0] += residual;
            score[1] += residual * root;
        }
    }
    let mut meat = [0.0; 3];
    for [s, t] in scores {
        meat[0] += s * s;
        meat[1] += s * t;
        meat[2] += t * t;
    }
    let [i, j, k] = information;
    let determinant = i * k - j * j;
    let (p, q, r) = (k / determinant, -j / determinant, i / determinant);
    let [s, t, u] = meat;
    let variance_a = p * p * s + 2.0 * p * q * t + q * q * u;
    let covariance = p * q * s + (p * r + q * q) * t + q * r * u;
    let variance_b = q * q * s + 2.0 * q * r * t + r * r * u;
    let root = (goal - a) / b;
    let estimate = root.max(0.0).powi(2);
    let (low, high) = fieller(a - goal, b, (variance_a, covariance, variance_b));
    Some(Fit {
        a,
        b,
        estimate,
        low: low.map(|g| g.max(0.0).powi(2)),
        high: high.map(|g| g.max(0.0).powi(2)),
        lack_of_fit: lack(tried, a, b),
    })
}

/// A line through `Φ⁻¹((y + ½)/(n + 1))` by least squares.
fn beginning(tried: &[&Tried], of: impl Fn(&Tried) -> (f64, f64)) -> Option<(f64, f64)> {
    let mut sums = [0.0; 5];
    for own in tried {
        let (y, n) = of(own);
        let eta = normal::quantile((y + 0.5) / (n + 1.0)).ok()?;
        let root = (own.x as f64).sqrt();
        for (sum, add) in
            sums.iter_mut()
                .zip([n, n * root, n * root * root, n * eta, n * root * eta])
        {
            *sum += add;
        }
    }
    let [n, x, xx, y, xy] = sums;
    let determinant = n * xx - x * x;
    (determinant > 0.0).then(|| {
        let b = (n * xy - x * y) / determinant;
        ((y - b * x) / n, b)
    })
}

/// The values g for which `a + b·g` may be zero: |a + b·g| ≤ 1.96·√(var a + 2g·cov + g²·var b). `None` for an end that
/// does not exist (the slope may be zero).
fn fieller(a: f64, b: f64, (va, c, vb): (f64, f64, f64)) -> (Option<f64>, Option<f64>) {
    let q = 1.959_963_984_540_054_f64.powi(2);
    let (second, first, constant) = (b * b - q * vb, a * b - q * c, a * a - q * va);
    let discriminant = first * first - second * constant;
    if second <= 0.0 || discriminant < 0.0 {
        return (None, None);
    }
    let width = discriminant.sqrt();
    (
        Some((-first - width) / second),
        Some((-first + width) / second),
    )
}

fn lack(tried: &[&Tried], a: f64, b: f64) -> Option<(f64, usize, f64)> {
    let df = tried.len().checked_sub(2).filter(|df| *df > 0)?;
    let mut sum = 0.0;
    for own in tried {
        let n = own.rejected.len() as f64;
        let mu = normal::cdf(a + b * (own.x as f64).sqrt());
        let away = own.rejections() as f64 - n * mu;
        sum += away * away / (n * mu * (1.0 - mu));
    }
    let law = ChiSquare::new(df as f64).ok()?;
    sum.is_finite().then(|| (sum, df, law.sf(sum)))
}

#[cfg(test)]
mod tests {
    use super::{NoAnswer, Question, Tried, fit, search};
    use crate::numerics::normal;
    use crate::numerics::stream::{replicate, unit};
    use std::convert::Infallible;

    fn tried(x: u64, rejections: usize, n: usize) -> Tried {
        Tried {
            x,
            rejected: (0..n).map(|k| k < rejections).collect(),
        }
    }

    /// By hand: two points lie on the curve, so it goes through both. Φ(0) = .5 at √16 = 4 and Φ(1) = .841345 at √36 = 6
    /// give b = ½, a = −2; power .8 needs .841621 = −2 + √x/2, √x = 5.683242, x = 32.29924.
    #[test]
    fn two_points_by_hand() {
        let n = 1_000_000;
        let points = [tried(16, n / 2, n), tried(36, 841_345, n)];
        let found = fit(&[&points[0], &points[1]], 0.8).unwrap();
        assert!((found.b - 0.5).abs() < 1e-6, "{found:?}");
        assert!((found.a + 2.0).abs() < 1e-5);
        assert!((found.estimate - 32.299_24).abs() < 1e-4);
        assert!((found.power(36.0) - 0.841_345).abs() < 1e-6);
        assert_eq!(found.lack_of_fit, None);
        let (low, high) = (found.low.unwrap(), found.high.unwrap());
        assert!(low < found.estimate && found.estimate < high);
    }

    /// Replicates that are run at several numbers do not count as further ones: twice the same points have the
    /// interval of one, not that of twice as many studies.
    #[test]
    fn shared_replicates_are_clusters() {
        let points = [tried(16, 300, 500), tried(36, 430, 500)];
        let once = fit(&[&points[0], &points[1]], 0.8).unwrap();
        let twice = fit(&[&points[0], &points[1], &points[0], &points[1]], 0.8).unwrap();
        assert!((once.low.unwrap() - twice.low.unwrap()).abs() < 1e-6);
        assert!((once.high.unwrap() - twice.high.unwrap()).abs() < 1e-6);
    }

    #[test]
    fn falling_power_has_no_answer() {
        let points = [tried(16, 430, 500), tried(36, 300, 500)];
        assert_eq!(fit(&[&points[0], &points[1]], 0.8), None);
    }

    fn question(between: (u64, u64)) -> Question {
        Question {
            between,
            power: 0.8,
            within: 0.02,
            most: 60_000,
            confirm: None,
        }
    }

    /// A test with known variance, drawn as one normal deviate a replicate: power Φ(√x/6 − 1.96), exactly the curve, so
    /// that .8 needs √x = 6·(1.959964 + .841621) = 16.80951 and x = 282.5596. The same deviate serves every number.
    #[test]
    fn a_linear_case_is_found_and_confirmed() {
        let exact = (6.0 * (1.959_963_985 + 0.841_621_234_f64)).powi(2);
        let mut covered = 0;
        for seed in 0..40_u8 {
            let mut asked = Vec::new();
            let mut run = |x: u64, from: u64, to: u64| -> Result<Vec<bool>, Infallible> {
                asked.push((x, from, to));
                Ok((from..to)
                    .map(|number| {
                        let u = unit(&mut replicate(&[seed; 32], number));
                        let z = normal::quantile(u.max(1e-300)).unwrap();
                        z + (x as f64).sqrt() / 6.0 > 1.959_963_985
                    })
                    .collect())
            };
            let found = search(&question((50, 900)), &mut run).unwrap().unwrap();
            assert!(found.is_narrow);
            assert_eq!(found.x, found.fit.estimate.ceil() as u64);
            assert!(
                (found.fit.estimate - exact).abs() < 0.05 * exact,
                "{found:?}"
            );
            let (low, high) = (found.fit.low.unwrap(), found.fit.high.unwrap());
            assert!(high - low <= 2.0 * 0.02 * found.fit.estimate);
            covered += u32::from((low..=high).contains(&exact));
            // No replicate of the confirmation chose the number.
            let (from, studies, _) = found.confirmed;
            assert!(
                found
                    .tried
                    .iter()
                    .all(|own| own.rejected.len() as u64 <= from)
            );
            assert_eq!(studies, 6400);
            let confirmed = found.confirmed_power();
            let power = normal::cdf((found.x as f64).sqrt() / 6.0 - 1.959_963_985);
            assert!((confirmed.value.unwrap() - power).abs() < 4.0 * confirmed.mcse.unwrap());
        }
        // 95 % of 40 are 38; fewer than 32 have probability 3e-4 (binomial).
        assert!(
            covered >= 32,
            "{covered} of 40 intervals hold the exact number"
        );
    }

    #[test]
    fn what_cannot_be_reached_is_said() {
        let mut never = |_: u64, from: u64, to: u64| -> Result<Vec<bool>, Infallible> {
            Ok((from..to).map(|number| number % 3 == 0).collect())
        };
        let answer = search(&question((10, 100)), &mut never).unwrap();
        assert!(matches!(answer, Err(NoAnswer::Beyond(power)) if power.value.unwrap() < 0.4));
        let mut always = |_: u64, from: u64, to: u64| -> Result<Vec<bool>, Infallible> {
            Ok((from..to).map(|_| true).collect())
        };
        let answer = search(&question((10, 100)), &mut always).unwrap();
        assert!(matches!(answer, Err(NoAnswer::Below(_))));
        let mut flat = |_: u64, from: u64, to: u64| -> Result<Vec<bool>, Infallible> {
            Ok((from..to).map(|number| number % 5 != 0).collect())
        };
        let answer = search(&question((10, 100)), &mut flat).unwrap();
        assert!(matches!(answer, Err(NoAnswer::Flat)), "{answer:?}");
    }
}
