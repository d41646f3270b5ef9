//! `export --replicate` as bytes: data, codebook, results, and an R script that computes the reported numbers again and names those that it takes over.
//!
//! The parts of the script stand beside this file and are put together as the analyses need them. What the data are is
//! decided in `analysis::replication`; the numbers reported are those of `lottning.analysis/1`.

mod functions;
mod script;
mod tables;

use crate::analysis::replication::{JointRedraws, Replication};
use crate::analysis::results::Analyses;
use crate::protocol::model::{Protocol, Role};
use crate::report::flat::File;
use serde_json::Value;

/// What a folder for replication is made from.
#[derive(Debug, Clone, Copy)]
pub struct Folder<'a> {
    /// The protocol in force at the lock.
    pub protocol: &'a Protocol,
    /// What was reported, in English, as `lottning.analysis/1`.
    pub body: &'a Value,
    /// The same as values.
    pub analyses: &'a Analyses,
    /// What it was computed from.
    pub replication: &'a Replication,
}

/// The files of a folder for replication, the script first.
pub fn files(folder: &Folder<'_>) -> Vec<File> {
    let file = |path: &str, text: String| File {
        path: path.to_owned(),
        text,
    };
    let (data, codebook) = tables::data(folder);
    let mut results = folder.body.clone();
    results["schema"] = Value::from("lottning.analysis/1");
    let results = serde_json::to_string_pretty(&results).unwrap_or_default() + "\n";
    let mut list = vec![
        file("replicate.R", script::script(folder)),
        file("results.json", results),
        file("results.csv", tables::results(folder.body)),
        file("codebook.csv", codebook),
    ];
    list.extend(data);
    list
}

/// What stands for whole files and for parts of names after the identifier of an analysis.
const FILES: [&str; 3] = ["families", "balance", "westfall-young"];
const PARTS: [&str; 6] = [
    "at",
    "drawn",
    "missingness",
    "redraws",
    "resamples",
    "unknown",
];

/// A name in the name of a file: with an underscore after it where the folder has a word like it. No identifier ends with one, or has the
/// dot that parts are joined by, so that no two files have one name.
fn part(own: &str, taken: &[&str]) -> String {
    format!("{own}{}", if taken.contains(&own) { "_" } else { "" })
}

/// The stem of the data file of a fit: `primary`, `primary.manski`, with an arm where there are several.
fn stem(folder: &Folder<'_>, analysis: usize, fit: usize) -> String {
    let id = &folder.analyses.analyses[analysis].id;
    let own = &folder.replication.analyses[analysis].fits[fit];
    let mut text = part(id, &FILES);
    if let Some(beside) = &own.beside {
        text = format!("{text}.{}", part(beside, &PARTS));
    }
    if folder.protocol.arms.len() > 2 {
        let arm = &folder.protocol.arms[own.treated.index()].id;
        text = format!("{text}.{}", part(arm, &PARTS));
    }
    text
}

/// The stem of the data file of an earlier look: `primary.at.interim`.
fn look_stem(folder: &Folder<'_>, analysis: usize, look: usize) -> String {
    let id = &folder.analyses.analyses[analysis].id;
    let own = &folder.replication.analyses[analysis].looks[look];
    let lock = folder.protocol.locks.get(own.lock);
    let id = part(id, &FILES);
    format!("{id}.at.{}", lock.map_or("", |lock| lock.id.as_str()))
}

/// The stem of the file of the resamples of a fit: `primary.bootstrap.resamples`.
fn resamples_stem(folder: &Folder<'_>, analysis: usize, fit: usize) -> String {
    format!("{}.resamples", stem(folder, analysis, fit))
}

/// The stem of the file of the redraws of a comparison: `primary.redraws`, with several `primary.letter.redraws`.
fn redraws_stem(folder: &Folder<'_>, analysis: usize, comparison: usize) -> String {
    format!("{}.redraws", stem(folder, analysis, comparison))
}

/// The stem of the file of the redraws of the test of who is unknown: `primary.missingness.redraws`.
fn unknown_stem(folder: &Folder<'_>, analysis: usize, comparison: usize) -> String {
    format!("{}.missingness.redraws", stem(folder, analysis, comparison))
}

/// The stem of the file of the redraws that several comparisons of a lock share.
fn joint_stem(folder: &Folder<'_>, joint: &JointRedraws) -> String {
    let lock = folder.protocol.locks.get(joint.lock);
    let lock = lock.map_or("", |lock| lock.id.as_str());
    match joint.role {
        Role::Primary => format!("westfall-young.{lock}.primary"),
        Role::Secondary | Role::Exploratory => format!("westfall-young.{lock}"),
    }
}
