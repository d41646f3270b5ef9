//! The registry entry of a method, its options as text, and the typed reasons why a method declines.

use super::method::Design;
use super::weights::Ratio;
use crate::diagnostic::Words;

/// One option of a method, for help pages, diagnostics and the protocol's vocabulary.
#[derive(Debug, Clone, Copy)]
pub struct OptionSpec {
    /// Name in the protocol, snake_case; on the command line it is written with hyphens (`max_imbalance` → `--max-imbalance`).
    pub name: &'static str,
    /// Default as text, `None` when the option has none.
    pub default: Option<&'static str>,
    /// One sentence.
    pub about: &'static str,
}

/// The options that a user gave, by their protocol names, values as text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options(pub Vec<(String, String)>);

impl Options {
    /// The text of an option, if it was given.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }
}

/// A design together with what the analysis must know of it.
pub type Choice = Box<dyn Design>;

/// Why a method declines, naming the option at fault (`None`: the ratio or the sample size).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Stable code of the diagnostic, for example `ratio-not-preserved`.
    pub code: &'static str,
    /// The option at fault, by its protocol name; `ratio` and `n` are possible too.
    pub option: Option<&'static str>,
    /// What is wrong.
    pub message: Words,
    /// What to do next.
    pub help: Option<Words>,
}

/// A method in the registry: one file, one line.
#[derive(Debug, Clone, Copy)]
pub struct MethodEntry {
    /// Identifier, kebab-case; never changes what it allocates once a study has used it.
    pub id: &'static str,
    /// One sentence.
    pub about: &'static str,
    /// The options that it uses; any other option is refused by the caller as `unknown-option`.
    pub options: &'static [OptionSpec],
    /// Whether the whole number of units must be known (lists only, never live).
    pub needs_n: bool,
    /// Builds the design, or says why not. `n` is the number of units of a stratum where it is known.
    pub build: fn(&Ratio, &Options, Option<u64>) -> Result<Choice, Refusal>,
}
