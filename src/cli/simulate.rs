//! `lottning simulate SCENARIO.toml`.

use std::num::{NonZeroU64, NonZeroUsize};
use std::path::PathBuf;

use clap::Args;

use crate::app::simulate::{self, Request, SCHEMA, Simulation};
use crate::app::{Failure, exit};
use crate::diagnostic::{Lang, Words};
use crate::planning::performance::Figure;
use crate::planning::simulate::Options;
use crate::words;

use super::output::{Cell, Document, Grid, Shown, number};
use super::session::Session;

/// Arguments of `simulate`.
#[derive(Debug, Args)]
pub(super) struct Simulate {
    /// The scenario
    scenario: Option<PathBuf>,
    /// Studies per cell, instead of the scenario's number and stopping rule
    #[arg(long, value_name = "N")]
    replicates: Option<NonZeroU64>,
    /// Seed: the same seed gives the same families
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Redraws of the randomization test in each study, instead of the scenario's; 0 for none
    #[arg(long, value_name = "R")]
    draws: Option<u32>,
    /// Threads [default: all processors]; the answer does not depend on them
    #[arg(long, value_name = "T")]
    threads: Option<NonZeroUsize>,
    /// Folder for performance.json
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Change the scenario, for example truth.rereport_ratio=0.9, therapists=3, months=12, ratio=1:2
    #[arg(long, value_name = "KEY=V")]
    set: Vec<String>,
    #[arg(long, hide = true)]
    shard: Option<String>,
    #[arg(long, hide = true)]
    merge: Option<String>,
    #[arg(long, hide = true, num_args = 1..=2)]
    replay: Vec<String>,
    #[arg(long, hide = true)]
    slurm: Option<String>,
    #[arg(long, hide = true)]
    what_if: Vec<String>,
}

impl Simulate {
    /// Runs the scenario.
    pub(super) fn run(&self, session: &Session) -> Result<Document, Failure> {
        for (option, given) in [
            ("--shard", self.shard.is_some()),
            ("--merge", self.merge.is_some()),
            ("--replay", !self.replay.is_empty()),
            ("--slurm", self.slurm.is_some()),
            ("--what-if", !self.what_if.is_empty()),
        ] {
            if given {
                return Err(simulate::not_built(option));
            }
        }
        let Some(scenario) = &self.scenario else {
            return Err(Failure::new(
                exit::USAGE,
                "missing-option",
                words!("missing: SCENARIO.toml", "saknas: SCENARIO.toml"),
            )
            .help(words!(
                "it is written: lottning simulate SCENARIO.toml",
                "så skrivs det: lottning simulate SCENARIO.toml"
            )));
        };
        let request = Request {
            scenario: scenario.clone(),
            settings: self.set.clone(),
            options: Options {
                seed: self.seed,
                replicates: self.replicates.map(NonZeroU64::get),
                draws: self.draws,
                threads: self.threads.map(NonZeroUsize::get),
            },
            out: self.out.clone(),
        };
        let simulation = simulate::simulate(&session.outside, &request)?;
        Ok(Document::new(SCHEMA, &simulation.body)?
            .grid(shown(&simulation))
            .csv(full(&simulation))
            .text(words!(
                "Each figure stands with its Monte Carlo standard error. Bias and coverage are against the true effect among the randomized families of each study.",
                "Varje tal står med sitt Monte Carlo-fel. Skevhet och täckning gäller den sanna effekten bland de lottade familjerna i varje studie."
            )))
    }
}

/// A figure with its error, in as many digits as the error supports.
fn plus_minus(figure: &Figure) -> Cell {
    let Some(value) = figure.value else {
        return Cell::Empty;
    };
    let text = |lang| {
        let decimals = simulate::decimals(figure);
        let shown = number(value, Shown::Decimals(decimals), lang);
        match figure.mcse {
            Some(mcse) => {
                let error = number(mcse, Shown::Significant(1), lang);
                format!("{shown} ± {error}")
            }
            None => shown,
        }
    };
    Cell::Words(Words::new(text(Lang::En), text(Lang::Sv)))
}

fn whole(n: u64) -> Cell {
    i64::try_from(n).map_or(Cell::Empty, Cell::Whole)
}

fn shown(simulation: &Simulation) -> Grid {
    let mut grid = Grid::new()
        .column("cell", Words::new("cell", "cell"))
        .column("analysis", Words::new("analysis", "analys"))
        .column("power", Words::new("power", "styrka"))
        .column("estimand", Words::new("true effect", "sann effekt"))
        .column("bias", Words::new("bias", "skevhet"))
        .column(
            "empirical_se",
            Words::new("empirical SE", "empiriskt medelfel"),
        )
        .column("model_se", Words::new("model SE", "skattat medelfel"))
        .column("coverage", Words::new("coverage", "täckning"))
        .column("families", Words::new("families", "familjer"))
        .column("days_closed", Words::new("days closed", "stängda dagar"))
        .column("replicates", Words::new("studies", "studier"))
        .column("failures", Words::new("failures", "utan svar"));
    for cell in &simulation.cells {
        for (id, found) in &cell.analyses {
            grid.row([
                Cell::text(&cell.cell),
                Cell::text(id),
                plus_minus(&found.power),
                plus_minus(&found.estimand),
                plus_minus(&found.bias),
                plus_minus(&found.empirical_se),
                plus_minus(&found.model_se),
                plus_minus(&found.coverage),
                plus_minus(&cell.studies.families),
                plus_minus(&cell.studies.days_closed),
                whole(found.replicates),
                whole(found.failures),
            ]);
        }
    }
    grid
}

fn full(simulation: &Simulation) -> Grid {
    let names = [
        "power",
        "type_i_error",
        "bias",
        "empirical_se",
        "model_se",
        "relative_error",
        "coverage",
        "estimand",
        "families",
        "screened",
        "turned_away",
        "days_closed",
        "correct_guess_share",
        "imbalance",
    ];
    let mut grid = Grid::new();
    for key in ["cell", "analysis", "replicates", "failures"] {
        grid = grid.column(key, Words::same(key));
    }
    for name in names {
        grid = grid.column(name, Words::same(name));
        let key = format!("{name}_mcse");
        grid = grid.column(&key, Words::same(&key));
    }
    for cell in &simulation.cells {
        for (id, found) in &cell.analyses {
            let mut row = vec![
                Cell::text(&cell.cell),
                Cell::text(id),
                whole(found.replicates),
                whole(found.failures),
            ];
            let studies = &cell.studies;
            for figure in [
                found.power,
                found.type_i_error.unwrap_or_default(),
                found.bias,
                found.empirical_se,
                found.model_se,
                found.relative_error,
                found.coverage,
                found.estimand,
                studies.families,
                studies.screened,
                studies.turned_away,
                studies.days_closed,
                studies.correct_guess_share,
                studies.imbalance,
            ] {
                row.push(Cell::number(figure.value, Shown::Significant(6)));
                row.push(Cell::number(figure.mcse, Shown::Significant(3)));
            }
            grid.row(row);
        }
    }
    grid
}
