//! `[roles]`: who may do what. The section may be left out; then every actor may do everything.

use crate::protocol::findings::Findings;
use crate::protocol::model::{ActorRole, Roles, person};
use crate::protocol::names::repeated;
use crate::protocol::tree::{Section, Value};
use crate::words;

/// Keys of `[roles]`.
pub(in crate::protocol) const KEYS: &[&str] = &[
    "reception",
    "worker",
    "key-holder",
    "outcome-assessor",
    "statistician",
    "study-lead",
    "auditor",
];

/// Reads the section, if there are roles; what cannot be read is an error, so that no protocol is without roles by mistake.
pub(in crate::protocol) fn read(out: &mut Findings<'_>, root: &Section<'_>) -> Option<Roles> {
    let section = root.section(out, "roles", KEYS)?;
    let mut roles = Roles::default();
    for role in ActorRole::ALL {
        let Some(value) = section.get(role.text()) else {
            continue;
        };
        let items = value.items(out)?;
        value.need_items(out, &items);
        let mut actors: Vec<String> = Vec::new();
        for item in &items {
            let Some(actor) = actor(out, item) else {
                continue;
            };
            if actors.iter().any(|own| person(own) == person(&actor)) {
                repeated(out, &item.span, &words!("actor", "aktören"), &actor);
            }
            clash(out, &roles, role, &actor, item);
            actors.push(actor);
        }
        roles.actors.push((role, actors));
    }
    if roles.with(ActorRole::StudyLead).is_empty() {
        // Without a study lead nobody could lock the data or amend the protocol, to the end of the study.
        section.missing(out, ActorRole::StudyLead.text());
    }
    Some(roles)
}

fn actor(out: &mut Findings<'_>, item: &Value<'_>) -> Option<String> {
    let text = item.text(out)?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    if (1..=64).contains(&text.len()) && text.bytes().all(plain) {
        return Some(text.to_owned());
    }
    out.error(
        "malformed-id",
        &item.span,
        words!(
            "an actor is one to 64 of A–Z, a–z, 0–9, full stop, underscore and hyphen",
            "en aktör är ett till 64 tecken av A–Z, a–z, 0–9, punkt, understreck och bindestreck"
        ),
        words!(
            "write what is given with --actor, for example \"reception-1\": a role or a user id, no name",
            "skriv det som anges med --actor, till exempel \"reception-1\": en roll eller ett användar-id, inget namn"
        ),
    );
    None
}

fn clash(out: &mut Findings<'_>, roles: &Roles, role: ActorRole, actor: &str, item: &Value<'_>) {
    for other in roles.of(actor).filter(|other| role.clashes(*other)) {
        let (one, two) = (other.text(), role.text());
        out.error(
            "roles-clash",
            &item.span,
            words!(
                "`{actor}` cannot be both {one} and {two}",
                "`{actor}` kan inte vara både {one} och {two}"
            ),
            words!(
                "nobody has both the key and outcomes, assesses outcomes knowing the arm, or both screens families and changes capacity: name another actor",
                "ingen har både nyckeln och utfall, bedömer utfall med kännedom om gruppen, eller både screenar familjer och ändrar kapacitet: ange en annan aktör"
            ),
        );
    }
}
