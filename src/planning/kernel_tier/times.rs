//! The time to the first report, in every family of two arms: log-rank tests at looks and locks, and Cox models, without
//! the days in between.

use super::Numbers;
use super::first_reports::{CountByWord, FirstReports};
use super::guesses::Guesses;
use super::intake::Intake;
use super::sweep::{Members, Strata};
use super::times_domain::{counts, date};
use super::walk::{Lists, Words as Stream};
use crate::allocation::{Arm as Drawn, DesignTable, Guesser};
use crate::analysis::looks::weight;
use crate::analysis::{Effect, Plan, Workspace};
use crate::estimation::arm_likelihood::ArmLikelihood;
use crate::estimation::group_sequential::Look;
use crate::estimation::linear_model::Inference;
use crate::estimation::{Arm, Columns, Factor, Interval, Settings, Ties, Variance, estimate};
use crate::numerics::stream;
use crate::planning::analyst::numbers;
use crate::planning::arrivals::{Keys, NEAR, outcomes_block};
use crate::planning::calendar::Months;
use crate::planning::locking::days;
use crate::planning::monitor::Monitor;
use crate::planning::record::{AnalysisRecord, Found, Record};
use crate::planning::scenario::Cell;
use crate::protocol::Protocol;
use crate::protocol::model::{Analysis, Day};

/// An analysis as this path needs it.
#[derive(Debug)]
struct Analysed {
    /// Place of its strata.
    strata: usize,
    /// Its cut, counted from the first opening.
    cut: i32,
    model: Model,
}

/// How an analysis is made.
#[derive(Debug)]
enum Model {
    LogRank,
    /// A Cox model whose variance is that of the model: counts settle it.
    Counted(Ties, Inference),
    /// Any other Cox model, from its rows.
    Rows(Box<Settings>),
}

impl Model {
    fn of(analysis: &Analysis) -> Option<Self> {
        if analysis.estimator != "cox" {
            return Some(Self::LogRank);
        }
        let settings = Workspace::settings(analysis);
        let plain = matches!(settings.variance, None | Some(Variance::Model))
            && settings.interval != Some(Interval::Profile);
        Some(if plain {
            let inference = Inference::new(Variance::Model, None, settings.level).ok()?;
            Self::Counted(settings.ties.unwrap_or(Ties::Efron), inference)
        } else {
            Self::Rows(Box::new(settings))
        })
    }
}

/// Families in the order of the ledger: places, and what [`Members`] has of them.
#[derive(Debug, Default)]
struct Ledger {
    places: Vec<u32>,
    origins: Vec<i32>,
    reports: Vec<i32>,
}

impl Ledger {
    /// Puts every family in its place.
    fn put<'f>(&mut self, families: impl ExactSizeIterator<Item = (&'f u32, (&'f i32, &'f i32))>) {
        let number = families.len();
        self.places.clear();
        self.places.extend(0..number as u32);
        self.origins.resize(number, 0);
        self.reports.resize(number, 0);
        for (place, (origin, report)) in families {
            let place = *place as usize;
            (self.origins[place], self.reports[place]) = (*origin, *report);
        }
    }

    fn members<'l>(&'l self, sides: &'l [u8]) -> Members<'l> {
        Members {
            places: &self.places,
            origins: &self.origins,
            reports: &self.reports,
            sides,
        }
    }
}

/// What somebody who guesses the arms has seen.
#[derive(Debug, Clone, Copy)]
struct Guessed {
    share: Option<f64>,
    imbalance: f64,
}

/// The path.
#[derive(Debug)]
pub(super) struct Times<'c> {
    protocol: &'c Protocol,
    keys: Keys,
    intake: Intake<'c>,
    lists: Lists,
    treated: u8,
    counts: [CountByWord; 2],
    /// First day of the window, and its length.
    window: (i32, i32),
    first: Day,
    /// Last days of the calendar months, counted from the first opening.
    months: Vec<i32>,
    analyses: Vec<Analysed>,
    monitor: Option<Monitor>,
    /// Days of the looks, counted so too.
    looks: Vec<i32>,
    /// Sites in the order of their ids, and the place of each there.
    by_id: Vec<usize>,
    ranks: Vec<u32>,
    arms: Stream,
    guesses: Guesses,
    guessed: Vec<Guessed>,
    /// Site and arm of each family, in the order of the ledger; with treated 1.
    sites: Vec<u16>,
    arm_of: Vec<u8>,
    /// The families in that order, where an analysis asks for them.
    ledger: Ledger,
    in_order: bool,
    /// Of each family, one site after the other: its place in the ledger, the day before the first of its window, the word
    /// of its risk, how many more reports it would have under treatment than under control, arm, and day of the first
    /// report. And where each site ends.
    places: Vec<u32>,
    origins: Vec<i32>,
    risks: Vec<u64>,
    more: Vec<i32>,
    sides: Vec<u8>,
    days: Vec<i32>,
    ends: Vec<usize>,
    reports: FirstReports,
    /// One stratum, and one for each site.
    strata: [Strata; 2],
    likelihood: ArmLikelihood,
    columns: Columns,
}

impl<'c> Times<'c> {
    /// For a cell of the domain.
    pub(super) fn new(cell: &'c Cell, seed: u64) -> Option<Self> {
        let (protocol, scenario) = (&cell.protocol, &cell.scenario);
        let world = &scenario.world;
        let allocation = &protocol.allocation;
        let table = DesignTable::of(&*allocation.design)?;
        let list = |site| protocol.stratum(site, &[]) as u32;
        let lists = Lists::new(table, (0..protocol.sites.len()).map(list).collect());
        let first = protocol.first_opening();
        let intake = Intake::new(cell);
        let months = Months::new(first, first.plus(intake.last()));
        let mut analyses = Vec::new();
        for index in &scenario.analyses {
            let own = &protocol.analyses[*index];
            analyses.push(Analysed {
                strata: usize::from(!own.strata.is_empty()),
                cut: date(protocol, own.lock)?.since(first),
                model: Model::of(own)?,
            });
        }
        let monitor = Monitor::of(protocol, &scenario.analyses);
        let looks = monitor.as_ref().map_or(&[][..], Monitor::looks);
        let looks = looks
            .iter()
            .map(|look| Some(date(protocol, *look)?.since(first)));
        let looks = looks.collect::<Option<Vec<i32>>>()?;
        let mut by_id: Vec<usize> = (0..protocol.sites.len()).collect();
        by_id.sort_by_key(|site| &protocol.sites[*site].id);
        let mut ranks = vec![0; by_id.len()];
        for (site, rank) in by_id.iter().zip(0..) {
            ranks[*site] = rank;
        }
        let levels = by_id.iter().map(|site| protocol.sites[*site].id.clone());
        let columns = Columns {
            strata: vec![Factor {
                name: "site".to_owned(),
                levels: levels.collect(),
                codes: Vec::new(),
            }],
            time: Some(Vec::new()),
            event: Some(Vec::new()),
            ..Columns::default()
        };
        let rows = |own: &Analysed| matches!(own.model, Model::Rows(_)) || own.strata == 0;
        let in_order = analyses.iter().any(rows);
        let guesser = Guesser::new(&*allocation.design, &allocation.ratio).ok();
        Some(Self {
            protocol,
            keys: Keys::new(seed, cell.group()),
            guesses: Guesses::new(guesser, lists.len()),
            guessed: Vec::new(),
            lists,
            treated: world.treated.0,
            counts: counts(world)?,
            window: (world.window.0, world.window.1 - world.window.0 + 1),
            months: months.ends.iter().map(|end| end.since(first)).collect(),
            first,
            analyses,
            monitor,
            looks,
            by_id,
            ranks,
            arms: Stream::default(),
            sites: Vec::new(),
            arm_of: Vec::new(),
            ledger: Ledger::default(),
            in_order,
            places: Vec::new(),
            origins: Vec::new(),
            risks: Vec::new(),
            more: Vec::new(),
            sides: Vec::new(),
            days: Vec::new(),
            ends: Vec::new(),
            reports: FirstReports::default(),
            strata: [Strata::default(), Strata::default()],
            likelihood: ArmLikelihood::default(),
            columns,
            intake,
        })
    }

    /// One study; `None` where it is left to the whole machine: nobody came, an arm or all events are missing at a look or
    /// a test, or small sites are merged.
    pub(super) fn study(&mut self, replicate: u64) -> Option<Record> {
        self.intake.take(&self.keys, replicate);
        self.enrol();
        self.allocate(replicate);
        self.follow(replicate)?;
        let (stopped, families, ended) = self.watch()?;
        let mut analyses = Vec::with_capacity(self.analyses.len());
        let truth = self.more_reports(families) as f64 / families as f64;
        let monitored = self.monitor.as_ref().map(|own| own.place);
        for place in 0..self.analyses.len() {
            let (found, looked) = if Some(place) == monitored {
                let last = if stopped.is_some() {
                    Err("no-rows")
                } else {
                    Ok(self.weighed(place, self.analyses[place].cut, families)?)
                };
                let days = self.days(self.analyses[place].cut);
                let monitor = self.monitor.as_mut()?;
                let (found, looked) = monitor.finish(self.protocol, days, last, NO_TEST);
                (found, Some(looked))
            } else {
                (self.analyse(place, families)?, None)
            };
            analyses.push(AnalysisRecord {
                truth,
                found,
                joint: None,
                under_null: None,
                looked,
            });
        }
        let guessed = self.guessed[stopped.unwrap_or(self.looks.len())];
        let reached = self.months.iter().map(|end| self.intake.reached(*end));
        Some(Record {
            families: families as u32,
            screened: families as u32,
            turned_away: 0,
            lost: 0,
            enrolment_days: (ended + 1).max(0) as u32,
            days_closed: 0,
            replacements: 0,
            correct_guess_share: guessed.share,
            imbalance: guessed.imbalance,
            drawn: None,
            reached: reached.map(|own| own.min(families as u32)).collect(),
            analyses,
        })
    }

    /// Puts the families in the order of the ledger.
    fn enrol(&mut self) {
        let families = self.intake.families;
        self.sites.resize(families, 0);
        self.places.resize(families, 0);
        self.origins.resize(families, 0);
        self.risks.resize(families, 0);
        self.ends.clear();
        self.intake.place();
        let mut number = 0;
        for site in 0..self.by_id.len() {
            let origins = self.origins[number..].iter_mut();
            let own = origins.zip(&mut self.places[number..]);
            let own = own.zip(&mut self.risks[number..]);
            let mut came = 0;
            for ((at, day, word), ((origin, place), risk)) in self.intake.of_site(site).zip(own) {
                *origin = day + self.window.0 - 1;
                (*place, *risk) = (at as u32, word);
                self.sites[at] = site as u16;
                came += 1;
            }
            number += came;
            self.ends.push(number);
        }
    }

    /// How many more reports the first families of the ledger would have under treatment than under control.
    fn more_reports(&self, families: usize) -> i64 {
        let own = self.more.iter().zip(&self.places);
        let of = |(more, place): (&i32, &u32)| {
            i64::from(*more) * i64::from((*place as usize) < families)
        };
        own.map(of).sum()
    }

    /// Draws the arms, and looks at what a guesser knows at every look and at the end.
    fn allocate(&mut self, replicate: u64) {
        let families = self.intake.families;
        let numbers = stream::replicate(&self.keys.arms, replicate);
        self.arms.begin(numbers, families);
        self.arm_of.resize(families, 0);
        self.guesses.restart();
        self.guessed.clear();
        self.lists.begin();
        let mut from = 0;
        for look in 0..=self.looks.len() {
            let day = self.looks.get(look);
            let until = day.map_or(families, |day| self.intake.reached(*day) as usize);
            let own = &mut self.arm_of[from..until];
            let (guesses, treated) = (&mut self.guesses, self.treated);
            let each = |place: usize, (_, list): (usize, usize), weights, arm: Drawn| {
                if let Some(own) = own.get_mut(place) {
                    *own = u8::from(arm.0 == treated);
                }
                guesses.see(list, arm, weights);
            };
            self.lists
                .go_on(&self.sites[from..until], &mut self.arms, each);
            from = until;
            self.guessed.push(Guessed {
                share: self.guesses.correct_share(until),
                imbalance: self.guesses.imbalance(),
            });
        }
    }

    /// Draws the days of the first reports, and puts them in order.
    fn follow(&mut self, replicate: u64) -> Option<()> {
        let families = self.places.len();
        self.reports.begin(families);
        self.more.resize(families, 0);
        self.sides.resize(families, 0);
        let mut most = 0;
        let mut from = 0;
        for (site, end) in self.ends.iter().enumerate() {
            let own = self.places[from..*end].iter().zip(&self.risks[from..*end]);
            let into = self.more[from..*end].iter_mut();
            let into = into.zip(&mut self.sides[from..*end]);
            for (((place, risk), (more, side)), ordinal) in own.zip(into).zip(0..) {
                let [control, treated] = [self.counts[0].of(*risk), self.counts[1].of(*risk)];
                *more = treated as i32 - control as i32;
                *side = self.arm_of[*place as usize] & 1;
                let count = if *side == 1 { treated } else { control };
                most = most.max(control).max(treated);
                self.reports.add(
                    from + ordinal as usize,
                    outcomes_block(site, ordinal),
                    count,
                );
            }
            from = *end;
        }
        // Of more reports than that the numbers differ too.
        if most > NEAR || families == 0 {
            return None;
        }
        self.reports.draw(&self.keys, replicate);
        self.reports.days(self.window.1, &mut self.days);
        if self.in_order {
            let days = self.origins.iter().zip(&self.days);
            self.ledger.put(self.places.iter().zip(days));
        }
        let wanted = |which: usize| self.analyses.iter().any(|own| own.strata == which);
        let asked = [wanted(0), wanted(1)];
        self.strata.iter_mut().for_each(Strata::clear);
        let cuts = self.analyses.iter().map(|own| own.cut);
        let cuts = cuts.chain(self.looks.iter().copied());
        let within = (self.window.1, cuts.max().unwrap_or(0));
        if asked[0] {
            self.strata[0].add(self.ledger.members(&self.arm_of), within);
        }
        if asked[1] {
            for site in &self.by_id {
                let from = site.checked_sub(1).map_or(0, |before| self.ends[before]);
                let own = from..self.ends[*site];
                let members = Members {
                    places: &self.places[own.clone()],
                    origins: &self.origins[own.clone()],
                    reports: &self.days[own.clone()],
                    sides: &self.sides[own],
                };
                self.strata[1].add(members, within)?;
            }
        }
        Some(())
    }

    /// Holds the looks: which one has stopped the study, how many families it has, and the last day of enrolment.
    fn watch(&mut self) -> Option<(Option<usize>, usize, i32)> {
        let (families, ended) = (self.intake.families, self.intake.ended);
        let Some(monitor) = &mut self.monitor else {
            return Some((None, families, ended));
        };
        monitor.restart();
        let place = monitor.place;
        for look in 0..self.looks.len() {
            let day = self.looks[look];
            let found = self.weighed(place, day, families)?;
            let days = self.days(day);
            let monitor = self.monitor.as_mut()?;
            if monitor.hold(self.protocol, days, Some(found), NO_TEST) {
                let enrolled = if self.intake.is_full() {
                    ended
                } else {
                    self.intake.last_came()
                };
                let stopped = if day <= enrolled {
                    (Some(look), self.intake.reached(day) as usize, day)
                } else {
                    (Some(look), families, ended)
                };
                return Some(stopped);
            }
        }
        Some((None, families, ended))
    }

    /// Days from the first opening to a cut, both counted.
    fn days(&self, cut: i32) -> u32 {
        days(self.first, self.first.plus(cut))
    }

    /// The log-rank test of an analysis at a cut, of the first `families` at most.
    fn test(&mut self, place: usize, cut: i32, families: usize) -> Option<Effect> {
        let seen = families.min(self.intake.reached(cut) as usize);
        let strata = &mut self.strata[self.analyses[place].strata];
        strata.test(seen, cut)
    }

    /// The same as looks are weighed by.
    fn weighed(&mut self, place: usize, cut: i32, families: usize) -> Option<(Effect, Look)> {
        let effect = self.test(place, cut, families)?;
        Some((effect, weight(&effect)?))
    }

    fn analyse(&mut self, place: usize, families: usize) -> Option<Result<Found, &'static str>> {
        let Analysed {
            strata, cut, model, ..
        } = &self.analyses[place];
        let (strata, cut) = (*strata, *cut);
        let seen = families.min(self.intake.reached(cut) as usize);
        let own = &mut self.strata[strata];
        let effect = match model {
            Model::LogRank => Ok(own.test(seen, cut)?),
            Model::Counted(ties, inference) => {
                Ok(own.ratio(seen, cut, (*ties, inference), &mut self.likelihood)?)
            }
            Model::Rows(_) if !own.stand(seen, cut) => return None,
            Model::Rows(_) => {
                self.fill(strata, seen, cut);
                let Model::Rows(settings) = &self.analyses[place].model else {
                    return None;
                };
                estimate("cox", &self.columns, settings).and_then(|answer| Effect::of(&answer))
            }
        };
        Some(match effect {
            Ok(effect) => numbers(&effect),
            Err(error) => Err(error.code()),
        })
    }

    /// Fills the columns of the first `families` at a cut.
    fn fill(&mut self, strata: usize, families: usize, cut: i32) {
        let width = self.window.1;
        let columns = &mut self.columns;
        columns.arm.clear();
        let arm = |side: &u8| {
            if *side == 1 {
                Arm::Treated
            } else {
                Arm::Control
            }
        };
        columns.arm.extend(self.arm_of[..families].iter().map(arm));
        if let (Some(time), Some(event)) = (&mut columns.time, &mut columns.event) {
            time.clear();
            event.clear();
            let own = self.ledger.origins.iter().zip(&self.ledger.reports);
            for (origin, report) in own.take(families) {
                // Last day of the window that is seen, below 1 where none is.
                let followed = (cut - origin).min(width);
                // Follow-up that has not begun stands at half a day.
                time.push(Some(f64::from((*report).min(followed)).max(0.5)));
                event.push(Some(u32::from(*report <= followed)));
            }
        }
        let Some(factor) = columns.strata.first_mut() else {
            return;
        };
        let rank = |site: &u16| self.ranks[usize::from(*site)];
        factor.codes.clear();
        if strata == 1 {
            let codes = self.sites[..families].iter().map(|site| Some(rank(site)));
            factor.codes.extend(codes);
        } else {
            factor.codes.resize(families, Some(0));
        }
    }

    /// How many numbers the last study had.
    pub(super) fn numbers(&self) -> Numbers {
        Numbers {
            sites: self.intake.made().collect(),
            arms: self.arms.made(),
            outcomes: self.reports.made(),
            ..Numbers::default()
        }
    }

    /// The numbers of a study in bulk.
    pub(super) fn floor(&mut self, replicate: u64, numbers: &Numbers) -> u64 {
        let mut sum = 0;
        for (site, words) in numbers.sites.iter().enumerate() {
            self.arms
                .begin(self.keys.families_at(replicate, site), *words);
            sum ^= self.arms.last();
        }
        let arms = stream::replicate(&self.keys.arms, replicate);
        self.arms.begin(arms, numbers.arms);
        sum ^= self.arms.last();
        sum ^ FirstReports::floor(&self.keys, replicate, numbers.outcomes, &mut self.arms)
    }
}

/// A randomization test that decides against a limit.
type Redraw = fn(&Plan, f64) -> Result<f64, &'static str>;
/// None does.
const NO_TEST: Option<Redraw> = None;
