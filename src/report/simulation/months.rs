//! A figure over the calendar months of enrolment: a curve per cell, cells with the same course as one.

use super::chart::{Chart, Curve, Shape, Value, draw as draw_chart};
use super::figures::{SimulatedFigure, pick};
use super::{Planning, shown};
use crate::diagnostic::{Lang, Words};
use crate::planning::performance::Figure as Number;
use crate::planning::simulate::CellPerformance;
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
    for (place, cell) in planning.cells.iter().enumerate() {
        let (values, ends) = (of(cell), &cell.month_ends);
        let name = match planning.alternative(place) {
            Some(alternative) => format!("{} · {alternative}", cell.cell),
            None => cell.cell.clone(),
        };
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
    let table = table(&title, entry, &courses, lang);
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

fn table(title: &str, entry: &SimulatedFigure, courses: &[Course<'_>], lang: Lang) -> Grid {
    let head = |en: &str, sv: &str| Words::new(en, sv).get(lang).to_owned();
    let mut grid = Grid::numbers(
        title,
        vec![
            head("cell · month ends", "cell · månaden slutar"),
            pick(entry.axis, lang).to_owned(),
            head("Monte Carlo standard error", "Monte Carlo-medelfel"),
        ],
    );
    for own in courses {
        for (end, figure) in own.cell.month_ends.iter().zip(own.values) {
            let date = end.date().map_or_else(String::new, |date| date.to_string());
            let [value, error] = shown(
                figure.value.unwrap_or(0.0),
                figure.mcse.unwrap_or(0.0),
                lang,
            );
            let name = own.names.join("; ");
            grid.row(format!("{name} · {date}"), vec![value, error]);
        }
    }
    grid
}
