//! The page for the public: what of a report with small counts stands on it.

use super::fixture::{Parts, ordinary};
use lottning::analysis::results::{ArmChildren, BaselineCell};
use lottning::diagnostic::{Lang, Words};
use lottning::protocol::model::Average;
use lottning::report::public;

/// The cells of the first row whose head has some words; without marks.
fn row(parts: &Parts, words: &str) -> Vec<String> {
    let page = public(&parts.report(), 5, Lang::En);
    let row = page
        .split("<tr")
        .find(|row| row.contains(words))
        .unwrap_or_else(|| panic!("no row has {words}"));
    row.split("<td")
        .skip(1)
        .map(|cell| {
            let text = cell.split_once('>').unwrap().1;
            text.split("</td").next().unwrap().trim().to_owned()
        })
        .collect()
}

fn notes(parts: &Parts) -> String {
    public(&parts.report(), 5, Lang::En)
}

/// A report whose flow and results have no small number: 8 and 9 families left, and nobody withdrew or died.
fn large() -> Parts {
    let mut parts = ordinary();
    for (own, left) in parts.flow.arms.iter_mut().zip([8, 9]) {
        own.followed = own.allocated - left;
        (
            own.withdrawn,
            own.death,
            own.all_children_18,
            own.left_coverage,
        ) = (0, 0, 0, left);
    }
    let primary = &mut parts.analyses.analyses[0];
    for (own, left) in primary.arms.iter_mut().zip([8, 9]) {
        own.missing = left;
        own.analysed = own.randomized - left;
    }
    parts
}

#[test]
fn without_small_numbers_everything_stands() {
    let parts = large();
    assert_eq!(row(&parts, "left the register"), ["17", "8", "9"]);
    assert_eq!(row(&parts, "outcome not known: New report"), ["", "8", "9"]);
    let told = row(&parts, "New report of concern within 12 months (primary");
    assert!(
        told[0].starts_with("58/158") && told[1].starts_with("66/155"),
        "{told:?}"
    );
    assert!(told[2].contains("15.9"), "{told:?}");
    assert!(row(&parts, "violence")[0].starts_with("44/166"));
}

/// 4 of the treated left: no table says so, and of the result the effect alone stands, in whole points. The other result, of
/// services, has all its families.
#[test]
fn a_small_number_takes_its_table_and_its_result() {
    let mut parts = large();
    parts.flow.arms[0].left_coverage = 4;
    parts.flow.arms[0].followed = 162;
    let own = &mut parts.analyses.analyses[0].arms[0];
    (own.missing, own.analysed) = (4, 162);
    assert_eq!(row(&parts, "left the register"), ["13", "masked", "masked"]);
    assert_eq!(row(&parts, "withdrew"), ["0", "masked", "masked"]);
    assert_eq!(
        row(&parts, "outcome not known: New report"),
        ["", "masked", "masked"]
    );
    let told = row(&parts, "New report of concern within 12 months (primary");
    assert_eq!(told, ["masked", "masked", "\u{2212}5"]);
    assert!(row(&parts, "intervention within 12 months (")[0].starts_with("97/166"));
}

/// A mean of 0.10 over 166 families of whom 2 had the outcome tells of the 2; two outcomes of services of which one is a part of the
/// other, 97 and 94, tell of 3. Neither stands.
#[test]
fn counts_and_outcomes_within_outcomes_give_nothing_back() {
    let mut parts = large();
    let mut counted = parts.analyses.analyses[0].clone();
    counted.id = "number".to_owned();
    counted.measure = "difference".to_owned();
    counted.used.estimator = "difference-in-means".to_owned();
    for own in &mut counted.arms {
        (own.events, own.having, own.mean) = (None, 2, Some(0.1));
    }
    parts.analyses.analyses.insert(1, counted);
    let told = row(&parts, "New report of concern within 12 months");
    assert!(told.iter().skip(1).all(|own| own == "masked"), "{told:?}");
    assert!(!notes(&parts).contains("0.10 (n"));
    assert!(notes(&parts).contains("not shown, for fewer than 5 families"));

    let mut parts = large();
    let mut within = parts.analyses.analyses[1].clone();
    within.id = "offered".to_owned();
    let own = &mut within.arms[0];
    (own.events, own.having, own.mean) = (Some(94), 94, Some(94.0 / 166.0));
    parts.analyses.analyses.push(within);
    let page = notes(&parts);
    assert!(!page.contains("94/166") && !page.contains("97/166"));
    assert!(page.contains("58/158"));
}

/// 15 of 20 less 10 of 20 is 25 points, and 27.8 among who received the service: 18 of 20 did. The effect of receiving it is not told,
/// whatever its own counts are, while the other of the same counts stands whole.
#[test]
fn an_effect_of_receiving_the_service_is_not_told() {
    let mut parts = large();
    let mut received = parts.analyses.analyses[0].clone();
    received.id = "received".to_owned();
    received.results.truncate(1);
    received.results[0].estimate = Some(-0.378);
    (received.results[0].conf_low, received.results[0].conf_high) = (Some(-0.455), Some(-0.301));
    parts.analyses.analyses.insert(1, received);
    let row = "New report of concern within 12 months, received (primary)";
    let withheld = "New report of concern within 12 months, received: not shown";
    let tells = |page: &str| page.contains("37.8") && page.contains("45.5") && page.contains(row);
    // By another estimator it stands.
    let page = notes(&parts);
    assert!(tells(&page) && !page.contains(withheld));
    // In its row the effect among compliers is a `difference`, as the estimator names it.
    let received = &mut parts.analyses.analyses[1];
    received.used.estimator = "instrumental-variables".to_owned();
    received.measure = "complier-difference".to_owned();
    let page = notes(&parts);
    assert!(!page.contains("37.8") && !page.contains("45.5") && !page.contains(row));
    assert!(page.contains(withheld) && page.contains("58/158"));
    // Its counts are large, so that no small number is the reason that is given.
    let because = format!("{withheld}. With the effect of being allocated it gives the share");
    assert!(page.contains(&because) && !page.contains("received: not shown, for fewer"));
}

/// Two fields with one name, the second with a level of 2 families: no level of either stands.
#[test]
fn two_characteristics_of_one_name_hide_what_each_would() {
    let mut parts = large();
    let rows = &mut parts.analyses.baseline.rows;
    let named = Words::same("Twice");
    let of = |count| BaselineCell::Share { count, of: 166 };
    let plain = rows[2].clone();
    for (level, treated) in [("yes", 80), ("no", 86), ("a", 100), ("b", 64), ("c", 2)] {
        let mut row = plain.clone();
        row.label = named.clone();
        row.level = Some(Words::same(format!("level {level}")));
        row.arms[0] = of(treated);
        rows.push(row);
    }
    for level in ["yes", "no", "a", "b", "c"] {
        assert_eq!(row(&parts, &format!("level {level}")), ["masked", "masked"]);
    }
    assert!(row(&parts, "violence")[0].starts_with("44/166"));
}

/// An arm of 3 families: nothing but where the page comes from.
#[test]
fn an_arm_of_few_families_is_not_told_of() {
    let mut parts = large();
    parts.flow.arms[0].allocated = 3;
    let page = notes(&parts);
    assert!(!page.contains("id=\"flow\"") && !page.contains("id=\"results\""));
    assert!(page.contains("id=\"origin\""));
}

/// Of an analysis of children the numbers of children and of families stand in words, here 239 children in 158 families of whom 41
/// have the outcome; where few have siblings, or few children have the outcome, neither stands.
#[test]
fn children_are_told_apart_from_families() {
    let of = |number, having| ArmChildren {
        average: Average::Child,
        number,
        having,
    };
    let told = |children: [ArmChildren; 2]| {
        let mut parts = large();
        let primary = &mut parts.analyses.analyses[0];
        for (own, children) in primary.arms.iter_mut().zip(children) {
            own.events = None;
            own.mean = Some(f64::from(children.having) / f64::from(children.number));
            own.children = Some(children);
        }
        parts
    };
    let stands = told([of(239, 41), of(247, 59)]);
    let stands = row(&stands, "New report of concern within 12 months (primary");
    assert_eq!(stands[0], "0.17 (children: 239, families: 158)");
    assert_eq!(stands[1], "0.24 (children: 247, families: 155)");
    for few in [of(161, 41), of(239, 3), of(239, 236)] {
        let page = notes(&told([few, of(247, 59)]));
        assert!(!page.contains("(children:"), "{few:?}");
    }
}

/// Seven of the treated were erased: one line says so; four drawn before and none erased are masked in the same line.
#[test]
fn who_is_in_no_data_set_is_one_line() {
    let line = "data erased, or drawn before under another name";
    let mut parts = large();
    assert!(!notes(&parts).contains(line));
    (parts.flow.arms[0].erased, parts.flow.arms[0].linked) = (6, 1);
    parts.flow.arms[0].followed -= 7;
    assert_eq!(row(&parts, line), ["7", "7", "0"]);
    (parts.flow.arms[0].erased, parts.flow.arms[0].linked) = (0, 4);
    parts.flow.arms[0].followed += 3;
    assert!(!row(&parts, line).contains(&"4".to_owned()));
}

/// Of 166 treated six were erased, and two came after the cut: 158 are in the data set, and with the line of the six that number would give
/// the two. Without the two, 160 may stand.
#[test]
fn who_came_after_the_cut_is_not_what_is_left_over() {
    for (after_cut, stands) in [(2, false), (0, true), (5, true)] {
        let mut parts = large();
        let own = &mut parts.flow.arms[0];
        (own.erased, own.after_cut) = (6, after_cut);
        // Ten of the treated are followed still, and with them those after the cut.
        own.under_follow_up += 10 + after_cut;
        own.followed -= 16 + after_cut;
        let families = 160 - after_cut;
        parts.analyses.baseline.families[0] = families;
        for analysis in &mut parts.analyses.analyses {
            let own = &mut analysis.arms[0];
            own.randomized = families;
            own.analysed = families - own.missing;
        }
        let page = notes(&parts);
        assert_eq!(page.contains(&families.to_string()), stands, "{after_cut}");
        let line = "data erased, or drawn before under another name";
        assert_eq!(row(&parts, line), ["6", "6", "0"]);
    }
}
