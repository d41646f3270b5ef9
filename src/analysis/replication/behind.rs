//! What stands behind each analysis of a plan: its fits, redraws, looks, and how each family counts.

use super::{
    AtLock, Counted, How, JointRedraws, ReplicatedAnalysis, ReplicatedBalance, ReplicatedFit,
    ReplicatedLook, ReplicatedRedraws, ReplicatedUnknown,
};
use crate::allocation::Arm;
use crate::analysis::balance;
use crate::analysis::looks::{is_weighed, look, spent};
use crate::analysis::missingness::{self, Draws};
use crate::analysis::plan::{Plan, Planned, is_binary, treated_arms};
use crate::analysis::randomization::AUDIT_DRAWS;
use crate::analysis::redraws::{Redrawn, Source};
use crate::analysis::reference_set::{
    Enumeration, History, balance_key, imputation_key, joint_key, test_key,
};
use crate::analysis::sensitivity::{self, Again, Ground, again, completions, resamples};
use crate::analysis::statistic::Registered;
use crate::analysis::used::options;
use crate::analysis::workspace::Workspace;
use crate::estimation;
use crate::estimation::group_sequential::Look;
use crate::protocol::Protocol;
use crate::protocol::model::{
    Analysis, Average, Covariate, Day, Factor, Hands, Missing, Multiplicity, Role, Test,
};
use crate::study::children::members;
use crate::study::conduct::ELIGIBLE_SET;
use crate::study::course::course;
use crate::study::dataset::{self, End, OutcomeValue, Unit};
use crate::study::kernel::State;
use crate::study::uptake::received;
use std::collections::BTreeSet;

pub(super) struct Behind<'a> {
    pub(super) protocol: &'a Protocol,
    pub(super) state: &'a State,
    pub(super) cut: Day,
    pub(super) at: AtLock<'a>,
    pub(super) history: History,
    pub(super) enumeration: Option<Enumeration>,
    pub(super) workspace: Workspace,
}

impl Behind<'_> {
    pub(super) fn analysis(&mut self, analysis: &Analysis) -> ReplicatedAnalysis {
        let (protocol, state, cut) = (self.protocol, self.state, self.cut);
        self.workspace.sample(protocol, state, cut, analysis);
        let arms: Vec<Arm> = treated_arms(protocol).collect();
        let mut fits: Vec<ReplicatedFit> = arms
            .iter()
            .map(|arm| self.fit(analysis, *arm, None))
            .collect();
        let redraws = arms.iter().map(|arm| self.redraws(analysis, *arm));
        let redraws = redraws.collect();
        let (unknown, unknown_redraws) = self.unknown(analysis, &arms);
        let factors = match (arms.first(), fits.first()) {
            (Some(_), Some(fit)) => {
                let own = analysis.subgroups.iter();
                own.map(|factor| self.factor(*factor, &fit.family))
                    .collect()
            }
            _ => Vec::new(),
        };
        if sensitivity::any(analysis, &self.workspace, state) {
            for arm in &arms {
                self.beside(analysis, *arm, &mut fits);
            }
        }
        ReplicatedAnalysis {
            lock: analysis.lock,
            alpha: analysis.alpha,
            counted: self.counted(analysis),
            followed: self.followed(analysis),
            fits,
            redraws,
            unknown,
            unknown_redraws,
            factors,
            children: analysis.children.map(|_| self.children()),
            received: self.received(analysis),
            looks: self.looks(analysis),
        }
    }

    /// Children of each family on the roster of its draw.
    fn children(&self) -> Vec<u32> {
        let units = &self.workspace.units;
        let mut number = vec![0; units.len()];
        for own in members(self.state, units) {
            if let Some(number) = number.get_mut(own.row as usize) {
                *number += 1;
            }
        }
        number
    }

    fn received(&self, analysis: &Analysis) -> Vec<(Arm, Vec<Option<bool>>)> {
        let Some(how) = analysis.received else {
            return Vec::new();
        };
        let of = |treated: Arm| {
            let units = self.workspace.units.iter().enumerate();
            let own = units.map(|(row, unit)| {
                self.workspace.side(self.protocol, treated, row)?;
                Some(received(self.state, self.cut, unit.family, treated, how))
            });
            (treated, own.collect())
        };
        treated_arms(self.protocol).map(of).collect()
    }

    /// The looks at an analysis, in the order of their locks, as far as an effect existed there.
    fn looks(&self, analysis: &Analysis) -> Vec<ReplicatedLook> {
        let Some(now) = self.at.lock.filter(|_| !analysis.looks.is_empty()) else {
            return Vec::new();
        };
        let mut list = Vec::new();
        for own in self.at.earlier {
            let registered = own.protocol.analyses.iter();
            let registered = registered.filter(|other| other.id == analysis.id);
            let Some(there) = registered.clone().next() else {
                continue;
            };
            let mine = own.analysis == analysis.id && own.lock != now;
            if !mine {
                continue;
            }
            let Ok(seen) = look(&own.protocol, &own.state, own.cut, there) else {
                continue;
            };
            let Some(treated) = treated_arms(&own.protocol).next() else {
                continue;
            };
            let mut workspace = Workspace::default();
            workspace.load(&own.protocol, &own.state, own.cut);
            workspace.sample(&own.protocol, &own.state, own.cut, there);
            let ground = (&own.protocol, &own.state);
            list.push(ReplicatedLook {
                lock: own.lock,
                spent: spent(self.protocol, analysis, own.lock),
                without_end: without_end(&seen),
                fit: Some(handed_fit(&workspace, ground, there, treated, None)),
            });
        }
        list.sort_by_key(|own| own.lock);
        let seen = look(self.protocol, self.state, self.cut, analysis);
        list.push(ReplicatedLook {
            lock: now,
            spent: spent(self.protocol, analysis, now),
            without_end: seen.ok().as_ref().and_then(without_end),
            fit: None,
        });
        list
    }

    /// The redraws that the comparisons of a lock with a role share, where they are adjusted together.
    pub(super) fn joint(
        &mut self,
        plan: &Plan,
        (lock, role): (usize, Role),
    ) -> Option<JointRedraws> {
        let rule = match role {
            Role::Primary => Some(self.protocol.primary_multiplicity),
            Role::Secondary | Role::Exploratory => self.protocol.multiplicity,
        };
        if rule != Some(Multiplicity::WestfallYoung) {
            return None;
        }
        let belongs = |planned: &Planned| {
            let own = &planned.analysis;
            planned.prespecified && own.role == role && own.lock == lock
        };
        let places: Vec<usize> = (0..plan.planned().len())
            .filter(|place| plan.planned().get(*place).is_some_and(belongs))
            .collect();
        let arms: Vec<Arm> = treated_arms(self.protocol).collect();
        if places.len() * arms.len() < 2 {
            return None;
        }
        let drawn = |place: &usize| {
            let test = plan.planned().get(*place)?.analysis.test;
            test.map(|Test::Randomization { draws }| u64::from(draws))
        };
        let draws = places.iter().filter_map(drawn).max().unwrap_or(0);
        let key = joint_key(self.protocol, lock);
        let mut joint = JointRedraws {
            lock,
            role,
            comparisons: Vec::new(),
            sizes: Vec::new(),
            weights: None,
        };
        for place in places {
            let analysis = &plan.planned()[place].analysis;
            self.workspace
                .sample(self.protocol, self.state, self.cut, analysis);
            for (number, treated) in arms.iter().enumerate() {
                if let Some(found) = self.redrawn(analysis, *treated, (&key, draws)) {
                    joint.comparisons.push((place, number));
                    joint.sizes.push(found.sizes().1);
                    joint.weights = found.weights().map(<[f64]>::to_vec);
                }
            }
        }
        Some(joint)
    }

    /// The registered statistic of the sampled outcome on every allocation that could have been.
    fn redrawn(
        &self,
        analysis: &Analysis,
        treated: Arm,
        (key, draws): (&[u8; 32], u64),
    ) -> Option<Redrawn> {
        let sampled = self
            .workspace
            .sampled(self.protocol, self.state, analysis, treated);
        let source = match &self.enumeration {
            Some(enumeration) => Source::Every(enumeration),
            None => Source::Key(key, draws),
        };
        let arms: Vec<Arm> = self.state.allocations.iter().map(|own| own.arm).collect();
        Redrawn::new(&self.history, &arms, source, &Registered::new(&sampled)).ok()
    }

    /// The columns of the sampled outcome.
    fn fit(&self, analysis: &Analysis, treated: Arm, beside: Option<&str>) -> ReplicatedFit {
        let ground = (self.protocol, self.state);
        handed_fit(&self.workspace, ground, analysis, treated, beside)
    }

    fn beside(&mut self, analysis: &Analysis, treated: Arm, fits: &mut Vec<ReplicatedFit>) {
        let (protocol, state, cut) = (self.protocol, self.state, self.cut);
        let key = imputation_key(protocol, &analysis.id, analysis.lock);
        let ground = Ground {
            protocol,
            state,
            cut,
            treated,
            key: &key,
            binary: is_binary(protocol, analysis),
        };
        for (name, again) in again(ground, analysis) {
            match again {
                Again::Plain(other) => {
                    self.workspace.sample(protocol, state, cut, &other);
                    fits.push(self.fit(&other, treated, Some(&name)));
                }
                Again::Winsorized(share) => {
                    // The outcomes as they are: another program draws them in itself.
                    self.workspace.sample(protocol, state, cut, analysis);
                    let mut fit = self.fit(analysis, treated, Some(&name));
                    fit.how = How::Winsorized(share);
                    fits.push(fit);
                }
                Again::Resampled(number) => {
                    self.workspace.sample(protocol, state, cut, analysis);
                    let mut fit = self.fit(analysis, treated, Some(&name));
                    fit.how = How::Resampled;
                    let drawn = resamples(&self.workspace, ground, analysis, number);
                    fit.resamples = drawn.unwrap_or_default();
                    fits.push(fit);
                }
                Again::Pairs => {
                    // Known and unknown rows, as worst-case bounds have them.
                    let other = Analysis {
                        missing: Missing::Bounds,
                        estimator: "manski-bounds".to_owned(),
                        clusters: None,
                        ..analysis.clone()
                    };
                    self.workspace.sample(protocol, state, cut, &other);
                    let mut fit = self.fit(&other, treated, Some(&name));
                    fit.how = How::Pairs;
                    let sampled: BTreeSet<u32> = self.workspace.rows.iter().copied().collect();
                    let known = |number: &usize| sampled.contains(&(*number as u32 - 1));
                    fit.known = fit.family.iter().map(known).collect();
                    fits.push(fit);
                }
                Again::Imputed | Again::Shifted => {
                    let Ok(found) = completions(&mut self.workspace, ground, analysis) else {
                        continue;
                    };
                    let other = Analysis {
                        missing: Missing::CompleteCase,
                        ..analysis.clone()
                    };
                    let y = found.rows.iter().map(|(_, y)| y.unwrap_or(0.0)).collect();
                    let rows = found.rows.iter().map(|(row, _)| *row);
                    self.workspace.complete(rows, y, &found.groups);
                    let mut fit = self.fit(&other, treated, Some(&name));
                    fit.how = How::Pooled;
                    fit.columns.outcome = found.rows.iter().map(|(_, y)| *y).collect();
                    fit.drawn = found.drawn;
                    fits.push(fit);
                }
            }
        }
        if self.workspace.any_ineligible(state) {
            self.workspace.leave_ineligible_out(state);
            self.workspace.sample(protocol, state, cut, analysis);
            fits.push(self.fit(analysis, treated, Some(ELIGIBLE_SET)));
            self.workspace.keep_all();
        }
    }

    fn redraws(&self, analysis: &Analysis, treated: Arm) -> Option<ReplicatedRedraws> {
        let Some(Test::Randomization { draws }) = analysis.test else {
            return None;
        };
        let key = test_key(self.protocol, &analysis.id, analysis.lock);
        let found = self.redrawn(analysis, treated, (&key, u64::from(draws)))?;
        Some(kept(&found))
    }

    /// Who is unknown in the sampled analysis, and the statistic of it on every redraw; nothing where nobody is.
    fn unknown(
        &self,
        analysis: &Analysis,
        treated: &[Arm],
    ) -> (Option<Vec<Option<bool>>>, Vec<Option<ReplicatedRedraws>>) {
        let data = (self.protocol, self.state, self.cut);
        let statuses = missingness::statuses(&self.workspace, data, analysis);
        if !statuses.contains(&Some(true)) {
            return (None, Vec::new());
        }
        let arms: Vec<Arm> = self.state.allocations.iter().map(|own| own.arm).collect();
        let from = Draws {
            history: &self.history,
            arms: &arms,
            enumeration: self.enumeration.as_ref(),
            number: None,
        };
        let one = |arm: &Arm| {
            let own = (analysis, *arm);
            let found =
                missingness::redrawn(&self.workspace, self.protocol, from, &statuses, own).ok()?;
            Some(kept(&found))
        };
        let redraws = treated.iter().map(one).collect();
        (Some(statuses), redraws)
    }

    /// What the test of balance is made from.
    pub(super) fn balance(&self) -> ReplicatedBalance {
        let ground = balance::Ground::new(self.protocol, self.state, self.cut);
        let key = balance_key(self.protocol, self.at.lock.unwrap_or(usize::MAX));
        let enumeration = self.enumeration.as_ref();
        let values = ground.values(&self.history, enumeration, (&key, AUDIT_DRAWS));
        let (weights, draws): (Vec<f64>, Vec<Option<f64>>) = values.into_iter().unzip();
        ReplicatedBalance {
            columns: ground.columns,
            draws,
            weights: enumeration.map(|_| weights),
        }
    }

    /// Levels of a factor, and the level of each row.
    fn factor(&self, factor: Factor, family: &[usize]) -> (String, Vec<String>, Vec<usize>) {
        let protocol = self.protocol;
        let name = protocol.factor_id(factor).to_owned();
        let levels = (0..protocol.factor_levels(factor))
            .map(|level| protocol.level_text(factor, level))
            .collect();
        let codes = family.iter().map(|number| {
            let unit = &self.workspace.units[number - 1];
            Workspace::subgroup_level((protocol, self.state), factor, unit)
        });
        (name, levels, codes.collect())
    }

    /// How each family counts where its children are analysed: the sample is that of families.
    fn means(&self, analysis: &Analysis) -> Vec<Counted> {
        let (protocol, state, cut) = (self.protocol, self.state, self.cut);
        let mut known = self.workspace.rows.iter().zip(&self.workspace.y).peekable();
        let units = self.workspace.units.iter().enumerate();
        let status = |(row, unit): (usize, &Unit)| {
            if let Some((_, y)) = known.next_if(|(own, _)| **own as usize == row) {
                return Counted::Known(*y);
            }
            let (outcome, summary) = (analysis.outcome, analysis.summary);
            match dataset::outcome(protocol, state, cut, unit.family, outcome, summary) {
                OutcomeValue::NotYet => Counted::NotYet,
                OutcomeValue::Known(_) | OutcomeValue::Unknown(_) => Counted::Missing,
            }
        };
        units.map(status).collect()
    }

    /// For how long families were followed in the window of a rate, where they may have no time in it.
    fn followed(&self, analysis: &Analysis) -> Option<Vec<Option<f64>>> {
        let (protocol, outcome) = (self.protocol, analysis.outcome);
        let kind = &protocol.outcomes[outcome].kind;
        let mut events = Vec::new();
        let mut days = |unit: &Unit| {
            let own = course(
                protocol,
                self.state,
                self.cut,
                unit.family,
                outcome,
                &mut events,
            )?;
            Some(if own.is_followed(kind) { own.days } else { 0.0 })
        };
        let units = self.workspace.units.iter();
        (analysis.hands() == Hands::Rates).then(|| units.map(&mut days).collect())
    }

    /// How each family counts, in the words of the arms' counts.
    fn counted(&mut self, analysis: &Analysis) -> Vec<Counted> {
        let (protocol, state, cut) = (self.protocol, self.state, self.cut);
        if analysis.children.is_some() {
            let own = analysis.averaged(Average::Family);
            self.workspace.sample(protocol, state, cut, &own);
            return self.means(analysis);
        }
        let units = self.workspace.units.iter();
        if analysis.hands() == Hands::Values {
            return units
                .map(|unit| {
                    let (outcome, summary) = (analysis.outcome, analysis.summary);
                    let seen =
                        dataset::outcome(protocol, state, cut, unit.family, outcome, summary);
                    match (seen, analysis.missing) {
                        (OutcomeValue::Known(y), _) => Counted::Known(y),
                        (OutcomeValue::NotYet, _) => Counted::NotYet,
                        (OutcomeValue::Unknown(y), Missing::NotAccepted) => {
                            Counted::ByRule(y.unwrap_or(0.0))
                        }
                        (OutcomeValue::Unknown(_), _) => Counted::Missing,
                    }
                })
                .collect();
        }
        let first = analysis.hands() == Hands::FirstTimes;
        let mut days = Vec::new();
        units
            .map(|unit| {
                let outcome = analysis.outcome;
                let Some(own) = course(protocol, state, cut, unit.family, outcome, &mut days)
                else {
                    return Counted::NotYet;
                };
                if first {
                    days.truncate(1);
                }
                let y = days.len() as f64;
                let ended = first && !days.is_empty();
                if !ended && matches!(own.end, End::Censored | End::Cut) {
                    Counted::ByRule(y)
                } else {
                    Counted::Known(y)
                }
            })
            .collect()
    }
}

/// Of a look at what has a test and no standard error: whether it was above.
fn without_end(seen: &Look) -> Option<bool> {
    (!is_weighed(seen)).then_some(seen.estimate > 0.0)
}

/// The numbers of a statistic on every redraw.
fn kept(found: &Redrawn) -> ReplicatedRedraws {
    ReplicatedRedraws {
        draws: found.kept().to_vec(),
        weights: found.weights().map(<[f64]>::to_vec),
    }
}

impl Workspace {
    /// Index of the site of rows of the lock.
    fn sites(&self, rows: &[usize]) -> Vec<usize> {
        rows.iter().map(|row| self.units[*row].site).collect()
    }

    /// The families that some rows are weighed for.
    fn unknown_of(
        &self,
        (protocol, state): (&Protocol, &State),
        analysis: &Analysis,
        (treated, rows): (Arm, &[usize]),
    ) -> ReplicatedUnknown {
        let known: Vec<u32> = rows.iter().map(|row| *row as u32).collect();
        let all = self.with_unknown(protocol, treated, &known);
        let places = all.iter().skip(known.len()).map(|row| *row as usize);
        let places: Vec<usize> = places.collect();
        let (names, values) = self.adjusting(protocol, state, &analysis.covariates, &places);
        let column = |(place, name): (usize, String)| {
            let from = place * places.len();
            let own = &values[from..from + places.len()];
            estimation::Covariate::numeric(name, own.iter().copied().map(Some).collect())
        };
        let side = |row: &usize| self.side(protocol, treated, *row);
        ReplicatedUnknown {
            family: places.iter().map(|row| row + 1).collect(),
            arm: places.iter().filter_map(side).collect(),
            sites: self.sites(&places),
            covariates: names.into_iter().enumerate().map(column).collect(),
        }
    }
}

/// What an estimator gets of the sampled outcome of a workspace.
fn handed_fit(
    workspace: &Workspace,
    (protocol, state): (&Protocol, &State),
    analysis: &Analysis,
    treated: Arm,
    beside: Option<&str>,
) -> ReplicatedFit {
    let handed = workspace.handed(protocol, state, analysis, treated);
    let sites = workspace.sites(&handed.rows);
    let adjusts = analysis.entry();
    let adjusts = adjusts.is_some_and(|own| own.uses(estimation::Role::Covariates));
    let adjusts = adjusts && analysis.covariates.contains(&Covariate::Site);
    let weighed = handed.columns.weights.is_some();
    ReplicatedFit {
        sites,
        site_columns: adjusts.then(|| usize::from(workspace.groups.number().saturating_sub(1))),
        site_stratum: analysis.strata.contains(&Factor::Site),
        unknown: weighed.then(|| {
            let ground = (protocol, state);
            workspace.unknown_of(ground, analysis, (treated, &handed.rows))
        }),
        beside: beside.map(str::to_owned),
        treated,
        how: How::Estimated,
        estimator: analysis.estimator.clone(),
        options: options(analysis),
        columns: handed.columns,
        family: handed.rows.iter().map(|row| row + 1).collect(),
        drawn: Vec::new(),
        resamples: Vec::new(),
        known: Vec::new(),
    }
}
