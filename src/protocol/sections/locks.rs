//! `[[lock]]`: named data locks. The last final one closes enrolment and permits `reveal`.

use crate::protocol::findings::Findings;
use crate::protocol::model::{Cut, Lock};
use crate::protocol::names::{Ids, Style};
use crate::protocol::tree::Section;
use crate::words;
use jiff::civil::Date;
use std::ops::Range;

/// Keys of `[[lock]]`.
pub(in crate::protocol) const KEYS: &[&str] =
    &["id", "kind", "cut", "after", "grace_days", "alpha"];

/// The locks and where they stand.
#[derive(Debug)]
pub(in crate::protocol) struct Locks {
    /// Identifiers.
    pub(in crate::protocol) ids: Ids,
    /// Locks, in the order of the file.
    pub(in crate::protocol) list: Vec<Option<Lock>>,
    spans: Vec<Range<usize>>,
}

/// Reads the locks.
pub(in crate::protocol) fn read(out: &mut Findings<'_>, root: &Section<'_>) -> Locks {
    let sections = root.sections(out, "lock", KEYS);
    let ids = Ids::read(out, &sections, words!("lock", "låsningen"), Style::Kebab);
    let list: Vec<Option<Lock>> = sections
        .iter()
        .enumerate()
        .map(|(index, section)| lock(out, section, ids.name(index)))
        .collect();
    let spans: Vec<_> = sections
        .iter()
        .map(|section| section.span.clone())
        .collect();
    let broken = list.iter().any(Option::is_none);
    if !broken && list.iter().flatten().all(|lock| lock.interim) {
        let span = spans.last().cloned().unwrap_or(0..0);
        out.error(
            "no-final-lock",
            &span,
            words!(
                "there is no final lock: enrolment would never close and the seed never be published",
                "det finns ingen slutlig låsning: lottningen skulle aldrig avslutas och lottfröet aldrig publiceras"
            ),
            words!(
                "add `[[lock]]` with `id = \"final\"`, `after = \"last-window\"` and `grace_days`",
                "lägg till `[[lock]]` med `id = \"final\"`, `after = \"last-window\"` och `grace_days`"
            ),
        );
    }
    Locks { ids, list, spans }
}

fn lock(out: &mut Findings<'_>, section: &Section<'_>, id: String) -> Option<Lock> {
    let interim = match section.get("kind") {
        None => Some(false),
        Some(value) => value.one_of(out, &[("final", false), ("interim", true)]),
    };
    let cut = cut(out, section);
    let alpha = match (section.get("alpha"), interim) {
        (None, _) => Some(0.0),
        (Some(_), Some(false)) => {
            section.refuse(
                out,
                &["alpha"],
                &words!(
                    "the analyses of a final lock have their own `alpha`",
                    "analyserna i en slutlig låsning har sitt eget `alpha`"
                ),
            );
            None
        }
        (Some(value), _) => value.number(
            out,
            |alpha| (0.0..0.5).contains(&alpha),
            words!(
                "a number from 0 to below 0.5",
                "ett tal från 0 till under 0,5"
            ),
        ),
    };
    Some(Lock {
        id,
        cut: cut?,
        interim: interim?,
        alpha: alpha?,
    })
}

fn cut(out: &mut Findings<'_>, section: &Section<'_>) -> Option<Cut> {
    match (section.get("cut"), section.get("after")) {
        (Some(cut), None) => {
            section.refuse(
                out,
                &["grace_days"],
                &words!(
                    "the cut is a registered date",
                    "brytdatumet är ett registrerat datum"
                ),
            );
            cut.date(out).map(Cut::On)
        }
        (None, Some(after)) => {
            let after = after.one_of(out, &[("last-window", ())]);
            let grace_days = section
                .need(out, "grace_days")
                .and_then(|value| value.days(out, 0, 3650));
            after?;
            Some(Cut::AfterLastWindow {
                grace_days: grace_days?,
            })
        }
        _ => {
            out.error(
                "lock-cut",
                &section.span,
                words!(
                    "a lock has either `cut` or `after`",
                    "en låsning har antingen `cut` eller `after`"
                ),
                words!(
                    "`cut` is a date; `after = \"last-window\"` waits until every family has been followed to the end",
                    "`cut` är ett datum; `after = \"last-window\"` väntar tills varje familj har följts till slutet"
                ),
            );
            None
        }
    }
}

impl Locks {
    /// What the dates of the sites, the end of enrolment and the longest window say about the cuts.
    pub(in crate::protocol) fn against_calendar(
        &self,
        out: &mut Findings<'_>,
        opening: Date,
        stop: Option<Date>,
        last_window: i32,
    ) {
        let mut latest: Option<(&str, Date)> = None;
        for (lock, span) in self.list.iter().zip(&self.spans) {
            let Some(lock) = lock else { continue };
            let Cut::On(date) = lock.cut else { continue };
            let id = lock.id.as_str();
            if date < opening {
                out.error(
                    "date-order",
                    span,
                    words!(
                        "the lock `{id}` cuts at {date}, before the first site opens on {opening}",
                        "låsningen `{id}` har brytdatum {date}, innan den första enheten öppnar {opening}"
                    ),
                    words!("move `cut` after the opening", "lägg `cut` efter öppnandet"),
                );
            }
            if let Some((earlier, last)) = latest
                && date <= last
            {
                out.error(
                    "date-order",
                    span,
                    words!(
                        "the lock `{id}` cuts at {date}, not after the lock `{earlier}` above it",
                        "låsningen `{id}` har brytdatum {date}, inte efter låsningen `{earlier}` ovanför"
                    ),
                    words!(
                        "write the locks in the order of their dates",
                        "skriv låsningarna i datumordning"
                    ),
                );
            }
            latest = Some((id, date));
            let end = stop.and_then(|stop| {
                stop.checked_add(jiff::Span::new().try_days(last_window).ok()?)
                    .ok()
            });
            if let Some(end) = end
                && !lock.interim
                && date < end
            {
                out.warning(
                    "cut-before-last-window",
                    span,
                    words!(
                        "families randomized until the stop date are followed until {end}, but the final lock cuts at {date}",
                        "familjer som lottas till och med stoppdatumet följs till {end}, men den slutliga låsningen har brytdatum {date}"
                    ),
                    words!(
                        "write `after = \"last-window\"`, or an earlier `or_date`",
                        "skriv `after = \"last-window\"`, eller ett tidigare `or_date`"
                    ),
                );
            }
        }
    }
}
