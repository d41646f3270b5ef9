//! Times: the computer's clock, and what is typed with `--at`.
//!
//! A time may be typed that has passed: a row is then entered late, and says so. A time to come may not, because nothing could be
//! recorded before it, and data could be locked and seeds published before their day. Two kinds of study follow typed times
//! alone, in whatever year they play: a rehearsal, and a study that was itself opened at a typed time, which its first row says for
//! good.

use super::exit;
use super::failure::Failure;
use super::outside::Outside;
use crate::allocation::Mode;
use crate::diagnostic::{Diagnostic, Words};
use crate::study::journal::Journal;
use crate::words;
use jiff::{SignedDuration, Timestamp};

/// How far a typed time may be ahead of the clock: clocks of two computers differ.
const AHEAD: SignedDuration = SignedDuration::from_mins(5);
/// How far ahead it is said aloud where it is allowed.
const SAID: SignedDuration = SignedDuration::from_hours(24);

/// Now, in the whole microseconds that the ledger keeps.
pub fn now(outside: &Outside) -> Timestamp {
    let now = outside.clock.now();
    Timestamp::from_microsecond(now.as_microsecond()).unwrap_or(now)
}

/// An instant as typed: RFC 3339 with an offset.
///
/// # Errors
/// Anything else: exit 4.
pub fn instant(text: &str) -> Result<Timestamp, Failure> {
    text.parse::<Timestamp>()
        .ok()
        .and_then(|time| Timestamp::from_microsecond(time.as_microsecond()).ok())
        .ok_or_else(|| {
            Failure::new(
                exit::INVALID_DATA,
                "invalid-time",
                Words::new(
                    "the value of --at is not a time with an offset",
                    "värdet på --at är ingen tidpunkt med tidszonsavvikelse",
                ),
            )
            .help(Words::new(
                "write it as RFC 3339, for example 2025-03-01T09:15:00+01:00",
                "skriv den enligt RFC 3339, till exempel 2025-03-01T09:15:00+01:00",
            ))
        })
}

/// Why nothing can be recorded at a time: it is before the last event's, or ahead of the clock.
pub(super) fn untimely(
    outside: &Outside,
    journal: &Journal,
    time: Timestamp,
    given: bool,
) -> Option<Failure> {
    if let Some(last) = journal.last_time.filter(|last| time < *last) {
        return Some(time_went_back(time, last, given));
    }
    let clock = now(outside);
    let ahead = time.duration_since(clock);
    if !given || ahead <= AHEAD {
        return None;
    }
    let typed = follows_typed_times(journal);
    if !typed {
        return Some(time_ahead(time, clock));
    }
    if ahead > SAID {
        outside.progress.warn(&Diagnostic::warning(
            "time-ahead",
            Words::new(
                "the time of --at is ahead of the computer's clock; until then every command will need --at",
                "tidpunkten i --at är senare än datorns klocka visar; fram till dess kommer varje kommando att behöva --at",
            ),
        ));
    }
    None
}

/// Whether a study follows typed times alone: a rehearsal, or one that was opened at a typed time.
pub fn follows_typed_times(journal: &Journal) -> bool {
    let opening = journal.opening.as_ref();
    opening.is_none_or(|own| own.typed_time || own.mode != Mode::Live)
}

fn time_ahead(time: Timestamp, clock: Timestamp) -> Failure {
    Failure::new(
        exit::INVALID_DATA,
        "time-ahead",
        words!(
            "{time} is more than five minutes ahead of the computer's clock ({clock}); nothing was recorded",
            "{time} är mer än fem minuter senare än datorns klocka visar ({clock}); inget har registrerats"
        ),
    )
    .help(Words::new(
        "give the time at which it happened, or leave --at out; if the clock is wrong, set it right",
        "ange tidpunkten då det hände, eller utelämna --at; om klockan går fel, ställ den",
    ))
}

pub(super) fn time_went_back(time: Timestamp, last: Timestamp, given: bool) -> Failure {
    let help = if given {
        Words::new(
            "give a time at or after that event, or leave --at out",
            "ange en tidpunkt vid eller efter den händelsen, eller utelämna --at",
        )
    } else {
        Words::new(
            "the computer's clock has gone back, or an earlier event was dated ahead with --at: set the clock right, or give --at",
            "datorns klocka har gått bakåt, eller så daterades en tidigare händelse framåt med --at: ställ klockan eller ange --at",
        )
    };
    Failure::new(
        exit::INVALID_DATA,
        "time-went-back",
        words!(
            "{time} is before the last event of the study ({last}); nothing was recorded",
            "{time} är före studiens senaste händelse ({last}); inget har registrerats"
        ),
    )
    .help(help)
}
