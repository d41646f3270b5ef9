//! The laws of priors: an inverse distribution function each, and how it is stated.

use crate::diagnostic::Words;
use crate::numerics::beta::Beta;
use crate::numerics::chi_square::ChiSquare;
use crate::numerics::normal;
use crate::planning::mechanisms::{or_default, positive, probability, share};
use crate::protocol::findings::Findings;
use crate::protocol::tree::{Section, Value as Read};
use crate::words;
use std::ops::Range;

/// A law by its parameters.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Law {
    Normal {
        mean: f64,
        sd: f64,
    },
    LogNormal {
        log_median: f64,
        sd: f64,
    },
    Beta(Beta),
    Gamma {
        law: ChiSquare,
        scale: f64,
    },
    Uniform {
        low: f64,
        high: f64,
    },
    Values {
        values: Vec<f64>,
        cumulative: Vec<f64>,
    },
}

impl Law {
    /// The probability of at most `x`.
    pub(super) fn cdf(&self, x: f64) -> f64 {
        match self {
            Self::Normal { mean, sd } => normal::cdf((x - mean) / sd),
            Self::LogNormal { .. } if x <= 0.0 => 0.0,
            Self::LogNormal { log_median, sd } => normal::cdf((libm::log(x) - log_median) / sd),
            Self::Beta(law) => law.cdf(x),
            Self::Gamma { law, scale } => law.cdf(x / scale),
            Self::Uniform { low, high } => ((x - low) / (high - low)).clamp(0.0, 1.0),
            Self::Values { values, cumulative } => {
                let below = values
                    .iter()
                    .zip(cumulative)
                    .filter(|(value, _)| **value <= x);
                below.map(|(_, sum)| *sum).fold(0.0, f64::max)
            }
        }
    }

    /// The value below which the law falls with probability `p`, for 0 < p < 1.
    pub(super) fn quantile(&self, p: f64) -> f64 {
        let or = |found: Result<f64, _>, none: f64| found.unwrap_or(none);
        match self {
            Self::Normal { mean, sd } => mean + sd * or(normal::quantile(p), 0.0),
            Self::LogNormal { log_median, sd } => {
                libm::exp(log_median + sd * or(normal::quantile(p), 0.0))
            }
            Self::Beta(law) => or(law.quantile(p), 0.5),
            Self::Gamma { law, scale } => or(law.quantile(p), 0.0) * scale,
            Self::Uniform { low, high } => low + p * (high - low),
            Self::Values { values, cumulative } => {
                let place = cumulative.partition_point(|sum| *sum <= p);
                values[place.min(values.len() - 1)]
            }
        }
    }
}

/// Any number.
pub(super) fn finite(out: &mut Findings<'_>, value: &Read<'_>) -> Option<f64> {
    value.number(out, |_| true, words!("a number", "ett tal"))
}

fn pair(
    out: &mut Findings<'_>,
    value: &Read<'_>,
    names: [&str; 2],
    first: fn(&mut Findings<'_>, &Read<'_>) -> Option<f64>,
) -> Option<(f64, f64)> {
    let section = value.section(out, &names)?;
    let a = section.need(out, names[0]);
    let a = a.and_then(|value| first(out, &value));
    let b = section.need(out, names[1]);
    let b = b.and_then(|value| positive(out, &value, 1e9));
    a.zip(b)
}

fn above_zero(out: &mut Findings<'_>, value: &Read<'_>) -> Option<f64> {
    positive(out, value, 1e9)
}

/// Reports a prior that cannot be.
pub(super) fn impossible(out: &mut Findings<'_>, span: &Range<usize>, message: Words, help: Words) {
    out.error("impossible-prior", span, message, help);
}

/// Reads the law that the one of a prior's keys states.
pub(super) fn law(out: &mut Findings<'_>, section: &Section<'_>, value: &Read<'_>) -> Option<Law> {
    match value.key.as_str() {
        "normal" => {
            let (mean, sd) = pair(out, value, ["mean", "sd"], finite)?;
            Some(Law::Normal { mean, sd })
        }
        "log_normal" => {
            let (median, sd) = pair(out, value, ["median", "sd_log"], above_zero)?;
            let log_median = libm::log(median);
            Some(Law::LogNormal { log_median, sd })
        }
        "beta" => {
            let (mean, sd) = pair(out, value, ["mean", "sd"], probability)?;
            // Shapes with this mean and variance: their sum is mean(1 − mean)/sd² − 1.
            let sum = mean * (1.0 - mean) / (sd * sd) - 1.0;
            let law = Beta::new(mean * sum, (1.0 - mean) * sum);
            if law.is_err() {
                let most = Words::decimals((mean * (1.0 - mean)).sqrt(), 3);
                let (most, most_sv) = (most.en, most.sv);
                let Words { en, sv } = Words::number(mean);
                let spread = Words::number(sd);
                let (sd, sd_sv) = (spread.en, spread.sv);
                impossible(
                    out,
                    &value.span,
                    words!(
                        "no beta law with the mean {en} has the standard deviation {sd}",
                        "ingen betafördelning med medelvärdet {sv} har standardavvikelsen {sd_sv}"
                    ),
                    words!("a `sd` below {most}", "en `sd` under {most_sv}"),
                );
            }
            law.ok().map(Law::Beta)
        }
        "gamma" => {
            let (mean, sd) = pair(out, value, ["mean", "sd"], above_zero)?;
            // Shape mean²/sd²; a gamma variable is a chi-square variable of twice the shape, scaled.
            let shape = mean * mean / (sd * sd);
            let law = ChiSquare::new(2.0 * shape).ok()?;
            let scale = mean / (2.0 * shape);
            Some(Law::Gamma { law, scale })
        }
        "uniform" => {
            let items = value.items(out)?;
            let ends: Option<Vec<f64>> = items.iter().map(|item| finite(out, item)).collect();
            match *ends?.as_slice() {
                [low, high] if low < high => Some(Law::Uniform { low, high }),
                _ => {
                    impossible(
                        out,
                        &value.span,
                        words!(
                            "a uniform law has two ends, the lower one first",
                            "en likformig fördelning har två gränser, den lägre först"
                        ),
                        words!("such as [0.7, 1.0]", "till exempel [0.7, 1.0]"),
                    );
                    None
                }
            }
        }
        _ => values(out, section, value),
    }
}

fn values(out: &mut Findings<'_>, section: &Section<'_>, value: &Read<'_>) -> Option<Law> {
    let items = value.items(out)?;
    if !value.need_items(out, &items) {
        return None;
    }
    let values: Option<Vec<f64>> = items.iter().map(|item| finite(out, item)).collect();
    let values = values?;
    let even = vec![1.0 / values.len() as f64; values.len()];
    let shares = or_default(out, section, "shares", even, |out, value| {
        let items = value.items(out)?;
        items.iter().map(|item| share(out, item)).collect()
    })?;
    let total: f64 = shares.iter().sum();
    if shares.len() != values.len() || (total - 1.0).abs() > 1e-6 {
        let (own, of) = (shares.len(), values.len());
        let Words { en, sv } = Words::number(total);
        out.error(
            "shares-sum",
            &section.key_span("shares"),
            words!(
                "{own} shares of {of} values add to {en}, not to 1",
                "{own} andelar för {of} värden blir {sv}, inte 1"
            ),
            words!("one share per value", "en andel per värde"),
        );
        return None;
    }
    let mut sum = 0.0;
    let cumulative = shares.iter().map(|share| {
        sum += share / total;
        sum
    });
    Some(Law::Values {
        cumulative: cumulative.collect(),
        values,
    })
}
