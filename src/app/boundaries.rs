//! `boundaries`: critical values of a group-sequential design, and what the repeated looks cost.

use crate::diagnostic::Words;
use crate::estimation::EstimationError;
use crate::estimation::group_sequential::{Boundaries, Exits, Futility, Shape, Sides};
use crate::numerics::normal;
use crate::words;

use super::exit;
use super::failure::Failure;

/// What is asked for.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Request {
    /// Number of looks at equal steps of information.
    pub looks: Option<u32>,
    /// Or the information of each look, ascending; the last is the whole.
    pub information: Vec<f64>,
    /// Id of the design.
    pub design: String,
    /// δ of Wang and Tsiatis.
    pub delta: Option<f64>,
    /// γ of Hwang, Shih and DeCani.
    pub gamma: Option<f64>,
    /// Type I error of both sides together.
    pub alpha: f64,
    /// 1 or 2.
    pub sides: u8,
    /// Power for which the cost is asked.
    pub power: Option<f64>,
    /// Id of the function that spends beta on stopping for futility; needs a power and one side.
    pub futility: Option<String>,
    /// γ of that function, if it is Hwang's, Shih's and DeCani's.
    pub futility_gamma: Option<f64>,
    /// Power of the same study with one look: what it is with these looks is asked.
    pub fixed_power: Option<f64>,
    /// Value of Z at a look that did not stop the study, with the number of that look from 1.
    pub seen: Option<(u32, f64)>,
}

/// What a look says of the looks after it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Outlook {
    /// Conditional power without an effect.
    pub null: f64,
    /// Conditional power under the effect that the look estimates.
    pub trend: f64,
    /// Conditional power under the effect of the design, with a power.
    pub design: Option<f64>,
    /// Predictive power: conditional power averaged over what the look says of the effect.
    pub predictive: f64,
}

/// The answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// The design.
    pub shape: Shape,
    /// Information as shares of the whole.
    pub information: Vec<f64>,
    /// The last of the numbers that were given, if it was not 1: the others were divided by it.
    pub divided_by: Option<f64>,
    /// Critical values and spending.
    pub boundaries: Boundaries,
    /// P-value at each look that just stops the study, of both sides together; 0 where a look can spend nothing.
    pub nominal: Vec<f64>,
    /// Whole information, and mean information when the effect is there, as ratios to one look; with a power.
    pub cost: Option<(f64, f64)>,
    /// Probability of stopping at each look without an effect, and with the one of that power.
    pub stopping: Option<(Vec<f64>, Vec<f64>)>,
    /// Bounds of futility; the cost and the stopping above are with them.
    pub futility: Option<Futility>,
    /// With a power: mean information without an effect, as a ratio to one look.
    pub expected_information_h0: Option<f64>,
    /// Power of the study whose power with one look was given.
    pub power_with_looks: Option<f64>,
    /// What the look that was seen says.
    pub outlook: Option<Outlook>,
}

/// The greatest number of looks: more are a misprint.
const MOST_LOOKS: u32 = 100;

/// Finds the boundaries.
///
/// # Errors
/// Wrong usage: exit 2 with the reason.
pub fn boundaries(request: &Request) -> Result<Answer, Failure> {
    let shape = shape(request)?;
    let sides = match request.sides {
        1 => Sides::One,
        2 => Sides::Two,
        other => {
            return Err(usage(words!(
                "`--sides` is 1 or 2, not {other}",
                "`--sides` är 1 eller 2, inte {other}"
            )));
        }
    };
    let information = information(request)?;
    let failed = |error: EstimationError| {
        Failure::new(exit::USAGE, error.code(), error.words()).help(Words::new(
            "lottning boundaries --looks 3 --design lan-demets-obrien-fleming --alpha 0.05 --power 0.9",
            "lottning boundaries --looks 3 --design lan-demets-obrien-fleming --alpha 0.05 --power 0.9",
        ))
    };
    let boundaries =
        Boundaries::solve(shape, &information, request.alpha, sides).map_err(failed)?;
    let tails = f64::from(request.sides);
    let critical = boundaries.critical_values().iter();
    let nominal = critical.map(|value| tails * normal::sf(*value)).collect();
    let mut answer = Answer {
        shape,
        information,
        nominal,
        divided_by: request
            .information
            .last()
            .copied()
            .filter(|last| (last - 1.0).abs() > 0.0),
        cost: None,
        stopping: None,
        futility: futility(request, &boundaries)?,
        expected_information_h0: None,
        power_with_looks: None,
        outlook: None,
        boundaries,
    };
    let plan = &answer.boundaries;
    let mut design = None;
    if let Some(power) = request.power {
        let one = fixed_distance(request, power).map_err(failed)?;
        let (effect, mean_h0, mean_h1, stops_h0, stops_h1) = match &answer.futility {
            None => {
                let effect = plan.effect(power).map_err(failed)?;
                let mean = |under: f64| plan.expected_information(under);
                let (h0, h1) = (plan.exits(0.0), plan.exits(effect));
                (effect, mean(0.0), mean(effect), h0, h1)
            }
            Some(own) => {
                let effect = own.effect();
                let mean = |under: f64| own.expected_information(under);
                let (h0, h1) = (own.exits(0.0), own.exits(effect));
                (effect, mean(0.0), mean(effect), h0, h1)
            }
        };
        // The whole information is 1 here.
        let inflation = effect * effect / (one * one);
        answer.cost = Some((inflation, inflation * mean_h1));
        answer.expected_information_h0 = Some(inflation * mean_h0);
        let both = |exits: &Exits| {
            let pairs = exits.upper.iter().zip(&exits.lower);
            pairs.map(|(up, down)| up + down).collect()
        };
        answer.stopping = Some((both(&stops_h0), both(&stops_h1)));
        design = Some(effect);
    }
    if let Some(fixed) = request.fixed_power {
        answer.power_with_looks = Some(plan.power_with_looks(fixed).map_err(failed)?);
    }
    if let Some((look, z)) = request.seen {
        let seen = (look as usize).wrapping_sub(1);
        let information = answer.information.get(seen).copied().unwrap_or(1.0);
        let power = |effect: f64| plan.conditional_power(seen, z, effect).map_err(failed);
        answer.outlook = Some(Outlook {
            null: power(0.0)?,
            trend: power(z / information.sqrt())?,
            design: design.map(power).transpose()?,
            predictive: plan.predictive_power(seen, z).map_err(failed)?,
        });
    }
    Ok(answer)
}

/// How far one look's Z lies from 0 under the effect with a power.
fn fixed_distance(request: &Request, power: f64) -> Result<f64, EstimationError> {
    if !(power > request.alpha && power < 1.0) {
        return Err(EstimationError::Looks { what: "power" });
    }
    let side = request.alpha / f64::from(request.sides);
    Ok(normal::quantile(power)? - normal::quantile(side)?)
}

fn futility(request: &Request, plan: &Boundaries) -> Result<Option<Futility>, Failure> {
    let Some(id) = &request.futility else {
        return match request.futility_gamma {
            None => Ok(None),
            Some(_) => Err(unused(
                "futility-gamma",
                "without --futility",
                "utan --futility",
            )),
        };
    };
    let gamma = request.futility_gamma;
    let spending = match id.as_str() {
        "lan-demets-obrien-fleming" => Shape::LanDemetsObrienFleming,
        "lan-demets-pocock" => Shape::LanDemetsPocock,
        "hwang-shih-decani" => Shape::HwangShihDecani {
            gamma: gamma.ok_or_else(|| parameter("futility-gamma", "-2"))?,
        },
        other => {
            return Err(Failure::unknown_id(
                &Words::new("futility", "futilitet"),
                other,
                FUTILITY,
            ));
        }
    };
    if gamma.is_some() && !matches!(spending, Shape::HwangShihDecani { .. }) {
        return Err(unused(
            "futility-gamma",
            "with this function",
            "med den funktionen",
        ));
    }
    let Some(power) = request.power else {
        return Err(parameter("power", "0.8"));
    };
    if plan.sides() == Sides::Two {
        return Err(Failure::new(
            exit::USAGE,
            "conflicting-options",
            Words::new(
                "futility has one side: a study that may stop for futility looks for an effect on one side",
                "futilitet har en sida: en studie som får stoppas för futilitet söker en effekt på en sida",
            ),
        )
        .help(words!(
            "--sides 1, with half of a two-sided --alpha",
            "--sides 1, med hälften av ett tvåsidigt --alpha"
        )));
    }
    let found = plan.futility(spending, power).map_err(|error| {
        Failure::new(exit::USAGE, error.code(), error.words()).help(Words::new(
            "a power between alpha and 1, and looks that are not too early",
            "en styrka mellan alfa och 1, och tittar som inte är för tidiga",
        ))
    })?;
    Ok(Some(found))
}

fn unused(option: &str, en: &str, sv: &str) -> Failure {
    let message = words!(
        "--{option} is not used {en}",
        "--{option} används inte {sv}"
    );
    Failure::new(exit::USAGE, "option-not-used", message)
        .help(words!("leave --{option} out", "utelämna --{option}"))
}

/// Functions that can spend beta, as on the command line.
pub const FUTILITY: [&str; 3] = [
    "lan-demets-obrien-fleming",
    "lan-demets-pocock",
    "hwang-shih-decani",
];

fn usage(message: Words) -> Failure {
    Failure::new(exit::USAGE, "invalid-value", message)
}

fn shape(request: &Request) -> Result<Shape, Failure> {
    let shape = match request.design.as_str() {
        "obrien-fleming" => Shape::ObrienFleming,
        "pocock" => Shape::Pocock,
        "wang-tsiatis" => Shape::WangTsiatis {
            delta: request.delta.ok_or_else(|| parameter("delta", "0.25"))?,
        },
        "lan-demets-obrien-fleming" => Shape::LanDemetsObrienFleming,
        "lan-demets-pocock" => Shape::LanDemetsPocock,
        "hwang-shih-decani" => Shape::HwangShihDecani {
            gamma: request.gamma.ok_or_else(|| parameter("gamma", "-4"))?,
        },
        other => {
            return Err(Failure::unknown_id(
                &Words::new("design", "design"),
                other,
                Shape::IDS,
            ));
        }
    };
    let id = shape.id();
    for (option, given, used) in [
        (
            "delta",
            request.delta,
            matches!(shape, Shape::WangTsiatis { .. }),
        ),
        (
            "gamma",
            request.gamma,
            matches!(shape, Shape::HwangShihDecani { .. }),
        ),
    ] {
        if given.is_some() && !used {
            return Err(Failure::new(
                exit::USAGE,
                "option-not-used",
                words!(
                    "`{id}` does not use --{option}",
                    "`{id}` använder inte --{option}"
                ),
            )
            .help(words!("leave --{option} out", "utelämna --{option}")));
        }
    }
    Ok(shape)
}

fn parameter(option: &str, example: &str) -> Failure {
    Failure::new(
        exit::USAGE,
        "missing-option",
        words!("missing: --{option}", "saknas: --{option}"),
    )
    .help(words!(
        "for example --{option} {example}",
        "till exempel --{option} {example}"
    ))
}

fn information(request: &Request) -> Result<Vec<f64>, Failure> {
    match (request.looks, request.information.as_slice()) {
        (Some(_), [_, ..]) => Err(Failure::new(
            exit::USAGE,
            "conflicting-options",
            Words::new(
                "--looks and --information say the same thing in two ways",
                "--looks och --information säger samma sak på två sätt",
            ),
        )
        .help(Words::new("give one of them", "ange en av dem"))),
        (None, []) => Err(Failure::new(
            exit::USAGE,
            "missing-option",
            Words::new(
                "missing: --looks or --information",
                "saknas: --looks eller --information",
            ),
        )
        .help(Words::new(
            "--looks 3 is three looks at equal steps; --information 0.3,0.7,1 says where they are",
            "--looks 3 är tre tittar med lika steg; --information 0.3,0.7,1 säger var de ligger",
        ))),
        (Some(looks), []) if (1..=MOST_LOOKS).contains(&looks) => Ok((1..=looks)
            .map(|look| f64::from(look) / f64::from(looks))
            .collect()),
        (Some(looks), []) => Err(usage(words!(
            "--looks is 1 to {MOST_LOOKS}, not {looks}",
            "--looks är 1 till {MOST_LOOKS}, inte {looks}"
        ))),
        (None, given) => {
            let whole = given.last().copied().unwrap_or(1.0);
            Ok(given.iter().map(|own| own / whole).collect())
        }
    }
}
