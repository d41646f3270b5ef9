//! The figures of `lottning draw --characteristics` as table and JSON.

use serde_json::{Map, Value, json};

use crate::allocation::{Characteristics, Figure};
use crate::app::Failure;
use crate::app::draw::{DEFAULT_SEED, Figures};
use crate::diagnostic::{Diagnostic, Words};
use crate::words;

use super::output::{Cell, Document, Grid, Shown};
use super::session::Session;

/// A document of operating characteristics. With strata the fields at the top level are of all of them together, and `strata` holds
/// those of each.
pub(super) fn document(
    method: &str,
    figures: &Figures,
    session: &Session,
) -> Result<Document, Failure> {
    let found = &figures.characteristics;
    let ratio = figures.ratio.to_string();
    let (n, replicates) = (found.n, found.replicates);
    let mut body = json!({
        "method": method,
        "ratio": ratio,
        "n": n,
        "replicates": replicates,
        "hides_duplicates": found.hides_duplicates,
        // Whether the best guess share and the forced share are upper bounds; a forced share of exactly 0 is the share itself.
        "at_most": found.at_most,
        "followed_lists": found.followed_lists,
        // One that was given may be that of a list which nobody should see yet.
        "seed": figures.by_default.then_some(DEFAULT_SEED),
    });
    let (seed_en, seed_sv) = if figures.by_default {
        (
            ", seed 63 zeros and a 1 (none was given)",
            ", frö 63 nollor och en etta (inget angavs)",
        )
    } else {
        ("", "")
    };
    let mut grid = Grid::new();
    grid = match &figures.strata {
        None => grid.title(words!(
            "{method}, ratio {ratio}, lists of {n}, {replicates} replicates{seed_en}",
            "{method}, förhållande {ratio}, listor om {n}, {replicates} upprepningar{seed_sv}"
        )),
        Some(own) => {
            let strata = own.alike.iter().map(|own| own.strata.len()).sum::<usize>();
            grid.title(words!(
                "{method}, ratio {ratio}, {n} units in {strata} strata, {replicates} replicates{seed_en}",
                "{method}, förhållande {ratio}, {n} enheter i {strata} strata, {replicates} upprepningar{seed_sv}"
            ))
            .column("strata", Words::new("strata", "strata"))
            .column("lists", Words::new("lists", "listor"))
            .column("n", Words::new("n", "n"))
        }
    };
    grid = grid
        .column("characteristic", Words::new("characteristic", "egenskap"))
        .column("value", Words::new("value", "värde"))
        .column("mcse", Words::new("Monte Carlo s.e.", "Monte Carlo-fel"))
        .column("exact", Words::new("exact", "exakt"));
    let all = fields(found);
    // Where every figure has an error or an exact one beside it, the table has no columns for ends.
    let each = figures.strata.iter().flat_map(|own| &own.alike);
    let bounded = each
        .map(|alike| &alike.characteristics)
        .chain([found])
        .any(|own| fields(own).iter().any(|(.., own)| own.lower.is_some()));
    if bounded {
        grid = grid
            .column("lower", Words::new("95 % from", "95 % från"))
            .column("upper", Words::new("95 % to", "95 % till"));
    }
    match &figures.strata {
        None => {
            for own in &all {
                grid.row(cells(own, bounded));
            }
        }
        Some(strata) => {
            let mut all = all.to_vec();
            all.insert(
                0,
                (
                    "correct_guesses",
                    Words::new("number of correct guesses", "antal rätta gissningar"),
                    strata.correct_guesses,
                ),
            );
            let lists = strata.alike.iter().map(|own| own.strata.len()).sum();
            let mut part = |name: &Words, lists: usize, n: u64, figures: &[Named]| {
                for own in figures {
                    let first = [
                        Cell::Words(name.clone()),
                        Cell::count(lists),
                        Cell::count(n as usize),
                    ];
                    grid.row(first.into_iter().chain(cells(own, bounded)));
                }
            };
            part(&Words::new("all", "alla"), lists, n, &all);
            put(&mut body, &all);
            let mut each = Vec::new();
            for alike in &strata.alike {
                let own = fields(&alike.characteristics);
                let n = alike.characteristics.n;
                let name = names(&alike.strata);
                part(&name, alike.strata.len(), n, &own);
                let mut object = json!({
                    "strata": alike.strata,
                    "lists": alike.strata.len(),
                    "n": n,
                    "at_most": alike.characteristics.at_most,
                    "followed_lists": alike.characteristics.followed_lists,
                });
                put(&mut object, &own);
                each.push(object);
            }
            body["strata"] = each.into();
        }
    }
    put(&mut body, &all);
    body["warnings"] = figures
        .warnings
        .iter()
        .map(|own| warned(own, session))
        .collect();
    Ok(Document::new("characteristics/1", &body)?.grid(grid))
}

/// A figure with its key and what it is called.
type Named = (&'static str, Words, Figure);

fn fields(found: &Characteristics) -> [Named; 6] {
    let likeliest = if found.at_most {
        Words::new(
            "the same of the likeliest arm, at most (duplicates known)",
            "samma för troligaste armen, högst (dubbletter kända)",
        )
    } else {
        Words::new(
            "the same of the likeliest arm",
            "samma för troligaste armen",
        )
    };
    let forced = if found.forced_at_most() {
        Words::new(
            "share of forced allocations, at most (duplicates known)",
            "andel säkra tilldelningar, högst (dubbletter kända)",
        )
    } else {
        Words::new("share of forced allocations", "andel säkra tilldelningar")
    };
    [
        (
            "correct_guess_share",
            Words::new("share of correct guesses", "andel rätta gissningar"),
            found.correct_guess_share,
        ),
        ("best_guess_share", likeliest, found.best_guess_share),
        ("forced_share", forced, found.forced_share),
        (
            "imbalance_variance",
            Words::new(
                "variance of the final imbalance",
                "slutlig obalans, varians",
            ),
            found.imbalance_variance,
        ),
        (
            "max_imbalance",
            Words::new("mean largest imbalance", "största obalans, medelvärde"),
            found.max_imbalance,
        ),
        (
            "p_balanced",
            Words::new("probability of balance", "sannolikhet för balans"),
            found.p_balanced,
        ),
    ]
}

fn put(body: &mut Value, figures: &[Named]) {
    let mut more: Map<String, Value> = figures
        .iter()
        .map(|(key, _, own)| {
            let mut figure = json!({"value": own.value, "mcse": own.mcse, "exact": own.exact});
            if let Some((lower, upper)) = own.lower.zip(own.upper) {
                figure["lower"] = lower.into();
                figure["upper"] = upper.into();
            }
            ((*key).to_owned(), figure)
        })
        .collect();
    if let Value::Object(fields) = body {
        fields.append(&mut more);
    }
}

fn cells((_, what, figure): &Named, bounded: bool) -> Vec<Cell> {
    let mut cells = vec![
        Cell::Words(what.clone()),
        Cell::number(figure.value, Shown::Decimals(4)),
        Cell::number(figure.mcse, Shown::Decimals(4)),
        Cell::number(figure.exact, Shown::Decimals(6)),
    ];
    if bounded {
        cells.push(Cell::number(figure.lower, Shown::Decimals(6)));
        cells.push(Cell::number(figure.upper, Shown::Decimals(6)));
    }
    cells
}

/// The strata by the first of them.
fn names(strata: &[String]) -> Words {
    match strata {
        [] => Words::default(),
        [only] => words!("{only}", "{only}"),
        [first, more @ ..] => {
            let more = more.len();
            words!("{first} and {more} more", "{first} och {more} till")
        }
    }
}

fn warned(warning: &Diagnostic, session: &Session) -> Value {
    let help = warning.help.as_ref().map(|help| help.get(session.lang));
    json!({"code": warning.code, "message": warning.message.get(session.lang), "help": help})
}
