//! `lottning power rates`.

use clap::Args;
use serde_json::json;

use super::given::{Clusters, Given, alpha_is, finish, n_is, power_is, shown, whole};
use crate::app::{Failure, power};
use crate::cli::output::{Cell, Document, Grid, Shown};
use crate::cli::session::Session;
use crate::diagnostic::Words;
use crate::planning::figure::Solved;
use crate::planning::rates::{Answer, Question};
use crate::words;

#[derive(Debug, Args)]
pub(super) struct Rates {
    /// Events per unit of time in the control arm
    #[arg(long, allow_negative_numbers = true)]
    rate0: f64,
    /// Events per unit of time in the treated arm; left out, the effect is solved for
    #[arg(long, allow_negative_numbers = true)]
    rate1: Option<f64>,
    /// Dispersion k: a count of mean m has the variance m + k m²; 0 is Poisson
    #[arg(
        long,
        value_name = "VALUE",
        default_value_t = 0.0,
        allow_negative_numbers = true
    )]
    dispersion: f64,
    /// How long each individual is followed, in the unit of the rates
    #[arg(
        long,
        value_name = "DURATION",
        default_value_t = 1.0,
        allow_negative_numbers = true
    )]
    time: f64,
    /// Individuals in the control arm; left out, the sample size is solved for
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    n_per_arm: Option<f64>,
    #[command(flatten)]
    given: Given,
    #[command(flatten)]
    clusters: Clusters,
}

impl Rates {
    fn question(&self) -> Question {
        Question {
            rate0: self.rate0,
            rate1: self.rate1,
            dispersion: self.dispersion,
            time: self.time,
            n_control: self.n_per_arm,
            power: self.given.power,
            alpha: self
                .given
                .alpha([self.rate1, self.n_per_arm, self.given.power]),
            ratio: self.given.ratio,
            sides: self.given.sides,
            strict: self.given.strict,
            direction: self.given.direction(),
            clustering: self.clusters.clustering(),
        }
    }

    pub(super) fn run(&self, session: &Session) -> Result<Document, Failure> {
        let question = self.question();
        let answer = power::rates(&question)?;
        let mut body = json!({
            "solved": answer.solved.text(),
            "value": answer.value,
            "n_treated": answer.n_treated,
            "n_control": answer.n_control,
            "power": answer.power,
            "power_at_n": answer.power_at_n,
            "alpha": answer.alpha,
            "rate0": question.rate0,
            "rate1": answer.rate1,
            "rate_ratio": answer.rate1 / question.rate0,
            "dispersion": question.dispersion,
            "time": question.time,
            "ratio": question.ratio,
            "sides": question.sides,
            "strict": question.strict,
        });
        finish(
            session,
            &mut body,
            question.clustering,
            answer.design_effects,
            answer.clusters,
            &answer.warnings,
        );
        Ok(Document::new("power/1", &body)?
            .grid(grid(&question, &answer))
            .text(sentence(&answer)))
    }
}

fn grid(question: &Question, answer: &Answer) -> Grid {
    let mut grid = Grid::new()
        .column("rate0", Words::new("control", "kontroll"))
        .column("rate1", Words::new("treated", "behandlad"))
        .column("dispersion", Words::new("dispersion", "överspridning"))
        .column("time", Words::new("time", "tid"))
        .column("n_control", Words::new("n control", "n kontroll"))
        .column("n_treated", Words::new("n treated", "n behandlad"))
        .column("alpha", Words::new("alpha", "alfa"))
        .column("power", Words::new("power", "styrka"));
    grid.row([
        Cell::number(question.rate0, Shown::Significant(4)),
        Cell::number(answer.rate1, Shown::Significant(4)),
        Cell::number(question.dispersion, Shown::Significant(4)),
        Cell::number(question.time, Shown::Significant(4)),
        whole(answer.n_control),
        whole(answer.n_treated),
        Cell::number(answer.alpha, Shown::Significant(4)),
        Cell::number(answer.power_at_n, Shown::Decimals(4)),
    ]);
    grid
}

fn sentence(answer: &Answer) -> Words {
    match answer.solved {
        Solved::Power => power_is(answer.value, answer.power_at_n),
        Solved::Alpha => alpha_is(answer.value),
        Solved::Effect => {
            let [en, sv] = shown(answer.value, Shown::Significant(4));
            words!(
                "The rate in the treated arm is {en}.",
                "Frekvensen i den behandlade armen är {sv}."
            )
        }
        Solved::N | Solved::Events => n_is(answer.value, answer.n_control, answer.clusters),
    }
}
