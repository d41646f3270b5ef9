//! `sensitivity_winsorized` and `sensitivity_bootstrap` of an analysis: rows beside the result of a skewed number, such as a cost.

use super::estimand::is_binary;
use super::estimator::Asked;
use super::options::Told;
use crate::diagnostic::Words;
use crate::protocol::findings::{Findings, quoted};
use crate::protocol::model::{MEANS, Missing};
use crate::protocol::tree::Section;
use crate::words;

/// The key of the share of outcomes that are drawn in at each end.
pub(super) const WINSORIZED: &str = "sensitivity_winsorized";
/// The key of the number of resamples.
pub(super) const BOOTSTRAP: &str = "sensitivity_bootstrap";

/// Most of the outcomes that may be drawn in at each end.
const MOST: f64 = 0.25;
/// Fewest and most resamples.
const RESAMPLES: (u32, u32) = (999, 100_000);

/// Reads both keys; only a difference of means of numbers has them.
pub(super) fn read(
    out: &mut Findings<'_>,
    section: &Section<'_>,
    asked: Asked<'_>,
) -> Result<(Option<f64>, Option<u32>), Told> {
    if let Some(because) = unfit(asked) {
        let given = [WINSORIZED, BOOTSTRAP].map(|key| section.get(key).is_some());
        section.refuse(out, &[WINSORIZED, BOOTSTRAP], &because);
        return if given.contains(&true) {
            Err(Told)
        } else {
            Ok((None, None))
        };
    }
    let share = match section.get(WINSORIZED) {
        None => Ok(None),
        Some(value) => value
            .number(
                out,
                |share| share > 0.0 && share <= MOST,
                words!(
                    "a number above 0 and at most 0.25",
                    "ett tal större än 0 och högst 0,25"
                ),
            )
            .map(Some)
            .ok_or(Told),
    };
    let resamples = match section.get(BOOTSTRAP) {
        None => Ok(None),
        Some(value) => {
            if let Some(because) = alone(section, asked) {
                section.refuse(out, &[BOOTSTRAP], &because);
                Err(Told)
            } else {
                let (least, most) = RESAMPLES;
                value.count(out, least, most).map(Some).ok_or(Told)
            }
        }
    };
    Ok((share?, resamples?))
}

/// Why neither key means anything, where that is so.
fn unfit(asked: Asked<'_>) -> Option<Words> {
    let id = asked.entry.id;
    if !MEANS.contains(&id) {
        let means = quoted(&MEANS);
        return Some(words!(
            "the estimator `{id}` is no difference of means; {means} are",
            "skattningsmetoden `{id}` är ingen skillnad i medelvärde; det är {means}"
        ));
    }
    is_binary(asked.outcome, asked.summary).then(|| {
        let outcome = &asked.outcome.id;
        words!(
            "`{outcome}` is yes or no here, which has no extremes",
            "`{outcome}` är ja eller nej här, vilket inte har några extremvärden"
        )
    })
}

/// Why families cannot be drawn again one by one as the analysis stands, where that is so.
fn alone(section: &Section<'_>, asked: Asked<'_>) -> Option<Words> {
    if section.get("clusters").is_some() {
        return Some(words!(
            "it draws every family for itself, and the analysis has `clusters`",
            "den drar varje familj för sig, och analysen har `clusters`"
        ));
    }
    (asked.missing == Missing::CensoringWeights).then(|| {
        words!(
            "the weights of `inverse-probability-of-censoring` would have to be estimated anew on every resample",
            "vikterna i `inverse-probability-of-censoring` skulle behöva skattas på nytt i varje nytt urval"
        )
    })
}
