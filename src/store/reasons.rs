//! Why SQLite could not do something, in both languages.

use crate::diagnostic::Words;
use rusqlite::ErrorCode;

/// What SQLite says, in Swedish by the kind of it; its own words are English.
pub(super) fn told(error: &rusqlite::Error) -> Words {
    let sv = match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => "filen är ingen databas",
        Some(ErrorCode::DatabaseCorrupt) => "databasfilen är skadad",
        Some(ErrorCode::ReadOnly) => "databasen får bara läsas",
        Some(ErrorCode::CannotOpen) => "databasfilen kan inte öppnas",
        Some(ErrorCode::PermissionDenied) => "åtkomst nekad",
        Some(ErrorCode::SystemIoFailure) => "fel vid läsning från eller skrivning till disken",
        Some(ErrorCode::TypeMismatch) => "en kolumn har fel typ",
        _ => "databasen gick inte att läsa",
    };
    Words::new(error.to_string(), sv)
}
