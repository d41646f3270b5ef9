//! A rehearsal: one simulated study as the commands that its staff would have given, day by day.
//!
//! The families, their arms and what becomes of them come from the same world, kernel and drawer as every simulated
//! study; only the source of the arms is the rehearsal's own seed, so that the live program, given the same commands,
//! draws the same arms. [`scenario_of`] makes a world for any protocol; what it assumes is in its text.

use super::mechanisms::family::{MOST_MEAN, MOST_VALUES};
use super::scenario::Cell;
use super::simulate::Options;
use super::study::{Record, Simulator};
use crate::allocation::replicates_key;
use crate::analysis::plan::treated_arms;
use crate::numerics::stream::{below, replicate, unit};
use crate::protocol::Protocol;
use crate::protocol::model::{Analysis, Day, FieldKind, OutcomeKind, Role};
use crate::study::kernel::{
    Answer, ArmSource, ChildIx, Command, Enrolment, FamilyIx, RecordedSource, Refusal, ReportIx,
    Roster, Source, What,
};
use std::fmt::Write;

/// One step of a rehearsal.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Step {
    /// The day.
    pub day: Day,
    /// What is asked of the study.
    pub command: Command,
    /// What the simulated study answered, for an enrolment: the live one must answer the same.
    pub answer: Option<Answer>,
}

/// Share of arrivals beside whom another family is screened that is not eligible.
const NOT_ELIGIBLE: f64 = 0.15;
/// Share of reports that reception also sees, when the family comes back.
const COMES_BACK: f64 = 0.3;
/// Share of families that come back with a sibling whom the study does not know yet.
const WITH_SIBLING: f64 = 0.2;

/// The steps of one simulated study up to the last follow-up, without locks.
///
/// To the world's own events it adds what a simulation leaves out because no estimate depends on it: families who are
/// not eligible, families who come back to reception, siblings who join. Report numbers, family and child numbers count
/// in the order in which the steps name them.
///
/// # Errors
/// The kernel refused what a world must be able to do: a defect of the program.
pub fn steps(cell: &Cell, seed: u64, arms: RecordedSource) -> Result<Vec<Step>, Refusal> {
    let steps = Simulator::new(cell, seed).steps(0, arms)?;
    Ok(Overlay::new(&cell.protocol, seed, true).added(steps))
}

/// One simulated study, to be lived through again.
#[derive(Debug)]
pub struct Lived {
    /// Its steps up to the last follow-up, without locks; families, children and reports count in their order.
    pub steps: Vec<Step>,
    /// What the simulation keeps of it.
    pub record: Record,
    /// Index and cut of each lock that an analysis of the scenario needs, in their order.
    pub cuts: Vec<(usize, Day)>,
    /// Its arms, before the first draw.
    pub arms: ArmSource,
}

/// Replicate `replicate` of a cell, exactly as it was simulated: nothing is added to it.
///
/// # Errors
/// As [`steps`].
pub fn lived(cell: &Cell, options: &Options, replicate: u64) -> Result<Lived, Refusal> {
    let draws = options.draws_in(cell);
    let mut simulator = Simulator::new(cell, options.seed).with_draws(draws);
    let (steps, record, cuts) = simulator.logged(replicate)?;
    Ok(Lived {
        steps: Overlay::new(&cell.protocol, options.seed, false).added(steps),
        record,
        cuts,
        arms: simulator.arms(replicate),
    })
}

/// What a rehearsal adds to a simulated study, renumbering families, children and reports as it goes.
struct Overlay<'p> {
    protocol: &'p Protocol,
    rng: rand_chacha::ChaCha8Rng,
    families: Vec<FamilyIx>,
    /// Report and children with which each family was screened.
    screened: Vec<(ReportIx, Roster)>,
    reports: u32,
    children: u32,
    named: u32,
    /// Whether anything is added, beside the numbers.
    adds: bool,
    /// Whether reports name a child.
    names_child: bool,
    /// Whether a sibling has joined.
    joined: bool,
}

impl<'p> Overlay<'p> {
    fn new(protocol: &'p Protocol, seed: u64, adds: bool) -> Self {
        let key = replicates_key("rehearsal", &seed.to_string());
        Self {
            protocol,
            rng: replicate(&key, 0),
            families: Vec::new(),
            screened: Vec::new(),
            reports: 0,
            children: 0,
            named: 0,
            adds,
            names_child: adds && names_child(protocol),
            joined: false,
        }
    }

    fn added(mut self, steps: Vec<Step>) -> Vec<Step> {
        let mut out = Vec::with_capacity(steps.len() * 2);
        for step in steps {
            match step.command {
                Command::Enrol(enrolment) => self.enrolment(&step, &enrolment, &mut out),
                Command::Record(what) => {
                    let (what, report) = self.renamed(&what);
                    out.push(Step {
                        command: Command::Record(what),
                        ..step
                    });
                    if let Some((family, report)) = report {
                        self.comes_back(step.day, family, report, &mut out);
                    }
                }
                Command::Lock { .. }
                | Command::Analyse { .. }
                | Command::Amend
                | Command::Beacon
                | Command::Reveal
                | Command::Export => {
                    out.push(step);
                }
            }
        }
        out
    }

    fn enrolment(&mut self, step: &Step, own: &Enrolment, out: &mut Vec<Step>) {
        let known = own.family.0 as usize;
        if let (Some(family), Some((report, children))) =
            (self.families.get(known), self.screened.get(known))
        {
            // A family that waited at a closed gate is screened again.
            let enrolment = Enrolment {
                family: *family,
                report: *report,
                children: *children,
                ..*own
            };
            out.push(Step {
                command: Command::Enrol(enrolment),
                ..*step
            });
            return;
        }
        if self.adds
            && unit(&mut self.rng) < NOT_ELIGIBLE
            && let Some(answers) = self.missing_answers(own.answers)
        {
            let other = Enrolment {
                family: self.next_family(),
                report: self.next_report(),
                children: self.new_children(1),
                answers,
                exception: None,
                ..*own
            };
            out.push(Step {
                day: step.day,
                command: Command::Enrol(other),
                answer: None,
            });
        }
        let family = self.next_family();
        self.families.push(family);
        let enrolment = Enrolment {
            family,
            report: self.next_report(),
            children: self.new_children(own.children.as_slice().len()),
            ..*own
        };
        self.screened.push((enrolment.report, enrolment.children));
        out.push(Step {
            command: Command::Enrol(enrolment),
            ..*step
        });
    }

    /// Answers that miss exactly one asked criterion, if the protocol asks any.
    fn missing_answers(&mut self, answers: u64) -> Option<u64> {
        let asked: Vec<usize> = self
            .protocol
            .criteria
            .iter()
            .enumerate()
            .filter(|(_, criterion)| {
                matches!(criterion.check, crate::protocol::model::Check::Ask { .. })
            })
            .map(|(place, _)| place)
            .collect();
        let chosen = *asked.get(below(&mut self.rng, asked.len() as u64) as usize)?;
        Some(answers ^ (1 << chosen))
    }

    /// An event of a simulated family under its number in the rehearsal; of a report, its family and number too.
    fn renamed(&mut self, what: &What) -> (What, Option<(FamilyIx, ReportIx)>) {
        let families = std::mem::take(&mut self.families);
        let name = |family: FamilyIx| families.get(family.0 as usize).copied().unwrap_or(family);
        let (what, report) = match *what {
            What::Reported(mut report) => {
                let child = self.child_of(report.family);
                report.family = name(report.family);
                report.report = self.next_report();
                report.source = Source::Register;
                report.child = child.filter(|_| self.names_child);
                (What::Reported(report), Some((report.family, report.report)))
            }
            What::Serviced {
                family,
                service,
                on,
                arm,
                by,
            } => (
                What::Serviced {
                    family: name(family),
                    service,
                    on,
                    arm,
                    by,
                },
                None,
            ),
            What::Observed {
                family,
                outcome,
                value,
                on,
            } => (
                What::Observed {
                    family: name(family),
                    outcome,
                    value,
                    on,
                },
                None,
            ),
            What::Exited { family, exit, on } => (
                What::Exited {
                    family: name(family),
                    exit,
                    on,
                },
                None,
            ),
            other => (other, None),
        };
        self.families = families;
        (what, report)
    }

    /// A child of those that a simulated family is drawn with; the reports of a study take turns among them.
    fn child_of(&self, family: FamilyIx) -> Option<ChildIx> {
        let (_, children) = self.screened.get(family.0 as usize)?;
        let children = children.as_slice();
        let turn = (self.reports as usize).checked_rem(children.len())?;
        children.get(turn).copied()
    }

    /// Sometimes reception sees the report as well: the family keeps its arm, perhaps with a new sibling beside those that it
    /// was drawn with, whom the simulated report is on. The first report of all brings both, so that a rehearsal shows them.
    fn comes_back(&mut self, day: Day, family: FamilyIx, report: ReportIx, out: &mut Vec<Step>) {
        if !self.adds || (unit(&mut self.rng) >= COMES_BACK && self.joined) {
            return;
        }
        let first = out.iter().find_map(|step| match step.command {
            Command::Enrol(enrolment) if enrolment.family == family => Some(enrolment),
            _ => None,
        });
        let Some(first) = first else { return };
        let mut children = first.children;
        if unit(&mut self.rng) < WITH_SIBLING || !self.joined {
            for child in self.new_children(1).as_slice() {
                self.joined |= children.push(*child);
            }
        }
        let again = Enrolment {
            report,
            received: day,
            children,
            exception: None,
            ..first
        };
        out.push(Step {
            day,
            command: Command::Enrol(again),
            answer: None,
        });
    }

    fn next_family(&mut self) -> FamilyIx {
        self.named += 1;
        FamilyIx(self.named - 1)
    }

    fn next_report(&mut self) -> ReportIx {
        self.reports += 1;
        ReportIx(self.reports - 1)
    }

    fn new_children(&mut self, count: usize) -> Roster {
        let mut roster = Roster::EMPTY;
        for _ in 0..count {
            roster.push(ChildIx(self.children));
            self.children += 1;
        }
        roster
    }
}

/// Whether the protocol wants to know whom a report is on.
pub fn names_child(protocol: &Protocol) -> bool {
    let mut reports = protocol.events.iter().filter(|own| own.id == "report");
    reports.any(|own| own.carries.iter().any(|key| key == "child"))
}

/// The window of the risk that a protocol assumes, where its analyses count reports in several: that of the primary
/// analysis, or of the first one that counts reports.
fn stated_window<'p>(
    protocol: &'p Protocol,
    analyses: impl Iterator<Item = &'p Analysis>,
) -> Option<(i32, i32)> {
    let counted = analyses.filter_map(|own| match &protocol.outcomes[own.outcome].kind {
        OutcomeKind::Reports { window_days, .. } => Some((own.role, *window_days)),
        OutcomeKind::Binary { .. }
        | OutcomeKind::Duration { .. }
        | OutcomeKind::Observed { .. } => None,
    });
    let windows: Vec<(Role, (i32, i32))> = counted.collect();
    let (_, first) = *windows.first()?;
    let primary = windows.iter().find(|(role, _)| *role == Role::Primary);
    let stated = primary.map_or(first, |(_, window)| *window);
    windows
        .iter()
        .any(|(_, window)| *window != stated)
        .then_some(stated)
}

/// Whether the world of a rehearsal can give an analysis its outcome; `score` is the outcome that `[score]` describes.
fn is_simulated(protocol: &Protocol, analysis: &Analysis, score: Option<usize>) -> bool {
    let kind = &protocol.outcomes[analysis.outcome].kind;
    super::world::can_give(kind, score == Some(analysis.outcome)) && analysis.children.is_none()
}

/// The outcome that a rehearsal has scores of: that of the primary analysis, where it is of observed values, or of the first
/// analysis that is.
fn score_of(protocol: &Protocol) -> Option<usize> {
    let observed = |own: &&Analysis| {
        let kind = &protocol.outcomes[own.outcome].kind;
        matches!(kind, OutcomeKind::Observed { .. })
            && is_simulated(protocol, own, Some(own.outcome))
    };
    let scored = protocol.analyses.iter().filter(observed);
    let first = scored.min_by_key(|own| own.role != Role::Primary)?;
    Some(first.outcome)
}

/// Standard deviations of a score to either end of the outcome's range: beyond lies one score in 10¹⁵, with half a standard
/// deviation of effect one in 10¹³.
const TO_THE_ENDS: f64 = 8.0;

/// Mean, standard deviation and effect of a score, as a file says them: in the middle of what every analysis that states a
/// `range` of the outcome takes for possible, for bounds refuse a value beyond it; round figures where none does.
fn score_law(protocol: &Protocol, outcome: usize) -> [String; 3] {
    let own = protocol
        .analyses
        .iter()
        .filter(|own| own.outcome == outcome);
    let common = own
        .filter_map(|own| own.options.range)
        .reduce(|one, other| {
            let both = (one.0.max(other.0), one.1.min(other.1));
            // Ranges without a value in common have no score that all of them take: that of the first one stands.
            if both.0 < both.1 { both } else { one }
        });
    let Some((low, high)) = common else {
        return ["50", "10", "-5"].map(str::to_owned);
    };
    let sd = 0.5 * (high / TO_THE_ENDS - low / TO_THE_ENDS);
    // Half of each end: the sum of two great ones would be none.
    [0.5 * low + 0.5 * high, sd, -0.5 * sd].map(|value| format!("{value:?}"))
}

/// A scenario for a protocol, for rehearsals: the protocol's own assumptions where it states them, round figures
/// elsewhere, each marked (A).
pub fn scenario_of(protocol: &Protocol) -> String {
    let assumed = &protocol.sample_size.assumed;
    let ratio = if assumed.control > 0.0 {
        ((assumed.control + assumed.effect) / assumed.control).max(0.0)
    } else {
        1.0
    };
    let mut text = String::from(
        "# A made-up world in which the protocol beside this file is run.\n#\n#   lottning simulate scenario.toml\n#\n# (A) marks assumptions, to be replaced by your own. docs/scenario.md explains every key.\n\nlottning-scenario = 1\nprotocol = \"protocol.toml\"    # from this file's folder\n",
    );
    let score = score_of(protocol);
    let simulated = || {
        protocol
            .analyses
            .iter()
            .filter(|analysis| is_simulated(protocol, analysis, score))
    };
    let analyses: Vec<String> = simulated()
        .map(|analysis| format!("{:?}", analysis.id))
        .collect();
    let _ = writeln!(
        text,
        "analyses = [{}]    # of the protocol\nengine = \"study\"    # the whole state machine\n",
        analyses.join(", ")
    );
    let services = if protocol.arms.len() == 2 {
        "both services"
    } else {
        "the service of each arm"
    };
    let _ = writeln!(
        text,
        "[truth]    # what would happen to a family under {services}\nrereport_control = {:?}       # the protocol's own assumption\nrereport_ratio = {ratio:?}    # the protocol's own effect; 1.0 is none\nreports_dispersion = 1.2     # (A)\nacceptance_control = 0.35    # (A)\nacceptance_difference = 0.10 # (A)\nstarted_after_days = 14      # (A)",
        assumed.control
    );
    if let Some((from, to)) = stated_window(protocol, simulated()) {
        let _ = writeln!(
            text,
            "window_days = [{from}, {to}]     # of that probability: the analyses count reports in several windows"
        );
    }
    let _ = writeln!(
        text,
        "\n[accrual]\nfamilies_per_month_and_site = {{ mean = 12, gamma_shape = 4 }} # (A)\nclosed_weeks = [28, 29, 30, 31] # (A) the Swedish July\nmonths = 12 # (A)\n"
    );
    text.push_str("[capacity]\ninvestigation_days = { ");
    let lengths: Vec<String> = protocol
        .arms
        .iter()
        .enumerate()
        .map(|(place, arm)| {
            let median = if place == protocol.control.index() {
                105
            } else {
                50
            };
            format!("{} = {{ median = {median}, sd_log = 0.4 }}", arm.id)
        })
        .collect();
    let _ = writeln!(text, "{} }} # (A)\n", lengths.join(", "));
    text.push_str("[family]\nchildren = { mean = 1.7, max = 6 } # (A)\n");
    for field in &protocol.fields {
        let _ = write!(text, "\n[[field]]\nid = {:?}\n", field.id);
        match &field.kind {
            FieldKind::Count {
                range: (low, high), ..
            } => {
                let most = (*high).min(low.saturating_add(17));
                let mean = *low as f64 + 3.5;
                // The law of counts has no upper end of its own: a short range would cut it. Nor has it a mean of any size.
                if *high < low.saturating_add(60) || mean <= 0.0 || mean > MOST_MEAN {
                    let _ = writeln!(text, "uniform = [{low}, {most}] # (A)");
                } else {
                    let _ = writeln!(
                        text,
                        "count = {{ mean = {mean:?}, dispersion = 0.5, least = {low} }} # (A)"
                    );
                }
            }
            FieldKind::Number {
                range: (low, high),
                places,
                ..
            } => {
                let scale = 10_i64.pow(u32::from(*places));
                let width = (10 * scale).min(MOST_VALUES - 1);
                let most = (*high).min(low.saturating_add(width));
                let number = |value: i64| crate::protocol::model::decimal(value, *places);
                let _ = writeln!(text, "uniform = [{}, {}] # (A)", number(*low), number(most));
            }
            FieldKind::Choice { levels } => {
                let share = 1.0 / levels.len() as f64;
                let shares: Vec<String> = levels
                    .iter()
                    .map(|level| format!("{} = {share:?}", level.id))
                    .collect();
                let _ = writeln!(text, "shares = {{ {} }} # (A)", shares.join(", "));
            }
            FieldKind::YesNo => {
                let _ = writeln!(text, "shares = {{ no = 0.5, yes = 0.5 }} # (A)");
            }
        }
    }
    let exceptions = if protocol.exceptions.reasons.is_empty() {
        0.0
    } else {
        0.01
    };
    let mut uptake = format!("\n[uptake]\nexceptions = {exceptions:?}\n");
    let treated: Vec<&str> = treated_arms(protocol)
        .map(|arm| protocol.arms[arm.index()].id.as_str())
        .collect();
    for (place, arm) in protocol.arms.iter().enumerate() {
        let (what, share) = if place != protocol.control.index() {
            ("not_started", "0.15".to_owned())
        } else if treated.len() == 1 {
            ("switched", "0.04".to_owned())
        } else {
            let each = 0.04 / treated.len() as f64;
            let shares = treated.iter().map(|id| format!("{id} = {each:?}"));
            let shares = shares.collect::<Vec<_>>().join(", ");
            ("switched", format!("{{ {shares} }}"))
        };
        let _ = writeln!(
            uptake,
            "{}_{what} = {share} # (A)",
            arm.id.replace('-', "_")
        );
    }
    text.push_str(&uptake);
    text.push_str("\n[exit]\nleft_coverage_per_year = 0.03 # (A)\n");
    if let Some(place) = score {
        let [mean, sd, effect] = score_law(protocol, place);
        let _ = writeln!(
            text,
            "\n[score]\noutcome = {:?}\nmean = {mean} # (A)\nsd = {sd} # (A)\neffect = {effect} # (A)",
            protocol.outcomes[place].id
        );
    }
    text.push_str("\n[precision]\nreplicates = 200\ndraws_in_simulation = 0    # redraws of the randomization test in each study; 0 takes the estimator's own p\n\n# [grid]    # every combination is a cell\n# full = { \"truth.rereport_ratio\" = [1.00, 0.85, 1.10] }\n");
    text
}
