//! What a search answers: its fields, what speaks against the number that it found, and why it found none.
//!
//! The share of studies that reject is a power, or, where a parameter is drawn from a prior, an assurance: it stands under its
//! own name.

use super::order::Planned;
use super::search::Wanted;
use crate::app::exit;
use crate::app::failure::Failure;
use crate::diagnostic::{Diagnostic, Words};
use crate::planning::performance::Figure;
use crate::planning::search::{Contradiction, Found, NoAnswer};
use crate::words;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// What the share of studies that reject is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measure {
    /// Of stated parameters.
    Power,
    /// Averaged over what is believed of some of them.
    Assurance,
}

impl Measure {
    /// Its key in JSON and CSV.
    pub fn key(self) -> &'static str {
        match self {
            Self::Power => "power",
            Self::Assurance => "assurance",
        }
    }

    /// Its name within a sentence, in English and in Swedish: `the power`, `styrkan`.
    pub fn the(self) -> (&'static str, &'static str) {
        match self {
            Self::Power => ("power", "styrkan"),
            Self::Assurance => ("assurance", "assurance"),
        }
    }

    /// Its Swedish name without an article.
    pub fn plain_sv(self) -> &'static str {
        match self {
            Self::Power => "styrka",
            Self::Assurance => "assurance",
        }
    }

    /// Puts the figures under their name, as in the answer of a simulation: with a prior `assurance` has them and `power` is
    /// without a value. Adds the warnings that were said.
    pub(super) fn name(self, body: &mut Value, said: &[Diagnostic]) {
        let Value::Object(fields) = body else { return };
        fields.insert("measure".to_owned(), json!(self.key()));
        let warnings = said
            .iter()
            .map(|own| json!({"code": own.code, "message": own.message.en}));
        fields.insert("warnings".to_owned(), warnings.collect());
        if self == Self::Power {
            return;
        }
        let put = |own: &mut Value| {
            if let Value::Object(own) = own {
                let figure = own.insert("power".to_owned(), json!(Figure::default()));
                own.insert("assurance".to_owned(), json!(figure));
            }
        };
        for key in ["confirmed", "tried"] {
            match fields.get_mut(key) {
                Some(Value::Array(items)) => items.iter_mut().for_each(put),
                Some(own) => put(own),
                None => {}
            }
        }
    }
}

/// That a search names no number, and why; of the analysis its id, and why the first study at the largest number gave no numbers.
pub(super) fn no_answer(
    key: &str,
    (low, high): (u64, u64),
    wanted: &Wanted,
    measure: Measure,
    (analysis, reason): (&str, &str),
    none: NoAnswer,
) -> Failure {
    let target = wanted.power;
    let target_sv = target.to_string().replace('.', ",");
    let (name, name_sv) = measure.the();
    let plain_sv = measure.plain_sv();
    let shown = |figure: Figure| {
        let number = |value: Option<f64>| format!("{:.3}", value.unwrap_or(0.0));
        if let Some(bound) = figure.bound() {
            let own = format!("{:.0}", figure.value.unwrap_or(0.0));
            let end = format!("{:.*}", bound.places, bound.value);
            let comma = end.replace('.', ",");
            return if bound.at_most {
                (
                    format!("{own} (at most {end})"),
                    format!("{own} (högst {comma})"),
                )
            } else {
                (
                    format!("{own} (at least {end})"),
                    format!("{own} (minst {comma})"),
                )
            };
        }
        let text = format!("{} ± {}", number(figure.value), number(figure.mcse));
        (text.clone(), text.replace('.', ","))
    };
    let (code, message) = match none {
        NoAnswer::Beyond(power) => {
            let (en, sv) = shown(power);
            (
                "search-beyond",
                words!(
                    "even at {key} = {high} the {name} is {en}, not {target}",
                    "även vid {key} = {high} är {name_sv} {sv}, inte {target_sv}"
                ),
            )
        }
        NoAnswer::Below(power) => {
            let (en, sv) = shown(power);
            (
                "search-below",
                words!(
                    "already at {key} = {low} the {name} is {en}, more than {target}",
                    "redan vid {key} = {low} är {name_sv} {sv}, mer än {target_sv}"
                ),
            )
        }
        NoAnswer::AtTheLowEnd(power) => {
            let (en, sv) = shown(power);
            let message = words!(
                "already at {key} = {low} the {name} is {en}, about {target}: the smallest number with it is about {low} or below",
                "redan vid {key} = {low} är {name_sv} {sv}, ungefär {target_sv}: det minsta talet med den är ungefär {low} eller lägre"
            );
            return Failure::new(exit::USAGE, "search-below", message).help(words!(
                "begin the search below {low} with --between",
                "börja sökningen under {low} med --between"
            ));
        }
        NoAnswer::Failed(studies) => {
            let message = words!(
                "at {key} = {high}, the largest number, none of {studies} simulated studies could be analysed by `{analysis}` (the first one: {reason}): there is no {name}",
                "vid {key} = {high}, det största talet, gick ingen av {studies} simulerade studier att analysera med `{analysis}` (den första: {reason}): det finns ingen {plain_sv}"
            );
            return Failure::new(exit::INVALID_PROTOCOL, "all-replicates-failed", message);
        }
        NoAnswer::Flat => (
            "search-flat",
            words!(
                "between {low} and {high} the {name} does not grow with {key}",
                "mellan {low} och {high} ökar inte {name_sv} med {key}"
            ),
        ),
        NoAnswer::Unclear { power, from } => {
            let (en, sv) = shown(power);
            // An interval without an upper end is said in words; one that begins with the range says nothing.
            let (known, known_sv) = match from {
                Some(from) if from > low => (
                    format!(
                        "; with 95 % confidence that number is at least {from}, and no most is known"
                    ),
                    format!(
                        "; med 95 % konfidens är talet minst {from}, och något högsta är inte känt"
                    ),
                ),
                Some(_) => (String::new(), String::new()),
                None => (
                    format!("; with 95 % confidence that number is more than {high}"),
                    format!("; med 95 % konfidens är talet större än {high}"),
                ),
            };
            (
                "search-unclear",
                words!(
                    "the {name} ends near {target}: at {key} = {high} it is {en}, and all studies together do not tell from which number on it is {target}, if from any{known}",
                    "{name_sv} slutar nära {target_sv}: vid {key} = {high} är den {sv}, och alla studier tillsammans avgör inte från vilket tal den är {target_sv}, om från något{known_sv}"
                ),
            )
        }
    };
    Failure::new(exit::USAGE, code, message).help(Words::new(
        "search another range with --between, or change the scenario with --set",
        "sök i ett annat intervall med --between, eller ändra scenariot med --set",
    ))
}

/// What speaks against a number that was found.
pub(super) fn doubts(found: &Found, target: f64, measure: Measure) -> Vec<Diagnostic> {
    let (name, _) = measure.the();
    let name_sv = measure.plain_sv();
    let mut said = Vec::new();
    if !found.is_narrow {
        said.push(Diagnostic::warning(
            "search-not-narrow",
            Words::new(
                "the search ended before its interval was as narrow as it should be: the number is known less well",
                "sökningen slutade innan intervallet var så smalt som det borde vara: talet är sämre känt",
            ),
        ));
    }
    let words = match found.contradiction(target) {
        None => return said,
        Some(Contradiction::TooSmall) => words!(
            "fresh studies have less {name} than the target: do not rely on the number, search again with another --seed",
            "nya studier har lägre {name_sv} än målet: lita inte på talet, sök igen med ett annat --seed",
        ),
        Some(Contradiction::TooLarge) => words!(
            "fresh studies have more {name} than the curve says: a smaller number may do, search again within a narrower --between",
            "nya studier har högre {name_sv} än kurvan säger: ett mindre tal kan räcka, sök igen i ett smalare --between",
        ),
    };
    let warning = Diagnostic::warning("search-not-confirmed", words);
    said.push(warning);
    said
}

/// That at some of the numbers that were tried no study gave numbers of the analysis: they have no power, and it is by decision and
/// not by what was seen that they stand below the target.
pub(super) fn without_power(
    key: &str,
    analysis: &str,
    numbers: &[u64],
    reason: &str,
    measure: Measure,
) -> Option<Diagnostic> {
    let (name, name_sv) = (measure.the().0, measure.plain_sv());
    let numbers: Vec<String> = numbers.iter().map(u64::to_string).collect();
    let list = numbers.join(", ");
    let words = words!(
        "at {key} = {list} no study gave numbers of `{analysis}` (the first: {reason}): there is no {name} there, and the search takes these numbers as too small",
        "vid {key} = {list} gav ingen studie tal för `{analysis}` (den första: {reason}): där finns ingen {name_sv}, och sökningen tar dessa tal som för små"
    );
    (!numbers.is_empty()).then(|| Diagnostic::warning("many-failures", words))
}

/// The fields of the answer; [`Measure::name`] completes them.
pub(super) fn body(
    base: &Planned,
    path: &str,
    analysis: &str,
    wanted: &Wanted,
    found: &Found,
    families: &BTreeMap<u64, Figure>,
) -> Value {
    let fit = &found.fit;
    let tried: Vec<Value> = found
        .tried
        .iter()
        .map(|own| {
            json!({
                "number": own.x,
                "replicates": own.rejected.len(),
                "failures": own.failures,
                "power": own.power(),
                "fitted": fit.power(own.x as f64),
                "families": families.get(&own.x),
            })
        })
        .collect();
    let (from, replicates, _) = found.confirmed;
    json!({
        "searched": path,
        "analysis": analysis,
        "target_power": wanted.power,
        "value": found.x,
        "estimate": fit.estimate,
        "conf_low": fit.low,
        "conf_high": fit.high,
        "value_low": found.whole.0,
        "value_high": found.whole.1,
        "level": 0.95,
        "confirmed": {
            "power": found.confirmed_power(),
            "replicates": replicates,
            "first_replicate": from,
            "contradicted": found.contradiction(wanted.power).is_some(),
        },
        "families": families.get(&found.x),
        "curve": {
            "by": fit.by.text(),
            "intercept": fit.a,
            "slope_by_root": fit.b,
            "lack_of_fit": fit.lack_of_fit.map(|(chi_square, df, p)| json!({"chi_square": chi_square, "df": df, "p_value": p})),
        },
        "tried": tried,
        "seed": base.order.seed,
        "version": env!("CARGO_PKG_VERSION"),
    })
}

#[cfg(test)]
mod tests {
    use super::{Measure, no_answer};
    use crate::app::simulation::search::Wanted;
    use crate::planning::performance::share;
    use crate::planning::search::NoAnswer;

    /// An interval with one end only is said in words, in both languages; one that begins with the range is not said.
    #[test]
    fn one_end_of_an_interval_is_said_in_words() {
        let wanted = Wanted {
            key: "families".to_owned(),
            between: None,
            power: 0.8,
            analysis: None,
        };
        let said = |from, measure| {
            let power = share(790, 1000);
            let none = NoAnswer::Unclear { power, from };
            no_answer(
                "families",
                (40, 480),
                &wanted,
                measure,
                ("primary", ""),
                none,
            )
        };
        let failure = said(Some(430), Measure::Power);
        assert!(
            failure.message.en.contains("at least 430")
                && failure.message.en.contains("the power ends near 0.8")
        );
        assert!(
            failure.message.sv.contains("minst 430")
                && failure.message.sv.starts_with("styrkan slutar nära 0,8")
        );
        let failure = said(None, Measure::Assurance);
        assert!(
            failure.message.en.contains("more than 480")
                && failure.message.en.contains("the assurance")
        );
        assert!(
            failure.message.sv.contains("större än 480")
                && failure.message.sv.starts_with("assurance ")
        );
        let failure = said(Some(40), Measure::Power);
        assert!(
            failure.message.en.ends_with("if from any")
                && failure.message.sv.ends_with("om från något")
        );
    }

    /// By hand: 811 of 1,000 at the smallest number are about .8, and fewer may do; where no study at the largest number has an answer
    /// there is no power, with the exit of a scenario that cannot be. Both in two languages.
    #[test]
    fn the_ends_of_a_range_are_told() {
        let wanted = Wanted {
            key: "months".to_owned(),
            between: None,
            power: 0.8,
            analysis: None,
        };
        let said = |none| {
            let failed = ("acceptance", "no-variation");
            no_answer("months", (20, 60), &wanted, Measure::Power, failed, none)
        };
        let failure = said(NoAnswer::AtTheLowEnd(share(811, 1000)));
        assert_eq!((failure.exit, failure.code), (2, "search-below"));
        assert!(
            failure.message.en.contains("about 20 or below")
                && failure.message.sv.contains("ungefär 20 eller lägre")
        );
        let failure = said(NoAnswer::Failed(500));
        assert_eq!((failure.exit, failure.code), (3, "all-replicates-failed"));
        assert!(
            failure.message.en.contains("none of 500 simulated studies")
                && failure.message.en.ends_with("there is no power")
                && failure.message.sv.ends_with("det finns ingen styrka")
        );
    }
}
