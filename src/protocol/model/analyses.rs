//! What will be computed, registered before the first family.
//!
//! Estimators are ids of [`crate::estimation::ESTIMATORS`]; running them is the analysis room's business.

use super::Protocol;
use crate::diagnostic::Words;
use crate::words;

/// A registered analysis.
#[derive(Debug, Clone)]
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
    /// Covariates, in the file's order.
    pub covariates: Vec<Covariate>,
    /// The test that decides, if not the estimator's own.
    pub test: Option<Test>,
    /// Rule for missing outcomes.
    pub missing: Missing,
    /// Primary, secondary or exploratory.
    pub role: Role,
    /// Type I error, total of both sides.
    pub alpha: f64,
}

/// How an outcome becomes one number per family.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Summary {
    /// 1 if at least one counted event is in the window.
    Any,
    /// Number of counted events in the window.
    Count,
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
}

impl Missing {
    /// The text in the file and in JSON.
    pub fn text(self) -> &'static str {
        match self {
            Self::CompleteCase => "complete-case",
            Self::NotAccepted => "not-accepted",
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

/// How secondary analyses are protected against multiplicity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Multiplicity {
    /// Holm's step-down procedure over the secondary analyses of a lock.
    Holm,
    /// Westfall and Young's step-down procedure on redraws that the secondary analyses of a lock share.
    WestfallYoung,
    /// The secondary analyses of a lock in the file's order, each standing only if all before it do.
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

impl Protocol {
    /// The estimand of an analysis as a sentence: measure, outcome and summary, arms, population, strategy, note.
    pub fn estimand_sentence(&self, analysis: &Analysis) -> Words {
        let outcome = &self.outcomes[analysis.outcome].label;
        let (outcome_en, outcome_sv) = (&outcome.en, &outcome.sv);
        let (summary_en, summary_sv) = match analysis.summary {
            Summary::Any => (" (at least one)", " (minst en)"),
            Summary::Count => (" (number)", " (antal)"),
            Summary::Value => ("", ""),
        };
        let estimand = &analysis.estimand;
        let (measure_en, measure_sv) = if estimand.measure == "risk-difference" {
            ("difference in risk of", "skillnaden i risk för")
        } else {
            ("mean difference of", "skillnaden i medelvärde av")
        };
        let (population_en, population_sv) = (&estimand.population.en, &estimand.population.sv);
        let note = |pick: fn(&Words) -> &str| {
            estimand
                .note
                .as_ref()
                .map(|note| format!(", {}", pick(note)))
                .unwrap_or_default()
        };
        let (note_en, note_sv) = (note(|words| &words.en), note(|words| &words.sv));
        let control = &self.arms[self.control.index()].label;
        let others = |pick: fn(&Words) -> &str| {
            self.arms
                .iter()
                .enumerate()
                .filter(|(index, _)| *index != self.control.index())
                .map(|(_, arm)| pick(&arm.label))
                .collect::<Vec<_>>()
                .join(" / ")
        };
        let (treated_en, treated_sv) = (others(|words| &words.en), others(|words| &words.sv));
        let (control_en, control_sv) = (&control.en, &control.sv);
        words!(
            "the {measure_en} “{outcome_en}”{summary_en} between being allocated to “{treated_en}” and to “{control_en}”, in {population_en}, whatever service they then received{note_en}.",
            "{measure_sv} ”{outcome_sv}”{summary_sv} mellan att lottas till ”{treated_sv}” och till ”{control_sv}”, bland {population_sv}, oavsett vilken insats de sedan fick{note_sv}."
        )
    }
}
