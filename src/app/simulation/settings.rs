//! What is wrong with `--set` and `--what-if` as they are typed, before a study is run.
//!
//! One rule for both: what no scenario could make right is wrong usage (exit 2), among it an alternative that is there twice. What
//! a setting makes of the scenario, a key that it has not or a value that it cannot have, is the scenario's (exit 3).

use super::order::quoted;
use crate::app::exit;
use crate::app::failure::Failure;
use crate::diagnostic::{Diagnostic, Words};
use crate::planning::scenario::never_set;
use crate::planning::what_if;
use crate::words;

/// What is wrong with the settings of `--set`.
pub(super) fn wrong(settings: &[String]) -> Option<Failure> {
    if let Some(failure) = settings.iter().find_map(|own| of_form(own)) {
        return Some(failure);
    }
    let (earlier, later) = what_if::passed_over(settings)?;
    Some(set_twice(
        &words!(
            "`--set {later}` leaves nothing of `--set {earlier}`",
            "`--set {later}` lämnar inget kvar av `--set {earlier}`"
        ),
        earlier,
        later,
    ))
}

/// The settings of an alternative.
///
/// # Errors
/// What is wrong with them: exit 2.
pub(super) fn alternative(text: &str) -> Result<Vec<String>, Failure> {
    let changes = what_if::settings(text).ok_or_else(|| {
        Failure::new(
            exit::USAGE,
            "invalid-value",
            words!(
                "`--what-if {text:?}` is no alternative",
                "`--what-if {text:?}` är inget alternativ"
            ),
        )
        .help(Words::new(
            "settings separated by spaces, for example --what-if \"therapists=3 ratio=1:2 months=24\"",
            "inställningar med mellanslag emellan, till exempel --what-if \"therapists=3 ratio=1:2 months=24\"",
        ))
    })?;
    let found = changes.iter().find_map(|change| of_form(change));
    if let Some(failure) = found.or_else(|| changes.iter().find_map(|change| of_whole_run(change)))
    {
        return Err(failure);
    }
    match what_if::passed_over(&changes) {
        None => Ok(changes),
        Some((earlier, later)) => Err(set_twice(
            &words!(
                "in the alternative `{text}` `{later}` leaves nothing of `{earlier}`",
                "i alternativet `{text}` lämnar `{later}` inget kvar av `{earlier}`"
            ),
            earlier,
            later,
        )),
    }
}

/// A setting of no form, or of a key that can only stand in a file.
fn of_form(setting: &str) -> Option<Failure> {
    let finding = never_set(setting)?;
    let failure = Failure::new(exit::USAGE, finding.code, finding.message);
    Some(match finding.help {
        Some(help) => failure.help(help),
        None => failure,
    })
}

/// A key that is set twice: the earlier value would be passed over in silence.
fn set_twice(message: &Words, earlier: &str, later: &str) -> Failure {
    let (one, other) = (quoted(earlier), quoted(later));
    Failure::new(exit::USAGE, "conflicting-options", message.clone()).help(words!(
        "keep the one that is meant, or compare both: --what-if {one} --what-if {other}",
        "behåll den som menas, eller jämför båda: --what-if {one} --what-if {other}"
    ))
}

/// A change of what scenario and alternatives have in common: the alternative would be labelled with it, and run without it.
fn of_whole_run(change: &str) -> Option<Failure> {
    let key = change.split_once('=').map_or(change, |(key, _)| key.trim());
    let common = [
        "precision",
        "precision.replicates",
        "precision.stop_at_mcse",
        "grid.common_random_numbers",
    ];
    common.contains(&key).then(|| {
        Failure::new(
            exit::USAGE,
            "not-applicable",
            words!(
                "`{key}` is of the whole run: an alternative runs the same studies as the scenario",
                "`{key}` gäller hela körningen: ett alternativ kör samma studier som scenariot"
            ),
        )
        .help(words!(
            "set it for both: --set {change}",
            "ange det för båda: --set {change}"
        ))
    })
}

/// An alternative whose conditions of the grid leave a cell without one beside it.
pub(super) fn without_cell(name: &str, id: &str) -> Failure {
    Failure::new(
        exit::INVALID_PROTOCOL,
        "alternative-without-cell",
        words!(
            "the alternative `{name}` has no cell beside `{id}`: its settings change which conditions of the grid hold",
            "alternativet `{name}` har ingen cell bredvid `{id}`: dess inställningar ändrar vilka villkor i rutnätet som gäller"
        ),
    )
    .help(Words::new(
        "simulate it by itself with --set, or without the conditions of the grid",
        "simulera det för sig med --set, eller utan rutnätets villkor",
    ))
}

/// An alternative that is there twice: the same studies would be run twice, and a figure would draw one line over the other.
pub(super) fn same_alternative(earlier: &str, later: &str) -> Failure {
    let message = if earlier == later {
        words!(
            "the alternative `{earlier}` is there twice",
            "alternativet `{earlier}` finns två gånger"
        )
    } else {
        words!(
            "the alternatives `{earlier}` and `{later}` are the same studies",
            "alternativen `{earlier}` och `{later}` är samma studier"
        )
    };
    Failure::new(exit::USAGE, "same-alternative", message)
        .help(Words::new("leave one of them out", "utelämna det ena"))
}

/// An alternative that changes nothing: every difference from the scenario is 0, and says so of no other alternative.
pub(super) fn changes_nothing(name: &str) -> Diagnostic {
    Diagnostic::warning(
        "same-alternative",
        words!(
            "the alternative `{name}` is the scenario as it is: nothing differs",
            "alternativet `{name}` är scenariot som det är: inget skiljer"
        ),
    )
    .help(Words::new(
        "the scenario has these values already, in its file or by --set",
        "scenariot har redan de värdena, i sin fil eller genom --set",
    ))
}
