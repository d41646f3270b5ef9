//! The counts of the page for the public, in one system of sums: what may stand is decided for all of them at once.

use crate::analysis::results::{AnalysisResult, ArmOutcome, BaselineCell, BaselineRow};
use crate::diagnostic::{Lang, Words};
use crate::report::Report;
use crate::report::suppression::{Counts, Place};
use crate::study::flow::ArmFlow;
use crate::words;

/// A line of a table of counts.
pub(super) struct Line {
    pub(super) label: Words,
    pub(super) strong: bool,
    pub(super) cells: Vec<Option<Place>>,
}

/// An analysis on the page.
pub(super) struct Told<'a> {
    pub(super) analysis: &'a AnalysisResult,
    /// Analysed families of each arm.
    pub(super) analysed: Vec<(&'a ArmOutcome, Place)>,
}

/// Counts of a characteristic.
pub(super) struct Level<'a> {
    pub(super) row: &'a BaselineRow,
    /// Of each arm: how many have it, and of how many it is known.
    pub(super) arms: Vec<Option<(Place, Place)>>,
}

/// Everything with a count on the page.
pub(super) struct Tables<'a> {
    pub(super) flow: Vec<Line>,
    pub(super) told: Vec<Told<'a>>,
    pub(super) withheld: Vec<&'a AnalysisResult>,
    /// Families of each arm in the data set.
    pub(super) families: Vec<Place>,
    pub(super) levels: Vec<Level<'a>>,
}

/// What became of families, and how many of an arm.
type Stage = (Words, fn(&ArmFlow) -> u32);

/// All counts of the page in one system.
pub(super) fn tables<'a>(report: &Report<'a>, counts: &mut Counts) -> Tables<'a> {
    let (mut lines, arms) = flow_lines(report, counts);
    let baseline = &report.analyses.baseline;
    // A family is in the data set if it was drawn up to the cut, once, and was not erased.
    let families: Vec<Place> = (baseline.families.iter().zip(&arms))
        .map(|(families, arm)| within(counts, arm.allocated, *families))
        .collect();
    let levels = levels(report, &families, counts);
    let (mut told, mut withheld) = (Vec::new(), Vec::new());
    for analysis in &report.analyses.analyses {
        let small = analysis.arms.iter().any(|own| {
            own.events.is_some_and(|events| {
                counts.is_small(events) || counts.is_small(own.analysed.saturating_sub(events))
            }) || counts.is_small(own.analysed)
        });
        if small {
            withheld.push(analysis);
            continue;
        }
        let mut missing = Line {
            label: unknown(report, analysis),
            strong: false,
            cells: vec![None; arms.len() + 1],
        };
        let mut analysed = Vec::new();
        for own in &analysis.arms {
            let arm = own.arm.index();
            let (Some(all), Some(fates)) = (families.get(arm), arms.get(arm)) else {
                continue;
            };
            let unknown = counts.count(own.missing);
            let place = if counts.value(*all) == own.analysed {
                *all
            } else {
                let place = counts.count(own.analysed);
                let not_yet = counts.count(own.not_yet);
                counts.sum(*all, &[place, unknown, not_yet]);
                place
            };
            lost(counts, unknown, fates);
            if let Some(cell) = missing.cells.get_mut(arm + 1) {
                *cell = Some(unknown);
            }
            analysed.push((own, place));
        }
        lines.push(missing);
        told.push(Told { analysis, analysed });
    }
    Tables {
        flow: lines,
        told,
        withheld,
        families,
        levels,
    }
}

/// A part of a total whose rest nobody prints; where nothing is left over it is the total itself, as whoever reads will take it.
fn within(counts: &mut Counts, total: Place, part: u32) -> Place {
    if counts.value(total) == part {
        return total;
    }
    let place = counts.count(part);
    counts.sum(total, &[place]);
    place
}

/// Ties unknown outcomes to the families that withdrew or left, of whom they mostly are.
fn lost(counts: &mut Counts, unknown: Place, arm: &Fates) {
    let parts = [arm.withdrew, arm.left];
    let gone = parts.iter().map(|part| counts.value(*part)).sum();
    if counts.value(unknown) >= gone {
        counts.sum(unknown, &parts);
    } else {
        let gone = counts.derived(gone);
        counts.sum(gone, &parts);
        counts.sum(gone, &[unknown]);
    }
}

/// Counts of an arm in the flow that others go by.
struct Fates {
    allocated: Place,
    withdrew: Place,
    left: Place,
}

/// The lines of the flow, and the counts of each arm.
fn flow_lines(report: &Report<'_>, counts: &mut Counts) -> (Vec<Line>, Vec<Fates>) {
    let flow = report.flow;
    let arms = flow.arms.len();
    let all = |label: Words, place: Place, strong: bool| Line {
        label,
        strong,
        cells: std::iter::once(Some(place))
            .chain(std::iter::repeat_n(None, arms))
            .collect(),
    };
    let not_eligible: u32 = flow.not_eligible.iter().map(|own| own.families).sum();
    let exceptions: u32 = flow.exceptions.iter().map(|own| own.families).sum();
    let out = [
        (
            words!("not eligible", "uppfyllde inte villkoren"),
            not_eligible,
        ),
        (
            words!(
                "gate closed, no free place",
                "intagsstopp, ingen ledig plats"
            ),
            flow.turned_away,
        ),
        (
            words!(
                "exception declared in the protocol",
                "undantag enligt protokollet"
            ),
            exceptions,
        ),
        (
            words!("reason erased", "skälet raderat"),
            flow.reason_erased,
        ),
    ];
    let out = out.map(|(label, families)| (label, counts.count(families)));
    let places: Vec<Place> = out.iter().map(|(_, place)| *place).collect();
    let left = not_eligible + flow.turned_away + exceptions + flow.reason_erased;
    let left = counts.total(left, &places);
    // The arms, and what became of their families.
    let stages: [Stage; 6] = [
        (words!("followed to the end", "följdes hela tiden"), |own| {
            own.followed
        }),
        (
            words!(
                "still under follow-up at the cut",
                "uppföljning pågick vid brytdatumet"
            ),
            |own| own.under_follow_up,
        ),
        (words!("withdrew", "avbröt sitt deltagande"), |own| {
            own.withdrawn
        }),
        (
            words!(
                "left the register's coverage",
                "flyttade utanför registrets täckning"
            ),
            |own| own.left_coverage,
        ),
        (words!("death", "dödsfall"), |own| own.death),
        (
            words!("all children turned 18", "alla barn fyllde 18 år"),
            |own| own.all_children_18,
        ),
    ];
    let mut fates: Vec<Vec<Place>> = Vec::new();
    let (mut allocated, mut by_fate) = (Vec::new(), Vec::new());
    for own in &flow.arms {
        let parts: Vec<Place> = stages
            .iter()
            .map(|(_, pick)| counts.count(pick(own)))
            .collect();
        let all = counts.total(own.allocated, &parts);
        allocated.push(all);
        by_fate.push(Fates {
            allocated: all,
            withdrew: parts[2],
            left: parts[3],
        });
        fates.push(parts);
    }
    let randomized = counts.total(flow.randomized, &allocated);
    let screened = counts.total(flow.screened, &[left, randomized]);
    let mut lines = vec![all(
        words!("Families screened", "Familjer som bedömdes"),
        screened,
        true,
    )];
    lines.push(all(words!("Not randomized", "Lottades inte"), left, true));
    lines.extend(out.map(|(label, place)| all(label, place, false)));
    let by_arm = |label: Words, total: Place, parts: &[Place], strong: bool| Line {
        label,
        strong,
        cells: std::iter::once(total)
            .chain(parts.iter().copied())
            .map(Some)
            .collect(),
    };
    lines.push(by_arm(
        words!("Randomized", "Lottade"),
        randomized,
        &allocated,
        true,
    ));
    let mut totals = Vec::new();
    for (stage, (label, pick)) in stages.into_iter().enumerate() {
        let parts: Vec<Place> = fates.iter().map(|own| own[stage]).collect();
        let total = flow.arms.iter().map(pick).sum();
        let total = counts.total(total, &parts);
        totals.push(total);
        lines.push(by_arm(label, total, &parts, false));
    }
    counts.sum(randomized, &totals);
    (lines, by_fate)
}

/// The counted characteristics of the families, level by level.
fn levels<'a>(report: &Report<'a>, families: &[Place], counts: &mut Counts) -> Vec<Level<'a>> {
    let rows = &report.analyses.baseline.rows;
    let mut levels: Vec<Level<'a>> = Vec::new();
    let mut from = 0;
    while let Some(first) = rows.get(from) {
        let label = &first.label;
        let until = rows[from..]
            .iter()
            .position(|row| row.label != *label)
            .map_or(rows.len(), |more| from + more);
        let group = &rows[from..until];
        from = until;
        let mut own: Vec<Level<'a>> = group
            .iter()
            .map(|row| Level {
                row,
                arms: Vec::new(),
            })
            .collect();
        for (arm, all) in families.iter().enumerate() {
            let of = group.iter().find_map(|row| match row.arms.get(arm) {
                Some(BaselineCell::Share { of, .. }) => Some(*of),
                _ => None,
            });
            // A number has no counts but that of the families of whom it is known.
            let known = of.or_else(|| match first.arms.get(arm) {
                Some(BaselineCell::Number { n, .. }) => Some(*n),
                _ => None,
            });
            let Some(known) = known else {
                for level in &mut own {
                    level.arms.push(None);
                }
                continue;
            };
            let known = within(counts, *all, known);
            let mut parts = Vec::new();
            for level in &mut own {
                let count = match level.row.arms.get(arm) {
                    Some(BaselineCell::Share { count, .. }) => Some(counts.count(*count)),
                    _ => None,
                };
                parts.extend(count);
                level.arms.push(count.map(|count| (count, known)));
            }
            if !parts.is_empty() {
                counts.sum(known, &parts);
            }
        }
        levels.extend(own);
    }
    levels
}

fn unknown(report: &Report<'_>, analysis: &AnalysisResult) -> Words {
    let [en, sv] = [Lang::En, Lang::Sv].map(|lang| report.name(analysis, lang));
    words!("outcome not known: {en}", "utfall okänt: {sv}")
}
