//! What the fast path of times is valid for: every assumption about an analysis, by name.

use super::first_reports::CountByWord;
use crate::diagnostic::Words;
use crate::planning::scenario::Scenario;
use crate::planning::world::World;
use crate::protocol::Protocol;
use crate::protocol::model::{Analysis, Cut, Day, Factor, Missing, OutcomeKind, Summary};
use crate::words;

/// Whether the analyses of a scenario are of first times, so that this path is meant.
pub(super) fn is_meant(protocol: &Protocol, scenario: &Scenario) -> bool {
    let first = |index: &usize| protocol.analyses[*index].summary == Summary::FirstTime;
    !scenario.analyses.is_empty() && scenario.analyses.iter().all(first)
}

/// The numbers of reports by the word of the risk, with control and treatment; `None` where they differ between families.
pub(super) fn counts(world: &World) -> Option<[CountByWord; 2]> {
    let truth = world.truth;
    let of = |risk: f64| CountByWord::new(|u| truth.reports(u, risk, 1.0));
    world.same_risk().map(|risks| risks.map(of))
}

/// The date of a lock, if it has one.
pub(super) fn date(protocol: &Protocol, lock: usize) -> Option<Day> {
    match protocol.locks[lock].cut {
        Cut::On(date) => Some(Day::of(date)),
        Cut::AfterLastWindow { .. } => None,
    }
}

/// A test or a hazard ratio of the time to the first report, whose strata are the sites or nothing.
pub(super) fn misfits(protocol: &Protocol, world: &World, analysis: &Analysis) -> Vec<Words> {
    let id = &analysis.id;
    let mut found = Vec::new();
    let mut unless = |fits: bool, what: Words| {
        if !fits {
            found.push(what);
        }
    };
    let first_report = match &protocol.outcomes[analysis.outcome].kind {
        OutcomeKind::Reports {
            window_days,
            without_attached,
            ..
        } => {
            let (from, to) = *window_days;
            !without_attached && *window_days == world.window && from >= 1 && to < 1 << 16
        }
        OutcomeKind::Binary { .. }
        | OutcomeKind::Duration { .. }
        | OutcomeKind::Observed { .. } => false,
    };
    unless(
        first_report,
        words!(
            "the outcome of `{id}` is not the time to a new report in a window that begins after the draw",
            "utfallet i `{id}` är inte tiden till en ny anmälan i ett fönster som börjar efter lottningen"
        ),
    );
    let plain = analysis.covariates.is_empty()
        && analysis.strata.len() <= 1
        && analysis.strata.iter().all(|own| *own == Factor::Site)
        && analysis.clusters.is_none()
        && analysis.children.is_none()
        && analysis.test.is_none()
        && analysis.missing == Missing::Censoring;
    unless(
        matches!(analysis.estimator.as_str(), "log-rank" | "cox") && plain,
        words!(
            "`{id}` is not `log-rank` or `cox`, of families, without covariates and clusters, with at most the site as a stratum",
            "`{id}` är inte `log-rank` eller `cox`, av familjer, utan kovariater och kluster, med högst enheten som stratum"
        ),
    );
    let looks = analysis.looks.iter().map(|look| date(protocol, *look));
    let cuts: Vec<Option<Day>> = looks.chain([date(protocol, analysis.lock)]).collect();
    let ascend = cuts.windows(2).all(|pair| pair[0] < pair[1]);
    unless(
        ascend && cuts.iter().all(Option::is_some),
        words!(
            "the looks and the lock of `{id}` are not on dates that follow each other",
            "granskningarna och låsningen för `{id}` har inte datum som följer på varandra"
        ),
    );
    unless(
        analysis.looks.is_empty() || analysis.estimator == "log-rank",
        words!(
            "`{id}` is looked at on the way, and is not `log-rank`",
            "`{id}` granskas på vägen, och är inte `log-rank`"
        ),
    );
    unless(
        counts(world).is_none_or(|own| own.iter().all(CountByWord::is_short)),
        words!(
            "families have too many reports each for `{id}`",
            "familjerna har för många anmälningar var för `{id}`"
        ),
    );
    found
}
