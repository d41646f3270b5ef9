//! From a table and the names of its columns to what an estimator looks at; every wrong column and cell at once.

use std::collections::BTreeMap;

use crate::diagnostic::Diagnostic;
use crate::estimation::{
    Arm, Columns, Covariate, EstimatorEntry, EventCodes, Factor, Labels, Role, Values, Warning,
};
use crate::table::{Column, Table};
use crate::words;

use super::super::exit;
use super::super::failure::Failure;
use super::super::tables::TableFile;
use super::{Request, warning};

/// The columns of the comparison, and warnings about how the file was understood.
pub(super) fn read(
    file: &TableFile,
    request: &Request,
    entry: &EstimatorEntry,
) -> Result<(Columns, Vec<Warning>), Failure> {
    check_names(file, request)?;
    let (labels, compared) = arms(file, request)?;
    let mut warnings = Vec::new();
    if compared.missing > 0 {
        let (rows, column) = (compared.missing, request.arm.as_deref().unwrap_or_default());
        warnings.push(warning(
            "arm-missing",
            words!(
                "rows without a value in `{column}` are left out: {rows}",
                "rader utan värde i `{column}` är utelämnade: {rows}"
            ),
        ));
    }
    // Rows of other arms are left out before any cell is judged; a table of two arms is not copied for it.
    let kept;
    let table = if compared.arm.iter().all(Option::is_some) {
        &file.table
    } else {
        kept = file.table.keep(|index| compared.arm[index].is_some());
        &kept
    };
    let mut findings = Vec::new();
    let outcome = match &request.outcome {
        Some(name) => outcome(table, name, entry, &mut findings),
        None => Vec::new(),
    };
    let mut covariates = Vec::new();
    for name in &request.covariates {
        if let Some(column) = column(table, name, &mut findings) {
            covariates.push(covariate(&column, &mut warnings));
        }
    }
    let mut factors = |names: &[String]| -> Vec<Factor> {
        names
            .iter()
            .filter_map(|name| column(table, name, &mut findings))
            .map(|column| Factor::from_texts(column.name(), column.texts()))
            .collect()
    };
    let strata = factors(&request.strata);
    let mut group = |name: &Option<String>| factors(name.as_slice()).pop();
    let (cluster, id) = (group(&request.cluster), group(&request.id));
    let mut number = |name: &Option<String>| numbers(table, name.as_deref()?, &mut findings);
    let weights = number(&request.weights);
    let exposure = number(&request.exposure);
    let (time, entry_time) = (number(&request.time), number(&request.entry));
    let received = request.received.as_ref();
    let received = received.and_then(|name| received_of(table, name, &labels, &mut findings));
    let event = request.event.as_ref();
    let event = event.and_then(|name| codes(table, name, entry, &mut findings));
    if !findings.is_empty() {
        return Err(file.refuse(findings));
    }
    let columns = Columns {
        labels,
        arm: compared.arm.iter().copied().flatten().collect(),
        outcome,
        covariates,
        strata,
        cluster,
        weights,
        received,
        exposure,
        time,
        event,
        entry: entry_time,
        id,
        counts: None,
        other_arms: compared.others,
        row_numbers: (0..table.len()).map(|index| table.row(index)).collect(),
    };
    Ok((columns, warnings))
}

/// Every column that the file lacks, at once.
fn check_names(file: &TableFile, request: &Request) -> Result<(), Failure> {
    let findings: Vec<Diagnostic> = request
        .arm
        .iter()
        .chain(Role::ALL.into_iter().flat_map(|role| request.columns(role)))
        .filter_map(|name| file.table.column(name).err())
        .collect();
    if findings.is_empty() {
        Ok(())
    } else {
        Err(file.refuse(findings))
    }
}

/// The arm of every row of the file; `None` is a row that is not compared.
struct Compared {
    arm: Vec<Option<Arm>>,
    missing: usize,
    others: usize,
}

fn arms(file: &TableFile, request: &Request) -> Result<(Labels, Compared), Failure> {
    let name = request.arm.as_deref().unwrap_or_default();
    let control = request.control.as_deref().unwrap_or_default();
    let column = file
        .table
        .column(name)
        .map_err(|finding| file.refuse(vec![finding]))?;
    let mut levels: BTreeMap<&str, usize> = BTreeMap::new();
    for level in column.texts().flatten() {
        *levels.entry(level).or_default() += 1;
    }
    let wanted = std::iter::once(control).chain(request.treated.as_deref());
    let unknown: Vec<Diagnostic> = wanted
        .filter(|level| !levels.contains_key(level))
        .map(|level| column.unknown_level(level))
        .collect();
    if !unknown.is_empty() {
        return Err(file.refuse(unknown));
    }
    let others: Vec<&str> = levels.keys().copied().filter(|l| *l != control).collect();
    let treated = match (request.treated.as_deref(), others.as_slice()) {
        (Some(treated), _) => treated,
        (None, [only]) => only,
        (None, []) => {
            let finding = Diagnostic::error(
                "one-arm",
                words!(
                    "column `{name}` has the value `{control}` only, so there is nothing to compare",
                    "kolumnen `{name}` har bara värdet `{control}`, så det finns inget att jämföra"
                ),
            );
            return Err(file.refuse(vec![finding]));
        }
        (None, several) => {
            let all = several.join(", ");
            return Err(Failure::new(
                exit::USAGE,
                "missing-option",
                words!(
                    "missing: --treated, because column `{name}` has more than two levels",
                    "saknas: --treated, eftersom kolumnen `{name}` har fler än två värden"
                ),
            )
            .help(words!("it can be: {all}", "det kan vara: {all}")));
        }
    };
    let arm: Vec<Option<Arm>> = column
        .texts()
        .map(|cell| match cell {
            Some(level) if level == treated => Some(Arm::Treated),
            Some(level) if level == control => Some(Arm::Control),
            _ => None,
        })
        .collect();
    let missing = column.missing();
    let others = arm.iter().filter(|arm| arm.is_none()).count() - missing;
    let labels = Labels {
        treated: treated.to_owned(),
        control: control.to_owned(),
    };
    Ok((
        labels,
        Compared {
            arm,
            missing,
            others,
        },
    ))
}

fn outcome(
    table: &Table,
    name: &str,
    entry: &EstimatorEntry,
    findings: &mut Vec<Diagnostic>,
) -> Vec<Option<f64>> {
    let Some(column) = column(table, name, findings) else {
        return Vec::new();
    };
    let values = if entry.binary() {
        column.zero_one().map(|values| {
            let number = |yes: bool| f64::from(u8::from(yes));
            values.into_iter().map(|value| value.map(number)).collect()
        })
    } else {
        column.numbers()
    };
    values.unwrap_or_else(|found| {
        findings.extend(found);
        Vec::new()
    })
}

fn numbers(table: &Table, name: &str, findings: &mut Vec<Diagnostic>) -> Option<Vec<Option<f64>>> {
    let numbers = column(table, name, findings)?.numbers();
    numbers.map_err(|found| findings.extend(found)).ok()
}

/// Whether the treated arm's service was received: numbers as they are, or the names of the two arms.
fn received_of(
    table: &Table,
    name: &str,
    labels: &Labels,
    findings: &mut Vec<Diagnostic>,
) -> Option<Vec<Option<f64>>> {
    let own = column(table, name, findings)?;
    let named = |text: &str| text == labels.treated || text == labels.control;
    if own.texts().flatten().all(named) {
        let number = |text: &str| f64::from(u8::from(text == labels.treated));
        return Some(own.texts().map(|cell| cell.map(number)).collect());
    }
    numbers(table, name, findings)
}

/// Codes of events.
fn codes(
    table: &Table,
    name: &str,
    entry: &EstimatorEntry,
    findings: &mut Vec<Diagnostic>,
) -> Option<Vec<Option<u32>>> {
    let several = entry.events == Some(EventCodes::Several);
    let codes = column(table, name, findings)?.event_codes(several);
    codes.map_err(|found| findings.extend(found)).ok()
}

fn covariate(column: &Column<'_>, warnings: &mut Vec<Warning>) -> Covariate {
    if let Some(values) = column.only_numbers() {
        return Covariate {
            name: column.name().to_owned(),
            values: Values::Numeric(values),
        };
    }
    if let Some(slip) = column.mostly_numbers() {
        warnings.push(warning(slip.code, slip.message));
    }
    Covariate::factor(Factor::from_texts(column.name(), column.texts()))
}

fn column<'a>(table: &'a Table, name: &str, findings: &mut Vec<Diagnostic>) -> Option<Column<'a>> {
    table
        .column(name)
        .map_err(|finding| findings.push(finding))
        .ok()
}
