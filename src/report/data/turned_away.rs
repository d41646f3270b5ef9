//! A row for each family that a closed gate turned away and that was never randomized: without an arm, for it has none.

use super::codebook::{Codebook, Explained, Kind, cell, days};
use super::families::{sites, statuses, value};
use super::{Data, study_day, summary, told};
use crate::diagnostic::Words;
use crate::protocol::model::OutcomeKind;
use crate::report::flat::{File, number};
use crate::study::cohort::{self, TurnedAway};
use crate::words;

pub(super) fn table(data: &Data<'_>, book: &mut Codebook) -> File {
    let (protocol, state, cut) = (data.protocol, data.state, data.cut);
    let all: Vec<TurnedAway> = cohort::families(state, cut).collect();
    let mut table = Explained::new("turned-away.csv", book);
    table.add(
        "turned_away",
        &Kind::Whole,
        &words!(
            "number of the family among those that a closed gate turned away and that were never randomized; no comparison with these",
            "familjens nummer bland dem som avvisades vid intagsstopp och aldrig lottades; ingen jämförelse med de lottade"
        ),
        (1..=all.len()).map(|number| number.to_string()).collect(),
    );
    table.add(
        "site",
        &sites(protocol),
        &words!(
            "site that turned it away first",
            "enhet som avvisade den först"
        ),
        all.iter()
            .map(|own| {
                let site = protocol.sites.get(usize::from(own.site.0));
                cell(site.map(|site| &site.id))
            })
            .collect(),
    );
    table.measured(
        "study_day",
        &Kind::Whole,
        &days(),
        &words!(
            "day on which it was turned away first, from the first site's opening",
            "dag då den avvisades först, från den första enhetens öppnande"
        ),
        all.iter()
            .map(|own| study_day(data, own.on).to_string())
            .collect(),
    );
    for (place, outcome) in protocol.outcomes.iter().enumerate() {
        if !matches!(outcome.kind, OutcomeKind::Reports { .. }) {
            continue;
        }
        let (id, summary) = (&outcome.id, summary(&outcome.kind));
        let known: Vec<(&str, Option<f64>)> = all
            .iter()
            .map(|own| {
                let value = cohort::outcome(protocol, state, cut, own.family, place, summary);
                told(value)
            })
            .collect();
        let Words { en, sv } = &outcome.label;
        table.add(
            format!("outcome.{id}.status"),
            &statuses(),
            &words!(
                "{en}: how it is known at the cut, its window counted from the day on which the family was turned away",
                "{sv}: hur det är känt vid brytdatumet, fönstret räknat från dagen då familjen avvisades"
            ),
            known.iter().map(|(status, _)| (*status).to_owned()).collect(),
        );
        let (kind, unit, meaning) = value(outcome);
        let Words { en, sv } = &meaning;
        table.measured(
            format!("outcome.{id}.value"),
            &kind,
            &unit,
            &words!(
                "{en}; here from the day on which the family was turned away",
                "{sv}; här från dagen då familjen avvisades"
            ),
            known.iter().map(|(_, value)| number(*value)).collect(),
        );
    }
    table.file()
}
