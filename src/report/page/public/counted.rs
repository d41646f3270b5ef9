//! What of the counts may stand on the page for the public, decided for the whole page before any of it is written.

use crate::analysis::results::{AnalysisResult, ArmOutcome, BaselineCell, BaselineRow};
use crate::diagnostic::{Lang, Words};
use crate::protocol::model::{Missing, OutcomeKind};
use crate::report::Report;
use crate::report::suppression::Bound;
use crate::study::flow::ArmFlow;
use crate::words;

/// A cell of a table of counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cell {
    Blank,
    Masked,
    Count(u32),
}

impl From<Option<u32>> for Cell {
    fn from(shown: Option<u32>) -> Self {
        shown.map_or(Self::Masked, Self::Count)
    }
}

/// A line of a table of counts.
pub(super) struct Line {
    pub(super) label: Words,
    pub(super) strong: bool,
    pub(super) cells: Vec<Cell>,
}

/// How much of an analysis is on the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Told {
    /// Everything.
    Whole,
    /// Its effect in whole percentage points.
    Effect,
    /// Its name.
    Name,
}

/// A characteristic, with its counts or means if they may stand.
pub(super) struct Characteristic<'a> {
    pub(super) rows: &'a [BaselineRow],
    pub(super) shown: bool,
}

/// Everything with a count on the page.
pub(super) struct Tables<'a> {
    pub(super) flow: Vec<Line>,
    pub(super) told: Vec<(&'a AnalysisResult, Told)>,
    /// Families of each arm in the data set, if they may stand.
    pub(super) families: Vec<Option<u32>>,
    pub(super) characteristics: Vec<Characteristic<'a>>,
}

/// Families that an arm must have for whole percentage points to fit every number of them that is masked: with more than 100
/// some number of events gives each.
fn enough(families: u32, bound: Bound) -> bool {
    families >= 100 + bound.0
}

/// All counts of the page; `None` where an arm itself has a small number of families, and nothing else can stand.
pub(super) fn tables<'a>(report: &Report<'a>, bound: Bound) -> Option<Tables<'a>> {
    let arms = &report.flow.arms;
    let allocated: Vec<u32> = arms.iter().map(|own| own.allocated).collect();
    if bound.any_small(&allocated) {
        return None;
    }
    let mut flow = flow(report, &allocated, bound);
    // A family is in the data set if it was drawn up to the cut, once, and was not erased.
    let in_set = &report.analyses.baseline.families;
    let left_over = (allocated.iter().zip(in_set)).map(|(all, own)| all.abs_diff(*own));
    // The flow has those who are erased or were drawn before, and the rest came after the cut.
    let after_cut = arms.iter().map(|own| own.after_cut);
    let known = !in_set
        .iter()
        .copied()
        .chain(left_over)
        .chain(after_cut)
        .any(|own| bound.is_small(own));
    let characteristics = report
        .analyses
        .baseline
        .rows
        .chunk_by(|one, next| one.label == next.label);
    let characteristics = characteristics
        .map(|rows| Characteristic {
            rows,
            shown: known && may_stand(rows, in_set, bound),
        })
        .collect();
    let told = told(report, bound, known);
    for (analysis, how) in &told {
        let mut cells = vec![Cell::Blank; arms.len() + 1];
        for own in &analysis.arms {
            if let Some(cell) = cells.get_mut(own.arm.index() + 1) {
                *cell = (*how == Told::Whole).then_some(own.missing).into();
            }
        }
        flow.push(Line {
            label: unknown(report, analysis),
            strong: false,
            cells,
        });
    }
    Some(Tables {
        flow,
        told,
        families: in_set.iter().map(|own| known.then_some(*own)).collect(),
        characteristics,
    })
}

/// Whether the counts of a characteristic may stand: none is small in an arm, nor the number of those of whom it is not known,
/// nor that of all the other levels.
fn may_stand(rows: &[BaselineRow], families: &[u32], bound: Bound) -> bool {
    rows.iter().all(|row| {
        (row.arms.iter().zip(families)).all(|(cell, families)| match cell {
            BaselineCell::Share { count, of } => !bound.any_small(&[
                *count,
                of.saturating_sub(*count),
                families.saturating_sub(*of),
            ]),
            // The mean of few values is not far from saying them.
            BaselineCell::Number { n, .. } => {
                *n >= 10 * bound.0 && !bound.is_small(families.saturating_sub(*n))
            }
            BaselineCell::Empty => true,
        })
    })
}

/// What outcomes are made of: one that is a part of another, or a sum with it, is made of the same.
#[derive(PartialEq, Eq)]
enum Source<'a> {
    Reports,
    Services,
    Observed(&'a str),
}

fn source<'a>(report: &Report<'_>, analysis: &'a AnalysisResult) -> Source<'a> {
    let mut outcomes = report.protocol.outcomes.iter();
    match outcomes
        .find(|own| own.id == analysis.outcome)
        .map(|own| &own.kind)
    {
        Some(OutcomeKind::Reports { .. }) => Source::Reports,
        Some(OutcomeKind::Binary { .. } | OutcomeKind::Duration { .. }) => Source::Services,
        Some(OutcomeKind::Observed { .. }) | None => Source::Observed(&analysis.outcome),
    }
}

/// How much of each analysis is told. Those of one source stand or fall together, since what one of them shows the others are
/// worked out from; where they fall, the first of them tells its effect if it can be told roughly.
fn told<'a>(report: &Report<'a>, bound: Bound, known: bool) -> Vec<(&'a AnalysisResult, Told)> {
    let all = &report.analyses.analyses;
    let kin =
        |one: &AnalysisResult, other: &AnalysisResult| source(report, one) == source(report, other);
    let falls = |own: &AnalysisResult| {
        let kindred = || all.iter().filter(|other| kin(own, other));
        !known
            || kindred().any(|one| {
                gives_away(report, one, bound)
                    || kindred().any(|other| {
                        differ_by_few(one, other, bound) || few_between(one, other, bound)
                    })
            })
    };
    let fallen: Vec<bool> = all.iter().map(falls).collect();
    // Of those that stand, the families of two sources may tell a third number.
    let beside = |own: &AnalysisResult| {
        let standing = || all.iter().zip(&fallen).filter(|(_, fallen)| !**fallen);
        let kindred = || standing().filter(|(one, _)| kin(own, one));
        kindred().any(|(one, _)| standing().any(|(other, _)| differ_by_few(one, other, bound)))
    };
    let told = all
        .iter()
        .zip(&fallen)
        .enumerate()
        .map(|(place, (own, fallen))| {
            let first = !all[..place].iter().any(|other| kin(own, other));
            let rough = own.missing_rule != Missing::Bounds
                && own.arms.iter().all(|arm| enough(arm.analysed, bound));
            let how = match (*fallen || beside(own), first && rough) {
                _ if is_of_receivers(own) => Told::Name,
                (false, _) => Told::Whole,
                (true, true) => Told::Effect,
                (true, false) => Told::Name,
            };
            (own, how)
        });
    told.collect()
}

/// Whether an effect is that of receiving the service: with the effect of being allocated it gives the share that received it, and
/// how many families did not, which no table of the page has.
pub(super) fn is_of_receivers(analysis: &AnalysisResult) -> bool {
    analysis.used.estimator == "instrumental-variables"
}

/// Whether an analysis has a small count of its own: of families analysed, unknown or too early, with the outcome or without it,
/// of their children and siblings, and of those who withdrew or left, of whom the unknown mostly are.
fn gives_away(report: &Report<'_>, analysis: &AnalysisResult, bound: Bound) -> bool {
    analysis.arms.iter().any(|own| {
        let without = own.analysed.saturating_sub(own.having);
        let mut counts = vec![own.analysed, own.missing, own.not_yet, own.having, without];
        if let Some(of) = own.children {
            let siblings = of.number.saturating_sub(own.analysed);
            let without = of.number.saturating_sub(of.having);
            counts.extend([of.number, siblings, of.having, without]);
        }
        let flow = report.flow.arms.get(own.arm.index());
        if let Some(flow) = flow.filter(|_| own.missing > 0) {
            let gone = flow.withdrawn + flow.left_coverage;
            let stayed = flow.allocated.saturating_sub(gone);
            counts.extend([gone, stayed, own.missing.abs_diff(gone)]);
        }
        bound.any_small(&counts)
    })
}

fn any_pair(
    one: &AnalysisResult,
    other: &AnalysisResult,
    of: impl Fn(&ArmOutcome, &ArmOutcome) -> bool,
) -> bool {
    (one.arms.iter().zip(&other.arms)).any(|(one, other)| of(one, other))
}

/// Whether the families of two analyses differ by a small number in an arm.
fn differ_by_few(one: &AnalysisResult, other: &AnalysisResult, bound: Bound) -> bool {
    any_pair(one, other, |one, other| {
        let children = one.children.zip(other.children);
        bound.any_small(&[
            one.analysed.abs_diff(other.analysed),
            one.missing.abs_diff(other.missing),
            one.not_yet.abs_diff(other.not_yet),
            children.map_or(0, |(one, other)| one.number.abs_diff(other.number)),
        ])
    })
}

/// Whether what the families of an arm had of the outcome of two analyses differs by a small number.
fn few_between(one: &AnalysisResult, other: &AnalysisResult, bound: Bound) -> bool {
    any_pair(one, other, |one, other| {
        bound.is_small(sum(one).abs_diff(sum(other)))
    })
}

/// The sum of an outcome over the analysed families of an arm, or their children, as a reader gets it from the mean.
fn sum(own: &ArmOutcome) -> u32 {
    let sum = own.mean.unwrap_or(0.0) * f64::from(own.averaged());
    sum.abs().round() as u32
}

/// What became of families, and how many of an arm.
type Stage = (Words, fn(&ArmFlow) -> u32);

/// The lines of the flow.
fn flow(report: &Report<'_>, allocated: &[u32], bound: Bound) -> Vec<Line> {
    let flow = report.flow;
    let all = |label: Words, shown: Option<u32>, strong: bool| Line {
        label,
        strong,
        cells: std::iter::once(Cell::from(shown))
            .chain(std::iter::repeat_n(Cell::Blank, allocated.len()))
            .collect(),
    };
    let reasons = [
        (
            words!("not eligible", "uppfyllde inte villkoren"),
            flow.not_eligible.iter().map(|own| own.families).sum(),
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
            flow.exceptions.iter().map(|own| own.families).sum(),
        ),
        (
            words!("reason erased", "skälet raderat"),
            flow.reason_erased,
        ),
    ];
    let (parts, left) = bound.parts(&reasons.each_ref().map(|(_, families)| *families));
    // Who were not randomized are the difference.
    let screened = left.map(|_| flow.screened);
    let mut lines = vec![
        all(
            words!("Families screened", "Familjer som bedömdes"),
            screened,
            true,
        ),
        all(words!("Not randomized", "Lottades inte"), left, true),
    ];
    for ((label, _), part) in reasons.into_iter().zip(parts) {
        lines.push(all(label, part, false));
    }
    let by_arm = |label: Words,
                  total: Option<u32>,
                  parts: &mut dyn Iterator<Item = Option<u32>>,
                  strong: bool| Line {
        label,
        strong,
        cells: std::iter::once(total)
            .chain(parts)
            .map(Cell::from)
            .collect(),
    };
    let mut arms = allocated.iter().map(|own| Some(*own));
    let randomized = Some(flow.randomized);
    lines.push(by_arm(
        words!("Randomized", "Lottade"),
        randomized,
        &mut arms,
        true,
    ));
    let mut stages: Vec<Stage> = vec![
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
    // One line, since together they are what a table of the data set leaves over of the allocated.
    let left_over: Stage = (
        words!(
            "data erased, or drawn before under another name",
            "uppgifter raderade, eller redan lottad under annat namn"
        ),
        |own| own.linked + own.erased,
    );
    if flow.arms.iter().any(|own| left_over.1(own) > 0) {
        stages.push(left_over);
    }
    let fates: Vec<Vec<u32>> = flow
        .arms
        .iter()
        .map(|own| stages.iter().map(|(_, pick)| pick(own)).collect())
        .collect();
    let shown = bound.table(&fates);
    for (stage, (label, _)) in stages.into_iter().enumerate() {
        let total = shown.totals.get(stage).copied().flatten();
        let mut parts = shown
            .cells
            .iter()
            .map(|row| row.get(stage).copied().flatten());
        lines.push(by_arm(label, total, &mut parts, false));
    }
    lines
}

fn unknown(report: &Report<'_>, analysis: &AnalysisResult) -> Words {
    let [en, sv] = [Lang::En, Lang::Sv].map(|lang| report.name(analysis, lang));
    words!("outcome not known: {en}", "utfall okänt: {sv}")
}
