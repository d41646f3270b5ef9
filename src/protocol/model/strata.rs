//! Levels, strata and cells: from a family's site and fields to the number of its stratum, or of its cell of balancing
//! factors, and back to texts.
//!
//! The texts enter the derivation of keys (`docs/allocation-spec.md`) and never change for a protocol in use.

use super::{Factor, FieldKind, Protocol};
use crate::allocation::Levels;
use std::borrow::Cow;

impl Protocol {
    /// The id of a factor: `site`, or that of the field.
    pub fn factor_id(&self, factor: Factor) -> &str {
        match factor {
            Factor::Site => "site",
            Factor::Field(index) => &self.fields[index].id,
        }
    }

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

    /// Number of cells of the balancing factors; 1 if the method balances none.
    pub fn cells(&self) -> usize {
        let factors = &self.allocation.factors;
        factors.iter().map(|own| self.factor_levels(*own)).product()
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
        self.index(&self.allocation.strata, site, values)
    }

    /// The level of each factor in a stratum, as the text that enters the derivation of keys.
    pub fn stratum_levels(&self, stratum: usize) -> Vec<String> {
        self.texts(&self.allocation.strata, stratum)
    }

    /// Index of the stratum with these levels, if there is one.
    pub fn stratum_of(&self, levels: &[&str]) -> Option<u32> {
        self.index_of(&self.allocation.strata, levels)
    }

    /// Number of levels of each balancing factor; empty if the method balances none.
    pub fn balanced_levels(&self) -> Vec<usize> {
        let factors = self.allocation.factors.iter();
        factors.map(|factor| self.factor_levels(*factor)).collect()
    }

    /// Index of the cell of a family among the balancing factors, as [`Protocol::stratum`]; 0 without such factors.
    pub fn cell(&self, site: usize, values: &[i64]) -> u32 {
        self.index(&self.allocation.factors, site, values) as u32
    }

    /// The cell of a family among the balancing factors with the level of each, as [`Protocol::cell`] and
    /// [`Protocol::cell_levels`] of it give them.
    pub fn placed(&self, site: usize, values: &[i64]) -> (u32, Levels) {
        let (mut cell, mut levels, mut known) = (0, Levels::default(), true);
        for factor in &self.allocation.factors {
            let (count, level) = (
                self.factor_levels(*factor),
                self.level(*factor, site, values),
            );
            cell = cell * count + level;
            known &= levels.push(level as u16) && level < count;
        }
        let cell = cell as u32;
        // A level that there is not stands for one of another cell.
        let levels = if known {
            levels
        } else {
            self.cell_levels(cell)
        };
        (cell, levels)
    }

    /// The level of each balancing factor in a cell, for the method.
    pub fn cell_levels(&self, cell: u32) -> Levels {
        let factors = &self.allocation.factors;
        let mut levels = Levels::default();
        if factors.is_empty() {
            return levels;
        }
        // The last factor runs fastest: each has as many cells behind it as the later ones have levels together.
        let mut behind = self.cells();
        let mut rest = cell as usize;
        for factor in factors {
            behind /= self.factor_levels(*factor).max(1);
            levels.push((rest / behind.max(1)) as u16);
            rest %= behind.max(1);
        }
        levels
    }

    /// The level of each balancing factor in a cell, as text.
    pub fn cell_texts(&self, cell: u32) -> Vec<String> {
        self.texts(&self.allocation.factors, cell as usize)
    }

    /// Index of the cell with these levels, if there is one.
    pub fn cell_of(&self, levels: &[&str]) -> Option<u32> {
        self.index_of(&self.allocation.factors, levels)
    }

    fn index(&self, factors: &[Factor], site: usize, values: &[i64]) -> usize {
        factors.iter().fold(0, |index, factor| {
            index * self.factor_levels(*factor) + self.level(*factor, site, values)
        })
    }

    fn texts(&self, factors: &[Factor], index: usize) -> Vec<String> {
        let mut rest = index;
        let mut levels: Vec<String> = factors
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

    fn index_of(&self, factors: &[Factor], levels: &[&str]) -> Option<u32> {
        if factors.len() != levels.len() {
            return None;
        }
        let index = factors
            .iter()
            .zip(levels)
            .try_fold(0, |index, (factor, text)| {
                let count = self.factor_levels(*factor);
                let level = (0..count).find(|level| self.level_name(*factor, *level) == **text)?;
                Some(index * count + level)
            })?;
        u32::try_from(index).ok()
    }

    /// A level as text: a site id, a choice id, `yes`/`no`, or the text of a range (`0-2`, `3+`).
    pub fn level_text(&self, factor: Factor, level: usize) -> String {
        self.level_name(factor, level).into_owned()
    }

    fn level_name(&self, factor: Factor, level: usize) -> Cow<'_, str> {
        match factor {
            Factor::Site => self.sites[level].id.as_str().into(),
            Factor::Field(index) => {
                let field = &self.fields[index];
                let (low, places) = match &field.kind {
                    FieldKind::Choice { levels } => return levels[level].id.as_str().into(),
                    FieldKind::YesNo => return if level == 0 { "yes" } else { "no" }.into(),
                    FieldKind::Count { range, .. } => (range.0, 0),
                    FieldKind::Number { range, places, .. } => (range.0, *places),
                };
                range_text(low, &field.cuts, level, places).into()
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

#[cfg(test)]
mod tests {
    use super::Factor;
    use crate::protocol::parse;

    /// The shipped protocol has five sites; with earlier reports cut at three, site × reports has ten cells, the
    /// reports running fastest: site 3 with 3+ reports is cell 3·2 + 1 = 7.
    #[test]
    fn a_cell_is_a_mixed_radix_number_and_comes_back_as_levels_and_texts() {
        let text = include_bytes!("../../../protocols/iuh-2025/protocol.toml");
        let mut protocol = parse(text).protocol.unwrap();
        assert_eq!(protocol.cell(3, &[9; 16]), 0);
        assert_eq!(protocol.cell_levels(0).as_slice(), [0u16; 0]);
        assert_eq!(protocol.cell_of(&[]), Some(0));
        let reports = protocol.field("earlier_reports").unwrap();
        protocol.fields[reports].cuts = vec![3];
        protocol.allocation.factors = vec![Factor::Site, Factor::Field(reports)];
        let mut values = [0; 16];
        values[reports] = 3;
        let cell = protocol.cell(3, &values);
        assert_eq!(cell, 7);
        assert_eq!(protocol.cell_levels(cell).as_slice(), [3, 1]);
        for site in 0..6 {
            // The sixth site does not exist.
            let cell = protocol.cell(site, &values);
            let levels = protocol.cell_levels(cell);
            assert_eq!(protocol.placed(site, &values), (cell, levels));
        }
        let texts = protocol.cell_texts(cell);
        assert_eq!(texts[0], protocol.sites[3].id);
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        assert_eq!(protocol.cell_of(&texts), Some(cell));
        assert_eq!(protocol.cell_of(&texts[..1]), None);
        assert_eq!(protocol.cell_of(&[texts[0], "7-9"]), None);
        for cell in 0..10 {
            let texts = protocol.cell_texts(cell);
            let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
            assert_eq!(protocol.cell_of(&texts), Some(cell));
            let levels = protocol.cell_levels(cell);
            assert_eq!(
                u32::from(levels.as_slice()[0]) * 2 + u32::from(levels.as_slice()[1]),
                cell
            );
        }
    }
}
