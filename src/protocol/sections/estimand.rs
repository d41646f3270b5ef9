//! `estimand` and `summary` of an analysis.
//!
//! Words of the contract that the program cannot run yet are known here, so that a protocol which uses them is told
//! so, and not that it is misspelt.

use crate::protocol::findings::Findings;
use crate::protocol::model::{Estimand, Outcome, OutcomeKind, Summary};
use crate::protocol::tree::{Section, Value};
use crate::words;

/// Keys of `estimand`.
pub(in crate::protocol) const KEYS: &[&str] = &["population", "strategy", "measure", "note"];

const STRATEGIES: (&[&str], &[&str]) = (
    &["treatment-policy", "principal-stratum"],
    &["composite", "hypothetical", "while-on-treatment"],
);
/// Effect measures; which of them an estimator has is `estimator`'s business.
const MEASURES: &[&str] = &[
    "difference",
    "risk-difference",
    "risk-ratio",
    "odds-ratio",
    "rate-ratio",
    "hazard-ratio",
    "subdistribution-hazard-ratio",
    "survival-difference",
    "restricted-mean-difference",
    "restricted-mean-ratio",
    "complier-difference",
    "probability-index",
    "test",
];

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
        .and_then(|value| built_word(out, &value, (MEASURES, &[]), "unknown-value"));
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
                ("first-time", Summary::FirstTime),
                ("value", Summary::Value),
            ],
        )?),
    };
    let outcome = outcome?;
    let recurrent = matches!(outcome.kind, OutcomeKind::Reports { .. });
    let observed = matches!(outcome.kind, OutcomeKind::Observed { .. });
    match (recurrent, given) {
        (true, Some(summary @ (Summary::Any | Summary::Count))) => Some(summary),
        (_, Some(Summary::FirstTime)) if !observed => Some(Summary::FirstTime),
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
                    "`recurrent-event`: `any`, `count` or `first-time`; `binary` and `duration`: none or `first-time`; `observed` needs no `summary`",
                    "`recurrent-event`: `any`, `count` eller `first-time`; `binary` och `duration`: ingen eller `first-time`; `observed` behöver ingen `summary`"
                ),
            );
            None
        }
    }
}

/// Whether the analysed value is 0 or 1.
pub(in crate::protocol) fn is_binary(outcome: &Outcome, summary: Summary) -> bool {
    match summary {
        Summary::Any => true,
        Summary::Count | Summary::FirstTime => false,
        Summary::Value => matches!(outcome.kind, OutcomeKind::Binary { .. }),
    }
}
