//! `explain`: a page about each stable code, in both languages.
//!
//! A page is `pages/<code>.md`: English, a line `---`, Swedish. Each room that reports codes has a slice here, one line
//! a code; a test holds that every code in the sources has its page and that every page is of a code that exists.

use crate::diagnostic::{Lang, Words};
use crate::words;

use super::exit;
use super::failure::{Failure, suggestion};

/// A page about one code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    /// The stable code.
    pub code: &'static str,
    text: &'static str,
}

impl Page {
    /// The text in one language, without a trailing newline.
    pub fn text(&self, lang: Lang) -> &'static str {
        let (en, sv) = self
            .text
            .split_once("\n---\n")
            .unwrap_or((self.text, self.text));
        match lang {
            Lang::En => en.trim(),
            Lang::Sv => sv.trim(),
        }
    }
}

macro_rules! pages {
    ($($code:literal,)*) => {
        &[$(Page { code: $code, text: include_str!(concat!("pages/", $code, ".md")) }),*]
    };
}

/// Codes of the command line itself: options, files, output.
pub const COMMAND: &[Page] = pages![
    "conflicting-options",
    "entropy",
    "file",
    "invalid-data",
    "invalid-value",
    "missing-option",
    "no-answer",
    "not-utf8",
    "unknown-code",
    "unknown-command",
    "unknown-id",
    "unknown-option",
    "usage",
];

/// Codes of tables: delimited text as people have it.
pub const TABLE: &[Page] = pages![
    "decimal-ambiguous",
    "delimiter-ambiguous",
    "duplicate-header",
    "empty-columns",
    "empty-file",
    "empty-header",
    "empty-rows",
    "encoding-ambiguous",
    "more-of-the-same",
    "mostly-numbers",
    "no-rows",
    "not-a-date",
    "not-a-number",
    "not-an-event-code",
    "not-zero-one",
    "nul-byte",
    "ragged-row",
    "stray-quote",
    "thousands-separator",
    "unclosed-quote",
    "unknown-column",
    "unknown-level",
    "wrong-encoding",
];

/// Codes of randomization methods and of lists.
pub const ALLOCATION: &[Page] = pages![
    "bad-ratio",
    "block-not-divided",
    "duplicate-block-length",
    "duplicate-option",
    "factors-needed",
    "few-replicates",
    "level-too-long",
    "list-impossible",
    "list-not-divided",
    "list-readable",
    "missing-level",
    "n-needed",
    "ratio-not-preserved",
    "ratio-too-fine",
    "redcap-code",
    "weights-not-per-factor",
    "wrong-arms",
    "zero-n",
    "zero-ratio",
];

/// Codes of planning: closed forms and simulated studies.
pub const PLANNING: &[Page] = pages![
    "all-replicates-failed",
    "alternative-without-cell",
    "another-plan",
    "empty-scenario",
    "few-clusters",
    "few-expected",
    "field-without-law",
    "impossible-mean",
    "impossible-prior",
    "impossible-risk",
    "invalid-scenario",
    "invalid-setting",
    "lists-differ",
    "no-difference",
    "no-exceptions",
    "no-figure",
    "no-plan",
    "no-threads",
    "optimistic-formula",
    "pairs-not-analysed",
    "plan-damaged",
    "power-is-assurance",
    "prior-impossible-together",
    "ratio-by-blocks",
    "records-damaged",
    "records-disagree",
    "records-foreign",
    "replicate-refused",
    "same-cell",
    "search-below",
    "search-beyond",
    "search-flat",
    "search-not-confirmed",
    "search-not-narrow",
    "search-one-cell",
    "shards-incomplete",
    "shares-sum",
    "too-many-cells",
    "two-arms-only",
    "varied-twice",
    "windows-differ",
];

/// Codes of estimators.
pub const ESTIMATION: &[Page] = pages![
    "alone-in-stratum",
    "arm-aliased",
    "arm-missing",
    "arm-without-events",
    "cluster-split",
    "collinear-covariate",
    "collinear-interaction",
    "column-needed",
    "column-not-used",
    "constant-effect-assumed",
    "counts-not-used",
    "covariate-empty",
    "covariate-missing",
    "decisive-cluster",
    "empty-interval",
    "exposure-missing",
    "follow-up-ends-with-event",
    "full-compliance",
    "group-missing",
    "horizon-beyond-follow-up",
    "id-in-two-arms",
    "impossible-counts",
    "interval-not-monotone",
    "interval-replaced",
    "interval-unbounded",
    "invalid-weight",
    "large-sample-interval",
    "level-out-of-range",
    "leverage-one",
    "median-not-reached",
    "monotone-likelihood",
    "monotonicity-assumed",
    "negative-time",
    "never-compared",
    "no-events",
    "no-first-stage",
    "no-overdispersion",
    "no-residual-df",
    "no-variation",
    "not-a-count",
    "not-binary",
    "not-converged",
    "not-finite",
    "not-positive",
    "numerics",
    "one-arm",
    "one-armed-stratum",
    "open-interval",
    "option-not-used",
    "options-clash",
    "other-arms-dropped",
    "outcome-missing",
    "outside-range",
    "paired-strata",
    "received-in-control",
    "risk-set-emptied",
    "row-after-terminal",
    "rows-overlap",
    "same-outcome",
    "separation",
    "single-in-stratum",
    "singleton-stratum",
    "stratum-missing",
    "survival-at-boundary",
    "time-before-entry",
    "too-few-clusters",
    "too-few-rows",
    "too-many-units",
    "unbounded-set",
    "unequal-lengths",
    "unknown-estimator",
    "value-missing",
    "variance-and-cluster",
    "weak-first-stage",
    "zero-cell",
];

/// Codes of analyses: what differs from the registered plan, and what a reader should know.
pub const ANALYSIS: &[Page] = pages![
    "allocation-not-in-support",
    "censoring-model-reduced",
    "covariate-constant",
    "crossed-earlier",
    "epoch-covariate",
    "families-erased",
    "families-linked",
    "information-fell",
    "interim-descriptive",
    "many-covariates",
    "many-unknown-outcomes",
    "post-hoc",
    "randomized-after-cut",
    "site-dropped",
    "site-merged",
    "small-arm",
    "terminal-as-censoring",
    "test-and-interval-disagree",
    "test-draws-changed",
    "test-failed-redraws",
    "test-of-all-arms",
    "test-without-draws",
    "test-without-statistic",
    "test-without-variation",
    "tipping-point",
    "window-not-ended",
];

/// Codes of protocols: what the file says and how it fits together.
pub const PROTOCOL: &[Page] = pages![
    "alpha-unspent",
    "ascertainment-break",
    "attached-unseen",
    "capacity-without-gate",
    "control-arm",
    "criterion-check",
    "cut-before-last-window",
    "cuts-not-ascending",
    "date-order",
    "depends-on-closing",
    "duplicate-id",
    "empty-protocol",
    "empty-text",
    "estimator-mismatch",
    "exit-unclassified",
    "factor-is-stratum",
    "factor-not-adjusted",
    "gate-without-capacity",
    "invalid-protocol",
    "lock-cut",
    "look-not-primary",
    "look-spends-all",
    "look-spends-nothing",
    "malformed-id",
    "measure-mismatch",
    "missing-key",
    "missing-rule-mismatch",
    "multiplicity-unsaid",
    "no-final-lock",
    "not-applicable",
    "not-built-yet",
    "out-of-range",
    "permission-missing",
    "primary-analysis",
    "roles-clash",
    "rule-constant",
    "rule-syntax",
    "rule-type",
    "same-incident-unseen",
    "strata-without-levels",
    "summary-mismatch",
    "thin-strata",
    "toml-syntax",
    "too-few",
    "too-many",
    "unknown-key",
    "unknown-reference",
    "unknown-time-zone",
    "unknown-value",
    "unsupported-version",
    "window-order",
    "wrong-type",
];

/// Codes of `check` (warnings about what a protocol promises) and `new`.
pub const CHECK: &[Page] = pages![
    "capacity-below-target",
    "exists",
    "guessable",
    "underpowered",
];

/// Codes of studies: what enters them, and what `verify` finds.
pub const STUDY: &[Page] = pages![
    "allocated-twice",
    "beacon-mismatch",
    "chain-broken",
    "draw-differs",
    "drawn-after-the-end",
    "drawn-before-the-beacon",
    "drawn-past-a-closed-gate",
    "duties-mixed",
    "erasure-in-log",
    "erasure-incomplete",
    "head-mismatch",
    "invalid-answer",
    "invalid-code",
    "invalid-date",
    "invalid-field-value",
    "invalid-key",
    "invalid-pseudonym",
    "missing-answer",
    "missing-field",
    "linked-arms-differ",
    "locked-out-of-order",
    "missing-set-key",
    "not-as-screened",
    "not-carried",
    "not-of-this-family",
    "numbers-out-of-order",
    "opening-misplaced",
    "out-of-turn",
    "payload-changed",
    "payload-missing",
    "projection-differs",
    "rows-changed",
    "rows-missing",
    "personal-number",
    "protocol-mismatch",
    "public-differs",
    "repeated-value",
    "retracts-nothing",
    "reveal-mismatch",
    "row-form",
    "screening-without-outcome",
    "sequence-gap",
    "time-went-back",
    "too-many-children",
    "turned-away-at-an-open-gate",
    "unknown-arm",
    "unknown-child",
    "unknown-criterion",
    "unknown-event",
    "unknown-exception",
    "unknown-family",
    "unknown-field",
    "unknown-outcome",
    "unknown-set-key",
    "unknown-site",
    "unknown-violation",
    "unreadable",
    "verdict-differs",
    "wrong-subject",
];

/// Codes of the key holder's verb.
pub const PSEUDONYM: &[Page] = pages![
    "key-inside-study",
    "key-invalid",
    "key-not-private",
    "key-unchanged",
    "not-a-study-number",
    "not-canonical",
];

/// Codes of the verbs that open, fill and read a study.
pub const STUDY_VERBS: &[Page] = pages![
    "already-linked",
    "already-locked",
    "already-open",
    "already-retracted",
    "already-revealed",
    "amended-meanwhile",
    "answers-after-draw",
    "answers-changed",
    "answers-differ",
    "arm-not-checked",
    "beacon-dropped",
    "beacon-early",
    "beacon-missing",
    "beacon-past",
    "beacon-recorded",
    "before-randomization",
    "busy",
    "checkpoint-missed",
    "child-of-another-family",
    "confirm-mismatch",
    "cut-in-the-future",
    "cut-not-registered",
    "disk-full",
    "disk-write",
    "document-not-correct",
    "enrolment-closed",
    "epochs-not-adjusted",
    "erasure-unfinished",
    "erasure-unreadable",
    "exception-after-draw",
    "exception-cap",
    "exception-withdrawn",
    "inside-study",
    "invalid-amendment",
    "invalid-beacon",
    "invalid-checkpoint",
    "invalid-enrolment",
    "invalid-event",
    "invalid-map",
    "invalid-time",
    "key-reused",
    "ledger-broken",
    "ledger-damaged",
    "ledger-form",
    "ledger-read-only",
    "link-recorded",
    "link-relied-on",
    "link-taken-back",
    "link-taken-back-alone",
    "maybe-erased",
    "map-shape",
    "map-syntax",
    "missing-column",
    "name-forgotten",
    "no-beacon",
    "not-amendable",
    "not-finally-locked",
    "not-locked",
    "not-open",
    "not-permitted",
    "not-randomized",
    "not-retractable",
    "nothing-changes",
    "nothing-wrong",
    "on-in-the-future",
    "opened-at-a-typed-time",
    "past-last-day",
    "proof-before-the-end",
    "protocol-missing",
    "received-in-the-future",
    "rehearsal-differs",
    "repeated-column",
    "request-reused",
    "retracted",
    "roles-dropped",
    "screened-before",
    "seed-inside-study",
    "seed-invalid",
    "seed-mismatch",
    "seed-missing",
    "seed-used",
    "site-closed",
    "site-not-open",
    "size-after-lock",
    "target-reached",
    "time-ahead",
    "turned-away-for-good",
    "violation-cap",
    "windows-not-ended",
];

/// Every page, by the room whose codes they explain.
pub const ROOMS: &[&[Page]] = &[
    COMMAND,
    TABLE,
    STUDY,
    STUDY_VERBS,
    PSEUDONYM,
    ALLOCATION,
    ESTIMATION,
    ANALYSIS,
    PROTOCOL,
    PLANNING,
    CHECK,
];

/// Every page.
pub fn pages() -> impl Iterator<Item = &'static Page> {
    ROOMS.iter().copied().flatten()
}

/// The page about a code. The number of an exit code is answered with its meaning.
///
/// # Errors
/// A code that does not exist: exit 2, with the nearest one.
pub fn explain(code: &str) -> Result<Explanation, Failure> {
    if let Some(page) = pages().find(|page| page.code == code) {
        return Ok(Explanation {
            code: page.code.to_owned(),
            text: Words::new(page.text(Lang::En), page.text(Lang::Sv)),
        });
    }
    if let Some(known) = exit::ALL.iter().find(|e| e.number.to_string() == code) {
        let (number, name, en, sv) = (known.number, known.name, known.en, known.sv);
        return Ok(Explanation {
            code: number.to_string(),
            text: words!(
                "# exit code {number}: {name}\n\n{en}",
                "# slutkod {number}: {name}\n\n{sv}"
            ),
        });
    }
    let known: Vec<&str> = pages().map(|page| page.code).collect();
    Err(Failure::new(
        exit::USAGE,
        "unknown-code",
        words!("there is no code `{code}`", "det finns ingen kod `{code}`"),
    )
    .help(suggestion(code, &known)))
}

/// The answer of `explain`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// The code.
    pub code: String,
    /// The page.
    pub text: Words,
}

#[cfg(test)]
mod tests {
    use super::{explain, pages};
    use crate::app::exit;
    use crate::diagnostic::Lang;

    #[test]
    fn each_page_speaks_both_languages_and_opens_with_its_code() {
        for page in pages() {
            let (en, sv) = (page.text(Lang::En), page.text(Lang::Sv));
            assert_ne!(en, sv, "{} has one language only", page.code);
            for text in [en, sv] {
                assert!(
                    text.starts_with(&format!("# {}\n", page.code)),
                    "{}",
                    page.code
                );
                assert!(text.len() > 80, "{} says too little", page.code);
            }
        }
    }

    #[test]
    fn codes_are_unique() {
        let mut codes: Vec<&str> = pages().map(|page| page.code).collect();
        codes.sort_unstable();
        let all = codes.len();
        codes.dedup();
        assert_eq!(codes.len(), all);
    }

    #[test]
    fn an_unknown_code_names_the_nearest() {
        let failure = explain("unknown-optoin").unwrap_err();
        assert_eq!(failure.exit, exit::USAGE);
        assert!(failure.help.unwrap().en.contains("unknown-option"));
    }

    #[test]
    fn a_number_is_an_exit_code() {
        assert!(explain("21").unwrap().text.en.contains("gate-closed"));
        assert!(explain("99").is_err());
    }
}
