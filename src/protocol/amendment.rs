//! What an amended protocol may change: how arms are drawn from now on, and where.
//!
//! Free are method, options, strata and ratio, cuts and ranges of fields, new levels and new sites, size and capacity,
//! names for people, new reasons of violations, roles and the beacon. What earlier families were promised stands: arms, fields, criteria, gate, exceptions,
//! outcomes, locks, analyses. Analyses stand as they are understood: what one takes from another section where it does not say
//! it itself (alpha, strata, levels by cuts) does not move with that section, and events go on to carry what its clusters go by. Sites and levels are added at the end only, so that
//! what the ledger holds keeps its meaning. When an epoch opens is the study's business, never decided here.

use super::model::{Analysis, Factor, Field, FieldKind, Named, Protocol};
use crate::diagnostic::{Diagnostic, Place, Words};
use crate::estimation::{EstimatorEntry, Role};
use crate::words;
use std::ops::Range;
use std::sync::Arc;
use toml::de::DeTable;

/// Sections that an amendment must repeat as they are, in the order of the file.
const FIXED: [&str; 8] = [
    "unit",
    "criterion",
    "gate",
    "exceptions",
    "exits",
    "outcome",
    "lock",
    "multiplicity",
];

/// The key of an event that clusters of an analysis go by.
const DELIVERED_BY: &str = "delivered_by";

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
    changes.analyses((before, before_text), (&after, after_text));
    changes.events(before, &after);
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

    /// Analyses as they are understood, whether a key is written or left to its default.
    fn analyses(&mut self, (before, was): (&Protocol, &str), (after, is): (&Protocol, &str)) {
        let (own, new) = (&before.analyses, &after.analyses);
        let same = own.len() == new.len() && own.iter().zip(new).all(|(own, new)| alike(own, new));
        if !same {
            self.stands("analysis", &words!("`analysis`", "`analysis`"));
            return;
        }
        let rewritten = table(was).get("analysis") != table(is).get("analysis");
        let place = |elsewhere| if rewritten { "analysis" } else { elsewhere };
        for (own, new) in own.iter().zip(new) {
            if own.alpha.to_bits() != new.alpha.to_bits() {
                self.moved(
                    own,
                    ("alpha", &own.alpha.to_string(), &new.alpha.to_string()),
                    place("sample_size"),
                );
            }
            if own.strata != new.strata {
                let named = |factors: &[Factor]| {
                    let names = factors.iter().map(|own| before.factor_id(*own));
                    format!("{:?}", names.collect::<Vec<_>>())
                };
                self.moved(
                    own,
                    ("strata", &named(&own.strata), &named(&new.strata)),
                    place("allocation"),
                );
            }
        }
    }

    /// A key of an analysis that would be another, perhaps because it is left to another section.
    fn moved(&mut self, own: &Analysis, (key, was, is): (&str, &str, &str), place: &str) {
        let id = &own.id;
        self.refuse(
            place,
            words!(
                "an amendment cannot change `{key}` of the analysis `{id}` from {was} to {is}: what earlier families were promised stands",
                "en ändring kan inte gälla `{key}` i analysen `{id}`, från {was} till {is}: vad tidigare familjer har utlovats står fast"
            ),
            words!(
                "write `{key} = {was}` in the `[[analysis]]` `{id}`: it then stands, whatever other sections say",
                "skriv `{key} = {was}` i `[[analysis]]` `{id}`: då står det fast, vad andra avsnitt än säger"
            ),
        );
    }

    /// That events carry who delivered a service, where an analysis goes by it: families with nobody named stand for themselves.
    fn events(&mut self, before: &Protocol, after: &Protocol) {
        let clustered = |own: &&Analysis| own.clusters.or(own.sensitivity_clusters).is_some();
        let Some(analysis) = before.analyses.iter().find(clustered) else {
            return;
        };
        let carries = |protocol: &Protocol, event: &str| {
            let mut own = protocol.events.iter().filter(|own| own.id == event);
            own.any(|own| own.carries.iter().any(|key| key == DELIVERED_BY))
        };
        for event in &before.events {
            let (id, analysis) = (&event.id, &analysis.id);
            if carries(before, id) && !carries(after, id) {
                self.refuse(
                    "event",
                    words!(
                        "the analysis `{analysis}` goes by who delivered the service, so `{id}` goes on to carry `{DELIVERED_BY}`",
                        "analysen `{analysis}` går efter vem som gav insatsen, så `{id}` fortsätter att bära `{DELIVERED_BY}`"
                    ),
                    words!(
                        "leave `{DELIVERED_BY}` in `carries` of `[[event]]` `{id}`; other keys are free",
                        "låt `{DELIVERED_BY}` stå kvar i `carries` för `[[event]]` `{id}`; andra nycklar är fria"
                    ),
                );
            }
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
        for (index, (own, new)) in before.fields.iter().zip(&after.fields).enumerate() {
            let factor = Factor::Field(index);
            let by_levels =
                |own: &&Analysis| own.strata.contains(&factor) || own.subgroups.contains(&factor);
            if own.cuts != new.cuts
                && let Some(analysis) = before.analyses.iter().find(by_levels)
            {
                let (id, analysis) = (&own.id, &analysis.id);
                self.refuse(
                    "field",
                    words!(
                        "the analysis `{analysis}` has strata or subgroups by the levels of `{id}`, so `cuts` of `{id}` stand",
                        "analysen `{analysis}` har strata eller undergrupper efter nivåerna i `{id}`, så `cuts` för `{id}` står fast"
                    ),
                    Words::new(
                        "leave `cuts` as they are; draw from now on by other fields, or without this one",
                        "låt `cuts` vara som de är; lotta från och med nu efter andra fält, eller utan detta",
                    ),
                );
            }
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

/// Whether two analyses are the same but for what may come from another section.
fn alike(own: &Analysis, new: &Analysis) -> bool {
    *own == Analysis {
        alpha: own.alpha,
        strata: own.strata.clone(),
        ..new.clone()
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

/// A file that was read before.
fn table(text: &str) -> toml::Table {
    text.parse().unwrap_or_default()
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

    /// The shipped protocol with cuts of earlier reports, and an analysis in the strata of the draw with no alpha of its own.
    fn stratified() -> String {
        let analysis = r#"
[[analysis]]
id = "stratified"
lock = "final"
outcome = "accepted"
estimand = { population = "all randomized families", strategy = "treatment-policy", measure = "risk-difference" }
estimator = "mantel-haenszel"
missing = { primary = "not-accepted" }
role = "exploratory"

[[analysis]]
id = "by-reports"
lock = "final"
outcome = "accepted"
estimand = { population = "all randomized families", strategy = "treatment-policy", measure = "risk-difference" }
estimator = "lin"
missing = { primary = "not-accepted" }
subgroups = ["earlier_reports"]
role = "exploratory"
alpha = 0.1
"#;
        let label = "label = { sv = \"Tidigare orosanmälningar\"";
        let cut = BEFORE.replacen(label, &format!("cuts = [3]\n{label}"), 1);
        format!("{cut}{analysis}")
    }

    /// What an analysis takes from another section stands with it: alpha from the assumptions, strata from the draw, levels from
    /// cuts. Alpha and strata can be moved for the plan and the draw once the analysis itself says what they were.
    #[test]
    fn an_analysis_does_not_move_with_the_section_that_it_takes_from() {
        let first = stratified();
        let carried = |from: &str, changes: &[(&str, &str)]| {
            let after = changes.iter().fold(from.to_owned(), |text, (was, is)| {
                assert!(text.contains(was), "{was}");
                text.replacen(was, is, 1)
            });
            let before = Arc::new(parse(from.as_bytes()).protocol.unwrap());
            let parsed = parse(after.as_bytes());
            let next = parsed
                .protocol
                .unwrap_or_else(|| panic!("{:?}", parsed.diagnostics));
            carry_on(&before, from, next, &after).map_err(|findings| {
                let told = |own: crate::diagnostic::Diagnostic| {
                    assert_eq!(own.code, "not-amendable");
                    let span = own.place.and_then(|place| place.span).unwrap();
                    (own.message, own.help.unwrap().en, after[span].to_owned())
                };
                findings.into_iter().map(told).collect::<Vec<_>>()
            })
        };
        let alpha = ("alpha = 0.05, sides", "alpha = 0.20, sides");
        let strata = (
            "strata = [\"site\"]",
            "strata = [\"site\", \"earlier_reports\"]",
        );

        // `acceptance`, `reports-per-family` and `stratified` have the alpha of the assumptions; the others say their own.
        let refused = carried(&first, &[alpha]).unwrap_err();
        assert_eq!(refused.len(), 3);
        for ((message, help, place), id) in
            refused
                .iter()
                .zip(["acceptance", "reports-per-family", "stratified"])
        {
            assert!(
                message
                    .en
                    .contains(&format!("`alpha` of the analysis `{id}` from 0.05 to 0.2"))
                    && message
                        .sv
                        .contains(&format!("`alpha` i analysen `{id}`, från 0.05 till 0.2")),
                "{message:?}"
            );
            assert!(
                help.contains("`alpha = 0.05`") && place == "[sample_size]",
                "{help} {place}"
            );
        }
        // Each of them says what it was: the analyses stand, and the plan goes by another alpha.
        let said = ["acceptance", "reports-per-family", "stratified"].map(|id| {
            let own = format!("id = \"{id}\"\n");
            (own.clone(), format!("{own}alpha = 0.05\n"))
        });
        let mut changes: Vec<(&str, &str)> =
            said.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
        changes.push(alpha);
        let next = carried(&first, &changes).unwrap();
        assert_eq!(next.sample_size.assumed.alpha.to_bits(), 0.2_f64.to_bits());
        assert_eq!(next.analyses, next.in_epoch(0).analyses);
        // Said otherwise than it was is another analysis, here at the analysis itself.
        let refused = carried(
            &first,
            &[(
                "id = \"acceptance\"\n",
                "id = \"acceptance\"\nalpha = 0.01\n",
            )],
        )
        .unwrap_err();
        assert_eq!(refused.len(), 1);
        assert!(refused[0].2.starts_with("[[analysis]]"), "{:?}", refused[0]);

        // The strata of the draw are those of `stratified`.
        let refused = carried(&first, &[strata]).unwrap_err();
        assert_eq!(refused.len(), 1);
        let (message, help, _) = &refused[0];
        assert!(
            message.en.contains(
                "`strata` of the analysis `stratified` from [\"site\"] to [\"site\", \"earlier_reports\"]"
            ),
            "{message}"
        );
        assert!(help.contains("`strata = [\"site\"]`"), "{help}");
        let own = (
            "id = \"stratified\"\n",
            "id = \"stratified\"\nstrata = [\"site\"]\n",
        );
        let next = carried(&first, &[strata, own]).unwrap();
        assert_eq!(
            (next.allocation.strata.len(), next.analyses[3].strata.len()),
            (2, 1)
        );

        // Levels by which an analysis has subgroups, or strata, stand; cuts by which none goes are free.
        let cuts = ("cuts = [3]", "cuts = [2, 5]");
        let refused = carried(&first, &[cuts]).unwrap_err();
        assert_eq!(refused.len(), 1);
        assert!(
            refused[0].0.en.contains(
                "`by-reports` has strata or subgroups by the levels of `earlier_reports`"
            ),
            "{:?}",
            refused[0]
        );
        let without = first.replace("subgroups = [\"earlier_reports\"]\n", "");
        assert!(carried(&without, &[cuts]).is_ok());
        let named = without.replace(
            own.0,
            "id = \"stratified\"\nstrata = [\"earlier_reports\"]\n",
        );
        assert_eq!(carried(&named, &[cuts]).unwrap_err().len(), 1);
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
