//! Looks at the primary analysis before its final lock: what each may spend, and what they leave to the last one.
//!
//! Interim locks spend registered amounts of alpha. At every look the critical value follows from the information that
//! there is, 1/variance of the effect, and from what earlier looks spent (Lan and DeMets 1983; the amounts are fixed, so
//! no total of information need be planned). The deciding p is that of the registered test, and its limit is the nominal
//! level of the critical value. Intervals are repeated ones; a study that stops also gets the interval and the
//! median-unbiased estimate of the stage-wise ordering (see [`crate::estimation::group_sequential`]).
//!
//! Ratios are weighed and bounded on the scale of their logarithm; a log-rank test by O − E and its variance; a difference of two
//! proportions by the standard error of its own test, a score test where that is registered, so that one statistic decides, and
//! bounded by that of the estimate, which the test's, that of no difference, is not where there is one.

mod alone;

use super::plan::{Plan, Planned, treated_arms};
use super::results::{AnalysisResult, LookResult};
use super::workspace::{Effect, Scale, Workspace, weighed};
use crate::estimation::group_sequential::{Boundaries, Final, Look, Sides};
use crate::estimation::{Estimate, EstimationError, Warning};
use crate::numerics::shares::within;
use crate::numerics::{decimals, normal};
use crate::protocol::Protocol;
use crate::protocol::model::{Analysis, Day};
use crate::study::kernel::State;
use crate::words;
use alone::{FARTHEST, alone, exact, unweighed};

pub(super) use alone::bound;
pub(crate) use alone::{looked_at, score_limits};

/// An earlier look at an analysis: its lock, and what was seen there.
#[derive(Debug, Clone, PartialEq)]
pub struct EarlierLook {
    /// Id of the analysis.
    pub analysis: String,
    /// Index of the lock.
    pub lock: usize,
    /// The effect as it was.
    pub look: Look,
    /// The p of the registered test there, see [`super::registered_p`]; `None` where none is registered or it did not exist.
    pub p_value: Option<f64>,
}

/// What is seen of an analysis at a lock: the effect of the first treated arm, from the state and cut of that lock.
///
/// # Errors
/// An effect that does not exist there.
pub fn look(
    protocol: &Protocol,
    state: &State,
    cut: Day,
    analysis: &Analysis,
) -> Result<Look, EstimationError> {
    let plan = Plan::default().with_post_hoc(analysis.clone());
    let mut effects = Vec::new();
    let mut workspace = Workspace::default();
    plan.effects(protocol, state, cut, &mut workspace, &mut effects);
    let effect = effects.pop().unwrap_or(Err(EstimationError::NoRows))?;
    looked_at(&effect, analysis, &workspace).ok_or(EstimationError::NoRows)
}

impl Scale {
    /// An effect as looks are weighed by.
    fn to_look(self, effect: f64) -> f64 {
        match self {
            Self::Identity | Self::Score => effect,
            Self::Log => libm::log(effect),
        }
    }

    /// What looks say of an effect, on its measure's own scale; `None` where a test has no estimate.
    pub(crate) fn of_look(self, value: f64) -> Option<f64> {
        match self {
            Self::Identity => Some(value),
            Self::Log => Some(libm::exp(value)),
            Self::Score => None,
        }
    }
}

fn look_of((estimate, std_error, scale): (f64, f64, Scale), df: Option<f64>) -> Option<Look> {
    let estimate = scale.to_look(estimate);
    let known = estimate.is_finite() && std_error > 0.0 && std_error.is_finite();
    known.then_some(Look {
        estimate,
        std_error,
        df,
    })
}

/// The standard error with which an estimate has the statistic of its own p: that of the estimate itself for a Wald test, and for
/// a score test that of no effect. By it a look is weighed and its boundary met exactly where the p meets its limit. An estimate
/// of 0 has no other than its own.
fn tested_error(
    (estimate, std_error, scale): (f64, f64, Scale),
    df: Option<f64>,
    statistic: Option<f64>,
) -> f64 {
    let normal = scale == Scale::Identity && df.is_none();
    let tested = statistic.filter(|_| normal);
    let tested = tested.map(|statistic| (estimate / statistic).abs());
    let other = |own: &f64| *own > 0.0 && own.is_finite() && (own / std_error - 1.0).abs() > 1e-9;
    tested.filter(other).unwrap_or(std_error)
}

/// How a value that is counted in the standard errors of a test is told on its measure's own scale.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Told {
    scale: Scale,
    /// Of a difference of two proportions whose test has another standard error: the estimate, and how many of the test's standard
    /// errors one of its own is.
    own: Option<(f64, f64)>,
}

impl Told {
    /// Of an effect that was weighed as `look`.
    pub(crate) fn of((_, std_error, scale): (f64, f64, Scale), look: &Look) -> Self {
        let ratio = std_error / look.std_error;
        let other = scale == Scale::Identity && (ratio - 1.0).abs() > 1e-9;
        // Without an error of its own (none of 6 and all of 7) the estimate has that of its test.
        let known = ratio > 0.0 && ratio.is_finite();
        let own = other.then_some((look.estimate, if known { ratio } else { 1.0 }));
        Self { scale, own }
    }

    /// A value of looks; `None` where a test has no estimate.
    pub(crate) fn value(self, value: f64) -> Option<f64> {
        let of_two = |(estimate, ratio): (f64, f64)| {
            let own: f64 = estimate + (value - estimate) * ratio;
            own.clamp(-1.0, 1.0)
        };
        self.scale.of_look(self.own.map_or(value, of_two))
    }
}

/// An effect as looks are weighed by; `None` where nothing varies.
pub(crate) fn weight(effect: &Effect) -> Option<Look> {
    let own = (effect.estimate, effect.std_error, effect.scale);
    let std_error = tested_error(own, effect.df, effect.statistic);
    look_of((effect.estimate, std_error, effect.scale), effect.df)
}

/// Whether an effect was weighed at a look, or tested without a standard error.
pub(crate) fn is_weighed(look: &Look) -> bool {
    look.information() > 0.0
}

/// The normal deviate of a look, see [`looked_at`].
fn deviate(look: &Look) -> f64 {
    if is_weighed(look) {
        look.z().unwrap_or(0.0)
    } else {
        look.estimate
    }
}

/// What the looks so far leave to the last of them to decide.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Standing {
    /// The limit that the deciding p had at each look.
    limits: Vec<f64>,
    /// The boundaries of the looks so far; `None` where there is no more information than at an earlier look: then its
    /// limit is the amount that this look may spend alone.
    plan: Option<Boundaries>,
    /// The critical value that each look had.
    critical: Vec<f64>,
    /// Places of the looks at which there was no more information than at an earlier one.
    fell: Vec<usize>,
}

impl Standing {
    /// Limit of the deciding p at the last look.
    pub(crate) fn nominal(&self) -> f64 {
        self.limits.last().copied().unwrap_or(0.0)
    }

    /// The repeated interval of the last look, on the measure's own scale: by the boundaries, or where the information fell
    /// there by the critical value of its own amount. `None` where there is no standard error: see [`score_limits`].
    pub(crate) fn repeated(&self, own: &Look, told: Told) -> Option<(f64, f64)> {
        if !is_weighed(own) {
            return None;
        }
        let critical = self.critical.last()?.min(FARTHEST);
        let (low, high) = own.repeated_interval(critical).ok()?;
        Some((told.value(low)?, told.value(high)?))
    }

    /// The boundaries by which outcomes of a study that ends with the last of the looks have an order by stages: only where each
    /// look goes on from the one before, and the study from each until it ends past its boundary or at its `own` lock.
    pub(crate) fn by_stages(&self, looks: &[(usize, Look)], own: usize) -> Option<&Boundaries> {
        let plan = self.plan.as_ref().filter(|_| self.fell.is_empty());
        plan.filter(|_| !self.short(looks, own) && self.passed(looks).next().is_none())
    }

    /// Whether the last look is not at the analysis' `own` lock and its deviate not past its boundary. Where a study is stopped
    /// there all the same, since the registered test rejects, the order by stages has no place for it: by it such a study goes on.
    fn short(&self, looks: &[(usize, Look)], own: usize) -> bool {
        let last = looks.last().zip(self.critical.last());
        last.is_some_and(|((lock, look), critical)| *lock != own && deviate(look).abs() < *critical)
    }

    /// The locks of earlier looks whose deviate was past its boundary. Where none of them ended the study, since the registered
    /// test did not reject there, the order by stages supposes a stop that was not made: by it an outcome like this one, past an
    /// earlier boundary, does not exist.
    fn passed<'l>(&'l self, looks: &'l [(usize, Look)]) -> impl Iterator<Item = usize> + 'l {
        let earlier = looks.split_last().map_or(&[][..], |(_, earlier)| earlier);
        let earlier = earlier.iter().zip(&self.critical);
        earlier
            .filter(|((_, look), critical)| deviate(look).abs() >= **critical)
            .map(|((lock, _), _)| *lock)
    }
}

/// Where an analysis stands at the last of some looks, which are in the order of their locks.
pub(crate) fn standing(
    protocol: &Protocol,
    analysis: &Analysis,
    looks: &[(usize, Look)],
) -> Standing {
    let cumulative = looks
        .iter()
        .map(|(lock, _)| spent(protocol, analysis, *lock));
    let cumulative: Vec<f64> = cumulative.collect();
    let information: Vec<f64> = looks.iter().map(|(_, look)| look.information()).collect();
    if let Ok(plan) = Boundaries::spending(&information, &cumulative, Sides::Two) {
        let critical = plan.critical_values().to_vec();
        let places = critical.iter().enumerate();
        let limits = places.map(|(place, critical)| limit(&cumulative[..=place], *critical));
        return Standing {
            limits: limits.collect(),
            plan: Some(plan),
            critical,
            fell: Vec::new(),
        };
    }
    fallen(&information, &cumulative)
}

/// The limit of a p at the last of some looks that go on from one another, by what they spend and by its critical value. At the first of
/// them the amount itself: there and back through the critical value it would be another number.
fn limit(spent: &[f64], critical: f64) -> f64 {
    match spent {
        [only] if critical.is_finite() => *only,
        _ => 2.0 * normal::sf(critical),
    }
}

/// Where the information did not always rise: a look with no more of it than an earlier one, or with none, spends its own amount
/// alone, and those before and after it go on without it. By Bonferroni's inequality all of them together spend no more than registered.
fn fallen(information: &[f64], cumulative: &[f64]) -> Standing {
    let mut own = Standing {
        limits: Vec::new(),
        plan: None,
        critical: Vec::new(),
        fell: Vec::new(),
    };
    // Of the looks that go on from one another.
    let (mut rising, mut spent) = (Vec::new(), Vec::new());
    let mut before = 0.0;
    for (place, (information, cumulative)) in information.iter().zip(cumulative).enumerate() {
        let amount = decimals::sum(&[*cumulative, -before]);
        before = *cumulative;
        rising.push(*information);
        spent.push(decimals::sum(&[
            spent.last().copied().unwrap_or(0.0),
            amount,
        ]));
        own.plan = Boundaries::spending(&rising, &spent, Sides::Two).ok();
        let critical = if let Some(plan) = &own.plan {
            plan.critical_values().last().copied()
        } else {
            rising.pop();
            spent.pop();
            own.fell.push(place);
            normal::quantile(0.5 * amount).ok().map(|z| -z)
        };
        let critical = critical.unwrap_or(f64::INFINITY);
        own.limits.push(match &own.plan {
            Some(_) => limit(&spent, critical),
            None => amount,
        });
        own.critical.push(critical);
    }
    own
}

/// Whether a p at the last of some looks is on either side of its limit whatever the information: the limit is at least
/// what the look itself may spend, and at most what has been spent until it; `None` where that does not settle it.
pub(crate) fn settled(
    protocol: &Protocol,
    analysis: &Analysis,
    (before, lock): (Option<usize>, usize),
    p_value: f64,
) -> Option<bool> {
    // Sums as they come are enough here.
    let sum = |lock| amounts(protocol, analysis, lock).sum();
    let all: f64 = sum(lock);
    let gone = before.map_or(0.0, sum);
    // Room for rounding, and for paths that cross on one side and later on the other.
    if p_value < 0.999 * (all - gone) {
        Some(true)
    } else if p_value > 1.01 * all {
        Some(false)
    } else {
        None
    }
}

/// What a study says that ends with its last look, by the stage-wise ordering; on the scale of looks.
pub(crate) fn ended(own: &Look, plan: &Boundaries, analysis: &Analysis) -> Option<Final> {
    let now = plan.critical_values().len().checked_sub(1)?;
    own.stage_wise(plan, now, 1.0 - analysis.alpha).ok()
}

/// The p-value of [`ended`] alone: all that a test without an estimate has of it.
pub(crate) fn ended_p_value(own: &Look, plan: &Boundaries) -> Option<f64> {
    let now = plan.critical_values().len().checked_sub(1)?;
    own.stage_wise_p_value(plan, now).ok()
}

/// Alpha that an analysis has spent once a lock has been looked at: registered amounts in the order of locks, and all
/// of it at its own lock.
pub(super) fn spent(protocol: &Protocol, analysis: &Analysis, lock: usize) -> f64 {
    let amounts: Vec<f64> = amounts(protocol, analysis, lock).collect();
    decimals::sum(&amounts)
}

/// What of it was registered: amounts, or all at its own lock.
fn amounts(protocol: &Protocol, analysis: &Analysis, lock: usize) -> impl Iterator<Item = f64> {
    let own = lock == analysis.lock;
    let until = analysis.looks.iter();
    let until = until.filter(move |look| !own && **look <= lock);
    let until = until.filter_map(|look| Some(protocol.locks.get(*look)?.alpha));
    until.chain(own.then_some(analysis.alpha))
}

/// Puts a monitored analysis into the light of its looks: limit, repeated interval, and what a stopped study says.
pub(super) fn monitor(
    protocol: &Protocol,
    planned: &Planned,
    lock: usize,
    earlier: &[EarlierLook],
    workspace: &Workspace,
    result: &mut AnalysisResult,
) {
    let analysis = &planned.analysis;
    let mut earlier: Vec<&EarlierLook> = earlier
        .iter()
        .filter(|own| own.analysis == analysis.id && own.lock != lock)
        .collect();
    earlier.sort_by_key(|own| own.lock);
    let Some(row) = result.results.first() else {
        unweighed(protocol, analysis, lock, &earlier, result);
        return;
    };
    let own = weighed(row).and_then(|effect| {
        let (estimate, _, scale) = effect;
        let df = row.df.filter(|_| scale != Scale::Score);
        let std_error = tested_error(effect, df, row.statistic);
        let own = look_of((estimate, std_error, scale), df)?;
        Some((own, Told::of(effect, &own)))
    });
    let endless = || {
        let tested = row.statistic.filter(|_| row.endless().is_some());
        let scale = Scale::Log;
        Some((alone(tested, row.p_value)?, Told { scale, own: None }))
    };
    let left_over = || {
        let scale = Scale::Identity;
        let effect = (row.estimate?, row.std_error?, scale);
        let own = exact(analysis, workspace, effect).filter(|_| result.test.is_some())?;
        Some((own, Told { scale, own: None }))
    };
    let Some((own, told)) = own.or_else(endless).or_else(left_over) else {
        unweighed(protocol, analysis, lock, &earlier, result);
        return;
    };
    let mut looks: Vec<(usize, Look)> = earlier.iter().map(|own| (own.lock, own.look)).collect();
    looks.push((lock, own));
    let mut tested: Vec<Option<f64>> = earlier.iter().map(|own| own.p_value).collect();
    tested.push(result.test.as_ref().map(|test| test.p_value));
    let standing = standing(protocol, analysis, &looks);
    result.alpha = Some(standing.nominal());
    let fell = |weighed: bool| {
        let fell = standing.fell.iter().map(|place| &looks[*place]);
        let own = fell.filter(|(_, look)| is_weighed(look) == weighed);
        let ids: Vec<String> = own
            .map(|(lock, _)| format!("`{}`", protocol.locks[*lock].id))
            .collect();
        (!ids.is_empty()).then(|| ids.join(", "))
    };
    if let Some(ids) = fell(false).filter(|_| analysis.test.is_some()) {
        result.warnings.push(Warning::new(
            "information-fell",
            words!(
                "at {ids} the model fits every outcome exactly, so that there is a test by redraws and no standard error: the critical value there is that of the look's own amount of alpha alone, which no later look has; the interval is repeated, and there is none by stages",
                "vid {ids} anpassas modellen exakt till alla utfall, så att det finns ett test genom omlottning men inget medelfel: det kritiska värdet där är det för tittens eget belopp av alfa, som ingen senare titt får; intervallet är upprepat, och något stegvis finns inte"
            ),
        ));
    } else if let Some(ids) = fell(false) {
        result.warnings.push(Warning::new(
            "information-fell",
            words!(
                "the ratio was 0 or infinite at {ids}, with a test and no standard error: the critical value there is that of the look's own amount of alpha alone, which no later look has; the interval is repeated, and there is none by stages",
                "kvoten var 0 eller oändlig vid {ids}, med ett test men inget medelfel: det kritiska värdet där är det för tittens eget belopp av alfa, som ingen senare titt får; intervallet är upprepat, och något stegvis finns inte"
            ),
        ));
    }
    if let Some(ids) = fell(true) {
        result.warnings.push(Warning::new(
            "information-fell",
            words!(
                "there was no more information at {ids} than at a look before: the critical value there is that of the look's own amount of alpha alone, which is valid and a little strict; the interval is repeated, and there is none by stages",
                "vid {ids} fanns inte mer information än vid en tidigare titt: det kritiska värdet där är det för tittens eget belopp av alfa, vilket är giltigt och något strängt; intervallet är upprepat, och något stegvis finns inte"
            ),
        ));
    }
    let seen = (looks.as_slice(), tested.as_slice(), told);
    monitored(protocol, analysis, seen, &standing, result);
}

/// The looks with their locks, the p of the registered test at each, and how the effect of the last is told.
type Seen<'s> = (&'s [(usize, Look)], &'s [Option<f64>], Told);

/// Lists looks, and gives the place of the first of them that crossed its limit. Where a test is registered it decides, at a look as at
/// the end: the deviate of the effect may be beyond the boundary when the test's p is not, and the other way round.
fn listed(
    protocol: &Protocol,
    analysis: &Analysis,
    (looks, tested): (&[(usize, Look)], &[Option<f64>]),
    standing: &Standing,
    result: &mut AnalysisResult,
) -> Option<usize> {
    let most = looks.iter().map(|(_, look)| look.information());
    let most = most.fold(0.0, f64::max);
    let mut first = None;
    for (index, (lock, look)) in looks.iter().enumerate() {
        let critical = standing.critical[index];
        let z = deviate(look);
        let nominal = standing.limits[index];
        let crossed = match tested.get(index) {
            Some(p_value) if analysis.test.is_some() => p_value.is_some_and(|p| within(p, nominal)),
            _ => z.abs() >= critical,
        };
        if crossed && first.is_none() {
            first = Some(index);
        }
        result.looks.push(LookResult {
            lock: protocol.locks[*lock].id.clone(),
            information: if most > 0.0 {
                look.information() / most
            } else {
                0.0
            },
            z,
            critical: Some(critical).filter(|value| value.is_finite()),
            cumulative_alpha: spent(protocol, analysis, *lock),
            crossed,
        });
    }
    first
}

/// What the last of the looks says in the light of those before it.
fn monitored(
    protocol: &Protocol,
    analysis: &Analysis,
    (looks, tested, told): Seen<'_>,
    standing: &Standing,
    result: &mut AnalysisResult,
) {
    let first = listed(protocol, analysis, (looks, tested), standing, result);
    result.looked_here = true;
    let now = looks.len() - 1;
    let (lock, own) = looks[now];
    if let Some(row) = result
        .results
        .first_mut()
        .filter(|_| told.scale != Scale::Score)
    {
        let limits = standing.repeated(&own, told);
        row.conf_low = limits.map(|(low, _)| low);
        row.conf_high = limits.map(|(_, high)| high);
        row.level = 1.0 - standing.nominal();
        "repeated".clone_into(&mut row.interval);
        let outside = limits.is_some_and(|(low, high)| low > 0.0 || high < 0.0);
        let rejects = row.p_value.is_some_and(|p| within(p, standing.nominal()));
        if told.own.is_some() && analysis.test.is_none() && outside != rejects {
            result.warnings.push(Warning::new(
                "test-and-interval-disagree",
                words!(
                    "the p of the score test and the repeated interval, which has the standard error of the estimate itself, disagree; the p decides",
                    "poängtestets p och det upprepade intervallet, som har skattningens eget standardfel, är oense; p avgör"
                ),
            ));
        }
    }
    let before = first.filter(|index| *index < now);
    if let Some(index) = before {
        let id = &protocol.locks[looks[index].0].id;
        result.warnings.push(Warning::new(
            "crossed-earlier",
            words!(
                "the boundary was crossed at the look `{id}` already: the repeated interval holds, the study's decision was taken there",
                "gränsen passerades redan vid titten `{id}`: det upprepade intervallet gäller, studiens beslut togs där"
            ),
        ));
        return;
    }
    if first.is_none() && lock != analysis.lock {
        return;
    }
    let passed = standing.passed(looks);
    let ids = passed.map(|lock| format!("`{}`", protocol.locks[lock].id));
    let ids: Vec<String> = ids.collect();
    if !ids.is_empty() {
        let ids = ids.join(", ");
        result.warnings.push(Warning::new(
            "look-past-boundary",
            words!(
                "at {ids} the effect was past its boundary, but the registered test did not reject, so the study went on: the interval is repeated, and there is none by stages, which would suppose a stop there",
                "vid {ids} var effekten bortom sin gräns, men det registrerade testet förkastade inte, så studien fortsatte: intervallet är upprepat, och något stegvis finns inte, eftersom det hade förutsatt ett stopp där"
            ),
        ));
    }
    if standing.short(looks, analysis.lock) {
        let id = &protocol.locks[lock].id;
        result.warnings.push(Warning::new(
            "look-short-of-boundary",
            words!(
                "at `{id}` the registered test rejects, which decides, but the effect is not past its boundary: the interval is repeated, and there is none by stages, by which the study would go on",
                "vid `{id}` förkastar det registrerade testet, som avgör, men effekten är inte bortom sin gräns: intervallet är upprepat, och något stegvis finns inte, eftersom studien enligt det hade fortsatt"
            ),
        ));
    }
    let plan = standing.by_stages(looks, analysis.lock);
    let own = (&own, told);
    if let Some(row) = plan.and_then(|plan| stage_wise(plan, own, analysis, result.results.first()))
    {
        result.results.insert(1, row);
    }
}

/// The row of a study that stops here: stage-wise p, interval and median-unbiased estimate.
fn stage_wise(
    plan: &Boundaries,
    (own, told): (&Look, Told),
    analysis: &Analysis,
    first: Option<&Estimate>,
) -> Option<Estimate> {
    let mut row = first?.clone();
    row.std_error = None;
    row.statistic = None;
    row.df = None;
    if told.scale == Scale::Score {
        row.p_value = Some(ended_p_value(own, plan)?);
    } else {
        let last = ended(own, plan, analysis)?;
        row.estimate = told.value(last.estimate);
        row.p_value = Some(last.p_value);
        row.conf_low = told.value(last.conf_low);
        row.conf_high = told.value(last.conf_high);
    }
    row.level = 1.0 - analysis.alpha;
    "stage-wise".clone_into(&mut row.interval);
    Some(row)
}

/// The analyses of a plan that were looked at before a lock, and where.
pub fn earlier_looks(protocol: &Protocol, lock: usize) -> Vec<(&Analysis, usize)> {
    let mut list = Vec::new();
    for analysis in &protocol.analyses {
        if analysis.lock != lock && !analysis.looks.contains(&lock) {
            continue;
        }
        if treated_arms(protocol).next().is_none() {
            continue;
        }
        let before = analysis.looks.iter().filter(|look| **look < lock);
        list.extend(before.map(|look| (analysis, *look)));
    }
    list
}
