//! Rubin's rules: one estimate from the analyses of several completed data sets.
//!
//! What completes the data is not here; nothing here draws. Degrees of freedom are those of Barnard and Rubin (1999, doi
//! 10.1093/biomet/86.4.948), which never exceed those of the complete data.

use super::error::EstimationError;

/// The estimates of several completed data sets, pooled.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pooled {
    /// Mean of the estimates.
    pub estimate: f64,
    /// Square root of the total variance, W + (1 + 1/m)·B.
    pub std_error: f64,
    /// Variance within: mean of the squared standard errors.
    pub within: f64,
    /// Variance between the estimates, with m − 1.
    pub between: f64,
    /// Share λ of the total variance that is due to what is missing.
    pub due_to_missing: f64,
    /// Degrees of freedom; `None` when the complete data's are infinite and nothing varies between.
    pub df: Option<f64>,
    /// Fraction γ of missing information: (r + 2/(ν + 3))/(1 + r), r the relative increase in variance.
    pub missing_information: f64,
}

/// Pools estimates and their standard errors; `df_complete` is that of the analysis of complete data, `None` for a normal
/// reference.
///
/// W = mean of se², B = variance of the estimates, T = W + (1 + 1/m)B (Rubin 1987, equations 3.1.2 to 3.1.5).
/// ν_old = (m − 1)/λ²; ν_obs = (ν_com + 1)/(ν_com + 3)·ν_com·(1 − λ); ν = 1/(1/ν_old + 1/ν_obs). Without variation
/// between the data sets λ is 0 and ν is ν_obs at λ = 0.
///
/// ```
/// use lottning::estimation::imputation::pool;
/// let pooled = pool(&[(1.0, 0.5), (2.0, 0.5)], None)?;
/// // W = ¼, B = ½, T = ¼ + 1.5·½ = 1, by hand.
/// assert!((pooled.estimate - 1.5).abs() < 1e-15 && (pooled.std_error - 1.0).abs() < 1e-15);
/// # Ok::<(), lottning::estimation::EstimationError>(())
/// ```
///
/// # Errors
/// [`EstimationError::NoRows`] with fewer than two data sets; [`EstimationError::NotFinite`] for a number that is none.
pub fn pool(analyses: &[(f64, f64)], df_complete: Option<f64>) -> Result<Pooled, EstimationError> {
    let m = analyses.len() as f64;
    if analyses.len() < 2 {
        return Err(EstimationError::NoRows);
    }
    if let Some(bad) = analyses
        .iter()
        .position(|(estimate, se)| !(estimate.is_finite() && se.is_finite() && *se >= 0.0))
    {
        return Err(EstimationError::NotFinite {
            column: "estimate".into(),
            row: bad + 1,
        });
    }
    // About the first, so that estimates that are all the same have no variance from rounding.
    let first = analyses.first().map_or(0.0, |own| own.0);
    let estimate = first + analyses.iter().map(|own| own.0 - first).sum::<f64>() / m;
    let within = analyses.iter().map(|own| own.1 * own.1).sum::<f64>() / m;
    let square = |own: &(f64, f64)| (own.0 - estimate) * (own.0 - estimate);
    let between = analyses.iter().map(square).sum::<f64>() / (m - 1.0);
    let added = (1.0 + 1.0 / m) * between;
    let total = within + added;
    let share = if total > 0.0 { added / total } else { 0.0 };
    let old = (share > 0.0).then(|| (m - 1.0) / (share * share));
    let observed = df_complete
        .filter(|df| df.is_finite())
        .map(|df| (df + 1.0) / (df + 3.0) * df * (1.0 - share));
    let df = match (old, observed) {
        (Some(old), Some(observed)) => Some(1.0 / (1.0 / old + 1.0 / observed)),
        (old, observed) => old.or(observed),
    };
    let increase = if within > 0.0 { added / within } else { 0.0 };
    let correction = df.map_or(0.0, |df| 2.0 / (df + 3.0));
    let missing_information = if share > 0.0 {
        (increase + correction) / (1.0 + increase)
    } else {
        0.0
    };
    Ok(Pooled {
        estimate,
        std_error: total.sqrt(),
        within,
        between,
        due_to_missing: share,
        df,
        missing_information,
    })
}

#[cfg(test)]
mod tests {
    use super::pool;

    /// Nothing is missing, so nothing varies: by hand W = s², B = 0, ν = 41/43·40, γ = 0. A hundred times 0.1 do not sum to 10 in
    /// floating point.
    #[test]
    fn data_sets_that_are_all_the_same_miss_no_information() {
        for estimate in [0.1, -1.0 / 3.0, 0.7] {
            let pooled = pool(&[(estimate, 0.2); 100], Some(40.0)).unwrap();
            assert_eq!((pooled.between, pooled.missing_information), (0.0, 0.0));
            assert!((pooled.df.unwrap() - 41.0 / 43.0 * 40.0).abs() < 1e-12);
            assert!((pooled.estimate - estimate).abs() < 1e-16);
        }
    }
}
