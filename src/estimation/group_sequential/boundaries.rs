//! Critical values of a group-sequential design, from a shape with a constant or from a spending function.

use super::recursion::{Exits, Path, Region, exits};
use crate::estimation::error::EstimationError;
use crate::numerics::{normal, root};

/// Whether one tail or both are watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sides {
    /// Only large values stop the study; alpha is that one tail's.
    One,
    /// Large and small values stop it; each side spends half of alpha, and first exits on either side are counted.
    Two,
}

/// How critical values, or the alpha that they spend, follow information.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Shape {
    /// c·t^(−1/2) (O'Brien and Fleming 1979, doi 10.2307/2530245).
    ObrienFleming,
    /// The same value at every look (Pocock 1977, doi 10.1093/biomet/64.2.191).
    Pocock,
    /// c·t^(δ−1/2) (Wang and Tsiatis 1987, doi 10.2307/2531959).
    WangTsiatis {
        /// δ: 0 is O'Brien–Fleming, ½ is Pocock.
        delta: f64,
    },
    /// Spends 2 − 2Φ(z_{a/2}/√t) per side (Lan and DeMets 1983, doi 10.1093/biomet/70.3.659).
    LanDemetsObrienFleming,
    /// Spends a·ln(1 + (e − 1)t) per side (the same).
    LanDemetsPocock,
    /// Spends a·(1 − e^(−γt))/(1 − e^(−γ)) per side (Hwang, Shih and DeCani 1990, doi 10.1002/sim.4780091207).
    HwangShihDecani {
        /// γ; 0 spends in proportion to information.
        gamma: f64,
    },
}

impl Shape {
    /// The identifier on the command line and in protocols.
    pub fn id(self) -> &'static str {
        match self {
            Self::ObrienFleming => "obrien-fleming",
            Self::Pocock => "pocock",
            Self::WangTsiatis { .. } => "wang-tsiatis",
            Self::LanDemetsObrienFleming => "lan-demets-obrien-fleming",
            Self::LanDemetsPocock => "lan-demets-pocock",
            Self::HwangShihDecani { .. } => "hwang-shih-decani",
        }
    }

    /// Every identifier, in the order of the documentation.
    pub const IDS: [&'static str; 6] = [
        "obrien-fleming",
        "pocock",
        "wang-tsiatis",
        "lan-demets-obrien-fleming",
        "lan-demets-pocock",
        "hwang-shih-decani",
    ];

    /// The exponent of information, for shapes with a constant.
    fn exponent(self) -> Option<f64> {
        match self {
            Self::ObrienFleming => Some(-0.5),
            Self::Pocock => Some(0.0),
            Self::WangTsiatis { delta } => Some(delta - 0.5),
            Self::LanDemetsObrienFleming | Self::LanDemetsPocock | Self::HwangShihDecani { .. } => {
                None
            }
        }
    }

    /// Alpha that one side has spent at an information fraction `t` of at most 1, of `a` in all; `None` for shapes that
    /// a constant defines, which spend what their critical values say.
    ///
    /// # Errors
    /// None for `a` in (0, ½) and `t` in (0, 1].
    pub fn spent(self, t: f64, a: f64) -> Result<Option<f64>, EstimationError> {
        let t = t.min(1.0);
        Ok(match self {
            Self::LanDemetsObrienFleming => {
                let z = -normal::quantile(0.5 * a)?;
                Some(2.0 * normal::sf(z / t.sqrt()))
            }
            Self::LanDemetsPocock => Some(a * libm::log1p((std::f64::consts::E - 1.0) * t)),
            Self::HwangShihDecani { gamma } => Some(if gamma.abs() < 1e-9 {
                a * t
            } else {
                a * libm::expm1(-gamma * t) / libm::expm1(-gamma)
            }),
            Self::ObrienFleming | Self::Pocock | Self::WangTsiatis { .. } => None,
        })
    }
}

/// Critical values with the information that they were made for.
///
/// ```
/// use lottning::estimation::group_sequential::{Boundaries, Shape, Sides};
/// let plan = Boundaries::solve(Shape::ObrienFleming, &[0.5, 1.0], 0.05, Sides::Two)?;
/// // Jennison and Turnbull (2000), table 2.3: C_B(2, 0.05) = 1.977.
/// assert!((plan.critical_values()[1] - 1.977).abs() < 5e-4);
/// # Ok::<(), lottning::estimation::EstimationError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Boundaries {
    information: Vec<f64>,
    critical: Vec<f64>,
    cumulative: Vec<f64>,
    sides: Sides,
    alpha: f64,
    /// Under no effect until the last look, where the amounts that looks spend are given.
    path: Option<Path>,
}

impl Boundaries {
    /// Finds the critical values of looks at `information` (ascending, above 0, on any scale: the last is the whole)
    /// for a total type I error `alpha` in (0, 1), of both sides together.
    ///
    /// # Errors
    /// [`EstimationError::Looks`] for information that does not ascend, an alpha outside (0, 1), a shape's parameter
    /// that is no number, or a spending function that does not rise.
    pub fn solve(
        shape: Shape,
        information: &[f64],
        alpha: f64,
        sides: Sides,
    ) -> Result<Self, EstimationError> {
        let whole = information.last().copied().unwrap_or(0.0);
        Self::solve_at(shape, information, whole, alpha, sides)
    }

    /// As [`Boundaries::solve`], with the information `whole` at which all of alpha may be spent: for looks so far of a
    /// study that goes on, and for a last look that has more or less information than was planned. Information above
    /// `whole` counts as the whole. A shape with a constant spends what the design of these looks and one at the whole
    /// would.
    ///
    /// # Errors
    /// As [`Boundaries::solve`].
    pub fn solve_at(
        shape: Shape,
        information: &[f64],
        whole: f64,
        alpha: f64,
        sides: Sides,
    ) -> Result<Self, EstimationError> {
        check(information, whole, alpha, shape)?;
        let side = match sides {
            Sides::One => alpha,
            Sides::Two => 0.5 * alpha,
        };
        let fractions: Vec<f64> = information.iter().map(|own| own / whole).collect();
        let (critical, spent) = match shape.exponent() {
            Some(exponent) => by_constant(exponent, &fractions, side, sides)?,
            None => by_spending(shape, &fractions, side, sides)?,
        };
        let factor = match sides {
            Sides::One => 1.0,
            Sides::Two => 2.0,
        };
        Ok(Self {
            information: information.to_vec(),
            critical,
            cumulative: spent.iter().map(|spent| factor * spent).collect(),
            sides,
            alpha,
            path: None,
        })
    }

    /// Critical values of looks that spend given amounts: `cumulative` is the alpha, of both sides together, that is
    /// spent until each look; `information` ascends on any scale.
    ///
    /// # Errors
    /// [`EstimationError::Looks`] for information that does not ascend from above 0, amounts that fall or leave [0, 1),
    /// or of another number than looks.
    pub fn spending(
        information: &[f64],
        cumulative: &[f64],
        sides: Sides,
    ) -> Result<Self, EstimationError> {
        let whole = information.last().copied().unwrap_or(0.0);
        let alpha = cumulative.last().copied().unwrap_or(0.0);
        check(information, whole, alpha, Shape::Pocock)?;
        let rises = cumulative.windows(2).all(|pair| pair[1] >= pair[0]);
        let starts = cumulative.first().is_some_and(|first| *first >= 0.0);
        if !(rises && starts && cumulative.len() == information.len()) {
            return Err(EstimationError::Looks { what: "alpha" });
        }
        let factor = match sides {
            Sides::One => 1.0,
            Sides::Two => 2.0,
        };
        let side: Vec<f64> = cumulative.iter().map(|spent| spent / factor).collect();
        let (critical, path) = spending_values(information, &side, sides)?;
        Ok(Self {
            information: information.to_vec(),
            critical,
            cumulative: cumulative.to_vec(),
            sides,
            alpha,
            path: Some(path),
        })
    }

    /// Critical values of |Z| (two sides) or Z (one side), by look.
    pub fn critical_values(&self) -> &[f64] {
        &self.critical
    }

    /// Alpha spent until each look, of both sides together.
    pub fn cumulative_alpha(&self) -> &[f64] {
        &self.cumulative
    }

    /// Information of the looks, as given.
    pub fn information(&self) -> &[f64] {
        &self.information
    }

    /// Whether one side or both are watched.
    pub fn sides(&self) -> Sides {
        self.sides
    }

    /// The total type I error asked for.
    pub fn alpha(&self) -> f64 {
        self.alpha
    }

    /// What looks before the last have spent upwards, and the path under no effect until there, where it is known.
    pub(super) fn until_last(&self) -> Option<(f64, &Path)> {
        let factor = match self.sides {
            Sides::One => 1.0,
            Sides::Two => 2.0,
        };
        let before = self.cumulative.iter().rev().nth(1);
        let spent = before.map_or(0.0, |spent| spent / factor);
        Some((spent, self.path.as_ref()?))
    }

    /// The regions in which the looks go on.
    pub fn regions(&self) -> Vec<Region> {
        let region = |critical: &f64| region(*critical, self.sides);
        self.critical.iter().map(region).collect()
    }

    /// Probabilities of stopping at each look for the mean `effect·√information` of Z.
    pub fn exits(&self, effect: f64) -> Exits {
        exits(&self.information, &self.regions(), effect)
    }

    /// Probability of stopping upwards at any look: the power for a positive `effect` on the scale of which information
    /// is the inverse variance.
    pub fn power(&self, effect: f64) -> f64 {
        self.exits(effect).up()
    }

    /// The effect, on the scale of information, that is found with probability `power` (above alpha, below 1).
    ///
    /// # Errors
    /// [`EstimationError::Looks`] for a power that no positive effect has.
    pub fn effect(&self, power: f64) -> Result<f64, EstimationError> {
        if !(power > self.alpha && power < 1.0) {
            return Err(EstimationError::Looks { what: "power" });
        }
        let whole = self.information.last().copied().unwrap_or(1.0).sqrt();
        let target = normal::quantile(power)?;
        let excess = |drift: f64| {
            let own = self.power(drift / whole).clamp(1e-300, 1.0 - 1e-16);
            normal::quantile(own).unwrap_or(0.0) - target
        };
        let high = self.critical.iter().fold(0.0f64, |m, c| m.max(*c)) + target.max(0.0) + 8.0;
        let drift = root::brent(0.0, high.min(60.0), 1e-12, excess)?;
        Ok(drift / whole)
    }

    /// How much more information than a study with one look the whole design needs for a power, and how much it uses on
    /// average when the effect is the one with that power: both as ratios to the study with one look.
    ///
    /// # Errors
    /// As [`Boundaries::effect`].
    pub fn inflation(&self, power: f64) -> Result<(f64, f64), EstimationError> {
        let effect = self.effect(power)?;
        let whole = self.information.last().copied().unwrap_or(1.0);
        let side = match self.sides {
            Sides::One => self.alpha,
            Sides::Two => 0.5 * self.alpha,
        };
        let fixed = normal::quantile(power)? - normal::quantile(side)?;
        let inflation = effect * effect * whole / (fixed * fixed);
        Ok((
            inflation,
            inflation * self.expected_information(effect) / whole,
        ))
    }

    /// Mean information at stopping, on the scale given.
    pub fn expected_information(&self, effect: f64) -> f64 {
        let exits = self.exits(effect);
        let mut left = 1.0;
        let mut sum = 0.0;
        let last = self.information.len().saturating_sub(1);
        for (look, information) in self.information.iter().enumerate() {
            let stops = exits.upper[look] + exits.lower[look];
            let share = if look == last { left } else { stops };
            sum += share * information;
            left -= stops;
        }
        sum
    }
}

fn check(information: &[f64], whole: f64, alpha: f64, shape: Shape) -> Result<(), EstimationError> {
    let ascends = information
        .windows(2)
        .all(|pair| pair[1] - pair[0] > 1e-9 * whole);
    let first = information.first().copied().unwrap_or(0.0);
    let what = if !(first > 0.0 && ascends && whole.is_finite() && whole > 0.0) {
        "information"
    } else if !(alpha > 0.0 && alpha < 1.0) {
        "alpha"
    } else if matches!(shape, Shape::WangTsiatis { delta } if !(-2.0..=2.0).contains(&delta)) {
        "delta"
    } else if matches!(shape, Shape::HwangShihDecani { gamma } if !(-40.0..=40.0).contains(&gamma))
    {
        "gamma"
    } else {
        return Ok(());
    };
    Err(EstimationError::Looks { what })
}

fn region(critical: f64, sides: Sides) -> Region {
    Region {
        low: match sides {
            Sides::One => f64::NEG_INFINITY,
            Sides::Two => -critical,
        },
        high: critical,
    }
}

type Solved = (Vec<f64>, Vec<f64>);

/// c·t^exponent with the constant that spends one side's alpha at the whole.
fn by_constant(
    exponent: f64,
    fractions: &[f64],
    side: f64,
    sides: Sides,
) -> Result<Solved, EstimationError> {
    // A study that goes on has a last look at the whole.
    let mut all = fractions.to_vec();
    if all.last().is_some_and(|last| *last < 1.0 - 1e-9) {
        all.push(1.0);
    }
    let values = |c: f64| -> Vec<f64> { all.iter().map(|t| c * libm::pow(*t, exponent)).collect() };
    let spent = |c: f64| {
        let regions: Vec<Region> = values(c).iter().map(|own| region(*own, sides)).collect();
        exits(&all, &regions, 0.0).upper
    };
    let target = normal::quantile(side)?;
    let excess = |c: f64| {
        let up: f64 = spent(c).iter().sum();
        normal::quantile(up.clamp(1e-300, 0.999_999)).unwrap_or(0.0) - target
    };
    let alone = -target;
    let c = root::brent((alone - 1.0).min(0.0), alone + 8.0, 1e-13, excess)?;
    let mut critical = values(c);
    let mut cumulative = running(&spent(c));
    critical.truncate(fractions.len());
    cumulative.truncate(fractions.len());
    Ok((critical, cumulative))
}

/// Critical values that spend what the function says, look by look.
fn by_spending(
    shape: Shape,
    fractions: &[f64],
    side: f64,
    sides: Sides,
) -> Result<Solved, EstimationError> {
    let cumulative: Vec<f64> = fractions
        .iter()
        .map(|t| Ok(shape.spent(*t, side)?.unwrap_or(side)))
        .collect::<Result<_, EstimationError>>()?;
    let (critical, _) = spending_values(fractions, &cumulative, sides)?;
    Ok((critical, cumulative))
}

/// Critical values that spend `cumulative` on one side, look by look, and the path until the last look; infinite where a
/// look spends nothing.
fn spending_values(
    information: &[f64],
    cumulative: &[f64],
    sides: Sides,
) -> Result<(Vec<f64>, Path), EstimationError> {
    let mut path = Path::new(0.0);
    let mut critical = Vec::with_capacity(information.len());
    let mut before = 0.0;
    for (look, (t, until)) in information.iter().zip(cumulative).enumerate() {
        let now = until - before;
        let value = if now > 1e-300 {
            critical_value(&path, *t, normal::quantile(now)?)?
        } else {
            f64::INFINITY
        };
        critical.push(value);
        before = *until;
        if let Some(next) = information.get(look + 1) {
            path.go_on(*t, region(value, sides), *next);
        }
    }
    Ok((critical, path))
}

/// The value above which Z leaves a look of information `t` with the probability whose normal quantile is `target`.
///
/// On the scale of that quantile the probability is nearly a straight line in the value, and its slope is known: from the
/// value of a study with this look alone Newton's steps are few. Where they do not settle, the value is bracketed.
fn critical_value(path: &Path, t: f64, target: f64) -> Result<f64, EstimationError> {
    if path.is_at_start() {
        return Ok(-target);
    }
    let reached = |z: f64| {
        let up = path.above(t, z).clamp(1e-305, 0.999_999);
        normal::quantile(up).unwrap_or(0.0)
    };
    let mut z = -target;
    for _ in 0..MOST_STEPS {
        let own = reached(z);
        let step = (own - target) * normal::pdf(own) / path.density(t, z);
        z += step;
        if !(-8.0..=37.0).contains(&z) {
            break;
        }
        // The error after a step is below the square of the step: on this scale the probability is nearly straight.
        if step.abs() <= 1e-7 {
            return Ok(z);
        }
    }
    Ok(root::brent(-8.0, 37.0, 1e-13, |z| target - reached(z))?)
}

/// Steps after which a value is bracketed instead.
const MOST_STEPS: usize = 12;

fn running(parts: &[f64]) -> Vec<f64> {
    parts
        .iter()
        .scan(0.0, |sum, part| {
            *sum += part;
            Some(*sum)
        })
        .collect()
}
