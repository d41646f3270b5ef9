//! What is asked of a comparison of two proportions, and what is answered.

use crate::diagnostic::Words;
use crate::planning::clustering::Clustering;
use crate::planning::tables::TableTest;
use crate::words;

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

    pub(super) fn table(self) -> Option<TableTest> {
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
