//! What is uncertain before a study: how fast families come, how large the effect is, and how many get the service.
//!
//! Moments and means in closed form, against which simulated studies are checked; a whole study is `simulate`'s.

use crate::numerics::{NumericsError, normal};

/// Mean and variance of the number of families of all sites: Poisson at a rate that is gamma per site.
///
/// With `sites` independent sites, a mean of `per_week` families per site and week, `weeks` weeks and the gamma law's `shape` s
/// (`None` for a fixed rate), and m = per_week·weeks: mean `sites·m`, variance `sites·(m + m²/s)` (Anisimov and Fedorov 2007,
/// doi 10.1002/sim.2956).
///
/// ```
/// let (mean, variance) = lottning::planning::prior::arrivals(6, 1.25, 52.0, Some(2.0));
/// // By hand: m = 65, 6·65 = 390, 6·(65 + 65²/2) = 13065.
/// assert!((mean - 390.0).abs() < 1e-9 && (variance - 13_065.0).abs() < 1e-9);
/// ```
pub fn arrivals(sites: u32, per_week: f64, weeks: f64, shape: Option<f64>) -> (f64, f64) {
    let (sites, mean) = (f64::from(sites), per_week * weeks);
    let extra = shape.map_or(0.0, |shape| mean * mean / shape);
    (sites * mean, sites * (mean + extra))
}

/// Assurance of a two-arm comparison of means: its power averaged over a normal opinion of the effect.
///
/// With n per arm, a known standard deviation `sd`, `e = mean/(sd·√(2/n))` and `s = spread/(sd·√(2/n))` the one-sided
/// probability is `Φ((e − z)/√(1 + s²))`, z the upper `alpha/2` point (O'Hagan, Stevens and Campbell 2005, doi 10.1002/pst.175).
///
/// # Errors
/// [`NumericsError`] for an `alpha` outside (0, 1).
pub fn assurance(
    n_per_arm: f64,
    sd: f64,
    (mean, spread): (f64, f64),
    alpha: f64,
) -> Result<f64, NumericsError> {
    let se = sd * (2.0 / n_per_arm).sqrt();
    normal::quantile(alpha)?; // refuses what is no probability
    let z = -normal::quantile(0.5 * alpha)?;
    let (effect, width) = (mean / se, spread / se);
    Ok(normal::cdf((effect - z) / (1.0 + width * width).sqrt()))
}

/// The effect by intention to treat when the service reaches the share `treated` of its arm and `control` of the other:
/// `effect·(treated − control)`; the sample size grows by the inverse square of that factor.
///
/// Assumes that the service does the same to whoever gets it and that nothing else differs (Angrist, Imbens and Rubin
/// 1996, doi 10.1080/01621459.1996.10476902).
pub fn diluted(effect: f64, treated: f64, control: f64) -> (f64, f64) {
    let factor = treated - control;
    (effect * factor, 1.0 / (factor * factor))
}

#[cfg(test)]
mod tests {
    use super::{arrivals, assurance, diluted};
    use crate::planning::two_means::{Question, Test, solve};

    #[test]
    fn fixed_rates_are_poisson() {
        // Six sites, 1.25 a week, 52 weeks: 390 with a standard deviation of √390 = 19.748; with a gamma law of shape 2
        // 114.302 (by hand: √13065).
        let (mean, variance) = arrivals(6, 1.25, 52.0, None);
        assert!((mean - 390.0).abs() < 1e-9 && (variance.sqrt() - 19.748).abs() < 5e-4);
        assert!((arrivals(6, 1.25, 52.0, Some(2.0)).1.sqrt() - 114.302).abs() < 5e-4);
    }

    /// R 4.2.2: integrate of pnorm over dnorm; beside it the power at the mean of the opinion.
    #[test]
    fn assurance_is_below_a_power_above_one_half() {
        for (n, prior, expected, power) in [
            (64.0, (0.5, 0.2), 0.717_406, 0.807_430),
            (175.0, (0.3, 0.1), 0.731_724, 0.801_301),
        ] {
            let own = assurance(n, 1.0, prior, 0.05).unwrap();
            assert!((own - expected).abs() < 6e-7, "{own}");
            // Without spread it is the power.
            let sure = assurance(n, 1.0, (prior.0, 0.0), 0.05).unwrap();
            assert!((sure - power).abs() < 6e-7, "{sure}");
            let question = Question {
                test: Test::Normal,
                ..Question::power_at(prior.0, 1.0, n, 0.05)
            };
            assert!((solve(&question).unwrap().value - sure).abs() < 1e-12);
        }
        assert!(assurance(64.0, 1.0, (0.5, 0.2), 1.0).is_err());
    }

    #[test]
    fn uptake_dilutes() {
        // By hand: −10·(.80 − .05) = −7.5, 1/.75² = 1.7778.
        let (effect, inflation) = diluted(-10.0, 0.80, 0.05);
        assert!((effect + 7.5).abs() < 1e-12 && (inflation - 16.0 / 9.0).abs() < 1e-12);
    }
}
