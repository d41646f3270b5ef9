//! What a protocol can say, as values that are valid together.
//!
//! Only [`super::parse`] makes a [`Protocol`]; every cross-reference here is an index that exists. Words follow the
//! file's vocabulary, so that a reader of `protocol.toml` finds the same names. Dates are civil dates in the study's
//! time zone; [`Day`] counts them from 1970-01-01 for the state machine.

use super::rule::Rule;
use crate::allocation::{Arm, Design, Options, Ratio};
use crate::diagnostic::Words;
use jiff::civil::Date;
use std::sync::Arc;

/// Most fields that intake can ask for. A fixed bound lets the state machine run without the heap.
pub const MAX_FIELDS: usize = 16;
/// Greatest value of a count without a `range`.
pub const MAX_COUNT: i64 = 1_000_000;
/// Most criteria of eligibility: answers and reasons are kept as bits.
pub const MAX_CRITERIA: usize = 64;

/// SHA-256 of the bytes of the sealed protocol file.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ProtocolHash(pub [u8; 32]);

impl ProtocolHash {
    /// 64 lower-case hexadecimal digits.
    pub fn to_hex(self) -> String {
        use std::fmt::Write;
        self.0
            .iter()
            .fold(String::with_capacity(64), |mut text, byte| {
                let _ = write!(text, "{byte:02x}");
                text
            })
    }

    /// The first 8 hexadecimal digits, which `--confirm` takes.
    pub fn short(self) -> String {
        self.to_hex()[..8].to_string()
    }
}

impl std::fmt::Debug for ProtocolHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.short())
    }
}

/// A civil date as days since 1970-01-01.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Day(pub i32);

impl Day {
    /// The day of a civil date.
    pub fn of(date: Date) -> Self {
        const EPOCH: Date = Date::constant(1970, 1, 1);
        let span = date.duration_since(EPOCH);
        Self((span.as_hours() / 24) as i32)
    }

    /// The civil date of the day, if the calendar has it (years −9999 to 9999).
    pub fn date(self) -> Option<Date> {
        Date::constant(1970, 1, 1)
            .checked_add(jiff::Span::new().try_days(self.0).ok()?)
            .ok()
    }

    /// `self − earlier` in days.
    pub fn since(self, earlier: Self) -> i32 {
        self.0.saturating_sub(earlier.0)
    }

    /// The day `days` later.
    #[must_use]
    pub fn plus(self, days: i32) -> Self {
        Self(self.0.saturating_add(days))
    }
}

/// A valid protocol: everything that was promised before the first family was randomized.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Protocol {
    /// Hash of the sealed file's bytes.
    pub hash: ProtocolHash,
    /// Identity and permissions.
    pub study: Study,
    /// Planned size and stopping rule.
    pub sample_size: SampleSize,
    /// How long a family holds a slot, for planning.
    pub capacity: Capacity,
    /// Participating sites, in the order in which small ones are merged.
    pub sites: Vec<Site>,
    /// Arms, in the order of the allocation's weights.
    pub arms: Vec<ArmSpec>,
    /// The control arm.
    pub control: Arm,
    /// What is randomized.
    pub unit: Unit,
    /// Facts known at intake.
    pub fields: Vec<Field>,
    /// Eligibility.
    pub criteria: Vec<Criterion>,
    /// How arms are drawn.
    pub allocation: Allocation,
    /// The capacity gate, if any.
    pub gate: Option<Gate>,
    /// Declared exceptions from randomization.
    pub exceptions: Exceptions,
    /// What events must carry.
    pub events: Vec<EventSpec>,
    /// Ends of follow-up.
    pub exits: Exits,
    /// Outcomes.
    pub outcomes: Vec<Outcome>,
    /// Data locks; the last `final` one closes enrolment.
    pub locks: Vec<Lock>,
    /// Registered analyses.
    pub analyses: Vec<Analysis>,
    /// How secondary analyses are protected against multiplicity (recorded; `None` when nothing is said).
    pub multiplicity: Option<Multiplicity>,
}

/// Identity and permissions of a study.
#[derive(Debug, Clone)]
pub struct Study {
    /// Identifier, kebab-case.
    pub id: String,
    /// Title.
    pub title: Words,
    /// Where the study is registered.
    pub registration: Words,
    /// Data controller.
    pub controller: Words,
    /// Decision of the ethics authority; `open` refuses without it.
    pub ethics: Option<Ethics>,
    /// Date of the data-protection impact assessment; `open` refuses without it.
    pub dpia: Option<Date>,
    /// IANA name of the time zone in which dates are read.
    pub time_zone: String,
    /// Who could read the seed.
    pub custody: Custody,
    /// Time limits of the law in force.
    pub law: Law,
    /// Since when reports can be searched for completely.
    pub ascertainment: Option<Ascertainment>,
}

/// A decision of the ethics authority.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ethics {
    /// Number of the decision.
    pub decision: String,
    /// Its date.
    pub date: Date,
}

/// Who could read the seed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Custody {
    /// Whoever runs `enrol` could read the seed: concealment rests on trust in that account.
    SingleUser,
    /// Another operating-system user holds the seed behind `serve`.
    Service,
}

impl Custody {
    /// The text in the file and in JSON.
    pub fn text(self) -> &'static str {
        match self {
            Self::SingleUser => "single-user",
            Self::Service => "service",
        }
    }
}

/// Time limits of the law, in one place to edit when it changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Law {
    /// Days from a report to the decision whether to open an investigation.
    pub decide_within_days: u32,
    /// Months that an investigation may take.
    pub investigate_within_months: u32,
}

/// Completeness of the register of reports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ascertainment {
    /// From this date every report can be searched by child.
    pub complete_from: Date,
    /// How reports before that date are collected, for example `prospective-log`.
    pub before: String,
}

/// Planned size.
#[derive(Debug, Clone)]
pub struct SampleSize {
    /// Assumptions behind the target.
    pub assumed: Assumed,
    /// Families to randomize.
    pub target: u32,
    /// When enrolment ends: at so many families (all arms) …
    pub stop_families: Option<u32>,
    /// … or after this date, whichever comes first.
    pub stop_date: Option<Date>,
}

/// Assumptions behind the planned size.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Assumed {
    /// Proportion with the primary outcome in the control arm.
    pub control: f64,
    /// Risk difference, treated − control.
    pub effect: f64,
    /// Type I error, total of both sides.
    pub alpha: f64,
    /// 1 or 2.
    pub sides: u8,
    /// Wanted power.
    pub power: f64,
}

/// How long a family holds a slot, for planning only: it decides nothing in a study.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Capacity {
    /// Mean number of weeks that a family holds a slot.
    pub weeks_per_family: f64,
    /// Share of the slots that is in use on average, above 0 and at most 1.
    pub utilization: f64,
}

impl Default for Capacity {
    /// Eight weeks, 85 per cent: the time in which an intensified home investigation is usually done, and room for
    /// holidays and turnover.
    fn default() -> Self {
        Self {
            weeks_per_family: 8.0,
            utilization: 0.85,
        }
    }
}

/// A participating site.
#[derive(Debug, Clone)]
pub struct Site {
    /// Identifier, kebab-case.
    pub id: String,
    /// Name for people.
    pub name: String,
    /// First day of enrolment.
    pub opens: Date,
    /// Therapists at the opening.
    pub therapists: u32,
}

/// An arm.
#[derive(Debug, Clone)]
pub struct ArmSpec {
    /// Identifier, kebab-case.
    pub id: String,
    /// Name for people.
    pub label: Words,
    /// Part in the allocation ratio, as written.
    pub ratio: u64,
    /// Slots per therapist where the arm's capacity is limited.
    pub families_per_therapist: Option<u32>,
}

/// What is randomized, and what happens when a randomized family comes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unit {
    /// A family reported again keeps its arm until the end of the study.
    pub returns: Returns,
    /// A sibling who is reported later.
    pub joins: Joins,
}

/// What a randomized family gets when it is reported again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Returns {
    /// The arm is kept until the study ends.
    KeepUntilStudyEnd,
}

/// What a sibling gets who is reported later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Joins {
    /// The family's arm.
    KeepArm,
}

/// A fact known when the investigation is opened; frozen before gate and draw.
#[derive(Debug, Clone)]
pub struct Field {
    /// Identifier, snake_case.
    pub id: String,
    /// Name for people.
    pub label: Words,
    /// Shape of its values.
    pub kind: FieldKind,
    /// Boundaries that make it a stratification factor: `[3]` gives the levels `0-2` and `3+`.
    pub cuts: Vec<i64>,
}

/// Shape of a field's values. Inside the program each value is one integer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FieldKind {
    /// A whole number, by default at least 0.
    Count {
        /// Unit for people, for example `years`.
        unit: Option<Words>,
        /// Least and greatest admissible value.
        range: (i64, i64),
    },
    /// A decimal number with a fixed number of places; the value is scaled by `10^places`.
    Number {
        /// Unit for people.
        unit: Option<Words>,
        /// Decimal places, 0 to 6.
        places: u8,
        /// Least and greatest admissible scaled value.
        range: (i64, i64),
    },
    /// One of named levels; the value is the level's index.
    Choice {
        /// Identifiers of the levels, kebab-case.
        levels: Vec<String>,
    },
    /// Yes (1) or no (0).
    YesNo,
}

/// One criterion of eligibility.
#[derive(Debug, Clone)]
pub struct Criterion {
    /// Identifier, kebab-case; also the reason that `enrol` prints.
    pub id: String,
    /// How it is decided.
    pub check: Check,
}

/// How a criterion is decided.
#[derive(Debug, Clone)]
pub enum Check {
    /// A question that intake answers yes or no.
    Ask {
        /// The question.
        question: Words,
        /// The answer that keeps the family in.
        include_if: bool,
    },
    /// A rule on fields, not judged by anybody.
    Rule {
        /// The rule as written.
        text: String,
        /// Its compiled form.
        rule: Rule,
    },
}

/// How arms are drawn.
#[derive(Debug, Clone)]
pub struct Allocation {
    /// Id of the method.
    pub method: String,
    /// Options as given.
    pub options: Options,
    /// The ratio of the arms, in their order, in lowest terms.
    pub ratio: Ratio,
    /// The method with its options fixed.
    pub design: Arc<dyn Design>,
    /// Stratification factors, in the file's order.
    pub strata: Vec<Factor>,
}

/// A stratification factor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Factor {
    /// The site.
    Site,
    /// A field by index: a choice, a yes/no, or a count or number with cuts.
    Field(usize),
}

/// Capacity opens or closes the gate before the draw; it never tilts a draw.
#[derive(Debug, Clone)]
pub struct Gate {
    /// The arm whose capacity is limited.
    pub arm: Arm,
    /// Slots per therapist.
    pub families_per_therapist: u32,
    /// Service events that free a slot.
    pub released_by: Vec<Service>,
    /// Whether a family that was turned away may be screened again.
    pub turned_away_may_return: bool,
}

/// Exceptions declared before the draw.
#[derive(Debug, Clone, Default)]
pub struct Exceptions {
    /// Codes of admissible reasons.
    pub reasons: Vec<String>,
    /// Alert above so many per site and quarter.
    pub cap_per_site_and_quarter: Option<u32>,
    /// Alert above this share of randomized families and exceptions together.
    pub cap_study_share: Option<f64>,
}

/// What an event must carry when it is recorded or imported, beyond date and key.
#[derive(Debug, Clone)]
pub struct EventSpec {
    /// The event's id.
    pub id: String,
    /// Names of the columns or `--set` keys.
    pub carries: Vec<String>,
}

/// What happens to a family's service, by kind; the order is that of the codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Service {
    /// An intervention was offered.
    Offered,
    /// The offer was accepted.
    Accepted,
    /// The offer was declined.
    Declined,
    /// The intervention or service started.
    Started,
    /// The allocated service was not started.
    NotStarted,
    /// A home visit.
    HomeVisit,
    /// The family was moved to the service of another arm.
    Switched,
    /// The investigation was closed.
    Closed,
    /// The investigation was reopened.
    Reopened,
}

impl Service {
    /// All kinds.
    pub const ALL: [Self; 9] = [
        Self::Offered,
        Self::Accepted,
        Self::Declined,
        Self::Started,
        Self::NotStarted,
        Self::HomeVisit,
        Self::Switched,
        Self::Closed,
        Self::Reopened,
    ];

    /// The text on the command line, in files and in JSON.
    pub fn text(self) -> &'static str {
        match self {
            Self::Offered => "offered",
            Self::Accepted => "accepted",
            Self::Declined => "declined",
            Self::Started => "started",
            Self::NotStarted => "not-started",
            Self::HomeVisit => "home-visit",
            Self::Switched => "switched",
            Self::Closed => "closed",
            Self::Reopened => "reopened",
        }
    }
}

/// Ends of follow-up, by kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Exit {
    /// A child's or the family's death, as the protocol defines it.
    Death,
    /// All children have turned 18.
    AllChildren18,
    /// The family left the area that the register covers.
    LeftCoverage,
}

impl Exit {
    /// All kinds.
    pub const ALL: [Self; 3] = [Self::Death, Self::AllChildren18, Self::LeftCoverage];

    /// The text on the command line, in files and in JSON.
    pub fn text(self) -> &'static str {
        match self {
            Self::Death => "death",
            Self::AllChildren18 => "all-children-18",
            Self::LeftCoverage => "left-coverage",
        }
    }
}

/// Which exits end the count (the outcome is observed) and which censor it (it is not).
#[derive(Debug, Clone, Default)]
pub struct Exits {
    /// Area of the register.
    pub coverage: Words,
    /// The count stops and is observed.
    pub terminal: Vec<Exit>,
    /// Follow-up is censored.
    pub censors: Vec<Exit>,
}

/// An outcome.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// Identifier, snake_case.
    pub id: String,
    /// Name for people.
    pub label: Words,
    /// How it is computed.
    pub kind: OutcomeKind,
}

/// How an outcome is computed from events. Windows count days from randomization, both ends inclusive.
#[derive(Debug, Clone, PartialEq)]
pub enum OutcomeKind {
    /// Reports of concern in a window.
    Reports {
        /// First and last day.
        window_days: (i32, i32),
        /// A report of the same incident within so many days of the index report is not a new one.
        same_incident_within_days: Option<i32>,
    },
    /// Every one of the events happened in the window.
    Binary {
        /// The events that must all have happened.
        events: Vec<Service>,
        /// First and last day.
        window_days: (i32, i32),
    },
    /// Days from randomization to the first of an event, cut at a horizon.
    Duration {
        /// The event.
        to: Service,
        /// The horizon.
        horizon_days: i32,
    },
    /// A value recorded by `observed`.
    Observed {
        /// First and last day.
        window_days: (i32, i32),
    },
}

impl OutcomeKind {
    /// Last day after randomization on which the outcome can still change.
    pub fn last_day(&self) -> i32 {
        match self {
            Self::Reports { window_days, .. }
            | Self::Binary { window_days, .. }
            | Self::Observed { window_days } => window_days.1,
            Self::Duration { horizon_days, .. } => *horizon_days,
        }
    }
}

/// A named data lock: a prefix of the ledger plus a cut date.
#[derive(Debug, Clone)]
pub struct Lock {
    /// Identifier, kebab-case.
    pub id: String,
    /// When its cut is.
    pub cut: Cut,
    /// Whether this is an interim lock.
    pub interim: bool,
    /// Type I error that interim looks at efficacy may spend; 0 means descriptive only.
    pub alpha: f64,
}

/// When a lock's cut is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// A registered date, inclusive.
    On(Date),
    /// At or after the end of the last family's last window plus so many days of grace.
    AfterLastWindow {
        /// Days for late reports to arrive.
        grace_days: i32,
    },
}

/// A registered analysis.
#[derive(Debug, Clone)]
pub struct Analysis {
    /// Identifier, kebab-case.
    pub id: String,
    /// Index of its lock.
    pub lock: usize,
    /// Index of its outcome.
    pub outcome: usize,
    /// How a recurrent outcome becomes one number per family.
    pub summary: Summary,
    /// The estimand in words.
    pub estimand: Estimand,
    /// Id of the estimator.
    pub estimator: String,
    /// Covariates, in the file's order.
    pub covariates: Vec<Covariate>,
    /// The test that decides, if not the estimator's own.
    pub test: Option<Test>,
    /// Rule for missing outcomes.
    pub missing: Missing,
    /// Primary, secondary or exploratory.
    pub role: Role,
    /// Type I error, total of both sides.
    pub alpha: f64,
}

/// How an outcome becomes one number per family.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Summary {
    /// 1 if at least one counted event is in the window.
    Any,
    /// Number of counted events in the window.
    Count,
    /// The outcome's own value.
    Value,
}

/// The estimand's attributes that the outcome and the arms do not already say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Estimand {
    /// Population.
    pub population: Words,
    /// Strategy for intercurrent events, for example `treatment-policy`.
    pub strategy: String,
    /// Effect measure, for example `risk-difference`.
    pub measure: String,
    /// A further condition, for example `with the therapists of this study`.
    pub note: Option<Words>,
}

/// A covariate of a registered analysis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Covariate {
    /// Site indicators.
    Site,
    /// A field by index.
    Field(usize),
    /// Days from the first site's opening to randomization, divided by 30.4375.
    MonthsSinceStart,
}

/// A registered test.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Test {
    /// The conditional randomization test with so many redraws.
    Randomization {
        /// Number of redraws.
        draws: u32,
    },
}

/// Rule for missing outcomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missing {
    /// Families whose outcome is not known are left out and counted per arm.
    CompleteCase,
    /// A family that was not followed to the end has not accepted.
    NotAccepted,
}

impl Missing {
    /// The text in the file and in JSON.
    pub fn text(self) -> &'static str {
        match self {
            Self::CompleteCase => "complete-case",
            Self::NotAccepted => "not-accepted",
        }
    }
}

/// What an analysis is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The one that decides.
    Primary,
    /// Registered beside it.
    Secondary,
    /// Registered without a claim.
    Exploratory,
}

impl Role {
    /// The text in the file and in JSON.
    pub fn text(self) -> &'static str {
        match self {
            Self::Primary => "primary",
            Self::Secondary => "secondary",
            Self::Exploratory => "exploratory",
        }
    }
}

/// How secondary analyses are protected against multiplicity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Multiplicity {
    /// Holm's step-down procedure over the secondary analyses of a lock.
    Holm,
    /// No adjustment, and the report says so.
    None,
}

impl Protocol {
    /// Index of a site by id.
    pub fn site(&self, id: &str) -> Option<usize> {
        self.sites.iter().position(|site| site.id == id)
    }

    /// An arm by id.
    pub fn arm(&self, id: &str) -> Option<Arm> {
        self.arms
            .iter()
            .position(|arm| arm.id == id)
            .map(|index| Arm(index as u8))
    }

    /// Index of a field by id.
    pub fn field(&self, id: &str) -> Option<usize> {
        self.fields.iter().position(|field| field.id == id)
    }

    /// Index of a lock by id.
    pub fn lock(&self, id: &str) -> Option<usize> {
        self.locks.iter().position(|lock| lock.id == id)
    }

    /// The last `final` lock, which closes enrolment and permits `reveal`.
    pub fn final_lock(&self) -> Option<usize> {
        self.locks.iter().rposition(|lock| !lock.interim)
    }

    /// First day of the first site.
    pub fn first_opening(&self) -> Day {
        self.sites
            .iter()
            .map(|site| Day::of(site.opens))
            .min()
            .unwrap_or(Day(0))
    }

    /// Last day after randomization on which any outcome can change.
    pub fn last_window(&self) -> i32 {
        self.outcomes
            .iter()
            .map(|outcome| outcome.kind.last_day())
            .max()
            .unwrap_or(0)
    }

    /// The estimand of an analysis as a sentence: measure, outcome and summary, arms, population, strategy, note.
    pub fn estimand_sentence(&self, analysis: &Analysis) -> Words {
        let outcome = &self.outcomes[analysis.outcome].label;
        let (outcome_en, outcome_sv) = (&outcome.en, &outcome.sv);
        let (summary_en, summary_sv) = match analysis.summary {
            Summary::Any => (" (at least one)", " (minst en)"),
            Summary::Count => (" (number)", " (antal)"),
            Summary::Value => ("", ""),
        };
        let estimand = &analysis.estimand;
        let (measure_en, measure_sv) = if estimand.measure == "risk-difference" {
            ("difference in risk of", "skillnaden i risk för")
        } else {
            ("mean difference of", "skillnaden i medelvärde av")
        };
        let (population_en, population_sv) = (&estimand.population.en, &estimand.population.sv);
        let note = |pick: fn(&Words) -> &str| {
            estimand
                .note
                .as_ref()
                .map(|note| format!(", {}", pick(note)))
                .unwrap_or_default()
        };
        let (note_en, note_sv) = (note(|words| &words.en), note(|words| &words.sv));
        let control = &self.arms[self.control.index()].label;
        let others = |pick: fn(&Words) -> &str| {
            self.arms
                .iter()
                .enumerate()
                .filter(|(index, _)| *index != self.control.index())
                .map(|(_, arm)| pick(&arm.label))
                .collect::<Vec<_>>()
                .join(" / ")
        };
        let (treated_en, treated_sv) = (others(|words| &words.en), others(|words| &words.sv));
        let (control_en, control_sv) = (&control.en, &control.sv);
        crate::words!(
            "the {measure_en} “{outcome_en}”{summary_en} between being allocated to “{treated_en}” and to “{control_en}”, in {population_en}, whatever service they then received{note_en}.",
            "{measure_sv} ”{outcome_sv}”{summary_sv} mellan att lottas till ”{treated_sv}” och till ”{control_sv}”, bland {population_sv}, oavsett vilken insats de sedan fick{note_sv}."
        )
    }

    /// Number of levels of a stratification factor.
    pub fn factor_levels(&self, factor: Factor) -> usize {
        match factor {
            Factor::Site => self.sites.len(),
            Factor::Field(index) => match &self.fields[index].kind {
                FieldKind::Choice { levels } => levels.len(),
                FieldKind::YesNo => 2,
                FieldKind::Count { .. } | FieldKind::Number { .. } => {
                    self.fields[index].cuts.len() + 1
                }
            },
        }
    }

    /// Number of strata: the product of the factors' levels, 1 without factors.
    pub fn strata(&self) -> usize {
        self.allocation
            .strata
            .iter()
            .map(|factor| self.factor_levels(*factor))
            .product()
    }

    /// Index of a level of a factor for a family at `site` with `values` of fields.
    pub fn level(&self, factor: Factor, site: usize, values: &[i64]) -> usize {
        match factor {
            Factor::Site => site,
            Factor::Field(index) => {
                let value = values.get(index).copied().unwrap_or(0);
                match &self.fields[index].kind {
                    FieldKind::Choice { .. } => value as usize,
                    FieldKind::YesNo => usize::from(value == 0),
                    FieldKind::Count { .. } | FieldKind::Number { .. } => self.fields[index]
                        .cuts
                        .iter()
                        .filter(|cut| value >= **cut)
                        .count(),
                }
            }
        }
    }

    /// Index of the stratum of a family: mixed radix over the factors, the last factor running fastest.
    pub fn stratum(&self, site: usize, values: &[i64]) -> usize {
        self.allocation.strata.iter().fold(0, |index, factor| {
            index * self.factor_levels(*factor) + self.level(*factor, site, values)
        })
    }

    /// The level of each factor in a stratum, as the text that enters the derivation of keys.
    pub fn stratum_levels(&self, stratum: usize) -> Vec<String> {
        let mut rest = stratum;
        let mut levels: Vec<String> = self
            .allocation
            .strata
            .iter()
            .rev()
            .map(|factor| {
                let count = self.factor_levels(*factor).max(1);
                let level = rest % count;
                rest /= count;
                self.level_text(*factor, level)
            })
            .collect();
        levels.reverse();
        levels
    }

    /// A level as text: a site id, a choice id, `yes`/`no`, or the text of a range (`0-2`, `3+`).
    pub fn level_text(&self, factor: Factor, level: usize) -> String {
        match factor {
            Factor::Site => self.sites[level].id.clone(),
            Factor::Field(index) => {
                let field = &self.fields[index];
                match &field.kind {
                    FieldKind::Choice { levels } => levels[level].clone(),
                    FieldKind::YesNo => if level == 0 { "yes" } else { "no" }.to_string(),
                    FieldKind::Count { range, .. } => range_text(range.0, &field.cuts, level, 0),
                    FieldKind::Number { range, places, .. } => {
                        range_text(range.0, &field.cuts, level, *places)
                    }
                }
            }
        }
    }
}

/// Text of a cut field's range: whole numbers `low-high`, the last `low+`; with decimals `low-<next`.
fn range_text(least: i64, cuts: &[i64], level: usize, places: u8) -> String {
    let low = if level == 0 { least } else { cuts[level - 1] };
    match cuts.get(level) {
        None => format!("{}+", decimal(low, places)),
        Some(next) if places == 0 && next - 1 == low => decimal(low, places),
        Some(next) if places == 0 => {
            format!("{}-{}", decimal(low, places), decimal(next - 1, places))
        }
        Some(next) => format!("{}-<{}", decimal(low, places), decimal(*next, places)),
    }
}

/// A scaled integer as a canonical decimal: no trailing zeros, no exponent, `.` as the mark.
pub fn decimal(value: i64, places: u8) -> String {
    let scale = 10_u64.pow(u32::from(places));
    let magnitude = value.unsigned_abs();
    let sign = if value < 0 { "-" } else { "" };
    let (whole, fraction) = (magnitude / scale, magnitude % scale);
    if fraction == 0 {
        return format!("{sign}{whole}");
    }
    let digits = format!("{fraction:0width$}", width = usize::from(places));
    format!("{sign}{whole}.{}", digits.trim_end_matches('0'))
}
