//! `[[site]]`, `[[arm]]` and `[unit]`: where, what and whom the lots are drawn for.

use crate::allocation::{Arm, MAX_ARMS};
use crate::diagnostic::Words;
use crate::protocol::findings::Findings;
use crate::protocol::model::{ArmSpec, Joins, Returns, Site, Unit};
use crate::protocol::names::{Ids, Style};
use crate::protocol::tree::Section;
use crate::words;

/// Keys of `[[site]]`.
pub(in crate::protocol) const SITE: &[&str] = &["id", "name", "opens", "therapists"];
/// Keys of `[[arm]]`.
pub(in crate::protocol) const ARM: &[&str] =
    &["id", "label", "ratio", "control", "families_per_therapist"];
/// Keys of `[unit]`.
pub(in crate::protocol) const UNIT: &[&str] =
    &["kind", "returns", "joins", "outcome_members", "merged"];
/// Keys of `returns`.
pub(in crate::protocol) const RETURNS: &[&str] = &["arm", "until"];

/// Most sites: a stratum's number and a site's are small integers.
const MAX_SITES: usize = 1000;
/// Most therapists of a site, and families of a therapist.
const MAX_STAFF: u32 = 1000;

/// Reports that a kind of section is there too seldom or too often.
pub(in crate::protocol) fn bounded(
    out: &mut Findings<'_>,
    sections: &[Section<'_>],
    header: &str,
    least: usize,
    most: usize,
) {
    let found = sections.len();
    if found < least {
        let span = sections.last().map_or(0..0, |section| section.span.clone());
        out.error(
            "too-few",
            &span,
            words!(
                "{found} `[[{header}]]` in the file, at least {least} needed",
                "{found} `[[{header}]]` i filen, minst {least} behövs"
            ),
            words!(
                "add a section `[[{header}]]`",
                "lägg till ett avsnitt `[[{header}]]`"
            ),
        );
    }
    if let Some(section) = sections.get(most) {
        out.error(
            "too-many",
            &section.span,
            words!(
                "{found} `[[{header}]]` in the file, at most {most} possible",
                "{found} `[[{header}]]` i filen, högst {most} är möjligt"
            ),
            words!("remove what is not needed", "ta bort det som inte behövs"),
        );
    }
}

/// Reads the sites.
pub(in crate::protocol) fn sites(
    out: &mut Findings<'_>,
    root: &Section<'_>,
) -> (Ids, Vec<Option<Site>>) {
    let sections = root.sections(out, "site", SITE);
    bounded(out, &sections, "site", 1, MAX_SITES);
    let ids = Ids::read(out, &sections, words!("site", "enheten"), Style::Kebab);
    let sites = sections
        .iter()
        .enumerate()
        .map(|(index, section)| {
            let name = section.need(out, "name").and_then(|v| v.text(out));
            let opens = section.need(out, "opens").and_then(|v| v.date(out));
            let therapists = section
                .need(out, "therapists")
                .and_then(|value| value.count(out, 0, MAX_STAFF));
            Some(Site {
                id: ids.name(index),
                name: name?.to_string(),
                opens: opens?,
                therapists: therapists?,
            })
        })
        .collect();
    (ids, sites)
}

/// The arms, and which of them is the control.
#[derive(Debug)]
pub(in crate::protocol) struct Arms {
    /// Identifiers.
    pub(in crate::protocol) ids: Ids,
    /// Arms, in the order of the file.
    pub(in crate::protocol) list: Vec<Option<ArmSpec>>,
    /// The control arm.
    pub(in crate::protocol) control: Option<Arm>,
    /// The sections, for findings of the gate.
    pub(in crate::protocol) spans: Vec<std::ops::Range<usize>>,
}

/// Reads the arms.
pub(in crate::protocol) fn arms(out: &mut Findings<'_>, root: &Section<'_>) -> Arms {
    let sections = root.sections(out, "arm", ARM);
    bounded(out, &sections, "arm", 2, MAX_ARMS);
    let ids = Ids::read(out, &sections, words!("arm", "armen"), Style::Kebab);
    let (mut controls, mut unsure) = (Vec::new(), false);
    let mut list = Vec::new();
    for (index, section) in sections.iter().enumerate() {
        let label = match section.get("label") {
            None => Some(Words::same(ids.name(index))),
            Some(value) => value.words(out),
        };
        let ratio = match section.get("ratio") {
            None => Some(1),
            Some(value) => value.whole(out, 1, 1_000_000),
        };
        let control = section.get("control").and_then(|value| value.flag(out));
        unsure |= control.is_none() && section.get("control").is_some();
        if control == Some(true) {
            controls.push(index);
        }
        let families_per_therapist = section
            .get("families_per_therapist")
            .and_then(|value| value.count(out, 1, MAX_STAFF));
        list.push((|| {
            Some(ArmSpec {
                id: ids.name(index),
                label: label?,
                ratio: ratio? as u64,
                families_per_therapist,
            })
        })());
    }
    if sections.len() >= 2 && controls.len() != 1 && !unsure {
        let span = controls
            .get(1)
            .and_then(|index| sections.get(*index))
            .or(sections.last())
            .map_or(0..0, |section| section.key_span("control"));
        let found = controls.len();
        out.error(
            "control-arm",
            &span,
            words!(
                "{found} arms have `control = true`; exactly one arm is the control",
                "{found} armar har `control = true`; exakt en arm är jämförelsearm"
            ),
            words!(
                "write `control = true` in the arm with which the others are compared",
                "skriv `control = true` i den arm som de andra jämförs med"
            ),
        );
    }
    Arms {
        control: controls.first().map(|index| Arm(*index as u8)),
        spans: sections
            .iter()
            .map(|section| section.span.clone())
            .collect(),
        ids,
        list,
    }
}

/// Reads what is randomized. Each answer is written out in the file although there is one, so that nobody can say
/// that the program chose it.
pub(in crate::protocol) fn unit(out: &mut Findings<'_>, root: &Section<'_>) -> Option<Unit> {
    let section = root.need_section(out, "unit", UNIT)?;
    for (key, only) in [
        ("kind", "family"),
        ("outcome_members", "roster-at-randomization"),
        ("merged", "first-draw-is-the-unit"),
    ] {
        if let Some(value) = section.need(out, key) {
            value.one_of(out, &[(only, ())]);
        }
    }
    let joins = section
        .need(out, "joins")
        .and_then(|value| value.one_of(out, &[("keep-arm", Joins::KeepArm)]));
    let returns = section
        .need_section(out, "returns", RETURNS)
        .and_then(|table| {
            let arm = table
                .need(out, "arm")
                .and_then(|value| value.one_of(out, &[("keep", ())]));
            let until = table
                .need(out, "until")
                .and_then(|value| value.one_of(out, &[("study-end", ())]));
            arm.and(until).map(|()| Returns::KeepUntilStudyEnd)
        });
    Some(Unit {
        returns: returns?,
        joins: joins?,
    })
}
