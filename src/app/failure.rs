//! The one error type of use cases: what a verb says when it does not do what was asked.

use std::path::Path;

use crate::diagnostic::{Diagnostic, Words, nearest};
use crate::study::identifiers::holds_personal_number;
use crate::words;

use super::exit;

/// A text file that diagnostics point into.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// Name as the person gave it, usually a path.
    pub name: String,
    /// The text that byte spans count in; empty when diagnostics have rows and columns only.
    pub text: String,
}

/// Why a verb did not do what was asked. Command line and web show the same one.
///
/// `code` is stable and has a page (`lottning explain <code>`); `exit` is one of [`exit`]'s constants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Exit code of the process, a constant of [`exit`].
    pub exit: u8,
    /// Stable kebab-case identifier.
    pub code: &'static str,
    /// What is wrong, and where.
    pub message: Words,
    /// What to do next.
    pub help: Option<Words>,
    /// All findings of the file, when a file is refused.
    pub diagnostics: Vec<Diagnostic>,
    /// The file that the findings point into.
    pub source: Option<Source>,
}

impl Failure {
    /// A failure with a sentence; add the next step with [`Failure::help`].
    pub fn new(exit: u8, code: &'static str, message: Words) -> Self {
        Self {
            exit,
            code,
            message,
            help: None,
            diagnostics: Vec::new(),
            source: None,
        }
    }

    /// A file that is refused, with all its findings. Findings with byte spans count in `text`.
    pub fn refused_file(
        exit: u8,
        code: &'static str,
        name: impl Into<String>,
        text: impl Into<String>,
        diagnostics: Vec<Diagnostic>,
    ) -> Self {
        let name = name.into();
        let errors = diagnostics.iter().filter(|d| d.is_error()).count();
        let message = if errors == 1 {
            words!("{name} is refused: 1 problem", "{name} avvisas: 1 problem")
        } else {
            words!(
                "{name} is refused: {errors} problems",
                "{name} avvisas: {errors} problem"
            )
        };
        Self {
            diagnostics,
            source: Some(Source {
                name,
                text: text.into(),
            }),
            ..Self::new(exit, code, message)
        }
    }

    /// An id or value that is not one of the known ones: exit 2 with the nearest, or all of them.
    ///
    /// `what` names the kind of thing, for example `words!("estimator", "estimator")`.
    pub fn unknown_id<'a>(
        what: &Words,
        given: &str,
        known: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        let known: Vec<&str> = known.into_iter().collect();
        let given = shown(given);
        let (what_en, what_sv) = (&what.en, &what.sv);
        Self::new(
            exit::USAGE,
            "unknown-id",
            words!(
                "there is no {what_en} `{given}`",
                "det finns inget som heter `{given}` ({what_sv})"
            ),
        )
        .help(suggestion(&given, &known))
    }

    /// A file could not be read or written.
    pub fn file(action: &Words, path: &Path, error: &std::io::Error) -> Self {
        let path = path.display();
        let reason = reason(error);
        let (do_en, do_sv) = (&action.en, &action.sv);
        let (why_en, why_sv) = (reason.en, reason.sv);
        let failure = Self::new(
            if is_another_path(error) {
                exit::USAGE
            } else {
                exit::UNEXPECTED
            },
            "file",
            words!(
                "cannot {do_en} {path}: {why_en}",
                "det går inte att {do_sv} {path}: {why_sv}"
            ),
        );
        match next_step(error) {
            Some(help) => failure.help(help),
            None => failure,
        }
    }

    /// Says what to do next.
    #[must_use]
    pub fn help(mut self, help: Words) -> Self {
        self.help = Some(help);
        self
    }

    /// Whether nothing was recorded because the input or the state does not allow it.
    pub fn is_refusal(&self) -> bool {
        (exit::INVALID_PROTOCOL..=exit::SEED).contains(&self.exit)
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.message)
    }
}

impl std::error::Error for Failure {}

/// A text as a message may repeat it: one that holds a personal number is not.
pub fn shown(text: &str) -> String {
    if holds_personal_number(text) {
        "…".to_owned()
    } else {
        text.to_owned()
    }
}

/// Most names that are shown of a list.
const SHOWN: usize = 40;

/// Names joined by commas, the first of them where there are many, in each language.
pub(crate) fn some(names: &[&str]) -> (String, String) {
    let shown = names[..names.len().min(SHOWN)].join(", ");
    match names.len().saturating_sub(SHOWN) {
        0 => (shown.clone(), shown),
        more => (
            format!("{shown} and {more} more"),
            format!("{shown} och {more} till"),
        ),
    }
}

/// "did you mean …", or the list of what there is.
pub fn suggestion(given: &str, known: &[&str]) -> Words {
    if let Some(name) = nearest(given, known.iter().copied()) {
        words!("did you mean `{name}`?", "menade du `{name}`?")
    } else {
        let (en, sv) = some(known);
        words!("known are: {en}", "det här finns: {sv}")
    }
}

/// Whether another path is what is needed.
fn is_another_path(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{AlreadyExists, IsADirectory, NotADirectory, NotFound};
    matches!(
        error.kind(),
        NotFound | IsADirectory | NotADirectory | AlreadyExists
    )
}

/// What to do about a file that could not be read or written.
fn next_step(error: &std::io::Error) -> Option<Words> {
    use std::io::ErrorKind;
    match error.kind() {
        ErrorKind::NotFound => Some(Words::new(
            "check the path; it counts from the current folder",
            "kontrollera sökvägen; den räknas från den aktuella mappen",
        )),
        ErrorKind::IsADirectory => Some(Words::new("name a file in it", "ange en fil i den")),
        ErrorKind::NotADirectory => Some(Words::new("name another folder", "ange en annan mapp")),
        ErrorKind::AlreadyExists => Some(Words::new("give another name", "ange ett annat namn")),
        ErrorKind::PermissionDenied => Some(Words::new(
            "use an account that may do that, or name another place",
            "använd ett konto som får göra det, eller ange en annan plats",
        )),
        ErrorKind::StorageFull => Some(Words::new(
            "free some space and run the same command again",
            "frigör plats och kör samma kommando igen",
        )),
        _ => None,
    }
}

fn reason(error: &std::io::Error) -> Words {
    use std::io::ErrorKind;
    match error.kind() {
        ErrorKind::NotFound => Words::new(
            "there is no such file or folder",
            "filen eller mappen finns inte",
        ),
        ErrorKind::PermissionDenied => Words::new("permission denied", "behörighet saknas"),
        ErrorKind::AlreadyExists => Words::new("it exists already", "den finns redan"),
        ErrorKind::IsADirectory => Words::new("it is a folder", "det är en mapp"),
        ErrorKind::NotADirectory => Words::new(
            "a file stands where a folder is needed",
            "en fil ligger där en mapp behövs",
        ),
        ErrorKind::StorageFull => Words::new("the disk is full", "disken är full"),
        _ => Words::same(error.to_string()),
    }
}
