//! Simulated operating characteristics against exact ones, for every registered method.

use lottning::allocation::{
    Characteristics, Figure, METHODS, Options, Ratio, Seed, characteristics,
};

fn seed() -> Seed {
    Seed::from_bytes([11; 32])
}

fn figures(found: &Characteristics) -> [(&'static str, Figure); 5] {
    [
        ("correct_guess_share", found.correct_guess_share),
        ("forced_share", found.forced_share),
        ("imbalance_variance", found.imbalance_variance),
        ("max_imbalance", found.max_imbalance),
        ("p_balanced", found.p_balanced),
    ]
}

/// The engine that follows every state and the engine that draws share the method's weights and nothing else.
#[test]
fn drawn_figures_agree_with_exact_ones() {
    for entry in METHODS {
        for setting in entry.accepts {
            let ratio = Ratio::new(setting.ratio).unwrap();
            let options = Options::of(setting.options);
            // A list of a method that must know its length has an even number of units, or a length of its own.
            let even = entry.needs_n && setting.options.iter().all(|(name, _)| *name != "list_len");
            for n in [if even { 8 } else { 7 }, if even { 4 * 9 } else { 30 }] {
                let found = characteristics(entry.id, &ratio, &options, n, 4000, &seed()).unwrap();
                for (name, figure) in figures(&found) {
                    let (value, mcse) = (figure.value.unwrap(), figure.mcse.unwrap());
                    let Some(exact) = figure.exact else {
                        // Of more hidden duplicates than eight not every state is followed, and of fewer not always all that
                        // somebody can think of them, on which the shares rest.
                        let hidden = found.hides_duplicates;
                        let rests = ["best_guess_share", "forced_share"].contains(&name);
                        assert!(
                            hidden && (rests || ratio.sum() > 8),
                            "{} {setting:?} n = {n}, {name}",
                            entry.id
                        );
                        continue;
                    };
                    // 1e-12 is for figures without any spread (a variance of 0, a sure share). A share that none of 4,000 lists,
                    // or every one, speaks for has no spread either: beyond four errors lies a chance of 3.17e-5 on each side,
                    // with which no list speaks for a share of 1 − .0000317^(1/4000) = .0025864 (Clopper and Pearson).
                    let share = name != "imbalance_variance" && name != "max_imbalance";
                    let silent = share && mcse <= 0.0 && (value <= 0.0 || value >= 1.0);
                    let slack = if silent { 0.002_586_5 } else { 1e-12 };
                    assert!(
                        (value - exact).abs() <= 4.0 * mcse + slack,
                        "{} {setting:?} n = {n}, {name}: {value} (mcse {mcse}) is not {exact}",
                        entry.id
                    );
                }
            }
        }
    }
}

/// A standard error says how far a figure is from the exact one: of normal figures a share of 6.3e-5 lies beyond four of
/// them, which is more than one of five hundred in one of two thousand settings. Where `D²` is
/// always 1 (one unit; an odd place in blocks of two; an odd unit of a big stick of 1), the variance is exactly 1.
#[test]
fn a_variance_is_seldom_beyond_four_of_its_standard_errors() {
    for (id, parts, options, n) in [
        ("simple", &[1, 1][..], &[][..], 1),
        ("permuted-block", &[1, 1], &[("block_len", "2")], 9),
        ("big-stick", &[1, 1], &[("max_imbalance", "1")], 51),
        ("big-stick", &[1, 1], &[("max_imbalance", "2")], 9),
        ("simple", &[1, 1], &[], 30),
        ("simple", &[2, 1], &[], 1),
        ("simple", &[1, 1, 1], &[], 4),
    ] {
        let (ratio, options) = (Ratio::new(parts).unwrap(), Options::of(options));
        let (mut far, seeds) = (0, 500_u32);
        for number in 0..seeds {
            let mut bytes = [3; 32];
            bytes[..4].copy_from_slice(&number.to_le_bytes());
            let seed = Seed::from_bytes(bytes);
            let found = characteristics(id, &ratio, &options, n, 400, &seed).unwrap();
            let figure = found.imbalance_variance;
            let (value, mcse) = (figure.value.unwrap(), figure.mcse.unwrap());
            far += u32::from((value - figure.exact.unwrap()).abs() > 4.0 * mcse + 1e-12);
        }
        assert!(far <= 1, "{id} {parts:?} n = {n}: {far} of {seeds}");
    }
}

#[test]
fn figures_do_not_depend_on_threads() {
    let ratio = Ratio::new(&[2, 1]).unwrap();
    let options = Options::of(&[("block_lens", "3,6")]);
    let run = |threads| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        pool.install(|| {
            characteristics("permuted-block", &ratio, &options, 40, 1000, &seed()).unwrap()
        })
    };
    assert_eq!(run(1), run(2));
    assert_eq!(run(1), run(7));
}

/// What one replicate cannot say is absent, never a number that is none.
#[test]
fn one_replicate_has_no_spread() {
    let ratio = Ratio::new(&[1, 1]).unwrap();
    let found = characteristics("simple", &ratio, &Options::default(), 10, 1, &seed()).unwrap();
    assert!(
        figures(&found)
            .iter()
            .all(|(_, figure)| figure.mcse.is_none())
    );
    assert_eq!(found.imbalance_variance.value, None);
    assert!(found.correct_guess_share.value.is_some());
}

/// What needs too many states is given up, never answered with something near it: the urn of four arms can be in about k³
/// states after k units. Figures are given up one by one: simple randomization in four equal parts keeps those that have a
/// closed form (a guess is right once in four, no arm is forced, all counts are 100 with a multinomial chance), and no other.
#[test]
fn what_is_not_feasible_is_absent() {
    let ratio = Ratio::new(&[1, 1, 1, 1]).unwrap();
    let options = Options::default();
    for (id, closed) in [
        ("urn", &[][..]),
        (
            "simple",
            &["correct_guess_share", "forced_share", "p_balanced"],
        ),
    ] {
        let found = characteristics(id, &ratio, &options, 400, 20, &seed()).unwrap();
        for (name, figure) in figures(&found) {
            assert_eq!(
                figure.exact.is_some(),
                closed.contains(&name),
                "{id} {name}"
            );
            assert!(
                figure.value.is_some() && figure.mcse.is_some(),
                "{id} {name}"
            );
        }
    }
}
