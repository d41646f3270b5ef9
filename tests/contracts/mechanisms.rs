//! Every registered mechanism: its words, its keys, and that a scenario with it runs and one with a strange key does
//! not.

use lottning::planning::mechanisms::MECHANISMS;
use lottning::planning::scenario::{plan, protocol_path, vocabulary};
use lottning::planning::simulate::{Options, simulate};
use lottning::planning::study::Simulator;
use std::path::Path;

const SCENARIO: &str = include_str!("../../simulations/iuh-2025.toml");
const PROTOCOL: &str = include_str!("../../protocols/iuh-2025/protocol.toml");

#[test]
fn identifiers_are_unique_and_words_are_in_both_languages() {
    for (index, entry) in MECHANISMS.iter().enumerate() {
        assert!(MECHANISMS[..index].iter().all(|other| other.id != entry.id));
        assert!(!entry.about.is_empty() && entry.about != entry.about_sv);
    }
}

/// Every scenario that is shipped, with the text of its protocol.
fn shipped() -> Vec<(String, String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("simulations");
    let mut found = Vec::new();
    for folder in [root.clone(), root.join("workloads")] {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|end| end == "toml") {
                let text = std::fs::read_to_string(&path).unwrap();
                let protocol = folder.join(protocol_path(&text).unwrap());
                let protocol = std::fs::read_to_string(protocol).unwrap();
                let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
                found.push((name, text, protocol));
            }
        }
    }
    found
}

#[test]
fn every_mechanism_is_in_a_shipped_scenario_and_documented() {
    let guide = include_str!("../../docs/scenario.md");
    let scenarios = shipped();
    for entry in MECHANISMS {
        let named = if entry.is_optional() {
            format!("id = \"{}\"", entry.id)
        } else {
            format!("[{}]", entry.id)
        };
        assert!(
            scenarios.iter().any(|(_, text, _)| text.contains(&named)),
            "{named}"
        );
        for key in entry.keys {
            assert!(
                guide.contains(&format!("`{key}`")),
                "{key} is not in the guide"
            );
        }
    }
}

/// Every shipped scenario and workload is sound, and a few of its studies give numbers or say why they do not; the guide
/// names each.
#[test]
fn every_shipped_scenario_runs() {
    let guide = include_str!("../../docs/scenario.md");
    let mut names = Vec::new();
    for (name, text, protocol) in shipped() {
        assert!(
            guide.contains(&format!("`{name}`")),
            "{name} is not in the guide"
        );
        let plan =
            plan(&text, &protocol, &[]).unwrap_or_else(|refused| panic!("{name}: {refused:?}"));
        let few = if plan.cells.len() > 50 { 1 } else { 3 };
        let options = Options {
            replicates: Some(few),
            draws: Some(19),
            threads: Some(2),
            ..Options::default()
        };
        let cells =
            simulate(&plan, &options, &|_, _| {}).unwrap_or_else(|error| panic!("{name}: {error}"));
        for cell in &cells {
            for (id, found) in &cell.analyses {
                assert_eq!(found.replicates, few, "{name} {id}");
                // Ratios, complier effects and tests have no true effect that is a mean of differences.
                let own = &plan.cells[0].protocol.analyses;
                // With several treated arms the arm's id follows that of the analysis.
                let analysis = id.split(':').next().unwrap();
                let own = own.iter().find(|own| own.id == analysis).unwrap();
                let known = found.estimand.value.is_some();
                assert_eq!(known, own.is_difference(), "{name} {id}");
            }
            let own = plan.cells.iter().find(|own| own.id == cell.cell).unwrap();
            let gated = own.protocol.gate.is_some();
            let tested = own
                .scenario
                .analyses
                .iter()
                .any(|at| own.protocol.analyses[*at].test.is_some());
            let sized = cell.analyses.iter().any(|(_, found)| found.size.is_some());
            assert_eq!(
                sized,
                gated && tested,
                "{name}: the size of the test is shown behind every gate"
            );
        }
        names.push(name);
    }
    for name in [
        "null",
        "modest",
        "harm",
        "contamination",
        "starvation",
        "turnover",
        "surveillance",
        "search-law",
        "biased-outcome",
        "trend-and-gate",
        "assurance",
        "w1",
        "w2",
        "w3",
        "w4",
        "w5",
    ] {
        assert!(names.iter().any(|own| own == name), "{name} is not shipped");
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
    let scenarios = shipped();
    for entry in MECHANISMS {
        let key = entry.keys[0];
        let strange = format!("{key}x");
        let (named, path) = if entry.is_optional() {
            let named = format!("id = \"{}\"", entry.id);
            (named, format!("mechanism.{}.{strange}=1", entry.id))
        } else {
            (
                format!("[{}]", entry.id),
                format!("{}.{strange}=1", entry.id),
            )
        };
        let own = scenarios.iter().find(|(_, text, _)| text.contains(&named));
        let (_, text, protocol) = own.unwrap();
        let refused = plan(text, protocol, &[path]).unwrap_err();
        let found = refused
            .diagnostics
            .iter()
            .find(|finding| finding.code == "unknown-key")
            .unwrap_or_else(|| panic!("{} takes {strange}", entry.id));
        assert!(found.help.as_ref().unwrap().en.contains(key));
    }
}

/// A fault of one value of a grid, or of a prior's reach, points at that value in the file; several are told at once.
#[test]
fn a_grid_is_blamed_where_it_is_wrong() {
    let with = |grid: &str| {
        let (head, tail) = SCENARIO.split_once("[grid]").unwrap();
        let (_, tail) = tail.split_once("[precision]").unwrap();
        format!("{head}{grid}\n[precision]{tail}")
    };
    let text = with(
        "[grid]\nfull = { \"accrual.months\" = [12, -4], \"truth.rereport_ratio\" = [1.0, 3.0], \"truth.oops\" = [1] }",
    );
    let refused = plan(&text, PROTOCOL, &[]).unwrap_err();
    assert!(!refused.edited);
    let found: Vec<(&str, &str)> = refused
        .diagnostics
        .iter()
        .map(|own| {
            let span = own.place.as_ref().unwrap().span.clone().unwrap();
            (own.code, refused.text.get(span).unwrap())
        })
        .collect();
    assert!(found.contains(&("unknown-key", "1")), "{found:?}");
    let text = with(
        "[grid]\nfull = { \"accrual.months\" = [12, -4], \"truth.rereport_ratio\" = [1.0, 3.0] }",
    );
    let refused = plan(&text, PROTOCOL, &[]).unwrap_err();
    let spans = refused.diagnostics.iter().map(|own| {
        let span = own.place.as_ref().unwrap().span.clone().unwrap();
        refused.text.get(span).unwrap()
    });
    assert_eq!(spans.collect::<Vec<_>>(), ["-4", "3.0"]);
    let text = with("[[prior]]\nkey = \"truth.rereport_ratio\"\nnormal = { mean = 1.0, sd = 0.5 }");
    let refused = plan(&text, PROTOCOL, &[]).unwrap_err();
    let own = &refused.diagnostics[0];
    let span = own.place.as_ref().unwrap().span.clone().unwrap();
    assert_eq!(refused.text.get(span).unwrap(), "\"truth.rereport_ratio\"");
    assert!(own.label.as_ref().unwrap().en.contains("reaches"));
    // A condition on a key that nothing has.
    let text = with(
        "[grid]\nfull = { \"accrual.months\" = [6, 8] }\n[[grid.when]]\nis = { \"accrual.moths\" = 6 }\nleave_out = true\n",
    );
    let refused = plan(&text, PROTOCOL, &[]).unwrap_err();
    assert_eq!(refused.diagnostics[0].code, "unknown-key");
    assert!(
        refused.diagnostics[0]
            .help
            .as_ref()
            .unwrap()
            .en
            .contains("`accrual.months`")
    );
}

/// A cell is known by its content: its name does not depend on the order of keys, and what it is made of has a hash.
#[test]
fn cells_have_names_and_hashes_of_their_content() {
    let (head, tail) = SCENARIO.split_once("[grid]").unwrap();
    let (_, tail) = tail.split_once("[precision]").unwrap();
    let cells = |grid: &str| {
        let text = format!("{head}[grid]\n{grid}\n[precision]{tail}");
        let plan = plan(&text, PROTOCOL, &[]).unwrap();
        let mut all: Vec<(String, String)> = plan
            .cells
            .into_iter()
            .map(|cell| (cell.id, cell.content))
            .collect();
        all.sort();
        all
    };
    let one = cells("full = { \"truth.rereport_ratio\" = [1.0, 0.9], months = [6, 8] }");
    let other =
        cells("full = { \"accrual.months\" = [8, 6], \"truth.rereport_ratio\" = [0.9, 1.0] }");
    assert_eq!(one, other);
    assert_eq!(one[0].0, "accrual.months=6,truth.rereport_ratio=0.9");
    let mut hashes: Vec<&String> = one.iter().map(|(_, hash)| hash).collect();
    hashes.sort();
    hashes.dedup();
    assert_eq!(hashes.len(), 4);
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
    let own = |ratio: &str| plan(SCENARIO, PROTOCOL, &[format!("ratio={ratio}")]).unwrap();
    let fine = own("1:64");
    assert!(fine.warnings.iter().any(|w| w.code == "ratio-by-blocks"));
    assert_eq!(fine.cells[0].protocol.allocation.method, "permuted-block");
    assert_eq!(fine.cells[0].protocol.allocation.ratio.parts(), [1, 64]);
    // Big stick keeps what 64 duplicates can hold.
    let kept = own("1:2");
    assert!(kept.warnings.iter().all(|w| w.code != "ratio-by-blocks"));
    assert_eq!(kept.cells[0].protocol.allocation.method, "big-stick");
    assert_eq!(kept.cells[0].protocol.allocation.ratio.parts(), [1, 2]);
}

#[test]
fn short_names_reach_the_protocol() {
    let settings = ["therapists=3".to_owned(), "months=12".to_owned()];
    let plan = plan(SCENARIO, PROTOCOL, &settings).unwrap();
    let cell = &plan.cells[0];
    assert!(cell.protocol.sites.iter().all(|site| site.therapists == 3));
    assert!((cell.scenario.world.accrual.months - 12.0).abs() < 1e-12);
}
