//! `lottning verify`.

use clap::Args;
use serde_json::{Value, json};
use std::path::PathBuf;

use crate::app::study::seeds_needed;
use crate::app::verify::{Expected, check};
use crate::app::{Failure, exit};
use crate::diagnostic::Words;
use crate::study::verify::{DrawCheck, SeedFit};
use crate::words;

use super::acting::{At, head};
use super::output::Document;
use super::session::Session;
use super::status::typed_time;

/// Arguments of `verify`.
#[derive(Debug, Args)]
pub(super) struct Verify {
    #[command(flatten)]
    at: At,

    /// Seed file of an epoch, in any order [default: the published seeds; without any, the chain alone]
    #[arg(long, value_name = "FILE")]
    seed_file: Vec<PathBuf>,

    /// A head that was kept elsewhere: finds rows that were cut off
    #[arg(long, value_name = "H")]
    expect_head: Option<String>,

    /// A file of `checkpoint` that was kept elsewhere: the ledger must have had its head
    #[arg(long, value_name = "FILE")]
    checkpoint: Vec<PathBuf>,
}

impl Verify {
    /// Verifies a study.
    pub(super) fn run(&self, session: &Session) -> Result<Document, Failure> {
        let expected = self.expect_head.as_deref();
        if let Some(typed) = expected.filter(|own| !is_head(own)) {
            return Err(not_a_head(typed));
        }
        let verdict = check(
            &session.outside,
            &self.at.study,
            &self.seed_file,
            &Expected {
                head: expected,
                checkpoints: &self.checkpoint,
            },
        )?;
        let own = verdict.verification;
        let unfit = match own.seeds {
            SeedFit::Fitting => None,
            SeedFit::Lacking => {
                let count = verdict.seeds_needed.map(|own| (own, self.seed_file.len()));
                Some(("seed-missing", lacking(&own.epochs, count)))
            }
            SeedFit::Strange => Some(("seed-mismatch", strange())),
        };
        let text = |check: &DrawCheck| match check {
            DrawCheck::Verified => "verified",
            DrawCheck::NotChecked => "not-checked",
        };
        let epochs: Vec<Value> = (0..)
            .zip(&own.epochs)
            .map(|(epoch, check): (u32, _)| json!({ "epoch": epoch, "draws": text(check) }))
            .collect();
        let mut findings: Vec<Value> = own
            .findings
            .iter()
            .map(|finding| {
                json!({
                    "code": finding.code,
                    "sequence": finding.sequence,
                    "message": finding.message.get(session.lang),
                })
            })
            .collect();
        if let Some((code, message)) = &unfit {
            findings.push(json!({
                "code": code, "sequence": null, "message": message.get(session.lang),
            }));
        }
        let body = json!({
            "ok": own.ok,
            "draws": text(&own.draws),
            "epochs": epochs,
            "events": own.events,
            "allocations": own.allocations,
            "head": own.head.to_hex(),
            "first_bad": own.first_bad,
            "findings": findings,
            "custody": verdict.custody.text(),
            "typed_time": verdict.typed_time,
        });
        let (events, allocations) = (own.events, own.allocations);
        let mut document = Document::new("verification/1", &body)?.text(match (own.ok, own.draws) {
            (true, DrawCheck::Verified) => words!(
                "Verified: {events} events hold together and {allocations} draws are those that the seed gives.",
                "Verifierat: {events} händelser håller ihop och {allocations} dragningar är de som fröet ger."
            ),
            (true, DrawCheck::NotChecked) => words!(
                "{events} events hold together; the draws were not checked, because no seed was given or published.",
                "{events} händelser håller ihop; dragningarna är inte kontrollerade, eftersom inget frö angavs eller är publicerat."
            ),
            (false, _) => match own.first_bad {
                Some(first) => words!(
                    "NOT verified: the first event that does not hold is {first}.",
                    "INTE verifierat: den första händelsen som inte håller är {first}."
                ),
                None => Words::new("NOT verified.", "INTE verifierat."),
            },
        });
        for finding in &own.findings {
            document = document.text(finding.message.clone());
        }
        let is_unfit = unfit.is_some();
        if let Some((_, message)) = unfit {
            document = document.text(message);
        }
        if let Some(line) = epochs_checked(&own.epochs) {
            document = document.text(line);
        }
        if verdict.typed_time {
            document = document.text(typed_time());
        }
        if expected.is_none() {
            document = document.text(end_not_vouched_for(self.checkpoint.len()));
        }
        let code = match (own.ok, is_unfit, own.findings.is_empty()) {
            (true, ..) => exit::DONE,
            (false, true, true) => exit::SEED,
            (false, ..) => exit::VERIFICATION_FAILED,
        };
        Ok(document
            .text(verdict.custody.meaning(verdict.roles))
            .text(head(&own.head.to_hex()))
            .receipt()
            .exit(code))
    }
}

/// That the end of the ledger is vouched for by no head, if none was given; `checkpoints` were.
fn end_not_vouched_for(checkpoints: usize) -> Words {
    let (en, sv) = if checkpoints == 0 {
        ("", "")
    } else {
        (
            " later than the newest of the checkpoints",
            " efter den nyaste av kontrollpunkterna",
        )
    };
    words!(
        "That no rows{en} are missing at the end, nothing in the study can show: only the newest head that was kept elsewhere can, with `lottning verify --expect-head <head>`.",
        "Att inga rader{sv} saknas i slutet kan ingenting i studien visa: det kan bara det nyaste huvudet som har sparats på annat håll, med `lottning verify --expect-head <huvud>`."
    )
}

/// The numbers of the epochs whose draws were checked so.
fn epochs_of(epochs: &[DrawCheck], check: DrawCheck) -> String {
    let own = (0..).zip(epochs).filter(|(_, own)| **own == check);
    let own: Vec<String> = own.map(|(epoch, _): (u32, _)| epoch.to_string()).collect();
    own.join(", ")
}

/// Numbers of epochs with the word before them.
fn named(epochs: &str) -> Words {
    if epochs.contains(',') {
        words!("epochs {epochs}", "epokerna {epochs}")
    } else {
        words!("epoch {epochs}", "epok {epochs}")
    }
}

/// Which epochs have no seed; `count` is how many seed files are needed and were given, if those are not as many.
fn lacking(epochs: &[DrawCheck], count: Option<(usize, usize)>) -> Words {
    let left = epochs_of(epochs, DrawCheck::NotChecked);
    let why = match count {
        Some((needed, given)) => seeds_needed(needed, given),
        None => Words::new(
            "the same seed was given more than once",
            "samma frö angavs mer än en gång",
        ),
    };
    let (Words { en, sv }, epochs) = (why, named(&left));
    Words::new(
        format!(
            "no seed was given for {}, whose draws are not checked ({en})",
            epochs.en
        ),
        format!(
            "inget frö angavs för {}, vars dragningar inte är kontrollerade ({sv})",
            epochs.sv
        ),
    )
}

fn strange() -> Words {
    Words::new(
        "a seed that was given is not the one that this study committed to",
        "ett frö som angavs är inte det som studien har utfäst",
    )
}

/// Which epochs' draws were derived again, where not all were.
fn epochs_checked(epochs: &[DrawCheck]) -> Option<Words> {
    let of = |check: DrawCheck| epochs_of(epochs, check);
    let (derived, left) = (of(DrawCheck::Verified), of(DrawCheck::NotChecked));
    let (again, not) = (named(&derived), named(&left));
    (!derived.is_empty() && !left.is_empty()).then(|| {
        Words::new(
            format!(
                "Draws were derived again in {}, and not in {}: no seed of that is known.",
                again.en, not.en
            ),
            format!(
                "Dragningarna härleddes på nytt i {}, men inte i {}: inget frö därtill är känt.",
                again.sv, not.sv
            ),
        )
    })
}

fn is_head(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|own| own.is_ascii_hexdigit())
}

/// What was typed is no head, so nothing was held against the ledger: wrong usage, and no sign of a forgery.
fn not_a_head(typed: &str) -> Failure {
    let length = typed.chars().count();
    Failure::new(
        exit::USAGE,
        "invalid-head",
        words!(
            "`{typed}` ({length} characters) is no head: 64 hexadecimal digits are expected; nothing was checked",
            "`{typed}` ({length} tecken) är inget huvud: 64 hexadecimala siffror väntas; inget har kontrollerats"
        ),
    )
    .help(Words::new(
        "copy the whole `head` of a receipt, or give the file of `checkpoint` with --checkpoint",
        "kopiera hela `head` ur ett kvitto, eller ange filen från `checkpoint` med --checkpoint",
    ))
}
