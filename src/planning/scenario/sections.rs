//! The sections of a scenario, for one protocol.

use super::axes::{self, GRID, WHEN};
use super::engine::{engine, fits};
use super::grid::Grid;
use super::prior::{self, PRIOR, Prior};
use super::promised::window;
use super::{Precision, Scenario, VERSION};
use crate::allocation::Arm;
use crate::analysis::plan::treated_arms;
use crate::diagnostic::{Diagnostic, Place, Words};
use crate::planning::cost::{self, Cost};
use crate::planning::mechanisms::accrual::Accrual;
use crate::planning::mechanisms::capacity::Capacity;
use crate::planning::mechanisms::exit::Exit;
use crate::planning::mechanisms::family::{FIELD, Family};
use crate::planning::mechanisms::score::Score;
use crate::planning::mechanisms::truth::Truth;
use crate::planning::mechanisms::uptake::Uptake;
use crate::planning::mechanisms::{
    Arms, MECHANISMS, Mechanism, MechanismEntry, or_default, positive,
};
use crate::planning::world::{Parts, World, can_give};
use crate::protocol::Protocol;
use crate::protocol::findings::Findings;
use crate::protocol::tree::Section;
use crate::words;
use std::ops::Range;
use toml::de::{DeTable, DeValue};

/// Keys at the top of the file.
pub(super) const KEYS: &[&str] = &[
    "lottning-scenario",
    "protocol",
    "analyses",
    "engine",
    "truth",
    "accrual",
    "capacity",
    "family",
    "field",
    "uptake",
    "exit",
    "score",
    "mechanism",
    "cost",
    "prior",
    "grid",
    "precision",
];
/// Sections of single keys that a file may leave out: a setting of one of their keys begins them.
pub(super) const OPTIONAL: &[&str] = &["score", "cost", "precision"];
/// Keys of `[precision]`.
const PRECISION: &[&str] = &[
    "replicates",
    "stop_at_mcse",
    "draws_in_simulation",
    "null_replicates",
];

/// Most replicates of a cell.
pub(super) const MOST_REPLICATES: i64 = 100_000_000;

/// Every section and the keys that it knows, for the guide to be held to; keys that hold an arm's name are not listed.
pub fn vocabulary() -> Vec<(&'static str, &'static [&'static str])> {
    let mut all: Vec<(&str, &[&str])> = MECHANISMS
        .iter()
        .map(|entry| (entry.id, entry.keys))
        .collect();
    all.extend([
        ("top of the file", KEYS),
        ("[[field]]", FIELD),
        ("[cost]", cost::KEYS),
        ("[[prior]]", PRIOR),
        ("[grid]", GRID),
        ("[[grid.when]]", WHEN),
        ("[precision]", PRECISION),
    ]);
    all
}

/// What a file holds besides the scenario itself.
#[derive(Debug, Default)]
pub(super) struct Varied {
    pub(super) grid: Grid,
    pub(super) priors: Vec<Prior>,
}

/// Reads a scenario's text; every finding goes to `out`.
pub(super) fn read(
    out: &mut Findings<'_>,
    table: &DeTable<'_>,
    protocol: &Protocol,
) -> (Option<Scenario>, Varied) {
    let root = Section::root(out, table, KEYS);
    let (grid, shared) = axes::read(out, &root);
    let priors = prior::read(out, &root, &grid.keys);
    let precision = precision(out, &root);
    let engine = engine(out, &root);
    let cost = match root.section(out, "cost", cost::KEYS) {
        None => Some(None),
        Some(section) => Cost::read(out, &section).map(Some),
    };
    if let Some(value) = root.need(out, "protocol") {
        value.text(out);
    }
    let analyses = analyses(out, &root, protocol);
    let mut worlds: Vec<Option<World>> = Vec::new();
    for treated in treated_arms(protocol) {
        let arms = Arms {
            protocol,
            treated: treated.index(),
            control: protocol.control.index(),
        };
        let own = analyses.as_ref();
        worlds.push(own.and_then(|analyses| world(out, &root, arms, analyses)));
    }
    let worlds: Option<Vec<World>> = worlds.into_iter().collect();
    let scenario = (|| {
        let mut worlds = worlds?.into_iter();
        let world = worlds.next()?;
        Some(Scenario {
            analyses: analyses?.0,
            engine: engine.clone()?.0,
            world,
            further: worlds.collect(),
            precision: precision?,
            shared: shared?,
            cost: cost?,
        })
    })();
    if let (Some(scenario), Some((_, span))) = (&scenario, &engine) {
        fits(out, span, protocol, scenario);
    }
    let varied = Varied { grid, priors };
    (scenario.filter(|_| !out.has_errors()), varied)
}

/// Whether the file says that it is a scenario of this version.
pub(super) fn version(table: &toml::Spanned<DeTable<'_>>) -> Option<Diagnostic> {
    let value = table.get_ref().get("lottning-scenario");
    let number = value.and_then(|value| value.get_ref().as_integer());
    if number.is_some_and(|number| number.radix() == 10 && number.as_str() == "1") {
        return None;
    }
    let finding = Diagnostic::error(
        "unsupported-version",
        words!(
            "the file does not say that it is a scenario of version {VERSION}",
            "filen säger inte att den är ett scenario av version {VERSION}"
        ),
    )
    .help(if table.get_ref().contains_key("lottning") {
        words!(
            "it is a protocol: `lottning new DIR --scenario` writes a scenario beside the protocol.toml of a folder",
            "den är ett protokoll: `lottning new MAPP --scenario` skriver ett scenario bredvid mappens protocol.toml"
        )
    } else {
        words!(
            "begin the file with `lottning-scenario = {VERSION}`",
            "börja filen med `lottning-scenario = {VERSION}`"
        )
    });
    Some(match value {
        Some(value) => finding.at(Place::span(value.span())),
        None => finding,
    })
}

fn precision(out: &mut Findings<'_>, root: &Section<'_>) -> Option<Precision> {
    let section = match root.get("precision") {
        None => None,
        Some(value) => Some(value.section(out, PRECISION)?),
    };
    let default = Precision {
        replicates: 1000,
        stop_at_mcse: None,
        draws: 199,
        null_replicates: 1000,
    };
    let Some(section) = section else {
        return Some(default);
    };
    let replicates = or_default(
        out,
        &section,
        "replicates",
        default.replicates as i64,
        |out, value| value.whole(out, 1, MOST_REPLICATES),
    );
    let stop = or_default(out, &section, "stop_at_mcse", None, |out, value| {
        positive(out, value, 0.5).map(Some)
    });
    let draws = or_default(
        out,
        &section,
        "draws_in_simulation",
        default.draws,
        |out, value| value.count(out, 0, 1_000_000),
    );
    let null = or_default(
        out,
        &section,
        "null_replicates",
        default.null_replicates as i64,
        |out, value| value.whole(out, 0, MOST_REPLICATES),
    );
    Some(Precision {
        null_replicates: null? as u64,
        replicates: replicates? as u64,
        stop_at_mcse: stop?,
        draws: draws?,
    })
}

fn analyses(
    out: &mut Findings<'_>,
    root: &Section<'_>,
    protocol: &Protocol,
) -> Option<(Vec<usize>, Range<usize>)> {
    let names: Vec<&str> = protocol.analyses.iter().map(|a| a.id.as_str()).collect();
    let Some(value) = root.get("analyses") else {
        let simulated = |index: &usize| {
            let own = &protocol.analyses[*index];
            let outcome = &protocol.outcomes[own.outcome];
            own.children.is_none() && can_give(&outcome.kind, is_score(root, &outcome.id))
        };
        return Some(((0..names.len()).filter(simulated).collect(), 0..0));
    };
    let items = value.items(out)?;
    if !value.need_items(out, &items) {
        return None;
    }
    let mut chosen = Vec::new();
    for item in &items {
        let Some(id) = item.text(out) else { continue };
        let Some(index) = names.iter().position(|name| *name == id) else {
            out.unknown(
                "unknown-reference",
                &item.span,
                id,
                words!(
                    "the protocol has no analysis `{id}`",
                    "protokollet har ingen analys `{id}`"
                ),
                names.iter().copied(),
            );
            continue;
        };
        let outcome = &protocol.outcomes[protocol.analyses[index].outcome];
        if !can_give(&outcome.kind, is_score(root, &outcome.id)) {
            let id = &outcome.id;
            out.not_built_yet(
                &item.span,
                words!(
                    "simulating the outcome `{id}`",
                    "att simulera utfallet `{id}`"
                ),
                &[
                    "reports",
                    "binary of accepted, started and closed",
                    "duration to closed",
                    "the observed value of [score]",
                ],
            );
        }
        if protocol.analyses[index].children.is_some() {
            let id = &protocol.analyses[index].id;
            out.not_built_yet(
                &item.span,
                words!(
                    "simulating `{id}`, which is about single children,",
                    "att simulera `{id}`, som gäller enskilda barn,"
                ),
                &["analyses of families"],
            );
        }
        if chosen.contains(&index) {
            out.error(
                "duplicate-id",
                &item.span,
                words!("`{id}` is there twice", "`{id}` finns två gånger"),
                words!("remove one", "ta bort den ena"),
            );
        } else {
            chosen.push(index);
        }
    }
    Some((chosen, value.span))
}

/// Whether `[score]` describes an outcome.
fn is_score(root: &Section<'_>, outcome: &str) -> bool {
    let score = root.get("score");
    match score.as_ref().map(crate::protocol::tree::Value::raw) {
        Some(DeValue::Table(table)) => {
            let named = table.get("outcome");
            named.and_then(|value| value.get_ref().as_str()) == Some(outcome)
        }
        _ => false,
    }
}

/// The world of control and one treated arm: all that is drawn for a family is the same in the worlds of the other arms.
fn world(
    out: &mut Findings<'_>,
    root: &Section<'_>,
    arms: Arms<'_>,
    analyses: &(Vec<usize>, Range<usize>),
) -> Option<World> {
    let protocol = arms.protocol;
    let keys = |id: &str| -> &'static [&'static str] {
        MECHANISMS
            .iter()
            .find(|entry| entry.id == id)
            .map_or(&[], |entry| entry.keys)
    };
    let section = root.need_section(out, "truth", keys("truth"));
    let truth = section.and_then(|section| Truth::read(out, &section, arms));
    let window = match &truth {
        Some(truth) => window(out, protocol, analyses, truth.window_days),
        None => None,
    };
    let section = root.need_section(out, "accrual", keys("accrual"));
    let accrual = section.and_then(|section| Accrual::read(out, &section, protocol));
    let section = root.need_section(out, "capacity", keys("capacity"));
    let capacity = section.and_then(|section| Capacity::read(out, &section, arms));
    let section = root.need_section(out, "family", keys("family"));
    let fields = root.sections(out, "field", FIELD);
    let family = section.and_then(|section| Family::read(out, &section, &fields, protocol));
    let uptake_keys = Uptake::keys(arms);
    let known: Vec<&str> = uptake_keys.iter().map(String::as_str).collect();
    let section = root.need_section(out, "uptake", &known);
    let uptake = section.and_then(|section| Uptake::read(out, &section, &uptake_keys, arms));
    let section = root.need_section(out, "exit", keys("exit"));
    let exit = section.and_then(|section| Exit::read(out, &section, protocol));
    let score = match root.section(out, "score", keys("score")) {
        None => Some(None),
        Some(section) => Score::read(out, &section, arms).map(Some),
    };
    let others = others(out, root, arms);
    let world = World::new(Parts {
        truth: truth?,
        accrual: accrual?,
        capacity: capacity?,
        family: family?,
        uptake: uptake?,
        exit: exit?,
        score: score?,
        others: others?,
        treated: Arm(arms.treated as u8),
        window: window?,
    });
    risk_stays_possible(out, root, &world, protocol.sites.len());
    Some(world)
}

/// The optional mechanisms. Their keys are known once their `id` is.
fn others(
    out: &mut Findings<'_>,
    root: &Section<'_>,
    arms: Arms<'_>,
) -> Option<Vec<Box<dyn Mechanism>>> {
    let optional: Vec<&MechanismEntry> = MECHANISMS
        .iter()
        .filter(|entry| entry.is_optional())
        .collect();
    let Some(value) = root.get("mechanism") else {
        return Some(Vec::new());
    };
    let items = value.items(out)?;
    let mut complete = true;
    let mut built: Vec<Box<dyn Mechanism>> = Vec::new();
    let mut seen: Vec<&str> = Vec::new();
    for item in &items {
        let DeValue::Table(_) = item.raw() else {
            item.section(out, &[]);
            complete = false;
            continue;
        };
        let Some(open) = item.open_section(out) else {
            complete = false;
            continue;
        };
        let id = open.need(out, "id");
        let id_span = id.as_ref().map_or(0..0, |id| id.span.clone());
        let Some(id) = id.and_then(|id| id.text(out)) else {
            complete = false;
            continue;
        };
        let Some(entry) = optional.iter().find(|entry| entry.id == id) else {
            out.unknown(
                "unknown-reference",
                &id_span,
                id,
                words!(
                    "there is no mechanism `{id}`",
                    "det finns ingen mekanism `{id}`"
                ),
                optional.iter().map(|entry| entry.id),
            );
            complete = false;
            continue;
        };
        if seen.contains(&id) {
            out.error(
                "duplicate-id",
                &id_span,
                words!(
                    "the mechanism `{id}` is there twice",
                    "mekanismen `{id}` finns två gånger"
                ),
                words!("remove one", "ta bort den ena"),
            );
        }
        seen.push(id);
        let mut known = vec!["id"];
        known.extend(entry.keys);
        let section = item.section(out, &known);
        match section
            .zip(entry.build)
            .and_then(|(section, build)| build(out, &section, arms))
        {
            Some(mechanism) => built.push(mechanism),
            None => complete = false,
        }
    }
    complete.then_some(built)
}

/// A trend, a site or many children must not carry a probability out of (0, 1) before enrolment ends.
fn risk_stays_possible(out: &mut Findings<'_>, root: &Section<'_>, world: &World, sites: usize) {
    let years = world.accrual.months / 12.0;
    let trend: f64 = world.others.iter().map(|m| m.added_risk(years)).sum();
    let of_site = |site| {
        world
            .others
            .iter()
            .map(|m| m.stated_site_risk(site))
            .sum::<f64>()
    };
    let own = world.family.risks(world.truth.rereport_control);
    let control = own.iter().flat_map(|own| {
        let whens = [0.0, trend];
        whens
            .into_iter()
            .flat_map(move |added| (0..sites.max(1)).map(move |site| (own + added, site)))
    });
    for (control, site) in control {
        let control = control + of_site(site);
        let treated = control * world.truth.rereport_ratio;
        let Some(risk) = [control, treated]
            .into_iter()
            .find(|risk| !(*risk > 0.0 && *risk < 1.0))
        else {
            continue;
        };
        let key = if root.get("mechanism").is_some() {
            "mechanism"
        } else {
            "family"
        };
        let Words { en, sv } = Words::number(risk);
        out.error(
            "impossible-risk",
            &root.key_span(key),
            words!(
                "with its trend, its sites and its children the probability of a new report becomes {en} for some family",
                "med trend, enheter och barn blir sannolikheten för en ny anmälan {sv} för någon familj"
            ),
            words!(
                "a probability lies between 0 and 1",
                "en sannolikhet ligger mellan 0 och 1"
            ),
        );
        return;
    }
}
