//! The participant flow: from the families who were screened to those who were analysed, both arms side by side.
//!
//! Decides what the boxes say; `flow_layout` decides where they are. Reasons that nobody had are kept with 0. In a dry
//! run on a real study nothing after the allocation is shown by arm: that would be the true arms.

use super::flow_layout::{Block, FlowText, layout};
use super::{Figure, FigureEntry};
use crate::diagnostic::{Lang, Words};
use crate::protocol::model::{Check, Criterion};
use crate::report::{Grid, Report, number};
use crate::study::flow::ArmFlow;
use crate::words;

/// The registered figure.
pub(super) const ENTRY: FigureEntry = FigureEntry { id: "flow", draw };

/// A line of the flow: text and number of families.
type Step = (String, u32);

fn n(families: u32, lang: Lang) -> String {
    format!("(n\u{a0}=\u{a0}{})", number::count(families.into(), lang))
}

/// A stage of the flow: its heading and the steps under it.
struct Stage {
    heading: Step,
    steps: Vec<Step>,
}

impl Stage {
    fn block(&self, lang: Lang) -> Block {
        let line = |(text, families): &Step| format!("{text} {}", n(*families, lang));
        Block {
            heading: line(&self.heading),
            items: self.steps.iter().map(line).collect(),
        }
    }

    fn sentence(&self, lang: Lang) -> String {
        let line = |(text, families): &Step| {
            format!("{text}: {}", number::count((*families).into(), lang))
        };
        let steps: Vec<String> = self.steps.iter().map(line).collect();
        if steps.is_empty() {
            format!("{}.", line(&self.heading))
        } else {
            format!("{} ({}).", line(&self.heading), steps.join("; "))
        }
    }
}

fn step(words: &Words, families: u32, lang: Lang) -> Step {
    (words.get(lang).to_string(), families)
}

/// Why a criterion keeps a family out, in the words of the question.
fn exclusion(criterion: &Criterion, lang: Lang) -> String {
    match &criterion.check {
        Check::Ask {
            question,
            include_if,
        } => {
            let answer = match (include_if, lang) {
                (true, Lang::En) => "no",
                (false, Lang::En) => "yes",
                (true, Lang::Sv) => "nej",
                (false, Lang::Sv) => "ja",
            };
            format!("{} – {answer}", question.get(lang))
        }
        Check::Rule { text, .. } => {
            words!("Rule not met: {text}", "Regeln är inte uppfylld: {text}")
                .get(lang)
                .to_string()
        }
    }
}

fn top(report: &Report<'_>, lang: Lang) -> [Stage; 3] {
    let flow = report.flow;
    let not_eligible: u32 = flow.not_eligible.iter().map(|r| r.families).sum();
    let exceptions: u32 = flow.exceptions.iter().map(|r| r.families).sum();
    let mut steps = vec![step(
        &words!("Not eligible", "Uppfyllde inte villkoren"),
        not_eligible,
        lang,
    )];
    for reason in &flow.not_eligible {
        let criterion = report
            .protocol
            .criteria
            .iter()
            .find(|criterion| criterion.id == reason.reason);
        let text = criterion.map_or_else(|| reason.reason.clone(), |c| exclusion(c, lang));
        steps.push((format!("· {text}"), reason.families));
    }
    steps.push(step(
        &words!(
            "Gate closed, no free place",
            "Intagsstopp, ingen ledig plats"
        ),
        flow.turned_away,
        lang,
    ));
    steps.push(step(
        &words!(
            "Exception declared in the protocol",
            "Undantag enligt protokollet"
        ),
        exceptions,
        lang,
    ));
    for reason in &flow.exceptions {
        let known = report.protocol.exceptions.reasons.iter();
        let label = known
            .clone()
            .find(|named| named.id == reason.reason)
            .map_or(reason.reason.as_str(), |named| named.label.get(lang));
        steps.push((format!("· {label}"), reason.families));
    }
    if flow.reason_erased > 0 {
        steps.push(step(
            &words!("Reason erased", "Skälet raderat"),
            flow.reason_erased,
            lang,
        ));
    }
    [
        Stage {
            heading: step(
                &words!("Families screened", "Familjer som bedömdes"),
                flow.screened,
                lang,
            ),
            steps: if flow.screenings == flow.screened {
                Vec::new()
            } else {
                vec![step(
                    &words!("Screenings in all", "Bedömningar totalt"),
                    flow.screenings,
                    lang,
                )]
            },
        },
        Stage {
            heading: step(
                &words!("Not randomized", "Lottades inte"),
                not_eligible + flow.turned_away + exceptions + flow.reason_erased,
                lang,
            ),
            steps,
        },
        Stage {
            heading: step(
                &words!("Families randomized", "Lottade familjer"),
                flow.randomized,
                lang,
            ),
            steps: vec![step(
                &words!(
                    "Turned away by a closed gate before",
                    "Tidigare avvisade vid intagsstopp"
                ),
                flow.randomized_after_turned_away,
                lang,
            )],
        },
    ]
}

/// What else became of the families of an arm. Later draws, erased families and those after the cut are said of every arm where any arm
/// has them, so that all arms have the same lines.
fn ends(report: &Report<'_>, arm: &ArmFlow, lang: Lang) -> Vec<Step> {
    let mut steps = vec![step(
        &words!(
            "Still under follow-up at the cut",
            "Uppföljning pågick vid brytdatumet"
        ),
        arm.under_follow_up,
        lang,
    )];
    let some = |steps: &mut Vec<Step>, words: &Words, pick: fn(&ArmFlow) -> u32| {
        let any = report.flow.arms.iter().any(|own| pick(own) > 0);
        steps.extend(any.then(|| step(words, pick(arm), lang)));
    };
    some(
        &mut steps,
        &words!("· Randomized after the cut", "· Lottade efter brytdatumet"),
        |own| own.after_cut,
    );
    steps.extend([
        step(
            &words!("Withdrew", "Avbröt sitt deltagande"),
            arm.withdrawn,
            lang,
        ),
        step(
            &words!(
                "Left the register's coverage",
                "Flyttade utanför registrets täckning"
            ),
            arm.left_coverage,
            lang,
        ),
        step(&words!("Death", "Dödsfall"), arm.death, lang),
        step(
            &words!("All children turned 18", "Alla barn fyllde 18 år"),
            arm.all_children_18,
            lang,
        ),
    ]);
    some(
        &mut steps,
        &words!(
            "Later draw of a family drawn before, followed as the first",
            "Senare lottning av en redan lottad familj, följs som den första"
        ),
        |own| own.linked,
    );
    some(
        &mut steps,
        &words!("Data erased", "Uppgifter raderade"),
        |own| own.erased,
    );
    steps
}

fn arm_stages(report: &Report<'_>, arm: &ArmFlow, lang: Lang) -> Vec<Stage> {
    let mut stages = vec![Stage {
        heading: (report.arm(arm.arm, lang).to_string(), arm.allocated),
        steps: Vec::new(),
    }];
    if !report.shows_fates() {
        return stages;
    }
    if let Some(first) = stages.first_mut() {
        first.steps = vec![
            step(
                &words!(
                    "Allocated service not started",
                    "Lottad handläggning påbörjades inte"
                ),
                arm.not_started,
                lang,
            ),
            step(
                &words!(
                    "Moved to the service of another arm",
                    "Bytte till annan grupps handläggning"
                ),
                arm.switched,
                lang,
            ),
        ];
    }
    stages.push(Stage {
        heading: step(
            &words!(
                "Followed to the end of follow-up",
                "Följdes hela uppföljningstiden"
            ),
            arm.followed,
            lang,
        ),
        steps: ends(report, arm, lang),
    });
    let analysed = report
        .primary()
        .filter(|_| !report.analyses.dry_run)
        .and_then(|analysis| analysis.arms.iter().find(|outcome| outcome.arm == arm.arm));
    if let Some(outcome) = analysed {
        stages.push(Stage {
            heading: step(
                &words!("In the primary analysis", "I den primära analysen"),
                outcome.analysed,
                lang,
            ),
            steps: vec![step(
                &words!("Outcome not known, left out", "Utfall okänt, ingår inte"),
                outcome.missing,
                lang,
            )],
        });
    }
    stages
}

fn draw(report: &Report<'_>, lang: Lang) -> Option<Figure> {
    report.flow.arms.first()?;
    let [screened, excluded, randomized] = top(report, lang);
    let arms: Vec<Vec<Stage>> = report
        .flow
        .arms
        .iter()
        .map(|arm| arm_stages(report, arm, lang))
        .collect();
    let text = FlowText {
        screened: screened.block(lang),
        excluded: excluded.block(lang),
        randomized: randomized.block(lang),
        arms: arms
            .iter()
            .map(|stages| stages.iter().map(|stage| stage.block(lang)).collect())
            .collect(),
    };
    let title = words!("Participant flow", "Deltagarflöde")
        .get(lang)
        .to_string();
    let desc = [&screened, &excluded, &randomized]
        .into_iter()
        .chain(arms.iter().flatten())
        .map(|stage| stage.sentence(lang))
        .collect::<Vec<_>>()
        .join(" ");
    let layout = layout(&text);
    let svg = layout.draw().finish(layout.height, ENTRY.id, &title, &desc);
    Some(Figure {
        id: ENTRY.id,
        title,
        desc,
        svg,
        table: Some(table(
            &[screened, excluded, randomized],
            &arms,
            report,
            lang,
        )),
    })
}

fn table(top: &[Stage], arms: &[Vec<Stage>], report: &Report<'_>, lang: Lang) -> Grid {
    let mut head = vec![
        words!("Step", "Steg").get(lang).to_string(),
        words!("All", "Alla").get(lang).to_string(),
    ];
    head.extend(
        report
            .flow
            .arms
            .iter()
            .map(|arm| report.arm(arm.arm, lang).to_string()),
    );
    let caption = words!(
        "The numbers of the participant flow, families",
        "Deltagarflödets tal, antal familjer"
    );
    let mut grid = Grid::numbers(caption.get(lang), head);
    let shown = |families: u32| number::count(families.into(), lang);
    let blank = vec![String::new(); arms.len()];
    for stage in top {
        let mut cells = vec![shown(stage.heading.1)];
        cells.extend(blank.clone());
        grid.strong(stage.heading.0.clone(), cells);
        for (text, families) in &stage.steps {
            let mut cells = vec![shown(*families)];
            cells.extend(blank.clone());
            grid.sub(text.clone(), cells);
        }
    }
    let allocated = words!("Allocated", "Lottade till gruppen")
        .get(lang)
        .to_string();
    let Some(first) = arms.first() else {
        return grid;
    };
    for (index, stage) in first.iter().enumerate() {
        let label = if index == 0 {
            &allocated
        } else {
            &stage.heading.0
        };
        let at = |pick: &dyn Fn(&Stage) -> Option<u32>| -> Vec<String> {
            let values: Vec<u32> = arms
                .iter()
                .map(|stages| stages.get(index).and_then(pick).unwrap_or(0))
                .collect();
            let mut cells = vec![shown(values.iter().sum())];
            cells.extend(values.iter().map(|v| shown(*v)));
            cells
        };
        grid.strong(label.clone(), at(&|stage| Some(stage.heading.1)));
        for (line, (text, _)) in stage.steps.iter().enumerate() {
            grid.sub(
                text.clone(),
                at(&|stage| stage.steps.get(line).map(|step| step.1)),
            );
        }
    }
    let joined = number::count(report.flow.joined_children.into(), lang);
    grid.notes.push(
        words!(
            "Children who joined a randomized family later: {joined}. They keep the family's arm and are not counted as families.",
            "Barn som senare anslöts till en lottad familj: {joined}. De behåller familjens grupp och räknas inte som familjer."
        )
        .get(lang)
        .to_string(),
    );
    grid
}
