//! The effect asked for, ready to be worded: which arms, on which scale, how many per hundred families.
//!
//! Nothing is estimated here. A difference of proportions is shown in percentage points, anything else in its unit.

use super::{Report, number};
use crate::allocation::Arm;
use crate::analysis::results::{AnalysisResult, ArmOutcome};
use crate::diagnostic::{Lang, Words};
use crate::estimation::{Estimate, Measure};
use crate::protocol::model::{Average, Clusters, Sensitivity, Skewed};
use crate::study::conduct::ELIGIBLE_SET;
use crate::words;

/// How an estimate is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scale {
    /// A difference of proportions: percentage points.
    Points,
    /// A difference in the outcome's own unit.
    Unit,
    /// A ratio, or anything else that has no zero line.
    Other,
}

/// The scale of an estimate in an analysis.
pub(super) fn scale(analysis: &AnalysisResult, estimate: &Estimate) -> Scale {
    let measure = estimate.measure.as_str();
    if !matches!(measure, "difference" | "risk-difference") {
        Scale::Other
    } else if analysis.measure.starts_with("restricted-mean") {
        Scale::Unit
    } else if measure == "risk-difference" || analysis.arms.iter().all(|arm| arm.events.is_some()) {
        Scale::Points
    } else {
        Scale::Unit
    }
}

/// A value on the scale that people read: percentage points are hundredths.
pub(super) fn shown(scale: Scale, value: Option<f64>) -> Option<f64> {
    let factor = if scale == Scale::Points { 100.0 } else { 1.0 };
    value.filter(|v| v.is_finite()).map(|v| v * factor)
}

/// Decimals on that scale.
pub(super) fn places(scale: Scale) -> usize {
    match scale {
        Scale::Points => 1,
        Scale::Unit | Scale::Other => 2,
    }
}

/// The treated arm that a row names: by its term, or as a bound beside it.
pub(super) fn treated(report: &Report<'_>, estimate: &Estimate) -> Option<Arm> {
    let beside = estimate
        .extra
        .get("arm")
        .and_then(serde_json::Value::as_str);
    let named = beside.or_else(|| Some(estimate.term.split_once(" vs ")?.0));
    report.protocol.arm(named?)
}

/// The treated and the control arm of an analysis' first contrast.
pub(super) fn contrast<'a>(
    report: &Report<'_>,
    analysis: &'a AnalysisResult,
    estimate: &Estimate,
) -> Option<(&'a ArmOutcome, &'a ArmOutcome)> {
    let find = |arm: Arm| analysis.arms.iter().find(|outcome| outcome.arm == arm);
    let control = find(report.protocol.control)?;
    let named = treated(report, estimate).and_then(find);
    let treated = named.or_else(|| {
        analysis
            .arms
            .iter()
            .find(|outcome| outcome.arm != report.protocol.control)
    })?;
    Some((treated, control))
}

/// The level that all intervals of a report have; `None` where they have several, so that each must name its own.
pub(super) fn shared_level(report: &Report<'_>) -> Option<f64> {
    let analyses = report.analyses.analyses.iter();
    let mut levels = analyses.flat_map(|own| &own.results).filter(|own| {
        let set = own.extra.get("set").and_then(serde_json::Value::as_str);
        own.conf_low.or(own.conf_high).is_some() || matches!(set, Some("two rays" | "line"))
    });
    let Some(first) = levels.next() else {
        return Some(0.95);
    };
    let same = levels.all(|own| (own.level - first.level).abs() < 1e-9);
    same.then_some(first.level)
}

/// `−3.1 (−13.1 to 6.9)` on the scale that people read; where intervals have several levels, `−3.1 (95%: −13.1 to 6.9)`.
pub(super) fn text(
    analysis: &AnalysisResult,
    estimate: &Estimate,
    shared: Option<f64>,
    lang: Lang,
) -> String {
    if let Some(own) = tipping(analysis, estimate, lang) {
        return own;
    }
    let scale = scale(analysis, estimate);
    let places = places(scale);
    let value = shown(scale, estimate.estimate).map_or_else(
        || number::UNDEFINED.to_string(),
        |v| match scale {
            Scale::Points | Scale::Unit => number::signed(v, places, lang),
            Scale::Other => number::fixed(v, places, lang),
        },
    );
    if scale == Scale::Other && estimate.estimate.is_none() && estimate.endless().is_none() {
        return tested(estimate, lang).unwrap_or(value);
    }
    let (low, high) = (
        shown(scale, estimate.conf_low),
        shown(scale, estimate.conf_high),
    );
    let range = match (low, high) {
        (None, None) => set(estimate, scale, lang),
        _ if estimate.std_error_scale == "log" => {
            number::interval_above("0", (low, high), places, lang)
        }
        _ => number::interval(low, high, places, lang),
    };
    if shared.is_some() || range == number::UNDEFINED {
        return format!("{value} ({range})");
    }
    let level = level(estimate.level, lang);
    format!("{value} ({level}: {range})")
}

/// A set of effects that is no interval, in words: of Anderson and Rubin's test, or shifts that no rank test rejects; otherwise a
/// dash.
fn set(estimate: &Estimate, scale: Scale, lang: Lang) -> String {
    let own = |key: &str| estimate.extra.get(key);
    let end = |key: &str| {
        let value = shown(scale, own(key).and_then(serde_json::Value::as_f64));
        value.map_or_else(
            || number::INFINITE.to_owned(),
            |value| number::fixed(value, places(scale), lang),
        )
    };
    match own("set").and_then(serde_json::Value::as_str) {
        Some("two rays") => {
            let (to, from) = (end("ray_to"), end("ray_from"));
            words!("up to {to}, and from {from}", "till {to}, och från {from}")
                .get(lang)
                .to_owned()
        }
        Some("line") => words!("any number", "alla tal").get(lang).to_owned(),
        _ if estimate.measure == "shift" => words!("any number", "alla tal").get(lang).to_owned(),
        _ => number::UNDEFINED.to_owned(),
    }
}

/// Where a tipping point lies, in the words of its own kind: numbers of events among the families with unknown outcomes, or
/// how far imputed outcomes move. `None` for other rows.
fn tipping(analysis: &AnalysisResult, estimate: &Estimate, lang: Lang) -> Option<String> {
    let of = |key: &str| estimate.extra.get(key);
    let pair = |key: &str| {
        let list = of(key)?.as_array()?;
        Some((list.first()?.as_u64()?, list.get(1)?.as_u64()?))
    };
    let nowhere = || words!("turns nowhere", "vänds ingenstans");
    let said = if of("pairs").is_some() {
        let (treated, control) = pair("unknown")?;
        match pair("turns_at") {
            None => nowhere(),
            Some((a, b)) => words!(
                "turns at {a} of {treated} and {b} of {control} unknown",
                "vänds vid {a} av {treated} och {b} av {control} okända"
            ),
        }
    } else {
        match of("shift")?.as_f64() {
            None => nowhere(),
            shift @ Some(_) => {
                let scale = scale(analysis, estimate);
                let by = number::signed(shown(scale, shift)?, places(scale), lang);
                words!(
                    "turns at a shift of {by}",
                    "vänds vid en förskjutning på {by}"
                )
            }
        }
    };
    Some(said.get(lang).to_owned())
}

/// `χ² = 4.2, 1 degree of freedom`: a test without an effect.
fn tested(estimate: &Estimate, lang: Lang) -> Option<String> {
    let statistic = number::fixed(estimate.statistic?, 2, lang);
    let df = estimate.df.map_or_else(String::new, |df| {
        let df = number::fixed(df, 0, lang);
        words!(", df {df}", ", frihetsgrader {df}")
            .get(lang)
            .to_string()
    });
    Some(format!("χ² = {statistic}{df}"))
}

/// What a row of an analysis is, where it is not its first: an arm's own value, another rule, another measure.
pub(super) fn row_label(report: &Report<'_>, estimate: &Estimate, lang: Lang) -> String {
    let own = |key: &str| estimate.extra.get(key).and_then(serde_json::Value::as_str);
    let bound = match estimate.term.as_str() {
        "lower" => words!("lower bound", "nedre gräns"),
        "upper" => words!("upper bound", "övre gräns"),
        _ => Words::default(),
    };
    let bound = bound.get(lang);
    // With several treated arms each row says whose it is.
    let several = report.protocol.arms.len() > 2;
    let of = treated(report, estimate)
        .filter(|_| several)
        .map_or_else(String::new, |arm| format!("{}: ", report.arm(arm, lang)));
    if let Some(rule) = own("sensitivity") {
        let outcomes = report.protocol.outcomes.iter();
        let outcome = || outcomes.clone().find(|outcome| outcome.row() == rule);
        let name = Sensitivity::parse(rule).map(Sensitivity::words);
        let name = name.or_else(|| Clusters::parse(rule).map(Clusters::words));
        let name = name.or_else(|| Average::parse(rule).map(Average::words));
        let name = name.or_else(|| Skewed::parse(rule).map(Skewed::words));
        let eligible = || (rule == ELIGIBLE_SET).then(without_ineligible);
        let name = name.or_else(eligible);
        let name = name.or_else(|| Some(outcome()?.label.clone()));
        let name = name.unwrap_or_else(|| Words::same(rule));
        let beside = if bound.is_empty() {
            way(estimate).get(lang).to_owned()
        } else {
            bound.to_owned()
        };
        let colon = if beside.is_empty() { "" } else { ": " };
        return format!("{of}{}{colon}{beside}", name.get(lang));
    }
    if estimate.interval == "stage-wise" {
        return words!(
            "after the looks: median-unbiased, stage-wise",
            "efter tittarna: medianväntevärdesriktig, stegvis"
        )
        .get(lang)
        .to_string();
    }
    if !bound.is_empty() {
        return format!("{of}{}: {bound}", estimate.estimator);
    }
    if let Some(arm) = alone(report, estimate) {
        let measure = measure(estimate);
        return format!("{}: {}", report.arm(arm, lang), measure.get(lang));
    }
    let way = way(estimate);
    let way = way.get(lang);
    if way.is_empty() {
        format!("{of}{}", estimate.estimator)
    } else {
        format!("{of}{}, {way}", estimate.estimator)
    }
}

/// The set without families that were found not to have been eligible, which is not whole as randomized.
fn without_ineligible() -> Words {
    words!(
        "without families found not eligible; groups not whole as randomized",
        "utan familjer som inte uppfyllde villkoren; grupperna ej hela som lottade"
    )
}

/// The arm whose own value a row is; `None` of a comparison, and of what stands beside one.
fn alone(report: &Report<'_>, estimate: &Estimate) -> Option<Arm> {
    let beside = estimate.extra.contains_key("sensitivity");
    let own = report.protocol.arm(&estimate.term);
    own.filter(|_| !beside)
}

/// What an arm's own value is a value of.
fn measure(estimate: &Estimate) -> Words {
    match Measure::parse(&estimate.measure) {
        Some(Measure::Mean) => words!("mean", "medelvärde"),
        Some(Measure::Survival) => words!("survival", "överlevnad"),
        Some(Measure::CumulativeIncidence) => {
            words!("cumulative incidence", "kumulativ incidens")
        }
        _ => Words::same(&estimate.measure),
    }
}

/// The rows of an analysis as they are read, each with its place. The control arm's own value stands once, though each of several
/// comparisons comes with it.
pub(super) fn rows<'a>(
    report: &Report<'_>,
    analysis: &'a AnalysisResult,
) -> Vec<(usize, &'a Estimate)> {
    let mut rows: Vec<(usize, &Estimate)> = Vec::new();
    for (place, own) in analysis.as_read().into_iter().enumerate() {
        let again = alone(report, own).is_some()
            && rows.iter().any(|(_, row)| {
                row.term == own.term
                    && row.measure == own.measure
                    && row.estimate == own.estimate
                    && [row.conf_low, row.conf_high] == [own.conf_low, own.conf_high]
            });
        if !again {
            rows.push((place, own));
        }
    }
    rows
}

/// Of an effect among compliers how its row has its interval; empty for other rows.
fn way(estimate: &Estimate) -> Words {
    if estimate.is_anderson_rubin() {
        words!("Anderson–Rubin set", "Anderson–Rubins mängd")
    } else if estimate.extra.contains_key("first_stage") {
        words!("Wald interval", "Walds intervall")
    } else {
        Words::default()
    }
}

/// A level in percent: `95%`, `99.7%`, and as many decimals as it takes not to be 100.
pub(super) fn level(level: f64, lang: Lang) -> String {
    let percent = level * 100.0;
    let least = usize::from((percent - percent.round()).abs() > 1e-9);
    let beyond =
        |places: &usize| percent < 100.0 && 100.0 - percent < 0.5 * libm::pow(0.1, *places as f64);
    let places = (least..12).find(|places| !beyond(places)).unwrap_or(12);
    number::percent_sign(&number::fixed(percent, places, lang), lang)
}

/// What was seen in an arm: `68/165 (41.2%)`, or the mean and the number of families, of children too where they are analysed.
pub(super) fn seen(arm: &ArmOutcome, lang: Lang) -> String {
    let families = number::count(arm.analysed.into(), lang);
    match (arm.events, arm.mean) {
        (Some(events), _) => number::share(events, arm.analysed, lang),
        (None, Some(mean)) => {
            let of = arm.children.map(|own| {
                let children = number::count(own.number.into(), lang);
                let of = words!(
                    "children: {children}, families: {families}",
                    "barn: {children}, familjer: {families}"
                );
                of.get(lang).to_owned()
            });
            let of = of.unwrap_or_else(|| format!("n\u{a0}=\u{a0}{families}"));
            format!("{} ({of})", number::fixed(mean, 2, lang))
        }
        (None, None) => number::UNDEFINED.to_string(),
    }
}
