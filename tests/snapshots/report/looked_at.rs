//! A result after looks: its intervals have several levels, and each says its own.

use super::fixture::{Parts, ordinary};
use lottning::analysis::results::LookResult;
use lottning::diagnostic::Lang;

/// The ordinary report after an interim look: of the first analysis a repeated interval at the level that the looks leave and the
/// row by stages at 95%; the secondary one as registered.
fn monitored() -> Parts {
    let mut parts = ordinary();
    let primary = &mut parts.analyses.analyses[0];
    primary.alpha = Some(0.003_05);
    let look = |lock: &str, share: f64, z: f64, crossed: bool| LookResult {
        lock: lock.to_owned(),
        information: share,
        z,
        critical: Some(2.962_588),
        cumulative_alpha: 0.003_05,
        crossed,
    };
    primary.looks = vec![
        look("2025", 0.5, -0.4, false),
        look("final", 1.0, -3.1, true),
    ];
    let repeated = &mut primary.results[0];
    repeated.level = 0.996_95;
    "repeated".clone_into(&mut repeated.interval);
    let mut by_stages = repeated.clone();
    by_stages.level = 0.95;
    "stage-wise".clone_into(&mut by_stages.interval);
    primary.results.insert(1, by_stages);
    if let Some(test) = &mut primary.test {
        test.level = 0.996_95;
    }
    parts
}

/// The part of a page between a heading and the next section.
fn results(page: &str) -> &str {
    let from = page.find("id=\"results\"").unwrap();
    let rest = &page[from..];
    &rest[..rest.find("</table>").unwrap()]
}

#[test]
fn every_interval_has_its_own_level() {
    for (lang, code) in [(Lang::Sv, "sv"), (Lang::En, "en")] {
        let parts = monitored();
        let page = lottning::report::html(&parts.report(), lang);
        insta::assert_snapshot!(format!("looked_at_{code}"), results(&page));
        let (own, registered, words) = match lang {
            Lang::En => ("(99.7%: ", "(95%: ", "of 95% intervals 95 of 100"),
            Lang::Sv => (
                "(99,7\u{a0}%: ",
                "(95\u{a0}%: ",
                "av intervall med nivån 95\u{a0}% 95 av 100",
            ),
        };
        assert!(results(&page).contains(own) && results(&page).contains(registered));
        assert!(page.contains(words), "{code}");
        // The test's own interval, at the level at which it decides.
        let level = match lang {
            Lang::En => "the test would not reject \u{2212}15.8 to 5.5 (99.7%)",
            Lang::Sv => "skulle testet inte förkasta \u{2212}15,8 till 5,5 (99,7\u{a0}%)",
        };
        assert!(page.contains(level), "{code}");
        // Without looks all have one level, which the column's head gives.
        let page = lottning::report::html(&ordinary().report(), lang);
        assert!(
            !page.contains(registered) && !page.contains(words),
            "{code}"
        );
    }
}

/// Two registered alphas: no look is needed.
#[test]
fn analyses_of_different_alpha_have_different_levels() {
    let mut parts = ordinary();
    parts.analyses.analyses[1].results[0].level = 0.99;
    let page = lottning::report::html(&parts.report(), Lang::En);
    assert!(page.contains("(interval, with its level)"));
    assert!(page.contains("(99%: ") && page.contains("(95%: "));
    // As near to certain as a first look can be.
    parts.analyses.analyses[1].results[0].level = 0.999_98;
    let page = lottning::report::html(&parts.report(), Lang::En);
    assert!(page.contains("(99.998%: "));
}

/// Where the registered test does not exist, the estimator's own p of .3345 does not stand in its place.
#[test]
fn no_other_p_stands_for_a_registered_test() {
    let mut parts = ordinary();
    let page = lottning::report::html(&parts.report(), Lang::En);
    assert!(results(&page).contains("0.346"));
    parts.analyses.analyses[0].test = None;
    let page = lottning::report::html(&parts.report(), Lang::En);
    let own = results(&page);
    assert!(!own.contains("0.346") && !own.contains("0.335") && own.contains("0.337"));
}

/// The table has p as they are, and says so where adjusted ones decide.
#[test]
fn that_an_adjusted_p_decides_is_said_below_the_table() {
    let note = "where an adjusted p decides";
    let mut parts = ordinary();
    let own = parts.analyses.analyses[1].p_adjusted.take();
    assert!(own.is_some());
    let page = lottning::report::html(&parts.report(), Lang::En);
    assert!(!page.contains(note));
    parts.analyses.analyses[1].p_adjusted = own;
    let page = lottning::report::html(&parts.report(), Lang::En);
    assert!(page.contains(note));
}
