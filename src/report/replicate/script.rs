//! The R script: parts put together as the analyses need them, one call for each number that is computed again, and a reason for
//! each that is not.

mod adjusting;
mod audits;
mod given;

use self::adjusting::comparison;
use super::functions::{Function, Part, function};
use super::{Folder, look_stem, redraws_stem, resamples_stem, stem};
use crate::analysis::covariates::SMALLEST_CELL;
use crate::analysis::replication::{How, ReplicatedFit};
use crate::analysis::results::AnalysisResult;
use crate::analysis::subgroups::SMALLEST_LEVEL;
use crate::estimation::Estimate;
use crate::protocol::model::{Average, SCORED, Sensitivity};
use crate::study::conduct::ELIGIBLE_SET;
use std::collections::BTreeSet;
use std::fmt::Write;

/// By how much the averages over families and over children differ, in the row of the one that is not registered.
const AVERAGES: &str = "family_minus_child_average";

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

fn truth(value: bool) -> &'static str {
    if value { "TRUE" } else { "FALSE" }
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

fn list<'t>(texts: impl Iterator<Item = &'t str>) -> String {
    let own: Vec<String> = texts.map(quoted).collect();
    format!("c({})", own.join(", "))
}

fn texts(list_of: &[String]) -> String {
    list(list_of.iter().map(String::as_str))
}

/// The options of a fit as an R list; `reported` are its rows, which say how they were made where the estimator decides.
fn options(fit: &ReplicatedFit, reported: &[&Estimate], alpha: Option<&str>) -> String {
    let mut parts = Vec::new();
    for (name, text) in &fit.options {
        match *name {
            "level" if alpha.is_some() => {
                parts.extend(alpha.map(|alpha| format!("level = 1 - {alpha}")));
            }
            "range" => parts.push(format!("range = c({})", text.replace(',', ", "))),
            "unit" => {}
            name => parts.push(format!("{} = {}", name.replace('-', "_"), value(text))),
        }
    }
    let first = reported.first();
    let extra = |name: &str| first.and_then(|row| row.extra.get(name));
    if let Some(exact) = extra("exact").and_then(serde_json::Value::as_bool) {
        parts.push(format!("exact = {}", truth(exact)));
    }
    if extra("model").and_then(serde_json::Value::as_str) == Some("firth") {
        parts.push("firth = TRUE".to_owned());
    }
    if let Some(ratio) = extra("ratio").and_then(serde_json::Value::as_str) {
        parts.push(format!("ratio = {}", quoted(ratio)));
    }
    if first.is_some_and(|row| row.interval == "repeated") {
        parts.push("monitored = TRUE".to_owned());
    }
    format!("list({})", parts.join(", "))
}

/// The alpha of what stands beside a result that is looked at, as R has computed it.
fn looked_alpha(folder: &Folder<'_>, result: &AnalysisResult) -> Option<String> {
    let mut all = folder.protocol.analyses.iter();
    let own = all.find(|own| own.id == result.id);
    let looked = own.is_some_and(|own| !own.looks.is_empty());
    (looked && result.alpha.is_some()).then(|| found_alpha(result))
}

/// The limit of an analysis, as R has computed it.
fn found_alpha(result: &AnalysisResult) -> String {
    format!("found[[{}]]", quoted(&format!("{}/alpha", result.id)))
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

    fn uses(&mut self, own: &Function) -> &'static str {
        self.parts.insert(own.part);
        self.packages.extend(own.packages);
        own.name
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
        let binary = truth(result.arms.iter().any(|arm| arm.events.is_some()));
        let children = result.arms.first().and_then(|arm| arm.children);
        let average = children.map(|own| format!(", {}", quoted(own.average.text())));
        let average = average.unwrap_or_default();
        self.add(&format!("seen({}, {binary}{average})", quoted(id)));
        self.given(folder, place);
        let rows = rows_of(folder, place);
        self.limit(folder, place);
        let fits = || behind.fits.iter().zip(&rows).enumerate();
        let first = fits().filter(|(_, (fit, _))| fit.beside.is_none());
        for (index, (fit, rows)) in first {
            self.fit(folder, (place, index), fit, rows);
        }
        // What stands beside a result that was looked at has the level of its limit.
        self.looks(folder, place);
        self.absent(folder, place, &rows);
        for (index, (fit, rows)) in fits().filter(|(_, (fit, _))| fit.beside.is_some()) {
            self.fit(folder, (place, index), fit, rows);
        }
        self.test(folder, place);
        self.unknown(folder, place);
        if let (false, Some(fit)) = (behind.received.is_empty(), behind.fits.first()) {
            let (treated, control) = (&fit.columns.labels.treated, &fit.columns.labels.control);
            let (treated, control) = (quoted(treated), quoted(control));
            self.add(&format!("by_month({}, {treated}, {control})", quoted(id)));
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

    /// The rows of effects that do not exist: families are counted.
    fn absent(&mut self, folder: &Folder<'_>, place: usize, rows: &[Vec<usize>]) {
        let result = &folder.analyses.analyses[place];
        let behind = &folder.replication.analyses[place];
        let id = quoted(&result.id);
        for (index, row) in result.results.iter().enumerate() {
            let mut fits = behind.fits.iter();
            let fit = fits.find(|fit| fit.columns.labels.effect() == row.term);
            let Some(fit) = fit.filter(|_| !exists(row)) else {
                continue;
            };
            let labels = &fit.columns.labels;
            let arms = list([labels.treated.as_str(), labels.control.as_str()].into_iter());
            let path = quoted(&format!("{}/results/{}", result.id, index + 1));
            let beside = beside(row);
            let looked = looked_alpha(folder, result).filter(|_| beside.is_some());
            let alpha = looked.unwrap_or_else(|| behind.alpha.to_string());
            let rule =
                beside.is_some_and(|name| Sensitivity::ALL.iter().any(|own| own.text() == name));
            let outcomes = &folder.protocol.outcomes;
            let other = beside.is_some_and(|name| {
                name == ELIGIBLE_SET || outcomes.iter().any(|own| own.row() == name)
            });
            let which = if rule {
                "c(\"known\")"
            } else {
                "c(\"known\", \"by-rule\")"
            };
            let of = rows.iter().position(|own| other && own.contains(&index));
            let name = of.map_or(String::new(), |fit| {
                format!(", {}", quoted(&stem(folder, place, fit)))
            });
            self.add(&format!(
                "absent({path}, {id}, {arms}, {which}, 1 - {alpha}{name})"
            ));
        }
    }

    /// The limit of the deciding p, where looks do not make one.
    fn limit(&mut self, folder: &Folder<'_>, place: usize) {
        let result = &folder.analyses.analyses[place];
        let behind = &folder.replication.analyses[place];
        if result.alpha.is_none() || result.looked_here {
            return;
        }
        // Without information to weigh looks by, what is left of alpha.
        let (alpha, looks) = if let Some((now, before)) = behind.looks.split_last() {
            let gone = before.last().map_or(0.0, |own| own.spent);
            (now.spent, vec![gone.to_string()])
        } else {
            let mut all = folder.protocol.analyses.iter();
            let own = all.find(|own| own.id == result.id);
            let looks = own.map_or(&[][..], |own| own.looks.as_slice());
            let looks = looks
                .iter()
                .filter_map(|lock| folder.protocol.locks.get(*lock));
            let interim = looks.filter(|lock| lock.interim);
            let spent = interim.map(|lock| lock.alpha.to_string());
            (behind.alpha, spent.collect())
        };
        let (id, looks) = (quoted(&result.id), looks.join(", "));
        self.add(&format!("limit_of({id}, {alpha}, c({looks}))"));
    }

    /// The randomization test of each comparison.
    fn test(&mut self, folder: &Folder<'_>, place: usize) {
        let result = &folder.analyses.analyses[place];
        let behind = &folder.replication.analyses[place];
        // With more arms there is no interval.
        let scored = SCORED.contains(&result.used.estimator.as_str());
        let limits = truth(folder.protocol.arms.len() == 2 && !scored);
        let id = &result.id;
        for (number, redraws) in behind.redraws.iter().enumerate() {
            let (Some(test), Some(_)) = (result.compared(number).test, redraws) else {
                continue;
            };
            // At a look the test decides at what looks leave.
            let alpha = if test.level.total_cmp(&(1.0 - behind.alpha)).is_eq() {
                behind.alpha.to_string()
            } else {
                found_alpha(result)
            };
            self.parts.insert(Part::Redraws);
            let own = comparison(folder, (place, number));
            let path = quoted(&format!("{id}{own}/test"));
            let call = format!(
                "randomization({path}, {}, {}, {}, list(alpha = {alpha}, limits = {limits}))",
                quoted(&stem(folder, place, number)),
                quoted(&redraws_stem(folder, place, number)),
                statistic(result),
            );
            self.add(&if result.used.estimator == "log-rank" {
                format!("with_packages({path}, \"survival\", {call})")
            } else {
                call
            });
        }
    }

    /// The looks at a monitored analysis.
    fn looks(&mut self, folder: &Folder<'_>, place: usize) {
        let result = &folder.analyses.analyses[place];
        let behind = &folder.replication.analyses[place];
        let (Some(fit), Some((now, before))) = (behind.fits.first(), behind.looks.split_last())
        else {
            return;
        };
        // Where nothing could be weighed now, those before it.
        let seen = if result.looked_here {
            behind.looks.as_slice()
        } else {
            before
        };
        let Some(own) = function(&fit.estimator).filter(|_| !result.looks.is_empty()) else {
            return;
        };
        self.parts.insert(Part::Looks);
        let function = self.uses(own);
        let looks = seen.iter();
        let locks = looks.filter_map(|look| folder.protocol.locks.get(look.lock));
        let locks: Vec<String> = locks.map(|lock| lock.id.clone()).collect();
        let stems: Vec<String> = seen
            .iter()
            .enumerate()
            .map(|(index, look)| match look.fit {
                Some(_) => look_stem(folder, place, index),
                None => stem(folder, place, 0),
            })
            .collect();
        let looks = seen.iter();
        let spent: Vec<String> = looks.map(|look| look.spent.to_string()).collect();
        let mut rows = result.results.iter();
        let stops = rows.any(|row| row.interval == "stage-wise");
        // A registered randomization test decides with draws of its own.
        let decided = result.test_registered.then(|| {
            let own = result.looks.iter().map(|look| truth(look.crossed));
            format!(", decided = c({})", own.collect::<Vec<_>>().join(", "))
        });
        let decided = decided.unwrap_or_default();
        // Ratios without end, and effects without variation that redraws decide of: they have a test and no standard error.
        let words = if result.test_registered {
            ["below", "above"]
        } else {
            ["zero", "infinite"]
        };
        let ratios = seen.iter().map(|look| match look.without_end {
            Some(above) => quoted(words[usize::from(above)]),
            None => "NA".to_owned(),
        });
        let ratios = ratios.collect::<Vec<_>>().join(", ");
        let any = seen.iter().any(|look| look.without_end.is_some());
        let ratios = if any {
            format!(", ratios = c({ratios})")
        } else {
            String::new()
        };
        let here = if result.looked_here {
            ""
        } else {
            ", here = FALSE"
        };
        self.add(&format!(
            "monitored({}, {}, {}, {function}, {}, c({}), {}, final = {}, stops = {}{decided}{ratios}{here})",
            quoted(&result.id),
            texts(&locks),
            texts(&stems),
            options(fit, &[], None),
            spent.join(", "),
            behind.alpha,
            truth(now.lock == behind.lock),
            truth(stops),
        ));
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
        let reported: Vec<&Estimate> = rows.iter().map(|row| &result.results[*row]).collect();
        let Some(first) = rows.first().map(|row| quoted(&path(row))) else {
            return;
        };
        if !reported.iter().any(|row| exists(row)) {
            return;
        }
        if fit.how == How::Pairs {
            self.parts.insert(Part::Pairs);
            let own = folder.replication.analyses[place].alpha;
            let alpha = looked_alpha(folder, result).unwrap_or_else(|| own.to_string());
            self.add(&format!(
                "pairs_of({first}, {name}, list(alpha = {alpha}, level = 1 - {alpha}))"
            ));
            return;
        }
        let Some(own) = function(&fit.estimator) else {
            return;
        };
        let function = self.uses(own);
        let looked = looked_alpha(folder, result).filter(|_| fit.beside.is_some());
        let options = options(fit, &reported, looked.as_deref());
        if fit.how == How::Pooled {
            self.parts.insert(Part::Imputation);
            let shifts = reported.iter().any(|row| row.extra.contains_key("shift"));
            let how = if shifts { "shifted" } else { "imputed" };
            self.add(&format!("{how}({first}, {name}, {function}, {options})"));
            return;
        }
        if let How::Winsorized(share) = fit.how {
            self.parts.insert(Part::Skewed);
            let id = quoted(&result.id);
            self.add(&format!(
                "winsorized({first}, {name}, {id}, {share}, {function}, {options})"
            ));
            return;
        }
        if fit.how == How::Resampled {
            self.parts.insert(Part::Skewed);
            let drawn = quoted(&resamples_stem(folder, place, index));
            self.add(&format!(
                "bootstrap({first}, {name}, {drawn}, {function}, {options})"
            ));
            return;
        }
        let paths: Vec<String> = rows.iter().map(path).collect();
        if reported.iter().any(|row| row.extra.contains_key(AVERAGES)) {
            self.averages(folder, (place, index), rows);
        }
        let needs = match own.packages {
            [] => String::new(),
            packages => format!(", {}", list(packages.iter().copied())),
        };
        self.add(&format!(
            "effect({}, {name}, {function}, {options}{needs})",
            texts(&paths)
        ));
    }

    /// The difference of the averages over families and over children, of the rows of a fit that has it.
    fn averages(&mut self, folder: &Folder<'_>, (place, index): (usize, usize), rows: &[usize]) {
        let result = &folder.analyses.analyses[place];
        let fits = &folder.replication.analyses[place].fits;
        let own = &fits[index];
        let registered = |fit: &ReplicatedFit| fit.beside.is_none() && fit.treated == own.treated;
        let (Some(first), Some(row)) = (fits.iter().position(registered), rows.first()) else {
            return;
        };
        let mut stems = [stem(folder, place, first), stem(folder, place, index)];
        if own.beside.as_deref() == Some(Average::Child.text()) {
            stems.swap(0, 1);
        }
        let [children, families] = stems.map(|own| quoted(&own));
        let path = quoted(&format!("{}/results/{}/{AVERAGES}", result.id, row + 1));
        let form = interacted(result);
        self.add(&format!("averages({path}, {children}, {families}, {form})"));
    }
}

/// What a row beside a result is called.
fn beside(row: &Estimate) -> Option<&str> {
    row.extra.get("sensitivity")?.as_str()
}

/// Whether a row has an effect, or pairs that were tried.
fn exists(row: &Estimate) -> bool {
    row.estimate.is_some() || row.statistic.is_some() || row.extra.contains_key("pairs")
}

/// The statistic of a randomization test: that of a test, or whether a model has interactions.
fn statistic(result: &AnalysisResult) -> String {
    match result.used.estimator.as_str() {
        own @ ("log-rank" | "rank-sum") => quoted(own),
        _ => interacted(result).to_owned(),
    }
}

/// Whether the model of an analysis has interactions.
fn interacted(result: &AnalysisResult) -> &'static str {
    truth(result.used.estimator != "linear")
}

/// Of each fit the places of its rows among the results of the analysis.
fn rows_of(folder: &Folder<'_>, place: usize) -> Vec<Vec<usize>> {
    let result = &folder.analyses.analyses[place];
    let fits = &folder.replication.analyses[place].fits;
    let beside = |row: usize| beside(&result.results[row]);
    let all = 0..result.results.len();
    let main: Vec<usize> = all
        .clone()
        .filter(|row| beside(*row).is_none() && result.results[*row].interval != "stage-wise")
        .collect();
    let registered = fits.iter().filter(|fit| fit.beside.is_none()).count();
    let mut list = Vec::new();
    for (index, fit) in fits.iter().enumerate() {
        let Some(name) = &fit.beside else {
            // The rows of an arm begin with that of its effect; bounds are named otherwise, as many rows for each arm.
            let starts = |index: usize| {
                let head = fits.get(index).filter(|_| index < registered)?;
                let head = head.columns.labels.effect();
                main.iter()
                    .position(|row| result.results[*row].term == head)
            };
            let known = (0..registered).all(|index| starts(index).is_some());
            let at = |index: usize| match starts(index) {
                Some(place) if known => place,
                _ => main.len() * index / registered.max(1),
            };
            let (from, until) = (at(index), at(index + 1));
            list.push(main[from..until.max(from)].to_vec());
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
    calls.balance(folder);
    let needed: Vec<Part> = calls
        .parts
        .iter()
        .flat_map(|part| part.needs())
        .copied()
        .collect();
    calls.parts.extend(needed);
    let study = &folder.protocol.study.id;
    let lock = folder.analyses.lock.as_deref().unwrap_or("");
    let needs = if calls.packages.is_empty() {
        "Needs base R only.".to_owned()
    } else {
        let own: Vec<&str> = calls.packages.iter().copied().collect();
        format!(
            "Needs base R and the packages {}; without one of them its numbers are taken over, and named.",
            own.join(", ")
        )
    };
    let mut text = format!(
        "# Computes the reported numbers of lock {lock} of study {study} again, from the files beside it: `Rscript replicate.R`.\n\
         # {needs}\n\
         # Prints for each number: reported, recomputed, difference, and whether they are alike, differ, or the number is taken over.\n\
         # Counts differ if they differ at all, other numbers by more than 1e-6 of the reported one + 1e-9 (p-values: + 1e-12); then\n\
         # it exits with 1. Why a number is taken over stands at the end, with the columns that were made again from others, row by row\n\
         # (within the same limits, or it exits with 1), and what was not: other columns, and random draws.\n\
         file <- sub(\"^--file=\", \"\", grep(\"^--file=\", commandArgs(FALSE), value = TRUE))\n\
         if (length(file)) setwd(dirname(file))\n"
    );
    for package in &calls.packages {
        let _ = writeln!(
            text,
            "if (!suppressWarnings(suppressMessages(require({package}, quietly = TRUE)))) cat(\"The package {package} is not installed.\\n\")"
        );
    }
    text.push_str(include_str!("head.R"));
    let sites = list(folder.protocol.sites.iter().map(|own| own.id.as_str()));
    let arms = list(folder.protocol.arms.iter().map(|own| own.id.as_str()));
    let _ = writeln!(
        text,
        "\nsites <- {sites}\narms <- {arms}\nsmallest <- {SMALLEST_CELL}"
    );
    text.push_str(include_str!("given.R"));
    for part in &calls.parts {
        text.push('\n');
        text.push_str(part.text());
    }
    text.push_str(&calls.text);
    text.push_str(include_str!("end.R"));
    text
}
