//! `mantel-haenszel`: a common difference or ratio over strata, and the Cochran–Mantel–Haenszel test.

use super::two_by_two;
use crate::estimation::answer::{Answer, Estimate, Warning};
use crate::estimation::columns::Columns;
use crate::estimation::entry::{
    EstimatorEntry, Exchange, OptionDomain, OutcomeDomain, Role, Symmetries,
};
use crate::estimation::error::EstimationError;
use crate::estimation::inference::{Fit, Inference};
use crate::estimation::prepared::{Analysed, Strata};
use crate::estimation::settings::{Measure, Settings, Variance};
use crate::numerics::normal;
use crate::words;
use serde_json::{Map, json};

/// Registry entry.
pub(super) const ENTRY: EstimatorEntry = EstimatorEntry {
    id: "mantel-haenszel",
    about: "common difference or ratio over strata, and the Cochran-Mantel-Haenszel test",
    about_sv: "gemensam skillnad eller kvot mellan andelar över strata, och Cochran-Mantel-Haenszels test",
    required: &[Role::Outcome, Role::Strata],
    optional: &[],
    counts: false,
    outcome: OutcomeDomain::ZeroOne,
    events: None,
    in_plan: true,
    options: OptionDomain {
        measures: &[
            Measure::RiskDifference,
            Measure::RiskRatio,
            Measure::OddsRatio,
        ],
        ..OptionDomain::NONE
    },
    symmetries: Symmetries {
        arm_exchange: Exchange::Negates,
        row_order: true,
        covariate_affine: true,
        outcome_affine: false,
    },
    run,
};

/// Weights of Mantel and Haenszel (1959). Rows: the common effect, then the test of no effect in any stratum, without a
/// continuity correction. `mantelhaen.test(correct = FALSE)` has the odds ratio and the test.
fn run(columns: &Columns, settings: &Settings) -> Result<Answer, EstimationError> {
    let analysed = Analysed::new(columns, 1)?;
    two_by_two::check_binary(columns, &analysed)?;
    let strata = Strata::new(columns, &analysed)?.ok_or(EstimationError::ColumnMissing {
        estimator: ENTRY.id,
        role: Role::Strata,
    })?;
    let mut tables = vec![Table::default(); strata.levels.len()];
    for ((code, arm), y) in strata
        .codes
        .iter()
        .zip(&analysed.arm)
        .zip(&analysed.outcome)
    {
        let cell = &mut tables[*code as usize].cells[arm.index()];
        cell[usize::from(*y < 0.5)] += 1.0;
    }
    let measure = settings.measure.unwrap_or(Measure::RiskDifference);
    let (common, variance) = match measure {
        Measure::RiskRatio => (risk_ratio(&tables), "greenland-robins"),
        Measure::OddsRatio => (odds_ratio(&tables), "robins-breslow-greenland"),
        _ => (risk_difference(&tables), "sato"),
    };
    let log = measure != Measure::RiskDifference;
    let mut warnings = analysed.warnings;
    warnings.extend(common.absent());
    let inference = Inference::new(Variance::Model, None, settings.level)?;
    let usable = common.usable(log);
    let fit = usable.map(|(estimate, se)| Fit::complete(estimate, se, 0.0, &inference));
    let scale = |value: f64| if log { libm::exp(value) } else { value };
    let number = |of: fn(&Fit) -> Option<f64>| fit.as_ref().and_then(of);
    let mut extra = Map::new();
    extra.insert("strata".into(), json!(tables.len()));
    let effect = Estimate {
        estimator: ENTRY.id.to_owned(),
        term: columns.labels.effect(),
        measure: measure.text().to_owned(),
        estimate: common.estimate,
        std_error: common.std_error,
        std_error_scale: if log { "log" } else { "identity" }.to_owned(),
        statistic: number(|fit| fit.statistic),
        df: None,
        p_value: number(|fit| fit.p_value),
        conf_low: number(|fit| fit.conf_low).map(scale),
        conf_high: number(|fit| fit.conf_high).map(scale),
        level: settings.level,
        n_treated: analysed.n[1],
        n_control: analysed.n[0],
        variance: variance.to_owned(),
        interval: "normal".to_owned(),
        extra,
    };
    let statistic = conditional_test(&tables);
    if statistic.is_none() {
        warnings.push(Warning::new(
            "no-variation",
            words!(
                "no stratum has both events and non-events, so the test does not exist",
                "inget stratum har både händelser och icke-händelser, så testet finns inte"
            ),
        ));
    }
    let test = Estimate {
        measure: Measure::Test.text().to_owned(),
        estimate: None,
        std_error: None,
        std_error_scale: "identity".to_owned(),
        statistic: statistic.map(|z| z * z),
        df: statistic.map(|_| 1.0),
        p_value: statistic.map(normal::two_sided),
        conf_low: None,
        conf_high: None,
        variance: "hypergeometric".to_owned(),
        interval: "none".to_owned(),
        extra: Map::new(),
        ..effect.clone()
    };
    Ok(Answer {
        results: vec![effect, test],
        warnings,
    })
}

/// One stratum: events and non-events of control, then of treated.
#[derive(Debug, Clone, Copy, Default)]
struct Table {
    cells: [[f64; 2]; 2],
}

/// Letters of the papers: treated events a and non-events b, control events c and non-events d.
struct Letters {
    a: f64,
    b: f64,
    c: f64,
    d: f64,
    /// Units of the treated arm, of control, of both.
    n1: f64,
    n0: f64,
    n: f64,
}

impl Table {
    fn letters(&self) -> Letters {
        let [[c, d], [a, b]] = self.cells;
        Letters {
            a,
            b,
            c,
            d,
            n1: a + b,
            n0: c + d,
            n: a + b + c + d,
        }
    }
}

/// A common effect; what does not exist is `None`.
#[derive(Debug, Clone, Copy)]
struct Common {
    estimate: Option<f64>,
    /// Of the logarithm for ratios.
    std_error: Option<f64>,
}

impl Common {
    /// Estimate and standard error on the scale of the standard error.
    fn usable(&self, log: bool) -> Option<(f64, f64)> {
        let (estimate, se) = self.estimate.zip(self.std_error)?;
        Some((if log { libm::log(estimate) } else { estimate }, se))
    }

    fn absent(&self) -> Option<Warning> {
        match self.std_error {
            Some(se) if se > 0.0 => None,
            Some(_) => Some(Warning::new(
                "no-variation",
                words!(
                    "no stratum varies within an arm, so there is no test and no interval of the common effect",
                    "inget stratum varierar inom en arm, så det finns varken test eller intervall för den gemensamma effekten"
                ),
            )),
            None => Some(Warning::new(
                "zero-cell",
                words!(
                    "over all strata an arm has no event (or, for the odds ratio, no stratum informs one side), so the ratio is zero, infinite (null) or undefined (null), without a standard error; use the risk difference",
                    "över alla strata har en arm ingen händelse (eller, för oddskvoten, inget stratum informerar om ena sidan), så kvoten är noll, oändlig (tom) eller odefinierad (tom), utan medelfel; använd riskskillnaden"
                ),
            )),
        }
    }
}

/// Weights `n1 n0/n`; variance of Sato (1989, doi 10.2307/2531766), right for few large and for many small strata:
/// `(δ̂ ΣP + ΣQ)/(Σ n1n0/n)²`, `P = (n1²c − n0²a + n1n0(n0 − n1)/2)/n²`, `Q = (a(n0 − c) + c(n1 − a))/(2n)`.
fn risk_difference(tables: &[Table]) -> Common {
    let (mut top, mut weight, mut p, mut q) = (0.0, 0.0, 0.0, 0.0);
    for t in tables.iter().map(Table::letters) {
        top += (t.a * t.n0 - t.c * t.n1) / t.n;
        weight += t.n1 * t.n0 / t.n;
        p += (t.n1 * t.n1 * t.c - t.n0 * t.n0 * t.a + 0.5 * t.n1 * t.n0 * (t.n0 - t.n1))
            / (t.n * t.n);
        q += (t.a * t.d + t.c * t.b) / (2.0 * t.n);
    }
    let estimate = top / weight;
    let variance = (estimate * p + q).max(0.0) / (weight * weight);
    Common {
        estimate: Some(estimate),
        std_error: Some(variance.sqrt()),
    }
}

/// `Σ a n0/n / Σ c n1/n`; variance of the logarithm of Greenland and Robins (1985, doi 10.2307/2530643):
/// `Σ (n1 n0 (a + c) − a c n)/n² / (ΣR ΣS)`.
fn risk_ratio(tables: &[Table]) -> Common {
    let (mut r, mut s, mut p) = (0.0, 0.0, 0.0);
    for t in tables.iter().map(Table::letters) {
        r += t.a * t.n0 / t.n;
        s += t.c * t.n1 / t.n;
        p += (t.n1 * t.n0 * (t.a + t.c) - t.a * t.c * t.n) / (t.n * t.n);
    }
    Common {
        estimate: (s > 0.0).then(|| r / s),
        std_error: (r > 0.0 && s > 0.0).then(|| (p / (r * s)).max(0.0).sqrt()),
    }
}

/// `ΣR/ΣS`, `R = ad/n`, `S = bc/n`; variance of the logarithm of Robins, Breslow and Greenland (1986, doi
/// 10.2307/2531052): `ΣPR/(2R²) + Σ(PS + QR)/(2RS) + ΣQS/(2S²)`, `P = (a + d)/n`, `Q = (b + c)/n`.
fn odds_ratio(tables: &[Table]) -> Common {
    let (mut r, mut s, mut pr, mut cross, mut qs) = (0.0, 0.0, 0.0, 0.0, 0.0);
    for t in tables.iter().map(Table::letters) {
        let (rk, sk) = (t.a * t.d / t.n, t.b * t.c / t.n);
        let (p, q) = ((t.a + t.d) / t.n, (t.b + t.c) / t.n);
        r += rk;
        s += sk;
        pr += p * rk;
        cross += p * sk + q * rk;
        qs += q * sk;
    }
    let variance = pr / (2.0 * r * r) + cross / (2.0 * r * s) + qs / (2.0 * s * s);
    Common {
        estimate: (s > 0.0).then(|| r / s),
        std_error: (r > 0.0 && s > 0.0).then(|| variance.sqrt()),
    }
}

/// The signed root of `(Σ(a − n1 m/n))² / Σ n1 n0 m (n − m)/(n²(n − 1))`, m events in the stratum (Cochran 1954, Mantel and
/// Haenszel 1959).
fn conditional_test(tables: &[Table]) -> Option<f64> {
    let (mut deviation, mut variance) = (0.0, 0.0);
    for t in tables.iter().map(Table::letters) {
        let m = t.a + t.c;
        deviation += (t.a * t.n0 - t.c * t.n1) / t.n;
        variance += t.n1 * t.n0 * m * (t.n - m) / (t.n * t.n * (t.n - 1.0));
    }
    (variance > 0.0).then(|| deviation / variance.sqrt())
}
