//! Gauss–Legendre quadrature: exact for polynomials of degree 2n − 1, and so for smooth functions on short intervals.
//!
//! Nodes come from Newton's method on the Legendre polynomial (Golub and Welsch 1969 compute the same ones from an
//! eigenvalue problem); they are made once and laid over as many panels as a function needs.

use std::f64::consts::PI;

/// Nodes and weights on (−1, 1).
#[derive(Debug, Clone)]
pub struct GaussLegendre {
    nodes: Vec<f64>,
    weights: Vec<f64>,
}

impl GaussLegendre {
    /// A rule of `n` nodes, at least 1.
    ///
    /// ```
    /// use lottning::numerics::quadrature::GaussLegendre;
    /// let rule = GaussLegendre::new(8);
    /// // ∫₀¹ x¹⁵ dx = 1/16, the highest degree that eight nodes integrate exactly.
    /// let sum: f64 = rule.panel(0.0, 1.0).map(|(x, w)| w * x.powi(15)).sum();
    /// assert!((sum - 0.0625).abs() < 1e-15);
    /// ```
    pub fn new(n: usize) -> Self {
        let n = n.max(1);
        let (mut nodes, mut weights) = (vec![0.0; n], vec![0.0; n]);
        for i in 0..n.div_ceil(2) {
            let mut x = libm::cos(PI * (i as f64 + 0.75) / (n as f64 + 0.5));
            let mut slope = 1.0;
            for _ in 0..100 {
                let (value, derivative) = legendre(n, x);
                slope = derivative;
                let step = value / derivative;
                x -= step;
                if step.abs() <= 1e-16 {
                    break;
                }
            }
            if n % 2 == 1 && i == n / 2 {
                x = 0.0;
                slope = legendre(n, x).1;
            }
            let weight = 2.0 / ((1.0 - x * x) * slope * slope);
            (nodes[i], nodes[n - 1 - i]) = (-x, x);
            (weights[i], weights[n - 1 - i]) = (weight, weight);
        }
        Self { nodes, weights }
    }

    /// Number of nodes.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether there is no node, which never is so.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// Nodes and weights on `(low, high)`, ascending.
    pub fn panel(&self, low: f64, high: f64) -> impl Iterator<Item = (f64, f64)> + '_ {
        let (middle, half) = (0.5 * (low + high), 0.5 * (high - low));
        let pairs = self.nodes.iter().zip(&self.weights);
        pairs.map(move |(x, w)| (middle + half * x, half * w))
    }
}

/// The Legendre polynomial of degree n and its derivative, by the three-term recurrence; |x| < 1.
fn legendre(n: usize, x: f64) -> (f64, f64) {
    let (mut before, mut value) = (1.0, x);
    for k in 2..=n {
        let k = k as f64;
        (before, value) = (
            value,
            ((2.0 * k - 1.0) * x * value - (k - 1.0) * before) / k,
        );
    }
    (value, n as f64 * (x * value - before) / (x * x - 1.0))
}
