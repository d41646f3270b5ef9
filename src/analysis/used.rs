//! Exactly what a result was computed from: estimator, options and columns, in the words of `lottning estimate`.

use super::plan::treated_arms;
use super::workspace::Workspace;
use crate::estimation::{self, Role, printed_level};
use crate::protocol::Protocol;
use crate::protocol::model::{Analysis, Hands, Summary};
use crate::study::kernel::State;

/// What a result was computed from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Used {
    /// Id of the estimator.
    pub estimator: String,
    /// How the outcome became what the estimator got: `any`, `count`, `first-time`, `value`.
    pub summary: &'static str,
    /// Options by the names of the command line, with the defaults that took effect.
    pub options: Vec<(&'static str, String)>,
    /// Names of the columns by their role on the command line.
    pub columns: Vec<(&'static str, Vec<String>)>,
}

/// A level as the decimal that it is meant to be, .93 for 1 − .07; one that is none, such as 1 − .05/3, as it is computed with.
fn level(own: f64) -> f64 {
    let decimal = printed_level(own);
    if (decimal - own).abs() < 4.0 * f64::EPSILON {
        decimal
    } else {
        own
    }
}

/// The text of a summary in the file and in JSON.
fn summary(summary: Summary) -> &'static str {
    match summary {
        Summary::Any => "any",
        Summary::Count => "count",
        Summary::FirstTime => "first-time",
        Summary::Value => "value",
    }
}

/// What the sampled analysis uses.
pub(super) fn used(
    protocol: &Protocol,
    state: &State,
    workspace: &Workspace,
    analysis: &Analysis,
) -> Used {
    let mut used = Used {
        estimator: analysis.estimator.clone(),
        summary: summary(analysis.summary),
        options: options(analysis),
        columns: Vec::new(),
    };
    let outcome = &protocol.outcomes[analysis.outcome].id;
    let one = |name: &str| vec![name.to_owned()];
    let Some(treated) = treated_arms(protocol).next() else {
        return used;
    };
    let handed = workspace.handed(protocol, state, analysis, treated).columns;
    for role in Role::ALL {
        if !handed.has(role) {
            continue;
        }
        let names = match role {
            Role::Outcome => one(outcome),
            Role::Covariates => handed.covariates.iter().map(|c| c.name.clone()).collect(),
            Role::Strata => handed.strata.iter().map(|f| f.name.clone()).collect(),
            Role::Cluster => one(analysis.clusters.map_or("family", |own| own.text())),
            Role::Weights => one("inverse-probability-of-censoring"),
            Role::Received => one(analysis.received.map_or("", |own| own.text())),
            Role::Exposure => one("days"),
            Role::Time | Role::Event | Role::Entry => vec![format!("{outcome}.{}", role.text())],
            Role::Id => one("family"),
        };
        used.columns.push((role.text(), names));
    }
    used
}

/// Options of an analysis by the names of the command line, with the defaults that took effect.
pub(super) fn options(analysis: &Analysis) -> Vec<(&'static str, String)> {
    let mut list: Vec<(&'static str, String)> = Vec::new();
    let own = Workspace::settings(analysis);
    let domain = analysis.entry().map(|entry| entry.options);
    let Some(domain) = domain else {
        return list;
    };
    let mut add = |name, value: Option<&'static str>| {
        list.extend(value.map(|value| (name, value.to_owned())));
    };
    let variance = own.variance.or(domain.variances.first().copied());
    add("variance", variance.map(estimation::Variance::text));
    // Bell and McCaffrey's, and Welch's, degrees of freedom belong to HC2, which then is the first of the variances.
    let first = domain.variances.first();
    let other = first == Some(&estimation::Variance::Hc2) && first != variance.as_ref();
    let df = if other {
        Some(estimation::Df::Residual)
    } else {
        domain.dfs.first().copied()
    };
    add("df", own.df.or(df).map(estimation::Df::text));
    let interval = own.interval.or(domain.intervals.first().copied());
    add("interval", interval.map(estimation::Interval::text));
    let measure = own.measure.or(domain.measures.first().copied());
    add("measure", measure.map(estimation::Measure::text));
    let ties = own.ties.or(domain.ties.first().copied());
    add("ties", ties.map(estimation::Ties::text));
    let p_value = own.p_value.or(domain.p_values.first().copied());
    add("p-value", p_value.map(estimation::PValue::text));
    list.extend(own.horizon.map(|days| ("horizon", days.to_string())));
    list.extend(
        own.range
            .map(|(low, high)| ("range", format!("{low},{high}"))),
    );
    if own.interacted {
        list.push(("interacted", "true".to_owned()));
    }
    list.push(("level", level(own.level).to_string()));
    if analysis.hands() != Hands::Values {
        list.push(("unit", "days".to_owned()));
    }
    list
}
