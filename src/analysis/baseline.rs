//! The baseline table: who was randomized to which arm. No p-values, since differences are due to chance by design.

use super::results::{Baseline, BaselineCell, BaselineRow};
use crate::diagnostic::Words;
use crate::numerics::sample_quantile::quantile;
use crate::protocol::Protocol;
use crate::protocol::model::{Day, FieldKind};
use crate::study::dataset::{self, Unit};
use crate::study::kernel::State;

/// The baseline table of the families of a lock: fields in the protocol's order, then sites.
///
/// Numbers: mean, standard deviation with n − 1, median and quartiles (Hyndman & Fan 1996, type 7: linear between order
/// statistics, R's default). Levels: counts. Standardized mean difference of the first arm that is not control:
/// `(x̄₁ − x̄₀) / √((s₁² + s₀²)/2)`, for a level with `s² = p(1 − p)` (Austin 2009, doi 10.1080/03610910902859574).
pub fn baseline(protocol: &Protocol, state: &State, cut: Day) -> Baseline {
    let mut units = Vec::new();
    dataset::units(state, cut, &mut units);
    let arms = protocol.arms.len();
    let mut families = vec![0; arms];
    for unit in &units {
        if let Some(count) = families.get_mut(unit.arm.index()) {
            *count += 1;
        }
    }
    let table = Table {
        protocol,
        units: &units,
    };
    let mut rows = Vec::new();
    for (index, field) in protocol.fields.iter().enumerate() {
        let raw = |unit: &Unit| state.true_value(unit.family, index);
        match &field.kind {
            FieldKind::Count { .. } => {
                rows.push(table.number(&field.label, |unit| raw(unit).map(|value| value as f64)));
            }
            FieldKind::Number { places, .. } => {
                let scale = 10f64.powi(i32::from(*places));
                rows.push(table.number(&field.label, |unit| {
                    raw(unit).map(|value| value as f64 / scale)
                }));
            }
            FieldKind::Choice { levels } => {
                for (level, named) in levels.iter().enumerate() {
                    let level = level as i64;
                    let words = Some(named.label.clone());
                    rows.push(table.share(&field.label, words, |unit| {
                        raw(unit).map(|value| value == level)
                    }));
                }
            }
            FieldKind::YesNo => {
                let yes = Some(Words::new("yes", "ja"));
                rows.push(table.share(&field.label, yes, |unit| raw(unit).map(|value| value == 1)));
            }
        }
    }
    if protocol.sites.len() > 1 {
        let label = Words::new("Site", "Enhet");
        for (site, own) in protocol.sites.iter().enumerate() {
            let words = Some(Words::same(own.name.clone()));
            rows.push(table.share(&label, words, |unit| Some(unit.site == site)));
        }
    }
    Baseline { families, rows }
}

struct Table<'a> {
    protocol: &'a Protocol,
    units: &'a [Unit],
}

impl Table<'_> {
    /// Values of each arm, and how many are missing.
    fn by_arm<T>(&self, value: impl Fn(&Unit) -> Option<T>) -> Vec<(Vec<T>, u32)> {
        let mut arms: Vec<(Vec<T>, u32)> = Vec::new();
        arms.resize_with(self.protocol.arms.len(), || (Vec::new(), 0));
        for unit in self.units {
            if let Some((values, missing)) = arms.get_mut(unit.arm.index()) {
                match value(unit) {
                    Some(value) => values.push(value),
                    None => *missing += 1,
                }
            }
        }
        arms
    }

    fn smd(&self, moments: &[Option<(f64, f64)>]) -> Option<f64> {
        let control = self.protocol.control.index();
        let treated = (0..moments.len()).find(|arm| *arm != control)?;
        let ((mean1, square1), (mean0, square0)) = (moments[treated]?, moments[control]?);
        let pooled = f64::midpoint(square1, square0);
        // Arms without a spread that differ are infinitely many of them apart.
        (pooled > 0.0 || (mean1 - mean0).abs() > 0.0).then(|| (mean1 - mean0) / pooled.sqrt())
    }

    fn number(&self, label: &Words, value: impl Fn(&Unit) -> Option<f64>) -> BaselineRow {
        let mut arms = self.by_arm(value);
        let mut moments = Vec::new();
        let cells = arms
            .iter_mut()
            .map(|(values, missing)| {
                values.sort_by(f64::total_cmp);
                let Some(mean) = mean(values) else {
                    moments.push(None);
                    return BaselineCell::Empty;
                };
                let quantile = |share| quantile(values, share).unwrap_or(mean);
                let square: f64 = values.iter().map(|x| (x - mean) * (x - mean)).sum();
                let variance = (values.len() > 1).then(|| square / (values.len() - 1) as f64);
                moments.push(variance.map(|variance| (mean, variance)));
                BaselineCell::Number {
                    n: values.len() as u32,
                    mean,
                    sd: variance.unwrap_or(0.0).sqrt(),
                    median: quantile(0.5),
                    quartiles: (quantile(0.25), quantile(0.75)),
                    missing: *missing,
                }
            })
            .collect();
        BaselineRow {
            label: label.clone(),
            level: None,
            arms: cells,
            smd: self.smd(&moments),
        }
    }

    fn share(
        &self,
        label: &Words,
        level: Option<Words>,
        has: impl Fn(&Unit) -> Option<bool>,
    ) -> BaselineRow {
        let mut moments = Vec::new();
        let cells = self
            .by_arm(has)
            .iter()
            .map(|(values, _)| {
                if values.is_empty() {
                    moments.push(None);
                    return BaselineCell::Empty;
                }
                let count = values.iter().filter(|has| **has).count();
                let p = count as f64 / values.len() as f64;
                moments.push(Some((p, p * (1.0 - p))));
                BaselineCell::Share {
                    count: count as u32,
                    of: values.len() as u32,
                }
            })
            .collect();
        BaselineRow {
            label: label.clone(),
            level,
            arms: cells,
            smd: self.smd(&moments),
        }
    }
}

fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| crate::numerics::linear_algebra::mean(values))
}
