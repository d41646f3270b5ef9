//! `power`: closed forms and exact power, one unknown solved for.

use crate::diagnostic::Words;
use crate::planning::two_proportions::{self, Answer, PowerError, Question};
use crate::words;

use super::exit;
use super::failure::Failure;

/// Families of outcomes whose power can be computed, as on the command line.
pub const FAMILIES: &[&str] = &["two-proportions"];

/// Power of two proportions.
///
/// # Errors
/// A question that cannot be answered: exit 2 with the reason.
pub fn two_proportions(question: &Question) -> Result<Answer, Failure> {
    two_proportions::solve(question).map_err(|error| {
        let failure = Failure::new(exit::USAGE, error.code(), error.words());
        match error {
            PowerError::Underdetermined => failure.help(Words::new(
                "give all but one of --n-per-arm, --power, --alpha and --p1; --alpha is 0.05 unless it is what is left out",
                "ange alla utom en av --n-per-arm, --power, --alpha och --p1; --alpha är 0.05 om det inte är den som utelämnas",
            )),
            PowerError::Overdetermined => failure.help(Words::new(
                "leave out the one that you look for",
                "utelämna den som du söker",
            )),
            PowerError::WrongSide => failure.help(Words::new(
                "leave --direction out, or turn it",
                "utelämna --direction eller vänd på den",
            )),
            PowerError::ExactClusters => failure.help(Words::new(
                "use a formula (--test pooled), or simulate",
                "använd en formel (--test pooled) eller simulera",
            )),
            _ => failure,
        }
    })
}

/// A family of outcomes that is planned and not built yet.
pub fn not_built(family: &str) -> Failure {
    let known = FAMILIES.join(", ");
    Failure::new(
        exit::USAGE,
        "not-built-yet",
        words!(
            "power of `{family}` is not built yet",
            "styrka för `{family}` finns inte än"
        ),
    )
    .help(words!("what exists: {known}", "det här finns: {known}"))
}
