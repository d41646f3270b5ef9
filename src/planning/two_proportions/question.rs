//! What is asked of a comparison of two proportions, and what is answered.

use crate::planning::clustering::Clustering;
use crate::planning::figure::{Caution, Direction, Solved, WholeClusters};
use crate::planning::tables::TableTest;

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
    /// Normal formula on the scale of log odds, pooled variance under the null.
    LogOdds,
    /// The unpooled formula with a t reference, as for a t test on the outcomes, or on cluster means.
    T,
    /// Enumeration of the pooled normal test.
    ExactPooled,
    /// Enumeration of the unpooled normal test.
    ExactUnpooled,
    /// Enumeration of the pooled normal test with Yates's continuity correction.
    ExactContinuity,
    /// Enumeration of Fisher's test, two-sided by likelihood.
    ExactFisher,
    /// Enumeration of Fisher's test, two-sided by doubling.
    ExactFisherCentral,
}

impl Test {
    /// Every test, in the order of the help.
    pub const ALL: [Self; 11] = [
        Self::Pooled,
        Self::Unpooled,
        Self::Arcsine,
        Self::Continuity,
        Self::LogOdds,
        Self::T,
        Self::ExactPooled,
        Self::ExactUnpooled,
        Self::ExactContinuity,
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
            Self::LogOdds => "log-odds",
            Self::T => "t",
            Self::ExactPooled => "exact-pooled",
            Self::ExactUnpooled => "exact-unpooled",
            Self::ExactContinuity => "exact-continuity",
            Self::ExactFisher => "exact-fisher",
            Self::ExactFisherCentral => "exact-fisher-central",
        }
    }

    pub(super) fn table(self) -> Option<TableTest> {
        match self {
            Self::Pooled
            | Self::Unpooled
            | Self::Arcsine
            | Self::Continuity
            | Self::LogOdds
            | Self::T => None,
            Self::ExactPooled => Some(TableTest::Pooled),
            Self::ExactUnpooled => Some(TableTest::Unpooled),
            Self::ExactContinuity => Some(TableTest::Continuity),
            Self::ExactFisher => Some(TableTest::Fisher),
            Self::ExactFisherCentral => Some(TableTest::FisherCentral),
        }
    }
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
    /// Whether a two-sided formula counts the farther tail too. Exact and t tests always count both.
    pub strict: bool,
    /// The difference `p1 − p0` of the null hypothesis, inside (−p0, 1 − p0); 0 for a test of no difference.
    pub margin: f64,
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
            margin: 0.0,
            test: Test::Pooled,
            direction: None,
            clustering: None,
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
    /// Whole clusters, if there are any.
    pub clusters: Option<WholeClusters>,
    /// What a reader should know.
    pub warnings: Vec<Caution>,
}
