//! Where a report's numbers come from: heads, versions, verdicts, as the caller states them.
//!
//! Values only. The report cannot verify anything itself; it says what `study::verify` found.

use crate::diagnostic::Words;
use crate::study::verify::{DrawCheck, SeedFit, Verification};
use crate::words;

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

impl Provenance {
    /// The stamp of a ledger that was just verified; `generated` is the moment as RFC 3339.
    pub fn of(
        verification: &Verification,
        generated: String,
        seeds: Vec<SeedFact>,
        rehearsal: bool,
    ) -> Self {
        Self {
            version: env!("CARGO_PKG_VERSION").to_string(),
            generated,
            head: verification.head.to_hex(),
            events: verification.events,
            allocations: verification.allocations,
            verdict: Verdict::of(verification),
            seeds,
            rehearsal,
        }
    }
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
        findings: Vec<Words>,
    },
    /// Verification was not run.
    NotRun,
}

impl Verdict {
    /// The verdict of a verification.
    pub fn of(verification: &Verification) -> Self {
        if !verification.ok || verification.seeds != SeedFit::Fitting {
            let mut findings: Vec<Words> = verification
                .findings
                .iter()
                .map(|finding| finding.message.clone())
                .collect();
            if verification.seeds != SeedFit::Fitting {
                findings.push(words!(
                    "A seed does not fit its commitment, or an epoch has none; not every draw was checked.",
                    "Ett lottfrö stämmer inte med sin utfästelse, eller saknas för en epok; alla lottdragningar kontrollerades inte."
                ));
            }
            return Self::Failed {
                first_bad: verification.first_bad,
                findings,
            };
        }
        match verification.draws {
            DrawCheck::Verified => Self::Verified,
            DrawCheck::NotChecked => Self::ChainOnly,
        }
    }

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

#[cfg(test)]
mod tests {
    use super::{Provenance, Verdict};
    use crate::diagnostic::Words;
    use crate::study::journal::Head;
    use crate::study::verify::{DrawCheck, Finding, SeedFit, Verification};

    fn sound(draws: DrawCheck) -> Verification {
        Verification {
            ok: true,
            draws,
            epochs: vec![draws],
            events: 9,
            allocations: 4,
            head: Head::EMPTY,
            first_bad: None,
            findings: Vec::new(),
            seeds: SeedFit::Fitting,
        }
    }

    #[test]
    fn a_verdict_never_says_more_than_was_checked() {
        assert_eq!(Verdict::of(&sound(DrawCheck::Verified)), Verdict::Verified);
        assert_eq!(
            Verdict::of(&sound(DrawCheck::NotChecked)),
            Verdict::ChainOnly
        );
        let broken = Verification {
            ok: false,
            first_bad: Some(3),
            findings: vec![Finding {
                code: "chain",
                sequence: Some(3),
                message: Words::same("broken"),
            }],
            ..sound(DrawCheck::NotChecked)
        };
        let verdict = Verdict::of(&broken);
        assert_eq!(
            verdict,
            Verdict::Failed {
                first_bad: Some(3),
                findings: vec![Words::same("broken")]
            }
        );
    }

    #[test]
    fn a_seed_that_does_not_fit_is_a_failure_with_a_sentence() {
        let mismatch = Verification {
            ok: false,
            seeds: SeedFit::Strange,
            ..sound(DrawCheck::NotChecked)
        };
        let stamp = Provenance::of(&mismatch, String::new(), Vec::new(), false);
        assert!(matches!(stamp.verdict, Verdict::Failed { findings, .. } if findings.len() == 1));
        assert_eq!(stamp.head.len(), 64);
    }
}
