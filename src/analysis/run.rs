//! Runs a plan on the state of a lock and says what it found, with everything that a reader must know.
//!
//! The numbers are those of `plan`; the test is `randomization`'s. What is not known is counted, what was not
//! registered is marked, and what does not exist is a warning with a code, never a number. Nothing is switched in
//! silence: a small arm or many covariates are said, and the registered estimator stands.

mod adjustment;
mod judged;

use super::balance::balance;
use super::baseline::baseline;
use super::children;
use super::covariates::{FixedColumns, describe, merged_strata};
use super::deviations::{Amended, ledger};
use super::funnel::funnel;
use super::looks::{EarlierLook, bound, monitor};
use super::missingness::{self, Draws, Missingness};
use super::notes::{Context, once};
use super::plan::{Plan, Planned, is_binary, limit, treated_arms};
use super::randomization::TestError;
use super::redraws::{Redrawn, Source};
use super::reference_set::{ENUMERATED, Enumeration, History, imputation_key, test_key};
use super::results::{Analyses, AnalysisResult, Comparison, TestResult};
use super::rows::{name_arm, refusal, row, undefined, without_interval, without_variation};
use super::sensitivity::{self, Ground};
use super::statistic::Registered;
use super::subgroups;
use super::used::used;
use super::wording::conclusion;
use super::workspace::{Fitted, Workspace};
use crate::allocation::Arm;
use crate::diagnostic::Words;
use crate::estimation::{self, Estimate, Warning};
use crate::protocol::Protocol;
use crate::protocol::model::{Analysis, Covariate, Day, Factor, Test};
use crate::study::kernel::State;
use crate::words;

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
    /// The amendments up to the lock, for the ledger of deviations.
    pub amendments: Vec<Amended>,
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
    let mut runner = Runner::new((protocol, state, cut), settings);
    let mut analyses: Vec<(AnalysisResult, &Planned)> = plan
        .planned()
        .iter()
        .map(|planned| (runner.one(planned), planned))
        .collect();
    runner.adjust(&mut analyses);
    runner.judge(&mut analyses);
    for (result, planned) in &mut analyses {
        let said = |arm| conclusion(protocol, &planned.analysis, arm, result, settings.dry_run);
        let mut said = treated_arms(protocol)
            .map(said)
            .collect::<Vec<_>>()
            .into_iter();
        result.conclusion = said.next().unwrap_or_default();
        for (own, conclusion) in result.further.iter_mut().zip(said) {
            own.conclusion = conclusion;
        }
    }
    let analyses: Vec<AnalysisResult> = analyses.into_iter().map(|(own, _)| own).collect();
    let lock = (settings.lock.as_deref(), cut);
    Analyses {
        ledger: ledger(protocol, &analyses, lock, &settings.amendments),
        lock: settings.lock.clone(),
        cut,
        dry_run: settings.dry_run,
        analyses,
        baseline: baseline(protocol, state, cut),
        balance: balance(
            (protocol, state, cut),
            (&runner.history, runner.enumeration.as_ref()),
            runner.lock().unwrap_or(usize::MAX),
            settings.draws,
        ),
    }
}

/// The p of the registered randomization test of an analysis on the state of a lock at its cut: the same as [`run`] gives.
/// `None` where no test is registered, or it does not exist there.
pub fn registered_p(
    protocol: &Protocol,
    state: &State,
    cut: Day,
    analysis: &Analysis,
) -> Option<f64> {
    let plan = Plan::default().with_post_hoc(analysis.clone());
    let settings = RunSettings::default();
    let treated = treated_arms(protocol).next()?;
    let mut runner = Runner::new((protocol, state, cut), &settings);
    let draws = runner.draws(plan.planned().first()?)?;
    runner.workspace.sample(protocol, state, cut, analysis);
    let key = test_key(protocol, &analysis.id, analysis.lock);
    let redrawn = runner.redrawn(analysis, treated, (&key, draws)).ok()?;
    redrawn.figures().ok().map(|figures| figures.p_value)
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
    /// The smallest p that each comparison of each analysis run so far could have had: 0 where it has no test by redraws, 1
    /// where that does not exist.
    smallest: Vec<Vec<f64>>,
    /// Who is unknown in the analyses run so far, by outcome and lock.
    unknown: Vec<Unknown>,
}

/// Which outcome and lock, who of the families is unknown, and what that says.
type Unknown = ((usize, usize), Vec<Option<bool>>, Option<Missingness>);

impl<'a> Runner<'a> {
    fn new(
        (protocol, state, cut): (&'a Protocol, &'a State, Day),
        settings: &'a RunSettings,
    ) -> Self {
        let history = History::of(protocol, state);
        let enumeration = history.enumerate(ENUMERATED);
        let arms = state.allocations.iter().map(|allocated| allocated.arm);
        let mut runner = Self {
            protocol,
            state,
            cut,
            settings,
            workspace: Workspace::default(),
            history,
            arms: arms.collect(),
            enumeration,
            smallest: Vec::new(),
            unknown: Vec::new(),
        };
        runner.workspace.load(protocol, state, cut);
        runner.workspace.checks = true;
        runner
    }

    /// Index of the lock that is run.
    fn lock(&self) -> Option<usize> {
        let own = self.settings.lock.as_deref();
        let mut locks = self.protocol.locks.iter();
        locks.position(|lock| Some(lock.id.as_str()) == own)
    }

    /// Who is unknown in the analysis that was sampled last.
    fn unknown(&mut self, analysis: &Analysis, treated: &[Arm]) -> Option<Missingness> {
        let data = (self.protocol, self.state, self.cut);
        let statuses = missingness::statuses(&self.workspace, data, analysis);
        let of = (analysis.outcome, analysis.lock);
        let mut known = self.unknown.iter();
        if let Some((_, _, found)) = known.find(|own| own.0 == of && own.1 == statuses) {
            return found.clone();
        }
        let from = Draws {
            history: &self.history,
            arms: &self.arms,
            enumeration: self.enumeration.as_ref(),
            number: self.settings.draws,
        };
        let own = (analysis, treated);
        let found = missingness::missingness(&self.workspace, self.protocol, from, &statuses, own);
        self.unknown.push((of, statuses, found.clone()));
        found
    }

    /// Redraws of an analysis, if it has a randomization test.
    fn draws(&self, planned: &Planned) -> Option<u64> {
        let Some(Test::Randomization { draws }) = planned.analysis.test else {
            return None;
        };
        Some(u64::from(self.settings.draws.unwrap_or(draws)))
    }

    fn one(&mut self, planned: &Planned) -> AnalysisResult {
        let analysis = &planned.analysis;
        let protocol = self.protocol;
        self.workspace
            .sample(protocol, self.state, self.cut, analysis);
        let binary = is_binary(protocol, analysis) && analysis.children.is_none();
        let arms = self.workspace.by_arm(binary, analysis.children);
        let mut warnings = Vec::new();
        let mut results = Vec::new();
        let treated: Vec<Arm> = treated_arms(protocol).collect();
        let mut further: Vec<Comparison> = Vec::new();
        let (mut test, mut refused) = (None, None);
        // With more arms a constant effect of one of them says nothing about the others.
        let inverts = protocol.arms.len() == 2 && !analysis.is_scored();
        let mut inverted = None;
        let mut smallest = Vec::new();
        for (place, arm) in treated.iter().enumerate() {
            let from = results.len();
            let (rows, refusal) = self.estimate(analysis, *arm, &mut warnings);
            results.extend(rows);
            let draws = self.draws(planned);
            let own = draws.and_then(|draws| self.test(analysis, *arm, draws, &mut warnings));
            let (own, redrawn) = own.unzip();
            let without = if draws.is_some() { 1.0 } else { 0.0 };
            let least = redrawn.as_ref().map(Redrawn::smallest_p);
            smallest.push(least.unwrap_or(without));
            if place == 0 {
                (test, refused) = (own, refusal);
                inverted = redrawn.filter(|_| inverts);
            } else {
                further.push(Comparison {
                    arm: *arm,
                    rows: from..results.len(),
                    beside: 0..0,
                    test: own,
                    p_adjusted: None,
                    q_value: None,
                    refused: refusal,
                    conclusion: Words::default(),
                });
            }
        }
        self.smallest.push(smallest);
        let mut fixed = FixedColumns::default();
        let adjusts = |entry: &estimation::EstimatorEntry| entry.uses(estimation::Role::Covariates);
        let groups = &self.workspace.groups;
        let (covariates, mut deviations) = if analysis.entry().is_some_and(adjusts) {
            let units = &self.workspace.units;
            fixed.realize(protocol, self.state, &analysis.covariates, units);
            describe(protocol, &analysis.covariates, groups, &fixed)
        } else {
            (Vec::new(), Vec::new())
        };
        if analysis.strata.contains(&Factor::Site)
            && !analysis.covariates.contains(&Covariate::Site)
        {
            deviations.extend(merged_strata(protocol, groups));
        }
        let subgroups = match treated.first() {
            Some(arm) => {
                let around = (protocol, self.state);
                let arm = (*arm, &mut warnings);
                subgroups::subgroups(&self.workspace, around, analysis, arm)
            }
            None => Vec::new(),
        };
        let funnel = match treated.first() {
            Some(arm) => {
                let around = (protocol, self.state);
                funnel(&self.workspace, around, analysis, *arm)
            }
            None => Vec::new(),
        };
        let used = used(protocol, self.state, &self.workspace, analysis);
        let missingness = self.unknown(analysis, &treated);
        let alpha = limit(protocol, analysis);
        let mut result = AnalysisResult {
            id: analysis.id.clone(),
            role: analysis.role,
            prespecified: planned.prespecified,
            outcome: protocol.outcomes[analysis.outcome].id.clone(),
            outcome_label: children::label(protocol, analysis),
            measure: analysis.estimand.measure.clone(),
            estimand: protocol.estimand_sentence(analysis),
            attributes: protocol.estimand_attributes(analysis).to_vec(),
            used,
            funnel,
            subgroups,
            missing_rule: analysis.missing,
            missingness,
            alpha,
            looks: Vec::new(),
            looked_here: false,
            arms,
            results,
            test_registered: analysis.test.is_some(),
            test,
            p_adjusted: None,
            q_value: None,
            covariates,
            deviations,
            warnings,
            refused,
            conclusion: Words::default(),
            further,
        };
        if let Some(lock) = self.lock().filter(|_| !analysis.looks.is_empty()) {
            let (earlier, workspace) = (&self.settings.earlier, &self.workspace);
            monitor(protocol, planned, lock, earlier, workspace, &mut result);
            let ground = (protocol, self.state);
            bound(&mut self.workspace, ground, analysis, &mut result);
        }
        if let Some(redrawn) = inverted {
            invert(&redrawn, analysis, &mut result);
        }
        if analysis.is_scored() && result.test.is_some() {
            result.warnings.push(without_interval(analysis));
        }
        let context = Context {
            protocol,
            state: self.state,
            cut: self.cut,
            workspace: &self.workspace,
            draws_changed: self.settings.draws.is_some(),
        };
        // Of the sample of the analysis itself.
        let notes = context.notes(planned, &result);
        self.beside(analysis, &treated, &mut result);
        result.warnings.extend(notes);
        if let Some(found) = &result.missingness {
            let told = missingness::notes(found, protocol, analysis);
            result.warnings.extend(told);
        }
        once(&mut result.warnings);
        result
    }

    /// The rows beside a result. Beside a result that is looked at they have the level of its interval, or of what is left of
    /// alpha where nothing could be weighed, so that none is read as a decision that the look does not take. The workspace is left with another sample.
    fn beside(&mut self, analysis: &Analysis, treated: &[Arm], result: &mut AnalysisResult) {
        if !sensitivity::any(analysis, &self.workspace, self.state) {
            return;
        }
        let protocol = self.protocol;
        let alpha = if analysis.looks.is_empty() {
            analysis.alpha
        } else {
            result.alpha.unwrap_or(analysis.alpha)
        };
        let own = Analysis {
            alpha,
            ..analysis.clone()
        };
        let key = imputation_key(protocol, &analysis.id, analysis.lock);
        for treated in treated {
            let ground = Ground {
                protocol,
                state: self.state,
                cut: self.cut,
                treated: *treated,
                key: &key,
                binary: is_binary(protocol, analysis),
            };
            let (rows, told) = sensitivity::rows(&mut self.workspace, ground, &own);
            let from = result.results.len();
            result.results.extend(rows);
            let until = result.results.len();
            let further = result.further.iter_mut();
            for own in further.filter(|own| own.arm == *treated) {
                own.beside = from..until;
            }
            result.warnings.extend(told);
        }
    }

    /// The rows of one treated arm, of which the first is its effect, and why the estimator has no answer, where it has none.
    fn estimate(
        &mut self,
        analysis: &Analysis,
        treated: Arm,
        warnings: &mut Vec<Warning>,
    ) -> (Vec<Estimate>, Option<Words>) {
        let protocol = self.protocol;
        let told = self
            .workspace
            .told_of_weights(protocol, self.state, analysis, treated);
        warnings.extend(told);
        let fitted = self.workspace.fit(protocol, self.state, analysis, treated);
        let rows = match fitted {
            Ok(Fitted::Registry(answer)) => {
                warnings.extend(answer.warnings.iter().cloned());
                answer.effect().map(|_| ()).map(|()| {
                    let mut rows = answer.results;
                    name_arm(protocol, treated, &mut rows);
                    rows
                })
            }
            Ok(ref fitted @ Fitted::Model { design, .. }) => {
                let dropped = design.dropped().len();
                if dropped > 0 {
                    warnings.push(Warning::new(
                        "collinear-covariate",
                        words!(
                            "columns of the model set aside because they are combinations of others among the analysed families: {dropped}",
                            "kolumner i modellen som lades åt sidan, eftersom de är kombinationer av andra bland de analyserade familjerna: {dropped}"
                        ),
                    ));
                }
                let alone = design.exact_rows().len();
                if alone > 0 {
                    warnings.push(Warning::new(
                        "leverage-one",
                        words!(
                            "families alone with their covariates, which carry no information about the effect: {alone}",
                            "familjer som är ensamma om sina kovariater och inte säger något om effekten: {alone}"
                        ),
                    ));
                }
                let effect = fitted.effect();
                warnings.extend(effect.as_ref().ok().and_then(without_variation));
                effect.map(|effect| vec![row(protocol, analysis, treated, &effect)])
            }
            Ok(ref fitted @ Fitted::Counted { .. }) => {
                let effect = fitted.effect();
                warnings.extend(effect.as_ref().ok().and_then(without_variation));
                effect.map(|effect| vec![row(protocol, analysis, treated, &effect)])
            }
            Err(error) => Err(error),
        };
        match rows {
            Ok(rows) => (rows, None),
            Err(error) => {
                let why = refusal(&error);
                warnings.push(Warning::new(error.code(), why.clone()));
                let row = undefined(protocol, analysis, treated, &self.workspace);
                (vec![row], Some(why))
            }
        }
    }

    fn test(
        &self,
        analysis: &Analysis,
        treated: Arm,
        draws: u64,
        warnings: &mut Vec<Warning>,
    ) -> Option<(TestResult, Redrawn)> {
        let key = test_key(self.protocol, &analysis.id, analysis.lock);
        let found = self
            .redrawn(analysis, treated, (&key, draws))
            .and_then(|redrawn| Ok((redrawn.figures()?, redrawn)));
        match found {
            Ok((figures, redrawn)) => {
                if figures.failed > 0 {
                    let failed = figures.failed;
                    warnings.push(Warning::new(
                        "test-failed-redraws",
                        words!(
                            "redraws on which the model could not be fitted: {failed}; they count as at least as extreme",
                            "omlottningar som modellen inte kunde anpassas på: {failed}; de räknas som minst lika extrema"
                        ),
                    ));
                }
                let known = warnings.iter().any(|own| own.code == "test-of-all-arms");
                if self.protocol.arms.len() > 2 && !known {
                    warnings.push(Warning::new(
                        "test-of-all-arms",
                        words!(
                            "each test supposes that no arm would have changed any outcome, not only the one that it compares with control; of that one alone it is a test in large samples, because its statistic is studentized",
                            "varje test utgår från att ingen grupps handläggning skulle ha ändrat något utfall, inte bara den som det jämför med kontrollgruppen; om den ensam är det ett test i stora material, eftersom statistikan är studentiserad"
                        ),
                    ));
                }
                let test = TestResult {
                    level: 1.0 - analysis.alpha,
                    conf_low: None,
                    conf_high: None,
                    p_value: figures.p_value,
                    exact: figures.exact,
                    draws: figures.draws,
                    failed: figures.failed,
                    mcse: figures.mcse,
                    approximate: self.protocol.gate.is_some().then(|| {
                        Words::new(
                            "The test is approximate: through the gate, which families were admitted depended on earlier arms, and admission is not drawn again.",
                            "Testet är approximativt: genom intagsstoppet berodde det på tidigare lotter vilka familjer som togs in, och intagsstoppen lottas inte om.",
                        )
                    }),
                };
                Some((test, redrawn))
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

    /// The registered statistic of the sampled outcome on every allocation that could have been.
    fn redrawn(
        &self,
        analysis: &Analysis,
        treated: Arm,
        (key, draws): (&[u8; 32], u64),
    ) -> Result<Redrawn, TestError> {
        let sampled = self
            .workspace
            .sampled(self.protocol, self.state, analysis, treated);
        let source = match &self.enumeration {
            Some(enumeration) => Source::Every(enumeration),
            None => Source::Key(key, draws),
        };
        Redrawn::new(
            &self.history,
            &self.arms,
            source,
            &Registered::new(&sampled),
        )
    }
}

/// The interval of the test by redraws: the constant effects that it does not reject at the limit against which it decides. At a
/// look that limit is what looks leave, and the interval is repeated like the estimator's.
fn invert(redrawn: &Redrawn, analysis: &Analysis, result: &mut AnalysisResult) {
    let Some(test) = &mut result.test else {
        return;
    };
    let looked = result.alpha.filter(|_| !analysis.looks.is_empty());
    let alpha = looked.unwrap_or(analysis.alpha);
    let limits = redrawn.limits(alpha);
    test.level = 1.0 - alpha;
    test.conf_low = limits.and_then(|limits| limits.low);
    test.conf_high = limits.and_then(|limits| limits.high);
    if limits.is_some_and(|limits| limits.gap) {
        result.warnings.push(Warning::new(
            "interval-not-monotone",
            words!(
                "the test rejects some constant effects between the limits of its interval too; the limits are the outermost ones that it does not reject",
                "testet förkastar även några konstanta effekter mellan gränserna för sitt intervall; gränserna är de yttersta som det inte förkastar"
            ),
        ));
    }
}
