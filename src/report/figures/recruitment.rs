//! Recruitment: cumulative families per site, and the days on which each site's gate was closed.
//!
//! Decides what is drawn; `recruitment_chart` draws it. Nothing here is by arm.

use super::recruitment_chart::{ChartText, SiteCurve, draw as chart};
use super::{Figure, FigureEntry};
use crate::diagnostic::{Lang, Words};
use crate::report::{Grid, Report, number};
use crate::words;

/// The registered figure.
pub(super) const ENTRY: FigureEntry = FigureEntry {
    id: "recruitment",
    draw,
};

const MONTHS_EN: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];
const MONTHS_SV: [&str; 12] = [
    "jan", "feb", "mars", "apr", "maj", "juni", "juli", "aug", "sep", "okt", "nov", "dec",
];

fn days_closed(days: i32, lang: Lang) -> String {
    let text: Words = if days == 1 {
        words!("{days}\u{a0}day", "{days}\u{a0}dag")
    } else {
        words!("{days}\u{a0}days", "{days}\u{a0}dagar")
    };
    text.get(lang).to_string()
}

fn draw(report: &Report<'_>, lang: Lang) -> Option<Figure> {
    let sites: Vec<SiteCurve> = report
        .flow
        .sites
        .iter()
        .map(|site| SiteCurve {
            name: report.site(site.site).to_string(),
            lane: days_closed(site.days_closed(), lang),
            days: site.randomized.clone(),
            opened: site.opened,
            closed: site.gate_closed.clone(),
        })
        .collect();
    let last_enrolled = sites
        .iter()
        .flat_map(|site| site.days.iter().chain(site.closed.iter().map(|(_, to)| to)))
        .max()
        .copied();
    let until = last_enrolled.unwrap_or(report.analyses.cut);
    let text = ChartText {
        heading: words!(
            "Families randomized, cumulative",
            "Lottade familjer, ackumulerat antal"
        )
        .get(lang)
        .to_string(),
        lanes: words!("Days with a closed gate", "Dagar med intagsstopp")
            .get(lang)
            .to_string(),
        months: match lang {
            Lang::Sv => MONTHS_SV,
            Lang::En => MONTHS_EN,
        },
    };
    let title = words!("Recruitment per site", "Rekrytering per enhet")
        .get(lang)
        .to_string();
    let table = table(report, lang);
    let desc = table
        .rows
        .iter()
        .map(|row| {
            let cells: Vec<String> = table
                .head
                .iter()
                .skip(1)
                .zip(&row.cells)
                .map(|(head, cell)| format!("{}: {cell}", head.to_lowercase()))
                .collect();
            format!("{}: {}.", row.label, cells.join(", "))
        })
        .collect::<Vec<_>>()
        .join(" ");
    let (canvas, height) = chart(&sites, until, &text)?;
    Some(Figure {
        id: ENTRY.id,
        svg: canvas.finish(height, ENTRY.id, &title, &desc),
        title,
        desc,
        table: Some(table),
    })
}

fn table(report: &Report<'_>, lang: Lang) -> Grid {
    let head = [
        words!("Site", "Enhet"),
        words!("Opened", "Öppnade"),
        words!("Randomized", "Lottade"),
        words!("Turned away, gate closed", "Avvisade vid intagsstopp"),
        words!("Days with a closed gate", "Dagar med intagsstopp"),
    ];
    let caption = words!(
        "Recruitment per site, families",
        "Rekrytering per enhet, antal familjer"
    );
    let mut grid = Grid::numbers(
        caption.get(lang),
        head.iter()
            .map(|words| words.get(lang).to_string())
            .collect(),
    );
    let shown = |value: u64| number::count(value, lang);
    for site in &report.flow.sites {
        grid.row(
            report.site(site.site),
            vec![
                number::date(site.opened),
                shown(site.randomized.len() as u64),
                shown(site.turned_away.into()),
                shown(u64::from(site.days_closed().unsigned_abs())),
            ],
        );
    }
    let sites = &report.flow.sites;
    grid.strong(
        words!("All sites", "Alla enheter").get(lang),
        vec![
            String::new(),
            shown(sites.iter().map(|s| s.randomized.len() as u64).sum()),
            shown(sites.iter().map(|s| u64::from(s.turned_away)).sum()),
            shown(
                sites
                    .iter()
                    .map(|s| u64::from(s.days_closed().unsigned_abs()))
                    .sum(),
            ),
        ],
    );
    let target = shown(report.protocol.sample_size.target.into());
    let randomized = shown(report.flow.randomized.into());
    grid.notes.push(
        words!(
            "{randomized} of the planned {target} families were randomized.",
            "{randomized} av planerade {target} familjer lottades."
        )
        .get(lang)
        .to_string(),
    );
    grid
}
