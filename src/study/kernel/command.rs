//! What can be asked of a study, and what it answers.

use super::event::{ChildIx, FamilyIx, ReportIx, Roster, SiteIx, Values, What};
use crate::allocation::Arm;
use crate::protocol::model::Day;

/// A request to screen and, if nothing stands against it, randomize a family.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Enrolment {
    /// The family.
    pub family: FamilyIx,
    /// Where.
    pub site: SiteIx,
    /// The report that led to the investigation.
    pub report: ReportIx,
    /// When it was received.
    pub received: Day,
    /// Children named.
    pub children: Roster,
    /// Answers to the asked criteria, a bit per criterion (1 = yes).
    pub answers: u64,
    /// Values of the fields.
    pub values: Values,
    /// A declared exception, by the index of its reason.
    pub exception: Option<u16>,
}

/// A request to the state machine.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Command {
    /// Screen and randomize.
    Enrol(Enrolment),
    /// Record something that happened outside: site changes, reports, service, exits, observations.
    Record(What),
    /// Freeze the data of a registered lock.
    Lock {
        /// Index of the lock.
        lock: u16,
        /// Its cut date.
        cut: Day,
    },
    /// Note that a lock was analysed.
    Analyse {
        /// Index of the lock.
        lock: u16,
    },
    /// Open the next epoch.
    Amend,
    /// Record the value of the public round that the epoch waits for.
    Beacon,
    /// Publish the seeds.
    Reveal,
    /// Note that data or a proof left the study.
    Export,
}

/// The answer to a command that was carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// The family was randomized.
    Allocated {
        /// Its arm.
        arm: Arm,
        /// Number of the allocation over the whole study, from 1.
        allocation: u32,
    },
    /// The family had been randomized and keeps its arm.
    Returned {
        /// Its arm.
        arm: Arm,
        /// Number of its allocation.
        allocation: u32,
    },
    /// A sibling joined a randomized family.
    Joined {
        /// The family's arm.
        arm: Arm,
        /// Number of its allocation.
        allocation: u32,
    },
    /// Not eligible; a bit per missed criterion.
    NotEligible {
        /// Missed criteria.
        missed: u64,
    },
    /// Eligible, but the gate is closed.
    GateClosed,
    /// Taken out by a declared exception.
    Exception {
        /// Index of the reason.
        reason: u16,
    },
    /// Recorded.
    Recorded,
}

/// A decision: the answer, and one or two events to append together.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Decision {
    /// The answer.
    pub answer: Answer,
    /// What happened, in order; `None` after the last.
    pub events: [Option<What>; 2],
}

/// Why a command is refused. A refusal records nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The final lock has closed enrolment.
    EnrolmentClosed,
    /// The registered number of families has been randomized.
    TargetReached,
    /// The registered last day of enrolment has passed.
    PastLastDay {
        /// That day.
        last: Day,
    },
    /// The site does not enrol yet.
    SiteNotOpen {
        /// The site.
        site: SiteIx,
        /// Its first day.
        opens: Day,
    },
    /// The site has stopped enrolling.
    SiteClosed {
        /// The site.
        site: SiteIx,
    },
    /// A closed gate turned the family away, and the protocol makes that final.
    TurnedAwayForGood,
    /// The report was received after the day of screening.
    ReceivedInTheFuture,
    /// A child belongs to another family of the study.
    ChildOfAnotherFamily {
        /// The child.
        child: ChildIx,
        /// That family.
        family: FamilyIx,
    },
    /// The two families, or the two children, are one already.
    AlreadyLinked,
    /// The event is of a kind that no correction retracts, or does not exist.
    NotRetractable {
        /// Its sequence number.
        sequence: u64,
    },
    /// The event has been retracted already.
    AlreadyRetracted {
        /// Its sequence number.
        sequence: u64,
    },
    /// The ledger does not know the family.
    UnknownFamily,
    /// The event needs a randomized family.
    NotRandomized,
    /// The event lies in the future of its recording.
    OnInTheFuture,
    /// The event lies before the family was randomized.
    BeforeRandomization {
        /// The day of randomization.
        randomized: Day,
    },
    /// The lock exists already.
    AlreadyLocked,
    /// The cut is not the registered one.
    CutNotRegistered {
        /// The registered cut.
        registered: Day,
    },
    /// The cut lies before the last window and its grace have ended.
    WindowsNotEnded {
        /// The first admissible cut.
        first: Day,
    },
    /// No family was randomized up to the cut: there are no data to lock.
    NobodyRandomized {
        /// The day on which the first family was, if any was.
        first: Option<Day>,
    },
    /// The cut lies after the day of locking.
    CutInTheFuture,
    /// The lock does not exist yet.
    NotLocked,
    /// Seeds are published after the final lock only.
    NotFinallyLocked,
    /// The seeds have been published already.
    AlreadyRevealed,
    /// The epoch waits for the value of a public round.
    BeaconMissing,
    /// The epoch's protocol names no public round.
    NoBeacon,
    /// The value of the epoch's round is recorded already.
    BeaconRecorded,
    /// The site is in that state already.
    NothingChanges,
    /// A violation that is none: the family was drawn with that value, or to that arm.
    NothingWrong,
}
