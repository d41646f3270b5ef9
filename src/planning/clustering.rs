//! Design effects: by how much observations that share a cluster inflate a variance.
//!
//! The factor is here, and the degrees of freedom of a test on cluster means; the families of outcomes divide their
//! sample sizes by the one and take their reference from the other.

use super::power_error::{PowerError, range};

/// Which arms are clustered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClusteredArms {
    /// Both.
    Both,
    /// The treated arm only, for example families within therapists who deliver one arm.
    Treated,
}

impl ClusteredArms {
    /// The text on the command line and in JSON.
    pub fn text(self) -> &'static str {
        match self {
            Self::Both => "both",
            Self::Treated => "treated",
        }
    }
}

/// Clusters of similar individuals.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Clustering {
    /// Mean number of individuals per cluster, at least 1.
    pub size: f64,
    /// Intraclass correlation, 0 to 1.
    pub icc: f64,
    /// Coefficient of variation of the cluster sizes, at least 0.
    pub size_cv: f64,
    /// Where the clusters are.
    pub arms: ClusteredArms,
}

impl Clustering {
    /// The design effect `1 + ((cv² + 1)·m − 1)·ρ` of a clustered arm.
    ///
    /// `m` is the mean cluster size, `cv` the coefficient of variation of the sizes, `ρ` the intraclass correlation.
    /// Assumes clusters of a size that does not depend on the outcome. Eldridge, Ashby and Kerry 2006,
    /// doi 10.1093/ije/dyl129, equation for cluster-level weights; with `cv = 0` the usual `1 + (m − 1)ρ`.
    ///
    /// ```
    /// use lottning::planning::clustering::{ClusteredArms, Clustering};
    /// let pairs = Clustering { size: 2.0, icc: 0.3, size_cv: 0.0, arms: ClusteredArms::Both };
    /// assert!((pairs.design_effect() - 1.30).abs() < 1e-12);
    /// ```
    pub fn design_effect(&self) -> f64 {
        1.0 + ((self.size_cv * self.size_cv + 1.0) * self.size - 1.0) * self.icc
    }

    /// Refuses a size below 1, a correlation outside [0, 1] and a negative coefficient of variation.
    pub(super) fn check(&self) -> Result<(), PowerError> {
        range("cluster-size", self.size, self.size >= 1.0, "[1, ∞)")?;
        let inside = (0.0..=1.0).contains(&self.icc);
        range("icc", self.icc, inside, "[0, 1]")?;
        range(
            "cluster-size-cv",
            self.size_cv,
            self.size_cv >= 0.0,
            "[0, ∞)",
        )
    }

    /// Clusters of `n1` treated and of `n0` control individuals; the control arm may have none.
    pub(super) fn count(&self, n1: f64, n0: f64) -> (f64, Option<f64>) {
        match self.arms {
            ClusteredArms::Both => (n1 / self.size, Some(n0 / self.size)),
            ClusteredArms::Treated => (n1 / self.size, None),
        }
    }

    /// Degrees of freedom of the variance of a difference of means, when `v1` and `v0` are the variances of the two means.
    ///
    /// With clusters in both arms `k1 + k0 − 2`, as for a t test on cluster means (Donner and Klar 2000, Design and
    /// Analysis of Cluster Randomization Trials, chapter 5). With clusters in the treated arm only, Satterthwaite's
    /// `(v1 + v0)² / (v1²/(k1 − 1) + v0²/(n0 − 1))` (Moerbeek and Wong 2008, doi 10.1002/sim.3115, with the approximation
    /// of Satterthwaite 1946, doi 10.2307/3002019).
    pub(super) fn degrees_of_freedom(&self, n1: f64, n0: f64, v1: f64, v0: f64) -> f64 {
        match self.count(n1, n0) {
            (k1, Some(k0)) => k1 + k0 - 2.0,
            (k1, None) if k1 > 1.0 && n0 > 1.0 => {
                (v1 + v0).powi(2) / (v1 * v1 / (k1 - 1.0) + v0 * v0 / (n0 - 1.0))
            }
            _ => 0.0,
        }
    }

    /// Design effects of the treated and the control arm.
    pub fn by_arm(&self) -> (f64, f64) {
        let effect = self.design_effect();
        match self.arms {
            ClusteredArms::Both => (effect, effect),
            ClusteredArms::Treated => (effect, 1.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{ClusteredArms, Clustering};

    fn effect(size: f64, icc: f64, size_cv: f64) -> f64 {
        Clustering {
            size,
            icc,
            size_cv,
            arms: ClusteredArms::Both,
        }
        .design_effect()
    }

    #[test]
    fn design_effects_of_the_literature() {
        // 1 + (m − 1)ρ, by hand.
        assert!((effect(2.0, 0.3, 0.0) - 1.30).abs() < 1e-12);
        assert!((effect(20.0, 0.05, 0.0) - 1.95).abs() < 1e-12);
        assert!((effect(150.0, 0.05, 0.0) - 8.45).abs() < 1e-12);
        // Unequal sizes: (0.36 + 1)·20 = 27.2; 1 + 26.2·0.05 = 2.31 (Eldridge 2006).
        assert!((effect(20.0, 0.05, 0.6) - 2.31).abs() < 1e-12);
        // Siblings: P(1, 2, 3 children) = (.5, .3, .2): mean 1.7, E[m²] = .5 + 1.2 + 1.8 = 3.5, cv² = 3.5/2.89 − 1;
        // deff = 1 + (3.5/1.7 − 1)ρ = 1.211765 at ρ = .2 and 1.423529 at ρ = .4.
        let cv = (3.5_f64 / 2.89 - 1.0).sqrt();
        assert!((effect(1.7, 0.2, cv) - 1.211_765).abs() < 5e-7);
        assert!((effect(1.7, 0.4, cv) - 1.423_529).abs() < 5e-7);
    }

    #[test]
    fn one_clustered_arm_leaves_the_other_alone() {
        let clusters = Clustering {
            size: 3.0,
            icc: 0.1,
            size_cv: 0.0,
            arms: ClusteredArms::Treated,
        };
        let (treated, control) = clusters.by_arm();
        assert!((treated - 1.2).abs() < 1e-12);
        assert!((control - 1.0).abs() < 1e-12);
    }
}
