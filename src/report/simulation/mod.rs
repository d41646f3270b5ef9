//! The planning report: what a simulation was for, how it was done and what it shows, under the headings of Morris, White and
//! Crowther (2019, doi 10.1002/sim.8086): aims, data-generating mechanisms, estimands, methods, performance measures.
//!
//! The page is set as every report is ([`super::html()`]); its figures are registered in [`SIMULATED_FIGURES`]. Nothing is
//! computed here, and no number has more digits than its Monte Carlo error supports.

mod chart;
mod figures;
mod level;
mod looks;
mod measures;
mod months;
mod side_by_side;
pub(crate) mod together;

pub use figures::{SIMULATED_FIGURES, SimulatedFigure};

use super::page::{Fact, Page, Part, Section, count, footer, role, say};
use super::{Grid, number};
use crate::diagnostic::{Lang, Words};
use crate::planning::performance::Figure as Number;
use crate::planning::scenario::Engine;
use crate::planning::simulate::{CellPerformance, share_name};
use crate::planning::what_if::Difference;
use crate::protocol::Protocol;
use crate::words;
use askama::Template;

/// Everything that a planning report is made from.
#[derive(Debug, Clone, Copy)]
pub struct Planning<'a> {
    /// The protocol of the first cell.
    pub protocol: &'a Protocol,
    /// Path of the scenario as it was given.
    pub scenario: &'a str,
    /// Every key of the scenario, as a dotted path, with its value.
    pub keys: &'a [(String, String)],
    /// Settings from the command line.
    pub settings: &'a [String],
    /// Ids of the analyses that were run, by their places in the protocol.
    pub analyses: &'a [usize],
    /// The cells, each followed by the same cell of every alternative.
    pub cells: &'a [CellPerformance],
    /// Alternative, cell that it is compared with, and what it has more.
    pub alternatives: &'a [(String, String, Difference)],
    /// What a planner should know beside the warnings of the cells: of the scenario, the protocol, the alternatives.
    pub notes: &'a [&'a Words],
    /// Seed.
    pub seed: u64,
    /// Version of the program.
    pub version: &'a str,
    /// Hash of the plan, as 64 hexadecimal digits.
    pub plan_hash: &'a str,
}

impl<'a> Planning<'a> {
    /// The alternative that a cell belongs to, by the cell's place.
    fn alternative(&self, place: usize) -> Option<&'a str> {
        let first = self.alternatives.first().map(|(_, cell, _)| cell);
        let of_group = self.alternatives.iter();
        let of_group = of_group.take_while(|(_, cell, _)| Some(cell) == first);
        let own = (place % (of_group.count() + 1)).checked_sub(1)?;
        self.alternatives.get(own).map(|(name, ..)| name.as_str())
    }
}

/// Most cells that the beginning of the report shows.
const IN_SHORT: usize = 12;

/// A value and its Monte Carlo standard error, in as many digits as the error supports: its first digit is the last one, of
/// hundreds and thousands too.
fn shown(value: f64, error: f64, lang: Lang) -> [String; 2] {
    let power = if error > 0.0 && error.is_finite() {
        error.log10().floor()
    } else {
        -3.0
    };
    if power >= 0.0 {
        let unit = libm::pow(10.0, power);
        let whole = |x: f64| {
            let rounded = (x / unit).round() * unit;
            let digits = number::count(rounded.abs() as u64, lang);
            if rounded < 0.0 {
                format!("{}{digits}", number::MINUS)
            } else {
                digits
            }
        };
        return [whole(value), whole(error)];
    }
    let places = (-power).clamp(0.0, 8.0) as usize;
    [
        number::fixed(value, places, lang),
        number::fixed(error, places, lang),
    ]
}

/// A message as a sentence: with a capital, where it begins with a word, and a full stop.
fn sentence(text: &str) -> String {
    let mut rest = text.chars();
    let first = rest.next().map(char::to_uppercase).into_iter().flatten();
    let end = (!text.ends_with('.')).then_some('.');
    first.chain(rest).chain(end).collect()
}

fn plus_minus(figure: Number, lang: Lang) -> String {
    match figure.value {
        None => number::UNDEFINED.to_owned(),
        Some(value) => {
            if let Some((away, places)) = figure.within() {
                let [from, to] = [-away, away].map(|end| number::fixed(end, places, lang));
                let words = words!("0 ({from} to {to})", "0 ({from} till {to})");
                return say(&words, lang);
            }
            let Some(bound) = figure.bound() else {
                let [value, error] = shown(value, figure.mcse.unwrap_or(0.0), lang);
                return format!("{value}{NBSP}±{NBSP}{error}", NBSP = number::NBSP);
            };
            let own = number::fixed(value, 0, lang);
            let end = number::fixed(bound.value, bound.places, lang);
            let words = if bound.at_most {
                words!("{own} (at most {end})", "{own} (högst {end})")
            } else {
                words!("{own} (at least {end})", "{own} (minst {end})")
            };
            say(&words, lang)
        }
    }
}

/// The report as one HTML file: no script, no network, no reference to another file.
pub fn planning_html(planning: &Planning<'_>, lang: Lang) -> String {
    let scenario = planning.scenario;
    let (version, seed, hash) = (planning.version, planning.seed, planning.plan_hash);
    let short = hash.get(..8).unwrap_or(hash);
    let mut sections = vec![
        mechanisms(planning, lang),
        estimands(planning, lang),
        methods(planning, lang),
        performance(planning, lang),
    ];
    sections.extend(side_by_side::alternatives(planning, lang));
    sections.push(origin(planning, lang));
    count(&mut sections, lang);
    let page = Page {
        lang: match lang {
            Lang::Sv => "sv",
            Lang::En => "en",
        },
        title: say(&planning.protocol.study.title, lang),
        subtitle: say(
            &words!(
                "Planning report · simulated studies of the scenario {scenario}",
                "Planeringsrapport · simulerade studier av scenariot {scenario}"
            ),
            lang,
        ),
        stamp: say(
            &words!(
                "Plan {short} · seed {seed} · every family is made up",
                "Plan {short} · frö {seed} · varje familj är påhittad"
            ),
            lang,
        ),
        contents_label: say(&Words::new("Contents", "Innehåll"), lang),
        alerts: Vec::new(),
        summary: aims(planning, lang),
        sections,
        footer: footer(version, lang),
    };
    page.render().unwrap_or_default()
}

fn aims(planning: &Planning<'_>, lang: Lang) -> Section {
    let (cells, study) = (planning.cells.len(), &planning.protocol.study.id);
    let studies: u64 = planning
        .cells
        .iter()
        .filter_map(|cell| cell.analyses.first())
        .map(|(_, own)| own.replicates)
        .sum();
    let studies = number::count(studies, lang);
    let mut parts = vec![Part::Text(say(
        &words!(
            "What would the study {study} show under the assumptions of the scenario, were it run many times? {studies} studies were simulated in {cells} cells by the study's own rules of admission, allocation and analysis.",
            "Vad skulle studien {study} visa under scenariots antaganden, om den gjordes många gånger? {studies} studier simulerades i {cells} celler med studiens egna regler för intag, lottning och analys."
        ),
        lang,
    ))];
    let Words { en, sv } = share_name(planning.cells);
    let costs = planning.cells.iter().any(|cell| cell.cost.is_some());
    let mut head = vec![
        Words::new("cell", "cell"),
        words!("{en}, per cent", "{sv}, procent"),
        Words::new("families", "familjer"),
        Words::new("days closed", "stängda dagar"),
    ];
    if costs {
        head.push(Words::new("cost", "kostnad"));
    }
    let caption = Words::new("In short", "I korthet");
    let head = head.iter().map(|words| say(words, lang)).collect();
    let mut grid = Grid::numbers(say(&caption, lang), head);
    for cell in planning.cells.iter().take(IN_SHORT) {
        for (name, power) in together::of_the_first(&cell.analyses, lang) {
            let power = measures::percent(power);
            let mut row = vec![power, cell.studies.families, cell.studies.days_closed];
            row.extend(costs.then(|| cell.cost.unwrap_or_default()));
            let row = row.iter().map(|figure| plus_minus(*figure, lang)).collect();
            grid.row(format!("{} · {name}", cell.cell), row);
        }
    }
    grid.notes.extend(named_apart(planning.cells, lang));
    parts.push(Part::Table(grid));
    if cells > IN_SHORT {
        parts.push(Part::Text(say(
            &words!(
                "These are the first {IN_SHORT} of {cells} cells; all of them are below, under Performance measures.",
                "Detta är de första {IN_SHORT} av {cells} celler; alla står längre ned, under Egenskaper."
            ),
            lang,
        )));
    }
    Section {
        id: "aims",
        heading: say(&Words::new("Aims", "Syfte"), lang),
        parts,
    }
}

/// Which cells have an assurance, where others beside them have a power.
fn named_apart(cells: &[CellPerformance], lang: Lang) -> Option<String> {
    let believed = cells.iter().filter(|cell| cell.believed);
    let own: Vec<&str> = believed.map(|cell| cell.cell.as_str()).collect();
    let apart = !own.is_empty() && own.len() < cells.len();
    let own = own.join("; ");
    apart.then(|| {
        say(
            &words!(
                "An assurance, an average over what is believed, is that of {own}; the others have a power.",
                "Assurance, ett medelvärde över det som antas, gäller {own}; de andra har en styrka."
            ),
            lang,
        )
    })
}

fn mechanisms(planning: &Planning<'_>, lang: Lang) -> Section {
    let head = vec![
        say(&Words::new("key", "nyckel"), lang),
        say(&Words::new("value", "värde"), lang),
    ];
    let caption = Words::new(
        "The scenario as its file has it",
        "Scenariot som det står i filen",
    );
    let mut grid = Grid::prose(say(&caption, lang), head);
    for (key, value) in planning.keys {
        grid.row(key, vec![value.clone()]);
    }
    let (courses, courses_sv) = if planning.protocol.arms.len() == 2 {
        ("two possible courses", "två möjliga förlopp")
    } else {
        ("several possible courses", "flera möjliga förlopp")
    };
    let mut parts = vec![Part::Text(say(
        &words!(
            "Families come to the sites at random times, are screened and drawn by the study's state machine, and have {courses}, one under each service. What is not in the scenario is the protocol's own. Each value is an assumption of the planner.",
            "Familjer kommer till enheterna vid slumpmässiga tider, bedöms och lottas av studiens regelverk, och har {courses_sv}, ett under varje handläggning. Det som inte står i scenariot är protokollets eget. Varje värde är ett antagande av den som planerar."
        ),
        lang,
    ))];
    if !planning.settings.is_empty() {
        let all = planning.settings.join(", ");
        parts.push(Part::Text(say(
            &words!(
                "Changed on the command line: {all}.",
                "Ändrat på kommandoraden: {all}."
            ),
            lang,
        )));
    }
    parts.push(Part::Table(grid));
    Section {
        id: "mechanisms",
        heading: say(
            &Words::new("Data-generating mechanisms", "Hur data uppstår"),
            lang,
        ),
        parts,
    }
}

fn estimands(planning: &Planning<'_>, lang: Lang) -> Section {
    let (arms, arms_sv) = if planning.protocol.arms.len() == 2 {
        ("either arm", "den ena eller den andra armen")
    } else {
        (
            "the arm of the comparison and to control",
            "jämförelsens arm eller till kontrollarmen",
        )
    };
    let mut parts = vec![Part::Text(say(
        &words!(
            "The true effect of a simulated study is the mean, over its randomized families, of the difference between their possible outcomes under assignment to {arms}, were every family followed to the end. Bias and coverage are against the true effect of the same study.",
            "Den sanna effekten i en simulerad studie är medelvärdet, över dess lottade familjer, av skillnaden mellan deras möjliga utfall om de hade lottats till {arms_sv}, om varje familj följdes till slutet. Skevhet och täckning gäller den sanna effekten i samma studie."
        ),
        lang,
    ))];
    let facts = planning.analyses.iter().filter_map(|place| {
        let own = planning.protocol.analyses.get(*place)?;
        let outcome = planning.protocol.outcomes.get(own.outcome)?;
        Some(Fact {
            name: own.id.clone(),
            value: say(&outcome.label, lang),
            code: false,
        })
    });
    parts.push(Part::Facts(facts.collect()));
    Section {
        id: "estimands",
        heading: say(&Words::new("Estimands", "Estimander"), lang),
        parts,
    }
}

fn methods(planning: &Planning<'_>, lang: Lang) -> Section {
    let facts = planning.analyses.iter().filter_map(|place| {
        let own = planning.protocol.analyses.get(*place)?;
        let (kind, estimator) = (say(&role(own.role, true), lang), &own.estimator);
        let cell = planning.cells.first()?;
        let draws = cell.draws;
        let value = if own.test.is_some() && draws > 0 {
            words!(
                "{kind}, {estimator}; decided by the randomization test with {draws} redraws",
                "{kind}, {estimator}; avgörs av randomiseringstestet med {draws} omlottningar"
            )
        } else {
            words!(
                "{kind}, {estimator}; decided by the estimator's own p-value",
                "{kind}, {estimator}; avgörs av skattningens eget p-värde"
            )
        };
        Some(Fact {
            name: own.id.clone(),
            value: say(&value, lang),
            code: false,
        })
    });
    Section {
        id: "methods",
        heading: say(&Words::new("Methods", "Metoder"), lang),
        parts: vec![
            Part::Text(say(
                &Words::new(
                    "The registered analyses, by the code that will analyse the study itself.",
                    "De registrerade analyserna, med den kod som ska analysera studien själv.",
                ),
                lang,
            )),
            Part::Facts(facts.collect()),
            Part::Text(say(&engines(planning), lang)),
        ],
    }
}

/// What ran the studies. Nearly always all cells have the same engine; a grid can vary it.
fn engines(planning: &Planning<'_>) -> Words {
    let of = |engine: Engine| {
        let own = planning.cells.iter().filter(|own| own.engine == engine);
        own.map(|own| own.cell.as_str()).collect::<Vec<&str>>()
    };
    let [study, kernel] = Engine::ALL.map(of);
    if kernel.is_empty() {
        Words::new(
            "Every study was run whole, family by family and day by day (engine study).",
            "Varje studie kördes i sin helhet, familj för familj och dag för dag (motorn study).",
        )
    } else if study.is_empty() {
        Words::new(
            "The studies were run on counts by site and arm (engine kernel), which gives the same records as the whole study, bit for bit.",
            "Studierna kördes på antal per enhet och arm (motorn kernel), vilket ger samma resultat som studien i sin helhet, bit för bit.",
        )
    } else {
        let own = kernel.join(", ");
        words!(
            "The studies of {own} were run on counts by site and arm (engine kernel), which gives the same records as the whole study, bit for bit; all others were run whole (engine study).",
            "Studierna i {own} kördes på antal per enhet och arm (motorn kernel), vilket ger samma resultat som studien i sin helhet, bit för bit; alla andra kördes i sin helhet (motorn study)."
        )
    }
}

fn performance(planning: &Planning<'_>, lang: Lang) -> Section {
    let mut parts = vec![Part::Text(say(
        &Words::new(
            "Each figure stands with ± its Monte Carlo standard error: how far it may be from what ever more studies would give. Bands in the figures are 1.96 of them on each side. performance.csv and performance.json have every figure in full.",
            "Varje tal står med ± sitt Monte Carlo-medelfel: hur långt det kan vara från vad allt fler studier skulle ge. Banden i figurerna är 1,96 sådana åt vardera hållet. performance.csv och performance.json har varje tal med alla decimaler.",
        ),
        lang,
    ))];
    parts.extend(measures::measures(planning, lang));
    parts.extend(looks::looks(planning, lang).map(Part::Table));
    let mut said: Vec<&str> = Vec::new();
    let of_cells = planning.cells.iter().flat_map(|cell| &cell.warnings);
    let of_cells = of_cells.map(|warning| &warning.message);
    for words in planning.notes.iter().copied().chain(of_cells) {
        let text = words.get(lang);
        if !said.contains(&text) {
            said.push(text);
            parts.push(Part::Alert {
                lead: say(&Words::new("Note", "Obs"), lang),
                text: sentence(text),
            });
        }
    }
    Section {
        id: "performance",
        heading: say(&Words::new("Performance measures", "Egenskaper"), lang),
        parts,
    }
}

fn origin(planning: &Planning<'_>, lang: Lang) -> Section {
    let fact = |name: Words, value: String, code: bool| Fact {
        name: say(&name, lang),
        value,
        code,
    };
    let protocol = planning.cells.first();
    let protocol = protocol.map_or_else(String::new, |cell| cell.protocol_hash.clone());
    Section {
        id: "origin",
        heading: say(
            &Words::new("Where the numbers come from", "Varifrån siffrorna kommer"),
            lang,
        ),
        parts: vec![
            Part::Text(say(
                &Words::new(
                    "The same scenario, protocol, seed and version give the same numbers on every machine, whatever the number of threads or shards.",
                    "Samma scenario, protokoll, frö och version ger samma siffror på varje maskin, oavsett antalet trådar eller delar.",
                ),
                lang,
            )),
            Part::Facts(vec![
                fact(
                    Words::new("Plan", "Plan"),
                    planning.plan_hash.to_owned(),
                    true,
                ),
                fact(
                    Words::new(
                        "Protocol of the first cell",
                        "Protokollet i den första cellen",
                    ),
                    protocol,
                    true,
                ),
                fact(Words::new("Seed", "Frö"), planning.seed.to_string(), false),
                fact(
                    Words::new("Version", "Version"),
                    planning.version.to_owned(),
                    false,
                ),
            ]),
        ],
    }
}

#[cfg(test)]
mod tests {
    use super::shown;
    use crate::diagnostic::Lang;

    /// By hand: the first digit of the error is the last of both.
    #[test]
    fn no_digit_that_the_error_does_not_support() {
        let text = |value, error| shown(value, error, Lang::En).join(" ± ");
        assert_eq!(text(0.8107, 0.0042), "0.811 ± 0.004");
        assert_eq!(text(128.4, 2.1), "128 ± 2");
        assert_eq!(text(1076.4, 22.0), "1,080 ± 20");
        assert_eq!(text(1261.2, 5.4), "1,261 ± 5");
        assert_eq!(text(-3_315_451.0, 6553.0), "−3,315,000 ± 7,000");
        assert_eq!(text(4.0, 600.0), "0 ± 600");
        assert_eq!(
            shown(3_315_451.0, 6553.0, Lang::Sv)[0],
            "3\u{a0}315\u{a0}000"
        );
    }
}
