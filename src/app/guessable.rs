//! When lots can be guessed so well that a person should hear of it: one rule and one sentence for `check`, which knows a
//! protocol, and `draw --characteristics`, which knows a method alone.

use crate::diagnostic::Diagnostic;
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
    /// Whether that guesser knows every family's levels.
    pub(super) by_levels: bool,
}

/// The warning, if there is reason for one.
pub(super) fn guessable(guessed: &Guessed) -> Option<Diagnostic> {
    let Guessed {
        share,
        by_ratio_alone,
        forced,
        by_levels,
    } = *guessed;
    if share - by_ratio_alone < ADVANTAGE && forced < FORCED {
        return None;
    }
    let (right_en, right_sv) = tenths(10.0 * share);
    let (chance_en, chance_sv) = tenths(10.0 * by_ratio_alone);
    let (forced_en, forced_sv) = tenths(10.0 * forced);
    let (levels_en, levels_sv) = if by_levels {
        (" and every family's levels", " och alla familjers nivåer")
    } else {
        ("", "")
    };
    let warning = Diagnostic::warning(
        "guessable",
        words!(
            "intake staff who know the method{levels_en} and remember the lots of their stratum can guess {right_en} of the next ten families right, {chance_en} by chance, and know {forced_en} of them for certain",
            "mottagningspersonal som känner metoden{levels_sv} och minns lotterna i sitt stratum kan gissa {right_sv} av de nästa tio familjerna rätt, {chance_sv} av en slump, och vet {forced_sv} av dem säkert"
        ),
    );
    Some(warning.help(words!(
        "use `big-stick` with a larger `max_imbalance`, longer or several block lengths, or minimization with a smaller `probability`, and let nobody at intake see earlier lots",
        "använd `big-stick` med större `max_imbalance`, längre eller flera blocklängder, eller minimering med mindre `probability`, och låt ingen i mottagningen se tidigare lotter"
    )))
}

/// One decimal, as it is written in each language.
pub(super) fn tenths(number: f64) -> (String, String) {
    let en = format!("{number:.1}");
    let sv = en.replace('.', ",");
    (en, sv)
}

#[cfg(test)]
mod tests {
    use super::{Guessed, guessable};

    /// Blocks of four, 17/24 right and a third certain: 7.1 of ten and 3.3. Of a coin at 3:1 whoever names the larger arm has
    /// 7.5 of ten, all of it by chance: no warning.
    #[test]
    fn a_warning_for_what_the_past_adds_and_for_what_is_certain() {
        let of = |share, by_ratio_alone, forced| {
            let found = guessable(&Guessed {
                share,
                by_ratio_alone,
                forced,
                by_levels: false,
            });
            found.map(|warning| warning.message.en)
        };
        let blocks = of(17.0 / 24.0, 0.5, 1.0 / 3.0).unwrap();
        assert!(blocks.contains("guess 7.1 of the next ten families right, 5.0 by chance"));
        assert!(blocks.contains("know 3.3 of them"), "{blocks}");
        assert_eq!(of(0.75, 0.75, 0.0), None);
        assert!(of(0.75, 0.75, 0.25).is_some());
        assert!(of(0.61, 0.5, 0.0).is_some());
        assert_eq!(of(0.59, 0.5, 0.24), None);
    }
}
