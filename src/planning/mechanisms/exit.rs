//! `[exit]`: families who leave the area that the register covers, deaths, and families whose children all turn 18.
//!
//! Which of them end the count and which censor it is the protocol's say. An exit that ends the count is part of both
//! potential outcomes; what is true of a family that is censored is what would have been seen, had it stayed.

use super::{MechanismEntry, or_default};
use crate::protocol::Protocol;
use crate::protocol::findings::Findings;
use crate::protocol::model::{Exit as Kind, FieldKind};
use crate::protocol::tree::{Section, Value};
use crate::study::kernel::Values;
use crate::words;

/// Registry entry.
pub(super) const ENTRY: MechanismEntry = MechanismEntry {
    id: "exit",
    about: "families who leave the register's coverage, die, or whose children all turn 18",
    about_sv: "familjer som lämnar registrets område, dör, eller vars barn alla fyller 18",
    keys: &[
        "left_coverage_per_year",
        "death_per_year",
        "all_children_18_from",
    ],
    build: None,
};

/// Days of a year.
const YEAR: f64 = 365.25;

/// The first exits of a family, with the days after randomization.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Exits {
    /// One that ends the count.
    pub ended: Option<(i32, Kind)>,
    /// One that censors.
    pub censored: Option<(i32, Kind)>,
}

impl Exits {
    /// Last day on which anything is seen.
    pub fn last_seen(&self) -> i32 {
        let day = |exit: Option<(i32, Kind)>| exit.map_or(i32::MAX, |(day, _)| day);
        day(self.ended).min(day(self.censored))
    }
}

/// Exits.
#[derive(Debug, Clone, PartialEq)]
pub struct Exit {
    /// Rate per day at which coverage is left, `−ln(1 − share per year)/365.25`.
    pub left_per_day: f64,
    /// Rate per day of deaths.
    pub death_per_day: f64,
    /// Field that holds the youngest child's age in completed years.
    pub youngest: Option<usize>,
    /// Whether each kind ends the count, in the order of [`Kind::ALL`].
    ends: [bool; 3],
}

impl Exit {
    /// Reads the section.
    pub(crate) fn read(
        out: &mut Findings<'_>,
        section: &Section<'_>,
        protocol: &Protocol,
    ) -> Option<Self> {
        let mut rate = |key: &str| {
            or_default(out, section, key, 0.0, |out, value| {
                let share = value.number(
                    out,
                    |share| (0.0..1.0).contains(&share),
                    words!(
                        "a share per year, from 0 and below 1",
                        "en andel per år, från 0 och mindre än 1"
                    ),
                )?;
                Some(-libm::log1p(-share) / YEAR)
            })
        };
        let left = rate("left_coverage_per_year");
        let death = rate("death_per_year");
        let youngest = or_default(out, section, "all_children_18_from", None, |out, value| {
            age(out, value, protocol).map(Some)
        });
        let exit = Self {
            left_per_day: left?,
            death_per_day: death?,
            youngest: youngest?,
            ends: Kind::ALL.map(|kind| protocol.exits.terminal.contains(&kind)),
        };
        let mut classified = true;
        for (key, kind, used) in [
            (
                "left_coverage_per_year",
                Kind::LeftCoverage,
                exit.left_per_day > 0.0,
            ),
            ("death_per_year", Kind::Death, exit.death_per_day > 0.0),
            (
                "all_children_18_from",
                Kind::AllChildren18,
                exit.youngest.is_some(),
            ),
        ] {
            let exits = &protocol.exits;
            if used && !exits.terminal.contains(&kind) && !exits.censors.contains(&kind) {
                let name = kind.text();
                classified = false;
                out.error(
                    "not-applicable",
                    &section.key_span(key),
                    words!(
                        "the protocol does not say what the exit `{name}` does to the count",
                        "protokollet säger inte vad utträdet `{name}` gör med räkningen"
                    ),
                    words!("remove `{key}`", "ta bort `{key}`"),
                );
            }
        }
        classified.then_some(exit)
    }

    /// The first exits within `horizon` days, for deviates of leaving, death and the youngest child's birthday.
    pub fn days(&self, [left, death, birthday]: [f64; 3], values: &Values, horizon: i32) -> Exits {
        let mut exits = Exits::default();
        let mut note = |day: Option<i32>, kind: Kind| {
            let Some(day) = day else { return };
            let slot = if self.ends[kind as usize] {
                &mut exits.ended
            } else {
                &mut exits.censored
            };
            if slot.is_none_or(|(earlier, _)| day < earlier) {
                *slot = Some((day, kind));
            }
        };
        note(
            waiting(self.left_per_day, left, horizon),
            Kind::LeftCoverage,
        );
        note(waiting(self.death_per_day, death, horizon), Kind::Death);
        if let Some(field) = self.youngest {
            // In completed years, so the birthday of the year lies anywhere in the past twelve months.
            let years = 18.0 - values[field] as f64 - birthday;
            let day = (years * YEAR).floor();
            let comes = day < f64::from(horizon);
            note(comes.then(|| day.max(0.0) as i32 + 1), Kind::AllChildren18);
        }
        exits
    }
}

/// The field of the youngest child's age.
fn age(out: &mut Findings<'_>, value: &Value<'_>, protocol: &Protocol) -> Option<usize> {
    let id = value.text(out)?;
    let counts = |kind: &FieldKind| matches!(kind, FieldKind::Count { .. });
    let place = protocol.fields.iter().position(|field| field.id == id);
    match place {
        Some(place) if counts(&protocol.fields[place].kind) => Some(place),
        _ => {
            let known = protocol.fields.iter().filter(|field| counts(&field.kind));
            out.unknown(
                "unknown-reference",
                &value.span,
                id,
                words!(
                    "the protocol has no field `{id}` of whole years",
                    "protokollet har inget fält `{id}` med hela år"
                ),
                known.map(|field| field.id.as_str()),
            );
            None
        }
    }
}

/// Days until something that happens at a constant rate, for a deviate in (0, 1); `None` beyond `horizon` days.
fn waiting(per_day: f64, u: f64, horizon: i32) -> Option<i32> {
    // exp(−x) ≥ 1 − x, so most families are known to stay without a logarithm.
    if per_day <= 0.0 || u < 1.0 - per_day * (f64::from(horizon) + 1.0) {
        return None;
    }
    let days = -libm::log(u) / per_day;
    (days <= f64::from(horizon)).then(|| days.floor() as i32 + 1)
}

#[cfg(test)]
mod tests {
    use super::{Exit, Kind};

    fn exit(ends: [bool; 3]) -> Exit {
        Exit {
            left_per_day: 0.0,
            death_per_day: 0.0,
            youngest: Some(1),
            ends,
        }
    }

    /// By hand: aged 17 and half a year in, the eighteenth birthday is .5·365.25 = 182.6 days away; aged 16, a year later.
    #[test]
    fn the_youngest_turns_eighteen_on_a_birthday() {
        let mut values = [0; 16];
        values[1] = 17;
        let all = exit([true, true, false]);
        let found = all.days([0.5, 0.5, 0.5], &values, 365);
        assert_eq!(found.ended, Some((183, Kind::AllChildren18)));
        assert_eq!(found.last_seen(), 183);
        values[1] = 16;
        assert_eq!(all.days([0.5, 0.5, 0.5], &values, 365).ended, None);
        // Where the protocol lets it censor, it censors.
        values[1] = 17;
        let censors = exit([false; 3]).days([0.5, 0.5, 0.999], &values, 365);
        assert_eq!(
            (censors.ended, censors.censored),
            (None, Some((1, Kind::AllChildren18)))
        );
    }

    /// By hand: at a rate of .001 a day, u = e^−.1 is day 100, and the first of several exits of a kind counts.
    #[test]
    fn constant_rates_wait_exponentially() {
        let mut both = exit([true, true, false]);
        both.youngest = None;
        (both.left_per_day, both.death_per_day) = (0.001, 0.001);
        let u = (-0.1005_f64).exp();
        let found = both.days([u, (-0.2005_f64).exp(), 0.0], &[0; 16], 365);
        assert_eq!(found.censored, Some((101, Kind::LeftCoverage)));
        assert_eq!(found.ended, Some((201, Kind::Death)));
        assert_eq!(
            both.days([0.5, 0.5, 0.0], &[0; 16], 365).last_seen(),
            i32::MAX
        );
    }
}
