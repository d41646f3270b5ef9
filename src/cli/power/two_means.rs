//! `lottning power two-means`.

use clap::Args;
use serde_json::json;

use super::given::{Clusters, Given, alpha_is, finish, n_is, power_is, shown, whole};
use crate::app::{Failure, power};
use crate::cli::output::{Cell, Document, Grid, Shown};
use crate::cli::session::Session;
use crate::diagnostic::Words;
use crate::planning::figure::Solved;
use crate::planning::two_means::{Adjustment, Answer, Question, Test};
use crate::words;

#[derive(Debug, Args)]
pub(super) struct TwoMeans {
    /// Mean of the treated arm minus that of the control arm; left out, the effect is solved for
    #[arg(long, allow_hyphen_values = true)]
    delta: Option<f64>,
    /// Standard deviation within an arm
    #[arg(long, allow_negative_numbers = true)]
    sd: f64,
    /// Individuals in the control arm; left out, the sample size is solved for
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    n_per_arm: Option<f64>,
    #[command(flatten)]
    given: Given,
    /// The reference: t, or normal as if the variance were known
    #[arg(long, default_value = "t", value_parser = Test::ALL.map(Test::id))]
    test: String,
    /// Share of the variance within an arm that covariates explain
    #[arg(long, value_name = "R2", allow_negative_numbers = true)]
    r_squared: Option<f64>,
    /// Number of covariates [default: 1 with --r-squared]
    #[arg(long, value_name = "Q", requires = "r_squared")]
    covariates: Option<u32>,
    #[command(flatten)]
    clusters: Clusters,
}

impl TwoMeans {
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
            delta: self.delta,
            sd: self.sd,
            n_control: self.n_per_arm,
            power: self.given.power,
            alpha: self
                .given
                .alpha([self.delta, self.n_per_arm, self.given.power]),
            ratio: self.given.ratio,
            sides: self.given.sides,
            strict: self.given.strict,
            test,
            direction: self.given.direction(),
            adjustment: self.r_squared.map(|r_squared| Adjustment {
                r_squared,
                covariates: self.covariates.unwrap_or(1),
            }),
            clustering: self.clusters.clustering(),
        })
    }

    pub(super) fn run(&self, session: &Session) -> Result<Document, Failure> {
        let question = self.question()?;
        let answer = power::two_means(&question)?;
        let mut body = json!({
            "solved": answer.solved.text(),
            "value": answer.value,
            "n_treated": answer.n_treated,
            "n_control": answer.n_control,
            "power": answer.power,
            "power_at_n": answer.power_at_n,
            "alpha": answer.alpha,
            "delta": answer.delta,
            "sd": question.sd,
            "df": answer.df,
            "ratio": question.ratio,
            "sides": question.sides,
            "strict": question.strict,
            "test": question.test.id(),
            "r_squared": question.adjustment.map(|own| own.r_squared),
            "covariates": question.adjustment.map(|own| own.covariates),
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
        .column("delta", Words::new("difference", "skillnad"))
        .column("sd", Words::new("sd", "sd"))
        .column("n_control", Words::new("n control", "n kontroll"))
        .column("n_treated", Words::new("n treated", "n behandlad"))
        .column("df", Words::new("df", "frihetsgrader"))
        .column("alpha", Words::new("alpha", "alfa"))
        .column("power", Words::new("power", "styrka"))
        .column("test", Words::new("test", "test"));
    grid.row([
        Cell::number(answer.delta, Shown::Significant(4)),
        Cell::number(question.sd, Shown::Significant(4)),
        whole(answer.n_control),
        whole(answer.n_treated),
        Cell::number(answer.df, Shown::Significant(4)),
        Cell::number(answer.alpha, Shown::Significant(4)),
        Cell::number(answer.power_at_n, Shown::Decimals(4)),
        Cell::text(question.test.id()),
    ]);
    grid.without_empty_columns()
}

fn sentence(answer: &Answer) -> Words {
    match answer.solved {
        Solved::Power => power_is(answer.value, answer.power_at_n),
        Solved::Alpha => alpha_is(answer.value),
        Solved::Effect => {
            let [en, sv] = shown(answer.value, Shown::Significant(4));
            words!(
                "The difference of means, treated minus control, is {en}.",
                "Skillnaden mellan medelvärdena, behandlad minus kontroll, är {sv}."
            )
        }
        Solved::N | Solved::Events => n_is(answer.value, answer.n_control, answer.clusters),
    }
}
