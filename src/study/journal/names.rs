//! Names of families, children and reports, and the small integers that the state machine knows them by.
//!
//! A name gets its integer when the ledger first mentions it, so every replay gives the same integers.

use super::texts::Texts;
use crate::study::coded::coded;
use crate::study::kernel::{ChildIx, FamilyIx, ReportIx};

/// The names of a ledger.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Names {
    families: Texts,
    children: Texts,
    /// Keys of reports, in the scope of their family.
    reports: Texts,
}

coded!(Names {
    families,
    children,
    reports
});

impl Names {
    /// A family's integer, if the ledger names it.
    pub fn family(&self, name: &str) -> Option<FamilyIx> {
        self.families.find(0, name).map(FamilyIx)
    }

    /// A family's integer, or the one that it will get.
    pub fn family_or_next(&self, name: &str) -> FamilyIx {
        FamilyIx(
            self.families
                .find(0, name)
                .unwrap_or_else(|| self.families.len()),
        )
    }

    /// A child's integer, if the ledger names it.
    pub fn child(&self, name: &str) -> Option<ChildIx> {
        self.children.find(0, name).map(ChildIx)
    }

    /// Integers of several children: known ones keep theirs, new ones get the next ones in the order given.
    pub fn children_or_next<'a>(&self, names: impl Iterator<Item = &'a str>) -> Vec<ChildIx> {
        let mut new: Vec<&str> = Vec::new();
        names
            .map(|name| {
                let known = self.children.find(0, name).unwrap_or_else(|| {
                    let place = new.iter().position(|own| *own == name).unwrap_or_else(|| {
                        new.push(name);
                        new.len() - 1
                    });
                    self.children.len() + place as u32
                });
                ChildIx(known)
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
        self.reports.find(family.0, key).map(ReportIx)
    }

    /// Names a family.
    pub fn name_family(&mut self, name: &str) -> FamilyIx {
        FamilyIx(self.families.name(0, name))
    }

    /// Names a child.
    pub fn name_child(&mut self, name: &str) -> ChildIx {
        ChildIx(self.children.name(0, name))
    }

    /// Names a report of a family.
    pub fn name_report(&mut self, family: FamilyIx, key: &str) -> ReportIx {
        ReportIx(self.reports.name(family.0, key))
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
