//! `check`: a protocol read whole, what it promises in numbers, and what a study lead should know before it is sealed.
//!
//! Reading alone is [`load`], which every verb with a protocol shares. The pre-analysis plan is written by
//! `report::plan`.

use super::guessable::{Guessed, guessable, tenths};
use super::harder::{Setting, Written};
use super::several::warn_of_redraws;
use super::{Failure, Outside, Source, exit};
use crate::diagnostic::{Diagnostic, Words};
use crate::planning::capacity::{self, Reach};
use crate::planning::guessing::{Guessing, guessing};
use crate::planning::ratios::{self, PowerRow, RatioRow};
use crate::planning::strata::{Together, together};
use crate::planning::two_proportions::PowerError;
use crate::protocol::model::THIN_STRATUM;
use crate::protocol::model::{Covariate, Factor, Role};
use crate::protocol::{Protocol, parse};
use crate::words;
use std::path::Path;

/// Strata together may leave this share of a coin's variance before `check` warns that they are too many.
const LEFT_OF_A_COIN: f64 = 0.5;
/// Without strata this share of that variance may be left, or strata are not what costs balance.
const LEFT_WITHOUT_STRATA: f64 = 0.5;

/// A protocol that was read without an error.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The protocol.
    pub protocol: Protocol,
    /// The bytes of the file, whose hash is the protocol's.
    pub bytes: Vec<u8>,
    /// The text, for findings.
    pub source: Source,
    /// Warnings.
    pub warnings: Vec<Diagnostic>,
}

/// Reads a protocol file; `-` is standard input.
///
/// # Errors
/// An invalid protocol is exit 3 with all its findings.
pub fn load(outside: &Outside, path: impl AsRef<Path>) -> Result<Loaded, Failure> {
    let path = path.as_ref();
    let bytes = outside.read(path)?;
    let parsed = parse(&bytes);
    let name = path.display().to_string();
    let text = String::from_utf8_lossy(&bytes).into_owned();
    match parsed.protocol {
        Some(protocol) => Ok(Loaded {
            protocol,
            bytes,
            source: Source { name, text },
            warnings: parsed.diagnostics,
        }),
        None => Err(Failure::refused_file(
            exit::INVALID_PROTOCOL,
            "invalid-protocol",
            name,
            text,
            parsed.diagnostics,
        )),
    }
}

/// What `check` answers.
#[derive(Debug, Clone)]
pub struct Checked {
    /// The protocol.
    pub protocol: Protocol,
    /// The text, for findings.
    pub source: Source,
    /// Warnings of the file and of its numbers.
    pub warnings: Vec<Diagnostic>,
    /// Power at the target, one row per arm that is not the control.
    pub at_target: Vec<PowerRow>,
    /// Power at the number that capacity allows, if a gate and a stop date say one, and at most that at which enrolment stops.
    pub at_capacity: Vec<PowerRow>,
    /// Whether enrolment stops at fewer families than capacity allows, so that those rows are of that number.
    pub stop_binds: bool,
    /// Families that the wanted power needs; `None` with more than two arms.
    pub families_needed: Option<u64>,
    /// What capacity allows.
    pub reach: Option<Reach>,
    /// The same capacity at other ratios.
    pub ratios: Vec<RatioRow>,
    /// The families that are expected.
    pub expected: Expected,
    /// How well the next arm can be guessed, and how well a stratum balances, at the expected families.
    pub guessing: Option<Guessing>,
    /// Balance over all strata together at the expected families; `None` without strata.
    pub together: Option<Together>,
}

/// How many families a study can expect: its target, or what capacity allows if that is less.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Expected {
    /// Families of all arms.
    pub families: f64,
    /// Whether capacity allows fewer than the target.
    pub by_capacity: bool,
}

/// Reads and checks a protocol.
///
/// # Errors
/// An invalid protocol is exit 3 with all its findings.
pub fn check(outside: &Outside, path: impl AsRef<Path>) -> Result<Checked, Failure> {
    let Loaded {
        protocol,
        source,
        mut warnings,
        ..
    } = load(outside, path)?;
    let no_figure =
        |error: PowerError| Failure::new(exit::INVALID_PROTOCOL, error.code(), error.words());
    let reach = capacity::reach(&protocol);
    let target = f64::from(protocol.sample_size.target);
    let at_target = ratios::power_rows(&protocol, target).map_err(no_figure)?;
    let (mut at_capacity, mut compared) = (Vec::new(), Vec::new());
    let mut stop_binds = false;
    if let Some(reach) = reach.as_ref().filter(|reach| reach.families >= 4.0) {
        // What slots allow is no larger than what enrolment stops at.
        let stop = protocol.sample_size.stop_families.map(f64::from);
        let families = stop.map_or(reach.families, |stop| reach.families.min(stop));
        stop_binds = families < reach.families;
        if ratios::reaches_every_arm(&protocol.allocation.ratio, families) {
            at_capacity = ratios::power_rows(&protocol, families).map_err(no_figure)?;
        }
        compared = ratios::compare(&protocol, reach).map_err(no_figure)?;
    }
    let families_needed = ratios::families_needed(&protocol).map_err(no_figure)?;
    let allowed = reach.as_ref().map_or(target, |reach| reach.families);
    let expected = Expected {
        families: target.min(allowed),
        by_capacity: allowed < target,
    };
    let allocation = &protocol.allocation;
    let (method, ratio, options) = (&allocation.method, &allocation.ratio, &allocation.options);
    let strata = protocol.strata();
    let factors = protocol.balanced_levels();
    let guessing = guessing(method, ratio, options, expected.families, strata, &factors).ok();
    let together = match strata {
        0 | 1 => None,
        _ if !factors.is_empty() => None,
        _ => together(method, ratio, options, expected.families, strata)
            .ok()
            .flatten(),
    };
    let limit = if stop_binds { at_stop() } else { at_slots() };
    warn_of_power(&mut warnings, &protocol, &at_target, (&at_capacity, limit));
    warn_of_capacity(&mut warnings, &protocol, reach.as_ref());
    let setting = Setting {
        method,
        options,
        ratio,
        families: expected.families,
        strata,
        factors: &factors,
        arrived: &[],
        written: Written::Keys,
    };
    warn_of_guessing(&mut warnings, guessing.as_ref(), &setting);
    warn_of_strata(&mut warnings, strata, expected, together.as_ref());
    warn_of_balanced(&mut warnings, &protocol);
    warn_of_redraws(&mut warnings, &protocol);
    Ok(Checked {
        protocol,
        source,
        warnings,
        at_target,
        at_capacity,
        stop_binds,
        families_needed,
        reach,
        ratios: compared,
        expected,
        guessing,
        together,
    })
}

fn percent(share: f64) -> (String, String) {
    let en = format!("{:.1} %", 100.0 * share);
    let sv = en.replace('.', ",");
    (en, sv)
}

fn at_slots() -> Words {
    Words::new(
        "at the number that capacity allows",
        "vid det antal som kapaciteten räcker till",
    )
}

fn at_stop() -> Words {
    Words::new(
        "at the number at which enrolment stops (`stop`)",
        "vid det antal där intaget slutar (`stop`)",
    )
}

fn warn_of_power(
    warnings: &mut Vec<Diagnostic>,
    protocol: &Protocol,
    at_target: &[PowerRow],
    (at_capacity, limit): (&[PowerRow], Words),
) {
    let wanted = protocol.sample_size.assumed.power;
    let (wanted_en, wanted_sv) = percent(wanted);
    let cases = [
        (at_target, Words::new("at the target", "vid målet")),
        (at_capacity, limit),
    ];
    for (rows, place) in cases {
        for row in rows.iter().filter(|row| row.power < wanted) {
            let (power_en, power_sv) = percent(row.power);
            let Words { en, sv } = &place;
            let (families, arm) = (row.families, &row.arm);
            warnings.push(
                Diagnostic::warning(
                    "underpowered",
                    words!(
                        "{en}, {families} families, the power for `{arm}` is {power_en}, below the wanted {wanted_en}",
                        "{sv}, {families} familjer, är styrkan för `{arm}` {power_sv}, under de önskade {wanted_sv}"
                    ),
                )
                .help(words!(
                    "plan more families, a later stop date or more sites, or expect to find larger effects only",
                    "planera fler familjer, ett senare stoppdatum eller fler enheter, eller räkna med att bara hitta större effekter"
                )),
            );
        }
    }
}

fn warn_of_capacity(warnings: &mut Vec<Diagnostic>, protocol: &Protocol, reach: Option<&Reach>) {
    let Some(reach) = reach else { return };
    let target = protocol.sample_size.target;
    if reach.families >= f64::from(target) {
        return;
    }
    let families = reach.families.floor() as u64;
    warnings.push(
        Diagnostic::warning(
            "capacity-below-target",
            words!(
                "capacity allows about {families} families until the stop date; the target is {target}",
                "kapaciteten räcker till ungefär {families} familjer fram till stoppdatumet; målet är {target}"
            ),
        )
        .help(words!(
            "more therapists, more sites, a later stop date, or more families in the other arm and a `stop` that lets them in (see the ratios)",
            "fler behandlare, fler enheter, ett senare stoppdatum, eller fler familjer i den andra armen och ett `stop` som släpper in dem (se förhållandena)"
        )),
    );
}

fn warn_of_guessing(
    warnings: &mut Vec<Diagnostic>,
    guessing: Option<&Guessing>,
    method: &Setting<'_>,
) {
    if let Some(guessed) = guessing.and_then(Guessed::of) {
        warnings.extend(guessable(&guessed, method));
    }
}

/// Balanced factors that the primary analysis does not adjust for: balance makes arms alike, and a standard error that does
/// not know it is too large (Kahan & Morris 2012, doi 10.1002/sim.4431).
fn warn_of_balanced(warnings: &mut Vec<Diagnostic>, protocol: &Protocol) {
    let primary = protocol
        .analyses
        .iter()
        .find(|own| own.role == Role::Primary);
    let Some(primary) = primary else { return };
    let left: Vec<&str> = protocol
        .allocation
        .factors
        .iter()
        .filter(|factor| {
            !primary.covariates.contains(&match factor {
                Factor::Site => Covariate::Site,
                Factor::Field(index) => Covariate::Field(*index),
            })
        })
        .map(|factor| protocol.factor_id(*factor))
        .collect();
    if left.is_empty() {
        return;
    }
    let (factors, id) = (left.join("`, `"), &primary.id);
    warnings.push(
        Diagnostic::warning(
            "factor-not-adjusted",
            words!(
                "the primary analysis `{id}` does not adjust for what the method balances (`{factors}`): its interval is wider than it need be",
                "den primära analysen `{id}` justerar inte för det som metoden balanserar (`{factors}`): dess intervall blir bredare än nödvändigt"
            ),
        )
        .help(words!(
            "add it to `covariates` of the analysis, with the estimator `lin` or `linear`",
            "lägg till den i analysens `covariates`, med skattningsmetoden `lin` eller `linear`"
        )),
    );
}

/// What a figure of balance is of: the difference between equal arms, or the number in an arm against its share.
fn what_differs(equal_arms: bool) -> Words {
    if equal_arms {
        Words::new("the arms differ", "skiljer sig armarna")
    } else {
        Words::new(
            "the number in an arm differs from its share",
            "skiljer sig antalet i en arm från dess andel",
        )
    }
}

/// Strata that cost balance: with too few of the expected families, or with imbalances that add up to nearly those of a
/// coin, where the same method without strata would keep arms more even. What cannot be computed is not warned of.
fn warn_of_strata(
    warnings: &mut Vec<Diagnostic>,
    strata: usize,
    expected: Expected,
    together: Option<&Together>,
) {
    let thin = expected.families < (strata * THIN_STRATUM) as f64;
    let square = |sd: f64| sd * sd;
    let costly = together.filter(|together| {
        square(together.without_strata_sd) < LEFT_WITHOUT_STRATA * square(together.imbalance_sd)
    });
    let coinlike = costly.filter(|together| {
        square(together.imbalance_sd) > LEFT_OF_A_COIN * square(together.coin_sd)
    });
    let Some(together) = costly.filter(|_| thin || coinlike.is_some()) else {
        // The file's own finding counts families only.
        warnings.retain(|warning| warning.code != "thin-strata");
        return;
    };
    let families = expected.families.floor() as u64;
    let (each_en, each_sv) = tenths(expected.families / strata as f64);
    let (own_en, own_sv) = tenths(together.imbalance_sd);
    let (without_en, without_sv) = tenths(together.without_strata_sd);
    let (coin_en, coin_sv) = tenths(together.coin_sd);
    let Words { en, sv } = what_differs(together.equal_arms);
    let message = words!(
        "{families} families are expected, {each_en} in each of {strata} strata: over all strata {en} by {own_en} families (standard deviation), with the same method without strata by {without_en}, with independent lots by {coin_en}",
        "{families} familjer väntas, {each_sv} i vart och ett av {strata} strata: över alla strata {sv} med {own_sv} familjer (standardavvikelse), med samma metod utan strata med {without_sv}, med oberoende lotter med {coin_sv}"
    );
    // The file's own finding, which has its place, is about the target: the same is not said twice. What is nearly a coin says more.
    if let Some(own) = warnings.iter_mut().find(|own| own.code == "thin-strata") {
        if coinlike.is_some() {
            own.message = message;
        }
        return;
    }
    warnings.push(Diagnostic::warning("thin-strata", message).help(words!(
        "stratify by fewer factors; use the others as covariates of the analysis",
        "stratifiera efter färre faktorer; använd de andra som kovariater i analysen"
    )));
}
