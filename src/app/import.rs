//! `import`: many events of one kind from a file, all rows or none.

use super::exit;
use super::failure::{Failure, suggestion};
use super::outside::Outside;
use super::permission::Deed;
use super::record::{Reach, batch, taken_back};
use super::study::{Act, Study, Work};
use super::tables::TableFile;
use crate::diagnostic::{Diagnostic, Place, Words};
use crate::study::journal::Journal;
use crate::study::kernel::Source;
use crate::study::recording::{EVENTS, EventRequest};
use crate::words;
use std::path::Path;

/// What `import` needs.
#[derive(Debug)]
pub struct Import<'a> {
    /// The event's id.
    pub event: String,
    /// The file.
    pub file: &'a TableFile,
    /// A file that says which header of the file means which column.
    pub map: Option<&'a Path>,
    /// Check only.
    pub dry_run: bool,
    /// Who and when.
    pub act: Act,
}

/// What `import` prints.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imported {
    /// The event.
    pub event: String,
    /// Sequence of the last event recorded, or of the ledger's head.
    pub sequence: u64,
    /// Whether every row had been recorded before.
    pub replayed: bool,
    /// Rows of the file.
    pub rows: usize,
    /// Rows recorded now.
    pub recorded: usize,
    /// Rows that had been recorded before.
    pub replayed_rows: usize,
    /// Head of the ledger.
    pub head: String,
    /// What a person should know.
    pub warnings: Vec<Diagnostic>,
}

/// Imports a file.
///
/// # Errors
/// Every row that is refused, at once (exit 4; 6 when the only problem is keys used with other content); nothing is
/// recorded then.
pub fn import(
    outside: &Outside,
    study: &mut Study,
    import: &Import<'_>,
) -> Result<Imported, Failure> {
    let columns = columns(outside, import)?;
    let values = columns.iter().filter(|(name, _)| name == "value");
    let values: Vec<&str> = values.map(|(_, header)| header.as_str()).collect();
    let file = &import.file.with_points(outside, &values)?;
    let import = &Import {
        event: import.event.clone(),
        file,
        act: import.act.clone(),
        ..*import
    };
    let requests = requests(import, &columns)?;
    let mut again = Vec::new();
    let reach = if import.dry_run {
        Reach::Blind
    } else {
        Reach::Whole
    };
    let work = |journal: &Journal, time| {
        let rows = requests.iter().map(|(_, request)| request);
        let batch = batch(journal, rows, Source::Register, time, reach);
        if !batch.refused.is_empty() {
            return Err(refused(import, &requests, batch.refused));
        }
        again = batch.retracted;
        let recorded = if import.dry_run {
            0
        } else {
            batch.recordings.len()
        };
        let answer = Imported {
            event: import.event.clone(),
            sequence: journal.head.sequence + recorded as u64,
            replayed: batch.recordings.is_empty() && batch.replayed > 0,
            rows: requests.len(),
            recorded,
            replayed_rows: batch.replayed,
            head: String::new(),
            warnings: batch.warnings,
        };
        Ok(Work {
            recordings: batch.recordings,
            answer,
        })
    };
    let (act, deed) = (&import.act, deed(import, &requests));
    let mut imported = if import.dry_run {
        study.try_write(outside, act, deed, work)?
    } else {
        study.write(outside, act, deed, work)?
    };
    imported.head = study.journal.head.to_hex();
    imported.warnings.extend(taken_back(study, &again)?);
    Ok(imported)
}

/// The refusal of a file for all its rows that are refused.
fn refused(
    import: &Import<'_>,
    requests: &[(usize, EventRequest)],
    rows: Vec<(usize, Failure)>,
) -> Failure {
    let (exit, code) = if rows.iter().all(|(_, own)| own.exit == exit::REUSED) {
        (exit::REUSED, "key-reused")
    } else {
        (exit::INVALID_DATA, "invalid-data")
    };
    let findings = rows
        .into_iter()
        .flat_map(|(place, failure)| at_row(failure, requests[place].0));
    let name = import.file.name.clone();
    Failure::refused_file(exit, code, name, "", findings.collect()).help(Words::new(
        "no row was recorded; mend the file and import it again",
        "ingen rad har registrerats; rätta filen och importera den igen",
    ))
}

/// What the import does: of links, the deed with fewer roles if one row needs it.
fn deed(import: &Import<'_>, requests: &[(usize, EventRequest)]) -> Deed {
    let of_event = Deed::of_event(&import.event);
    let mut deeds = requests.iter().map(|(_, request)| Deed::of(request));
    match deeds.next() {
        Some(first) if deeds.all(|own| own == first) => first,
        _ => of_event,
    }
}

/// A refused row as findings with their row.
fn at_row(failure: Failure, row: usize) -> Vec<Diagnostic> {
    if failure.diagnostics.is_empty() {
        let mut finding = Diagnostic::error(failure.code, failure.message).at(Place::row(row));
        finding.help = failure.help;
        return vec![finding];
    }
    failure
        .diagnostics
        .into_iter()
        .map(|mut finding| {
            finding.place.get_or_insert_with(Place::default).row = Some(row);
            finding
        })
        .collect()
}

/// Which column of the file is which, by the program's names.
fn columns(outside: &Outside, import: &Import<'_>) -> Result<Vec<(String, String)>, Failure> {
    let header = import.file.table.header();
    let own = |name: &String| (name.clone(), name.clone());
    let Some(path) = import.map else {
        return Ok(header.iter().map(own).collect());
    };
    let text = outside.read_text(path, exit::INVALID_DATA)?;
    let name = path.display().to_string();
    let refuse = |finding: Diagnostic| {
        Failure::refused_file(
            exit::INVALID_DATA,
            "invalid-map",
            name.clone(),
            text.clone(),
            vec![finding],
        )
    };
    let table: toml::Table = text.parse().map_err(|error: toml::de::Error| {
        let detail = error.message();
        let message = words!("this is not TOML: {detail}", "detta är inte TOML: {detail}");
        let finding = Diagnostic::error("map-syntax", message).help(words!(
            "a map is a table [columns] with lines such as on = \"Inkom\"",
            "en karta är en tabell [columns] med rader som on = \"Inkom\""
        ));
        refuse(match error.span() {
            Some(span) => finding.at(Place::span(span)),
            None => finding,
        })
    })?;
    let shape = || {
        refuse(
            Diagnostic::error(
                "map-shape",
                Words::new(
                    "a map has one table [columns] with lines name = \"header of the file\"",
                    "en karta har en tabell [columns] med rader namn = \"filens rubrik\"",
                ),
            )
            .help(Words::new(
                "for example on = \"Inkom\"",
                "till exempel on = \"Inkom\"",
            )),
        )
    };
    if table.keys().any(|key| key != "columns") {
        return Err(shape());
    }
    let columns = table
        .get("columns")
        .and_then(toml::Value::as_table)
        .ok_or_else(shape)?;
    let mut mapped = Vec::new();
    for (name, header_name) in columns {
        let header_name = header_name.as_str().ok_or_else(shape)?;
        if !header.iter().any(|own| own == header_name) {
            let known: Vec<&str> = header.iter().map(String::as_str).collect();
            return Err(refuse(
                Diagnostic::error(
                    "unknown-column",
                    words!(
                        "the file has no column `{header_name}`",
                        "filen har ingen kolumn `{header_name}`"
                    ),
                )
                .help(suggestion(header_name, &known)),
            ));
        }
        mapped.push((name.clone(), header_name.to_owned()));
    }
    // Headers that the map leaves out keep their names if they are the program's own; others are not read.
    let named = |header_name: &String| mapped.iter().any(|(_, own)| own == header_name);
    let rest: Vec<(String, String)> = header
        .iter()
        .filter(|name| !named(name) && BASE.contains(&name.as_str()))
        .map(own)
        .collect();
    mapped.extend(rest);
    Ok(mapped)
}

const BASE: [&str; 5] = ["family", "site", "on", "event_key", "child"];

fn requests(
    import: &Import<'_>,
    columns: &[(String, String)],
) -> Result<Vec<(usize, EventRequest)>, Failure> {
    if !EVENTS.iter().any(|(id, _)| *id == import.event) {
        let what = Words::new("event", "händelse");
        return Err(Failure::unknown_id(
            &what,
            &import.event,
            EVENTS.iter().map(|(id, _)| *id),
        ));
    }
    // A report's own words are accepted beside the general ones.
    let alias = |name: &str| match (import.event.as_str(), name) {
        ("report", "report_key") => "event_key".to_owned(),
        ("report", "received") => "on".to_owned(),
        _ => name.to_owned(),
    };
    let names: Vec<String> = columns.iter().map(|(name, _)| alias(name)).collect();
    let mut findings = Vec::new();
    for needed in ["on", "event_key"] {
        if !names.iter().any(|name| name == needed) {
            findings.push(
                Diagnostic::error(
                    "missing-column",
                    words!("column `{needed}` is missing", "kolumnen `{needed}` saknas"),
                )
                .at(Place::column(needed))
                .help(Words::new(
                    "the columns are family (or site), on, event_key, child and the event's own; other headers are named by --map",
                    "kolumnerna är family (eller site), on, event_key, child och händelsens egna; andra rubriker anges med --map",
                )),
            );
        }
    }
    for (place, name) in names.iter().enumerate() {
        if names[..place].contains(name) {
            findings.push(
                Diagnostic::error(
                    "repeated-column",
                    words!("two columns mean `{name}`", "två kolumner betyder `{name}`"),
                )
                .at(Place::column(name.clone())),
            );
        }
    }
    if !findings.is_empty() {
        return Err(import.file.refuse(findings));
    }
    let mut cells = Vec::new();
    for (name, (_, header)) in names.iter().zip(columns) {
        let column = import
            .file
            .table
            .column(header)
            .map_err(|finding| import.file.refuse(vec![finding]))?;
        cells.push((name.as_str(), column.texts().collect::<Vec<_>>()));
    }
    Ok((0..import.file.table.len())
        .map(|row| {
            let cell = |name: &str| {
                let (_, texts) = cells.iter().find(|(own, _)| *own == name)?;
                texts.get(row).copied().flatten().map(str::to_owned)
            };
            let set = cells
                .iter()
                .filter(|(name, _)| !BASE.contains(name))
                .filter_map(|(name, texts)| {
                    Some((
                        (*name).to_owned(),
                        texts.get(row).copied().flatten()?.to_owned(),
                    ))
                })
                .collect();
            let request = EventRequest {
                event: import.event.clone(),
                family: cell("family"),
                site: cell("site"),
                on: cell("on").unwrap_or_default(),
                event_key: cell("event_key").unwrap_or_default(),
                child: cell("child"),
                set,
            };
            (import.file.table.row(row), request)
        })
        .collect())
}
