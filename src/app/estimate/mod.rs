//! `estimate`: one estimator on any delimited file, or on two-by-two counts.
//!
//! Everything that is wrong with the request (exit 2) is found before the file is read; everything that is wrong with
//! the file (exit 4) is then reported at once. Values are not scanned for personal numbers: nothing enters a study.
//! The statistics are [`crate::estimation`]'s; reading the columns is `columns`'s.

mod columns;

use sha2::{Digest, Sha256};

use crate::diagnostic::{Diagnostic, Lang, Words};
use crate::estimation::{
    self, Answer, Columns, Counts, Df, ESTIMATORS, EstimationError, EstimatorEntry, Interval,
    Measure, PValue, Role, Settings, Ties, Variance, Warning,
};
use crate::words;

use super::exit;
use super::failure::{Failure, suggestion};
use super::outside::Outside;
use super::tables::{DialectText, TableFile};

/// What is asked for, as typed.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Request {
    /// Id of the estimator.
    pub estimator: String,
    /// Path of the file, `-` for standard input; none with counts.
    pub data: Option<String>,
    /// Two-by-two counts, `X1/N1,X0/N0`, treated first.
    pub counts: Option<String>,
    /// How the file is written.
    pub dialect: DialectText,
    /// Column of the arm.
    pub arm: Option<String>,
    /// Level of the control arm.
    pub control: Option<String>,
    /// Level of the treated arm; the other level when there are two.
    pub treated: Option<String>,
    /// Column of the outcome.
    pub outcome: Option<String>,
    /// Columns of covariates.
    pub covariates: Vec<String>,
    /// Columns of strata.
    pub strata: Vec<String>,
    /// Column of clusters.
    pub cluster: Option<String>,
    /// Column of weights.
    pub weights: Option<String>,
    /// Variance estimator.
    pub variance: Option<String>,
    /// Reference distribution.
    pub df: Option<String>,
    /// Kind of interval.
    pub interval: Option<String>,
    /// Measure.
    pub measure: Option<String>,
    /// Confidence level.
    pub level: Option<f64>,
    /// Column that says whether the treated arm's service was received.
    pub received: Option<String>,
    /// Column of exposures.
    pub exposure: Option<String>,
    /// Column of times.
    pub time: Option<String>,
    /// Column of events.
    pub event: Option<String>,
    /// Column of times of entry.
    pub entry: Option<String>,
    /// Column that says whose rows belong together.
    pub id: Option<String>,
    /// Horizon of follow-up.
    pub horizon: Option<f64>,
    /// Handling of tied times.
    pub ties: Option<String>,
    /// Kind of exact p-value.
    pub p_value: Option<String>,
    /// Range of the outcome, `MIN,MAX`.
    pub range: Option<String>,
    /// Whether the arms are fitted apart.
    pub interacted: bool,
    /// Number of redraws.
    pub draws: Option<u64>,
    /// Seed of redraws.
    pub seed: Option<u64>,
}

impl Request {
    /// The columns that were named for a role.
    fn columns(&self, role: Role) -> &[String] {
        match role {
            Role::Outcome => self.outcome.as_slice(),
            Role::Covariates => &self.covariates,
            Role::Strata => &self.strata,
            Role::Cluster => self.cluster.as_slice(),
            Role::Weights => self.weights.as_slice(),
            Role::Received => self.received.as_slice(),
            Role::Exposure => self.exposure.as_slice(),
            Role::Time => self.time.as_slice(),
            Role::Event => self.event.as_slice(),
            Role::Entry => self.entry.as_slice(),
            Role::Id => self.id.as_slice(),
        }
    }
}

/// The answer, with where it comes from.
#[derive(Debug, Clone)]
pub struct Estimated {
    /// What the estimator is called and what it does.
    pub entry: &'static EstimatorEntry,
    /// Results and warnings.
    pub answer: Answer,
    /// SHA-256 of the file's bytes in lower-case hexadecimal; none with counts.
    pub data_sha256: Option<String>,
}

impl Estimated {
    /// The fields of `lottning.estimates/1` below the schema.
    pub fn body(&self, lang: Lang) -> serde_json::Value {
        let mut document = self.answer.document(lang);
        document["provenance"] = serde_json::json!({
            "version": env!("CARGO_PKG_VERSION"),
            "data_sha256": self.data_sha256,
        });
        document
    }
}

/// Estimates.
///
/// # Errors
/// Wrong usage is exit 2; a file, column, level or value that does not allow the estimate is exit 4.
pub fn estimate(outside: &Outside, request: &Request) -> Result<Estimated, Failure> {
    let entry = entry(&request.estimator)?;
    let settings = settings(request)?;
    entry
        .check_options(&settings)
        .map_err(|error| refusal(&error, entry))?;
    check_roles(request, entry)?;
    entry
        .check_clusters(&settings, request.cluster.is_some())
        .map_err(|error| refusal(&error, entry))?;
    let (columns, data_sha256, slips) = match (&request.counts, &request.data) {
        (Some(counts), _) => (from_counts(request, counts)?, None, Vec::new()),
        (None, Some(path)) => {
            let file = TableFile::read(outside, path, &request.dialect)?;
            let (columns, slips) = columns::read(&file, request, entry)?;
            (columns, Some(hexadecimal(&file.bytes)), slips)
        }
        (None, None) => return Err(missing("DATA")),
    };
    let mut answer = entry
        .estimate(&columns, &settings)
        .map_err(|error| refusal(&error, entry))?;
    answer.warnings.splice(0..0, slips);
    for warning in &answer.warnings {
        let warning = Diagnostic::warning(warning.code, warning.message.clone());
        outside.progress.warn(&warning);
    }
    Ok(Estimated {
        entry,
        answer,
        data_sha256,
    })
}

fn entry(id: &str) -> Result<&'static EstimatorEntry, Failure> {
    if let Ok(entry) = estimation::find(id) {
        return Ok(entry);
    }
    let known: Vec<&str> = ESTIMATORS.iter().map(|entry| entry.id).collect();
    Err(Failure::new(
        exit::USAGE,
        "unknown-estimator",
        words!(
            "there is no estimator `{id}`",
            "det finns ingen skattningsmetod `{id}`"
        ),
    )
    .help(suggestion(id, &known)))
}

fn settings(request: &Request) -> Result<Settings, Failure> {
    fn word<T: Copy>(
        typed: Option<&str>,
        option: &str,
        all: &[T],
        text: impl Fn(T) -> &'static str,
    ) -> Result<Option<T>, Failure> {
        let Some(typed) = typed else { return Ok(None) };
        match all.iter().find(|value| text(**value) == typed) {
            Some(value) => Ok(Some(*value)),
            None => Err(Failure::unknown_id(
                &words!("value of --{option}", "värde för --{option}"),
                typed,
                all.iter().map(|value| text(*value)),
            )),
        }
    }
    let defaults = Settings::default();
    Ok(Settings {
        variance: word(
            request.variance.as_deref(),
            "variance",
            Variance::ALL,
            Variance::text,
        )?,
        df: word(request.df.as_deref(), "df", Df::ALL, Df::text)?,
        interval: word(
            request.interval.as_deref(),
            "interval",
            Interval::ALL,
            Interval::text,
        )?,
        measure: word(
            request.measure.as_deref(),
            "measure",
            Measure::ALL,
            Measure::text,
        )?,
        ties: word(request.ties.as_deref(), "ties", Ties::ALL, Ties::text)?,
        p_value: word(
            request.p_value.as_deref(),
            "p-value",
            PValue::ALL,
            PValue::text,
        )?,
        horizon: request.horizon,
        draws: request.draws,
        seed: request.seed,
        range: request.range.as_deref().map(range).transpose()?,
        interacted: request.interacted,
        level: request.level.unwrap_or(defaults.level),
        checks: true,
    })
}

/// `MIN,MAX`.
fn range(text: &str) -> Result<(f64, f64), Failure> {
    let number = |text: &str| text.trim().parse::<f64>().ok();
    let ends = text.split_once(',');
    let ends = ends.and_then(|(low, high)| Some((number(low)?, number(high)?)));
    ends.ok_or_else(|| {
        Failure::new(
            exit::USAGE,
            "invalid-value",
            words!(
                "`{text}` is no value of `--range MIN,MAX`",
                "`{text}` är inget värde för `--range MIN,MAX`"
            ),
        )
        .help(Words::new(
            "the least and the greatest value that the outcome can have: --range 0,40",
            "utfallets minsta och största möjliga värde: --range 0,40",
        ))
    })
}

/// Whether the columns and options that were named are this estimator's, and whether those that it needs were named.
fn check_roles(request: &Request, entry: &EstimatorEntry) -> Result<(), Failure> {
    let id = entry.id;
    for role in Role::ALL {
        let given = !request.columns(role).is_empty();
        let option = role.text();
        if given && !entry.uses(role) {
            return Err(refusal(
                &EstimationError::ColumnNotUsed {
                    estimator: id,
                    role,
                },
                entry,
            ));
        }
        if !given && entry.required.contains(&role) && request.counts.is_none() {
            return Err(missing(&format!("--{option}")));
        }
    }
    if request.counts.is_some() {
        return if entry.counts {
            Ok(())
        } else {
            Err(refusal(
                &EstimationError::CountsNotUsed { estimator: id },
                entry,
            ))
        };
    }
    for (option, given) in [("--arm", &request.arm), ("--control", &request.control)] {
        if given.is_none() {
            return Err(missing(option));
        }
    }
    if request.treated.is_some() && request.treated == request.control {
        return Err(Failure::new(
            exit::USAGE,
            "conflicting-options",
            Words::new(
                "--treated and --control name the same level",
                "--treated och --control anger samma värde",
            ),
        ));
    }
    check_columns_differ(request)
}

/// One column cannot be two things.
fn check_columns_differ(request: &Request) -> Result<(), Failure> {
    let mut seen: Vec<(&str, &str)> = Vec::new();
    let arm = request.arm.iter().map(|column| ("arm", column));
    let roles = Role::ALL.into_iter().flat_map(|role| {
        let columns = request.columns(role).iter();
        columns.map(move |column| (role.text(), column))
    });
    for (role, column) in arm.chain(roles) {
        if let Some((first, _)) = seen.iter().find(|(_, other)| *other == column) {
            return Err(Failure::new(
                exit::USAGE,
                "conflicting-options",
                words!(
                    "column `{column}` is named by --{first} and by --{role}",
                    "kolumnen `{column}` anges både med --{first} och med --{role}"
                ),
            )
            .help(Words::new(
                "name each column once",
                "ange varje kolumn en gång",
            )));
        }
        seen.push((role, column));
    }
    Ok(())
}

fn missing(what: &str) -> Failure {
    Failure::new(
        exit::USAGE,
        "missing-option",
        words!("missing: {what}", "saknas: {what}"),
    )
    .help(Words::new(
        "lottning estimate DATA.csv --estimator ID --arm COL --control LEVEL --outcome COL; `lottning estimate --help` says more",
        "lottning estimate DATA.csv --estimator ID --arm KOL --control NIVÅ --outcome KOL; `lottning estimate --help` berättar mer",
    ))
}

/// `X1/N1,X0/N0`, treated first.
fn from_counts(request: &Request, text: &str) -> Result<Columns, Failure> {
    let pair = |text: &str| -> Option<(u64, u64)> {
        let (events, units) = text.split_once('/')?;
        Some((events.trim().parse().ok()?, units.trim().parse().ok()?))
    };
    let counts = text.split_once(',').and_then(|(treated, control)| {
        let (treated_events, treated_units) = pair(treated)?;
        let (control_events, control_units) = pair(control)?;
        Some(Counts {
            treated_events,
            treated_units,
            control_events,
            control_units,
        })
    });
    let Some(counts) = counts else {
        return Err(Failure::new(
            exit::USAGE,
            "invalid-value",
            words!(
                "`{text}` is no value of `--counts X1/N1,X0/N0`",
                "`{text}` är inget värde för `--counts X1/N1,X0/N0`"
            ),
        )
        .help(Words::new(
            "events/units of the treated arm, a comma, events/units of the control arm: 28/100,41/100",
            "händelser/enheter i den behandlade gruppen, ett komma, händelser/enheter i kontrollgruppen: 28/100,41/100",
        )));
    };
    let mut columns = Columns::from_counts(counts);
    if let Some(treated) = &request.treated {
        columns.labels.treated.clone_from(treated);
    }
    if let Some(control) = &request.control {
        columns.labels.control.clone_from(control);
    }
    Ok(columns)
}

/// The failure of an estimator: usage is exit 2, the rest is about the data and exit 4.
fn refusal(error: &EstimationError, entry: &EstimatorEntry) -> Failure {
    let exit = if error.is_usage() {
        exit::USAGE
    } else {
        exit::INVALID_DATA
    };
    let failure = Failure::new(exit, error.code(), error.words());
    let EstimationError::OptionNotUsed { option, .. } = error else {
        return failure;
    };
    let options = &entry.options;
    let accepted: Vec<&str> = match *option {
        "variance" => options.variances.iter().map(|value| value.text()).collect(),
        "df" => options.dfs.iter().map(|value| value.text()).collect(),
        "ties" => options.ties.iter().map(|value| value.text()).collect(),
        "p-value" => options.p_values.iter().map(|value| value.text()).collect(),
        "interval" => options.intervals.iter().map(|value| value.text()).collect(),
        "measure" => options.measures.iter().map(|value| value.text()).collect(),
        _ => Vec::new(),
    };
    let (option, all) = (*option, accepted.join(", "));
    failure.help(if all.is_empty() {
        words!("leave --{option} out", "utelämna --{option}")
    } else {
        words!("it can be: {all}", "det kan vara: {all}")
    })
}

fn hexadecimal(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    let mut text = String::with_capacity(64);
    for byte in Sha256::digest(bytes) {
        let _ = write!(text, "{byte:02x}");
    }
    text
}

fn warning(code: &'static str, message: Words) -> Warning {
    Warning::new(code, message)
}
