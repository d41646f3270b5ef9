//! The R script: parts put together as the analyses need them, and one call for each number that can be computed again.

use super::{Folder, stem};
use crate::analysis::replication::{How, ReplicatedFit};
use crate::analysis::results::AnalysisResult;
use crate::analysis::subgroups::SMALLEST_LEVEL;
use crate::protocol::model::{Multiplicity, Role};
use std::collections::BTreeSet;
use std::fmt::Write;

/// An estimator that the script computes: id, function, part, packages.
struct Known {
    id: &'static str,
    function: &'static str,
    part: Part,
    packages: &'static [&'static str],
}

/// A part of the script.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Linear,
    Ratios,
    Proportions,
    Survival,
    Events,
    Bounds,
    Subgroups,
    Imputation,
    Pairs,
    Redraws,
    Adjusting,
}

impl Part {
    fn text(self) -> &'static str {
        match self {
            Self::Linear => include_str!("linear.R"),
            Self::Ratios => include_str!("ratios.R"),
            Self::Proportions => include_str!("proportions.R"),
            Self::Survival => include_str!("survival.R"),
            Self::Events => include_str!("events.R"),
            Self::Bounds => include_str!("bounds.R"),
            Self::Subgroups => include_str!("subgroups.R"),
            Self::Imputation => include_str!("imputation.R"),
            Self::Pairs => include_str!("pairs.R"),
            Self::Redraws => include_str!("redraws.R"),
            Self::Adjusting => include_str!("adjusting.R"),
        }
    }

    /// Whether it uses the least squares of `linear.R`.
    fn on_linear(self) -> bool {
        matches!(self, Self::Ratios | Self::Subgroups | Self::Redraws)
    }
}

const fn known(
    id: &'static str,
    function: &'static str,
    part: Part,
    packages: &'static [&'static str],
) -> Known {
    Known {
        id,
        function,
        part,
        packages,
    }
}

/// The estimators that the script computes; numbers of any other are taken over, and listed by name.
const KNOWN: [Known; 13] = [
    known("lin", "lin", Part::Linear, &[]),
    known("linear", "linear", Part::Linear, &[]),
    known(
        "difference-in-means",
        "difference_in_means",
        Part::Linear,
        &[],
    ),
    known("risk-difference", "risk_difference", Part::Proportions, &[]),
    known("poisson", "poisson_model", Part::Ratios, &[]),
    known("logistic", "logistic", Part::Ratios, &[]),
    known(
        "kaplan-meier",
        "kaplan_meier",
        Part::Survival,
        &["survival"],
    ),
    known("log-rank", "log_rank", Part::Survival, &["survival"]),
    known("cox", "cox", Part::Survival, &["survival"]),
    known(
        "recurrent-rate-ratio",
        "recurrent_rate_ratio",
        Part::Survival,
        &["survival"],
    ),
    known(
        "mean-cumulative-count",
        "mean_cumulative_count",
        Part::Events,
        &[],
    ),
    known("manski-bounds", "manski_bounds", Part::Bounds, &[]),
    known("lee-bounds", "lee_bounds", Part::Bounds, &[]),
];

/// The function of a fit, unless an option asks for what the script does not know.
fn function(fit: &ReplicatedFit) -> Option<&'static Known> {
    let option = |name: &str| {
        let found = fit.options.iter().find(|(own, _)| *own == name);
        found.map(|(_, value)| value.as_str())
    };
    let other = match fit.estimator.as_str() {
        "risk-difference" => !matches!(
            option("interval"),
            Some("miettinen-nurminen" | "mee" | "wald")
        ),
        "logistic" => option("variance") == Some("firth") || option("interval") == Some("profile"),
        "lin" | "linear" => option("df") == Some("satterthwaite"),
        _ => false,
    };
    let own = KNOWN.iter().find(|own| own.id == fit.estimator);
    own.filter(|_| !other)
}

/// A text or a number of R.
fn value(text: &str) -> String {
    if text.parse::<f64>().is_ok_and(f64::is_finite) {
        text.to_owned()
    } else if text == "true" {
        "TRUE".to_owned()
    } else {
        quoted(text)
    }
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

fn list<'t>(texts: impl Iterator<Item = &'t str>) -> String {
    let own: Vec<String> = texts.map(quoted).collect();
    format!("c({})", own.join(", "))
}

/// The options of a fit as an R list.
fn options(fit: &ReplicatedFit) -> String {
    let mut parts = Vec::new();
    for (name, text) in &fit.options {
        match *name {
            "range" => parts.push(format!("range = c({})", text.replace(',', ", "))),
            "unit" => {}
            name => parts.push(format!("{} = {}", name.replace('-', "_"), value(text))),
        }
    }
    format!("list({})", parts.join(", "))
}

/// The calls of the script, and what they need.
#[derive(Default)]
struct Calls {
    text: String,
    parts: BTreeSet<Part>,
    packages: BTreeSet<&'static str>,
}

impl Calls {
    fn add(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push('\n');
    }

    fn uses(&mut self, own: &Known) -> &'static str {
        self.parts.insert(own.part);
        self.packages.extend(own.packages);
        own.function
    }

    fn analysis(&mut self, folder: &Folder<'_>, place: usize) {
        let result = &folder.analyses.analyses[place];
        let behind = &folder.replication.analyses[place];
        let id = &result.id;
        let (estimator, outcome) = (&result.used.estimator, &result.outcome);
        let (summary, rule) = (result.used.summary, result.missing_rule.text());
        self.add(&format!(
            "\n# {id}: {estimator} on {outcome} ({summary}), missing outcomes: {rule}"
        ));
        let binary = result.arms.iter().any(|arm| arm.events.is_some());
        let truth = if binary { "TRUE" } else { "FALSE" };
        self.add(&format!("seen({}, {truth})", quoted(id)));
        let rows = rows_of(folder, place);
        for (index, (fit, rows)) in behind.fits.iter().zip(&rows).enumerate() {
            self.fit(folder, (place, index), fit, rows);
        }
        if let (Some(test), Some(_)) = (&result.test, &behind.redraws) {
            self.parts.insert(Part::Redraws);
            let interacted = if result.used.estimator == "linear" {
                "FALSE"
            } else {
                "TRUE"
            };
            let limits = folder.protocol.arms.len() == 2
                && (test.conf_low.is_some() || test.conf_high.is_some());
            let limits = if limits { "TRUE" } else { "FALSE" };
            let alpha = behind.alpha;
            self.add(&format!(
                "randomization({}, {}, {}, {interacted}, list(alpha = {alpha}, limits = {limits}))",
                quoted(&format!("{id}/test")),
                quoted(&stem(folder, place, 0)),
                quoted(&format!("{id}.redraws")),
            ));
        }
        for own in &result.subgroups {
            self.parts.insert(Part::Subgroups);
            let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
            let column: String = own.factor.chars().map(plain).collect();
            let levels = list(own.levels.iter().map(|level| level.level.as_str()));
            let level = 1.0 - behind.alpha;
            self.add(&format!(
                "subgroups({}, {}, {}, {SMALLEST_LEVEL}, list(level = {level}, levels = {levels}))",
                quoted(&format!("{id}/subgroups/{}", own.factor)),
                quoted(&stem(folder, place, 0)),
                quoted(&format!("g.{column}")),
            ));
        }
    }

    fn fit(
        &mut self,
        folder: &Folder<'_>,
        (place, index): (usize, usize),
        fit: &ReplicatedFit,
        rows: &[usize],
    ) {
        let result = &folder.analyses.analyses[place];
        let name = quoted(&stem(folder, place, index));
        let path = |row: &usize| format!("{}/results/{}", result.id, row + 1);
        let first = rows.first().map(path).unwrap_or_default();
        let exists = |row: &usize| {
            let own = &result.results[*row];
            own.estimate.is_some() || own.statistic.is_some()
        };
        match fit.how {
            How::Pairs if !rows.is_empty() => {
                self.parts.insert(Part::Pairs);
                let alpha = folder.replication.analyses[place].alpha;
                let level = 1.0 - alpha;
                self.add(&format!(
                    "pairs_of({}, {name}, list(alpha = {alpha}, level = {level}))",
                    quoted(&first)
                ));
            }
            How::Pooled if rows.iter().any(exists) => {
                let Some(own) = function(fit) else { return };
                self.parts.insert(Part::Imputation);
                let function = self.uses(own);
                let moved = rows
                    .first()
                    .and_then(|row| result.results[*row].extra.get("shift"))
                    .and_then(serde_json::Value::as_f64)
                    .map_or_else(String::new, |shift| format!(", moved = {shift}"));
                let options = options(fit);
                self.add(&format!(
                    "imputed({}, {name}, {function}, {options}{moved})",
                    quoted(&first)
                ));
            }
            How::Estimated if rows.iter().any(exists) => {
                let Some(own) = function(fit) else { return };
                let function = self.uses(own);
                let mut options = options(fit);
                let repeated = |row: &usize| result.results[*row].interval == "repeated";
                if rows.first().is_some_and(repeated) {
                    options = options.replacen("list(", "list(repeated = TRUE, ", 1);
                }
                let paths: Vec<String> = rows.iter().map(path).collect();
                let paths = list(paths.iter().map(String::as_str));
                self.add(&format!("effect({paths}, {name}, {function}, {options})"));
            }
            How::Pairs | How::Pooled | How::Estimated => {}
        }
    }

    /// Adjusted p-values: by lock, the secondary analyses by the registered rule, the exploratory ones and the contrasts of
    /// subgroups by Benjamini and Hochberg.
    fn adjusting(&mut self, folder: &Folder<'_>) {
        let all = || {
            let results = folder.analyses.analyses.iter();
            results.zip(&folder.replication.analyses)
        };
        let deciding = |own: &AnalysisResult| {
            let last = if own.test_registered {
                "test/p_value"
            } else {
                "results/1/p_value"
            };
            format!("{}/{last}", own.id)
        };
        for lock in 0..folder.protocol.locks.len() {
            let of = |role: Role| {
                all()
                    .filter(move |(own, behind)| {
                        own.prespecified && own.role == role && behind.lock == lock
                    })
                    .map(|(own, _)| own)
            };
            let rule = match folder.protocol.multiplicity {
                Some(Multiplicity::Holm) => Some("holm"),
                Some(Multiplicity::FixedSequence) => Some("fixed-sequence"),
                Some(Multiplicity::WestfallYoung) if of(Role::Secondary).count() == 1 => {
                    Some("holm")
                }
                None | Some(Multiplicity::None | Multiplicity::WestfallYoung) => None,
            };
            if let Some(rule) = rule {
                let from: Vec<String> = of(Role::Secondary).map(deciding).collect();
                let to = of(Role::Secondary).map(|own| format!("{}/p_adjusted", own.id));
                self.adjusted(rule, &from, &to.collect::<Vec<_>>());
            }
            let mut from: Vec<String> = of(Role::Exploratory).map(deciding).collect();
            let mut to: Vec<String> = of(Role::Exploratory)
                .map(|own| format!("{}/q_value", own.id))
                .collect();
            for (own, _) in all().filter(|(_, behind)| behind.lock == lock) {
                for factor in &own.subgroups {
                    for contrast in &factor.contrasts {
                        let (id, factor, level) = (&own.id, &factor.factor, &contrast.level);
                        let path = format!("{id}/subgroups/{factor}/contrasts/{level}");
                        from.push(format!("{path}/p_value"));
                        to.push(format!("{path}/q_value"));
                    }
                }
            }
            if from.len() > 1 {
                self.adjusted("benjamini-hochberg", &from, &to);
            }
        }
    }

    fn adjusted(&mut self, rule: &str, from: &[String], to: &[String]) {
        if from.is_empty() {
            return;
        }
        self.parts.insert(Part::Adjusting);
        let text = |paths: &[String]| list(paths.iter().map(String::as_str));
        self.add(&format!(
            "adjust({}, {}, {})",
            quoted(rule),
            text(from),
            text(to)
        ));
    }
}

/// Of each fit the places of its rows among the results of the analysis.
fn rows_of(folder: &Folder<'_>, place: usize) -> Vec<Vec<usize>> {
    let result = &folder.analyses.analyses[place];
    let fits = &folder.replication.analyses[place].fits;
    let beside = |row: usize| {
        let own = result.results[row].extra.get("sensitivity");
        own.and_then(serde_json::Value::as_str)
    };
    let all = 0..result.results.len();
    let main: Vec<usize> = all
        .clone()
        .filter(|row| beside(*row).is_none() && result.results[*row].interval != "stage-wise")
        .collect();
    let heads: Vec<String> = fits.iter().map(|fit| fit.columns.labels.effect()).collect();
    let registered = fits.iter().filter(|fit| fit.beside.is_none()).count();
    let mut list = Vec::new();
    for (index, fit) in fits.iter().enumerate() {
        let Some(name) = &fit.beside else {
            // The rows of an arm begin with that of its effect.
            let starts = |index: usize| {
                let head = heads.get(index).filter(|_| index < registered);
                head.and_then(|head| {
                    main.iter()
                        .position(|row| result.results[*row].term == *head)
                })
            };
            let from = starts(index).unwrap_or(main.len());
            let until = starts(index + 1).unwrap_or(main.len()).max(from);
            list.push(main[from..until].to_vec());
            continue;
        };
        let rows: Vec<usize> = all
            .clone()
            .filter(|row| beside(*row) == Some(name.as_str()))
            .collect();
        let before = fits[..index].iter().filter(|own| own.beside == fit.beside);
        let same = fits.iter().filter(|own| own.beside == fit.beside).count();
        let each = rows.len() / same.max(1);
        let from = each * before.count();
        list.push(rows[from..from + each].to_vec());
    }
    list
}

/// The whole script.
pub(super) fn script(folder: &Folder<'_>) -> String {
    let mut calls = Calls::default();
    for place in 0..folder.analyses.analyses.len() {
        calls.analysis(folder, place);
    }
    calls.adjusting(folder);
    let parts = calls.parts.clone();
    if parts.iter().any(|part| part.on_linear()) {
        calls.parts.insert(Part::Linear);
    }
    let study = &folder.protocol.study.id;
    let lock = folder.analyses.lock.as_deref().unwrap_or("");
    let needs = if calls.packages.is_empty() {
        "Needs base R only.".to_owned()
    } else {
        let own: Vec<&str> = calls.packages.iter().copied().collect();
        format!("Needs base R and: {}.", own.join(", "))
    };
    let mut text = format!(
        "# Computes the reported numbers of lock {lock} of study {study} again, from the files beside it: `Rscript replicate.R`.\n\
         # {needs}\n\
         # Prints reported, recomputed, difference. Exits with 1 if counts differ at all, or other numbers by more than 1e-6 of the\n\
         # reported one + 1e-9 (p-values: + 1e-12). What is not computed again is listed at the end as taken over.\n\
         file <- sub(\"^--file=\", \"\", grep(\"^--file=\", commandArgs(FALSE), value = TRUE))\n\
         if (length(file)) setwd(dirname(file))\n"
    );
    for package in &calls.packages {
        let _ = write!(
            text,
            "if (!requireNamespace(\"{package}\", quietly = TRUE)) stop(\"the package {package} is missing: install.packages('{package}')\")\n\
             suppressMessages(library({package}))\n"
        );
    }
    text.push_str(include_str!("head.R"));
    for part in &calls.parts {
        text.push('\n');
        text.push_str(part.text());
    }
    text.push_str(&calls.text);
    text.push_str(include_str!("end.R"));
    text
}
