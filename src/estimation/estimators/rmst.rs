//! `rmst`: the mean time without the event until the horizon, per arm and as a difference or ratio.

use super::survival::{Curves, fill};
use crate::estimation::answer::{Answer, Estimate, Warning};
use crate::estimation::columns::{Arm, Columns};
use crate::estimation::entry::{
    EstimatorEntry, EventCodes, Exchange, OptionDomain, OutcomeDomain, Role, Symmetries,
};
use crate::estimation::error::EstimationError;
use crate::estimation::settings::{Measure, Settings};
use crate::words;
use serde_json::json;

/// Registry entry.
pub(super) const ENTRY: EstimatorEntry = EstimatorEntry {
    id: "rmst",
    about: "difference or ratio of the mean time without the event until the horizon",
    about_sv: "skillnad i eller kvot mellan medeltid utan händelsen fram till horisonten",
    required: &[Role::Time, Role::Event],
    optional: &[Role::Entry],
    counts: false,
    outcome: OutcomeDomain::Number,
    events: Some(EventCodes::Event),
    in_plan: true,
    options: OptionDomain {
        measures: &[Measure::Difference, Measure::Ratio],
        horizon: true,
        ..OptionDomain::NONE
    },
    symmetries: Symmetries {
        arm_exchange: Exchange::Negates,
        ..Symmetries::ROW_ORDER
    },
    run,
};

/// `∫₀^τ Ŝ₁ − ∫₀^τ Ŝ₀`, or the ratio with the variance of its logarithm, `Σ v/m²`, and a normal quantile (Royston and
/// Parmar 2013, doi 10.1186/1471-2288-13-152; Uno et al. 2014, doi 10.1200/JCO.2014.55.2208). `survRM2::rmst2`,
/// `print(survfit, rmean =)`.
fn run(columns: &Columns, settings: &Settings) -> Result<Answer, EstimationError> {
    let mut curves = Curves::new(ENTRY.id, columns, settings)?;
    let horizon = curves.horizon;
    let means = [0, 1].map(|arm: usize| curves.by_arm[arm].restricted_mean(horizon));
    let [control, treated] = means;
    let mut results = vec![match settings.measure {
        Some(Measure::Ratio) => ratio(&mut curves, treated, control),
        _ => curves.difference(ENTRY.id, treated, control),
    }];
    for arm in [Arm::Treated, Arm::Control] {
        let (mean, variance) = means[arm.index()];
        let name = columns.labels.arm(arm).to_owned();
        let events = curves.by_arm[arm.index()].at(horizon).events;
        let mut row = curves.row(ENTRY.id, name.clone(), Measure::Mean);
        row.estimate = Some(mean);
        row.std_error = Some(variance.sqrt());
        if variance > 0.0 {
            let margin = curves.inference.critical() * variance.sqrt();
            row.conf_low = Some(mean - margin);
            row.conf_high = Some(mean + margin);
        } else {
            curves.warnings.push(Warning::new(
                "no-variation",
                words!(
                    "the curve of arm {name} does not vary until the horizon: its mean has no interval, and its variance counts as 0",
                    "kurvan för armen {name} varierar inte fram till horisonten: medelvärdet har inget intervall, och variansen räknas som 0"
                ),
            ));
        }
        row.extra.insert("events".into(), json!(events));
        row.extra
            .insert("at_risk".into(), json!(curves.at_risk(arm)));
        results.push(row);
    }
    Ok(curves.answer(results))
}

/// The ratio of means, with its standard error and test on the logarithm.
fn ratio(curves: &mut Curves<'_>, treated: (f64, f64), control: (f64, f64)) -> Estimate {
    // A mean is above 0, because nobody has the event at time 0.
    let relative = |(mean, variance): (f64, f64)| variance / (mean * mean);
    // ln(m₁/m₀), exact also where the means nearly agree.
    let log = libm::log1p((treated.0 - control.0) / control.0);
    let fit = curves.complete(log, relative(treated) + relative(control));
    let mut row = curves.row(ENTRY.id, curves.columns.labels.effect(), Measure::Ratio);
    fill(&mut row, &fit);
    row.estimate = Some(treated.0 / control.0);
    row.conf_low = fit.conf_low.map(libm::exp);
    row.conf_high = fit.conf_high.map(libm::exp);
    "log".clone_into(&mut row.std_error_scale);
    row
}
