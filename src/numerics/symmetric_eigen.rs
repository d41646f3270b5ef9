//! Eigenvalues and eigenvectors of a small symmetric matrix by cyclic Jacobi rotations.
//!
//! For matrices of at most some tens of rows, where Jacobi is as fast as anything and more accurate than most
//! (Golub and Van Loan 2013, Matrix Computations, section 8.5). The storage is kept for the next matrix.

/// Rotations over all pairs at most; some six suffice, and the bound only ends the loop on input that is not finite.
const SWEEPS: usize = 64;

/// `A = VΛVᵀ` of a symmetric matrix.
///
/// ```
/// use lottning::numerics::symmetric_eigen::SymmetricEigen;
/// let mut eigen = SymmetricEigen::default();
/// // (2, 1; 1, 2) stretches (1, 1) by 3 and leaves (1, −1) as it is, by hand.
/// eigen.factor(2, &[2.0, 1.0, 1.0, 2.0]);
/// let mut values = eigen.values().to_vec();
/// values.sort_by(f64::total_cmp);
/// assert!((values[0] - 1.0).abs() < 1e-15 && (values[1] - 3.0).abs() < 1e-15);
/// ```
#[derive(Debug, Clone, Default)]
pub struct SymmetricEigen {
    k: usize,
    /// k × k, column-major; its diagonal becomes the eigenvalues.
    a: Vec<f64>,
    values: Vec<f64>,
    vectors: Vec<f64>,
}

impl SymmetricEigen {
    /// Factors a k × k column-major matrix, which must be symmetric: both triangles are read.
    pub fn factor(&mut self, k: usize, a: &[f64]) {
        self.k = k;
        self.a.clear();
        self.a.extend_from_slice(&a[..k * k]);
        self.vectors.clear();
        self.vectors.resize(k * k, 0.0);
        for j in 0..k {
            self.vectors[j * k + j] = 1.0;
        }
        let total: f64 = self.a.iter().map(|x| x * x).sum();
        let negligible = f64::EPSILON * f64::EPSILON * total;
        for _ in 0..SWEEPS {
            let mut beside = 0.0;
            for q in 1..k {
                for p in 0..q {
                    beside += self.a[q * k + p] * self.a[q * k + p];
                    self.rotate(p, q);
                }
            }
            if beside.is_nan() || beside <= negligible {
                break;
            }
        }
        self.values.clear();
        self.values.extend((0..k).map(|j| self.a[j * k + j]));
    }

    /// The rotation that makes the element of row p and column q zero.
    fn rotate(&mut self, p: usize, q: usize) {
        let k = self.k;
        let beside = self.a[q * k + p];
        if beside == 0.0 {
            return;
        }
        let theta = (self.a[q * k + q] - self.a[p * k + p]) / (2.0 * beside);
        let tangent = theta.signum() / (theta.abs() + theta.hypot(1.0));
        let cosine = 1.0 / tangent.hypot(1.0);
        let sine = tangent * cosine;
        for row in 0..k {
            let (x, y) = (self.a[p * k + row], self.a[q * k + row]);
            self.a[p * k + row] = cosine * x - sine * y;
            self.a[q * k + row] = sine * x + cosine * y;
        }
        for column in 0..k {
            let (x, y) = (self.a[column * k + p], self.a[column * k + q]);
            self.a[column * k + p] = cosine * x - sine * y;
            self.a[column * k + q] = sine * x + cosine * y;
        }
        self.a[q * k + p] = 0.0;
        self.a[p * k + q] = 0.0;
        for row in 0..k {
            let (x, y) = (self.vectors[p * k + row], self.vectors[q * k + row]);
            self.vectors[p * k + row] = cosine * x - sine * y;
            self.vectors[q * k + row] = sine * x + cosine * y;
        }
    }

    /// Eigenvalues, in no particular order.
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// The unit eigenvector of each eigenvalue, k × k, column-major.
    pub fn vectors(&self) -> &[f64] {
        &self.vectors
    }

    /// `x ← V f(Λ) Vᵀ x`: a function of the matrix times a vector of length k. `coordinate` is told each eigenvalue and
    /// the coordinate of `x` on its eigenvector, and answers the new coordinate.
    pub fn apply(&self, x: &mut [f64], mut coordinate: impl FnMut(f64, f64) -> f64) {
        let k = self.k;
        let mut image = [0.0; 64];
        let mut long = Vec::new();
        let image = if k <= image.len() {
            &mut image[..k]
        } else {
            long.resize(k, 0.0);
            &mut long[..]
        };
        for (value, vector) in self.values.iter().zip(self.vectors.chunks_exact(k.max(1))) {
            let own: f64 = vector.iter().zip(x.iter()).map(|(v, x)| v * x).sum();
            let new = coordinate(*value, own);
            for (image, v) in image.iter_mut().zip(vector) {
                *image += new * v;
            }
        }
        x[..k].copy_from_slice(image);
    }
}
