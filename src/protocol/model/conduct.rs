//! What may go otherwise than by lot, and how often before somebody is told.
//!
//! An *exception* is declared before the draw and takes the family out; a *violation* happens after it and takes nobody
//! out. Four kinds of violation exist in every study, each with its policy: the error is documented and never
//! corrected in the draws (Yelland et al. 2018, doi 10.1177/1740774518761627).

use super::intake::Named;
use crate::diagnostic::Words;

/// When to alert: a warning, never a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Cap {
    /// Alert above so many per site and quarter.
    pub per_site_and_quarter: Option<u32>,
    /// Alert above this share of the families.
    pub study_share: Option<f64>,
}

/// Exceptions declared before the draw.
#[derive(Debug, Clone, Default)]
pub struct Exceptions {
    /// Admissible reasons, their identifiers in kebab-case.
    pub reasons: Vec<Named>,
    /// When to alert; the share is of randomized families and exceptions together.
    pub cap: Cap,
}

/// Violations after the draw.
#[derive(Debug, Clone)]
pub struct Violations {
    /// Admissible reasons: the four of [`Policy`] in its order, then the protocol's own.
    pub reasons: Vec<Named>,
    /// When to alert; the share is of randomized families.
    pub cap: Cap,
}

impl Default for Violations {
    fn default() -> Self {
        Self {
            reasons: Policy::ALL
                .into_iter()
                .map(|policy| Named {
                    id: policy.text().to_owned(),
                    label: policy.label(),
                })
                .collect(),
            cap: Cap::default(),
        }
    }
}

impl Violations {
    /// The policy of a reason by its index, if it is one of the four.
    pub fn policy(reason: u16) -> Option<Policy> {
        Policy::ALL.get(usize::from(reason)).copied()
    }
}

/// Deviations from the registered plan that a lock or an analysis can name (CONSORT 2025, item 10).
#[derive(Debug, Clone)]
pub struct Deviations {
    /// Admissible reasons: those that every study knows ([`Deviations::STANDARD`]), then the protocol's own.
    pub reasons: Vec<Named>,
}

impl Deviations {
    /// Identifier, English and Swedish name of the reasons that every study knows.
    pub const STANDARD: [(&str, &str, &str); 7] = [
        (
            "late-data",
            "data came later than planned",
            "data kom senare än planerat",
        ),
        (
            "incomplete-data",
            "a source of data was incomplete",
            "en datakälla var ofullständig",
        ),
        (
            "error-in-data",
            "an error in the data was found",
            "ett fel i data upptäcktes",
        ),
        (
            "error-in-plan",
            "the plan could not be followed as it was written",
            "planen kunde inte följas som den var skriven",
        ),
        (
            "error-in-program",
            "an error in a program was found",
            "ett fel i ett program upptäcktes",
        ),
        (
            "changed-surroundings",
            "law, registers or services changed from outside",
            "lag, register eller insatser ändrades utifrån",
        ),
        (
            "arms-known",
            "somebody who decides on the analysis knew arms or results",
            "någon som bestämmer över analysen kände till grupper eller resultat",
        ),
    ];

    /// The name of a reason for people; `None` if it is not admissible.
    pub fn label(&self, id: &str) -> Option<&Words> {
        let found = self.reasons.iter().find(|own| own.id == id);
        found.map(|own| &own.label)
    }
}

impl Default for Deviations {
    fn default() -> Self {
        let named = |(id, en, sv): (&str, &'static str, &'static str)| Named {
            id: id.to_owned(),
            label: Words::new(en, sv),
        };
        Self {
            reasons: Self::STANDARD.map(named).into(),
        }
    }
}

/// The violations that every study knows: document, do not correct.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Policy {
    /// A randomized family proves not to have been eligible: it stays in the randomized set and is marked for a named
    /// sensitivity set.
    FoundIneligible,
    /// A family was drawn with a wrong value of a field: the draw stands, and the true value is kept beside it.
    WrongStratum,
    /// A family was drawn twice: the first draw counts.
    DoubleDraw,
    /// A family got another arm's service by mistake: what it received is recorded.
    WrongService,
}

impl Policy {
    /// All, in the order of their indices as reasons.
    pub const ALL: [Self; 4] = [
        Self::FoundIneligible,
        Self::WrongStratum,
        Self::DoubleDraw,
        Self::WrongService,
    ];

    /// The reason's identifier.
    pub fn text(self) -> &'static str {
        match self {
            Self::FoundIneligible => "found-ineligible",
            Self::WrongStratum => "wrong-stratum",
            Self::DoubleDraw => "double-draw",
            Self::WrongService => "wrong-service",
        }
    }

    /// The reason's name for people.
    pub fn label(self) -> Words {
        match self {
            Self::FoundIneligible => Words::new(
                "found not to have been eligible",
                "visade sig inte uppfylla villkoren",
            ),
            Self::WrongStratum => Words::new(
                "drawn with a wrong value of a field",
                "lottad med fel värde på ett fält",
            ),
            Self::DoubleDraw => Words::new("drawn twice", "lottad två gånger"),
            Self::WrongService => Words::new(
                "given another arm's service by mistake",
                "fick av misstag en annan grupps insats",
            ),
        }
    }

    /// What the study does then.
    pub fn rule(self) -> Words {
        match self {
            Self::FoundIneligible => Words::new(
                "the family stays in the randomized set, in its arm; it is marked for the sensitivity set without such families",
                "familjen är kvar bland de lottade, i sin grupp; den märks för känslighetsmängden utan sådana familjer",
            ),
            Self::WrongStratum => Words::new(
                "the draw stands, and redraws use the stratum that it was made in; the true value is kept beside it, for analyses",
                "lottningen står fast, och omlottningar använder det stratum där den gjordes; det sanna värdet sparas bredvid, för analyser",
            ),
            Self::DoubleDraw => Words::new(
                "the first draw counts, and the second is kept for audit",
                "den första lottningen gäller, och den andra sparas för granskning",
            ),
            Self::WrongService => Words::new(
                "the family stays in the arm that it was drawn to, and what it received is kept",
                "familjen är kvar i gruppen den lottades till, och vad den fick sparas",
            ),
        }
    }

    /// What to record next, if something follows.
    pub fn next_step(self) -> Option<Words> {
        match self {
            Self::FoundIneligible | Self::WrongStratum => None,
            Self::DoubleDraw => Some(Words::new(
                "if the study knows the family under two names, the study lead links them (`linked`)",
                "om studien har familjen under två namn kopplar studieledaren ihop dem (`linked`)",
            )),
            Self::WrongService => Some(Words::new(
                "if the family's service has moved, record `switched` too, so that slots are counted right",
                "om familjens insats har flyttats, registrera även `switched` så att platserna räknas rätt",
            )),
        }
    }
}
