//! How an estimate is to be made: the options of the command line and of a protocol's analysis, typed.
//!
//! Every word of the contract parses, also those whose estimator is not built yet: an estimator declines them by name.

use std::fmt;

macro_rules! words_enum {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident => $text:literal),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $name { $($(#[$doc])* $variant),+ }

        impl $name {
            /// Every value, in the order of the documentation.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word on the command line, in TOML and in JSON.
            pub fn text(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }

            /// The value of a word.
            pub fn parse(text: &str) -> Option<Self> {
                match text { $($text => Some(Self::$variant),)+ _ => None }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.text())
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.text())
            }
        }
    };
}

words_enum! {
    /// Variance estimator.
    Variance {
        /// One residual variance for all rows.
        Classical => "classical",
        /// Eicker–Huber–White: squared residuals as they are.
        Hc0 => "hc0",
        /// HC0 times n/(n−k).
        Hc1 => "hc1",
        /// Squared residuals divided by 1−h (MacKinnon and White 1985); the default.
        Hc2 => "hc2",
        /// Squared residuals divided by (1−h)².
        Hc3 => "hc3",
        /// Cluster-robust without a correction.
        Cr0 => "cr0",
        /// CR0 times G/(G−1).
        Cr1 => "cr1",
        /// Bell–McCaffrey bias-reduced linearization.
        Cr2 => "cr2",
        /// Approximate jackknife.
        Cr3 => "cr3",
        /// From the model's information.
        Model => "model",
        /// Sandwich.
        Robust => "robust",
        /// Penalized fit.
        Firth => "firth",
    }
}

impl Variance {
    /// Whether it respects clusters; `None` when that is not its question.
    pub fn clustered(self) -> Option<bool> {
        match self {
            Self::Classical | Self::Hc0 | Self::Hc1 | Self::Hc2 | Self::Hc3 => Some(false),
            Self::Cr0 | Self::Cr1 | Self::Cr2 | Self::Cr3 => Some(true),
            Self::Model | Self::Robust | Self::Firth => None,
        }
    }
}

words_enum! {
    /// Reference distribution of a statistic.
    Df {
        /// Bell and McCaffrey (2002); default with `hc2`.
        BellMccaffrey => "bell-mccaffrey",
        /// Satterthwaite; default with `cr2` and `cr3`.
        Satterthwaite => "satterthwaite",
        /// Rows minus coefficients, or clusters minus one; default otherwise.
        Residual => "residual",
        /// Normal quantiles.
        Normal => "normal",
        /// Welch (1947); default of `difference-in-means`.
        Welch => "welch",
    }
}

words_enum! {
    /// Kind of confidence interval.
    Interval {
        /// Score interval with N/(N−1); default of proportions.
        MiettinenNurminen => "miettinen-nurminen",
        /// Score interval without that factor.
        Mee => "mee",
        /// Square-and-add of Wilson intervals.
        Newcombe => "newcombe",
        /// Estimate ± quantile × unpooled standard error.
        Wald => "wald",
        /// Wald after adding one success and one failure to each arm.
        AgrestiCaffo => "agresti-caffo",
        /// Wald on the logarithm.
        LogWald => "log-wald",
        /// Profile of the penalized likelihood.
        Profile => "profile",
        /// Student's t on the logit; default of a probability index.
        Logit => "logit",
    }
}

words_enum! {
    /// Scale on which an effect is expressed.
    Measure {
        /// Difference of means.
        Difference => "difference",
        /// Difference of proportions.
        RiskDifference => "risk-difference",
        /// Ratio of proportions.
        RiskRatio => "risk-ratio",
        /// Ratio of odds.
        OddsRatio => "odds-ratio",
        /// Ratio of means.
        Ratio => "ratio",
        /// Ratio of hazards.
        HazardRatio => "hazard-ratio",
        /// Ratio of subdistribution hazards.
        SubdistributionHazardRatio => "subdistribution-hazard-ratio",
        /// Ratio of rates.
        RateRatio => "rate-ratio",
        /// P(treated > control) + ½ P(equal).
        ProbabilityIndex => "probability-index",
        /// Shift of location.
        Shift => "shift",
        /// Probability of no event until the horizon, of one arm.
        Survival => "survival",
        /// Probability of an event of one kind until the horizon, of one arm.
        CumulativeIncidence => "cumulative-incidence",
        /// Mean, of one arm.
        Mean => "mean",
        /// A test without an effect.
        Test => "test",
    }
}

words_enum! {
    /// How tied times are handled.
    Ties {
        /// Efron (1977); the default.
        Efron => "efron",
        /// Breslow (1974).
        Breslow => "breslow",
    }
}

words_enum! {
    /// Kind of exact p-value.
    PValue {
        /// Twice the smaller tail; the default.
        Central => "central",
        /// The probability of all tables that are not more likely than the observed one.
        Minlike => "minlike",
    }
}

/// What was asked for; `None` is the estimator's default.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Settings {
    /// Variance estimator.
    pub variance: Option<Variance>,
    /// Reference distribution.
    pub df: Option<Df>,
    /// Kind of interval.
    pub interval: Option<Interval>,
    /// Scale of the effect.
    pub measure: Option<Measure>,
    /// How tied times are handled.
    pub ties: Option<Ties>,
    /// Kind of exact p-value.
    pub p_value: Option<PValue>,
    /// Horizon of follow-up, in the unit of the times.
    pub horizon: Option<f64>,
    /// Number of redraws, of replicates or of imputations.
    pub draws: Option<u64>,
    /// Seed of redraws.
    pub seed: Option<u64>,
    /// Range of the outcome.
    pub range: Option<(f64, f64)>,
    /// Whether the arms are fitted apart.
    pub interacted: bool,
    /// Confidence level, in (0, 1).
    pub level: f64,
    /// Whether the estimator's assumptions are checked too, where it can: what nobody reads, as in a simulation, costs nothing.
    pub checks: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            variance: None,
            df: None,
            interval: None,
            measure: None,
            ties: None,
            p_value: None,
            horizon: None,
            draws: None,
            seed: None,
            range: None,
            interacted: false,
            level: 0.95,
            checks: false,
        }
    }
}
