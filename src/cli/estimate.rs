//! `lottning estimate`.

use clap::Args;

use crate::app::Failure;
use crate::app::estimate::{self, Estimated, Request};
use crate::diagnostic::{Lang, Words};
use crate::estimation::{ESTIMATORS, Estimate as Row};
use crate::words;

use super::dialect::Dialect;
use super::output::{Cell, Document, Grid, Shown, decimals_for, number};
use super::session::Session;

/// Arguments of `estimate`.
#[derive(Debug, Args)]
#[command(after_help = estimators(Lang::En))]
pub(super) struct Estimate {
    /// A CSV file with one row a unit; - reads standard input
    #[arg(required_unless_present = "counts")]
    data: Option<String>,

    /// Two-by-two data without a file: events/units, treated first
    #[arg(long, value_name = "X1/N1,X0/N0", conflicts_with_all = ["data", "arm", "outcome"])]
    counts: Option<String>,

    /// Which estimator
    #[arg(long, value_name = "ID")]
    estimator: String,

    #[command(flatten)]
    columns: ColumnNames,

    #[command(flatten)]
    options: Options,

    #[command(flatten)]
    dialect: Dialect,
}

/// The columns.
#[derive(Debug, Args)]
#[command(next_help_heading = "Columns")]
struct ColumnNames {
    /// The arm of each unit
    #[arg(long, value_name = "COL")]
    arm: Option<String>,

    /// The level of the arm that is compared with
    #[arg(long, value_name = "LEVEL")]
    control: Option<String>,

    /// The level of the arm whose effect is asked for (needed with more than two)
    #[arg(long, value_name = "LEVEL")]
    treated: Option<String>,

    /// The outcome
    #[arg(long, value_name = "COL")]
    outcome: Option<String>,

    /// Baseline covariates; a column that holds anything but numbers is a factor
    #[arg(long, value_name = "A,B", value_delimiter = ',')]
    covariates: Vec<String>,

    /// Randomization strata; several are crossed
    #[arg(long, value_name = "A,B", value_delimiter = ',')]
    strata: Vec<String>,

    /// Clusters
    #[arg(long, value_name = "COL")]
    cluster: Option<String>,

    /// Sampling weights, above 0; only their ratios matter
    #[arg(long, value_name = "COL")]
    weights: Option<String>,

    /// The arm that was received
    #[arg(long, value_name = "COL")]
    received: Option<String>,

    /// Exposure of a count
    #[arg(long, value_name = "COL")]
    exposure: Option<String>,

    /// Time to the event or the end of follow-up
    #[arg(long, value_name = "COL")]
    time: Option<String>,

    /// Whether the event happened
    #[arg(long, value_name = "COL")]
    event: Option<String>,

    /// Time of entry
    #[arg(long, value_name = "COL")]
    entry: Option<String>,

    /// Whose rows belong together
    #[arg(long, value_name = "COL")]
    id: Option<String>,
}

/// The options of estimators.
#[derive(Debug, Args)]
#[command(next_help_heading = "How to estimate")]
struct Options {
    /// classical, hc0 to hc3 [default: hc2]; with clusters cr0 to cr3 [default: cr2]
    #[arg(long)]
    variance: Option<String>,

    /// bell-mccaffrey (default with hc2), satterthwaite (default with cr2 and cr3), residual, normal, welch
    #[arg(long)]
    df: Option<String>,

    /// miettinen-nurminen (default), mee, newcombe, wald, agresti-caffo
    #[arg(long)]
    interval: Option<String>,

    /// The scale of the effect
    #[arg(long)]
    measure: Option<String>,

    /// Confidence level [default: 0.95]
    #[arg(long, allow_negative_numbers = true)]
    level: Option<f64>,

    /// Horizon of follow-up
    #[arg(long, value_name = "T", allow_negative_numbers = true)]
    horizon: Option<f64>,

    /// efron (default), breslow
    #[arg(long)]
    ties: Option<String>,

    /// central (default), minlike
    #[arg(long, value_name = "P")]
    p_value: Option<String>,

    /// Range of a bounded outcome
    #[arg(long, value_name = "MIN,MAX", allow_hyphen_values = true)]
    range: Option<String>,

    /// Fit the arms apart
    #[arg(long)]
    interacted: bool,

    /// Redraws [default: 10000]
    #[arg(long, value_name = "R")]
    draws: Option<u64>,

    /// Seed of redraws [default: 1]
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
}

/// The list of estimators under the help.
pub(super) fn estimators(lang: Lang) -> String {
    let heading = Words::new("Estimators:\n", "Skattningsmetoder:\n");
    let mut text = heading.get(lang).to_owned();
    for entry in ESTIMATORS {
        text.push_str("  ");
        text.push_str(entry.id);
        text.push_str(": ");
        text.push_str(match lang {
            Lang::En => entry.about,
            Lang::Sv => entry.about_sv,
        });
        text.push('\n');
    }
    text.pop();
    text
}

impl Estimate {
    /// The estimate as rows of `lottning.estimates/1`.
    pub(super) fn run(&self, session: &Session) -> Result<Document, Failure> {
        if self.counts.is_some() {
            self.dialect.without_table("DATA.csv")?;
        }
        let estimated = estimate::estimate(&session.outside, &self.request())?;
        let rows = &estimated.answer.results;
        Ok(Document::new("estimates/1", &estimated.body(session.lang))?
            .text(title(&estimated))
            .grid(people(rows))
            .csv(machine(rows)))
    }

    fn request(&self) -> Request {
        let (columns, options) = (&self.columns, &self.options);
        Request {
            estimator: self.estimator.clone(),
            data: self.data.clone(),
            counts: self.counts.clone(),
            dialect: self.dialect.text(),
            arm: columns.arm.clone(),
            control: columns.control.clone(),
            treated: columns.treated.clone(),
            outcome: columns.outcome.clone(),
            covariates: names(&columns.covariates),
            strata: names(&columns.strata),
            cluster: columns.cluster.clone(),
            weights: columns.weights.clone(),
            variance: options.variance.clone(),
            df: options.df.clone(),
            interval: options.interval.clone(),
            measure: options.measure.clone(),
            level: options.level,
            received: columns.received.clone(),
            exposure: columns.exposure.clone(),
            time: columns.time.clone(),
            event: columns.event.clone(),
            entry: columns.entry.clone(),
            id: columns.id.clone(),
            horizon: options.horizon,
            ties: options.ties.clone(),
            p_value: options.p_value.clone(),
            range: options.range.clone(),
            interacted: options.interacted,
            draws: options.draws,
            seed: options.seed,
        }
    }
}

/// Names of a list, without the spaces around them and without empty ones.
fn names(list: &[String]) -> Vec<String> {
    list.iter()
        .map(|name| name.trim().to_owned())
        .filter(|name| !name.is_empty())
        .collect()
}

fn title(estimated: &Estimated) -> Words {
    let entry = estimated.entry;
    let (id, en, sv) = (entry.id, entry.about, entry.about_sv);
    words!("{id}: {en}", "{id}: {sv}")
}

/// The table for people: decimals follow the standard error.
fn people(rows: &[Row]) -> Grid {
    let level = rows.first().map_or(0.95, |row| row.level);
    let percent = |lang| {
        let percent = 100.0 * level;
        let whole = (percent - percent.round()).abs() < 1e-9;
        number(percent, Shown::Decimals(usize::from(!whole)), lang)
    };
    let (level_en, level_sv) = (percent(Lang::En), percent(Lang::Sv));
    let mut grid = Grid::new()
        .column("term", Words::new("comparison", "jämförelse"))
        .column("measure", Words::new("measure", "mått"))
        .column("estimate", Words::new("estimate", "skattning"))
        .column("std_error", Words::new("std. error", "medelfel"))
        .column(
            "interval",
            words!("{level_en} % interval", "{level_sv} % intervall"),
        )
        .column("statistic", Words::new("statistic", "teststatistika"))
        .column("df", Words::new("df", "frihetsgrader"))
        .column("p_value", Words::new("p-value", "p-värde"))
        .column("n_treated", Words::new("n treated", "n behandlade"))
        .column("n_control", Words::new("n control", "n kontroll"))
        .column("variance", Words::new("variance", "varians"))
        .column("kind", Words::new("interval", "intervall"));
    for row in rows {
        let shown = decimals_for(row.std_error);
        let interval = match (row.conf_low, row.conf_high) {
            (Some(low), Some(high)) => {
                let limit = |value, lang| number(value, shown, lang);
                let (low_en, high_en) = (limit(low, Lang::En), limit(high, Lang::En));
                let (low_sv, high_sv) = (limit(low, Lang::Sv), limit(high, Lang::Sv));
                Cell::Words(words!("{low_en} to {high_en}", "{low_sv} till {high_sv}"))
            }
            (None, None) => unbounded(row, shown),
            (low, high) => half_open(row, (low, high), shown),
        };
        grid.row([
            Cell::text(&row.term),
            Cell::text(&row.measure),
            Cell::number(row.estimate, shown),
            Cell::number(row.std_error, shown),
            interval,
            Cell::number(row.statistic, Shown::Decimals(2)),
            Cell::number(row.df, Shown::Decimals(1)),
            Cell::number(row.p_value, Shown::PValue),
            Cell::count(row.n_treated),
            Cell::count(row.n_control),
            Cell::text(&row.variance),
            Cell::text(&row.interval),
        ]);
    }
    grid.without_empty_columns()
}

/// An interval with one end: the other is infinite, or 0 on a scale of ratios.
fn half_open(row: &Row, (low, high): (Option<f64>, Option<f64>), shown: Shown) -> Cell {
    let lowest = if row.std_error_scale == "log" {
        "0"
    } else {
        "−∞"
    };
    let ends = |lang| {
        let text = |value: Option<f64>, open: &str| {
            value.map_or_else(|| open.to_owned(), |value| number(value, shown, lang))
        };
        (text(low, lowest), text(high, "∞"))
    };
    let ((low_en, high_en), (low_sv, high_sv)) = (ends(Lang::En), ends(Lang::Sv));
    Cell::Words(words!("{low_en} to {high_en}", "{low_sv} till {high_sv}"))
}

/// A set of effects that is no interval, in words; empty when there is none.
pub(super) fn unbounded(row: &Row, shown: Shown) -> Cell {
    let text = |key: &str| row.extra.get(key).and_then(serde_json::Value::as_str);
    let end = |key: &str, lang| {
        let value = row.extra.get(key).and_then(serde_json::Value::as_f64);
        value.map_or_else(|| "∞".to_owned(), |value| number(value, shown, lang))
    };
    match text("set") {
        Some("two rays") => {
            let [to, from] =
                ["ray_to", "ray_from"].map(|key| [Lang::En, Lang::Sv].map(|l| end(key, l)));
            let ([to_en, to_sv], [from_en, from_sv]) = (to, from);
            Cell::Words(words!(
                "up to {to_en}, and from {from_en}",
                "till {to_sv}, och från {from_sv}"
            ))
        }
        Some("line") => Cell::Words(Words::new("any number", "alla tal")),
        // A shift that no rank test rejects has no end on either side.
        _ if row.measure == "shift" => Cell::Words(Words::new("any number", "alla tal")),
        _ => Cell::Empty,
    }
}

/// The CSV: the keys of the JSON, the extra fields of every row last.
fn machine(rows: &[Row]) -> Grid {
    let mut grid = Grid::new();
    for key in [
        "estimator",
        "term",
        "measure",
        "estimate",
        "std_error",
        "std_error_scale",
        "statistic",
        "df",
        "p_value",
        "conf_low",
        "conf_high",
        "level",
        "n_treated",
        "n_control",
        "variance",
        "interval",
    ] {
        grid = grid.column(key, Words::same(key));
    }
    let mut extra: Vec<&String> = Vec::new();
    for key in rows.iter().flat_map(|row| row.extra.keys()) {
        if !extra.contains(&key) {
            extra.push(key);
            grid = grid.column(key, Words::same(key));
        }
    }
    let full = |value: Option<f64>| Cell::number(value, Shown::Significant(4));
    for row in rows {
        let mut cells = vec![
            Cell::text(&row.estimator),
            Cell::text(&row.term),
            Cell::text(&row.measure),
            full(row.estimate),
            full(row.std_error),
            Cell::text(&row.std_error_scale),
            full(row.statistic),
            full(row.df),
            full(row.p_value),
            full(row.conf_low),
            full(row.conf_high),
            full(Some(row.level)),
            Cell::count(row.n_treated),
            Cell::count(row.n_control),
            Cell::text(&row.variance),
            Cell::text(&row.interval),
        ];
        cells.extend(extra.iter().map(|key| match row.extra.get(*key) {
            None | Some(serde_json::Value::Null) => Cell::Empty,
            Some(serde_json::Value::String(text)) => Cell::text(text),
            Some(value) => Cell::text(value.to_string()),
        }));
        grid.row(cells);
    }
    grid
}
