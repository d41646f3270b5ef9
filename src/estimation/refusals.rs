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
