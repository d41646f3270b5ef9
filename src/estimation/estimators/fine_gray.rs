//! `fine-gray`: the ratio of subdistribution hazards, whose model is one of the cumulative incidence.

use super::hazards::{Asked, ratio};
use crate::estimation::answer::Answer;
use crate::estimation::columns::Columns;
use crate::estimation::entry::{
    EstimatorEntry, EventCodes, Exchange, OptionDomain, OutcomeDomain, Role, Symmetries,
};
use crate::estimation::error::EstimationError;
use crate::estimation::follow_up::FollowUp;
use crate::estimation::settings::{Measure, Settings, Ties, Variance};

/// Registry entry.
pub(super) const ENTRY: EstimatorEntry = EstimatorEntry {
    id: "fine-gray",
    about: "ratio of subdistribution hazards under competing events",
    about_sv: "kvot mellan subfördelningshasarder under konkurrerande händelser",
    required: &[Role::Time, Role::Event],
    optional: &[Role::Covariates],
    counts: false,
    outcome: OutcomeDomain::Number,
    events: Some(EventCodes::Several),
    in_plan: true,
    options: OptionDomain {
        variances: &[Variance::Robust],
        measures: &[Measure::SubdistributionHazardRatio],
        ..OptionDomain::NONE
    },
    symmetries: Symmetries {
        arm_exchange: Exchange::Inverts,
        covariate_affine: true,
        ..Symmetries::ROW_ORDER
    },
    run,
};

/// `exp(β)` of the arm in `1 − F(t) = (1 − F₀(t))^exp(β arm + γ covariates)` with the sandwich variance of Fine and Gray (1999, doi
/// 10.1080/01621459.1999.10474144), which counts the estimated weights in. `cmprsk::crr`.
fn run(columns: &Columns, settings: &Settings) -> Result<Answer, EstimationError> {
    let mut follow_up = FollowUp::new(columns, EventCodes::Several)?;
    let asked = Asked {
        id: ENTRY.id,
        measure: Measure::SubdistributionHazardRatio,
        ties: Ties::Breslow,
        variance: Variance::Robust,
        profile: false,
        level: settings.level,
        checks: false,
    };
    ratio(&asked, columns, &mut follow_up, None)
}
