//! What can happen in a study: a closed set, whole from the start.

use crate::allocation::Arm;
use crate::protocol::model::{Day, Exit, MAX_FIELDS, Service};

/// A site by its place in the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SiteIx(pub u16);
/// A family by the order in which the ledger first names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FamilyIx(pub u32);
/// A child by the order in which the ledger first names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ChildIx(pub u32);
/// A report, identified by (family, report key), by the order in which the ledger first names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ReportIx(pub u32);

/// Who delivered a service, a person or a pair, by the order in which the ledger first names them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DelivererIx(pub u32);

/// Most children that one screening can name.
pub const MAX_CHILDREN: usize = 24;

/// Values of the protocol's fields, in its order; unused places are 0.
pub type Values = [i64; MAX_FIELDS];

/// The children that a screening names.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Roster {
    len: u8,
    children: [ChildIx; MAX_CHILDREN],
}

impl Roster {
    /// No children.
    pub const EMPTY: Self = Self {
        len: 0,
        children: [ChildIx(0); MAX_CHILDREN],
    };

    /// Adds a child; `false` when the roster is full.
    pub fn push(&mut self, child: ChildIx) -> bool {
        let Some(place) = self.children.get_mut(usize::from(self.len)) else {
            return false;
        };
        *place = child;
        self.len += 1;
        true
    }

    /// The children.
    pub fn as_slice(&self) -> &[ChildIx] {
        &self.children[..usize::from(self.len)]
    }
}

impl std::fmt::Debug for Roster {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.as_slice()).finish()
    }
}

/// What a screening found. Answers are frozen before gate and draw.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// At least one criterion is missed; a bit per criterion, in the protocol's order.
    NotEligible {
        /// Missed criteria.
        missed: u64,
    },
    /// Eligible, and the gate was closed: not randomized.
    GateClosed,
    /// Eligible, and taken out by a declared exception.
    Exception,
    /// Eligible, and drawn.
    Drawn,
}

/// One screening.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Screening {
    /// The family.
    pub family: FamilyIx,
    /// Where.
    pub site: SiteIx,
    /// The report that led to the investigation.
    pub report: ReportIx,
    /// When that report was received.
    pub received: Day,
    /// Children named.
    pub children: Roster,
    /// Answers to the asked criteria, a bit per criterion (1 = yes).
    pub answers: u64,
    /// Values of the fields.
    pub values: Values,
    /// What was found.
    pub verdict: Verdict,
    /// Whether an earlier screening of the same report gave other answers or values.
    pub changed: bool,
}

/// Who saw a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Source {
    /// Intake, when the family was screened or came back: a cross-check, never the outcome.
    Intake,
    /// A person, by `record`: the prospective log.
    Log,
    /// A register, by `import`, run alike in both arms.
    Register,
}

impl Source {
    /// The bit of this source in a report's set of sources.
    pub fn bit(self) -> u8 {
        match self {
            Self::Intake => 1,
            Self::Log => 2,
            Self::Register => 4,
        }
    }

    /// The text in the ledger.
    pub fn text(self) -> &'static str {
        match self {
            Self::Intake => "intake",
            Self::Log => "log",
            Self::Register => "register",
        }
    }
}

/// A sighting of a report of concern.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Report {
    /// The family.
    pub family: FamilyIx,
    /// The report; a second sighting of the same report merges with the first.
    pub report: ReportIx,
    /// When it was received.
    pub received: Day,
    /// Who saw it.
    pub source: Source,
    /// When the incident happened, if known.
    pub incident: Option<Day>,
    /// The child it concerns, if named.
    pub child: Option<ChildIx>,
    /// Whether it names a child that the ledger did not know then: no member of the roster at randomization.
    pub unknown_child: bool,
    /// Whether it was attached to an investigation that was open already.
    pub attached: Option<bool>,
    /// Whether staff of the study's services made it.
    pub by_study_staff: bool,
}

/// What a report of a drawn family said that nothing was done with: nobody is screened or taken out after the draw.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LeftAside {
    /// Other answers or values than a screening of the same report.
    pub answers: bool,
    /// A declared exception.
    pub exception: bool,
}

/// The true value of a field, or the true site, with which a family was drawn wrongly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Truth {
    /// Index of the field, or [`Truth::SITE`].
    pub field: u8,
    /// Its true value at randomization; of the site its index.
    pub value: i64,
}

impl Truth {
    /// Stands for the site in place of a field: it is documented, and nothing is computed from it.
    pub const SITE: u8 = u8::MAX;
}

/// An event: the civil day on which it was recorded, and what happened.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Event<'a> {
    /// Day of recording in the study's time zone; ledger order rules, days only describe.
    pub day: Day,
    /// What happened.
    pub what: &'a What,
}

/// What happened. A closed set: other code matches it without a wildcard.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum What {
    /// The study was opened: protocol sealed, seed committed.
    Opened,
    /// An epoch began with a commitment of its own.
    EpochOpened {
        /// Number of the epoch; the first is 0 and needs no event.
        epoch: u32,
    },
    /// The value of an epoch's public round became known.
    Beacon {
        /// The epoch that waited for it.
        epoch: u32,
    },
    /// A site began to enrol.
    SiteOpened {
        /// The site.
        site: SiteIx,
        /// From this day.
        on: Day,
    },
    /// A site stopped enrolling.
    SiteClosed {
        /// The site.
        site: SiteIx,
        /// From this day.
        on: Day,
    },
    /// The number of therapists of a site changed.
    CapacityChanged {
        /// The site.
        site: SiteIx,
        /// From this day.
        on: Day,
        /// Therapists now.
        therapists: u32,
    },
    /// A family was screened.
    Screened(Screening),
    /// A family was randomized. Follows its screening in the same transaction.
    Allocated {
        /// The family.
        family: FamilyIx,
        /// Where.
        site: SiteIx,
        /// Epoch of the draw.
        epoch: u32,
        /// Stratum of the draw.
        stratum: u32,
        /// Cell of the balancing factors; 0 if the method balances none.
        cell: u32,
        /// Number of the draw within stratum and epoch, from 0.
        draw: u32,
        /// The arm.
        arm: Arm,
        /// Number of the allocation over the whole study, from 1.
        allocation: u32,
    },
    /// A randomized family was reported again; it keeps its arm.
    Returned {
        /// The family.
        family: FamilyIx,
        /// Where it came back.
        site: SiteIx,
        /// The report.
        report: ReportIx,
        /// When it was received.
        received: Day,
        /// What was left aside.
        left_aside: LeftAside,
        /// Children named.
        named: Roster,
    },
    /// A sibling joined a randomized family and shares its arm.
    Joined {
        /// The family.
        family: FamilyIx,
        /// Where.
        site: SiteIx,
        /// The report.
        report: ReportIx,
        /// When it was received.
        received: Day,
        /// What was left aside.
        left_aside: LeftAside,
        /// Children new to the family.
        children: Roster,
        /// Children named, these and others.
        named: Roster,
    },
    /// A family was taken out before the draw by a declared exception.
    Exception {
        /// The family.
        family: FamilyIx,
        /// Where.
        site: SiteIx,
        /// Index of the reason in the protocol.
        reason: u16,
    },
    /// The protocol was not followed after the draw: documented, not corrected.
    Violation {
        /// The family.
        family: FamilyIx,
        /// When.
        on: Day,
        /// Index of the reason in the protocol; `u16::MAX` once erased.
        reason: u16,
        /// The true value, of a family that was drawn with a wrong one.
        truth: Option<Truth>,
        /// The arm whose service the family received by mistake.
        received: Option<Arm>,
    },
    /// A report of concern was seen.
    Reported(Report),
    /// Something happened to a family's service.
    Serviced {
        /// The family.
        family: FamilyIx,
        /// What.
        service: Service,
        /// When.
        on: Day,
        /// The arm whose service the family has from now on, for `switched`.
        arm: Option<Arm>,
        /// Who delivered it, if named.
        by: Option<DelivererIx>,
    },
    /// Follow-up ended.
    Exited {
        /// The family.
        family: FamilyIx,
        /// How.
        exit: Exit,
        /// When.
        on: Day,
    },
    /// A value was observed, for example a survey score.
    Observed {
        /// The family.
        family: FamilyIx,
        /// Index of the outcome.
        outcome: u16,
        /// The value.
        value: f64,
        /// When.
        on: Day,
    },
    /// An earlier event is retracted; its replacement, if any, follows as an event of its own. A correction changes
    /// what data sets read, never what a gate or a draw saw.
    Corrected {
        /// Sequence number of the retracted event.
        sequence: u64,
        /// When the mistake was found.
        on: Day,
    },
    /// Two families were found to be one: the first draw is the unit. The state says which one that is.
    Linked {
        /// The family that is the unit.
        unit: FamilyIx,
        /// The family whose draw is kept for audit, or that is another name of the unit.
        other: FamilyIx,
        /// When that was found.
        on: Day,
    },
    /// A child got another pseudonym.
    ChildLinked {
        /// Its family.
        family: FamilyIx,
        /// The child.
        child: ChildIx,
        /// Its other pseudonym, if the ledger knew that one as a child of the family.
        other: Option<ChildIx>,
        /// When that was found.
        on: Day,
    },
    /// A family withdrew.
    Withdrawn {
        /// The family.
        family: FamilyIx,
        /// When.
        on: Day,
    },
    /// A family's payloads were erased; what later decisions depend on stays in the public parts.
    Erased {
        /// The family.
        family: FamilyIx,
    },
    /// Data were locked.
    Locked {
        /// Index of the lock in the protocol.
        lock: u16,
        /// The cut date, inclusive.
        cut: Day,
    },
    /// A lock was analysed.
    Analysed {
        /// Index of the lock.
        lock: u16,
    },
    /// Data or a proof left the study.
    Exported,
    /// The seeds were published.
    Revealed,
}
