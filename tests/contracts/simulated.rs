//! Every estimator that a plan may name is simulated and rehearsed, as a secondary analysis and as the one that decides.

use crate::registered::analysis;
use lottning::estimation::{ESTIMATORS, EstimatorEntry};
use lottning::planning::rehearsal::scenario_of;
use lottning::planning::scenario::plan;
use lottning::planning::simulate::{CellPerformance, Options, simulate};

const TWO_ARMS: &str = include_str!("../../protocols/two-arms/protocol.toml");

fn planned() -> impl Iterator<Item = &'static EstimatorEntry> {
    ESTIMATORS.iter().filter(|entry| entry.in_plan)
}

/// The shipped protocol with these analyses alone.
fn protocol(analyses: &str) -> String {
    let start = TWO_ARMS.find("[[analysis]]").unwrap();
    format!("{}{analyses}", &TWO_ARMS[..start])
}

fn registered(id: &str, role: &str, own: &str) -> String {
    format!("[[analysis]]\nid = \"{id}\"\nlock = \"final\"\nrole = \"{role}\"\n{own}\n")
}

/// The scenario that a rehearsal makes for a protocol, simulated.
fn simulated(protocol: &str, replicates: u64) -> CellPerformance {
    let parsed = lottning::protocol::parse(protocol.as_bytes());
    let valid = parsed
        .protocol
        .unwrap_or_else(|| panic!("{:#?}", parsed.diagnostics));
    let settings = ["accrual.months=6".to_owned()];
    let plan = plan(&scenario_of(&valid), protocol, &settings)
        .unwrap_or_else(|refused| panic!("{:#?}", refused.diagnostics));
    let options = Options {
        seed: 3,
        replicates: Some(replicates),
        draws: Some(0),
        threads: Some(1),
    };
    simulate(&plan, &options, &|_, _| {}).unwrap().remove(0)
}

/// Whatever numbers a field may hold, a rehearsal has a law for it: a post code, a year, an amount below zero, a number with six places.
#[test]
fn a_field_of_any_range_has_a_law_in_a_rehearsal() {
    let counts = [
        "[10000, 99999]",
        "[1900, 2100]",
        "[-100, 1000]",
        "[-4, 100]",
        "[-3, 100]",
        "[9996, 20000]",
        "[9997, 20000]",
        "[2000000, 3000000]",
        "[7, 7]",
    ];
    let counts = counts.map(|range| format!("kind = \"count\"\nrange = {range}"));
    let numbers =
        (0..=6).map(|places| format!("kind = \"number\"\nplaces = {places}\nrange = [-5, 1000]"));
    for own in counts.into_iter().chain(numbers) {
        let field = format!("[[field]]\nid = \"own\"\n{own}\n\n[[criterion]]");
        let text = TWO_ARMS.replacen("[[criterion]]", &field, 1);
        let parsed = lottning::protocol::parse(text.as_bytes());
        let valid = parsed
            .protocol
            .unwrap_or_else(|| panic!("{own}: {:#?}", parsed.diagnostics));
        let scenario = scenario_of(&valid);
        let planned = plan(&scenario, &text, &[]);
        assert!(planned.is_ok(), "{own}: {:#?}", planned.err());
    }
}

/// Beside the one that decides, which counts reports in another window: the scenario then says whose risk it states.
#[test]
fn every_estimator_is_simulated_as_a_secondary_analysis() {
    let mut text = protocol("");
    let lock = text.find("[[lock]]").unwrap();
    text.insert_str(
        lock,
        "[[outcome]]\nid = \"late\"\nkind = \"recurrent-event\"\nevent = \"report\"\nwindow_days = [31, 365]\n\n",
    );
    let first = analysis(planned().find(|entry| entry.id == "lin").unwrap());
    let late = first.replace("\"rereport\"", "\"late\"");
    text.push_str(&registered("primary", "primary", &late));
    for entry in planned() {
        text.push_str(&registered(entry.id, "secondary", &analysis(entry)));
    }
    let cell = simulated(&text, 6);
    let ids: Vec<&str> = cell.analyses.iter().map(|(id, _)| id.as_str()).collect();
    let wanted: Vec<&str> = ["primary"]
        .into_iter()
        .chain(planned().map(|entry| entry.id))
        .collect();
    assert_eq!(ids, wanted);
    for (id, found) in &cell.analyses {
        assert_eq!((found.replicates, found.failures), (6, 0), "{id}");
        let bounds = id.ends_with("-bounds");
        // Bounds have no p, so they have no power; those of the mean difference hold it or do not.
        assert_eq!(found.power.value.is_none(), bounds, "{id}");
        if id == "manski-bounds" {
            assert_eq!(found.coverage.value, Some(1.0), "{id}");
            assert!(found.bias.value.is_none());
        }
    }
}

/// By law: a score test of two proportions has the same p whether it is told as a difference, a ratio or a ratio of odds. Where hardly
/// anybody in one arm has the event the ratios are often 0 or infinite, and the power is that of the difference whichever arm it is. A
/// study without an event in either has no ratio, and rejects nothing.
#[test]
fn a_ratio_rejects_where_its_difference_does_whichever_arm_is_empty() {
    let ids = [
        "risk-difference",
        "risk-ratio",
        "odds-ratio",
        "fisher-exact",
    ];
    let mut text = protocol("");
    for id in ids {
        let entry = planned().find(|entry| entry.id == id).unwrap();
        let role = if id == ids[0] { "primary" } else { "secondary" };
        text.push_str(&registered(id, role, &analysis(entry)));
    }
    let parsed = lottning::protocol::parse(text.as_bytes());
    let scenario = scenario_of(&parsed.protocol.unwrap());
    for (control, ratio) in [(0.01, 30.0), (0.3, 0.03)] {
        let settings = [
            "accrual.months=6".to_owned(),
            format!("truth.rereport_control={control}"),
            format!("truth.rereport_ratio={ratio}"),
            "protocol.sample_size.stop.families=80".to_owned(),
        ];
        let plan = plan(&scenario, &text, &settings)
            .unwrap_or_else(|refused| panic!("{:#?}", refused.diagnostics));
        let options = Options {
            seed: 3,
            replicates: Some(100),
            draws: Some(0),
            threads: Some(1),
        };
        let cell = simulate(&plan, &options, &|_, _| {}).unwrap().remove(0);
        let of = |id: &str| cell.analyses.iter().find(|(own, _)| own == id).unwrap().1;
        let rejecting = of("risk-difference").power.value.unwrap();
        assert!(rejecting > 0.0);
        for id in &ids[1..] {
            let own = of(id);
            assert!(own.endless > 10 && own.failures < 10, "{id}: {own:?}");
            assert!(
                own.first_failure
                    .is_none_or(|(_, code)| code == "no-variation")
            );
            if *id != "fisher-exact" {
                assert_eq!(own.power.value, Some(rejecting), "{id}");
            }
            assert!(own.power.value > Some(0.0), "{id}: {own:?}");
        }
    }
}

#[test]
fn every_estimator_is_simulated_as_the_primary_analysis() {
    for entry in planned() {
        let text = protocol(&registered("own", "primary", &analysis(entry)));
        let cell = simulated(&text, 2);
        let (id, found) = &cell.analyses[0];
        assert_eq!((id.as_str(), found.failures), ("own", 0), "{}", entry.id);
    }
}
