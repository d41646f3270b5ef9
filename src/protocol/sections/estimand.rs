//! `estimand` and what must fit it: summary, measure, missing-data rule and estimator of an analysis.
//!
//! Words of the contract that the program cannot run yet are known here, so that a protocol which uses them is told
//! so, and not that it is misspelt.

use crate::protocol::findings::Findings;
use crate::protocol::model::{Estimand, Missing, Outcome, OutcomeKind, Summary};
use crate::protocol::tree::{Section, Value};
use crate::words;

/// Keys of `estimand`.
pub(in crate::protocol) const KEYS: &[&str] = &["population", "strategy", "measure", "note"];
/// Keys of `missing`.
pub(in crate::protocol) const MISSING: &[&str] = &["primary", "sensitivity"];

const STRATEGIES: (&[&str], &[&str]) = (
    &["treatment-policy"],
    &[
        "composite",
        "hypothetical",
        "principal-stratum",
        "while-on-treatment",
    ],
);
const MEASURES: (&[&str], &[&str]) = (
    &["difference", "risk-difference"],
    &[
        "risk-ratio",
        "odds-ratio",
        "rate-ratio",
        "hazard-ratio",
        "restricted-mean-difference",
        "complier-difference",
    ],
);
const MISSING_RULES: (&[&str], &[&str]) = (
    &["complete-case", "not-accepted"],
    &["inverse-probability-of-censoring", "censoring"],
);
const SENSITIVITY: (&[&str], &[&str]) = (&[], &["manski", "tipping-point", "lee"]);

/// A word of which some are built and some are in the contract only.
pub(in crate::protocol) fn built_word<'a>(
    out: &mut Findings<'_>,
    value: &Value<'a>,
    words: (&[&str], &[&str]),
    code: &'static str,
) -> Option<&'a str> {
    let text = value.text(out)?;
    let (built, later) = words;
    if built.contains(&text) {
        return Some(text);
    }
    if later.contains(&text) {
        out.not_built_yet(&value.span, words!("`{text}`", "`{text}`"), built);
        return None;
    }
    let key = &value.key;
    out.unknown(
        code,
        &value.span,
        text,
        words!(
            "`{text}` is not a possible value of `{key}`",
            "`{text}` är inte ett möjligt värde för `{key}`"
        ),
        built
            .iter()
            .chain(later.iter().filter(|word| !built.contains(word)))
            .copied(),
    );
    None
}

/// Reads the estimand of an analysis.
pub(in crate::protocol) fn read(out: &mut Findings<'_>, section: &Section<'_>) -> Option<Estimand> {
    let table = section.need_section(out, "estimand", KEYS)?;
    let population = table.need(out, "population").and_then(|v| v.words(out));
    let strategy = table
        .need(out, "strategy")
        .and_then(|value| built_word(out, &value, STRATEGIES, "unknown-value"));
    let measure = table
        .need(out, "measure")
        .and_then(|value| built_word(out, &value, MEASURES, "unknown-value"));
    let note = table.get("note").and_then(|value| value.words(out));
    Some(Estimand {
        population: population?,
        strategy: strategy?.to_string(),
        measure: measure?.to_string(),
        note,
    })
}

/// Reads how a recurrent outcome becomes one number; the other kinds have their own value.
pub(in crate::protocol) fn summary(
    out: &mut Findings<'_>,
    section: &Section<'_>,
    outcome: Option<&Outcome>,
) -> Option<Summary> {
    let value = section.get("summary");
    let given = match &value {
        None => None,
        Some(value) => Some(value.one_of(
            out,
            &[
                ("any", Summary::Any),
                ("count", Summary::Count),
                ("value", Summary::Value),
            ],
        )?),
    };
    let outcome = outcome?;
    let recurrent = matches!(outcome.kind, OutcomeKind::Reports { .. });
    match (recurrent, given) {
        (true, Some(summary @ (Summary::Any | Summary::Count))) => Some(summary),
        (false, None | Some(Summary::Value)) => Some(Summary::Value),
        (true, None) => {
            section.missing(out, "summary");
            None
        }
        _ => {
            let id = &outcome.id;
            out.error(
                "summary-mismatch",
                &value.map_or(section.span.clone(), |value| value.span),
                words!(
                    "this summary does not fit the outcome `{id}`",
                    "sammanfattningen passar inte utfallet `{id}`"
                ),
                words!(
                    "`recurrent-event`: `any` or `count`; the other kinds need no `summary`",
                    "`recurrent-event`: `any` eller `count`; de andra slagen behöver ingen `summary`"
                ),
            );
            None
        }
    }
}

/// Whether the analysed value is 0 or 1.
pub(in crate::protocol) fn is_binary(outcome: &Outcome, summary: Summary) -> bool {
    summary == Summary::Any || matches!(outcome.kind, OutcomeKind::Binary { .. })
}

/// A risk difference needs an outcome that is 0 or 1; a plain difference one that is not.
pub(in crate::protocol) fn check_measure(
    out: &mut Findings<'_>,
    section: &Section<'_>,
    estimand: &Estimand,
    outcome: &Outcome,
    summary: Summary,
) {
    let binary = is_binary(outcome, summary);
    let wanted = if binary {
        "risk-difference"
    } else {
        "difference"
    };
    if estimand.measure == wanted {
        return;
    }
    let (id, measure) = (&outcome.id, &estimand.measure);
    let span = section
        .get("estimand")
        .map_or(section.span.clone(), |value| value.span);
    out.error(
        "measure-mismatch",
        &span,
        words!(
            "the measure `{measure}` does not fit the outcome `{id}` with this summary",
            "måttet `{measure}` passar inte utfallet `{id}` med denna sammanfattning"
        ),
        words!(
            "write `measure = \"{wanted}\"`",
            "skriv `measure = \"{wanted}\"`"
        ),
    );
}

/// Reads the rule for missing outcomes, and that it fits the outcome.
pub(in crate::protocol) fn missing(
    out: &mut Findings<'_>,
    section: &Section<'_>,
    outcome: Option<&Outcome>,
) -> Option<Missing> {
    let table = section.need_section(out, "missing", MISSING)?;
    if let Some(value) = table.get("sensitivity") {
        for item in value.items(out).unwrap_or_default() {
            built_word(out, &item, SENSITIVITY, "unknown-value");
        }
    }
    let value = table.need(out, "primary")?;
    let rule = match built_word(out, &value, MISSING_RULES, "unknown-value")? {
        "not-accepted" => Missing::NotAccepted,
        _ => Missing::CompleteCase,
    };
    if let Some(outcome) = outcome
        && rule == Missing::NotAccepted
        && !matches!(outcome.kind, OutcomeKind::Binary { .. })
    {
        let id = &outcome.id;
        out.error(
            "missing-rule-mismatch",
            &value.span,
            words!(
                "`not-accepted` counts a family without follow-up as a no, which only an outcome of the kind `binary` can be; `{id}` is not",
                "`not-accepted` räknar en familj utan uppföljning som ett nej, vilket bara ett utfall av slaget `binary` kan vara; `{id}` är det inte"
            ),
            words!(
                "write `primary = \"complete-case\"`",
                "skriv `primary = \"complete-case\"`"
            ),
        );
        return None;
    }
    Some(rule)
}
