//! The page in both languages, its figures, and laws that hold for every page.

use super::fixture::{Parts, extreme, ordinary, several};
use lottning::diagnostic::{Lang, Words};
use lottning::estimation::Warning;
use lottning::report::figures::FIGURES;
use std::path::PathBuf;

const LANGS: [(Lang, &str); 2] = [(Lang::Sv, "sv"), (Lang::En, "en")];

/// All fixtures, by name.
fn pages() -> Vec<(&'static str, Parts)> {
    let mut dry = ordinary();
    dry.analyses.dry_run = true;
    dry.analyses.lock = None;
    vec![
        ("ordinary", ordinary()),
        ("extreme", extreme()),
        ("dry-run", dry),
    ]
}

/// Pages to look at: `tests/browser/figures.sh` makes pictures of them.
#[test]
fn pages_are_left_where_a_browser_finds_them() {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("report");
    std::fs::create_dir_all(&folder).unwrap();
    for (name, parts) in pages() {
        for (lang, code) in LANGS {
            let page = lottning::report::html(&parts.report(), lang);
            assert!(page.ends_with("</html>"), "{name} {code} is cut");
            std::fs::write(folder.join(format!("{name}-{code}.html")), page).unwrap();
        }
    }
}

#[test]
fn the_page_is_one_file_without_script_or_network() {
    for (name, parts) in pages() {
        for (lang, code) in LANGS {
            let page = lottning::report::html(&parts.report(), lang).to_lowercase();
            for word in [
                "http",
                "<script",
                "url(",
                "@import",
                "<link",
                "<img",
                "<iframe",
                "src=",
                "onload",
                "javascript",
            ] {
                assert!(!page.contains(word), "{name} {code} has {word}");
            }
            assert!(page.contains(&format!("<html lang=\"{code}\">")), "{name}");
        }
    }
}

#[test]
fn every_identifier_is_unique_and_every_reference_is_met() {
    for (name, parts) in pages() {
        let page = lottning::report::html(&parts.report(), Lang::Sv);
        let mut ids: Vec<&str> = attributes(&page, " id=\"");
        ids.sort_unstable();
        let count = ids.len();
        ids.dedup();
        assert_eq!(count, ids.len(), "{name}: an id is used twice");
        let references = attributes(&page, "aria-labelledby=\"");
        for id in references.iter().flat_map(|list| list.split(' ')) {
            assert!(ids.contains(&id), "{name}: {id}");
        }
        for target in attributes(&page, "href=\"#") {
            assert!(ids.contains(&target), "{name}: {target}");
        }
    }
}

/// The values of an attribute, in the page's order.
fn attributes<'a>(page: &'a str, start: &str) -> Vec<&'a str> {
    page.split(start)
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .collect()
}

#[test]
fn markup_in_names_is_shown_and_not_obeyed() {
    let parts = extreme();
    for (lang, code) in LANGS {
        let page = lottning::report::html(&parts.report(), lang);
        for tag in ["<handl", "<Sätra", "<beslutats", "<standard"] {
            assert!(!page.contains(tag), "{code}: {tag}");
        }
        for part in page.split('&').skip(1) {
            let entity = part.split(';').next().unwrap_or_default();
            assert!(
                entity.len() < 8
                    && entity
                        .chars()
                        .all(|c| c.is_ascii_alphanumeric() || c == '#'),
                "{code}: &{entity}"
            );
        }
    }
}

#[test]
fn a_dry_run_says_so_loudly_and_hides_what_became_of_the_arms() {
    let mut parts = ordinary();
    parts.analyses.dry_run = true;
    parts.analyses.lock = None;
    let page = lottning::report::html(&parts.report(), Lang::En);
    assert!(page.contains("no result on this page says anything about the study"));
    for what in ["Withdrew", "Death", "All children turned 18"] {
        assert!(!page.contains(what), "{what}");
    }
    let json = lottning::report::json(&parts.report());
    assert!(
        !json.contains("\"withdrawn\""),
        "json gives withdrawals by arm"
    );
    for table in lottning::report::csv(&parts.report()) {
        assert!(!table.text.contains("withdrawn"), "{}", table.name);
    }
}

#[test]
fn no_page_says_that_there_is_no_effect() {
    for (name, parts) in pages() {
        for (lang, code) in LANGS {
            let page = lottning::report::html(&parts.report(), lang).to_lowercase();
            for claim in [
                "no effect",
                "ingen effekt",
                "no difference between",
                "not significant",
            ] {
                assert!(!page.contains(claim), "{name} {code}: {claim}");
            }
            let page = lottning::report::html(&parts.report(), lang);
            assert!(
                !page.contains("NaN") && !page.contains(">inf"),
                "{name} {code}"
            );
        }
    }
}

#[test]
fn every_figure_has_a_name_a_text_and_a_drawing_that_scales() {
    for (name, parts) in pages() {
        for entry in FIGURES {
            for (lang, code) in LANGS {
                let report = parts.report();
                let figure = (entry.draw)(&report, lang);
                assert!(figure.is_some(), "{name} {code} {}", entry.id);
                let figure = figure.unwrap();
                assert_eq!(figure.id, entry.id);
                assert!(figure.desc.len() > 100, "{name} {code}: {}", figure.desc);
                assert!(
                    figure.svg.starts_with("<svg viewBox=\"0 0 "),
                    "{}",
                    entry.id
                );
                assert!(figure.svg.contains("role=\"img\""), "{}", entry.id);
                assert!(figure.svg.trim_end().ends_with("</svg>"), "{}", entry.id);
                assert!(figure.standalone().contains("xmlns="), "{}", entry.id);
            }
        }
    }
}

#[test]
fn the_page_reads_as_reviewed() {
    for (lang, code) in LANGS {
        let parts = ordinary();
        insta::assert_snapshot!(
            format!("page_{code}"),
            lottning::report::html(&parts.report(), lang)
        );
    }
}

#[test]
fn strained_figures_look_as_reviewed() {
    let parts = extreme();
    for entry in FIGURES {
        let figure = (entry.draw)(&parts.report(), Lang::Sv).unwrap();
        insta::assert_snapshot!(format!("strained_{}", entry.id), figure.svg);
    }
}

/// Rows of bounds beside a result say of which arm they are where there are several, in both languages.
#[test]
fn bounds_of_several_arms_are_told_apart() {
    let mut parts = extreme();
    let primary = &mut parts.analyses.analyses[0];
    let first = primary.results[0].clone();
    for (arm, term) in [("short", "lower"), ("network", "upper")] {
        let mut row = first.clone();
        row.term = term.into();
        row.extra.insert("sensitivity".into(), "manski".into());
        row.extra.insert("arm".into(), arm.into());
        primary.results.push(row);
        let mut row = first.clone();
        row.term = format!("{arm} vs standard");
        row.extra
            .insert("sensitivity".into(), "complete-case".into());
        primary.results.push(row);
    }
    for (lang, expected) in [
        (
            Lang::En,
            [
                "A: worst-case bounds (Manski): lower bound",
                "A: known outcomes alone",
                "nätverksmöten: worst-case bounds (Manski): upper bound",
            ],
        ),
        (
            Lang::Sv,
            [
                "Å: gränser i värsta fall (Manski): nedre gräns",
                "Å: enbart kända utfall",
                "nätverksmöten: gränser i värsta fall (Manski): övre gräns",
            ],
        ),
    ] {
        let page = lottning::report::html(&parts.report(), lang);
        for text in expected {
            assert!(page.contains(text), "{text}");
            assert!(!page.contains(&format!("{text}: {text}")), "{text}");
        }
        assert!(!page.contains("Å: Å:") && !page.contains("A: A:"));
    }
}

/// A further comparison goes by its arm's name in the language of the page, and so does an arm's own value; control's stands once, though
/// each comparison comes with it.
#[test]
fn rows_of_several_arms_go_by_their_names() {
    let mut parts = extreme();
    let secondary = &mut parts.analyses.analyses[1];
    let compared = secondary.results[0].clone();
    secondary.results.clear();
    for arm in ["iuh", "short"] {
        let mut row = compared.clone();
        row.estimator = "rmst".into();
        row.term = format!("{arm} vs standard");
        secondary.results.push(row.clone());
        row.measure = "mean".into();
        for (arm, estimate) in [(arm, 181.454), ("standard", 172.677)] {
            row.term = arm.into();
            row.estimate = Some(estimate);
            secondary.results.push(row.clone());
        }
    }
    for (lang, mean, expected) in [
        (
            Lang::En,
            ": mean<",
            ["A: rmst", "A: mean", "Intensified home investigation: mean"],
        ),
        (
            Lang::Sv,
            ": medelvärde<",
            [
                "Å: rmst",
                "Å: medelvärde",
                "Intensifierad utredning i hemmiljö: medelvärde",
            ],
        ),
    ] {
        let page = lottning::report::html(&parts.report(), lang);
        let rows = |label: &str| page.matches(&format!(">{label}<")).count();
        for label in expected {
            assert_eq!(rows(label), 1, "{label}");
        }
        // Of both treated arms, and of control once.
        assert_eq!(page.matches(mean).count(), 3);
        assert!(!page.contains(" vs standard") && !page.contains("mean: "));
    }
}

/// Degrees of freedom and how the test was made are said of each arm that is compared.
#[test]
fn how_numbers_were_made_is_said_of_every_arm() {
    let parts = several();
    let page = lottning::report::html(&parts.report(), Lang::En);
    for text in [
        ": lin, variance hc2. Intensified home investigation: 160.0 degrees of freedom; p from the randomization test over all 100,000 possible allocations.",
        " A: 3.1 degrees of freedom; p from the randomization test with 999 redraws (Monte Carlo standard error 0.0050).",
        "nätverksmöten: the registered randomization test does not exist here",
    ] {
        assert!(page.contains(text), "{text}");
    }
    let page = lottning::report::html(&parts.report(), Lang::Sv);
    let text = " Å: 3,1 frihetsgrader; p från randomiseringstestet med 999 omlottningar (Monte Carlo-medelfel 0,0050).";
    assert!(page.contains(text));
}

/// An interval with one end says ∞ for the other, 0 where it is of a ratio, and a set that is no interval is said in words, as
/// `estimate` does.
#[test]
fn an_open_interval_is_said_as_estimate_says_it() {
    let mut parts = ordinary();
    let primary = &mut parts.analyses.analyses[0];
    let first = primary.results[0].clone();
    let mut open = |measure: &str, scale: &str, limits: (Option<f64>, Option<f64>)| {
        let mut row = first.clone();
        row.measure = measure.into();
        row.std_error_scale = scale.into();
        (row.conf_low, row.conf_high) = limits;
        primary.results.push(row);
    };
    open("odds-ratio", "log", (None, Some(1.25)));
    open("odds-ratio", "log", (Some(0.5), None));
    open("risk-difference", "identity", (None, Some(0.125)));
    open("shift", "identity", (None, None));
    let mut rays = first.clone();
    rays.measure = "complier-difference".into();
    (rays.conf_low, rays.conf_high) = (None, None);
    rays.extra.insert("set".into(), "two rays".into());
    rays.extra.insert("ray_to".into(), (-0.5).into());
    rays.extra.insert("ray_from".into(), 0.75.into());
    primary.results.push(rays);
    for (lang, expected) in [
        (
            Lang::En,
            [
                "(0 to 1.25)",
                "(0.50 to ∞)",
                "(−∞ to 12.5)",
                "(any number)",
                "(up to −0.50, and from 0.75)",
            ],
        ),
        (
            Lang::Sv,
            [
                "(0 till 1,25)",
                "(0,50 till ∞)",
                "(−∞ till 12,5)",
                "(alla tal)",
                "(till −0,50, och från 0,75)",
            ],
        ),
    ] {
        let page = lottning::report::html(&parts.report(), lang);
        for text in expected {
            assert!(page.contains(text), "{text}");
        }
    }
}

/// An effect among compliers stands under the set of Anderson and Rubin, in words where it has no limits, and Wald's interval
/// comes below it under its own name.
#[test]
fn a_set_without_limits_is_said_in_words() {
    let sets = [
        (
            serde_json::json!({"set": "line", "ray_to": null, "ray_from": null}),
            "any number",
        ),
        (
            serde_json::json!({"set": "two rays", "ray_to": -0.25, "ray_from": 0.5}),
            "up to \u{2212}25.0, and from 50.0",
        ),
    ];
    for (set, words) in sets {
        let mut parts = ordinary();
        let own = &mut parts.analyses.analyses[0];
        let mut wald = own.results[0].clone();
        wald.estimator = "instrumental-variables".to_owned();
        wald.extra
            .insert("first_stage".to_owned(), serde_json::json!(0.02));
        let mut strong = wald.clone();
        strong.extra = set.as_object().unwrap().clone();
        strong.interval = "anderson-rubin".to_owned();
        strong.std_error = None;
        (strong.conf_low, strong.conf_high) = (None, None);
        own.results = vec![wald, strong];
        own.test = None;
        let page = lottning::report::html(&parts.report(), Lang::En);
        let (said, below) = (
            page.find(words),
            page.find("instrumental-variables, Wald interval"),
        );
        assert!(
            said.is_some() && said < below,
            "{words}: {said:?} {below:?}"
        );
    }
}

/// Three analyses of one outcome are told apart by the measure and the estimator, in headings and in notes; what they share is not said.
#[test]
fn analyses_of_one_outcome_are_told_apart() {
    let mut parts = ordinary();
    let first = parts.analyses.analyses[0].clone();
    let other = |id: &str, estimator: &str, measure: (&str, &str)| {
        let mut own = first.clone();
        own.id = id.to_owned();
        for row in &mut own.results {
            row.estimator = estimator.to_owned();
        }
        let mut attributes = own.attributes.iter_mut();
        let summary = attributes.find(|own| own.key == "summary").unwrap();
        summary.value = lottning::diagnostic::Words::new(measure.0, measure.1);
        own
    };
    let analyses = [
        first.clone(),
        other(
            "ratio",
            "log-link",
            ("ratio of proportions", "kvot mellan andelar"),
        ),
        other(
            "again",
            "other-link",
            ("ratio of proportions", "kvot mellan andelar"),
        ),
    ];
    parts.analyses.analyses = analyses.to_vec();
    for (lang, _) in LANGS {
        let page = lottning::report::html(&parts.report(), lang);
        let outcome = first.outcome_label.get(lang);
        let mut own = first.attributes.iter();
        let own = own
            .find(|own| own.key == "summary")
            .unwrap()
            .value
            .get(lang);
        let ratio = ["kvot mellan andelar", "ratio of proportions"][usize::from(lang == Lang::En)];
        for (measure, estimator) in [(own, "lin"), (ratio, "log-link"), (ratio, "other-link")] {
            let name = format!("{outcome}, {measure}, {estimator}");
            assert!(page.contains(&format!(">{name} (")), "{name}");
            assert!(
                page.contains(&format!("{name}: {estimator}, var")),
                "{name}"
            );
        }
        let alone = lottning::report::html(&ordinary().report(), lang);
        assert!(
            alone.contains(&format!(">{outcome} (")) && !alone.contains(&format!("{outcome}, "))
        );
    }
}

/// An index of ranks is 1/2 where arms are alike: an interval of it that lies above 0 says nothing, and what is said is what the
/// analysis warns of.
#[test]
fn the_summary_says_that_test_and_interval_disagree_where_the_analysis_does() {
    for disagree in [false, true] {
        let mut parts = ordinary();
        let own = &mut parts.analyses.analyses[0];
        own.used.estimator = "rank-sum".to_owned();
        own.measure = "probability-index".to_owned();
        own.results.truncate(1);
        own.results[0].measure = "probability-index".to_owned();
        (own.results[0].conf_low, own.results[0].conf_high) = (Some(0.36), Some(0.72));
        // Adjusted for others the p is beyond the limit, and decides.
        own.test.as_mut().unwrap().p_value = if disagree { 0.04 } else { 0.616 };
        own.p_adjusted = disagree.then_some(0.08);
        assert_eq!(own.alpha, Some(0.05));
        own.warnings.clear();
        if disagree {
            let said = Words::new("sides", "sidor");
            own.warnings
                .push(Warning::new("test-and-interval-disagree", said));
        }
        for (lang, words) in [
            (Lang::En, "point to different sides of the line"),
            (
                Lang::Sv,
                "hamnar på olika sidor om gränsen. Det registrerade",
            ),
        ] {
            let page = lottning::report::html(&parts.report(), lang);
            assert_eq!(page.contains(words), disagree, "{words}");
            assert!(!page.contains("would seldom come from the drawing of lots"));
        }
    }
}
