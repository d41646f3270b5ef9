//! `cox`: the hazard ratio of Cox's proportional hazards model.

use super::hazards::{Asked, ratio};
use crate::estimation::answer::Answer;
use crate::estimation::columns::Columns;
use crate::estimation::entry::{
    EstimatorEntry, EventCodes, Exchange, OptionDomain, OutcomeDomain, Role, Symmetries,
};
use crate::estimation::error::EstimationError;
use crate::estimation::follow_up::FollowUp;
use crate::estimation::prepared::Groups;
use crate::estimation::settings::{Interval, Measure, Settings, Ties, Variance};

/// Registry entry.
pub(super) const ENTRY: EstimatorEntry = EstimatorEntry {
    id: "cox",
    about: "hazard ratio of the proportional hazards model, within strata where given",
    about_sv: "hasardkvot i Cox modell med proportionella hasarder, inom strata där sådana anges",
    required: &[Role::Time, Role::Event],
    optional: &[Role::Covariates, Role::Strata, Role::Cluster, Role::Entry],
    counts: false,
    outcome: OutcomeDomain::Number,
    events: Some(EventCodes::Event),
    in_plan: true,
    options: OptionDomain {
        variances: &[Variance::Model, Variance::Robust, Variance::Firth],
        intervals: &[Interval::Wald, Interval::Profile],
        measures: &[Measure::HazardRatio],
        ties: &[Ties::Efron, Ties::Breslow],
        ..OptionDomain::NONE
    },
    symmetries: Symmetries {
        arm_exchange: Exchange::Inverts,
        covariate_affine: true,
        ..Symmetries::ROW_ORDER
    },
    run,
};

/// `survival::coxph`; with clusters the variance is robust, by cluster; with `firth` the penalized fit, as `coxphf::coxphf`.
fn run(columns: &Columns, settings: &Settings) -> Result<Answer, EstimationError> {
    let mut follow_up = FollowUp::new(columns, EventCodes::Event)?;
    let groups = columns.cluster.as_ref();
    let groups = groups.map(|cluster| Groups::new(cluster, columns, &follow_up.analysed));
    let groups = groups.transpose()?;
    let variance = match (settings.variance, &groups) {
        (None, None) => Variance::Model,
        (None, Some(_)) | (Some(Variance::Robust), _) => Variance::Robust,
        (Some(variance), None) => variance,
        (Some(variance), Some(_)) => {
            return Err(EstimationError::ClustersUnused {
                variance: variance.text(),
            });
        }
    };
    let profile = settings.interval == Some(Interval::Profile);
    if profile && variance == Variance::Robust {
        return Err(EstimationError::IntervalClash {
            interval: Interval::Profile.text(),
            variance: variance.text(),
        });
    }
    let asked = Asked {
        id: ENTRY.id,
        measure: Measure::HazardRatio,
        ties: settings.ties.unwrap_or(Ties::Efron),
        variance,
        profile,
        level: settings.level,
        checks: settings.checks,
    };
    let groups = columns.cluster.as_ref().zip(groups.as_ref());
    ratio(&asked, columns, &mut follow_up, groups)
}
