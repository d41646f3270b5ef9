//! `[[event]]` and `[exits]`: what a recorded event must carry, and what ends follow-up.

use crate::diagnostic::Words;
use crate::protocol::findings::Findings;
use crate::protocol::model::{EventSpec, Exit, Exits, Service};
use crate::protocol::names::repeated;
use crate::protocol::tree::Section;
use crate::words;

/// Keys of `[[event]]`.
pub(in crate::protocol) const EVENT: &[&str] = &["id", "carries"];
/// Keys of `[exits]`.
pub(in crate::protocol) const EXITS: &[&str] = &["coverage", "terminal", "censors"];

/// Every event that `record` and `import` know, besides those of sites.
pub(in crate::protocol) fn recordable() -> Vec<&'static str> {
    let mut list = vec!["report"];
    list.extend(Service::ALL.map(Service::text));
    list.extend(Exit::ALL.map(Exit::text));
    list.extend(["withdrawn", "violation", "observed"]);
    list
}

/// Reads what events must carry.
pub(in crate::protocol) fn events(
    out: &mut Findings<'_>,
    root: &Section<'_>,
) -> Vec<Option<EventSpec>> {
    let sections = root.sections(out, "event", EVENT);
    let known = recordable();
    let mut seen: Vec<String> = Vec::new();
    let mut list = Vec::new();
    for section in &sections {
        let value = section.need(out, "id");
        let id = value.as_ref().and_then(|value| value.text(out));
        if let (Some(value), Some(id)) = (&value, id) {
            if !known.contains(&id) {
                out.unknown(
                    "unknown-reference",
                    &value.span,
                    id,
                    words!("there is no event `{id}`", "händelsen `{id}` finns inte"),
                    known.iter().copied(),
                );
            } else if seen.iter().any(|own| own == id) {
                repeated(out, &value.span, &words!("event", "händelsen"), id);
            }
            seen.push(id.to_string());
        }
        let mut carries: Vec<String> = Vec::new();
        if let Some(value) = section.need(out, "carries") {
            for item in value.items(out).unwrap_or_default() {
                let Some(name) = item.snake(out) else {
                    continue;
                };
                if carries.contains(&name) {
                    repeated(out, &item.span, &words!("column", "kolumnen"), &name);
                }
                carries.push(name);
            }
        }
        list.push(id.map(|id| EventSpec {
            id: id.to_string(),
            carries,
        }));
    }
    list
}

/// Reads the ends of follow-up. Each exit is classified: nothing is dropped unsaid.
pub(in crate::protocol) fn exits(out: &mut Findings<'_>, root: &Section<'_>) -> Option<Exits> {
    let section = root.need_section(out, "exits", EXITS)?;
    let coverage = section.need(out, "coverage").and_then(|v| v.words(out));
    let mut seen: Vec<Exit> = Vec::new();
    let mut lists: [Vec<Exit>; 2] = [Vec::new(), Vec::new()];
    let mut broken = false;
    for (key, list) in ["terminal", "censors"].into_iter().zip(&mut lists) {
        let Some(value) = section.need(out, key) else {
            broken = true;
            continue;
        };
        for item in value.items(out).unwrap_or_default() {
            let Some(exit) = item.one_of(out, &Exit::ALL.map(|exit| (exit.text(), exit))) else {
                broken = true;
                continue;
            };
            if seen.contains(&exit) {
                repeated(out, &item.span, &words!("exit", "avslutet"), exit.text());
            }
            seen.push(exit);
            list.push(exit);
        }
    }
    for exit in Exit::ALL {
        if !broken && !seen.contains(&exit) {
            let name = exit.text();
            out.error(
                "exit-unclassified",
                &section.span,
                words!(
                    "`{name}` is neither in `terminal` nor in `censors`",
                    "`{name}` står varken i `terminal` eller i `censors`"
                ),
                Words::new(
                    "`terminal`: the count stops and is observed; `censors`: what would have followed is not known",
                    "`terminal`: räkningen slutar och är observerad; `censors`: vad som skulle ha följt är inte känt",
                ),
            );
        }
    }
    let [terminal, censors] = lists;
    Some(Exits {
        coverage: coverage?,
        terminal,
        censors,
    })
}
