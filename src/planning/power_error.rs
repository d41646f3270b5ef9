//! Why there is no figure, in every family of outcomes.

use crate::diagnostic::Words;
use crate::numerics::NumericsError;
use crate::words;

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
    /// The effect lies on the other side than the direction says.
    #[error("the effect lies on the other side than the direction says")]
    WrongSide,
    /// The effect does not lie beyond the margin, on the side that is tested.
    #[error("the effect does not lie beyond the margin")]
    WithinMargin,
    /// A margin is a difference, and this test is of no difference.
    #[error("this test has no margin")]
    MarginNotUsed,
    /// Covariates and clusters at once.
    #[error("covariates and clusters at once")]
    CovariatesAndClusters,
    /// A size in individuals, without what turns individuals into events.
    #[error("individuals become events by their follow-up")]
    FollowUpMissing,
    /// Events and individuals are both given.
    #[error("events and individuals are both given")]
    TwoSizes,
    /// A t test without degrees of freedom.
    #[error("{df} degrees of freedom")]
    NoDegreesOfFreedom {
        /// How many it would have.
        df: f64,
    },
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
            Self::Underdetermined | Self::FollowUpMissing => "missing-option",
            Self::Overdetermined
            | Self::WrongSide
            | Self::WithinMargin
            | Self::MarginNotUsed
            | Self::CovariatesAndClusters
            | Self::TwoSizes
            | Self::ExactClusters => "conflicting-options",
            Self::OutOfRange { .. } | Self::NotWhole { .. } => "invalid-value",
            Self::TooManyTables { .. }
            | Self::NoDifference
            | Self::PowerTooLow
            | Self::EffectTooSmall { .. }
            | Self::AnyEffect
            | Self::AlphaTooLarge
            | Self::NoDegreesOfFreedom { .. }
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
            Self::OutOfRange { name, value, range } => {
                let Words { en, sv } = Words::number(*value);
                words!(
                    "{name} = {en} is outside {range}",
                    "{name} = {sv} ligger utanför {range}"
                )
            }
            Self::WrongSide => Words::new(
                "the effect lies on the other side than the direction says",
                "effekten ligger på andra sidan än riktningen anger",
            ),
            Self::WithinMargin => Words::new(
                "no figure exists: the effect does not lie beyond the margin, so there is nothing to show",
                "det finns ingen siffra: effekten ligger inte bortom marginalen, så det finns inget att visa",
            ),
            Self::MarginNotUsed => Words::new(
                "a margin is a difference of proportions; this test is one of no difference at all",
                "en marginal är en skillnad mellan andelar; det här testet gäller ingen skillnad alls",
            ),
            Self::CovariatesAndClusters => Words::new(
                "covariates explain variance within or between clusters, and R² does not say which",
                "kovariater förklarar variation inom eller mellan kluster, och R² säger inte vilken",
            ),
            Self::FollowUpMissing => Words::new(
                "individuals become events by their follow-up, which is not given",
                "individer blir händelser genom sin uppföljning, och den är inte angiven",
            ),
            Self::TwoSizes => Words::new(
                "events and individuals are both given, and one follows from the other",
                "både händelser och individer är angivna, och det ena följer av det andra",
            ),
            Self::NoDegreesOfFreedom { df } => {
                let Words { en, sv } = Words::number(*df);
                words!(
                    "no figure exists: the test would have {en} degrees of freedom",
                    "det finns ingen siffra: testet skulle ha {sv} frihetsgrader"
                )
            }
            Self::NotWhole { n } => {
                let Words { en, sv } = Words::number(*n);
                words!(
                    "an exact test counts whole individuals, and {en} is no whole number",
                    "ett exakt test räknar hela individer, och {sv} är inget heltal"
                )
            }
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
                "no sample size exists: without an effect there is nothing to find",
                "det finns ingen stickprovsstorlek: utan effekt finns det inget att upptäcka",
            ),
            Self::PowerTooLow => Words::new(
                "no sample size exists: so small a power is reached without any data",
                "det finns ingen stickprovsstorlek: en så liten styrka nås utan några data",
            ),
            Self::EffectTooSmall { reached } => {
                let Words { en, sv } = Words::decimals(*reached, 4);
                words!(
                    "no such effect exists: even the largest one on this side has power {en}",
                    "det finns ingen sådan effekt: även den största på den här sidan ger styrkan {sv}"
                )
            }
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

/// The value if it is inside (0, 1).
pub(super) fn probability(name: &'static str, value: f64) -> Result<(), PowerError> {
    range(name, value, value > 0.0 && value < 1.0, "(0, 1)")
}

/// The value if it is finite and `holds`.
pub(super) fn range(
    name: &'static str,
    value: f64,
    holds: bool,
    range: &'static str,
) -> Result<(), PowerError> {
    if holds && value.is_finite() {
        Ok(())
    } else {
        Err(PowerError::OutOfRange { name, value, range })
    }
}

/// What every family checks: probabilities, ratio, sides and size.
pub(super) fn check_design(
    (power, alpha, n): (Option<f64>, Option<f64>, Option<f64>),
    ratio: f64,
    sides: u8,
) -> Result<(), PowerError> {
    for (name, value) in [("power", power), ("alpha", alpha)] {
        value.map_or(Ok(()), |value| probability(name, value))?;
    }
    range("ratio", ratio, ratio > 0.0, "(0, ∞)")?;
    let number = f64::from(sides);
    range("sides", number, matches!(sides, 1 | 2), "{1, 2}")?;
    n.map_or(Ok(()), |n| range("n", n, n >= 1.0, "[1, ∞)"))
}
