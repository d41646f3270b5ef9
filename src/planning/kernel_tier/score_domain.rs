//! What the path of scores is valid for, beside what every path assumes.

use crate::diagnostic::Words;
use crate::estimation::{Df, Variance};
use crate::planning::scenario::Scenario;
use crate::planning::world::World;
use crate::protocol::Protocol;
use crate::protocol::model::{Analysis, Covariate, Cut, FieldKind, Missing, OutcomeKind};
use crate::words;

/// Whether the analyses of a scenario are of scores, so that this path is meant.
pub(super) fn is_meant(protocol: &Protocol, scenario: &Scenario) -> bool {
    let observed = |index: &usize| {
        let outcome = protocol.analyses[*index].outcome;
        matches!(
            protocol.outcomes[outcome].kind,
            OutcomeKind::Observed { .. }
        )
    };
    !scenario.analyses.is_empty() && scenario.analyses.iter().all(observed)
}

/// What of the analyses does not fit.
pub(super) fn misfits(protocol: &Protocol, scenario: &Scenario) -> Vec<Words> {
    let of = |index: &usize| of_analysis(protocol, &scenario.world, &protocol.analyses[*index]);
    scenario.analyses.iter().flat_map(of).collect()
}

/// The rows are the families that answer, with the fields as they were at intake, and every window has ended at the lock.
fn of_analysis(protocol: &Protocol, world: &World, analysis: &Analysis) -> Vec<Words> {
    let id = &analysis.id;
    let mut found = Vec::new();
    let mut unless = |fits: bool, what: Words| {
        if !fits {
            found.push(what);
        }
    };
    unless(
        world.family.icc_pair <= 0.0,
        words!(
            "treated families of a therapist pair share part of the score in `{id}` (`icc_pair`)",
            "familjer hos samma behandlarpar delar en del av värdet i `{id}` (`icc_pair`)"
        ),
    );
    let simulated = world.score.map(|own| own.outcome);
    unless(
        simulated == Some(analysis.outcome),
        words!(
            "the scenario's [score] is not the outcome of `{id}`",
            "scenariots [score] är inte utfallet i `{id}`"
        ),
    );
    let number = |own: &Covariate| match *own {
        Covariate::Site => true,
        Covariate::MonthsSinceStart => false,
        Covariate::Field(field) => match protocol.fields[field].kind {
            FieldKind::Count { .. } | FieldKind::Number { .. } | FieldKind::YesNo => true,
            FieldKind::Choice { .. } => false,
        },
    };
    unless(
        analysis.covariates.iter().all(number),
        words!(
            "a covariate of `{id}` is other than the site or a field of counts, numbers or yes and no",
            "en kovariat i `{id}` är annat än enheten eller ett fält med antal, tal eller ja och nej"
        ),
    );
    let options = &analysis.options;
    let plain = matches!(options.variance, None | Some(Variance::Hc2))
        && matches!(options.df, None | Some(Df::BellMccaffrey));
    unless(
        matches!(analysis.estimator.as_str(), "linear" | "lin")
            && analysis.clusters.is_none()
            && analysis.children.is_none()
            && plain
            && analysis.missing == Missing::CompleteCase,
        words!(
            "`{id}` is not `linear` or `lin` with HC2, of the families that answer, without clusters",
            "`{id}` är inte `linear` eller `lin` med HC2, av de familjer som svarar, utan kluster"
        ),
    );
    unless(
        analysis.test.is_none(),
        words!(
            "a randomization test decides `{id}`",
            "ett randomiseringstest avgör `{id}`"
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
