//! The results: a table, the forest plot, and for each analysis its estimand, its conclusion and its warnings.

use super::{Fact, Part, Section, role, say, subgroups};
use crate::analysis::results::{AnalysisResult, Compared, TestResult};
use crate::diagnostic::Lang;
use crate::estimation::Estimate;
use crate::protocol::model::Attribute;
use crate::report::effect::{self, Scale};
use crate::report::{Grid, Report, figures, number};
use crate::words;
use std::fmt::Write;

pub(super) fn section(report: &Report<'_>, lang: Lang) -> Section {
    let mut parts = vec![Part::Table(grid(report, lang))];
    parts.extend(figures::draw("forest", report, lang).map(Part::Figure));
    for analysis in &report.analyses.analyses {
        let role = role(analysis.role, analysis.prespecified);
        parts.push(Part::Heading(format!(
            "{} ({})",
            report.name(analysis, lang),
            role.get(lang)
        )));
        let estimand = analysis.estimand.get(lang);
        parts.push(Part::Text(say(
            &words!(
                "What is estimated: {estimand}",
                "Vad som skattas: {estimand}"
            ),
            lang,
        )));
        parts.push(Part::Facts(attributes(analysis, lang)));
        let conclusions = analysis.conclusions();
        parts.extend(conclusions.map(|own| Part::Text(say(own, lang))));
        parts.extend(subgroups::tables(report, analysis, lang));
        for warning in &analysis.warnings {
            parts.push(Part::Alert {
                lead: say(&words!("Note", "Observera"), lang),
                text: say(&warning.message, lang),
            });
        }
    }
    Section {
        id: "results",
        heading: say(&words!("Results", "Resultat"), lang),
        parts,
    }
}

/// The five attributes of the estimand.
fn attributes(analysis: &AnalysisResult, lang: Lang) -> Vec<Fact> {
    let fact = |attribute: &Attribute| Fact {
        name: say(&attribute.name, lang),
        value: say(&attribute.value, lang),
        code: false,
    };
    analysis.attributes.iter().map(fact).collect()
}

/// The limit of the deciding p, or where nothing is decided the registered alpha.
fn alpha(report: &Report<'_>, analysis: &AnalysisResult) -> f64 {
    let mut all = report.protocol.analyses.iter();
    let registered = all.find(|registered| registered.id == analysis.id);
    let registered = registered.map_or(0.05, |registered| registered.alpha);
    analysis.alpha.unwrap_or(registered)
}

/// The results table.
pub(in crate::report) fn grid(report: &Report<'_>, lang: Lang) -> Grid {
    let shared = effect::shared_level(report);
    let level = shared.map(|level| effect::level(level, lang));
    let mut head = vec![say(&words!("Outcome", "Utfall"), lang)];
    head.extend(report.protocol.arms.iter().map(|arm| say(&arm.label, lang)));
    let mixed = report.analyses.analyses.iter().any(|analysis| {
        let first = analysis.results.first();
        first.is_some_and(|own| effect::scale(analysis, own) == Scale::Other)
    });
    let effect = match (mixed, level) {
        (true, Some(level)) => words!("Effect ({level} interval)", "Effekt ({level} intervall)"),
        (false, Some(level)) => words!(
            "Difference ({level} interval)",
            "Skillnad ({level} intervall)"
        ),
        (true, None) => words!(
            "Effect (interval, with its level)",
            "Effekt (intervall, med dess nivå)"
        ),
        (false, None) => words!(
            "Difference (interval, with its level)",
            "Skillnad (intervall, med dess nivå)"
        ),
    };
    head.push(say(&effect, lang));
    head.push("p".to_string());
    let caption = if report.analyses.dry_run {
        words!(
            "Results of the registered analyses – dry run with redrawn arms",
            "Resultat av de registrerade analyserna – provkörning med omlottade grupper"
        )
    } else {
        words!(
            "Results of the registered analyses",
            "Resultat av de registrerade analyserna"
        )
    };
    let mut grid = Grid::numbers(say(&caption, lang), head);
    let (mut points, mut adjusted) = (false, false);
    for analysis in &report.analyses.analyses {
        for (index, estimate) in effect::rows(report, analysis) {
            let scale = effect::scale(analysis, estimate);
            points |= scale == Scale::Points;
            let mut cells: Vec<String> = report
                .protocol
                .arms
                .iter()
                .enumerate()
                .map(|(arm, _)| {
                    let outcome = analysis
                        .arms
                        .iter()
                        .find(|outcome| usize::from(outcome.arm.0) == arm && index == 0);
                    outcome.map_or_else(String::new, |outcome| effect::seen(outcome, lang))
                })
                .collect();
            cells.push(effect::text(analysis, estimate, shared, lang));
            // The test of a comparison stands in the row of its effect.
            let compared = analysis.compared_first(index);
            let test = compared.and_then(|own| own.test);
            // Where a registered test does not exist no other p stands in its place.
            let untested = compared.is_some_and(|own| own.test_registered && own.test.is_none());
            let own = estimate.p_value.filter(|_| !untested);
            let p = test.map(|test| test.p_value).or(own);
            adjusted |= compared.is_some_and(|own| own.p_adjusted.is_some());
            cells.push(p.map_or_else(
                || number::UNDEFINED.to_string(),
                |p| number::p_value(p, alpha(report, analysis), lang),
            ));
            if index == 0 {
                let name = role(analysis.role, analysis.prespecified);
                let label = format!("{} ({})", report.name(analysis, lang), name.get(lang));
                grid.row(label, cells);
            } else {
                let label = effect::row_label(report, estimate, lang);
                grid.sub(label, cells);
            }
        }
    }
    if points {
        grid.notes.push(say(
            &words!(
                "Arms: families with the outcome out of families analysed, unadjusted. Differences of proportions are in percentage points and adjusted as registered, so they need not equal the difference of the two percentages.",
                "Grupper: familjer med utfallet av analyserade familjer, ojusterat. Skillnader mellan andelar är i procentenheter och justerade enligt registreringen, och behöver därför inte vara lika med skillnaden mellan de två procenttalen."
            ),
            lang,
        ));
    }
    if adjusted {
        grid.notes.push(say(
            &words!(
                "The p of this table are not adjusted for how many comparisons there are; where an adjusted p decides, the text below has it.",
                "Tabellens p-värden är inte justerade för hur många jämförelser det finns; där ett justerat p avgör står det i texten nedan."
            ),
            lang,
        ));
    }
    for analysis in &report.analyses.analyses {
        if let Some(estimate) = analysis.results.first() {
            grid.notes.push(method(report, analysis, estimate, lang));
        }
        if !analysis.looks.is_empty() {
            grid.notes.push(looks(report, analysis, lang));
        }
    }
    grid
}

/// How the numbers of an analysis were made: in one sentence, and one more for each arm where comparisons differ in it.
fn method(report: &Report<'_>, analysis: &AnalysisResult, first: &Estimate, lang: Lang) -> String {
    let outcome = report.name(analysis, lang);
    let (estimator, variance) = (&first.estimator, &first.variance);
    let each: Vec<(String, String)> = (0..analysis.comparisons())
        .filter_map(|place| {
            let compared = analysis.compared(place);
            let row = compared.rows.first()?;
            let arm = effect::treated(report, row).map(|arm| report.arm(arm, lang));
            let made = made(analysis, compared, row, lang);
            Some((arm.unwrap_or_default().to_owned(), made))
        })
        .collect();
    let alike = each.windows(2).all(|pair| pair[0].1 == pair[1].1);
    let made = each.first().map_or("", |own| own.1.as_str());
    if alike {
        return say(
            &words!(
                "{outcome}: {estimator}, variance {variance}{made}",
                "{outcome}: {estimator}, varians {variance}{made}"
            ),
            lang,
        );
    }
    let mut text = say(
        &words!(
            "{outcome}: {estimator}, variance {variance}.",
            "{outcome}: {estimator}, varians {variance}."
        ),
        lang,
    );
    for (arm, made) in each {
        let made = made.trim_start_matches([',', ';', ' ']);
        let _ = write!(text, " {arm}: {made}");
    }
    text
}

/// Degrees of freedom and test of a comparison, after its variance.
fn made(
    analysis: &AnalysisResult,
    compared: Compared<'_>,
    estimate: &Estimate,
    lang: Lang,
) -> String {
    let df = estimate.df.map_or_else(String::new, |df| {
        let df = number::fixed(df, 1, lang);
        say(
            &words!(", {df} degrees of freedom", ", {df} frihetsgrader"),
            lang,
        )
    });
    let test = match (compared.test, compared.test_registered) {
        (Some(test), _) => {
            let mut text = tested(test, lang);
            text.push_str(&constant(analysis, estimate, test, lang));
            text
        }
        (None, true) => say(
            &words!(
                "the registered randomization test does not exist here, and no other p decides.",
                "det registrerade randomiseringstestet finns inte här, och inget annat p-värde avgör."
            ),
            lang,
        ),
        (None, false) => say(
            &words!(
                "p from the estimator; no randomization test is registered.",
                "p från skattningsmetoden; inget randomiseringstest är registrerat."
            ),
            lang,
        ),
    };
    format!("{df}; {test}")
}

/// The looks so far, and what each may decide.
fn looks(report: &Report<'_>, analysis: &AnalysisResult, lang: Lang) -> String {
    let outcome = report.name(analysis, lang);
    let number = |value: f64, places| number::fixed(value, places, lang);
    let each: Vec<String> = analysis
        .looks
        .iter()
        .map(|look| {
            let (lock, z) = (&look.lock, number(look.z, 2));
            let critical = look
                .critical
                .map_or_else(|| number::UNDEFINED.to_string(), |own| number(own, 2));
            let share = number(100.0 * look.information, 0);
            let spent = number(look.cumulative_alpha, 4);
            say(
                &words!(
                    "{lock}: z {z}, critical value {critical}, {share} % of the information so far, alpha spent {spent}",
                    "{lock}: z {z}, kritiskt värde {critical}, {share} % av informationen hittills, förbrukat alfa {spent}"
                ),
                lang,
            )
        })
        .collect();
    let each = each.join("; ");
    let repeated = analysis.results.first().map(|row| row.interval.as_str()) == Some("repeated");
    if !repeated {
        return say(
            &words!("{outcome}, looks: {each}.", "{outcome}, tittar: {each}."),
            lang,
        );
    }
    say(
        &words!(
            "{outcome}, looks: {each}. The interval is a repeated one: it holds however the looks went.",
            "{outcome}, tittar: {each}. Intervallet är upprepat: det gäller hur tittarna än föll ut."
        ),
        lang,
    )
}

/// The interval of the test's inversion, where it has both ends.
fn constant(
    analysis: &AnalysisResult,
    estimate: &Estimate,
    test: &TestResult,
    lang: Lang,
) -> String {
    let scale = effect::scale(analysis, estimate);
    let limit = |value| effect::shown(scale, value);
    let (low, high) = (limit(test.conf_low), limit(test.conf_high));
    if low.is_none() || high.is_none() {
        return String::new();
    }
    let range = number::interval(low, high, effect::places(scale), lang);
    let level = effect::level(test.level, lang);
    let sentence = words!(
        " If the effect were the same for everyone, the test would not reject {range} ({level}).",
        " Om effekten vore densamma för alla skulle testet inte förkasta {range} ({level})."
    );
    say(&sentence, lang)
}

/// How the randomization test was run.
fn tested(test: &TestResult, lang: Lang) -> String {
    let draws = number::count(test.draws, lang);
    let mut text = if test.exact {
        say(
            &words!(
                "p from the randomization test over all {draws} possible allocations.",
                "p från randomiseringstestet över alla {draws} möjliga lottningar."
            ),
            lang,
        )
    } else {
        let mcse = number::fixed(test.mcse, 4, lang);
        say(
            &words!(
                "p from the randomization test with {draws} redraws (Monte Carlo standard error {mcse}).",
                "p från randomiseringstestet med {draws} omlottningar (Monte Carlo-medelfel {mcse})."
            ),
            lang,
        )
    };
    if test.failed > 0 {
        let failed = number::count(test.failed, lang);
        text.push(' ');
        text.push_str(&say(
            &words!(
                "On {failed} of them the statistic could not be computed; they count as at least as extreme.",
                "På {failed} av dem gick teststorheten inte att beräkna; de räknas som minst lika extrema."
            ),
            lang,
        ));
    }
    if let Some(why) = &test.approximate {
        text.push(' ');
        text.push_str(why.get(lang));
    }
    text
}
