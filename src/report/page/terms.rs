//! The words of the page that need an explanation.

use super::{Fact, Part, Section, say};
use crate::diagnostic::{Lang, Words};
use crate::report::{Report, effect, number};
use crate::words;

/// What an interval promises, at the level that all of the report have.
fn interval(report: &Report<'_>) -> Words {
    let Some(level) = effect::shared_level(report) else {
        return words!(
            "The differences that the data are compatible with. Were the study repeated many times, as large a share of such intervals as their level says would hold the true difference: of 95% intervals 95 of 100.",
            "De skillnader som data är förenliga med. Om studien upprepades många gånger skulle så stor andel av sådana intervall som nivån säger täcka den verkliga skillnaden: av intervall med nivån 95\u{a0}% 95 av 100."
        );
    };
    let whole = (100.0 * level - libm::round(100.0 * level)).abs() < 1e-9;
    let (en, sv) = if whole {
        let share = number::fixed(100.0 * level, 0, Lang::En);
        (format!("{share} of 100"), format!("{share} av 100"))
    } else {
        let (en, sv) = (
            effect::level(level, Lang::En),
            effect::level(level, Lang::Sv),
        );
        (format!("{en} of"), format!("{sv} av"))
    };
    words!(
        "The differences that the data are compatible with. Were the study repeated many times, {en} such intervals would hold the true difference.",
        "De skillnader som data är förenliga med. Om studien upprepades många gånger skulle {sv} sådana intervall täcka den verkliga skillnaden."
    )
}

pub(super) fn section(report: &Report<'_>, lang: Lang) -> Section {
    let terms: [(Words, Words); 12] = [
        (
            words!("Arm", "Grupp"),
            words!(
                "One of the ways of handling that families are drawn to.",
                "Ett av de arbetssätt som familjer lottas till."
            ),
        ),
        (
            words!("Randomized", "Lottad"),
            words!(
                "Drawn by lot to an arm, by a rule that was fixed in advance and can be checked afterwards.",
                "Dragen till en grupp genom lottning, enligt en regel som bestämts i förväg och kan kontrolleras i efterhand."
            ),
        ),
        (
            words!("As randomized", "Analyserad enligt lottning"),
            words!(
                "Every family counts in the arm it was drawn to, whatever service it then received.",
                "Varje familj räknas i den grupp den lottades till, oavsett vilken insats den sedan fick."
            ),
        ),
        (
            words!("Gate", "Intagsstopp"),
            words!(
                "When all places are taken, no family is randomized until one is free; the gate is closed.",
                "När alla platser är upptagna lottas ingen familj förrän en plats är ledig."
            ),
        ),
        (
            words!("Estimand", "Det som skattas (estimand)"),
            words!(
                "Exactly what is to be estimated: for whom, which outcome, which comparison.",
                "Exakt vad som ska skattas: för vilka, vilket utfall, vilken jämförelse."
            ),
        ),
        (
            words!("Percentage point", "Procentenhet"),
            words!(
                "The difference between two percentages: from 40% to 37% is 3 percentage points, 3 families of 100.",
                "Skillnaden mellan två procenttal: från 40\u{a0}% till 37\u{a0}% är 3 procentenheter, 3 familjer av 100."
            ),
        ),
        (
            words!("Confidence interval", "Konfidensintervall"),
            interval(report),
        ),
        (
            words!("Randomization test", "Randomiseringstest"),
            words!(
                "The lots are drawn again many times as they could have fallen, and it is counted how often the difference becomes at least as large as the observed one.",
                "Lottningen görs om många gånger så som den kunde ha fallit ut, och det räknas hur ofta skillnaden blir minst lika stor som den observerade."
            ),
        ),
        (
            words!("p-value", "p-värde"),
            words!(
                "How often the drawing of lots alone gives so large a difference. It is not the probability that the arms are alike.",
                "Hur ofta enbart lottningen ger en så stor skillnad. Det är inte sannolikheten för att grupperna är lika."
            ),
        ),
        (
            words!("Standardized difference", "Standardiserad skillnad"),
            words!(
                "The difference between two means divided by the standard deviation; 0.1 is small.",
                "Skillnaden mellan två medelvärden delad med standardavvikelsen; 0,1 är litet."
            ),
        ),
        (
            words!("Lock and cut", "Låsning och brytdatum"),
            words!(
                "The data are frozen by a lock; what happened up to and including the cut counts.",
                "Data fryses genom en låsning; det som hänt till och med brytdatumet räknas."
            ),
        ),
        (
            words!("Ledger, head, commitment", "Liggare, huvud, utfästelse"),
            words!(
                "Every event is a link in a chain; the head is the fingerprint of the whole chain. The commitment is the fingerprint of the seed, published before the first draw.",
                "Varje händelse är en länk i en kedja; huvudet är hela kedjans fingeravtryck. Utfästelsen är lottfröets fingeravtryck, som lämnades före den första lottdragningen."
            ),
        ),
    ];
    Section {
        id: "terms",
        heading: say(&words!("Words on this page", "Ord på sidan"), lang),
        parts: vec![Part::Facts(
            terms
                .iter()
                .map(|(name, meaning)| Fact {
                    name: say(name, lang),
                    value: say(meaning, lang),
                    code: false,
                })
                .collect(),
        )],
    }
}
