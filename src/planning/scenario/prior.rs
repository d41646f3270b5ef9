//! `[[prior]]`: a parameter that is not known, and what is believed of it.
//!
//! A prior is drawn once per replicate, from a stream of its own parameter: adding a prior, or a cell, changes no other
//! draw. The share of studies that reject is then an average over what is believed, an *assurance* and no power
//! (O'Hagan, Stevens and Campbell 2005, doi 10.1002/pst.175). Each law is an inverse distribution function of one
//! deviate; a law without an end is cut at its outermost millionths, so that a scenario can be checked before it runs.

use super::axes::varied_twice;
use super::edit::Setting;
use super::law::{Law, finite, impossible, law};
use crate::allocation::replicates_key;
use crate::numerics::stream::{open_unit, replicate};
use crate::planning::mechanisms::or_default;
use crate::protocol::findings::Findings;
use crate::protocol::tree::{Section, Value as Read};
use crate::words;
use std::ops::Range;
use toml::Value;

/// Keys of a `[[prior]]`.
pub(super) const PRIOR: &[&str] = &[
    "key",
    "normal",
    "log_normal",
    "beta",
    "gamma",
    "uniform",
    "values",
    "shares",
    "least",
    "greatest",
    "whole",
];

/// What is cut from a law that has no end of its own, on either side.
const CUT: f64 = 1e-6;

/// What is believed of one parameter.
#[derive(Debug, Clone, PartialEq)]
pub struct Prior {
    /// The parameter, as a dotted path.
    pub key: String,
    law: Law,
    /// Stated ends.
    limits: (f64, f64),
    /// Probabilities of the law below the ends that are drawn from.
    ends: (f64, f64),
    /// Whether a draw is rounded to a whole number.
    whole: bool,
    /// Where the parameter stands in the file.
    pub(super) span: Range<usize>,
    /// Whether studies live by it: what they cost, or are to reach, changes no study and leaves the power a power.
    pub(super) lived: bool,
}

impl Prior {
    /// The value for a deviate in (0, 1).
    pub fn at(&self, u: f64) -> f64 {
        let (from, to) = self.ends;
        let p = (from + u * (to - from)).clamp(f64::MIN_POSITIVE, 1.0 - f64::EPSILON / 2.0);
        let value = self.law.quantile(p);
        let value = if self.whole { value.round() } else { value };
        value.clamp(self.limits.0, self.limits.1)
    }

    /// The value in a replicate; `group` is empty where cells share their draws.
    pub fn draw(&self, seed: u64, group: &str, number: u64) -> f64 {
        let key = &self.key;
        let purpose = if group.is_empty() {
            format!("simulate-prior/{key}")
        } else {
            format!("simulate-prior/{key}/{group}")
        };
        let mut rng = replicate(&replicates_key(&purpose, &seed.to_string()), number);
        self.at(open_unit(&mut rng))
    }

    /// The parameter set to a value of the prior.
    pub(super) fn setting(&self, value: f64) -> Setting {
        let value = if self.whole {
            Value::Integer(value as i64)
        } else {
            Value::Float(value)
        };
        Setting::new(&self.key, value)
    }

    /// The parameter set to the nearest whole number of a value; `None` where the prior is of whole numbers already.
    pub(super) fn rounded(&self, value: f64) -> Option<Setting> {
        (!self.whole).then(|| Setting::new(&self.key, Value::Integer(value.round() as i64)))
    }

    /// The least and the greatest value that can be drawn; of listed values all that can, in their order.
    pub(in crate::planning) fn extremes(&self) -> Vec<f64> {
        let Law::Values { values, cumulative } = &self.law else {
            return vec![self.at(0.0), self.at(1.0)];
        };
        let before = std::iter::once(&0.0).chain(cumulative);
        let drawn = values.iter().zip(before.zip(cumulative));
        drawn
            .filter(|(_, (before, sum))| before < sum)
            .map(|(value, _)| if self.whole { value.round() } else { *value })
            .collect()
    }

    /// What the file says of the least or the greatest value that can be drawn: a uniform law is stated by ends that are never drawn
    /// themselves. Any other value is what it is.
    pub(super) fn stated(&self, value: f64) -> f64 {
        let (low, high) = match self.law {
            Law::Uniform { low, high } if !self.whole => (low, high),
            _ => (f64::NEG_INFINITY, f64::INFINITY),
        };
        let (low, high) = (self.limits.0.max(low), self.limits.1.min(high));
        let is_end = |u: f64, end: f64| end.is_finite() && value.total_cmp(&self.at(u)).is_eq();
        if is_end(0.0, low) {
            low
        } else if is_end(1.0, high) {
            high
        } else {
            value
        }
    }
}

/// Reads the priors; `varied` are the keys of the grid.
pub(super) fn read(
    out: &mut Findings<'_>,
    root: &Section<'_>,
    varied: &[(String, Range<usize>)],
) -> Vec<Prior> {
    let mut priors: Vec<Prior> = Vec::new();
    for section in root.sections(out, "prior", PRIOR) {
        let key = section.need(out, "key");
        let key = key.and_then(|value| Some((value.text(out)?, value.span)));
        let prior = prior(out, &section);
        let Some((key, span)) = key else { continue };
        let path = Setting::new(key, Value::Boolean(true)).path;
        let again = priors.iter().any(|own| own.key == path);
        if again || varied.iter().any(|(known, _)| *known == path) {
            varied_twice(out, &span, &path);
        } else if let Some(prior) = prior {
            priors.push(Prior {
                key: path,
                span,
                ..prior
            });
        }
    }
    priors
}

fn prior(out: &mut Findings<'_>, section: &Section<'_>) -> Option<Prior> {
    let ways = ["normal", "log_normal", "beta", "gamma", "uniform", "values"];
    let given: Vec<Read<'_>> = ways.iter().filter_map(|way| section.get(way)).collect();
    let law = match given.as_slice() {
        [] => {
            section.missing(out, "normal");
            None
        }
        [value] => law(out, section, value),
        [_, second, ..] => {
            let key = &second.key;
            out.error(
                "not-applicable",
                &section.key_span(key),
                words!(
                    "a prior has one law, and `{key}` is a second one",
                    "en prior har en fördelning, och `{key}` är en till"
                ),
                words!("remove one of them", "ta bort den ena"),
            );
            None
        }
    };
    let listed = section.get("values").is_some();
    if listed {
        section.refuse(
            out,
            &["least", "greatest"],
            &words!("the values are listed", "värdena är uppräknade"),
        );
    } else {
        section.refuse(
            out,
            &["shares"],
            &words!("only `values` have shares", "bara `values` har andelar"),
        );
    }
    let least = or_default(out, section, "least", f64::NEG_INFINITY, finite);
    let greatest = or_default(out, section, "greatest", f64::INFINITY, finite);
    let whole = or_default(out, section, "whole", false, |out, value| value.flag(out));
    let (law, mut limits, whole) = (law?, (least?, greatest?), whole?);
    let law = match law {
        // Every whole number from the one end to the other alike: rounded as it is, the law would give the ends half.
        Law::Uniform { low, high } if whole => {
            limits = (limits.0.max(low).ceil(), limits.1.min(high).floor());
            Law::Uniform {
                low: low.ceil() - 0.5,
                high: high.floor() + 0.5,
            }
        }
        law => {
            if whole {
                limits = (limits.0.ceil(), limits.1.floor());
            }
            law
        }
    };
    let bounded = matches!(law, Law::Uniform { .. } | Law::Values { .. });
    let (low, high) = if bounded {
        (0.0, 1.0)
    } else {
        (CUT, 1.0 - CUT)
    };
    // What is rounded to an end belongs to it.
    let half = if whole { 0.5 } else { 0.0 };
    let ends = (
        if limits.0.is_finite() && !listed {
            law.cdf(limits.0 - half)
        } else {
            low
        },
        if limits.1.is_finite() && !listed {
            law.cdf(limits.1 + half)
        } else {
            high
        },
    );
    if limits.0 > limits.1 || ends.1 - ends.0 < CUT {
        impossible(
            out,
            &section.key_span(if section.get("least").is_some() {
                "least"
            } else {
                "greatest"
            }),
            words!(
                "hardly anything of the prior lies between its ends",
                "nästan inget av priorn ligger mellan dess gränser"
            ),
            words!(
                "`least` below `greatest`, around what is believed",
                "`least` under `greatest`, kring det som antas"
            ),
        );
        return None;
    }
    Some(Prior {
        key: String::new(),
        law,
        limits,
        ends,
        whole,
        span: 0..0,
        lived: true,
    })
}

#[cfg(test)]
mod tests {
    use super::{Prior, read};
    use crate::protocol::findings::Findings;
    use crate::protocol::tree::Section;
    use toml::de::DeTable;

    fn priors(text: &str) -> (Vec<Prior>, Vec<&'static str>) {
        let (tree, _) = DeTable::parse_recoverable(text);
        let mut out = Findings::new(text);
        let root = Section::root(&mut out, tree.get_ref(), &["prior"]);
        let priors = read(&mut out, &root, &[("taken".to_owned(), 0..0)]);
        let codes = out.into_sorted().into_iter().map(|finding| finding.code);
        (priors, codes.collect())
    }

    fn one(law: &str) -> Prior {
        let (priors, codes) = priors(&format!("[[prior]]\nkey = \"a\"\n{law}\n"));
        assert_eq!((priors.len(), codes), (1, vec![]), "{law}");
        priors[0].clone()
    }

    /// Mean and standard deviation over a fine grid of deviates, against those stated: the laws' own parameters. What is
    /// cut off changes them by less than the tolerance (by law; the grid's own error is below 1e-4).
    #[test]
    fn laws_have_the_moments_that_they_state() {
        let lognormal = ((0.1_f64 * 0.1 / 2.0).exp() * 0.85, 0.0853); // sd: mean·√(exp(.01) − 1) = .8543·.10025
        for (law, mean, sd) in [
            ("normal = { mean = 0.5, sd = 0.2 }", 0.5, 0.2),
            (
                "log_normal = { median = 0.85, sd_log = 0.1 }",
                lognormal.0,
                0.085_64,
            ),
            ("beta = { mean = 0.3, sd = 0.1 }", 0.3, 0.1),
            ("gamma = { mean = 12, sd = 4 }", 12.0, 4.0),
            ("uniform = [2, 8]", 5.0, 3.0_f64.sqrt()),
            (
                "values = [1, 2, 4]\nshares = [0.5, 0.25, 0.25]",
                2.0,
                1.5_f64.sqrt(),
            ),
        ] {
            let prior = one(law);
            let n = 100_000;
            let draws: Vec<f64> = (0..n)
                .map(|k| prior.at((f64::from(k) + 0.5) / f64::from(n)))
                .collect();
            let found = draws.iter().sum::<f64>() / f64::from(n);
            let square = draws.iter().map(|x| (x - found).powi(2)).sum::<f64>() / f64::from(n);
            assert!((found / mean - 1.0).abs() < 1e-3, "{law}: {found}");
            assert!(
                (square.sqrt() / sd - 1.0).abs() < 2e-3,
                "{law}: {}",
                square.sqrt()
            );
        }
    }

    #[test]
    fn ends_hold_and_whole_numbers_are_whole() {
        let prior = one("normal = { mean = 0.85, sd = 0.1 }\nleast = 0.7\ngreatest = 0.9");
        let (least, greatest) = (prior.at(0.0), prior.at(1.0));
        assert!((least - 0.7).abs() < 1e-9 && (greatest - 0.9).abs() < 1e-9);
        // Half of the mass between the ends: Φ(−1.5) = .0668072, Φ(.5) = .6914625; the mean of the two is Φ at −.3077.
        assert!((prior.at(0.5) - (0.85 - 0.1 * 0.307_7)).abs() < 1e-4);
        let prior = one("gamma = { mean = 3, sd = 1 }\nwhole = true");
        assert!(prior.at(0.37).fract().abs() < 1e-15);
        assert_eq!(prior.setting(3.0).value, toml::Value::Integer(3));
    }

    /// By law: 10 to 20 are eleven numbers, each with a share of 1/11, the ends too; 10.2 to 12.9 are 11 and 12; and what is
    /// rounded stays between `least` and `greatest`.
    #[test]
    fn whole_numbers_of_a_uniform_law_are_alike() {
        for (text, least, greatest) in [
            ("uniform = [10, 20]\nwhole = true", 10, 20),
            ("uniform = [10.2, 12.9]\nwhole = true", 11, 12),
            (
                "uniform = [10, 20]\nleast = 12\ngreatest = 15\nwhole = true",
                12,
                15,
            ),
        ] {
            let prior = one(text);
            let of_each = 1000;
            let all = of_each * (greatest - least + 1);
            let mut counts = vec![0; (greatest - least + 1) as usize];
            for k in 0..all {
                let value = prior.at((f64::from(k) + 0.5) / f64::from(all)) as i32;
                counts[(value - least) as usize] += 1;
            }
            assert!(
                counts.iter().all(|count| (count - of_each).abs() <= 1),
                "{text}: {counts:?}"
            );
            let (low, high) = (prior.at(0.0), prior.at(1.0));
            assert_eq!((low as i32, high as i32), (least, greatest));
        }
        let prior = one("normal = { mean = 3, sd = 1 }\nleast = 1.6\ngreatest = 4.4\nwhole = true");
        let (low, high) = (prior.at(0.0), prior.at(1.0));
        assert_eq!((low as i32, high as i32), (2, 4));
    }

    /// Every listed value can be wrong, or have an effect, not the outermost alone; one without a share is never drawn.
    #[test]
    fn every_listed_value_is_reached() {
        assert_eq!(one("values = [1, 0.5, 1]").extremes(), [1.0, 0.5, 1.0]);
        let prior = one("values = [3.2, 1, 2]\nshares = [0.5, 0, 0.5]\nwhole = true");
        assert_eq!(prior.extremes(), [3.0, 2.0]);
    }

    /// By hand: the ends that a file states, of which a uniform law draws neither; a law that is cut at its millionths has none.
    #[test]
    fn ends_are_told_as_they_are_written() {
        for (law, ends) in [
            ("uniform = [0.0, 0.3]", [0.0, 0.3]),
            ("uniform = [0, 1]\nleast = 0.1", [0.1, 1.0]),
            ("uniform = [2, 5]\nwhole = true", [2.0, 5.0]),
            (
                "beta = { mean = 0.3, sd = 0.1 }\nleast = 0.1\ngreatest = 0.7",
                [0.1, 0.7],
            ),
            ("values = [3, 1, 2]", [3.0, 2.0]),
        ] {
            let prior = one(law);
            let all = prior.extremes();
            let told = [all[0], all[all.len() - 1]].map(|own| prior.stated(own));
            assert_eq!(told.map(f64::to_bits), ends.map(f64::to_bits), "{law}");
        }
        let prior = one("uniform = [0.0, 0.3]");
        let drawn = prior.extremes();
        assert!(drawn[0] > 0.0 && drawn[1] < 0.3);
        let cut = one("normal = { mean = 0, sd = 1 }");
        assert_eq!(cut.stated(cut.at(0.0)).to_bits(), cut.at(0.0).to_bits());
    }

    #[test]
    fn a_draw_is_of_its_key_seed_and_replicate_alone() {
        let prior = one("uniform = [0, 1]");
        let draw = |seed, group, number| prior.draw(seed, group, number).to_bits();
        assert_eq!(draw(1, "", 7), draw(1, "", 7));
        let others = [draw(2, "", 7), draw(1, "x", 7), draw(1, "", 8)];
        assert!(others.iter().all(|other| *other != draw(1, "", 7)));
    }

    #[test]
    fn bad_priors_are_said_together() {
        let text = "[[prior]]\nkey = \"a\"\nbeta = { mean = 0.5, sd = 0.6 }\n[[prior]]\nkey = \"b\"\n\
                    [[prior]]\nkey = \"taken\"\nuniform = [0, 1]\n[[prior]]\nkey = \"c\"\nuniform = [1, 0]\n\
                    [[prior]]\nkey = \"d\"\nnormal = { mean = 0, sd = 1 }\nleast = 9\n\
                    [[prior]]\nkey = \"e\"\nvalues = [1, 2]\nshares = [1]\nleast = 0\n";
        assert_eq!(
            priors(text).1,
            [
                "impossible-prior",
                "missing-key",
                "varied-twice",
                "impossible-prior",
                "impossible-prior",
                "shares-sum",
                "not-applicable"
            ]
        );
    }
}
