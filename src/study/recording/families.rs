//! The check of links between names and of corrections: which family is the unit, which child is meant, which event is
//! retracted. And whether a report should say which child it is on.

use super::checker::Checker;
use crate::diagnostic::{Diagnostic, Place, Words};
use crate::protocol::model::Day;
use crate::study::findings::not_a_pseudonym;
use crate::study::identifiers::is_pseudonym;
use crate::study::journal::{Content, Recording, recorded_hash};
use crate::study::kernel::{Family, ReportIx, What};
use crate::words;

impl Checker<'_> {
    /// Whether a report of a unit that names no child should: the protocol wants it, no other row of the report has said it, and the
    /// family has several children or a later one. Of one child who was there at the draw a register need not say it.
    pub(super) fn asks_for_child(&self, unit: Option<&Family>, report: ReportIx) -> bool {
        let journal = self.journal;
        let several = unit.is_some_and(|own| own.children > 1 || own.joined > 0);
        let told = journal.state.reports.get(report.0 as usize);
        let told = told.is_some_and(|own| own.child.is_some() || own.unknown_child);
        let events = journal.protocol.events.iter();
        let mut wants = events.filter(|spec| spec.id == "report");
        several && !told && wants.any(|spec| spec.carries.iter().any(|key| key == "child"))
    }

    /// `linked` with another family, or with another pseudonym of a child.
    pub(super) fn linked(&mut self, family: &str, on: Day) -> Option<Recording> {
        let (child, other_child) = (self.request.child.clone(), self.value("other_child"));
        match (self.value("other"), child, other_child) {
            (Some(other), None, None) => self.family_linked(family, other, on),
            (None, Some(child), Some(other)) => self.child_linked(family, &child, other, on),
            _ => {
                self.findings.push(
                    Diagnostic::error(
                        "missing-set-key",
                        Words::new(
                            "`linked` needs either another family or a child with its other pseudonym",
                            "`linked` behöver antingen en annan familj eller ett barn med dess andra pseudonym",
                        ),
                    )
                    .at(Place::column("other"))
                    .help(Words::new(
                        "give --set other=FAMILY, or --child CHILD with --set other_child=CHILD",
                        "ange --set other=FAMILJ, eller --child BARN med --set other_child=BARN",
                    )),
                );
                None
            }
        }
    }

    fn family_linked(&mut self, family: &str, other: &str, on: Day) -> Option<Recording> {
        for (column, name) in [("family", family), ("other", other)] {
            if !is_pseudonym(name) {
                self.findings.push(not_a_pseudonym(column, name));
            }
        }
        if !self.findings.is_empty() {
            return None;
        }
        let names = &self.journal.names;
        if names.family(family).is_none() && names.family(other).is_none() {
            self.unknown_family(family);
            return None;
        }
        let (one, two) = (names.family_or_next(family), names.family_or_next(other));
        let state = &self.journal.state;
        let (own, second) = (state.unit(one), state.unit(two));
        let swap = if own == second {
            // Linked already: the order in which it was recorded, so that a repetition is found.
            let swapped = self.content(other, on).with("other", family.to_owned());
            let known = self.journal.key("linked", &self.request.event_key);
            known.is_some_and(|known| known.content == recorded_hash(&swapped, None))
        } else {
            state.link_order(own, second).0 == second
        };
        let (unit, name, second_ix, second_name) = if swap {
            (two, other, one, family)
        } else {
            (one, family, two, other)
        };
        let drawn = |ix| {
            state
                .family(state.unit(ix))
                .filter(|own| own.is_randomized())
        };
        if let (Some(one), Some(two)) = (drawn(unit), drawn(second_ix))
            && one.arm != two.arm
        {
            self.warnings.push(
                Diagnostic::warning(
                    "linked-arms-differ",
                    words!(
                        "the draws of {name} and {second_name} differ: the first one governs from now on, and both stay in the ledger",
                        "lotterna för {name} och {second_name} skiljer sig: den första gäller från och med nu, och båda finns kvar i liggaren"
                    ),
                )
                .help(Words::new(
                    "tell the study lead; nothing is drawn again",
                    "meddela studieledaren; ingenting lottas om",
                )),
            );
        }
        let content = self.content(name, on).with("other", second_name.to_owned());
        let what = What::Linked {
            unit,
            other: second_ix,
            on,
        };
        Some(Recording::new(what, content))
    }

    fn child_linked(
        &mut self,
        family: &str,
        child: &str,
        other: &str,
        on: Day,
    ) -> Option<Recording> {
        if !is_pseudonym(other) {
            self.findings.push(not_a_pseudonym("other_child", other));
        }
        let names = &self.journal.names;
        let ix = names.family(family)?;
        let (one, two) = (names.child(child), names.child(other));
        let linked = |child: &str, other: &str| {
            self.content(family, on)
                .with("child", child.to_owned())
                .with("other_child", other.to_owned())
        };
        // Both are known once they are linked: what was recorded in the other order is repeated in that order.
        let is_swapped = || {
            let known = self.journal.key("linked", &self.request.event_key);
            known.is_some_and(|own| own.content == recorded_hash(&linked(other, child), None))
        };
        // The known pseudonym is the child, whatever order was typed.
        let (own, name, second, second_name) = match (one, two) {
            (Some(one), Some(two)) if is_swapped() => (two, other, Some(one), child),
            (Some(one), two) => (one, child, two, other),
            (None, Some(two)) => (two, other, None, child),
            (None, None) => {
                let state = &self.journal.state;
                let unit = state.family(state.unit(ix));
                let without = unit.is_some_and(|own| own.children == 0);
                self.findings.push(
                    Diagnostic::error(
                        "unknown-child",
                        words!(
                            "family {family} has no such child in the study",
                            "familjen {family} har inget sådant barn i studien"
                        ),
                    )
                    .at(Place::column("child"))
                    .help(if without {
                        words!(
                            "{family} was enrolled without `--child`, so that no child of it is known and every report of the family counts: if its index child, whose pseudonym is the family's name, got another number, let the study lead link the names (`lottning record linked --family {family} --set other=NEW`)",
                            "{family} skrevs in utan `--child`, så inget barn i familjen är känt och alla anmälningar om familjen räknas: om indexbarnet, vars pseudonym är familjens namn, har fått ett annat nummer, låt studieledaren koppla ihop namnen (`lottning record linked --family {family} --set other=NYTT`)"
                        )
                    } else {
                        Words::new(
                            "a child is named by `lottning enrol`; a report may name one that the study does not know",
                            "ett barn namnges av `lottning enrol`; en anmälan kan nämna ett som studien inte känner till",
                        )
                    }),
                );
                return None;
            }
        };
        let content = linked(name, second_name);
        let what = What::ChildLinked {
            family: ix,
            child: own,
            other: second,
            on,
        };
        Some(Recording::new(what, content))
    }

    /// `corrected`: an earlier event of the same family.
    pub(super) fn corrected(&mut self, family: &str, on: Day) -> Option<Recording> {
        let reason = self.value("reason")?;
        let text = self.value("sequence")?;
        let ix = self.journal.names.family(family);
        let sequence = text.parse::<u32>().ok().map(u64::from);
        let subject = sequence.and_then(|sequence| self.journal.subject(sequence));
        // A link that was taken back is of both its families, so that a repetition is found.
        let other = sequence.and_then(|sequence| self.journal.state.link_row(sequence));
        let other = other.map(|row| row.other);
        let of_family = |own| subject.is_some() && self.journal.same_family(own, ix);
        let Some(sequence) = sequence
            .filter(|_| of_family(subject) || other.is_some_and(|other| of_family(Some(other))))
        else {
            self.findings.push(
                Diagnostic::error(
                    "not-of-this-family",
                    words!(
                        "there is no event of family {family} with that sequence number",
                        "familjen {family} har ingen händelse med det numret"
                    ),
                )
                .at(Place::column("sequence"))
                .help(Words::new(
                    "every receipt names its sequence number; give the one of the event that was wrong",
                    "varje kvitto anger sitt nummer; ange numret på den händelse som blev fel",
                )),
            );
            return None;
        };
        let content = self.content(family, on).with("reason", reason.to_owned());
        Some(Recording::new(What::Corrected { sequence, on }, content))
    }

    fn content(&self, family: &str, on: Day) -> Content {
        let on = on.date().map(|date| date.to_string());
        Content::new()
            .with("family", family.to_owned())
            .with("event_key", self.request.event_key.clone())
            .with_some("on", on)
    }
}
