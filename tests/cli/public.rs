//! `report --suppress-below`: pages for the public beside a report that stays as it is.

use super::place::{Place, two_arms};

fn text(place: &Place, name: &str) -> String {
    std::fs::read_to_string(place.path(name)).unwrap()
}

/// The cells of the rows of a page's tables, without marks.
fn rows(page: &str) -> Vec<Vec<String>> {
    let bare = |cell: &str| {
        let mut inside = false;
        let kept = cell.chars().filter(|c| {
            let shown = !inside && *c != '<';
            inside = *c == '<' || (inside && *c != '>');
            shown
        });
        kept.collect::<String>()
            .replace("&lt;", "<")
            .replace("&#60;", "<")
            .trim()
            .to_owned()
    };
    page.split("<tr")
        .skip(1)
        .filter_map(|row| row.split("</tr>").next())
        .map(|row| {
            row.split("<td")
                .skip(1)
                .map(|cell| bare(&format!("<td{cell}")))
                .collect()
        })
        .filter(|row: &Vec<String>| !row.is_empty())
        .collect()
}

/// In the rehearsed demo, masked at a bound so high that much of it is small: no cell of either page has a count from 1 to the
/// bound, no row of the flow has one masked number between shown ones and their total, and the full report is as without.
#[test]
fn pages_for_the_public_have_no_small_number() {
    let place = Place::with(&two_arms());
    assert_eq!(place.run("demo d").code, 0);
    let full = place
        .run("report --lock final --study d/study --out full --json")
        .json(0);
    for below in [5_u32, 40] {
        let out = format!("public-{below}");
        let made = place
            .run(&format!(
                "report --lock final --study d/study --out {out} --suppress-below {below} --json"
            ))
            .json(0);
        assert_eq!(made["suppress_below"], below);
        // Nothing but the two pages: no table or JSON beside them has the numbers.
        assert_eq!(made["files"].as_array().unwrap().len(), 2);
        assert_eq!(std::fs::read_dir(place.path(&out)).unwrap().count(), 2);
        let mut masked = 0;
        for (page, hidden) in [("report.en.html", "masked"), ("report.sv.html", "dold")] {
            let page = text(&place, &format!("{out}/{page}"));
            for row in rows(&page) {
                for cell in &row {
                    // An effect has a sign, and is no count.
                    let count = cell.replace([',', '\u{a0}'], "");
                    let count = count.parse::<u32>().ok().filter(|_| !cell.starts_with('+'));
                    assert!(
                        !count.is_some_and(|count| (1..below).contains(&count)),
                        "{row:?}"
                    );
                    let part = cell
                        .split('/')
                        .next()
                        .and_then(|part| part.parse::<u32>().ok());
                    let share = cell.contains('/');
                    assert!(
                        !(share && part.is_some_and(|part| (1..below).contains(&part))),
                        "{row:?}"
                    );
                }
                let is_masked = |cell: &&String| cell.starts_with('<') || *cell == hidden;
                let own = row.iter().filter(is_masked).count();
                masked += own;
                // A total and its two arms, all filled: one mask alone would be their difference.
                let counts = row.len() == 3
                    && row
                        .iter()
                        .all(|cell| !cell.is_empty() && !cell.contains('('));
                assert!(!(counts && own == 1), "{row:?}");
            }
        }
        assert!(masked > 0 || below == 5, "nothing is small below {below}");
    }
    // Who left an arm is small below 5 in one arm of the demo, and the unknown outcomes are theirs: neither line tells of an arm.
    let page = text(&place, "public-5/report.en.html");
    let of = |label: &str| {
        let row = page.split("<tr").find(|row| row.contains(label)).unwrap();
        rows(&format!("<tr{row}")).remove(0)
    };
    for label in ["coverage", "outcome not known"] {
        let row = of(label);
        let shown = row
            .iter()
            .skip(2)
            .filter(|cell| cell.parse::<u32>().is_ok());
        assert_eq!(shown.count(), 0, "{row:?}");
    }
    // The report with every number is made as before.
    assert_eq!(full.get("suppress_below"), None);
    assert!(text(&place, "full/report.json").contains("\"arms\""));
    let again = place
        .run("report --lock final --study d/study --out again --json")
        .json(0);
    assert_eq!(
        again["files"].as_array().unwrap().len(),
        full["files"].as_array().unwrap().len()
    );
}

#[test]
fn a_bound_is_for_a_lock_and_at_least_three() {
    let place = Place::open(&two_arms());
    assert_eq!(
        place
            .run("report --dry-run --study study --suppress-below 5")
            .code,
        2
    );
    assert_eq!(
        place
            .run("report --lock final --study study --suppress-below 2")
            .code,
        2
    );
    place
        .run("report --lock final --study study --suppress-below 5")
        .refused(7, "not-locked");
}
