//! The log-rank test of every look and lock from one order of the first reports: at a cut, who is at risk follows from
//! the reports that had come and from the days of the draws, which rise within a stratum.

use crate::analysis::covariates::SMALLEST_CELL;
use crate::analysis::{Effect, Scale};
use crate::estimation::Ties;
use crate::estimation::arm_likelihood::ArmLikelihood;
use crate::estimation::linear_model::Inference;
use crate::estimation::observed_expected::ObservedExpected;

/// No report in the window.
pub(super) const NEVER: i32 = i32::MAX;

/// A family, in the order of the ledger.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Row {
    /// The day before the first of its window, counted from the first opening.
    pub(super) origin: i32,
    /// Day of its window on which it has its first report, from 1; [`NEVER`] without one.
    pub(super) report: i32,
    /// 1 with the treated arm.
    pub(super) side: u8,
}

impl Row {
    /// Last day of its window that is seen at a cut, below 1 where none is; `width` is that of the window.
    pub(super) fn followed(&self, cut: i32, width: i32) -> i32 {
        (cut - self.origin).min(width)
    }
}

/// A family of a stratum.
#[derive(Debug, Clone, Copy)]
struct Member {
    place: u32,
    origin: i32,
    report: i32,
    side: u8,
    /// Treated families among those of the stratum before it.
    treated: u32,
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
const PARTS: u32 = 7;

/// A time at which somebody had a first report: how many were at risk just before it, and how many had it.
type Step = ([u32; 2], [u32; 2]);

/// Families by stratum, and their first reports in the order of stratum and day.
#[derive(Debug, Default)]
pub(super) struct Strata {
    /// Families of each stratum, their places rising.
    members: Vec<Member>,
    /// Where each stratum ends, among members and among reports.
    ends: Vec<(usize, usize)>,
    reports: Vec<Report>,
    /// Those of one stratum before they are ordered.
    unordered: Vec<Report>,
    /// Of those of one stratum that are seen at a cut: twice the day, and 1 with the treated arm.
    seen: Vec<u32>,
    /// The steps at a cut, stratum by stratum, and of how many families until which cut they are.
    steps: Vec<Step>,
    of: Option<(usize, i32)>,
    /// Families by arm at that cut, and whether all strata stand there.
    all: [u32; 2],
    stands: bool,
}

impl Strata {
    pub(super) fn clear(&mut self) {
        self.members.clear();
        self.ends.clear();
        self.reports.clear();
        self.of = None;
    }

    /// Adds the families of a further stratum, by their places, in a window of so many days.
    pub(super) fn add(&mut self, places: impl Iterator<Item = u32>, rows: &[Row], width: i32) {
        self.unordered.clear();
        let (mut treated, mut number) = (0, 0);
        for place in places {
            let row = &rows[place as usize];
            self.members.push(Member {
                place,
                origin: row.origin,
                report: row.report,
                side: row.side,
                treated,
            });
            treated += u32::from(row.side);
            // Every family is written, and the place moves on after those with a report.
            if number == self.unordered.len() {
                self.unordered.push(Report::default());
            }
            self.unordered[number] = Report {
                day: row.report.unsigned_abs() << 1 | u32::from(row.side),
                comes: row.origin.saturating_add(row.report),
                place,
            };
            number += usize::from(row.report != NEVER);
        }
        self.unordered.truncate(number);
        self.order(width);
        self.ends.push((self.members.len(), self.reports.len()));
    }

    /// Puts the reports of a stratum in the order of their days: by parts of the window, and then by insertion.
    fn order(&mut self, width: i32) {
        let shift = (width.unsigned_abs() >> PARTS)
            .checked_ilog2()
            .map_or(0, |own| own + 1);
        let part = |report: &Report| (report.day >> (shift + 1)) as usize;
        let mut next = [0_u32; (1 << PARTS) + 2];
        for report in &self.unordered {
            next[part(report) + 1] += 1;
        }
        let from = self.reports.len();
        let mut sum = from as u32;
        for own in &mut next {
            sum += *own;
            *own = sum;
        }
        self.reports
            .resize(from + self.unordered.len(), Report::default());
        for report in &self.unordered {
            let place = &mut next[part(report)];
            self.reports[*place as usize] = *report;
            *place += 1;
        }
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
    fn walk(&mut self, families: usize, (cut, width): (i32, i32)) {
        if self.of == Some((families, cut)) {
            return;
        }
        self.of = Some((families, cut));
        self.steps.clear();
        self.all = [0; 2];
        let (mut from, mut first) = (0, 0);
        let (mut strata, mut small) = (0, false);
        for (end, last) in &self.ends {
            let (members, mut at_risk) = cells(&self.members[from..*end], families);
            let reports = &self.reports[first..*last];
            (from, first) = (*end, *last);
            if at_risk != [0, 0] {
                strata += 1;
                small |= at_risk.iter().any(|own| *own < SMALLEST_CELL);
            }
            self.all[0] += at_risk[0];
            self.all[1] += at_risk[1];
            // Every report is written, and the place moves on after those that are seen.
            self.seen.resize(reports.len() + 1, 0);
            let mut count = 0;
            for report in reports {
                self.seen[count] = report.day;
                count += usize::from((report.place as usize) < families && report.comes <= cut);
            }
            let mut staying = members.len();
            let mut seen = self.seen[..count].iter().copied().peekable();
            while let Some(first) = seen.next() {
                let day = (first >> 1) as i32;
                let mut events = [1 - (first & 1), first & 1];
                while let Some(own) = seen.next_if(|own| own >> 1 == first >> 1) {
                    events[(own & 1) as usize] += 1;
                }
                // Whoever was drawn last is followed shortest.
                while let Some(place) = staying.checked_sub(1) {
                    let member = &members[place];
                    let followed = (cut - member.origin).min(width);
                    if followed >= day {
                        break;
                    }
                    // Whose report was seen has left with it.
                    at_risk[usize::from(member.side) & 1] -= u32::from(member.report > followed);
                    staying = place;
                }
                self.steps.push((at_risk, events));
                at_risk[0] -= events[0];
                at_risk[1] -= events[1];
            }
        }
        self.stands = strata <= 1 || !small;
    }

    /// The log-rank test at a cut, of the first `families`, which are those drawn until then; `None` where there is none
    /// or where strata are merged.
    pub(super) fn test(&mut self, families: usize, cut: (i32, i32)) -> Option<Effect> {
        self.walk(families, cut);
        if !self.stands || self.all.contains(&0) {
            return None;
        }
        let mut sums = ObservedExpected::default();
        for (at_risk, events) in &self.steps {
            sums.add(*at_risk, *events);
        }
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

    /// The hazard ratio of the Cox model of the arm alone at a cut, of the first `families`; `None` where strata are merged, an
    /// arm has no event or the likelihood no maximum.
    pub(super) fn ratio(
        &mut self,
        families: usize,
        cut: (i32, i32),
        (ties, inference): (Ties, &Inference),
        likelihood: &mut ArmLikelihood,
    ) -> Option<Effect> {
        self.walk(families, cut);
        if !self.stands {
            return None;
        }
        likelihood.clear();
        let mut all = [0; 2];
        for (at_risk, events) in &self.steps {
            likelihood.add(*at_risk, *events, ties);
            all[0] += events[0];
            all[1] += events[1];
        }
        if all.contains(&0) {
            return None;
        }
        let fit = likelihood.maximize().ok()?.fit(inference);
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

    /// Whether no stratum is so small that it is merged with another, of the first `families`.
    pub(super) fn stand(&mut self, families: usize, cut: (i32, i32)) -> bool {
        self.walk(families, cut);
        self.stands
    }
}

/// Those of a stratum that are among the first `families`, and how many of them each arm has.
fn cells(members: &[Member], families: usize) -> (&[Member], [u32; 2]) {
    let number = members.partition_point(|own| (own.place as usize) < families);
    let treated = match members.get(number) {
        Some(next) => next.treated,
        None => members
            .last()
            .map_or(0, |last| last.treated + u32::from(last.side)),
    };
    (&members[..number], [number as u32 - treated, treated])
}

#[cfg(test)]
mod tests {
    use super::{NEVER, Row, Strata};

    /// By hand: two strata that are too small to stand beside each other, and the first alone. Draws on days 0, 2 and 4 in
    /// it, reports on days 3 (control), 2 (treated) and never (control) of their windows, cut on day 5: the third family
    /// is seen for 1 day. Treated, then at risk: day 2 of 1 and 1, an event in the treated arm: e = ½, v = ¼; day 3 of
    /// one control: nothing to compare. O − E = ½, V = ¼: one-step 2 ± 2, X² = 1.
    #[test]
    fn a_sweep_by_hand() {
        let row = |origin, report, side| Row {
            origin,
            report,
            side,
        };
        let rows = [row(0, 3, 0), row(2, 2, 1), row(4, NEVER, 0), row(4, 1, 1)];
        let mut strata = Strata::default();
        strata.add([0, 1, 2].into_iter(), &rows, 100);
        let found = strata.test(3, (5, 100)).unwrap();
        assert_eq!((found.estimate, found.std_error), (2.0, 2.0));
        assert_eq!(
            (found.statistic, found.n_treated, found.n_control),
            (Some(1.0), 1, 2)
        );
        assert!(strata.stand(3, (5, 100)));
        // On day 3 the second family's report has not come, and on day 2 nobody is compared.
        assert_eq!(strata.test(2, (3, 100)), None);
        strata.add([3].into_iter(), &rows, 100);
        assert!(!strata.stand(4, (5, 100)));
        assert_eq!(strata.test(4, (5, 100)), None);
    }
}
