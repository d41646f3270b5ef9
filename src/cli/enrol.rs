//! `lottning enrol`.

use clap::Args;
use serde_json::{Value, json};
use std::io::Write;
use std::path::PathBuf;

use crate::app::enrol::{Desk, EnrolRow, Enrolled, enrol_file};
use crate::app::{Failure, TableFile, exit};
use crate::diagnostic::{Lang, Words};
use crate::protocol::Protocol;
use crate::protocol::model::Check;
use crate::study::intake::EnrolRequest;
use crate::words;

use super::acting::{Acting, At, head, pairs, warned};
use super::dialect::Dialect;
use super::failure;
use super::options;
use super::output::{Cell, Document, Grid};
use super::session::Session;

/// Arguments of `enrol`.
#[derive(Debug, Args)]
pub(super) struct Enrol {
    #[command(flatten)]
    at: At,

    /// Site id
    #[arg(long, value_name = "ID", required_unless_present = "from")]
    site: Option<String>,

    /// Pseudonym of the family, for example KATL-MORU
    #[arg(long, value_name = "ID", required_unless_present = "from")]
    family: Option<String>,

    /// Pseudonym of a child; may be repeated
    #[arg(long, value_name = "ID", conflicts_with = "from")]
    child: Vec<String>,

    /// Key of the report that led to the investigation
    #[arg(long, value_name = "K", required_unless_present = "from")]
    report_key: Option<String>,

    /// Date on which that report was received
    #[arg(long, value_name = "DATE", required_unless_present = "from")]
    received: Option<String>,

    /// Answer to a criterion, yes or no; one for each question
    #[arg(long, value_name = "ID=yes|no", conflicts_with = "from")]
    answer: Vec<String>,

    /// Value of a field; one for each field
    #[arg(long, value_name = "ID=V", conflicts_with = "from")]
    field: Vec<String>,

    /// Declared exception from randomization
    #[arg(long, value_name = "REASON", conflicts_with = "from")]
    exception: Option<String>,

    /// Id of this request, to repeat it safely [default: from study, family and report key]
    #[arg(long, value_name = "ID", conflicts_with = "from")]
    request_id: Option<String>,

    /// A file of families instead of one: each row its own transaction, one JSON object a line
    #[arg(long, value_name = "FILE.csv", conflicts_with_all = ["site", "family", "report_key", "received"])]
    from: Option<String>,

    /// Seed file of the epoch in force, or of each epoch in their order: the path that open or amend was given, from the current folder. It lies outside the study folder, whose readers could tell every arm to come from it
    #[arg(long, value_name = "FILE", required = true)]
    seed_file: Vec<PathBuf>,

    #[command(flatten)]
    acting: Acting,

    #[command(flatten)]
    dialect: Dialect,
}

impl Enrol {
    /// Enrols one family or a file of them.
    pub(super) fn run(&self, session: &Session) -> Result<Document, Failure> {
        let outside = &session.outside;
        let file = if let Some(path) = &self.from {
            let dialect = self.dialect.text();
            Some(TableFile::read_for_study(outside, path, &dialect)?)
        } else {
            self.dialect.without_table("`--from`")?;
            None
        };
        let request = EnrolRequest {
            site: self.site.clone().unwrap_or_default(),
            family: self.family.clone().unwrap_or_default(),
            children: self.child.clone(),
            report_key: self.report_key.clone().unwrap_or_default(),
            received: self.received.clone().unwrap_or_default(),
            exception: self.exception.clone(),
            request_id: self.request_id.clone(),
            answers: pairs("--answer", &self.answer)?,
            fields: pairs("--field", &self.field)?,
        };
        let mut desk = Desk::open(outside, &self.at.study, &self.seed_file)?;
        let act = self.acting.act();
        let Some(file) = file else {
            let enrolled = desk.enrol(outside, &act, &request);
            let enrolled = enrolled.map_err(options::enrolment_refused)?;
            let said = sentence(&enrolled, desk.study().protocol());
            session.keep_afterwards(desk.into_study());
            let warnings = warned(session, &enrolled.warnings);
            let row = csv_row(&enrolled, session);
            return Ok(Document::new("enrolment/1", &body(&enrolled, warnings))?
                .csv(row)
                .text(said)
                .text(head(&enrolled.head))
                .receipt()
                .exit(enrolled.exit));
        };
        let mut broken = None;
        let refused = enrol_file(outside, &mut desk, &act, &file, &mut |row| {
            if let Err(error) = say(session, row) {
                broken.get_or_insert(error);
            }
        })?;
        session.keep_afterwards(desk.into_study());
        if let Some(error) = broken {
            return Err(super::output::not_written(&error.to_string()));
        }
        Ok(Document::streamed(if refused {
            exit::INVALID_DATA
        } else {
            exit::DONE
        }))
    }
}

/// One line on standard output for an answer, the refusal on standard error.
fn say(session: &Session, row: &EnrolRow) -> std::io::Result<()> {
    match &row.result {
        Ok(enrolled) => {
            let warnings = warned(session, &enrolled.warnings);
            let mut line = serde_json::Map::new();
            line.insert("schema".into(), "lottning.enrolment/1".into());
            if let Value::Object(fields) = body(enrolled, warnings) {
                line.extend(fields);
            }
            line.insert("row".into(), row.row.into());
            let mut out = std::io::stdout().lock();
            let written = writeln!(out, "{}", Value::Object(line)).and_then(|()| out.flush());
            match written {
                // A reader that has gone away does not stop the enrolment of the rest.
                Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
                written => written,
            }
        }
        Err(refusal) => {
            let number = row.row;
            let mut refusal = refusal.clone();
            let message = refusal.message;
            let (en, sv) = (&message.en, &message.sv);
            refusal.message = words!("row {number}: {en}", "rad {number}: {sv}");
            std::io::stderr().write_all(failure::text(&refusal, session.lang, false).as_bytes())
        }
    }
}

fn body(enrolled: &Enrolled, warnings: Vec<Value>) -> Value {
    let mut body = json!({
        "outcome": enrolled.outcome,
        "family": enrolled.family,
        "arm": enrolled.arm,
        "allocation": enrolled.allocation,
        "replayed": enrolled.replayed,
        "reasons": enrolled.reasons,
        "head": enrolled.head,
    });
    if !warnings.is_empty() {
        body["warnings"] = Value::from(warnings);
    }
    body
}

/// The answer as one row, with the same fields as the JSON: reasons and the codes of warnings between spaces, and what the
/// warnings say.
fn csv_row(enrolled: &Enrolled, session: &Session) -> Grid {
    let codes: Vec<&str> = enrolled.warnings.iter().map(|own| own.code).collect();
    let said: Vec<&str> = enrolled
        .warnings
        .iter()
        .map(|own| own.message.get(session.lang))
        .collect();
    let number = enrolled.allocation.map(|own| own.to_string());
    let cells = [
        ("schema", "lottning.enrolment/1".to_owned()),
        ("outcome", enrolled.outcome.to_owned()),
        ("family", enrolled.family.clone()),
        ("arm", enrolled.arm.clone().unwrap_or_default()),
        ("allocation", number.unwrap_or_default()),
        ("replayed", enrolled.replayed.to_string()),
        ("head", enrolled.head.clone()),
        ("reasons", enrolled.reasons.join(" ")),
        ("warnings", codes.join(" ")),
        ("warning_messages", said.join(" | ")),
    ];
    let mut grid = Grid::new();
    for (key, _) in &cells {
        grid = grid.column(*key, Words::same(*key));
    }
    grid.row(cells.map(|(_, text)| Cell::text(text)));
    grid
}

/// The answer for people: arm, question or reason by its name and by its id.
fn sentence(enrolled: &Enrolled, protocol: &Protocol) -> Words {
    let family = &enrolled.family;
    let arm = enrolled.arm.as_deref().unwrap_or("–");
    let Words {
        en: arm_en,
        sv: arm_sv,
    } = named(arm, &protocol.arms, |arm| (&arm.id, Some(&arm.label)));
    let each: Vec<Words> = enrolled
        .reasons
        .iter()
        .map(|id| match enrolled.outcome {
            "not-eligible" => named(id, &protocol.criteria, |own| match &own.check {
                Check::Ask { question, .. } => (&own.id, Some(question)),
                Check::Rule { .. } => (&own.id, None),
            }),
            _ => named(id, &protocol.exceptions.reasons, |own| {
                (&own.id, Some(&own.label))
            }),
        })
        .collect();
    let all = |lang: Lang| {
        let texts: Vec<&str> = each.iter().map(|own| own.get(lang)).collect();
        texts.join("; ")
    };
    let (reasons_en, reasons_sv) = (all(Lang::En), all(Lang::Sv));
    match enrolled.outcome {
        "allocated" => words!(
            "{family} is allocated to {arm_en}.",
            "{family} är lottad till {arm_sv}."
        ),
        "returned" => words!(
            "{family} keeps its arm: {arm_en}.",
            "{family} behåller sin arm: {arm_sv}."
        ),
        "joined" => words!(
            "A sibling joins {family} and shares its arm: {arm_en}.",
            "Ett syskon ansluter till {family} och delar dess arm: {arm_sv}."
        ),
        "not-eligible" => words!(
            "{family} is not eligible: {reasons_en}.",
            "{family} uppfyller inte kriterierna: {reasons_sv}."
        ),
        "gate-closed" => words!(
            "{family} is not randomized: the gate is closed.",
            "{family} lottas inte: det finns ingen ledig plats."
        ),
        _ => words!(
            "{family} is taken out by a declared exception: {reasons_en}.",
            "{family} undantas från lottning: {reasons_sv}."
        ),
    }
}

/// `label (`id`)` of one of many; the id alone if it has no name.
fn named<T>(id: &str, all: &[T], of: impl Fn(&T) -> (&String, Option<&Words>)) -> Words {
    let found = all.iter().map(of).find(|(own, _)| own.as_str() == id);
    match found.and_then(|(_, label)| label) {
        Some(Words { en, sv }) => words!("{en} (`{id}`)", "{sv} (`{id}`)"),
        None => Words::same(id),
    }
}
