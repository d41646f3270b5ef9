//! Westfall and Young's step-down procedure, and a decision that stops early, on cases that can be written out.

use lottning::analysis::multiplicity::{
    Sizes, benjamini_hochberg, fixed_sequence, holm, westfall_young,
};

fn sizes(observed: f64, redrawn: &[f64]) -> Sizes {
    Sizes {
        observed,
        redrawn: redrawn.to_vec(),
    }
}

#[track_caller]
fn close(found: &[f64], expected: &[f64]) {
    for (found, expected) in found.iter().zip(expected) {
        assert!((found - expected).abs() < 1e-15, "{found} {expected}");
    }
}

/// Observed 2, 3, 1; order: second, first, third. Four redraws:
///
/// | | first | second | third | u of third | u of first | u of second |
/// |---|---|---|---|---|---|---|
/// | 0 | 1 | 2 | 4 | 4 | 4 | 4 |
/// | 1 | 2.5 | 0 | 0 | 0 | 2.5 | 2.5 |
/// | 2 | 0 | 1 | 0.5 | 0.5 | 0.5 | 1 |
/// | 3 | 1 | 1 | 1 | 1 | 1 | 1 |
///
/// Second: u ≥ 3 once, 2/5; first: u ≥ 2 twice, 3/5; third: u ≥ 1 twice, 3/5.
#[test]
fn three_hypotheses_on_four_redraws() {
    let all = [
        sizes(2.0, &[1.0, 2.5, 0.0, 1.0]),
        sizes(3.0, &[2.0, 0.0, 1.0, 1.0]),
        sizes(1.0, &[4.0, 0.0, 0.5, 1.0]),
    ];
    close(&westfall_young(&all, None), &[0.6, 0.4, 0.6]);
    // Every sequence with its probability: .1 + .2, and the third .1 + .4.
    let weights = [0.1, 0.2, 0.3, 0.4];
    close(&westfall_young(&all, Some(&weights)), &[0.3, 0.1, 0.5]);
    // Alone, a hypothesis has its own share: 2 of 4, and the observed one.
    close(&westfall_young(&all[2..], None), &[0.6]);
    // What does not exist on a redraw is as large as can be.
    let broken = [sizes(2.0, &[f64::INFINITY, 0.0, 0.0])];
    close(&westfall_young(&broken, None), &[0.5]);
    // Twins are not multiplied: the adjusted p of both is the p of one.
    let twins = [all[0].clone(), all[0].clone()];
    close(&westfall_young(&twins, None), &[0.4, 0.4]);
    assert!(westfall_young(&[], None).is_empty());
}

/// Of 100,000 sequences that are all as likely 98,200·4/25 + 1,800 = 17,512 are as extreme: .17512, and not the 2·10⁻¹² of it more that adding up
/// 100,000 hundred-thousandths gives.
#[test]
fn an_exact_adjusted_p_is_a_quotient_of_counts() {
    let redrawn: Vec<f64> = (0..100_000)
        .map(|own| {
            if own % 25 < 4 || own >= 98_200 {
                2.0
            } else {
                0.0
            }
        })
        .collect();
    let extreme = redrawn.iter().filter(|own| **own > 1.0).count();
    assert_eq!(extreme, 17_512);
    let weights = vec![1.0 / 100_000.0; 100_000];
    let found = westfall_young(&[sizes(1.0, &redrawn)], Some(&weights))[0];
    assert!((found - 0.17512).abs() < 1e-16, "{found:?}");
}

/// R 4.2.2: `p.adjust(c(.012, .2, .031, .004, .5, .031), "holm")`, `"BH"`, and `cummax` of the same. By hand for the least:
/// 6·.004; the next 5·.012; the two that tie 4·.031; for q 6·.004/1, 6·.012/2, 6·.031/4.
#[test]
fn six_hypotheses_as_in_r() {
    let p = [0.012, 0.2, 0.031, 0.004, 0.5, 0.031];
    close(&holm(&p), &[0.06, 0.4, 0.124, 0.024, 0.5, 0.124]);
    let q = [0.036, 0.24, 0.0465, 0.024, 0.5, 0.0465];
    close(&benjamini_hochberg(&p), &q);
    close(&fixed_sequence(&p), &[0.012, 0.2, 0.2, 0.2, 0.5, 0.5]);
}
