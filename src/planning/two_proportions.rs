//! Power of a comparison of two proportions: formulas, and exact enumeration of every table.
//!
//! One of sample size, power, alpha and effect is left out and solved for. Formulas are the field's usual ones and
//! their n is unrounded; exact tests enumerate the tables of [`super::tables`]. What the simulator adds (capacity,
//! dilution, covariates) is not here.

use super::clustering::Clustering;
use super::tables::{TableTest, Tables, Tail};
use crate::diagnostic::Words;
use crate::numerics::root::brent;
use crate::numerics::{NumericsError, normal};
use crate::words;

/// Most tables that one enumeration visits.
pub const MOST_TABLES: f64 = 25e6;

/// How power is computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Test {
    /// Normal formula, pooled variance under the null.
    Pooled,
    /// Normal formula, unpooled variance.
    Unpooled,
    /// Normal formula on the arcsine scale.
    Arcsine,
    /// The pooled formula with Fleiss's continuity correction.
    Continuity,
    /// Enumeration of the pooled normal test.
    ExactPooled,
    /// Enumeration of the unpooled normal test.
    ExactUnpooled,
    /// Enumeration of Fisher's test, two-sided by likelihood.
    ExactFisher,
    /// Enumeration of Fisher's test, two-sided by doubling.
    ExactFisherCentral,
}

impl Test {
    /// Every test, in the order of the help.
    pub const ALL: [Self; 8] = [
        Self::Pooled,
        Self::Unpooled,
        Self::Arcsine,
        Self::Continuity,
        Self::ExactPooled,
        Self::ExactUnpooled,
        Self::ExactFisher,
        Self::ExactFisherCentral,
    ];

    /// The id on the command line and in JSON.
    pub fn id(self) -> &'static str {
        match self {
            Self::Pooled => "pooled",
            Self::Unpooled => "unpooled",
            Self::Arcsine => "arcsine",
            Self::Continuity => "continuity",
            Self::ExactPooled => "exact-pooled",
            Self::ExactUnpooled => "exact-unpooled",
            Self::ExactFisher => "exact-fisher",
            Self::ExactFisherCentral => "exact-fisher-central",
        }
    }

    fn table(self) -> Option<TableTest> {
        match self {
            Self::Pooled | Self::Unpooled | Self::Arcsine | Self::Continuity => None,
            Self::ExactPooled => Some(TableTest::Pooled),
            Self::ExactUnpooled => Some(TableTest::Unpooled),
            Self::ExactFisher => Some(TableTest::Fisher),
            Self::ExactFisherCentral => Some(TableTest::FisherCentral),
        }
    }
}

/// On which side of the control proportion an effect is sought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Below.
    Lower,
    /// Above.
    Higher,
}

/// What is known; exactly one of `p1`, `n_control`, `power`, `alpha` is `None` and is solved for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Question {
    /// Proportion in the control arm, inside (0, 1).
    pub p0: f64,
    /// Proportion in the treated arm, inside (0, 1).
    pub p1: Option<f64>,
    /// Individuals in the control arm, positive; whole for an exact test.
    pub n_control: Option<f64>,
    /// Power, inside (0, 1).
    pub power: Option<f64>,
    /// Type I error, the total of both sides, inside (0, 1).
    pub alpha: Option<f64>,
    /// Treated individuals per control individual, positive.
    pub ratio: f64,
    /// 1 or 2. A one-sided test looks on the side of the effect.
    pub sides: u8,
    /// Whether a two-sided formula counts the farther tail too. Exact tests always count both.
    pub strict: bool,
    /// The test.
    pub test: Test,
    /// The side on which an effect is sought; `None` is the side of `p1`, or lower.
    pub direction: Option<Direction>,
    /// Clusters, if any.
    pub clustering: Option<Clustering>,
}

impl Question {
    /// The power of a two-sided pooled formula at `alpha`, equal arms: the planner's first question.
    pub fn power_at(p0: f64, p1: f64, n_per_arm: f64, alpha: f64) -> Self {
        Self {
            p0,
            p1: Some(p1),
            n_control: Some(n_per_arm),
            power: None,
            alpha: Some(alpha),
            ratio: 1.0,
            sides: 2,
            strict: false,
            test: Test::Pooled,
            direction: None,
            clustering: None,
        }
    }
}

/// Which figure was solved for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Solved {
    /// The power.
    Power,
    /// The control arm's sample size.
    N,
    /// Alpha.
    Alpha,
    /// The treated arm's proportion.
    Effect,
}

impl Solved {
    /// The text in JSON.
    pub fn text(self) -> &'static str {
        match self {
            Self::Power => "power",
            Self::N => "n",
            Self::Alpha => "alpha",
            Self::Effect => "effect",
        }
    }
}

/// A figure and everything that it belongs to.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// What was solved for.
    pub solved: Solved,
    /// Its value: n unrounded, the effect as `p1`.
    pub value: f64,
    /// Control arm's proportion.
    pub p0: f64,
    /// Treated arm's proportion.
    pub p1: f64,
    /// Type I error.
    pub alpha: f64,
    /// Power asked for, or found.
    pub power: f64,
    /// Power of the whole numbers `n_treated` and `n_control`.
    pub power_at_n: f64,
    /// Individuals in the treated arm, rounded up.
    pub n_treated: u64,
    /// Individuals in the control arm, rounded up.
    pub n_control: u64,
    /// With an exact test and n solved for: from here on, as far as looked, every control arm has the power. Exact
    /// power goes up and down with n.
    pub n_control_steady: Option<u64>,
    /// Design effect of the treated and of the control arm.
    pub design_effects: (f64, f64),
    /// What a reader should know.
    pub warnings: Vec<Caution>,
}

/// Something that a reader of a figure should know.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Caution {
    /// A normal formula where an arm expects fewer than five events or non-events.
    FewExpected {
        /// Smallest expected count.
        expected: f64,
    },
    /// A normal formula with few clusters.
    FewClusters {
        /// Clusters in the arm with fewest.
        clusters: u64,
    },
    /// No difference: the formula counts one tail of the size.
    NoDifference,
}

impl Caution {
    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::FewExpected { .. } => "few-expected",
            Self::FewClusters { .. } => "few-clusters",
            Self::NoDifference => "no-difference",
        }
    }

    /// What it says.
    pub fn words(&self) -> Words {
        match self {
            Self::FewExpected { expected } => words!(
                "a cell expects only {expected:.1} individuals; a normal formula is not to be trusted below 5, an exact test is",
                "en cell förväntas få bara {expected:.1} individer; en normalformel är inte att lita på under 5, men ett exakt test är det"
            ),
            Self::FewClusters { clusters } => words!(
                "{clusters} clusters in an arm are few; a normal formula overstates power",
                "{clusters} kluster i en arm är få; en normalformel överskattar styrkan"
            ),
            Self::NoDifference => Words::new(
                "without a difference this is one tail of the size; strict counts both",
                "utan skillnad är detta en svans av testets storlek; strict räknar båda",
            ),
        }
    }
}

/// Why there is no figure.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum PowerError {
    /// More than one of the four is left out.
    #[error("more than one of n, power, alpha and effect is left out")]
    Underdetermined,
    /// None of the four is left out.
    #[error("none of n, power, alpha and effect is left out")]
    Overdetermined,
    /// An argument is outside its range.
    #[error("{name} = {value} is outside {range}")]
    OutOfRange {
        /// Name of the argument.
        name: &'static str,
        /// What was given.
        value: f64,
        /// What it can be.
        range: &'static str,
    },
    /// `p1` lies on the other side than the direction says.
    #[error("p1 lies on the other side of p0")]
    WrongSide,
    /// Exact tests count whole individuals.
    #[error("an exact test needs a whole number of individuals, not {n}")]
    NotWhole {
        /// What was given.
        n: f64,
    },
    /// Exact tests assume independent individuals.
    #[error("an exact test does not hold for clusters")]
    ExactClusters,
    /// Too many tables to enumerate.
    #[error("{tables:e} tables are too many to enumerate")]
    TooManyTables {
        /// Their number.
        tables: f64,
    },
    /// No sample size finds a difference of nothing.
    #[error("no sample size finds no difference")]
    NoDifference,
    /// The power is reached without any data.
    #[error("the power is reached without data")]
    PowerTooLow,
    /// Even the largest effect has less power.
    #[error("even the largest effect has power {reached}")]
    EffectTooSmall {
        /// Power of the largest effect.
        reached: f64,
    },
    /// The effect asked for is not on this side of the null: its power is below the size.
    #[error("already no effect has that power")]
    AnyEffect,
    /// Alpha would have to be at least 1.
    #[error("alpha would have to be at least 1")]
    AlphaTooLarge,
    /// A function got an argument outside its domain.
    #[error(transparent)]
    Numerics(#[from] NumericsError),
}

impl PowerError {
    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Underdetermined => "missing-option",
            Self::Overdetermined | Self::WrongSide | Self::ExactClusters => "conflicting-options",
            Self::OutOfRange { .. } | Self::NotWhole { .. } => "invalid-value",
            Self::TooManyTables { .. }
            | Self::NoDifference
            | Self::PowerTooLow
            | Self::EffectTooSmall { .. }
            | Self::AnyEffect
            | Self::AlphaTooLarge
            | Self::Numerics(_) => "no-figure",
        }
    }

    /// What is wrong.
    pub fn words(&self) -> Words {
        match self {
            Self::Underdetermined => Words::new(
                "only one of sample size, power, alpha and effect can be left out",
                "bara en av stickprovsstorlek, styrka, alfa och effekt kan utelämnas",
            ),
            Self::Overdetermined => Words::new(
                "one of sample size, power, alpha and effect must be left out: it is what is solved for",
                "en av stickprovsstorlek, styrka, alfa och effekt måste utelämnas: det är den som räknas ut",
            ),
            Self::OutOfRange { name, value, range } => words!(
                "{name} = {value} is outside {range}",
                "{name} = {value} ligger utanför {range}"
            ),
            Self::WrongSide => Words::new(
                "p1 lies on the other side of p0 than the direction says",
                "p1 ligger på andra sidan om p0 än riktningen anger",
            ),
            Self::NotWhole { n } => words!(
                "an exact test counts whole individuals, and {n} is no whole number",
                "ett exakt test räknar hela individer, och {n} är inget heltal"
            ),
            Self::ExactClusters => Words::new(
                "an exact test assumes independent individuals and does not hold for clusters",
                "ett exakt test förutsätter oberoende individer och gäller inte för kluster",
            ),
            Self::TooManyTables { tables } => {
                let millions = tables / 1e6;
                words!(
                    "{millions:.0} million tables are too many to enumerate; a formula is precise here",
                    "{millions:.0} miljoner tabeller är för många att räkna upp; en formel är noggrann här"
                )
            }
            Self::NoDifference => Words::new(
                "no sample size exists: p1 equals p0, so there is nothing to find",
                "det finns ingen stickprovsstorlek: p1 är lika med p0, så det finns inget att upptäcka",
            ),
            Self::PowerTooLow => Words::new(
                "no sample size exists: so small a power is reached without any data",
                "det finns ingen stickprovsstorlek: en så liten styrka nås utan några data",
            ),
            Self::EffectTooSmall { reached } => words!(
                "no such effect exists: even the largest one on this side has power {reached:.4}",
                "det finns ingen sådan effekt: även den största på den här sidan ger styrkan {reached:.4}"
            ),
            Self::AnyEffect => Words::new(
                "no such effect exists: the test has that power without any effect",
                "det finns ingen sådan effekt: testet har den styrkan utan någon effekt",
            ),
            Self::AlphaTooLarge => Words::new(
                "no such alpha exists: it would have to be at least 1",
                "det finns inget sådant alfa: det skulle behöva vara minst 1",
            ),
            Self::Numerics(error) => error.words(),
        }
    }
}

/// Solves for the one of sample size, power, alpha and effect that is left out.
///
/// With `d = |p1 − p0|`, `n1 = ratio·n0`, `s0² = p̄(1−p̄)(1/n1 + 1/n0)` with `p̄ = (n1·p1 + n0·p0)/(n1 + n0)`,
/// `s1² = p1(1−p1)/n1 + p0(1−p0)/n0` and `z` the upper `alpha/sides` point, the power is
/// - `pooled`: `Φ((d − z·s0)/s1)`; `unpooled`: `Φ(d/s1 − z)`;
/// - `arcsine`: `Φ(h/√(1/n1 + 1/n0) − z)`, `h = |2·asin√p1 − 2·asin√p0|`;
/// - `continuity`: `Φ((d − (1/n1 + 1/n0)/2 − z·s0)/s1)`, whose n is that of Fleiss, Tytun and Ury;
/// - `strict` adds the farther tail, `d` replaced by `−d`;
/// - exact: the sum of `b(x1; n1, p1)·b(x0; n0, p0)` over the tables that the test rejects.
///
/// In an arm with clusters its n is divided by the design effect (not in `p̄`). The effect is the `p1` nearest to `p0`
/// with the power. An exact n is the smallest with the power.
///
/// Assumes independent individuals (or clusters) with one probability per arm. Fleiss, Levin and Paik 2003,
/// doi 10.1002/0471445428, equations 4.14 and 4.18; arcsine: Cohen 1988, chapter 6.
///
/// ```
/// use lottning::planning::two_proportions::{Question, solve};
/// let answer = solve(&Question::power_at(0.3, 0.2, 300.0, 0.05))?;
/// assert!((answer.value - 0.809_025_665_325).abs() < 1e-9); // R: power.prop.test
/// let n = solve(&Question { n_control: None, power: Some(0.8), ..Question::power_at(0.3, 0.2, 0.0, 0.05) })?;
/// assert_eq!(n.n_control, 294);
/// # Ok::<(), lottning::planning::two_proportions::PowerError>(())
/// ```
pub fn solve(question: &Question) -> Result<Answer, PowerError> {
    check(question)?;
    let solver = Solver::new(question);
    match (
        question.p1,
        question.n_control,
        question.power,
        question.alpha,
    ) {
        (Some(p1), Some(n), None, Some(alpha)) => {
            let power = solver.power(p1, n, alpha)?;
            solver.answer(Solved::Power, power, (p1, n, power, alpha))
        }
        (Some(p1), None, Some(power), Some(alpha)) => {
            let (n, steady) = solver.n(p1, power, alpha)?;
            let mut answer = solver.answer(Solved::N, n, (p1, n, power, alpha))?;
            answer.n_control_steady = steady;
            Ok(answer)
        }
        (Some(p1), Some(n), Some(power), None) => {
            let alpha = solver.alpha(p1, n, power)?;
            solver.answer(Solved::Alpha, alpha, (p1, n, power, alpha))
        }
        (None, Some(n), Some(power), Some(alpha)) => {
            let p1 = solver.effect(n, power, alpha)?;
            solver.answer(Solved::Effect, p1, (p1, n, power, alpha))
        }
        (Some(_), Some(_), Some(_), Some(_)) => Err(PowerError::Overdetermined),
        _ => Err(PowerError::Underdetermined),
    }
}

fn check(question: &Question) -> Result<(), PowerError> {
    let inside = |name, value: f64| {
        if value > 0.0 && value < 1.0 {
            Ok(())
        } else {
            let range = "(0, 1)";
            Err(PowerError::OutOfRange { name, value, range })
        }
    };
    let range = |name, value: f64, holds: bool, range| {
        if holds && value.is_finite() {
            Ok(())
        } else {
            Err(PowerError::OutOfRange { name, value, range })
        }
    };
    inside("p0", question.p0)?;
    for (name, value) in [
        ("p1", question.p1),
        ("power", question.power),
        ("alpha", question.alpha),
    ] {
        value.map_or(Ok(()), |value| inside(name, value))?;
    }
    range("ratio", question.ratio, question.ratio > 0.0, "(0, ∞)")?;
    let sides = f64::from(question.sides);
    range("sides", sides, matches!(question.sides, 1 | 2), "{1, 2}")?;
    if let Some(n) = question.n_control {
        range("n", n, n >= 1.0, "[1, ∞)")?;
    }
    if let Some(clusters) = &question.clustering {
        let (size, icc, cv) = (clusters.size, clusters.icc, clusters.size_cv);
        range("cluster-size", size, size >= 1.0, "[1, ∞)")?;
        range("icc", icc, (0.0..=1.0).contains(&icc), "[0, 1]")?;
        range("cluster-size-cv", cv, cv >= 0.0, "[0, ∞)")?;
    }
    let side = question.p1.map(|p1| p1 - question.p0);
    match (question.direction, side) {
        (Some(Direction::Lower), Some(d)) if d > 0.0 => return Err(PowerError::WrongSide),
        (Some(Direction::Higher), Some(d)) if d < 0.0 => return Err(PowerError::WrongSide),
        _ => {}
    }
    if question.test.table().is_some() {
        if question.clustering.is_some() {
            return Err(PowerError::ExactClusters);
        }
        if let Some(n) = question.n_control.filter(|n| n.fract() != 0.0) {
            return Err(PowerError::NotWhole { n });
        }
    }
    Ok(())
}

/// A whole number of individuals; a hair above a whole number is rounding, not a further individual.
fn up(n: f64) -> u64 {
    (n - 1e-9 * n.max(1.0)).ceil().max(1.0) as u64
}

/// The parts of a formula at one n: power = Φ((d − correction − z·s0)/s1).
struct Parts {
    d: f64,
    correction: f64,
    s0: f64,
    s1: f64,
}

struct Solver<'a> {
    q: &'a Question,
    deff: (f64, f64),
}

impl<'a> Solver<'a> {
    fn new(q: &'a Question) -> Self {
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
        let pooled = (mean * (1.0 - mean) * harmonic).sqrt();
        let unpooled = (p1 * (1.0 - p1) / e1 + p0 * (1.0 - p0) / e0).sqrt();
        let (d, s0, s1) = match self.q.test {
            Test::Arcsine => {
                let h = 2.0 * p1.sqrt().asin() - 2.0 * p0.sqrt().asin();
                (h.abs(), harmonic.sqrt(), harmonic.sqrt())
            }
            Test::Unpooled | Test::ExactUnpooled => ((p1 - p0).abs(), unpooled, unpooled),
            Test::Pooled
            | Test::Continuity
            | Test::ExactPooled
            | Test::ExactFisher
            | Test::ExactFisherCentral => ((p1 - p0).abs(), pooled, unpooled),
        };
        // Fisher's test behaves as the corrected formula; here that is only where a search for n begins.
        let corrected = matches!(
            self.q.test,
            Test::Continuity | Test::ExactFisher | Test::ExactFisherCentral
        );
        Parts {
            d,
            correction: if corrected { 0.5 * harmonic } else { 0.0 },
            s0,
            s1,
        }
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

    fn power(&self, p1: f64, n0: f64, alpha: f64) -> Result<f64, PowerError> {
        match self.q.test.table() {
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

    fn n(&self, p1: f64, power: f64, alpha: f64) -> Result<(f64, Option<u64>), PowerError> {
        let z = self.z(alpha)?;
        if let Some(test) = self.q.test.table() {
            return self.exact_n(test, p1, power, alpha, self.near_n(p1, power, z)?);
        }
        let near = self.near_n(p1, power, z)?;
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

    fn alpha(&self, p1: f64, n0: f64, power: f64) -> Result<f64, PowerError> {
        let alpha = if let Some(test) = self.q.test.table() {
            let tables = self.tables(test, Some(p1), n0)?;
            tables.alpha(p1, self.q.p0, power)?
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

    fn effect(&self, n0: f64, power: f64, alpha: f64) -> Result<f64, PowerError> {
        let p0 = self.q.p0;
        let z = self.z(alpha)?;
        let tables = match self.q.test.table() {
            Some(test) => Some(self.tables(test, None, n0)?),
            None => None,
        };
        let at = |p1: f64| -> f64 {
            match &tables {
                Some(tables) => tables.power(p1, p0, alpha).unwrap_or(f64::NAN),
                None => self.formula(p1, n0, z),
            }
        };
        if at(p0) >= power {
            return Err(PowerError::AnyEffect);
        }
        let edge = match self.q.direction.unwrap_or(Direction::Lower) {
            Direction::Lower => 1e-12,
            Direction::Higher => 1.0 - 1e-12,
        };
        // Outwards from p0 in steps, so that the nearest effect is the one that is found.
        let steps = 200;
        let mut inner = p0;
        let mut reached = 0.0_f64;
        for step in 1..=steps {
            let outer = p0 + (edge - p0) * f64::from(step) / f64::from(steps);
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

    fn answer(
        &self,
        solved: Solved,
        value: f64,
        (p1, n0, power, alpha): (f64, f64, f64, f64),
    ) -> Result<Answer, PowerError> {
        let n_control = up(n0);
        let n_treated = up(self.q.ratio * n0);
        let (whole1, whole0) = (n_treated as f64, n_control as f64);
        let whole = Question {
            ratio: whole1 / whole0,
            ..*self.q
        };
        let power_at_n = Solver {
            q: &whole,
            deff: self.deff,
        }
        .power(p1, whole0, alpha)?;
        let mut warnings = Vec::new();
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
            if let Some(clusters) = self.clusters(n_treated, n_control)
                && clusters < 20
            {
                warnings.push(Caution::FewClusters { clusters });
            }
            #[expect(clippy::float_cmp, reason = "the same number was given twice")]
            if p1 == p0 && self.q.sides == 2 && !self.q.strict {
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
            warnings,
        })
    }

    /// Clusters in the arm that has fewest of them.
    fn clusters(&self, n_treated: u64, n_control: u64) -> Option<u64> {
        let clustering = self.q.clustering?;
        let n = match clustering.arms {
            super::clustering::ClusteredArms::Both => n_treated.min(n_control),
            super::clustering::ClusteredArms::Treated => n_treated,
        };
        Some((n as f64 / clustering.size).ceil() as u64)
    }
}
