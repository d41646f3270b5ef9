//! Runs a plan on the state of a lock and says what it found, with everything that a reader must know.
//!
//! The numbers are those of `plan`; the test is `randomization`'s. What is not known is counted, what was not
//! registered is marked, and what does not exist is a warning with a code, never a number. Nothing is switched in
//! silence: a small arm or many covariates are said, and the registered estimator stands.

use super::attainable::beside;
use super::baseline::baseline;
use super::children;
use super::covariates::{FixedColumns, describe};
use super::deviations::{Amended, ledger};
use super::funnel::funnel;
use super::looks::{EarlierLook, monitor};
use super::multiplicity::{Sizes, benjamini_hochberg, fixed_sequence, holm, westfall_young};
use super::notes::{Context, once, out_of_reach};
use super::plan::{Plan, Planned, is_binary, limit, treated_arms};
use super::randomization::TestError;
use super::redraws::{Redrawn, Source};
use super::reference_set::{ENUMERATED, Enumeration, History, imputation_key, joint_key, test_key};
use super::results::{Analyses, AnalysisResult, TestResult};
use super::rows::{name_arm, refusal, row, undefined};
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
use crate::protocol::model::{Analysis, Day, Multiplicity, Role, Test};
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
    let mut runner = Runner::new((protocol, state, cut), plan, settings);
    let mut analyses: Vec<(AnalysisResult, &Planned)> = plan
        .planned()
        .iter()
        .map(|planned| (runner.one(planned), planned))
        .collect();
    runner.adjust(&mut analyses);
    let treated = treated_arms(protocol).next();
    for (result, planned) in &mut analyses {
        if let Some(treated) = treated {
            let dry_run = settings.dry_run;
            result.conclusion = conclusion(protocol, &planned.analysis, treated, result, dry_run);
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
    let mut runner = Runner::new((protocol, state, cut), &plan, &settings);
    let draws = runner.draws(plan.planned().first()?)?;
    runner.workspace.sample(protocol, state, cut, analysis);
    let key = test_key(protocol, &analysis.id, analysis.lock);
    let redrawn = runner.redrawn(analysis, treated, (&key, draws)).ok()?;
    redrawn.figures().ok().map(|figures| figures.p_value)
}

/// Places of the registered analyses of a lock with a role; post hoc analyses are none of them.
fn family(analyses: &[(AnalysisResult, &Planned)], lock: usize, role: Role) -> Vec<usize> {
    let belongs = |planned: &Planned| {
        planned.prespecified && planned.analysis.role == role && planned.analysis.lock == lock
    };
    let places = analyses.iter().enumerate();
    places
        .filter(|(_, (_, planned))| belongs(planned))
        .map(|(index, _)| index)
        .collect()
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

impl<'a> Runner<'a> {
    fn new(
        (protocol, state, cut): (&'a Protocol, &'a State, Day),
        plan: &Plan,
        settings: &'a RunSettings,
    ) -> Self {
        let history = History::of(protocol, state);
        let tested = |planned: &Planned| planned.analysis.test.is_some();
        let tested = plan.planned().iter().any(tested);
        let enumeration = tested.then(|| history.enumerate(ENUMERATED)).flatten();
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
        };
        runner.workspace.load(protocol, state, cut);
        runner
    }

    /// Adjusts the secondary analyses of each lock as the protocol registers it, and the exploratory ones by Benjamini
    /// and Hochberg.
    fn adjust(&mut self, analyses: &mut [(AnalysisResult, &Planned)]) {
        for lock in 0..self.protocol.locks.len() {
            let secondary = family(analyses, lock, Role::Secondary);
            let deciding = |analyses: &[(AnalysisResult, &Planned)], family: &[usize]| {
                let own = family.iter().map(|index| analyses[*index].0.deciding_p());
                own.collect::<Vec<Option<f64>>>()
            };
            let own = deciding(analyses, &secondary);
            let p: Vec<f64> = own.iter().map(|p| p.unwrap_or(1.0)).collect();
            let adjusted = match self.protocol.multiplicity {
                None | Some(Multiplicity::None) => Vec::new(),
                // One test has nothing beside it, whatever the rule.
                Some(_) if p.len() == 1 => p.clone(),
                Some(Multiplicity::Holm) => holm(&p),
                Some(Multiplicity::FixedSequence) => fixed_sequence(&p),
                Some(Multiplicity::WestfallYoung) => {
                    let planned: Vec<&Planned> =
                        secondary.iter().map(|index| analyses[*index].1).collect();
                    // Never below the own p, which has redraws of its own.
                    let joint = self.jointly(&planned, lock);
                    joint.iter().zip(&p).map(|(q, p)| q.max(*p)).collect()
                }
            };
            for ((index, own), adjusted) in secondary.iter().zip(&own).zip(adjusted) {
                analyses[*index].0.p_adjusted = own.map(|_| adjusted);
            }
            let exploratory = family(analyses, lock, Role::Exploratory);
            let mut own = deciding(analyses, &exploratory);
            let at_lock = |planned: &Planned| planned.analysis.lock == lock;
            for (result, planned) in analyses.iter() {
                let contrasts = result.subgroups.iter().flat_map(|own| &own.contrasts);
                own.extend(
                    contrasts
                        .filter(|_| at_lock(planned))
                        .map(|own| own.p_value),
                );
            }
            if own.len() > 1 {
                let p: Vec<f64> = own.iter().map(|p| p.unwrap_or(1.0)).collect();
                let q_values = benjamini_hochberg(&p);
                let mut adjusted = own.iter().zip(q_values).map(|(p, q)| p.map(|_| q));
                for index in &exploratory {
                    analyses[*index].0.q_value = adjusted.next().flatten();
                }
                for (result, planned) in analyses.iter_mut() {
                    let contrasts = result
                        .subgroups
                        .iter_mut()
                        .flat_map(|own| &mut own.contrasts);
                    for contrast in contrasts.filter(|_| at_lock(planned)) {
                        contrast.q_value = adjusted.next().flatten();
                    }
                }
            }
        }
    }

    /// Westfall and Young over some analyses, on the same redraws for all of them. An analysis whose statistic does not
    /// exist gets 1 and takes no part.
    fn jointly(&mut self, planned: &[&Planned], lock: usize) -> Vec<f64> {
        let mut adjusted = vec![1.0; planned.len()];
        let Some(treated) = treated_arms(self.protocol).next() else {
            return adjusted;
        };
        let draws = planned.iter().filter_map(|planned| self.draws(planned));
        let draws = draws.max().unwrap_or(0);
        let key = joint_key(self.protocol, lock);
        let (mut places, mut sizes, mut weights) = (Vec::new(), Vec::new(), None);
        for (place, planned) in planned.iter().enumerate() {
            self.workspace
                .sample(self.protocol, self.state, self.cut, &planned.analysis);
            if let Ok(redrawn) = self.redrawn(&planned.analysis, treated, (&key, draws)) {
                let (observed, own) = redrawn.sizes();
                places.push(place);
                sizes.push(Sizes {
                    observed,
                    redrawn: own,
                });
                weights = redrawn.weights().map(<[f64]>::to_vec);
            }
        }
        let found = westfall_young(&sizes, weights.as_deref());
        for (place, found) in places.into_iter().zip(found) {
            adjusted[place] = found;
        }
        adjusted
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
        let arms = self.workspace.by_arm(binary);
        let mut warnings = Vec::new();
        let mut results = Vec::new();
        let treated: Vec<Arm> = treated_arms(protocol).collect();
        for arm in &treated {
            results.extend(self.estimate(analysis, *arm, &mut warnings));
        }
        let tested = match (self.draws(planned), treated.first()) {
            (Some(draws), Some(arm)) => self.test(analysis, *arm, draws, &mut warnings),
            _ => None,
        };
        let (test, smallest) = tested.unzip();
        let mut fixed = FixedColumns::default();
        let adjusts = |entry: &estimation::EstimatorEntry| entry.uses(estimation::Role::Covariates);
        let (covariates, deviations) = if analysis.entry().is_some_and(adjusts) {
            let units = &self.workspace.units;
            fixed.realize(protocol, self.state, &analysis.covariates, units);
            let groups = &self.workspace.groups;
            describe(protocol, &analysis.covariates, groups, &fixed)
        } else {
            (Vec::new(), Vec::new())
        };
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
            alpha,
            looks: Vec::new(),
            arms,
            results,
            test_registered: analysis.test.is_some(),
            test,
            p_adjusted: None,
            q_value: None,
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
        if let (Some(smallest), Some(limit)) = (smallest, result.alpha) {
            let limit = limit / beside(protocol, analysis);
            result
                .warnings
                .extend(out_of_reach(smallest, limit, &result));
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
        once(&mut result.warnings);
        result
    }

    /// The rows beside a result. Beside a result that was looked at they have the level of its interval, so that none is read as
    /// a decision that the look does not take. The workspace is left with another sample.
    fn beside(&mut self, analysis: &Analysis, treated: &[Arm], result: &mut AnalysisResult) {
        if !sensitivity::any(analysis) {
            return;
        }
        let protocol = self.protocol;
        let alpha = if result.looks.is_empty() {
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
            result.results.extend(rows);
            result.warnings.extend(told);
        }
    }

    /// The rows of one treated arm; the first is its effect.
    fn estimate(
        &mut self,
        analysis: &Analysis,
        treated: Arm,
        warnings: &mut Vec<Warning>,
    ) -> Vec<Estimate> {
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
                fitted
                    .effect()
                    .map(|effect| vec![row(protocol, analysis, treated, &effect)])
            }
            Ok(ref fitted @ Fitted::Counted { .. }) => fitted
                .effect()
                .map(|effect| vec![row(protocol, analysis, treated, &effect)]),
            Err(error) => Err(error),
        };
        rows.unwrap_or_else(|error| {
            warnings.push(Warning::new(error.code(), refusal(&error)));
            vec![undefined(protocol, analysis, treated, &self.workspace)]
        })
    }

    fn test(
        &self,
        analysis: &Analysis,
        treated: Arm,
        draws: u64,
        warnings: &mut Vec<Warning>,
    ) -> Option<(TestResult, f64)> {
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
                if self.protocol.arms.len() > 2 {
                    warnings.push(Warning::new(
                        "test-of-all-arms",
                        words!(
                            "the test supposes that no arm would have changed any outcome, not only the first one",
                            "testet utgår från att ingen grupps handläggning skulle ha ändrat något utfall, inte bara den första gruppens"
                        ),
                    ));
                }
                // With more arms a constant effect of one of them says nothing about the others.
                let limits = (self.protocol.arms.len() == 2)
                    .then(|| redrawn.limits(analysis.alpha))
                    .flatten();
                if limits.is_some_and(|limits| limits.gap) {
                    warnings.push(Warning::new(
                        "interval-not-monotone",
                        words!(
                            "the test rejects some constant effects between the limits of its interval too; the limits are the outermost ones that it does not reject",
                            "testet förkastar även några konstanta effekter mellan gränserna för sitt intervall; gränserna är de yttersta som det inte förkastar"
                        ),
                    ));
                }
                let test = TestResult {
                    conf_low: limits.and_then(|limits| limits.low),
                    conf_high: limits.and_then(|limits| limits.high),
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
                Some((test, redrawn.smallest_p()))
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
