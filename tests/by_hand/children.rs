//! Children as units: whose reports they are, and the two averages over them, on cases that fit on paper.

use super::registered::{estimand, near, with};
use crate::in_memory::{Room, eligible, event};
use crate::made_up::{IUH, protocol};
use lottning::allocation::Arm;
use lottning::analysis::results::AnalysisResult;
use lottning::analysis::{Plan, RunSettings, run};
use lottning::protocol::model::{Day, MAX_FIELDS, Protocol};
use lottning::study::children::{Seen, members, seen};
use lottning::study::dataset::{End, units};
use lottning::study::kernel::{
    ChildIx, Event, FamilyIx, Report, ReportIx, Roster, Screening, SiteIx, Source, State, Verdict,
    What, apply,
};

const PLAIN: &str = "outcome = \"rereport\"\nsummary = \"any\"\nestimator = \"linear\"\nmissing = { primary = \"complete-case\" }\n";

/// Families of an arm in order, each with the number of reports on each of its children.
type Families<'f> = &'f [&'f [u32]];

/// Families that were given their arms by hand, all on one day.
struct Given {
    protocol: Protocol,
    state: State,
    day: Day,
    reports: u32,
}

impl Given {
    fn new(analysis: &str, arms: [Families<'_>; 2]) -> Self {
        let protocol = protocol(&with(analysis));
        let mut own = Self {
            state: State::new(&protocol),
            day: protocol.first_opening(),
            protocol,
            reports: 0,
        };
        own.happen(&What::Opened);
        let (mut family, mut child) = (0, 0);
        for (arm, families) in arms.into_iter().enumerate() {
            for children in families {
                let mut roster = Roster::EMPTY;
                let first = child;
                for _ in *children {
                    roster.push(ChildIx(child));
                    child += 1;
                }
                own.drawn(family, arm as u8, roster);
                for (child, reports) in (first..).zip(*children) {
                    for on in 0..*reports {
                        own.report(family, Some(child), 10 + on as i32);
                    }
                }
                family += 1;
            }
        }
        own
    }

    fn happen(&mut self, what: &What) {
        let day = self.day;
        apply(&self.protocol, &mut self.state, &Event { day, what });
    }

    fn next(&mut self) -> ReportIx {
        self.reports += 1;
        ReportIx(self.reports - 1)
    }

    fn drawn(&mut self, family: u32, arm: u8, children: Roster) {
        // Categories 0 and 1 in turn.
        let mut values = [0; MAX_FIELDS];
        values[2] = i64::from(family % 2);
        let screening = Screening {
            family: FamilyIx(family),
            site: SiteIx(0),
            report: self.next(),
            received: self.day,
            children,
            answers: 1,
            values,
            verdict: Verdict::Drawn,
            changed: false,
        };
        self.happen(&What::Screened(screening));
        self.happen(&What::Allocated {
            family: FamilyIx(family),
            site: SiteIx(0),
            epoch: 0,
            stratum: 0,
            cell: 0,
            draw: family,
            arm: Arm(arm),
            allocation: family + 1,
        });
    }

    fn report(&mut self, family: u32, child: Option<u32>, on: i32) {
        let report = Report {
            family: FamilyIx(family),
            report: self.next(),
            received: self.day.plus(on),
            source: Source::Register,
            incident: None,
            child: child.map(ChildIx),
            unknown_child: false,
            attached: None,
            by_study_staff: false,
        };
        self.happen(&What::Reported(report));
    }

    fn run(&self) -> AnalysisResult {
        let (protocol, state) = (&self.protocol, &self.state);
        let plan = Plan::registered(protocol, 1);
        let late = self.day.plus(500);
        let found = run(protocol, state, &plan, late, &RunSettings::default());
        found.analyses.into_iter().nth(1).unwrap()
    }
}

/// Six families: (yes, yes, no), (no), (no, no) treated; (yes), (yes, no), (no) not.
const SIX: [Families<'_>; 2] = [&[&[1, 1, 0], &[0], &[0, 0]], &[&[1], &[1, 0], &[0]]];

fn averaged(word: &str, arms: [Families<'_>; 2]) -> Given {
    let estimand = estimand("risk-difference", "treatment-policy");
    Given::new(&format!("{PLAIN}children = \"{word}\"\n{estimand}"), arms)
}

fn codes(found: &AnalysisResult) -> Vec<&str> {
    found.warnings.iter().map(|own| own.code).collect()
}

/// Children: 2/6 − 2/4 = −1/6. Residuals of the treated families sum to 2·2/3 − 1/3 = 1, −1/3 and −2/3, of 3, 1 and 2 of 6
/// children: (1/(1 − 1/2) + (1/9)/(1 − 1/6) + (4/9)/(1 − 1/3))/36 = 7/90; of the others to ½, 0 and −½, of 1, 2 and 1 of 4:
/// 2·¼/(1 − ¼)/16 = 1/24. Together 43/360. Families: (2/3 + 0 + 0)/3 − (1 + ½ + 0)/3 = −5/18, variances (8/27)/6 + ½/6 =
/// 43/324. Degrees of freedom of the former, and error and p of the difference of the two, −1/9: R 4.2.2, clubSandwich
/// 0.5.8 (CR2 by family; `y ~ w + z + set` on ten children and six means, `w = z·set`).
#[test]
fn both_averages_stand_side_by_side() {
    for (word, other) in [
        ("child-average", "family-average"),
        ("family-average", "child-average"),
    ] {
        let found = averaged(word, SIX).run();
        assert_eq!(found.results.len(), 2);
        assert_eq!(found.results[1].extra["sensitivity"], other);
        assert!(!found.results[0].extra.contains_key("sensitivity"));
        let place = usize::from(word == "family-average");
        let (child, family) = (&found.results[place], &found.results[1 - place]);
        near(child.estimate, -1.0 / 6.0);
        near(child.std_error, (43.0_f64 / 360.0).sqrt());
        near(child.df, 3.378_378_378_378_379);
        assert_eq!((child.n_treated, child.n_control), (6, 4));
        assert_eq!(
            (&*child.variance, &child.extra["units_treated"]),
            ("cr2", &3.into())
        );
        near(family.estimate, -5.0 / 18.0);
        near(family.std_error, (43.0_f64 / 324.0).sqrt());
        assert_eq!((family.n_treated, family.n_control), (3, 3));
        assert_eq!(family.variance, "hc2");
        let differ = &found.results[1].extra["family_minus_child_average"];
        near(differ[0].as_f64(), -1.0 / 9.0);
        near(differ[1].as_f64(), 0.114_202_983_286_051_9);
        near(differ[2].as_f64(), 0.386_943_938_233_927_5);
        assert!(!codes(&found).contains(&"averages-differ"));
        assert!(codes(&found).contains(&"children-counted"));
        // Arms count families and their children: 2 of 6 and 2 of 4 are reported. The means are those of the average, as above,
        // so that their difference is the effect beside them.
        let arms = found.arms.iter();
        let counts = arms.clone().map(|arm| {
            let children = arm.children.unwrap();
            (arm.analysed, arm.events, children.number, children.having)
        });
        assert_eq!(
            counts.collect::<Vec<_>>(),
            [(3, None, 6, 2), (3, None, 4, 2)]
        );
        let means = if place == 0 {
            [1.0 / 3.0, 0.5]
        } else {
            [2.0 / 9.0, 0.5]
        };
        for (arm, mean) in arms.zip(means) {
            near(arm.mean, mean);
        }
        near(found.results[0].estimate, means[0] - means[1]);
        assert!(found.estimand.en.contains(if place == 0 {
            "each child counting alike"
        } else {
            "each family counting alike"
        }));
        let (en, sv) = (&found.conclusion.en, &found.conclusion.sv);
        assert!(en.starts_with("Per 100 children, the result"), "{en}");
        assert!(sv.starts_with("Per 100 barn är resultatet"), "{sv}");
        let (alike, alike_sv) = if place == 0 {
            ("each child counting alike.", "där varje barn väger lika.")
        } else {
            (
                "each family counting alike.",
                "där varje familj väger lika.",
            )
        };
        assert!(en.contains(alike) && sv.contains(alike_sv), "{en} {sv}");
        assert!(
            found
                .estimand
                .en
                .contains(" (at least one) per child between")
        );
        assert!(found.estimand.sv.contains(" (minst en) per barn mellan"));
    }
}

/// By law: where every family has one child, a child is a family, and the averages are one. CR2 of clusters of one is HC2.
#[test]
fn families_of_one_child_give_both_averages_alike() {
    let arms: [Families<'_>; 2] = [&[&[1], &[0], &[2], &[0]], &[&[1], &[1], &[0]]];
    let found = averaged("child-average", arms).run();
    let [child, family] = [&found.results[0], &found.results[1]];
    near(child.estimate, family.estimate.unwrap());
    near(child.std_error, family.std_error.unwrap());
    near(child.df, family.df.unwrap());
    assert!(!family.extra.contains_key("family_minus_child_average"));
    assert!(!codes(&found).contains(&"averages-differ"));
}

/// Treated: all children of six families of three are reported, none of six single ones; not treated: nobody. 18/24 by child and
/// 6/12 by family: the number of children matters, and it is said.
#[test]
fn a_difference_beyond_chance_is_said() {
    let (many, one): (&[u32], &[u32]) = (&[1, 1, 1], &[0]);
    let none: &[u32] = &[0, 0, 0];
    let treated = [[many; 6], [one; 6]].concat();
    let control = [[none; 6], [one; 6]].concat();
    let found = averaged("child-average", [&treated, &control]).run();
    near(found.results[0].estimate, 0.75);
    near(found.results[1].estimate, 0.5);
    near(
        found.results[1].extra["family_minus_child_average"][0].as_f64(),
        -0.25,
    );
    assert!(codes(&found).contains(&"averages-differ"));
}

/// A family without a named child is left out and counted; a report without a child counts for its family alone.
#[test]
fn what_no_child_can_be_said_of_is_counted() {
    let arms: [Families<'_>; 2] = [&[&[1], &[0], &[]], &[&[1], &[0, 0]]];
    let mut given = averaged("child-average", arms);
    given.report(0, None, 30);
    given.report(4, None, 30);
    // A child of another family.
    given.report(4, Some(0), 31);
    let found = given.run();
    near(found.results[0].estimate, 0.5 - 1.0 / 3.0);
    let told = found
        .warnings
        .iter()
        .find(|own| own.code == "children-counted");
    let told = &told.unwrap().message.en;
    assert!(
        told.contains("5 children")
            && told.contains("1 families had no")
            && told.contains("3 reports"),
        "{told}"
    );
    assert_eq!(found.arms[0].missing, 1);
}

#[test]
fn what_does_not_go_with_children_is_refused() {
    let estimand = estimand("risk-difference", "treatment-policy");
    let refused = |text: &str| {
        let parsed = lottning::protocol::parse(text.as_bytes());
        let codes = parsed.diagnostics.iter().map(|own| own.code);
        codes.collect::<Vec<&str>>()
    };
    let own = |more: &str| {
        with(&format!(
            "{PLAIN}children = \"child-average\"\n{more}{estimand}"
        ))
    };
    for more in ["", "subgroups = [\"site\"]\n"] {
        assert!(refused(&own(more)).is_empty(), "{:?}", refused(&own(more)));
    }
    for more in [
        "test = { kind = \"randomization\" }\n",
        "clusters = \"delivered-by\"\n",
        "sensitivity_clusters = \"delivered-by\"\n",
        "variance = \"hc2\"\n",
        "sensitivity_outcomes = [\"rereport_without_staff\"]\n",
    ] {
        assert!(refused(&own(more)).contains(&"not-applicable"), "{more}");
    }
    let unseen = own("").replace(", \"child\"]", "]");
    assert_eq!(refused(&unseen), ["child-unseen"]);
}

const AT: &str = "2025-03-04T09:00:00+01:00";
const NOW: &str = "2027-06-01T09:00:00+02:00";

fn enrol(room: &mut Room, at: &str, family: &str, key: &str, children: &[&str]) {
    let mut request = eligible("skarpnack", family, key);
    request.children = children.iter().map(|child| (*child).to_owned()).collect();
    room.enrol(at, &request).unwrap();
}

fn reported(room: &mut Room, family: &str, key: &str, child: &str) {
    let mut request = event("report", family, "2025-06-01", key);
    request.child = Some(child.to_owned());
    room.record(NOW, &request).unwrap();
}

fn linked(room: &mut Room, family: &str, child: Option<&str>, other: &str) {
    let mut request = event("linked", family, "2027-05-01", &format!("L-{other}"));
    let key = if child.is_some() {
        "other_child"
    } else {
        "other"
    };
    request.child = child.map(str::to_owned);
    request.set.push((key.to_owned(), other.to_owned()));
    room.record(NOW, &request).unwrap();
}

/// Children and reports of each row of the data set.
fn rows(room: &mut Room) -> Vec<Seen> {
    let protocol = room.protocol.clone();
    let late: Day = Day::of("2027-03-03".parse().unwrap());
    let state = room.state();
    let mut found = Vec::new();
    units(state, late, &mut found);
    let all = members(state, &found);
    let of = |row: usize| -> Vec<_> {
        let own = all.iter().filter(|own| own.row as usize == row);
        own.copied().collect()
    };
    let each = found.iter().enumerate();
    each.map(|(row, unit)| seen(&protocol, state, late, (unit.family, &of(row)), 0).unwrap())
        .collect()
}

fn open() -> Room {
    Room::open(&IUH.replace("therapists = 2", "therapists = 20"))
}

fn window(reports: &[u32], unnamed: u32) -> Seen {
    Seen {
        end: End::Window,
        reports: reports.to_vec(),
        unnamed,
    }
}

/// AA and AB are on the roster; AC joins later and is found to be AB; AD was never heard of and is found to be AA. Reports: AB
/// 1, AC 2 (one before the link, one after), AD 1 before the link; AE, who joined and is somebody else, does not count at
/// all.
#[test]
fn a_child_of_several_names_is_one_child() {
    let mut room = open();
    enrol(&mut room, AT, "KATL", "R1", &["KATL-AA", "KATL-AB"]);
    enrol(
        &mut room,
        "2025-05-05T09:00:00+02:00",
        "KATL",
        "R2",
        &["KATL-AC"],
    );
    enrol(
        &mut room,
        "2025-05-06T09:00:00+02:00",
        "KATL",
        "R3",
        &["KATL-AE"],
    );
    reported(&mut room, "KATL", "N1", "KATL-AB");
    reported(&mut room, "KATL", "N2", "KATL-AC");
    reported(&mut room, "KATL", "N3", "KATL-AD");
    reported(&mut room, "KATL", "N4", "KATL-AE");
    assert_eq!(rows(&mut room), [window(&[0, 1], 0)], "before the links");
    linked(&mut room, "KATL", Some("KATL-AB"), "KATL-AC");
    linked(&mut room, "KATL", Some("KATL-AA"), "KATL-AD");
    reported(&mut room, "KATL", "N5", "KATL-AC");
    assert_eq!(rows(&mut room), [window(&[1, 3], 0)]);
    // The other way round: the name that stands first may be the later one.
    let mut room = open();
    enrol(&mut room, AT, "KATL", "R1", &["KATL-AA", "KATL-AB"]);
    enrol(
        &mut room,
        "2025-05-05T09:00:00+02:00",
        "KATL",
        "R2",
        &["KATL-AC"],
    );
    reported(&mut room, "KATL", "N1", "KATL-AB");
    reported(&mut room, "KATL", "N2", "KATL-AC");
    linked(&mut room, "KATL", Some("KATL-AC"), "KATL-AB");
    assert_eq!(rows(&mut room), [window(&[0, 2], 0)]);
}

/// Two drawn families found to be one: the first draw is the unit, and its roster the unit's. A child of both is one child;
/// one of the later roster alone is no row, and a report on it counts for the family alone.
#[test]
fn of_two_draws_the_first_roster_is_the_units() {
    let mut room = open();
    enrol(&mut room, AT, "KATL", "R1", &["KATL-AA", "KATL-AB"]);
    enrol(
        &mut room,
        "2025-03-06T09:00:00+01:00",
        "MORU",
        "R1",
        &["MORU-AA", "MORU-AB"],
    );
    reported(&mut room, "KATL", "N1", "KATL-AA");
    reported(&mut room, "MORU", "N2", "MORU-AA");
    reported(&mut room, "MORU", "N3", "MORU-AB");
    assert_eq!(rows(&mut room), [window(&[1, 0], 0), window(&[1, 1], 0)]);
    linked(&mut room, "KATL", None, "MORU");
    assert_eq!(rows(&mut room), [window(&[1, 0], 2)]);
    linked(&mut room, "KATL", Some("MORU-AA"), "KATL-AA");
    let found = rows(&mut room);
    assert_eq!(found.len(), 1);
    let mut reports = found[0].reports.clone();
    reports.sort_unstable();
    assert_eq!((reports, found[0].unnamed), (vec![0, 2], 1));
}

/// By law: other names, or names that change places, change nothing but the order in which children stand.
#[test]
fn names_of_children_mean_nothing() {
    let counts = |names: [&str; 4]| {
        let [a, b, c, d] = names;
        let mut room = open();
        enrol(&mut room, AT, "KATL", "R1", &[a, b]);
        enrol(&mut room, AT, "MORU", "R1", &[c]);
        enrol(&mut room, "2025-05-05T09:00:00+02:00", "MORU", "R2", &[d]);
        for (family, key, child) in [
            ("KATL", "N1", b),
            ("KATL", "N2", b),
            ("KATL", "N3", a),
            ("MORU", "N4", d),
            ("MORU", "N5", c),
        ] {
            reported(&mut room, family, key, child);
        }
        linked(&mut room, "MORU", Some(c), d);
        let mut found = rows(&mut room);
        for own in &mut found {
            own.reports.sort_unstable();
        }
        found
    };
    let own = counts(["KATL-AA", "KATL-AB", "MORU-AA", "MORU-AB"]);
    assert_eq!(own, [window(&[1, 2], 0), window(&[2], 0)]);
    for names in [
        ["KATL-AB", "KATL-AA", "MORU-AB", "MORU-AA"],
        ["MORU-AA", "MORU-AB", "KATL-AB", "KATL-AA"],
        ["ZUZU-AA", "AKAR-AA", "ZUZU-AB", "AKAR-AB"],
    ] {
        assert_eq!(counts(names), own, "{names:?}");
    }
}

/// Twelve families in each arm of 1, 2, 3 and 2 children in turn, categories in turn; child j of family f (both from 1) was reported
/// again if f² + 2fj leaves less than 2 after division by 5. Six families in each arm of each category, counted once.
///
/// Children: 5 of 12 and 5 of 12 against 7 of 12 and 5 of 12; errors, degrees of freedom and p: R 4.2.2, clubSandwich 0.5.8, as for
/// clusters of families (`vcovCR(type = "CR2")` by family). Families have one category each, so that the contrast has the sum of
/// both variances.
#[test]
fn subgroups_of_children_are_clustered_by_family() {
    let twenty_four: [Families<'_>; 2] = [
        &[
            &[0],
            &[0, 0],
            &[1, 1, 0],
            &[0, 0],
            &[1],
            &[0, 1],
            &[0, 0, 1],
            &[1, 1],
            &[0],
            &[1, 1],
            &[0, 1, 0],
            &[0, 0],
        ],
        &[
            &[1],
            &[0, 0],
            &[1, 1, 1],
            &[0, 1],
            &[0],
            &[1, 1],
            &[0, 0, 1],
            &[1, 1],
            &[0],
            &[0, 0],
            &[1, 1, 0],
            &[0, 0],
        ],
    ];
    let estimand = estimand("risk-difference", "treatment-policy");
    let given = |word: &str| {
        let text = format!("{PLAIN}children = \"{word}\"\nsubgroups = [\"category\"]\n{estimand}");
        Given::new(&text, twenty_four).run()
    };
    let found = given("child-average");
    let own = &found.subgroups[0];
    let expected = [
        (-1.0 / 6.0, 0.195_702_997_676_743, 7.642_105_263_157_89),
        (0.0, 0.283_823_106_098_773, 10.0),
    ];
    for (level, (estimate, std_error, df)) in own.levels.iter().zip(expected) {
        assert_eq!(level.families, [6, 6]);
        let effect = level.effect.unwrap();
        near(Some(effect.estimate), estimate);
        near(Some(effect.std_error), std_error);
        near(effect.df, df);
    }
    let contrast = &own.contrasts[0];
    near(Some(contrast.effect.estimate), 1.0 / 6.0);
    near(Some(contrast.effect.std_error), 0.344_753_852_560_372);
    near(contrast.effect.df, 17.326_968_973_747_01);
    near(contrast.p_value, 0.634_838_269_429_602);
    // Each family alike: means (0, ⅔, 1, ⅓, 0, ⅓) and (0, 0, ½, 1, 1, 0) against (1, 1, 0, ⅓, 0, ⅔) and (0, ½, 1, 1, 0, 0); HC2
    // in cells of six is the sum of their variances over six.
    let found = given("family-average");
    let own = &found.subgroups[0];
    let mean = |cell: [f64; 6]| cell.iter().sum::<f64>() / 6.0;
    let square = |cell: [f64; 6]| {
        let own = mean(cell);
        cell.iter().map(|y| (y - own) * (y - own)).sum::<f64>() / 30.0
    };
    let third = 1.0 / 3.0;
    let cells = [
        (
            [0.0, 2.0 * third, 1.0, third, 0.0, third],
            [1.0, 1.0, 0.0, third, 0.0, 2.0 * third],
        ),
        (
            [0.0, 0.0, 0.5, 1.0, 1.0, 0.0],
            [0.0, 0.5, 1.0, 1.0, 0.0, 0.0],
        ),
    ];
    for (level, (treated, control)) in own.levels.iter().zip(cells) {
        let effect = level.effect.unwrap();
        near(Some(effect.estimate), mean(treated) - mean(control));
        near(
            Some(effect.std_error),
            (square(treated) + square(control)).sqrt(),
        );
    }
}
