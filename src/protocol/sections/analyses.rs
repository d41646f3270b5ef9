//! `[[analysis]]`: what will be computed at which lock, registered before the first family.

use super::locks::Locks;
use super::looks::{looks, of_one_comparison, unspent};
use super::{allocation, estimand, estimator, missing};
use crate::protocol::findings::Findings;
use crate::protocol::model::{Analysis, Covariate, EventSpec, Factor, Outcome, Role, Test};
use crate::protocol::names::{Ids, Style, repeated};
use crate::protocol::tree::Section;
use crate::words;
use std::ops::Range;

/// Keys of `[[analysis]]`.
pub(in crate::protocol) const KEYS: &[&str] = &[
    "id",
    "lock",
    "looks",
    "outcome",
    "summary",
    "estimand",
    "estimator",
    "variance",
    "df",
    "interval",
    "ties",
    "p_value",
    "horizon",
    "range",
    "interacted",
    "covariates",
    "strata",
    "received",
    "children",
    "clusters",
    "test",
    "missing",
    "sensitivity_outcomes",
    "sensitivity_clusters",
    "sensitivity_winsorized",
    "sensitivity_bootstrap",
    "subgroups",
    "role",
    "alpha",
];
/// Keys of `test`.
pub(in crate::protocol) const TEST: &[&str] = &["kind", "draws"];

/// What analyses refer to.
#[derive(Debug, Clone, Copy)]
pub(in crate::protocol) struct Around<'f> {
    /// The locks.
    pub(in crate::protocol) locks: &'f Locks,
    /// Identifiers of the outcomes.
    pub(in crate::protocol) outcome_ids: &'f Ids,
    /// The outcomes.
    pub(in crate::protocol) outcomes: &'f [Option<Outcome>],
    /// The fields, and the planned size, whose alpha is the default.
    pub(in crate::protocol) drawing: allocation::Around<'f>,
    /// What events carry.
    pub(in crate::protocol) events: &'f [Option<EventSpec>],
    /// Strata of the draw.
    pub(in crate::protocol) strata: Option<&'f [Factor]>,
}

/// Reads the analyses.
pub(in crate::protocol) fn read(
    out: &mut Findings<'_>,
    root: &Section<'_>,
    around: Around<'_>,
) -> Vec<Option<Analysis>> {
    let sections = root.sections(out, "analysis", KEYS);
    let ids = Ids::read(out, &sections, words!("analysis", "analysen"), Style::Kebab);
    let mut primaries = Vec::new();
    let mut broken = false;
    let list: Vec<Option<Analysis>> = sections
        .iter()
        .enumerate()
        .map(|(index, section)| {
            let role = section.need(out, "role").and_then(|value| {
                value.one_of(
                    out,
                    &[Role::Primary, Role::Secondary, Role::Exploratory]
                        .map(|role| (role.text(), role)),
                )
            });
            broken |= role.is_none();
            if role == Some(Role::Primary) {
                primaries.push(section.key_span("role"));
            }
            analysis(out, section, ids.name(index), role, around)
        })
        .collect();
    if !broken {
        one_primary(out, &sections, &primaries);
        unspent(out, &sections, around.locks, &list);
        of_one_comparison(out, &sections, around.drawing.arms.list.len());
    }
    list
}

fn one_primary(out: &mut Findings<'_>, sections: &[Section<'_>], primaries: &[Range<usize>]) {
    if primaries.len() == 1 {
        return;
    }
    let found = primaries.len();
    let span = primaries
        .get(1)
        .cloned()
        .or_else(|| sections.last().map(|section| section.span.clone()))
        .unwrap_or(0..0);
    out.error(
        "primary-analysis",
        &span,
        words!(
            "{found} analyses have `role = \"primary\"`; exactly one decides",
            "{found} analyser har `role = \"primary\"`; exakt en avgör"
        ),
        words!(
            "choose the one that decides; make the others `secondary` or `exploratory`",
            "välj den som avgör; gör de andra `secondary` eller `exploratory`"
        ),
    );
}

fn analysis(
    out: &mut Findings<'_>,
    section: &Section<'_>,
    id: String,
    role: Option<Role>,
    around: Around<'_>,
) -> Option<Analysis> {
    let lock = section
        .need(out, "lock")
        .and_then(|value| around.locks.ids.resolve(out, &value));
    let outcome_index = section
        .need(out, "outcome")
        .and_then(|value| around.outcome_ids.resolve(out, &value));
    let outcome = outcome_index
        .and_then(|index| around.outcomes.get(index))
        .and_then(Option::as_ref);
    if role == Some(Role::Primary)
        && let Some(Some(lock)) = lock.map(|index| around.locks.list.get(index).cloned().flatten())
        && lock.interim
    {
        let name = &lock.id;
        out.error(
            "primary-analysis",
            &section.key_span("lock"),
            words!(
                "the primary analysis names the interim lock `{name}`",
                "den primära analysen anger interimslåsningen `{name}`"
            ),
            words!("name a final lock", "ange en slutlig låsning"),
        );
    }
    let summary = estimand::summary(out, section, outcome);
    let estimand = estimand::read(out, section);
    let value = section.need(out, "estimator");
    let entry = value.as_ref().and_then(|value| estimator::find(out, value));
    let covariates = covariates(out, section, around.drawing.ids);
    let test = test(out, section);
    let missing = missing::read(out, section, outcome);
    let others = sensitivity_outcomes(out, section, outcome, around);
    let given = match (&value, entry, outcome, summary, &estimand, &missing) {
        (Some(value), Some(entry), Some(outcome), Some(summary), Some(estimand), Some(rules)) => {
            let asked = estimator::Asked {
                entry,
                outcome,
                summary,
                estimand,
                missing: rules.0,
                sensitivity: &rules.1,
                test,
                looks: section.get("looks").is_some(),
                events: around.events,
            };
            estimator::read(out, section, value, asked, (around.drawing, around.strata))
        }
        _ => None,
    };
    let alpha = match section.get("alpha") {
        Some(value) => value.number(
            out,
            |alpha| alpha > 0.0 && alpha <= 0.5,
            words!(
                "a number above 0 and at most 0.5",
                "ett tal större än 0 och högst 0,5"
            ),
        ),
        None => around.drawing.size.map(|size| size.assumed.alpha),
    };
    let looks = looks(out, section, role, (lock, alpha), around.locks);
    let (missing, sensitivity) = missing?;
    let given = given?;
    Some(Analysis {
        id,
        lock: lock?,
        looks: looks?,
        outcome: outcome_index?,
        summary: summary?,
        estimand: estimand?,
        estimator: entry?.id.to_string(),
        options: given.options,
        covariates: covariates?,
        strata: given.strata,
        received: given.received,
        children: given.children,
        clusters: given.clusters,
        sensitivity_clusters: given.sensitivity_clusters,
        test,
        missing,
        sensitivity,
        sensitivity_outcomes: others?,
        sensitivity_winsorized: given.winsorized,
        sensitivity_bootstrap: given.bootstrap,
        subgroups: given.subgroups,
        role: role?,
        alpha: alpha?,
    })
}

/// Other outcomes of the same kind that the analysis is made of as well.
fn sensitivity_outcomes(
    out: &mut Findings<'_>,
    section: &Section<'_>,
    own: Option<&Outcome>,
    around: Around<'_>,
) -> Option<Vec<usize>> {
    let Some(value) = section.get("sensitivity_outcomes") else {
        return Some(Vec::new());
    };
    let mut list = Vec::new();
    for item in &value.items(out)? {
        let index = around.outcome_ids.resolve(out, item)?;
        let other = around.outcomes.get(index).and_then(Option::as_ref);
        if let (Some(own), Some(other)) = (own, other) {
            let alike = std::mem::discriminant(&own.kind) == std::mem::discriminant(&other.kind);
            if own.id == other.id || list.contains(&index) {
                repeated(out, &item.span, &words!("outcome", "utfallet"), &other.id);
            } else if !alike {
                let (id, other) = (&own.id, &other.id);
                out.error(
                    "summary-mismatch",
                    &item.span,
                    words!(
                        "`{other}` is of another kind than `{id}`, so the same analysis cannot be made of it",
                        "`{other}` är av ett annat slag än `{id}`, så samma analys går inte att göra av det"
                    ),
                    words!(
                        "name an outcome of the same kind",
                        "ange ett utfall av samma slag"
                    ),
                );
                return None;
            }
        }
        list.push(index);
    }
    Some(list)
}

fn covariates(
    out: &mut Findings<'_>,
    section: &Section<'_>,
    fields: &Ids,
) -> Option<Vec<Covariate>> {
    let Some(value) = section.get("covariates") else {
        return Some(Vec::new());
    };
    let mut list = Vec::new();
    let mut complete = true;
    for item in &value.items(out)? {
        let Some(name) = item.text(out) else {
            complete = false;
            continue;
        };
        let covariate = match name {
            "site" => Some(Covariate::Site),
            "months_since_start" => Some(Covariate::MonthsSinceStart),
            _ => fields.position(name).map(Covariate::Field),
        };
        let Some(covariate) = covariate else {
            let known: Vec<&str> = ["site", "months_since_start"]
                .into_iter()
                .chain(fields.names())
                .collect();
            out.unknown(
                "unknown-reference",
                &item.span,
                name,
                words!(
                    "there is no covariate `{name}`",
                    "kovariaten `{name}` finns inte"
                ),
                known,
            );
            complete = false;
            continue;
        };
        if list.contains(&covariate) {
            repeated(out, &item.span, &words!("covariate", "kovariaten"), name);
        }
        list.push(covariate);
    }
    complete.then_some(list)
}

/// Without the section the estimator's own p-value stands.
fn test(out: &mut Findings<'_>, section: &Section<'_>) -> Option<Test> {
    let table = section.section(out, "test", TEST)?;
    let kind = table
        .need(out, "kind")
        .and_then(|value| value.one_of(out, &[("randomization", ())]));
    let draws = match table.get("draws") {
        None => Some(10_000),
        Some(value) => value.count(out, 99, 10_000_000),
    };
    kind?;
    Some(Test::Randomization { draws: draws? })
}
