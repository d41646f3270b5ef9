//! The forest plot: every estimate of a difference with its interval, one axis per unit.
//!
//! Decides what the rows are; `forest_chart` draws them. Directions are named by the arms ("fewer with …"), not by
//! "favours": the protocol does not say which direction is good.

use super::forest_chart::{ForestRow, Panel, draw as chart};
use super::{Figure, FigureEntry};
use crate::analysis::results::AnalysisResult;
use crate::diagnostic::Lang;
use crate::estimation::Estimate;
use crate::protocol::model::{Role, Sensitivity};
use crate::report::effect::{self, Scale};
use crate::report::{Report, number};
use crate::words;

/// The registered figure.
pub(super) const ENTRY: FigureEntry = FigureEntry { id: "forest", draw };

fn role(analysis: &AnalysisResult, lang: Lang) -> String {
    let name = crate::report::page::role(analysis.role, analysis.prespecified);
    name.get(lang).to_string()
}

/// Ticks with a sign, on Swedish or English terms.
fn tick(lang: Lang) -> fn(f64, usize) -> String {
    match lang {
        Lang::Sv => |value, places| number::signed(value, places, Lang::Sv),
        Lang::En => |value, places| number::signed(value, places, Lang::En),
    }
}

fn row(
    report: &Report<'_>,
    analysis: &AnalysisResult,
    estimate: &Estimate,
    (first, shared): (bool, Option<f64>),
    lang: Lang,
) -> ForestRow {
    let scale = effect::scale(analysis, estimate);
    let contrast = effect::contrast(report, analysis, estimate);
    let several = report.protocol.arms.len() > 2;
    let beside = estimate.extra.contains_key("sensitivity") || estimate.interval == "stage-wise";
    let mut remark = if beside {
        effect::row_label(report, estimate, lang)
    } else {
        format!("{}, {}", role(analysis, lang), estimate.estimator)
    };
    // A row beside the result names its arm itself.
    let named = estimate.extra.contains_key("sensitivity");
    if several
        && !named
        && let Some((treated, _)) = contrast
    {
        remark = format!("{}: {remark}", report.arm(treated.arm, lang));
    }
    ForestRow {
        label: analysis.outcome_label.get(lang).to_string(),
        remark,
        estimate: effect::shown(scale, estimate.estimate),
        low: effect::shown(scale, estimate.conf_low),
        high: effect::shown(scale, estimate.conf_high),
        text: effect::text(analysis, estimate, shared, lang),
        filled: first && analysis.role == Role::Primary && analysis.prespecified,
    }
}

fn panel(
    report: &Report<'_>,
    scale: Scale,
    unit: Option<&str>,
    rows: Vec<ForestRow>,
    lang: Lang,
) -> Panel {
    let treated = report
        .protocol
        .arms
        .iter()
        .enumerate()
        .filter(|(index, _)| *index != usize::from(report.protocol.control.0))
        .map(|(_, arm)| arm.label.get(lang))
        .collect::<Vec<_>>();
    let treated = match treated.as_slice() {
        [one] => (*one).to_string(),
        _ => words!("the arm compared", "den jämförda gruppen")
            .get(lang)
            .to_string(),
    };
    let unit = unit.unwrap_or_default();
    let (axis, left, right) = match scale {
        Scale::Points => (
            words!("Difference, percentage points", "Skillnad, procentenheter"),
            words!("Fewer families: {treated}", "Färre familjer: {treated}"),
            words!("More families: {treated}", "Fler familjer: {treated}"),
        ),
        Scale::Unit | Scale::Other => (
            words!("Difference: {unit}", "Skillnad: {unit}"),
            words!("Lower: {treated}", "Lägre: {treated}"),
            words!("Higher: {treated}", "Högre: {treated}"),
        ),
    };
    Panel {
        axis: axis.get(lang).to_string(),
        left: left.get(lang).to_string(),
        right: right.get(lang).to_string(),
        rows,
        beyond: words!(
            "An arrow: the interval goes on beyond the axis.",
            "Pil: intervallet fortsätter utanför axeln."
        )
        .get(lang)
        .to_string(),
        bound: (scale == Scale::Points).then_some(100.0),
        tick: tick(lang),
    }
}

fn draw(report: &Report<'_>, lang: Lang) -> Option<Figure> {
    let mut points = Vec::new();
    let mut units: Vec<(&str, &str, Vec<ForestRow>)> = Vec::new();
    let shared = effect::shared_level(report);
    for analysis in &report.analyses.analyses {
        for (index, estimate) in analysis.as_read().into_iter().enumerate() {
            // What unknown outcomes would have to be is no estimate.
            let rule = estimate.extra.get("sensitivity");
            if rule.is_some_and(|own| own == Sensitivity::TippingPoint.text()) {
                continue;
            }
            let row = || row(report, analysis, estimate, (index == 0, shared), lang);
            // Rows of one arm alone, and ratios, have no place on a difference axis.
            match effect::scale(analysis, estimate) {
                Scale::Points => points.push(row()),
                Scale::Unit => {
                    let row = row();
                    match units.iter_mut().find(|(id, ..)| *id == analysis.outcome) {
                        Some((_, _, rows)) => rows.push(row),
                        None => units.push((
                            &analysis.outcome,
                            analysis.outcome_label.get(lang),
                            vec![row],
                        )),
                    }
                }
                Scale::Other => {}
            }
        }
    }
    let mut panels = Vec::new();
    if !points.is_empty() {
        panels.push(panel(report, Scale::Points, None, points, lang));
    }
    for (_, label, rows) in units {
        panels.push(panel(report, Scale::Unit, Some(label), rows, lang));
    }
    if panels.is_empty() {
        return None;
    }
    let desc = describe(&panels, report, lang);
    let title = if report.analyses.dry_run {
        words!(
            "Estimated differences – dry run with redrawn arms",
            "Skattade skillnader – provkörning med omlottade grupper"
        )
    } else {
        words!("Estimated differences", "Skattade skillnader")
    };
    let title = title.get(lang).to_string();
    let (canvas, height) = chart(&panels)?;
    Some(Figure {
        id: ENTRY.id,
        svg: canvas.finish(height, ENTRY.id, &title, &desc),
        title,
        desc,
        table: None,
    })
}

fn describe(panels: &[Panel], report: &Report<'_>, lang: Lang) -> String {
    let control = report.arm(report.protocol.control, lang);
    let mut sentences = vec![
        words!(
            "Differences compared with {control}; the vertical line marks no difference.",
            "Skillnader jämfört med {control}; den lodräta linjen markerar ingen skillnad."
        )
        .get(lang)
        .to_string(),
    ];
    for panel in panels {
        for row in &panel.rows {
            sentences.push(format!(
                "{} ({}): {}; {}.",
                row.label, row.remark, row.text, panel.axis
            ));
        }
    }
    sentences.join(" ")
}
