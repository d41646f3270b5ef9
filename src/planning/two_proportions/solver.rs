//! One figure from the others: a formula inverted, or tables enumerated until it is met.

use super::{Answer, Caution, Direction, PowerError, Question, Solved, Test};
use crate::numerics::root::brent;
use crate::numerics::{NumericsError, normal};
use crate::planning::figure::{WholeClusters, up};
use crate::planning::t_test::TTest;
use crate::planning::tables::{TableTest, Tables, Tail};

/// Most tables that one enumeration visits.
pub const MOST_TABLES: f64 = 25e6;

/// The parts of a formula at one n: power = Φ((d − correction − z·s0)/s1).
struct Parts {
    d: f64,
    correction: f64,
    s0: f64,
    s1: f64,
    /// Degrees of freedom of a t reference.
    df: f64,
}

pub(super) struct Solver<'a> {
    q: &'a Question,
    deff: (f64, f64),
}

impl<'a> Solver<'a> {
    pub(super) fn new(q: &'a Question) -> Self {
        Self {
            q,
            deff: q.clustering.map_or((1.0, 1.0), |c| c.by_arm()),
        }
    }

    fn parts(&self, p1: f64, n0: f64) -> Parts {
        let (p0, ratio) = (self.q.p0, self.q.ratio);
        let (e1, e0) = (ratio * n0 / self.deff.0, n0 / self.deff.1);
        let harmonic = 1.0 / e1 + 1.0 / e0;
        let mean = (ratio * p1 + p0) / (ratio + 1.0);
        let (v1, v0) = (p1 * (1.0 - p1) / e1, p0 * (1.0 - p0) / e0);
        let unpooled = (v1 + v0).sqrt();
        let pooled = if self.q.margin == 0.0 {
            (mean * (1.0 - mean) * harmonic).sqrt()
        } else {
            let (null1, null0) = constrained(p1, p0, ratio, self.q.margin);
            (null1 * (1.0 - null1) / e1 + null0 * (1.0 - null0) / e0).sqrt()
        };
        let distance = (p1 - p0 - self.q.margin).abs();
        let df = match self.q.clustering {
            Some(clusters) => clusters.degrees_of_freedom(ratio * n0, n0, v1, v0),
            None => (ratio + 1.0) * n0 - 2.0,
        };
        let (d, s0, s1) = match self.q.test {
            Test::Arcsine => {
                let h = 2.0 * p1.sqrt().asin() - 2.0 * p0.sqrt().asin();
                (h.abs(), harmonic.sqrt(), harmonic.sqrt())
            }
            Test::LogOdds => {
                let odds = |p: f64| libm::log(p) - libm::log1p(-p);
                let (q1, q0) = (p1 * (1.0 - p1), p0 * (1.0 - p0));
                let null = (harmonic / (mean * (1.0 - mean))).sqrt();
                let own = (1.0 / (q1 * e1) + 1.0 / (q0 * e0)).sqrt();
                ((odds(p1) - odds(p0)).abs(), null, own)
            }
            Test::Unpooled | Test::T | Test::ExactUnpooled => (distance, unpooled, unpooled),
            Test::Pooled
            | Test::Continuity
            | Test::ExactPooled
            | Test::ExactContinuity
            | Test::ExactFisher
            | Test::ExactFisherCentral => (distance, pooled, unpooled),
        };
        // Fisher's test behaves as the corrected formula; here that is only where a search for n begins.
        let corrected = matches!(
            self.q.test,
            Test::Continuity | Test::ExactContinuity | Test::ExactFisher | Test::ExactFisherCentral
        );
        Parts {
            d,
            correction: if corrected { 0.5 * harmonic } else { 0.0 },
            s0,
            s1,
            df,
        }
    }

    fn t(&self) -> TTest {
        TTest {
            sides: self.q.sides,
        }
    }

    /// Power of the t test.
    fn t_power(&self, p1: f64, n0: f64, alpha: f64) -> Result<f64, PowerError> {
        let at = self.parts(p1, n0);
        let critical = self.t().critical(at.df, alpha)?;
        Ok(self.t().power(at.d / at.s1, at.df, critical)?)
    }

    fn z(&self, alpha: f64) -> Result<f64, NumericsError> {
        Ok(-normal::quantile(alpha / f64::from(self.q.sides))?)
    }

    fn formula(&self, p1: f64, n0: f64, z: f64) -> f64 {
        let at = self.parts(p1, n0);
        let near = normal::sf((z * at.s0 - at.d + at.correction) / at.s1);
        if self.q.strict && self.q.sides == 2 {
            near + normal::sf((z * at.s0 + at.d + at.correction) / at.s1)
        } else {
            near
        }
    }

    fn tail(&self, p1: Option<f64>) -> Tail {
        if self.q.sides == 2 {
            return Tail::Both;
        }
        let higher = match (p1, self.q.direction) {
            (Some(p1), None) => p1 > self.q.p0,
            (_, direction) => direction == Some(Direction::Higher),
        };
        if higher { Tail::Higher } else { Tail::Lower }
    }

    fn tables(&self, test: TableTest, p1: Option<f64>, n0: f64) -> Result<Tables, PowerError> {
        let n1 = up(self.q.ratio * n0) as f64;
        let tables = (n1 + 1.0) * (n0 + 1.0);
        if tables > MOST_TABLES {
            return Err(PowerError::TooManyTables { tables });
        }
        Ok(Tables::new(test, self.tail(p1), n1 as usize, n0 as usize))
    }

    pub(super) fn power(&self, p1: f64, n0: f64, alpha: f64) -> Result<f64, PowerError> {
        match self.q.test.table() {
            None if self.q.test == Test::T => self.t_power(p1, n0, alpha),
            None => Ok(self.formula(p1, n0, self.z(alpha)?)),
            Some(test) => {
                let tables = self.tables(test, Some(p1), n0)?;
                Ok(tables.power(p1, self.q.p0, alpha)?)
            }
        }
    }

    /// n of the formula without the farther tail. With `A = z·s0 + z_β·s1` at n = 1, `√n·d − c/√n = A`.
    fn near_n(&self, p1: f64, power: f64, z: f64) -> Result<f64, PowerError> {
        let unit = self.parts(p1, 1.0);
        if unit.d == 0.0 {
            return Err(PowerError::NoDifference);
        }
        let a = z * unit.s0 + normal::quantile(power)? * unit.s1;
        let root = (a + (a * a + 4.0 * unit.d * unit.correction).sqrt()) / (2.0 * unit.d);
        if a <= 0.0 && unit.correction == 0.0 {
            return Err(PowerError::PowerTooLow);
        }
        Ok(root * root)
    }

    pub(super) fn n(
        &self,
        p1: f64,
        power: f64,
        alpha: f64,
    ) -> Result<(f64, Option<u64>), PowerError> {
        let z = self.z(alpha)?;
        if let Some(test) = self.q.test.table() {
            return self.exact_n(test, p1, power, alpha, self.near_n(p1, power, z)?);
        }
        let near = self.near_n(p1, power, z)?;
        if self.q.test == Test::T {
            if alpha >= power {
                return Err(PowerError::PowerTooLow);
            }
            let excess = |n: f64| self.t_power(p1, n, alpha).map_or(-1.0, |own| own - power);
            return Ok((TTest::size(near, excess)?, None));
        }
        if !self.q.strict || self.q.sides == 1 {
            return Ok((near, None));
        }
        let excess = |n: f64| self.formula(p1, n, z) - power;
        let low = near * 1e-9;
        if excess(low) >= 0.0 {
            return Err(PowerError::PowerTooLow);
        }
        if excess(near) <= 0.0 {
            return Ok((near, None)); // the farther tail is below rounding
        }
        Ok((brent(low, near, near * 1e-13, excess)?, None))
    }

    /// The smallest n with the power, and the n from which on it stays, looked for within 4√n + 20 of a crossing:
    /// the saw teeth of exact power are about √n wide.
    fn exact_n(
        &self,
        test: TableTest,
        p1: f64,
        power: f64,
        alpha: f64,
        guess: f64,
    ) -> Result<(f64, Option<u64>), PowerError> {
        let reaches = |n: u64| -> Result<bool, PowerError> {
            let tables = self.tables(test, Some(p1), n as f64)?;
            Ok(tables.power(p1, self.q.p0, alpha)? >= power)
        };
        let mut high = up(guess);
        let mut low = 0;
        while !reaches(high)? {
            low = high;
            high = high + high / 8 + 1;
        }
        while high - low > 1 {
            let middle = low + (high - low) / 2;
            if reaches(middle)? {
                high = middle;
            } else {
                low = middle;
            }
        }
        let teeth = |n: u64| 20 + (4.0 * (n as f64).sqrt()) as u64;
        let crossing = high;
        let (mut first, mut searched) = (crossing, crossing);
        // Downwards, a tooth's width beyond the smallest that was found.
        while searched > 1 && first - (searched - 1) <= teeth(first) {
            searched -= 1;
            if reaches(searched)? {
                first = searched;
            }
        }
        let mut steady = crossing;
        for n in crossing + 1..=crossing + teeth(crossing) {
            if !reaches(n)? {
                steady = n + 1;
            }
        }
        Ok((first as f64, Some(steady)))
    }

    pub(super) fn alpha(&self, p1: f64, n0: f64, power: f64) -> Result<f64, PowerError> {
        let alpha = if let Some(test) = self.q.test.table() {
            let tables = self.tables(test, Some(p1), n0)?;
            tables.alpha(p1, self.q.p0, power)?
        } else if self.q.test == Test::T {
            let at = self.parts(p1, n0);
            return self.t().alpha(at.d / at.s1, at.df, power);
        } else {
            let at = self.parts(p1, n0);
            let z = if self.q.strict && self.q.sides == 2 {
                brent(0.0, 60.0, 1e-14, |z| self.formula(p1, n0, z) - power)?
            } else {
                (at.d - at.correction - at.s1 * normal::quantile(power)?) / at.s0
            };
            f64::from(self.q.sides) * normal::sf(z)
        };
        if alpha >= 1.0 {
            return Err(PowerError::AlphaTooLarge);
        }
        Ok(alpha)
    }

    pub(super) fn effect(&self, n0: f64, power: f64, alpha: f64) -> Result<f64, PowerError> {
        let p0 = self.q.p0;
        let z = self.z(alpha)?;
        let tables = match self.q.test.table() {
            Some(test) => Some(self.tables(test, None, n0)?),
            None => None,
        };
        let at = |p1: f64| -> f64 {
            match &tables {
                Some(tables) => tables.power(p1, p0, alpha).unwrap_or(f64::NAN),
                None if self.q.test == Test::T => self.t_power(p1, n0, alpha).unwrap_or(f64::NAN),
                None => self.formula(p1, n0, z),
            }
        };
        // Where there is nothing to find.
        let null = p0 + self.q.margin;
        if self.q.test == Test::T {
            self.t_power(null, n0, alpha)?;
        }
        if at(null) >= power {
            return Err(PowerError::AnyEffect);
        }
        let edge = match self.q.direction.unwrap_or(Direction::Lower) {
            Direction::Lower => 1e-12,
            Direction::Higher => 1.0 - 1e-12,
        };
        // Outwards from there in steps, so that the nearest effect is the one that is found.
        let steps = 200;
        let mut inner = null;
        let mut reached = 0.0_f64;
        for step in 1..=steps {
            let outer = null + (edge - null) * f64::from(step) / f64::from(steps);
            let value = at(outer);
            reached = reached.max(value);
            if value >= power {
                let (low, high) = (inner.min(outer), inner.max(outer));
                return Ok(brent(low, high, 1e-14, |p1| at(p1) - power)?);
            }
            inner = outer;
        }
        Err(PowerError::EffectTooSmall { reached })
    }

    pub(super) fn answer(
        &self,
        solved: Solved,
        value: f64,
        (p1, n0, power, alpha): (f64, f64, f64, f64),
    ) -> Result<Answer, PowerError> {
        let n_control = up(n0);
        let n_treated = up(self.q.ratio * n0);
        let (whole1, whole0) = (n_treated as f64, n_control as f64);
        let power_of = |n1: f64, n0: f64| {
            let whole = Question {
                ratio: n1 / n0,
                ..*self.q
            };
            let deff = self.deff;
            Solver { q: &whole, deff }.power(p1, n0, alpha)
        };
        let power_at_n = power_of(whole1, whole0)?;
        let mut warnings = Vec::new();
        let clusters = match self.q.clustering {
            None => None,
            Some(own) => {
                let (k1, k0) = own.count(whole1, whole0);
                let (treated, control) = (up(k1), k0.map(up));
                let fewest = control.map_or(treated, |k0| treated.min(k0));
                if self.q.test != Test::T && fewest < 20 {
                    warnings.push(Caution::FewClusters { clusters: fewest });
                }
                let full = |k: u64| k as f64 * own.size;
                let (n1, n0) = (full(treated), control.map_or(whole0, full));
                Some(WholeClusters {
                    treated,
                    control,
                    power: power_of(n1, n0)?,
                })
            }
        };
        if self.q.test.table().is_none() {
            let p0 = self.q.p0;
            let expected = [
                whole1 * p1,
                whole1 * (1.0 - p1),
                whole0 * p0,
                whole0 * (1.0 - p0),
            ]
            .into_iter()
            .fold(f64::INFINITY, f64::min);
            if expected < 5.0 {
                warnings.push(Caution::FewExpected { expected });
            }
            #[expect(clippy::float_cmp, reason = "the same number was given twice")]
            if p1 == p0 + self.q.margin
                && self.q.sides == 2
                && !self.q.strict
                && self.q.test != Test::T
            {
                warnings.push(Caution::NoDifference);
            }
        }
        Ok(Answer {
            solved,
            value,
            p0: self.q.p0,
            p1,
            alpha,
            power,
            power_at_n,
            n_treated,
            n_control,
            n_control_steady: None,
            design_effects: self.deff,
            clusters,
            warnings,
        })
    }
}

/// The proportions that maximize the likelihood among those with `p1 − p0 = margin`: where the derivative of
/// `r(p1 ln x1 + (1 − p1) ln(1 − x1)) + p0 ln x0 + (1 − p0) ln(1 − x0)` along `x1 = x0 + margin` is 0. It falls from +∞ to −∞.
fn constrained(p1: f64, p0: f64, ratio: f64, margin: f64) -> (f64, f64) {
    let (low, high) = ((-margin).max(0.0), (1.0 - margin).min(1.0));
    let slope = |x0: f64| {
        let x1 = x0 + margin;
        ratio * (p1 - x1) / (x1 * (1.0 - x1)) + (p0 - x0) / (x0 * (1.0 - x0))
    };
    let inset = 1e-14 * (high - low);
    let x0 = brent(low + inset, high - inset, 1e-16, slope).unwrap_or(p0);
    (x0 + margin, x0)
}
