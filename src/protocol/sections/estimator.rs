//! The estimator of an analysis, and whether outcome, measure, covariates and test fit it. The registry of estimators says
//! what each one takes; its options are read in `options`.

use super::allocation;
use super::children;
use super::clusters;
use super::estimand::is_binary;
use super::missing::{self, Follows};
use super::options::{options, received, strata, subgroups};
use super::skewed;
use crate::estimation::{ESTIMATORS, EstimatorEntry, Measure, OutcomeDomain, Role, Settings};
use crate::protocol::findings::{Findings, quoted};
use crate::protocol::model::{
    Average, Clusters, Estimand, EventSpec, Factor, LINEAR, Missing, Outcome, Received, SCORED,
    Sensitivity, Summary, Test,
};
use crate::protocol::tree::{Section, Value};
use crate::words;

/// What an analysis asks of its estimator.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked<'a> {
    pub(super) entry: &'static EstimatorEntry,
    pub(super) outcome: &'a Outcome,
    pub(super) summary: Summary,
    pub(super) estimand: &'a Estimand,
    pub(super) missing: Missing,
    pub(super) sensitivity: &'a [Sensitivity],
    pub(super) test: Option<Test>,
    pub(super) looks: bool,
    pub(super) events: &'a [Option<EventSpec>],
}

/// What the estimator is given beside the outcome.
#[derive(Debug, Clone)]
pub(super) struct Given {
    pub(super) options: Settings,
    pub(super) strata: Vec<Factor>,
    pub(super) received: Option<Received>,
    pub(super) children: Option<Average>,
    pub(super) clusters: Option<Clusters>,
    pub(super) sensitivity_clusters: Option<Clusters>,
    pub(super) winsorized: Option<f64>,
    pub(super) bootstrap: Option<u32>,
    pub(super) subgroups: Vec<Factor>,
}

/// The registered estimator of a word.
pub(super) fn find(out: &mut Findings<'_>, value: &Value<'_>) -> Option<&'static EstimatorEntry> {
    let text = value.text(out)?;
    match ESTIMATORS.iter().find(|entry| entry.id == text) {
        Some(entry) if entry.in_plan => Some(entry),
        Some(_) => {
            mismatch(
                out,
                value,
                words!(
                    "`{text}` draws the arms by strata alone, not as the study draws them",
                    "`{text}` lottar om armarna enbart inom strata, inte som studien lottar"
                ),
                words!(
                    "name an estimator, and add `test = {{ kind = \"randomization\" }}`",
                    "ange en skattningsmetod, och lägg till `test = {{ kind = \"randomization\" }}`"
                ),
            );
            None
        }
        None => {
            let known = ESTIMATORS.iter().filter(|entry| entry.in_plan);
            out.unknown(
                "unknown-reference",
                &value.span,
                text,
                words!(
                    "`{text}` is not a possible value of `estimator`",
                    "`{text}` är inte ett möjligt värde för `estimator`"
                ),
                known.map(|entry| entry.id),
            );
            None
        }
    }
}

fn mismatch(
    out: &mut Findings<'_>,
    value: &Value<'_>,
    message: crate::diagnostic::Words,
    help: crate::diagnostic::Words,
) {
    out.error("estimator-mismatch", &value.span, message, help);
}

/// Reads what is given to the estimator and checks all that must fit.
pub(super) fn read(
    out: &mut Findings<'_>,
    section: &Section<'_>,
    value: &Value<'_>,
    asked: Asked<'_>,
    around: (allocation::Around<'_>, Option<&[Factor]>),
) -> Option<Given> {
    let entry = asked.entry;
    check_summary(out, value, asked);
    check_measure(out, section, asked);
    check_strategy(out, section, asked);
    check_covariates(out, section, entry);
    check_redrawn(out, section, asked);
    let options = options(out, section, asked);
    let ranged = options.is_some_and(|own| own.range.is_some());
    let follows = if entry.required.contains(&Role::Time) {
        Follows::Needs
    } else if entry.uses(Role::Exposure) {
        Follows::May
    } else {
        Follows::Not
    };
    missing::check(
        out,
        section,
        (asked.missing, asked.sensitivity),
        missing::Around {
            entry,
            follows,
            binary: is_binary(asked.outcome, asked.summary),
            ranged,
        },
    );
    let strata = strata(out, section, entry, around);
    let received = received(out, section, entry);
    let subgroups = subgroups(out, section, entry, around.0);
    let skewed = skewed::read(out, section, asked);
    let (clusters, sensitivity_clusters, options) = clusters::read(out, section, asked, options)?;
    let (children, options) = children::read(out, section, asked, options).ok()?;
    let (winsorized, bootstrap) = skewed.ok()?;
    Some(Given {
        options,
        winsorized,
        bootstrap,
        children,
        clusters,
        sensitivity_clusters,
        strata: strata?,
        received: received.ok()?,
        subgroups: subgroups?,
    })
}

/// Whether the summary is what the estimator analyses.
fn check_summary(out: &mut Findings<'_>, value: &Value<'_>, asked: Asked<'_>) {
    let (entry, outcome, summary) = (asked.entry, asked.outcome, asked.summary);
    let (id, own) = (entry.id, &outcome.id);
    let needs = |role| entry.required.contains(&role);
    if needs(Role::Id) && summary != Summary::Count {
        mismatch(
            out,
            value,
            words!(
                "the estimator `{id}` counts repeated events",
                "skattningsmetoden `{id}` räknar upprepade händelser"
            ),
            words!(
                "use an outcome of the kind `recurrent-event` with `summary = \"count\"`",
                "använd ett utfall av slaget `recurrent-event` med `summary = \"count\"`"
            ),
        );
    } else if needs(Role::Time) && !needs(Role::Id) && summary != Summary::FirstTime {
        mismatch(
            out,
            value,
            words!(
                "the estimator `{id}` analyses the time to the first event",
                "skattningsmetoden `{id}` analyserar tiden till den första händelsen"
            ),
            words!(
                "write `summary = \"first-time\"`",
                "skriv `summary = \"first-time\"`"
            ),
        );
    } else if !needs(Role::Time) && summary == Summary::FirstTime {
        let times: Vec<&str> = ESTIMATORS
            .iter()
            .filter(|entry| {
                entry.required.contains(&Role::Time) && !entry.required.contains(&Role::Id)
            })
            .map(|entry| entry.id)
            .collect();
        let times = quoted(&times);
        mismatch(
            out,
            value,
            words!(
                "the estimator `{id}` knows no times of events",
                "skattningsmetoden `{id}` känner inga tider för händelser"
            ),
            words!(
                "use one of {times}, or another `summary`",
                "använd en av {times}, eller en annan `summary`"
            ),
        );
    } else if needs(Role::Outcome)
        && entry.outcome == OutcomeDomain::Count
        && summary != Summary::Count
    {
        mismatch(
            out,
            value,
            words!(
                "the estimator `{id}` needs a number of events; `{own}` is not one with this summary",
                "skattningsmetoden `{id}` kräver ett antal händelser; `{own}` är inget sådant med denna sammanfattning"
            ),
            words!(
                "use an outcome of the kind `recurrent-event` with `summary = \"count\"`",
                "använd ett utfall av slaget `recurrent-event` med `summary = \"count\"`"
            ),
        );
    } else if entry.binary() && !is_binary(outcome, summary) {
        mismatch(
            out,
            value,
            words!(
                "the estimator `{id}` needs an outcome that is 0 or 1; `{own}` is not",
                "skattningsmetoden `{id}` kräver ett utfall som är 0 eller 1; `{own}` är det inte"
            ),
            words!(
                "use `lin` or `difference-in-means`",
                "använd `lin` eller `difference-in-means`"
            ),
        );
    }
}

/// The measures that an estimator has, as an estimand names them.
fn measures(entry: &EstimatorEntry, binary: bool) -> Vec<&'static str> {
    match entry.id {
        "instrumental-variables" => vec!["complier-difference"],
        "kaplan-meier" => vec!["survival-difference"],
        "rmst" => vec!["restricted-mean-difference", "restricted-mean-ratio"],
        "cumulative-incidence" => vec!["risk-difference"],
        "rank-sum" => vec!["probability-index"],
        "mean-cumulative-count" => vec!["difference"],
        _ => {
            let own: Vec<&str> = entry.options.measures.iter().map(|m| m.text()).collect();
            if own.is_empty() || own == [Measure::Difference.text()] {
                vec![if binary {
                    "risk-difference"
                } else {
                    "difference"
                }]
            } else {
                own
            }
        }
    }
}

fn check_measure(out: &mut Findings<'_>, section: &Section<'_>, asked: Asked<'_>) {
    let binary = is_binary(asked.outcome, asked.summary);
    let possible = measures(asked.entry, binary);
    let measure = asked.estimand.measure.as_str();
    if possible.contains(&measure) {
        return;
    }
    let (id, estimator) = (&asked.outcome.id, asked.entry.id);
    let span = section
        .get("estimand")
        .map_or(section.span.clone(), |value| value.span);
    let wanted: Vec<String> = possible
        .iter()
        .map(|word| format!("`measure = \"{word}\"`"))
        .collect();
    let (en, sv) = (wanted.join(" or "), wanted.join(" eller "));
    out.error(
        "measure-mismatch",
        &span,
        words!(
            "the measure `{measure}` is not that of the estimator `{estimator}` for the outcome `{id}` with this summary",
            "måttet `{measure}` är inte det som skattningsmetoden `{estimator}` ger för utfallet `{id}` med denna sammanfattning"
        ),
        words!("write {en}", "skriv {sv}"),
    );
}

/// A principal stratum is what a complier effect and trimmed bounds are about, and nothing else.
fn check_strategy(out: &mut Findings<'_>, section: &Section<'_>, asked: Asked<'_>) {
    let id = asked.entry.id;
    let stratum = asked.entry.uses(Role::Received) || id == "lee-bounds";
    let wanted = if stratum {
        "principal-stratum"
    } else {
        "treatment-policy"
    };
    let own = &asked.estimand.strategy;
    if own == wanted {
        return;
    }
    let span = section
        .get("estimand")
        .map_or(section.span.clone(), |value| value.span);
    out.error(
        "estimator-mismatch",
        &span,
        words!(
            "the estimator `{id}` is not about the strategy `{own}`",
            "skattningsmetoden `{id}` passar inte strategin `{own}`"
        ),
        words!(
            "write `strategy = \"{wanted}\"`",
            "skriv `strategy = \"{wanted}\"`"
        ),
    );
}

fn check_covariates(out: &mut Findings<'_>, section: &Section<'_>, entry: &EstimatorEntry) {
    if entry.optional.contains(&Role::Covariates) || section.get("covariates").is_none() {
        return;
    }
    let id = entry.id;
    let adjusting: Vec<&str> = ESTIMATORS
        .iter()
        .filter(|entry| entry.in_plan && entry.optional.contains(&Role::Covariates))
        .map(|entry| entry.id)
        .collect();
    let adjusting = quoted(&adjusting);
    out.error(
        "estimator-mismatch",
        &section.key_span("covariates"),
        words!(
            "the estimator `{id}` does not use covariates",
            "skattningsmetoden `{id}` använder inga kovariater"
        ),
        words!(
            "remove `covariates`, or use one of {adjusting}",
            "ta bort `covariates`, eller använd en av {adjusting}"
        ),
    );
}

/// Estimators beside the linear ones whose information looks can be weighed by: 1/variance of a log hazard ratio, and the
/// variance of a log-rank test's O − E.
const WEIGHED: [&str; 2] = ["log-rank", "cox"];

/// Redraws go by the studentized difference of a linear estimator, or by the statistic of a log-rank or rank-sum test; looks by
/// information, and their repeated intervals by the inversion of the test.
fn check_redrawn(out: &mut Findings<'_>, section: &Section<'_>, asked: Asked<'_>) {
    let id = asked.entry.id;
    if LINEAR.contains(&id) {
        return;
    }
    let redrawn = quoted(&[&LINEAR[..], &SCORED].concat());
    let weighed = quoted(&[&LINEAR[..], &WEIGHED].concat());
    let scored = SCORED.contains(&id);
    if asked.test.is_some() && asked.looks && scored {
        out.error(
            "estimator-mismatch",
            &section.key_span("test"),
            words!(
                "`{id}` is looked at on the way by its information, and its test by redraws is not judged at looks",
                "`{id}` tittas på under vägen efter sin information, och dess test med omlottningar bedöms inte vid tittar"
            ),
            words!(
                "remove `test`: the estimator's own test then decides at every look; or remove `looks`",
                "ta bort `test`: då avgör skattningsmetodens eget test vid varje titt; eller ta bort `looks`"
            ),
        );
        return;
    }
    if asked.test.is_some() && !scored {
        out.error(
            "estimator-mismatch",
            &section.key_span("test"),
            words!(
                "the randomization test redraws the arms with a studentized difference of means or a test of ranks or times, and `{id}` has none",
                "randomiseringstestet lottar om armarna med en studentiserad skillnad i medelvärde eller ett test av ranger eller tider, och `{id}` har inget sådant"
            ),
            words!(
                "remove `test`: the estimator's own test then decides; or use one of {redrawn}",
                "ta bort `test`: då avgör skattningsmetodens eget test; eller använd en av {redrawn}"
            ),
        );
    }
    if asked.looks && !WEIGHED.contains(&id) {
        out.error(
            "estimator-mismatch",
            &section.key_span("looks"),
            words!(
                "looks are weighed by the information of a difference of means or of a hazard ratio, and `{id}` has none",
                "tittar vägs med informationen i en skillnad i medelvärde eller i en hasardkvot, och `{id}` har ingen"
            ),
            words!(
                "remove `looks`, or use one of {weighed}",
                "ta bort `looks`, eller använd en av {weighed}"
            ),
        );
    }
}
