//! Means over a Poisson number: the noncentral chi-square and F distributions are such mixtures of central ones.

/// `Σ_j e^(−μ) μ^j/j! · term(j)` for positive terms whose logarithm is concave in j (tails of distributions are), each of
/// them counted until it is below 1e-17 of the sum: from the mode of the weights in both directions.
pub(super) fn mean(mu: f64, term: impl Fn(f64) -> f64) -> f64 {
    if mu <= 0.0 {
        return term(0.0);
    }
    let mode = mu.floor();
    let at_mode = libm::exp(mode * libm::log(mu) - mu - libm::lgamma(mode + 1.0));
    let mut sum = at_mode * term(mode);
    for direction in [1.0, -1.0] {
        let (mut j, mut weight) = (mode, at_mode);
        let mut before = 0.0;
        loop {
            if direction > 0.0 {
                j += 1.0;
                weight *= mu / j;
            } else {
                if j <= 0.0 {
                    break;
                }
                weight *= j / mu;
                j -= 1.0;
            }
            let part = weight * term(j);
            sum += part;
            // Terms can grow at first; weights end every sum.
            if weight <= 1e-320 || (sum > 0.0 && part <= 1e-17 * sum && part <= before) {
                break;
            }
            before = part;
        }
    }
    sum.min(1.0)
}
