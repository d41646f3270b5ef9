//! When lots can be guessed so well that a person should hear of it: one rule and one sentence for `check`, which knows a
//! protocol, and `draw --characteristics`, which knows a method alone.

use super::harder::Setting;
use crate::diagnostic::Diagnostic;
use crate::planning::guessing::{Guessing, Simulated};
use crate::words;

/// Knowing the past may add so much to the share of correct guesses before there is a warning.
pub(super) const ADVANTAGE: f64 = 0.10;
/// Allocations may be certain so often before there is a warning.
const FORCED: f64 = 0.25;

/// How well lots can be guessed; shares from 0 to 1.
#[derive(Debug, Clone, Copy)]
pub(super) struct Guessed {
    /// The largest share of right guesses that anyone at intake can have.
    pub(super) share: f64,
    /// That of who names the largest arm each time.
    pub(super) by_ratio_alone: f64,
    /// Share of allocations that are certain beforehand.
    pub(super) forced: f64,
    /// Whether the shares are upper bounds, as if it were known which duplicate of an arm each lot stood for.
    pub(super) at_most: bool,
    /// Whether what is certain is one; of a share of exactly 0 it is not.
    pub(super) forced_at_most: bool,
    /// Whether that guesser knows every family's levels.
    pub(super) by_levels: bool,
    /// Monte Carlo standard errors of the share and of what is certain; 0 of exact figures.
    pub(super) errors: (f64, f64),
    /// Probability that the arms are in balance in the end.
    pub(super) p_balanced: Option<f64>,
    /// Its Monte Carlo standard error; 0 of an exact figure.
    pub(super) p_balanced_error: f64,
    /// Standard deviation of the imbalance in the end, in families.
    pub(super) imbalance_sd: Option<f64>,
}

impl Guessed {
    /// Of figures that were computed, if the share is known.
    pub(super) fn of(found: &Guessing) -> Option<Self> {
        Some(Self {
            share: found.best_share?,
            by_ratio_alone: found.share_by_ratio_alone,
            forced: found.forced_share.unwrap_or(0.0),
            at_most: found.at_most,
            forced_at_most: found.forced_at_most(),
            by_levels: found.share_by_levels.is_some(),
            errors: (
                found.best_share_error(),
                error(found, |own| (own.forced_share, own.forced_share_ends)),
            ),
            p_balanced: found.p_balanced,
            p_balanced_error: error(found, |own| (own.p_balanced, own.p_balanced_ends)),
            imbalance_sd: found.imbalance_sd,
        })
    }

    /// Whether a person should hear of it: of simulated figures where two standard errors less would be enough.
    pub(super) fn easily(&self) -> bool {
        let (share, forced) = self.errors;
        self.share - 2.0 * share - self.by_ratio_alone >= ADVANTAGE
            || self.forced - 2.0 * forced >= FORCED
    }
}

/// The Monte Carlo standard error of a figure, of none and all half of the exact interval; 0 of an exact one.
fn error(found: &Guessing, of: impl Fn(Simulated) -> (Option<f64>, Option<(f64, f64)>)) -> f64 {
    let (error, ends) = found.simulated.map(of).unwrap_or_default();
    let half = ends.map(|(lower, upper)| (upper - lower) / 2.0);
    half.or(error).unwrap_or(0.0)
}

/// The warning, if there is reason for one; what to do about it depends on the method.
pub(super) fn guessable(guessed: &Guessed, method: &Setting<'_>) -> Option<Diagnostic> {
    if !guessed.easily() {
        return None;
    }
    let (right_en, right_sv) = tenths(10.0 * guessed.share);
    let (chance_en, chance_sv) = tenths(10.0 * guessed.by_ratio_alone);
    let (forced_en, forced_sv) = tenths(10.0 * guessed.forced);
    let (levels_en, levels_sv) = if guessed.by_levels {
        (" and every family's levels", " och alla familjers nivåer")
    } else {
        ("", "")
    };
    let (most_en, most_sv) = if guessed.forced_at_most {
        ("at most ", "högst ")
    } else {
        ("", "")
    };
    // With duplicates the threshold is judged by an upper bound, and the sentence says no more than that.
    let told = if guessed.at_most {
        words!(
            "intake staff who know the method{levels_en} and remember the lots of their stratum could guess at most {right_en} of the next ten families right, {chance_en} by chance, and know {most_en}{forced_en} of them for certain (as if it were known which duplicate of an arm each lot stood for)",
            "mottagningspersonal som känner till metoden{levels_sv} och minns lotterna i sitt stratum skulle kunna gissa rätt för högst {right_sv} av de tio närmaste familjerna, {chance_sv} av en slump, och veta säkert för {most_sv}{forced_sv} av dem (som om det var känt vilken dubblett av en arm varje lott stod för)"
        )
    } else {
        words!(
            "intake staff who know the method{levels_en} and remember the lots of their stratum can guess {right_en} of the next ten families right, {chance_en} by chance, and know {forced_en} of them for certain",
            "mottagningspersonal som känner till metoden{levels_sv} och minns lotterna i sitt stratum kan gissa rätt för {right_sv} av de tio närmaste familjerna, {chance_sv} av en slump, och vet säkert för {forced_sv} av dem"
        )
    };
    let warning = Diagnostic::warning("guessable", told);
    Some(warning.help(method.advice()))
}

/// One decimal, as it is written in each language.
pub(super) fn tenths(number: f64) -> (String, String) {
    let en = format!("{number:.1}");
    let sv = en.replace('.', ",");
    (en, sv)
}

#[cfg(test)]
mod tests {
    use super::super::harder::{Setting, Written};
    use super::{Guessed, guessable};
    use crate::allocation::{Options, read_ratio};
    use crate::diagnostic::Lang;

    /// What is an upper bound is said to be one, in both languages; what is known is not.
    #[test]
    fn a_bound_is_said_to_be_one() {
        let (ratio, options) = (read_ratio("2:1").unwrap(), Options::default());
        let setting = Setting {
            method: "simple",
            options: &options,
            ratio: &ratio,
            families: 30.0,
            strata: 1,
            factors: &[],
            arrived: &[],
            written: Written::Keys,
        };
        for at_most in [true, false] {
            let guessed = Guessed {
                share: 0.9,
                by_ratio_alone: 2.0 / 3.0,
                forced: 0.3,
                at_most,
                forced_at_most: at_most,
                by_levels: false,
                errors: (0.0, 0.0),
                p_balanced: None,
                p_balanced_error: 0.0,
                imbalance_sd: None,
            };
            let warning = guessable(&guessed, &setting).unwrap();
            let (en, sv) = (warning.message.get(Lang::En), warning.message.get(Lang::Sv));
            assert_eq!(en.contains("could guess at most 9.0 of"), at_most, "{en}");
            assert_eq!(sv.contains("rätt för högst 9,0 av"), at_most, "{sv}");
            assert_eq!(en.contains("know at most 3.0 of them"), at_most, "{en}");
            assert_eq!(sv.contains("för högst 3,0 av dem"), at_most, "{sv}");
        }
    }

    /// Blocks of four, 17/24 right and a third certain: reason for a warning. Of a coin at 3:1 whoever names the larger arm
    /// has 7.5 of ten, all of it by chance: none.
    #[test]
    fn a_warning_for_what_the_past_adds_and_for_what_is_certain() {
        let easily = |share, by_ratio_alone, forced| {
            let guessed = Guessed {
                share,
                by_ratio_alone,
                forced,
                at_most: false,
                forced_at_most: false,
                by_levels: false,
                errors: (0.0, 0.0),
                p_balanced: None,
                p_balanced_error: 0.0,
                imbalance_sd: None,
            };
            let unsure = Guessed {
                errors: (0.006, 0.006),
                ..guessed
            };
            // What two standard errors take away decides; the estimate is what is said.
            assert_eq!(
                unsure.easily(),
                share - by_ratio_alone >= 0.112 || forced >= 0.262
            );
            guessed.easily()
        };
        assert!(easily(17.0 / 24.0, 0.5, 1.0 / 3.0));
        assert!(!easily(0.75, 0.75, 0.0));
        assert!(easily(0.75, 0.75, 0.25));
        assert!(easily(0.61, 0.5, 0.0));
        assert!(!easily(0.59, 0.5, 0.24));
    }
}
