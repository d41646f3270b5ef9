//! Results to tables, figures and pages, as bytes and in two languages; never computing statistics, writing files.
//!
//! A [`Report`] holds what was promised (the protocol), what happened (the flow), what it shows (the analyses) and how
//! that can be checked (the provenance). [`html()`] makes the one self-contained page, [`csv()`] the flat tables,
//! [`json`] the document for programs. Figures are registered one per file in [`figures::FIGURES`]; the order of the
//! page is in `page`. What the numbers are is decided in `analysis` and `study`.

mod analysis_name;
mod audits;
pub mod data;
mod delimited;
mod document;
mod effect;
pub mod figures;
mod flat;
mod grid;
pub mod number;
mod page;
pub mod plan;
pub mod proof;
mod provenance;
pub mod replicate;
pub mod simulation;
pub mod suppression;
mod svg;

pub use audits::{balance, missingness};
pub use delimited::{DelimitedTable, csv};
pub use document::{alert, deviation, funnel, further, json, subgroups, test, used};
pub use flat::File;
pub use grid::{Grid, GridRow};
pub use page::{html, public};
pub use provenance::{Provenance, SeedFact, Verdict};

use crate::analysis::results::{Analyses, AnalysisResult};
use crate::diagnostic::Lang;
use crate::protocol::model::{Protocol, Role};
use crate::study::cohort::Cohort;
use crate::study::conduct::Conduct;
use crate::study::flow::Flow;

/// Everything that a report is made from.
#[derive(Debug, Clone, Copy)]
pub struct Report<'a> {
    /// What was promised.
    pub protocol: &'a Protocol,
    /// Who came, and what became of them.
    pub flow: &'a Flow,
    /// How the study was run against its protocol.
    pub conduct: &'a Conduct,
    /// Families that a closed gate turned away and that were never randomized.
    pub cohort: &'a Cohort,
    /// What the registered analyses show.
    pub analyses: &'a Analyses,
    /// Where the numbers come from and whether that was checked.
    pub provenance: &'a Provenance,
}

impl Report<'_> {
    /// The label of an arm.
    fn arm(&self, arm: crate::allocation::Arm, lang: Lang) -> &str {
        self.protocol
            .arms
            .get(usize::from(arm.0))
            .map_or("?", |spec| spec.label.get(lang))
    }

    /// The name of a site.
    fn site(&self, site: usize) -> &str {
        self.protocol
            .sites
            .get(site)
            .map_or("?", |site| site.name.as_str())
    }

    /// Whether what became of families may be shown by arm: never for real families before a lock.
    fn shows_fates(&self) -> bool {
        !self.analyses.dry_run || self.provenance.rehearsal
    }

    /// The primary analysis, or the first one.
    fn primary(&self) -> Option<&AnalysisResult> {
        let all = &self.analyses.analyses;
        all.iter()
            .find(|analysis| analysis.role == Role::Primary)
            .or_else(|| all.first())
    }

    /// The lock that the report belongs to, if it is one of the protocol's.
    fn lock(&self) -> Option<&crate::protocol::model::Lock> {
        let id = self.analyses.lock.as_deref()?;
        self.protocol.locks.iter().find(|lock| lock.id == id)
    }
}
