//! `ratio=1:2`: a protocol with another ratio of its arms, by its own method where that can keep it.

use super::cells::{read_protocol, text_of};
use super::{File, Refused};
use crate::allocation::{METHODS, MethodEntry};
use crate::diagnostic::{Diagnostic, Words};
use crate::protocol::Protocol;
use crate::words;
use toml::{Table, Value};

/// The protocol with another ratio of its arms; where its method cannot keep the ratio, by permuted blocks of one and
/// two ratio sums.
pub(super) fn with_ratio(
    protocol: &mut Table,
    ratio: &Value,
    warnings: &mut Vec<Diagnostic>,
) -> Result<Protocol, Refused> {
    let text = ratio.as_str().unwrap_or_default();
    let parts: Option<Vec<i64>> = text
        .split(':')
        .map(|part| part.trim().parse().ok())
        .collect();
    let arms = protocol.get_mut("arm").and_then(Value::as_array_mut);
    let example = example(arms.as_ref().map_or(2, |arms| arms.len()));
    let refuse = |message: Words| Refused {
        file: File::Scenario,
        text: String::new(),
        edited: true,
        diagnostics: vec![Diagnostic::error("invalid-value", message).help(words!(
            "one whole number per arm, in the protocol's order, for example {example}",
            "ett heltal per arm, i protokollets ordning, till exempel {example}"
        ))],
    };
    let sum = match (parts, arms) {
        (Some(parts), Some(arms)) if parts.len() == arms.len() => {
            for (arm, part) in arms.iter_mut().zip(&parts) {
                if let Some(arm) = arm.as_table_mut() {
                    arm.insert("ratio".to_owned(), Value::Integer(*part));
                }
            }
            parts
                .iter()
                .fold(0_i64, |sum, part| sum.saturating_add(*part))
        }
        _ => {
            return Err(refuse(words!(
                "`{ratio}` is no ratio of the protocol's arms",
                "`{ratio}` är inget förhållande mellan protokollets armar"
            )));
        }
    };
    let first = read_protocol(&text_of(protocol, File::Protocol)?, true);
    let keeps = !matches!(&first, Err(refused) if refused
        .diagnostics
        .iter()
        .any(|finding| matches!(finding.code, "ratio-not-preserved" | "ratio-too-fine" | "block-not-divided" | "list-not-divided")));
    if keeps {
        return first.map(|(protocol, _)| protocol);
    }
    if let Some(kept) = by_switch(protocol)? {
        return Ok(kept);
    }
    if let Some(Value::Table(allocation)) = protocol.get_mut("allocation") {
        let strata = allocation.get("strata").cloned();
        allocation.clear();
        allocation.insert(
            "method".to_owned(),
            Value::String("permuted-block".to_owned()),
        );
        let lengths = [sum, sum.saturating_mul(2)].map(Value::Integer);
        allocation.insert("block_lens".to_owned(), Value::Array(lengths.to_vec()));
        if let Some(strata) = strata {
            allocation.insert("strata".to_owned(), strata);
        }
    }
    let double = sum.saturating_mul(2);
    warnings.push(Diagnostic::warning(
        "ratio-by-blocks",
        words!(
            "the protocol's method cannot keep the ratio {text}; permuted blocks of {sum} and {double} are simulated instead",
            "protokollets metod kan inte hålla förhållandet {text}; i stället simuleras permuterade block om {sum} och {double}"
        ),
    ));
    read_protocol(&text_of(protocol, File::Protocol)?, true).map(|(protocol, _)| protocol)
}

/// A ratio of so many arms: ones, and 2 for the last.
fn example(arms: usize) -> String {
    let mut parts = vec!["1"; arms];
    if let Some(last) = parts.last_mut() {
        *last = "2";
    }
    parts.join(":")
}

/// The protocol with the switch by which its method keeps the ratio, if it has one and may be used.
fn by_switch(protocol: &mut Table) -> Result<Option<Protocol>, Refused> {
    let Some(Value::Table(allocation)) = protocol.get_mut("allocation") else {
        return Ok(None);
    };
    let method = allocation.get("method").and_then(Value::as_str);
    let entry = METHODS.iter().find(|entry| Some(entry.id) == method);
    let Some(switch) = entry.and_then(MethodEntry::ratio_switch) else {
        return Ok(None);
    };
    let before = allocation.insert(switch.to_owned(), Value::Boolean(true));
    let kept = read_protocol(&text_of(protocol, File::Protocol)?, true);
    if let Ok((kept, _)) = kept {
        return Ok(Some(kept));
    }
    if let Some(Value::Table(allocation)) = protocol.get_mut("allocation") {
        match before {
            Some(before) => allocation.insert(switch.to_owned(), before),
            None => allocation.remove(switch),
        };
    }
    Ok(None)
}
