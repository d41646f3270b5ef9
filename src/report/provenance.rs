//! Where a report's numbers come from: heads, versions, verdicts, as the caller states them.
//!
//! Values only. The report cannot verify anything itself; it says what `study::verify` found.

/// What the report is stamped with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provenance {
    /// Version of the program.
    pub version: String,
    /// When the report was made, RFC 3339.
    pub generated: String,
    /// Head of the ledger that the numbers were folded from, hexadecimal.
    pub head: String,
    /// Events up to that head.
    pub events: u64,
    /// Allocations up to that head.
    pub allocations: u64,
    /// What verification found.
    pub verdict: Verdict,
    /// The seeds, one per epoch.
    pub seeds: Vec<SeedFact>,
    /// Whether the families are made up.
    pub rehearsal: bool,
}

/// What verification found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The chain holds and every draw was derived again from the seed.
    Verified,
    /// The chain holds; the draws were not checked, because no seed was at hand.
    ChainOnly,
    /// Something differs.
    Failed {
        /// Sequence number of the first event that differs, if it is one event.
        first_bad: Option<u64>,
        /// What differs, one sentence each.
        findings: Vec<String>,
    },
    /// Verification was not run.
    NotRun,
}

impl Verdict {
    /// The text in JSON.
    pub fn text(&self) -> &'static str {
        match self {
            Self::Verified => "verified",
            Self::ChainOnly => "chain-only",
            Self::Failed { .. } => "failed",
            Self::NotRun => "not-run",
        }
    }
}

/// The seed of an epoch: never the seed itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeedFact {
    /// The epoch, from 0.
    pub epoch: u32,
    /// The commitment, hexadecimal.
    pub commitment: String,
    /// Whether the seed has been revealed.
    pub revealed: bool,
}
