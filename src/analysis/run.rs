//! Runs a plan on the state of a lock and says what it found, with everything that a reader must know.
//!
//! The numbers are those of `plan`; the test is `randomization`'s. What is not known is counted, what was not
//! registered is marked, and what does not exist is a warning with a code, never a number. Nothing is switched in
//! silence: a small arm or many covariates are said, and the registered estimator stands.

use super::baseline::baseline;
use super::covariates::{FixedColumns, describe};
use super::looks::{EarlierLook, monitor};
use super::multiplicity::holm;
use super::notes::Context;
use super::plan::{Plan, Planned, is_binary, limit, treated_arms};
use super::randomization::{TestError, TestFigures, exact, monte_carlo};
use super::reference_set::{ENUMERATED, Enumeration, History, test_key};
use super::results::{Analyses, AnalysisResult, ArmOutcome, TestResult};
use super::statistic::Registered;
use super::wording::conclusion;
use super::workspace::{Effect, Fitted, Method, Workspace, labels, method};
use crate::allocation::Arm;
use crate::diagnostic::Words;
use crate::estimation::{Estimate, EstimationError, Measure, Variance, Warning};
use crate::protocol::Protocol;
use crate::protocol::model::{Analysis, Day, Multiplicity, Role, Test};
use crate::study::kernel::State;
use crate::words;
use serde_json::Map;

/// How a plan is run.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RunSettings {
    /// Id of the lock, for the results; `None` in a dry run without one.
    pub lock: Option<String>,
    /// Whether `state` has redrawn arms, see [`super::dry_run`].
    pub dry_run: bool,
    /// Another number of redraws than the registered one, for rehearsals; noted as a warning.
    pub draws: Option<u32>,
    /// What was seen at earlier looks at analyses of this lock.
    pub earlier: Vec<EarlierLook>,
}

/// Runs the analyses of a plan on a state (the ledger up to the lock) at a cut, inclusive.
///
/// Redraws of the randomization test use the key of protocol, analysis and lock, so that running it again gives the
/// same bytes, on any number of threads.
pub fn run(
    protocol: &Protocol,
    state: &State,
    plan: &Plan,
    cut: Day,
    settings: &RunSettings,
) -> Analyses {
    let history = History::of(protocol, state);
    let tested = |planned: &Planned| planned.analysis.test.is_some();
    let enumeration = if plan.planned().iter().any(tested) {
        history.enumerate(ENUMERATED)
    } else {
        None
    };
    let mut runner = Runner {
        protocol,
        state,
        cut,
        settings,
        workspace: Workspace::default(),
        history,
        arms: state
            .allocations
            .iter()
            .map(|allocated| allocated.arm)
            .collect(),
        enumeration,
    };
    runner.workspace.load(protocol, state, cut);
    let mut analyses: Vec<(AnalysisResult, &Planned)> = plan
        .planned()
        .iter()
        .map(|planned| (runner.one(planned), planned))
        .collect();
    adjust(protocol, &mut analyses);
    let treated = treated_arms(protocol).next();
    for (result, planned) in &mut analyses {
        if let Some(treated) = treated {
            let dry_run = settings.dry_run;
            result.conclusion = conclusion(protocol, &planned.analysis, treated, result, dry_run);
        }
    }
    Analyses {
        lock: settings.lock.clone(),
        cut,
        dry_run: settings.dry_run,
        analyses: analyses.into_iter().map(|(result, _)| result).collect(),
        baseline: baseline(protocol, state, cut),
    }
}

/// Holm over the secondary analyses of each lock, if it is registered; post hoc analyses are none of them.
fn adjust(protocol: &Protocol, analyses: &mut [(AnalysisResult, &Planned)]) {
    if protocol.multiplicity != Some(Multiplicity::Holm) {
        return;
    }
    for lock in 0..protocol.locks.len() {
        let family: Vec<usize> = analyses
            .iter()
            .enumerate()
            .filter(|(_, (_, planned))| {
                planned.prespecified
                    && planned.analysis.role == Role::Secondary
                    && planned.analysis.lock == lock
            })
            .map(|(index, _)| index)
            .collect();
        let deciding: Vec<Option<f64>> = family
            .iter()
            .map(|index| analyses[*index].0.deciding_p())
            .collect();
        let p: Vec<f64> = deciding.iter().map(|p| p.unwrap_or(1.0)).collect();
        for ((index, own), adjusted) in family.iter().zip(&deciding).zip(holm(&p)) {
            analyses[*index].0.p_adjusted = own.map(|_| adjusted);
        }
    }
}

struct Runner<'a> {
    protocol: &'a Protocol,
    state: &'a State,
    cut: Day,
    settings: &'a RunSettings,
    workspace: Workspace,
    history: History,
    arms: Vec<Arm>,
    /// Every sequence of arms, if there are few enough.
    enumeration: Option<Enumeration>,
}

impl Runner<'_> {
    fn one(&mut self, planned: &Planned) -> AnalysisResult {
        let analysis = &planned.analysis;
        let protocol = self.protocol;
        self.workspace
            .sample(protocol, self.state, self.cut, analysis);
        let arms = self.seen(analysis);
        let mut warnings = Vec::new();
        let mut results = Vec::new();
        let treated: Vec<Arm> = treated_arms(protocol).collect();
        for arm in &treated {
            results.push(self.estimate(analysis, *arm, &mut warnings));
        }
        let test = match (analysis.test, treated.first()) {
            (Some(Test::Randomization { draws }), Some(arm)) => {
                let draws = self.settings.draws.unwrap_or(draws);
                self.test(analysis, *arm, u64::from(draws), &mut warnings)
            }
            _ => None,
        };
        let mut fixed = FixedColumns::default();
        let (covariates, deviations) = match method(analysis) {
            Method::Model(_) => {
                let units = &self.workspace.units;
                fixed.realize(protocol, self.state, &analysis.covariates, units);
                let groups = &self.workspace.groups;
                describe(protocol, &analysis.covariates, groups, &fixed)
            }
            Method::Registry => (Vec::new(), Vec::new()),
        };
        let alpha = limit(protocol, analysis);
        let mut result = AnalysisResult {
            id: analysis.id.clone(),
            role: analysis.role,
            prespecified: planned.prespecified,
            outcome: protocol.outcomes[analysis.outcome].id.clone(),
            outcome_label: protocol.outcomes[analysis.outcome].label.clone(),
            estimand: protocol.estimand_sentence(analysis),
            missing_rule: analysis.missing,
            alpha,
            looks: Vec::new(),
            arms,
            results,
            test_registered: analysis.test.is_some(),
            test,
            p_adjusted: None,
            covariates,
            deviations,
            warnings,
            conclusion: Words::default(),
        };
        let own = self.settings.lock.as_deref();
        let lock = protocol
            .locks
            .iter()
            .position(|lock| Some(lock.id.as_str()) == own);
        if let Some(lock) = lock.filter(|_| !analysis.looks.is_empty()) {
            monitor(protocol, planned, lock, &self.settings.earlier, &mut result);
        }
        let context = Context {
            protocol,
            state: self.state,
            cut: self.cut,
            workspace: &self.workspace,
            draws_changed: self.settings.draws.is_some(),
        };
        result.warnings.extend(context.notes(planned, &result));
        result
    }

    fn seen(&self, analysis: &Analysis) -> Vec<ArmOutcome> {
        let binary = is_binary(self.protocol, analysis);
        self.workspace
            .seen
            .iter()
            .enumerate()
            .map(|(index, seen)| ArmOutcome {
                arm: Arm(index as u8),
                randomized: seen.randomized,
                analysed: seen.analysed,
                missing: seen.missing,
                by_rule: seen.by_rule,
                not_yet: seen.not_yet,
                mean: (seen.analysed > 0).then(|| seen.sum / f64::from(seen.analysed)),
                events: binary.then_some(seen.sum as u32),
            })
            .collect()
    }

    fn estimate(
        &mut self,
        analysis: &Analysis,
        treated: Arm,
        warnings: &mut Vec<Warning>,
    ) -> Estimate {
        let protocol = self.protocol;
        let fitted = self.workspace.fit(protocol, self.state, analysis, treated);
        let row = match fitted {
            Ok(Fitted::Registry(answer)) => {
                warnings.extend(answer.warnings.iter().cloned());
                answer.effect().cloned()
            }
            Ok(ref fitted @ Fitted::Model { design, .. }) => {
                let dropped = design.dropped().len();
                if dropped > 0 {
                    warnings.push(Warning::new(
                        "collinear-covariate",
                        words!(
                            "{dropped} columns of the model are combinations of others among the analysed families and were set aside",
                            "{dropped} kolumner i modellen är kombinationer av andra bland de analyserade familjerna och lades åt sidan"
                        ),
                    ));
                }
                let alone = design.exact_rows().len();
                if alone > 0 {
                    warnings.push(Warning::new(
                        "leverage-one",
                        words!(
                            "{alone} families are alone with their covariates and carry no information about the effect",
                            "{alone} familjer är ensamma om sina kovariater och säger inget om effekten"
                        ),
                    ));
                }
                fitted
                    .effect()
                    .map(|effect| row(protocol, analysis, treated, &effect))
            }
            Err(error) => Err(error),
        };
        row.unwrap_or_else(|error| {
            warnings.push(Warning::new(error.code(), refusal(&error)));
            undefined(protocol, analysis, treated, &self.workspace)
        })
    }

    fn test(
        &self,
        analysis: &Analysis,
        treated: Arm,
        draws: u64,
        warnings: &mut Vec<Warning>,
    ) -> Option<TestResult> {
        match self.figures(analysis, treated, draws) {
            Ok(figures) => {
                if figures.failed > 0 {
                    let failed = figures.failed;
                    warnings.push(Warning::new(
                        "test-failed-redraws",
                        words!(
                            "the model could not be fitted on {failed} redraws; they count as at least as extreme",
                            "modellen kunde inte anpassas på {failed} omlottningar; de räknas som minst lika extrema"
                        ),
                    ));
                }
                if self.protocol.arms.len() > 2 {
                    warnings.push(Warning::new(
                        "test-of-all-arms",
                        words!(
                            "the test supposes that no arm would have changed any outcome, not only the first one",
                            "testet utgår från att ingen grupps handläggning skulle ha ändrat något utfall, inte bara den första gruppens"
                        ),
                    ));
                }
                Some(TestResult {
                    p_value: figures.p_value,
                    exact: figures.exact,
                    draws: figures.draws,
                    failed: figures.failed,
                    mcse: figures.mcse,
                    approximate: self.protocol.gate.is_some().then(|| {
                        Words::new(
                            "The test is approximate: through the gate, which families were admitted depended on earlier arms, and admission is not drawn again.",
                            "Testet är approximativt: genom intagsstoppet berodde det på tidigare lotter vilka familjer som togs in, och intaget lottas inte om.",
                        )
                    }),
                })
            }
            Err(error) => {
                let code = error.code();
                if !warnings.iter().any(|warning| warning.code == code) {
                    warnings.push(Warning::new(code, error.words()));
                }
                None
            }
        }
    }

    fn figures(
        &self,
        analysis: &Analysis,
        treated: Arm,
        draws: u64,
    ) -> Result<TestFigures, TestError> {
        let sampled = self
            .workspace
            .sampled(self.protocol, self.state, analysis, treated);
        let statistic = Registered::new(&sampled);
        let history = &self.history;
        if let Some(enumeration) = &self.enumeration {
            exact(history, enumeration, &self.arms, &statistic)
        } else {
            let key = test_key(self.protocol, &analysis.id, analysis.lock);
            monte_carlo(history, &self.arms, &statistic, &key, draws)
        }
    }
}

/// What an estimator's refusal says of an analysis; rows of a file mean nothing here.
fn refusal(error: &EstimationError) -> Words {
    match error {
        EstimationError::LeverageOne { rows, .. } => {
            let families = rows.len();
            words!(
                "the effect rests on {families} families that are alone with their arm and covariates, so the registered variance does not exist",
                "effekten vilar på {families} familjer som är ensamma om sin grupp och sina kovariater, så den registrerade variansen finns inte"
            )
        }
        other => other.words(),
    }
}

/// The row of a model's effect.
fn row(protocol: &Protocol, analysis: &Analysis, treated: Arm, effect: &Effect) -> Estimate {
    let mut row = blank(protocol, analysis, treated);
    row.estimate = Some(effect.estimate);
    row.std_error = Some(effect.std_error);
    row.statistic = effect.statistic;
    row.df = effect.df;
    row.p_value = effect.p_value;
    row.conf_low = effect.conf_low;
    row.conf_high = effect.conf_high;
    row.n_treated = effect.n_treated as usize;
    row.n_control = effect.n_control as usize;
    row
}

/// The row of an effect that does not exist; a warning says why.
fn undefined(
    protocol: &Protocol,
    analysis: &Analysis,
    treated: Arm,
    workspace: &Workspace,
) -> Estimate {
    let mut row = blank(protocol, analysis, treated);
    let analysed = |arm: Arm| {
        workspace
            .seen
            .get(arm.index())
            .map_or(0, |seen| seen.analysed as usize)
    };
    row.n_treated = analysed(treated);
    row.n_control = analysed(protocol.control);
    row
}

fn blank(protocol: &Protocol, analysis: &Analysis, treated: Arm) -> Estimate {
    Estimate {
        estimator: analysis.estimator.clone(),
        term: labels(protocol, treated).effect(),
        measure: Measure::Difference.text().to_owned(),
        estimate: None,
        std_error: None,
        std_error_scale: "identity".to_owned(),
        statistic: None,
        df: None,
        p_value: None,
        conf_low: None,
        conf_high: None,
        level: 1.0 - analysis.alpha,
        n_treated: 0,
        n_control: 0,
        variance: Variance::Hc2.text().to_owned(),
        interval: "t".to_owned(),
        extra: Map::new(),
    }
}
