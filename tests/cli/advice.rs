//! What `guessable` advises is taken by the program, and harder to guess: for each method and each ratio.

use super::place::two_arms;
use super::process::Folder;
use super::verifier::arms;

/// A method that is easily guessed, by its keys.
/// `F` is the shortest block beyond two that holds the ratio, `G` twice that.
const GUESSED: [(&str, &str); 9] = [
    ("permuted-block", "block_len = F"),
    ("permuted-block", "block_lens = [F, G]"),
    ("random-allocation", "list_len = F"),
    ("truncated-binomial", "list_len = G"),
    ("maximal", "max_imbalance = 1\nlist_len = 12"),
    ("big-stick", "max_imbalance = 1"),
    ("biased-coin", "bias = \"0.95\""),
    (
        "minimization",
        "factors = [\"site\"]\nprobability = \"0.95\"",
    ),
    ("urn", "urn = [0, 1]"),
];

/// Keys of one line each, a later value instead of an earlier.
fn with(keys: &str, change: &str) -> String {
    let name = |line: &str| line.split(" = ").next().unwrap_or_default().to_owned();
    let gone = |line: &&str| {
        name(line) != name(change) && !(name(change) == "block_lens" && name(line) == "block_len")
    };
    let kept: Vec<&str> = keys.lines().filter(gone).collect();
    format!("{}\n{change}", kept.join("\n"))
}

/// The settings between backquotes that an advice gives, each with its share of ten.
fn settings(help: &str) -> Vec<(Vec<String>, f64)> {
    help.split(", or use ")
        .filter_map(|part| {
            let (_, share) = part
                .split_once(" of ten right)")
                .map(|(own, _)| own.rsplit_once('('))??;
            let set = part.split('`').skip(1).step_by(2);
            let set = set.filter(|own| own.contains(" = ")).map(str::to_owned);
            // Of duplicates that nobody sees it is a bound.
            let share = share.strip_prefix("at most ").unwrap_or(share);
            Some((set.collect(), share.parse().unwrap()))
        })
        .collect()
}

/// What `check` says: the share of ten, and the advice if it warns.
fn check(
    folder: &Folder,
    parts: &[(&str, u32)],
    method: &str,
    keys: &str,
) -> Option<(f64, String)> {
    let text = two_arms();
    let (head, rest) = text.split_once("[[arm]]").unwrap();
    let (_, tail) = rest.split_once("[unit]").unwrap();
    let keys = match method {
        "minimization" if parts.iter().any(|(_, part)| *part != parts[0].1) => {
            format!("{keys}\nratio_preserving = true\nstrata = []")
        }
        "minimization" => format!("{keys}\nstrata = []"),
        _ => format!("{keys}\nstrata = [\"site\"]"),
    };
    let (before, allocation) = tail.split_once("method = \"big-stick\"").unwrap();
    let (_, after) = allocation.split_once("\n\n").unwrap();
    let own = arms(parts);
    let text = format!("{head}{own}\n[unit]{before}method = \"{method}\"\n{keys}\n\n{after}");
    folder.file("p.toml", text);
    let ran = folder.run("check p.toml --json");
    if ran.exit == 3 && ran.err.contains("ratio-not-preserved") {
        return None;
    }
    assert_eq!(ran.exit, 0, "{method} {keys}\n{}", ran.err);
    let found = ran.json();
    let share = found["predictability"]["best_share"]
        .as_f64()
        .map(|own| 10.0 * own);
    let warnings = found["warnings"].as_array().unwrap();
    let help = warnings.iter().find(|own| own["code"] == "guessable");
    let help = help.map(|own| own["help"].as_str().unwrap_or_default().to_owned());
    Some((share.unwrap(), help.unwrap_or_default()))
}

fn advised(parts: &[(&str, u32)]) -> usize {
    let folder = Folder::new();
    let mut taken = 0;
    let sum: u32 = parts.iter().map(|(_, part)| part).sum();
    let first = if sum == 2 { 4 } else { sum };
    for (method, keys) in GUESSED {
        let keys = keys.replace('F', &first.to_string());
        let keys = keys.replace('G', &(2 * first).to_string());
        let keys = keys.as_str();
        let Some((share, help)) = check(&folder, parts, method, keys) else {
            continue;
        };
        let all = settings(&help);
        // An urn forgets: over a hundred families it is little more than a coin.
        assert!(
            !all.is_empty() || method == "urn" && help.is_empty(),
            "{method} {parts:?}: {help}"
        );
        for (set, promised) in all {
            let named = |own: &String| {
                own.strip_prefix("method = ")
                    .map(|own| own.replace('"', ""))
            };
            let (method, keys) = match set.iter().find_map(named) {
                Some(other) => (other, set[1..].join("\n")),
                None => (method.to_owned(), with(keys, &set[0])),
            };
            let (better, _) = check(&folder, parts, &method, &keys)
                .unwrap_or_else(|| panic!("{method} {keys} is refused at {parts:?}: {help}"));
            assert!(better < share, "{method} {keys}: {better}, before {share}");
            assert!((better - promised).abs() <= 0.05 + 1e-9, "{better} {help}");
            taken += 1;
        }
    }
    taken
}

/// Four arms are followed as counts in descending order: 0.43183602624331 of a coin of 2/3 for 152 (own Python, the same sum
/// over sorted counts).
#[test]
fn with_four_arms_by_exact_figures() {
    let folder = Folder::new();
    let four = [("new", 1), ("more", 1), ("most", 1), ("usual", 1)];
    let (coin, _) = check(&folder, &four, "biased-coin", "bias = \"2/3\"").unwrap();
    assert!((coin - 4.318_360_262_433_1).abs() < 1e-9, "{coin}");
    let own = &folder.run("check p.toml --json").json()["predictability"];
    assert!(own["simulated"].is_null(), "{own}");
}

#[test]
fn with_two_equal_arms() {
    assert!(advised(&[("new", 1), ("usual", 1)]) >= 8);
}

/// Blocks, fixed numbers and minimization are what keeps 2:1.
#[test]
fn with_two_arms_at_two_to_one() {
    assert!(advised(&[("new", 2), ("usual", 1)]) >= 4);
}

#[test]
fn with_three_equal_arms() {
    assert!(advised(&[("new", 1), ("more", 1), ("usual", 1)]) >= 8);
}

/// At 2:1 arms stand for duplicates that nobody sees: what the arms tell of them is followed, in strata of big stick exactly or along
/// drawn lists, and only a bound is said to be one, in both languages. With equal arms nothing is hidden.
#[test]
fn what_hidden_duplicates_would_tell_is_said_as_a_bound() {
    let folder = Folder::new();
    let (unequal, equal) = ([("new", 2), ("usual", 1)], [("new", 1), ("usual", 1)]);
    for (parts, method, keys, hides) in [
        (unequal, "big-stick", "max_imbalance = 1", true),
        (unequal, "big-stick", "max_imbalance = 2", true),
        (equal, "big-stick", "max_imbalance = 1", false),
        (
            unequal,
            "minimization",
            "factors = [\"site\"]\nprobability = 1.0",
            true,
        ),
    ] {
        check(&folder, &parts, method, keys);
        let ran = folder.run("check p.toml --json");
        let own = &ran.json()["predictability"];
        assert_eq!(own["hides_duplicates"], hides, "{method}");
        let at_most = own["at_most"].as_bool().unwrap();
        assert!(!at_most || method == "minimization", "{own}");
        let english = folder.run("check p.toml").out;
        let swedish = folder.run("check p.toml --lang sv").out;
        for (said, bound, most) in [
            (
                english,
                "as if it were known which duplicate of an arm each lot stood for",
                "can guess at most ",
            ),
            (
                swedish,
                "som om det var känt vilken dubblett av en arm varje lott stod för",
                "kan gissa högst ",
            ),
        ] {
            assert_eq!(said.contains(bound), at_most, "{said}");
            assert_eq!(said.contains(most), at_most, "{said}");
        }
    }
}

/// A coin below 1 rules no arm out, so that nothing is certain, however many duplicates there are: exactly 0, which is no bound, in
/// `check` and in `draw --characteristics`.
#[test]
fn a_coin_that_rules_no_arm_out_leaves_nothing_certain() {
    let folder = Folder::new();
    check(
        &folder,
        &[("new", 63), ("usual", 1)],
        "biased-coin",
        "bias = \"2/3\"",
    );
    let own = folder.run("check p.toml --json").json();
    assert_eq!(own["predictability"]["forced_share"], 0.0, "{own}");
    for (lang, nothing, bound) in [
        ("en", " 0.0 % are certain beforehand", "at most 0.0 %"),
        ("sv", " 0,0 % är säkra i förväg", "högst 0,0 %"),
    ] {
        let said = folder.run(&format!("check p.toml --lang {lang}")).out;
        assert!(said.contains(nothing) && !said.contains(bound), "{said}");
    }
    let call = "draw --characteristics --method biased-coin --ratio 63:1 --n 128 --replicates 20";
    let forced = folder.run(&format!("{call} --json")).json()["forced_share"].clone();
    assert_eq!(forced["exact"], 0.0, "{forced}");
    let said = folder.run(call).out;
    assert!(
        !said.contains("share of forced allocations, at most"),
        "{said}"
    );
}

/// Eight arms have too many histories to follow: what is simulated is reported, warned of and advised against all the same. A
/// coin of 2/3 for strata of 152 has 2.84 of ten (own lists, 400 and 2,000, Python: 2.838 and 2.843).
#[test]
fn with_eight_arms_by_simulated_figures() {
    let folder = Folder::new();
    let eight = ["a", "b", "c", "d", "e", "f", "new", "usual"].map(|arm| (arm, 1));
    let (coin, help) = check(&folder, &eight, "biased-coin", "bias = \"2/3\"").unwrap();
    assert!((coin - 2.84).abs() < 0.05, "{coin}");
    let ran = folder.run("check p.toml --json");
    let own = &ran.json()["predictability"];
    // A coin below 1 rules no arm out: exactly none is certain.
    assert_eq!(own["forced_share"], 0.0);
    assert!(own["simulated"]["forced_share"].is_null());
    for part in ["correct_guess_share", "best_guess_share", "p_balanced"] {
        assert!(
            own[part].is_number() && own["simulated"][part].is_number(),
            "{own}"
        );
    }
    assert!(
        ran.err
            .contains("can guess 2.8 of the next ten families right, 1.2 by chance"),
        "{}",
        ran.err
    );
    let all = settings(&help);
    assert!(!all.is_empty(), "{help}");
    for (set, promised) in all {
        let (method, keys) = match set[0].strip_prefix("method = ") {
            Some(other) => (other.replace('"', ""), set[1].clone()),
            None => ("biased-coin".to_owned(), set[0].clone()),
        };
        let (better, _) = check(&folder, &eight, &method, &keys).unwrap();
        assert!(
            better < coin && (better - promised).abs() <= 0.05 + 1e-9,
            "{better} {help}"
        );
    }
    let said = folder.run("check p.toml").out;
    assert!(!said.contains("not computed exactly"), "{said}");
    for (method, keys) in [
        ("urn", "urn = [0, 1]"),
        ("random-allocation", "list_len = 120"),
    ] {
        let (share, _) = check(&folder, &eight, method, keys).unwrap();
        assert!(share > 1.25 && share < 10.0, "{method}: {share}");
    }
}
