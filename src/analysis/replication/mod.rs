//! What the numbers of a lock were computed from, so that another program can compute them again: columns, redraws and
//! completed data sets, exactly those of [`super::run()`].
//!
//! Families are numbers from 1 in ledger order here; no pseudonym leaves. Writing files is not done here.

mod behind;

use super::plan::Plan;
use super::reference_set::{ENUMERATED, History};
use super::workspace::Workspace;
use crate::allocation::Arm;
use crate::estimation::inversion::Studentized;
use crate::estimation::resampling::Effect;
use crate::estimation::{Arm as Side, Columns, Covariate};
use crate::protocol::Protocol;
use crate::protocol::model::{Day, Role};
use crate::study::conduct::found_ineligible;
use crate::study::kernel::State;
use behind::Behind;

/// A family of the lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplicatedFamily {
    /// Its arm.
    pub arm: Arm,
    /// Index of its site.
    pub site: usize,
    /// The month of its randomization, `2025-03`.
    pub month: String,
    /// Whether it was found, after the draw, not to have been eligible.
    pub found_ineligible: bool,
}

/// An interim lock at which an analysis was looked at before the one that is replicated.
#[derive(Debug, Clone)]
pub struct LookedAt {
    /// Id of the analysis.
    pub analysis: String,
    /// Index of the lock.
    pub lock: usize,
    /// The protocol in force there.
    pub protocol: Protocol,
    /// The state there.
    pub state: State,
    /// Its cut.
    pub cut: Day,
}

/// Where a plan is replicated.
#[derive(Debug, Clone, Copy, Default)]
pub struct AtLock<'a> {
    /// Index of the lock; `None` where no analysis is monitored.
    pub lock: Option<usize>,
    /// The looks before it.
    pub earlier: &'a [LookedAt],
}

/// How a family counts in an analysis.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Counted {
    /// With a known outcome.
    Known(f64),
    /// With a value that the missing-data rule gave.
    ByRule(f64),
    /// Not: the outcome is not known.
    Missing,
    /// Not: the window had not ended.
    NotYet,
}

/// Everything behind the numbers of a lock.
#[derive(Debug, Clone)]
pub struct Replication {
    /// The families of the lock, in ledger order.
    pub families: Vec<ReplicatedFamily>,
    /// The analyses, in the order of the results.
    pub analyses: Vec<ReplicatedAnalysis>,
    /// Redraws that several comparisons share, one for each family of them that is adjusted by Westfall and Young.
    pub joint: Vec<JointRedraws>,
    /// What the test of balance is made from.
    pub balance: ReplicatedBalance,
}

/// The characteristics of the families of the lock, and the statistic of balance on every redraw.
#[derive(Debug, Clone)]
pub struct ReplicatedBalance {
    /// A column for each, with a value for each family.
    pub columns: Vec<(String, Vec<f64>)>,
    /// The statistic on every redraw.
    pub draws: Vec<Option<f64>>,
    /// Probabilities, where all sequences were listed.
    pub weights: Option<Vec<f64>>,
}

/// The sizes of several statistics on shared redraws.
#[derive(Debug, Clone)]
pub struct JointRedraws {
    /// Index of the lock.
    pub lock: usize,
    /// The role of the analyses.
    pub role: Role,
    /// The comparisons that have a statistic: place of the analysis, and of its treated arm among the treated arms.
    pub comparisons: Vec<(usize, usize)>,
    /// Of each, |t| on every redraw; infinite where it does not exist.
    pub sizes: Vec<Vec<f64>>,
    /// Probabilities, where all sequences were listed.
    pub weights: Option<Vec<f64>>,
}

/// What stands behind one analysis.
#[derive(Debug, Clone)]
pub struct ReplicatedAnalysis {
    /// Index of its own lock.
    pub lock: usize,
    /// Alpha, total of both sides.
    pub alpha: f64,
    /// How each family counts, in ledger order.
    pub counted: Vec<Counted>,
    /// Of rates, for how many days of the window each family was followed, in ledger order; 0 of one that has no time in it.
    pub followed: Option<Vec<Option<f64>>>,
    /// The fits of its results, in their order: the registered one for each treated arm, then those beside it.
    pub fits: Vec<ReplicatedFit>,
    /// Redraws of its test, for each treated arm.
    pub redraws: Vec<Option<ReplicatedRedraws>>,
    /// Whether the outcome of each family is unknown, where that of any is; `None` where its window has not ended.
    pub unknown: Option<Vec<Option<bool>>>,
    /// Redraws of the test of who is unknown, for each treated arm.
    pub unknown_redraws: Vec<Option<ReplicatedRedraws>>,
    /// Factors of its subgroups: name, levels, and the level of each row of the first fit.
    pub factors: Vec<(String, Vec<String>, Vec<usize>)>,
    /// Children of each family on the roster of its draw, where children are analysed.
    pub children: Option<Vec<u32>>,
    /// Whether each family received the service of each treated arm, where the analysis asks; `None` in arms that are not compared.
    pub received: Vec<(Arm, Vec<Option<bool>>)>,
    /// The looks at it so far, this one last; empty where it is not monitored.
    pub looks: Vec<ReplicatedLook>,
}

/// A look at a monitored analysis.
#[derive(Debug, Clone)]
pub struct ReplicatedLook {
    /// Index of the lock.
    pub lock: usize,
    /// Alpha spent until then, of both sides together.
    pub spent: f64,
    /// Of what has a test and no standard error, whether it is above: a ratio is then infinite and else 0.
    pub without_end: Option<bool>,
    /// What the estimator got there; `None` at the lock itself, where it is the first fit.
    pub fit: Option<ReplicatedFit>,
}

/// One fit: the columns that an estimator got.
#[derive(Debug, Clone)]
pub struct ReplicatedFit {
    /// The name of a row beside the result; `None` for the registered fit.
    pub beside: Option<String>,
    /// The treated arm.
    pub treated: Arm,
    /// What is done with the columns.
    pub how: How,
    /// Id of the estimator.
    pub estimator: String,
    /// Options by the names of the command line.
    pub options: Vec<(&'static str, String)>,
    /// The columns; covariates are numbers.
    pub columns: Columns,
    /// Number of the family of each row, from 1.
    pub family: Vec<usize>,
    /// Of each completed data set, the outcomes of the rows without one, in their order.
    pub drawn: Vec<Vec<f64>>,
    /// The effect on each resample; `None` where it or its standard error does not exist.
    pub resamples: Vec<Option<Effect>>,
    /// Of pairs: whether the outcome of each row is known; one that is not and stands in the columns is settled.
    pub known: Vec<bool>,
    /// Index of the site of each row.
    pub sites: Vec<usize>,
    /// How many of the covariates, the first ones, are indicators of sites; `None` where the site is no covariate.
    pub site_columns: Option<usize>,
    /// Whether the site is a stratum.
    pub site_stratum: bool,
    /// Where known outcomes are weighed for unknown ones: the families of these.
    pub unknown: Option<ReplicatedUnknown>,
}

/// Families whose outcome is not known, with what the model of being known has of them.
#[derive(Debug, Clone)]
pub struct ReplicatedUnknown {
    /// Number of each family, from 1.
    pub family: Vec<usize>,
    /// Its arm.
    pub arm: Vec<Side>,
    /// Index of its site.
    pub sites: Vec<usize>,
    /// The covariates of the fit, of these families.
    pub covariates: Vec<Covariate>,
}

/// What is done with the columns of a fit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum How {
    /// The estimator is applied.
    Estimated,
    /// The estimator is applied to every completed data set, and pooled.
    Pooled,
    /// Pairs of numbers of events among unknown outcomes are tried.
    Pairs,
    /// The estimator is applied to outcomes of which a share is drawn in at each end.
    Winsorized(f64),
    /// The estimator is applied, and its effects on resamples give interval and p.
    Resampled,
}

/// The statistic of a randomization test on every redraw.
#[derive(Debug, Clone)]
pub struct ReplicatedRedraws {
    /// On each, as a function of a constant effect.
    pub draws: Vec<Studentized>,
    /// Probabilities, where all sequences were listed.
    pub weights: Option<Vec<f64>>,
}

/// What stands behind the analyses of a plan on the state of a lock at its cut.
pub fn replication(
    protocol: &Protocol,
    (state, cut): (&State, Day),
    plan: &Plan,
    at: AtLock<'_>,
) -> Replication {
    let history = History::of(protocol, state);
    let enumeration = history.enumerate(ENUMERATED);
    let mut workspace = Workspace::default();
    workspace.load(protocol, state, cut);
    let families = workspace.units.iter().map(|unit| ReplicatedFamily {
        arm: unit.arm,
        site: unit.site,
        month: state
            .family(unit.family)
            .and_then(|family| family.randomized.date())
            .map(|date| format!("{:04}-{:02}", date.year(), date.month()))
            .unwrap_or_default(),
        found_ineligible: found_ineligible(state, unit.family),
    });
    let families = families.collect();
    let mut ground = Behind {
        protocol,
        state,
        cut,
        at,
        history,
        enumeration,
        workspace,
    };
    let analyses = plan
        .planned()
        .iter()
        .map(|planned| ground.analysis(&planned.analysis))
        .collect();
    let roles = [Role::Secondary, Role::Primary];
    let joint = (0..protocol.locks.len())
        .flat_map(|lock| roles.map(|role| (lock, role)))
        .filter_map(|family| ground.joint(plan, family))
        .collect();
    Replication {
        families,
        analyses,
        joint,
        balance: ground.balance(),
    }
}
