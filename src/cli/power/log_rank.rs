//! `lottning power log-rank`.

use clap::Args;
use serde_json::json;

use super::given::{Clusters, Given, alpha_is, finish, power_is, shown, whole};
use crate::app::{Failure, power};
use crate::cli::output::{Cell, Document, Grid, Shown};
use crate::cli::session::Session;
use crate::diagnostic::Words;
use crate::planning::figure::Solved;
use crate::planning::log_rank::{Answer, FollowUp, Formula, Question};
use crate::words;

#[derive(Debug, Args)]
pub(super) struct LogRank {
    /// Hazard of the treated arm over that of the control arm; left out, the effect is solved for
    #[arg(long, value_name = "HR", allow_negative_numbers = true)]
    hazard_ratio: Option<f64>,
    /// Events of both arms together; left out, the size is solved for
    #[arg(long, value_name = "E", allow_negative_numbers = true)]
    events: Option<f64>,
    /// Individuals in the control arm, instead of events; needs their follow-up
    #[arg(
        long,
        value_name = "N",
        requires = "control_median",
        allow_negative_numbers = true
    )]
    n_per_arm: Option<f64>,
    #[command(flatten)]
    given: Given,
    /// How far the statistic lies from no effect
    #[arg(long, default_value = "schoenfeld", value_parser = Formula::ALL.map(Formula::id))]
    formula: String,
    /// Median time to the event in the control arm, in any unit; turns events into individuals
    #[arg(
        long,
        value_name = "DURATION",
        requires = "follow_up",
        allow_negative_numbers = true
    )]
    control_median: Option<f64>,
    /// Duration of uniform entry, in the same unit [default: 0, all at once]
    #[arg(
        long,
        value_name = "DURATION",
        requires = "control_median",
        allow_negative_numbers = true
    )]
    accrual: Option<f64>,
    /// Time from the last entry to the end, in the same unit
    #[arg(
        long,
        value_name = "DURATION",
        requires = "control_median",
        allow_negative_numbers = true
    )]
    follow_up: Option<f64>,
    /// Hazard of being lost, per the same unit [default: 0]
    #[arg(
        long,
        value_name = "RATE",
        requires = "control_median",
        allow_negative_numbers = true
    )]
    loss: Option<f64>,
    #[command(flatten)]
    clusters: Clusters,
}

impl LogRank {
    fn question(&self) -> Result<Question, Failure> {
        let formula = Formula::ALL
            .into_iter()
            .find(|formula| formula.id() == self.formula)
            .ok_or_else(|| {
                Failure::unknown_id(
                    &Words::new("formula", "formel"),
                    &self.formula,
                    Formula::ALL.map(Formula::id),
                )
            })?;
        let size = self.events.or(self.n_per_arm);
        Ok(Question {
            hazard_ratio: self.hazard_ratio,
            events: self.events,
            n_control: self.n_per_arm,
            power: self.given.power,
            alpha: self
                .given
                .alpha([self.hazard_ratio, size, self.given.power]),
            ratio: self.given.ratio,
            sides: self.given.sides,
            strict: self.given.strict,
            formula,
            direction: self.given.direction(),
            follow_up: self.control_median.map(|control_median| FollowUp {
                control_median,
                accrual: self.accrual.unwrap_or(0.0),
                follow_up: self.follow_up.unwrap_or(0.0),
                loss: self.loss.unwrap_or(0.0),
            }),
            clustering: self.clusters.clustering(),
        })
    }

    pub(super) fn run(&self, session: &Session) -> Result<Document, Failure> {
        let question = self.question()?;
        let answer = power::log_rank(&question)?;
        let individuals = answer.individuals;
        let follow_up = question.follow_up;
        let mut body = json!({
            "solved": answer.solved.text(),
            "value": answer.value,
            "events": answer.events,
            "events_unrounded": answer.events_unrounded,
            "n_treated": individuals.map(|own| own.n_treated),
            "n_control": individuals.map(|own| own.n_control),
            "n_total_unrounded": individuals.map(|own| own.total),
            "power": answer.power,
            "power_at_events": answer.power_at_events,
            "power_at_n": individuals.map(|own| own.power),
            "alpha": answer.alpha,
            "hazard_ratio": answer.hazard_ratio,
            "event_probability_treated": individuals.map(|own| own.event_probability_treated),
            "event_probability_control": individuals.map(|own| own.event_probability_control),
            "ratio": question.ratio,
            "sides": question.sides,
            "strict": question.strict,
            "formula": question.formula.id(),
            "control_median": follow_up.map(|own| own.control_median),
            "accrual": follow_up.map(|own| own.accrual),
            "follow_up": follow_up.map(|own| own.follow_up),
            "loss": follow_up.map(|own| own.loss),
        });
        finish(
            session,
            &mut body,
            question.clustering,
            answer.design_effects,
            None,
            &answer.warnings,
        );
        Ok(Document::new("power/1", &body)?
            .grid(grid(&question, &answer))
            .text(sentence(&answer)))
    }
}

fn grid(question: &Question, answer: &Answer) -> Grid {
    let mut grid = Grid::new()
        .column("hazard_ratio", Words::new("hazard ratio", "hasardkvot"))
        .column("events", Words::new("events", "händelser"))
        .column("n_control", Words::new("n control", "n kontroll"))
        .column("n_treated", Words::new("n treated", "n behandlad"))
        .column("alpha", Words::new("alpha", "alfa"))
        .column("power", Words::new("power", "styrka"))
        .column("formula", Words::new("formula", "formel"));
    let individuals = answer.individuals;
    grid.row([
        Cell::number(answer.hazard_ratio, Shown::Significant(4)),
        whole(answer.events),
        individuals.map_or(Cell::Empty, |own| whole(own.n_control)),
        individuals.map_or(Cell::Empty, |own| whole(own.n_treated)),
        Cell::number(answer.alpha, Shown::Significant(4)),
        Cell::number(answer.power_at_events, Shown::Decimals(4)),
        Cell::text(question.formula.id()),
    ]);
    grid.without_empty_columns()
}

fn sentence(answer: &Answer) -> Words {
    match answer.solved {
        Solved::Power => power_is(answer.value, answer.power_at_events),
        Solved::Alpha => alpha_is(answer.value),
        Solved::Effect => {
            let [en, sv] = shown(answer.value, Shown::Decimals(4));
            words!("The hazard ratio is {en}.", "Hasardkvoten är {sv}.")
        }
        Solved::N | Solved::Events => {
            let [en, sv] = shown(answer.value, Shown::Decimals(3));
            let events = answer.events;
            match answer.individuals {
                None => words!(
                    "The study needs {en} events, rounded up to {events}.",
                    "Studien behöver {sv} händelser, avrundat uppåt till {events}."
                ),
                Some(own) => {
                    let [n_en, n_sv] = shown(own.total, Shown::Decimals(3));
                    let (n1, n0) = (own.n_treated, own.n_control);
                    words!(
                        "The study needs {en} events, rounded up to {events}, of {n_en} individuals: {n1} treated and {n0} control.",
                        "Studien behöver {sv} händelser, avrundat uppåt till {events}, av {n_sv} individer: {n1} behandlade och {n0} i kontroll."
                    )
                }
            }
        }
    }
}
