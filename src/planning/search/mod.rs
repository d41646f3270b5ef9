//! The smallest number (of families, of months) at which a study has a target power, with an interval for it.
//!
//! Power is not known at any number, only simulated; so the search fits `Φ⁻¹(power) = a + b·√x` to what was simulated
//! around the answer, by binomial likelihood (McCullagh and Nelder 1989, ISBN 0-412-31760-5, chapter 4), and solves it for
//! the target. x is what the studies reached: the mean number of families randomized, which stops growing where no more
//! arrive however many are asked for; or the number itself, where that fits better. Only numbers near the answer take part,
//! and fewer of them when they do not lie on a line. All numbers share their replicates (common random numbers), so a
//! replicate is a cluster: the covariance of (a, b) is the sandwich over replicates, and the interval for the number is
//! Fieller's set on the scale of √x. The number that is found is confirmed on replicates that had no part in choosing it,
//! and so is it that no number of the range has the power.

mod answer;
mod curve;
mod points;

pub use answer::{Contradiction, Fit, Found, NoAnswer, Question};
pub use points::{By, Outcome, Scale, Tried};

use super::performance::share;
use crate::numerics::normal;
use answer::exact_ends;
use curve::{Line, line};
use points::heights;

/// Studies that a number gets in one step.
pub const STEP: u64 = 250;
/// Studies that each of the first numbers gets, and the fewest that a confirmation is worth anything with.
pub const BEGINNING: u64 = 500;
/// Numbers further than this from the target, on the scale of Φ⁻¹(power), have no part in the last fits.
const NEAR: f64 = 1.0;
/// Distance of the outer numbers from the answer, on the same scale.
const APART: f64 = 0.5;
/// How much nearer numbers are taken and simulated where power is an average over a prior: by so much the bend of such a curve, which
/// goes with the square, moves the answer less, and points that are known well enough to name a number do not show it.
const OF_AN_AVERAGE: f64 = 1.0 / 4.0;
/// How much nearer numbers are taken and simulated at most where they do not lie on a line.
const NEAREST: f64 = 1.0 / 16.0;
/// Points whose distance from a line has a smaller probability do not lie on it.
const ON_A_LINE: f64 = 0.01;
/// Monte Carlo standard error at which the answer is confirmed.
const CONFIRMED_TO: f64 = 0.005;

/// Says what each of the replicates `from..to` at a number gave.
pub type Run<'r, E> = dyn FnMut(u64, u64, u64) -> Result<Vec<Outcome>, E> + 'r;

/// Searches. `run` is asked the same questions in the same order whatever machine runs it.
///
/// # Errors
/// What `run` gives; inside, why there is no number.
pub fn search<E>(question: &Question, run: &mut Run<'_, E>) -> Result<Result<Found, NoAnswer>, E> {
    let reach = if question.average { OF_AN_AVERAGE } else { 1.0 };
    let mut own = Search {
        question,
        run,
        tried: Vec::new(),
        around: Vec::new(),
        reach,
        apart: reach * APART,
    };
    own.begin()?;
    loop {
        if let Some(none) = own.outside()? {
            return Ok(Err(none));
        }
        let is_spent = own.used() >= question.most;
        let Some((low, high)) = own.bracket() else {
            if is_spent {
                return own.without_bracket().map(Err);
            }
            own.more_at_the_end()?;
            continue;
        };
        if !is_spent && own.is_wide(low, high) {
            own.halve(low, high)?;
            continue;
        }
        let fit = own.near((low, high));
        if is_spent {
            let lower = fit.and_then(|(by, line)| Some((by, line.low?)));
            if let Some(fit) = fit.and_then(|(by, line)| own.fit(by, &line)) {
                return own.confirm(fit).map(Ok);
            }
            let from = lower.and_then(|(by, low)| own.least(by, low));
            return own.no_number(lower.is_some(), from).map(Err);
        }
        let Some((by, line)) = fit else {
            // Too little is known for a curve.
            own.more_at(&[low, high])?;
            continue;
        };
        let fits = line.lack_of_fit.is_none_or(|(_, _, p)| p >= ON_A_LINE);
        if let Some(fit) = own.fit(by, &line).filter(|fit| fits && own.is_narrow(fit)) {
            return own.confirm(fit).map(Ok);
        }
        own.surround(by, &line)?;
    }
}

struct Search<'q, 'r, E> {
    question: &'q Question,
    run: &'q mut Run<'r, E>,
    /// By number.
    tried: Vec<Tried>,
    /// Numbers that are simulated now.
    around: Vec<u64>,
    /// How much of the reach numbers near the answer have at first.
    reach: f64,
    /// Distance of the outer ones from the answer.
    apart: f64,
}

impl<E> Search<'_, '_, E> {
    fn goal(&self) -> f64 {
        normal::quantile(self.question.power).unwrap_or(0.0)
    }

    fn used(&self) -> u64 {
        self.tried.iter().map(Tried::studies).sum()
    }

    /// Runs so many further replicates at a number.
    fn more(&mut self, x: u64, studies: u64) -> Result<Vec<Outcome>, E> {
        let at = match self.tried.binary_search_by_key(&x, |own| own.x) {
            Ok(at) => at,
            Err(at) => {
                self.tried.insert(at, Tried::new(x));
                at
            }
        };
        let from = self.tried[at].studies();
        let found = (self.run)(x, from, from + studies)?;
        self.tried[at].add(&found);
        Ok(found)
    }

    fn more_at(&mut self, numbers: &[u64]) -> Result<(), E> {
        for x in numbers {
            self.more(*x, STEP)?;
        }
        Ok(())
    }

    /// Whether the power, made not to fall, has the target at the smallest number already.
    fn is_above(&self) -> bool {
        let goal = self.goal();
        heights(&self.tried).first().is_some_and(|own| *own >= goal)
    }

    /// Where no two numbers enclose the target yet: more at the end that it lies at.
    fn more_at_the_end(&mut self) -> Result<(), E> {
        let (low, high) = self.question.between;
        self.more_at(&[if self.is_above() { low } else { high }])
    }

    /// Why there is no number where to the end no two numbers enclose the target: it lies about the smallest one, or the power ends
    /// near it.
    fn without_bracket(mut self) -> Result<NoAnswer, E> {
        let (low, high) = self.question.between;
        let largest = self.tried.iter().find(|own| own.x == high);
        let grows =
            largest.is_some_and(|own| self.is_far((own.rejections(), own.studies()), 1.0, 3.0));
        if !(grows && self.is_above()) {
            return self.no_number(true, Some(low));
        }
        let (_, studies, rejections) = self.run_fresh(low)?;
        Ok(NoAnswer::AtTheLowEnd(share(rejections, studies)))
    }

    fn begin(&mut self) -> Result<(), E> {
        let (low, high) = self.question.between;
        let roots = ((low as f64).sqrt(), (high as f64).sqrt());
        for quarter in 0..=3 {
            let x = (roots.0 + (roots.1 - roots.0) * f64::from(quarter) / 3.0).powi(2);
            let x = (x.round() as u64).clamp(low, high);
            if self.tried.iter().all(|own| own.x != x) {
                self.more(x, BEGINNING)?;
            }
        }
        Ok(())
    }

    /// Whether the target lies outside the range: by more than three Monte Carlo standard errors, and then by more than two
    /// on fresh replicates that had no part in that.
    fn outside(&mut self) -> Result<Option<NoAnswer>, E> {
        let (low, high) = self.question.between;
        for (x, sign) in [(high, -1.0), (low, 1.0)] {
            let Some(own) = self.tried.iter().find(|own| own.x == x) else {
                continue;
            };
            // A power that does not exist is not one that is too small.
            if x == high && own.all_failed() {
                return Ok(Some(NoAnswer::Failed(own.studies())));
            }
            if !self.is_far((own.rejections(), own.studies()), sign, 3.0) {
                continue;
            }
            let studies = (own.studies() / 2).max(BEGINNING);
            let fresh = self.more(x, studies)?;
            let rejections = fresh.iter().filter(|own| own.rejected).count() as u64;
            let pooled = self.tried.iter().find(|own| own.x == x).map(Tried::power);
            if self.is_far((rejections, studies), sign, 2.0) {
                let pooled = pooled.unwrap_or_default();
                return Ok(Some(if sign < 0.0 {
                    NoAnswer::Beyond(pooled)
                } else {
                    NoAnswer::Below(pooled)
                }));
            }
        }
        Ok(None)
    }

    /// Whether the power, of so many rejections among so many studies, is on that side of the target: by so many errors of
    /// [`CONFIRMED_TO`], and by its exact interval.
    fn is_far(&self, (rejections, studies): (u64, u64), sign: f64, errors: f64) -> bool {
        let Some((low, high)) = exact_ends(rejections, studies, errors) else {
            return false;
        };
        let target = self.question.power;
        let power = rejections as f64 / studies as f64;
        let end = if sign < 0.0 { high } else { low };
        sign * (power - target) > errors * CONFIRMED_TO && sign * (end - target) > 0.0
    }

    /// Two neighbouring numbers between which the power, made not to fall, passes the target.
    fn bracket(&self) -> Option<(u64, u64)> {
        let goal = self.goal();
        let heights = heights(&self.tried);
        let after = heights.iter().position(|height| *height >= goal)?;
        let before = after.checked_sub(1)?;
        Some((self.tried[before].x, self.tried[after].x))
    }

    fn is_wide(&self, low: u64, high: u64) -> bool {
        let heights = heights(&self.tried);
        let at = |x: u64| self.tried.iter().position(|own| own.x == x);
        let height = |x: u64| at(x).and_then(|at| heights.get(at).copied());
        let gap = height(high).zip(height(low));
        high - low > 1 && gap.is_some_and(|(high, low)| high - low > 2.0 * APART)
    }

    /// A number half way, on the scale of the root.
    fn halve(&mut self, low: u64, high: u64) -> Result<(), E> {
        let middle = f64::midpoint((low as f64).sqrt(), (high as f64).sqrt());
        let x = (middle.powi(2).round() as u64).clamp(low + 1, high - 1);
        self.more(x, BEGINNING).map(|_| ())
    }

    /// The line through the numbers near the target, by families or by the number, whichever fits better. While the
    /// points do not lie on a line, only those that are nearer the target are taken, and the next ones are simulated nearer.
    fn near(&mut self, bracket: (u64, u64)) -> Option<(By, Line)> {
        let mut share = self.reach;
        let mut points = self.within(share * NEAR, bracket);
        loop {
            let best = [By::Families, By::Number]
                .into_iter()
                .filter_map(|by| Some((by, self.line(by, &points)?)))
                .reduce(
                    |best, own| {
                        if own.1.away < best.1.away { own } else { best }
                    },
                );
            self.apart = share * APART;
            let lack = best.as_ref().and_then(|(_, own)| own.lack_of_fit);
            if lack.is_none_or(|(_, _, p)| p >= ON_A_LINE) || share <= NEAREST {
                return best;
            }
            share /= 2.0;
            let nearer = self.within(share * NEAR, bracket);
            // Through two points goes any line: the next ones are simulated nearer, and these wait for them.
            if nearer.len() < 3 {
                self.apart = share * APART;
                return best;
            }
            points = nearer;
        }
    }

    /// Places of the numbers in the window of so wide a reach, and of the two that enclose the target.
    fn within(&self, reach: f64, (low, high): (u64, u64)) -> Vec<usize> {
        let (least, _, greatest) = self.window(reach);
        let is_in = |at: &usize| {
            let x = self.tried[*at].x;
            (least..=greatest).contains(&(x as f64)) || x == low || x == high
        };
        (0..self.tried.len()).filter(is_in).collect()
    }

    /// Numbers at which the power that was simulated, made not to fall, passes the target's height less `reach`, the
    /// target's, and that and `reach`; the last no further away than twice the first, since it may never be passed.
    fn window(&self, reach: f64) -> (f64, f64, f64) {
        let heights = heights(&self.tried);
        let goal = self.goal();
        let root = |height: f64| {
            let after = heights.partition_point(|own| *own < height);
            let at = |place: usize| Some((heights.get(place)?, self.tried.get(place)?));
            match (after.checked_sub(1).and_then(at), at(after)) {
                (Some((low, from)), Some((high, to))) => {
                    let (from, to) = ((from.x as f64).sqrt(), (to.x as f64).sqrt());
                    from + (to - from) * (height - low) / (high - low)
                }
                (Some((_, end)), None) | (None, Some((_, end))) => (end.x as f64).sqrt(),
                (None, None) => 0.0,
            }
        };
        let (least, middle, greatest) = (root(goal - reach), root(goal), root(goal + reach));
        let greatest = greatest.min(middle + 2.0 * (middle - least));
        (least.powi(2), middle.powi(2), greatest.powi(2))
    }

    fn line(&self, by: By, near: &[usize]) -> Option<Line> {
        let scale = Scale::new(&self.tried, by);
        let points: Vec<_> = near
            .iter()
            .map(|at| &self.tried[*at])
            .map(|own| (scale.root(own.x as f64), own))
            .collect();
        line(&points, self.question.power)
    }

    /// Where a line has the target, in numbers; `None` where the range does not hold it and its interval.
    fn fit(&self, by: By, line: &Line) -> Option<Fit> {
        let scale = Scale::new(&self.tried, by);
        Some(Fit {
            a: line.a,
            b: line.b,
            by,
            estimate: scale.number(line.root)?,
            low: scale.number(line.low?)?,
            high: scale.number(line.high?)?,
            lack_of_fit: line.lack_of_fit,
            scale,
        })
    }

    /// The smallest whole number of the range at this place of a line; `None` where it lies after all that were tried.
    fn least(&self, by: By, root: f64) -> Option<u64> {
        let (low, high) = self.question.between;
        let own = Scale::new(&self.tried, by).number(root)?;
        Some((own.ceil() as u64).clamp(low, high))
    }

    /// How far from the answer a number may be to stand for it.
    fn unit(&self, estimate: f64) -> f64 {
        (self.question.within * estimate / 2.0).max(0.5)
    }

    fn is_narrow(&self, fit: &Fit) -> bool {
        let wide = (self.question.within * fit.estimate).max(0.5);
        fit.high - fit.low <= 2.0 * wide && self.is_enclosed(fit.estimate)
    }

    /// Whether numbers close to the answer were tried, so that what studies reach there is known and not drawn from afar.
    fn is_enclosed(&self, estimate: f64) -> bool {
        let unit = 2.0 * self.unit(estimate);
        let close = |own: &&Tried| (own.x as f64 - estimate).abs() <= unit;
        let mut close = self.tried.iter().filter(close).map(|own| own.x as f64);
        let is_below = close.clone().any(|x| x <= estimate);
        let (least, greatest) = self.question.between;
        is_below && close.any(|x| x >= estimate)
            || estimate <= least as f64
            || estimate >= greatest as f64
    }

    /// More studies at the answer and on both sides of it.
    fn surround(&mut self, by: By, line: &Line) -> Result<(), E> {
        let (low, high) = self.question.between;
        let (least, middle, greatest) = self.window(self.apart);
        let by_line = Scale::new(&self.tried, by).number(line.root);
        let estimate = by_line
            .filter(|own| (least..=greatest).contains(own))
            .unwrap_or(middle);
        let away = |x: f64| (x.sqrt() - estimate.sqrt()).abs();
        let inside = match self.around.as_slice() {
            [first, .., last] => {
                let is_apart = |x: u64, end: f64| {
                    let share = away(x as f64) / away(end);
                    (0.5..=2.0).contains(&share) || (x as f64 - end).abs() <= 1.0
                };
                is_apart(*first, least) && is_apart(*last, greatest) && self.is_enclosed(estimate)
            }
            _ => false,
        };
        if !inside {
            let unit = self.unit(estimate);
            let (from, to) = if unit > 1.0 {
                ((estimate - unit).floor(), (estimate + unit).ceil())
            } else {
                (estimate.floor(), estimate.ceil())
            };
            let all = [least.floor().min(from), from, to, greatest.ceil().max(to)];
            self.around = all
                .into_iter()
                .map(|x| (x.max(0.0) as u64).clamp(low, high))
                .collect();
            self.around.dedup();
        }
        let around = self.around.clone();
        self.more_at(&around)
    }

    /// First replicate that no number has had.
    fn fresh(&self) -> u64 {
        self.tried.iter().map(Tried::studies).max().unwrap_or(0)
    }

    /// How many of the replicates of the confirmation reject at a number: the first of them, their number, rejections.
    fn run_fresh(&mut self, x: u64) -> Result<(u64, u64, u64), E> {
        let power = self.question.power;
        let by_error = (power * (1.0 - power) / (CONFIRMED_TO * CONFIRMED_TO)).ceil() as u64;
        let studies = self.question.confirm.unwrap_or(by_error);
        let fresh = self.fresh();
        let (mut from, mut rejections) = (fresh, 0);
        while from < fresh + studies {
            let to = (fresh + studies).min(from + 1000);
            let found = (self.run)(x, from, to)?;
            rejections += found.iter().filter(|own| own.rejected).count() as u64;
            from = to;
        }
        Ok((fresh, studies, rejections))
    }

    fn confirm(mut self, fit: Fit) -> Result<Found, E> {
        let up = |x: f64| (x.ceil() as u64).clamp(self.question.between.0, self.question.between.1);
        let (x, whole) = (up(fit.estimate), (up(fit.low), up(fit.high)));
        let is_narrow = self.is_narrow(&fit);
        let confirmed = self.run_fresh(x)?;
        Ok(Found {
            x,
            whole,
            fit,
            tried: self.tried,
            is_narrow,
            confirmed,
        })
    }

    /// What fresh replicates say of the largest number, when all others do not tell where the power has the target.
    fn no_number(mut self, grows: bool, from: Option<u64>) -> Result<NoAnswer, E> {
        let (_, studies, rejections) = self.run_fresh(self.question.between.1)?;
        let figure = share(rejections, studies);
        Ok(if self.is_far((rejections, studies), -1.0, 2.0) {
            NoAnswer::Beyond(figure)
        } else if grows {
            NoAnswer::Unclear {
                power: figure,
                from,
            }
        } else {
            NoAnswer::Flat
        })
    }
}
