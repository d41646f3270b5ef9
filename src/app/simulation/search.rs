//! `simulate --search KEY`: the smallest whole number of months, families or anything else that has a target power.
//!
//! How the number is found is [`crate::planning::search`]'s. With a folder every number that is tried has its own plan and
//! records in it, so a search that was stopped or killed goes on where it was.

use super::flaws::{failed, refused};
use super::folder::Folder;
use super::order::{Order, Planned};
use super::pace::Pace;
use crate::app::exit;
use crate::app::failure::Failure;
use crate::app::outside::Outside;
use crate::app::simulate::{Request, of_redraws, planned};
use crate::diagnostic::{Diagnostic, Words};
use crate::planning::performance::{Figure, Moments};
use crate::planning::rounds::limits;
use crate::planning::search::{
    BEGINNING, Contradiction, Found, NoAnswer, Outcome, Question, search,
};
use crate::planning::simulate::{Options, Threads};
use crate::planning::study::Record;
use crate::words;
use serde_json::{Value, json};
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
    let base = planned(outside, &own)?;
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
        said: base.base.warnings.iter().map(|own| own.code).collect(),
    };
    let answer = search(&question, &mut |x, from, to| runner.run(x, from, to))?;
    runner.pace.ended(runner.done);
    let found = answer.map_err(|none| no_answer(&wanted.key, between, wanted.power, none))?;
    let families: BTreeMap<u64, Figure> = runner
        .numbers
        .iter()
        .map(|(x, number)| (*x, number.families.mean()))
        .collect();
    warn(outside, wanted, &found);
    let body = body(&base, key, &analysis.1, wanted, &found, &families);
    Ok(Searched {
        key: wanted.key.clone(),
        analysis: analysis.1,
        found,
        families,
        body,
    })
}

fn range(wanted: &Wanted) -> Result<(&str, (u64, u64)), Failure> {
    let known = KNOWN.iter().find(|(word, ..)| *word == wanted.key);
    let key = known.map_or(wanted.key.as_str(), |(_, key, _)| key);
    let between = wanted.between.or(known.map(|(.., between)| *between));
    let name = &wanted.key;
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
    let ids: Vec<&str> = cell
        .scenario
        .analyses
        .iter()
        .map(|index| cell.protocol.analyses[*index].id.as_str())
        .collect();
    let limits = limits(cell);
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
    limit: f64,
    folder: Option<Folder<'a>>,
    families: Moments,
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
    /// Codes of the warnings that were said.
    said: Vec<&'static str>,
}

impl Runner<'_> {
    fn begin(&mut self, x: u64) -> Result<(), Failure> {
        if self.numbers.contains_key(&x) {
            return Ok(());
        }
        let planned = self.base.with(&format!("{}={x}", self.key)).planned()?;
        for warning in &planned.base.warnings {
            if !self.said.contains(&warning.code) {
                self.said.push(warning.code);
                self.outside.progress.warn(warning);
            }
        }
        // A number may be one of redraws.
        of_redraws(&planned)?;
        let limit = planned.base.cells.first().map(limits);
        let limit = limit.and_then(|limits| limits.get(self.analysis).copied().flatten());
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
                limit: limit.unwrap_or(0.0),
                folder,
                families: Moments::default(),
            },
        );
        Ok(())
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
                Outcome {
                    rejected: own.is_some_and(|own| own.rejects(number.limit)),
                    families: record.families,
                }
            })
            .collect())
    }
}

fn no_answer(key: &str, between: (u64, u64), target: f64, none: NoAnswer) -> Failure {
    let shown = |figure: Figure| {
        let number = |value: Option<f64>| format!("{:.3}", value.unwrap_or(0.0));
        if let Some(bound) = figure.bound() {
            let own = format!("{:.0}", figure.value.unwrap_or(0.0));
            let end = format!("{:.*}", bound.places, bound.value);
            let comma = end.replace('.', ",");
            return if bound.at_most {
                (
                    format!("{own} (at most {end})"),
                    format!("{own} (högst {comma})"),
                )
            } else {
                (
                    format!("{own} (at least {end})"),
                    format!("{own} (minst {comma})"),
                )
            };
        }
        let text = format!("{} ± {}", number(figure.value), number(figure.mcse));
        (text.clone(), text.replace('.', ","))
    };
    let (low, high) = between;
    let (code, message) = match none {
        NoAnswer::Beyond(power) => {
            let (en, sv) = shown(power);
            (
                "search-beyond",
                words!(
                    "even at {key} = {high} the power is {en}, not {target}",
                    "även vid {key} = {high} är styrkan {sv}, inte {target}"
                ),
            )
        }
        NoAnswer::Below(power) => {
            let (en, sv) = shown(power);
            (
                "search-below",
                words!(
                    "already at {key} = {low} the power is {en}, more than {target}",
                    "redan vid {key} = {low} är styrkan {sv}, mer än {target}"
                ),
            )
        }
        NoAnswer::Flat => (
            "search-flat",
            words!(
                "between {low} and {high} the power does not grow with {key}",
                "mellan {low} och {high} ökar inte styrkan med {key}"
            ),
        ),
        NoAnswer::Unclear(power) => {
            let (en, sv) = shown(power);
            (
                "search-unclear",
                words!(
                    "the power ends near {target}: at {key} = {high} it is {en}, and all studies together do not tell from which number on it is {target}, if from any",
                    "styrkan slutar nära {target}: vid {key} = {high} är den {sv}, och alla studier tillsammans avgör inte från vilket tal den är {target}, om från något"
                ),
            )
        }
    };
    Failure::new(exit::USAGE, code, message).help(Words::new(
        "search another range with --between, or change the scenario with --set",
        "sök i ett annat intervall med --between, eller ändra scenariot med --set",
    ))
}

fn warn(outside: &Outside, wanted: &Wanted, found: &Found) {
    if !found.is_narrow {
        outside.progress.warn(&Diagnostic::warning(
            "search-not-narrow",
            Words::new(
                "the search ended before its interval was as narrow as it should be: the number is known less well",
                "sökningen slutade innan intervallet var så smalt som det borde vara: talet är sämre känt",
            ),
        ));
    }
    let words = match found.contradiction(wanted.power) {
        None => return,
        Some(Contradiction::TooSmall) => Words::new(
            "fresh studies have less power than the target: do not rely on the number, search again with another --seed",
            "nya studier har lägre styrka än målet: lita inte på talet, sök igen med ett annat --seed",
        ),
        Some(Contradiction::TooLarge) => Words::new(
            "fresh studies have more power than the curve says: a smaller number may do, search again within a narrower --between",
            "nya studier har högre styrka än kurvan säger: ett mindre tal kan räcka, sök igen i ett smalare --between",
        ),
    };
    let warning = Diagnostic::warning("search-not-confirmed", words);
    outside.progress.warn(&warning);
}

fn body(
    base: &Planned,
    path: &str,
    analysis: &str,
    wanted: &Wanted,
    found: &Found,
    families: &BTreeMap<u64, Figure>,
) -> Value {
    let fit = &found.fit;
    let tried: Vec<Value> = found
        .tried
        .iter()
        .map(|own| {
            json!({
                "number": own.x,
                "replicates": own.rejected.len(),
                "power": own.power(),
                "fitted": fit.power(own.x as f64),
                "families": families.get(&own.x),
            })
        })
        .collect();
    let (from, replicates, _) = found.confirmed;
    json!({
        "searched": path,
        "analysis": analysis,
        "target_power": wanted.power,
        "value": found.x,
        "estimate": fit.estimate,
        "conf_low": fit.low,
        "conf_high": fit.high,
        "value_low": found.whole.0,
        "value_high": found.whole.1,
        "level": 0.95,
        "confirmed": {
            "power": found.confirmed_power(),
            "replicates": replicates,
            "first_replicate": from,
            "contradicted": found.contradiction(wanted.power).is_some(),
        },
        "families": families.get(&found.x),
        "curve": {
            "by": fit.by.text(),
            "intercept": fit.a,
            "slope_by_root": fit.b,
            "lack_of_fit": fit.lack_of_fit.map(|(chi_square, df, p)| json!({"chi_square": chi_square, "df": df, "p_value": p})),
        },
        "tried": tried,
        "seed": base.order.seed,
        "version": env!("CARGO_PKG_VERSION"),
    })
}
