//! `lottning power`: the words and fields of the contract, in every family.

use crate::process::Folder;

/// Relative agreement with a printed figure.
fn near(value: &serde_json::Value, printed: f64, tolerance: f64) {
    let value = value.as_f64().unwrap();
    assert!(
        (value - printed).abs() <= tolerance,
        "{value} and not {printed}"
    );
}

/// One case of each family: words, what is solved for, its value (sources in tests/published/power*.rs), and its tolerance.
#[test]
fn each_family_solves_for_what_is_left_out() {
    let folder = Folder::new();
    for (words, solved, value, tolerance) in [
        (
            "two-proportions --p0 .3 --p1 .2 --n-per-arm 300",
            "power",
            0.809_025_665_325,
            1e-12,
        ),
        (
            "two-proportions --p0 .3 --p1 .2 --power .8",
            "n",
            293.151,
            5.1e-4,
        ),
        (
            "two-proportions --p0 .3 --p1 .2 --n-per-arm 300 --test exact-pooled",
            "power",
            0.810_739,
            6e-7,
        ),
        (
            "two-proportions --p0 .4 --p1 .05 --margin -.2 --sides 1 --power .8",
            "n",
            79.8438,
            5.1e-5,
        ),
        (
            "two-means --delta .5 --sd 1 --n-per-arm 64",
            "power",
            0.801_459_557_922,
            5e-13,
        ),
        (
            "two-means --delta .5 --sd 1 --power .8",
            "n",
            63.765_610_190_942,
            1e-9,
        ),
        (
            "two-means --delta .1 --sd 1 --n-per-arm 20 --ratio 1.5 --sides 1",
            "power",
            0.096_235_890_809_178,
            1e-12,
        ),
        (
            "two-means --delta .4 --sd 1 --n-per-arm 200 --cluster-size 20 --icc .05",
            "power",
            0.773_073,
            6e-7,
        ),
        (
            "two-means --delta .35 --sd 1 --n-per-arm 150 --cluster-size 3 --icc .1 --clustered-arms treated --test normal",
            "power",
            0.823_832,
            6e-7,
        ),
        (
            "log-rank --hazard-ratio .7 --power .8",
            "events",
            246.787_104_547,
            1e-8,
        ),
        (
            "log-rank --hazard-ratio .7 --power .8 --formula freedman",
            "events",
            252.036,
            5.1e-4,
        ),
        (
            "rates --rate0 .5 --rate1 .35 --dispersion .7 --time 1 --power .8",
            "n",
            386.046,
            5.1e-4,
        ),
        (
            "rates --rate0 .5 --rate1 .35 --dispersion 0 --time 1 --power .8",
            "n",
            299.670,
            5.1e-4,
        ),
    ] {
        let run = folder.run(&format!("power {words} --json"));
        assert_eq!(run.exit, 0, "{words}: {}", run.err);
        let body = run.json();
        assert_eq!(body["schema"], "lottning.power/1", "{words}");
        assert_eq!(body["solved"], solved, "{words}");
        near(&body["value"], value, tolerance);
    }
}

/// Effects: on the lower side unless another is asked for, and the figure gives the power back.
#[test]
fn an_effect_is_sought_on_one_side() {
    let folder = Folder::new();
    for (family, effect, none) in [
        ("two-proportions --p0 .4 --n-per-arm 100", "p1", 0.4),
        ("two-means --sd 2 --n-per-arm 100", "delta", 0.0),
        ("log-rank --events 100", "hazard-ratio", 1.0),
        ("rates --rate0 .4 --n-per-arm 100", "rate1", 0.4),
    ] {
        for (words, lower) in [
            ("", true),
            ("--direction lower", true),
            ("--direction higher", false),
        ] {
            let run = folder.run(&format!("power {family} --power .8 {words} --json"));
            assert_eq!(run.exit, 0, "{family}: {}", run.err);
            let body = run.json();
            assert_eq!(body["solved"], "effect");
            let value = body["value"].as_f64().unwrap();
            assert_eq!(value < none, lower, "{family} {words}: {value}");
            let back = folder.run(&format!("power {family} --{effect} {value} --json"));
            near(&back.json()["value"], 0.8, 1e-9);
        }
    }
}

/// A solved n is unrounded, its whole numbers have the power, and alpha is what is left out when the others are given.
#[test]
fn whole_numbers_have_the_power() {
    let folder = Folder::new();
    for (family, size) in [
        ("two-proportions --p0 .3 --p1 .2", "n_control"),
        ("two-means --delta 5 --sd 12 --ratio 2/3", "n_control"),
        (
            "two-means --delta 5 --sd 12 --r-squared .4 --covariates 2",
            "n_control",
        ),
        ("rates --rate0 2 --rate1 1.5 --dispersion .5", "n_control"),
        ("log-rank --hazard-ratio .6", "events"),
        (
            "log-rank --hazard-ratio .6 --control-median 12 --accrual 24 --follow-up 12",
            "events",
        ),
    ] {
        let run = folder.run(&format!("power {family} --power .9 --json"));
        assert_eq!(run.exit, 0, "{family}: {}", run.err);
        let body = run.json();
        let value = body["value"].as_f64().unwrap();
        assert!(
            (value.ceil() - body[size].as_f64().unwrap()).abs() < 1e-9,
            "{family}: {body}"
        );
        let at = if size == "events" {
            "power_at_events"
        } else {
            "power_at_n"
        };
        assert!(body[at].as_f64().unwrap() >= 0.9, "{family}: {body}");
        let option = if size == "events" {
            "events"
        } else {
            "n-per-arm"
        };
        let alpha = folder.run(&format!(
            "power {family} --{option} {value} --power .9 --json"
        ));
        assert_eq!(alpha.json()["solved"], "alpha", "{family}");
        near(&alpha.json()["value"], 0.05, 1e-9);
    }
    let run = folder.run("power log-rank --hazard-ratio .7 --power .8 --control-median 12 --accrual 24 --follow-up 12 --json");
    near(&run.json()["n_total_unrounded"], 369.574_139_588, 1e-8); // rpact 3.3.4
    assert_eq!(
        (&run.json()["n_treated"], &run.json()["n_control"]),
        (&185.into(), &185.into())
    );
}

/// `--strict` counts the farther tail in every formula; a t test always does.
#[test]
fn strict_adds_the_farther_tail() {
    let folder = Folder::new();
    let value = |words: &str| {
        let run = folder.run(&format!("power {words} --json"));
        assert_eq!(run.exit, 0, "{words}: {}", run.err);
        run.json()["value"].as_f64().unwrap()
    };
    for family in [
        "two-proportions --p0 .5 --p1 .48 --n-per-arm 50",
        "two-means --delta .1 --sd 1 --n-per-arm 50 --test normal",
        "log-rank --hazard-ratio .95 --events 50",
        "rates --rate0 1 --rate1 .95 --n-per-arm 50",
    ] {
        assert!(
            value(&format!("{family} --strict")) > value(family) + 1e-4,
            "{family}"
        );
        // One side has no farther tail.
        let one = format!("{family} --sides 1");
        assert!(
            (value(&format!("{one} --strict")) - value(&one)).abs() < 1e-15,
            "{family}"
        );
    }
    let t = "two-means --delta .1 --sd 1 --n-per-arm 50";
    assert!((value(&format!("{t} --strict")) - value(t)).abs() < 1e-15);
}

/// The table has whole numbers, and the power of them; the sentence names both powers where they differ, and one where they do not.
#[test]
fn sentence_and_table_are_of_stated_sizes() {
    let folder = Folder::new();
    let told = |words: &str| {
        let text = folder.run(&format!("power {words}")).out;
        let json = folder.run(&format!("power {words} --json")).json();
        let shown = |key: &str| format!("{:.4}", json[key].as_f64().unwrap());
        (text, shown("power"), shown("power_at_n"))
    };
    for words in [
        "two-means --delta 3 --sd 1 --n-per-arm 1.2",
        "two-means --delta .5 --sd 1 --n-per-arm 50 --ratio 0.333",
        "rates --rate0 .5 --rate1 .3 --dispersion .7 --time 1 --n-per-arm 40.5",
    ] {
        let (text, given, whole) = told(words);
        assert_ne!(given, whole);
        let sentence = format!("The power is {given} at the size as it is given, and {whole} at");
        assert!(text.contains(&sentence), "{text}");
    }
    let (text, given, whole) = told("two-means --delta .5 --sd 1 --n-per-arm 64");
    assert_eq!(given, whole);
    assert!(text.contains(&format!("The power is {given}.")), "{text}");
}

#[test]
fn a_figure_that_does_not_exist_is_refused_with_the_reason() {
    let folder = Folder::new();
    for (words, code) in [
        ("two-means --sd 1", "missing-option"),
        (
            "two-means --delta .5 --sd 1 --n-per-arm 20 --power .5 --alpha .05",
            "conflicting-options",
        ),
        ("two-means --delta 0 --sd 1 --power .8", "no-figure"),
        ("two-means --delta .5 --sd 1 --power .04", "no-figure"),
        ("two-means --delta .5 --sd 1 --n-per-arm 1", "no-figure"),
        ("two-means --delta .5 --sd -1 --power .8", "invalid-value"),
        (
            "two-means --delta .5 --sd 1 --power .8 --direction lower",
            "conflicting-options",
        ),
        (
            "two-means --delta .5 --sd 1 --power .8 --r-squared .3 --cluster-size 5 --icc .1",
            "conflicting-options",
        ),
        (
            "two-proportions --p0 .3 --p1 .2 --power .8 --margin .1 --test arcsine",
            "conflicting-options",
        ),
        (
            "two-proportions --p0 .3 --p1 .3 --power .8 --margin .1 --direction higher",
            "conflicting-options",
        ),
        ("log-rank --power .8", "missing-option"),
        ("log-rank --hazard-ratio 1 --power .8", "no-figure"),
        (
            "log-rank --hazard-ratio .7 --events 50 --n-per-arm 50 --control-median 1 --follow-up 1",
            "conflicting-options",
        ),
        (
            "log-rank --hazard-ratio .7 --n-per-arm 50 --control-median -1 --follow-up 1",
            "invalid-value",
        ),
        (
            "rates --rate0 .5 --power .9 --dispersion .2 --n-per-arm 4",
            "no-figure",
        ),
        ("rates --rate0 .5 --rate1 .5 --power .8", "no-figure"),
        (
            "rates --rate0 .5 --rate1 .4 --power .8 --sides 3",
            "invalid-value",
        ),
    ] {
        let run = folder.run(&format!("power {words} --json"));
        assert_eq!(run.exit, 2, "{words}: {}", run.out);
        assert_eq!(run.failure()["code"], code, "{words}: {}", run.err);
        assert!(run.out.is_empty(), "{words}: {}", run.out);
        let [english, swedish] =
            ["en", "sv"].map(|lang| folder.run(&format!("power {words} --lang {lang}")).err);
        assert_ne!(english, swedish, "{words}");
    }
}

/// An exact power of 301 times 301 tables is no reason to wait: the whole program answers well within a second, unoptimized.
#[test]
fn exact_power_is_quick() {
    let folder = Folder::new();
    let begun = std::time::Instant::now();
    let run = folder
        .run("power two-proportions --p0 .3 --p1 .2 --n-per-arm 300 --test exact-fisher --json");
    assert_eq!(run.exit, 0);
    assert!(begun.elapsed().as_secs() < 5, "{:?}", begun.elapsed());
}
