//! Analyses of the children of each family: which numbers they are made of, and whether it matters that families differ in
//! size.
//!
//! Two averages answer two questions (Kahan et al. 2023, doi 10.1093/ije/dyac131). Where families with many children react
//! otherwise than others the two differ, and the number of children is informative; both always stand side by side.

use super::sensitivity::Ground;
use super::workspace::{Workspace, is_out};
use crate::diagnostic::Words;
use crate::estimation::{
    Arm as Side, Columns, Covariate, Df, EstimationError, Factor, Settings, Values, Variance,
    Warning, estimate,
};
use crate::protocol::Protocol;
use crate::protocol::model::{Analysis, Average, Day, Summary};
use crate::study::children::{members, seen};
use crate::study::dataset::End;
use crate::study::kernel::State;
use crate::words;

/// Type I error of the comparison of the two averages, of both sides: beyond it the warning stands.
const ALPHA: f64 = 0.05;

/// A difference below this part of the estimates and their error is rounding.
const ROUNDING: f64 = 1e-9;

/// What was counted beside the numbers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Tally {
    /// Of each arm the children in the analysis, and those of them with an outcome other than 0.
    pub(super) children: Vec<[u32; 2]>,
    /// Families with a followed window on whose roster no child is named.
    pub(super) childless: u32,
    /// Counted reports of the analysed families that name no child of the roster.
    pub(super) unnamed: u32,
}

/// The outcome's name: of a child, where the analysis is of children.
pub(super) fn label(protocol: &Protocol, analysis: &Analysis) -> Words {
    let own = &protocol.outcomes[analysis.outcome].label;
    if analysis.children.is_none() {
        return own.clone();
    }
    let (en, sv) = (&own.en, &own.sv);
    words!("{en}, per child", "{sv}, per barn")
}

impl Workspace {
    /// Reads what was reported of every child whose family was followed to the end of the window: a row for each child, or
    /// for each family with the mean over its children. Families are counted, as in other analyses.
    pub(super) fn sample_children(
        &mut self,
        (protocol, state, cut): (&Protocol, &State, Day),
        analysis: &Analysis,
        average: Average,
    ) {
        self.tally = Tally::default();
        self.tally.children.resize(self.seen.len(), [0; 2]);
        let all = members(state, &self.units);
        let mut rest = &all[..];
        for (row, unit) in self.units.iter().enumerate() {
            let count = rest.iter().take_while(|own| own.row as usize == row);
            let (own, later) = rest.split_at(count.count());
            rest = later;
            if is_out(&self.left_out, row) {
                continue;
            }
            let Some(arm) = self.seen.get_mut(unit.arm.index()) else {
                continue;
            };
            arm.randomized += 1;
            let family = (unit.family, own);
            let Some(found) = seen(protocol, state, cut, family, analysis.outcome) else {
                arm.missing += 1;
                continue;
            };
            match found.end {
                End::Window | End::Terminal => {}
                End::Censored => {
                    arm.missing += 1;
                    continue;
                }
                End::Cut => {
                    arm.not_yet += 1;
                    continue;
                }
            }
            if own.is_empty() {
                arm.missing += 1;
                self.tally.childless += 1;
                continue;
            }
            let value = |reports: &u32| match analysis.summary {
                Summary::Any => f64::from(u8::from(*reports > 0)),
                Summary::Count | Summary::FirstTime | Summary::Value => f64::from(*reports),
            };
            let sum: f64 = found.reports.iter().map(value).sum();
            let mean = sum / own.len() as f64;
            arm.analysed += 1;
            arm.sum += match average {
                Average::Child => sum,
                Average::Family => mean,
            };
            if let Some([children, having]) = self.tally.children.get_mut(unit.arm.index()) {
                *children += own.len() as u32;
                let reported = found.reports.iter().filter(|own| **own > 0);
                *having += reported.count() as u32;
            }
            self.tally.unnamed += found.unnamed;
            match average {
                Average::Child => {
                    for reports in &found.reports {
                        self.rows.push(row as u32);
                        self.y.push(value(reports));
                    }
                }
                Average::Family => {
                    self.rows.push(row as u32);
                    self.y.push(mean);
                }
            }
        }
    }

    /// The family of each row as its cluster.
    pub(super) fn family_clusters(rows: &[usize]) -> Factor {
        let mut families = rows.to_vec();
        families.sort_unstable();
        families.dedup();
        let place = |row: &usize| families.binary_search(row).ok().map(|place| place as u32);
        Factor {
            name: "family".to_owned(),
            codes: rows.iter().map(place).collect(),
            levels: families
                .iter()
                .map(|row| format!("family {}", row + 1))
                .collect(),
        }
    }

    /// What a reader must know of the children that were sampled last.
    pub(super) fn note_children(&self, warn: &mut impl FnMut(&'static str, Words)) {
        let Tally {
            children,
            childless,
            unnamed,
        } = &self.tally;
        let children: u32 = children.iter().map(|[all, _]| all).sum();
        warn(
            "children-counted",
            words!(
                "{children} children stood on the rosters of the analysed families at the draw; {childless} families had no child named and are left out; {unnamed} reports name none of the children and count for their families alone",
                "{children} barn fanns med i de analyserade familjerna vid lottningen; {childless} familjer hade inget barn angivet och ingår inte; {unnamed} anmälningar anger inget av barnen och räknas enbart för familjen"
            ),
        );
    }
}

/// The family average minus the child average.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Difference {
    pub(super) estimate: f64,
    pub(super) std_error: f64,
    pub(super) p_value: f64,
}

impl Difference {
    /// The warning, where chance does not explain it.
    pub(super) fn warning(self) -> Option<Warning> {
        let text = |value: f64| {
            let en = format!("{value:.3}");
            let sv = en.replace('.', ",").replace('-', "\u{2212}");
            (en.replace('-', "\u{2212}"), sv)
        };
        let ((en, sv), (se_en, se_sv)) = (text(self.estimate), text(self.std_error));
        (self.p_value <= ALPHA).then(|| {
            Warning::new(
                "averages-differ",
                words!(
                    "the effect averaged over families is {en} above that averaged over children (standard error {se_en}), more than chance explains at 5%: families with many children react otherwise than those with few, so the question decides which average is the answer",
                    "effekten i genomsnitt över familjer är {sv} högre än den över barn (medelfel {se_sv}), mer än slumpen förklarar på 5 %: familjer med många barn reagerar annorlunda än de med få, så frågan avgör vilket genomsnitt som är svaret"
                ),
            )
        })
    }
}

/// By how much the two averages differ, by one regression on both sets of rows with families as clusters (CR2, Satterthwaite):
/// the coefficient of the arm among the rows of families, beside that among all. `None` where both are the same by
/// construction. The workspace is left with another sample.
pub(super) fn difference(
    workspace: &mut Workspace,
    ground: Ground<'_>,
    analysis: &Analysis,
) -> Result<Option<Difference>, EstimationError> {
    let mut stacked = Stacked::default();
    for average in Average::ALL {
        let own = analysis.averaged(average);
        workspace.sample(ground.protocol, ground.state, ground.cut, &own);
        let handed = workspace.handed(ground.protocol, ground.state, &own, ground.treated);
        let interacted = own.estimator == "lin";
        stacked.add(&handed.columns, &handed.rows, average, interacted);
    }
    if !stacked.differs() {
        return Ok(None);
    }
    let settings = Settings {
        variance: Some(Variance::Cr2),
        df: Some(Df::Satterthwaite),
        ..Settings::default()
    };
    let answer = estimate("linear", &stacked.columns(), &settings)?;
    let row = answer.effect()?;
    let (Some(estimate), Some(std_error), Some(p_value)) =
        (row.estimate, row.std_error, row.p_value)
    else {
        return Ok(None);
    };
    let rounding = ROUNDING * stacked.largest();
    Ok(
        (estimate.abs() > rounding || std_error > rounding).then_some(Difference {
            estimate,
            std_error,
            p_value,
        }),
    )
}

/// The rows of children and those of families, one after the other.
#[derive(Debug, Default)]
struct Stacked {
    treated: Vec<f64>,
    of_family: Vec<bool>,
    outcome: Vec<f64>,
    family: Vec<usize>,
    /// Covariates of one set of rows; zero in the other.
    columns: Vec<(usize, Vec<f64>)>,
}

impl Stacked {
    fn add(&mut self, own: &Columns, rows: &[usize], average: Average, interacted: bool) {
        let from = self.outcome.len();
        let treated = own
            .arm
            .iter()
            .map(|side| f64::from(u8::from(*side == Side::Treated)));
        self.treated.extend(treated);
        self.outcome
            .extend(own.outcome.iter().map(|y| y.unwrap_or(0.0)));
        self.family.extend(rows);
        self.of_family
            .resize(self.outcome.len(), average == Average::Family);
        for covariate in &own.covariates {
            let Values::Numeric(values) = &covariate.values else {
                continue;
            };
            let values: Vec<f64> = values.iter().map(|x| x.unwrap_or(0.0)).collect();
            let centre = values.iter().sum::<f64>() / values.len().max(1) as f64;
            let centred: Vec<f64> = values.iter().map(|x| x - centre).collect();
            if interacted {
                let arm = self.treated[from..].iter();
                let product = centred.iter().zip(arm).map(|(x, z)| x * z).collect();
                self.columns.push((from, product));
            }
            self.columns.push((from, centred));
        }
    }

    /// Whether a family has more than one child.
    fn differs(&self) -> bool {
        let children = self.of_family.iter().filter(|own| !**own).count();
        2 * children != self.of_family.len()
    }

    fn largest(&self) -> f64 {
        self.outcome.iter().fold(0.0, |most, y| y.abs().max(most))
    }

    /// The arm among the rows of families in the place of the arm, and the arm itself among the covariates.
    fn columns(&self) -> Columns {
        let numeric = |name: &str, values: Vec<f64>| {
            Covariate::numeric(name, values.into_iter().map(Some).collect())
        };
        let both = self.treated.iter().zip(&self.of_family);
        let arm = both.map(|(treated, of_family)| {
            if *of_family && *treated > 0.0 {
                Side::Treated
            } else {
                Side::Control
            }
        });
        let set = self.of_family.iter().map(|own| f64::from(u8::from(*own)));
        let mut covariates = vec![
            numeric("arm", self.treated.clone()),
            numeric("set", set.collect()),
        ];
        for (from, values) in &self.columns {
            let mut whole = vec![0.0; self.outcome.len()];
            whole[*from..from + values.len()].copy_from_slice(values);
            covariates.push(numeric(&format!("x{}", covariates.len()), whole));
        }
        Columns {
            arm: arm.collect(),
            outcome: self.outcome.iter().map(|y| Some(*y)).collect(),
            covariates,
            cluster: Some(Workspace::family_clusters(&self.family)),
            ..Columns::default()
        }
    }
}
