//! A simulated figure and its exact target.

use lottning::planning::performance::Figure;

/// Within four Monte Carlo standard errors of the target.
pub(crate) fn within(figure: Figure, target: f64, what: &str) {
    let (value, mcse) = (figure.value.unwrap(), figure.mcse.unwrap());
    assert!(
        (value - target).abs() <= 4.0 * mcse,
        "{what}: {value} (mcse {mcse}) is not {target}"
    );
}
