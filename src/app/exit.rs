//! The documented exit codes of the command. `docs/exit-codes.md` is tested against [`ALL`].
//!
//! A *refusal* (3 to 9) recorded nothing. An *answer* (20 to 22) was recorded and is no allocation.

/// Done.
pub const DONE: u8 = 0;
/// Unexpected failure: a full disk, a permission, a defect of the program.
pub const UNEXPECTED: u8 = 1;
/// Wrong usage: an unknown option, id or value.
pub const USAGE: u8 = 2;
/// Refusal: the protocol or scenario is invalid.
pub const INVALID_PROTOCOL: u8 = 3;
/// Refusal: the data are invalid, or ask for something that does not exist in them.
pub const INVALID_DATA: u8 = 4;
/// Refusal: the study is busy; safe to retry.
pub const BUSY: u8 = 5;
/// Refusal: the request id or key was used before with other content.
pub const REUSED: u8 = 6;
/// Refusal: wrong state (not open, closed, locked).
pub const WRONG_STATE: u8 = 7;
/// Refusal: verification failed.
pub const VERIFICATION_FAILED: u8 = 8;
/// Refusal: the seed is missing or does not match its commitment.
pub const SEED: u8 = 9;
/// Answer: the family is not eligible.
pub const NOT_ELIGIBLE: u8 = 20;
/// Answer: the gate is closed.
pub const GATE_CLOSED: u8 = 21;
/// Answer: an exception was recorded instead of an allocation.
pub const EXCEPTION: u8 = 22;

/// One documented exit code: the number, its stable name, and what it means in English and Swedish.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExitCode {
    /// The number that the process exits with.
    pub number: u8,
    /// Stable kebab-case name.
    pub name: &'static str,
    /// Meaning in English.
    pub en: &'static str,
    /// Meaning in Swedish.
    pub sv: &'static str,
}

const fn code(number: u8, name: &'static str, en: &'static str, sv: &'static str) -> ExitCode {
    ExitCode {
        number,
        name,
        en,
        sv,
    }
}

/// Every exit code of the command, in order.
pub const ALL: &[ExitCode] = &[
    code(DONE, "done", "Done.", "Klart."),
    code(
        UNEXPECTED,
        "unexpected",
        "Unexpected failure: a full disk, a permission, a defect of the program.",
        "Oväntat fel: full disk, saknad behörighet eller ett fel i programmet.",
    ),
    code(
        USAGE,
        "usage",
        "Wrong usage: an unknown command, option, id or value.",
        "Fel användning: okänt kommando, flagga, id eller värde.",
    ),
    code(
        INVALID_PROTOCOL,
        "invalid-protocol",
        "Refusal: the protocol or the scenario is invalid. Nothing was recorded.",
        "Avvisat: protokollet eller scenariot är ogiltigt. Inget har registrerats.",
    ),
    code(
        INVALID_DATA,
        "invalid-data",
        "Refusal: the data are invalid. Nothing was recorded.",
        "Avvisat: uppgifterna är ogiltiga. Inget har registrerats.",
    ),
    code(
        BUSY,
        "busy",
        "Refusal: the study is busy. Nothing was recorded; it is safe to retry.",
        "Avvisat: studien är upptagen. Inget har registrerats; det går bra att försöka igen.",
    ),
    code(
        REUSED,
        "reused",
        "Refusal: the request id or key was used before with other content.",
        "Avvisat: samma begäran eller nyckel har använts tidigare med annat innehåll.",
    ),
    code(
        WRONG_STATE,
        "wrong-state",
        "Refusal: the study is in the wrong state (not open, closed or locked).",
        "Avvisat: studien är i fel läge (inte öppnad, stängd eller låst).",
    ),
    code(
        VERIFICATION_FAILED,
        "verification-failed",
        "Refusal: verification failed; the first bad event is named.",
        "Avvisat: kontrollen misslyckades; den första felaktiga händelsen anges.",
    ),
    code(
        SEED,
        "seed",
        "Refusal: the seed is missing or does not match its commitment.",
        "Avvisat: fröet saknas eller stämmer inte med sin utfästelse.",
    ),
    code(
        NOT_ELIGIBLE,
        "not-eligible",
        "Answer: the family is not eligible. The screening was recorded.",
        "Svar: familjen uppfyller inte villkoren. Bedömningen har registrerats.",
    ),
    code(
        GATE_CLOSED,
        "gate-closed",
        "Answer: the gate is closed, so no lot was drawn. The screening was recorded.",
        "Svar: intagsstopp, så ingen lottning gjordes. Bedömningen har registrerats.",
    ),
    code(
        EXCEPTION,
        "exception",
        "Answer: an exception was recorded instead of an allocation.",
        "Svar: ett undantag har registrerats i stället för en lottning.",
    ),
];
