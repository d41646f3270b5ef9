//! Who comes when to which site, and where each random number of a simulated study stands.
//!
//! Every deviate is one 64-bit word of ChaCha8 under `SHA-256("lottning/replicates/1" ‖ lp(purpose) ‖ lp(seed text))`,
//! purpose `simulate-rates`, `-sites`, `-families`, `-outcomes`, `-scores`, `-reports`, `-pairs`, `-staff`, `-arms`, stream =
//! replicate. Its position is given by site and number of the family within the site, so a family is the same family in
//! every cell of a grid, for every number of replicates and threads. Which family is admitted and which arm it gets is
//! decided elsewhere.

use super::mechanisms::truth::MOST_REPORTS;
use super::world::World;
use crate::allocation::replicates_key;
use crate::numerics::stream::{open_unit, open_units, replicate};
use crate::protocol::Protocol;
use crate::protocol::model::{Day, MAX_FIELDS};
use crate::study::kernel::Values;
use rand_chacha::ChaCha8Rng;

/// A family that comes to a site.
#[derive(Debug, Clone, Copy)]
pub(super) struct Arrival {
    /// Number within the site, from 0.
    pub(super) ordinal: u32,
    /// Deviate of the family's risk, shared by both services.
    pub(super) risk: f64,
    pub(super) children: usize,
    /// Index of the reason of a declared exception.
    pub(super) exception: Option<u16>,
}

/// The keys of a simulated study's streams.
#[derive(Debug, Clone)]
pub(super) struct Keys {
    rates: [u8; 32],
    families: [u8; 32],
    pub(super) outcomes: [u8; 32],
    scores: [u8; 32],
    reports: [u8; 32],
    pairs: [u8; 32],
    sites: [u8; 32],
    staff: [u8; 32],
    pub(super) arms: [u8; 32],
    pub(super) redraws: [u8; 32],
    /// Redraws at looks before an analysis' own lock.
    pub(super) looks: [u8; 32],
}

impl Keys {
    /// Keys from a seed; cells of the same `group` share their families.
    pub(super) fn new(seed: u64, group: &str) -> Self {
        let seed = seed.to_string();
        let key = |purpose: &str| {
            if group.is_empty() {
                replicates_key(&format!("simulate-{purpose}"), &seed)
            } else {
                replicates_key(&format!("simulate-{purpose}/{group}"), &seed)
            }
        };
        Self {
            rates: key("rates"),
            families: key("families"),
            outcomes: key("outcomes"),
            scores: key("scores"),
            reports: key("reports"),
            pairs: key("pairs"),
            sites: key("sites"),
            staff: key("staff"),
            arms: key("arms"),
            redraws: key("redraws"),
            looks: key("looks"),
        }
    }

    /// The rates of a replicate's sites.
    pub(super) fn rates_of(&self, replicate_number: u64) -> ChaCha8Rng {
        replicate(&self.rates, replicate_number)
    }

    /// The families of a site, from the first one's arrival on.
    pub(super) fn families_at(&self, replicate_number: u64, site: usize) -> ChaCha8Rng {
        let mut rng = replicate(&self.families, replicate_number);
        rng.set_word_pos((site as u128) << SITE);
        rng
    }

    /// The scores of a site's families, two deviates each ([`Streams::score`]).
    pub(super) fn scores_at(&self, replicate_number: u64, site: usize) -> ChaCha8Rng {
        let mut rng = replicate(&self.scores, replicate_number);
        rng.set_word_pos((site as u128) << SITE);
        rng
    }
}

/// Deviates of a family that are no days of reports; the last two are not used.
pub(super) const FATE: u32 = 13;
/// Words of a family in the stream of its site, without those of its fields: risk, children, exception, and the time to
/// the next family.
pub(super) const ARRIVAL: usize = 4;
/// Days of reports that fit beside them; further ones have a stream of their own.
pub(super) const NEAR: u32 = FAMILY / 2 - FATE;

/// Bits of a site's part of a stream: families of a site never run into those of the next.
const SITE: u32 = 40;
/// Words that a family has in the stream of outcomes: four blocks, which the generator makes at once.
const FAMILY: u32 = 64;

/// The block of the stream of outcomes with which a family's words begin; a block has eight words of 64 bits.
pub(super) fn outcomes_block(site: usize, ordinal: u32) -> u64 {
    ((site as u64) << (SITE - 4)) + u64::from(ordinal) * u64::from(FAMILY / 16)
}

/// Families arriving at one site.
#[derive(Debug)]
pub(super) struct Site {
    rng: ChaCha8Rng,
    rate: f64,
    /// Open days passed.
    clock: f64,
    ordinal: u32,
    /// What the site adds to the risk of a new report.
    pub(super) added: f64,
    /// Day of the next arrival, counted from the study's first day; `i32::MAX` after the last.
    pub(super) next: i32,
}

impl Site {
    fn new(keys: &Keys, replicate_number: u64, site: usize, rate: f64) -> Self {
        Self {
            rng: keys.families_at(replicate_number, site),
            rate,
            clock: 0.0,
            ordinal: 0,
            added: 0.0,
            next: i32::MAX,
        }
    }

    /// Moves to the next arrival among the site's open days.
    fn advance(&mut self, u: f64, open_days: &[i32]) {
        self.clock += -libm::log(u) / self.rate;
        self.next = open_days
            .get(self.clock as usize)
            .copied()
            .unwrap_or(i32::MAX);
    }

    /// The family of the present arrival, its facts into `values`; the next arrival is drawn.
    pub(super) fn arrive(
        &mut self,
        world: &World,
        exceptions: usize,
        open_days: &[i32],
        values: &mut Values,
    ) -> Arrival {
        let fields = world.family.fields.len().min(MAX_FIELDS);
        let mut deviates = [0.0; MAX_FIELDS + 4];
        open_units(&mut self.rng, &mut deviates[..fields + 4]);
        // Where they lie: the fields' are many more than most protocols have.
        let [risk, siblings, exempt, own @ ..] = &deviates;
        let (risk, siblings, exempt) = (*risk, *siblings, *exempt);
        let children = world.family.children(siblings);
        for ((value, law), u) in values.iter_mut().zip(&world.family.fields).zip(own) {
            *value = law.at(*u, risk);
        }
        let share = world.uptake.exceptions;
        let exception = (exempt < share)
            .then(|| (exempt / share * exceptions as f64) as u16)
            .map(|reason| reason.min(exceptions.saturating_sub(1) as u16));
        let ordinal = self.ordinal;
        self.ordinal += 1;
        self.advance(own[fields], open_days);
        Arrival {
            ordinal,
            risk,
            children,
            exception,
        }
    }
}

/// A day on which a report may be received, and the deviate that decides whether follow-up finds it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct ReportDay {
    pub(super) day: i32,
    pub(super) found: f64,
}

/// The streams of one replicate that are addressed by family.
#[derive(Debug)]
pub(super) struct Streams {
    outcomes: ChaCha8Rng,
    scores: ChaCha8Rng,
    reports: ChaCha8Rng,
    /// Shared deviates of therapist pairs, as needed.
    pairs: ChaCha8Rng,
}

impl Streams {
    pub(super) fn new(keys: &Keys, replicate_number: u64) -> Self {
        Self {
            outcomes: replicate(&keys.outcomes, replicate_number),
            scores: replicate(&keys.scores, replicate_number),
            reports: replicate(&keys.reports, replicate_number),
            pairs: replicate(&keys.pairs, replicate_number),
        }
    }

    /// The deviates of a family's fate.
    pub(super) fn fate(&mut self, site: usize, ordinal: u32) -> [f64; FATE as usize] {
        let rng = &mut self.outcomes;
        rng.set_word_pos(((site as u128) << SITE) + u128::from(ordinal) * u128::from(FAMILY));
        let mut deviates = [0.0; FATE as usize];
        open_units(rng, &mut deviates);
        deviates
    }

    /// The deviates of a family's score, and of whether it answers. In a stream of their own, so that those of all
    /// families can be made in bulk.
    pub(super) fn score(&mut self, site: usize, ordinal: u32) -> [f64; 2] {
        let rng = &mut self.scores;
        rng.set_word_pos(((site as u128) << SITE) + (u128::from(ordinal) << 2));
        [open_unit(rng), open_unit(rng)]
    }

    /// The two deviates that treated families of a therapist pair share, in the pair's present crew.
    pub(super) fn pair(&mut self, site: usize, pair: u32, crew: u32) -> (f64, f64) {
        let place = u128::from(pair) + (u128::from(crew) << 16);
        let rng = &mut self.pairs;
        rng.set_word_pos(((site as u128) << SITE) + (place << 2));
        (open_unit(rng), open_unit(rng))
    }

    /// The deviate of the score that they share: in the upper half of the site's part of the stream, where no two crews' others lie.
    pub(super) fn pair_score(&mut self, site: usize, pair: u32, crew: u32) -> f64 {
        let place = u128::from(pair) + (u128::from(crew) << 16);
        let rng = &mut self.pairs;
        rng.set_word_pos(((site as u128) << SITE) + (1 << (SITE - 1)) + (place << 2));
        open_unit(rng)
    }

    /// The days, in a window, on which the reports of the family whose fate was drawn last are received: report `k` is
    /// on the same day under both services.
    pub(super) fn report_days(
        &mut self,
        (site, ordinal): (usize, u32),
        (from, to): (i32, i32),
        count: u32,
        days: &mut Vec<ReportDay>,
    ) {
        days.clear();
        let width = f64::from(to - from + 1);
        let near = count.min(NEAR);
        let day = |u: f64| {
            let place = u * width;
            ReportDay {
                day: from + place as i32,
                found: place.fract(),
            }
        };
        for _ in 0..near {
            days.push(day(open_unit(&mut self.outcomes)));
        }
        if near < count {
            // MOST_REPORTS deviates of two words fit into 2^15 words.
            const { assert!(MOST_REPORTS * 2 < 1 << 15) }
            let rng = &mut self.reports;
            rng.set_word_pos(((site as u128) << (SITE + 10)) + (u128::from(ordinal) << 15));
            for _ in near..count {
                days.push(day(open_unit(rng)));
            }
        }
    }
}

/// A change of the therapists who are at work at a site.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StaffChange {
    /// Day, counted from the study's first day.
    pub day: i32,
    /// The position that falls vacant or is filled, from 0.
    pub position: u32,
    /// Whether somebody new begins.
    pub begins: bool,
}

impl World {
    /// A site's rate from the stream of a replicate's rates, families per open day.
    pub(super) fn rate(&self, rates: &mut ChaCha8Rng, site: usize) -> f64 {
        let deviates = self.accrual.deviates();
        if deviates > 0 {
            rates.set_word_pos((site * deviates * 2) as u128);
        }
        self.accrual.rate(site, || open_unit(rates))
    }

    /// The sites of a replicate, each before its first arrival.
    pub(super) fn sites(
        &self,
        keys: &Keys,
        replicate_number: u64,
        open_days: &[Vec<i32>],
        sites: &mut Vec<Site>,
    ) {
        let mut rates = keys.rates_of(replicate_number);
        let mut effects = self
            .differs_by_site
            .then(|| replicate(&keys.sites, replicate_number));
        sites.clear();
        for (index, open_days) in open_days.iter().enumerate() {
            let rate = self.rate(&mut rates, index);
            let mut site = Site::new(keys, replicate_number, index, rate);
            if let Some(effects) = &mut effects {
                effects.set_word_pos((index * 2) as u128);
                let u = open_unit(effects);
                let control = self.truth.rereport_control;
                site.added = self
                    .others
                    .iter()
                    .map(|m| m.site_risk(index, control, u))
                    .sum();
            }
            let first = open_unit(&mut site.rng);
            site.advance(first, open_days);
            sites.push(site);
        }
    }

    /// The changes of staff of a replicate, by day within a site, one site after the other; the first entry of each site.
    pub(super) fn staff(
        &self,
        keys: &Keys,
        replicate_number: u64,
        therapists: impl Iterator<Item = u32>,
        last: i32,
        (changes, firsts): (&mut Vec<StaffChange>, &mut Vec<usize>),
    ) {
        changes.clear();
        firsts.clear();
        if !self.staff_changes {
            return;
        }
        let mut rng = replicate(&keys.staff, replicate_number);
        for (site, therapists) in therapists.enumerate() {
            firsts.push(changes.len());
            let first = changes.len();
            for position in 0..therapists {
                // 2^14 deviates for each position of a site.
                rng.set_word_pos(((site as u128) << SITE) + (u128::from(position) << 15));
                for mechanism in &self.others {
                    mechanism.staff(position, last, &mut || open_unit(&mut rng), changes);
                }
            }
            changes[first..].sort_by_key(|change| (change.day, change.position, change.begins));
        }
    }
}

/// Open days of each site of a protocol, counted from the first opening, and the last day of enrolment.
pub(super) fn open_days(world: &World, protocol: &Protocol) -> (Vec<Vec<i32>>, Day) {
    let first = protocol.first_opening();
    let mut last = world.accrual.last_day(first);
    if let Some(stop) = protocol.sample_size.stop_date {
        last = last.min(Day::of(stop));
    }
    let days = protocol
        .sites
        .iter()
        .map(|site| {
            let open = world.accrual.open_days(Day::of(site.opens), last);
            open.iter().map(|day| day.since(first)).collect()
        })
        .collect();
    (days, last)
}
