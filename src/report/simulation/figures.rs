//! Figures of a planning report, one entry each: what is drawn over the cells, and the table of the same numbers.

use super::chart::{Chart, Curve, Row, Shape, Value, draw};
use super::{Planning, level, months, shown};
use crate::diagnostic::{Lang, Words};
use crate::planning::performance::{AnalysisPerformance, Figure as Number};
use crate::planning::simulate::CellPerformance;
use crate::report::Grid;
use crate::report::figures::Figure;
use crate::words;

/// A registered figure of a planning report.
#[derive(Debug, Clone, Copy)]
pub struct SimulatedFigure {
    /// Identifier, kebab-case.
    pub id: &'static str,
    pub(super) title: (&'static str, &'static str),
    pub(super) axis: (&'static str, &'static str),
    of: Of,
    /// Whether values are shares, drawn as percent.
    percent: bool,
    reference: Option<Reference>,
}

/// What all values are compared with.
#[derive(Debug, Clone, Copy)]
enum Reference {
    At(f64, &'static str, &'static str),
    /// The level of the intervals, where all have the same.
    Level,
}

/// Where the value is taken from.
#[derive(Debug, Clone, Copy)]
enum Of {
    Analysis(fn(&AnalysisPerformance) -> Number),
    Study(fn(&CellPerformance) -> Number),
    /// One value by the end of each calendar month of enrolment.
    Months(fn(&CellPerformance) -> &[Number]),
}

/// How long gates are closed: none at all is the best that there is.
const DAYS_CLOSED: &str = "days-closed";

/// All figures of a planning report.
pub const SIMULATED_FIGURES: &[SimulatedFigure] = &[
    SimulatedFigure {
        id: "power",
        title: ("Power", "Styrka"),
        axis: (
            "studies that reject, per cent",
            "studier som förkastar, procent",
        ),
        of: Of::Analysis(|own| own.power),
        percent: true,
        reference: Some(Reference::At(80.0, "80 %", "80 %")),
    },
    SimulatedFigure {
        id: "assurance",
        title: ("Assurance", "Assurance"),
        axis: (
            "studies that reject, per cent, averaged over the priors",
            "studier som förkastar, procent, i medeltal över priorerna",
        ),
        of: Of::Analysis(|own| own.assurance.unwrap_or_default()),
        percent: true,
        reference: None,
    },
    SimulatedFigure {
        id: "bias",
        title: ("Bias", "Skevhet"),
        axis: (
            "mean of estimate − true effect",
            "medelvärde av skattning − sann effekt",
        ),
        of: Of::Analysis(|own| own.bias),
        percent: false,
        reference: Some(Reference::At(0.0, "no bias", "ingen skevhet")),
    },
    SimulatedFigure {
        id: "coverage",
        title: ("Coverage of the intervals", "Intervallens täckning"),
        axis: (
            "intervals that hold the true effect, per cent",
            "intervall som innehåller den sanna effekten, procent",
        ),
        of: Of::Analysis(|own| own.coverage),
        percent: true,
        reference: Some(Reference::Level),
    },
    SimulatedFigure {
        id: "families",
        title: ("Families randomized", "Lottade familjer"),
        axis: ("families per study", "familjer per studie"),
        of: Of::Study(|own| own.studies.families),
        percent: false,
        reference: None,
    },
    SimulatedFigure {
        id: "reached",
        title: (
            "Families randomized, month by month",
            "Lottade familjer, månad för månad",
        ),
        axis: (
            "families randomized by the end of the month",
            "lottade familjer vid månadens slut",
        ),
        of: Of::Months(|own| &own.studies.reached),
        percent: false,
        reference: None,
    },
    SimulatedFigure {
        id: DAYS_CLOSED,
        title: ("Days with a closed gate", "Dagar med intagsstopp"),
        axis: (
            "days per study, over all sites",
            "dagar per studie, över alla enheter",
        ),
        of: Of::Study(|own| own.studies.days_closed),
        percent: false,
        reference: None,
    },
];

pub(super) fn pick(words: (&'static str, &'static str), lang: Lang) -> &'static str {
    match lang {
        Lang::En => words.0,
        Lang::Sv => words.1,
    }
}

/// A value of a cell, by the name of its analysis; `None` for a figure of the study as a whole.
struct Point<'a> {
    cell: &'a CellPerformance,
    alternative: Option<&'a str>,
    analysis: Option<&'a str>,
    number: Number,
}

impl SimulatedFigure {
    /// Whether it shows the course over months, whose numbers are in no other table.
    pub(super) fn is_over_months(&self) -> bool {
        matches!(self.of, Of::Months(_))
    }

    /// Draws it; `None` where no cell has a value, or what is counted never happens.
    pub fn draw(&self, planning: &Planning<'_>, lang: Lang) -> Option<Figure> {
        if let Of::Months(of) = self.of {
            return months::draw(self, of, planning, lang);
        }
        let points = self.points(planning);
        // Where nothing of the kind can happen, as without a gate, there is nothing to see.
        let nothing = |point: &Point<'_>| {
            let number = point.number;
            [number.value, number.mcse]
                .iter()
                .flatten()
                .all(|own| own.abs() <= 0.0)
        };
        let counted = matches!(self.of, Of::Study(_));
        if points.is_empty() || (counted && points.iter().all(nothing)) {
            return None;
        }
        let chart = Chart {
            axis: pick(self.axis, lang).to_owned(),
            limits: match self.of {
                _ if self.percent => (0.0, 100.0),
                Of::Study(_) | Of::Months(_) => (0.0, f64::INFINITY),
                Of::Analysis(_) => (f64::NEG_INFINITY, f64::INFINITY),
            },
            from_nothing: self.id == DAYS_CLOSED,
            reference: self.reference_line(planning, lang),
            shape: self.shape(planning, &points, lang),
        };
        let title = self.titled(planning, lang);
        let table = self.table(&points, &title, lang);
        let desc = self.describe(&points, lang);
        let (canvas, height) = draw(&chart, lang);
        Some(Figure {
            id: self.id,
            svg: canvas.finish(height, self.id, &title, &desc),
            title,
            desc,
            table: Some(table),
        })
    }

    /// The title, which names the level that intervals are compared with.
    fn titled(&self, planning: &Planning<'_>, lang: Lang) -> String {
        let Some(Reference::Level) = self.reference else {
            return pick(self.title, lang).to_owned();
        };
        let own = match level::shared(planning.cells) {
            Some(level) => {
                let level = level::per_cent(level, lang);
                words!(
                    "Coverage of the {level} % intervals",
                    "Täckning för {level} %-intervallen"
                )
            }
            None => Words::new(
                "Coverage of the intervals at the registered level of each",
                "Intervallens täckning, vart och ett på sin registrerade nivå",
            ),
        };
        own.get(lang).to_owned()
    }

    fn reference_line(&self, planning: &Planning<'_>, lang: Lang) -> Option<(f64, String)> {
        match self.reference? {
            Reference::At(value, en, sv) => Some((value, pick((en, sv), lang).to_owned())),
            Reference::Level => {
                let level = level::shared(planning.cells)?;
                let name = format!("{} %", level::per_cent(level, lang));
                Some((100.0 * level, name))
            }
        }
    }

    fn points<'a>(&self, planning: &Planning<'a>) -> Vec<Point<'a>> {
        let mut points = Vec::new();
        for (place, cell) in planning.cells.iter().enumerate() {
            let alternative = planning.alternative(place);
            match self.of {
                Of::Study(of) => points.push(Point {
                    cell,
                    alternative,
                    analysis: None,
                    number: of(cell),
                }),
                Of::Months(_) => {}
                Of::Analysis(of) => points.extend(cell.analyses.iter().map(|(id, own)| Point {
                    cell,
                    alternative,
                    analysis: Some(id),
                    number: of(own),
                })),
            }
        }
        points.retain(|point| point.number.value.is_some());
        points
    }

    fn value(&self, number: Number) -> Value {
        let scale = if self.percent { 100.0 } else { 1.0 };
        Value {
            value: scale * number.value.unwrap_or(0.0),
            error: scale * number.mcse.unwrap_or(0.0),
        }
    }

    fn shape(&self, planning: &Planning<'_>, points: &[Point<'_>], lang: Lang) -> Shape {
        let Some(axis) = numeric_axis(planning.cells) else {
            let row = |point: &Point<'_>| Row {
                label: name(point),
                value: self.value(point.number),
            };
            return Shape::Rows(points.iter().map(row).collect());
        };
        let mut curves: Vec<Curve> = Vec::new();
        for point in points {
            let Some(x) = parameter(point.cell, &axis) else {
                continue;
            };
            let rest: Vec<String> = point
                .cell
                .parameters
                .iter()
                .filter(|(key, _)| *key != axis)
                .map(|(key, value)| format!("{key}={value}"))
                .chain(point.alternative.map(str::to_owned))
                .chain(point.analysis.map(str::to_owned))
                .collect();
            let mut name = rest.join(", ");
            if name.is_empty() && !planning.alternatives.is_empty() {
                pick(("as it is", "som det är"), lang).clone_into(&mut name);
            }
            let own = (x, self.value(point.number));
            match curves.iter_mut().find(|curve| curve.name == name) {
                Some(curve) => curve.points.push(own),
                None => curves.push(Curve {
                    name,
                    points: vec![own],
                }),
            }
        }
        for curve in &mut curves {
            curve.points.sort_by(|a, b| a.0.total_cmp(&b.0));
        }
        Shape::Curves(axis, apart(curves, lang))
    }

    fn table(&self, points: &[Point<'_>], title: &str, lang: Lang) -> Grid {
        let head = |en: &str, sv: &str| Words::new(en, sv).get(lang).to_owned();
        let mut grid = Grid::numbers(
            title,
            vec![
                head("cell", "cell"),
                pick(self.axis, lang).to_owned(),
                head("Monte Carlo standard error", "Monte Carlo-medelfel"),
            ],
        );
        for point in points {
            let [value, error] = self.shown(point.number, lang);
            grid.row(name(point), vec![value, error]);
        }
        grid
    }

    fn shown(&self, number: Number, lang: Lang) -> [String; 2] {
        let Value { value, error } = self.value(number);
        shown(value, error, lang)
    }

    fn describe(&self, points: &[Point<'_>], lang: Lang) -> String {
        let mut sentences = vec![format!("{}.", pick(self.axis, lang))];
        for point in points {
            let [value, error] = self.shown(point.number, lang);
            sentences.push(format!("{}: {value} ± {error}.", name(point)));
        }
        sentences.join(" ")
    }
}

/// The curves that can be seen apart: those of the same points, such as of an alternative that changes the cost alone, are one line,
/// which says how many it stands for.
fn apart(curves: Vec<Curve>, lang: Lang) -> Vec<Curve> {
    let mut seen: Vec<(Curve, usize)> = Vec::new();
    for curve in curves {
        match seen.iter_mut().find(|(own, _)| own.points == curve.points) {
            Some((_, alike)) => *alike += 1,
            None => seen.push((curve, 0)),
        }
    }
    let named = |(mut curve, alike): (Curve, usize)| {
        if alike > 0 {
            let name = &curve.name;
            let said = words!("{name} and {alike} alike", "{name} och {alike} likadana");
            said.get(lang).clone_into(&mut curve.name);
        }
        curve
    };
    seen.into_iter().map(named).collect()
}

fn name(point: &Point<'_>) -> String {
    match point.analysis {
        Some(analysis) if point.cell.analyses.len() > 1 => {
            format!("{} · {analysis}", point.cell.cell)
        }
        _ => point.cell.cell.clone(),
    }
}

fn parameter(cell: &CellPerformance, key: &str) -> Option<f64> {
    let (_, value) = cell.parameters.iter().find(|(own, _)| own == key)?;
    value
        .as_float()
        .or_else(|| value.as_integer().map(|whole| whole as f64))
}

/// The first parameter that is a number in every cell and takes three values or more: cells are then points of curves.
fn numeric_axis(cells: &[CellPerformance]) -> Option<String> {
    let first = cells.first()?;
    let is_axis = |key: &String| {
        let values: Option<Vec<f64>> = cells.iter().map(|cell| parameter(cell, key)).collect();
        values.is_some_and(|mut values| {
            values.sort_by(f64::total_cmp);
            values.dedup();
            values.len() >= 3
        })
    };
    let mut keys = first.parameters.iter().map(|(key, _)| key);
    keys.find(|key| is_axis(key)).cloned()
}

#[cfg(test)]
mod tests {
    use super::super::chart::{Chart, Curve, Row, Shape, Value, draw};
    use super::apart;
    use crate::diagnostic::Lang;

    fn value(value: f64) -> Value {
        Value { value, error: 1.0 }
    }

    /// By hand: of three curves two have the same points, and are one line with a name that says so.
    #[test]
    fn curves_that_hide_each_other_are_one() {
        let curve = |name: &str, last: f64| Curve {
            name: name.to_owned(),
            points: vec![(1.0, value(10.0)), (2.0, value(last))],
        };
        let all = vec![curve("as it is", 20.0), curve("a", 21.0), curve("b", 20.0)];
        let names = |lang| {
            let shown = apart(all.clone(), lang).into_iter();
            shown.map(|own| own.name).collect::<Vec<_>>()
        };
        assert_eq!(names(Lang::En), ["as it is and 1 alike", "a"]);
        assert_eq!(names(Lang::Sv), ["as it is och 1 likadana", "a"]);
    }

    /// By hand: 50 and 60 days, whose axis would begin at 40 or above, begin at 0 where that is asked for, in rows and in curves.
    #[test]
    fn an_axis_begins_with_nothing_where_that_is_asked_for() {
        let row = |own: f64| Row {
            label: own.to_string(),
            value: value(own),
        };
        let curve = Curve {
            name: String::new(),
            points: vec![(1.0, value(50.0)), (2.0, value(60.0))],
        };
        for shape in [
            Shape::Rows(vec![row(50.0), row(60.0)]),
            Shape::Curves("x".to_owned(), vec![curve]),
        ] {
            for from_nothing in [false, true] {
                let chart = Chart {
                    axis: "days".to_owned(),
                    limits: (0.0, f64::INFINITY),
                    from_nothing,
                    reference: None,
                    shape: shape.clone(),
                };
                let (canvas, height) = draw(&chart, Lang::En);
                let svg = canvas.finish(height, "id", "title", "desc");
                assert_eq!(svg.contains(">0</text>"), from_nothing, "{svg}");
            }
        }
    }
}
