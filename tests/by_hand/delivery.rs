//! Families of the treated arm clustered by who delivered its service, on eight families and by hand.

use super::registered::{Few, LATE, estimand, few, near};
use lottning::allocation::Arm;
use lottning::estimation::Warning;
use lottning::protocol::model::Service;
use lottning::study::delivery::{Delivery, delivery};
use lottning::study::kernel::{Command, DelivererIx, FamilyIx, What};

const PLAIN: &str = "outcome = \"rereport\"\nsummary = \"count\"\nestimator = \"linear\"\nmissing = { primary = \"complete-case\" }\n";

impl Few {
    /// A service event on a day, by somebody.
    fn served(&mut self, family: FamilyIx, service: Service, on: i32, by: Option<u32>) {
        self.moved(family, service, on, (None, by));
    }

    fn moved(
        &mut self,
        family: FamilyIx,
        service: Service,
        on: i32,
        (arm, by): (Option<Arm>, Option<u32>),
    ) {
        let what = What::Serviced {
            family,
            service,
            on: self.day.plus(on),
            arm,
            by: by.map(DelivererIx),
        };
        let command = Command::Record(what);
        let late = self.day.plus(LATE);
        self.study.command(late, &command).expect("a service event");
    }

    fn delivery(&self, family: FamilyIx) -> Delivery {
        let treated = self.study.state.family(self.treated[0]).unwrap().arm;
        delivery(&self.study.state, self.day.plus(LATE), family, treated)
    }
}

/// Reports 3, 2, 0, 1 of the treated families, 1, 0, 0, 1 of the others; the first two treated are served by one, the third by
/// another, the fourth by nobody who is named. A control family is served by the first of them, too, which changes nothing.
fn served(analysis: &str) -> Few {
    let mut few = few(analysis, 8);
    let counts = [3, 2, 0, 1, 1, 0, 0, 1];
    let families: Vec<FamilyIx> = few.treated.iter().chain(&few.control).copied().collect();
    for (family, count) in families.iter().zip(counts) {
        for on in 0..count {
            few.report(*family, 20 + on);
        }
    }
    few.served(families[0], Service::Started, 12, Some(1));
    few.served(families[1], Service::HomeVisit, 13, Some(1));
    few.served(families[2], Service::Closed, 40, Some(0));
    few.served(families[3], Service::Started, 12, None);
    few.served(families[4], Service::HomeVisit, 13, Some(1));
    few
}

fn codes(warnings: &[Warning]) -> Vec<&str> {
    warnings.iter().map(|own| own.code).collect()
}

/// Means 1.5 and 0.5. Treated residuals 1.5, 0.5, −1.5, −0.5 in clusters of 2, 1 and 1 of 4: (1.5 + 0.5)²/(1 − ½) +
/// (1.5² + 0.5²)/(1 − ¼) = 8 + 10/3, over 4² = 17/24. Control residuals ±½, alone: 4·¼/(1 − ¼)/16 = 1/12. Together 19/24.
/// Satterthwaite: g'g of clusters of m and k of the same 4 is m/16 (m = k is the same cluster), and else
/// −mk/(4·16·√((1 − m/4)(1 − k/4))). The trace is (4 + 4)/16; the squares sum to (80/9 + 48/9)/256: 64/(128/9) = 4.5.
#[test]
fn who_delivered_is_a_cluster_of_the_treated_arm_alone() {
    let few = served(&format!(
        "{PLAIN}clusters = \"delivered-by\"\n{}",
        estimand("difference", "treatment-policy")
    ));
    let found = few.run();
    assert_eq!(found.results.len(), 1);
    let row = &found.results[0];
    near(row.estimate, 1.0);
    near(row.std_error, (19.0_f64 / 24.0).sqrt());
    near(row.df, 4.5);
    assert_eq!((row.n_treated, row.n_control), (4, 4));
    assert_eq!(row.variance, "cr2");
    assert_eq!(row.extra["units_treated"], 3);
    assert_eq!(row.extra["units_control"], 4);
    let own = codes(&found.warnings);
    assert!(own.contains(&"few-deliverers") && own.contains(&"few-clusters"));
    let told = found.warnings.iter().find(|own| own.code == "few-clusters");
    let told = &told.unwrap().message;
    assert!(told.en.contains("carry 4.5 degrees"), "{}", told.en);
    assert!(told.sv.contains("ger 4,5 frihetsgrader"), "{}", told.sv);
    let told = found.warnings.iter().find(|own| own.code == "delivered-by");
    let told = &told.unwrap().message.en;
    assert!(
        told.contains("3 families are clustered by the 2 who") && told.contains("1 to whom nobody"),
        "{told}"
    );
    assert!(
        found
            .used
            .columns
            .contains(&("cluster", vec!["delivered-by".to_owned()]))
    );
    assert!(found.estimand.en.contains("a sample of all who could"));
}

/// Where no event of service names anybody, that is said in place of clusters of none.
#[test]
fn nobody_is_named() {
    let mut few = few(
        &format!(
            "{PLAIN}clusters = \"delivered-by\"\n{}",
            estimand("difference", "treatment-policy")
        ),
        8,
    );
    for (family, on) in [(few.treated[0], 20), (few.control[0], 30)] {
        few.report(family, on);
        few.served(family, Service::Started, 12, None);
    }
    let found = few.run();
    let told = found.warnings.iter().find(|own| own.code == "delivered-by");
    let told = &told.unwrap().message;
    assert!(
        told.en
            .contains("nobody is named who delivered the service, so all 4 families stand"),
        "{}",
        told.en
    );
    assert!(
        told.sv
            .contains("ingen angiven som gav insatsen, så alla 4"),
        "{}",
        told.sv
    );
    assert!(!codes(&found.warnings).contains(&"few-deliverers"));
}

#[test]
fn beside_the_result_it_is_a_row_of_its_own() {
    let few = served(&format!(
        "{PLAIN}sensitivity_clusters = \"delivered-by\"\n{}",
        estimand("difference", "treatment-policy")
    ));
    let found = few.run();
    assert_eq!(found.results.len(), 2);
    let [own, beside] = [&found.results[0], &found.results[1]];
    near(own.estimate, 1.0);
    near(beside.estimate, 1.0);
    // Each family for itself: treated (1.5² + 0.5²)·2/(1 − ¼)/16 = 5/12, control 1/12.
    near(own.std_error, 0.5_f64.sqrt());
    assert_eq!(own.variance, "hc2");
    near(beside.std_error, (19.0_f64 / 24.0).sqrt());
    assert_eq!(beside.variance, "cr2");
    assert_eq!(beside.extra["sensitivity"], "delivered-by");
    assert!(!found.estimand.en.contains("sample of all"));
}

/// With one deliverer in the treated arm and nobody beside, the effect rests on that one: no variance, and no number.
#[test]
fn one_deliverer_of_a_whole_arm_is_refused() {
    let mut few = few(
        &format!(
            "{PLAIN}clusters = \"delivered-by\"\n{}",
            estimand("difference", "treatment-policy")
        ),
        6,
    );
    for family in few.treated.clone() {
        few.served(family, Service::Started, 12, Some(0));
    }
    for (family, on) in [(few.treated[0], 20), (few.control[0], 30)] {
        few.report(family, on);
    }
    let found = few.run();
    assert!(found.results[0].std_error.is_none() && found.results[0].p_value.is_none());
    assert!(codes(&found.warnings).contains(&"decisive-cluster"));
}

#[test]
fn the_first_who_delivered_while_the_service_was_the_arms_counts() {
    let mut few = few(
        &format!("{PLAIN}{}", estimand("difference", "treatment-policy")),
        6,
    );
    let [a, b, c] = [few.treated[0], few.treated[1], few.treated[2]];
    let control = few.study.protocol.control;
    // Who offered has not delivered; of two, the first by day, whatever the order of the rows.
    few.served(a, Service::Offered, 5, Some(7));
    few.served(a, Service::Closed, 60, Some(2));
    few.served(a, Service::HomeVisit, 20, Some(3));
    let first = Some(DelivererIx(3));
    assert_eq!(
        few.delivery(a),
        Delivery {
            first,
            several: true
        }
    );
    // After a switch it is the other arm's service; on its day still this one's.
    few.moved(b, Service::Switched, 30, (Some(control), None));
    few.served(b, Service::HomeVisit, 31, Some(4));
    assert_eq!(few.delivery(b), Delivery::default());
    few.served(b, Service::HomeVisit, 30, Some(5));
    let first = Some(DelivererIx(5));
    assert_eq!(
        few.delivery(b),
        Delivery {
            first,
            several: false
        }
    );
    // A mistake gave it the other arm's service: nobody delivered this one's.
    few.served(c, Service::HomeVisit, 20, Some(6));
    assert_eq!(few.delivery(c).first, Some(DelivererIx(6)));
    let what = What::Violation {
        family: c,
        on: few.day.plus(20),
        reason: 3,
        truth: None,
        received: Some(control),
    };
    let late = few.day.plus(LATE);
    few.study
        .command(late, &Command::Record(what))
        .expect("a violation");
    assert_eq!(few.delivery(c), Delivery::default());
    // A control family has none of the treated service.
    let control = few.control[0];
    few.served(control, Service::HomeVisit, 20, Some(3));
    assert_eq!(few.delivery(control), Delivery::default());
}

/// Rows may tell late of an earlier day: what a family had on a day is what the last switch before it left, by day, and of two on one
/// day by row. Away on day 20 and back on day 40 in whichever order of rows: what was done on 20 and 41 is the arm's, on 21 and 40 not.
/// So it is with a row of day 20 that comes last and says that nothing changed: what was done after day 30 is the other arm's.
#[test]
fn a_switch_that_is_recorded_late_holds_from_its_day() {
    let plain = format!("{PLAIN}{}", estimand("difference", "treatment-policy"));
    let delivered = |switches: &[(i32, bool)], visit: i32| {
        let mut few = few(&plain, 6);
        let family = few.treated[0];
        let own = few.study.state.family(family).unwrap().arm;
        let control = few.study.protocol.control;
        for (on, back) in switches {
            let to = if *back { own } else { control };
            few.moved(family, Service::Switched, *on, (Some(to), None));
        }
        few.served(family, Service::HomeVisit, visit, Some(8));
        few.delivery(family).first == Some(DelivererIx(8))
    };
    let (away, back) = ((20, false), (40, true));
    for rows in [[away, back], [back, away]] {
        for (visit, counts) in [(20, true), (21, false), (40, false), (41, true)] {
            assert_eq!(delivered(&rows, visit), counts, "{rows:?} {visit}");
        }
    }
    for (visit, counts) in [(29, true), (30, true), (31, false)] {
        assert_eq!(delivered(&[(30, false), (20, true)], visit), counts);
    }
    assert!(delivered(&[(20, false), (20, true)], 21));
    assert!(!delivered(&[(20, true), (20, false)], 21));
}
