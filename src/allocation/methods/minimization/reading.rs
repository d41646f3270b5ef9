//! The options of `minimization` from text, and why they may be refused.

use super::scores::{Imbalance, MAX_CANDIDATES};
use crate::allocation::method::MAX_FACTORS;
use crate::allocation::options::{Options, Refusal, long_decimal};
use crate::allocation::rational::{Rational, proportion};
use crate::allocation::weights::{Ratio, gcd};
use crate::words;

/// Largest common multiple of the ratio's parts: with counts, weights and squares everything stays within 128 bits.
const FINEST: u64 = 1 << 16;
/// Largest factor weight as a whole number.
const HEAVIEST: u64 = 1_000_000;

/// The options, understood.
#[derive(Debug, Clone)]
pub(super) struct Settings {
    /// One whole weight per factor, in lowest terms.
    pub(super) weights: Vec<u64>,
    /// How imbalance is measured.
    pub(super) imbalance: Imbalance,
    /// The chance of the best candidates together, or their part of the ratio if that is more.
    pub(super) probability: Rational,
    /// Whether arms are duplicated.
    pub(super) duplicated: bool,
}

fn invalid(option: &'static str, message: crate::diagnostic::Words) -> Refusal {
    Refusal::new("invalid-value", Some(option), message)
}

impl Settings {
    pub(super) fn read(ratio: &Ratio, options: &Options) -> Result<Self, Refusal> {
        let factors = factors(options.get("factors"))?;
        let weights = weights(options.get("factor_weights"), factors)?;
        let imbalance = imbalance(options.get("imbalance").unwrap_or("range"))?;
        let duplicated = duplicated(options.get("ratio_preserving").unwrap_or("false"), ratio)?;
        let candidates = if duplicated {
            ratio.sum()
        } else {
            ratio.arms() as u64
        };
        let chance = duplicated || ratio.is_equal();
        let text = options.get("probability").unwrap_or("4/5");
        Ok(Self {
            weights,
            imbalance,
            probability: probability(text, candidates, chance)?,
            duplicated,
        })
    }
}

/// How many factors are named. What the names mean is for whoever has the units.
fn factors(text: Option<&str>) -> Result<usize, Refusal> {
    let Some(text) = text.filter(|text| !text.trim().is_empty()) else {
        return Err(Refusal::new(
            "factors-needed",
            Some("factors"),
            words!(
                "`minimization` needs `factors`, the factors that it balances",
                "`minimization` behöver `factors`, de faktorer som den balanserar"
            ),
        )
        .help(words!(
            "name one to {MAX_FACTORS} factors",
            "ange en till {MAX_FACTORS} faktorer"
        )));
    };
    let names: Vec<&str> = text.split(',').map(str::trim).collect();
    for (place, name) in names.iter().enumerate() {
        if name.is_empty() {
            return Err(invalid(
                "factors",
                words!(
                    "a factor in `factors` has no name",
                    "en faktor i `factors` saknar namn"
                ),
            )
            .help(words!(
                "write the names between commas, for example site,sex",
                "skriv namnen mellan kommatecken, till exempel site,sex"
            )));
        }
        if names[..place].contains(name) {
            return Err(invalid(
                "factors",
                words!(
                    "`factors` names `{name}` twice",
                    "`factors` nämner `{name}` två gånger"
                ),
            )
            .help(words!(
                "to let a factor count for more, use `factor_weights`",
                "låt en faktor väga tyngre med `factor_weights`"
            )));
        }
    }
    let number = names.len();
    if number > MAX_FACTORS {
        return Err(invalid(
            "factors",
            words!(
                "`factors` names {number} factors, at most {MAX_FACTORS} are possible",
                "`factors` nämner {number} faktorer, högst {MAX_FACTORS} är möjligt"
            ),
        )
        .help(words!(
            "keep those that matter most for the outcome",
            "behåll dem som betyder mest för utfallet"
        )));
    }
    Ok(number)
}

fn weights(text: Option<&str>, factors: usize) -> Result<Vec<u64>, Refusal> {
    let Some(text) = text else {
        return Ok(vec![1; factors]);
    };
    let read: Option<Vec<Rational>> = text
        .split(',')
        .map(|part| Rational::read(part.trim()))
        .collect();
    let whole = read.and_then(|numbers| proportion(&numbers, HEAVIEST));
    let Some(whole) = whole else {
        return Err(invalid(
            "factor_weights",
            words!(
                "`factor_weights` is `{text}`, not numbers above 0 that are to each other as whole numbers up to {HEAVIEST}",
                "`factor_weights` är `{text}`, inte tal över 0 som förhåller sig som heltal upp till {HEAVIEST}"
            ),
        )
        .help(words!(
            "leave a factor out to give it no weight",
            "stryk en faktor för att inte ge den någon vikt"
        )));
    };
    let number = whole.len();
    if number != factors {
        return Err(Refusal::new(
            "weights-not-per-factor",
            Some("factor_weights"),
            words!(
                "`factor_weights` has {number} weights for {factors} factors",
                "`factor_weights` har {number} vikter för {factors} faktorer"
            ),
        )
        .help(words!(
            "give one weight for each factor, in the order of `factors`",
            "ange en vikt för varje faktor, i samma ordning som `factors`"
        )));
    }
    // One factor has the weight 1 whatever is written; only 1 says what is done.
    if factors == 1 && text.trim() != "1" {
        return Err(Refusal::new(
            "option-not-used",
            Some("factor_weights"),
            words!(
                "`factor_weights` is `{text}`, but a single factor has nothing to be weighed against: the weight would have no effect",
                "`factor_weights` är `{text}`, men en enda faktor har inget att vägas mot: vikten skulle inte ha någon verkan"
            ),
        )
        .help(words!(
            "leave `factor_weights` out, or name more factors in `factors`",
            "utelämna `factor_weights`, eller ange fler faktorer i `factors`"
        )));
    }
    Ok(whole)
}

fn imbalance(text: &str) -> Result<Imbalance, Refusal> {
    match text {
        "range" => Ok(Imbalance::Range),
        "variance" => Ok(Imbalance::Variance),
        "sum" => Ok(Imbalance::Sum),
        other => Err(invalid(
            "imbalance",
            words!(
                "`imbalance` is `{other}`, not `range`, `variance` or `sum`",
                "`imbalance` är `{other}`, inte `range`, `variance` eller `sum`"
            ),
        )
        .help(words!(
            "`range` is usual; the others count large differences otherwise",
            "`range` är vanligt; de andra räknar stora skillnader på annat sätt"
        ))),
    }
}

/// A chance from 1/candidates to 1; `chance` says whether 1/candidates is pure chance, as among candidates that are equal.
fn probability(text: &str, candidates: u64, chance: bool) -> Result<Rational, Refusal> {
    if let Some(refusal) = long_decimal("probability", text) {
        return Err(refusal);
    }
    let read = Rational::read(text).filter(|p| {
        let reaches = p.over.saturating_mul(candidates) >= p.under;
        reaches && p.over <= p.under
    });
    read.ok_or_else(|| {
        invalid(
            "probability",
            words!(
                "`probability` is `{text}`, not a fraction or decimal from 1/{candidates} to 1",
                "`probability` är `{text}`, inte ett bråk eller decimaltal från 1/{candidates} till 1"
            ),
        )
        .help(if chance {
            words!(
                "1/{candidates} is pure chance, 1 always takes the best arm; 4/5 is usual",
                "1/{candidates} är ren slump, 1 tar alltid den bästa armen; 4/5 är vanligt"
            )
        } else {
            words!(
                "the best arm has its part of the ratio at least, 1 always takes the best arm; 4/5 is usual",
                "den bästa armen har minst sin del av förhållandet, 1 tar alltid den bästa armen; 4/5 är vanligt"
            )
        })
    })
}

fn duplicated(text: &str, ratio: &Ratio) -> Result<bool, Refusal> {
    let duplicated = match text {
        "true" => true,
        "false" => false,
        other => {
            return Err(invalid(
                "ratio_preserving",
                words!(
                    "`ratio_preserving` is `{other}`, neither `true` nor `false`",
                    "`ratio_preserving` är `{other}`, varken `true` eller `false`"
                ),
            )
            .help(words!(
                "write true, or leave it out",
                "skriv true, eller utelämna den"
            )));
        }
    };
    let sum = ratio.sum();
    if duplicated && sum > MAX_CANDIDATES as u64 {
        return Err(Refusal::new(
            "ratio-too-fine",
            Some("ratio"),
            words!(
                "the ratio {ratio} needs {sum} duplicates of arms, at most {MAX_CANDIDATES} are possible",
                "förhållandet {ratio} kräver {sum} dubbletter av armar, högst {MAX_CANDIDATES} är möjligt"
            ),
        ).help(words!("use smaller whole numbers, for example 2:1", "använd mindre heltal, till exempel 2:1")));
    }
    if common_multiple(ratio).is_none() {
        return Err(Refusal::new(
            "ratio-too-fine",
            Some("ratio"),
            words!(
                "the parts of the ratio {ratio} have no common multiple up to {FINEST}",
                "delarna i förhållandet {ratio} har ingen gemensam multipel upp till {FINEST}"
            ),
        )
        .help(words!(
            "use smaller whole numbers, for example 2:1",
            "använd mindre heltal, till exempel 2:1"
        )));
    }
    Ok(duplicated)
}

/// Least common multiple of the parts of a ratio, if it is not too fine.
pub(super) fn common_multiple(ratio: &Ratio) -> Option<u64> {
    ratio.parts().iter().try_fold(1_u64, |multiple, part| {
        let next = multiple / gcd(multiple, *part) * part;
        (next <= FINEST).then_some(next)
    })
}
