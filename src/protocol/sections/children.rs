//! `children` of an analysis: whether it is made of the children of each family, and whose average it is.

use super::estimator::Asked;
use super::options::Told;
use super::skewed::{BOOTSTRAP, WINSORIZED};
use crate::estimation::{Df, Settings, Variance};
use crate::protocol::findings::Findings;
use crate::protocol::model::{Average, EventSpec, Missing, OutcomeKind};
use crate::protocol::tree::Section;
use crate::words;

/// Keys that mean nothing beside `children`.
const BESIDE: [&str; 7] = [
    "variance",
    "df",
    "clusters",
    "sensitivity_clusters",
    "sensitivity_outcomes",
    WINSORIZED,
    BOOTSTRAP,
];

/// Reads the key, and the options with the variance that the average has.
pub(super) fn read(
    out: &mut Findings<'_>,
    section: &Section<'_>,
    asked: Asked<'_>,
    options: Settings,
) -> Result<(Option<Average>, Settings), Told> {
    let Some(value) = section.get("children") else {
        return Ok((None, options));
    };
    let words = Average::ALL.map(|own| (own.text(), own));
    let average = value.one_of(out, &words).ok_or(Told)?;
    let reports = matches!(asked.outcome.kind, OutcomeKind::Reports { .. });
    let linear = matches!(asked.entry.id, "lin" | "linear");
    let known = asked.missing == Missing::CompleteCase && asked.sensitivity.is_empty();
    if !reports || !linear || !known {
        section.refuse(
            out,
            &["children"],
            &words!(
                "it takes an outcome of the kind `recurrent-event`, `lin` or `linear`, and `missing = {{ primary = \"complete-case\" }}` alone",
                "det kräver ett utfall av slaget `recurrent-event`, `lin` eller `linear`, och enbart `missing = {{ primary = \"complete-case\" }}`"
            ),
        );
        return Err(Told);
    }
    section.refuse(
        out,
        &BESIDE,
        &words!(
            "the analysis is made of `children`, with variances of its own",
            "analysen görs av `children`, med egna varianser"
        ),
    );
    if average == Average::Child {
        section.refuse(
            out,
            &["test"],
            &words!(
                "the redraws go by one number per family, which `children = \"family-average\"` has",
                "omlottningarna går efter ett tal per familj, vilket `children = \"family-average\"` har"
            ),
        );
    }
    if !is_named(asked.events) {
        out.error(
            "child-unseen",
            &value.span,
            words!(
                "reports do not carry `child`, so whom they are about cannot be told",
                "anmälningar bär inte `child`, så vem de gäller framgår inte"
            ),
            words!(
                "add `\"child\"` to `carries` of `[[event]]` `report`",
                "lägg till `\"child\"` i `carries` för `[[event]]` `report`"
            ),
        );
        return Err(Told);
    }
    let by_family = average == Average::Child;
    let options = Settings {
        variance: by_family.then_some(Variance::Cr2),
        df: by_family.then_some(Df::Satterthwaite),
        ..options
    };
    Ok((Some(average), options))
}

/// Whether reports name the child.
fn is_named(events: &[Option<EventSpec>]) -> bool {
    let carries = |event: &EventSpec| event.carries.iter().any(|own| own == "child");
    events.iter().any(Option::is_none)
        || events
            .iter()
            .flatten()
            .any(|event| event.id == "report" && carries(event))
}
