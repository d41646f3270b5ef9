//! The calls that make given columns again: arms, outcomes, merged sites, weights for unknown outcomes.

use super::{Calls, Part, list, quoted, texts, truth};
use crate::analysis::replication::{How, ReplicatedFit};
use crate::protocol::model::Sensitivity;
use crate::report::replicate::{Folder, look_stem, stem};
use crate::study::conduct::ELIGIBLE_SET;
use std::collections::BTreeSet;

impl Calls {
    /// The columns of the fits of an analysis and of earlier looks at it.
    pub(super) fn given(&mut self, folder: &Folder<'_>, place: usize) {
        let behind = &folder.replication.analyses[place];
        for (index, fit) in behind.fits.iter().enumerate() {
            self.families(folder, place, (&stem(folder, place, index), fit));
        }
        let mut samples = BTreeSet::new();
        for fit in &behind.fits {
            if samples.insert(fit.beside.as_deref()) {
                let own = behind.fits.iter().enumerate();
                let own = own.filter(|(_, other)| other.beside == fit.beside);
                let own = own.map(|(index, other)| (stem(folder, place, index), other));
                self.sites(folder, place, (&own.collect::<Vec<_>>(), false));
            }
        }
        for (index, fit) in behind.fits.iter().enumerate() {
            self.weights(folder, place, (&stem(folder, place, index), fit, false));
        }
        for (index, look) in behind.looks.iter().enumerate() {
            if let Some(fit) = &look.fit {
                let name = look_stem(folder, place, index);
                self.sites(folder, place, (&[(name.clone(), fit)], true));
                self.weights(folder, place, (&name, fit, true));
            }
        }
    }

    /// Who is in a fit, in which arm, with what outcome.
    fn families(&mut self, folder: &Folder<'_>, place: usize, (name, fit): (&str, &ReplicatedFit)) {
        let mut parts = Vec::new();
        let cluster = fit.columns.cluster.as_ref();
        if cluster.is_some_and(|own| own.name == "family") {
            parts.push("by_family = TRUE".to_owned());
        }
        if let Some(counted) = same_outcome(folder, fit) {
            let id = quoted(&folder.analyses.analyses[place].id);
            let (rows, values) = (list(counted.rows.iter().copied()), counted.values);
            let values = list(values.iter().copied());
            let without = without(fit);
            parts.push(format!(
                "id = {id}, rows = {rows}, values = {values}{without}"
            ));
        }
        let (name, arms, parts) = (quoted(name), arms(fit), parts.join(", "));
        self.add(&format!("given({name}, {arms}, list({parts}))"));
        // Rows of children.
        let own = &folder.replication.analyses[place];
        if own.children.is_some() && cluster.is_some_and(|own| own.name == "family") {
            self.parts.insert(Part::Linear);
            let id = quoted(&folder.analyses.analyses[place].id);
            self.add(&format!("rosters({name}, {id})"));
        }
    }

    /// The sites of fits with one sample, one for each treated arm.
    fn sites(
        &mut self,
        folder: &Folder<'_>,
        place: usize,
        (fits, is_look): (&[(String, &ReplicatedFit)], bool),
    ) {
        let Some((_, fit)) = fits.first() else {
            return;
        };
        if fit.site_columns.is_none() && !fit.site_stratum {
            return;
        }
        let names: Vec<String> = fits.iter().map(|(name, _)| name.clone()).collect();
        let treated = fits
            .iter()
            .map(|(_, fit)| fit.columns.labels.treated.as_str());
        let mut parts = Vec::new();
        if let Some(sites) = fit.site_columns {
            let others = fit.columns.covariates.len().saturating_sub(sites);
            parts.push(format!("fixed = {others}"));
        }
        parts.extend([
            format!("stratum = {}", truth(fit.site_stratum)),
            format!("weighed = {}", truth(fit.unknown.is_some())),
        ]);
        // At a look families have other statuses than now.
        if let Some(counted) = same_outcome(folder, fit).filter(|_| !is_look) {
            let id = quoted(&folder.analyses.analyses[place].id);
            let own = match fit.how {
                How::Pooled => counted.rows,
                How::Estimated | How::Pairs | How::Winsorized(_) | How::Resampled => counted.values,
            };
            let own = list(own.iter().copied());
            let without = without(fit);
            parts.push(format!("id = {id}, counted = {own}{without}"));
        }
        self.add(&format!(
            "sites_of({}, {}, {}, list({}))",
            texts(&names),
            list(treated),
            quoted(&folder.protocol.arms[folder.protocol.control.index()].id),
            parts.join(", "),
        ));
    }

    /// The weights of a fit for its families with unknown outcomes.
    fn weights(
        &mut self,
        folder: &Folder<'_>,
        place: usize,
        (name, fit, is_look): (&str, &ReplicatedFit, bool),
    ) {
        if fit.unknown.is_none() {
            return;
        }
        self.parts.insert(Part::Weights);
        let counted = same_outcome(folder, fit).filter(|_| !is_look);
        let own = counted.map_or(String::new(), |_| {
            let id = quoted(&folder.analyses.analyses[place].id);
            let without = without(fit);
            format!("id = {id}, lost = c(\"missing\", \"by-rule\"){without}")
        });
        let (name, arms) = (quoted(name), arms(fit));
        self.add(&format!("weights_of({name}, {arms}, list({own}))"));
    }
}

fn arms(fit: &ReplicatedFit) -> String {
    let labels = &fit.columns.labels;
    list([labels.treated.as_str(), labels.control.as_str()].into_iter())
}

/// Whether a fit is of the set without families that were found not to have been eligible.
fn is_without(fit: &ReplicatedFit) -> bool {
    fit.beside.as_deref() == Some(ELIGIBLE_SET)
}

/// That to the script.
fn without(fit: &ReplicatedFit) -> &'static str {
    if is_without(fit) {
        ", without = TRUE"
    } else {
        ""
    }
}

/// Which families of families.csv a fit has rows of, by status, and of which its outcome is theirs.
struct CountedAs {
    rows: &'static [&'static str],
    values: &'static [&'static str],
}

/// How the families of a fit stand in families.csv; `None` of another outcome.
fn same_outcome(folder: &Folder<'_>, fit: &ReplicatedFit) -> Option<CountedAs> {
    let known: &[&str] = &["known"];
    let counted: &[&str] = &["known", "by-rule"];
    let all: &[&str] = &["known", "by-rule", "missing"];
    let completed = matches!(fit.how, How::Pooled | How::Pairs);
    let bounded = completed || fit.estimator.ends_with("-bounds");
    let rule = |name: &str| Sensitivity::ALL.iter().any(|own| own.text() == name);
    let other = |name: &str| folder.protocol.outcomes.iter().any(|own| own.row() == name);
    let (rows, values) = match fit.beside.as_deref() {
        Some(name) if other(name) && !is_without(fit) => return None,
        _ if bounded => (all, known),
        Some(name) if rule(name) => (known, known),
        None | Some(_) => (counted, counted),
    };
    Some(CountedAs { rows, values })
}
