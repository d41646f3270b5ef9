//! Variances that respect clusters: CR0 to CR3 with Satterthwaite degrees of freedom, in the space of the coefficients.
//!
//! Everything that does not depend on the outcome is computed once: for each row a number `c_i` such that the variance
//! is `Σ_s (Σ_{i∈s} c_i e_i)²` over clusters s and residuals e. Nothing is ever n × n: a cluster's adjustment is found in
//! at most as many dimensions as the cluster has rows or the model has coefficients (twice that with weights), so the
//! cost is O(n·k²). Notation of Pustejovsky and Tipton (2018, doi 10.1080/07350015.2016.1247004).

use super::cluster_adjustment::{Adjustment, Part};
use super::error::EstimationError;
use super::inference::{Fit, Inference};
use super::linear_model::{Design, Residuals, Workspace};
use super::satterthwaite::Traces;
use super::settings::{Df, Variance};
use crate::numerics::linear_algebra::dot;

/// A cluster-robust variance of a design's effect, before any outcome is seen.
///
/// - `cr0`: `c = a`, the effect's weights (Liang and Zeger 1986, doi 10.1093/biomet/73.1.13).
/// - `cr1`: CR0 times G/(G−1).
/// - `cr2`: `A_s = B_s^{+1/2}` with `B_s = [(I−H)(I−H)ᵀ]_ss`, the Moore–Penrose symmetric root; unbiased when rows are
///   independent with equal variance, whatever their weights (Bell and McCaffrey 2002; Pustejovsky and Tipton 2018,
///   equation 8 with the identity as working model).
/// - `cr3`: `A_s = (I−H_ss)⁺`: the effect without each cluster in turn, without a factor before the sum.
///
/// Satterthwaite's degrees of freedom are `(tr P)²/tr(P²)` with `P_st = c_sᵀ[(I−H)(I−H)ᵀ]_st c_t` (equation 11 there).
/// Assumes that rows of different clusters are independent and that no single cluster decides the effect.
///
/// ```
/// use lottning::estimation::cluster_variance::ClusterVariance;
/// use lottning::estimation::linear_model::{Design, Form};
/// use lottning::estimation::{Arm, Variance};
/// // Every row its own cluster: CR2 is HC2, and its degrees of freedom are Bell and McCaffrey's.
/// let arm = [Arm::Treated, Arm::Treated, Arm::Treated, Arm::Control, Arm::Control];
/// let design = Design::factor(&arm, &[], Form::Additive)?;
/// let clustered = ClusterVariance::new(&design, &[0, 1, 2, 3, 4], Variance::Cr2)?;
/// let (a, b) = (clustered.satterthwaite(), design.bell_mccaffrey());
/// assert!(a.zip(b).is_some_and(|(a, b)| (a - b).abs() < 1e-12));
/// # Ok::<(), lottning::estimation::EstimationError>(())
/// ```
#[derive(Debug, Clone)]
pub struct ClusterVariance {
    variance: Variance,
    cluster: Vec<u32>,
    clusters: usize,
    /// `c_i` of each row, on the weighted scale.
    correction: Vec<f64>,
    satterthwaite: Option<f64>,
    decisive: Vec<u32>,
}

impl ClusterVariance {
    /// Prepares a variance. `cluster` is the cluster of each row of the design, numbered from 0 without gaps.
    ///
    /// Errors: [`EstimationError::TooFewClusters`] below two.
    pub fn new(
        design: &Design,
        cluster: &[u32],
        variance: Variance,
    ) -> Result<Self, EstimationError> {
        let clusters = cluster.iter().max().map_or(0, |last| *last as usize + 1);
        if clusters < 2 {
            return Err(EstimationError::TooFewClusters { clusters });
        }
        let mut own = Self {
            variance,
            cluster: cluster.to_vec(),
            clusters,
            correction: vec![0.0; design.rows()],
            satterthwaite: None,
            decisive: Vec::new(),
        };
        let parts: Vec<Part<'_>> = design
            .blocks()
            .iter()
            .map(|block| Part::new(block, design.roots(), cluster, clusters))
            .collect();
        let mut traces = Traces::new(&parts);
        let mut adjustment = Adjustment::new(design, variance);
        for which in 0..clusters {
            let mut decides = false;
            traces.begin();
            for (place, part) in parts.iter().enumerate() {
                let members = part.members(which);
                if members.is_empty() {
                    continue;
                }
                adjustment.gather(part, members);
                decides |= adjustment.adjust(part);
                traces.take(place, &adjustment);
                for (c, member) in adjustment.corrected.iter().zip(members) {
                    own.correction[part.block.rows[*member as usize] as usize] = *c;
                }
            }
            traces.end();
            if decides {
                own.decisive.push(which as u32);
            }
        }
        own.satterthwaite = traces.satterthwaite(&parts);
        if variance == Variance::Cr1 {
            let groups = clusters as f64;
            let factor = (groups / (groups - 1.0)).sqrt();
            own.correction.iter_mut().for_each(|c| *c *= factor);
        }
        Ok(own)
    }

    /// Number of clusters.
    pub fn clusters(&self) -> usize {
        self.clusters
    }

    /// Variance estimator.
    pub fn variance(&self) -> Variance {
        self.variance
    }

    /// Satterthwaite's degrees of freedom, `None` when one cluster decides the effect alone.
    pub fn satterthwaite(&self) -> Option<f64> {
        self.satterthwaite
    }

    /// Clusters without which the effect is not identified: CR2 and CR3 do not exist, and CR0 does not see them.
    pub fn decisive(&self) -> &[u32] {
        &self.decisive
    }

    /// Fixes reference distribution and level.
    ///
    /// Errors: [`EstimationError::DecisiveCluster`] with the numbers of the clusters, [`EstimationError::OptionsClash`]
    /// for Bell–McCaffrey, which belongs to HC2.
    pub fn inference(&self, df: Df, level: f64) -> Result<Inference, EstimationError> {
        if matches!(df, Df::BellMccaffrey | Df::Welch) {
            return Err(EstimationError::OptionsClash {
                df: df.text(),
                variance: self.variance.text(),
            });
        }
        let decided = || EstimationError::DecisiveCluster {
            clusters: self.decisive.iter().map(ToString::to_string).collect(),
            variance: self.variance.text(),
        };
        let corrected = matches!(self.variance, Variance::Cr2 | Variance::Cr3);
        if corrected && !self.decisive.is_empty() {
            return Err(decided());
        }
        let df = match df {
            Df::Normal => None,
            Df::Residual => Some((self.clusters - 1) as f64),
            Df::Satterthwaite | Df::BellMccaffrey | Df::Welch => {
                Some(self.satterthwaite.ok_or_else(decided)?)
            }
        };
        Inference::new(self.variance, df, level)
    }

    /// Fits one outcome, one value per row of the design that this was made for.
    pub fn fit(
        &self,
        design: &Design,
        y: &[f64],
        inference: &Inference,
        workspace: &mut Workspace,
    ) -> Fit {
        let (found, scores) = self.scores(design, y, workspace);
        let square = if found.exact {
            0.0
        } else {
            dot(&scores, &scores)
        };
        Fit::complete(found.estimate, square.sqrt(), found.square, inference)
    }

    /// `Σ_{i∈s} c_i e_i` of each cluster, whose squares sum to the variance; with estimate and squared residuals.
    pub(super) fn scores(
        &self,
        design: &Design,
        y: &[f64],
        workspace: &mut Workspace,
    ) -> (Residuals, Vec<f64>) {
        let mut scores = vec![0.0; self.clusters];
        let found = design.residuals(y, workspace, |block, residual| {
            for (row, e) in block.rows.iter().zip(residual) {
                let row = *row as usize;
                scores[self.cluster[row] as usize] += self.correction[row] * e;
            }
        });
        (found, scores)
    }
}
