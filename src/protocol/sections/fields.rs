//! `[[field]]` and `[[criterion]]`: what is known at intake, and who is eligible.

use super::participants::bounded;
use crate::diagnostic::Words;
use crate::protocol::findings::Findings;
use crate::protocol::model::{
    Check, Criterion, Field, FieldKind, MAX_COUNT, MAX_CRITERIA, MAX_FIELDS, Named,
};
use crate::protocol::names::{Ids, Style, repeated};
use crate::protocol::rule_parser::{self, Known};
use crate::protocol::tree::Section;
use crate::words;

/// Keys of `[[field]]`.
pub(in crate::protocol) const FIELD: &[&str] = &[
    "id", "label", "kind", "unit", "range", "places", "levels", "cuts",
];
/// Keys of `[[criterion]]`.
pub(in crate::protocol) const CRITERION: &[&str] =
    &["id", "ask", "include_if", "exclude_if", "rule"];

/// Names that stratification and analyses already use.
const RESERVED: [&str; 2] = ["site", "months_since_start"];
/// Most levels of a choice.
const MAX_LEVELS: usize = 100;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Count,
    Number,
    Choice,
    YesNo,
}

/// Reads the fields.
pub(in crate::protocol) fn fields(
    out: &mut Findings<'_>,
    root: &Section<'_>,
) -> (Ids, Vec<Option<Field>>) {
    let sections = root.sections(out, "field", FIELD);
    bounded(out, &sections, "field", 0, MAX_FIELDS);
    let ids = Ids::read(out, &sections, words!("field", "fältet"), Style::Snake);
    for section in &sections {
        if let Some(value) = section.get("id")
            && let Some(name) = RESERVED.iter().find(|name| value.as_text() == Some(name))
        {
            out.error(
                "duplicate-id",
                &value.span,
                words!(
                    "`{name}` is the name of a built-in covariate",
                    "`{name}` är namnet på en inbyggd kovariat"
                ),
                words!(
                    "give the field another identifier",
                    "ge fältet en annan identifierare"
                ),
            );
        }
    }
    let fields = sections
        .iter()
        .enumerate()
        .map(|(index, section)| field(out, section, ids.name(index)))
        .collect();
    (ids, fields)
}

fn field(out: &mut Findings<'_>, section: &Section<'_>, id: String) -> Option<Field> {
    let label = match section.get("label") {
        None => Some(Words::same(id.clone())),
        Some(value) => value.words(out),
    };
    let kinds = [
        ("count", Kind::Count),
        ("number", Kind::Number),
        ("choice", Kind::Choice),
        ("yes-no", Kind::YesNo),
    ];
    let kind = section
        .need(out, "kind")
        .and_then(|value| value.one_of(out, &kinds))?;
    let shape = match kind {
        Kind::Count => {
            section.refuse(
                out,
                &["levels", "places"],
                &words!("a count is a whole number", "ett antal är ett heltal"),
            );
            let range = range(out, section, 0, Some((0, MAX_COUNT)));
            let unit = unit(out, section);
            range.map(|range| FieldKind::Count { unit, range })
        }
        Kind::Number => {
            section.refuse(
                out,
                &["levels"],
                &words!(
                    "a number has no named levels",
                    "ett tal har inga namngivna nivåer"
                ),
            );
            let places = match section.get("places") {
                None => Some(1),
                Some(value) => value.whole(out, 0, 6),
            };
            let unit = unit(out, section);
            places.and_then(|places| {
                let places = places as u8;
                range(out, section, places, None).map(|range| FieldKind::Number {
                    unit,
                    places,
                    range,
                })
            })
        }
        Kind::Choice => {
            section.refuse(
                out,
                &["unit", "range", "places", "cuts"],
                &words!(
                    "a choice has levels, not numbers",
                    "ett val har nivåer, inte tal"
                ),
            );
            levels(out, section).map(|levels| FieldKind::Choice { levels })
        }
        Kind::YesNo => {
            section.refuse(
                out,
                &["unit", "range", "places", "cuts", "levels"],
                &words!("it is answered yes or no", "svaret är ja eller nej"),
            );
            Some(FieldKind::YesNo)
        }
    }?;
    let cuts = match &shape {
        FieldKind::Count { range, .. } => cuts(out, section, *range, 0)?,
        FieldKind::Number { range, places, .. } => cuts(out, section, *range, *places)?,
        FieldKind::Choice { .. } | FieldKind::YesNo => Vec::new(),
    };
    Some(Field {
        id,
        label: label?,
        kind: shape,
        cuts,
    })
}

fn unit(out: &mut Findings<'_>, section: &Section<'_>) -> Option<Words> {
    section.get("unit").and_then(|value| value.words(out))
}

fn range(
    out: &mut Findings<'_>,
    section: &Section<'_>,
    places: u8,
    default: Option<(i64, i64)>,
) -> Option<(i64, i64)> {
    let value = match (section.get("range"), default) {
        (Some(value), _) => value,
        (None, Some(default)) => return Some(default),
        (None, None) => {
            section.missing(out, "range");
            return None;
        }
    };
    let items = value.items(out)?;
    let [least, most] = items.as_slice() else {
        value.wrong_type(
            out,
            words!(
                "two numbers, the least and the greatest, such as `[0, 17]`",
                "två tal, det minsta och det största, till exempel `[0, 17]`"
            ),
        );
        return None;
    };
    let (least, most) = (least.exact(out, places), most.exact(out, places));
    let (least, most) = (least?, most?);
    if least > most {
        let given = out
            .source
            .get(value.span.clone())
            .unwrap_or_default()
            .to_string();
        out.out_of_range(
            &value.span,
            "range",
            &given,
            words!(
                "the least value first, then the greatest",
                "det minsta värdet först, sedan det största"
            ),
        );
        return None;
    }
    Some((least, most))
}

fn levels(out: &mut Findings<'_>, section: &Section<'_>) -> Option<Vec<Named>> {
    let value = section.need(out, "levels")?;
    let items = value.items(out)?;
    let found = items.len();
    if found < 2 {
        out.error(
            "too-few",
            &value.span,
            words!(
                "a choice needs at least two levels, here are {found}",
                "ett val behöver minst två nivåer, här är {found}"
            ),
            words!("add a level", "lägg till en nivå"),
        );
        return None;
    }
    if found > MAX_LEVELS {
        out.error(
            "too-many",
            &value.span,
            words!(
                "{found} levels, at most {MAX_LEVELS} possible",
                "{found} nivåer, högst {MAX_LEVELS} är möjligt"
            ),
            words!("join levels", "slå samman nivåer"),
        );
        return None;
    }
    let mut list: Vec<Named> = Vec::new();
    let mut complete = true;
    for item in &items {
        match item.named(out) {
            Some(level) if list.iter().any(|own| own.id == level.id) => {
                repeated(out, &item.span, &words!("level", "nivån"), &level.id);
                complete = false;
            }
            Some(level) => list.push(level),
            None => complete = false,
        }
    }
    complete.then_some(list)
}

fn cuts(
    out: &mut Findings<'_>,
    section: &Section<'_>,
    range: (i64, i64),
    places: u8,
) -> Option<Vec<i64>> {
    let Some(value) = section.get("cuts") else {
        return Some(Vec::new());
    };
    let items = value.items(out)?;
    let mut list: Vec<i64> = Vec::new();
    for item in &items {
        let cut = item.exact(out, places)?;
        if list.last().is_some_and(|last| *last >= cut) || cut <= range.0 || cut > range.1 {
            out.error(
                "cuts-not-ascending",
                &item.span,
                words!(
                    "a cut must lie above the one before it, above the least value of the field's range, and inside the range",
                    "en gräns ska ligga över den föregående, över det minsta värdet i fältets intervall, och inom intervallet"
                ),
                words!(
                    "`cuts = [3]` gives the levels `0-2` and `3+`",
                    "`cuts = [3]` ger nivåerna `0-2` och `3+`"
                ),
            );
            return None;
        }
        list.push(cut);
    }
    Some(list)
}

/// Reads the criteria of eligibility.
pub(in crate::protocol) fn criteria(
    out: &mut Findings<'_>,
    root: &Section<'_>,
    known: Known<'_>,
) -> Vec<Option<Criterion>> {
    let sections = root.sections(out, "criterion", CRITERION);
    bounded(out, &sections, "criterion", 0, MAX_CRITERIA);
    let ids = Ids::read(
        out,
        &sections,
        words!("criterion", "kriteriet"),
        Style::Kebab,
    );
    sections
        .iter()
        .enumerate()
        .map(|(index, section)| {
            check(out, section, known).map(|check| Criterion {
                id: ids.name(index),
                check,
            })
        })
        .collect()
}

fn check(out: &mut Findings<'_>, section: &Section<'_>, known: Known<'_>) -> Option<Check> {
    match (section.get("ask"), section.get("rule")) {
        (Some(ask), None) => {
            let question = ask.words(out);
            let include = section.get("include_if");
            let exclude = section.get("exclude_if");
            let include_if = match (include, exclude) {
                (Some(include), None) => include.flag(out),
                (None, Some(exclude)) => exclude.flag(out).map(|answer| !answer),
                _ => {
                    out.error(
                        "criterion-check",
                        &section.span,
                        words!(
                            "a question needs either `include_if` or `exclude_if`",
                            "en fråga behöver antingen `include_if` eller `exclude_if`"
                        ),
                        words!(
                            "`include_if = true` keeps the families whose answer is yes; `exclude_if = true` keeps them out",
                            "`include_if = true` tar med familjer vars svar är ja; `exclude_if = true` utesluter dem"
                        ),
                    );
                    None
                }
            };
            Some(Check::Ask {
                question: question?,
                include_if: include_if?,
            })
        }
        (None, Some(rule)) => {
            section.refuse(
                out,
                &["include_if", "exclude_if"],
                &words!(
                    "a rule says who is included",
                    "en regel säger vem som tas med"
                ),
            );
            let (text, rule) = rule_parser::compile(out, &rule, known)?;
            Some(Check::Rule { text, rule })
        }
        _ => {
            out.error(
                "criterion-check",
                &section.span,
                words!(
                    "a criterion has either a question `ask` or a `rule`",
                    "ett kriterium har antingen en fråga `ask` eller en regel `rule`"
                ),
                words!(
                    "write `ask` for what intake answers, `rule` for what fields decide",
                    "skriv `ask` för det som mottagningen svarar på, `rule` för det som fälten avgör"
                ),
            );
            None
        }
    }
}
