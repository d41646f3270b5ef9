//! Which setting of a method is harder to guess: tried, not recited. What is advised is accepted by the method for these
//! arms and this ratio, and its share of right guesses is lower than that of the setting in use.
//!
//! Settings are tried from the mildest change on, and the first that needs no warning is taken; if there is none, the one
//! with the lowest share, and beside it a method of another kind. The figures are those of [`crate::planning::guessing`] for
//! the families at hand. What gives up the balance of the setting in use is said to do so.

use super::guessable::{Guessed, tenths};
use crate::allocation::{Levels, Options, Ratio, choose};
use crate::diagnostic::Words;
use crate::planning::guessing::{guessing_among, guessing_of, stratum};
use crate::words;

/// How much longer than now lists and blocks are tried.
const LONGER: [u64; 7] = [1, 2, 3, 4, 6, 8, 12];
/// Bounds of the imbalance that are tried.
const BOUNDS: [u64; 9] = [2, 3, 4, 5, 6, 8, 10, 12, 16];
/// Chances of the favoured arm that are tried, as they are written.
const CHANCES: [(&str, f64); 9] = [
    ("9/10", 0.9),
    ("4/5", 0.8),
    ("3/4", 0.75),
    ("7/10", 0.7),
    ("2/3", 2.0 / 3.0),
    ("3/5", 0.6),
    ("11/20", 0.55),
    ("1/2", 0.5),
    ("2/5", 0.4),
];
/// Balls of each arm at the beginning of an urn that are tried, for each ball that is added.
const BALLS: [u64; 6] = [1, 2, 5, 10, 20, 50];
/// A share that is lower by less is the same.
const LOWER: f64 = 1e-6;

/// A probability of balance that is lower by this is said.
const SELDOMER: f64 = 0.05;

/// How a setting is written where the advice is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Written {
    /// As keys of a protocol: `block_lens = [4, 6, 8]`.
    Keys,
    /// As options of a command: `--block-lens 4,6,8`.
    Flags,
}

/// A method as it is set, and for how many families.
#[derive(Debug, Clone, Copy)]
pub(super) struct Setting<'a> {
    /// Id of the method.
    pub(super) method: &'a str,
    /// Its options.
    pub(super) options: &'a Options,
    /// The ratio.
    pub(super) ratio: &'a Ratio,
    /// Families of all strata.
    pub(super) families: f64,
    /// Number of strata.
    pub(super) strata: usize,
    /// Levels of each balanced factor.
    pub(super) factors: &'a [usize],
    /// Their levels in order of arrival, of a list whose units are known; none where families are made up.
    pub(super) arrived: &'a [Levels],
    /// How advice is written.
    pub(super) written: Written,
}

/// One option with another value.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Change {
    option: &'static str,
    /// As text of the option.
    value: String,
    /// The option that has to go.
    instead_of: Option<&'static str>,
}

impl Change {
    fn to(option: &'static str, value: &impl ToString) -> Self {
        Self {
            option,
            value: value.to_string(),
            instead_of: None,
        }
    }

    /// The options with the change.
    fn applied(&self, options: &Options) -> Options {
        let kept = options.0.iter().filter(|(name, _)| {
            let name = name.as_str();
            name != self.option && Some(name) != self.instead_of
        });
        let own = (self.option.to_owned(), self.value.clone());
        Options(kept.cloned().chain([own]).collect())
    }

    fn written(&self, how: Written) -> String {
        let Self { option, value, .. } = self;
        match how {
            Written::Flags => format!("`--{} {value}`", option.replace('_', "-")),
            Written::Keys if value.contains(',') => {
                format!("`{option} = [{}]`", value.replace(',', ", "))
            }
            Written::Keys if value.contains('/') => format!("`{option} = \"{value}\"`"),
            Written::Keys => format!("`{option} = {value}`"),
        }
    }
}

impl Setting<'_> {
    /// What to do about a method that can be guessed.
    pub(super) fn advice(&self) -> Words {
        let own = self.score(self.method, self.options, self.factors, true);
        let better = own.and_then(|own| {
            let changes = self.changes();
            self.best(&own, self.method, self.options, self.factors, changes)
        });
        let lost = own.zip(better.as_ref());
        let lost = lost.and_then(|(own, (change, found))| self.lost(&own, found, change));
        let stick = self.ratio.is_equal() && self.method != "big-stick" && self.factors.is_empty();
        let other = match &better {
            Some((_, found)) if !found.easily() => (lost.is_some() && stick)
                .then(|| self.other(own.as_ref()))
                .flatten()
                .filter(|(.., other)| {
                    let narrower = other.imbalance_sd.zip(found.imbalance_sd);
                    let narrower = narrower.is_some_and(|(other, own)| other < own - LOWER);
                    narrower || other.p_balanced > found.p_balanced
                }),
            _ => self.other(own.as_ref()),
        };
        let mut parts: Vec<Words> = Vec::new();
        if let Some((change, found)) = &better {
            let set = change.written(self.written);
            let (en, sv) = of_ten(found);
            let (gone_en, gone_sv) = match change.instead_of {
                Some(name) if self.options.get(name).is_some() => {
                    let name = match self.written {
                        Written::Keys => name.to_owned(),
                        Written::Flags => format!("--{}", name.replace('_', "-")),
                    };
                    (
                        format!(" instead of `{name}`"),
                        format!(" i stället för `{name}`"),
                    )
                }
                _ => (String::new(), String::new()),
            };
            let (lost_en, lost_sv) = lost.map(|words| (words.en, words.sv)).unwrap_or_default();
            parts.push(words!(
                "use {set}{gone_en}{lost_en} ({en} of ten right)",
                "använd {set}{gone_sv}{lost_sv} ({sv} av tio rätt)"
            ));
        }
        if let Some((method, change, found)) = other {
            let name = match self.written {
                Written::Keys => format!("`method = \"{method}\"`"),
                Written::Flags => format!("`--method {method}`"),
            };
            let (en, sv) = of_ten(&found);
            let lost = |change| own.and_then(|own| self.lost(&own, &found, change));
            let (with_en, with_sv) = match &change {
                Some(change) => {
                    let set = change.written(self.written);
                    let Words { en, sv } = lost(change).unwrap_or_default();
                    (format!(" with {set}{en}"), format!(" med {set}{sv}"))
                }
                None => (
                    ", which does not balance".to_owned(),
                    ", som inte balanserar".to_owned(),
                ),
            };
            parts.push(words!(
                "use {name}{with_en} ({en} of ten right)",
                "använd {name}{with_sv} ({sv} av tio rätt)"
            ));
        }
        let all = |text: fn(&Words) -> &str, or: &str, and: &str| {
            let parts: Vec<&str> = parts.iter().map(text).collect();
            match parts.as_slice() {
                [] => String::new(),
                parts => format!("{}{and}", parts.join(or)),
            }
        };
        let en = all(|words| &words.en, ", or ", ", and ");
        let sv = all(|words| &words.sv, ", eller ", ", och ");
        words!(
            "{en}let nobody at intake see earlier lots",
            "{sv}låt ingen i mottagningen se tidigare lotter"
        )
    }

    /// The number of units for which everything is computed: of a list those at hand, of a study those of a stratum.
    fn units(&self) -> u64 {
        match self.written {
            Written::Keys => stratum(self.ratio, self.families, self.strata),
            Written::Flags => self.families as u64,
        }
    }

    /// What a change gives up of balance, compared with the setting in use; `None` if nothing to speak of.
    fn lost(&self, own: &Guessed, found: &Guessed, change: &Change) -> Option<Words> {
        let n = self.units();
        let longest = |options: &Options, name| {
            let numbers = options.get(name)?.split(',');
            numbers
                .filter_map(|own| own.trim().parse::<u64>().ok())
                .max()
        };
        let new = Options::of(&[(change.option, &change.value)]);
        let of_lists = longest(&new, "list_len");
        let later = of_lists.or(longest(&new, "block_lens")) > Some(n);
        let before = change.instead_of.into_iter().chain([change.option]);
        let before = before.filter_map(|name| longest(self.options, name)).max();
        let error = found.p_balanced_error.hypot(own.p_balanced_error);
        let seldomer = found.p_balanced.zip(own.p_balanced);
        let seldomer = seldomer.filter(|(new, own)| *new < own - SELDOMER - 2.0 * error);
        // With another number no method has the arms in balance after the last.
        let whole = n.is_multiple_of(self.ratio.sum());
        let end = match of_lists {
            _ if !later => None,
            Some(_) => Some(("the list", "listan")),
            None => Some(("a block", "ett block")),
        };
        let chance = seldomer.map(|(new, now)| {
            let (new_en, new_sv) = probability(new, found.p_balanced_error);
            let (now_en, now_sv) = probability(now, own.p_balanced_error);
            (
                format!("{new_en} instead of {now_en}"),
                format!("{new_sv} i stället för {now_sv}"),
            )
        });
        match (end, chance) {
            (Some((end_en, end_sv)), Some((en, sv))) => Some(words!(
                ", which balances only at the end of {end_en} and leaves the arms in balance after {n} families with probability {en}",
                ", som balanserar bara i slutet av {end_sv} och lämnar armarna i balans efter {n} familjer med sannolikheten {sv}"
            )),
            (Some((en, sv)), None) if !whole && before.is_none_or(|own| own <= n) => Some(words!(
                ", which balances only at the end of {en}",
                ", som balanserar bara i slutet av {sv}"
            )),
            (None, Some((en, sv))) => Some(words!(
                ", which leaves the arms in balance after {n} families with probability {en}",
                ", som lämnar armarna i balans efter {n} familjer med sannolikheten {sv}"
            )),
            // Balance after the last family is as likely as before; what is given up lies between.
            _ => of_lists
                .zip(before.filter(|own| *own <= n))
                .map(|(new, now)| {
                    words!(
                        ", which balances after every {new} families instead of every {now}",
                        ", som balanserar en gång på {new} familjer i stället för på {now}"
                    )
                }),
        }
    }

    /// How well a setting can be guessed at these families, if it can be `exactly`; `None` if it is refused.
    fn score(
        &self,
        method: &str,
        options: &Options,
        factors: &[usize],
        exactly: bool,
    ) -> Option<Guessed> {
        // A study gives a method no length, so one that needs it has to have it among its options.
        let n = match self.written {
            Written::Keys => None,
            Written::Flags => Some(self.units()),
        };
        let design = choose(method, self.ratio, options, n).ok()?;
        if self.written == Written::Keys && !design.keeps_ratio() {
            return None;
        }
        let found = if factors.is_empty() || self.arrived.is_empty() {
            guessing_of(method, self.ratio, options, self.units(), factors, exactly).ok()?
        } else {
            guessing_among(method, self.ratio, options, self.arrived).ok()?
        };
        Guessed::of(&found)
    }

    /// The first change that needs no warning, or the one with the lowest share; none that is not lower, by more than
    /// simulation alone would make it. Where the setting in use is simulated its changes are too, and what is taken is then
    /// followed exactly if it can be.
    fn best(
        &self,
        own: &Guessed,
        method: &str,
        options: &Options,
        factors: &[usize],
        changes: Vec<Change>,
    ) -> Option<(Change, Guessed)> {
        let exactly = own.errors.0 == 0.0;
        let lower = |found: &Guessed, than: &Guessed| {
            let error = found.errors.0.hypot(than.errors.0);
            found.share < than.share - LOWER - 2.0 * error
        };
        let mut best: Option<(Change, Guessed)> = None;
        for change in changes {
            let Some(found) = self.score(method, &change.applied(options), factors, exactly) else {
                continue;
            };
            let least = best.as_ref().map_or(own, |(_, best)| best);
            if lower(&found, least) {
                let enough = !found.easily();
                best = Some((change, found));
                if enough {
                    break;
                }
            }
        }
        let (change, found) = best?;
        if exactly {
            return Some((change, found));
        }
        let found = self.score(method, &change.applied(options), factors, true)?;
        lower(&found, own).then_some((change, found))
    }

    /// A method of another kind with its setting: big stick for equal arms, independent lots for others.
    fn other(&self, own: Option<&Guessed>) -> Option<(&'static str, Option<Change>, Guessed)> {
        let own = own?;
        if self.ratio.is_equal() && self.method != "big-stick" {
            let (none, changes) = (Options::default(), bounds(0));
            let (change, found) = self.best(own, "big-stick", &none, &[], changes)?;
            return Some(("big-stick", Some(change), found));
        }
        let found = self.score("simple", &Options::default(), &[], true)?;
        (found.share < own.share - LOWER).then_some(("simple", None, found))
    }

    /// What can be changed of the method, the mildest change first.
    fn changes(&self) -> Vec<Change> {
        let options = self.options;
        let number = |name: &str| options.get(name).and_then(|text| text.parse::<u64>().ok());
        match self.method {
            "permuted-block" => self.blocks(),
            "random-allocation" | "truncated-binomial" => self.lists(),
            "big-stick" => bounds(number("max_imbalance").unwrap_or(3)),
            "maximal" => {
                let mut all = bounds(number("max_imbalance").unwrap_or(3));
                all.extend(self.lists());
                all
            }
            "biased-coin" => chances("bias", options.get("bias").unwrap_or("2/3"), 0.5),
            "minimization" => {
                let now = options.get("probability").unwrap_or("4/5");
                chances("probability", now, 0.0)
            }
            "urn" => {
                let text = options.get("urn").unwrap_or("0,1");
                let added = text.split_once(',').map(|(_, added)| added.trim().parse());
                match added {
                    Some(Ok(added)) if added > 0 => BALLS
                        .iter()
                        .map(|balls: &u64| {
                            let own = balls.saturating_mul(added);
                            Change::to("urn", &format!("{own},{added}"))
                        })
                        .collect(),
                    _ => Vec::new(),
                }
            }
            _ => Vec::new(),
        }
    }

    /// Longer and several lengths of blocks, none longer than a stratum unless the blocks are so already.
    fn blocks(&self) -> Vec<Change> {
        let sum = self.ratio.sum();
        let text = self.options.get("block_lens");
        let text = text
            .or_else(|| self.options.get("block_len"))
            .unwrap_or("4");
        let lengths = text
            .split(',')
            .filter_map(|own| own.trim().parse::<u64>().ok());
        let Some(shortest) = lengths.min() else {
            return Vec::new();
        };
        let stratum = (self.families / self.strata.max(1) as f64) as u64;
        LONGER
            .iter()
            .map(|times| [0, 1, 2].map(|more| shortest * times + more * sum))
            .filter(|[first, _, last]| *last <= stratum || *first <= 2 * shortest)
            .map(|lengths| Change {
                option: "block_lens",
                value: lengths.map(|length| length.to_string()).join(","),
                instead_of: Some("block_len"),
            })
            .collect()
    }

    /// Longer lists, none longer than a stratum unless they are so already.
    fn lists(&self) -> Vec<Change> {
        let stratum = (self.families / self.strata.max(1) as f64) as u64;
        let now = self.options.get("list_len");
        let now = now.map_or(Some(stratum), |text| text.parse::<u64>().ok());
        let Some(now) = now.filter(|now| *now > 0) else {
            return Vec::new();
        };
        LONGER
            .iter()
            .map(|times| now.saturating_mul(*times))
            .filter(|length| *length > now && (*length <= stratum || *length <= 4 * now))
            .map(|length| Change::to("list_len", &length))
            .collect()
    }
}

/// Two decimals as each language writes them, with the Monte Carlo standard error of one that is simulated.
fn probability(value: f64, error: f64) -> (String, String) {
    let digits = format!("{value:.2}");
    let (en, sv) = if error > 0.0 {
        let error = format!("{error:.3}");
        (
            format!("{digits} (simulated, standard error {error})"),
            format!("{digits} (simulerat, medelfel {error})"),
        )
    } else {
        (digits.clone(), digits)
    };
    (en, sv.replace('.', ","))
}

/// Bounds above the present one.
fn bounds(now: u64) -> Vec<Change> {
    let above = BOUNDS.iter().filter(|bound| **bound > now);
    above
        .map(|bound| Change::to("max_imbalance", bound))
        .collect()
}

/// Chances below the present one and above the least.
fn chances(option: &'static str, now: &str, least: f64) -> Vec<Change> {
    let number = |text: &str| text.trim().parse::<f64>().ok();
    let now = match now.split_once('/') {
        Some((over, under)) => number(over).zip(number(under)).map(|(a, b)| a / b),
        None => number(now),
    };
    let Some(now) = now else { return Vec::new() };
    let below = CHANCES
        .iter()
        .filter(|(_, own)| *own < now - LOWER && *own > least);
    below.map(|(text, _)| Change::to(option, text)).collect()
}

/// How many of ten are right, as it is written in each language; a bound is said to be one.
fn of_ten(found: &Guessed) -> (String, String) {
    let (en, sv) = tenths(10.0 * found.share);
    if found.at_most {
        return (format!("at most {en}"), format!("högst {sv}"));
    }
    (en, sv)
}

#[cfg(test)]
mod tests {
    use super::{Setting, Written};
    use crate::allocation::{Options, read_ratio};

    fn advice(method: &str, options: &[(&str, &str)], ratio: &str, written: Written) -> String {
        let (ratio, options) = (read_ratio(ratio).unwrap(), Options::of(options));
        let levels = [3, 4];
        let setting = Setting {
            method,
            options: &options,
            ratio: &ratio,
            families: 120.0,
            strata: 1,
            factors: if method == "minimization" {
                &levels
            } else {
                &[]
            },
            arrived: &[],
            written,
        };
        setting.advice().en
    }

    /// By the laws of the methods: big stick with a bound b has the chance 1/2 + 1/(4b) in the long run (a walk on 0 … b), so 3
    /// is the least bound below 0.6; Efron's coin has 1/2 + (r − 1)/(4r) with r = p/(1 − p), 0.583 at 3/5. After
    /// an even number the first is at 0, −2 or 2 alike, the second at 0 with chance 1 − 1/r.
    #[test]
    fn the_mildest_change_that_is_enough() {
        let of = |method, options: &[_]| advice(method, options, "1:1", Written::Keys);
        let stick = of("big-stick", &[("max_imbalance", "1")]);
        assert!(
            stick.starts_with("use `max_imbalance = 3`, which leaves the arms in balance after 120 families with probability 0.33 instead of 1.00 (5.8 of ten right), and let"),
            "{stick}"
        );
        let coin = of("biased-coin", &[]);
        assert!(
            coin.starts_with("use `bias = \"3/5\"`, which leaves the arms in balance after 120 families with probability 0.33 instead of 0.50 (5.8 of ten right), or use `method = \"big-stick\"` with `max_imbalance = 3`, which leaves"),
            "{coin}"
        );
        let flags = advice("biased-coin", &[], "1:1", Written::Flags);
        assert!(
            flags.starts_with("use `--bias 3/5`, which leaves"),
            "{flags}"
        );
    }

    /// Nothing that treats arms alike is advised where arms are not alike.
    #[test]
    fn at_unequal_parts_only_what_keeps_them() {
        let blocks = advice(
            "permuted-block",
            &[("block_len", "3")],
            "2:1",
            Written::Keys,
        );
        assert!(blocks.starts_with("use `block_lens = ["), "{blocks}");
        assert!(blocks.contains("instead of `block_len`"), "{blocks}");
        assert!(!blocks.contains("big-stick"), "{blocks}");
    }

    fn of_list(method: &str, options: &[(&str, &str)], ratio: &str, n: f64) -> String {
        let (ratio, options) = (read_ratio(ratio).unwrap(), Options::of(options));
        let setting = Setting {
            method,
            options: &options,
            ratio: &ratio,
            families: n,
            strata: 1,
            factors: &[],
            arrived: &[],
            written: Written::Flags,
        };
        setting.advice().en
    }

    /// Of a list of 24 the first twelve are independent tosses: in balance with C(12, 6)/2¹² = 924/4096 = 0.2256, where a
    /// list of twelve always is. A walk bounded by 3 is in balance after twelve by hand more often.
    #[test]
    fn what_gives_up_balance_is_said_to() {
        let longer = of_list("truncated-binomial", &[], "1:1", 12.0);
        assert!(
            longer.starts_with("use `--list-len 24`, which balances only at the end of the list and leaves the arms in balance after 12 families with probability 0.23 instead of 1.00 ("),
            "{longer}"
        );
        assert!(
            longer.contains("or use `--method big-stick` with `--max-imbalance 3`, which leaves the arms in balance after 12 families with probability 0.33 instead of 1.00 ("),
            "{longer}"
        );
        // 100 = 33·3 + 1 = 11·9 + 1: with either list nobody is in balance in the end, and the lists end a third as often.
        let lists = of_list("random-allocation", &[("list_len", "3")], "1:2", 100.0);
        assert!(
            lists.starts_with(
                "use `--list-len 9`, which balances after every 9 families instead of every 3 ("
            ),
            "{lists}"
        );
        // Of thirteen no method has two arms in balance, so that there is no probability to compare.
        let blocks = of_list("permuted-block", &[("block_len", "6")], "1:1", 7.0);
        assert!(
            blocks.contains(", which balances only at the end of a block ("),
            "{blocks}"
        );
    }

    /// Eight arms by a coin have too many histories: what is advised is simulated, and lower.
    #[test]
    fn what_is_simulated_has_advice_too() {
        let coin = of_list("biased-coin", &[], "1:1:1:1:1:1:1:1", 120.0);
        assert!(coin.starts_with("use `--bias "), "{coin}");
        assert!(
            coin.contains(", or use `--method big-stick` with `--max-imbalance "),
            "{coin}"
        );
    }

    /// Six of blocks of 4, 8 or 12 at 3:1, not eight: 0.7658730 of them right (`draw --characteristics`, exact).
    #[test]
    fn the_figure_is_that_of_the_number_at_hand() {
        let blocks = of_list("permuted-block", &[("block_len", "4")], "3:1", 6.0);
        assert!(
            blocks.starts_with("use `--block-lens 4,8,12` instead of `--block-len`"),
            "{blocks}"
        );
        assert!(blocks.contains("(7.7 of ten right)"), "{blocks}");
    }
}
