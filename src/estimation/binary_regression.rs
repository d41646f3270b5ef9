//! Logistic regression of one sample, for probabilities that are used and not read: weights and imputations. Effects of an
//! arm are `generalized_linear`'s.
//!
//! Where the likelihood has no maximum, that of Jeffreys' prior times the likelihood exists (Firth 1993, doi
//! 10.1093/biomet/80.1.27; Heinze & Schemper 2002, doi 10.1002/sim.1047): [`BinaryRegression::penalized`].

use crate::numerics::linear_algebra::{
    Cholesky, Qr, combine, dot, each_dot, largest, most, sum, weighted_mean,
};

/// Beyond this log odds a fit has separated the rows.
const SEPARATED: f64 = 12.0;

/// Smallest part of a cross-product's diagonal that may be left for the short way, which then loses no more than half of the
/// digits of a step.
const SAFE: f64 = 1e-6;

/// After a step below this the information is known to as many digits, and each step with it is that much smaller than the one
/// before; the last is so small that what is left is below 1e-11.
const SETTLED: f64 = 1e-3;
const LAST_STEP: f64 = 1e-9;
const MOST_SHORT_STEPS: usize = 30;

/// No log odds moves more than this in a step of a penalized fit, which shrink by a factor: so many are enough.
const LONGEST_STEP: f64 = 5.0;
const MOST_STEPS: usize = 1000;

/// A fit on an intercept and columns.
#[derive(Debug, Clone)]
pub(super) struct BinaryRegression {
    /// Coefficients of the columns that are kept, the intercept first.
    pub(super) coefficients: Vec<f64>,
    /// Columns that are kept; 0 is the intercept.
    kept: Vec<usize>,
    /// Of the weighted columns at the solution: the coefficients' covariance is `R⁻¹R⁻ᵀ`.
    qr: Qr,
}

impl BinaryRegression {
    /// The maximum of the likelihood, by iterated weighted least squares from the log odds of all rows together; `None`
    /// where the rows are separated. Each row stands for so many trials with the same columns, of which `yes` are events:
    /// the maximum is that of the trials one by one.
    pub(super) fn fit_cells(yes: &[f64], trials: &[f64], columns: &[Vec<f64>]) -> Option<Self> {
        let n = yes.len();
        let (events, all) = (yes.iter().sum::<f64>(), trials.iter().sum::<f64>());
        let both = events > 0.0 && events < all;
        let start = if both {
            libm::log(events / (all - events))
        } else {
            0.0
        };
        let mut eta = vec![start; n];
        let mut own = Self {
            coefficients: Vec::new(),
            kept: Vec::new(),
            qr: Qr::default(),
        };
        let (mut root, mut response) = (vec![0.0; n], vec![0.0; n]);
        let (mut next, mut taken) = (Vec::with_capacity(n), Vec::new());
        let mut matrix = Vec::with_capacity(n * (columns.len() + 1));
        for _ in 0..100 {
            for row in 0..n {
                let (p, q) = chances(eta[row]);
                root[row] = (trials[row] * p * q).sqrt();
                response[row] = root[row] * eta[row] + (yes[row] - trials[row] * p) / root[row];
            }
            own.factor(columns, &root, &mut matrix);
            own.qr
                .coefficients_into(&mut response, &mut taken, &mut own.coefficients);
            own.kept.clear();
            own.kept.extend(own.qr.kept());
            next.clear();
            next.extend(own.log_odds(columns, n, &own.coefficients));
            let moves = next.iter().zip(&eta).map(|(next, eta)| (next - eta).abs());
            let moved = moves.fold(0.0f64, f64::max);
            std::mem::swap(&mut eta, &mut next);
            if eta.iter().any(|eta| eta.is_nan() || eta.abs() > SEPARATED) {
                return None;
            }
            if moved < 1e-10 {
                return Some(own);
            }
        }
        None
    }

    /// The probabilities of the rows at the maximum of [`BinaryRegression::fit_cells`], by Newton's method on columns that are
    /// centred and scaled, whose cross-products are then well conditioned. Where columns come near to being combinations of
    /// others, or rows to being separated, the fit itself decides.
    pub(super) fn chances_of_cells(
        yes: &[f64],
        trials: &[f64],
        columns: &[Vec<f64>],
    ) -> Option<Vec<f64>> {
        short(yes, trials, columns).or_else(|| {
            let own = Self::fit_cells(yes, trials, columns)?;
            Some(own.chances(columns, yes.len(), &own.coefficients))
        })
    }

    /// The maximum of the likelihood times Jeffreys' prior, the root of the information's determinant: that of the likelihood
    /// with `h` more trials in a row, half of them events, where `h` is its leverage. It exists where rows are separated. The
    /// factorization that is left is of the data's own information.
    pub(super) fn penalized(yes: &[f64], trials: &[f64], columns: &[Vec<f64>]) -> Option<Self> {
        let n = yes.len();
        let (events, all) = (yes.iter().sum::<f64>(), trials.iter().sum::<f64>());
        let mut eta = vec![libm::log((events + 0.5) / (all - events + 0.5)); n];
        let mut own = Self {
            coefficients: Vec::new(),
            kept: Vec::new(),
            qr: Qr::default(),
        };
        let (mut root, mut response) = (vec![0.0; n], vec![0.0; n]);
        let (mut matrix, mut taken, mut leverage) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..MOST_STEPS {
            let weigh = |root: &mut [f64], more: &[f64]| {
                for row in 0..n {
                    let (p, q) = chances(eta[row]);
                    let more = more.get(row).copied().unwrap_or(0.0);
                    root[row] = ((trials[row] + more) * p * q).sqrt();
                }
            };
            weigh(&mut root, &[]);
            own.factor(columns, &root, &mut matrix);
            own.qr.leverages(&mut leverage);
            weigh(&mut root, &leverage);
            own.factor(columns, &root, &mut matrix);
            for row in 0..n {
                let (p, _) = chances(eta[row]);
                let (yes, trials) = (yes[row] + 0.5 * leverage[row], trials[row] + leverage[row]);
                response[row] = root[row] * eta[row] + (yes - trials * p) / root[row];
            }
            own.qr
                .coefficients_into(&mut response, &mut taken, &mut own.coefficients);
            own.kept.clear();
            own.kept.extend(own.qr.kept());
            let next: Vec<f64> = own.log_odds(columns, n, &own.coefficients).collect();
            let moves = next.iter().zip(&eta).map(|(next, eta)| (next - eta).abs());
            let moved = moves.fold(0.0f64, f64::max);
            if next.iter().any(|own| !own.is_finite()) {
                return None;
            }
            if moved < 1e-10 {
                weigh(&mut root, &[]);
                own.factor(columns, &root, &mut matrix);
                return (own.qr.kept() == own.kept).then_some(own);
            }
            let part = (LONGEST_STEP / moved).min(1.0);
            for (eta, next) in eta.iter_mut().zip(next) {
                *eta += part * (next - *eta);
            }
        }
        None
    }

    /// Factors the intercept and the columns, weighted.
    fn factor(&mut self, columns: &[Vec<f64>], root: &[f64], matrix: &mut Vec<f64>) {
        matrix.clear();
        matrix.extend_from_slice(root);
        for column in columns {
            matrix.extend(column.iter().zip(root).map(|(x, root)| x * root));
        }
        self.qr.factor(root.len(), matrix);
    }

    fn log_odds<'a>(
        &'a self,
        columns: &'a [Vec<f64>],
        n: usize,
        coefficients: &'a [f64],
    ) -> impl Iterator<Item = f64> + 'a {
        let value = move |row: usize| {
            let terms = self.kept.iter().zip(coefficients).map(|(column, own)| {
                let x = column.checked_sub(1).map_or(1.0, |c| columns[c][row]);
                own * x
            });
            terms.sum::<f64>()
        };
        (0..n).map(value)
    }

    /// Probabilities of `n` rows under some coefficients.
    pub(super) fn chances(&self, columns: &[Vec<f64>], n: usize, coefficients: &[f64]) -> Vec<f64> {
        let log_odds = self.log_odds(columns, n, coefficients);
        log_odds.map(chance).collect()
    }

    /// Coefficients from their large-sample normal distribution; `normal` gives standard normal deviates.
    pub(super) fn drawn(&self, normal: &mut impl FnMut() -> f64) -> Vec<f64> {
        let mut z: Vec<f64> = self.coefficients.iter().map(|_| normal()).collect();
        self.qr.solve_r(&mut z);
        let moved = self.coefficients.iter().zip(z);
        moved.map(|(own, z)| own + z).collect()
    }
}

/// See [`BinaryRegression::chances_of_cells`]; `None` where the fit itself must decide.
fn short(yes: &[f64], trials: &[f64], columns: &[Vec<f64>]) -> Option<Vec<f64>> {
    let (n, k) = (yes.len(), columns.len() + 1);
    let (events, all) = (sum(yes), sum(trials));
    if !(events > 0.0 && events < all) {
        return None;
    }
    let mut basis = vec![1.0; n];
    basis.reserve_exact(n * columns.len());
    for column in columns {
        let mean = weighted_mean(trials, column);
        let from = basis.len();
        basis.extend(column.iter().map(|x| x - mean));
        let own = &mut basis[from..];
        let scale = 1.0 / (dot(own, own) / n as f64).sqrt();
        if !scale.is_finite() {
            return None;
        }
        for x in own {
            *x *= scale;
        }
    }
    let mut eta = vec![libm::log(events / (all - events)); n];
    let (mut moves, mut weight) = (vec![0.0; n], vec![0.0; n]);
    let (mut score, mut weighted) = (vec![0.0; n], vec![0.0; n]);
    let mut cholesky = Cholesky::default();
    let (mut gram, mut step) = (vec![0.0; k * k], vec![0.0; k]);
    let column = |j: usize| &basis[j * n..(j + 1) * n];
    let mut moved = f64::INFINITY;
    for _ in 0..MOST_SHORT_STEPS {
        let mut last = (f64::NAN, (0.0, 0.0));
        for row in 0..n {
            if last.0.to_bits() != eta[row].to_bits() {
                last = (eta[row], chances(eta[row]));
            }
            let (p, q) = last.1;
            weight[row] = trials[row] * p * q;
            score[row] = yes[row] - trials[row] * p;
        }
        each_dot(&score, k, column, |j, sum| step[j] = sum);
        if moved > SETTLED {
            for j in 0..k {
                for ((own, x), w) in weighted.iter_mut().zip(column(j)).zip(&weight) {
                    *own = x * w;
                }
                each_dot(&weighted, j + 1, column, |i, sum| gram[i * k + j] = sum);
            }
            cholesky.factor(k, &gram, SAFE).ok()?;
        }
        cholesky.solve(&mut step);
        moves.fill(0.0);
        combine(&step, &basis, &mut moves);
        for (eta, step) in eta.iter_mut().zip(&moves) {
            *eta += step;
        }
        if most(&eta, 0.0, f64::abs) > SEPARATED || eta.iter().any(|eta| eta.is_nan()) {
            return None;
        }
        moved = largest(&moves);
        if moved < LAST_STEP {
            return Some(eta.into_iter().map(chance).collect());
        }
    }
    None
}

fn chance(eta: f64) -> f64 {
    chances(eta).0
}

/// The probabilities of an event and of none, each to its own last digits.
fn chances(eta: f64) -> (f64, f64) {
    let less = libm::exp(-eta.abs());
    let (rare, common) = (less / (1.0 + less), 1.0 / (1.0 + less));
    if eta < 0.0 {
        (rare, common)
    } else {
        (common, rare)
    }
}

#[cfg(test)]
mod tests {
    use super::{BinaryRegression, short};

    /// 1 of 4 at x = 0 and 3 of 4 at x = 1: saturated, so the probabilities are the shares; by hand, the intercept is
    /// log(1/3) and the slope 2·log 3.
    #[test]
    fn a_saturated_fit_gives_the_shares() {
        let x = vec![0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0];
        let y = [1.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 0.0];
        let columns = [x];
        let fit = BinaryRegression::fit_cells(&y, &[1.0; 8], &columns).unwrap();
        let found = fit.chances(&columns, 8, &fit.coefficients);
        assert!((found[0] - 0.25).abs() < 1e-12 && (found[7] - 0.75).abs() < 1e-12);
        assert!((fit.coefficients[0] + 3f64.ln()).abs() < 1e-9);
        assert!((fit.coefficients[1] - 2.0 * 3f64.ln()).abs() < 1e-9);
        // Var(intercept) = 1/1 + 1/3 = 4/3; Var(slope) = 2·4/3; Cov = −4/3. With deviates (1, 0) the draw moves by the first
        // column of R⁻¹, which is the intercept's alone: the first column of the weighted matrix has length √(8·3/16).
        let mut ones = [1.0, 0.0].into_iter();
        let moved = fit.drawn(&mut || ones.next().unwrap_or(0.0));
        assert!((moved[0] - fit.coefficients[0]).abs() - (16.0f64 / 24.0).sqrt() < 1e-12);
        // Separated rows have no maximum.
        let y = [0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0];
        assert!(BinaryRegression::fit_cells(&y, &[1.0; 8], &columns).is_none());
        // Rows alike count as one with their number: 1 of 4 and 3 of 4.
        let cells = [vec![0.0, 1.0]];
        let fit = BinaryRegression::fit_cells(&[1.0, 3.0], &[4.0, 4.0], &cells).unwrap();
        assert!((fit.coefficients[1] - 2.0 * 3f64.ln()).abs() < 1e-14);
        assert!(BinaryRegression::fit_cells(&[0.0, 4.0], &[4.0, 4.0], &cells).is_none());
    }

    /// The short way gives the probabilities of the fit by QR, to the 10⁻¹⁰ at which that stops, also where a number lies far
    /// from zero; and leaves to it what is separated, constant, or a combination.
    #[test]
    fn the_short_way_gives_the_probabilities_of_the_fit() {
        let n = 60;
        let trials: Vec<f64> = (0..n).map(|row| (1 + row % 3) as f64).collect();
        let column = |by: usize, of: usize| -> Vec<f64> {
            (0..n).map(|row| (row * by % of) as f64).collect()
        };
        let (site, age) = (column(1, 2), column(7, 17));
        let far: Vec<f64> = column(11, 13).iter().map(|x| 1e5 + x).collect();
        let twice: Vec<f64> = age.iter().map(|x| 2.0 * x).collect();
        for of in 3..9 {
            let yes: Vec<f64> = (0..n)
                .map(|row| {
                    if row % of == 0 {
                        trials[row]
                    } else {
                        (row % 3 / 2) as f64
                    }
                })
                .collect();
            for columns in [
                vec![site.clone()],
                vec![site.clone(), age.clone(), far.clone()],
            ] {
                let fit = BinaryRegression::fit_cells(&yes, &trials, &columns).unwrap();
                let slow = fit.chances(&columns, n, &fit.coefficients);
                let quick = short(&yes, &trials, &columns).unwrap();
                for (slow, quick) in slow.iter().zip(&quick) {
                    assert!((slow - quick).abs() < 1e-10, "{of}: {slow} {quick}");
                }
            }
            for columns in [vec![age.clone(), twice.clone()], vec![vec![3.0; n]]] {
                assert!(short(&yes, &trials, &columns).is_none());
                let own = BinaryRegression::chances_of_cells(&yes, &trials, &columns).unwrap();
                let fit = BinaryRegression::fit_cells(&yes, &trials, &columns).unwrap();
                assert_eq!(own, fit.chances(&columns, n, &fit.coefficients));
            }
        }
        let apart: Vec<f64> = trials
            .iter()
            .zip(&age)
            .map(|(n, x)| if *x > 8.0 { *n } else { 0.0 })
            .collect();
        assert!(BinaryRegression::chances_of_cells(&apart, &trials, &[age]).is_none());
    }

    /// Saturated cells have leverage 1 each: half an event and half none more. 0 of 4 and 4 of 4 become ½ of 5 and 4½ of 5, by
    /// hand log odds of −log 9 and log 9; the standard deviation of the intercept is 1/√(4·0.1·0.9).
    #[test]
    fn a_penalized_fit_of_separated_rows_has_half_an_event_more() {
        let cells = [vec![0.0, 1.0]];
        let fit = BinaryRegression::penalized(&[0.0, 4.0], &[4.0, 4.0], &cells).unwrap();
        assert!((fit.coefficients[0] + 9f64.ln()).abs() < 1e-9);
        assert!((fit.coefficients[1] - 2.0 * 9f64.ln()).abs() < 1e-9);
        // R⁻¹ of (√w, 0; √w, √w) moved by (1, 0): the intercept alone, by 1/√(w + w).
        let mut deviates = [1.0, 0.0].into_iter();
        let moved = fit.drawn(&mut || deviates.next().unwrap_or(0.0));
        let by_hand = 1.0 / (2.0f64 * 4.0 * 0.09).sqrt();
        assert!((moved[0] - fit.coefficients[0] - by_hand).abs() < 1e-8);
    }

    /// The numbers 1 to 10, separated in the middle: coefficients of `brglm2` 0.9 under R 4.2.2, `glm(y ~ x, binomial, method =
    /// "brglmFit", type = "AS_mean")` with a tolerance of 1e-14.
    #[test]
    fn a_penalized_fit_is_that_of_another_program() {
        let x: Vec<f64> = (1..=10).map(f64::from).collect();
        let yes: Vec<f64> = x.iter().map(|x| f64::from(u8::from(*x > 5.0))).collect();
        let fit = BinaryRegression::penalized(&yes, &[1.0; 10], &[x]).unwrap();
        assert!((fit.coefficients[0] + 5.338_572_631_293).abs() < 1e-7);
        assert!((fit.coefficients[1] - 0.970_649_569_326).abs() < 1e-7);
    }
}
