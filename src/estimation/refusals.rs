//! What refusals of redraws and bounds say; which there are is `error`'s.

use crate::diagnostic::Words;
use crate::words;

pub(super) fn range_missing(estimator: &str) -> Words {
    words!(
        "`{estimator}` needs the range of an outcome that is not 0 or 1; give its least and greatest possible value with --range MIN,MAX",
        "`{estimator}` behöver gränserna för ett utfall som inte är 0 eller 1; ange dess minsta och största möjliga värde med --range MIN,MAX"
    )
}

pub(super) fn draws(draws: u64, most: u64) -> Words {
    words!(
        "{draws} redraws cannot be done; give a number from 1 to {most}",
        "{draws} omlottningar går inte att göra; ange ett tal från 1 till {most}"
    )
}

pub(super) fn outside_range(row: usize, value: f64, (low, high): (f64, f64)) -> Words {
    words!(
        "row {row}: the outcome {value} is outside the range {low} to {high}; correct the cell or the range",
        "rad {row}: utfallet {value} ligger utanför intervallet {low} till {high}; rätta cellen eller intervallet"
    )
}

pub(super) fn cluster_split(cluster: &str, between: &str) -> Words {
    let between_sv = if between == "arms" { "armar" } else { "strata" };
    words!(
        "the rows of cluster {cluster} are in several {between}, but a cluster is randomized as one; correct the column, or leave the cluster out",
        "raderna i klustret {cluster} finns i flera {between_sv}, men ett kluster lottas som en enhet; rätta kolumnen eller utelämna klustret"
    )
}

pub(super) fn alone_in_stratum(stratum: &str) -> Words {
    let (en, sv) = if stratum.is_empty() {
        ("an arm has".to_owned(), "en arm har".to_owned())
    } else {
        (
            format!("an arm of stratum {stratum} has"),
            format!("en arm i stratumet {stratum} har"),
        )
    };
    words!(
        "{en} a single unit, and there are too few strata like it to pool its variance; merge strata by a rule that was registered",
        "{sv} en enda enhet, och det finns för få sådana strata för att slå ihop deras varians; slå ihop strata enligt en registrerad regel"
    )
}

/// An outcome that is no whole number from 0.
pub(super) fn not_count(row: usize, value: f64) -> Words {
    words!(
        "row {row}: the outcome is {value}, but must be a whole number from 0",
        "rad {row}: utfallet är {value} men måste vara ett heltal från 0"
    )
}

/// A value that must be above 0.
pub(super) fn not_positive(column: &str, row: usize, value: f64) -> Words {
    words!(
        "column {column}, row {row}: the value is {value}, but must be above 0; leave the row out or correct it",
        "kolumnen {column}, rad {row}: värdet är {value} men måste vara större än 0; utelämna raden eller rätta värdet"
    )
}

/// More units than an exact sum takes.
pub(super) fn too_many_units(units: u64, most: u64) -> Words {
    words!(
        "{units} units are more than the {most} that an exact sum over tables takes; use odds-ratio, whose score interval is as good there",
        "{units} enheter är fler än de {most} som en exakt summa över tabeller klarar; använd odds-ratio, vars score-intervall är lika bra där"
    )
}

/// An arm whose counts are all 0.
pub(super) fn arm_never_counted(arm: &str) -> Words {
    words!(
        "arm {arm} has no event, so a rate ratio has no finite estimate with a standard error; use difference-in-means or mean-cumulative-count",
        "armen {arm} har ingen händelse, så en kvot mellan takter har ingen ändlig skattning med medelfel; använd difference-in-means eller mean-cumulative-count"
    )
}

/// An arm in which all units have the event, or none.
pub(super) fn same_outcome(arm: &str, all: bool) -> Words {
    let (en, sv) = if all {
        ("every unit", "alla enheter")
    } else {
        ("no unit", "ingen enhet")
    };
    words!(
        "in arm {arm} {en} has the event, so no model of the odds has a finite effect; use risk-difference, risk-ratio or odds-ratio, whose score intervals exist",
        "i armen {arm} har {sv} händelsen, så ingen modell av oddsen har en ändlig effekt; använd risk-difference, risk-ratio eller odds-ratio, vars score-intervall finns"
    )
}

/// A likelihood of a regression without a maximum; `firth` when a penalized fit is offered.
pub(super) fn separation(firth: bool) -> Words {
    if firth {
        return words!(
            "arm and covariates separate events from non-events, so the likelihood has no maximum and the odds ratio no finite estimate; use --variance firth, or fewer covariates",
            "armen och kovariaterna skiljer händelser från icke-händelser, så likelihood saknar maximum och oddskvoten en ändlig skattning; använd --variance firth eller färre kovariater"
        );
    }
    words!(
        "arm and covariates separate the rows with events from those without, so the likelihood has no maximum and the ratio no finite estimate; use fewer covariates",
        "armen och kovariaterna skiljer raderna med händelser från dem utan, så likelihood saknar maximum och kvoten en ändlig skattning; använd färre kovariater"
    )
}

/// An interval that does not go with a variance.
pub(super) fn interval_clash(interval: &str, variance: &str) -> Words {
    words!(
        "interval `{interval}` does not go with variance `{variance}`",
        "interval `{interval}` går inte ihop med variance `{variance}`"
    )
}
