//! What happens to a randomized family, which outcomes follow from it, and when data are locked.
//!
//! How an outcome becomes one number of an analysis is in `analyses`.

use super::{Average, Clusters, Sensitivity, Skewed};
use crate::diagnostic::Words;
use crate::words;
use jiff::civil::Date;

/// What an event must carry when it is recorded or imported, beyond date and key.
#[derive(Debug, Clone, PartialEq, Eq)]
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

    /// Its name in a sentence.
    pub fn words(self) -> Words {
        match self {
            Self::Death => words!("death", "dödsfall"),
            Self::AllChildren18 => words!("all children turning 18", "alla barn fyller 18"),
            Self::LeftCoverage => words!(
                "leaving the register’s area",
                "flytt från registrets område"
            ),
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

impl Outcome {
    /// The name of its row beside the result of another: its identifier, with an underscore after it where another row has that
    /// name. No identifier ends with one.
    pub fn row(&self) -> String {
        let own = self.id.as_str();
        let taken = Sensitivity::parse(own).is_some()
            || Average::parse(own).is_some()
            || Clusters::parse(own).is_some()
            || Skewed::parse(own).is_some();
        format!("{own}{}", if taken { "_" } else { "" })
    }
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
        /// Whether reports by the staff of the study's services are left out, who see more of some families than of others.
        without_study_staff: bool,
        /// A report that was attached to an open investigation is not counted: the outcome is a new investigation.
        without_attached: bool,
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
    /// Type I error, of both sides, that a look at the primary analysis spends here; 0 describes only.
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
