//! `boundaries`: critical values of a group-sequential design, and what the repeated looks cost.

use crate::diagnostic::Words;
use crate::estimation::EstimationError;
use crate::estimation::group_sequential::{Boundaries, Shape, Sides};
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
}

/// The answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// The design.
    pub shape: Shape,
    /// Information as shares of the whole.
    pub information: Vec<f64>,
    /// Critical values and spending.
    pub boundaries: Boundaries,
    /// P-value at each look that just stops the study, of both sides together; 0 where a look can spend nothing.
    pub nominal: Vec<f64>,
    /// Whole information, and mean information when the effect is there, as ratios to one look; with a power.
    pub cost: Option<(f64, f64)>,
    /// Probability of stopping at each look without an effect, and with the one of that power.
    pub stopping: Option<(Vec<f64>, Vec<f64>)>,
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
        boundaries,
        nominal,
        cost: None,
        stopping: None,
    };
    if let Some(power) = request.power {
        answer.cost = Some(answer.boundaries.inflation(power).map_err(failed)?);
        let effect = answer.boundaries.effect(power).map_err(failed)?;
        let stops = |effect: f64| {
            let exits = answer.boundaries.exits(effect);
            let both = exits.upper.iter().zip(&exits.lower);
            both.map(|(up, down)| up + down).collect()
        };
        answer.stopping = Some((stops(0.0), stops(effect)));
    }
    Ok(answer)
}

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
