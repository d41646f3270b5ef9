//! A variance estimator made ready for a design, and an outcome's scores under it: numbers whose squares sum to the
//! variance of the effect, and whose products with another outcome's sum to the covariance of the two effects.

use super::block::Block;
use super::cluster_variance::ClusterVariance;
use super::error::EstimationError;
use super::inference::{Fit, Inference};
use super::linear_model::{Design, Workspace};
use super::settings::{Df, Variance};
use crate::numerics::linear_algebra::dot;

/// Whose residuals are independent.
#[derive(Debug, Clone)]
pub(super) enum Spread {
    /// Those of different rows.
    Rows(Variance),
    /// Those of different clusters.
    Clusters(ClusterVariance),
}

/// An effect with what its variance is made of.
#[derive(Debug, Clone)]
pub(super) struct Scores {
    /// Effect of the arm.
    pub(super) estimate: f64,
    /// Sum of squared residuals.
    pub(super) residual_square: f64,
    /// One number per row or cluster, in an order that is the design's.
    pub(super) values: Vec<f64>,
}

impl Spread {
    /// Variance estimator.
    pub(super) fn variance(&self) -> Variance {
        match self {
            Self::Rows(variance) => *variance,
            Self::Clusters(clusters) => clusters.variance(),
        }
    }

    /// As [`Design::inference`] and [`ClusterVariance::inference`].
    pub(super) fn inference(
        &self,
        design: &Design,
        df: Df,
        level: f64,
    ) -> Result<Inference, EstimationError> {
        match self {
            Self::Rows(variance) => design.inference(*variance, df, level),
            Self::Clusters(clusters) => clusters.inference(df, level),
        }
    }

    /// The scores of an outcome, one value per row of the design; all zero when its residuals are rounding.
    pub(super) fn scores(&self, design: &Design, y: &[f64]) -> Scores {
        let mut workspace = Workspace::default();
        let (found, mut values) = match self {
            Self::Rows(variance) => {
                let (n, k) = (design.rows() as f64, design.coefficients() as f64);
                let classical = (design.weight_square() / (n - k)).sqrt();
                let hc1 = (n / (n - k)).sqrt();
                let mut values = Vec::with_capacity(y.len());
                let found = design.residuals(y, &mut workspace, |block, residual| {
                    let rows = block.weight.iter().zip(&block.leverage).zip(residual);
                    values.extend(rows.map(|((a, h), e)| match variance {
                        Variance::Classical => classical * e,
                        Variance::Hc1 => hc1 * Block::correction(*h, *variance) * a * e,
                        _ => Block::correction(*h, *variance) * a * e,
                    }));
                });
                (found, values)
            }
            Self::Clusters(clusters) => clusters.scores(design, y, &mut workspace),
        };
        if found.exact {
            values.fill(0.0);
        }
        Scores {
            estimate: found.estimate,
            residual_square: found.square,
            values,
        }
    }
}

impl Scores {
    /// Variance of the effect.
    pub(super) fn square(&self) -> f64 {
        dot(&self.values, &self.values)
    }

    /// Test and interval of the effect.
    pub(super) fn fit(&self, inference: &Inference) -> Fit {
        Fit::complete(
            self.estimate,
            self.square().sqrt(),
            self.residual_square,
            inference,
        )
    }
}
