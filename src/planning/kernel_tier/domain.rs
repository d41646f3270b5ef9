//! What the engine `kernel` is valid for: every assumption of its fast paths, by name. Here what all of them assume, and
//! that of yes-no outcomes; what a path alone assumes stands in a file of its own.

use super::{score_domain, times_domain};
use crate::allocation::DesignTable;
use crate::analysis::together::{Together, families};
use crate::diagnostic::Words;
use crate::estimation::{Df, Variance};
use crate::planning::scenario::Scenario;
use crate::planning::screening::grouped;
use crate::planning::world::World;
use crate::protocol::Protocol;
use crate::protocol::model::{
    Analysis, Check, Covariate, Cut, Factor, Missing, OutcomeKind, Summary,
};
use crate::words;

/// What of a scenario and its protocol does not fit a fast path; nothing where all fits.
pub(in crate::planning) fn misfits(protocol: &Protocol, scenario: &Scenario) -> Vec<Words> {
    let mut found = of_enrolment(protocol);
    found.extend(of_arms(protocol, scenario));
    found.extend(of_course(&scenario.world));
    if score_domain::is_meant(protocol, scenario) {
        found.extend(score_domain::misfits(protocol, scenario));
        return found;
    }
    found.extend(of_risk(&scenario.world));
    let of_one = if times_domain::is_meant(protocol, scenario) {
        times_domain::misfits
    } else {
        of_analysis
    };
    for index in &scenario.analyses {
        let analysis = &protocol.analyses[*index];
        found.extend(of_one(protocol, &scenario.world, analysis));
    }
    found
}

/// One treated arm, and p-values that are adjusted by themselves if at all.
fn of_arms(protocol: &Protocol, scenario: &Scenario) -> Vec<Words> {
    let mut found = Vec::new();
    let arms = protocol.arms.len();
    if arms != 2 {
        found.push(words!(
            "the protocol has {arms} arms",
            "protokollet har {arms} armar"
        ));
    }
    let joint = |family: &Together| {
        let mut members = family.members.iter();
        family.adjusts()
            && family.word() == "westfall-young"
            && members.any(|(index, _)| scenario.analyses.contains(index))
    };
    if families(protocol).iter().any(joint) {
        found.push(words!(
            "`westfall-young` adjusts by redraws that several analyses share",
            "`westfall-young` justerar med omlottningar som flera analyser delar"
        ));
    }
    let screened = |family: &Together| {
        let mut members = family.members.iter();
        !grouped(protocol, &scenario.analyses, family).0.is_empty()
            && members.any(|(index, _)| scenario.analyses.contains(index))
    };
    if families(protocol).iter().any(screened) {
        found.push(words!(
            "contrasts of subgroups are screened with exploratory analyses",
            "kontraster mellan undergrupper prövas tillsammans med utforskande analyser"
        ));
    }
    found
}

/// Everybody who comes is drawn, and nothing but the site tells lists apart.
fn of_enrolment(protocol: &Protocol) -> Vec<Words> {
    let mut found = Vec::new();
    let mut unless = |fits: bool, what: Words| {
        if !fits {
            found.push(what);
        }
    };
    unless(
        protocol.gate.is_none(),
        words!("the protocol has a gate", "protokollet har intagsstopp"),
    );
    let asks = |check: &Check| matches!(check, Check::Ask { .. });
    unless(
        protocol.criteria.iter().all(|own| asks(&own.check)),
        words!(
            "a criterion is a rule on fields",
            "ett kriterium är en regel om uppgifter"
        ),
    );
    unless(
        protocol.epoch() == 0,
        words!("the protocol is amended", "protokollet är ändrat"),
    );
    let allocation = &protocol.allocation;
    let by_site = |factor: &Factor| *factor == Factor::Site;
    unless(
        allocation.factors.is_empty() && allocation.strata.iter().all(by_site),
        words!(
            "lots are drawn by more than the site",
            "lotterna dras efter mer än enheten"
        ),
    );
    let method = &allocation.method;
    unless(
        DesignTable::of(&*allocation.design).is_some(),
        words!(
            "the states of `{method}` are too many for a table",
            "`{method}` har för många tillstånd för en tabell"
        ),
    );
    found
}

/// Every family gets the service that it is drawn to and is followed to the end.
fn of_course(world: &World) -> Vec<Words> {
    let mut found = Vec::new();
    let mut unless = |fits: bool, what: Words| {
        if !fits {
            found.push(what);
        }
    };
    let uptake = &world.uptake;
    unless(
        uptake.not_started <= 0.0 && uptake.switched <= 0.0,
        words!(
            "some families do not get the service that they are drawn to ([uptake])",
            "några familjer får inte den handläggning som de lottas till ([uptake])"
        ),
    );
    unless(
        uptake.exceptions <= 0.0,
        words!(
            "some families are excepted ([uptake] `exceptions`)",
            "några familjer undantas ([uptake] `exceptions`)"
        ),
    );
    let exit = &world.exit;
    unless(
        exit.left_per_day <= 0.0 && exit.death_per_day <= 0.0 && exit.youngest.is_none(),
        words!(
            "some families are not followed to the end ([exit])",
            "några familjer följs inte till slutet ([exit])"
        ),
    );
    unless(
        !world.staff_changes,
        words!(
            "staff leave and are replaced (the mechanism `staff-turnover`)",
            "personal slutar och ersätts (mekanismen `staff-turnover`)"
        ),
    );
    unless(
        !world.capacity.overflows(),
        words!(
            "the service depends on a free slot ([capacity] `overflow`)",
            "handläggningen beror på en ledig plats ([capacity] `overflow`)"
        ),
    );
    found
}

/// Whether there is a new report depends on the service and the family's own risk alone, and is always seen.
fn of_risk(world: &World) -> Vec<Words> {
    let mut found = Vec::new();
    let mut unless = |fits: bool, what: Words| {
        if !fits {
            found.push(what);
        }
    };
    unless(
        world.same_risk().is_some(),
        words!(
            "the risk of a new report differs between families of an arm (`icc_children`, `icc_pair`, `window_days` or a [[mechanism]])",
            "risken för en ny anmälan skiljer sig mellan familjer i en arm (`icc_children`, `icc_pair`, `window_days` eller en [[mechanism]])"
        ),
    );
    found
}

/// The effect and its variance follow from the counts by site and arm, and every window has ended at the lock.
fn of_analysis(protocol: &Protocol, world: &World, analysis: &Analysis) -> Vec<Words> {
    let id = &analysis.id;
    let mut found = Vec::new();
    let mut unless = |fits: bool, what: Words| {
        if !fits {
            found.push(what);
        }
    };
    let any_report = match &protocol.outcomes[analysis.outcome].kind {
        OutcomeKind::Reports {
            window_days,
            without_attached,
            ..
        } => analysis.summary == Summary::Any && !without_attached && *window_days == world.window,
        OutcomeKind::Binary { .. }
        | OutcomeKind::Duration { .. }
        | OutcomeKind::Observed { .. } => false,
    };
    unless(
        any_report,
        words!(
            "the outcome of `{id}` is not whether there is any new report in the window",
            "utfallet i `{id}` är inte om det finns någon ny anmälan i fönstret"
        ),
    );
    let options = &analysis.options;
    let plain = matches!(options.variance, None | Some(Variance::Hc2))
        && matches!(options.df, None | Some(Df::BellMccaffrey));
    let known = match analysis.missing {
        Missing::CompleteCase | Missing::NotAccepted | Missing::CensoringWeights => true,
        Missing::Censoring | Missing::Bounds => false,
    };
    let by_site = |own: &Covariate| *own == Covariate::Site;
    unless(
        analysis.estimator == "linear"
            && analysis.covariates.iter().all(by_site)
            && analysis.clusters.is_none()
            && analysis.children.is_none()
            && plain
            && known,
        words!(
            "`{id}` is not `linear` with HC2, of families, without clusters, with at most the site as a covariate",
            "`{id}` är inte `linear` med HC2, av familjer, utan kluster, med högst enheten som kovariat"
        ),
    );
    let lock = &protocol.locks[analysis.lock];
    unless(
        matches!(lock.cut, Cut::AfterLastWindow { .. }),
        words!(
            "the lock of `{id}` may come before the last window has ended",
            "låsningen för `{id}` kan komma före det sista fönstrets slut"
        ),
    );
    unless(
        analysis.looks.is_empty(),
        words!("`{id}` is looked at on the way", "`{id}` granskas på vägen"),
    );
    found
}
