//! Adjusting p-values for several tests.

/// Holm's step-down adjustment: adjusted values in the order given.
///
/// `p̃_(i) = max_{j ≤ i} min(1, (m − j + 1)·p_(j))` with `p_(1) ≤ … ≤ p_(m)`. Rejecting where `p̃ ≤ α` keeps the
/// probability of any false rejection at most α, whatever the dependence. Values are in [0, 1]; one that does not exist
/// is to be given as 1, so that it counts among the m. Reference: Holm 1979, Scandinavian Journal of Statistics 6:65.
///
/// ```
/// use lottning::analysis::multiplicity::holm;
/// // By hand: 3·0.01, 2·0.02 and 1·0.03, which may not fall below the one before it.
/// let adjusted = holm(&[0.02, 0.01, 0.03]);
/// for (value, by_hand) in adjusted.iter().zip([0.04, 0.03, 0.04]) {
///     assert!((value - by_hand).abs() < 1e-15);
/// }
/// ```
pub fn holm(p: &[f64]) -> Vec<f64> {
    let m = p.len();
    let mut order: Vec<usize> = (0..m).collect();
    order.sort_by(|a, b| p[*a].total_cmp(&p[*b]));
    let mut adjusted = vec![1.0; m];
    let mut largest = 0.0f64;
    for (rank, index) in order.into_iter().enumerate() {
        largest = largest.max(((m - rank) as f64 * p[index]).min(1.0));
        adjusted[index] = largest;
    }
    adjusted
}
