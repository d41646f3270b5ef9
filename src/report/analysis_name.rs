//! The name of an analysis where people read it: its outcome, and where several analyses have the same outcome what they differ in.

use super::Report;
use crate::analysis::results::AnalysisResult;
use crate::diagnostic::Lang;
use crate::protocol::model::{Analysis, Summary};
use crate::words;

impl Report<'_> {
    /// The outcome; of several analyses of one outcome with what tells them apart, first of the estimand, then the estimator and
    /// the rule for unknown outcomes, and the analysis' id where none of these does.
    pub(super) fn name(&self, analysis: &AnalysisResult, lang: Lang) -> String {
        let label = analysis.outcome_label.get(lang);
        let all = self.analyses.analyses.iter();
        let alike: Vec<&AnalysisResult> = all
            .filter(|own| own.outcome_label.get(lang) == label)
            .collect();
        let mut names: Vec<String> = alike.iter().map(|_| label.to_owned()).collect();
        for what in WHAT {
            let apart = |place: usize| names.iter().filter(|own| **own == names[place]).count() < 2;
            if (0..names.len()).all(apart) {
                break;
            }
            let said: Vec<String> = alike.iter().map(|own| what(self, own, lang)).collect();
            let shared = said.windows(2).all(|pair| pair[0] == pair[1]);
            if shared || said.iter().any(String::is_empty) {
                continue;
            }
            for (name, said) in names.iter_mut().zip(said) {
                name.push_str(", ");
                name.push_str(&said);
            }
        }
        let mut named = alike.iter().zip(names);
        let own = named.find(|(own, _)| own.id == analysis.id);
        own.map_or_else(|| label.to_owned(), |(_, name)| name)
    }

    fn registered(&self, analysis: &AnalysisResult) -> Option<&Analysis> {
        let mut all = self.protocol.analyses.iter();
        all.find(|own| own.id == analysis.id)
    }
}

type What = fn(&Report<'_>, &AnalysisResult, Lang) -> String;

/// What analyses of one outcome can differ in, in the order in which it is said.
const WHAT: [What; 7] = [summary, measure, strategy, average, estimator, missing, id];

fn summary(report: &Report<'_>, analysis: &AnalysisResult, lang: Lang) -> String {
    let own = report.registered(analysis).map(|own| own.summary);
    let words = match own {
        Some(Summary::Any) => words!("at least one", "minst en"),
        Some(Summary::Count) => words!("number", "antal"),
        Some(Summary::FirstTime) => words!("days until the first", "dagar till det första"),
        Some(Summary::Value) | None => return String::new(),
    };
    words.get(lang).to_owned()
}

fn measure(_: &Report<'_>, analysis: &AnalysisResult, lang: Lang) -> String {
    let mut all = analysis.attributes.iter();
    let own = all.find(|own| own.key == "summary");
    own.map_or_else(String::new, |own| own.value.get(lang).to_owned())
}

fn strategy(report: &Report<'_>, analysis: &AnalysisResult, lang: Lang) -> String {
    let own = report.registered(analysis);
    let words = match own.map(|own| own.estimand.strategy.as_str()) {
        Some("principal-stratum") => words!("principal stratum", "principalstratum"),
        Some("treatment-policy") => words!("treatment policy", "behandlingspolicy"),
        _ => return String::new(),
    };
    words.get(lang).to_owned()
}

fn average(report: &Report<'_>, analysis: &AnalysisResult, lang: Lang) -> String {
    let words = match report.registered(analysis).map(|own| own.children) {
        Some(Some(average)) => average.words(),
        Some(None) => words!("of families", "av familjer"),
        None => return String::new(),
    };
    words.get(lang).to_owned()
}

fn estimator(report: &Report<'_>, analysis: &AnalysisResult, _: Lang) -> String {
    let registered = report.registered(analysis).map(|own| &own.estimator);
    let first = analysis.results.first().map(|own| &own.estimator);
    registered.or(first).cloned().unwrap_or_default()
}

fn missing(_: &Report<'_>, analysis: &AnalysisResult, lang: Lang) -> String {
    analysis.missing_rule.words().get(lang).to_owned()
}

fn id(_: &Report<'_>, analysis: &AnalysisResult, _: Lang) -> String {
    analysis.id.clone()
}
