//! The log-rank test of every look and lock from one order of the first reports: at a cut, who is at risk follows from
//! the reports that had come and from the days of the draws, which rise within a stratum.

use crate::analysis::covariates::SMALLEST_CELL;
use crate::analysis::{Effect, Scale};
use crate::estimation::Ties;
use crate::estimation::arm_likelihood::ArmLikelihood;
use crate::estimation::endless::Endless;
use crate::estimation::linear_model::Inference;
use crate::estimation::observed_expected::ObservedExpected;

/// No report in the window.
pub(super) const NEVER: i32 = i32::MAX;

/// Families of a stratum, as many of each.
#[derive(Debug, Clone, Copy)]
pub(super) struct Members<'m> {
    /// Places in the ledger, which rise.
    pub(super) places: &'m [u32],
    /// The days before the first of their windows, counted from the first opening, which never fall.
    pub(super) origins: &'m [i32],
    /// Days of their windows on which they have their first reports, from 1; [`NEVER`] without one.
    pub(super) reports: &'m [i32],
    /// 1 with the treated arm, otherwise 0.
    pub(super) sides: &'m [u8],
}

/// Families of both arms, or reports: those of control in the low half, those of treated in the high half.
type Pair = u64;

fn pair_of(side: u8) -> Pair {
    1 << (u32::from(side & 1) * 32)
}

fn sides(own: Pair) -> [u32; 2] {
    [own as u32, (own >> 32) as u32]
}

/// A first report.
#[derive(Debug, Clone, Copy, Default)]
struct Report {
    /// Twice the day of the window on which it comes, and 1 with the treated arm.
    day: u32,
    /// The day, counted from the first opening.
    comes: i32,
    place: u32,
}

/// Parts of a window into which reports are put before they are ordered, as a power of two.
const PARTS: u32 = 8;
/// After all parts of the window, the last of which may be half of one.
const NOT_SEEN: u32 = (1 << PARTS) + 1;

/// Where a stratum ends in each list of [`Strata`], and the origin of its first family.
#[derive(Debug, Clone, Copy, Default)]
struct End {
    families: usize,
    reports: usize,
    until: usize,
    origin: i32,
}

/// Families by stratum, and their first reports in the order of stratum and day.
#[derive(Debug, Default)]
pub(super) struct Strata {
    ends: Vec<End>,
    /// Places of the families of each stratum, rising, one in the arm of each, and the days of their first reports, counted
    /// from the first opening.
    places: Vec<u32>,
    sides: Vec<Pair>,
    comes: Vec<i32>,
    /// Of each stratum, how many families have their origins before that of its first one, until that day, until the day
    /// after it, and so on until that of its last one, and then the same number until a whole number of [`running`]'s goes.
    until: Vec<u16>,
    /// Of a stratum at a cut, how many of its first families have no report until then.
    staying: Vec<Pair>,
    reports: Vec<Report>,
    /// The times at a cut at which somebody had a first report, stratum by stratum: how many were at risk just before it, and
    /// how many had it; from place 1 on. How many they are, and of how many families until which cut.
    at_risk: Vec<Pair>,
    events: Vec<Pair>,
    steps: usize,
    of: Option<(usize, i32)>,
    /// Families by arm at that cut, and whether all strata stand there.
    all: [u32; 2],
    stands: bool,
}

impl Strata {
    pub(super) fn clear(&mut self) {
        self.ends.clear();
        self.places.clear();
        self.sides.clear();
        self.comes.clear();
        self.until.clear();
        self.reports.clear();
        self.of = None;
    }

    /// Adds the families of a further stratum, in a window of so many days, with reports until the last day of all cuts; `None`
    /// where they are more than are counted here.
    pub(super) fn add(&mut self, own: Members<'_>, (width, last_cut): (i32, i32)) -> Option<()> {
        if own.places.len() > usize::from(u16::MAX) {
            return None;
        }
        self.places.extend_from_slice(own.places);
        let from = self.sides.len();
        self.sides.resize(from + own.places.len(), 0);
        self.comes.resize(from + own.places.len(), 0);
        let sides = self.sides[from..].iter_mut();
        let into = sides.zip(&mut self.comes[from..]);
        let origin = own.origins.first().copied().unwrap_or(0);
        let last = own.origins.last().copied().unwrap_or(origin);
        let first = self.until.len();
        let days = 2 + last.abs_diff(origin) as usize;
        self.until.resize(first + days.next_multiple_of(AT_ONCE), 0);
        let until = &mut self.until[first..];
        for from in own.origins {
            until[1 + from.abs_diff(origin) as usize] += 1;
        }
        let families = own.origins.iter().zip(own.reports.iter().zip(own.sides));
        for ((from, (report, side)), (pair, comes)) in families.zip(into) {
            *pair = pair_of(*side);
            *comes = from.saturating_add(*report);
        }
        running(until);
        self.order(own, from, (width, last_cut));
        self.ends.push(End {
            families: self.places.len(),
            reports: self.reports.len(),
            until: self.until.len(),
            origin,
        });
        Some(())
    }

    /// Puts the reports of a stratum, whose families begin at `first`, in the order of their days: by parts of the window, and
    /// then by insertion.
    fn order(&mut self, own: Members<'_>, first: usize, (width, last_cut): (i32, i32)) {
        let shift = (width.unsigned_abs() >> PARTS)
            .checked_ilog2()
            .map_or(0, |own| own + 1);
        // Reports that are never seen have a part of their own after the others, without a branch.
        let part = |report: i32, comes: i32| {
            let part = (report.unsigned_abs() >> shift).min(NOT_SEEN - 1);
            (if comes <= last_cut { part } else { NOT_SEEN }) as usize
        };
        let comes = &self.comes[first..];
        let mut next = [0_u16; (NOT_SEEN as usize + 2).next_multiple_of(AT_ONCE)];
        for (report, comes) in own.reports.iter().zip(comes) {
            next[part(*report, *comes) + 1] += 1;
        }
        let from = self.reports.len();
        running(&mut next);
        let until = from + usize::from(next[NOT_SEEN as usize]);
        self.reports
            .resize(from + own.reports.len(), Report::default());
        let families = own.places.iter().zip(own.sides);
        let ordered = &mut self.reports[from..];
        for ((report, comes), (place, side)) in own.reports.iter().zip(comes).zip(families) {
            let at = &mut next[part(*report, *comes)];
            ordered[usize::from(*at)] = Report {
                day: report.unsigned_abs() << 1 | u32::from(*side),
                comes: *comes,
                place: *place,
            };
            *at += 1;
        }
        self.reports.truncate(until);
        let own = &mut self.reports[from..];
        for place in 1..own.len() {
            let report = own[place];
            let mut at = place;
            while at > 0 && own[at - 1].day > report.day {
                own[at] = own[at - 1];
                at -= 1;
            }
            own[at] = report;
        }
    }

    /// Finds the steps at a cut, of the first `families`, which are those drawn until then.
    fn walk(&mut self, families: usize, cut: i32) {
        if self.of == Some((families, cut)) {
            return;
        }
        self.of = Some((families, cut));
        self.all = [0; 2];
        let (mut strata, mut small) = (0, false);
        // The first step is none, so that the last one is there to be written again by a report that is not seen.
        let most = (self.reports.len() + 1).max(self.at_risk.len());
        self.at_risk.resize(most, 0);
        self.events.resize(most, 0);
        let mut steps = Steps {
            at_risk: &mut self.at_risk,
            events: &mut self.events,
            last: 0,
        };
        let mut from = End::default();
        for end in &self.ends {
            let places = &self.places[from.families..end.families];
            let number = number_before(places, families);
            self.staying.resize(places.len() + 1, 0);
            let comes = self.comes[from.families..][..number].iter();
            let own = comes.zip(&self.sides[from.families..][..number]);
            let (mut all, mut without) = (0, 0);
            for ((comes, pair), staying) in own.zip(&mut self.staying[1..]) {
                all += *pair;
                without += *pair & u64::from(*comes > cut).wrapping_neg();
                *staying = without;
            }
            // Whoever was drawn after them is not there.
            self.staying[number..].fill(without);
            let until = &self.until[from.until..end.until];
            let begin = cut - end.origin;
            // A report on a later day of its window comes after the cut, whoever has it.
            let reports = &self.reports[from.reports..end.reports];
            let early = |own: &Report| i64::from(own.day >> 1) <= i64::from(begin);
            let reports = &reports[..reports.partition_point(early)];
            from = *end;
            if number > 0 {
                strata += 1;
                small |= sides(all).iter().any(|own| *own < SMALLEST_CELL);
            }
            let [control, treated] = sides(all);
            self.all[0] += control;
            self.all[1] += treated;
            let seen = |report: &Report| {
                u64::from((report.place as usize) < families) & u64::from(report.comes <= cut)
            };
            steps.walk(
                reports,
                seen,
                (all - without, &self.staying),
                (until, begin),
            );
        }
        self.steps = steps.last;
        self.stands = strata <= 1 || !small;
    }

    /// The log-rank test at a cut, of the first `families`, which are those drawn until then; `None` where there is none
    /// or where strata are merged.
    pub(super) fn test(&mut self, families: usize, cut: i32) -> Option<Effect> {
        self.walk(families, cut);
        if !self.stands || self.all.contains(&0) {
            return None;
        }
        let mut sums = ObservedExpected::default();
        let (at_risk, events) = self.steps();
        sums.add_all(at_risk, events);
        let (estimate, std_error) = sums.one_step()?;
        Some(Effect {
            estimate,
            std_error,
            scale: Scale::Score,
            statistic: sums.statistic(),
            df: None,
            p_value: sums.p_value(),
            conf_low: None,
            conf_high: None,
            n_treated: self.all[1],
            n_control: self.all[0],
        })
    }

    /// The hazard ratio of the Cox model of the arm alone at a cut, of the first `families`; `None` where strata are merged
    /// or the arms are never compared.
    pub(super) fn ratio(
        &mut self,
        families: usize,
        cut: i32,
        (ties, inference): (Ties, &Inference),
        likelihood: &mut ArmLikelihood,
    ) -> Option<Effect> {
        self.walk(families, cut);
        if !self.stands {
            return None;
        }
        likelihood.clear();
        let (at_risk, events) = self.steps();
        likelihood.add_all(at_risk, events, ties);
        let Ok(highest) = likelihood.maximize() else {
            return self.endless(likelihood.endless(inference.critical())?);
        };
        let fit = highest.fit(inference);
        Some(Effect {
            estimate: libm::exp(fit.estimate),
            std_error: fit.std_error,
            scale: Scale::Log,
            statistic: fit.statistic,
            df: fit.df,
            p_value: fit.p_value,
            conf_low: fit.conf_low.map(libm::exp),
            conf_high: fit.conf_high.map(libm::exp),
            n_treated: self.all[1],
            n_control: self.all[0],
        })
    }

    /// The ratio where only one arm has an event while both are at risk.
    fn endless(&self, own: Endless) -> Option<Effect> {
        let [conf_low, conf_high] = own.limits()?.map(Some);
        Some(Effect {
            estimate: own.ratio(),
            std_error: f64::INFINITY,
            scale: Scale::Log,
            statistic: Some(own.statistic),
            df: None,
            p_value: Some(own.p_value()),
            conf_low,
            conf_high,
            n_treated: self.all[1],
            n_control: self.all[0],
        })
    }

    /// The steps at the cut that was walked to.
    fn steps(&self) -> (&[Pair], &[Pair]) {
        let own = 1..self.steps + 1;
        (&self.at_risk[own.clone()], &self.events[own])
    }

    /// Whether no stratum is so small that it is merged with another, of the first `families`.
    pub(super) fn stand(&mut self, families: usize, cut: i32) -> bool {
        self.walk(families, cut);
        self.stands
    }
}

/// The steps at a cut while they are found.
struct Steps<'s> {
    at_risk: &'s mut [Pair],
    events: &'s mut [Pair],
    /// Place of the last one.
    last: usize,
}

impl Steps<'_> {
    /// Walks through the reports of a stratum, without a branch by report. `all` are seen; of its first families so many are
    /// `staying` until the cut without a report, and so many are drawn `until` before the day of the first one, until then,
    /// and so on; the cut is so many days after it.
    #[allow(clippy::inline_always, reason = "its state in registers")]
    #[inline(always)]
    fn walk(
        &mut self,
        reports: &[Report],
        seen: impl Fn(&Report) -> u64,
        (all, staying): (Pair, &[Pair]),
        (until, cut): (&[u16], i32),
    ) {
        let Some(end) = until.len().checked_sub(1) else {
            return;
        };
        let mut last = self.last;
        let (mut at_risk, mut events) = (self.at_risk[last], self.events[last]);
        let (mut gone, mut day) = (0, 0);
        for report in reports {
            let (own, seen) = (u64::from(report.day >> 1), seen(report));
            let begins = seen & u64::from(own != day);
            day = either(seen, own, day);
            // Whoever was drawn later is not followed until this day.
            let drawn = (cut + 1 - own as i32).clamp(0, end as i32) as usize;
            let now = staying[usize::from(until[drawn])] + (all - gone);
            at_risk = either(begins, now, at_risk);
            events = either(begins, 0, events);
            let event = seen << ((report.day & 1) * 32);
            gone += event;
            events += event;
            last += begins as usize;
            self.at_risk[last] = at_risk;
            self.events[last] = events;
        }
        self.last = last;
    }
}

/// Counts that [`running`] adds up at once: those that fit in a word.
const AT_ONCE: usize = 4;
/// One in each of them.
const EACH: u64 = 0x0001_0001_0001_0001;

/// Puts the sum until each count in its place. All together are at most 65,535, and their number is one of
/// whole goes.
fn running(counts: &mut [u16]) {
    let mut before: u64 = 0;
    for own in counts.as_chunks_mut::<AT_ONCE>().0 {
        let [first, second, third, fourth] = own.map(u64::from);
        // The product has in each part the sum until it.
        let sums = (first | second << 16 | third << 32 | fourth << 48).wrapping_mul(EACH);
        let all = sums.wrapping_add(before.wrapping_mul(EACH));
        *own = [0, 16, 32, 48].map(|shift| (all >> shift) as u16);
        before += sums >> 48;
    }
}

/// The first of two for 1, the second for 0, by arithmetic: the compiler makes a branch of a choice.
fn either(first: u64, one: u64, other: u64) -> u64 {
    other ^ ((other ^ one) & first.wrapping_neg())
}

/// How many of some places, which rise, are before one.
fn number_before(places: &[u32], families: usize) -> usize {
    match places.last() {
        Some(last) if (*last as usize) < families => places.len(),
        _ => places.partition_point(|own| (*own as usize) < families),
    }
}

#[cfg(test)]
mod tests {
    use super::{Members, NEVER, Strata};

    /// By hand: two strata that are too small to stand beside each other, and the first alone. Draws on days 0, 2 and 4 in
    /// it, reports on days 3 (control), 2 (treated) and never (control) of their windows, cut on day 5: the third family
    /// is seen for 1 day. Treated, then at risk: day 2 of 1 and 1, an event in the treated arm: e = ½, v = ¼; day 3 of
    /// one control: nothing to compare. O − E = ½, V = ¼: one-step 2 ± 2, X² = 1.
    #[test]
    fn a_sweep_by_hand() {
        let add = |strata: &mut Strata, from: usize, to: usize| {
            let own = Members {
                places: &[0, 1, 2, 3][from..to],
                origins: &[0, 2, 4, 4][from..to],
                reports: &[3, 2, NEVER, 1][from..to],
                sides: &[0, 1, 0, 1][from..to],
            };
            strata.add(own, (100, 5)).unwrap();
        };
        let mut strata = Strata::default();
        add(&mut strata, 0, 3);
        let found = strata.test(3, 5).unwrap();
        assert_eq!((found.estimate, found.std_error), (2.0, 2.0));
        assert_eq!(
            (found.statistic, found.n_treated, found.n_control),
            (Some(1.0), 1, 2)
        );
        assert!(strata.stand(3, 5));
        // On day 3 the second family's report has not come, and on day 2 nobody is compared.
        assert_eq!(strata.test(2, 3), None);
        add(&mut strata, 3, 4);
        assert!(!strata.stand(4, 5));
        assert_eq!(strata.test(4, 5), None);
    }
}
