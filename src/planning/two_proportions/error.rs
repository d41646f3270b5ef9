//! Why there is no figure.

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
