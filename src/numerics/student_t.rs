//! Student's t distribution with real degrees of freedom, good to 1e-10 relative in both tails.
//!
//! statrs loses the quantile as the degrees of freedom grow (wrong at 1e6) and in far tails of small ones, and its
//! tails drift from 1e5 on; here fractional degrees of freedom (1.8 from Bell–McCaffrey) and 1e7 are both routine.
//! Methods: the tail is `I_x(ν/2, ½)/2` with `x = ν/(ν+t²)`. From ν = 40 on and unless t² is large beside ν, it is the expansion of DiDonato and
//! Morris for one small and one large parameter, which begins with `erfc`; below, and near the centre, the
//! continued fraction of the incomplete beta function.

use super::{NumericsError, normal};
use std::f64::consts::PI;

/// From this half number of degrees of freedom on, the tail is the expansion in `erfc`.
const EXPANSION_FROM: f64 = 20.0;

/// The expansion is in powers of `ln(1 + t²/ν)/(2π)`; above this value of the logarithm the continued fraction,
/// which is fast there, takes over.
const EXPANSION_UNTIL: f64 = 0.5;

/// A step of Newton's method below this part of t is the last.
const SETTLED: f64 = 1e-9;

/// Student's t distribution with `df` degrees of freedom.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StudentT {
    /// ν
    df: f64,
    /// Γ((ν+1)/2) / Γ(ν/2)
    gamma_ratio: f64,
}

impl StudentT {
    /// A distribution with real `df > 0`.
    pub fn new(df: f64) -> Result<Self, NumericsError> {
        NumericsError::positive("Student's t", "df", df)?;
        Ok(Self {
            df,
            gamma_ratio: gamma_half_ratio(df / 2.0),
        })
    }

    /// Degrees of freedom ν.
    pub fn df(&self) -> f64 {
        self.df
    }

    /// Density `Γ((ν+1)/2) / (√(νπ) Γ(ν/2)) · (1 + t²/ν)^(−(ν+1)/2)`.
    pub fn pdf(&self, t: f64) -> f64 {
        self.gamma_ratio / (self.df * PI).sqrt()
            * libm::exp(-0.5 * (self.df + 1.0) * self.log_term(t))
    }

    /// `P(T ≤ t)`, accurate in the lower tail.
    pub fn cdf(&self, t: f64) -> f64 {
        if t <= 0.0 {
            self.tail(-t)
        } else {
            0.5 + self.centre(t)
        }
    }

    /// `P(T > t)`, accurate in the upper tail.
    pub fn sf(&self, t: f64) -> f64 {
        self.cdf(-t)
    }

    /// The two-sided p-value `P(|T| ≥ |t|)`.
    pub fn two_sided(&self, t: f64) -> f64 {
        (2.0 * self.tail(t.abs())).min(1.0)
    }

    /// `P(0 < T < t)` for t ≥ 0, accurate near zero where the distribution function is close to one half.
    pub fn centre(&self, t: f64) -> f64 {
        if self.is_central(t) {
            self.central_fraction(t)
        } else {
            0.5 - self.tail(t)
        }
    }

    /// The value below which T falls with probability `p`, for 0 < p < 1.
    ///
    /// Newton's method on the nearer tail, on the logarithm of both probability and t where the tail is long, kept
    /// within a shrinking bracket. It begins at the expansion about the normal quantile.
    ///
    /// ```
    /// use lottning::numerics::student_t::StudentT;
    /// let t = StudentT::new(1.8429)?.quantile(0.975)?;
    /// assert!((t - 4.673_979_393_83).abs() < 1e-10); // R 4.2.2, qt(.975, 1.8429)
    /// # Ok::<(), lottning::numerics::NumericsError>(())
    /// ```
    pub fn quantile(&self, p: f64) -> Result<f64, NumericsError> {
        NumericsError::probability("quantile of Student's t", p)?;
        if p > 0.5 {
            // 1 − p is exact for p in [½, 1].
            return Ok(self.upper_quantile(1.0 - p));
        }
        Ok(-self.upper_quantile(p))
    }

    /// The value above which T falls with probability `q`, for 0 < q < 1; needs no subtraction from one.
    pub fn quantile_sf(&self, q: f64) -> Result<f64, NumericsError> {
        Ok(-self.quantile(q)?)
    }

    /// t ≥ 0 with `P(T > t) = q`, 0 < q ≤ ½.
    fn upper_quantile(&self, q: f64) -> f64 {
        let inner = 0.5 - q;
        if inner == 0.0 {
            return 0.0;
        }
        // P(T > t) is decreasing in t, so every t that was tried bounds the answer. Doubling reaches any double within
        // 1100 steps.
        let (mut low, mut high) = (0.0f64, f64::INFINITY);
        let mut t = self.near(q);
        for _ in 0..1300 {
            let (tail, density) = (self.tail(t), self.pdf(t));
            if tail > q {
                low = t;
            } else {
                high = t;
            }
            let next = if self.is_central(t) {
                t - (self.centre(t) - inner) / density
            } else {
                // ln tail as a function of ln t: nearly a straight line of slope −ν in the far tail.
                let slope = -density * t / tail;
                t * libm::exp((libm::log(q) - libm::log(tail)) / slope)
            };
            let within = next > low && next < high;
            let next = if within {
                next
            } else if high.is_infinite() {
                2.0 * t
            } else if low > 0.0 {
                low.sqrt() * high.sqrt()
            } else {
                0.5 * high
            };
            if !next.is_finite() {
                return f64::MAX;
            }
            let step = (next - t).abs();
            t = next;
            // What a step of Newton's method leaves is of the order of its square.
            if step <= if within { SETTLED } else { 4.0 * f64::EPSILON } * t {
                break;
            }
        }
        t
    }

    /// Near the t above which T falls with probability `q` ≤ ½, unless `df` is small: the expansion in 1/ν about the
    /// normal quantile (Abramowitz and Stegun 1964, 26.7.5). Above zero and finite in any case.
    fn near(&self, q: f64) -> f64 {
        let z = normal::quantile(q).map_or(0.0, |z| -z);
        let (s, v) = (z * z, 1.0 / self.df);
        let fourth = (((79.0 * s + 776.0) * s + 1482.0) * s - 1920.0) * s - 945.0;
        let third = ((3.0 * s + 19.0) * s + 17.0) * s - 15.0;
        let second = (5.0 * s + 16.0) * s + 3.0;
        let factor = 1.0
            + v * ((s + 1.0) / 4.0
                + v * (second / 96.0 + v * (third / 384.0 + v * fourth / 92_160.0)));
        let t = z * factor;
        if t > 0.0 && t.is_finite() { t } else { 1.0 }
    }

    /// `ln(1 + t²/ν)`
    fn log_term(&self, t: f64) -> f64 {
        let r = t.abs() / self.df.sqrt();
        if r > 1e100 {
            2.0 * libm::log(r)
        } else {
            libm::log1p(r * r)
        }
    }

    fn is_central(&self, t: f64) -> bool {
        let a = 0.5 * self.df;
        // The continued fraction of I_y(½, a) is the fast one below y = (½+1)/(a+½+2) (Press et al. 2007, 6.4).
        t * t * (a + 2.5) < 1.5 * (self.df + t * t)
    }

    /// `P(0 < T < t) = I_y(½, ν/2)/2`, `y = t²/(ν+t²)`; the 2 and the a = ½ of the fraction cancel.
    fn central_fraction(&self, t: f64) -> f64 {
        if t <= 0.0 {
            return 0.0;
        }
        let a = 0.5 * self.df;
        let y = t * t / (self.df + t * t);
        let front = self.gamma_ratio / PI.sqrt() * y.sqrt() * libm::exp(-a * self.log_term(t));
        front * beta_fraction(0.5, a, y)
    }

    /// `P(T > t)` for t ≥ 0.
    fn tail(&self, t: f64) -> f64 {
        let t = t.max(0.0);
        if self.is_central(t) {
            return 0.5 - self.central_fraction(t);
        }
        let a = 0.5 * self.df;
        let log_term = self.log_term(t);
        if a >= EXPANSION_FROM && log_term < EXPANSION_UNTIL {
            return 0.5 * self.expansion(log_term);
        }
        // x = ν/(ν+t²), 1 − x = y.
        let x = libm::exp(-log_term);
        let root_y = if x < 0.5 {
            (1.0 - x).sqrt()
        } else {
            (t * t / (self.df + t * t)).sqrt()
        };
        let front = self.gamma_ratio / PI.sqrt() * libm::exp(-a * log_term) * root_y;
        0.5 * front / a * beta_fraction(a, 0.5, x)
    }

    /// `I_x(a, ½)` for large a by DiDonato and Morris (1992, doi 10.1145/131766.131776), equations 9 to 9.6 with
    /// b = ½: `Γ(a+½)/(Γ(a)√T) · Σ p_n J_n`, T = a − ¼, u = −T ln x, where `J_0 = erfc(√u)` and
    /// `4T² J_(n+1) = (½+2n)(3/2+2n) J_n + (u+2n+3/2) (ln x/2)^(2n) · √(u/π) e^(−u)`.
    fn expansion(&self, log_term: f64) -> f64 {
        // p_1, p_2, … for b = ½: the coefficients of (z/sinh z)^½ in powers of z² (recurrence 9.3 in fractions).
        const P: [f64; 7] = [
            -1.0 / 12.0,
            1.0 / 160.0,
            -61.0 / 120_960.0,
            1261.0 / 29_030_400.0,
            -79.0 / 20_275_200.0,
            66_643.0 / 185_980_354_560.0,
            -16_820_653.0 / 502_146_957_312_000.0,
        ];
        let a = 0.5 * self.df;
        let t = a - 0.25;
        let u = t * log_term;
        let h = (u / PI).sqrt() * libm::exp(-u);
        let square = 0.25 * log_term * log_term;
        let mut power = 1.0;
        let mut order = 0.5;
        let mut j = libm::erfc(u.sqrt());
        let mut sum = j;
        for p in P {
            j = (order * (order + 1.0) * j + (u + order + 1.0) * power * h) / (4.0 * t * t);
            power *= square;
            order += 2.0;
            sum += p * j;
        }
        self.gamma_ratio / t.sqrt() * sum
    }
}

/// `Γ(a+½)/Γ(a)` for a > 0, to a few units in the last place: recurrence up to a ≥ 20, then the asymptotic series in
/// `T = a − ¼`: `√T (1 + 1/(64T²) − 19/(8192T⁴) + …)`, the expansion of Γ(T+¾)/Γ(T+¼).
fn gamma_half_ratio(a: f64) -> f64 {
    let mut shift = 1.0;
    let mut a = a;
    while a < 20.0 {
        shift *= a / (a + 0.5);
        a += 1.0;
    }
    let t = a - 0.25;
    let s = 1.0 / (t * t);
    let series = 1.0
        + s * (1.0 / 64.0
            + s * (-19.0 / 8192.0 + s * (631.0 / 524_288.0 + s * (-174_317.0 / 134_217_728.0))));
    shift * t.sqrt() * series
}

/// The continued fraction of the incomplete beta function, `I_x(a,b) = x^a (1−x)^b / (a B(a,b)) · fraction`
/// (Abramowitz and Stegun 1964, 26.5.8), by Lentz's method.
fn beta_fraction(a: f64, b: f64, x: f64) -> f64 {
    const TINY: f64 = 1e-300;
    let mut c = 1.0;
    let mut d = 1.0 - (a + b) * x / (a + 1.0);
    if d.abs() < TINY {
        d = TINY;
    }
    d = 1.0 / d;
    let mut fraction = d;
    for m in 1..10_000 {
        let m = f64::from(m);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        let mut change = 1.0;
        for term in [even, odd] {
            d = 1.0 + term * d;
            if d.abs() < TINY {
                d = TINY;
            }
            c = 1.0 + term / c;
            if c.abs() < TINY {
                c = TINY;
            }
            d = 1.0 / d;
            change = c * d;
            fraction *= change;
        }
        if (change - 1.0).abs() <= f64::EPSILON {
            break;
        }
    }
    fraction
}
