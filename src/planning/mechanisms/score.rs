//! `[score]`: a value that is observed at the end of an outcome's window, such as a questionnaire's score.
//!
//! Under control a family's score is normal, tied to its risk of new reports: `mean + sd·(ρ·z + √(1 − ρ²)·e)`, where `z`
//! is the normal score of the family's risk deviate and `e` its own. The treated service adds `effect`. A share of families
//! of each arm does not answer, whatever its score; the true effect is that among all. Where families of a therapist pair share
//! something, a treated score mixes the pair's normal deviate in ([`Score::values_in_pair`]).

use super::{Arms, MechanismEntry, or_default, positive, share};
use crate::numerics::normal;
use crate::protocol::findings::Findings;
use crate::protocol::model::OutcomeKind;
use crate::protocol::tree::{Section, Value};
use crate::words;

/// Registry entry.
pub(super) const ENTRY: MechanismEntry = MechanismEntry {
    id: "score",
    about: "a value observed at the end of an outcome's window, and who does not answer",
    about_sv: "ett värde som observeras i slutet av ett utfalls fönster, och vilka som inte svarar",
    keys: &[
        "outcome",
        "mean",
        "sd",
        "effect",
        "risk_correlation",
        "missing",
    ],
    build: None,
};

/// A score under both services.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Score {
    /// Index of the outcome.
    pub outcome: usize,
    /// Day after randomization on which it is observed.
    pub day: i32,
    mean: f64,
    sd: f64,
    /// What the treated service adds.
    pub effect: f64,
    /// Correlation with the normal score of the family's risk.
    risk_correlation: f64,
    /// Share of families that do not answer, by arm: control, treated.
    missing: [f64; 2],
}

impl Score {
    /// Reads the section.
    pub(crate) fn read(
        out: &mut Findings<'_>,
        section: &Section<'_>,
        arms: Arms<'_>,
    ) -> Option<Self> {
        let protocol = arms.protocol;
        let any = |_: f64| true;
        let outcome = section.need(out, "outcome");
        let outcome = outcome.and_then(|value| {
            let id = value.text(out)?;
            let observed = |kind: &OutcomeKind| match kind {
                OutcomeKind::Observed { window_days } => Some(window_days.1),
                OutcomeKind::Reports { .. }
                | OutcomeKind::Binary { .. }
                | OutcomeKind::Duration { .. } => None,
            };
            let place = protocol.outcomes.iter().position(|own| own.id == id);
            let found =
                place.and_then(|place| Some((place, observed(&protocol.outcomes[place].kind)?)));
            if found.is_none() {
                let known = protocol
                    .outcomes
                    .iter()
                    .filter(|own| observed(&own.kind).is_some());
                out.unknown(
                    "unknown-reference",
                    &value.span,
                    id,
                    words!(
                        "the protocol has no outcome `{id}` of the kind `observed`",
                        "protokollet har inget utfall `{id}` av slaget `observed`"
                    ),
                    known.map(|own| own.id.as_str()),
                );
            }
            found
        });
        let number = |out: &mut Findings<'_>, value: &Value<'_>| {
            value.number(out, any, words!("a number", "ett tal"))
        };
        let mean = section.need(out, "mean");
        let mean = mean.and_then(|value| number(out, &value));
        let effect = arms.need(out, section, "effect", number);
        let sd = section.need(out, "sd");
        let sd = sd.and_then(|value| positive(out, &value, 1e9));
        let tie = or_default(out, section, "risk_correlation", 0.0, |out, value| {
            value.number(
                out,
                |tie| tie > -1.0 && tie < 1.0,
                words!("a number between −1 and 1", "ett tal mellan −1 och 1"),
            )
        });
        let names: Vec<&str> = protocol.arms.iter().map(|arm| arm.id.as_str()).collect();
        let missing = or_default(out, section, "missing", [0.0; 2], |out, value| {
            let table = value.section(out, &names)?;
            let control = or_default(out, &table, names[arms.control], 0.0, share);
            let treated = or_default(out, &table, names[arms.treated], 0.0, share);
            Some([control?, treated?])
        });
        let (outcome, day) = outcome?;
        Some(Self {
            outcome,
            day,
            mean: mean?,
            sd: sd?,
            effect: effect?,
            risk_correlation: tie?,
            missing: missing?,
        })
    }

    /// The scores under the control and the treated service, for a family's risk deviate and its own.
    pub fn values(&self, risk: f64, own: f64) -> [f64; 2] {
        self.of_normals(normal::deviate(risk), normal::deviate(own))
    }

    /// As [`Score::values`], where treated families of a pair share the deviate `pair`: in place of a treated family's `z`
    /// stands `√icc·p + √(1 − icc)·z`, `p` the pair's normal score. It is normal with the same mean and variance, two of a
    /// pair have the correlation `icc`, and the tie to the risk is `√(1 − icc)` times that under control.
    pub fn values_in_pair(&self, (risk, own): (f64, f64), icc: f64, pair: f64) -> [f64; 2] {
        let [control, treated] = self.values(risk, own);
        let alone = (1.0 - icc).sqrt() * (control - self.mean);
        let shared = self.sd * icc.sqrt() * normal::deviate(pair);
        [control, treated - control + self.mean + alone + shared]
    }

    /// The scores under the control and the treated service, for the normal scores of a family's risk and of its own
    /// deviate.
    #[inline]
    pub(in crate::planning) fn of_normals(&self, risk: f64, own: f64) -> [f64; 2] {
        let tie = self.risk_correlation;
        let z = tie * risk + (1.0 - tie * tie).sqrt() * own;
        let control = self.mean + self.sd * z;
        [control, control + self.effect]
    }

    /// Whether a score depends on the family's risk.
    pub(in crate::planning) fn is_tied(&self) -> bool {
        self.risk_correlation.abs() > 0.0
    }

    /// Shares of families that do not answer, control first.
    pub(in crate::planning) fn missing(&self) -> [f64; 2] {
        self.missing
    }

    /// Whether a family of the treated (or the control) arm answers, for a deviate.
    pub fn answers(&self, is_treated: bool, u: f64) -> bool {
        u >= self.missing[usize::from(is_treated)]
    }
}

#[cfg(test)]
mod tests {
    use super::Score;

    /// By law over a fine grid of both deviates: mean 10, standard deviation 3, correlation .6 with the risk's normal score,
    /// and every family gains the effect.
    #[test]
    fn scores_have_their_moments_and_tie() {
        let score = Score {
            outcome: 0,
            day: 365,
            mean: 10.0,
            sd: 3.0,
            effect: -1.5,
            risk_correlation: 0.6,
            missing: [0.1, 0.3],
        };
        let n = 400;
        let (mut sum, mut square, mut with) = (0.0, 0.0, 0.0);
        for a in 0..n {
            let risk = (f64::from(a) + 0.5) / f64::from(n);
            let z = crate::numerics::normal::quantile(risk).unwrap();
            for b in 0..n {
                let [control, treated] = score.values(risk, (f64::from(b) + 0.5) / f64::from(n));
                assert!((treated - control + 1.5).abs() < 1e-12);
                sum += control;
                square += (control - 10.0).powi(2);
                with += (control - 10.0) * z;
            }
        }
        let of = f64::from(n * n);
        assert!((sum / of - 10.0).abs() < 1e-9);
        assert!(((square / of).sqrt() / 3.0 - 1.0).abs() < 3e-3);
        assert!((with / of / 3.0 / 0.6 - 1.0).abs() < 5e-3);
        assert!(score.answers(false, 0.2) && !score.answers(true, 0.2));
    }

    /// By law over a fine grid of a family's two deviates and of its pair's: the treated score keeps its mean and its variance, the
    /// means of pairs have the share .3 of it, so that two families of a pair have the correlation .3, and control has nothing of
    /// the pair.
    #[test]
    fn treated_scores_of_a_pair_have_the_stated_correlation() {
        let score = Score {
            outcome: 0,
            day: 365,
            mean: 10.0,
            sd: 3.0,
            effect: -1.5,
            risk_correlation: 0.6,
            missing: [0.0; 2],
        };
        let n = 100;
        let at = |k: i32| (f64::from(k) + 0.5) / f64::from(n);
        let of = f64::from(n * n);
        let (mut square, mut between) = (0.0, 0.0);
        for p in 0..n {
            let mut sum = 0.0;
            for (a, b) in (0..n).flat_map(|a| (0..n).map(move |b| (a, b))) {
                let family = (at(a), at(b));
                let [control, treated] = score.values_in_pair(family, 0.3, at(p));
                assert!((control - score.values(family.0, family.1)[0]).abs() < 1e-12);
                sum += treated - 8.5;
                square += (treated - 8.5).powi(2);
            }
            between += (sum / of).powi(2);
        }
        let variance = square / of / f64::from(n);
        assert!((variance / 9.0 - 1.0).abs() < 2e-2, "{variance}");
        assert!(
            (between / f64::from(n) / variance - 0.3).abs() < 3e-3,
            "{between}"
        );
    }
}
