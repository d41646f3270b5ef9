//! `lottning analyse`.

use clap::Args;
use serde_json::Value;

use crate::app::analyse::{Analysed, analyse, body, try_out};
use crate::app::study::{Act, Study};
use crate::app::{Failure, exit};
use crate::diagnostic::{Diagnostic, Words};
use crate::estimation::Estimate;
use crate::protocol::model::measure_label;
use crate::words;

use super::acting::{At, head};
use super::estimate::unbounded;
use super::output::{Cell, Document, Grid, Shown, decimals_for};
use super::session::Session;

/// Arguments of `analyse`.
#[derive(Debug, Args)]
pub(super) struct Analyse {
    #[command(flatten)]
    at: At,

    /// Id of the lock whose registered analyses are run
    #[arg(long, value_name = "ID", required_unless_present = "dry_run")]
    lock: Option<String>,

    /// Redrawn arms: shows how the results will look, and says nothing about the study; records nothing
    #[arg(long)]
    dry_run: bool,

    /// Coded reason why something was done otherwise than registered, for the ledger of deviations; may be repeated
    #[arg(long = "deviation", value_name = "CODE", conflicts_with = "dry_run")]
    deviations: Vec<String>,

    /// Who does this: a role or a user id
    #[arg(long, value_name = "ID", required_unless_present = "dry_run")]
    actor: Option<String>,

    /// When, as RFC 3339 with offset [default: now]
    #[arg(long = "at", value_name = "TIME")]
    time: Option<String>,
}

impl Analyse {
    /// Runs the registered plan.
    pub(super) fn run(&self, session: &Session) -> Result<Document, Failure> {
        let outside = &session.outside;
        let mut study = Study::load_whole(outside, &self.at.study)?;
        let analysed = match (&self.lock, self.dry_run) {
            (lock, true) => try_out(outside, &mut study, lock.as_deref())?,
            (Some(lock), false) => {
                let act = Act {
                    actor: self.actor.clone().unwrap_or_default(),
                    at: self.time.clone(),
                };
                analyse(outside, &mut study, &act, lock, &self.deviations)?
            }
            (None, false) => {
                return Err(Failure::new(
                    exit::USAGE,
                    "missing-option",
                    words!("`--lock` is missing", "`--lock` saknas"),
                ));
            }
        };
        document(session, &study, &analysed)
    }
}

fn document(session: &Session, study: &Study, analysed: &Analysed) -> Result<Document, Failure> {
    let results = &analysed.analyses;
    let protocol = study.protocol().in_epoch(analysed.state.epoch);
    let mut value = body(protocol, results, session.lang);
    value["results_sha256"] = Value::from(analysed.results_sha256.as_str());
    if let Some(head) = &analysed.head {
        value["head"] = Value::from(head.as_str());
    }
    let mut document = Document::new("analysis/1", &value)?;
    if results.dry_run {
        document = document.text(Words::new(
            "DRY RUN with redrawn arms: no number here says anything about the study.",
            "PROVKÖRNING med omlottade grupper: ingen siffra här säger något om studien.",
        ));
    }
    for warning in &results.balance.warnings {
        let told = Diagnostic::warning(warning.code, warning.message.clone());
        session.outside.progress.warn(&told);
    }
    let mut machine = columns();
    for analysis in &results.analyses {
        for warning in &analysis.warnings {
            let (id, en, sv) = (&analysis.id, &warning.message.en, &warning.message.sv);
            let message = words!("{id}: {en}", "{id}: {sv}");
            session
                .outside
                .progress
                .warn(&Diagnostic::warning(warning.code, message));
        }
        let id = &analysis.id;
        let role = role(analysis.role.text());
        let (role_en, role_sv) = (role.en, role.sv);
        let mut grid = columns().title(words!("{id} ({role_en})", "{id} ({role_sv})"));
        let wald = |row: &Estimate| {
            let mut rows = analysis.results.iter();
            let same = |own: &&Estimate| own.term == row.term && own.std_error.is_some();
            rows.find(same).and_then(|own| own.std_error)
        };
        for (index, row) in analysis.as_read().into_iter().enumerate() {
            let shown = decimals_for(row.std_error.or_else(|| wald(row)));
            // What is said of a comparison stands in its first row.
            let compared = analysis.compared_first(index);
            let test = compared.and_then(|own| own.test);
            let mut cells = vec![
                Cell::text(&analysis.id),
                Cell::text(&row.term),
                Cell::text(&row.measure),
                said_of(row, "sensitivity"),
                said_of(row, "arm"),
                Cell::number(row.estimate, shown),
                Cell::number(row.std_error, shown),
                Cell::number(row.conf_low, shown),
                Cell::number(row.conf_high, shown),
                Cell::number(row.df, Shown::Decimals(1)),
                Cell::number(row.p_value, Shown::PValue),
                Cell::number(test.map(|test| test.p_value), Shown::PValue),
                Cell::number(test.and_then(|test| test.conf_low), shown),
                Cell::number(test.and_then(|test| test.conf_high), shown),
                Cell::number(compared.and_then(|own| own.p_adjusted), Shown::PValue),
                Cell::number(compared.and_then(|own| own.q_value), Shown::PValue),
                Cell::count(row.n_treated),
                Cell::count(row.n_control),
            ];
            let mut said: Vec<Cell> = cells.clone();
            if let Some(measure) = said.get_mut(2) {
                *measure = Cell::Words(measure_words(&row.measure));
            }
            if row.is_anderson_rubin()
                && row.conf_low.or(row.conf_high).is_none()
                && let Some(limit) = said.get_mut(7)
            {
                *limit = unbounded(row, shown);
            }
            // An interval with one limit goes to 0 or to infinity.
            let end = row
                .endless()
                .map(|ratio| if ratio > 0.0 { (8, "∞") } else { (7, "0") });
            if let Some((place, text)) = end
                && row.conf_low.or(row.conf_high).is_some()
                && let Some(limit) = said.get_mut(place)
            {
                *limit = Cell::text(text);
            }
            let level = |level: Option<f64>| Cell::number(level, Shown::Decimals(4));
            let tested = test.map(|test| test.level);
            // Without looks all rows have the registered level, which `--format csv` gives.
            let looked = !analysis.looks.is_empty();
            let way = [level(Some(row.level)), Cell::text(&row.interval)];
            said.extend(
                way.clone()
                    .map(|own| if looked { own } else { Cell::Empty }),
            );
            said.extend([Cell::Empty, Cell::Empty, Cell::Empty]);
            said.push(level(tested.filter(|_| looked)));
            cells.extend(way);
            let end = |key: &str| Cell::number(row.extra.get(key).and_then(Value::as_f64), shown);
            cells.extend([said_of(row, "set"), end("ray_to"), end("ray_from")]);
            cells.push(level(tested));
            grid.row(said);
            machine.row(cells);
        }
        document = document.grid(grid.without_empty_columns());
        for conclusion in analysis.conclusions() {
            document = document.text(conclusion.clone());
        }
        for deviation in &analysis.deviations {
            let (en, sv) = (&deviation.message.en, &deviation.message.sv);
            document = document.text(words!("Deviation: {en}", "Avvikelse: {sv}"));
        }
    }
    for line in results.ledger.iter().filter(|own| own.analysis.is_none()) {
        let (when, en, sv) = (&line.when, &line.what.en, &line.what.sv);
        let (why_en, why_sv) = (&line.why.en, &line.why.sv);
        let (who_en, who_sv) = (&line.who.en, &line.who.sv);
        document = document.text(words!(
            "Deviation, {when}, {who_en}: {en} {why_en}",
            "Avvikelse, {when}, {who_sv}: {sv} {why_sv}"
        ));
    }
    if let Some(own) = &analysed.head {
        document = document.text(head(own));
    }
    Ok(document.csv(machine).receipt())
}

/// What a row says of itself under a key: the rule or outcome beside the result, the arm of a bound; empty where it has none.
fn said_of(row: &Estimate, key: &str) -> Cell {
    let own = row.extra.get(key).and_then(Value::as_str);
    own.map_or(Cell::Empty, Cell::text)
}

/// A measure for people.
fn measure_words(text: &str) -> Words {
    match text {
        "ratio" => Words::new("ratio", "kvot"),
        "shift" => Words::new("shift", "förskjutning"),
        "survival" => Words::new("survival", "överlevnad"),
        "cumulative-incidence" => Words::new("cumulative incidence", "kumulativ incidens"),
        "mean" => Words::new("mean", "medelvärde"),
        other => measure_label(other),
    }
}

fn role(text: &str) -> Words {
    match text {
        "primary" => Words::new("primary", "primär"),
        "secondary" => Words::new("secondary", "sekundär"),
        "exploratory" => Words::new("exploratory", "explorativ"),
        other => Words::same(other),
    }
}

fn columns() -> Grid {
    Grid::new()
        .column("analysis", Words::new("analysis", "analys"))
        .column("term", Words::new("comparison", "jämförelse"))
        .column("measure", Words::new("measure", "mått"))
        .column("sensitivity", Words::new("beside it", "vid sidan av"))
        .column("arm", Words::new("arm", "grupp"))
        .column("estimate", Words::new("estimate", "skattning"))
        .column("std_error", Words::new("standard error", "medelfel"))
        .column("conf_low", Words::new("lower limit", "nedre gräns"))
        .column("conf_high", Words::new("upper limit", "övre gräns"))
        .column("df", Words::new("df", "frihetsgrader"))
        .column("p_value", Words::new("p (model)", "p (modell)"))
        .column("test_p_value", Words::new("p (test)", "p (test)"))
        .column(
            "test_conf_low",
            Words::new("lower limit (test)", "nedre gräns (test)"),
        )
        .column(
            "test_conf_high",
            Words::new("upper limit (test)", "övre gräns (test)"),
        )
        .column("p_adjusted", Words::new("p (adjusted)", "p (justerat)"))
        .column("q_value", Words::new("q (exploratory)", "q (explorativ)"))
        .column("n_treated", Words::new("n treated", "n behandlade"))
        .column("n_control", Words::new("n control", "n kontroll"))
        .column("level", Words::new("level", "nivå"))
        .column("interval", Words::new("interval", "intervall"))
        .column("set", Words::new("set", "mängd"))
        .column("ray_to", Words::new("up to", "till"))
        .column("ray_from", Words::new("from", "från"))
        .column("test_level", Words::new("level (test)", "nivå (test)"))
}
