//! `lottning check PROTOCOL [--document]`.

mod powers;

use std::io::Write as _;
use std::path::PathBuf;

use clap::Args;
use serde_json::{Value, json};

use crate::app::Failure;
use crate::app::check::{Checked, check};
use crate::diagnostic::{Diagnostic, Lang, Words};
use crate::planning::guessing::Guessing;
use crate::planning::ratios::RatioRow;
use crate::protocol::Protocol;
use crate::report::plan;
use crate::words;

use self::powers::power;
use super::failure;
use super::output::{Cell, Document, Grid, Shown, number};
use super::session::{Colour, Session};

/// Arguments of `check`.
#[derive(Debug, Args)]
pub(super) struct Check {
    /// The protocol file; `-` is standard input
    protocol: PathBuf,

    /// Write the pre-analysis plan (Markdown) instead of the summary
    #[arg(long)]
    document: bool,
}

impl Check {
    /// The summary, or the pre-analysis plan.
    pub(super) fn run(&self, session: &Session) -> Result<Document, Failure> {
        let checked = check(&session.outside, &self.protocol)?;
        warn(&checked, session.lang);
        if self.document {
            return document(&checked, session.lang);
        }
        let mut answer = Document::new("check/1", &body(&checked, session.lang))?
            .text(heading(&checked.protocol))
            .grid(sites(&checked))
            .text(capacity(&checked))
            .grid(power(&checked));
        if !checked.ratios.is_empty() {
            answer = answer.grid(ratios(&checked));
            if let Some(words) = stopped(&checked) {
                answer = answer.text(words);
            }
        }
        Ok(answer
            .text(guessing(&checked))
            .text(balance(&checked))
            .text(next(&checked)))
    }
}

/// Warnings stand on standard error, with a caret where they have a place.
fn warn(checked: &Checked, lang: Lang) {
    let colour = Colour::detect().err;
    let mut text = String::new();
    for warning in &checked.warnings {
        text.push_str(&failure::spot(warning, Some(&checked.source), lang, colour));
        text.push('\n');
    }
    // A standard error that is closed must not stop the work.
    let _ = std::io::stderr().write_all(text.as_bytes());
}

fn document(checked: &Checked, lang: Lang) -> Result<Document, Failure> {
    let text = Words::new(
        plan::markdown(&checked.protocol, Lang::En),
        plan::markdown(&checked.protocol, Lang::Sv),
    );
    let body = json!({
        "protocol_hash": checked.protocol.hash.to_hex(),
        "language": lang,
        "markdown": text.get(lang),
    });
    Ok(Document::new("plan/1", &body)?.text(text))
}

fn strata(protocol: &Protocol) -> Vec<String> {
    protocol
        .allocation
        .strata
        .iter()
        .map(|factor| protocol.factor_id(*factor).to_owned())
        .collect()
}

fn body(checked: &Checked, lang: Lang) -> Value {
    let protocol = &checked.protocol;
    let assumed = protocol.sample_size.assumed;
    let sites: Vec<Value> = protocol
        .sites
        .iter()
        .map(|site| {
            json!({"id": site.id, "name": site.name, "opens": site.opens.to_string(), "therapists": site.therapists})
        })
        .collect();
    let arms: Vec<Value> = protocol
        .arms
        .iter()
        .enumerate()
        .map(|(index, arm)| {
            json!({
                "id": arm.id,
                "label": arm.label.get(lang),
                "ratio": arm.ratio,
                "control": index == protocol.control.index(),
            })
        })
        .collect();
    let analyses: Vec<Value> = protocol
        .analyses
        .iter()
        .map(|analysis| {
            json!({
                "id": analysis.id,
                "role": analysis.role.text(),
                "lock": protocol.locks[analysis.lock].id,
                "outcome": protocol.outcomes[analysis.outcome].id,
                "estimator": analysis.estimator,
                "missing": analysis.missing.text(),
            })
        })
        .collect();
    let options: serde_json::Map<String, Value> = protocol
        .allocation
        .options
        .0
        .iter()
        .map(|(name, text)| (name.clone(), text.clone().into()))
        .collect();
    let capacity = checked.reach.as_ref().map(|reach| {
        let sites: Vec<Value> = reach
            .sites
            .iter()
            .map(|site| {
                json!({"id": site.site, "slots": site.slots, "weeks": site.weeks, "families_in_gated_arm": site.gated})
            })
            .collect();
        json!({
            "slots": reach.slots,
            "weeks_per_family": protocol.capacity.weeks_per_family,
            "utilization": protocol.capacity.utilization,
            "families_in_gated_arm": reach.gated,
            "families": reach.families,
            "sites": sites,
        })
    });
    let warnings: Vec<Value> = checked
        .warnings
        .iter()
        .map(|warning: &Diagnostic| failure::finding_json(warning, Some(&checked.source), lang))
        .collect();
    json!({
        "protocol_hash": protocol.hash.to_hex(),
        "confirm": protocol.hash.short(),
        "study": protocol.study.id,
        "title": protocol.study.title.get(lang),
        "may_open": protocol.study.ethics.is_some() && protocol.study.dpia.is_some(),
        "custody": protocol.study.custody.text(),
        "sites": sites,
        "arms": arms,
        "method": {
            "id": protocol.allocation.method,
            "options": options,
            "ratio": protocol.allocation.ratio.to_string(),
            "strata": strata(protocol),
            "number_of_strata": protocol.strata(),
        },
        "power": {
            "control": assumed.control,
            "effect": assumed.effect,
            "alpha": assumed.alpha,
            "sides": assumed.sides,
            "wanted": assumed.power,
            "formula": "pooled",
            "families_needed": checked.families_needed,
            "at_target": checked.at_target,
            "at_capacity": checked.at_capacity,
        },
        "capacity": capacity,
        "ratios": checked.ratios,
        "expected": {
            "families": checked.expected.families,
            "by": if checked.expected.by_capacity { "capacity" } else { "target" },
        },
        "predictability": checked.guessing.as_ref().map(predictability),
        "balance_over_strata": checked.together,
        "analyses": analyses,
        "warnings": warnings,
    })
}

/// The figures of a stratum, and the guesses of ten families.
fn predictability(guessing: &Guessing) -> Value {
    let mut body = json!(guessing);
    if let Some(body) = body.as_object_mut() {
        let right = guessing.best_share.map(|share| 10.0 * share);
        body.insert("right_of_ten".to_owned(), json!(right));
        let chance = 10.0 * guessing.share_by_ratio_alone;
        body.insert("by_chance_of_ten".to_owned(), json!(chance));
    }
    body
}

fn both(value: f64, shown: Shown) -> (String, String) {
    (
        number(value, shown, Lang::En),
        number(value, shown, Lang::Sv),
    )
}

fn heading(protocol: &Protocol) -> Words {
    let Words { en, sv } = &protocol.study.title;
    let (id, hash) = (&protocol.study.id, protocol.hash.to_hex());
    let method = &protocol.allocation.method;
    let ratio = protocol.allocation.ratio;
    let (strata_en, strata_sv) = match protocol.strata() {
        0 | 1 => ("no strata".to_owned(), "inga strata".to_owned()),
        strata => (format!("{strata} strata"), format!("{strata} strata")),
    };
    words!(
        "{en}\n\nThe protocol of `{id}` is valid.\nHash     {hash}\nMethod   {method}, {ratio}, {strata_en}",
        "{sv}\n\nProtokollet för `{id}` är giltigt.\nHash     {hash}\nMetod    {method}, {ratio}, {strata_sv}"
    )
}

fn sites(checked: &Checked) -> Grid {
    let mut grid = Grid::new()
        .column("site", words!("site", "enhet"))
        .column("name", words!("name", "namn"))
        .column("opens", words!("opens", "öppnar"))
        .column("therapists", words!("therapists", "behandlare"))
        .column("slots", words!("slots", "platser"))
        .column(
            "families_in_gated_arm",
            match &checked.protocol.gate {
                Some(gate) => {
                    let arm = &checked.protocol.arms[gate.arm.index()].id;
                    words!("in `{arm}` until stop", "i `{arm}` till stopp")
                }
                None => words!("families until stop", "familjer till stopp"),
            },
        );
    for (index, site) in checked.protocol.sites.iter().enumerate() {
        let reach = checked
            .reach
            .as_ref()
            .and_then(|reach| reach.sites.get(index));
        grid.row([
            Cell::text(&site.id),
            Cell::text(&site.name),
            Cell::text(site.opens.to_string()),
            Cell::Whole(i64::from(site.therapists)),
            reach.map_or(Cell::Empty, |reach| Cell::Whole(i64::from(reach.slots))),
            Cell::number(reach.map(|reach| reach.gated), Shown::Decimals(1)),
        ]);
    }
    grid
}

fn capacity(checked: &Checked) -> Words {
    let protocol = &checked.protocol;
    let (Some(reach), Some(gate), Some(stop)) = (
        &checked.reach,
        &protocol.gate,
        protocol.sample_size.stop_date,
    ) else {
        return words!(
            "Capacity: nothing is said, because the protocol has no gate or no stop date.",
            "Kapacitet: inget sägs, eftersom protokollet saknar spärr eller stoppdatum."
        );
    };
    let arm = &protocol.arms[gate.arm.index()].id;
    let (slots, per_therapist) = (reach.slots, gate.families_per_therapist);
    let weeks = both(protocol.capacity.weeks_per_family, Shown::Significant(2));
    let share = both(protocol.capacity.utilization, Shown::Percent(0));
    let (gated, families) = (reach.gated.floor(), reach.families.floor());
    let ratio = protocol.allocation.ratio;
    let target = protocol.sample_size.target;
    let ((weeks_en, weeks_sv), (share_en, share_sv)) = (weeks, share);
    words!(
        "Capacity: slots = therapists × {per_therapist} families, {slots} in all. A family holds a slot for {weeks_en} weeks, and {share_en} of the\nslots are in use: slots × weeks until {stop} ÷ {weeks_en} × {share_en} = {gated} families in `{arm}`,\nor {families} families in all arms at {ratio}. The target is {target}. (`[capacity]` in the protocol holds these assumptions.)",
        "Kapacitet: platser = behandlare × {per_therapist} familjer, {slots} sammanlagt. En familj har en plats i {weeks_sv} veckor, och {share_sv} av\nplatserna används: platser × veckor till {stop} ÷ {weeks_sv} × {share_sv} = {gated} familjer i `{arm}`,\neller {families} familjer i alla armar vid {ratio}. Målet är {target}. (`[capacity]` i protokollet har dessa antaganden.)"
    )
}

fn ratios(checked: &Checked) -> Grid {
    let mut grid = Grid::new()
        .title(words!(
            "The same slots at other ratios (arms in the protocol's order)",
            "Samma platser vid andra förhållanden (armar i protokollets ordning)"
        ))
        .column("ratio", words!("ratio", "förhållande"))
        .column("families", words!("families", "familjer"))
        .column("n_treated", words!("n arm", "n arm"))
        .column("n_control", words!("n control", "n jämförelse"))
        .column("power", words!("power", "styrka"))
        .column("method", words!("method", "metod"))
        .column("best_share", words!("guessed right", "rätt gissade"))
        .column(
            "share_by_ratio_alone",
            words!("by the ratio alone", "av förhållandet"),
        );
    for row in &checked.ratios {
        let guessing = row.guessing.as_ref();
        grid.row([
            Cell::text(&row.ratio),
            Cell::Whole(row.families as i64),
            Cell::Whole(row.n_treated as i64),
            Cell::Whole(row.n_control as i64),
            Cell::number(row.power, Shown::Percent(1)),
            Cell::text(compared(row)),
            guessed_right(guessing),
            Cell::number(
                guessing.map(|guessing| guessing.share_by_ratio_alone),
                Shown::Percent(1),
            ),
        ]);
    }
    grid
}

/// What the ratios are worth if enrolment stops as the protocol says, where it stops before the slots do.
fn stopped(checked: &Checked) -> Option<Words> {
    let rows = checked.ratios.iter();
    let mut rows = rows.filter_map(|row| Some((row, row.families_at_stop?, row.power_at_stop?)));
    let told = |row: &RatioRow, power: f64| {
        let (en, sv) = both(power, Shown::Percent(1));
        (
            format!("{en} at {}", row.ratio),
            format!("{sv} vid {}", row.ratio),
        )
    };
    let (row, families, power) = rows.next()?;
    let (mut en, mut sv) = told(row, power);
    for (row, _, power) in rows {
        let (own_en, own_sv) = told(row, power);
        en = format!("{en}, {own_en}");
        sv = format!("{sv}, {own_sv}");
    }
    Some(words!(
        "Enrolment stops at {families} families (`stop`): then the power is {en}. The table shows what the slots would allow with a higher `stop`.",
        "Intaget slutar vid {families} familjer (`stop`): då är styrkan {sv}. Tabellen visar vad platserna skulle räcka till med ett högre `stop`."
    ))
}

/// The share that can be guessed; a bound is said to be one.
fn guessed_right(guessing: Option<&Guessing>) -> Cell {
    let share = guessing.and_then(|own| Some((own.best_share?, own.at_most)));
    match share {
        Some((share, true)) => {
            let (en, sv) = both(share, Shown::Percent(1));
            Cell::Words(words!("at most {en}", "högst {sv}"))
        }
        share => Cell::number(share.map(|(share, _)| share), Shown::Percent(1)),
    }
}

/// The method of a row, with its options where it is not the protocol's own.
fn compared(row: &RatioRow) -> String {
    if row.own_method {
        return row.method.clone();
    }
    let options: Vec<&str> = row.options.values().map(String::as_str).collect();
    format!("{} {}", row.method, options.join(" "))
}

fn guessing(checked: &Checked) -> Words {
    let figures = checked
        .guessing
        .as_ref()
        .and_then(|guessing| Some((guessing, guessing.best_share?, guessing.forced_share?)));
    let Some((guessing, share, forced)) = figures else {
        return words!(
            "Predictability: not computed exactly for this method and size; `lottning draw --characteristics` simulates it.",
            "Förutsägbarhet: beräknas inte exakt för denna metod och storlek; `lottning draw --characteristics` simulerar den."
        );
    };
    let n = guessing.families_per_stratum;
    let chance = guessing.share_by_ratio_alone;
    let (right, by_chance) = (
        both(10.0 * share, Shown::Decimals(1)),
        both(10.0 * chance, Shown::Decimals(1)),
    );
    let (share, forced, chance) = (
        both(share, Shown::Percent(1)),
        both(forced, Shown::Percent(1)),
        both(chance, Shown::Percent(1)),
    );
    let ((share_en, share_sv), (forced_en, forced_sv), (chance_en, chance_sv)) =
        (share, forced, chance);
    let ((right_en, right_sv), (by_en, by_sv)) = (right, by_chance);
    let (levels_en, levels_sv) = match guessing.share_by_levels {
        Some(_) => (" and every family's levels", " och alla familjers nivåer"),
        None => ("", ""),
    };
    let (drawn_en, drawn_sv) = simulated(guessing);
    let (most_en, most_sv) = at_most(guessing.forced_at_most());
    if guessing.at_most {
        return words!(
            "Predictability: whoever knows the method{levels_en} and remembers all earlier lots of a stratum can guess at most {share_en} of {n} right\n(by the ratio alone {chance_en}), at most {right_en} of the next ten families instead of {by_en}; {most_en}{forced_en} are certain beforehand\n(as if it were known which duplicate of an arm each lot stood for).{drawn_en}",
            "Förutsägbarhet: den som känner metoden{levels_sv} och minns alla tidigare lotter i ett stratum kan gissa högst {share_sv} av {n} rätt\n(med enbart förhållandet {chance_sv}), högst {right_sv} av de tio närmaste familjerna i stället för {by_sv}; {most_sv}{forced_sv} är säkra i förväg\n(som om det var känt vilken dubblett av en arm varje lott stod för).{drawn_sv}"
        );
    }
    words!(
        "Predictability: whoever knows the method{levels_en} and remembers all earlier lots of a stratum can guess {share_en} of {n} right\n(by the ratio alone {chance_en}), {right_en} of the next ten families instead of {by_en}; {forced_en} are certain beforehand.{drawn_en}",
        "Förutsägbarhet: den som känner metoden{levels_sv} och minns alla tidigare lotter i ett stratum kan gissa {share_sv} av {n} rätt\n(med enbart förhållandet {chance_sv}), {right_sv} av de tio närmaste familjerna i stället för {by_sv}; {forced_sv} är säkra i förväg.{drawn_sv}"
    )
}

/// The words before a figure that may be an upper bound.
fn at_most(is_bound: bool) -> (&'static str, &'static str) {
    if is_bound {
        ("at most ", "högst ")
    } else {
        ("", "")
    }
}

/// Where the figures come from when they are not exact.
fn simulated(guessing: &Guessing) -> (String, String) {
    let Some(drawn) = guessing.simulated else {
        return Default::default();
    };
    let by_levels = guessing.share_by_levels == guessing.best_share;
    let levels = drawn.share_by_levels.filter(|_| by_levels);
    let Some(error) = levels.or(drawn.best_guess_share) else {
        return Default::default();
    };
    let lists = drawn.followed_lists.unwrap_or(drawn.lists);
    let (en, sv) = both(error, Shown::Percent(2));
    if guessing.share_by_levels.is_none() {
        return (
            format!("\nFrom {lists} drawn lists, Monte Carlo standard error {en}."),
            format!("\nFrån {lists} dragna listor, Monte Carlo-fel {sv}."),
        );
    }
    (
        format!(
            "\nThe families are made up, each level as likely as the others; from {lists} drawn lists, Monte Carlo standard error {en}."
        ),
        format!(
            "\nFamiljerna är påhittade, varje nivå lika vanlig som de andra; från {lists} dragna listor, Monte Carlo-fel {sv}."
        ),
    )
}

fn balance(checked: &Checked) -> Words {
    let guessing = checked.guessing.as_ref();
    let figures = guessing
        .and_then(|guessing| Some((guessing, both(guessing.p_balanced?, Shown::Percent(0)))));
    let Some((guessing, (level_en, level_sv))) = figures else {
        return words!(
            "Balance: not computed exactly for this method and size; `lottning draw --characteristics` simulates it.",
            "Balans: beräknas inte exakt för denna metod och storlek; `lottning draw --characteristics` simulerar den."
        );
    };
    let n = guessing.families_per_stratum;
    let ratio = &checked.protocol.allocation.ratio;
    let two_equal = ratio.is_equal() && ratio.arms() == 2;
    let sds = (
        guessing.imbalance_sd,
        guessing.from_share_sd,
        guessing.max_imbalance,
    );
    let Words { en, sv } = match sds {
        (Some(sd), _, Some(most)) if two_equal => {
            let (sd, most) = (both(sd, Shown::Decimals(1)), both(most, Shown::Decimals(1)));
            let ((sd_en, sd_sv), (max_en, max_sv)) = (sd, most);
            words!(
                "Balance: after {n} families of a stratum the arms differ by {sd_en} (standard deviation), on the way by {max_en} at most on average;\nthey are level in the end with probability {level_en}.",
                "Balans: efter {n} familjer i ett stratum skiljer sig armarna med {sd_sv} (standardavvikelse), på vägen med högst {max_sv} i medeltal;\nde är lika stora till slut med sannolikheten {level_sv}."
            )
        }
        (_, Some(sd), _) => {
            let (sd_en, sd_sv) = both(sd, Shown::Decimals(1));
            words!(
                "Balance: after {n} families of a stratum the number in an arm differs from its share by {sd_en} (standard deviation);\nthe arms are exactly in the ratio with probability {level_en}.",
                "Balans: efter {n} familjer i ett stratum skiljer sig antalet i en arm från dess andel med {sd_sv} (standardavvikelse);\narmarna står exakt i förhållandet med sannolikheten {level_sv}."
            )
        }
        _ => words!(
            "Balance: after {n} families of a stratum the arms are exactly in the ratio with probability {level_en}.",
            "Balans: efter {n} familjer i ett stratum står armarna exakt i förhållandet med sannolikheten {level_sv}."
        ),
    };
    let Some(together) = &checked.together else {
        return Words::new(en, sv);
    };
    let strata = together.strata;
    let (own_en, own_sv) = both(together.imbalance_sd, Shown::Decimals(1));
    let (coin_en, coin_sv) = both(together.coin_sd, Shown::Decimals(1));
    words!(
        "{en} Over all {strata} strata it is {own_en}\n(standard deviation; with independent lots {coin_en}).",
        "{sv} Över alla {strata} strata är det {own_sv}\n(standardavvikelse; med oberoende lotter {coin_sv})."
    )
}

fn next(checked: &Checked) -> Words {
    let hash = checked.protocol.hash.short();
    let Checked { source, .. } = checked;
    let name = &source.name;
    if checked.protocol.study.ethics.is_none() || checked.protocol.study.dpia.is_none() {
        return words!(
            "Before `lottning open`: add the ethics decision and the data-protection assessment.",
            "Före `lottning open`: lägg till etikbeslutet och konsekvensbedömningen avseende dataskydd."
        );
    }
    words!(
        "To seal it: lottning open {name} --study DIR --seed-file FILE --confirm {hash} --actor ID",
        "För att försegla: lottning open {name} --study MAPP --seed-file FIL --confirm {hash} --actor ID"
    )
}
