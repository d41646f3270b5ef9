//! `[allocation]` with `method = "minimization"`: what a protocol may say, and what it is told otherwise.

use lottning::allocation::Arm;
use lottning::protocol::model::{Factor, Protocol};
use lottning::protocol::parse;

const IUH: &str = include_str!("../../protocols/iuh-2025/protocol.toml");

/// The shipped protocol with another method; the first arm has a part of its own, earlier reports are cut at 3.
fn text(allocation: &str, part: u32) -> String {
    let (head, rest) = IUH.split_once("method = \"big-stick\"").unwrap();
    let (_, tail) = rest.split_once("\n\n").unwrap();
    format!("{head}{allocation}\n\n{tail}")
        .replacen("ratio = 1", &format!("ratio = {part}"), 1)
        .replacen(
            "id = \"earlier_reports\"",
            "id = \"earlier_reports\"\ncuts = [3]",
            1,
        )
}

fn valid(allocation: &str, part: u32) -> Protocol {
    let parsed = parse(text(allocation, part).as_bytes());
    let Some(protocol) = parsed.protocol else {
        panic!("{allocation}: {:#?}", parsed.diagnostics);
    };
    protocol
}

/// Codes of the errors, and the helps of the first.
fn refused(allocation: &str, part: u32) -> (Vec<&'static str>, String) {
    let parsed = parse(text(allocation, part).as_bytes());
    assert!(parsed.protocol.is_none(), "{allocation} is accepted");
    let all = parsed.diagnostics;
    let help = all
        .iter()
        .filter_map(|finding| finding.help.as_ref())
        .map(|help| help.en.clone())
        .collect::<Vec<_>>()
        .join("; ");
    (all.iter().map(|finding| finding.code).collect(), help)
}

#[test]
fn factors_are_read_like_strata() {
    let protocol = valid(
        "method = \"minimization\"\nstrata = [\"category\"]\nfactors = [\"site\", \"earlier_reports\"]\n\
         factor_weights = [2, 0.5]\nimbalance = \"variance\"\nprobability = 0.85",
        1,
    );
    let reports = protocol.field("earlier_reports").unwrap();
    assert_eq!(
        protocol.allocation.factors,
        [Factor::Site, Factor::Field(reports)]
    );
    assert_eq!(protocol.balanced_levels(), [5, 2]);
    assert_eq!(protocol.strata(), 5);
    // No strata, a list of one, and a method that balances nothing.
    let one = valid(
        "method = \"minimization\"\nstrata = []\nfactors = [\"site\"]",
        1,
    );
    assert_eq!((one.strata(), one.balanced_levels()), (1, vec![5]));
    let none = valid("method = \"simple\"\nstrata = []", 1);
    assert!(none.balanced_levels().is_empty() && none.cell(3, &[9; 16]) == 0);
}

#[test]
fn an_unequal_ratio_needs_the_switch() {
    let plain = "method = \"minimization\"\nstrata = []\nfactors = [\"site\"]";
    let (codes, help) = refused(plain, 2);
    assert_eq!(codes, ["ratio-not-preserved"]);
    assert!(help.contains("ratio_preserving = true"), "{help}");
    let no = format!("{plain}\nratio_preserving = false");
    assert_eq!(refused(&no, 2).0, ["ratio-not-preserved"]);
    let kept = valid(&format!("{plain}\nratio_preserving = true"), 2);
    assert_eq!(kept.allocation.ratio.parts(), [2, 1]);
    assert_eq!(kept.arm("iuh"), Some(Arm(0)));
    valid(&no, 1);
}

/// A weight beside nothing is refused; a switch for unequal parts is warned of where parts are equal, and harms nothing.
#[test]
fn what_has_no_effect_is_said() {
    let one = "method = \"minimization\"\nstrata = []\nfactors = [\"site\"]";
    let (codes, help) = refused(&format!("{one}\nfactor_weights = [2]"), 1);
    assert_eq!(codes, ["option-not-used"]);
    assert!(help.contains("leave `factor_weights` out"), "{help}");
    valid(&format!("{one}\nfactor_weights = [1]"), 1);
    let kept = format!("{one}\nratio_preserving = true");
    let warned = |part| {
        let found = parse(text(&kept, part).as_bytes());
        assert!(found.protocol.is_some(), "{:#?}", found.diagnostics);
        let mut all = found.diagnostics.iter();
        all.any(|own| own.code == "option-not-used" && !own.is_error())
    };
    assert!(warned(1) && !warned(2));
}

#[test]
fn what_a_protocol_cannot_say_is_told() {
    let minimized = |more: &str| format!("method = \"minimization\"\nstrata = [\"site\"]\n{more}");
    for (allocation, code, help) in [
        (minimized(""), "factors-needed", "name one to 8 factors"),
        (minimized("factors = []"), "factors-needed", ""),
        (
            minimized("factors = [\"categori\"]"),
            "unknown-reference",
            "category",
        ),
        (
            minimized("factors = [\"youngest_age\"]"),
            "strata-without-levels",
            "cuts",
        ),
        (
            minimized("factors = [\"site\", \"category\"]"),
            "factor-is-stratum",
            "not in both",
        ),
        (
            minimized("factors = [\"category\", \"category\"]"),
            "invalid-value",
            "factor_weights",
        ),
        (
            minimized("factors = [\"category\"]\nprobability = 0.4"),
            "invalid-value",
            "1/2",
        ),
        (
            minimized("factors = [\"category\"]\nprobability = \"5/4\""),
            "invalid-value",
            "",
        ),
        (
            minimized("factors = [\"category\"]\nimbalance = \"ranges\""),
            "invalid-value",
            "",
        ),
        (
            minimized("factors = [\"category\"]\nfactor_weights = [1, 2]"),
            "weights-not-per-factor",
            "",
        ),
        (
            minimized("factors = [\"category\"]\nfactor_weights = [0]"),
            "invalid-value",
            "",
        ),
        (
            minimized("factors = [\"category\"]\nratio_preserving = \"yes\""),
            "invalid-value",
            "",
        ),
        (
            minimized("factors = [\"category\"]\nprobabilty = 0.8"),
            "unknown-option",
            "probability",
        ),
        (minimized("factors = \"category\""), "wrong-type", ""),
        (
            "method = \"big-stick\"\nstrata = []\nfactors = [\"site\"]".to_owned(),
            "unknown-option",
            "",
        ),
    ] {
        let (codes, helps) = refused(&allocation, 1);
        assert!(codes.contains(&code), "{allocation}: {codes:?}");
        assert!(helps.contains(help), "{allocation}: {helps}");
    }
}
