//! Effects by subgroup: a table for each factor, with the contrasts below the levels; and who received the service.

use super::{Part, say};
use crate::analysis::results::AnalysisResult;
use crate::analysis::subgroups::{SubgroupEffect, Subgroups};
use crate::diagnostic::Lang;
use crate::report::effect::{self, Scale};
use crate::report::{Grid, Report, number};
use crate::words;

/// The tables of an analysis.
pub(super) fn tables(report: &Report<'_>, analysis: &AnalysisResult, lang: Lang) -> Vec<Part> {
    let first = analysis.results.first();
    let scale = first.map_or(Scale::Unit, |row| effect::scale(analysis, row));
    let received = funnel(report, analysis, lang);
    let levels = analysis.subgroups.iter();
    let levels = levels.map(|own| grid(report, own, scale, lang));
    received
        .into_iter()
        .chain(levels)
        .map(Part::Table)
        .collect()
}

/// Who received the service, month by month; what a complier effect rests on.
fn funnel(report: &Report<'_>, analysis: &AnalysisResult, lang: Lang) -> Option<Grid> {
    if analysis.funnel.is_empty() {
        return None;
    }
    let control = report.arm(report.protocol.control, lang);
    let head = [
        words!("Randomized in", "Lottade i"),
        words!(
            "Received, of those allocated to the service",
            "Fick insatsen, av de lottade till den"
        ),
        words!(
            "Received, of those allocated to {control}",
            "Fick insatsen, av dem lottade till {control}"
        ),
    ];
    let head = head.iter().map(|own| say(own, lang)).collect();
    let caption = words!(
        "Families that received the service, by month of randomization",
        "Familjer som fick insatsen, efter lottningsmånad"
    );
    let mut grid = Grid::numbers(say(&caption, lang), head);
    let cells = |received: [u32; 2], randomized: [u32; 2]| {
        let both = received.into_iter().zip(randomized);
        both.map(|(got, of)| number::share(got, of, lang)).collect()
    };
    let mut all = ([0; 2], [0; 2]);
    for own in &analysis.funnel {
        for arm in 0..2 {
            all.0[arm] += own.received[arm];
            all.1[arm] += own.randomized[arm];
        }
        grid.row(own.month.clone(), cells(own.received, own.randomized));
    }
    grid.strong(say(&words!("all", "alla"), lang), cells(all.0, all.1));
    Some(grid)
}

fn text(effect: Option<&SubgroupEffect>, scale: Scale, lang: Lang) -> String {
    let Some(own) = effect else {
        return number::UNDEFINED.to_string();
    };
    let places = effect::places(scale);
    let value = effect::shown(scale, Some(own.estimate)).map_or_else(
        || number::UNDEFINED.to_string(),
        |value| number::signed(value, places, lang),
    );
    let (low, high) = (
        effect::shown(scale, own.conf_low),
        effect::shown(scale, own.conf_high),
    );
    format!("{value} ({})", number::interval(low, high, places, lang))
}

fn grid(report: &Report<'_>, own: &Subgroups, scale: Scale, lang: Lang) -> Grid {
    let name = report.protocol.field(&own.factor).map_or_else(
        || say(&words!("site", "enhet"), lang),
        |field| say(&report.protocol.fields[field].label, lang),
    );
    let head = [
        words!("Level", "Nivå"),
        words!("Families", "Familjer"),
        words!("Effect", "Effekt"),
        words!("p of the contrast", "p för kontrasten"),
        words!("q", "q"),
    ];
    let head = head.iter().map(|own| say(own, lang)).collect();
    let caption = words!(
        "Effect by {name} (exploratory)",
        "Effekt efter {name} (utforskande)"
    );
    let mut grid = Grid::numbers(say(&caption, lang), head);
    for level in &own.levels {
        let [treated, control] = level.families;
        let cells = vec![
            format!("{treated} : {control}"),
            text(level.effect.as_ref(), scale, lang),
            String::new(),
            String::new(),
        ];
        grid.row(level.level.clone(), cells);
    }
    let p = |value: Option<f64>| {
        value.map_or_else(
            || number::UNDEFINED.to_string(),
            |p| number::p_value(p, 0.05, lang),
        )
    };
    for contrast in &own.contrasts {
        let (level, reference) = (&contrast.level, &contrast.reference);
        let label = words!(
            "difference, {level} − {reference}",
            "skillnad, {level} − {reference}"
        );
        let cells = vec![
            String::new(),
            text(Some(&contrast.effect), scale, lang),
            p(contrast.p_value),
            p(contrast.q_value),
        ];
        grid.sub(say(&label, lang), cells);
    }
    grid.notes.push(say(
        &words!(
            "Only a contrast says whether effects differ; an effect that is clear in one level and not in another does not. Levels with fewer than five families in an arm have no effect here.",
            "Bara en kontrast säger om effekter skiljer sig; att en effekt är tydlig på en nivå men inte på en annan gör det inte. Nivåer med färre än fem familjer i en grupp har ingen effekt här."
        ),
        lang,
    ));
    grid
}
