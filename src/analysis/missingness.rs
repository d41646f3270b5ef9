//! Whether outcomes are unknown more often in one arm than in another: by redraws, where any is unknown.
//!
//! The registered rule for unknown outcomes is right under its own assumptions alone. Where the arms lose families differently,
//! bounds say how far the result may be off, and whoever reads it should have them.

use super::randomization::{AUDIT_DRAWS, TestError, TestFigures};
use super::redraws::{Redrawn, Source};
use super::reference_set::{Enumeration, History, missingness_key};
use super::statistic::{Registered, Sampled};
use super::workspace::Workspace;
use crate::allocation::Arm;
use crate::estimation::Warning;
use crate::estimation::linear_model::Form;
use crate::protocol::Protocol;
use crate::protocol::model::{Analysis, Day, Hands, Missing, Sensitivity};
use crate::study::dataset::{self, OutcomeValue};
use crate::study::kernel::State;
use crate::words;

/// Bounds are advised below this p, and above this share of all outcomes.
const ADVISED_BELOW: f64 = 0.05;
const ADVISED_ABOVE: f64 = 0.1;

/// Families of an arm whose window has ended, and those of them whose outcome is not known.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct UnknownOf {
    /// The arm.
    pub arm: Arm,
    /// Families whose outcome is not known.
    pub unknown: u32,
    /// Families whose window has ended.
    pub of: u32,
}

/// A treated arm against control: the studentized difference of the shares.
#[derive(Debug, Clone, PartialEq)]
pub struct MissingnessTest {
    /// The treated arm.
    pub arm: Arm,
    /// Share that is unknown in the treated arm minus that in control; `None` without families in one of them.
    pub difference: Option<f64>,
    /// The two-sided test, or why there is none.
    pub found: Result<TestFigures, TestError>,
}

/// Who is unknown, by arm.
#[derive(Debug, Clone, PartialEq)]
pub struct Missingness {
    /// Every arm, in the protocol's order.
    pub arms: Vec<UnknownOf>,
    /// Every treated arm.
    pub tests: Vec<MissingnessTest>,
}

impl Missingness {
    fn least_p(&self) -> Option<f64> {
        let found = self.tests.iter().filter_map(|own| own.found.as_ref().ok());
        found.map(|own| own.p_value).reduce(f64::min)
    }
}

/// Of each family of the lock whether its outcome is unknown; `None` where its window has not ended. The analysis is sampled in
/// the workspace. A first event that was seen is known however follow-up ended.
pub(super) fn statuses(
    workspace: &Workspace,
    (protocol, state, cut): (&Protocol, &State, Day),
    analysis: &Analysis,
) -> Vec<Option<bool>> {
    let first = analysis.hands() == Hands::FirstTimes;
    let mut known = vec![false; workspace.units.len()];
    if analysis.children.is_some() {
        for row in &workspace.rows {
            known[*row as usize] = true;
        }
    }
    let status = |(row, unit): (usize, &dataset::Unit)| {
        let (outcome, summary) = (analysis.outcome, analysis.summary);
        match dataset::outcome(protocol, state, cut, unit.family, outcome, summary) {
            OutcomeValue::NotYet => None,
            _ if analysis.children.is_some() => Some(!known[row]),
            OutcomeValue::Known(_) => Some(false),
            OutcomeValue::Unknown(seen) => Some(!(first && seen.is_some_and(|seen| seen > 0.0))),
        }
    };
    workspace.units.iter().enumerate().map(status).collect()
}

/// Where the arms could have fallen otherwise.
#[derive(Clone, Copy)]
pub(super) struct Draws<'a> {
    pub(super) history: &'a History,
    pub(super) arms: &'a [Arm],
    pub(super) enumeration: Option<&'a Enumeration>,
    /// Another number of redraws.
    pub(super) number: Option<u32>,
}

/// The statistic of being unknown on every redraw, of one treated arm; with 1 for unknown and 0 for known it is that of the
/// registered difference of means.
pub(super) fn redrawn(
    workspace: &Workspace,
    protocol: &Protocol,
    from: Draws<'_>,
    statuses: &[Option<bool>],
    (analysis, treated): (&Analysis, Arm),
) -> Result<Redrawn, TestError> {
    let sampled = sampled(workspace, protocol, statuses, treated);
    let key = missingness_key(protocol, analysis.outcome, analysis.lock);
    let draws = from.number.map_or(AUDIT_DRAWS, u64::from);
    let source = match from.enumeration {
        Some(enumeration) => Source::Every(enumeration),
        None => Source::Key(&key, draws),
    };
    Redrawn::new(from.history, from.arms, source, &Registered::new(&sampled))
}

fn sampled(
    workspace: &Workspace,
    protocol: &Protocol,
    statuses: &[Option<bool>],
    treated: Arm,
) -> Sampled {
    let units = &workspace.units;
    let ended = statuses.iter().enumerate();
    let ended = ended.filter_map(|(row, status)| Some((row, (*status)?)));
    let yes = |is: bool| f64::from(u8::from(is));
    Sampled {
        allocation: units.iter().map(|unit| unit.allocation).collect(),
        site: units.iter().map(|unit| unit.site as u16).collect(),
        rows: ended.clone().map(|(row, _)| row as u32).collect(),
        y: ended.clone().map(|(_, unknown)| yes(unknown)).collect(),
        matrix: Vec::new(),
        sites: None,
        form: Form::Interacted,
        moved: ended
            .map(|(row, _)| yes(units[row].arm == treated))
            .collect(),
        unknown: None,
        score: None,
        arms: protocol.arms.len(),
        treated,
        control: protocol.control,
    }
}

/// Who is unknown in a sampled analysis, by arm, with a test of each treated arm; `None` where nobody is.
pub(super) fn missingness(
    workspace: &Workspace,
    protocol: &Protocol,
    from: Draws<'_>,
    statuses: &[Option<bool>],
    (analysis, treated): (&Analysis, &[Arm]),
) -> Option<Missingness> {
    let counted = |arm: Arm| {
        let own = workspace.units.iter().zip(statuses);
        let own = own.filter(|(unit, _)| unit.arm == arm);
        let (mut unknown, mut of) = (0, 0);
        for status in own.filter_map(|(_, status)| *status) {
            of += 1;
            unknown += u32::from(status);
        }
        UnknownOf { arm, unknown, of }
    };
    let arms: Vec<UnknownOf> = (0..protocol.arms.len())
        .map(|index| counted(Arm(index as u8)))
        .collect();
    if arms.iter().all(|own| own.unknown == 0) {
        return None;
    }
    let share = |arm: Arm| {
        let own = arms.get(arm.index()).filter(|own| own.of > 0)?;
        Some(f64::from(own.unknown) / f64::from(own.of))
    };
    let tests = treated.iter().map(|arm| MissingnessTest {
        arm: *arm,
        difference: share(*arm)
            .zip(share(protocol.control))
            .map(|(one, other)| one - other),
        found: redrawn(workspace, protocol, from, statuses, (analysis, *arm))
            .and_then(|redrawn| redrawn.figures()),
    });
    let tests = tests.collect();
    Some(Missingness { arms, tests })
}

/// What a reader must know of it.
pub(super) fn notes(found: &Missingness, protocol: &Protocol, analysis: &Analysis) -> Vec<Warning> {
    let mut told = Vec::new();
    for own in &found.tests {
        if let Err(error) = &own.found {
            let why = error.words();
            let (en, sv) = (&why.en, &why.sv);
            told.push(Warning::new(
                "missingness-not-tested",
                words!(
                    "whether the arms differ in how many outcomes are unknown was not tested: {en}",
                    "om grupperna skiljer sig i hur många utfall som är okända prövades inte: {sv}"
                ),
            ));
        }
    }
    let differs = found.least_p().is_some_and(|p| p < ADVISED_BELOW);
    if differs {
        told.push(Warning::new(
            "missingness-differs",
            words!(
                "outcomes are unknown more often in one arm than the draw explains (p below 5%): the families whose outcome is known may not be alike in the arms",
                "utfall är okända oftare i en grupp än lottningen förklarar (p under 5 %): familjerna med känt utfall är kanske inte lika i grupperna"
            ),
        ));
    }
    let total = |count: fn(&UnknownOf) -> u32| found.arms.iter().map(count).sum::<u32>();
    let many = f64::from(total(|own| own.unknown)) > ADVISED_ABOVE * f64::from(total(|own| own.of));
    if (differs || many) && !bounded(protocol, analysis) {
        told.push(Warning::new(
            "bounds-advised",
            words!(
                "so many or so unevenly unknown outcomes ask for Lee's and Manski's bounds beside the result, and the protocol registers neither; made afterwards they are an analysis that was not registered",
                "så många eller så ojämnt fördelade okända utfall kräver Lees och Manskis gränser vid sidan av resultatet, och protokollet registrerar ingendera; görs de i efterhand är de en analys som inte var registrerad"
            ),
        ));
    }
    told
}

/// Whether bounds of the outcome are registered, in an analysis of it or beside one.
fn bounded(protocol: &Protocol, analysis: &Analysis) -> bool {
    let bounds = |rule: &Sensitivity| matches!(rule, Sensitivity::Manski | Sensitivity::Lee);
    let own = |other: &Analysis| {
        other.outcome == analysis.outcome
            && (other.missing == Missing::Bounds || other.sensitivity.iter().any(bounds))
    };
    own(analysis) || protocol.analyses.iter().any(own)
}
