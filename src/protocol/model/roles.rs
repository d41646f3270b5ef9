//! Who may do what: roles, and the actors that have them. Without `[roles]` every actor may do everything.

/// A role in a study.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ActorRole {
    /// Screens families and is told their arms, also those of families that another one screened, by the whole request or another report.
    Reception,
    /// Serves families and logs what was given.
    Worker,
    /// Keeps the key of the pseudonyms, outside the study; sees no outcomes.
    KeyHolder,
    /// Records outcomes without knowing the arm.
    OutcomeAssessor,
    /// Runs the registered analyses.
    Statistician,
    /// Leads the study.
    StudyLead,
    /// Reads the ledger.
    Auditor,
}

impl ActorRole {
    /// All, in the order of the protocol page.
    pub const ALL: [Self; 7] = [
        Self::Reception,
        Self::Worker,
        Self::KeyHolder,
        Self::OutcomeAssessor,
        Self::Statistician,
        Self::StudyLead,
        Self::Auditor,
    ];

    /// The role's identifier.
    pub fn text(self) -> &'static str {
        match self {
            Self::Reception => "reception",
            Self::Worker => "worker",
            Self::KeyHolder => "key-holder",
            Self::OutcomeAssessor => "outcome-assessor",
            Self::Statistician => "statistician",
            Self::StudyLead => "study-lead",
            Self::Auditor => "auditor",
        }
    }

    /// Whether nobody may have both roles: key and outcomes, outcomes without the arm and the arm, screening and
    /// capacity.
    pub fn clashes(self, other: Self) -> bool {
        let key = |role: Self, other: Self| {
            role == Self::KeyHolder && !matches!(other, Self::KeyHolder | Self::Reception)
        };
        let blind = |role: Self, other: Self| {
            role == Self::OutcomeAssessor && matches!(other, Self::Reception | Self::Worker)
        };
        let gate = |role: Self, other: Self| role == Self::Reception && other == Self::StudyLead;
        [key, blind, gate]
            .iter()
            .any(|pair| pair(self, other) || pair(other, self))
    }
}

/// The person behind an actor's id: ids that differ in case, full stops, underscores and hyphens alone are one person's.
pub fn person(actor: &str) -> String {
    let folded: String = folded(actor).collect();
    if folded.is_empty() {
        actor.to_owned()
    } else {
        folded
    }
}

/// Whether a [`person`] is the one behind an actor's id.
pub(crate) fn is_person(person: &str, actor: &str) -> bool {
    if folded(actor).next().is_none() {
        person == actor
    } else {
        folded(actor).eq(person.chars())
    }
}

fn folded(actor: &str) -> impl Iterator<Item = char> {
    actor
        .chars()
        .filter(|own| !matches!(own, '.' | '_' | '-'))
        .map(|own| own.to_ascii_lowercase())
}

/// The roles of a study and who has them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Roles {
    /// Actor ids by role, in the order of [`ActorRole::ALL`]; roles that nobody has are left out.
    pub actors: Vec<(ActorRole, Vec<String>)>,
}

impl Roles {
    /// The roles of an actor, however the id is written ([`person`]).
    pub fn of<'a>(&'a self, actor: &'a str) -> impl Iterator<Item = ActorRole> + 'a {
        let one = person(actor);
        self.actors
            .iter()
            .filter(move |(_, actors)| actors.iter().any(|own| is_person(&one, own)))
            .map(|(role, _)| *role)
    }

    /// Who has a role.
    pub fn with(&self, role: ActorRole) -> &[String] {
        self.actors
            .iter()
            .find(|(own, _)| *own == role)
            .map_or(&[], |(_, actors)| actors.as_slice())
    }
}

#[cfg(test)]
mod tests {
    use super::{is_person, person};

    /// Against the person's text, for every pair.
    #[test]
    fn an_actor_is_the_person_that_the_id_folds_to() {
        let actors = [
            "",
            "-",
            "._-",
            "--",
            "a",
            "A",
            "a.",
            "-a",
            "ab",
            "Ab",
            "a-B",
            "a_b.",
            "b",
            "å",
            "Å",
            "åb",
            "intake-1",
            "Intake1",
            "intake-11",
        ];
        for one in actors {
            for other in actors {
                let same = person(one) == person(other);
                assert_eq!(is_person(&person(one), other), same, "{one} {other}");
            }
        }
    }
}
