//! What a comparison decides in words: by its p, adjusted as registered, and the limit.

use super::{Between, Scale, localize};
use crate::analysis::results::{AnalysisResult, Compared};
use crate::diagnostic::{Lang, Words};
use crate::numerics::shares::within;
use crate::protocol::Protocol;
use crate::protocol::model::{Multiplicity, Role};
use crate::words;

/// What the deciding test says, in the direction of the estimate, unless effects in both directions are compatible with the
/// result all the same. An analysis that is exploratory or was not registered concludes nothing, whatever its p.
pub(super) fn decision(
    (protocol, result): (&Protocol, &AnalysisResult),
    compared: &Compared<'_>,
    between: &Between<'_>,
    (estimate, both): (Option<f64>, bool),
) -> Option<Words> {
    let Some(alpha) = result.alpha else {
        return Some(Words::new(
            "This lock describes and decides nothing.",
            "Den här låsningen beskriver och avgör ingenting.",
        ));
    };
    if result.role == Role::Exploratory || !result.prespecified {
        return Some(screened(result, compared, alpha));
    }
    if let Some(said) = taken_earlier(result, compared, alpha) {
        return Some(said);
    }
    let p = compared.p_adjusted.or(compared.deciding_p())?;
    let (en, sv) = (number_p(p, alpha, Lang::En), number_p(p, alpha, Lang::Sv));
    let (limit_en, limit_sv) = (plain(alpha, Lang::En), plain(alpha, Lang::Sv));
    let rule = match result.role {
        Role::Primary => protocol.primary_multiplicity.adjustment(),
        Role::Secondary | Role::Exploratory => {
            protocol.multiplicity.and_then(Multiplicity::adjustment)
        }
    };
    let (p_en, p_sv) = if let (Some(rule), true) = (rule, compared.p_adjusted.is_some()) {
        let (rule_en, rule_sv) = (rule.en, rule.sv);
        (
            format!("{rule_en}-adjusted p {en}"),
            format!("{rule_sv}-justerat p {sv}"),
        )
    } else {
        (format!("p {en}"), format!("p {sv}"))
    };
    let estimate = match (estimate, between.scale) {
        (None, Scale::Test) => 1.0,
        (estimate, _) => estimate? - between.null(),
    };
    let (who_en, who_sv) = if compared.test_registered {
        ("The registered test", "Det registrerade testet")
    } else if compared.anderson_rubin().is_some() {
        ("The Anderson–Rubin test", "Anderson–Rubins test")
    } else {
        ("The estimator's own test", "Skattningsmetodens eget test")
    };
    Some(if within(p, alpha) && both {
        words!(
            "{who_en} speaks for an effect ({p_en}, limit {limit_en}), but the data leave open in which direction.",
            "{who_sv} talar för en effekt ({p_sv}, gräns {limit_sv}), men data lämnar öppet i vilken riktning."
        )
    } else if within(p, alpha) && estimate.abs() > 0.0 {
        let direction = between.direction(estimate);
        let (d_en, d_sv) = (direction.en, direction.sv);
        words!(
            "{who_en} speaks for {d_en} ({p_en}, limit {limit_en}).",
            "{who_sv} talar för {d_sv} ({p_sv}, gräns {limit_sv})."
        )
    } else {
        words!(
            "{who_en} leaves the direction open ({p_en}, limit {limit_en}).",
            "{who_sv} lämnar riktningen öppen ({p_sv}, gräns {limit_sv})."
        )
    })
}

/// Of a study that an earlier look has decided: where, and that this lock takes nothing back.
fn taken_earlier(result: &AnalysisResult, compared: &Compared<'_>, alpha: f64) -> Option<Words> {
    let lock = &result.decided_earlier()?.lock;
    let here = |lang: Lang| {
        let p = compared.deciding_p().map(|p| number_p(p, alpha, lang));
        p.map_or_else(String::new, |p| format!(" (p {p})"))
    };
    let (en, sv) = (here(Lang::En), here(Lang::Sv));
    Some(words!(
        "The study was decided at the look `{lock}`, where the limit was reached; what has come since describes and decides nothing{en}.",
        "Studien avgjordes vid titten `{lock}`, där gränsen nåddes; det som kommit sedan beskriver och avgör ingenting{sv}."
    ))
}

/// What is said in place of a decision: that there is none, with the p and the q-value.
fn screened(result: &AnalysisResult, compared: &Compared<'_>, alpha: f64) -> Words {
    let numbers = |lang: Lang| {
        let p = compared.deciding_p().map(|p| number_p(p, alpha, lang));
        let q = compared.q_value.map(|q| number_p(q, alpha, lang));
        match (p, q) {
            (Some(p), Some(q)) => format!(" (p {p}, q {q})"),
            (Some(p), None) => format!(" (p {p})"),
            (None, _) => String::new(),
        }
    };
    let (en, sv) = (numbers(Lang::En), numbers(Lang::Sv));
    if result.prespecified {
        words!(
            "The analysis is exploratory: it raises questions and decides nothing{en}.",
            "Analysen är explorativ: den väcker frågor och avgör ingenting{sv}."
        )
    } else {
        words!(
            "The analysis was not registered: it raises questions and decides nothing{en}.",
            "Analysen var inte registrerad: den väcker frågor och avgör ingenting{sv}."
        )
    }
}

fn plain(value: f64, lang: Lang) -> String {
    // A registered limit as it was written; one that follows from looks to four digits, rounded down.
    let written = value.to_string();
    let text = if written.len() > 8 && value > 0.0 {
        let places = (3 - libm::floor(libm::log10(value)) as i32).clamp(0, 12);
        let scale = libm::pow(10.0, f64::from(places));
        format!("{:.*}", places as usize, libm::floor(value * scale) / scale)
    } else {
        written
    };
    localize(&text, lang)
}

/// `= 0.035`, with as many decimals as it takes to stay on its side of the limit; `< 0.001`.
fn number_p(p: f64, alpha: f64, lang: Lang) -> String {
    if p < 0.001 && alpha >= 0.001 {
        return localize("< 0.001", lang);
    }
    let mut text = format!("{p:.3}");
    for places in 3..=8 {
        text = format!("{p:.places$}");
        let shown: f64 = text.parse().unwrap_or(p);
        if shown.total_cmp(&alpha) == p.total_cmp(&alpha) {
            break;
        }
    }
    localize(&format!("= {text}"), lang)
}
