//! Findings that enrolments and events share. None of them repeats a value that could be a personal number.

use crate::diagnostic::{Diagnostic, Place, Words, nearest};
use crate::words;

/// A value holds a personal number.
pub(super) fn personal_number(column: &str) -> Diagnostic {
    Diagnostic::error(
        "personal-number",
        Words::new(
            "a value looks like a personal or coordination number; it is not repeated here and nothing was recorded",
            "ett värde ser ut som ett person- eller samordningsnummer; det upprepas inte här och inget har registrerats",
        ),
    )
    .at(Place::column(column))
    .help(Words::new(
        "use the family's pseudonym and keys without a personal number; if it is only a day and a number, put a letter between them, for example 2025-03-14-a0012",
        "använd familjens pseudonym och nycklar utan personnummer; om det bara är en dag och ett nummer, sätt en bokstav emellan, till exempel 2025-03-14-a0012",
    ))
}

/// A value is no pseudonym, or there is none.
pub(super) fn not_a_pseudonym(column: &str, text: &str) -> Diagnostic {
    if text.is_empty() {
        return Diagnostic::error(
            "invalid-pseudonym",
            Words::new(
                "no pseudonym is given: it is empty, or a cell of a file is empty or NA",
                "ingen pseudonym är angiven: den är tom, eller så är cellen i filen tom eller NA",
            ),
        )
        .at(Place::column(column))
        .help(Words::new(
            "fill in the cell; a person whose pseudonym is NA is named by hand, for a family with `--family NA`",
            "fyll i cellen; en person vars pseudonym är NA anges för hand, en familj med `--family NA`",
        ));
    }
    Diagnostic::error(
        "invalid-pseudonym",
        Words::new(
            "this is not a pseudonym: groups of two to eight capitals A–Z joined by hyphens",
            "detta är ingen pseudonym: grupper om två till åtta versaler A–Z förenade med bindestreck",
        ),
    )
    .at(Place::column(column))
    .help(Words::new("for example KATL-MORU", "till exempel KATL-MORU"))
}

/// A value is no key.
pub(super) fn not_a_key(column: &str) -> Diagnostic {
    Diagnostic::error(
        "invalid-key",
        Words::new(
            "this is not a key: one to 64 of A–Z, a–z, 0–9, full stop, underscore and hyphen",
            "detta är ingen nyckel: ett till 64 tecken av A–Z, a–z, 0–9, punkt, understreck och bindestreck",
        ),
    )
    .at(Place::column(column))
    .help(Words::new("for example R-2025-017", "till exempel R-2025-017"))
}

/// A value is no date.
pub(super) fn not_a_date(column: &str) -> Diagnostic {
    Diagnostic::error(
        "invalid-date",
        Words::new("this is not a date", "detta är inget datum"),
    )
    .at(Place::column(column))
    .help(Words::new(
        "write it as year-month-day, for example 2025-03-01",
        "skriv det som år-månad-dag, till exempel 2025-03-01",
    ))
}

/// A name is not one of those that the protocol knows.
pub(super) fn unknown(code: &'static str, column: &str, given: &str, known: &[&str]) -> Diagnostic {
    let given: String = given.chars().take(64).collect();
    let diagnostic = Diagnostic::error(
        code,
        words!(
            "`{given}` is not known to the protocol",
            "`{given}` finns inte i protokollet"
        ),
    )
    .at(Place::column(column));
    let list = known.join(", ");
    match nearest(&given, known.iter().copied()) {
        Some(near) => diagnostic.help(words!("did you mean `{near}`?", "menade du `{near}`?")),
        None if known.is_empty() => diagnostic.help(Words::new(
            "the protocol names none",
            "protokollet anger inga",
        )),
        None => diagnostic.help(words!("one of: {list}", "något av: {list}")),
    }
}

/// That a report is on a child whom the study does not know: the same words for each, so that a file of them says it once.
pub(super) fn unknown_child() -> Diagnostic {
    Diagnostic::warning(
        "report-on-unknown-child",
        Words::new(
            "a report names a child whom the study does not know, of a family whose children are named: it is kept, and counts in no outcome",
            "en anmälan anger ett barn som studien inte känner till, om en familj vars barn är angivna: den sparas, och räknas inte i något utfall",
        ),
    )
    .at(Place::column("child"))
    .help(Words::new(
        "if it is a child of the family under another pseudonym, link the two (`lottning record linked --family F --child OLD --set other_child=NEW`); if the file names a child where none is known, leave the cell empty",
        "om det är ett barn i familjen under en annan pseudonym, koppla ihop de två (`lottning record linked --family F --child GAMMAL --set other_child=NY`); om filen anger ett barn där inget är känt, lämna cellen tom",
    ))
}

/// That a report says not whom it is on, of a family where that matters: the same words for each.
pub(super) fn without_child() -> Diagnostic {
    Diagnostic::warning(
        "not-carried",
        Words::new(
            "the protocol wants `child` with `report`, and a report of a family with several children, or with one who joined after the draw, names none: it is recorded as unknown",
            "protokollet vill ha `child` med `report`, och en anmälan om en familj med flera barn, eller med ett som tillkom efter lottningen, anger inget: det registreras som okänt",
        ),
    )
    .at(Place::column("child"))
    .help(Words::new(
        "without it the report counts for its family, unless intake named only children who joined after the draw with the same report key; name the child with --child, or in the column `child` of a file",
        "utan det räknas anmälan för familjen, om inte mottagningen med samma anmälningsnyckel bara angav barn som tillkom efter lottningen; ange barnet med --child, eller i kolumnen `child` i en fil",
    ))
}
