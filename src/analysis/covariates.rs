//! The realized covariates of an analysis: what was registered, as far as the lock's families can carry it.
//!
//! Which sites keep an indicator is decided by counting the families that are analysed, never by what their outcomes are:
//! those whose window has ended and whose outcome the missing-data rule gives. (Randomized families that are not analysed
//! give a model no rows: at a look a site could have enough of those and an empty arm.) A site × arm cell with fewer than
//! [`SMALLEST_CELL`] families merges its site into the next one in the protocol's order (the last into the one before),
//! until every cell holds or one site is left and the indicators go. Where known outcomes are weighed for unknown ones, a site
//! that has families of these alone has a part in the model of being known: it is such a site, with none analysed. A redraw of the arms counts again, the same families
//! by the same rule, so that the model is fitted on every redraw. Every step is a deviation that is printed. What is done
//! with the columns is `plan`'s business.

use super::results::Deviation;
use crate::allocation::{Arm, Ratio};
use crate::diagnostic::Words;
use crate::protocol::Protocol;
use crate::protocol::model::{Covariate, Factor, FieldKind};
use crate::study::dataset::Unit;
use crate::study::kernel::State;
use crate::words;

/// Families that every site × arm cell must have for the site to keep its indicator.
pub const SMALLEST_CELL: u32 = 5;

/// A site without families that a model has rows of: it needs no indicator.
const ABSENT: u16 = u16::MAX;

/// Which sites share an indicator: runs of neighbours in the protocol's order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SiteGroups {
    of_site: Vec<u16>,
    number: u16,
    merged: bool,
}

impl SiteGroups {
    /// Groups sites by the analysed families per site and arm, `cells[site * arms + arm]`.
    ///
    /// ```
    /// use lottning::analysis::covariates::SiteGroups;
    /// let mut groups = SiteGroups::default();
    /// // The second of three sites has 4 families in one arm: it merges into the third.
    /// groups.realize(&[9, 8, 4, 6, 7, 7], 2);
    /// assert_eq!((groups.of(0), groups.of(1), groups.of(2)), (Some(0), Some(1), Some(1)));
    /// ```
    pub fn realize(&mut self, cells: &[u32], arms: usize) {
        self.realize_beside(cells, arms, |_| false);
    }

    /// As [`Self::realize`], where `unknown` says of a site without analysed families whether it has any that the analysed
    /// ones are weighed for: it is then a site as small as can be.
    ///
    /// ```
    /// use lottning::analysis::covariates::SiteGroups;
    /// let mut groups = SiteGroups::default();
    /// // The last of three sites has families whose outcome is unknown and no other: it merges into the one before.
    /// groups.realize_beside(&[9, 8, 6, 6, 0, 0], 2, |site| site == 2);
    /// assert_eq!((groups.of(0), groups.of(1), groups.of(2)), (Some(0), Some(1), Some(1)));
    /// ```
    pub fn realize_beside(&mut self, cells: &[u32], arms: usize, unknown: impl Fn(usize) -> bool) {
        let arms = arms.max(1);
        self.of_site.clear();
        self.number = 0;
        self.merged = false;
        for (site, cells) in cells.chunks_exact(arms).enumerate() {
            if cells.iter().all(|families| *families == 0) && !unknown(site) {
                self.of_site.push(ABSENT);
            } else {
                self.of_site.push(self.number);
                self.number += 1;
            }
        }
        while self.number > 1 {
            let Some(small) = (0..self.number).find(|group| self.is_small(*group, cells, arms))
            else {
                return;
            };
            // Into the next, which takes the smaller number of the two; the last into the one before.
            let kept = small.min(self.number - 2);
            for group in &mut self.of_site {
                if *group != ABSENT && *group > kept {
                    *group -= 1;
                }
            }
            self.number -= 1;
            self.merged = true;
        }
    }

    fn is_small(&self, group: u16, cells: &[u32], arms: usize) -> bool {
        (0..arms).any(|arm| {
            let families: u32 = self
                .of_site
                .iter()
                .zip(cells.chunks_exact(arms))
                .filter(|(own, _)| **own == group)
                .map(|(_, cells)| cells[arm])
                .sum();
            families < SMALLEST_CELL
        })
    }

    /// The group of a site, `None` for a site without families in the model.
    pub fn of(&self, site: usize) -> Option<u16> {
        self.of_site
            .get(site)
            .copied()
            .filter(|group| *group != ABSENT)
    }

    /// Number of groups.
    pub fn number(&self) -> u16 {
        self.number
    }

    /// The ids of a group's sites, joined.
    pub(super) fn name(&self, protocol: &Protocol, group: u16) -> String {
        let ids: Vec<&str> = self
            .sites(group)
            .map(|site| protocol.sites[site].id.as_str())
            .collect();
        ids.join(" + ")
    }

    fn sites(&self, group: u16) -> impl Iterator<Item = usize> {
        self.of_site
            .iter()
            .enumerate()
            .filter(move |(_, own)| **own == group)
            .map(|(site, _)| site)
    }

    /// Appends the indicators of all groups but the first, one value per site given.
    pub(super) fn indicators(
        &self,
        sites: &(impl Iterator<Item = u16> + Clone),
        columns: &mut Vec<f64>,
    ) {
        for group in 1..self.number {
            columns.extend(
                sites
                    .clone()
                    .map(|site| f64::from(u8::from(self.of_site[usize::from(site)] == group))),
            );
        }
    }
}

/// Counts families per site and arm into `cells[site * arms + arm]`.
pub(super) fn count_cells(
    (sites, arms): (usize, usize),
    units: impl Iterator<Item = (usize, Arm)>,
    cells: &mut Vec<u32>,
) {
    cells.clear();
    cells.resize(sites * arms, 0);
    for (site, arm) in units {
        if let Some(cell) = cells.get_mut(site * arms + arm.index()) {
            *cell += 1;
        }
    }
}

/// A column of the covariates that does not depend on the arms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Column {
    /// A field as a number.
    Value(usize),
    /// Whether a choice has this level.
    Level(usize, i64),
    /// Months since the first site opened.
    Months,
    /// Whether the family was drawn in one of these epochs, a bit each.
    Epochs(u64),
}

/// The covariates of one analysis beside the sites, as columns. Decided from the families of the lock alone.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct FixedColumns {
    columns: Vec<Column>,
}

impl FixedColumns {
    /// Finds the columns that vary over the units. A choice has an indicator for each level that occurs but the
    /// first; the effect does not depend on which one is left out.
    pub(super) fn realize(
        &mut self,
        protocol: &Protocol,
        state: &State,
        covariates: &[Covariate],
        units: &[Unit],
    ) {
        self.columns.clear();
        self.epochs(protocol, state, units);
        for covariate in covariates {
            match *covariate {
                Covariate::Site => {}
                Covariate::MonthsSinceStart => self.push_varying(state, units, Column::Months),
                Covariate::Field(field) => match &protocol.fields[field].kind {
                    FieldKind::Choice { levels } => {
                        let occurs = |level: i64| {
                            units
                                .iter()
                                .any(|unit| field_value(state, unit, field) == level)
                        };
                        let present = (0..levels.len() as i64).filter(|level| occurs(*level));
                        self.columns
                            .extend(present.skip(1).map(|level| Column::Level(field, level)));
                    }
                    FieldKind::Count { .. } | FieldKind::Number { .. } | FieldKind::YesNo => {
                        self.push_varying(state, units, Column::Value(field));
                    }
                },
            }
        }
    }

    /// Where the ratio differs between the units' epochs, an indicator of the epochs with each ratio but the first:
    /// without it a change of the outcome over time would look like an effect.
    fn epochs(&mut self, protocol: &Protocol, state: &State, units: &[Unit]) {
        if protocol.epoch() == 0 {
            return;
        }
        let mut groups: Vec<(Ratio, u64)> = Vec::new();
        for unit in units {
            let epoch = epoch(state, unit);
            let ratio = protocol.in_epoch(epoch).allocation.ratio;
            match groups.iter_mut().find(|(own, _)| *own == ratio) {
                Some((_, epochs)) => *epochs |= bit(epoch),
                None => groups.push((ratio, bit(epoch))),
            }
        }
        let later = groups.into_iter().skip(1);
        self.columns
            .extend(later.map(|(_, epochs)| Column::Epochs(epochs)));
    }

    /// Whether epochs with different ratios are kept apart.
    pub(super) fn keeps_epochs_apart(&self) -> bool {
        let epochs = |column: &Column| matches!(column, Column::Epochs(_));
        self.columns.iter().any(epochs)
    }

    fn push_varying(&mut self, state: &State, units: &[Unit], column: Column) {
        let mut values = units.iter().map(|unit| value(state, unit, column));
        if let Some(first) = values.next()
            && values.any(|value| value.total_cmp(&first).is_ne())
        {
            self.columns.push(column);
        }
    }

    /// Appends the columns, one value per unit given.
    pub(super) fn fill<'u>(
        &self,
        state: &State,
        units: &(impl Iterator<Item = &'u Unit> + Clone),
        columns: &mut Vec<f64>,
    ) {
        for column in &self.columns {
            let units = units.clone();
            // Asked once for the column and not for every unit.
            match *column {
                Column::Months => columns.extend(units.map(|unit| unit.months_since_start)),
                Column::Value(field) => {
                    columns.extend(units.map(|unit| field_value(state, unit, field) as f64));
                }
                Column::Level(..) | Column::Epochs(_) => {
                    columns.extend(units.map(|unit| value(state, unit, *column)));
                }
            }
        }
    }

    /// The name of each column: `earlier_reports`, `category=violence`.
    pub(super) fn names(&self, protocol: &Protocol) -> Vec<String> {
        let name = |column: &Column| match *column {
            Column::Value(field) => protocol.fields[field].id.clone(),
            Column::Level(field, level) => {
                let id = &protocol.fields[field].id;
                let text = protocol.level_text(Factor::Field(field), level.unsigned_abs() as usize);
                format!("{id}={text}")
            }
            Column::Months => "months_since_start".to_owned(),
            Column::Epochs(_) => "epoch".to_owned(),
        };
        self.columns.iter().map(name).collect()
    }

    /// Number of columns.
    pub(super) fn len(&self) -> usize {
        self.columns.len()
    }

    fn has(&self, covariate: Covariate) -> bool {
        self.columns.iter().any(|column| match *column {
            Column::Value(field) | Column::Level(field, _) => covariate == Covariate::Field(field),
            Column::Months => covariate == Covariate::MonthsSinceStart,
            Column::Epochs(_) => false,
        })
    }
}

fn field_value(state: &State, unit: &Unit, field: usize) -> i64 {
    state.true_value(unit.family, field).unwrap_or(0)
}

fn value(state: &State, unit: &Unit, column: Column) -> f64 {
    match column {
        Column::Value(field) => field_value(state, unit, field) as f64,
        Column::Level(field, level) => {
            f64::from(u8::from(field_value(state, unit, field) == level))
        }
        Column::Months => unit.months_since_start,
        Column::Epochs(epochs) => f64::from(u8::from(epochs & bit(epoch(state, unit)) != 0)),
    }
}

/// The epoch in which a family was drawn.
fn epoch(state: &State, unit: &Unit) -> u32 {
    state
        .allocations
        .get(unit.allocation)
        .map_or(0, |allocated| allocated.epoch)
}

/// The bit of an epoch; a study has far fewer than 64.
fn bit(epoch: u32) -> u64 {
    1 << epoch.min(63)
}

/// Whether the ratio of the arms differs between the epochs of the units.
pub(super) fn ratios_differ(protocol: &Protocol, state: &State, units: &[Unit]) -> bool {
    let mut columns = FixedColumns::default();
    columns.epochs(protocol, state, units);
    columns.keeps_epochs_apart()
}

/// The name of a covariate as in the protocol file.
fn name(protocol: &Protocol, covariate: Covariate) -> &str {
    match covariate {
        Covariate::Site => "site",
        Covariate::MonthsSinceStart => "months_since_start",
        Covariate::Field(field) => &protocol.fields[field].id,
    }
}

/// The realized set in words, and where it differs from the registered one.
pub(super) fn describe(
    protocol: &Protocol,
    covariates: &[Covariate],
    groups: &SiteGroups,
    fixed: &FixedColumns,
) -> (Vec<String>, Vec<Deviation>) {
    let mut names = Vec::new();
    let mut deviations = Vec::new();
    if fixed.keeps_epochs_apart() {
        names.push("epoch".to_owned());
        deviations.push(Deviation {
            code: "epoch-covariate",
            message: Words::new(
                "The ratio of the arms differed between epochs: an indicator of the epochs with each ratio was added to the model.",
                "Förhållandet mellan armarna skilde sig mellan epokerna: en indikator för epokerna med varje förhållande lades till i modellen.",
            ),
        });
    }
    for covariate in covariates {
        let own = name(protocol, *covariate);
        if *covariate == Covariate::Site {
            describe_sites(protocol, groups, &mut names, &mut deviations);
        } else if fixed.has(*covariate) {
            names.push(own.to_owned());
        } else {
            deviations.push(Deviation {
                code: "covariate-constant",
                message: words!(
                    "The covariate {own} is the same for all families and was left out.",
                    "Kovariaten {own} är densamma för alla familjer och utelämnades."
                ),
            });
        }
    }
    (names, deviations)
}

/// Which sites count as one stratum, where sites are strata and no covariate.
pub(super) fn merged_strata(protocol: &Protocol, groups: &SiteGroups) -> Vec<Deviation> {
    let merged = (0..groups.number).filter(|group| groups.sites(*group).count() > 1);
    let told = merged.map(|group| {
        let names = groups.sites(group).map(|site| protocol.sites[site].name.as_str());
        let sites = names.collect::<Vec<_>>().join(" + ");
        Deviation {
            code: "site-merged",
            message: words!(
                "The sites {sites} count as one stratum, because one of them had fewer than {SMALLEST_CELL} analysed families in an arm.",
                "Enheterna {sites} räknas som ett enda stratum, eftersom någon av dem hade färre än {SMALLEST_CELL} analyserade familjer i en grupp."
            ),
        }
    });
    told.collect()
}

fn describe_sites(
    protocol: &Protocol,
    groups: &SiteGroups,
    names: &mut Vec<String>,
    deviations: &mut Vec<Deviation>,
) {
    let join = |group: u16, text: &dyn Fn(usize) -> String, mark: &str| {
        let texts: Vec<String> = groups.sites(group).map(text).collect();
        texts.join(mark)
    };
    let id = |site: usize| protocol.sites[site].id.clone();
    let label = |site: usize| protocol.sites[site].name.clone();
    if groups.number <= 1 {
        if groups.merged || protocol.sites.len() > 1 {
            deviations.push(Deviation {
                code: "site-dropped",
                message: words!(
                    "The site indicators were left out: the sites could not be kept apart with at least {SMALLEST_CELL} analysed families in each arm.",
                    "Enheterna ingår inte som kovariat: de kunde inte hållas isär med minst {SMALLEST_CELL} analyserade familjer i varje grupp."
                ),
            });
        }
        return;
    }
    if !groups.merged {
        names.push("site".to_owned());
        return;
    }
    let parts: Vec<String> = (0..groups.number)
        .map(|group| join(group, &id, " + "))
        .collect();
    names.push(format!("site ({})", parts.join(", ")));
    for group in 0..groups.number {
        if groups.sites(group).count() > 1 {
            let sites = join(group, &label, " + ");
            deviations.push(Deviation {
                code: "site-merged",
                message: words!(
                    "The sites {sites} count as one in the model, because one of them had fewer than {SMALLEST_CELL} analysed families in an arm.",
                    "Enheterna {sites} räknas som en enda i modellen, eftersom någon av dem hade färre än {SMALLEST_CELL} analyserade familjer i en grupp."
                ),
            });
        }
    }
}
