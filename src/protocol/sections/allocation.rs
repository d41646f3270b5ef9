//! `[allocation]`: the method with its own options, and the stratification factors.
//!
//! What a method accepts is said by the registry of [`crate::allocation`]; its refusals become findings at the option
//! that they name.

use super::participants::Arms;
use crate::allocation::{METHODS, MethodEntry, Options, Ratio, Refusal, choose};
use crate::diagnostic::{Diagnostic, Place};
use crate::protocol::findings::{Findings, quoted};
use crate::protocol::model::{Allocation, Factor, Field, FieldKind, SampleSize, THIN_STRATUM};
use crate::protocol::names::{Ids, repeated};
use crate::protocol::tree::{Section, Value};
use crate::words;
use std::ops::Range;
use std::sync::Arc;
use toml::de::DeValue;

/// Keys of `[allocation]` besides the options of the method.
pub(in crate::protocol) const KEYS: &[&str] = &["method", "strata"];

/// Most strata: each keeps its own state.
const MAX_STRATA: usize = 10_000;

/// What the allocation refers to.
#[derive(Debug, Clone, Copy)]
pub(in crate::protocol) struct Around<'f> {
    /// The arms.
    pub(in crate::protocol) arms: &'f Arms,
    /// Number of sites.
    pub(in crate::protocol) sites: usize,
    /// Identifiers of the fields.
    pub(in crate::protocol) ids: &'f Ids,
    /// The fields.
    pub(in crate::protocol) fields: &'f [Option<Field>],
    /// The planned size.
    pub(in crate::protocol) size: Option<&'f SampleSize>,
}

/// Reads the section.
pub(in crate::protocol) fn read(
    out: &mut Findings<'_>,
    root: &Section<'_>,
    around: Around<'_>,
) -> Option<Allocation> {
    let section = root
        .need(out, "allocation")
        .and_then(|value| value.open_section(out))?;
    let (options, spans) = options(out, &section);
    let strata = strata(out, &section, around);
    let method = section.need(out, "method")?;
    let id = method.text(out)?;
    // Independent lots know no strata: thin ones cost them nothing.
    if let Some((_, cells)) = strata.as_ref().filter(|_| id != "simple") {
        warn_of_thin(out, &section, around, *cells);
    }
    let strata = strata.map(|(list, _)| list);
    let parts: Option<Vec<u64>> = around
        .arms
        .list
        .iter()
        .map(|arm| arm.as_ref().map(|arm| arm.ratio))
        .collect();
    let ratio = Ratio::new(&parts?)?;
    let balances = METHODS
        .iter()
        .any(|entry| entry.id == id && entry.balances_factors());
    let factors = if balances {
        balanced(out, &section, around, strata.as_deref())
    } else {
        Some(Vec::new())
    };
    let options = options?;
    match choose(id, &ratio, &options, None) {
        Ok(design) => {
            if !design.keeps_ratio() {
                not_kept(out, &method.span, id, &ratio);
                return None;
            }
            warn_of_switch(out, &section, id, (&options, &ratio));
            Some(Allocation {
                method: id.to_string(),
                options,
                ratio,
                design: Arc::from(design),
                strata: strata?,
                factors: factors?,
            })
        }
        Err(refusals) => {
            for refusal in refusals {
                refuse(out, &section, &method.span, &spans, refusal);
            }
            None
        }
    }
}

type Spans = Vec<(String, Range<usize>, Range<usize>)>;

/// Everything that is not a key of the section itself is an option of the method.
fn options(out: &mut Findings<'_>, section: &Section<'_>) -> (Option<Options>, Spans) {
    let mut pairs = Vec::new();
    let mut spans = Vec::new();
    let mut complete = true;
    for (key_span, value) in section.entries() {
        if KEYS.contains(&value.key.as_str()) {
            continue;
        }
        if let Some(text) = option_text(&value) {
            spans.push((value.key.clone(), key_span, value.span.clone()));
            pairs.push((value.key.clone(), text));
            continue;
        }
        value.wrong_type(
            out,
            words!(
                "a number, a text or a list of them",
                "ett tal, en text eller en lista av sådana"
            ),
        );
        complete = false;
    }
    (complete.then_some(Options(pairs)), spans)
}

/// A number, text, `true` or `false` as it is written; a list joined by commas.
fn option_text(value: &Value<'_>) -> Option<String> {
    fn one(value: &DeValue<'_>) -> Option<String> {
        match value {
            DeValue::String(text) => Some(text.to_string()),
            DeValue::Integer(number) if number.radix() == 10 => Some(number.as_str().to_string()),
            DeValue::Float(number) => Some(number.as_str().to_string()),
            DeValue::Boolean(yes) => Some(yes.to_string()),
            _ => None,
        }
    }
    match value.raw() {
        DeValue::Array(items) => items
            .iter()
            .map(|item| one(item.get_ref()))
            .collect::<Option<Vec<_>>>()
            .map(|items| items.join(",")),
        single => one(single),
    }
}

fn refuse(
    out: &mut Findings<'_>,
    section: &Section<'_>,
    method: &Range<usize>,
    spans: &Spans,
    refusal: Refusal,
) {
    let own = refusal
        .option
        .as_deref()
        .and_then(|option| spans.iter().find(|(name, _, _)| name == option));
    let span = match own {
        Some((_, key, _)) if refusal.code == "unknown-option" => key.clone(),
        Some((_, _, value)) => value.clone(),
        None if refusal.code == "unknown-option" => section.span.clone(),
        None => method.clone(),
    };
    let mut finding = Diagnostic::error(refusal.code, refusal.message).at(Place::span(span));
    finding.help = Some(refusal.help.unwrap_or_else(|| {
        words!(
            "docs/protocol.md lists the methods and their options",
            "docs/protocol.md räknar upp metoderna och deras alternativ"
        )
    }));
    out.push(finding);
}

fn not_kept(out: &mut Findings<'_>, method: &Range<usize>, id: &str, ratio: &Ratio) {
    out.error(
        "ratio-not-preserved",
        method,
        words!(
            "`{id}` as set here does not keep the ratio {ratio} at every draw, so arms would differ by time and place",
            "`{id}` med dessa inställningar håller inte förhållandet {ratio} vid varje lottning, så armarna skulle skilja sig åt i tid och rum"
        ),
        words!(
            "set `ratio_preserving = true`, or give all arms the same `ratio`",
            "ange `ratio_preserving = true` eller ge alla armar samma `ratio`"
        ),
    );
}

/// Warns of a switch for unequal parts where all parts are equal.
fn warn_of_switch(
    out: &mut Findings<'_>,
    section: &Section<'_>,
    id: &str,
    (options, ratio): (&Options, &Ratio),
) {
    let entry = METHODS.iter().find(|entry| entry.id == id);
    let switch = entry.and_then(MethodEntry::ratio_switch);
    let on = switch.filter(|name| options.get(name) == Some("true"));
    let Some(name) = on.filter(|_| ratio.is_equal()) else {
        return;
    };
    out.warning(
        "option-not-used",
        &section.key_span(name),
        words!(
            "`{name}` changes nothing when all arms have the same `ratio`",
            "`{name}` ändrar inget när alla armar har samma `ratio`"
        ),
        words!("leave `{name}` out", "utelämna `{name}`"),
    );
}

/// The balancing factors of a method that has them. That there are any, and not too many, is the method's to say.
fn balanced(
    out: &mut Findings<'_>,
    section: &Section<'_>,
    around: Around<'_>,
    strata: Option<&[Factor]>,
) -> Option<Vec<Factor>> {
    let Some(value) = section.get("factors") else {
        return Some(Vec::new());
    };
    let items = value.items(out)?;
    let mut list: Vec<Factor> = Vec::new();
    let mut cells: usize = 1;
    let mut complete = true;
    for item in &items {
        let Some((factor, levels)) = factor(out, item, around) else {
            complete = false;
            continue;
        };
        if strata.is_some_and(|strata| strata.contains(&factor)) {
            let name = item.text(out).unwrap_or_default();
            out.error(
                "factor-is-stratum",
                &item.span,
                words!(
                    "`{name}` is a stratification factor already: within a stratum there is nothing left to balance",
                    "`{name}` är redan en stratifieringsfaktor: inom ett stratum finns inget kvar att balansera"
                ),
                words!(
                    "keep `{name}` in `strata` or in `factors`, not in both",
                    "behåll `{name}` i `strata` eller i `factors`, inte i båda"
                ),
            );
            complete = false;
        }
        list.push(factor);
        cells = cells.saturating_mul(levels.max(1));
    }
    if u32::try_from(cells).is_err() {
        out.error(
            "too-many",
            &value.span,
            words!(
                "the factors have {cells} combinations of levels, more than can be numbered",
                "faktorerna har {cells} kombinationer av nivåer, fler än som kan numreras"
            ),
            words!(
                "balance fewer factors, or give them fewer levels",
                "balansera färre faktorer eller ge dem färre nivåer"
            ),
        );
        return None;
    }
    complete.then_some(list)
}

fn strata(
    out: &mut Findings<'_>,
    section: &Section<'_>,
    around: Around<'_>,
) -> Option<(Vec<Factor>, usize)> {
    let value = section.need(out, "strata")?;
    let items = value.items(out)?;
    let mut list: Vec<Factor> = Vec::new();
    let mut cells: usize = 1;
    let mut complete = true;
    for item in &items {
        let Some((factor, levels)) = factor(out, item, around) else {
            complete = false;
            continue;
        };
        if list.contains(&factor) {
            let name = item.text(out).unwrap_or_default();
            repeated(
                out,
                &item.span,
                &words!("stratification factor", "stratifieringsfaktorn"),
                name,
            );
        }
        list.push(factor);
        cells = cells.saturating_mul(levels.max(1));
    }
    if !complete {
        return None;
    }
    if cells > MAX_STRATA {
        out.error(
            "too-many",
            &value.span,
            words!(
                "{cells} strata, at most {MAX_STRATA} possible",
                "{cells} strata, högst {MAX_STRATA} är möjligt"
            ),
            words!(
                "stratify by fewer factors; use the others as covariates of the analysis",
                "stratifiera efter färre faktorer; använd de andra som kovariater i analysen"
            ),
        );
        return None;
    }
    Some((list, cells))
}

/// Warns of strata with few families each.
fn warn_of_thin(out: &mut Findings<'_>, section: &Section<'_>, around: Around<'_>, cells: usize) {
    let (Some(size), Some(value)) = (around.size, section.get("strata")) else {
        return;
    };
    let target = size.target;
    if cells > 1 && (target as usize) < cells * THIN_STRATUM {
        out.warning(
            "thin-strata",
            &value.span,
            words!(
                "{target} families in {cells} strata: fewer than {THIN_STRATUM} in each",
                "{target} familjer i {cells} strata: färre än {THIN_STRATUM} i varje"
            ),
            words!(
                "stratify by fewer factors; use the others as covariates of the analysis",
                "stratifiera efter färre faktorer; använd de andra som kovariater i analysen"
            ),
        );
    }
}

pub(super) fn factor(
    out: &mut Findings<'_>,
    item: &Value<'_>,
    around: Around<'_>,
) -> Option<(Factor, usize)> {
    let name = item.text(out)?;
    if name == "site" {
        return Some((Factor::Site, around.sites));
    }
    let Some(index) = around.ids.position(name) else {
        let known: Vec<&str> = std::iter::once("site").chain(around.ids.names()).collect();
        out.unknown(
            "unknown-reference",
            &item.span,
            name,
            words!(
                "`{name}` is neither `site` nor a field",
                "`{name}` är varken `site` eller ett fält"
            ),
            known,
        );
        return None;
    };
    let field = around.fields.get(index)?.as_ref()?;
    let levels = match &field.kind {
        FieldKind::Choice { levels } => levels.len(),
        FieldKind::YesNo => 2,
        FieldKind::Count { .. } | FieldKind::Number { .. } => {
            if field.cuts.is_empty() {
                let example = quoted(&["0-2", "3+"]);
                out.error(
                    "strata-without-levels",
                    &item.span,
                    words!(
                        "`{name}` is a number without levels, so it can be neither a stratification factor nor balanced",
                        "`{name}` är ett tal utan nivåer och kan därför varken stratifiera eller balanseras"
                    ),
                    words!(
                        "add `cuts` to the field: `cuts = [3]` gives the levels {example}",
                        "lägg till `cuts` i fältet: `cuts = [3]` ger nivåerna {example}"
                    ),
                );
                return None;
            }
            field.cuts.len() + 1
        }
    };
    Some((Factor::Field(index), levels))
}
