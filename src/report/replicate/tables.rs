//! The data, the codebook and the flat results.

mod columns;

use self::columns::{columns, unknown};
use super::{Folder, joint_stem, look_stem, redraws_stem, resamples_stem, stem, unknown_stem};
use crate::analysis::replication::{
    Counted, How, JointRedraws, ReplicatedBalance, ReplicatedFit, ReplicatedRedraws,
};
use crate::estimation::resampling::Effect;
use crate::report::flat::{File, Table, csv, number};
use crate::study::conduct::ELIGIBLE_SET;
use serde_json::Value;

/// What a column of sites is.
const SITE: &str = "id of the site where the family was randomized";

/// Lines of the codebook: file, column, what it is.
struct Codebook(Vec<Vec<String>>);

impl Codebook {
    fn tell(&mut self, file: &str, column: &str, what: impl Into<String>) {
        self.0
            .push(vec![file.to_owned(), column.to_owned(), what.into()]);
    }
}

/// The data files, and the codebook of all of them.
pub(super) fn data(folder: &Folder<'_>) -> (Vec<File>, String) {
    let mut files = Vec::new();
    let mut book = Codebook(Vec::new());
    families(folder, &mut files, &mut book);
    for (place, behind) in folder.replication.analyses.iter().enumerate() {
        for (index, fit) in behind.fits.iter().enumerate() {
            let path = format!("data/{}.csv", stem(folder, place, index));
            let factors: &[_] = if index == 0 { &behind.factors } else { &[] };
            let text = columns(folder, (place, fit), Some(factors), (&path, &mut book));
            files.push(File { path, text });
            if let Some(own) = &fit.unknown {
                let path = format!("data/{}.unknown.csv", stem(folder, place, index));
                let text = unknown(folder, (own, false), (&path, &mut book));
                files.push(File { path, text });
            }
            if fit.how == How::Pooled {
                let path = format!("data/{}.drawn.csv", stem(folder, place, index));
                let text = drawn(fit, &path, &mut book);
                files.push(File { path, text });
            }
            if fit.how == How::Resampled {
                let path = format!("data/{}.csv", resamples_stem(folder, place, index));
                let text = resamples(fit, &path, &mut book);
                files.push(File { path, text });
            }
        }
        for (index, look) in behind.looks.iter().enumerate() {
            if let Some(fit) = &look.fit {
                let path = format!("data/{}.csv", look_stem(folder, place, index));
                let text = columns(folder, (place, fit), None, (&path, &mut book));
                files.push(File { path, text });
                if let Some(own) = &fit.unknown {
                    let path = format!("data/{}.unknown.csv", look_stem(folder, place, index));
                    let text = unknown(folder, (own, true), (&path, &mut book));
                    files.push(File { path, text });
                }
            }
        }
        for (number, own) in behind.redraws.iter().enumerate() {
            if let Some(own) = own {
                let path = format!("data/{}.csv", redraws_stem(folder, place, number));
                let text = redraws(own, &path, &mut book);
                files.push(File { path, text });
            }
        }
        for (number, own) in behind.unknown_redraws.iter().enumerate() {
            if let Some(own) = own {
                let path = format!("data/{}.csv", unknown_stem(folder, place, number));
                let text = redraws(own, &path, &mut book);
                files.push(File { path, text });
            }
        }
    }
    files.extend(balance(&folder.replication.balance, &mut book));
    for own in &folder.replication.joint {
        let path = format!("data/{}.csv", joint_stem(folder, own));
        let text = joint(folder, own, &path, &mut book);
        files.push(File { path, text });
    }
    let head = ["file", "column", "meaning"].map(str::to_owned);
    let codebook = csv(&head, &book.0);
    (files, codebook)
}

/// Every family of the lock: arm, site, and how it counts in each analysis.
fn families(folder: &Folder<'_>, files: &mut Vec<File>, book: &mut Codebook) {
    let path = "data/families.csv";
    let own = &folder.replication.families;
    let mut table = Table::new();
    let protocol = folder.protocol;
    table.add(
        "family",
        (1..=own.len()).map(|number| number.to_string()).collect(),
    );
    book.tell(
        path,
        "family",
        "number of the family in the order of the draw; the study's pseudonym is left out",
    );
    let site = |index: usize| protocol.sites.get(index).map(|site| site.id.clone());
    let arm = |index: usize| protocol.arms.get(index).map(|arm| arm.id.clone());
    let sites = own.iter().map(|family| site(family.site));
    table.add("site", sites.map(Option::unwrap_or_default).collect());
    book.tell(path, "site", SITE);
    let arms = own.iter().map(|family| arm(family.arm.index()));
    table.add("arm", arms.map(Option::unwrap_or_default).collect());
    book.tell(path, "arm", "id of the arm as randomized");
    let found = own.iter().map(|own| u8::from(own.found_ineligible));
    let found = found.map(|found| found.to_string());
    table.add("found_ineligible", found.collect());
    book.tell(
        path,
        "found_ineligible",
        format!(
            "1 if the family was found, after the draw, not to have been eligible: {ELIGIBLE_SET} leaves it out"
        ),
    );
    let behind = &folder.replication.analyses;
    if behind.iter().any(|own| !own.received.is_empty()) {
        table.add("month", own.iter().map(|own| own.month.clone()).collect());
        book.tell(path, "month", "month of the randomization");
    }
    for (result, behind) in folder.analyses.analyses.iter().zip(behind) {
        let id = &result.id;
        let status = |counted: &Counted| match counted {
            Counted::Known(_) => "known",
            Counted::ByRule(_) => "by-rule",
            Counted::Missing => "missing",
            Counted::NotYet => "not-yet",
        };
        let value = |counted: &Counted| match counted {
            Counted::Known(y) | Counted::ByRule(y) => Some(*y),
            Counted::Missing | Counted::NotYet => None,
        };
        let list = behind.counted.iter();
        table.add(
            format!("{id}.status"),
            list.clone().map(|own| status(own).to_owned()).collect(),
        );
        table.add(
            format!("{id}.value"),
            list.map(|own| number(value(own))).collect(),
        );
        let (outcome, rule) = (&result.outcome, result.missing_rule.text());
        book.tell(
            path,
            &format!("{id}.status"),
            format!(
                "how outcome {outcome} is known under the rule {rule}: known, by-rule (the rule gave a value), missing (left out), not-yet (its window had not ended)"
            ),
        );
        book.tell(
            path,
            &format!("{id}.value"),
            format!(
                "outcome {outcome} ({}) as the analysis counts it",
                result.used.summary
            ),
        );
        if let Some(followed) = &behind.followed {
            let name = format!("{id}.followed");
            table.add(&name, followed.iter().map(|own| number(*own)).collect());
            book.tell(
                path,
                &name,
                "days of the window in which the family was followed; one with 0 left before it began, and the rate leaves it out",
            );
        }
        if let Some(unknown) = &behind.unknown {
            let name = format!("{id}.unknown");
            let one = |own: &Option<bool>| number(own.map(|is| f64::from(u8::from(is))));
            table.add(&name, unknown.iter().map(one).collect());
            book.tell(
                path,
                &name,
                "whether the outcome is unknown; NA where its window had not ended",
            );
        }
        if let Some(children) = &behind.children {
            let name = format!("{id}.children");
            table.add(&name, children.iter().map(u32::to_string).collect());
            book.tell(
                path,
                &name,
                "children on the roster of the family at its draw, over whom the outcome is averaged",
            );
        }
        for (treated, received) in &behind.received {
            let treated = arm(treated.index()).unwrap_or_default();
            let name = format!("{id}.received.{treated}");
            let one = |own: &Option<bool>| number(own.map(|got| f64::from(u8::from(got))));
            table.add(&name, received.iter().map(one).collect());
            book.tell(
                path,
                &name,
                format!(
                    "whether the service of arm {treated} was received by the cut; NA in arms other than it and control"
                ),
            );
        }
    }
    files.push(File {
        path: path.to_owned(),
        text: table.text(),
    });
}

fn drawn(fit: &ReplicatedFit, path: &str, book: &mut Codebook) -> String {
    let mut table = Table::new();
    let unknown = fit.family.iter().zip(&fit.columns.outcome);
    let unknown = unknown.filter(|(_, y)| y.is_none());
    table.add(
        "family",
        unknown.map(|(family, _)| family.to_string()).collect(),
    );
    book.tell(
        path,
        "family",
        "number of a family whose outcome is not known",
    );
    for (index, values) in fit.drawn.iter().enumerate() {
        let values = values.iter().map(|value| number(Some(*value)));
        table.add(format!("set.{}", index + 1), values.collect());
    }
    book.tell(path, "set.*", "its outcome in each completed data set");
    table.text()
}

fn resamples(fit: &ReplicatedFit, path: &str, book: &mut Codebook) -> String {
    let mut table = Table::new();
    let column = |value: fn(&Effect) -> f64| {
        let values = fit.resamples.iter();
        let values = values.map(|own| number(own.as_ref().map(value)));
        values.collect::<Vec<String>>()
    };
    table.add("estimate", column(|own| own.estimate));
    book.tell(
        path,
        "estimate",
        "effect on families drawn again; NA where it or its standard error does not exist",
    );
    table.add("std_error", column(|own| own.std_error));
    book.tell(path, "std_error", "its standard error on these families");
    table.text()
}

fn redraws(own: &ReplicatedRedraws, path: &str, book: &mut Codebook) -> String {
    let mut table = Table::new();
    let column = |value: fn(&crate::estimation::inversion::Studentized) -> f64| {
        let values = own.draws.iter().map(|draw| number(Some(value(draw))));
        values.collect::<Vec<String>>()
    };
    for (name, values, what) in [
        (
            "a",
            column(|own| own.a),
            "estimate on the redrawn arms; NA where it does not exist",
        ),
        (
            "b",
            column(|own| own.b),
            "the same of the observed arm in place of the outcome",
        ),
        ("c", column(|own| own.c), "variance of a"),
        ("d", column(|own| own.d), "covariance of a and b"),
        ("e", column(|own| own.e), "variance of b"),
    ] {
        table.add(name, values);
        book.tell(path, name, what);
    }
    if let Some(weights) = &own.weights {
        let values = weights.iter().map(|value| number(Some(*value)));
        table.add("probability", values.collect());
        book.tell(
            path,
            "probability",
            "of the sequence of arms under the design",
        );
    }
    table.text()
}

/// The characteristics of every family of the lock, and the statistic of balance on every redraw.
fn balance(own: &ReplicatedBalance, book: &mut Codebook) -> [File; 2] {
    let path = "data/balance.csv".to_owned();
    let mut table = Table::new();
    let families = own.columns.first().map_or(0, |(_, values)| values.len());
    let numbers = (1..=families).map(|number| number.to_string());
    table.add("family", numbers.collect());
    book.tell(&path, "family", "number of the family, as in families.csv");
    for (index, (name, values)) in own.columns.iter().enumerate() {
        let column = format!("x.{}", index + 1);
        let values = values.iter().map(|value| number(Some(*value)));
        table.add(&column, values.collect());
        book.tell(&path, &column, format!("characteristic {name}"));
    }
    let characteristics = File {
        text: table.text(),
        path,
    };
    let path = "data/balance.redraws.csv".to_owned();
    let mut table = Table::new();
    let values = own.draws.iter().map(|value| number(*value));
    table.add("statistic", values.collect());
    let what = "statistic of balance on the redrawn arms";
    book.tell(&path, "statistic", what);
    if let Some(weights) = &own.weights {
        let values = weights.iter().map(|value| number(Some(*value)));
        table.add("probability", values.collect());
        let what = "of the sequence of arms under the design";
        book.tell(&path, "probability", what);
    }
    let text = table.text();
    [characteristics, File { path, text }]
}

fn joint(folder: &Folder<'_>, own: &JointRedraws, path: &str, book: &mut Codebook) -> String {
    let mut table = Table::new();
    for ((place, comparison), sizes) in own.comparisons.iter().zip(&own.sizes) {
        let id = &stem(folder, *place, *comparison);
        table.add(id, sizes.iter().map(|t| number(Some(*t))).collect());
        book.tell(
            path,
            id,
            "size of its studentized statistic on redraws that the comparisons share; Inf where it does not exist",
        );
    }
    if let Some(weights) = &own.weights {
        let values = weights.iter().map(|value| number(Some(*value)));
        table.add("probability", values.collect());
        book.tell(
            path,
            "probability",
            "of the sequence of arms under the design",
        );
    }
    table.text()
}

/// Every number that is reported, with its path.
pub(super) fn results(body: &Value) -> String {
    let mut rows = Vec::new();
    for analysis in body["analyses"].as_array().into_iter().flatten() {
        walk(analysis["id"].as_str().unwrap_or(""), analysis, &mut rows);
    }
    walk("families", &body["families"], &mut rows);
    walk("balance", &body["balance"], &mut rows);
    let head = ["number", "value"].map(str::to_owned);
    csv(&head, &rows)
}

fn walk(path: &str, value: &Value, rows: &mut Vec<Vec<String>>) {
    match value {
        Value::Number(number) => rows.push(vec![path.to_owned(), number.to_string()]),
        Value::Array(list) => {
            for (index, own) in list.iter().enumerate() {
                // Rows of results go by their number, although bounds name their arm.
                let keys = ["arm", "lock", "factor", "level", "month"];
                let mut keys = keys.iter().filter(|_| own["estimator"].is_null());
                let name = keys
                    .find_map(|key| own[*key].as_str())
                    .map_or_else(|| (index + 1).to_string(), str::to_owned);
                walk(&format!("{path}/{name}"), own, rows);
            }
        }
        Value::Object(fields) => {
            for (key, own) in fields {
                walk(&format!("{path}/{key}"), own, rows);
            }
        }
        Value::Null | Value::Bool(_) | Value::String(_) => {}
    }
}
