//! Laws of protocols: reading never panics and is all or nothing; days, levels and rules keep their promises.

use jiff::civil::date;
use lottning::diagnostic::Diagnostic;
use lottning::protocol::model::{Day, Factor, FieldKind, Protocol, decimal};
use lottning::protocol::rule::{Comparison, Rule};
use lottning::protocol::{Parsed, parse, vocabulary};
use proptest::prelude::{Strategy, any, prop_assert, prop_assert_eq, proptest};
use proptest::sample::Index;

const SHIPPED: &str = include_str!("../../protocols/iuh-2025/protocol.toml");
const TWO_ARMS: &str = include_str!("../../protocols/two-arms/protocol.toml");

fn sound(parsed: &Parsed, length: usize) {
    let errors = parsed.diagnostics.iter().any(Diagnostic::is_error);
    assert_eq!(
        parsed.protocol.is_none(),
        errors,
        "a protocol exists if and only if no finding is an error"
    );
    for finding in &parsed.diagnostics {
        assert!(!finding.message.en.is_empty() && !finding.message.sv.is_empty());
        assert!(
            finding.help.is_some(),
            "{} does not say what to do next",
            finding.code
        );
        if let Some(span) = finding.place.as_ref().and_then(|place| place.span.clone()) {
            assert!(
                span.start <= span.end && span.end <= length,
                "{} points outside the file",
                finding.code
            );
        }
    }
}

/// The shipped protocol with a rule of its own and one field of each kind, stratified by all that can be.
fn rich(rule: &str) -> String {
    let fields = r#"
[[field]]
id = "weight"
kind = "number"
places = 2
range = [0.5, 20.25]
cuts = [2.5, 10.25]

[[field]]
id = "known"
kind = "yes-no"
"#;
    TWO_ARMS
        .replace(
            "kind = \"count\"\n",
            "kind = \"count\"\nrange = [0, 40]\ncuts = [1, 3]\n",
        )
        .replace(
            "strata = [\"site\"]",
            "strata = [\"site\", \"earlier_reports\", \"weight\", \"known\"]",
        )
        .replace(
            "[[criterion]]",
            &format!(
                "{fields}\n[[criterion]]\nid = \"computed\"\nrule = '''{rule}'''\n\n[[criterion]]"
            ),
        )
}

fn valid(text: &str) -> Protocol {
    let parsed = parse(text.as_bytes());
    let errors: Vec<_> = parsed
        .diagnostics
        .iter()
        .filter(|finding| finding.is_error())
        .collect();
    parsed.protocol.unwrap_or_else(|| panic!("{errors:#?}"))
}

/// The rule that the protocol compiled, and its text rebuilt.
fn compiled(rule: &str) -> Rule {
    let protocol = valid(&rich(rule));
    let found = protocol
        .criteria
        .iter()
        .find_map(|criterion| match &criterion.check {
            lottning::protocol::model::Check::Rule { rule, .. } => Some(rule.clone()),
            lottning::protocol::model::Check::Ask { .. } => None,
        });
    found.unwrap()
}

/// The text of a rule over `earlier_reports` (field 0) and `known` (field 2), fully bracketed.
fn text(rule: &Rule) -> String {
    let joined = |rules: &[Rule], word: &str| {
        format!(
            "({})",
            rules.iter().map(text).collect::<Vec<_>>().join(word)
        )
    };
    match rule {
        Rule::Compare {
            field: 2,
            comparison,
            value,
        } => format!(
            "known {} {}",
            if *comparison == Comparison::Equal {
                "=="
            } else {
                "!="
            },
            if *value == 1 { "yes" } else { "no" }
        ),
        Rule::Compare {
            comparison, value, ..
        } => {
            let sign = match comparison {
                Comparison::Equal => "=",
                Comparison::NotEqual => "!=",
                Comparison::Less => "<",
                Comparison::AtMost => "<=",
                Comparison::Greater => ">",
                Comparison::AtLeast => ">=",
            };
            format!("earlier_reports {sign} {value}")
        }
        Rule::And(rules) => joined(rules, " and "),
        Rule::Or(rules) => joined(rules, " or "),
        Rule::Not(rule) => format!("not ({})", text(rule)),
    }
}

fn rules() -> impl Strategy<Value = Rule> {
    let signs = [
        Comparison::Equal,
        Comparison::NotEqual,
        Comparison::Less,
        Comparison::AtMost,
        Comparison::Greater,
        Comparison::AtLeast,
    ];
    let leaf = (any::<bool>(), 0_usize..6, 0_i64..40).prop_map(move |(count, sign, value)| {
        if count {
            Rule::Compare {
                field: 0,
                comparison: signs[sign],
                value,
            }
        } else {
            Rule::Compare {
                field: 2,
                comparison: signs[sign % 2],
                value: value % 2,
            }
        }
    });
    leaf.prop_recursive(4, 24, 3, |inner| {
        proptest::prop_oneof![
            proptest::collection::vec(inner.clone(), 2..4).prop_map(Rule::And),
            proptest::collection::vec(inner.clone(), 2..4).prop_map(Rule::Or),
            inner.prop_map(|rule| Rule::Not(Box::new(rule))),
        ]
    })
}

proptest! {
    #[test]
    fn any_bytes_are_read_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        sound(&parse(&bytes), bytes.len());
    }

    #[test]
    fn any_text_after_the_version_is_read_without_a_panic(text in "\\PC{0,200}") {
        let text = format!("lottning = 1\n{text}");
        sound(&parse(text.as_bytes()), text.len());
    }

    #[test]
    fn a_damaged_protocol_is_read_without_a_panic(
        edits in proptest::collection::vec((any::<Index>(), any::<u8>(), 0_u8..4), 1..6),
    ) {
        let mut bytes = SHIPPED.as_bytes().to_vec();
        for (at, byte, kind) in edits {
            // Cut to one byte and that one removed: nothing is left to edit.
            if bytes.is_empty() { break; }
            let at = at.index(bytes.len());
            match kind {
                0 => bytes[at] = byte,
                1 => { bytes.remove(at); }
                2 => bytes.insert(at, byte),
                _ => bytes.truncate(at.max(1)),
            }
        }
        sound(&parse(&bytes), bytes.len());
    }

    #[test]
    fn a_protocol_without_some_lines_is_read_without_a_panic(
        drop in proptest::collection::vec(any::<Index>(), 1..8),
        twice in proptest::option::of(any::<Index>()),
    ) {
        let mut lines: Vec<&str> = SHIPPED.lines().collect();
        for at in drop {
            lines.remove(at.index(lines.len()));
        }
        if let Some(at) = twice {
            let at = at.index(lines.len());
            lines.insert(at, lines[at]);
        }
        let text = lines.join("\n");
        sound(&parse(text.as_bytes()), text.len());
    }

    #[test]
    fn a_rule_means_what_its_text_says(rule in rules(), count in 0_i64..40, known in 0_i64..2) {
        let again = compiled(&text(&rule));
        let values = [count, 100, known];
        prop_assert_eq!(again.holds(&values), rule.holds(&values), "{}", text(&rule));
    }

    #[test]
    fn a_day_is_its_date(day in -719_162_i32..2_932_896) {
        // 0001-01-01 and 9999-12-31.
        let date = Day(day).date().unwrap();
        prop_assert_eq!(Day::of(date), Day(day));
        prop_assert_eq!(Day(day).plus(3).since(Day(day)), 3);
    }

    #[test]
    fn a_stratum_is_its_levels(site in 0_usize..2, count in 0_i64..=40, weight in 50_i64..=2025, known in 0_i64..2) {
        let protocol = valid(&rich("earlier_reports >= 2"));
        let values = [count, weight, known];
        let stratum = protocol.stratum(site, &values);
        prop_assert!(stratum < protocol.strata());
        let levels: Vec<String> = protocol
            .allocation
            .strata
            .iter()
            .map(|factor| protocol.level_text(*factor, protocol.level(*factor, site, &values)))
            .collect();
        prop_assert_eq!(protocol.stratum_levels(stratum), levels);
    }

    #[test]
    fn a_canonical_decimal_reads_back(value in -1_000_000_000_i64..1_000_000_000, places in 0_u8..7) {
        let text = decimal(value, places);
        let exact = value as f64 / 10_f64.powi(i32::from(places));
        prop_assert!((text.parse::<f64>().unwrap() - exact).abs() <= 1e-9 * exact.abs().max(1.0));
        prop_assert!(!text.contains('.') || !text.ends_with('0'));
        prop_assert!(text != "-0");
    }
}

/// Every key of the shipped protocol with every value of another type or size.
#[test]
fn every_value_of_another_type_is_read_without_a_panic() {
    let values = [
        "1",
        "-1",
        "0.5",
        "true",
        "\"\"",
        "\"x\"",
        "2025-01-01",
        "[]",
        "[1, \"x\"]",
        "{}",
        "{ a = 1 }",
        "9223372036854775807",
        "0xff",
        "1e300",
        "nan",
        "inf",
        "07:00:00",
        "2025-01-01T07:00:00Z",
        "[[1]]",
        "{ sv = 1, en = [] }",
    ];
    let lines: Vec<&str> = SHIPPED.lines().collect();
    for (at, line) in lines.iter().enumerate() {
        let Some((key, _)) = line.split_once('=').filter(|_| !line.starts_with('#')) else {
            continue;
        };
        for value in values {
            let changed = format!("{key}= {value}");
            let mut text = lines.clone();
            text[at] = &changed;
            let text = text.join("\n");
            sound(&parse(text.as_bytes()), text.len());
        }
    }
}

#[test]
fn every_stratum_has_its_own_levels() {
    let protocol = valid(&rich("earlier_reports >= 2"));
    assert_eq!(protocol.strata(), 2 * 3 * 3 * 2);
    let mut all: Vec<_> = (0..protocol.strata())
        .map(|stratum| protocol.stratum_levels(stratum))
        .collect();
    all.sort();
    all.dedup();
    assert_eq!(all.len(), protocol.strata());
}

#[test]
fn levels_by_hand() {
    let protocol = valid(&rich("earlier_reports >= 2"));
    let texts = |factor: Factor| -> Vec<String> {
        (0..protocol.factor_levels(factor))
            .map(|level| protocol.level_text(factor, level))
            .collect()
    };
    // A count with the cuts 1 and 3: one value alone is written alone.
    assert_eq!(texts(Factor::Field(0)), ["0", "1-2", "3+"]);
    assert_eq!(
        texts(Factor::Field(1)),
        ["0.5-<2.5", "2.5-<10.25", "10.25+"]
    );
    assert_eq!(texts(Factor::Field(2)), ["yes", "no"]);
    assert_eq!(texts(Factor::Site), ["north", "south"]);
    assert_eq!(protocol.level(Factor::Field(0), 0, &[2, 0, 0]), 1);
    assert_eq!(protocol.level(Factor::Field(0), 0, &[3, 0, 0]), 2);
    assert_eq!(protocol.level(Factor::Field(1), 0, &[0, 250, 0]), 1); // a cut is the least value of its level
    assert!(matches!(
        protocol.fields[1].kind,
        FieldKind::Number {
            places: 2,
            range: (50, 2025),
            ..
        }
    ));
}

#[test]
fn rules_by_hand() {
    // `and` binds closer than `or`, and `not` closer than both.
    let rule = compiled("earlier_reports < 2 or not known = yes and earlier_reports >= 30");
    assert!(rule.holds(&[1, 0, 1]));
    assert!(!rule.holds(&[10, 0, 0]));
    assert!(rule.holds(&[30, 0, 0]));
    assert!(!rule.holds(&[30, 0, 1]));
    // Decimals are compared exactly: 2.5 is 250 hundredths.
    let rule = compiled("weight > 2.5");
    assert!(!rule.holds(&[0, 250, 0]) && rule.holds(&[0, 251, 0]));
}

#[test]
fn an_error_in_a_rule_points_into_its_text() {
    let text = rich("earlier_reports >= 2 and colour == 3");
    let parsed = parse(text.as_bytes());
    let found = parsed
        .diagnostics
        .iter()
        .find(|finding| Diagnostic::is_error(finding));
    let span = found.unwrap().place.as_ref().unwrap().span.clone().unwrap();
    assert_eq!(&text[span], "colour");
    // A rule of a thousand brackets is refused, not followed.
    let deep = format!(
        "{}earlier_reports > 1{}",
        "(".repeat(1000),
        ")".repeat(1000)
    );
    assert!(parse(rich(&deep).as_bytes()).protocol.is_none());
    assert!(
        parse(rich(&"not ".repeat(5000)).as_bytes())
            .protocol
            .is_none()
    );
}

#[test]
fn days_by_hand() {
    assert_eq!(Day::of(date(1970, 1, 1)), Day(0));
    assert_eq!(Day::of(date(2000, 3, 1)), Day(11_017)); // 30 years, 7 leap days before, 31 + 29 days: 10950 + 7 + 60
    assert_eq!(Day::of(date(1969, 12, 31)), Day(-1));
}

#[test]
fn all_findings_come_at_once_in_the_order_of_the_file() {
    let text = SHIPPED
        .replace("custody       = \"single-user\"", "custody = \"nobody\"")
        .replace("method = \"big-stick\"", "method = \"big-stik\"")
        .replacen("role = \"secondary\"", "role = \"third\"", 1);
    let parsed = parse(text.as_bytes());
    let starts: Vec<usize> = parsed
        .diagnostics
        .iter()
        .filter_map(|finding| finding.place.as_ref()?.span.as_ref().map(|span| span.start))
        .collect();
    assert_eq!(starts.len(), 3);
    assert!(starts.is_sorted());
}

#[test]
fn a_byte_order_mark_and_windows_line_ends_are_no_error() {
    let text = format!("\u{feff}{}", SHIPPED.replace('\n', "\r\n"));
    let parsed = parse(text.as_bytes());
    assert_eq!(parsed.diagnostics, Vec::new());
    // The hash is of the bytes as they are, so it is another protocol.
    assert_ne!(parsed.protocol.unwrap().hash, valid(SHIPPED).hash);
}

#[test]
fn the_vocabulary_is_documented() {
    let page = include_str!("../../docs/protocol.md");
    for (section, keys) in vocabulary() {
        for key in keys {
            assert!(
                page.contains(&format!("`{key}`")),
                "{key} of {section} is not in docs/protocol.md"
            );
        }
    }
    for entry in lottning::allocation::METHODS {
        assert!(
            page.contains(&format!("`{}`", entry.id)),
            "{} is not in docs/protocol.md",
            entry.id
        );
        for option in entry.options {
            assert!(
                page.contains(&format!("`{}`", option.name)),
                "{} is not in docs/protocol.md",
                option.name
            );
        }
    }
}

/// The table of docs/protocol.md is the table by which commands are refused.
#[test]
fn the_table_of_deeds_is_the_one_that_the_page_prints() {
    let page = include_str!("../../docs/protocol.md");
    for (_, name, roles) in lottning::app::permission::DEEDS {
        let roles: Vec<&str> = roles.iter().map(|role| role.text()).collect();
        let line = format!("| `{name}` | {} |\n", roles.join(", "));
        assert!(page.contains(&line), "docs/protocol.md lacks {line}");
    }
    let (_, table) = page.split_once("| deed | roles |\n|---|---|\n").unwrap();
    let lines = table.lines().take_while(|line| line.starts_with('|'));
    assert_eq!(lines.count(), lottning::app::permission::DEEDS.len());
}
