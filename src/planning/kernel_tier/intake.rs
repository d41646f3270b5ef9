//! Who comes when and where, until enrolment ends: the ledger's order, without the days in between.

use super::walk::Words;
use crate::numerics::stream::open_unit_of;
use crate::planning::arrivals::{ARRIVAL, Keys, open_days};
use crate::planning::scenario::Cell;
use crate::planning::world::World;

/// Part of the expected length of enrolment that is drawn before one looks how many have come.
const FIRST: f64 = 0.9;

/// The families of one site.
#[derive(Debug, Default)]
struct Queue {
    words: Words,
    rate: f64,
    /// Open days passed.
    clock: f64,
    /// Day of the next arrival, counted from the first opening; `i32::MAX` after the last.
    next: i32,
    /// Day and word of the risk of each family that has come.
    came: Vec<(i32, u64)>,
}

impl Queue {
    /// Moves to the next arrival by the word of its gap.
    fn advance(&mut self, gap: u64, open_days: &[i32]) {
        self.clock += -libm::log(open_unit_of(gap)) / self.rate;
        let day = open_days.get(self.clock as usize);
        self.next = day.copied().unwrap_or(i32::MAX);
    }

    /// Takes all families that come until a day.
    fn until(&mut self, day: i32, width: usize, open_days: &[i32]) {
        while self.next <= day {
            let words = self.words.some(width);
            let (risk, gap) = (words[0], words[width - 1]);
            self.came.push((self.next, risk));
            self.advance(gap, open_days);
        }
    }
}

/// The families of one study in the order in which they are randomized.
#[derive(Debug)]
pub(super) struct Intake<'c> {
    world: &'c World,
    /// Families after which enrolment ends.
    stop: usize,
    /// Open days of each site, counted from the first opening.
    open_days: Vec<Vec<i32>>,
    /// Last day on which families can come, counted so too.
    last: i32,
    /// Words of a family in its site's stream.
    width: usize,
    queues: Vec<Queue>,
    /// Families that came before each day, and in all.
    before: Vec<u32>,
    next: Vec<u32>,
    /// Site of each family, in the order of the ledger.
    pub(super) sites: Vec<u16>,
    /// Word of its risk.
    pub(super) risks: Vec<u64>,
    /// Last day of enrolment: of the family that was refused, or the last one that was planned.
    pub(super) ended: i32,
}

impl<'c> Intake<'c> {
    pub(super) fn new(cell: &'c Cell) -> Self {
        let (protocol, world) = (&cell.protocol, &cell.scenario.world);
        let (open_days, last) = open_days(world, protocol);
        let sites = open_days.len();
        Self {
            world,
            stop: protocol
                .sample_size
                .stop_families
                .map_or(usize::MAX, |families| families as usize),
            open_days,
            last: last.since(protocol.first_opening()),
            width: ARRIVAL + world.family.fields.len(),
            queues: (0..sites).map(|_| Queue::default()).collect(),
            before: Vec::new(),
            next: Vec::new(),
            sites: Vec::new(),
            risks: Vec::new(),
            ended: 0,
        }
    }

    /// Lets the families of a replicate come.
    pub(super) fn take(&mut self, keys: &Keys, replicate: u64) {
        let mut rates = keys.rates_of(replicate);
        let mut all = 0.0;
        for (site, queue) in self.queues.iter_mut().enumerate() {
            queue.words.begin(keys.families_at(replicate, site), 1);
            queue.rate = self.world.rate(&mut rates, site);
            all += queue.rate;
            queue.clock = 0.0;
            queue.came.clear();
            let gap = queue.words.next();
            queue.advance(gap, &self.open_days[site]);
        }
        let (came, until) = self.fill(all);
        self.order(came, until);
    }

    /// Takes families day by day until one more than are wanted has come; their number and the day.
    fn fill(&mut self, rate: f64) -> (usize, i32) {
        let expected = FIRST * self.stop as f64 / rate;
        let mut day = expected.clamp(0.0, f64::from(self.last)) as i32;
        loop {
            let mut came = 0;
            for (queue, open_days) in self.queues.iter_mut().zip(&self.open_days) {
                queue.until(day, self.width, open_days);
                came += queue.came.len();
            }
            if came > self.stop || day >= self.last {
                return (came, day);
            }
            let missing = (self.stop - came + 1) as f64 / rate;
            let more = missing.ceil().clamp(1.0, f64::from(self.last)) as i32;
            day = day.saturating_add(more).min(self.last);
        }
    }

    /// Puts the families in order of day, site and arrival.
    fn order(&mut self, came: usize, until: i32) {
        let days = until.max(0) as usize + 1;
        self.before.clear();
        self.before.resize(days + 1, 0);
        for queue in &self.queues {
            for (day, _) in &queue.came {
                self.before[*day as usize + 1] += 1;
            }
        }
        let mut sum = 0;
        for families in &mut self.before {
            sum += *families;
            *families = sum;
        }
        let stop = self.stop;
        let refused = self
            .before
            .partition_point(|families| *families as usize <= stop);
        self.ended = if came > stop {
            refused as i32 - 1
        } else {
            self.last
        };
        let families = came.min(stop);
        self.next.clone_from(&self.before);
        self.sites.resize(families, 0);
        self.risks.resize(families, 0);
        for (site, queue) in self.queues.iter().enumerate() {
            for (day, risk) in &queue.came {
                let next = &mut self.next[*day as usize];
                let place = *next as usize;
                *next += 1;
                if place >= families {
                    break;
                }
                self.sites[place] = site as u16;
                self.risks[place] = *risk;
            }
        }
    }

    /// Families randomized until a day, counted from the first opening.
    pub(super) fn reached(&self, day: i32) -> u32 {
        let last = self.before.len().saturating_sub(1);
        let place = usize::try_from(day.saturating_add(1))
            .unwrap_or(0)
            .min(last);
        self.before[place].min(self.sites.len() as u32)
    }

    /// Last day on which families can come, counted from the first opening.
    pub(super) fn last(&self) -> i32 {
        self.last
    }

    /// How many words of each site's stream the last replicate had.
    pub(super) fn made(&self) -> impl Iterator<Item = usize> {
        self.queues.iter().map(|queue| queue.words.made())
    }
}
