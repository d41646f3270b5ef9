//! Who comes when and where, until enrolment ends: the ledger's order, without the days in between.

use super::logarithm::minus_log;
use super::walk::Words;
use crate::numerics::stream::open_unit_of;
use crate::numerics::vector::{Wide, widest};
use crate::planning::arrivals::{ARRIVAL, Keys, open_days};
use crate::planning::scenario::Cell;
use crate::planning::world::World;
use rand_chacha::ChaCha8Rng;
use std::slice::{ChunksExact, Iter};

/// Part of the expected length of enrolment that is drawn before one looks how many have come.
const FIRST: f64 = 0.9;

/// A clock that is nearer to a whole day than this is added up again in the exact way. What the quick way gets wrong is
/// below 1e-13 of a mean gap for each family, and the rounding of the sum: together below a tenth of it for up to
/// [`QUICK`] families.
const MIDNIGHT: f64 = 1e-6;
/// Most families of a site for the quick way.
const QUICK: usize = 100_000;

/// Families whose waiting times are made side by side.
const SOME: usize = 64;

/// The families of one site.
#[derive(Debug, Default)]
struct Queue {
    /// The gap before the first family, and then so many words for each family, the last its gap to the next.
    words: Words,
    rate: f64,
    /// Open days until the last of `days`.
    clock: f64,
    /// Day of each arrival whose gap is made, counted from the first opening; `i32::MAX` after the last one that is planned.
    days: Vec<i32>,
    /// Families that have come; all words of theirs are made.
    came: usize,
}

impl Queue {
    fn begin(&mut self, numbers: ChaCha8Rng, expected: usize, width: usize, open_days: &[i32]) {
        self.words.begin(numbers, expected * width + 1);
        self.days.clear();
        self.came = 0;
        self.clock = 0.0;
        self.tell(width, open_days);
    }

    /// Tells the days of all arrivals whose gaps are made.
    fn tell(&mut self, width: usize, open_days: &[i32]) {
        let from = self.days.len();
        let number = self.words.made().div_ceil(width);
        self.days.resize(number.max(from), i32::MAX);
        self.clock = widest(Tell {
            words: self.words.all(),
            width,
            rate: self.rate,
            clock: self.clock,
            open_days,
            from,
            days: &mut self.days,
        });
    }

    /// Takes all families that come until a day.
    fn until(&mut self, day: i32, width: usize, open_days: &[i32]) {
        loop {
            let known = &self.days[self.came..];
            self.came += known.partition_point(|next| *next <= day);
            if self.came < self.days.len() {
                return;
            }
            // Whoever came last, and the gap to the next.
            self.words.make(self.came * width + 1);
            self.tell(width, open_days);
        }
    }

    /// The days of the families that have come, and the words of each, which begin with its risk.
    fn families(&self, width: usize) -> (Iter<'_, i32>, ChunksExact<'_, u64>) {
        let words = self.words.all().get(1..).unwrap_or_default();
        (self.arrivals().iter(), words.chunks_exact(width))
    }

    /// Days of the families that have come.
    fn arrivals(&self) -> &[i32] {
        self.days.get(..self.came).unwrap_or_default()
    }
}

/// The work of [`Queue::tell`]; gives the clock after the last arrival.
struct Tell<'t> {
    words: &'t [u64],
    width: usize,
    rate: f64,
    clock: f64,
    open_days: &'t [i32],
    /// The first arrival to tell.
    from: usize,
    days: &'t mut [i32],
}

impl Wide for Tell<'_> {
    type Output = f64;

    #[allow(
        clippy::inline_always,
        reason = "compiled anew for every width of registers"
    )]
    #[inline(always)]
    fn run(self) -> f64 {
        let scale = 1.0 / self.rate;
        let mut clock = self.clock;
        let mut number = self.from;
        let (mut words, mut clocks, mut whole) = ([0; SOME], [0.0; SOME], [0; SOME]);
        for days in self.days[self.from..].chunks_mut(SOME) {
            let until = number + days.len();
            for (word, place) in words.iter_mut().zip(number..until) {
                *word = self.words.get(place * self.width).copied().unwrap_or(0);
            }
            let clocks = &mut clocks[..days.len()];
            for (gap, word) in clocks.iter_mut().zip(&words) {
                *gap = minus_log(*word) * scale;
            }
            let before = clock;
            for own in &mut *clocks {
                clock += *own;
                *own = clock;
            }
            let mut midnight = 0;
            for (clock, whole) in clocks.iter().zip(&mut whole) {
                *whole = *clock as i32;
                midnight |= u64::from(is_midnight(*clock - f64::from(*whole)));
            }
            if midnight > 0 || until > QUICK {
                clock = exactly(self.words, self.width, self.rate, (number, before), clocks);
                for (clock, whole) in clocks.iter().zip(&mut whole) {
                    *whole = *clock as i32;
                }
            }
            for (day, whole) in days.iter_mut().zip(&whole) {
                let own = self.open_days.get(whole.unsigned_abs() as usize);
                *day = own.copied().unwrap_or(i32::MAX);
            }
            number = until;
        }
        clock
    }
}

/// The clock at some arrivals from one on, where one may be near midnight, and the last of them; `before` is the clock before.
#[cold]
fn exactly(
    words: &[u64],
    width: usize,
    rate: f64,
    (number, before): (usize, f64),
    clocks: &mut [f64],
) -> f64 {
    let gap = |word: &u64| -libm::log(open_unit_of(*word)) / rate;
    let all = || words.iter().step_by(width);
    let mut clock = before;
    for ((own, place), word) in clocks.iter_mut().zip(number..).zip(all().skip(number)) {
        let quick = clock + minus_log(*word) * (1.0 / rate);
        clock = if place > QUICK {
            clock + gap(word)
        } else if place == QUICK || is_midnight(quick - quick.floor()) {
            // One exact logarithm after the other, as `arrivals` adds them up.
            all()
                .take(place + 1)
                .fold(0.0, |clock, word| clock + gap(word))
        } else {
            quick
        };
        *own = clock;
    }
    clock
}

/// Whether a clock of the quick way, of which this is what is beyond a whole day, may be on the wrong side of midnight.
#[allow(
    clippy::inline_always,
    reason = "compiled anew for every width of registers"
)]
#[inline(always)]
fn is_midnight(part: f64) -> bool {
    (part - 0.5).abs() > 0.5 - MIDNIGHT
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
    rates: Vec<f64>,
    /// Families that came before each day, and in all.
    before: Vec<u32>,
    next: Vec<u32>,
    /// Families randomized.
    pub(super) families: usize,
    /// Site of each family, in the order of the ledger, where [`Intake::in_order`] was asked for.
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
            rates: Vec::new(),
            before: Vec::new(),
            next: Vec::new(),
            families: 0,
            sites: Vec::new(),
            risks: Vec::new(),
            ended: 0,
        }
    }

    /// Lets the families of a replicate come.
    pub(super) fn take(&mut self, keys: &Keys, replicate: u64) {
        let mut rates = keys.rates_of(replicate);
        let (world, sites) = (self.world, self.queues.len());
        self.rates.clear();
        self.rates
            .extend((0..sites).map(|site| world.rate(&mut rates, site)));
        let all: f64 = self.rates.iter().sum();
        let expected = FIRST * self.stop as f64 / all;
        let day = expected.clamp(0.0, f64::from(self.last)) as i32;
        for (site, queue) in self.queues.iter_mut().enumerate() {
            queue.rate = self.rates[site];
            let families = (queue.rate * f64::from(day)) as usize;
            let numbers = keys.families_at(replicate, site);
            queue.begin(numbers, families, self.width, &self.open_days[site]);
        }
        let (came, until) = self.fill(all, day);
        self.order(came, until);
    }

    /// Takes families until a day, and then day by day until one more than are wanted has come; their number and the day.
    fn fill(&mut self, rate: f64, mut day: i32) -> (usize, i32) {
        loop {
            let mut came = 0;
            for (queue, open_days) in self.queues.iter_mut().zip(&self.open_days) {
                queue.until(day, self.width, open_days);
                came += queue.came;
            }
            if came > self.stop || day >= self.last {
                return (came, day);
            }
            let missing = (self.stop - came + 1) as f64 / rate;
            let more = missing.ceil().clamp(1.0, f64::from(self.last.max(1))) as i32;
            day = day.saturating_add(more).min(self.last);
        }
    }

    /// Puts the families in order of day, site and arrival.
    fn order(&mut self, came: usize, until: i32) {
        let days = until.max(0) as usize + 1;
        self.before.clear();
        self.before.resize(days + 1, 0);
        for queue in &self.queues {
            for day in queue.arrivals() {
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
        self.families = came.min(stop);
    }

    /// Begins to place the families in the ledger; sites are then to be asked for in their order.
    pub(super) fn place(&mut self) {
        self.next.clone_from(&self.before);
    }

    /// The place in the ledger, the day and the word of the risk of each family of a site.
    pub(super) fn of_site(&mut self, site: usize) -> Placed<'_> {
        let (days, words) = self.queues[site].families(self.width);
        Placed {
            days,
            words,
            next: &mut self.next,
            families: self.families,
        }
    }

    /// The words of each family of a site, in the order in which they came: its risk, children, exception, fields, and the
    /// gap after it. And how many words a family has.
    pub(super) fn words_of_site(&self, site: usize) -> (&[u64], usize) {
        let words = self.queues[site].words.all();
        (words.get(1..).unwrap_or_default(), self.width)
    }

    /// Number of sites.
    pub(super) fn sites(&self) -> usize {
        self.queues.len()
    }

    /// The last day on which anybody came, counted from the first opening; 0 if nobody did.
    pub(super) fn last_came(&self) -> i32 {
        let last = self.queues.iter();
        let last = last.filter_map(|queue| queue.arrivals().last());
        last.copied().max().unwrap_or(0)
    }

    /// Whether somebody came after the last family that was wanted.
    pub(super) fn is_full(&self) -> bool {
        self.families == self.stop
            && self
                .before
                .last()
                .is_some_and(|all| *all as usize > self.stop)
    }

    /// Puts site and risk of every family in the order of the ledger.
    pub(super) fn in_order(&mut self) {
        let mut sites = std::mem::take(&mut self.sites);
        let mut risks = std::mem::take(&mut self.risks);
        sites.resize(self.families, 0);
        risks.resize(self.families, 0);
        self.place();
        for site in 0..self.queues.len() {
            for (place, _, risk) in self.of_site(site) {
                sites[place] = site as u16;
                risks[place] = risk;
            }
        }
        (self.sites, self.risks) = (sites, risks);
    }

    /// Families randomized until a day, counted from the first opening.
    pub(super) fn reached(&self, day: i32) -> u32 {
        let last = self.before.len().saturating_sub(1);
        let place = usize::try_from(day.saturating_add(1))
            .unwrap_or(0)
            .min(last);
        self.before[place].min(self.families as u32)
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

/// The families of one site with their places in the ledger, in the order in which they came.
#[derive(Debug)]
pub(super) struct Placed<'p> {
    days: Iter<'p, i32>,
    words: ChunksExact<'p, u64>,
    next: &'p mut [u32],
    families: usize,
}

impl Placed<'_> {
    /// How many have come, of whom the last may be placed no more.
    pub(super) fn len(&self) -> usize {
        self.days.len()
    }
}

impl Iterator for Placed<'_> {
    type Item = (usize, i32, u64);

    #[inline]
    fn next(&mut self) -> Option<(usize, i32, u64)> {
        let (day, words) = (self.days.next()?, self.words.next()?);
        let next = &mut self.next[*day as usize];
        let place = *next as usize;
        *next += 1;
        // Who comes after the last one is never randomized.
        (place < self.families).then_some((place, *day, words[0]))
    }
}
