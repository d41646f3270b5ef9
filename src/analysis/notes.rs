//! What a reader must know of a result beside its numbers: how much is unknown, how small it is, what it may decide.

use super::covariates::ratios_differ;
use super::plan::Planned;
use super::results::{AnalysisResult, ArmOutcome};
use super::workspace::Workspace;
use crate::diagnostic::Words;
use crate::estimation::Role;
use crate::estimation::Warning;
use crate::protocol::Protocol;
use crate::protocol::model::{Analysis, Day};
use crate::study::kernel::State;
use crate::words;

/// Families that an arm should have for the large-sample interval (Lin, Green and Coppock 2016, standard operating
/// procedures of the Green lab).
const SMALL_ARM: u32 = 20;

/// The largest share of unknown outcomes that goes without a warning.
const MISSING_ABOVE: f64 = 0.1;

/// Where a result comes from.
pub(super) struct Context<'a> {
    pub(super) protocol: &'a Protocol,
    pub(super) state: &'a State,
    pub(super) cut: Day,
    /// With the rows and the outcome of the analysis.
    pub(super) workspace: &'a Workspace,
    /// Whether the test had another number of redraws than the registered one.
    pub(super) draws_changed: bool,
}

impl Context<'_> {
    /// What a reader should know of a result.
    pub(super) fn notes(&self, planned: &Planned, result: &AnalysisResult) -> Vec<Warning> {
        let analysis = &planned.analysis;
        let mut notes: Vec<Warning> = Vec::new();
        let mut warn = |code: &'static str, message: Words| notes.push(Warning::new(code, message));
        if !planned.prespecified {
            warn(
                "post-hoc",
                words!(
                    "this analysis was not registered before the data were seen",
                    "den här analysen var inte registrerad innan data sågs"
                ),
            );
        }
        if result.alpha.is_none() {
            warn(
                "interim-descriptive",
                words!(
                    "the lock is an interim one that spends no alpha: the result describes, and nothing is decided",
                    "låsningen är en interimslåsning som inte förbrukar något alfa: resultatet beskriver, och ingenting avgörs"
                ),
            );
        }
        self.note_rows(analysis, result, &mut warn);
        if self.draws_changed && analysis.test.is_some() {
            warn(
                "test-draws-changed",
                words!(
                    "the number of redraws is not the registered one",
                    "antalet omlottningar är inte det registrerade"
                ),
            );
        }
        notes
    }

    fn note_rows(
        &self,
        analysis: &Analysis,
        result: &AnalysisResult,
        warn: &mut impl FnMut(&'static str, Words),
    ) {
        let total = |count: fn(&ArmOutcome) -> u32| result.arms.iter().map(count).sum::<u32>();
        let not_yet = total(|arm| arm.not_yet);
        if not_yet > 0 {
            warn(
                "window-not-ended",
                words!(
                    "families whose window had not ended at the cut, and which are not analysed: {not_yet}",
                    "familjer vars fönster inte hade löpt ut vid brytdatumet, och som inte analyseras: {not_yet}"
                ),
            );
        }
        if analysis.children.is_some() {
            self.workspace.note_children(warn);
        }
        let unknown = total(|arm| arm.missing) + total(|arm| arm.by_rule);
        let ended = total(|arm| arm.randomized) - not_yet;
        if f64::from(unknown) > MISSING_ABOVE * f64::from(ended) {
            let rule = analysis.missing.text();
            warn(
                "many-unknown-outcomes",
                words!(
                    "the outcome of {unknown} of {ended} families is not known; the rule `{rule}` is used",
                    "utfallet är okänt för {unknown} av {ended} familjer; regeln `{rule}` används"
                ),
            );
        }
        let smallest = result
            .arms
            .iter()
            .map(|arm| arm.analysed)
            .min()
            .unwrap_or(0);
        if smallest < SMALL_ARM {
            warn(
                "small-arm",
                words!(
                    "an arm has {smallest} families in the analysis: with fewer than {SMALL_ARM} the interval is rough, and the registered estimator is used all the same",
                    "en grupp har {smallest} familjer i analysen: med färre än {SMALL_ARM} är intervallet grovt, och den registrerade skattningsmetoden används ändå"
                ),
            );
        }
        let adjusts = analysis
            .entry()
            .is_some_and(|entry| entry.uses(Role::Covariates));
        if !adjusts && ratios_differ(self.protocol, self.state, &self.workspace.units) {
            warn(
                "epochs-not-adjusted",
                words!(
                    "the ratio of the arms differed between epochs and the estimator does not adjust for it: a change of the outcome over time can look like an effect",
                    "förhållandet mellan armarna skilde sig mellan epokerna och skattningsmetoden justerar inte för det: en förändring av utfallet över tid kan se ut som en effekt"
                ),
            );
        }
        if adjusts {
            let columns = self.workspace.columns(self.protocol, self.state, analysis);
            let most = (smallest / SMALL_ARM) as usize;
            if columns > most {
                warn(
                    "many-covariates",
                    words!(
                        "columns of covariates: {columns}; families in the smaller arm: {smallest}, for which at most {most} would be few enough (one for each {SMALL_ARM})",
                        "kovariatkolumner: {columns}; familjer i den mindre gruppen: {smallest}, som räcker till högst {most} (en per {SMALL_ARM})"
                    ),
                );
            }
        }
        self.note_left_out(warn);
    }

    /// Families with an allocation that are no rows of the data set.
    fn note_left_out(&self, warn: &mut impl FnMut(&'static str, Words)) {
        let (mut linked, mut erased, mut later) = (0, 0, 0);
        for allocated in &self.state.allocations {
            if let Some(family) = self.state.family(allocated.family) {
                if family.erased {
                    erased += 1;
                } else if family.linked_to.is_some() {
                    linked += 1;
                } else if family.randomized > self.cut {
                    later += 1;
                }
            }
        }
        if linked > 0 {
            warn(
                "families-linked",
                words!(
                    "allocations of families that had been drawn before: {linked}; the first draw is the unit",
                    "lottningar av familjer som redan hade lottats: {linked}; den första lotten gäller"
                ),
            );
        }
        if erased > 0 {
            warn(
                "families-erased",
                words!(
                    "randomized families that were erased and are in no analysis: {erased}",
                    "lottade familjer som har raderats och inte ingår i någon analys: {erased}"
                ),
            );
        }
        let reports = self.state.reports_on_unknown_children(None);
        // Also after the lock.
        let erased = self.state.families.iter().any(|own| own.erased);
        if reports > 0 && !erased {
            warn(
                "report-on-unknown-child",
                words!(
                    "{reports} reports name a child whom the study does not know, of families with a roster: these reports count in no outcome",
                    "{reports} anmälningar anger ett barn som studien inte känner till, om familjer vars barn är angivna: dessa anmälningar räknas inte i något utfall"
                ),
            );
        }
        if reports > 0 && erased {
            warn(
                "child-maybe-erased",
                words!(
                    "{reports} reports name a child whom the study does not know, and rows that were erased may have named it: these reports count in no outcome",
                    "{reports} anmälningar anger ett barn som studien inte känner till, och raderade rader kan ha angett det: dessa anmälningar räknas inte i något utfall"
                ),
            );
        }
        if later > 0 {
            warn(
                "randomized-after-cut",
                words!(
                    "families randomized after the cut, which are not in the data set: {later}",
                    "familjer som lottades efter brytdatumet och inte ingår i datamängden: {later}"
                ),
            );
        }
    }
}

/// Says the same thing once.
pub(super) fn once(warnings: &mut Vec<Warning>) {
    let mut said: Vec<Warning> = Vec::with_capacity(warnings.len());
    for warning in warnings.drain(..) {
        if !said.contains(&warning) {
            said.push(warning);
        }
    }
    *warnings = said;
}
