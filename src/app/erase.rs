//! `erase`: remove what the ledger says of a family, under all its names, and keep the chain.
//!
//! Payload and salt of every row go, in one transaction with the event that says so; the public parts, which name nobody,
//! stay, so that every draw can still be derived and slots still follow. The bytes leave the file and its log.

use super::exit;
use super::failure::Failure;
use super::outside::Outside;
use super::permission::Deed;
use super::record::Receipt;
use super::sealed::check_confirm;
use super::study::{Act, Study, Work};
use crate::diagnostic::{Diagnostic, Words};
use crate::study::identifiers::{holds_personal_number, is_key};
use crate::study::journal::{Content, Recording};
use crate::study::kernel::What;
use crate::words;

/// Erases a family.
///
/// # Errors
/// Digits that do not confirm the protocol (exit 2), a reason that is no code or a family that the ledger does not know (4),
/// and those of every write.
pub fn erase(
    outside: &Outside,
    study: &mut Study,
    act: &Act,
    (family, reason): (&str, &str),
    confirm: &str,
) -> Result<Receipt, Failure> {
    check_confirm(study.protocol(), confirm)?;
    for text in [family, reason] {
        if holds_personal_number(text) {
            return Err(Failure::new(
                exit::INVALID_DATA,
                "personal-number",
                Words::new(
                    "a value looks like a personal number; it is not repeated here and nothing was recorded",
                    "ett värde ser ut som ett personnummer; det upprepas inte här och inget har registrerats",
                ),
            ));
        }
    }
    if !is_key(reason) {
        return Err(Failure::new(
            exit::INVALID_DATA,
            "invalid-code",
            Words::new("the reason is not a code", "skälet är ingen kod"),
        )
        .help(Words::new(
            "for example --reason retention",
            "till exempel --reason gallring",
        )));
    }
    let mut receipt = study.write(outside, act, Deed::Erase, |journal, _| {
        let known = journal.names.family(family).ok_or_else(unknown_family)?;
        let recordings: Vec<Recording> = journal
            .rows_of(known)
            .into_iter()
            .filter(|(_, sequences)| !sequences.is_empty())
            .map(|(family, sequences)| {
                let public = Content::new()
                    .with("reason", reason.to_owned())
                    .with("sequences", sequences);
                Recording::public(What::Erased { family }, public)
            })
            .collect();
        let answer = Receipt {
            event: "erased".into(),
            sequence: journal.head.sequence + recordings.len() as u64,
            replayed: false,
            head: String::new(),
            warnings: Vec::new(),
        };
        Ok(Work { recordings, answer })
    })?;
    receipt.head = study.journal.head.to_hex();
    if !study.scrub()? {
        receipt.warnings.push(
            Diagnostic::warning(
                "erasure-in-log",
                Words::new(
                    "the family is erased, and its bytes still lie in the ledger's log, which another process is reading",
                    "familjen är raderad, men dess byte ligger kvar i liggarens logg, som en annan process läser",
                ),
            )
            .help(Words::new(
                "end the other processes and run `lottning verify` once: the log is emptied then",
                "avsluta de andra processerna och kör `lottning verify` en gång: då töms loggen",
            )),
        );
    }
    Ok(receipt)
}

fn unknown_family() -> Failure {
    Failure::new(
        exit::INVALID_DATA,
        "unknown-family",
        words!(
            "the ledger names no such family: it was never screened, or it has been erased",
            "liggaren har ingen sådan familj: den har aldrig screenats, eller så är den raderad"
        ),
    )
    .help(Words::new(
        "nothing was changed; docs/families.md says what an erasure leaves",
        "inget har ändrats; docs/families.md beskriver vad en radering lämnar kvar",
    ))
}
