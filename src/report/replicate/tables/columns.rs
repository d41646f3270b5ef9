//! The columns of a fit, and those of the families that it is weighed for.

use super::{Codebook, SITE};
use crate::analysis::replication::{ReplicatedFit, ReplicatedUnknown};
use crate::estimation::{Covariate, Values};
use crate::report::flat::{Table, numbers};
use crate::report::replicate::Folder;
use std::collections::BTreeMap;

/// Factors of subgroups: name, levels, and the level of each row.
type Factors = [(String, Vec<String>, Vec<usize>)];

/// The columns that an estimator got; without `factors` those of an earlier look.
pub(super) fn columns(
    folder: &Folder<'_>,
    (place, fit): (usize, &ReplicatedFit),
    factors: Option<&Factors>,
    (path, book): (&str, &mut Codebook),
) -> String {
    let result = &folder.analyses.analyses[place];
    let own = &fit.columns;
    let mut table = Table::new();
    let family = fit.family.iter().map(usize::to_string);
    table.add("family", family.collect());
    let whose = if factors.is_some() {
        "number of the family, as in families.csv"
    } else {
        "number of the family among those of the look"
    };
    book.tell(path, "family", whose);
    if factors.is_none() {
        site(&mut table, folder, &fit.sites, (path, book));
    }
    let side = own.arm.iter().map(|side| side.index().to_string());
    table.add("treated", side.collect());
    let (treated, control) = (&own.labels.treated, &own.labels.control);
    book.tell(
        path,
        "treated",
        format!("1 in arm {treated}, 0 in arm {control}"),
    );
    if !own.outcome.is_empty() {
        table.add("y", numbers(&own.outcome));
        let mut outcomes = folder.protocol.outcomes.iter();
        let other = outcomes.find(|own| fit.beside.as_ref() == Some(&own.row()));
        let outcome = other.map_or(&result.outcome, |own| &own.id);
        book.tell(
            path,
            "y",
            format!(
                "outcome {outcome} ({}); NA is not known",
                result.used.summary
            ),
        );
    }
    let mut names = Names::default();
    covariates(&mut table, &mut names, &own.covariates, (path, book));
    for factor in &own.strata {
        let name = names.of("stratum", &factor.name);
        let text = |code: &Option<u32>| {
            let level = code.and_then(|code| factor.levels.get(code as usize));
            level.cloned().unwrap_or_default()
        };
        table.add(&name, factor.codes.iter().map(text).collect());
        book.tell(path, &name, format!("stratum by {}", factor.name));
    }
    if let Some(cluster) = &own.cluster {
        let text = |code: &Option<u32>| {
            let level = code.and_then(|code| cluster.levels.get(code as usize));
            level.cloned().unwrap_or_default()
        };
        table.add("cluster", cluster.codes.iter().map(text).collect());
        book.tell(
            path,
            "cluster",
            "who delivered the service, by number, or the family",
        );
    }
    for (role, values, what) in [
        (
            "weight",
            &own.weights,
            "1 over the probability that the outcome is known, by arm and covariates",
        ),
        (
            "received",
            &own.received,
            "whether the treated arm's service was received",
        ),
        ("exposure", &own.exposure, "days of follow-up"),
        ("entry", &own.entry, "day from which the row is followed"),
        (
            "time",
            &own.time,
            "day of the event or of the end of follow-up",
        ),
    ] {
        if let Some(values) = values {
            table.add(role, numbers(values));
            book.tell(path, role, what);
        }
    }
    if let Some(event) = &own.event {
        let text = |code: &Option<u32>| code.map_or_else(|| "NA".to_owned(), |c| c.to_string());
        table.add("event", event.iter().map(text).collect());
        book.tell(
            path,
            "event",
            "0 end of follow-up, 1 event, 2 terminal or competing event",
        );
    }
    if !fit.known.is_empty() {
        let known = fit.known.iter().map(|known| u8::from(*known).to_string());
        table.add("known", known.collect());
        book.tell(
            path,
            "known",
            "1 if the outcome is known; if not, y is an event that was seen before follow-up ended",
        );
    }
    for (name, levels, codes) in factors.unwrap_or_default() {
        let column = names.of("g", name);
        let text = |code: &usize| levels.get(*code).cloned().unwrap_or_default();
        table.add(&column, codes.iter().map(text).collect());
        book.tell(path, &column, format!("subgroup by {name}"));
    }
    table.text()
}

/// Names of columns, no two alike.
#[derive(Default)]
struct Names(BTreeMap<String, usize>);

impl Names {
    fn of(&mut self, prefix: &str, name: &str) -> String {
        let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
        let name: String = format!("{prefix}.{}", name.chars().map(plain).collect::<String>());
        let times = self.0.entry(name.clone()).or_insert(0);
        *times += 1;
        if *times > 1 {
            format!("{name}_{times}")
        } else {
            name
        }
    }
}

fn covariates(
    table: &mut Table,
    names: &mut Names,
    covariates: &[Covariate],
    (path, book): (&str, &mut Codebook),
) {
    for covariate in covariates {
        let Values::Numeric(values) = &covariate.values else {
            continue;
        };
        let name = names.of("x", &covariate.name);
        table.add(&name, numbers(values));
        book.tell(path, &name, format!("covariate {}", covariate.name));
    }
}

/// The families that known outcomes are weighed for.
pub(super) fn unknown(
    folder: &Folder<'_>,
    (own, is_look): (&ReplicatedUnknown, bool),
    (path, book): (&str, &mut Codebook),
) -> String {
    let mut table = Table::new();
    let family = own.family.iter().map(usize::to_string);
    table.add("family", family.collect());
    book.tell(
        path,
        "family",
        "number of a family whose outcome is not known",
    );
    if is_look {
        site(&mut table, folder, &own.sites, (path, book));
    }
    let side = own.arm.iter().map(|side| side.index().to_string());
    table.add("treated", side.collect());
    book.tell(path, "treated", "1 in the treated arm, 0 in control");
    let mut names = Names::default();
    covariates(&mut table, &mut names, &own.covariates, (path, book));
    table.text()
}

/// The sites of rows at an earlier look, whose families have numbers of their own.
fn site(
    table: &mut Table,
    folder: &Folder<'_>,
    sites: &[usize],
    (path, book): (&str, &mut Codebook),
) {
    let id = |site: &usize| folder.protocol.sites.get(*site).map(|own| own.id.clone());
    let ids = sites.iter().map(|own| id(own).unwrap_or_default());
    table.add("site", ids.collect());
    book.tell(path, "site", SITE);
}
