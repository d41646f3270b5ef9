//! `lottning power two-proportions`.

use clap::Args;
use serde_json::json;

use super::given::{Clusters, Given, alpha_is, finish, n_is, power_is, shown, whole};
use crate::app::{Failure, power};
use crate::cli::output::{Cell, Document, Grid, Shown};
use crate::cli::session::Session;
use crate::diagnostic::Words;
use crate::planning::two_proportions::{Answer, Question, Solved, Test};
use crate::words;

#[derive(Debug, Args)]
pub(super) struct TwoProportions {
    /// Proportion in the control arm
    #[arg(long, allow_negative_numbers = true)]
    p0: f64,
    /// Proportion in the treated arm; left out, the effect is solved for
    #[arg(long, allow_negative_numbers = true)]
    p1: Option<f64>,
    /// Individuals in the control arm; left out, the sample size is solved for
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    n_per_arm: Option<f64>,
    #[command(flatten)]
    given: Given,
    /// How power is computed
    #[arg(long, default_value = "pooled", value_parser = Test::ALL.map(Test::id))]
    test: String,
    /// Difference p1 - p0 of the null hypothesis, for non-inferiority or superiority by a margin (pooled, unpooled, t)
    #[arg(
        long,
        value_name = "D",
        default_value_t = 0.0,
        allow_hyphen_values = true
    )]
    margin: f64,
    #[command(flatten)]
    clusters: Clusters,
}

impl TwoProportions {
    fn question(&self) -> Result<Question, Failure> {
        let test = Test::ALL
            .into_iter()
            .find(|test| test.id() == self.test)
            .ok_or_else(|| {
                Failure::unknown_id(
                    &Words::new("test", "test"),
                    &self.test,
                    Test::ALL.map(Test::id),
                )
            })?;
        Ok(Question {
            p0: self.p0,
            p1: self.p1,
            n_control: self.n_per_arm,
            power: self.given.power,
            alpha: self
                .given
                .alpha([self.p1, self.n_per_arm, self.given.power]),
            ratio: self.given.ratio,
            sides: self.given.sides,
            strict: self.given.strict,
            margin: self.margin,
            test,
            direction: self.given.direction(),
            clustering: self.clusters.clustering(),
        })
    }

    pub(super) fn run(&self, session: &Session) -> Result<Document, Failure> {
        let question = self.question()?;
        let answer = power::two_proportions(&question)?;
        let mut body = json!({
            "solved": answer.solved.text(),
            "value": answer.value,
            "n_treated": answer.n_treated,
            "n_control": answer.n_control,
            "power": answer.power,
            "power_at_n": answer.power_at_n,
            "alpha": answer.alpha,
            "p0": answer.p0,
            "p1": answer.p1,
            "difference": answer.p1 - answer.p0,
            "margin": question.margin,
            "ratio": question.ratio,
            "sides": question.sides,
            "strict": question.strict,
            "test": question.test.id(),
            "n_control_steady": answer.n_control_steady,
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
        .column("p0", Words::new("control", "kontroll"))
        .column("p1", Words::new("treated", "behandlad"))
        .column("n_control", Words::new("n control", "n kontroll"))
        .column("n_treated", Words::new("n treated", "n behandlad"))
        .column("alpha", Words::new("alpha", "alfa"))
        .column("power", Words::new("power", "styrka"))
        .column("test", Words::new("test", "test"));
    grid.row([
        Cell::number(answer.p0, Shown::Significant(4)),
        Cell::number(answer.p1, Shown::Significant(4)),
        whole(answer.n_control),
        whole(answer.n_treated),
        Cell::number(answer.alpha, Shown::Significant(4)),
        Cell::number(answer.power_at_n, Shown::Decimals(4)),
        Cell::text(question.test.id()),
    ]);
    grid
}

fn sentence(answer: &Answer) -> Words {
    let n = answer.n_control;
    match answer.solved {
        Solved::Power => power_is(answer.value, answer.power_at_n),
        Solved::Alpha => alpha_is(answer.value),
        Solved::Effect => {
            let [en, sv] = shown(answer.value, Shown::Decimals(4));
            words!(
                "The proportion in the treated arm is {en}.",
                "Andelen i den behandlade armen är {sv}."
            )
        }
        Solved::N | Solved::Events => match answer.n_control_steady {
            Some(steady) if steady > n => words!(
                "The control arm needs {n}. Exact power goes up and down with n: from {steady} on every size has the power.",
                "Kontrollarmen behöver {n}. Exakt styrka går upp och ned med n: från {steady} räcker varje storlek."
            ),
            Some(_) => words!("The control arm needs {n}.", "Kontrollarmen behöver {n}."),
            None => n_is(answer.value, n, answer.clusters),
        },
    }
}
