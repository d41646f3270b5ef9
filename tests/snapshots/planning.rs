//! Figures and page of a planning report, as somebody reviewed them.

use lottning::diagnostic::Lang;
use lottning::planning::rounds::summarize;
use lottning::planning::scenario::{Plan, plan};
use lottning::planning::simulate::{CellPerformance, Options, SimulationError, Threads, simulate};
use lottning::report::simulation::{Planning, SIMULATED_FIGURES, planning_html};

const PROTOCOL: &str = include_str!("../../protocols/iuh-2025/protocol.toml");
const SCENARIO: &str = include_str!("../../simulations/iuh-2025.toml");
const LANGS: [(Lang, &str); 2] = [(Lang::Sv, "sv"), (Lang::En, "en")];

fn ran(scenario: &str) -> (Plan, Vec<CellPerformance>) {
    let plan = plan(scenario, PROTOCOL, &["months=4".to_owned()])
        .unwrap_or_else(|refused| panic!("{refused:?}"));
    let options = Options {
        replicates: Some(150),
        draws: Some(0),
        threads: Some(2),
        ..Options::default()
    };
    let cells = simulate(&plan, &options, &|_, _| {}).unwrap();
    (plan, cells)
}

fn planning<'a>(plan: &'a Plan, cells: &'a [CellPerformance]) -> Planning<'a> {
    Planning {
        protocol: &plan.cells[0].protocol,
        scenario: "simulations/iuh-2025.toml",
        keys: &[],
        settings: &[],
        analyses: &plan.cells[0].scenario.analyses,
        cells,
        alternatives: &[],
        notes: &[],
        seed: 1,
        version: "0",
        plan_hash: "00",
    }
}

/// Cells that differ by a word are rows, cells that differ by a number are points of curves.
#[test]
fn planning_figures_look_as_reviewed() {
    let by_number = ran(SCENARIO);
    let rows = SCENARIO.replace(
        "\"truth.rereport_ratio\" = [1.00, 0.85, 1.10]",
        "\"ratio\" = [\"1:1\", \"1:2\"]",
    );
    assert!(rows != SCENARIO);
    let by_word = ran(&rows);
    for (lang, code) in LANGS {
        for (kind, (plan, cells)) in [("curves", &by_number), ("rows", &by_word)] {
            let planning = planning(plan, cells);
            for entry in SIMULATED_FIGURES {
                let Some(figure) = entry.draw(&planning, lang) else {
                    assert_eq!(entry.id, "assurance"); // nothing has a prior
                    continue;
                };
                assert_eq!(figure.id, entry.id);
                assert!(figure.svg.contains("role=\"img\"") && figure.desc.contains('±'));
                let table = figure.table.as_ref().unwrap();
                // Months are rows and cells columns of one of them.
                let is_over_months = entry.id == "reached";
                assert!(is_over_months || table.rows.len() >= cells.len());
                if ["power", "reached", "days-closed"].contains(&entry.id) {
                    let name = format!("planning_{kind}_{}_{code}", entry.id);
                    insta::assert_snapshot!(name, figure.svg);
                }
            }
            let page = planning_html(&planning, lang);
            for heading in [
                "aims",
                "mechanisms",
                "estimands",
                "methods",
                "performance",
                "origin",
            ] {
                assert!(page.contains(&format!("id=\"{heading}\"")), "{heading}");
            }
            assert!(!page.contains("NaN") && !page.contains(">inf") && !page.contains("<script"));
        }
    }
}

/// The page without style and drawings: what a reader reads.
fn read(page: &str) -> String {
    let mut text = page.to_owned();
    for (from, to) in [("<style>", "</style>"), ("<svg ", "</svg>")] {
        while let Some(start) = text.find(from) {
            let end = start + text[start..].find(to).unwrap() + to.len();
            text.replace_range(start..end, "");
        }
    }
    text
}

/// Every measure that planners are promised stands on the page with its error, in both languages, and an alternative beside the
/// scenario: families reached, days closed, cost and power. Behind the gate the randomization test has its size.
#[test]
fn a_planning_page_reads_as_reviewed() {
    let ungridded = SCENARIO.split("[grid]").next().unwrap();
    let scenario = format!("{ungridded}[precision]\nreplicates = 150\ndraws_in_simulation = 79\n");
    let planned = |settings: &[&str]| {
        let settings: Vec<String> = settings.iter().map(ToString::to_string).collect();
        plan(&scenario, PROTOCOL, &settings).unwrap_or_else(|refused| panic!("{refused:?}"))
    };
    let base = planned(&["months=4", "truth.rereport_ratio=1.0"]);
    let other = planned(&["months=4", "truth.rereport_ratio=1.0", "therapists=3"]);
    let options = Options::default();
    let threads = Threads::new(Some(2)).unwrap();
    let own = [&base.cells[0], &other.cells[0]];
    let mut studies = |place: usize, from, to| threads.records(own[place], &options, from, to);
    let found = summarize::<SimulationError>(&own, &options, &mut studies, &|_| ());
    let (mut cells, differences) = found.unwrap();
    cells[1].cell = "therapists=3".to_owned();
    let alternatives = [(
        "therapists=3".to_owned(),
        "base".to_owned(),
        differences[0].clone(),
    )];
    let planning = Planning {
        alternatives: &alternatives,
        ..planning(&base, &cells)
    };
    for (lang, code) in LANGS {
        let page = planning_html(&planning, lang);
        insta::assert_snapshot!(format!("planning_page_{code}"), read(&page));
    }
}

/// The page of a scenario with settings, in one language.
fn page(scenario: &str, settings: &[&str], lang: Lang) -> String {
    let settings: Vec<String> = settings.iter().map(ToString::to_string).collect();
    let plan = plan(scenario, PROTOCOL, &settings).unwrap_or_else(|refused| panic!("{refused:?}"));
    let options = Options {
        replicates: Some(60),
        draws: Some(0),
        threads: Some(2),
        ..Options::default()
    };
    let cells = simulate(&plan, &options, &|_, _| {}).unwrap();
    planning_html(&planning(&plan, &cells), lang)
}

/// By law: an interval has the level 1 − alpha. All of one level are called by it, and the line of the figure is there; with several
/// nothing is drawn that is right for some of them alone, and the table has the level of each.
#[test]
fn intervals_are_called_by_their_registered_level() {
    let alone = SCENARIO.find("[grid").map(|grid| &SCENARIO[..grid]);
    let scenario = alone.unwrap_or(SCENARIO);
    let primary = ["months=4", "protocol.analysis.primary.alpha=0.01"];
    let strict = [&primary[..], &["protocol.analysis.acceptance.alpha=0.01"]].concat();
    let own = page(scenario, &strict, Lang::En);
    assert!(own.contains("Coverage of the 99 % intervals"));
    assert!(!own.contains("95 %"));
    let own = page(scenario, &strict, Lang::Sv);
    assert!(own.contains("Täckning för 99 %-intervallen"));
    let mixed = [&primary[..], &["protocol.analysis.acceptance.alpha=0.0125"]].concat();
    let own = page(scenario, &mixed, Lang::En);
    assert!(own.contains("Coverage of the intervals at the registered level of each"));
    assert!(!own.contains("95 %") && !own.contains("99 %"));
    assert!(own.contains(">99<") && own.contains(">98.75<"), "{own}");
}

/// A key is written as the file has it, at the beginning of a sentence too; and what a column means is said where the column is.
#[test]
fn a_page_explains_what_it_shows() {
    let alone = SCENARIO.find("[grid").map(|grid| &SCENARIO[..grid]);
    let prior = "\n[[prior]]\nkey = \"truth.rereport_ratio\"\nuniform = [0.6, 0.9]\n";
    let scenario = format!("{}{prior}", alone.unwrap_or(SCENARIO));
    for (lang, column) in [
        (Lang::En, "in percentage points, on the same families"),
        (Lang::Sv, "i procentenheter, på samma familjer"),
    ] {
        let own = page(&scenario, &["months=4"], lang);
        assert!(own.contains("truth.rereport_ratio"));
        assert!(!own.contains("Truth.rereport_ratio"));
        assert!(!own.contains(column));
        let own = page(SCENARIO, &["months=4"], lang);
        assert!(own.contains(column), "{column}");
    }
}
