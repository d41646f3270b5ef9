//! What the numbers of a lock were computed from, so that another program can compute them again: columns, redraws and
//! completed data sets, exactly those of [`super::run()`].
//!
//! Families are numbers from 1 in ledger order here; no pseudonym leaves. Writing files is not done here.

use super::plan::{Plan, treated_arms};
use super::redraws::{Redrawn, Source};
use super::reference_set::{ENUMERATED, Enumeration, History, imputation_key, test_key};
use super::sensitivity::{self, Again, Ground, again, completions};
use super::statistic::Registered;
use super::used::options;
use super::workspace::Workspace;
use crate::allocation::Arm;
use crate::estimation::Columns;
use crate::estimation::inversion::Studentized;
use crate::protocol::Protocol;
use crate::protocol::model::{Analysis, Day, Factor, Hands, Missing, Test};
use crate::study::course::course;
use crate::study::dataset::{self, End, OutcomeValue};
use crate::study::kernel::State;
use std::collections::BTreeSet;

/// A family of the lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReplicatedFamily {
    /// Its arm.
    pub arm: Arm,
    /// Index of its site.
    pub site: usize,
}

/// How a family counts in an analysis.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Counted {
    /// With a known outcome.
    Known(f64),
    /// With a value that the missing-data rule gave.
    ByRule(f64),
    /// Not: the outcome is not known.
    Missing,
    /// Not: the window had not ended.
    NotYet,
}

/// Everything behind the numbers of a lock.
#[derive(Debug, Clone)]
pub struct Replication {
    /// The families of the lock, in ledger order.
    pub families: Vec<ReplicatedFamily>,
    /// The analyses, in the order of the results.
    pub analyses: Vec<ReplicatedAnalysis>,
}

/// What stands behind one analysis.
#[derive(Debug, Clone)]
pub struct ReplicatedAnalysis {
    /// Index of its own lock.
    pub lock: usize,
    /// Alpha, total of both sides.
    pub alpha: f64,
    /// How each family counts, in ledger order.
    pub counted: Vec<Counted>,
    /// The fits of its results, in their order: the registered one for each treated arm, then those beside it.
    pub fits: Vec<ReplicatedFit>,
    /// Redraws of its test.
    pub redraws: Option<ReplicatedRedraws>,
    /// Factors of its subgroups: name, levels, and the level of each row of the first fit.
    pub factors: Vec<(String, Vec<String>, Vec<usize>)>,
}

/// One fit: the columns that an estimator got.
#[derive(Debug, Clone)]
pub struct ReplicatedFit {
    /// The name of a row beside the result; `None` for the registered fit.
    pub beside: Option<String>,
    /// The treated arm.
    pub treated: Arm,
    /// What is done with the columns.
    pub how: How,
    /// Id of the estimator.
    pub estimator: String,
    /// Options by the names of the command line.
    pub options: Vec<(&'static str, String)>,
    /// The columns; covariates are numbers.
    pub columns: Columns,
    /// Number of the family of each row, from 1.
    pub family: Vec<usize>,
    /// Of each completed data set, the outcomes of the rows without one, in their order.
    pub drawn: Vec<Vec<f64>>,
    /// Of pairs: whether the outcome of each row is known; one that is not and stands in the columns is settled.
    pub known: Vec<bool>,
}

/// What is done with the columns of a fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// The estimator is applied.
    Estimated,
    /// The estimator is applied to every completed data set, and pooled.
    Pooled,
    /// Pairs of numbers of events among unknown outcomes are tried.
    Pairs,
}

/// The statistic of a randomization test on every redraw.
#[derive(Debug, Clone)]
pub struct ReplicatedRedraws {
    /// On each, as a function of a constant effect.
    pub draws: Vec<Studentized>,
    /// Probabilities, where all sequences were listed.
    pub weights: Option<Vec<f64>>,
}

/// What stands behind the analyses of a plan on the state of a lock at its cut.
pub fn replication(protocol: &Protocol, state: &State, plan: &Plan, cut: Day) -> Replication {
    let history = History::of(protocol, state);
    let tested = plan
        .planned()
        .iter()
        .any(|planned| planned.analysis.test.is_some());
    let enumeration = tested.then(|| history.enumerate(ENUMERATED)).flatten();
    let mut workspace = Workspace::default();
    workspace.load(protocol, state, cut);
    let families = workspace.units.iter().map(|unit| ReplicatedFamily {
        arm: unit.arm,
        site: unit.site,
    });
    let families = families.collect();
    let mut ground = Behind {
        protocol,
        state,
        cut,
        history,
        enumeration,
        workspace,
    };
    let analyses = plan
        .planned()
        .iter()
        .map(|planned| ground.analysis(&planned.analysis))
        .collect();
    Replication { families, analyses }
}

struct Behind<'a> {
    protocol: &'a Protocol,
    state: &'a State,
    cut: Day,
    history: History,
    enumeration: Option<Enumeration>,
    workspace: Workspace,
}

impl Behind<'_> {
    fn analysis(&mut self, analysis: &Analysis) -> ReplicatedAnalysis {
        let (protocol, state, cut) = (self.protocol, self.state, self.cut);
        self.workspace.sample(protocol, state, cut, analysis);
        let arms: Vec<Arm> = treated_arms(protocol).collect();
        let mut fits: Vec<ReplicatedFit> = arms
            .iter()
            .map(|arm| self.fit(analysis, *arm, None))
            .collect();
        let redraws = arms.first().and_then(|arm| self.redraws(analysis, *arm));
        let factors = match (arms.first(), fits.first()) {
            (Some(_), Some(fit)) => {
                let own = analysis.subgroups.iter();
                own.map(|factor| self.factor(*factor, &fit.family))
                    .collect()
            }
            _ => Vec::new(),
        };
        if sensitivity::any(analysis) {
            for arm in &arms {
                self.beside(analysis, *arm, &mut fits);
            }
        }
        ReplicatedAnalysis {
            lock: analysis.lock,
            alpha: analysis.alpha,
            counted: self.counted(analysis),
            fits,
            redraws,
            factors,
        }
    }

    /// The columns of the sampled outcome.
    fn fit(&self, analysis: &Analysis, treated: Arm, beside: Option<&str>) -> ReplicatedFit {
        let handed = self
            .workspace
            .handed(self.protocol, self.state, analysis, treated);
        ReplicatedFit {
            beside: beside.map(str::to_owned),
            treated,
            how: How::Estimated,
            estimator: analysis.estimator.clone(),
            options: options(analysis),
            columns: handed.columns,
            family: handed.rows.iter().map(|row| row + 1).collect(),
            drawn: Vec::new(),
            known: Vec::new(),
        }
    }

    fn beside(&mut self, analysis: &Analysis, treated: Arm, fits: &mut Vec<ReplicatedFit>) {
        let (protocol, state, cut) = (self.protocol, self.state, self.cut);
        let key = imputation_key(protocol, &analysis.id, analysis.lock);
        let ground = Ground {
            protocol,
            state,
            cut,
            treated,
            key: &key,
            binary: super::plan::is_binary(protocol, analysis),
        };
        for (name, again) in again(ground, analysis) {
            match again {
                Again::Plain(other) => {
                    self.workspace.sample(protocol, state, cut, &other);
                    fits.push(self.fit(&other, treated, Some(&name)));
                }
                Again::Pairs => {
                    // Known and unknown rows, as worst-case bounds have them.
                    let other = Analysis {
                        missing: Missing::Bounds,
                        estimator: "manski-bounds".to_owned(),
                        clusters: None,
                        ..analysis.clone()
                    };
                    self.workspace.sample(protocol, state, cut, &other);
                    let mut fit = self.fit(&other, treated, Some(&name));
                    fit.how = How::Pairs;
                    let sampled: BTreeSet<u32> = self.workspace.rows.iter().copied().collect();
                    let known = |number: &usize| sampled.contains(&(*number as u32 - 1));
                    fit.known = fit.family.iter().map(known).collect();
                    fits.push(fit);
                }
                Again::Imputed | Again::Shifted => {
                    let Ok(found) = completions(&mut self.workspace, ground, analysis) else {
                        continue;
                    };
                    let other = Analysis {
                        missing: Missing::CompleteCase,
                        ..analysis.clone()
                    };
                    let y = found.rows.iter().map(|(_, y)| y.unwrap_or(0.0)).collect();
                    let rows = found.rows.iter().map(|(row, _)| *row);
                    self.workspace.complete(rows, y);
                    let mut fit = self.fit(&other, treated, Some(&name));
                    fit.how = How::Pooled;
                    fit.columns.outcome = found.rows.iter().map(|(_, y)| *y).collect();
                    fit.drawn = found.drawn;
                    fits.push(fit);
                }
            }
        }
    }

    fn redraws(&self, analysis: &Analysis, treated: Arm) -> Option<ReplicatedRedraws> {
        let Some(Test::Randomization { draws }) = analysis.test else {
            return None;
        };
        let key = test_key(self.protocol, &analysis.id, analysis.lock);
        let sampled = self
            .workspace
            .sampled(self.protocol, self.state, analysis, treated);
        let source = match &self.enumeration {
            Some(enumeration) => Source::Every(enumeration),
            None => Source::Key(&key, u64::from(draws)),
        };
        let arms: Vec<Arm> = self.state.allocations.iter().map(|own| own.arm).collect();
        let found = Redrawn::new(&self.history, &arms, source, &Registered::new(&sampled)).ok()?;
        Some(ReplicatedRedraws {
            draws: found.kept().to_vec(),
            weights: found.weights().map(<[f64]>::to_vec),
        })
    }

    /// Levels of a factor, and the level of each row.
    fn factor(&self, factor: Factor, family: &[usize]) -> (String, Vec<String>, Vec<usize>) {
        let protocol = self.protocol;
        let name = match factor {
            Factor::Site => "site".to_owned(),
            Factor::Field(field) => protocol.fields[field].id.clone(),
        };
        let levels = (0..protocol.factor_levels(factor))
            .map(|level| protocol.level_text(factor, level))
            .collect();
        let codes = family.iter().map(|number| {
            let unit = &self.workspace.units[number - 1];
            Workspace::subgroup_level((protocol, self.state), factor, unit)
        });
        (name, levels, codes.collect())
    }

    /// How each family counts, in the words of the arms' counts.
    fn counted(&self, analysis: &Analysis) -> Vec<Counted> {
        let (protocol, state, cut) = (self.protocol, self.state, self.cut);
        let units = self.workspace.units.iter();
        if analysis.hands() == Hands::Values {
            return units
                .map(|unit| {
                    let (outcome, summary) = (analysis.outcome, analysis.summary);
                    let seen =
                        dataset::outcome(protocol, state, cut, unit.family, outcome, summary);
                    match (seen, analysis.missing) {
                        (OutcomeValue::Known(y), _) => Counted::Known(y),
                        (OutcomeValue::NotYet, _) => Counted::NotYet,
                        (OutcomeValue::Unknown(y), Missing::NotAccepted) => {
                            Counted::ByRule(y.unwrap_or(0.0))
                        }
                        (OutcomeValue::Unknown(_), _) => Counted::Missing,
                    }
                })
                .collect();
        }
        let first = analysis.hands() == Hands::FirstTimes;
        let mut days = Vec::new();
        units
            .map(|unit| {
                let outcome = analysis.outcome;
                let Some(own) = course(protocol, state, cut, unit.family, outcome, &mut days)
                else {
                    return Counted::NotYet;
                };
                if first {
                    days.truncate(1);
                }
                let y = days.len() as f64;
                let ended = first && !days.is_empty();
                if !ended && matches!(own.end, End::Censored | End::Cut) {
                    Counted::ByRule(y)
                } else {
                    Counted::Known(y)
                }
            })
            .collect()
    }
}
