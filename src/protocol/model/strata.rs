//! Levels and strata: from a family's site and fields to the number of its stratum and back to texts.
//!
//! The texts enter the derivation of keys (`docs/allocation-spec.md`) and never change for a protocol in use.

use super::{Factor, FieldKind, Protocol};

impl Protocol {
    /// Number of levels of a stratification factor.
    pub fn factor_levels(&self, factor: Factor) -> usize {
        match factor {
            Factor::Site => self.sites.len(),
            Factor::Field(index) => match &self.fields[index].kind {
                FieldKind::Choice { levels } => levels.len(),
                FieldKind::YesNo => 2,
                FieldKind::Count { .. } | FieldKind::Number { .. } => {
                    self.fields[index].cuts.len() + 1
                }
            },
        }
    }

    /// Number of strata: the product of the factors' levels, 1 without factors.
    pub fn strata(&self) -> usize {
        self.allocation
            .strata
            .iter()
            .map(|factor| self.factor_levels(*factor))
            .product()
    }

    /// Index of a level of a factor for a family at `site` with `values` of fields.
    pub fn level(&self, factor: Factor, site: usize, values: &[i64]) -> usize {
        match factor {
            Factor::Site => site,
            Factor::Field(index) => {
                let value = values.get(index).copied().unwrap_or(0);
                match &self.fields[index].kind {
                    FieldKind::Choice { .. } => value as usize,
                    FieldKind::YesNo => usize::from(value == 0),
                    FieldKind::Count { .. } | FieldKind::Number { .. } => self.fields[index]
                        .cuts
                        .iter()
                        .filter(|cut| value >= **cut)
                        .count(),
                }
            }
        }
    }

    /// Index of the stratum of a family: mixed radix over the factors, the last factor running fastest.
    pub fn stratum(&self, site: usize, values: &[i64]) -> usize {
        self.allocation.strata.iter().fold(0, |index, factor| {
            index * self.factor_levels(*factor) + self.level(*factor, site, values)
        })
    }

    /// The level of each factor in a stratum, as the text that enters the derivation of keys.
    pub fn stratum_levels(&self, stratum: usize) -> Vec<String> {
        let mut rest = stratum;
        let mut levels: Vec<String> = self
            .allocation
            .strata
            .iter()
            .rev()
            .map(|factor| {
                let count = self.factor_levels(*factor).max(1);
                let level = rest % count;
                rest /= count;
                self.level_text(*factor, level)
            })
            .collect();
        levels.reverse();
        levels
    }

    /// A level as text: a site id, a choice id, `yes`/`no`, or the text of a range (`0-2`, `3+`).
    pub fn level_text(&self, factor: Factor, level: usize) -> String {
        match factor {
            Factor::Site => self.sites[level].id.clone(),
            Factor::Field(index) => {
                let field = &self.fields[index];
                match &field.kind {
                    FieldKind::Choice { levels } => levels[level].id.clone(),
                    FieldKind::YesNo => if level == 0 { "yes" } else { "no" }.to_string(),
                    FieldKind::Count { range, .. } => range_text(range.0, &field.cuts, level, 0),
                    FieldKind::Number { range, places, .. } => {
                        range_text(range.0, &field.cuts, level, *places)
                    }
                }
            }
        }
    }
}

/// Text of a cut field's range: whole numbers `low-high`, the last `low+`; with decimals `low-<next`.
fn range_text(least: i64, cuts: &[i64], level: usize, places: u8) -> String {
    let low = if level == 0 { least } else { cuts[level - 1] };
    match cuts.get(level) {
        None => format!("{}+", decimal(low, places)),
        Some(next) if places == 0 && next - 1 == low => decimal(low, places),
        Some(next) if places == 0 => {
            format!("{}-{}", decimal(low, places), decimal(next - 1, places))
        }
        Some(next) => format!("{}-<{}", decimal(low, places), decimal(*next, places)),
    }
}

/// A scaled integer as a canonical decimal: no trailing zeros, no exponent, `.` as the mark.
pub fn decimal(value: i64, places: u8) -> String {
    let scale = 10_u64.pow(u32::from(places));
    let magnitude = value.unsigned_abs();
    let sign = if value < 0 { "-" } else { "" };
    let (whole, fraction) = (magnitude / scale, magnitude % scale);
    if fraction == 0 {
        return format!("{sign}{whole}");
    }
    let digits = format!("{fraction:0width$}", width = usize::from(places));
    format!("{sign}{whole}.{}", digits.trim_end_matches('0'))
}
