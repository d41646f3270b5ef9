//! `[gate]`: capacity opens or closes the way to the draw; it never tilts a draw.

use super::participants::Arms;
use crate::allocation::Arm;
use crate::protocol::findings::Findings;
use crate::protocol::model::{Gate, Service};
use crate::protocol::names::repeated;
use crate::protocol::tree::Section;
use crate::words;

/// Keys of `[gate]`.
pub(in crate::protocol) const KEYS: &[&str] = &["arm", "when_full", "turned_away", "released_by"];

/// Events that can free a slot. A switch away always does.
const RELEASES: [Service; 3] = [Service::Closed, Service::NotStarted, Service::Declined];

/// Reads the section, if there is a gate.
pub(in crate::protocol) fn read(
    out: &mut Findings<'_>,
    root: &Section<'_>,
    arms: &Arms,
) -> Option<Gate> {
    let section = root.section(out, "gate", KEYS);
    let gate = section.and_then(|section| gate(out, &section, arms));
    if gate.is_some() || root.get("gate").is_none() {
        unused_capacity(out, arms, gate.as_ref());
    }
    gate
}

fn gate(out: &mut Findings<'_>, section: &Section<'_>, arms: &Arms) -> Option<Gate> {
    let arm_value = section.need(out, "arm");
    let arm = arm_value
        .as_ref()
        .and_then(|value| arms.ids.resolve(out, value));
    if let Some(value) = section.need(out, "when_full") {
        value.one_of(out, &[("do-not-randomize", ())]);
    }
    let may_return = section
        .need(out, "turned_away")
        .and_then(|value| value.one_of(out, &[("may-return", true), ("final", false)]));
    let released_by = releases(out, section);
    let spec = arm
        .and_then(|index| arms.list.get(index))
        .cloned()
        .flatten();
    let families_per_therapist = spec.as_ref().and_then(|spec| spec.families_per_therapist);
    if let (Some(value), Some(spec), None) = (&arm_value, &spec, families_per_therapist) {
        let id = &spec.id;
        out.error(
            "gate-without-capacity",
            &value.span,
            words!(
                "the gate counts the slots of `{id}`, but the arm has no `families_per_therapist`",
                "spärren räknar platserna i `{id}`, men armen saknar `families_per_therapist`"
            ),
            words!(
                "write `families_per_therapist = 3` in `[[arm]]` `{id}`: slots of a site = therapists × families",
                "skriv `families_per_therapist = 3` i `[[arm]]` `{id}`: platser per enhet = behandlare × familjer"
            ),
        );
    }
    Some(Gate {
        arm: Arm(arm? as u8),
        families_per_therapist: families_per_therapist?,
        released_by: released_by?,
        turned_away_may_return: may_return?,
    })
}

fn releases(out: &mut Findings<'_>, section: &Section<'_>) -> Option<Vec<Service>> {
    let value = section.need(out, "released_by")?;
    let items = value.items(out)?;
    if !value.need_items(out, &items) {
        return None;
    }
    let choices = RELEASES.map(|service| (service.text(), service));
    let mut list = Vec::new();
    let mut complete = true;
    for item in &items {
        match item.one_of(out, &choices) {
            Some(service) if list.contains(&service) => {
                repeated(
                    out,
                    &item.span,
                    &words!("event", "händelsen"),
                    service.text(),
                );
            }
            Some(service) => list.push(service),
            None => complete = false,
        }
    }
    complete.then_some(list)
}

fn unused_capacity(out: &mut Findings<'_>, arms: &Arms, gate: Option<&Gate>) {
    for (index, spec) in arms.list.iter().enumerate() {
        let Some(spec) = spec else { continue };
        let gated = gate.is_some_and(|gate| gate.arm.index() == index);
        if spec.families_per_therapist.is_none() || gated {
            continue;
        }
        let id = &spec.id;
        let span = arms.spans.get(index).cloned().unwrap_or(0..0);
        out.warning(
            "capacity-without-gate",
            &span,
            words!(
                "`families_per_therapist` of `{id}` limits nothing: no gate names the arm",
                "`families_per_therapist` för `{id}` begränsar inget: ingen spärr anger armen"
            ),
            words!(
                "add `[gate]` with `arm = \"{id}\"`, or remove the key",
                "lägg till `[gate]` med `arm = \"{id}\"`, eller ta bort nyckeln"
            ),
        );
    }
}
