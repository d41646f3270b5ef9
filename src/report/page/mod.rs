//! The one page: what stands on it, in which order, and the template that sets it.
//!
//! Each section is a list of parts (paragraphs, warnings, tables, figures, terms); `templates/report.html` knows how a
//! part looks and nothing about trials. What the sections say is in the files beside this one, one per subject.

mod baseline;
mod cohort;
mod conduct;
mod findings;
mod origin;
mod public;
mod subgroups;
mod summary;
mod terms;
mod violations;

pub use public::public;

use super::figures::{self, Figure};
use super::svg::escape;
use super::{Grid, Report};
use crate::diagnostic::{Lang, Words};
use crate::protocol::model::Role;
use crate::words;
use askama::Template;

/// Text as HTML, in which what stands between two backticks, as messages quote keys and ids, is code.
pub(super) fn with_code(text: &str) -> String {
    let parts: Vec<&str> = text.split('`').collect();
    if parts.len().is_multiple_of(2) {
        return escape(text);
    }
    let part = |(place, part): (usize, &&str)| match place % 2 {
        0 => escape(part),
        _ => format!("<code>{}</code>", escape(part)),
    };
    parts.iter().enumerate().map(part).collect()
}

/// One thing on the page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Part {
    /// A paragraph.
    Text(String),
    /// A paragraph that must not be missed; the word in front says what it is.
    Alert { lead: String, text: String },
    /// A table.
    Table(Grid),
    /// A figure, with its table if it has one.
    Figure(Figure),
    /// Names and values.
    Facts(Vec<Fact>),
    /// A heading inside the section.
    Heading(String),
}

/// A name and what it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fact {
    pub(super) name: String,
    pub(super) value: String,
    /// Whether the value is a code or a hash.
    pub(super) code: bool,
}

/// A section of the page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Section {
    /// Identifier of the heading.
    pub(super) id: &'static str,
    /// The heading.
    pub(super) heading: String,
    /// What it holds.
    pub(super) parts: Vec<Part>,
}

/// What an analysis is, for people.
pub(super) fn role(role: Role, prespecified: bool) -> Words {
    if !prespecified {
        return words!("post hoc", "i efterhand");
    }
    match role {
        Role::Primary => words!("primary", "primär"),
        Role::Secondary => words!("secondary", "sekundär"),
        Role::Exploratory => words!("exploratory", "utforskande"),
    }
}

/// Text in one language.
pub(super) fn say(words: &Words, lang: Lang) -> String {
    words.get(lang).to_string()
}

#[derive(Template)]
#[template(path = "report.html")]
pub(super) struct Page {
    pub(super) lang: &'static str,
    pub(super) title: String,
    pub(super) subtitle: String,
    pub(super) stamp: String,
    pub(super) contents_label: String,
    pub(super) alerts: Vec<Part>,
    pub(super) summary: Section,
    pub(super) sections: Vec<Section>,
    pub(super) footer: String,
}

/// The report as one HTML file: no script, no network, no reference to another file.
pub fn html(report: &Report<'_>, lang: Lang) -> String {
    let study = &report.protocol.study;
    let lock = report.analyses.lock.as_deref();
    let cut = super::number::date(report.analyses.cut);
    let subtitle = match lock {
        Some(lock) => words!(
            "Evaluation report · lock {lock} · data up to and including {cut}",
            "Utvärderingsrapport · låsning {lock} · data till och med {cut}"
        ),
        None => words!(
            "Evaluation report · no data lock · data up to and including {cut}",
            "Utvärderingsrapport · utan låsning · data till och med {cut}"
        ),
    };
    let (id, generated) = (&study.id, &report.provenance.generated);
    let version = &report.provenance.version;
    let mut sections = vec![
        flow(report, lang),
        baseline::section(report, lang),
        findings::section(report, lang),
        conduct::missing(report, lang),
        conduct::realized(report, lang),
        violations::section(report, lang),
        recruitment(report, lang),
    ];
    sections.extend(cohort::section(report, lang));
    sections.extend([
        conduct::registered(report, lang),
        origin::section(report, lang),
        terms::section(report, lang),
    ]);
    count(&mut sections, lang);
    let page = Page {
        lang: match lang {
            Lang::Sv => "sv",
            Lang::En => "en",
        },
        title: say(&study.title, lang),
        subtitle: say(&subtitle, lang),
        stamp: say(
            &words!(
                "Study {id} · made {generated}",
                "Studie {id} · framställd {generated}"
            ),
            lang,
        ),
        contents_label: say(&words!("Contents", "Innehåll"), lang),
        alerts: summary::alerts(report, lang),
        summary: summary::section(report, lang),
        sections,
        footer: footer(version, lang),
    };
    // Rendering into a String fails only if a Display does, and every value here is a plain string.
    page.render().unwrap_or_default()
}

/// What every page says of itself at its end.
pub(super) fn footer(version: &str, lang: Lang) -> String {
    say(
        &words!(
            "This page is one file without scripts or links to other files. Made by lottning {version}.",
            "Sidan är en enda fil utan skript eller länkar till andra filer. Framställd med lottning {version}."
        ),
        lang,
    )
}

/// Numbers tables and figures in the page's order.
pub(super) fn count(sections: &mut [Section], lang: Lang) {
    let (mut tables, mut figures) = (0, 0);
    let mut table = |grid: &mut Grid| {
        tables += 1;
        let caption = &grid.caption;
        grid.caption = say(
            &words!("Table {tables}. {caption}", "Tabell {tables}. {caption}"),
            lang,
        );
    };
    for part in sections.iter_mut().flat_map(|section| &mut section.parts) {
        match part {
            Part::Table(grid) => table(grid),
            Part::Figure(figure) => {
                figures += 1;
                let title = &figure.title;
                figure.title = say(
                    &words!("Figure {figures}. {title}", "Figur {figures}. {title}"),
                    lang,
                );
                if let Some(grid) = &mut figure.table {
                    table(grid);
                }
            }
            Part::Text(_) | Part::Alert { .. } | Part::Facts(_) | Part::Heading(_) => {}
        }
    }
}

fn flow(report: &Report<'_>, lang: Lang) -> Section {
    let mut parts = Vec::new();
    if !report.shows_fates() {
        parts.push(Part::Text(say(
            &words!(
                "What happened after the allocation is not shown by arm before the data are locked.",
                "Vad som hände efter lottningen redovisas inte per grupp förrän data är låsta."
            ),
            lang,
        )));
    }
    parts.extend(figures::draw("flow", report, lang).map(Part::Figure));
    Section {
        id: "flow",
        heading: say(&words!("Participant flow", "Deltagarflöde"), lang),
        parts,
    }
}

fn recruitment(report: &Report<'_>, lang: Lang) -> Section {
    Section {
        id: "recruitment",
        heading: say(&words!("Recruitment", "Rekrytering"), lang),
        parts: figures::draw("recruitment", report, lang)
            .map(Part::Figure)
            .into_iter()
            .collect(),
    }
}
