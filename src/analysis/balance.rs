//! Balance at baseline: one test by redraws of whether the arms could have been drawn by lot, over all characteristics.
//!
//! It audits the draw, with the study's own reference set. It is no reason to adjust: what the registered analysis adjusts for
//! was chosen before anyone was drawn, and a lot that fell oddly is what its p allows for. The table itself is `baseline`'s.

use super::randomization::{AUDIT_DRAWS, Listed, Statistic, TIE, TestError, listed, monte_carlo};
use super::reference_set::{Enumeration, History, Redrawer, balance_key, replicate};
use super::results::{Balance, BalanceTest};
use crate::allocation::Arm;
use crate::diagnostic::Words;
use crate::estimation::Warning;
use crate::numerics::linear_algebra::{Qr, mean};
use crate::numerics::shares::Parts;
use crate::protocol::Protocol;
use crate::protocol::model::{Day, Factor, FieldKind};
use crate::study::dataset::{self, Unit};
use crate::study::kernel::State;
use crate::words;
use rayon::iter::{IntoParallelIterator, ParallelIterator};

/// A p below this asks for an audit of the draw (Lin, Green and Coppock 2016, standard operating procedures of the Green lab).
const AUDIT_BELOW: f64 = 0.01;

/// What the characteristics of some families say of their arms: Pillai's trace, the share of the variation between arms that
/// a linear model of the arms on the characteristics explains.
///
/// With `q` the orthonormal columns that the centred characteristics span, `V = Σ_a |Σ_{i∈a} q_i|²/n_a`. Of two arms it is the
/// R² of the arm regressed on the characteristics, so that its order is that of the F statistic, and `(N − 1)V` the
/// chi-square form `(n₁n₀/N) d'S⁻¹d` of Hansen and Bowers 2008, doi 10.1214/08-STS254. The columns do not depend on the arms:
/// a redraw takes N·k additions.
#[derive(Debug, Clone)]
pub struct Imbalance<'c> {
    /// Place of each family among the allocations.
    places: &'c [usize],
    /// Orthonormal columns, family by family.
    rows: &'c [f64],
    columns: usize,
    sums: Vec<f64>,
    families: Vec<u32>,
}

impl<'c> Imbalance<'c> {
    /// Of families at these places among the allocations, with so many orthonormal columns, family by family, and of so many
    /// arms.
    pub fn new(places: &'c [usize], rows: &'c [f64], columns: usize, arms: usize) -> Self {
        Self {
            places,
            rows,
            columns,
            sums: vec![0.0; columns * arms],
            families: vec![0; arms],
        }
    }
}

impl Statistic for Imbalance<'_> {
    fn value(&mut self, arms: &[Arm]) -> Option<f64> {
        self.sums.fill(0.0);
        self.families.fill(0);
        let k = self.columns;
        let rows = self.rows.chunks_exact(k.max(1));
        for (place, row) in self.places.iter().zip(rows) {
            let arm = arms.get(*place)?.index();
            *self.families.get_mut(arm)? += 1;
            let sums = self.sums.get_mut(arm * k..(arm + 1) * k)?;
            for (sum, own) in sums.iter_mut().zip(row) {
                *sum += own;
            }
        }
        let sums = self.sums.chunks_exact(k.max(1));
        let arms = self.families.iter().zip(sums);
        let parts = arms.filter(|(families, _)| **families > 0);
        let part = |(families, sums): (&u32, &[f64])| {
            let square: f64 = sums.iter().map(|own| own * own).sum();
            square / f64::from(*families)
        };
        (!self.places.is_empty()).then(|| parts.map(part).sum())
    }
}

/// The characteristics of the baseline table as named columns, a value for each family.
///
/// A number is itself, a choice an indicator for each level that occurs but the first, sites likewise. A value that is missing
/// is the mean of the known ones, with an indicator of being missing.
pub fn characteristics(
    protocol: &Protocol,
    state: &State,
    units: &[Unit],
) -> Vec<(String, Vec<f64>)> {
    let mut columns = Vec::new();
    let yes = |is: bool| f64::from(u8::from(is));
    for (index, field) in protocol.fields.iter().enumerate() {
        let id = &field.id;
        let raw = |unit: &Unit| state.true_value(unit.family, index);
        let values: Vec<Option<i64>> = units.iter().map(raw).collect();
        if values.iter().any(Option::is_none) {
            let missing = values.iter().map(|own| yes(own.is_none()));
            columns.push((format!("{id}=missing"), missing.collect()));
        }
        match &field.kind {
            FieldKind::Count { .. } | FieldKind::Number { .. } | FieldKind::YesNo => {
                let known: Vec<f64> = values.iter().flatten().map(|own| *own as f64).collect();
                let centre = if known.is_empty() { 0.0 } else { mean(&known) };
                let filled = values
                    .iter()
                    .map(|own| own.map_or(centre, |own| own as f64));
                columns.push((id.clone(), filled.collect()));
            }
            FieldKind::Choice { levels } => {
                let occurs = |level: &usize| values.contains(&Some(*level as i64));
                for level in (0..levels.len()).filter(occurs).skip(1) {
                    let text = protocol.level_text(Factor::Field(index), level);
                    let has = values.iter().map(|own| yes(*own == Some(level as i64)));
                    columns.push((format!("{id}={text}"), has.collect()));
                }
            }
        }
    }
    for (site, own) in protocol.sites.iter().enumerate().skip(1) {
        let here = units.iter().map(|unit| yes(unit.site == site));
        columns.push((format!("site={}", own.id), here.collect()));
    }
    columns
}

/// The orthonormal columns that some columns span beside a constant, row by row, and their number. What is a combination of
/// earlier ones is left out.
pub fn orthonormal(columns: &[(String, Vec<f64>)], n: usize) -> (Vec<f64>, usize) {
    let mut qr = Qr::default();
    qr.begin(n, columns.len() + 1);
    qr.push_from((0..n).map(|_| 1.0));
    for (_, column) in columns {
        let centre = if column.is_empty() { 0.0 } else { mean(column) };
        let varies = column.iter().any(|own| own.total_cmp(&column[0]).is_ne());
        if varies {
            qr.push_from(column.iter().map(|own| own - centre));
        }
    }
    let k = qr.rank().saturating_sub(1);
    let q = qr.q().get(n..).unwrap_or_default();
    let rows = (0..n).flat_map(|row| (0..k).map(move |column| (row, column)));
    (rows.map(|(row, column)| q[column * n + row]).collect(), k)
}

/// What the test is made from: characteristics, and where the families stand among the allocations.
#[derive(Debug, Clone)]
pub(super) struct Ground {
    /// Characteristics.
    pub(super) columns: Vec<(String, Vec<f64>)>,
    places: Vec<usize>,
    rows: Vec<f64>,
    independent: usize,
    arms: usize,
}

impl Ground {
    pub(super) fn new(protocol: &Protocol, state: &State, cut: Day) -> Self {
        let mut units = Vec::new();
        dataset::units(state, cut, &mut units);
        let columns = characteristics(protocol, state, &units);
        let (rows, independent) = orthonormal(&columns, units.len());
        Self {
            columns,
            places: units.iter().map(|unit| unit.allocation).collect(),
            rows,
            independent,
            arms: protocol.arms.len(),
        }
    }

    fn statistic(&self) -> Imbalance<'_> {
        Imbalance::new(&self.places, &self.rows, self.independent, self.arms)
    }

    /// The statistic on every sequence with its probability, or on every redraw with 1.
    pub(super) fn values(
        &self,
        history: &History,
        enumeration: Option<&Enumeration>,
        (key, draws): (&[u8; 32], u64),
    ) -> Vec<Listed> {
        let own = || (self.statistic(), Redrawer::default(), Vec::new());
        let number = enumeration.map_or(draws, Enumeration::total);
        let one = |(statistic, redrawer, arms): &mut (_, _, _), number| {
            let weight = if let Some(enumeration) = enumeration {
                enumeration.sequence(number, arms)
            } else {
                history.redraw(redrawer, &mut replicate(key, number), arms);
                1.0
            };
            let statistic: &mut Imbalance<'_> = statistic;
            (weight, statistic.value(arms))
        };
        (0..number).into_par_iter().map_init(own, one).collect()
    }
}

/// The test of balance of the families of a lock, by all sequences of arms where they were listed, else by redraws.
pub(super) fn balance(
    (protocol, state, cut): (&Protocol, &State, Day),
    (history, enumeration): (&History, Option<&Enumeration>),
    lock: usize,
    draws: Option<u32>,
) -> Balance {
    let ground = Ground::new(protocol, state, cut);
    let arms: Vec<Arm> = state.allocations.iter().map(|own| own.arm).collect();
    let statistic = ground.statistic();
    let found = if let Some(enumeration) = enumeration {
        listed(history, enumeration, &arms, &statistic)
            .map(|(figures, values)| (figures, largest_share(&values)))
    } else {
        let draws = draws.map_or(AUDIT_DRAWS, u64::from);
        let key = balance_key(protocol, lock);
        monte_carlo(history, &arms, &statistic, &key, draws)
            .map(|figures| (figures, 1.0 / (1 + draws) as f64))
    };
    let test = found.map(|(figures, p_smallest)| {
        let p = figures.upper;
        let variance = p * (1.0 - p) / figures.draws as f64;
        BalanceTest {
            characteristics: ground.independent as u32,
            statistic: figures.statistic,
            p_value: p,
            p_smallest,
            exact: figures.exact,
            draws: figures.draws,
            mcse: if figures.exact { 0.0 } else { variance.sqrt() },
        }
    });
    let anyone = !ground.places.is_empty();
    let warnings = warning(&test, anyone).into_iter().collect();
    Balance { test, warnings }
}

/// The smallest share that could have been at or above the observed statistic: that of the largest one.
fn largest_share(values: &[Listed]) -> f64 {
    let known = || values.iter().filter_map(|(_, value)| *value);
    let most = known().fold(f64::NEG_INFINITY, f64::max);
    let near = |value: f64| value >= most - TIE * most.abs().max(1.0);
    let mut parts = Parts::default();
    for (probability, value) in values {
        parts.add(*probability, [value.is_none_or(near), false]);
    }
    parts.shares()[0]
}

fn warning(test: &Result<BalanceTest, TestError>, anyone: bool) -> Option<Warning> {
    match test {
        Ok(test) if test.p_value < AUDIT_BELOW => Some(Warning::new(
            "balance-beyond-chance",
            words!(
                "the arms differ at baseline more than the draw explains: so large a difference over all characteristics has probability below 1%. Verify the draws (`lottning verify`, with the seed) and look for families that were left out or enrolled twice. It is no reason to change the registered analysis",
                "grupperna skiljer sig från början mer än lottningen förklarar: en så stor skillnad över alla egenskaper har sannolikheten under 1 %. Kontrollera lottdragningarna (`lottning verify`, med lottfröet) och leta efter familjer som har utelämnats eller lottats två gånger. Det är inget skäl att ändra den registrerade analysen"
            ),
        )),
        Ok(test) if test.p_smallest >= AUDIT_BELOW => Some(Warning::new(
            "balance-not-tested",
            words!(
                "so few allocations are possible that no difference at baseline could be told from chance at 1%",
                "så få lottningar är möjliga att ingen skillnad från början kunde skiljas från slumpen på 1 %"
            ),
        )),
        Err(error) if anyone => {
            let Words { en, sv } = error.words();
            Some(Warning::new(
                "balance-not-tested",
                words!(
                    "balance at baseline was not tested: {en}",
                    "balansen från början prövades inte: {sv}"
                ),
            ))
        }
        Ok(_) | Err(_) => None,
    }
}
