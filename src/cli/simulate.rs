//! `lottning simulate SCENARIO.toml`.

use std::num::{NonZeroU64, NonZeroUsize};
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;

use crate::app::rehearse::replay::SCHEMA as SCHEMA_OF_REPLAY;
use crate::app::simulate::{self, Request, SCHEMA, Simulation};
use crate::app::simulation::search::{Searched, Wanted};
use crate::app::simulation::{replayed, search, shard, slurm};
use crate::app::{Failure, exit};
use crate::diagnostic::{Lang, Words};
use crate::planning::pieces::Shard;
use crate::planning::simulate::Options;
use crate::words;

use super::output::Document;
use super::session::Session;
use super::simulated::{compared, full, judged, looked, plus_minus, shown, tried};

/// Arguments of `simulate`.
#[derive(Debug, Args)]
pub(super) struct Simulate {
    /// The scenario; left out, the plan that lies in the folder of --out
    scenario: Option<PathBuf>,
    /// Studies per cell, instead of the scenario's number and stopping rule
    #[arg(long, value_name = "N")]
    replicates: Option<NonZeroU64>,
    /// Seed: the same seed gives the same families [default: 1]
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Redraws of the randomization test in each study, instead of the scenario's; 0 for none
    #[arg(long, value_name = "R")]
    draws: Option<u32>,
    /// Threads [default: all processors]; the answer does not depend on them
    #[arg(long, value_name = "T")]
    threads: Option<NonZeroUsize>,
    /// Keep the records and performance.json in this folder: the same command goes on after a kill, more --replicates extend it
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Change the scenario, for example truth.rereport_ratio=0.9, therapists=3, months=12, ratio=1:2
    #[arg(long, value_name = "KEY=V")]
    set: Vec<String>,
    /// An alternative beside the scenario, on the same families: "therapists=3 ratio=1:2 months=24"
    #[arg(long, value_name = "KEY=V …")]
    what_if: Vec<String>,
    /// Run part I of N of every cell and write its records to --out
    #[arg(long, value_name = "I/N", requires = "out")]
    shard: Option<String>,
    /// Put together the records that shards wrote to DIR; what is missing is named
    #[arg(long, value_name = "DIR", conflicts_with_all = ["scenario", "replicates", "seed", "draws", "threads", "out", "set", "what_if", "shard", "slurm", "replay", "search"])]
    merge: Option<PathBuf>,
    /// Live through one simulated study again, as a study folder DIR to look into
    #[arg(long, num_args = 2, value_names = ["CELL:REPLICATE", "DIR"], conflicts_with_all = ["shard", "slurm", "threads"])]
    replay: Vec<String>,
    /// Search for the smallest KEY (months, families, or a path of whole numbers) with the power that --power asks for
    #[arg(long, value_name = "KEY", conflicts_with_all = ["shard", "slurm", "replay", "what_if"])]
    search: Option<String>,
    /// Smallest and largest number of a search [default: 6,60 months; 40,2000 families]
    #[arg(long, value_name = "LOW,HIGH", requires = "search")]
    between: Option<String>,
    /// Power that a search is for [default: 0.8]
    #[arg(long, value_name = "P", requires = "search")]
    power: Option<f64>,
    /// Analysis that a search is for; the first that decides when left out
    #[arg(long, value_name = "ID", requires = "search")]
    analysis: Option<String>,
    /// Print a script for Slurm: an array of N shards and the merge that waits for them
    #[arg(long, value_name = "N", conflicts_with_all = ["shard", "threads"])]
    slurm: Option<u32>,
}

impl Simulate {
    /// Runs the scenario.
    pub(super) fn run(&self, session: &Session) -> Result<Document, Failure> {
        if let Some(folder) = &self.merge {
            return answer(&simulate::merged(&session.outside, folder)?);
        }
        if self.scenario.is_none() {
            self.refuse_changes()?;
        }
        let request = Request {
            scenario: self.scenario.clone(),
            settings: self.set.clone(),
            what_if: self.what_if.clone(),
            options: Options {
                seed: self.seed.unwrap_or(1),
                replicates: self.replicates.map(NonZeroU64::get),
                draws: self.draws,
                threads: self.threads.map(NonZeroUsize::get),
            },
            out: self.out.clone(),
        };
        if let Some(shards) = self.slurm {
            let planned = simulate::planned(&session.outside, &request)?;
            let out = self.out.as_deref().unwrap_or(Path::new("simulation"));
            let script = slurm::script(&planned.order, shards, out)?;
            let body =
                json!({"shards": shards, "folder": out.display().to_string(), "script": script});
            return Ok(Document::new("slurm/1", &body)?.text(Words::same(script.trim_end())));
        }
        if let [study, folder] = self.replay.as_slice() {
            return replay(session, &request, study, Path::new(folder));
        }
        if let Some(key) = &self.search {
            return self.searched(session, &request, key);
        }
        if let (Some(text), Some(out)) = (&self.shard, &self.out) {
            return sharded(session, &request, text, out);
        }
        answer(&simulate::simulate(&session.outside, &request)?)
    }

    fn searched(
        &self,
        session: &Session,
        request: &Request,
        key: &str,
    ) -> Result<Document, Failure> {
        let between = match &self.between {
            None => None,
            Some(text) => {
                let ends = text.split_once(',');
                let ends = ends.and_then(|(low, high)| {
                    Some((low.trim().parse().ok()?, high.trim().parse().ok()?))
                });
                // What is no pair of numbers is no range either, and is refused as one.
                Some(ends.unwrap_or((0, 0)))
            }
        };
        let wanted = Wanted {
            key: key.to_owned(),
            between,
            power: self.power.unwrap_or(0.8),
            analysis: self.analysis.clone(),
        };
        let found = search::searched(&session.outside, request, &wanted)?;
        found_number(&found, wanted.power)
    }

    /// A plan that lies in a folder is run as it is.
    fn refuse_changes(&self) -> Result<(), Failure> {
        let given = [
            ("--set", !self.set.is_empty()),
            ("--what-if", !self.what_if.is_empty()),
            ("--seed", self.seed.is_some()),
            ("--draws", self.draws.is_some()),
            ("--replicates", self.replicates.is_some()),
        ];
        let Some((name, _)) = given.iter().find(|(_, given)| *given && self.out.is_some()) else {
            return Ok(());
        };
        Err(Failure::new(
            exit::USAGE,
            "conflicting-options",
            words!(
                "{name} belongs to a scenario, and none is given: the plan in the folder is run as it is",
                "{name} hör till ett scenario, och inget är angivet: planen i mappen körs som den är"
            ),
        )
        .help(Words::new(
            "name the scenario too",
            "ange också scenariot",
        )))
    }
}

fn sharded(
    session: &Session,
    request: &Request,
    text: &str,
    out: &Path,
) -> Result<Document, Failure> {
    let own = Shard::parse(text).ok_or_else(|| {
        Failure::new(
            exit::USAGE,
            "invalid-value",
            words!("`{text}` is no I/N", "`{text}` är inget I/N"),
        )
        .help(Words::new(
            "the number of the shard from 1, and how many there are: --shard 2/3",
            "delens nummer från 1, och hur många de är: --shard 2/3",
        ))
    })?;
    let planned = simulate::planned(&session.outside, request)?;
    let threads = request.options.threads;
    let done = shard::shard(&session.outside, &planned, out, own, threads)?;
    let (ran, found, cells, folder) = (done.ran, done.found, done.cells, out.display());
    Ok(Document::new(shard::SCHEMA, &done.body)?.text(words!(
            "Shard {text}: {ran} studies of {cells} cells run, {found} were there already. When every shard is done: lottning simulate --merge {folder}",
            "Del {text}: {ran} studier i {cells} celler kördes, {found} fanns redan. När alla delar är klara: lottning simulate --merge {folder}"
        )))
}

fn replay(
    session: &Session,
    request: &Request,
    study: &str,
    folder: &Path,
) -> Result<Document, Failure> {
    let planned = simulate::planned(&session.outside, request)?;
    let made = replayed::replayed(&session.outside, &planned, study, folder)?;
    let (study, place) = (made.study.display(), folder.display());
    let reports = made.reports.iter().map(|path| path.display().to_string());
    let reports = reports.collect::<Vec<_>>().join(", ");
    Ok(Document::new(SCHEMA_OF_REPLAY, &made.body)?
        .text(words!(
            "The study lies in {study}: lottning status --study {study}, lottning verify --study {study}. Its reports: {reports}",
            "Studien ligger i {study}: lottning status --study {study}, lottning verify --study {study}. Dess rapporter: {reports}"
        ))
        .text(words!(
            "Families, arms, events, cuts, estimates and intervals are those of the simulated study; a randomization test has the registered redraws instead of the simulation's. {place}/replay.json has both.",
            "Familjer, armar, händelser, brytdatum, skattningar och intervall är den simulerade studiens; ett randomiseringstest har de registrerade omlottningarna i stället för simuleringens. {place}/replay.json har båda."
        )))
}

fn found_number(found: &Searched, target: f64) -> Result<Document, Failure> {
    let (x, key, analysis) = (found.found.x, &found.key, &found.analysis);
    let (low, high) = found.found.whole;
    let sv = |text: String| text.replace('.', ",");
    let confirmed = plus_minus(&found.found.confirmed_power());
    let (share, share_sv) = (confirmed.shown(Lang::En), confirmed.shown(Lang::Sv));
    let target_sv = sv(target.to_string());
    let (_, studies, _) = found.found.confirmed;
    let ((name, the_sv), name_sv) = (found.measure.the(), found.measure.plain_sv());
    // The range ends where the interval would go on.
    let (interval, interval_sv) = if low <= found.least && low < high {
        (format!(": at most {high}"), format!(": högst {high}"))
    } else {
        (format!(" {low} to {high}"), format!(" {low} till {high}"))
    };
    Ok(Document::new(search::SCHEMA, &found.body)?
        .text(words!(
            "`{analysis}` has {name} {target} from {key} = {x} on (95 % interval{interval}).",
            "`{analysis}` har {name_sv} {target_sv} från {key} = {x} (95 % intervall{interval_sv})."
        ))
        .text(match found.found.contradiction(target) {
            None => words!(
                "On {studies} fresh studies at {x} the {name} is {share}.",
                "På {studies} nya studier vid {x} är {the_sv} {share_sv}."
            ),
            Some(_) => words!(
                "On {studies} fresh studies at {x} the {name} is {share}, which does not bear the number out.",
                "På {studies} nya studier vid {x} är {the_sv} {share_sv}, vilket inte bekräftar talet."
            ),
        })
        .grid(tried(found)))
}

fn answer(simulation: &Simulation) -> Result<Document, Failure> {
    let mut document = Document::new(SCHEMA, &simulation.body)?
        .grid(shown(simulation))
        .csv(full(simulation));
    if let Some(grid) = judged(simulation) {
        document = document.grid(grid);
    }
    if let Some(grid) = looked(simulation) {
        document = document.grid(grid);
    }
    if let Some(grid) = compared(simulation) {
        document = document.grid(grid);
    }
    Ok(document.text(words!(
        "Each figure stands with its Monte Carlo standard error. Bias and coverage are against the true effect among the randomized families of each study.",
        "Varje tal står med sitt Monte Carlo-fel. Skevhet och täckning gäller den sanna effekten bland de lottade familjerna i varje studie."
    )))
}
