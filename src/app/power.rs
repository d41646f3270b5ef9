//! `power`: closed forms and exact power, one unknown solved for.

use crate::diagnostic::Words;
use crate::planning::PowerError;
use crate::planning::{log_rank, rates, two_means, two_proportions};
use crate::words;

use super::exit;
use super::failure::Failure;

/// Power of two proportions.
///
/// # Errors
/// A question that cannot be answered: exit 2 with the reason.
pub fn two_proportions(
    question: &two_proportions::Question,
) -> Result<two_proportions::Answer, Failure> {
    two_proportions::solve(question)
        .map_err(|error| failure(&error, "--n-per-arm, --power, --alpha", "--p1"))
}

/// Power of two means.
///
/// # Errors
/// A question that cannot be answered: exit 2 with the reason.
pub fn two_means(question: &two_means::Question) -> Result<two_means::Answer, Failure> {
    two_means::solve(question)
        .map_err(|error| failure(&error, "--n-per-arm, --power, --alpha", "--delta"))
}

/// Power of a log-rank test.
///
/// # Errors
/// A question that cannot be answered: exit 2 with the reason.
pub fn log_rank(question: &log_rank::Question) -> Result<log_rank::Answer, Failure> {
    log_rank::solve(question)
        .map_err(|error| failure(&error, "--events, --power, --alpha", "--hazard-ratio"))
}

/// Power of two rates.
///
/// # Errors
/// A question that cannot be answered: exit 2 with the reason.
pub fn rates(question: &rates::Question) -> Result<rates::Answer, Failure> {
    rates::solve(question)
        .map_err(|error| failure(&error, "--n-per-arm, --power, --alpha", "--rate1"))
}

/// What is wrong, with the next step in the options of the family: the first three of the four, and the effect.
fn failure(error: &PowerError, three: &str, effect: &str) -> Failure {
    let failure = Failure::new(exit::USAGE, error.code(), error.words());
    match error {
        PowerError::Underdetermined => failure.help(words!(
            "give all but one of {three} and {effect}; --alpha is 0.05 unless it is what is left out",
            "ange alla utom en av {three} och {effect}; --alpha är 0,05 om det inte är den som utelämnas"
        )),
        PowerError::OutOfRange { .. } => failure.help(Words::new(
            "give a number in that range; a share or a probability is written 0.40, not 40",
            "ange ett tal i det intervallet; en andel eller en sannolikhet skrivs 0.40, inte 40",
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
            "use a formula (--test pooled) or a t test (--test t), or simulate",
            "använd en formel (--test pooled) eller ett t-test (--test t), eller simulera",
        )),
        PowerError::WithinMargin => failure.help(Words::new(
            "the margin is treated minus control: positive if a higher proportion is the worse one",
            "marginalen är behandlad minus kontroll: positiv om en högre andel är den sämre",
        )),
        PowerError::MarginNotUsed => failure.help(Words::new(
            "use --test pooled, unpooled or t",
            "använd --test pooled, unpooled eller t",
        )),
        PowerError::CovariatesAndClusters => failure.help(Words::new(
            "give the standard deviation that is left after the covariates, or simulate",
            "ange den standardavvikelse som återstår efter kovariaterna, eller simulera",
        )),
        PowerError::FollowUpMissing => failure.help(Words::new(
            "give --control-median, --accrual and --follow-up, or count in --events",
            "ange --control-median, --accrual och --follow-up, eller räkna i --events",
        )),
        PowerError::TwoSizes => failure.help(Words::new(
            "give one of --events and --n-per-arm",
            "ange en av --events och --n-per-arm",
        )),
        _ => failure,
    }
}
