//! `clusters` and `sensitivity_clusters` of an analysis: whose families its variance takes together.

use super::estimator::Asked;
use super::options::Told;
use crate::estimation::{Df, Settings, Variance};
use crate::protocol::findings::Findings;
use crate::protocol::model::Clusters;
use crate::protocol::tree::Section;
use crate::words;

/// Reads one of the two keys; only an estimator with a variance by clusters takes them.
fn word(
    out: &mut Findings<'_>,
    section: &Section<'_>,
    key: &str,
    asked: Asked<'_>,
) -> Result<Option<Clusters>, Told> {
    let Some(value) = section.get(key) else {
        return Ok(None);
    };
    if !asked.entry.options.variances.contains(&Variance::Cr2) {
        let id = asked.entry.id;
        let because = words!(
            "the estimator `{id}` has no variance by clusters; `lin` and `linear` have",
            "skattningsmetoden `{id}` har ingen varians per kluster; `lin` och `linear` har"
        );
        section.refuse(out, &[key], &because);
        return Err(Told);
    }
    let own = Clusters::DeliveredBy;
    value
        .one_of(out, &[(own.text(), own)])
        .map(Some)
        .ok_or(Told)
}

/// The clusters of the analysis and of a row beside it, and the options with the variance that goes by the former.
pub(super) fn read(
    out: &mut Findings<'_>,
    section: &Section<'_>,
    asked: Asked<'_>,
    options: Option<Settings>,
) -> Option<(Option<Clusters>, Option<Clusters>, Settings)> {
    let own = word(out, section, "clusters", asked);
    let beside = word(out, section, "sensitivity_clusters", asked);
    let (own, beside, mut options) = (own.ok()?, beside.ok()?, options?);
    if own.is_none() {
        return Some((None, beside, options));
    }
    section.refuse(
        out,
        &["sensitivity_clusters"],
        &words!(
            "the analysis has `clusters` itself",
            "analysen har själv `clusters`"
        ),
    );
    section.refuse(
        out,
        &["test"],
        &words!(
            "it counts every family for itself, and the analysis has `clusters`",
            "det räknar varje familj för sig, och analysen har `clusters`"
        ),
    );
    options.variance = Some(Variance::Cr2);
    options.df = Some(Df::Satterthwaite);
    Some((own, None, options))
}
