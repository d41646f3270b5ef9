//! The families of generalized linear models: what one row's linear predictor means for mean, weight, score and
//! deviance, in forms that neither overflow nor cancel.

/// Distribution of the outcome, with its link.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Family {
    /// 0 or 1, with `ln(p/(1−p)) = η`.
    Binomial,
    /// A count with variance μ, `ln μ = η`.
    Poisson,
    /// A count with variance `μ + μ²/θ`, `ln μ = η`.
    NegativeBinomial {
        /// θ > 0.
        theta: f64,
    },
}

/// One row at its linear predictor η.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Row {
    pub(super) mean: f64,
    /// Root of the expected information about η.
    pub(super) root_weight: f64,
    /// Score of η over that root: Pearson's residual.
    pub(super) pull: f64,
    /// Contribution to the deviance.
    pub(super) deviance: f64,
}

impl Family {
    pub(super) fn row(self, y: f64, eta: f64) -> Row {
        match self {
            Self::Binomial => binomial(y > 0.5, eta),
            Self::Poisson => {
                let (mean, root) = (libm::exp(eta), libm::exp(0.5 * eta));
                Row {
                    mean,
                    root_weight: root,
                    pull: (y - mean) / root,
                    deviance: 2.0 * (y_log_ratio(y, eta) - (y - mean)),
                }
            }
            Self::NegativeBinomial { theta } => {
                let mean = libm::exp(eta);
                let inflation = 1.0 + mean / theta;
                let tail = (y + theta) * libm::log1p((y - mean) / (mean + theta));
                Row {
                    mean,
                    root_weight: (mean / inflation).sqrt(),
                    pull: (y - mean) / (mean * inflation).sqrt(),
                    deviance: 2.0 * (y_log_ratio(y, eta) - tail),
                }
            }
        }
    }

    /// The linear predictor that fits all rows alike, offset apart: where iterations begin.
    pub(super) fn intercept(self, y: &[f64], offset: Option<&[f64]>) -> f64 {
        let n = y.len() as f64;
        let sum: f64 = y.iter().sum();
        match self {
            Self::Binomial => libm::log((sum + 0.5) / (n - sum + 0.5)),
            Self::Poisson | Self::NegativeBinomial { .. } => {
                let log_exposure = match offset {
                    None => libm::log(n),
                    Some(offset) => {
                        let most = offset.iter().fold(f64::NEG_INFINITY, |m, o| m.max(*o));
                        let sum: f64 = offset.iter().map(|o| libm::exp(o - most)).sum();
                        most + libm::log(sum)
                    }
                };
                libm::log(sum.max(0.5)) - log_exposure
            }
        }
    }
}

/// With `√w = √(p(1−p)) = 1/(2 cosh(η/2))` the score over √w is `exp(∓η/2)`.
fn binomial(event: bool, eta: f64) -> Row {
    let small = libm::exp(-eta.abs());
    let mean = if eta >= 0.0 {
        1.0 / (1.0 + small)
    } else {
        small / (1.0 + small)
    };
    // Towards what was seen.
    let toward = if event { eta } else { -eta };
    let pull = libm::exp(-0.5 * toward);
    Row {
        mean,
        root_weight: libm::exp(-0.5 * eta.abs()) / (1.0 + small),
        pull: if event { pull } else { -pull },
        deviance: 2.0 * ((-toward).max(0.0) + libm::log1p(small)),
    }
}

/// `y ln(y/μ)`, 0 at 0.
fn y_log_ratio(y: f64, eta: f64) -> f64 {
    if y > 0.0 {
        y * (libm::log(y) - eta)
    } else {
        0.0
    }
}
