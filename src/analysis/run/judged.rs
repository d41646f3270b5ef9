//! What is only known once several tests are judged together: which could not have rejected, and where the p that decides and
//! the interval that describes fall on different sides of the limit.

use super::Runner;
use super::adjustment::family;
use crate::analysis::attainable::{Barred, barred, fewest_draws, rule_of, significant};
use crate::analysis::notes::once;
use crate::analysis::plan::{Planned, treated_arms};
use crate::analysis::results::{AnalysisResult, Compared};
use crate::analysis::wording::null;
use crate::diagnostic::Words;
use crate::estimation::Warning;
use crate::numerics::shares::within;
use crate::protocol::model::Multiplicity;
use crate::words;

impl Runner<'_> {
    /// Warns of both, comparison by comparison; for results whose p are adjusted.
    pub(super) fn judge(&self, analyses: &mut [(AnalysisResult, &Planned)]) {
        let mut told: Vec<(usize, Warning)> = Vec::new();
        for (place, (result, planned)) in analyses.iter().enumerate() {
            let lock = planned.analysis.lock;
            let together = family(analyses, lock, result.role);
            let holm = rule_of(self.protocol, result.role) == Some(Multiplicity::Holm);
            for own in 0..result.comparisons() {
                let compared = result.compared(own);
                let at = together.iter().position(|one| *one == (place, own));
                let alone = [(place, own)];
                let (at, judged) = match at.filter(|_| holm) {
                    Some(at) => (at, together.as_slice()),
                    None => (0, alone.as_slice()),
                };
                let smallest: Vec<f64> = judged
                    .iter()
                    .filter_map(|(place, own)| self.smallest.get(*place)?.get(*own).copied())
                    .collect();
                let of = self.of_arm(own);
                let found = [
                    out_of_reach(&smallest, at, result.alpha, &compared),
                    self.disagrees(planned, result, &compared),
                ];
                for warning in found.into_iter().flatten() {
                    let Words { en, sv } = warning.message;
                    let message = Words::new(format!("{}{en}", of.en), format!("{}{sv}", of.sv));
                    told.push((place, Warning::new(warning.code, message)));
                }
            }
        }
        for (place, warning) in told {
            if let Some((result, _)) = analyses.get_mut(place) {
                result.warnings.push(warning);
                once(&mut result.warnings);
            }
        }
    }

    /// The treated arm of a comparison, before what is said of it; nothing where there is only one.
    fn of_arm(&self, comparison: usize) -> Words {
        let arm = treated_arms(self.protocol).nth(comparison);
        let arm = arm.filter(|_| self.protocol.arms.len() > 2);
        arm.map_or_else(Words::default, |arm| {
            let id = &self.protocol.arms[arm.index()].id;
            Words::same(format!("{id}: "))
        })
    }

    fn disagrees(
        &self,
        planned: &Planned,
        result: &AnalysisResult,
        compared: &Compared<'_>,
    ) -> Option<Warning> {
        // Neither decides what an earlier look has decided.
        if result.decided_earlier().is_some() {
            return None;
        }
        let row = compared.anderson_rubin().or(compared.rows.first())?;
        let (low, high) = (row.conf_low?, row.conf_high?);
        // The estimator's own p and interval are of one kind.
        let p = compared
            .p_adjusted
            .or(compared.test.map(|own| own.p_value))?;
        let null = null(self.protocol, &planned.analysis);
        let outside = low > null || high < null;
        if outside == within(p, result.alpha.unwrap_or(planned.analysis.alpha)) {
            return None;
        }
        let raised = compared.deciding_p().is_some_and(|own| p > own);
        Some(Warning::new(
            "test-and-interval-disagree",
            if raised {
                words!(
                    "the p, which is adjusted for several tests, and the interval, which is not, fall on different sides of the limit; the adjusted p decides and the interval describes",
                    "p-värdet, som är justerat för flera test, och intervallet, som inte är det, hamnar på olika sidor om gränsen; det justerade p-värdet avgör och intervallet beskriver"
                )
            } else {
                words!(
                    "the test and the interval fall on different sides of the limit; the registered test decides and the interval describes",
                    "testet och intervallet hamnar på olika sidor om gränsen; det registrerade testet avgör och intervallet beskriver"
                )
            },
        ))
    }
}

/// A test that could not have rejected, whatever had been seen, or only after others of its family.
fn out_of_reach(
    smallest: &[f64],
    place: usize,
    alpha: Option<f64>,
    compared: &Compared<'_>,
) -> Option<Warning> {
    let (test, alpha) = (compared.test?, alpha?);
    let own = *smallest.get(place)?;
    let barred = barred(smallest, place, alpha)?;
    let family = smallest.len();
    let first = alpha / family as f64;
    let reached = within(own, alpha);
    let limit = if reached { first } else { alpha };
    let needed = fewest_draws(limit).filter(|_| !test.exact);
    let [(p_en, p_sv), (limit_en, limit_sv)] = [own, limit].map(significant);
    let (need_en, need_sv) = needed.map_or_else(Default::default, |needed| {
        (
            format!("; at least {needed} redraws on which the model can be fitted are needed"),
            format!("; minst {needed} omlottningar som modellen kan anpassas på behövs"),
        )
    });
    Some(match barred {
        Barred::Always if !reached => Warning::new(
            "test-cannot-reject",
            words!(
                "the smallest p that the test could give is {p_en} and it is judged by {limit_en}: it could not have rejected whatever the effect{need_en}",
                "det minsta p-värde som testet kunde ge är {p_sv} och det bedöms mot {limit_sv}: det kunde inte ha förkastat hur stor effekten än är{need_sv}"
            ),
        ),
        Barred::Always => Warning::new(
            "test-cannot-reject",
            words!(
                "the smallest p that the test could give is {p_en}, and the first of the {family} that Holm's rule judges together is judged by {limit_en}: too few of the others could come before it, so it could not have rejected whatever the effects{need_en}",
                "det minsta p-värde som testet kunde ge är {p_sv}, och det första av de {family} som Holms regel bedömer tillsammans bedöms mot {limit_sv}: för få av de andra kunde komma före det, så det kunde inte ha förkastat hur stora effekterna än är{need_sv}"
            ),
        ),
        Barred::Until(before) => Warning::new(
            "test-rejects-only-after-others",
            words!(
                "the smallest p that the test could give is {p_en}, and the first of the {family} that Holm's rule judges together is judged by {limit_en}: it can reject only after at least {before} of the others have",
                "det minsta p-värde som testet kunde ge är {p_sv}, och det första av de {family} som Holms regel bedömer tillsammans bedöms mot {limit_sv}: det kan förkasta först efter minst {before} av de andra"
            ),
        ),
    })
}
