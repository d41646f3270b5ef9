//! Power at the planned size, at the size that capacity allows, and at other ratios of the same capacity.
//!
//! The assumptions are those of the protocol's `[sample_size]`; the formula is the pooled one of
//! [`super::two_proportions`]. Clustering, exits and the analysis by `lin` are the simulator's business.

use super::capacity::Reach;
use super::guessing::{Guessing, guessing};
use super::two_proportions::{PowerError, Question, solve};
use crate::allocation::{METHODS, MethodEntry, Options, Ratio};
use crate::protocol::Protocol;
use crate::protocol::model::Multiplicity;
use std::collections::BTreeMap;

/// Power of one arm against the control arm.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct PowerRow {
    /// Families of all arms.
    pub families: u64,
    /// Identifier of the arm that is compared with the control arm.
    pub arm: String,
    /// Families in that arm.
    pub n_treated: u64,
    /// Families in the control arm.
    pub n_control: u64,
    /// Probability of finding the assumed effect at the assumed alpha.
    pub power: f64,
    /// The same at the share of alpha by which Holm's rule judges the smallest p of several arms; `None` where nothing is shared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub power_at_share: Option<f64>,
}

/// The share of the assumed alpha by which Holm's rule judges the smallest p of several arms' comparisons with control in the
/// primary analysis: `alpha/m`; `None` with two arms, and by another rule.
pub fn share_of_alpha(protocol: &Protocol) -> Option<f64> {
    let comparisons = protocol.arms.len().saturating_sub(1);
    let shared = comparisons > 1 && protocol.primary_multiplicity == Multiplicity::Holm;
    shared.then(|| protocol.sample_size.assumed.alpha / comparisons as f64)
}

/// The same capacity at another ratio.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct RatioRow {
    /// Parts in the protocol's order of arms, such as `1:2`.
    pub ratio: String,
    /// Whole families of all arms; more than the arms together where the parts that they lose make one.
    pub families: u64,
    /// Families in the treated arm; of several, in each.
    pub n_treated: u64,
    /// Families in the control arm.
    pub n_control: u64,
    /// Probability of finding the assumed effect of one arm.
    pub power: f64,
    /// Where enrolment stops at fewer families than that: those at which it does, and the power with them at this ratio.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub families_at_stop: Option<u64>,
    /// As [`RatioRow::families_at_stop`] says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub power_at_stop: Option<f64>,
    /// The method that is compared: the protocol's, or permuted blocks where it cannot keep the ratio.
    pub method: String,
    /// Its options by name.
    pub options: BTreeMap<String, String>,
    /// Whether it is the protocol's own method.
    pub own_method: bool,
    /// How well the next arm can be guessed.
    pub guessing: Option<Guessing>,
}

/// Parts of the control side for one part of the gate's arm.
const COMPARED: [u64; 3] = [1, 2, 3];

fn power(protocol: &Protocol, n_treated: u64, n_control: u64) -> Result<f64, PowerError> {
    power_at(
        protocol,
        (n_treated, n_control),
        protocol.sample_size.assumed.alpha,
    )
}

fn power_at(
    protocol: &Protocol,
    (n_treated, n_control): (u64, u64),
    alpha: f64,
) -> Result<f64, PowerError> {
    let assumed = protocol.sample_size.assumed;
    let question = Question {
        ratio: n_treated as f64 / n_control as f64,
        sides: assumed.sides,
        ..Question::power_at(
            assumed.control,
            assumed.control + assumed.effect,
            n_control as f64,
            alpha,
        )
    };
    solve(&question).map(|answer| answer.power)
}

/// Whether so many families give each arm one: of fewer there is no power.
pub fn reaches_every_arm(ratio: &Ratio, families: f64) -> bool {
    let sum = ratio.sum() as f64;
    let mut parts = ratio.parts().iter();
    parts.all(|part| families * *part as f64 >= sum)
}

/// Power of each arm against the control arm when `families` are randomized at the protocol's ratio; parts of
/// families are not counted. Errors are those of the formula.
pub fn power_rows(protocol: &Protocol, families: f64) -> Result<Vec<PowerRow>, PowerError> {
    let ratio = &protocol.allocation.ratio;
    let size = |index: usize| {
        let part = ratio.parts().get(index).copied().unwrap_or(0);
        (families * part as f64 / ratio.sum() as f64).floor() as u64
    };
    let n_control = size(protocol.control.index());
    let mut rows = Vec::new();
    for (index, arm) in protocol.arms.iter().enumerate() {
        if index == protocol.control.index() {
            continue;
        }
        let n_treated = size(index);
        rows.push(PowerRow {
            families: families.floor() as u64,
            arm: arm.id.clone(),
            n_treated,
            n_control,
            power: power(protocol, n_treated, n_control)?,
            power_at_share: share_of_alpha(protocol)
                .map(|alpha| power_at(protocol, (n_treated, n_control), alpha))
                .transpose()?,
        });
    }
    Ok(rows)
}

/// Families of both arms that the wanted power needs; `None` with more than two arms.
pub fn families_needed(protocol: &Protocol) -> Result<Option<u64>, PowerError> {
    let parts = protocol.allocation.ratio.parts();
    let (Some(control), 2) = (parts.get(protocol.control.index()), parts.len()) else {
        return Ok(None);
    };
    let treated: u64 = parts.iter().sum::<u64>() - control;
    let assumed = protocol.sample_size.assumed;
    let question = Question {
        n_control: None,
        power: Some(assumed.power),
        ratio: treated as f64 / *control as f64,
        sides: assumed.sides,
        ..Question::power_at(
            assumed.control,
            assumed.control + assumed.effect,
            1.0,
            assumed.alpha,
        )
    };
    solve(&question).map(|answer| Some(answer.n_treated + answer.n_control))
}

/// The gate's arm filled to its capacity, with one, two and three times as many families in the control arm, and as many as
/// itself in every other arm; where the gate is before the control arm, in each of the others.
pub fn compare(protocol: &Protocol, reach: &Reach) -> Result<Vec<RatioRow>, PowerError> {
    let Some(gate) = &protocol.gate else {
        return Ok(Vec::new());
    };
    let gated_is_control = gate.arm == protocol.control;
    let gated = reach.gated.floor() as u64;
    if gated == 0 {
        return Ok(Vec::new());
    }
    let mut rows = Vec::new();
    for other in COMPARED {
        let part = |arm: usize| {
            let is_control = arm == protocol.control.index();
            if is_control == gated_is_control {
                1
            } else {
                other
            }
        };
        let parts: Vec<u64> = (0..protocol.arms.len()).map(part).collect();
        let Some(ratio) = Ratio::new(&parts) else {
            continue;
        };
        let other_families = (reach.gated * other as f64).floor() as u64;
        let (n_treated, n_control) = if gated_is_control {
            (other_families, gated)
        } else {
            (gated, other_families)
        };
        // As at the protocol's ratio: parts of families are left out of each arm and of all, each from its own average.
        let families = (reach.gated * ratio.sum() as f64).floor() as u64;
        let stop = protocol.sample_size.stop_families.map(u64::from);
        let holds = |stop: &u64| reaches_every_arm(&ratio, *stop as f64);
        let families_at_stop = stop.filter(|stop| *stop < families).filter(holds);
        let power_at_stop = families_at_stop.map(|stop| {
            let of = |arm: usize| stop * parts[arm] / ratio.sum();
            let control = protocol.control.index();
            let treated = if gated_is_control {
                (0..parts.len()).find(|arm| *arm != control)
            } else {
                Some(gate.arm.index())
            };
            power(protocol, of(treated.unwrap_or(control)), of(control))
        });
        let allocation = &protocol.allocation;
        let (strata, factors) = (protocol.strata(), protocol.balanced_levels());
        let own_options = keeping(&allocation.method, &allocation.options, &ratio);
        let own = guessing(
            &allocation.method,
            &ratio,
            &own_options,
            families as f64,
            strata,
            &factors,
        );
        let own_method = own.is_ok();
        let named = |options: &Options| options.0.iter().cloned().collect();
        let (method, options, guessing) = if let Ok(own) = own {
            let options = named(&own_options);
            (allocation.method.clone(), options, Some(own))
        } else {
            let sum = ratio.sum();
            let lengths = format!("{sum},{}", 2 * sum);
            let options = Options::of(&[("block_lens", &lengths)]);
            let blocks = "permuted-block";
            let guessing = guessing(blocks, &ratio, &options, families as f64, strata, &[]);
            (blocks.to_string(), named(&options), guessing.ok())
        };
        rows.push(RatioRow {
            ratio: ratio.to_string(),
            families,
            n_treated,
            n_control,
            power: power(protocol, n_treated, n_control)?,
            families_at_stop,
            power_at_stop: power_at_stop.transpose()?,
            method,
            options,
            own_method,
            guessing,
        });
    }
    Ok(rows)
}

/// The options with which a method keeps a ratio at every draw.
fn keeping(method: &str, options: &Options, ratio: &Ratio) -> Options {
    let mut options = options.clone();
    let entry = METHODS.iter().find(|entry| entry.id == method);
    if let Some(switch) = entry.and_then(MethodEntry::ratio_switch)
        && !ratio.is_equal()
    {
        options.0.retain(|(name, _)| name != switch);
        options.0.push((switch.to_owned(), "true".to_owned()));
    }
    options
}

#[cfg(test)]
mod tests {
    use super::{PowerRow, compare, families_needed, power_rows, share_of_alpha};
    use crate::planning::capacity::reach;
    use crate::protocol::parse;

    #[test]
    fn the_shipped_target_has_the_power_it_promises() {
        let bytes = include_bytes!("../../protocols/iuh-2025/protocol.toml");
        let protocol = parse(bytes).protocol.unwrap();
        // 40 % against 30 %, two-sided 5 %, 80 %: 356 per arm by the pooled formula (reference/domain.md §2.3, printed
        // as whole families; R power.prop.test gives 355.6).
        assert_eq!(families_needed(&protocol).unwrap(), Some(712));
        assert_eq!(share_of_alpha(&protocol), None);
        let rows = power_rows(&protocol, 712.0).unwrap();
        assert_eq!((rows[0].n_treated, rows[0].n_control), (356, 356));
        assert!(rows[0].power >= 0.8 && rows[0].power < 0.802);
        let ratios = compare(&protocol, &reach(&protocol).unwrap()).unwrap();
        assert_eq!(
            ratios
                .iter()
                .map(|row| row.ratio.as_str())
                .collect::<Vec<_>>(),
            ["1:1", "1:2", "1:3"]
        );
        // 331.5 families in the gate's arm: 663, 994.5 and 1326 in all, and capacity says the same 663 of its 1:1.
        let reach = reach(&protocol).unwrap();
        let families: Vec<u64> = ratios.iter().map(|row| row.families).collect();
        assert_eq!(families, [663, 994, 1326]);
        let at_capacity = power_rows(&protocol, reach.families).unwrap();
        let sizes = |row: &PowerRow| (row.families, row.n_treated, row.n_control);
        assert_eq!(sizes(&at_capacity[0]), (663, 331, 331));
        assert_eq!((ratios[0].n_treated, ratios[0].n_control), (331, 331));
        // More controls for the same slots never lose power.
        assert!(ratios.windows(2).all(|pair| pair[0].power < pair[1].power));
        // Big stick keeps each of them; a block of four holds no 1:2, so blocks of three and six stand in.
        assert!(ratios.iter().all(|row| row.own_method));
        assert!(ratios.iter().all(|row| row.method == "big-stick"));
        let text = String::from_utf8_lossy(bytes)
            .replacen("method = \"big-stick\"", "method = \"permuted-block\"", 1)
            .replacen("max_imbalance = 4", "block_len = 4", 1);
        let blocks = parse(text.as_bytes()).protocol.unwrap();
        let in_blocks = compare(&blocks, &reach).unwrap();
        assert!(in_blocks[0].own_method && !in_blocks[1].own_method);
        assert_eq!(in_blocks[1].method, "permuted-block");
        assert_eq!(in_blocks[1].options["block_lens"], "3,6");
        // The comparison says what is compared and how well it can be guessed.
        for row in ratios.iter().chain(&in_blocks) {
            let guessing = row.guessing.unwrap();
            assert!(guessing.correct_guess_share.is_some() && guessing.forced_share.is_some());
        }
    }

    /// Of three arms the gate's one, here the first, sets the size of each treated arm: 1:1:1, 1:1:2 and 1:1:3 by hand.
    #[test]
    fn several_arms_are_compared_too() {
        let text = include_str!("../../protocols/two-arms/protocol.toml");
        let gate = "[gate]\narm = \"new\"\nwhen_full = \"do-not-randomize\"\nturned_away = \"may-return\"\n\
                    released_by = [\"closed\", \"not-started\"]\n\n";
        let ends = ["closed", "not-started"]
            .map(|id| format!("[[event]]\nid = \"{id}\"\ncarries = []\n\n"));
        let text = [
            (
                "[[arm]]\nid = \"usual\"",
                "[[arm]]\nid = \"mid\"\nratio = 1\n\n",
            ),
            ("[unit]", gate),
            ("[allocation]", &ends.concat()),
        ]
        .iter()
        .fold(text.to_owned(), |text, (before, more)| {
            text.replace(before, &format!("{more}{before}"))
        });
        let text = text.replace(
            "id = \"new\"\n",
            "id = \"new\"\nfamilies_per_therapist = 10\n",
        );
        let protocol = parse(text.as_bytes()).protocol.unwrap();
        let reach = reach(&protocol).unwrap();
        let rows = compare(&protocol, &reach).unwrap();
        let gated = reach.gated.floor() as u64;
        for (row, (ratio, parts)) in rows.iter().zip([("1:1:1", 1), ("1:1:2", 2), ("1:1:3", 3)]) {
            assert_eq!((row.ratio.as_str(), row.n_treated), (ratio, gated));
            let control = (reach.gated * f64::from(parts)).floor() as u64;
            let all = (reach.gated * f64::from(parts + 2)).floor() as u64;
            assert_eq!((row.n_control, row.families), (control, all));
        }
        assert_eq!(rows.len(), 3);
    }
}
