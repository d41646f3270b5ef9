//! From the families of a lock to the columns of an estimator: what its entry asks for, and nothing else.
//!
//! Linear models have a way of their own in `workspace`, which builds no columns. Days are those of `study::course`.
//! Several reports of a family on one day are kept apart by 1/1024 of a day, the last of them at the whole day: no other
//! family enters or leaves in between, so that every mean count is what it would be at the whole day.

use super::covariates::FixedColumns;
use super::workspace::{Workspace, is_out, labels};
use crate::allocation::Arm;
use crate::estimation::known_weights::{KnownWeights, known_weights};
use crate::estimation::{self, Arm as Side, Columns, Factor, Settings, Warning};
use crate::protocol::Protocol;
use crate::protocol::model::{
    Analysis, Average, Covariate, Day, Factor as Drawn, Hands, Missing, OutcomeKind, Summary,
};
use crate::study::course::{Course, course_of};
use crate::study::dataset::{End, Read, Unit};
use crate::study::kernel::State;
use crate::study::uptake::received;
use crate::words;

/// The part of a day between two reports of a family on the same one.
const APART: f64 = 1.0 / 1024.0;

/// What was seen of the sampled families, day by day.
#[derive(Debug, Default)]
pub(super) struct Courses {
    follow: Vec<Course>,
    /// Days of events, family after family.
    days: Vec<f64>,
    /// Where the days of each family end.
    ends: Vec<usize>,
}

impl Courses {
    fn clear(&mut self) {
        self.follow.clear();
        self.days.clear();
        self.ends.clear();
    }

    /// The time to the first event of a family, or to the end of its follow-up, and whether it was the event.
    pub(super) fn first(&self, place: usize) -> (f64, bool) {
        let (course, days) = self.of(place);
        let first = days.first().copied();
        (first.unwrap_or(course.days), first.is_some())
    }

    fn of(&self, place: usize) -> (Course, &[f64]) {
        let from = place.checked_sub(1).map_or(0, |before| self.ends[before]);
        (self.follow[place], &self.days[from..self.ends[place]])
    }
}

/// Columns with what a reader must know of them.
#[derive(Debug)]
pub(super) struct Handed {
    pub(super) columns: Columns,
    /// Row of the lock of every row of the columns.
    pub(super) rows: Vec<usize>,
    pub(super) warnings: Vec<Warning>,
}

impl Workspace {
    /// Reads the course of every family of the lock; each counts as long as it was followed.
    pub(super) fn sample_courses(
        &mut self,
        (protocol, state, cut): (&Protocol, &State, Day),
        analysis: &Analysis,
    ) {
        let first = analysis.hands() == Hands::FirstTimes;
        self.courses.clear();
        let mut days = Vec::new();
        let kind = &protocol.outcomes[analysis.outcome].kind;
        let list = self.reports.read(state, &self.units, kind);
        for (row, (unit, ends)) in self.units.iter().zip(&self.ends).enumerate() {
            if is_out(&self.left_out, row) {
                continue;
            }
            let Some(seen) = self.seen.get_mut(unit.arm.index()) else {
                continue;
            };
            let read = Read {
                family: unit.family,
                ends: *ends,
                reports: self.reports.of(list, row),
            };
            let outcome = analysis.outcome;
            let Some(own) = course_of(protocol, state, cut, read, outcome, &mut days) else {
                continue;
            };
            if first {
                days.truncate(1);
            }
            seen.randomized += 1;
            seen.analysed += 1;
            let ended = first && !days.is_empty();
            if !ended && matches!(own.end, End::Censored | End::Cut) {
                seen.by_rule += 1;
            }
            seen.sum += days.len() as f64;
            self.rows.push(row as u32);
            self.y.push(days.len() as f64);
            self.courses.follow.push(own);
            self.courses.days.extend(&days);
            self.courses.ends.push(self.courses.days.len());
        }
    }

    /// The columns of the sampled outcome for one treated arm against control.
    pub(super) fn handed(
        &self,
        protocol: &Protocol,
        state: &State,
        analysis: &Analysis,
        treated: Arm,
    ) -> Handed {
        let mut columns = Columns {
            labels: labels(protocol, treated),
            ..Columns::default()
        };
        let mut warnings = Vec::new();
        let side = |row: usize| self.side(protocol, treated, row);
        let sampled = self.rows.iter().map(|row| *row as usize).enumerate();
        let sampled = sampled.filter_map(|(place, row)| Some((place, row, side(row)?)));
        // Row of the lock of every row of the columns.
        let mut rows: Vec<usize> = Vec::with_capacity(self.rows.len());
        columns.arm.reserve(self.rows.len());
        columns.outcome.reserve(self.rows.len());
        match analysis.hands() {
            Hands::Values => {
                for (place, row, side) in sampled {
                    rows.push(row);
                    columns.arm.push(side);
                    columns.outcome.push(Some(self.y[place]));
                }
                if analysis.missing == Missing::Bounds {
                    self.unknown_rows(protocol, analysis, treated, &mut columns, &mut rows);
                }
            }
            Hands::Rates => {
                let kind = &protocol.outcomes[analysis.outcome].kind;
                let mut exposure = Vec::with_capacity(self.rows.len());
                let mut never = [0; 2];
                for (place, row, side) in sampled {
                    let (course, _) = self.courses.of(place);
                    if !course.is_followed(kind) {
                        never[side.index()] += 1;
                        continue;
                    }
                    rows.push(row);
                    columns.arm.push(side);
                    columns.outcome.push(Some(self.y[place]));
                    exposure.push(Some(course.days));
                }
                columns.exposure = Some(exposure);
                warnings.extend(never_followed(&columns.labels, never));
            }
            Hands::FirstTimes => {
                let codes = analysis.entry().and_then(|entry| entry.events);
                let competes = codes == Some(estimation::EventCodes::Several);
                let (mut time, mut event, mut terminal) = (Vec::new(), Vec::new(), 0);
                for (place, row, side) in sampled {
                    let (course, days) = self.courses.of(place);
                    rows.push(row);
                    columns.arm.push(side);
                    time.push(Some(self.courses.first(place).0));
                    let ended = days.is_empty() && course.end == End::Terminal;
                    terminal += usize::from(ended && !competes);
                    event.push(Some(match days {
                        [] if ended && competes => 2,
                        [] => 0,
                        _ => 1,
                    }));
                }
                (columns.time, columns.event) = (Some(time), Some(event));
                warnings.extend(as_censored(terminal));
            }
            Hands::Histories => {
                let sampled: Vec<_> = sampled.collect();
                self.histories(&sampled, &mut columns, &mut rows);
            }
        }
        self.baseline_columns(protocol, state, analysis, &rows, &mut columns);
        if analysis.children == Some(Average::Child) {
            columns.cluster = Some(Self::family_clusters(&rows));
        }
        if let Some(how) = analysis.clusters {
            let (factor, told) = self.clusters(protocol, state, (treated, &rows), how);
            columns.cluster = Some(factor);
            warnings.extend(told);
        }
        if let Some(how) = analysis.received {
            let got = |row: &usize| {
                let family = self.units[*row].family;
                f64::from(u8::from(received(state, self.cut, family, treated, how)))
            };
            columns.received = Some(rows.iter().map(|row| Some(got(row))).collect());
        }
        if analysis.missing == Missing::CensoringWeights && !self.unknown.is_empty() {
            let (found, _) = self.known_weights(protocol, state, analysis, (treated, &rows));
            columns.weights = Some(found.weights.into_iter().map(Some).collect());
        }
        Handed {
            columns,
            rows,
            warnings,
        }
    }

    /// The options of an analysis, with checks of its assumptions where somebody reads the rows.
    pub(super) fn settings_of(&self, analysis: &Analysis) -> Settings {
        Settings {
            checks: self.checks,
            ..Self::settings(analysis)
        }
    }

    /// The options of an analysis for its estimator.
    pub(crate) fn settings(analysis: &Analysis) -> Settings {
        let ranged = analysis.entry().is_some_and(|entry| entry.options.range);
        Settings {
            level: 1.0 - analysis.alpha,
            range: analysis.options.range.filter(|_| ranged),
            ..analysis.options
        }
    }

    pub(super) fn side(&self, protocol: &Protocol, treated: Arm, row: usize) -> Option<Side> {
        let arm = self.units[row].arm;
        if arm == treated {
            Some(Side::Treated)
        } else if arm == protocol.control {
            Some(Side::Control)
        } else {
            None
        }
    }

    /// Families whose outcome is not known. One with an event before its follow-up ended has the event, for worst-case
    /// bounds; trimmed bounds compare shares of families that were followed alike.
    fn unknown_rows(
        &self,
        protocol: &Protocol,
        analysis: &Analysis,
        treated: Arm,
        columns: &mut Columns,
        rows: &mut Vec<usize>,
    ) {
        let settled = settles(protocol, analysis) && analysis.estimator == "manski-bounds";
        for (row, seen) in &self.unknown {
            let row = *row as usize;
            let Some(side) = self.side(protocol, treated, row) else {
                continue;
            };
            rows.push(row);
            columns.arm.push(side);
            columns
                .outcome
                .push(seen.filter(|seen| settled && *seen > 0.0));
        }
    }

    /// A row for every event of a family, and one to the end of its follow-up.
    fn histories(
        &self,
        sampled: &[(usize, usize, Side)],
        columns: &mut Columns,
        rows: &mut Vec<usize>,
    ) {
        let (mut entry, mut time, mut event) = (Vec::new(), Vec::new(), Vec::new());
        let mut codes = Vec::new();
        for (number, (place, row, side)) in sampled.iter().enumerate() {
            let (course, days) = self.courses.of(*place);
            let mut from = 0.0;
            let mut push = |to: f64, code: u32| {
                rows.push(*row);
                columns.arm.push(*side);
                codes.push(Some(number as u32));
                entry.push(Some(from));
                time.push(Some(to));
                event.push(Some(code));
                from = to;
            };
            for (index, day) in days.iter().enumerate() {
                let later = days[index + 1..].iter();
                let later = later.take_while(|other| **other <= *day).count();
                push(*day - later as f64 * APART, 1);
            }
            let terminal = course.end == End::Terminal;
            push(end_of_history(course), if terminal { 2 } else { 0 });
        }
        columns.id = Some(Factor {
            name: "family".to_owned(),
            levels: (0..sampled.len()).map(|n| format!("{n:08}")).collect(),
            codes,
        });
        columns.entry = Some(entry);
        columns.time = Some(time);
        columns.event = Some(event);
    }

    /// Covariates and strata, where the estimator takes them.
    fn baseline_columns(
        &self,
        protocol: &Protocol,
        state: &State,
        analysis: &Analysis,
        rows: &[usize],
        columns: &mut Columns,
    ) {
        let takes = |role| analysis.entry().is_some_and(|entry| entry.uses(role));
        if takes(estimation::Role::Covariates) {
            let (names, values) = self.adjusting(protocol, state, &analysis.covariates, rows);
            let values = values.chunks_exact(rows.len().max(1));
            columns.covariates = names
                .into_iter()
                .zip(values)
                .map(|(name, values)| {
                    let values = values.iter().copied().map(Some).collect();
                    estimation::Covariate::numeric(name, values)
                })
                .collect();
        }
        for factor in &analysis.strata {
            columns
                .strata
                .push(self.stratum(protocol, state, *factor, rows));
        }
    }

    /// The realized covariates as columns of numbers with their names, a value per row.
    pub(super) fn adjusting(
        &self,
        protocol: &Protocol,
        state: &State,
        covariates: &[Covariate],
        rows: &[usize],
    ) -> (Vec<String>, Vec<f64>) {
        let mut names = Vec::new();
        if covariates.contains(&Covariate::Site) {
            let groups = (1..self.groups.number()).map(|group| self.groups.name(protocol, group));
            names.extend(groups.map(|group| format!("site={group}")));
        }
        let mut fixed = FixedColumns::default();
        fixed.realize(protocol, state, covariates, &self.units);
        names.extend(fixed.names(protocol));
        let values = self.adjusting_values(protocol, state, covariates, rows);
        (names, values)
    }

    /// The realized covariates without their names.
    pub(super) fn adjusting_values(
        &self,
        protocol: &Protocol,
        state: &State,
        covariates: &[Covariate],
        rows: &[usize],
    ) -> Vec<f64> {
        let units = || rows.iter().map(|row| &self.units[*row]);
        let mut values = Vec::new();
        if covariates.contains(&Covariate::Site) {
            let sites = units().map(|unit| unit.site as u16);
            self.groups.indicators(&sites, &mut values);
        }
        let mut fixed = FixedColumns::default();
        fixed.realize(protocol, state, covariates, &self.units);
        fixed.fill(state, &units(), &mut values);
        values
    }

    /// A stratification factor as the families were drawn, small sites merged as for covariates.
    fn stratum(&self, protocol: &Protocol, state: &State, factor: Drawn, rows: &[usize]) -> Factor {
        let (name, texts): (&str, Vec<String>) = match factor {
            Drawn::Site => (
                "site",
                (0..protocol.sites.len())
                    .map(|site| match self.groups.of(site) {
                        Some(group) => self.groups.name(protocol, group),
                        None => protocol.sites[site].id.clone(),
                    })
                    .collect(),
            ),
            Drawn::Field(field) => (
                &protocol.fields[field].id,
                (0..protocol.factor_levels(factor))
                    .map(|level| protocol.level_text(factor, level))
                    .collect(),
            ),
        };
        let level = |unit: &Unit| {
            let own = state.family(unit.family)?;
            let level = protocol.level(factor, unit.site, &own.values);
            texts.get(level).map(String::as_str)
        };
        Factor::from_texts(name, rows.iter().map(|row| level(&self.units[*row])))
    }

    /// Weights of rows of the lock, whose outcomes are known, for those of their arm whose outcome is not; and the number of
    /// columns that there are.
    pub(super) fn known_weights(
        &self,
        protocol: &Protocol,
        state: &State,
        analysis: &Analysis,
        (treated, rows): (Arm, &[usize]),
    ) -> (KnownWeights, usize) {
        let known: Vec<u32> = rows.iter().map(|row| *row as u32).collect();
        let all = self.with_unknown(protocol, treated, &known);
        let places: Vec<usize> = all.iter().map(|row| *row as usize).collect();
        let values = self.adjusting_values(protocol, state, &analysis.covariates, &places);
        let full = values.len() / all.len().max(1);
        let found = self.weights(protocol, treated, (&all, rows.len()), &values);
        (found, full)
    }

    /// Rows of the lock whose outcomes are known, then those of the same arms whose outcome is not.
    pub(super) fn with_unknown(
        &self,
        protocol: &Protocol,
        treated: Arm,
        known: &[u32],
    ) -> Vec<u32> {
        let unknown = self.unknown.iter().map(|(row, _)| *row);
        let mut all = known.to_vec();
        all.extend(unknown.filter(|row| self.side(protocol, treated, *row as usize).is_some()));
        all
    }

    /// Weights of the first `known` of some rows for the others, given columns of all of them.
    pub(super) fn weights(
        &self,
        protocol: &Protocol,
        treated: Arm,
        (all, known): (&[u32], usize),
        values: &[f64],
    ) -> KnownWeights {
        let side = |row: &u32| self.side(protocol, treated, *row as usize);
        let arm: Vec<Side> = all.iter().filter_map(side).collect();
        let known: Vec<bool> = (0..all.len()).map(|row| row < known).collect();
        known_weights(&arm, &known, values)
    }
}

/// Where the history of a family ends: half a day after its last day, and of one that was not followed on the first day before
/// the reports of that day, since at an event those are at risk whose history does not end before it.
fn end_of_history(course: Course) -> f64 {
    course.days + if course.days < 1.0 { 0.25 } else { 0.5 }
}

/// Whether an event that was seen before follow-up ended settles the outcome.
pub(super) fn settles(protocol: &Protocol, analysis: &Analysis) -> bool {
    match (analysis.summary, &protocol.outcomes[analysis.outcome].kind) {
        (Summary::Any, _) | (Summary::Value, OutcomeKind::Binary { .. }) => true,
        (Summary::Count | Summary::FirstTime | Summary::Value, _) => false,
    }
}

/// Families that a rate has no time of; control, treated.
fn never_followed(labels: &estimation::Labels, [control, treated]: [usize; 2]) -> Option<Warning> {
    let (t, c) = (&labels.treated, &labels.control);
    (control + treated > 0).then(|| {
        Warning::new(
            "never-followed",
            words!(
                "families whose follow-up ended before the window began have no time in it and are left out of the rates: {treated} in {t}, {control} in {c}",
                "familjer vars uppföljning slutade innan fönstret började har ingen tid i det och utelämnas ur takterna: {treated} i {t}, {control} i {c}"
            ),
        )
    })
}

fn as_censored(families: usize) -> Option<Warning> {
    (families > 0).then(|| {
        Warning::new(
            "terminal-as-censoring",
            words!(
                "for {families} families follow-up ended with a terminal exit, which this estimator takes for an end of follow-up like any other; `cumulative-incidence` and `fine-gray` keep the two apart",
                "för {families} familjer slutade uppföljningen med ett slutligt avslut, som den här skattningsmetoden tar för ett slut på uppföljningen som andra; `cumulative-incidence` och `fine-gray` håller isär dem"
            ),
        )
    })
}
