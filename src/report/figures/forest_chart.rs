//! Draws a forest plot: estimates with intervals on one axis per unit, with a line at no difference.
//!
//! An interval that is much wider than the others, or has no limit, is cut at the edge and ends in an arrow; its
//! numbers stand in the text at the right, so nothing is lost. What the rows are is decided in `forest`.

use super::recruitment_chart::{inside, nice_step};
use crate::report::svg::{ACCENT, Anchor, Canvas, GRID, INK, LINE, MUTED, Weight, wrap};
use plotters::chart::ChartBuilder;
use plotters::drawing::IntoDrawingArea as _;
use plotters::element::PathElement;
use plotters::style::RGBColor;

/// One line of the plot.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct ForestRow {
    /// What was estimated.
    pub(super) label: String,
    /// A remark under the label.
    pub(super) remark: String,
    /// Estimate on the axis's scale.
    pub(super) estimate: Option<f64>,
    /// Limits on the axis's scale.
    pub(super) low: Option<f64>,
    pub(super) high: Option<f64>,
    /// The numbers as text.
    pub(super) text: String,
    /// Whether the mark is filled: the primary analysis.
    pub(super) filled: bool,
}

/// The rows that share an axis.
#[derive(Debug, Clone)]
pub(super) struct Panel {
    /// Title of the axis, for example `Difference, percentage points`.
    pub(super) axis: String,
    /// What lies to the left of the null line.
    pub(super) left: String,
    /// What lies to the right of it.
    pub(super) right: String,
    /// The rows.
    pub(super) rows: Vec<ForestRow>,
    /// What an arrow means, shown when there is one.
    pub(super) beyond: String,
    /// The farthest value that the scale has, if it ends.
    pub(super) bound: Option<f64>,
    /// Makes a tick's label.
    pub(super) tick: fn(f64, usize) -> String,
}

const WIDTH: f64 = 720.0;
const SIZE: f64 = 12.5;
const SMALL: f64 = 11.5;
const LEADING: f64 = 16.0;
const LABELS: f64 = 215.0;
const PLOT_LEFT: f64 = 228.0;
const PLOT_RIGHT: f64 = 532.0;
const TEXT_LEFT: f64 = 546.0;

/// Half-range of the axis: covers every estimate and each interval that is not far wider than the median one.
pub(super) fn reach(rows: &[ForestRow]) -> f64 {
    let finite = |x: Option<f64>| x.filter(|v| v.is_finite());
    let mut widths: Vec<f64> = rows
        .iter()
        .filter_map(|row| Some(finite(row.high)? - finite(row.low)?))
        .collect();
    widths.sort_by(f64::total_cmp);
    let median = widths.get(widths.len().saturating_sub(1) / 2).copied();
    let mut most = 0.0_f64;
    for row in rows {
        if let Some(estimate) = finite(row.estimate) {
            most = most.max(estimate.abs());
        }
        if let (Some(low), Some(high), Some(median)) = (finite(row.low), finite(row.high), median) {
            // The median row itself always fits, so a lone wide interval is shown whole.
            if high - low <= 3.0 * median {
                most = most.max(low.abs()).max(high.abs());
            }
        }
    }
    if most > 0.0 { most * 1.06 } else { 1.0 }
}

/// Draws the panels under each other.
pub(super) fn draw(panels: &[Panel]) -> Option<(Canvas, f64)> {
    let mut canvas = Canvas::new(WIDTH);
    let mut y = 4.0;
    for panel in panels {
        y = draw_panel(&mut canvas, panel, y)? + 18.0;
    }
    Some((canvas, y - 10.0))
}

/// A row's texts, broken into lines, and the height that they need.
struct Set {
    label: Vec<String>,
    remark: Vec<String>,
    text: Vec<String>,
    height: f64,
}

fn draw_panel(canvas: &mut Canvas, panel: &Panel, top: f64) -> Option<f64> {
    let reach = reach(&panel.rows);
    let step = nice_step(reach * 2.0);
    let places = (0..6)
        .find(|places| {
            let scaled = step * 10_f64.powi(*places);
            (scaled - scaled.round()).abs() < 1e-9
        })
        .unwrap_or(6) as usize;
    let edge = ((reach / step).ceil() * step).min(panel.bound.unwrap_or(f64::INFINITY));
    let steps = (edge / step).round() as i32;
    let x_of = |value: f64| PLOT_LEFT + (PLOT_RIGHT - PLOT_LEFT) * (value + edge) / (2.0 * edge);

    let rows: Vec<Set> = panel
        .rows
        .iter()
        .map(|row| {
            let label = wrap(&row.label, SIZE, Weight::Bold, LABELS);
            let remark = if row.remark.is_empty() {
                Vec::new()
            } else {
                wrap(&row.remark, SMALL, Weight::Normal, LABELS)
            };
            let text = wrap(&row.text, SIZE, Weight::Normal, WIDTH - TEXT_LEFT);
            let lines = (label.len() + remark.len()).max(text.len());
            Set {
                label,
                remark,
                text,
                height: lines as f64 * LEADING + 14.0,
            }
        })
        .collect();
    let plot_top = top + 6.0;
    let bottom = plot_top + rows.iter().map(|row| row.height).sum::<f64>();

    // Grid and intervals by the plotting library, in the panel's own coordinates.
    let mut markup = String::new();
    {
        use plotters::backend::SVGBackend;
        let height = bottom.ceil() as u32 + 10;
        let root = SVGBackend::with_string(&mut markup, (WIDTH as u32, height)).into_drawing_area();
        let mut chart = ChartBuilder::on(&root)
            .margin_left(PLOT_LEFT as i32)
            .margin_right((WIDTH - PLOT_RIGHT) as i32)
            .margin_top(plot_top as i32)
            .margin_bottom(height as i32 - bottom as i32)
            .build_cartesian_2d(-edge..edge, 0.0..1.0)
            .ok()?;
        let grid = (-steps..=steps).map(|i| {
            let x = f64::from(i) * step;
            PathElement::new(vec![(x, 0.0), (x, 1.0)], RGBColor(228, 228, 228))
        });
        chart.draw_series(grid).ok()?;
        root.present().ok()?;
    }
    canvas.marks(inside(&markup));
    canvas.path(&[(x_of(0.0), plot_top), (x_of(0.0), bottom)], LINE, 1.5);

    let mut y = plot_top;
    for (row, set) in panel.rows.iter().zip(&rows) {
        let middle = y + set.height / 2.0;
        let block = (set.label.len() + set.remark.len()) as f64 * LEADING;
        let mut baseline = middle - block / 2.0 + SIZE;
        for line in &set.label {
            canvas.text(
                0.0,
                baseline,
                line,
                (SIZE, Weight::Bold, Anchor::Start, INK),
            );
            baseline += LEADING;
        }
        for line in &set.remark {
            canvas.text(
                0.0,
                baseline,
                line,
                (SMALL, Weight::Normal, Anchor::Start, MUTED),
            );
            baseline += LEADING;
        }
        let mut baseline = middle - set.text.len() as f64 * LEADING / 2.0 + SIZE;
        for line in &set.text {
            canvas.text(
                TEXT_LEFT,
                baseline,
                line,
                (SIZE, Weight::Normal, Anchor::Start, INK),
            );
            baseline += LEADING;
        }
        if let Some(estimate) = row.estimate.filter(|v| v.is_finite()) {
            mark(canvas, row, estimate, middle, edge, &x_of);
        }
        y += set.height;
        if y < bottom - 1.0 {
            canvas.path(&[(0.0, y), (LABELS, y)], GRID, 1.0);
            canvas.path(&[(TEXT_LEFT, y), (WIDTH, y)], GRID, 1.0);
        }
    }

    canvas.path(&[(PLOT_LEFT, bottom), (PLOT_RIGHT, bottom)], MUTED, 1.0);
    // Every other label when they would touch.
    let labels: Vec<(f64, String)> = (-steps..=steps)
        .map(|i| {
            let value = f64::from(i) * step;
            (x_of(value), (panel.tick)(value, places))
        })
        .collect();
    let widest = labels
        .iter()
        .map(|(_, label)| crate::report::svg::width(label, SIZE, Weight::Normal))
        .fold(0.0, f64::max);
    let apart = (PLOT_RIGHT - PLOT_LEFT) / f64::from(2 * steps);
    let every = ((widest + 6.0) / apart).ceil().max(1.0) as i32;
    for (i, (x, label)) in (-steps..=steps).zip(&labels) {
        canvas.path(&[(*x, bottom), (*x, bottom + 4.0)], MUTED, 1.0);
        if i % every == 0 {
            canvas.text(
                *x,
                bottom + 18.0,
                label,
                (SIZE, Weight::Normal, Anchor::Middle, MUTED),
            );
        }
    }
    let centre = x_of(0.0);
    let mut y = bottom + 36.0;
    canvas.text(
        centre,
        y,
        &panel.axis,
        (SIZE, Weight::Bold, Anchor::Middle, INK),
    );
    y += LEADING + 3.0;
    // The directions may run into the columns beside the plot, which are empty here.
    let room = 250.0;
    let left = wrap(
        &format!("\u{2190} {}", panel.left),
        SIZE,
        Weight::Normal,
        room,
    );
    let right = wrap(
        &format!("{} \u{2192}", panel.right),
        SIZE,
        Weight::Normal,
        room,
    );
    for (i, line) in left.iter().enumerate() {
        canvas.text(
            centre - 12.0,
            y + i as f64 * LEADING,
            line,
            (SIZE, Weight::Normal, Anchor::End, INK),
        );
    }
    for (i, line) in right.iter().enumerate() {
        canvas.text(
            centre + 12.0,
            y + i as f64 * LEADING,
            line,
            (SIZE, Weight::Normal, Anchor::Start, INK),
        );
    }
    y += left.len().max(right.len()) as f64 * LEADING;
    if panel.rows.iter().any(|row| is_cut(row, edge)) {
        canvas.text(
            centre,
            y + 3.0,
            &panel.beyond,
            (SMALL, Weight::Normal, Anchor::Middle, MUTED),
        );
        y += LEADING;
    }
    Some(y)
}

/// Whether an interval that is drawn goes on beyond an edge.
fn is_cut(row: &ForestRow, edge: f64) -> bool {
    let inside = |limit: Option<f64>| limit.is_some_and(|v| v.abs() <= edge);
    let drawn = row.estimate.is_some() && (row.low.is_some() || row.high.is_some());
    drawn && !(inside(row.low) && inside(row.high))
}

/// One interval with its estimate; a limit beyond the edge, or none, becomes an arrow.
fn mark(
    canvas: &mut Canvas,
    row: &ForestRow,
    estimate: f64,
    y: f64,
    edge: f64,
    x_of: &dyn Fn(f64) -> f64,
) {
    let low = row.low.filter(|v| v.is_finite() && *v >= -edge);
    let high = row.high.filter(|v| v.is_finite() && *v <= edge);
    let known = row.low.is_some() || row.high.is_some();
    if known {
        let (start, end) = (x_of(low.unwrap_or(-edge)), x_of(high.unwrap_or(edge)));
        canvas.path(&[(start, y), (end, y)], ACCENT, 2.0);
        for (x, limit, side) in [(start, low, -1.0), (end, high, 1.0)] {
            if limit.is_some() {
                canvas.path(&[(x, y - 5.0), (x, y + 5.0)], ACCENT, 2.0);
            } else {
                let tip = x + 6.0 * side;
                let back = x - 3.0 * side;
                canvas.polygon(
                    &[(tip, y), (back, y - 5.5), (back, y + 5.5)],
                    ACCENT,
                    ACCENT,
                );
            }
        }
    }
    let x = x_of(estimate.clamp(-edge, edge));
    let fill = if row.filled { ACCENT } else { "#ffffff" };
    canvas.polygon(
        &[
            (x - 5.0, y - 5.0),
            (x + 5.0, y - 5.0),
            (x + 5.0, y + 5.0),
            (x - 5.0, y + 5.0),
        ],
        fill,
        ACCENT,
    );
}

#[cfg(test)]
mod tests {
    use super::{ForestRow, reach};

    fn row(low: f64, high: f64) -> ForestRow {
        ForestRow {
            label: String::new(),
            remark: String::new(),
            estimate: Some(f64::midpoint(low, high)),
            low: Some(low),
            high: Some(high),
            text: String::new(),
            filled: true,
        }
    }

    #[test]
    fn a_far_wider_interval_does_not_stretch_the_axis() {
        // Median width 20 → the interval of width 180 is cut; its estimate, 10, still lies inside.
        let rows = [row(-13.0, 7.0), row(-5.0, 15.0), row(-80.0, 100.0)];
        assert!((reach(&rows) - 15.0 * 1.06).abs() < 1e-9);
    }

    #[test]
    fn a_lone_interval_is_shown_whole() {
        assert!((reach(&[row(-80.0, 100.0)]) - 106.0).abs() < 1e-9);
    }

    #[test]
    fn an_axis_without_numbers_still_has_a_width() {
        assert!((reach(&[]) - 1.0).abs() < 1e-9);
    }
}
