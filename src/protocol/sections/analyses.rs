//! `[[analysis]]` and `[multiplicity]`: what will be computed at which lock, registered before the first family.

use super::estimand;
use super::locks::Locks;
use crate::estimation::{self, ESTIMATORS};
use crate::protocol::findings::{Findings, quoted};
use crate::protocol::model::{
    Analysis, Covariate, Multiplicity, Outcome, Role, SampleSize, Summary, Test,
};
use crate::protocol::names::{Ids, Style, repeated};
use crate::protocol::tree::{Section, Value};
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
    "covariates",
    "test",
    "missing",
    "role",
    "alpha",
];
/// Keys of `test`.
pub(in crate::protocol) const TEST: &[&str] = &["kind", "draws"];
/// Keys of `[multiplicity]`.
pub(in crate::protocol) const MULTIPLICITY: &[&str] = &["secondary"];

/// Estimators of the contract; those that are not registered are not built yet.
const PROMISED: [&str; 26] = [
    "difference-in-means",
    "stratified-difference-in-means",
    "linear",
    "lin",
    "risk-difference",
    "risk-ratio",
    "odds-ratio",
    "fisher-exact",
    "mantel-haenszel",
    "g-computation",
    "logistic",
    "poisson",
    "negative-binomial",
    "instrumental-variables",
    "kaplan-meier",
    "log-rank",
    "cox",
    "rmst",
    "cumulative-incidence",
    "fine-gray",
    "mean-cumulative-count",
    "recurrent-rate-ratio",
    "rank-sum",
    "randomization-test",
    "lee-bounds",
    "manski-bounds",
];

/// Registered estimators that an analysis can name.
fn built() -> Vec<&'static str> {
    ESTIMATORS
        .iter()
        .filter(|entry| entry.in_plan)
        .map(|entry| entry.id)
        .collect()
}

/// What analyses refer to.
#[derive(Debug, Clone, Copy)]
pub(in crate::protocol) struct Around<'f> {
    /// The locks.
    pub(in crate::protocol) locks: &'f Locks,
    /// Identifiers of the outcomes.
    pub(in crate::protocol) outcome_ids: &'f Ids,
    /// The outcomes.
    pub(in crate::protocol) outcomes: &'f [Option<Outcome>],
    /// Identifiers of the fields.
    pub(in crate::protocol) field_ids: &'f Ids,
    /// The planned size, whose alpha is the default.
    pub(in crate::protocol) size: Option<&'f SampleSize>,
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
    }
    list
}

/// Interim locks that may spend alpha, where no analysis is looked at.
fn unspent(
    out: &mut Findings<'_>,
    sections: &[Section<'_>],
    locks: &Locks,
    analyses: &[Option<Analysis>],
) {
    let Some(all) = analyses
        .iter()
        .map(Option::as_ref)
        .collect::<Option<Vec<_>>>()
    else {
        return;
    };
    let primary = all.iter().position(|own| own.role == Role::Primary);
    let Some(section) = primary.and_then(|index| sections.get(index)) else {
        return;
    };
    for (index, lock) in locks.list.iter().enumerate() {
        let Some(lock) = lock.as_ref().filter(|lock| lock.alpha > 0.0) else {
            continue;
        };
        if all.iter().all(|own| !own.looks.contains(&index)) {
            let id = &lock.id;
            out.error(
                "alpha-unspent",
                &section.key_span("lock"),
                words!(
                    "the interim lock `{id}` may spend alpha, but the primary analysis is not looked at there",
                    "interimslåsningen `{id}` får förbruka alfa, men den primära analysen tittas inte på där"
                ),
                words!(
                    "add `looks = [\"{id}\"]` to the primary analysis, or set `alpha = 0.0` at the lock",
                    "lägg till `looks = [\"{id}\"]` i den primära analysen, eller sätt `alpha = 0.0` vid låsningen"
                ),
            );
        }
    }
}

/// The interim locks at which an analysis is looked at before its own lock.
fn looks(
    out: &mut Findings<'_>,
    section: &Section<'_>,
    role: Option<Role>,
    (own, alpha): (Option<usize>, Option<f64>),
    locks: &Locks,
) -> Option<Vec<usize>> {
    let Some(value) = section.get("looks") else {
        return Some(Vec::new());
    };
    let mut list: Vec<usize> = Vec::new();
    for item in &value.items(out)? {
        let index = locks.ids.resolve(out, item)?;
        if list.contains(&index) {
            repeated(
                out,
                &item.span,
                &words!("lock", "låsningen"),
                locks.ids.name(index).as_str(),
            );
        }
        list.push(index);
        let lock = locks.list.get(index)?.as_ref()?;
        let before = own.is_none_or(|own| index < own);
        if !(lock.interim && lock.alpha > 0.0 && before) {
            let id = &lock.id;
            out.error(
                "look-spends-nothing",
                &item.span,
                words!(
                    "`{id}` is no look: a look is an interim lock with an `alpha` above 0, before the analysis' own lock",
                    "`{id}` är ingen titt: en titt är en interimslåsning med `alpha` större än 0, före analysens egen låsning"
                ),
                words!(
                    "give the interim lock the alpha that it may spend, for example `alpha = 0.003`; `lottning boundaries` helps to choose",
                    "ge interimslåsningen det alfa som den får förbruka, till exempel `alpha = 0.003`; `lottning boundaries` hjälper till att välja"
                ),
            );
            return None;
        }
    }
    list.sort_unstable();
    if role.is_some_and(|role| role != Role::Primary) {
        out.error(
            "look-not-primary",
            &section.key_span("looks"),
            words!(
                "only the primary analysis spends alpha at interim looks",
                "bara den primära analysen förbrukar alfa vid tittar på vägen"
            ),
            words!("remove `looks`", "ta bort `looks`"),
        );
        return None;
    }
    let spent: f64 = list
        .iter()
        .filter_map(|index| Some(locks.list.get(*index)?.as_ref()?.alpha))
        .sum();
    if alpha.is_some_and(|alpha| spent >= alpha) {
        out.error(
            "look-spends-all",
            &section.key_span("looks"),
            words!(
                "the looks spend {spent}, and nothing of the analysis' alpha is left for its own lock",
                "tittarna förbrukar {spent}, och inget av analysens alfa återstår till dess egen låsning"
            ),
            words!(
                "let the looks spend less than `alpha`",
                "låt tittarna förbruka mindre än `alpha`"
            ),
        );
        return None;
    }
    Some(list)
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
    if let (Some(estimand), Some(outcome), Some(summary)) = (&estimand, outcome, summary) {
        estimand::check_measure(out, section, estimand, outcome, summary);
    }
    let estimator_value = section.need(out, "estimator");
    let estimator = estimator_value.as_ref().and_then(|value| {
        estimand::built_word(out, value, (&built(), &PROMISED), "unknown-reference")
    });
    let covariates = covariates(out, section, around.field_ids);
    if let (Some(value), Some(estimator)) = (&estimator_value, estimator) {
        check_estimator(out, section, value, estimator, outcome, summary);
    }
    let test = test(out, section);
    let missing = estimand::missing(out, section, outcome);
    let alpha = match section.get("alpha") {
        Some(value) => value.number(
            out,
            |alpha| alpha > 0.0 && alpha <= 0.5,
            words!(
                "a number above 0 and at most 0.5",
                "ett tal större än 0 och högst 0.5"
            ),
        ),
        None => around.size.map(|size| size.assumed.alpha),
    };
    let looks = looks(out, section, role, (lock, alpha), around.locks);
    Some(Analysis {
        id,
        lock: lock?,
        looks: looks?,
        outcome: outcome_index?,
        summary: summary?,
        estimand: estimand?,
        estimator: estimator?.to_string(),
        covariates: covariates?,
        test,
        missing: missing?,
        role: role?,
        alpha: alpha?,
    })
}

/// Some estimators need an outcome that is 0 or 1, and some take no covariates: the registry says which.
fn check_estimator(
    out: &mut Findings<'_>,
    section: &Section<'_>,
    value: &Value<'_>,
    estimator: &str,
    outcome: Option<&Outcome>,
    summary: Option<Summary>,
) {
    let Some(entry) = ESTIMATORS.iter().find(|entry| entry.id == estimator) else {
        return;
    };
    if !entry.optional.contains(&estimation::Role::Covariates)
        && section.get("covariates").is_some()
    {
        let adjusting: Vec<&str> = ESTIMATORS
            .iter()
            .filter(|entry| entry.in_plan && entry.optional.contains(&estimation::Role::Covariates))
            .map(|entry| entry.id)
            .collect();
        let adjusting = quoted(&adjusting);
        out.error(
            "estimator-mismatch",
            &section.key_span("covariates"),
            words!(
                "the estimator `{estimator}` does not use covariates",
                "skattningsmetoden `{estimator}` använder inga kovariater"
            ),
            words!(
                "remove `covariates`, or use one of {adjusting}",
                "ta bort `covariates`, eller använd en av {adjusting}"
            ),
        );
    }
    if entry.binary()
        && let (Some(outcome), Some(summary)) = (outcome, summary)
        && !estimand::is_binary(outcome, summary)
    {
        let id = &outcome.id;
        out.error(
            "estimator-mismatch",
            &value.span,
            words!(
                "the estimator `{estimator}` needs an outcome that is 0 or 1; `{id}` is not",
                "skattningsmetoden `{estimator}` kräver ett utfall som är 0 eller 1; `{id}` är det inte"
            ),
            words!(
                "use `lin` or `difference-in-means`",
                "använd `lin` eller `difference-in-means`"
            ),
        );
    }
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

/// Reads how secondary analyses are protected; a warning when several stand without a word.
pub(in crate::protocol) fn multiplicity(
    out: &mut Findings<'_>,
    root: &Section<'_>,
    analyses: &[Option<Analysis>],
) -> Option<Multiplicity> {
    if let Some(section) = root.get("multiplicity") {
        let section = section.section(out, MULTIPLICITY)?;
        let rule = section.need(out, "secondary")?.one_of(
            out,
            &[
                ("holm", Multiplicity::Holm),
                ("westfall-young", Multiplicity::WestfallYoung),
                ("fixed-sequence", Multiplicity::FixedSequence),
                ("none", Multiplicity::None),
            ],
        );
        let untested = analyses
            .iter()
            .flatten()
            .find(|analysis| analysis.role == Role::Secondary && analysis.test.is_none());
        if let (Some(Multiplicity::WestfallYoung), Some(untested)) = (rule, untested) {
            let id = &untested.id;
            out.error(
                "estimator-mismatch",
                &section.key_span("secondary"),
                words!(
                    "`westfall-young` redraws the arms, and the secondary analysis `{id}` has no randomization test",
                    "`westfall-young` lottar om armarna, och den sekundära analysen `{id}` har inget randomiseringstest"
                ),
                words!(
                    "add `test = {{ kind = \"randomization\" }}` to it, or use `holm`",
                    "lägg till `test = {{ kind = \"randomization\" }}` i den, eller använd `holm`"
                ),
            );
        }
        return rule;
    }
    let secondary = analyses
        .iter()
        .flatten()
        .filter(|analysis| analysis.role == Role::Secondary)
        .count();
    if secondary > 1 {
        out.push(
            crate::diagnostic::Diagnostic::warning(
                "multiplicity-unsaid",
                words!(
                    "{secondary} secondary analyses, and nothing is said about multiplicity",
                    "{secondary} sekundära analyser, och inget sägs om multiplicitet"
                ),
            )
            .help(words!(
                "add `[multiplicity]` with `secondary = \"holm\"`, `\"westfall-young\"`, `\"fixed-sequence\"` or `\"none\"`",
                "lägg till `[multiplicity]` med `secondary = \"holm\"`, `\"westfall-young\"`, `\"fixed-sequence\"` eller `\"none\"`"
            )),
        );
    }
    None
}
