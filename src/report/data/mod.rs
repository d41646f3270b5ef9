//! `export --data` as bytes: the data sets of a lock, a row for each randomized family, for everything that happened to it,
//! and for each family that a closed gate turned away, with a codebook in two languages.
//!
//! Families are numbers in the order of the draw, as in a folder for replication, and dates are days: from the draw, or
//! from the first site's opening. What the numbers are is decided in `study`.

mod codebook;
mod events;
mod families;
mod turned_away;

use self::codebook::Codebook;
use super::flat::File;
use crate::protocol::model::{Day, Outcome, OutcomeKind, Protocol, Summary};
use crate::study::dataset::{self, OutcomeValue, Unit};
use crate::study::kernel::State;

/// What a folder of data is made from.
#[derive(Debug, Clone, Copy)]
pub struct Data<'a> {
    /// The protocol in force at the lock.
    pub protocol: &'a Protocol,
    /// The protocol with every epoch's: strata are those of the draw.
    pub epochs: &'a Protocol,
    /// The ledger up to the lock.
    pub state: &'a State,
    /// Its cut, inclusive.
    pub cut: Day,
    /// Id of the lock.
    pub lock: &'a str,
}

/// The files of a folder of data, the page to read first.
pub fn files(data: &Data<'_>) -> Vec<File> {
    let mut units = Vec::new();
    dataset::units(data.state, data.cut, &mut units);
    let mut book = Codebook::default();
    let mut tables = vec![
        families::table(data, &units, &mut book),
        events::table(data, &units, &mut book),
    ];
    if data.protocol.gate.is_some() {
        tables.push(turned_away::table(data, &mut book));
    }
    let mut files = vec![
        File {
            path: "README.txt".to_owned(),
            text: readme(data, &units),
        },
        book.file(),
    ];
    files.extend(tables);
    files
}

/// The summary by which an outcome of a kind is one number, before an analysis takes another.
fn summary(kind: &OutcomeKind) -> Summary {
    match kind {
        OutcomeKind::Reports { .. } => Summary::Count,
        OutcomeKind::Binary { .. } => Summary::Any,
        OutcomeKind::Duration { .. } => Summary::FirstTime,
        OutcomeKind::Observed { .. } => Summary::Value,
    }
}

/// How an outcome is known, and what it is then.
fn told(value: OutcomeValue) -> (&'static str, Option<f64>) {
    match value {
        OutcomeValue::Known(value) => ("known", Some(value)),
        OutcomeValue::Unknown(_) => ("unknown", None),
        OutcomeValue::NotYet => ("not-yet", None),
    }
}

/// The days of an outcome's window after the draw.
fn window(outcome: &Outcome) -> (i32, i32) {
    match outcome.kind {
        OutcomeKind::Reports { window_days, .. }
        | OutcomeKind::Binary { window_days, .. }
        | OutcomeKind::Observed { window_days } => window_days,
        OutcomeKind::Duration { horizon_days, .. } => (0, horizon_days),
    }
}

/// Days from the first site's opening.
fn study_day(data: &Data<'_>, on: Day) -> i32 {
    on.since(data.protocol.first_opening())
}

/// What the folder is and how it is to be kept.
fn readme(data: &Data<'_>, units: &[Unit]) -> String {
    let study = &data.protocol.study;
    let (id, lock, families) = (&study.id, data.lock, units.len());
    let (hash, version) = (data.protocol.hash.to_hex(), env!("CARGO_PKG_VERSION"));
    let cut = study_day(data, data.cut);
    format!(
        "CONTAINS PSEUDONYMIZED SENSITIVE PERSONAL DATA. Keep this folder as the study itself.\n\
         It holds a row for each family. Secrecy and data protection hold for it as for the study; it is not for publication.\n\
         \n\
         Study {id}, lock {lock}, {families} families, data up to and including study day {cut}.\n\
         Protocol {hash}; lottning {version}.\n\
         Dates are days: study days count from the first site's opening (day 0), all others from the family's own draw (day 0).\n\
         codebook.csv explains every column. Missing is NA. In R: read.csv(\"families.csv\").\n\
         \n\
         \n\
         INNEHÅLLER PSEUDONYMISERADE KÄNSLIGA PERSONUPPGIFTER. Förvara mappen som studien själv.\n\
         Den har en rad per familj. Sekretess och dataskydd gäller för den som för studien; den är inte till för publicering.\n\
         \n\
         Studie {id}, låsning {lock}, {families} familjer, data till och med studiedag {cut}.\n\
         Protokoll {hash}; lottning {version}.\n\
         Datum är dagar: studiedagar räknas från den första enhetens öppnande (dag 0), alla andra från familjens egen lottning (dag 0).\n\
         codebook.csv förklarar varje kolumn. Saknat värde är NA. I R: read.csv(\"families.csv\").\n"
    )
}
