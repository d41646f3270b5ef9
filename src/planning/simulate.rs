//! Many studies in parallel, with an answer whose bytes depend on scenario, seed and number of replicates alone.
//!
//! Replicates are cut into short blocks; a thread that is free takes the next one, and blocks are added in order. Which
//! thread ran what therefore leaves no trace, and no thread waits for another longer than a block takes.

use super::judging::Judge;
use super::kernel_tier::Kernel;
use super::performance::{
    AnalysisPerformance, Figure, LooksPerformance, PairedPower, Rejections, StudyPerformance,
};
use super::reach::{pairs_not_analysed, quoted, reports_alone};
use super::record::{Drawn, Record};
use super::rounds::{no_true_effect, summarize};
use super::scenario::{Believed, Cell, Engine, Plan, Refused};
use super::sizing::Sizing;
use super::study::Simulator;
use crate::analysis::plan::limit;
use crate::diagnostic::Words;
use crate::estimation::Warning;
use crate::protocol::model::Day;
use crate::study::kernel::Refusal;
use crate::words;
use std::sync::atomic::{AtomicU64, Ordering};

/// Studies that one thread runs in one piece: few, for the last of a round are waited for.
const BLOCK: u64 = 4;

/// What is asked for beside the scenario.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// Seed; the same seed gives the same families.
    pub seed: u64,
    /// Studies per cell, instead of the scenario's number and stopping rule.
    pub replicates: Option<u64>,
    /// Redraws per randomization test, instead of the scenario's; 0 decides by the estimator's own p-value.
    pub draws: Option<u32>,
    /// Threads; `None` takes all processors.
    pub threads: Option<usize>,
}

impl Options {
    /// Studies of a cell, unless it stops early.
    pub fn wanted(&self, cell: &Cell) -> u64 {
        self.replicates
            .unwrap_or(cell.scenario.precision.replicates)
    }

    /// Redraws of each randomization test of a cell.
    pub fn draws_in(&self, cell: &Cell) -> u32 {
        self.draws.unwrap_or(cell.scenario.precision.draws)
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            seed: 1,
            replicates: None,
            draws: None,
            threads: None,
        }
    }
}

/// What one cell shows.
#[derive(Debug, Clone, PartialEq)]
pub struct CellPerformance {
    /// Identifier of the cell.
    pub cell: String,
    /// What the grid sets.
    pub parameters: Vec<(String, toml::Value)>,
    /// Hash of the protocol that was run, as 64 hexadecimal digits.
    pub protocol_hash: String,
    /// Whether the cell stopped because it was precise enough.
    pub stopped_early: bool,
    /// Redraws of each randomization test; 0 for none.
    pub draws: u32,
    /// What ran the studies.
    pub engine: Engine,
    /// Ids and performance of the analyses.
    pub analyses: Vec<(String, AnalysisPerformance)>,
    /// How enrolment and allocation went.
    pub studies: StudyPerformance,
    /// Place of the monitored analysis among `analyses`, and how the looks at it went.
    pub looks: Option<(usize, LooksPerformance)>,
    /// What a study costs, where the scenario says what things cost.
    pub cost: Option<Figure>,
    /// Last days of the calendar months of enrolment, beside `studies.reached`.
    pub month_ends: Vec<Day>,
    /// Whether power is an assurance: something that studies live by has a prior.
    pub believed: bool,
    /// Parameters that are drawn from a prior.
    pub priors: Vec<String>,
    /// Hash of everything that the cell is made of.
    pub content: String,
    /// Which studies rejected, per analysis, where cells share their families: see [`compare`].
    pub rejections: Vec<Option<Rejections>>,
    /// What a reader of the figures should know.
    pub warnings: Vec<Warning>,
}

/// What the share of studies that reject is called where cells stand together: an alternative that sets what has a prior has a power
/// beside an assurance.
pub fn share_name(cells: &[CellPerformance]) -> Words {
    let believed = cells.iter().filter(|cell| cell.believed).count();
    match believed {
        0 => Words::new("power", "styrka"),
        _ if believed == cells.len() => Words::new("assurance", "assurance"),
        _ => Words::new("power or assurance", "styrka eller assurance"),
    }
}

/// Why a simulation gives no answer.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum SimulationError {
    /// No study of a cell could be analysed, or none of the first fifty.
    #[error("none of {replicates} studies of the cell {cell} could be analysed: {reason}")]
    AllFailed {
        /// Studies.
        replicates: u64,
        /// The cell.
        cell: String,
        /// The analysis.
        analysis: String,
        /// Code of the first failure.
        reason: &'static str,
    },
    /// The kernel refused what a world must be able to do.
    #[error("replicate {replicate} of the cell {cell} was refused: {refusal:?}")]
    Refused {
        /// The cell.
        cell: String,
        /// The replicate.
        replicate: u64,
        /// The refusal.
        refusal: Refusal,
    },
    /// What was drawn from priors does not go together.
    #[error("what priors gave in replicate {replicate} of the cell {cell} is no scenario")]
    Drawn {
        /// The cell.
        cell: String,
        /// The replicate.
        replicate: u64,
        /// What was drawn.
        values: Vec<(String, f64)>,
        /// What is wrong with it.
        refused: Box<Refused>,
    },
    /// Threads could not be started.
    #[error("threads could not be started: {reason}")]
    Threads {
        /// Why.
        reason: String,
    },
}

impl SimulationError {
    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::AllFailed { .. } => "all-replicates-failed",
            Self::Refused { .. } => "replicate-refused",
            Self::Drawn { .. } => "prior-impossible-together",
            Self::Threads { .. } => "no-threads",
        }
    }

    /// What is wrong.
    pub fn words(&self) -> Words {
        match self {
            Self::AllFailed {
                replicates,
                cell,
                analysis,
                reason,
            } => words!(
                "none of {replicates} simulated studies of the cell `{cell}` could be analysed by `{analysis}` (the first one: {reason})",
                "ingen av {replicates} simulerade studier i cellen `{cell}` gick att analysera med `{analysis}` (den första: {reason})"
            ),
            Self::Drawn {
                cell,
                replicate,
                values,
                refused,
            } => {
                let drawn = values
                    .iter()
                    .map(|(key, value)| format!("`{key} = {value}`"));
                let drawn = drawn.collect::<Vec<_>>().join(", ");
                let finding = refused
                    .diagnostics
                    .iter()
                    .find(|finding| finding.is_error());
                let message = finding.map_or_else(|| Words::same(""), |own| own.message.clone());
                Words::new(
                    format!(
                        "replicate {replicate} of the cell `{cell}` drew {drawn} from its priors, which do not go together: {}",
                        message.en
                    ),
                    format!(
                        "upprepning {replicate} i cellen `{cell}` drog {drawn} ur sina priorer, vilket inte går ihop: {}",
                        message.sv
                    ),
                )
            }
            Self::Refused {
                cell,
                replicate,
                refusal,
            } => words!(
                "replicate {replicate} of the cell `{cell}` did what the study refuses ({refusal:?}): a defect of the simulator",
                "upprepning {replicate} i cellen `{cell}` gjorde något som studien avvisar ({refusal:?}): ett fel i simulatorn"
            ),
            Self::Threads { reason } => words!(
                "threads could not be started: {reason}",
                "trådar kunde inte startas: {reason}"
            ),
        }
    }
}

/// Runs every cell of a plan. `progress` is told how many studies of how many are done, and may be called often.
///
/// ```no_run
/// use lottning::planning::scenario::plan;
/// use lottning::planning::simulate::{Options, simulate};
/// # let (scenario, protocol) = (String::new(), String::new());
/// let plan = plan(&scenario, &protocol, &[]).map_err(|refused| format!("{refused:?}"))?;
/// let cells = simulate(&plan, &Options::default(), &|_, _| {}).map_err(|error| error.to_string())?;
/// println!("{:?}", cells[0].analyses[0].1.power);
/// # Ok::<(), String>(())
/// ```
///
/// # Errors
/// [`SimulationError`]; a cell without a single analysed study is an error, never power 0.
pub fn simulate(
    plan: &Plan,
    options: &Options,
    progress: &(dyn Fn(u64, u64) + Sync),
) -> Result<Vec<CellPerformance>, SimulationError> {
    let threads = Threads::new(options.threads)?;
    let total: u64 = plan.cells.iter().map(|cell| options.wanted(cell)).sum();
    let mut before = 0;
    let mut answer = Vec::with_capacity(plan.cells.len());
    for cell in &plan.cells {
        let mut studies = |_, from, to| threads.records(cell, options, from, to);
        let done = |cell_done: u64| progress(before + cell_done, total);
        let (found, _) = summarize::<SimulationError>(&[cell], options, &mut studies, &done)?;
        answer.extend(found);
        before += options.wanted(cell);
        progress(before, total);
    }
    compare(answer.iter_mut());
    Ok(answer)
}

/// Sets every cell beside the first one, study by study, where they share their families: each comparison beside the one of its
/// name there, if there is one.
pub fn compare<'a>(cells: impl IntoIterator<Item = &'a mut CellPerformance>) {
    let mut cells = cells.into_iter();
    let Some(first) = cells.next() else { return };
    for cell in cells {
        for ((id, own), here) in cell.analyses.iter_mut().zip(&cell.rejections) {
            let same = first.analyses.iter().position(|(other, _)| other == id);
            let there = same.and_then(|place| first.rejections.get(place)?.as_ref());
            let both = here.as_ref().zip(there);
            own.difference = both.and_then(|(here, there)| PairedPower::between(here, there));
        }
    }
}

/// The threads that run studies.
#[derive(Debug)]
pub struct Threads(rayon::ThreadPool);

impl Threads {
    /// So many threads; `None` takes all processors.
    ///
    /// # Errors
    /// [`SimulationError::Threads`].
    pub fn new(threads: Option<usize>) -> Result<Self, SimulationError> {
        rayon::ThreadPoolBuilder::new()
            .num_threads(threads.unwrap_or(0))
            .build()
            .map(Self)
            .map_err(|error| SimulationError::Threads {
                reason: error.to_string(),
            })
    }

    /// The studies `from..to` of a cell, in order. Keep the range to some thousand: they are all held in memory.
    ///
    /// # Errors
    /// [`SimulationError::Refused`] and [`SimulationError::Drawn`].
    pub fn records(
        &self,
        cell: &Cell,
        options: &Options,
        from: u64,
        to: u64,
    ) -> Result<Vec<Record>, SimulationError> {
        self.0.install(|| round(cell, options, from, to))
    }
}

/// What the figures of a cell do not say by themselves.
pub fn warnings(cell: &Cell, options: &Options) -> Vec<Warning> {
    let mut warnings = Judge::of(cell, options.draws_in(cell)).warnings(cell);
    for index in &cell.scenario.analyses {
        let analysis = &cell.protocol.analyses[*index];
        // Bounds decide nothing either, at any lock.
        if limit(&cell.protocol, analysis).is_none() {
            let id = &analysis.id;
            warnings.push(Warning::new(
                "interim-descriptive",
                words!(
                    "`{id}` belongs to an interim lock that spends no alpha: it decides nothing and has no power",
                    "`{id}` hör till en interimslåsning som inte förbrukar något alfa: den avgör ingenting och har ingen styrka"
                ),
            ));
        }
    }
    warnings.extend(looks_left_out(cell));
    warnings.extend(no_true_effect(cell));
    if options.draws_in(cell) > 0 && cell.scenario.precision.null_replicates > 0 {
        warnings.extend(size_not_shown(cell));
    }
    let believed = cell.believed_keys();
    if !believed.is_empty() {
        let (keys, are) = (
            quoted(&believed),
            if believed.len() > 1 { "are" } else { "is" },
        );
        warnings.push(Warning::new(
            "power-is-assurance",
            words!(
                "{keys} {are} drawn from a prior in each study: the share of studies that reject is an assurance, an average over what is believed, and stands under that name",
                "{keys} dras ur en prior i varje studie: andelen studier som förkastar är en assurance, ett medelvärde över det som antas, och står under det namnet"
            ),
        ));
    }
    warnings.extend(pairs_not_analysed(cell));
    warnings.extend(reports_alone(cell));
    warnings
}

/// That the protocol has looks at an analysis that the scenario leaves out: nobody stops these studies.
fn looks_left_out(cell: &Cell) -> Option<Warning> {
    let mut all = cell.protocol.analyses.iter().enumerate();
    let (_, own) =
        all.find(|(index, own)| !own.looks.is_empty() && !cell.scenario.analyses.contains(index))?;
    let id = &own.id;
    Some(Warning::new(
        "looks-left-out",
        words!(
            "the protocol has looks at `{id}`, which the scenario leaves out: nobody holds them, and no study is stopped",
            "protokollet har tittar på `{id}`, som scenariot utelämnar: ingen håller dem, och ingen studie stoppas"
        ),
    ))
}

/// Of which tests behind the gate the size is not shown, and why.
fn size_not_shown(cell: &Cell) -> Vec<Warning> {
    let scenario = &cell.scenario;
    let hidden = scenario
        .analyses
        .iter()
        .filter(|index| Sizing::of(&cell.protocol, scenario, **index) == Sizing::LengthDiffers);
    let ids = hidden.map(|index| &cell.protocol.analyses[*index].id);
    ids.map(|id| {
        Warning::new(
            "size-not-shown",
            words!(
                "the size of the test of `{id}` behind the gate is not shown: its outcome depends on when the investigation closes, which differs between the arms without any effect too",
                "nivån för testet av `{id}` bakom spärren visas inte: dess utfall beror på när utredningen avslutas, vilket skiljer mellan armarna även utan effekt"
            ),
        )
    })
    .collect()
}

/// Records of a block, by its number.
type Block = (u64, Result<Vec<Record>, SimulationError>);

/// The studies `from..to` in order, run by all threads of the pool.
fn round(
    cell: &Cell,
    options: &Options,
    from: u64,
    to: u64,
) -> Result<Vec<Record>, SimulationError> {
    let blocks = (to - from).div_ceil(BLOCK);
    let draws = options.draws_in(cell);
    let next = AtomicU64::new(0);
    // A simulator a thread, whose memory is warm after its first study.
    let run = |_: rayon::BroadcastContext<'_>| -> Vec<Block> {
        let mut running = None;
        let mut own = Vec::new();
        loop {
            let block = next.fetch_add(1, Ordering::Relaxed);
            if block >= blocks {
                return own;
            }
            let running = running.get_or_insert_with(|| Running::new(cell, options.seed, draws));
            let first = from + block * BLOCK;
            let numbers = first..to.min(first + BLOCK);
            let records = numbers.map(|number| study(cell, options, running, number));
            own.push((block, records.collect()));
        }
    };
    let mut found: Vec<Block> = rayon::broadcast(run).into_iter().flatten().collect();
    found.sort_unstable_by_key(|(block, _)| *block);
    let mut records = Vec::with_capacity((to - from) as usize);
    for (_, block) in found {
        records.extend(block?);
    }
    Ok(records)
}

/// One study.
fn study(
    cell: &Cell,
    options: &Options,
    running: &mut Running<'_>,
    replicate: u64,
) -> Result<Record, SimulationError> {
    let refused = |refusal| SimulationError::Refused {
        cell: cell.id.clone(),
        replicate,
        refusal,
    };
    let believed = match running {
        Running::Known(simulator) => return simulator.study(replicate).map_err(refused),
        Running::Believed(believed) => believed,
    };
    let own = believed.in_replicate(replicate);
    let own = own.map_err(|found| SimulationError::Drawn {
        cell: cell.id.clone(),
        replicate,
        values: cell.drawn(options.seed, replicate),
        refused: Box::new(found),
    })?;
    let mut simulator = Runner::new(own, options.seed, options.draws_in(cell));
    let mut record = simulator.study(replicate).map_err(refused)?;
    record.drawn = Some(Drawn {
        cost: own.scenario.cost.map(|cost| cost.of(own, &record)),
        target: own.protocol.sample_size.target,
    });
    Ok(record)
}

/// What runs a cell's studies: one simulator or, with priors, one for the cell as it is in each replicate.
#[derive(Debug)]
enum Running<'c> {
    Known(Runner<'c>),
    Believed(Box<Believed<'c>>),
}

impl<'c> Running<'c> {
    fn new(cell: &'c Cell, seed: u64, draws: u32) -> Self {
        if cell.priors.is_empty() {
            Self::Known(Runner::new(cell, seed, draws))
        } else {
            Self::Believed(Box::new(Believed::new(cell, seed)))
        }
    }
}

/// One of the two engines.
#[derive(Debug)]
enum Runner<'c> {
    Study(Box<Simulator<'c>>),
    Kernel(Box<Kernel<'c>>),
}

impl<'c> Runner<'c> {
    fn new(cell: &'c Cell, seed: u64, draws: u32) -> Self {
        match cell.scenario.engine {
            Engine::Study => Self::Study(Box::new(Simulator::new(cell, seed).with_draws(draws))),
            Engine::Kernel => Self::Kernel(Box::new(Kernel::new(cell, seed).with_draws(draws))),
        }
    }

    fn study(&mut self, replicate: u64) -> Result<Record, Refusal> {
        match self {
            Self::Study(own) => own.study(replicate),
            Self::Kernel(own) => own.study(replicate),
        }
    }
}
