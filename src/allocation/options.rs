//! The registry entry of a method, its options as text, and the typed reasons why a method declines.
//!
//! Options arrive as text from a protocol and from the command line alike; what they mean is said once, here and in
//! the file of the method. [`choose`] checks everything and reports all faults of the options at once.

use super::method::Design;
use super::methods;
use super::rational::Rational;
use super::weights::{MAX_ARMS, Ratio};
use crate::diagnostic::{Words, nearest};
use crate::words;
use std::ops::RangeInclusive;

/// Longest list; integers of figures fit in 64 bits up to here.
pub(super) const LONGEST_LIST: u64 = 1_000_000;

/// One option of a method, for help pages, diagnostics and the protocol's vocabulary.
#[derive(Debug, Clone, Copy)]
pub struct OptionSpec {
    /// Name in the protocol, snake_case.
    pub name: &'static str,
    /// The same on the command line, with hyphens: `max-imbalance` for `--max-imbalance`.
    pub flag: &'static str,
    /// Default as text, `None` when the option has none.
    pub default: Option<&'static str>,
    /// One sentence in English.
    pub about: &'static str,
    /// The same sentence in Swedish.
    pub about_sv: &'static str,
}

impl OptionSpec {
    /// Whether the option is a yes or no, which needs no value on the command line.
    pub fn is_switch(&self) -> bool {
        self.default == Some("false")
    }
}

/// The options that a user gave, by their protocol names, values as text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options(pub Vec<(String, String)>);

impl Options {
    /// Options from pairs of name and text.
    pub fn of(pairs: &[(&str, &str)]) -> Self {
        Self(
            pairs
                .iter()
                .map(|(name, text)| ((*name).into(), (*text).into()))
                .collect(),
        )
    }

    /// The text of an option, if it was given.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }
}

/// A design that a method built.
pub type Choice = Box<dyn Design>;

/// Why a method declines, naming the option at fault (`None`: the method itself).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Stable code of the diagnostic, for example `ratio-not-preserved`.
    pub code: &'static str,
    /// The option at fault, by its protocol name; `ratio` and `n` are possible too.
    pub option: Option<String>,
    /// What is wrong.
    pub message: Words,
    /// What to do next.
    pub help: Option<Words>,
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.message)
    }
}

impl std::error::Error for Refusal {}

impl Refusal {
    /// A refusal without advice.
    pub fn new(code: &'static str, option: Option<&str>, message: Words) -> Self {
        Self {
            code,
            option: option.map(Into::into),
            message,
            help: None,
        }
    }

    /// Says what to do next.
    #[must_use]
    pub fn help(mut self, help: Words) -> Self {
        self.help = Some(help);
        self
    }
}

/// A setting of a method, a ratio with options: what a method says that it accepts or declines, tried by the contract tests.
#[derive(Debug, Clone, Copy)]
pub struct Setting {
    /// Parts of the ratio.
    pub ratio: &'static [u64],
    /// Options by their protocol names.
    pub options: &'static [(&'static str, &'static str)],
}

impl Setting {
    /// A ratio with options.
    pub const fn new(
        ratio: &'static [u64],
        options: &'static [(&'static str, &'static str)],
    ) -> Self {
        Self { ratio, options }
    }
}

/// A method in the registry: one file, one line.
#[derive(Debug, Clone, Copy)]
pub struct MethodEntry {
    /// Identifier, kebab-case; never changes what it allocates once a study has used it.
    pub id: &'static str,
    /// One sentence in English.
    pub about: &'static str,
    /// The same sentence in Swedish.
    pub about_sv: &'static str,
    /// The options that it uses; any other option is refused as `unknown-option` by [`check_options`].
    pub options: &'static [OptionSpec],
    /// Whether the length of a list must be known: from its option `list_len`, or the number of units of a single list.
    pub needs_n: bool,
    /// Some of what it accepts; relabelling the arms of each relabels the weights (contract tests).
    pub accepts: &'static [Setting],
    /// Some of what it declines, with the code of the refusal (contract tests).
    pub declines: &'static [(Setting, &'static str)],
    /// Builds the design, or says why not; options are already checked by name. `n` is the number of units of a
    /// stratum where it is known. Call [`choose`] instead, which checks the names first.
    pub build: fn(&Ratio, &Options, Option<u64>) -> Result<Choice, Refusal>,
}

impl MethodEntry {
    /// Whether the method balances factors: it then has the option `factors`, which names them.
    pub fn balances_factors(&self) -> bool {
        self.options.iter().any(|spec| spec.name == "factors")
    }

    /// The name of the switch with which the method keeps an unequal ratio at every draw, if it has one.
    pub fn ratio_switch(&self) -> Option<&'static str> {
        let mut options = self.options.iter();
        options
            .find(|spec| spec.name == "ratio_preserving")
            .map(|spec| spec.name)
    }
}

/// The design of a method with a ratio and options, or every reason why not.
///
/// ```
/// use lottning::allocation::{Options, Ratio, choose, read_ratio};
///
/// let ratio = read_ratio("2:1")?;
/// assert!(choose("permuted-block", &ratio, &Options::of(&[("block_len", "6")]), None).is_ok());
///
/// let refused = choose("big-stick", &read_ratio("64:1")?, &Options::default(), None);
/// assert_eq!(refused.err().map(|all| all[0].code), Some("ratio-too-fine"));
/// # Ok::<(), lottning::allocation::Refusal>(())
/// ```
pub fn choose(
    id: &str,
    ratio: &Ratio,
    options: &Options,
    n: Option<u64>,
) -> Result<Choice, Vec<Refusal>> {
    let entry = find(id).map_err(|refusal| vec![refusal])?;
    check_options(entry, options)?;
    if n == Some(0) {
        return Err(vec![
            Refusal::new(
                "zero-n",
                Some("n"),
                words!(
                    "a list of no units is no list",
                    "en lista utan enheter är ingen lista"
                ),
            )
            .help(words!(
                "give the number of units, a whole number from 1",
                "ange antalet enheter, ett heltal från 1"
            )),
        ]);
    }
    if n.is_some_and(|n| n > LONGEST_LIST) {
        return Err(vec![
            Refusal::new(
                "invalid-value",
                Some("n"),
                words!(
                    "a list has at most {LONGEST_LIST} units",
                    "en lista har högst {LONGEST_LIST} enheter"
                ),
            )
            .help(words!(
                "draw several shorter lists, one for each stratum",
                "lotta flera kortare listor, en för varje stratum"
            )),
        ]);
    }
    if entry.needs_n && n.is_none() && options.get(LIST_LEN.name).is_none() {
        return Err(vec![
            Refusal::new(
                "n-needed",
                Some("n"),
                words!(
                    "the method `{id}` must know beforehand how long a list is",
                    "metoden `{id}` måste veta i förväg hur lång en lista är"
                ),
            )
            .help(words!(
                "give `list_len`: each stratum gets lists of that length, one after another",
                "ange `list_len`: varje stratum får listor av den längden, den ena efter den andra"
            )),
        ]);
    }
    (entry.build)(ratio, options, n).map_err(|refusal| vec![refusal])
}

/// The registered method of an id, or `unknown-id` with the nearest known one.
pub(super) fn find(id: &str) -> Result<&'static MethodEntry, Refusal> {
    methods::find(id).ok_or_else(|| {
        let refusal = Refusal::new(
            "unknown-id",
            None,
            words!("there is no method `{id}`", "det finns ingen metod `{id}`"),
        );
        let known: Vec<&str> = methods::METHODS.iter().map(|entry| entry.id).collect();
        let near = nearest(id, known.iter().copied());
        refusal.help(near.map_or_else(
            || {
                let list = known.join(", ");
                words!("the methods are {list}", "metoderna är {list}")
            },
            |near| words!("did you mean `{near}`?", "menade du `{near}`?"),
        ))
    })
}

/// Whether every option is one that the method uses, and given once. All faults at once.
pub fn check_options(entry: &MethodEntry, options: &Options) -> Result<(), Vec<Refusal>> {
    let mut refusals = Vec::new();
    let id = entry.id;
    for (i, (name, _)) in options.0.iter().enumerate() {
        if options.0[..i].iter().any(|(earlier, _)| earlier == name) {
            refusals.push(
                Refusal::new(
                    "duplicate-option",
                    Some(name),
                    words!("`{name}` is given twice", "`{name}` anges två gånger"),
                )
                .help(words!(
                    "give each option once",
                    "ange varje inställning en gång"
                )),
            );
        } else if !entry.options.iter().any(|spec| spec.name == name) {
            let refusal = Refusal::new(
                "unknown-option",
                Some(name),
                words!(
                    "the method `{id}` does not use `{name}`",
                    "metoden `{id}` använder inte `{name}`"
                ),
            );
            let own: Vec<&str> = entry.options.iter().map(|spec| spec.name).collect();
            let near = nearest(name, own.iter().copied());
            refusals.push(refusal.help(if let Some(near) = near {
                words!("did you mean `{near}`?", "menade du `{near}`?")
            } else if own.is_empty() {
                words!("it has no options", "den har inga inställningar")
            } else {
                let list = own.join("`, `");
                let (is, has_sv) = match own.len() {
                    1 => ("its only option is", "den har en enda inställning:"),
                    _ => ("its options are", "den har inställningarna"),
                };
                words!("{is} `{list}`", "{has_sv} `{list}`")
            }));
        }
    }
    if refusals.is_empty() {
        Ok(())
    } else {
        Err(refusals)
    }
}

/// An allocation ratio from text, `1:1` or `3:1:1`, in lowest terms.
pub fn read_ratio(text: &str) -> Result<Ratio, Refusal> {
    let bad = |code, message| Refusal::new(code, Some("ratio"), message);
    let parts: Option<Vec<u64>> = text.split(':').map(|part| digits(part.trim())).collect();
    let Some(parts) = parts else {
        return Err(bad(
            "bad-ratio",
            words!(
                "`{text}` is not a ratio of whole numbers",
                "`{text}` är inte ett förhållande mellan heltal"
            ),
        )
        .help(words!(
            "write it as 1:1 or 2:1",
            "skriv det som 1:1 eller 2:1"
        )));
    };
    if parts.contains(&0) {
        return Err(bad(
            "zero-ratio",
            words!(
                "an arm with part 0 in the ratio `{text}` would never be drawn",
                "en arm med andelen 0 i förhållandet `{text}` skulle aldrig lottas"
            ),
        )
        .help(words!(
            "leave the arm out, or give it a part of at least 1",
            "stryk armen eller ge den andelen 1 eller mer"
        )));
    }
    Ratio::new(&parts).ok_or_else(|| {
        bad(
            "bad-ratio",
            words!(
                "the ratio `{text}` does not have 2 to {MAX_ARMS} parts of at most 1000000",
                "förhållandet `{text}` har inte 2 till {MAX_ARMS} delar på högst 1000000"
            ),
        )
        .help(words!(
            "write one whole number for each arm, in lowest terms, for example 2:1",
            "skriv ett heltal för varje arm, så små som möjligt, till exempel 2:1"
        ))
    })
}

/// The option of the methods that must know how long a list is.
pub(super) const LIST_LEN: OptionSpec = OptionSpec {
    name: "list_len",
    flag: "list-len",
    default: None,
    about: "places of a list; when it is full the next one begins (without it, one list of --n units)",
    about_sv: "listans längd; när den är full börjar nästa (utan den: en enda lista med --n enheter)",
};

/// The length of a list: the option `list_len`, or else the number of units. Refused unless the sum of the ratio
/// divides it, for then no list can end in the ratio.
pub(super) fn list_len(
    options: &Options,
    n: Option<u64>,
    ratio: &Ratio,
    longest: u64,
) -> Result<u64, Refusal> {
    let (name, length) = match (options.get(LIST_LEN.name), n) {
        (Some(text), _) => (LIST_LEN.name, whole(LIST_LEN.name, text, &(1..=longest))?),
        (None, n) => ("n", n.unwrap_or(0)),
    };
    if length > longest {
        return Err(Refusal::new(
            "invalid-value",
            Some(name),
            words!(
                "a list of this method has at most {longest} units",
                "en lista med denna metod har högst {longest} enheter"
            ),
        )
        .help(words!(
            "give `list_len`: lists of that length follow one another",
            "ange `list_len`: listor av den längden följer på varandra"
        )));
    }
    let sum = ratio.sum();
    if length % sum == 0 {
        return Ok(length);
    }
    let (below, above) = (length / sum * sum, (length / sum + 1) * sum);
    let refusal = Refusal::new(
        "list-not-divided",
        Some(name),
        words!(
            "a list of {length} cannot end in the ratio {ratio}: {sum} does not divide {length}",
            "en lista om {length} kan inte sluta i förhållandet {ratio}: {length} är inte delbart med {sum}"
        ),
    );
    Err(refusal.help(if below == 0 {
        words!(
            "the shortest list is {above}",
            "den kortaste listan är {above}"
        )
    } else {
        words!("use {below} or {above}", "använd {below} eller {above}")
    }))
}

/// A probability of an option as an exact fraction in lowest terms, from a fraction `2/3` or a decimal `0.75`.
///
/// At most 1; the denominator is at most 1,000,000,000, so a decimal has at most nine places.
pub(super) fn probability(name: &'static str, text: &str) -> Result<(u64, u64), Refusal> {
    if let Some(refusal) = long_decimal(name, text) {
        return Err(refusal);
    }
    Rational::read(text)
        .filter(|read| read.over <= read.under)
        .map(|read| (read.over, read.under))
        .ok_or_else(|| {
            Refusal::new(
                "invalid-value",
                Some(name),
                words!(
                    "`{name}` is `{text}`, not a probability",
                    "`{name}` är `{text}`, ingen sannolikhet"
                ),
            )
            .help(words!(
                "write a fraction such as 2/3 or a decimal such as 0.75",
                "skriv ett bråk som 2/3 eller ett decimaltal som 0.75"
            ))
        })
}

/// The refusal of a decimal with more places than are read, with the fraction that was probably meant.
pub(super) fn long_decimal(name: &'static str, text: &str) -> Option<Refusal> {
    let near = Rational::near(text)?;
    let refusal = Refusal::new(
        "invalid-value",
        Some(name),
        words!(
            "`{name}` is `{text}`: at most nine decimals are read",
            "`{name}` är `{text}`: högst nio decimaler läses"
        ),
    );
    Some(refusal.help(words!(
        "a fraction is exact; did you mean `{near}`?",
        "ett bråk är exakt; menade du `{near}`?"
    )))
}

/// A whole number of an option in a range.
pub(super) fn whole(
    name: &'static str,
    text: &str,
    range: &RangeInclusive<u64>,
) -> Result<u64, Refusal> {
    let given = digits(text);
    given.filter(|value| range.contains(value)).ok_or_else(|| {
        let (low, high) = (range.start(), range.end());
        let help = if given.is_some() {
            words!(
                "give a number from {low} to {high}",
                "ange ett tal från {low} till {high}"
            )
        } else {
            words!(
                "write digits alone, without sign, blank or decimals",
                "skriv bara siffror, utan tecken, mellanslag eller decimaler"
            )
        };
        Refusal::new(
            "invalid-value",
            Some(name),
            words!(
                "`{name}` is `{text}`, not a whole number from {low} to {high}",
                "`{name}` är `{text}`, inte ett heltal från {low} till {high}"
            ),
        )
        .help(help)
    })
}

/// ASCII digits only: no sign, no blank, no separator.
fn digits(text: &str) -> Option<u64> {
    (!text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()))
        .then(|| text.parse().ok())
        .flatten()
}
