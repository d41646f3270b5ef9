//! `explain`: a page about each stable code, in both languages, and about each exit code.

use crate::diagnostic::{Lang, Words};
use crate::words;

pub use super::codes::{Page, ROOMS};
use super::exit;
use super::failure::{Failure, suggestion};

/// Every page.
pub fn pages() -> impl Iterator<Item = &'static Page> {
    ROOMS.iter().copied().flatten()
}

/// The page about a code. The number of an exit code is answered with its meaning.
///
/// # Errors
/// A code that does not exist: exit 2, with the nearest one.
pub fn explain(code: &str) -> Result<Explanation, Failure> {
    if let Some(page) = pages().find(|page| page.code == code) {
        return Ok(Explanation {
            code: page.code.to_owned(),
            text: Words::new(page.text(Lang::En), page.text(Lang::Sv)),
        });
    }
    if let Some(known) = exit::ALL.iter().find(|e| e.number.to_string() == code) {
        let (number, name, en, sv) = (known.number, known.name, known.en, known.sv);
        return Ok(Explanation {
            code: number.to_string(),
            text: words!(
                "# exit code {number}: {name}\n\n{en}",
                "# slutkod {number}: {name}\n\n{sv}"
            ),
        });
    }
    let known: Vec<&str> = pages().map(|page| page.code).collect();
    Err(Failure::new(
        exit::USAGE,
        "unknown-code",
        words!("there is no code `{code}`", "det finns ingen kod `{code}`"),
    )
    .help(suggestion(code, &known)))
}

/// The answer of `explain`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// The code.
    pub code: String,
    /// The page.
    pub text: Words,
}

#[cfg(test)]
mod tests {
    use super::{explain, pages};
    use crate::app::exit;
    use crate::diagnostic::Lang;

    #[test]
    fn each_page_speaks_both_languages_and_opens_with_its_code() {
        for page in pages() {
            let (en, sv) = (page.text(Lang::En), page.text(Lang::Sv));
            assert_ne!(en, sv, "{} has one language only", page.code);
            for text in [en, sv] {
                assert!(
                    text.starts_with(&format!("# {}\n", page.code)),
                    "{}",
                    page.code
                );
                assert!(text.len() > 80, "{} says too little", page.code);
            }
        }
    }

    #[test]
    fn codes_are_unique() {
        let mut codes: Vec<&str> = pages().map(|page| page.code).collect();
        codes.sort_unstable();
        let all = codes.len();
        codes.dedup();
        assert_eq!(codes.len(), all);
    }

    #[test]
    fn an_unknown_code_names_the_nearest() {
        let failure = explain("unknown-optoin").unwrap_err();
        assert_eq!(failure.exit, exit::USAGE);
        assert!(failure.help.unwrap().en.contains("unknown-option"));
    }

    #[test]
    fn a_number_is_an_exit_code() {
        assert!(explain("21").unwrap().text.en.contains("gate-closed"));
        assert!(explain("99").is_err());
    }
}
