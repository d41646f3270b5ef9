//! `[family]` and `[[field]]`: children of a family, what intake knows of it, and what families of a pair share.
//!
//! A field is tied to the family's risk of new reports by a mixture: with probability `risk_correlation` it is the
//! quantile at the family's own risk deviate (from above, for a negative one), else at a deviate of its own. Margins are
//! exactly as stated and the rank correlation is `risk_correlation` (a copula of Fréchet; Nelsen 2006,
//! doi 10.1007/0-387-28678-0, exercise 2.4). Families of a therapist pair share a deviate of reports and one of acceptance in
//! the same way, with probability `√icc` each, and the normal deviate of a score as `√icc` times the pair's and `√(1 − icc)`
//! times their own, so that the intraclass correlation of each of these treated outcomes is `icc` exactly. How long an
//! investigation takes is each family's own.

use super::quantiles::CountTable;
use super::{MechanismEntry, or_default, positive, share};
use crate::diagnostic::{Diagnostic, Place, Words};
use crate::numerics::root::bisect;
use crate::protocol::Protocol;
use crate::protocol::findings::Findings;
use crate::protocol::model::{Field, FieldKind, MAX_FIELDS, decimal};
use crate::protocol::tree::{Section, Value};
use crate::study::kernel::MAX_CHILDREN;
use crate::words;

/// Registry entry.
pub(super) const ENTRY: MechanismEntry = MechanismEntry {
    id: "family",
    about: "children, facts known at intake, and what families of a therapist pair share",
    about_sv: "barn, uppgifter vid mottagningen, och vad familjer hos samma par har gemensamt",
    keys: &["children", "icc_children", "icc_pair"],
    build: None,
};

/// Keys of a `[[field]]`.
pub(crate) const FIELD: &[&str] = &["id", "count", "uniform", "shares", "risk_correlation"];

/// How the values of a field are distributed.
#[derive(Debug, Clone, PartialEq)]
pub struct FieldLaw {
    table: CountTable,
    risk_correlation: f64,
}

impl FieldLaw {
    /// The deviate below which a field takes the family's risk in place of its own deviate.
    pub(in crate::planning) fn tie(&self) -> f64 {
        self.risk_correlation.abs()
    }

    /// The field's value for its own deviate and the family's risk deviate.
    pub fn at(&self, own: f64, risk: f64) -> i64 {
        let tie = self.risk_correlation.abs();
        let alone = (own - tie) / (1.0 - tie);
        let tied = if self.risk_correlation > 0.0 {
            risk
        } else {
            1.0 - risk
        };
        // Both are made, so that nothing waits for the deviate to say which.
        self.table.at(if own >= tie { alone } else { tied })
    }
}

/// Families.
#[derive(Debug, Clone, PartialEq)]
pub struct Family {
    children: CountTable,
    /// One law per field of the protocol, in its order.
    pub fields: Vec<FieldLaw>,
    /// Intraclass correlation of siblings' having a new report; 1 where the number of children does not matter.
    pub icc_children: f64,
    /// Intraclass correlation of outcomes of treated families with the same therapist pair.
    pub icc_pair: f64,
}

impl Family {
    /// The control risk of a family by its number of children, index 0 standing for one child too, with a mean over
    /// families of `control`.
    ///
    /// Siblings share one fate with probability `ρ`, else each has its own, so that the correlation of any two is `ρ`
    /// and a family of `m` has the risk `1 − ρ(1 − q) − (1 − ρ)(1 − q)^m`, `q` being a child's.
    pub fn risks(&self, control: f64) -> Vec<f64> {
        let shares = self.children.masses();
        let most = shares
            .last()
            .map_or(1, |(m, _)| *m)
            .clamp(1, MAX_CHILDREN as i64);
        if self.icc_children >= 1.0 {
            return vec![control; most as usize + 1];
        }
        let of = |q: f64, m: i64| {
            let rho = self.icc_children;
            1.0 - rho * (1.0 - q) - (1.0 - rho) * (1.0 - q).powi(m as i32)
        };
        let mean = |q: f64| {
            shares
                .iter()
                .map(|(m, share)| share * of(q, *m))
                .sum::<f64>()
        };
        let q = bisect(0.0, 1.0, 1e-15, |q| mean(q) < control);
        (0..=most).map(|m| of(q, m.max(1))).collect()
    }

    /// Number of children for a deviate.
    pub fn children(&self, u: f64) -> usize {
        self.children.at(u).clamp(1, MAX_CHILDREN as i64) as usize
    }

    /// Reads `[family]` and the fields.
    pub(crate) fn read(
        out: &mut Findings<'_>,
        section: &Section<'_>,
        fields: &[Section<'_>],
        protocol: &Protocol,
    ) -> Option<Self> {
        let children = children(out, section);
        let siblings = or_default(out, section, "icc_children", 1.0, share);
        let icc = or_default(out, section, "icc_pair", 0.0, share);
        let mut laws: Vec<Option<FieldLaw>> = vec![None; protocol.fields.len().min(MAX_FIELDS)];
        let mut seen = vec![false; laws.len()];
        let names: Vec<&str> = protocol.fields.iter().map(|f| f.id.as_str()).collect();
        for section in fields {
            let Some(value) = section.need(out, "id") else {
                continue;
            };
            let Some(id) = value.text(out) else { continue };
            let Some(index) = names.iter().position(|name| *name == id) else {
                out.unknown(
                    "unknown-reference",
                    &value.span,
                    id,
                    words!(
                        "the protocol has no field `{id}`",
                        "protokollet har inget fält `{id}`"
                    ),
                    names.iter().copied(),
                );
                continue;
            };
            if std::mem::replace(&mut seen[index], true) {
                out.error(
                    "duplicate-id",
                    &value.span,
                    words!(
                        "the field `{id}` is there twice",
                        "fältet `{id}` finns två gånger"
                    ),
                    words!("remove one", "ta bort det ena"),
                );
                continue;
            }
            laws[index] = law(out, section, &protocol.fields[index]);
        }
        for (index, field) in protocol.fields.iter().enumerate().take(laws.len()) {
            if seen[index] {
                continue;
            }
            laws[index] = even(field);
            if laws[index].is_none() {
                let id = &field.id;
                out.error(
                    "field-without-law",
                    &section.span,
                    words!(
                        "the scenario does not say how the field `{id}` is distributed",
                        "scenariot säger inte hur fältet `{id}` fördelar sig"
                    ),
                    words!(
                        "add `[[field]]` with `id = \"{id}\"` and `count`, `uniform` or `shares`",
                        "lägg till `[[field]]` med `id = \"{id}\"` och `count`, `uniform` eller `shares`"
                    ),
                );
            }
        }
        let fields: Option<Vec<FieldLaw>> = laws.into_iter().collect();
        Some(Self {
            children: children?,
            fields: fields?,
            icc_children: siblings?,
            icc_pair: icc?,
        })
    }
}

fn children(out: &mut Findings<'_>, section: &Section<'_>) -> Option<CountTable> {
    let value = section.need(out, "children")?;
    let children = value.section(out, &["mean", "max"])?;
    let mean = children.need(out, "mean");
    let mean = mean.and_then(|value| positive(out, &value, MAX_CHILDREN as f64));
    let most = or_default(out, &children, "max", 8, |out, value| {
        value.count(out, 1, MAX_CHILDREN as u32)
    });
    let (mean, most) = (mean?, most?);
    let table = CountTable::truncated_poisson(mean, most);
    if table.is_none() {
        let Words { en, sv } = Words::number(mean);
        out.error(
            "impossible-mean",
            &children.key_span("mean"),
            words!(
                "no Poisson law from 1 to {most} children has the mean {en}",
                "ingen Poissonfördelning från 1 till {most} barn har medelvärdet {sv}"
            ),
            words!(
                "a mean above 1 and below the middle of the range",
                "ett medelvärde över 1 och under mitten av intervallet"
            ),
        );
    }
    table
}

/// Equal chances over a field's levels or its short range; `None` where that would be absurd.
fn even(field: &Field) -> Option<FieldLaw> {
    let (least, number) = match &field.kind {
        FieldKind::Choice { levels } => (0, levels.len()),
        FieldKind::YesNo => (0, 2),
        FieldKind::Count { range, .. } | FieldKind::Number { range, .. } => {
            let width = range.1.checked_sub(range.0)?;
            (range.0, usize::try_from(width).ok()?.checked_add(1)?)
        }
    };
    (number <= 1000).then(|| FieldLaw {
        table: CountTable::new(least, &vec![1.0; number]),
        risk_correlation: 0.0,
    })
}

fn law(out: &mut Findings<'_>, section: &Section<'_>, field: &Field) -> Option<FieldLaw> {
    let tie = or_default(out, section, "risk_correlation", 0.0, |out, value| {
        value.number(
            out,
            |tie| tie > -1.0 && tie < 1.0,
            words!("a number between −1 and 1", "ett tal mellan −1 och 1"),
        )
    });
    let ways = ["count", "uniform", "shares"];
    let given: Vec<Value<'_>> = ways.iter().filter_map(|way| section.get(way)).collect();
    let table = match given.as_slice() {
        [] => even(field).map(|law| law.table),
        [value] => match (value.key.as_str(), &field.kind) {
            ("count", FieldKind::Count { range, .. }) => count(out, value, *range),
            ("uniform", FieldKind::Count { range, .. }) => uniform(out, value, *range, 0),
            ("uniform", FieldKind::Number { range, places, .. }) => {
                uniform(out, value, *range, *places)
            }
            ("shares", FieldKind::Choice { levels }) => {
                let names: Vec<&str> = levels.iter().map(|level| level.id.as_str()).collect();
                shares(out, value, &names)
            }
            // A yes is 1 in the state machine, a no is 0.
            ("shares", FieldKind::YesNo) => shares(out, value, &["no", "yes"]),
            _ => {
                let (key, id) = (&value.key, &field.id);
                out.error(
                    "not-applicable",
                    &section.key_span(key),
                    words!(
                        "`{key}` does not fit the kind of the field `{id}`",
                        "`{key}` passar inte fältet `{id}`"
                    ),
                    words!(
                        "`count` and `uniform` are for numbers, `shares` for levels and yes or no",
                        "`count` och `uniform` är för tal, `shares` för nivåer och ja eller nej"
                    ),
                );
                None
            }
        },
        [_, second, ..] => {
            let key = &second.key;
            out.error(
                "not-applicable",
                &section.key_span(key),
                words!(
                    "a field has one law, and `{key}` is a second one",
                    "ett fält har en fördelning, och `{key}` är en till"
                ),
                words!("remove one of them", "ta bort den ena"),
            );
            None
        }
    };
    Some(FieldLaw {
        table: table?,
        risk_correlation: tie?,
    })
}

/// Greatest mean of a field's `count`.
pub(in crate::planning) const MOST_MEAN: f64 = 10_000.0;
/// Most values of a field's `uniform`.
pub(in crate::planning) const MOST_VALUES: i64 = 1_000_000;

fn count(out: &mut Findings<'_>, value: &Value<'_>, range: (i64, i64)) -> Option<CountTable> {
    let section = value.section(out, &["mean", "dispersion", "least"])?;
    let least = or_default(out, &section, "least", range.0, |out, value| {
        value.whole(out, range.0, range.1.min(1_000_000))
    });
    let mean = section.need(out, "mean");
    let mean = mean.and_then(|value| positive(out, &value, MOST_MEAN));
    let dispersion = or_default(out, &section, "dispersion", 0.0, |out, value| {
        super::not_negative(out, value, 100.0)
    });
    let (least, mean, dispersion) = (least?, mean?, dispersion?);
    let above = mean - least as f64;
    if above <= 0.0 {
        let Words { en, sv } = Words::number(mean);
        out.error(
            "impossible-mean",
            &section.key_span("mean"),
            words!(
                "the mean {en} is not above the least value {least}",
                "medelvärdet {sv} är inte över det minsta värdet {least}"
            ),
            words!(
                "raise `mean`, or lower `least`",
                "höj `mean` eller sänk `least`"
            ),
        );
        return None;
    }
    if mean >= range.1 as f64 {
        let most = range.1;
        let Words { en, sv } = Words::number(mean);
        out.error(
            "impossible-mean",
            &section.key_span("mean"),
            words!(
                "the mean {en} is not below the field's greatest value {most}",
                "medelvärdet {sv} är inte under fältets största värde {most}"
            ),
            words!("lower `mean`", "sänk `mean`"),
        );
        return None;
    }
    // A family that intake could not write down is never lived.
    let law = CountTable::negative_binomial(least, above, dispersion);
    let law = law.up_to(range.1);
    let lived = law.mean();
    if mean - lived > CUT_UNSAID * mean {
        // A law with a very long tail ends before the field does.
        let most = range.1.min(law.greatest());
        let (at_en, at_sv) = if most < range.1 {
            (
                "the greatest value that is simulated,",
                "det största värde som simuleras,",
            )
        } else {
            ("the field's greatest value", "fältets största värde")
        };
        let Words { en, sv } = Words::number(mean);
        let Words {
            en: lived_en,
            sv: lived_sv,
        } = Words::number((lived * 100.0).round() / 100.0);
        out.push(
            Diagnostic::warning(
                "mean-cut-by-range",
                words!(
                    "the law is cut at {at_en} {most}: families have the mean {lived_en}, not {en}",
                    "fördelningen kapas vid {at_sv} {most}: familjerna får medelvärdet {lived_sv}, inte {sv}"
                ),
            )
            .at(Place::span(section.key_span("mean")))
            .help(words!(
                "lower `mean` or `dispersion`, or widen the field's range in the protocol",
                "sänk `mean` eller `dispersion`, eller vidga fältets intervall i protokollet"
            )),
        );
    }
    Some(law)
}

/// By how much of the stated mean that of a count may fall short, cut at its range, before it is said.
const CUT_UNSAID: f64 = 0.05;

/// Equal chances from one value to another, both in the field's own unit.
fn uniform(
    out: &mut Findings<'_>,
    value: &Value<'_>,
    range: (i64, i64),
    places: u8,
) -> Option<CountTable> {
    let items = value.items(out)?;
    let ends: Vec<i64> = items
        .iter()
        .filter_map(|item| {
            let end = item.exact(out, places)?;
            if (range.0..=range.1).contains(&end) {
                return Some(end);
            }
            let (given, low, high) = (
                decimal(end, places),
                decimal(range.0, places),
                decimal(range.1, places),
            );
            out.out_of_range(
                &item.span,
                &item.key,
                &given,
                words!(
                    "a number from {low} to {high}",
                    "ett tal från {low} till {high}"
                ),
            );
            None
        })
        .collect();
    match ends.as_slice() {
        [low, high] if items.len() == 2 && low <= high && high - low < MOST_VALUES => {
            let number = (high - low + 1) as usize;
            Some(CountTable::new(*low, &vec![1.0; number]))
        }
        _ => {
            if ends.len() == items.len() {
                value.wrong_type(
                    out,
                    Words::new(
                        "the least and the greatest value, such as [0, 17]",
                        "det minsta och det största värdet, till exempel [0, 17]",
                    ),
                );
            }
            None
        }
    }
}

fn shares(out: &mut Findings<'_>, value: &Value<'_>, levels: &[&str]) -> Option<CountTable> {
    let section = value.section(out, levels)?;
    let masses: Vec<Option<f64>> = levels
        .iter()
        .map(|level| or_default(out, &section, level, 0.0, share))
        .collect();
    let masses: Option<Vec<f64>> = masses.into_iter().collect();
    let masses = masses?;
    let sum: f64 = masses.iter().sum();
    if (sum - 1.0).abs() > 1e-6 {
        out.error(
            "shares-sum",
            &value.span,
            words!(
                "the shares add to {sum}, not to 1",
                "andelarna blir {sum}, inte 1"
            ),
            words!(
                "a level that is left out has the share 0",
                "en nivå som utelämnas har andelen 0"
            ),
        );
        return None;
    }
    Some(CountTable::new(0, &masses))
}

#[cfg(test)]
mod tests {
    use super::{CountTable, Family};

    /// By hand, for families of one, two or three children (.5, .3, .2), ρ = .2 and a child's risk of .1: one child .1, two
    /// 1 − .2·.9 − .8·.81 = .172, three 1 − .18 − .8·.729 = .2368; mean .05 + .0516 + .04736 = .14896.
    #[test]
    fn larger_families_have_more_risk() {
        let mut family = Family {
            children: CountTable::new(1, &[0.5, 0.3, 0.2]),
            fields: Vec::new(),
            icc_children: 0.2,
            icc_pair: 0.0,
        };
        let risks = family.risks(0.148_96);
        for (found, wanted) in risks.iter().zip([0.1, 0.1, 0.172, 0.2368]) {
            assert!((found - wanted).abs() < 1e-12, "{risks:?}");
        }
        family.icc_children = 1.0;
        assert!(
            family
                .risks(0.4)
                .iter()
                .all(|risk| (risk - 0.4).abs() < 1e-15)
        );
    }
}
