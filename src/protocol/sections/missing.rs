//! `missing` of an analysis: the rule for outcomes that are not known, and other rules beside it.

use super::estimand::built_word;
use crate::estimation;
use crate::protocol::findings::Findings;
use crate::protocol::model::{LINEAR, Missing, Outcome, OutcomeKind, Sensitivity};
use crate::protocol::names::repeated;
use crate::protocol::tree::Section;
use crate::words;

/// Keys of `missing`.
pub(in crate::protocol) const KEYS: &[&str] = &["primary", "sensitivity"];

/// Reads the rule for missing outcomes and the ones beside it.
pub(super) fn read(
    out: &mut Findings<'_>,
    section: &Section<'_>,
    outcome: Option<&Outcome>,
) -> Option<(Missing, Vec<Sensitivity>)> {
    let table = section.need_section(out, "missing", KEYS)?;
    let sensitivity = sensitivity(out, &table);
    let value = table.need(out, "primary")?;
    let rules = Missing::ALL.map(Missing::text);
    let word = built_word(out, &value, (&rules, &[]), "unknown-value")?;
    let rule = Missing::ALL.into_iter().find(|own| own.text() == word)?;
    if let Some(outcome) = outcome
        && rule == Missing::NotAccepted
        && !matches!(outcome.kind, OutcomeKind::Binary { .. })
    {
        let id = &outcome.id;
        out.error(
            "missing-rule-mismatch",
            &value.span,
            words!(
                "`not-accepted` counts a family without follow-up as a no, which only an outcome of the kind `binary` can be; `{id}` is not",
                "`not-accepted` räknar en familj utan uppföljning som ett nej, vilket bara ett utfall av slaget `binary` kan vara; `{id}` är det inte"
            ),
            words!(
                "write `primary = \"complete-case\"`",
                "skriv `primary = \"complete-case\"`"
            ),
        );
        return None;
    }
    Some((rule, sensitivity?))
}

fn sensitivity(out: &mut Findings<'_>, table: &Section<'_>) -> Option<Vec<Sensitivity>> {
    let Some(value) = table.get("sensitivity") else {
        return Some(Vec::new());
    };
    let words = Sensitivity::ALL.map(|own| (own.text(), own));
    let mut list = Vec::new();
    let mut complete = true;
    for item in &value.items(out)? {
        match item.one_of(out, &words) {
            Some(own) if list.contains(&own) => {
                repeated(out, &item.span, &words!("rule", "regeln"), own.text());
            }
            Some(own) => list.push(own),
            None => complete = false,
        }
    }
    complete.then_some(list)
}

/// What the rules must fit.
#[derive(Debug, Clone, Copy)]
pub(super) struct Around<'a> {
    /// The estimator.
    pub(super) entry: &'a estimation::EstimatorEntry,
    /// Whether it gets times, or numbers with the days at risk, and can so stop a family where its follow-up ends.
    pub(super) follows: Follows,
    /// Whether the analysed value is 0 or 1.
    pub(super) binary: bool,
    /// Whether the range of the outcome is known.
    pub(super) ranged: bool,
}

/// What an estimator does with the length of follow-up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Follows {
    /// It needs it.
    Needs,
    /// It may have it.
    May,
    /// It knows none.
    Not,
}

/// Whether rules, estimator and outcome fit.
pub(super) fn check(
    out: &mut Findings<'_>,
    section: &Section<'_>,
    (rule, sensitivity): (Missing, &[Sensitivity]),
    around: Around<'_>,
) {
    let span = section
        .get("missing")
        .map_or(section.span.clone(), |value| value.span);
    let id = around.entry.id;
    let bounds = matches!(id, "lee-bounds" | "manski-bounds");
    let weighs = around.entry.uses(estimation::Role::Weights);
    let fits = match rule {
        Missing::Censoring => around.follows != Follows::Not,
        Missing::Bounds => bounds,
        Missing::CensoringWeights => weighs,
        Missing::CompleteCase | Missing::NotAccepted => around.follows != Follows::Needs && !bounds,
    };
    if !fits {
        let (rule, wanted) = (
            rule.text(),
            match (around.follows, bounds) {
                (Follows::Needs, _) => "censoring",
                (_, true) => "bounds",
                _ => "complete-case",
            },
        );
        out.error(
            "missing-rule-mismatch",
            &span,
            words!(
                "the rule `{rule}` does not fit the estimator `{id}`",
                "regeln `{rule}` passar inte skattningsmetoden `{id}`"
            ),
            words!(
                "write `primary = \"{wanted}\"`",
                "skriv `primary = \"{wanted}\"`"
            ),
        );
        return;
    }
    for own in sensitivity {
        let linear = LINEAR.contains(&id);
        let fits = match own {
            Sensitivity::CompleteCase => {
                matches!(rule, Missing::NotAccepted | Missing::CensoringWeights)
            }
            Sensitivity::CensoringWeights => weighs && rule != Missing::CensoringWeights,
            Sensitivity::MultipleImputation | Sensitivity::TippingPoint => linear,
            Sensitivity::Manski => rule != Missing::Censoring && (around.binary || around.ranged),
            Sensitivity::Lee => rule != Missing::Censoring && !bounds,
        };
        if fits {
            continue;
        }
        let word = own.text();
        let help = if *own == Sensitivity::Manski && rule != Missing::Censoring {
            words!(
                "add `range = [least, greatest]` of the outcome to the analysis, or leave `{word}` out",
                "lägg till utfallets `range = [minsta, största]` i analysen, eller utelämna `{word}`"
            )
        } else {
            words!("leave `{word}` out", "utelämna `{word}`")
        };
        out.error(
            "missing-rule-mismatch",
            &span,
            words!(
                "the sensitivity analysis `{word}` does not fit the estimator `{id}` with this rule and outcome",
                "känslighetsanalysen `{word}` passar inte skattningsmetoden `{id}` med denna regel och detta utfall"
            ),
            help,
        );
    }
}
