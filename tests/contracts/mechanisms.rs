//! Every registered mechanism: its words, its keys, and that a scenario with it runs and one with a strange key does
//! not.

use lottning::planning::mechanisms::MECHANISMS;
use lottning::planning::scenario::{plan, vocabulary};
use lottning::planning::study::Simulator;

const SCENARIO: &str = include_str!("../../simulations/iuh-2025.toml");
const PROTOCOL: &str = include_str!("../../protocols/iuh-2025/protocol.toml");

#[test]
fn identifiers_are_unique_and_words_are_in_both_languages() {
    for (index, entry) in MECHANISMS.iter().enumerate() {
        assert!(MECHANISMS[..index].iter().all(|other| other.id != entry.id));
        assert!(!entry.about.is_empty() && entry.about != entry.about_sv);
    }
}

#[test]
fn every_mechanism_is_in_the_shipped_scenario_and_documented() {
    let guide = include_str!("../../docs/scenario.md");
    for entry in MECHANISMS {
        let named = if entry.is_optional() {
            format!("id = \"{}\"", entry.id)
        } else {
            format!("[{}]", entry.id)
        };
        assert!(SCENARIO.contains(&named), "{named}");
        for key in entry.keys {
            assert!(
                guide.contains(&format!("`{key}`")),
                "{key} is not in the guide"
            );
        }
    }
}

#[test]
fn the_guide_explains_every_key() {
    let guide = include_str!("../../docs/scenario.md");
    for (section, keys) in vocabulary() {
        for key in keys {
            assert!(
                guide.contains(&format!("`{key}`")),
                "{key} of {section} is not in docs/scenario.md"
            );
        }
    }
}

#[test]
fn a_strange_key_is_refused_and_names_the_nearest() {
    for entry in MECHANISMS {
        let key = entry.keys[0];
        let strange = format!("{key}x");
        let path = if entry.is_optional() {
            format!("mechanism.{}.{strange}=1", entry.id)
        } else {
            format!("{}.{strange}=1", entry.id)
        };
        let refused = plan(SCENARIO, PROTOCOL, &[path]).unwrap_err();
        let found = refused
            .diagnostics
            .iter()
            .find(|finding| finding.code == "unknown-key")
            .unwrap_or_else(|| panic!("{} takes {strange}", entry.id));
        assert!(found.help.as_ref().unwrap().en.contains(key));
    }
}

/// Optional mechanisms change potential outcomes and nothing about who comes.
#[test]
fn an_optional_mechanism_changes_the_truth_and_not_the_families() {
    let study = |setting: &str| {
        let settings = ["months=6".to_owned(), setting.to_owned()];
        let plan = plan(SCENARIO, PROTOCOL, &settings).unwrap();
        Simulator::new(&plan.cells[1], 1)
            .with_draws(0)
            .study(0)
            .unwrap()
    };
    let plain = study("mechanism.detection-by-home-visits.reports_ratio=1.0");
    let detected = study("mechanism.detection-by-home-visits.reports_ratio=2.0");
    assert_eq!(plain.screened, detected.screened);
    assert_eq!(plain.families, detected.families);
    assert!(detected.analyses[0].truth > plain.analyses[0].truth);
}

#[test]
fn a_ratio_that_the_method_cannot_keep_is_simulated_in_blocks_and_said() {
    let plan = plan(SCENARIO, PROTOCOL, &["ratio=1:2".to_owned()]).unwrap();
    assert!(plan.warnings.iter().any(|w| w.code == "ratio-by-blocks"));
    assert_eq!(plan.cells[0].protocol.allocation.method, "permuted-block");
    assert_eq!(plan.cells[0].protocol.allocation.ratio.parts(), [1, 2]);
}

#[test]
fn short_names_reach_the_protocol() {
    let settings = ["therapists=3".to_owned(), "months=12".to_owned()];
    let plan = plan(SCENARIO, PROTOCOL, &settings).unwrap();
    let cell = &plan.cells[0];
    assert!(cell.protocol.sites.iter().all(|site| site.therapists == 3));
    assert!((cell.scenario.world.accrual.months - 12.0).abs() < 1e-12);
}
