//! Draws a simulated figure over cells, each value with a band of 1.96 Monte Carlo standard errors: as rows, one a cell, or
//! as curves where cells differ by a number.
//!
//! What is drawn is decided in `figures`; nothing here knows what a value means.

use crate::diagnostic::Lang;
use crate::report::number;
use crate::report::svg::{ACCENT, Anchor, Canvas, GRID, INK, LINE, MUTED, Weight, width, wrap};
use crate::words;

/// A value and its Monte Carlo standard error.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Value {
    pub(super) value: f64,
    pub(super) error: f64,
}

/// A row: a cell, or a cell and an analysis.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Row {
    pub(super) label: String,
    pub(super) value: Value,
}

/// A curve: cells that differ by one number.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Curve {
    pub(super) name: String,
    /// By number, ascending.
    pub(super) points: Vec<(f64, Value)>,
}

/// What is drawn.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Shape {
    /// Rows, from above.
    Rows(Vec<Row>),
    /// Curves over the axis that is named.
    Curves(String, Vec<Curve>),
}

/// A chart.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Chart {
    /// What the values are.
    pub(super) axis: String,
    /// Between what a value can be: no share is below 0 or above 100, and neither is the end of its band.
    pub(super) limits: (f64, f64),
    /// Whether the axis begins with 0: where that is what is hoped for, it must be seen how far off it is.
    pub(super) from_nothing: bool,
    /// A value that everything is compared with, and its name.
    pub(super) reference: Option<(f64, String)>,
    pub(super) shape: Shape,
}

const WIDTH: f64 = 720.0;
const SIZE: f64 = 12.0;
const LEADING: f64 = 15.0;
/// Band: 95 % of the normal law.
const BAND: f64 = 1.96;

/// Colours of the curves, dark enough for text on white; the names at their ends carry the meaning.
const COLOURS: [&str; 6] = [
    ACCENT, "#a64d00", "#006856", "#7a1f5c", "#5c5400", "#404040",
];

/// Most curves that can be told apart; the table has all of them.
const CURVES: usize = 8;

/// The mark of a curve at its points and before its name, so that nothing hangs on colour alone.
fn mark(canvas: &mut Canvas, place: usize, (x, y): (f64, f64), colour: &str) {
    let r = 3.4;
    match place % 4 {
        0 => canvas.rect((x - 2.6, y - 2.6, 5.2, 5.2), colour, None),
        1 => {
            let corners: Vec<(f64, f64)> = (0..12)
                .map(|k| f64::from(k) * std::f64::consts::PI / 6.0)
                .map(|a| (x + r * libm::cos(a), y + r * libm::sin(a)))
                .collect();
            canvas.polygon(&corners, "#ffffff", colour);
        }
        2 => canvas.polygon(
            &[(x, y - 4.2), (x + 4.2, y), (x, y + 4.2), (x - 4.2, y)],
            colour,
            "none",
        ),
        _ => canvas.polygon(
            &[(x, y - 4.0), (x + 4.0, y + 3.2), (x - 4.0, y + 3.2)],
            "#ffffff",
            colour,
        ),
    }
}

/// Ends of an axis and the ticks on it.
struct Scale {
    low: f64,
    high: f64,
    ticks: Vec<f64>,
    places: usize,
}

impl Scale {
    /// Steps of 1, 2 or 5 times a power of ten that hold every value, at most seven of them.
    fn over(values: impl Iterator<Item = f64> + Clone) -> Self {
        let low = values.clone().fold(f64::INFINITY, f64::min);
        let high = values.fold(f64::NEG_INFINITY, f64::max);
        let (low, high) = if high - low > 1e-12 {
            (low, high)
        } else {
            (low - 0.5, high + 0.5)
        };
        let mut power = -9;
        let step = 'found: loop {
            for step in [1.0, 2.0, 5.0] {
                let step = step * 10.0_f64.powi(power);
                if (high - low) / step <= 6.0 || power > 12 {
                    break 'found step;
                }
            }
            power += 1;
        };
        let (first, last) = ((low / step).floor(), (high / step).ceil());
        let ticks = (0..=(last - first) as usize).map(|k| (first + k as f64) * step);
        Self {
            low: first * step,
            high: last * step,
            ticks: ticks.collect(),
            places: (-power).max(0) as usize,
        }
    }

    fn at(&self, value: f64, from: f64, to: f64) -> f64 {
        from + (value - self.low) / (self.high - self.low) * (to - from)
    }

    fn text(&self, tick: f64, lang: Lang) -> String {
        number::fixed(tick, self.places, lang)
    }
}

/// The drawing and its height.
pub(super) fn draw(chart: &Chart, lang: Lang) -> (Canvas, f64) {
    match &chart.shape {
        Shape::Rows(rows) => draw_rows(chart, rows, lang),
        Shape::Curves(axis, curves) => draw_curves(chart, axis, curves, lang),
    }
}

impl Chart {
    /// What an axis holds beside the values.
    fn fixed(&self) -> impl Iterator<Item = f64> + Clone {
        let reference = self.reference.as_ref().map(|(value, _)| *value);
        reference
            .into_iter()
            .chain(self.from_nothing.then_some(0.0))
    }

    fn ends(&self, value: &Value) -> [f64; 2] {
        let (least, most) = self.limits;
        [
            (value.value - BAND * value.error).max(least),
            (value.value + BAND * value.error).min(most),
        ]
    }
}

fn draw_rows(chart: &Chart, rows: &[Row], lang: Lang) -> (Canvas, f64) {
    let mut canvas = Canvas::new(WIDTH);
    let most = 230.0;
    let labels: Vec<Vec<String>> = rows
        .iter()
        .map(|row| wrap(&row.label, SIZE, Weight::Normal, most))
        .collect();
    let (left, right) = (most + 20.0, WIDTH - 24.0);
    let (top, height) = (30.0, |lines: &Vec<String>| {
        lines.len() as f64 * LEADING + 9.0
    });
    let bottom = top + labels.iter().map(height).sum::<f64>();
    let ends = rows.iter().flat_map(|row| chart.ends(&row.value));
    let scale = Scale::over(ends.chain(chart.fixed()));
    for tick in &scale.ticks {
        let x = scale.at(*tick, left, right);
        canvas.path(&[(x, top), (x, bottom)], GRID, 1.0);
        let style = (SIZE, Weight::Normal, Anchor::Middle, MUTED);
        canvas.text(x, bottom + 16.0, &scale.text(*tick, lang), style);
    }
    if let Some((value, name)) = &chart.reference {
        let x = scale.at(*value, left, right);
        canvas.path(&[(x, top), (x, bottom)], LINE, 1.4);
        let half = width(name, SIZE, Weight::Normal) / 2.0;
        let middle = x.clamp(left + half, (right - half).max(left + half));
        let style = (SIZE, Weight::Normal, Anchor::Middle, MUTED);
        canvas.text(middle, top - 10.0, name, style);
    }
    let mut y = top;
    for (row, lines) in rows.iter().zip(&labels) {
        let middle = y + height(lines) / 2.0;
        let first = middle - (lines.len() as f64 - 1.0) * LEADING / 2.0 + 4.0;
        for (number, line) in lines.iter().enumerate() {
            let style = (SIZE, Weight::Normal, Anchor::Start, INK);
            canvas.text(0.0, first + number as f64 * LEADING, line, style);
        }
        let [low, high] = chart.ends(&row.value).map(|end| scale.at(end, left, right));
        canvas.rect(
            (low, middle - 4.0, (high - low).max(1.0), 8.0),
            "#c3d3e3",
            None,
        );
        let x = scale.at(row.value.value, left, right);
        canvas.path(&[(x, middle - 7.0), (x, middle + 7.0)], ACCENT, 2.4);
        y += height(lines);
    }
    let style = (SIZE, Weight::Normal, Anchor::Middle, INK);
    canvas.text(
        f64::midpoint(left, right),
        bottom + 36.0,
        &chart.axis,
        style,
    );
    (canvas, bottom + 46.0)
}

fn draw_curves(chart: &Chart, axis: &str, curves: &[Curve], lang: Lang) -> (Canvas, f64) {
    let mut canvas = Canvas::new(WIDTH);
    let (number, curves) = (curves.len(), &curves[..curves.len().min(CURVES)]);
    let beside = chart
        .reference
        .as_ref()
        .map_or(0.0, |(_, name)| width(name, SIZE, Weight::Normal));
    let names = if curves.len() > 1 {
        170.0
    } else {
        beside + 24.0
    };
    let (left, right, top, bottom) = (64.0, WIDTH - names, 34.0, 330.0);
    let all = || curves.iter().flat_map(|curve| &curve.points);
    let across = Scale::over(all().map(|(x, _)| *x));
    let ends = all().flat_map(|(_, value)| chart.ends(value));
    let up = Scale::over(ends.chain(chart.fixed()));
    let style = |anchor, colour| (SIZE, Weight::Normal, anchor, colour);
    let place = |(x, y): (f64, f64)| (across.at(x, left, right), up.at(y, bottom, top));
    // Bands lie under everything else; where several meet, each point has its own bar as well.
    for (place_of, curve) in curves.iter().enumerate() {
        let low = curve
            .points
            .iter()
            .map(|(x, value)| place((*x, chart.ends(value)[0])));
        let high = curve
            .points
            .iter()
            .map(|(x, value)| place((*x, chart.ends(value)[1])));
        let band: Vec<(f64, f64)> = low.chain(high.rev()).collect();
        canvas.area(&band, COLOURS[place_of % COLOURS.len()]);
    }
    for tick in &up.ticks {
        let y = up.at(*tick, bottom, top);
        canvas.path(&[(left, y), (right, y)], GRID, 1.0);
        canvas.text(
            left - 8.0,
            y + 4.0,
            &up.text(*tick, lang),
            style(Anchor::End, MUTED),
        );
    }
    for tick in &across.ticks {
        let x = across.at(*tick, left, right);
        canvas.path(&[(x, bottom), (x, bottom + 4.0)], LINE, 1.0);
        let text = across.text(*tick, lang);
        canvas.text(x, bottom + 18.0, &text, style(Anchor::Middle, MUTED));
    }
    canvas.path(&[(left, bottom), (right, bottom)], LINE, 1.0);
    let mut labels: Vec<(f64, Vec<String>, Option<usize>)> = Vec::new();
    if let Some((value, name)) = &chart.reference {
        let y = up.at(*value, bottom, top);
        canvas.path(&[(left, y), (right, y)], LINE, 1.4);
        labels.push((y, vec![name.clone()], None));
    }
    for (place_of, curve) in curves.iter().enumerate() {
        let colour = COLOURS[place_of % COLOURS.len()];
        let line: Vec<(f64, f64)> = curve
            .points
            .iter()
            .map(|(x, value)| place((*x, value.value)))
            .collect();
        canvas.path(&line, colour, 2.0);
        if curves.len() > 1 {
            for (x, value) in &curve.points {
                canvas.path(&chart.ends(value).map(|end| place((*x, end))), colour, 1.0);
            }
        }
        for point in &line {
            mark(&mut canvas, place_of, *point, colour);
        }
        if let (true, Some((_, end))) = (curves.len() > 1, line.last()) {
            let lines = wrap(&curve.name, SIZE, Weight::Normal, names - 28.0);
            labels.push((*end, lines, Some(place_of)));
        }
    }
    // Names stand beside the ends of their lines, none over another: down first, then up from the bottom.
    labels.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut free = f64::NEG_INFINITY;
    for (y, lines, _) in &mut labels {
        *y = y.max(free);
        free = *y + lines.len() as f64 * LEADING + 3.0;
    }
    let mut free = bottom + 4.0;
    for (y, lines, _) in labels.iter_mut().rev() {
        *y = y.min(free - (lines.len() as f64 - 1.0) * LEADING);
        free = *y - LEADING - 3.0;
    }
    for (y, lines, place_of) in &labels {
        let colour = place_of.map_or(MUTED, |own| COLOURS[own % COLOURS.len()]);
        let mut from = right + 12.0;
        if let Some(own) = place_of {
            mark(&mut canvas, *own, (from, *y), colour);
            from += 10.0;
        }
        for (line, text) in lines.iter().enumerate() {
            let baseline = y + line as f64 * LEADING + 4.0;
            canvas.text(from, baseline, text, style(Anchor::Start, colour));
        }
    }
    canvas.text(
        left - 56.0,
        top - 16.0,
        &chart.axis,
        style(Anchor::Start, INK),
    );
    let middle = f64::midpoint(left, right);
    canvas.text(middle, bottom + 40.0, axis, style(Anchor::Middle, INK));
    if number > curves.len() {
        let shown = curves.len();
        let note = words!(
            "{shown} of {number} curves; the table has all of them",
            "{shown} av {number} kurvor; tabellen har alla"
        );
        canvas.text(
            middle,
            bottom + 58.0,
            note.get(lang),
            style(Anchor::Middle, MUTED),
        );
        return (canvas, bottom + 68.0);
    }
    (canvas, bottom + 50.0)
}
