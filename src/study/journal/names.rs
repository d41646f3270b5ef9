//! Names of families, children, reports and those who deliver a service, and the small integers that the state machine knows them by.
//!
//! A name gets its integer when the ledger first mentions it, so every replay gives the same integers.

use super::texts::Texts;
use crate::study::coded::coded;
use crate::study::kernel::{ChildIx, DelivererIx, FamilyIx, ReportIx};
use crate::study::pages::Limits;

/// The names of a ledger.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Names {
    families: Texts,
    children: Texts,
    /// Keys of reports, in the scope of their family.
    reports: Texts,
    deliverers: Texts,
    /// What links have said.
    links: NameLinks,
}

coded!(Names {
    families,
    children,
    reports,
    deliverers,
    links,
});

/// Names that mean something else than their own number says; few, so that they are searched one by one.
#[derive(Debug, Clone, Default, PartialEq)]
struct NameLinks {
    /// Families that were found to be one: number and unit.
    units: Vec<(u32, u32)>,
    /// Of these, those whose name means the unit from then on.
    renamed: Vec<(u32, u32)>,
    /// Other pseudonyms of children: name and number.
    children: Vec<(String, u32)>,
    /// Reports that are another one, seen under two names: number and that of the other.
    reports: Vec<(u32, u32)>,
    /// Reports that name a child whom the ledger does not know: name and sequence of the row.
    unknown: Vec<(String, u64)>,
}

coded!(NameLinks {
    units,
    renamed,
    children,
    reports,
    unknown,
});

/// What a number means.
fn meant(pairs: &[(u32, u32)], number: u32) -> u32 {
    let pair = pairs.iter().find(|(own, _)| *own == number);
    pair.map_or(number, |(_, meant)| *meant)
}

/// From now on `number` means `other`, and so does whatever meant `number`.
fn mean(pairs: &mut Vec<(u32, u32)>, number: u32, other: u32) {
    for pair in pairs.iter_mut().filter(|(_, meant)| *meant == number) {
        pair.1 = other;
    }
    match pairs.iter_mut().find(|(own, _)| *own == number) {
        Some(pair) => pair.1 = other,
        None => pairs.push((number, other)),
    }
}

impl Names {
    /// A family's integer, if the ledger names it.
    pub fn family(&self, name: &str) -> Option<FamilyIx> {
        let number = self.families.find(0, name)?;
        Some(FamilyIx(meant(&self.links.renamed, number)))
    }

    /// The number of a family's name itself, whatever other name's family it has become by a link.
    pub(super) fn own_number(&self, name: &str) -> Option<FamilyIx> {
        self.families.find(0, name).map(FamilyIx)
    }

    /// A family's integer, or the one that it will get.
    pub fn family_or_next(&self, name: &str) -> FamilyIx {
        self.family(name)
            .unwrap_or_else(|| FamilyIx(self.families.len()))
    }

    /// A child's integer, if the ledger names it.
    pub fn child(&self, name: &str) -> Option<ChildIx> {
        let other = self.links.children.iter().find(|(own, _)| own == name);
        let known = other.map(|(_, number)| *number);
        known.or_else(|| self.children.find(0, name)).map(ChildIx)
    }

    /// Integers of several children: known ones keep theirs, new ones get the next ones in the order given.
    pub fn children_or_next<'a>(&self, names: impl Iterator<Item = &'a str>) -> Vec<ChildIx> {
        let mut new: Vec<&str> = Vec::new();
        names
            .map(|name| {
                if let Some(known) = self.child(name) {
                    return known;
                }
                let place = new.iter().position(|own| *own == name).unwrap_or_else(|| {
                    new.push(name);
                    new.len() - 1
                });
                ChildIx(self.children.len() + place as u32)
            })
            .collect()
    }

    /// A report's integer, or the one that it will get.
    pub fn report_or_next(&self, family: FamilyIx, key: &str) -> ReportIx {
        self.report(family, key)
            .unwrap_or(ReportIx(self.reports.len()))
    }

    /// A report's integer, if the ledger names it.
    pub fn report(&self, family: FamilyIx, key: &str) -> Option<ReportIx> {
        let unit = meant(&self.links.units, family.0);
        let others = self.links.units.iter().filter(|(_, own)| *own == unit);
        let number = std::iter::once(unit)
            .chain(others.map(|(other, _)| *other))
            .find_map(|scope| self.reports.find(scope, key))?;
        Some(ReportIx(meant(&self.links.reports, number)))
    }

    /// As [`Texts::glance`], of the places where an intake's names are looked for: each as a family's and as a child's.
    pub(super) fn glance<'a>(&self, names: impl Iterator<Item = &'a str>) -> u32 {
        let both = |name| self.families.glance(0, name) ^ self.children.glance(0, name);
        names.fold(0, |sum, name| sum ^ both(name))
    }

    /// As [`Texts::glance`], of a report of a family that is new.
    pub(super) fn glance_at_report(&self, key: &str) -> u32 {
        self.reports.glance(self.families.len(), key)
    }

    /// Names a family.
    pub fn name_family(&mut self, name: &str) -> FamilyIx {
        let number = self.families.name(0, name);
        FamilyIx(meant(&self.links.renamed, number))
    }

    /// Names a child.
    pub fn name_child(&mut self, name: &str) -> ChildIx {
        match self.child(name) {
            Some(known) => known,
            None => ChildIx(self.children.add(0, name)),
        }
    }

    /// Names a report of a family.
    pub fn name_report(&mut self, family: FamilyIx, key: &str) -> ReportIx {
        match self.report(family, key) {
            Some(known) => known,
            None => ReportIx(self.reports.add(meant(&self.links.units, family.0), key)),
        }
    }

    /// Names who delivered a service.
    pub fn name_deliverer(&mut self, name: &str) -> DelivererIx {
        DelivererIx(self.deliverers.name(0, name))
    }

    /// The integer of who delivered a service, or the one that they will get.
    pub fn deliverer_or_next(&self, name: &str) -> DelivererIx {
        let known = self.deliverers.find(0, name);
        DelivererIx(known.unwrap_or(self.deliverers.len()))
    }

    /// Notes that `other` was found to be `unit`: their reports are told apart by key alone, and with `renamed` every
    /// name of `other` means the unit from now on. Gives the pairs of reports that are one, of `other` and of the unit.
    pub(super) fn link_families(
        &mut self,
        unit: FamilyIx,
        other: FamilyIx,
        renamed: bool,
    ) -> Vec<(ReportIx, ReportIx)> {
        // A name that means another one already follows that one.
        if renamed && meant(&self.links.renamed, other.0) == other.0 {
            mean(&mut self.links.renamed, other.0, unit.0);
        }
        if meant(&self.links.units, other.0) == unit.0 {
            return Vec::new();
        }
        let moved: Vec<(u32, String)> = self
            .reports
            .of_scope(other.0)
            .map(|number| (number, self.reports.text(number).to_owned()))
            .collect();
        let mut same = Vec::new();
        for (number, key) in moved {
            let (own, into) = (
                meant(&self.links.reports, number),
                self.report(unit, &key).map(|into| into.0),
            );
            if let Some(into) = into.filter(|into| *into != own) {
                same.push((ReportIx(own), ReportIx(into)));
            }
        }
        for (from, into) in &same {
            mean(&mut self.links.reports, from.0, into.0);
        }
        mean(&mut self.links.units, other.0, unit.0);
        same
    }

    /// Notes that a child has another pseudonym, which means it from now on. Gives the sequences of reports that named
    /// it so before.
    pub(super) fn link_children(&mut self, child: ChildIx, other: &str) -> Vec<u64> {
        let before = self.child(other).map(|before| before.0);
        for (_, number) in &mut self.links.children {
            if Some(*number) == before {
                *number = child.0;
            }
        }
        if self.child(other) != Some(child) {
            self.links.children.push((other.to_owned(), child.0));
        }
        let named = |own: &&(String, u64)| own.0 == other;
        let sequences = self.links.unknown.iter().filter(named);
        let sequences = sequences.map(|(_, sequence)| *sequence).collect();
        self.links.unknown.retain(|(name, _)| name != other);
        sequences
    }

    /// Notes that a report names a child whom the ledger does not know.
    pub(super) fn note_unknown_child(&mut self, name: &str, sequence: u64) {
        self.links.unknown.push((name.to_owned(), sequence));
    }

    /// Brings every name into memory.
    pub(super) fn load_all(&mut self) {
        self.families.load_all();
        self.children.load_all();
        self.reports.load_all();
        self.deliverers.load_all();
    }

    /// Says how many names there are.
    pub(super) fn limit(&self, limits: &mut Limits) {
        limits.families = self.families.len();
        limits.children = self.children.len();
        limits.reports = self.reports.len();
        limits.deliverers = self.deliverers.len();
    }

    /// Whether links mean numbers that there are.
    pub(super) fn fits(&self, limits: &Limits) -> bool {
        let NameLinks {
            units,
            renamed,
            children,
            reports,
            unknown,
        } = &self.links;
        let within = |pairs: &[(u32, u32)], most: u32| {
            pairs.iter().all(|(own, meant)| *own.max(meant) < most)
        };
        within(units, limits.families)
            && within(renamed, limits.families)
            && within(reports, limits.reports)
            && children.iter().all(|(_, own)| *own < limits.children)
            && unknown.iter().all(|(_, own)| *own <= limits.sequence)
    }

    /// The name of a family.
    pub fn family_name(&self, family: FamilyIx) -> &str {
        self.families.text(family.0)
    }

    /// The name of a child.
    pub fn child_name(&self, child: ChildIx) -> &str {
        self.children.text(child.0)
    }

    /// The key of a report.
    pub fn report_key(&self, report: ReportIx) -> &str {
        self.reports.text(report.0)
    }
}
