//! `export --replicate` of studies that register everything: R computes every number again and none differs. R is the other program
//! here; a machine without it, or without a package, skips what R says, and says so. Where `LOTTNING_TEST_R` is set that fails.

use crate::made_up::{IUH, LAST, Study, protocol, study};
use crate::registered::{analysis, lived};
use crate::several_arms::three_arms;
use lottning::analysis::looks::{EarlierLook, look};
use lottning::analysis::replication::{AtLock, LookedAt, replication};
use lottning::analysis::{Plan, RunSettings, registered_p, run};
use lottning::app::analyse::body;
use lottning::diagnostic::Lang;
use lottning::estimation::ESTIMATORS;
use lottning::protocol::Protocol;
use lottning::protocol::model::{Day, Service};
use lottning::report::File;
use lottning::report::replicate::{Folder, files};
use lottning::study::kernel::{Answer, Command, DelivererIx, State, What};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process;

/// Packages that the scripts here ask for.
const PACKAGES: [&str; 3] = ["MASS", "cmprsk", "survival"];

/// The files of a lock; `earlier` are cuts at which it was looked at before, with the index of the lock.
pub(crate) fn folder(study: &Study, lock: &str, cut: Day, earlier: &[(usize, Day)]) -> Vec<File> {
    folder_of((&study.protocol, &study.state), lock, cut, earlier)
}

/// The same of a state.
pub(crate) fn folder_of(
    (protocol, state): (&Protocol, &State),
    lock: &str,
    cut: Day,
    earlier: &[(usize, Day)],
) -> Vec<File> {
    let place = |id: &str| protocol.locks.iter().position(|own| own.id == id).unwrap();
    let plan = Plan::registered(protocol, place(lock));
    let earlier: Vec<LookedAt> = earlier
        .iter()
        .map(|(lock, cut)| LookedAt {
            analysis: "primary".to_owned(),
            lock: *lock,
            protocol: protocol.clone(),
            state: state.clone(),
            cut: *cut,
        })
        .collect();
    let seen = |own: &LookedAt| EarlierLook {
        analysis: own.analysis.clone(),
        lock: own.lock,
        look: look(protocol, state, own.cut, &plan.planned()[0].analysis).unwrap(),
        p_value: registered_p(protocol, state, own.cut, &plan.planned()[0].analysis),
    };
    let settings = RunSettings {
        lock: Some(lock.to_owned()),
        earlier: earlier.iter().map(seen).collect(),
        ..RunSettings::default()
    };
    let analyses = run(protocol, state, &plan, cut, &settings);
    let at = AtLock {
        lock: Some(place(lock)),
        earlier: &earlier,
    };
    let replication = replication(protocol, (state, cut), &plan, at);
    files(&Folder {
        protocol,
        body: &body(protocol, &analyses, Lang::En),
        analyses: &analyses,
        replication: &replication,
    })
}

pub(crate) fn text<'f>(files: &'f [File], path: &str) -> &'f str {
    &files.iter().find(|file| file.path == path).unwrap().text
}

/// What R says of a folder.
pub(crate) struct Said {
    /// Exit status.
    pub(crate) status: i32,
    pub(crate) text: String,
}

impl Said {
    /// Numbers with a verdict.
    pub(crate) fn numbers(&self, verdict: &str) -> BTreeSet<String> {
        let lines = self.text.lines().filter(|line| {
            let line = line.trim_end();
            line.ends_with(verdict) && !line.contains(": ")
        });
        lines
            .filter_map(|line| line.split_whitespace().next())
            .map(str::to_owned)
            .collect()
    }

    /// Lines of numbers that differ, and of steps that broke.
    pub(crate) fn differing(&self) -> Vec<&str> {
        let lines = self.text.lines();
        lines
            .filter(|line| line.trim_end().ends_with("DIFFERS") || line.starts_with("BROKEN"))
            .collect()
    }

    /// Numbers that are taken over, with the reason.
    fn over(&self) -> Vec<(&str, &str)> {
        let (_, over) = self
            .text
            .split_once("Taken over, not computed again:")
            .unwrap();
        let (over, _) = over.split_once("\n\n").unwrap();
        over.lines()
            .filter_map(|line| line.trim().split_once(": "))
            .collect()
    }
}

/// Whether R and its packages are here; says so if not.
#[allow(clippy::print_stderr)] // a part that this machine cannot run is said aloud
pub(crate) fn r_is_here() -> bool {
    let packages = PACKAGES.map(|own| format!("\"{own}\"")).join(", ");
    let asked =
        format!("for (p in c({packages})) if (!requireNamespace(p, quietly = TRUE)) cat(\"\", p)");
    let asked = process::Command::new("Rscript")
        .args(["-e", &asked])
        .output();
    let absent = match asked {
        Err(_) => "there is no R".to_owned(),
        Ok(found) if !found.stdout.is_empty() => {
            let absent = String::from_utf8_lossy(&found.stdout);
            format!("R has no package{absent}")
        }
        Ok(_) => return true,
    };
    let required = std::env::var_os("LOTTNING_TEST_R").is_some();
    assert!(!required, "R is asked for, but {absent} on this machine");
    eprintln!("skipped: {absent} on this machine");
    false
}

fn written(name: &str, files: &[File]) -> PathBuf {
    let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("replicate-{name}"));
    let _ = std::fs::remove_dir_all(&place);
    std::fs::create_dir_all(place.join("data")).unwrap();
    for file in files {
        std::fs::write(place.join(&file.path), &file.text).unwrap();
    }
    place
}

/// What R says of files; `None` without R or a package.
pub(crate) fn said(name: &str, files: &[File]) -> Option<Said> {
    if !r_is_here() {
        return None;
    }
    let place = written(name, files);
    let output = process::Command::new("Rscript")
        .arg(place.join("replicate.R"))
        .output();
    let output = output.unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        said.contains(" numbers alike, "),
        "{name}: {said}\n{errors}"
    );
    Some(Said {
        status: output.status.code().unwrap(),
        text: said,
    })
}

/// Every number alike, none taken over.
pub(crate) fn all_alike(name: &str, files: &[File]) -> Option<Said> {
    let said = said(name, files)?;
    assert_eq!((said.status, said.differing()), (0, Vec::new()), "{name}");
    assert_eq!(said.over(), Vec::new(), "{name}");
    Some(said)
}

/// Options beside the defaults: estimator, what to replace in its analysis, lines to add.
/// Estimator, replacements in its protocol, and what is added.
type Variant = (
    &'static str,
    &'static [(&'static str, &'static str)],
    &'static str,
);

/// Outcomes that are not known are stood for by weights.
const WEIGHTED: (&str, &str) = ("\"complete-case\"", "\"inverse-probability-of-censoring\"");

/// A number of reports in place of yes or no.
const COUNTS: &[(&str, &str)] = &[
    ("\"any\"", "\"count\""),
    ("\"risk-difference\"", "\"difference\""),
];

const VARIANTS: &[Variant] = &[
    ("lin", &[], "variance = \"hc3\""),
    ("lin", &[], "variance = \"hc0\"\ndf = \"normal\""),
    ("linear", &[], "variance = \"classical\""),
    ("linear", &[], "variance = \"hc1\"\ndf = \"residual\""),
    ("difference-in-means", &[], "variance = \"hc1\""),
    ("difference-in-means", &[], "df = \"bell-mccaffrey\""),
    ("difference-in-means", &[], "df = \"normal\""),
    (
        "stratified-difference-in-means",
        &[],
        "df = \"bell-mccaffrey\"",
    ),
    ("stratified-difference-in-means", &[], "df = \"normal\""),
    ("instrumental-variables", &[], "variance = \"hc1\""),
    ("risk-difference", &[], "interval = \"mee\""),
    ("risk-difference", &[], "interval = \"newcombe\""),
    ("risk-difference", &[], "interval = \"wald\""),
    ("risk-difference", &[], "interval = \"agresti-caffo\""),
    ("risk-ratio", &[], "interval = \"log-wald\""),
    ("odds-ratio", &[], "interval = \"log-wald\""),
    ("fisher-exact", &[], "p_value = \"minlike\""),
    (
        "mantel-haenszel",
        &[("measure = \"risk-difference\"", "measure = \"risk-ratio\"")],
        "",
    ),
    (
        "mantel-haenszel",
        &[("measure = \"risk-difference\"", "measure = \"odds-ratio\"")],
        "",
    ),
    (
        "g-computation",
        &[("measure = \"risk-difference\"", "measure = \"risk-ratio\"")],
        "interacted = true",
    ),
    (
        "g-computation",
        &[("measure = \"risk-difference\"", "measure = \"odds-ratio\"")],
        "",
    ),
    ("logistic", &[], "variance = \"hc2\""),
    ("logistic", &[], "variance = \"firth\""),
    ("logistic", &[], "interval = \"profile\""),
    (
        "logistic",
        &[],
        "variance = \"firth\"\ninterval = \"profile\"\ndf = \"residual\"",
    ),
    ("poisson", &[], "variance = \"model\""),
    (
        "poisson",
        &[("\"censoring\"", "\"complete-case\"")],
        "variance = \"hc3\"",
    ),
    (
        "negative-binomial",
        &[],
        "variance = \"hc0\"\ndf = \"residual\"",
    ),
    ("cox", &[], "ties = \"breslow\"\nvariance = \"robust\""),
    (
        "rmst",
        &[("restricted-mean-difference", "restricted-mean-ratio")],
        "horizon = 200",
    ),
    ("kaplan-meier", &[], "horizon = 90"),
    ("recurrent-rate-ratio", &[], "ties = \"breslow\""),
    ("rank-sum", &[], "interval = \"newcombe\""),
    ("rank-sum", &[("\"any\"", "\"count\"")], ""),
    (
        "rank-sum",
        &[("\"any\"", "\"count\"")],
        "test = { kind = \"randomization\", draws = 199 }",
    ),
    (
        "log-rank",
        &[],
        "test = { kind = \"randomization\", draws = 199 }",
    ),
    ("lin", &[WEIGHTED], "clusters = \"delivered-by\""),
    (
        "linear",
        &[],
        "clusters = \"delivered-by\"\nsubgroups = [\"site\", \"category\"]",
    ),
    (
        "linear",
        &[WEIGHTED],
        "sensitivity_clusters = \"delivered-by\"",
    ),
    ("instrumental-variables", &[], "clusters = \"delivered-by\""),
    (
        "lin",
        COUNTS,
        "variance = \"hc3\"\ndf = \"residual\"\nsensitivity_winsorized = 0.05\nsensitivity_bootstrap = 999",
    ),
    (
        "linear",
        &[COUNTS[0], COUNTS[1], WEIGHTED],
        "sensitivity_winsorized = 0.05",
    ),
    (
        "difference-in-means",
        COUNTS,
        "sensitivity_winsorized = 0.25\nsensitivity_bootstrap = 1499",
    ),
    (
        "stratified-difference-in-means",
        COUNTS,
        "sensitivity_winsorized = 0.05\nsensitivity_bootstrap = 999",
    ),
    (
        "manski-bounds",
        &[
            ("\"any\"", "\"count\""),
            ("\"risk-difference\"", "\"difference\""),
        ],
        "range = [0, 20]",
    ),
];

/// Everything beside a result of a number: imputation, its tipping point, bounds, weights, subgroups.
const BESIDE: &str = "estimator = \"lin\"\noutcome = \"rereport\"\nsummary = \"count\"\nestimand = { population = \"all\", strategy = \"treatment-policy\", measure = \"difference\" }\ncovariates = [\"site\", \"earlier_reports\"]\nsubgroups = [\"site\", \"category\"]\nrange = [0, 20]\nsensitivity_clusters = \"delivered-by\"\nsensitivity_winsorized = 0.05\nsensitivity_bootstrap = 999\nmissing = { primary = \"complete-case\", sensitivity = [\"inverse-probability-of-censoring\", \"multiple-imputation\", \"manski\", \"lee\", \"tipping-point\"] }\n";

/// A protocol with an analysis for every estimator, and one for each variant: half of them secondary, half exploratory.
pub(crate) fn everything() -> String {
    let start = IUH.find("[[analysis]]\nid = \"acceptance\"").unwrap();
    let mut all = IUH[..start].replace("draws = 10000", "draws = 999");
    let mut add = |id: String, role: &str, own: &str| {
        all.extend([format!(
            "[[analysis]]\nid = \"{id}\"\nlock = \"final\"\nrole = \"{role}\"\n{own}\n"
        )]);
    };
    for (index, entry) in ESTIMATORS.iter().filter(|own| own.in_plan).enumerate() {
        let role = ["secondary", "exploratory"][index % 2];
        add(entry.id.to_owned(), role, &analysis(entry));
    }
    for (number, (id, replaced, added)) in VARIANTS.iter().enumerate() {
        let entry = ESTIMATORS.iter().find(|own| own.id == *id).unwrap();
        let mut own = analysis(entry);
        for (from, to) in *replaced {
            assert!(own.contains(from), "{id}: {from}");
            own = own.replace(from, to);
        }
        add(
            format!("{id}-{number}"),
            "exploratory",
            &format!("{own}{added}"),
        );
    }
    add("beside".to_owned(), "secondary", BESIDE);
    all.push_str("[multiplicity]\nsecondary = \"holm\"\n");
    all
}

/// Of the treated families five of six are visited by one of nine.
pub(crate) fn deliver(study: &mut Study) {
    let control = study.protocol.control;
    let all = study.state.allocations.clone();
    let treated = all.iter().filter(|own| own.arm != control).enumerate();
    for (place, own) in treated.filter(|(place, _)| place % 6 > 0) {
        let what = What::Serviced {
            family: own.family,
            service: Service::HomeVisit,
            on: study.state.family(own.family).unwrap().randomized.plus(12),
            arm: None,
            by: Some(DelivererIx((place * place % 9) as u32)),
        };
        study.command(LAST, &Command::Record(what)).unwrap();
    }
}

/// A study of everything in which three of seven families of the control arm were reported once more, so that conclusions can turn.
fn uneven() -> Study {
    let mut study = lived(&everything());
    deliver(&mut study);
    let control = study.protocol.control;
    let all = study.state.allocations.clone();
    let own = all.iter().filter(|own| own.arm == control).enumerate();
    for (_, own) in own.filter(|(place, _)| place % 7 < 3) {
        let day = study.state.family(own.family).unwrap().randomized;
        study.report(own.family, day.plus(30), LAST);
    }
    study
}

/// The script names a function for every estimator, and asks for nothing that no function of it computes.
#[test]
fn a_script_has_a_call_for_every_estimator() {
    let study = lived(&everything());
    let files = folder(&study, "final", LAST, &[]);
    let script = text(&files, "replicate.R");
    let results = text(&files, "results.csv");
    for entry in ESTIMATORS.iter().filter(|own| own.in_plan) {
        let (id, path) = (entry.id, format!("\"{}/results/1\"", entry.id));
        let call = script
            .lines()
            .find(|line| line.starts_with("effect(c(") && line.contains(&path));
        let call = call.unwrap_or_else(|| panic!("no call for {id}"));
        let function = call
            .split("), ")
            .nth(1)
            .and_then(|rest| rest.split(", ").nth(1));
        let function = function.unwrap();
        assert!(
            script.contains(&format!("\n{function} <- ")),
            "{id}: {function}"
        );
        assert!(results.contains(&format!("\n{id}/results/1/")), "{id}");
    }
    assert!(script.contains("\nrandomization(\"primary/test\""));
    for package in PACKAGES {
        assert!(script.contains(&format!("require({package}, quietly = TRUE)")));
    }
}

/// Beside every estimator: clusters with and without weights, limits, rows of effects that do not exist.
#[test]
fn r_computes_every_number_of_every_estimator_and_sees_each_changed() {
    let study = uneven();
    let mut all = folder(&study, "final", LAST, &[]);
    let Some(found) = all_alike("everything", &all) else {
        return;
    };
    let alike = found.numbers("alike");
    assert!(alike.len() > 2000, "{}", alike.len());
    // Both kinds of tipping points turn.
    let has = |end: &str| alike.iter().any(|number| number.ends_with(end));
    assert!(has("/shift") && has("/turns_at/1") && has("/alpha"));
    // A negative control for each analysis: one number is changed, and exactly those differ.
    let results = all
        .iter_mut()
        .find(|file| file.path == "results.csv")
        .unwrap();
    let mut changed = BTreeSet::new();
    let mut lines: Vec<String> = Vec::new();
    let kinds = ["std_error", "conf_low", "p_value", "statistic", "estimate"];
    for line in results.text.lines() {
        let (number, value) = line.rsplit_once(',').unwrap();
        let mut parts = number.split('/');
        let id = parts.next().unwrap();
        let known = changed
            .iter()
            .any(|own: &String| own.starts_with(&format!("{id}/")));
        let rest: Vec<&str> = parts.collect();
        let kind = kinds[id.len() % kinds.len()];
        let own = rest.len() == 3 && rest[0] == "results" && kinds.contains(&rest[2]);
        // The kind in turn by the length of the name; bounds have no test, tests no estimate.
        let wanted = own && (rest[2] == kind || (rest[1] == "2" && !known));
        if wanted && !known {
            changed.insert(number.to_owned());
            let value: f64 = value.parse().unwrap();
            lines.push(format!("{number},{}", value * 1.001 + 1e-5));
        } else {
            lines.push(line.to_owned());
        }
    }
    results.text = lines.join("\n") + "\n";
    let ids: BTreeSet<&str> = changed
        .iter()
        .filter_map(|own| own.split('/').next())
        .collect();
    for entry in ESTIMATORS.iter().filter(|own| own.in_plan) {
        assert!(ids.contains(entry.id), "nothing changed of {}", entry.id);
    }
    let found = said("changed", &all).unwrap();
    assert_eq!(found.status, 1);
    assert_eq!(found.numbers("DIFFERS"), changed);
}

/// A package that is not installed is named, and its numbers are taken over; the others are computed.
#[test]
fn an_absent_package_is_said() {
    let start = IUH.find("[[analysis]]\nid = \"acceptance\"").unwrap();
    let mut text = IUH[..start].replace("draws = 10000", "draws = 99");
    for id in ["fine-gray", "rmst"] {
        let entry = ESTIMATORS.iter().find(|own| own.id == id).unwrap();
        let own = analysis(entry);
        text.extend([format!(
            "[[analysis]]\nid = \"{id}\"\nlock = \"final\"\nrole = \"exploratory\"\n{own}\n"
        )]);
    }
    let study = lived(&text);
    let mut files = folder(&study, "final", LAST, &[]);
    let script = &mut files[0].text;
    *script = script.replace("cmprsk", "nowhere.to.be.found");
    let Some(found) = said("absent", &files) else {
        return;
    };
    assert_eq!(found.status, 0, "{}", found.text);
    let named = "The package nowhere.to.be.found is not installed.";
    assert!(found.text.contains(named), "{}", found.text);
    let why = "the package nowhere.to.be.found is not installed";
    let over: BTreeSet<&str> = found
        .over()
        .into_iter()
        .filter(|(_, own)| *own == why)
        .filter_map(|(number, _)| number.split('/').next())
        .collect();
    assert_eq!(over, BTreeSet::from(["fine-gray"]));
    let alike = found.numbers("alike");
    assert!(alike.contains("rmst/results/1/estimate"));
    assert!(alike.contains("fine-gray/arms/iuh/analysed"));
}

/// Small studies: exact ranks, small cells, few of everything. Some effects do not exist, and a warning says why.
#[test]
fn r_computes_small_studies() {
    let text = everything();
    for (families, number) in [(16, 3), (27, 7), (46, 11)] {
        let study = study(protocol(&text), families, number);
        let files = folder(&study, "final", LAST, &[]);
        let Some(found) = said(&format!("small-{families}"), &files) else {
            return;
        };
        assert_eq!(
            (found.status, found.differing()),
            (0, Vec::new()),
            "{families}"
        );
        assert_eq!(found.over(), Vec::new(), "{families}");
    }
}

/// Three arms, a test for each of several secondary analyses, adjusted by Westfall and Young.
#[test]
fn r_computes_three_arms_and_shared_redraws() {
    let own = |id: &str, outcome: &str, estimator: &str, covariates: &str| {
        format!(
            "[[analysis]]\nid = \"{id}\"\nlock = \"final\"\nrole = \"secondary\"\nestimator = \"{estimator}\"\noutcome = \"{outcome}\"\n{covariates}estimand = {{ population = \"all\", strategy = \"treatment-policy\", measure = \"risk-difference\" }}\nmissing = {{ primary = \"complete-case\" }}\ntest = {{ kind = \"randomization\", draws = 499 }}\nsummary = \"any\"\n"
        )
    };
    let adjusted = "covariates = [\"site\", \"earlier_reports\"]\n";
    let start = IUH.find("[[analysis]]\nid = \"acceptance\"").unwrap();
    let two = IUH[..start].replace("draws = 10000", "draws = 499")
        + &own("first", "rereport", "lin", adjusted)
        + &own("second", "rereport_without_staff", "linear", adjusted)
        + &own("third", "rereport_from_day_123", "difference-in-means", "")
        + &own("fourth", "rereport", "linear", adjusted).replace("secondary", "exploratory")
        + &own("sixth", "rereport", "linear", adjusted)
            .replace("secondary", "exploratory")
            .replace("\"any\"", "\"count\"")
            .replace("\"risk-difference\"", "\"difference\"")
            .replace(
                "summary",
                "sensitivity_winsorized = 0.05\nsensitivity_bootstrap = 999\nsummary",
            )
        + &own("fifth", "rereport_without_staff", "lin", "").replace("secondary", "exploratory")
        + "[multiplicity]\nsecondary = \"westfall-young\"\n";
    let three = three_arms(&two);
    let jointly = three.clone() + "primary = \"westfall-young\"\n";
    let rule = "secondary = \"westfall-young\"";
    let ordered = three.replace(rule, "secondary = \"fixed-sequence\"");
    for (name, text) in [
        ("two-arms", two),
        ("three-arms", three),
        ("three-arms-jointly", jointly),
        ("three-arms-ordered", ordered),
    ] {
        let study = lived(&text);
        let files = folder(&study, "final", LAST, &[]);
        let has = |path: &str| files.iter().any(|file| file.path == path);
        let ordered = name == "three-arms-ordered";
        assert_eq!(has("data/westfall-young.final.csv"), !ordered);
        let jointly = name == "three-arms-jointly";
        assert_eq!(has("data/westfall-young.final.primary.csv"), jointly);
        if name != "two-arms" {
            for number in ["primary", "first", "third"] {
                for own in ["p_adjusted", "test/p_value"] {
                    let path = format!("\n{number}/further_comparisons/letter/{own},");
                    assert!(text_of(&files).contains(&path), "{path}");
                }
            }
            let path = "\nfourth/further_comparisons/letter/q_value,";
            assert!(text_of(&files).contains(path), "{path}");
        }
        all_alike(name, &files);
    }
}

/// A look that spends, and the final lock after it: the limit, both looks, the repeated and the stage-wise interval.
#[test]
fn r_computes_looks() {
    let start = IUH.find("[[analysis]]\nid = \"acceptance\"").unwrap();
    let text = IUH[..start].replace("draws = 10000", "draws = 499");
    let text = text
        .replace("alpha = 0.0 ", "alpha = 0.01 ")
        .replace("alpha = 0.0\n", "alpha = 0.01\n");
    let primary = "id = \"primary\"\nlock = \"final\"\n";
    let text = text.replace(
        primary,
        &format!("{primary}looks = [\"evaluation-2025\"]\n"),
    );
    let looked = text.clone();
    let study = lived(&text);
    // Half a year after the first windows ended.
    let early = Day(LAST.0 - 640);
    let files = folder(&study, "final", LAST, &[(0, early)]);
    let results = text_of(&files);
    for number in [
        "primary/looks/evaluation-2025/critical_value",
        "primary/results/2/estimate",
    ] {
        assert!(results.contains(&format!("\n{number},")), "{number}");
    }
    all_alike("final-look", &files);
    // Rows beside the result at the look, at its level.
    let files = folder(&study, "evaluation-2025", early, &[]);
    let manski = "\nprimary/results/4/estimate,";
    assert!(text_of(&files).contains(manski));
    all_alike("interim-look", &files);
    // No more information at the end than at the look.
    let files = folder(&study, "final", LAST, &[(0, LAST)]);
    let looks = "\nprimary/looks/final/critical_value,";
    assert!(text_of(&files).contains(looks));
    all_alike("fallen-look", &files);
    // By who delivered, in place of the test.
    let test = "test = { kind = \"randomization\", draws = 499 }\n";
    let beside = "sensitivity_clusters = \"delivered-by\"\n";
    assert!(looked.contains(test) && looked.contains(beside));
    let clustered = looked.replace(test, "");
    let mut study = lived(&clustered.replace(beside, "clusters = \"delivered-by\"\n"));
    deliver(&mut study);
    let files = folder(&study, "final", LAST, &[(0, early)]);
    assert!(text_of(&files).contains("\nprimary/results/1/units_treated,"));
    all_alike("clustered-look", &files);
}

/// A primary analysis with a look that spends, by another estimator than the registered one.
fn looked_by((estimator, measure): (&str, &str), (summary, missing): (&str, &str)) -> String {
    let start = IUH.find("[[analysis]]\nid = \"primary\"").unwrap();
    let own = IUH[..start].replace("alpha = 0.0\n", "alpha = 0.01\n");
    format!(
        "{own}[[analysis]]\nid = \"primary\"\nlock = \"final\"\nlooks = [\"evaluation-2025\"]\noutcome = \"rereport\"\n{summary}estimand = {{ population = \"all\", strategy = \"treatment-policy\", measure = \"{measure}\" }}\nestimator = \"{estimator}\"\nmissing = {{ primary = \"{missing}\" }}\nrole = \"primary\"\nalpha = 0.05\n"
    )
}

/// A hazard ratio is looked at on the scale of its logarithm, a log-rank test by O − E and its variance, and a difference of two
/// proportions by its score test: at the look, at the end, and where the information did not rise.
#[test]
fn r_computes_looks_on_the_scale_of_the_effect() {
    let first_time = (
        "summary = \"first-time\"\nstrata = [\"site\"]\n",
        "censoring",
    );
    let any = ("summary = \"any\"\n", "complete-case");
    for (estimator, measure, own) in [
        ("cox", "hazard-ratio", first_time),
        ("log-rank", "test", first_time),
        ("risk-difference", "risk-difference", any),
    ] {
        let study = lived(&looked_by((estimator, measure), own));
        let early = Day(LAST.0 - 800);
        for (name, lock, cut, earlier) in [
            ("final", "final", LAST, &[(0, early)][..]),
            ("interim", "evaluation-2025", early, &[]),
            ("fallen", "final", LAST, &[(0, LAST)]),
        ] {
            let files = folder(&study, lock, cut, earlier);
            let looked = format!("\nprimary/looks/{lock}/critical_value,");
            assert!(text_of(&files).contains(&looked), "{estimator}: {name}");
            let by_stages = text_of(&files).contains("\nprimary/results/2/p_value,");
            assert!(by_stages || name != "final", "{estimator}");
            all_alike(&format!("{estimator}-{name}-look"), &files);
        }
    }
    // At a look while one arm had no event yet, which has a test and no standard error.
    let study = lived(&looked_by(("cox", "hazard-ratio"), first_time));
    let (protocol, state) = (&study.protocol, &study.state);
    let without_end = |cut: &Day| {
        let seen = look(protocol, state, *cut, &protocol.analyses[0]);
        seen.is_ok_and(|own| own.std_error.is_infinite())
    };
    let mut cuts = (1..2000).map(|days| Day(LAST.0 - days));
    let early = cuts.find(without_end).unwrap();
    let files = folder(&study, "final", LAST, &[(0, early)]);
    assert!(text(&files, "replicate.R").contains("ratios = c("));
    all_alike("cox-without-end-look", &files);
    // The look itself, and one more of the same families at the end.
    for (name, lock, earlier) in [
        ("interim", "evaluation-2025", &[][..]),
        ("final", "final", &[(0, early)]),
    ] {
        let files = folder(&study, lock, early, earlier);
        let results = text_of(&files);
        for number in [
            format!("looks/{lock}/z"),
            "results/1/level".to_owned(),
            "alpha".to_owned(),
        ] {
            assert!(
                results.contains(&format!("\nprimary/{number},")),
                "{number}"
            );
        }
        let limit = |name: &str| results.contains(&format!("\nprimary/results/1/conf_{name},"));
        assert!(limit("low") != limit("high"), "{name}");
        all_alike(&format!("cox-without-end-{name}"), &files);
    }
}

/// Every family of the control arm reported, no other: the model fits every outcome exactly, so that there is no standard error, and
/// redraws decide. At the look, at the end, and with the look before it R has the same.
#[test]
fn r_computes_looks_without_a_standard_error() {
    let own = (
        "summary = \"any\"\ntest = { kind = \"randomization\", draws = 199 }\n",
        "complete-case",
    );
    for estimator in ["difference-in-means", "linear"] {
        let registered = looked_by((estimator, "risk-difference"), own);
        let mut study = Study::new(protocol(&registered), 5);
        let first = study.protocol.first_opening();
        let mut families = Vec::new();
        for days in (0..400).step_by(20) {
            let day = first.plus(days);
            let answer = study.enrol(day, (days / 20 % 2) as usize, 0b0001, &[3, 4, 1]);
            if let Some((family, Answer::Allocated { arm, .. })) = answer {
                study.serve(family, Service::Closed, day.plus(10), day.plus(10));
                families.push((family, arm, day));
            }
        }
        assert!(families.len() > 12, "{}", families.len());
        for (family, arm, day) in families {
            if arm == study.protocol.control {
                study.report(family, day.plus(30), LAST);
            }
        }
        let early = Day(LAST.0 - 1);
        for (name, lock, cut, earlier) in [
            ("interim", "evaluation-2025", early, &[][..]),
            ("final", "final", LAST, &[(0, early)]),
        ] {
            let files = folder(&study, lock, cut, earlier);
            let results = text_of(&files);
            assert!(
                results.contains(&format!("\nprimary/looks/{lock}/z,-37.0\n")),
                "{results}"
            );
            let words = "ratios = c(\"below\"";
            assert!(text(&files, "replicate.R").contains(words), "{estimator}");
            all_alike(&format!("{estimator}-exact-{name}"), &files);
        }
    }
}

fn text_of(files: &[File]) -> &str {
    text(files, "results.csv")
}
