//! Names of families, children and reports, and the small integers that the state machine knows them by.
//!
//! A name gets its integer when the ledger first mentions it, so every replay gives the same integers.

use crate::study::kernel::{ChildIx, FamilyIx, ReportIx};
use std::collections::HashMap;

/// The names of a ledger.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Names {
    families: Interner,
    children: Interner,
    reports: HashMap<(FamilyIx, String), ReportIx>,
    report_keys: Vec<String>,
}

impl Names {
    /// A family's integer, if the ledger names it.
    pub fn family(&self, name: &str) -> Option<FamilyIx> {
        self.families.find(name).map(FamilyIx)
    }

    /// A family's integer, or the one that it will get.
    pub fn family_or_next(&self, name: &str) -> FamilyIx {
        FamilyIx(
            self.families
                .find(name)
                .unwrap_or_else(|| self.families.next()),
        )
    }

    /// A child's integer, if the ledger names it.
    pub fn child(&self, name: &str) -> Option<ChildIx> {
        self.children.find(name).map(ChildIx)
    }

    /// Integers of several children: known ones keep theirs, new ones get the next ones in the order given.
    pub fn children_or_next<'a>(&self, names: impl Iterator<Item = &'a str>) -> Vec<ChildIx> {
        let mut new: Vec<&str> = Vec::new();
        names
            .map(|name| {
                let known = self.children.find(name).unwrap_or_else(|| {
                    let place = new.iter().position(|own| *own == name).unwrap_or_else(|| {
                        new.push(name);
                        new.len() - 1
                    });
                    self.children.next() + place as u32
                });
                ChildIx(known)
            })
            .collect()
    }

    /// A report's integer, or the one that it will get.
    pub fn report_or_next(&self, family: FamilyIx, key: &str) -> ReportIx {
        self.report(family, key)
            .unwrap_or(ReportIx(self.report_keys.len() as u32))
    }

    /// A report's integer, if the ledger names it.
    pub fn report(&self, family: FamilyIx, key: &str) -> Option<ReportIx> {
        self.reports.get(&(family, key.to_owned())).copied()
    }

    /// Names a family.
    pub fn name_family(&mut self, name: &str) -> FamilyIx {
        FamilyIx(self.families.name(name))
    }

    /// Names a child.
    pub fn name_child(&mut self, name: &str) -> ChildIx {
        ChildIx(self.children.name(name))
    }

    /// Names a report of a family.
    pub fn name_report(&mut self, family: FamilyIx, key: &str) -> ReportIx {
        let next = ReportIx(self.report_keys.len() as u32);
        let place = *self.reports.entry((family, key.to_owned())).or_insert(next);
        if place == next {
            self.report_keys.push(key.to_owned());
        }
        place
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
        self.report_keys
            .get(report.0 as usize)
            .map_or("", String::as_str)
    }
}

#[derive(Debug, Clone, Default, PartialEq)]
struct Interner {
    places: HashMap<String, u32>,
    texts: Vec<String>,
}

impl Interner {
    fn find(&self, text: &str) -> Option<u32> {
        self.places.get(text).copied()
    }

    fn next(&self) -> u32 {
        self.texts.len() as u32
    }

    fn name(&mut self, text: &str) -> u32 {
        let next = self.next();
        let place = *self.places.entry(text.to_owned()).or_insert(next);
        if place == next {
            self.texts.push(text.to_owned());
        }
        place
    }

    fn text(&self, place: u32) -> &str {
        self.texts.get(place as usize).map_or("", String::as_str)
    }
}
