//! The tables of the performance measures, one per question: what is decided, how near the truth the estimates are, how honest
//! their standard errors and intervals, how enrolment went, how the arms were drawn. Each stands beside its figures.

use super::figures::SIMULATED_FIGURES;
use super::together::together;
use super::{Planning, level, plus_minus};
use crate::diagnostic::{Lang, Words};
use crate::planning::performance::{AnalysisPerformance, Figure as Number};
use crate::planning::simulate::CellPerformance;
use crate::report::page::{Part, say};
use crate::report::{Grid, number};
use crate::words;

/// A number of a table.
pub(super) enum Shown {
    Count(u64),
    Figure(Number),
    /// A share, in per cent.
    Share(Number),
    /// A registered level, in per cent, of intervals that have a coverage.
    Level(Option<f64>),
}

/// Whose number it is.
#[derive(Clone, Copy)]
enum Of {
    Analysis(fn(&AnalysisPerformance) -> Shown),
    Study(fn(&CellPerformance) -> Shown),
}

/// A column, and what it means where the table's own words do not say it; left out where no row has a value, and `why` then stands
/// under the table, if it is known.
struct Column {
    head: (&'static str, &'static str),
    of: Of,
    why: Option<(&'static str, &'static str)>,
    meaning: Option<(&'static str, &'static str)>,
}

/// A table, what its columns mean, and the figures that belong to it.
struct Measure {
    heading: (&'static str, &'static str),
    caption: (&'static str, &'static str),
    columns: &'static [Column],
    meaning: (&'static str, &'static str),
    figures: &'static [&'static str],
}

const fn analysis(
    head: (&'static str, &'static str),
    of: fn(&AnalysisPerformance) -> Shown,
) -> Column {
    Column {
        head,
        of: Of::Analysis(of),
        why: None,
        meaning: None,
    }
}

const fn study(head: (&'static str, &'static str), of: fn(&CellPerformance) -> Shown) -> Column {
    Column {
        head,
        of: Of::Study(of),
        why: None,
        meaning: None,
    }
}

const MEASURES: &[Measure] = &[
    Measure {
        heading: ("Decisions", "Avgöranden"),
        caption: (
            "How often each analysis rejects, per cent of the studies",
            "Hur ofta varje analys förkastar, procent av studierna",
        ),
        columns: &[
            analysis(("studies", "studier"), |own| Shown::Count(own.replicates)),
            analysis(("without answer", "utan svar"), |own| {
                Shown::Count(own.failures)
            }),
            analysis(("power", "styrka"), |own| Shown::Share(own.power)),
            analysis(("assurance", "assurance"), |own| {
                Shown::Share(own.assurance.unwrap_or_default())
            }),
            analysis(("without the adjustment", "utan justeringen"), |own| {
                Shown::Share(own.unadjusted.unwrap_or_default())
            }),
            Column {
                head: ("type I error", "typ I-fel"),
                of: Of::Analysis(|own| Shown::Share(own.type_i_error.unwrap_or_default())),
                why: Some((
                    "No type I error: it belongs to cells in which the services do not differ in what drives the outcome, and here they differ in all.",
                    "Inget typ I-fel: det hör till celler där handläggningarna inte skiljer sig i det som styr utfallet, och här skiljer de sig i alla.",
                )),
                meaning: None,
            },
            Column {
                head: (
                    "size of the randomization test",
                    "randomiserings\u{ad}testets nivå",
                ),
                of: Of::Analysis(|own| Shown::Share(own.size.unwrap_or_default())),
                why: None,
                meaning: None,
            },
            Column {
                head: ("more than the first cell", "mer än första cellen"),
                of: Of::Analysis(|own| {
                    Shown::Share(own.difference.map(|own| own.power).unwrap_or_default())
                }),
                why: None,
                meaning: Some((
                    "More than the first cell: in percentage points, on the same families.",
                    "Mer än första cellen: i procentenheter, på samma familjer.",
                )),
            },
        ],
        meaning: (
            "A study whose analysis gives no answer counts as not rejecting. Power is the share of all studies that reject, and a dash where no study has an answer; it is the type I error where the services do not differ in what drives the outcome. The size of the randomization test is the share that rejects when the treated service does nothing to anybody and all else stays: behind a gate the test is approximate. It is by the p adjusted as registered, as power is; by the p alone where one that is judged with it is no randomization test, or is of something that the service's effect alone does not decide, as closing is.",
            "En studie vars analys inte ger något svar räknas som att den inte förkastar. Styrka är andelen av alla studier som förkastar, och ett streck där ingen studie har ett svar; den är typ I-felet där handläggningarna inte skiljer sig i det som styr utfallet. Randomiseringstestets nivå är andelen som förkastar när insatsen inte gör någon skillnad för någon och allt annat är lika: bakom en spärr är testet approximativt. Den gäller p-värdet justerat som registrerat, som styrkan; det ojusterade p-värdet om någon som bedöms tillsammans med den inte är ett randomiseringstest, eller gäller något som inte insatsens effekt ensam avgör, som när utredningen avslutas.",
        ),
        figures: &["power", "assurance"],
    },
    Measure {
        heading: ("Estimates", "Skattningar"),
        caption: (
            "How near the true effect the estimates are",
            "Hur nära den sanna effekten skattningarna ligger",
        ),
        columns: &[
            analysis(("true effect", "sann effekt"), |own| {
                Shown::Figure(own.estimand)
            }),
            analysis(("bias", "skevhet"), |own| Shown::Figure(own.bias)),
            analysis(("mean squared error", "medelkvadratfel"), |own| {
                Shown::Figure(own.mean_squared_error)
            }),
        ],
        meaning: (
            "Bias and mean squared error are of estimate − true effect of the same study. What is no difference of two means has no true effect of this kind, and a dash: a ratio, a complier effect, a test, a difference in survival, restricted mean or cumulative incidence.",
            "Skevhet och medelkvadratfel gäller skattning − sann effekt i samma studie. Det som inte är en skillnad mellan två medelvärden har ingen sann effekt av det slaget, och ett streck: en kvot, en effekt bland följsamma, ett test, en skillnad i överlevnad, begränsat medelvärde eller kumulativ incidens.",
        ),
        figures: &["bias"],
    },
    Measure {
        heading: ("Standard errors", "Medelfel"),
        caption: (
            "How much the estimates vary, and how much they say that they do",
            "Hur mycket skattningarna varierar, och hur mycket de säger att de gör det",
        ),
        columns: &[
            analysis(("empirical SE", "empiriskt medelfel"), |own| {
                Shown::Figure(own.empirical_se)
            }),
            analysis(("model SE", "skattat medelfel"), |own| {
                Shown::Figure(own.model_se)
            }),
            analysis(
                ("relative error, per cent", "relativt fel, procent"),
                |own| Shown::Share(own.relative_error),
            ),
        ],
        meaning: (
            "Empirical: the standard deviation of the estimates, of ratios on the scale of the logarithm. Model: the root of the mean squared standard error that the analyses state. Relative error: model / empirical − 1, both of the studies that state a standard error; below 0 the analyses state too little.",
            "Empiriskt: skattningarnas standardavvikelse, för kvoter på logaritmens skala. Skattat: roten ur det genomsnittliga kvadrerade medelfel som analyserna anger. Relativt fel: skattat / empiriskt − 1, båda av de studier som anger ett medelfel; under 0 anger analyserna för litet.",
        ),
        figures: &[],
    },
    Measure {
        heading: ("Intervals", "Intervall"),
        caption: (
            "How often the intervals hold the true effect, per cent of those that were given",
            "Hur ofta intervallen innehåller den sanna effekten, procent av dem som gavs",
        ),
        columns: &[
            analysis(("registered level", "registrerad nivå"), |own| {
                Shown::Level(own.coverage.value.map(|_| own.level))
            }),
            analysis(("coverage", "täckning"), |own| Shown::Share(own.coverage)),
            analysis(
                ("bias-eliminated coverage", "täckning utan skevhet"),
                |own| Shown::Share(own.bias_eliminated_coverage),
            ),
        ],
        meaning: (
            "Coverage is of the true effect of the same study. Without bias: of that effect plus the bias, so that it is the width of the intervals alone that is judged.",
            "Täckning gäller den sanna effekten i samma studie. Utan skevhet: den effekten plus skevheten, så att bara intervallens bredd bedöms.",
        ),
        figures: &["coverage"],
    },
    Measure {
        heading: ("Families", "Familjer"),
        caption: ("Enrolment, per study", "Intag, per studie"),
        columns: &[
            study(("screened", "bedömda"), |own| {
                Shown::Figure(own.studies.screened)
            }),
            study(("randomized", "lottade"), |own| {
                Shown::Figure(own.studies.families)
            }),
            study(
                ("reach the target, per cent", "når målet, procent"),
                |own| Shown::Share(own.studies.target_reached),
            ),
            study(("turned away", "avvisade"), |own| {
                Shown::Figure(own.studies.turned_away)
            }),
            study(
                ("of them never randomized", "därav aldrig lottade"),
                |own| Shown::Figure(own.studies.lost),
            ),
        ],
        meaning: (
            "Turned away: families that met a closed gate. Families reached by the end of each month stand under their figure.",
            "Avvisade: familjer som mötte en stängd spärr. Familjer som nåtts vid varje månads slut står under figuren över dem.",
        ),
        figures: &["families", "reached"],
    },
    Measure {
        heading: ("Closed gate and cost", "Intagsstopp och kostnad"),
        caption: (
            "Days with a closed gate, and what a study costs",
            "Dagar med intagsstopp, och vad en studie kostar",
        ),
        columns: &[
            study(("days closed", "stängda dagar"), |own| {
                Shown::Figure(own.studies.days_closed)
            }),
            Column {
                head: ("cost", "kostnad"),
                of: Of::Study(|own| Shown::Figure(own.cost.unwrap_or_default())),
                why: Some((
                    "No cost: the scenario has no section [cost].",
                    "Ingen kostnad: scenariot har inget avsnitt [cost].",
                )),
                meaning: None,
            },
        ],
        meaning: (
            "Days closed are counted over all sites.",
            "Stängda dagar räknas över alla enheter.",
        ),
        figures: &["days-closed"],
    },
    Measure {
        heading: ("Allocation", "Lottning"),
        caption: (
            "How predictable the arms were, and how uneven they ended",
            "Hur förutsägbara armarna var, och hur ojämna de slutade",
        ),
        columns: &[
            Column {
                head: (
                    "arms guessed right, per cent",
                    "rätt gissade armar, procent",
                ),
                of: Of::Study(|own| Shown::Share(own.studies.correct_guess_share)),
                why: Some((
                    "No predictability: the method's arms cannot be guessed from those before them by a rule that the program knows.",
                    "Ingen förutsägbarhet: metodens armar kan inte gissas ur de föregående med en regel som programmet känner.",
                )),
                meaning: None,
            },
            study(("largest imbalance", "största obalans"), |own| {
                Shown::Figure(own.studies.imbalance)
            }),
        ],
        meaning: (
            "Guessed by somebody who has seen every earlier arm of the stratum and knows the method. Imbalance is in families, the largest over the strata at the end of the study.",
            "Gissade av någon som har sett alla tidigare armar i stratumet och känner metoden. Obalansen är i familjer, den största bland strata vid studiens slut.",
        ),
        figures: &[],
    },
];

fn pick(words: (&'static str, &'static str), lang: Lang) -> String {
    say(&Words::new(words.0, words.1), lang)
}

/// A share as per cent.
pub(super) fn percent(figure: Number) -> Number {
    figure.scaled(100.0)
}

fn text(shown: &Shown, lang: Lang) -> String {
    match shown {
        Shown::Count(n) => number::count(*n, lang),
        Shown::Figure(own) => plus_minus(*own, lang),
        Shown::Share(own) => plus_minus(percent(*own), lang),
        Shown::Level(own) => own.map_or_else(
            || number::UNDEFINED.to_owned(),
            |own| level::per_cent(own, lang),
        ),
    }
}

fn has_value(shown: &Shown) -> bool {
    match shown {
        Shown::Count(_) => true,
        Shown::Level(own) => own.is_some(),
        Shown::Figure(own) | Shown::Share(own) => own.value.is_some(),
    }
}

/// A cell, and one of its analyses.
type Subject<'a> = (&'a CellPerformance, &'a str, &'a AnalysisPerformance);

fn of(column: &Column, (cell, _, own): &Subject<'_>) -> Shown {
    match column.of {
        Of::Analysis(of) => of(own),
        Of::Study(of) => of(cell),
    }
}

impl Measure {
    /// A row per analysis of each cell, or per cell where all columns are of the study as a whole.
    fn table(&self, planning: &Planning<'_>, lang: Lang) -> Grid {
        let by_cell = self
            .columns
            .iter()
            .all(|own| matches!(own.of, Of::Study(_)));
        let most = if by_cell { 1 } else { usize::MAX };
        let subjects = |cell: &'_ CellPerformance| -> usize { cell.analyses.len().min(most) };
        let mut all: Vec<Subject<'_>> = Vec::new();
        for cell in planning.cells {
            let own = cell.analyses.iter().take(subjects(cell));
            all.extend(own.map(|(id, own)| (cell, id.as_str(), own)));
        }
        let (columns, left_out): (Vec<&Column>, Vec<&Column>) = self
            .columns
            .iter()
            .partition(|column| all.iter().any(|own| has_value(&of(column, own))));
        let first = if by_cell {
            ("cell", "cell")
        } else {
            ("cell · analysis", "cell · analys")
        };
        let mut head = vec![pick(first, lang)];
        head.extend(columns.iter().map(|column| pick(column.head, lang)));
        let mut grid = Grid::numbers(pick(self.caption, lang), head);
        for cell in planning.cells {
            let several = subjects(cell) > 1;
            if several {
                grid.strong(&cell.cell, Vec::new());
            }
            let own = all.iter().filter(|own| std::ptr::eq(own.0, cell));
            for subject in own {
                let row = columns
                    .iter()
                    .map(|column| text(&of(column, subject), lang));
                if several {
                    grid.sub(subject.1, row.collect());
                } else if by_cell {
                    grid.row(&cell.cell, row.collect());
                } else {
                    grid.row(format!("{} · {}", cell.cell, subject.1), row.collect());
                }
            }
        }
        let own = columns.iter().filter_map(|column| column.meaning);
        let meanings = std::iter::once(self.meaning).chain(own);
        let meanings: Vec<String> = meanings.map(|own| pick(own, lang)).collect();
        grid.notes.push(meanings.join(" "));
        let whys = left_out.iter().filter_map(|column| column.why);
        grid.notes.extend(whys.map(|why| pick(why, lang)));
        grid
    }
}

/// All of them, each under its heading with its figures.
pub(super) fn measures(planning: &Planning<'_>, lang: Lang) -> Vec<Part> {
    let mut parts = Vec::new();
    for measure in MEASURES {
        parts.push(Part::Heading(pick(measure.heading, lang)));
        let mut grid = measure.table(planning, lang);
        if measure.heading.0 == "Decisions" {
            grid.notes.extend(unsized_test(planning, lang));
            grid.notes.extend(failures(planning, lang));
        }
        parts.push(Part::Table(grid));
        if measure.heading.0 == "Decisions" {
            parts.extend(together(planning, lang).map(Part::Table));
        }
        for entry in SIMULATED_FIGURES {
            if !measure.figures.contains(&entry.id) {
                continue;
            }
            if let Some(mut figure) = entry.draw(planning, lang) {
                // The numbers of a figure over cells are those of the table above it.
                figure.table = figure.table.filter(|_| entry.is_over_months());
                parts.push(Part::Figure(figure));
            }
        }
    }
    parts
}

/// Why a registered randomization test behind a gate has no size here.
fn unsized_test(planning: &Planning<'_>, lang: Lang) -> Option<String> {
    let registered = planning.analyses.iter().any(|place| {
        let own = planning.protocol.analyses.get(*place);
        own.is_some_and(|own| own.test.is_some())
    });
    if planning.protocol.gate.is_none() || !registered {
        return None;
    }
    let cells = planning.cells.iter();
    let without = cells.filter(|cell| cell.draws == 0).count();
    (without > 0).then(|| {
        say(
            &words!(
                "Cells whose studies ran the registered randomization test without redraws, so that it has no size there: {without}. Give the redraws with --draws.",
                "Celler vars studier körde det registrerade randomiseringstestet utan omlottningar, så att det inte har någon nivå där: {without}. Ange omlottningar med --draws."
            ),
            lang,
        )
    })
}

/// The first study without an answer of each analysis that has any, and its reason; and how many have an answer without an estimate.
fn failures(planning: &Planning<'_>, lang: Lang) -> Vec<String> {
    let mut said = Vec::new();
    for cell in planning.cells {
        for (id, own) in &cell.analyses {
            if let Some((replicate, reason)) = own.first_failure {
                let name = &cell.cell;
                said.push(say(
                    &words!(
                        "{name} · {id}: the first study without an answer is {replicate} ({reason}).",
                        "{name} · {id}: den första studien utan svar är {replicate} ({reason})."
                    ),
                    lang,
                ));
            }
            if own.endless > 0 {
                let (name, studies) = (&cell.cell, own.endless);
                said.push(say(
                    &words!(
                        "{name} · {id}: in {studies} studies the ratio is 0 or infinite. They count in power; standard errors are of the others.",
                        "{name} · {id}: i {studies} studier är kvoten 0 eller oändlig. De räknas i styrkan; medelfelen gäller de andra."
                    ),
                    lang,
                ));
            }
            if own.exact > 0 {
                let (name, studies) = (&cell.cell, own.exact);
                said.push(say(
                    &words!(
                        "{name} · {id}: in {studies} studies every outcome is fitted exactly, without a standard error. They count in power and empirical SE; model SE and relative error are of the others.",
                        "{name} · {id}: i {studies} studier anpassas alla utfall exakt, utan medelfel. De räknas i styrkan och det empiriska medelfelet; skattat medelfel och relativt fel gäller de andra."
                    ),
                    lang,
                ));
            }
        }
    }
    said
}
