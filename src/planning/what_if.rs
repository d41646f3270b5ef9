//! Alternatives side by side: what a changed scenario has more than the scenario as it is, study by study.
//!
//! Both run the same replicates on common random numbers, so the error of a difference is that of the paired
//! differences, not of two figures apart.

use super::judging::Judge;
use super::performance::{Figure, Moments, with_exact_ends};
use super::record::Record;
use super::scenario::{Cell, set_path};

/// Sums of paired differences, alternative − base.
#[derive(Debug, Clone, Default)]
pub(super) struct Paired {
    families: Moments,
    days_closed: Moments,
    cost: Moments,
    /// What decides in base and alternative.
    judges: [Judge; 2],
    /// The rejections, by comparison of the base.
    rejections: Vec<PairedRejections>,
}

/// Rejections of one comparison.
#[derive(Debug, Clone, Default)]
struct PairedRejections {
    /// Place among the alternative's comparisons of the one with the same name; `None` where it has none.
    there: Option<usize>,
    difference: Moments,
    /// Whether any study gave numbers of it, in the base and in the alternative.
    answered: [bool; 2],
    /// Studies in which the alternative alone rejects, and in which the base alone does.
    alone: (u64, u64),
}

/// What an alternative has more than the base, on the same replicates.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    /// Pairs of studies.
    pub replicates: u64,
    /// Families randomized.
    pub families: Figure,
    /// Days on which a gate was closed, over all sites.
    pub days_closed: Figure,
    /// Cost; without a value where one of the two does not say what things cost.
    pub cost: Figure,
    /// Power, per comparison of the base; without a value where it decides nothing, where the alternative has none of its name, and
    /// where in one of the two no study gave numbers.
    pub power: Vec<(String, Figure)>,
}

impl Paired {
    /// Of the comparisons of two cells, which are the same where they have the same name.
    pub(super) fn new((base, here): (&Cell, &Judge), (other, there): (&Cell, &Judge)) -> Self {
        let names = other.names();
        let place = |own: &String| PairedRejections {
            there: names.iter().position(|other| other == own),
            ..PairedRejections::default()
        };
        Self {
            judges: [here.clone(), there.clone()],
            rejections: base.names().iter().map(place).collect(),
            ..Self::default()
        }
    }

    /// Adds the next replicate: its record in the base and in the alternative, each with what it costs.
    pub(super) fn add(
        &mut self,
        (base, base_cost): (&Record, Option<f64>),
        (other, other_cost): (&Record, Option<f64>),
    ) {
        if let (Some(base), Some(other)) = (base_cost, other_cost) {
            self.cost.add(other - base);
        }
        let difference = |of: fn(&Record) -> u32| f64::from(of(other)) - f64::from(of(base));
        self.families.add(difference(|record| record.families));
        self.days_closed
            .add(difference(|record| record.days_closed));
        let [here, there] = &self.judges;
        let (befores, afters) = (here.rejects(base), there.rejects(other));
        let gave = |record: &Record, place: usize| {
            let own = record.analyses.get(place);
            own.is_some_and(|own| own.found.is_ok())
        };
        let each = self.rejections.iter_mut().zip(here.limits()).zip(befores);
        for (place, ((own, limit), before)) in each.enumerate() {
            let decides = |place: &usize| there.limits().get(*place).is_some_and(Option::is_some);
            let after = own.there.filter(decides);
            let after = after.and_then(|place| afters.get(place).copied());
            if let (Some(_), Some(after)) = (limit, after) {
                own.answered[0] |= gave(base, place);
                own.answered[1] |= own.there.is_some_and(|there| gave(other, there));
                own.alone.0 += u64::from(after && !before);
                own.alone.1 += u64::from(before && !after);
                own.difference
                    .add(f64::from(u8::from(after)) - f64::from(u8::from(before)));
            }
        }
    }

    pub(super) fn difference(&self, base: &Cell) -> Difference {
        let names = base.names().into_iter();
        Difference {
            replicates: self.families.count(),
            families: self.families.mean(),
            days_closed: self.days_closed.mean(),
            cost: self.cost.mean(),
            power: names
                .zip(self.rejections.iter().map(PairedRejections::power))
                .collect(),
        }
    }
}

/// Whether a difference of means is 0 in every pair of studies. Its standard error is then 0 however few they are, and no law of what
/// is counted gives it ends.
///
/// ```
/// use lottning::planning::{performance::Figure, what_if::never_differs};
/// let figure = |value, mcse| Figure { value: Some(value), mcse: Some(mcse), ..Figure::default() };
/// assert!(never_differs(&figure(0.0, 0.0)) && !never_differs(&figure(-2.0, 0.0)));
/// assert!(!never_differs(&figure(0.0, 0.3)) && !never_differs(&Figure::default()));
/// ```
pub fn never_differs(figure: &Figure) -> bool {
    let none = |of: Option<f64>| of.is_some_and(|own| own.abs() <= 0.0);
    none(figure.value) && none(figure.mcse) && figure.lower.is_none()
}

impl PairedRejections {
    fn power(&self) -> Figure {
        // Where no study gave numbers there is no power, and no difference from one.
        if self.answered != [true; 2] {
            return Figure::default();
        }
        let figure = self.difference.mean();
        with_exact_ends(figure, self.alone, self.difference.count())
    }
}

/// The settings of an alternative: words separated by blanks, except within brackets, braces and quotation marks.
/// `None` where one of them is no `KEY=VALUE`, a bracket is not closed, or there is none.
///
/// ```
/// use lottning::planning::what_if::settings;
/// let found = settings("therapists=3  ratio=1:2 accrual.closed_weeks=[28, 29]");
/// assert_eq!(found.unwrap_or_default(), ["therapists=3", "ratio=1:2", "accrual.closed_weeks=[28, 29]"]);
/// assert_eq!(settings("therapists"), None);
/// ```
pub fn settings(text: &str) -> Option<Vec<String>> {
    let mut found = vec![String::new()];
    let (mut depth, mut quote) = (0_u32, None);
    for c in text.chars() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (None, '"' | '\'') => quote = Some(c),
            (None, '[' | '{') => depth += 1,
            (None, ']' | '}') => depth = depth.checked_sub(1)?,
            _ => {}
        }
        if c.is_whitespace() && depth == 0 && quote.is_none() {
            found.push(String::new());
        } else if let Some(last) = found.last_mut() {
            last.push(c);
        }
    }
    found.retain(|setting| !setting.is_empty());
    let sound = |setting: &String| {
        setting
            .split_once('=')
            .is_some_and(|(key, _)| !key.is_empty())
    };
    (depth == 0 && quote.is_none() && !found.is_empty() && found.iter().all(sound)).then_some(found)
}

/// Two settings of which the later one leaves nothing of the earlier one: of the same key, or of a section that holds its key.
///
/// ```
/// use lottning::planning::what_if::passed_over;
/// let of = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
/// assert_eq!(passed_over(&of(&["months=12", "therapists=3", "accrual.months=24"])), Some(("months=12", "accrual.months=24")));
/// // A section, and then one of its keys: nothing is lost.
/// assert_eq!(passed_over(&of(&["cost={ fixed = 1 }", "cost.per_family=2"])), None);
/// ```
pub fn passed_over(settings: &[String]) -> Option<(&str, &str)> {
    let path = |text: &str| {
        let key = text.split_once('=').map_or(text, |(key, _)| key);
        format!("{}.", set_path(key.trim()))
    };
    settings.iter().enumerate().find_map(|(place, later)| {
        let own = path(later);
        let earlier = settings[..place]
            .iter()
            .find(|earlier| path(earlier).starts_with(&own))?;
        Some((earlier.as_str(), later.as_str()))
    })
}
