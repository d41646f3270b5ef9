//! `lottning power FAMILY`.

use clap::{Args, Subcommand, ValueEnum};
use serde_json::json;

use crate::app::{Failure, power};
use crate::diagnostic::{Diagnostic, Lang, Words};
use crate::planning::clustering::{ClusteredArms, Clustering};
use crate::planning::two_proportions::{Answer, Direction, Question, Solved, Test};
use crate::words;

use super::output::{Cell, Document, Grid, Shown, number};
use super::session::Session;

/// Arguments of `power`.
#[derive(Debug, Args)]
pub(super) struct Power {
    #[command(subcommand)]
    family: Family,
}

#[derive(Debug, Subcommand)]
enum Family {
    /// Two proportions: formulas, or exact power by enumeration
    TwoProportions(Box<TwoProportions>),
    #[command(hide = true)]
    TwoMeans(Later),
    #[command(hide = true)]
    LogRank(Later),
    #[command(hide = true)]
    Rates(Later),
}

/// A family that is not built yet takes anything, so that the answer is about the family.
#[derive(Debug, Args)]
struct Later {
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, hide = true)]
    rest: Vec<String>,
}

#[derive(Debug, Args)]
struct TwoProportions {
    /// Proportion in the control arm
    #[arg(long, allow_negative_numbers = true)]
    p0: f64,
    /// Proportion in the treated arm; left out, the effect is solved for
    #[arg(long, allow_negative_numbers = true)]
    p1: Option<f64>,
    /// Individuals in the control arm; left out, the sample size is solved for
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    n_per_arm: Option<f64>,
    /// Power; left out, it is solved for
    #[arg(long, allow_negative_numbers = true)]
    power: Option<f64>,
    /// Type I error of both sides together [default: 0.05, or solved for when the other three are given]
    #[arg(long, allow_negative_numbers = true)]
    alpha: Option<f64>,
    /// Treated individuals per control individual: a number, or a fraction such as 2/3
    #[arg(long, default_value = "1", value_parser = fraction, allow_negative_numbers = true)]
    ratio: f64,
    /// 1 or 2
    #[arg(long, default_value_t = 2)]
    sides: u8,
    /// Count the farther tail of a two-sided formula too; exact tests always do
    #[arg(long)]
    strict: bool,
    /// How power is computed
    #[arg(long, default_value = "pooled", value_parser = Test::ALL.map(Test::id))]
    test: String,
    /// On which side of p0 an effect is sought [default: lower]
    #[arg(long)]
    direction: Option<Side>,
    /// Mean number of individuals per cluster
    #[arg(
        long,
        value_name = "M",
        requires = "icc",
        allow_negative_numbers = true
    )]
    cluster_size: Option<f64>,
    /// Intraclass correlation
    #[arg(
        long,
        value_name = "R",
        requires = "cluster_size",
        allow_negative_numbers = true
    )]
    icc: Option<f64>,
    /// Coefficient of variation of the cluster sizes [default: 0]
    #[arg(
        long,
        value_name = "C",
        requires = "cluster_size",
        allow_negative_numbers = true
    )]
    cluster_size_cv: Option<f64>,
    /// Which arms are clustered [default: both]
    #[arg(long, requires = "cluster_size")]
    clustered_arms: Option<Arms>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Side {
    Lower,
    Higher,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Arms {
    Both,
    Treated,
}

fn fraction(text: &str) -> Result<f64, String> {
    let number = |text: &str| {
        text.trim()
            .parse::<f64>()
            .map_err(|_| "a number or a fraction".to_owned())
    };
    match text.split_once('/') {
        Some((above, below)) => Ok(number(above)? / number(below)?),
        None => number(text),
    }
}

impl Power {
    /// Solves for what was left out.
    pub(super) fn run(&self, session: &Session) -> Result<Document, Failure> {
        match &self.family {
            Family::TwoProportions(arguments) => arguments.run(session),
            Family::TwoMeans(_) => Err(power::not_built("two-means")),
            Family::LogRank(_) => Err(power::not_built("log-rank")),
            Family::Rates(_) => Err(power::not_built("rates")),
        }
    }
}

impl TwoProportions {
    fn question(&self) -> Result<Question, Failure> {
        let others = [self.p1, self.n_per_arm, self.power];
        let alpha = match self.alpha {
            None if others.iter().all(Option::is_some) => None,
            given => given.or(Some(0.05)),
        };
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
            power: self.power,
            alpha,
            ratio: self.ratio,
            sides: self.sides,
            strict: self.strict,
            test,
            direction: self.direction.map(|side| match side {
                Side::Lower => Direction::Lower,
                Side::Higher => Direction::Higher,
            }),
            clustering: self.cluster_size.map(|size| Clustering {
                size,
                icc: self.icc.unwrap_or(0.0),
                size_cv: self.cluster_size_cv.unwrap_or(0.0),
                arms: match self.clustered_arms {
                    Some(Arms::Treated) => ClusteredArms::Treated,
                    Some(Arms::Both) | None => ClusteredArms::Both,
                },
            }),
        })
    }

    fn run(&self, session: &Session) -> Result<Document, Failure> {
        let question = self.question()?;
        let answer = power::two_proportions(&question)?;
        for warning in &answer.warnings {
            session
                .outside
                .progress
                .warn(&Diagnostic::warning(warning.code(), warning.words()));
        }
        let warnings: Vec<_> = answer
            .warnings
            .iter()
            .map(|warning| json!({"code": warning.code(), "message": warning.words().get(session.lang)}))
            .collect();
        let body = json!({
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
            "ratio": question.ratio,
            "sides": question.sides,
            "strict": question.strict,
            "test": question.test.id(),
            "n_control_steady": answer.n_control_steady,
            "design_effect_treated": answer.design_effects.0,
            "design_effect_control": answer.design_effects.1,
            "cluster_size": question.clustering.map(|clusters| clusters.size),
            "icc": question.clustering.map(|clusters| clusters.icc),
            "cluster_size_cv": question.clustering.map(|clusters| clusters.size_cv),
            "clustered_arms": question.clustering.map(|clusters| clusters.arms.text()),
            "warnings": warnings,
        });
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
    let whole = |n: u64| i64::try_from(n).map_or(Cell::Empty, Cell::Whole);
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
    let shown = |shown| [Lang::En, Lang::Sv].map(|lang| number(answer.value, shown, lang));
    let n = answer.n_control;
    match answer.solved {
        Solved::Power => {
            let [en, sv] = shown(Shown::Decimals(4));
            words!("The power is {en}.", "Styrkan är {sv}.")
        }
        Solved::Alpha => {
            let [en, sv] = shown(Shown::Significant(4));
            words!("Alpha is {en}.", "Alfa är {sv}.")
        }
        Solved::Effect => {
            let [en, sv] = shown(Shown::Decimals(4));
            words!(
                "The proportion in the treated arm is {en}.",
                "Andelen i den behandlade armen är {sv}."
            )
        }
        Solved::N => match answer.n_control_steady {
            Some(steady) if steady > n => words!(
                "The control arm needs {n}. Exact power goes up and down with n: from {steady} on every size has the power.",
                "Kontrollarmen behöver {n}. Exakt styrka går upp och ned med n: från {steady} räcker varje storlek."
            ),
            Some(_) => words!("The control arm needs {n}.", "Kontrollarmen behöver {n}."),
            None => {
                let [en, sv] = shown(Shown::Decimals(3));
                words!(
                    "The control arm needs {en}, rounded up to {n}.",
                    "Kontrollarmen behöver {sv}, avrundat uppåt till {n}."
                )
            }
        },
    }
}
