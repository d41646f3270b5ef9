//! `randomization-test`: how unusual is the studentized difference among the arms that could have been drawn?

use crate::estimation::answer::{Answer, Estimate, Warning};
use crate::estimation::columns::{Arm, Columns, Factor};
use crate::estimation::entry::{
    EstimatorEntry, Exchange, OptionDomain, OutcomeDomain, Role, Symmetries,
};
use crate::estimation::error::EstimationError;
use crate::estimation::inversion::{Counting, Inversion, Limits, Shares, Studentized, TIE};
use crate::estimation::prepared::{Analysed, Groups, Strata};
use crate::estimation::rerandomization::Rerandomization;
use crate::estimation::settings::{Measure, Settings};
use crate::numerics::stream::replicates_key;
use crate::words;
use serde_json::{Map, Value, json};

/// Registry entry.
pub(super) const ENTRY: EstimatorEntry = EstimatorEntry {
    id: "randomization-test",
    about: "randomization test of the studentized difference, with the interval of its inversion",
    about_sv: "randomiseringstest av den studentiserade skillnaden, med intervallet av dess inversion",
    required: &[Role::Outcome],
    optional: &[Role::Strata, Role::Cluster],
    counts: false,
    outcome: OutcomeDomain::Number,
    events: None,
    in_plan: false,
    options: OptionDomain {
        draws: true,
        ..OptionDomain::NONE
    },
    symmetries: Symmetries {
        arm_exchange: Exchange::Negates,
        ..Symmetries::ROW_ORDER
    },
    run,
};

/// Redraws when none are asked for.
const DRAWS: u64 = 10_000;
/// Most redraws: 40 bytes each are kept.
const MOST: u64 = 10_000_000;

/// `Σ (N_b/N)(ȳ1b − ȳ0b)` over the root of `Σ (N_b/N)²(s²1b/n1b + s²0b/n0b)`, redrawn within strata with as many units in
/// each arm as there were, all choices alike; with clusters, of cluster means. Every sequence is taken where there are
/// at most 100,000; else `(1 + b)/(1 + R)` per tail. `p = min(1, 2·smaller tail)`; ties to 1e-9 count.
///
/// Exact for the hypothesis that no unit's outcome depends on its arm; because it is studentized, asymptotically valid
/// for no average effect (Chung and Romano 2013, doi 10.1214/13-AOS1090; Wu and Ding 2021, doi
/// 10.1080/01621459.2020.1750415). The interval assumes the same effect for everyone.
fn run(columns: &Columns, settings: &Settings) -> Result<Answer, EstimationError> {
    let draws = settings.draws.unwrap_or(DRAWS);
    if !(1..=MOST).contains(&draws) {
        return Err(EstimationError::Draws { draws, most: MOST });
    }
    let needed = if columns.strata.is_empty() && columns.cluster.is_none() {
        2
    } else {
        1
    };
    let analysed = Analysed::new(columns, needed)?;
    let units = Units::new(columns, &analysed)?;
    let plan = Rerandomization::new(&units.arm, &units.value, &units.stratum).map_err(|alone| {
        EstimationError::AloneInStratum {
            stratum: units.levels[alone.stratum].clone(),
        }
    })?;
    let observed = plan.observed();
    let sequences = plan.sequences();
    let (drawn, counting) = if sequences.is_some() {
        (plan.enumerate(), Counting::Sequences)
    } else {
        let seed = settings.seed.unwrap_or(1).to_string();
        let key = replicates_key("estimate", &seed);
        (plan.redraw(&key, draws), Counting::Redraws)
    };
    let test = Inversion {
        observed,
        draws: &drawn,
        counting,
    };
    let found = Found::new(&test, 1.0 - settings.level);
    let mut warnings = analysed.warnings;
    found.note(&mut warnings);
    let [units_control, units_treated] = plan.units();
    let mut extra = Map::new();
    extra.insert("exact".into(), json!(sequences.is_some()));
    extra.insert("draws".into(), json!(drawn.len()));
    extra.insert("p_lower".into(), json!(found.shares.map(|s| s.lower)));
    extra.insert("p_upper".into(), json!(found.shares.map(|s| s.upper)));
    extra.insert("p_smallest".into(), json!(found.smallest));
    extra.insert("p_std_error".into(), json!(found.mcse(&test)));
    extra.insert("interval_assumes".into(), Value::from("constant-effect"));
    if columns.cluster.is_some() {
        extra.insert("units_treated".into(), json!(units_treated));
        extra.insert("units_control".into(), json!(units_control));
    }
    let std_error = observed.c.sqrt();
    let limits = found.limits;
    Ok(Answer {
        results: vec![Estimate {
            estimator: ENTRY.id.to_owned(),
            term: columns.labels.effect(),
            measure: Measure::Difference.text().to_owned(),
            estimate: Some(observed.a),
            std_error: Some(std_error),
            std_error_scale: "identity".to_owned(),
            statistic: (std_error > 0.0).then(|| observed.a / std_error),
            df: None,
            p_value: found.shares.map(|shares| shares.two_sided()),
            conf_low: limits.and_then(|limits| limits.low),
            conf_high: limits.and_then(|limits| limits.high),
            level: settings.level,
            n_treated: analysed.n[1],
            n_control: analysed.n[0],
            variance: "neyman".to_owned(),
            interval: "randomization".to_owned(),
            extra,
        }],
        warnings,
    })
}

/// What is redrawn: rows, or clusters with the means of their rows.
struct Units {
    arm: Vec<Arm>,
    value: Vec<f64>,
    /// Stratum of each, from 0.
    stratum: Vec<u32>,
    /// Names of the strata; one empty name without any.
    levels: Vec<String>,
}

impl Units {
    fn new(columns: &Columns, analysed: &Analysed) -> Result<Self, EstimationError> {
        let (levels, codes) = match Strata::new(columns, analysed)? {
            Some(strata) => (strata.levels, strata.codes),
            None => (vec![String::new()], vec![0; analysed.rows.len()]),
        };
        let rows = Self {
            arm: analysed.arm.clone(),
            value: analysed.outcome.clone(),
            stratum: codes,
            levels,
        };
        let units = match &columns.cluster {
            None => rows,
            Some(cluster) => rows.clustered(cluster, columns, analysed)?,
        };
        for arm in [Arm::Treated, Arm::Control] {
            let own = units.arm.iter().filter(|own| **own == arm).count();
            if columns.strata.is_empty() && own < 2 {
                return Err(EstimationError::TooFewRows {
                    arm: columns.labels.arm(arm).to_owned(),
                    rows: own,
                    needed: 2,
                });
            }
        }
        Ok(units)
    }

    fn clustered(
        self,
        cluster: &Factor,
        columns: &Columns,
        analysed: &Analysed,
    ) -> Result<Self, EstimationError> {
        let groups = Groups::new(cluster, columns, analysed)?;
        let mut sums = vec![(0.0, 0.0); groups.count];
        let mut first: Vec<Option<usize>> = vec![None; groups.count];
        for (row, group) in groups.codes.iter().enumerate() {
            let group = *group as usize;
            let own = *first[group].get_or_insert(row);
            let between = if self.arm[own] != self.arm[row] {
                Some("arms")
            } else if self.stratum[own] != self.stratum[row] {
                Some("strata")
            } else {
                None
            };
            if let Some(between) = between {
                let code = cluster.codes[analysed.rows[row]];
                let level = code.and_then(|code| cluster.levels.get(code as usize));
                return Err(EstimationError::ClusterSplit {
                    cluster: level.cloned().unwrap_or_default(),
                    between,
                });
            }
            sums[group].0 += self.value[row];
            sums[group].1 += 1.0;
        }
        let first: Vec<usize> = first.into_iter().flatten().collect();
        Ok(Self {
            arm: first.iter().map(|row| self.arm[*row]).collect(),
            value: sums.iter().map(|(sum, n)| sum / n).collect(),
            stratum: first.iter().map(|row| self.stratum[*row]).collect(),
            levels: self.levels,
        })
    }
}

/// What the test found.
struct Found {
    shares: Option<Shares>,
    smallest: f64,
    limits: Option<Limits>,
}

impl Found {
    fn new(test: &Inversion<'_>, alpha: f64) -> Self {
        let value = |draw: &Studentized| draw.value(0.0);
        let values = || test.draws.iter().filter_map(value);
        let least = values().fold(f64::INFINITY, f64::min);
        let greatest = values().fold(f64::NEG_INFINITY, f64::max);
        let near = |end: f64| {
            let tolerance = TIE
                * if end.is_finite() {
                    end.abs().max(1.0)
                } else {
                    1.0
                };
            values()
                .filter(|v| v.total_cmp(&end).is_eq() || (v - end).abs() <= tolerance)
                .count()
        };
        let varies = near(least) < test.draws.len();
        let smallest = match test.counting {
            Counting::Redraws => 1.0 / (1 + test.draws.len()) as f64,
            Counting::Sequences | Counting::Weighted(_) => {
                near(least).min(near(greatest)) as f64 / test.draws.len() as f64
            }
        };
        Self {
            shares: test.shares(0.0).filter(|_| varies),
            smallest: (2.0 * smallest).min(1.0),
            limits: if varies { test.limits(alpha) } else { None },
        }
    }

    /// Monte Carlo standard error of p: `2√(q(1 − q)/R)` with q the smaller tail; 0 when exact.
    fn mcse(&self, test: &Inversion<'_>) -> Option<f64> {
        let shares = self.shares?;
        let q = shares.lower.min(shares.upper);
        Some(match test.counting {
            Counting::Redraws => 2.0 * (q * (1.0 - q) / test.draws.len() as f64).sqrt(),
            Counting::Sequences | Counting::Weighted(_) => 0.0,
        })
    }

    fn note(&self, warnings: &mut Vec<Warning>) {
        if self.shares.is_none() {
            warnings.push(Warning::new(
                "no-variation",
                words!(
                    "the statistic is the same whichever units are treated, so there is no test",
                    "statistikan är densamma vilka enheter som än behandlas, så det finns inget test"
                ),
            ));
            return;
        }
        let Some(limits) = self.limits else {
            warnings.push(Warning::new(
                "no-variation",
                words!(
                    "outcomes do not vary within the arms, so the interval does not exist",
                    "utfallen varierar inte inom armarna, så intervallet finns inte"
                ),
            ));
            return;
        };
        warnings.push(Warning::new(
            "constant-effect-assumed",
            words!(
                "the interval assumes that the effect is the same for everyone; the p-value does not",
                "intervallet förutsätter att effekten är densamma för alla; p-värdet gör det inte"
            ),
        ));
        if limits.low.is_none() || limits.high.is_none() {
            warnings.push(Warning::new(
                "interval-unbounded",
                words!(
                    "so few sequences or redraws that the test never rejects at this level: the interval has no end on every side, and that limit is left empty",
                    "så få ordningar eller omlottningar att testet aldrig förkastar på den här nivån: intervallet saknar ände åt minst ett håll, och den gränsen är tom"
                ),
            ));
        }
        if limits.gap {
            warnings.push(Warning::new(
                "interval-not-monotone",
                words!(
                    "the test rejects some values between the limits too; the limits are the outermost values that it does not reject",
                    "testet förkastar även några värden mellan gränserna; gränserna är de yttersta värden som det inte förkastar"
                ),
            ));
        }
    }
}
