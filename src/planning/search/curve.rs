//! The line `Φ⁻¹(power) = a + b·root` through what was simulated, and where it meets a target.

use super::points::Tried;
use crate::numerics::{chi_square::ChiSquare, normal};

/// A number that was tried, with its place on the line.
pub(super) type Point<'t> = (f64, &'t Tried);

/// A line and what is known of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Line {
    /// Intercept on the scale of Φ⁻¹(power).
    pub(super) a: f64,
    /// Slope, above 0.
    pub(super) b: f64,
    /// Where it has the target power.
    pub(super) root: f64,
    /// 95 % interval for that; `None` for ends that do not exist.
    pub(super) low: Option<f64>,
    /// Its upper end.
    pub(super) high: Option<f64>,
    /// Pearson's chi-square of the points around the line.
    pub(super) away: f64,
    /// The same with its degrees of freedom and p, from three points on; the points share replicates, which makes it
    /// conservative.
    pub(super) lack_of_fit: Option<(f64, usize, f64)>,
}

/// Fits the line; `None` where power does not grow along it.
///
/// Fisher scoring for the probit link; the score of a replicate is the sum over the numbers at which it was run.
pub(super) fn line(points: &[Point<'_>], target: f64) -> Option<Line> {
    let goal = normal::quantile(target).ok()?;
    if points.len() < 2 {
        return None;
    }
    let of = |own: &Tried| (own.rejections() as f64, own.studies() as f64);
    let counts: Vec<(f64, f64, f64)> = points
        .iter()
        .map(|(root, own)| {
            let (y, n) = of(own);
            (*root, y, n)
        })
        .collect();
    let (mut a, mut b) = beginning(&counts)?;
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
        for (root, y, n) in &counts {
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
        if !(determinant.is_finite() && determinant > 1e-12 * i * k) {
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
    let longest = points.iter().map(|(_, own)| own.rejected.len()).max()?;
    let mut scores = vec![[0.0; 2]; longest];
    for (root, own) in points {
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
    let (low, high) = fieller(a - goal, b, (variance_a, covariance, variance_b));
    let away = away(&counts, a, b);
    Some(Line {
        a,
        b,
        root: (goal - a) / b,
        low,
        high,
        away,
        lack_of_fit: lack(away, points.len()),
    })
}

/// A line through `Φ⁻¹((y + ½)/(n + 1))` by least squares.
fn beginning(counts: &[(f64, f64, f64)]) -> Option<(f64, f64)> {
    let mut sums = [0.0; 5];
    for (root, y, n) in counts {
        let eta = normal::quantile((y + 0.5) / (n + 1.0)).ok()?;
        let terms = [*n, n * root, n * root * root, n * eta, n * root * eta];
        for (sum, add) in sums.iter_mut().zip(terms) {
            *sum += add;
        }
    }
    let [n, x, xx, y, xy] = sums;
    let determinant = n * xx - x * x;
    (determinant > 1e-12 * n * xx).then(|| {
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

fn away(counts: &[(f64, f64, f64)], a: f64, b: f64) -> f64 {
    let each = counts.iter().map(|(root, y, n)| {
        let mu = normal::cdf(a + b * root);
        let away = y - n * mu;
        away * away / (n * mu * (1.0 - mu))
    });
    each.sum()
}

fn lack(away: f64, points: usize) -> Option<(f64, usize, f64)> {
    let df = points.checked_sub(2).filter(|df| *df > 0)?;
    let law = ChiSquare::new(df as f64).ok()?;
    away.is_finite().then(|| (away, df, law.sf(away)))
}

#[cfg(test)]
mod tests {
    use super::{Line, Tried, line};

    fn tried(x: u64, rejections: usize, n: usize) -> Tried {
        Tried {
            x,
            rejected: (0..n).map(|k| k < rejections).collect(),
            families: x * n as u64,
            failures: 0,
        }
    }

    fn through(points: &[&Tried]) -> Option<Line> {
        let points: Vec<_> = points
            .iter()
            .map(|own| ((own.x as f64).sqrt(), *own))
            .collect();
        line(&points, 0.8)
    }

    /// By hand: two points lie on the curve, so it goes through both. Φ(0) = .5 at √16 = 4 and Φ(1) = .841345 at √36 = 6
    /// give b = ½, a = −2; power .8 needs .841621 = −2 + √x/2, √x = 5.683242.
    #[test]
    fn two_points_by_hand() {
        let n = 1_000_000;
        let points = [tried(16, n / 2, n), tried(36, 841_345, n)];
        let found = through(&[&points[0], &points[1]]).unwrap();
        assert!((found.b - 0.5).abs() < 1e-6, "{found:?}");
        assert!((found.a + 2.0).abs() < 1e-5);
        assert!((found.root - 5.683_242).abs() < 1e-5);
        assert_eq!(found.lack_of_fit, None);
        let (low, high) = (found.low.unwrap(), found.high.unwrap());
        assert!(low < found.root && found.root < high);
    }

    /// Replicates that are run at several numbers do not count as further ones: twice the same points have the
    /// interval of one, not that of twice as many studies.
    #[test]
    fn shared_replicates_are_clusters() {
        let points = [tried(16, 300, 500), tried(36, 430, 500)];
        let once = through(&[&points[0], &points[1]]).unwrap();
        let twice = through(&[&points[0], &points[1], &points[0], &points[1]]).unwrap();
        assert!((once.low.unwrap() - twice.low.unwrap()).abs() < 1e-6);
        assert!((once.high.unwrap() - twice.high.unwrap()).abs() < 1e-6);
    }

    #[test]
    fn falling_power_has_no_line() {
        let points = [tried(16, 430, 500), tried(36, 300, 500)];
        assert_eq!(through(&[&points[0], &points[1]]), None);
        // Nor has power at one place.
        let points = [tried(16, 300, 500), tried(16, 430, 500)];
        assert_eq!(through(&[&points[0], &points[1]]), None);
    }
}
