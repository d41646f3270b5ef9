//! What an analysis says in words: a conclusion in natural frequencies. The estimand's sentence is the protocol's own.
//!
//! A result is always *compatible with* a range. That nothing happened is never said, whatever the numbers, and a small
//! p is not called by the word that is usual for it: the sentence says what the registered test decides.

mod compliers;
mod decision;

use self::compliers::Compatible;
use self::decision::decision;
use super::results::{AnalysisResult, ArmOutcome};
use crate::allocation::Arm;
use crate::diagnostic::{Lang, Words};
use crate::estimation::Estimate;
use crate::protocol::Protocol;
use crate::protocol::model::{Analysis, Average, Missing, OutcomeKind, Summary};
use crate::words;

/// In what the effect is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scale {
    /// Families of 100.
    Families,
    /// Families of 100 that are without the outcome.
    Without,
    /// Events per 100 families.
    Events,
    /// Children of 100.
    Children(Average),
    /// Events per child.
    ChildEvents(Average),
    /// Days.
    Days,
    /// Days without the outcome.
    FreeDays,
    /// The outcome's own unit.
    Value,
    /// A ratio, with 1 for no effect.
    Ratio,
    /// A probability, with one half for no effect.
    Index,
    /// None: a test.
    Test,
}

impl Scale {
    /// The value of no effect.
    fn null(self) -> f64 {
        match self {
            Self::Ratio => 1.0,
            Self::Index => 0.5,
            Self::Families
            | Self::Without
            | Self::Events
            | Self::Children(_)
            | Self::ChildEvents(_)
            | Self::Days
            | Self::FreeDays
            | Self::Value
            | Self::Test => 0.0,
        }
    }
}

/// The value of no effect, on the scale of the analysis' measure.
pub(super) fn null(protocol: &Protocol, analysis: &Analysis) -> f64 {
    scale(protocol, analysis).null()
}

fn scale(protocol: &Protocol, analysis: &Analysis) -> Scale {
    match analysis.estimand.measure.as_str() {
        "survival-difference" => return Scale::Without,
        "restricted-mean-difference" => return Scale::FreeDays,
        "probability-index" => return Scale::Index,
        "test" => return Scale::Test,
        measure if measure.contains("ratio") => return Scale::Ratio,
        _ => {}
    }
    if let Some(average) = analysis.children {
        return match analysis.summary {
            Summary::Any => Scale::Children(average),
            Summary::Count | Summary::FirstTime | Summary::Value => Scale::ChildEvents(average),
        };
    }
    match (&protocol.outcomes[analysis.outcome].kind, analysis.summary) {
        (_, Summary::Any | Summary::FirstTime) | (OutcomeKind::Binary { .. }, _) => Scale::Families,
        (OutcomeKind::Reports { .. }, Summary::Count | Summary::Value) => Scale::Events,
        (OutcomeKind::Duration { .. }, Summary::Count | Summary::Value) => Scale::Days,
        (OutcomeKind::Observed { .. }, Summary::Count | Summary::Value) => Scale::Value,
    }
}

/// The name of a ratio in a sentence.
fn ratio_name(measure: &str) -> Words {
    match measure {
        "risk-ratio" => words!("risk ratio", "riskkvot"),
        "odds-ratio" => words!("odds ratio", "oddskvot"),
        "rate-ratio" => words!("rate ratio", "frekvenskvot"),
        "hazard-ratio" => words!("hazard ratio", "hasardkvot"),
        "subdistribution-hazard-ratio" => {
            words!("subdistribution hazard ratio", "subfördelningshasardkvot")
        }
        _ => words!("ratio of event-free days", "kvot mellan händelsefria dagar"),
    }
}

/// The English indefinite article before a name.
fn article(name: &str) -> &'static str {
    if name.starts_with(['a', 'e', 'i', 'o', 'u']) {
        "an"
    } else {
        "a"
    }
}

/// A number that can be said: sentences count per 100 families, so a hundredfold must be one too.
fn finite(value: Option<f64>) -> Option<f64> {
    value.filter(|value| (100.0 * value).is_finite())
}

/// What the comparison of a treated arm says, from the interval of its first estimate and the deciding p; of an effect among compliers from the
/// set of Anderson and Rubin, which holds whatever the strength of the first stage.
pub fn conclusion(
    protocol: &Protocol,
    analysis: &Analysis,
    treated: Arm,
    result: &AnalysisResult,
    dry_run: bool,
) -> Words {
    let scale = scale(protocol, analysis);
    let label = |arm: Arm| &protocol.arms[arm.index()].label;
    let compared = result.compared(result.comparison_with(treated));
    let between = Between {
        scale,
        measure: &analysis.estimand.measure,
        outcome: match analysis.children {
            Some(_) => &protocol.outcomes[analysis.outcome].label,
            None => &result.outcome_label,
        },
        treated: label(treated),
        control: label(protocol.control),
    };
    let row = compared.rows.first();
    let estimate = finite(row.and_then(|row| row.estimate));
    let limits = row.and_then(|row| Some((finite(row.conf_low)?, finite(row.conf_high)?)));
    let endless = row.and_then(Estimate::endless);
    let one_limit = row.filter(|_| endless.is_some());
    let one_limit = one_limit.and_then(|row| finite(row.conf_low.or(row.conf_high)));
    let mut parts = Vec::new();
    if dry_run {
        parts.push(Words::new(
            "Dry run with redrawn arms: nothing here says anything about the study.",
            "Provkörning med omlottade grupper: ingenting här säger något om studien.",
        ));
    }
    if analysis.received.is_some() {
        parts.push(words!(
            "This is about the families that receive the service if and only if they are allocated to it.",
            "Detta gäller de familjer som får insatsen om och endast om de lottas till den."
        ));
    }
    let set = compared.anderson_rubin().and_then(Compatible::of);
    match (set, limits) {
        (Some(set), _) => parts.extend(compliers::said(&between, set)),
        _ if scale == Scale::Test => parts.push(between.tested()),
        _ if endless.is_some() && one_limit.is_some() => {
            parts.extend(endless.zip(one_limit).map(|own| between.open(own)));
        }
        // A complier's Wald interval stands for no set.
        (None, Some((low, high))) if compared.anderson_rubin().is_none() => {
            parts.push(between.compatible(low, high));
        }
        _ => {
            let several = (protocol.arms.len() > 2).then_some(&between);
            let seen = result.arms.iter().any(|arm| arm.analysed > 0);
            parts.push(match compared.refused.filter(|_| seen) {
                Some(why) => unanswered(&analysis.estimator, why, several),
                None => unlimited(&result.arms, several),
            });
        }
    }
    let limited = match set {
        Some(set) => set.is_bounded(),
        None => limits.is_some(),
    };
    let shown = set.map_or(limits, Compatible::interval);
    let bounds = analysis.missing == Missing::Bounds;
    let upper = compared.rows.get(1).filter(|_| bounds);
    let upper = finite(upper.and_then(|row| row.estimate));
    match (estimate, limited, upper) {
        (Some(low), _, Some(high)) => {
            let range = between.range(between.said(low), between.said(high));
            let (en, sv) = (range.en, range.sv);
            parts.push(words!(
                "The bounds of the effect: {en}.",
                "Effektens gränser: {sv}."
            ));
        }
        (Some(estimate), true, None) => parts.push(between.best(estimate, shown)),
        _ => {}
    }
    if !dry_run {
        let open = set.is_some_and(Compatible::is_of_both_signs);
        parts.extend(decision(
            (protocol, result),
            &compared,
            &between,
            (estimate.or(endless), open),
        ));
    }
    parts.extend(row.and_then(proportional).filter(|_| !dry_run));
    let join = |lang: Lang| {
        let texts: Vec<&str> = parts.iter().map(|part| part.get(lang)).collect();
        texts.join(" ")
    };
    Words::new(join(Lang::En), join(Lang::Sv))
}

/// What is said of the check of proportional hazards beside a ratio: it describes.
fn proportional(row: &Estimate) -> Option<Words> {
    let p = row.extra.get("proportional_hazards_p_value")?.as_f64()?;
    let text = |lang| match p {
        p if p < 0.001 => localize("< 0.001", lang),
        p => localize(&format!("= {p:.3}"), lang),
    };
    let (en, sv) = (text(Lang::En), text(Lang::Sv));
    Some(words!(
        "Whether the ratio changed during follow-up was checked (p {en}); the check describes and decides nothing.",
        "Om kvoten ändrades under uppföljningen kontrollerades (p {sv}); kontrollen beskriver och avgör ingenting."
    ))
}

/// How children count in an average over them.
fn alike(average: Average) -> Words {
    match average {
        Average::Child => words!(", each child counting alike", ", där varje barn väger lika"),
        Average::Family => words!(
            ", each family counting alike",
            ", där varje familj väger lika"
        ),
    }
}

/// The arms that are compared, where there are several comparisons.
fn which(several: Option<&Between<'_>>) -> Words {
    several.map_or_else(Words::default, |own| {
        let (t_en, c_en) = (&own.treated.en, &own.control.en);
        let (t_sv, c_sv) = (&own.treated.sv, &own.control.sv);
        words!(
            " for {t_en} compared with {c_en}",
            " för {t_sv} jämfört med {c_sv}"
        )
    })
}

/// That the estimator has no answer, and why: what the data are compatible with is another question, which it leaves open.
fn unanswered(estimator: &str, why: &Words, several: Option<&Between<'_>>) -> Words {
    let Words { en, sv } = which(several);
    let (why_en, why_sv) = (&why.en, &why.sv);
    words!(
        "The method `{estimator}` gives no answer{en} from these data: {why_en}. Which differences the data are compatible with is not said here.",
        "Metoden `{estimator}` ger inget svar{sv} utifrån dessa data: {why_sv}. Vilka skillnader data är förenliga med sägs inte här."
    )
}

/// That there is no interval.
fn unlimited(arms: &[ArmOutcome], several: Option<&Between<'_>>) -> Words {
    let Words { en, sv } = which(several);
    let analysed: u32 = arms.iter().map(|arm| arm.analysed).sum();
    if analysed == 0 {
        words!(
            "No family has an outcome yet, so the result{en} is compatible with any difference.",
            "Ingen familj har något utfall än, så resultatet{sv} är förenligt med vilken skillnad som helst."
        )
    } else {
        words!(
            "The data give no interval{en}; which differences they are compatible with is not said here.",
            "Data ger inget intervall{sv}; vilka skillnader de är förenliga med sägs inte här."
        )
    }
}

/// A difference between two arms in words.
struct Between<'a> {
    scale: Scale,
    measure: &'a str,
    outcome: &'a Words,
    treated: &'a Words,
    control: &'a Words,
}

impl Between<'_> {
    fn null(&self) -> f64 {
        self.scale.null()
    }

    fn tested(&self) -> Words {
        let (o_en, o_sv) = (&self.outcome.en, &self.outcome.sv);
        let (t_en, t_sv) = (&self.treated.en, &self.treated.sv);
        let (c_en, c_sv) = (&self.control.en, &self.control.sv);
        words!(
            "The test asks whether the hazard of “{o_en}” differs between {t_en} and {c_en}; it does not say by how much.",
            "Testet frågar om hasarden för ”{o_sv}” skiljer sig mellan {t_sv} och {c_sv}; det säger inte hur mycket."
        )
    }

    /// A ratio without a finite estimate, and the one limit of what is compatible.
    fn open(&self, (ratio, limit): (f64, f64)) -> Words {
        let (o_en, o_sv) = (&self.outcome.en, &self.outcome.sv);
        let (t_en, t_sv) = (&self.treated.en, &self.treated.sv);
        let (c_en, c_sv) = (&self.control.en, &self.control.sv);
        let [limit_en, limit_sv] = [Lang::En, Lang::Sv].map(|lang| decimal(limit, 2, lang));
        let (en, sv) = if ratio > 0.0 {
            (
                format!("{limit_en} and any ratio above it"),
                format!("{limit_sv} och varje kvot över den"),
            )
        } else {
            (
                format!("{limit_en} and any ratio below it, down to 0"),
                format!("{limit_sv} och varje kvot under den, ned till 0"),
            )
        };
        let Words {
            en: name_en,
            sv: name_sv,
        } = ratio_name(self.measure);
        words!(
            "The {name_en} of “{o_en}” between {t_en} and {c_en} has no finite estimate; the result is compatible with {en}.",
            "För ”{o_sv}” har {name_sv} mellan {t_sv} och {c_sv} ingen ändlig skattning; resultatet är förenligt med {sv}."
        )
    }

    /// Value as it is said: per 100 families where that is natural; a proportion never beyond all families.
    fn said(&self, value: f64) -> f64 {
        match self.scale {
            Scale::Families | Scale::Without | Scale::Children(_) => {
                (100.0 * value).clamp(-100.0, 100.0)
            }
            Scale::Events => 100.0 * value,
            Scale::ChildEvents(_)
            | Scale::Days
            | Scale::FreeDays
            | Scale::Value
            | Scale::Ratio
            | Scale::Index
            | Scale::Test => value,
        }
    }

    /// The words for less and more.
    fn directions(&self) -> (Words, Words) {
        match self.scale {
            Scale::Families
            | Scale::Without
            | Scale::Events
            | Scale::Children(_)
            | Scale::ChildEvents(_) => (Words::new("fewer", "färre"), Words::new("more", "fler")),
            Scale::Ratio => (
                Words::new("a ratio below 1", "en kvot under 1"),
                Words::new("a ratio above 1", "en kvot över 1"),
            ),
            Scale::Index => (
                Words::new(
                    "a probability below one half",
                    "en sannolikhet under en halv",
                ),
                Words::new(
                    "a probability above one half",
                    "en sannolikhet över en halv",
                ),
            ),
            Scale::Test => (
                Words::new("a difference", "en skillnad"),
                Words::new("a difference", "en skillnad"),
            ),
            Scale::Days | Scale::FreeDays => (
                Words::new("days fewer", "dagar färre"),
                Words::new("days more", "dagar fler"),
            ),
            Scale::Value => (Words::new("lower", "lägre"), Words::new("higher", "högre")),
        }
    }

    fn direction(&self, value: f64) -> Words {
        let (less, more) = self.directions();
        if value < 0.0 { less } else { more }
    }

    fn compatible(&self, low: f64, high: f64) -> Words {
        if matches!(self.scale, Scale::Ratio | Scale::Index) {
            return self.compatible_ratio(low, high);
        }
        let range = self.range(self.said(low), self.said(high));
        let (r_en, r_sv) = (range.en, range.sv);
        let (o_en, o_sv) = (&self.outcome.en, &self.outcome.sv);
        let (t_en, t_sv) = (&self.treated.en, &self.treated.sv);
        let (c_en, c_sv) = (&self.control.en, &self.control.sv);
        match self.scale {
            Scale::Families => words!(
                "Per 100 families, the result is compatible with {r_en} with the outcome “{o_en}” among families allocated to {t_en} than among those allocated to {c_en}.",
                "Per 100 familjer är resultatet förenligt med {r_sv} med utfallet ”{o_sv}” bland familjer lottade till {t_sv} än bland dem lottade till {c_sv}."
            ),
            Scale::Without => words!(
                "Per 100 families, the result is compatible with {r_en} without the outcome “{o_en}” at the horizon among families allocated to {t_en} than among those allocated to {c_en}.",
                "Per 100 familjer är resultatet förenligt med {r_sv} utan utfallet ”{o_sv}” vid horisonten bland familjer lottade till {t_sv} än bland dem lottade till {c_sv}."
            ),
            Scale::FreeDays => words!(
                "The result is compatible with a mean number of days without “{o_en}” that is {r_en} among families allocated to {t_en} than among those allocated to {c_en}.",
                "Resultatet är förenligt med ett medelantal dagar utan ”{o_sv}” som är {r_sv} bland familjer lottade till {t_sv} än bland dem lottade till {c_sv}."
            ),
            Scale::Events => words!(
                "Per 100 families, the result is compatible with {r_en} events of “{o_en}” among families allocated to {t_en} than among those allocated to {c_en}.",
                "Per 100 familjer är resultatet förenligt med {r_sv} händelser av ”{o_sv}” bland familjer lottade till {t_sv} än bland dem lottade till {c_sv}."
            ),
            Scale::Children(average) => {
                let Words { en, sv } = alike(average);
                words!(
                    "Per 100 children, the result is compatible with {r_en} with the outcome “{o_en}” in families allocated to {t_en} than in those allocated to {c_en}{en}.",
                    "Per 100 barn är resultatet förenligt med {r_sv} med utfallet ”{o_sv}” i familjer lottade till {t_sv} än i dem lottade till {c_sv}{sv}."
                )
            }
            Scale::ChildEvents(average) => {
                let Words { en, sv } = alike(average);
                words!(
                    "Per child, the result is compatible with {r_en} events of “{o_en}” in families allocated to {t_en} than in those allocated to {c_en}{en}.",
                    "Per barn är resultatet förenligt med {r_sv} händelser av ”{o_sv}” i familjer lottade till {t_sv} än i dem lottade till {c_sv}{sv}."
                )
            }
            Scale::Days | Scale::Value | Scale::Ratio | Scale::Index | Scale::Test => words!(
                "The result is compatible with a mean of “{o_en}” that is {r_en} among families allocated to {t_en} than among those allocated to {c_en}.",
                "Resultatet är förenligt med ett medelvärde av ”{o_sv}” som är {r_sv} bland familjer lottade till {t_sv} än bland dem lottade till {c_sv}."
            ),
        }
    }

    fn compatible_ratio(&self, low: f64, high: f64) -> Words {
        let (l_en, h_en) = (decimal(low, 2, Lang::En), decimal(high, 2, Lang::En));
        let (l_sv, h_sv) = (decimal(low, 2, Lang::Sv), decimal(high, 2, Lang::Sv));
        let (o_en, o_sv) = (&self.outcome.en, &self.outcome.sv);
        let (t_en, t_sv) = (&self.treated.en, &self.treated.sv);
        let (c_en, c_sv) = (&self.control.en, &self.control.sv);
        if self.scale == Scale::Index {
            return words!(
                "The result is compatible with a probability between {l_en} and {h_en} that a family allocated to {t_en} has more of “{o_en}” than one allocated to {c_en}, ties counting half.",
                "Resultatet är förenligt med en sannolikhet mellan {l_sv} och {h_sv} att en familj lottad till {t_sv} har mer av ”{o_sv}” än en lottad till {c_sv}, där lika räknas till hälften."
            );
        }
        let Words { en, sv } = ratio_name(self.measure);
        let article = article(&en);
        words!(
            "The result is compatible with {article} {en} of “{o_en}” between {l_en} and {h_en} for families allocated to {t_en} compared with those allocated to {c_en}; 1 would be equal in both.",
            "Resultatet är förenligt med en {sv} för ”{o_sv}” mellan {l_sv} och {h_sv} för familjer lottade till {t_sv} jämfört med dem lottade till {c_sv}; 1 vore lika i båda."
        )
    }

    /// `between 14 fewer and 3 more`, `between 14 and 3 fewer`.
    fn range(&self, low: f64, high: f64) -> Words {
        let places = places(low, high, high - low);
        let (less, more) = self.directions();
        let side = |lang: Lang| {
            let text = |value: f64| decimal(value.abs(), places, lang);
            let (less, more) = (less.get(lang), more.get(lang));
            let (between, and, even) = match lang {
                Lang::En => ("between", "and", "equally many"),
                Lang::Sv => ("mellan", "och", "lika många"),
            };
            let even = match (self.scale, lang) {
                (
                    Scale::Families
                    | Scale::Without
                    | Scale::Events
                    | Scale::Children(_)
                    | Scale::ChildEvents(_),
                    _,
                ) => even,
                (_, Lang::En) => "equal",
                (_, Lang::Sv) => "lika",
            };
            let limit = |value: f64| {
                if value < 0.0 {
                    format!("{} {less}", text(value))
                } else if value > 0.0 {
                    format!("{} {more}", text(value))
                } else {
                    even.to_owned()
                }
            };
            if low < 0.0 && high < 0.0 {
                format!("{between} {} {and} {} {less}", text(low), text(high))
            } else if low > 0.0 && high > 0.0 {
                format!("{between} {} {and} {} {more}", text(low), text(high))
            } else {
                format!("{between} {} {and} {}", limit(low), limit(high))
            }
        };
        Words::new(side(Lang::En), side(Lang::Sv))
    }

    /// A difference by itself: `14 fewer`; with the decimals of an interval of such a width, where there is one.
    fn limit(&self, value: f64, width: Option<f64>) -> Words {
        let value = self.said(value);
        if value == 0.0 {
            return words!("equal in both", "lika i båda");
        }
        let places = places(value, value, width.unwrap_or(0.0));
        let direction = self.direction(value);
        let text = |lang: Lang| decimal(value.abs(), places, lang);
        let (en, sv) = (text(Lang::En), text(Lang::Sv));
        let (d_en, d_sv) = (direction.en, direction.sv);
        words!("{en} {d_en}", "{sv} {d_sv}")
    }

    fn best(&self, estimate: f64, limits: Option<(f64, f64)>) -> Words {
        let value = self.said(estimate);
        if matches!(self.scale, Scale::Ratio | Scale::Index) {
            let (en, sv) = (decimal(value, 2, Lang::En), decimal(value, 2, Lang::Sv));
            return words!("Best estimate: {en}.", "Bästa skattning: {sv}.");
        }
        if value.abs() > 0.0 {
            let width = limits.map(|(low, high)| self.said(high) - self.said(low));
            let Words { en, sv } = self.limit(estimate, width);
            words!("Best estimate: {en}.", "Bästa skattning: {sv}.")
        } else {
            Words::new(
                "Best estimate: equal in both.",
                "Bästa skattning: lika i båda.",
            )
        }
    }
}

/// Decimals so that neither number is rounded to zero, and a unit of the last is at most a tenth of an interval of such a width (0:
/// there is none); at most four.
fn places(low: f64, high: f64, width: f64) -> usize {
    let vanishes = |value: f64, places: usize| {
        let unit = 10f64.powi(places as i32);
        value.abs() > 0.0 && (value.abs() * unit).round() < 1.0
    };
    (0..4)
        .find(|places| {
            let is_fine = 10f64.powi(-(*places as i32)) <= 0.1 * width || width <= 0.0;
            is_fine && !vanishes(low, *places) && !vanishes(high, *places)
        })
        .unwrap_or(4)
}

/// A number with so many decimals and the decimal mark of the language.
fn decimal(value: f64, places: usize, lang: Lang) -> String {
    localize(&format!("{value:.places$}"), lang)
}

fn localize(text: &str, lang: Lang) -> String {
    match lang {
        Lang::En => text.to_owned(),
        Lang::Sv => text.replace('.', ","),
    }
}
