//! Laws of how a study is run, whatever is done by whom in whatever order: counted anew from the rows, without the state.

use std::collections::{BTreeMap, BTreeSet};

use crate::in_memory::{Room, eligible, event, site_event};
use lottning::protocol::model::Day;
use lottning::study::caps::{Alert, Capped, alerts};
use lottning::study::cohort::cohort;
use lottning::study::conduct::{at_least, conduct};
use lottning::study::verify::verify;
use proptest::collection::vec;
use proptest::prelude::{ProptestConfig, Strategy, any, prop_oneof, proptest};
use serde_json::Value;

const ACTORS: [&str; 3] = ["one", "two", "three"];
const REASONS: [&str; 4] = [
    "found-ineligible",
    "double-draw",
    "wrong-stratum",
    "late-draw",
];

#[derive(Debug, Clone)]
enum Step {
    Enrol {
        actor: usize,
        family: usize,
        report: usize,
        reports: u8,
        meets: bool,
    },
    Capacity {
        actor: usize,
        therapists: u32,
    },
    Switch {
        family: usize,
        arm: bool,
    },
    Violate {
        family: usize,
        reason: usize,
    },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => (0..3_usize, 0..12_usize, 0..2_usize, 2..4_u8, 0..6_u8).prop_map(
            |(actor, family, report, reports, meets)| Step::Enrol {
                actor,
                family,
                report,
                reports,
                meets: meets > 1,
            }
        ),
        1 => (0..3_usize, 0..3_u32).prop_map(|(actor, therapists)| Step::Capacity { actor, therapists }),
        2 => (0..12_usize, any::<bool>()).prop_map(|(family, arm)| Step::Switch { family, arm }),
        2 => (0..12_usize, 0..4_usize).prop_map(|(family, reason)| Step::Violate { family, reason }),
    ]
}

fn name(family: usize) -> String {
    format!("FA-{}A", char::from(b'A' + family as u8))
}

fn protocol() -> String {
    format!(
        "{}\n[violations]\nreasons = [\"late-draw\"]\ncap = {{ per_site_and_quarter = 2, study_share = 0.3 }}\n",
        crate::made_up::IUH.replace("therapists = 2", "therapists = 1")
    )
}

/// Whether an actor may, by what was recorded before.
#[derive(Debug, Default)]
struct Had {
    screened: BTreeSet<&'static str>,
    changed: BTreeSet<&'static str>,
}

fn run(room: &mut Room, number: usize, step: &Step, had: &mut Had) {
    let at = format!(
        "2025-04-{:02}T{:02}:00:00+02:00",
        1 + number / 20,
        number % 20
    );
    let on = at[..10].to_owned();
    let before = room.journal().head;
    let code = |result: Result<bool, lottning::app::Failure>| match result {
        Ok(_) => None,
        Err(refused) => {
            assert!(refused.is_refusal(), "{refused:?}");
            Some(refused.code)
        }
    };
    match step {
        Step::Enrol {
            actor,
            family,
            report,
            reports,
            meets,
        } => {
            let actor = ACTORS[*actor];
            let mut request = eligible("skarpnack", &name(*family), &format!("R{report}"));
            request.fields[0].1 = reports.to_string();
            if !meets {
                request.answers[2].1 = "yes".into();
            }
            let refused = code(room.enrol_as(actor, &at, &request).map(|own| own.replayed));
            let recorded = room.journal().head != before;
            // Refused for its duty exactly when the actor has had the other one, unless another refusal comes first.
            assert!(!(recorded && had.changed.contains(actor)), "{step:?}");
            assert!(refused != Some("duties-mixed") || had.changed.contains(actor));
            if recorded {
                had.screened.insert(actor);
            }
        }
        Step::Capacity { actor, therapists } => {
            let actor = ACTORS[*actor];
            let mut request =
                site_event("capacity-changed", "skarholmen", &on, &format!("c{number}"));
            request
                .set
                .push(("therapists".into(), therapists.to_string()));
            let refused = code(room.record_as(actor, &at, &request).map(|own| own.replayed));
            let expected = had.screened.contains(actor).then_some("duties-mixed");
            assert_eq!(refused, expected, "{step:?}");
            if refused.is_none() {
                had.changed.insert(actor);
            }
        }
        Step::Switch { family, arm } => {
            let mut request = event("switched", &name(*family), &on, &format!("s{number}"));
            let arm = if *arm { "iuh" } else { "standard" };
            request.set.push(("arm".into(), arm.into()));
            code(room.record(&at, &request).map(|own| own.replayed));
        }
        Step::Violate { family, reason } => {
            let reason = REASONS[*reason];
            let mut request = event("violation", &name(*family), &on, &format!("v{number}"));
            request.set.push(("reason".into(), reason.into()));
            if reason == "wrong-stratum" {
                request.set.push(("field".into(), "youngest_age".into()));
                request
                    .set
                    .push(("value".into(), (number % 17).to_string()));
            }
            code(room.record(&at, &request).map(|own| own.replayed));
        }
    }
    if room.journal().head == before {
        return;
    }
    // A row was added: who holds which duty stays apart.
    assert!(had.screened.is_disjoint(&had.changed));
}

/// What the rows say, counted anew.
#[derive(Debug, Default)]
struct Recount {
    arms: BTreeMap<String, String>,
    /// Families whose first switch away from their arm led to each arm.
    switches: BTreeMap<String, String>,
    /// Families by reason of a violation.
    violations: BTreeMap<String, BTreeSet<String>>,
    number_of_violations: u32,
    /// Answers and fields that each report of each family was screened with.
    screened: BTreeMap<(String, String), BTreeSet<String>>,
    turned_away: BTreeSet<String>,
    ages: BTreeMap<String, String>,
    drawn_ages: BTreeMap<String, String>,
}

fn recount(room: &mut Room) -> Recount {
    let mut own = Recount::default();
    for entry in room.entries() {
        let read = |text: &str| serde_json::from_str::<Value>(text).unwrap();
        let (public, payload) = (read(&entry.public), read(entry.payload.as_deref().unwrap()));
        let text = |value: &Value, key: &str| value[key].as_str().unwrap_or_default().to_owned();
        let family = text(&payload, "family");
        match entry.kind.as_str() {
            "screened" => {
                let given = format!("{} {}", payload["answers"], payload["fields"]);
                let key = (family.clone(), text(&payload, "report_key"));
                own.screened.entry(key).or_default().insert(given);
                if public["verdict"] == "gate-closed" {
                    own.turned_away.insert(family.clone());
                }
                own.drawn_ages
                    .insert(family, text(&payload["fields"], "youngest_age"));
            }
            "allocated" => {
                let place = own.arms.len() as u64;
                assert_eq!(
                    public["allocation"],
                    place + 1,
                    "a number is never returned"
                );
                assert_eq!(public["draw"], place, "one site, one stratum");
                own.arms.insert(family, text(&public, "arm"));
            }
            "switched" if own.arms[&family] != text(&public, "arm") => {
                own.switches.entry(family).or_insert(text(&public, "arm"));
            }
            "violation" => {
                own.number_of_violations += 1;
                own.violations
                    .entry(text(&payload, "reason"))
                    .or_default()
                    .insert(family.clone());
                if payload["field"] == "youngest_age" {
                    own.ages.insert(family, text(&payload, "value"));
                }
            }
            _ => {}
        }
    }
    own
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn whoever_does_what_the_conduct_of_a_study_follows_from_its_rows(steps in vec(step(), 1..90)) {
        let mut room = Room::open(&protocol());
        let mut had = Had::default();
        for (number, step) in steps.iter().enumerate() {
            run(&mut room, number, step, &mut had);
        }
        let rows = recount(&mut room);
        let (protocol, cut) = (room.protocol.clone(), Day::of(jiff::civil::date(2025, 12, 31)));
        let state = room.state().clone();
        let own = conduct(&protocol, &state, cut);
        // The direction of switches.
        let direction = own.direction.unwrap();
        let to = rows.switches.values().filter(|arm| *arm == "iuh").count();
        let of = rows.switches.len();
        assert_eq!((direction.to as usize, direction.of as usize), (to, of));
        assert!((direction.p_value - at_least(to, &vec![0.5; of])).abs() < 1e-12);
        // Violations by reason: each family once.
        for count in &own.violations {
            let id = &protocol.violations.reasons[usize::from(count.reason)].id;
            let families = rows.violations.get(id).map_or(0, BTreeSet::len);
            assert_eq!(count.families() as usize, families, "{id}");
        }
        // Caps: all is in one site and one quarter.
        let passed: Vec<Alert> = alerts(&protocol, &state);
        let with: BTreeSet<&String> = rows.violations.values().flatten().collect();
        let share = with.len() as f64 / rows.arms.len().max(1) as f64;
        let site = passed.iter().any(|alert| matches!(alert, Alert::Site { capped: Capped::Violations, .. }));
        let study = passed.iter().any(|alert| matches!(alert, Alert::Study { capped: Capped::Violations, .. }));
        assert_eq!((site, study), (rows.number_of_violations > 2, share > 0.3 && with.len() > 1));
        // A family is flagged if and only if one of its reports was screened in two ways.
        let changed: BTreeSet<&String> = rows
            .screened
            .iter()
            .filter(|(_, given)| given.len() > 1)
            .map(|((family, _), _)| family)
            .collect();
        let names = &room.journal().names;
        let flagged: BTreeSet<String> = own.changed.iter().map(|ix| names.family_name(*ix).to_owned()).collect();
        assert_eq!(flagged.iter().collect::<BTreeSet<_>>(), changed);
        // Arms and what families were drawn with stand; the true value is the last one that a violation gave.
        for (family, arm) in &rows.arms {
            let ix = names.family(family).unwrap();
            let known = state.family(ix).unwrap();
            assert_eq!(&protocol.arms[known.arm.index()].id, arm);
            assert_eq!(known.values[1].to_string(), rows.drawn_ages[family]);
            let truth = rows.ages.get(family).unwrap_or(&rows.drawn_ages[family]);
            assert_eq!(&state.true_value(ix, 1).unwrap().to_string(), truth);
        }
        // The cohort and the randomized make up those who were ever turned away.
        let cohort = cohort(&protocol, &state, cut);
        let randomized = rows.turned_away.iter().filter(|family| rows.arms.contains_key(*family)).count();
        assert_eq!(cohort.ever as usize, rows.turned_away.len());
        assert_eq!((cohort.randomized as usize, cohort.families as usize), (randomized, rows.turned_away.len() - randomized));
        let verdict = verify(&protocol, &room.entries(), std::slice::from_ref(&room.seed.clone()), None);
        assert!(verdict.ok, "{:#?}", verdict.findings);
    }
}
