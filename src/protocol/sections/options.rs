//! Options of an analysis' estimator in the words of the command line, and what it is handed beside the outcome.

use super::allocation;
use super::estimand::is_binary;
use super::estimator::Asked;
use crate::estimation::{
    Df, EstimatorEntry, Interval, Measure, PValue, Role, Settings, Ties, Variance,
};
use crate::protocol::findings::Findings;
use crate::protocol::model::{Factor, LINEAR, OutcomeKind, Received, Sensitivity};
use crate::protocol::names::repeated;
use crate::protocol::tree::{Section, Value};
use crate::words;

/// Most factors of subgroups in an analysis.
const MOST_SUBGROUPS: usize = 5;

/// A finding has been told, and there is no value.
#[derive(Debug, Clone, Copy)]
pub(super) struct Told;

/// One option of a few words; an estimator without it refuses the key.
fn option<T: Copy>(
    out: &mut Findings<'_>,
    section: &Section<'_>,
    key: &str,
    (domain, text): (&[T], fn(T) -> &'static str),
    id: &str,
) -> Result<Option<T>, Told> {
    let Some(value) = section.get(key) else {
        return Ok(None);
    };
    if domain.is_empty() {
        unused(out, section, key, id);
        return Err(Told);
    }
    let words: Vec<(&str, T)> = domain.iter().map(|own| (text(*own), *own)).collect();
    value.one_of(out, &words).map(Some).ok_or(Told)
}

fn unused(out: &mut Findings<'_>, section: &Section<'_>, key: &str, id: &str) {
    section.refuse(
        out,
        &[key],
        &words!(
            "the estimator `{id}` has no such option",
            "skattningsmetoden `{id}` har inget sådant val"
        ),
    );
}

/// Days of the window: what a horizon is at most, and is without a word.
fn window(kind: &OutcomeKind) -> i32 {
    match kind {
        OutcomeKind::Reports { window_days, .. }
        | OutcomeKind::Binary { window_days, .. }
        | OutcomeKind::Observed { window_days } => window_days.1 - window_days.0.max(1) + 1,
        OutcomeKind::Duration { horizon_days, .. } => *horizon_days,
    }
}

pub(super) fn options(
    out: &mut Findings<'_>,
    section: &Section<'_>,
    asked: Asked<'_>,
) -> Option<Settings> {
    let (entry, own) = (asked.entry, &asked.entry.options);
    let id = entry.id;
    let variance = option(
        out,
        section,
        "variance",
        (own.variances, Variance::text),
        id,
    );
    let df = option(out, section, "df", (own.dfs, Df::text), id);
    let interval = option(
        out,
        section,
        "interval",
        (own.intervals, Interval::text),
        id,
    );
    let ties = option(out, section, "ties", (own.ties, Ties::text), id);
    let p_value = option(out, section, "p_value", (own.p_values, PValue::text), id);
    let measure = (own.measures.len() > 1)
        .then(|| match asked.estimand.measure.as_str() {
            "restricted-mean-difference" => Some(Measure::Difference),
            "restricted-mean-ratio" => Some(Measure::Ratio),
            word => Measure::parse(word),
        })
        .flatten();
    let most = window(&asked.outcome.kind).max(1);
    let horizon = match section.get("horizon") {
        None => Ok(own.horizon.then(|| f64::from(most))),
        Some(_) if !own.horizon => {
            unused(out, section, "horizon", id);
            Err(Told)
        }
        Some(value) => {
            let days = value.days(out, 1, most).ok_or(Told);
            days.map(|days| Some(f64::from(days)))
        }
    };
    let range = range(out, section, asked);
    let interacted = match section.get("interacted") {
        None => Some(false),
        Some(_) if !own.interacted => {
            unused(out, section, "interacted", id);
            None
        }
        Some(value) => value.flag(out),
    };
    let settings = Settings {
        variance: variance.ok()?,
        df: df.ok()?,
        interval: interval.ok()?,
        measure,
        ties: ties.ok()?,
        p_value: p_value.ok()?,
        horizon: horizon.ok()?,
        range: range.ok()?,
        interacted: interacted?,
        ..Settings::default()
    };
    clustered(out, section, entry, &settings).then_some(settings)
}

/// Whether variance and degrees of freedom go with the clusters of the analysis, or with none.
fn clustered(
    out: &mut Findings<'_>,
    section: &Section<'_>,
    entry: &EstimatorEntry,
    settings: &Settings,
) -> bool {
    if section.get("clusters").is_some() {
        let because = words!(
            "an analysis with `clusters` has the variance `cr2` and its degrees of freedom",
            "en analys med `clusters` har variansen `cr2` och dess frihetsgrader"
        );
        let (variance, df) = (settings.variance, settings.df);
        let other = |own: bool, key: &'static str| (!own).then_some(key);
        let others = [
            other(matches!(variance, None | Some(Variance::Cr2)), "variance"),
            other(matches!(df, None | Some(Df::Satterthwaite)), "df"),
        ];
        let others: Vec<&str> = others.into_iter().flatten().collect();
        section.refuse(out, &others, &because);
        return others.is_empty();
    }
    if let Err(error) = entry.check_clusters(settings, false) {
        out.error(
            "estimator-mismatch",
            &section.key_span("variance"),
            error.words(),
            words!(
                "choose a variance without clusters, such as `hc2`, or add `clusters`",
                "välj en varians utan kluster, till exempel `hc2`, eller lägg till `clusters`"
            ),
        );
        return false;
    }
    true
}

/// The least and greatest value of the outcome, for worst-case bounds.
fn range(
    out: &mut Findings<'_>,
    section: &Section<'_>,
    asked: Asked<'_>,
) -> Result<Option<(f64, f64)>, Told> {
    let needed = asked.entry.options.range || asked.sensitivity.contains(&Sensitivity::Manski);
    let Some(value) = section.get("range") else {
        let known = match &asked.outcome.kind {
            OutcomeKind::Duration { horizon_days, .. } => Some((0.0, f64::from(*horizon_days))),
            OutcomeKind::Reports { .. }
            | OutcomeKind::Binary { .. }
            | OutcomeKind::Observed { .. } => None,
        };
        if needed && known.is_none() && !is_binary(asked.outcome, asked.summary) {
            if asked.entry.options.range {
                section.missing(out, "range");
                return Err(Told);
            }
            return Ok(None);
        }
        return Ok(known.filter(|_| needed));
    };
    if !needed {
        unused(out, section, "range", asked.entry.id);
        return Err(Told);
    }
    let ends: Option<Vec<f64>> = value
        .items(out)
        .ok_or(Told)?
        .iter()
        .map(|item| item.number(out, f64::is_finite, words!("a number", "ett tal")))
        .collect();
    let ends = ends.ok_or(Told)?;
    match ends.as_slice() {
        [low, high] if low < high => Ok(Some((*low, *high))),
        _ => {
            value.wrong_type(
                out,
                words!(
                    "two numbers, the least and the greatest value, such as `[0, 10]`",
                    "två tal, det minsta och det största värdet, till exempel `[0, 10]`"
                ),
            );
            Err(Told)
        }
    }
}

/// Strata by name, or those of the draw where the estimator needs some.
pub(super) fn strata(
    out: &mut Findings<'_>,
    section: &Section<'_>,
    entry: &EstimatorEntry,
    (around, drawn): (allocation::Around<'_>, Option<&[Factor]>),
) -> Option<Vec<Factor>> {
    let id = entry.id;
    let Some(value) = section.get("strata") else {
        if !entry.required.contains(&Role::Strata) {
            return Some(Vec::new());
        }
        let drawn = drawn?;
        if drawn.is_empty() {
            out.error(
                "estimator-mismatch",
                &section.key_span("estimator"),
                words!(
                    "the estimator `{id}` needs strata, and the draw has none",
                    "skattningsmetoden `{id}` kräver strata, och lottningen har inga"
                ),
                words!(
                    "add `strata = [\"site\"]` to the analysis",
                    "lägg till `strata = [\"site\"]` i analysen"
                ),
            );
            return None;
        }
        return Some(drawn.to_vec());
    };
    if !entry.uses(Role::Strata) || LINEAR.contains(&id) {
        section.refuse(
            out,
            &["strata"],
            &words!(
                "the estimator `{id}` takes no strata; `lin` and `linear` take `covariates`",
                "skattningsmetoden `{id}` tar inga strata; `lin` och `linear` tar `covariates`"
            ),
        );
        return None;
    }
    factors(out, &value, around)
}

fn factors(
    out: &mut Findings<'_>,
    value: &Value<'_>,
    around: allocation::Around<'_>,
) -> Option<Vec<Factor>> {
    let mut list: Vec<Factor> = Vec::new();
    let mut complete = true;
    for item in &value.items(out)? {
        match allocation::factor(out, item, around) {
            Some((factor, _)) if list.contains(&factor) => {
                let name = item.as_text().unwrap_or_default();
                repeated(out, &item.span, &words!("factor", "faktorn"), name);
            }
            Some((factor, _)) => list.push(factor),
            None => complete = false,
        }
    }
    complete.then_some(list)
}

/// Factors by whose levels the effect is shown: few, and of a difference of means.
pub(super) fn subgroups(
    out: &mut Findings<'_>,
    section: &Section<'_>,
    entry: &EstimatorEntry,
    around: allocation::Around<'_>,
) -> Option<Vec<Factor>> {
    let Some(value) = section.get("subgroups") else {
        return Some(Vec::new());
    };
    let id = entry.id;
    if !LINEAR.contains(&id) {
        section.refuse(
            out,
            &["subgroups"],
            &words!(
                "interaction contrasts are differences of means, and `{id}` has none",
                "interaktionskontraster är skillnader i medelvärde, och `{id}` har inga"
            ),
        );
        return None;
    }
    let list = factors(out, &value, around)?;
    if list.len() > MOST_SUBGROUPS {
        let many = list.len();
        out.error(
            "too-many",
            &value.span,
            words!(
                "{many} factors of subgroups, at most {MOST_SUBGROUPS} are possible",
                "{many} faktorer för undergrupper, högst {MOST_SUBGROUPS} är möjligt"
            ),
            words!(
                "keep those for which a difference is expected",
                "behåll dem för vilka en skillnad förväntas"
            ),
        );
        return None;
    }
    Some(list)
}

pub(super) fn received(
    out: &mut Findings<'_>,
    section: &Section<'_>,
    entry: &EstimatorEntry,
) -> Result<Option<Received>, Told> {
    let Some(value) = section.get("received") else {
        return Ok(entry.uses(Role::Received).then_some(Received::Started));
    };
    if !entry.uses(Role::Received) {
        unused(out, section, "received", entry.id);
        return Err(Told);
    }
    let words = Received::ALL.map(|own| (own.text(), own));
    value.one_of(out, &words).map(Some).ok_or(Told)
}
