//! Draws cumulative recruitment: one step curve per site, labelled at its end, and a lane of closed days per site.
//!
//! The plotting library draws grid, curves and lanes; text is set here, where it can be measured and kept apart.

use crate::protocol::model::Day;
use crate::report::svg::{Anchor, Canvas, INK, MUTED, Weight, width, wrap};
use plotters::chart::ChartBuilder;
use plotters::drawing::IntoDrawingArea as _;
use plotters::element::{PathElement, Rectangle};
use plotters::style::{Color as _, RGBColor};

/// What is drawn for a site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SiteCurve {
    /// Name for people.
    pub(super) name: String,
    /// Text behind the name in the lane, for example `23 days closed`.
    pub(super) lane: String,
    /// Day of each randomization, ascending.
    pub(super) days: Vec<Day>,
    /// First day of enrolment.
    pub(super) opened: Day,
    /// Closed days, inclusive.
    pub(super) closed: Vec<(Day, Day)>,
}

/// Texts around the curves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ChartText {
    /// Above the curves.
    pub(super) heading: String,
    /// Above the lanes.
    pub(super) lanes: String,
    /// Names of the months, January first, short.
    pub(super) months: [&'static str; 12],
}

/// Colours of the curves, dark enough for text on white; labels carry the meaning.
const COLOURS: [(u8, u8, u8); 7] = [
    (31, 78, 121),
    (166, 77, 0),
    (0, 104, 86),
    (122, 31, 92),
    (92, 84, 0),
    (64, 64, 64),
    (140, 30, 30),
];

const WIDTH: f64 = 720.0;
const LEFT: f64 = 40.0;
const SIZE: f64 = 12.0;
const LEADING: f64 = 15.0;
const LABEL_GAP: f64 = 16.0;
const LANE: f64 = 10.0;

fn colour(index: usize) -> RGBColor {
    let (r, g, b) = COLOURS
        .get(index % COLOURS.len())
        .copied()
        .unwrap_or_default();
    RGBColor(r, g, b)
}

fn hex(index: usize) -> String {
    let RGBColor(r, g, b) = colour(index);
    format!("#{r:02x}{g:02x}{b:02x}")
}

/// A label of one or more lines that wants to be centred at a height.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Label {
    pub(super) wanted: f64,
    pub(super) height: f64,
}

/// Centres of labels, none overlapping, in the order of their wishes and as near to them as a single pass downwards and
/// one upwards allow, between `top` and `bottom` (which must leave room for all).
pub(super) fn spread(labels: &[Label], top: f64, bottom: f64) -> Vec<f64> {
    let mut order: Vec<usize> = (0..labels.len()).collect();
    order.sort_by(|a, b| {
        let wish = |i: &usize| labels.get(*i).map_or(0.0, |label| label.wanted);
        wish(a).total_cmp(&wish(b)).then(a.cmp(b))
    });
    let mut centres = vec![0.0; labels.len()];
    let mut free = top;
    for &i in &order {
        if let (Some(label), Some(centre)) = (labels.get(i), centres.get_mut(i)) {
            *centre = label.wanted.max(free + label.height / 2.0);
            free = *centre + label.height / 2.0;
        }
    }
    let mut free = bottom;
    for &i in order.iter().rev() {
        if let (Some(label), Some(centre)) = (labels.get(i), centres.get_mut(i)) {
            *centre = centre.min(free - label.height / 2.0);
            free = *centre - label.height / 2.0;
        }
    }
    centres
}

/// Steps of 1, 2 or 5 times a power of ten, at most six of them up to `most`.
pub(super) fn nice_step(most: f64) -> f64 {
    let mut scale = 1.0;
    loop {
        for step in [1.0, 2.0, 5.0] {
            if most <= 6.0 * step * scale {
                return step * scale;
            }
        }
        scale *= 10.0;
        if scale > 1e12 {
            return scale;
        }
    }
}

/// First days of months in a range, thinned so that at most nine remain; with their labels, the year on the first and
/// on each January.
fn months(from: Day, to: Day, names: &[&str; 12]) -> Vec<(Day, String)> {
    let mut all = Vec::new();
    for day in from.0..=to.0 {
        if let Some(date) = Day(day).date()
            && date.day() == 1
        {
            all.push((Day(day), date.year(), date.month()));
        }
    }
    let every = [1, 2, 3, 6, 12, 24, 60]
        .into_iter()
        .find(|every| all.len() <= 9 * every)
        .unwrap_or(120);
    let mut last_year = None;
    all.iter()
        .filter(|(_, year, month)| {
            let index = i32::from(*year) * 12 + i32::from(*month) - 1;
            index % every as i32 == 0
        })
        .map(|(day, year, month)| {
            let name = names
                .get(usize::from(month.unsigned_abs()).saturating_sub(1))
                .copied()
                .unwrap_or_default();
            let text = if last_year == Some(*year) {
                name.to_string()
            } else {
                format!("{name} {year}")
            };
            last_year = Some(*year);
            (*day, text)
        })
        .collect()
}

/// Draws the chart up to and including a last day; returns canvas and height, `None` if the library refuses.
pub(super) fn draw(sites: &[SiteCurve], until: Day, text: &ChartText) -> Option<(Canvas, f64)> {
    let from = sites.iter().map(|site| site.opened).min()?;
    let last = sites
        .iter()
        .filter_map(|site| site.days.last())
        .max()
        .copied()
        .unwrap_or(from)
        .max(until)
        .max(from.plus(27));
    let most = sites.iter().map(|site| site.days.len()).max()?.max(1) as f64;
    let step = nice_step(most);
    let ceiling = (most / step).ceil() * step;

    // Labels first: they decide the margin and, when there are many, the height.
    let label_width = 190.0;
    let labels: Vec<Vec<String>> = sites
        .iter()
        .map(|site| {
            let text = format!("{}\u{a0}{}", site.name, site.days.len());
            wrap(&text, SIZE, Weight::Bold, label_width)
        })
        .collect();
    let lanes: Vec<Vec<String>> = sites
        .iter()
        .map(|site| {
            let text = format!("{}: {}", site.name, site.lane);
            wrap(&text, SIZE, Weight::Normal, label_width)
        })
        .collect();
    let widest = labels
        .iter()
        .flatten()
        .map(|line| width(line, SIZE, Weight::Bold))
        .chain(
            lanes
                .iter()
                .flatten()
                .map(|line| width(line, SIZE, Weight::Normal)),
        )
        .fold(0.0, f64::max);
    let right = (WIDTH - widest - LABEL_GAP - 14.0).floor();
    let stacked: f64 = labels
        .iter()
        .map(|lines| lines.len() as f64 * LEADING + 2.0)
        .sum();
    let top = 30.0;
    let plot = stacked.max(250.0);
    let bottom = top + plot;
    let lanes_top = bottom + 62.0;
    let lane_heights: Vec<f64> = lanes
        .iter()
        .map(|lines| lines.len() as f64 * LEADING + 7.0)
        .collect();
    let height = lanes_top + lane_heights.iter().sum::<f64>() + 4.0;

    let span = f64::from(last.since(from) + 1);
    let x_of = |day: Day, end: bool| {
        let at = f64::from(day.since(from) + i32::from(end));
        LEFT + (right - LEFT) * at / span
    };
    let y_of = |n: f64| bottom - plot * n / ceiling;
    let ticks = months(from, last, &text.months);

    let mut markup = String::new();
    {
        use plotters::backend::SVGBackend;
        let root = SVGBackend::with_string(&mut markup, (WIDTH as u32, height.ceil() as u32))
            .into_drawing_area();
        let grid = RGBColor(228, 228, 228);
        let lines = (ceiling / step).round() as i32;
        let mut chart = ChartBuilder::on(&root)
            .margin_left(LEFT as i32)
            .margin_right((WIDTH - right) as i32)
            .margin_top(top as i32)
            .margin_bottom((height.ceil() - bottom) as i32)
            .build_cartesian_2d(0.0..span, 0.0..ceiling)
            .ok()?;
        let across = (0..=lines).map(|i| {
            let n = f64::from(i) * step;
            vec![(0.0, n), (span, n)]
        });
        let down = ticks.iter().map(|(day, _)| {
            let x = f64::from(day.since(from));
            vec![(x, 0.0), (x, ceiling)]
        });
        chart
            .draw_series(across.chain(down).map(|line| PathElement::new(line, grid)))
            .ok()?;
        for (index, site) in sites.iter().enumerate() {
            let mut points = vec![(f64::from(site.opened.since(from)), 0.0)];
            for (n, day) in site.days.iter().enumerate() {
                let x = f64::from(day.since(from)) + 0.5;
                points.push((x, n as f64));
                points.push((x, n as f64 + 1.0));
            }
            points.push((span, site.days.len() as f64));
            chart
                .draw_series([PathElement::new(points, colour(index).stroke_width(2))])
                .ok()?;
        }
        let mut y = lanes_top;
        for (index, (site, lane_height)) in sites.iter().zip(&lane_heights).enumerate() {
            let (upper, lower) = (y as i32, (y + LANE) as i32);
            let bar = |from: f64, to: f64| [(from as i32, upper), ((to.ceil()) as i32, lower)];
            root.draw(&Rectangle::new(
                bar(x_of(site.opened, false), right),
                RGBColor(238, 238, 238).filled(),
            ))
            .ok()?;
            for (first, end) in &site.closed {
                let area = bar(
                    x_of((*first).max(from), false),
                    x_of((*end).min(last), true),
                );
                root.draw(&Rectangle::new(area, colour(index).filled()))
                    .ok()?;
            }
            y += lane_height;
        }
        root.present().ok()?;
    }

    let mut canvas = Canvas::new(WIDTH);
    canvas.marks(inside(&markup));
    canvas.text(
        0.0,
        14.0,
        &text.heading,
        (SIZE, Weight::Bold, Anchor::Start, INK),
    );
    for i in 0..=(ceiling / step).round() as i32 {
        let n = f64::from(i) * step;
        canvas.text(
            LEFT - 7.0,
            y_of(n) + 4.0,
            &format!("{n:.0}"),
            (SIZE, Weight::Normal, Anchor::End, MUTED),
        );
    }
    canvas.path(&[(LEFT, bottom), (right, bottom)], MUTED, 1.0);
    let mut free = f64::NEG_INFINITY;
    for (day, label) in &ticks {
        let x = x_of(*day, false);
        let half = width(label, SIZE, Weight::Normal) / 2.0;
        canvas.path(&[(x, bottom), (x, bottom + 4.0)], MUTED, 1.0);
        if x - half < free || x + half > WIDTH {
            continue;
        }
        free = x + half + 6.0;
        canvas.text(
            x.max(half),
            bottom + 18.0,
            label,
            (SIZE, Weight::Normal, Anchor::Middle, MUTED),
        );
    }
    let wishes: Vec<Label> = sites
        .iter()
        .zip(&labels)
        .map(|(site, lines)| Label {
            wanted: y_of(site.days.len() as f64),
            height: lines.len() as f64 * LEADING + 2.0,
        })
        .collect();
    let centres = spread(&wishes, top - 8.0, bottom + 8.0);
    for (index, ((lines, wish), centre)) in labels.iter().zip(&wishes).zip(&centres).enumerate() {
        let ink = hex(index);
        canvas.path(
            &[
                (right + 1.0, wish.wanted),
                (right + LABEL_GAP - 4.0, *centre),
            ],
            &ink,
            1.0,
        );
        let first = centre - (lines.len() as f64 - 1.0) * LEADING / 2.0 + 4.0;
        for (i, line) in lines.iter().enumerate() {
            canvas.text(
                right + LABEL_GAP,
                first + i as f64 * LEADING,
                line,
                (SIZE, Weight::Bold, Anchor::Start, &ink),
            );
        }
    }
    canvas.text(
        0.0,
        lanes_top - 14.0,
        &text.lanes,
        (SIZE, Weight::Bold, Anchor::Start, INK),
    );
    let mut y = lanes_top;
    for (lines, lane_height) in lanes.iter().zip(&lane_heights) {
        for (i, line) in lines.iter().enumerate() {
            canvas.text(
                right + LABEL_GAP,
                y + 9.0 + i as f64 * LEADING,
                line,
                (SIZE, Weight::Normal, Anchor::Start, INK),
            );
        }
        y += lane_height;
    }
    Some((canvas, height))
}

/// What stands between the outer tags of a drawing.
pub(super) fn inside(markup: &str) -> &str {
    let start = markup.find('>').map_or(0, |at| at + 1);
    let end = markup.rfind("</svg>").unwrap_or(markup.len());
    markup.get(start..end).unwrap_or_default().trim_start()
}

#[cfg(test)]
mod tests {
    use super::{Label, nice_step, spread};
    use proptest::prelude::{prop, prop_assert, proptest};

    #[test]
    fn steps_are_round() {
        for (most, step) in [
            (1.0, 1.0),
            (6.0, 1.0),
            (7.0, 2.0),
            (68.0, 20.0),
            (712.0, 200.0),
        ] {
            assert!((nice_step(most) - step).abs() < 1e-9, "{most}");
        }
    }

    proptest! {
        #[test]
        fn labels_never_overlap(wishes in prop::collection::vec((0.0..300.0_f64, 10.0..40.0_f64), 0..20)) {
            let labels: Vec<Label> =
                wishes.iter().map(|(wanted, height)| Label { wanted: *wanted, height: *height }).collect();
            let room: f64 = labels.iter().map(|l| l.height).sum::<f64>().max(300.0);
            let centres = spread(&labels, 0.0, room);
            let mut placed: Vec<(f64, f64)> = centres.iter().zip(&labels)
                .map(|(c, l)| (c - l.height / 2.0, c + l.height / 2.0)).collect();
            placed.sort_by(|a, b| a.0.total_cmp(&b.0));
            prop_assert!(placed.windows(2).all(|w| w[0].1 <= w[1].0 + 1e-6));
            prop_assert!(placed.iter().all(|p| p.0 >= -1e-6 && p.1 <= room + 1e-6));
        }
    }
}
