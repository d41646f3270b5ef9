//! What a link or a correction means for names and keys: several names of one family, one report seen under two of them,
//! and a key that may be used again.

use super::canonical::{Object, is_same};
use super::decode::{Decoded, Reader, Unreadable};
use super::entry::Entry;
use super::fold::{Corrupt, ENROLMENT_KEYS, Journal, KeyUse, NOBODY};
use super::record::Content;
use super::unreadable::is_unknown;
use crate::protocol::Protocol;
use crate::protocol::model::Day;
use crate::study::kernel::{
    ChildIx, Family, FamilyIx, Report, ReportIx, Screening, SiteIx, Source, Verdict, What,
    came_from,
};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::sync::Arc;

/// How the scope of the report keys begins that families were screened with at a site. A key is marked as retracted once a family
/// was drawn with it there, and then names the family that was drawn last. The key with the day on which the report was received
/// names every family that came with both, whatever was done with it ([`on_day`]).
const SCREENED_AT: &str = "screened at ";

/// The scope of keys and days of reports that the log or a register has, one for each row, of families drawn or not, since they may be
/// later, or found to be one that is. It is another one: such a report tells by whom a family was drawn before, and undoes nothing
/// of what was screened with its key.
const REPORTED: &str = "reported of families";

/// A report key with the day on which the report was received, for one of the families that came with both, from 0 in the order in
/// which they first did. No key has a space.
fn on_day(key: &str, received: Day, place: usize) -> String {
    format!("{key} {} {place}", received.0)
}

impl Journal {
    /// Moves names and keys past an event that was just applied.
    pub(super) fn note_links(&mut self, entry: &Entry, decoded: &Decoded<'_>) {
        match &decoded.what {
            What::Linked { unit, .. } => self.note_linked(*unit),
            What::ChildLinked { child, .. } => {
                if let Some(other) = decoded.payload.text("other_child") {
                    let sequences = self.names.link_children(*child, other);
                    self.state.recognize(&sequences, *child);
                }
            }
            What::Reported(report) => {
                let child = decoded.payload.text("child");
                if let Some(child) = child.filter(|_| report.unknown_child) {
                    self.names.note_unknown_child(child, entry.sequence);
                }
                self.note_reported(report, decoded, entry.sequence);
            }
            What::Corrected { sequence, .. } => {
                for own in self.keys.values_mut() {
                    own.retracted |= own.sequence == *sequence;
                }
            }
            _ => {}
        }
    }

    /// The state has decided who is the unit; whatever was linked to either before follows it.
    fn note_linked(&mut self, unit: FamilyIx) {
        let unit = self.state.unit(unit);
        let others: Vec<FamilyIx> = self.state.one_family(unit).skip(1).collect();
        for other in others {
            let drawn = self.state.family(other).is_some_and(Family::is_randomized);
            for (from, into) in self.names.link_families(unit, other, !drawn) {
                self.state.merge_reports(from, into);
                self.move_keys(from, into);
            }
        }
    }

    fn move_keys(&mut self, from: ReportIx, into: ReportIx) {
        for source in [Source::Intake, Source::Log, Source::Register] {
            let ((kind, from), (_, into)) = (report_key(source, from), report_key(source, into));
            let Some(scope) = self.kinds.find(0, kind) else {
                continue;
            };
            if self.keys.get(scope, &into).is_none()
                && let Some(own) = self.keys.get(scope, &from).cloned()
            {
                self.keys.note(scope, &into, own);
            }
        }
    }

    /// The rows that an erasure of a family takes: all that concern it under any of its names, as one list for the unit with
    /// its other names and one for each later draw that was linked to it. Rows of one list stay rows of one family. A link
    /// with another family that was taken back names both, and goes with either.
    pub fn rows_of(&self, family: FamilyIx) -> Vec<(FamilyIx, Vec<u64>)> {
        let unit = self.state.unit(family);
        let drawn = |ix: FamilyIx| self.state.family(ix).is_some_and(Family::is_randomized);
        let mut lists: Vec<(FamilyIx, Vec<u64>)> = self
            .state
            .one_family(unit)
            .filter(|own| *own == unit || drawn(*own))
            .map(|own| (own, Vec::new()))
            .collect();
        for sequence in 1..=self.head.sequence {
            let Some(subject) = self.subject(sequence) else {
                continue;
            };
            let named = self
                .state
                .link_row(sequence)
                .filter(|row| row.retracted && self.state.unit(row.other) == unit)
                .map(|row| row.other);
            let of_unit = Some(subject).filter(|own| self.state.unit(*own) == unit);
            let Some(own) = of_unit.or(named) else {
                continue;
            };
            let own = if drawn(own) { own } else { unit };
            if let Some((_, list)) = lists.iter_mut().find(|(of, _)| *of == own) {
                list.push(sequence);
            }
        }
        lists
    }

    /// A family other than `own` that was screened and not randomized, and that a person of this name belongs to: as its
    /// child, or as the child that it is called by.
    pub fn turned_back(&self, name: &str, own: FamilyIx) -> Option<FamilyIx> {
        let child = self.names.child(name);
        let child = child.and_then(|child| self.state.children.get(child.0 as usize));
        let of_child = child.map(|child| self.state.unit(child.family));
        let called = self.names.family(name).map(|own| self.state.unit(own));
        let other = |family: &FamilyIx| *family != own && self.state.is_turned_back(*family);
        of_child.filter(other).or(called.filter(other))
    }

    /// A family other than `own` that was screened at `site` for a report with this key and was not randomized. A report is
    /// told apart by family and key, so that two families may each have a report 1: once a family was drawn with the key
    /// there, the key alone names no one report, and the day on which it was received is asked for too. Where it names a family that
    /// is drawn, [`Self::drawn_with`] finds that one.
    pub fn turned_back_with(
        &self,
        (site, key, received): (SiteIx, &str, Day),
        own: FamilyIx,
    ) -> Option<FamilyIx> {
        let scope = self.kinds.find(0, &self.screened_at(site))?;
        let named = self.screened_on(scope, key, received);
        self.turned_back_of(self.keys.get(scope, key)?, &named, own)
    }

    /// The last family other than `own` that is drawn, and that came to `site` with a report with this key that was received on this
    /// day, whether it was drawn with that report, before or after, or of which, drawn at `site` under any of its names, the log or a
    /// register has such a report, from before its draw or after: two families may each have a report 1, and seldom on one day. Others
    /// that came there with the key hide none.
    pub fn drawn_with(
        &self,
        (site, key, received): (SiteIx, &str, Day),
        own: FamilyIx,
    ) -> Option<FamilyIx> {
        let noted = |scope: &str| {
            let scope = self.kinds.find(0, scope);
            scope.map_or_else(Vec::new, |scope| self.screened_on(scope, key, received))
        };
        let came = self.drawn_of(&noted(&self.screened_at(site)), own);
        came.or_else(|| {
            let mut reported = noted(REPORTED);
            reported.retain(|family| self.is_drawn_at(*family, site));
            self.drawn_of(&reported, own)
        })
    }

    /// The last other drawn family that came with a report, which is logged or imported of a drawn family, to a site where that one was
    /// drawn under any of its names; none if it came there with the report itself, for then the later of the two was told of.
    pub fn drawn_with_reported(&self, report: &Report, key: &str) -> Option<FamilyIx> {
        let own = self.state.unit(report.family);
        if !self.state.is_drawn(own) {
            return None;
        }
        let names = self.state.one_family(own);
        let names = names.filter_map(|name| self.state.family(name));
        let mut sites = names
            .filter(|name| name.is_randomized())
            .map(|name| name.site);
        sites.find_map(|site| {
            let scope = self.kinds.find(0, &self.screened_at(site))?;
            let came = self.screened_on(scope, key, report.received);
            let itself = came.iter().any(|family| self.state.unit(*family) == own);
            self.drawn_of(&came, own).filter(|_| !itself)
        })
    }

    /// Whether a family was drawn at a site, under any of its names.
    fn is_drawn_at(&self, family: FamilyIx, site: SiteIx) -> bool {
        let mut names = self.state.one_family(self.state.unit(family));
        names.any(|own| {
            let own = self.state.family(own);
            own.is_some_and(|own| own.is_randomized() && own.site == site)
        })
    }

    /// The families that came with a report key and day, in the order in which they first did, without reports that a correction
    /// retracted.
    fn screened_on(&self, scope: u32, key: &str, received: Day) -> Vec<FamilyIx> {
        let uses = (0..).map_while(|place| self.keys.get(scope, &on_day(key, received, place)));
        uses.filter(|used| !used.retracted)
            .filter_map(|used| used.family)
            .collect()
    }

    fn drawn_of(&self, named: &[FamilyIx], own: FamilyIx) -> Option<FamilyIx> {
        let units = named.iter().rev().map(|family| self.state.unit(*family));
        let mut others = units.filter(|unit| *unit != own);
        others.find(|unit| self.state.is_drawn(*unit))
    }

    fn turned_back_of(&self, used: &KeyUse, named: &[FamilyIx], own: FamilyIx) -> Option<FamilyIx> {
        if let Some(found) = self.turned_back_by(used, own) {
            return Some(found);
        }
        if self.drawn_of(named, own).is_some() {
            return None;
        }
        let units = named.iter().rev().map(|family| self.state.unit(*family));
        let mut others = units.filter(|unit| *unit != own);
        others.find(|unit| self.state.is_turned_back(*unit))
    }

    fn turned_back_by(&self, used: &KeyUse, own: FamilyIx) -> Option<FamilyIx> {
        let family = self.state.unit(used.family.filter(|_| !used.retracted)?);
        (family != own && self.state.is_turned_back(family)).then_some(family)
    }

    /// The scope of the report keys that families were screened with at a site.
    fn screened_at(&self, site: SiteIx) -> String {
        let site = self.protocol.sites.get(usize::from(site.0));
        format!("{SCREENED_AT}{}", site.map_or("", |site| site.id.as_str()))
    }

    /// The number of that scope; the first time that it is asked for it gets the next.
    fn name_screened_at(&mut self, site: SiteIx) -> u32 {
        let place = usize::from(site.0);
        let id = self.protocol.sites.get(place).map(|site| site.id.as_str());
        if let Some(known) = self.screening_scopes.get(place)
            && self.kinds.text(*known).strip_prefix(SCREENED_AT) == id
        {
            return *known;
        }
        let scope = self.kinds.name(0, &self.screened_at(site));
        if place >= self.screening_scopes.len() {
            self.screening_scopes.resize(place + 1, u32::MAX);
        }
        self.screening_scopes[place] = scope;
        scope
    }

    /// Notes the report key of a screening that was just applied, and the family that was screened with it before.
    pub(super) fn note_screened(&mut self, screening: &Screening, key: &str, sequence: u64) {
        let family = self.state.unit(screening.family);
        let scope = self.name_screened_at(screening.site);
        let used = self.keys.get(scope, key);
        let named = self.screened_on(scope, key, screening.received);
        let turned_back = used.and_then(|used| self.turned_back_of(used, &named, family));
        let report = (screening.site, key, screening.received);
        let drawn = self.drawn_with(report, family);
        let before = used.filter(|own| own.retracted).and_then(|own| own.family);
        // That a family was drawn with the report says more than that one was turned back with it.
        let earlier = self.state.gone_to_draw(family).or(drawn).or(turned_back);
        if let Some(earlier) = earlier {
            came_from(&mut self.state, family, earlier);
        }
        let draws = screening.verdict == Verdict::Drawn;
        let own = KeyUse {
            content: [0; 32],
            family: Some(before.filter(|_| !draws).unwrap_or(screening.family)),
            sequence,
            retracted: before.is_some() || draws,
        };
        self.keys.note(scope, key, own);
        if !named.contains(&screening.family) {
            let came = (screening.family, sequence);
            self.note_on_day(scope, (key, screening.received), came);
        }
    }

    /// Notes the report key of a report of a drawn family that came at a site.
    pub(super) fn note_returned(&mut self, decoded: &Decoded<'_>, sequence: u64) {
        let (What::Returned {
            family,
            site,
            received,
            ..
        }
        | What::Joined {
            family,
            site,
            received,
            ..
        }) = decoded.what
        else {
            return;
        };
        if let Some(key) = decoded.payload.text("report_key") {
            let scope = self.name_screened_at(site);
            let named = self.screened_on(scope, key, received);
            if !named.contains(&family) {
                self.note_on_day(scope, (key, received), (family, sequence));
            }
        }
    }

    /// Notes the key and day of a report that the log or a register has. Each row is noted, since a correction retracts one of them.
    fn note_reported(&mut self, report: &Report, decoded: &Decoded<'_>, sequence: u64) {
        if let Some(key) = decoded.payload.text("report_key") {
            let scope = self.kinds.name(0, REPORTED);
            let came = (report.family, sequence);
            self.note_on_day(scope, (key, report.received), came);
        }
    }

    /// Adds a family to those that came with a report key and day, behind all that were noted, those too that a correction retracted.
    fn note_on_day(
        &mut self,
        scope: u32,
        (key, received): (&str, Day),
        (family, sequence): (FamilyIx, u64),
    ) {
        let own = KeyUse {
            content: [0; 32],
            family: Some(family),
            sequence,
            retracted: false,
        };
        let is_free = |place| {
            let dated = on_day(key, received, place);
            self.keys.get(scope, &dated).is_none()
        };
        // No place is left empty, so that the first free one is found by halving: a file may have one key and day in all its rows.
        let mut free = 0;
        while !is_free(free) {
            free = 2 * free + 1;
        }
        let mut taken = free / 2;
        while taken < free {
            let middle = taken.midpoint(free);
            if is_free(middle) {
                free = middle;
            } else {
                taken = middle + 1;
            }
        }
        self.keys.note(scope, &on_day(key, received, free), own);
    }

    /// Whether the last screening says that a draw or an exception follows, and none does: rows were cut off.
    pub fn lacks_an_outcome(&self) -> bool {
        self.pending.is_some()
    }

    /// Families whose data were erased, at a site or at all of them: their names are not known any more.
    pub fn nameless(&self, site: Option<SiteIx>) -> usize {
        // Those alone are looked at, for every enrolment of a new name asks.
        let erased = self.state.erased.iter();
        erased
            .filter_map(|own| self.state.family(*own))
            .filter(|own| site.is_none_or(|site| own.site == site) && !own.is_another_name())
            .count()
    }

    /// Families whose children, name or report key another family has that was screened and not randomized: each with the
    /// earlier one, in the ledger's order. A pair is given once, by the family that came later.
    pub fn screened_under_two_names(&self) -> Vec<(FamilyIx, FamilyIx)> {
        let mut pairs = BTreeSet::new();
        let mut note = |one: FamilyIx, two: FamilyIx| {
            let (one, two) = (self.state.unit(one), self.state.unit(two));
            let screened = |family| {
                self.state
                    .family(family)
                    .is_some_and(|own| own.screenings > 0)
            };
            if one != two && screened(one) && screened(two) {
                pairs.insert((one.max(two), one.min(two)));
            }
        };
        for (family, own) in (0..).map(FamilyIx).zip(&self.state.families) {
            let before = own.came_from;
            if let Some(before) = before.filter(|own| !self.state.is_drawn(self.state.unit(*own))) {
                note(family, before);
            }
            if own.screenings > 0
                && let Some(before) = self.turned_back(self.names.family_name(family), family)
            {
                note(family, before);
            }
        }
        for (child, own) in (0..).map(ChildIx).zip(&self.state.children) {
            let unit = self.state.unit(own.family);
            if let Some(before) = self.turned_back(self.names.child_name(child), unit) {
                note(unit, before);
            }
        }
        pairs.into_iter().collect()
    }

    /// Notes whose draw the name of an enrolment was answered with.
    pub(super) fn note_told(&mut self, decoded: &Decoded<'_>, told: Option<FamilyIx>) {
        let name = decoded.payload.text("family");
        let own = name.and_then(|name| self.names.own_number(name));
        let Some(place) = own.or(decoded.subject).map(|own| own.0 as usize) else {
            return;
        };
        while self.told.len() <= place {
            self.told.push(None);
        }
        if let Some(own) = self.told.get_mut(place) {
            *own = told.or(*own);
        }
    }

    /// The family whose draw a name was answered with last, under whatever link.
    pub fn told_last(&self, name: &str) -> Option<FamilyIx> {
        let own = self.names.own_number(name)?;
        self.told.get(own.0 as usize).copied().flatten()
    }

    /// The family whose draw governed a family at this row, which told an arm. Where erased rows linked their families to ones
    /// that are not known, and are taken back later, it may have been the draw of one of those, or of one beyond: the erased
    /// family stands for it then. That is certain of a family that no known draw governs; of one that a known draw governs, its
    /// own or another's under a link whose row is there, it is possible where an erased family's draw was earlier, or where any draw
    /// was and two lost links met, or a lost one met one that was never taken back.
    pub(super) fn governing(&self, family: FamilyIx) -> Option<FamilyIx> {
        let known = self.governed_through_a_lost_link(family);
        let known = known.unwrap_or_else(|| self.state.unit(family));
        let drawn = |unit: FamilyIx| {
            let family = self.state.family(unit)?;
            family.is_randomized().then_some((family.allocation, unit))
        };
        let ends = self.holding.iter().filter(|(.., end)| *end == NOBODY);
        let lost: Vec<FamilyIx> = ends.map(|(_, own, _)| self.state.unit(*own)).collect();
        let earliest = lost.iter().filter_map(|unit| drawn(*unit)).min();
        let Some(known) = drawn(known) else {
            return earliest.map(|(_, unit)| unit).or(lost.first().copied());
        };
        let (governing, unit) = earliest.map_or(known, |lost| lost.min(known));
        // An erasure may part the draws of one family, so that the links need not hang on the same one, nor one link on the draw
        // that governed.
        let far = lost.len() > 1 || self.parted;
        let possible = unit == known.1 && far && governing > 1;
        let beyond = lost.first().filter(|_| possible);
        Some(beyond.copied().unwrap_or(unit))
    }

    /// The family whose arm governs a family at this row, if it is another one than the links that stand make it: through a
    /// link that is taken back later, and holds as yet.
    pub(super) fn governed_through_a_lost_link(&self, family: FamilyIx) -> Option<FamilyIx> {
        let own = self.state.unit(family);
        let mut one = vec![own];
        let mut place = 0;
        while let Some(from) = one.get(place).copied() {
            place += 1;
            for (_, two, three) in &self.holding {
                let pair = [self.state.unit(*two), self.state.unit(*three)];
                if pair.contains(&from) {
                    let new = pair.into_iter().filter(|unit| !one.contains(unit));
                    one.extend(new.collect::<Vec<_>>());
                }
            }
        }
        let drawn = one.into_iter().filter_map(|unit| {
            let family = self.state.family(unit)?;
            family.is_randomized().then_some((family.allocation, unit))
        });
        let (_, governing) = drawn.min()?;
        (governing != own).then_some(governing)
    }

    /// Numbers of the rows that answered a family that is not erased with an arm, and of which erased rows leave open whose draw
    /// they told: a link that has been taken back held then, and its row went with another family. Some of them may have told the
    /// draw that governs.
    ///
    /// # Errors
    /// The first entry that cannot be read.
    pub fn untraceable_answers(
        protocol: &Arc<Protocol>,
        entries: &[Entry],
    ) -> Result<BTreeSet<u64>, Corrupt> {
        let mut answers = Vec::new();
        let mut journal = Self::new(Arc::clone(protocol));
        journal.absorb_watching(entries, &mut |entry, before, decoded| match &decoded.what {
            What::Returned { family, .. } | What::Joined { family, .. }
                if entry.payload.is_some() =>
            {
                answers.extend(before.governing(*family).map(|told| (entry.sequence, told)));
            }
            _ => {}
        })?;
        let is_erased = |told: FamilyIx| journal.state.family(told).is_some_and(|own| own.erased);
        let untraceable = answers.iter().filter(|(_, told)| is_erased(*told));
        Ok(untraceable.map(|(sequence, _)| *sequence).collect())
    }

    /// Whether two events are of one real family, by whatever name.
    pub(in crate::study) fn same_family(
        &self,
        one: Option<FamilyIx>,
        two: Option<FamilyIx>,
    ) -> bool {
        let unit = |family: FamilyIx| self.state.unit(family);
        one.map(unit) == two.map(unit)
    }

    /// What a key was used for, by the kind of event.
    pub fn key(&self, kind: &str, key: &str) -> Option<&KeyUse> {
        self.keys.get(self.kinds.find(0, kind)?, key)
    }
}

impl Reader<'_> {
    /// Two families, or two pseudonyms of a child.
    pub(super) fn linked(&mut self, family: FamilyIx) -> Result<What, Unreadable> {
        let on = self.on()?;
        if self.payload.contains_key("other_child") {
            let child = self.text("child")?;
            // A link that is taken back may have named the child by a pseudonym that another such link gave it.
            let known = self.names.child(child);
            let known = known.or(self.gone.retracted.then_some(ChildIx(u32::MAX)));
            // Who named the child first may be erased; then it is a child of the family that this row is of.
            let lost = known.is_none() && self.gone.child;
            let known = known.or_else(|| lost.then(|| self.names.name_child(child)));
            return Ok(What::ChildLinked {
                family,
                child: known.ok_or_else(|| is_unknown(("child", "barnet"), child))?,
                other: self.names.child(self.text("other_child")?),
                on,
            });
        }
        // Another name of a family enters the ledger here, unless it was screened under it before.
        let other = if self.erased {
            family
        } else {
            let other = self.text("other")?.to_owned();
            self.names.name_family(&other)
        };
        Ok(What::Linked {
            unit: family,
            other,
            on,
        })
    }
}

/// Kind and key of a sighting of a report: a report has one identity, whatever the family was called.
pub(in crate::study) fn report_key(source: Source, report: ReportIx) -> (&'static str, String) {
    let kind = match source {
        Source::Intake => "reported by intake",
        Source::Log => "reported by log",
        Source::Register => "reported by register",
    };
    (kind, report.0.to_string())
}

/// Hash of an event's content, by which a repeated key is compared: without the family's name, which may be one of
/// several, and of a correction with the event that it retracts.
pub fn recorded_hash(content: &Content, retracts: Option<u64>) -> [u8; 32] {
    let text = content.text_where(|key| key != "family");
    with_retracted(Sha256::digest(text.as_bytes()).into(), retracts)
}

/// The hash of an enrolment's content, from its payload.
pub(super) fn content_hash(payload: &Object<'_>) -> [u8; 32] {
    payload.hash(|key| ENROLMENT_KEYS.iter().any(|own| is_same(own, key)))
}

/// The hash of a content, of a correction together with the event that it retracts.
pub(super) fn with_retracted(content: [u8; 32], retracts: Option<u64>) -> [u8; 32] {
    let Some(sequence) = retracts else {
        return content;
    };
    let mut hash = Sha256::new();
    hash.update(content);
    hash.update(sequence.to_be_bytes());
    hash.finalize().into()
}
