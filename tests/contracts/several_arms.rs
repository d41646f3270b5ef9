//! More than two arms: each is compared with control by itself, with its own test, and several comparisons are adjusted together.

use crate::made_up::{IUH, LAST, Study, protocol};
use crate::registered::lived;
use lottning::analysis::multiplicity::{benjamini_hochberg, fixed_sequence, holm};
use lottning::analysis::results::{Analyses, AnalysisResult};
use lottning::analysis::{Plan, RunSettings, run};
use lottning::app::analyse::body;
use lottning::diagnostic::Lang;
use lottning::protocol::parse;
use serde_json::Value;

/// The registered protocol with a third arm.
pub(crate) fn three_arms(text: &str) -> String {
    let third =
        "[[arm]]\nid = \"letter\"\nlabel = { sv = \"Brev\", en = \"Letter\" }\nratio = 1\n\n";
    text.replace("[unit]\n", &format!("{third}[unit]\n")).replace(
        "method = \"big-stick\"                            # families and staff know the arm, so a method that is hard to guess\nmax_imbalance = 4",
        "method = \"permuted-block\"\nblock_len = 6",
    )
}

fn analysis(id: &str, role: &str, outcome: &str, rest: &str) -> String {
    format!(
        "[[analysis]]\nid = \"{id}\"\nlock = \"final\"\nrole = \"{role}\"\noutcome = \"{outcome}\"\nsummary = \"any\"\nestimand = {{ population = \"all\", strategy = \"treatment-policy\", measure = \"risk-difference\" }}\n{rest}"
    )
}

const LINEAR: &str = "estimator = \"linear\"\ncovariates = [\"earlier_reports\"]\nmissing = { primary = \"complete-case\" }\n";
const BOUNDS: &str = "estimator = \"manski-bounds\"\nmissing = { primary = \"bounds\" }\n";

/// Two secondary analyses, two exploratory ones and, if asked, bounds among both.
fn several(rules: &str, bounds: bool) -> Study {
    let start = IUH.find("[[analysis]]\nid = \"acceptance\"").unwrap();
    let mut text = IUH[..start].replace("draws = 10000", "draws = 199");
    text += &analysis("one", "secondary", "rereport", LINEAR);
    if bounds {
        text += &analysis("bounds", "secondary", "rereport", BOUNDS);
        text += &analysis("wide", "exploratory", "rereport", BOUNDS);
    }
    text += &analysis("two", "secondary", "rereport_without_staff", LINEAR);
    text += &analysis("three", "exploratory", "rereport", LINEAR);
    text += &analysis("four", "exploratory", "rereport_from_day_123", LINEAR);
    lived(&(three_arms(&text) + rules))
}

fn analysed(study: &Study) -> Analyses {
    let (protocol, state) = (&study.protocol, &study.state);
    let plan = Plan::registered(protocol, 1);
    run(protocol, state, &plan, LAST, &RunSettings::default())
}

fn named<'a>(found: &'a Analyses, id: &str) -> &'a AnalysisResult {
    found.analyses.iter().find(|own| own.id == id).unwrap()
}

/// The deciding, the adjusted and the q of each comparison of some analyses.
fn numbers(found: &Analyses, ids: &[&str]) -> [Vec<Option<f64>>; 3] {
    let mut own = [Vec::new(), Vec::new(), Vec::new()];
    for id in ids {
        let result = named(found, id);
        assert_eq!(result.comparisons(), 2);
        for place in 0..2 {
            let compared = result.compared(place);
            own[0].push(compared.deciding_p());
            own[1].push(compared.p_adjusted);
            own[2].push(compared.q_value);
        }
    }
    own
}

fn all(p: &[Option<f64>]) -> Vec<f64> {
    p.iter().map(|p| p.unwrap()).collect()
}

/// Holm over the two comparisons of the primary analysis without a word about it: by hand twice the smaller p, and the larger
/// of that and the other. Over the four of the secondary analyses by the rule, in the file's order. Bounds have no p and do not
/// count, neither there nor among q-values.
#[test]
fn each_comparison_has_a_p_of_its_own_and_its_family_is_adjusted() {
    for (rules, rule) in [
        ("[multiplicity]\nsecondary = \"holm\"\n", "Holm"),
        (
            "[multiplicity]\nsecondary = \"fixed-sequence\"\nprimary = \"fixed-sequence\"\n",
            "sequence",
        ),
        (
            "[multiplicity]\nsecondary = \"none\"\nprimary = \"none\"\n",
            "",
        ),
    ] {
        let found = analysed(&several(rules, true));
        let [own, adjusted, _] = numbers(&found, &["primary"]);
        let p = all(&own);
        assert!(named(&found, "primary").further[0].test.is_some());
        match rule {
            "Holm" => {
                let least = (2.0 * p[0].min(p[1])).min(1.0);
                let by_hand = p.iter().map(|p| Some(least.max(*p)));
                assert_eq!(adjusted, by_hand.collect::<Vec<_>>());
            }
            "sequence" => assert_eq!(adjusted, [Some(p[0]), Some(p[0].max(p[1]))]),
            _ => assert_eq!(adjusted, [None, None]),
        }
        let [own, adjusted, q] = numbers(&found, &["one", "two"]);
        assert_eq!(q, [None; 4]);
        let p = all(&own);
        match rule {
            "Holm" => assert_eq!(all(&adjusted), holm(&p)),
            "sequence" => assert_eq!(all(&adjusted), fixed_sequence(&p)),
            _ => assert_eq!(adjusted, [None; 4]),
        }
        let [own, adjusted, q] = numbers(&found, &["three", "four"]);
        assert_eq!(adjusted, [None; 4]);
        assert_eq!(all(&q), benjamini_hochberg(&all(&own)));
        for id in ["bounds", "wide"] {
            let [own, adjusted, q] = numbers(&found, &[id]);
            assert_eq!(
                (own, adjusted, q),
                (vec![None; 2], vec![None; 2], vec![None; 2])
            );
        }
        // The same without any bounds; redraws have another key there.
        let without = analysed(&several(rules, false));
        for ids in [["one", "two"], ["three", "four"]] {
            assert_eq!(numbers(&found, &ids)[0], numbers(&without, &ids)[0]);
            assert_eq!(numbers(&found, &ids)[2], numbers(&without, &ids)[2]);
            assert_eq!(numbers(&found, &ids)[1], numbers(&without, &ids)[1]);
        }
        let primary = named(&found, "primary");
        let said: Vec<_> = primary.conclusions().collect();
        assert_eq!(said.len(), 2);
        for (words, (en, sv)) in said.iter().zip([
            (
                "Intensified home investigation",
                "Intensifierad utredning i hemmiljö",
            ),
            ("Letter", "Brev"),
        ]) {
            assert!(
                words.en.contains(&format!("families allocated to {en} ")),
                "{}",
                words.en
            );
            assert!(
                words.sv.contains(&format!("lottade till {sv} ")),
                "{}",
                words.sv
            );
            let adjusted = format!("{rule}-adjusted p");
            assert_eq!(
                words.en.contains(&adjusted),
                !rule.is_empty(),
                "{}",
                words.en
            );
            assert!(words.en.contains("The registered test"), "{}", words.en);
        }
    }
}

/// Rows know their comparison, those beside the result too, and JSON names the arm.
#[test]
fn rows_and_json_say_of_which_comparison_they_are() {
    let study = several("[multiplicity]\nsecondary = \"holm\"\n", false);
    let found = analysed(&study);
    let primary = named(&found, "primary");
    for (row, estimate) in primary.results.iter().enumerate() {
        let arm = estimate.extra.get("arm").and_then(Value::as_str);
        let letter = estimate.term.starts_with("letter") || arm == Some("letter");
        let named = estimate.term.contains(" vs ") || arm.is_some();
        let place = primary.comparison_of(row);
        assert!(!named || letter == (place == 1), "{row} {estimate:?}");
    }
    let json = body(&study.protocol, &found, Lang::Sv);
    let further = &json["analyses"][0]["further_comparisons"];
    assert_eq!(further.as_array().unwrap().len(), 1);
    assert_eq!(further[0]["arm"], "letter");
    let test = primary.further[0].test.as_ref().unwrap();
    assert_eq!(further[0]["test"]["p_value"], test.p_value);
    assert!(further[0]["p_adjusted"].is_f64());
    assert!(further[0]["conclusion"].as_str().unwrap().contains("Brev"));
    // With two arms there is no such list.
    let two = lived(&IUH.replace("draws = 10000", "draws = 99"));
    let json = body(&two.protocol, &analysed(&two), Lang::En);
    assert!(json["analyses"][0].get("further_comparisons").is_none());
}

/// There is no rule by which several arms share what a look spends, and `check` says so.
#[test]
fn looks_of_several_arms_are_refused_at_registration() {
    let text = IUH
        .replace("alpha = 0.0 ", "alpha = 0.01 ")
        .replace("alpha = 0.0\n", "alpha = 0.01\n")
        .replace(
            "id = \"primary\"\nlock = \"final\"\n",
            "id = \"primary\"\nlock = \"final\"\nlooks = [\"evaluation-2025\"]\n",
        );
    assert!(parse(text.as_bytes()).protocol.is_some());
    let found = parse(three_arms(&text).as_bytes());
    assert!(found.protocol.is_none());
    let codes: Vec<_> = found.diagnostics.iter().map(|own| own.code).collect();
    assert!(codes.contains(&"look-of-several-arms"), "{codes:?}");
}

/// An exploratory analysis concludes nothing, whatever its p.
#[test]
fn exploratory_analyses_decide_nothing() {
    let found = analysed(&several("[multiplicity]\nsecondary = \"holm\"\n", true));
    for id in ["three", "four", "wide"] {
        for words in named(&found, id).conclusions() {
            assert!(
                words
                    .en
                    .contains("exploratory: it raises questions and decides nothing")
            );
            assert!(
                words
                    .sv
                    .contains("explorativ: den väcker frågor och avgör ingenting")
            );
            for (en, sv) in [("speaks for", "talar för"), ("open (p", "öppen (p")] {
                assert!(
                    !words.en.contains(en) && !words.sv.contains(sv),
                    "{words:?}"
                );
            }
        }
    }
    let three = named(&found, "three");
    let words = &three.conclusion.en;
    assert!(
        words.contains("(p = ") || words.contains("(p < "),
        "{words}"
    );
    assert!(words.contains(", q "), "{words}");
    assert!(protocol(IUH).arms.len() == 2);
}
