//! The report's numbers as flat tables for other programs: comma, decimal point, full precision, UTF-8, empty for missing.
//!
//! Column names and codes are never translated. The page's rounded tables are in `page`; writing files is `app`'s.

use super::{Report, flat, number};
use crate::analysis::results::{AnalysisResult, BaselineCell};
use crate::estimation::{Estimate, printed_level};

/// One table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DelimitedTable {
    /// Name without an ending, for example `results`.
    pub name: &'static str,
    /// The bytes of the file.
    pub text: String,
}

/// The tables `results`, `arms`, `flow`, `baseline` and `recruitment`, and with a gate `turned-away`.
pub fn csv(report: &Report<'_>) -> Vec<DelimitedTable> {
    let mut tables = vec![
        results(report),
        arms(report),
        flow(report),
        baseline(report),
        recruitment(report),
    ];
    if report.protocol.gate.is_some() {
        tables.push(cohort(report));
    }
    tables
}

fn table(name: &'static str, head: &[&str], rows: &[Vec<String>]) -> DelimitedTable {
    let text = flat::csv(head, rows);
    DelimitedTable { name, text }
}

/// The shortest text that reads back as the same number; empty when undefined.
fn exact(value: Option<f64>) -> String {
    value
        .filter(|v| v.is_finite())
        .map_or_else(String::new, |v| v.to_string())
}

fn arm_id(report: &Report<'_>, arm: usize) -> String {
    report
        .protocol
        .arms
        .get(arm)
        .map_or_else(String::new, |spec| spec.id.clone())
}

/// The columns that stamp every row: where it comes from.
const STAMP: [&str; 6] = [
    "dry_run",
    "rehearsal",
    "lock",
    "cut",
    "protocol_hash",
    "head",
];

fn stamp(report: &Report<'_>) -> [String; 6] {
    [
        report.analyses.dry_run.to_string(),
        report.provenance.rehearsal.to_string(),
        report.analyses.lock.clone().unwrap_or_default(),
        number::date(report.analyses.cut),
        report.protocol.hash.to_hex(),
        report.provenance.head.clone(),
    ]
}

fn results(report: &Report<'_>) -> DelimitedTable {
    let mut head = vec![
        "analysis",
        "role",
        "prespecified",
        "outcome",
        "estimand",
        "estimator",
        "term",
        "measure",
        "estimate",
        "std_error",
        "std_error_scale",
        "statistic",
        "df",
        "p_value",
        "conf_low",
        "conf_high",
        "level",
        "n_treated",
        "n_control",
        "variance",
        "interval",
        "test_p_value",
        "test_exact",
        "test_draws",
        "test_mcse",
        "p_adjusted",
        "q_value",
        "sensitivity",
        "arm",
        "test_level",
        "test_conf_low",
        "test_conf_high",
        "set",
        "ray_to",
        "ray_from",
    ];
    head.extend(STAMP);
    let mut rows = Vec::new();
    for analysis in &report.analyses.analyses {
        for (index, estimate) in analysis.results.iter().enumerate() {
            rows.push(result(report, analysis, estimate, index));
        }
    }
    table("results", &head, &rows)
}

fn result(
    report: &Report<'_>,
    analysis: &AnalysisResult,
    estimate: &Estimate,
    index: usize,
) -> Vec<String> {
    // What is said of a comparison stands in the row of its effect.
    let compared = analysis.compared_first(index);
    let test = compared.and_then(|own| own.test);
    let extra = |key: &str| {
        let own = estimate.extra.get(key).and_then(serde_json::Value::as_str);
        own.unwrap_or_default().to_owned()
    };
    let end = |key: &str| exact(estimate.extra.get(key).and_then(serde_json::Value::as_f64));
    let mut row = vec![
        analysis.id.clone(),
        analysis.role.text().to_string(),
        analysis.prespecified.to_string(),
        analysis.outcome.clone(),
        analysis.estimand.en.clone(),
        estimate.estimator.clone(),
        estimate.term.clone(),
        estimate.measure.clone(),
        exact(estimate.estimate),
        exact(estimate.std_error),
        estimate.std_error_scale.clone(),
        exact(estimate.statistic),
        exact(estimate.df),
        exact(estimate.p_value),
        exact(estimate.conf_low),
        exact(estimate.conf_high),
        exact(Some(printed_level(estimate.level))),
        estimate.n_treated.to_string(),
        estimate.n_control.to_string(),
        estimate.variance.clone(),
        estimate.interval.clone(),
        exact(test.map(|t| t.p_value)),
        test.map_or_else(String::new, |t| t.exact.to_string()),
        test.map_or_else(String::new, |t| t.draws.to_string()),
        exact(test.map(|t| t.mcse)),
        exact(compared.and_then(|own| own.p_adjusted)),
        exact(compared.and_then(|own| own.q_value)),
        extra("sensitivity"),
        extra("arm"),
        exact(test.map(|t| printed_level(t.level))),
        exact(test.and_then(|t| t.conf_low)),
        exact(test.and_then(|t| t.conf_high)),
        extra("set"),
        end("ray_to"),
        end("ray_from"),
    ];
    row.extend(stamp(report));
    row
}

fn arms(report: &Report<'_>) -> DelimitedTable {
    let mut head = vec![
        "analysis",
        "arm",
        "randomized",
        "analysed",
        "missing",
        "events",
        "mean",
        "children",
    ];
    head.extend(STAMP);
    let mut rows = Vec::new();
    for analysis in &report.analyses.analyses {
        for outcome in &analysis.arms {
            let mut row = vec![
                analysis.id.clone(),
                arm_id(report, usize::from(outcome.arm.0)),
                outcome.randomized.to_string(),
                outcome.analysed.to_string(),
                outcome.missing.to_string(),
                outcome.events.map_or_else(String::new, |n| n.to_string()),
                exact(outcome.mean),
                outcome
                    .children
                    .map_or_else(String::new, |own| own.number.to_string()),
            ];
            row.extend(stamp(report));
            rows.push(row);
        }
    }
    table("arms", &head, &rows)
}

fn flow(report: &Report<'_>) -> DelimitedTable {
    let flow = report.flow;
    let mut rows: Vec<Vec<String>> = Vec::new();
    let mut push = |node: &str, reason: &str, arm: String, families: u32| {
        rows.push(vec![
            node.to_string(),
            reason.to_string(),
            arm,
            families.to_string(),
        ]);
    };
    push("screened", "", String::new(), flow.screened);
    push("screenings", "", String::new(), flow.screenings);
    for reason in &flow.not_eligible {
        push(
            "not-eligible",
            &reason.reason,
            String::new(),
            reason.families,
        );
    }
    push("turned-away", "", String::new(), flow.turned_away);
    for reason in &flow.exceptions {
        push("exception", &reason.reason, String::new(), reason.families);
    }
    push("reason-erased", "", String::new(), flow.reason_erased);
    push("randomized", "", String::new(), flow.randomized);
    push(
        "randomized-after-turned-away",
        "",
        String::new(),
        flow.randomized_after_turned_away,
    );
    push("joined-children", "", String::new(), flow.joined_children);
    for count in &report.conduct.violations {
        let reasons = &report.protocol.violations.reasons;
        if let Some(reason) = reasons.get(usize::from(count.reason)) {
            push("violation", &reason.id, String::new(), count.families());
        }
    }
    for arm in &flow.arms {
        let id = || arm_id(report, usize::from(arm.arm.0));
        push("allocated", "", id(), arm.allocated);
        // Before a lock nothing after the allocation is given by arm.
        if !report.shows_fates() {
            continue;
        }
        push("not-started", "", id(), arm.not_started);
        push("switched", "", id(), arm.switched);
        push("followed", "", id(), arm.followed);
        push("under-follow-up", "", id(), arm.under_follow_up);
        push("withdrawn", "", id(), arm.withdrawn);
        push("left-coverage", "", id(), arm.left_coverage);
        push("death", "", id(), arm.death);
        push("all-children-18", "", id(), arm.all_children_18);
        push("linked", "", id(), arm.linked);
        push("erased", "", id(), arm.erased);
        push("after-cut", "", id(), arm.after_cut);
        for count in &report.conduct.violations {
            let reasons = &report.protocol.violations.reasons;
            let families = count.arms.get(arm.arm.index()).copied().unwrap_or(0);
            if let Some(reason) = reasons.get(usize::from(count.reason)) {
                push("violation", &reason.id, id(), families);
            }
        }
    }
    table("flow", &["node", "reason", "arm", "families"], &rows)
}

fn baseline(report: &Report<'_>) -> DelimitedTable {
    let head = [
        "characteristic",
        "level",
        "arm",
        "families",
        "n",
        "count",
        "mean",
        "sd",
        "median",
        "quartile_low",
        "quartile_high",
        "missing",
        "smd",
    ];
    let baseline = &report.analyses.baseline;
    let mut rows = Vec::new();
    for row in &baseline.rows {
        for (arm, cell) in row.arms.iter().enumerate() {
            let families = baseline.families.get(arm).copied().unwrap_or(0);
            let empty = String::new;
            let numbers = match cell {
                BaselineCell::Number {
                    n,
                    mean,
                    sd,
                    median,
                    quartiles,
                    missing,
                } => [
                    n.to_string(),
                    empty(),
                    exact(Some(*mean)),
                    exact(Some(*sd)),
                    exact(Some(*median)),
                    exact(Some(quartiles.0)),
                    exact(Some(quartiles.1)),
                    missing.to_string(),
                ],
                BaselineCell::Share { count, of } => [
                    of.to_string(),
                    count.to_string(),
                    empty(),
                    empty(),
                    empty(),
                    empty(),
                    empty(),
                    families.saturating_sub(*of).to_string(),
                ],
                BaselineCell::Empty => [
                    "0".to_string(),
                    empty(),
                    empty(),
                    empty(),
                    empty(),
                    empty(),
                    empty(),
                    families.to_string(),
                ],
            };
            let mut record = vec![
                row.label.en.clone(),
                row.level
                    .as_ref()
                    .map_or_else(String::new, |level| level.en.clone()),
                arm_id(report, arm),
                families.to_string(),
            ];
            record.extend(numbers);
            // As R reads and writes it.
            record.push(match row.smd {
                Some(f64::INFINITY) => "Inf".to_owned(),
                Some(f64::NEG_INFINITY) => "-Inf".to_owned(),
                smd => exact(smd),
            });
            rows.push(record);
        }
    }
    table("baseline", &head, &rows)
}

/// The families that were turned away and never randomized, all sites first; masked counts are empty.
fn cohort(report: &Report<'_>) -> DelimitedTable {
    let mut rows = Vec::new();
    for outcome in &report.cohort.outcomes {
        let id = report
            .protocol
            .outcomes
            .get(outcome.outcome)
            .map_or_else(String::new, |own| own.id.clone());
        let (low, high) = outcome.interval.unzip();
        rows.push(vec![
            id.clone(),
            String::new(),
            outcome.known.to_string(),
            outcome.with_report.to_string(),
            exact(low),
            exact(high),
        ]);
        for site in &outcome.sites {
            let name = report.protocol.sites.get(usize::from(site.site.0));
            let counts = site.counts.unzip();
            let cell = |count: Option<u32>| count.map_or_else(String::new, |own| own.to_string());
            rows.push(vec![
                id.clone(),
                name.map_or_else(String::new, |site| site.id.clone()),
                cell(counts.0),
                cell(counts.1),
                String::new(),
                String::new(),
            ]);
        }
    }
    table(
        "turned-away",
        &[
            "outcome",
            "site",
            "families",
            "with_report",
            "conf_low",
            "conf_high",
        ],
        &rows,
    )
}

/// One row per randomization and per closed stretch, so that the curves can be drawn again.
fn recruitment(report: &Report<'_>) -> DelimitedTable {
    let mut rows = Vec::new();
    for site in &report.flow.sites {
        let id = report
            .protocol
            .sites
            .get(site.site)
            .map_or_else(String::new, |spec| spec.id.clone());
        let mut push = |what: &str, from: String, to: String, families: String| {
            rows.push(vec![id.clone(), what.to_string(), from, to, families]);
        };
        push(
            "opened",
            number::date(site.opened),
            String::new(),
            String::new(),
        );
        for (index, day) in site.randomized.iter().enumerate() {
            push(
                "randomized",
                number::date(*day),
                String::new(),
                (index + 1).to_string(),
            );
        }
        for (from, to) in &site.gate_closed {
            push(
                "gate-closed",
                number::date(*from),
                number::date(*to),
                String::new(),
            );
        }
        push(
            "turned-away",
            String::new(),
            String::new(),
            site.turned_away.to_string(),
        );
    }
    table(
        "recruitment",
        &["site", "event", "from", "to", "families"],
        &rows,
    )
}
