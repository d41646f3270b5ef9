//! The ledger of deviations: every difference between what was registered and what was done, in one list (CONSORT 2025,
//! item 10): what, when, who and why.
//!
//! It gathers what analyses say of themselves, the amendments, and the reasons that people named when they locked or
//! analysed. What went wrong with single families is a violation, and in a list of its own.

mod amendment;

use std::borrow::Cow;

use super::results::{AnalysisResult, Deviation};
use crate::diagnostic::{Lang, Words};
use crate::protocol::Protocol;
use crate::protocol::model::{Cut, Day};
use crate::words;

/// A line of the ledger of deviations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviationLine {
    /// Stable code, for example `site-merged`, `amendment`, `post-hoc`; of a named one the reason, for example `late-data`.
    pub code: Cow<'static, str>,
    /// The analysis that it concerns; `None` for the study.
    pub analysis: Option<String>,
    /// What is otherwise than registered.
    pub what: Words,
    /// Why.
    pub why: Words,
    /// The day, as text: of the amendment, or of the cut at which it was decided.
    pub when: String,
    /// Who: an actor of the ledger, or the rule that decided.
    pub who: Words,
}

/// An amendment as the ledger has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Amended {
    /// Number of the epoch that it opened, from 1.
    pub epoch: u32,
    /// The civil day in the study's time zone, ISO.
    pub day: String,
    /// Who.
    pub actor: String,
}

/// Where somebody named a deviation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NamedAt {
    /// When the data were locked.
    Lock,
    /// When the lock was analysed.
    Analysis,
}

/// A deviation that somebody named, as the ledger has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// The coded reason.
    pub code: String,
    /// The reason for people.
    pub reason: Words,
    /// Where it was named.
    pub at: NamedAt,
    /// Id of the lock.
    pub lock: String,
    /// Civil day of the row in the study's time zone, ISO.
    pub day: String,
    /// Who.
    pub actor: String,
}

impl Recorded {
    /// Its line.
    pub fn line(&self) -> DeviationLine {
        let lock = self.lock.as_str();
        let what = match self.at {
            NamedAt::Lock => words!(
                "Named when the data were locked (`{lock}`).",
                "Angavs när data låstes (`{lock}`)."
            ),
            NamedAt::Analysis => words!(
                "Named when the lock `{lock}` was analysed.",
                "Angavs när låsningen `{lock}` analyserades."
            ),
        };
        DeviationLine {
            code: Cow::Owned(self.code.clone()),
            analysis: None,
            what,
            why: sentence(&self.reason),
            when: self.day.clone(),
            who: Words::same(self.actor.as_str()),
        }
    }
}

/// Warnings of an analysis that are deviations from its plan.
const WARNED: [&str; 5] = [
    "post-hoc",
    "test-draws-changed",
    "censoring-model-reduced",
    "censoring-model-separated",
    "collinear-covariate",
];

/// All deviations of the analyses of a lock, amendments first, in the order of epochs and analyses.
pub(super) fn ledger(
    protocol: &Protocol,
    analyses: &[AnalysisResult],
    (lock, cut): (Option<&str>, Day),
    amendments: &[Amended],
) -> Vec<DeviationLine> {
    let mut lines: Vec<DeviationLine> = amendments
        .iter()
        .map(|own| amendment::line(protocol, own))
        .collect();
    let day = cut.date().map_or_else(String::new, |date| date.to_string());
    lines.extend(moved_cut(protocol, lock, cut, &day));
    for analysis in analyses {
        let told = analysis.warnings.iter();
        let told = told.filter(|own| WARNED.contains(&own.code));
        let told = told.map(|own| (own.code, own.message.clone()));
        let own = analysis.deviations.iter();
        let own = own.map(|Deviation { code, message }| (*code, message.clone()));
        for (code, what) in own.chain(told) {
            lines.push(DeviationLine {
                code: Cow::Borrowed(code),
                analysis: Some(analysis.id.clone()),
                what: sentence(&what),
                why: why(code),
                when: day.clone(),
                who: who(code),
            });
        }
    }
    lines
}

/// The words with a capital letter and a full stop.
fn sentence(words: &Words) -> Words {
    let own = |lang: Lang| {
        let text = words.get(lang);
        let mut letters = text.chars();
        let first = letters.next().map(char::to_uppercase);
        let text: String = first.into_iter().flatten().chain(letters).collect();
        if text.ends_with('.') {
            text
        } else {
            format!("{text}.")
        }
    };
    Words::new(own(Lang::En), own(Lang::Sv))
}

fn why(code: &str) -> Words {
    match code {
        "post-hoc" => words!(
            "It was asked for after the data had been seen.",
            "Den efterfrågades efter att data hade setts."
        ),
        "test-draws-changed" => words!(
            "Another number was asked for when the analysis was run.",
            "Ett annat antal angavs när analysen kördes."
        ),
        _ => words!(
            "A rule of the plan, applied to the families of the lock without looking at the effect.",
            "En regel i planen, tillämpad på låsningens familjer utan att se effekten."
        ),
    }
}

fn who(code: &str) -> Words {
    match code {
        "post-hoc" | "test-draws-changed" => {
            words!("whoever ran the analysis", "den som körde analysen")
        }
        _ => words!("the registered rule", "den registrerade regeln"),
    }
}

/// A lock whose cut is not the registered date.
fn moved_cut(
    protocol: &Protocol,
    lock: Option<&str>,
    cut: Day,
    day: &str,
) -> Option<DeviationLine> {
    let own = protocol
        .locks
        .iter()
        .find(|own| Some(own.id.as_str()) == lock)?;
    let Cut::On(registered) = own.cut else {
        return None;
    };
    (Day::of(registered) != cut).then(|| DeviationLine {
        code: Cow::Borrowed("cut-differs"),
        analysis: None,
        what: words!(
            "The data were cut at {day}; registered was {registered}.",
            "Data klipptes {day}; registrerat var {registered}."
        ),
        why: words!("The day had not come.", "Dagen hade inte kommit."),
        when: day.to_owned(),
        who: words!("whoever ran the analysis", "den som körde analysen"),
    })
}
