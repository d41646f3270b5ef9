//! The effect among compliers in words: the set that Anderson and Rubin's test does not reject, and what it leaves open.
//!
//! The set may have no limits (Anderson and Rubin 1949, doi 10.1214/aoms/1177730090). Then it is said, without an estimate:
//! where the first stage is that weak, neither the estimate nor its Wald interval is to be trusted.

use super::{Between, Scale, finite};
use crate::diagnostic::Words;
use crate::estimation::Estimate;
use crate::words;

/// The effects that the test does not reject.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Compatible {
    /// From, to.
    Interval(f64, f64),
    /// All but those between two numbers.
    Outside(f64, f64),
    /// All up to a number.
    UpTo(f64),
    /// All from a number on.
    From(f64),
    /// All.
    Any,
}

impl Compatible {
    /// Of a row of Anderson and Rubin's test; `None` where there is no test to invert.
    pub(super) fn of(row: &Estimate) -> Option<Self> {
        let end = |key: &str| finite(row.extra.get(key).and_then(serde_json::Value::as_f64));
        match row.extra.get("set")?.as_str()? {
            "interval" => Some(Self::Interval(
                finite(row.conf_low)?,
                finite(row.conf_high)?,
            )),
            "two rays" => Some(match (end("ray_to"), end("ray_from")) {
                (Some(to), Some(from)) => Self::Outside(to, from),
                (Some(to), None) => Self::UpTo(to),
                (None, Some(from)) => Self::From(from),
                (None, None) => Self::Any,
            }),
            _ => Some(Self::Any),
        }
    }

    /// Whether the set has limits on both sides.
    pub(super) fn is_bounded(self) -> bool {
        matches!(self, Self::Interval(..))
    }

    /// Whether effects on both sides of none are in the set.
    pub(super) fn is_of_both_signs(self) -> bool {
        match self {
            Self::Interval(low, high) => low < 0.0 && high > 0.0,
            Self::Outside(..) | Self::Any => true,
            Self::UpTo(to) => to > 0.0,
            Self::From(from) => from < 0.0,
        }
    }

    /// Its ends, where it is an interval.
    pub(super) fn interval(self) -> Option<(f64, f64)> {
        match self {
            Self::Interval(low, high) => Some((low, high)),
            Self::Outside(..) | Self::Any | Self::UpTo(_) | Self::From(_) => None,
        }
    }

    fn ends(self) -> Vec<f64> {
        match self {
            Self::Interval(low, high) | Self::Outside(low, high) => vec![low, high],
            Self::UpTo(end) | Self::From(end) => vec![end],
            Self::Any => Vec::new(),
        }
    }
}

/// The sentences of a set.
pub(super) fn said(between: &Between<'_>, set: Compatible) -> Vec<Words> {
    let mut parts = vec![match set {
        Compatible::Interval(low, high) => between.compatible(low, high),
        Compatible::Outside(to, from) => {
            let Words { en, sv } = between.range(between.said(to), between.said(from));
            unbounded(
                between,
                &words!(
                    "any difference except those {en}",
                    "vilken skillnad som helst utom dem {sv}"
                ),
            )
        }
        Compatible::UpTo(to) => {
            let Words { en, sv } = between.limit(to, None);
            unbounded(
                between,
                &words!(
                    "{en} and any difference below it",
                    "{sv} och varje skillnad under det"
                ),
            )
        }
        Compatible::From(from) => {
            let Words { en, sv } = between.limit(from, None);
            unbounded(
                between,
                &words!(
                    "{en} and any difference above it",
                    "{sv} och varje skillnad över det"
                ),
            )
        }
        Compatible::Any => unbounded(
            between,
            &words!("any difference", "vilken skillnad som helst"),
        ),
    }];
    let beyond = |end: &f64| end.abs() > 1.0;
    if matches!(between.scale, Scale::Families | Scale::Without) && set.ends().iter().any(beyond) {
        parts.push(words!(
            "Limits beyond all of 100 families are written as 100.",
            "Gränser bortom samtliga 100 familjer skrivs som 100."
        ));
    }
    parts
}

fn unbounded(between: &Between<'_>, set: &Words) -> Words {
    let (en, sv) = (&set.en, &set.sv);
    let (o_en, o_sv) = (&between.outcome.en, &between.outcome.sv);
    let (t_en, t_sv) = (&between.treated.en, &between.treated.sv);
    let (c_en, c_sv) = (&between.control.en, &between.control.sv);
    let hundred = match between.scale {
        Scale::Families | Scale::Without | Scale::Events => {
            (" per 100 families", " per 100 familjer")
        }
        _ => ("", ""),
    };
    let (h_en, h_sv) = hundred;
    words!(
        "The result has no bounded interval: the arm moved too little who received the service, and it is compatible with {en} in “{o_en}”{h_en} between {t_en} and {c_en}.",
        "Resultatet har inget begränsat intervall: armen påverkade för lite vilka som fick insatsen, och det är förenligt med {sv} i ”{o_sv}”{h_sv} mellan {t_sv} och {c_sv}."
    )
}
