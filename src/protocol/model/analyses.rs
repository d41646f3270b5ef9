//! What will be computed, registered before the first family.
//!
//! Estimators are ids of [`crate::estimation::ESTIMATORS`]; running them is the analysis room's business. The estimand in
//! words is made in `estimand`.

use super::{Factor, Protocol};
use crate::diagnostic::Words;
use crate::estimation::{self, EstimatorEntry, Settings};
use crate::words;

/// A registered analysis.
#[derive(Debug, Clone, PartialEq)]
pub struct Analysis {
    /// Identifier, kebab-case.
    pub id: String,
    /// Index of its lock.
    pub lock: usize,
    /// Interim locks at which it is looked at before, in their order.
    pub looks: Vec<usize>,
    /// Index of its outcome.
    pub outcome: usize,
    /// How a recurrent outcome becomes one number per family.
    pub summary: Summary,
    /// The estimand in words.
    pub estimand: Estimand,
    /// Id of the estimator.
    pub estimator: String,
    /// Options of the estimator; its level is 1 − alpha, whatever stands here.
    pub options: Settings,
    /// Covariates, in the file's order.
    pub covariates: Vec<Covariate>,
    /// Strata that the estimator gets, crossed: those named, or the draw's where it needs some.
    pub strata: Vec<Factor>,
    /// When the treated arm's service counts as received, where the estimator asks.
    pub received: Option<Received>,
    /// Whose average it is of, if it is made of the children of each family; the other average stands beside it.
    pub children: Option<Average>,
    /// Whose families are taken together in its variance, if not each for itself.
    pub clusters: Option<Clusters>,
    /// The same analysis with such clusters, a row of its own beside the result.
    pub sensitivity_clusters: Option<Clusters>,
    /// The test that decides, if not the estimator's own.
    pub test: Option<Test>,
    /// Rule for missing outcomes.
    pub missing: Missing,
    /// Other rules for missing outcomes, each a row of its own beside the result.
    pub sensitivity: Vec<Sensitivity>,
    /// Other outcomes that the same analysis is made of, each a row of its own.
    pub sensitivity_outcomes: Vec<usize>,
    /// The share of outcomes at each end that the same analysis draws in, a row of its own beside the result.
    pub sensitivity_winsorized: Option<f64>,
    /// The resamples of a studentized bootstrap of the same effect, a row of its own beside the result.
    pub sensitivity_bootstrap: Option<u32>,
    /// Factors by whose levels the effect is shown, with their interaction contrasts.
    pub subgroups: Vec<Factor>,
    /// Primary, secondary or exploratory.
    pub role: Role,
    /// Type I error, total of both sides.
    pub alpha: f64,
}

impl Analysis {
    /// The entry of its estimator.
    pub fn entry(&self) -> Option<&'static EstimatorEntry> {
        estimation::find(&self.estimator).ok()
    }

    /// Whether its estimate is a difference of means of one number per family, so that arms can be redrawn with its
    /// statistic, and looks weighed by its information.
    pub fn is_linear(&self) -> bool {
        LINEAR.contains(&self.estimator.as_str())
    }

    /// Whether a test by redraws of it has a p and no interval.
    pub fn is_scored(&self) -> bool {
        SCORED.contains(&self.estimator.as_str())
    }

    /// Whether its estimate is a difference of expectations of the outcome between the arms: `risk-difference` or `difference`
    /// of an effect, not of a bound.
    pub fn is_difference(&self) -> bool {
        let measure = self.estimand.measure.as_str();
        matches!(measure, "difference" | "risk-difference")
            && self.summary != Summary::FirstTime
            && self.missing != Missing::Bounds
    }

    /// What the protocol says of the estimator's options and columns, beside covariates, in the file's words; a horizon is
    /// always said.
    pub fn stated(&self, protocol: &Protocol) -> Vec<(&'static str, String)> {
        let own = &self.options;
        let word = |key, value: Option<&'static str>| Some((key, value?.to_owned()));
        let names = |factors: &[Factor]| {
            let names = factors.iter().map(|own| protocol.factor_id(*own));
            let names: Vec<&str> = names.collect();
            (!names.is_empty()).then(|| names.join(", "))
        };
        let list = [
            word("variance", own.variance.map(estimation::Variance::text)),
            word("df", own.df.map(estimation::Df::text)),
            word("interval", own.interval.map(estimation::Interval::text)),
            word("ties", own.ties.map(estimation::Ties::text)),
            word("p_value", own.p_value.map(estimation::PValue::text)),
            own.horizon.map(|days| ("horizon", days.to_string())),
            own.range
                .map(|(low, high)| ("range", format!("{low} – {high}"))),
            own.interacted.then(|| ("interacted", "true".to_owned())),
            names(&self.strata).map(|names| ("strata", names)),
            self.received.map(|how| ("received", how.text().to_owned())),
            word("children", self.children.map(Average::text)),
            word("clusters", self.clusters.map(Clusters::text)),
            word(
                "sensitivity_clusters",
                self.sensitivity_clusters.map(Clusters::text),
            ),
            self.sensitivity_winsorized
                .map(|share| ("sensitivity_winsorized", share.to_string())),
            self.sensitivity_bootstrap
                .map(|resamples| ("sensitivity_bootstrap", resamples.to_string())),
            names(&self.subgroups).map(|names| ("subgroups", names)),
        ];
        list.into_iter().flatten().collect()
    }

    /// The analysis with clusters, and the variance that goes by them.
    #[must_use]
    pub fn clustered(&self, clusters: Clusters) -> Self {
        Self {
            clusters: Some(clusters),
            sensitivity_clusters: None,
            options: Settings {
                variance: Some(estimation::Variance::Cr2),
                df: Some(estimation::Df::Satterthwaite),
                ..self.options
            },
            ..self.clone()
        }
    }

    /// The same analysis of another average over children: of families as any analysis of one number per family, of children
    /// with the variance by family.
    #[must_use]
    pub fn averaged(&self, average: Average) -> Self {
        let by_family = average == Average::Child;
        Self {
            children: Some(average),
            test: None,
            options: Settings {
                variance: by_family.then_some(estimation::Variance::Cr2),
                df: by_family.then_some(estimation::Df::Satterthwaite),
                ..self.options
            },
            ..self.clone()
        }
    }

    /// What it hands to its estimator of each family.
    pub fn hands(&self) -> Hands {
        let asks = |role| {
            self.entry()
                .is_some_and(|entry| entry.required.contains(&role))
        };
        if asks(estimation::Role::Id) {
            Hands::Histories
        } else if asks(estimation::Role::Time) {
            Hands::FirstTimes
        } else if self.missing == Missing::Censoring {
            Hands::Rates
        } else {
            Hands::Values
        }
    }
}

/// Estimators of a difference of means, whose statistic a redraw of the arms recomputes as a function of a constant effect.
pub const LINEAR: [&str; 4] = ["lin", "linear", "difference-in-means", "risk-difference"];

/// Estimators of a difference of means of one number per family, whose families can be drawn again with the same standard error.
pub const MEANS: [&str; 4] = [
    "lin",
    "linear",
    "difference-in-means",
    "stratified-difference-in-means",
];

/// Estimators beside the linear ones whose own test's statistic a redraw recomputes; a constant effect has no form in it, so that the test by
/// redraws has no interval.
pub const SCORED: [&str; 2] = ["log-rank", "rank-sum"];

/// What an estimator gets of each family.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hands {
    /// One number.
    Values,
    /// A number of events and the days at risk.
    Rates,
    /// Days to the first event or to the end of follow-up, and which it was.
    FirstTimes,
    /// Every event in its time.
    Histories,
}

/// When a family has received the treated arm's service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Received {
    /// The service has started while it was the treated arm's, the family was switched to it, or got it by mistake.
    Started,
    /// At least two home visits have been made.
    HomeVisits,
}

impl Received {
    /// All definitions.
    pub const ALL: [Self; 2] = [Self::Started, Self::HomeVisits];

    /// The text in the file and in JSON.
    pub fn text(self) -> &'static str {
        match self {
            Self::Started => "started",
            Self::HomeVisits => "home-visits",
        }
    }
}

/// Whose families are taken together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clusters {
    /// Families of the treated arm with the same person or pair who delivered its service; every other family stands for
    /// itself.
    DeliveredBy,
}

impl Clusters {
    /// The text in the file and in JSON.
    pub fn text(self) -> &'static str {
        match self {
            Self::DeliveredBy => "delivered-by",
        }
    }

    /// The clusters of a word.
    pub fn parse(text: &str) -> Option<Self> {
        (text == Self::DeliveredBy.text()).then_some(Self::DeliveredBy)
    }

    /// Its name for people.
    pub fn words(self) -> Words {
        match self {
            Self::DeliveredBy => words!(
                "clustered by who delivered the service",
                "klustrat efter vem som gav insatsen"
            ),
        }
    }
}

/// Whose average an effect on children is (Kahan et al. 2023, doi 10.1093/ije/dyac131).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Average {
    /// Each child counts alike, and so a family with its number of children.
    Child,
    /// Each family counts alike, with the mean over its children.
    Family,
}

impl Average {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Child, Self::Family];

    /// The text in the file and in JSON.
    pub fn text(self) -> &'static str {
        match self {
            Self::Child => "child-average",
            Self::Family => "family-average",
        }
    }

    /// The average of a word.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|own| own.text() == text)
    }

    /// The other one.
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::Child => Self::Family,
            Self::Family => Self::Child,
        }
    }

    /// Its name for people.
    pub fn words(self) -> Words {
        match self {
            Self::Child => words!("each child counting alike", "där varje barn väger lika"),
            Self::Family => words!("each family counting alike", "där varje familj väger lika"),
        }
    }
}

/// How an outcome becomes one number per family.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Summary {
    /// 1 if at least one counted event is in the window.
    Any,
    /// Number of counted events in the window.
    Count,
    /// Days until the first event, or until follow-up ends.
    FirstTime,
    /// The outcome's own value.
    Value,
}

/// The estimand's attributes that the outcome and the arms do not already say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Estimand {
    /// Population.
    pub population: Words,
    /// Strategy for intercurrent events, for example `treatment-policy`.
    pub strategy: String,
    /// Effect measure, for example `risk-difference`.
    pub measure: String,
    /// A further condition, for example `with the therapists of this study`.
    pub note: Option<Words>,
}

/// A covariate of a registered analysis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Covariate {
    /// Site indicators.
    Site,
    /// A field by index.
    Field(usize),
    /// Days from the first site's opening to randomization, divided by 30.4375.
    MonthsSinceStart,
}

/// A registered test.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Test {
    /// The conditional randomization test with so many redraws.
    Randomization {
        /// Number of redraws.
        draws: u32,
    },
}

/// Rule for missing outcomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missing {
    /// Families whose outcome is not known are left out and counted per arm.
    CompleteCase,
    /// A family that was not followed to the end has not accepted.
    NotAccepted,
    /// Each family counts as long as it was followed.
    Censoring,
    /// Families whose outcome is known stand for those like them whose outcome is not: weights 1/P(known) within the arm.
    CensoringWeights,
    /// Unknown outcomes may be anything: the estimator bounds the effect.
    Bounds,
}

impl Missing {
    /// All rules.
    pub const ALL: [Self; 5] = [
        Self::CompleteCase,
        Self::NotAccepted,
        Self::Censoring,
        Self::CensoringWeights,
        Self::Bounds,
    ];

    /// The text in the file and in JSON.
    pub fn text(self) -> &'static str {
        match self {
            Self::CompleteCase => "complete-case",
            Self::NotAccepted => "not-accepted",
            Self::Censoring => "censoring",
            Self::CensoringWeights => "inverse-probability-of-censoring",
            Self::Bounds => "bounds",
        }
    }

    /// What it does with a family whose outcome is not known.
    pub fn words(self) -> Words {
        match self {
            Self::CompleteCase => words!(
                "families without a known outcome are left out",
                "familjer utan känt utfall ingår inte"
            ),
            Self::NotAccepted => words!(
                "a family not followed to the end counts as not having accepted",
                "en familj som inte följts till slutet räknas som att den inte tackat ja"
            ),
            Self::Censoring => words!(
                "each family counts for as long as it was followed",
                "varje familj räknas så länge den har följts"
            ),
            Self::CensoringWeights => words!(
                "families with a known outcome are weighted by the inverse of its probability, given the arm and the covariates",
                "familjer med känt utfall viktas med inversen av sannolikheten för det, givet grupp och kovariater"
            ),
            Self::Bounds => words!(
                "unknown outcomes may be anything that is possible",
                "okända utfall får vara vad som helst som är möjligt"
            ),
        }
    }
}

/// Another rule for missing outcomes, beside the registered one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sensitivity {
    /// As [`Missing::CompleteCase`].
    CompleteCase,
    /// As [`Missing::CensoringWeights`].
    CensoringWeights,
    /// Multiple imputation within each arm.
    MultipleImputation,
    /// Worst-case bounds.
    Manski,
    /// Bounds among those whose outcome is known in either arm.
    Lee,
    /// How far unknown outcomes must differ for the conclusion to turn.
    TippingPoint,
}

impl Sensitivity {
    /// All rules.
    pub const ALL: [Self; 6] = [
        Self::CompleteCase,
        Self::CensoringWeights,
        Self::MultipleImputation,
        Self::Manski,
        Self::Lee,
        Self::TippingPoint,
    ];

    /// The text in the file and in JSON.
    pub fn text(self) -> &'static str {
        match self {
            Self::CompleteCase => "complete-case",
            Self::CensoringWeights => "inverse-probability-of-censoring",
            Self::MultipleImputation => "multiple-imputation",
            Self::Manski => "manski",
            Self::Lee => "lee",
            Self::TippingPoint => "tipping-point",
        }
    }

    /// The rule of a word.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|own| own.text() == text)
    }

    /// Its name for people.
    pub fn words(self) -> Words {
        match self {
            Self::CompleteCase => words!("known outcomes alone", "enbart kända utfall"),
            Self::CensoringWeights => {
                words!("weighted for unknown outcomes", "viktat för okända utfall")
            }
            Self::MultipleImputation => words!(
                "unknown outcomes imputed by arm",
                "okända utfall imputerade per grupp"
            ),
            Self::Manski => words!(
                "worst-case bounds (Manski)",
                "gränser i värsta fall (Manski)"
            ),
            Self::Lee => words!("trimmed bounds (Lee)", "trimmade gränser (Lee)"),
            Self::TippingPoint => words!("tipping point", "brytpunkt"),
        }
    }
}

/// What an analysis is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The one that decides.
    Primary,
    /// Registered beside it.
    Secondary,
    /// Registered without a claim.
    Exploratory,
}

impl Role {
    /// The text in the file and in JSON.
    pub fn text(self) -> &'static str {
        match self {
            Self::Primary => "primary",
            Self::Secondary => "secondary",
            Self::Exploratory => "exploratory",
        }
    }
}

/// How several comparisons are protected against multiplicity: each treated arm with control in each analysis of a role and
/// lock, in the file's order of analyses and within an analysis of arms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Multiplicity {
    /// Holm's step-down procedure.
    Holm,
    /// Westfall and Young's step-down procedure on redraws that the comparisons share.
    WestfallYoung,
    /// Each stands only if all before it do.
    FixedSequence,
    /// No adjustment, and the report says so.
    None,
}

impl Multiplicity {
    /// What goes before "-adjusted"; `None` without an adjustment.
    pub fn adjustment(self) -> Option<Words> {
        match self {
            Self::Holm => Some(Words::same("Holm")),
            Self::WestfallYoung => Some(Words::same("Westfall–Young")),
            Self::FixedSequence => Some(words!("sequence", "sekvens")),
            Self::None => None,
        }
    }
}
