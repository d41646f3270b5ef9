//! Identity and permissions of a study, its planned size and its capacity for planning.
//!
//! What only `open` demands (ethics decision, impact assessment) may be missing here; `check` warns of it.

use crate::diagnostic::Words;
use crate::words;
use jiff::Timestamp;
use jiff::civil::Date;

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
    /// A public round in the future whose value enters every draw of the epoch.
    pub beacon: Option<Beacon>,
}

/// A public source of randomness, and the round that the study waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Beacon {
    /// Name of the source.
    pub source: String,
    /// The round, as the source names it.
    pub round: String,
    /// When the round is published; nobody knows its value before.
    pub time: Timestamp,
}

/// The source whose rounds have known times: the League of Entropy's chain `quicknet` (a round every three seconds, each
/// verifiable by itself; chain hash 52db9ba7…e971).
pub const QUICKNET: &str = "drand-quicknet";
/// Time of its first round, in seconds of Unix time.
const QUICKNET_GENESIS: i64 = 1_692_803_367;
/// Seconds between its rounds.
const QUICKNET_PERIOD: i64 = 3;

impl Beacon {
    /// When a round of [`QUICKNET`] is published: `genesis + (round − 1) · period`; `None` beyond the calendar.
    ///
    /// ```
    /// use lottning::protocol::model::Beacon;
    ///
    /// // Round 27946612 is that of 2026-04-20T00:00:00Z (reference arithmetic of the source's own formula).
    /// let time = Beacon::quicknet_time(27_946_612).map(|time| time.to_string());
    /// assert_eq!(time.as_deref(), Some("2026-04-20T00:00:00Z"));
    /// ```
    pub fn quicknet_time(round: i64) -> Option<Timestamp> {
        let seconds = round.checked_sub(1)?.checked_mul(QUICKNET_PERIOD)?;
        Timestamp::from_second(QUICKNET_GENESIS.checked_add(seconds)?).ok()
    }
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

    /// What is trust and what is enforced, in plain words; `roles` says whether the protocol names them.
    pub fn meaning(self, roles: bool) -> Words {
        let seed = match self {
            Self::SingleUser => words!(
                "Custody of the seed: single user. Trust: whoever enrols families could read the seed and so the next arm; that it is hidden rests on trust in that account.",
                "Förvaring av fröet: en användare. Förtroende: den som skriver in familjer skulle kunna läsa fröet och därmed nästa lott; att den hålls dold vilar på förtroende för den som har kontot."
            ),
            Self::Service => words!(
                "Custody of the seed: service. Another account of the computer holds the seed; whoever enrols families cannot read it.",
                "Förvaring av fröet: tjänst. Ett annat konto på datorn har fröet; den som skriver in familjer kan inte läsa det."
            ),
        };
        let actors = if roles {
            words!(
                "Roles are kept by the id given with --actor; that it is the person's own is trust.",
                "Roller hålls isär genom det id som anges med --actor; att det är personens eget är förtroende."
            )
        } else {
            words!(
                "The protocol names no roles; only screening is kept apart from capacity, links and amendments, by the id given with --actor.",
                "Protokollet anger inga roller; bara screening hålls isär från kapacitet, kopplingar och ändringar, genom det id som anges med --actor."
            )
        };
        let enforced = words!(
            "Enforced: the seed cannot be exchanged (commitment), no event can be changed afterwards unseen by who kept a head (chain), and a name that was drawn is never drawn again. Trust: that a family comes under one name (one that seems to come under another is reported), and that nobody draws on a copy of the folder with the seed, which would show the next arm.",
            "Säkerställt: fröet kan inte bytas ut (utfästelsen), ingen händelse kan ändras i efterhand utan att den som har sparat ett huvud ser det (kedjan), och ett namn som har lottats lottas aldrig igen. Förtroende: att en familj kommer under ett och samma namn (den som tycks komma under ett annat rapporteras), och att ingen lottar på en kopia av mappen med fröet, som skulle visa nästa lott."
        );
        Words::new(
            format!("{} {} {}", seed.en, actors.en, enforced.en),
            format!("{} {} {}", seed.sv, actors.sv, enforced.sv),
        )
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
