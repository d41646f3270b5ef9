//! The registered statistic of the randomization test: the registered estimator's effect over its HC2 standard error.
//!
//! Everything that depends on the arms is recomputed for every redraw: which sites merge, the interactions, which rows
//! a contrast has. `lin` on two arms takes the short way of `estimation::lin_statistic`, prepared once for each
//! grouping of the sites; anything else factors its design anew. `difference-in-means` and `risk-difference` are
//! studentized as the difference of means with HC2, which is Welch's standard error. `log-rank` and `rank-sum` have the statistic
//! of their own test over its own standard error, prepared in `estimation::redrawn_scores`.
//!
//! Where known outcomes are weighed for those that are not, the model of being known is fitted anew within the redrawn arms,
//! and the effect with it: being known is, as the outcome, what the hypothesis says that the arm does not move.

use super::covariates::{SiteGroups, count_cells};
use super::randomization::Statistic;
use crate::allocation::Arm;
use crate::estimation::counted_strata::{self, StratumCounts};
use crate::estimation::inversion;
use crate::estimation::known_weights::known_weights;
use crate::estimation::lin_statistic::{Joint, LinStatistic, Studentized};
use crate::estimation::linear_model::{self, Design, Form};
use crate::estimation::redrawn_scores::{Counted, Ranked, TimesInOrder};
use crate::estimation::{Arm as Side, Df, Variance};

/// Part of the largest outcome below which an effect without a standard error is rounding.
const ROUNDED: f64 = 1e-12;

/// Families whose outcome is not known and for whom the analysed ones are weighed.
#[derive(Debug, Clone)]
pub(super) struct Unknown {
    /// Places in the lists of the families of the lock.
    pub(super) rows: Vec<u32>,
    /// Their covariates beside the sites, column-major.
    pub(super) matrix: Vec<f64>,
}

/// An outcome and its covariates on the families of a lock, without arms.
#[derive(Debug, Clone)]
pub(super) struct Sampled {
    /// Place of every family of the lock among the allocations.
    pub(super) allocation: Vec<usize>,
    /// Site of every family of the lock.
    pub(super) site: Vec<u16>,
    /// Analysed families, as places in the two lists above.
    pub(super) rows: Vec<u32>,
    /// Their outcomes.
    pub(super) y: Vec<f64>,
    /// Their covariates beside the sites, column-major.
    pub(super) matrix: Vec<f64>,
    /// Number of sites, if they are covariates.
    pub(super) sites: Option<usize>,
    /// How covariates enter.
    pub(super) form: Form,
    /// 1 for analysed families that were observed in the treated arm, 0 for the others: what a constant effect moves.
    pub(super) moved: Vec<f64>,
    /// For whom they are weighed; `None` without weights.
    pub(super) unknown: Option<Unknown>,
    /// What the statistic is made from where it is no difference of means.
    pub(super) score: Option<Score>,
    /// Number of arms.
    pub(super) arms: usize,
    /// The arm whose effect is asked for.
    pub(super) treated: Arm,
    /// The arm it is compared with.
    pub(super) control: Arm,
}

/// A statistic that is no difference of means.
#[derive(Debug, Clone)]
pub(super) enum Score {
    /// (O − E)/√V of a log-rank test.
    LogRank {
        times: TimesInOrder,
        /// The stratum of each analysed family but for its site, and how many there are.
        strata: (Vec<u32>, usize),
    },
    /// The probability index less ½ over its standard error.
    RankSum(Ranked),
}

/// The statistic on a sample, with the storage of its computation.
#[derive(Debug, Clone)]
pub(super) struct Registered<'s> {
    sampled: &'s Sampled,
    /// Prepared statistics, one for each grouping of the sites that a redraw has met.
    prepared: Vec<(SiteGroups, LinStatistic)>,
    groups: SiteGroups,
    cells: Vec<u32>,
    /// Whether the model is the additive one of a yes-no outcome on arm and sites of two arms.
    counted: bool,
    strata: Vec<StratumCounts>,
    side: Vec<Side>,
    chosen: Vec<u32>,
    y: Vec<f64>,
    moved: Vec<f64>,
    matrix: Vec<f64>,
    design: Design,
    workspace: linear_model::Workspace,
    sides: Vec<Option<Side>>,
    scored: Counted,
}

impl<'s> Registered<'s> {
    pub(super) fn new(sampled: &'s Sampled) -> Self {
        let yes_no = |y: &f64| *y == 0.0 || y.total_cmp(&1.0).is_eq();
        Self {
            counted: sampled.form == Form::Additive
                && sampled.arms == 2
                && sampled.matrix.is_empty()
                && sampled.unknown.is_none()
                && sampled.score.is_none()
                && sampled.y.iter().all(yes_no),
            strata: Vec::new(),
            sampled,
            prepared: Vec::new(),
            groups: SiteGroups::default(),
            cells: Vec::new(),
            side: Vec::new(),
            chosen: Vec::new(),
            y: Vec::new(),
            moved: Vec::new(),
            matrix: Vec::new(),
            design: Design::for_statistic(),
            workspace: linear_model::Workspace::default(),
            sides: Vec::new(),
            scored: Counted::default(),
        }
    }

    fn side(&self, arm: Arm) -> Option<Side> {
        if arm == self.sampled.treated {
            Some(Side::Treated)
        } else if arm == self.sampled.control {
            Some(Side::Control)
        } else {
            None
        }
    }

    /// Groups the sites by the arms of this redraw, over the analysed families and for whom they are weighed.
    fn group(&mut self, arms: &[Arm]) {
        let Some(sites) = self.sampled.sites else {
            return;
        };
        let units = self.sampled.rows.iter().map(|row| {
            let row = *row as usize;
            let place = self.sampled.allocation[row];
            (usize::from(self.sampled.site[row]), arms[place])
        });
        count_cells((sites, self.sampled.arms), units, &mut self.cells);
        let sampled = self.sampled;
        let lost = sampled.unknown.iter().flat_map(|own| &own.rows);
        let lost = lost.map(|row| usize::from(sampled.site[*row as usize]));
        self.groups
            .realize_beside(&self.cells, sampled.arms, |site| {
                lost.clone().any(|own| own == site)
            });
    }

    /// Indicators of the grouped sites and the other covariates, for some of the analysed rows.
    fn fill(
        sampled: &Sampled,
        groups: &SiteGroups,
        chosen: &(impl Iterator<Item = usize> + Clone),
        matrix: &mut Vec<f64>,
    ) {
        matrix.clear();
        if sampled.sites.is_some() {
            let sites = chosen
                .clone()
                .map(|row| sampled.site[sampled.rows[row] as usize]);
            groups.indicators(&sites, matrix);
        }
        let n = sampled.y.len();
        if n > 0 {
            for column in sampled.matrix.chunks_exact(n) {
                matrix.extend(chosen.clone().map(|row| column[row]));
            }
        }
    }

    /// Reads the sides of the rows; `false` where `lin` on two arms meets a third one.
    fn sides(&mut self, arms: &[Arm]) -> bool {
        self.side.clear();
        for row in &self.sampled.rows {
            let Some(side) = self.side(arms[self.sampled.allocation[*row as usize]]) else {
                return false;
            };
            self.side.push(side);
        }
        true
    }

    /// `lin` on two arms: all analysed rows stay in, whatever the arms.
    fn short(&mut self, arms: &[Arm], both: bool) -> Option<Joint> {
        if !self.sides(arms) {
            return None;
        }
        let known = self
            .prepared
            .iter()
            .position(|(groups, _)| *groups == self.groups);
        let index = known.unwrap_or_else(|| {
            let rows = 0..self.sampled.y.len();
            Self::fill(self.sampled, &self.groups, &rows, &mut self.matrix);
            let (y, moved) = (&self.sampled.y, &self.sampled.moved);
            let statistic = LinStatistic::of_two(&self.matrix, y, moved);
            self.prepared.push((self.groups.clone(), statistic));
            self.prepared.len() - 1
        });
        let (_, statistic) = &mut self.prepared[index];
        if both {
            return statistic.evaluate_both(&self.side).ok();
        }
        let mut found = Joint::default();
        found.effects[0] = statistic.evaluate(&self.side).ok()?;
        Some(found)
    }

    /// Any form and number of arms: the design is factored anew.
    fn full(&mut self, arms: &[Arm], both: bool) -> Option<Joint> {
        self.side.clear();
        self.chosen.clear();
        for (index, row) in self.sampled.rows.iter().enumerate() {
            if let Some(side) = self.side(arms[self.sampled.allocation[*row as usize]]) {
                self.side.push(side);
                self.chosen.push(index as u32);
            }
        }
        if !self.side.contains(&Side::Treated) || !self.side.contains(&Side::Control) {
            return None;
        }
        let chosen = self.chosen.iter().map(|row| *row as usize);
        Self::fill(self.sampled, &self.groups, &chosen, &mut self.matrix);
        let form = self.sampled.form;
        match self.weights(arms) {
            Some(weights) => {
                self.design
                    .refactor_weighted(&self.side, &self.matrix, &weights, form)
            }
            None => self.design.refactor(&self.side, &self.matrix, form),
        }
        .ok()?;
        let inference = self
            .design
            .inference(Variance::Hc2, Df::Normal, 0.95)
            .ok()?;
        let outcomes = [
            (&self.sampled.y, &mut self.y),
            (&self.sampled.moved, &mut self.moved),
        ];
        let mut found = Joint::default();
        let number = if both { 2 } else { 1 };
        for ((all, own), effect) in outcomes.into_iter().zip(&mut found.effects).take(number) {
            own.clear();
            own.extend(self.chosen.iter().map(|row| all[*row as usize]));
            let fit = self.design.fit(own, &inference, &mut self.workspace);
            *effect = Studentized {
                estimate: fit.estimate,
                std_error: fit.std_error,
            };
        }
        if both {
            let (y, moved) = (&self.y, &self.moved);
            found.covariance = self.design.covariance(y, moved, &mut self.workspace);
        }
        Some(found)
    }

    /// Weights of the chosen rows for those that are not known, by the model of being known within these arms; `None` without
    /// weights.
    fn weights(&self, arms: &[Arm]) -> Option<Vec<f64>> {
        let sampled = self.sampled;
        let unknown = sampled.unknown.as_ref()?;
        let side = |row: &u32| self.side(arms[sampled.allocation[*row as usize]]);
        let lost = unknown.rows.iter().enumerate();
        let lost: Vec<(usize, u32, Side)> = lost
            .filter_map(|(place, row)| Some((place, *row, side(row)?)))
            .collect();
        let mut all = self.side.clone();
        all.extend(lost.iter().map(|(_, _, side)| *side));
        let known: Vec<bool> = (0..all.len()).map(|row| row < self.side.len()).collect();
        let mut columns = Vec::new();
        if sampled.sites.is_some() {
            let chosen = self.chosen.iter().map(|row| sampled.rows[*row as usize]);
            let rows = chosen.chain(lost.iter().map(|(_, row, _)| *row));
            let sites = rows.map(|row| sampled.site[row as usize]);
            self.groups.indicators(&sites, &mut columns);
        }
        let (n, m) = (sampled.rows.len(), unknown.rows.len());
        let theirs = unknown.matrix.chunks_exact(m.max(1));
        for (own, theirs) in sampled.matrix.chunks_exact(n.max(1)).zip(theirs) {
            columns.extend(self.chosen.iter().map(|row| own[*row as usize]));
            columns.extend(lost.iter().map(|(place, _, _)| theirs[*place]));
        }
        Some(known_weights(&all, &known, &columns).weights)
    }

    /// The effect from counts, where they answer for the model.
    fn count(&mut self, arms: &[Arm]) -> Option<Studentized> {
        let groups = self.sampled.sites.map(|_| self.groups.number());
        self.strata.clear();
        self.strata
            .resize(usize::from(groups.unwrap_or(1)), StratumCounts::default());
        for (row, y) in self.sampled.rows.iter().zip(&self.sampled.y) {
            let row = *row as usize;
            let side = self.side(arms[self.sampled.allocation[row]])?.index();
            let group = match groups {
                Some(_) => self.groups.of(usize::from(self.sampled.site[row]))?,
                None => 0,
            };
            let counts = self.strata.get_mut(usize::from(group))?;
            counts.rows[side] += 1;
            counts.ones[side] += u32::from(*y > 0.5);
        }
        counted_strata::is_answered(&self.strata).then(|| counted_strata::studentized(&self.strata))
    }

    /// The effect in the outcome when the families have these arms, with `both` also that in `moved`.
    fn evaluate(&mut self, arms: &[Arm], both: bool) -> Option<Joint> {
        self.group(arms);
        let counted = (self.counted && !both).then(|| self.count(arms));
        if let Some(effect) = counted.flatten() {
            let mut found = Joint::default();
            found.effects[0] = effect;
            Some(found)
        } else if self.sampled.form == Form::Interacted
            && self.sampled.arms == 2
            && self.sampled.unknown.is_none()
        {
            self.short(arms, both)
        } else {
            self.full(arms, both)
        }
    }

    /// A statistic that is no difference of means: its numerator and its variance. Its strata by site merge by the redrawn arms.
    fn score(&mut self, score: &Score, arms: &[Arm]) -> Option<(f64, f64)> {
        let sampled = self.sampled;
        self.sides.clear();
        for row in &sampled.rows {
            let side = self.side(arms[sampled.allocation[*row as usize]]);
            self.sides.push(side);
        }
        match score {
            Score::RankSum(ranked) => ranked.index(&self.sides, &mut self.scored),
            Score::LogRank {
                times,
                strata: (other, number),
            } => {
                self.group(arms);
                let groups = &self.groups;
                let sites = sampled.sites.map_or(1, |_| usize::from(groups.number()));
                let stratum = |row: usize| {
                    let site = usize::from(sampled.site[sampled.rows[row] as usize]);
                    let group = sampled.sites.and_then(|_| groups.of(site)).unwrap_or(0);
                    other[row] as usize * sites + usize::from(group)
                };
                times.excess(&self.sides, stratum, number * sites, &mut self.scored)
            }
        }
    }

    fn largest(&self) -> f64 {
        self.sampled.y.iter().fold(0.0f64, |m, y| m.max(y.abs()))
    }

    /// An effect that is rounding, without a standard error, is none.
    fn rounded(&self, estimate: f64, std_error: f64) -> f64 {
        let largest = self.largest();
        if std_error <= 0.0 && estimate.abs() <= ROUNDED * largest {
            0.0
        } else {
            estimate
        }
    }

    /// The statistic as a function of a constant effect of the treated arm; `None` where it does not exist.
    ///
    /// Estimates are linear in the outcome and variances quadratic, so the effects in the outcome and in the arm that was
    /// observed, their variances and their covariance say everything.
    ///
    /// A constant effect has no such form in a statistic that is no difference of means: of that it is the same at any effect.
    pub(super) fn studentized(&mut self, arms: &[Arm]) -> Option<inversion::Studentized> {
        if let Some(score) = &self.sampled.score {
            let (a, c) = self.score(score, arms)?;
            return Some(inversion::Studentized {
                a,
                c,
                ..inversion::Studentized::default()
            });
        }
        let found = self.evaluate(arms, true)?;
        let [y, z] = found.effects;
        let (c, d, e) = (
            y.std_error * y.std_error,
            found.covariance,
            z.std_error * z.std_error,
        );
        let (a, b) = (self.rounded(y.estimate, y.std_error), z.estimate);
        (!a.is_nan() && !b.is_nan() && (c + d.abs() + e).is_finite())
            .then_some(inversion::Studentized { a, b, c, d, e })
    }
}

impl Statistic for Registered<'_> {
    fn value(&mut self, arms: &[Arm]) -> Option<f64> {
        if self.sampled.score.is_some() {
            return self.studentized(arms)?.value(0.0);
        }
        let effect = self.evaluate(arms, false)?.effects[0];
        over_error(effect, || self.largest())
    }
}

/// Effect over standard error; `largest` is the largest size of an outcome. Without a standard error the effect's sign is
/// infinite, and an effect that is rounding is zero.
pub(crate) fn over_error(effect: Studentized, largest: impl Fn() -> f64) -> Option<f64> {
    let Studentized {
        estimate,
        std_error,
    } = effect;
    let value = if std_error > 0.0 {
        estimate / std_error
    } else if estimate.abs() <= ROUNDED * largest() {
        0.0
    } else {
        estimate.signum() * f64::INFINITY
    };
    (!value.is_nan()).then_some(value)
}
