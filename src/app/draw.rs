//! `draw`: one randomization method on its own: a list of arms, or the method's operating characteristics.
//!
//! Lists have the mode `draw`, so none of them can ever show what a study will draw. Values are not scanned for
//! personal numbers: nothing here enters a study.

use crate::allocation::{
    self, Characteristics, Figure, Levels, MAX_ARMS, METHODS, Options, Ratio, Refusal, Seed,
    check_options, choose, read_ratio,
};
use crate::diagnostic::{Diagnostic, Words};
use crate::words;
use std::collections::BTreeMap;

use super::arrivals;
use super::exit;
use super::failure::Failure;
use super::guessable::{Guessed, guessable};
use super::harder::{Setting, Written};
use super::outside::Outside;
use super::tables::DialectText;

/// What every drawing needs.
#[derive(Debug, Clone)]
pub struct Draw {
    /// Id of the method.
    pub method: String,
    /// Options of the method by their protocol names.
    pub options: Options,
    /// Names of the arms; `a`, `b`, … if not given.
    pub arms: Option<Vec<String>>,
    /// The ratio as text; equal parts if not given.
    pub ratio: Option<String>,
    /// The seed; see [`read_seed`]. Characteristics go without one: then [`DEFAULT_SEED`] is that of what is simulated.
    pub seed: Option<Seed>,
}

/// The seed of simulated characteristics when none is given: the number 1, as in `simulate`.
pub const DEFAULT_SEED: &str = "0000000000000000000000000000000000000000000000000000000000000001";

/// For whom a list is drawn.
#[derive(Debug, Clone)]
pub enum Arrivals {
    /// So many units, without strata.
    Count(u64),
    /// A file with a row for each arrival, in order.
    File {
        /// Path; `-` is standard input.
        path: String,
        /// The columns that stratify; none for one list.
        by: Vec<String>,
        /// What a person settled about how the file is written.
        dialect: DialectText,
    },
}

/// Units of one list, with the number of levels of each factor among them.
struct Units {
    number: f64,
    levels: Vec<usize>,
    arrived: Vec<Levels>,
}

impl Units {
    fn alike(n: u64) -> Self {
        Self {
            number: n as f64,
            levels: Vec::new(),
            arrived: Vec::new(),
        }
    }

    fn of(units: Vec<Levels>) -> Self {
        let mut levels = Vec::new();
        for unit in &units {
            let own = unit.as_slice();
            levels.resize(own.len().max(levels.len()), 1);
            for (most, level) in levels.iter_mut().zip(own) {
                *most = (*most).max(usize::from(*level) + 1);
            }
        }
        Self {
            number: units.len() as f64,
            levels,
            arrived: units,
        }
    }
}

/// A list that was drawn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct List {
    /// Names of the arms.
    pub arms: Vec<String>,
    /// The allocations in order of arrival.
    pub rows: Vec<allocation::Row>,
}

/// Operating characteristics, with what a person should know of them.
#[derive(Debug, Clone, PartialEq)]
pub struct Figures {
    /// The ratio in lowest terms.
    pub ratio: Ratio,
    /// The figures; of all strata together where there are several.
    pub characteristics: Characteristics,
    /// Those of each stratum, where the units have strata.
    pub strata: Option<Strata>,
    /// Whether no seed was given, so that [`DEFAULT_SEED`] is that of the simulated figures.
    pub by_default: bool,
    /// Why a figure is undefined.
    pub warnings: Vec<Diagnostic>,
}

/// What is said of the strata of a list.
#[derive(Debug, Clone, PartialEq)]
pub struct Strata {
    /// Strata whose lists have the same figures, in order of their first arrival.
    pub alike: Vec<Alike>,
    /// Expected number of correct guesses over all strata.
    pub correct_guesses: Figure,
}

/// Strata with as many units each, which arrive with the same levels where a method balances them.
#[derive(Debug, Clone, PartialEq)]
pub struct Alike {
    /// Their levels as [`crate::allocation::stratum_label`] joins them.
    pub strata: Vec<String>,
    /// Figures of one of their lists.
    pub characteristics: Characteristics,
}

/// A seed from 64 hexadecimal digits.
///
/// # Errors
/// Anything else: exit 2. The text is never repeated, for it may be a real seed with a slip.
pub fn read_seed(text: &str) -> Result<Seed, Failure> {
    Seed::from_hex(text).map_err(|_| {
        Failure::new(
            exit::USAGE,
            "invalid-value",
            words!(
                "`--seed` is not 64 hexadecimal digits",
                "`--seed` är inte 64 hexadecimala siffror"
            ),
        )
        .help(new_seed())
    })
}

fn new_seed() -> Words {
    words!(
        "a new one: `head -c 32 /dev/urandom | xxd -p -c 64`",
        "ett nytt: `head -c 32 /dev/urandom | xxd -p -c 64`"
    )
}

/// The labels of the strata in order of their first arrival, and each unit with the number of its stratum.
fn numbered(file: &arrivals::Arrived) -> (Vec<String>, Vec<(usize, Levels)>) {
    let mut names = Vec::new();
    let mut places: BTreeMap<&[String], usize> = BTreeMap::new();
    let units = file.strata.iter().zip(&file.factors);
    let arrived = units.map(|(levels, factors)| {
        let place = *places.entry(levels).or_insert_with(|| {
            names.push(allocation::stratum_label(levels));
            names.len() - 1
        });
        (place, *factors)
    });
    let arrived = arrived.collect();
    (names, arrived)
}

impl Draw {
    /// Draws a list.
    ///
    /// # Errors
    /// Wrong usage (exit 2), or a file of arrivals that cannot be used (exit 4).
    pub fn list(&self, arrivals: &Arrivals, outside: &Outside) -> Result<List, Failure> {
        let (arms, ratio) = self.understand()?;
        let seed = self.seed()?;
        // A stratum's number of units differs from stratum to stratum, so no method is told one.
        let n = match arrivals {
            Arrivals::Count(n) => Some(*n),
            Arrivals::File { .. } => None,
        };
        let design = choose(&self.method, &ratio, &self.options, n).map_err(refused)?;
        let rows = match arrivals {
            Arrivals::Count(n) => {
                self.without_factors()?;
                let none = std::iter::repeat_n([""; 0], *n as usize);
                allocation::list(&*design, &seed, none)
            }
            Arrivals::File { path, by, dialect } => {
                let file = self.arrivals(path, by, dialect, outside)?;
                let units = file.strata.iter().zip(file.factors);
                allocation::balanced_list(&*design, &seed, units)
            }
        };
        Ok(List { arms, rows })
    }

    /// The seed of a list.
    pub(super) fn seed(&self) -> Result<Seed, Failure> {
        self.seed.clone().ok_or_else(|| {
            Failure::new(
                exit::USAGE,
                "missing-option",
                words!(
                    "a list follows from its seed: `--seed` is missing",
                    "en lista följer av sitt frö: `--seed` saknas"
                ),
            )
            .help(new_seed())
        })
    }

    /// Operating characteristics of lists, from `replicates` drawn ones. With strata those of each stratum, whose advice is for a
    /// list of those strata that have most units together.
    ///
    /// # Errors
    /// Wrong usage (exit 2), or a file of arrivals that cannot be used (exit 4).
    pub fn characteristics(
        &self,
        arrivals: &Arrivals,
        replicates: u64,
        outside: &Outside,
    ) -> Result<Figures, Failure> {
        let (_, ratio) = self.understand()?;
        if replicates == 0 {
            return Err(Failure::new(
                exit::USAGE,
                "invalid-value",
                words!(
                    "figures from no replicates are no figures",
                    "utan upprepningar finns inga siffror att visa"
                ),
            )
            .help(words!(
                "ask for at least one, for example `--replicates 10000`",
                "begär minst en, till exempel `--replicates 10000`"
            )));
        }
        let by_default = self.seed.is_none();
        let seed = match &self.seed {
            Some(seed) => seed.clone(),
            None => read_seed(DEFAULT_SEED)?,
        };
        let (method, options, seed) = (&self.method, &self.options, &seed);
        let mut strata = None;
        let (characteristics, units) = match arrivals {
            Arrivals::Count(n) => {
                self.without_factors()?;
                let found =
                    allocation::characteristics(method, &ratio, options, *n, replicates, seed);
                (found.map_err(refused)?, Units::alike(*n))
            }
            Arrivals::File { path, by, dialect } if by.is_empty() => {
                let units = self.arrivals(path, by, dialect, outside)?.factors;
                let found = allocation::characteristics_of(
                    method, &ratio, options, &units, replicates, seed,
                );
                (found.map_err(refused)?, Units::of(units))
            }
            Arrivals::File { path, by, dialect } => {
                let file = self.arrivals(path, by, dialect, outside)?;
                let (names, arrived) = numbered(&file);
                let found = allocation::stratified_characteristics(
                    method, &ratio, options, &arrived, replicates, seed,
                )
                .map_err(refused)?;
                let most =
                    |own: &&allocation::Alike| own.strata.len() as u64 * own.characteristics.n;
                let largest = found.alike.iter().rev().max_by_key(most);
                let largest = largest.and_then(|own| own.strata.first().copied());
                let units = arrived.iter().filter(|own| Some(own.0) == largest);
                let units = Units::of(units.map(|own| own.1).collect());
                let alike = found.alike.into_iter().map(|own| Alike {
                    strata: own
                        .strata
                        .iter()
                        .map(|place| names[*place].clone())
                        .collect(),
                    characteristics: own.characteristics,
                });
                strata = Some(Strata {
                    alike: alike.collect(),
                    correct_guesses: found.correct_guesses,
                });
                (found.whole, units)
            }
        };
        let mut warnings = Vec::new();
        if replicates <= 3 {
            let few = Diagnostic::warning(
                "few-replicates",
                words!(
                    "{replicates} replicates are too few for every standard error",
                    "{replicates} upprepningar är för få för att ge alla medelfel"
                ),
            );
            warnings.push(few.help(words!(
                "ask for more, for example `--replicates 10000`",
                "begär fler, till exempel `--replicates 10000`"
            )));
        }
        warnings.extend(self.too_easy(&ratio, &characteristics, &units));
        Ok(Figures {
            ratio,
            characteristics,
            strata,
            by_default,
            warnings,
        })
    }

    /// The warning of `check` that staff at intake could guess.
    fn too_easy(
        &self,
        ratio: &Ratio,
        found: &Characteristics,
        units: &Units,
    ) -> Option<Diagnostic> {
        // An estimate and its standard error; exact figures have none. Of none and all it is half of the exact interval.
        let known = |figure: Figure| {
            let ends = figure.lower.zip(figure.upper);
            let half = ends.map(|(lower, upper)| (upper - lower) / 2.0);
            let simulated = figure.value.zip(half.or(figure.mcse));
            figure.exact.map(|exact| (exact, 0.0)).or(simulated)
        };
        let largest = ratio.parts().iter().copied().max().unwrap_or(1);
        let by_ratio_alone = largest as f64 / ratio.sum() as f64;
        let shares = [found.correct_guess_share, found.best_guess_share];
        let surely = |own: &(f64, f64)| own.0 - 2.0 * own.1;
        let (share, error) =
            shares
                .into_iter()
                .filter_map(known)
                .fold((by_ratio_alone, 0.0), |most, own| {
                    if surely(&own) > surely(&most) {
                        own
                    } else {
                        most
                    }
                });
        let (forced, forced_error) = known(found.forced_share).unwrap_or_default();
        let guessed = Guessed {
            share,
            by_ratio_alone,
            forced,
            at_most: found.at_most,
            forced_at_most: found.forced_at_most(),
            by_levels: self.options.get("factors").is_some(),
            errors: (error, forced_error),
            p_balanced: known(found.p_balanced).map(|own| own.0),
            p_balanced_error: known(found.p_balanced).map_or(0.0, |own| own.1),
            imbalance_sd: known(found.imbalance_variance).map(|own| own.0.max(0.0).sqrt()),
        };
        let setting = Setting {
            method: &self.method,
            options: &self.options,
            ratio,
            families: units.number,
            strata: 1,
            factors: &units.levels,
            arrived: &units.arrived,
            written: Written::Flags,
        };
        guessable(&guessed, &setting)
    }

    /// The names of the arms and the ratio, when method and options are known.
    pub(super) fn understand(&self) -> Result<(Vec<String>, Ratio), Failure> {
        let known = METHODS.iter().map(|entry| entry.id);
        let Some(entry) = METHODS.iter().find(|entry| entry.id == self.method) else {
            let what = Words::new("method", "metod");
            return Err(Failure::unknown_id(&what, &self.method, known));
        };
        check_options(entry, &self.options).map_err(refused)?;
        let (arms, ratio) = arms_and_ratio(self.arms.as_deref(), self.ratio.as_deref())?;
        let switch = entry
            .ratio_switch()
            .filter(|name| self.options.get(name) == Some("true"));
        if let Some(name) = switch.filter(|_| ratio.is_equal()) {
            let refusal = Refusal::new(
                "option-not-used",
                Some(name),
                words!(
                    "`{name}` changes nothing when all arms have the same part of the ratio",
                    "`{name}` ändrar inget när alla armar har samma del av förhållandet"
                ),
            );
            return Err(refused(vec![refusal.help(words!(
                "leave `{name}` out, or give an unequal `--ratio`",
                "utelämna `{name}`, eller ange olika delar med `--ratio`"
            ))]));
        }
        Ok((arms, ratio))
    }

    /// What to know of a ratio that the method keeps in the long run only; a study is refused the same.
    ///
    /// # Errors
    /// Wrong usage (exit 2).
    pub fn caution(&self, n: Option<u64>) -> Result<Option<Diagnostic>, Failure> {
        let (_, ratio) = self.understand()?;
        let design = choose(&self.method, &ratio, &self.options, n).map_err(refused)?;
        Ok((!design.keeps_ratio()).then(|| {
            let method = &self.method;
            Diagnostic::warning(
                "ratio-not-preserved",
                words!(
                    "with `{method}` the ratio {ratio} holds in the long run but not at every draw",
                    "med `{method}` gäller förhållandet {ratio} i det långa loppet men inte vid varje dragning"
                ),
            )
            .help(words!(
                "give `--ratio-preserving`, which a study must",
                "ange `--ratio-preserving`, som en studie måste"
            ))
        }))
    }

    /// Refuses a bare number of units for a method that must know their factors.
    fn without_factors(&self) -> Result<(), Failure> {
        let method = &self.method;
        if METHODS
            .iter()
            .any(|entry| entry.id == method && entry.balances_factors())
        {
            return Err(Failure::new(
                exit::USAGE,
                "missing-option",
                words!(
                    "`{method}` must know who arrives: a number of units is not enough",
                    "`{method}` måste veta vilka som kommer: ett antal enheter räcker inte"
                ),
            )
            .help(words!(
                "give `--arrivals` and `--factors`",
                "ange `--arrivals` och `--factors`"
            )));
        }
        Ok(())
    }

    /// Strata and factors of the arrivals of a file.
    fn arrivals(
        &self,
        path: &str,
        by: &[String],
        dialect: &DialectText,
        outside: &Outside,
    ) -> Result<arrivals::Arrived, Failure> {
        let factors: Vec<String> = self
            .options
            .get("factors")
            .map(|text| text.split(',').map(|name| name.trim().to_owned()).collect())
            .unwrap_or_default();
        arrivals::read(path, by, &factors, dialect, outside)
    }
}

/// The names of the arms and the ratio, each from the other where only one is given.
pub(super) fn arms_and_ratio(
    arms: Option<&[String]>,
    ratio: Option<&str>,
) -> Result<(Vec<String>, Ratio), Failure> {
    let wrong = |message| Failure::new(exit::USAGE, "wrong-arms", message);
    let arms = match (arms, ratio) {
        (Some(arms), _) => arms.to_vec(),
        (None, None) => letters(2),
        (None, Some(text)) => letters(text.split(':').count()),
    };
    for (i, arm) in arms.iter().enumerate() {
        if arm.is_empty() {
            return Err(wrong(words!(
                "an arm in `--arms` has no name",
                "en arm i `--arms` saknar namn"
            ))
            .help(words!(
                "write the names between commas, for example `--arms a,b`",
                "skriv namnen mellan kommatecken, till exempel `--arms a,b`"
            )));
        }
        if arms[..i].contains(arm) {
            return Err(wrong(words!(
                "the arm `{arm}` is named twice",
                "armen `{arm}` nämns två gånger"
            ))
            .help(words!(
                "give each arm a name of its own",
                "ge varje arm ett eget namn"
            )));
        }
    }
    if ratio.is_none() && !(2..=MAX_ARMS).contains(&arms.len()) {
        let number = arms.len();
        return Err(wrong(words!(
            "2 to {MAX_ARMS} arms can be drawn, not {number}",
            "2 till {MAX_ARMS} armar kan lottas, inte {number}"
        ))
        .help(words!(
            "write the names between commas, for example `--arms a,b`",
            "skriv namnen mellan kommatecken, till exempel `--arms a,b`"
        )));
    }
    let equal = || vec!["1"; arms.len()].join(":");
    let text = ratio.map_or_else(equal, str::to_owned);
    let ratio = read_ratio(&text).map_err(|refusal| refused(vec![refusal]))?;
    let (names, parts) = (arms.len(), ratio.arms());
    if names != parts {
        return Err(wrong(words!(
            "{names} arms are named and the ratio {ratio} has {parts} parts",
            "{names} armar nämns och förhållandet {ratio} har {parts} delar"
        ))
        .help(words!(
            "write one name in `--arms` for each part of `--ratio`",
            "skriv ett namn i `--arms` för varje del av `--ratio`"
        )));
    }
    Ok((arms, ratio))
}

/// `a`, `b`, …
fn letters(number: usize) -> Vec<String> {
    ('a'..='z').take(number).map(String::from).collect()
}

/// Refusals of a method as wrong usage, options named as on the command line.
pub(super) fn refused(refusals: Vec<Refusal>) -> Failure {
    let mut refusals = refusals.into_iter().map(|refusal| Refusal {
        message: as_flags(&refusal.message, |name| {
            refusal.option.as_deref() == Some(name)
        }),
        help: refusal.help.as_ref().map(|help| {
            let option = refusal.option.as_deref();
            as_flags(help, |_| option.is_some_and(|option| option != "ratio"))
        }),
        ..refusal
    });
    match (refusals.next(), refusals.len()) {
        (Some(only), 0) => Failure {
            help: only.help,
            ..Failure::new(exit::USAGE, only.code, only.message)
        },
        (first, more) => {
            let count = more + 1;
            let findings = first.into_iter().chain(refusals);
            Failure {
                diagnostics: findings
                    .map(|refusal| Diagnostic {
                        help: refusal.help,
                        ..Diagnostic::error(refusal.code, refusal.message)
                    })
                    .collect(),
                ..Failure::new(
                    exit::USAGE,
                    "usage",
                    words!(
                        "the method declines for {count} reasons",
                        "metoden avböjer av {count} skäl"
                    ),
                )
            }
        }
    }
}

/// `block_len` → `--block-len`, for every option of every method; for one that is named as a method is (`urn`), only
/// where the option is `meant`.
fn as_flags(words: &Words, meant: impl Fn(&str) -> bool) -> Words {
    let mut words = words.clone();
    for spec in METHODS.iter().flat_map(|entry| entry.options) {
        if METHODS.iter().any(|entry| entry.id == spec.name) && !meant(spec.name) {
            continue;
        }
        let (name, flag) = (format!("`{}`", spec.name), format!("`--{}`", spec.flag));
        words.en = words.en.replace(&name, &flag);
        words.sv = words.sv.replace(&name, &flag);
    }
    words
}
