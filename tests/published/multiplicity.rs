//! Adjusted p-values of a published family of tests.

use lottning::analysis::multiplicity::{benjamini_hochberg, fixed_sequence, holm};

/// The fifteen p-values of Benjamini and Hochberg (1995, Journal of the Royal Statistical Society B 57:289, doi
/// 10.1111/j.2517-6161.1995.tb02031.x, section 4.1, thrombolysis in myocardial infarction): their procedure rejects four
/// at .05. Adjusted values from R 4.2.2, p.adjust.
const P: [f64; 15] = [
    0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719,
    0.6528, 0.7590, 1.0,
];

#[track_caller]
fn close(found: &[f64], printed: &[f64], tolerance: f64) {
    assert_eq!(found.len(), printed.len());
    for (found, printed) in found.iter().zip(printed) {
        assert!((found - printed).abs() <= tolerance, "{found} {printed}");
    }
}

#[test]
fn fifteen_tests_of_1995() {
    let q = benjamini_hochberg(&P);
    let printed = [
        0.0015, 0.003, 0.0095, 0.035_62, 0.0603, 0.063_86, 0.063_86, 0.0645, 0.0765, 0.486,
        0.581_18, 0.714_87, 0.753_23, 0.813_21, 1.0,
    ];
    close(&q, &printed, 6e-6);
    assert_eq!(q.iter().filter(|q| **q <= 0.05).count(), 4);
    let printed = [
        0.0015, 0.0056, 0.0247, 0.114, 0.2211, 0.278, 0.278, 0.278, 0.3213, 1.0, 1.0, 1.0, 1.0,
        1.0, 1.0,
    ];
    close(&holm(&P), &printed, 1e-12);
    // In the order given nothing is multiplied; the order of the values given does not matter to the others.
    close(&fixed_sequence(&P), &P, 0.0);
    let mut turned = P;
    turned.rotate_left(4);
    let mut expected = benjamini_hochberg(&P);
    expected.rotate_left(4);
    close(&benjamini_hochberg(&turned), &expected, 0.0);
    assert!(benjamini_hochberg(&[]).is_empty() && fixed_sequence(&[]).is_empty());
}
