//! A figure over the calendar months of enrolment: a curve per cell, cells with the same course as one.

use super::chart::{Chart, Curve, Shape, Value, draw as draw_chart};
use super::figures::{SimulatedFigure, pick};
use super::{Planning, plus_minus, shown};
use crate::diagnostic::{Lang, Words};
use crate::planning::performance::Figure as Number;
use crate::planning::simulate::CellPerformance;
use crate::protocol::model::Day;
use crate::report::Grid;
use crate::report::figures::Figure;
use crate::words;

/// Most curves of one figure: more could not be told apart.
const CURVES: usize = 6;

/// A course, and the cells that have it.
struct Course<'a> {
    names: Vec<String>,
    cell: &'a CellPerformance,
    values: &'a [Number],
}

/// Draws it; `None` where no month was simulated.
pub(super) fn draw(
    entry: &SimulatedFigure,
    of: fn(&CellPerformance) -> &[Number],
    planning: &Planning<'_>,
    lang: Lang,
) -> Option<Figure> {
    let mut courses: Vec<Course<'_>> = Vec::new();
    for cell in planning.cells {
        let (values, ends) = (of(cell), &cell.month_ends);
        let name = cell.cell.clone();
        let same = |own: &&mut Course<'_>| own.values == values && own.cell.month_ends == *ends;
        match courses.iter_mut().find(same) {
            Some(own) => own.names.push(name),
            None => courses.push(Course {
                names: vec![name],
                cell,
                values,
            }),
        }
    }
    courses.retain(|own| own.values.iter().any(|value| value.value.is_some()));
    let left_out = courses.len().saturating_sub(CURVES);
    courses.truncate(CURVES);
    let first = courses.first()?;
    let months = first.cell.month_ends.first().and_then(|end| end.date());
    let months = months.map_or_else(String::new, |end| {
        format!("{:04}-{:02}", end.year(), end.month())
    });
    let axis = words!(
        "calendar months, the first is {months}",
        "kalendermånader, den första är {months}"
    );
    let name = |own: &Course<'_>| match own.names.len() {
        0 | 1 => own.names.concat(),
        more => {
            let (first, others) = (&own.names[0], more - 1);
            let said = words!(
                "{first} and {others} alike",
                "{first} och {others} likadana"
            );
            said.get(lang).to_owned()
        }
    };
    let target = planning.protocol.sample_size.target;
    let chart = Chart {
        axis: pick(entry.axis, lang).to_owned(),
        limits: (0.0, f64::INFINITY),
        from_nothing: false,
        reference: Some((
            f64::from(target),
            words!("target {target}", "mål {target}")
                .get(lang)
                .to_owned(),
        )),
        shape: Shape::Curves(
            axis.get(lang).to_owned(),
            courses
                .iter()
                .map(|own| Curve {
                    name: name(own),
                    points: points(own.values),
                })
                .collect(),
        ),
    };
    let title = pick(entry.title, lang).to_owned();
    let desc = describe(entry, &courses, (left_out, &name), lang);
    let named: Vec<(String, &Course<'_>)> = courses.iter().map(|own| (name(own), own)).collect();
    let table = table(&title, &named, lang);
    let (canvas, height) = draw_chart(&chart, lang);
    Some(Figure {
        id: entry.id,
        svg: canvas.finish(height, entry.id, &title, &desc),
        title,
        desc,
        table: Some(table),
    })
}

/// Nobody before the first month, then a point at the end of each.
fn points(values: &[Number]) -> Vec<(f64, Value)> {
    let none = Value {
        value: 0.0,
        error: 0.0,
    };
    let ends = values.iter().zip(1_u32..).filter_map(|(own, month)| {
        let error = own.mcse.unwrap_or(0.0);
        Some((
            f64::from(month),
            Value {
                value: own.value?,
                error,
            },
        ))
    });
    std::iter::once((0.0, none)).chain(ends).collect()
}

fn describe(
    entry: &SimulatedFigure,
    courses: &[Course<'_>],
    (left_out, name): (usize, &dyn Fn(&Course<'_>) -> String),
    lang: Lang,
) -> String {
    let mut sentences = vec![format!("{}.", pick(entry.axis, lang))];
    for own in courses {
        let (Some(end), Some(last)) = (own.cell.month_ends.last(), own.values.last()) else {
            continue;
        };
        let date = end.date().map_or_else(String::new, |date| date.to_string());
        let [value, error] = shown(last.value.unwrap_or(0.0), last.mcse.unwrap_or(0.0), lang);
        let name = name(own);
        sentences.push(format!("{name}, {date}: {value} ± {error}."));
    }
    if left_out > 0 {
        let more = words!(
            "{left_out} more cells are in performance.json.",
            "{left_out} celler till finns i performance.json."
        );
        sentences.push(more.get(lang).to_owned());
    }
    sentences.join(" ")
}

/// A row per month, a column per course.
fn table(title: &str, courses: &[(String, &Course<'_>)], lang: Lang) -> Grid {
    let mut head = vec![
        Words::new("month ends", "månaden slutar")
            .get(lang)
            .to_owned(),
    ];
    // A long path may be broken after its signs, and not within a word.
    let broken = |(name, _): &(String, &Course<'_>)| -> String {
        let pieces = name.split_inclusive(['.', ',', '_', '=']);
        pieces.collect::<Vec<&str>>().join("\u{200b}")
    };
    head.extend(courses.iter().map(broken));
    let mut grid = Grid::numbers(title, head);
    let mut ends: Vec<Day> = courses
        .iter()
        .flat_map(|(_, own)| own.cell.month_ends.iter().copied())
        .collect();
    ends.sort_unstable();
    ends.dedup();
    for end in ends {
        let of = |own: &Course<'_>| {
            let place = own.cell.month_ends.iter().position(|other| *other == end);
            place.and_then(|place| own.values.get(place).copied())
        };
        let row = courses
            .iter()
            .map(|(_, own)| plus_minus(of(own).unwrap_or_default(), lang));
        let date = end.date().map_or_else(String::new, |date| date.to_string());
        grid.row(date, row.collect());
    }
    grid
}
