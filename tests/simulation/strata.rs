//! What is printed of a list with strata comes with the error that it has: over many seeds the figures spread as their Monte
//! Carlo errors say.

use lottning::allocation::{
    Characteristics, Figure, Levels, Options, Ratio, Seed, Stratified, stratified_characteristics,
};

/// Seeds, each with as many drawn lists of every stratum.
const SEEDS: u32 = 300;
const LISTS: u64 = 40;

/// Strata of 4, 8, 4, 5, 4 and 8 units: two kinds of several alike ones, and one alone. Units of all strata come in turn. None is
/// so short that its imbalance has but two values, all but equally likely: the variance of these has no error of the order 1/√R,
/// and the one that is said is a cautious one.
fn arrivals() -> Vec<(usize, Levels)> {
    let sizes = [4, 8, 4, 5, 4, 8];
    (0..8)
        .flat_map(|round| {
            let open = sizes.into_iter().enumerate();
            open.filter(move |(_, size)| *size > round)
        })
        .map(|(stratum, _)| (stratum, Levels::default()))
        .collect()
}

/// A method with a ratio and options.
type Setting<'a> = (&'a str, &'a [u64], &'a [(&'a str, &'a str)]);

/// Each figure with its name and the number of lists that it is from.
fn figures(found: &Stratified) -> Vec<(String, Figure, f64)> {
    let of = |name: &str, own: &Characteristics, strata: usize| {
        let lists = LISTS as f64 * strata as f64;
        [
            ("correct_guess_share", own.correct_guess_share),
            ("best_guess_share", own.best_guess_share),
            ("forced_share", own.forced_share),
            ("imbalance_variance", own.imbalance_variance),
            ("max_imbalance", own.max_imbalance),
            ("p_balanced", own.p_balanced),
        ]
        .map(|(figure, own)| (format!("{name}: {figure}"), own, lists))
    };
    let mut all = of("all strata", &found.whole, 1).to_vec();
    let guesses = found.correct_guesses;
    all.push(("all strata: correct_guesses".into(), guesses, LISTS as f64));
    for own in &found.alike {
        let name = format!("strata {:?}", own.strata);
        all.extend(of(&name, &own.characteristics, own.strata.len()));
    }
    all
}

/// Mean and its squared standard error.
fn mean(values: &[f64]) -> (f64, f64) {
    let number = values.len() as f64;
    let mean = values.iter().sum::<f64>() / number;
    let squares: f64 = values.iter().map(|own| (own - mean).powi(2)).sum();
    (mean, squares / (number - 1.0) / number)
}

/// The square of the error of a mean and of a variance is unbiased, so over seeds its mean is the variance of the figure; that of a
/// probability is p(1 − p)/R, lower by a part of 1/R. Both are means over seeds, of the error squared and of the squared distance from
/// the mean, and differ by no more than four standard errors of their difference. The error of a variance is never taken to be below what it
/// is of two equally likely values, 2σ⁴/(R(R − 1)): so much may be said more, and none less. The figure itself is within four
/// standard errors of the exact one. Errors of strata that are followed with the same lists, or of alike strata that are taken for
/// lists of their own, would not agree.
#[test]
fn figures_of_strata_spread_as_their_errors_say() {
    let settings: [Setting<'_>; 9] = [
        ("permuted-block", &[1, 1], &[("block_lens", "2,4")]),
        ("permuted-block", &[2, 1, 1], &[("block_len", "4")]),
        ("big-stick", &[1, 1], &[("max_imbalance", "2")]),
        ("simple", &[2, 1], &[]),
        ("urn", &[1, 1, 1], &[("urn", "1,1")]),
        ("biased-coin", &[2, 1], &[("bias", "1")]),
        ("big-stick", &[2, 1], &[("max_imbalance", "1")]),
        ("truncated-binomial", &[2, 1], &[("list_len", "6")]),
        ("maximal", &[2, 1], &[("list_len", "6")]),
    ];
    let arrivals = arrivals();
    for (id, parts, options) in settings {
        let (ratio, options) = (Ratio::new(parts).unwrap(), Options::of(options));
        let found: Vec<Vec<(String, Figure, f64)>> = (0..SEEDS)
            .map(|number| {
                let mut bytes = [17; 32];
                bytes[..4].copy_from_slice(&number.to_le_bytes());
                let seed = Seed::from_bytes(bytes);
                let own = stratified_characteristics(id, &ratio, &options, &arrivals, LISTS, &seed);
                figures(&own.unwrap())
            })
            .collect();
        for (place, (name, first, lists)) in found[0].iter().enumerate() {
            let is_variance = name.ends_with("imbalance_variance");
            let name = format!("{id} {parts:?} {name}");
            let of = |own: fn(&Figure) -> f64| -> Vec<f64> {
                found.iter().map(|seed| own(&seed[place].1)).collect()
            };
            let (value, error) = mean(&of(|own| own.value.unwrap()));
            if let Some(exact) = first.exact {
                let away = (value - exact).abs();
                assert!(away <= 4.0 * error.sqrt() + 1e-9, "{name}: {value} {exact}");
            }
            let spread = f64::from(SEEDS) / f64::from(SEEDS - 1);
            let apart: Vec<f64> = found
                .iter()
                .map(|seed| {
                    let own = seed[place].1;
                    spread * (own.value.unwrap() - value).powi(2) - own.mcse.unwrap().powi(2)
                })
                .collect();
            let (apart, error) = mean(&apart);
            let (said, _) = mean(&of(|own| own.mcse.unwrap().powi(2)));
            let least = if is_variance {
                2.0 * value * value / (lists * (lists - 1.0))
            } else {
                0.0
            };
            let slack = 4.0 * error.sqrt() + said / lists + 1e-15;
            assert!(
                apart <= slack && apart >= -slack - least,
                "{name}: squared errors are {said}, and the variance over seeds is {}",
                said + apart
            );
        }
    }
}
