//! `simulate --search KEY`: the smallest whole number of months, families or anything else that has a target power.
//!
//! How the number is found is [`crate::planning::search`]'s. With a folder every number that is tried has its own plan and
//! records in it, so a search that was stopped or killed goes on where it was.

use super::flaws::{failed, refused};
use super::folder::Folder;
use super::found::{Measure, body, doubts, no_answer, without_power};
use super::order::{Order, Planned};
use super::pace::Pace;
use crate::app::exit;
use crate::app::failure::Failure;
use crate::app::outside::Outside;
use crate::app::simulate::{Request, notes, read};
use crate::diagnostic::{Diagnostic, Words, nearest};
use crate::planning::judging::Judge;
use crate::planning::performance::{Figure, Moments};
use crate::planning::rounds::many_failures;
use crate::planning::scenario::{Cell, set_path};
use crate::planning::search::{BEGINNING, Found, NoAnswer, Outcome, Question, search};
use crate::planning::simulate::{Options, Threads, warnings};
use crate::planning::study::Record;
use crate::words;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Schema of the answer.
pub const SCHEMA: &str = "search/1";

/// Words that stand for a key, the key, and where it is searched unless that is said.
const KNOWN: [(&str, &str, (u64, u64)); 2] = [
    ("months", "accrual.months", (6, 60)),
    ("families", "protocol.sample_size.stop.families", (40, 2000)),
];
/// Largest end of a range.
const MOST: u64 = 1_000_000;

/// What is searched for.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// Key, or `months`, `families`.
    pub key: String,
    /// Smallest and largest number.
    pub between: Option<(u64, u64)>,
    /// Power.
    pub power: f64,
    /// Id of the analysis; the first that decides, when left out.
    pub analysis: Option<String>,
}

/// The answer.
#[derive(Debug, Clone)]
pub struct Searched {
    /// What was searched, as it was asked for.
    pub key: String,
    /// Id of the analysis.
    pub analysis: String,
    /// What the share of studies that reject is called.
    pub measure: Measure,
    /// Smallest number of the range: an interval that begins with it has no lower end of its own.
    pub least: u64,
    /// What was found.
    pub found: Found,
    /// Families randomized at each number that was tried.
    pub families: BTreeMap<u64, Figure>,
    /// The document's fields.
    pub body: Value,
}

/// Searches.
///
/// # Errors
/// A key without a range, an unknown analysis, several cells, a target that no number of the range has (exit 2); a
/// scenario that is refused (3).
pub fn searched(
    outside: &Outside,
    request: &Request,
    wanted: &Wanted,
) -> Result<Searched, Failure> {
    let (key, between) = range(wanted)?;
    refuse_set(key, &wanted.key, &request.settings)?;
    let confirm = request.options.replicates;
    let own = Request {
        options: Options {
            replicates: None,
            ..request.options
        },
        // The folder is that of all numbers, not of one order.
        out: None,
        ..request.clone()
    };
    let base = read(outside, &own)?;
    let said = of_all(&base, key, between.0)?;
    for warning in &said {
        outside.progress.warn(warning);
    }
    if let Some(few) = confirm.filter(|studies| *studies < BEGINNING) {
        return Err(Failure::new(
            exit::USAGE,
            "invalid-value",
            words!(
                "--replicates {few}: so few studies do not confirm a number",
                "--replicates {few}: så få studier bekräftar inget tal"
            ),
        )
        .help(words!(
            "at least {BEGINNING}; without --replicates there are as many as give the power an error of .005",
            "minst {BEGINNING}; utan --replicates är de så många att styrkan får felet 0,005"
        )));
    }
    let analysis = analysis(&base, wanted)?;
    let question = Question {
        between,
        power: wanted.power,
        average: base.base.cells.iter().any(Cell::is_believed),
        within: 0.02,
        most: 60_000,
        confirm,
    };
    let mut runner = Runner {
        outside,
        threads: Threads::new(request.options.threads).map_err(|error| failed(&error))?,
        base: &base.order,
        key,
        out: request.out.clone(),
        analysis: analysis.0,
        numbers: BTreeMap::new(),
        pace: Pace::new(outside),
        done: 0,
        most: question.most,
        // These are said already.
        said,
    };
    let answer = search(&question, &mut |x, from, to| runner.run(x, from, to))?;
    runner.pace.ended(runner.done);
    let measure = runner.measure();
    let is_refused = matches!(answer, Err(NoAnswer::Failed(_)));
    if !is_refused {
        runner.say_without_power(&wanted.key, &analysis.1);
    }
    let found = match answer {
        Ok(found) => found,
        Err(none) => {
            // What stands in the way of the greatest number may be why, and so may the studies there that gave no numbers.
            runner.say_of_greatest();
            let told: &[u64] = match none {
                NoAnswer::Below(_) | NoAnswer::AtTheLowEnd(_) => &[between.0],
                NoAnswer::Beyond(_) | NoAnswer::Unclear { .. } => &[between.1],
                NoAnswer::Flat => &[between.0, between.1],
                // It says so itself.
                NoAnswer::Failed(_) => &[],
            };
            for x in told {
                runner.say_of_failures(*x, &analysis.1);
            }
            let of_greatest = runner.numbers.get(&between.1);
            let reason = of_greatest.map_or("", |own| own.failures.1);
            let failed = (analysis.1.as_str(), reason);
            return Err(no_answer(
                &wanted.key,
                between,
                wanted,
                measure,
                failed,
                none,
            ));
        }
    };
    runner.say_of_cell(found.x, &analysis.1);
    for warning in doubts(&found, wanted.power, measure) {
        runner.say(warning);
    }
    let families: BTreeMap<u64, Figure> = runner
        .numbers
        .iter()
        .map(|(x, number)| (*x, number.families.mean()))
        .collect();
    let mut body = body(&base, key, &analysis.1, wanted, &found, &families);
    measure.name(&mut body, &runner.said);
    Ok(Searched {
        key: wanted.key.clone(),
        analysis: analysis.1,
        measure,
        least: between.0,
        found,
        families,
        body,
    })
}

/// What is to be said of the scenario whatever the number is: what it and the smallest number share.
fn of_all(base: &Planned, key: &str, least: u64) -> Result<Vec<Diagnostic>, Failure> {
    let mut said = notes(base)?;
    let other = base.order.with(&format!("{key}={least}")).planned();
    // Where the smallest number is refused the search says so itself.
    if let Ok(of_least) = other.and_then(|least| notes(&least)) {
        said.retain(|own| of_least.contains(own));
    }
    Ok(said)
}

fn range(wanted: &Wanted) -> Result<(&str, (u64, u64)), Failure> {
    let name = &wanted.key;
    let known = KNOWN
        .iter()
        .find(|(word, key, _)| word == name || key == name);
    let key = known.map_or(name.as_str(), |(_, key, _)| key);
    // A key without a section is a short name, or nothing that could be searched.
    if !set_path(key).contains('.') {
        return Err(unknown_key(name));
    }
    let between = wanted.between.or(known.map(|(.., between)| *between));
    let Some(between) = between else {
        return Err(Failure::new(
            exit::USAGE,
            "missing-option",
            words!(
                "missing: --between, the range of `{name}`",
                "saknas: --between, intervallet för `{name}`"
            ),
        )
        .help(Words::new(
            "the smallest and the largest number: --between 10,40",
            "det minsta och det största talet: --between 10,40",
        )));
    };
    if !(1..between.1).contains(&between.0) || between.1 > MOST {
        return Err(Failure::new(
            exit::USAGE,
            "invalid-value",
            words!("--between is no range", "--between är inget intervall"),
        )
        .help(words!(
            "two whole numbers from 1 to {MOST}, the smaller first: --between 10,40",
            "två heltal från 1 till {MOST}, det mindre först: --between 10,40"
        )));
    }
    if !(wanted.power > 0.05 && wanted.power < 0.999) {
        return Err(Failure::new(
            exit::USAGE,
            "invalid-value",
            words!("--power is no target", "--power är inget mål"),
        )
        .help(Words::new(
            "a number above 0.05 and below 0.999: --power 0.8",
            "ett tal större än 0,05 och mindre än 0,999: --power 0.8",
        )));
    }
    Ok((key, between))
}

fn unknown_key(name: &str) -> Failure {
    let words = ["months", "families", "therapists"];
    let help = match nearest(name, words) {
        Some(near) => words!("did you mean `{near}`?", "menade du `{near}`?"),
        None => Words::new(
            "months, families, or the path of a whole number with its range: --search accrual.months --between 6,60",
            "months, families, eller sökvägen till ett heltal med dess intervall: --search accrual.months --between 6,60",
        ),
    };
    Failure::new(
        exit::USAGE,
        "unknown-key",
        words!(
            "there is no `{name}` to search for",
            "det finns inget `{name}` att söka"
        ),
    )
    .help(help)
}

/// What is searched for is not set beside: the search would pass over the setting.
fn refuse_set(key: &str, name: &str, settings: &[String]) -> Result<(), Failure> {
    let path = set_path(key);
    let same = |own: &&String| {
        own.split_once('=')
            .is_some_and(|(own, _)| set_path(own.trim()) == path)
    };
    let Some(own) = settings.iter().find(same) else {
        return Ok(());
    };
    Err(Failure::new(
        exit::USAGE,
        "conflicting-options",
        words!(
            "`--set {own}` sets what `--search {name}` is to find",
            "`--set {own}` anger det som `--search {name}` ska hitta"
        ),
    )
    .help(words!(
        "leave `--set {own}` out, or simulate that number without --search",
        "utelämna `--set {own}`, eller simulera det talet utan --search"
    )))
}

/// Place and id of the analysis, within the only cell.
fn analysis(base: &Planned, wanted: &Wanted) -> Result<(usize, String), Failure> {
    let [cell] = base.base.cells.as_slice() else {
        let cells = base.base.cells.len();
        return Err(Failure::new(
            exit::USAGE,
            "search-one-cell",
            words!(
                "the scenario has {cells} cells, and a search is for one",
                "scenariot har {cells} celler, och en sökning gäller en"
            ),
        )
        .help(Words::new(
            "choose one with --set for each key of the grid",
            "välj en med --set för varje nyckel i rutnätet",
        )));
    };
    let names = cell.names();
    let ids: Vec<&str> = names.iter().map(String::as_str).collect();
    let judge = Judge::of(cell, base.order.options(None).draws_in(cell));
    let limits = judge.limits();
    match &wanted.analysis {
        None => limits.iter().position(Option::is_some),
        Some(id) => Some(ids.iter().position(|own| own == id).ok_or_else(|| {
            let what = Words::new("analysis of the scenario", "analys i scenariot");
            Failure::unknown_id(&what, id, ids.iter().copied())
        })?),
    }
    .filter(|place| limits[*place].is_some())
    .map(|place| (place, ids[place].to_owned()))
    .ok_or_else(|| {
        Failure::new(
            exit::USAGE,
            "interim-descriptive",
            Words::new(
                "the analysis decides nothing and has no power",
                "analysen avgör ingenting och har ingen styrka",
            ),
        )
        .help(Words::new(
            "name one that decides with --analysis",
            "ange en som avgör med --analysis",
        ))
    })
}

/// A number that is tried.
struct Number<'a> {
    planned: Planned,
    judge: Judge,
    folder: Option<Folder<'a>>,
    families: Moments,
    /// What is to be said if it is the answer.
    notes: Vec<Diagnostic>,
    /// Studies whose analysis gave no numbers, and why the first of them gave none.
    failures: (u64, &'static str),
}

struct Runner<'a> {
    outside: &'a Outside,
    threads: Threads,
    base: &'a Order,
    key: &'a str,
    out: Option<PathBuf>,
    analysis: usize,
    numbers: BTreeMap<u64, Number<'a>>,
    pace: Pace<'a>,
    done: u64,
    most: u64,
    /// Warnings that were said.
    said: Vec<Diagnostic>,
}

impl Runner<'_> {
    fn begin(&mut self, x: u64) -> Result<(), Failure> {
        if self.numbers.contains_key(&x) {
            return Ok(());
        }
        let planned = self.base.with(&format!("{}={x}", self.key)).planned()?;
        // A number may be one of redraws.
        let notes = notes(&planned)?;
        let options = planned.order.options(None);
        let cell = planned.base.cells.first();
        let judge = cell.map(|cell| Judge::of(cell, options.draws_in(cell)));
        let folder = match &self.out {
            None => None,
            Some(out) => {
                let path = out.join(format!("{}-{x}", self.key));
                let mut folder = Folder::begin(self.outside, &path, &planned, false)?;
                folder.discard_damaged();
                Some(folder)
            }
        };
        self.numbers.insert(
            x,
            Number {
                planned,
                judge: judge.unwrap_or_default(),
                folder,
                families: Moments::default(),
                notes,
                failures: (0, ""),
            },
        );
        Ok(())
    }

    /// Says a warning, and keeps it for the answer.
    fn say(&mut self, warning: Diagnostic) {
        if !self.said.contains(&warning) {
            self.outside.progress.warn(&warning);
            self.said.push(warning);
        }
    }

    /// What the share of studies that reject is called: a parameter that has a prior still has it when another is searched.
    fn measure(&self) -> Measure {
        let mut cells = self
            .numbers
            .values()
            .flat_map(|own| &own.planned.base.cells);
        if cells.any(Cell::is_believed) {
            Measure::Assurance
        } else {
            Measure::Power
        }
    }

    /// That some numbers have no power, since no study gave any numbers there.
    fn say_without_power(&mut self, key: &str, analysis: &str) {
        let all = |own: &Number<'_>| own.failures.0 > 0 && own.failures.0 == own.families.count();
        let without = self.numbers.iter().filter(|(_, own)| all(own));
        let (numbers, reasons): (Vec<u64>, Vec<&str>) =
            without.map(|(x, own)| (*x, own.failures.1)).unzip();
        let reason = reasons.first().copied().unwrap_or_default();
        let said = without_power(key, analysis, &numbers, reason, self.measure());
        if let Some(own) = said {
            self.say(own);
        }
    }

    /// What is to be said of the greatest number that was tried.
    fn say_of_greatest(&mut self) {
        let greatest = self.numbers.values().next_back();
        for own in greatest.map(|own| own.notes.clone()).unwrap_or_default() {
            self.say(own);
        }
    }

    /// What a simulation at the number that was found would say of itself and its figures.
    fn say_of_cell(&mut self, x: u64, analysis: &str) {
        let Some(number) = self.numbers.get(&x) else {
            return;
        };
        let Some(cell) = number.planned.base.cells.first() else {
            return;
        };
        let found = warnings(cell, &self.base.options(None));
        for own in number.notes.clone() {
            self.say(own);
        }
        for own in found {
            self.say(Diagnostic::warning(own.code, own.message));
        }
        self.say_of_failures(x, analysis);
    }

    /// That many of the studies at a number gave the analysis no numbers, if many did: the power there is told with them as not
    /// rejecting.
    fn say_of_failures(&mut self, x: u64, analysis: &str) {
        let Some(number) = self.numbers.get(&x) else {
            return;
        };
        let Some(cell) = number.planned.base.cells.first() else {
            return;
        };
        let counts = (number.failures.0, number.families.count());
        if let Some(own) = many_failures(analysis, &cell.id, counts, number.failures.1) {
            self.say(Diagnostic::warning(own.code, own.message));
        }
    }

    fn run(&mut self, x: u64, from: u64, to: u64) -> Result<Vec<Outcome>, Failure> {
        self.begin(x)?;
        let options = self.base.options(None);
        let Some(number) = self.numbers.get_mut(&x) else {
            return Ok(Vec::new());
        };
        let [cell, ..] = number.planned.base.cells.as_slice() else {
            return Ok(Vec::new());
        };
        let records: Vec<Record> = match &mut number.folder {
            None => self
                .threads
                .records(cell, &options, from, to)
                .map_err(|error| failed(&error))?,
            Some(folder) => {
                let with = (&self.threads, &options);
                let range = from..to;
                folder.ensure(&number.planned, with, (0, 0), &range, None, &mut |_| {})?;
                let out = self.out.clone().unwrap_or_default();
                folder
                    .read(0, &range)?
                    .map_err(|flaws| refused(folder, &number.planned, &out, &flaws, &[]))?
            }
        };
        self.done += to - from;
        self.pace
            .ran(to - from, self.done, self.done.max(self.most));
        Ok(records
            .iter()
            .map(|record| {
                number.families.add(f64::from(record.families));
                let own = record.analyses.get(self.analysis);
                let failure = own.and_then(|own| own.found.as_ref().err());
                if let Some(code) = failure {
                    if number.failures.0 == 0 {
                        number.failures.1 = code;
                    }
                    number.failures.0 += 1;
                }
                let rejected = number.judge.rejects(record);
                Outcome {
                    failed: failure.is_some(),
                    rejected: rejected.get(self.analysis).copied().unwrap_or(false),
                    families: record.families,
                }
            })
            .collect())
    }
}
