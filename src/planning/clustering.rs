//! Design effects: by how much observations that share a cluster inflate a variance.
//!
//! Only the factor is here; the families of outcomes divide their sample sizes by it. Tests on cluster means belong to
//! the families that have them.

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
