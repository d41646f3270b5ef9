//! `recurrent-rate-ratio`: the ratio of the rates of events that can happen again.

use super::hazards::{Asked, ratio};
use crate::estimation::answer::Answer;
use crate::estimation::columns::Columns;
use crate::estimation::entry::{
    EstimatorEntry, EventCodes, Exchange, OptionDomain, OutcomeDomain, Role, Symmetries,
};
use crate::estimation::error::EstimationError;
use crate::estimation::follow_up::FollowUp;
use crate::estimation::histories::histories;
use crate::estimation::settings::{Measure, Settings, Ties, Variance};

/// Registry entry.
pub(super) const ENTRY: EstimatorEntry = EstimatorEntry {
    id: "recurrent-rate-ratio",
    about: "ratio of the rates of events that can happen again, within strata where given, with variance by id",
    about_sv: "kvot mellan frekvenserna av händelser som kan återkomma, inom strata där sådana anges, med varians per id",
    required: &[Role::Time, Role::Event, Role::Entry, Role::Id],
    optional: &[Role::Covariates, Role::Strata],
    counts: false,
    outcome: OutcomeDomain::Number,
    events: Some(EventCodes::Several),
    in_plan: true,
    options: OptionDomain {
        variances: &[Variance::Robust],
        measures: &[Measure::RateRatio],
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

/// The proportional rates model of Lin, Wei, Yang and Ying (2000, doi 10.1111/1467-9868.00259): the partial likelihood of
/// Andersen and Gill over all rows, with the sandwich variance by id. Codes of 2 and above end follow-up.
fn run(columns: &Columns, settings: &Settings) -> Result<Answer, EstimationError> {
    let mut follow_up = FollowUp::new(columns, EventCodes::Several)?;
    let Some(id) = &columns.id else {
        return Err(EstimationError::ColumnMissing {
            estimator: ENTRY.id,
            role: Role::Id,
        });
    };
    let units = histories(id, columns, &mut follow_up)?;
    let asked = Asked {
        id: ENTRY.id,
        measure: Measure::RateRatio,
        ties: settings.ties.unwrap_or(Ties::Efron),
        variance: Variance::Robust,
        profile: false,
        level: settings.level,
        checks: false,
    };
    ratio(&asked, columns, &mut follow_up, Some((id, &units)))
}
