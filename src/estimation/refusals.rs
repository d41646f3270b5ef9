//! What refusals of redraws, bounds, ratios and times say; which there are is `error`'s.

use crate::diagnostic::Words;
use crate::words;

pub(super) fn range_missing(estimator: &str) -> Words {
    words!(
        "`{estimator}` needs the range of an outcome that is not 0 or 1; give its least and greatest possible value with --range MIN,MAX",
        "`{estimator}` behöver gränserna för ett utfall som inte är 0 eller 1; ange dess minsta och största möjliga värde med --range MIN,MAX"
    )
}

pub(super) fn no_events() -> Words {
    words!(
        "no analysed row has the event (code 1), so there is nothing to compare; look at the coding of the event column",
        "ingen analyserad rad har händelsen (kod 1), så det finns inget att jämföra; se efter hur händelsekolumnen är kodad"
    )
}

pub(super) fn no_variation() -> Words {
    words!(
        "the outcome does not vary, so the effect has no estimate",
        "utfallet varierar inte, så effekten har ingen skattning"
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

/// Codes of an event that it may not have.
pub(super) fn event_code(shown: &str) -> Words {
    words!(
        "the event column has other codes than 0 and 1 in row {shown}; code it 0 (end of follow-up) and 1 (the event)",
        "händelsekolumnen har andra koder än 0 och 1 på rad {shown}; koda den 0 (uppföljningens slut) och 1 (händelsen)"
    )
}

/// 1 and 2 where 0 and 1 are meant.
pub(super) fn events_coded_one_two() -> Words {
    words!(
        "the event column holds 1 and 2 and no 0, as programs write that take 1 for the end of follow-up; code it 0 (end of follow-up), 1 (the event), 2 and above (other events), and if nobody's follow-up ended without an event, write the other event as 3",
        "händelsekolumnen har 1 och 2 men ingen 0, så som program skriver där 1 är uppföljningens slut; koda den 0 (uppföljningens slut), 1 (händelsen), 2 och uppåt (andra händelser), och om ingens uppföljning slutade utan händelse, skriv den andra händelsen som 3"
    )
}

/// Times before the origin.
pub(super) fn negative_time(shown: &str) -> Words {
    words!(
        "times are below 0 in row {shown}; count every time from one origin, the randomization",
        "tider är mindre än 0 på rad {shown}; räkna alla tider från samma nollpunkt, lottningen"
    )
}

/// Follow-up that ends before it begins.
pub(super) fn time_before_entry(shown: &str) -> Words {
    words!(
        "follow-up ends before it begins in row {shown}; correct time or entry",
        "uppföljningen slutar innan den börjar på rad {shown}; rätta tid eller inträde"
    )
}

/// Follow-up of no length.
pub(super) fn empty_interval(shown: &str) -> Words {
    words!(
        "follow-up begins and ends at the same time in row {shown}, so nothing can be seen in it; a registered rule can add half a day to such times",
        "uppföljningen börjar och slutar samtidigt på rad {shown}, så inget kan iakttas i den; en registrerad regel kan lägga en halv dag till sådana tider"
    )
}

/// An arm in which nobody had the event.
pub(super) fn arm_without_events(arm: &str, cox: bool) -> Words {
    let (en, sv) = if cox {
        (
            "the variances `model`, by its score test, and `firth` have an answer; `rmst` gives an effect in time",
            "variansen `model`, genom sitt score-test, och `firth` har ett svar; `rmst` ger en effekt i tid",
        )
    } else {
        (
            "`log-rank` gives the test, `rmst` an effect in time",
            "`log-rank` ger testet, `rmst` en effekt i tid",
        )
    };
    words!(
        "nobody in arm {arm} had the event, so the likelihood rises without end and there is no finite ratio; {en}",
        "ingen i armen {arm} fick händelsen, så likelihooden stiger utan slut och det finns ingen ändlig kvot; {sv}"
    )
}

/// A partial likelihood without a maximum.
pub(super) fn monotone_likelihood(shown: &str, cox: bool) -> Words {
    let (en, sv) = if cox {
        (
            "use the variance `firth`, whose estimates are finite",
            "använd variansen `firth`, vars skattningar är ändliga",
        )
    } else {
        (
            "use `log-rank` for the test and `rmst` for the effect",
            "använd `log-rank` för testet och `rmst` för effekten",
        )
    };
    words!(
        "the likelihood rises without end: the coefficient of {shown} grows beyond all bounds; merge levels or leave the covariate out, or {en}",
        "likelihooden stiger utan slut: koefficienten för {shown} växer över alla gränser; slå ihop nivåer eller utelämna kovariaten, eller {sv}"
    )
}
