//! `[multiplicity]`: how several comparisons that decide are protected, those of the primary analysis and the secondary ones.

use crate::diagnostic::{Diagnostic, Words};
use crate::protocol::findings::Findings;
use crate::protocol::model::{Analysis, Multiplicity, Role};
use crate::protocol::tree::{Section, Value};
use crate::words;

/// Keys of the section.
pub(in crate::protocol) const KEYS: &[&str] = &["secondary", "primary"];

/// Reads the rules for secondary comparisons and for those of the primary analysis; a warning when several secondary ones
/// stand without a word. `treated` is the number of arms that are compared with the control arm.
pub(in crate::protocol) fn read(
    out: &mut Findings<'_>,
    root: &Section<'_>,
    analyses: &[Option<Analysis>],
    treated: usize,
) -> (Option<Multiplicity>, Multiplicity) {
    let Some(section) = root.get("multiplicity") else {
        unsaid(out, analyses, treated);
        return (None, Multiplicity::Holm);
    };
    let Some(section) = section.section(out, KEYS) else {
        return (None, Multiplicity::Holm);
    };
    let primary = section.get("primary");
    let secondary = match &primary {
        None => section.need(out, "secondary"),
        Some(_) => section.get("secondary"),
    };
    if secondary.is_none() && primary.is_some() {
        unsaid(out, analyses, treated);
    }
    let secondary = secondary.and_then(|value| rule(out, &value));
    let primary = primary.and_then(|value| rule(out, &value));
    for (key, role, asked) in [
        ("secondary", Role::Secondary, secondary),
        ("primary", Role::Primary, primary.filter(|_| treated > 1)),
    ] {
        let untested = analyses
            .iter()
            .flatten()
            .find(|analysis| analysis.role == role && analysis.test.is_none());
        if let (Some(Multiplicity::WestfallYoung), Some(untested)) = (asked, untested) {
            let (id, Words { en, sv }) = (&untested.id, said(role));
            out.error(
                "estimator-mismatch",
                &section.key_span(key),
                words!(
                    "`westfall-young` redraws the arms, and the {en} analysis `{id}` has no randomization test",
                    "`westfall-young` lottar om armarna, och den {sv} analysen `{id}` har inget randomiseringstest"
                ),
                words!(
                    "add `test = {{ kind = \"randomization\" }}` to it, or use `holm`",
                    "lägg till `test = {{ kind = \"randomization\" }}` i den, eller använd `holm`"
                ),
            );
        }
    }
    (secondary, primary.unwrap_or(Multiplicity::Holm))
}

fn said(role: Role) -> Words {
    match role {
        Role::Primary => words!("primary", "primära"),
        Role::Secondary => words!("secondary", "sekundära"),
        Role::Exploratory => words!("exploratory", "explorativa"),
    }
}

fn rule(out: &mut Findings<'_>, value: &Value<'_>) -> Option<Multiplicity> {
    value.one_of(
        out,
        &[
            ("holm", Multiplicity::Holm),
            ("westfall-young", Multiplicity::WestfallYoung),
            ("fixed-sequence", Multiplicity::FixedSequence),
            ("none", Multiplicity::None),
        ],
    )
}

/// Several secondary comparisons without a word about them.
fn unsaid(out: &mut Findings<'_>, analyses: &[Option<Analysis>], treated: usize) {
    let secondary = analyses
        .iter()
        .flatten()
        .filter(|analysis| analysis.role == Role::Secondary)
        .count();
    let comparisons = secondary * treated;
    if comparisons < 2 {
        return;
    }
    let message = if treated > 1 {
        words!(
            "{comparisons} comparisons in secondary analyses, and nothing is said about multiplicity",
            "{comparisons} jämförelser i sekundära analyser, och inget sägs om multiplicitet"
        )
    } else {
        words!(
            "{secondary} secondary analyses, and nothing is said about multiplicity",
            "{secondary} sekundära analyser, och inget sägs om multiplicitet"
        )
    };
    out.push(Diagnostic::warning("multiplicity-unsaid", message).help(words!(
        "add `[multiplicity]` with `secondary = \"holm\"`, `\"westfall-young\"`, `\"fixed-sequence\"` or `\"none\"`",
        "lägg till `[multiplicity]` med `secondary = \"holm\"`, `\"westfall-young\"`, `\"fixed-sequence\"` eller `\"none\"`"
    )));
}
