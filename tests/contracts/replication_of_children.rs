//! R computes again what is said of the children of families: both averages, with families as clusters, and their difference.

use crate::made_up::{IUH, Numbers, protocol};
use crate::replication::{all_alike, folder_of};
use lottning::allocation::Arm;
use lottning::protocol::Protocol;
use lottning::protocol::model::{Day, MAX_FIELDS};
use lottning::study::kernel::{
    ChildIx, Event, FamilyIx, Report, ReportIx, Roster, Screening, SiteIx, Source, State, Verdict,
    What, apply,
};

/// Sixty families of one to five children, drawn a day apart; large treated families are reported more.
fn rosters(protocol: &Protocol) -> State {
    let mut state = State::new(protocol);
    let first = protocol.first_opening();
    let mut happen =
        |day: Day, what: What| apply(protocol, &mut state, &Event { day, what: &what });
    happen(first, What::Opened);
    let mut numbers = Numbers(5);
    let (mut child, mut reports) = (0, 0);
    for family in 0..60 {
        let day = first.plus(family as i32);
        let arm = Arm((family % 2) as u8);
        let mut children = Roster::EMPTY;
        let from = child;
        for _ in 0..=numbers.below(5) {
            children.push(ChildIx(child));
            child += 1;
        }
        let mut values = [0; MAX_FIELDS];
        values[0] = 2 + numbers.below(4) as i64;
        let screening = Screening {
            family: FamilyIx(family),
            site: SiteIx((family % 3) as u16),
            report: ReportIx(reports),
            received: day,
            children,
            answers: 1,
            values,
            verdict: Verdict::Drawn,
            changed: false,
        };
        reports += 1;
        happen(day, What::Screened(screening));
        happen(
            day,
            What::Allocated {
                family: FamilyIx(family),
                site: SiteIx((family % 3) as u16),
                epoch: 0,
                stratum: 0,
                cell: 0,
                draw: family,
                arm,
                allocation: family + 1,
            },
        );
        let often = if arm == Arm(0) && child - from > 2 {
            70
        } else {
            30
        };
        for own in from..child {
            if numbers.chance(often) {
                let report = Report {
                    family: FamilyIx(family),
                    report: ReportIx(reports),
                    received: day.plus(20),
                    source: Source::Register,
                    incident: None,
                    child: Some(ChildIx(own)),
                    unknown_child: false,
                    attached: None,
                    by_study_staff: false,
                };
                reports += 1;
                happen(day.plus(20), What::Reported(report));
            }
        }
    }
    state
}

/// The primary analysis of children, with a look that spends.
fn looked() -> String {
    let primary = IUH.find("[[analysis]]\nid = \"primary\"").unwrap();
    let before = IUH[..primary].replace("alpha = 0.0 ", "alpha = 0.01 ");
    let before = before.replace("alpha = 0.0\n", "alpha = 0.01\n");
    before
        + "[[analysis]]\nid = \"primary\"\nlock = \"final\"\nlooks = [\"evaluation-2025\"]\nrole = \"primary\"\noutcome = \"rereport\"\nsummary = \"count\"\nestimator = \"linear\"\nchildren = \"child-average\"\nestimand = { population = \"all\", strategy = \"treatment-policy\", measure = \"difference\" }\nmissing = { primary = \"complete-case\" }\n"
}

#[test]
fn r_computes_both_averages_over_children_and_looks_at_them() {
    let own = |id: &str, estimator: &str, average: &str| {
        format!(
            "[[analysis]]\nid = \"{id}\"\nlock = \"final\"\nrole = \"exploratory\"\noutcome = \"rereport\"\nsummary = \"count\"\nestimator = \"{estimator}\"\ncovariates = [\"earlier_reports\"]\nchildren = \"{average}\"\nsubgroups = [\"site\"]\nestimand = {{ population = \"all\", strategy = \"treatment-policy\", measure = \"difference\" }}\nmissing = {{ primary = \"complete-case\" }}\n"
        )
    };
    let text = looked()
        + &own("each-child", "lin", "child-average")
        + &own("each-family", "linear", "family-average");
    let protocol = protocol(&text);
    let state = rosters(&protocol);
    let first = protocol.first_opening();
    let late = first.plus(500);
    // Windows of half of the families have ended.
    let early = first.plus(395);
    let files = folder_of((&protocol, &state), "final", late, &[(0, early)]);
    let Some(found) = all_alike("children", &files) else {
        return;
    };
    let alike = found.numbers("alike");
    for id in ["each-child", "each-family"] {
        for part in ["2/estimate", "2/family_minus_child_average/3"] {
            assert!(
                alike.contains(&format!("{id}/results/{part}")),
                "{id} {part}"
            );
        }
        // The means of the arms are those of the average, over children as counted.
        for part in ["mean", "children"] {
            for arm in &protocol.arms {
                let number = format!("{id}/arms/{}/{part}", arm.id);
                assert!(alike.contains(&number), "{number}");
            }
        }
    }
}
