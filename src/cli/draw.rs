//! `lottning draw`.

use clap::Args;
use serde_json::json;

use crate::allocation::METHODS;
use crate::app::assess::List as Elsewhere;
use crate::app::draw::{Arrivals, Draw as Drawing, List, read_seed};
use crate::app::{Failure, exit};
use crate::diagnostic::Words;
use crate::words;

use super::characteristics;
use super::dialect::Dialect;
use super::lists;
use super::methods::{MethodOptions, every_option};
use super::output::{Cell, Document, Format, Grid};
use super::session::Session;

/// Replicates when none are asked for.
const REPLICATES: u64 = 10_000;

/// Arguments of `draw`.
#[derive(Debug, Args)]
pub(super) struct Draw {
    /// Id of the method
    #[arg(long, value_name = "ID", required_unless_present = "list")]
    method: Option<String>,

    #[command(flatten)]
    options: MethodOptions,

    /// Names of the arms [default: a,b]
    #[arg(long, value_name = "A,B")]
    arms: Option<String>,

    /// One whole number per arm [default: equal parts]
    #[arg(long, value_name = "1:1")]
    ratio: Option<String>,

    /// Number of units
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    n: Option<u64>,

    /// 64 hexadecimal digits from which the list follows [default with --characteristics: 63 zeros and a 1]
    #[arg(long, value_name = "HEX", required_unless_present_any = ["list", "characteristics"])]
    seed: Option<String>,

    /// Arrivals in order, one row each, instead of --n
    #[arg(
        long,
        value_name = "FILE.csv",
        requires = "by",
        conflicts_with = "arrivals"
    )]
    strata: Option<String>,

    /// The same for a method that balances factors, with a column for each of --factors
    #[arg(long, value_name = "FILE.csv")]
    arrivals: Option<String>,

    /// Columns of the file that make the strata; with --list, '' for none
    #[arg(long, value_name = "COL,COL")]
    by: Option<String>,

    /// How many lists to draw for the characteristics [default: 10000]
    #[arg(
        long,
        value_name = "R",
        requires = "characteristics",
        allow_negative_numbers = true
    )]
    replicates: Option<u64>,

    /// How well the method can be guessed and how well it balances, instead of a list
    #[arg(long)]
    characteristics: bool,

    /// The list as REDCap's allocation table for this randomization field; --n is then for each stratum of --strata
    #[arg(long, value_name = "FIELD", conflicts_with_all = ["characteristics", "arrivals"])]
    redcap: Option<String>,

    /// A list made elsewhere, one row per unit in order: how balanced and how predictable it is
    #[arg(
        long,
        value_name = "FILE.csv",
        conflicts_with_all = ["n", "seed", "strata", "arrivals", "characteristics", "replicates", "redcap"]
    )]
    list: Option<String>,

    /// The column of that list that holds the arms [default: arm, or REDCap's]
    #[arg(long, value_name = "COL", requires = "list")]
    arm: Option<String>,

    #[command(flatten)]
    dialect: Dialect,
}

impl Draw {
    /// Draws a list, describes the method, or looks at a list made elsewhere.
    pub(super) fn run(&self, session: &Session) -> Result<Document, Failure> {
        if let Some(path) = &self.list {
            return lists::assessment(&self.look(path)?, session);
        }
        // The parser does not ask for `--list` where it would clash with what is given.
        if self.arm.is_some() {
            return Err(usage(
                "option-not-used",
                words!(
                    "`--arm` names a column of a list made elsewhere, and none is read here",
                    "`--arm` anger en kolumn i en lista som gjorts på annat håll, och ingen läses här"
                ),
            )
            .help(words!(
                "leave it out, or give the list with `--list`; the names of the arms to draw are `--arms`",
                "utelämna den, eller ange listan med `--list`; namnen på armarna som ska lottas är `--arms`"
            )));
        }
        if self.strata.is_none() && self.arrivals.is_none() {
            self.dialect
                .without_table("`--strata`, `--arrivals` or `--list`")?;
        }
        let drawing = Drawing {
            method: self.method().to_owned(),
            options: self.options.0.clone(),
            arms: self.arms.as_deref().map(names),
            ratio: self.ratio.clone(),
            seed: self.seed.as_deref().map(read_seed).transpose()?,
        };
        let arrivals = self.arrivals()?;
        if self.characteristics {
            let replicates = self.replicates.unwrap_or(REPLICATES);
            let figures = drawing.characteristics(&arrivals, replicates, &session.outside)?;
            let caution = drawing.caution(self.n)?;
            for warning in caution.iter().chain(&figures.warnings) {
                session.outside.progress.warn(warning);
            }
            return characteristics::document(self.method(), &figures, session);
        }
        let document = match &self.redcap {
            Some(field) => {
                let each = self.n;
                let table = drawing.allocation_table(field, &arrivals, each, &session.outside)?;
                lists::allocation_table(self.method(), &table, session)?
            }
            None => self.write(&drawing.list(&arrivals, &session.outside)?)?,
        };
        if let Some(warning) = drawing.caution(self.n)? {
            session.outside.progress.warn(&warning);
        }
        session.outside.progress.command(&self.again());
        Ok(document)
    }

    /// The method; only a list made elsewhere goes without one.
    fn method(&self) -> &str {
        self.method.as_deref().unwrap_or_default()
    }

    /// What to look at in a list made elsewhere.
    fn look(&self, path: &str) -> Result<Elsewhere, Failure> {
        if let (None, Some((name, _))) = (&self.method, self.options.0.0.first()) {
            let flag = every_option().find(|spec| spec.name == name.as_str());
            let flag = flag.map_or(name.as_str(), |spec| spec.flag);
            return Err(usage(
                "missing-option",
                words!(
                    "`--{flag}` belongs to a method: `--method` is missing",
                    "`--{flag}` hör till en metod: `--method` saknas"
                ),
            ));
        }
        let options = &self.options.0;
        Ok(Elsewhere {
            path: path.to_owned(),
            arm: self.arm.clone(),
            by: self.by.as_deref().map(|text| match text.trim() {
                "" => Vec::new(),
                text => names(text),
            }),
            arms: self.arms.as_deref().map(names),
            ratio: self.ratio.clone(),
            method: self.method.clone().map(|id| (id, options.clone())),
            dialect: self.dialect.text(),
        })
    }

    /// The command that draws the same list again, whatever the defaults of a later version are.
    fn again(&self) -> Words {
        let mut words = vec!["lottning draw --method".to_owned(), shell(self.method())];
        let entry = METHODS.iter().find(|entry| entry.id == self.method());
        let options = &self.options.0;
        for spec in entry.map_or(&[][..], |entry| entry.options) {
            // One length is the default only where no list of lengths is given.
            let default = spec.default.filter(|_| {
                let instead = spec.name == "block_len" && options.get("block_lens").is_some();
                !instead && !spec.is_switch()
            });
            if let Some(text) = options.get(spec.name).or(default) {
                words.push(format!("--{}={}", spec.flag, shell(text)));
            }
        }
        let n = self.n.map(|n| n.to_string());
        for (flag, value) in [
            ("--arms", &self.arms),
            ("--ratio", &self.ratio),
            ("--n", &n),
            ("--strata", &self.strata),
            ("--arrivals", &self.arrivals),
            ("--by", &self.by),
            ("--redcap", &self.redcap),
            ("--seed", &self.seed),
        ] {
            if let Some(value) = value {
                words.push(format!("{flag}={}", shell(value)));
            }
        }
        let dialect = self.dialect.text();
        for (flag, value) in [
            ("--delimiter", dialect.delimiter),
            ("--decimal", dialect.decimal),
            ("--encoding", dialect.encoding),
        ] {
            if let Some(value) = value {
                words.push(format!("{flag}={}", shell(&value)));
            }
        }
        let command = words.join(" ");
        words!(
            "the same list again: {command}",
            "samma lista igen: {command}"
        )
    }

    /// For whom to draw.
    fn arrivals(&self) -> Result<Arrivals, Failure> {
        let balances = METHODS
            .iter()
            .any(|entry| entry.id == self.method() && entry.balances_factors());
        let (path, flag) = match (&self.strata, &self.arrivals) {
            (Some(path), _) => (Some(path), "--strata"),
            (None, path) => (path.as_ref(), "--arrivals"),
        };
        if self.by.is_some() && path.is_none() {
            return Err(usage(
                "missing-option",
                words!(
                    "`--by` names columns of a file: `--strata` is missing",
                    "`--by` anger kolumner i en fil: `--strata` saknas"
                ),
            ));
        }
        if path.is_some() && (flag == "--arrivals") != balances {
            let method = self.method();
            return Err(usage(
                "unknown-option",
                if balances {
                    words!(
                        "`{method}` reads its units from `--arrivals`, strata too",
                        "`{method}` läser sina enheter från `--arrivals`, även strata"
                    )
                } else {
                    words!(
                        "the method `{method}` does not use `--arrivals`",
                        "metoden `{method}` använder inte `--arrivals`"
                    )
                },
            ));
        }
        match (self.n, path) {
            (Some(_), Some(_)) if self.redcap.is_none() => Err(conflict("--n", flag)),
            (Some(n), None) => Ok(Arrivals::Count(n)),
            (_, Some(path)) => Ok(Arrivals::File {
                path: path.clone(),
                by: self.by.as_deref().map(names).unwrap_or_default(),
                dialect: self.dialect.text(),
            }),
            (None, None) => Err(usage(
                "missing-option",
                if balances {
                    words!(
                        "the arrivals are missing: give `--arrivals` and `--factors`",
                        "de som kommer saknas: ange `--arrivals` och `--factors`"
                    )
                } else if self.characteristics {
                    words!(
                        "`--characteristics` describes a list: `--n` is missing, or `--strata` and `--by`",
                        "`--characteristics` beskriver en lista: `--n` saknas, eller `--strata` och `--by`"
                    )
                } else {
                    words!(
                        "the number of units is missing: give `--n`, or `--strata` and `--by`",
                        "antalet enheter saknas: ange `--n`, eller `--strata` och `--by`"
                    )
                },
            )),
        }
    }

    fn write(&self, list: &List) -> Result<Document, Failure> {
        let mut grid = Grid::new()
            .column("sequence", Words::new("sequence", "nummer"))
            .column("stratum", Words::new("stratum", "stratum"))
            .column("arm", Words::new("arm", "arm"));
        let mut rows = Vec::with_capacity(list.rows.len());
        for row in &list.rows {
            let arm = list.arms.get(row.arm.index());
            let arm = arm.map(String::as_str).unwrap_or_default();
            rows.push(json!({"sequence": row.sequence, "stratum": row.stratum, "arm": arm}));
            grid.row([
                Cell::count(row.sequence as usize),
                Cell::text(&row.stratum),
                Cell::text(arm),
            ]);
        }
        let body = json!({"method": self.method(), "rows": rows});
        Ok(Document::new("draw/1", &body)?
            .grid(grid)
            .default_format(Format::Csv))
    }
}

/// A word of a command, in single quotes where a shell would read it otherwise.
fn shell(word: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_./:,=+@%-".contains(&byte);
    if !word.is_empty() && word.bytes().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}

/// A list of names between commas.
fn names(text: &str) -> Vec<String> {
    text.split(',').map(|name| name.trim().to_owned()).collect()
}

fn usage(code: &'static str, message: Words) -> Failure {
    Failure::new(exit::USAGE, code, message).help(words!(
        "`lottning draw --help` shows what belongs together",
        "`lottning draw --help` visar vad som hör ihop"
    ))
}

fn conflict(one: &str, other: &str) -> Failure {
    usage(
        "conflicting-options",
        words!(
            "`{one}` cannot be used with `{other}`",
            "`{one}` kan inte användas tillsammans med `{other}`"
        ),
    )
    .help(words!(
        "leave one of them out; `lottning draw --help` says what each is for",
        "utelämna en av dem; `lottning draw --help` säger vad de är till för"
    ))
}
