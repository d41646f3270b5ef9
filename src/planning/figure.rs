//! What the families of outcomes share: which figure is looked for, on which side, and what a reader should know.

use crate::diagnostic::Words;
use crate::words;

/// On which side of no effect an effect is sought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Below: a lower proportion, mean, hazard or rate in the treated arm.
    Lower,
    /// Above.
    Higher,
}

impl Direction {
    /// −1 below, 1 above.
    pub(super) fn sign(self) -> f64 {
        match self {
            Self::Lower => -1.0,
            Self::Higher => 1.0,
        }
    }

    /// Whether an effect, measured from no effect, lies on the other side.
    pub(super) fn contradicts(self, effect: f64) -> bool {
        self.sign() * effect < 0.0
    }
}

/// Which figure was solved for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Solved {
    /// The power.
    Power,
    /// The control arm's sample size.
    N,
    /// The number of events of both arms.
    Events,
    /// Alpha.
    Alpha,
    /// The effect.
    Effect,
}

impl Solved {
    /// The text in JSON.
    pub fn text(self) -> &'static str {
        match self {
            Self::Power => "power",
            Self::N => "n",
            Self::Events => "events",
            Self::Alpha => "alpha",
            Self::Effect => "effect",
        }
    }
}

/// A whole number of individuals; a hair above a whole number is rounding, not a further individual.
pub(super) fn up(n: f64) -> u64 {
    (n - 1e-9 * n.max(1.0)).ceil().max(1.0) as u64
}

/// Whole clusters instead of whole individuals.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct WholeClusters {
    /// Clusters in the treated arm, rounded up.
    pub treated: u64,
    /// Clusters in the control arm, rounded up, if it has any.
    pub control: Option<u64>,
    /// Power with so many full clusters.
    pub power: f64,
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
    /// Schoenfeld's formula with a strong effect or very unequal arms.
    OptimisticFormula,
}

impl Caution {
    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::FewExpected { .. } => "few-expected",
            Self::FewClusters { .. } => "few-clusters",
            Self::NoDifference => "no-difference",
            Self::OptimisticFormula => "optimistic-formula",
        }
    }

    /// What it says.
    pub fn words(&self) -> Words {
        match self {
            Self::FewExpected { expected } => {
                let Words { en, sv } = Words::decimals(*expected, 1);
                words!(
                    "a cell expects only {en} individuals; a normal formula is not to be trusted below 5, an exact test is",
                    "en cell förväntas få bara {sv} individer; en normalformel är inte att lita på under 5, men ett exakt test är det"
                )
            }
            Self::FewClusters { clusters } => words!(
                "{clusters} clusters in an arm are few; a normal formula overstates power",
                "{clusters} kluster i en arm är få; en normalformel överskattar styrkan"
            ),
            Self::NoDifference => Words::new(
                "without a difference this is one tail of the size; strict counts both",
                "utan skillnad är detta en svans av testets storlek; strict räknar båda",
            ),
            Self::OptimisticFormula => Words::new(
                "Schoenfeld's formula is optimistic for a strong effect or very unequal arms; compare Freedman's, or simulate",
                "Schoenfelds formel är optimistisk vid en stark effekt eller mycket olika stora armar; jämför med Freedmans eller simulera",
            ),
        }
    }
}
