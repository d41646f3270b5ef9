//! What an amended protocol may change: how arms are drawn from now on, and where.
//!
//! Free are method, options, strata and ratio, cuts and ranges of fields, new levels and new sites, size and capacity,
//! names for people, new reasons of violations, roles and the beacon. What earlier families were promised stands: arms, fields, criteria, gate, exceptions,
//! outcomes, locks, analyses. Sites and levels are added at the end only, so that what the ledger holds keeps its
//! meaning. When an epoch opens is the study's business, never decided here.

use super::model::{Field, FieldKind, Named, Protocol};
use crate::diagnostic::{Diagnostic, Place, Words};
use crate::estimation::{EstimatorEntry, Role};
use crate::words;
use std::ops::Range;
use std::sync::Arc;
use toml::de::DeTable;

/// Sections that an amendment must repeat as they are, in the order of the file.
const FIXED: [&str; 9] = [
    "unit",
    "criterion",
    "gate",
    "exceptions",
    "exits",
    "outcome",
    "lock",
    "analysis",
    "multiplicity",
];

/// The protocol of the next epoch: `after`, carrying on from `before`, with the texts of both files.
///
/// # Errors
/// Everything that an amendment may not change, each at its place in the new file: `not-amendable`.
pub fn carry_on(
    before: &Arc<Protocol>,
    before_text: &str,
    after: Protocol,
    after_text: &str,
) -> Result<Protocol, Vec<Diagnostic>> {
    let mut changes = Changes {
        places: places(after_text),
        findings: Vec::new(),
    };
    changes.fixed(before_text, after_text);
    changes.study(before, &after);
    changes.sites(before, &after);
    changes.arms(before, &after);
    changes.fields(before, &after);
    changes.reasons(before, &after);
    if !changes.findings.is_empty() {
        return Err(changes.findings);
    }
    Ok(after.after(before))
}

/// What an amendment of the ratio does to the registered analyses that cannot adjust for it.
///
/// Where the ratio differs between epochs, families of one arm come from another time than those of the other.
/// Estimators with covariates get an indicator of the epochs; the others do not.
pub fn unadjusted(protocol: &Protocol) -> Vec<Diagnostic> {
    let ratio = protocol.allocation.ratio;
    let changed = protocol
        .earlier
        .iter()
        .any(|own| own.allocation.ratio != ratio);
    let takes = |own: &EstimatorEntry| own.uses(Role::Covariates);
    protocol
        .analyses
        .iter()
        .filter(|analysis| changed && !analysis.entry().is_some_and(takes))
        .map(|analysis| {
            let (id, estimator) = (&analysis.id, &analysis.estimator);
            Diagnostic::warning(
                "epochs-not-adjusted",
                words!(
                    "the ratio differs between epochs and `{estimator}` of the analysis `{id}` cannot adjust for it: a change of the outcome over time would look like an effect",
                    "förhållandet skiljer sig mellan epokerna och `{estimator}` i analysen `{id}` kan inte justera för det: en förändring av utfallet över tid skulle se ut som en effekt"
                ),
            )
            .help(Words::new(
                "keep the ratio, or say in the report that this analysis is not protected; `lin` and `linear` get an indicator of the epochs",
                "behåll förhållandet, eller säg i rapporten att analysen inte är skyddad; `lin` och `linear` får en indikator för epokerna",
            ))
        })
        .collect()
}

struct Changes {
    places: Vec<(String, Range<usize>)>,
    findings: Vec<Diagnostic>,
}

impl Changes {
    fn refuse(&mut self, section: &str, message: Words, help: Words) {
        let place = self.places.iter().find(|(name, _)| name == section);
        let mut finding = Diagnostic::error("not-amendable", message).help(help);
        if let Some((_, span)) = place {
            finding = finding.at(Place::span(span.clone()));
        }
        self.findings.push(finding);
    }

    fn stands(&mut self, section: &str, what: &Words) {
        let Words { en, sv } = what;
        self.refuse(
            section,
            words!(
                "an amendment cannot change {en}: what earlier families were promised stands",
                "en ändring kan inte gälla {sv}: vad tidigare familjer har utlovats står fast"
            ),
            Words::new(
                "write it as in the protocol in force (it lies in the study folder); a change of this kind is a new study",
                "skriv som i det gällande protokollet (det ligger i studiemappen); en sådan ändring är en ny studie",
            ),
        );
    }

    fn fixed(&mut self, before: &str, after: &str) {
        let table = |text: &str| text.parse::<toml::Table>().unwrap_or_default();
        let (before, after) = (table(before), table(after));
        for section in FIXED {
            if before.get(section) != after.get(section) {
                self.stands(section, &words!("`{section}`", "`{section}`"));
            }
        }
    }

    fn study(&mut self, before: &Protocol, after: &Protocol) {
        let (own, new) = (&before.study, &after.study);
        for (key, same) in [
            ("id", own.id == new.id),
            ("time_zone", own.time_zone == new.time_zone),
            ("custody", own.custody == new.custody),
        ] {
            if !same {
                self.stands("study", &words!("`{key}` of the study", "studiens `{key}`"));
            }
        }
    }

    fn sites(&mut self, before: &Protocol, after: &Protocol) {
        for (place, site) in before.sites.iter().enumerate() {
            let id = &site.id;
            let kept = after.sites.get(place).is_some_and(|new| {
                new.id == *id && new.opens == site.opens && new.therapists == site.therapists
            });
            if !kept {
                self.refuse(
                    "site",
                    words!(
                        "the site `{id}` is not the one of the protocol in force at its place: id, opening and therapists stand",
                        "enheten `{id}` är inte den som det gällande protokollet har på dess plats: id, öppningsdag och behandlare står fast"
                    ),
                    Words::new(
                        "keep the sites as they are and add new ones after them; `record site-closed` and `record capacity-changed` say what happens to a site",
                        "behåll enheterna som de är och lägg nya efter dem; `record site-closed` och `record capacity-changed` säger vad som händer med en enhet",
                    ),
                );
            }
        }
    }

    fn arms(&mut self, before: &Protocol, after: &Protocol) {
        let same = before.control == after.control
            && before.arms.len() == after.arms.len()
            && before.arms.iter().zip(&after.arms).all(|(own, new)| {
                own.id == new.id && own.families_per_therapist == new.families_per_therapist
            });
        if !same {
            let what = Words::new(
                "the arms beyond their ratio and their names for people",
                "armarna utöver deras förhållande och namn för människor",
            );
            self.stands("arm", &what);
        }
    }

    fn reasons(&mut self, before: &Protocol, after: &Protocol) {
        let (own, new) = (&before.violations.reasons, &after.violations.reasons);
        if !begins_with(own, new) {
            let what = words!(
                "the reasons of violations no longer begin with those of the protocol in force",
                "skälen till avsteg börjar inte längre med det gällande protokollets"
            );
            self.shortened("violations", what);
        }
        let (own, new) = (&before.deviations.reasons, &after.deviations.reasons);
        if !begins_with(own, new) {
            let what = words!(
                "the reasons of deviations no longer begin with those of the protocol in force",
                "skälen till avvikelser börjar inte längre med det gällande protokollets"
            );
            self.shortened("deviations", what);
        }
    }

    fn shortened(&mut self, place: &'static str, what: Words) {
        self.refuse(
            place,
            what,
            Words::new(
                "keep the reasons as they are, in their order, and add new ones after them",
                "behåll skälen som de är, i deras ordning, och lägg nya efter dem",
            ),
        );
    }

    fn fields(&mut self, before: &Protocol, after: &Protocol) {
        if before.fields.len() != after.fields.len() {
            let what = Words::new("which fields there are", "vilka fält som finns");
            self.stands("field", &what);
            return;
        }
        for (own, new) in before.fields.iter().zip(&after.fields) {
            if own.id != new.id || !widened(own, new) {
                let id = &own.id;
                self.refuse(
                    "field",
                    words!(
                        "the field `{id}` no longer holds every value that it held: kind, levels and ranges can only be added to",
                        "fältet `{id}` rymmer inte längre alla värden som det rymde: slag, nivåer och gränser kan bara utökas"
                    ),
                    Words::new(
                        "add levels at the end, widen a range, or change `cuts`; leave the rest",
                        "lägg nivåer sist, vidga gränserna eller ändra `cuts`; låt resten vara",
                    ),
                );
            }
        }
    }
}

/// Whether the reasons are those before, with new ones after them.
fn begins_with(own: &[Named], new: &[Named]) -> bool {
    own.len() <= new.len() && own.iter().zip(new).all(|(own, new)| own.id == new.id)
}

/// Whether every value of a field means the same in the amended one.
fn widened(own: &Field, new: &Field) -> bool {
    let around = |own: (i64, i64), new: (i64, i64)| new.0 <= own.0 && own.1 <= new.1;
    match (&own.kind, &new.kind) {
        (FieldKind::Count { range: a, .. }, FieldKind::Count { range: b, .. }) => around(*a, *b),
        (
            FieldKind::Number {
                places, range: a, ..
            },
            FieldKind::Number {
                places: new_places,
                range: b,
                ..
            },
        ) => places == new_places && around(*a, *b),
        (FieldKind::Choice { levels: a }, FieldKind::Choice { levels: b }) => {
            a.len() <= b.len() && a.iter().zip(b).all(|(own, new)| own.id == new.id)
        }
        (FieldKind::YesNo, FieldKind::YesNo) => true,
        (
            FieldKind::Count { .. }
            | FieldKind::Number { .. }
            | FieldKind::Choice { .. }
            | FieldKind::YesNo,
            _,
        ) => false,
    }
}

/// Where each section begins in a file that was read before.
fn places(text: &str) -> Vec<(String, Range<usize>)> {
    DeTable::parse(text).map_or_else(
        |_| Vec::new(),
        |tree| {
            let entries = tree.get_ref().iter();
            entries
                .map(|(key, value)| (key.get_ref().to_string(), value.span()))
                .collect()
        },
    )
}

#[cfg(test)]
mod tests {
    use super::{carry_on, unadjusted};
    use crate::protocol::parse;
    use std::sync::Arc;

    const BEFORE: &str = include_str!("../../protocols/iuh-2025/protocol.toml");

    fn amended(change: impl Fn(&str) -> String) -> Result<crate::protocol::Protocol, Vec<String>> {
        let after = change(BEFORE);
        assert_ne!(after, BEFORE, "the change did not take");
        let before = Arc::new(parse(BEFORE.as_bytes()).protocol.unwrap());
        let parsed = parse(after.as_bytes());
        let next = parsed
            .protocol
            .unwrap_or_else(|| panic!("{:?}", parsed.diagnostics));
        carry_on(&before, BEFORE, next, &after).map_err(|findings| {
            findings
                .into_iter()
                .map(|finding| {
                    assert_eq!(finding.code, "not-amendable");
                    assert!(finding.place.is_some() && finding.help.is_some());
                    finding.message.en
                })
                .collect()
        })
    }

    #[test]
    fn method_ratio_levels_and_sites_are_free() {
        let next = amended(|text| {
            text.replace(
                "method = \"big-stick\"",
                "method = \"permuted-block\"\nblock_lens = [3, 6]",
            )
            .replace("max_imbalance = 4", "")
            .replacen("ratio = 1", "ratio = 2", 1)
            .replace("  { id = \"other\",", "  \"added\",\n  { id = \"other\",")
        });
        // A level between the others is refused …
        assert_eq!(next.unwrap_err().len(), 1);
        // … one at the end is not.
        let next = amended(|text| {
            text.replace(
                "method = \"big-stick\"",
                "method = \"permuted-block\"\nblock_lens = [3, 6]",
            )
            .replace("max_imbalance = 4", "")
            .replacen("ratio = 1", "ratio = 2", 1)
            .replace(
                "en = \"other\" } },\n",
                "en = \"other\" } },\n  \"added\",\n",
            )
            .replace(
                "[[arm]]\nid = \"iuh\"",
                "[[site]]\nid = \"farsta\"\nname = \"Farsta\"\nopens = 2025-09-01\ntherapists = 2\n\n[[arm]]\nid = \"iuh\"",
            )
        })
        .unwrap();
        assert_eq!((next.epoch(), next.sites.len()), (1, 6));
        assert_eq!(next.in_epoch(0).sites.len(), 5);
        assert_eq!(next.in_epoch(0).allocation.method, "big-stick");
        assert_eq!(next.in_epoch(1).allocation.method, "permuted-block");
        // Two registered analyses are `lin` and can adjust for the ratio; the mean number of reports cannot.
        let warned = unadjusted(&next);
        assert_eq!(warned.len(), 1);
        assert!(warned[0].message.en.contains("reports-per-family"));
    }

    #[test]
    fn what_was_promised_stands() {
        for (from, to) in [
            ("grace_days = 30", "grace_days = 31"),
            ("window_days = [1, 365]", "window_days = [1, 364]"),
            ("exclude_if = true", "include_if = true"),
            ("id            = \"iuh-2025\"", "id = \"iuh-2026\""),
            ("families_per_therapist = 3", "families_per_therapist = 4"),
            ("range = [0, 17]", "range = [0, 16]"),
            ("therapists = 2", "therapists = 3"),
            (
                "opens = 2025-02-03\ntherapists",
                "opens = 2025-02-04\ntherapists",
            ),
            ("may-return", "final"),
        ] {
            let refused = amended(|text| text.replacen(from, to, 1));
            assert!(!refused.unwrap_err().is_empty(), "{to}");
        }
    }

    #[test]
    fn an_estimator_without_covariates_is_warned_of() {
        let own = BEFORE.replacen(
            "estimator = \"lin\"\ncovariates = [\"site\", \"earlier_reports\", \"youngest_age\", \"months_since_start\"]\nmissing = { primary = \"not-accepted\",",
            "estimator = \"difference-in-means\"\nmissing = { primary = \"not-accepted\",",
            1,
        );
        assert_ne!(own, BEFORE);
        let before = Arc::new(parse(own.as_bytes()).protocol.unwrap());
        let after = own
            .replace("method = \"big-stick\"", "method = \"simple\"")
            .replace("max_imbalance = 4", "")
            .replacen("ratio = 1", "ratio = 2", 1);
        let next = parse(after.as_bytes()).protocol.unwrap();
        let next = carry_on(&before, &own, next, &after).unwrap();
        let codes: Vec<&str> = unadjusted(&next).iter().map(|w| w.code).collect();
        assert_eq!(codes, ["epochs-not-adjusted"; 2]);
    }
}
